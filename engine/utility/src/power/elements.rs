//! A grid as a file describes it: its tables, and which rows of them each element of the file became, so that results
//! are told by line and transformer as the file names them. One element may be several rows: a transformer of three
//! windings is three branches and a star bus, a load whose active and reactive power depend on voltage differently is
//! two loads.
//!
//! Loading is the share of what an end may carry, at the end where it is larger: current over rated current, or power
//! over rated power, as the tool whose file it is defines it.
//!
//! Contract: pure functions of the grid's voltages.

use super::flow::PowerFlow;
use super::grid::Grid;

/// A row of one of the grid's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GridRow {
    /// A bus.
    Bus(u32),
    /// A branch.
    Branch(u32),
    /// A load.
    Load(u32),
    /// A shunt.
    Shunt(u32),
    /// A generator.
    Generator(u32),
}

/// An end of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The from end.
    From,
    /// The to end.
    To,
}

/// What an end may carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rating {
    /// Current, amperes.
    CurrentA(f64),
    /// Apparent power, VA.
    PowerVa(f64),
}

/// What an end of a branch may carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Row of the branch.
    pub branch: u32,
    /// Its end.
    pub end: End,
    /// The rating.
    pub rating: Rating,
}

/// An element of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Table of the file: `line`, `trafo`, `sym_load`.
    pub table: &'static str,
    /// What the file calls it, unique within its table.
    pub id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Its rows, in the order in which they were made. A line switch that is closed has the branch of its line, an open
    /// one the branch that closes it.
    pub rows: Vec<GridRow>,
    /// What its ends may carry; none where unknown.
    pub limits: Vec<Limit>,
}

impl Element {
    /// The first branch.
    #[must_use]
    pub fn branch(&self) -> Option<u32> {
        self.rows.iter().find_map(|row| if let GridRow::Branch(branch) = row { Some(*branch) } else { None })
    }
}

/// Taps of a transformer's winding that change the ratio, as a file states them. The winding's rated voltage goes with
/// `1 + n step exp(j angle)`, `n` positions from neutral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TapRange {
    /// Row of the branch.
    pub branch: u32,
    /// End of the branch that the winding is at.
    pub end: End,
    /// Position without effect.
    pub neutral: i32,
    /// Lowest position.
    pub min: i32,
    /// Highest position.
    pub max: i32,
    /// Position that the branch is of.
    pub position: i32,
    /// Change by a position, share of the rated voltage; may be negative.
    pub step_pu: f64,
    /// Angle of that change, radians.
    pub step_rad: f64,
}

/// What a file says of a tap changer that controls a voltage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TapRegulator {
    /// Row of the range among those of the grid.
    pub range: u32,
    /// Side of the branch whose voltage is controlled.
    pub side: End,
    /// Row of the bus whose voltage is controlled.
    pub bus: u32,
    /// Voltage wanted, per unit.
    pub vm_set_pu: f64,
    /// Width of the band around it, per unit.
    pub deadband_pu: f64,
    /// Whether it is on.
    pub is_in_service: bool,
}

/// A grid as read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedGrid {
    /// The tables. Buses that the file has no id for (open ends, star points) follow those it has.
    pub grid: Grid,
    /// Elements in the order of tables and of rows.
    pub elements: Vec<Element>,
    /// Taps that may be changed.
    pub tap_ranges: Vec<TapRange>,
    /// Tap changers that control a voltage.
    pub tap_regulators: Vec<TapRegulator>,
    /// What was left out, merged or assumed.
    pub notes: Vec<String>,
}

/// What flows into an end of a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EndFlow {
    /// Active power, watts.
    pub p_w: f64,
    /// Reactive power, var.
    pub q_var: f64,
    /// Current, amperes; nothing where there is no voltage.
    pub current_a: f64,
}

impl NamedGrid {
    /// Elements of a table.
    pub fn of_table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Element> + 'a {
        self.elements.iter().filter(move |element| element.table == table)
    }
    /// An element by table and id, looked for from the front.
    #[must_use]
    pub fn element(&self, table: &str, id: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.table == table && element.id == id)
    }
}

/// What flows into an end of a branch at the voltages last solved; NaN where the branch has no impedance.
#[must_use]
pub fn end_flow(flow: &PowerFlow, branch: u32, end: End) -> EndFlow {
    let of = flow.branch_flow(branch);
    let (p_w, q_var, bus) = match end {
        End::From => (of.p_from_w, of.q_from_var, flow.grid().branches.from[branch as usize]),
        End::To => (of.p_to_w, of.q_to_var, flow.grid().branches.to[branch as usize]),
    };
    let volts = flow.voltage(bus).norm() * flow.grid().buses.base_v[bus as usize];
    let power_va = p_w.hypot(q_var);
    let current_a = if volts > 0.0 || power_va.is_nan() { power_va / (3f64.sqrt() * volts) } else { 0.0 };
    EndFlow { p_w, q_var, current_a }
}

/// Loading of an element in percent; `None` where it has no rating, NaN where no flow follows from voltages.
#[must_use]
pub fn loading_percent(flow: &PowerFlow, element: &Element) -> Option<f64> {
    let of_limit = |limit: &Limit| {
        let at = end_flow(flow, limit.branch, limit.end);
        match limit.rating {
            Rating::CurrentA(rated_a) => at.current_a / rated_a * 100.0,
            Rating::PowerVa(rated_va) => at.p_w.hypot(at.q_var) / rated_va * 100.0,
        }
    };
    (!element.limits.is_empty()).then(|| element.limits.iter().map(of_limit).fold(f64::NAN, f64::max))
}

/// The same rating at both ends of a branch; none unless it is above zero.
pub(crate) fn both_ends(branch: u32, rating: Rating) -> Vec<Limit> {
    let (Rating::CurrentA(value) | Rating::PowerVa(value)) = rating;
    let ends = [End::From, End::To].map(|end| Limit { branch, end, rating });
    if value > 0.0 { ends.to_vec() } else { Vec::new() }
}
