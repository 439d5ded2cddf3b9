//! Whether a gas network looks like one: its figures, solved at peak, beside published ones.

use super::{GasLinkKind, SyntheticGas};
use crate::gas::GasFlow;
use crate::gas::linepack::total_kg;
use crate::pipes::solver::HydraulicOutcome;
use crate::pipes::synthetic::coincidence::customers;
use crate::pipes::synthetic::{FigureRow, Published, built_up_m2, show_figures};
use std::fmt;
use urbis_city::model::City;
use urbis_core::Result;

const BNETZA: &str = "Germany: about 500,000 km of distribution, of which the most part low and medium pressure (BNetzA/BKartA Monitoringbericht, about 2020)";

/// What is published; all recalled.
pub const PUBLISHED: [Published; 5] = [
    Published { figure: "mains per customer", value: 30.0, source: BNETZA, quality: "recalled" },
    Published {
        figure: "mains per connected building",
        value: 45.0,
        source: "Germany: the same over about 11 million service lines, countryside included",
        quality: "recalled",
    },
    Published {
        figure: "service line per building",
        value: 15.0,
        source: "usual length of a house connection in price lists (up to 15 m at a flat rate)",
        quality: "recalled",
    },
    Published {
        figure: "highest velocity in mains",
        value: 20.0,
        source: "upper end of handbooks for medium pressure; 5 to 10 for low pressure",
        quality: "recalled",
    },
    Published {
        figure: "peak over mean of a year",
        value: 3.5,
        source: "heating customers: 2,200 to 2,800 full-load hours a year, 8760 over that",
        quality: "recalled",
    },
];

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GasFigures {
    /// Buildings of the city.
    pub buildings: u32,
    /// Buildings with gas.
    pub connected: u32,
    /// Of them, those that have a pressure in the solve.
    pub supplied: u32,
    /// Dwellings and other customers with gas.
    pub customers: u32,
    /// City gates.
    pub gates: u32,
    /// Regulators of districts.
    pub regulators: u32,
    /// Length by [`GasLinkKind::NAMED`], m.
    pub length_m: [f64; 4],
    /// Volume weight of bores: mean diameter of mains by length, m.
    pub main_bore_m: f64,
    /// Area of squares of 250 m with a connected building, m2.
    pub area_m2: f64,
    /// Sum of the peaks of gates, W.
    pub peak_w: f64,
    /// How the solve went.
    pub outcome: HydraulicOutcome,
    /// Lowest pressure above the air at a connected building, Pa; by medium and low pressure, infinite where there is none.
    pub gauge_min_pa: [f64; 2],
    /// Highest velocity in mains and in service lines, m/s.
    pub velocity_max_mps: [f64; 2],
    /// From gates, kg/s.
    pub fed_kgps: f64,
    /// Drawn by buildings, kg/s.
    pub drawn_kgps: f64,
    /// In pipes, kg.
    pub linepack_kg: f64,
    /// Energy of a year over the peak and 8760 h, where it is known.
    pub peak_over_mean: Option<f64>,
}

impl GasFigures {
    /// Of a network, solved at its peak. The energy of a year of each building, kWh of the upper heating value, where it is
    /// known. Shape: buildings.
    ///
    /// # Errors
    /// None for a network that [`SyntheticGas::plan`] made.
    pub fn new(city: &City, of: &SyntheticGas, annual_kwh: Option<&[f64]>) -> Result<Self> {
        let is_connected = |building: &usize| of.building_draw[*building] != SyntheticGas::NO_DRAW;
        let connected = || (0..of.building_draw.len()).filter(is_connected);
        let customers = customers(city);
        let mut figures = Self {
            buildings: city.buildings.len() as u32,
            connected: connected().count() as u32,
            customers: connected().map(|building| customers[building]).sum(),
            gates: of.gates.len() as u32,
            regulators: of.kind.iter().filter(|kind| **kind == GasLinkKind::Regulator).count() as u32,
            area_m2: built_up_m2(city, connected()),
            peak_w: of.gates.iter().map(|gate| gate.peak_w).sum(),
            gauge_min_pa: [f64::INFINITY; 2],
            ..Self::default()
        };
        let kwh = annual_kwh.map(|kwh| connected().map(|building| kwh[building]).sum::<f64>());
        figures.peak_over_mean = kwh.filter(|&kwh| kwh > 0.0).map(|kwh| figures.peak_w * 8.76 / kwh);
        if of.kind.is_empty() {
            figures.outcome.is_converged = true;
            return Ok(figures);
        }
        let mut flow = GasFlow::new(of.network.clone())?;
        figures.outcome = flow.solve(&SyntheticGas::solver());
        let links = &of.network.links;
        let mut bore_m2 = 0.0;
        let mut is_low = vec![false; of.network.nodes.len()];
        for (link, &kind) in of.kind.iter().enumerate() {
            figures.length_m[kind as usize] += links.length_m[link];
            let state = flow.link(link);
            let v_mps = state.v_from_mps.abs().max(state.v_to_mps.abs());
            match kind {
                GasLinkKind::Regulator => is_low[links.to[link] as usize] = true,
                GasLinkKind::Service => figures.velocity_max_mps[1] = figures.velocity_max_mps[1].max(v_mps),
                GasLinkKind::MediumMain | GasLinkKind::LowMain => {
                    figures.velocity_max_mps[0] = figures.velocity_max_mps[0].max(v_mps);
                    bore_m2 += links.length_m[link] * links.diameter_m[link];
                }
            }
            // Links of trees stand after those that feed them.
            is_low[links.to[link] as usize] |= is_low[links.from[link] as usize];
        }
        figures.main_bore_m = bore_m2 / figures.mains_m().max(1.0);
        for building in connected() {
            let node = of.network.draws[of.building_draw[building] as usize].node;
            if flow.is_supplied(node) {
                figures.supplied += 1;
                let least = &mut figures.gauge_min_pa[usize::from(is_low[node as usize])];
                *least = least.min(flow.gauge_pa(node));
            }
        }
        let mut feeds = vec![0.0; of.network.nodes.len()];
        flow.feeds_kgps(&mut feeds);
        figures.fed_kgps = of.gates.iter().map(|gate| feeds[gate.node as usize]).sum();
        figures.drawn_kgps = of.network.draws.iter().map(|draw| draw.mdot_kgps).sum();
        figures.linepack_kg = total_kg(&flow);
        Ok(figures)
    }
    /// Mains along streets, m.
    #[must_use]
    pub fn mains_m(&self) -> f64 {
        self.length_m[GasLinkKind::MediumMain as usize] + self.length_m[GasLinkKind::LowMain as usize]
    }
    /// Figures, some with a published counterpart.
    #[must_use]
    pub fn rows(&self) -> Vec<FigureRow> {
        let connected = f64::from(self.connected.max(1));
        let mut rows = vec![
            ("mains per customer", "m", self.mains_m() / f64::from(self.customers.max(1))),
            ("mains per connected building", "m", self.mains_m() / connected),
            ("service line per building", "m", self.length_m[GasLinkKind::Service as usize] / connected),
            ("highest velocity in mains", "m/s", self.velocity_max_mps[0]),
            ("highest velocity in service lines", "m/s", self.velocity_max_mps[1]),
            ("mean bore of mains", "mm", 1000.0 * self.main_bore_m),
            ("peak by built-up area", "MW/km2", self.peak_w / self.area_m2.max(1.0)),
            ("gas in pipes over peak", "min", self.linepack_kg / self.drawn_kgps.max(1e-9) / 60.0),
        ];
        for (level, name) in
            ["lowest medium pressure at a building", "lowest low pressure at a building"].into_iter().enumerate()
        {
            if self.gauge_min_pa[level].is_finite() {
                rows.push((name, "mbar", self.gauge_min_pa[level] / 100.0));
            }
        }
        rows.extend(self.peak_over_mean.map(|of| ("peak over mean of a year", "", of)));
        rows
    }
}

impl fmt::Display for GasFigures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "synthetic gas network: {} of {} buildings, {} customers, {} city gates, {} regulators",
            self.connected, self.buildings, self.customers, self.gates, self.regulators
        )?;
        write!(out, "length:")?;
        for ((_, name), length_m) in GasLinkKind::NAMED.iter().zip(self.length_m).filter(|of| of.1 > 0.0) {
            write!(out, " {name} {:.1} km", length_m / 1000.0)?;
        }
        let end = if self.outcome.is_converged { "solved" } else { "NOT solved" };
        writeln!(
            out,
            "\nat peak ({:.1} MW of the upper heating value): {end} in {} steps, fed {:.4} kg/s, drawn {:.4} kg/s",
            self.peak_w / 1e6,
            self.outcome.iterations,
            self.fed_kgps,
            self.drawn_kgps
        )?;
        show_figures(out, &self.rows(), &PUBLISHED)
    }
}
