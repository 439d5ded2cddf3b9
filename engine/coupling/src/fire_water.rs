//! Water for fires: engines at a building on fire draw from the hydrant nearest to it, as far as its pressure lets them.
//!
//! Some of the fire brigade's calls are buildings on fire. From when the first engine is there until it leaves, a flow is asked
//! for at the node that the building hangs on, one step of the water network later. What arrives is the share that arrives of
//! all that is asked for there, so a network with stopped pumps or a burst main leaves fires short of water too.
//!
//! Ignored: water that engines bring along or pump from elsewhere, fires that last longer for want of water.
//! Contract: sequential in order of calls; which call is a fire is drawn by building and moment.

use crate::emergency::dispatch::{CallState, NONE, ServiceKind};
use crate::emergency::{CallPlace, Emergency};
use crate::services::SERVED_SHARE;
use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use urbis_core::rng::Rng;
use urbis_core::{Clock, Domain};
use urbis_utility::water::city::CityWater;

/// Purpose of the draws of fires.
const PURPOSE: u32 = 0x4649_5245;

/// A fire that water is drawn for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fire {
    call: u32,
    building: u32,
    /// Asked for in the step that runs, m3/s.
    asked_m3ps: f64,
    is_short: bool,
}

/// Fires and their water since the start.
#[derive(Clone, Debug, Default, Resource)]
pub struct FireWater {
    seed: u64,
    /// Calls that have been looked at.
    seen: usize,
    burning: Vec<Fire>,
    /// Buildings on fire that called.
    pub fires: u64,
    /// Those that got less than half of the flow in some step.
    pub short: u64,
    /// Asked for in steps that are over, m3.
    pub asked_m3: f64,
    /// Of it, what came, m3.
    pub served_m3: f64,
}

impl FireWater {
    /// No fires yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }
    /// Takes the calls that have come in since.
    fn look(&mut self, emergency: &Emergency, share: f64) {
        let calls = emergency.dispatcher().calls();
        for call in self.seen..calls.request.len() {
            let (request, origin) = (&calls.request[call], &emergency.origins()[call]);
            let CallPlace::Building(building) = origin.at else { continue };
            let second = (request.time_ms / 1000) as u32;
            if request.kind == ServiceKind::Fire && Rng::new(self.seed, building.0, second, PURPOSE).chance(share) {
                self.fires += 1;
                let fire = Fire { call: call as u32, building: building.0, asked_m3ps: 0.0, is_short: false };
                self.burning.push(fire);
            }
        }
        self.seen = calls.request.len();
    }
    /// Writes down what came in a step that is over.
    fn settle(&mut self, served_share: &[f64], seconds: f64) {
        for fire in self.burning.iter_mut().filter(|fire| fire.asked_m3ps > 0.0) {
            let share = served_share[fire.building as usize];
            self.asked_m3 += fire.asked_m3ps * seconds;
            self.served_m3 += fire.asked_m3ps * seconds * share;
            self.short += u64::from(share < SERVED_SHARE && !fire.is_short);
            fire.is_short |= share < SERVED_SHARE;
        }
    }
}

/// Asks for water at fires in the step that starts: what engines have drawn in the one before.
pub fn draw_fire_water(
    clock: Res<'_, Clock>,
    settings: Res<'_, CouplingSettings>,
    emergency: Option<Res<'_, Emergency>>,
    water: Option<ResMut<'_, CityWater>>,
    mut fires: ResMut<'_, FireWater>,
) {
    let is_due = settings.fire_to_water && clock.is_due(Domain::Power);
    let (Some(emergency), Some(mut water)) = (emergency.filter(|_| is_due), water) else { return };
    let fires = &mut *fires;
    let seconds = f64::from(clock.step_ticks(Domain::Power));
    fires.settle(&water.served_share, seconds);
    fires.look(&emergency, settings.fires_share);
    let dispatcher = emergency.dispatcher();
    let (calls, now_s) = (dispatcher.calls(), f64::from(clock.tick()));
    fires.burning.retain_mut(|fire| {
        let call = fire.call as usize;
        fire.asked_m3ps = 0.0;
        if calls.state[call] != CallState::Answered || calls.first[call] == NONE {
            return true;
        }
        let from_s = dispatcher.sendings().arrive_ms(calls.first[call] as usize) as f64 / 1000.0;
        let until_s = from_s + f64::from(calls.request[call].scene_ms) / 1000.0;
        let drawn_s = (until_s.min(now_s) - from_s.max(now_s - seconds)).max(0.0);
        fire.asked_m3ps = settings.fire_flow_m3_per_h / 3600.0 * drawn_s / seconds;
        water.asked_m3ps[fire.building as usize] += fire.asked_m3ps;
        drawn_s > 0.0 || until_s > now_s
    });
}
