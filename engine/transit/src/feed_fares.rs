//! The fares of a feed: `fare_attributes.txt` and `fare_rules.txt`.
//!
//! A row that cannot be read is left out with what depends on it. A fare that has rows in `fare_rules.txt` holds where
//! those say that can be used, never everywhere because none can.

use crate::RouteIx;
use crate::fares::{ANY, Fare, Fares, NOWHERE, Rule};
use crate::feed_tables::{Agencies, FeedRoutes, FeedStops, is_new};
use crate::gtfs_file::{Feed, Row};
use crate::report::{Defect, FeedReport};
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::Problem;

/// What the fares of a feed refer to.
pub(crate) struct Of<'a> {
    /// Number of the feed.
    pub(crate) feed: u32,
    pub(crate) agencies: &'a Agencies,
    pub(crate) stops: &'a FeedStops,
    pub(crate) routes: &'a FeedRoutes,
}

/// Reads the fares of a feed whose trips have been read; how many there are.
pub(crate) fn read(feed: &mut Feed, of: &Of<'_>, fares: &mut Fares, report: &mut FeedReport) -> usize {
    let ids = attributes(feed, of, fares, report);
    for version_2 in ["fare_products.txt", "fare_leg_rules.txt"] {
        if feed.table(version_2, &[], report).is_some() {
            let place = feed.place(version_2);
            let instead = if ids.is_empty() { "the mode's setting" } else { "fare_attributes.txt" };
            let what = format!("holds fares of version 2, which are not read; {instead} says what journeys cost");
            report.add(Defect::FaresVersion2, || Problem::file(&place, what));
        }
    }
    if ids.is_empty() {
        return 0;
    }
    for (route, agency) in &of.routes.agency {
        fares.set_operator(*route, of.feed, of.agencies.number(agency));
    }
    let mut zones = BTreeMap::new();
    for (stop, zone) in of.stops.zones() {
        let number = *zones.entry(zone.to_owned()).or_insert_with(|| fares.new_zone());
        if stop.is_some() {
            fares.set_zone(stop, number);
        }
    }
    let rules = rules(feed, &of.routes.row_of, &zones, &ids, report);
    fares.add_rules(rules);
    ids.len()
}

/// Reads `fare_attributes.txt`; rows by id.
fn attributes(feed: &mut Feed, of: &Of<'_>, fares: &mut Fares, report: &mut FeedReport) -> BTreeMap<String, u32> {
    let mut ids = BTreeMap::new();
    let Some(table) = feed.table("fare_attributes.txt", &[], report) else { return ids };
    let [id, price, currency, payment] = table.columns(["fare_id", "price", "currency_type", "payment_method"]);
    let [transfers, duration, agency] = table.columns(["transfers", "transfer_duration", "agency_id"]);
    table.for_each(report, |row, report| {
        let name = row.get(id);
        if !is_new(row, "fare_id", name, &ids, report) {
            return;
        }
        let mut told = |defect, field: &str, value: &str, expected: &str| {
            report.add(defect, || row.problem(name, field, value, expected));
        };
        let Some(money) = row.get(price).parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0) else {
            return told(Defect::BadFare, "price", row.get(price), "money, 0 or more");
        };
        let code = row.get(currency);
        if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_alphabetic()) {
            return told(Defect::BadFare, "currency_type", code, "three letters such as EUR");
        }
        let transfers = match row.get(transfers) {
            "" => u32::MAX,
            "0" => 0,
            "1" => 1,
            "2" => 2,
            other => return told(Defect::BadFare, "transfers", other, "0, 1, 2 or nothing"),
        };
        let duration_s = match (row.get(duration), row.get(duration).parse()) {
            ("", _) => u32::MAX,
            (_, Ok(seconds)) => seconds,
            (other, Err(_)) => return told(Defect::BadFare, "transfer_duration", other, "whole seconds"),
        };
        let agency = match (row.get(agency), of.agencies.number(row.get(agency))) {
            ("", _) if of.agencies.ids.len() > 1 => {
                told(Defect::FareWithoutAgency, "agency_id", "", "an agency_id, as there are several agencies");
                ANY
            }
            ("", _) => ANY,
            (_, Some(number)) => number,
            (other, None) => return told(Defect::FareUnknownAgency, "agency_id", other, "an agency_id of agency.txt"),
        };
        if !matches!(row.get(payment), "0" | "1") {
            told(Defect::FareUnknownPayment, "payment_method", row.get(payment), "0 or 1");
        }
        let code = code.to_ascii_uppercase();
        if fares.currency.is_empty() {
            fares.currency = code;
        } else if fares.currency != code {
            let expected = format!("{}, as the fares before", fares.currency);
            return told(Defect::CurrencyDiffers, "currency_type", &code, &expected);
        }
        ids.insert(name.to_owned(), fares.push(Fare { price: money, transfers, duration_s, feed: of.feed, agency }));
    });
    ids
}

/// Reads `fare_rules.txt`.
fn rules(
    feed: &mut Feed,
    routes: &BTreeMap<String, RouteIx>,
    zones: &BTreeMap<String, u32>,
    ids: &BTreeMap<String, u32>,
    report: &mut FeedReport,
) -> Vec<Rule> {
    let everywhere = |fare| Rule { origin: ANY, destination: ANY, route: ANY, fare, zones: Vec::new() };
    let Some(table) = feed.table("fare_rules.txt", &[], report) else {
        return ids.values().map(|&fare| everywhere(fare)).collect();
    };
    let [id, route, origin] = table.columns(["fare_id", "route_id", "origin_id"]);
    let [destination, contains] = table.columns(["destination_id", "contains_id"]);
    let mut have_rows = BTreeSet::new();
    let mut rules = BTreeSet::new();
    // Rows that differ in nothing but the zone that is passed are one rule.
    let mut passed: BTreeMap<(u32, u32, u32, u32), BTreeSet<u32>> = BTreeMap::new();
    table.for_each(report, |row, report| {
        let name = row.get(id);
        let Some(&fare) = ids.get(name) else {
            let expected = "the fare_id of a fare that can be used";
            report.add(Defect::FareRuleUnknownFare, || row.problem(name, "fare_id", name, expected));
            return;
        };
        have_rows.insert(fare);
        let route = match (row.get(route), routes.get(row.get(route))) {
            ("", _) => ANY,
            (_, Some(route)) => route.0,
            (other, None) => {
                let expected = "a route_id of routes.txt";
                report.add(Defect::FareRuleUnknownRoute, || row.problem(name, "route_id", other, expected));
                return;
            }
        };
        let mut zone = |field, column| zone(row, name, (field, row.get(column)), zones, report);
        let (origin, destination) = (zone("origin_id", origin), zone("destination_id", destination));
        let contained = zone("contains_id", contains);
        if origin == NOWHERE || destination == NOWHERE {
            return;
        }
        if contained == ANY {
            rules.insert(Rule { origin, destination, route, fare, zones: Vec::new() });
        } else {
            passed.entry((origin, destination, route, fare)).or_default().insert(contained);
        }
    });
    let everywhere = ids.values().filter(|fare| !have_rows.contains(fare)).map(|&fare| everywhere(fare));
    let sets = passed.into_iter().map(|((origin, destination, route, fare), zones)| {
        let zones = zones.into_iter().collect();
        Rule { origin, destination, route, fare, zones }
    });
    rules.into_iter().chain(sets).chain(everywhere).collect()
}

/// The number of a zone that a rule names; [`NOWHERE`] for one that no stop has, [`ANY`] for none.
fn zone(
    row: &Row<'_>,
    fare: &str,
    (field, zone): (&str, &str),
    zones: &BTreeMap<String, u32>,
    report: &mut FeedReport,
) -> u32 {
    if zone.is_empty() {
        return ANY;
    }
    zones.get(zone).copied().unwrap_or_else(|| {
        report.add(Defect::FareRuleUnknownZone, || row.problem(fare, field, zone, "a zone_id of stops.txt"));
        NOWHERE
    })
}
