//! Readers of JSON on spoilt files with every kind of element: a grid or problems, never a panic; what is read can be
//! solved or says why not.

#[path = "common/spoilt.rs"]
mod spoilt;

use proptest::prelude::*;
use spoilt::{changes, unpacked, with_changes, with_value};
use std::path::Path;
use std::sync::LazyLock;
use urbis_utility::power::elements::loading_percent;
use urbis_utility::power::three_phase::{PhaseFlow, PhaseSettings};
use urbis_utility::power::{Method, NewtonSettings, PowerFlow, pandapower, pgm};

/// Texts of a net of each version of pandapower, of a grid of power-grid-model, of a net of three phases.
static TEXTS: LazyLock<[String; 4]> = LazyLock::new(|| {
    [
        unpacked(include_bytes!("data/pandapower_2/net.json.gz")),
        unpacked(include_bytes!("data/pandapower_3/net.json.gz")),
        include_str!("data/pgm_zoo/pgm_input.json").to_owned(),
        include_str!("data/three_phase_net.json").to_owned(),
    ]
});
const PIECES: [&str; 18] = [
    "",
    "null",
    "NaN",
    "-1",
    "0",
    "1",
    "2.5",
    "1e300",
    "-1e-300",
    "\\\"x\\\"",
    "true",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "é",
];

fn read_and_solve(which: usize, text: &str) {
    let path = Path::new("spoilt.json");
    if which == 3 {
        if let Ok(net) = pandapower::parse_three_phase(path, text)
            && let Ok(mut flow) = PhaseFlow::new(net.grid)
        {
            flow.solve(&PhaseSettings::default());
            assert!(net.buses.iter().all(|&(_, row)| flow.voltage(row).len() == 3));
        }
        return;
    }
    let read = if which < 2 { pandapower::parse(path, text) } else { pgm::parse(path, text, pgm::FREQUENCY_HZ) };
    if let Ok(named) = read
        && let Ok(mut flow) = PowerFlow::new(named.grid)
    {
        flow.solve(Method::Newton, &NewtonSettings::default());
        let loadings = named.elements.iter().filter_map(|element| loading_percent(&flow, element));
        assert!(loadings.count() <= named.elements.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn one_value_is_another(which in 0..4_usize, at in 0.0..1.0_f64, piece in 0..PIECES.len()) {
        let text = with_value(&TEXTS[which], at, PIECES[piece]);
        read_and_solve(which, &text);
    }

    #[test]
    fn pieces_are_others_and_the_end_is_cut(
        which in 0..4_usize,
        changes in changes(30, PIECES.len(), 5),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let text = with_changes(&TEXTS[which], changes, &PIECES, cut);
        read_and_solve(which, &text);
    }
}
