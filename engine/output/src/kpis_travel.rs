//! How residents travel, beside what surveys say: trips for each resident, shares of modes and purposes, lengths, hours
//! of departure. The city's own figures (panel) count first, then those of its country.

use crate::kpis::{Collector, beside};
use bevy_ecs::world::World;
use urbis_city::model::{PanelRow, Quality};
use urbis_core::Clock;
use urbis_population::plans::{Mode, Purpose};
use urbis_population::presence::NEVER;
use urbis_population::surveys::{self, SurveyFigure};
use urbis_population::{People, Persons, Planner, Plans, Sites};

/// Hours of departure that are always told, as minutes of the day.
const HOURS_MIN: [(u32, u32); 4] = [(7 * 60, 9 * 60), (12 * 60, 14 * 60), (16 * 60, 18 * 60), (20 * 60, 24 * 60)];

/// Lengths, km, below which shares of trips are always told: of all trips the bands of Britain's survey (1, 2, 5, 10, 25
/// miles), of those at the wheel those of Germany's.
const LENGTHS_KM: [f64; 5] = [1.6, 3.2, 8.0, 16.0, 40.0];
const CAR_LENGTHS_KM: [f64; 3] = [1.0, 6.0, 30.0];

/// What is told of distributions: what always is, and what published figures name besides, since every survey has its
/// own hours and lengths.
struct Told {
    hours_min: Vec<(u32, u32)>,
    lengths_km: Vec<f64>,
    car_lengths_km: Vec<f64>,
}

impl Told {
    /// `named` are the indicators of the published figures.
    fn of(named: &[&str]) -> Self {
        Self {
            hours_min: told(&HOURS_MIN, named, hours_of),
            lengths_km: told(&LENGTHS_KM, named, |indicator| length_of(indicator, "trips_below_")),
            car_lengths_km: told(&CAR_LENGTHS_KM, named, |indicator| length_of(indicator, "car_trips_below_")),
        }
    }
}

fn told<T: Copy + PartialEq>(always: &[T], named: &[&str], read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let mut told = always.to_vec();
    for bound in named.iter().filter_map(|indicator| read(indicator)) {
        if !told.contains(&bound) {
            told.push(bound);
        }
    }
    told
}

/// Length in km of an indicator such as `trips_below_1.6_km`.
fn length_of(indicator: &str, prefix: &str) -> Option<f64> {
    let length_km = indicator.strip_prefix(prefix)?.strip_suffix("_km")?.parse().ok()?;
    (0.0..f64::INFINITY).contains(&length_km).then_some(length_km)
}

/// Minutes of the day of an indicator such as `departures_7h_9h30`.
fn hours_of(indicator: &str) -> Option<(u32, u32)> {
    let (from, to) = indicator.strip_prefix("departures_")?.split_once('_')?;
    let (from_min, to_min) = (minute_of(from)?, minute_of(to)?);
    (from_min < to_min && to_min <= 24 * 60).then_some((from_min, to_min))
}

fn minute_of(time: &str) -> Option<u32> {
    let (hour, minute) = time.split_once('h')?;
    let minute = if minute.is_empty() { 0 } else { minute.parse().ok()? };
    let hour: u32 = hour.parse().ok()?;
    (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
}

/// `7h`, `9h30`.
fn time_of(minute: u32) -> String {
    match (minute / 60, minute % 60) {
        (hour, 0) => format!("{hour}h"),
        (hour, minute) => format!("{hour}h{minute:02}"),
    }
}

/// Trips of residents.
#[derive(Default)]
struct Counts {
    trips: f64,
    by_mode: [f64; Mode::ALL.len()],
    by_purpose: std::collections::BTreeMap<&'static str, f64>,
    ended: f64,
    ended_by_mode: [f64; Mode::ALL.len()],
    way_m: f64,
    way_m_by_mode: [f64; Mode::ALL.len()],
    time_s: f64,
    time_s_by_mode: [f64; Mode::ALL.len()],
    below: Vec<f64>,
    by_car_below: Vec<f64>,
    by_hours: Vec<f64>,
}

impl Counts {
    fn of(world: &World, told: &Told) -> Self {
        let (plans, people, persons) =
            (world.resource::<Plans>(), world.resource::<People>(), world.resource::<Persons>());
        let clock = world.resource::<Clock>();
        let residents = persons.residents();
        let mut counts = Self {
            below: vec![0.0; told.lengths_km.len()],
            by_car_below: vec![0.0; told.car_lengths_km.len()],
            by_hours: vec![0.0; told.hours_min.len()],
            ..Self::default()
        };
        for trip in 0..plans.len() {
            if people.started[trip] == NEVER || plans.person[trip].row() >= residents {
                continue;
            }
            counts.trips += 1.0;
            counts.by_mode[plans.mode[trip] as usize] += 1.0;
            let back = plans.purpose[trip] == Purpose::Home;
            let purpose = if back { "home" } else { plans.purpose[trip].name() };
            *counts.by_purpose.entry(purpose).or_default() += 1.0;
            let minute = clock.local_second_of_day(people.started[trip]) / 60;
            for (sum, &(from, to)) in counts.by_hours.iter_mut().zip(&told.hours_min) {
                *sum += f64::from(u8::from((from..to).contains(&minute)));
            }
            if people.ended_ms[trip] != u32::MAX {
                let mode = plans.mode[trip];
                let way_m = f64::from(people.distance_m[trip]);
                let way_km = way_m / 1000.0;
                let time_s = f64::from(people.ended_ms[trip]) / 1000.0 - f64::from(people.started[trip]);
                counts.ended += 1.0;
                counts.ended_by_mode[mode as usize] += 1.0;
                counts.way_m += way_m;
                counts.way_m_by_mode[mode as usize] += way_m;
                counts.time_s += time_s;
                counts.time_s_by_mode[mode as usize] += time_s;
                add_below(&mut counts.below, &told.lengths_km, way_km);
                if mode == Mode::Car {
                    add_below(&mut counts.by_car_below, &told.car_lengths_km, way_km);
                }
            }
        }
        counts
    }
}

/// Counts a trip under every length that it is shorter than.
fn add_below(below: &mut [f64], lengths_km: &[f64], way_km: f64) {
    for (count, &length_km) in below.iter_mut().zip(lengths_km) {
        *count += f64::from(u8::from(way_km < length_km));
    }
}

/// Adds the indicators of group `travel`.
pub(crate) fn travel(collector: &mut Collector<'_>, world: &World, days: f64) {
    let surveys = surveys::of_country(world.resource::<Planner>().country());
    let named = surveys.iter().map(|figure| figure.indicator.as_str()).chain(collector.indicators_for_city());
    let told = Told::of(&named.collect::<Vec<_>>());
    let counts = Counts::of(world, &told);
    let residents = world.resource::<Persons>().residents() as f64;
    let trips = counts.trips.max(1.0);
    let percent = |count: f64| 100.0 * count / trips;
    let of = |mode: Mode| percent(counts.by_mode[mode as usize]);
    let mut add = |indicator: &str, value: f64, unit: &str, headline: bool| {
        let own = collector.published_for_city(indicator).cloned();
        let row = own.or_else(|| surveys.iter().find(|figure| figure.indicator == indicator).map(row_of));
        let kpi = collector.add("travel", indicator, value, unit);
        beside(kpi, row.as_ref(), 1.0);
        kpi.headline = headline;
    };
    add("trips_per_resident", counts.trips / residents.max(1.0) / days, "trips/day", true);
    add("resident_mode_share_walk", of(Mode::Walk), "percent", true);
    add("resident_mode_share_bicycle", of(Mode::Bicycle), "percent", true);
    // Surveys count park-and-ride under public transport, which comes before the car where a trip has both.
    let by_site = of(Mode::ParkAndRide);
    add("resident_mode_share_transit", of(Mode::Transit) + by_site, "percent", true);
    if !world.resource::<Sites>().is_empty() {
        add("resident_mode_share_park_and_ride", by_site, "percent", true);
    }
    add("resident_mode_share_car_all", of(Mode::Car) + of(Mode::CarPassenger), "percent", true);
    add("resident_mode_share_car_driver", of(Mode::Car), "percent", false);
    add("resident_mode_share_two_wheeler", of(Mode::TwoWheeler), "percent", false);
    add("mean_trip_length", counts.way_m / counts.ended.max(1.0) / 1000.0, "km", true);
    add("mean_trip_time", counts.time_s / counts.ended.max(1.0) / 60.0, "min", true);
    for mode in [Mode::Walk, Mode::Bicycle, Mode::Transit, Mode::Car] {
        let (time_s, ended) = (counts.time_s_by_mode[mode as usize], counts.ended_by_mode[mode as usize]);
        if ended > 0.0 {
            let way_m = counts.way_m_by_mode[mode as usize];
            add(&format!("mean_trip_length_{}", mode.name()), way_m / ended / 1000.0, "km", false);
            add(&format!("mean_trip_time_{}", mode.name()), time_s / ended / 60.0, "min", false);
        }
    }
    for (length_km, count) in told.lengths_km.iter().zip(counts.below) {
        add(&format!("trips_below_{length_km}_km"), 100.0 * count / counts.ended.max(1.0), "percent", false);
    }
    let by_car = counts.ended_by_mode[Mode::Car as usize];
    for (length_km, count) in told.car_lengths_km.iter().zip(counts.by_car_below).filter(|_| by_car > 0.0) {
        add(&format!("car_trips_below_{length_km}_km"), 100.0 * count / by_car, "percent", false);
    }
    for (purpose, count) in &counts.by_purpose {
        add(&format!("trips_for_{purpose}"), percent(*count), "percent", false);
    }
    for (&(from, to), count) in told.hours_min.iter().zip(counts.by_hours) {
        add(&format!("departures_{}_{}", time_of(from), time_of(to)), percent(count), "percent", false);
    }
    let planner = world.resource::<Planner>();
    for (name, fit) in ["work", "school"].iter().zip(&planner.long_term.workplace_fits) {
        add(&format!("{name}_places_sum_error"), fit.row_error.max(fit.column_error), "ratio", false);
    }
}

/// A survey's figure as a row of a panel.
fn row_of(figure: &SurveyFigure) -> PanelRow {
    PanelRow {
        indicator: figure.indicator.clone(),
        value: figure.value,
        unit: figure.unit.clone(),
        source: figure.source.clone(),
        period: figure.country.clone(),
        quality: Quality::from_name(&figure.quality).unwrap_or(Quality::Estimate),
        ..PanelRow::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_lengths_of_surveys_are_told_besides_the_usual_ones() {
        let named = ["departures_7h_9h", "departures_7h_9h30", "trips_below_2_km", "car_trips_below_6_km"];
        let told = Told::of(&named);
        assert_eq!(told.hours_min.len(), HOURS_MIN.len() + 1);
        assert_eq!(told.hours_min.last(), Some(&(420, 570)));
        assert_eq!(told.lengths_km.last(), Some(&2.0));
        assert_eq!(told.car_lengths_km, CAR_LENGTHS_KM);
        for wrong in ["departures_9h_7h", "departures_7h60_9h", "departures_7_9", "departures_20h_25h"] {
            assert_eq!(hours_of(wrong), None, "{wrong}");
        }
        assert_eq!(length_of("trips_below_-2_km", "trips_below_"), None);
    }

    /// A figure whose indicator no run tells would stand in the table for nothing.
    #[test]
    fn every_published_figure_has_an_indicator_beside_it() {
        for figure in surveys::all() {
            let indicator = figure.indicator.as_str();
            let hours = hours_of(indicator).map(|(from, to)| format!("departures_{}_{}", time_of(from), time_of(to)));
            let below = ["trips_below_", "car_trips_below_"]
                .iter()
                .find_map(|prefix| length_of(indicator, prefix).map(|length_km| format!("{prefix}{length_km}_km")));
            if indicator.starts_with("departures_") || indicator.contains("_below_") {
                assert_eq!(hours.or(below).as_deref(), Some(indicator));
            } else {
                let stem = ["trips_per_resident", "resident_mode_share_", "mean_trip_length", "mean_trip_time"];
                assert!(stem.iter().any(|stem| indicator.starts_with(stem)), "{indicator}");
            }
        }
    }
}
