//! The conservation laws of a run, as pure checks on figures that others count, and the chokepoint
//! that keeps NaN and infinity out of tables.
//!
//! - vehicles: requested = waiting + rejected + entered, and entered = arrived + on the road;
//! - persons: total = in buildings + travelling + outside;
//! - energy: served = sum of the buildings' loads, and supplied = served + lost, to a relative tolerance.
//!
//! A law that does not hold is a fault of the program: the run fails with the tick and the figures.
//! Contract: no state, no clock, no file.

use urbis_core::{Error, Result, Tick};
use urbis_utility::power::DeviceEnergy;
use urbis_utility::wiring::{Books, Utility};

/// Names in column `ledger` of table `ledgers`.
pub mod name {
    /// Vehicles.
    pub const VEHICLES: &str = "vehicles";
    /// Persons.
    pub const PERSONS: &str = "persons";
    /// Electrical energy.
    pub const ENERGY: &str = "energy";
}

/// Names in column `term` of table `ledgers`.
pub mod term {
    /// Trips that asked for the road.
    pub const REQUESTED: &str = "requested";
    /// Vehicles that entered the road.
    pub const ENTERED: &str = "entered";
    /// Vehicles that arrived.
    pub const ARRIVED: &str = "arrived";
    /// Vehicles on the road.
    pub const ON_ROAD: &str = "on_road";
    /// Vehicles waiting at their origin for room on the road.
    pub const WAITING: &str = "waiting";
    /// Trips for which there is no route.
    pub const REJECTED: &str = "rejected";
    /// All persons.
    pub const TOTAL: &str = "total";
    /// Persons in buildings.
    pub const IN_BUILDINGS: &str = "in_buildings";
    /// Persons on their way.
    pub const TRAVELLING: &str = "travelling";
    /// Persons outside the city.
    pub const OUTSIDE: &str = "outside";
    /// Energy served.
    pub const SERVED: &str = "served";
    /// Sum of the buildings' loads.
    pub const SUM_OF_BUILDINGS: &str = "sum_of_buildings";
}

/// Largest relative difference between energy served and the sum of the buildings' loads.
pub const ENERGY_TOLERANCE: f64 = 1e-9;

/// The same of water, whose flows are found to what the lines through losses leave.
pub const WATER_TOLERANCE: f64 = 1e-7;

fn broken<T>(tick: Tick, law: &str, terms: &[(&str, String)]) -> Result<T> {
    let rows: Vec<_> = terms.iter().map(|(term, value)| format!("  {term} = {value}")).collect();
    Err(Error::BrokenLedger { tick, law: law.to_owned(), rows: rows.join("\n") })
}

/// Vehicles, counted since the start: `requested = waiting + rejected + entered` and
/// `entered = arrived + on_road`.
///
/// # Errors
/// [`Error::BrokenLedger`] with the figures.
pub fn check_vehicles(
    tick: Tick,
    requested: u64,
    entered: u64,
    arrived: u64,
    on_road: u64,
    waiting: u64,
    rejected: u64,
) -> Result<()> {
    if requested == waiting + rejected + entered && entered == arrived + on_road {
        return Ok(());
    }
    broken(
        tick,
        "vehicles requested = waiting + rejected + entered, and entered = arrived + on the road",
        &[
            (term::REQUESTED, requested.to_string()),
            (term::WAITING, waiting.to_string()),
            (term::REJECTED, rejected.to_string()),
            (term::ENTERED, entered.to_string()),
            (term::ARRIVED, arrived.to_string()),
            (term::ON_ROAD, on_road.to_string()),
        ],
    )
}

/// Persons now: `total = in_buildings + travelling + outside`.
///
/// # Errors
/// [`Error::BrokenLedger`] with the figures.
pub fn check_persons(tick: Tick, total: u64, in_buildings: u64, travelling: u64, outside: u64) -> Result<()> {
    if total == in_buildings + travelling + outside {
        return Ok(());
    }
    broken(
        tick,
        "persons in total = in buildings + travelling + outside",
        &[
            (term::TOTAL, total.to_string()),
            (term::IN_BUILDINGS, in_buildings.to_string()),
            (term::TRAVELLING, travelling.to_string()),
            (term::OUTSIDE, outside.to_string()),
        ],
    )
}

/// Energy of an interval or since the start, joules: `served = sum of the buildings`, to
/// [`ENERGY_TOLERANCE`] of the larger.
///
/// # Errors
/// [`Error::BrokenLedger`] with the figures; also when one of them is not finite.
pub fn check_energy(tick: Tick, served_j: f64, sum_buildings_j: f64) -> Result<()> {
    let difference_j = (served_j - sum_buildings_j).abs();
    if difference_j <= ENERGY_TOLERANCE * served_j.abs().max(sum_buildings_j.abs()) {
        return Ok(());
    }
    broken(
        tick,
        "energy served = sum of the buildings' loads",
        &[
            ("served_j", format!("{served_j}")),
            ("sum_of_buildings_j", format!("{sum_buildings_j}")),
            ("difference_j", format!("{difference_j}")),
        ],
    )
}

/// Energy of devices since the start: what is asked of the grid is what buildings and devices take less what they give, and
/// what was put off is paid back or owed, to [`ENERGY_TOLERANCE`] of the demand. That of batteries is checked by what stands
/// in them, see table `energy_balance`.
///
/// # Errors
/// [`Error::BrokenLedger`] with the figures; also when one of them is not finite.
pub fn check_devices(tick: Tick, of: &DeviceEnergy) -> Result<()> {
    let taken_j = of.demand_j + of.heat_pump_j + of.charger.drawn_j + of.charged_j + of.paid_back_j;
    let given_j = of.discharged_j + of.generated_j + of.put_off_j + of.curtailed_j + of.charger.fed_back_j;
    let scale_j = taken_j.abs().max(given_j.abs());
    let (meter_j, owed_j) = (taken_j - given_j - of.net_j, of.put_off_j - of.paid_back_j - of.owed_j);
    if meter_j.abs() <= ENERGY_TOLERANCE * scale_j && owed_j.abs() <= ENERGY_TOLERANCE * scale_j {
        return Ok(());
    }
    broken(
        tick,
        "energy asked of the grid = taken by buildings and devices - given, and put off = paid back + owed",
        &[
            ("taken_j", format!("{taken_j}")),
            ("given_j", format!("{given_j}")),
            ("net_j", format!("{}", of.net_j)),
            ("put_off_j", format!("{}", of.put_off_j)),
            ("paid_back_j", format!("{}", of.paid_back_j)),
            ("owed_j", format!("{}", of.owed_j)),
        ],
    )
}

/// Power of a grid in a step, watts: `supplied = served + lost`, to [`ENERGY_TOLERANCE`] of the largest or of `turnover_w`, all
/// that is drawn and fed in.
///
/// # Errors
/// [`Error::BrokenLedger`] with the figures; also when one of them is not finite.
pub fn check_supply(tick: Tick, supplied_w: f64, served_w: f64, lost_w: f64, turnover_w: f64) -> Result<()> {
    let difference_w = (supplied_w - served_w - lost_w).abs();
    if difference_w <= ENERGY_TOLERANCE * supplied_w.abs().max(served_w.abs()).max(lost_w.abs()).max(turnover_w) {
        return Ok(());
    }
    broken(
        tick,
        "power supplied to the grid = served + lost",
        &[
            ("supplied_w", format!("{supplied_w}")),
            ("served_w", format!("{served_w}")),
            ("lost_w", format!("{lost_w}")),
            ("difference_w", format!("{difference_w}")),
        ],
    )
}

/// Books of a network since the start: `supplied = served + lost + stored`, to [`ENERGY_TOLERANCE`] of the largest, of water
/// to [`WATER_TOLERANCE`].
///
/// # Errors
/// [`Error::BrokenLedger`] with the figures; also when one of them is not finite.
pub fn check_books(tick: Tick, utility: Utility, of: &Books) -> Result<()> {
    let tolerance = if utility == Utility::Water { WATER_TOLERANCE } else { ENERGY_TOLERANCE };
    if of.gap() <= tolerance {
        return Ok(());
    }
    broken(
        tick,
        &format!("{} supplied = served + lost + stored", utility.name()),
        &[
            ("supplied", of.supplied.to_string()),
            ("served", of.served.to_string()),
            ("lost", of.lost.to_string()),
            ("stored", of.stored.to_string()),
            ("difference", of.residual().to_string()),
        ],
    )
}

/// How many rows an error lists.
const ROWS_LISTED: usize = 10;

/// A column without NaN and infinity.
///
/// # Errors
/// [`Error::BrokenLedger`] naming the first rows that are not finite (rows count from 0, as indices
/// do) and how many there are.
pub fn check_finite(tick: Tick, column: &str, values: &[f64]) -> Result<()> {
    let mut bad = values.iter().enumerate().filter(|(_, value)| !value.is_finite());
    let listed: Vec<_> = bad.by_ref().take(ROWS_LISTED).map(|(row, v)| format!("  {column}[{row}] = {v}")).collect();
    if listed.is_empty() {
        return Ok(());
    }
    let more = match bad.count() {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let law = format!("every value of {column} is finite");
    Err(Error::BrokenLedger { tick, law, rows: listed.join("\n") + &more })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(result: Result<()>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn laws_that_hold() {
        check_vehicles(0, 10, 7, 4, 3, 2, 1).unwrap();
        check_persons(0, 10, 7, 2, 1).unwrap();
        check_energy(0, 1e12, 1e12 + 100.0).unwrap();
        check_energy(0, 0.0, 0.0).unwrap();
        check_supply(0, 1e8 + 0.09, 0.9e8, 0.1e8, 0.0).unwrap();
        check_supply(0, 1e-3, 0.0, 0.0, 2e6).unwrap();
        check_finite(0, "p_w", &[0.0, -1.0, f64::MAX]).unwrap();
    }

    #[test]
    fn broken_laws_name_tick_and_figures() {
        let error = figures(check_vehicles(812, 10, 7, 4, 2, 2, 1));
        assert!(
            error.contains("tick 812") && error.contains("arrived = 4") && error.contains("on_road = 2"),
            "{error}"
        );
        assert!(figures(check_vehicles(1, 11, 7, 4, 3, 2, 1)).contains("requested = 11"));
        assert!(figures(check_persons(3, 10, 7, 2, 2)).contains("outside = 2"));
        assert!(figures(check_energy(4, 1e12, 1e12 + 1001.0)).contains("difference_j = 1001"));
        assert!(figures(check_supply(4, 1e8 + 0.11, 0.9e8, 0.1e8, 0.9e8)).contains("lost_w = 10000000"));
        assert!(figures(check_supply(4, f64::NAN, 0.9e8, 0.1e8, 0.9e8)).contains("NaN"));
        assert!(figures(check_energy(4, f64::NAN, 1.0)).contains("NaN"));
        let mut column = vec![1.0; 40];
        for value in &mut column[5..20] {
            *value = f64::INFINITY;
        }
        let error = figures(check_finite(5, "density_vpm", &column));
        assert!(error.contains("density_vpm[5] = inf") && error.contains("and 5 more"), "{error}");
    }
}
