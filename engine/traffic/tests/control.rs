//! Signals in control of the engine: every kind of control, and none for want of power.
#![expect(clippy::print_stdout, reason = "tests say what they measured")]

mod common;

use common::{Run, columns, flow, kilometre};
use urbis_core::CarLinkIx;
use urbis_traffic::time::{TICK, to_seconds};
use urbis_traffic::{CarNetwork, SignalControl, SignalSettings, Signals};

/// Four roads into a junction and four out of it, each a kilometre of 0.8 vehicles/s; links 0 to 3 come
/// from the east, north, west and south, 4 to 7 go there.
fn crossroads() -> (CarNetwork, Vec<bool>) {
    let links: Vec<_> =
        (1..=4).map(|arm| (arm, 0, kilometre(0.8))).chain((1..=4).map(|arm| (0, arm, kilometre(0.8)))).collect();
    let mut columns = columns(5, &links);
    columns.x_m = vec![0.0, 1000.0, 0.0, -1000.0, 0.0];
    columns.y_m = vec![0.0, 0.0, 1000.0, 0.0, -1000.0];
    (CarNetwork::from_columns(columns).unwrap(), vec![true, false, false, false, false])
}

/// East-west and north-south straight on.
fn demand(east_west_vps: f64, north_south_vps: f64, until_s: f64) -> Vec<urbis_traffic::synthetic::FixedTrip> {
    let mut trips = Vec::new();
    for (into, out, rate) in
        [(0, 6, east_west_vps), (2, 4, east_west_vps), (1, 7, north_south_vps), (3, 5, north_south_vps)]
    {
        if rate > 0.0 {
            trips.extend(flow(&[into, out], rate, 0.0, until_s));
        }
    }
    trips
}

/// Mean delay, arrivals, and seconds of green of the four approaches.
fn run(control: SignalControl, east_west_vps: f64, north_south_vps: f64) -> (f64, usize, Vec<f64>) {
    let (network, is_signal) = crossroads();
    let mut run = Run::new(&network, demand(east_west_vps, north_south_vps, 3600.0));
    let settings = SignalSettings { control, ..SignalSettings::default() };
    let mut signals = Signals::install(&mut run.engine, &network, &is_signal, &settings, 1).unwrap();
    assert_eq!(signals.len(), 1);
    while run.engine.tick() < 3600 {
        signals.decide(&mut run.engine);
        run.step();
        run.assert_balanced();
    }
    let delay: f64 = run.arrivals.iter().map(|a| to_seconds((a.arrive - a.depart).saturating_sub(a.free_time))).sum();
    let mut approaches: Vec<_> = signals.approaches(run.engine.tick() * TICK).collect();
    approaches.sort_by_key(|approach| approach.link);
    (delay / run.arrivals.len() as f64, run.arrivals.len(), approaches.iter().map(|a| a.green_s).collect())
}

#[test]
fn every_control_serves_a_balanced_junction() {
    for control in [SignalControl::Fixed, SignalControl::Actuated, SignalControl::MaxPressure] {
        let (delay_s, arrived, green_s) = run(control, 0.25, 0.25);
        println!("{control:?}: {delay_s:.1} s, {arrived} arrived, green {green_s:.0?}");
        // 3,600 vehicles, less those on the road at the end.
        assert!(arrived > 3400 && delay_s < 60.0, "{control:?}: {arrived}, {delay_s}");
        // Opposite approaches share a stage; the two stages never overlap.
        assert!((green_s[0] - green_s[2]).abs() < 1.0 && (green_s[1] - green_s[3]).abs() < 1.0);
        assert!(green_s[0] + green_s[1] < 3600.0 && green_s[0] > 900.0 && green_s[1] > 900.0);
    }
}

#[test]
fn control_that_sees_gives_green_to_those_who_come() {
    let (fixed_s, fixed, _) = run(SignalControl::Fixed, 0.55, 0.05);
    for control in [SignalControl::Actuated, SignalControl::MaxPressure] {
        let (delay_s, arrived, green_s) = run(control, 0.55, 0.05);
        println!("{control:?}: {delay_s:.1} s against {fixed_s:.1} s, {arrived} arrived, green {green_s:.0?}");
        assert!(arrived > fixed && delay_s < fixed_s, "{control:?}");
        assert!(green_s[0] > 2.0 * green_s[1]);
    }
    // Nobody else: green throughout.
    let (delay_s, _, green_s) = run(SignalControl::Actuated, 0.3, 0.0);
    assert!(delay_s < 1.0 && green_s[0] > 3500.0, "{delay_s} {green_s:?}");
}

#[test]
fn a_dark_junction_is_an_all_way_stop() {
    let (network, is_signal) = crossroads();
    let mut run = Run::new(&network, demand(0.3, 0.3, 20_000.0));
    let settings = SignalSettings { control: SignalControl::Actuated, ..SignalSettings::default() };
    let mut signals = Signals::install(&mut run.engine, &network, &is_signal, &settings, 1).unwrap();
    let passed = |run: &mut Run, until: u32, signals: &mut Signals| -> f64 {
        let before: Vec<u32> = (0..4).map(|link| run.engine.passed(CarLinkIx(link)).1).collect();
        let start = run.engine.tick();
        while run.engine.tick() < until {
            signals.decide(&mut run.engine);
            run.step();
        }
        let all: u32 = (0..4).map(|link| run.engine.passed(CarLinkIx(link as u32)).1 - before[link]).sum();
        f64::from(all) / f64::from(until - start)
    };
    passed(&mut run, 600, &mut signals);
    let lit = passed(&mut run, 1800, &mut signals);
    signals.set_dark(&mut run.engine, &network, 0, true);
    let dark = passed(&mut run, 3600, &mut signals);
    signals.set_dark(&mut run.engine, &network, 0, false);
    passed(&mut run, 4200, &mut signals);
    let again = passed(&mut run, 6000, &mut signals);
    println!("lit {lit:.3}, dark {dark:.3}, lit again {again:.3} vehicles/s");
    // Four approaches whose lanes each go every 9.6 s when all stand there.
    assert!(dark < 0.9 * lit && dark > 0.3, "{dark}");
    assert!(again > 1.0, "{again}");
    run.assert_balanced();
}
