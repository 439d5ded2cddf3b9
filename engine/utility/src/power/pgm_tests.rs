//! The reader on a small grid: what is understood, and what problems name. Grids that are solved stand in
//! `tests/power_readers.rs`.

use super::*;
use proptest::prelude::*;
use urbis_core::Error;

const GOOD: &str = r#"{"version": "1.0", "type": "input", "is_batch": false,
 "attributes": {"node": ["id", "u_rated"]},
 "data": {
  "node": [[1, 10e3], [2, 10e3], {"id": 3, "u_rated": 400}],
  "line": [{"id": 4, "from_node": 1, "to_node": 2, "from_status": 1, "to_status": 0, "r1": 0.5, "x1": 0.25, "c1": 1e-6, "tan1": 0.1, "i_n": 200}],
  "source": [{"id": 5, "node": 1, "status": 1, "u_ref": 1.02}],
  "sym_load": [{"id": 6, "node": 2, "status": 1, "type": 2, "p_specified": 1000, "q_specified": 100}],
  "transformer": [{"id": 7, "from_node": 2, "to_node": 3, "from_status": 1, "to_status": 1, "u1": 10e3, "u2": 400, "sn": 4e5, "uk": 0.06, "pk": 5e3, "i0": 0.003, "p0": 600, "winding_from": 2, "winding_to": 1, "clock": 5, "tap_side": 0, "tap_min": 0, "tap_max": 0, "tap_size": 0}],
  "fault": [{"id": 8}]}}"#;

fn read(text: &str) -> Result<NamedGrid> {
    parse(Path::new("g.json"), text, FREQUENCY_HZ)
}

fn fails(text: &str) -> String {
    match read(text) {
        Err(Error::Input(problems)) => problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn components_become_a_grid() {
    let named = read(GOOD).unwrap();
    let grid = &named.grid;
    // Three nodes, the free end of the line and the bus behind the source's impedance.
    assert_eq!(grid.buses.id, ["1", "2", "3", "line 4 to", "source 5"]);
    assert_eq!(grid.buses.kind[4], BusKind::Slack);
    let line = named.element("line", "4").unwrap();
    let branch = grid.branches.row(line.branch().unwrap() as usize);
    assert_eq!((branch.from, branch.to, line.rows.len()), (0, 3, 2));
    // 0.5 ohms on 10 kV and 1 MVA, which is 100 ohms; half of 2 pi 50 Hz 1 uF with its loss at each end.
    assert!((branch.r_pu - 0.005).abs() < 1e-15 && (branch.b_to_pu - 0.005 * std::f64::consts::PI).abs() < 1e-15);
    assert!((branch.g_to_pu - 0.1 * branch.b_to_pu).abs() < 1e-15);
    assert!((grid.loads.current_share[0] - 1.0).abs() < 1e-15);
    assert_eq!(named.notes, ["components left out, with their number: fault (1)"]);
}

#[test]
fn problems_name_component_row_id_and_expectation() {
    for (from, to, expected) in [
        ("\"version\": \"1.0\"", "\"version\": \"2.0\"", "g.json: `version` is \"2.0\", expected \"1.0\""),
        ("\"input\"", "\"update\"", "g.json: `type` is \"update\", expected \"input\""),
        ("\"is_batch\": false", "\"is_batch\": true", "g.json: `is_batch` is true, expected false"),
        ("[2, 10e3]", "[1, 10e3]", "g.json/node row 2 (id 1): id = 1, expected an id that row 1 of node does not have"),
        (
            "\"id\": 5",
            "\"id\": 4",
            "g.json/source row 1 (id 4): id = 4, expected an id that row 1 of line does not have",
        ),
        ("[2, 10e3]", "[2]", "g.json/node row 2 (id 2): values = 1, expected 2 as in `attributes`"),
        ("[2, 10e3]", "7", "g.json/node row 2: component = 7, expected an object or a list"),
        ("[2, 10e3]", "[2, NaN]", "g.json/node row 2 (id 2): u_rated = null, expected > 0"),
        ("[2, 10e3]", "[2, 11e3]", "g.json/line row 1 (id 4): to_node = 2, expected a node of 10000 V as from_node"),
        ("\"to_node\": 2", "\"to_node\": 9", "g.json/line row 1 (id 4): to_node = 9, expected the id of a node"),
        ("\"to_node\": 2", "\"to_node\": 1", "g.json/line row 1 (id 4): to_node = 1, expected another node"),
        ("\"r1\": 0.5", "\"r1\": \"x\"", "g.json/line row 1 (id 4): r1 = \"x\", expected a finite number"),
        ("\"r1\": 0.5, \"x1\": 0.25", "\"r1\": 0, \"x1\": 0", "g.json/line row 1 (id 4): x1 = 0, expected not 0"),
        ("\"type\": 2", "\"type\": 7", "g.json/sym_load row 1 (id 6): type = 7, expected 0 (power)"),
        ("\"pk\": 5e3", "\"pk\": 5e5", "g.json/transformer row 1 (id 7): pk = 500000, expected at most uk times sn"),
        ("\"clock\": 5", "\"clock\": 50", "g.json/transformer row 1 (id 7): clock = 50, expected -12..12"),
        ("\"u_ref\": 1.02", "\"u_ref\": 0", "g.json/source row 1 (id 5): u_ref = 0, expected > 0"),
        ("\"node\": 1, \"status\": 1", "\"node\": 1, \"status\": 0", "g.json/source: none has status 1"),
        ("\"fault\"", "\"asym_line\"", "g.json/asym_line: 1 components of this kind, expected none"),
        ("\"sym_load\": [{", "\"sym_load\": {\"a\": [{", "g.json: not whole JSON"),
        ("\"node\": [[1", "\"nodes\": [[1", "g.json/node: is missing or empty"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let text = fails(&GOOD.replacen(from, to, 1));
        assert!(text.contains(expected), "{from} -> {to}: {text}");
    }
    assert!(fails("{}").contains("`data` is missing"));
}

const PIECES: [&str; 16] =
    ["", "null", "NaN", "-1", "0", "1", "2", "1e999", "\"x\"", "[", "]", "{", "}", ",", "[1,2,3]", "\"id\": 1,"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn spoilt_files_never_panic(
        changes in prop::collection::vec((0.0..1.0_f64, 0..12_usize, 0..PIECES.len()), 1..4),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let mut text = GOOD.to_owned();
        for (at, length, piece) in changes {
            let at = (at * text.len() as f64) as usize;
            text.replace_range(at..(at + length).min(text.len()), PIECES[piece]);
        }
        if let Some(cut) = cut {
            text.truncate((cut * text.len() as f64) as usize);
        }
        drop(read(&text));
    }

    #[test]
    fn any_value_in_any_field(field in 0..60_usize, piece in 0..PIECES.len()) {
        // One value after a colon is replaced, which leaves most files whole.
        let starts: Vec<usize> = GOOD.match_indices(": ").map(|(at, _)| at + 2).collect();
        let at = starts[field % starts.len()];
        let length = GOOD[at..].find([',', '}', ']']).unwrap_or(0);
        let mut text = GOOD.to_owned();
        text.replace_range(at..at + length, PIECES[piece]);
        if let Ok(named) = read(&text)
            && let Ok(mut flow) = crate::power::PowerFlow::new(named.grid)
        {
            flow.solve(crate::power::Method::Newton, &crate::power::NewtonSettings::default());
        }
    }
}
