//! Park-and-ride through the small town: a car to the site, a bus from there, the same site on the way back; spaces that
//! fill; nobody moved but those who gain by it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use urbis::Simulation;
use urbis::coupling::{Changes, CityParking};
use urbis_core::diagnostics::Error;
use urbis_population::plans::{Mode, Purpose};
use urbis_population::{FitReport, Persons, Plans, Sites};
use urbis_tests::{EVERY_DAY, bus_line, hashes, installed, number, read_table, root, run, scenario_in};

type Row = BTreeMap<String, String>;

/// The tables of the day with a constant for park-and-ride, which in so small a town nobody would take otherwise.
fn day_tables(folder: &Path, constant_min: f64) -> PathBuf {
    let shipped = std::fs::read_to_string(root().join("assets/population/day.toml")).unwrap();
    let path = folder.join("day.toml");
    let written = "constant_min = 10.0";
    assert!(shipped.contains(written));
    std::fs::write(&path, shipped.replace(written, &format!("constant_min = {constant_min:.1}"))).unwrap();
    path
}

fn sites(capacity: u32) -> String {
    format!(
        "[[population.park_and_ride.sites]]\nname = \"west_lot\"\nlat = 50.0045\nlon = 10.0002\ncapacity = {capacity}\n\
         [[population.park_and_ride.sites]]\nname = \"east_lot\"\nlat = 50.0047\nlon = 10.0173\ncapacity = {capacity}\nfee = 0.5\n"
    )
}

/// A town with a bus, and what else is said.
fn patch(feed: &Path, tables: &Path, more: &str) -> String {
    format!(
        "[population]\nday_tables = {tables:?}\n{more}\n[transit]\nfeeds = [{feed:?}]\naccess_m = 400.0\n[output.tables]\nlegs = {{ enabled = true }}\ntours = {{ enabled = true }}\npersons = {{ enabled = true }}\nskims = {{ enabled = true }}\n"
    )
}

struct Day {
    out: PathBuf,
}

impl Day {
    fn new(folder: &Path, out: &str, threads: usize, patch: &str) -> Self {
        let scenario = scenario_in(folder, "scenarios/town/baseline.toml", patch);
        let out = folder.join(out);
        run(&scenario, &out, threads, None).unwrap();
        Self { out }
    }
    fn table(&self, name: &str) -> Vec<Row> {
        read_table(&self.out.join(name).join("scenario=test/seed=1/part-0.parquet"))
    }
}

/// The town, installed but not run.
fn town(folder: &Path, patch: &str) -> Simulation {
    installed(folder, "scenarios/town/baseline.toml", patch, 1, None)
}

#[test]
fn the_car_waits_at_the_site() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), -25.0));
    let more = format!("{}[traffic.parking]\nenabled = true\n", sites(400));
    let day = Day::new(place.path(), "out", 2, &patch(&feed, &tables, &more));
    let (trips, legs) = (day.table("trips"), day.table("legs"));
    let persons: BTreeMap<String, Row> =
        day.table("persons").into_iter().map(|row| (row["person_id"].clone(), row)).collect();
    let mut legs_of: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    legs.iter().for_each(|leg| legs_of.entry(&leg["trip_id"]).or_default().push(leg));
    let is_site = |name: &str| name == "west_lot" || name == "east_lot";
    // By person: the site where the car waits.
    let mut waits: BTreeMap<&str, String> = BTreeMap::new();
    let (mut outs, mut homes, mut by_bus) = (0, 0, 0);
    let mut sites_used = BTreeSet::new();
    for trip in trips.iter().filter(|trip| trip["mode"] == "park_and_ride" && trip["status"] == "arrived") {
        let (person, of) = (trip["person_id"].as_str(), &legs_of[trip["trip_id"].as_str()]);
        assert!(persons[person]["has_licence"] == "true" && persons[person]["has_car"] == "true", "{trip:?}");
        assert!(of.windows(2).all(|pair| pair[0]["to_id"] == pair[1]["from_id"]), "{of:?}");
        assert_eq!(of[0]["from_id"], trip["from_building"]);
        assert_eq!(of[of.len() - 1]["to_id"], trip["to_building"]);
        by_bus += usize::from(of.iter().any(|leg| leg["mode"] == "bus"));
        let way_m: f64 = of.iter().map(|leg| number(leg, "distance_m")).sum();
        assert!((way_m - number(trip, "distance_m")).abs() < 1.0, "{trip:?} and {of:?}");
        if trip["purpose"] == "home" {
            let last = of[of.len() - 1];
            assert!(last["mode"] == "car" && is_site(&last["from_id"]), "{of:?}");
            assert_eq!(waits.remove(person), Some(last["from_id"].clone()), "both ways by one site");
            homes += 1;
        } else {
            assert!(of[0]["mode"] == "car" && is_site(&of[0]["to_id"]), "{of:?}");
            sites_used.insert(of[0]["to_id"].clone());
            assert_eq!(waits.insert(person, of[0]["to_id"].clone()), None, "a car that waits is not driven");
            outs += 1;
        }
    }
    println!("{outs} ways out, {homes} home, {by_bus} by bus; {} cars left at the end", waits.len());
    assert!(outs > 100 && homes > 100 && by_bus * 10 > (outs + homes) * 9);
    assert_eq!(sites_used.len(), 2);
    // The same by tours, and no car trip of somebody whose car waits.
    assert!(day.table("tours").iter().any(|tour| tour["mode"] == "park_and_ride"));
    // Every trip by park-and-ride is one car on the road.
    let kpis = day.table("kpis");
    let figure = |name: &str| number(kpis.iter().find(|kpi| kpi["indicator"] == name).unwrap(), "value");
    let cars = trips.iter().filter(|trip| trip["mode"] == "car" && trip["status"] != "not_started").count();
    assert!((figure("road_trips") - (cars + outs + homes) as f64).abs() <= waits.len() as f64 + 0.5);
    assert!(figure("mode_share_park_and_ride") > 1.0 && figure("resident_mode_share_park_and_ride") > 1.0);
    // The sites fill by day and are empty at the end.
    let parking = day.table("parking");
    let at_sites: Vec<&Row> = parking.iter().filter(|row| is_site(&row["zone_id"])).collect();
    let most = at_sites.iter().map(|row| number(row, "occupied")).fold(0.0, f64::max);
    let arrivals: f64 = at_sites.iter().map(|row| number(row, "arrivals")).sum();
    let last: f64 = at_sites.iter().rev().take(2).map(|row| number(row, "occupied")).sum();
    println!("most cars at a site {most}, arrivals {arrivals}, left {last}");
    assert!(most > 20.0 && (arrivals - outs as f64).abs() < 0.5 && (last - waits.len() as f64).abs() < 0.5);
    let skims = day.table("skims");
    assert!(skims.iter().any(|row| row["mode"] == "park_and_ride" && number(row, "travel_time_s") > 300.0));
}

#[test]
fn people_and_cars_add_up_while_they_change() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), -25.0));
    let more = format!("{}[traffic.parking]\nenabled = true\n", sites(20));
    let mut simulation = town(place.path(), &patch(&feed, &tables, &more));
    let (mut most, mut most_parked) = (0, 0);
    // Every step audits persons, vehicles and parked cars; here those who change are seen.
    while simulation.clock().next() < 13 * 3600 {
        assert!(simulation.step().unwrap());
        let world = simulation.world();
        most = world.resource::<Changes>().changing().max(most);
        let parking = world.resource::<CityParking>();
        let areas = parking.areas().unwrap();
        let at_sites = &areas.occupied()[areas.occupied().len() - 2..];
        assert!(at_sites.iter().all(|&cars| cars <= 20));
        most_parked = at_sites.iter().sum::<u32>().max(most_parked);
        assert!(parking.is_conserved() && parking.counted() == parking.ledger().unwrap().parked);
    }
    println!("at most {most} change at once, {most_parked} cars wait");
    assert!(most > 1 && most_parked == 40);
    // Somebody who changes without having set out is found out.
    simulation.world_mut().resource_mut::<urbis::population::People>().travelling += 1;
    let error = simulation.step().unwrap_err().to_string();
    assert!(error.contains("changing to or from their car"), "{error}");
}

#[test]
fn a_full_site_sends_cars_on() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), -25.0));
    let more = format!("{}[traffic.parking]\nenabled = true\n", sites(5));
    let day = Day::new(place.path(), "out", 1, &patch(&feed, &tables, &more));
    let parking = day.table("parking");
    let is_site = |row: &&Row| row["zone_id"].ends_with("_lot");
    let at_sites: Vec<&Row> = parking.iter().filter(is_site).collect();
    let full = at_sites.iter().filter(|row| row["occupied"] == "5").count();
    let arrivals: f64 = at_sites.iter().map(|row| number(row, "arrivals")).sum();
    println!("{full} quarters of an hour full, {arrivals} arrivals at ten spaces");
    assert!(full > 10 && arrivals > 50.0);
    assert!(at_sites.iter().all(|row| row["spaces"] == "5" && number(row, "occupied") <= 5.0));
    let trips = day.table("trips");
    let ended = |trip: &&Row| trip["mode"] == "park_and_ride" && trip["status"] == "arrived";
    assert!(trips.iter().filter(ended).count() > 200, "who finds no space at the site parks near it and goes on");
}

#[test]
fn one_car_serves_one_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), -25.0));
    let simulation = town(place.path(), &patch(&feed, &tables, &sites(400)));
    let world = simulation.world();
    let (plans, persons) = (world.resource::<Plans>(), world.resource::<Persons>());
    let takes_car = |trip: usize| matches!(plans.mode[trip], Mode::Car | Mode::ParkAndRide);
    let (mut by_site, mut pairs) = (0, 0);
    for household in persons.households().windows(2) {
        // Work by car: from leaving home to setting out for it again, and the stay itself.
        let mut tours: Vec<(u32, u32, u32, u32, bool)> = Vec::new();
        for person in (household[0]..household[1]).map(urbis_core::PersonIx) {
            let home = persons.home[person.row()];
            let trips: Vec<usize> = plans.trips_of(person).map(|trip| trip as usize).collect();
            for tour in trips.chunk_by(|&before, _| plans.to[before] != home) {
                let first = tour[0];
                if plans.purpose[first] == Purpose::Work && takes_car(first) && tour.len() > 1 {
                    let stay = plans.planned[first] + plans.way_s[first] as u32;
                    let is_parked = plans.mode[first] == Mode::ParkAndRide;
                    let back = plans.planned[tour[tour.len() - 1]];
                    tours.push((plans.planned[first], back, stay, plans.planned[tour[1]], is_parked));
                    by_site += usize::from(is_parked);
                }
            }
        }
        if persons.household_cars[household[0] as usize] == 1 {
            for (nth, first) in tours.iter().enumerate() {
                for second in &tours[nth + 1..] {
                    assert!(second.3 <= first.0 + 60 || first.1 <= second.2 + 60, "{first:?} and {second:?}");
                    pairs += usize::from(first.4 || second.4);
                }
            }
        }
    }
    println!("{by_site} tours to work by park-and-ride; {pairs} pairs that share a car one after the other");
    assert!(by_site > 50);
    // Both ways of a tour are by one site, the first drives first.
    for pair in plans.parked.trips.chunks(2) {
        let [out, home] = pair else { panic!("a way without the other") };
        assert!(out.drives_first && !home.drives_first && out.site == home.site);
        assert_eq!(plans.person[out.trip.row()], plans.person[home.trip.row()]);
    }
}

#[test]
fn sites_move_only_those_who_take_them() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), -10.0));
    let without = town(place.path(), &patch(&feed, &tables, ""));
    let with = town(place.path(), &patch(&feed, &tables, &sites(400)));
    let plan = |simulation: &Simulation, person: u32| -> Vec<(Mode, u32, u32)> {
        let plans = simulation.world().resource::<Plans>();
        let trip = |trip: u32| (plans.mode[trip as usize], plans.to[trip as usize].0, plans.planned[trip as usize]);
        plans.trips_of(urbis_core::PersonIx(person)).map(trip).collect()
    };
    let persons = with.world().resource::<Persons>();
    let (mut moved, mut kept, mut without_time) = (0, 0, 0);
    for household in persons.households().windows(2) {
        let takes = |person: u32| plan(&with, person).iter().any(|(mode, ..)| *mode == Mode::ParkAndRide);
        if (household[0]..household[1]).any(takes) {
            moved += household[1] - household[0];
            continue;
        }
        for person in household[0]..household[1] {
            let (before, after) = (plan(&without, person), plan(&with, person));
            if before == after {
                kept += 1;
            } else {
                // By a site a tour may take longer than there is time for, and is left out.
                assert!(after.len() < before.len(), "{before:?} and {after:?}");
                without_time += 1;
            }
        }
    }
    println!(
        "{kept} persons plan as before, {without_time} give a tour up, {moved} are in households that take a site"
    );
    assert!(kept > 500 && moved > 50 && without_time * 100 < kept);
}

#[test]
fn shares_of_park_and_ride_can_be_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), 10.0));
    let more = sites(400)
        + "[population.target_mode_shares]\ncar = 20\ntransit = 20\nbicycle = 10\nwalk = 45\npark_and_ride = 5\n";
    let simulation = town(place.path(), &patch(&feed, &tables, &more));
    let planner = simulation.world().resource::<urbis_population::Planner>();
    println!("constants {:?}, left {:.4}", planner.long_term.constants_min, planner.long_term.mode_share_error);
    assert!(planner.long_term.mode_share_error < 0.01);
    assert!(planner.long_term.constants_min[Mode::ParkAndRide as usize] < 10.0);
}

#[test]
fn the_same_on_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), -25.0));
    let more =
        sites(40) + "[traffic.parking]\nenabled = true\n[population.feedback]\niterations = 2\ntolerance = 0.0\n";
    let patch = patch(&feed, &tables, &more);
    let outs = [1, 2, 3, 8].map(|threads| Day::new(place.path(), &format!("out-{threads}"), threads, &patch).out);
    let first = hashes(&outs[0]);
    assert!(outs[1..].iter().all(|out| hashes(out) == first));
    let rounds = Day { out: outs[0].clone() }.table("feedback");
    assert!(rounds.iter().any(|row| row["mode"] == "park_and_ride" && number(row, "mode_share_percent") > 0.0));
}

#[test]
fn without_a_timetable_there_is_none() {
    let place = tempfile::tempdir().unwrap();
    let plain = Day::new(place.path(), "plain", 2, "");
    let with_sites = Day::new(place.path(), "sites", 2, &sites(40));
    // Files name their run, so rows are compared.
    for table in ["trips", "link_state", "presence", "kpis", "feedback", "accessibility", "od", "zone_load", "ledgers"]
    {
        let rows = |day: &Day| {
            let path = day.out.join(table).join("scenario=test/seed=1/part-0.parquet");
            path.exists().then(|| read_table(&path))
        };
        assert!(rows(&plain) == rows(&with_sites), "{table}");
    }
    assert!(!plain.table("kpis").iter().any(|kpi| kpi["indicator"].contains("park_and_ride")));
    let simulation = town(place.path(), &sites(40));
    assert!(simulation.world().resource::<Sites>().is_empty());
    let warnings = &simulation.world().resource::<FitReport>().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("needs timetables")), "{warnings:?}");
}

#[test]
fn sites_that_do_not_fit_are_named() {
    let place = tempfile::tempdir().unwrap();
    let (feed, tables) = (bus_line(place.path(), EVERY_DAY), day_tables(place.path(), 10.0));
    let told = |more: &str, words: &[&str]| {
        let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", &patch(&feed, &tables, more));
        let error = run(&scenario, &place.path().join("out"), 1, None).unwrap_err();
        let Error::Input(problems) = &error else { panic!("{error}") };
        let text = problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(words.iter().all(|word| text.contains(word)), "expected {words:?} in {text}");
    };
    told(
        &sites(40).replace("50.0047", "50.4"),
        &["population.park_and_ride.sites", "row 2", "east_lot", "within 500 m"],
    );
    told(&sites(40).replace("east_lot", "west_lot"), &["row 2", "another name for each site"]);
    told(&sites(40).replace("east_lot", "east"), &["row 2", "no zone of the city has"]);
    told(&sites(40).replace("fee = 0.5", "fee = -0.5"), &["fee"]);
    told(&sites(40).replace("capacity = 40\nfee", "capacity = 0\nfee"), &["capacity"]);
    told("[population.target_mode_shares]\npark_and_ride = 5\n", &["there is no site"]);
    told(
        "[population.modes.park_and_ride]\nspeed_kmh = 20\ndetour = 1\naccess_min = 0\nconstant_min = 3\n",
        &["population.modes", "tables of the day"],
    );
}
