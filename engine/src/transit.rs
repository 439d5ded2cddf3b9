//! The feeds of a scenario as the services of its days.

use crate::{policies, travel_policies};
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{Clock, Error, Problems, Result};
use urbis_coupling::CityTransit;
use urbis_coupling::policy::area::InArea;
use urbis_coupling::transit::{Payment, Terms};
use urbis_population::plans::Mode;
use urbis_scenario::Loaded;
use urbis_traffic::{CarNetwork, Router};
use urbis_transit::report::Defect;
use urbis_transit::settings::FareSource;
use urbis_transit::{Date, feed};

const DAY_S: u32 = 86_400;

/// Reads the feeds; nothing where there are none.
///
/// # Errors
/// Feeds that cannot be used, a date that is none, days without any service, fares in several currencies.
pub(crate) fn install(
    loaded: &Loaded,
    city: &City,
    world: &World,
    clock: &Clock,
    areas: &[InArea],
) -> Result<CityTransit> {
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
    let mut problems = Problems::new();
    let Ok(date) = date else { unreachable!("a date that cannot be read was told above") };
    let given = settings.feeds.iter().map(|path| loaded.resolve(&path.0));
    let paths: Vec<_> = given.chain(travel_policies::new_feeds(loaded)).collect();
    let first_s = clock.local_second_of_day(0);
    let days = (first_s + clock.end()).div_ceil(DAY_S).max(1) as u16;
    let (timetable, report) = feed::read_days(&paths, date, days, &settings.capacities()?).into_result()?;
    let timetable = policies::change_departures(loaded, city, areas, timetable)?;
    let timetable = travel_policies::change_fares(loaded, areas, timetable);
    let population = &loaded.scenario.population;
    let payment = (settings.fares == FareSource::Feed).then(|| Payment {
        seconds_per_money: 3600.0 / population.value_of_time_per_h.max(1e-6),
        setting: population.all_modes()[Mode::Transit as usize].clone(),
    });
    if payment.is_some() && report.count(Defect::CurrencyDiffers) > 0 {
        let help =
            "money of a scenario has one currency: convert the fares, or do without with `transit.fares = \"setting\"`";
        let others = report.into_examples(|defect| defect == Defect::CurrencyDiffers);
        others.for_each(|problem| problems.push(problem.with_help(help)));
        return Err(Error::Input(problems));
    }
    let roads = settings.buses_in_traffic.then(|| world.resource::<Router>());
    Ok(CityTransit::new(
        timetable,
        city,
        world.resource::<CarNetwork>(),
        roads,
        Terms {
            access_m: settings.access_m,
            walks: settings.walk,
            rides_max: settings.rides_max,
            places_share: population.sample_factor,
            start_s: first_s,
            payment,
        },
    ))
}
