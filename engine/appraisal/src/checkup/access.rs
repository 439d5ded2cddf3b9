//! Indicators of where things lie and what people reach: stops, services, green, density, jobs, hospitals, fire stations.
//!
//! Points of interest stand at the middle of their area, so what is near a park is told a little too low. Kind `hospital`
//! of the city's map holds clinics and doctors too.

use super::facts::Facts;
use super::kernels::{palma_by_rank, two_step_catchment};
use super::places::{City, put_share};
use super::roads::Links;
use super::sheet::{Place, Sheet, Tally};
use crate::appraisal::equity::gini;
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::Result;
use urbis_output::Table;

/// A quarter of an hour on foot at 4.8 km/h, metres.
const QUARTER_HOUR_M: f64 = 1200.0;
/// Limits of reach by car, seconds: fire stations and hospitals.
const FIRE_S: f64 = 5.0 * 60.0;
const HOSPITAL_S: f64 = 15.0 * 60.0;
/// Reach of a hospital, as the crow flies, metres.
const HOSPITAL_M: f64 = 4000.0;

/// Puts what layers tell into a sheet.
pub(crate) fn measure(facts: &Facts<'_>, links: &Links, city: &City, sheet: &mut Sheet) -> Result<()> {
    stops(facts, city, sheet);
    services(facts, city, sheet);
    lengths(facts, links, city, sheet);
    density(facts, city, sheet);
    hospitals(facts, city, sheet);
    reachable(facts, sheet)?;
    incomes(facts, sheet)
}

fn stops(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) {
    if let Some(share) = facts.kpi("residents_near_a_stop") {
        // The stops of the timetables, which the run knew.
        sheet.put(12, "", "%", share);
    } else {
        let near: Vec<_> = ["bus_stop", "station"].map(|kind| city.near(kind, 500.0)).into_iter().flatten().collect();
        match near.is_empty() {
            true => sheet.absent(12, "the city's map has no stops and no stations, and the run has no timetables"),
            false => {
                let any: Vec<bool> = (0..city.buildings.at.len()).map(|row| near.iter().any(|of| of[row])).collect();
                put_share(facts, city, sheet, 12, "", &any);
                sheet.note(12, "stops and stations of the map, as the crow flies");
            }
        }
    }
    let length = facts.kpi("transit_routes_length").zip(facts.residents_for(sheet, &[11]));
    match length {
        Some((km, residents)) => sheet.put(11, "", "km/100k", km / residents * 1e5),
        None => sheet.absent(11, "the run has no timetables (`transit.feeds`), so no routes"),
    }
    sheet.absent(14, "vehicles have places, not seats, and the lengths between stops are in no table");
}

fn services(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) {
    match city.on_foot_m(&["school", "hospital", "shop", "park"], QUARTER_HOUR_M) {
        Err(why) => sheet.absent(25, why),
        Ok(ways) => {
            let all: Vec<bool> =
                (0..city.buildings.at.len()).map(|row| ways.iter().all(|way| way[row] <= QUARTER_HOUR_M)).collect();
            put_share(facts, city, sheet, 25, "", &all);
            for (part, way) in ["school", "health", "shop", "park"].iter().zip(&ways) {
                let one: Vec<bool> = way.iter().map(|way| *way <= QUARTER_HOUR_M).collect();
                put_share(facts, city, sheet, 25, part, &one);
            }
        }
    }
    match city.near("park", 300.0) {
        Err(why) => sheet.absent(26, why),
        Ok(near) => {
            put_share(facts, city, sheet, 26, "", &near);
            sheet.note(26, "to the middle of the park");
        }
    }
    match (facts.figure("green_area"), facts.residents_for(sheet, &[27])) {
        (Ok(hectares), Some(residents)) => sheet.put(27, "", "ha/100k", hectares / residents * 1e5),
        (Err(why), _) => sheet.absent(27, format!("the results have no layer of green areas, and {why}")),
        _ => {}
    }
    sheet.absent(33, "people have places by building and zone in the run, not on the ground, so no density of crowds");
}

/// Lengths of streets and of paths for bicycles, metres, both directions once.
#[derive(Clone, Debug, Default, PartialEq)]
struct Lengths {
    street_m: f64,
    cycle_m: f64,
    streets_of: BTreeMap<String, f64>,
    paths: usize,
}

fn is_street(class: &str) -> bool {
    !matches!(class, "path" | "service" | "external")
}

fn lengths_of(links: &Links) -> Lengths {
    let (mut sums, mut seen) = (Lengths::default(), BTreeSet::new());
    for row in 0..links.class.len() {
        let (from, to) = (&links.from[row], &links.to[row]);
        let ends = if from <= to { (from, to) } else { (to, from) };
        // Both directions have the same ends, way and length.
        if !seen.insert((
            ends,
            links.way[row],
            (links.length_m[row] * 10.0).round() as i64,
            is_street(&links.class[row]),
        )) {
            continue;
        }
        if is_street(&links.class[row]) && links.lets(row, "car") {
            sums.street_m += links.length_m[row];
            if let Some(zone) = &links.zone[row] {
                *sums.streets_of.entry(zone.clone()).or_default() += links.length_m[row];
            }
        } else if links.class[row] == "path" {
            sums.paths += 1;
            if links.lets(row, "bicycle") && !links.lets(row, "car") {
                sums.cycle_m += links.length_m[row];
            }
        }
    }
    sums
}

fn lengths(facts: &Facts<'_>, links: &Links, city: &City, sheet: &mut Sheet) {
    let sums = lengths_of(links);
    let areas = city.built_up_km2();
    let whole: f64 = areas.values().sum();
    if whole <= 0.0 {
        sheet.absent(16, "the city has no buildings, so no built-up area");
    } else {
        sheet.put(16, "", "km/km2", sums.street_m / 1000.0 / whole);
        for (zone, street_m) in &sums.streets_of {
            if let Some(area) = areas.get(zone.as_str()) {
                sheet.put_at(16, "", "km/km2", Place::zone(zone), street_m / 1000.0 / area);
            }
        }
    }
    if sums.paths == 0 {
        sheet.absent(15, "the network has no paths, so ways for bicycles are not known");
    } else if let Some(residents) = facts.residents_for(sheet, &[15]) {
        sheet.put(15, "", "km/100k", sums.cycle_m / 1000.0 / residents * 1e5);
        sheet.note(15, "cycleways, tracks and shared paths: the map's classes do not part them");
    }
}

fn density(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) {
    let areas = city.built_up_km2();
    if areas.is_empty() {
        sheet.absent(22, "the city has no buildings, so no built-up area");
    } else if let Some(residents) = facts.residents_for(sheet, &[22]) {
        sheet.put(22, "", "persons/km2", residents / areas.values().sum::<f64>());
        for (zone, residents) in &facts.residents_of {
            if let Some(area) = areas.get(zone.as_str()) {
                sheet.put_at(22, "", "persons/km2", Place::zone(zone), residents / area);
            }
        }
    }
    let mut dwellings: BTreeMap<&str, f64> = BTreeMap::new();
    for (zone, count) in city.buildings.zone.iter().zip(&city.buildings.dwellings) {
        *dwellings.entry(zone).or_default() += f64::from(*count);
    }
    let Some(jobs) = facts.kpi("jobs") else {
        return sheet.absent(24, "table `kpis` has no jobs");
    };
    let homes = facts.kpi("dwellings").unwrap_or_else(|| dwellings.values().sum());
    if homes <= 0.0 {
        return sheet.absent(24, "the city has no dwellings");
    }
    sheet.put(24, "", "ratio", jobs / homes);
    if let Some((jobs, homes)) = published(facts, "jobs").zip(published(facts, "dwellings")) {
        sheet.published(24, "", jobs.0 / homes.0, &format!("{}; {}", jobs.1, homes.1));
    }
    for (zone, jobs) in facts.zone_kpis("jobs") {
        if let Some(homes) = dwellings.get(zone).filter(|homes| **homes > 0.0) {
            sheet.put_at(24, "", "ratio", Place::zone(zone), jobs / homes);
        }
    }
}

fn published(facts: &Facts<'_>, indicator: &str) -> Option<(f64, String)> {
    let kpi = facts.city_kpi(indicator)?;
    Some((kpi.published?, kpi.source.clone()))
}

fn hospitals(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) {
    let within = |seconds: &[f64], most_s: f64| seconds.iter().map(|s| *s <= most_s).collect::<Vec<_>>();
    match (facts.kpi("fire_station_coverage"), city.drive_s("fire_station", false, FIRE_S)) {
        (Some(share), _) => sheet.put(62, "", "%", share),
        (None, Ok(seconds)) => put_share(facts, city, sheet, 62, "", &within(&seconds, FIRE_S)),
        (None, Err(why)) => sheet.absent(62, why),
    }
    match (facts.kpi("hospital_coverage"), city.drive_s("hospital", true, HOSPITAL_S)) {
        (Some(share), _) => sheet.put(63, "", "%", share),
        (None, Ok(seconds)) => put_share(facts, city, sheet, 63, "", &within(&seconds, HOSPITAL_S)),
        (None, Err(why)) => sheet.absent(63, why),
    }
    if let Ok(near) = city.near("hospital", HOSPITAL_M) {
        put_share(facts, city, sheet, 63, "within_4_km", &near);
        sheet.note(63, "hospitals of the map, clinics and doctors among them");
    }
    let beds = match facts.figure("hospital_beds") {
        Ok(beds) => beds,
        Err(why) => return sheet.absent(64, why),
    };
    match (city.drive_to_each_s("hospital", HOSPITAL_S), &city.residents) {
        (Err(why), _) => sheet.absent(64, why),
        (_, None) => sheet.absent(64, "residents of buildings are not known"),
        (Ok(ways), Some(residents)) => {
            let supply = vec![beds / ways.len() as f64; ways.len()];
            let reach: Vec<(usize, usize)> = ways
                .iter()
                .enumerate()
                .flat_map(|(hospital, way)| {
                    let near = way.iter().enumerate().filter(|(_, seconds)| **seconds <= HOSPITAL_S);
                    near.map(move |(building, _)| (building, hospital))
                })
                .collect();
            let access = two_step_catchment(residents, &supply, &reach);
            let mut tally = Tally::default();
            for (row, zone) in city.buildings.zone.iter().enumerate() {
                for place in [Place::default(), Place::zone(zone)] {
                    tally.add(place, access[row] * residents[row], residents[row]);
                }
            }
            tally.put(sheet, 64, "", "beds/1000", 1000.0);
            sheet.note(64, "beds are shared evenly among the hospitals of the map");
        }
    }
}

/// Rows of table `accessibility` for jobs: (group, mode, minutes) to (zone, jobs).
type Reached = BTreeMap<(String, String, u32), Vec<(String, f64)>>;

/// Groups of the table as check-ups name them.
fn group_of(name: &str) -> &str {
    match name {
        "with_car" => "car:yes",
        "without_car" => "car:no",
        "children" => "age:0-17",
        "older" => "age:65+",
        other => other,
    }
}

fn reachable(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::Accessibility, sheet, &[21, 28, 29]) {
        return Ok(());
    }
    let mut reached: Reached = BTreeMap::new();
    let columns = ["zone_id", "group", "mode", "opportunity", "limit_s", "opportunities"];
    facts.run.for_each_batch(Table::Accessibility, &columns, |batch| {
        for row in (0..batch.rows()).filter(|&row| batch.text("opportunity").value(row) == "jobs") {
            let text = |name: &str| batch.text(name).value(row).to_owned();
            let minutes = (batch.real("limit_s").value(row) / 60.0).round() as u32;
            let jobs = batch.real("opportunities").value(row);
            reached.entry((text("group"), text("mode"), minutes)).or_default().push((text("zone_id"), jobs));
        }
        Ok(())
    })?;
    if reached.is_empty() {
        sheet.all_absent(&[21, 28, 29], "table `accessibility` tells of no jobs");
        return Ok(());
    }
    let Some(_) = facts.residents_for(sheet, &[21, 28, 29]) else { return Ok(()) };
    let all_jobs = facts.kpi("jobs").filter(|jobs| *jobs > 0.0);
    let weight = |zone: &String| facts.residents_of.get(zone).copied().unwrap_or(0.0);
    for ((group, mode, minutes), zones) in &reached {
        let part = format!("{mode}_{minutes}min");
        let place = if group == "all" { Place::default() } else { Place::group(group_of(group)) };
        let weights: f64 = zones.iter().map(|(zone, _)| weight(zone)).sum();
        let mean = zones.iter().map(|(zone, jobs)| weight(zone) * jobs).sum::<f64>() / weights;
        sheet.put_at(21, &part, "jobs", place.clone(), mean);
        if let Some(all) = all_jobs {
            sheet.put_at(21, &format!("{part}_share"), "% of all jobs", place, 100.0 * mean / all);
        }
        if group != "all" {
            continue;
        }
        for (zone, jobs) in zones {
            sheet.put_at(21, &part, "jobs", Place::zone(zone), *jobs);
        }
        let weighted: Vec<(f64, f64)> = zones.iter().map(|(zone, jobs)| (*jobs, weight(zone))).collect();
        if let Some(gini) = gini(&weighted) {
            sheet.put(28, &part, "0-1", gini);
        }
        palma(facts, zones, &part, sheet);
    }
    if !sheet.has(28) {
        sheet.absent(28, "residents reach no jobs");
    }
    sheet.note(28, "residents of a zone reach what the mean of its residents does");
    if facts.persons.values().all(|person| person.income.is_none()) {
        sheet.absent(29, "incomes are not known: tables `persons` and `households` are not among the results");
    } else if !sheet.has(29) {
        sheet.absent(29, "the four tenths with the lowest incomes reach no jobs");
    }
    Ok(())
}

fn palma(facts: &Facts<'_>, zones: &[(String, f64)], part: &str, sheet: &mut Sheet) {
    let jobs_of: BTreeMap<&str, f64> = zones.iter().map(|(zone, jobs)| (zone.as_str(), *jobs)).collect();
    let person = |person: &super::facts::Person| Some((person.income?, *jobs_of.get(person.home_zone.as_str())?, 1.0));
    let people: Vec<(f64, f64, f64)> = facts.persons.values().filter_map(person).collect();
    if let Some(ratio) = palma_by_rank(&people) {
        sheet.put(29, part, "ratio", ratio);
    }
}

fn incomes(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::Households, sheet, &[31]) {
        return Ok(());
    }
    let mut by_zone: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut all = Vec::new();
    facts.run.for_each_batch(Table::Households, &["zone_id", "income_per_year"], |batch| {
        for row in 0..batch.rows() {
            let income = (batch.real("income_per_year").value(row), 1.0);
            all.push(income);
            by_zone.entry(batch.text("zone_id").value(row).to_owned()).or_default().push(income);
        }
        Ok(())
    })?;
    match gini(&all) {
        Some(value) => sheet.put(31, "", "0-1", value),
        None => sheet.absent(31, "households have no income"),
    }
    for (zone, incomes) in &by_zone {
        if let Some(value) = gini(incomes) {
            sheet.put_at(31, "", "0-1", Place::zone(zone), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_count_once() {
        // A street both ways, another of the same ends, a one-way service road, a cycleway both ways, a footpath.
        let rows = [
            ("a", "b", "residential", "car,bicycle,walk", 1, 100.0),
            ("b", "a", "residential", "car,bicycle,walk", 1, 100.0),
            ("a", "b", "residential", "car", 2, 150.0),
            ("b", "c", "service", "car", 3, 70.0),
            ("a", "c", "path", "bicycle,walk", 4, 40.0),
            ("c", "a", "path", "bicycle,walk", 4, 40.0),
            ("c", "d", "path", "walk", 5, 30.0),
        ];
        let links = Links {
            class: rows.iter().map(|row| row.2.to_owned()).collect(),
            zone: rows.iter().map(|_| Some("z".to_owned())).collect(),
            length_m: rows.iter().map(|row| row.5).collect(),
            from: rows.iter().map(|row| row.0.to_owned()).collect(),
            to: rows.iter().map(|row| row.1.to_owned()).collect(),
            modes: rows.iter().map(|row| row.3.to_owned()).collect(),
            way: rows.iter().map(|row| row.4).collect(),
            ..Links::default()
        };
        let found = lengths_of(&links);
        assert_eq!((found.street_m, found.cycle_m, found.paths), (250.0, 40.0, 2));
        assert!((found.streets_of["z"] - 250.0).abs() < 1e-9);
    }
}
