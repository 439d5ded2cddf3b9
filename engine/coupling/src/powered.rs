//! Machines that stop without electricity: traffic lights, pumps, heating plants, compressors.
//!
//! A machine has the supply of a building: the nearest one along its own network, or in a straight line for traffic lights.
//! While that is dark it runs on its battery or generator for so many hours (`coupling.backup_h`); a step counts as a whole,
//! so it runs through a step that its backup lasts for, and not through one that it does not. Backup fills again as fast as
//! it empties. A machine is also out while somebody else holds its controller ([`crate::event`]).
//!
//! [`crate::dark_signals`] and [`crate::stopped_pumps`] are what comes of it.
//!
//! Ignored: voltage that is too low, machines that do not start again by themselves, fuel that comes by road.
//! Contract: sequential in order of rows; the same on any number of threads.

use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use urbis_city::model::City;
use urbis_core::{Clock, Domain};
use urbis_traffic::{CarNetwork, Signals};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::CityGrid;
use urbis_utility::water::city::CityWater;
use urbis_utility::wiring::PowerNeed;

/// What a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MachineKind {
    /// The lights of a junction; rows are those of [`Signals`].
    Signal,
    /// A pump; rows are links of the water network.
    WaterPump,
    /// A heating plant or pump of district heat; rows are elements.
    HeatPlant,
    /// A compressor of gas; rows are elements.
    GasCompressor,
}

urbis_core::named!(MachineKind {
    Signal = "signal",
    WaterPump = "water_pump",
    HeatPlant = "heat_plant",
    GasCompressor = "gas_compressor",
});

/// A machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// What it is.
    pub kind: MachineKind,
    /// Its row among its kind.
    pub row: u32,
    /// Building whose supply it shares; [`u32::MAX`] where there is none, and it never lacks any.
    pub building: u32,
    /// How long its backup lasts when full, seconds.
    pub backup_s: f64,
    /// How long it lasts still.
    pub left_s: f64,
    /// Reasons to be out whatever its supply.
    pub held: u32,
    /// Whether it is out in this step.
    pub is_out: bool,
    /// Time that it was out since the start, seconds.
    pub out_s: u64,
}

impl Machine {
    /// Decides whether it runs through a step of so many seconds.
    pub fn step(&mut self, is_supplied: bool, seconds: u32) {
        let step_s = f64::from(seconds);
        let runs = if is_supplied {
            self.left_s = (self.left_s + step_s).min(self.backup_s);
            true
        } else if self.left_s >= step_s {
            self.left_s -= step_s;
            true
        } else {
            false
        };
        self.is_out = !runs || self.held > 0;
        self.out_s += u64::from(self.is_out) * u64::from(seconds);
    }
}

/// All machines of a run.
#[derive(Clone, Debug, Default, Resource)]
pub struct Machines {
    /// In order of kind, then row.
    pub of: Vec<Machine>,
}

/// What of a city has machines.
#[derive(Clone, Copy, Debug)]
pub struct MachineSources<'a> {
    /// Traffic lights.
    pub signals: Option<&'a Signals>,
    /// Drinking water.
    pub water: Option<&'a CityWater>,
    /// District heat.
    pub heat: Option<&'a CityHeat>,
    /// Gas.
    pub gas: Option<&'a CityGas>,
}

impl Machines {
    /// The machines of a city.
    #[must_use]
    pub fn new(city: &City, network: &CarNetwork, of: MachineSources<'_>, settings: &CouplingSettings) -> Self {
        let mut this = Self::default();
        let mut add = |kind: MachineKind, row: u32, building: u32| {
            let backup_s = 3600.0
                * match kind {
                    MachineKind::Signal => settings.backup_h.signals,
                    MachineKind::WaterPump => settings.backup_h.water_pumps,
                    MachineKind::HeatPlant => settings.backup_h.heat_plants,
                    MachineKind::GasCompressor => settings.backup_h.gas_compressors,
                };
            let (left_s, held, is_out, out_s) = (backup_s, 0, false, 0);
            this.of.push(Machine { kind, row, building, backup_s, left_s, held, is_out, out_s });
        };
        if let Some(signals) = of.signals {
            for unit in 0..signals.len() {
                let node = network.city_node[signals.junction(unit).nodes[0] as usize].row();
                let place = [city.nodes.x_m[node], city.nodes.y_m[node]];
                add(MachineKind::Signal, unit as u32, nearest_building(city, place));
            }
        }
        let mut add_all = |kind: MachineKind, needs: Vec<PowerNeed>| {
            needs.into_iter().for_each(|need| add(kind, need.element, need.building));
        };
        add_all(MachineKind::WaterPump, of.water.map_or_else(Vec::new, CityWater::power_needs));
        add_all(MachineKind::HeatPlant, of.heat.map_or_else(Vec::new, CityHeat::power_needs));
        add_all(MachineKind::GasCompressor, of.gas.map_or_else(Vec::new, CityGas::power_needs));
        this
    }
    /// Machines of a kind that are out in this step.
    #[must_use]
    pub fn out(&self, kind: MachineKind) -> usize {
        self.of.iter().filter(|of| of.kind == kind && of.is_out).count()
    }
}

/// Row of the building nearest to a place; [`u32::MAX`] in a city without any.
#[must_use]
pub fn nearest_building(city: &City, [x_m, y_m]: [f64; 2]) -> u32 {
    let away2 = |row: usize| {
        let (dx_m, dy_m) = (city.buildings.x_m[row] - x_m, city.buildings.y_m[row] - y_m);
        dx_m * dx_m + dy_m * dy_m
    };
    let nearest = (0..city.buildings.len()).min_by(|&a, &b| away2(a).total_cmp(&away2(b)));
    nearest.map_or(u32::MAX, |row| row as u32)
}

/// Decides which machines run through the power step that starts.
pub fn run_machines(
    clock: Res<'_, Clock>,
    settings: Res<'_, CouplingSettings>,
    grid: Option<Res<'_, CityGrid>>,
    mut machines: ResMut<'_, Machines>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    let seconds = clock.step_ticks(Domain::Power);
    for machine in &mut machines.of {
        let has_supply = |grid: &Res<'_, CityGrid>| grid.is_supplied(machine.building as usize);
        let is_coupled = match machine.kind {
            MachineKind::Signal => settings.power_to_signals,
            _ => settings.power_to_pumps,
        };
        let is_supplied = !is_coupled || machine.building == u32::MAX || grid.as_ref().is_none_or(has_supply);
        machine.step(is_supplied, seconds);
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn machine(backup_h: f64) -> Machine {
        let backup_s = 3600.0 * backup_h;
        let (kind, row, building) = (MachineKind::Signal, 0, 0);
        Machine { kind, row, building, backup_s, left_s: backup_s, held: 0, is_out: false, out_s: 0 }
    }

    #[test]
    fn backup_lasts_as_long_as_it_says_and_fills_again() {
        // Dark for ten quarters of an hour: a backup of one hour bridges four of them.
        let mut of = machine(1.0);
        let mut ran = Vec::new();
        for quarter in 0..20 {
            of.step(quarter >= 10, 900);
            ran.push(!of.is_out);
        }
        let expected: Vec<bool> = (0..20).map(|quarter| !(4..10).contains(&quarter)).collect();
        assert_eq!(ran, expected);
        assert_eq!(of.out_s, 6 * 900);
        assert!((of.left_s - 3600.0).abs() < 1e-12);
        // Without backup it is out at once.
        let mut none = machine(0.0);
        none.step(false, 900);
        assert!(none.is_out);
        none.step(true, 900);
        assert!(!none.is_out);
        // Half an hour of supply is half an hour of backup.
        let mut of = machine(1.0);
        (0..4).for_each(|_| of.step(false, 900));
        (0..2).for_each(|_| of.step(true, 900));
        let dark: Vec<bool> = (0..3)
            .map(|_| {
                of.step(false, 900);
                of.is_out
            })
            .collect();
        assert_eq!(dark, [false, false, true]);
    }

    #[test]
    fn who_holds_the_controller_stops_it() {
        let mut of = machine(8.0);
        of.held = 1;
        of.step(true, 900);
        assert!(of.is_out);
        of.held = 0;
        of.step(true, 900);
        assert!(!of.is_out);
    }
}
