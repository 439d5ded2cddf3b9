//! Modes that do not queue on the road: everything but cars and vans travels at the speed of its mode
//! along the straight line times a detour factor, plus access time. A calendar of arrivals; work per
//! arrival.

use crate::persons::Places;
use crate::plans::Plans;
use crate::presence::TripEnd;
use crate::settings::{ModeSettings, PopulationSettings};
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
    /// Sets out: the trip arrives after its mode's time.
    pub fn start(&mut self, trip: TripIx, tick: Tick, plans: &Plans, places: &Places, model: &PopulationModel) {
        let (way_m, seconds) = way(trip, plans, places, model);
        debug_assert!(way_m.is_finite());
        let arrive_ms = tick * 1000 + (seconds * 1000.0).max(1000.0) as u32;
        self.arrivals.push(Reverse((arrive_ms, trip.0)));
    }
    /// Trips under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.arrivals.len()
    }
}

/// Way in metres and time in seconds.
fn way(trip: TripIx, plans: &Plans, places: &Places, model: &PopulationModel) -> (f64, f64) {
    let mode = &model.modes[plans.mode[trip.row()] as usize];
    let way_m = places.distance_m(plans.from[trip.row()], plans.to[trip.row()]) * mode.detour;
    (way_m, mode.access_min * 60.0 + way_m / (mode.speed_kmh / 3.6))
}

/// What of the settings is needed while stepping.
#[derive(Clone, Debug, Resource)]
pub struct PopulationModel {
    /// Share of all persons that is simulated.
    pub sample_factor: f64,
    modes: Vec<ModeSettings>,
}

impl PopulationModel {
    /// From the settings of a scenario.
    #[must_use]
    pub fn new(settings: &PopulationSettings) -> Self {
        Self { sample_factor: settings.sample_factor, modes: settings.all_modes() }
    }
}

/// Collects the trips that arrive within this tick.
pub fn advance_simple_modes(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    places: Res<'_, Places>,
    model: Res<'_, PopulationModel>,
    mut trips: ResMut<'_, SimpleTrips>,
) {
    trips.ended.clear();
    let end_ms = (clock.tick() + 1) * 1000;
    while let Some(&Reverse((arrive_ms, trip))) = trips.arrivals.peek()
        && arrive_ms < end_ms
    {
        trips.arrivals.pop();
        let trip = TripIx(trip);
        let (way_m, _) = way(trip, &plans, &places, &model);
        trips.ended.push(TripEnd { trip, arrive_ms, distance_m: way_m as f32, wait_s: 0.0 });
    }
}
