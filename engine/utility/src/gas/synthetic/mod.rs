//! A made-up gas network for a city without data of its own: city gates, mains along the streets, a service line to every
//! building that takes gas. It is plausible, not true; [`SyntheticGas::is_synthetic`] says so wherever it is carried.
//!
//! Two kinds ([`GasLevels`]). With *one* level, medium pressure reaches every building, whose own regulator, which is not in
//! the tables, lowers it. With *two*, medium pressure reaches regulators of districts and large customers, and low pressure goes from
//! there to the others. Steps:
//!
//! 1. `crate::streets`: where pipes may lie and where buildings meet them.
//! 2. `layout` a gate at the rim of each stretch of streets (several where the load is large), trees of mains from it between
//!    shortest ways and least length, districts cut from them, and joints that close circles.
//! 3. `size` the thinnest pipes whose velocity is within limits and whose squared pressure falls by no more than a gradient,
//!    the steepest one with which every building has its least pressure. Each pipe is made for the peak of what lies behind
//!    it ([`crate::pipes::synthetic::coincidence`]). Then the network is solved, and while something is out of limits, what is
//!    too fast gets wider and the gradient gentler, in a bounded number of rounds.
//!
//! The gas is that of pandapipes' fluid `hgas` (BSD-3; read there): density by temperature, 0.7329 kg/m3 at 273 K, viscosity,
//! compressibility `1 - 0.0022 p/bar`, upper heating value 14.62 kWh/kg, lower 13.20 kWh/kg. **Peaks are those of the
//! upper heating value**, as gas is billed in most of Europe.
//!
//! [`figures`] solves it and sets it beside published figures.
//!
//! Ignored: high pressure before the gates, steel and grey cast iron, stations of compression and storage, growth, security of supply
//! when a pipe fails, losses; house regulators; the height of appliances above the street.
//!
//! Contract: see [`crate::pipes::synthetic`].

pub mod catalogue;
pub mod figures;
pub mod settings;

mod assemble;
mod layout;
mod size;

pub use catalogue::{GasPipe, GasPipeRole, GasPipes};
pub use figures::GasFigures;
pub use settings::{GasLevels, SyntheticGasSettings};

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

/// Upper heating value of the gas, J/kg.
pub const UPPER_HEATING_VALUE_JPKG: f64 = 14.621_97 * 3.6e6;
/// Lower heating value of the gas, J/kg.
pub const LOWER_HEATING_VALUE_JPKG: f64 = 13.201_79 * 3.6e6;

/// What an element stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GasLinkKind {
    /// Medium pressure along streets.
    MediumMain,
    /// Low pressure along streets.
    LowMain,
    /// From a joint in the street to a building.
    Service,
    /// From medium to low pressure.
    Regulator,
}

urbis_core::named!(GasLinkKind {
    MediumMain = "medium_main",
    LowMain = "low_main",
    Service = "service",
    Regulator = "regulator",
});

/// A city gate: where gas is taken from transport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// Row of the network's nodes.
    pub node: u32,
    /// Peak of its customers together, W of the upper heating value.
    pub peak_w: f64,
    /// Buildings behind it.
    pub buildings: u32,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticGas {
    /// Always true: a made-up network, to be named as such wherever it is shown.
    pub is_synthetic: bool,
    /// The network; draws are those of the peak of the gate that each building hangs on. An element is one link.
    pub network: Network,
    /// Row of the network's draws of each building; `u32::MAX` where it takes no gas.
    pub building_draw: Vec<u32>,
    /// Share of its own peak that a building has in the peak of all behind its gate, 0 to 1; 0 where it takes no gas.
    pub building_share: Vec<f64>,
    /// Easting, northing of each node, metres in the city's reference system.
    pub node_place: Vec<[f64; 2]>,
    /// What each element is.
    pub kind: Vec<GasLinkKind>,
    /// What stands behind each element.
    pub facts: PipeFacts,
    /// Pipes of the catalogue, which facts name by row.
    pub pipes: GasPipes,
    /// City gates.
    pub gates: Vec<Gate>,
    /// Rounds of solving and widening.
    pub rounds: u32,
    /// Whether the last solve converged with every pressure and velocity within limits.
    pub is_within: bool,
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl SyntheticGas {
    /// Of buildings without gas.
    pub const NO_DRAW: u32 = u32::MAX;
    /// Plans the gas network of a city for the peak of each building, W of the upper heating value; 0 is not connected.
    /// Shape: buildings. A city in which nobody takes gas has an empty network.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every setting and building that makes no plan, or where there is no street
    /// along which pipes could lie.
    pub fn plan(city: &City, peak_w: &[f64], settings: &SyntheticGasSettings) -> Result<Self> {
        check_peaks("synthetic gas", city, &[("peak_w", peak_w)], |tell| settings.check(tell))?;
        let pipes = GasPipes::shipped()?;
        if peak_w.iter().all(|&peak_w| peak_w <= 0.0) {
            return Ok(Self::empty(city, pipes));
        }
        let streets = Streets::new(city, settings.route.streets()).ok_or_else(|| {
            Problem::file(Path::new("links"), "no street between nodes with coordinates, so nowhere to lay pipes")
        })?;
        let sums: Vec<Sums> = peak_w.iter().zip(customers(city)).map(|(&w, n)| Sums::of_building(w, n)).collect();
        let layout = layout::lay(city, &streets, peak_w, &sums, settings);
        let mut plan = assemble::assemble(city, &streets, peak_w, &sums, &layout, settings, pipes);
        size::size(&mut plan, settings)?;
        let mut of = plan.out;
        let joined_m: f64 = streets.joinings_m.iter().sum();
        if joined_m > 0.0 {
            let count = streets.joinings_m.len();
            of.notes.insert(
                0,
                format!(
                    "{count} stretches of streets that do not meet are joined by straight lines, {joined_m:.0} m in all"
                ),
            );
        }
        Ok(of)
    }
    /// What its gas is called.
    pub const FLUID: &str = "hgas";
    /// How such networks are solved: Colebrook's law, as pipes of plastic are between smooth and rough.
    #[must_use]
    pub fn solver() -> HydraulicSettings {
        HydraulicSettings { friction: FrictionLaw::PrandtlColebrook, ..HydraulicSettings::default() }
    }
    /// Flow of gas for a power of the upper heating value, kg/s.
    #[must_use]
    pub fn flow_kgps(power_w: f64) -> f64 {
        power_w / UPPER_HEATING_VALUE_JPKG
    }
    fn empty(city: &City, pipes: GasPipes) -> Self {
        Self {
            is_synthetic: true,
            network: Network::new(natural_gas()),
            building_draw: vec![Self::NO_DRAW; city.buildings.len()],
            building_share: vec![0.0; city.buildings.len()],
            node_place: Vec::new(),
            kind: Vec::new(),
            facts: PipeFacts::new(),
            pipes,
            gates: Vec::new(),
            rounds: 0,
            is_within: true,
            notes: Vec::new(),
        }
    }
}

/// Natural gas of the northern kind, as pandapipes' `hgas` has it (see the module).
#[must_use]
pub fn natural_gas() -> Fluid {
    let t_k = || vec![263.0, 273.0, 283.0, 293.0, 303.0, 313.0];
    let table = |y: [f64; 6]| Property::Table { x: t_k(), y: y.to_vec() };
    Fluid {
        name: SyntheticGas::FLUID.to_owned(),
        is_gas: true,
        density_kgpm3: table([0.761_476, 0.733_332, 0.707_210, 0.682_895, 0.660_206, 0.638_986]),
        viscosity_pas: table([1.004_71e-5, 1.040_22e-5, 1.070_49e-5, 1.100_74e-5, 1.133_70e-5, 1.170_77e-5]),
        heat_capacity_jpkgk: table([2111.743, 2129.195, 2148.576, 2169.820, 2192.811, 2217.455]),
        compressibility_by_bar: Property::Linear { slope: -0.0022, offset: 1.0 },
    }
}
