//! Presence, the hour and the weather turned into what buildings draw from pipes: water, heat, gas; heat and gas only where
//! there is electricity.

use crate::settings::CouplingSettings;
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_core::{Clock, Domain};
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{People, Places};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::heat_loads::HeatLoads;
use urbis_utility::power::{CityGrid, StepTime};
use urbis_utility::water::city::CityWater;
use urbis_utility::water_demand::WaterDemands;

/// Asks for water and heat in every building, when a step starts.
#[allow(clippy::too_many_arguments)] // what the system reads and writes
pub fn ask_of_pipes(
    clock: Res<'_, Clock>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    model: Res<'_, PopulationModel>,
    settings: Res<'_, CouplingSettings>,
    mut first_presence: Local<'_, Vec<u32>>,
    grid: Option<Res<'_, CityGrid>>,
    draws: Option<ResMut<'_, WaterDemands>>,
    loads: Option<ResMut<'_, HeatLoads>>,
    water: Option<ResMut<'_, CityWater>>,
    gas: Option<ResMut<'_, CityGas>>,
    heat: Option<ResMut<'_, CityHeat>>,
) {
    let Some(mut draws) = draws.filter(|_| clock.is_due(Domain::Power)) else { return };
    let mut present = &people.present[..places.buildings()];
    if !settings.presence_to_water {
        if first_presence.is_empty() {
            *first_presence = present.to_vec();
        }
        present = &first_presence;
    }
    let hour = (clock.local_second_of_day(clock.tick()) / 3600) as usize;
    draws.ask(hour, present, 1.0 / model.sample_factor);
    if let Some(mut water) = water {
        water.asked_m3ps.copy_from_slice(&draws.demand_m3ps);
    }
    let Some(mut loads) = loads else { return };
    loads.ask(StepTime::of(&clock));
    // A boiler without electricity does not burn, a station of district heat does not pump.
    let has_power =
        |building: usize| !settings.power_to_boilers || grid.as_ref().is_none_or(|grid| grid.is_supplied(building));
    let asked_w = |building: usize| {
        if has_power(building) { loads.rooms_w[building] + draws.hot_water_w[building] } else { 0.0 }
    };
    if let Some(mut gas) = gas {
        for building in 0..draws.hot_water_w.len() {
            gas.asked_w[building] = if gas.is_connected(building) { asked_w(building) } else { 0.0 };
        }
    }
    if let Some(mut heat) = heat {
        for building in 0..draws.hot_water_w.len() {
            heat.asked_w[building] = if heat.is_connected(building) { asked_w(building) } else { 0.0 };
        }
    }
}
