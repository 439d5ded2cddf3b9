//! Buildings added up to zones and sectors, and the energy of the period.
//!
//! Law: energy served = sum of the energy of buildings + street lighting. Both sides are added up on
//! their own, by zone and by building, and compared by the audit. Where the city has a grid, served is what
//! arrives; where it has devices, what they take and give behind the meter is part of it.

use super::city_grid::CityGrid;
use super::devices::Devices;
use super::intensity::{Sector, street_light_share};
use super::load::BuildingLoads;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use urbis_city::model::City;
use urbis_core::csr::Csr;
use urbis_core::{BuildingIx, Clock, Domain};

/// Loads of zones by sector.
#[derive(Clone, Debug, Default, Resource)]
pub struct ZoneLoads {
    members: Csr<BuildingIx>,
    /// Served in this step, watts. Shape: zones x 4, sectors of one zone together.
    pub served_w: Vec<f64>,
    /// Energy served since the start by zone and sector, joules. Same shape.
    pub served_j: Vec<f64>,
    /// Served to each building in this step, watts.
    pub building_w: Vec<f64>,
    /// Served to the street lamps of each zone in this step, watts.
    pub lamps_w: Vec<f64>,
    /// Energy drawn since the start by building, joules.
    pub building_j: Vec<f64>,
    /// Energy of street lighting since the start, joules.
    pub lighting_j: f64,
}

impl ZoneLoads {
    /// Sums of a city.
    #[must_use]
    pub fn new(city: &City, loads: &BuildingLoads) -> Self {
        let cells = city.zones.len() * Sector::ALL.len();
        Self {
            members: city.buildings.by_zone(city.zones.len()),
            served_w: vec![0.0; cells],
            served_j: vec![0.0; cells],
            building_w: vec![0.0; loads.demand_w.len()],
            lamps_w: vec![0.0; city.zones.len()],
            building_j: vec![0.0; loads.demand_w.len()],
            lighting_j: 0.0,
        }
    }
    /// Energy served to all zones since the start, joules.
    #[must_use]
    pub fn total_served_j(&self) -> f64 {
        urbis_core::chunks::sum(&self.served_j)
    }
    /// Energy that buildings and lamps drew since the start, joules.
    #[must_use]
    pub fn total_drawn_j(&self) -> f64 {
        urbis_core::chunks::sum(&self.building_j) + self.lighting_j
    }
    /// Energy served by sector since the start, joules, in order of [`Sector::ALL`].
    #[must_use]
    pub fn by_sector_j(&self) -> [f64; 4] {
        Sector::ALL.map(|sector| self.served_j.iter().skip(sector as usize).step_by(Sector::ALL.len()).sum())
    }
    /// Power served by sector in this step, watts.
    #[must_use]
    pub fn by_sector_w(&self) -> [f64; 4] {
        Sector::ALL.map(|sector| self.served_w.iter().skip(sector as usize).step_by(Sector::ALL.len()).sum())
    }
}

/// Serves what is asked for, through the grid where there is one: adds buildings to zones and counts the energy of the step
/// that starts now.
pub fn serve_loads(
    clock: Res<'_, Clock>,
    loads: Res<'_, BuildingLoads>,
    mut zones: ResMut<'_, ZoneLoads>,
    devices: Option<Res<'_, Devices>>,
    grid: Option<ResMut<'_, CityGrid>>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    let ticks = clock.step_ticks(Domain::Power);
    let seconds = f64::from(ticks);
    let light = street_light_share((clock.local_second_of_day(clock.tick()) / 3600) as usize);
    let ZoneLoads { members, served_w, building_w, lamps_w, served_j, building_j, lighting_j } = &mut *zones;
    building_w.copy_from_slice(devices.as_ref().map_or(&loads.demand_w, |devices| &devices.net_w));
    for (watts, full_w) in lamps_w.iter_mut().zip(&loads.lighting_w) {
        *watts = full_w * light;
    }
    if let Some(mut grid) = grid {
        let pv_w = devices.as_ref().map_or(&[][..], |devices| &devices.pv_w);
        grid.serve(building_w, lamps_w, pv_w, clock.tick(), ticks);
    }
    served_w.fill(0.0);
    for (zone, &lamps_w) in lamps_w.iter().enumerate() {
        let cells = zone * Sector::ALL.len();
        for building in members.row(zone) {
            served_w[cells + loads.sector[building.row()] as usize] += building_w[building.row()];
        }
        served_w[cells + Sector::Lighting as usize] = lamps_w;
        *lighting_j += lamps_w * seconds;
    }
    for (energy, power) in served_j.iter_mut().zip(served_w.iter()) {
        *energy += power * seconds;
    }
    for (energy, power) in building_j.iter_mut().zip(building_w.iter()) {
        *energy += power * seconds;
    }
}
