//! A made-up city's people through a day: counts are exact, chains are joined, nobody is lost.

use bevy_ecs::prelude::*;
use geo::{MultiPolygon, Point, polygon};
use std::collections::BTreeMap;
use urbis_city::model::{BuildingUse, City, PanelRow};
use urbis_core::{Clock, NodeIx, ZoneIx};
use urbis_population::plans::day_tables::DayTables;
use urbis_population::plans::{Mode, Plans};
use urbis_population::presence::NEVER;
use urbis_population::settings::{ExternalGroup, PersonKind, PopulationSettings, Wave};
use urbis_population::telework::Telework;
use urbis_population::{
    Cells, LongTerm, People, Persons, Place, Places, Planner, SimpleTrips, Skims, TripStarts, advance_simple_modes,
    install, start_trips,
};

/// Two zones of 40 buildings each along a line, an external node at each end.
fn city() -> City {
    let mut city = City::default();
    city.manifest.name = "line".into();
    let square = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0)];
    for (zone, residents) in [("left", 700.0), ("right", 301.0)] {
        city.zones.id.push(zone.into());
        city.zones.name.push(zone.into());
        city.zones.area_m2.push(1e6);
        city.zones.shape.push(MultiPolygon(vec![square.clone()]));
        city.panel.push(PanelRow {
            zone_id: zone.into(),
            indicator: "residents".into(),
            value: residents,
            ..PanelRow::default()
        });
    }
    city.panel.push(PanelRow { zone_id: "line".into(), indicator: "jobs".into(), value: 500.0, ..PanelRow::default() });
    for row in 0..80 {
        let table = &mut city.buildings;
        table.id.push(format!("b{row}"));
        table.zone.push(ZoneIx(u32::from(row >= 40)));
        table.purpose.push(BuildingUse::NAMED[row % 8].0);
        table.floor_area_m2.push(1000.0);
        table.dwellings.push(if row % 8 == 0 { 10 } else { 0 });
        table.x_m.push(50.0 * row as f64);
        table.y_m.push(0.0);
        table.car_node.push(NodeIx(0));
        table.shape.push(square.clone());
    }
    for (name, x_m) in [("external:west", -3000.0), ("external:east", 7000.0)] {
        city.nodes.id.push(name.into());
        city.nodes.point.push(Point::new(0.0, 0.0));
        city.nodes.x_m.push(x_m);
        city.nodes.y_m.push(0.0);
        city.nodes.external.push(true);
    }
    city
}

fn settings() -> PopulationSettings {
    let group = |name: &str, kind, persons_per_day, fills_border_count| ExternalGroup {
        name: name.into(),
        kind,
        persons_per_day,
        fills_border_count,
        fill_share: 1.0,
        mode_shares: BTreeMap::from([(Mode::Car, 0.5), (Mode::Transit, 0.5)]),
        gateway_shares: BTreeMap::from([("west".into(), 0.25), ("east".into(), 0.75)]),
        arrivals: vec![Wave { share: 1.0, at_h: 9.0, sd_h: 1.0 }],
        stay_h: 3.0,
        stay_sd_h: 1.0,
        stops: 2.0,
    };
    PopulationSettings {
        work_outside_share: 0.1,
        border_crossings_per_day: Some(2000.0),
        external: vec![
            group("commuters", PersonKind::Commuter, 400.0, false),
            group("visitors", PersonKind::Visitor, 0.0, true),
        ],
        ..PopulationSettings::default()
    }
}

/// People and their plans under skims that follow the straight line.
fn plan(world: &mut World, settings: &PopulationSettings, seed: u64, clock: &Clock) -> urbis_core::Result<()> {
    let before = PopulationSettings { telework: Vec::new(), ..settings.clone() };
    install(world, &city(), settings, seed)?;
    let skims = Skims::straight(world.resource::<Cells>());
    world.insert_resource(skims.clone());
    let tables = DayTables::shipped()?;
    let long_term = LongTerm::settle(world, &city(), &before, &tables, &skims, seed, clock)?;
    Planner::install(world, &city(), settings, tables, long_term, seed, clock)
}

fn world(settings: &PopulationSettings, seed: u64) -> World {
    let clock = Clock::new(0, 3 * 3600, 86_400);
    let mut world = World::new();
    plan(&mut world, settings, seed, &clock).unwrap();
    world.insert_resource(clock);
    world
}

#[test]
fn counts_are_exact_and_chains_are_joined() {
    let world = world(&settings(), 1);
    let (persons, plans, places) = (world.resource::<Persons>(), world.resource::<Plans>(), world.resource::<Places>());
    let count = |kind| persons.kind.iter().filter(|&&of| of == kind).count();
    assert_eq!(count(PersonKind::Resident), 1001);
    assert_eq!(count(PersonKind::Commuter), 340, "85 % of 400");
    let in_left = (0..persons.len())
        .filter(|&row| persons.kind[row] == PersonKind::Resident && places.zone[persons.home[row].row()] == ZoneIx(0))
        .count();
    assert_eq!(in_left, 700);
    assert!(persons.home.iter().all(|home| places.building(*home).is_none_or(|building| building.0 % 8 == 0)));
    for person in persons.indices() {
        let mut at = persons.home[person.row()];
        let mut earliest = 0;
        for trip in plans.trips_of(person) {
            let trip = trip as usize;
            assert_eq!(plans.person[trip], person);
            assert_eq!(plans.from[trip], at);
            assert_ne!(plans.to[trip], at);
            assert!(plans.planned[trip] >= earliest);
            earliest = plans.planned[trip];
            at = plans.to[trip];
        }
    }
    let crossings = plans.planned_crossings(places, 86_400);
    assert!((1900..=2100).contains(&crossings), "{crossings} planned for 2000 counted");
}

#[test]
fn commuters_who_stay_at_home_are_not_made_up_for_by_visitors() {
    let at = vec![true; world(&settings(), 1).resource::<Places>().len()];
    let all = Telework { share: 1.0, able_share: 1.0, commuters: true, at, days: (0, 9) };
    let with = PopulationSettings { telework: vec![all], ..settings() };
    let [before, after] = [settings(), with].map(|settings| {
        let world = world(&settings, 1);
        let (persons, plans) = (world.resource::<Persons>(), world.resource::<Plans>());
        let visitors = persons.kind.iter().filter(|&&kind| kind == PersonKind::Visitor).count();
        (visitors, plans.planned_crossings(world.resource::<Places>(), 86_400))
    });
    assert!(before.0 > 0 && before.0 == after.0, "{before:?} {after:?}");
    // Half of 340 commuters come by car, there and back.
    assert!((280..=400).contains(&(before.1 - after.1)), "{before:?} {after:?}");
}

#[test]
fn equal_seeds_give_equal_people_on_any_number_of_threads() {
    let plans_on = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| format!("{:?}", world(&settings(), seed).resource::<Plans>()))
    };
    assert_eq!(plans_on(1, 7), plans_on(3, 7));
    assert_ne!(plans_on(1, 7), plans_on(1, 8));
}

/// Everybody moves by simple modes here, so that the day can be stepped without roads.
#[test]
fn a_day_brings_everybody_home_and_loses_nobody() {
    let mut world = world(&settings(), 3);
    let mut schedule = Schedule::default();
    schedule.add_systems(
        (|mut clock: ResMut<'_, Clock>| clock.advance(), start_trips, dispatch, advance_simple_modes, end).chain(),
    );
    let persons = world.resource::<Persons>().len() as u64;
    let mut travelled = 0;
    while world.resource::<Clock>().has_next() {
        schedule.run(&mut world);
        let people = world.resource::<People>();
        travelled = travelled.max(people.travelling);
        let present: u64 = people.present.iter().map(|&count| u64::from(count)).sum();
        assert_eq!(present + u64::from(people.travelling), persons);
        assert_eq!(people.travelling as usize, world.resource::<SimpleTrips>().under_way());
    }
    assert!(travelled > 100, "{travelled} at most on the way");
    let (people, plans) = (world.resource::<People>(), world.resource::<Plans>());
    let missed = (0..plans.len()).filter(|&trip| plans.planned[trip] < 80_000 && people.started[trip] == NEVER).count();
    assert_eq!(missed, 0, "of {} trips", plans.len());
    let persons = world.resource::<Persons>();
    let home = (0..persons.len()).filter(|&row| people.place[row] == persons.home[row]).count();
    assert!(home as f64 > 0.95 * persons.len() as f64, "{home} of {}", persons.len());
}

fn dispatch(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    starts: Res<'_, TripStarts>,
    mut simple: ResMut<'_, SimpleTrips>,
) {
    for &trip in &starts.trips {
        simple.start(trip, clock.tick(), &plans);
    }
}

fn end(clock: Res<'_, Clock>, plans: Res<'_, Plans>, simple: Res<'_, SimpleTrips>, mut people: ResMut<'_, People>) {
    for &trip in &simple.ended {
        people.end_trip(&plans, trip, clock.tick());
    }
}

#[test]
fn a_rejected_trip_is_taken_back() {
    let mut world = world(&settings(), 4);
    let plans = world.resource::<Plans>().clone();
    let mut people = world.resource_mut::<People>();
    let before = people.present.clone();
    let trip = plans.planned_at((0..86_400).find(|&tick| !plans.planned_at(tick).is_empty()).unwrap())[0];
    let place = plans.from[trip.row()];
    people.place[plans.person[trip.row()].row()] = Place::TRAVELLING;
    people.present[place.row()] -= 1;
    people.travelling += 1;
    people.reject_trip(&plans, trip);
    assert_eq!(people.present, before);
    assert!(people.is_rejected[trip.row()]);
}

#[test]
fn a_group_through_an_unknown_gateway_is_an_error() {
    let mut settings = settings();
    settings.external[0].gateway_shares = BTreeMap::from([("north".into(), 1.0)]);
    let error = plan(&mut World::new(), &settings, 1, &Clock::new(0, 0, 86_400)).unwrap_err();
    let urbis_core::Error::Input(problems) = error else { panic!("{error}") };
    assert!(problems.listed()[0].to_string().contains("`north`"), "{:?}", problems.listed());
}
