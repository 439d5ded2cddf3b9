//! Tables of a town's run: a row for each step and element, with the names and units of the commands that solve one network.
//!
//! | table | a row is |
//! | --- | --- |
//! | `service` | a step and network: customers, who of them is without, asked and served |
//! | `balance` | a step and network: its ledger |
//! | `bus`, `branch` | a step and bus or branch of the grid |
//! | `gas_node`, `gas_link`, `heat_node`, `heat_link`, `heat_consumer` | a step and element of a network of pipes |
//! | `water_node`, `water_link` | a step and element of the water network |
//!
//! States are those at the start of a step or, where the step moves water along pipes, its flows and the temperatures at its
//! end. Contract: rows in order of steps, then of elements.

use super::NETWORKS;
use super::books::unit;
use super::town::Town;
use crate::pipe_options::junctions;
use crate::power_run::MW;
use crate::solved_folder::write_table;
use std::path::Path;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Result;
use urbis_utility::pipes::BAR;
use urbis_utility::pipes::network::Network;

/// A column that grows by steps: name, unit, description, values.
struct Column {
    name: &'static str,
    unit: &'static str,
    what: &'static str,
    values: Vec<f64>,
}

/// Rows of one kind of elements over the steps.
struct Rows {
    table: &'static str,
    title: &'static str,
    id: (&'static str, &'static str, Vec<String>),
    numbers: Vec<Column>,
    flag: (&'static str, &'static str, Vec<bool>),
    texts: Vec<&'static str>,
}

impl Rows {
    fn new(
        table: &'static str,
        title: &'static str,
        id: (&'static str, &'static str, Vec<String>),
        columns: &[(&'static str, &'static str, &'static str)],
        flag: (&'static str, &'static str),
    ) -> Self {
        let numbers = columns.iter().map(|&(name, unit, what)| Column { name, unit, what, values: Vec::new() });
        Self { table, title, id, numbers: numbers.collect(), flag: (flag.0, flag.1, Vec::new()), texts: Vec::new() }
    }
    fn row<const N: usize>(&mut self, values: [f64; N], flag: bool) {
        for (column, value) in self.numbers.iter_mut().zip(values) {
            column.values.push(value);
        }
        self.flag.2.push(flag);
    }
    fn write(self, times: &[u32], out: &Path, as_csv: bool) -> Result<&'static str> {
        let (id, what, ids) = self.id;
        let mut table = TableWriter::new(self.title);
        let time_s: Vec<u32> = times.iter().flat_map(|time_s| std::iter::repeat_n(*time_s, ids.len())).collect();
        table.count("time_s", "s", "Start of the step.", &time_s);
        table.text(id, what, ids.iter().cycle().take(ids.len() * times.len()));
        for column in &self.numbers {
            table.number(column.name, column.unit, column.what, &column.values);
        }
        if !self.texts.is_empty() {
            table.text("status", "What it does.", &self.texts);
        }
        table.flag(self.flag.0, self.flag.1, &self.flag.2);
        write_table(out, as_csv, self.table, table)?;
        Ok(self.table)
    }
}

/// What is written of the steps so far.
pub(crate) struct Record {
    times: Vec<u32>,
    service: Vec<Row>,
    states: Vec<Rows>,
}

/// A step of a network.
type Row = (u32, super::NetworkName, super::Account);

fn of_links(network: &Network) -> Vec<String> {
    network.elements.iter().map(|of| format!("{} {}", of.table, of.id)).collect()
}

fn of_nodes(network: &Network) -> Vec<String> {
    junctions(network).iter().map(|&node| network.nodes.id[node as usize].clone()).collect()
}

const FLOW: (&str, &str, &str) = ("mdot_kgps", "kg/s", "Flow from the from to the to end.");
const P_FROM: (&str, &str, &str) = ("p_from_pa", "Pa", "Absolute pressure at the from end.");
const P_TO: (&str, &str, &str) = ("p_to_pa", "Pa", "Absolute pressure at the to end.");
const PRESSURE: (&str, &str, &str) = ("pressure_pa", "Pa", "Absolute pressure; absent without supply.");
const GAUGE: (&str, &str, &str) = ("p_bar", "bar", "Pressure above the air there; absent without supply.");

impl Record {
    /// Nothing yet.
    pub(crate) fn new(town: &Town) -> Self {
        let mut states = Vec::new();
        if town.settings.output.states {
            if let Some(of) = &town.power {
                let ids = ("bus_id", "Bus.", of.case.grid.buses.id.clone());
                let columns = [("vm_pu", "pu", "Voltage magnitude."), ("va_deg", "degree", "Voltage angle.")];
                let flag = ("is_energised", "Whether a source is joined to it.");
                states.push(Rows::new("bus", "Buses of a town's grid", ids, &columns, flag));
                let ids = ("branch_id", "Branch.", of.case.branch_id.clone());
                let columns = [
                    ("p_from_mw", "MW", "Active power into the from end; absent where it has no impedance."),
                    ("q_from_mvar", "Mvar", "Reactive power into the from end."),
                    ("p_to_mw", "MW", "Active power into the to end."),
                    ("q_to_mvar", "Mvar", "Reactive power into the to end."),
                    ("loading_pct", "percent", "Larger current of the ends against the rating; absent without one."),
                ];
                let flag = ("is_closed", "Whether it is in service.");
                states.push(Rows::new("branch", "Branches of a town's grid", ids, &columns, flag));
            }
            if let Some(of) = &town.gas {
                let columns = [
                    PRESSURE,
                    GAUGE,
                    ("feed_kgps", "kg/s", "What a feeder gives there; negative where it takes."),
                    ("draw_kgps", "kg/s", "What is drawn where there is gas, less what sources feed in."),
                ];
                let ids = ("node_id", "Junction.", of_nodes(of.base()));
                let flag = ("is_supplied", "Whether a feeder is joined to it.");
                states.push(Rows::new("gas_node", "Junctions of a town's gas network", ids, &columns, flag));
                let columns = [
                    FLOW,
                    ("velocity_mps", "m/s", "Velocity at the mean pressure."),
                    P_FROM,
                    P_TO,
                    ("linepack_kg", "kg", "Mass of gas within."),
                    ("lambda", "", "Darcy's friction factor."),
                    ("reynolds", "", "Reynolds number."),
                ];
                let ids = ("link_id", "Table and index of the net.", of_links(of.base()));
                let flag = ("is_open", "Whether it is in service and open.");
                states.push(Rows::new("gas_link", "Links of a town's gas network", ids, &columns, flag));
            }
            if let Some(of) = &town.heat {
                let columns = [PRESSURE, GAUGE, ("t_k", "K", "Temperature; absent without supply.")];
                let ids = ("node_id", "Junction.", of_nodes(of.base()));
                let flag = ("is_supplied", "Whether a held pressure is joined to it.");
                states.push(Rows::new("heat_node", "Junctions of a town's network of heat", ids, &columns, flag));
                let columns = [
                    FLOW,
                    ("velocity_mps", "m/s", "Velocity."),
                    P_FROM,
                    P_TO,
                    ("t_from_k", "K", "Temperature of the junction at the from end."),
                    ("t_to_k", "K", "Temperature of the junction at the to end."),
                    ("t_out_k", "K", "Temperature of the water that leaves."),
                ];
                let ids = ("link_id", "Table and index of the net.", of_links(of.base()));
                let flag = ("is_open", "Whether it is in service and open.");
                states.push(Rows::new("heat_link", "Links of a town's network of heat", ids, &columns, flag));
                let columns = [
                    FLOW,
                    ("heat_w", "W", "Heat taken, mean of the step."),
                    ("t_supply_k", "K", "Temperature of the supply."),
                    ("t_return_k", "K", "Temperature of the water given back."),
                ];
                let ids = of.base().consumers.iter().map(|of| of.id.clone()).collect();
                let flag = ("is_supplied", "Whether supply and return have a pressure.");
                let ids = ("consumer_id", "Consumer.", ids);
                states.push(Rows::new("heat_consumer", "Consumers of a town's heat", ids, &columns, flag));
            }
            if let Some(of) = &town.water {
                let columns = [
                    ("head_m", "m", "Head; absent where no open link leads to a source."),
                    ("demand_m3ps", "m3/s", "Demand; what flows into a tank or reservoir."),
                    ("served_m3ps", "m3/s", "What is delivered of it."),
                ];
                let ids = ("node_id", "Node.", of.network().nodes.id.clone());
                let flag = ("is_supplied", "Whether an open link leads to a reservoir or tank.");
                states.push(Rows::new("water_node", "Nodes of a town's water network", ids, &columns, flag));
                let columns = [("flow_m3ps", "m3/s", "Flow from start to end node.")];
                let ids = ("link_id", "Link.", of.network().links.id.clone());
                let flag = ("is_flowing", "Whether anything flows in it.");
                states.push(Rows::new("water_link", "Links of a town's water network", ids, &columns, flag));
            }
        }
        Self { times: Vec::new(), service: Vec::new(), states }
    }
    /// Takes down the step that began at `time_s` and is done.
    pub(crate) fn take(&mut self, town: &Town, time_s: u32) {
        self.times.push(time_s);
        for network in NETWORKS {
            self.service.extend(town.account(network).map(|account| (time_s, network, *account)));
        }
        let seconds = f64::from(town.settings.step_s);
        for rows in &mut self.states {
            match rows.table {
                "bus" => buses(rows, town),
                "branch" => branches(rows, town),
                "gas_node" => gas_nodes(rows, town),
                "gas_link" => gas_links(rows, town),
                "heat_node" => heat_nodes(rows, town),
                "heat_link" => heat_links(rows, town),
                "heat_consumer" => consumers(rows, town, seconds),
                "water_node" => water_nodes(rows, town),
                _ => water_links(rows, town),
            }
        }
    }
    /// Writes all tables; their names.
    pub(crate) fn write(self, town: &Town, out: &Path, as_csv: bool) -> Result<Vec<&'static str>> {
        write_table(out, as_csv, "service", service(&self.service, town.settings.step_s))?;
        write_table(out, as_csv, "balance", balance(&self.service))?;
        let mut names = vec!["service", "balance"];
        for rows in self.states {
            names.push(rows.write(&self.times, out, as_csv)?);
        }
        Ok(names)
    }
}

fn keys(table: &mut TableWriter, rows: &[Row]) {
    table.count("time_s", "s", "Start of the step.", &rows.iter().map(|row| row.0).collect::<Vec<_>>());
    table.text("network", "power, gas, heat or water.", rows.iter().map(|row| row.1.name()));
}

fn service(rows: &[Row], step_s: u32) -> TableWriter {
    let count = |of: fn(&Row) -> u32| rows.iter().map(of).collect::<Vec<_>>();
    let number = |of: fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<_>>();
    let mut table = TableWriter::new("Whom the networks of a town serve").with_metadata("step_s", &step_s.to_string());
    keys(&mut table, rows);
    table.count("customers", "", "Customers who ask for something.", &count(|row| row.2.customers));
    let what = "Of them, those who get nothing, or less than they ask for.";
    table.count("unserved_customers", "", what, &count(|row| row.2.unserved_customers));
    let what = "Of these, those whose house has no electricity.";
    table.count("dark_customers", "", what, &count(|row| row.2.dark_customers));
    table.number("asked", "", "Asked for in the step, dark houses included.", &number(|row| row.2.asked));
    table.number("served", "", "What customers got of it.", &number(|row| row.2.got));
    table.text("unit", "Unit of both.", rows.iter().map(|row| unit(row.1)));
    table
}

fn balance(rows: &[Row]) -> TableWriter {
    let number = |of: fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<_>>();
    let mut table = TableWriter::new("Ledgers of the networks of a town: supplied = served + lost + stored + residual");
    keys(&mut table, rows);
    table.text("unit", "Unit of all but shares.", rows.iter().map(|row| unit(row.1)));
    table.number("supplied", "", "Brought into the network.", &number(|row| row.2.supplied));
    table.number("served", "", "Taken by customers, exchangers, and what is carried out.", &number(|row| row.2.served));
    table.number("lost", "", "Lost on the way.", &number(|row| row.2.lost));
    table.number("stored", "", "Gained by what the network holds.", &number(|row| row.2.stored));
    let unserved = number(|row| (row.2.asked - row.2.got).max(0.0));
    table.number("unserved", "", "Asked for by customers and not given.", &unserved);
    table.number("residual", "", "What the ledger lacks.", &number(|row| row.2.residual));
    table.number("residual_share", "", "Its size, as a share of what moved.", &number(|row| row.2.share()));
    let flags = |of: fn(&Row) -> bool| rows.iter().map(of).collect::<Vec<_>>();
    table.flag("is_solved", "Whether the step was solved.", &flags(|row| row.2.is_solved));
    let what = "Whether it had to be: false where nothing had changed since the step before.";
    table.flag("is_new", what, &flags(|row| row.2.is_new));
    table
}

fn buses(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.power else { return };
    for bus in 0..of.case.grid.buses.len() as u32 {
        let is_on = of.flow().is_energised(bus);
        let v = of.flow().voltage(bus);
        let (vm_pu, va_deg) = if is_on { (v.norm(), v.arg().to_degrees()) } else { (f64::NAN, f64::NAN) };
        rows.row([vm_pu, va_deg], is_on);
    }
}

fn branches(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.power else { return };
    let grid = of.flow().grid();
    for (branch, flow) in of.flows().iter().enumerate() {
        let rating_va = grid.branches.rating_va[branch];
        // As [`PowerFlow::loading_percent`], of the flow at hand.
        let loading = if rating_va > 0.0 { 100.0 * flow.current_pu * grid.base_va / rating_va } else { f64::NAN };
        let powers = [flow.p_from_w, flow.q_from_var, flow.p_to_w, flow.q_to_var].map(|power| power / MW);
        let [a, b, c, d] = powers;
        rows.row([a, b, c, d, loading], grid.branches.is_in_service[branch]);
    }
}

fn gas_nodes(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.gas else { return };
    let flow = of.flow();
    for node in junctions(of.base()) {
        let at = node as usize;
        let feed = if of.is_fed()[at] { of.feeds_kgps()[at] } else { 0.0 };
        let draw = flow.hydraulics().draw_kgps[at];
        rows.row([flow.pressure_pa(node), flow.gauge_pa(node) / BAR, feed, draw], flow.is_supplied(node));
    }
}

fn gas_links(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.gas else { return };
    let flow = of.flow();
    for element in 0..flow.network().elements.len() {
        let state = flow.element(element);
        let is_open = flow.network().is_open(flow.network().elements[element].links().start);
        let (p_from, p_to) = (state.p_from_pa, state.p_to_pa);
        let (held, lambda, reynolds) = (state.linepack_kg, state.lambda, state.reynolds);
        rows.row([state.mdot_kgps, state.v_mean_mps, p_from, p_to, held, lambda, reynolds], is_open);
    }
}

fn heat_nodes(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.heat else { return };
    let flow = of.flow();
    for node in junctions(of.base()) {
        let is_supplied = flow.is_supplied(node);
        let t_k = if is_supplied { flow.t_k(node) } else { f64::NAN };
        rows.row([flow.pressure_pa(node), flow.gauge_pa(node) / BAR, t_k], is_supplied);
    }
}

fn heat_links(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.heat else { return };
    let flow = of.flow();
    for element in 0..flow.network().elements.len() {
        let state = flow.element(element);
        let is_open = flow.network().is_open(flow.network().elements[element].links().start);
        let (p_from, p_to) = (state.p_from_pa, state.p_to_pa);
        let (t_from, t_to, t_out) = (state.t_from_k, state.t_to_k, state.t_out_k);
        rows.row([state.mdot_kgps, state.v_mps, p_from, p_to, t_from, t_to, t_out], is_open);
    }
}

fn consumers(rows: &mut Rows, town: &Town, seconds: f64) {
    let Some(of) = &town.heat else { return };
    for (row, consumer) in of.base().consumers.iter().enumerate() {
        let state = of.flow().link(consumer.link as usize);
        let is_supplied = of.flow().hydraulics().supply().is_live[consumer.link as usize];
        let heat_w = of.taken_j(row as u32) / seconds;
        rows.row([state.mdot_kgps, heat_w, state.t_from_k, state.t_out_k], is_supplied);
    }
}

fn water_nodes(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.water else { return };
    let state = of.state();
    for node in 0..state.head_m.len() {
        let is_supplied = state.is_supplied[node];
        let head_m = if is_supplied { state.head_m[node] } else { f64::NAN };
        rows.row([head_m, state.demand_m3ps[node], state.served_m3ps[node]], is_supplied);
    }
}

fn water_links(rows: &mut Rows, town: &Town) {
    let Some(of) = &town.water else { return };
    for (flow, status) in of.state().flow_m3ps.iter().zip(&of.state().status) {
        rows.row([*flow], flow.abs() > 0.0);
        rows.texts.push(status);
    }
}
