//! Skims: time, way and money between travel cells by mode and time of day.
//!
//! Filled by whoever knows the networks (the couplings); this crate only reads them. A matrix holds cells x cells,
//! row by row, from the row's cell to the column's; infinity where there is no way. What a network does not give
//! (two-wheelers, public transport without a timetable, cities without paths) follows the straight line times a
//! detour at the speed of the mode's settings.

use crate::cells::Cells;
use crate::plans::Mode;
use crate::prices::PlacePrices;
use crate::settings::ModeSettings;
use bevy_ecs::resource::Resource;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// First local hour of each time of day: night, morning peak, day, afternoon peak, evening.
pub const PERIOD_STARTS_H: [f64; 5] = [0.0, 6.5, 9.5, 15.5, 19.0];
/// Times of day.
pub const PERIODS: usize = PERIOD_STARTS_H.len();
/// The time of day that stands for uncongested roads and daytime timetables.
pub const PERIOD_DAY: usize = 2;

/// The time of day of a local hour; hours beyond a day count as those of the next.
#[must_use]
pub fn period_of(hour: f64) -> usize {
    let hour = hour.rem_euclid(24.0);
    PERIOD_STARTS_H.iter().rposition(|&start| start <= hour).unwrap_or(0)
}

/// A network's answer for every pair of cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Time, seconds; infinity where there is no way.
    pub time_s: Vec<f32>,
    /// Way, metres.
    pub distance_m: Vec<f32>,
    /// Tolls and fares on the way, money; empty where there are none.
    pub money: Vec<f32>,
}

/// Public transport between every pair of cells, mean over departures of a time of day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransitMatrix {
    /// Time from door to door with the wait for a departure, seconds; infinity where there is no way.
    pub time_s: Vec<f32>,
    /// Of that, beside vehicles: walking and waiting, seconds.
    pub out_of_vehicle_s: Vec<f32>,
    /// Vehicles that are taken.
    pub boardings: Vec<f32>,
    /// Way in vehicles and on foot, metres.
    pub distance_m: Vec<f32>,
    /// Fares, money; within a cell the least from it to any other. Empty where none are known.
    pub fare: Vec<f32>,
    /// Share of departures whose journey has a ride without a known fare, 0 to 1; empty where every ride has one.
    pub without_fare: Vec<f32>,
}

/// The skims of a city. Matrices that are the same at several times of day are shared, in files too.
#[derive(Clone, Debug, Default, Resource, Serialize, Deserialize)]
pub struct Skims {
    /// Cells on a side.
    pub cells: usize,
    /// Car by time of day; empty without a road network.
    #[serde(with = "once")]
    pub car: Vec<Arc<Matrix>>,
    /// Walking.
    pub walk: Option<Arc<Matrix>>,
    /// Bicycle.
    pub bicycle: Option<Arc<Matrix>>,
    /// Public transport by time of day; empty without a timetable.
    #[serde(with = "once")]
    pub transit: Vec<Arc<TransitMatrix>>,
    /// Straight line between cells, metres.
    pub straight_m: Vec<f32>,
    /// Prices at places; nothing where nothing is priced. Policies set them anew for every run.
    #[serde(skip)]
    pub prices: Option<Arc<PlacePrices>>,
}

/// Matrices by time of day in files: each different one once.
mod once {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<T: Serialize, S: Serializer>(matrices: &[Arc<T>], to: S) -> Result<S::Ok, S::Error> {
        let mut different: Vec<&Arc<T>> = Vec::new();
        let mut which: Vec<usize> = Vec::new();
        for matrix in matrices {
            let known = different.iter().position(|other| Arc::ptr_eq(other, matrix));
            which.push(known.unwrap_or(different.len()));
            if known.is_none() {
                different.push(matrix);
            }
        }
        (which, different).serialize(to)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Arc<T>>, D::Error> {
        let (which, different): (Vec<usize>, Vec<Arc<T>>) = Deserialize::deserialize(from)?;
        let matrix = |at: usize| different.get(at).cloned().ok_or_else(|| D::Error::custom("a matrix is missing"));
        which.into_iter().map(matrix).collect()
    }
}

/// What a trip takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Travel {
    /// From door to door, minutes.
    pub minutes: f64,
    /// What the traveller feels of it, minutes: walking to and waiting for public transport weighs more.
    pub felt_min: f64,
    /// Way, metres.
    pub way_m: f64,
    /// Tolls and fares on the way, money.
    pub money: f64,
    /// Share of what the mode costs by its settings that is due as well: 1, less where fares are known.
    pub setting_share: f64,
}

impl Travel {
    /// No way.
    pub const NONE: Self = Self::free(f64::INFINITY, f64::INFINITY);

    /// A way without tolls and fares of its own that is felt as long as it takes.
    #[must_use]
    pub const fn free(minutes: f64, way_m: f64) -> Self {
        Self { minutes, felt_min: minutes, way_m, money: 0.0, setting_share: 1.0 }
    }
}

/// Weight of walking to and waiting for public transport against time in the vehicle (Wardman 2004: 1.5 to 2).
const OUT_OF_VEHICLE_WEIGHT: f64 = 1.75;
/// What a change between vehicles is worth beside its time, minutes in the vehicle (Wardman 2004 and others: 5 to 10).
const TRANSFER_MIN: f64 = 6.0;

impl Skims {
    /// Skims that follow the straight line for every mode.
    #[must_use]
    pub fn straight(cells: &Cells) -> Self {
        let count = cells.len();
        let straight_m = urbis_core::chunks::map_chunks(count, 32, |range| {
            range.flat_map(|from| (0..count).map(move |to| cells.distance_m(from, to) as f32)).collect::<Vec<f32>>()
        });
        Self { cells: count, straight_m: straight_m.concat(), ..Self::default() }
    }

    /// A way by public transport with the fare between two cells, if any is known.
    #[must_use]
    pub fn with_fare(&self, mut travel: Travel, period: usize, from: usize, to: usize) -> Travel {
        let at = from * self.cells + to;
        let transit = self.transit.get(period);
        if let Some((transit, &fare)) = transit.and_then(|transit| Some((transit, transit.fare.get(at)?))) {
            travel.money = f64::from(fare);
            travel.setting_share = transit.without_fare.get(at).map_or(0.0, |&share| f64::from(share));
        }
        travel
    }

    /// What a mode takes from a cell to another at a time of day.
    #[inline]
    #[must_use]
    pub fn travel(&self, mode: Mode, settings: &ModeSettings, period: usize, from: usize, to: usize) -> Travel {
        let at = from * self.cells + to;
        let of_network = match mode {
            Mode::Car | Mode::CarPassenger | Mode::Van => self.car.get(period).map(Arc::as_ref),
            Mode::Walk => self.walk.as_deref(),
            Mode::Bicycle => self.bicycle.as_deref(),
            Mode::TwoWheeler | Mode::Transit => None,
            // It has no way without a site: [`crate::park_and_ride`].
            Mode::ParkAndRide => return Travel::NONE,
        };
        if mode == Mode::Transit
            && let Some(transit) = self.transit.get(period)
        {
            let time_s = f64::from(transit.time_s[at]);
            if !time_s.is_finite() {
                return Travel::NONE;
            }
            let felt_s = time_s
                + (OUT_OF_VEHICLE_WEIGHT - 1.0) * f64::from(transit.out_of_vehicle_s[at])
                + TRANSFER_MIN * 60.0 * f64::from(transit.boardings[at] - 1.0).max(0.0);
            let way_m = f64::from(transit.distance_m[at]);
            let travel = Travel { felt_min: felt_s / 60.0, ..Travel::free(time_s / 60.0, way_m) };
            return self.with_fare(travel, period, from, to);
        }
        let (network_s, way_m, money) = match of_network {
            Some(matrix) => (
                f64::from(matrix.time_s[at]),
                f64::from(matrix.distance_m[at]),
                matrix.money.get(at).map_or(0.0, |&money| f64::from(money)),
            ),
            None => {
                let way_m = f64::from(self.straight_m[at]) * settings.detour;
                (way_m / (settings.speed_kmh / 3.6), way_m, 0.0)
            }
        };
        if !network_s.is_finite() {
            return Travel::NONE;
        }
        let minutes = settings.access_min + network_s / 60.0;
        Travel { money, ..Travel::free(minutes, way_m) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        let at = |hour| period_of(hour);
        assert_eq!([at(0.0), at(6.49), at(8.0), at(12.0), at(17.0), at(23.9), at(25.0)], [0, 0, 1, 2, 3, 4, 0]);
        assert_eq!(at(-1.0), 4);
    }

    #[test]
    fn networks_before_straight_lines() {
        let settings = ModeSettings::new(36.0, 1.5, 2.0, 0.0);
        let mut skims = Skims { cells: 1, straight_m: vec![1000.0], ..Skims::default() };
        let travel = skims.travel(Mode::Car, &settings, 1, 0, 0);
        assert!((travel.minutes - (2.0 + 2.5)).abs() < 1e-9 && (travel.way_m - 1500.0).abs() < 1e-9);
        let matrix = Matrix { time_s: vec![60.0], distance_m: vec![700.0], money: vec![2.5] };
        let shared = Arc::new(matrix);
        skims.car = (0..PERIODS).map(|_| Arc::clone(&shared)).collect();
        let travel = skims.travel(Mode::Car, &settings, 1, 0, 0);
        assert!((travel.minutes - 3.0).abs() < 1e-9 && (travel.money - 2.5).abs() < 1e-9);
        skims.walk = Some(Arc::new(Matrix { time_s: vec![f32::INFINITY], distance_m: vec![0.0], money: vec![] }));
        assert_eq!(skims.travel(Mode::Walk, &settings, 1, 0, 0), Travel::NONE);
        let transit = TransitMatrix {
            time_s: vec![1200.0],
            out_of_vehicle_s: vec![600.0],
            boardings: vec![2.0],
            distance_m: vec![5e3],
            ..TransitMatrix::default()
        };
        let shared = Arc::new(transit.clone());
        skims.transit = (0..PERIODS).map(|_| Arc::clone(&shared)).collect();
        let travel = skims.travel(Mode::Transit, &settings, 1, 0, 0);
        assert!((travel.felt_min - (20.0 + 0.75 * 10.0 + 6.0)).abs() < 1e-6);
        // Fares take the place of what the settings say, but for rides that have none.
        let settings = ModeSettings { cost: 2.0, cost_per_km: 0.1, ..settings };
        let mut paid = |fare: Vec<f32>, without_fare: Vec<f32>| {
            let shared = Arc::new(TransitMatrix { fare, without_fare, ..transit.clone() });
            skims.transit = vec![shared];
            settings.money(&skims.travel(Mode::Transit, &settings, 0, 0, 0))
        };
        let paid =
            [paid(vec![], vec![]), paid(vec![4.5], vec![]), paid(vec![4.5], vec![0.5]), paid(vec![0.0], vec![1.0])];
        let expected = [2.5, 4.5, 4.5 + 1.25, 2.5];
        assert!(paid.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9), "{paid:?}");
    }
}
