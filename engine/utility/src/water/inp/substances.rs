//! Water quality: `[QUALITY]`, `[SOURCES]`, `[REACTIONS]`, `[MIXING]`.

use super::reader::Reader;
use super::text::{self, Line, begins, which};
use crate::water::network::{HeadLoss, LinkKind, Mixing, NONE, QualitySource, SourceKind};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

impl<'a> Reader<'a> {
    /// `node (node) quality`, of one node or a range of them.
    pub(super) fn quality_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 {
            return self.short(line, "a node and its quality");
        }
        let at = line.len().min(3) - 1;
        let Some(quality) = self.not_negative(line, at, "quality") else { return };
        let rows = if at == 1 {
            self.node(line, 0, "node").into_iter().collect()
        } else {
            let rows = Self::range(&self.nodes, line.word(0), line.word(1));
            if rows.is_empty() {
                self.notes.push(format!("line {}: no node is from {} to {}", line.number, line.word(0), line.word(1)));
            }
            rows
        };
        let quality_si = quality * self.quality_unit();
        for row in rows {
            self.network.nodes.initial_quality[row as usize] = quality_si;
        }
    }

    /// `node (kind) strength (pattern)`; the last one of a node counts.
    pub(super) fn source_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 {
            return self.short(line, "a node, a kind and a strength");
        }
        let Some(node) = self.node(line, 0, "node") else { return };
        let kinds = [
            ("CONCEN", SourceKind::Concentration),
            ("MASS", SourceKind::Mass),
            ("SETPOINT", SourceKind::Setpoint),
            ("FLOWPACED", SourceKind::FlowPaced),
        ];
        let kind = which(line.word(1), &kinds);
        let at = if kind.is_some() { 2 } else { 1 };
        let Some(strength) = self.number(line, at, "strength") else { return };
        let pattern = self.pattern(line, at + 1, "pattern");
        let kind = kind.unwrap_or(SourceKind::Concentration);
        let unit = match kind {
            SourceKind::Mass => self.units.mass_kg() / 60.0,
            _ => self.units.chemical_kgpm3,
        };
        let sources = &mut self.network.quality.sources;
        if let Some(at) = sources.iter().position(|source| source.node == node) {
            self.notes.push(format!("line {}: takes the place of an earlier source of {}", line.number, line.word(0)));
            sources.remove(at);
        }
        sources.push(QualitySource { node, kind, strength: strength * unit, pattern });
    }

    /// Orders, coefficients per day, limit, correlation: as written, until [`Self::finish_reactions`].
    pub(super) fn reaction_line(&mut self, line: &Line<'a>) {
        let (key, of) = (line.word(0), line.word(1));
        if line.len() < 3 {
            return self.short(line, "such as GLOBAL BULK -0.5");
        }
        let at = line.len() - 1;
        let Some(what) =
            which(key, &[("ORDER", 0), ("ROUG", 1), ("LIMIT", 2), ("GLOB", 3), ("BULK", 4), ("WALL", 5), ("TANK", 6)])
        else {
            return self
                .problem(line, format_args!("{key}, expected ORDER, GLOBAL, BULK, WALL, TANK, LIMITING or ROUGHNESS"));
        };
        let Some(value) = self.number(line, at, key) else { return };
        let quality = &mut self.network.quality;
        match (what, which(of, &[("BULK", 0), ("TANK", 1), ("WALL", 2)])) {
            (0, Some(2)) if (value - value.round()).abs() > 0.0 || !(0.0..=1.0).contains(&value) => {
                self.value(line, "ORDER WALL", value, "0 or 1");
            }
            (0, Some(which)) => quality.orders[which] = value,
            (0, None) => self.value(line, "ORDER", of, "BULK, WALL or TANK"),
            (1, _) => quality.roughness_correlation = value,
            (2, _) => quality.limit = value,
            (3, Some(0)) => quality.bulk_per_s = value,
            (3, Some(2)) => quality.wall = value,
            (3, _) => self.value(line, "GLOBAL", of, "BULK or WALL"),
            (6, _) => {
                for row in self.rows_of_line(line, true) {
                    let tank = self.tank_of.get(row as usize).copied().unwrap_or(NONE);
                    if let Some(bulk) = self.network.tanks.bulk_per_s.get_mut(tank as usize) {
                        *bulk = value;
                    }
                }
            }
            _ => {
                for row in self.rows_of_line(line, false) {
                    let links = &mut self.network.links;
                    let column = if what == 4 { &mut links.bulk_per_s } else { &mut links.wall_mps };
                    if matches!(links.kind[row as usize], LinkKind::Pipe | LinkKind::CheckValve) {
                        column[row as usize] = value;
                    }
                }
            }
        }
    }

    /// One element, or a range of them.
    fn rows_of_line(&mut self, line: &Line<'a>, is_node: bool) -> Vec<u32> {
        let ids = if is_node { &self.nodes } else { &self.links };
        if line.len() > 3 {
            return Self::range(ids, line.word(1), line.word(2));
        }
        if is_node { self.node(line, 1, "node") } else { self.link(line, 1, "link") }.into_iter().collect()
    }

    /// Reactions in SI, and walls by roughness.
    pub(super) fn finish_reactions(&mut self) {
        let units = self.units;
        let quality = &mut self.network.quality;
        let [bulk_order, tank_order, wall_order] = quality.orders;
        // A rate of k c^n in the file's unit u of concentration is k u^(1 - n) c^n in SI; of order 0 and below, k u.
        let bulk = |order: f64| units.chemical_kgpm3.powf(1.0 - order.max(0.0)) / DAY_S;
        let wall = if wall_order > 0.0 {
            units.length_m / DAY_S
        } else {
            units.mass_kg() / (units.length_m * units.length_m) / DAY_S
        };
        let general = quality.bulk_per_s;
        quality.bulk_per_s *= bulk(bulk_order);
        quality.wall *= wall;
        quality.limit *= units.chemical_kgpm3;
        let correlation = quality.roughness_correlation;
        quality.roughness_correlation *= wall;
        for value in &mut self.network.tanks.bulk_per_s {
            // The general coefficient has another unit in tanks where their order is another.
            if value.is_nan() && (tank_order - bulk_order).abs() > 0.0 {
                *value = general;
            }
            *value *= bulk(tank_order);
        }
        let links = &mut self.network.links;
        links.bulk_per_s.iter_mut().for_each(|value| *value *= bulk(bulk_order));
        for at in 0..links.wall_mps.len() {
            let is_open = links.wall_mps[at].is_nan() && correlation.abs() > 0.0;
            if is_open && matches!(links.kind[at], LinkKind::Pipe | LinkKind::CheckValve) {
                let roughness = links.roughness[at];
                links.wall_mps[at] = match self.network.options.head_loss {
                    HeadLoss::HazenWilliams => correlation / roughness,
                    // EPANET compares the numbers of the file: thousandths of a foot over inches, millimetres over millimetres.
                    HeadLoss::DarcyWeisbach => {
                        let ratio = (roughness / units.roughness_m()) / (links.diameter_m[at] / units.diameter_m);
                        correlation / ratio.ln().abs().max(1e-6)
                    }
                    HeadLoss::ChezyManning => correlation * roughness,
                };
            }
            links.wall_mps[at] *= wall;
        }
    }

    /// `tank model (share)`.
    pub(super) fn mixing_line(&mut self, line: &Line<'a>) {
        if line.len() < 2 {
            return self.short(line, "a tank and its model");
        }
        let Some(node) = self.node(line, 0, "tank") else { return };
        let share = text::number(line.word(2)).filter(|share| (0.0..=1.0).contains(share));
        let models = [
            ("MIXED", Mixing::Complete),
            ("2COMP", Mixing::TwoCompartment(1.0)),
            ("FIFO", Mixing::Fifo),
            ("LIFO", Mixing::Lifo),
        ];
        let mixing = match which(line.word(1), &models) {
            Some(Mixing::TwoCompartment(_)) if line.len() > 2 => match share {
                // A share of nothing is all of it.
                Some(share) if share > 0.0 => Mixing::TwoCompartment(share),
                Some(_) => Mixing::TwoCompartment(1.0),
                None => return self.value(line, "share", line.word(2), "a number of 0 to 1"),
            },
            Some(mixing) => mixing,
            None => return self.value(line, "model", line.word(1), "MIXED, 2COMP, FIFO or LIFO"),
        };
        let tank = self.tank_of.get(node as usize).copied().unwrap_or(NONE);
        match self.network.tanks.mixing.get_mut(tank as usize) {
            Some(of_tank) => *of_tank = mixing,
            None => self.notes.push(format!("line {}: {} is no tank and does not mix", line.number, line.word(0))),
        }
    }

    /// Whether a word is one of EPANET's for nodes.
    pub(super) fn is_node_word(word: &str) -> bool {
        ["NODE", "JUNC", "RESER", "TANK"].iter().any(|key| begins(word, key))
    }
    /// Whether a word is one of EPANET's for links.
    pub(super) fn is_link_word(word: &str) -> bool {
        ["LINK", "PIPE", "PUMP", "VALVE"].iter().any(|key| begins(word, key))
    }
}
