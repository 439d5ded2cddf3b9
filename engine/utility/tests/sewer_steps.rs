//! Sewers that their caller advances: books that close, floods by node, the same again in other parts.
#![allow(clippy::print_stdout)] // figures, for those who look

use std::path::Path;
use urbis_utility::sewer::{Method, Sewer, Simulation, inp, run};

const CASES: [&str; 12] = [
    "tree_kinematic",
    "soils",
    "basins_kinematic",
    "flood_kinematic",
    "pond_kinematic",
    "dividers_kinematic",
    "tree_dynamic",
    "basins_dynamic",
    "flood_dynamic",
    "pond_dynamic",
    "pumps_dynamic",
    "channels_dynamic",
];

fn case(name: &str) -> Sewer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/sewer/{name}.inp"));
    inp::read(&path, None).unwrap_or_else(|error| panic!("{error}"))
}

/// Rain of two hours that comes, goes and comes again, mm/h by ten minutes.
const RAIN_MMPH: [f64; 12] = [0.0, 5.0, 30.0, 80.0, 20.0, 0.0, 0.0, 10.0, 40.0, 5.0, 0.0, 0.0];

#[test]
fn books_close_at_every_step_of_every_kind_of_network() {
    for name in CASES {
        let mut simulation = Simulation::stepwise(case(name));
        let mut worst: f64 = 0.0;
        let mut flooded = vec![0.0; simulation.sewer().nodes.id.len()];
        for step in 0..240_usize {
            let rain = RAIN_MMPH.get(step / 10).copied().unwrap_or(0.0);
            simulation.set_rain_mps(&[rain / 3.6e6]);
            simulation.set_inflow_m3ps(0, if step % 60 < 20 { 0.05 } else { 0.01 });
            simulation.advance(60.0);
            worst = worst.max(simulation.balance().gap());
            for (all, of_step) in flooded.iter_mut().zip(simulation.flooded_m3()) {
                assert!(*of_step >= 0.0 && of_step.is_finite(), "{name}");
                *all += of_step;
            }
        }
        let of = simulation.balance();
        let came = of.first_stored_m3 + of.wet_weather_m3 + of.dry_weather_m3 + of.external_m3;
        println!("{name:18} gap {worst:.2e}, came {came:.1}, on account {:.4} m3, {of:?}", of.account_m3);
        assert!(worst <= 1e-9, "{name}: {worst}");
        assert!((simulation.now_s() - 14_400.0).abs() < 1e-9);
        assert!(of.account_m3.abs() < 0.02 * came.max(1.0), "{name}: {} of {came} m3 on account", of.account_m3);
        // Each cubic metre that is lost came up at some node.
        assert!(flooded.iter().sum::<f64>() >= of.lost_m3 - 1e-9, "{name}");
    }
}

#[test]
fn parts_that_end_where_steps_end_change_nothing() {
    let advanced = |parts: &[f64]| {
        let mut simulation = Simulation::stepwise(case("flood_kinematic"));
        simulation.set_rain_mps(&[20.0 / 3.6e6]);
        for _ in 0..6 {
            parts.iter().for_each(|&seconds| simulation.advance(seconds));
        }
        (simulation.node_depth_m().to_vec(), simulation.balance())
    };
    let step = case("flood_kinematic").options.routing_step_s;
    let whole = advanced(&[10.0 * step]);
    let parts = advanced(&[3.0 * step, step, 6.0 * step]);
    assert_eq!(whole.0, parts.0);
    assert!((whole.1.outfalls_m3 - parts.1.outfalls_m3).abs() < 1e-9 * whole.1.outfalls_m3.abs().max(1.0));
}

#[test]
fn what_is_given_by_the_caller_is_what_a_file_could_say() {
    // A steady inflow of a file, and the same from the caller, leave the same flow.
    let text = |inflow: &str| {
        format!(
            "[OPTIONS]\nFLOW_UNITS CMS\nFLOW_ROUTING KINWAVE\nEND_TIME 04:00\nROUTING_STEP 30\n[JUNCTIONS]\nA 12 3\n\
             B 10 3\n[OUTFALLS]\nO 8 FREE\n[CONDUITS]\n1 A B 500 0.013 0 0\n2 B O 500 0.013 0 0\n[XSECTIONS]\n\
             1 CIRCULAR 1.2 0 0 0\n2 CIRCULAR 1.2 0 0 0\n{inflow}"
        )
    };
    let parse = |text: &str| inp::parse(Path::new("given.inp"), text, None).unwrap_or_else(|error| panic!("{error}"));
    let of_file = run(&parse(&text("[INFLOWS]\nA FLOW \"\" FLOW 1 1 0.4\n")));
    for method in [Method::Kinematic, Method::Dynamic] {
        let mut sewer = parse(&text(""));
        sewer.options.method = method;
        let mut simulation = Simulation::stepwise(sewer);
        simulation.set_inflow_m3ps(0, 0.4);
        (0..240).for_each(|_| simulation.advance(60.0));
        let flow = simulation.link_flow_m3ps(1);
        println!("{method:?}: {flow:.6} m3/s, account {:.6} m3", simulation.balance().account_m3);
        assert!((flow / of_file.link_flow_m3ps.last().expect("a flow") - 1.0).abs() < 1e-3);
        let of = simulation.balance();
        assert!((of.dry_weather_m3 / (0.4 * 14_400.0) - 1.0).abs() < 1e-12);
        assert!(of.gap() < 1e-12);
    }
}
