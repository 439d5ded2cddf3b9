//! What a run stands on before its policies: travel on empty roads, where people work and what they think of the modes,
//! and, where a scenario asks for it, how long trips take in days without policies.
//!
//! All of it is found in a city to which no policy has been put, so scenarios that differ in their policies alone stand on
//! the same: people keep their workplaces and tastes, and effects are those of the policies. That is also why it can be
//! made once for all runs of a study; see [`Kept`].
//!
//! | piece | depends on | made by |
//! | --- | --- | --- |
//! | `skims` | city, settings but policies, power and output | `Knowledge::measure` |
//! | `long-term` | these and the seed | [`LongTerm::settle`] |
//! | `times` | these and the seed | days lived without policies, [`Simulation::learn`] |

use crate::Simulation;
use crate::kept::Kept;
use crate::learning::{Knowledge, Round};
use crate::run::hash_with_files;
use crate::simulation::{Networks, settings_of};
use bevy_ecs::world::World;
use std::cell::OnceCell;
use std::path::PathBuf;
use urbis_city::model::City;
use urbis_core::Result;
use urbis_coupling::{EmergencySettings, RepairSettings};
use urbis_population::plans::day_tables::DayTables;
use urbis_population::{LongTerm, PopulationSettings, Skims};
use urbis_scenario::Loaded;
use urbis_utility::gas::city::GasSettings;
use urbis_utility::heat::city::CityHeatSettings;
use urbis_utility::sewer::city_sewer::SewerSettings;
use urbis_utility::telecom::city::CityTelecomSettings;
use urbis_utility::water::city::WaterSettings;
use urbis_utility::{PowerSettings, WeatherSettings};

/// Keys of a scenario that groundwork does not depend on: who it is, where its city lies (whose own hash counts), and
/// what comes after.
const LEFT_OUT: [&str; 17] = [
    "name",
    "title",
    "description",
    "seed",
    "city",
    "policy",
    "event",
    "repair",
    "power",
    "water",
    "gas",
    "heat",
    "sewer",
    "telecom",
    "emergency",
    "weather",
    "output",
];

/// What a run stands on.
#[derive(Debug)]
pub struct Groundwork {
    /// Travel on empty roads.
    pub(crate) skims: Skims,
    /// Where people work and what they think of the modes.
    pub(crate) long_term: LongTerm,
    /// Times of links by time of day that people have learned, milliseconds; empty where nobody has learned anything.
    pub(crate) times_ms: Vec<Vec<f64>>,
    /// People and networks without policies, where something was measured in them.
    pub(crate) world: Option<World>,
}

impl Groundwork {
    /// Takes over what is kept and makes the rest. `report` hears of each day that is lived for it.
    ///
    /// # Errors
    /// When the scenario does not fit the city, a broken ledger, or `is_stopped`.
    pub fn lay(
        loaded: &Loaded,
        city: &City,
        seed: u64,
        kept: &Kept,
        report: &mut dyn FnMut(&Round),
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let plain = without_policies(loaded);
        let settings = settings_of(&plain).0;
        let key = key(&plain, city);
        let key_of_seed = urbis_core::hash::sha256_hex(format!("{key} {seed}").as_bytes());
        let base = Base { loaded: &plain, city, seed, settings: &settings, world: OnceCell::new() };
        let skims = kept.or_make("skims", &key, || {
            let knowledge = Knowledge::new(city, &settings, &plain.scenario.traffic);
            Ok(knowledge.measure(base.world()?))
        })?;
        let long_term = kept.or_make("long-term", &key_of_seed, || {
            let (tables, clock) = (day_tables(&settings)?, plain.timing()?.clock());
            LongTerm::settle(base.world()?, city, &settings, &tables, &skims, seed, &clock)
        })?;
        let mut this = Self { skims, long_term, times_ms: Vec::new(), world: base.world.into_inner() };
        let feedback = &settings.feedback;
        if feedback.warm_up > 0 {
            this.times_ms = kept.or_make("times", &key_of_seed, || {
                let (skims, long_term) = (this.skims.clone(), this.long_term.clone());
                let empty_roads = Self { skims, long_term, times_ms: Vec::new(), world: this.world.take() };
                let mut simulation = Simulation::planned(empty_roads, &plain, city.clone(), seed)?;
                simulation.learn(&feedback.warming_up(), report, is_stopped)?;
                Ok(simulation.into_times())
            })?;
        }
        Ok(this)
    }
}

/// The tables of the day that settings name.
pub(crate) fn day_tables(settings: &PopulationSettings) -> Result<DayTables> {
    settings.day_tables.as_deref().map_or_else(DayTables::shipped, DayTables::read)
}

/// A scenario before anybody has decided anything, and nothing happens.
fn without_policies(loaded: &Loaded) -> Loaded {
    let mut plain = loaded.clone();
    plain.scenario.policy.clear();
    plain.scenario.event.clear();
    plain.scenario.repair = RepairSettings::default();
    plain
}

/// Hash of everything that groundwork depends on but the seed. Scenarios in different folders may name the same files.
fn key(loaded: &Loaded, city: &City) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let absolute = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let mut scenario = loaded.scenario.clone();
    scenario.population = loaded.population();
    let synthesis = &mut scenario.population.synthesis;
    let tables = [&mut scenario.population.day_tables, &mut synthesis.seed_households, &mut synthesis.seed_persons];
    tables.into_iter().flatten().for_each(|path| *path = absolute(std::mem::take(path)));
    scenario.transit.feeds.iter_mut().for_each(|feed| feed.0 = absolute(loaded.resolve(&feed.0)));
    let mut without = loaded.clone();
    without.scenario.weather = WeatherSettings::default();
    without.scenario.power = PowerSettings::default();
    (without.scenario.water, without.scenario.gas) = (WaterSettings::default(), GasSettings::default());
    (without.scenario.heat, without.scenario.sewer) = (CityHeatSettings::default(), SewerSettings::default());
    without.scenario.telecom = CityTelecomSettings::default();
    without.scenario.emergency = EmergencySettings::default();
    let settings = hash_with_files(&without, scenario.hash_without(&LEFT_OUT));
    urbis_core::hash::sha256_hex(format!("{version} {settings} {}", city.manifest.content_hash).as_bytes())
}

/// People and networks of a city without policies, made when something has to be measured in them.
struct Base<'a> {
    loaded: &'a Loaded,
    city: &'a City,
    seed: u64,
    settings: &'a PopulationSettings,
    world: OnceCell<World>,
}

impl Base<'_> {
    fn world(&self) -> Result<&World> {
        if self.world.get().is_none() {
            let Self { loaded, city, seed, settings, .. } = *self;
            let clock = loaded.timing()?.clock();
            let world = Networks { loaded, settings, clock: &clock, areas: &[], lost_lanes: &[] }.world(city, seed)?;
            return Ok(self.world.get_or_init(|| world));
        }
        let Some(world) = self.world.get() else { unreachable!("it was looked for above") };
        Ok(world)
    }
}
