//! Events and the couplings that carry them from one network to another: each with its closed form on the town, and with
//! the coupling switched off, when the effect is gone.

use std::collections::{BTreeMap, BTreeSet};
use urbis::Simulation;
use urbis_core::Domain;
use urbis_coupling::floods::speed_through_mps;
use urbis_coupling::powered::{MachineKind, Machines};
use urbis_coupling::{Heaters, Incidents};
use urbis_tests::{EVERY_DAY, Ran, bus_line, hashes, installed, number, run, scenario_in, told_of};
use urbis_traffic::{CarNetwork, Traffic};
use urbis_utility::heat_loads::HeatLoads;
use urbis_utility::power::ZoneLoads;
use urbis_utility::water::city::CityWater;
use urbis_utility::water::network::{LinkKind, NodeKind};

const TOWN: &str = "scenarios/town/baseline.toml";
const WINTER: &str = "[period]\nstart = \"2024-01-16T03:00:00\"\n[weather.climate]\nmean_c = 10.0\n";
const GRID: &str = "[power.grid]\nsource = \"synthetic\"\n";
const WATER: &str = "[water]\nsource = \"synthetic\"\n";
const GAS: &str = "[gas]\nsource = \"synthetic\"\nshare = 1.0\n";
const LIGHTS: &str = "[traffic.signals]\ncontrol = \"fixed\"\n";
/// Three in the morning of 11 June 2024 in Berlin, Unix time in milliseconds.
const START_MS: f64 = 1_718_067_600_000.0;
/// The town is dark from seven to eleven: four hours, of which none is restored.
const DARK: &str = "[[event]]\nname = \"dark\"\nkind = \"power_outage\"\nat = \"07:00\"\nhours = 4.0\n\
                    buses = [\"substation/0/hv\"]\n";

fn ran(patch: &str) -> Ran {
    Ran::of(TOWN, patch, 2).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)))
}

fn kpi(of: &Ran, name: &str) -> f64 {
    of.kpi(name).unwrap_or(0.0)
}

/// A town that is stepped by hand, in a folder that goes with it.
fn stepped(patch: &str) -> (Simulation, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    (installed(place.path(), TOWN, patch, 1, None), place)
}

/// Runs to the end of a tick.
fn run_to(simulation: &mut Simulation, tick: u32) {
    while simulation.clock().tick() < tick && simulation.step().unwrap() {}
}

#[test]
fn lights_without_electricity_are_dark() {
    let plain = ran(&format!("{LIGHTS}{GRID}"));
    let dark = ran(&format!("{LIGHTS}{GRID}{DARK}"));
    let junctions: BTreeSet<String> = plain.table("signals").into_iter().map(|row| row["node_id"].clone()).collect();
    let hours = kpi(&dark, "signal_hours_out");
    println!("{} junctions with lights, {hours} hours out", junctions.len());
    assert!(!junctions.is_empty() && (hours - 4.0 * junctions.len() as f64).abs() < 1e-9);
    // Dark in the sixteen quarters of an hour from seven, 14,400 s after the start at three.
    let is_dark: Vec<(f64, bool)> =
        dark.table("signals").iter().map(|row| (number(row, "time"), row["is_dark"] == "true")).collect();
    let first = is_dark.iter().map(|of| of.0).fold(f64::INFINITY, f64::min);
    for (time, is_dark) in is_dark {
        let quarter = ((time - first) / 900_000.0).round() as i64;
        assert_eq!(is_dark, (16..32).contains(&quarter), "{quarter}");
    }
    assert!(dark.table("trips") != plain.table("trips"), "who drives through dark junctions takes longer");
    // Without the coupling nobody on the road notices.
    let off = ran(&format!("{LIGHTS}{GRID}{DARK}[coupling]\npower_to_signals = false\n"));
    assert!(off.table("trips") == plain.table("trips"));
    assert!(kpi(&off, "signal_hours_out").abs() < 1e-12);
    // Nor with batteries that last.
    let backed = ran(&format!("{LIGHTS}{GRID}{DARK}[coupling.backup_h]\nsignals = 4.0\n"));
    assert!(backed.table("trips") == plain.table("trips"));
    let partly = ran(&format!("{LIGHTS}{GRID}{DARK}[coupling.backup_h]\nsignals = 1.5\n"));
    assert!((kpi(&partly, "signal_hours_out") - 2.5 * junctions.len() as f64).abs() < 1e-9);
}

#[test]
fn pumps_without_electricity_leave_the_town_to_its_tanks() {
    // Tanks hold about a day, so that it takes more to run dry.
    let long = format!("[period]\nduration_h = 72\n{}", DARK.replace("hours = 4.0", "hours = 66.0"));
    let dark = ran(&format!("{GRID}{WATER}{long}"));
    let off = ran(&format!("{GRID}{WATER}{long}[coupling]\npower_to_pumps = false\n"));
    let backed = ran(&format!("{GRID}{WATER}{long}[coupling.backup_h]\nwater_pumps = 72.0\n"));
    let without = |of: &Ran| kpi(of, "person_hours_without_water");
    println!("person hours without water: {} dark, {} coupling off", without(&dark), without(&off));
    assert!(kpi(&dark, "water_pump_hours_out") > 0.0);
    assert!(without(&dark) > 0.0 && without(&off).abs() < 1e-12 && without(&backed).abs() < 1e-12);
    let served = |of: &Ran| kpi(of, "water_served");
    assert!(served(&dark) < served(&off) && (served(&off) - served(&backed)).abs() < 1e-9 * served(&off));
    // Until pumps run again nothing comes in; what is served is what tanks lose.
    let rows: Vec<_> = dark.table("utility_balance").into_iter().filter(|row| row["utility"] == "water").collect();
    for row in &rows[16..16 + 4 * 66] {
        assert!(number(row, "supplied").abs() < 1e-9, "{row:?}");
        assert!((number(row, "served") + number(row, "stored") + number(row, "lost")).abs() < 1e-6, "{row:?}");
    }
    assert!(rows[..16].iter().any(|row| number(row, "supplied") > 0.0));
}

#[test]
fn pumps_draw_electricity_where_they_stand() {
    let of = |patch: &str| {
        let (mut simulation, _place) = stepped(&format!("{WATER}{patch}"));
        let (mut asked_j, mut last_w) = (0.0, 0.0);
        while simulation.step().unwrap() {
            if simulation.clock().is_due(Domain::Power) {
                let seconds = f64::from(simulation.clock().step_ticks(Domain::Power));
                asked_j += last_w * seconds;
                last_w = simulation.world().resource::<CityWater>().pump_w.iter().sum();
            }
        }
        (simulation.world().resource::<ZoneLoads>().total_served_j(), asked_j)
    };
    let ((on_j, pumps_j), (off_j, _)) = (of(""), of("[coupling]\npumps_to_power = false\n"));
    println!("pumps took {:.3} kWh, the town {:.3} kWh more", pumps_j / 3.6e6, (on_j - off_j) / 3.6e6);
    // Each step asks for what the one before took.
    assert!(pumps_j > 0.0 && (on_j - off_j - pumps_j).abs() < 1e-9 * on_j);
}

#[test]
fn boilers_without_electricity_take_no_gas() {
    let of = |patch: &str| {
        let run = ran(&format!("{WINTER}{GRID}{GAS}{patch}"));
        let rows = run.table("utility_balance").into_iter().filter(|row| row["utility"] == "gas");
        rows.map(|row| number(&row, "asked")).collect::<Vec<f64>>()
    };
    let (plain, dark) = (of(""), of(DARK));
    let off = of(&format!("{DARK}[coupling]\npower_to_boilers = false\n"));
    assert!(plain == off);
    for quarter in 0..96 {
        let expected = if (16..32).contains(&quarter) { 0.0 } else { plain[quarter] };
        assert!((dark[quarter] - expected).abs() < 1e-12 * plain[quarter].max(1.0), "{quarter}");
    }
    assert!(plain[20] > 0.0);
}

#[test]
fn people_heat_with_electricity_where_no_gas_comes() {
    let cut = "[[event]]\nname = \"gate\"\nkind = \"plant_trip\"\nat = \"06:00\"\nhours = 6.0\nnetwork = \"gas\"\n";
    let all = "[coupling]\nheater_share = 1.0\nheater_w_per_m2 = 1e6\n";
    let of = |patch: &str| {
        let (mut simulation, _place) = stepped(&format!("{WINTER}{GAS}{patch}"));
        let (mut lacks_j, mut before_w) = (0.0, 0.0);
        while simulation.step().unwrap() {
            let clock = simulation.clock();
            if clock.is_due(Domain::Power) {
                lacks_j += before_w * f64::from(clock.step_ticks(Domain::Power));
                let (gas, needs) = (
                    simulation.world().resource::<urbis_utility::gas::city::CityGas>(),
                    simulation.world().resource::<HeatLoads>(),
                );
                let lacks = |row: usize| {
                    if gas.is_connected(row) { needs.rooms_w[row] * (1.0 - gas.served_share[row]) } else { 0.0 }
                };
                before_w = (0..needs.rooms_w.len()).map(lacks).sum();
            }
        }
        let world = simulation.world();
        (world.resource::<ZoneLoads>().total_served_j(), world.resource::<Heaters>().asked_j, lacks_j)
    };
    let (plain_j, none_j, _) = of("");
    let (on_j, heaters_j, lacks_j) = of(&format!("{cut}{all}"));
    println!("heat that lacked {:.1} kWh, heaters took {:.1} kWh", lacks_j / 3.6e6, heaters_j / 3.6e6);
    assert!(none_j.abs() < 1e-12 && lacks_j > 0.0);
    assert!((heaters_j - lacks_j).abs() < 1e-9 * lacks_j && (on_j - plain_j - lacks_j).abs() < 1e-9 * on_j);
    let (off_j, ..) = of(&format!("{cut}[coupling]\nshortfall_to_heaters = false\n"));
    assert!((off_j - plain_j).abs() < 1e-12 * plain_j);
}

/// A tower of ten floors: the upper half of those who are in it cannot go up or down while it is dark.
#[test]
fn lifts_without_electricity_leave_upper_floors() {
    let tower = "[[policy]]\nname = \"tower\"\nkind = \"land_use\"\n[[policy.buildings]]\nlon = 10.0152\nlat = 50.0101\n\
                 use = \"residential\"\nfloor_area_m2 = 8000.0\nlevels = 10.0\nresidents = 200.0\n";
    let of = |patch: &str| {
        let run = ran(&format!("{GRID}{tower}{patch}"));
        let mut by_time: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for row in run.table("service").into_iter().filter(|row| row["utility"] == "lifts") {
            let of = by_time.entry(row["time"].clone()).or_insert((0.0, 0.0));
            of.0 += number(&row, "persons");
            of.1 += number(&row, "unserved_persons");
        }
        by_time.into_values().collect::<Vec<_>>()
    };
    let (dark, off) = (of(DARK), of(&format!("{DARK}[coupling]\npower_to_lifts = false\n")));
    assert!(dark.len() == 24 && off.len() == 24);
    for (hour, (&(persons, unserved), &(_, without))) in dark.iter().zip(&off).enumerate() {
        let expected = if (4..8).contains(&hour) { persons } else { 0.0 };
        assert!((unserved - expected).abs() < 1e-9 && without.abs() < 1e-12, "{hour}: {unserved} of {persons}");
    }
    // At night all who live there are at home, but those few who are out late or up early.
    assert!(dark[0].0 > 0.8 * 100.0 && dark[0].0 <= 100.0, "{}", dark[0].0);
    assert!(dark[4..8].iter().all(|hour| hour.0 > 0.0));
}

/// All cars are electric and no building has a charger: cars go to public points, where there are so many that nobody waits,
/// or two, where they queue; they want what they have driven. Without points nobody is charged.
#[test]
fn cars_queue_at_public_points() {
    let of = |points: u32| {
        let public = match points {
            0 => String::new(),
            _ => format!(
                "[power.devices.charger]\npublic_reach_m = 1e5\n\
                 public = [{{ building = \"synthetic/69\", points = {points}, power_w = 22000.0 }}]\n"
            ),
        };
        ran(&format!("{GRID}[coupling]\nelectric_car_share = 1.0\n{public}"))
    };
    let (many, two, none) = (of(10_000), of(2), of(0));
    let charged_kwh = |run: &Ran| kpi(run, "cars_charged") * 1000.0;
    // What each has driven when they come to a building, since they last did.
    let (mut driven_m, mut since_m) = (0.0, BTreeMap::new());
    for row in many.table("trips").iter().filter(|row| row["mode"] == "car" && row["status"] == "arrived") {
        let since_m: &mut f64 = since_m.entry(row["person_id"].clone()).or_default();
        *since_m += number(row, "distance_m");
        if !row["to_building"].is_empty() {
            driven_m += std::mem::take(since_m);
        }
    }
    println!("{} kWh at many points, {} at two, {driven_m} m", charged_kwh(&many), charged_kwh(&two));
    assert!(charged_kwh(&none).abs() < 1e-9 && kpi(&many, "mean_wait_for_a_public_point").abs() < 1e-9);
    println!("{} min of waiting at two", kpi(&two, "mean_wait_for_a_public_point"));
    assert!(kpi(&two, "mean_wait_for_a_public_point") > 0.0);
    assert!(charged_kwh(&two) <= charged_kwh(&many) + 1e-9);
    let expected_kwh = driven_m / 1000.0 * 0.18 / 0.9;
    assert!((charged_kwh(&many) / expected_kwh - 1.0).abs() < 0.05, "{} of {expected_kwh}", charged_kwh(&many));
}

#[test]
fn trams_without_current_stand_at_their_stops() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    std::fs::write(
        feed.join("routes.txt"),
        "route_id,agency_id,route_short_name,route_long_name,route_type\nr1,a,1,Across,0\n",
    )
    .unwrap();
    let line = format!("{GRID}[transit]\nfeeds = [{feed:?}]\n");
    let (plain, dark) = (ran(&line), ran(&format!("{line}{DARK}")));
    let off = ran(&format!("{line}{DARK}[coupling]\npower_to_rail = false\n"));
    let start_ms = START_MS;
    // Departures, but of the last stop, at which vehicles roll in.
    let leave = |of: &Ran, from_h: f64, to_h: f64| {
        let is_in = |row: &&BTreeMap<String, String>| {
            let hour = (number(row, "time") - start_ms) / 3.6e6;
            row["stop_number"] != "6" && (from_h..to_h).contains(&hour)
        };
        of.table("transit_load").iter().filter(is_in).count()
    };
    let found = [leave(&plain, 4.0, 8.0), leave(&dark, 4.0, 8.0), leave(&dark, 8.0, 8.5), leave(&plain, 8.0, 8.5)];
    println!(
        "departures from seven to eleven: {} with current, {} without; then {} and {}",
        found[0], found[1], found[2], found[3]
    );
    assert!(found[0] > 0 && found[1] == 0 && found[2] > found[3]);
    let latest = |of: &Ran| of.table("transit_load").iter().map(|row| number(row, "delay_s")).fold(0.0, f64::max);
    // Who was to leave at seven is four hours late.
    assert!((latest(&dark) - 4.0 * 3600.0).abs() < 1e-9 && latest(&plain).abs() < 1e-9, "{}", latest(&dark));
    assert!(off.table("transit_load") == plain.table("transit_load"));
}

/// Links of the town's busiest road, by passages.
/// From eight to nine: what reaches a building is the sum of what the links around it radiate and emit,
/// and it reaches those who are there, not those who live there. Switched off, nothing is told.
#[test]
fn noise_and_exhaust_reach_those_who_are_there() {
    use urbis_core::CarLinkIx;
    use urbis_coupling::Exposure;
    use urbis_coupling::exposure::{LEVELS_DB, REACH_M, exhaust_factor, noise_factor};
    use urbis_traffic::emissions::{CLASSES, Travel};
    use urbis_traffic::noise::{Noise, Road};
    use urbis_traffic::{CarNetwork, EmissionFactors, Traffic};
    let (mut simulation, _place) = stepped("[coupling]\ntraffic_to_people = true\n");
    run_to(&mut simulation, 5 * 3600 - 1);
    let left = |simulation: &Simulation| -> Vec<u32> {
        let engine = simulation.world().resource::<Traffic>().engine();
        let links = simulation.world().resource::<CarNetwork>().links() as u32;
        (0..links).map(|link| engine.passed(CarLinkIx(link)).1).collect()
    };
    let before = left(&simulation);
    run_to(&mut simulation, 6 * 3600 - 1);
    let (after, world) = (left(&simulation), simulation.world());
    let (network, traffic) = (world.resource::<CarNetwork>(), world.resource::<Traffic>());
    let (exposure, city) = (world.resource::<Exposure>(), world.resource::<urbis_city::model::City>());
    let node = |node: u32| [network.x_m[node as usize], network.y_m[node as usize]];
    let (noise, factors) = (Noise::default(), &world.resource::<EmissionFactors>().0);
    let of_building = |building: usize| {
        let at = [city.buildings.x_m[building], city.buildings.y_m[building]];
        let (mut intensity, mut g_per_m3) = (0.0, 0.0);
        for link in 0..network.links() {
            let (a, b) = (node(network.from[link]), node(network.to[link]));
            let length_m = network.length_m[link];
            let (square, along) = ((b[0] - a[0]).powi(2) + (b[1] - a[1]).powi(2), [b[0] - a[0], b[1] - a[1]]);
            let share = (((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / square).clamp(0.0, 1.0);
            let away_m = (at[0] - a[0] - share * along[0]).hypot(at[1] - a[1] - share * along[1]);
            let vehicles = f64::from(after[link] - before[link]);
            if away_m > REACH_M || vehicles <= 0.0 {
                continue;
            }
            let mut vehicle_km = [0.0; CLASSES];
            vehicle_km[0] = vehicles * length_m / 1000.0;
            let speed_mps = length_m / (f64::from(traffic.travel_times_ms()[link]) / 1000.0);
            let travel = Travel::at_speed(vehicle_km, speed_mps);
            let sound_w_per_m = noise.link(&travel, length_m, 1.0, &Road::default()).a_weighted_w_per_m();
            intensity += noise_factor(a, b, at) * sound_w_per_m;
            g_per_m3 += exhaust_factor(a, b, at) * factors.link_interval(&travel).nox_g / length_m / 3600.0;
        }
        (10.0 * (intensity / 1e-12).log10(), g_per_m3 * 1e6)
    };
    let present = &world.resource::<urbis_population::People>().present;
    let (mut persons, mut above, mut nox) = (0, [0, 0], 0.0);
    for (building, &there) in present.iter().enumerate().take(city.buildings.len()) {
        let (level_db, nox_ug_per_m3) = of_building(building);
        let there = u64::from(there);
        let told_db = exposure.level_db[building];
        assert!((told_db - level_db).abs() < 1e-3 || level_db.is_infinite(), "{building}: {told_db} {level_db} dB(A)");
        persons += there;
        for (above, limit_db) in above.iter_mut().zip(LEVELS_DB) {
            *above += if level_db > limit_db { there } else { 0 };
        }
        nox += nox_ug_per_m3 * there as f64;
    }
    assert_eq!(exposure.persons.iter().sum::<u64>(), persons);
    assert_eq!(exposure.above.each_ref().map(|of| of.iter().sum::<u64>()), above);
    assert!((exposure.nox_persons.iter().sum::<f64>() / nox - 1.0).abs() < 1e-5, "{nox}");
    println!("{persons} present, {above:?} above {LEVELS_DB:?} dB(A), NOx {:.3} ug/m3", nox / persons as f64);
    assert!(nox > 0.0);
    let (off, _place) = stepped("[coupling]\ntraffic_to_people = false\n");
    assert!(off.world().get_resource::<Exposure>().is_none());
}

fn busiest(of: &Ran) -> String {
    let mut left: BTreeMap<String, f64> = BTreeMap::new();
    for row in of.table("link_state") {
        *left.entry(row["link_id"].clone()).or_insert(0.0) += number(&row, "left_veh");
    }
    left.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
}

#[test]
fn nobody_enters_a_closed_road_and_nobody_foresaw_it() {
    let crossings = "[output.tables.crossings]\nenabled = true\n";
    let plain = ran(crossings);
    let link = busiest(&plain);
    let event = |kind: &str, more: &str| {
        format!(
            "[[event]]\nname = \"e\"\nkind = \"{kind}\"\nat = \"07:00\"\nhours = 3.0\narea = {{ links = [\"{link}\"] }}\n{more}"
        )
    };
    let closed = ran(&format!("{crossings}{}", event("road_closure", "")));
    let start_ms = START_MS;
    // Who was on it when it closed leaves it within minutes.
    let entered = |of: &Ran, from_h: f64, to_h: f64| {
        let inside = |row: &&BTreeMap<String, String>| {
            let hour = (number(row, "enter_time") - start_ms) / 3.6e6;
            row["link_id"] == link && (from_h..to_h).contains(&hour)
        };
        of.table("crossings").iter().filter(inside).count()
    };
    let found = [entered(&plain, 4.0, 7.0), entered(&closed, 4.0, 7.0), entered(&closed, 7.0, 20.0)];
    println!("link {link}: {found:?} entered: plain, closed, after it");
    assert!(found[0] > 0 && found[1] == 0 && found[2] > 0);
    // Plans are as they were: same trips, modes and ends.
    let plans = |of: &Ran| {
        let of_row = |row: BTreeMap<String, String>| {
            ["trip_id", "person_id", "mode", "from_building", "to_building"].map(|column| row[column].clone())
        };
        of.table("trips").into_iter().map(of_row).collect::<Vec<_>>()
    };
    assert!(plans(&plain) == plans(&closed));
    // A crash that leaves all of the road is none; one that leaves little is felt.
    let crash = |left: f64| ran(&format!("{crossings}{}", event("crash", &format!("capacity_left = {left}\n"))));
    assert!(crash(1.0).table("trips") == plain.table("trips"));
    let most = |of: &Ran| {
        let mut per_minute: BTreeMap<i64, u32> = BTreeMap::new();
        for row in of.table("crossings").iter().filter(|row| row["link_id"] == link) {
            let minute = ((number(row, "leave_time") - start_ms) / 60_000.0).floor() as i64;
            *per_minute.entry(minute).or_insert(0) += 1;
        }
        per_minute.range(4 * 60 + 2..7 * 60).map(|of| *of.1).max().unwrap_or(0)
    };
    let (free, narrow) = (most(&plain), most(&crash(0.02)));
    println!("most vehicles in a minute: {free} free, {narrow} after the crash");
    assert!(narrow < free);
}

#[test]
fn water_on_a_road_slows_it_by_its_depth() {
    let plain = ran("");
    let link = busiest(&plain);
    let flood = format!(
        "[[event]]\nname = \"river\"\nkind = \"flood\"\nat = \"04:00\"\narea = {{ links = [\"{link}\"] }}\n\
         depth = [{{ hours = 0.0, depth_m = 0.15 }}, {{ hours = 2.0, depth_m = 0.15 }}]\n"
    );
    let of = |patch: &str| {
        let (mut simulation, _place) = stepped(&format!("{flood}{patch}"));
        let mut times = Vec::new();
        for tick in [3000, 3600 + 900, 3 * 3600 + 1800] {
            run_to(&mut simulation, tick);
            let network = simulation.world().resource::<CarNetwork>();
            let city = simulation.world().resource::<urbis_city::model::City>();
            let row = city.links.id.iter().position(|id| *id == link).unwrap();
            let car = network.car_link[row];
            let time = simulation.world().resource::<Traffic>().engine().free_time(car);
            times.push((time, network.free_time[car.row()], network.length_m[car.row()]));
        }
        times
    };
    let times = of("");
    let (_, dry, length_m) = times[0];
    let wet = urbis_traffic::time::from_seconds(length_m / speed_through_mps(0.15));
    assert!(times[0].0 == dry && times[2].0 == dry && times[1].0 == wet.max(dry) && wet > dry, "{times:?} {wet}");
    let off = of("[coupling]\nfloods_to_roads = false\n");
    assert!(off.iter().all(|of| of.0 == dry));
}

#[test]
fn a_burst_main_leaks_by_its_pressure_until_it_is_shut() {
    let (simulation, _place) = stepped(WATER);
    let water = simulation.world().resource::<CityWater>();
    let links = &water.network().links;
    // The widest pipe between junctions.
    let kinds = &water.network().nodes.kind;
    let is_junction = |node: u32| kinds[node as usize] == NodeKind::Junction;
    let is_main =
        |row: usize| links.kind[row] == LinkKind::Pipe && is_junction(links.from[row]) && is_junction(links.to[row]);
    let pipes = (0..links.id.len()).filter(|&row| is_main(row));
    let row = pipes.max_by(|&a, &b| links.diameter_m[a].total_cmp(&links.diameter_m[b])).unwrap();
    let (pipe, node, diameter_m) = (links.id[row].clone(), links.to[row] as usize, links.diameter_m[row]);
    let burst = format!(
        "[[event]]\nname = \"main\"\nkind = \"pipe_burst\"\nat = \"05:00\"\nhours = 6.0\npipe = \"{pipe}\"\n\
         hole_share = 0.002\nshut_off_h = 1.5\n"
    );
    let (mut simulation, _place) = stepped(&format!("{WATER}{burst}"));
    let (mut lost_before, mut leaked, mut flows) = (0.0, Vec::new(), Vec::new());
    while simulation.step().unwrap() {
        if simulation.clock().is_due(Domain::Power) {
            let water = simulation.world().resource::<CityWater>();
            let lost = water.volumes().emitted_m3;
            leaked.push((lost - lost_before, water.pressure_m(node).unwrap_or(0.0)));
            flows.push(water.run().hydraulics.flow_m3ps[row]);
            lost_before = lost;
        }
    }
    let area_m2 = 0.002 * std::f64::consts::PI * diameter_m * diameter_m / 4.0;
    for (quarter, &(lost_m3, pressure_m)) in leaked.iter().enumerate() {
        // From five, eight quarters after three, for an hour and a half.
        if (8..14).contains(&quarter) {
            let expected = 0.75 * area_m2 * (2.0 * 9.806_65 * pressure_m).sqrt() * 900.0;
            // Pressure is that at the end of the quarter and drifts within it.
            assert!((lost_m3 / expected - 1.0).abs() < 0.05, "{quarter}: {lost_m3} {expected}");
        } else {
            assert!(lost_m3.abs() < 1e-9, "{quarter}: {lost_m3}");
        }
        let is_shut = (14..32).contains(&quarter);
        assert!(!is_shut || flows[quarter].abs() < 1e-6, "{quarter}: {}", flows[quarter]);
    }
    println!("pipe {pipe}: {:.2} m3 lost", lost_before);
    assert!(lost_before > 0.0);
}

#[test]
fn crews_repair_one_after_the_other() {
    let crews = |count: u32, rule: &str| {
        format!("[repair]\nrule = \"{rule}\"\n[repair.crews]\npower = {count}\n[repair.work_h]\npower = 2.0\n")
    };
    let events = "[[event]]\nname = \"first\"\nkind = \"power_outage\"\nat = \"06:00\"\nbranches = [\"12\"]\n\
                  [[event]]\nname = \"second\"\nkind = \"power_outage\"\nat = \"06:10\"\nbranches = [\"14\"]\n";
    let of = |count: u32| {
        let run = ran(&format!("{GRID}{events}{}", crews(count, "first_come")));
        let mut of: BTreeMap<(String, String), f64> = BTreeMap::new();
        for row in run.table("events") {
            of.insert((row["event"].clone(), row["happening"].clone()), number(&row, "time") / 1000.0);
        }
        let at = move |event: &str, what: &str| of[&(event.to_owned(), what.to_owned())];
        (at, run)
    };
    let (one, run) = of(1);
    for event in ["first", "second"] {
        let way_s = one(event, "crew_arrived") - one(event, "crew_left");
        println!("{event}: way {way_s} s");
        assert!((0.0..1800.0).contains(&way_s), "{way_s}");
        assert!((one(event, "ended") - one(event, "crew_arrived") - 7200.0).abs() < 1e-9);
    }
    assert!((one("first", "crew_left") - one("first", "began")).abs() < 1e-9);
    assert!((one("second", "crew_left") - one("first", "ended")).abs() <= 1.0);
    assert!(kpi(&run, "saidi") > 0.0 && (kpi(&run, "repairs_taken_on") - 2.0).abs() < 1e-12);
    // A second crew need not wait for the first; without any the outage lasts to the end.
    let (two, _) = of(2);
    assert!((two("second", "crew_left") - two("second", "began")).abs() < 1e-9);
    let none = ran(&format!("{GRID}{events}"));
    assert!(kpi(&none, "saidi") >= kpi(&run, "saidi"));
    assert!(none.table("events").iter().all(|row| row["happening"] == "began"));
}

#[test]
fn who_holds_the_controllers_stops_the_machines() {
    let cyber = "[[event]]\nname = \"intruder\"\nkind = \"cyber_incident\"\nat = \"07:00\"\nhours = 2.0\n\
                 targets = [\"signals\", \"water_pumps\", \"mobile_sites\"]\n";
    let networks = format!("{LIGHTS}{WATER}[telecom]\nsource = \"synthetic\"\n");
    let (of, plain) = (ran(&format!("{networks}{cyber}")), ran(&networks));
    let (simulation, _place) = stepped(&networks);
    let machines = simulation.world().resource::<Machines>();
    let count = |kind| machines.of.iter().filter(|of| of.kind == kind).count() as f64;
    assert!((kpi(&of, "signal_hours_out") - 2.0 * count(MachineKind::Signal)).abs() < 1e-9);
    assert!((kpi(&of, "water_pump_hours_out") - 2.0 * count(MachineKind::WaterPump)).abs() < 1e-9);
    // Nobody is connected in the eight quarters from seven on.
    let unserved = |run: &Ran| {
        let rows = run.table("service").into_iter().filter(|row| row["utility"] == "telecom");
        let mut by_time: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for row in rows {
            let of = by_time.entry(row["time"].clone()).or_insert((0.0, 0.0));
            of.0 += number(&row, "persons");
            of.1 += number(&row, "unserved_persons");
        }
        by_time.into_values().collect::<Vec<_>>()
    };
    for (hour, ((persons, unserved), (_, before))) in unserved(&of).into_iter().zip(unserved(&plain)).enumerate() {
        let expected = if (4..6).contains(&hour) { persons } else { before };
        assert!((unserved - expected).abs() < 1e-9, "{hour}: {unserved} of {persons}");
    }
    assert!(kpi(&plain, "signal_hours_out").abs() < 1e-12);
}

#[test]
fn an_earthquake_breaks_what_it_would_and_more_when_it_is_harder() {
    let of = |pgv_mps: f64, pga_g: f64| {
        let quake = format!(
            "[[event]]\nname = \"quake\"\nkind = \"earthquake\"\nat = \"09:00\"\npgv_mps = {pgv_mps}\npga_g = {pga_g}\n"
        );
        let (simulation, _place) = stepped(&format!("{GRID}{WATER}{quake}"));
        let parts = &simulation.world().resource::<Incidents>().parts;
        parts.iter().map(|part| part.what.trim_start_matches("leak of ").to_owned()).collect::<BTreeSet<String>>()
    };
    let (none, weak, strong) = (of(0.0, 0.0), of(0.8, 0.2), of(3.0, 3.0));
    println!("broken: {} weak, {} strong", weak.len(), strong.len());
    assert!(none.is_empty() && strong.is_superset(&weak) && strong.len() > weak.len());
    assert!(strong.iter().any(|what| what.starts_with("bus ")));
}

#[test]
fn a_cold_snap_asks_for_more_heat() {
    let event = |kind: &str, key: &str, kelvin: f64| {
        format!("[[event]]\nname = \"w\"\nkind = \"{kind}\"\nat = \"03:00\"\nhours = 24.0\n{key} = {kelvin}\n")
    };
    let asked = |patch: &str| {
        let run = ran(&format!("{WINTER}{GAS}{patch}"));
        let rows = run.table("utility_balance").into_iter().filter(|row| row["utility"] == "gas");
        rows.map(|row| number(&row, "asked")).sum::<f64>()
    };
    let (plain, cold, warm) =
        (asked(""), asked(&event("cold_snap", "colder_k", 8.0)), asked(&event("heat_wave", "warmer_k", 8.0)));
    println!("gas asked for: {warm:.1} warm, {plain:.1}, {cold:.1} kg cold");
    assert!(cold > 1.1 * plain && warm < 0.9 * plain);
}

#[test]
fn everything_at_once_is_the_same_on_any_number_of_threads() {
    let patch = format!(
        "{WINTER}{LIGHTS}{GRID}{WATER}{GAS}[telecom]\nsource = \"synthetic\"\n[repair.crews]\npower = 1\nwater = 1\n\
         {}[[event]]\nname = \"quake\"\nkind = \"earthquake\"\nat = \"09:00\"\npgv_mps = 1.0\npga_g = 0.4\n",
        DARK.replace("hours = 4.0\n", "")
    );
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), TOWN, &patch);
    let of = |threads: usize| {
        let out = place.path().join(format!("out-{threads}"));
        run(&scenario, &out, threads, None).unwrap_or_else(|error| panic!("{}", told_of(&error)));
        hashes(&out)
    };
    assert!(of(1) == of(3));
}

#[test]
fn what_cannot_happen_is_refused_with_its_place() {
    let event = |text: &str| format!("[[event]]\nname = \"e\"\n{text}\n");
    let cases = [
        (event("kind = \"power_outage\"\nat = \"07:00\"\nbuses = [\"x\"]"), "name a source in `[power.grid]`"),
        (
            format!("{GRID}{}", event("kind = \"power_outage\"\nat = \"07:00\"\nbuses = [\"substation/0/h\"]")),
            "did you mean",
        ),
        (event("kind = \"road_closure\"\nat = \"07:00\""), "needs an `area`"),
        (event("kind = \"road_closure\"\nat = \"7\"\narea = { zones = [\"east\"] }"), "no moment"),
        (
            event("kind = \"road_closure\"\nat = \"2024-07-11T07:00\"\narea = { zones = [\"east\"] }"),
            "outside the period",
        ),
        (
            format!("{WATER}{}", event("kind = \"pipe_burst\"\nat = \"07:00\"\npipe = \"nothing\"")),
            "no pipe of the water network",
        ),
        (
            format!("{WATER}{}", event("kind = \"failure\"\nat = \"07:00\"\nnetwork = \"water\"\nelements = [\"?\"]")),
            "has no element",
        ),
        (event("kind = \"heat_wave\"\nat = \"07:00\"\nhours = 2.0\nwarmer_k = 5.0"), "`[weather]`"),
        (
            event(
                "kind = \"flood\"\nat = \"07:00\"\narea = { zones = [\"east\"] }\ndepth = [{ hours = 1.0, depth_m = 1.0 }, { hours = 0.5, depth_m = 0.0 }]",
            ),
            "hours that rise",
        ),
        ("[repair]\ndepots = [\"nowhere\"]\n".to_owned(), "no building `nowhere`"),
    ];
    for (patch, expected) in cases {
        let told = told_of(&Ran::of(TOWN, &patch, 1).expect_err("it cannot happen"));
        assert!(told.contains(expected), "{patch}\n{told}\nexpected {expected}");
    }
}
