//! Presence, the date and hour, and the weather turned into what buildings draw.

use crate::settings::CouplingSettings;
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_core::{Clock, Domain};
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{People, Places};
use urbis_utility::Weather;
use urbis_utility::power::{BuildingLoads, CityGrid, StepTime};

/// Asks for power in every building, when a power step starts.
#[allow(clippy::too_many_arguments)] // what the system reads and writes
pub fn ask_for_power(
    clock: Res<'_, Clock>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    model: Res<'_, PopulationModel>,
    settings: Res<'_, CouplingSettings>,
    weather: Res<'_, Weather>,
    mut first_presence: Local<'_, Vec<u32>>,
    mut loads: ResMut<'_, BuildingLoads>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    let persons_scale = 1.0 / model.sample_factor;
    let present = &people.present[..places.buildings()];
    let time = StepTime::of(&clock);
    if settings.presence_to_power {
        loads.ask(time, &weather, present, persons_scale);
    } else {
        if first_presence.is_empty() {
            *first_presence = present.to_vec();
        }
        loads.ask(time, &weather, &first_presence, persons_scale);
    }
}

/// Lets faults, repairs and switching happen that lie in the power step that starts, so that it is known who has supply.
pub fn switch_grid(clock: Res<'_, Clock>, grid: Option<ResMut<'_, CityGrid>>) {
    if let (true, Some(mut grid)) = (clock.is_due(Domain::Power), grid) {
        grid.switch(clock.tick(), clock.period(Domain::Power).ticks());
    }
}
