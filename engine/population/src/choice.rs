//! Where people go and how.
//!
//! Work and school: doubly-constrained gravity between cells ([`crate::gravity`]), with the generalised time of all
//! modes as impedance, or the radiation model. Other purposes: destination logit with the attraction of a cell as
//! size term, `ln size - time / decay`; within a cell a building in proportion to its attraction.
//! Modes: nested logit ([`crate::logit`]) over the whole tour, utility in minutes of travel,
//! `-(felt time + constant + money / value of time) / SCALE_MIN`. Park-and-ride ([`crate::park_and_ride`]) is in one
//! nest with public transport, which it is for most of its way, as in models of American cities that have access on
//! foot and by car beneath transit. Where there are no sites, the choice is as if it did not exist.
//!
//! Draws are frozen: each person has one number for each cell and tour, and one for each mode and purpose, keyed by
//! their own row. A cell is chosen by an exponential race (the least `-ln(u_j) / weight_j` wins, which is the logit
//! with frozen Gumbel errors), so a change elsewhere in the city moves only those who gain by it. The error of
//! park-and-ride is drawn given that of public transport, so the errors of all others are the same with and without.
//!
//! Ignored here: capacities of shops and leisure, queues for them.

use crate::cells::Cells;
use crate::gravity::{Balance, doubly_constrained, radiation};
use crate::logit::{ALTERNATIVES_MAX, Nests, Utilities, choose, joining};
use crate::park_and_ride::{Offer, SiteIx, Sites, Way};
use crate::persons::{Persons, Place, Places};
use crate::plans::day_tables::ParkAndRide;
use crate::plans::{Means, Mode, Purpose};
use crate::prices::Stay;
use crate::settings::{ModeSettings, PopulationSettings, WorkplaceModel};
use crate::skims::{PERIOD_DAY, Skims, Travel};
use crate::synthesis::jobs::Jobs;
use crate::synthesis::purpose;
use serde::{Deserialize, Serialize};
use urbis_city::model::{BuildingUse, City, PoiKind};
use urbis_core::PersonIx;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::columns::cumulative;
use urbis_core::rng::Rng;

/// Minutes of travel worth one unit of utility; with the usual value of time this is near published
/// urban mode choice models.
pub const SCALE_MIN: f64 = 9.0;

/// Metres of decay worth a minute of it: the pace of the mean trip in a city, about 18 km/h.
const DECAY_M_PER_MIN: f64 = 300.0;

/// What one point of interest adds to the attraction of its building, in m2 of retail floor.
const POI_FLOOR_AREA_M2: f64 = 150.0;

/// The stay whose price of parking people think of when they choose where to shop or spend their time: 14:00 to 15:30.
const SHORT_STAY_S: (f64, f64) = (50_400.0, 55_800.0);

/// Balancing of work and school places: tolerance of the sums, and most iterations.
const BALANCE: (f64, u32) = (1e-7, 500);

/// Attractions that destinations are drawn by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attraction {
    Jobs,
    School,
    Shop,
    Leisure,
    Health,
    Other,
}

const ATTRACTIONS: [Attraction; 6] = [
    Attraction::Jobs,
    Attraction::School,
    Attraction::Shop,
    Attraction::Leisure,
    Attraction::Health,
    Attraction::Other,
];

/// Attraction of the buildings of each cell, ready for drawing.
pub(crate) struct Pull {
    /// Cumulative weights of the buildings of every cell, in the cells' order.
    pub(crate) buildings: Vec<Vec<f64>>,
    /// Attraction of each cell.
    pub(crate) cells: Vec<f64>,
    /// The same as weights for those to whom all cells are equally near.
    from_outside: Vec<f32>,
}

/// What destinations and modes are chosen by: attractions, skims, tastes.
pub struct Choices<'a> {
    pub(crate) places: &'a Places,
    pub(crate) cells: &'a Cells,
    skims: &'a Skims,
    pub(crate) pulls: Vec<Pull>,
    /// For each attraction but jobs and schools, without and with a car: cells x cells weights.
    weights: Vec<[Vec<f32>; 2]>,
    /// Generalised time between cells for those with a car, minutes.
    impedance_with_car: Vec<f32>,
    modes: Vec<ModeSettings>,
    /// Nests of all modes but park-and-ride: what errors and impedances are made of.
    nests: Nests,
    by_site: Option<BySite<'a>>,
    nest_dissimilarity: f64,
    minutes_per_money: f64,
    pub(crate) seed: u64,
}

/// Park-and-ride as an alternative.
struct BySite<'a> {
    sites: &'a Sites,
    change_min: f64,
    /// Nests of all modes.
    nests: Nests,
}

/// How well the places for work and school are dealt out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkplaceFit {
    /// Iterations of the balancing.
    pub iterations: u32,
    /// Largest relative error of what a cell sends.
    pub row_error: f64,
    /// Largest relative error of what a cell takes.
    pub column_error: f64,
    /// Persons in cells that reach no place.
    pub stranded: f64,
}

impl<'a> Choices<'a> {
    /// Choices in a city under its skims.
    #[must_use]
    pub fn new(
        city: &City,
        places: &'a Places,
        cells: &'a Cells,
        skims: &'a Skims,
        jobs: &Jobs,
        settings: &PopulationSettings,
        seed: u64,
    ) -> Self {
        let pulls: Vec<Pull> = ATTRACTIONS
            .into_iter()
            .map(|attraction| {
                let weights = building_weights(city, jobs, attraction);
                let of_cell =
                    |cell: usize| cumulative(cells.buildings.row(cell).iter().map(|building| weights[building.row()]));
                let buildings: Vec<Vec<f64>> = (0..cells.len()).map(of_cell).collect();
                let cells: Vec<f64> = buildings.iter().map(|sums| sums.last().copied().unwrap_or(0.0)).collect();
                let from_outside = cells.iter().map(|&size| size as f32).collect();
                Pull { buildings, cells, from_outside }
            })
            .collect();
        let mut choices = Self {
            places,
            cells,
            skims,
            pulls,
            weights: Vec::new(),
            impedance_with_car: Vec::new(),
            modes: settings.all_modes(),
            nests: nests(settings.nest_dissimilarity, false),
            by_site: None,
            nest_dissimilarity: settings.nest_dissimilarity,
            minutes_per_money: 60.0 / settings.value_of_time_per_h.max(1e-6),
            seed,
        };
        let decay_min = settings.decay_m.other / DECAY_M_PER_MIN;
        let impedance = [choices.impedance(false), choices.impedance(true)];
        for attraction in &ATTRACTIONS[2..] {
            let sizes = &choices.pulls[*attraction as usize].cells;
            let weights = [0, 1].map(|segment| deterrence(&impedance[segment], decay_min, Some(sizes)));
            choices.weights.push(weights);
        }
        let [_, with_car] = impedance;
        choices.impedance_with_car = with_car;
        choices
    }

    /// The same with park-and-ride among the modes, where there are sites. The skims are those of a city whose last
    /// cells are the sites. Destinations keep the impedance they had.
    #[must_use]
    pub fn with_park_and_ride(mut self, sites: &'a Sites, table: &ParkAndRide) -> Self {
        if !sites.is_empty() && !self.skims.transit.is_empty() {
            let own = &mut self.modes[Mode::ParkAndRide as usize];
            (own.constant_min, own.cost) = (table.constant_min, table.cost);
            let nests = nests(self.nest_dissimilarity, true);
            self.by_site = Some(BySite { sites, change_min: table.change_min, nests });
        }
        self
    }

    /// What park-and-ride is judged by, where there are sites.
    fn offer(&self) -> Option<Offer<'_>> {
        let BySite { sites, change_min, .. } = self.by_site.as_ref()?;
        let (skims, modes) = (self.skims, self.modes.as_slice());
        let (change_min, minutes_per_money) = (*change_min, self.minutes_per_money);
        Some(Offer { sites, skims, modes, change_min, minutes_per_money, toll_share: 1.0, fare_share: 1.0 })
    }

    /// The modes' settings, with constants as fitted.
    #[must_use]
    pub fn modes(&self) -> &[ModeSettings] {
        &self.modes
    }

    /// Takes other constants, minutes, in order of [`Mode::ALL`]. Destinations keep the impedance they had.
    pub fn set_constants(&mut self, constants_min: &[f64]) {
        for (mode, &constant) in self.modes.iter_mut().zip(constants_min) {
            mode.constant_min = constant;
        }
    }

    /// What of a trip counts for the choice, minutes.
    fn minutes_felt(&self, mode: Mode, travel: Travel) -> f64 {
        let settings = &self.modes[mode as usize];
        travel.felt_min + settings.constant_min + settings.money(&travel) * self.minutes_per_money
    }

    /// What a visitor's car costs who parks for [`SHORT_STAY_S`] by day, mean over the buildings of each cell, money;
    /// empty where parking is free.
    fn parking_of_cells(&self) -> Vec<f64> {
        let Some(prices) = self.skims.prices.as_ref().filter(|prices| !prices.parking.is_empty()) else {
            return Vec::new();
        };
        let (from_s, to_s) = SHORT_STAY_S;
        let of_cell = |cell: usize| {
            let buildings = self.cells.buildings.row(cell);
            let stay = |place: u32| Stay { home: Place::NONE, at: Place(place), from_s, to_s };
            let sum: f64 = buildings.iter().map(|building| prices.parking(stay(building.0))).sum();
            sum / buildings.len().max(1) as f64
        };
        (0..self.cells.len()).map(of_cell).collect()
    }

    /// Generalised time of all modes together between every two cells by day, minutes: the logsum without taste.
    /// Infinity where no mode gets there. Shape: cells x cells.
    fn impedance(&self, with_car: bool) -> Vec<f32> {
        let count = self.cells.len();
        let parking = if with_car { self.parking_of_cells() } else { Vec::new() };
        let mean_share = self.skims.prices.as_ref().and_then(|prices| prices.mean_share);
        map_chunks(count, 8, |range| {
            let mut part = Vec::with_capacity(range.len() * count);
            for from in range {
                for to in 0..count {
                    let mut utilities = [f64::NEG_INFINITY; ALTERNATIVES_MAX];
                    for mode in Mode::ALL {
                        let is_for_all =
                            matches!(mode, Mode::CarPassenger | Mode::Transit | Mode::Bicycle | Mode::Walk);
                        if is_for_all || (mode == Mode::Car && with_car) {
                            let mut travel = self.travel(mode, PERIOD_DAY, from, to);
                            if let (Mode::Car | Mode::CarPassenger, Some(share)) = (mode, mean_share) {
                                travel.money *= share;
                            }
                            if mode == Mode::Car && !parking.is_empty() {
                                travel.money += parking[to] / 2.0;
                            }
                            utilities[mode as usize] = -self.minutes_felt(mode, travel) / SCALE_MIN;
                        }
                    }
                    part.push((-SCALE_MIN * self.nests.logsum(&utilities)) as f32);
                }
            }
            part
        })
        .concat()
    }

    /// Gives every employed resident and pupil who has none a workplace or school inside, or an external place for
    /// `work_outside_share` of the workers. Returns how well the places of work, then of school, are dealt out.
    pub fn assign_workplaces(&self, persons: &mut Persons, settings: &PopulationSettings) -> [WorkplaceFit; 2] {
        self.deal_places(persons, settings, |attraction, persons, row, weights| {
            self.draw_first(attraction, weights, persons.key(row))
        })
    }

    /// A place of work or school for somebody who has none.
    pub(crate) fn draw_first(&self, attraction: Attraction, weights: &[f32], key: u32) -> Place {
        self.draw(attraction, weights, &mut Rng::new(self.seed, key, 1, purpose::WORKPLACE))
    }

    /// Gives each worker and pupil the place that `place_of` says: asked for jobs or schools, of the person in a row, with the
    /// weights of all cells as seen from home. The share that works outside does so. Returns how well places of work, then of
    /// school, are dealt out by the model that the weights are of.
    pub(crate) fn deal_places(
        &self,
        persons: &mut Persons,
        settings: &PopulationSettings,
        place_of: impl Fn(Attraction, &Persons, usize, &[f32]) -> Place + Sync,
    ) -> [WorkplaceFit; 2] {
        let outside: Vec<Option<Place>> = map_chunks(persons.len(), CHUNK_ROWS, |range| {
            range.map(|row| self.works_outside(persons, row, settings.work_outside_share)).collect::<Vec<_>>()
        })
        .concat();
        let mut fits = [WorkplaceFit::default(), WorkplaceFit::default()];
        for (kind, attraction) in [Attraction::Jobs, Attraction::School].into_iter().enumerate() {
            let is_one = |row: usize| match attraction {
                Attraction::Jobs => persons.employed[row] && outside[row].is_none(),
                _ => persons.pupil[row] && !persons.employed[row],
            };
            let mut sent = vec![0.0; self.cells.len()];
            for row in (0..persons.len()).filter(|&row| is_one(row)) {
                sent[self.cells.of(persons.home[row])] += 1.0;
            }
            let taken = &self.pulls[attraction as usize].cells;
            let decay_m = if kind == 0 { settings.decay_m.work } else { settings.decay_m.school };
            let (weights, fit) = self.deal(&sent, taken, decay_m, settings.workplaces);
            fits[kind] = fit;
            let seen_from = |row: usize| {
                let from = self.cells.of(persons.home[row]);
                &weights[from * self.cells.len()..(from + 1) * self.cells.len()]
            };
            let drawn = map_chunks(persons.len(), 512, |range| {
                range
                    .map(|row| is_one(row).then(|| place_of(attraction, persons, row, seen_from(row))))
                    .collect::<Vec<_>>()
            });
            for (workplace, drawn) in persons.workplace.iter_mut().zip(drawn.into_iter().flatten()) {
                *workplace = drawn.unwrap_or(*workplace);
            }
        }
        for (workplace, outside) in persons.workplace.iter_mut().zip(outside) {
            *workplace = outside.unwrap_or(*workplace);
        }
        fits
    }

    /// The external place at which somebody works, if they are one of the share that works outside.
    fn works_outside(&self, persons: &Persons, row: usize, share: f64) -> Option<Place> {
        let externals = self.places.external_names.len() as u32;
        if !persons.employed[row] {
            return None;
        }
        let mut rng = Rng::new(self.seed, persons.key(row), 0, purpose::WORKPLACE);
        let chance = rng.chance(share);
        let at = self.places.buildings() as u32 + rng.below(externals.max(1));
        (chance && externals > 0).then_some(Place(at))
    }

    /// Weights of every destination cell as seen from every origin cell.
    fn deal(&self, sent: &[f64], taken: &[f64], decay_m: f64, model: WorkplaceModel) -> (Vec<f32>, WorkplaceFit) {
        let (count, impedance) = (self.cells.len(), &self.impedance_with_car);
        if model == WorkplaceModel::Radiation {
            let rows = map_chunks(count, 8, |range| {
                range
                    .flat_map(|from| radiation(from, taken, &impedance[from * count..(from + 1) * count]))
                    .map(|share| share as f32)
                    .collect::<Vec<f32>>()
            });
            return (rows.concat(), WorkplaceFit::default());
        }
        let f = deterrence(impedance, decay_m / DECAY_M_PER_MIN, None);
        let balance: Balance = doubly_constrained(sent, taken, &f, BALANCE.0, BALANCE.1);
        let stranded = balance.stranded_origins.iter().map(|&cell| sent[cell as usize]).sum();
        let weight = |(at, &f): (usize, &f32)| (f64::from(f) * balance.column_factor[at % count]) as f32;
        let weights = f.iter().enumerate().map(weight).collect();
        let fit = WorkplaceFit {
            iterations: balance.iterations,
            row_error: balance.row_error,
            column_error: balance.column_error,
            stranded,
        };
        (weights, fit)
    }

    /// A building for a purpose, seen from a place; from outside every cell counts as equally near.
    pub(crate) fn place_for(&self, purpose: Purpose, from: Place, has_car: bool, rng: &mut Rng) -> Place {
        let attraction = match purpose {
            Purpose::Work => Attraction::Jobs,
            Purpose::School | Purpose::Escort => Attraction::School,
            Purpose::Shop | Purpose::Delivery => Attraction::Shop,
            Purpose::Health => Attraction::Health,
            Purpose::Other => Attraction::Other,
            Purpose::Home | Purpose::Leisure | Purpose::Passage | Purpose::Shelter => Attraction::Leisure,
        };
        let is_near = from != Place::NONE && self.places.building(from).is_some();
        match (is_near, (attraction as usize).checked_sub(2)) {
            (true, Some(nth)) => {
                let (count, row) = (self.cells.len(), self.cells.of(from));
                let weights = &self.weights[nth][usize::from(has_car)];
                self.draw(attraction, &weights[row * count..(row + 1) * count], rng)
            }
            _ => self.draw(attraction, &self.pulls[attraction as usize].from_outside, rng),
        }
    }

    /// A building by the weights of its cell and its own.
    fn draw(&self, attraction: Attraction, weights: &[f32], rng: &mut Rng) -> Place {
        let Some(cell) = race(weights, rng.next_u64()) else { return Place::NONE };
        let building = rng.pick_cumulative(&self.pulls[attraction as usize].buildings[cell]);
        building.map_or(Place::NONE, |nth| Place(self.cells.buildings.row(cell)[nth].0))
    }

    /// What a mode takes between two cells.
    fn travel(&self, mode: Mode, period: usize, from: usize, to: usize) -> Travel {
        self.skims.travel(mode, &self.modes[mode as usize], period, from, to)
    }

    /// What a mode takes between two places at a time of day. Within a cell the straight line counts.
    #[must_use]
    pub fn between(&self, mode: Mode, period: usize, from: Place, to: Place) -> Travel {
        let settings = &self.modes[mode as usize];
        let (cell, other) = (self.cells.of(from), self.cells.of(to));
        if cell == other {
            let way_m = self.places.distance_m(from, to) * settings.detour;
            let minutes = settings.access_min + way_m / (settings.speed_kmh / 3.6) / 60.0;
            let travel = Travel::free(minutes, way_m);
            return if mode == Mode::Transit { self.skims.with_fare(travel, period, cell, cell) } else { travel };
        }
        self.travel(mode, period, cell, other)
    }

    /// Straight line between two places, metres.
    #[must_use]
    pub(crate) fn straight_m(&self, from: Place, to: Place) -> f64 {
        self.places.distance_m(from, to)
    }

    /// Door-to-door minutes, an hour where there is no way.
    #[must_use]
    pub fn minutes(&self, mode: Mode, period: usize, from: Place, to: Place) -> f64 {
        let minutes = self.between(mode, period, from, to).minutes;
        if minutes.is_finite() { minutes } else { 60.0 }
    }

    /// Door-to-door minutes by the means of a tour from a home, an hour where there is no way.
    #[must_use]
    pub(crate) fn minutes_by(&self, means: Means, period: usize, from: Place, to: Place, home: Place) -> f64 {
        match self.way_by(means, period, from, to, from == home) {
            Some((way, change_min)) => {
                let minutes = way.drive.minutes + way.ride.minutes + change_min;
                if minutes.is_finite() { minutes } else { 60.0 }
            }
            None => self.minutes(means.mode, period, from, to),
        }
    }

    /// The way by the site of park-and-ride, and the minutes that changing takes; `None` for other means.
    pub(crate) fn way_by(
        &self,
        means: Means,
        period: usize,
        from: Place,
        to: Place,
        drives_first: bool,
    ) -> Option<(Way, f64)> {
        let offer = self.offer().filter(|_| means.site.is_some())?;
        let (from, to) = (self.cells.of(from), self.cells.of(to));
        Some((offer.way(means.site, period, from, to, drives_first), offer.change_min))
    }

    /// Utilities of the modes for a tour there and back, for somebody with these vehicles.
    pub(crate) fn utilities(&self, who: Vehicles, tour: Tour) -> Utilities {
        let mut utilities = [f64::NEG_INFINITY; ALTERNATIVES_MAX];
        for mode in Mode::ALL {
            let is_available = match mode {
                Mode::Car => who.car,
                Mode::TwoWheeler => who.two_wheeler,
                // Park-and-ride is judged by its best site.
                Mode::Van | Mode::ParkAndRide => false,
                Mode::CarPassenger => who.ride,
                Mode::Transit | Mode::Bicycle | Mode::Walk => true,
            };
            if is_available {
                let mut ways = [
                    self.between(mode, tour.out, tour.from, tour.to),
                    self.between(mode, tour.back, tour.to, tour.from),
                ];
                if mode == Mode::Car
                    && let Some(prices) = &self.skims.prices
                {
                    ways.iter_mut().for_each(|way| way.money *= prices.share_of(tour.from, who.person));
                    let (from_s, to_s) = (f64::from(tour.stay_s.0), f64::from(tour.stay_s.1));
                    ways[0].money += prices.parking(Stay { home: tour.from, at: tour.to, from_s, to_s });
                }
                if mode == Mode::CarPassenger
                    && let Some(share) = self.skims.prices.as_ref().and_then(|prices| prices.mean_share)
                {
                    // Whose car it is, nobody knows.
                    ways.iter_mut().for_each(|way| way.money *= share);
                }
                if mode == Mode::Transit && who.has_pass {
                    ways.iter_mut().for_each(|way| way.money = 0.0);
                }
                let [there, back] = ways.map(|way| self.minutes_felt(mode, way));
                utilities[mode as usize] = -(there + back) / 2.0 / SCALE_MIN;
            }
        }
        if who.car
            && let Some((_, felt_min)) = self.best_site(who, tour)
        {
            utilities[Mode::ParkAndRide as usize] = -felt_min / SCALE_MIN;
        }
        utilities
    }

    /// The site at which somebody changes on a tour, and the generalised time of a way by it, minutes.
    fn best_site(&self, who: Vehicles, tour: Tour) -> Option<(SiteIx, f64)> {
        let (from, to) = (self.cells.of(tour.from), self.cells.of(tour.to));
        let toll_share = self.skims.prices.as_ref().map_or(1.0, |prices| prices.share_of(tour.from, who.person));
        let fare_share = if who.has_pass { 0.0 } else { 1.0 };
        Offer { toll_share, fare_share, ..self.offer()? }.best_of_tour(from, to, (tour.out, tour.back))
    }

    /// The tastes of a person for the modes on tours of a purpose: the same in every scenario.
    fn tastes(&self, key: u32, purpose: Purpose) -> Utilities {
        let kind = match purpose {
            Purpose::Work => 0,
            Purpose::School | Purpose::Escort => 1,
            _ => 2,
        };
        let mut tastes = self.nests.errors(&mut Rng::new(self.seed, key, kind, purpose::TASTE));
        if let Some(BySite { nests, .. }) = &self.by_site {
            let uniform = Rng::new(self.seed, key, BY_SITE + kind, purpose::TASTE).uniform();
            let (transit, lambda) = (Mode::Transit as usize, nests.dissimilarity(Mode::Transit as usize));
            tastes[Mode::ParkAndRide as usize] = joining(tastes[transit], lambda, uniform);
        }
        tastes
    }

    /// The means that a person takes for a tour; walking where no mode gets there. Nobody takes a child along to a site.
    pub(crate) fn means(
        &self,
        persons: &Persons,
        person: PersonIx,
        purpose: Purpose,
        tour: Tour,
        car_is_there: bool,
    ) -> Means {
        let mut vehicles = Vehicles::of(persons, person, self.seed);
        vehicles.car &= car_is_there;
        let mut utilities = self.utilities(vehicles, tour);
        if purpose == Purpose::Escort {
            utilities[Mode::ParkAndRide as usize] = f64::NEG_INFINITY;
        }
        let best = choose(&utilities, &self.tastes(persons.key(person.row()), purpose));
        let mode = best.map_or(Mode::Walk, |alternative| Mode::ALL[alternative]);
        if mode == Mode::ParkAndRide
            && let Some((site, _)) = self.best_site(vehicles, tour)
        {
            return Means { mode, site };
        }
        mode.into()
    }

    /// Fits the constants of the modes to shares of tours, by the ratio of wanted to modelled shares (Train 2009,
    /// section 2.8). Modes without a target keep their constants. Returns the constants, minutes, and the largest
    /// difference from the targets that is left, in parts.
    #[must_use]
    pub fn fit_constants(
        &self,
        persons: &Persons,
        tours: &[(PersonIx, Tour)],
        targets: &[(Mode, f64)],
    ) -> (Vec<f64>, f64) {
        let mut constants: Vec<f64> = self.modes.iter().map(|mode| mode.constant_min).collect();
        let total: f64 = targets.iter().map(|(_, share)| share).sum();
        if tours.is_empty() || total <= 0.0 {
            return (constants, 0.0);
        }
        // Evenly many of all tours are enough: shares of 30,000 are within a third of a percent point.
        let every = tours.len().div_ceil(FIT_TOURS);
        let tours: Vec<(PersonIx, Tour)> = tours.iter().step_by(every).copied().collect();
        let utilities: Vec<Utilities> = map_chunks(tours.len(), CHUNK_ROWS, |range| {
            range
                .map(|row| self.utilities(Vehicles::of(persons, tours[row].0, self.seed), tours[row].1))
                .collect::<Vec<_>>()
        })
        .concat();
        let nests = self.by_site.as_ref().map_or(&self.nests, |by_site| &by_site.nests);
        let mut worst = f64::INFINITY;
        for _ in 0..FIT_ROUNDS {
            let shares = map_chunks(tours.len(), CHUNK_ROWS, |range| {
                let mut sums = [0.0; ALTERNATIVES_MAX];
                for utilities in &utilities[range] {
                    let mut with = *utilities;
                    for (mode, utility) in with.iter_mut().enumerate().take(Mode::ALL.len()) {
                        *utility -= (constants[mode] - self.modes[mode].constant_min) / SCALE_MIN;
                    }
                    let shares = nests.shares(&with);
                    sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
                }
                sums
            });
            let mut modelled = [0.0; ALTERNATIVES_MAX];
            for part in shares {
                modelled.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            // Targets share what the modes without one leave.
            let of_targets: f64 = targets.iter().map(|(mode, _)| modelled[*mode as usize]).sum();
            worst = 0.0;
            for &(mode, share) in targets {
                let (have, want) = (modelled[mode as usize] / of_targets, share / total);
                worst = f64::max(worst, (have - want).abs());
                if have > 0.0 && want > 0.0 {
                    constants[mode as usize] -= SCALE_MIN * self.nests_lambda() * (want / have).ln();
                }
            }
            if worst < FIT_TOLERANCE {
                break;
            }
        }
        (constants, worst)
    }

    /// Steps of the fit are no longer than what the tightest nest allows.
    fn nests_lambda(&self) -> f64 {
        self.nests.least_dissimilarity()
    }
}

/// The nests: private motor vehicles, walking and cycling, and public transport with park-and-ride where there is any.
fn nests(lambda: f64, has_sites: bool) -> Nests {
    let private = [Mode::Car as usize, Mode::CarPassenger as usize, Mode::TwoWheeler as usize];
    let active = [Mode::Bicycle as usize, Mode::Walk as usize];
    let public = [Mode::Transit as usize, Mode::ParkAndRide as usize];
    let all: [(f64, &[usize]); 3] = [(lambda, &private), (lambda, &active), (lambda, &public)];
    if has_sites { Nests::new(Mode::ALL.len(), &all) } else { Nests::new(Mode::ParkAndRide as usize, &all[..2]) }
}

/// Draws of tastes from here on are of park-and-ride.
const BY_SITE: u32 = 8;

/// Tours that constants are fitted to, at most.
const FIT_TOURS: usize = 30_000;

/// Rounds of the fit of constants, and the difference at which it stops.
const FIT_ROUNDS: u32 = 60;
const FIT_TOLERANCE: f64 = 1e-4;

/// A tour there and back: ends, and times of day of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tour {
    /// Where it starts and ends.
    pub from: Place,
    /// Where it leads.
    pub to: Place,
    /// Time of day of the way there.
    pub out: usize,
    /// Time of day of the way back.
    pub back: usize,
    /// When the stay there begins and ends, seconds of the day.
    pub stay_s: (u32, u32),
}

/// The vehicles somebody can take, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vehicles {
    pub(crate) person: PersonIx,
    pub(crate) car: bool,
    pub(crate) two_wheeler: bool,
    /// Somebody of the household, or for a few somebody else, can give them a ride.
    pub(crate) ride: bool,
    /// Rides public transport without paying fares.
    pub(crate) has_pass: bool,
}

/// Share of people in households without a car who know somebody who drives them; an estimate.
const RIDES_OF_OTHERS: f64 = 0.15;

impl Vehicles {
    pub(crate) fn of(persons: &Persons, person: PersonIx, seed: u64) -> Self {
        let row = person.row();
        let is_adult = persons.age_class[row] > 0;
        let is_driven = Rng::new(seed, persons.key(row), 3, purpose::TASTE).chance(RIDES_OF_OTHERS);
        Self {
            person,
            car: persons.has_car[row] && is_adult,
            two_wheeler: persons.has_two_wheeler[row] && is_adult,
            ride: is_driven || persons.household_cars[row] > 0,
            has_pass: persons.has_transit_pass[row],
        }
    }
}

/// `exp(-impedance / decay)`, times the size of the destination where sizes are given; 0 where there is no way.
fn deterrence(impedance: &[f32], decay_min: f64, sizes: Option<&[f64]>) -> Vec<f32> {
    let weight = |(at, &minutes): (usize, &f32)| {
        let size = sizes.map_or(1.0, |sizes| sizes[at % sizes.len()]);
        let factor = (-f64::from(minutes) / decay_min.max(1e-3)).exp();
        if minutes.is_finite() { (size * factor) as f32 } else { 0.0 }
    };
    map_chunks(impedance.len(), 1 << 15, |range| {
        let start = range.start;
        let part = impedance[range].iter().enumerate();
        part.map(|(nth, minutes)| weight((start + nth, minutes))).collect::<Vec<f32>>()
    })
    .concat()
}

/// The row that wins an exponential race: chosen with a probability in proportion to its weight, by numbers that
/// depend on the key and the row alone. `None` when no weight is positive.
pub(crate) fn race(weights: &[f32], key: u64) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    let mut limit = f64::INFINITY;
    for (row, &weight) in weights.iter().enumerate() {
        let weight = f64::from(weight);
        // SplitMix64's finaliser over a Weyl sequence: one number for each key and row (Steele et al. 2014).
        let mut mixed = key.wrapping_add((row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let uniform = ((mixed >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64);
        // -ln(u) >= 1 - u, which rules most rows out without a logarithm.
        if weight > 0.0 && 1.0 - uniform < limit * weight {
            let time = -uniform.ln() / weight;
            if time < limit {
                limit = time;
                best = Some((row, time));
            }
        }
    }
    best.map(|(row, _)| row)
}

/// Attraction of each building.
fn building_weights(city: &City, jobs: &Jobs, attraction: Attraction) -> Vec<f64> {
    let table = &city.buildings;
    let mut pois = vec![0.0; table.len()];
    for (row, &building) in city.pois.building.iter().enumerate().filter(|(_, building)| building.is_some()) {
        let counts = match (attraction, city.pois.kind[row]) {
            (Attraction::School, PoiKind::School)
            | (Attraction::Shop | Attraction::Other, PoiKind::Shop)
            | (Attraction::Leisure, PoiKind::Leisure | PoiKind::Hotel)
            | (Attraction::Health, PoiKind::Hospital)
            | (Attraction::Other, PoiKind::Office) => POI_FLOOR_AREA_M2,
            _ => 0.0,
        };
        pois[building.row()] += counts;
    }
    let weights: Vec<f64> = (0..table.len())
        .map(|row| {
            let area = table.floor_area_m2[row];
            let by_use = match (attraction, table.purpose[row]) {
                (Attraction::Jobs, _) => f64::from(jobs.jobs[row]),
                (Attraction::School, BuildingUse::Education)
                | (Attraction::Shop, BuildingUse::Retail)
                | (Attraction::Health, BuildingUse::Health) => area,
                (Attraction::Shop, BuildingUse::Health | BuildingUse::Office) => area * 0.05,
                (Attraction::Leisure, BuildingUse::Retail | BuildingUse::Civic | BuildingUse::Hotel)
                | (Attraction::Other, BuildingUse::Civic) => area * 0.5,
                (Attraction::Other, BuildingUse::Retail | BuildingUse::Office) => area * 0.2,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_follow_weights_and_stay_put() {
        let weights = [1.0, 0.0, 3.0, 4.0];
        let mut counts = [0_u32; 4];
        let mut better = weights;
        better[0] = 2.0;
        for person in 0..40_000 {
            let key = Rng::new(1, person, 0, 0).next_u64();
            let row = race(&weights, key).unwrap();
            counts[row] += 1;
            // Whoever moves when one row gains moves to that row.
            let moved = race(&better, key).unwrap();
            assert!(moved == row || moved == 0);
        }
        assert_eq!(counts[1], 0);
        for (count, weight) in counts.iter().zip(weights) {
            assert!((f64::from(*count) / 40_000.0 - f64::from(weight) / 8.0).abs() < 0.012, "{counts:?}");
        }
        assert_eq!(race(&[0.0, -1.0, f32::NAN], 3), None);
        assert_eq!(race(&[], 3), None);
    }
}
