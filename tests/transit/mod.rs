//! A bus through the small town: people plan with its timetable, ride it, find no place, wait; passengers and vehicles
//! add up.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use urbis_core::diagnostics::Error;
use urbis_tests::{EVERY_DAY, bus_line, hashes, read_table, run, scenario_in};

/// People who like buses, in a town that has one.
fn patch(feed: &Path, more: &str) -> String {
    format!(
        "[transit]\nfeeds = [{feed:?}]\n{more}\n[population.modes.transit]\nspeed_kmh = 17\ndetour = 1.4\naccess_min = 11\nconstant_min = -15\n[output.tables]\nlegs = {{ enabled = true }}\n"
    )
}

struct Day {
    trips: Vec<BTreeMap<String, String>>,
    legs: Vec<BTreeMap<String, String>>,
    loads: Vec<BTreeMap<String, String>>,
}

fn day(folder: &Path, out: &str, threads: usize, patch: &str) -> Day {
    let scenario = scenario_in(folder, "scenarios/town/baseline.toml", patch);
    let out = folder.join(out);
    run(&scenario, &out, threads, None).unwrap();
    let table = |name: &str| read_table(&out.join(name).join("scenario=test/seed=1/part-0.parquet"));
    Day { trips: table("trips"), legs: table("legs"), loads: table("transit_load") }
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> u64 {
    rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
}

/// Mean travel time of trips by public transport that arrived, seconds, and their number.
fn by_transit(day: &Day) -> (f64, usize) {
    let times: Vec<f64> = day
        .trips
        .iter()
        .filter(|trip| trip["mode"] == "transit" && trip["status"] == "arrived")
        .map(|trip| trip["travel_time_s"].parse().unwrap())
        .collect();
    (times.iter().sum::<f64>() / times.len().max(1) as f64, times.len())
}

#[test]
fn passengers_and_vehicles_add_up() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let roomy = day(place.path(), "roomy", 2, &patch(&feed, "places = { bus = 70 }"));
    let rides = roomy.legs.iter().filter(|leg| leg["mode"] == "bus").count() as u64;
    let (boarded, alighted) = (sum(&roomy.loads, "boarded"), sum(&roomy.loads, "alighted"));
    let (mean_s, arrived) = by_transit(&roomy);
    println!("{rides} rides planned, {boarded} boarded, {arrived} trips arrived after {mean_s:.0} s in the mean");
    assert!(rides > 200 && arrived > 200, "the bus is used");
    assert_eq!((boarded, alighted), (rides, rides), "with room for all everybody rides as planned");
    assert_eq!(sum(&roomy.loads, "left_behind"), 0);
    assert_eq!(roomy.loads.len(), 19 * 6 * 2 * 6, "every stop of every trip");
    // A ride of whole length takes 200 s; with a walk and a wait nobody needs an hour.
    assert!((120.0..1800.0).contains(&mean_s));
    for load in &roomy.loads {
        assert!(load["on_board"].parse::<u64>().unwrap() <= 70);
    }
    // Legs of a trip follow each other, and a walk begins and ends it.
    let mut of_trip: BTreeMap<&str, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for leg in roomy.legs.iter() {
        of_trip.entry(&leg["trip_id"]).or_default().push(leg);
    }
    let journeys = of_trip.values().filter(|legs| legs.len() > 1);
    for legs in journeys {
        assert!(legs.first().unwrap()["mode"] == "walk" && legs.last().unwrap()["mode"] == "walk");
        assert!(legs.windows(2).all(|pair| pair[0]["to_id"] == pair[1]["from_id"]), "{legs:?}");
    }
}

#[test]
fn who_finds_no_place_waits() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let roomy = day(place.path(), "roomy", 1, &patch(&feed, ""));
    let tight = day(place.path(), "tight", 1, &patch(&feed, "places = { bus = 1 }"));
    let ((roomy_s, _), (tight_s, _)) = (by_transit(&roomy), by_transit(&tight));
    let left_behind = sum(&tight.loads, "left_behind");
    println!("70 places: {roomy_s:.0} s; one place: {tight_s:.0} s, {left_behind} times left behind");
    assert!(left_behind > 0 && tight_s > roomy_s);
    assert!(tight.loads.iter().all(|load| load["on_board"].parse::<u64>().unwrap() <= 1));
}

#[test]
fn the_same_on_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let patch = patch(&feed, "") + "[population.feedback]\niterations = 2\ntolerance = 0.0\n";
    for threads in [1, 2, 3, 8] {
        day(place.path(), &format!("out-{threads}"), threads, &patch);
    }
    let first = hashes(&place.path().join("out-1"));
    assert!([2, 3, 8].iter().all(|threads| hashes(&place.path().join(format!("out-{threads}"))) == first));
}

/// Two days from Tuesday at three: Tuesday's buses every ten minutes, Wednesday's every half hour, and two trips past
/// midnight.
#[test]
fn every_day_has_its_own_buses_and_passengers() {
    let place = tempfile::tempdir().unwrap();
    let week = |day: &str, on: usize| {
        let flags: Vec<&str> = (0..7).map(|of| if of == on { "1" } else { "0" }).collect();
        format!("{day},{},20240101,20241231", flags.join(","))
    };
    let feed = bus_line(place.path(), &[week("w", 1), week("wednesday", 2), week("monday", 0)].join("\n"));
    let append = |name: &str, rows: &str| {
        let path = feed.join(name);
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + rows).unwrap();
    };
    let mut trips = "r1,w,night\nr1,monday,yesterday\n".to_owned();
    let mut runs = vec![("night".to_owned(), 25 * 3600 + 600), ("yesterday".to_owned(), 27 * 3600 + 1800)];
    for run in 0..30 {
        writeln!(trips, "r1,wednesday,next{run}").unwrap();
        runs.push((format!("next{run}"), 6 * 3600 + run * 1800));
    }
    append("trips.txt", &trips);
    let mut times = String::new();
    for (name, first_s) in runs {
        for nth in 0..6 {
            let second = first_s + nth * 40;
            let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            writeln!(times, "{name},{clock},{clock},s{nth},{nth}").unwrap();
        }
    }
    append("stop_times.txt", &times);
    let two = day(place.path(), "two", 2, &(patch(&feed, "") + "[period]\nduration_h = 48\n"));
    // Seconds since the start, Tuesday at three in the morning.
    let second =
        |row: &BTreeMap<String, String>, column: &str| row[column].parse::<i64>().unwrap() / 1000 - 1_718_067_600;
    let of = |name: &str| {
        let rows = two.loads.iter().filter(|row| row["transit_trip"].trim_end_matches(char::is_numeric) == name);
        (rows.clone().map(|row| row["boarded"].parse::<u64>().unwrap()).sum::<u64>(), rows.count())
    };
    let first = |name: &str| {
        let row = two.loads.iter().find(|row| row["transit_trip"] == name).unwrap();
        second(row, "time")
    };
    println!("Tuesday {:?} and {:?}, Wednesday {:?} (boarded, calls)", of("out"), of("back"), of("next"));
    assert_eq!([of("out").1, of("back").1, of("next").1], [19 * 6 * 6, 19 * 6 * 6, 30 * 6]);
    assert_eq!((first("yesterday"), of("yesterday").1), (1800, 6), "Monday at 27:30 is Tuesday at half past three");
    assert_eq!((first("night"), of("night").1), (22 * 3600 + 600, 6), "Tuesday at 25:10 is Wednesday at ten past one");
    assert_eq!(first("next0"), 27 * 3600);
    assert!(of("out").0 > 100 && of("back").0 > 100 && of("next").0 > 50);
    // Every day has plans of its own.
    let started = |day: i64| {
        let hours = day * 24..day * 24 + 21;
        two.trips.iter().filter(|trip| hours.contains(&(second(trip, "depart_time") / 3600))).count()
    };
    println!("{} trips on the first day, {} on the second", started(0), started(1));
    assert!(started(1) * 10 > started(0) * 9 && started(0) > 1000);
    let one = day(place.path(), "one", 3, &(patch(&feed, "") + "[period]\nduration_h = 48\n"));
    assert!(one.trips == two.trips && one.loads == two.loads);
}

/// A ticket of three a ride, and people some of whom have a pass.
#[test]
fn people_pay_the_fares_of_the_feed() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let patch = patch(&feed, "") + "persons = { enabled = true }\nskims = { enabled = true }\n";
    let free = day(place.path(), "free", 2, &patch);
    let attributes = "fare_id,price,currency_type,payment_method,transfers\nticket,3.00,EUR,0,0\n";
    std::fs::write(feed.join("fare_attributes.txt"), attributes).unwrap();
    let paid = day(place.path(), "paid", 1, &patch);
    day(place.path(), "again", 3, &patch);
    assert_eq!(hashes(&place.path().join("paid")), hashes(&place.path().join("again")), "the same on three threads");
    let setting = day(place.path(), "setting", 2, &patch.replace("[transit]", "[transit]\nfares = \"setting\""));
    assert!(setting.trips == free.trips && setting.legs == free.legs, "without fares all is as before");

    let table = |run: &str, name: &str| {
        read_table(&place.path().join(run).join(name).join("scenario=test/seed=1/part-0.parquet"))
    };
    let passes: BTreeMap<String, bool> = table("paid", "persons")
        .iter()
        .map(|row| (row["person_id"].clone(), row["has_transit_pass"] == "true"))
        .collect();
    let has_pass = |row: &BTreeMap<String, String>| passes.get(&row["person_id"]).copied().unwrap_or(false);
    let rides = |day: &Day, with_pass: bool| {
        day.legs.iter().filter(|leg| leg["mode"] == "bus" && has_pass(leg) == with_pass).count()
    };
    let [with, without] = [true, false].map(|pass| (rides(&free, pass), rides(&paid, pass)));
    println!(
        "rides before and with fares: {} -> {} with a pass, {} -> {} without",
        with.0, with.1, without.0, without.1
    );
    // Destinations are chosen as if nobody had a pass, so some days of its holders change as well.
    assert!(with.1 * 4 > with.0 * 3, "who has a pass rides on");
    assert!(without.1 * 2 < without.0 && without.1 > 0, "who pays rides less");
    for leg in &paid.legs {
        let expected = if has_pass(leg) { 0.0 } else { 3.0 };
        assert!(
            if leg["mode"] == "bus" {
                leg["money"].parse() == Ok(expected)
            } else {
                leg["money"].parse::<f64>().is_err()
            },
            "{leg:?}"
        );
    }
    assert!(free.legs.iter().all(|leg| leg["money"].parse::<f64>().is_err()), "where no fare is known there is none");
    let money = |run: &str| -> Vec<f64> {
        table(run, "skims")
            .iter()
            .filter(|row| row["mode"] == "transit")
            .map(|row| row["money"].parse().unwrap())
            .collect()
    };
    assert!(!money("paid").is_empty() && money("paid").iter().all(|money| (money - 3.0).abs() < 1e-6));
    assert!(money("free").iter().all(|&money| money == 0.0));
}

/// The line leaves every ten minutes from 5:00 to 23:50, both ways.
#[test]
fn frequencies_change_what_people_wait_and_choose() {
    let place = tempfile::tempdir().unwrap();
    let feed = bus_line(place.path(), EVERY_DAY);
    let policy = |factor: f64, more: &str| {
        let block = format!("[[policy]]\nname = \"often\"\nkind = \"transit_frequency\"\nfactor = {factor}\n{more}\n");
        patch(&feed, "") + &block
    };
    let plain = day(place.path(), "plain", 2, &patch(&feed, ""));
    let twice = day(place.path(), "twice", 2, &policy(2.0, "routes = [\"1\"]"));
    let half = day(place.path(), "half", 2, &policy(0.5, "area = { zones = [\"east\"] }"));
    day(place.path(), "again", 3, &policy(0.5, "area = { zones = [\"east\"] }"));
    assert_eq!(hashes(&place.path().join("half")), hashes(&place.path().join("again")), "the same on three threads");
    let departures = |day: &Day| day.loads.iter().filter(|load| load["stop_number"] == "1").count();
    assert_eq!([&half, &plain, &twice].map(departures), [2 * 57, 2 * 114, 2 * 227], "nobody leaves after the last");
    let [(half_s, less), (plain_s, as_many), (twice_s, more)] = [&half, &plain, &twice].map(by_transit);
    println!("trips by bus {less} < {as_many} < {more}, after {half_s:.0} > {plain_s:.0} > {twice_s:.0} s");
    assert!(less < as_many && as_many < more && half_s > plain_s && plain_s > twice_s);
    // Nothing leaves where the line is closed, and nobody rides.
    let closed = day(place.path(), "closed", 2, &policy(0.0, "routes = [\"1\"]"));
    assert!(
        closed.loads.is_empty() && closed.legs.iter().all(|leg| leg["mode"] != "bus") && by_transit(&closed).1 == 0
    );
    // In the evening alone, and not on a day after the period.
    let evening = day(place.path(), "evening", 2, &policy(2.0, "from = \"18:00\"\nto = \"20:00\""));
    assert_eq!(departures(&evening), 2 * (114 + 12));
    for load in evening.loads.iter().filter(|load| load["stop_number"] == "1") {
        let second = load["time"].parse::<i64>().unwrap() / 1000 + 7200;
        assert!(second % 600 == 0 || (18 * 3600..20 * 3600).contains(&(second % 86_400)), "{load:?}");
    }
}

#[test]
fn feeds_that_do_not_fit_are_named() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let told = |patch: &str, word: &str| {
        let scenario = scenario_in(place.path(), "scenarios/town/baseline.toml", patch);
        let error = run(&scenario, &out, 1, None).unwrap_err();
        let Error::Input(problems) = &error else { panic!("{error}") };
        let text = problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains(word), "expected {word:?} in {text}");
        assert!(!out.join("_SUCCESS").exists());
    };
    let whole = bus_line(place.path(), EVERY_DAY);
    told(&patch(&whole, "date = \"2031-01-01\""), "has no trip on 2031-01-01");
    told(&patch(&whole, "date = \"yesterday\""), "is no date");
    told(&patch(&whole, "places = { buss = 3 }"), "unknown kind `buss`");
    told(&patch(Path::new("/nowhere/feed.zip"), ""), "feed.zip");
    told(&patch(&whole, "fares = \"free\""), "free");
    let often = |keys: &str| format!("[[policy]]\nname = \"often\"\nkind = \"transit_frequency\"\n{keys}\n");
    let with_feed = |keys: &str| patch(&whole, "") + &often(keys);
    told(&often("factor = 2.0"), "name feeds in `[transit]`");
    told(&with_feed("factor = 1.0"), "changes nothing");
    told(&with_feed("factor = -1.0"), "factor");
    told(&with_feed("factor = 2.0\nroutes = [\"1\", \"r2\"]"), "no line of the feeds has the id or name `r2`");
    told(&with_feed("factor = 2.0\nfrom = \"01:00\"\nto = \"02:00\""), "no departure of its lines");
    told(&with_feed("factor = 2.0\nend_date = \"2024-06-10\""), "no departure of its lines");
    let attributes = "fare_id,price,currency_type,payment_method,transfers\na,3,EUR,0,0\nb,2000,CLP,0,0\n";
    std::fs::write(whole.join("fare_attributes.txt"), attributes).unwrap();
    told(&patch(&whole, ""), "row 2 (id b): currency_type = CLP, expected EUR, as the fares before");
}
