//! What is wrong with a grid that a program filled. Readers of files check for themselves, to name lines.

use super::tables::Grid;
use super::{BusKind, Topology};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Every doubled id, reference to no bus, value that is not finite, shares outside 0..1, ideal transformers, and the
/// lack of a slack bus. `place` is what messages name as the file.
///
/// # Errors
/// [`urbis_core::Error::Input`] with all of them.
pub fn check(grid: &Grid, place: &Path) -> Result<()> {
    let mut problems = Problems::new();
    let buses = grid.buses.len() as u32;
    if !(grid.base_va.is_finite() && grid.base_va > 0.0) {
        problems.push(Problem::file(place, format!("base_va = {}, expected > 0", grid.base_va)));
    }
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, id) in grid.buses.id.iter().enumerate() {
        if let Some(before) = first.insert(id, row) {
            let expected = format!("an id that row {} does not have already", before + 1);
            problems.push(Problem::value(&place.join("buses"), row + 1, Some(id), "id", id, expected));
        }
    }
    let has_slack = grid.buses.kind.iter().zip(&grid.buses.is_in_service).any(|(k, on)| *k == BusKind::Slack && *on);
    if !has_slack {
        problems.push(Problem::file(&place.join("buses"), "no bus in service is a slack, expected at least one"));
    }
    let mut columns = Columns { place, problems: &mut problems };
    columns.finite("buses", &[("vm_pu", &grid.buses.vm_pu), ("va_rad", &grid.buses.va_rad)]);
    let of = &grid.branches;
    columns.buses("branches", "from", &of.from, buses);
    columns.buses("branches", "to", &of.to, buses);
    let shunts = [("g_from_pu", &of.g_from_pu), ("b_from_pu", &of.b_from_pu), ("g_to_pu", &of.g_to_pu)];
    columns.finite("branches", &shunts);
    let series = [("b_to_pu", &of.b_to_pu), ("r_pu", &of.r_pu), ("x_pu", &of.x_pu), ("shift_rad", &of.shift_rad)];
    columns.finite("branches", &series);
    columns.range("branches", "ratio", &of.ratio, "> 0", |ratio| ratio.is_finite() && ratio > 0.0);
    columns.buses("shunts", "bus", &grid.shunts.bus, buses);
    columns.finite("shunts", &[("p_w", &grid.shunts.p_w), ("q_var", &grid.shunts.q_var)]);
    columns.buses("loads", "bus", &grid.loads.bus, buses);
    columns.finite("loads", &[("p_w", &grid.loads.p_w), ("q_var", &grid.loads.q_var)]);
    columns.range("loads", "current_share", &grid.loads.current_share, "0..1", |share| (0.0..=1.0).contains(&share));
    columns.range("loads", "impedance_share", &grid.loads.impedance_share, "0..1", |s| (0.0..=1.0).contains(&s));
    let of = &grid.generators;
    columns.buses("generators", "bus", &of.bus, buses);
    columns.finite("generators", &[("p_w", &of.p_w), ("q_var", &of.q_var)]);
    columns.range("generators", "vm_set_pu", &of.vm_set_pu, "> 0", |vm| vm.is_finite() && vm > 0.0);
    problems.or_else(())?;
    let mut problems = Problems::new();
    for row in 0..grid.branches.len() {
        let branch = grid.branches.row(row);
        let is_plain = (branch.ratio - 1.0).abs() < 1e-12 && branch.shift_rad.abs() < 1e-12;
        if branch.has_no_impedance() && !is_plain {
            let value = format!("{} + j{}", branch.r_pu, branch.x_pu);
            let expected = "an impedance, as its transformer changes the voltage";
            problems.push(Problem::value(&place.join("branches"), row + 1, None, "r_pu + j x_pu", value, expected));
        }
    }
    for (a, b) in Topology::new(grid).conflicting_slacks(grid) {
        let (ids, vm) = (&grid.buses.id, &grid.buses.vm_pu);
        let expected = format!("that of slack {} ({}), which a closed switch makes the same bus", ids[a], vm[a]);
        problems.push(Problem::value(&place.join("buses"), b + 1, Some(&ids[b]), "vm_pu", vm[b], expected));
    }
    problems.or_else(())
}

struct Columns<'a> {
    place: &'a Path,
    problems: &'a mut Problems,
}

impl Columns<'_> {
    fn range(&mut self, table: &str, field: &str, values: &[f64], expected: &str, is_good: impl Fn(f64) -> bool) {
        for (row, &value) in values.iter().enumerate().filter(|&(_, &value)| !is_good(value)) {
            self.problems.push(Problem::value(&self.place.join(table), row + 1, None, field, value, expected));
        }
    }
    fn finite(&mut self, table: &str, columns: &[(&str, &Vec<f64>)]) {
        for (field, values) in columns {
            self.range(table, field, values, "a finite number", f64::is_finite);
        }
    }
    fn buses(&mut self, table: &str, field: &str, of: &[u32], buses: u32) {
        for (row, &bus) in of.iter().enumerate().filter(|&(_, &bus)| bus >= buses) {
            let expected = format!("the row of one of {buses} buses");
            self.problems.push(Problem::value(&self.place.join(table), row + 1, None, field, bus, expected));
        }
    }
}
