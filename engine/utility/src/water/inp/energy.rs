//! `[ENERGY]`: prices and efficiencies of pumps.

use super::reader::{CurveUse, Reader};
use super::text::{Line, begins, which};
use crate::water::network::LinkKind;

impl<'a> Reader<'a> {
    /// A line of `[ENERGY]`.
    pub(super) fn energy_line(&mut self, line: &Line<'a>) {
        let key = line.word(0);
        if line.len() < 3 {
            return self.short(line, "such as GLOBAL PRICE 0.1");
        }
        if begins(key, "DEMAN") {
            if let Some(charge) = self.not_negative(line, 2, "DEMAND CHARGE") {
                self.network.energy.demand_charge_per_kw = charge;
            }
            return;
        }
        let mut pump = None;
        if begins(key, "PUMP") {
            if line.len() < 4 {
                return self.short(line, "such as PUMP id PRICE 0.1");
            }
            let Some(link) = self.link(line, 1, "PUMP") else { return };
            if self.network.links.kind.get(link as usize) != Some(&LinkKind::Pump) {
                return self.value(line, "PUMP", line.word(1), "the id of a pump");
            }
            pump = self.pump_of.get(link as usize).map(|row| *row as usize);
        } else if !begins(key, "GLOB") {
            return self.problem(line, format_args!("{key}, expected GLOBAL, PUMP or DEMAND CHARGE"));
        }
        let at = line.len() - 1;
        match (which(line.word(at - 1), &[("PRICE", 0), ("PATT", 1), ("EFFI", 2)]), pump) {
            (Some(0), _) => {
                let Some(price) = self.not_negative(line, at, "PRICE") else { return };
                match pump {
                    None => self.network.energy.price_per_kwh = price,
                    // To EPANET a pump's price of 0 is none of its own.
                    Some(row) => self.network.pumps.price_per_kwh[row] = if price > 0.0 { price } else { f64::NAN },
                }
            }
            (Some(1), _) => {
                let pattern = self.pattern(line, at, "PATTERN");
                match pump {
                    None => self.network.energy.price_pattern = pattern,
                    Some(row) => self.network.pumps.price_pattern[row] = pattern,
                }
            }
            (Some(_), None) => {
                if let Some(percent) = self.positive(line, at, "EFFICIENCY") {
                    self.network.energy.efficiency = 0.01 * percent;
                }
            }
            (Some(_), Some(row)) => {
                if let Some(curve) = self.curve(line, at, "EFFICIENCY", CurveUse::Efficiency) {
                    self.network.pumps.efficiency_curve[row] = curve;
                }
            }
            (None, _) => self.problem(line, format_args!("{}, expected PRICE, PATTERN or EFFIC", line.word(at - 1))),
        }
    }
}
