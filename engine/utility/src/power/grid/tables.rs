//! What a grid is made of: five tables, a column for each property, rows in the caller's order. Rows refer to buses by
//! row. A branch is the pi model with an ideal transformer at its from end:
//!
//! ```text
//! from --(t:1)--+--[ r + jx ]--+-- to        t = ratio * exp(j shift)
//!             g+jb           g+jb
//! ```
//!
//! A load draws `P = P0 (a + b V + c V^2)` with `a + b + c = 1` at voltage `V` per unit (constant power, current,
//! impedance), and so for `Q`. Limits of reactive power are kept here and enforced by [`control`](crate::power::control).

use super::Complex;

/// Impedances smaller than this are none: their ends are one bus.
pub const ZERO_IMPEDANCE_PU: f64 = 1e-12;

/// What is given at a bus, and what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BusKind {
    /// Power is given, voltage follows.
    #[default]
    Pq,
    /// Active power and voltage magnitude are given; reactive power and angle follow.
    Pv,
    /// Voltage is given; power follows. Every island needs one.
    Slack,
}

macro_rules! table {
    ($(#[$table_doc:meta])* $table:ident, $(#[$row_doc:meta])* $row:ident { $($(#[$doc:meta])* $column:ident: $of:ty,)+ }) => {
        $(#[$row_doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $row { $($(#[$doc])* pub $column: $of,)+ }
        $(#[$table_doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $table { $($(#[$doc])* pub $column: Vec<$of>,)+ }
        impl $table {
            /// Adds a row and says which.
            pub fn push(&mut self, row: $row) -> u32 {
                $(self.$column.push(row.$column);)+
                self.len() as u32 - 1
            }
            /// Number of rows.
            #[must_use]
            pub fn len(&self) -> usize {
                self.is_in_service.len()
            }
            /// Whether there are none.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
            /// A row.
            #[must_use]
            pub fn row(&self, row: usize) -> $row {
                $row { $($column: self.$column[row].clone(),)+ }
            }
        }
    };
}

pub(in crate::power) use table;

table! {
    /// Buses.
    Buses,
    /// A bus.
    Bus {
        /// Name outside.
        id: String,
        /// What is given here.
        kind: BusKind,
        /// Nominal voltage, volts between phases; 0 where unknown, which nothing but [`Branch::line`] minds.
        base_v: f64,
        /// Voltage of a slack bus without a generator, per unit; elsewhere a guess, with which a solve may begin.
        vm_pu: f64,
        /// Angle of a slack bus, radians; elsewhere a guess.
        va_rad: f64,
        /// Whether it takes part.
        is_in_service: bool,
    }
}

table! {
    /// Branches: lines, cables, transformers, switches.
    Branches,
    /// A branch.
    Branch {
        /// Bus of the from end, where the transformer is.
        from: u32,
        /// Bus of the to end.
        to: u32,
        /// Series resistance, per unit.
        r_pu: f64,
        /// Series reactance, per unit. With none and no resistance, a closed branch makes one bus of its ends.
        x_pu: f64,
        /// Shunt conductance at the from end, inside of the transformer, per unit.
        g_from_pu: f64,
        /// Shunt susceptance at the from end, per unit.
        b_from_pu: f64,
        /// Shunt conductance at the to end, per unit.
        g_to_pu: f64,
        /// Shunt susceptance at the to end, per unit.
        b_to_pu: f64,
        /// Ratio of the transformer, from over to, per unit; 1 for lines.
        ratio: f64,
        /// Angle by which the from end leads, radians.
        shift_rad: f64,
        /// Apparent power that it may carry, VA; 0 where unknown.
        rating_va: f64,
        /// Whether it is closed.
        is_in_service: bool,
        /// Whether it may close later although it is open: its place is kept in the matrices, so that closing it
        /// costs no analysis. It joins what are otherwise independent parts.
        can_close: bool,
    }
}

table! {
    /// Shunts: capacitors, reactors, iron losses.
    Shunts,
    /// A shunt.
    Shunt {
        /// Bus.
        bus: u32,
        /// Active power drawn at 1 per unit, watts.
        p_w: f64,
        /// Reactive power fed in at 1 per unit (capacitors: positive), var.
        q_var: f64,
        /// Whether it is on.
        is_in_service: bool,
    }
}

table! {
    /// Loads.
    Loads,
    /// A load.
    Load {
        /// Bus.
        bus: u32,
        /// Active power drawn at 1 per unit, watts; negative where it feeds in.
        p_w: f64,
        /// Reactive power drawn at 1 per unit, var.
        q_var: f64,
        /// Share of it that draws constant current.
        current_share: f64,
        /// Share of it that is a constant impedance. The rest draws constant power.
        impedance_share: f64,
        /// Whether it is on.
        is_in_service: bool,
    }
}

table! {
    /// Generators.
    Generators,
    /// A generator. At PV buses it holds the voltage, at slack buses it states it, at PQ buses it feeds in as told.
    Generator {
        /// Bus.
        bus: u32,
        /// Active power fed in, watts; follows at slack buses.
        p_w: f64,
        /// Reactive power fed in, var; counts at PQ buses alone.
        q_var: f64,
        /// Voltage that it holds, per unit.
        vm_set_pu: f64,
        /// Least reactive power, var.
        q_min_var: f64,
        /// Most reactive power, var.
        q_max_var: f64,
        /// Whether it runs.
        is_in_service: bool,
    }
}

/// A grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Power of one per unit, VA.
    pub base_va: f64,
    /// Buses.
    pub buses: Buses,
    /// Branches.
    pub branches: Branches,
    /// Shunts.
    pub shunts: Shunts,
    /// Loads.
    pub loads: Loads,
    /// Generators.
    pub generators: Generators,
}

impl Grid {
    /// An empty grid on a base power.
    #[must_use]
    pub fn new(base_va: f64) -> Self {
        Self { base_va, ..Self::default() }
    }
}

impl Bus {
    /// A bus where power is given.
    #[must_use]
    pub fn pq(id: impl Into<String>, base_v: f64) -> Self {
        Self { id: id.into(), kind: BusKind::Pq, base_v, vm_pu: 1.0, va_rad: 0.0, is_in_service: true }
    }
    /// A bus whose voltage is given.
    #[must_use]
    pub fn slack(id: impl Into<String>, base_v: f64, vm_pu: f64) -> Self {
        Self { kind: BusKind::Slack, vm_pu, ..Self::pq(id, base_v) }
    }
}

impl Branch {
    /// A closed line of per-unit impedance, without shunts.
    #[must_use]
    pub fn series(from: u32, to: u32, r_pu: f64, x_pu: f64) -> Self {
        Self {
            from,
            to,
            r_pu,
            x_pu,
            g_from_pu: 0.0,
            b_from_pu: 0.0,
            g_to_pu: 0.0,
            b_to_pu: 0.0,
            ratio: 1.0,
            shift_rad: 0.0,
            rating_va: 0.0,
            is_in_service: true,
            can_close: false,
        }
    }
    /// A line or cable in ohms, with its whole charging susceptance in siemens, at a nominal voltage.
    #[must_use]
    pub fn line(from: u32, to: u32, impedance_ohm: (f64, f64), charging_s: f64, base_v: f64, base_va: f64) -> Self {
        let base_ohm = base_v * base_v / base_va;
        let half_pu = 0.5 * charging_s * base_ohm;
        let series = Self::series(from, to, impedance_ohm.0 / base_ohm, impedance_ohm.1 / base_ohm);
        Self { b_from_pu: half_pu, b_to_pu: half_pu, ..series }
    }
    /// Whether its ends are one bus while it is closed.
    #[must_use]
    pub fn has_no_impedance(&self) -> bool {
        self.r_pu.hypot(self.x_pu) < ZERO_IMPEDANCE_PU
    }
    /// Admittances `[from-from, from-to, to-from, to-to]` of the two ends, per unit: current into the branch at an
    /// end from the voltages of both. Of one without impedance, its shunts alone.
    #[must_use]
    pub fn admittances(&self) -> [Complex; 4] {
        let zero = Complex::new(0.0, 0.0);
        let series = if self.has_no_impedance() { zero } else { Complex::new(self.r_pu, self.x_pu).inv() };
        let at_from = Complex::new(self.g_from_pu, self.b_from_pu);
        let at_to = Complex::new(self.g_to_pu, self.b_to_pu);
        let tap = Complex::from_polar(self.ratio, self.shift_rad);
        [(series + at_from) / (self.ratio * self.ratio), -series / tap.conj(), -series / tap, series + at_to]
    }
}
