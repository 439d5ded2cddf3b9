//! `urbis assign` from outside: files in, files out, exit codes; published solutions where they are at hand.

mod common;

use arrow::array::{Array, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use common::{Ended, folder, urbis};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::{Path, PathBuf};

const BRAESS: &str = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 4\n<FIRST THRU NODE> 1\n<NUMBER OF LINKS> 5\n<END OF METADATA>\n\
    1 3 1 100 0.00000001 1000000000 1 0 0 1 ;\n1 4 1 100 50 0.02 1 0 0 1 ;\n3 2 1 100 50 0.02 1 0 0 1 ;\n\
    3 4 1 100 10 0.1 1 0 0 1 ;\n4 2 1 100 0.00000001 1000000000 1 0 0 1 ;\n";
const SIX: &str = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 6.0\n<END OF METADATA>\nOrigin 1\n1 : 0.0; 2 : 6.0;\n";

fn assign(folder: &Path, arguments: &[&str]) -> Ended {
    urbis(folder, &[&["assign"], arguments].concat())
}

fn summary(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap()
}

/// A table's columns as floats, whole numbers converted, with their names and whether they are whole.
fn columns(file: &Path) -> Vec<(String, bool, Vec<f64>)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).unwrap()).unwrap().build().unwrap();
    let mut columns: Vec<(String, bool, Vec<f64>)> = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        for (at, field) in batch.schema().fields().iter().enumerate() {
            assert!(!field.is_nullable());
            let column = batch.column(at);
            let whole = field.data_type() == &DataType::Int64;
            let values: Vec<f64> = if whole {
                column
                    .as_any()
                    .downcast_ref::<Int64Array>()
                    .unwrap()
                    .values()
                    .iter()
                    .map(|&value| value as f64)
                    .collect()
            } else {
                column.as_any().downcast_ref::<Float64Array>().unwrap().values().to_vec()
            };
            if columns.len() == at {
                columns.push((field.name().clone(), whole, Vec::new()));
            }
            columns[at].2.extend(values);
        }
    }
    columns
}

#[test]
fn braess_from_files_to_files() {
    let place = folder(&[("net.tntp", BRAESS), ("trips.tntp", SIX)]);
    let ended =
        assign(place.path(), &["--network", "net.tntp", "--trips", "trips.tntp", "--gap", "1e-10", "--out", "a/b"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("iteration    0  relative gap"), "{}", ended.stderr);
    assert!(ended.stdout.contains("Beckmann objective") && ended.stdout.contains("next     "), "{}", ended.stdout);
    let out = place.path().join("a/b");
    let said = summary(&out);
    assert!((said["total_travel_time"].as_f64().unwrap() - 552.0).abs() < 1e-4);
    assert!((said["beckmann"].as_f64().unwrap() - 386.0).abs() < 1e-6);
    assert!(said["relative_gap"].as_f64().unwrap() <= 1e-10 && said["converged"] == true);
    let flows = columns(&out.join("link_flows.parquet"));
    let names: Vec<_> = flows.iter().map(|column| (column.0.as_str(), column.1)).collect();
    assert_eq!(names, [("from_node", true), ("to_node", true), ("flow", false), ("cost", false)]);
    assert_eq!((&flows[0].2[..], &flows[1].2[..]), (&[1.0, 1.0, 3.0, 3.0, 4.0][..], &[3.0, 4.0, 2.0, 4.0, 2.0][..]));
    for (flow, expected) in flows[2].2.iter().zip([4.0, 2.0, 2.0, 2.0, 4.0]) {
        assert!((flow - expected).abs() < 1e-4, "{flow} {expected}");
    }
    assert!((flows[3].2[0] + flows[3].2[2] - 92.0).abs() < 1e-4);
    let trace = columns(&out.join("convergence.parquet"));
    let names: Vec<_> = trace.iter().map(|column| column.0.as_str()).collect();
    assert_eq!(names, ["iteration", "relative_gap", "beckmann", "wall_s"]);
    assert_eq!(trace[0].2.len() as u64, said["iterations"].as_u64().unwrap() + 1);

    let without = BRAESS.replace("3 4 1 100 10 0.1 1 0 0 1 ;\n", "");
    std::fs::write(place.path().join("net.tntp"), without).unwrap();
    let ended = assign(
        place.path(),
        &[
            "--network",
            "net.tntp",
            "--trips",
            "trips.tntp",
            "--out",
            "a/b",
            "--quiet",
            "--format",
            "json",
            "--gap",
            "1e-10",
        ],
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let said: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!((said["total_travel_time"].as_f64().unwrap() - 498.0).abs() < 1e-4);
    assert_eq!(said, summary(&out));
    assert!(ended.stderr.contains("promises 5 links, the file has 4") && !ended.stderr.contains("iteration"));
}

#[test]
fn weights_are_part_of_the_cost_but_not_of_the_time() {
    let net = "<FIRST THRU NODE> 1\n<NUMBER OF ZONES> 2\n1 2 1 3 10 0 0 0 5 1;\n1 2 1 1 11 0 0 0 0 1;\n";
    let place = folder(&[("n", net), ("t", "Origin 1\n2 : 2;\n")]);
    for (weights, flow, time, cost) in
        [(["0", "0"], 2.0, 20.0, 20.0), (["0.1", "1"], 0.0, 22.0, 24.0), (["-1", "0"], 2.0, 20.0, 10.0)]
    {
        let ended = assign(
            place.path(),
            &[
                "--network",
                "n",
                "--trips",
                "t",
                "--toll-weight",
                weights[0],
                "--distance-weight",
                weights[1],
                "--out",
                "o",
            ],
        );
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let said = summary(&place.path().join("o"));
        assert_eq!((said["total_travel_time"].as_f64(), said["total_cost"].as_f64()), (Some(time), Some(cost)));
        assert!((columns(&place.path().join("o/link_flows.parquet"))[2].2[0] - flow).abs() < 1e-12);
    }
    let ended = assign(place.path(), &["--network", "n", "--trips", "t", "--toll-weight", "-3", "--out", "p"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("n: line 3: free_flow_time + weighted toll and length = -5"), "{}", ended.stderr);
    assert!(!place.path().join("p").exists());
}

#[test]
fn demand_that_has_no_way_is_told_and_left_out() {
    let place = folder(&[
        ("n", BRAESS),
        ("t", "Origin 1\n1 : 3; 2 : 6; 77 : 2;\nOrigin 2\n1 : 4;\nOrigin 900000000\n 1: 8;\n"),
    ]);
    let ended = assign(place.path(), &["--network", "n", "--trips", "t", "--out", "o"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("warning: demand of 4 in 1 pairs has no path and is not assigned: 2 -> 1 (4)"));
    assert!(ended.stderr.contains("1 -> 77 (2), 900000000 -> 1 (8)"), "{}", ended.stderr);
    let said = summary(&place.path().join("o"));
    assert_eq!((&said["total_demand"], &said["assigned_demand"]), (&23.0.into(), &6.0.into()));
    assert_eq!((&said["intrazonal_demand"], &said["unassigned_demand"]), (&3.0.into(), &14.0.into()));
    assert_eq!((&said["unassigned_pairs"], said["unassigned_examples"].as_array().unwrap().len()), (&3.into(), 3));
}

#[test]
fn not_converged_is_whole_but_no_success() {
    let place = folder(&[("n", BRAESS), ("t", SIX), ("kept.txt", "")]);
    let ended = assign(
        place.path(),
        &["--network", "n", "--trips", "t", "--gap", "1e-14", "--max-iterations", "0", "--out", "."],
    );
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("error: not converged: relative gap") && ended.stderr.contains("--max-iterations"));
    let said = summary(place.path());
    assert!(said["converged"] == false && said["iterations"] == 0);
    let flows = columns(&place.path().join("link_flows.parquet"));
    assert!((flows[2].2.iter().sum::<f64>() - 18.0).abs() < 1e-12);
    // What was there stays there.
    assert!(place.path().join("kept.txt").exists() && place.path().join("n").exists());
}

#[test]
fn bad_input_ends_with_2_and_leaves_nothing() {
    let place = folder(&[("n", BRAESS), ("t", SIX), ("bad", "1 2 0 1 1 1 1;\n1 2 x 1 1 1 1;\n"), ("file", "")]);
    for (arguments, part) in [
        (vec!["--network", "absent", "--trips", "t", "--out", "o"], "cannot read absent"),
        (vec!["--network", "bad", "--trips", "t", "--out", "o"], "bad: line 2: capacity = x"),
        (vec!["--network", "n", "--trips", "n", "--out", "o"], "n: line 6: entry"),
        (vec!["--network", "n", "--trips", "t", "--gap", "0", "--out", "o"], "--gap: 0, expected a number above 0"),
        (vec!["--network", "n", "--trips", "t", "--toll-weight", "nan", "--out", "o"], "--toll-weight: NaN"),
        (vec!["--network", "n", "--trips", "t", "--threads", "0", "--out", "o"], "0 is not in 1..=1024"),
        (vec!["--network", "n", "--trips", "t", "--out", "file/o"], "cannot write file"),
        (vec!["--network", "n", "--trips", "t"], "--out"),
    ] {
        let ended = assign(place.path(), &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}\n{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked") && !place.path().join("o").exists(), "{}", ended.stderr);
    }
}

#[test]
fn equal_bytes_on_any_number_of_threads() {
    let place = folder(&[("n", BRAESS), ("t", SIX)]);
    let on = |threads: &str| {
        let ended = assign(place.path(), &["--network", "n", "--trips", "t", "--out", threads, "--threads", threads]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        std::fs::read(place.path().join(threads).join("link_flows.parquet")).unwrap()
    };
    let one = on("1");
    assert!(["2", "3", "8", "16"].iter().all(|threads| on(threads) == one));
}

/// The folder of published networks and solutions, if it is at hand.
fn reference() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("URBIS_SHARED").map_or(root, PathBuf::from);
    Some(shared.join("reference/traffic/tntp")).filter(|folder| folder.is_dir())
}

/// Published flows and costs by pair of nodes, in order of the file.
fn published(file: &Path) -> Vec<[f64; 4]> {
    let text = std::fs::read_to_string(file).unwrap();
    let row = |line: &str| -> Option<[f64; 4]> {
        let values: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        values.try_into().ok()
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn published_solutions_are_met() {
    let Some(folder) = reference() else {
        #[allow(clippy::print_stderr)] // a test says what it skips
        {
            eprintln!("skipped: no reference networks; set URBIS_SHARED to the folder that has reference/traffic/tntp");
        }
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let cases = [
        ("SiouxFalls", "0", "0", 4_231_335.287_107),
        ("Anaheim", "0", "0", 1_286_032.171_096),
        ("ChicagoSketch", "0.02", "0.04", 17_313_018.738_748),
    ];
    for (name, toll, distance, beckmann) in cases {
        let file = |what: &str| folder.join(format!("{name}_{what}.tntp"));
        for (gap, objective_share, flow_share) in [("1e-6", 1e-8, 1e-3), ("1e-10", 1e-10, 1e-5)] {
            let (network, trips) = (file("net"), file("trips"));
            let ended = assign(
                place.path(),
                &[
                    "--network",
                    network.to_str().unwrap(),
                    "--trips",
                    trips.to_str().unwrap(),
                    "--gap",
                    gap,
                    "--out",
                    name,
                    "--toll-weight",
                    toll,
                    "--distance-weight",
                    distance,
                ],
            );
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            let said = summary(&place.path().join(name));
            assert!(said["relative_gap"].as_f64().unwrap() <= gap.parse().unwrap());
            let found = said["beckmann"].as_f64().unwrap();
            assert!((found / beckmann - 1.0).abs() <= objective_share, "{name}: {found}, published {beckmann}");
            let table = columns(&place.path().join(name).join("link_flows.parquet"));
            let expected = published(&file("flow"));
            assert_eq!(table[2].2.len(), expected.len());
            let mean = expected.iter().map(|row| row[2]).sum::<f64>() / expected.len() as f64;
            for (row, &[from, to, flow, cost]) in expected.iter().enumerate() {
                assert_eq!((table[0].2[row], table[1].2[row]), (from, to));
                // Flows of less than a thousandth of the mean are held to that.
                let off = (table[2].2[row] - flow).abs() / flow.max(1e-3 * mean);
                assert!(off <= flow_share, "{name} {from} -> {to}: flow {}, published {flow}", table[2].2[row]);
                if gap == "1e-10" {
                    let found = table[3].2[row];
                    assert!((found - cost).abs() <= 1e-5 * (found + cost), "{name} {from} -> {to}: {found} {cost}");
                }
            }
        }
    }
}
