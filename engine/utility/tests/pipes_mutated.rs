//! The reader of pandapipes on spoilt files with every kind of element: a network or problems, never a panic; what is read
//! can be solved or says why not.

#[path = "common/spoilt.rs"]
mod spoilt;

use proptest::prelude::*;
use spoilt::{changes, unpacked, with_changes, with_value};
use std::path::Path;
use std::sync::LazyLock;
use urbis_utility::gas::GasFlow;
use urbis_utility::heat::{HeatFlow, HeatSettings};
use urbis_utility::pipes::pandapipes;
use urbis_utility::pipes::solver::HydraulicSettings;

static TEXTS: LazyLock<[String; 4]> = LazyLock::new(|| {
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
        let text = with_value(&TEXTS[which], at, PIECES[piece]);
        read_and_solve(&text);
    }

    #[test]
    fn pieces_are_others_and_the_end_is_cut(
        which in 0..4_usize,
        changes in changes(30, PIECES.len(), 5),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let text = with_changes(&TEXTS[which], changes, &PIECES, cut);
        read_and_solve(&text);
    }
}
