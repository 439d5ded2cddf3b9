//! Recorders of the electric grid: its buses, branches and infeeds by interval, and where energy went.

use crate::audit::Fault;
use crate::cells::TimeMs;
use crate::record::{Recorders, Recording};
use crate::tables::{BranchStateRow, BusStateRow, EnergyBalanceRow, OutagesRow, SubstationLoadRow};
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Local, Res, ResMut};
use bevy_ecs::world::World;
use urbis_core::{Clock, Result};
use urbis_utility::power::city_grid::{CityGrid, EnergyBalance, GridRows};
use urbis_utility::power::{DeviceEnergy, Devices};

/// Joules of a watt hour.
const JOULES_PER_WH: f64 = 3600.0;

/// Writes the tables of the grid that are due.
pub fn grid(
    clock: Res<'_, Clock>,
    grid: Option<ResMut<'_, CityGrid>>,
    devices: Option<Res<'_, Devices>>,
    recorders: Res<'_, Recorders>,
    mut before: Local<'_, Energy>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let Some(mut grid) = grid else { return };
    if fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    if recorders.bus_state.is_due(&clock) {
        fault.keep(buses(&clock, &grid, &recorders.bus_state, &mut writer));
        grid.buses.begin();
    }
    if recorders.branch_state.is_due(&clock) {
        fault.keep(branches(&clock, &grid, &recorders.branch_state, &mut writer));
        grid.branches.begin();
    }
    if recorders.substation_load.is_due(&clock) {
        fault.keep(infeeds(&clock, &grid, &recorders.substation_load, &mut writer));
        grid.infeeds.begin();
    }
    if recorders.energy_balance.is_due(&clock) {
        let (time, interval_s) = recorders.energy_balance.interval(&clock);
        let devices = devices.map_or_else(DeviceEnergy::default, |devices| *devices.energy());
        let now = Energy { grid: grid.energy, devices, failed_steps: grid.failed_steps() };
        fault.keep(writer.energy_balance(&balance(time, interval_s, grid.wiring().is_synthetic, &now, &before)));
        *before = now;
    }
}

fn buses(clock: &Clock, grid: &CityGrid, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let (flow, of, settings) = (grid.flow(), &grid.buses, grid.settings());
    for (row, bus_id) in flow.grid().buses.id.iter().enumerate() {
        let is_outside = of.dark_s[row] > 0.0
            || of.vm_min_pu[row] < settings.vm_min_pu
            || (of.vm_max_pu[row] > settings.vm_max_pu && of.vm_max_pu[row].is_finite());
        if settings.rows == GridRows::Exceptions && !is_outside {
            continue;
        }
        let v = flow.voltage(row as u32);
        let is_energised = flow.is_energised(row as u32);
        let finite = |value: f64| value.is_finite().then_some(value);
        writer.bus_state(&BusStateRow {
            time,
            interval_s,
            bus_id,
            base_kv: flow.grid().buses.base_v[row] / 1000.0,
            vm_pu: is_energised.then(|| v.norm()),
            va_deg: is_energised.then(|| v.arg().to_degrees()),
            vm_min_pu: finite(of.vm_min_pu[row]),
            vm_max_pu: finite(of.vm_max_pu[row]),
            unsupplied_s: of.dark_s[row],
        })?;
    }
    Ok(())
}

fn branches(clock: &Clock, grid: &CityGrid, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let (of, wiring, settings) = (grid.flow().grid(), grid.wiring(), grid.settings());
    for (row, flow) in grid.flows().iter().enumerate() {
        let loading_max = grid.branches.loading_max_percent[row];
        let is_outside = loading_max > settings.loading_max_percent;
        if settings.rows == GridRows::Exceptions && !is_outside {
            continue;
        }
        let id = |bus: u32| of.buses.id[bus as usize].as_str();
        let finite = |value: f64| value.is_finite().then_some(value);
        writer.branch_state(&BranchStateRow {
            time,
            interval_s,
            branch_id: &wiring.branch_id[row],
            kind: wiring.branch_kind[row],
            from_bus: id(of.branches.from[row]),
            to_bus: id(of.branches.to[row]),
            is_closed: of.branches.is_in_service[row],
            p_from_w: finite(flow.p_from_w),
            q_from_var: finite(flow.q_from_var),
            p_to_w: finite(flow.p_to_w),
            q_to_var: finite(flow.q_to_var),
            loading_percent: finite(grid.loading_percent(row)),
            loading_max_percent: (of.branches.rating_va[row] > 0.0).then_some(loading_max),
        })?;
    }
    Ok(())
}

fn infeeds(clock: &Clock, grid: &CityGrid, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let of = &grid.infeeds;
    for (row, infeed) in grid.wiring().infeeds.iter().enumerate() {
        let loading = infeed.branches.iter().map(|&(branch, _)| grid.loading_percent(branch as usize));
        writer.substation_load(&SubstationLoadRow {
            time,
            interval_s,
            substation_id: &infeed.id,
            p_w: of.energy_j[row] / interval_s,
            q_var: of.reactive_vars[row] / interval_s,
            p_max_w: of.p_max_w[row],
            loading_percent: loading.filter(|percent| percent.is_finite()).reduce(f64::max),
            energy_wh: of.energy_j[row] / JOULES_PER_WH,
        })?;
    }
    Ok(())
}

/// Energy of grid and devices since the start.
#[derive(Default)]
pub struct Energy {
    grid: EnergyBalance,
    devices: DeviceEnergy,
    failed_steps: u32,
}

impl Energy {
    /// What devices add to what the grid sees at the meter, joules: what roofs and batteries gave less what batteries took.
    fn behind_meters_j(&self) -> f64 {
        self.devices.generated_j - self.devices.charged_j + self.devices.discharged_j
    }
}

fn balance(
    time: TimeMs,
    interval_s: f64,
    is_synthetic: bool,
    now: &Energy,
    before: &Energy,
) -> EnergyBalanceRow<'static> {
    let since_wh = |of: fn(&Energy) -> f64| (of(now) - of(before)) / JOULES_PER_WH;
    let generated_wh = since_wh(|of| of.grid.generated_j + of.devices.generated_j);
    let imported_wh = since_wh(|of| of.grid.source_j);
    let served_wh = since_wh(|of| of.grid.served_j + of.behind_meters_j());
    let stored_wh = since_wh(|of| of.devices.stored_j);
    let lost_wh = since_wh(|of| of.grid.lost_j + of.devices.battery_losses_j);
    EnergyBalanceRow {
        time,
        interval_s,
        grid: if is_synthetic { "synthetic" } else { "file" },
        demand_wh: since_wh(|of| of.grid.asked_j + of.behind_meters_j()),
        received_wh: since_wh(|of| of.grid.received_j + of.behind_meters_j()),
        shed_wh: since_wh(|of| of.grid.shed_j),
        imported_wh,
        generated_wh,
        served_wh,
        stored_wh,
        lost_wh,
        residual_wh: imported_wh + generated_wh - served_wh - stored_wh - lost_wh,
        unconverged_steps: u64::from(now.failed_steps - before.failed_steps),
    }
}

/// Writes `outages`, once at the end.
///
/// # Errors
/// As [`ResultsWriter::outages`].
pub fn outages(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    let Some(grid) = world.get_resource::<CityGrid>() else { return Ok(()) };
    if world.resource::<Recorders>().outages.every.is_none() {
        return Ok(());
    }
    let clock = world.resource::<Clock>();
    for (row, of) in grid.operation().interruptions().iter().enumerate() {
        let duration_s = f64::from(of.seconds(clock.end()));
        writer.outages(&OutagesRow {
            outage_id: row as i64,
            cause: &of.cause,
            start_time: TimeMs(clock.utc_ms(of.from_s)),
            end_time: of.to_s.map(|to_s| TimeMs(clock.utc_ms(to_s))),
            customers: u64::from(of.customers),
            duration_s,
            customer_minutes: f64::from(of.customers) * duration_s / 60.0,
        })?;
    }
    Ok(())
}
