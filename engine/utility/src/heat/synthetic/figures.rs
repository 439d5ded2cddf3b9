//! Whether district heat looks like one: its figures, solved at peak, beside published ones.
//!
//! Heat lost in a year is that of the state at peak, all year: flow and return have one temperature all year, and pipes that are
//! little used are cooler, so it is on the high side.

use super::{HeatLinkKind, SyntheticHeat, SyntheticHeatSettings};
use crate::heat::HeatOutcome;
use crate::pipes::NORM_T_K;
use crate::pipes::network::Given;
use crate::pipes::synthetic::coincidence::customers;
use crate::pipes::synthetic::{FigureRow, PipeFacts, Published, show_figures};
use std::fmt;
use urbis_city::model::City;
use urbis_core::Result;

const AGFW: &str = "Germany: AGFW Hauptbericht, about 2020";

/// What is published; all recalled.
pub const PUBLISHED: [Published; 8] = [
    Published { figure: "heat of a year by trench", value: 2.5, source: AGFW, quality: "recalled" },
    Published {
        figure: "heat of a year by trench",
        value: 4.0,
        source: "cores of large European cities (Persson and Werner, Applied Energy 88, 2011)",
        quality: "recalled",
    },
    Published { figure: "heat lost of what is fed in", value: 13.0, source: AGFW, quality: "recalled" },
    Published {
        figure: "heat lost of what is fed in",
        value: 8.0,
        source: "dense networks, lower end (Frederiksen and Werner, District Heating and Cooling, 2013)",
        quality: "recalled",
    },
    Published {
        figure: "pump power over heat at peak",
        value: 1.0,
        source: "0.5 to 1.5 % in handbooks (Planungshandbuch Fernwärme)",
        quality: "recalled",
    },
    Published { figure: "trench by building", value: 65.0, source: AGFW, quality: "recalled" },
    Published {
        figure: "full-load hours",
        value: 1900.0,
        source: "1,500 to 2,500 h with hot water (QM Fernwärme)",
        quality: "recalled",
    },
    Published {
        figure: "coldest supply at a building",
        value: 85.0,
        source: "design of 90 with up to 5 K lost at the far end",
        quality: "recalled",
    },
];

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatFigures {
    /// Buildings of the city.
    pub buildings: u32,
    /// Buildings with district heat.
    pub connected: u32,
    /// Dwellings and other customers with it.
    pub customers: u32,
    /// Plants.
    pub plants: u32,
    /// Trench along streets and to buildings, m: each pair of pipes once.
    pub trench_m: [f64; 2],
    /// Mean bore along streets by length, m.
    pub main_bore_m: f64,
    /// Heat of a year of connected buildings, kWh.
    pub annual_kwh: f64,
    /// Heat of a year of all buildings, kWh.
    pub city_kwh: f64,
    /// Sum of the peaks of plants, W.
    pub peak_w: f64,
    /// How the solve went.
    pub outcome: HeatOutcome,
    /// From plants at peak, W.
    pub produced_w: f64,
    /// At stations at peak, W.
    pub delivered_w: f64,
    /// To the ground at peak, W.
    pub lost_w: f64,
    /// Electricity of pumps at peak, W.
    pub pump_w: f64,
    /// Lowest temperature of the supply at a station, K.
    pub t_supply_min_k: f64,
    /// Least difference of pressure at a station, Pa.
    pub station_min_pa: f64,
    /// Least and most pressure above the air, Pa.
    pub gauge_pa: [f64; 2],
    /// Highest velocity along streets and to buildings, m/s.
    pub velocity_max_mps: [f64; 2],
    /// Highest share of the velocity that the catalogue allows.
    pub velocity_share_max: f64,
    /// Largest shortfall of heat at a station, W.
    pub shortfall_w: f64,
}

impl HeatFigures {
    /// Of a network, solved at its peak, with the heat of a year of each building, kWh. Shape: buildings.
    ///
    /// # Errors
    /// None for a network that [`SyntheticHeat::plan`] made.
    pub fn new(city: &City, of: &SyntheticHeat, annual_kwh: &[f64], settings: &SyntheticHeatSettings) -> Result<Self> {
        let is_connected = |building: &usize| of.building_consumer[*building] != SyntheticHeat::NO_CONSUMER;
        let connected = || (0..of.building_consumer.len()).filter(is_connected);
        let customers = customers(city);
        let mut figures = Self {
            buildings: city.buildings.len() as u32,
            connected: connected().count() as u32,
            customers: connected().map(|building| customers[building]).sum(),
            plants: of.plants.len() as u32,
            annual_kwh: connected().map(|building| annual_kwh[building]).sum(),
            city_kwh: annual_kwh.iter().sum(),
            peak_w: of.plants.iter().map(|plant| plant.peak_w).sum(),
            pump_w: of.plants.iter().map(|plant| plant.pump_w).sum(),
            t_supply_min_k: f64::INFINITY,
            station_min_pa: f64::INFINITY,
            gauge_pa: [f64::INFINITY, f64::NEG_INFINITY],
            ..Self::default()
        };
        if of.kind.is_empty() {
            figures.outcome.is_converged = true;
            return Ok(figures);
        }
        let (flow, outcome) = of.solved(settings)?;
        figures.outcome = outcome;
        let links = &of.network.links;
        let mut bore_m2 = 0.0;
        for (link, &kind) in of.kind.iter().enumerate() {
            let state = flow.link(link);
            let place = usize::from(matches!(kind, HeatLinkKind::SupplyService | HeatLinkKind::ReturnService));
            if of.facts.pipe[link] != PipeFacts::NO_PIPE {
                figures.lost_w += state.heat_loss_w;
                figures.velocity_max_mps[place] = figures.velocity_max_mps[place].max(state.v_mps.abs());
                let limit_mps = of.pipes.pipes[of.facts.pipe[link] as usize].velocity_mps_max;
                figures.velocity_share_max = figures.velocity_share_max.max(state.v_mps.abs() / limit_mps);
            }
            if matches!(kind, HeatLinkKind::SupplyMain | HeatLinkKind::SupplyService) {
                figures.trench_m[place] += links.length_m[link];
            }
            if kind == HeatLinkKind::SupplyMain {
                bore_m2 += links.length_m[link] * links.diameter_m[link];
            }
        }
        figures.main_bore_m = bore_m2 / figures.trench_m[0].max(1.0);
        for consumer in &of.network.consumers {
            let state = flow.link(consumer.link as usize);
            figures.delivered_w += state.heat_w;
            figures.t_supply_min_k = figures.t_supply_min_k.min(state.t_from_k);
            figures.station_min_pa = figures.station_min_pa.min(state.p_from_pa - state.p_to_pa);
            if let Given::HeatReturn(q_w, _) = consumer.given {
                figures.shortfall_w = figures.shortfall_w.max(q_w - state.heat_w);
            }
        }
        figures.produced_w = (0..of.plants.len() as u32).map(|plant| flow.plant_w(plant)).sum();
        for node in 0..of.network.nodes.len() as u32 {
            let gauge_pa = flow.gauge_pa(node);
            figures.gauge_pa = [figures.gauge_pa[0].min(gauge_pa), figures.gauge_pa[1].max(gauge_pa)];
        }
        Ok(figures)
    }
    /// Heat lost in a year at the state of the peak, kWh.
    #[must_use]
    pub fn lost_kwh(&self) -> f64 {
        self.lost_w * 8.76
    }
    /// Figures, some with a published counterpart.
    #[must_use]
    pub fn rows(&self) -> Vec<FigureRow> {
        if self.connected == 0 {
            return Vec::new();
        }
        let (connected, trench_m) = (f64::from(self.connected), self.trench_m[0] + self.trench_m[1]);
        let share = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
        vec![
            ("share of the city's heat", "%", share(self.annual_kwh, self.city_kwh)),
            ("heat of a year by trench", "MWh/m", self.annual_kwh / 1000.0 / trench_m.max(1.0)),
            ("heat lost of what is fed in", "%", share(self.lost_kwh(), self.annual_kwh + self.lost_kwh())),
            ("heat lost at peak", "%", share(self.lost_w, self.produced_w)),
            ("pump power over heat at peak", "%", share(self.pump_w, self.produced_w)),
            ("trench by building", "m", trench_m / connected),
            ("trench by customer", "m", trench_m / f64::from(self.customers.max(1))),
            ("mean bore along streets", "mm", 1000.0 * self.main_bore_m),
            ("full-load hours", "h", self.annual_kwh * 1000.0 / self.peak_w.max(1.0)),
            ("coldest supply at a building", "C", self.t_supply_min_k - NORM_T_K),
            ("least difference of pressure at a building", "bar", self.station_min_pa / 1e5),
            ("lowest pressure", "bar", self.gauge_pa[0] / 1e5),
            ("highest pressure", "bar", self.gauge_pa[1] / 1e5),
            ("highest velocity along streets", "m/s", self.velocity_max_mps[0]),
            ("highest velocity to buildings", "m/s", self.velocity_max_mps[1]),
        ]
    }
}

impl fmt::Display for HeatFigures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "synthetic district heat: {} of {} buildings, {} customers, {} plants, trench {:.1} km along streets and {:.1} km to buildings",
            self.connected,
            self.buildings,
            self.customers,
            self.plants,
            self.trench_m[0] / 1000.0,
            self.trench_m[1] / 1000.0
        )?;
        if self.connected == 0 {
            return Ok(());
        }
        let end = if self.outcome.is_converged { "solved" } else { "NOT solved" };
        writeln!(
            out,
            "at peak: {end} in {} rounds, produced {:.2} MW, delivered {:.2} MW, lost {:.2} MW",
            self.outcome.rounds,
            self.produced_w / 1e6,
            self.delivered_w / 1e6,
            self.lost_w / 1e6
        )?;
        show_figures(out, &self.rows(), &PUBLISHED)
    }
}
