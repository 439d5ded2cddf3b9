//! Events beside those of `events`: failures, trips of heating plants, controllers in other hands, outages of an area, whose repair comes
//! first, floods that rise. Each with what a closed form says on the town.

use std::collections::BTreeMap;
use urbis::Simulation;
use urbis_core::Domain;
use urbis_coupling::floods::speed_through_mps;
use urbis_coupling::powered::{MachineKind, Machines};
use urbis_tests::{Ran, installed, number, told_of};
use urbis_traffic::{CarNetwork, Traffic};
use urbis_utility::heat::city::CityHeat;
use urbis_utility::water::city::CityWater;
use urbis_utility::water::network::LinkKind;

const TOWN: &str = "scenarios/town/baseline.toml";
const GRID: &str = "[power.grid]\nsource = \"synthetic\"\n";
const WATER: &str = "[water]\nsource = \"synthetic\"\n";
/// District heat in a town that is too small for it to pay, through a night of January.
const HEAT: &str = "[heat]\nsource = \"synthetic\"\n[heat.synthetic]\nlinear_density_kwhpm_min = 1.0\ncluster_kwh_min = 1.0\n\
                    [period]\nstart = \"2024-01-16T03:00:00\"\nduration_h = 3\n[weather.climate]\nmean_c = 10.0\n";

fn ran(patch: &str) -> Ran {
    Ran::of(TOWN, patch, 2).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)))
}

fn kpi(of: &Ran, name: &str) -> f64 {
    of.kpi(name).unwrap_or(0.0)
}

fn stepped(patch: &str) -> (Simulation, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    (installed(place.path(), TOWN, patch, 1, None), place)
}

/// Ids of the town's pumps.
fn pumps() -> Vec<String> {
    let (simulation, _place) = stepped(WATER);
    let links = &simulation.world().resource::<CityWater>().network().links;
    let is_pump = |row: &usize| links.kind[*row] == LinkKind::Pump;
    (0..links.id.len()).filter(is_pump).map(|row| links.id[row].clone()).collect()
}

/// What is supplied to the water network in each quarter of an hour, m3.
fn water_supplied(of: &Ran) -> Vec<f64> {
    let rows = of.table("utility_balance").into_iter().filter(|row| row["utility"] == "water");
    rows.map(|row| number(&row, "supplied")).collect()
}

#[test]
fn pumps_that_fail_leave_the_town_to_its_tank() {
    let pumps = pumps();
    let failure = |elements: &[String], hours: f64| {
        format!(
            "{WATER}[period]\nduration_h = 72\n[[event]]\nname = \"pumps\"\nkind = \"failure\"\nat = \"07:00\"\nhours = {hours}\n\
             network = \"water\"\nelements = {elements:?}\n"
        )
    };
    let (all, plain) = (ran(&failure(&pumps, 66.0)), ran(&format!("{WATER}[period]\nduration_h = 72\n")));
    println!("{} pumps out: {} person hours without water", pumps.len(), kpi(&all, "person_hours_without_water"));
    let quarters = 16..16 + 4 * 66;
    assert!(water_supplied(&all)[quarters].iter().all(|m3| m3.abs() < 1e-9));
    assert!(water_supplied(&all)[..16] == water_supplied(&plain)[..16]);
    assert!(kpi(&all, "person_hours_without_water") > 0.0 && kpi(&plain, "person_hours_without_water").abs() < 1e-12);
    // For an hour the tank bridges it, and the pumps make up for it.
    let short = ran(&failure(&pumps, 1.0));
    assert!(kpi(&short, "person_hours_without_water").abs() < 1e-12);
    assert!(water_supplied(&short)[16..20].iter().all(|m3| m3.abs() < 1e-9));
    assert!(water_supplied(&short)[20..].iter().any(|m3| *m3 > 0.0));
}

#[test]
fn who_holds_pumps_and_lights_stops_water_and_slows_cars() {
    let cyber = |targets: &str| {
        format!(
            "{WATER}[traffic.signals]\ncontrol = \"fixed\"\n[[event]]\nname = \"intruder\"\nkind = \"cyber_incident\"\n\
             at = \"07:00\"\nhours = 2.0\ntargets = [{targets}]\n"
        )
    };
    let (of_pumps, of_lights) = (ran(&cyber("\"water_pumps\"")), ran(&cyber("\"signals\"")));
    assert!(water_supplied(&of_pumps)[16..24].iter().all(|m3| m3.abs() < 1e-9));
    assert!(water_supplied(&of_lights)[16..24].iter().any(|m3| *m3 > 0.0));
    assert!(of_pumps.table("trips") != of_lights.table("trips"), "dark junctions slow who drives through them");
}

/// Heat that every customer gets in each quarter of an hour, least share.
fn heat_served(patch: &str) -> Vec<(usize, f64)> {
    let (mut simulation, _place) = stepped(&format!("{HEAT}{patch}"));
    let mut served = Vec::new();
    while simulation.step().unwrap() {
        if simulation.clock().is_due(Domain::Power) {
            let heat = simulation.world().resource::<CityHeat>();
            let rows = (0..heat.asked_w.len()).filter(|&row| heat.is_connected(row) && heat.asked_w[row] > 0.0);
            let least = rows.map(|row| heat.served_share[row]).fold(1.0, f64::min);
            served.push((simulation.world().resource::<Machines>().out(MachineKind::HeatPlant), least));
        }
    }
    served
}

#[test]
fn heating_plants_that_trip_or_are_held_bring_nothing() {
    let plain = heat_served("");
    let block = |kind: &str, keys: &str| {
        format!("[[event]]\nname = \"e\"\nkind = \"{kind}\"\nat = \"04:00\"\nhours = 1.0\n{keys}\n")
    };
    let trip = heat_served(&block("plant_trip", "network = \"heat\""));
    let held = heat_served(&block("cyber_incident", "targets = [\"heat_plants\"]"));
    println!("plain {plain:?}\ntrip {trip:?}\nheld {held:?}");
    assert!(plain.len() == 12 && plain.iter().all(|&(out, share)| out == 0 && share > 0.9));
    for of in [&trip, &held] {
        for quarter in 0..12 {
            match quarter {
                0..4 => assert!((of[quarter].1 - plain[quarter].1).abs() < 1e-12, "{quarter}"),
                4..8 => assert!(of[quarter].1.abs() < 1e-12, "{quarter}"),
                _ => assert!(of[quarter].1 > 0.1, "{quarter}"),
            }
        }
    }
    assert!(held[4..8].iter().all(|&(out, _)| out > 0) && held[8..].iter().all(|&(out, _)| out == 0));
}

/// An outage of the buses under the buildings of the east leaves all there without electricity, and in the west those alone who hang on them.
#[test]
fn an_outage_of_an_area_is_dark_there_alone() {
    let dark = ran(&format!(
        "{GRID}[[event]]\nname = \"east\"\nkind = \"power_outage\"\nat = \"09:00\"\nhours = 2.0\narea = {{ zones = [\"east\"] }}\n"
    ));
    let mut hours: BTreeMap<(String, String), (f64, f64)> = BTreeMap::new();
    for row in dark.table("service").iter().filter(|row| row["utility"] == "electricity") {
        let key = (row["zone_id"].clone(), row["time"].clone());
        hours.insert(key, (number(row, "persons"), number(row, "unserved_persons")));
    }
    let of_zone = |zone: &str| {
        hours.iter().filter(|((of, _), _)| of == zone).map(|(_, persons)| *persons).collect::<Vec<(f64, f64)>>()
    };
    let (east, west) = (of_zone("east"), of_zone("west"));
    assert!(east.len() == 24 && west.len() == 24);
    for (hour, &(persons, unserved)) in east.iter().enumerate() {
        let expected = if (6..8).contains(&hour) { persons } else { 0.0 };
        assert!((unserved - expected).abs() < 1e-9, "{hour}: {unserved} of {persons}");
    }
    // Some of the west hang on cables of the east.
    println!("dark in the east {:?}, in the west {:?}", east[6], west[6]);
    for (hour, &(persons, unserved)) in west.iter().enumerate() {
        assert!(
            unserved <= if (6..8).contains(&hour) { 0.5 * persons } else { 0.0 },
            "{hour}: {unserved} of {persons}"
        );
    }
    assert!(east[6].0 > 0.0);
}

/// While the only crew is at work two more parts break: first one in the east, where few people are, then one in the west, where more are.
#[test]
fn the_rule_says_whose_repair_comes_first() {
    let outage = |name: &str, at: &str, keys: &str| {
        format!("[[event]]\nname = \"{name}\"\nkind = \"power_outage\"\nat = \"{at}\"\n{keys}\n")
    };
    let of = |rule: &str| {
        let events = [
            outage("first", "04:00", "branches = [\"12\"]"),
            outage("few", "04:10", "buses = [\"station/0/lv\"]"),
            outage("many", "04:20", "buses = [\"station/4/lv\"]"),
        ];
        let crews = format!("[repair]\nrule = \"{rule}\"\n[repair.crews]\npower = 1\n[repair.work_h]\npower = 1.0\n");
        let run = ran(&format!("{GRID}{}{crews}", events.concat()));
        let mut left: BTreeMap<String, f64> = BTreeMap::new();
        for row in run.table("events").iter().filter(|row| row["happening"] == "crew_left") {
            left.entry(row["event"].clone()).or_insert(number(row, "time"));
        }
        (left["few"], left["many"])
    };
    let ((few, many), (few_then, many_then)) = (of("first_come"), of("most_people"));
    assert!(few < many && many_then < few_then, "{few} {many} {few_then} {many_then}");
}

/// Water rises from nothing to 0.3 m within two hours: half of it after one.
#[test]
fn a_flood_slows_as_it_rises() {
    let flood = "[[event]]\nname = \"river\"\nkind = \"flood\"\nat = \"04:00\"\narea = { roads = [\"Row 3\"] }\n\
                 depth = [{ hours = 0.0, depth_m = 0.0 }, { hours = 2.0, depth_m = 0.3 }, { hours = 3.0, depth_m = 0.3 }]\n";
    let (mut simulation, _place) = stepped(flood);
    let mut before = 0;
    for (tick, depth_m) in [(3600 + 1800, 0.075), (2 * 3600, 0.15), (2 * 3600 + 1800, 0.225)] {
        while simulation.clock().tick() < tick && simulation.step().unwrap() {}
        let world = simulation.world();
        let (network, city) = (world.resource::<CarNetwork>(), world.resource::<urbis_city::model::City>());
        let row = city.links.name.iter().position(|name| name == "Row 3").unwrap();
        let car = network.car_link[row];
        let time = world.resource::<Traffic>().engine().free_time(car);
        let wet = network.length_m[car.row()] / speed_through_mps(depth_m);
        let dry = network.free_time[car.row()];
        // The depth of a step of the networks is that of its begin.
        let earlier = network.length_m[car.row()] / speed_through_mps(depth_m - 0.3 * 900.0 / 7200.0);
        let range =
            urbis_traffic::time::from_seconds(earlier).max(dry)..=urbis_traffic::time::from_seconds(wet).max(dry);
        println!("{depth_m} m: {time}, dry {dry}, expected {range:?}");
        assert!(range.contains(&time) && time >= before);
        before = time;
    }
}
