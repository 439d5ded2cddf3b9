//! Basins: surface and volume over depth, depth of a volume, evaporation and seepage.
//!
//! Source: Reference Manual Vol. II, chapter 6. Contract: pure functions, but for the soil's moisture.

use super::infiltration::{Moisture, Soil};
use super::network::{Storage, Surface};
use super::section::root;
use super::units::DRY_VOLUME_M3;

impl Storage {
    /// Surface at a depth, m2.
    pub(crate) fn area(&self, depth_m: f64) -> f64 {
        match &self.surface {
            Surface::Function { constant, factor, exponent } => constant + factor * depth_m.powf(*exponent),
            Surface::Polynomial { constant, linear, square } => constant + depth_m * (linear + depth_m * square),
            Surface::Curve(table) => table.storage_area(depth_m),
        }
    }
    /// Volume up to a depth, m3.
    pub(crate) fn volume(&self, depth_m: f64) -> f64 {
        if depth_m <= 0.0 {
            return 0.0;
        }
        match &self.surface {
            Surface::Function { constant, factor, exponent } => {
                constant * depth_m + factor / (exponent + 1.0) * depth_m.powf(exponent + 1.0)
            }
            Surface::Polynomial { constant, linear, square } => {
                depth_m * (constant + depth_m * (linear / 2.0 + depth_m * square / 3.0))
            }
            Surface::Curve(table) => table.storage_volume(depth_m),
        }
    }
    /// Depth of a volume, m, at most the full depth.
    pub(crate) fn depth(&self, volume_m3: f64, full_depth_m: f64, full_volume_m3: f64) -> f64 {
        if volume_m3 <= 0.0 {
            return 0.0;
        }
        if full_volume_m3 <= 0.0 || volume_m3 >= full_volume_m3 {
            return full_depth_m;
        }
        root(0.0, full_depth_m, |depth| (self.volume(depth) - volume_m3, self.area(depth)))
    }
    /// Evaporation and seepage over a step, m3/s, at most what is stored. `moisture` is that of soil below and beside.
    pub(crate) fn losses(
        &self,
        moisture: &mut [Moisture; 2],
        evaporation_mps: f64,
        step_s: f64,
        depth_m: f64,
        volume_m3: f64,
    ) -> (f64, f64) {
        let area = self.area(depth_m);
        let is_wet = volume_m3 > DRY_VOLUME_M3;
        let evaporation = if is_wet { area * evaporation_mps * self.evaporation_share } else { 0.0 };
        let seepage = self.soil.map_or(0.0, |soil| self.seepage(&soil, moisture, step_s, depth_m, area));
        let (all, most) = (evaporation + seepage, volume_m3.max(0.0) / step_s);
        if all > most { (evaporation * most / all, seepage * most / all) } else { (evaporation, seepage) }
    }
    fn seepage(&self, soil: &Soil, moisture: &mut [Moisture; 2], step_s: f64, depth_m: f64, area_m2: f64) -> f64 {
        let Soil::GreenAmpt { conductivity_mps, deficit, .. } = *soil else { return 0.0 };
        let (bottom_m2, from_m, to_m, most_m2) = self.banks();
        let [below, beside] = moisture;
        let rate = |state: &mut Moisture, depth: f64| {
            if deficit <= 0.0 { conductivity_mps } else { soil.rate(state, step_s, 0.0, 0.0, depth) }
        };
        let mut seepage = bottom_m2 * rate(below, depth_m);
        let banks = area_m2.min(most_m2) - bottom_m2;
        if depth_m > from_m && banks > 0.0 {
            // Mean depth over the banks.
            let over = if depth_m > to_m { depth_m - to_m + 0.5 * (to_m - from_m) } else { 0.5 * (depth_m - from_m) };
            seepage += banks * rate(beside, over);
        }
        seepage
    }
    /// Area of the bottom, depths between which banks slope, and area at their top.
    fn banks(&self) -> (f64, f64, f64, f64) {
        let Surface::Curve(table) = &self.surface else {
            return (self.area(0.0), 0.0, f64::INFINITY, f64::INFINITY);
        };
        let (mut from, mut to, mut most) = (0.0, 0.0, 0.0);
        for row in 1..table.x.len() {
            let (before, here) = (table.y[row - 1], table.y[row]);
            if here < before || (here <= before && most > 0.0) {
                break;
            }
            if here > before {
                (most, to) = (here, table.x[row]);
            } else {
                from = table.x[row];
            }
        }
        (self.area(0.0), from, to, most)
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;

    #[test]
    fn depth_and_volume_go_there_and_back() {
        let surfaces = [
            Surface::Function { constant: 10.0, factor: 3.0, exponent: 0.7 },
            Surface::Function { constant: 0.0, factor: 3.0, exponent: 2.0 },
            Surface::Polynomial { constant: 5.0, linear: 2.0, square: 1.0 },
            Surface::Curve(Table { x: vec![0.0, 1.0, 2.0], y: vec![4.0, 10.0, 10.0] }),
        ];
        for surface in surfaces {
            let basin = Storage { surface, evaporation_share: 0.0, soil: None };
            let full = basin.volume(3.0);
            for step in 1..30 {
                let depth = 0.1 * f64::from(step);
                let (volume, h) = (basin.volume(depth), 1e-6);
                assert!((basin.depth(volume, 3.0, full) - depth).abs() < 1e-9);
                let slope = (basin.volume(depth + h) - basin.volume(depth - h)) / (2.0 * h);
                assert!((slope - basin.area(depth)).abs() < 1e-4, "{:?} {depth}", basin.surface);
            }
        }
    }
}
