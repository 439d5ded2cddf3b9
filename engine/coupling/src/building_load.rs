//! Presence and the hour of the day turned into what buildings draw.

use crate::settings::CouplingSettings;
use bevy_ecs::system::{Local, Res, ResMut};
use urbis_core::{Clock, Domain};
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{People, Places};
use urbis_utility::power::{BuildingLoads, CityGrid};

/// Asks for power in every building, when a power step starts.
pub fn ask_for_power(
    clock: Res<'_, Clock>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    model: Res<'_, PopulationModel>,
    settings: Res<'_, CouplingSettings>,
    mut first_presence: Local<'_, Vec<u32>>,
    mut loads: ResMut<'_, BuildingLoads>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    let persons_scale = 1.0 / model.sample_factor;
    // The middle of the step stands for it.
    let second = clock.local_second_of_day(clock.tick() + clock.period(Domain::Power).ticks() / 2);
    let present = &people.present[..places.buildings()];
    if settings.presence_to_power {
        loads.ask(second, present, persons_scale);
    } else {
        if first_presence.is_empty() {
            *first_presence = present.to_vec();
        }
        loads.ask(second, &first_presence, persons_scale);
    }
}

/// Lets faults, repairs and switching happen that lie in the power step that starts, so that it is known who has supply.
pub fn switch_grid(clock: Res<'_, Clock>, grid: Option<ResMut<'_, CityGrid>>) {
    if let (true, Some(mut grid)) = (clock.is_due(Domain::Power), grid) {
        grid.switch(clock.tick(), clock.period(Domain::Power).ticks());
    }
}
