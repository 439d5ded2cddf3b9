//! A notebook opens results in one line: a small run is written by [`ResultsWriter`], a throw-away
//! virtual environment gets geopandas, pyarrow, polars and DuckDB (`requirements.txt`), and
//! `read_results.py` opens every table and layer with them and compares what it sees with what was
//! written: rows, types, units, UTC times, nulls, sums, footers, partitions, geometries. The notebooks of the
//! documentation run on a study of the town.
//!
//! Skipped with a message where Python, its `venv` module or the packages cannot be had, unless
//! `URBIS_NOTEBOOK=required`. `URBIS_NOTEBOOK_VENV=DIR` keeps the environment for the next time.

mod network_rows;

use geo::{LineString, MultiPolygon, Point, polygon};
use network_rows::{grid_rows, pipe_rows};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;
use urbis_appraisal::{Comparison, Options, PairedRuns, comparison_tables};
use urbis_city::model::{
    BuildingUse, Buildings, City, FloorsFrom, Links, Manifest, Modes, NodeControl, Nodes, PoiKind, Pois, RoadClass,
    Zones,
};
use urbis_city::package;
use urbis_core::{BuildingIx, NodeIx, ZoneIx};
use urbis_output::{
    AccessibilityRow, ActivitiesRow, ActivityPresenceRow, BuildingLoadRow, CrossingsRow, EmergencyCallRow,
    EvacuationRow, EventsRow, ExposureRow, FeedbackRow, GridlockRow, HouseholdsRow, Kpi, LedgersRow, LegsRow,
    LinkStateRow, OdRow, ParkingRow, PaymentsRow, PersonsRow, PresenceRow, ResultsWriter, RunEnd, RunFacts,
    SCHEMA_VERSION, SignalsRow, SkimsRow, Table, TimeMs, ToursRow, TransitLoadRow, TripsRow, ZoneLoadRow,
};
use urbis_tests::{root, run};

const START_MS: i64 = 1_709_593_200_000;
const INTERVALS: i64 = 96;
const RUNS: [(&str, u64); 2] = [("base", 1), ("toll", 2)];

/// One street, one house.
fn city() -> City {
    let (west, east) = (Point::new(7.42, 43.73), Point::new(7.43, 43.735));
    let block = polygon![(x: 7.42, y: 43.73), (x: 7.421, y: 43.73), (x: 7.421, y: 43.731), (x: 7.42, y: 43.731)];
    let zone = polygon![(x: 7.41, y: 43.72), (x: 7.44, y: 43.72), (x: 7.44, y: 43.74), (x: 7.41, y: 43.74)];
    City {
        manifest: Manifest {
            format_version: package::FORMAT_VERSION,
            name: "street".into(),
            crs: "EPSG:32632".into(),
            ..Manifest::default()
        },
        nodes: Nodes {
            id: vec!["1".into(), "2".into()],
            point: vec![west, east],
            x_m: vec![0.0, 980.0],
            y_m: vec![0.0, 20.0],
            elevation_m: vec![3.0, f64::NAN],
            control: vec![NodeControl::None, NodeControl::Signal],
            external: vec![false, false],
            zone: vec![ZoneIx(0), ZoneIx::NONE],
        },
        links: Links {
            id: vec!["a".into(), "b".into()],
            from: vec![NodeIx(0), NodeIx(1)],
            to: vec![NodeIx(1), NodeIx(0)],
            way_id: vec![1, 1],
            class: vec![RoadClass::Primary; 2],
            name: vec!["Avenue de l'\u{c9}t\u{e9}".into(); 2],
            length_m: vec![980.5; 2],
            lanes: vec![1, 2],
            speed_mps_free: vec![13.9; 2],
            capacity_vps: vec![0.5; 2],
            jam_density_vpm: vec![0.15; 2],
            modes: vec![Modes::CAR; 2],
            tunnel: vec![false; 2],
            turn_lanes: Vec::new(),
            bridge: vec![false; 2],
            zone: vec![ZoneIx(0); 2],
            line: vec![LineString::from(vec![west, east]), LineString::from(vec![east, west])],
        },
        zones: Zones {
            id: vec!["z".into()],
            name: vec!["Street".into()],
            area_m2: vec![1e6],
            shape: vec![MultiPolygon::from(zone)],
        },
        buildings: Buildings {
            id: vec!["way/7".into()],
            zone: vec![ZoneIx(0)],
            purpose: vec![BuildingUse::Residential],
            floors: vec![3.0],
            floors_from: vec![FloorsFrom::Levels],
            height_m: vec![9.0],
            footprint_m2: vec![100.0],
            floor_area_m2: vec![300.0],
            dwellings: vec![4],
            x_m: vec![1.0],
            y_m: vec![2.0],
            elevation_m: vec![f64::NAN],
            car_node: vec![NodeIx(0)],
            shape: vec![block],
        },
        pois: Pois {
            id: vec!["node/9".into()],
            kind: vec![PoiKind::School],
            name: vec![String::new()],
            zone: vec![ZoneIx(0)],
            building: vec![BuildingIx::NONE],
            point: vec![west],
        },
        ..City::default()
    }
}

fn facts(scenario: &str, seed: u64) -> RunFacts {
    RunFacts {
        scenario: scenario.into(),
        seed,
        title: "A day, \u{e9}t\u{e9}".into(),
        scenario_hash: "5ce".into(),
        city_hash: "c17".into(),
        city: "street".into(),
        attribution: "nobody".into(),
        time_zone: "Europe/Monaco".into(),
        local_offset_s: 3600,
        start_utc_ms: START_MS,
        duration_s: 86_400.0,
        scenario_toml: "seed = 1\n".into(),
    }
}

/// Writes one run with rows in every table.
fn write_run(out: &Path, package: &Path, scenario: &str, seed: u64) {
    let mut writer = ResultsWriter::create(out, package, facts(scenario, seed), Table::ALL).unwrap();
    for interval in 0..INTERVALS {
        let time = TimeMs(START_MS + interval * 900_000);
        let number = interval as u64;
        for (link_id, entered_veh) in [("a", number), ("b", 2 * number)] {
            writer
                .link_state(&LinkStateRow {
                    time,
                    interval_s: 900.0,
                    link_id,
                    entered_veh,
                    left_veh: number,
                    travel_time_s: (number > 0).then_some(70.25),
                    speed_mps: (number > 0).then_some(13.5),
                    density_vpm: 0.01,
                    queue_veh: 1,
                    occupancy_veh: 2,
                    delay_s: 1.5,
                    fuel_kg: 0.25,
                    co2_kg: 0.75,
                    nox_g: 0.5,
                    pm_g: 0.125,
                    electricity_wh: 2.0,
                })
                .unwrap();
        }
        let (building_id, zone_id, sector, interval_s) = ("way/7", "z", "household", 900.0);
        writer.presence(&PresenceRow { time, building_id, zone_id, persons: number % 5 }).unwrap();
        let (p_w, energy_wh) = (1000.5, 250.125);
        writer
            .building_load(&BuildingLoadRow { time, interval_s, building_id, zone_id, sector, p_w, energy_wh })
            .unwrap();
        writer.zone_load(&ZoneLoadRow { time, interval_s, zone_id, sector, p_w, energy_wh }).unwrap();
        writer
            .signals(&SignalsRow {
                time,
                interval_s,
                node_id: "1",
                link_id: "a",
                green_s: 450.0,
                left_veh: number,
                queue_veh: 2,
                changes: 0,
                is_dark: false,
            })
            .unwrap();
        grid_rows(&mut writer, time);
        pipe_rows(&mut writer, time);
        let (spaces, arrivals, turned_away) = (40, 8, 1);
        writer
            .parking(&ParkingRow {
                time,
                interval_s,
                zone_id,
                spaces,
                occupied: number % 40,
                arrivals,
                turned_away,
                search_s: (interval % 2 == 0).then_some(12.5),
            })
            .unwrap();
        writer
            .exposure(&ExposureRow {
                time,
                interval_s,
                zone_id,
                persons: 12.0,
                above_55_db: 7.0,
                above_65_db: 1.0,
                nox_ug_per_m3: (interval % 2 == 0).then_some(8.5),
            })
            .unwrap();
        writer
            .events(&EventsRow {
                time,
                event: "burst",
                kind: "pipe_burst",
                part: "pipe 12",
                happening: "began",
                building_id: (interval % 2 == 0).then_some("b1"),
                zone_id: (interval % 2 == 0).then_some("z1"),
            })
            .unwrap();
        writer
            .emergency_call(&EmergencyCallRow {
                time,
                call_id: number,
                kind: "ambulance",
                priority: 1,
                cause: "people",
                building_id: Some("b1"),
                zone_id: Some(zone_id),
                node_id: None,
                units_needed: 1,
                units_sent: 1,
                station_id: Some("s1"),
                wait_s: Some(0.5),
                turnout_s: Some(60.0),
                travel_s: Some(120.0),
                response_s: (interval % 2 == 0).then_some(180.5),
                scene_end_time: Some(time),
                hospital_id: None,
                status: "done",
            })
            .unwrap();
        writer
            .evacuation(&EvacuationRow {
                time,
                event: "gas",
                minute: number as f64,
                inside_persons: 2.5,
                coming_persons: 0.0,
                set_out_persons: 1.0,
                arrived_persons: 0.5,
                set_out_cars: 1.0,
            })
            .unwrap();
        writer
            .payments(&PaymentsRow {
                time,
                policy: "cordon",
                payee: "city",
                person_id: number as i64,
                trip_id: number as i64,
                amount: 2.5,
            })
            .unwrap();
        people_rows(&mut writer, interval, time);
        let (links, link_count) = ("a b", 2);
        let (found_time, last_seen_time) = (time, time);
        writer
            .gridlock(&GridlockRow {
                found_time,
                last_seen_time,
                links,
                link_count,
                vehicles: 20,
                released_moves: number,
            })
            .unwrap();
        let (enter_time, leave_time) = (time, time);
        writer.crossings(&CrossingsRow { enter_time, leave_time, trip_id: interval, link_id: "b" }).unwrap();
        let row = LedgersRow { time, ledger: "energy", term: "served", value: energy_wh * 3600.0, unit: "J" };
        writer.ledgers(&row).unwrap();
        let arrived = interval % 3 == 0;
        writer
            .trips(&TripsRow {
                trip_id: interval,
                person_id: 1000 - interval,
                person_kind: "resident",
                purpose: "work",
                mode: "car",
                from_building: Some(building_id),
                to_building: None,
                from_zone: zone_id,
                to_zone: "external:east",
                depart_time: time,
                arrive_time: arrived.then_some(TimeMs(time.0 + 1234)),
                travel_time_s: arrived.then_some(1.234),
                wait_s: 0.5,
                distance_m: 980.5,
                status: if arrived { "arrived" } else { "travelling" },
            })
            .unwrap();
    }
    for (indicator, published) in [("trips", Some(100.0)), ("speed", None)] {
        let kpi = Kpi { indicator: indicator.into(), value: 96.0, published, headline: true, ..Kpi::default() };
        writer.kpis(&kpi.row()).unwrap();
    }
    writer.finish(&RunEnd { ticks: 86_400, threads: 2, started_utc_ms: START_MS, ..RunEnd::default() }).unwrap();
}

/// A row in each table about people.
fn people_rows(writer: &mut ResultsWriter, interval: i64, time: TimeMs) {
    let (zone_id, building_id, number) = ("z", Some("way/7"), interval as u64);
    let persons = PersonsRow {
        person_id: interval,
        person_kind: "resident",
        household_id: Some(1),
        home_building: building_id,
        home_zone: zone_id,
        age_years: 30,
        sex: "female",
        is_employed: true,
        is_pupil: false,
        is_student: false,
        has_licence: true,
        has_car: true,
        has_two_wheeler: false,
        has_transit_pass: false,
        workplace_building: None,
        workplace_zone: None,
    };
    writer.persons(&persons).unwrap();
    let households = HouseholdsRow {
        household_id: interval,
        home_building: building_id,
        zone_id,
        first_person_id: interval,
        size: 2,
        cars: 1,
        two_wheelers: 0,
        income_class: 3,
        income_per_year: 30_000.0,
        currency: "EUR",
    };
    writer.households(&households).unwrap();
    let doing = ActivityPresenceRow { time, zone_id: Some(zone_id), activity: "home", group: "adults", persons: 2.5 };
    writer.activity_presence(&doing).unwrap();
    let stay = ActivitiesRow {
        person_id: interval,
        person_kind: "resident",
        activity: "work",
        building_id,
        zone_id,
        start_time: time,
        end_time: time,
    };
    writer.activities(&stay).unwrap();
    let tour = ToursRow {
        tour_id: interval,
        person_id: interval,
        purpose: "work",
        mode: "walk",
        home_zone: zone_id,
        main_building: building_id,
        main_zone: zone_id,
        trips: 2,
        first_trip_id: interval,
        depart_time: time,
        return_time: (interval % 3 == 0).then_some(time),
    };
    writer.tours(&tour).unwrap();
    let leg = LegsRow {
        trip_id: interval,
        leg: 1,
        person_id: interval,
        mode: "bus",
        from_id: "way/7",
        to_id: "s1",
        transit_route: Some("r1"),
        transit_trip: None,
        depart_time: time,
        arrive_time: Some(time),
        distance_m: 100.0,
        money: Some(1.5),
    };
    writer.legs(&leg).unwrap();
    let flow = OdRow {
        time,
        interval_s: 3600.0,
        from_zone: Some(zone_id),
        to_zone: None,
        mode: "walk",
        trips: 1.5,
        travel_time_s: 60.0,
    };
    writer.od(&flow).unwrap();
    let way = SkimsRow {
        from_zone: zone_id,
        to_zone: zone_id,
        mode: "walk",
        from_hour: 6.5,
        all_day: true,
        travel_time_s: 60.0,
        distance_m: 83.0,
        money: 0.0,
    };
    writer.skims(&way).unwrap();
    let reach = AccessibilityRow {
        zone_id,
        group: "all",
        mode: "walk",
        opportunity: "jobs",
        limit_s: 900.0,
        opportunities: number as f64,
    };
    writer.accessibility(&reach).unwrap();
    let load = TransitLoadRow {
        time,
        transit_route: "r1",
        transit_trip: "t1",
        kind: "bus",
        stop_id: "s1",
        stop_number: 1,
        boarded: number,
        alighted: 0,
        on_board: number,
        left_behind: 0,
        places: 70,
        delay_s: 0.0,
    };
    writer.transit_load(&load).unwrap();
    let round = FeedbackRow {
        round: 1,
        changed_persons: number,
        car_time_change_percent: 1.0,
        delay_s: 2.0,
        mode: "car",
        mode_share_percent: 50.0,
    };
    writer.feedback(&round).unwrap();
}

/// Sum and nulls of the columns over both runs, from the loops above.
fn written(table: Table, column: &str) -> Value {
    let runs = RUNS.len() as f64;
    let intervals = INTERVALS as f64;
    let numbers = intervals * (intervals - 1.0) / 2.0;
    let persons = (0..INTERVALS).map(|i| (i % 5) as f64).sum::<f64>();
    let odd = (0..INTERVALS).filter(|i| i % 2 != 0).count() as f64;
    let unfinished = (0..INTERVALS).filter(|i| i % 3 != 0).count() as f64;
    let (sum, nulls) = match (table, column) {
        (Table::LinkState, "entered_veh") => (Some(3.0 * numbers), 0.0),
        (Table::LinkState, "left_veh") => (Some(2.0 * numbers), 0.0),
        (Table::LinkState, "travel_time_s") => (Some(2.0 * (intervals - 1.0) * 70.25), 2.0),
        (Table::LinkState, "speed_mps") => (Some(2.0 * (intervals - 1.0) * 13.5), 2.0),
        (Table::Presence, "persons") => (Some(persons), 0.0),
        (Table::BuildingLoad | Table::ZoneLoad, "p_w") => (Some(1000.5 * intervals), 0.0),
        (Table::BuildingLoad | Table::ZoneLoad, "energy_wh") => (Some(250.125 * intervals), 0.0),
        (Table::Ledgers, "value") => (Some(250.125 * 3600.0 * intervals), 0.0),
        (Table::Trips | Table::Crossings, "trip_id") => (Some(numbers), 0.0),
        (Table::Signals, "green_s") => (Some(450.0 * intervals), 0.0),
        (Table::Parking, "search_s") => (Some(12.5 * (intervals - odd)), odd),
        (Table::Gridlock, "released_moves") => (Some(numbers), 0.0),
        (Table::Trips, "person_id") => (Some(1000.0 * intervals - numbers), 0.0),
        (Table::Trips, "travel_time_s") => (Some(1.234 * (intervals - unfinished)), unfinished),
        (Table::Trips, "arrive_time") => (None, unfinished),
        (Table::Trips, "to_building") => (None, intervals),
        (Table::Kpis, "published") => (Some(100.0), 1.0),
        (Table::Kpis, "deviation_percent") => (Some(-4.0), 1.0),
        (Table::Persons, "workplace_building" | "workplace_zone")
        | (Table::Legs, "transit_trip")
        | (Table::Od, "to_zone") => (None, intervals),
        (Table::Tours, "return_time") => (None, unfinished),
        (Table::Exposure, "nox_ug_per_m3") => (Some(8.5 * (intervals - odd)), odd),
        (Table::Events, "building_id" | "zone_id") => (None, odd),
        (Table::Evacuation, "inside_persons") => (Some(2.5 * intervals), 0.0),
        (Table::ActivityPresence, "persons") => (Some(2.5 * intervals), 0.0),
        (Table::TransitLoad, "boarded") | (Table::Accessibility, "opportunities") => (Some(numbers), 0.0),
        (Table::BusState, "vm_max_pu")
        | (Table::SubstationLoad, "loading_percent")
        | (Table::WaterNode, "pressure_min_m")
        | (Table::GasNode, "gauge_min_pa")
        | (Table::HeatNode, "pressure_pa")
        | (Table::HeatLink, "temp_to_c") => (None, intervals),
        (Table::EmergencyCall, "response_s") => (Some(180.5 * (intervals - odd)), odd),
        (Table::EmergencyCall, "node_id" | "hospital_id") | (Table::NetworkElement, "wkt") => (None, intervals),
        (Table::GasLink, "linepack_kg") => (Some(0.5 * intervals), 0.0),
        (Table::UtilityBalance, "supplied") => (Some(2.5 * intervals), 0.0),
        (Table::BusState, "vm_min_pu") => (Some(0.98 * intervals), 0.0),
        (Table::BranchState, "p_to_w") => (Some(-990.0 * intervals), 0.0),
        (Table::EnergyBalance, "lost_wh") => (Some(10.0 * intervals), 0.0),
        (Table::Outages, "customers") => (Some(12.0 * intervals), 0.0),
        (Table::Runs, "ticks") => (Some(86_400.0), 0.0),
        _ => (None, 0.0),
    };
    let min_ms = if (table, column) == (Table::Trips, "arrive_time") { START_MS + 1234 } else { START_MS };
    let mut values = json!({ "nulls": (nulls * runs) as u64, "min_ms": min_ms });
    if let Some(sum) = sum {
        values["sum"] = json!(sum * runs);
    }
    values
}

fn expectation() -> Value {
    let mut tables = json!({});
    for &table in Table::ALL {
        let spec = table.spec();
        let rows_a_run = match table {
            Table::Runs => 1,
            Table::Kpis => 2,
            Table::LinkState => 2 * INTERVALS,
            _ => INTERVALS,
        };
        let columns: Vec<Value> = spec
            .columns
            .iter()
            .map(|c| {
                let time = c.data_type.to_string().starts_with("Timestamp");
                let values = written(table, c.name);
                json!({ "name": c.name, "unit": c.unit, "description": c.description, "nullable": c.nullable,
                        "time": time, "values": values })
            })
            .collect();
        let mut footers = json!({});
        for (scenario, seed) in RUNS {
            footers[format!("{}/scenario={scenario}/seed={seed}/part-0.parquet", spec.name)] = json!({
                "urbis.run_id": facts(scenario, seed).run_id(), "urbis.schema_version": SCHEMA_VERSION,
                "urbis.scenario_hash": "5ce", "urbis.city_hash": "c17", "urbis.scenario": scenario,
                "urbis.seed": seed.to_string(), "urbis.table_description": spec.description,
            });
        }
        let rows = rows_a_run * RUNS.len() as i64;
        tables[spec.name] = json!({ "rows": rows, "columns": columns, "footers": footers });
    }
    json!({
        "tables": tables,
        "scenarios": RUNS.map(|(scenario, _)| scenario),
        "seeds": RUNS.map(|(_, seed)| seed),
        "layers": {
            "links": { "rows": 2, "geometry_types": ["LineString"],
                       "units": { "length_m": "m", "speed_mps_free": "m/s" } },
            "nodes": { "rows": 2, "geometry_types": ["Point"], "units": { "x_m": "m" } },
            "buildings": { "rows": 1, "geometry_types": ["Polygon"], "units": { "height_m": "m" } },
            "zones": { "rows": 1, "geometry_types": ["MultiPolygon"], "units": { "area_m2": "m2" } },
            "pois": { "rows": 1, "geometry_types": ["Point"], "units": {} },
        }
    })
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Python with the readers, made once for all tests; nothing, and a message, where it cannot be had.
#[allow(clippy::print_stdout)] // why it was skipped
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<(Result<PathBuf, String>, Option<TempDir>)> = OnceLock::new();
    let (python, _) = PYTHON.get_or_init(|| match std::env::var_os("URBIS_NOTEBOOK_VENV") {
        Some(kept) => (environment(Path::new(&kept)), None),
        None => {
            let place = tempfile::tempdir().unwrap();
            (environment(&place.path().join("venv")), Some(place))
        }
    });
    match python {
        Ok(python) => Some(python),
        Err(why) => {
            assert!(std::env::var_os("URBIS_NOTEBOOK").is_none_or(|v| v != "required"), "{why}");
            println!("skipped: no Python environment with the readers. {why}");
            None
        }
    }
}

/// A virtual environment with the readers; in words why there is none.
fn environment(place: &Path) -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("notebook");
    let attempt = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?} failed:\n{}", text(&output))),
        Err(error) => Err(format!("{command:?}: {error}")),
    };
    let python = place.join("bin/python");
    if !python.exists() {
        attempt(Command::new("python3").args(["-m", "venv"]).arg(place))?;
    }
    // Wheels only: building from source would take longer than the test is worth.
    let options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--retries=1", "--timeout=20"];
    let requirements = here.join("requirements.txt");
    attempt(Command::new(&python).args(["-m", "pip", "install"]).args(options).arg("-r").arg(requirements))?;
    Ok(python)
}

#[test]
#[allow(clippy::print_stdout)] // why it was skipped, and what it read with
fn four_readers_open_every_table_and_layer() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), place.path().join("city"));
    package::write(&city(), &[], &package).unwrap();
    for (scenario, seed) in RUNS {
        write_run(&out, &package, scenario, seed);
    }
    let expected = place.path().join("expected.json");
    std::fs::write(&expected, expectation().to_string()).unwrap();

    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("notebook/read_results.py");
    let output = Command::new(python).arg(script).arg(&out).arg(&expected).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", text(&output).trim());
}

/// The notebooks of the documentation, on the town instead of Monaco.
#[test]
#[allow(clippy::print_stdout)] // which ran
fn the_notebooks_of_the_documentation_run() {
    let Some(python) = python() else { return };
    let place = tempfile::tempdir().unwrap();
    // Scenarios keep the names that the notebooks know: a tree of their own, as the repository's.
    for folder in ["scenarios/town", "assets/town"] {
        copy(&root().join(folder), &place.path().join(folder));
    }
    let baseline = place.path().join("scenarios/town/baseline.toml");
    let more = "\n[output.tables.persons]\nenabled = true\n[output.tables.households]\nenabled = true\n";
    std::fs::write(&baseline, std::fs::read_to_string(&baseline).unwrap() + more).unwrap();
    let out = place.path().join("out");
    for (scenario, seed) in ["baseline", "charge", "closure"].iter().flat_map(|name| [1, 2].map(|seed| (name, seed))) {
        run(&place.path().join(format!("scenarios/town/{scenario}.toml")), &out, 2, Some(seed)).unwrap();
    }
    let comparison =
        Comparison::of(PairedRuns::open(&out, "baseline", &[], true).unwrap(), Options::default()).unwrap();
    comparison_tables::write(&comparison, &out.join("comparison"), &mut |_, _| {}).unwrap();
    let notebooks = ["duckdb", "geopandas", "polars"].map(|name| root().join(format!("docs/notebooks/{name}.ipynb")));
    let script = root().join("tests/notebook/run_notebooks.py");
    let output = Command::new(python).arg(script).arg(&out).args(notebooks).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", text(&output).trim());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
