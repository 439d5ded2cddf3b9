//! The audit of a step: the conservation laws, checked while running. Cheap sums every tick, full
//! recounts every hour of simulated time and at the last tick. A broken law stops the run.
//!
//! Vehicles: requested = entered + waiting + rejected, entered = arrived + on the road.
//! Persons: all = in buildings + outside + travelling, and who travels is in a vehicle, waits for one or
//! travels by a simple mode, searches a space, changes between car and public transport or is taken out of an area by car. Parking: arrived = parked +
//! departed + turned away. Energy: served by zones = drawn by buildings and lamps; in a grid supplied = served + lost, and
//! asked for = received + not received. Water, gas and heat: supplied = served + lost + stored.

use crate::ledger::{
    check_books, check_devices, check_energy, check_finite, check_persons, check_supply, check_vehicles,
};
use crate::record_pipes::accounts;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use urbis_city::model::City;
use urbis_core::{Clock, Domain, Error, Result, Tick};
use urbis_coupling::{Changes, CityParking, CityTransit, Evacuations};
use urbis_population::{People, Persons, Places, SimpleTrips};
use urbis_traffic::{CarNetwork, Gridlock, GridlockReport, Traffic};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::{BuildingLoads, CityGrid, Devices, ZoneLoads};
use urbis_utility::sewer::city_sewer::CitySewer;
use urbis_utility::water::city::CityWater;

/// Ticks between full recounts.
pub const RECOUNT_TICKS: Tick = 3600;

/// The first error of the step loop; whoever runs the loop looks at it after every tick.
#[derive(Debug, Default, Resource)]
pub struct Fault(Option<Error>);

impl Fault {
    /// Keeps the error of a result, if it is the first.
    pub fn keep(&mut self, result: Result<()>) {
        if let Err(error) = result
            && self.0.is_none()
        {
            self.0 = Some(error);
        }
    }
    /// The error, if any.
    ///
    /// # Errors
    /// The first one that was kept.
    pub fn take(&mut self) -> Result<()> {
        self.0.take().map_or(Ok(()), Err)
    }
    /// Whether something went wrong.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

pub(crate) fn recounts_now(clock: &Clock) -> bool {
    clock.ends_interval(RECOUNT_TICKS) || !clock.has_next()
}

/// Checks the vehicles: running counts every tick, a count of all queues and links at recounts.
pub fn vehicles(clock: Res<'_, Clock>, traffic: Res<'_, Traffic>, mut fault: ResMut<'_, Fault>) {
    let counts = if recounts_now(&clock) { traffic.audit().0 } else { traffic.counts() };
    fault.keep(check_vehicles(
        clock.tick(),
        counts.requested,
        counts.entered,
        counts.arrived,
        counts.on_road,
        counts.waiting,
        counts.rejected,
    ));
}

/// Stops the run when there is gridlock and the scenario says so.
pub fn gridlock(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    network: Res<'_, CarNetwork>,
    report: Res<'_, GridlockReport>,
    mut fault: ResMut<'_, Fault>,
) {
    if !report.stops {
        return;
    }
    let ring = |row: &Gridlock| {
        let links = network.city_links(&row.links);
        let ids: Vec<&str> = links.iter().map(|link| city.links.id[link.row()].as_str()).collect();
        format!("{} vehicles on links {}", row.vehicles, ids.join(" "))
    };
    fault.keep(Err(Error::Stopped {
        tick: clock.tick() + 1,
        rule: "traffic.gridlock = \"stop\", and a ring of full links blocks itself".to_owned(),
        rows: report.rows.iter().map(ring).collect::<Vec<_>>().join("\n"),
    }));
}

/// Checks the parked cars: spaces every tick, those that persons left at recounts.
pub fn parking(clock: Res<'_, Clock>, parking: Res<'_, CityParking>, mut fault: ResMut<'_, Fault>) {
    let Some(ledger) = parking.ledger() else { return };
    let counted = if recounts_now(&clock) { parking.counted() } else { ledger.parked };
    if parking.is_conserved() && counted == ledger.parked {
        return;
    }
    fault.keep(Err(Error::BrokenLedger {
        tick: clock.tick(),
        law: "cars arrived = parked + departed + turned away, parked = in spaces = left by persons".into(),
        rows: format!("  {ledger:?}\n  left by persons = {counted}"),
    }));
}

/// Checks the persons: at recounts every place is added up; every tick those who travel are compared
/// with what traffic and the simple modes carry.
#[allow(clippy::too_many_arguments)] // an audit reads all that carry persons
pub fn persons(
    clock: Res<'_, Clock>,
    persons: Res<'_, Persons>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    traffic: Res<'_, Traffic>,
    simple: Res<'_, SimpleTrips>,
    parking: Res<'_, CityParking>,
    transit: Res<'_, CityTransit>,
    changes: Res<'_, Changes>,
    evacuations: Res<'_, Evacuations>,
    mut fault: ResMut<'_, Fault>,
) {
    let counts = traffic.counts();
    let carried = counts.on_road
        + counts.waiting
        + simple.under_way() as u64
        + parking.searching()
        + transit.under_way()
        + changes.changing()
        + evacuations.riding();
    if carried != u64::from(people.travelling) {
        fault.keep(Err(Error::BrokenLedger {
            tick: clock.tick(),
            law: "persons travelling = in vehicles + waiting for the road + by simple modes + searching a space + by public transport + changing to or from their car + beside a driver who evacuates them".into(),
            rows: format!(
                "  travelling = {}\n  in vehicles = {}\n  waiting = {}\n  by simple modes = {}\n  searching = {}\n  by public transport = {}\n  changing = {}\n  beside a driver = {}",
                people.travelling,
                counts.on_road,
                counts.waiting,
                simple.under_way(),
                parking.searching(),
                transit.under_way(),
                changes.changing(),
                evacuations.riding()
            ),
        }));
    }
    if recounts_now(&clock)
        && let Some(operation) = transit.operation()
    {
        fault.keep(operation.check());
    }
    if recounts_now(&clock) {
        let sum = |range: &[u32]| range.iter().map(|&count| u64::from(count)).sum::<u64>();
        let (inside, outside) = people.present.split_at(places.buildings());
        let total = persons.len() as u64;
        fault.keep(check_persons(clock.tick(), total, sum(inside), u64::from(people.travelling), sum(outside)));
    }
}

/// Checks the energy after every power step, and stops the run where a power flow did not converge and the scenario says
/// so.
pub fn energy(
    clock: Res<'_, Clock>,
    loads: Res<'_, BuildingLoads>,
    zones: Res<'_, ZoneLoads>,
    devices: Option<Res<'_, Devices>>,
    grid: Option<Res<'_, CityGrid>>,
    mut fault: ResMut<'_, Fault>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    fault.keep(check_finite(clock.tick(), "demand_w", &loads.demand_w));
    fault.keep(check_energy(clock.tick(), zones.total_served_j(), zones.total_drawn_j()));
    if let Some(devices) = devices {
        fault.keep(check_finite(clock.tick(), "net_w", &devices.net_w));
        fault.keep(check_devices(clock.tick(), devices.energy()));
    }
    let Some(grid) = grid else { return };
    if grid.stops() {
        let outcome = grid.outcome();
        let worst = outcome.worst_buses.iter();
        let worst = worst.map(|of| format!("  bus {}: {:.6} W, {:.6} var", of.id, of.p_w, of.q_var));
        fault.keep(Err(Error::Stopped {
            tick: clock.tick() + 1,
            rule: "power.grid.on_failure = \"stop\", and the power flow does not converge".to_owned(),
            rows: std::iter::once(format!("best mismatch {:e} per unit, worst at", outcome.mismatch_pu))
                .chain(worst)
                .collect::<Vec<_>>()
                .join("\n"),
        }));
    }
    let (power, energy) = (grid.balance(), &grid.energy);
    fault.keep(check_supply(
        clock.tick(),
        power.source_w + power.generated_w,
        power.served_w,
        power.branch_losses_w + power.shunt_losses_w,
        power.turnover_w,
    ));
    fault.keep(check_energy(clock.tick(), energy.received_j, zones.total_served_j()));
}

/// Checks the books of water, gas, heat and sewers after every step of them.
pub fn pipes(
    clock: Res<'_, Clock>,
    water: Option<Res<'_, CityWater>>,
    gas: Option<Res<'_, CityGas>>,
    heat: Option<Res<'_, CityHeat>>,
    sewer: Option<Res<'_, CitySewer>>,
    mut fault: ResMut<'_, Fault>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    for of in accounts(water.as_deref(), gas.as_deref(), heat.as_deref(), sewer.as_deref()) {
        fault.keep(check_books(clock.tick(), of.utility, &of.books));
    }
}
