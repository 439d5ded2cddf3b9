//! Energy of all devices since the start.

use super::charger::ChargerEnergy;

/// Energy since the start, joules; `stored_j` and `owed_j` are what stands now.
///
/// Laws: `net = demand + heat pumps + charging + charged - discharged - generated + paid back - put off - curtailed`,
/// `charged = change of stored + battery losses + discharged`, `put off = paid back + owed`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeviceEnergy {
    /// Asked for by buildings themselves.
    pub demand_j: f64,
    /// Asked of the grid; of unsupplied buildings what nobody served.
    pub net_j: f64,
    /// Of `net_j`, that of unsupplied buildings.
    pub unsupplied_j: f64,
    /// Given by photovoltaics.
    pub generated_j: f64,
    /// Taken by batteries.
    pub charged_j: f64,
    /// Given by batteries.
    pub discharged_j: f64,
    /// Of `discharged_j`, to buildings without supply.
    pub backup_j: f64,
    /// Lost in batteries.
    pub battery_losses_j: f64,
    /// In batteries now.
    pub stored_j: f64,
    /// Drawn by heat pumps and their heaters.
    pub heat_pump_j: f64,
    /// Of `heat_pump_j`, by resistive heaters.
    pub heater_j: f64,
    /// Heat given to buildings.
    pub heat_j: f64,
    /// Load put off.
    pub put_off_j: f64,
    /// Load made up for.
    pub paid_back_j: f64,
    /// Put off and not yet paid back.
    pub owed_j: f64,
    /// Load done without.
    pub curtailed_j: f64,
    /// Chargers.
    pub charger: ChargerEnergy,
}

impl DeviceEnergy {
    /// Adds a part of a step to sums since the start; the charger's are kept by itself.
    pub(super) fn add(&mut self, part: &Self) {
        self.demand_j += part.demand_j;
        self.net_j += part.net_j;
        self.unsupplied_j += part.unsupplied_j;
        self.generated_j += part.generated_j;
        self.charged_j += part.charged_j;
        self.discharged_j += part.discharged_j;
        self.backup_j += part.backup_j;
        self.battery_losses_j += part.battery_losses_j;
        self.stored_j += part.stored_j;
        self.heat_pump_j += part.heat_pump_j;
        self.heater_j += part.heater_j;
        self.heat_j += part.heat_j;
        self.put_off_j += part.put_off_j;
        self.paid_back_j += part.paid_back_j;
        self.owed_j += part.owed_j;
        self.curtailed_j += part.curtailed_j;
    }
}
