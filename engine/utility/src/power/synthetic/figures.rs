//! Whether a grid looks like one: its figures, solved at peak, beside published ones.
//!
//! Three solves. At the *system's* peak every building draws its part in the peak of its substation; that is what rings and
//! substations are planned for. At *local* peaks it draws its part in the peak of its station, which is more; all
//! stations do at once, so medium voltage is held at what the first solve gave, and low voltage alone is looked at. A
//! third solve has no load at all, with taps as they are: the highest voltages.
//!
//! Built-up area: squares of 250 m that have a building.

use super::{BranchKind, SyntheticGrid};
use crate::power::grid::BusKind;
use crate::power::{Method, NewtonSettings, Outcome, PowerFlow};
use std::collections::BTreeSet;
use std::fmt;
use urbis_city::model::{City, Quality};
use urbis_core::Result;

/// Side of the squares of built-up area, metres.
const SQUARE_M: f64 = 250.0;

/// A published figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    /// Which of [`Figures::rows`].
    pub figure: &'static str,
    /// Its value, in that row's unit.
    pub value: f64,
    /// Of what, and who says so.
    pub source: &'static str,
    /// How far to trust it.
    pub quality: Quality,
}

const BMWK: &str =
    "Germany: 1.16 million km (BDEW 2010, verivox.de) over 46 + 3 million customers (BMWK newsletter 3/2015)";
const BMWK_MV: &str = "Germany: 507,210 km (BDEW 2010, verivox.de) over 49 million customers (BMWK newsletter 3/2015)";
const SCHUTTERWALD: &str = "Schutterwald, 1,506 homes (pandapower lv_schutterwald), computed from its tables";
const JRC: &str = "JRC DSO Observatory 2016, median of European operators";

/// What is published.
pub const REFERENCES: [Reference; 9] = [
    Reference { figure: "customers per public station", value: 107.6, source: SCHUTTERWALD, quality: Quality::Sourced },
    Reference { figure: "customers per public station", value: 76.0, source: JRC, quality: Quality::Recalled },
    Reference {
        figure: "customers per public station",
        value: 85.0,
        source: "Germany: 49 million customers over about 580,000 stations",
        quality: Quality::Recalled,
    },
    Reference { figure: "low voltage per customer", value: 23.7, source: BMWK, quality: Quality::Sourced },
    Reference {
        figure: "low voltage per customer",
        value: 22.4,
        source: "Germany 1998: VDEW, strom-magazin.de",
        quality: Quality::Sourced,
    },
    Reference { figure: "low voltage per customer", value: 41.4, source: SCHUTTERWALD, quality: Quality::Sourced },
    Reference { figure: "service cable per building", value: 19.5, source: SCHUTTERWALD, quality: Quality::Sourced },
    Reference { figure: "medium voltage per customer", value: 10.4, source: BMWK_MV, quality: Quality::Sourced },
    Reference { figure: "public transformers per customer", value: 4.24, source: JRC, quality: Quality::Recalled },
];

/// What a solve says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SolvedPeak {
    /// How it ended.
    pub outcome: Outcome,
    /// Buildings whose bus has a source.
    pub energised_buildings: u32,
    /// Lowest voltage of a building, per unit.
    pub vm_pu_min: f64,
    /// Highest voltage of a building, per unit.
    pub vm_pu_max: f64,
    /// Largest drop from a station's busbar to a building, per unit.
    pub lv_drop_pu_max: f64,
    /// Largest drop from a substation's busbar to a station, per unit; 0 where medium voltage is held.
    pub mv_drop_pu_max: f64,
    /// Highest loading of each kind of branch that is solved, percent; by [`BranchKind::NAMED`], 0 where there is none.
    pub loading_percent_max: [f64; 6],
    /// Losses over what is served.
    pub loss_share: f64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Buildings.
    pub buildings: u32,
    /// Dwellings and other customers.
    pub customers: u32,
    /// Of them, at public stations.
    pub public_customers: u32,
    /// Public stations.
    pub public_stations: u32,
    /// Stations of one building.
    pub private_stations: u32,
    /// Substations.
    pub substations: u32,
    /// Buses.
    pub buses: u32,
    /// Rated power of public stations, VA.
    pub public_station_va: f64,
    /// Low-voltage cables along streets, metres; those side by side once.
    pub lv_m: f64,
    /// Service cables, metres.
    pub service_m: f64,
    /// Service cables.
    pub services: u32,
    /// Medium-voltage cables, open ones too, metres.
    pub mv_m: f64,
    /// Built-up area, m2.
    pub area_m2: f64,
    /// Sum of the peaks of substations, watts.
    pub peak_w: f64,
    /// At the system's peak.
    pub system: SolvedPeak,
    /// At local peaks: low voltage and the transformers of stations.
    pub local: SolvedPeak,
    /// Without load.
    pub idle: SolvedPeak,
}

impl Figures {
    /// Of a grid, solved.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] if the grid is no grid, as when it is empty.
    pub fn new(city: &City, of: &SyntheticGrid, newton: &NewtonSettings) -> Result<Self> {
        let mut flow = PowerFlow::new(of.grid.clone())?;
        let outcome = flow.solve_parallel(Method::Newton, newton);
        let all_kinds = BranchKind::NAMED.map(|(kind, _)| kind);
        let system = solved(of, &flow, outcome, &all_kinds);
        let mut local = of.grid.clone();
        for (load, &p_w) in of.local_peak_w.iter().enumerate() {
            let per_w = if local.loads.p_w[load] > 0.0 { local.loads.q_var[load] / local.loads.p_w[load] } else { 0.0 };
            (local.loads.p_w[load], local.loads.q_var[load]) = (p_w, p_w * per_w);
        }
        for station in &of.stations {
            let bus = station.mv_bus as usize;
            let v = flow.voltage(station.mv_bus);
            local.buses.kind[bus] = BusKind::Slack;
            (local.buses.vm_pu[bus], local.buses.va_rad[bus]) = (v.norm(), v.arg());
        }
        let is_upstream =
            |kind| matches!(kind, BranchKind::MvCable | BranchKind::MvTie | BranchKind::SubstationTransformer);
        for row in (0..local.branches.len()).filter(|&row| is_upstream(of.branches.kind[row])) {
            local.branches.is_in_service[row] = false;
            local.branches.can_close[row] = false;
        }
        let nothing = vec![0.0; of.grid.loads.len()];
        flow.set_loads(&nothing, &nothing);
        let outcome = flow.solve_parallel(Method::Newton, newton);
        let idle = solved(of, &flow, outcome, &all_kinds);
        let mut flow = PowerFlow::new(local)?;
        let outcome = flow.solve_parallel(Method::Newton, newton);
        let local_kinds = [BranchKind::ServiceCable, BranchKind::LvCable, BranchKind::StationTransformer];
        let local = solved(of, &flow, outcome, &local_kinds);
        Ok(Self { system, local, idle, ..counts(city, of) })
    }
    /// Figures with a published counterpart: name, unit, value.
    #[must_use]
    pub fn rows(&self) -> [(&'static str, &'static str, f64); 6] {
        let customers = f64::from(self.customers.max(1));
        let public = f64::from(self.public_customers.max(1));
        let km2 = self.area_m2.max(1.0) / 1e6;
        let stations = f64::from(self.public_stations.max(1));
        [
            ("customers per public station", "", f64::from(self.public_customers) / stations),
            ("low voltage per customer", "m", (self.lv_m + self.service_m) / public),
            ("service cable per building", "m", self.service_m / f64::from(self.services.max(1))),
            ("medium voltage per customer", "m", self.mv_m / customers),
            ("public transformers per customer", "kVA", self.public_station_va / 1000.0 / public),
            ("stations by built-up area", "1/km2", f64::from(self.public_stations + self.private_stations) / km2),
        ]
    }
}

fn counts(city: &City, of: &SyntheticGrid) -> Figures {
    let mut figures = Figures {
        buildings: of.building_bus.len() as u32,
        customers: of.customers.iter().sum(),
        substations: of.substations.len() as u32,
        buses: of.grid.buses.len() as u32,
        peak_w: of.substations.iter().map(|substation| substation.peak_w).sum(),
        ..Figures::default()
    };
    for station in &of.stations {
        if station.is_private {
            figures.private_stations += 1;
        } else {
            figures.public_stations += 1;
            figures.public_customers += station.customers;
            figures.public_station_va += station.rated_va;
        }
    }
    for (kind, length_m) in of.branches.kind.iter().zip(&of.branches.length_m) {
        match kind {
            BranchKind::ServiceCable => {
                figures.services += 1;
                figures.service_m += length_m;
            }
            BranchKind::LvCable => figures.lv_m += length_m,
            BranchKind::MvCable | BranchKind::MvTie => figures.mv_m += length_m,
            BranchKind::StationTransformer | BranchKind::SubstationTransformer => {}
        }
    }
    let table = &city.buildings;
    let square = |row: usize| [table.x_m[row], table.y_m[row]].map(|metres| (metres / SQUARE_M).floor() as i64);
    let squares: BTreeSet<[i64; 2]> = (0..table.len()).map(square).collect();
    figures.area_m2 = squares.len() as f64 * SQUARE_M * SQUARE_M;
    figures
}

fn solved(of: &SyntheticGrid, flow: &PowerFlow, outcome: Outcome, kinds: &[BranchKind]) -> SolvedPeak {
    let mut peak = SolvedPeak { outcome, vm_pu_min: f64::INFINITY, ..SolvedPeak::default() };
    for &bus in of.building_bus.iter().filter(|&&bus| flow.is_energised(bus)) {
        let vm_pu = flow.voltage(bus).norm();
        peak.energised_buildings += 1;
        peak.vm_pu_min = peak.vm_pu_min.min(vm_pu);
        peak.vm_pu_max = peak.vm_pu_max.max(vm_pu);
    }
    let drop_pu = |from: u32, to: u32| flow.voltage(from).norm() - flow.voltage(to).norm();
    for (&bus, &station) in of.building_bus.iter().zip(&of.building_station) {
        peak.lv_drop_pu_max = peak.lv_drop_pu_max.max(drop_pu(of.stations[station as usize].lv_bus, bus));
    }
    for station in of.stations.iter().filter(|_| kinds.contains(&BranchKind::MvCable)) {
        let busbar = of.substations[station.substation as usize].mv_bus;
        peak.mv_drop_pu_max = peak.mv_drop_pu_max.max(drop_pu(busbar, station.mv_bus));
    }
    for (branch, &kind) in of.branches.kind.iter().enumerate().filter(|(_, kind)| kinds.contains(kind)) {
        let most = &mut peak.loading_percent_max[kind as usize];
        *most = most.max(flow.loading_percent(branch as u32));
    }
    let served_w: f64 = (0..of.building_load.len() as u32).map(|load| flow.load_power(load).0).sum();
    let losses_w = flow.losses_w().0;
    peak.loss_share = if served_w > 0.0 { losses_w / served_w } else { 0.0 };
    peak
}

impl fmt::Display for SolvedPeak {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.outcome.is_converged { "solved" } else { "NOT solved" };
        writeln!(
            out,
            "  {end} in {} steps, voltages of {} buildings {:.3} to {:.3} pu, losses {:.1} %\n  \
             largest drop: low voltage {:.3} pu, medium voltage {:.3} pu",
            self.outcome.iterations,
            self.energised_buildings,
            self.vm_pu_min,
            self.vm_pu_max,
            100.0 * self.loss_share,
            self.lv_drop_pu_max,
            self.mv_drop_pu_max
        )?;
        write!(out, "  highest loading:")?;
        for ((_, name), percent) in BranchKind::NAMED.iter().zip(self.loading_percent_max).filter(|of| of.1 > 0.0) {
            write!(out, " {name} {percent:.0} %")?;
        }
        writeln!(out)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "synthetic grid: {} buildings, {} customers, {} buses, {} public stations, {} of one building, {} substations",
            self.buildings, self.customers, self.buses, self.public_stations, self.private_stations, self.substations
        )?;
        writeln!(
            out,
            "cables: low voltage {:.1} km and {:.1} km to buildings, medium voltage {:.1} km; peak {:.2} MW",
            self.lv_m / 1000.0,
            self.service_m / 1000.0,
            self.mv_m / 1000.0,
            self.peak_w / 1e6
        )?;
        write!(out, "at the system's peak:\n{}at local peaks:\n{}", self.system, self.local)?;
        write!(out, "without load:\n{}", self.idle)?;
        for (name, unit, value) in self.rows() {
            writeln!(out, "{name:<34} {value:>8.1} {unit}")?;
            for of in REFERENCES.iter().filter(|of| of.figure == name) {
                writeln!(out, "{:<34} {:>8.1} {unit} {} ({})", "  published", of.value, of.source, of.quality.name())?;
            }
        }
        Ok(())
    }
}
