//! What a page holds: a summary that is shown at once, columns and names that the page unpacks afterwards.

use super::arms::Arm;
use super::checkup::checkup;
use super::elements::elements;
use super::gather::{Counts, Places, RunDay};
use super::networks::networks;
use super::pack::Pack;
use super::shapes::{self, Buildings, Roads, Zones};
use super::worth::worth;
use crate::PairedRuns;
use crate::statistics::{FALSE_DISCOVERY_RATE, State, Statistics, q_values};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use urbis_core::{Error, Problem, Result};
use urbis_output::{Kpi, Table};

/// Destinations of a zone that are named.
const DESTINATIONS: usize = 6;
/// More values than this (buildings by hours by scenarios) make the page too large; zones tell their curves then.
const BUILDING_VALUES_AT_MOST: usize = 1_500_000;

/// What a page holds.
pub(crate) struct Content {
    pub(crate) summary: Value,
    /// Compressed columns.
    pub(crate) columns: String,
    pub(crate) names: Value,
}

fn rows_of(ids: &[String]) -> BTreeMap<String, usize> {
    ids.iter().enumerate().map(|(row, id)| (id.clone(), row)).collect()
}

pub(crate) fn gather(
    results: &Path,
    arms: &mut [Arm],
    pairs: Option<&PairedRuns>,
    figures: Option<&Path>,
) -> Result<Content> {
    let run = &arms[0].runs[0];
    let (mut roads, mut buildings, zones) = (Roads::read(run)?, Buildings::read(run)?, Zones::read(run)?);
    // Policies may have built some more; a scenario has the same ones with every seed.
    for run in arms[1..].iter().map(|arm| &arm.runs[0]) {
        if run.has_own_layer("links") {
            roads.add(Roads::read(run)?);
        }
        if run.has_own_layer("buildings") {
            buildings.add(Buildings::read(run)?);
        }
    }
    let info = arms[0].origins[0].info.clone();
    let places = Places {
        links: rows_of(&roads.ids),
        buildings: rows_of(&buildings.ids),
        zones: rows_of(&zones.ids),
        start_ms: info.start_utc_ms,
        hours: (info.duration_s / 3600.0).ceil().max(1.0) as usize,
    };
    for arm in arms.iter_mut() {
        arm.gather(&places)?;
    }
    let arms: &[Arm] = arms;
    let mut pack = Pack::default();
    let (links, with_traffic) = links(arms, &roads, &places, &mut pack);
    let drawn = buildings.drawn();
    buildings.pack(&drawn, &mut pack);
    let has_loads = loads(arms, &drawn, &places, &mut pack);
    zones.pack(&mut pack);
    for (row, arm) in arms.iter().enumerate() {
        let trips = (0..places.zones.len() * places.hours).map(|at| arm.mean(|day| day.zone_trips[at]));
        pack.reals(&format!("zone_trips_{row}"), trips);
    }
    let run = &arms[0].runs[0];
    let grounds = [shapes::pack_ground(run, "water", &mut pack)?, shapes::pack_ground(run, "green", &mut pack)?];
    let (elements, element_names) = elements(arms, &places, &mut pack)?;
    let (index, columns) = pack.finish();
    let study = study(results)?;
    let said = |key: &str| study.get(key).and_then(toml::Value::as_str).unwrap_or_default();
    let has = |table| arms.iter().all(|arm| arm.runs.iter().all(|run| run.has(table)));
    let summary = json!({
        "title": said("title"),
        "question": said("question"),
        "city": info.city,
        "attribution": info.attribution,
        "time_zone": info.time_zone,
        "start_local_ms": info.start_utc_ms + info.local_offset_ms,
        "hours": places.hours,
        "duration_s": info.duration_s,
        "sample_factor": info.sample_factor,
        "seeds": arms[0].origins.iter().map(|o| o.seed).collect::<Vec<_>>(),
        "scenarios": arms.iter().map(scenario).collect::<Vec<_>>(),
        "inputs": inputs(arms),
        "kpis": kpis(arms),
        "sectors": sectors(arms, &places),
        "networks": networks(arms, places.hours, info.local_offset_ms)?,
        "elements": elements,
        "zones": zone_effects(arms, &zones),
        "groups": groups(arms),
        "checkup": checkup(results, arms, pairs, figures)?,
        "worth": pairs.filter(|_| has(Table::Trips)).map(worth).transpose()?,
        "has": {
            "link_state": has(Table::LinkState), "trips": has(Table::Trips), "crossings": has(Table::Crossings),
            "loads": has_loads, "water": grounds[0], "green": grounds[1],
        },
        "links_with_traffic": with_traffic,
        "buildings_left_out": buildings.ids.len() - drawn.len(),
        "provenance": arms.iter().flat_map(provenance).collect::<Vec<_>>(),
        "step_deg": shapes::STEP_DEG,
        "columns": index,
    });
    let pick = |texts: &[String], rows: &[usize]| rows.iter().map(|&r| texts[r].clone()).collect::<Vec<_>>();
    let names = json!({
        "link_id": pick(&roads.ids, &links[..with_traffic]),
        "link_name": pick(&roads.names, &links[..with_traffic]),
        "elements": element_names,
        "link_purposes": by_arm(arms, |day| &day.link_purposes, &links[..with_traffic], usize::MAX),
        "building_id": pick(&buildings.ids, &drawn),
        "building_purpose": pick(&buildings.purposes, &drawn),
        "building_zone": pick(&buildings.zones, &drawn),
        "building_modes": by_arm(arms, |day| &day.building_modes, &drawn, usize::MAX),
        "zone_modes": by_arm(arms, |day| &day.zone_modes, &all(&zones.ids), usize::MAX),
        "zone_to": by_arm(arms, |day| &day.zone_to, &all(&zones.ids), DESTINATIONS),
    });
    Ok(Content { summary, columns, names })
}

fn all(ids: &[String]) -> Vec<usize> {
    (0..ids.len()).collect()
}

/// `study/study.toml` of the results, where a study made them.
fn study(results: &Path) -> Result<toml::Table> {
    let path = results.join("study").join("study.toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => text.parse().map_err(|e| Problem::file(&path, format!("not readable TOML: {e}")).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(toml::Table::new()),
        Err(source) => Err(Error::read(&path, source)),
    }
}

/// A difference on the page; null where there is none, as for the base.
pub(crate) fn told(effect: Option<Statistics>) -> Value {
    let Some(effect) = effect else { return Value::Null };
    // Keys of the page's words.
    let state = match effect.state {
        State::Higher => "higher",
        State::Lower => "lower",
        State::NoDetectableDifference => "none",
        State::TooFewSeeds => "few",
        State::Identical => "same",
    };
    json!({"diff": effect.difference_mean, "half": effect.interval.map(|i| i.width() / 2.0), "state": state})
}

fn scenario(arm: &Arm) -> Value {
    let toml: toml::Table = arm.origins[0].info.scenario_toml.parse().unwrap_or_default();
    let description = toml.get("description").and_then(toml::Value::as_str).unwrap_or_default();
    json!({"name": arm.name, "title": arm.origins[0].info.title, "description": description})
}

/// Puts links into the pack, those with traffic first, with their figures. Their rows, and how many have traffic.
fn links(arms: &[Arm], roads: &Roads, places: &Places, pack: &mut Pack) -> (Vec<usize>, usize) {
    let hours = places.hours;
    let used = |link: &usize| {
        let span = link * hours..(link + 1) * hours;
        arms.iter().any(|arm| arm.days.iter().any(|day| day.link_veh[span.clone()].iter().any(|v| *v > 0.0)))
    };
    let inside = (0..roads.ids.len()).filter(|&link| roads.is_inside(link));
    let (mut rows, quiet): (Vec<usize>, Vec<usize>) = inside.partition(used);
    let with_traffic = rows.len();
    type Figure = fn(&RunDay) -> &[f32];
    let figures: [(&str, f64, Figure); 2] =
        [("veh", 1.0, |day| &day.link_veh), ("delay", 1.0 / 60.0, |day| &day.link_delay_s)];
    for (row, arm) in arms.iter().enumerate() {
        for (name, scale, of) in figures {
            let at = rows.iter().flat_map(|&link| link * hours..(link + 1) * hours);
            pack.rounded(&format!("{name}_{row}"), at.map(|at| arm.mean(|day| f64::from(of(day)[at])) * scale));
            if row > 0 {
                pack.bytes(&format!("sure_{name}_{row}"), &sure(arm, &arms[0], &rows, hours, of));
            }
        }
    }
    rows.extend(quiet.into_iter().filter(|&link| roads.is_street(link)));
    roads.pack(&rows, pack);
    (rows, with_traffic)
}

/// For each link, each hour and then the whole period: 0 no detectable difference, 1 there is one, 2 too few seeds. The
/// streets of one map are judged together: of those that count as changed a share of [`FALSE_DISCOVERY_RATE`] is expected
/// to be chance.
fn sure(arm: &Arm, base: &Arm, rows: &[usize], hours: usize, of: fn(&RunDay) -> &[f32]) -> Vec<u8> {
    let slots = hours + 1;
    let mut states = vec![0; rows.len() * slots];
    for slot in 0..slots {
        let found: Vec<Option<Statistics>> = rows
            .iter()
            .map(|link| {
                let first = link * hours;
                let span = if slot < hours { first + slot..first + slot + 1 } else { first..first + hours };
                arm.effect(base, |day| Some(of(day)[span.clone()].iter().map(|v| f64::from(*v)).sum()))
            })
            .collect();
        // Streets without any difference, most of them in quiet hours, are no test.
        let is_test = |s: &Statistics| s.state != State::Identical;
        let p: Vec<f64> =
            found.iter().map(|s| s.as_ref().filter(|s| is_test(s)).and_then(|s| s.p).unwrap_or(f64::NAN)).collect();
        for (nth, (statistics, q)) in found.iter().zip(q_values(&p)).enumerate() {
            states[nth * slots + slot] = match statistics.map(|s| s.state) {
                Some(State::TooFewSeeds) => 2,
                _ => u8::from(q <= FALSE_DISCOVERY_RATE),
            };
        }
    }
    states
}

/// Electricity of the buildings drawn, watt in single bytes of each building's largest. Whether it is told.
fn loads(arms: &[Arm], drawn: &[usize], places: &Places, pack: &mut Pack) -> bool {
    let hours = places.hours;
    let missing = arms.iter().any(|arm| arm.days.iter().any(|day| day.building_w.is_empty()));
    if missing || drawn.len() * hours * arms.len() > BUILDING_VALUES_AT_MOST {
        return false;
    }
    let at = |building: usize, hour: usize| building * hours + hour;
    let mean = |arm: &Arm, at: usize| arm.mean(|day| f64::from(day.building_w[at]));
    let span = |building: usize| (0..hours).map(move |hour| at(building, hour));
    let most: Vec<f64> = drawn
        .iter()
        .map(|&b| arms.iter().flat_map(|arm| span(b).map(move |at| mean(arm, at))).fold(0.0, f64::max))
        .collect();
    for (row, arm) in arms.iter().enumerate() {
        let parts = drawn.iter().zip(&most).flat_map(|(&building, most)| {
            span(building).map(move |at| (mean(arm, at) / most.max(1e-9) * 255.0).round() as u8)
        });
        pack.bytes(&format!("building_load_{row}"), &parts.collect::<Vec<_>>());
    }
    pack.reals("building_most_w", most.into_iter());
    true
}

/// Figures of places that have any, mean over the seeds, by scenario: `{place: [[kind, figure], ...]}`, largest first.
fn by_arm(arms: &[Arm], of: fn(&RunDay) -> &Counts, rows: &[usize], at_most: usize) -> Vec<Value> {
    let number: BTreeMap<usize, usize> = rows.iter().enumerate().map(|(number, row)| (*row, number)).collect();
    let one = |arm: &Arm| {
        let mut sums: BTreeMap<usize, BTreeMap<&str, f64>> = BTreeMap::new();
        for ((place, kind), count) in arm.days.iter().flat_map(of) {
            if let Some(&place) = number.get(place) {
                *sums.entry(place).or_default().entry(kind).or_default() += count / arm.days.len() as f64;
            }
        }
        let listed = sums.into_iter().map(|(place, kinds)| {
            let mut kinds: Vec<_> = kinds.into_iter().map(|(kind, count)| (kind, count.round() as u64)).collect();
            kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            kinds.truncate(at_most);
            (place.to_string(), json!(kinds))
        });
        Value::Object(listed.collect::<Map<_, _>>())
    };
    arms.iter().map(one).collect()
}

/// Keys of the resolved scenarios that differ: `{key, values}`, one value for each scenario.
fn inputs(arms: &[Arm]) -> Vec<Value> {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (row, arm) in arms.iter().enumerate() {
        let toml: toml::Table = arm.origins[0].info.scenario_toml.parse().unwrap_or_default();
        flatten("", &toml, &mut |key, value| {
            keys.entry(key).or_insert_with(|| vec![String::new(); arms.len()])[row] = value;
        });
    }
    // What a scenario is called is no input.
    let named = ["name", "title", "description", "seed"];
    let differ = keys
        .into_iter()
        .filter(|(key, values)| !named.contains(&key.as_str()) && values.iter().any(|value| value != &values[0]));
    differ.map(|(key, values)| json!({"key": key, "values": values})).collect()
}

fn flatten(above: &str, table: &toml::Table, each: &mut impl FnMut(String, String)) {
    for (key, value) in table {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, each),
            toml::Value::String(text) => each(path, text.clone()),
            other => each(path, other.to_string()),
        }
    }
}

/// Indicators of the base, then those that other scenarios alone have.
fn kpis(arms: &[Arm]) -> Vec<Value> {
    let value = |day: &RunDay, kpi: &Kpi| {
        let same = |k: &&Kpi| k.group == kpi.group && k.indicator == kpi.indicator && k.zone_id == kpi.zone_id;
        let found = day.kpis.iter().find(same).map(|k| k.value);
        // A policy that a scenario does not have takes nothing there.
        found.or((kpi.group == "policy" && !day.kpis.is_empty()).then_some(0.0))
    };
    let city = &arms[0].origins[0].info.city;
    let one = |kpi: &Kpi| {
        json!({
            "group": kpi.group, "indicator": kpi.indicator, "unit": kpi.unit, "headline": kpi.headline,
            "zone": if kpi.zone_id == *city { "" } else { &kpi.zone_id },
            "published": kpi.published, "source": kpi.source, "arms": by_scenario(arms, |day| value(day, kpi)),
        })
    };
    let mut seen = BTreeSet::new();
    let all = arms.iter().flat_map(|arm| &arm.days[0].kpis);
    all.filter(|kpi| seen.insert((&kpi.group, &kpi.indicator, &kpi.zone_id))).map(one).collect()
}

fn sectors(arms: &[Arm], places: &Places) -> Vec<Value> {
    let mut names: BTreeMap<&String, f64> = BTreeMap::new();
    for (name, course) in arms.iter().flat_map(|arm| &arm.days).flat_map(|day| &day.sector_mw) {
        *names.entry(name).or_default() += course.iter().sum::<f64>();
    }
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by(|a, b| b.1.total_cmp(&a.1));
    let course = |arm: &Arm, name: &String| -> Vec<f64> {
        let at = |hour: usize| arm.mean(|day| day.sector_mw.get(name).map_or(0.0, |course| course[hour]));
        (0..places.hours).map(|hour| (at(hour) * 1e4).round() / 1e4).collect()
    };
    let one = |name: &String| json!({"name": name, "arms": arms.iter().map(|a| course(a, name)).collect::<Vec<_>>()});
    names.into_iter().map(|(name, _)| one(name)).collect()
}

/// Mean of a figure and its difference, one for each scenario.
fn by_scenario(arms: &[Arm], of: impl Fn(&RunDay) -> Option<f64>) -> Vec<Value> {
    let one = |(row, arm): (usize, &Arm)| {
        let values: Vec<f64> = arm.days.iter().filter_map(&of).collect();
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        json!({"mean": mean, "effect": told(if row > 0 { arm.effect(&arms[0], &of) } else { None })})
    };
    arms.iter().enumerate().map(one).collect()
}

/// The same of mean times of trips, minutes.
fn minutes(arms: &[Arm], of: impl Fn(&RunDay) -> Option<f64>) -> Vec<Value> {
    by_scenario(arms, |day| of(day).map(|seconds| seconds / 60.0))
}

fn zone_effects(arms: &[Arm], zones: &Zones) -> Vec<Value> {
    let one = |(row, id): (usize, &String)| {
        let of = |day: &RunDay| day.zone_time[row].value();
        json!({"id": id, "name": zones.names[row], "arms": minutes(arms, of)})
    };
    zones.ids.iter().enumerate().map(one).collect()
}

fn groups(arms: &[Arm]) -> Vec<Value> {
    let mut names: Vec<&String> = arms.iter().flat_map(|a| &a.days).flat_map(|day| day.group_time.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &String| minutes(arms, |day| day.group_time.get(name).and_then(|mean| mean.value()));
    names.into_iter().map(|name| json!({"name": name, "arms": of(name)})).collect()
}

fn provenance(arm: &Arm) -> Vec<Value> {
    let one = |origin: &super::arms::Origin| {
        json!({
            "scenario": arm.name, "seed": origin.seed, "run_id": origin.info.run_id, "version": origin.info.urbis_version,
            "schema": origin.info.schema_version, "scenario_hash": origin.info.scenario_hash, "city_hash": origin.info.city_hash,
        })
    };
    arm.origins.iter().map(one).collect()
}
