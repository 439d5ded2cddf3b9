//! Power flow of a grid's three phases without a city: from a net of pandapower to tables, as
//! [`crate::power_run::solve`] does for balanced grids.
//!
//! Tables: `bus`, with the voltage of each phase and the unbalance, and `branch`, with powers and currents of each phase
//! at both ends. Loading is the largest current of a phase, at either end, over the rated one.

use crate::power_run::{MW, PowerOptions, PowerSummary};
use crate::solved_folder::{keep_apart, make_ready, write_summary, write_table};
use crate::threads;
use serde_json::json;
use urbis_city::geoparquet::TableWriter;
use urbis_core::{Problem, Result};
use urbis_utility::power::Start;
use urbis_utility::power::grid::Complex;
use urbis_utility::power::pandapower::{self, PhaseNet};
use urbis_utility::power::three_phase::{PhaseBranchFlow, PhaseFlow, PhaseOutcome, PhaseSettings, Phases};

/// Phases as columns call them.
const PHASES: [&str; 3] = ["a", "b", "c"];

/// Solves one state of a net. Options of methods are not asked.
///
/// # Errors
/// A net that is not right or has no zero-sequence data, or a folder that cannot be written. A solve that does not
/// converge is no error: its tables are written, with the best voltages found.
pub fn solve(options: &PowerOptions) -> Result<PowerSummary> {
    let name = options.case.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ![".json", ".json.gz"].iter().any(|ending| name.ends_with(ending)) {
        let what = "three phases are read from grids of pandapower (.json, .json.gz)";
        return Err(Problem::file(&options.case, what).with_help("leave out --three-phase for a balanced grid").into());
    }
    threads::pool(options.threads)?.0.install(|| {
        let net = pandapower::read_three_phase(&options.case)?;
        let mut flow = PhaseFlow::new(net.grid.clone())?;
        keep_apart(&options.case, &options.out)?;
        make_ready(&options.out)?;
        let (tolerance_pu, max_iterations) = (options.tolerance_pu, options.max_iterations);
        let settings = PhaseSettings { start: Start::Flat, tolerance_pu, max_iterations };
        let outcome = flow.solve_parallel(&settings);
        let solved = Solved { net: &net, flow: &flow, branches: branches(&net, &flow) };
        write_table(&options.out, options.as_csv, "bus", solved.bus_table())?;
        write_table(&options.out, options.as_csv, "branch", solved.branch_table())?;
        let stem = name.split('.').next().unwrap_or_default();
        let mut json = solved.summary(&outcome);
        json["case"] = stem.into();
        write_summary(&options.out, &json)?;
        Ok(PowerSummary { json, notes: net.notes.clone(), failure: failure(&outcome) })
    })
}

fn failure(outcome: &PhaseOutcome) -> Option<String> {
    let worst = outcome.worst_phases.iter().map(|worst| {
        let (phase, p_mw, q_mvar) = (PHASES[usize::from(worst.phase) % 3], worst.p_w / MW, worst.q_var / MW);
        format!("bus {} phase {phase} lacks {p_mw:.6} MW and {q_mvar:.6} Mvar", worst.id)
    });
    (!outcome.is_converged).then(|| {
        let (steps, least) = (outcome.iterations, outcome.mismatch_pu);
        let worst: Vec<String> = worst.collect();
        format!("no convergence in {steps} substitutions, least mismatch {least:.3e} per unit; {}", worst.join(", "))
    })
}

/// A branch as tables tell it.
struct Branch {
    id: String,
    from: u32,
    to: u32,
    is_closed: bool,
    flow: PhaseBranchFlow,
    loading_pct: f64,
}

fn branches(net: &PhaseNet, flow: &PhaseFlow) -> Vec<Branch> {
    let largest = |currents: &Phases| currents.iter().map(|current| current.norm()).fold(0.0, f64::max);
    let lines = net.grid.lines.iter().enumerate().map(|(row, of)| {
        let (id, at) = (format!("line {}", net.line_id[row]), flow.line_flow(row as u32));
        let loading_pct = 100.0 * largest(&at.i_from_a).max(largest(&at.i_to_a)) / net.line_rated_a[row];
        Branch { id, from: of.from, to: of.to, is_closed: of.is_in_service, flow: at, loading_pct }
    });
    let transformers = net.grid.transformers.iter().enumerate().map(|(row, of)| {
        let (id, at) = (format!("trafo {}", net.transformer_id[row]), flow.transformer_flow(row as u32));
        let rated_va = of.rated_va * f64::from(of.parallel);
        let share = |currents: &Phases, rated_v: f64| largest(currents) * 3f64.sqrt() * rated_v / rated_va;
        let loading_pct = 100.0 * share(&at.i_from_a, of.rated_hv_v).max(share(&at.i_to_a, of.rated_lv_v));
        Branch { id, from: of.hv, to: of.lv, is_closed: of.is_in_service, flow: at, loading_pct }
    });
    lines.chain(transformers).collect()
}

struct Solved<'a> {
    net: &'a PhaseNet,
    flow: &'a PhaseFlow,
    branches: Vec<Branch>,
}

impl Solved<'_> {
    /// Voltage of a phase; NaN where it has no source.
    fn voltage(&self, bus: u32, phase: usize) -> Complex {
        if self.flow.is_energised(bus)[phase] { self.flow.voltage(bus)[phase] } else { f64::NAN.into() }
    }
    fn bus_table(&self) -> TableWriter {
        let buses = || self.net.buses.iter().map(|(_, row)| *row);
        let mut table = TableWriter::new("Buses of a solved grid of three phases");
        table.text("bus_id", "Bus.", self.net.buses.iter().map(|(id, _)| id));
        let base_kv: Vec<f64> = buses().map(|bus| self.net.grid.buses[bus as usize].base_v * 1e-3).collect();
        table.number("base_kv", "kV", "Nominal voltage between phases.", &base_kv);
        let is_on: Vec<bool> = buses().map(|bus| self.flow.is_energised(bus) == [true; 3]).collect();
        table.flag("is_energised", "Whether a source is joined to all its phases.", &is_on);
        for (phase, name) in PHASES.iter().enumerate() {
            let volts: Vec<Complex> = buses().map(|bus| self.voltage(bus, phase)).collect();
            let (vm, va): (Vec<f64>, Vec<f64>) = volts.iter().map(|v| (v.norm(), v.arg().to_degrees())).unzip();
            let why = format!("Voltage of phase {name} to earth, over the nominal one.");
            table.number(&format!("vm_{name}_pu"), "pu", &why, &vm);
            table.number(&format!("va_{name}_deg"), "degree", &format!("Angle of the voltage of phase {name}."), &va);
        }
        let unbalance = |bus: u32| self.flow.unbalance(bus).map_or(f64::NAN, |share| 100.0 * share);
        let why = "Negative- over positive-sequence voltage.";
        table.number("unbalance_pct", "percent", why, &buses().map(unbalance).collect::<Vec<_>>());
        table
    }
    fn branch_table(&self) -> TableWriter {
        let bus = |row: u32| self.net.grid.buses[row as usize].id.as_str();
        let mut table = TableWriter::new("Branches of a solved grid of three phases");
        table.text("branch_id", "Branch.", self.branches.iter().map(|of| &of.id));
        table.text("from_bus", "Bus of the from (high-voltage) end.", self.branches.iter().map(|of| bus(of.from)));
        table.text("to_bus", "Bus of the to (low-voltage) end.", self.branches.iter().map(|of| bus(of.to)));
        table.flag("is_closed", "Whether it is in service.", &self.column(|of| of.is_closed));
        for (phase, name) in PHASES.iter().enumerate() {
            for end in ["from", "to"] {
                let s = |of: &Branch| if end == "from" { of.flow.s_from_va[phase] } else { of.flow.s_to_va[phase] };
                let i = |of: &Branch| if end == "from" { of.flow.i_from_a[phase] } else { of.flow.i_to_a[phase] };
                let into = format!("power of phase {name} into the {end} end.");
                let column = |what: &str, unit: &str| format!("{what}_{name}_{end}_{unit}");
                table.number(&column("p", "mw"), "MW", &format!("Active {into}"), &self.column(|of| s(of).re / MW));
                table.number(
                    &column("q", "mvar"),
                    "Mvar",
                    &format!("Reactive {into}"),
                    &self.column(|of| s(of).im / MW),
                );
                let why = format!("Current of phase {name} at the {end} end.");
                table.number(&column("i", "a"), "A", &why, &self.column(|of| i(of).norm()));
            }
        }
        let why = "Current that phases do not carry back at the from end.";
        table.number("i_n_from_a", "A", why, &self.column(|of| of.flow.neutral_from_a().norm()));
        let why = "Largest current of a phase over the rated one; absent without one.";
        table.number("loading_pct", "percent", why, &self.column(|of| of.loading_pct));
        table
    }
    fn column<T>(&self, of: impl Fn(&Branch) -> T) -> Vec<T> {
        self.branches.iter().map(of).collect()
    }
    fn summary(&self, outcome: &PhaseOutcome) -> serde_json::Value {
        let (grid, flow) = (&self.net.grid, self.flow);
        let total = |phases: Phases| phases.iter().map(|s| s.re).sum::<f64>() / MW;
        let source_mw: f64 = (0..grid.sources.len() as u32).map(|row| total(flow.source_power(row))).sum();
        let served_mw: f64 = (0..grid.loads.len() as u32).map(|row| total(flow.load_power(row))).sum();
        let losses_mw = flow.losses_va().re / MW;
        let of_bus = |row: u32| grid.buses[row as usize].id.clone();
        let phases = (0..grid.buses.len() as u32).flat_map(|bus| (0..3).map(move |phase| (bus, phase)));
        let volts =
            || phases.clone().map(|(bus, phase)| (self.voltage(bus, phase).norm(), bus)).filter(|(v, _)| v.is_finite());
        let lowest = volts().min_by(|a, b| a.0.total_cmp(&b.0));
        let highest = volts().max_by(|a, b| a.0.total_cmp(&b.0));
        let unbalances = (0..grid.buses.len() as u32).filter_map(|bus| Some((100.0 * flow.unbalance(bus)?, bus)));
        let unbalance = unbalances.max_by(|a, b| a.0.total_cmp(&b.0));
        let loaded = self.branches.iter().filter(|of| of.loading_pct.is_finite());
        let loaded = loaded.max_by(|a, b| a.loading_pct.total_cmp(&b.loading_pct));
        let dark = |row: &&(String, u32)| flow.is_energised(row.1) == [false; 3];
        json!({
            "phases": 3, "buses": self.net.buses.len(), "branches": self.branches.len(), "loads": grid.loads.len(),
            "feeders": flow.feeders().len(), "buses_without_source": self.net.buses.iter().filter(dark).count(),
            "converged": outcome.is_converged, "iterations": outcome.iterations, "mismatch_pu": outcome.mismatch_pu,
            "source_mw": source_mw, "served_mw": served_mw, "losses_mw": losses_mw,
            "residual_mw": source_mw - served_mw - losses_mw,
            "vm_min_pu": lowest.map(|(v, _)| v), "vm_min_bus": lowest.map(|(_, bus)| of_bus(bus)),
            "vm_max_pu": highest.map(|(v, _)| v), "vm_max_bus": highest.map(|(_, bus)| of_bus(bus)),
            "unbalance_max_pct": unbalance.map(|(pct, _)| pct), "unbalance_max_bus": unbalance.map(|(_, bus)| of_bus(bus)),
            "loading_max_pct": loaded.map(|of| of.loading_pct), "loading_max_branch": loaded.map(|of| &of.id),
            "notes": self.net.notes,
        })
    }
}
