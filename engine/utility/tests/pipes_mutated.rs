//! The reader of pandapipes on spoilt files with every kind of element: a network or problems, never a panic; what is read
//! can be solved or says why not.

use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;
use urbis_utility::gas::GasFlow;
use urbis_utility::heat::{HeatFlow, HeatSettings};
use urbis_utility::pipes::pandapipes;
use urbis_utility::pipes::solver::HydraulicSettings;

static TEXTS: LazyLock<[String; 4]> = LazyLock::new(|| {
    let unpacked = |bytes: &[u8]| {
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).expect("a text");
        text
    };
    [
        unpacked(include_bytes!("data/pandapipes_gas_zoo/net.json.gz")),
        unpacked(include_bytes!("data/pandapipes_heat_zoo/net.json.gz")),
        unpacked(include_bytes!("data/pandapipes_heat_mass_pump/net.json.gz")),
        unpacked(include_bytes!("data/pandapipes_water_pump/net.json.gz")),
    ]
});
const PIECES: [&str; 20] = [
    "",
    "null",
    "NaN",
    "-1",
    "0",
    "1",
    "2",
    "2.5",
    "1e300",
    "-1e-300",
    "\\\"x\\\"",
    "\\\"pi\\\"",
    "true",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "é",
];

/// The places of values: after a colon, comma or bracket, up to the next of them.
fn values(text: &str) -> Vec<(usize, usize)> {
    let is_edge = |c: char| matches!(c, ',' | '[' | ']' | ':' | '{' | '}');
    let edges: Vec<usize> = text.match_indices(is_edge).map(|(at, _)| at).collect();
    edges.windows(2).map(|pair| (pair[0] + 1, pair[1])).filter(|(from, to)| from < to).collect()
}

fn read_and_solve(text: &str) {
    let Ok(net) = pandapipes::parse(Path::new("spoilt.json"), text) else { return };
    let hydraulic =
        HydraulicSettings { friction: net.options.friction, iterations: 30, ..HydraulicSettings::default() };
    if net.network.fluid.is_gas {
        let mut flow = GasFlow::new(net.network).expect("a gas");
        let outcome = flow.solve(&hydraulic);
        if outcome.is_converged {
            let nodes = 0..flow.network().nodes.len() as u32;
            assert!(nodes.filter(|node| flow.is_supplied(*node)).all(|node| flow.pressure_pa(node) > 0.0));
        }
        (0..flow.network().elements.len())
            .for_each(|element| assert!(flow.element(element).mdot_kgps.abs() >= 0.0 || !outcome.is_converged));
    } else {
        let mut flow = HeatFlow::new(net.network).expect("a liquid");
        let outcome = flow.solve(&HeatSettings { hydraulic, rounds: 20, ..HeatSettings::default() });
        let links = 0..flow.network().links.len();
        assert!(!outcome.is_converged || links.into_iter().all(|link| flow.link(link).mdot_kgps.is_finite()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn one_value_is_another(which in 0..4_usize, at in 0.0..1.0_f64, piece in 0..PIECES.len()) {
        let mut text = TEXTS[which].clone();
        let places = values(&text);
        let (from, to) = places[(at * places.len() as f64) as usize];
        text.replace_range(from..to, PIECES[piece]);
        read_and_solve(&text);
    }

    #[test]
    fn pieces_are_others_and_the_end_is_cut(
        which in 0..4_usize,
        changes in prop::collection::vec((0.0..1.0_f64, 0..30_usize, 0..PIECES.len()), 1..5),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let mut text = TEXTS[which].clone();
        for (at, length, piece) in changes {
            let place = |at: usize, text: &str| text.floor_char_boundary(at.min(text.len()));
            let at = (at * text.len() as f64) as usize;
            let range = place(at, &text)..place(at + length, &text);
            text.replace_range(range, PIECES[piece]);
        }
        if let Some(cut) = cut {
            text.truncate(text.floor_char_boundary((cut * text.len() as f64) as usize));
        }
        read_and_solve(&text);
    }
}
