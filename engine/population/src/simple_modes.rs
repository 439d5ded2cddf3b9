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
    arrivals: BinaryHeap<Reverse<(u32, u32)>>,
    /// Ended at this tick, in order of time and trip.
    pub ended: Vec<TripEnd>,
}

impl SimpleTrips {
    /// Sets out: the trip arrives after the time of its way.
    pub fn start(&mut self, trip: TripIx, tick: Tick, plans: &Plans) {
        let arrive_ms = tick * 1000 + (plans.way_s[trip.row()] * 1000.0).max(1000.0) as u32;
        self.arrivals.push(Reverse((arrive_ms, trip.0)));
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
pub fn advance_simple_modes(clock: Res<'_, Clock>, plans: Res<'_, Plans>, mut trips: ResMut<'_, SimpleTrips>) {
    trips.ended.clear();
    let end_ms = (clock.tick() + 1) * 1000;
    while let Some(&Reverse((arrive_ms, trip))) = trips.arrivals.peek()
        && arrive_ms < end_ms
    {
        trips.arrivals.pop();
        let trip = TripIx(trip);
        trips.ended.push(TripEnd { trip, arrive_ms, distance_m: plans.way_m[trip.row()], wait_s: 0.0 });
    }
}
