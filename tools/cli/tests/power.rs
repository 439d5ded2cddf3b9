//! `urbis power` from outside: files in, files out, exit codes; a published feeder, and one small enough for pencil and paper.

mod common;

use common::{Ended, folder, urbis};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

/// A source, two lines in a row with a load each, and a spare line that is open.
const FEEDER: &str = "function mpc = feeder
mpc.version = '2';
mpc.baseMVA = 1;
mpc.bus = [
  1 3 0   0   0 0 1 1 0 10 1 1.1 0.9;
  2 1 0.2 0.1 0 0 1 1 0 10 1 1.1 0.9;
  3 1 0.1 0   0 0 1 1 0 10 1 1.1 0.9;
];
mpc.gen = [1 0 0 9 -9 1 1 1 9 -9];
mpc.branch = [
  1 2 0.01 0.02 0 0.5 0 0 0 0 1;
  2 3 0.02 0.02 0 0.5 0 0 0 0 1;
  1 3 0.05 0.05 0 0.5 0 0 0 0 0;
];
";

fn power(place: &Path, arguments: &[&str]) -> Ended {
    urbis(place, &[&["power"], arguments].concat())
}

fn summary(out: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(out.join("summary.json")).unwrap()).unwrap()
}

/// Rows of a CSV file by column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

#[test]
fn a_published_feeder_from_file_to_tables() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/utility/tests/data/case33bw");
    let case = data.join("case33bw.m").to_str().unwrap().to_owned();
    let place = folder(&[]);
    let expected = rows(&data.join("solution_m.csv"));
    for method in ["newton", "sweep"] {
        let ended = power(place.path(), &["solve", &case, "--out", method, "--method", method, "--format", "csv"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("lowest voltage") && ended.stdout.contains("bus.csv"), "{}", ended.stdout);
        let found = rows(&place.path().join(method).join("bus.csv"));
        assert_eq!(found.len(), 33);
        for (row, wanted) in found.iter().zip(&expected) {
            assert_eq!(row["bus_id"], wanted["bus_i"]);
            assert!((number(row, "vm_pu") - number(wanted, "vm_pu")).abs() < 1e-9, "{method}: {row:?}");
            assert!((number(row, "va_deg") - number(wanted, "va_deg")).abs() < 1e-7, "{method}: {row:?}");
        }
        let told = summary(&place.path().join(method));
        // M. E. Baran and F. F. Wu (1989): 202.677 kW, lowest voltage 0.913090.
        assert!((told["losses_mw"].as_f64().unwrap() - 0.202_677).abs() < 1e-6, "{told}");
        assert!((told["vm_min_pu"].as_f64().unwrap() - 0.913_090).abs() < 1e-6 && told["vm_min_bus"] == "18", "{told}");
        let supplied = told["source_mw"].as_f64().unwrap();
        assert!(told["residual_mw"].as_f64().unwrap().abs() < 1e-9 * supplied, "{told}");
    }
    // Parquet has the units; any number of threads writes the same bytes.
    let bytes = |threads: &str| {
        let ended = power(place.path(), &["solve", &case, "--out", threads, "--threads", threads, "--format", "json"]);
        assert_eq!(serde_json::from_str::<Json>(&ended.stdout).unwrap()["converged"], true);
        ["bus.parquet", "branch.parquet", "summary.json"]
            .map(|name| std::fs::read(place.path().join(threads).join(name)).unwrap())
    };
    assert!(bytes("1") == bytes("3"));
}

#[test]
fn outages_lose_what_hangs_on_them() {
    let place = folder(&[("feeder.m", FEEDER)]);
    let ended = power(place.path(), &["n1", "feeder.m", "--out", "out", "--tables", "csv"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let found = rows(&place.path().join("out/n1.csv"));
    let told: Vec<[&str; 4]> = found
        .iter()
        .map(|row| ["branch_id", "lost_buses", "lost_loads", "lost_mw"].map(|column| row[column].as_str()))
        .collect();
    // The spare line is open and so not among them.
    assert_eq!(told[1], ["2", "1", "1", "0.1"]);
    assert!(told.len() == 2 && told[0][..3] == ["1", "2", "2"] && (number(&found[0], "lost_mw") - 0.3).abs() < 1e-12);
    assert_eq!(found[0]["vm_min_pu"], "1.0");
    // Without the far load: 0.2 MW and 0.1 Mvar over 0.01 + 0.02j, v^2 + 2 (r p + x q - 1/2) v + (r^2 + x^2)(p^2 + q^2) = 0 in v^2.
    let (b, c) = (2.0 * (0.01 * 0.2 + 0.02 * 0.1) - 1.0, (1e-4 + 4e-4) * (0.04 + 0.01));
    let v = f64::sqrt((-b + f64::sqrt(b * b - 4.0 * c)) / 2.0);
    assert!((number(&found[1], "vm_min_pu") - v).abs() < 1e-9 && found[1]["vm_min_bus"] == "2", "{found:?}");
    let current = f64::hypot(0.2, 0.1) / v;
    assert!((number(&found[1], "loading_max_pct") - 100.0 * current / 0.5).abs() < 1e-6, "{found:?}");
}

#[test]
fn steps_of_a_series_are_solves_of_their_own() {
    let profiles = "hour,home,sun\nh0,1,0\nh1,0.5,1\nh2,1,0\nh3,0,1\n";
    let follows = "element,id,profile,factor\nload,3,sun,2\nload,*,home,\n";
    let place = folder(&[("feeder.m", FEEDER), ("profiles.csv", profiles), ("follows.csv", follows)]);
    let run = |out: &str, more: &[&str]| {
        let words = ["series", "feeder.m", "--profiles", "profiles.csv", "--follows", "follows.csv", "--out", out];
        power(place.path(), &[&words[..], &["--tables", "csv", "--steps-per-day", "2"], more].concat())
    };
    let ended = run("out", &["--full", "--vm-min", "0.999", "--loading-max", "40"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let totals = rows(&place.path().join("out/totals.csv"));
    assert_eq!(totals.iter().map(|row| row["time"].as_str()).collect::<Vec<_>>(), ["h0", "h1", "h2", "h3"]);
    let served: Vec<f64> = totals.iter().map(|row| number(row, "served_mw")).collect();
    assert!(
        served.iter().zip([0.2, 0.3, 0.2, 0.2]).all(|(found, wanted)| (found - wanted).abs() < 1e-12),
        "{served:?}"
    );
    for row in &totals {
        let left = number(row, "source_mw") - number(row, "served_mw") - number(row, "losses_mw");
        assert!(left.abs() < 1e-9 && number(row, "residual_mw").abs() < 1e-9, "{row:?}");
    }
    assert!(
        totals[0]["vm_min_pu"] == totals[2]["vm_min_pu"] || {
            // Equal loads give equal voltages to the tolerance, from wherever the solve began.
            (number(&totals[0], "vm_min_pu") - number(&totals[2], "vm_min_pu")).abs() < 1e-9
        }
    );
    let states = rows(&place.path().join("out/bus_state/part-0.csv"));
    assert_eq!(states.len(), 4 * 3);
    let days = rows(&place.path().join("out/bus_day.csv"));
    assert_eq!(days.len(), 2 * 3);
    for day in &days {
        let of = |row: &&BTreeMap<String, String>| {
            row["bus_id"] == day["bus_id"] && number(row, "step") as u32 / 2 == day["day"].parse::<u32>().unwrap()
        };
        let volts: Vec<f64> = states.iter().filter(of).map(|row| number(row, "vm_pu")).collect();
        assert!((number(day, "vm_min_pu") - volts.iter().copied().fold(9.0, f64::min)).abs() < 1e-15);
        assert!((number(day, "vm_max_pu") - volts.iter().copied().fold(0.0, f64::max)).abs() < 1e-15);
    }
    // Exceptions are exactly the states beyond the limits.
    let found = rows(&place.path().join("out/exceptions.csv"));
    let low = states.iter().filter(|row| number(row, "vm_pu") < 0.999).count();
    let of_branches = rows(&place.path().join("out/branch_state/part-0.csv"));
    let loaded = of_branches.iter().filter(|row| number(row, "loading_pct") > 40.0).count();
    let count = |what: &str| found.iter().filter(|row| row["quantity"] == what).count();
    assert!(low > 0 && loaded > 0, "{low} {loaded}");
    assert_eq!((count("voltage_pu"), count("loading_percent")), (low, loaded));
}

#[test]
fn what_cannot_be_carried_is_told() {
    let heavy = FEEDER.replace("3 1 0.1 0  ", "3 1 30  9  ");
    let profiles = "hour,home\nh0,0.01\nh1,1\nh2,0.01\n";
    let place = folder(&[
        ("heavy.m", &heavy),
        ("profiles.csv", profiles),
        ("follows.csv", "element,id,profile\nload,*,home\n"),
    ]);
    let ended = power(place.path(), &["solve", "heavy.m", "--out", "out"]);
    assert_eq!(ended.code, 2, "{}", ended.stdout);
    assert!(ended.stderr.contains("no convergence") && ended.stderr.contains("bus 3 lacks"), "{}", ended.stderr);
    let told = summary(&place.path().join("out"));
    assert!(told["converged"] == false && told["worst_buses"][0]["bus_id"] == "3", "{told}");
    let series = |on_failure: &str| {
        let words =
            ["series", "heavy.m", "--profiles", "profiles.csv", "--follows", "follows.csv", "--out", on_failure];
        let ended = power(place.path(), &[&words[..], &["--tables", "csv", "--on-failure", on_failure]].concat());
        (ended.code, rows(&place.path().join(on_failure).join("totals.csv")))
    };
    let (code, held) = series("hold");
    assert_eq!(
        (code, held.len(), held[1]["is_converged"].as_str(), held[2]["is_converged"].as_str()),
        (0, 3, "false", "true")
    );
    let (code, shed) = series("shed");
    assert!(code == 0 && shed[1]["is_converged"] == "true", "{shed:?}");
    let (served, lost) = (number(&shed[1], "served_mw"), number(&shed[1], "shed_mw"));
    assert!(lost > 0.0 && (served + lost - 30.2).abs() < 1e-6, "{shed:?}");
    assert!(number(&shed[0], "shed_mw").abs() < 1e-12);
    // The step after is as if nothing had been shed, also for loads that follow no profile.
    assert!((number(&shed[2], "served_mw") - 0.302).abs() < 1e-9, "{shed:?}");
    std::fs::write(place.path().join("follows.csv"), "element,id,profile\nload,3,home\n").unwrap();
    let (_, shed) = series("shed");
    assert!(shed[1]["is_converged"] == "true" && number(&shed[1], "shed_mw") > 0.0, "{shed:?}");
    assert!((number(&shed[2], "served_mw") - 0.5).abs() < 1e-9, "{shed:?}");
    let (code, stopped) = series("stop");
    assert_eq!((code, stopped.len()), (2, 2));
}

#[test]
fn bad_input_is_named() {
    let cases = [
        ("element,id,profile\nload,2,hom\n", "line 2: there is no profile `hom`", "did you mean `home`?"),
        ("element,id,profile\nload,7,home\n", "line 2: the case has no load `7`", ""),
        ("element,id,profile\nload,2,home\nload,2,home\n", "line 3: load `2` comes twice", ""),
        ("element,id,profile,factor\nload,2,home,x\n", "line 2: factor is `x`, expected a number", ""),
        ("element,id,profile\nbattery,2,home\n", "element is `battery`, expected load or generator", ""),
        ("element,id\nload,2\n", "has no column `profile`", ""),
    ];
    let place = folder(&[("feeder.m", FEEDER), ("profiles.csv", "t,home\n0,1\n"), ("bad.csv", "t,home\n0,1\n1,NaN\n")]);
    let run = |profiles: &str, follows: &str| {
        std::fs::write(place.path().join("follows.csv"), follows).unwrap();
        let words = ["series", "feeder.m", "--profiles", profiles, "--follows", "follows.csv", "--out", "out"];
        let ended = power(place.path(), &words);
        assert!(ended.code == 2 && !place.path().join("out/summary.json").exists(), "{follows}");
        ended.stderr
    };
    for (follows, what, help) in cases {
        let said = run("profiles.csv", follows);
        assert!(said.contains("follows.csv") && said.contains(what) && said.contains(help), "{said}");
    }
    let said = run("bad.csv", "element,id,profile\nload,2,home\n");
    assert!(said.contains("bad.csv: line 3: profile `home` is `NaN`, expected a number"), "{said}");
    let ended = power(place.path(), &["solve", "bad.csv", "--out", "out"]);
    assert!(ended.code == 2 && ended.stderr.contains("no file of a grid by its ending"), "{}", ended.stderr);
    let ended = power(place.path(), &["solve", "feeder.m", "--out", "out", "--tolerance", "0"]);
    assert!(ended.code == 2 && ended.stderr.contains("--tolerance"), "{}", ended.stderr);
    let ended = power(place.path(), &["solve", "feeder.m", "--out", "out", "--control-taps=0"]);
    assert!(ended.code == 2 && ended.stderr.contains("--control-taps"), "{}", ended.stderr);
}

#[test]
fn standard_profiles_drive_a_year() {
    let place = folder(&[("feeder.m", FEEDER), ("follows.csv", "element,id,profile\nload,2,g0\nload,*,h25\n")]);
    let ended = power(place.path(), &["profiles", "--year", "2024", "--out", "year.csv"]);
    assert!(ended.code == 0 && ended.stdout.starts_with("16 profiles of 8784 steps: year.csv"), "{}", ended.stderr);
    let year = rows(&place.path().join("year.csv"));
    assert!(year[0]["time"] == "2024-01-01T00:00" && year[8783]["time"] == "2024-12-31T23:00");
    let highest = year.iter().map(|row| number(row, "h25")).fold(0.0, f64::max);
    assert!((highest - 1.0).abs() < 1e-12);
    let words =
        ["profiles", "--year", "2023", "--step", "15", "--scale", "energy", "--holidays", "none", "--out", "kw.csv"];
    assert_eq!(power(place.path(), &words).code, 0);
    let quarters = rows(&place.path().join("kw.csv"));
    let kwh: f64 = quarters.iter().map(|row| number(row, "p25") * 0.25).sum();
    assert!(quarters.len() == 365 * 96 && (kwh - 1000.0).abs() < 1e-6, "{kwh}");
    let words =
        ["series", "feeder.m", "--profiles", "year.csv", "--follows", "follows.csv", "--out", "out", "--tables", "csv"];
    let ended = power(place.path(), &words);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let totals = rows(&place.path().join("out/totals.csv"));
    for (row, of) in totals.iter().zip(&year) {
        assert_eq!(row["time"], of["time"]);
        let wanted = 0.2 * number(of, "g0") + 0.1 * number(of, "h25");
        assert!((number(row, "served_mw") - wanted).abs() < 1e-12, "{row:?}");
    }
    assert_eq!(totals.len(), 8784);
    // The same on one thread and on three, and so are outages.
    let bytes = |threads: &str| {
        let more = ["--threads", threads, "--tables", "csv"];
        let words = ["series", "feeder.m", "--profiles", "year.csv", "--follows", "follows.csv", "--out", threads];
        assert_eq!(power(place.path(), &[&words[..], &more[..]].concat()).code, 0);
        assert_eq!(power(place.path(), &[&["n1", "feeder.m", "--out", threads][..], &more[..]].concat()).code, 0);
        ["totals.csv", "bus_day.csv", "branch_day.csv", "n1.csv"]
            .map(|name| std::fs::read(place.path().join(threads).join(name)).unwrap())
    };
    assert!(bytes("1") == bytes("3"));
}

#[test]
fn a_city_without_a_grid_gets_one() {
    let place = folder(&[("narrow.toml", "lv_street_m_max = 100.0\n"), ("bad.toml", "lv_street_m = 100.0\n")]);
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/town/city.toml");
    let built = urbis(place.path(), &["city", "build", recipe.to_str().unwrap(), "--out", "town"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let plan = |out: &str, more: &[&str]| power(place.path(), &[&["plan", "town", "--out", out], more].concat());
    let ended = plan("grid", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("synthetic grid: 215 buildings") && ended.stdout.contains("published"),
        "{}",
        ended.stdout
    );
    let told = summary(&place.path().join("grid"));
    assert!(told["synthetic"] == true && told["converged"] == true, "{told}");
    assert_eq!((&told["buildings"], &told["energised_buildings"]), (&215.into(), &215.into()));
    assert!(told["vm_min_pu"].as_f64().unwrap() > 0.9 && told["loading_max_pct"].as_f64().unwrap() < 100.0, "{told}");
    for table in ["bus", "branch", "station", "building", "figures"] {
        assert!(place.path().join(format!("grid/{table}.parquet")).is_file(), "{table}");
    }
    // Shorter ways need more stations; the same again is the same, byte for byte.
    assert_eq!(plan("narrow", &["--settings", "narrow.toml"]).code, 0);
    assert!(summary(&place.path().join("narrow"))["stations"].as_u64() > told["stations"].as_u64());
    assert_eq!(plan("again", &[]).code, 0);
    let bytes = |out: &str| std::fs::read(place.path().join(out).join("branch.parquet")).unwrap();
    assert!(bytes("again") == bytes("grid"));
    let refused = plan("refused", &["--settings", "bad.toml"]);
    assert!(refused.code == 2 && refused.stderr.contains("lv_street_m"), "{}", refused.stderr);
    assert!(!place.path().join("refused/summary.json").exists());
}

/// Lines of a packed table of the shared folder.
fn packed(path: &Path) -> Option<Vec<String>> {
    use std::io::Read;
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_string(&mut text).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

/// A winter and a summer week of a medium-voltage grid, hour by hour, as pandapower solves them.
#[test]
fn two_weeks_are_those_of_pandapower() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("URBIS_SHARED").map_or_else(beside, std::path::PathBuf::from);
    let reference = shared.join("reference/utility/power_timeseries");
    let net = shared.join("reference/utility/power/mv_oberrhein/net.json.gz");
    let Some(profiles) = packed(&reference.join("profiles_8760.csv.gz")) else {
        #[allow(clippy::print_stderr)] // a test says what it skips
        return eprintln!("skipped: no {}; set URBIS_SHARED", reference.display());
    };
    let steps: Vec<usize> = (0..168).chain(4320..4488).collect();
    let rows_of_weeks = steps.iter().map(|step| profiles[step + 1].as_str());
    let weeks = std::iter::once(profiles[0].as_str()).chain(rows_of_weeks).collect::<Vec<_>>().join("\n");
    let mut follows = "element,id,profile\n".to_owned();
    for row in rows(&reference.join("load_profile_map.csv")) {
        follows += &format!("load,load {},{}\n", row["load_idx"], row["profile"]);
    }
    // What feeds in are loads too; all of it follows the sun.
    follows += "load,*,pv\n";
    let place = folder(&[("weeks.csv", &weeks), ("follows.csv", &follows)]);
    let net = net.to_str().unwrap();
    let words = ["series", net, "--profiles", "weeks.csv", "--follows", "follows.csv", "--out", "out", "--full"];
    let ended = power(place.path(), &[&words[..], &["--tables", "csv"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let compare = |table: &str, column: &str, file: &str, prefix: &str| {
        let mut found: BTreeMap<(usize, String), f64> = BTreeMap::new();
        for row in rows(&place.path().join("out").join(table).join("part-0.csv")) {
            let id = row.get("bus_id").or_else(|| row.get("branch_id")).unwrap().clone();
            if let Ok(value) = row[column].parse() {
                found.insert((row["step"].parse().unwrap(), id), value);
            }
        }
        let wanted = packed(&reference.join(file)).unwrap();
        let ids: Vec<&str> = wanted[0].split(',').collect();
        let (mut off, mut count) = (0.0_f64, 0);
        for (step, line) in wanted[1..].iter().enumerate() {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells[0], steps[step].to_string());
            for (id, cell) in ids.iter().zip(&cells).skip(1) {
                let value = found[&(step, format!("{prefix}{id}"))];
                off = off.max((value - cell.parse::<f64>().unwrap()).abs());
                count += 1;
            }
        }
        (off, count)
    };
    let (off_pu, buses) = compare("bus_state", "vm_pu", "pandapower_336_vm_pu.csv.gz", "");
    let (off_percent, lines) =
        compare("branch_state", "loading_pct", "pandapower_336_line_loading_pct.csv.gz", "line ");
    #[allow(clippy::print_stdout)] // a test prints what it found
    {
        println!(
            "{buses} voltages within {off_pu:.1e} pu, {lines} loadings within {off_percent:.1e} percentage points"
        );
    }
    assert!(off_pu < 1e-8 && buses == 336 * 179);
    assert!(off_percent < 1e-5 && lines == 336 * 181);
}

#[test]
fn grids_of_other_tools_are_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/utility/tests/data");
    let place = folder(&[("other.json", "{\"a\": 1}")]);
    for (file, branch) in [("pandapower_3/net.json.gz", "line 0"), ("pgm_zoo/pgm_input.json", "line ")] {
        let case = data.join(file);
        let ended = power(place.path(), &["solve", case.to_str().unwrap(), "--out", "out", "--tables", "csv"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(summary(&place.path().join("out"))["converged"], true);
        let branches = rows(&place.path().join("out/branch.csv"));
        assert!(branches.iter().any(|row| row["branch_id"].starts_with(branch)), "{branches:?}");
        assert!(branches.iter().all(|row| !row["branch_id"].is_empty()), "{branches:?}");
    }
    let ended = power(place.path(), &["solve", "other.json", "--out", "none"]);
    assert!(ended.code == 2 && ended.stderr.contains("other.json"), "{}", ended.stderr);
}

/// Controls of one state: a generator that would need more reactive power than it may give, and a regulated transformer.
#[test]
fn controls_settle_and_are_told() {
    let generator = "mpc.gen = [1 0 0 9 -9 1 1 1 9 -9; 3 0 0 0.1 -0.1 1.05 1 1 9 -9];";
    let held = FEEDER.replace("3 1 0.1 0 ", "3 2 0.1 0 ").replace("mpc.gen = [1 0 0 9 -9 1 1 1 9 -9];", generator);
    let regulated = r#"{"version": "1.0", "type": "input", "is_batch": false, "attributes": {}, "data": {
      "node": [{"id": 1, "u_rated": 10e3}, {"id": 2, "u_rated": 400}],
      "source": [{"id": 3, "node": 1, "status": 1, "u_ref": 1.0}],
      "sym_load": [{"id": 4, "node": 2, "status": 1, "type": 0, "p_specified": 200e3, "q_specified": 50e3}],
      "transformer": [{"id": 5, "from_node": 1, "to_node": 2, "from_status": 1, "to_status": 1, "u1": 10e3, "u2": 400,
        "sn": 4e5, "uk": 0.06, "pk": 5e3, "i0": 0.003, "p0": 600, "winding_from": 2, "winding_to": 1, "clock": 5,
        "tap_side": 0, "tap_pos": 0, "tap_nom": 0, "tap_min": 5, "tap_max": -5, "tap_size": 250}],
      "transformer_tap_regulator": [{"id": 6, "regulated_object": 5, "status": 1, "control_side": 1, "u_set": 410,
        "u_band": 12}]}}"#;
    let place = folder(&[("held.m", &held), ("regulated.json", regulated)]);
    let solve = |words: &[&str]| {
        let ended = power(place.path(), &[&["solve", "--out", "out", "--tables", "csv"], words].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        (summary(&place.path().join("out")), rows(&place.path().join("out/bus.csv")))
    };
    let (told, buses) = solve(&["held.m"]);
    assert!(told["controls"].is_null() && (number(&buses[2], "vm_pu") - 1.05).abs() < 1e-12, "{told}");
    let (told, buses) = solve(&["held.m", "--enforce-q-limits"]);
    assert!(told["controls"]["settled"] == true && told["controls"]["generators_limited"] == 1, "{told}");
    assert!(number(&buses[2], "vm_pu") < 1.04, "{buses:?}");
    let (told, buses) = solve(&["regulated.json", "--control-taps"]);
    assert_eq!(told["controls"]["taps"][0], serde_json::json!({"branch_id": "transformer 5", "position": 1}));
    // power-grid-model 1.12.110, tap_changing_strategy any_valid_tap.
    assert!((number(&buses[1], "vm_pu") - 1.011_750_531_592_619).abs() < 1e-9, "{buses:?}");
}

/// Solved by pandapower 3.5.6: see `engine/utility/tests/data/README.md`.
const PHASES_OF_THE_HOUSE: [(f64, f64); 3] = [
    (0.943_996_205_671_246, -151.243_125_783_765_8),
    (0.999_953_939_661_333_7, 89.254_045_559_505_8),
    (0.974_647_101_281_370_4, -29.432_058_802_809_806),
];

#[test]
fn phases_are_solved_each() {
    let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/utility/tests/data/three_phase_net.json");
    let net = net.to_string_lossy();
    let place = folder(&[("feeder.m", FEEDER)]);
    let ended = power(place.path(), &["solve", &net, "--out", "out", "--three-phase", "--tables", "csv"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = summary(&place.path().join("out"));
    assert!(told["residual_mw"].as_f64().unwrap().abs() < 1e-9 * told["source_mw"].as_f64().unwrap(), "{told}");
    let buses = rows(&place.path().join("out/bus.csv"));
    for (phase, (vm_pu, va_deg)) in ["a", "b", "c"].iter().zip(PHASES_OF_THE_HOUSE) {
        for house in &buses[2..4] {
            assert!((number(house, &format!("vm_{phase}_pu")) - vm_pu).abs() < 1e-8, "{house:?}");
            assert!((number(house, &format!("va_{phase}_deg")) - va_deg).abs() < 1e-6, "{house:?}");
        }
    }
    // The switch at the end of the stub is open.
    assert!(buses[4]["vm_a_pu"].is_empty() && buses[4]["is_energised"] == "false");
    // What goes into the cable is what loads draw and the cable loses.
    let branches = rows(&place.path().join("out/branch.csv"));
    assert_eq!(
        branches.iter().map(|row| row["branch_id"].as_str()).collect::<Vec<_>>(),
        ["line 0", "line 1", "trafo 0"]
    );
    let into = |row: &BTreeMap<String, String>, end: &str| {
        ["a", "b", "c"].iter().map(|phase| number(row, &format!("p_{phase}_{end}_mw"))).sum::<f64>()
    };
    assert!(
        (into(&branches[0], "to") + 0.03 + 0.01 + 0.02 + 0.006 - 0.004 + 0.012 - 0.009).abs() < 1e-9,
        "{branches:?}"
    );
    let refused = |arguments: &[&str], what: &str| {
        let ended = power(place.path(), &[&["solve"], arguments, &["--out", "no", "--three-phase"]].concat());
        assert!(ended.code == 2 && ended.stderr.contains(what), "{}", ended.stderr);
    };
    refused(&["feeder.m"], "three phases are read from grids of pandapower");
    refused(&[&net, "--enforce-q-limits"], "cannot be used with");
    let without = std::fs::read_to_string(&*net).unwrap().replace("vk0_percent", "vk0");
    std::fs::write(place.path().join("without.json"), without).unwrap();
    refused(&["without.json"], "column `vk0_percent` is missing");
    assert!(!place.path().join("no").exists());
}
