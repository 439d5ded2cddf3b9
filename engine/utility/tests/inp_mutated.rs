//! Spoilt texts of networks: a network whose rows point to rows that are there and whose quality can be followed, or
//! problems; never a panic.

#[path = "common/spoilt.rs"]
mod spoilt;

use proptest::prelude::*;
use spoilt::{changes, with_changes};
use std::path::Path;
use urbis_utility::water::inp;
use urbis_utility::water::network::{NONE, PumpLift, QualityKind};
use urbis_utility::water::quality::QualityRun;

const TEXT: &str = include_str!("data/water/all_sections.inp");
const PIECES: [&str; 24] = [
    "",
    "-1",
    "0",
    "1e300",
    "nan",
    "inf",
    "-",
    "J1",
    "T1",
    "R 1",
    "P1",
    "V1",
    "\"",
    ";",
    "[",
    "[PIPES]\n",
    "[END]",
    "*",
    ":",
    "1:2",
    "OPEN",
    "day",
    "é",
    "AT TIME",
];

fn read(text: &str) {
    let Ok(file) = inp::parse(Path::new("spoilt.inp"), text) else { return };
    let net = file.network;
    let (nodes, links) = (net.nodes.id.len(), net.links.id.len());
    let is_row = |row: u32, count: usize| (row as usize) < count;
    let may_be = |row: u32, count: usize| row == NONE || is_row(row, count);
    let (patterns, curves) = (net.patterns.len(), net.curves.len());
    assert!(net.links.from.iter().chain(&net.links.to).chain(&net.tanks.node).all(|row| is_row(*row, nodes)));
    assert!(net.demands.node.iter().all(|row| is_row(*row, nodes)));
    assert!(net.demands.pattern.iter().chain(&net.nodes.head_pattern).all(|row| may_be(*row, patterns)));
    assert!(net.tanks.volume_curve.iter().chain(&net.links.curve).all(|row| may_be(*row, curves)));
    assert!(net.pumps.link.iter().all(|row| is_row(*row, links)));
    assert!(net.pumps.lift.iter().all(|lift| match lift {
        PumpLift::Curve(row) => is_row(*row, curves),
        PumpLift::Power(power_w) => *power_w > 0.0,
    }));
    assert!(net.controls.iter().all(|control| is_row(control.action.link, links)));
    assert!(net.rules.iter().flat_map(|rule| rule.then.iter().chain(&rule.otherwise)).all(|of| is_row(of.link, links)));
    assert!(!matches!(net.quality.kind, QualityKind::Trace(row) if !is_row(row, nodes)));
    assert!(net.times.hydraulic_step_s > 0 && net.times.quality_step_s > 0 && net.times.rule_step_s > 0);
    assert!(net.patterns.iter().all(|pattern| !pattern.multipliers.is_empty()));
    let mut run = QualityRun::new(&net);
    let flows: Vec<f64> = (0..links).map(|link| 0.01 * ((link * 7 % 5) as f64 - 2.0)).collect();
    let demands: Vec<f64> = (0..nodes).map(|node| 0.001 * ((node * 3 % 4) as f64 - 1.0)).collect();
    let turned: Vec<f64> = flows.iter().rev().map(|flow| -flow).collect();
    run.advance(&flows, &[], &demands, 600.0);
    run.advance(&turned, &[1000.0], &demands, 600.0);
    assert!((0..links as u32).all(|link| run.link_quality(link) >= 0.0 || run.link_quality(link).is_nan()));
}

/// The places of words.
fn words(text: &str) -> Vec<(usize, usize)> {
    let start = text.as_ptr() as usize;
    text.split_whitespace().map(|word| (word.as_ptr() as usize - start, word.len())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn words_are_others(changes in prop::collection::vec((0.0..1.0_f64, 0..PIECES.len()), 1..4)) {
        let mut text = TEXT.to_owned();
        for (at, piece) in changes {
            let places = words(&text);
            let (from, length) = places[(at * places.len() as f64) as usize];
            text.replace_range(from..from + length, PIECES[piece]);
        }
        read(&text);
    }

    #[test]
    fn pieces_are_others_and_the_end_is_cut(
        changes in changes(60, PIECES.len(), 6),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let text = with_changes(TEXT, changes, &PIECES, cut);
        read(&text);
    }

    #[test]
    fn any_words_at_all(lines in prop::collection::vec(prop::collection::vec(0..PIECES.len(), 0..9), 0..40), header in 0..30_usize) {
        let headers: Vec<&str> = TEXT.lines().filter(|line| line.starts_with('[')).collect();
        let mut text = format!("{SMALL}{}\n", headers[header % headers.len()]);
        for line in lines {
            text.extend(line.iter().flat_map(|at| [PIECES[*at], " "]));
            text.push('\n');
        }
        read(&text);
    }
}

const SMALL: &str = "[JUNCTIONS]\nJ1 0\nT1 0\n[RESERVOIRS]\n\"R 1\" 1\n[PIPES]\nP1 J1 T1 1 1 1\n";
