//! Recorders of water, gas, district heat and sewers: nodes and links by interval, who went without, and where it all went.

use crate::audit::Fault;
use crate::record::{Recorders, Recording};
use crate::tables::{
    GasLinkRow, GasNodeRow, HeatLinkRow, HeatNodeRow, ServiceRow, SewerNodeRow, TankRow, UtilityBalanceRow,
    WaterLinkRow, WaterNodeRow,
};
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Local, Res, ResMut};
use std::collections::BTreeMap;
use urbis_city::model::City;
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{Clock, Result};
use urbis_coupling::Services;
use urbis_population::simple_modes::PopulationModel;
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::pipes::NORM_T_K;
use urbis_utility::pipes::network::Network;
use urbis_utility::sewer::books::WaterBalance;
use urbis_utility::sewer::city_sewer::CitySewer;
use urbis_utility::water::city::CityWater;
use urbis_utility::water::network::{LinkKind, NodeKind};
use urbis_utility::water::tanks;
use urbis_utility::wiring::{Books, Utility};

/// Writes the tables of water that are due.
pub fn water(
    clock: Res<'_, Clock>,
    water: Option<ResMut<'_, CityWater>>,
    recorders: Res<'_, Recorders>,
    mut inflow_before_m3: Local<'_, Vec<f64>>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let Some(mut water) = water else { return };
    if fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    if recorders.tank.is_due(&clock) {
        fault.keep(tanks_of(&clock, &water, &recorders.tank, &mut inflow_before_m3, &mut writer));
    }
    if recorders.water_node.is_due(&clock) {
        fault.keep(water_nodes(&clock, &water, &recorders.water_node, &mut writer));
        water.nodes.begin();
    }
    if recorders.water_link.is_due(&clock) {
        fault.keep(water_links(&clock, &water, &recorders.water_link, &mut writer));
        water.links.begin();
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn water_nodes(clock: &Clock, water: &CityWater, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let (of, tally) = (&water.run().hydraulics, &water.nodes);
    for (row, node_id) in of.network().nodes.id.iter().enumerate() {
        let is_junction = of.network().nodes.kind[row] == NodeKind::Junction;
        let pressure_m = water.pressure_m(row);
        writer.water_node(&WaterNodeRow {
            time,
            interval_s,
            node_id,
            head_m: pressure_m.map(|_| of.head_m[row]),
            pressure_m,
            pressure_min_m: finite(tally.pressure_min_m[row]),
            demand_m3ps: if is_junction { tally.asked_m3[row] / interval_s } else { 0.0 },
            served_m3ps: tally.served_m3[row] / interval_s,
            unsupplied_s: tally.dark_s[row],
        })?;
    }
    Ok(())
}

fn water_links(clock: &Clock, water: &CityWater, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let of = &water.run().hydraulics;
    let (nodes, links) = (&of.network().nodes, &of.network().links);
    for (row, link_id) in links.id.iter().enumerate() {
        let (from, to) = (links.from[row] as usize, links.to[row] as usize);
        let is_supplied = of.is_supplied[from] && of.is_supplied[to];
        writer.water_link(&WaterLinkRow {
            time,
            interval_s,
            link_id,
            kind: kind_of(links.kind[row]),
            from_node: &nodes.id[from],
            to_node: &nodes.id[to],
            flow_m3ps: water.links.passed_m3[row] / interval_s,
            velocity_max_mps: water.links.velocity_max_mps[row],
            headloss_m: is_supplied.then(|| of.head_m[from] - of.head_m[to]),
            status: of.state[row].name(),
        })?;
    }
    Ok(())
}

pub(crate) fn kind_of(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Pipe => "pipe",
        LinkKind::CheckValve => "check valve",
        LinkKind::Pump => "pump",
        LinkKind::Prv => "pressure reducing valve",
        LinkKind::Psv => "pressure sustaining valve",
        LinkKind::Pbv => "pressure breaker valve",
        LinkKind::Fcv => "flow control valve",
        LinkKind::Tcv => "throttle control valve",
        LinkKind::Gpv => "general purpose valve",
    }
}

fn tanks_of(
    clock: &Clock,
    water: &CityWater,
    recording: &Recording,
    before_m3: &mut Vec<f64>,
    writer: &mut ResultsWriter,
) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let run = water.run();
    let net = run.hydraulics.network();
    if before_m3.is_empty() {
        *before_m3 = (0..net.tanks.node.len())
            .map(|tank| tanks::volume_m3(net, tank, net.tanks.initial_level_m[tank]))
            .collect();
    }
    for (tank, &volume_m3) in run.volume_m3.iter().enumerate() {
        writer.tank(&TankRow {
            time,
            interval_s,
            tank_id: &net.nodes.id[net.tanks.node[tank] as usize],
            level_m: tanks::level_m(net, tank, volume_m3),
            volume_m3,
            inflow_m3ps: (volume_m3 - before_m3[tank]) / interval_s,
        })?;
        before_m3[tank] = volume_m3;
    }
    Ok(())
}

/// Writes the tables of gas that are due.
pub fn gas(
    clock: Res<'_, Clock>,
    gas: Option<ResMut<'_, CityGas>>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let Some(mut gas) = gas else { return };
    if fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    if recorders.gas_node.is_due(&clock) {
        fault.keep(gas_nodes(&clock, &gas, &recorders.gas_node, &mut writer));
        gas.tally.begin_nodes();
    }
    if recorders.gas_link.is_due(&clock) {
        fault.keep(gas_links(&clock, &gas, &recorders.gas_link, &mut writer));
        gas.tally.begin_links();
    }
}

fn gas_nodes(clock: &Clock, gas: &CityGas, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let (flow, nodes) = (gas.flow(), &gas.flow().network().nodes);
    for node in (0..nodes.len()).filter(|&node| nodes.is_junction[node]) {
        writer.gas_node(&GasNodeRow {
            time,
            interval_s,
            node_id: &nodes.id[node],
            pressure_pa: finite(flow.pressure_pa(node as u32)),
            gauge_pa: finite(flow.gauge_pa(node as u32)),
            gauge_min_pa: finite(gas.tally.gauge_min_pa[node]),
            unsupplied_s: gas.tally.dark_s[node],
        })?;
    }
    Ok(())
}

/// An element by table and index, and the ids of its ends.
pub(crate) fn named(network: &Network, element: usize) -> (String, &str, &str) {
    let of = &network.elements[element];
    let range = of.links();
    let end = |node: u32| network.nodes.id[node as usize].as_str();
    let (from, to) = (network.links.from[range.start], network.links.to[range.end - 1]);
    (format!("{} {}", of.table, of.id), end(from), end(to))
}

fn gas_links(clock: &Clock, gas: &CityGas, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let flow = gas.flow();
    for (element, of) in flow.network().elements.iter().enumerate() {
        let (link_id, from_node, to_node) = named(flow.network(), element);
        let state = flow.element(element);
        writer.gas_link(&GasLinkRow {
            time,
            interval_s,
            link_id: &link_id,
            name: &of.name,
            from_node,
            to_node,
            mdot_kgps: state.mdot_kgps,
            velocity_max_mps: gas.tally.velocity_max_mps[element],
            linepack_kg: finite(state.linepack_kg).unwrap_or(0.0),
        })?;
    }
    Ok(())
}

/// Writes the tables of district heat that are due.
pub fn heat(
    clock: Res<'_, Clock>,
    heat: Option<ResMut<'_, CityHeat>>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let Some(mut heat) = heat else { return };
    if fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    if recorders.heat_node.is_due(&clock) {
        fault.keep(heat_nodes(&clock, &heat, &recorders.heat_node, &mut writer));
        heat.tally.begin();
    }
    if recorders.heat_link.is_due(&clock) {
        fault.keep(heat_links(&clock, &heat, &recorders.heat_link, &mut writer));
    }
}

fn celsius(t_k: f64) -> Option<f64> {
    finite(t_k - NORM_T_K)
}

fn heat_nodes(clock: &Clock, heat: &CityHeat, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let flow = heat.run().flow();
    let nodes = &flow.network().nodes;
    for node in (0..nodes.len()).filter(|&node| nodes.is_junction[node]) {
        let pressure_pa = finite(flow.pressure_pa(node as u32));
        writer.heat_node(&HeatNodeRow {
            time,
            interval_s,
            node_id: &nodes.id[node],
            pressure_pa,
            temp_c: pressure_pa.and_then(|_| celsius(flow.t_k(node as u32))),
            temp_min_c: celsius(heat.tally.t_min_k[node]),
            unsupplied_s: heat.tally.dark_s[node],
        })?;
    }
    Ok(())
}

fn heat_links(clock: &Clock, heat: &CityHeat, recording: &Recording, writer: &mut ResultsWriter) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    let flow = heat.run().flow();
    for (element, of) in flow.network().elements.iter().enumerate() {
        let (link_id, from_node, to_node) = named(flow.network(), element);
        let state = flow.element(element);
        let has_length = of.links().any(|link| flow.network().links.length_m[link] > 0.0);
        writer.heat_link(&HeatLinkRow {
            time,
            interval_s,
            link_id: &link_id,
            name: &of.name,
            from_node,
            to_node,
            mdot_kgps: state.mdot_kgps,
            velocity_mps: if has_length { finite(state.v_mps).unwrap_or(0.0) } else { 0.0 },
            temp_from_c: celsius(state.t_from_k),
            temp_to_c: celsius(state.t_to_k),
        })?;
    }
    Ok(())
}

/// Writes `sewer_node` when it is due.
pub fn sewer(
    clock: Res<'_, Clock>,
    sewer: Option<ResMut<'_, CitySewer>>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let Some(mut sewer) = sewer.filter(|_| !fault.is_set() && recorders.sewer_node.is_due(&clock)) else { return };
    writer.at_tick(clock.tick());
    let (time, interval_s) = recorders.sewer_node.interval(&clock);
    let (of, invert_m) = (&sewer.nodes, sewer.invert_m());
    let mut rows = sewer.wiring().node_id.iter().enumerate();
    fault.keep(rows.try_for_each(|(row, node_id)| {
        writer.sewer_node(&SewerNodeRow {
            time,
            interval_s,
            node_id,
            depth_max_m: of.depth_m[row],
            head_max_m: invert_m[row] + of.depth_m[row],
            inflow_max_m3ps: of.inflow_m3ps[row],
            flooded_m3: of.flooded_m3[row],
            outfall_m3: of.left_m3[row],
        })
    }));
    sewer.nodes.begin();
}

/// Writes `service` when it is due.
pub fn service(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    model: Res<'_, PopulationModel>,
    mut services: ResMut<'_, Services>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if fault.is_set() || !recorders.service.is_due(&clock) {
        return;
    }
    writer.at_tick(clock.tick());
    let (time, interval_s) = recorders.service.interval(&clock);
    let persons_each = 1.0 / model.sample_factor;
    let mut write = || -> Result<()> {
        for of in &services.of {
            for (zone, zone_id) in city.zones.id.iter().enumerate() {
                if !recorders.service.covers(urbis_core::ZoneIx(zone as u32)) {
                    continue;
                }
                let (present_s, unserved_s) = (of.person_s[zone] as f64, of.unserved_s[zone] as f64);
                writer.service(&ServiceRow {
                    time,
                    interval_s,
                    zone_id,
                    utility: of.utility.name(),
                    persons: present_s / interval_s * persons_each,
                    unserved_persons: unserved_s / interval_s * persons_each,
                    unserved_person_h: unserved_s / 3600.0 * persons_each,
                })?;
            }
        }
        Ok(())
    };
    fault.keep(write());
    services.begin();
}

/// Books of a network as tables have them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) utility: Utility,
    pub(crate) is_synthetic: bool,
    pub(crate) unit: &'static str,
    /// Units of the books in one of the table.
    per_unit: f64,
    pub(crate) books: Books,
    pub(crate) failed_steps: u32,
}

impl Account {
    /// A figure of the books in the table's unit.
    pub(crate) fn in_unit(&self, value: f64) -> f64 {
        value / self.per_unit
    }
}

/// The books of the networks that there are.
pub(crate) fn accounts(
    water: Option<&CityWater>,
    gas: Option<&CityGas>,
    heat: Option<&CityHeat>,
    sewer: Option<&CitySewer>,
) -> impl Iterator<Item = Account> {
    let account = |utility, is_synthetic, unit, per_unit, books, failed_steps| Account {
        utility,
        is_synthetic,
        unit,
        per_unit,
        books,
        failed_steps,
    };
    let of_water =
        water.map(|of| account(Utility::Water, of.is_synthetic(), "m3", 1.0, of.books(), of.unsettled_moments()));
    let of_gas = gas.map(|of| account(Utility::Gas, of.is_synthetic(), "kg", 1.0, of.books(), of.failed_steps()));
    let of_heat =
        heat.map(|of| account(Utility::Heat, of.is_synthetic(), "kWh", JOULES_PER_KWH, of.books(), of.failed_steps()));
    let of_sewer =
        sewer.map(|of| account(Utility::Sewer, of.wiring().is_synthetic, "m3", 1.0, books_of(&of.balance()), 0));
    [of_water, of_gas, of_heat, of_sewer].into_iter().flatten()
}

/// A sewer's balance as books: what nodes have on account counts as stored.
fn books_of(of: &WaterBalance) -> Books {
    Books {
        asked: of.dry_weather_m3,
        supplied: of.rain_m3 + of.dry_weather_m3 + of.external_m3,
        served: of.outfalls_m3,
        lost: of.ground_evaporated_m3 + of.infiltrated_m3 + of.lost_m3 + of.evaporated_m3 + of.seeped_m3,
        stored: of.ground_stored_m3 + of.stored_m3 - of.first_stored_m3 + of.account_m3,
    }
}

/// Writes `utility_balance` when it is due.
#[allow(clippy::too_many_arguments)] // what there is to write
pub fn balance(
    clock: Res<'_, Clock>,
    water: Option<Res<'_, CityWater>>,
    gas: Option<Res<'_, CityGas>>,
    heat: Option<Res<'_, CityHeat>>,
    sewer: Option<Res<'_, CitySewer>>,
    recorders: Res<'_, Recorders>,
    mut before: Local<'_, BTreeMap<Utility, (Books, u32)>>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if fault.is_set() || !recorders.utility_balance.is_due(&clock) {
        return;
    }
    writer.at_tick(clock.tick());
    let (time, interval_s) = recorders.utility_balance.interval(&clock);
    for account in accounts(water.as_deref(), gas.as_deref(), heat.as_deref(), sewer.as_deref()) {
        let (books_before, failed_before) =
            before.insert(account.utility, (account.books, account.failed_steps)).unwrap_or_default();
        let since = account.books.since(&books_before);
        fault.keep(writer.utility_balance(&UtilityBalanceRow {
            time,
            interval_s,
            utility: account.utility.name(),
            network: if account.is_synthetic { "synthetic" } else { "file" },
            unit: account.unit,
            asked: account.in_unit(since.asked),
            supplied: account.in_unit(since.supplied),
            served: account.in_unit(since.served),
            lost: account.in_unit(since.lost),
            stored: account.in_unit(since.stored),
            residual: account.in_unit(since.residual()),
            failed_steps: u64::from(account.failed_steps - failed_before),
        }));
    }
}
