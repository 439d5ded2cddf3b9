//! What is wrong with a three-phase grid that a program filled.

use super::admittance::series_s;
use super::tables::PhaseGrid;
use crate::power::grid::Complex;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Every doubled id, reference to no bus, number that is not finite or out of its range, line without impedance or
/// between different nominal voltages, second source of a bus, and the lack of a source. `place` is what messages name as
/// the file.
///
/// # Errors
/// [`urbis_core::Error::Input`] with all of them.
pub fn check(grid: &PhaseGrid, place: &Path) -> Result<()> {
    let mut all = Check { grid, place, problems: Problems::new() };
    if !is_positive(grid.base_va) {
        all.problems.push(Problem::file(place, format!("base_va = {}, expected > 0", grid.base_va)));
    }
    all.buses();
    all.lines();
    all.transformers();
    all.sources();
    for (row, of) in grid.loads.iter().enumerate() {
        all.bus("loads", row, "bus", of.bus);
        all.finite("loads", row, "s_va", of.s_va.iter());
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        all.value("loads", row, "current_share", of.current_share, "0..1", is_share(of.current_share));
        all.value("loads", row, "impedance_share", of.impedance_share, "0..1", is_share(of.impedance_share));
    }
    for (row, of) in grid.generators.iter().enumerate() {
        all.bus("generators", row, "bus", of.bus);
        all.finite("generators", row, "s_va", std::iter::once(&of.s_va));
    }
    all.problems.or_else(())
}

fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

struct Check<'a> {
    grid: &'a PhaseGrid,
    place: &'a Path,
    problems: Problems,
}

impl Check<'_> {
    fn value(&mut self, table: &str, row: usize, field: &str, value: impl Display, expected: &str, is_good: bool) {
        if !is_good {
            self.problems.push(Problem::value(&self.place.join(table), row + 1, None, field, value, expected));
        }
    }
    fn bus(&mut self, table: &str, row: usize, field: &str, bus: u32) {
        let buses = self.grid.buses.len();
        let expected = format!("the row of one of {buses} buses");
        self.value(table, row, field, bus, &expected, (bus as usize) < buses);
    }
    fn finite<'a>(&mut self, table: &str, row: usize, field: &str, values: impl Iterator<Item = &'a Complex>) {
        for value in values {
            self.value(table, row, field, value, "a finite number", value.re.is_finite() && value.im.is_finite());
        }
    }
    fn buses(&mut self) {
        let grid = self.grid;
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, of) in grid.buses.iter().enumerate() {
            if let Some(before) = first.insert(&of.id, row) {
                let expected = format!("an id that row {} does not have already", before + 1);
                self.value("buses", row, "id", &of.id, &expected, false);
            }
            self.value("buses", row, "base_v", of.base_v, "> 0", is_positive(of.base_v));
        }
    }
    fn lines(&mut self) {
        let grid = self.grid;
        let base_v = |bus: u32| grid.buses.get(bus as usize).map_or(f64::NAN, |bus| bus.base_v);
        for (row, of) in grid.lines.iter().enumerate() {
            self.bus("lines", row, "from", of.from);
            self.bus("lines", row, "to", of.to);
            self.finite("lines", row, "z_ohm", of.z_ohm.iter().flatten());
            self.finite("lines", row, "y_s", of.y_s.iter().flatten());
            self.value("lines", row, "phases", "none", "at least one", of.phases.contains(&true));
            let is_good = series_s(of).is_some();
            self.value("lines", row, "z_ohm", "singular", "an impedance; join the ends of a switch", is_good);
            let (a, b) = (base_v(of.from), base_v(of.to));
            let is_same = (a - b).abs() <= 1e-9 * a.abs() || (a - b).is_nan();
            self.value("lines", row, "to", format!("{b} V"), &format!("{a} V as at its other end"), is_same);
        }
    }
    fn transformers(&mut self) {
        for (row, of) in self.grid.transformers.iter().enumerate() {
            let table = "transformers";
            self.bus(table, row, "hv", of.hv);
            self.bus(table, row, "lv", of.lv);
            let sizes = [("rated_va", of.rated_va), ("rated_hv_v", of.rated_hv_v), ("rated_lv_v", of.rated_lv_v)];
            let shares = [("tap_hv", of.tap_hv), ("tap_lv", of.tap_lv), ("vk", of.vk), ("mag0", of.mag0)];
            for (field, value) in sizes.into_iter().chain(shares) {
                self.value(table, row, field, value, "> 0", is_positive(value));
            }
            let losses = [("iron_w", of.iron_w), ("i0", of.i0), ("vk0", of.vk0), ("mag0_rx", of.mag0_rx)];
            for (field, value) in losses {
                self.value(table, row, field, value, ">= 0", value.is_finite() && value >= 0.0);
            }
            self.value(table, row, "vkr", of.vkr, "0..vk", (0.0..=of.vk).contains(&of.vkr));
            let vk0 = if of.vk0 > 0.0 { of.vk0 } else { of.vk };
            self.value(table, row, "vkr0", of.vkr0, "0..vk0", (0.0..=vk0).contains(&of.vkr0));
            let share = of.si0_hv_share;
            self.value(table, row, "si0_hv_share", share, "0..1", (0.0..=1.0).contains(&share));
            self.value(table, row, "shift_rad", of.shift_rad, "a finite number", of.shift_rad.is_finite());
            self.value(table, row, "parallel", of.parallel, "at least 1", of.parallel > 0);
        }
    }
    fn sources(&mut self) {
        let grid = self.grid;
        let is_live = |of: &super::PhaseSource| of.is_in_service && grid.buses.get(of.bus as usize).is_some();
        if !grid.sources.iter().any(is_live) {
            let what = "no source in service, expected at least one";
            self.problems.push(Problem::file(&self.place.join("sources"), what));
        }
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        for (row, of) in grid.sources.iter().enumerate() {
            self.bus("sources", row, "bus", of.bus);
            if let Some(before) = first.insert(of.bus, row) {
                let expected = format!("a bus without a source; row {} is one", before + 1);
                self.value("sources", row, "bus", of.bus, &expected, false);
            }
            self.value("sources", row, "vm_pu", of.vm_pu, "> 0", is_positive(of.vm_pu));
            self.value("sources", row, "va_rad", of.va_rad, "a finite number", of.va_rad.is_finite());
            self.value("sources", row, "s_sc_va", of.s_sc_va, "> 0", of.s_sc_va > 0.0);
            for (field, value) in [("rx", of.rx), ("x0x", of.x0x), ("r0x0", of.r0x0)] {
                let is_good = value.is_finite() && value >= 0.0 && (field != "x0x" || value > 0.0);
                self.value("sources", row, field, value, ">= 0, x0x > 0", is_good);
            }
        }
    }
}
