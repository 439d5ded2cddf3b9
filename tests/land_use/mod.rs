//! Policies that change the city itself. New buildings house and employ as many as the plan says and draw what their floor
//! area says, who is there already keeps home, household and, but for the new jobs, work; new roads shorten what a closed
//! form says they shorten; grids and pipes of the changed city balance. What makes no sense is refused with its place.

use std::collections::BTreeSet;
use std::path::PathBuf;
use urbis::Simulation;
use urbis_appraisal::read::RunResults;
use urbis_city::model::City;
use urbis_core::{NodeIx, Problem};
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::{Cells, Households, Persons, Place, Planner, Skims};
use urbis_tests::{Ran, cheapest, hashes, installed, number, root, run, scenario_in};
use urbis_traffic::CarNetwork;

const TOWN: &str = "scenarios/town/baseline.toml";
/// Three houses, of which one for offices.
const DISTRICT: &str = "[[policy]]\nname = \"district\"\nkind = \"land_use\"\nbuildings = [\n\
    { id = \"a\", lon = 10.0152, lat = 50.0101, use = \"residential\", floor_area_m2 = 4800, levels = 5, residents = 120, jobs = 0 },\n\
    { id = \"b\", lon = 10.0160, lat = 50.0101, use = \"residential\", floor_area_m2 = 2400, residents = 60, jobs = 0 },\n\
    { id = \"c\", lon = 10.0164, lat = 50.0095, use = \"office\", floor_area_m2 = 4000, residents = 0, jobs = 200 },\n]\n";

fn homes_only() -> String {
    let lines: Vec<&str> = DISTRICT.lines().filter(|line| !line.contains("office")).collect();
    lines.join("\n") + "\n"
}

fn installed_with(patch: &str) -> Simulation {
    let place = tempfile::tempdir().unwrap();
    installed(place.path(), TOWN, patch, 1, None)
}

fn of<T: bevy_ecs::resource::Resource>(simulation: &Simulation) -> &T {
    simulation.world().resource::<T>()
}

/// What a person is, beside where they work.
fn traits(persons: &Persons, row: usize) -> impl PartialEq + std::fmt::Debug {
    (
        (persons.home[row], persons.household[row], persons.age_years[row], persons.sex[row], persons.age_class[row]),
        (persons.employed[row], persons.pupil[row], persons.is_student[row], persons.household_cars[row]),
        (persons.has_car[row], persons.has_licence[row], persons.has_two_wheeler[row], persons.has_transit_pass[row]),
    )
}

fn workplaces(simulation: &Simulation) -> &[Place] {
    &of::<Planner>(simulation).long_term.workplace
}

#[test]
fn as_many_move_in_as_the_plan_says_and_who_is_there_stays() {
    let (plain, built) = (installed_with(""), installed_with(DISTRICT));
    let (before, after) = (of::<Persons>(&plain), of::<Persons>(&built));
    let (old, city) = (of::<City>(&plain).buildings.len(), of::<City>(&built));
    assert_eq!(city.buildings.id[old..], ["a", "b", "c"]);
    assert_eq!((before.residents(), after.residents()), (2000, 2180));
    let live_in = |building: usize| after.home.iter().filter(|home| home.row() == old + building).count();
    assert_eq!([live_in(0), live_in(1), live_in(2)], [120, 60, 0]);
    assert!((0..2000).all(|row| traits(before, row) == traits(after, row) && after.key(row) == row as u32));
    let (households, all) = (of::<Households>(&plain), of::<Households>(&built));
    assert!(all.home[..households.len()] == households.home && all.size[..households.len()] == households.size);
    assert_eq!(all.size.iter().sum::<u32>(), 2180);
    // People from outside stand behind the new ones, with the keys that they had.
    let outside =
        |persons: &Persons| -> Vec<u32> { (persons.residents()..persons.len()).map(|row| persons.key(row)).collect() };
    assert_eq!(outside(before), outside(after));
    assert!((2000..2180).all(|row| after.is_new(row)));

    // Cells, and with them travel on the roads that stay, are as they were.
    let (cells, same) = (of::<Cells>(&plain), of::<Cells>(&built));
    assert!(cells.len() == same.len() && cells.node == same.node && cells.x_m == same.x_m);
    assert!(of::<Skims>(&plain).car[0].time_s == of::<Skims>(&built).car[0].time_s);

    // Who works elsewhere than before works in the new office, as many as its share of all jobs.
    let (old_work, new_work) = (workplaces(&plain), workplaces(&built));
    let is_outside = |place: Place, buildings: usize| place.row() >= buildings && place != Place::NONE;
    let (mut inside, mut moved) = (0.0, 0.0);
    for row in 0..2000 {
        let (then, now) = (old_work[row], new_work[row]);
        if is_outside(then, old) {
            assert_eq!(now.0, then.0 + 3, "places outside are those outside");
        } else if before.employed[row] && then != Place::NONE {
            inside += 1.0;
            if now != then {
                assert_eq!(now.row(), old + 2);
                moved += 1.0;
            }
        } else {
            assert_eq!(now, then);
        }
    }
    let jobs = of::<Jobs>(&built);
    assert_eq!(jobs.jobs[old..], [0, 0, 200]);
    let share = 200.0 / f64::from(jobs.jobs.iter().sum::<u32>());
    let (expected, sd) = (inside * share, (inside * share * (1.0 - share)).sqrt());
    println!("{moved} of {inside} workers move to the new jobs, expected {expected:.0} +- {sd:.0}");
    assert!((moved - expected).abs() < 4.0 * sd);
    let works = (2000..2180).filter(|&row| after.employed[row]).all(|row| new_work[row] != Place::NONE);
    assert!(works, "who moves in with a job has a place of work");

    // Without new jobs nobody works elsewhere.
    let homes = installed_with(&homes_only());
    let same = |row: &usize| match old_work[*row] {
        then if is_outside(then, old) => workplaces(&homes)[*row].0 == then.0 + 2,
        then => workplaces(&homes)[*row] == then,
    };
    assert!((0..2000).all(|row| same(&row)));
}

#[test]
fn who_lived_in_what_is_taken_down_leaves() {
    let plain = installed_with("");
    let take = |keys: &str| {
        installed_with(&format!(
            "[[policy]]\nname = \"p\"\nkind = \"land_use\"\narea = {{ zones = [\"west\"] }}\n{keys}\n"
        ))
    };
    let (half, gone) = (take("floor_area_factor = 0.5"), take("demolish = true"));
    let zone = &of::<City>(&plain).buildings.zone;
    let is_west = |home: Place| zone[home.row()].0 == zone[of::<Persons>(&plain).home[0].row()].0;
    let first_zone = of::<City>(&plain).zones.id[zone[of::<Persons>(&plain).home[0].row()].row()].clone();
    let in_west = |simulation: &Simulation| {
        let homes = &of::<Households>(simulation).home;
        homes.iter().filter(|home| is_west(**home) == (first_zone == "west")).count()
    };
    let counts = [&plain, &half, &gone].map(in_west);
    println!("households in the west {counts:?}");
    assert_eq!(counts[1], (counts[0] as f64 / 2.0).round() as usize);
    assert_eq!(counts[2], 0);
    for changed in [&half, &gone] {
        let (before, after) = (of::<Persons>(&plain), of::<Persons>(changed));
        let (city, old) = (of::<City>(changed), of::<City>(&plain));
        assert_eq!(city.buildings.len(), old.buildings.len());
        // Everybody who stays is who they were.
        for row in 0..after.residents() {
            let key = after.key(row) as usize;
            assert_eq!((after.home[row], after.age_years[row]), (before.home[key], before.age_years[key]));
            assert_eq!((after.has_car[row], after.employed[row]), (before.has_car[key], before.employed[key]));
        }
        let households = of::<Households>(changed);
        let first = |row: usize| households.first_person[row].row();
        assert!((0..households.len()).all(|row| after.household[first(row)] as usize == row));
        // Whose work was not touched has it still.
        let is_safe = |place: Place| place.row() >= zone.len() || (is_west(place) != (first_zone == "west"));
        let kept =
            (0..after.residents()).map(|row| (workplaces(&plain)[after.key(row) as usize], workplaces(changed)[row]));
        assert!(kept.filter(|(then, _)| is_safe(*then)).all(|(then, now)| then == now));
    }
    let city = of::<City>(&gone);
    let in_west = (0..zone.len()).filter(|&row| is_west(Place(row as u32)) == (first_zone == "west"));
    let mut rows = 0;
    for row in in_west {
        assert!(city.buildings.floor_area_m2[row].abs() < 1e-12 && of::<Jobs>(&gone).jobs[row] == 0);
        assert!(!workplaces(&gone).contains(&Place(row as u32)));
        rows += 1;
    }
    assert!(rows > 20);
    assert!(city.panel_latest("west", "residents").is_some_and(|row| row.value.abs() < 1e-9));
    assert!(city.panel_latest("west", "jobs").is_some_and(|row| row.value.abs() < 1e-9));
}

#[test]
fn new_buildings_are_lived_in_and_draw_by_their_floor_area() {
    let garages = "[[policy]]\nname = \"garages\"\nkind = \"land_use\"\nbuildings = [\n\
        { id = \"g1\", lon = 10.0152, lat = 50.0010, use = \"parking\", floor_area_m2 = 3000, jobs = 0 },\n\
        { id = \"o1\", lon = 10.0158, lat = 50.0010, use = \"other\", floor_area_m2 = 876, jobs = 0 },\n]\n";
    let every =
        "[output.tables.presence]\nenabled = true\nevery_s = 3600\n[output.tables.building_load]\nenabled = true\n";
    let plain = Ran::of(TOWN, every, 2).unwrap();
    let built = Ran::of(TOWN, &format!("{every}{DISTRICT}{garages}"), 2).unwrap();
    let presence = built.table("presence");
    let start = presence.iter().map(|row| row["time"].clone()).min().unwrap();
    let at_night = |id: &str| -> f64 {
        let here = presence.iter().filter(|row| row["time"] == start && row["building_id"] == id);
        here.map(|row| number(row, "persons")).sum()
    };
    println!("at {start}: {} and {} at home", at_night("a"), at_night("b"));
    assert!((at_night("a") - 120.0).abs() < 1e-9 && (at_night("b") - 60.0).abs() < 1e-9);
    let at_work = presence.iter().filter(|row| row["building_id"] == "c").map(|row| number(row, "persons"));
    let most = at_work.fold(0.0, f64::max);
    println!("at most {most} in the office");
    assert!(most > 20.0);
    let wh = |ran: &Ran, id: &str| -> f64 {
        let rows = ran.table("building_load");
        rows.iter().filter(|row| row["building_id"] == id).map(|row| number(row, "energy_wh")).sum()
    };
    // 5 kWh/m2 a year day and night, spread over the days that 2024 has: 876 m2 draw 4380 kWh, 4380 / 366 a day.
    let sheds = wh(&built, "o1");
    println!("sheds {sheds:.1} Wh, expected {:.1}", 4.38e6 / 366.0);
    assert!((sheds - 4.38e6 / 366.0).abs() < 1.0);
    // 70 % of 25 kWh/m2 a year never changes, 30 % follows the clock.
    let (garage, base) = (wh(&built, "g1"), 0.7 * 25.0 * 3000.0 * 1000.0 / 366.0);
    println!("garage {garage:.0} Wh, {base:.0} of it constant");
    assert!(garage > base && garage < base / 0.7 * 1.3);
    let total = |ran: &Ran| ran.table("building_load").iter().map(|row| number(row, "energy_wh")).sum::<f64>();
    assert!(total(&built) > total(&plain) + garage + sheds);

    // Readers of the results find the new rows: the layer is the run's own, and hashes match.
    let results = RunResults::open(&built.out, "test", 1).unwrap();
    results.verify().unwrap();
    let ids = |results: &RunResults| results.layer("buildings").unwrap().text("id", &mut urbis_core::Problems::new());
    assert!(ids(&results).ends_with(&["a", "b", "c", "g1", "o1"].map(str::to_owned)));
    assert!(!RunResults::open(&plain.out, "test", 1).unwrap().has_own_layer("buildings"));
    let picture = built.out.join("map.svg");
    urbis_appraisal::draw::day(&built.out, "test", 1, &picture).unwrap();
    assert!(std::fs::metadata(&picture).unwrap().len() > 10_000);
}

#[test]
fn networks_of_the_changed_city_balance_and_carry_more() {
    let patch = "[period]\nstart = \"2024-01-16T05:00:00\"\nduration_h = 3\n";
    let networks = "scenarios/town/networks.toml";
    let plain = Ran::of(networks, patch, 2).unwrap();
    // A run ends only if the books of electricity, water, gas, heat and people close at every tick.
    let built = Ran::of(networks, &format!("{patch}{DISTRICT}"), 2).unwrap();
    let buildings = |ran: &Ran| -> BTreeSet<String> {
        ran.table("building_load").into_iter().map(|row| row["building_id"].clone()).collect()
    };
    assert!(["a", "b", "c"].iter().all(|id| buildings(&built).contains(*id)));
    let sum = |ran: &Ran, utility: &str, column: &str| -> f64 {
        let rows = ran.table("utility_balance");
        rows.iter().filter(|row| row["utility"] == utility).map(|row| number(row, column)).sum()
    };
    for utility in ["water", "gas", "heat", "sewer"] {
        let (before, after) = (sum(&plain, utility, "asked"), sum(&built, utility, "asked"));
        let (supplied, residual) = (sum(&built, utility, "supplied"), sum(&built, utility, "residual"));
        println!("{utility}: {before:.2} -> {after:.2} asked for, {residual:.2e} of {supplied:.2} left over");
        assert!(after > 1.02 * before || utility != "water");
        assert!(residual.abs() < 1e-6 * supplied);
    }
}

#[test]
fn the_same_on_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let text = format!("{DISTRICT}[[policy]]\nname = \"way\"\nkind = \"new_road\"\nlinks = [{DIAGONAL}]\n");
    let scenario = scenario_in(place.path(), TOWN, &format!("[period]\nduration_h = 6\n{text}"));
    let on = |threads: usize| {
        let out = place.path().join(format!("out{threads}"));
        run(&scenario, &out, threads, None).unwrap();
        hashes(&out)
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn buildings_of_a_file_are_those_of_the_scenario() {
    let place = tempfile::tempdir().unwrap();
    let rows = "id,lon,lat,use,floor_area_m2,levels,residents,jobs\na,10.0152,50.0101,residential,4800,5,120,0\n\
                b,10.0160,50.0101,residential,2400,,60,0\nc,10.0164,50.0095,office,4000,,0,200\n";
    std::fs::write(place.path().join("new.csv"), rows).unwrap();
    let patch = "[[policy]]\nname = \"district\"\nkind = \"land_use\"\nfile = \"new.csv\"\n";
    let (by_file, by_scenario) = (installed(place.path(), TOWN, patch, 1, None), installed_with(DISTRICT));
    let (one, other) = (&of::<City>(&by_file).buildings, &of::<City>(&by_scenario).buildings);
    assert!(one.id == other.id && one.floor_area_m2 == other.floor_area_m2 && one.dwellings == other.dwellings);
    assert!(workplaces(&by_file) == workplaces(&by_scenario));
    std::fs::write(place.path().join("new.csv"), rows.replace("office,4000", "offices,-4000")).unwrap();
    let told = refusal(patch, Some(("new.csv", &rows.replace("office,4000", "offices,-4000"))));
    assert!(told.contains("row 3 (id c)") && told.contains("offices") && told.contains("-4000"), "{told}");
}

const DIAGONAL: &str = "{ id = \"new\", from_node = \"8\", to_node = \"29\", class = \"primary\", speed_kmh = 60 }";

#[test]
fn a_new_road_takes_over_the_ways_that_it_shortens() {
    let patch = format!("[[policy]]\nname = \"way\"\nkind = \"new_road\"\nlinks = [{DIAGONAL}]\n");
    let (plain, built) = (installed_with(""), installed_with(&patch));
    let (roads, wider) = (of::<CarNetwork>(&plain), of::<CarNetwork>(&built));
    let nodes = of::<City>(&plain).nodes.len();
    assert_eq!(wider.links(), roads.links() + 2);
    let links = &of::<City>(&built).links;
    let new = links.id.iter().position(|id| id == "new").unwrap();
    let (nodes_of, at) = (&of::<City>(&built).nodes, (links.from[new].row(), links.to[new].row()));
    let length_m = (nodes_of.x_m[at.0] - nodes_of.x_m[at.1]).hypot(nodes_of.y_m[at.0] - nodes_of.y_m[at.1]);
    let way_ms = length_m / (60.0 / 3.6) * 1000.0;
    println!("the new road is {length_m:.0} m long, {:.1} s", way_ms / 1000.0);
    assert!((links.length_m[new] - length_m).abs() < 1e-6);
    assert!((links.capacity_vps[new] - 0.5).abs() < 1e-9 && links.zone[new].is_some());
    // What it costs from cell to cell is the less of the old way and that over the new road, one way or the other.
    let before = cheapest(roads, &roads.free_time_ms(), &roads.route_factor);
    let (cells, count) = (of::<Cells>(&built), roads.nodes());
    let node = |node: NodeIx| roads.node_of(node).unwrap() as usize;
    let (a, b) = (node(links.from[new]), node(links.to[new]));
    let (old_s, new_s) = (&of::<Skims>(&plain).car[0].time_s, &of::<Skims>(&built).car[0].time_s);
    let (mut shorter, mut same) = (0, 0);
    for from in (0..cells.len()).filter(|&cell| cells.node[cell].is_some()) {
        for to in (0..cells.len()).filter(|&cell| cells.node[cell].is_some() && cell != from) {
            let (i, j) = (node(cells.node[from]), node(cells.node[to]));
            let over = |a: usize, b: usize| before[i * count + a].0 + way_ms + before[b * count + j].0;
            let (old, over) = (before[i * count + j].0, over(a, b).min(over(b, a)));
            let at = from * cells.len() + to;
            if over < old - 50.0 {
                shorter += 1;
                assert!(new_s[at] < old_s[at], "{from} {to}: {over} {old}");
            } else if over > old + 50.0 {
                same += 1;
                assert!((new_s[at] - old_s[at]).abs() < 1e-3, "{from} {to}: {over} {old}");
            }
        }
    }
    println!("{shorter} of {} pairs are shortened; of {nodes} nodes", shorter + same);
    assert!(shorter > 20 && same > 20);
    // And it is driven on.
    let ran = Ran::of(TOWN, &format!("[output.tables.link_state]\nenabled = true\n{patch}"), 2).unwrap();
    let on_it: f64 = ran
        .table("link_state")
        .iter()
        .filter(|row| row["link_id"].starts_with("new"))
        .map(|row| number(row, "entered_veh"))
        .sum();
    println!("{on_it} vehicles on it");
    assert!(on_it > 10.0);
    let results = RunResults::open(&ran.out, "test", 1).unwrap();
    let ids = results.layer("links").unwrap().text("id", &mut urbis_core::Problems::new());
    assert!(ids.ends_with(&["new".to_owned(), "new/back".to_owned()]));
}

#[test]
fn a_wider_road_carries_in_proportion() {
    let patch = "[[policy]]\nname = \"wide\"\nkind = \"new_road\"\narea = { roads = [\"Row 3\"] }\nlanes_added = 2\n";
    let (plain, wide) = (installed_with(""), installed_with(patch));
    let (before, after) = (&of::<City>(&plain).links, &of::<City>(&wide).links);
    assert!(before.id == after.id);
    let mut widened = 0;
    for link in 0..before.len() {
        let factor = if before.name[link] == "Row 3" { 3.0 } else { 1.0 };
        widened += usize::from(factor > 1.0);
        assert!((after.capacity_vps[link] - factor * before.capacity_vps[link]).abs() < 1e-12);
        assert!((after.jam_density_vpm[link] - factor * before.jam_density_vpm[link]).abs() < 1e-12);
        assert!((f64::from(after.lanes[link]) - factor * f64::from(before.lanes[link])).abs() < 1e-9);
    }
    assert_eq!(widened, 10);
}

#[test]
fn what_people_learned_before_holds_beside_a_new_road() {
    let patch = format!(
        "[population.feedback]\nwarm_up = 1\n[period]\nduration_h = 6\n[[policy]]\nname = \"way\"\nkind = \"new_road\"\n\
         links = [{DIAGONAL}]\n"
    );
    let ran = Ran::of(TOWN, &patch, 2).unwrap();
    assert!(ran.table("link_state").iter().any(|row| row["link_id"] == "new" && number(row, "entered_veh") > 0.0));
}

/// What is said of a scenario that is refused; `file` stands beside it.
fn refusal(patch: &str, file: Option<(&str, &str)>) -> String {
    let place = tempfile::tempdir().unwrap();
    if let Some((name, text)) = file {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    let out: PathBuf = place.path().join("out");
    let scenario = scenario_in(place.path(), TOWN, patch);
    let error = run(&scenario, &out, 1, None).expect_err(patch);
    let urbis_core::Error::Input(problems) = error else { panic!("{patch}: {error}") };
    let said = |problem: &Problem| format!("{problem} {}\n", problem.help_text().unwrap_or(""));
    problems.listed().iter().map(said).collect()
}

#[test]
fn plans_that_make_no_sense_are_refused_with_their_place() {
    let house = |keys: &str| {
        format!(
            "[[policy]]\nname = \"p\"\nkind = \"land_use\"\n[[policy.buildings]]\nuse = \"office\"\nfloor_area_m2 = 100\n{keys}\n"
        )
    };
    let here = "lon = 10.01\nlat = 50.003\n";
    let land = "[[policy]]\nname = \"p\"\nkind = \"land_use\"\n";
    let road = "[[policy]]\nname = \"p\"\nkind = \"new_road\"\n";
    let west = "area = { zones = [\"west\"] }\n";
    let cases = [
        (land.to_owned(), vec!["line 5", "nothing would change"]),
        (house(""), vec!["line 6", "`lon` and `lat`"]),
        (house("lon = 11.0\nlat = 50.0"), vec!["line 6", "p/1", "outside every zone"]),
        (house("lon = 10.0\nlat = 95.0"), vec!["<= 90"]),
        (house("x_m = 1.0\nlat = 50.0"), vec!["`x_m` and `y_m`"]),
        (house(here).replace("office", "villa"), vec!["line 7", "villa"]),
        (house(here).replace("= 100", "= -5"), vec!["line 8", ">= 1"]),
        (house(&format!("{here}residents = -1")), vec![">= 0"]),
        (house(&format!("{here}rooms = 3")), vec!["unknown key", "rooms"]),
        (
            format!("{}[[policy.buildings]]\nid = \"p/1\"\nuse = \"office\"\nfloor_area_m2 = 9\n{here}", house(here)),
            vec!["another building `p/1`"],
        ),
        (house(here).replace("kind =", "from = \"07:00\"\nkind ="), vec!["day and night"]),
        (house(here).replace("kind =", "end_date = \"2024-06-11\"\nkind ="), vec!["within the period"]),
        (format!("{land}demolish = true"), vec!["needs an `area`"]),
        (format!("{land}demolish = true\nfloor_area_factor = 0.5\n{west}"), vec!["line 7", "leave one of them out"]),
        (format!("{land}floor_area_factor = -0.5\n{west}"), vec![">= 0"]),
        (format!("{land}demolish = true\narea = {{ roads = [\"Row 3\"] }}"), vec!["no building lies in it"]),
        (
            format!("{land}demolish = true\narea = {{ zones = [\"west\", \"east\"] }}"),
            vec!["all that is left of the city"],
        ),
        (
            format!("{land}demolish = true\n{west}{}floor_area_factor = 0.5\n{west}", land.replace("\"p\"", "\"q\"")),
            vec!["taken down by policy `p` already"],
        ),
        (format!("{land}file = \"nowhere.csv\""), vec!["line 6", "nowhere.csv"]),
        (road.to_owned(), vec!["nothing would change"]),
        (format!("{road}lanes_added = 1"), vec!["line 6", "needs an `area`"]),
        (
            format!("{road}links = [{{ from_node = \"8\", to_node = \"99\", class = \"primary\" }}]"),
            vec!["no node `99`"],
        ),
        (
            format!("{road}links = [{{ from_node = \"8\", to_node = \"9\", class = \"primary\" }}]"),
            vec!["there is a road from node `8` to `9`"],
        ),
        (
            format!("{road}links = [{{ from_node = \"8\", to_node = \"29\", class = \"boulevard\" }}]"),
            vec!["boulevard"],
        ),
        (
            format!("{road}links = [{DIAGONAL}, {}]", DIAGONAL.replace("\"new\"", "\"other\"")),
            vec!["there is a road from node `8` to `29`"],
        ),
        (
            format!("{road}links = [{{ line = [[10.0, 50.0], [10.00525, 50.0011]], class = \"primary\" }}]"),
            vec!["no node within 30 m of its end"],
        ),
        (format!("{road}links = [{{ line = [[10.0, 50.0]], class = \"primary\" }}]"), vec!["two corners"]),
    ];
    for (patch, expected) in cases {
        let said = refusal(&patch, None);
        println!("{}", said.trim());
        for word in expected {
            assert!(said.contains(word), "{patch}\n{said}\nexpected {word}");
        }
    }
}

#[test]
fn shipped_plans_run() {
    let place = tempfile::tempdir().unwrap();
    for name in ["new_district", "new_road"] {
        let text = std::fs::read_to_string(root().join(format!("scenarios/town/{name}.toml"))).unwrap();
        let patch = &text[text.find("[[policy]]").unwrap()..];
        let out = place.path().join(name);
        run(&scenario_in(place.path(), TOWN, patch), &out, 2, None).unwrap();
    }
}
