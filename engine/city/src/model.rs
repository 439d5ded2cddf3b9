//! The city in memory: a few large tables as flat columns. Row `i` of every column of a table is the
//! same thing; rows are in a fixed order (sorted by the outside id where it has one), so that equal
//! inputs give equal tables.
//!
//! Coordinates: geometries are longitude, latitude in degrees (OGC:CRS84); `x_m`, `y_m` and every
//! length and area are in the projected reference system of the manifest, in metres.

use bevy_ecs::resource::Resource;
use geo::{LineString, MultiPolygon, Point, Polygon};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use urbis_core::csr::Csr;
use urbis_core::{BuildingIx, LinkIx, NodeIx, ZoneIx};

/// A whole city: the content of a city package.
#[derive(Clone, Debug, Default, Resource)]
pub struct City {
    /// What it is made of.
    pub manifest: Manifest,
    /// Junctions and ends of roads and paths.
    pub nodes: Nodes,
    /// Directed road and path segments between nodes.
    pub links: Links,
    /// Forbidden sequences of links.
    pub turns: Turns,
    /// Statistical zones.
    pub zones: Zones,
    /// Buildings, real or synthetic.
    pub buildings: Buildings,
    /// Points of interest.
    pub pois: Pois,
    /// Statistical small data.
    pub panel: Vec<PanelRow>,
    /// Area weights between zonings and rasters.
    pub crosswalk: Vec<CrosswalkRow>,
    /// What a plan has changed of its buildings; nothing in a city as its package has it.
    pub land_use: Option<Arc<LandUse>>,
}

/// What a plan has changed of a city's buildings, with what has to be known of the time before: people who live there
/// already are made of that alone, so they are the same with and without the plan.
#[derive(Clone, Debug, Default)]
pub struct LandUse {
    /// Zones, buildings (without shapes) and panel before. The rows of its buildings are the first of the changed city;
    /// those after them are new.
    pub before: City,
    /// The new buildings (without shapes), in their order.
    pub new: Buildings,
    /// People who move into each new building.
    pub residents: Vec<f64>,
    /// Jobs of each new building.
    pub jobs: Vec<f64>,
    /// Share of its floor area that each building from before keeps, 0 to 1.
    pub kept: Vec<f64>,
}

impl LandUse {
    /// Buildings from before; rows from here on are new.
    #[must_use]
    pub fn first_new(&self) -> usize {
        self.before.buildings.len()
    }
}

/// `manifest.json` of a city package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the package layout.
    pub format_version: u32,
    /// Short name, used in file names.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Projected reference system of lengths and areas, e.g. `EPSG:32632`.
    pub crs: String,
    /// Days the data stands for, e.g. `2023-01-01/2024-12-31`.
    pub valid_period: String,
    /// Bounding box in degrees: west, south, east, north.
    pub bbox_deg: [f64; 4],
    /// Files the package was built from.
    pub sources: Vec<Source>,
    /// Rows by table.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// What is missing, guessed or synthetic, in sentences for people.
    pub known_gaps: Vec<String>,
    /// Facts of the build worth a number, e.g. `car_connected_share`.
    pub figures: std::collections::BTreeMap<String, f64>,
    /// SHA-256 of recipe and sources: equal hashes mean equal packages.
    pub content_hash: String,
}

impl Manifest {
    /// Share of its capacity that a link keeps when it ends at signals; 1 where the package does not say.
    #[must_use]
    pub fn signal_green_share(&self) -> f64 {
        self.figures.get(SIGNAL_GREEN_SHARE).copied().filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or(1.0)
    }
}

/// The figure of a manifest that [`Manifest::signal_green_share`] reads.
pub const SIGNAL_GREEN_SHARE: &str = "signal_green_share";

/// One input file of a package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What it gave, e.g. `roads`.
    pub role: String,
    /// File name without folder.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Licence, as an SPDX expression or in words.
    pub licence: String,
    /// Whom to credit.
    pub attribution: String,
}

/// Who may use a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes(pub u8);

impl Modes {
    /// Motor vehicles.
    pub const CAR: Self = Self(1);
    /// Bicycles.
    pub const BICYCLE: Self = Self(2);
    /// People on foot.
    pub const WALK: Self = Self(4);
    /// The modes with their names, in order.
    pub const NAMED: [(Self, &'static str); 3] = [(Self::CAR, "car"), (Self::BICYCLE, "bicycle"), (Self::WALK, "walk")];

    /// Whether all of `other` may pass.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// These and those.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Road class, after OpenStreetMap's `highway` values; links (ramps) count as their class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoadClass {
    /// motorway, motorway_link
    Motorway,
    /// trunk, trunk_link
    Trunk,
    /// primary, primary_link
    Primary,
    /// secondary, secondary_link
    Secondary,
    /// tertiary, tertiary_link
    Tertiary,
    /// unclassified, road
    Unclassified,
    /// residential
    Residential,
    /// living_street
    LivingStreet,
    /// service
    Service,
    /// track, path, footway, cycleway, steps, pedestrian, bridleway: no motor vehicles
    #[default]
    Path,
    /// Stands for the road outside the area, joins a gateway to an external node.
    External,
}

urbis_core::named!(RoadClass {
    Motorway = "motorway",
    Trunk = "trunk",
    Primary = "primary",
    Secondary = "secondary",
    Tertiary = "tertiary",
    Unclassified = "unclassified",
    Residential = "residential",
    LivingStreet = "living_street",
    Service = "service",
    Path = "path",
    External = "external",
});

/// How a junction is controlled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeControl {
    /// Nothing known.
    #[default]
    None,
    /// Traffic signals.
    Signal,
    /// Give way.
    GiveWay,
    /// Stop sign.
    Stop,
    /// Mini-roundabout.
    Roundabout,
}

urbis_core::named!(NodeControl {
    None = "none",
    Signal = "signal",
    GiveWay = "give_way",
    Stop = "stop",
    Roundabout = "roundabout",
});

/// Nodes table; key [`NodeIx`].
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    /// Outside id: the OpenStreetMap node id, GMNS `node_id`, or `external:<name>`.
    pub id: Vec<String>,
    /// Place in degrees.
    pub point: Vec<Point>,
    /// Easting, metres.
    pub x_m: Vec<f64>,
    /// Northing, metres.
    pub y_m: Vec<f64>,
    /// Height above the vertical datum of the source, metres; NaN where unknown.
    pub elevation_m: Vec<f64>,
    /// How the junction is controlled.
    pub control: Vec<NodeControl>,
    /// Stands for the world outside the area.
    pub external: Vec<bool>,
    /// The zone it lies in, or [`ZoneIx::NONE`].
    pub zone: Vec<ZoneIx>,
}

impl Nodes {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

/// Links table; key [`LinkIx`]. Directed.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Outside id.
    pub id: Vec<String>,
    /// Upstream node.
    pub from: Vec<NodeIx>,
    /// Downstream node.
    pub to: Vec<NodeIx>,
    /// OpenStreetMap way of its first part; 0 where there is none.
    pub way_id: Vec<i64>,
    /// Road class.
    pub class: Vec<RoadClass>,
    /// Street name, may be empty.
    pub name: Vec<String>,
    /// Length along the geometry, metres, > 0.
    pub length_m: Vec<f64>,
    /// Lanes in this direction, >= 1 where cars may pass.
    pub lanes: Vec<u8>,
    /// Free-flow speed, m/s, > 0.
    pub speed_mps_free: Vec<f64>,
    /// Capacity of all lanes, vehicles/s, > 0 where cars may pass.
    pub capacity_vps: Vec<f64>,
    /// Jam density of all lanes, vehicles/m, > 0 where cars may pass.
    pub jam_density_vpm: Vec<f64>,
    /// Who may pass.
    pub modes: Vec<Modes>,
    /// In a tunnel.
    pub tunnel: Vec<bool>,
    /// On a bridge.
    pub bridge: Vec<bool>,
    /// The zone its middle lies in, or [`ZoneIx::NONE`].
    pub zone: Vec<ZoneIx>,
    /// Turns that the lanes at its end are marked for, left lane first, as OpenStreetMap's `turn:lanes` has them; blank
    /// where there are none. No rows where none are known.
    pub turn_lanes: Vec<String>,
    /// Line in degrees, from upstream to downstream.
    pub line: Vec<LineString>,
}

impl Links {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

/// Turn restrictions between two links that meet.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// Forbidden pairs (incoming link, outgoing link), sorted; mandatory turns are turned into the
    /// bans of every other turn.
    pub banned: Vec<(LinkIx, LinkIx)>,
}

/// Zones table; key [`ZoneIx`].
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// Outside id.
    pub id: Vec<String>,
    /// Name for people.
    pub name: Vec<String>,
    /// Area, m2.
    pub area_m2: Vec<f64>,
    /// Shape in degrees.
    pub shape: Vec<MultiPolygon>,
}

impl Zones {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

/// What a building is mostly for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildingUse {
    /// Dwellings.
    #[default]
    Residential,
    /// Offices and administration.
    Office,
    /// Shops, restaurants, services.
    Retail,
    /// Hotels and the like.
    Hotel,
    /// Workshops, factories, warehouses.
    Industrial,
    /// Schools, nurseries, universities.
    Education,
    /// Hospitals, clinics.
    Health,
    /// Museums, churches, stadiums, stations and other public places.
    Civic,
    /// Garages and car parks.
    Parking,
    /// Sheds, roofs, ruins: nobody's place.
    Other,
}

urbis_core::named!(BuildingUse {
    Residential = "residential",
    Office = "office",
    Retail = "retail",
    Hotel = "hotel",
    Industrial = "industrial",
    Education = "education",
    Health = "health",
    Civic = "civic",
    Parking = "parking",
    Other = "other",
});

/// Where a number of floors comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FloorsFrom {
    /// Tagged levels.
    Levels,
    /// Tagged height divided by the storey height of the recipe.
    Height,
    /// A rule of the recipe.
    #[default]
    Rule,
    /// The building itself is synthetic.
    Synthetic,
}

urbis_core::named!(FloorsFrom {
    Levels = "levels",
    Height = "height",
    Rule = "rule",
    Synthetic = "synthetic",
});

/// Buildings table; key [`BuildingIx`].
#[derive(Clone, Debug, Default)]
pub struct Buildings {
    /// Outside id: `way/123`, `relation/123`, or `synthetic/123`.
    pub id: Vec<String>,
    /// The zone its centre lies in; every building has one.
    pub zone: Vec<ZoneIx>,
    /// What it is mostly for.
    pub purpose: Vec<BuildingUse>,
    /// Floors above ground, > 0.
    pub floors: Vec<f64>,
    /// Where the number of floors comes from.
    pub floors_from: Vec<FloorsFrom>,
    /// Height above ground, metres.
    pub height_m: Vec<f64>,
    /// Ground area, m2.
    pub footprint_m2: Vec<f64>,
    /// Gross floor area, m2: ground area times floors.
    pub floor_area_m2: Vec<f64>,
    /// Dwellings, by floor area or as the statistics say.
    pub dwellings: Vec<u32>,
    /// Easting of its centre, metres.
    pub x_m: Vec<f64>,
    /// Northing of its centre, metres.
    pub y_m: Vec<f64>,
    /// Height of the ground, metres; NaN where unknown.
    pub elevation_m: Vec<f64>,
    /// Nearest node of the car network, for leaving and arriving by car.
    pub car_node: Vec<NodeIx>,
    /// Shape in degrees.
    pub shape: Vec<Polygon>,
}

impl Buildings {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
    /// The rows from one on, without shapes.
    #[must_use]
    pub fn from_row(&self, first: usize) -> Self {
        Self {
            id: self.id[first..].to_vec(),
            zone: self.zone[first..].to_vec(),
            purpose: self.purpose[first..].to_vec(),
            floors: self.floors[first..].to_vec(),
            floors_from: self.floors_from[first..].to_vec(),
            height_m: self.height_m[first..].to_vec(),
            footprint_m2: self.footprint_m2[first..].to_vec(),
            floor_area_m2: self.floor_area_m2[first..].to_vec(),
            dwellings: self.dwellings[first..].to_vec(),
            x_m: self.x_m[first..].to_vec(),
            y_m: self.y_m[first..].to_vec(),
            elevation_m: self.elevation_m[first..].to_vec(),
            car_node: self.car_node[first..].to_vec(),
            shape: Vec::new(),
        }
    }
    /// Buildings of each zone, in row order.
    #[must_use]
    pub fn by_zone(&self, zones: usize) -> Csr<BuildingIx> {
        let pairs: Vec<(u32, BuildingIx)> =
            self.zone.iter().enumerate().map(|(row, zone)| (zone.0, BuildingIx(row as u32))).collect();
        Csr::from_pairs(zones, &pairs)
    }
}

/// Kind of a point of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PoiKind {
    /// Nursery, school, college, university.
    School,
    /// Hospital, clinic, doctors.
    Hospital,
    /// Fire station.
    FireStation,
    /// Police.
    Police,
    /// Shop, supermarket, market.
    #[default]
    Shop,
    /// Restaurant, bar, theatre, cinema, sports.
    Leisure,
    /// Hotel, guest house.
    Hotel,
    /// Office, bank, town hall.
    Office,
    /// Factory, works.
    Industry,
    /// Railway station.
    Station,
    /// Bus stop.
    BusStop,
    /// Car park.
    Parking,
    /// Fuel or charging station.
    Fuel,
    /// Car park at which people change to public transport.
    ParkAndRide,
    /// Public green of at least half a hectare.
    Park,
}

urbis_core::named!(PoiKind {
    School = "school",
    Hospital = "hospital",
    FireStation = "fire_station",
    Police = "police",
    Shop = "shop",
    Leisure = "leisure",
    Hotel = "hotel",
    Office = "office",
    Industry = "industry",
    Station = "station",
    BusStop = "bus_stop",
    Parking = "parking",
    Fuel = "fuel",
    ParkAndRide = "park_and_ride",
    Park = "park",
});

/// Points of interest table.
#[derive(Clone, Debug, Default)]
pub struct Pois {
    /// Outside id: `node/123` or `way/123`.
    pub id: Vec<String>,
    /// Kind.
    pub kind: Vec<PoiKind>,
    /// Name, may be empty.
    pub name: Vec<String>,
    /// The zone it lies in, or [`ZoneIx::NONE`].
    pub zone: Vec<ZoneIx>,
    /// The building it lies in, or the nearest within 30 m, or [`BuildingIx::NONE`].
    pub building: Vec<BuildingIx>,
    /// Place in degrees.
    pub point: Vec<Point>,
}

impl Pois {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

/// How far a figure can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Published; the source was read.
    Sourced,
    /// Recalled; the source was not read again.
    Recalled,
    /// Derived or guessed.
    #[default]
    Estimate,
}

urbis_core::named!(Quality {
    Sourced = "sourced",
    Recalled = "recalled",
    Estimate = "estimate",
});

/// One figure of the panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PanelRow {
    /// Zone, or the city's name, or several joined by `+`.
    pub zone_id: String,
    /// Year or day it stands for.
    pub period: String,
    /// What it is.
    pub indicator: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Who says so.
    pub source: String,
    /// How far to trust it.
    pub quality: Quality,
}

/// Share of one area that lies in another; the weights of one `from_id` add up to its covered share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrosswalkRow {
    /// Layer or raster the weight spreads from.
    pub from_layer: String,
    /// Its zone or cell.
    pub from_id: String,
    /// Layer it spreads to.
    pub to_layer: String,
    /// Its zone.
    pub to_id: String,
    /// Share of the area of `from_id` in `to_id`, 0 to 1.
    pub weight: f64,
}

impl City {
    /// The latest panel figure of an indicator for a zone or the whole city, by period.
    #[must_use]
    pub fn panel_latest(&self, zone_id: &str, indicator: &str) -> Option<&PanelRow> {
        self.panel
            .iter()
            .filter(|row| row.zone_id == zone_id && row.indicator == indicator)
            .max_by(|a, b| a.period.cmp(&b.period))
    }
}
