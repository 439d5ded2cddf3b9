//! Journeys as people make them, and which of several they take.
//!
//! A journey is walks and rides in turn. Of those that nobody can beat in both arrival and number of rides
//! ([`crate::raptor`]) people take the one of the least generalised cost ([`Weights`]).
//!
//! Ignored: crowding, seats, reliability, comfort; differences between persons.

use crate::{StopIx, TransitTripIx};

/// A part of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// On foot. The first starts where the person is, the last ends there, both [`StopIx::NONE`].
    Walk {
        /// From this stop.
        from: StopIx,
        /// To this one.
        to: StopIx,
        /// Seconds since midnight.
        start_s: u32,
        /// Seconds since midnight.
        end_s: u32,
    },
    /// In a vehicle.
    Ride {
        /// Trip.
        trip: TransitTripIx,
        /// Place among the trip's stops where one boards.
        board: u32,
        /// Place among the trip's stops where one alights.
        alight: u32,
        /// Departure from the first, seconds since midnight.
        start_s: u32,
        /// Arrival at the second, seconds since midnight.
        end_s: u32,
    },
}

/// A vehicle from one of its stops to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ride {
    /// Trip.
    pub trip: TransitTripIx,
    /// Place among the trip's stops where one boards.
    pub board: u32,
    /// Place among the trip's stops where one alights.
    pub alight: u32,
}

/// A journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// When it starts, seconds since midnight.
    pub depart_s: u32,
    /// When it ends, seconds since midnight.
    pub arrive_s: u32,
    /// Parts in order.
    pub legs: Vec<Leg>,
}

/// What a second of each kind counts, by a second in the vehicle.
///
/// The defaults are of the size that studies of values of time find (walking and waiting about twice as bad as riding,
/// a change as bad as several minutes more; Wardman 2004, "Public transport values of time", Transport Policy 11):
/// assumptions to be replaced by a place's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Walking.
    pub walk: f64,
    /// Waiting, from the start of the journey on.
    pub wait: f64,
    /// What each ride after the first costs, seconds in the vehicle.
    pub transfer_s: f64,
}

impl Default for Weights {
    /// 2, 2, 5 minutes.
    fn default() -> Self {
        Self { walk: 2.0, wait: 2.0, transfer_s: 300.0 }
    }
}

impl Journey {
    /// Number of rides.
    #[must_use]
    pub fn rides(&self) -> usize {
        self.ridden().count()
    }

    /// The rides.
    pub fn ridden(&self) -> impl Iterator<Item = Ride> {
        self.legs.iter().filter_map(|leg| match *leg {
            Leg::Ride { trip, board, alight, .. } => Some(Ride { trip, board, alight }),
            Leg::Walk { .. } => None,
        })
    }

    /// Seconds in vehicles, on foot and waiting; together the whole journey.
    #[must_use]
    pub fn times_s(&self) -> [u32; 3] {
        let (mut riding, mut walking) = (0, 0);
        for leg in &self.legs {
            match *leg {
                Leg::Walk { start_s, end_s, .. } => walking += end_s - start_s,
                Leg::Ride { start_s, end_s, .. } => riding += end_s - start_s,
            }
        }
        [riding, walking, self.arrive_s.saturating_sub(self.depart_s).saturating_sub(riding + walking)]
    }

    /// Starts no sooner than the first vehicle asks for.
    pub fn leave_late(&mut self) {
        let Some(first_s) = self.legs.iter().find_map(|leg| match *leg {
            Leg::Ride { start_s, .. } => Some(start_s),
            Leg::Walk { .. } => None,
        }) else {
            return;
        };
        if let Some(Leg::Walk { start_s, end_s, .. }) = self.legs.first_mut() {
            let later_s = first_s.saturating_sub(*end_s);
            *start_s += later_s;
            *end_s += later_s;
            self.depart_s = *start_s;
        }
    }

    /// Generalised cost, seconds in a vehicle.
    #[must_use]
    pub fn cost_s(&self, weights: &Weights) -> f64 {
        let [riding, walking, waiting] = self.times_s().map(f64::from);
        let changes = self.rides().saturating_sub(1) as f64;
        riding + weights.walk * walking + weights.wait * waiting + weights.transfer_s * changes
    }
}

/// The journey of the least cost; of equal ones the first.
#[must_use]
pub fn cheapest<'a>(journeys: &'a [Journey], weights: &Weights) -> Option<&'a Journey> {
    journeys.iter().min_by(|a, b| a.cost_s(weights).total_cmp(&b.cost_s(weights)))
}
