//! One small town's day as text, reviewed as a difference: when figures move, this file says which. To
//! accept new figures run with `URBIS_BLESS=1` and read the difference before committing it.

use std::fmt::Write;
use urbis_tests::{root, run, scenario_in};

#[test]
fn the_town_as_text() {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", "");
    let summary = run(&scenario, &place.path().join("out"), 2, None).unwrap();
    let mut text = String::new();
    for kpi in &summary.kpis {
        writeln!(text, "{:<10} {:<44} {:<6} {:>12.3} {}", kpi.group, kpi.indicator, kpi.zone_id, kpi.value, kpi.unit)
            .unwrap();
    }
    let golden = root().join("tests/golden/town.txt");
    if std::env::var_os("URBIS_BLESS").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (line, (was, is)) in expected.lines().zip(text.lines()).enumerate() {
        assert_eq!(is, was, "line {}", line + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count());
}
