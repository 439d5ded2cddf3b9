//! Settings of the population model, as they stand in a scenario under `[population]`.

use crate::hours::HourShift;
use crate::park_and_ride::ParkAndRideSettings;
use crate::plans::Mode;
use crate::skims::Travel;
use crate::synthesis::SynthesisSettings;
use crate::telework::Telework;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Age classes: name of the panel indicator, and lower bound in years.
pub const AGE_CLASSES: [(&str, u8); 6] = [
    ("age_share_0_17", 0),
    ("age_share_18_34", 18),
    ("age_share_35_49", 35),
    ("age_share_50_64", 50),
    ("age_share_65_79", 65),
    ("age_share_80_plus", 80),
];

/// What brings a person here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// Lives here.
    Resident,
    /// Comes in to work.
    Commuter,
    /// Comes in to school.
    Pupil,
    /// Comes in to shop, eat, see.
    Visitor,
    /// Brings goods.
    Delivery,
    /// Only passes.
    Through,
}

urbis_core::named!(PersonKind {
    Resident = "resident",
    Commuter = "commuter",
    Pupil = "pupil",
    Visitor = "visitor",
    Delivery = "delivery",
    Through = "through",
});

/// People: who they are, how they move, who comes from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PopulationSettings {
    /// Share of all persons that is simulated, over 0 to 1. Road capacities shrink with it and results
    /// are scaled up by its inverse.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_factor: f64,
    /// Where households come from and what they are fitted to.
    pub synthesis: SynthesisSettings,
    /// Mean persons in a household, used where the panel has neither `households` nor `persons_per_household`.
    pub persons_per_household: f64,
    /// Shares of the age classes 0-17, 18-34, 35-49, 50-64, 65-79, 80+, used where the panel has none.
    pub age_shares: [f64; 6],
    /// Share of those aged 18 to 64 who have a job, used where the panel or a sample does not say.
    pub employed_share_18_64: f64,
    /// Share of those aged 0 to 17 who go to school.
    pub pupil_share_0_17: f64,
    /// Share of employed residents who work outside the area (needs external nodes).
    pub work_outside_share: f64,
    /// Share of workers and pupils who go to their place on the simulated day: not on leave, ill or
    /// working from home.
    pub present_share: f64,
    /// Share of adults who can take a car (licence, and a car in the household), used where neither the panel nor a
    /// sample says how many cars households have.
    pub car_share: f64,
    /// Share of adults who can take a motor two-wheeler.
    pub two_wheeler_share: f64,
    /// Jobs for each resident, where the panel has no indicator `jobs`.
    pub jobs_per_resident: f64,
    /// Gross floor area for each job by main use of the building, m2, where it differs from the defaults
    /// (residential 500, office 20, retail 35, hotel 50, industrial 60, education 80, health 40, civic 80,
    /// parking 2000). Jobs are spread in proportion to floor area over this figure.
    pub floor_area_m2_per_job: BTreeMap<String, f64>,
    /// Mean number of tours for shopping, leisure and errands a day, beside work and school.
    pub other_tours: OtherTours,
    /// Share of such tours that leave the area by car (needs external nodes).
    pub other_outside_share: f64,
    /// Share of workers who go somewhere at midday and come back.
    pub midday_trip_share: f64,
    /// Share of workers who stop for shopping or leisure on their way home.
    pub stop_after_work_share: f64,
    /// Distance over which the attraction of a place falls to 1/e, metres.
    pub decay_m: Decay,
    /// Speeds and constants of the modes.
    pub modes: BTreeMap<Mode, ModeSettings>,
    /// What an hour of travel is worth, money for each hour: sets fares and tolls against time.
    pub value_of_time_per_h: f64,
    /// Dissimilarity of modes within a nest, over 0 to 1: private motor vehicles are one nest, walking and cycling
    /// the other. 1 makes the choice a multinomial logit.
    #[schemars(range(min = 0.05, max = 1.0))]
    pub nest_dissimilarity: f64,
    /// Shares of modes that residents' tours within the city should have, percent or parts; the constants of these
    /// modes are fitted to them. Empty: constants stay as they are written.
    pub target_mode_shares: BTreeMap<Mode, f64>,
    /// Tables of the day (TOML), relative to the file in which this is written; the shipped ones where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub day_tables: Option<PathBuf>,
    /// Country (two letters) whose travel surveys the run is shown beside where the city has none of its own; that of
    /// the synthesis where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surveys: Option<String>,
    /// Sites at which people change between car and public transport.
    #[serde(skip_serializing_if = "ParkAndRideSettings::is_default")]
    pub park_and_ride: ParkAndRideSettings,
    /// Where times and ways come from.
    pub ways: Ways,
    /// About how many cells the city is split into; times and ways between places are those between their cells.
    #[schemars(range(min = 1, max = 5000))]
    pub cells: usize,
    /// How work and school places are dealt out.
    pub workplaces: WorkplaceModel,
    /// Days run before the one that counts.
    pub feedback: Feedback,
    /// Policies that keep people at home; not written here, but in `[[policy]]`.
    #[serde(skip)]
    pub telework: Vec<Telework>,
    /// Policies that shift the hours of work and school; not written here, but in `[[policy]]`.
    #[serde(skip)]
    pub hours: Vec<HourShift>,
    /// Groups of people who come from outside.
    pub external: Vec<ExternalGroup>,
    /// Vehicles a day that cross the border in both directions, which the groups with
    /// `fills_border_count` fill up to. Empty: taken as their own counts.
    pub border_crossings_per_day: Option<f64>,
}

/// Mean number of other tours a day, by what else the person does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OtherTours {
    /// People who went to work.
    pub worker: f64,
    /// Pupils.
    pub pupil: f64,
    /// Everybody else.
    pub other: f64,
}

impl Default for OtherTours {
    fn default() -> Self {
        Self { worker: 0.35, pupil: 0.4, other: 1.3 }
    }
}

/// Decay distances by purpose, metres.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Decay {
    /// To work.
    pub work: f64,
    /// To school.
    pub school: f64,
    /// Shopping, leisure, errands.
    pub other: f64,
}

impl Default for Decay {
    fn default() -> Self {
        Self { work: 6000.0, school: 1500.0, other: 2500.0 }
    }
}

/// One mode of travel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeSettings {
    /// Door-to-door speed along the way, km/h. For cars it only serves the choice; on the road, traffic
    /// decides.
    pub speed_kmh: f64,
    /// Way divided by straight line.
    pub detour: f64,
    /// Time to get to, wait for and park the vehicle, minutes.
    pub access_min: f64,
    /// Constant of the choice, in minutes of travel: negative makes the mode more attractive.
    pub constant_min: f64,
    /// Money for each trip: a ticket, half a day's parking.
    #[serde(default)]
    pub cost: f64,
    /// Money for each kilometre: fuel, wear.
    #[serde(default)]
    pub cost_per_km: f64,
}

impl ModeSettings {
    /// A mode that costs no money.
    #[must_use]
    pub const fn new(speed_kmh: f64, detour: f64, access_min: f64, constant_min: f64) -> Self {
        Self { speed_kmh, detour, access_min, constant_min, cost: 0.0, cost_per_km: 0.0 }
    }

    /// What a trip costs, money: tolls and fares on the way, the cost of each trip, and that of its length; fares that
    /// are known take the place of the latter two.
    #[must_use]
    pub fn money(&self, travel: &Travel) -> f64 {
        travel.money + travel.setting_share * (self.cost + self.cost_per_km * travel.way_m / 1000.0)
    }
}

/// Where times and ways of trips come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ways {
    /// The networks of the city: roads, paths with their slopes, timetables.
    #[default]
    Network,
    /// The straight line times `detour` at `speed_kmh`, for every mode.
    Straight,
}

/// How work and school places are dealt out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkplaceModel {
    /// Doubly-constrained gravity: every place takes its share of workers and pupils.
    #[default]
    Gravity,
    /// Radiation: the best of the opportunities that lie nearer; no decay to calibrate.
    Radiation,
}

/// Runs of the day before the one that counts, in which people learn how long trips take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Feedback {
    /// Largest number of days that are run before; 0 plans with empty roads.
    #[schemars(range(min = 0, max = 100))]
    pub iterations: u32,
    /// Largest number of days that are run before these without any policy. People make their plans with what they
    /// learned in them, rather than for empty roads; the runs of a study share them.
    #[schemars(range(min = 0, max = 100))]
    pub warm_up: u32,
    /// Share of people who think their day over after each.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub replan_share: f64,
    /// Stop once car times between cells change by no more than this share, weighted by trips.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub tolerance: f64,
}

impl Default for Feedback {
    fn default() -> Self {
        Self { iterations: 0, warm_up: 0, replan_share: 0.4, tolerance: 0.02 }
    }
}

impl Feedback {
    /// The days before those with policies.
    #[must_use]
    pub fn warming_up(&self) -> Self {
        Self { iterations: self.warm_up, warm_up: 0, ..self.clone() }
    }
}

/// A group of people from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalGroup {
    /// Name for people.
    pub name: String,
    /// What brings them.
    pub kind: PersonKind,
    /// How many come on the day.
    #[serde(default)]
    pub persons_per_day: f64,
    /// Size the group so that the border count is met; `persons_per_day` is then ignored.
    #[serde(default)]
    pub fills_border_count: bool,
    /// Share of the border count still missing that this group takes; groups fill in order.
    #[serde(default = "one")]
    pub fill_share: f64,
    /// Shares of modes on the way in; they are normalised.
    pub mode_shares: BTreeMap<Mode, f64>,
    /// Shares of the external nodes they come through; normalised.
    pub gateway_shares: BTreeMap<String, f64>,
    /// When they arrive.
    pub arrivals: Vec<Wave>,
    /// Mean stay, hours.
    #[serde(default)]
    pub stay_h: f64,
    /// Standard deviation of the stay, hours.
    #[serde(default)]
    pub stay_sd_h: f64,
    /// Mean number of places visited during the stay, at least one.
    #[serde(default = "one")]
    pub stops: f64,
}

fn one() -> f64 {
    1.0
}

/// A wave of arrivals: normal in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// Share of the group; normalised.
    pub share: f64,
    /// Local hour of its middle.
    pub at_h: f64,
    /// Standard deviation, hours.
    pub sd_h: f64,
}

impl Default for PopulationSettings {
    fn default() -> Self {
        // Speeds and access times are common planning values; constants are calibrated by scenario.
        let mode = ModeSettings::new;
        Self {
            sample_factor: 1.0,
            synthesis: SynthesisSettings::default(),
            persons_per_household: 2.5,
            age_shares: [0.22, 0.24, 0.21, 0.18, 0.11, 0.04],
            employed_share_18_64: 0.70,
            pupil_share_0_17: 0.85,
            work_outside_share: 0.0,
            present_share: 0.85,
            car_share: 0.5,
            two_wheeler_share: 0.0,
            jobs_per_resident: 0.42,
            floor_area_m2_per_job: BTreeMap::new(),
            other_tours: OtherTours::default(),
            other_outside_share: 0.0,
            midday_trip_share: 0.15,
            stop_after_work_share: 0.2,
            decay_m: Decay::default(),
            modes: BTreeMap::from([
                (Mode::Car, mode(24.0, 1.35, 5.0, 4.0)),
                (Mode::CarPassenger, mode(24.0, 1.35, 5.0, 16.0)),
                (Mode::Van, mode(24.0, 1.35, 2.0, 0.0)),
                (Mode::TwoWheeler, mode(26.0, 1.3, 2.0, 4.0)),
                (Mode::Transit, mode(17.0, 1.4, 11.0, 6.0)),
                (Mode::Bicycle, mode(13.0, 1.3, 2.0, 16.0)),
                (Mode::Walk, mode(4.7, 1.25, 0.0, 0.0)),
            ]),
            value_of_time_per_h: 12.0,
            nest_dissimilarity: 0.8,
            target_mode_shares: BTreeMap::new(),
            day_tables: None,
            surveys: None,
            park_and_ride: ParkAndRideSettings::default(),
            ways: Ways::default(),
            cells: 600,
            workplaces: WorkplaceModel::default(),
            feedback: Feedback::default(),
            telework: Vec::new(),
            hours: Vec::new(),
            external: Vec::new(),
            border_crossings_per_day: None,
        }
    }
}

impl PopulationSettings {
    /// The settings of every mode, in order of [`Mode::ALL`]; modes a scenario leaves out keep their default.
    #[must_use]
    pub fn all_modes(&self) -> Vec<ModeSettings> {
        let defaults = Self::default().modes;
        // Park-and-ride moves as car and public transport do; the tables of the day have its constant.
        let by_site = ModeSettings::new(24.0, 1.35, 0.0, 0.0);
        let of = |mode: &Mode| self.modes.get(mode).or(defaults.get(mode)).unwrap_or(&by_site).clone();
        Mode::ALL.iter().map(of).collect()
    }
}
