//! Policies on signals, parking spaces, fares and the hours of work and school, made ready for the domains that they change.
//!
//! Like speed limits they are put on after the groundwork, which knows none of them.

use std::path::PathBuf;
use urbis_city::model::{City, NodeControl};
use urbis_core::{Problems, Result};
use urbis_coupling::policy::area::InArea;
use urbis_coupling::policy::{Policy, PolicyKind};
use urbis_population::Places;
use urbis_population::hours::{Beginners, HourShift};
use urbis_scenario::Loaded;
use urbis_traffic::TrafficSettings;
use urbis_transit::timetable::Timetable;

/// Rows, policies and areas; without areas there are no policies yet.
fn all<'a>(loaded: &'a Loaded, areas: &'a [InArea]) -> impl Iterator<Item = (usize, &'a Policy, &'a InArea)> + 'a {
    loaded.scenario.policy.iter().zip(areas).enumerate().map(|(row, (policy, area))| (row, policy, area))
}

/// Those that stand for the whole run.
fn standing<'a>(loaded: &'a Loaded, areas: &'a [InArea]) -> impl Iterator<Item = (usize, &'a Policy, &'a InArea)> + 'a {
    all(loaded, areas).filter(|(_, policy, _)| loaded.policy_stands(policy) == Some(true))
}

/// The settings of traffic with signals as policies control them.
///
/// # Errors
/// Areas without a signal.
pub(crate) fn traffic(loaded: &Loaded, city: &City, areas: &[InArea]) -> Result<TrafficSettings> {
    let mut problems = Problems::new();
    let mut settings = loaded.scenario.traffic.clone();
    for (row, policy, area) in standing(loaded, areas) {
        let PolicyKind::Signals { control } = policy.kind else { continue };
        let is_in = |(node, control): (usize, &NodeControl)| {
            *control == NodeControl::Signal && area.nodes.get(node).copied().unwrap_or(false)
        };
        let at: Vec<bool> = city.nodes.control.iter().enumerate().map(is_in).collect();
        if !at.contains(&true) {
            let what = "no junction with signals lies in it; areas of links have no junctions";
            problems.push(loaded.policy_problem(row, "area", what));
        }
        settings.signals.at.push((control, at));
    }
    problems.or_else(settings)
}

/// What policies multiply the parking spaces of each zone by; nothing where they leave them as they are.
///
/// # Errors
/// Areas without a building.
pub(crate) fn parking_supply(loaded: &Loaded, city: &City, areas: &[InArea]) -> Result<Vec<f64>> {
    let mut problems = Problems::new();
    let mut factors = Vec::new();
    for (row, policy, area) in standing(loaded, areas) {
        let PolicyKind::ParkingSupply { factor } = policy.kind else { continue };
        factors.resize(city.zones.len(), 1.0);
        let (mut inside, mut count) = (vec![0.0; city.zones.len()], vec![0.0; city.zones.len()]);
        for (building, zone) in city.buildings.zone.iter().enumerate().filter(|(_, zone)| zone.is_some()) {
            count[zone.row()] += 1.0;
            inside[zone.row()] += f64::from(u8::from(area.buildings.get(building).copied().unwrap_or(false)));
        }
        if !inside.iter().any(|&inside| inside > 0.0) {
            let what = "no building lies in it, so it has no spaces";
            problems.push(loaded.policy_problem(row, "area", what));
        }
        for (zone, of) in factors.iter_mut().enumerate().filter(|(zone, _)| count[*zone] > 0.0) {
            *of *= 1.0 + (factor - 1.0) * inside[zone] / count[zone];
        }
    }
    problems.or_else(factors)
}

/// Who begins at another hour, for the settings of the population.
///
/// # Errors
/// Areas without a building.
pub(crate) fn hours(loaded: &Loaded, city: &City, areas: &[InArea]) -> Result<Vec<HourShift>> {
    let places = Places::new(city);
    let mut problems = Problems::new();
    let mut shifts = Vec::new();
    for (row, policy, area) in all(loaded, areas) {
        let (who, share, minutes) = match policy.kind {
            PolicyKind::StaggeredHours { share, most_min } => (Beginners::Workers, share, most_min),
            PolicyKind::SchoolTimes { shift_min } => (Beginners::Pupils, 1.0, shift_min),
            _ => continue,
        };
        let at = area.places(&places);
        if !at.contains(&true) {
            problems.push(loaded.policy_problem(
                row,
                "area",
                "no building lies in it, so nobody works or learns there",
            ));
        }
        shifts.push(HourShift { who, share, shift_h: minutes / 60.0, at, days: loaded.policy_days(policy) });
    }
    problems.or_else(shifts)
}

/// Feeds of lines that policies bring.
pub(crate) fn new_feeds(loaded: &Loaded) -> impl Iterator<Item = PathBuf> + '_ {
    let standing = loaded.scenario.policy.iter().filter(|policy| loaded.policy_stands(policy) == Some(true));
    standing.filter_map(|policy| match &policy.kind {
        PolicyKind::NewLine { feed } => Some(loaded.resolve(feed)),
        _ => None,
    })
}

/// The timetable with the fares that policies set.
pub(crate) fn change_fares(loaded: &Loaded, areas: &[InArea], mut timetable: Timetable) -> Timetable {
    for (_, policy, _) in standing(loaded, areas) {
        if let PolicyKind::Fares { factor, flat } = policy.kind {
            timetable.fares.change(|price| flat.unwrap_or(price * factor.unwrap_or(1.0)));
        }
    }
    timetable
}
