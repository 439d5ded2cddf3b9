//! Snapshots of the European low-voltage feeder in pandapower's tables: those beside the tests with solutions to the end,
//! and those of the shared folder, where it is there, with solutions as released (see `tests/data/README.md`).
#![allow(dead_code)] // every test file uses its share

#[path = "shared.rs"]
pub(crate) mod shared;

use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use urbis_utility::power::grid::Complex;
use urbis_utility::power::three_phase::{
    PhaseBus, PhaseGrid, PhaseLine, PhaseLoad, PhaseSource, PhaseTransformer, SequenceLine, VectorGroup,
};

/// Base power of all phases, VA.
pub(crate) const BASE_VA: f64 = 3e6;

/// A snapshot and its solution.
pub(crate) struct Snapshot {
    pub(crate) name: String,
    /// How far its solution may be off, per unit.
    pub(crate) within_pu: f64,
    pub(crate) grid: PhaseGrid,
    /// Bus and voltages of its phases.
    pub(crate) voltages: Vec<(String, [Complex; 3])>,
    /// Unbalance in percent, by bus.
    pub(crate) unbalance_pct: Vec<f64>,
}

type Row = BTreeMap<String, String>;

fn table(folder: &Path, name: &str) -> Vec<Row> {
    let text = text_of(&folder.join(format!("{name}.csv"))).unwrap_or_else(|| panic!("{name} of {}", folder.display()));
    let mut lines = text.lines().map(cells);
    let head = lines.next().expect("a header");
    lines.map(|cells| head.iter().cloned().zip(cells).collect()).collect()
}

/// Cells of a line, quotes kept together.
fn cells(line: &str) -> Vec<String> {
    let (mut all, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => all.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    all.push(cell);
    all
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} = {}", row[column]))
}

/// Of a folder with loads and solution, and one with the grid.
fn load(folder: &Path, of_grid: &Path, within_pu: f64) -> Snapshot {
    let mut grid = PhaseGrid::new(BASE_VA);
    let mut row_of: BTreeMap<String, u32> = BTreeMap::new();
    for row in table(of_grid, "in_bus") {
        row_of.insert(row["idx"].clone(), grid.buses.len() as u32);
        grid.buses.push(PhaseBus::new(row["idx"].clone(), 1e3 * number(&row, "vn_kv")));
    }
    for row in table(of_grid, "in_line") {
        let length = number(&row, "length_km") / number(&row, "parallel");
        let line = SequenceLine {
            r_ohm: number(&row, "r_ohm_per_km") * length,
            x_ohm: number(&row, "x_ohm_per_km") * length,
            c_f: number(&row, "c_nf_per_km") * 1e-9 * length,
            g_s: number(&row, "g_us_per_km") * 1e-6 * length,
            r0_ohm: number(&row, "r0_ohm_per_km") * length,
            x0_ohm: number(&row, "x0_ohm_per_km") * length,
            c0_f: number(&row, "c0_nf_per_km") * 1e-9 * length,
        };
        let (from, to) = (row_of[&row["from_bus"]], row_of[&row["to_bus"]]);
        grid.lines.push(PhaseLine::symmetric(from, to, &line, 50.0));
    }
    for row in table(folder, "in_trafo") {
        assert_eq!(row["vector_group"], "Dyn");
        let rated_v = (1e3 * number(&row, "vn_hv_kv"), 1e3 * number(&row, "vn_lv_kv"));
        let vk = (0.01 * number(&row, "vk_percent"), 0.01 * number(&row, "vkr_percent"));
        let (hv, lv) = (row_of[&row["hv_bus"]], row_of[&row["lv_bus"]]);
        let rated_va = 1e6 * number(&row, "sn_mva");
        grid.transformers.push(PhaseTransformer {
            shift_rad: number(&row, "shift_degree").to_radians(),
            iron_w: 1e3 * number(&row, "pfe_kw"),
            i0: 0.01 * number(&row, "i0_percent"),
            vk0: 0.01 * number(&row, "vk0_percent"),
            vkr0: 0.01 * number(&row, "vkr0_percent"),
            mag0: 0.01 * number(&row, "mag0_percent"),
            mag0_rx: number(&row, "mag0_rx"),
            si0_hv_share: number(&row, "si0_hv_partial"),
            ..PhaseTransformer::new(hv, lv, VectorGroup::Dyn, rated_va, rated_v, vk)
        });
    }
    for row in table(of_grid, "in_ext_grid") {
        grid.sources.push(PhaseSource {
            va_rad: number(&row, "va_degree").to_radians(),
            rx: number(&row, "rx_max"),
            x0x: number(&row, "x0x_max"),
            r0x0: number(&row, "r0x0_max"),
            ..PhaseSource::short_circuit(row_of[&row["bus"]], number(&row, "vm_pu"), 1e6 * number(&row, "s_sc_max_mva"))
        });
    }
    for row in table(folder, "in_asymmetric_load") {
        assert_eq!(row["type"], "wye");
        let scaling = 1e6 * number(&row, "scaling");
        let power = |phase: &str| {
            let part = |column: String| scaling * number(&row, &column);
            Complex::new(part(format!("p_{phase}_mw")), part(format!("q_{phase}_mvar")))
        };
        grid.loads.push(PhaseLoad::wye(row_of[&row["bus"]], [power("a"), power("b"), power("c")]));
    }
    let results = table(folder, "res_bus_3ph");
    let voltage = |row: &Row, phase: &str| {
        let angle = number(row, &format!("va_{phase}_degree")).to_radians();
        Complex::from_polar(number(row, &format!("vm_{phase}_pu")), angle)
    };
    let voltages =
        results.iter().map(|row| (row["idx"].clone(), [voltage(row, "a"), voltage(row, "b"), voltage(row, "c")]));
    Snapshot {
        name: folder.file_name().expect("a folder").to_string_lossy().into_owned(),
        voltages: voltages.collect(),
        within_pu,
        unbalance_pct: results.iter().map(|row| number(row, "unbalance_percent")).collect(),
        grid,
    }
}

fn text_of(path: &Path) -> Option<String> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return Some(text);
    }
    let zipped = std::fs::File::open(path.with_extension("csv.gz")).ok()?;
    let mut text = String::new();
    GzDecoder::new(zipped).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Snapshots beside the tests.
pub(crate) fn beside_the_tests() -> Vec<Snapshot> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ieee_eulv");
    let names = ["on_peak_566", "off_peak_1", "off_peak_1440"];
    names.iter().map(|name| load(&data.join(name), &data, 5e-9)).collect()
}

/// Snapshots beside the tests, then those of the shared folder.
pub(crate) fn snapshots() -> Vec<Snapshot> {
    let mut all = beside_the_tests();
    all.extend(shared::folders("power_3ph").iter().map(|folder| load(folder, folder, 1e-5)));
    all
}
