//! Grids as a folder of tables, each as CSV (`.csv`, `.csv.gz`) or (Geo)Parquet (`.parquet`), in the manner of GMNS: ids
//! that refer to one another, units in the names of columns, coordinates and shapes for maps (WKT, in Parquet WKB too).
//! The table `bus` must be there. Columns with a star are needed:
//!
//! | table | columns |
//! | --- | --- |
//! | `bus` | `bus_id`*, `base_kv`*, `kind` (pq, pv, slack; pq), `vm_pu` (1), `va_deg` (0), `is_in_service` (true), `x_coord` and `y_coord`, or a point as `geometry` |
//! | `line` | `line_id`*, `from_bus_id`*, `to_bus_id`*, `r_ohm`*, `x_ohm`*, `c_nf` or `b_us` (0), `g_us` (0), `rating_a`, `is_closed` (true), `geometry` |
//! | `transformer` | `transformer_id`*, `from_bus_id`*, `to_bus_id`*, `rated_kva`*, `from_kv`*, `to_kv`*, `vk_percent`*, `vkr_percent`*, `iron_loss_kw` (0), `no_load_percent` (0), `shift_deg` (0), `tap_ratio` (1), `is_closed` (true), `geometry` |
//! | `load` | `load_id`*, `bus_id`*, `p_kw`*, `q_kvar`*, `current_percent` (0), `impedance_percent` (0), `is_on` (true) |
//! | `generator` | `generator_id`*, `bus_id`*, `p_kw`*, `q_kvar` (0), `vm_pu` (that of its bus), `q_min_kvar`, `q_max_kvar`, `is_on` (true) |
//! | `shunt` | `shunt_id`*, `bus_id`*, `p_kw` (0, drawn), `q_kvar`* (fed in), both at nominal voltage, `is_on` (true) |
//! | `switch` | `switch_id`*, `from_bus_id`*, `to_bus_id`*, `is_closed`*, `geometry` |
//!
//! Every table may have a `name`. Ohms, farads and siemens are those of the whole line. A transformer is a pi with half
//! of its magnetising at each end, on its rated voltages; `tap_ratio` multiplies that of the from side, which `shift_deg`
//! says to lead. A closed switch makes one bus of its ends. Columns of other names are named in the notes.
//!
//! Contract: a pure function of the files; never panics.

use super::elements::{Element, GridRow, NamedGrid, Rating, both_ends};
use super::grid::{Branch, Bus, BusKind, Generator, Grid, Load, Shunt};
use super::pgm::Windings;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::shape::point_of_wkt;
use urbis_city::table::{Column, Row, Table};
use urbis_core::diagnostics::{PROBLEMS_KEPT, did_you_mean};
use urbis_core::{Problem, Problems, Result};

/// Power of one per unit, VA.
const BASE_VA: f64 = 1e6;
/// Buses among which a name that is none of theirs is looked for.
const BUSES_COMPARED: usize = 20_000;

/// A grid with what maps need.
#[derive(Clone, Debug, PartialEq)]
pub struct GridTables {
    /// The grid and its elements; tables are called as the files without ending.
    pub named: NamedGrid,
    /// Place of each bus, x and y as the table has them: its coordinates, or else its point.
    pub bus_place: Vec<Option<[f64; 2]>>,
    /// WKT of each branch as written; empty where there is none.
    pub branch_wkt: Vec<String>,
}

/// Reads a folder. `frequency_hz` turns the capacitance of lines into susceptance.
///
/// # Errors
/// [`urbis_core::Error::Read`] when a file cannot be read; [`urbis_core::Error::Input`] with every problem found, each
/// with file, row and id.
pub fn read(folder: &Path, frequency_hz: f64) -> Result<GridTables> {
    let mut tables = BTreeMap::new();
    let mut problems = Problems::new();
    for (name, id, _) in TABLES {
        match Table::find_any(folder, name) {
            Ok(Some(table)) => drop(tables.insert(name, table.with_id(id))),
            Ok(None) => {}
            Err(urbis_core::Error::Input(others)) => problems.extend(others),
            Err(other) => return Err(other),
        }
    }
    if problems.is_empty() && !tables.contains_key("bus") {
        problems.push(Problem::file(
            &folder.join("bus.csv"),
            "is missing, expected the table of buses, here or as bus.parquet",
        ));
    }
    problems.or_else(())?;
    of_tables(&tables, frequency_hz)
}

/// Tables, the column of their ids, and the columns that are understood beside it and `name`.
const TABLES: [(&str, &str, &[&str]); 7] = [
    ("bus", "bus_id", &["base_kv", "kind", "vm_pu", "va_deg", "is_in_service", "x_coord", "y_coord", "geometry"]),
    (
        "line",
        "line_id",
        &["from_bus_id", "to_bus_id", "r_ohm", "x_ohm", "c_nf", "b_us", "g_us", "rating_a", "is_closed", "geometry"],
    ),
    (
        "transformer",
        "transformer_id",
        &[
            "from_bus_id",
            "to_bus_id",
            "rated_kva",
            "from_kv",
            "to_kv",
            "vk_percent",
            "vkr_percent",
            "iron_loss_kw",
            "no_load_percent",
            "shift_deg",
            "tap_ratio",
            "is_closed",
            "geometry",
        ],
    ),
    ("load", "load_id", &["bus_id", "p_kw", "q_kvar", "current_percent", "impedance_percent", "is_on"]),
    ("generator", "generator_id", &["bus_id", "p_kw", "q_kvar", "vm_pu", "q_min_kvar", "q_max_kvar", "is_on"]),
    ("shunt", "shunt_id", &["bus_id", "p_kw", "q_kvar", "is_on"]),
    ("switch", "switch_id", &["from_bus_id", "to_bus_id", "is_closed", "geometry"]),
];

fn of_tables(tables: &BTreeMap<&str, Table>, frequency_hz: f64) -> Result<GridTables> {
    let mut builder = Builder {
        grid: Grid::new(BASE_VA),
        elements: Vec::new(),
        bus_place: Vec::new(),
        branch_wkt: Vec::new(),
        bus_file: tables.get("bus").map_or_else(String::new, file_of),
        buses: BTreeMap::new(),
        frequency_hz,
        problems: Problems::new(),
    };
    let mut notes = Vec::new();
    let steps: [fn(&mut Builder, &Cells<'_>); 7] = [
        Builder::bus,
        Builder::line,
        Builder::transformer,
        Builder::load,
        Builder::generator,
        Builder::shunt,
        Builder::switch,
    ];
    for ((name, id, columns), step) in TABLES.into_iter().zip(steps) {
        let Some(table) = tables.get(name) else { continue };
        let is_known =
            |column: &str| ["name", id].iter().chain(columns).any(|known| known.eq_ignore_ascii_case(column));
        let others: Vec<&str> = table.header().iter().map(String::as_str).filter(|column| !is_known(column)).collect();
        if !others.is_empty() {
            notes.push(format!("{}: columns left out: {}", file_of(table), others.join(", ")));
        }
        let Some(id) = table.required(id, &mut builder.problems) else { continue };
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for row in table.rows() {
            if let Some(text) = row.required_text(id, &mut builder.problems)
                && let Some(before) = first.insert(text, row.number())
            {
                let expected = format!("an id that row {before} does not have already");
                builder.problems.push(row.problem(id, expected));
            }
        }
        let needed = needed(name).iter().map(|column| table.required(column, &mut builder.problems));
        if needed.collect::<Vec<_>>().iter().all(Option::is_some) {
            for row in table.rows() {
                step(&mut builder, &Cells { name, table, row, id: row.text(id) });
            }
        }
    }
    let of = &builder.grid.buses;
    let has_slack = of.kind.iter().zip(&of.is_in_service).any(|(kind, on)| *kind == BusKind::Slack && *on);
    if builder.problems.is_empty() && !has_slack {
        let path = tables.get("bus").map_or(Path::new("bus.csv"), Table::path);
        builder.problems.push(Problem::file(path, "no bus in service is of kind slack, expected at least one"));
    }
    let Builder { grid, elements, bus_place, branch_wkt, problems, .. } = builder;
    problems.or_else(GridTables {
        named: NamedGrid { grid, elements, tap_ranges: Vec::new(), tap_regulators: Vec::new(), notes },
        bus_place,
        branch_wkt,
    })
}

/// Name of a table's file.
fn file_of(table: &Table) -> String {
    table.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Columns that a table must have beside its id.
fn needed(table: &str) -> &'static [&'static str] {
    match table {
        "bus" => &["base_kv"],
        "line" => &["from_bus_id", "to_bus_id", "r_ohm", "x_ohm"],
        "transformer" => &["from_bus_id", "to_bus_id", "rated_kva", "from_kv", "to_kv", "vk_percent", "vkr_percent"],
        "load" => &["bus_id", "p_kw", "q_kvar"],
        "generator" => &["bus_id", "p_kw"],
        "shunt" => &["bus_id", "q_kvar"],
        _ => &["from_bus_id", "to_bus_id", "is_closed"],
    }
}

/// A row of a table.
struct Cells<'a> {
    name: &'static str,
    table: &'a Table,
    row: Row<'a>,
    id: &'a str,
}

impl Cells<'_> {
    /// The column, where the row has a value in it.
    fn there(&self, column: &str) -> Option<Column> {
        self.table.optional(column).filter(|column| !self.row.text(*column).is_empty())
    }
    /// A number that passes; NaN with a problem where it does not, `default` where it is blank.
    fn or(
        &self,
        column: &str,
        default: f64,
        problems: &mut Problems,
        expected: &str,
        accept: impl Fn(f64) -> bool,
    ) -> f64 {
        self.there(column)
            .map_or(default, |at| self.row.number_where(at, problems, expected, accept).unwrap_or(f64::NAN))
    }
    fn any_or(&self, column: &str, default: f64, problems: &mut Problems) -> f64 {
        self.or(column, default, problems, "", |_| true)
    }
    /// A number that must be there and pass.
    fn number(&self, column: &str, problems: &mut Problems, expected: &str, accept: impl Fn(f64) -> bool) -> f64 {
        let Some(at) = self.table.optional(column) else { return f64::NAN };
        self.row.number_where(at, problems, expected, accept).unwrap_or(f64::NAN)
    }
    fn any(&self, column: &str, problems: &mut Problems) -> f64 {
        self.number(column, problems, "", |_| true)
    }
    fn positive(&self, column: &str, problems: &mut Problems) -> f64 {
        self.number(column, problems, "> 0", |value| value > 0.0)
    }
    fn flag(&self, column: &str, problems: &mut Problems) -> bool {
        self.there(column).is_none_or(|at| self.row.flag(at, problems).unwrap_or(true))
    }
}

struct Builder {
    grid: Grid,
    elements: Vec<Element>,
    bus_place: Vec<Option<[f64; 2]>>,
    branch_wkt: Vec<String>,
    /// Name of the file of buses.
    bus_file: String,
    buses: BTreeMap<String, u32>,
    frequency_hz: f64,
    problems: Problems,
}

impl Builder {
    fn element(&mut self, cells: &Cells<'_>, row: GridRow) {
        let name = cells.there("name").map_or("", |at| cells.row.text(at)).to_owned();
        let (table, id) = (cells.name, cells.id.to_owned());
        self.elements.push(Element { table, id, name, rows: vec![row], limits: Vec::new() });
    }
    fn bus_of(&mut self, cells: &Cells<'_>, column: &str) -> Option<u32> {
        let at = cells.table.optional(column)?;
        let id = cells.row.text(at);
        let found = self.buses.get(id).copied();
        if found.is_none() {
            let mut problem = cells.row.problem(at, format!("the bus_id of a row of {}", self.bus_file));
            let is_worth_it = self.buses.len() <= BUSES_COMPARED && self.problems.len() < PROBLEMS_KEPT;
            if let Some(near) = is_worth_it.then(|| did_you_mean(id, self.buses.keys().map(String::as_str))).flatten() {
                problem = problem.with_help(format_args!("did you mean `{near}`?"));
            }
            self.problems.push(problem);
        }
        found
    }
    /// Buses of a branch, which must differ.
    fn ends(&mut self, cells: &Cells<'_>) -> Option<(u32, u32)> {
        let (from, to) = (self.bus_of(cells, "from_bus_id"), self.bus_of(cells, "to_bus_id"));
        let (from, to) = (from?, to?);
        if from == to
            && let Some(at) = cells.table.optional("to_bus_id")
        {
            self.problems.push(cells.row.problem(at, "another bus than from_bus_id"));
        }
        Some((from, to))
    }
    fn push_branch(&mut self, cells: &Cells<'_>, branch: Branch, rating: Rating) {
        let row = self.grid.branches.push(branch);
        let geometry = cells.there("geometry").map_or("", |at| cells.row.text(at));
        self.branch_wkt.push(geometry.to_owned());
        self.element(cells, GridRow::Branch(row));
        if let Some(element) = self.elements.last_mut() {
            element.limits = both_ends(row, rating);
        }
    }
    fn base_v(&self, bus: u32) -> f64 {
        self.grid.buses.base_v[bus as usize]
    }

    fn bus(&mut self, cells: &Cells<'_>) {
        let problems = &mut self.problems;
        let base_v = cells.positive("base_kv", problems) * 1e3;
        let kinds = [("pq", BusKind::Pq), ("pv", BusKind::Pv), ("slack", BusKind::Slack)];
        let kind = cells.there("kind").map_or(Some(BusKind::Pq), |at| cells.row.one_of(at, problems, &kinds));
        let vm_pu = cells.or("vm_pu", 1.0, problems, "> 0", |vm| vm > 0.0);
        let va_rad = cells.any_or("va_deg", 0.0, problems).to_radians();
        let is_in_service = cells.flag("is_in_service", problems);
        let [x, y] = ["x_coord", "y_coord"].map(|column| cells.any_or(column, f64::NAN, problems));
        let has_none = ["x_coord", "y_coord"].iter().all(|column| cells.there(column).is_none());
        let point = cells.there("geometry").filter(|_| has_none).and_then(|at| {
            let point = point_of_wkt(cells.row.text(at));
            if point.is_none() {
                problems.push(cells.row.problem(at, "a point, as POINT(7.5 48.1)"));
            }
            point
        });
        self.bus_place.push((x.is_finite() && y.is_finite()).then_some([x, y]).or(point));
        let kind = kind.unwrap_or_default();
        let bus = self.grid.buses.push(Bus { id: cells.id.to_owned(), kind, base_v, vm_pu, va_rad, is_in_service });
        self.buses.entry(cells.id.to_owned()).or_insert(bus);
        self.element(cells, GridRow::Bus(bus));
    }
    fn line(&mut self, cells: &Cells<'_>) {
        let ends = self.ends(cells);
        let problems = &mut self.problems;
        let (r_ohm, x_ohm) = (cells.any("r_ohm", problems), cells.any("x_ohm", problems));
        let b_of_c_s = cells.any_or("c_nf", 0.0, problems) * 1e-9 * 2.0 * std::f64::consts::PI * self.frequency_hz;
        let b_s = cells.any_or("b_us", 0.0, problems) * 1e-6;
        if let (Some(_), Some(at)) = (cells.there("c_nf"), cells.there("b_us")) {
            problems.push(cells.row.problem(at, "no value beside c_nf"));
        }
        let g_s = cells.any_or("g_us", 0.0, problems) * 1e-6;
        let rated_a = cells.or("rating_a", f64::NAN, problems, "> 0", |rated| rated > 0.0);
        let is_in_service = cells.flag("is_closed", problems);
        let Some((from, to)) = ends else { return };
        let base_v = self.base_v(from);
        if (base_v - self.base_v(to)).abs() > 1e-6 * base_v
            && let Some(at) = cells.table.optional("to_bus_id")
        {
            let expected = format!("a bus of base_kv = {} as from_bus_id, or a transformer", base_v / 1e3);
            self.problems.push(cells.row.problem(at, expected));
        }
        let half_g_pu = 0.5 * g_s * base_v * base_v / BASE_VA;
        let rating_va = if rated_a > 0.0 { 3f64.sqrt() * base_v * rated_a } else { 0.0 };
        let line = Branch::line(from, to, (r_ohm, x_ohm), b_s + b_of_c_s, base_v, BASE_VA);
        let line = Branch { g_from_pu: half_g_pu, g_to_pu: half_g_pu, rating_va, is_in_service, ..line };
        self.push_branch(cells, line, Rating::CurrentA(rated_a));
    }
    fn transformer(&mut self, cells: &Cells<'_>) {
        let ends = self.ends(cells);
        let problems = &mut self.problems;
        let sn_va = cells.positive("rated_kva", problems) * 1e3;
        let tap_ratio = cells.or("tap_ratio", 1.0, problems, "> 0", |ratio| ratio > 0.0);
        let vk_percent = cells.positive("vk_percent", problems);
        let at_most = format!(">= 0 and at most vk_percent = {vk_percent}");
        let vkr_percent = cells
            .number("vkr_percent", problems, &at_most, |vkr| vkr >= 0.0 && (vk_percent.is_nan() || vkr <= vk_percent));
        let windings = Windings {
            u1_v: cells.positive("from_kv", problems) * 1e3 * tap_ratio,
            u2_v: cells.positive("to_kv", problems) * 1e3,
            sn_va,
            uk: vk_percent / 100.0,
            pk_w: vkr_percent / 100.0 * sn_va,
            i0: cells.or("no_load_percent", 0.0, problems, ">= 0", |i0| i0 >= 0.0) / 100.0,
            p0_w: cells.or("iron_loss_kw", 0.0, problems, ">= 0", |p0| p0 >= 0.0) * 1e3,
            clock: cells.any_or("shift_deg", 0.0, problems) / 30.0,
        };
        let is_in_service = cells.flag("is_closed", problems);
        let Some((from, to)) = ends else { return };
        let branch = windings.branch((from, self.base_v(from)), (to, self.base_v(to)));
        self.push_branch(cells, Branch { is_in_service, ..branch }, Rating::PowerVa(sn_va));
    }
    fn load(&mut self, cells: &Cells<'_>) {
        let bus = self.bus_of(cells, "bus_id");
        let problems = &mut self.problems;
        let (p_w, q_var) = (cells.any("p_kw", problems) * 1e3, cells.any("q_kvar", problems) * 1e3);
        let [current_share, impedance_share] = ["current_percent", "impedance_percent"]
            .map(|column| cells.or(column, 0.0, problems, "0..100", |p| (0.0..=100.0).contains(&p)) / 100.0);
        if let (true, Some(at)) = (current_share + impedance_share > 1.0 + 1e-12, cells.there("impedance_percent")) {
            problems.push(cells.row.problem(at, "at most 100 together with current_percent"));
        }
        let is_in_service = cells.flag("is_on", problems);
        let Some(bus) = bus else { return };
        let load = Load { bus, p_w, q_var, current_share, impedance_share, is_in_service };
        let load = self.grid.loads.push(load);
        self.element(cells, GridRow::Load(load));
    }
    fn generator(&mut self, cells: &Cells<'_>) {
        let bus = self.bus_of(cells, "bus_id");
        let problems = &mut self.problems;
        let (p_w, q_var) = (cells.any("p_kw", problems) * 1e3, cells.any_or("q_kvar", 0.0, problems) * 1e3);
        let vm_pu = cells.or("vm_pu", f64::NAN, problems, "> 0", |vm| vm > 0.0);
        let q_min_var = cells.any_or("q_min_kvar", f64::NEG_INFINITY, problems) * 1e3;
        let q_max_var = cells.any_or("q_max_kvar", f64::INFINITY, problems) * 1e3;
        let is_in_service = cells.flag("is_on", problems);
        let Some(bus) = bus else { return };
        let vm_set_pu = if vm_pu.is_nan() { self.grid.buses.vm_pu[bus as usize] } else { vm_pu };
        let generator = Generator { bus, p_w, q_var, vm_set_pu, q_min_var, q_max_var, is_in_service };
        let generator = self.grid.generators.push(generator);
        self.element(cells, GridRow::Generator(generator));
    }
    fn shunt(&mut self, cells: &Cells<'_>) {
        let bus = self.bus_of(cells, "bus_id");
        let problems = &mut self.problems;
        let (p_w, q_var) = (cells.any_or("p_kw", 0.0, problems) * 1e3, cells.any("q_kvar", problems) * 1e3);
        let is_in_service = cells.flag("is_on", problems);
        let Some(bus) = bus else { return };
        let shunt = self.grid.shunts.push(Shunt { bus, p_w, q_var, is_in_service });
        self.element(cells, GridRow::Shunt(shunt));
    }
    fn switch(&mut self, cells: &Cells<'_>) {
        let ends = self.ends(cells);
        let is_closed = match cells.table.optional("is_closed") {
            Some(at) => cells.row.flag(at, &mut self.problems).unwrap_or(true),
            None => true,
        };
        if let Some((from, to)) = ends {
            let switch = Branch { is_in_service: is_closed, ..Branch::series(from, to, 0.0, 0.0) };
            self.push_branch(cells, switch, Rating::CurrentA(f64::NAN));
        }
    }
}

#[cfg(test)]
#[path = "grid_tables_tests.rs"]
mod tests;
