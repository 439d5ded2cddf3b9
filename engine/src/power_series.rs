//! The steps of a year through a grid: totals of every step, extremes of days, and what is beyond limits; in full where
//! asked for. See [`mod@crate::power_run`] for the rest.

use crate::power_profiles::Profiles;
use crate::power_run::{MW, PowerOptions, PowerSummary, Ready, buses, outcome_json, values};
use crate::threads;
use serde_json::json;
use std::path::PathBuf;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Result;
use urbis_core::files::create_folder;
use urbis_utility::power::series::{self, OnFailure, SeriesSettings, Solved};
use urbis_utility::power::state::{Balance, Extremes};
use urbis_utility::power::{Outcome, PowerFlow};

/// Steps of a day, where a profile has a row for each hour.
const HOURS: usize = 24;
/// Chunks of a series that are held in memory before their tables are written.
const CHUNKS_HELD: usize = 8;

/// What else a series needs.
#[derive(Clone, Debug)]
pub struct SeriesOptions {
    /// Table of profiles: a row for each step, a column for each profile.
    pub profiles: PathBuf,
    /// Table that says which load or generator follows which profile.
    pub follows: PathBuf,
    /// Steps that make a day of extremes.
    pub steps_per_day: usize,
    /// What becomes of steps that do not converge.
    pub on_failure: OnFailure,
    /// Whether every bus and branch is written for every step.
    pub is_full: bool,
    /// Voltages that are no exception, per unit.
    pub voltage_band_pu: (f64, f64),
    /// Loading above which a branch is an exception, percent.
    pub loading_limit_percent: f64,
}

impl Default for SeriesOptions {
    fn default() -> Self {
        Self {
            profiles: PathBuf::new(),
            follows: PathBuf::new(),
            steps_per_day: HOURS,
            on_failure: OnFailure::default(),
            is_full: false,
            // EN 50160: 10 % about the nominal voltage.
            voltage_band_pu: (0.9, 1.1),
            loading_limit_percent: 100.0,
        }
    }
}

/// Solves the steps of profiles. Tables: `totals`, `bus_day` and `branch_day` (extremes of days), `exceptions`; with
/// `is_full` also the folders `bus_state` and `branch_state`.
///
/// # Errors
/// As [`crate::power_run::solve`]; profiles that do not fit the case.
pub fn series(options: &PowerOptions, of_series: &SeriesOptions) -> Result<PowerSummary> {
    threads::pool(options.threads)?.0.install(|| {
        let mut ready = Ready::new(options)?;
        let profiles = Profiles::read(&of_series.profiles, &of_series.follows, &ready.case)?;
        let base = ready.flow.solve_parallel(options.method, &ready.settings());
        let settings = SeriesSettings {
            method: options.method,
            newton: ready.warm(),
            on_failure: of_series.on_failure,
            ..SeriesSettings::default()
        };
        let mut tables = SeriesTables::new(&ready, of_series);
        let held = settings.chunk_steps * CHUNKS_HELD;
        for first in (0..profiles.steps()).step_by(held) {
            let steps = held.min(profiles.steps() - first);
            let set = |step: usize, flow: &mut PowerFlow| profiles.set(first + step, flow);
            let read = |solved: &Solved<'_>| StepRow::new(first + solved.step, solved, of_series.is_full);
            let rows = series::solve(&ready.flow, steps, &settings, set, read);
            let has_ended = rows.len() < steps || rows.last().is_some_and(|row| tables.ends_at(row));
            tables.add(&rows, first / held)?;
            if has_ended {
                break;
            }
        }
        tables.finish(&profiles, &base)
    })
}

/// What is kept of a step.
struct StepRow {
    step: usize,
    is_converged: bool,
    iterations: u32,
    shed_w: f64,
    balance: Balance,
    ends: Extremes,
    vm_pu: Vec<f64>,
    loading_percent: Vec<f64>,
    /// Angles in degrees, and flows of branches in MW and Mvar, where everything is kept.
    full: Option<(Vec<f64>, Vec<[f64; 4]>)>,
}

impl StepRow {
    fn new(step: usize, solved: &Solved<'_>, is_full: bool) -> Self {
        let flow = solved.flow;
        let branches = 0..flow.grid().branches.len() as u32;
        let vm_pu = |bus: u32| if flow.is_energised(bus) { flow.voltage(bus).norm() } else { f64::NAN };
        let powers = |branch: u32| {
            let of = flow.branch_flow(branch);
            [of.p_from_w, of.q_from_var, of.p_to_w, of.q_to_var].map(|power| power / MW)
        };
        let angles = || buses(flow).map(|bus| flow.voltage(bus).arg().to_degrees()).collect();
        Self {
            step,
            is_converged: solved.outcome.is_converged,
            iterations: solved.outcome.iterations,
            shed_w: solved.shed_w,
            balance: Balance::of(flow),
            ends: Extremes::of(flow),
            vm_pu: buses(flow).map(vm_pu).collect(),
            loading_percent: branches.clone().map(|branch| flow.loading_percent(branch)).collect(),
            full: is_full.then(|| (angles(), branches.map(powers).collect())),
        }
    }
}

/// Extremes of the day that is being read.
struct Day {
    number: usize,
    vm_pu: Vec<(f64, f64)>,
    loading_percent: Vec<f64>,
}

/// Tables of a series while its steps come.
struct SeriesTables<'a> {
    ready: &'a Ready<'a>,
    of: &'a SeriesOptions,
    totals: Vec<StepRow>,
    day: Option<Day>,
    bus_day: (Vec<u32>, Vec<u32>, Vec<f64>, Vec<f64>),
    branch_day: (Vec<u32>, Vec<u32>, Vec<f64>),
    /// Step, what, row, value, limit.
    exceptions: Vec<(u32, &'static str, u32, f64, f64)>,
}

impl<'a> SeriesTables<'a> {
    fn new(ready: &'a Ready<'a>, of: &'a SeriesOptions) -> Self {
        let (bus_day, branch_day) = Default::default();
        Self { ready, of, totals: Vec::new(), day: None, bus_day, branch_day, exceptions: Vec::new() }
    }

    /// Whether a step ends the series.
    fn ends_at(&self, row: &StepRow) -> bool {
        !row.is_converged && self.of.on_failure == OnFailure::Stop
    }

    fn add(&mut self, rows: &[StepRow], part: usize) -> Result<()> {
        for row in rows {
            let number = row.step / self.of.steps_per_day;
            if self.day.as_ref().is_none_or(|day| day.number != number) {
                self.end_day();
                let vm_pu = vec![(f64::INFINITY, f64::NEG_INFINITY); row.vm_pu.len()];
                self.day =
                    Some(Day { number, vm_pu, loading_percent: vec![f64::NEG_INFINITY; row.loading_percent.len()] });
            }
            let Some(day) = &mut self.day else { unreachable!("a day was begun above") };
            let (least, most) = self.of.voltage_band_pu;
            for (bus, &vm_pu) in row.vm_pu.iter().enumerate().filter(|(_, vm_pu)| !vm_pu.is_nan()) {
                let ends = &mut day.vm_pu[bus];
                *ends = (ends.0.min(vm_pu), ends.1.max(vm_pu));
                if vm_pu < least || vm_pu > most {
                    let limit = if vm_pu < least { least } else { most };
                    self.exceptions.push((row.step as u32, "voltage_pu", bus as u32, vm_pu, limit));
                }
            }
            for (branch, &loading) in row.loading_percent.iter().enumerate().filter(|(_, loading)| !loading.is_nan()) {
                day.loading_percent[branch] = day.loading_percent[branch].max(loading);
                if loading > self.of.loading_limit_percent {
                    let limit = self.of.loading_limit_percent;
                    self.exceptions.push((row.step as u32, "loading_percent", branch as u32, loading, limit));
                }
            }
        }
        if self.of.is_full {
            self.write_full(rows, part)?;
        }
        let without_columns =
            |row: &StepRow| StepRow { vm_pu: Vec::new(), loading_percent: Vec::new(), full: None, ..*row };
        self.totals.extend(rows.iter().map(without_columns));
        Ok(())
    }

    fn end_day(&mut self) {
        let Some(day) = self.day.take() else { return };
        for (bus, (least, most)) in day.vm_pu.into_iter().enumerate().filter(|(_, ends)| ends.0 <= ends.1) {
            self.bus_day.0.push(day.number as u32);
            self.bus_day.1.push(bus as u32);
            self.bus_day.2.push(least);
            self.bus_day.3.push(most);
        }
        for (branch, loading) in day.loading_percent.into_iter().enumerate().filter(|(_, loading)| loading.is_finite())
        {
            self.branch_day.0.push(day.number as u32);
            self.branch_day.1.push(branch as u32);
            self.branch_day.2.push(loading);
        }
    }

    /// Every bus and branch of some steps, as a part of the tables' folders.
    fn write_full(&self, rows: &[StepRow], part: usize) -> Result<()> {
        let grid = &self.ready.case.grid;
        let steps = |wide: usize| rows.iter().flat_map(|row| vec![row.step as u32; wide]).collect::<Vec<u32>>();
        let full = || rows.iter().filter_map(|row| row.full.as_ref());
        let mut table = TableWriter::new("Buses by step");
        table.count("step", "", "Row of the profiles, from 0.", &steps(grid.buses.len()));
        table.text("bus_id", "Bus.", rows.iter().flat_map(|_| &grid.buses.id));
        let column = |of: fn(&StepRow) -> &[f64]| rows.iter().flat_map(|row| of(row).to_vec()).collect::<Vec<f64>>();
        table.number("vm_pu", "pu", "Voltage magnitude.", &column(|row| &row.vm_pu));
        table.number(
            "va_deg",
            "degree",
            "Voltage angle.",
            &full().flat_map(|(angles, _)| angles.clone()).collect::<Vec<_>>(),
        );
        create_folder(&self.ready.options.out.join("bus_state"))?;
        self.ready.write(&format!("bus_state/part-{part}"), table)?;
        let mut table = TableWriter::new("Branches by step");
        table.count("step", "", "Row of the profiles, from 0.", &steps(grid.branches.len()));
        table.text("branch_id", "Branch.", rows.iter().flat_map(|_| &self.ready.case.branch_id));
        let names = [("p_from_mw", "MW"), ("q_from_mvar", "Mvar"), ("p_to_mw", "MW"), ("q_to_mvar", "Mvar")];
        for (at, (name, unit)) in names.into_iter().enumerate() {
            let values: Vec<f64> = full().flat_map(|(_, flows)| flows.iter().map(move |flow| flow[at])).collect();
            table.number(name, unit, "Power into that end.", &values);
        }
        table.number(
            "loading_pct",
            "percent",
            "Larger current of the ends against the rating.",
            &column(|row| &row.loading_percent),
        );
        create_folder(&self.ready.options.out.join("branch_state"))?;
        self.ready.write(&format!("branch_state/part-{part}"), table)
    }

    fn finish(mut self, profiles: &Profiles, base: &Outcome) -> Result<PowerSummary> {
        self.end_day();
        let (ready, totals) = (self.ready, &self.totals);
        let bus = |row: u32| ready.bus_name(row);
        let branch = |row: u32| ready.case.branch_id[row as usize].as_str();
        let mut table = TableWriter::new("The grid as a whole by step");
        table.count(
            "step",
            "",
            "Row of the profiles, from 0.",
            &totals.iter().map(|row| row.step as u32).collect::<Vec<_>>(),
        );
        table.text("time", "What the profiles call it.", totals.iter().map(|row| profiles.time(row.step)));
        table.flag(
            "is_converged",
            "Whether it was solved.",
            &totals.iter().map(|row| row.is_converged).collect::<Vec<_>>(),
        );
        table.count(
            "iterations",
            "",
            "Steps of the solve.",
            &totals.iter().map(|row| row.iterations).collect::<Vec<_>>(),
        );
        let number = |of: &dyn Fn(&StepRow) -> f64| totals.iter().map(of).collect::<Vec<f64>>();
        table.number("source_mw", "MW", "From slack buses.", &number(&|row| row.balance.source_w / MW));
        table.number("generated_mw", "MW", "From generators elsewhere.", &number(&|row| row.balance.generated_w / MW));
        table.number("served_mw", "MW", "Taken by loads.", &number(&|row| row.balance.served_w / MW));
        table.number(
            "shed_mw",
            "MW",
            "Not served because the step did not converge with it.",
            &number(&|row| row.shed_w / MW),
        );
        table.number("unserved_mw", "MW", "Loads without a source.", &number(&|row| row.balance.unserved_w / MW));
        let losses_mw = |row: &StepRow| (row.balance.branch_losses_w + row.balance.shunt_losses_w) / MW;
        table.number("losses_mw", "MW", "Lost in branches and shunts.", &number(&losses_mw));
        table.number(
            "residual_mw",
            "MW",
            "Supplied, and neither served nor lost.",
            &number(&|row| row.balance.residual_w() / MW),
        );
        let ends = |of: fn(&Extremes) -> Option<(f64, u32)>| totals.iter().map(|row| of(&row.ends)).collect::<Vec<_>>();
        for (name, place, what, found, name_of) in [
            ("vm_min_pu", "vm_min_bus", "Lowest voltage.", ends(|of| of.lowest), &bus as &dyn Fn(u32) -> &'a str),
            ("vm_max_pu", "vm_max_bus", "Highest voltage.", ends(|of| of.highest), &bus),
            ("loading_max_pct", "loading_max_branch", "Largest loading.", ends(|of| of.most_loaded), &branch),
        ] {
            table.number(name, if name == "loading_max_pct" { "percent" } else { "pu" }, what, &values(&found));
            table.text_or_null(place, "Where.", found.iter().map(|end| end.map(|(_, row)| name_of(row))));
        }
        ready.write("totals", table)?;
        let mut table = TableWriter::new("Extremes of voltage by day");
        table.count("day", "", "Day of the profiles, from 0.", &self.bus_day.0);
        table.text("bus_id", "Bus.", self.bus_day.1.iter().map(|&row| bus(row)));
        table.number("vm_min_pu", "pu", "Lowest voltage.", &self.bus_day.2);
        table.number("vm_max_pu", "pu", "Highest voltage.", &self.bus_day.3);
        ready.write("bus_day", table)?;
        let mut table = TableWriter::new("Largest loading by day");
        table.count("day", "", "Day of the profiles, from 0.", &self.branch_day.0);
        table.text("branch_id", "Branch.", self.branch_day.1.iter().map(|&row| branch(row)));
        table.number("loading_max_pct", "percent", "Largest loading.", &self.branch_day.2);
        ready.write("branch_day", table)?;
        let of = &self.exceptions;
        let mut table = TableWriter::new("Steps beyond limits");
        table.count("step", "", "Row of the profiles, from 0.", &of.iter().map(|row| row.0).collect::<Vec<_>>());
        table.text("quantity", "voltage_pu or loading_percent.", of.iter().map(|row| row.1));
        let id =
            |row: &(u32, &'static str, u32, f64, f64)| if row.1 == "voltage_pu" { bus(row.2) } else { branch(row.2) };
        table.text("id", "Bus or branch.", of.iter().map(id));
        table.number("value", "", "What it is.", &of.iter().map(|row| row.3).collect::<Vec<_>>());
        table.number("limit", "", "What it may be.", &of.iter().map(|row| row.4).collect::<Vec<_>>());
        ready.write("exceptions", table)?;
        let unsolved = totals.iter().filter(|row| !row.is_converged).count();
        let sum = |of: &dyn Fn(&StepRow) -> f64| totals.iter().map(of).sum::<f64>();
        let most = |of: &dyn Fn(&StepRow) -> f64| totals.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let json = json!({
            "steps": totals.len(), "not_converged": unsolved, "exceptions": of.len(),
            "first_state": outcome_json(base),
            "iterations": sum(&|row| f64::from(row.iterations)),
            "losses_mw_mean": sum(&losses_mw) / (totals.len().max(1) as f64),
            "served_mw_mean": sum(&|row| row.balance.served_w / MW) / (totals.len().max(1) as f64),
            "residual_mw_largest": most(&|row| row.balance.residual_w().abs() / MW),
            "vm_min_pu": values(&ends(|of| of.lowest)).into_iter().reduce(f64::min),
            "vm_max_pu": values(&ends(|of| of.highest)).into_iter().reduce(f64::max),
            "loading_max_pct": values(&ends(|of| of.most_loaded)).into_iter().reduce(f64::max),
        });
        let why = format!("{unsolved} of {} steps did not converge", profiles.steps());
        ready.finish(json, (unsolved > 0 && self.of.on_failure != OnFailure::Hold).then_some(why))
    }
}
