#![allow(clippy::print_stdout)] // tests print the figures they found

//! Operation from outside: a ring of stations, opened at one leg, of which everything is known by hand.

use proptest::prelude::*;
use urbis_utility::power::grid::tables::{Branch, Bus, Load};
use urbis_utility::power::operation::{Breakers, Element, Fault, Indices, Interruption, Operation, OperationSettings};
use urbis_utility::power::{Grid, Method, NewtonSettings, PowerFlow};

/// Stations of the ring; the busbar is bus 0, and branch `i` leads from bus `i` to bus `i + 1`, the last one back to 0.
const STATIONS: usize = 4;
const BASE_VA: f64 = 1e6;

/// Busbar and stations in a ring, whose branch `tie` is open; 10, 20, 30 ... customers at stations 1, 2, 3 ..., which draw
/// 100 kW each station. Breakers are at the busbar.
fn ring(stations: usize, tie: usize, rating_va: f64) -> (PowerFlow, Vec<Breakers>, Vec<u32>) {
    let mut grid = Grid::new(BASE_VA);
    grid.buses.push(Bus::slack("busbar", 20e3, 1.0));
    for station in 1..=stations {
        let bus = grid.buses.push(Bus::pq(format!("station {station}"), 20e3));
        grid.loads.push(Load {
            bus,
            p_w: 1e5,
            q_var: 2e4,
            current_share: 0.0,
            impedance_share: 0.0,
            is_in_service: true,
        });
    }
    for row in 0..=stations {
        let (from, to) = (row as u32, ((row + 1) % (stations + 1)) as u32);
        let is_tie = row == tie;
        let line = Branch::line(from, to, (0.2, 0.1), 0.0, 20e3, BASE_VA);
        grid.branches.push(Branch { rating_va, is_in_service: !is_tie, can_close: is_tie, ..line });
    }
    let breakers = (0..=stations).map(|row| Breakers { at_from: row == 0, at_to: row == stations }).collect();
    let customers = (0..=stations as u32).map(|bus| 10 * bus).collect();
    (PowerFlow::new(grid).unwrap(), breakers, customers)
}

fn fault(start_s: u32, element: Element, repair_s: u32) -> Fault {
    Fault { start_s, element, repair_s, name: format!("{element:?}") }
}

/// Runs steps of a quarter of an hour for so many hours; customers off after each, and what is left.
fn run(
    (mut flow, breakers, customers): (PowerFlow, Vec<Breakers>, Vec<u32>),
    settings: &OperationSettings,
    faults: &[Fault],
    hours: u32,
) -> (Operation, PowerFlow) {
    let all: u32 = customers.iter().sum();
    let mut operation = Operation::new(&flow, settings, breakers, customers.clone(), faults).unwrap();
    for step in 0..4 * hours {
        operation.prepare(&mut flow, 900 * step, 900);
        assert!(flow.solve(Method::Newton, &NewtonSettings::default()).is_converged);
        operation.review(&mut flow, 900 * step, 900);
        let lit: u32 =
            (0..customers.len()).filter(|&bus| flow.is_energised(bus as u32)).map(|bus| customers[bus]).sum();
        assert_eq!(lit + operation.dark_customers(), all, "everybody has supply or has not");
        // A loop would be as many closed branches as buses.
        let closed = flow.grid().branches.is_in_service.iter().filter(|&&is_closed| is_closed).count();
        assert!(closed < customers.len(), "no loop");
    }
    (operation, flow)
}

fn rows(of: &Operation) -> Vec<(u32, Option<u32>, u32)> {
    of.interruptions().iter().map(|of| (of.from_s, of.to_s, of.customers)).collect()
}

/// The cable between stations 1 and 2 fails after 1000 s: the feeder is dark (10 + 20), station 1 is back when it is cut
/// off half an hour later, station 2 over the tie after another.
#[test]
fn a_cable_fault_is_cut_off_and_supplied_from_the_other_side() {
    let ring = ring(STATIONS, 2, 1e6);
    let normal = ring.0.grid().branches.is_in_service.clone();
    let (of, flow) = run(ring, &OperationSettings::default(), &[fault(1000, Element::Branch(1), 43_200)], 13);
    assert_eq!(rows(&of), [(1000, Some(2800), 10), (1000, Some(4600), 20)]);
    let indices = of.indices(13 * 3600);
    println!("{indices:?}");
    // 30 of 100 customers; 10 for 30 and 20 for 60 minutes.
    assert!((indices.saifi - 0.3).abs() < 1e-12 && (indices.saidi_min - 15.0).abs() < 1e-12);
    assert!((indices.caidi_min - 50.0).abs() < 1e-9 && (indices.customer_minutes - 1500.0).abs() < 1e-9);
    assert!((indices.asai - (1.0 - 15.0 / (13.0 * 60.0))).abs() < 1e-12);
    let happened: Vec<(u32, &str)> = of.log().iter().map(|of| (of.time_s, of.what.name())).collect();
    assert_eq!(happened, [(1000, "tripped"), (2800, "isolated"), (4600, "restored"), (44_200, "repaired")]);
    assert_eq!(of.log()[0].opened, [1, 0]);
    assert_eq!((&of.log()[2].closed, &of.log()[3].opened), (&vec![2], &vec![2]));
    assert_eq!(flow.grid().branches.is_in_service, normal, "all is as it was");
}

/// Where the other side cannot carry it, the tie stays open until the repair.
#[test]
fn a_tie_that_would_be_overloaded_stays_open() {
    // The other leg carries two stations of 102 kVA; with a third one it were at 306 of 250 kVA: 122 %.
    let settings = OperationSettings::default();
    let faults = [fault(0, Element::Branch(1), 36_000)];
    let (of, _) = run(ring(STATIONS, 2, 250e3), &settings, &faults, 12);
    assert_eq!(rows(&of), [(0, Some(1800), 10), (0, Some(36_000), 20)]);
    let more = OperationSettings { emergency_loading_max_percent: 125.0, ..settings };
    let (of, _) = run(ring(STATIONS, 2, 250e3), &more, &faults, 12);
    assert_eq!(rows(&of), [(0, Some(1800), 10), (0, Some(3600), 20)]);
}

/// A bus takes all that ends there with it; a station behind it is supplied from the other side.
#[test]
fn a_bus_stays_dark_until_it_is_repaired() {
    let (of, _) = run(ring(STATIONS, 2, 1e6), &OperationSettings::default(), &[fault(500, Element::Bus(1), 7200)], 4);
    assert_eq!(rows(&of), [(500, Some(4100), 20), (500, Some(7700), 10)]);
    // The busbar itself: everything, and no tie helps.
    let (of, _) = run(ring(STATIONS, 2, 1e6), &OperationSettings::default(), &[fault(500, Element::Bus(0), 7200)], 4);
    assert_eq!(rows(&of), [(500, Some(7700), 100)]);
}

/// At low voltage there are no switches: what hangs on the fuse is dark until the repair, the rest is not.
#[test]
fn a_fault_at_low_voltage_blows_its_fuse() {
    let mut grid = Grid::new(BASE_VA);
    let source = grid.buses.push(Bus::slack("busbar", 400.0, 1.0));
    let mut last = source;
    for house in 1..=3 {
        let bus = grid.buses.push(Bus::pq(format!("house {house}"), 400.0));
        grid.branches.push(Branch::line(last, bus, (0.01, 0.01), 0.0, 400.0, BASE_VA));
        last = if house == 2 { source } else { bus };
    }
    let fuse = Breakers { at_from: true, at_to: false };
    let breakers = vec![fuse, Breakers::default(), fuse];
    let ring = (PowerFlow::new(grid).unwrap(), breakers, vec![0, 1, 1, 1]);
    let (of, _) = run(ring, &OperationSettings::default(), &[fault(0, Element::Branch(1), 5000)], 2);
    assert_eq!(rows(&of), [(0, Some(5000), 2)]);
}

/// 2.4 times the rated current, twice the pickup current: the curve says 10.03 s. What remains carries all, and opens too.
#[test]
fn overload_opens_breakers_one_after_the_other() {
    let mut grid = Grid::new(BASE_VA);
    let source = grid.buses.push(Bus::slack("source", 20e3, 1.0));
    let bus = grid.buses.push(Bus::pq("town", 20e3));
    for rating_va in [250e3, 400e3] {
        let line = Branch::line(source, bus, (0.0001, 0.0001), 0.0, 20e3, BASE_VA);
        grid.branches.push(Branch { rating_va, ..line });
    }
    let load = Load { bus, p_w: 1.2e6, q_var: 0.0, current_share: 0.0, impedance_share: 0.0, is_in_service: true };
    grid.loads.push(load);
    let mut flow = PowerFlow::new(grid).unwrap();
    let settings = OperationSettings { trips_on_overload: true, reclose_s: 100, ..OperationSettings::default() };
    let mut of = Operation::new(&flow, &settings, vec![Breakers::BOTH; 2], vec![0, 7], &[]).unwrap();
    for step in 0..60 {
        of.prepare(&mut flow, step, 1);
        flow.solve(Method::Newton, &NewtonSettings::default());
        of.review(&mut flow, step, 1);
    }
    // Each line carries 600 kVA. The first opens in the eleventh second. The second has passed 11 s of 31.9 at 1.25 times
    // its pickup by then and is at 2.5 times it from there on, for which the curve says 7.57 s.
    let happened: Vec<(u32, &[u32], u32)> =
        of.log().iter().map(|of| (of.time_s, &of.opened[..], of.dark_customers)).collect();
    println!("{happened:?}");
    let t = |over: f64| 0.14 / (over.powf(0.02) - 1.0);
    let second = 11 + ((1.0 - 11.0 / t(600.0 / 400.0 / 1.2)) * t(1200.0 / 400.0 / 1.2)).ceil() as u32;
    assert_eq!(happened, [(11, &[0][..], 0), (second, &[1][..], 7)]);
    for step in 60..200 {
        of.prepare(&mut flow, step, 1);
        flow.solve(Method::Newton, &NewtonSettings::default());
    }
    assert_eq!(of.dark_customers(), 0, "they close again");
    assert_eq!(rows(&of), [(second, Some(second.min(11) + 100), 7)]);
}

/// As IEEE Std 1366 counts: interruptions up to five minutes are momentary.
#[test]
fn short_interruptions_are_momentary() {
    let of = |from_s, to_s, customers| Interruption { cause: String::new(), from_s, to_s: Some(to_s), customers };
    let rows = [of(0, 300, 50), of(0, 301, 10), of(1000, 1000 + 3600, 40)];
    let indices = Indices::new(&rows, 200, 7200, 300);
    assert!((indices.maifi - 0.25).abs() < 1e-12 && (indices.saifi - 0.25).abs() < 1e-12);
    assert!((indices.customer_minutes - (10.0 * 301.0 / 60.0 + 40.0 * 60.0)).abs() < 1e-9);
    assert!((indices.caidi_min - indices.customer_minutes / 50.0).abs() < 1e-9);
    assert!(Indices::new(&[], 0, 7200, 300).saidi_min.abs() < 1e-12);
}

/// A fault on a feeder that another fault has opened keeps it open until it too is cut off, and no tie is closed onto it.
#[test]
fn nothing_is_supplied_onto_a_second_fault() {
    let settings = OperationSettings::default();
    let faults = [fault(0, Element::Branch(1), 43_200), fault(1000, Element::Branch(0), 43_200)];
    let (of, _) = run(ring(STATIONS, 2, 1e6), &settings, &faults, 13);
    // The first is cut off at 1800 s, but its feeder closes when the second is, at 2800 s, and is cut at its root: station 1
    // has no way until both are repaired, of which the second is the later; station 2 is supplied from the other side.
    assert_eq!(rows(&of), [(0, Some(3600), 20), (0, Some(43_200), 10)]);
    // A second fault where the tie would feed: it waits until that one is cut off and tries again then.
    let faults = [fault(0, Element::Branch(1), 43_200), fault(2000, Element::Bus(2), 5000)];
    let (of, _) = run(ring(STATIONS, 2, 1e6), &settings, &faults, 13);
    assert_eq!(rows(&of), [(0, Some(1800), 10), (0, Some(7000), 20)]);
}

/// Nobody misses an open tie, and where ties are not to be closed none is, whatever is repaired.
#[test]
fn ties_fail_unnoticed_and_stay_open_where_they_are_to() {
    let (of, _) =
        run(ring(STATIONS, 2, 1e6), &OperationSettings::default(), &[fault(100, Element::Branch(2), 5000)], 3);
    assert!(rows(&of).is_empty());
    let settings = OperationSettings { closes_ties: false, ..OperationSettings::default() };
    let faults = [fault(0, Element::Branch(1), 30_000), fault(3000, Element::Branch(4), 6000)];
    let (of, _) = run(ring(STATIONS, 2, 1e6), &settings, &faults, 9);
    assert!(of.log().iter().all(|entry| !entry.closed.contains(&2)));
}

/// Who has no source at the start is no customer; rows that are not there are refused.
#[test]
fn what_is_dark_from_the_start_is_nobodys_interruption() {
    let (mut flow, breakers, customers) = ring(STATIONS, 2, 1e6);
    flow.set_branch_in_service(1, false);
    flow.update();
    let of = Operation::new(&flow, &OperationSettings::default(), breakers.clone(), customers.clone(), &[]).unwrap();
    assert_eq!((of.indices(3600).customers, of.dark_customers()), (80, 0));
    for wrong in [fault(0, Element::Bus(99), 1), fault(0, Element::Branch(99), 1)] {
        let error = Operation::new(&flow, &OperationSettings::default(), breakers.clone(), customers.clone(), &[wrong]);
        assert!(format!("{:?}", error.unwrap_err()).contains("99"));
    }
    assert!(Operation::new(&flow, &OperationSettings::default(), Vec::new(), customers, &[]).is_err());
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let (flow, breakers, customers) = ring(STATIONS, 2, 1e6);
    let settings = OperationSettings { pickup: 0.0, emergency_vm_min_pu: -1.0, ..OperationSettings::default() };
    let error = Operation::new(&flow, &settings, breakers, customers, &[]).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("pickup = 0") && text.contains("emergency_vm_min_pu = -1"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever fails in a ring: everybody has supply or has not, the ring stays open, and after the last repair all is as
    /// before.
    #[test]
    fn all_is_as_before_when_all_is_repaired(
        stations in 2_usize..8,
        tie in 0_usize..9,
        faults in proptest::collection::vec((0_u32..30_000, 0_u32..16, any::<bool>(), 1_u32..30_000), 1..5),
    ) {
        let ring = ring(stations, tie % (stations + 1), 1e6);
        let normal = ring.0.grid().branches.is_in_service.clone();
        let faults: Vec<Fault> = faults
            .into_iter()
            .map(|(start_s, row, is_bus, repair_s)| {
                let row = row % (stations as u32 + 1);
                fault(start_s, if is_bus { Element::Bus(row) } else { Element::Branch(row) }, repair_s)
            })
            .collect();
        let (of, flow) = run(ring, &OperationSettings::default(), &faults, 17);
        prop_assert_eq!(&flow.grid().branches.is_in_service, &normal);
        prop_assert_eq!(of.dark_customers(), 0);
        prop_assert!(of.interruptions().iter().all(|of| of.to_s.is_some_and(|to_s| to_s > of.from_s)));
    }
}
