//! Parking: cars that arrive look for a space, and who drives them arrives once it is found.
//!
//! Areas are the zones of the city, and after them the sites of park-and-ride with their own spaces, for those alone who
//! change there; who finds a site full looks in the zones nearest to it.
//! Spaces of a zone are the panel's latest `parking_spaces`; without them those of
//! its buildings and points of interest for parking, and so many for each adult with a car who lives there. At first
//! the cars of residents stand where they live, in order of persons, as far as there is room. A car that arrives in a
//! building searches by the occupancy of the moment ([`urbis_traffic::parking`]), in its zone and then in those
//! nearest; the search is part of the trip and holds back its end. It leaves its space when its person drives off.
//! Where nothing is free, and outside the city, cars stand somewhere else and are not followed.
//!
//! A person has one car, which is where they last left it. Ignored: vans, which stop for minutes; households that
//! share a car; searching as traffic; prices. A sample of people shares as many spaces.
//!
//! Contract: arrivals in order of time and trip, one after the other; nothing depends on threads. The ledger of the
//! kernel closes at every tick, and parked cars are those that persons left. Off, nothing is touched.

use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::collections::BTreeMap;
use urbis_city::model::{BuildingUse, City, PoiKind};
use urbis_core::{Clock, Result, Tick, TripIx, ZoneIx};
use urbis_population::plans::Mode;
use urbis_population::{Persons, Places, Plans, Sites, TripStarts};
use urbis_traffic::parking::{Parking, ParkingLedger};
use urbis_traffic::{ParkingSettings, Rejected, TripEnded, TripsEnded};

/// Indicator of the panel with the spaces of a zone.
const INDICATOR: &str = "parking_spaces";
/// Nobody's car stands in an area.
const ELSEWHERE: u32 = u32::MAX;

/// What policies multiply the spaces of each zone by; none: as they are.
#[derive(Clone, Debug, Default, Resource)]
pub struct ParkingSupply(pub Vec<f64>);

/// What happened in an area since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ParkingInterval {
    /// Cars that wanted to park here.
    pub arrivals: u64,
    /// Of these, those that found no space here or nearby.
    pub turned_away: u64,
    /// Time they searched, in all, seconds.
    pub search_s: f64,
}

/// Cars and spaces by area, zones first; empty where parking is not simulated.
#[derive(Clone, Debug, Default, Resource)]
pub struct CityParking {
    areas: Option<Parking>,
    /// Zones; areas from here on are sites.
    zones: u32,
    /// By person: area where their car stands, or [`ELSEWHERE`].
    stands: Vec<u32>,
    /// Trips whose drivers search, by the tick at which they end, then time and trip.
    searching: BTreeMap<(Tick, u32, TripIx), TripEnded>,
    interval: Vec<ParkingInterval>,
}

impl CityParking {
    /// Supply and first cars of a city; nothing where parking is off. `sample_factor` is the share of people simulated.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] for settings out of range.
    pub fn new(
        city: &City,
        settings: &ParkingSettings,
        sample_factor: f64,
        persons: &Persons,
        places: &Places,
        sites: &Sites,
    ) -> Result<Self> {
        Self::with_supply(city, settings, sample_factor, persons, places, sites, &[])
    }
    /// The same, with the spaces of each zone multiplied by a factor; none: as they are.
    ///
    /// # Errors
    /// As [`CityParking::new`].
    pub fn with_supply(
        city: &City,
        settings: &ParkingSettings,
        sample_factor: f64,
        persons: &Persons,
        places: &Places,
        sites: &Sites,
        factors: &[f64],
    ) -> Result<Self> {
        settings.check()?;
        if !settings.enabled {
            return Ok(Self::default());
        }
        let mut spaces = spaces(city, settings, sample_factor, persons, places, sites);
        for (spaces, factor) in spaces.iter_mut().zip(factors) {
            *spaces = (f64::from(*spaces) * factor).round().min(f64::from(u32::MAX / 2)) as u32;
        }
        spaces.extend_from_slice(&sites.capacity);
        let mut occupied = vec![0_u32; spaces.len()];
        let mut stands = vec![ELSEWHERE; persons.len()];
        for (row, home) in persons.home.iter().enumerate().filter(|(row, _)| persons.has_car[*row]) {
            let zone = places.zone[home.row()];
            if zone.is_some() && occupied[zone.row()] < spaces[zone.row()] {
                occupied[zone.row()] += 1;
                stands[row] = zone.0;
            }
        }
        let drives = drives(city, settings, sites);
        let interval = vec![ParkingInterval::default(); spaces.len()];
        let areas = Some(Parking::new(settings.search(), &spaces, &occupied, &drives)?);
        Ok(Self { areas, zones: city.zones.len() as u32, stands, searching: BTreeMap::new(), interval })
    }

    /// Whether parking is simulated.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.areas.is_some()
    }
    /// Persons whose trip lasts because they look for a space.
    #[must_use]
    pub fn searching(&self) -> u64 {
        self.searching.len() as u64
    }
    /// Spaces and cars of each area, from the kernel.
    #[must_use]
    pub fn areas(&self) -> Option<&Parking> {
        self.areas.as_ref()
    }
    /// Cars by what became of them; nothing where parking is off.
    #[must_use]
    pub fn ledger(&self) -> Option<ParkingLedger> {
        self.areas.as_ref().map(Parking::ledger)
    }
    /// Whether the ledger closes and no area holds more cars than spaces.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.areas.as_ref().is_none_or(Parking::is_conserved)
    }
    /// Cars that persons left in an area, counted one by one.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.stands.iter().filter(|&&zone| zone != ELSEWHERE).count() as u64
    }
    /// What happened in each area since the last call.
    pub fn take_interval(&mut self) -> Vec<ParkingInterval> {
        let next = vec![ParkingInterval::default(); self.interval.len()];
        std::mem::replace(&mut self.interval, next)
    }

    /// A person drives off: their space is free.
    pub(crate) fn leave(&mut self, person: usize) {
        let Some(areas) = &mut self.areas else { return };
        let area = std::mem::replace(&mut self.stands[person], ELSEWHERE);
        if area != ELSEWHERE {
            let was_there = areas.depart(area);
            debug_assert!(was_there, "a car that stands somewhere takes a space");
        }
    }

    /// A person wants to park in an area; how long they search, seconds.
    fn park(&mut self, person: usize, area: u32) -> f64 {
        let Some(areas) = &mut self.areas else { return 0.0 };
        let outcome = areas.arrive(area);
        self.stands[person] = outcome.area.unwrap_or(ELSEWHERE);
        let of = &mut self.interval[area as usize];
        of.arrivals += 1;
        of.turned_away += u64::from(outcome.area.is_none());
        of.search_s += outcome.search_s;
        outcome.search_s
    }

    /// The area at the end of a trip by car, or at its start: a zone, or the site at which its person changes; `None`
    /// outside, and for trips without a car.
    fn area(&self, plans: &Plans, places: &Places, trip: TripIx, at_end: bool) -> Option<u32> {
        let row = trip.row();
        match (plans.mode[row], plans.parked.of(trip)) {
            (Mode::ParkAndRide, Some(parked)) if parked.drives_first == at_end => Some(self.zones + parked.site.0),
            (Mode::Car | Mode::ParkAndRide, _) => {
                let at = if at_end { plans.to[row] } else { plans.from[row] };
                Some(places.zone[at.row()]).filter(|zone| zone.is_some()).map(|zone| zone.0)
            }
            _ => None,
        }
    }
}

/// Spaces of each zone; car parks that are sites of park-and-ride are areas of their own.
fn spaces(
    city: &City,
    settings: &ParkingSettings,
    sample_factor: f64,
    persons: &Persons,
    places: &Places,
    sites: &Sites,
) -> Vec<u32> {
    let mut built = vec![0.0; city.zones.len()];
    let mut add = |zone: ZoneIx, spaces: f64| {
        if zone.is_some() {
            built[zone.row()] += spaces;
        }
    };
    for row in (0..city.buildings.len()).filter(|&row| city.buildings.purpose[row] == BuildingUse::Parking) {
        add(city.buildings.zone[row], (city.buildings.floor_area_m2[row] / settings.space_m2).floor());
    }
    let is_car_park = |row: &usize| match city.pois.kind[*row] {
        PoiKind::Parking => true,
        PoiKind::ParkAndRide => !sites.id.contains(&city.pois.id[*row]),
        _ => false,
    };
    for row in (0..city.pois.len()).filter(is_car_park) {
        // A car park that is a building has been counted.
        let inside = city.pois.building[row];
        if !(inside.is_some() && city.buildings.purpose[inside.row()] == BuildingUse::Parking) {
            add(city.pois.zone[row], settings.spaces_per_car_park);
        }
    }
    let built: Vec<f64> = built.into_iter().map(|spaces| spaces * sample_factor).collect();
    // Persons are the sample already.
    let mut owners = vec![0.0; city.zones.len()];
    for (_, home) in persons.home.iter().enumerate().filter(|(row, _)| persons.has_car[*row]) {
        let zone = places.zone[home.row()];
        if zone.is_some() {
            owners[zone.row()] += 1.0;
        }
    }
    (0..city.zones.len())
        .map(|zone| match city.panel_latest(&city.zones.id[zone], INDICATOR) {
            Some(row) => row.value.max(0.0) * sample_factor,
            None => built[zone] + owners[zone] * settings.spaces_per_car_owner,
        })
        .map(|spaces| spaces.round().min(f64::from(u32::MAX / 2)) as u32)
        .collect()
}

/// Drives from each zone and site to the zones nearest, between the middles of their buildings.
fn drives(city: &City, settings: &ParkingSettings, sites: &Sites) -> Vec<(u32, u32, f64)> {
    let mut sums = vec![(0.0, 0.0, 0.0); city.zones.len()];
    for (row, zone) in city.buildings.zone.iter().enumerate().filter(|(_, zone)| zone.is_some()) {
        let sum = &mut sums[zone.row()];
        *sum = (sum.0 + city.buildings.x_m[row], sum.1 + city.buildings.y_m[row], sum.2 + 1.0);
    }
    let middles: Vec<(u32, f64, f64)> = (0..)
        .zip(&sums)
        .filter(|(_, (.., count))| *count > 0.0)
        .map(|(zone, (x, y, count))| (zone, x / count, y / count))
        .collect();
    let mut drives = Vec::new();
    let of_sites = (0..sites.len()).map(|site| ((city.zones.len() + site) as u32, sites.x_m[site], sites.y_m[site]));
    for (from, x, y) in middles.iter().copied().chain(of_sites) {
        let mut near: Vec<(f64, u32)> = middles
            .iter()
            .filter(|&&(to, ..)| to != from)
            .map(|&(to, to_x, to_y)| ((to_x - x).hypot(to_y - y), to))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let nearest = near.into_iter().take(settings.neighbours as usize);
        drives.extend(nearest.map(|(metres, to)| (from, to, metres / (settings.drive_kmh / 3.6))));
    }
    drives
}

/// Frees the spaces of those who drive off at this tick, in order of trip.
pub fn leave_spaces(plans: Res<'_, Plans>, starts: Res<'_, TripStarts>, mut parking: ResMut<'_, CityParking>) {
    if !parking.is_on() {
        return;
    }
    let takes_car = |trip: &TripIx| match plans.mode[trip.row()] {
        Mode::Car => true,
        // On the way home the car waits at the site until its person is there.
        Mode::ParkAndRide => plans.parked.of(*trip).is_some_and(|parked| parked.drives_first),
        _ => false,
    };
    for trip in starts.trips.iter().filter(|trip| takes_car(trip)) {
        parking.leave(plans.person[trip.row()].row());
    }
}

/// Lets those who arrived by car search, holds back the ends of their trips, and lets trips end whose search is over.
/// Whose trip nobody could make goes back to where they were, and so does their car.
pub fn search_spaces(
    clock: Res<'_, Clock>,
    plans: Res<'_, Plans>,
    places: Res<'_, Places>,
    rejected: Res<'_, Rejected>,
    mut ended: ResMut<'_, TripsEnded>,
    mut parking: ResMut<'_, CityParking>,
) {
    if !parking.is_on() {
        return;
    }
    let person = |trip: TripIx| plans.person[trip.row()].row();
    // Their spaces were freed in this tick, and nobody has arrived since.
    for (request, _) in &rejected.trips {
        if let Some(area) = parking.area(&plans, &places, request.trip, false) {
            parking.park(person(request.trip), area);
        }
    }
    let mut arrived = std::mem::take(&mut ended.trips);
    for mut end in arrived.drain(..) {
        if let Some(area) = parking.area(&plans, &places, end.trip, true) {
            let search_ms = (parking.park(person(end.trip), area) * 1000.0).round();
            end.arrive_ms = end.arrive_ms.saturating_add(search_ms as u32);
            end.delay_ms = end.delay_ms.saturating_add(search_ms as u32);
        }
        parking.searching.insert((end.arrive_ms / 1000, end.arrive_ms, end.trip), end);
    }
    // In order of time, then trip, as without parking.
    while let Some(entry) = parking.searching.first_entry()
        && entry.key().0 <= clock.tick()
    {
        arrived.push(entry.remove());
    }
    ended.trips = arrived;
}
