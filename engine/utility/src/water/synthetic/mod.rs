//! A made-up network of drinking water for a city without data of its own: waterworks, mains along the streets in loops,
//! pressure zones by height, pumps, pressure reducers and tanks, to every building. It is plausible, not true;
//! [`SyntheticWater::is_synthetic`] says so wherever it is carried.
//!
//! After how networks are planned by the book (DVGW W 400-1, W 300, W 405, W 410; figures recalled, see
//! `assets/water`), and after generators of virtual networks: WaterNetGen (Muranho and others, 2012), DynaVIBe-Web
//! (Sitzenfrei and others, Water Resour. Res. 49, 2013), which lay mains along streets and size them by the flow that they
//! carry. No cost is minimised. Steps:
//!
//! 1. `crate::streets`: where mains may lie, and where buildings meet them.
//! 2. `layout` which streets have mains: a tree, and what closes its loops.
//! 3. `zones` pressure zones, and what feeds each.
//! 4. `places` where tanks and waterworks stand.
//! 5. `assemble` all of it in tables of [`crate::water::network`], with what each row stands for.
//! 6. `sizing` diameters, solved at the peak hour, while tanks fill, and with fires; then pumps by the lift that this takes.
//!
//! [`figures`] solves it over a day and sets it beside published figures. Pipes and volumes, with sources, are in
//! [`catalogue`].
//!
//! Ignored: service pipes (a building draws at the joint in the street), leaks, growth, surge, treatment, quality, links
//! between waterworks, crests between crossings, cost beyond the least pipe that does. Houses that are taller than the
//! network serves lift their own water.
//!
//! Contract: a pure function of its inputs, without random numbers, sequential but for the meeting of buildings and streets,
//! which is parallel in constant chunks; the same on any number of threads. Time is near linear in buildings: rounds of
//! sizing are bounded, each solves the network a few times.

pub mod catalogue;
pub mod figures;
pub mod settings;

mod assemble;
mod layout;
mod places;
mod sizing;
mod zones;

pub use catalogue::{Catalogue, PipeType, StorageStep};
pub use figures::{Figures, Moment, Reference};
pub use settings::SyntheticWaterSettings;

use super::network::Network;
use crate::power::settings::refusing;
use crate::streets::Streets;
use layout::Incidence;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::{Problem, Problems, Result};

/// Largest draw of a building, m3/s: beyond it no network of streets would do.
const DRAW_M3PS_MAX: f64 = 10.0;
/// Least flow that anything is planned for, m3/s.
const FLOW_M3PS_MIN: f64 = 1e-4;

/// No zone, no tank, no building.
pub const NONE: u32 = u32::MAX;

/// What a link stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaterLinkKind {
    /// Main along streets.
    Main,
    /// Main over the border of a zone, closed.
    ClosedMain,
    /// Main from a station into its zone.
    StationMain,
    /// Main of a tank.
    TankMain,
    /// Pump that runs.
    Pump,
    /// Pump that stands by.
    StandbyPump,
    /// Valve that reduces pressure to that of the zone behind it.
    PressureReducer,
}

urbis_core::named!(WaterLinkKind {
    Main = "main",
    ClosedMain = "closed_main",
    StationMain = "station_main",
    TankMain = "tank_main",
    Pump = "pump",
    StandbyPump = "standby_pump",
    PressureReducer = "pressure_reducer",
});

/// What stands behind each row of the network's links; columns by link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkFacts {
    /// What it is.
    pub kind: Vec<WaterLinkKind>,
    /// Row of [`Catalogue::pipes`]; [`NONE`] of pumps and valves.
    pub pipe: Vec<u32>,
    /// Zone that it lies in or leads into.
    pub zone: Vec<u32>,
    /// Where the corners of each link begin in `corners`; one longer than links.
    pub corner_start: Vec<u32>,
    /// Easting, northing of lines, metres in the city's reference system.
    pub corners: Vec<[f64; 2]>,
}

impl LinkFacts {
    /// Line of a link from its from end, metres; two corners at least.
    #[must_use]
    pub fn line(&self, link: u32) -> &[[f64; 2]] {
        let row = link as usize;
        &self.corners[self.corner_start[row] as usize..self.corner_start[row + 1] as usize]
    }
}

/// How a zone is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZoneFeed {
    /// By pumps of waterworks.
    Waterworks,
    /// By pumps from a lower zone.
    Pumps,
    /// Through a pressure reducer from a higher zone.
    PressureReducer,
}

urbis_core::named!(ZoneFeed { Waterworks = "waterworks", Pumps = "pumps", PressureReducer = "pressure_reducer" });

/// A pressure zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Stretch of streets that it is on, by number.
    pub stretch: u32,
    /// Band of height in that stretch, from the lowest.
    pub band: u32,
    /// Head of the bottom of its tank, or that which is held where it is fed, metres.
    pub head_m: f64,
    /// Lowest ground of its customers, metres.
    pub ground_m_min: f64,
    /// Highest, metres.
    pub ground_m_max: f64,
    /// Buildings.
    pub buildings: u32,
    /// Mean draw of its buildings, m3/s.
    pub mean_m3ps: f64,
    /// How it is fed.
    pub feed: ZoneFeed,
    /// Zone that feeds it; [`NONE`] of waterworks.
    pub from: u32,
    /// Flow that its pumps or its reducer are planned for, m3/s.
    pub design_m3ps: f64,
    /// Row of the network's tanks; [`NONE`] without.
    pub tank: u32,
}

/// A tank, in the order of the network's tanks.
#[derive(Clone, Debug, PartialEq)]
pub struct TankFacts {
    /// Its zone.
    pub zone: u32,
    /// Volume that it holds, m3; that kept for fires included.
    pub volume_m3: f64,
    /// Draw that it evens out on the day of highest draw, m3.
    pub day_m3: f64,
    /// Ground where it stands, metres.
    pub ground_m: f64,
    /// Bottom of its water above ground, metres; below 0 where it is dug in.
    pub above_ground_m: f64,
}

/// What came of fires tried out.
#[derive(Clone, Debug, PartialEq)]
pub struct FireTest {
    /// Junction of the hydrant.
    pub node: u32,
    /// Pressure left there, metres.
    pub pressure_m: f64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticWater {
    /// Always true: a made-up network, to be named as such wherever it is shown.
    pub is_synthetic: bool,
    /// The network; one demand for each junction with buildings, their mean draw, by a pattern that reaches their peak.
    pub network: Network,
    /// Junction of each building.
    pub building_node: Vec<u32>,
    /// Easting, northing of each node, metres in the city's reference system.
    pub node_place: Vec<[f64; 2]>,
    /// Pressure zone of each node, row of `zones`.
    pub node_zone: Vec<u32>,
    /// Pressure wanted at each node, metres; 0 where there is no building.
    pub node_required_m: Vec<f64>,
    /// Buildings of each node.
    pub node_buildings: Vec<u32>,
    /// Draw of each node at the peak hour of the day of highest draw, m3/s.
    pub node_peak_m3ps: Vec<f64>,
    /// What links stand for.
    pub links: LinkFacts,
    /// Pressure zones.
    pub zones: Vec<Zone>,
    /// Tanks.
    pub tanks: Vec<TankFacts>,
    /// Fires tried out while planning.
    pub fires: Vec<FireTest>,
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl SyntheticWater {
    /// Plans the network of a city for the mean draw of each building and its draw at the city's hour of highest draw, both
    /// of a mean day, m3/s; shapes: buildings. A city without buildings has an empty network.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every setting or building that makes no plan, or where there is no street along
    /// which mains could lie.
    pub fn plan(city: &City, mean_m3ps: &[f64], peak_m3ps: &[f64], settings: &SyntheticWaterSettings) -> Result<Self> {
        Self::plan_with(city, mean_m3ps, peak_m3ps, settings, &Catalogue::shipped()?)
    }
    /// As [`SyntheticWater::plan`], of other pipes and tanks than those shipped.
    ///
    /// # Errors
    /// As [`SyntheticWater::plan`].
    pub fn plan_with(
        city: &City,
        mean_m3ps: &[f64],
        peak_m3ps: &[f64],
        settings: &SyntheticWaterSettings,
        catalogue: &Catalogue,
    ) -> Result<Self> {
        check(city, mean_m3ps, peak_m3ps, settings)?;
        if city.buildings.is_empty() {
            return Ok(assemble::empty(settings));
        }
        let streets = Streets::new(city, settings.streets()).ok_or_else(|| {
            Problem::file(Path::new("links"), "no street between nodes with coordinates, so nowhere to lay mains")
        })?;
        let basis = Basis::new(city, mean_m3ps, peak_m3ps, settings, catalogue, &streets);
        let mains = layout::mains(&basis);
        let at = Incidence::new(streets.place.len(), &mains);
        let zoning = zones::plan(&basis, &mains, &at);
        let mut built = assemble::assemble(city, &basis, &mains, &zoning);
        sizing::size(&basis, &mains, &at, &zoning, &mut built)?;
        Ok(built.of)
    }
}

/// What each vertex of the streets is to supply, and by what.
struct Basis<'a> {
    streets: &'a Streets,
    settings: &'a SyntheticWaterSettings,
    catalogue: &'a Catalogue,
    /// Columns by vertex.
    buildings: Vec<u32>,
    mean_m3ps: Vec<f64>,
    peak_m3ps: Vec<f64>,
    required_m: Vec<f64>,
    /// Of the whole city: draw at the hour of highest draw over the mean.
    peak_ratio: f64,
    /// Buildings with more storeys than the network serves.
    tall: u32,
}

impl<'a> Basis<'a> {
    fn new(
        city: &City,
        mean_m3ps: &[f64],
        peak_m3ps: &[f64],
        settings: &'a SyntheticWaterSettings,
        catalogue: &'a Catalogue,
        streets: &'a Streets,
    ) -> Self {
        let vertices = streets.place.len();
        let mut basis = Self {
            streets,
            settings,
            catalogue,
            buildings: vec![0; vertices],
            mean_m3ps: vec![0.0; vertices],
            peak_m3ps: vec![0.0; vertices],
            required_m: vec![0.0; vertices],
            peak_ratio: 1.0,
            tall: 0,
        };
        for (building, &vertex) in streets.joint.iter().enumerate() {
            let row = vertex as usize;
            let floors = city.buildings.floors.get(building).copied();
            basis.buildings[row] += 1;
            basis.mean_m3ps[row] += mean_m3ps[building];
            basis.peak_m3ps[row] += peak_m3ps[building];
            basis.required_m[row] = basis.required_m[row].max(settings.required_m(floors));
            basis.tall += u32::from(floors.is_some_and(|floors| floors.ceil() > f64::from(settings.storeys_max)));
        }
        let (mean, peak): (f64, f64) = (mean_m3ps.iter().sum(), peak_m3ps.iter().sum());
        if mean > 0.0 && peak > mean {
            basis.peak_ratio = peak / mean;
        }
        basis
    }
    /// Middle of some vertices by their buildings, or of all where none has any.
    fn middle(&self, vertices: &[u32]) -> [f64; 2] {
        let weight = |vertex: u32| f64::from(self.buildings[vertex as usize]);
        let total: f64 = vertices.iter().map(|&vertex| weight(vertex)).sum();
        let mut sum = [0.0, 0.0];
        for &vertex in vertices {
            let share = if total > 0.0 { weight(vertex) / total } else { 1.0 / vertices.len() as f64 };
            let [x, y] = self.streets.place[vertex as usize];
            sum = [sum[0] + share * x, sum[1] + share * y];
        }
        sum
    }
}

fn check(city: &City, mean_m3ps: &[f64], peak_m3ps: &[f64], settings: &SyntheticWaterSettings) -> Result<()> {
    refusing("synthetic water", |tell| settings.check(tell))?;
    let mut problems = Problems::new();
    let table = &city.buildings;
    let place = Path::new("buildings");
    for (name, rows) in [("mean", mean_m3ps.len()), ("peak", peak_m3ps.len())] {
        if rows != table.len() {
            let what = format!("{rows} {name} draws, expected {}, one for each building", table.len());
            problems.push(Problem::file(place, what));
        }
    }
    if !problems.is_empty() {
        return problems.or_else(());
    }
    for row in 0..table.len() {
        let id = Some(table.id[row].as_str());
        for (field, value) in [("mean_m3ps", mean_m3ps[row]), ("peak_m3ps", peak_m3ps[row])] {
            if !(0.0..=DRAW_M3PS_MAX).contains(&value) {
                problems.push(Problem::value(place, row + 1, id, field, value, "0 to 10"));
            }
        }
        for (field, value) in [("x_m", table.x_m[row]), ("y_m", table.y_m[row])] {
            if !value.is_finite() {
                problems.push(Problem::value(place, row + 1, id, field, value, "a finite number"));
            }
        }
    }
    problems.or_else(())
}
