//! Modes that do not queue on the road: everything but cars and vans takes the time that its plan gives it
//! ([`crate::plans::Plans::way_s`]). A calendar of arrivals; work per arrival.

use crate::plans::Plans;
use crate::presence::TripEnd;
use crate::settings::PopulationSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use urbis_core::clock::Tick;
use urbis_core::{Clock, TripIx};

/// Trips under way by simple modes, and those that end at this tick.
#[derive(Clone, Debug, Default, Resource)]
pub struct SimpleTrips {
    /// (millisecond, trip, bits of its way in metres).
    arrivals: BinaryHeap<Reverse<(u32, u32, u32)>>,
    /// Ended at this tick, in order of time and trip.
    pub ended: Vec<TripEnd>,
}

impl SimpleTrips {
    /// Sets out: the trip arrives after the time of its way.
    pub fn start(&mut self, trip: TripIx, tick: Tick, plans: &Plans) {
        let arrive_ms = tick * 1000 + (plans.way_s[trip.row()] * 1000.0).max(1000.0) as u32;
        self.arrivals.push(Reverse((arrive_ms, trip.0, plans.way_m[trip.row()].to_bits())));
    }
    /// A trip that somebody else has moved ends at a moment, milliseconds since the start, after a way in metres.
    pub fn end_at(&mut self, trip: TripIx, arrive_ms: u32, way_m: f32) {
        self.arrivals.push(Reverse((arrive_ms, trip.0, way_m.to_bits())));
    }
    /// Trips under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.arrivals.len()
    }
}

/// What of the settings is needed while stepping.
#[derive(Clone, Debug, Resource)]
pub struct PopulationModel {
    /// Share of all persons that is simulated.
    pub sample_factor: f64,
}

impl PopulationModel {
    /// From the settings of a scenario.
    #[must_use]
    pub fn new(settings: &PopulationSettings) -> Self {
        Self { sample_factor: settings.sample_factor }
    }
}

/// Collects the trips that arrive within this tick.
pub fn advance_simple_modes(clock: Res<'_, Clock>, mut trips: ResMut<'_, SimpleTrips>) {
    trips.ended.clear();
    let end_ms = (clock.tick() + 1) * 1000;
    while let Some(&Reverse((arrive_ms, trip, way_m))) = trips.arrivals.peek()
        && arrive_ms < end_ms
    {
        trips.arrivals.pop();
        let trip = TripIx(trip);
        trips.ended.push(TripEnd { trip, arrive_ms, distance_m: f32::from_bits(way_m), wait_s: 0.0 });
    }
}
