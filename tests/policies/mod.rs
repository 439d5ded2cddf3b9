//! Policies in two arms with the same seed: what they do has the right sign, moves those it meets, takes the money it
//! says, and is the same on any number of threads. What makes no sense is refused with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use urbis::RunSummary;
use urbis_tests::{EVERY_DAY, bus_line, hashes, installed, read_table, root, run, scenario_in};

const TOWN: &str = "scenarios/town/baseline.toml";

type Rows = Vec<BTreeMap<String, String>>;

/// A finished run and its tables.
struct Arm {
    out: PathBuf,
    summary: RunSummary,
    _place: tempfile::TempDir,
}

impl Arm {
    fn table(&self, name: &str) -> Rows {
        read_table(&self.out.join(name).join("scenario=test/seed=1/part-0.parquet"))
    }
    fn kpi(&self, name: &str) -> f64 {
        let kpi = self.summary.kpis.iter().find(|kpi| kpi.indicator == name);
        kpi.unwrap_or_else(|| panic!("no indicator {name}")).value
    }
    /// Trips by number that fit.
    fn count(&self, fits: impl Fn(&BTreeMap<String, String>) -> bool) -> usize {
        self.table("trips").iter().filter(|trip| fits(trip)).count()
    }
}

fn arm(base: &str, patch: &str) -> Arm {
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), base, patch);
    let out = place.path().join("out");
    let summary = run(&scenario, &out, 2, None).unwrap_or_else(|error| panic!("{patch}: {error:?}"));
    Arm { out, summary, _place: place }
}

/// The policies that a shipped scenario adds to its base.
fn shipped(name: &str) -> String {
    let text = std::fs::read_to_string(root().join("scenarios").join(name)).unwrap();
    text[text.find("[[policy]]").unwrap()..].to_owned()
}

/// Car trips that end in a zone and were made.
fn into_east(trip: &BTreeMap<String, String>) -> bool {
    trip["mode"] == "car" && trip["to_zone"] == "east" && trip["from_zone"] == "west" && trip["status"] == "arrived"
}

fn hour(row: &BTreeMap<String, String>, column: &str) -> f64 {
    // The town's day is in the zone of Berlin, two hours before UTC in June.
    let ms: f64 = row[column].parse().unwrap();
    (ms / 3.6e6 + 2.0) % 24.0
}

#[test]
fn a_cordon_charge_moves_those_it_meets_and_takes_its_money() {
    let (plain, charged) = (arm(TOWN, ""), arm(TOWN, &shipped("town/charge.toml")));
    let (before, after) = (plain.count(into_east), charged.count(into_east));
    let payments = charged.table("payments");
    let revenue: f64 = payments.iter().map(|row| row["amount"].parse::<f64>().unwrap()).sum();
    println!("cars into the east {before} -> {after}; {} payments, {revenue} in all", payments.len());
    assert!(after < before && !payments.is_empty());
    assert!((charged.kpi("revenue_east by car") - revenue).abs() < 1e-6);
    // Prices follow the hour, and nobody pays outside the windows.
    for row in &payments {
        let due = if hour(row, "time") < 10.0 { "4.0" } else { "2.0" };
        let hour = hour(row, "time");
        assert!((7.0..19.0).contains(&hour) && row["amount"] == due && row["payee"] == "city", "{row:?}");
    }
    // Everybody who crossed the cordon by day has paid, once for each trip; who is reached from a road outside has not.
    let layer = |name: &str| read_table(&charged.out.join("layers").join(name));
    let zone_of_node: BTreeMap<String, String> =
        layer("nodes.parquet").into_iter().map(|node| (node["id"].clone(), node["zone_id"].clone())).collect();
    let zone_of_door: BTreeMap<String, String> = layer("buildings.parquet")
        .into_iter()
        .map(|building| (building["id"].clone(), zone_of_node[&building["car_node"]].clone()))
        .collect();
    let crosses = |trip: &BTreeMap<String, String>| {
        zone_of_door[&trip["from_building"]] == "west" && zone_of_door[&trip["to_building"]] == "east"
    };
    let paid: BTreeSet<String> = payments.iter().map(|row| row["trip_id"].clone()).collect();
    let by_day = |trip: &&BTreeMap<String, String>| {
        trip["mode"] == "car" && trip["status"] == "arrived" && (7.0..19.0).contains(&hour(trip, "depart_time"))
    };
    let trips = charged.table("trips");
    let unpaid = trips.iter().filter(by_day).filter(|trip| crosses(trip) && !paid.contains(&trip["trip_id"])).count();
    assert_eq!((unpaid, paid.len()), (0, payments.len()));
    assert!(!plain.out.join("payments").exists(), "without policies there is no such table");
}

#[test]
fn residents_and_days_change_who_pays() {
    let cordon = |more: &str| {
        format!(
            "[[policy]]\nname = \"c\"\nkind = \"road_price\"\narea = {{ zones = [\"east\"] }}\nbasis = \"cordon\"\n\
             prices = [{{ amount = 1.0 }}]\n{more}\n"
        )
    };
    let plain = arm(TOWN, &cordon(""));
    let (free, once) = (arm(TOWN, &cordon("resident_share = 0.0")), arm(TOWN, &cordon("once_per_day = true")));
    let never = arm(TOWN, &cordon("start_date = \"2024-06-12\""));
    let persons = |arm: &Arm| arm.table("payments").iter().map(|row| row["person_id"].clone()).collect::<Vec<_>>();
    let unlike = |all: &[String]| all.iter().collect::<BTreeSet<_>>().len();
    let (all, free, once) = (persons(&plain), persons(&free), persons(&once));
    println!("{} payments, {} without residents, {} once a day", all.len(), free.len(), once.len());
    assert!(!free.is_empty() && free.len() < all.len());
    assert!(unlike(&all) < all.len() && unlike(&once) == once.len());
    // The period ends at three in the morning of the first day on which it is charged.
    assert!(never.table("payments").iter().all(|row| hour(row, "time") < 3.0));
    assert!(never.table("payments").len() < all.len() / 2);
}

#[test]
fn a_kilometre_costs_and_is_driven_less() {
    let (plain, priced) = (arm(TOWN, ""), arm(TOWN, &shipped("town/per_km.toml")));
    let (before, after) = (plain.kpi("vehicle_kilometres"), priced.kpi("vehicle_kilometres"));
    let revenue = priced.kpi("revenue_kilometres");
    println!("vehicle kilometres {before:.0} -> {after:.0}, revenue {revenue:.1}");
    assert!(after < 0.97 * before);
    // What trips on the road at midnight have still to drive is paid but not counted as driven.
    assert!((revenue - 0.5 * after).abs() < 0.02 * revenue, "{revenue} and {after}");
}

#[test]
fn nobody_enters_a_closed_street() {
    let (plain, closed) = (arm(TOWN, ""), arm(TOWN, &shipped("town/closure.toml")));
    let links = read_table(&closed.out.join("layers/links.parquet"));
    let row_3: BTreeSet<String> =
        links.iter().filter(|link| link["name"] == "Row 3").map(|link| link["id"].clone()).collect();
    let entered = |arm: &Arm, from: f64, to: f64| -> u64 {
        let is_one = |row: &&BTreeMap<String, String>| {
            row_3.contains(&row["link_id"]) && (from..to).contains(&hour(row, "time"))
        };
        arm.table("link_state").iter().filter(is_one).map(|row| row["entered_veh"].parse::<u64>().unwrap()).sum()
    };
    let (shut, before, after) = (entered(&closed, 6.0, 12.0), entered(&plain, 6.0, 12.0), entered(&closed, 12.0, 20.0));
    println!("Row 3 in the morning: {before} -> {shut} vehicles; {after} once it is open again");
    assert!(before > 50 && shut == 0 && after > 50);
    assert!((closed.kpi("road_trips_arrived") - plain.kpi("road_trips_arrived")).abs() < 0.5);
}

/// At 15 km/h from eight to noon, with closed roads meanwhile and after.
#[test]
fn limits_with_hours_slow_those_hours_alone() {
    let limit = "[[policy]]\nname = \"slow\"\nkind = \"speed_limit\"\nspeed_kmh = 15\nfrom = \"08:00\"\nto = \"12:00\"\n\
                 [output.tables.crossings]\nenabled = true\n";
    let closed = "[[policy]]\nname = \"shut\"\nkind = \"closure\"\narea = { roads = [\"Row 3\"] }\nfrom = \"11:00\"\n\
                  to = \"13:00\"\n";
    let plain = arm(TOWN, "[output.tables.crossings]\nenabled = true\n");
    let slow = arm(TOWN, limit);
    let speed = |arm: &Arm, hours: std::ops::Range<f64>| {
        // Of those who left a link within the hours.
        let rows = arm.table("link_state");
        let rows: Vec<_> = rows.iter().filter(|row| hours.contains(&hour(row, "time"))).collect();
        let of = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().unwrap_or(0.0);
        let vehicles: f64 = rows.iter().map(|row| of(row, "left_veh")).sum();
        3.6 * rows.iter().map(|row| of(row, "left_veh") * of(row, "speed_mps")).sum::<f64>() / vehicles
    };
    let [before, within, after] =
        [6.0..7.9, 8.5..11.5, 12.5..18.0].map(|of| (speed(&plain, of.clone()), speed(&slow, of)));
    println!(
        "km/h before, within and after the hours, without and with the limit: {before:.1?} {within:.1?} {after:.1?}"
    );
    assert!((before.0 - before.1).abs() < 1e-9, "nobody knows before");
    assert!(within.1 < 15.0 && within.0 > 25.0);
    assert!((after.1 - after.0).abs() < 0.05 * after.0);
    // Every passage follows the one before, over both moments at which the limit changes.
    let ends = |row: &BTreeMap<String, String>| ["enter_time", "leave_time"].map(|of| row[of].parse::<i64>().unwrap());
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    let mut rows = slow.table("crossings");
    rows.sort_by_key(|row| ends(row)[0]);
    for row in &rows {
        let [from, to] = ends(row);
        if let Some(left) = last.insert(row["trip_id"].clone(), to) {
            assert_eq!(left, from, "{row:?}");
        }
    }
    // A road that opens within the hours has the limit's capacity, and threads change nothing.
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), TOWN, &format!("{closed}{limit}"));
    let outs = [1, 3].map(|threads| place.path().join(format!("out-{threads}")));
    outs.iter().zip([1, 3]).for_each(|(out, threads)| {
        run(&scenario, out, threads, None).unwrap();
    });
    assert_eq!(hashes(&outs[0]), hashes(&outs[1]));
    let never = arm(TOWN, &limit.replace("from = \"08:00\"", "start_date = \"2024-06-13\""));
    assert_eq!(never.table("trips"), plain.table("trips"), "the period ends before the first date");
}

#[test]
fn limits_parking_and_work_at_home_have_their_sign() {
    let plain = arm(TOWN, "");
    let slow = arm(TOWN, &shipped("town/speed_limit.toml"));
    println!("mean speed {:.2} -> {:.2} km/h", plain.kpi("mean_speed"), slow.kpi("mean_speed"));
    assert!(slow.kpi("mean_speed") < plain.kpi("mean_speed") && slow.kpi("mean_speed") <= 20.0);
    let parking = arm(TOWN, &shipped("town/parking.toml"));
    let cars = |arm: &Arm| arm.count(into_east);
    let revenue = parking.kpi("revenue_meters");
    println!("cars into the east {} -> {}, meters take {revenue:.0}", cars(&plain), cars(&parking));
    assert!(cars(&parking) < cars(&plain) && revenue > 0.0);
    // Who lives in the east parks free there.
    let everybody = arm(TOWN, &shipped("town/parking.toml").replace("residents_exempt = true", ""));
    assert!(everybody.kpi("revenue_meters") > revenue);
    let workers = |arm: &Arm| -> BTreeSet<String> {
        let to_work = |trip: &&BTreeMap<String, String>| trip["purpose"] == "work" && trip["status"] != "not_started";
        arm.table("trips").iter().filter(to_work).map(|trip| trip["person_id"].clone()).collect()
    };
    let share = |share: &str| workers(&arm(TOWN, &shipped("town/telework.toml").replace("0.5", share)));
    let (all, some, many) = (workers(&plain), share("0.5"), share("1.0"));
    println!("{} go to work, {} at a share of 0.5, {} at 1", all.len(), some.len(), many.len());
    assert!(many.is_subset(&some) && some.is_subset(&all));
    let home = |left: &BTreeSet<String>| 1.0 - left.len() as f64 / all.len() as f64;
    assert!((home(&some) - 0.185).abs() < 0.04 && (home(&many) - 0.37).abs() < 0.05);
}

#[test]
fn lanes_go_to_buses_and_cars_keep_one() {
    let place = tempfile::tempdir().unwrap();
    let city = |patch: &str, name: &str| {
        let folder = place.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let simulation = installed(&folder, "scenarios/monaco/baseline.toml", patch, 1, None);
        simulation.world().resource::<urbis_city::model::City>().links.clone()
    };
    let (before, after) = (city("", "plain"), city(&shipped("monaco/bus_lane.toml"), "lane"));
    let mut changed = 0;
    for link in 0..before.len() {
        if before.lanes[link] > 1 && before.name[link] == "Boulevard Princesse Charlotte" {
            let share = f64::from(after.lanes[link]) / f64::from(before.lanes[link]);
            assert_eq!(after.lanes[link], before.lanes[link] - 1);
            assert!((after.capacity_vps[link] / before.capacity_vps[link] - share).abs() < 1e-9);
            changed += 1;
        } else {
            assert_eq!((after.lanes[link], after.capacity_vps[link]), (before.lanes[link], before.capacity_vps[link]));
        }
    }
    println!("{changed} links lose a lane");
    assert!(changed > 0);
}

#[test]
fn policies_are_the_same_on_any_number_of_threads() {
    let patch = format!(
        "[population.feedback]\niterations = 1\n{}\n{}\n{}\n{}",
        shipped("town/charge.toml"),
        shipped("town/closure.toml"),
        shipped("town/parking.toml"),
        shipped("town/telework.toml")
    );
    let place = tempfile::tempdir().unwrap();
    let scenario = scenario_in(place.path(), TOWN, &patch);
    let of = |threads: usize| {
        let out = place.path().join(format!("out-{threads}"));
        run(&scenario, &out, threads, None).unwrap();
        hashes(&out)
    };
    let first = of(1);
    assert!(first == of(3) && first == of(8));
}

/// What is said of a scenario with a policy, in one text.
fn refusal(place: &Path, block: &str) -> String {
    let scenario = scenario_in(place, TOWN, &format!("[[policy]]\n{block}\n"));
    let error = run(&scenario, &place.join("out"), 1, None).expect_err(block);
    assert!(!place.join("out/_SUCCESS").exists());
    let urbis_core::Error::Input(problems) = error else { panic!("{block}: {error}") };
    problems.listed().iter().map(|problem| format!("{problem} {}\n", problem.help_text().unwrap_or(""))).collect()
}

/// A price for vans alone, in the morning alone: nobody else pays it, and nobody at other hours.
#[test]
fn a_price_for_vans_is_paid_by_vans() {
    let price = "[[policy]]\nname = \"vans\"\nkind = \"road_price\"\nbasis = \"per_km\"\n\
                 prices = [{ amount = 2.0, classes = [\"van\"], from = \"08:00\", to = \"11:00\" }]\n";
    let run = arm("scenarios/monaco/baseline.toml", price);
    let modes: BTreeMap<String, String> =
        run.table("trips").into_iter().map(|row| (row["trip_id"].clone(), row["mode"].clone())).collect();
    let payments = run.table("payments");
    println!("{} payments of vans", payments.len());
    assert!(payments.len() > 50);
    for row in &payments {
        // Monaco's summer time is two hours before UTC, its winter time one.
        let utc_h = row["time"].parse::<f64>().unwrap() / 3.6e6 % 24.0;
        assert!(modes[&row["trip_id"]] == "van" && (6.0..=11.0).contains(&utc_h), "{row:?}");
    }
}

#[test]
fn policies_that_contradict_each_other_on_a_road_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let block = |name: &str, kind: &str, keys: &str| format!("name = \"{name}\"\nkind = \"{kind}\"\n{keys}\n");
    let two = |a: &str, b: &str| format!("{a}[[policy]]\n{b}");
    let cordon = |name: &str, price: &str| {
        block(
            name,
            "road_price",
            &format!("basis = \"cordon\"\narea = {{ zones = [\"east\"] }}\nprices = [{{ {price} }}]"),
        )
    };
    let limit = |name: &str, keys: &str| block(name, "speed_limit", &format!("speed_kmh = 20\n{keys}"));
    let row = "area = { roads = [\"Row 3\"] }";
    let wide = "[[policy]]\nname = \"w\"\nkind = \"new_road\"\nlanes_added = 1\narea = { roads = [\"Row 3\"] }\n";
    let lanes = block("taken", "lanes", &format!("taken = 1\ngiven_to = \"bus\"\n{row}"));
    let morning = "from = \"07:00\"\nto = \"09:00\"\n";
    let refused = [
        (two(&cordon("a", "amount = 1"), &cordon("b", "amount = 2")), "policy `a` charges it too"),
        (
            two(&cordon("a", "amount = 1, from = \"08:00\""), &cordon("b", "amount = 2, to = \"09:00\"")),
            "policy `b`: link",
        ),
        (
            two(&cordon("a", "amount = 1"), &block("b", "road_price", "basis = \"per_km\"\nprices = [{ amount = 1 }]")),
            "policy `a` charges it too",
        ),
        (
            two(&limit("a", row), &limit("b", &format!("area = {{ zones = [\"east\"] }}\n{morning}"))),
            "policy `a` has a limit",
        ),
        (two(&lanes, &format!("{}{wide}", block("shut", "closure", row))), "policy `taken` takes lanes"),
        (format!("{}[traffic.tolls]\n27 = 1.0\n", cordon("a", "amount = 1")), "`[traffic.tolls]` charges it too"),
    ];
    for (patch, word) in refused {
        let said = refusal(place.path(), &patch);
        println!("{}", said.trim());
        assert!(said.contains(word) && said.contains("link `"), "{patch}\n{said}");
        assert!(said.contains("scenario.toml line "), "file and line: {said}");
    }
    // Junctions and buildings.
    let signals = |name: &str, control: &str| block(name, "signals", &format!("control = \"{control}\""));
    let cars = block("cars", "ev_share", "share = 0.5\nchargers = { home = 1.0 }");
    let charging = |name: &str, control: &str| block(name, "smart_charging", &format!("control = \"{control}\""));
    let three = |a: &str, b: &str| format!("{cars}[[policy]]\n{a}[[policy]]\n{b}");
    for (patch, word) in [
        (two(&signals("a", "fixed"), &signals("b", "actuated")), "policy `a` controls it otherwise"),
        (three(&charging("a", "delayed"), &charging("b", "immediate")), "policy `a` charges there otherwise"),
    ] {
        let said = refusal(place.path(), &patch);
        println!("{}", said.trim());
        assert!(said.contains(word) && said.contains("scenario.toml line "), "{patch}\n{said}");
    }
    let _ = installed(
        place.path(),
        TOWN,
        &format!(
            "[[policy]]\n{}",
            two(
                &signals("a", "fixed").replace("kind", "end_date = \"2024-06-10\"\nkind"),
                &signals("b", "actuated").replace("kind", "start_date = \"2024-06-11\"\nkind")
            )
        ),
        1,
        None,
    );
    // Other classes, hours, dates and roads may stand beside each other.
    let allowed = [
        two(&cordon("a", "amount = 1, classes = [\"car\"]"), &cordon("b", "amount = 2, classes = [\"van\"]")),
        two(&cordon("a", "amount = 1, to = \"09:00\""), &cordon("b", "amount = 2, from = \"09:00\"")),
        two(
            &cordon("a", "amount = 1").replace("kind", "end_date = \"2024-06-10\"\nkind"),
            &cordon("b", "amount = 2").replace("kind", "start_date = \"2024-06-11\"\nkind"),
        ),
        two(&limit("a", row), &limit("b", "area = { roads = [\"Row 1\"] }")),
        two(&lanes, &format!("{}{wide}", block("shut", "closure", "area = { roads = [\"Row 1\"] }"))),
    ];
    for patch in allowed {
        let _ = installed(place.path(), TOWN, &format!("[[policy]]\n{patch}"), 1, None);
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let place = tempfile::tempdir().unwrap();
    let price = "name = \"p\"\nkind = \"road_price\"\nbasis = \"cordon\"\n";
    let cases = [
        ("name = \"p\"\nkind = \"road_prize\"", vec!["line 5", "did you mean \"road_price\""]),
        ("name = \"p\"\nkind = \"closure\"\ncolour = 1", vec!["line 6", "unknown key", "colour"]),
        ("kind = \"closure\"\narea = { zones = [\"east\"] }", vec!["missing key", "name"]),
        ("name = \"p\"\nkind = \"closure\"", vec!["needs an `area`"]),
        (
            "name = \"p\"\nkind = \"closure\"\narea = { zones = [\"eats\"] }",
            vec!["line 6", "no zone `eats`", "did you mean `east`"],
        ),
        ("name = \"p\"\nkind = \"closure\"\narea = { links = [] }", vec!["line 6", "one of `zones`"]),
        (
            "name = \"p\"\nkind = \"closure\"\narea = { zones = [\"east\"] }\nfrom = \"19:00\"\nto = \"07:00\"",
            vec!["line 8", "ends at 07:00"],
        ),
        ("name = \"p\"\nkind = \"closure\"\narea = { zones = [\"east\"] }\nto = \"25:00\"", vec!["no clock time"]),
        ("name = \"p\"\nkind = \"telework\"\nshare = 1.2", vec!["line 6", "<= 1"]),
        ("name = \"p\"\nkind = \"telework\"\nshare = 0.2\nend_date = \"soon\"", vec!["line 7", "no date"]),
        ("name = \"p\"\nkind = \"parking_price\"\nper_hour = -1.0", vec!["line 6", ">= 0"]),
        ("name = \"p\"\nkind = \"parking_price\"", vec!["nothing is to be paid"]),
        ("name = \"p\"\nkind = \"speed_limit\"\nspeed_kmh = 120", vec!["line 6", "nothing would change"]),
        (
            "name = \"p\"\nkind = \"lanes\"\ntaken = 1\ngiven_to = \"bus\"\narea = { roads = [\"Row 3\"] }",
            vec!["more than one lane"],
        ),
        (
            &format!(
                "{price}prices = [{{ amount = 1, classes = [\"two_wheeler\"] }}]\narea = {{ zones = [\"east\"] }}"
            ),
            vec!["\"car\"", "two_wheeler"],
        ),
        (&format!("{price}prices = [{{ amount = -1 }}]"), vec!["line 7", ">= 0"]),
        (
            "name = \"p\"\nkind = \"telework\"\nshare = 0.1\n[[policy]]\nname = \"p\"\nkind = \"telework\"\nshare = 0.1",
            vec!["another policy"],
        ),
        ("name = \"p\"\nkind = \"closure\"\narea = { file = \"nowhere.geojson\" }", vec!["line 6", "nowhere.geojson"]),
    ];
    for (block, expected) in cases {
        let said = refusal(place.path(), block);
        println!("{}", said.trim());
        for word in expected {
            assert!(said.contains(word), "{block}: expected {word:?} in {said}");
        }
    }
}

#[test]
fn areas_may_be_polygons() {
    let place = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join("assets/town/zones.geojson")).unwrap();
    let mut zones: serde_json::Value = serde_json::from_str(&text).unwrap();
    zones["features"].as_array_mut().unwrap().retain(|zone| zone["properties"]["zone_id"] == "east");
    std::fs::write(place.path().join("east.geojson"), zones.to_string()).unwrap();
    let revenue = |area: &str| {
        let patch = shipped("town/charge.toml").replace("zones = [\"east\"]", area);
        let scenario = scenario_in(place.path(), TOWN, &patch);
        run(&scenario, &place.path().join("out"), 2, None).unwrap();
        read_table(&place.path().join("out/payments/scenario=test/seed=1/part-0.parquet"))
    };
    assert_eq!(revenue("zones = [\"east\"]"), revenue("file = \"east.geojson\""));
    std::fs::remove_dir_all(place.path().join("out")).unwrap();
    // A layer of the package: its zones are the whole town, into which nobody drives from outside.
    let whole = "name = \"p\"\nkind = \"road_price\"\nbasis = \"cordon\"\nprices = [{ amount = 1 }]\narea = { layer = \"zones\" }";
    let said = refusal(place.path(), whole);
    assert!(said.contains("no road for cars enters it"), "{said}");
    // Somewhere else, and a file without polygons.
    let far = zones.to_string().replace("50.0", "40.0").replace("49.9", "39.9");
    std::fs::write(place.path().join("far.geojson"), far).unwrap();
    let point = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[10.0,50.0]}}]}"#;
    std::fs::write(place.path().join("point.geojson"), point).unwrap();
    for (file, word) in [("far", "nothing of the city `town` lies in the area"), ("point", "has no polygon")] {
        let area = format!("name = \"p\"\nkind = \"closure\"\narea = {{ file = \"{file}.geojson\" }}");
        let said = refusal(place.path(), &area);
        println!("{}", said.trim());
        assert!(said.contains(word) && said.contains("scenario.toml line 6"), "{said}");
    }
}

/// Every table that both runs have is the same.
#[track_caller]
fn same(one: &Arm, other: &Arm, what: &str) {
    for table in ["trips", "link_state", "kpis"] {
        let without_ids = |arm: &Arm| {
            let mut rows = arm.table(table);
            rows.iter_mut().for_each(|row| drop(row.remove("run_id")));
            rows
        };
        assert!(without_ids(one) == without_ids(other), "{what}: table {table} differs");
    }
}

fn block(kind: &str, keys: &str) -> String {
    format!("[[policy]]\nname = \"{kind}\"\nkind = \"{kind}\"\n{keys}\n")
}

/// When each person first leaves for a purpose, hours; with the zone they go to.
fn first_leaves(arm: &Arm, purpose: &str) -> BTreeMap<String, (f64, String)> {
    let mut first: BTreeMap<String, (f64, String)> = BTreeMap::new();
    for trip in arm.table("trips").iter().filter(|trip| trip["purpose"] == purpose) {
        let at = (hour(trip, "depart_time"), trip["to_zone"].clone());
        let of = first.entry(trip["person_id"].clone()).or_insert_with(|| at.clone());
        if at.0 < of.0 {
            *of = at;
        }
    }
    first
}

/// By how much later each person first leaves, hours, for those who go to the same zone in both arms.
fn shifts(before: &Arm, after: &Arm, purpose: &str, zone: &str) -> Vec<f64> {
    let now = first_leaves(after, purpose);
    first_leaves(before, purpose)
        .iter()
        .filter_map(|(person, (hour, to))| {
            let (later, where_to) = now.get(person)?;
            (to == where_to && to == zone).then_some(later - hour)
        })
        .collect()
}

#[test]
fn work_and_school_begin_at_other_hours() {
    let plain = arm(TOWN, "");
    same(&plain, &arm(TOWN, &block("school_times", "shift_min = 0")), "the same hour");
    same(&plain, &arm(TOWN, &block("staggered_hours", "share = 0.0\nmost_min = 60")), "a share of nothing");
    let later = arm(TOWN, &block("school_times", "shift_min = 45\narea = { zones = [\"east\"] }"));
    let (east, west) = (shifts(&plain, &later, "school", "east"), shifts(&plain, &later, "school", "west"));
    let median = |of: &[f64]| {
        let mut sorted = of.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    println!(
        "{} pupils in the east leave {:.3} h later, {} in the west {:.3} h",
        east.len(),
        median(&east),
        west.len(),
        median(&west)
    );
    assert!(east.len() > 20 && west.len() > 20);
    assert!((median(&east) - 0.75).abs() < 0.02 && median(&west).abs() < 1e-9);
    // Uniform over +-1 h: of all the mean square is a third, of half of them half of that.
    let spread = |share: &str| {
        let arm = arm(TOWN, &block("staggered_hours", &format!("share = {share}\nmost_min = 60")));
        ["east", "west"].map(|zone| shifts(&plain, &arm, "work", zone)).concat()
    };
    let square = |of: &[f64]| of.iter().map(|h| h * h).sum::<f64>() / of.len() as f64;
    let (half, all) = (spread("0.5"), spread("1.0"));
    println!("mean square of shifts {:.3} h2 of half, {:.3} of all {} workers", square(&half), square(&all), all.len());
    assert!((square(&all) - 1.0 / 3.0).abs() < 0.05 && (square(&half) - 1.0 / 6.0).abs() < 0.05);
    assert!(all.iter().filter(|h| h.abs() > 1.1).count() < all.len() / 50, "nobody by more than an hour");
}

#[test]
fn fewer_spaces_take_longer_to_find() {
    let with = |keys: &str| arm(TOWN, &format!("[traffic.parking]\nenabled = true\n{keys}"));
    let (plain, half) = (with(""), with(&block("parking_supply", "factor = 0.5\narea = { zones = [\"east\"] }")));
    same(&plain, &with(&block("parking_supply", "factor = 1.0")), "as many spaces");
    let spaces = |arm: &Arm, zone: &str| {
        let rows = arm.table("parking");
        rows.iter().find(|row| row["zone_id"] == zone).map_or(0.0, |row| row["spaces"].parse::<f64>().unwrap())
    };
    let search_s = |arm: &Arm| {
        let of = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().unwrap_or(0.0);
        arm.table("parking").iter().map(|row| of(row, "arrivals") * of(row, "search_s")).sum::<f64>()
    };
    println!(
        "spaces in the east {} -> {}, searching {:.0} -> {:.0} s",
        spaces(&plain, "east"),
        spaces(&half, "east"),
        search_s(&plain),
        search_s(&half)
    );
    assert!((spaces(&half, "east") - 0.5 * spaces(&plain, "east")).abs() <= 0.5);
    assert!((spaces(&half, "west") - spaces(&plain, "west")).abs() < 1e-9);
    assert!(search_s(&half) > search_s(&plain));
}

#[test]
fn signals_of_an_area_are_controlled_otherwise() {
    let place = tempfile::tempdir().unwrap();
    let signals = |patch: &str, name: &str| {
        let folder = place.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        installed(&folder, TOWN, patch, 1, None).world().resource::<urbis::traffic::Signals>().len()
    };
    let actuated = |area: &str| block("signals", &format!("control = \"actuated\"\n{area}"));
    let all = signals("[traffic.signals]\ncontrol = \"actuated\"\n", "settings");
    let [whole, east, west] =
        [("", "whole"), ("area = { zones = [\"east\"] }", "east"), ("area = { zones = [\"west\"] }", "west")]
            .map(|(area, name)| signals(&actuated(area), name));
    println!("{all} junctions by settings, {whole} by policy: {east} in the east, {west} in the west");
    assert!(all > 0 && whole == all && east + west == all && signals("", "plain") == 0);
    let plain = arm(TOWN, "");
    same(&plain, &arm(TOWN, &block("signals", "control = \"green_share\"")), "as they are");
    let changed = arm(TOWN, &actuated(""));
    let delay = |arm: &Arm| arm.kpi("mean_speed");
    println!("mean speed {:.3} -> {:.3} km/h", delay(&plain), delay(&changed));
    assert!(
        changed.table("signals").iter().any(|row| row["green_s"].parse::<f64>().is_ok_and(|green_s| green_s > 0.0))
    );
    assert!((delay(&changed) - delay(&plain)).abs() > 1e-6);
}

#[test]
fn cheaper_fares_fill_the_bus() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let attributes = "fare_id,price,currency_type,payment_method,transfers\nticket,3.00,EUR,0,0\n";
    std::fs::write(feed.join("fare_attributes.txt"), attributes).unwrap();
    let with = |policy: &str| {
        let patch = format!(
            "[transit]\nfares = \"feed\"\nfeeds = [{feed:?}]\n[population.modes.transit]\nspeed_kmh = 17\ndetour = 1.4\n\
             access_min = 11\nconstant_min = -15\n[output.tables]\nlegs = {{ enabled = true }}\n{policy}"
        );
        arm(TOWN, &patch)
    };
    let (plain, half) = (with(""), with(&block("fares", "factor = 0.5")));
    same(&plain, &with(&block("fares", "factor = 1.0")), "the same fares");
    same(&half, &with(&block("fares", "flat = 1.5")), "half of three");
    let rides = |arm: &Arm| arm.table("legs").iter().filter(|leg| leg["mode"] == "bus").count();
    let paid = |arm: &Arm| -> BTreeSet<String> {
        arm.table("legs").iter().filter(|leg| leg["mode"] == "bus").map(|leg| leg["money"].clone()).collect()
    };
    println!("rides {} at 3, {} at 1.5; paid {:?} and {:?}", rides(&plain), rides(&half), paid(&plain), paid(&half));
    assert!(rides(&half) > rides(&plain));
    assert!(paid(&half).contains("1.5") && !paid(&half).contains("3.0"));
}

#[test]
fn hours_spaces_fares_and_signals_are_refused_with_their_place() {
    let place = tempfile::tempdir().unwrap();
    let cases = [
        ("kind = \"staggered_hours\"\nshare = 0.5\nmost_min = 500", vec!["line 7", "<= 240"]),
        ("kind = \"school_times\"\nshift_min = 30\nfrom = \"07:00\"", vec!["line 7", "whole days"]),
        ("kind = \"parking_supply\"\nfactor = 0.5", vec!["traffic.parking.enabled"]),
        ("kind = \"new_line\"\nfeed = \"nowhere\"", vec!["no timetable that it could join"]),
        ("kind = \"fares\"\nfactor = 0.5", vec!["name feeds"]),
        ("kind = \"fares\"", vec!["one of `factor` and `flat`"]),
        ("kind = \"fares\"\nflat = 1.0\narea = { zones = [\"east\"] }", vec!["line 7", "whole feeds"]),
        ("kind = \"low_emission_zone\"\ncharge = 8.0", vec!["needs an `area`"]),
        (
            "kind = \"low_emission_zone\"\narea = { zones = [\"east\"] }\n[[policy]]\nname = \"km\"\n\
             kind = \"road_price\"\nbasis = \"per_km\"\nprices = [{ amount = 1 }]",
            vec!["line 5", "people can plan with one alone"],
        ),
        ("kind = \"signals\"\ncontrol = \"magic\"", vec!["line 6", "max_pressure"]),
        (
            "kind = \"signals\"\ncontrol = \"fixed\"\narea = { roads = [\"Row 3\"] }",
            vec!["line 7", "no junction with signals"],
        ),
    ];
    for (keys, expected) in cases {
        let said = refusal(place.path(), &format!("name = \"p\"\n{keys}"));
        println!("{}", said.trim());
        for word in expected {
            assert!(said.contains(word), "{keys}: expected {word:?} in {said}");
        }
    }
}

#[test]
fn old_cars_pay_or_stay_out_of_a_low_emission_zone() {
    let zone = |keys: &str| arm(TOWN, &block("low_emission_zone", &format!("area = {{ zones = [\"east\"] }}\n{keys}")));
    let plain = arm(TOWN, "");
    let all_clean = zone("charge = 8.0\nnoncompliant_share = 0.0");
    assert!(all_clean.table("trips") == plain.table("trips"), "all comply");
    assert!(all_clean.table("payments").is_empty());
    // Who drives into the east: of all, and of those who pay.
    let drivers = |arm: &Arm| -> BTreeSet<String> {
        arm.table("trips").iter().filter(|trip| into_east(trip)).map(|trip| trip["person_id"].clone()).collect()
    };
    let payers =
        |arm: &Arm| -> BTreeSet<String> { arm.table("payments").iter().map(|row| row["person_id"].clone()).collect() };
    // A charge so small that nobody changes for it tells who does not comply.
    let (lax, strict) = (zone("charge = 0.001"), zone("charge = 0.001\ndiesel_euro = 7\npetrol_euro = 6"));
    let share = |arm: &Arm| drivers(arm).intersection(&payers(arm)).count() as f64 / drivers(arm).len() as f64;
    println!(
        "of {} drivers {:.3} pay at the usual standards, {:.3} at stricter ones",
        drivers(&lax).len(),
        share(&lax),
        share(&strict)
    );
    assert!((share(&lax) - 0.22).abs() < 0.07 && (share(&strict) - 0.70).abs() < 0.09);
    assert!(payers(&lax).is_subset(&payers(&strict)));
    let charged = zone("charge = 8.0\nnoncompliant_share = 0.5");
    let (revenue, count) = (charged.kpi("revenue_low_emission_zone"), charged.table("payments").len());
    assert!((revenue - 8.0 * count as f64).abs() < 1e-6 && payers(&charged).len() == count, "once a day");
    assert!(drivers(&charged).len() < drivers(&plain).len());
    let ban = zone("noncompliant_share = 0.5");
    let (half, none) = (drivers(&ban), drivers(&zone("noncompliant_share = 1.0")));
    println!(
        "drivers into the east {} -> {} by charge, {} of half banned, {} of all",
        drivers(&plain).len(),
        drivers(&charged).len(),
        half.len(),
        none.len()
    );
    assert!(!ban.out.join("payments").exists());
    assert!((half.len() as f64 / drivers(&plain).len() as f64 - 0.5).abs() < 0.15);
    assert!(none.len() * 5 < half.len());
}

#[test]
fn a_new_line_is_ridden() {
    let place = tempfile::tempdir().unwrap();
    let two = place.path().join("two");
    std::fs::create_dir_all(&two).unwrap();
    let (feed, other) = (bus_line(place.path(), EVERY_DAY), bus_line(&two, EVERY_DAY));
    // Five minutes after those of the first.
    let times = std::fs::read_to_string(other.join("stop_times.txt")).unwrap();
    let later = |field: &str| match field.split(':').collect::<Vec<_>>()[..] {
        [hours, minutes, seconds] => {
            let minute = hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap() + 5;
            format!("{:02}:{:02}:{seconds}", minute / 60, minute % 60)
        }
        _ => field.to_owned(),
    };
    let lines = times.lines().map(|line| line.split(',').map(later).collect::<Vec<_>>().join(","));
    std::fs::write(other.join("stop_times.txt"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    let with = |policy: &str| {
        let patch = format!(
            "[transit]\nfeeds = [{feed:?}]\nplaces = {{ bus = 20 }}\n[population.modes.transit]\nspeed_kmh = 17\n\
             detour = 1.4\naccess_min = 11\nconstant_min = -15\n[output.tables]\nlegs = {{ enabled = true }}\n{policy}"
        );
        arm(TOWN, &patch)
    };
    let (plain, later) =
        (with(""), with(&block("new_line", &format!("feed = {other:?}\nstart_date = \"2024-07-01\""))));
    same(&plain, &later, "a line that begins in July");
    let more = with(&block("new_line", &format!("feed = {other:?}")));
    let boarded =
        |arm: &Arm| -> u64 { arm.table("transit_load").iter().map(|row| row["boarded"].parse::<u64>().unwrap()).sum() };
    let rows = |arm: &Arm| arm.table("transit_load").len();
    println!(
        "stops of vehicles {} -> {}, boarded {} -> {}",
        rows(&plain),
        rows(&more),
        boarded(&plain),
        boarded(&more)
    );
    assert_eq!(rows(&more), 2 * rows(&plain), "as many vehicles again");
    assert!(boarded(&more) > boarded(&plain), "who waits less rides more");
}
