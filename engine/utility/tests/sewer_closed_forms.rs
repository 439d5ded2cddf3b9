//! Sewers against closed forms; the same bits on any number of threads; spoilt files; what is refused, and how.
#![allow(clippy::print_stdout)] // figures, for those who look

#[path = "common/spoilt.rs"]
mod spoilt;

use proptest::prelude::*;
use spoilt::{changes, with_changes};
use std::path::Path;
use urbis_core::Error;
use urbis_utility::sewer::units::{GRAVITY_MPS2, MANNING};
use urbis_utility::sewer::{Method, Results, Sewer, inp, run};

/// A file in SI units of 6 h with these sections.
fn text(routing: &str, step: &str, sections: &str) -> String {
    format!(
        "[OPTIONS]\nFLOW_UNITS CMS\nFLOW_ROUTING {routing}\nSTART_DATE 01/01/2020\nEND_DATE 01/01/2020\n\
         END_TIME 06:00\nREPORT_STEP 0:00:30\nWET_STEP 0:01\nDRY_STEP 0:01\nROUTING_STEP {step}\nVARIABLE_STEP 0.75\n\
         {sections}"
    )
}

fn solved(text: &str) -> (Sewer, Results) {
    let sewer = inp::parse(Path::new("closed.inp"), text, None).unwrap_or_else(|error| panic!("{error}"));
    let results = run(&sewer);
    (sewer, results)
}

/// The last value of a row in a table of results.
fn last(column: &[f64], rows: usize, row: usize) -> f64 {
    column[column.len() - rows + row]
}

/// Depth at which a circle carries a flow by Manning's formula, by halving.
fn normal_depth_of_circle(diameter: f64, roughness: f64, slope: f64, flow: f64) -> f64 {
    let carried = |y: f64| {
        let angle = 2.0 * (1.0 - 2.0 * y / diameter).acos();
        let area = diameter * diameter / 8.0 * (angle - angle.sin());
        let radius = area / (0.5 * diameter * angle);
        MANNING / roughness * area * radius.powf(2.0 / 3.0) * slope.sqrt()
    };
    let (mut low, mut high) = (1e-9, 0.9 * diameter);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if carried(middle) < flow { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[test]
fn uniform_flow_in_a_pipe() {
    let length = 1000.0_f64;
    let slope = 2.0 / (length * length - 4.0).sqrt();
    let expected = normal_depth_of_circle(1.2, 0.013, slope, 0.6);
    for (routing, step, within) in [("STEADY", "30", 1e-9), ("KINWAVE", "30", 1e-3), ("DYNWAVE", "5", 2e-3)] {
        let sections = "[JUNCTIONS]\nA 12 3\nB 10 3\n[OUTFALLS]\nO 8 NORMAL\n[CONDUITS]\n\
                        1 A B 1000 0.013 0 0\n2 B O 1000 0.013 0 0\n[XSECTIONS]\n1 CIRCULAR 1.2 0 0 0\n\
                        2 CIRCULAR 1.2 0 0 0\n[INFLOWS]\nA FLOW \"\" FLOW 1 1 0.6\n";
        let (_, results) = solved(&text(routing, step, sections));
        let depth = last(&results.link_depth_m, 2, 0);
        let flow = last(&results.link_flow_m3ps, 2, 1);
        println!("{routing}: depth {depth:.6} m, expected {expected:.6} m; flow {flow:.6} m3/s");
        assert!((depth / expected - 1.0).abs() < within, "{routing}: {depth} {expected}");
        assert!((flow - 0.6).abs() < 1e-4, "{routing}: {flow}");
    }
}

#[test]
fn a_kinematic_wave_takes_its_time() {
    // A channel of 40 reaches without friction at its sides, so that q = b / n sqrt(S) y^(5/3), and a rise of flow that
    // runs down it as a front of speed (q1 - q0) / (A1 - A0).
    let mut parts = [String::new(), String::new(), String::new()];
    for reach in 0..40 {
        let to = if reach == 39 { "O".to_owned() } else { format!("A{}", reach + 1) };
        parts[0] += &format!("A{reach} {} 3\n", 10.0 - 0.25 * f64::from(reach));
        parts[1] += &format!("{reach} A{reach} {to} 100 0.03 0 0 2 0\n");
        parts[2] += &format!("{reach} RECT_OPEN 2 4 2 0\n");
    }
    let [junctions, conduits, sections] = parts;
    let sections = format!(
        "[JUNCTIONS]\n{junctions}[OUTFALLS]\nO 0 FREE\n[CONDUITS]\n{conduits}[XSECTIONS]\n{sections}[INFLOWS]\n\
         A0 FLOW rise FLOW 1 1 2\n[TIMESERIES]\nrise 0 0 1 0 1:00:10 1 6 1\n"
    );
    let (_, results) = solved(&text("KINWAVE", "30", &sections));
    let slope = 0.25 / (100.0_f64 * 100.0 - 0.0625).sqrt();
    let area = |flow: f64| 4.0 * (flow * 0.03 / (MANNING * 4.0 * slope.sqrt())).powf(0.6);
    let expected = 4000.0 * (area(3.0) - area(2.0)) / 1.0;
    let row = results.link_flow_m3ps.iter().skip(39).step_by(40).position(|&flow| flow > 2.5).expect("it arrives");
    let arrived = results.time_s[row] - 3605.0;
    println!("a rise arrives after {arrived:.0} s, expected {expected:.0} s");
    assert!((arrived / expected - 1.0).abs() < 0.03);
}

#[test]
fn a_plane_in_steady_rain_sheds_all_of_it() {
    for (sealed, soil, share) in [(100.0, "S 0 0 4 7", 1.0), (0.0, "S 20 20 4 7", 0.6)] {
        let sections = format!(
            "[RAINGAGES]\nG INTENSITY 6:00 1 TIMESERIES rain\n[TIMESERIES]\nrain 0 50\n[SUBCATCHMENTS]\n\
             S G O 2 {sealed} 200 1 0\n[SUBAREAS]\nS 0.015 0.05 1 3 25 OUTLET\n[INFILTRATION]\n{soil}\n\
             [OUTFALLS]\nO 0 FREE\n"
        );
        let (_, results) = solved(&text("KINWAVE", "30", &sections));
        let expected = share * 0.05 / 3600.0 * 2e4;
        let runoff = results.runoff_m3ps[results.runoff_m3ps.len() - 2];
        println!("runoff {runoff:.6} m3/s, rain less infiltration on the area {expected:.6} m3/s");
        assert!((runoff / expected - 1.0).abs() < 1e-4);
        let outfalls = results.ledger.routing.outfalls_m3;
        assert!((outfalls / results.ledger.runoff.runoff_m3 - 1.0).abs() < 0.01);
    }
}

#[test]
fn an_orifice_and_a_weir_find_their_heads() {
    let sections = "[STORAGE]\nB 10 5 0 FUNCTIONAL 0 0 50 0 0\n[JUNCTIONS]\nJ 2 6\n[OUTFALLS]\nO 0 FREE\n[CONDUITS]\n\
                    C J O 50 0.013 0 0\n[ORIFICES]\nR B J SIDE 0 0.65 NO 0\n[WEIRS]\nW B J TRANSVERSE 2 1.8 NO 0 0 NO\n\
                    [XSECTIONS]\nC CIRCULAR 2 0 0 0\nR CIRCULAR 0.4 0 0 0\nW RECT_OPEN 2 1 0 0\n\
                    [INFLOWS]\nB FLOW \"\" FLOW 1 1 1\n";
    for routing in ["DYNWAVE", "KINWAVE"] {
        let (_, results) = solved(&text(routing, "5", sections));
        let depth = last(&results.node_depth_m, 3, 0);
        let area = std::f64::consts::PI * 0.04;
        let orifice = 0.65 * area * (2.0 * GRAVITY_MPS2 * (depth - 0.2)).sqrt();
        let weir = 1.8 * (depth - 2.0).powf(1.5);
        let flows = (last(&results.link_flow_m3ps, 3, 1), last(&results.link_flow_m3ps, 3, 2));
        println!("{routing}: depth {depth:.4} m, orifice {:.4}, weir {:.4} m3/s", flows.0, flows.1);
        assert!((flows.0 / orifice - 1.0).abs() < 1e-3 && (flows.1 / weir - 1.0).abs() < 5e-3, "{orifice} {weir}");
        assert!((flows.0 + flows.1 - 1.0).abs() < 2e-3);
    }
}

#[test]
fn what_floods_is_told_by_node_and_is_in_the_ledger() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sewer/flood_dynamic.inp");
    for method in [Method::Kinematic, Method::Dynamic] {
        let sewer = inp::read(&path, Some(method)).expect("a sewer");
        let results = run(&sewer);
        let flooded: f64 = results.flooded_m3.iter().sum();
        let ledger = results.ledger.routing;
        println!("{method:?}: flooded by node {:.1?} m3, residual {:.3} m3", results.flooded_m3, ledger.residual_m3());
        assert!(flooded > 100.0 && (flooded / ledger.flooding_m3 - 1.0).abs() < 1e-9);
        let (came, went) = ledger.totals_m3();
        assert!((ledger.residual_m3() - (came - went)).abs() < 1e-9 && ledger.error_percent().abs() < 1.0);
    }
}

#[test]
fn the_same_bits_again_and_on_more_threads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sewer/tree_dynamic.inp");
    let sewer = inp::read(&path, None).expect("a sewer");
    let bits = |results: &Results| -> Vec<u64> {
        let columns =
            [&results.link_flow_m3ps, &results.node_depth_m, &results.runoff_m3ps, &results.node_flooding_m3ps];
        columns.into_iter().flatten().map(|value| value.to_bits()).collect()
    };
    let first = bits(&run(&sewer));
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        assert!(first == pool.install(|| bits(&run(&sewer))));
    }
}

/// Problems of a text, a line each.
fn messages(text: &str) -> String {
    match inp::parse(Path::new("b.inp"), text, None) {
        Err(Error::Input(problems)) => {
            problems.listed().iter().map(ToString::to_string).collect::<Vec<String>>().join("\n")
        }
        other => panic!("{:?}", other.map(|sewer| sewer.notes)),
    }
}

#[test]
fn what_is_not_understood_is_refused_by_line() {
    let base = include_str!("data/sewer/basins_dynamic.inp");
    let told = |old: &str, new: &str| {
        let text = base.replacen(old, new, 1);
        assert_ne!(text, base, "{old}");
        messages(&text)
    };
    for (old, new, expected) in [
        ("C6 CIRCULAR 2.5", "C6 CIRCULR 2.5", "[XSECTIONS] C6: shape = CIRCULR, expected CIRCULAR"),
        ("C6 CIRCULAR 2.5", "C6 IRREGULAR 2.5", "shape = IRREGULAR, expected a shape by lengths"),
        ("O1 8 FREE", "O1 8 TIDAL", "[OUTFALLS] O1: type = TIDAL, expected FREE, NORMAL or FIXED"),
        ("J1 20 10", "J1 x 10", "[JUNCTIONS] J1: elevation = x, expected a number"),
        ("C1 J1 B1", "C1 J1 B9", "[CONDUITS] C1: to node = B9, expected a name that the file has"),
        ("C1 J1 B1 300", "C1 J1 B1 -3", "[CONDUITS] C1: length = -3, expected a number above 0"),
        ("[CURVES]", "[LID_USAGE]\nS x 1\n[CURVES]", "section [LID_USAGE] is not understood"),
        ("[CURVES]", "[NONSENSE]\n[CURVES]", "section [NONSENSE] is not known"),
        ("[CURVES]", "[CONTROLS]\nRULE a\nIF NODE J1 DEPTH > 1\nTHEN ORIFICE OR1 SETTING = PID 1 1 1\n[CURVES]", "PID"),
        (
            "INERTIAL_DAMPING PARTIAL",
            "INERTIAL_DAMPING SOME",
            "INERTIAL_DAMPING = SOME, expected NONE, PARTIAL or FULL",
        ),
        ("VARIABLE_STEP 0.75", "STEADINESS 1", "[OPTIONS] STEADINESS: is no option that is known"),
        ("wave 3:00 8", "wave 1:00 8", "[TIMESERIES] wave: time = 1:00, expected later than the one before"),
        ("J2 16.8 8 0 0 0", "J2 16.8 8 0 0 0\nJ2 1 1", "[JUNCTIONS] J2: is there twice"),
        ("END_TIME 08:00:00", "END_TIME 00:00:00", "expected more than 0"),
    ] {
        let message = told(old, new);
        assert!(message.contains(expected), "{new}: {message}");
        assert!(message.contains("b.inp line "), "{message}");
    }
    // All of them at once; and networks that do not suit their method.
    let two = messages(&base.replace("O1 8 FREE", "O1 8 TIDAL").replace("J1 20 10", "J1 x 10"));
    assert_eq!(two.lines().count(), 2, "{two}");
    let text = base.replace("FLOW_ROUTING DYNWAVE", "FLOW_ROUTING KINWAVE").replace("C1 J1 B1", "C1 B1 J1");
    let message = messages(&text);
    assert!(message.contains("C1: leads up") || message.contains("loop"), "{message}");
    let lost = base.replace("[OUTFALLS]\nO1 8 FREE NO", "[OUTFALLS]");
    let message = messages(&lost);
    assert!(message.contains("to node = O1"), "{message}");
}

#[test]
fn what_does_not_move_water_is_noted() {
    let text = include_str!("data/sewer/basins_dynamic.inp").to_owned()
        + "[TAGS]\nNode J1 a\n[POLLUTANTS]\nTSS MG/L 0 0 0 0\n";
    let sewer = inp::parse(Path::new("b.inp"), &text, None).expect("a sewer");
    for name in ["[TAGS]", "[POLLUTANTS]", "[REPORT]"] {
        assert!(sewer.notes.iter().any(|note| note.contains(name)), "{:?}", sewer.notes);
    }
}

const TEXTS: [&str; 4] = [
    include_str!("data/sewer/soils.inp"),
    include_str!("data/sewer/basins_kinematic.inp"),
    include_str!("data/sewer/pumps_dynamic.inp"),
    include_str!("data/sewer/dividers_kinematic.inp"),
];
const PIECES: [&str; 22] = [
    "", "*", "NaN", "-1", "0", "1", "2.5", "1e300", "-1e-300", "\"", "\"\"", "[", "]", ";", "é", "J1", "C1", "DYNWAVE",
    "KINWAVE", "inf", "24:00", "FLOW",
];

/// Reads; a sewer that is read is simulated over a short time.
fn read_and_run(text: &str) {
    let Ok(mut sewer) = inp::parse(Path::new("spoilt.inp"), text, None) else { return };
    let steps = 20.0;
    sewer.options.routing_step_s = sewer.options.routing_step_s.max(1.0);
    sewer.options.duration_s = sewer.options.duration_s.min(steps * sewer.options.routing_step_s);
    sewer.options.report_step_s = sewer.options.report_step_s.max(sewer.options.routing_step_s);
    sewer.options.wet_step_s = sewer.options.wet_step_s.max(1.0);
    sewer.options.max_trials = sewer.options.max_trials.min(8);
    sewer.options.minimum_step_s = sewer.options.minimum_step_s.max(0.5);
    let results = run(&sewer);
    assert_eq!(results.node_depth_m.len(), results.time_s.len() * sewer.nodes.id.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn one_word_is_another(which in 0..4_usize, at in 0.0..1.0_f64, piece in 0..PIECES.len()) {
        let text = TEXTS[which];
        let words: Vec<(usize, &str)> = text.match_indices(|letter: char| letter.is_whitespace()).collect();
        let place = (at * (words.len() - 1) as f64) as usize;
        let (from, to) = (words[place].0 + 1, words[place + 1].0);
        let spoilt = format!("{}{}{}", &text[..from], PIECES[piece], &text[to.max(from)..]);
        read_and_run(&spoilt);
    }

    #[test]
    fn pieces_are_others_and_the_end_is_cut(
        which in 0..4_usize,
        changes in changes(30, PIECES.len(), 5),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let text = with_changes(TEXTS[which], changes, &PIECES, cut);
        read_and_run(&text);
    }
}
