//! Kinds of policies, with the keys of their own as a scenario says them.
//!
//! Doc comments are the descriptions of the JSON Schema, so they speak to the person who writes a scenario. Contract: data
//! alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use urbis_city::model::{BuildingUse, RoadClass};
use urbis_traffic::SignalControl;
use urbis_utility::power::devices::settings::ChargerControl;
use urbis_utility::power::devices::tariff::TariffWindow;

/// What a policy does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PolicyKind {
    /// A charge on roads.
    RoadPrice {
        /// What is charged.
        basis: PriceBasis,
        /// What it costs, by class and hour.
        #[schemars(length(min = 1))]
        prices: Vec<Price>,
        /// Whether a person pays on the first charged trip of the day alone.
        #[serde(default)]
        once_per_day: bool,
        /// Share of the price that people who live in the area pay, 0 to 1.
        #[serde(default = "all")]
        #[schemars(range(min = 0.0, max = 1.0))]
        resident_share: f64,
    },
    /// Links that nobody may enter.
    Closure,
    /// Another free speed of the links in the area.
    SpeedLimit {
        /// The limit, km/h.
        #[schemars(range(min = 3.0, max = 200.0))]
        speed_kmh: f64,
        /// Whether slower links become as fast; else the limit only lowers.
        #[serde(default)]
        raises: bool,
    },
    /// Lanes taken from cars; a lane for cars always stays.
    Lanes {
        /// Lanes taken in each direction.
        #[schemars(range(min = 1, max = 8))]
        taken: u8,
        /// Who gets them.
        given_to: LaneUser,
    },
    /// A price for cars that park in the area.
    ParkingPrice {
        /// Money for each hour of the stay.
        #[serde(default)]
        #[schemars(range(min = 0.0))]
        per_hour: f64,
        /// Money for each stay.
        #[serde(default)]
        #[schemars(range(min = 0.0))]
        per_stay: f64,
        /// Whether people who live in the area park free.
        #[serde(default)]
        residents_exempt: bool,
    },
    /// More or fewer departures of public transport, in proportion to those of the timetable.
    TransitFrequency {
        /// How many times as many: 2 halves every headway, 0.5 leaves out every other departure, 0 closes the line.
        #[schemars(range(min = 0.0, max = 20.0))]
        factor: f64,
        /// Ids or names of the lines; all that halt in the area where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        routes: Vec<String>,
    },
    /// People with a job who stay at home on the day.
    Telework {
        /// Share of those whose job can be done at home, 0 to 1.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Share of jobs that can be done at home, 0 to 1: 37 % in the United States (Dingel and Neiman 2020).
        #[serde(default = "able_share")]
        #[schemars(range(min = 0.0, max = 1.0))]
        able_share: f64,
        /// Whether commuters from outside stay at home too.
        #[serde(default)]
        commuters: bool,
    },
    /// Photovoltaics on roofs.
    RooftopPv {
        /// Share of roofs in the area that carry modules, 0 to 1; those that do without the policy count.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Uses of buildings that it holds for; all where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uses: Vec<BuildingKind>,
        /// Rating of the modules that it adds, W/m2; that of `power.devices.pv` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1.0, max = 400.0))]
        module_w_per_m2: Option<f64>,
    },
    /// Batteries in buildings.
    Battery {
        /// Share of buildings in the area that have one, 0 to 1; those that do without the policy count.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Uses of buildings that it holds for; all where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uses: Vec<BuildingKind>,
        /// Energy for each dwelling, kWh; that of `power.devices.battery` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 1000.0))]
        kwh_per_dwelling: Option<f64>,
        /// Energy for the floor area of other uses, Wh/m2; that of `power.devices.battery` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 10000.0))]
        wh_per_m2: Option<f64>,
        /// Whether only buildings with photovoltaics get one.
        #[serde(default = "yes")]
        only_with_pv: bool,
    },
    /// Heat pumps in the place of other heating.
    HeatPumps {
        /// Share of buildings in the area that have one, 0 to 1; those that do without the policy count.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Uses of buildings that it holds for; all where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uses: Vec<BuildingKind>,
    },
    /// District heat laid to more buildings.
    DistrictHeat {
        /// Share of the buildings in the area that join, 0 to 1, of those that need heat, have no district heat yet and are not heated
        /// by electricity.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Uses of buildings that it holds for; all where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uses: Vec<BuildingKind>,
    },
    /// Better walls, roofs and windows.
    Retrofit {
        /// Share of buildings in the area, 0 to 1.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Uses of buildings that it holds for; all where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uses: Vec<BuildingKind>,
        /// Saved of the useful heat that their rooms need, 0 to 0.95.
        #[schemars(range(min = 0.0, max = 0.95))]
        saving: f64,
    },
    /// Electric cars and where they are charged.
    EvShare {
        /// Share of drivers living in the area whose car is electric, 0 to 1; those who have one without the policy count.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// Share of buildings in the area with charging points, 0 to 1, by what they are for.
        #[serde(default, skip_serializing_if = "ChargerShares::is_none")]
        chargers: ChargerShares,
    },
    /// When electric cars are charged.
    SmartCharging {
        /// `immediate`, `delayed` (evenly until the car leaves), `price` (in the cheapest hours) or `grid` (less as it asks).
        control: ChargerControl,
        /// Share of buildings in the area whose points do so, 0 to 1.
        #[serde(default = "all")]
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
    },
    /// A price of electricity by the hour, for the whole city.
    Tariff {
        /// Price outside windows, money per kWh.
        #[serde(default)]
        per_kwh: f64,
        /// Price of each local hour, money per kWh: 24 values or none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hourly_per_kwh: Vec<f64>,
        /// Windows; the first that holds an hour counts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        windows: Vec<TariffWindow>,
    },
    /// Fewer leaks of the water network.
    LeakReduction {
        /// What is left of what leaks out at the same pressure, 0 to 1.
        #[schemars(range(min = 0.0, max = 1.0))]
        factor: f64,
    },
    /// Less pressure in the water network.
    PressureManagement {
        /// Taken off the set points of reducing valves in the area and, for the whole city, off the heads of reservoirs and
        /// tanks, metres.
        #[schemars(range(min = 0.0, max = 100.0))]
        lower_m: f64,
    },
    /// Another price of water.
    WaterTariff {
        /// Change of the price as a share of it: 0.2 for a fifth more.
        #[schemars(range(min = -0.9, max = 10.0))]
        price_change: f64,
        /// Price elasticity of what is drawn; -0.35 is the median of 296 estimates (Dalhuisen et al. 2003).
        #[serde(default = "water_elasticity")]
        #[schemars(range(min = -3.0, max = 0.0))]
        elasticity: f64,
        /// Uses of buildings that it holds for; all where absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uses: Vec<BuildingKind>,
    },
    /// More or fewer parking spaces.
    ParkingSupply {
        /// How many times as many spaces the area has.
        #[schemars(range(min = 0.0, max = 20.0))]
        factor: f64,
    },
    /// Other fares of public transport, for all feeds.
    Fares {
        /// What each fare is multiplied by; this or `flat`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 20.0))]
        factor: Option<f64>,
        /// What every fare costs, money.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 1000.0))]
        flat: Option<f64>,
    },
    /// Lines of public transport that join those of the scenario's feeds.
    NewLine {
        /// Their timetable: a GTFS feed (folder or zip), relative to the file in which this is written.
        #[schemars(extend("format" = "path"))]
        feed: PathBuf,
    },
    /// Working days that begin at different hours.
    StaggeredHours {
        /// Share of those who work in the area, 0 to 1.
        #[schemars(range(min = 0.0, max = 1.0))]
        share: f64,
        /// The most that a day begins earlier or later, minutes; each person has a shift of their own.
        #[schemars(range(min = 0.0, max = 240.0))]
        most_min: f64,
    },
    /// Schools that begin at another hour.
    SchoolTimes {
        /// By how many minutes those in the area begin later; negative: earlier.
        #[schemars(range(min = -180.0, max = 180.0))]
        shift_min: f64,
    },
    /// A zone into which cars and vans of old standards may not drive, or only for a charge.
    LowEmissionZone {
        /// Money for each entry; who does not comply may not enter where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0))]
        charge: Option<f64>,
        /// Whether a person pays on the first charged trip of the day alone.
        #[serde(default = "yes")]
        once_per_day: bool,
        /// Least Euro standard of petrol; 7 for none of them.
        #[serde(default = "petrol_euro")]
        #[schemars(range(min = 0, max = 7))]
        petrol_euro: u8,
        /// Least Euro standard of diesel; 7 for none of them.
        #[serde(default = "diesel_euro")]
        #[schemars(range(min = 0, max = 7))]
        diesel_euro: u8,
        /// Share of cars and vans below these standards, 0 to 1; that of the emissions' fleet where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 1.0))]
        noncompliant_share: Option<f64>,
    },
    /// Buildings that come or go.
    LandUse {
        /// New buildings, one by one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buildings: Vec<NewBuilding>,
        /// File with new buildings, relative to the file in which this is written: polygons or points (GeoJSON, GeoParquet,
        /// CSV with `lon` and `lat`, or what GDAL opens) with fields as `buildings` has keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "path"))]
        file: Option<PathBuf>,
        /// Layer of new buildings in `file`, where it has several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<String>,
        /// Whether the buildings of the area are taken down.
        #[serde(default)]
        demolish: bool,
        /// Share of their floor area that the buildings of the area keep, 0 to 1; all of it where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 1.0))]
        floor_area_factor: Option<f64>,
    },
    /// Roads that come, or become wider.
    NewRoad {
        /// New roads, one by one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Vec<NewLink>,
        /// Lanes that each link of the area gets in addition.
        #[serde(default)]
        #[schemars(range(max = 8))]
        lanes_added: u8,
    },
    /// How signals are controlled.
    Signals {
        /// `green_share`, `fixed`, `actuated` or `max_pressure`; see `traffic.signals`.
        control: SignalControl,
    },
}

/// A new building: a square around a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBuilding {
    /// Id, unlike that of any other building; made of the policy's name and a number where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Easting in the city's projected reference system, metres; with `y_m`, or `lon` and `lat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_m: Option<f64>,
    /// Northing, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_m: Option<f64>,
    /// Longitude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -180.0, max = 180.0))]
    pub lon: Option<f64>,
    /// Latitude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -90.0, max = 90.0))]
    pub lat: Option<f64>,
    /// What it is for.
    #[serde(rename = "use")]
    pub purpose: BuildingKind,
    /// Gross floor area, m2.
    #[schemars(range(min = 1.0, max = 1e7))]
    pub floor_area_m2: f64,
    /// Floors; by height, or usual ones of its use where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.5, max = 200.0))]
    pub levels: Option<f64>,
    /// Height, metres; by floors where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub height_m: Option<f64>,
    /// Dwellings; in a residential building by floor area where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwellings: Option<u32>,
    /// People who move in; dwellings times `population.persons_per_household` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub residents: Option<f64>,
    /// Jobs; by floor area and use where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub jobs: Option<f64>,
}

/// A new road between two nodes of the city.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// Id, unlike that of any other link; made of the policy's name and a number where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Id of the node where it begins; the nearest to the start of its line where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_node: Option<String>,
    /// Id of the node where it ends; the nearest to the end of its line where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_node: Option<String>,
    /// Corners as longitude and latitude, from start to end; straight where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<[f64; 2]>,
    /// Corners as easting and northing in the city's projected reference system, metres, instead of `line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line_m: Vec<[f64; 2]>,
    /// Class of the road.
    pub class: RoadKind,
    /// Name of the road.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Lanes in each direction; usual ones of its class where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16))]
    pub lanes: Option<u8>,
    /// Free speed, km/h; usual one of its class where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 3.0, max = 200.0))]
    pub speed_kmh: Option<f64>,
    /// Whether it leads both ways.
    #[serde(default = "yes")]
    pub both_directions: bool,
}

/// Class of a new road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoadKind {
    /// Motorway; cars alone.
    Motorway,
    /// Trunk road; cars alone.
    Trunk,
    /// Primary road.
    Primary,
    /// Secondary road.
    Secondary,
    /// Tertiary road.
    Tertiary,
    /// Unclassified road.
    Unclassified,
    /// Residential street.
    Residential,
    /// Living street.
    LivingStreet,
    /// Service road.
    Service,
}

impl RoadKind {
    /// As cities say it.
    #[must_use]
    pub fn class(self) -> RoadClass {
        match self {
            Self::Motorway => RoadClass::Motorway,
            Self::Trunk => RoadClass::Trunk,
            Self::Primary => RoadClass::Primary,
            Self::Secondary => RoadClass::Secondary,
            Self::Tertiary => RoadClass::Tertiary,
            Self::Unclassified => RoadClass::Unclassified,
            Self::Residential => RoadClass::Residential,
            Self::LivingStreet => RoadClass::LivingStreet,
            Self::Service => RoadClass::Service,
        }
    }
}

fn petrol_euro() -> u8 {
    4
}

fn diesel_euro() -> u8 {
    6
}

fn water_elasticity() -> f64 {
    -0.35
}

fn yes() -> bool {
    true
}

/// What a building is mostly for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BuildingKind {
    /// Dwellings.
    Residential,
    /// Offices.
    Office,
    /// Shops and restaurants.
    Retail,
    /// Hotels.
    Hotel,
    /// Works and stores.
    Industrial,
    /// Schools and universities.
    Education,
    /// Hospitals and surgeries.
    Health,
    /// Public buildings, culture, worship.
    Civic,
    /// Car parks.
    Parking,
    /// All others.
    Other,
}

impl BuildingKind {
    /// As cities say it.
    #[must_use]
    pub fn purpose(self) -> BuildingUse {
        match self {
            Self::Residential => BuildingUse::Residential,
            Self::Office => BuildingUse::Office,
            Self::Retail => BuildingUse::Retail,
            Self::Hotel => BuildingUse::Hotel,
            Self::Industrial => BuildingUse::Industrial,
            Self::Education => BuildingUse::Education,
            Self::Health => BuildingUse::Health,
            Self::Civic => BuildingUse::Civic,
            Self::Parking => BuildingUse::Parking,
            Self::Other => BuildingUse::Other,
        }
    }
}

/// Share of buildings with charging points, by what they are for; those that have some without the policy count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChargerShares {
    /// At home: dwellings.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub home: f64,
    /// At work: offices, works, schools, hospitals, public buildings.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub work: f64,
    /// For everybody: shops, hotels, car parks and all others.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub public: f64,
}

impl ChargerShares {
    /// Whether there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.home <= 0.0 && self.work <= 0.0 && self.public <= 0.0
    }
    /// Shares and the uses of buildings that each is for.
    #[must_use]
    pub fn by_uses(&self) -> [(f64, &'static [BuildingUse]); 3] {
        use BuildingUse::{Civic, Education, Health, Hotel, Industrial, Office, Other, Parking, Residential, Retail};
        [
            (self.home, &[Residential]),
            (self.work, &[Office, Industrial, Education, Health, Civic]),
            (self.public, &[Retail, Hotel, Parking, Other]),
        ]
    }
}

fn all() -> f64 {
    1.0
}

fn able_share() -> f64 {
    0.37
}

/// What a road price is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// Each link that enters the area from outside; links that are listed are each charged on passage.
    Cordon,
    /// Each kilometre on links in the area.
    PerKm,
}

/// Who pays on the road. Two-wheelers and people who ride along are not moved on the road and cannot be charged there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceClass {
    /// Cars.
    Car,
    /// Vans and lorries.
    Van,
}

/// Who drives on lanes that cars lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneUser {
    /// Buses, which are no longer late in queues there.
    Bus,
    /// Bicycles; their own times stay as they are.
    Bicycle,
}

/// A price in a window of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Money, for each entry or kilometre.
    #[schemars(range(min = 0.0))]
    pub amount: f64,
    /// Clock time from which it counts; that of the policy where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Clock time until which it counts; that of the policy where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Who pays it; everybody where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<PriceClass>,
}

impl PolicyKind {
    /// Name in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RoadPrice { .. } => "road_price",
            Self::Closure => "closure",
            Self::SpeedLimit { .. } => "speed_limit",
            Self::Lanes { .. } => "lanes",
            Self::ParkingPrice { .. } => "parking_price",
            Self::TransitFrequency { .. } => "transit_frequency",
            Self::Telework { .. } => "telework",
            Self::RooftopPv { .. } => "rooftop_pv",
            Self::Battery { .. } => "battery",
            Self::HeatPumps { .. } => "heat_pumps",
            Self::DistrictHeat { .. } => "district_heat",
            Self::Retrofit { .. } => "retrofit",
            Self::EvShare { .. } => "ev_share",
            Self::SmartCharging { .. } => "smart_charging",
            Self::Tariff { .. } => "tariff",
            Self::LeakReduction { .. } => "leak_reduction",
            Self::PressureManagement { .. } => "pressure_management",
            Self::WaterTariff { .. } => "water_tariff",
            Self::ParkingSupply { .. } => "parking_supply",
            Self::Fares { .. } => "fares",
            Self::NewLine { .. } => "new_line",
            Self::StaggeredHours { .. } => "staggered_hours",
            Self::SchoolTimes { .. } => "school_times",
            Self::LowEmissionZone { .. } => "low_emission_zone",
            Self::LandUse { .. } => "land_use",
            Self::NewRoad { .. } => "new_road",
            Self::Signals { .. } => "signals",
        }
    }

    /// Whether it is put on before a run, day and night, and stands for all of it.
    #[must_use]
    pub fn is_built(&self) -> bool {
        matches!(
            self,
            Self::RooftopPv { .. }
                | Self::Battery { .. }
                | Self::HeatPumps { .. }
                | Self::DistrictHeat { .. }
                | Self::Retrofit { .. }
                | Self::EvShare { .. }
                | Self::SmartCharging { .. }
                | Self::Tariff { .. }
                | Self::LeakReduction { .. }
                | Self::PressureManagement { .. }
                | Self::WaterTariff { .. }
                | Self::ParkingSupply { .. }
                | Self::Fares { .. }
                | Self::NewLine { .. }
                | Self::LandUse { .. }
                | Self::NewRoad { .. }
                | Self::Signals { .. }
        )
    }
}
