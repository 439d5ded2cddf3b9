//! The feeds of a scenario as the services of its days.

use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{Clock, Problems, Result};
use urbis_coupling::CityTransit;
use urbis_scenario::Loaded;
use urbis_traffic::{CarNetwork, Router};
use urbis_transit::{Date, feed};

const DAY_S: u32 = 86_400;

/// Reads the feeds; nothing where there are none.
///
/// # Errors
/// Feeds that cannot be used, a date that is none, days without any service.
pub(crate) fn install(loaded: &Loaded, city: &City, world: &World, clock: &Clock) -> Result<CityTransit> {
    let settings = &loaded.scenario.transit;
    if settings.feeds.is_empty() {
        return Ok(CityTransit::default());
    }
    let mut problems = Problems::new();
    let written = settings.date.as_deref().unwrap_or(&loaded.scenario.period.start);
    let day = written.get(..10).unwrap_or(written);
    let date = day.parse::<Date>();
    if date.is_err() {
        let message = format!("`{written}` is no date, expected one such as 2024-06-11");
        problems.push(loaded.problem_at("transit.date", &message, "not a date"));
    }
    problems.or_else(())?;
    let Ok(date) = date else { unreachable!("a date that cannot be read was told above") };
    let paths: Vec<_> = settings.feeds.iter().map(|path| loaded.resolve(&path.0)).collect();
    let first_s = clock.local_second_of_day(0);
    let days = (first_s + clock.end()).div_ceil(DAY_S).max(1) as u16;
    let (timetable, _) = feed::read_days(&paths, date, days, &settings.capacities()?).into_result()?;
    let roads = settings.buses_in_traffic.then(|| world.resource::<Router>());
    Ok(CityTransit::new(
        timetable,
        city,
        world.resource::<CarNetwork>(),
        roads,
        (settings.access_m, settings.walk, settings.rides_max),
        loaded.scenario.population.sample_factor,
        first_s,
    ))
}
