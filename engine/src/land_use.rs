//! Policies that change the city itself: buildings that come or go (`land_use`), roads that come or widen (`new_road`).
//!
//! The city is changed before anything else of a run stands in it, so people, roads, timetables' walks, grids and pipes are
//! those of the changed city. Groundwork is not: it is laid in the city as its package has it, and what it says of people is
//! carried over ([`urbis_population::LongTerm::after_plan`]). In what order: areas are found in the city as it was; roads
//! come first, so that new buildings find them; then buildings are taken down, and new ones stand after all others. The
//! panel says afterwards how many people and jobs zones have, since water and gas are sized by it and indicators are
//! compared with it.
//!
//! Contract: without such a policy the city is given back as it is.

use crate::policies::find_area;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use urbis_city::land_use::{self, PlanFault, PlannedBuilding, Site};
use urbis_city::model::{City, LandUse, PanelRow, Quality};
use urbis_city::road_plan::{self, PlannedRoad};
use urbis_city::vector::Layer;
use urbis_core::{Error, Problem, Problems, Result};
use urbis_coupling::policy::area::InArea;
use urbis_coupling::policy::{NewBuilding, NewLink, Policy, PolicyKind};
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::synthesis::residents::{home_weights, residents_by_zone};
use urbis_scenario::Loaded;

/// Policies of a scenario that stand for the whole run, with their rows.
fn standing(loaded: &Loaded) -> impl Iterator<Item = (usize, &Policy)> {
    loaded.scenario.policy.iter().enumerate().filter(|(_, policy)| loaded.policy_stands(policy) == Some(true))
}

/// Layers of the city package that policies of a scenario change.
pub(crate) fn changed_layers(loaded: &Loaded) -> Vec<&'static str> {
    let has = |fits: fn(&PolicyKind) -> bool| standing(loaded).any(|(_, policy)| fits(&policy.kind));
    let layers = [
        ("buildings", has(|kind| matches!(kind, PolicyKind::LandUse { .. }))),
        ("links", has(|kind| matches!(kind, PolicyKind::NewRoad { .. }))),
    ];
    layers.into_iter().filter(|(_, is_changed)| *is_changed).map(|(layer, _)| layer).collect()
}

/// Files with new buildings that policies name.
pub(crate) fn files(loaded: &Loaded) -> impl Iterator<Item = PathBuf> + '_ {
    standing(loaded).filter_map(|(_, policy)| match &policy.kind {
        PolicyKind::LandUse { file, .. } => file.as_deref().map(|file| loaded.resolve(file)),
        _ => None,
    })
}

/// The city with what policies build in it and take from it.
///
/// # Errors
/// Plans that do not fit the city, each with its place in the scenario or its row in a file.
pub(crate) fn changed(loaded: &Loaded, mut city: City) -> Result<City> {
    if changed_layers(loaded).is_empty() {
        return Ok(city);
    }
    let mut problems = Problems::new();
    let areas: BTreeMap<usize, InArea> = standing(loaded)
        .filter(|(_, policy)| policy.area.is_some())
        .filter(|(_, policy)| matches!(policy.kind, PolicyKind::LandUse { .. } | PolicyKind::NewRoad { .. }))
        .map(|(row, policy)| {
            let tell = &|key: &str, what: &str| loaded.policy_problem(row, key, what);
            (row, find_area(loaded, &city, policy.area.as_ref(), tell, &mut problems))
        })
        .collect();
    problems.or_else(())?;
    let mut problems = Problems::new();
    change_roads(loaded, &mut city, &areas, &mut problems);
    problems.or_else(())?;
    change_buildings(loaded, city, &areas)
}

fn change_roads(loaded: &Loaded, city: &mut City, areas: &BTreeMap<usize, InArea>, problems: &mut Problems) {
    let (mut planned, mut places) = (Vec::new(), Vec::new());
    for (row, policy) in standing(loaded) {
        let PolicyKind::NewRoad { links, lanes_added } = &policy.kind else { continue };
        if let Some(area) = areas.get(&row)
            && road_plan::widen(city, &area.links, *lanes_added) == 0
        {
            problems.push(loaded.policy_problem(row, "area", "no road for cars lies in it, so none becomes wider"));
        }
        for (nth, link) in links.iter().enumerate() {
            planned.push(planned_road(policy, nth, link));
            places.push(Place::Block { row, list: "links", nth });
        }
    }
    tell_all(loaded, road_plan::add_roads(city, &planned), &places, problems);
}

fn planned_road(policy: &Policy, nth: usize, link: &NewLink) -> PlannedRoad {
    PlannedRoad {
        id: link.id.clone().unwrap_or_else(|| format!("{}/{}", policy.name, nth + 1)),
        from: link.from_node.clone(),
        to: link.to_node.clone(),
        line_deg: link.line.iter().map(|&[lon, lat]| (lon, lat).into()).collect(),
        line_m: link.line_m.iter().map(|&[x_m, y_m]| (x_m, y_m)).collect(),
        class: link.class.class(),
        name: link.name.clone(),
        lanes: link.lanes,
        speed_mps: link.speed_kmh.map(|kmh| kmh / 3.6),
        both_directions: link.both_directions,
    }
}

/// Where something of a plan is written.
enum Place {
    /// An item of a list of a policy.
    Block { row: usize, list: &'static str, nth: usize },
    /// A row of a file.
    File { path: PathBuf, nth: usize, id: String },
}

/// Keys of a plan under the names that a scenario has for them.
fn key_of(list: &str, key: &str) -> String {
    match (list, key) {
        ("links", "from") => "from_node".to_owned(),
        ("links", "to") => "to_node".to_owned(),
        _ => key.to_owned(),
    }
}

fn tell_all(loaded: &Loaded, faults: Vec<PlanFault>, places: &[Place], problems: &mut Problems) {
    for PlanFault { item, key, message } in faults {
        problems.push(match &places[item] {
            Place::Block { row, list, nth } => {
                let key = key_of(list, key);
                let end = if key.is_empty() { key } else { format!(".{key}") };
                loaded.policy_problem(*row, &format!("{list}.{nth}{end}"), &message)
            }
            Place::File { path, nth, id } => {
                let of = if key.is_empty() { String::new() } else { format!("{key}: ") };
                Problem::file(path, format!("row {} (id {id}): {of}{message}", nth + 1))
            }
        });
    }
}

fn change_buildings(loaded: &Loaded, mut city: City, areas: &BTreeMap<usize, InArea>) -> Result<City> {
    if !changed_layers(loaded).contains(&"buildings") {
        return Ok(city);
    }
    let mut problems = Problems::new();
    let kept = kept_shares(loaded, &city, areas, &mut problems);
    let (mut planned, mut places) = (Vec::new(), Vec::new());
    for (row, policy) in standing(loaded) {
        let PolicyKind::LandUse { buildings, file, layer, .. } = &policy.kind else { continue };
        for (nth, building) in buildings.iter().enumerate() {
            match planned_building(policy, nth, building) {
                Some(of) => {
                    planned.push(of);
                    places.push(Place::Block { row, list: "buildings", nth });
                }
                None => problems.push(loaded.policy_problem(
                    row,
                    &format!("buildings.{nth}"),
                    "expected a place: either `x_m` and `y_m`, or `lon` and `lat`",
                )),
            }
        }
        if let Some(file) = file {
            let path = loaded.resolve(file);
            match Layer::read(&path, layer.as_deref()).and_then(|layer| land_use::from_layer(&layer, &policy.name)) {
                Ok(all) => {
                    let place = |(nth, of): (usize, &PlannedBuilding)| {
                        let (path, id) = (path.clone(), of.id.clone());
                        Place::File { path, nth, id }
                    };
                    places.extend(all.iter().enumerate().map(place));
                    planned.extend(all);
                }
                Err(Error::Input(of_file)) => problems.extend(of_file),
                Err(error) => {
                    let what = format!("new buildings cannot be read: {error}");
                    problems.push(loaded.policy_problem(row, "file", &what));
                }
            }
        }
    }
    let before = City {
        manifest: city.manifest.clone(),
        zones: city.zones.clone(),
        buildings: city.buildings.from_row(0),
        panel: city.panel.clone(),
        ..City::default()
    };
    tell_all(loaded, land_use::add_buildings(&mut city, &planned), &places, &mut problems);
    problems.or_else(())?;
    let settings = loaded.population();
    let first = before.buildings.len();
    let new = city.buildings.from_row(first);
    let residents = planned.iter().zip(&new.dwellings);
    let residents = residents
        .map(|(of, &dwellings)| of.residents.unwrap_or(f64::from(dwellings) * settings.persons_per_household))
        .collect();
    let jobs = planned.iter().zip(&new.floor_area_m2).map(|(of, &area_m2)| match of.jobs {
        Some(jobs) => Ok(jobs),
        None => Jobs::of_floor_area(of.purpose, area_m2, &settings),
    });
    let jobs = jobs.collect::<Result<Vec<f64>>>()?;
    land_use::take_down(&mut city, &kept);
    let plan = LandUse { before, new, residents, jobs, kept };
    change_panel(&mut city, &plan, &Jobs::new(&plan.before, &settings)?);
    city.land_use = Some(Arc::new(plan));
    Ok(city)
}

fn planned_building(policy: &Policy, nth: usize, of: &NewBuilding) -> Option<PlannedBuilding> {
    let site = match (of.x_m, of.y_m, of.lon, of.lat) {
        (Some(x_m), Some(y_m), None, None) => Site::Metres(x_m, y_m),
        (None, None, Some(lon), Some(lat)) => Site::Degrees((lon, lat).into()),
        _ => return None,
    };
    Some(PlannedBuilding {
        id: of.id.clone().unwrap_or_else(|| format!("{}/{}", policy.name, nth + 1)),
        site,
        purpose: of.purpose.purpose(),
        floor_area_m2: Some(of.floor_area_m2),
        levels: of.levels,
        height_m: of.height_m,
        dwellings: of.dwellings,
        residents: of.residents,
        jobs: of.jobs,
    })
}

/// By building, the share of its floor area that policies leave.
fn kept_shares(loaded: &Loaded, city: &City, areas: &BTreeMap<usize, InArea>, problems: &mut Problems) -> Vec<f64> {
    let table = &city.buildings;
    let mut kept = vec![1.0; table.len()];
    let mut by: Vec<Option<&str>> = vec![None; table.len()];
    for (row, policy) in standing(loaded) {
        let PolicyKind::LandUse { demolish, floor_area_factor, .. } = &policy.kind else { continue };
        let share = if *demolish { 0.0 } else { floor_area_factor.unwrap_or(1.0) };
        let Some(area) = areas.get(&row).filter(|_| share < 1.0) else { continue };
        let inside: Vec<usize> = (0..table.len())
            .filter(|&building| area.buildings.get(building).copied().unwrap_or(false))
            .filter(|&building| table.floor_area_m2[building] > 0.0)
            .collect();
        if inside.is_empty() {
            let what = "no building lies in it, so nothing is taken down; areas of links have none";
            problems.push(loaded.policy_problem(row, "area", what));
        }
        if let Some(&twice) = inside.iter().find(|&&building| by[building].is_some()) {
            let (id, other) = (&table.id[twice], by[twice].unwrap_or_default());
            let what = format!("building `{id}` of it is taken down by policy `{other}` already");
            problems.push(loaded.policy_problem(row, "area", &what));
        }
        for building in inside {
            (kept[building], by[building]) = (share, Some(policy.name.as_str()));
        }
        if !table.is_empty() && kept.iter().all(|share| *share <= 0.0) {
            let what = "it takes down all that is left of the city, and nobody could live or work there";
            problems.push(loaded.policy_problem(row, "area", what));
        }
    }
    kept
}

/// Says in the panel how many people and jobs zones and the city have after a plan.
fn change_panel(city: &mut City, plan: &LandUse, jobs: &Jobs) {
    let before = &plan.before;
    let zones = before.zones.len();
    let residents = residents_by_zone(before);
    let (mut more_people, mut more_jobs) = (vec![0.0; zones], vec![0.0; zones]);
    let by_zone = before.buildings.by_zone(zones);
    for zone in 0..zones {
        let rows: Vec<u32> = by_zone.row(zone).iter().map(|building| building.0).collect();
        let weights = home_weights(before, &rows);
        let all: f64 = weights.iter().sum();
        for (&row, weight) in rows.iter().zip(weights) {
            let lost = 1.0 - plan.kept[row as usize];
            more_people[zone] -= if all > 0.0 { residents[zone] * weight / all * lost } else { 0.0 };
            more_jobs[zone] -= f64::from(jobs.jobs[row as usize]) * lost;
        }
    }
    for (building, zone) in plan.new.zone.iter().enumerate() {
        more_people[zone.row()] += plan.residents[building];
        more_jobs[zone.row()] += plan.jobs[building];
    }
    let mut rows = Vec::new();
    for (indicator, unit, more) in [("residents", "persons", &more_people), ("jobs", "jobs", &more_jobs)] {
        let mut put = |place: &str, old: Option<&PanelRow>, value: f64| {
            rows.push(PanelRow {
                zone_id: place.to_owned(),
                period: old.map_or_else(String::new, |row| row.period.clone()),
                indicator: indicator.to_owned(),
                value: value.max(0.0),
                unit: old.map_or_else(|| unit.to_owned(), |row| row.unit.clone()),
                source: old.map_or_else(
                    || "derived, with policies of land use".to_owned(),
                    |row| format!("{}, with policies of land use", row.source),
                ),
                quality: Quality::Estimate,
            });
        };
        for (zone, id) in before.zones.id.iter().enumerate() {
            let old = before.panel_latest(id, indicator);
            let count = if indicator == "residents" { Some(residents[zone]) } else { old.map(|row| row.value) };
            if let Some(count) = count {
                put(id, old, count + more[zone]);
            }
        }
        if let Some(old) = before.panel_latest(&before.manifest.name, indicator) {
            put(&before.manifest.name, Some(old), old.value + more.iter().sum::<f64>());
        }
    }
    city.panel.extend(rows);
}
