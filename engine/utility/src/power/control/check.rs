//! What is wrong with tables of controls beside the grid that they are for.

use super::tables::{ControlTables, ReactiveLaw};
use crate::power::BusKind;
use crate::power::elements::GridRow;
use crate::power::grid::Grid;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// # Errors
/// [`urbis_core::Error::Input`] with everything found.
pub(super) fn check(tables: &ControlTables, grid: &Grid) -> Result<()> {
    let mut found = Found { grid, tables, problems: Problems::new() };
    (0..tables.taps.len()).for_each(|row| found.tap(row));
    (0..tables.shunts.len()).for_each(|row| found.shunt(row));
    (0..tables.curves.len()).for_each(|row| found.curve(row));
    (0..tables.inverters.len()).for_each(|row| found.inverter(row));
    found.once();
    if tables.has_reactive_limits {
        found.limits();
    }
    found.problems.or_else(())
}

struct Found<'a> {
    grid: &'a Grid,
    tables: &'a ControlTables,
    problems: Problems,
}

impl Found<'_> {
    fn problem(&mut self, table: &str, row: usize, field: &str, value: impl std::fmt::Display, expected: &str) {
        let place = Path::new("controls").join(table);
        self.problems.push(Problem::value(&place, row + 1, None, field, value, expected));
    }
    fn bus(&mut self, table: &str, row: usize, bus: u32) {
        if bus as usize >= self.grid.buses.len() {
            self.problem(table, row, "bus", bus, "the row of a bus");
        }
    }
    fn tap(&mut self, row: usize) {
        let (tap, table) = (self.tables.taps.row(row), "taps");
        self.bus(table, row, tap.bus);
        match tap.branch as usize {
            branch if branch >= self.grid.branches.len() => {
                self.problem(table, row, "branch", branch, "the row of a branch");
            }
            branch if self.grid.branches.row(branch).has_no_impedance() => {
                self.problem(table, row, "branch", branch, "one with an impedance");
            }
            _ => {}
        }
        if tap.min > tap.max {
            self.problem(table, row, "min", tap.min, &format!("at most max = {}", tap.max));
        } else if !(tap.min..=tap.max).contains(&tap.position) {
            self.problem(table, row, "position", tap.position, &format!("{}..{}", tap.min, tap.max));
        }
        if !(tap.step_pu * tap.step_rad.cos()).is_finite() || (tap.step_pu * tap.step_rad.cos()).abs() < 1e-9 {
            let value = format!("{} at {} rad", tap.step_pu, tap.step_rad);
            self.problem(table, row, "step_pu", value, "a step that changes the magnitude");
        } else if [tap.min, tap.max].iter().any(|&position| tap.factor(position).re <= 0.0) {
            self.problem(table, row, "step_pu", tap.step_pu, "steps that leave a voltage at the ends of the range");
        }
        if !(tap.vm_set_pu.is_finite() && tap.vm_set_pu > 0.0) {
            self.problem(table, row, "vm_set_pu", tap.vm_set_pu, "> 0");
        }
        if !(tap.deadband_pu.is_finite() && tap.deadband_pu > 0.0) {
            self.problem(table, row, "deadband_pu", tap.deadband_pu, "> 0");
        }
    }
    fn shunt(&mut self, row: usize) {
        let (bank, table) = (self.tables.shunts.row(row), "shunts");
        self.bus(table, row, bank.bus);
        if bank.shunt as usize >= self.grid.shunts.len() {
            self.problem(table, row, "shunt", bank.shunt, "the row of a shunt");
        }
        if bank.blocks > bank.blocks_max {
            self.problem(table, row, "blocks", bank.blocks, &format!("at most blocks_max = {}", bank.blocks_max));
        }
        if !bank.block_p_w.is_finite() {
            self.problem(table, row, "block_p_w", bank.block_p_w, "a finite number");
        }
        if !(bank.block_q_var.is_finite() && bank.block_q_var.abs() > 0.0) {
            self.problem(table, row, "block_q_var", bank.block_q_var, "a finite number, not 0");
        }
        let wide = (bank.vm_off_pu - bank.vm_on_pu) * bank.block_q_var.signum();
        if !(wide.is_finite() && wide > 0.0) {
            let expected = format!("below vm_off_pu = {} for capacitors, above for reactors", bank.vm_off_pu);
            self.problem(table, row, "vm_on_pu", bank.vm_on_pu, &expected);
        }
    }
    fn curve(&mut self, row: usize) {
        let points = &self.tables.curves[row].points;
        let is_ascending = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let is_finite = points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        if points.is_empty() || !is_ascending || !is_finite {
            self.problem(
                "curves",
                row,
                "points",
                format!("{points:?}"),
                "finite points at ascending places, one or more",
            );
        }
    }
    fn curve_of(&mut self, row: usize, field: &str, curve: u32, expected: &str, is_good: impl Fn(f64) -> bool) {
        match self.tables.curves.get(curve as usize) {
            None => self.problem("inverters", row, field, curve, "the row of a curve"),
            Some(of) if !of.points.iter().all(|&(_, y)| is_good(y)) => {
                self.problem("inverters", row, field, curve, expected);
            }
            Some(_) => {}
        }
    }
    fn inverter(&mut self, row: usize) {
        let (inverter, table) = (self.tables.inverters.row(row), "inverters");
        let (loads, generators) = (&self.grid.loads, &self.grid.generators);
        let expected = match inverter.row {
            GridRow::Load(load) if (load as usize) < loads.len() => {
                let shares = loads.current_share[load as usize] + loads.impedance_share[load as usize];
                (shares > 0.0).then_some("a load of constant power")
            }
            GridRow::Generator(generator) if (generator as usize) < generators.len() => {
                let kind = self.grid.buses.kind[generators.bus[generator as usize] as usize];
                (kind != BusKind::Pq).then_some("a generator of a PQ bus")
            }
            _ => Some("the row of a load or of a generator"),
        };
        if let Some(expected) = expected {
            self.problem(table, row, "row", format!("{:?}", inverter.row), expected);
        }
        for (field, value) in [("p_rated_w", inverter.p_rated_w), ("s_rated_va", inverter.s_rated_va)] {
            if !(value.is_finite() && value > 0.0) {
                self.problem(table, row, field, value, "> 0");
            }
        }
        if !(inverter.p_available_w.is_finite() && inverter.p_available_w >= 0.0) {
            self.problem(table, row, "p_available_w", inverter.p_available_w, ">= 0");
        }
        let is_factor = |cos_phi: f64| cos_phi > 0.0 && cos_phi <= 1.0;
        match inverter.law {
            ReactiveLaw::Fixed(q_var) if !q_var.is_finite() => {
                self.problem(table, row, "law", q_var, "a finite number of var");
            }
            ReactiveLaw::PowerFactor { cos_phi, .. } if !is_factor(cos_phi) => {
                self.problem(table, row, "law", cos_phi, "a power factor above 0 and up to 1");
            }
            ReactiveLaw::PowerFactorOfPower { curve, .. } => {
                self.curve_of(row, "law", curve, "a curve of power factors above 0 and up to 1", is_factor);
            }
            ReactiveLaw::OfVoltage { curve } => {
                self.curve_of(row, "law", curve, "a curve of shares -1..1", |share| share.abs() <= 1.0);
            }
            _ => {}
        }
        if let Some(curve) = inverter.p_curve {
            self.curve_of(row, "p_curve", curve, "a curve of shares >= 0", |share| share >= 0.0);
        }
    }
    /// Two controls must not set the same row.
    fn once(&mut self) {
        let taps: Vec<GridRow> = self.tables.taps.branch.iter().map(|&row| GridRow::Branch(row)).collect();
        let shunts: Vec<GridRow> = self.tables.shunts.shunt.iter().map(|&row| GridRow::Shunt(row)).collect();
        for (table, rows) in [("taps", taps), ("shunts", shunts), ("inverters", self.tables.inverters.row.clone())] {
            let mut sorted: Vec<(GridRow, usize)> = rows.into_iter().zip(0..).collect();
            sorted.sort_unstable();
            for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
                let expected = format!("another than row {} has", pair[0].1 + 1);
                self.problem(table, pair[1].1, "row", format!("{:?}", pair[1].0), &expected);
            }
        }
    }
    fn limits(&mut self) {
        let of = &self.grid.generators;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let (min, max) = (of.q_min_var[row], of.q_max_var[row]);
            let is_range = min <= max && min < f64::INFINITY && max > f64::NEG_INFINITY;
            if self.grid.buses.kind[of.bus[row] as usize] == BusKind::Pv && !is_range {
                self.problem("generators", row, "q_min_var", min, &format!("at most q_max_var = {max}"));
            }
        }
    }
}
