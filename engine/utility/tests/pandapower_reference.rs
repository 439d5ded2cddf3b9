//! Nets of pandapower read from its JSON and solved as it solves them: voltages of every bus, loading of every line and
//! transformer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use urbis_utility::power::elements::{NamedGrid, loading_percent};
use urbis_utility::power::{Method, NewtonSettings, PowerFlow, Start, pandapower};

/// A column of a table of results by index; nothing where the table is not there.
fn column(folder: &Path, table: &str, name: &str) -> BTreeMap<String, f64> {
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{table}.csv"))) else { return BTreeMap::new() };
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let Some(at) = header.iter().position(|column| *column == name) else { return BTreeMap::new() };
    let value = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Some((cells[0].to_owned(), cells[at].parse().ok()?))
    };
    lines.filter_map(value).collect()
}

/// Folders with a net and its results: those beside the tests, those of the shared folder.
fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![here.join("tests/data/pandapower_2"), here.join("tests/data/pandapower_3")];
    let shared = std::env::var_os("URBIS_SHARED").map_or_else(|| here.join("../../../shared"), PathBuf::from);
    let power = shared.join("reference/utility/power");
    match std::fs::read_dir(&power) {
        Ok(entries) => all.extend(entries.flatten().map(|entry| entry.path())),
        #[allow(clippy::print_stderr)] // a test says what it skips
        Err(_) => eprintln!("skipped: no {}; set URBIS_SHARED", power.display()),
    }
    all.retain(|folder| folder.join("net.json.gz").is_file());
    all.sort();
    all
}

/// Largest difference of the loading of a table's elements, percentage points, and how many were compared.
fn loading_off(folder: &Path, net: &NamedGrid, flow: &PowerFlow, table: &str) -> (f64, usize) {
    let wanted = column(folder, &format!("res_{table}"), "loading_percent");
    let (mut off, mut count) = (0.0_f64, 0);
    for element in net.of_table(table) {
        let (Some(&wanted), Some(found)) = (wanted.get(&element.id), loading_percent(flow, element)) else { continue };
        off = off.max((found - wanted).abs());
        count += 1;
    }
    (off, count)
}

#[test]
#[allow(clippy::print_stdout)] // a test prints what it found
fn voltages_and_loadings_are_those_of_pandapower() {
    let folders = folders();
    assert!(folders.len() >= 2);
    for folder in folders {
        let net = pandapower::read(&folder.join("net.json.gz")).expect("a net");
        let mut flow = PowerFlow::new(net.grid.clone()).expect("a grid");
        let settings = NewtonSettings { start: Start::Dc, ..NewtonSettings::default() };
        let outcome = flow.solve(Method::Newton, &settings);
        assert!(outcome.is_converged, "{}: {outcome:?}", folder.display());
        let (magnitude, angle) = (column(&folder, "res_bus", "vm_pu"), column(&folder, "res_bus", "va_degree"));
        let (mut off_pu, mut off_deg, mut count) = (0.0_f64, 0.0_f64, 0);
        for (bus, id) in flow.grid().buses.id.iter().enumerate() {
            let (Some(vm_pu), Some(va_deg)) = (magnitude.get(id), angle.get(id)) else { continue };
            let v = flow.voltage(bus as u32);
            let turn = (v.arg().to_degrees() - va_deg).rem_euclid(360.0);
            off_pu = off_pu.max((v.norm() - vm_pu).abs());
            off_deg = off_deg.max(turn.min(360.0 - turn));
            count += 1;
        }
        let lines = loading_off(&folder, &net, &flow, "line");
        let (two, three) = (loading_off(&folder, &net, &flow, "trafo"), loading_off(&folder, &net, &flow, "trafo3w"));
        println!(
            "{}: {count} buses within {off_pu:.1e} pu and {off_deg:.1e} deg, loading of {} lines within {:.1e}, {} and {} transformers within {:.1e} and {:.1e}",
            folder.file_name().unwrap().to_string_lossy(),
            lines.1,
            lines.0,
            two.1,
            three.1,
            two.0,
            three.0
        );
        assert!(count > 0 && lines.1 > 0);
        assert!(off_pu < 1e-9 && off_deg < 1e-7, "{}", folder.display());
        assert!(lines.0 < 1e-5 && two.0 < 1e-5 && three.0 < 1e-5, "{}", folder.display());
    }
}
