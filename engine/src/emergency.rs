//! Emergency services of a scenario, put into a world.

use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{NodeIx, Result};
use urbis_coupling::emergency::settings::StationSource;
use urbis_coupling::emergency::{Ground, stations};
use urbis_coupling::{Emergency, EmergencyCalls, FireWater};
use urbis_population::{Persons, Places};
use urbis_scenario::Loaded;
use urbis_traffic::{CarNetwork, Router};

/// Stations, units and whoever may call them; nothing but a place for calls where a scenario has no emergency services.
///
/// # Errors
/// Points of interest without any station, and tables of which no stations can be made.
pub(crate) fn install(world: &mut World, loaded: &Loaded, city: &City, seed: u64) -> Result<()> {
    world.init_resource::<EmergencyCalls>();
    world.insert_resource(FireWater::new(seed));
    let settings = &loaded.scenario.emergency;
    let network = world.resource::<CarNetwork>();
    let is_on_road = |node: NodeIx| node != NodeIx::NONE && network.node_of(node).is_some();
    let stations = match (settings.source, &settings.stations) {
        (StationSource::None, _) => return Ok(()),
        (StationSource::File, Some(path)) => stations::read(city, settings, &loaded.resolve(path), &is_on_road)?,
        _ => stations::from_pois(city, settings, &is_on_road)?,
    };
    if stations.kind.is_empty() {
        let what = format!(
            "the city `{}` has no fire station, hospital or police among its points of interest",
            city.manifest.name
        );
        let problem = loaded.problem_at("emergency.source", &what, "no stations");
        return Err(problem
            .with_help("name a table of stations: source = \"file\", stations = \"stations.csv\"")
            .into());
    }
    let ground = Ground { places: world.resource::<Places>(), network, router: world.resource::<Router>() };
    let persons_each = 1.0 / loaded.scenario.population.sample_factor;
    let emergency = Emergency::new(world.resource::<Persons>(), ground, settings, stations, seed, persons_each);
    world.insert_resource(emergency);
    Ok(())
}
