//! Cells of the coupling matrix that have no event of their own: each with its closed form on the town, and with the
//! coupling switched off, when the effect is gone. The other cells are tested in `events`, `pipes`, `policies`,
//! `emergency`, `evacuation` and `bills`.

use std::collections::BTreeMap;
use urbis::Simulation;
use urbis_city::model::{BuildingUse, City};
use urbis_core::Domain;
use urbis_coupling::emergency::dispatch::ServiceKind;
use urbis_coupling::powered::{MachineKind, Machines};
use urbis_coupling::skims::car_matrix;
use urbis_coupling::{CallPlace, Crews, Emergency, EmergencyCalls, Services};
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{Cells, People};
use urbis_tests::{EVERY_DAY, Ran, bus_line, cheapest, installed, number, told_of};
use urbis_traffic::{CarNetwork, Router, Traffic};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::BuildingLoads;
use urbis_utility::sewer::city_sewer::CitySewer;
use urbis_utility::water::city::CityWater;
use urbis_utility::water_demand::{WaterDemandSettings, WaterDemands, WaterUse};
use urbis_utility::wiring::Utility;

const TOWN: &str = "scenarios/town/baseline.toml";
const GRID: &str = "[power.grid]\nsource = \"synthetic\"\n";
const WATER: &str = "[water]\nsource = \"synthetic\"\n";
const SEWER: &str = "[sewer]\nsource = \"synthetic\"\n";
/// Dark from seven to eleven.
const DARK: &str = "[[event]]\nname = \"dark\"\nkind = \"power_outage\"\nat = \"07:00\"\nhours = 4.0\n\
                    buses = [\"substation/0/hv\"]\n";
/// A crash on every road from six to six, which leaves little of it.
const CRASHES: &str = "[[event]]\nname = \"crash\"\nkind = \"crash\"\nat = \"06:00\"\nhours = 12.0\ncapacity_left = 0.02\n\
                       area = { zones = [\"west\", \"east\"] }\n";

fn ran(patch: &str) -> Ran {
    Ran::of(TOWN, patch, 2).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)))
}

/// A scenario that is stepped by hand, in a folder that goes with it.
fn stepped(base: &str, patch: &str) -> (Simulation, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    (installed(place.path(), base, patch, 1, None), place)
}

/// Steps to the end, and calls at the end of each step of the networks with the simulation and who was in buildings before it.
fn each_step(simulation: &mut Simulation, mut at: impl FnMut(&Simulation, &[u32])) {
    let present = |simulation: &Simulation| simulation.world().resource::<People>().present.clone();
    loop {
        let next = simulation.clock().next();
        let is_due = simulation.clock().period(Domain::Power).is_due(next);
        let before = if is_due { present(simulation) } else { Vec::new() };
        if !simulation.step().unwrap() {
            break;
        }
        if is_due {
            at(simulation, &before);
        }
    }
}

/// Homes draw 45 kWh/m2 a year, a quarter of it by people, of whom there are usually 0.014 per m2: 91.7 W each. With the coupling off
/// everybody stays where they were at first.
#[test]
fn who_is_there_draws_electricity() {
    let of_person_w = 45_000.0 * 0.25 / 8760.0 / 0.014 * (8760.0 / 8784.0);
    let steps = |patch: &str| {
        let (mut simulation, _place) = stepped(TOWN, &format!("[power]\ncalibrate_to_panel = false\n{patch}"));
        let mut found: Vec<(Vec<u32>, Vec<u32>, Vec<f64>)> = Vec::new();
        each_step(&mut simulation, |of, before| {
            let world = of.world();
            let loads = world.resource::<BuildingLoads>();
            found.push((before.to_vec(), world.resource::<People>().present.clone(), loads.demand_w.clone()));
        });
        let world = simulation.world();
        let homes: Vec<usize> = (0..world.resource::<City>().buildings.len())
            .filter(|&row| world.resource::<City>().buildings.purpose[row] == BuildingUse::Residential)
            .collect();
        (found, homes, 1.0 / world.resource::<PopulationModel>().sample_factor)
    };
    let (on, homes, scale) = steps("");
    let (off, ..) = steps("[coupling]\npresence_to_power = false\n");
    let (mut checked, mut moved) = (0, 0);
    for ((before, after, on_w), (.., off_w)) in on.iter().zip(&off) {
        // Who comes or goes in the very second is counted or not; those buildings are left out.
        for &row in homes.iter().filter(|&&row| before[row] == after[row] && on[0].0[row] == on[0].1[row]) {
            let more = (f64::from(before[row]) - f64::from(on[0].0[row])) * scale;
            let expected_w = more * of_person_w;
            let found_w = on_w[row] - off_w[row];
            assert!((found_w - expected_w).abs() < 1e-6, "{row}: {found_w} W for {more} persons, not {expected_w}");
            checked += 1;
            moved += u32::from(more.abs() > 0.0);
        }
    }
    println!(
        "{of_person_w:.1} W for each person: {checked} draws of homes checked, {moved} with others there than at first"
    );
    assert!(on.len() == off.len() && moved > 1000);
}

/// Draws of water by the people who are there, and with the coupling off by those of the first step, on two days alike.
#[test]
fn who_is_there_draws_water() {
    let by_use = WaterUse::new(&WaterDemandSettings::default()).unwrap();
    let check = |patch: &str, is_coupled: bool| {
        let two_days = format!("[period]\nduration_h = 48\n{WATER}{patch}");
        let (mut simulation, _place) = stepped(TOWN, &two_days);
        let (mut first, mut checked, mut other, mut by_step) = (Vec::new(), 0, 0, Vec::new());
        each_step(&mut simulation, |of, before| {
            let world = of.world();
            let (city, people, clock) = (world.resource::<City>(), world.resource::<People>(), of.clock());
            let scale = 1.0 / world.resource::<PopulationModel>().sample_factor;
            if first.is_empty() {
                first = before.to_vec();
            }
            let hour = (clock.local_second_of_day(clock.tick()) / 3600) as usize;
            let draws = &world.resource::<WaterDemands>().demand_m3ps;
            for row in (0..city.buildings.len()).filter(|&row| before[row] == people.present[row]) {
                let (purpose, area_m2) = (city.buildings.purpose[row], city.buildings.floor_area_m2[row]);
                let persons = if is_coupled { before[row] } else { first[row] };
                let usual = by_use.reference_persons(purpose, area_m2, hour);
                let expected = by_use.building_demand_m3ps(purpose, area_m2, f64::from(persons) * scale, usual, hour);
                assert!(
                    (draws[row] - expected).abs() <= 1e-12 * expected,
                    "{row} at {hour}: {} {expected}",
                    draws[row]
                );
                checked += 1;
                other += u32::from(before[row] != first[row]);
            }
            by_step.push(draws.clone());
        });
        println!("{checked} draws checked, {other} of them with others there than at first");
        assert!(other > 1000);
        by_step
    };
    let on = check("", true);
    let off = check("[coupling]\npresence_to_water = false\n", false);
    assert!(off[..96] == off[96..] && on[..96] != on[96..], "without presence every day is the same");
}

/// Mobile sites last two hours on their batteries; then nobody is connected until the current is back.
#[test]
fn mobile_sites_without_electricity_are_silent_when_their_batteries_are_empty() {
    let telecom = format!("{GRID}[telecom]\nsource = \"synthetic\"\n[telecom.site]\nbattery_h = 2.0\n");
    let hours = |patch: &str, utility: &str| {
        let mut by_time: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for row in ran(&format!("{telecom}{patch}")).table("service").iter().filter(|row| row["utility"] == utility) {
            let of = by_time.entry(row["time"].clone()).or_insert((0.0, 0.0));
            of.0 += number(row, "persons");
            of.1 += number(row, "unserved_persons");
        }
        by_time.into_values().collect::<Vec<(f64, f64)>>()
    };
    let (plain, dark) = (hours("", "telecom"), hours(DARK, "telecom"));
    let off = hours(&format!("{DARK}[coupling]\npower_to_telecom = false\n"), "telecom");
    assert!(off == plain && dark.len() == 24 && plain.len() == 24);
    for (hour, (&(persons, unserved), &(all, before))) in dark.iter().zip(&plain).enumerate() {
        let expected = if (6..8).contains(&hour) { persons } else { before };
        assert!((unserved - expected).abs() < 1e-9 && persons > 0.0, "{hour}: {unserved} of {persons}");
        assert!((persons - all).abs() < 1e-9, "people do the same");
    }
    // The grid itself has no battery.
    for (hour, (persons, unserved)) in hours(DARK, "electricity").into_iter().enumerate() {
        let expected = if (4..8).contains(&hour) { persons } else { 0.0 };
        assert!((unserved - expected).abs() < 1e-9 && persons > 0.0, "{hour}: {unserved} of {persons}");
    }
    // Not asked for, nothing is told.
    let untold = ran(&format!("{telecom}[output.tables.service]\nenabled = false\n"));
    assert!(!untold.out.join("service").exists());
}

/// Links of the shortest way by the times of the start between the nodes of the car network nearest to two places.
fn way(network: &CarNetwork, router: &Router, from: [f64; 2], to: [f64; 2]) -> Vec<usize> {
    let node = |[x_m, y_m]: [f64; 2]| {
        let away = |node: &u32| (network.x_m[*node as usize] - x_m).hypot(network.y_m[*node as usize] - y_m);
        (0..network.nodes() as u32).min_by(|a, b| away(a).total_cmp(&away(b)).then(a.cmp(b))).unwrap()
    };
    let routes = router.route_batch(&[(node(from), node(to))]);
    routes.route(0).unwrap().0.iter().map(|link| link.row()).collect()
}

/// A bus loses between two stops what the links between them take longer than when they are empty, by the times that were
/// measured when the five minutes began in which it leaves the first of them.
#[test]
fn buses_are_late_by_what_their_roads_take_longer() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let slow = "[[event]]\nname = \"narrow\"\nkind = \"crash\"\nat = \"06:00\"\nhours = 12.0\ncapacity_left = 0.05\n\
                area = { zones = [\"west\", \"east\"] }\n";
    let line = format!("[transit]\nfeeds = [{feed:?}]\n");
    let (mut simulation, _place) = stepped(TOWN, &format!("{line}{slow}"));
    let stops = simulation.world().resource::<urbis_coupling::CityTransit>().stop_places();
    let network = simulation.world().resource::<CarNetwork>().clone();
    let free_ms = network.free_time_ms();
    let router = Router::new(&network);
    let hops = |way_back: bool| -> Vec<Vec<usize>> {
        let order: Vec<usize> = if way_back { (0..6).rev().collect() } else { (0..6).collect() };
        order.windows(2).map(|pair| way(&network, &router, stops[pair[0]], stops[pair[1]])).collect()
    };
    let hops = [hops(false), hops(true)];
    assert!(hops.iter().flatten().all(|links| !links.is_empty()));
    // A trip of the line starts every ten minutes from five on and leaves a stop every forty seconds.
    let mut late_s = vec![[0.0_f64; 2]; 19 * 6];
    while simulation.step().unwrap() {
        let tick = simulation.clock().tick();
        if !(tick + 1).is_multiple_of(300) {
            continue;
        }
        let times_ms = simulation.world().resource::<Traffic>().travel_times_ms();
        let from_s = 3 * 3600 + tick + 1;
        for (run, late_s) in late_s.iter_mut().enumerate() {
            for (late_s, hops) in late_s.iter_mut().zip(&hops) {
                let whole_s = *late_s as u32;
                let leaves_s = |nth: usize| 5 * 3600 + run as u32 * 600 + nth as u32 * 40 + whole_s;
                let lost = |links: &Vec<usize>| {
                    links.iter().map(|&link| f64::from(times_ms[link].saturating_sub(free_ms[link]))).sum::<f64>() / 1e3
                };
                let in_time = (0..5).filter(|&nth| (from_s..from_s + 300).contains(&leaves_s(nth)));
                let lost_s: f64 = in_time.map(|nth| lost(&hops[nth])).sum();
                *late_s += if lost_s >= 1.0 { lost_s.min(300.0) } else { 0.0 };
            }
        }
    }
    let run = ran(&format!("{line}{slow}"));
    let mut at_last: BTreeMap<String, f64> = BTreeMap::new();
    for row in run.table("transit_load").iter().filter(|row| row["stop_number"] == "6") {
        at_last.insert(row["transit_trip"].clone(), number(row, "delay_s"));
    }
    let (mut late, mut most_s) = (0, 0.0_f64);
    for (run, expected) in late_s.iter().enumerate() {
        for (way, expected_s) in ["out", "back"].iter().zip(expected) {
            let found_s = at_last[&format!("{way}{run}")];
            assert!((found_s - expected_s.floor()).abs() < 1e-9, "{way}{run}: {found_s} s late, not {expected_s}");
            late += u32::from(found_s > 0.0);
            most_s = most_s.max(found_s);
        }
    }
    println!("{late} of {} buses are late, at most {most_s} s", 2 * late_s.len());
    assert!(late > 10);
    let off = ran(&format!("{line}buses_in_traffic = false\n{slow}"));
    assert!(off.table("transit_load").iter().all(|row| number(row, "delay_s").abs() < 1e-12));
}

/// What buildings get of the water they ask for runs off. The town's waterworks is out from six on, and its tanks run dry.
#[test]
fn what_water_is_served_runs_off() {
    let dry = "[period]\nduration_h = 72\n[[event]]\nname = \"works\"\nkind = \"plant_trip\"\nat = \"06:00\"\nnetwork = \"water\"\n";
    let of = |patch: &str| {
        let (mut simulation, _place) = stepped(TOWN, &format!("{SEWER}{dry}{patch}"));
        let (mut asked_m3, mut served_m3) = (0.0, 0.0);
        each_step(&mut simulation, |of, _| {
            let (world, seconds) = (of.world(), f64::from(of.clock().step_ticks(Domain::Power)));
            let draws = &world.resource::<WaterDemands>().demand_m3ps;
            let water = world.get_resource::<CityWater>();
            for (row, &m3ps) in draws.iter().enumerate() {
                asked_m3 += m3ps * seconds;
                served_m3 += m3ps * seconds * water.map_or(1.0, |of| of.served_share[row]);
            }
        });
        (simulation.world().resource::<CitySewer>().balance().dry_weather_m3, served_m3, asked_m3)
    };
    let (sewage_m3, served_m3, asked_m3) = of(WATER);
    println!("asked {asked_m3:.2} m3, served {served_m3:.2} m3, sewage {sewage_m3:.2} m3");
    assert!((sewage_m3 - served_m3).abs() < 1e-9 * served_m3 && served_m3 < 0.9 * asked_m3);
}

/// Without a network of water all that is asked for comes, and runs off, and without a sewer nothing is told of one.
#[test]
fn without_a_water_network_all_that_is_asked_for_runs_off() {
    let (mut simulation, _place) = stepped(TOWN, SEWER);
    let mut asked_m3 = 0.0;
    each_step(&mut simulation, |of, _| {
        let seconds = f64::from(of.clock().step_ticks(Domain::Power));
        asked_m3 += of.world().resource::<WaterDemands>().demand_m3ps.iter().sum::<f64>() * seconds;
    });
    let sewage_m3 = simulation.world().resource::<CitySewer>().balance().dry_weather_m3;
    assert!((sewage_m3 - asked_m3).abs() < 1e-9 * asked_m3 && asked_m3 > 0.0);
    let without = ran(WATER);
    assert!(without.table("utility_balance").iter().all(|row| row["utility"] != "sewer"));
}

/// Times and lengths between cells are those of the cheapest ways over links that are slower by chance, by Floyd and Warshall.
#[test]
fn skims_are_the_cheapest_ways_under_the_times_of_links() {
    let (simulation, _place) = stepped(TOWN, "");
    let world = simulation.world();
    let (network, cells) = (world.resource::<CarNetwork>(), world.resource::<Cells>());
    let times_ms: Vec<u32> = (0_u64..)
        .zip(network.free_time_ms())
        .map(|(link, ms)| ms + ((link * 2_654_435_761) % 97) as u32 * ms / 40 + (link % 89) as u32)
        .collect();
    let (count, best) = (network.nodes(), cheapest(network, &times_ms, &network.route_factor));
    let modes = urbis_population::settings::PopulationSettings::default().all_modes();
    let found = car_matrix(cells, network, &Router::new(network), &times_ms, (&[], &[]), &modes);
    let mut pairs = 0;
    for from in 0..cells.len() {
        for to in (0..cells.len()).filter(|&to| to != from) {
            let nodes = (network.node_of(cells.node[from]), network.node_of(cells.node[to]));
            let (Some(a), Some(b)) = nodes else { continue };
            let (_, time_s, way_m) = best[a as usize * count + b as usize];
            let at = from * cells.len() + to;
            assert!(
                (f64::from(found.time_s[at]) - time_s).abs() < 1e-3,
                "{from} {to}: {} {time_s} s",
                found.time_s[at]
            );
            assert!((f64::from(found.distance_m[at]) - way_m).abs() < 0.1, "{from} {to}: {} m", found.distance_m[at]);
            pairs += 1;
        }
    }
    println!("{pairs} pairs");
    assert!(pairs > 1000);
}

/// Nobody learns from days that are not lived.
#[test]
fn without_days_before_plans_are_those_for_empty_roads() {
    let crowded =
        "[[policy]]\nname = \"narrow\"\nkind = \"speed_limit\"\nspeed_kmh = 10\narea = { zones = [\"west\"] }\n";
    let feedback = |iterations: u32| {
        format!("{crowded}[population.feedback]\niterations = {iterations}\nreplan_share = 1.0\ntolerance = 0.0\n")
    };
    let (plain, none, two) = (ran(crowded), ran(&feedback(0)), ran(&feedback(2)));
    assert!(plain.table("trips") == none.table("trips") && none.table("feedback").is_empty());
    let changed: f64 = two.table("feedback").iter().map(|row| number(row, "changed_persons")).sum();
    println!("{changed} changed their plans");
    assert!(changed > 0.0 && two.table("trips") != none.table("trips"));
}

/// Heating plants share the supply of buildings: dark from four to five, they bring nothing, whoever asks; with the
/// coupling off, or generators that last, they do. Stations stay on, so that it is plants alone that are missed.
#[test]
fn heating_plants_stop_without_electricity() {
    let heat = format!(
        "{GRID}[heat]\nsource = \"synthetic\"\n[heat.synthetic]\nlinear_density_kwhpm_min = 1.0\ncluster_kwh_min = 1.0\n[period]\nstart = \"2024-01-16T03:00:00\"\nduration_h = 3\n\
         [weather.climate]\nmean_c = 10.0\n{}",
        DARK.replace("07:00", "04:00").replace("hours = 4.0", "hours = 1.0")
    );
    let of = |patch: &str| {
        let (mut simulation, _place) = stepped(TOWN, &format!("{heat}[coupling]\npower_to_boilers = false\n{patch}"));
        let machines = simulation.world().resource::<Machines>();
        let plants = machines.of.iter().filter(|of| of.kind == MachineKind::HeatPlant).count();
        let mut steps = Vec::new();
        each_step(&mut simulation, |of, _| {
            let heat = of.world().resource::<CityHeat>();
            let served = |row: &usize| heat.is_connected(*row) && heat.asked_w[*row] > 0.0;
            let rows: Vec<usize> = (0..heat.asked_w.len()).filter(served).collect();
            let out = of.world().resource::<Machines>().out(MachineKind::HeatPlant);
            let share = rows.iter().map(|&row| heat.served_share[row]).sum::<f64>() / rows.len().max(1) as f64;
            steps.push((out, share));
        });
        (plants, steps)
    };
    let (plants, dark) = of("");
    let (_, plain) = of("power_to_pumps = false\n");
    println!("{plants} plants, {dark:?}");
    assert!(plants > 0 && dark.len() == 12 && plain.len() == 12);
    assert!(plain.iter().all(|&(out, share)| out == 0 && share > 0.99), "{plain:?}");
    for (quarter, (&(out, share), &(_, before))) in dark.iter().zip(&plain).enumerate() {
        // Afterwards it takes time until what has cooled is warm.
        match quarter {
            0..4 => assert!(out == 0 && (share - before).abs() < 1e-12, "{quarter}"),
            4..8 => assert!(out == plants && share.abs() < 1e-12, "{quarter}: {share}"),
            _ => assert!(out == 0 && share > 0.5, "{quarter}: {share}"),
        }
    }
    // Stations of dark buildings ask for nothing, unless that is switched off, too.
    let asked = |patch: &str| {
        let (mut simulation, _place) = stepped(TOWN, &format!("{heat}[coupling]\npower_to_pumps = false\n{patch}"));
        let mut steps: Vec<f64> = Vec::new();
        each_step(&mut simulation, |of, _| steps.push(of.world().resource::<CityHeat>().asked_w.iter().sum()));
        steps
    };
    let (dark_w, lit_w) = (asked(""), asked("power_to_boilers = false\n"));
    for (quarter, (&dark_w, &lit_w)) in dark_w.iter().zip(&lit_w).enumerate() {
        let expected_w = if (4..8).contains(&quarter) { 0.0 } else { lit_w };
        assert!(lit_w > 0.0 && (dark_w - expected_w).abs() < 1e-9 * lit_w, "{quarter}: {dark_w} W of {lit_w}");
    }
    let (_, backed) = of("[coupling.backup_h]\nheat_plants = 1.0\n");
    assert!(backed == plain, "{backed:?}");
}

/// A crew takes the fastest way of the moment: at night that of empty roads, and in the morning, with a crash on every road, that of the times
/// then measured.
#[test]
fn crews_take_the_fastest_way_of_the_moment() {
    let outage = |name: &str, at: &str, branch: u32| {
        format!("[[event]]\nname = \"{name}\"\nkind = \"power_outage\"\nat = \"{at}\"\nbranches = [\"{branch}\"]\n")
    };
    let crews = "[repair.crews]\npower = 1\n[repair.work_h]\npower = 1.0\n";
    let patch = format!("{GRID}{crews}{CRASHES}{}{}", outage("night", "03:30", 12), outage("day", "08:30", 14));
    let (mut simulation, _place) = stepped(TOWN, &patch);
    let mut ways = Vec::new();
    for start in [1800, 5 * 3600 + 1800] {
        while simulation.clock().next() < start {
            simulation.step().unwrap();
        }
        let world = simulation.world();
        let network = world.resource::<CarNetwork>();
        let (from, count) = (world.resource::<Crews>().crews[0].node as usize, network.nodes());
        let now = cheapest(network, world.resource::<Traffic>().travel_times_ms(), &network.route_factor);
        let empty = cheapest(network, &network.free_time_ms(), &network.route_factor);
        let before_s = world.resource::<Crews>().travel_s;
        // The crew sets out in this step.
        simulation.step().unwrap();
        let crews = simulation.world().resource::<Crews>();
        let (to, way_s) = (crews.crews[0].node as usize, crews.travel_s - before_s);
        let expected_s = |best: &[(f64, f64, f64)]| (best[from * count + to].0 / 1000.0).ceil() as u64;
        println!("from {from} to {to}: {way_s} s, {} on empty roads", expected_s(&empty));
        assert!(from != to && way_s == expected_s(&now), "{way_s} s, not {}", expected_s(&now));
        ways.push((way_s, expected_s(&empty)));
    }
    assert!(ways[0].0 == ways[0].1 && ways[1].0 > ways[1].1, "{ways:?}");
}

/// Who is in a building that gets less than half of the gas it asks for goes without: counted again while nobody moves.
#[test]
fn who_gets_less_than_half_goes_without() {
    let cut = |network: &str| {
        format!(
            "[[event]]\nname = \"{network}\"\nkind = \"plant_trip\"\nat = \"05:00\"\nhours = 12.0\nnetwork = \"{network}\"\n"
        )
    };
    let gas = "[period]\nstart = \"2024-01-16T03:00:00\"\n[weather.climate]\nmean_c = 10.0\n[gas]\nsource = \"synthetic\"\nshare = 0.5\n";
    let check = |patch: &str| {
        let (mut simulation, _place) = stepped(TOWN, patch);
        let (mut counted, mut without) = (0, 0);
        each_step(&mut simulation, |of, before| {
            let world = of.world();
            let people = &world.resource::<People>().present;
            if before != people {
                return;
            }
            let gas = world.resource::<CityGas>();
            let is_without = |row: &usize| gas.is_connected(*row) && gas.served_share[*row] < 0.5;
            let rows = 0..world.resource::<City>().buildings.len();
            let expected: u64 = rows.filter(is_without).map(|row| u64::from(before[row])).sum();
            let services = &world.resource::<Services>().of;
            let found: u64 = services.iter().find(|of| of.utility == Utility::Gas).unwrap().now.iter().sum();
            assert_eq!(found, expected);
            counted += 1;
            without += expected;
        });
        println!("{counted} steps in which nobody moved, {without} persons without gas in them");
        assert!(counted > 10);
        without
    };
    assert!(check(&format!("{gas}{}", cut("gas"))) > 100);
    assert_eq!(check(gas), 0);
}

/// At half past eight, with a crash on every road, the unit comes that is nearest by the times of the moment, and it takes as long as they
/// say; with the coupling off it is that of empty roads.
#[test]
fn ambulances_take_the_fastest_way_of_the_moment() {
    let quiet = "[emergency.fire]\ncalls_per_1000_day = 0.0\n[emergency.ambulance]\ncalls_per_1000_day = 0.0\n\
                 [emergency.police]\ncalls_per_1000_day = 0.0\n";
    let of = |patch: &str, sees_traffic: bool| {
        let (mut simulation, _place) = stepped("scenarios/town/emergency.toml", &format!("{quiet}{CRASHES}{patch}"));
        let tick = 5 * 3600 + 1800;
        while simulation.clock().next() < tick {
            simulation.step().unwrap();
        }
        let network = simulation.world().resource::<CarNetwork>().clone();
        let to_nodes = [0, network.nodes() - 1];
        let mut calls = simulation.world_mut().resource_mut::<EmergencyCalls>();
        for &node in &to_nodes {
            calls.place(ServiceKind::Ambulance, CallPlace::Node(network.city_node[node]), tick, 1);
        }
        // Dispatchers see the times that stand at the end of the step in which the call comes.
        simulation.step().unwrap();
        let times_ms = match sees_traffic {
            true => simulation.world().resource::<Traffic>().travel_times_ms().to_vec(),
            false => network.free_time_ms(),
        };
        let best = cheapest(&network, &times_ms, &vec![1.0; network.links()]);
        (0..60).for_each(|_| assert!(simulation.step().unwrap()));
        let dispatcher = simulation.world().resource::<Emergency>().dispatcher();
        let stations = dispatcher.stations().iter().filter(|of| of.kind == ServiceKind::Ambulance);
        let from: Vec<usize> = stations.map(|of| of.node as usize).collect();
        let sent = dispatcher.sendings();
        assert!(sent.travel_ms.len() == 2 && !from.is_empty());
        for (row, &ms) in sent.travel_ms.iter().enumerate() {
            let to = to_nodes[sent.call[row] as usize];
            // With sirens they drive half as fast again.
            let expected =
                from.iter().map(|from| best[from * network.nodes() + to].0 / 1.5).fold(f64::INFINITY, f64::min);
            assert!((f64::from(ms) - expected).abs() <= 0.5, "to {to}: {ms} ms, not {expected}");
        }
        sent.travel_ms.iter().sum::<u32>()
    };
    let (now_ms, empty_ms) = (of("", true), of("[coupling]\ntraffic_to_emergency = false\n", false));
    println!("{now_ms} ms under the times of the moment, {empty_ms} ms on empty roads");
    assert!(now_ms > empty_ms);
}

/// Where buses have lanes of their own they are not late, whatever cars do beside them; lanes for bicycles do not help them.
#[test]
fn buses_on_lanes_of_their_own_are_not_late() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let lanes = |given_to: &str| {
        let everywhere = "area = { zones = [\"west\", \"east\"] }\n";
        ran(&format!(
            "[transit]\nfeeds = [{feed:?}]\n{CRASHES}[[policy]]\nname = \"wide\"\nkind = \"new_road\"\nlanes_added = 1\n{everywhere}\
             [[policy]]\nname = \"lane\"\nkind = \"lanes\"\ntaken = 1\ngiven_to = \"{given_to}\"\n{everywhere}"
        ))
    };
    let latest = |of: &Ran| of.table("transit_load").iter().map(|row| number(row, "delay_s")).fold(0.0, f64::max);
    let (of_buses, of_bicycles) = (latest(&lanes("bus")), latest(&lanes("bicycle")));
    println!("latest bus: {of_buses} s on lanes for buses, {of_bicycles} s beside lanes for bicycles");
    assert!(of_buses.abs() < 1e-12 && of_bicycles > 1.0);
}
