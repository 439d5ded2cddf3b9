//! Park-and-ride: by car to a site, on from there by public transport, and back by the same site to the car.
//!
//! A site is a place and a travel cell of its own, after all others, so that the skims of the networks hold cells x
//! sites and sites x cells as they hold cells x cells; the best site of two cells is the least over the sites, and
//! nothing of size cells x cells x sites is ever made. A tour has one site for both ways: the one of the least
//! generalised time there and back together.
//!
//! Ignored: destinations chosen because a site makes them near (a new site moves modes alone); sites outside the city's
//! roads; spaces that are taken when people choose (who finds none learns it on the spot).
//! Contract: pure functions of their input; of equally good sites the first counts.

use crate::plans::Mode;
use crate::settings::{ModeSettings, PopulationSettings};
use crate::skims::{Skims, Travel};
use bevy_ecs::resource::Resource;
use geo::Point;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use urbis_city::locate::CarNodeLocator;
use urbis_city::model::{City, PoiKind};
use urbis_city::projection::Projection;
use urbis_core::{NodeIx, Problem, Problems, Result, TripIx};

urbis_core::dense_index! {
    /// Row of the sites of park-and-ride.
    SiteIx,
}

/// Farthest that a site may lie from the roads, metres.
const ROAD_REACH_M: f64 = 500.0;

/// Where sites stand in a scenario, for messages.
const KEY: &str = "population.park_and_ride";

/// Car parks at which people change between their car and public transport. Needs timetables (`transit.feeds`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParkAndRideSettings {
    /// The sites.
    pub sites: Vec<SiteSettings>,
    /// Whether the car parks that the city's map marks for it (OpenStreetMap's `park_ride`) are sites too.
    pub from_map: bool,
    /// Spaces of a site of the map, which says nothing of them.
    #[schemars(range(min = 1))]
    pub spaces_of_map: u32,
}

impl Default for ParkAndRideSettings {
    /// The spaces are an assumption.
    fn default() -> Self {
        Self { sites: Vec::new(), from_map: false, spaces_of_map: 100 }
    }
}

impl ParkAndRideSettings {
    /// Whether nothing is said, so that scenarios without it are written as before.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A site in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteSettings {
    /// Name, which tables show.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Latitude, degrees.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub lat: f64,
    /// Longitude, degrees.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub lon: f64,
    /// Spaces; they fill where parking is simulated (`traffic.parking.enabled`).
    #[schemars(range(min = 1))]
    pub capacity: u32,
    /// Money for a stay.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub fee: f64,
}

/// Sites table; key [`SiteIx`]. Those of the scenario in its order, then those of the map. Empty where there is no
/// park-and-ride.
#[derive(Clone, Debug, Default, PartialEq, Resource)]
pub struct Sites {
    /// Name in tables.
    pub id: Vec<String>,
    /// Easting, metres.
    pub x_m: Vec<f64>,
    /// Northing, metres.
    pub y_m: Vec<f64>,
    /// Node of the road network where cars arrive and leave.
    pub car_node: Vec<NodeIx>,
    /// Spaces that the simulated people share.
    pub capacity: Vec<u32>,
    /// Money for a stay.
    pub fee: Vec<f64>,
}

impl Sites {
    /// The sites of a scenario in a city.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every site twice or off the roads, and settings that speak of the mode where
    /// they cannot.
    pub fn new(city: &City, settings: &PopulationSettings) -> Result<Self> {
        let of = &settings.park_and_ride;
        let (mut sites, mut problems) = (Self::default(), Problems::new());
        let place = format!("{KEY}.sites");
        let place = Path::new(&place);
        if !of.sites.is_empty() || of.from_map {
            let projection = Projection::from_code(&city.manifest.crs)
                .map_err(|what| Problem::file(Path::new("manifest.json"), format!("crs: {what}")))?;
            let node_of = CarNodeLocator::new(&city.nodes, &city.links);
            for (row, site) in of.sites.iter().enumerate() {
                if sites.id.contains(&site.name) {
                    problems.push(Problem::value(
                        place,
                        row + 1,
                        None,
                        "name",
                        &site.name,
                        "another name for each site",
                    ));
                }
                if city.zones.id.contains(&site.name) {
                    let expected = "a name that no zone of the city has";
                    problems.push(Problem::value(place, row + 1, None, "name", &site.name, expected));
                }
                let (x_m, y_m) = projection.project(Point::new(site.lon, site.lat));
                let away_m = sites.push(city, &node_of, &site.name, (x_m, y_m), (site.capacity, site.fee), settings);
                if away_m.is_nan() || away_m > ROAD_REACH_M {
                    let at = format!("{}, {}", site.lat, site.lon);
                    let expected = format!("a place within {ROAD_REACH_M} m of a road; the next is {away_m:.0} m away");
                    problems.push(Problem::value(place, row + 1, Some(&site.name), "lat, lon", at, expected));
                }
            }
            let is_one = |row: &usize| of.from_map && city.pois.kind[*row] == PoiKind::ParkAndRide;
            for row in (0..city.pois.len()).filter(is_one) {
                let at = projection.project(city.pois.point[row]);
                sites.push(city, &node_of, &city.pois.id[row], at, (of.spaces_of_map, 0.0), settings);
            }
        }
        let asked = settings.target_mode_shares.get(&Mode::ParkAndRide).is_some_and(|share| *share > 0.0);
        if asked && sites.is_empty() {
            let what = "a share of park_and_ride is asked for, but there is no site, or no timetable (transit.feeds)";
            problems.push(Problem::file(Path::new("population.target_mode_shares"), what));
        }
        if settings.modes.contains_key(&Mode::ParkAndRide) {
            let what = "park_and_ride goes at the speeds of car and transit; its constant is in the tables of the day";
            let help =
                "copy assets/population/day.toml, change [park_and_ride], name the copy as population.day_tables";
            problems.push(Problem::file(Path::new("population.modes"), what).with_help(help));
        }
        for group in settings.external.iter().filter(|group| group.mode_shares.contains_key(&Mode::ParkAndRide)) {
            let what = format!("group `{}`: mode_shares has park_and_ride, which only residents can take", group.name);
            problems.push(Problem::file(Path::new("population.external"), what));
        }
        problems.or_else(sites)
    }

    /// Appends a site; how far the nearest road node is, metres.
    fn push(
        &mut self,
        city: &City,
        node_of: &CarNodeLocator,
        name: &str,
        (x_m, y_m): (f64, f64),
        (capacity, fee): (u32, f64),
        settings: &PopulationSettings,
    ) -> f64 {
        let node = if x_m.is_finite() && y_m.is_finite() { node_of.nearest(x_m, y_m) } else { NodeIx::NONE };
        self.id.push(name.to_owned());
        self.x_m.push(x_m);
        self.y_m.push(y_m);
        self.car_node.push(node);
        self.capacity.push((f64::from(capacity) * settings.sample_factor).round() as u32);
        self.fee.push(fee);
        if !node.is_some() {
            return f64::NAN;
        }
        (city.nodes.x_m[node.row()] - x_m).hypot(city.nodes.y_m[node.row()] - y_m)
    }

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
    /// The modes that people can have here: without sites there is no park-and-ride.
    #[must_use]
    pub fn modes(&self) -> &'static [Mode] {
        if self.is_empty() { &Mode::ALL[..Mode::ParkAndRide as usize] } else { &Mode::ALL }
    }
}

/// What park-and-ride is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The sites.
    pub sites: &'a Sites,
    /// Skims whose last cells are the sites.
    pub skims: &'a Skims,
    /// Settings of all modes, in order of [`Mode::ALL`].
    pub modes: &'a [ModeSettings],
    /// From the car to the stop or back, beside the walk, minutes.
    pub change_min: f64,
    /// Minutes worth a unit of money.
    pub minutes_per_money: f64,
    /// What a driver pays of the tolls: 1 for all of them.
    pub toll_share: f64,
    /// What a passenger pays of the fares: 1 for all of them, 0 with a pass.
    pub fare_share: f64,
}

/// A way by a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// At the wheel.
    pub drive: Travel,
    /// By public transport, with the walks to it and from it.
    pub ride: Travel,
}

impl Offer<'_> {
    fn site_cell(&self, site: SiteIx) -> usize {
        self.skims.cells - self.sites.len() + site.row()
    }

    /// What a way between two cells by a site takes: first at the wheel, or last.
    #[must_use]
    pub fn way(&self, site: SiteIx, period: usize, from: usize, to: usize, drives_first: bool) -> Way {
        let at = self.site_cell(site);
        let (drive, ride) = if drives_first { ((from, at), (at, to)) } else { ((at, to), (from, at)) };
        let travel = |mode: Mode, (from, to): (usize, usize)| {
            self.skims.travel(mode, &self.modes[mode as usize], period, from, to)
        };
        Way { drive: travel(Mode::Car, drive), ride: travel(Mode::Transit, ride) }
    }

    /// Generalised time of a way by a site, minutes: what is felt of both parts and of the change, the constant of the
    /// mode, and the money. Half of the fee counts for each way; what parking costs at the end of other drives does
    /// not. Infinity where there is no way.
    #[must_use]
    pub fn felt_min(&self, site: SiteIx, way: &Way) -> f64 {
        let [car, transit, own] = [Mode::Car, Mode::Transit, Mode::ParkAndRide].map(|mode| &self.modes[mode as usize]);
        let Way { drive, ride } = way;
        let money = drive.money * self.toll_share
            + car.cost_per_km * drive.way_m / 1000.0
            + transit.money(&Travel { money: ride.money * self.fare_share, ..*ride })
            + own.cost
            + self.sites.fee[site.row()] / 2.0;
        let felt_min = drive.felt_min + ride.felt_min + self.change_min + own.constant_min;
        if felt_min.is_finite() { felt_min + money * self.minutes_per_money } else { f64::INFINITY }
    }

    /// The site of the least cost, with it; `None` where all cost infinitely much.
    fn least(&self, cost: impl Fn(SiteIx) -> f64) -> Option<(SiteIx, f64)> {
        let mut best: Option<(SiteIx, f64)> = None;
        for site in (0..self.sites.len() as u32).map(SiteIx) {
            let cost = cost(site);
            if cost < best.map_or(f64::INFINITY, |(_, least)| least) {
                best = Some((site, cost));
            }
        }
        best
    }

    /// The best site of a tour between two cells that leaves and returns at times of day, with its generalised time,
    /// the mean of both ways, minutes.
    #[must_use]
    pub fn best_of_tour(&self, from: usize, to: usize, (out, back): (usize, usize)) -> Option<(SiteIx, f64)> {
        self.least(|site| {
            let there = self.felt_min(site, &self.way(site, out, from, to, true));
            let home = self.felt_min(site, &self.way(site, back, to, from, false));
            (there + home) / 2.0
        })
    }

    /// The best site of a way that begins at the wheel, with what it takes.
    #[must_use]
    pub fn best_of_way(&self, period: usize, from: usize, to: usize) -> Option<(SiteIx, Way)> {
        let way = |site| self.way(site, period, from, to, true);
        self.least(|site| self.felt_min(site, &way(site))).map(|(site, _)| (site, way(site)))
    }
}

/// A planned trip by park-and-ride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParkedTrip {
    /// Which.
    pub trip: TripIx,
    /// Where its person changes.
    pub site: SiteIx,
    /// Whether the car comes first: on the way out; on the way home it comes last.
    pub drives_first: bool,
    /// At the wheel as planned, seconds.
    pub drive_s: f32,
    /// Way at the wheel as planned, metres.
    pub drive_m: f32,
}

/// The planned trips by park-and-ride, by rising trip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParkedTrips {
    /// The trips.
    pub trips: Vec<ParkedTrip>,
    /// From the car to the stop or back, beside the walk, seconds.
    pub change_s: u32,
}

impl ParkedTrips {
    /// The row of a trip; `None` for one by another mode.
    #[inline]
    #[must_use]
    pub fn row(&self, trip: TripIx) -> Option<usize> {
        self.trips.binary_search_by_key(&trip, |parked| parked.trip).ok()
    }
    /// A trip; `None` for one by another mode.
    #[inline]
    #[must_use]
    pub fn of(&self, trip: TripIx) -> Option<&ParkedTrip> {
        self.row(trip).map(|row| &self.trips[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skims::{Matrix, PERIODS, TransitMatrix};
    use std::sync::Arc;
    use urbis_core::rng::Rng;

    /// Skims drawn at random over cells and sites after them; some pairs have no way.
    fn drawn(cells: usize, seed: u64) -> Skims {
        let matrices = |purpose: u32| (0..PERIODS as u32).map(move |period| (purpose, period));
        let column = |rng: &mut Rng, most: f64| -> Vec<f32> {
            (0..cells * cells).map(|_| (most * rng.uniform()) as f32).collect()
        };
        let with_gaps = |rng: &mut Rng, times: Vec<f32>| -> Vec<f32> {
            times.into_iter().map(|time| if rng.chance(0.2) { f32::INFINITY } else { time }).collect()
        };
        let car = matrices(0).map(|(purpose, period)| {
            let rng = &mut Rng::new(seed, 0, period, purpose);
            let (time_s, distance_m, money) = (column(rng, 3000.0), column(rng, 2e4), column(rng, 3.0));
            Arc::new(Matrix { time_s: with_gaps(rng, time_s), distance_m, money })
        });
        let transit = matrices(1).map(|(purpose, period)| {
            let rng = &mut Rng::new(seed, 0, period, purpose);
            let (time_s, out_of_vehicle_s) = (column(rng, 4000.0), column(rng, 900.0));
            let boardings = (0..cells * cells).map(|_| 1.0 + rng.below(3) as f32).collect();
            let distance_m = column(rng, 2e4);
            let fare = column(rng, 5.0);
            let time_s = with_gaps(rng, time_s);
            Arc::new(TransitMatrix {
                time_s,
                out_of_vehicle_s,
                boardings,
                distance_m,
                fare,
                ..TransitMatrix::default()
            })
        });
        Skims { cells, car: car.collect(), transit: transit.collect(), ..Skims::default() }
    }

    #[test]
    fn the_best_site_is_the_least_over_all() {
        let (zones, count) = (12, 7);
        let skims = drawn(zones + count, 5);
        let sites = Sites {
            id: (0..count).map(|site| format!("s{site}")).collect(),
            fee: (0..count).map(|site| 0.4 * site as f64).collect(),
            ..Sites::default()
        };
        let mut modes = PopulationSettings::default().all_modes();
        modes[Mode::Car as usize].cost_per_km = 0.2;
        modes[Mode::Transit as usize].cost = 1.5;
        modes[Mode::ParkAndRide as usize].constant_min = 7.0;
        let offer = Offer {
            sites: &sites,
            skims: &skims,
            modes: &modes,
            change_min: 3.0,
            minutes_per_money: 5.0,
            toll_share: 1.0,
            fare_share: 1.0,
        };
        // Written out from the matrices.
        let by_hand = |site: usize, period: usize, home: usize, away: usize, out: bool| {
            let at = |from: usize, to: usize| from * skims.cells + to;
            let node = zones + site;
            let (drive, ride) = if out { (at(home, node), at(node, away)) } else { (at(node, home), at(away, node)) };
            let (car, transit) = (&skims.car[period], &skims.transit[period]);
            let of = |value: f32| f64::from(value);
            let drive_min = 5.0 + of(car.time_s[drive]) / 60.0;
            let ride_min = (of(transit.time_s[ride])
                + 0.75 * of(transit.out_of_vehicle_s[ride])
                + 360.0 * (of(transit.boardings[ride]) - 1.0))
                / 60.0;
            // Fares are known, so the cost of the settings is not due.
            let money = of(car.money[drive])
                + 0.2 * of(car.distance_m[drive]) / 1000.0
                + of(transit.fare[ride])
                + 0.2 * site as f64;
            drive_min + ride_min + 3.0 + 7.0 + 5.0 * money
        };
        let mut found = 0;
        for (home, away) in (0..zones).flat_map(|home| (0..zones).map(move |away| (home, away))) {
            let all: Vec<f64> = (0..count)
                .map(|site| (by_hand(site, 1, home, away, true) + by_hand(site, 3, home, away, false)) / 2.0)
                .collect();
            let least = all.iter().copied().fold(f64::INFINITY, f64::min);
            match offer.best_of_tour(home, away, (1, 3)) {
                Some((site, felt_min)) => {
                    found += 1;
                    assert!((felt_min - least).abs() < 1e-9 && (all[site.row()] - least).abs() < 1e-9);
                }
                None => assert!(least.is_infinite()),
            }
        }
        assert!(found > zones * zones / 2, "most pairs have a site: {found}");
        // A pass is worth the fare.
        let (site, way) = (0..zones).find_map(|to| offer.best_of_way(1, 0, to)).unwrap();
        let with_pass = Offer { fare_share: 0.0, ..offer }.felt_min(site, &way);
        let saved_min = offer.felt_min(site, &way) - with_pass;
        assert!(way.ride.money > 0.0 && (saved_min - 5.0 * way.ride.money).abs() < 1e-9);
    }

    #[test]
    fn trips_are_found_by_their_number() {
        let trip = |trip| ParkedTrip {
            trip: TripIx(trip),
            site: SiteIx(0),
            drives_first: true,
            drive_s: 60.0,
            drive_m: 500.0,
        };
        let trips = ParkedTrips { trips: vec![trip(3), trip(8)], change_s: 180 };
        assert_eq!((trips.row(TripIx(8)), trips.row(TripIx(4))), (Some(1), None));
        assert_eq!(trips.of(TripIx(3)).unwrap().trip, TripIx(3));
    }
}
