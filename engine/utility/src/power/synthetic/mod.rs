//! A made-up distribution grid for a city without data of its own: substations, medium-voltage rings, stations and
//! low-voltage trees along the streets to every building. It is plausible, not true; [`SyntheticGrid::is_synthetic`]
//! says so wherever it is carried.
//!
//! After street-based generators: ding0 (Amme, Pleßmann, Bühler, Hülk, Kötter, Schwaegerl, J. Phys.: Conf. Ser. 977, 2018)
//! with its rings, open points and standard equipment; the reference network model (Mateo et al., European representative
//! electricity distribution networks, Int. J. Electr. Power Energy Syst. 99, 2018; RNM-US, IEEE Trans. Smart Grid 11, 2020),
//! which works bottom-up, from customers along streets to substations. What is done here is simpler than either: no cost
//! is minimised. Steps:
//!
//! 1. `crate::streets`: where cables may lie, and where buildings meet them.
//! 2. `demand` how peaks coincide.
//! 3. `areas` stations and their trees, sized by the peak behind each cable and the voltage at each building.
//!    Buildings above a limit have a station of their own.
//! 4. `rings` substations, each firm without one of its transformers, and rings opened at one leg.
//! 5. `assemble` the grid in tables, with what each row stands for.
//!
//! [`figures`] solves it at peak and sets it beside published figures. Equipment, with sources, is in [`equipment`].
//!
//! Ignored: single-phase customers (loads are balanced), overhead lines, street lighting, links between substations and
//! between stations at low voltage, growth, cost beyond the least conductor that does. Taps are set once, for the range from no load to peak, and
//! stay there. Medium-voltage cables end at the street where a building has a station of its own.
//!
//! Contract: a pure function of its inputs without random numbers; ties go to the lower row; parallel in constant
//! chunks, so the same grid on any number of threads. Time is near linear in buildings.

pub mod equipment;
pub mod figures;
pub mod settings;

mod areas;
mod assemble;
mod demand;
mod partition;
mod rings;

pub use demand::estimate_peaks_w;
pub use equipment::{Cable, CableRole, Equipment, Installed, Laid, Transformer, TransformerRole};
pub use figures::{Figures, Reference, SolvedPeak};
pub use settings::SyntheticGridSettings;

use super::grid::Grid;
use super::settings::refusing;
use crate::streets::Streets;
use areas::{Area, Basis};
use demand::{Demand, Sums};
use rings::Stop;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Problem, Problems, Result};

/// Largest peak of a building, watts: beyond it no distribution grid would do.
const PEAK_W_MAX: f64 = 1e9;

/// What a branch stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BranchKind {
    /// From a joint in the street to a building.
    ServiceCable,
    /// Low voltage along streets.
    LvCable,
    /// Medium voltage along streets, closed.
    MvCable,
    /// Medium voltage along streets, open and ready to be closed.
    MvTie,
    /// In a station, medium to low voltage.
    StationTransformer,
    /// In a substation, high to medium voltage.
    SubstationTransformer,
}

urbis_core::named!(BranchKind {
    ServiceCable = "service_cable",
    LvCable = "lv_cable",
    MvCable = "mv_cable",
    MvTie = "mv_tie",
    StationTransformer = "station_transformer",
    SubstationTransformer = "substation_transformer",
});

/// What stands behind each row of the grid's branches; columns by branch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BranchFacts {
    /// What it is.
    pub kind: Vec<BranchKind>,
    /// Length, metres; 0 for transformers.
    pub length_m: Vec<f64>,
    /// Row of [`Equipment::cables`] or, for transformers, [`Equipment::transformers`].
    pub equipment: Vec<u32>,
    /// Cables or transformers side by side.
    pub parallel: Vec<u32>,
    /// Ring of a medium-voltage cable, by number; [`BranchFacts::NO_RING`] elsewhere. Each ring has one tie.
    pub ring: Vec<u32>,
    /// Where the corners of each branch begin in `corners`; one longer than branches.
    pub corner_start: Vec<u32>,
    /// Easting, northing of lines, metres in the city's reference system.
    pub corners: Vec<[f64; 2]>,
}

impl BranchFacts {
    /// Of what is in no ring.
    pub const NO_RING: u32 = u32::MAX;
    /// Line of a branch from its from end, metres; a single place for transformers.
    #[must_use]
    pub fn line(&self, branch: u32) -> &[[f64; 2]] {
        let row = branch as usize;
        &self.corners[self.corner_start[row] as usize..self.corner_start[row + 1] as usize]
    }
}

/// A station, public or of one building.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// Bus at medium voltage.
    pub mv_bus: u32,
    /// Busbar at low voltage; the building's bus where it is its own.
    pub lv_bus: u32,
    /// Branch of its transformers.
    pub branch: u32,
    /// Row of the substation that feeds it.
    pub substation: u32,
    /// Rated power of all its transformers, VA.
    pub rated_va: f64,
    /// Peak of its customers together, watts.
    pub peak_w: f64,
    /// Dwellings and other customers behind it.
    pub customers: u32,
    /// Whether it is that of one building.
    pub is_private: bool,
}

/// A substation.
#[derive(Clone, Debug, PartialEq)]
pub struct Substation {
    /// Slack bus at high voltage.
    pub hv_bus: u32,
    /// Busbar at medium voltage.
    pub mv_bus: u32,
    /// Branches of its transformers, one each.
    pub branches: Vec<u32>,
    /// Peak of its customers together, watts.
    pub peak_w: f64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticGrid {
    /// Always true: a made-up grid, to be named as such wherever it is shown.
    pub is_synthetic: bool,
    /// The grid; loads are one for each building in order, at the part that they have in their substation's peak.
    pub grid: Grid,
    /// Bus of each building.
    pub building_bus: Vec<u32>,
    /// Row of each building's load.
    pub building_load: Vec<u32>,
    /// Station of each building.
    pub building_station: Vec<u32>,
    /// Part of each building in the peak of its station, watts: what low voltage is to carry.
    pub local_peak_w: Vec<f64>,
    /// Dwellings and other customers of each building; none where it draws nothing.
    pub customers: Vec<u32>,
    /// Easting, northing of each bus, metres in the city's reference system.
    pub bus_place: Vec<[f64; 2]>,
    /// What branches stand for.
    pub branches: BranchFacts,
    /// Stations.
    pub stations: Vec<Station>,
    /// Substations.
    pub substations: Vec<Substation>,
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl SyntheticGrid {
    /// Plans the grid of a city for the design peak of each building, watts; shape: buildings. A city without buildings
    /// has an empty grid. Peaks of [`estimate_peaks_w`] do where none are known.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every setting, table or building that makes no plan, or where there is no street
    /// along which cables could lie.
    pub fn plan(city: &City, peak_w: &[f64], settings: &SyntheticGridSettings, equipment: &Equipment) -> Result<Self> {
        check(city, peak_w, settings, equipment)?;
        let demand = Demand::new(city, peak_w, equipment);
        if city.buildings.is_empty() {
            return Ok(assemble::empty());
        }
        let streets = Streets::new(city, settings.streets()).ok_or_else(|| {
            Problem::file(Path::new("links"), "no street between nodes with coordinates, so nowhere to lay cables")
        })?;
        let basis = basis(city, peak_w, settings, equipment, &demand, &streets);
        let is_private = |building: u32| peak_w[building as usize] >= settings.mv_customer_peak_w_min;
        let mut planned = Planned::default();
        for (row, stretch) in streets.supplied.iter().enumerate() {
            for area in areas::plan(&basis, stretch) {
                planned.stops.push(Stop { vertex: area.joints[0].vertex, sums: area.joints[0].sums });
                planned.stretch.push(row as u32);
                planned.sources.push(Source::Area(planned.areas.len() as u32));
                planned.areas.push(area);
            }
        }
        let mut stretch_of = vec![0; streets.place.len()];
        for (row, stretch) in streets.supplied.iter().enumerate() {
            stretch.iter().for_each(|&vertex| stretch_of[vertex as usize] = row as u32);
        }
        for building in (0..city.buildings.len() as u32).filter(|&building| is_private(building)) {
            let vertex = streets.joint[building as usize];
            planned.stops.push(Stop { vertex, sums: demand.sums[building as usize] });
            planned.stretch.push(stretch_of[vertex as usize]);
            planned.sources.push(Source::Building(building));
        }
        let role = TransformerRole::HvMv;
        let units = equipment.transformers.iter().filter(|of| of.role == role);
        let unit_va = units.map(|of| of.rated_va).fold(0.0, f64::max);
        for (row, stretch) in streets.supplied.iter().enumerate() {
            let rows = 0..planned.stops.len() as u32;
            let mine: Vec<u32> = rows.filter(|&stop| planned.stretch[stop as usize] == row as u32).collect();
            planned.supplies.extend(rings::supplies(&basis, stretch, &planned.stops, &mine, unit_va));
        }
        planned.rings = rings::plan(&basis, &planned.supplies, &planned.stops);
        Ok(assemble::assemble(city, &basis, &streets, &planned))
    }
}

/// What a station is of.
#[derive(Clone, Copy, Debug)]
enum Source {
    Area(u32),
    Building(u32),
}

/// All that is decided before it is put in tables.
#[derive(Default)]
struct Planned {
    areas: Vec<Area>,
    /// Stations, with what each is of and the stretch of streets that it is on.
    stops: Vec<Stop>,
    sources: Vec<Source>,
    stretch: Vec<u32>,
    supplies: Vec<rings::Supply>,
    rings: Vec<rings::Ring>,
}

/// Service cables, and what each vertex of the streets supplies.
fn basis<'a>(
    city: &City,
    peak_w: &[f64],
    settings: &'a SyntheticGridSettings,
    equipment: &'a Equipment,
    demand: &'a Demand,
    streets: &'a Streets,
) -> Basis<'a> {
    let vertices = streets.place.len();
    let mut basis = Basis {
        graph: &streets.graph,
        place: &streets.place,
        settings,
        equipment,
        demand,
        start: vec![0; vertices + 1],
        buildings: Vec::new(),
        service: Vec::new(),
        service_m: Vec::new(),
        sums: vec![Sums::default(); vertices],
        service_drop_pu: vec![0.0; vertices],
    };
    let ladder = equipment.ladder(CableRole::LvService, settings);
    let mut order: Vec<(u32, u32)> = Vec::new();
    for (building, &peak_w) in peak_w.iter().enumerate() {
        let vertex = streets.joint[building];
        let [x, y] = streets.place[vertex as usize];
        let length_m = (city.buildings.x_m[building] - x).hypot(city.buildings.y_m[building] - y).max(1.0);
        let power_va = peak_w / settings.power_factor;
        let loading = settings.cable_loading_max;
        let mut rung = areas::first_rung(&ladder, equipment, power_va, settings.lv_base_v, loading);
        let drop_pu = |rung: usize| basis.drop_pu(ladder[rung], length_m, peak_w);
        while drop_pu(rung) > settings.service_voltage_drop_max_pu && rung + 1 < ladder.len() {
            rung += 1;
        }
        let drop_pu = drop_pu(rung);
        basis.service.push(ladder[rung]);
        basis.service_m.push(length_m);
        if peak_w < settings.mv_customer_peak_w_min {
            order.push((vertex, building as u32));
            basis.sums[vertex as usize].add(&demand.sums[building]);
            basis.service_drop_pu[vertex as usize] = basis.service_drop_pu[vertex as usize].max(drop_pu);
            basis.start[vertex as usize + 1] += 1;
        }
    }
    order.sort_unstable();
    basis.buildings = order.into_iter().map(|(_, building)| building).collect();
    for vertex in 0..vertices {
        basis.start[vertex + 1] += basis.start[vertex];
    }
    basis
}

/// Everything that makes no plan.
fn check(city: &City, peak_w: &[f64], settings: &SyntheticGridSettings, equipment: &Equipment) -> Result<()> {
    refusing("synthetic grid", |tell| settings.check(tell))?;
    let mut problems = Problems::new();
    for (role, name) in [(CableRole::LvService, "lv_service"), (CableRole::LvMain, "lv_main"), (CableRole::Mv, "mv")] {
        if equipment.ladder(role, settings).is_empty() {
            let what = format!("no cable of role {name} for its voltage, expected at least one");
            problems.push(Problem::file(Path::new("equipment"), what));
        }
    }
    for (role, name) in [(TransformerRole::MvLv, "mv_lv"), (TransformerRole::HvMv, "hv_mv")] {
        if equipment.transformer(role, 0.0).is_none() {
            let what = format!("no transformer of role {name}, expected at least one");
            problems.push(Problem::file(Path::new("equipment"), what));
        }
    }
    let table = &city.buildings;
    let place = Path::new("buildings");
    if peak_w.len() != table.len() {
        let what = format!("{} design peaks, expected {}, one for each building", peak_w.len(), table.len());
        problems.push(Problem::file(place, what));
        return problems.or_else(());
    }
    for (row, &peak_w) in peak_w.iter().enumerate() {
        let id = Some(table.id[row].as_str());
        if !(0.0..=PEAK_W_MAX).contains(&peak_w) {
            problems.push(Problem::value(place, row + 1, id, "peak_w", peak_w, "0 to 1e9"));
        }
        for (field, value) in [("x_m", table.x_m[row]), ("y_m", table.y_m[row])] {
            if !value.is_finite() {
                problems.push(Problem::value(place, row + 1, id, field, value, "a finite number"));
            }
        }
    }
    problems.or_else(())
}
