//! The day in operation: places, the order of those who wait, delays, the ledger.
#![allow(clippy::print_stdout, reason = "the figures are what one looks for")]

mod common;

use common::{below, good, porto_alegre};
use urbis_core::rng::Rng;
use urbis_transit::footpaths::{Footpaths, WalkSettings, stops_near};
use urbis_transit::journey::{Weights, cheapest};
use urbis_transit::operation::{BadRide, Operation, PlannedRide};
use urbis_transit::raptor::{Query, Router};
use urbis_transit::timetable::{Capacities, Timetable};
use urbis_transit::{StopIx, TransitTripIx, feed};

const H8: u32 = 8 * 3600;
const DAY_END: u32 = 2 * 86_400;

fn trip(timetable: &Timetable, id: &str, run: u32) -> TransitTripIx {
    let mut rows = 0..timetable.trips_len();
    let row = rows.find(|&row| &*timetable.trips.id[row] == id && timetable.trips.run[row] == run).unwrap();
    TransitTripIx(row as u32)
}

fn ride(timetable: &Timetable, trip: Option<TransitTripIx>, board: &str, alight: &str, walk_s: u32) -> PlannedRide {
    let stop = |id| timetable.stop_of(id).unwrap();
    PlannedRide { trip, board: stop(board), alight: stop(alight), walk_s }
}

#[test]
fn those_who_come_first_board_first_and_nobody_is_lost() {
    let mut timetable = good();
    timetable.trips.capacity.fill(2);
    let (t1, t2) = (trip(&timetable, "T1", 0), trip(&timetable, "T2", 0));
    let go = [ride(&timetable, Some(t1), "A", "C", 0)];
    let mut operation = Operation::new(std::sync::Arc::new(timetable.clone()));
    for (id, time_s) in [(10, H8 - 5), (11, H8 - 10), (12, H8), (13, H8), (14, H8 - 20)] {
        operation.hand_in(id, time_s, &go).unwrap();
    }
    // On time at B; who alights there makes a place, for one of two.
    let short = [ride(&timetable, Some(t1), "B", "C", 0)];
    operation.hand_in(20, H8 + 100, &short).unwrap();
    for until_s in (0..DAY_END).step_by(60) {
        operation.advance(until_s);
        operation.check().unwrap();
    }
    assert!(operation.is_over());
    // 14 and 11 came first; 10, 12 take T2, where only two fit; 13 and 20 have no vehicle any more.
    let arrived = operation.take_arrived();
    assert_eq!(arrived, [(14, H8 + 540), (11, H8 + 540), (10, H8 + 4200), (12, H8 + 4200)]);
    assert_eq!(operation.stranded(), [13, 20]);
    let ledger = operation.ledger();
    assert_eq!((ledger.handed_in, ledger.waiting, ledger.done), (6, 2, 4));
    let loads = operation.take_loads();
    let of = |trip| loads.iter().filter(move |row| row.trip == trip);
    let figures: Vec<_> =
        of(t1).map(|row| (row.place, row.boarded, row.alighted, row.on_board, row.left_behind)).collect();
    assert_eq!(figures, [(0, 2, 0, 2, 3), (1, 0, 0, 2, 1), (2, 0, 2, 0, 0)]);
    let figures: Vec<_> =
        of(t2).map(|row| (row.place, row.boarded, row.alighted, row.on_board, row.left_behind)).collect();
    assert_eq!(figures, [(0, 2, 0, 2, 1), (1, 0, 0, 2, 1), (2, 0, 2, 0, 0)]);
    assert_eq!(operation.left_behind(), 6);
    assert_eq!(loads.len(), timetable.calls_len());
}

#[test]
fn delays_go_downstream_and_break_connections() {
    let timetable = good();
    let (t1, f1) = (trip(&timetable, "T1", 0), trip(&timetable, "F1", 1));
    // T1 is at B at 8:03, the tram leaves at 8:10 and every ten minutes after.
    let way = [ride(&timetable, Some(t1), "A", "B", 0), ride(&timetable, Some(f1), "B", "D", 60)];
    let run = |delays: &[(u32, u32)]| {
        let mut operation = Operation::new(std::sync::Arc::new(timetable.clone()));
        operation.hand_in(1, H8, &way).unwrap();
        for &(at_s, delay_s) in delays {
            operation.advance(at_s);
            operation.set_delay(t1, delay_s);
        }
        operation.advance(DAY_END);
        operation.check().unwrap();
        let rows: Vec<(u32, u32)> = operation
            .take_loads()
            .iter()
            .filter(|row| row.trip == t1)
            .map(|row| (row.time_s - H8, row.delay_s))
            .collect();
        (operation.take_arrived()[0].1 - H8, rows)
    };
    assert_eq!(run(&[]), (840, vec![(0, 0), (180, 0), (540, 0)]));
    // Late by 6 minutes: 8:09 and a minute's walk just catch 8:10; by 7 minutes they do not.
    assert_eq!(run(&[(0, 360)]), (840, vec![(360, 360), (540, 360), (900, 360)]));
    assert_eq!(run(&[(0, 420)]).0, 1440);
    // Set when the trip has left A: only what is ahead is late. Taken back at 8:08: it goes on at once, not in the past.
    assert_eq!(run(&[(H8 + 60, 420)]).1, [(0, 0), (600, 420), (960, 420)]);
    assert_eq!(run(&[(H8 + 60, 420), (H8 + 480, 0)]), (840, vec![(0, 0), (480, 300), (540, 0)]));
    // Set and taken back before it matters.
    assert_eq!(run(&[(0, 420), (H8, 0)]), run(&[]));
}

#[test]
fn any_pattern_will_do_for_those_who_planned_no_trip_or_missed_it() {
    let timetable = good();
    let (t1, t2) = (trip(&timetable, "T1", 0), trip(&timetable, "T2", 0));
    let mut operation = Operation::new(std::sync::Arc::new(timetable.clone()));
    // Too late for the planned one; no plan; plan for the later one, but the earlier one of the pattern comes by.
    operation.hand_in(1, H8 + 1, &[ride(&timetable, Some(t1), "A", "C", 0)]).unwrap();
    operation.hand_in(2, H8, &[ride(&timetable, None, "A", "C", 0)]).unwrap();
    operation.hand_in(3, H8, &[ride(&timetable, Some(t2), "A", "C", 0)]).unwrap();
    // Nothing goes back.
    operation.hand_in(4, H8, &[ride(&timetable, None, "C", "A", 0)]).unwrap();
    operation.advance(DAY_END);
    let same = timetable.trips.pattern[t1.row()] == timetable.trips.pattern[t2.row()];
    let (early, late) = (H8 + 540, H8 + 4200);
    let expected = if same { [(2, early), (3, early), (1, late)] } else { [(2, early), (3, late), (1, late)] };
    assert_eq!(operation.take_arrived(), expected);
    assert_eq!(operation.stranded(), [4]);
    operation.check().unwrap();
}

#[test]
fn rides_that_cannot_be_are_refused() {
    let timetable = good();
    let t1 = trip(&timetable, "T1", 0);
    let mut operation = Operation::new(std::sync::Arc::new(timetable.clone()));
    assert_eq!(operation.hand_in(1, 0, &[]), Err(BadRide::Empty));
    let back = ride(&timetable, Some(t1), "C", "A", 0);
    assert_eq!(operation.hand_in(1, 0, &[back]), Err(BadRide::NotServed(0)));
    let beyond = PlannedRide { board: StopIx(99), ..back };
    assert_eq!(operation.hand_in(1, 0, &[beyond]), Err(BadRide::Unknown(0)));
    let beyond = PlannedRide { trip: Some(TransitTripIx(99)), ..back };
    assert_eq!(operation.hand_in(1, 0, &[beyond]), Err(BadRide::Unknown(0)));
    operation.set_delay(TransitTripIx(99), 5);
    assert_eq!(operation.ledger().handed_in, 0);
}

/// People of Porto Alegre by their cheapest journeys.
#[test]
fn a_day_of_porto_alegre_closes_its_ledger_and_undelayed_people_arrive_as_planned() {
    let Some(feeds) = porto_alegre() else { return };
    let read = feed::read(&feeds, common::PORTO_ALEGRE_DATE, &Capacities::default());
    let (mut timetable, _) = read.into_result().unwrap();
    let footpaths = Footpaths::straight(&timetable, &WalkSettings::default());
    let (x, y) = (&timetable.stops.x_m, &timetable.stops.y_m);
    let settings = WalkSettings { radius_m: 500.0, ..WalkSettings::default() };
    let queries: Vec<Query> = (0..3000)
        .map(|number| {
            let mut rng = Rng::new(9, number, 0, 0);
            let mut near = || {
                let stop = below(&mut rng, timetable.stops_len());
                stops_near(&timetable, x[stop], y[stop], &settings)
            };
            let (access, egress) = (near(), near());
            Query { depart_s: 6 * 3600 + rng.below(8 * 3600), access, egress, walk_s: None, rides_max: 4 }
        })
        .collect();
    let router = Router::new(&timetable, &footpaths);
    let itineraries: Vec<(u32, u32, Vec<PlannedRide>)> = router
        .journeys_batch(&queries)
        .iter()
        .filter_map(|journeys| {
            let journey = cheapest(journeys, &Weights::default())?;
            let urbis_transit::journey::Leg::Walk { end_s, .. } = journey.legs[0] else { return None };
            let urbis_transit::journey::Leg::Walk { start_s, .. } = *journey.legs.last()? else { return None };
            Some((end_s, start_s, router.planned_rides(journey)))
        })
        .collect();
    assert!(itineraries.len() > 2000, "{}", itineraries.len());
    let run = |timetable: &Timetable, step_s: usize, late: bool| {
        let mut operation = Operation::new(std::sync::Arc::new(timetable.clone()));
        if late {
            let mut rng = Rng::new(9, 0, 0, 5);
            (0..timetable.trips_len() as u32).for_each(|trip| operation.set_delay(TransitTripIx(trip), rng.below(900)));
        }
        for (id, (time_s, _, rides)) in itineraries.iter().enumerate() {
            operation.hand_in(id as u64, *time_s, rides).unwrap();
        }
        for until_s in (0..=DAY_END as usize).step_by(step_s) {
            operation.advance(until_s as u32);
            if until_s % 3600 == 0 {
                operation.check().unwrap();
            }
        }
        let ledger = operation.ledger();
        assert_eq!(operation.stranded().len() as u64, ledger.waiting);
        assert_eq!(ledger.handed_in, ledger.waiting + ledger.done);
        (operation.take_arrived(), operation.take_loads(), operation.left_behind())
    };
    // Room for all: the few trips of this feed are full at some hours.
    timetable.trips.capacity.fill(5000);
    let (arrived, loads, left_behind) = run(&timetable, 60, false);
    assert_eq!((arrived.len(), left_behind), (itineraries.len(), 0));
    // Never later than planned; sooner where an earlier trip of the pattern comes by.
    assert!(arrived.iter().all(|&(id, time_s)| time_s <= itineraries[id as usize].1));
    assert_eq!(loads.len(), timetable.calls_len());
    assert_eq!((arrived, loads, left_behind), run(&timetable, 3600, false));
    let boarded = |loads: &[urbis_transit::operation::LoadRow]| loads.iter().map(|row| row.boarded).sum::<u32>();
    timetable.trips.capacity.fill(2);
    let (arrived, loads, left_behind) = run(&timetable, 60, true);
    assert!(left_behind > 0 && loads.iter().all(|row| row.on_board <= 2));
    println!(
        "2 places, delays: {} of {} arrive, {} boardings, {left_behind} left",
        arrived.len(),
        itineraries.len(),
        boarded(&loads)
    );
}
