//! What a scenario file can say. Doc comments here become the descriptions of the JSON Schema that
//! editors show, so they speak to the person who writes a scenario. Units are in the names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use urbis_coupling::{BillSettings, CouplingSettings, EmergencySettings, Event, Policy, RepairSettings};
use urbis_population::PopulationSettings;
use urbis_traffic::TrafficSettings;
use urbis_transit::settings::TransitSettings;
use urbis_utility::gas::city::GasSettings;
use urbis_utility::heat::city::CityHeatSettings;
use urbis_utility::sewer::city_sewer::SewerSettings;
use urbis_utility::telecom::city::CityTelecomSettings;
use urbis_utility::water::city::WaterSettings;
use urbis_utility::{PowerSettings, WeatherSettings};

/// An Urbis scenario: a city, a period, model settings and outputs. It may stand on another scenario and patch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name; it becomes a folder of the results (`scenario=<name>`). Lower-case letters, digits, `-` and `_`.
    /// Never inherited from the base.
    #[schemars(length(min = 1, max = 64), extend("pattern" = "^[a-z0-9_-]+$"))]
    pub name: String,
    /// One line for people. Never inherited.
    #[serde(default)]
    pub title: String,
    /// What the scenario is for and what it assumes. Never inherited.
    #[serde(default)]
    pub description: String,
    /// Another scenario file that this one stands on, relative to this file. Tables merge key by key; other values
    /// and lists replace those of the base.
    #[serde(default, skip_serializing)]
    #[schemars(extend("format" = "path"))]
    pub base: Option<PathBuf>,
    /// Seed of all random draws. Two scenarios with one seed draw the same numbers for the same person, so they can
    /// be compared pair by pair.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The city.
    pub city: CitySettings,
    /// The simulated period.
    pub period: PeriodSettings,
    /// People, households, jobs and their plans.
    #[serde(default)]
    pub population: PopulationSettings,
    /// Vehicles on the road network.
    #[serde(default)]
    pub traffic: TrafficSettings,
    /// Public transport by timetable.
    #[serde(default)]
    pub transit: TransitSettings,
    /// Electricity.
    #[serde(default)]
    pub power: PowerSettings,
    /// Drinking water; no network where absent.
    #[serde(default, skip_serializing_if = "WaterSettings::is_default")]
    pub water: WaterSettings,
    /// Gas; no network where absent.
    #[serde(default, skip_serializing_if = "GasSettings::is_default")]
    pub gas: GasSettings,
    /// District heat; no network where absent.
    #[serde(default, skip_serializing_if = "CityHeatSettings::is_default")]
    pub heat: CityHeatSettings,
    /// Sewers; none where absent.
    #[serde(default, skip_serializing_if = "SewerSettings::is_default")]
    pub sewer: SewerSettings,
    /// Mobile sites; nobody asks who is connected where absent.
    #[serde(default, skip_serializing_if = "CityTelecomSettings::is_default")]
    pub telecom: CityTelecomSettings,
    /// Weather; none where absent.
    #[serde(default, skip_serializing_if = "WeatherSettings::is_absent")]
    pub weather: WeatherSettings,
    /// Fire brigade, ambulances and police; none where absent.
    #[serde(default, skip_serializing_if = "EmergencySettings::is_default")]
    pub emergency: EmergencySettings,
    /// What buildings pay for electricity, water, gas and heat; no bills where absent.
    #[serde(default, skip_serializing_if = "BillSettings::is_default")]
    pub bills: BillSettings,
    /// How the domains meet.
    #[serde(default)]
    pub coupling: CouplingSettings,
    /// Measures that somebody decides: prices, closures, limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Policy>,
    /// What happens to the city: outages, bursts, floods, crashes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event: Vec<Event>,
    /// Crews that repair what events broke.
    #[serde(default, skip_serializing_if = "RepairSettings::is_default")]
    pub repair: RepairSettings,
    /// What is recorded.
    #[serde(default)]
    pub output: OutputSettings,
}

fn default_seed() -> u64 {
    1
}

/// Which city is simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CitySettings {
    /// Folder of the city package, relative to the file in which this is written.
    #[schemars(extend("format" = "path"))]
    pub package: PathBuf,
    /// Recipe that builds the package when it is absent or out of date, relative to the file in which this is
    /// written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub recipe: Option<PathBuf>,
}

/// The simulated period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSettings {
    /// Local date and time at which the period starts, without an offset, such as `2024-06-11T03:00:00`. Where
    /// clocks are put back and the time comes twice, the first one is meant.
    pub start: String,
    /// IANA time zone of the city, such as `Europe/Monaco`. Its offset at the start holds for the whole period.
    pub time_zone: String,
    /// Length of the period, whole hours. Event times are 32 bits of 1/1024 s, which last 48 days.
    #[schemars(range(min = 1, max = 1100))]
    pub duration_h: u32,
}

/// What is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSettings {
    /// The result tables, each with its own schedule and area.
    pub tables: OutputTables,
    /// Smallest number of people or trips that a row of `presence`, `activity_presence` and `od` may stand for
    /// (k-anonymity); smaller ones are summed up or left out. Above 1, tables of single persons cannot be written.
    pub smallest_group: u32,
}

/// The result tables. A table that is not named keeps its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutputTables {
    /// Flow, speed and queue of each road link, per interval (default every 900 s).
    pub link_state: ScheduledTable<900>,
    /// One row per trip, when it ends.
    pub trips: ZonedTable,
    /// People in each building, per interval (default every 3600 s).
    pub presence: ScheduledTable<3600>,
    /// Electricity demand of each building, per interval (default every 3600 s).
    pub building_load: ScheduledTable<3600>,
    /// Electricity demand of each zone, per interval (default every 900 s).
    pub zone_load: ScheduledTable<900>,
    /// Indicators of the whole period beside their published values.
    pub kpis: PlainTable,
    /// The ledgers of vehicles, persons and energy.
    pub ledgers: PlainTable,
    /// Approaches of simulated traffic lights, per interval (default every 900 s).
    pub signals: ScheduledTable<900>,
    /// Rings of full links that blocked themselves.
    pub gridlock: PlainTable,
    /// Every vehicle and link it left; off by default, because it is large.
    pub crossings: AskedTable,
    /// People in each zone by what they do and who they are, per interval (default every 900 s).
    pub activity_presence: ScheduledTable<900>,
    /// Every stay of every person; off by default, because it is large.
    pub activities: AskedTable,
    /// Chains of trips from home to home; off by default.
    pub tours: AskedTable,
    /// What each trip consists of; off by default.
    pub legs: AskedTable,
    /// Trips between zones by hour and mode.
    pub od: PlainTable,
    /// Times and ways between zones that people plan with; off by default.
    pub skims: AskedTable,
    /// Jobs, schools, hospitals, shops and leisure within reach of each zone.
    pub accessibility: PlainTable,
    /// Days lived before the one that counts.
    pub feedback: PlainTable,
    /// What each vehicle of public transport carried between stops; only where there are timetables.
    pub transit_load: PlainTable,
    /// Everybody of the run with age, household, job, licence and car; off by default.
    pub persons: AskedTable,
    /// Households with size, cars and income; off by default.
    pub households: AskedTable,
    /// Spaces and search in each zone, per interval (default every 900 s); only where parking is simulated.
    pub parking: ScheduledTable<900>,
    /// Voltage of each bus, per interval (default every 3600 s); only where there is a grid (`power.grid`), as for those
    /// that follow.
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub bus_state: ScheduledTable<3600>,
    /// Flow of each line, cable and transformer, per interval (default every 3600 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub branch_state: ScheduledTable<3600>,
    /// What enters the grid at each substation, per interval (default every 900 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub substation_load: ScheduledTable<900>,
    /// Where energy came from and went, per interval (default every 900 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub energy_balance: ScheduledTable<900>,
    /// Interruptions of supply.
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub outages: PlainTable,
    /// Elements of networks and where they lie; only where there are networks.
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub network_element: PlainTable,
    /// Pressure and draw of each node of the water network, per interval (default every 3600 s); only where there is one
    /// (`water`), as for the two that follow.
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub water_node: ScheduledTable<3600>,
    /// Flow of each pipe, pump and valve, per interval (default every 3600 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub water_link: ScheduledTable<3600>,
    /// Level of each water tank, per interval (default every 900 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub tank: ScheduledTable<900>,
    /// Pressure of each node of the gas network, per interval (default every 3600 s); only where there is one (`gas`), as for
    /// the one that follows.
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub gas_node: ScheduledTable<3600>,
    /// Flow of each gas pipe, valve and regulator, per interval (default every 3600 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub gas_link: ScheduledTable<3600>,
    /// Temperature of each node of district heat, per interval (default every 3600 s); only where there is such a network
    /// (`heat`), as for the one that follows.
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub heat_node: ScheduledTable<3600>,
    /// Flow and heat of each pipe, plant and consumer, per interval (default every 3600 s).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub heat_link: ScheduledTable<3600>,
    /// Depth, inflow and flooding of each node of the sewer, per interval (default every 3600 s); only where there is one
    /// (`sewer`).
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub sewer_node: ScheduledTable<3600>,
    /// People with and without electricity, water, gas and heat in each zone, per interval (default every 3600 s); only
    /// where there are networks.
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub service: ScheduledTable<3600>,
    /// Where water, gas and heat came from and went, per interval (default every 900 s); only where there are networks of
    /// them.
    #[serde(skip_serializing_if = "ScheduledTable::is_default")]
    pub utility_balance: ScheduledTable<900>,
    /// Noise and exhaust where people are; only with `coupling.traffic_to_people`.
    #[serde(skip_serializing_if = "ZonedTable::is_default")]
    pub exposure: ZonedTable,
    /// What events did, and when crews came; only where there are events.
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub events: PlainTable,
    /// Who paid what for policies; only where there are some that take money.
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub payments: PlainTable,
    /// What buildings of each zone and use paid; only where there are prices (`bills`).
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub bills: PlainTable,
    /// Calls of the emergency services; only where there are some (`emergency`).
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub emergency_call: PlainTable,
    /// How areas were left by the minute; only where events order it.
    #[serde(skip_serializing_if = "PlainTable::is_default")]
    pub evacuation: PlainTable,
}

/// A table with one row per thing and interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields, rename = "TableEvery{EVERY_S}s")]
pub struct ScheduledTable<const EVERY_S: u32> {
    /// Whether the table is written.
    pub enabled: bool,
    /// Length of the interval, seconds; the period must be a multiple of it.
    #[schemars(range(min = 1, max = 31_622_400))]
    pub every_s: u32,
    /// Ids of the zones whose rows are written; empty means the whole city.
    pub zones: Vec<String>,
}

impl<const EVERY_S: u32> Default for ScheduledTable<EVERY_S> {
    fn default() -> Self {
        Self { enabled: true, every_s: EVERY_S, zones: Vec::new() }
    }
}

impl<const EVERY_S: u32> ScheduledTable<EVERY_S> {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What is written of a [`ScheduledTable`]; serde derives nothing for structs with constants.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenSchedule {
    enabled: Option<bool>,
    every_s: Option<u32>,
    zones: Option<Vec<String>>,
}

impl<'de, const EVERY_S: u32> Deserialize<'de> for ScheduledTable<EVERY_S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (written, default) = (WrittenSchedule::deserialize(deserializer)?, Self::default());
        Ok(Self {
            enabled: written.enabled.unwrap_or(default.enabled),
            every_s: written.every_s.unwrap_or(default.every_s),
            zones: written.zones.unwrap_or(default.zones),
        })
    }
}

/// A table with one row per event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ZonedTable {
    /// Whether the table is written.
    pub enabled: bool,
    /// Ids of the zones whose rows are written; empty means the whole city.
    pub zones: Vec<String>,
}

impl ZonedTable {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ZonedTable {
    fn default() -> Self {
        Self { enabled: true, zones: Vec::new() }
    }
}

/// A table that is only written when asked for, with one row per event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AskedTable {
    /// Whether the table is written.
    pub enabled: bool,
    /// Ids of the zones whose rows are written; empty means the whole city.
    pub zones: Vec<String>,
}

/// A table of the whole city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlainTable {
    /// Whether the table is written.
    pub enabled: bool,
}

impl PlainTable {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for PlainTable {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// The schedule of one result table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSchedule<'a> {
    /// Name of the table.
    pub table: &'static str,
    /// Whether it is written.
    pub enabled: bool,
    /// Length of its interval in seconds; `None` for tables without intervals.
    pub every_s: Option<u32>,
    /// Ids of the zones it covers; empty means all.
    pub zones: &'a [String],
}

impl OutputTables {
    /// All schedules, in the order of the fields, disabled tables included.
    #[must_use]
    pub fn schedules(&self) -> Vec<TableSchedule<'_>> {
        fn every<'a, const S: u32>(table: &'static str, t: &'a ScheduledTable<S>) -> TableSchedule<'a> {
            TableSchedule { table, enabled: t.enabled, every_s: Some(t.every_s), zones: &t.zones }
        }
        fn asked<'a>(table: &'static str, t: &'a AskedTable) -> TableSchedule<'a> {
            TableSchedule { table, enabled: t.enabled, every_s: None, zones: &t.zones }
        }
        fn plain(table: &'static str, t: &PlainTable) -> TableSchedule<'static> {
            TableSchedule { table, enabled: t.enabled, every_s: None, zones: &[] }
        }
        fn zoned<'a>(table: &'static str, t: &'a ZonedTable) -> TableSchedule<'a> {
            TableSchedule { table, enabled: t.enabled, every_s: None, zones: &t.zones }
        }
        vec![
            every("link_state", &self.link_state),
            zoned("trips", &self.trips),
            every("presence", &self.presence),
            every("building_load", &self.building_load),
            every("zone_load", &self.zone_load),
            plain("kpis", &self.kpis),
            plain("ledgers", &self.ledgers),
            every("signals", &self.signals),
            plain("gridlock", &self.gridlock),
            asked("crossings", &self.crossings),
            every("activity_presence", &self.activity_presence),
            asked("activities", &self.activities),
            asked("tours", &self.tours),
            asked("legs", &self.legs),
            plain("od", &self.od),
            asked("skims", &self.skims),
            plain("accessibility", &self.accessibility),
            plain("feedback", &self.feedback),
            plain("transit_load", &self.transit_load),
            asked("persons", &self.persons),
            asked("households", &self.households),
            every("parking", &self.parking),
            every("bus_state", &self.bus_state),
            every("branch_state", &self.branch_state),
            every("substation_load", &self.substation_load),
            every("energy_balance", &self.energy_balance),
            plain("outages", &self.outages),
            plain("network_element", &self.network_element),
            every("water_node", &self.water_node),
            every("water_link", &self.water_link),
            every("tank", &self.tank),
            every("gas_node", &self.gas_node),
            every("gas_link", &self.gas_link),
            every("heat_node", &self.heat_node),
            every("heat_link", &self.heat_link),
            every("sewer_node", &self.sewer_node),
            every("service", &self.service),
            every("utility_balance", &self.utility_balance),
            zoned("exposure", &self.exposure),
            plain("events", &self.events),
            plain("payments", &self.payments),
            plain("bills", &self.bills),
            plain("emergency_call", &self.emergency_call),
            plain("evacuation", &self.evacuation),
        ]
    }
    /// The schedule of a table by name.
    #[must_use]
    pub fn schedule(&self, table: &str) -> Option<TableSchedule<'_>> {
        self.schedules().into_iter().find(|schedule| schedule.table == table)
    }
}

/// The JSON Schema (draft 2020-12) of a scenario file, for editors. Because of `base`, a file may leave out what
/// its base says; [`crate::load`] asks for required keys only in the merged whole.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Scenario).to_value()
}
