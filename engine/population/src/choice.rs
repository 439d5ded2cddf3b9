//! Where people go and how: destination by attraction and distance, mode by multinomial logit.
//!
//! Destinations: singly-constrained gravity, zone first (attraction times `exp(-distance / decay)`),
//! then a building of the zone in proportion to its attraction (Wilson 1971). Workplaces are drawn with
//! jobs as attraction; column sums are met on average, not exactly.
//!
//! Modes: utility in minutes of travel, `-(time + constant) / SCALE_MIN`, with a Gumbel error drawn
//! once for each person and mode (McFadden 1974): a person keeps the same taste in every scenario.
//!
//! Ignored here: money, congested times, public transport timetables, capacities of destinations.

use crate::persons::{Persons, Place, Places};
use crate::plans::{Mode, Purpose};
use crate::settings::{ModeSettings, PopulationSettings};
use crate::synthesis::jobs::Jobs;
use crate::synthesis::purpose;
use crate::synthesis::residents::cumulative_of;
use urbis_city::model::{BuildingUse, City, PoiKind};
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::columns::cumulative;
use urbis_core::csr::Csr;
use urbis_core::rng::Rng;
use urbis_core::{BuildingIx, PersonIx, ZoneIx};

/// Minutes of travel worth one unit of utility; with the usual value of time this is near published
/// urban mode choice models.
const SCALE_MIN: f64 = 9.0;

/// What one point of interest adds to the attraction of its building, in m2 of retail floor.
const POI_FLOOR_AREA_M2: f64 = 150.0;

/// Attractions that destinations are drawn by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attraction {
    Jobs,
    School,
    Shop,
    Leisure,
}

const ATTRACTIONS: [Attraction; 4] = [Attraction::Jobs, Attraction::School, Attraction::Shop, Attraction::Leisure];

/// Zone and building attractions, ready for drawing.
pub struct Destinations<'a> {
    places: &'a Places,
    buildings: Csr<BuildingIx>,
    /// For each attraction: cumulative weights of the buildings of every zone, in `buildings` order.
    building_cumulative: Vec<Vec<Vec<f64>>>,
    /// For each attraction: for each origin zone the cumulative weights of all zones.
    zone_cumulative: Vec<Vec<Vec<f64>>>,
    /// For each attraction: the cumulative weights of all zones as seen from outside, where all are equally near.
    outside_cumulative: Vec<Vec<f64>>,
    modes: Vec<ModeSettings>,
}

impl<'a> Destinations<'a> {
    /// Attractions of a city. Shape of the zone tables: zones x zones for each attraction.
    #[must_use]
    pub fn new(city: &City, places: &'a Places, jobs: &Jobs, settings: &PopulationSettings) -> Self {
        let zones = city.zones.len();
        let buildings = city.buildings.by_zone(zones);
        let centres = zone_centres(city, &buildings);
        let mut building_cumulative = Vec::new();
        let mut zone_cumulative = Vec::new();
        let mut outside_cumulative = Vec::new();
        for attraction in ATTRACTIONS {
            let weights = building_weights(city, jobs, attraction);
            let by_zone: Vec<Vec<f64>> = (0..zones)
                .map(|zone| {
                    let rows: Vec<usize> = buildings.row(zone).iter().map(|building| building.row()).collect();
                    cumulative_of(&rows, |row| weights[row])
                })
                .collect();
            let totals: Vec<f64> = by_zone.iter().map(|sums| sums.last().copied().unwrap_or(0.0)).collect();
            let decay_m = match attraction {
                Attraction::Jobs => settings.decay_m.work,
                Attraction::School => settings.decay_m.school,
                Attraction::Shop | Attraction::Leisure => settings.decay_m.other,
            };
            let rows: Vec<usize> = (0..zones).collect();
            zone_cumulative.push(
                map_chunks(zones, 16, |range| {
                    range
                        .map(|from| {
                            cumulative_of(&rows, |to| {
                                let (dx, dy) = (centres[from].0 - centres[to].0, centres[from].1 - centres[to].1);
                                totals[to] * (-(dx * dx + dy * dy).sqrt() / decay_m).exp()
                            })
                        })
                        .collect::<Vec<_>>()
                })
                .concat(),
            );
            outside_cumulative.push(cumulative(totals.iter().copied()));
            building_cumulative.push(by_zone);
        }
        let modes = settings.all_modes();
        Self { places, buildings, building_cumulative, zone_cumulative, outside_cumulative, modes }
    }

    /// Gives every employed resident and pupil a workplace or school, or, for `work_outside_share`, none
    /// inside (they are sent outside by [`crate::plans`]).
    pub fn assign_workplaces(&self, persons: &mut Persons, settings: &PopulationSettings, seed: u64) {
        let draws = map_chunks(persons.len(), CHUNK_ROWS, |range| {
            range
                .map(|row| {
                    let mut rng = Rng::new(seed, row as u32, 0, purpose::WORKPLACE);
                    let home_zone = self.places.zone[persons.home[row].row()];
                    if persons.employed[row] {
                        if rng.chance(settings.work_outside_share) && !self.places.external_names.is_empty() {
                            return Place(
                                (self.places.buildings() as u32) + rng.below(self.places.external_names.len() as u32),
                            );
                        }
                        self.draw(Attraction::Jobs, home_zone, &mut rng)
                    } else if persons.pupil[row] {
                        self.draw(Attraction::School, home_zone, &mut rng)
                    } else {
                        Place::NONE
                    }
                })
                .collect::<Vec<_>>()
        });
        for (workplace, drawn) in persons.workplace.iter_mut().zip(draws.into_iter().flatten()) {
            *workplace = drawn;
        }
    }

    /// A building for a purpose, seen from a zone; from outside every zone counts as equally near.
    pub(crate) fn place_for(&self, purpose: Purpose, from: ZoneIx, rng: &mut Rng) -> Place {
        let attraction = match purpose {
            Purpose::Work => Attraction::Jobs,
            Purpose::School => Attraction::School,
            Purpose::Shop | Purpose::Delivery => Attraction::Shop,
            Purpose::Home | Purpose::Leisure | Purpose::Passage => Attraction::Leisure,
        };
        self.draw(attraction, from, rng)
    }

    fn draw(&self, attraction: Attraction, from: ZoneIx, rng: &mut Rng) -> Place {
        let by_zone = &self.building_cumulative[attraction as usize];
        let zones = if from.is_some() {
            &self.zone_cumulative[attraction as usize][from.row()]
        } else {
            &self.outside_cumulative[attraction as usize]
        };
        let zone = rng.pick_cumulative(zones);
        let building = zone.and_then(|zone| Some(self.buildings.row(zone)[rng.pick_cumulative(&by_zone[zone])?]));
        building.map_or(Place::NONE, |building| Place(building.0))
    }

    /// Door-to-door minutes by a mode between two places, free of congestion.
    #[must_use]
    pub fn minutes(&self, mode: Mode, from: Place, to: Place) -> f64 {
        let settings = &self.modes[mode as usize];
        let way_m = self.places.distance_m(from, to) * settings.detour;
        settings.access_min + way_m / (settings.speed_kmh / 3.6) / 60.0
    }

    /// The mode a person takes for a tour from one place to another.
    pub(crate) fn mode(&self, persons: &Persons, person: PersonIx, from: Place, to: Place, seed: u64) -> Mode {
        let row = person.row();
        let mut taste = Rng::new(seed, person.0, 0, purpose::TASTE);
        let is_adult = persons.age_class[row] > 0;
        let mut best = (f64::NEG_INFINITY, Mode::Walk);
        for mode in Mode::ALL {
            // Drawn for every mode, available or not, so that availability never shifts a taste.
            let gumbel = -(-taste.uniform().max(1e-300).ln()).ln();
            let is_available = match mode {
                Mode::Car => persons.has_car[row] && is_adult,
                Mode::TwoWheeler => persons.has_two_wheeler[row] && is_adult,
                Mode::Van => false,
                Mode::CarPassenger | Mode::Transit | Mode::Bicycle | Mode::Walk => true,
            };
            let utility = -(self.minutes(mode, from, to) + self.modes[mode as usize].constant_min) / SCALE_MIN + gumbel;
            if is_available && utility > best.0 {
                best = (utility, mode);
            }
        }
        best.1
    }
}

/// Mean place of the buildings of each zone, metres.
fn zone_centres(city: &City, buildings: &Csr<BuildingIx>) -> Vec<(f64, f64)> {
    (0..city.zones.len())
        .map(|zone| {
            let rows = buildings.row(zone);
            let count = rows.len().max(1) as f64;
            let x: f64 = rows.iter().map(|building| city.buildings.x_m[building.row()]).sum();
            let y: f64 = rows.iter().map(|building| city.buildings.y_m[building.row()]).sum();
            (x / count, y / count)
        })
        .collect()
}

/// Attraction of each building.
fn building_weights(city: &City, jobs: &Jobs, attraction: Attraction) -> Vec<f64> {
    let table = &city.buildings;
    let mut pois = vec![0.0; table.len()];
    for (row, &building) in city.pois.building.iter().enumerate().filter(|(_, building)| building.is_some()) {
        let counts = match (attraction, city.pois.kind[row]) {
            (Attraction::School, PoiKind::School)
            | (Attraction::Shop, PoiKind::Shop)
            | (Attraction::Leisure, PoiKind::Leisure | PoiKind::Hotel) => POI_FLOOR_AREA_M2,
            _ => 0.0,
        };
        pois[building.row()] += counts;
    }
    let weights: Vec<f64> = (0..table.len())
        .map(|row| {
            let area = table.floor_area_m2[row];
            let by_use = match (attraction, table.purpose[row]) {
                (Attraction::Jobs, _) => f64::from(jobs.jobs[row]),
                (Attraction::School, BuildingUse::Education) => area,
                (Attraction::Shop, BuildingUse::Retail) => area,
                (Attraction::Shop, BuildingUse::Health | BuildingUse::Office) => area * 0.05,
                (Attraction::Leisure, BuildingUse::Retail | BuildingUse::Civic | BuildingUse::Hotel) => area * 0.5,
                // Visits to friends and relatives.
                (Attraction::Leisure, BuildingUse::Residential) => area * 0.02,
                _ => 0.0,
            };
            by_use + pois[row]
        })
        .collect();
    if weights.iter().any(|&weight| weight > 0.0) {
        return weights;
    }
    // Nothing of the kind is known: where people work, others are served.
    jobs.jobs.iter().map(|&count| f64::from(count)).collect()
}
