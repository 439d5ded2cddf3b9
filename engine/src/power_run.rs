//! Power flow of a grid without a city: from a case to tables. [`solve`] is one state, [`n1`] every branch out once,
//! [`mod@crate::power_series`] the steps of a year.
//!
//! Files in the folder: tables as named below, and `summary.json`, which is removed first and written last, so that its
//! presence says that the others are whole.

use crate::power_controls::ControlOptions;
use crate::power_places::{self, places};
use crate::solved_folder::{keep_apart, make_ready, write_summary, write_table};
use crate::threads;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use urbis_city::geoparquet::TableWriter;
use urbis_core::{Problem, Result};
use urbis_utility::power::case::{self, Case};
use urbis_utility::power::n_minus_1;
use urbis_utility::power::state::{Balance, Extremes};
use urbis_utility::power::{BusKind, Method, NewtonSettings, Outcome, PowerFlow, Start};

pub(crate) const MW: f64 = 1e6;
/// Voltage below which a solution is doubted, per unit.
const LOW_PU: f64 = 0.5;

/// How to solve a grid.
#[derive(Clone, Debug)]
pub struct PowerOptions {
    /// The case.
    pub case: PathBuf,
    /// Folder of the results; other files in it stay.
    pub out: PathBuf,
    /// Method.
    pub method: Method,
    /// Where the first solve begins.
    pub start: Start,
    /// Largest mismatch accepted, per unit of the case's base power.
    pub tolerance_pu: f64,
    /// Steps after which a solve is given up.
    pub max_iterations: u32,
    /// Worker threads; as many as there are processors where absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct PowerSummary {
    /// What `summary.json` holds.
    pub json: Json,
    /// What the reader left out, merged or assumed.
    pub notes: Vec<String>,
    /// Why the results are not what was asked for, if they are not: solves that did not converge.
    pub failure: Option<String>,
}

/// A case ready to be solved.
pub(crate) struct Ready<'a> {
    pub(crate) options: &'a PowerOptions,
    pub(crate) case: Case,
    pub(crate) flow: PowerFlow,
}

impl<'a> Ready<'a> {
    pub(crate) fn new(options: &'a PowerOptions) -> Result<Self> {
        let case = case::read(&options.case)?;
        keep_apart(&options.case, &options.out)?;
        let flow = PowerFlow::new(case.grid.clone())?;
        make_ready(&options.out)?;
        Ok(Self { options, case, flow })
    }

    pub(crate) fn settings(&self) -> NewtonSettings {
        let PowerOptions { start, tolerance_pu, max_iterations, .. } = *self.options;
        NewtonSettings { start, tolerance_pu, max_iterations, ..NewtonSettings::default() }
    }

    pub(crate) fn warm(&self) -> NewtonSettings {
        NewtonSettings { start: Start::Warm, ..self.settings() }
    }

    pub(crate) fn write(&self, name: &str, table: TableWriter) -> Result<()> {
        write_table(&self.options.out, self.options.as_csv, name, table)
    }

    pub(crate) fn finish(&self, of_run: Json, failure: Option<String>) -> Result<PowerSummary> {
        let grid = &self.case.grid;
        let of_grid = json!({
            "case": self.case.name,
            "buses": grid.buses.len(), "branches": grid.branches.len(), "loads": grid.loads.len(),
            "generators": grid.generators.len(), "independent_parts": self.flow.parts().len(),
            "islands": self.flow.topology().is_energised.len(),
            "buses_without_source": buses(&self.flow).filter(|&bus| !self.flow.is_energised(bus)).count(),
            "method": format!("{:?}", self.options.method).to_lowercase(),
            "notes": self.case.notes,
        });
        let json = merged(of_grid, of_run);
        write_summary(&self.options.out, &json)?;
        Ok(PowerSummary { json, notes: self.case.notes.clone(), failure })
    }

    pub(crate) fn bus_name(&self, bus: u32) -> &str {
        &self.case.grid.buses.id[bus as usize]
    }
}

/// Solves one state of a grid. Tables: `bus`, `branch`, with a geometry where every bus has a place in degrees.
///
/// # Errors
/// A case that is not right, or a folder that cannot be written. A solve that does not converge is no error: its tables
/// are written, with the best voltages found. Neither are controls that do not settle.
pub fn solve(options: &PowerOptions, controls: &ControlOptions) -> Result<PowerSummary> {
    controls.check()?;
    threads::pool(options.threads)?.0.install(|| {
        let mut ready = Ready::new(options)?;
        let (outcome, of_controls, unsettled) = if controls.is_any() {
            let (all, json) = controls.solve(&mut ready)?;
            let why = format!("controls did not settle in {} solves: {} go to and fro", all.solves, all.hunting);
            (all.outcome, json!({ "controls": json }), (!all.is_settled).then_some(why))
        } else {
            (ready.flow.solve_parallel(options.method, &ready.settings()), json!({}), None)
        };
        let (places, note) = places(&ready.case);
        let (mut buses, mut branches) = (bus_table(&ready), branch_table(&ready));
        if let Some(of) = places {
            power_places::push(&mut buses, &of.buses, options.as_csv)?;
            power_places::push(&mut branches, &of.branches, options.as_csv)?;
        }
        ready.write("bus", buses)?;
        ready.write("branch", branches)?;
        ready.case.notes.extend(note);
        let json = merged(merged(outcome_json(&outcome), state_json(&ready, &ready.flow)), of_controls);
        ready.case.notes.extend(low_solution(&ready.flow));
        ready.finish(json, failure(&outcome).or(unsettled))
    })
}

/// Takes out every branch that is in service, once each. Table: `n1`.
///
/// # Errors
/// As [`solve`]; a grid that does not converge when it is whole.
pub fn n1(options: &PowerOptions) -> Result<PowerSummary> {
    threads::pool(options.threads)?.0.install(|| {
        let mut ready = Ready::new(options)?;
        let outcome = ready.flow.solve_parallel(options.method, &ready.settings());
        if let Some(why) = failure(&outcome) {
            return Err(Problem::file(&options.case, format!("the whole grid is not solved: {why}")).into());
        }
        let branches: Vec<u32> = (0..ready.case.grid.branches.len() as u32)
            .filter(|&branch| ready.case.grid.branches.is_in_service[branch as usize])
            .collect();
        let found = n_minus_1::outages(&ready.flow, &branches, options.method, &ready.warm());
        let mut table = TableWriter::new("The grid without one branch after the other");
        let name = |branch: u32| ready.case.branch_id[branch as usize].as_str();
        let (of, names) = (&ready.case.grid.branches, |bus: u32| ready.bus_name(bus));
        table.text("branch_id", "Branch that is out.", branches.iter().map(|&branch| name(branch)));
        table.text("from_bus", "Bus of its from end.", branches.iter().map(|&branch| names(of.from[branch as usize])));
        table.text("to_bus", "Bus of its to end.", branches.iter().map(|&branch| names(of.to[branch as usize])));
        let flags: Vec<bool> = found.iter().map(|outage| outage.outcome.is_converged).collect();
        table.flag("is_converged", "Whether the rest was solved.", &flags);
        let counts: Vec<[u32; 3]> =
            found.iter().map(|outage| [outage.outcome.iterations, outage.lost_buses, outage.lost_loads]).collect();
        let count = |at: usize| counts.iter().map(|of| of[at]).collect::<Vec<u32>>();
        table.count("iterations", "", "Steps of the solve.", &count(0));
        table.count("lost_buses", "", "Buses that lose their source.", &count(1));
        table.count("lost_loads", "", "Loads, which are customers, that lose their source.", &count(2));
        let lost_mw: Vec<f64> = found.iter().map(|outage| outage.lost_w / MW).collect();
        table.number("lost_mw", "MW", "Power of these loads at 1 per unit.", &lost_mw);
        let ends = |of: fn(&n_minus_1::Outage) -> Option<(f64, u32)>| found.iter().map(of).collect::<Vec<_>>();
        let (lowest, highest) = (ends(|of| of.lowest), ends(|of| of.highest));
        let most = ends(|of| of.most_loaded);
        let bus = |end: &Option<(f64, u32)>| end.map(|(_, bus)| ready.bus_name(bus));
        table.number("vm_min_pu", "pu", "Lowest voltage.", &values(&lowest));
        table.text_or_null("vm_min_bus", "Where.", lowest.iter().map(bus));
        table.number("vm_max_pu", "pu", "Highest voltage.", &values(&highest));
        table.text_or_null("vm_max_bus", "Where.", highest.iter().map(bus));
        table.number("loading_max_pct", "percent", "Largest loading of a branch.", &values(&most));
        table.text_or_null("loading_max_branch", "Which.", most.iter().map(|end| end.map(|(_, branch)| name(branch))));
        ready.write("n1", table)?;
        let unsolved = found.iter().filter(|outage| !outage.outcome.is_converged).count();
        let overloads = values(&most).iter().filter(|loading| **loading > 100.0).count();
        let json = json!({
            "outages": found.len(), "not_converged": unsolved, "with_overload": overloads,
            "with_lost_loads": found.iter().filter(|outage| outage.lost_loads > 0).count(),
            "loading_max_pct": values(&most).into_iter().reduce(f64::max),
            "vm_min_pu": values(&lowest).into_iter().reduce(f64::min),
        });
        ready.finish(json, (unsolved > 0).then(|| format!("{unsolved} of {} outages did not converge", found.len())))
    })
}

pub(crate) fn values(ends: &[Option<(f64, u32)>]) -> Vec<f64> {
    ends.iter().map(|end| end.map_or(f64::NAN, |(value, _)| value)).collect()
}

pub(crate) fn buses(flow: &PowerFlow) -> impl Iterator<Item = u32> + use<> {
    0..flow.grid().buses.len() as u32
}

fn merged(mut json: Json, more: Json) -> Json {
    if let (Some(all), Json::Object(more)) = (json.as_object_mut(), more) {
        all.extend(more);
    }
    json
}

/// A sentence where a grid was solved at voltages that no grid is run at: the equations have more than one solution.
fn low_solution(flow: &PowerFlow) -> Option<String> {
    let (vm_pu, bus) = Extremes::of(flow).lowest.filter(|(vm_pu, _)| *vm_pu < LOW_PU)?;
    let id = &flow.grid().buses.id[bus as usize];
    Some(format!(
        "voltage {vm_pu:.3} per unit at bus {id}: this may be the lower of two solutions; try another --start"
    ))
}

/// Why a solve is not what was asked for.
fn failure(outcome: &Outcome) -> Option<String> {
    let worst = |bus: &urbis_utility::power::WorstBus| {
        format!("bus {} lacks {:.6} MW and {:.6} Mvar", bus.id, bus.p_w / MW, bus.q_var / MW)
    };
    (!outcome.is_converged).then(|| {
        let worst: Vec<String> = outcome.worst_buses.iter().map(worst).collect();
        format!(
            "no convergence in {} steps, least mismatch {:.3e} per unit; {}",
            outcome.iterations,
            outcome.mismatch_pu,
            worst.join(", ")
        )
    })
}

pub(crate) fn outcome_json(outcome: &Outcome) -> Json {
    json!({
        "converged": outcome.is_converged, "iterations": outcome.iterations, "factorings": outcome.factorings,
        "mismatch_pu": outcome.mismatch_pu, "parts_not_converged": outcome.failed_parts,
        "worst_buses": outcome.worst_buses.iter().map(|bus| json!({
            "bus_id": bus.id, "p_mismatch_mw": bus.p_w / MW, "q_mismatch_mvar": bus.q_var / MW,
        })).collect::<Vec<_>>(),
    })
}

fn state_json(ready: &Ready<'_>, flow: &PowerFlow) -> Json {
    let (balance, ends) = (Balance::of(flow), Extremes::of(flow));
    let bus = |end: Option<(f64, u32)>| end.map(|(_, bus)| ready.bus_name(bus));
    json!({
        "losses_mw": (balance.branch_losses_w + balance.shunt_losses_w) / MW,
        "branch_losses_mw": balance.branch_losses_w / MW, "shunt_losses_mw": balance.shunt_losses_w / MW,
        "source_mw": balance.source_w / MW, "generated_mw": balance.generated_w / MW,
        "served_mw": balance.served_w / MW, "unserved_mw": balance.unserved_w / MW,
        "residual_mw": balance.residual_w() / MW,
        "vm_min_pu": ends.lowest.map(|(vm_pu, _)| vm_pu), "vm_min_bus": bus(ends.lowest),
        "vm_max_pu": ends.highest.map(|(vm_pu, _)| vm_pu), "vm_max_bus": bus(ends.highest),
        "loading_max_pct": ends.most_loaded.map(|(loading, _)| loading),
        "loading_max_branch": ends.most_loaded.map(|(_, branch)| &ready.case.branch_id[branch as usize]),
    })
}

fn bus_table(ready: &Ready<'_>) -> TableWriter {
    let (flow, of) = (&ready.flow, &ready.case.grid.buses);
    let mut table = TableWriter::new("Buses of a solved grid");
    table.text("bus_id", "Bus.", &of.id);
    let known = |base_v: &f64| if *base_v > 0.0 { base_v * 1e-3 } else { f64::NAN };
    table.number("base_kv", "kV", "Nominal voltage between phases.", &of.base_v.iter().map(known).collect::<Vec<_>>());
    let kind = |bus: u32| match (of.is_in_service[bus as usize], of.kind[bus as usize]) {
        (false, _) => "out of service",
        (_, BusKind::Pq) => "pq",
        (_, BusKind::Pv) => "pv",
        (_, BusKind::Slack) => "slack",
    };
    table.text("kind", "What is given: pq, pv, slack; or out of service.", buses(flow).map(kind));
    let is_on: Vec<bool> = buses(flow).map(|bus| flow.is_energised(bus)).collect();
    table.flag("is_energised", "Whether a source is joined to it.", &is_on);
    let voltage = |bus: u32| if is_on[bus as usize] { flow.voltage(bus) } else { f64::NAN.into() };
    let volts: Vec<_> = buses(flow).map(voltage).collect();
    table.number("vm_pu", "pu", "Voltage magnitude.", &volts.iter().map(|v| v.norm()).collect::<Vec<_>>());
    table.number("va_deg", "degree", "Voltage angle.", &volts.iter().map(|v| v.arg().to_degrees()).collect::<Vec<_>>());
    let (mut p_mw, mut q_mvar) = (vec![0.0; of.len()], vec![0.0; of.len()]);
    for (load, &bus) in ready.case.grid.loads.bus.iter().enumerate() {
        let (p_w, q_var) = flow.load_power(load as u32);
        p_mw[bus as usize] += p_w / MW;
        q_mvar[bus as usize] += q_var / MW;
    }
    table.number("p_load_mw", "MW", "Active power of its loads.", &p_mw);
    table.number("q_load_mvar", "Mvar", "Reactive power of its loads.", &q_mvar);
    table
}

fn branch_table(ready: &Ready<'_>) -> TableWriter {
    let (flow, of) = (&ready.flow, &ready.case.grid.branches);
    let rows = || 0..of.len() as u32;
    let mut table = TableWriter::new("Branches of a solved grid");
    table.text("branch_id", "Branch.", &ready.case.branch_id);
    table.text("from_bus", "Bus of the from end.", of.from.iter().map(|&bus| ready.bus_name(bus)));
    table.text("to_bus", "Bus of the to end.", of.to.iter().map(|&bus| ready.bus_name(bus)));
    table.flag("is_closed", "Whether it is in service.", &of.is_in_service);
    let flows: Vec<_> = rows().map(|branch| flow.branch_flow(branch)).collect();
    let column =
        |of: fn(&urbis_utility::power::BranchFlow) -> f64| flows.iter().map(|flow| of(flow) / MW).collect::<Vec<_>>();
    let why = "; absent where it has no impedance";
    table.number("p_from_mw", "MW", &format!("Active power into the from end{why}."), &column(|flow| flow.p_from_w));
    table.number("q_from_mvar", "Mvar", "Reactive power into the from end.", &column(|flow| flow.q_from_var));
    table.number("p_to_mw", "MW", "Active power into the to end.", &column(|flow| flow.p_to_w));
    table.number("q_to_mvar", "Mvar", "Reactive power into the to end.", &column(|flow| flow.q_to_var));
    let loading: Vec<f64> = rows().map(|branch| flow.loading_percent(branch)).collect();
    table.number(
        "loading_pct",
        "percent",
        "Larger current of the ends against the rating; absent without one.",
        &loading,
    );
    table
}
