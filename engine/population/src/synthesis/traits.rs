//! What households and persons have beyond size and age class: age in years, sex, job, school, cars, licences,
//! two-wheelers, income, public transport passes.
//!
//! What the seed says is kept. Numbers that a control gives are met exactly: of the candidates those with the smallest
//! `-ln(u) / weight` are taken (Efraimidis and Spirakis 2006: sampling by weight without replacement), `u` keyed by
//! person. So two scenarios that differ in one share differ in the persons at its edge alone. The rest is drawn by the
//! rates of the country.
//!
//! Cars: by number of adults and number of cars, fitted to what is known (`ipf`), rounded keeping both margins, and
//! handed to households in a keyed order. A person can take a car who has a licence and whose household has a car; with
//! nothing better known, `car_share` says how many adults that are, and more households get a car if too few have one.
//!
//! Ignores that couples resemble each other but for sex. One zone is sequential; draws are keyed by zone and row.

use super::controls::{CarControl, Controls};
use super::defaults::Country;
use super::households::Households;
use super::integerise;
use super::ipf::{self, Margin};
use super::members::{Made, Member, NO_SEED};
use super::purpose;
use super::sample::{Seed, SeedHousehold, SeedPerson};
use super::types::{Types, income_class};
use crate::persons::{Persons, Place, Sex};
use crate::settings::{AGE_CLASSES, PersonKind, PopulationSettings};
use urbis_core::columns::apportion;
use urbis_core::rng::Rng;
use urbis_core::{PersonIx, ZoneIx};

/// Share of adults with a licence in a household with a car, where `car_share` has to be split into cars and licences.
const LICENCE_WITH_CAR: f64 = 0.85;
/// Licences in households without a car, as a share of those of the country.
const LICENCE_WITHOUT_CAR: f64 = 0.5;
/// Relative weight of having a motor two-wheeler by age class.
const TWO_WHEELER_WEIGHT: [f64; 6] = [0.0, 1.5, 1.3, 1.0, 0.4, 0.05];
/// Oldest student of age, years.
const STUDENT_AGE_MAX: u8 = 27;

/// What all zones share.
pub(crate) struct Context<'a> {
    pub(crate) country: &'a Country,
    pub(crate) seed: &'a Seed,
    pub(crate) types: &'a Types,
    pub(crate) controls: &'a Controls,
    pub(crate) settings: &'a PopulationSettings,
    pub(crate) seed_number: u64,
    /// Odds by which households have more cars than those of the country, from `car_share`.
    pub(crate) car_odds: f64,
}

impl Context<'_> {
    /// Whether `car_share` is the best that is known of the cars of a zone.
    pub(crate) fn is_by_car_share(&self, zone: usize) -> bool {
        self.controls.cars[zone] == CarControl::Unknown && !self.has_cars()
    }
    fn has_cars(&self) -> bool {
        self.seed.is_sample && self.seed.knows_cars()
    }
    /// Whether jobs are those of the sample, as nothing else is known.
    pub(crate) fn is_by_sample_jobs(&self, zone: usize) -> bool {
        self.seed.is_sample && self.seed.knows_employed() && !self.controls.employed_is_known[zone]
    }
    fn person(&self, member: &Member) -> SeedPerson {
        let unknown = SeedPerson { age_class: member.age_class, ..SeedPerson::default() };
        if member.seed == NO_SEED { unknown } else { self.seed.persons[member.seed as usize] }
    }
}

/// Odds of cars with which the share of adults of the country who live with a car, times licences, is `car_share`.
pub(crate) fn car_odds(country: &Country, car_share: f64) -> f64 {
    let share = car_share.clamp(0.0, 1.0);
    let wanted = share / (LICENCE_WITH_CAR + (1.0 - LICENCE_WITH_CAR) * share);
    let with = |odds: f64| {
        let (mut adults, mut owners) = (0.0, 0.0);
        for (members, weight) in &country.compositions {
            let count = members.iter().filter(|&&class| class > 0).count();
            adults += weight * count as f64;
            owners += weight * count as f64 * country.cars_above(count, odds)[0];
        }
        if adults > 0.0 { owners / adults } else { 0.0 }
    };
    root(|k| with(k.exp()) < wanted).exp()
}

/// Where a condition that holds for small values ends, between -14 and 14.
fn root(is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (-14.0, 14.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if is_below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// A candidate for something that a known number get: rank of preference, race against the others, row.
type Candidate = (u8, f64, u32);

/// Takes `count` candidates: lower ranks first, then by weight.
fn take(count: u32, mut candidates: Vec<Candidate>) -> Vec<u32> {
    let count = (count as usize).min(candidates.len());
    let order = |a: &Candidate, b: &Candidate| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2));
    if count > 0 && count < candidates.len() {
        candidates.select_nth_unstable_by(count - 1, order);
    }
    candidates.truncate(count);
    candidates.into_iter().map(|(_, _, row)| row).collect()
}

/// Time at which a candidate of a weight arrives.
fn race(uniform: f64, weight: f64) -> f64 {
    -(1.0 - uniform).ln() / weight.max(1e-9)
}

/// Uniform numbers of a person, one for each use.
#[derive(Clone, Copy)]
struct Draws {
    age: f64,
    sex: f64,
    job: f64,
    licence: f64,
    two_wheeler: f64,
    student: f64,
    pass: f64,
}

/// The persons and households of a zone. `homes` are their buildings.
pub(crate) fn draw(context: &Context<'_>, zone: usize, made: &Made, homes: &[u32]) -> (Persons, Households) {
    let count = made.members.len();
    let settings = context.settings;
    let seeds: Vec<SeedPerson> = made.members.iter().map(|member| context.person(member)).collect();
    let draws: Vec<Draws> = (0..count as u32)
        .map(|row| {
            let mut rng = Rng::new(context.seed_number, row, zone as u32, purpose::PERSON);
            let mut next = || rng.uniform();
            Draws {
                age: next(),
                sex: next(),
                job: next(),
                licence: next(),
                two_wheeler: next(),
                student: next(),
                pass: next(),
            }
        })
        .collect();
    let mut persons = Persons {
        kind: vec![PersonKind::Resident; count],
        home: made.members.iter().map(|member| Place(homes[member.household as usize])).collect(),
        household: made.members.iter().map(|member| member.household).collect(),
        age_class: made.members.iter().map(|member| member.age_class).collect(),
        employed: vec![false; count],
        pupil: vec![false; count],
        has_car: vec![false; count],
        has_two_wheeler: vec![false; count],
        workplace: vec![Place::NONE; count],
        age_years: seeds.iter().zip(&draws).map(|(seed, draws)| age_years(seed, draws.age)).collect(),
        sex: Vec::new(),
        household_cars: Vec::new(),
        has_licence: vec![false; count],
        has_transit_pass: Vec::new(),
        is_student: vec![false; count],
        keys: Vec::new(),
        first_key_outside: 0,
    };
    persons.sex = sexes(context.country, made, &seeds, &draws);
    jobs(context, zone, &mut persons, &seeds, &draws);
    school(context, &mut persons, &seeds, &draws);

    let mut households = tabled(context, zone, made, homes);
    let own = |household: usize| context.seed.households[made.households[household] as usize];
    let adults: Vec<u32> = (0..households.len())
        .map(|household| households.members(household).filter(|&row| persons.age_class[row] > 0).count() as u32)
        .collect();
    if !context.has_cars() {
        households.cars = cars(context, zone, &adults);
    }
    licences(context, zone, &mut persons, &mut households, &adults, &seeds, &draws);
    persons.household_cars = persons.household.iter().map(|&household| households.cars[household as usize]).collect();
    for row in 0..count {
        persons.has_car[row] = persons.has_licence[row] && households.cars[persons.household[row] as usize] > 0;
    }
    two_wheelers(context, zone, &mut persons, &mut households, &own, &draws);
    incomes(context, zone, &persons, &mut households, &own);
    persons.has_transit_pass = seeds
        .iter()
        .zip(&draws)
        .map(|(seed, draws)| {
            let share = context.country.ages[usize::from(seed.age_class)].transit_pass;
            seed.transit_pass.unwrap_or(draws.pass < share)
        })
        .collect();
    debug_assert!(settings.sample_factor >= 0.0);
    (persons, households)
}

/// Age within the class: even, falling above 80.
fn age_years(seed: &SeedPerson, uniform: f64) -> u8 {
    let class = usize::from(seed.age_class);
    let from = AGE_CLASSES[class].1;
    seed.age_years.unwrap_or_else(|| match AGE_CLASSES.get(class + 1) {
        Some((_, next)) => from + (uniform * f64::from(next - from)) as u8,
        None => from + (uniform * uniform * 20.0) as u8,
    })
}

/// Sexes by age, the first two adults of a household of different ones where their ages are near.
fn sexes(country: &Country, made: &Made, seeds: &[SeedPerson], draws: &[Draws]) -> Vec<Sex> {
    let mut sexes: Vec<Sex> = Vec::with_capacity(seeds.len());
    for (row, (member, seed)) in made.members.iter().zip(seeds).enumerate() {
        let share = country.ages[usize::from(member.age_class)].female;
        let is_second = |at: usize| at < row && made.members[at].household == member.household;
        let is_partner = row > 0
            && is_second(row - 1)
            && !(row > 1 && is_second(row - 2))
            && member.age_class > 0
            && made.members[row - 1].age_class.abs_diff(member.age_class) <= 1;
        let drawn = if draws[row].sex < share { Sex::Female } else { Sex::Male };
        sexes.push(seed.sex.unwrap_or_else(|| match (is_partner, sexes.last()) {
            (true, Some(Sex::Female)) => Sex::Male,
            (true, Some(Sex::Male)) => Sex::Female,
            _ => drawn,
        }));
    }
    sexes
}

fn jobs(context: &Context<'_>, zone: usize, persons: &mut Persons, seeds: &[SeedPerson], draws: &[Draws]) {
    let by_sample = context.is_by_sample_jobs(zone);
    let mut candidates: Vec<Candidate> = Vec::new();
    for (row, seed) in seeds.iter().enumerate() {
        let is_active = (1..=3).contains(&seed.age_class);
        if by_sample || !is_active {
            let drawn = is_active && draws[row].job < context.settings.employed_share_18_64;
            persons.employed[row] = seed.employed.unwrap_or(drawn) && seed.age_class > 0;
            continue;
        }
        let rank = match seed.employed {
            Some(true) => 0,
            None => 1,
            Some(false) => 2,
        };
        let weight = context.country.ages[usize::from(seed.age_class)].employed;
        let weight = if persons.sex[row] == Sex::Male { weight[1] } else { weight[0] };
        candidates.push((rank, race(draws[row].job, weight), row as u32));
    }
    if !by_sample {
        let taken = take(context.controls.employed[zone], candidates);
        taken.into_iter().for_each(|row| persons.employed[row as usize] = true);
    }
}

/// Pupils: the oldest children, as many as the setting says; students by age and rate among those without a job.
fn school(context: &Context<'_>, persons: &mut Persons, seeds: &[SeedPerson], draws: &[Draws]) {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (row, seed) in seeds.iter().enumerate() {
        if seed.age_class == 0 {
            if let Some(is_pupil) = seed.student {
                persons.pupil[row] = is_pupil;
            } else {
                candidates.push((0, -(f64::from(persons.age_years[row]) + draws[row].student), row as u32));
            }
        } else {
            let share = context.country.ages[usize::from(seed.age_class)].student;
            // The rate holds for the whole class, of which only the younger study and those without a job are asked.
            let share = (share * 1.7 / (1.0 - context.settings.employed_share_18_64).max(0.2)).min(1.0);
            let drawn =
                !persons.employed[row] && persons.age_years[row] <= STUDENT_AGE_MAX && draws[row].student < share;
            persons.is_student[row] = seed.student.unwrap_or(drawn);
        }
    }
    let pupils = (context.settings.pupil_share_0_17.clamp(0.0, 1.0) * candidates.len() as f64).round() as u32;
    take(pupils, candidates).into_iter().for_each(|row| persons.pupil[row as usize] = true);
    for (student, &pupil) in persons.is_student.iter_mut().zip(&persons.pupil) {
        *student |= pupil;
    }
}

/// The households with what the seed says of them.
fn tabled(context: &Context<'_>, zone: usize, made: &Made, homes: &[u32]) -> Households {
    let mut households = Households {
        home: homes.iter().map(|&home| Place(home)).collect(),
        zone: vec![ZoneIx(zone as u32); homes.len()],
        size: vec![0; homes.len()],
        ..Households::default()
    };
    made.members.iter().for_each(|member| households.size[member.household as usize] += 1);
    let mut first = 0;
    for (&size, &row) in households.size.iter().zip(&made.households) {
        households.first_person.push(PersonIx(first));
        first += size;
        let seed: SeedHousehold = context.seed.households[row as usize];
        households.cars.push(seed.cars.unwrap_or_default());
        households.two_wheelers.push(seed.two_wheelers.unwrap_or_default());
        households.income_class.push(1);
        households.income_per_year.push(seed.income.unwrap_or_default());
    }
    households
}

/// Cars of each household by its adults.
fn cars(context: &Context<'_>, zone: usize, adults: &[u32]) -> Vec<u8> {
    let class = |adults: u32| adults.clamp(1, 4) as usize - 1;
    let mut rows = [0_u32; 4];
    adults.iter().for_each(|&adults| rows[class(adults)] += 1);
    let cells = |odds: f64| -> Vec<f64> {
        (0..4)
            .flat_map(|class| {
                let [above_0, above_1, above_2] = context.country.cars_above(class + 1, odds);
                let count = f64::from(rows[class]);
                [1.0 - above_0, above_0 - above_1, above_1 - above_2, above_2].map(|share| count * share)
            })
            .collect()
    };
    let by_column = |cells: &[f64]| -> [f64; 4] {
        let mut sums = [0.0; 4];
        cells.iter().enumerate().for_each(|(cell, value)| sums[cell % 4] += value);
        sums
    };
    let total = adults.len() as u32;
    let (cells, columns) = match context.controls.cars[zone] {
        CarControl::Unknown => {
            let cells = cells(context.car_odds);
            let columns = apportion(total, &by_column(&cells));
            (cells, columns)
        }
        CarControl::Cars(wanted) => {
            let mean = |sums: [f64; 4]| sums[1] + 2.0 * sums[2] + 3.0 * sums[3];
            let odds = root(|k| mean(by_column(&cells(k.exp()))) < wanted).exp();
            let cells = cells(odds);
            let mut columns = apportion(total, &by_column(&cells));
            exact_cars(&mut columns, wanted.round() as i64);
            (cells, columns)
        }
        CarControl::Households(households) => {
            let seed = cells(1.0);
            let rows = rows.map(f64::from);
            let scale = f64::from(total) / households.iter().sum::<f64>().max(1e-12);
            let wanted = households.map(|count| count * scale);
            let margins = [Margin { axes: &[0], totals: &rows }, Margin { axes: &[1], totals: &wanted }];
            let fitted = ipf::fit(&[4, 4], &seed, &margins, 1e-6, 200).map_or(seed, |fit| fit.cells);
            (fitted, apportion(total, &wanted))
        }
    };
    let whole = integerise::table(&cells, &rows, &columns);
    let mut order: [Vec<Candidate>; 4] = Default::default();
    for (household, &adults) in adults.iter().enumerate() {
        let mut rng = Rng::new(context.seed_number, household as u32, zone as u32, purpose::CARS);
        order[class(adults)].push((0, rng.uniform(), household as u32));
    }
    let mut cars = vec![0; adults.len()];
    for (class, mut order) in order.into_iter().enumerate() {
        order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.2.cmp(&b.2)));
        let counts = &whole[4 * class..4 * class + 4];
        let by_place =
            (0..4_u8).rev().flat_map(|number| std::iter::repeat_n(number, counts[usize::from(number)] as usize));
        order.iter().zip(by_place).for_each(|((_, _, household), number)| cars[*household as usize] = number);
    }
    cars
}

/// Moves households by one car up or down until the cars are as many as wanted, as far as that goes.
fn exact_cars(columns: &mut [u32], wanted: i64) {
    let mut off = columns.iter().zip(0..).map(|(&count, cars)| i64::from(count) * cars).sum::<i64>() - wanted;
    while off != 0 {
        let step = if off > 0 {
            (1..4).rev().find(|&from| columns[from] > 0).map(|from| (from, from - 1))
        } else {
            (0..3).find(|&from| columns[from] > 0).map(|from| (from, from + 1))
        };
        let Some((from, to)) = step else { break };
        columns[from] -= 1;
        columns[to] += 1;
        off -= off.signum();
    }
}

#[allow(clippy::too_many_arguments)] // the columns of a zone
fn licences(
    context: &Context<'_>,
    zone: usize,
    persons: &mut Persons,
    households: &mut Households,
    adults: &[u32],
    seeds: &[SeedPerson],
    draws: &[Draws],
) {
    let rate = |seed: &SeedPerson| context.country.ages[usize::from(seed.age_class)].licence;
    let is_adult = |row: usize| persons.age_class[row] > 0;
    if !context.is_by_car_share(zone) {
        let wanted = context.controls.licence[zone];
        let mut candidates: Vec<Candidate> = Vec::new();
        for row in (0..persons.age_class.len()).filter(|&row| is_adult(row)) {
            let (seed, owns) = (&seeds[row], households.cars[persons.household[row] as usize] > 0);
            let weight = rate(seed) * if owns { 1.0 } else { LICENCE_WITHOUT_CAR };
            let rank = match seed.licence {
                Some(true) => 0,
                None => 1,
                Some(false) => 2,
            };
            candidates.push((rank, race(draws[row].licence, weight), row as u32));
            persons.has_licence[row] = seed.licence.unwrap_or(draws[row].licence < weight);
        }
        if let Some(share) = wanted {
            persons.has_licence.fill(false);
            let count = (share.clamp(0.0, 1.0) * candidates.len() as f64).round() as u32;
            take(count, candidates).into_iter().for_each(|row| persons.has_licence[row as usize] = true);
        }
        return;
    }
    let wanted = context.controls.car_access[zone];
    let with_car = |households: &Households| -> u32 {
        adults.iter().zip(&households.cars).filter(|(_, cars)| **cars > 0).map(|(adults, _)| adults).sum()
    };
    let mut able = with_car(households);
    if able < wanted {
        let mut rng = Rng::new(context.seed_number, zone as u32, 1, purpose::CARS);
        let mut order: Vec<(f64, usize)> = (0..households.len())
            .filter(|&household| households.cars[household] == 0 && adults[household] > 0)
            .map(|household| (race(rng.uniform(), f64::from(adults[household])), household))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, household) in order {
            if able >= wanted {
                break;
            }
            households.cars[household] = 1;
            able += adults[household];
        }
    }
    // One driver in each household that has a car, then the others.
    let mut candidates: Vec<Candidate> = Vec::new();
    for household in 0..households.len() {
        let owns = households.cars[household] > 0;
        let mut best: Option<(usize, f64)> = None;
        for row in households.members(household).filter(|&row| is_adult(row)) {
            let key = race(draws[row].licence, rate(&seeds[row]));
            if owns {
                if best.is_none_or(|(_, least)| key < least) {
                    best = Some((candidates.len(), key));
                }
                candidates.push((1, key, row as u32));
            } else {
                persons.has_licence[row] = draws[row].licence < rate(&seeds[row]) * LICENCE_WITHOUT_CAR;
            }
        }
        if let Some((at, _)) = best {
            candidates[at].0 = 0;
        }
    }
    take(wanted, candidates).into_iter().for_each(|row| persons.has_licence[row as usize] = true);
}

fn two_wheelers(
    context: &Context<'_>,
    zone: usize,
    persons: &mut Persons,
    households: &mut Households,
    own: &dyn Fn(usize) -> SeedHousehold,
    draws: &[Draws],
) {
    let candidates = (0..persons.age_class.len())
        .filter(|&row| persons.age_class[row] > 0)
        .map(|row| {
            let known = own(persons.household[row] as usize).two_wheelers;
            let rank = match known {
                Some(1..) => 0,
                None => 1,
                Some(0) => 2,
            };
            let weight = TWO_WHEELER_WEIGHT[usize::from(persons.age_class[row])];
            (rank, race(draws[row].two_wheeler, weight), row as u32)
        })
        .collect();
    for row in take(context.controls.two_wheeler_access[zone], candidates) {
        let (row, household) = (row as usize, persons.household[row as usize] as usize);
        persons.has_two_wheeler[row] = true;
        if own(household).two_wheelers.is_none() {
            households.two_wheelers[household] = households.two_wheelers[household].saturating_add(1);
        }
    }
}

/// Income classes and incomes: those of the sample, or classes by rank of jobs, cars and chance, and log-normal incomes.
fn incomes(
    context: &Context<'_>,
    zone: usize,
    persons: &Persons,
    households: &mut Households,
    own: &dyn Fn(usize) -> SeedHousehold,
) {
    if context.seed.is_sample && context.seed.knows_income() {
        for household in 0..households.len() {
            let income = own(household).income.unwrap_or_default();
            households.income_class[household] = income_class(&context.types.income_bounds, income);
        }
        return;
    }
    let country = context.country;
    let mut order: Vec<(f64, u32, f64)> = (0..households.len())
        .map(|household| {
            let mut rng = Rng::new(context.seed_number, household as u32, zone as u32, purpose::INCOME);
            let workers = households.members(household).filter(|&row| persons.employed[row]).count();
            let rank = 0.7 * workers as f64 + 0.5 * f64::from(households.cars[household].min(2)) + rng.normal();
            (rank, household as u32, rng.uniform())
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let shares = context.controls.incomes[zone].unwrap_or([0.2; 5]);
    let middle = country.income_mean.max(1.0).ln() - 0.5 * country.income_sigma * country.income_sigma;
    let classes = apportion(order.len() as u32, &shares);
    let by_rank = (1..=5_u8).flat_map(|class| std::iter::repeat_n(class, classes[usize::from(class) - 1] as usize));
    for ((_, household, uniform), class) in order.into_iter().zip(by_rank) {
        let quantile = (f64::from(class - 1) + uniform).clamp(0.001, 4.999) / 5.0;
        households.income_class[household as usize] = class;
        let income = (middle + country.income_sigma * normal_quantile(quantile)).exp();
        households.income_per_year[household as usize] = income.round();
    }
}

/// The standard normal quantile by the rational approximation of Abramowitz and Stegun 26.2.23, within 4.5e-4.
fn normal_quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p).max(1e-12);
    let t = (-2.0 * tail.ln()).sqrt();
    let x =
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    if p < 0.5 { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_large_weight_are_taken_more_often_and_the_number_is_exact() {
        let mut taken = [0_i32; 4];
        for draw in 0..2000 {
            let mut rng = Rng::new(1, draw, 0, 9);
            let weights = [1.0, 1.0, 3.0, 0.0];
            let candidates = (0..4).map(|row| (0, race(rng.uniform(), weights[row as usize]), row)).collect();
            let rows = take(2, candidates);
            assert_eq!(rows.len(), 2);
            rows.into_iter().for_each(|row| taken[row as usize] += 1);
        }
        assert!(taken[2] > taken[0] + 400 && taken[0].abs_diff(taken[1]) < 150 && taken[3] == 0, "{taken:?}");
        assert_eq!(take(1, vec![(1, 0.0, 7), (0, 9.0, 8)]), [8]);
        assert!(take(5, vec![(0, 0.0, 7)]).len() == 1 && take(0, vec![(0, 0.0, 7)]).is_empty());
    }

    #[test]
    fn quantiles_and_odds() {
        assert!((normal_quantile(0.975) - 1.96).abs() < 1e-3 && normal_quantile(0.5).abs() < 1e-3);
        assert!((normal_quantile(0.1) + 1.2816).abs() < 1e-3);
        let country = Country::named("generic").unwrap();
        assert!(car_odds(&country, 0.2) < car_odds(&country, 0.6));
        assert!(car_odds(&country, 1.0) > 1e4 && car_odds(&country, 0.0) < 1e-4);
        let mut columns = [10, 10, 5, 1];
        exact_cars(&mut columns, 26);
        assert_eq!(columns.iter().zip(0..).map(|(n, cars)| n * cars).sum::<u32>(), 26);
        assert_eq!(columns.iter().sum::<u32>(), 26);
        let mut none = [5, 0, 0, 0];
        exact_cars(&mut none, 99);
        assert_eq!(none, [0, 0, 0, 5]);
    }
}
