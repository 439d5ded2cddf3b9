//! Traffic in a world: requests in, ended and rejected trips out, routes that follow congestion.
#![expect(clippy::print_stdout, reason = "tests say what they measured")]

use bevy_ecs::schedule::{IntoScheduleConfigs, Schedule};
use bevy_ecs::system::ResMut;
use bevy_ecs::world::World;
use urbis_core::rng::Rng;
use urbis_core::{Clock, NodeIx, TripIx};
use urbis_traffic::synthetic::{Grid, LinkKind};
use urbis_traffic::{
    Departures, RejectReason, Rejected, Traffic, TrafficSettings, TripRequest, TripsEnded, advance_vehicles,
    install_network, load_departures, update_travel_times,
};

fn next_tick(mut clock: ResMut<'_, Clock>) {
    clock.advance();
}

fn world(size: u32, settings: TrafficSettings) -> (World, Schedule) {
    let mut world = World::new();
    world.insert_resource(Clock::new(0, 0, 86_400));
    install_network(&mut world, Grid::new(size, LinkKind::STREET).unwrap().network, settings).unwrap();
    let mut schedule = Schedule::default();
    schedule.add_systems((load_departures, advance_vehicles, update_travel_times, next_tick).chain());
    (world, schedule)
}

#[test]
fn trips_end_once_or_are_rejected() {
    let (mut world, mut schedule) = world(8, TrafficSettings::default());
    let request = |trip, depart, from, to| TripRequest {
        trip: TripIx(trip),
        depart,
        from: NodeIx(from),
        to: NodeIx(to),
        group: 0,
    };
    world.resource_mut::<Departures>().requests.extend([
        request(0, 0, 5, 5),
        request(1, 0, 0, 63),
        request(2, 0, 64, 1),
        request(3, 0, 1, 99),
        request(4, 30, 0, 1),
    ]);
    schedule.run(&mut world);
    let ended = &world.resource::<TripsEnded>().trips;
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].trip, ended[0].arrive_ms, ended[0].delay_ms), (TripIx(0), 0, 0));
    let reasons: Vec<_> = world.resource::<Rejected>().trips.iter().map(|(r, reason)| (r.trip.0, *reason)).collect();
    assert_eq!(reasons, [(2, RejectReason::OriginOffNetwork), (3, RejectReason::DestinationOffNetwork)]);
    assert_eq!(world.resource::<Departures>().requests.len(), 1);

    let mut ended = Vec::new();
    for _ in 0..600 {
        schedule.run(&mut world);
        ended.extend(world.resource::<TripsEnded>().trips.iter().copied());
        assert!(world.resource::<Traffic>().counts().balances());
        assert!(world.resource::<Rejected>().trips.is_empty());
    }
    assert_eq!(ended.iter().map(|trip| trip.trip.0).collect::<Vec<_>>(), [4, 1]);
    assert!((f64::from(ended[0].arrive_ms) - 63_333.0).abs() < 2.0);
    assert_eq!((ended[0].depart_ms, ended[0].entered_ms, ended[0].delay_ms), (30_000, 30_000, 0));
    assert!((ended[1].distance_m - 7000.0).abs() < 0.1);
    let counts = world.resource::<Traffic>().counts();
    assert_eq!((counts.requested, counts.arrived, counts.rejected), (5, 3, 2));
}

/// Mean travel time of commuters who all go to one corner, and everything that was observed.
fn commute(settings: TrafficSettings, threads: usize) -> (f64, Vec<(u32, u32)>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let (mut world, mut schedule) = world(12, settings);
        let mut rng = Rng::new(1, 0, 0, 0);
        let mut ended = Vec::new();
        for tick in 0..8000 {
            if tick < 3000 {
                // From one corner to the other; all the shortest routes tie, so one is taken by all.
                let mut corner = |start: u32| 12 * (start + rng.below(3)) + start + rng.below(3);
                let (from, to) = (NodeIx(corner(0)), NodeIx(corner(9)));
                world.resource_mut::<Departures>().requests.push(TripRequest {
                    trip: TripIx(tick),
                    depart: tick,
                    from,
                    to,
                    group: 0,
                });
            }
            schedule.run(&mut world);
            let (counts, table) = world.resource::<Traffic>().audit();
            assert_eq!(counts, world.resource::<Traffic>().counts());
            assert!(counts.balances() && table == counts.on_road + counts.waiting);
            ended.extend(world.resource::<TripsEnded>().trips.iter().map(|t| (t.arrive_ms, t.arrive_ms - t.depart_ms)));
        }
        assert_eq!(ended.len(), 3000);
        let mean_s = ended.iter().map(|(_, travel_ms)| f64::from(*travel_ms)).sum::<f64>() / 3.0e6;
        (mean_s, ended)
    })
}

#[test]
fn routes_that_follow_congestion_are_faster() {
    let never = TrafficSettings { travel_time_update_s: 0, ..TrafficSettings::default() };
    let (fixed_s, _) = commute(never, 2);
    let (following_s, one) = commute(TrafficSettings::default(), 1);
    println!("mean travel time: fixed routes {fixed_s:.0} s, following measured times {following_s:.0} s");
    assert!(following_s < 0.9 * fixed_s, "{following_s} {fixed_s}");
    assert!([2, 3].into_iter().all(|threads| commute(TrafficSettings::default(), threads).1 == one));
}
