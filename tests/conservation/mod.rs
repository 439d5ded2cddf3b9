//! The laws of a run: vehicles requested = entered + waiting + rejected, entered = arrived + on the
//! road; every person is in one place; energy served = energy drawn. The audit checks them at every tick
//! of every run; here random towns are run through it, and a world is broken on purpose.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;
use urbis::Simulation;
use urbis_core::rng::Rng;
use urbis_core::{Error, diagnostics::ExitStatus};
use urbis_tests::{hashes, installed, root, run, scenario_in};

/// A random town: a grid with missing streets, one-way streets and narrow ones.
fn random_town(folder: &Path, seed: u64) {
    let mut rng = Rng::new(seed, 0, 0, 0);
    let side = 4 + rng.below(4);
    let mut nodes = String::from("node_id,x_coord,y_coord\n");
    let mut links =
        String::from("link_id,from_node_id,to_node_id,directed,length,lanes,capacity,free_speed,facility_type\n");
    let mut count = 0;
    for row in 0..side {
        for column in 0..side {
            let node = row * side + column;
            let (x, y) = (10.0 + 0.003 * f64::from(column), 50.0 + 0.002 * f64::from(row));
            nodes += &format!("{node},{x},{y}\n");
            for (to_row, to_column) in [(row, column + 1), (row + 1, column)] {
                // The outer ring stays whole, so that every place can be reached.
                let is_ring = (to_row == row && (row == 0 || row + 1 == side))
                    || (to_column == column && (column == 0 || column + 1 == side));
                if to_row >= side || to_column >= side || (!is_ring && rng.chance(0.25)) {
                    continue;
                }
                let directed = u32::from(!is_ring && rng.chance(0.2));
                let length = 0.02 + 0.3 * rng.uniform();
                let capacity = 200 + rng.below(600);
                links += &format!(
                    "{count},{node},{},{directed},{length:.4},1,{capacity},{},residential\n",
                    to_row * side + to_column,
                    20 + rng.below(40)
                );
                count += 1;
            }
        }
    }
    let (east, north) = (10.0 + 0.003 * f64::from(side), 50.0 + 0.002 * f64::from(side));
    let zones = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"id":"all"}},"geometry":{{"type":"Polygon","coordinates":[[[9.99,49.99],[{east},49.99],[{east},{north}],[9.99,{north}],[9.99,49.99]]]}}}}]}}"#
    );
    let residents = 500 + rng.below(3000);
    let panel = format!(
        "zone_id,period,indicator,value,unit,source,quality\nall,2024,residents,{residents},persons,random,estimate\n"
    );
    let recipe = "name = \"random\"\ntitle = \"Random\"\nvalid_period = \"2024\"\n[licence]\nlicence = \"CC0-1.0\"\nattribution = \"random\"\n[roads]\ngmns = \"network\"\n[zones]\npath = \"zones.geojson\"\n[panel]\npath = \"panel.csv\"\n[buildings]\nsource = \"synthetic\"\n";
    std::fs::create_dir_all(folder.join("network")).unwrap();
    for (name, text) in [
        ("network/node.csv", nodes.as_str()),
        ("network/link.csv", links.as_str()),
        ("network/config.csv", "dataset_name,long_length,speed,crs\nrandom,km,kmh,EPSG:4326\n"),
        ("zones.geojson", zones.as_str()),
        ("panel.csv", panel.as_str()),
        ("city.toml", recipe),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn random_towns_keep_every_law_at_every_tick() {
    for seed in 0..6 {
        let place = tempfile::tempdir().unwrap();
        random_town(place.path(), seed);
        let scenario = place.path().join("scenario.toml");
        std::fs::write(
            &scenario,
            "name = \"random\"\n[city]\npackage = \"city\"\nrecipe = \"city.toml\"\n[period]\nstart = \"2024-06-11T03:00:00\"\ntime_zone = \"UTC\"\nduration_h = 24\n[population]\ncar_share = 0.9\n",
        )
        .unwrap();
        let summary = run(&scenario, &place.path().join("out"), 2, Some(seed))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let figure = |name: &str| summary.kpis.iter().find(|kpi| kpi.indicator == name).unwrap().value;
        println!("seed {seed}: {} road trips, {} % arrived", figure("road_trips"), figure("road_trips_arrived"));
        assert!(figure("road_trips") > 100.0, "seed {seed}");
    }
}

/// A town's simulation at noon.
fn town_at_noon(place: &Path) -> Simulation {
    at_noon(place, "")
}

/// The same with a patch.
fn at_noon(place: &Path, patch: &str) -> Simulation {
    let mut simulation = installed(place, "scenarios/town/baseline.toml", patch, 1, None);
    while simulation.clock().next() < 9 * 3600 {
        assert!(simulation.step().unwrap());
    }
    simulation
}

fn breaks_within_an_hour(mut simulation: Simulation) -> Error {
    for _ in 0..3600 {
        if let Err(error) = simulation.step() {
            return error;
        }
    }
    panic!("a broken ledger went through for an hour");
}

#[test]
fn a_lost_person_stops_the_run() {
    let place = tempfile::tempdir().unwrap();
    let mut simulation = town_at_noon(place.path());
    let mut people = simulation.world_mut().resource_mut::<urbis::population::People>();
    let somewhere = people.present.iter().position(|&count| count > 0).unwrap();
    people.present[somewhere] -= 1;
    let error = breaks_within_an_hour(simulation);
    assert_eq!(error.exit_status(), ExitStatus::Fault);
    assert!(error.to_string().contains("persons"), "{error}");
    assert!(!place.path().join("out/_SUCCESS").exists());
}

#[test]
fn a_phantom_traveller_stops_the_run() {
    let place = tempfile::tempdir().unwrap();
    let mut simulation = town_at_noon(place.path());
    simulation.world_mut().resource_mut::<urbis::population::People>().travelling += 1;
    let error = breaks_within_an_hour(simulation);
    assert!(error.to_string().contains("travelling"), "{error}");
}

#[test]
fn energy_from_nowhere_stops_the_run() {
    let place = tempfile::tempdir().unwrap();
    let mut simulation = town_at_noon(place.path());
    simulation.world_mut().resource_mut::<urbis::utility::power::ZoneLoads>().served_j[0] += 1e6;
    let error = breaks_within_an_hour(simulation);
    assert!(error.to_string().contains("energy"), "{error}");
}

#[test]
fn money_from_nowhere_stops_the_run() {
    let price = "[[policy]]\nname = \"east\"\nkind = \"road_price\"\narea = { zones = [\"east\"] }\n\
                 basis = \"cordon\"\nprices = [{ amount = 2.0 }]\n";
    let place = tempfile::tempdir().unwrap();
    let mut simulation = at_noon(place.path(), price);
    let mut policies = simulation.world_mut().resource_mut::<urbis::coupling::Policies>();
    assert!(policies.payments.received[0] > 0, "somebody has paid by noon");
    policies.payments.received[0] += 1;
    let error = breaks_within_an_hour(simulation);
    assert_eq!(error.exit_status(), ExitStatus::Fault);
    assert!(error.to_string().contains("money"), "{error}");
    assert!(!place.path().join("out/_SUCCESS").exists());
}

#[test]
fn a_load_that_is_not_a_number_stops_the_run() {
    let place = tempfile::tempdir().unwrap();
    let mut simulation = town_at_noon(place.path());
    simulation.world_mut().resource_mut::<urbis::utility::power::BuildingLoads>().lighting_w[0] = f64::NAN;
    let error = breaks_within_an_hour(simulation);
    assert_eq!(error.exit_status(), ExitStatus::Fault, "{error}");
}

#[test]
fn the_repository_has_the_scenarios_others_rely_on() {
    for name in ["scenarios/monaco/baseline.toml", "scenarios/coquimbo/baseline.toml", "scenarios/town/more_cars.toml"]
    {
        let loaded = urbis::scenario::load(&root().join(name)).unwrap();
        assert!(!loaded.scenario.title.is_empty(), "{name}");
    }
}

/// A table of a run; its metadata name the run, its columns do not.
fn columns(out: &Path, table: &str) -> Vec<(String, ArrayRef)> {
    let file = std::fs::File::open(out.join(table).join("scenario=test/seed=1/part-0.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(1 << 20).build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let whole = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    let names = whole.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    names.into_iter().zip(whole.columns().to_vec()).collect()
}

/// Columns of table `parking` of a run, added up: occupied spaces, spaces, cars that came, time they searched.
fn parking(out: &Path) -> (f64, f64, f64, f64) {
    let table = columns(out, "parking");
    let column = |name: &str| {
        let column = &table.iter().find(|(other, _)| other == name).unwrap().1;
        let numbers = arrow::compute::cast(column, &DataType::Float64).unwrap();
        numbers.as_primitive::<Float64Type>().iter().map(Option::unwrap_or_default).collect::<Vec<f64>>()
    };
    let (cars, mean_s) = (column("arrivals"), column("search_s"));
    let search_s = cars.iter().zip(&mean_s).map(|(cars, mean_s)| cars * mean_s).sum::<f64>();
    (column("occupied").iter().sum(), column("spaces").iter().sum(), cars.iter().sum(), search_s)
}

/// Runs the town with a patch and hands over where the results are.
fn day<T>(patch: &str, see: impl FnOnce(&Path) -> T) -> T {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", patch);
    run(&scenario, &out, 2, None).unwrap_or_else(|error| panic!("{patch}: {error}"));
    let seen = see(&out);
    // The same again on one thread: the tables are equal, byte for byte.
    let tables = |out: &Path| -> Vec<(String, String)> {
        hashes(out).into_iter().filter(|(name, _)| name.contains("/scenario=")).collect()
    };
    let first = tables(&out);
    std::fs::remove_dir_all(&out).unwrap();
    run(&scenario, &out, 1, None).unwrap();
    assert_eq!(tables(&out), first, "{patch}");
    seen
}

#[test]
fn who_parks_searches_the_longer_the_fewer_spaces_there_are() {
    let on = |spaces: f64| format!("[traffic.parking]\nenabled = true\nspaces_per_car_owner = {spaces}");
    let (ample, scarce) = (day(&on(4.0), parking), day(&on(0.9), parking));
    println!("occupied, spaces, arrivals, search: {ample:?} {scarce:?}");
    assert!(ample.2 > 100.0 && scarce.2 > 100.0);
    assert!(scarce.0 / scarce.1 > 1.5 * ample.0 / ample.1, "{ample:?} {scarce:?}");
    assert!(scarce.3 / scarce.2 > 1.5 * ample.3 / ample.2, "{ample:?} {scarce:?}");
    // Off, settings of parking change nothing, and there is no table.
    let see = |out: &Path| {
        assert!(!out.join("parking").exists());
        ["trips", "link_state", "presence", "kpis"].map(|table| columns(out, table))
    };
    let off = day("", see);
    assert!(off == day("[traffic.parking]\nspaces_per_car_owner = 4.0", see));
    // Searching is part of the trip, not of the way.
    let trips = day(&on(0.9), |out| columns(out, "trips"));
    assert!(
        trips != off[0]
            && trips.iter().find(|(name, _)| name == "person_id")
                == off[0].iter().find(|(name, _)| name == "person_id")
    );
    let place = tempfile::tempdir().unwrap();
    let wrong = scenario_in(place.path(), "scenarios/town/baseline.toml", &on(-1.0));
    assert!(run(&wrong, &place.path().join("out"), 1, None).is_err());
}

#[test]
fn reshaped_roads_keep_every_law() {
    let shaped = "[traffic]\njoin_short = true\nturn_pockets_m = 25.0\nlane_groups = true\n\
                  signals = { control = \"actuated\" }\n[output.tables]\ncrossings = { enabled = true }";
    let links = |out: &Path| columns(out, "crossings").into_iter().find(|(name, _)| name == "link_id").unwrap().1.len();
    assert!(day(shaped, links) > 1000);
    for seed in 0..3 {
        let place = tempfile::tempdir().unwrap();
        random_town(place.path(), seed);
        let scenario = place.path().join("scenario.toml");
        let text = format!(
            "name = \"random\"\n[city]\npackage = \"city\"\nrecipe = \"city.toml\"\n[period]\n\
             start = \"2024-06-11T03:00:00\"\ntime_zone = \"UTC\"\nduration_h = 24\n[population]\ncar_share = 0.9\n\
             {shaped}\n[traffic.parking]\nenabled = true\nspaces_per_car_owner = 0.7\n"
        );
        std::fs::write(&scenario, text).unwrap();
        run(&scenario, &place.path().join("out"), 2, Some(seed)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}
