//! Check-ups of runs in which something happens or is built: emergency calls, an order to leave, a closed road, dark hours, devices,
//! bills, timetables. Figures are computed again from the tables.

use super::{Row, at, close, is_whole, kpi, real, sum, table};
use std::collections::BTreeMap;
use std::path::PathBuf;
use urbis_appraisal::checkup::{Checkup, Options, Patient, Place};
use urbis_tests::{read_table, run, scenario_in, told_of};

struct Checked {
    out: PathBuf,
    patient: Patient,
    _place: tempfile::TempDir,
}

impl Checked {
    fn of(base: &str, patch: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let scenario = scenario_in(place.path(), &format!("scenarios/town/{base}.toml"), patch);
        let out = place.path().join("out");
        run(&scenario, &out, 2, Some(1)).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)));
        let checkup = Checkup::of(&out, &Options::default()).unwrap();
        let patient = checkup.patients.into_iter().next().unwrap();
        is_whole(&patient);
        Self { out, patient, _place: place }
    }
    fn table(&self, name: &str) -> Vec<Row> {
        table(&self.out, name, "test", 1)
    }
    fn kpi(&self, name: &str) -> f64 {
        kpi(&self.out, "test", 1, name, "town")
    }
    fn whole(&self, number: u8, part: &str) -> f64 {
        at(&self.patient, number, part, Place::default(), 1)
    }
    fn absent(&self, number: u8) -> &str {
        &self.patient.absent[&number]
    }
}

#[test]
fn calls_are_answered_as_their_table_says() {
    let run = Checked::of("emergency", "");
    let calls = run.table("emergency_call");
    let reached: Vec<f64> = calls.iter().map(|row| real(row, "response_s")).filter(|s| s.is_finite()).collect();
    let soon = reached.iter().filter(|s| **s <= 480.0).count() as f64;
    assert!(reached.len() > 20);
    close("response, min", run.whole(60, "mean"), reached.iter().sum::<f64>() / 60.0 / reached.len() as f64);
    close("within 8 min, %", run.whole(61, ""), 100.0 * soon / calls.len() as f64);
    let of_zone: Vec<&Row> = calls.iter().filter(|row| row["zone_id"] == "east").collect();
    let times: Vec<f64> = of_zone.iter().map(|row| real(row, "response_s")).filter(|s| s.is_finite()).collect();
    let east = Place { zone: Some("east".to_owned()), ..Place::default() };
    close("in the east", at(&run.patient, 60, "mean", east, 1), times.iter().sum::<f64>() / 60.0 / times.len() as f64);
    close("fire stations, %", run.whole(62, ""), run.kpi("fire_station_coverage"));
    close("hospitals, %", run.whole(63, ""), run.kpi("hospital_coverage"));
    // Without the table of calls the run's own sums are told.
    let bare = Checked::of("emergency", "[output.tables.emergency_call]\nenabled = false\n");
    close("by kpis, min", bare.whole(60, "mean_ambulance"), run.whole(60, "mean_ambulance"));
    close("by kpis, %", bare.whole(61, "fire"), run.kpi("response_within_8_min_fire"));
}

#[test]
fn who_lives_where_people_are_told_to_leave_is_in_a_hazard_zone() {
    let run = Checked::of("evacuation", "[output.tables.persons]\nenabled = true\n");
    let persons = run.table("persons");
    let residents: Vec<&Row> = persons.iter().filter(|row| row["person_kind"] == "resident").collect();
    let west = residents.iter().filter(|row| row["home_zone"] == "west").count() as f64;
    close("residents of the west, %", run.whole(70, ""), 100.0 * west / residents.len() as f64);
    for share in ["50", "90", "100"] {
        close("minutes", run.whole(66, &format!("{share}_percent")), run.kpi(&format!("evacuation_clearance_{share}")));
    }
    assert!(run.absent(67).contains("closes no link"), "{}", run.absent(67));
    let plain = Checked::of("baseline", "");
    assert!(plain.absent(70).contains("no flood, earthquake or order to leave"), "{}", plain.absent(70));
}

#[test]
fn trips_that_a_closed_road_leaves_without_a_way_are_counted() {
    let closed = "[[event]]\nname = \"all\"\nkind = \"road_closure\"\nat = \"07:00\"\narea = { zones = [\"east\"] }\n";
    let run = Checked::of("baseline", closed);
    let mut trips = run.table("trips");
    trips.retain(|row| row["status"] != "not_started");
    let lost = trips.iter().filter(|row| row["status"] == "rejected" || row["status"] == "waiting").count() as f64;
    close("lost, %", run.whole(67, ""), 100.0 * lost / trips.len() as f64);
    assert!(lost > 0.0);
}

#[test]
fn dark_hours_are_those_of_the_tables() {
    let run = Checked::of("blackout", "");
    let mut course: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for row in run.table("service").iter().filter(|row| row["utility"] == "electricity") {
        let sums = course.entry(row["time"].clone()).or_default();
        sums[0] += real(row, "unserved_persons");
        sums[1] += real(row, "persons");
    }
    let most = course.values().map(|[without, all]| 100.0 * without / all).fold(0.0, f64::max);
    close("most without electricity, %", run.whole(68, "electricity"), most);
    let lost_h: f64 = run
        .table("energy_balance")
        .iter()
        .map(|row| {
            (real(row, "interval_s") / 3600.0) * (1.0 - real(row, "received_wh") / real(row, "demand_wh")).max(0.0)
        })
        .sum();
    close("resilience loss, h", run.whole(69, "electricity"), lost_h);
    close("interruptions", run.whole(38, ""), run.kpi("saifi"));
    assert!(most > 50.0 && lost_h > 1.0 && run.whole(38, "") > 0.5);
}

#[test]
fn devices_of_buildings_are_told() {
    let run = Checked::of("devices", "");
    let kwh = sum(&run.table("zone_load"), "energy_wh") / 1000.0;
    close("stores, %", run.whole(46, ""), 100.0 * run.kpi("battery_capacity") * 1000.0 / kwh);
    close("cars, kWh a day", run.whole(45, "energy"), run.kpi("cars_charged") * 1000.0);
    let balance = run.table("energy_balance");
    let supplied = sum(&balance, "imported_wh") + sum(&balance, "generated_wh");
    close("renewable, %", run.whole(41, ""), 100.0 * run.kpi("photovoltaics") * 1e6 / supplied);
    assert!(run.whole(46, "") > 0.0 && run.whole(45, "energy") > 0.0 && run.whole(41, "") > 0.0);
}

#[test]
fn bills_part_homes_from_others() {
    let run = Checked::of(
        "district_heat",
        "[water]\nsource = \"synthetic\"\n[bills]\nwater_per_m3 = 4.0\nheat_per_kwh = 0.1\n",
    );
    let bills = run.table("bills");
    let of = |utility: &str, zone: Option<&str>| -> f64 {
        let is_it = |row: &&Row| {
            row["utility"] == utility
                && row["purpose"] == "residential"
                && zone.is_none_or(|zone| row["zone_id"] == zone)
        };
        sum(bills.iter().filter(is_it), "quantity")
    };
    let residents = run.kpi("residents");
    close("water of homes, litres", run.whole(47, "homes"), of("water", None) * 1000.0 / residents);
    close("heat of homes, GJ", run.whole(52, "homes"), of("heat", None) * 3.6e6 / 1e9 * 365.0 / residents);
    let of_east = kpi(&run.out, "test", 1, "residents", "east");
    let east = Place { zone: Some("east".to_owned()), ..Place::default() };
    close("water in the east", at(&run.patient, 47, "homes", east, 1), of("water", Some("east")) * 1000.0 / of_east);
    assert!(run.whole(47, "homes") < run.whole(47, "all_users") && run.whole(52, "homes") > 0.0);
}

#[test]
fn a_timetable_tells_stops_and_lines() {
    let run = Checked::of("bus", "");
    close("near a stop, %", run.whole(12, ""), run.kpi("residents_near_a_stop"));
    let residents = run.kpi("residents");
    // One line of five hops of a quarter of a kilometre, there and back one way.
    let km = 5.0 * 0.0035 * 111.195 * 50.0045_f64.to_radians().cos();
    let found = run.whole(11, "") * residents / 1e5;
    println!("{found} km of lines, {km} by degrees");
    assert!((found / km - 1.0).abs() < 0.005);
    let boarded = sum(&run.table("transit_load"), "boarded");
    close("boardings of a year", run.whole(10, ""), boarded * 250.0 / residents);
}

#[test]
fn short_commutes_are_those_under_five_kilometres() {
    let run = Checked::of("baseline", "");
    let mut trips = run.table("trips");
    trips.retain(|row| row["status"] != "not_started");
    let number = |row: &Row, column: &str| row[column].parse::<i64>().unwrap();
    trips.sort_by_key(|row| (number(row, "person_id"), number(row, "depart_time"), number(row, "trip_id")));
    let (mut near, mut all) = (0.0, 0.0);
    let mut last: Option<(&str, &str)> = None;
    for row in &trips {
        let from_home = last.filter(|(id, _)| *id == row["person_id"]).is_none_or(|(_, purpose)| purpose == "home");
        if row["purpose"] == "work" && row["person_kind"] == "resident" && from_home && !row["travel_time_s"].is_empty()
        {
            all += 1.0;
            near += f64::from(u8::from(real(row, "distance_m") < 5000.0));
        }
        last = Some((&row["person_id"], &row["purpose"]));
    }
    close("commutes under 5 km, %", run.whole(4, ""), 100.0 * near / all);
    // Public buildings: electricity of a year over floor area.
    let buildings: BTreeMap<String, Row> =
        read_table(&run.out.join("layers/buildings.parquet")).into_iter().map(|row| (row["id"].clone(), row)).collect();
    let is_public = |use_of: &str| ["education", "health", "civic"].contains(&use_of);
    let area: f64 =
        buildings.values().filter(|row| is_public(&row["purpose"])).map(|row| real(row, "floor_area_m2")).sum();
    let loads = run.table("building_load");
    let wh = sum(loads.iter().filter(|row| is_public(&buildings[&row["building_id"]]["purpose"])), "energy_wh");
    close("public buildings, kWh/m2", run.whole(42, ""), wh / 1000.0 * 365.0 / area);
}

#[test]
fn a_morning_is_no_day_and_the_check_up_says_so() {
    let run = Checked::of("baseline", "[period]\nduration_h = 6\n");
    assert!(run.patient.notes[&34].contains("6 hours, no whole days"), "{}", run.patient.notes[&34]);
    let day = Checked::of("baseline", "");
    assert!(day.patient.notes.get(&34).is_none_or(|note| !note.contains("whole days")));
}
