//! What journeys cost: the fare examples that the GTFS reference refers to, worked out by hand, and random fares against
//! a search through every way to buy them.

mod common;

use common::{DATE, below, write};
use std::collections::BTreeSet;
use std::fmt::Write;
use urbis_core::rng::Rng;
use urbis_transit::TransitTripIx;
use urbis_transit::fares::{Memory, Price};
use urbis_transit::feed::{self, FeedRead};
use urbis_transit::journey::Ride;
use urbis_transit::report::Defect;
use urbis_transit::timetable::{Capacities, Timetable};

const AGENCY: &str = "agency_id,agency_name,agency_url,agency_timezone\na,A,http://a,Europe/Rome\n";
const ATTRIBUTES: &str = "fare_id,price,currency_type,payment_method,transfers,transfer_duration\n";

/// Stops S1 to S4 in a row, in zones 1, 2, 3 and none; along them trips of three routes that leave every half hour and
/// take ten minutes from stop to stop: T0 of route R0 at 0:00, T1 of R1 at 0:30, T2 of R2 at 1:00, T3 of R0 at 1:30 ...
fn read(zones: [&str; 4], files: &[(&str, &str)]) -> FeedRead {
    let folder = tempfile::tempdir().unwrap();
    let mut stops = "stop_id,stop_name,stop_lat,stop_lon,zone_id\n".to_owned();
    for (nth, zone) in zones.iter().enumerate() {
        writeln!(stops, "S{},Stop,45.0{nth},7.0,{zone}", nth + 1).unwrap();
    }
    let (mut trips, mut times) = (
        "route_id,service_id,trip_id\n".to_owned(),
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n".to_owned(),
    );
    for trip in 0..8 {
        writeln!(trips, "R{},W,T{trip}", trip % 3).unwrap();
        for stop in 0..4 {
            let minute = trip * 30 + stop * 10;
            let clock = format!("{:02}:{:02}:00", minute / 60, minute % 60);
            writeln!(times, "T{trip},{clock},{clock},S{},{stop}", stop + 1).unwrap();
        }
    }
    let calendar = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n\
                    W,1,1,1,1,1,1,1,20260101,20261231\n";
    let routes = "route_id,agency_id,route_short_name,route_type\nR0,a,0,3\nR1,a,1,3\nR2,b,2,3\n";
    write(
        folder.path(),
        &[
            ("agency.txt", AGENCY),
            ("stops.txt", &stops),
            ("routes.txt", routes),
            ("trips.txt", &trips),
            ("stop_times.txt", &times),
            ("calendar.txt", calendar),
        ],
    );
    write(folder.path(), files);
    feed::read(&[folder.path().to_owned()], DATE, &Capacities::default())
}

const ZONES: [&str; 4] = ["1", "2", "3", ""];

fn with(fares: &str, rules: &str) -> Timetable {
    let fares = format!("{ATTRIBUTES}{fares}");
    let files = [("fare_attributes.txt", fares.as_str()), ("fare_rules.txt", rules)];
    let files = if rules.is_empty() { &files[..1] } else { &files[..] };
    let read = read(ZONES, files);
    assert!(read.report.findings().is_empty(), "{:?}", read.report.findings());
    read.timetable
}

fn ride(timetable: &Timetable, trip: usize, board: u32, alight: u32) -> Ride {
    let id = format!("T{trip}");
    let trip = timetable.trips.id.iter().position(|of| **of == *id).unwrap();
    Ride { trip: TransitTripIx(trip as u32), board, alight }
}

/// Price of rides, each a number of a trip and the stops, from 0, where one boards and alights; and what is paid on each.
fn price(timetable: &Timetable, rides: &[(usize, u32, u32)]) -> (Price, Vec<Option<f64>>) {
    let rides: Vec<Ride> = rides.iter().map(|&(trip, board, alight)| ride(timetable, trip, board, alight)).collect();
    let mut memory = Memory::default();
    let price = timetable.fares.price(timetable, &rides, &mut memory);
    (price, memory.of_ride)
}

fn money(timetable: &Timetable, rides: &[(usize, u32, u32)]) -> f64 {
    let (price, of_ride) = price(timetable, rides);
    assert_eq!((price.without, of_ride.len()), (0, rides.len()));
    price.money
}

fn is(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

#[test]
fn one_fare_for_all_trips() {
    let (one, two) = ([(0, 0, 1)], [(0, 0, 1), (1, 1, 2)]);
    // Example 1: any number of transfers. It is bought on the first ride.
    let unlimited = with("only_fare,1.00,USD,0,,\n", "");
    assert_eq!(unlimited.fares.currency, "USD");
    is(money(&unlimited, &one), 1.0);
    let (paid, of_ride) = price(&unlimited, &[two[0], two[1], (2, 2, 3), (3, 0, 3), (5, 0, 1)]);
    is(paid.money, 1.0);
    assert_eq!(of_ride, [Some(1.0), Some(0.0), Some(0.0), Some(0.0), Some(0.0)]);
    // Example 2: none.
    let none = with("only_fare,1.00,USD,0,0,\n", "");
    is(money(&none, &one), 1.0);
    is(money(&none, &two), 2.0);
    assert_eq!(price(&none, &two).1, [Some(1.0), Some(1.0)]);
    // Example 3: within 90 minutes, from the first departure to the last arrival.
    let timed = with("only_fare,1.00,USD,0,,5400\n", "");
    is(money(&timed, &[(0, 0, 1), (2, 0, 3)]), 1.0);
    is(money(&timed, &[(0, 0, 1), (3, 0, 1)]), 2.0);
    is(money(&timed, &[(0, 1, 2), (1, 1, 2), (3, 0, 1)]), 1.0);
    // One and two transfers.
    let rides = [(0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 1)];
    is(money(&with("f,1.00,USD,0,1,\n", ""), &rides), 3.0);
    is(money(&with("f,1.00,USD,0,2,\n", ""), &rides), 2.0);
    // More rides than are looked at together.
    let many: Vec<(usize, u32, u32)> = (0..17).map(|nth| (nth % 8, 0, 1)).collect();
    is(money(&none, &many), 17.0);
}

#[test]
fn fares_by_route_and_with_transfers() {
    // Example 4: local and express.
    let rules = "fare_id,route_id\nlocal_fare,R0\nexpress_fare,R1\nexpress_fare,R2\n";
    let by_route = with("local_fare,1.75,USD,0,0,\nexpress_fare,5.00,USD,0,0,\n", rules);
    is(money(&by_route, &[(0, 0, 1)]), 1.75);
    is(money(&by_route, &[(1, 0, 1)]), 5.0);
    is(money(&by_route, &[(0, 0, 1), (1, 1, 2)]), 6.75);
    // Example 5: buying a transfer increases the fare.
    let transfer = with("simple_fare,1.75,USD,0,0,\nplustransfer_fare,2.00,USD,0,,5400\n", "");
    is(money(&transfer, &[(0, 0, 1)]), 1.75);
    is(money(&transfer, &[(0, 0, 1), (1, 1, 2)]), 2.0);
    is(money(&transfer, &[(0, 0, 1), (3, 1, 2)]), 3.5);
    assert_eq!(price(&transfer, &[(0, 0, 1), (1, 1, 2), (4, 0, 1)]).1, [Some(2.0), Some(0.0), Some(1.75)]);
}

#[test]
fn fares_by_ends() {
    // Example 6: only entry and exit of the system matter, how one gets there does not.
    let rules = "fare_id,origin_id,destination_id\n1_to_2,1,2\n1_to_3,1,3\n2_to_3,2,3\n";
    let by_ends = with("1_to_2,1.75,USD,0,,\n1_to_3,3.25,USD,0,,\n2_to_3,2.00,USD,0,,\n", rules);
    is(money(&by_ends, &[(0, 0, 1)]), 1.75);
    is(money(&by_ends, &[(0, 0, 2)]), 3.25);
    is(money(&by_ends, &[(0, 0, 1), (1, 1, 2)]), 3.25);
    // Nobody sells a ticket to where there is no zone; the ride before costs what it costs.
    let (paid, of_ride) = price(&by_ends, &[(0, 0, 1), (1, 1, 3)]);
    assert_eq!((paid, of_ride), (Price { money: 1.75, without: 1 }, vec![Some(1.75), None]));
}

#[test]
fn fares_by_zones_that_are_passed() {
    // Example 7, with the prices of the example.
    let fares = "F1,4.15,USD,0,,\nF2,2.20,USD,0,,\nF3,2.20,USD,0,,\nF4,2.95,USD,0,,\nF5,1.25,USD,0,,\nF6,1.95,USD,0,,\n\
                 F7,1.95,USD,0,,\n";
    let rules = "fare_id,contains_id\nF1,1\nF1,2\nF1,3\nF2,1\nF2,2\nF3,1\nF3,3\nF4,2\nF4,3\nF5,1\nF6,2\nF7,3\n";
    let by_zone = with(fares, rules);
    is(money(&by_zone, &[(0, 1, 2)]), 2.95);
    is(money(&by_zone, &[(0, 0, 1)]), 2.20);
    is(money(&by_zone, &[(0, 2, 3)]), 1.95);
    // Zone 2 lies between.
    is(money(&by_zone, &[(0, 0, 2)]), 4.15);
    is(money(&by_zone, &[(0, 0, 1), (1, 1, 2)]), 4.15);
    // On a route alone, as the reference has it: c,GRT,,,5 ...
    let rules = "fare_id,route_id,origin_id,destination_id,contains_id\nc,R1,,,1\nc,R1,,,2\nd,,,,\n";
    let on_route = with("c,1.00,USD,0,,\nd,3.00,USD,0,0,\n", rules);
    is(money(&on_route, &[(1, 0, 1)]), 1.0);
    is(money(&on_route, &[(1, 0, 2)]), 3.0);
    is(money(&on_route, &[(0, 0, 1)]), 3.0);
}

/// A feed beside one without fares, and a fare of one of two agencies.
#[test]
fn rides_of_others_do_not_end_a_fare() {
    let agencies = format!("{AGENCY}b,B,http://b,Europe/Rome\n");
    let fares = "fare_id,price,currency_type,payment_method,transfers,agency_id\nbus,2,EUR,0,1,a\nboat,5,EUR,0,0,b\n";
    let read = read(ZONES, &[("agency.txt", &agencies), ("fare_attributes.txt", fares)]);
    assert!(read.report.findings().is_empty());
    // Bus, boat, bus: one change among the buses.
    let (paid, of_ride) = price(&read.timetable, &[(1, 0, 1), (2, 0, 1), (3, 0, 1)]);
    assert_eq!((paid.money, of_ride), (7.0, vec![Some(2.0), Some(5.0), Some(0.0)]));
    is(money(&read.timetable, &[(0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1)]), 9.0);
}

#[test]
fn what_is_wrong_with_fares_is_told() {
    let fares = |rows: &str| {
        format!("fare_id,price,currency_type,payment_method,transfers,transfer_duration,agency_id\n{rows}")
    };
    let good = "ok,1,EUR,0,0,,";
    let told = |rows: &str, rules: &str, defect: Defect, message: &str| {
        let agencies =
            if rows.contains("two_agencies") { format!("{AGENCY}b,B,,Europe/Rome\n") } else { AGENCY.to_owned() };
        let attributes = fares(&format!("{good}\n{}\n", rows.trim_start_matches("two_agencies")));
        let rules = format!("fare_id,route_id,origin_id,destination_id,contains_id\nok,,,,\n{rules}\n");
        let files = [("agency.txt", &*agencies), ("fare_attributes.txt", &attributes), ("fare_rules.txt", &rules)];
        let read = read(ZONES, &files);
        let findings = read.report.findings();
        let Some((_, finding)) = findings.iter().find(|of| of.0 == defect) else { panic!("{findings:?}") };
        let text = finding.examples.last().unwrap().to_string();
        assert!(text.ends_with(message), "{text}, expected {message}");
        assert!(!read.report.is_fatal());
        is(money(&read.timetable, &[(0, 0, 1)]), 1.0);
    };
    let bad = Defect::BadFare;
    told("x,-1,EUR,0,0,,", "", bad, "fare_attributes.txt row 2 (id x): price = -1, expected money, 0 or more");
    told("x,dear,EUR,0,0,,", "", bad, "price = dear, expected money, 0 or more");
    told("x,0.5,euros,0,0,,", "", bad, "currency_type = euros, expected three letters such as EUR");
    told("x,0.5,EUR,0,7,,", "", bad, "transfers = 7, expected 0, 1, 2 or nothing");
    told("x,0.5,EUR,0,0,-3,", "", bad, "transfer_duration = -3, expected whole seconds");
    told("x,3,EUR,9,0,,", "", Defect::FareUnknownPayment, "row 2 (id x): payment_method = 9, expected 0 or 1");
    told("x,0.5,CLP,0,0,,", "", Defect::CurrencyDiffers, "currency_type = CLP, expected EUR, as the fares before");
    told("x,0.5,EUR,0,0,,z", "", Defect::FareUnknownAgency, "agency_id = z, expected an agency_id of agency.txt");
    let several = "row 1 (id ok): agency_id = (empty), expected an agency_id, as there are several agencies";
    told("two_agencies", "", Defect::FareWithoutAgency, several);
    told("ok,0.5,EUR,0,0,,", "", Defect::DuplicateId, "fare_id = ok, expected a name not used before");
    told(",0.5,EUR,0,0,,", "", Defect::BlankId, "fare_id = (empty), expected a name");
    let unknown = "fare_rules.txt row 2 (id y): fare_id = y, expected the fare_id of a fare that can be used";
    told("", "y,,,,", Defect::FareRuleUnknownFare, unknown);
    // A fare none of whose rules can be used holds nowhere.
    let cheap = "x,0.5,EUR,0,0,,";
    told(cheap, "x,R9,,,", Defect::FareRuleUnknownRoute, "route_id = R9, expected a route_id of routes.txt");
    told(cheap, "x,,9,,", Defect::FareRuleUnknownZone, "origin_id = 9, expected a zone_id of stops.txt");
    told(cheap, "x,,,9,", Defect::FareRuleUnknownZone, "destination_id = 9, expected a zone_id of stops.txt");
    told(
        cheap,
        "x,,,,1\nx,,,,2\nx,,,,9",
        Defect::FareRuleUnknownZone,
        "contains_id = 9, expected a zone_id of stops.txt",
    );

    let of = read(ZONES, &[("fare_products.txt", "fare_product_id,amount,currency\np,1,EUR\n")]);
    let findings = of.report.findings();
    let text = findings[0].1.examples[0].to_string();
    assert_eq!((findings[0].0, findings.len()), (Defect::FaresVersion2, 1));
    assert!(text.contains("fare_products.txt") && text.contains("the mode's setting says"), "{text}");
    assert!(of.timetable.fares.is_empty());
    assert_eq!(price(&of.timetable, &[(0, 0, 1)]).0, Price { money: 0.0, without: 1 });
}

/// Fares and rules as plain rows, and a search that tries everything.
struct Plain {
    zones: [&'static str; 4],
    /// Price, transfers, duration, agency.
    fares: Vec<(f64, usize, u32, &'static str)>,
    /// Fare, route, origin, destination, contains.
    rules: Vec<(usize, String, String, String, String)>,
    has_rules: bool,
}

type Rides<'a> = &'a [(usize, u32, u32)];

impl Plain {
    fn agency(trip: usize) -> &'static str {
        if trip % 3 == 2 { "b" } else { "a" }
    }

    fn covers(&self, fare: usize, rides: Rides<'_>, within: &[usize]) -> bool {
        let (_, transfers, duration_s, agency) = self.fares[fare];
        let is_of = |nth: usize| agency.is_empty() || Self::agency(rides[nth].0) == agency;
        let (first, last) = (within[0], *within.last().unwrap());
        let between = (first..=last).all(|nth| within.contains(&nth) == is_of(nth));
        let minutes = |(trip, _, alight): (usize, u32, u32), (start, board, _): (usize, u32, u32)| {
            (trip as u32 * 30 + alight * 10).saturating_sub(start as u32 * 30 + board * 10)
        };
        let is_in_time = within.len() == 1 || minutes(rides[last], rides[first]) * 60 <= duration_s;
        if !between || within.len() > transfers + 1 || !is_in_time {
            return false;
        }
        let of_fare: Vec<_> = self.rules.iter().filter(|rule| rule.0 == fare).collect();
        if !self.has_rules || of_fare.is_empty() {
            return true;
        }
        let origin = self.zones[rides[first].1 as usize];
        let destination = self.zones[rides[last].2 as usize];
        let passed: BTreeSet<&str> = within
            .iter()
            .flat_map(|&nth| (rides[nth].1..=rides[nth].2).map(|stop| self.zones[stop as usize]))
            .filter(|zone| !zone.is_empty())
            .collect();
        within.iter().all(|&nth| {
            let route = format!("R{}", rides[nth].0 % 3);
            of_fare.iter().any(|(_, of_route, of_origin, of_destination, contains)| {
                let set: BTreeSet<&str> = of_fare
                    .iter()
                    .filter(|other| (&other.1, &other.2, &other.3) == (of_route, of_origin, of_destination))
                    .map(|other| other.4.as_str())
                    .filter(|zone| !zone.is_empty())
                    .collect();
                (of_route.is_empty() || *of_route == route)
                    && (of_origin.is_empty() || of_origin == origin)
                    && (of_destination.is_empty() || of_destination == destination)
                    && (contains.is_empty() || set == passed)
            })
        })
    }

    /// The best of all ways to put the rides from `nth` on to groups or leave them without a fare.
    fn best(&self, rides: Rides<'_>, nth: usize, groups: &mut Vec<Vec<usize>>, without: u32) -> (u32, f64) {
        if nth == rides.len() {
            let mut sum = 0.0;
            for group in groups.iter() {
                let fares = (0..self.fares.len()).filter(|&fare| self.covers(fare, rides, group));
                sum += fares.map(|fare| self.fares[fare].0).fold(f64::INFINITY, f64::min);
            }
            return if sum.is_finite() { (without, sum) } else { (u32::MAX, f64::INFINITY) };
        }
        let mut best = self.best(rides, nth + 1, groups, without + 1);
        for group in 0..=groups.len() {
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(nth);
            let found = self.best(rides, nth + 1, groups, without);
            groups[group].pop();
            if groups[group].is_empty() {
                groups.pop();
            }
            if found < best {
                best = found;
            }
        }
        best
    }
}

#[test]
fn random_fares_agree_with_trying_everything() {
    let agencies = format!("{AGENCY}b,B,http://b,Europe/Rome\n");
    let (mut covered, mut joined) = (0, 0);
    for seed in 0..300 {
        let rng = &mut Rng::new(seed, 0, 0, 9);
        let of_zones = ["", "1", "2", "3"];
        let zone = |rng: &mut Rng| of_zones[below(rng, 4)];
        let zones = [zone(rng), zone(rng), zone(rng), zone(rng)];
        let known: Vec<&str> = zones.into_iter().filter(|zone| !zone.is_empty()).collect();
        let fares: Vec<(f64, usize, u32, &str)> = (0..1 + below(rng, 5))
            .map(|_| {
                let (price, transfers) = (f64::from(1 + rng.below(12)) / 4.0, [0, 1, 2, 99][below(rng, 4)]);
                (price, transfers, [u32::MAX, 3600, 5400][below(rng, 3)], ["", "a", "b"][below(rng, 3)])
            })
            .collect();
        let maybe = |rng: &mut Rng| match known.len() {
            0 => String::new(),
            count if rng.chance(0.4) => known[below(rng, count)].to_owned(),
            _ => String::new(),
        };
        let rules: Vec<_> = (0..below(rng, 12))
            .map(|_| {
                let fare = below(rng, fares.len());
                let route = if rng.chance(0.4) { format!("R{}", rng.below(3)) } else { String::new() };
                (fare, route, maybe(rng), maybe(rng), maybe(rng))
            })
            .collect();
        let plain = Plain { zones, fares, rules, has_rules: rng.chance(0.8) };
        let mut texts = [
            "fare_id,price,currency_type,payment_method,transfers,transfer_duration,agency_id\n",
            "fare_id,route_id,origin_id,destination_id,contains_id\n",
        ]
        .map(str::to_owned);
        for (nth, (price, transfers, duration_s, agency)) in plain.fares.iter().enumerate() {
            let transfers = if *transfers == 99 { String::new() } else { transfers.to_string() };
            let duration = if *duration_s == u32::MAX { String::new() } else { duration_s.to_string() };
            writeln!(texts[0], "f{nth},{price},EUR,0,{transfers},{duration},{agency}").unwrap();
        }
        for (fare, route, origin, destination, contains) in &plain.rules {
            writeln!(texts[1], "f{fare},{route},{origin},{destination},{contains}").unwrap();
        }
        let mut files = vec![("agency.txt", agencies.as_str()), ("fare_attributes.txt", &texts[0])];
        if plain.has_rules {
            files.push(("fare_rules.txt", &texts[1]));
        }
        let read = read(zones, &files);
        assert!(read.report.findings().iter().all(|of| of.0 == Defect::FareWithoutAgency));
        for _ in 0..20 {
            let mut trips: BTreeSet<usize> = (0..1 + below(rng, 4)).map(|_| below(rng, 8)).collect();
            let rides: Vec<(usize, u32, u32)> = std::iter::from_fn(|| trips.pop_first())
                .map(|trip| {
                    let board = rng.below(3);
                    (trip, board, board + 1 + rng.below(3 - board))
                })
                .collect();
            let (found, of_ride) = price(&read.timetable, &rides);
            let expected = plain.best(&rides, 0, &mut Vec::new(), 0);
            assert_eq!((found.without, found.money), expected, "seed {seed}, {rides:?}, {texts:?}");
            covered += of_ride.iter().flatten().count();
            joined += of_ride.iter().filter(|paid| **paid == Some(0.0)).count();
        }
    }
    assert!(covered > 5000 && joined > 500, "{covered} rides with a fare, {joined} on one bought before");
}
