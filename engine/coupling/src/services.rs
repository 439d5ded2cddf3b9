//! Who goes without: persons in buildings that their electricity, water, gas or heat does not reach, who have no mobile site,
//! or are on upper floors where the lift stands, by zone.
//!
//! Counted when a step is solved, with the people who are in buildings at its start. A building is served that gets at
//! least half of what it asks for; who is in a building that is not connected to a network does not count for it. Those present
//! spread evenly over the floors; above [`WALK_UP_FLOORS`] they need a lift, which runs as long as the building has electricity.
//! It ignores where lifts are missing, have batteries, and people who are stuck in them.
//! Contract: integers, so the order of buildings does not matter.

use crate::settings::CouplingSettings;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use urbis_city::model::City;
use urbis_core::{Clock, Domain};
use urbis_population::{People, Places};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::CityGrid;
use urbis_utility::telecom::city::CityTelecom;
use urbis_utility::water::city::CityWater;
use urbis_utility::wiring::Utility;

/// Share of what is asked for from which a building counts as served.
pub const SERVED_SHARE: f64 = 0.5;

/// Floors above ground that are reached by stairs: new buildings whose highest floor lies more than 13 m up must have lifts
/// (German model building code MBO, section 39), which is the sixth.
pub const WALK_UP_FLOORS: f64 = 5.0;

/// Those of so many persons in a building who are above the floors that stairs reach; rounded.
fn on_upper_floors(persons: u32, floors: f64) -> u32 {
    (f64::from(persons) * ((floors - WALK_UP_FLOORS) / floors).max(0.0)).round() as u32
}

/// Simulated persons with and without a utility; columns by zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which utility.
    pub utility: Utility,
    /// Person seconds in buildings that are connected, since the interval of table `service` began.
    pub person_s: Vec<u64>,
    /// Those of them without service.
    pub unserved_s: Vec<u64>,
    /// Persons without service in the step.
    pub now: Vec<u64>,
    /// Person seconds without service since the start, all zones.
    pub total_unserved_s: u64,
    /// Most persons without service in a step.
    pub unserved_max: u64,
}

/// All utilities that the city has networks of.
#[derive(Clone, Debug, Default, Resource)]
pub struct Services {
    /// In order of [`Utility`].
    pub of: Vec<Service>,
}

impl Services {
    fn of(&mut self, utility: Utility, zones: usize) -> &mut Service {
        let at = self.of.iter().position(|of| of.utility == utility).unwrap_or_else(|| {
            self.of.push(Service {
                utility,
                person_s: vec![0; zones],
                unserved_s: vec![0; zones],
                now: vec![0; zones],
                total_unserved_s: 0,
                unserved_max: 0,
            });
            self.of.len() - 1
        });
        &mut self.of[at]
    }
    /// Begins the next interval.
    pub fn begin(&mut self) {
        for of in &mut self.of {
            of.person_s.fill(0);
            of.unserved_s.fill(0);
        }
    }
    /// Counts a step: `served` says of each building whether it is served, or nothing where it is not connected.
    fn count(
        &mut self,
        utility: Utility,
        city: &City,
        present: impl Iterator<Item = u32>,
        seconds: u64,
        served: impl Fn(usize) -> Option<bool>,
    ) {
        let of = self.of(utility, city.zones.len());
        of.now.fill(0);
        let mut unserved = 0;
        for (building, persons) in present.enumerate() {
            let Some(is_served) = served(building) else { continue };
            let (zone, persons) = (city.buildings.zone[building].row(), u64::from(persons));
            of.person_s[zone] += persons * seconds;
            if !is_served {
                of.unserved_s[zone] += persons * seconds;
                of.now[zone] += persons;
                unserved += persons;
            }
        }
        of.total_unserved_s += unserved * seconds;
        of.unserved_max = of.unserved_max.max(unserved);
    }
    /// Counts a step by zone: all persons, and those who are served.
    fn count_zones(&mut self, utility: Utility, persons: &[u64], served: &[u64], seconds: u64) {
        let of = self.of(utility, persons.len());
        let mut unserved = 0;
        for (zone, (&persons, &served)) in persons.iter().zip(served).enumerate() {
            of.person_s[zone] += persons * seconds;
            of.unserved_s[zone] += (persons - served) * seconds;
            of.now[zone] = persons - served;
            unserved += persons - served;
        }
        of.total_unserved_s += unserved * seconds;
        of.unserved_max = of.unserved_max.max(unserved);
    }
}

/// Counts the step that starts now, and lets mobile sites take on whom they can.
#[allow(clippy::too_many_arguments)] // a coupling reads all that serves
pub fn count_service(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    settings: Res<'_, CouplingSettings>,
    grid: Option<Res<'_, CityGrid>>,
    water: Option<Res<'_, CityWater>>,
    gas: Option<Res<'_, CityGas>>,
    heat: Option<Res<'_, CityHeat>>,
    telecom: Option<ResMut<'_, CityTelecom>>,
    mut services: ResMut<'_, Services>,
) {
    if !clock.is_due(Domain::Power) {
        return;
    }
    let seconds = u64::from(clock.step_ticks(Domain::Power));
    let present = &people.present[..places.buildings()];
    let persons = || present.iter().copied();
    let is_enough = |share: f64| share >= SERVED_SHARE;
    if let Some(grid) = &grid {
        services.count(Utility::Electricity, &city, persons(), seconds, |row| Some(grid.is_supplied(row)));
        let above = persons().zip(&city.buildings.floors).map(|(persons, &floors)| on_upper_floors(persons, floors));
        let runs = |row| Some(!settings.power_to_lifts || grid.is_supplied(row));
        services.count(Utility::Lifts, &city, above, seconds, runs);
    }
    if let Some(water) = water {
        services.count(Utility::Water, &city, persons(), seconds, |row| Some(is_enough(water.served_share[row])));
    }
    if let Some(gas) = gas {
        let served = |row: usize| gas.is_connected(row).then(|| is_enough(gas.served_share[row]));
        services.count(Utility::Gas, &city, persons(), seconds, served);
    }
    if let Some(heat) = heat {
        let served = |row: usize| heat.is_connected(row).then(|| is_enough(heat.served_share[row]));
        services.count(Utility::Heat, &city, persons(), seconds, served);
    }
    if let Some(mut telecom) = telecom {
        // A site has the power that its building has.
        let has_power =
            |row: usize| !settings.power_to_telecom || grid.as_ref().is_none_or(|grid| grid.is_supplied(row));
        telecom.step(has_power, present, seconds as u32);
        let of = telecom.telecom();
        services.count_zones(Utility::Telecom, &of.zone_persons, &of.zone_connected, seconds);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_lives_above_the_fifth_floor_needs_a_lift() {
        let of = |persons, floors| super::on_upper_floors(persons, floors);
        assert_eq!([of(100, 1.0), of(100, 5.0), of(100, 8.0), of(100, 10.0), of(3, 6.0)], [0, 0, 38, 50, 1]);
    }
}
