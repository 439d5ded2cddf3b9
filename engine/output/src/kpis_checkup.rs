//! Figures for check-ups that no table holds: capacities, routes, and who lives near stops and sewers. Only where the run
//! has such a thing.

use crate::kpis::Collector;
use bevy_ecs::world::World;
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::units::JOULES_PER_KWH;
use urbis_coupling::{CityTransit, Incidents};
use urbis_population::{Persons, Places};
use urbis_transit::timetable::Timetable;
use urbis_transit::{PatternIx, StopIx};
use urbis_utility::power::{CityGrid, Devices};
use urbis_utility::sewer::city_sewer::CitySewer;

/// Distance at which a stop counts as near, metres.
const NEAR_M: f64 = 500.0;

/// Adds them.
pub(crate) fn checkup(collector: &mut Collector<'_>, world: &World) {
    if let Some(grid) = world.get_resource::<CityGrid>() {
        let ratings = &grid.flow().grid().branches.rating_va;
        let at_infeeds = grid.wiring().infeeds.iter().flat_map(|infeed| &infeed.branches);
        let rated: Vec<f64> = at_infeeds.map(|&(branch, _)| ratings[branch as usize]).collect();
        if !rated.is_empty() && rated.iter().all(|va| *va > 0.0) {
            collector.add("power", "supply_capacity", rated.iter().sum::<f64>() / 1e6, "MVA");
        }
    }
    if let Some(devices) = world.get_resource::<Devices>() {
        let capacity_j: f64 = devices.batteries.iter().map(|battery| battery.capacity_j).sum();
        collector.add("power", "battery_capacity", capacity_j / JOULES_PER_KWH / 1000.0, "MWh");
    }
    let (persons, places) = (world.resource::<Persons>(), world.resource::<Places>());
    let homes: Vec<usize> = persons.home[..persons.residents()].iter().map(|home| home.row()).collect();
    let share = |count: usize| 100.0 * count as f64 / homes.len().max(1) as f64;
    if let Some(incidents) =
        world.get_resource::<Incidents>().filter(|of| !of.in_hazard.is_empty() && !homes.is_empty())
    {
        let within = homes.iter().filter(|&&home| incidents.in_hazard.get(home) == Some(&true)).count();
        collector.add("event", "residents_in_hazard_zone", share(within), "percent");
    }
    if let Some(sewer) = world.get_resource::<CitySewer>().filter(|_| !homes.is_empty()) {
        let nodes = &sewer.wiring().building_node;
        let served = homes.iter().filter(|&&home| nodes.get(home).is_some_and(|node| *node != u32::MAX)).count();
        collector.add("sewer", "residents_with_sewer", share(served), "percent");
    }
    if let Some(timetable) = world.resource::<CityTransit>().timetable() {
        collector.add("transit", "transit_routes_length", routes_m(timetable) / 1000.0, "km");
        if !homes.is_empty() {
            let stops = Stops::of(timetable);
            let near = homes.iter().filter(|&&home| stops.is_near(places.x_m[home], places.y_m[home])).count();
            collector.add("transit", "residents_near_a_stop", share(near), "percent");
        }
    }
}

/// Length of all routes, each way between two stops once for each route, as the crow flies between stops.
fn routes_m(timetable: &Timetable) -> f64 {
    let (patterns, stops) = (&timetable.patterns, &timetable.stops);
    let mut hops: BTreeSet<(u32, StopIx, StopIx)> = BTreeSet::new();
    for row in 0..patterns.len() {
        let pattern = PatternIx(row as u32);
        let route = patterns.route[row];
        hops.extend(patterns.stops(pattern).windows(2).map(|two| (route.0, two[0].min(two[1]), two[0].max(two[1]))));
    }
    let length = |&(_, a, b): &(u32, StopIx, StopIx)| {
        let (a, b) = (a.row(), b.row());
        (stops.x_m[a] - stops.x_m[b]).hypot(stops.y_m[a] - stops.y_m[b])
    };
    hops.iter().map(length).filter(|way_m| way_m.is_finite()).sum()
}

/// Stops that something halts at, by squares.
struct Stops(BTreeMap<(i64, i64), Vec<(f64, f64)>>);

fn square(x_m: f64, y_m: f64) -> (i64, i64) {
    ((x_m / NEAR_M).floor() as i64, (y_m / NEAR_M).floor() as i64)
}

impl Stops {
    fn of(timetable: &Timetable) -> Self {
        let mut squares: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in (0..timetable.stops_len()).filter(|&row| !timetable.at_stop(StopIx(row as u32)).is_empty()) {
            let (x_m, y_m) = (timetable.stops.x_m[row], timetable.stops.y_m[row]);
            if x_m.is_finite() && y_m.is_finite() {
                squares.entry(square(x_m, y_m)).or_default().push((x_m, y_m));
            }
        }
        Self(squares)
    }
    fn is_near(&self, x_m: f64, y_m: f64) -> bool {
        let (column, row) = square(x_m, y_m);
        let near = |&(x, y): &(f64, f64)| (x - x_m).hypot(y - y_m) <= NEAR_M;
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
        around.filter_map(|at| self.0.get(&at)).any(|stops| stops.iter().any(near))
    }
}
