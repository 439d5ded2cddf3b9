//! Made-up district heat for a city without data of its own: plants, pairs of pre-insulated pipes along the streets where heat is
//! dense enough, and a station in every building there. It is plausible, not true; [`SyntheticHeat::is_synthetic`] says so
//! wherever it is carried.
//!
//! 1. `crate::streets`: where pipes may lie and where buildings meet them.
//! 2. `layout` which streets bring enough heat by metre of trench, in which clusters, and where their plants stand.
//! 3. `assemble` supply and return in tables, a consumer for each building.
//! 4. `size` the thinnest pipes within a loss of pressure by length and a velocity at the peak of what lies behind them
//!    ([`crate::pipes::synthetic::coincidence`]), lifts of pumps from the solved network, in a bounded number of rounds.
//!
//! Consumers are given by heat and temperature of the return ([`crate::pipes::network::Given::HeatReturn`]), as stations with a controlled return are;
//! [`crate::heat::HeatFlow::set_heat`] and [`crate::heat::transport::HeatRun::set_heat`] change their heat.
//!
//! [`figures`] solves it at peak and sets it beside published figures.
//!
//! Ignored: circles and plants that share a network, storage, bypasses (what stands still in summer cools), pumps and stations of
//! pressure on the way, compensation of stretch, growth, cost beyond the least density. Flow temperature is the same all year.
//!
//! Contract: see [`crate::pipes::synthetic`].

pub mod catalogue;
pub mod figures;
pub mod settings;

mod assemble;
mod layout;
mod size;

pub use catalogue::{HeatPipe, HeatPipes};
pub use figures::HeatFigures;
pub use settings::SyntheticHeatSettings;

use super::{HeatFlow, HeatOutcome, HeatSettings};
use crate::pipes::NORM_T_K;
use crate::pipes::fluid::{Fluid, Property};
use crate::pipes::friction::FrictionLaw;
use crate::pipes::network::Network;
use crate::pipes::solver::HydraulicSettings;
use crate::pipes::synthetic::coincidence::{Sums, customers};
use crate::pipes::synthetic::{PipeFacts, check_peaks};
use crate::streets::Streets;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Problem, Result};

/// What an element stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeatLinkKind {
    /// Along streets, from the plant.
    SupplyMain,
    /// Along streets, to the plant.
    ReturnMain,
    /// From the street to a building.
    SupplyService,
    /// From a building to the street.
    ReturnService,
    /// A building's station, from supply to return.
    Station,
    /// A plant with its pumps, from return to supply.
    Plant,
}

urbis_core::named!(HeatLinkKind {
    SupplyMain = "supply_main",
    ReturnMain = "return_main",
    SupplyService = "supply_service",
    ReturnService = "return_service",
    Station = "station",
    Plant = "plant",
});

/// A plant and the cluster that it feeds; row of the network's plants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlantFacts {
    /// Node of the supply.
    pub node: u32,
    /// Peak of its customers together, W.
    pub peak_w: f64,
    /// Heat that it gives at that peak, losses included, W.
    pub capacity_w: f64,
    /// Lift of its pumps, Pa.
    pub lift_pa: f64,
    /// Highest pressure above the air in its network at that peak, Pa.
    pub gauge_max_pa: f64,
    /// Electricity of its pumps at peak, W.
    pub pump_w: f64,
    /// Buildings behind it.
    pub buildings: u32,
    /// Their heat of a year, kWh.
    pub annual_kwh: f64,
    /// Trench along streets and to buildings, m.
    pub trench_m: f64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticHeat {
    /// Always true: a made-up network, to be named as such wherever it is shown.
    pub is_synthetic: bool,
    /// The network; consumers ask for their part in the peak of their plant. An element is one link.
    pub network: Network,
    /// Row of the network's consumers of each building; `u32::MAX` where it has no district heat.
    pub building_consumer: Vec<u32>,
    /// Share of its own peak that a building has in the peak of all behind its plant, 0 to 1; 0 without district heat.
    pub building_share: Vec<f64>,
    /// Plant of each building; `u32::MAX` without district heat.
    pub building_plant: Vec<u32>,
    /// Easting, northing of each node, metres in the city's reference system.
    pub node_place: Vec<[f64; 2]>,
    /// What each element is.
    pub kind: Vec<HeatLinkKind>,
    /// What stands behind each element.
    pub facts: PipeFacts,
    /// Pipes of the catalogue, which facts name by row.
    pub pipes: HeatPipes,
    /// Plants.
    pub plants: Vec<PlantFacts>,
    /// Rounds of solving and sizing.
    pub rounds: u32,
    /// Whether the last solve converged with every pressure and velocity within limits.
    pub is_within: bool,
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl SyntheticHeat {
    /// Of buildings without district heat.
    pub const NO_CONSUMER: u32 = u32::MAX;
    /// Plans district heat for the peak (W) and the heat of a year (kWh) of each building at its station; buildings with 0 of
    /// either are left away. Shapes: buildings. A city that is nowhere dense enough has an empty network.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every setting and building that makes no plan, or where there is no street
    /// along which pipes could lie.
    pub fn plan(city: &City, peak_w: &[f64], annual_kwh: &[f64], settings: &SyntheticHeatSettings) -> Result<Self> {
        Self::plan_with(city, peak_w, annual_kwh, &[], settings)
    }

    /// The same with buildings that join, whatever trench it takes: shape buildings, or empty. Who has district heat without them keeps it.
    ///
    /// # Errors
    /// As [`SyntheticHeat::plan`].
    pub fn plan_with(
        city: &City,
        peak_w: &[f64],
        annual_kwh: &[f64],
        joins: &[bool],
        settings: &SyntheticHeatSettings,
    ) -> Result<Self> {
        let columns = [("peak_w", peak_w), ("annual_kwh", annual_kwh)];
        check_peaks("synthetic heat", city, &columns, |tell| settings.check(tell))?;
        let pipes = HeatPipes::shipped()?;
        let mut of = Self::empty(city, pipes);
        if peak_w.iter().all(|&peak_w| peak_w <= 0.0) {
            return Ok(of);
        }
        let streets = Streets::new(city, settings.route.streets()).ok_or_else(|| {
            Problem::file(Path::new("links"), "no street between nodes with coordinates, so nowhere to lay pipes")
        })?;
        let sums: Vec<Sums> = peak_w.iter().zip(customers(city)).map(|(&w, n)| Sums::of_building(w, n)).collect();
        let layout = layout::lay(city, &streets, annual_kwh, &sums, joins, settings);
        if layout.forest.len() == 0 {
            let least = settings.linear_density_kwhpm_min;
            of.notes.push(format!(
                "nowhere is heat as dense as {least:.0} kWh by metre of trench and year: no district heat"
            ));
            return Ok(of);
        }
        let demand = assemble::Demand { peak_w, annual_kwh, sums: &sums };
        let mut plan = assemble::assemble(city, &streets, &demand, &layout, settings, of);
        size::size(&mut plan, settings)?;
        Ok(plan.out)
    }
    /// How such networks are solved: Colebrook's law, temperatures to 1e-9 K.
    #[must_use]
    pub fn solver(settings: &SyntheticHeatSettings) -> HeatSettings {
        let hydraulic = HydraulicSettings { friction: FrictionLaw::PrandtlColebrook, ..HydraulicSettings::default() };
        HeatSettings { hydraulic, ambient_k: NORM_T_K + settings.ground_temp_c, ..HeatSettings::default() }
    }
    /// The network solved at its peak.
    ///
    /// # Errors
    /// None for a network that [`SyntheticHeat::plan`] made.
    pub fn solved(&self, settings: &SyntheticHeatSettings) -> Result<(HeatFlow, HeatOutcome)> {
        let mut flow = HeatFlow::new(self.network.clone())?;
        let outcome = flow.solve(&Self::solver(settings));
        Ok((flow, outcome))
    }
    fn empty(city: &City, pipes: HeatPipes) -> Self {
        let buildings = city.buildings.len();
        Self {
            is_synthetic: true,
            network: Network::new(water()),
            building_consumer: vec![Self::NO_CONSUMER; buildings],
            building_share: vec![0.0; buildings],
            building_plant: vec![Self::NO_CONSUMER; buildings],
            node_place: Vec::new(),
            kind: Vec::new(),
            facts: PipeFacts::new(),
            pipes,
            plants: Vec::new(),
            rounds: 0,
            is_within: true,
            notes: Vec::new(),
        }
    }
}

/// Water: density, viscosity and heat capacity at saturation in steps of 10 K, as steam tables (IAPWS-IF97) have them; recalled.
#[must_use]
pub fn water() -> Fluid {
    let t_k: Vec<f64> = (0..15).map(|step| NORM_T_K + 10.0 * f64::from(step)).collect();
    let table = |y: [f64; 15]| Property::Table { x: t_k.clone(), y: y.to_vec() };
    let eta_upas =
        [1792.0, 1307.0, 1002.0, 797.5, 652.9, 547.1, 466.5, 404.0, 354.4, 314.5, 281.8, 254.8, 232.1, 213.0, 196.6];
    Fluid {
        name: "water".to_owned(),
        is_gas: false,
        density_kgpm3: table([
            999.8, 999.7, 998.2, 995.6, 992.2, 988.0, 983.2, 977.8, 971.8, 965.3, 958.4, 951.0, 943.1, 934.8, 926.1,
        ]),
        viscosity_pas: table(eta_upas.map(|of| of * 1e-6)),
        heat_capacity_jpkgk: table([
            4217.0, 4192.0, 4182.0, 4178.0, 4179.0, 4181.0, 4185.0, 4190.0, 4197.0, 4205.0, 4216.0, 4229.0, 4245.0,
            4263.0, 4285.0,
        ]),
        compressibility_by_bar: Property::Constant(1.0),
    }
}
