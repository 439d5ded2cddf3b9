//! Events that move people: orders to leave an area, and gatherings. Each with its closed form on the town.

use std::collections::BTreeMap;
use urbis::Simulation;
use urbis_city::model::City;
use urbis_core::{PersonIx, Tick};
use urbis_coupling::event::mobilisation::{Mobilisation, MobilisationCurve};
use urbis_coupling::{Evacuations, Gatherings};
use urbis_population::plans::{Mode, Purpose};
use urbis_population::presence::NEVER;
use urbis_population::settings::PopulationSettings;
use urbis_population::{People, Persons, Place, Places, Plans};
use urbis_tests::{EVERY_DAY, Ran, bus_line, hashes, installed, number, run, scenario_in, told_of};
use urbis_traffic::{CarNetwork, Router};
use urbis_utility::power::BuildingLoads;

const TOWN: &str = "scenarios/town/baseline.toml";
/// The corner of the town at its east that two roads lead to, Row 6 and Column 6.
const CORNER: &str = "36";
const START_H: u32 = 3;

/// A town that is stepped by hand, in a folder that goes with it.
fn stepped(patch: &str) -> (Simulation, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    (installed(place.path(), TOWN, patch, 1, None), place)
}

fn run_to(simulation: &mut Simulation, tick: Tick) {
    while simulation.clock().next() < tick && simulation.step().unwrap() {}
}

fn run_to_end(simulation: &mut Simulation) {
    while simulation.step().unwrap() {}
}

fn ran(patch: &str) -> Ran {
    Ran::of(TOWN, patch, 2).unwrap_or_else(|error| panic!("{patch}: {}", told_of(&error)))
}

fn kpi(of: &Ran, name: &str) -> f64 {
    of.kpi(name).unwrap_or_else(|| panic!("no indicator {name}"))
}

/// Row and id of the first building whose cars start at the corner.
fn at_corner() -> (usize, String) {
    let (simulation, _place) = stepped("");
    let (city, places) = (simulation.world().resource::<City>(), simulation.world().resource::<Places>());
    let row = (0..city.buildings.len()).find(|&row| city.nodes.id[places.car_node[row].row()] == CORNER).unwrap();
    assert_eq!(city.zones.id[city.buildings.zone[row].row()], "east");
    (row, city.buildings.id[row].clone())
}

fn order(at: &str, to: &str, more: &str) -> String {
    format!(
        "[[event]]\nname = \"gas\"\nkind = \"evacuation\"\nat = \"{at}\"\narea = {{ zones = [\"west\"] }}\nto = [\"{to}\"]\n{more}\n"
    )
}

#[test]
fn everybody_leaves_who_was_there() {
    let (_, to) = at_corner();
    println!("people go to {to}");
    let told_all = order("08:00", &to, "compliance = 1.0\nmedian_min = 10.0");
    let run = ran(&format!("{told_all}[output.tables.activities]\nenabled = true\n"));
    let curve = run.table("evacuation");
    let (first, last) = (&curve[0], curve.last().unwrap());
    let column = |row: &BTreeMap<String, String>, name: &str| number(row, &format!("{name}_persons"));
    let told = column(first, "inside") + column(first, "coming");
    println!("told {told}, of them {} on the way; out after {} min", column(first, "coming"), last["minute"]);
    assert!(told > 500.0 && (kpi(&run, "evacuation_told") - told).abs() < 1e-9);
    assert!((column(last, "set_out") - told).abs() < 1e-9 && (column(last, "arrived") - told).abs() < 1e-9);
    assert!(column(last, "inside").abs() < 1e-9 && column(last, "coming").abs() < 1e-9);
    for pair in curve.windows(2) {
        for name in ["set_out", "arrived"] {
            assert!(column(&pair[1], name) >= column(&pair[0], name));
        }
        assert!(column(&pair[1], "arrived") <= column(&pair[1], "set_out"));
        // Nobody comes in but who was on the way.
        let gone = column(&pair[1], "set_out") - column(&pair[0], "set_out");
        let came = column(&pair[0], "coming") - column(&pair[1], "coming");
        assert!((column(&pair[1], "inside") - column(&pair[0], "inside") - came + gone).abs() < 1e-9, "{pair:?}");
    }
    let trips = run.table("trips");
    let out = trips.iter().filter(|row| row["purpose"] == "shelter");
    assert_eq!(out.clone().count(), told.round() as usize);
    assert!(out.clone().all(|row| row["status"] == "arrived" && row["to_building"] == to));
    let by = |mode: &str| out.clone().filter(|row| row["mode"] == mode).count();
    println!("{} drive, {} beside them, {} walk", by("car"), by("car_passenger"), by("walk"));
    assert!(by("car") > 0 && by("car_passenger") > 0 && by("walk") > 0);
    assert!((kpi(&run, "evacuation_cars") - (by("car") + by("van")) as f64).abs() < 1e-9);
    // Whoever left makes no trip of their plan any more.
    let begins = trips.iter().filter(|row| row["purpose"] == "shelter").map(|row| number(row, "depart_time"));
    let earliest = begins.fold(f64::INFINITY, f64::min);
    let gone: Vec<&str> = out.map(|row| row["person_id"].as_str()).collect();
    let is_later = |row: &&BTreeMap<String, String>| {
        row["purpose"] != "shelter"
            && row["status"] != "not_started"
            && number(row, "depart_time") > earliest
            && gone.contains(&row["person_id"].as_str())
    };
    assert_eq!(trips.iter().filter(is_later).count(), 0);
    // Activities go on where people went.
    let activities = run.table("activities");
    let ends = activities.iter().map(|row| number(row, "end_time")).fold(0.0, f64::max);
    let sheltered =
        activities.iter().filter(|row| row["activity"] == "shelter" && (number(row, "end_time") - ends).abs() < 1.0);
    assert_eq!(sheltered.count(), gone.len());
}

#[test]
fn a_narrow_exit_lets_out_what_passes_it() {
    let (_, to) = at_corner();
    let (share, lane_vph) = (0.25, 700.0);
    let roads = format!(
        "[[event]]\nname = \"shut\"\nkind = \"road_closure\"\nat = \"03:30\"\narea = {{ roads = [\"Column 6\"] }}\n\
         [[event]]\nname = \"narrow\"\nkind = \"crash\"\nat = \"03:30\"\narea = {{ roads = [\"Row 6\"] }}\ncapacity_left = {share}\n"
    );
    let run = ran(&format!("{roads}{}", order("04:00", &to, "compliance = 1.0\nmedian_min = 1.0")));
    let trips = run.table("trips");
    let mut arrivals: Vec<f64> = trips
        .iter()
        .filter(|row| row["purpose"] == "shelter" && row["mode"] == "car")
        .map(|row| number(row, "arrive_time") / 60_000.0)
        .collect();
    arrivals.sort_by(f64::total_cmp);
    let cars = arrivals.len() as f64;
    let minutes = 60.0 * cars / (share * lane_vph);
    let found = arrivals[arrivals.len() - 1] - arrivals[0];
    // The bottleneck works at its capacity all the time between the tenth and the ninetieth of a hundred.
    let (a, b) = (arrivals.len() / 10, arrivals.len() * 9 / 10);
    let vph = 60.0 * (b - a) as f64 / (arrivals[b] - arrivals[a]);
    let all = kpi(&run, "evacuation_clearance_100");
    println!("{cars} cars in {found:.1} min, N/c = {minutes:.1} min; {vph:.1} veh/h; cleared after {all:.1} min");
    assert!(cars > 100.0 && found >= minutes * (cars - 1.0) / cars - 0.1, "not sooner than the exit lets them");
    assert!(found < minutes * 1.05, "nor much later");
    assert!((vph / (share * lane_vph) - 1.0).abs() < 0.01);
    // The whole takes what the first needs to get there, and then the queue.
    assert!(all >= minutes * (cars - 1.0) / cars && all < minutes + 15.0);
    assert!(kpi(&run, "evacuation_clearance_50") < all);
}

#[test]
fn people_set_out_as_the_curve_says() {
    let (_, to) = at_corner();
    for (curve, name) in [(MobilisationCurve::Rayleigh, "rayleigh"), (MobilisationCurve::Logistic, "logistic")] {
        let more = format!("compliance = 1.0\nmedian_min = 40.0\nspread_min = 8.0\ncurve = \"{name}\"");
        let run = ran(&order("03:30", &to, &more));
        let of = Mobilisation { curve, median_s: 2400.0, spread_s: 480.0 };
        let rows = run.table("evacuation");
        let all = number(rows.last().unwrap(), "set_out_cars");
        // Those who set out in a minute are counted at its end; cars are drawn one by one.
        let apart = |row: &BTreeMap<String, String>| {
            let expected = of.share_by(60.0 * number(row, "minute"));
            (number(row, "set_out_cars") / all - expected).abs()
        };
        let worst = rows[1..].iter().map(apart).fold(0.0, f64::max);
        let bound = 1.63 / all.sqrt();
        println!("{name}: {all} cars, largest distance {worst:.4}, Kolmogorov's 1 % bound {bound:.4}");
        assert!(all > 100.0 && worst < bound);
    }
}

#[test]
fn without_queues_ways_take_their_free_time() {
    let (goal, to) = at_corner();
    // So slowly that roads are as good as empty, in the night.
    let patch = order("03:01", &to, "compliance = 1.0\nmedian_min = 120.0");
    let (mut simulation, _place) = stepped(&patch);
    let free_ms = simulation.world().resource::<CarNetwork>().free_time_ms();
    let metric = simulation.world().resource::<Router>().metric(&free_ms);
    run_to(&mut simulation, 3 * 3600);
    let world = simulation.world();
    let (plans, people, places) = (world.resource::<Plans>(), world.resource::<People>(), world.resource::<Places>());
    let (network, router) = (world.resource::<CarNetwork>(), world.resource::<Router>());
    let modes = PopulationSettings::default().all_modes();
    let node = |place: Place| network.node_of(places.car_node[place.row()]).unwrap();
    let (mut on_foot, mut by_car, mut free) = (0, 0, 0);
    for trip in (plans.extras()..plans.len()).filter(|&trip| people.ended_ms[trip] != u32::MAX) {
        let took_s = f64::from(people.ended_ms[trip]) / 1000.0 - f64::from(people.started[trip]);
        assert_eq!((plans.to[trip].row(), plans.purpose[trip]), (goal, Purpose::Shelter));
        if plans.mode[trip] == Mode::Walk {
            let walk = &modes[Mode::Walk as usize];
            let way_m = places.distance_m(plans.from[trip], plans.to[trip]) * walk.detour;
            let expected_s = way_m / (walk.speed_kmh / 3.6) + 60.0 * walk.access_min;
            assert!((took_s - expected_s).abs() < 0.01, "{took_s} {expected_s}");
            on_foot += 1;
        } else if plans.mode[trip] == Mode::Car {
            let pair = (node(plans.from[trip]), node(plans.to[trip]));
            let free_s = f64::from(router.cost_batch_under(&metric, &[pair])[0].unwrap()) / 1000.0;
            // Costs of a way count a link's time in whole milliseconds, and the turns between them.
            assert!(took_s > free_s * 0.98 - 1.0, "{took_s} {free_s}");
            free += u32::from(took_s < free_s * 1.02 + 2.0);
            by_car += 1;
        }
    }
    println!("{on_foot} on foot; {by_car} by car, {free} of them in their free time");
    assert!(on_foot > 10 && by_car > 50 && f64::from(free) > 0.8 * f64::from(by_car));
}

#[test]
fn who_left_comes_home_when_the_order_is_lifted() {
    let (goal, to) = at_corner();
    let (from, until) = ((10 - START_H) * 3600, (14 - START_H) * 3600);
    let (mut simulation, _place) = stepped(&order("10:00", &to, "hours = 4.0\ncompliance = 1.0\nmedian_min = 10.0"));
    run_to(&mut simulation, until);
    let out: Vec<PersonIx> = {
        let (people, persons) = (simulation.world().resource::<People>(), simulation.world().resource::<Persons>());
        persons.indices().filter(|person| people.place[person.row()] == Place(goal as u32)).collect()
    };
    let inside = |simulation: &Simulation| -> u32 {
        let (people, city) = (simulation.world().resource::<People>(), simulation.world().resource::<City>());
        let is_west = |row: &usize| city.zones.id[city.buildings.zone[*row].row()] == "west";
        (0..city.buildings.len()).filter(is_west).map(|row| people.present[row]).sum()
    };
    assert_eq!(inside(&simulation), 0);
    run_to_end(&mut simulation);
    let world = simulation.world();
    let (plans, people, persons) = (world.resource::<Plans>(), world.resource::<People>(), world.resource::<Persons>());
    let at_home = out.iter().filter(|person| people.place[person.row()] == persons.home[person.row()]).count();
    println!("{} were out, {at_home} of them are home at three in the night", out.len());
    assert!(out.len() > 300 && at_home as f64 > 0.98 * out.len() as f64);
    // While the order stood nobody began a trip into the area from outside; afterwards those held back did.
    let city = world.resource::<City>();
    let is_west = |place: Place| city.zones.id[city.buildings.zone[place.row()].row()] == "west";
    let leads_in = |trip: &usize| is_west(plans.to[*trip]) && !is_west(plans.from[*trip]);
    let begun = |range: std::ops::Range<u32>| {
        (0..plans.extras()).filter(leads_in).filter(|&trip| range.contains(&people.started[trip])).count()
    };
    let (during, after) = (begun(from..until), begun(until..24 * 3600));
    let held = (0..plans.extras())
        .filter(leads_in)
        .filter(|&trip| (from..until).contains(&plans.planned[trip]) && (until..NEVER).contains(&people.started[trip]));
    let held = held.count();
    println!("planned trips into the area: {during} while the order stood, {after} after it, {held} of them held back");
    assert!(during == 0 && held > 0 && after >= held);
    assert_eq!(world.resource::<Evacuations>().riding(), 0);
}

#[test]
fn fewer_comply_and_the_same_ones_with_others() {
    let (_, to) = at_corner();
    let of = |share: f64| {
        let run = ran(&order("04:00", &to, &format!("compliance = {share}\nmedian_min = 10.0")));
        let trips = run.table("trips").into_iter().filter(|row| row["purpose"] == "shelter");
        let who: Vec<String> = trips.map(|row| row["person_id"].clone()).collect();
        (who, kpi(&run, "evacuation_told"), kpi(&run, "evacuation_complying"))
    };
    let ((some, told, complying), (most, ..)) = (of(0.4), of(0.8));
    println!("told {told}, {complying} comply");
    assert!((some.len() as f64 - complying).abs() < 1e-9 && (complying / told - 0.4).abs() < 0.06);
    assert!(some.iter().all(|person| most.contains(person)) && most.len() > some.len());
    // Where nobody complies, nothing changes but what those told do not begin: nobody takes shelter.
    assert!(of(0.0).0.is_empty());
}

#[test]
fn who_has_no_car_takes_the_bus_where_it_is_quicker() {
    let (_, to) = at_corner();
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let patch =
        format!("[transit]\nfeeds = [{feed:?}]\n{}", order("10:00", &to, "compliance = 1.0\nmedian_min = 10.0"));
    let run = ran(&patch);
    let trips = run.table("trips");
    let by = |mode: &str| trips.iter().filter(|row| row["purpose"] == "shelter" && row["mode"] == mode).count();
    println!("{} by bus, {} on foot", by("transit"), by("walk"));
    assert!(by("transit") > 0);
    assert!((kpi(&run, "evacuation_arrived") - kpi(&run, "evacuation_told")).abs() < 1e-9);
}

#[test]
fn visitors_are_in_the_building_and_home_again() {
    let (venue, id) = at_corner();
    let wanted = 150;
    let event = format!(
        "[[event]]\nname = \"match\"\nkind = \"gathering\"\nat = \"19:00\"\nhours = 2.0\npersons = {wanted}\nbuildings = [\"{id}\"]\n"
    );
    let half_past_eight = (20 - START_H) * 3600 + 1800;
    let (mut plain, _place) = stepped("");
    let (mut simulation, _other) = stepped(&event);
    run_to(&mut plain, half_past_eight);
    run_to(&mut simulation, half_past_eight);
    let load_w = |simulation: &Simulation| simulation.world().resource::<BuildingLoads>().demand_w[venue];
    let (quiet_w, full_w) = (load_w(&plain), load_w(&simulation));
    let visitors: Vec<PersonIx> = {
        let world = simulation.world();
        let state = &world.resource::<Gatherings>().of[0];
        let (people, persons) = (world.resource::<People>(), world.resource::<Persons>());
        let visitors: Vec<PersonIx> = state.visits.iter().map(|visit| visit.person).collect();
        let others =
            persons.indices().filter(|person| people.place[person.row()].row() == venue && !visitors.contains(person));
        let others = others.count();
        let there = visitors.iter().filter(|person| people.place[person.row()].row() == venue).count();
        println!(
            "{} drawn, {} set out, {there} there beside {others} others; {quiet_w:.0} W without, {full_w:.0} W with them",
            visitors.len(),
            state.set_out
        );
        assert_eq!((visitors.len(), there, state.set_out), (wanted, wanted, wanted as u32));
        assert_eq!(people.present[venue] as usize, wanted + others);
        visitors
    };
    assert!(full_w > quiet_w);
    run_to_end(&mut simulation);
    let world = simulation.world();
    let (plans, people, persons) = (world.resource::<Plans>(), world.resource::<People>(), world.resource::<Persons>());
    assert!(visitors.iter().all(|person| people.place[person.row()] == persons.home[person.row()]));
    assert_eq!(world.resource::<Gatherings>().of[0].left as usize, wanted);
    // All are there in time but those whom traffic holds up, and leave by and by.
    let (begins, ends) = ((19 - START_H) * 3600, (21 - START_H) * 3600);
    let there: Vec<usize> =
        (plans.extras()..plans.len()).filter(|&trip| plans.purpose[trip] == Purpose::Leisure).collect();
    let in_time = there.iter().filter(|&&trip| people.ended_ms[trip] / 1000 <= begins + 300).count();
    let early = there.iter().filter(|&&trip| people.ended_ms[trip] / 1000 < begins - 3900).count();
    let back: Vec<Tick> = (plans.extras()..plans.len())
        .filter(|&trip| plans.purpose[trip] == Purpose::Home)
        .map(|trip| people.started[trip])
        .collect();
    println!("{in_time} of {} there in time, {early} more than an hour early", there.len());
    assert!(in_time as f64 > 0.9 * wanted as f64 && early == 0);
    assert!(back.len() == wanted && back.iter().all(|of| (ends..=ends + 1800).contains(of)));
    let middle = back.iter().map(|&of| f64::from(of - ends)).sum::<f64>() / wanted as f64;
    // Evenly over half an hour: 15 min with a standard error of 30/sqrt(12 n) min.
    assert!((middle - 900.0).abs() < 4.0 * 1800.0 / (12.0 * wanted as f64).sqrt(), "{middle}");
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let (_, to) = at_corner();
    let place = tempfile::tempdir().unwrap();
    let patch = format!(
        "{}[[event]]\nname = \"fair\"\nkind = \"gathering\"\nat = \"18:00\"\nhours = 2.0\npersons = 200\narea = {{ zones = [\"east\"] }}\n\
         [traffic.parking]\nenabled = true\n",
        order("09:00", &to, "hours = 3.0\nmedian_min = 15.0")
    );
    let scenario = scenario_in(place.path(), TOWN, &patch);
    let of = |threads: usize| {
        let out = place.path().join(format!("out-{threads}"));
        run(&scenario, &out, threads, None).unwrap_or_else(|error| panic!("{}", told_of(&error)));
        hashes(&out)
    };
    let (one, three) = (of(1), of(3));
    assert!(one == three && one.keys().any(|name| name.starts_with("evacuation/")));
}

#[test]
fn the_shipped_scenario_empties_the_west() {
    let run = Ran::of("scenarios/town/evacuation.toml", "", 2).unwrap_or_else(|error| panic!("{}", told_of(&error)));
    let (told, arrived) = (kpi(&run, "evacuation_told"), kpi(&run, "evacuation_arrived"));
    let [half, most, all] = [50, 95, 100].map(|share| kpi(&run, &format!("evacuation_clearance_{share}")));
    println!("{arrived} of {told} left, half after {half:.0}, 95 % after {most:.0}, all after {all:.0} min");
    assert!((arrived / told - 0.9).abs() < 0.05 && half < most && most <= all);
    let kinds: Vec<String> = run.table("events").into_iter().map(|row| row["happening"].clone()).collect();
    assert_eq!(kinds, ["began", "ended"]);
}

#[test]
fn what_cannot_happen_is_refused_with_its_place() {
    let (_, to) = at_corner();
    let event =
        |kind: &str, text: &str| format!("[[event]]\nname = \"e\"\nkind = \"{kind}\"\nat = \"07:00\"\n{text}\n");
    let west = "area = { zones = [\"west\"] }\n";
    let east = "area = { zones = [\"east\"] }\n";
    let cases = [
        (event("evacuation", &format!("to = [\"{to}\"]")), "needs an `area`"),
        (event("evacuation", west), "no road leads out of the city"),
        (event("evacuation", &format!("{east}to = [\"{to}\"]")), "lies in the area"),
        (event("evacuation", &format!("{west}to = [\"{to}0000\"]")), "no place outside"),
        (event("evacuation", &format!("area = {{ roads = [\"Row 6\"] }}\nto = [\"{to}\"]")), "no building lies in it"),
        (event("evacuation", &format!("{west}to = [\"{to}\"]\ncompliance = 1.5")), "compliance"),
        (event("evacuation", &format!("{west}to = [\"{to}\"]\ncurve = \"weibull\"")), "curve"),
        (event("gathering", &format!("persons = 5\nbuildings = [\"{to}\"]")), "needs `hours`"),
        (event("gathering", "persons = 5\nhours = 1.0"), "expected `buildings`"),
        (event("gathering", "persons = 5\nhours = 1.0\nbuildings = [\"nowhere\"]"), "no building `nowhere`"),
        (event("gathering", &format!("hours = 1.0\nbuildings = [\"{to}\"]")), "persons"),
    ];
    for (patch, expected) in cases {
        let told = told_of(&Ran::of(TOWN, &patch, 1).expect_err("it cannot happen"));
        assert!(told.contains(expected) && told.contains("event"), "{patch}\n{told}\nexpected {expected}");
    }
}
