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

/// Hours of departure that are told.
const HOURS: [(u32, u32); 4] = [(7, 9), (12, 14), (16, 18), (20, 24)];

/// Lengths, km, below which shares of trips are told: of all trips the bands of Britain's survey (1, 2, 5, 10, 25 miles),
/// of those at the wheel those of Germany's.
const LENGTHS_KM: [f64; 5] = [1.6, 3.2, 8.0, 16.0, 40.0];
const CAR_LENGTHS_KM: [f64; 3] = [1.0, 6.0, 30.0];

/// Trips of residents.
#[derive(Default)]
struct Counts {
    trips: f64,
    by_mode: [f64; Mode::ALL.len()],
    by_purpose: std::collections::BTreeMap<&'static str, f64>,
    ended: f64,
    ended_by_mode: [f64; Mode::ALL.len()],
    way_m: f64,
    time_s: f64,
    time_s_by_mode: [f64; Mode::ALL.len()],
    below: [f64; LENGTHS_KM.len()],
    by_car_below: [f64; CAR_LENGTHS_KM.len()],
    by_hours: [f64; HOURS.len()],
}

impl Counts {
    fn of(world: &World) -> Self {
        let (plans, people, persons) =
            (world.resource::<Plans>(), world.resource::<People>(), world.resource::<Persons>());
        let clock = world.resource::<Clock>();
        let residents = persons.residents();
        let mut counts = Self::default();
        for trip in 0..plans.len() {
            if people.started[trip] == NEVER || plans.person[trip].row() >= residents {
                continue;
            }
            counts.trips += 1.0;
            counts.by_mode[plans.mode[trip] as usize] += 1.0;
            let back = plans.purpose[trip] == Purpose::Home;
            let purpose = if back { "home" } else { plans.purpose[trip].name() };
            *counts.by_purpose.entry(purpose).or_default() += 1.0;
            let hour = clock.local_second_of_day(people.started[trip]) / 3600;
            for (sum, (from, to)) in counts.by_hours.iter_mut().zip(HOURS) {
                *sum += f64::from(u8::from((from..to).contains(&hour)));
            }
            if people.ended_ms[trip] != u32::MAX {
                let mode = plans.mode[trip];
                let way_km = f64::from(people.distance_m[trip]) / 1000.0;
                let time_s = f64::from(people.ended_ms[trip]) / 1000.0 - f64::from(people.started[trip]);
                counts.ended += 1.0;
                counts.ended_by_mode[mode as usize] += 1.0;
                counts.way_m += f64::from(people.distance_m[trip]);
                counts.time_s += time_s;
                counts.time_s_by_mode[mode as usize] += time_s;
                add_below(&mut counts.below, &LENGTHS_KM, way_km);
                if mode == Mode::Car {
                    add_below(&mut counts.by_car_below, &CAR_LENGTHS_KM, way_km);
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
    let counts = Counts::of(world);
    let residents = world.resource::<Persons>().residents() as f64;
    let surveys = surveys::of_country(world.resource::<Planner>().country());
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
            add(&format!("mean_trip_time_{}", mode.name()), time_s / ended / 60.0, "min", false);
        }
    }
    for (length_km, count) in LENGTHS_KM.iter().zip(counts.below) {
        add(&format!("trips_below_{length_km}_km"), 100.0 * count / counts.ended.max(1.0), "percent", false);
    }
    let by_car = counts.ended_by_mode[Mode::Car as usize];
    for (length_km, count) in CAR_LENGTHS_KM.iter().zip(counts.by_car_below).filter(|_| by_car > 0.0) {
        add(&format!("car_trips_below_{length_km}_km"), 100.0 * count / by_car, "percent", false);
    }
    for (purpose, count) in &counts.by_purpose {
        add(&format!("trips_for_{purpose}"), percent(*count), "percent", false);
    }
    for ((from, to), count) in HOURS.iter().zip(counts.by_hours) {
        add(&format!("departures_{from}h_{to}h"), percent(count), "percent", false);
    }
    let planner = world.resource::<Planner>();
    for (name, fit) in ["work", "school"].iter().zip(&planner.workplace_fits) {
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
