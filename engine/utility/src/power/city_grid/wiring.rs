//! How a city hangs on its grid: the load of each building, those of street lamps, and what rows stand for.
//!
//! Street lamps of a zone draw from the low-voltage busbars of the public stations that supply its buildings, in
//! proportion to buildings; in a grid of a file, from the buses of its buildings. Lamps of a zone without buildings are
//! spread over all of them.

use super::super::case;
use super::super::control::TapChanger;
use super::super::elements::{End, TapRange};
use super::super::grid::tables::Load;
use super::super::grid::{BusKind, Grid};
use super::super::operation::Breakers;
use super::super::settings::refusing;
use super::super::synthetic::{BranchKind, Equipment, SyntheticGrid, estimate_peaks_w};
use super::settings::{GridControls, GridSettings};
use crate::layout::Layout;
use crate::wiring::{Coverage, NetworkSource, read_buildings};
use geo::Point;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_city::projection::Projection;
use urbis_core::Result;

/// Where power enters the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Infeed {
    /// What it is called: that of its busbar.
    pub id: String,
    /// Bus whose voltage is given.
    pub bus: u32,
    /// Branches there, and whether their from end is.
    pub branches: Vec<(u32, bool)>,
}

/// A share of a zone's street lamps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lamps {
    /// Zone.
    pub zone: u32,
    /// Row of their load.
    pub load: u32,
    /// Share of the zone's lamps.
    pub share: f64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wiring {
    /// The grid, with rows for buildings and lamps.
    pub grid: Grid,
    /// Whether it is made up.
    pub is_synthetic: bool,
    /// What each branch is.
    pub branch_kind: Vec<&'static str>,
    /// Name of each branch.
    pub branch_id: Vec<String>,
    /// Where buses and branches lie.
    pub layout: Layout,
    /// Length of each branch, metres; 0 for transformers and where unknown.
    pub length_m: Vec<f64>,
    /// Where each branch has breakers or fuses; in a grid of a file every branch at both ends.
    pub breakers: Vec<Breakers>,
    /// Tap changers that move.
    pub taps: Vec<TapChanger>,
    /// Load of each building.
    pub building_load: Vec<u32>,
    /// Customers of each building: its dwellings, or one.
    pub customers: Vec<u32>,
    /// Street lamps.
    pub lamps: Vec<Lamps>,
    /// Where power enters.
    pub infeeds: Vec<Infeed>,
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl Wiring {
    /// Wires a city as its settings say, whose buildings ask for so much at most; paths are relative to `folder`.
    ///
    /// # Errors
    /// Settings, files or streets of which no grid can be made, each with its place.
    pub fn new(city: &City, settings: &GridSettings, highest_w: &[f64], folder: &Path) -> Result<Self> {
        refusing("power.grid", |tell| settings.check(tell))?;
        let mut this = match (settings.source, &settings.case, &settings.buildings) {
            (NetworkSource::File, Some(case), Some(buildings)) => {
                Self::of_file(city, &folder.join(case), &folder.join(buildings))?
            }
            (NetworkSource::None, ..) => return Ok(Self::default()),
            _ => Self::synthetic(city, settings, highest_w)?,
        };
        let buses = &this.grid.buses;
        let sources: Vec<u32> =
            (0..buses.len() as u32).filter(|&bus| buses.kind[bus as usize] == BusKind::Slack).collect();
        let mut infeeds: Vec<Infeed> = sources
            .iter()
            .map(|&bus| Infeed { id: buses.id[bus as usize].clone(), bus, branches: Vec::new() })
            .collect();
        for row in 0..this.grid.branches.len() {
            let ends = [(this.grid.branches.from[row], true), (this.grid.branches.to[row], false)];
            for (bus, is_from) in ends {
                if let Ok(at) = sources.binary_search(&bus) {
                    infeeds[at].branches.push((row as u32, is_from));
                }
            }
        }
        this.infeeds = infeeds;
        Ok(this)
    }

    fn synthetic(city: &City, settings: &GridSettings, highest_w: &[f64]) -> Result<Self> {
        let equipment = Equipment::shipped();
        let mut peaks_w = estimate_peaks_w(city, &equipment);
        peaks_w.iter_mut().zip(highest_w).for_each(|(peak_w, &highest_w)| *peak_w = peak_w.max(highest_w));
        let of = SyntheticGrid::plan(city, &peaks_w, &settings.synthetic, &equipment)?;
        let publics = |building: usize| {
            let station = &of.stations[of.building_station[building] as usize];
            (!station.is_private).then_some(station.lv_bus)
        };
        let places = lamp_places(city, publics, &of.building_bus);
        let breakers = synthetic_breakers(&of);
        let taps = synthetic_taps(&of, &settings.controls);
        let mut this = Self {
            is_synthetic: true,
            branch_kind: of.branches.kind.iter().map(|kind| kind.name()).collect(),
            branch_id: (0..of.grid.branches.len()).map(|row| row.to_string()).collect(),
            layout: Layout::of_plan(of.bus_place, of.branches.corner_start, of.branches.corners),
            length_m: of.branches.length_m,
            breakers,
            taps,
            building_load: of.building_load,
            customers: of.customers,
            notes: of.notes,
            grid: of.grid,
            ..Self::default()
        };
        this.hang_lamps(&places);
        Ok(this)
    }

    fn of_file(city: &City, case_path: &Path, buildings_path: &Path) -> Result<Self> {
        let case = case::read(case_path)?;
        let bus_of: BTreeMap<&str, u32> =
            case.grid.buses.id.iter().enumerate().map(|(row, id)| (id.as_str(), row as u32)).collect();
        let building_bus =
            read_buildings(city, buildings_path, "bus_id", "a bus of the grid", &bus_of, Coverage::Every)?;
        let places = lamp_places(city, |_| None, &building_bus);
        let projection = Projection::from_code(&city.manifest.crs).ok();
        // Cases have longitude and latitude.
        let metres = |[lon, lat]: [f64; 2]| projection.as_ref().map(|of| of.project(Point::new(lon, lat)).into());
        let layout = Layout::of_file(city, case.bus_place.iter().map(|place| place.and_then(metres)));
        let branches = &case.grid.branches;
        let is_transformer = |row: usize| {
            let base = |bus: u32| case.grid.buses.base_v[bus as usize];
            (base(branches.from[row]) - base(branches.to[row])).abs() > 0.0
        };
        let mut this = Self {
            branch_kind: (0..branches.len())
                .map(|row| if is_transformer(row) { "transformer" } else { "line" })
                .collect(),
            layout,
            length_m: vec![0.0; branches.len()],
            breakers: vec![Breakers::BOTH; branches.len()],
            taps: case.tap_regulators.iter().filter_map(|of| TapChanger::of_regulator(&case.tap_ranges, of)).collect(),
            customers: city.buildings.dwellings.iter().map(|&dwellings| dwellings.max(1)).collect(),
            branch_id: case.branch_id,
            notes: case.notes,
            grid: case.grid,
            ..Self::default()
        };
        this.building_load = building_bus.iter().map(|&bus| this.add_load(bus)).collect();
        this.hang_lamps(&places);
        Ok(this)
    }

    /// Customers of each bus.
    #[must_use]
    pub fn customers_by_bus(&self, grid: &Grid) -> Vec<u32> {
        let mut customers = vec![0; grid.buses.len()];
        for (&load, &of_building) in self.building_load.iter().zip(&self.customers) {
            customers[grid.loads.bus[load as usize] as usize] += of_building;
        }
        customers
    }
    pub(super) fn add_load(&mut self, bus: u32) -> u32 {
        let load = Load { bus, p_w: 0.0, q_var: 0.0, current_share: 0.0, impedance_share: 0.0, is_in_service: true };
        self.grid.loads.push(load)
    }
    /// A load at each bus that has lamps, shared by zones.
    fn hang_lamps(&mut self, places: &[BTreeMap<u32, u32>]) {
        for (zone, places) in places.iter().enumerate() {
            let all: u32 = places.values().sum();
            for (&bus, &weight) in places {
                let load = self.add_load(bus);
                self.lamps.push(Lamps { zone: zone as u32, load, share: f64::from(weight) / f64::from(all) });
            }
        }
    }
}

/// Steps of a substation's tap changer up and down.
const TAP_STEPS: i32 = 9;

/// Tap changers of substations' transformers, at their upper side, which hold the voltage of the busbar.
fn synthetic_taps(of: &SyntheticGrid, controls: &GridControls) -> Vec<TapChanger> {
    let changer = |busbar: u32, branch: u32| {
        let is_from = of.grid.branches.from[branch as usize] != busbar;
        let (end, side) = if is_from { (End::From, End::To) } else { (End::To, End::From) };
        let range = TapRange {
            branch,
            end,
            neutral: 0,
            min: -TAP_STEPS,
            max: TAP_STEPS,
            position: 0,
            step_pu: controls.step_pu,
            step_rad: 0.0,
        };
        TapChanger::of_range(&range, side, busbar, controls.busbar_pu, controls.deadband_pu)
    };
    of.substations.iter().flat_map(|of| of.branches.iter().map(|&branch| changer(of.mv_bus, branch))).collect()
}

/// Breakers at both sides of the transformers of substations and at the busbar end of their feeders, fuses at the upper side
/// of the transformers of stations and at the busbar end of their feeders.
fn synthetic_breakers(of: &SyntheticGrid) -> Vec<Breakers> {
    let mut is_busbar = vec![false; of.grid.buses.len()];
    of.substations.iter().for_each(|of| is_busbar[of.mv_bus as usize] = true);
    of.stations.iter().filter(|of| !of.is_private).for_each(|of| is_busbar[of.lv_bus as usize] = true);
    let branches = &of.grid.branches;
    let base_v = |bus: u32| of.grid.buses.base_v[bus as usize];
    let of_row = |row: usize| {
        let (from, to) = (branches.from[row], branches.to[row]);
        match of.branches.kind[row] {
            BranchKind::SubstationTransformer => Breakers::BOTH,
            BranchKind::StationTransformer => {
                Breakers { at_from: base_v(from) > base_v(to), at_to: base_v(to) > base_v(from) }
            }
            _ => Breakers { at_from: is_busbar[from as usize], at_to: is_busbar[to as usize] },
        }
    };
    (0..branches.len()).map(of_row).collect()
}

/// By zone, the buses of its lamps with their weights.
fn lamp_places(city: &City, public: impl Fn(usize) -> Option<u32>, building_bus: &[u32]) -> Vec<BTreeMap<u32, u32>> {
    let mut places = vec![BTreeMap::new(); city.zones.len()];
    let mut everywhere = BTreeMap::new();
    for is_second_choice in [false, true] {
        for (building, &own) in building_bus.iter().enumerate() {
            let bus = if is_second_choice { Some(own) } else { public(building) };
            let zone = city.buildings.zone[building].row();
            if let Some(bus) = bus
                && (!is_second_choice || places[zone].is_empty() || places[zone].contains_key(&bus))
            {
                *places[zone].entry(bus).or_insert(0) += 1;
                *everywhere.entry(bus).or_insert(0) += 1;
            }
        }
    }
    places.iter_mut().filter(|of| of.is_empty()).for_each(|of| of.clone_from(&everywhere));
    places
}
