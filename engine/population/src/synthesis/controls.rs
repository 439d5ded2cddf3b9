//! Controls: what the synthetic population of each zone has to add up to.
//!
//! Figures come from the panel, most local first: the zone's; what known zones leave of the city's; the setting or the
//! default of the country. Indicators: `residents`, `residents_share`; `households`, `persons_per_household`; the six
//! `age_share_*`; `household_size_share_1` to `_5` and `_6_plus` (or `_1` to `_4` and `_5_plus`); `cars`,
//! `cars_per_household`, or `household_cars_share_0` to `_2` and `_3_plus`; `employed` or `employed_share_18_64`;
//! `income_class_share_1` to `_5`; `licence_share`. Shares are in percent.
//!
//! Figures that disagree are reconciled in favour of the more local one, residents before households, households before
//! sizes; each time a warning names both. Sizes are tilted (`share * exp(k size)`) until households times mean size are the
//! residents: of all such distributions the nearest one.
//!
//! Contract: pure, single-threaded, deterministic.

use super::defaults::Country;
use super::residents::residents_by_zone;
use crate::settings::{AGE_CLASSES, PopulationSettings};
use std::collections::BTreeMap;
use urbis_city::model::{City, PanelRow};
use urbis_core::columns::apportion;

/// Relative difference of two figures for one thing beyond which a warning names both.
const DIFFERENCE: f64 = 0.01;
/// Percentage points by which shares may miss 100 (published figures are rounded).
const ROUNDING_PERCENT: f64 = 0.5;

/// Indicators of the shares of households by size.
pub const SIZES: [&str; 6] = [
    "household_size_share_1",
    "household_size_share_2",
    "household_size_share_3",
    "household_size_share_4",
    "household_size_share_5",
    "household_size_share_6_plus",
];
/// Indicator that stands for the last two of [`SIZES`].
pub const SIZE_5_PLUS: &str = "household_size_share_5_plus";
/// Indicators of the shares of households by number of cars.
pub const CARS: [&str; 4] =
    ["household_cars_share_0", "household_cars_share_1", "household_cars_share_2", "household_cars_share_3_plus"];
/// Indicators of the shares of households by income class, lowest first.
pub const INCOMES: [&str; 5] = [
    "income_class_share_1",
    "income_class_share_2",
    "income_class_share_3",
    "income_class_share_4",
    "income_class_share_5",
];

/// What is known of the cars of a zone's households.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CarControl {
    /// Nothing: `car_share` says how many adults can take one.
    #[default]
    Unknown,
    /// Cars.
    Cars(f64),
    /// Households with 0, 1, 2, 3 or more cars.
    Households([f64; 4]),
}

/// Controls of all zones, scaled by the share of persons that is simulated. Columns by zone.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// Residents.
    pub persons: Vec<u32>,
    /// Residents by age class; adds up to `persons`.
    pub by_age: Vec<[u32; 6]>,
    /// Households.
    pub households: Vec<u32>,
    /// Households by size, where known.
    pub sizes: Vec<Option<[f64; 6]>>,
    /// Cars.
    pub cars: Vec<CarControl>,
    /// Residents of 18 to 64 with a job.
    pub employed: Vec<u32>,
    /// Whether the panel says so, by zone, or only a setting.
    pub employed_is_known: Vec<bool>,
    /// Share of households by income class, where known.
    pub incomes: Vec<Option<[f64; 5]>>,
    /// Adults who can take a car, by `car_share`; holds where nothing better is known.
    pub car_access: Vec<u32>,
    /// Adults who can take a motor two-wheeler.
    pub two_wheeler_access: Vec<u32>,
    /// Share of adults with a driving licence, where the panel says so.
    pub licence: Vec<Option<f64>>,
    /// Figures that disagree, in sentences.
    pub warnings: Vec<String>,
}

/// The latest figures of the panel by indicator and zone.
struct Figures<'a> {
    city: &'a str,
    zones: &'a [String],
    latest: BTreeMap<(&'a str, &'a str), &'a PanelRow>,
    warnings: Vec<String>,
}

impl<'a> Figures<'a> {
    fn new(city: &'a City) -> Self {
        let mut latest: BTreeMap<(&str, &str), &PanelRow> = BTreeMap::new();
        for row in &city.panel {
            let known = latest.entry((row.indicator.as_str(), row.zone_id.as_str())).or_insert(row);
            if row.period >= known.period {
                *known = row;
            }
        }
        Self { city: &city.manifest.name, zones: &city.zones.id, latest, warnings: Vec::new() }
    }
    fn of(&self, place: &str, indicator: &str) -> Option<f64> {
        self.latest.get(&(indicator, place)).map(|row| row.value).filter(|value| value.is_finite() && *value >= 0.0)
    }
    fn of_zone(&self, zone: usize, indicator: &str) -> Option<f64> {
        self.of(&self.zones[zone], indicator)
    }
    fn of_city(&self, indicator: &str) -> Option<f64> {
        self.of(self.city, indicator)
    }

    /// Says that the sum over zones is not the city's figure.
    fn compare(&mut self, what: &str, sum: f64, total: f64) {
        if (sum - total).abs() > DIFFERENCE * total.abs().max(1.0) {
            self.warnings.push(format!(
                "{what}: the zones add up to {}, the figure of {} is {}; the zones' are used",
                short(sum),
                self.city,
                short(total)
            ));
        }
    }

    /// A count by zone: the zone's own, else its part of what the known zones leave of the city's, by `base`.
    fn counts(&mut self, what: &str, own: &[Option<f64>], total: Option<f64>, base: &[f64]) -> Vec<Option<f64>> {
        let known: f64 = own.iter().flatten().sum();
        let is_whole = own.iter().zip(base).all(|(own, base)| own.is_some() || *base <= 0.0);
        if let Some(total) = total
            && ((is_whole && own.iter().any(Option::is_some)) || known > total)
        {
            self.compare(what, known, total);
        }
        let open: f64 = own.iter().zip(base).filter(|(own, _)| own.is_none()).map(|(_, base)| base).sum();
        let rest = total.map(|total| (total - known).max(0.0));
        own.iter()
            .zip(base)
            .map(|(own, base)| own.or_else(|| Some(if open > 0.0 { rest? * base / open } else { 0.0 })))
            .collect()
    }

    /// Shares (0 to 1) of one set of indicators in percent: the zone's own where it has all of them, else the city's.
    fn shares<const N: usize>(&mut self, names: &[&str; N]) -> Vec<Option<[f64; N]>> {
        let places: Vec<String> = self.zones.iter().cloned().chain([self.city.to_owned()]).collect();
        let mut all: Vec<Option<[f64; N]>> = Vec::with_capacity(places.len());
        for place in &places {
            let found = names.map(|name| self.of(place, name));
            if found.iter().any(Option::is_some) && !found.iter().all(Option::is_some) {
                let lacks: Vec<&str> =
                    names.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
                self.warnings.push(format!(
                    "{place} has no {}, which belongs to the shares that it has; they are not used",
                    lacks.join(", ")
                ));
            }
            let whole = found.iter().all(Option::is_some).then(|| found.map(Option::unwrap_or_default));
            all.push(whole.and_then(|percent| self.normalised(place, names[0], percent)));
        }
        let city = all.pop().flatten();
        all.into_iter().map(|own| own.or(city)).collect()
    }

    fn normalised<const N: usize>(&mut self, place: &str, first: &str, percent: [f64; N]) -> Option<[f64; N]> {
        let sum: f64 = percent.iter().sum();
        if (sum - 100.0).abs() > ROUNDING_PERCENT {
            let name = first.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '_');
            self.warnings
                .push(format!("{name} of {place}: the shares add up to {}, expected 100; they are scaled", short(sum)));
        }
        (sum > 0.0).then(|| percent.map(|part| part / sum))
    }
}

/// A figure in a sentence.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

impl Controls {
    /// The controls of a city.
    #[must_use]
    pub fn new(city: &City, settings: &PopulationSettings, country: &Country) -> Self {
        let mut figures = Figures::new(city);
        let residents = residents_by_zone(city);
        let zones = residents.len();
        let rows = 0..zones;
        let factor = settings.sample_factor;
        let mut controls = Self::default();

        if let Some(total) = figures.of_city("residents") {
            figures.compare("residents", residents.iter().sum(), total);
        }
        controls.persons = residents.iter().map(|&count| (count * factor).round().max(0.0) as u32).collect();
        let age_names = AGE_CLASSES.map(|(name, _)| name);
        let ages = figures.shares(&age_names);
        controls.by_age = rows
            .clone()
            .map(|zone| {
                let parts = apportion(controls.persons[zone], &ages[zone].unwrap_or(settings.age_shares));
                let mut by_age = [0; 6];
                by_age.iter_mut().zip(parts).for_each(|(count, part)| *count = part);
                // Shares that are all zero still have to put everybody somewhere.
                by_age[2] += controls.persons[zone] - by_age.iter().sum::<u32>();
                by_age
            })
            .collect();
        let adults: Vec<f64> = controls.by_age.iter().map(|ages| f64::from(ages[1..].iter().sum::<u32>())).collect();
        let active: Vec<u32> = controls.by_age.iter().map(|ages| ages[1..4].iter().sum()).collect();

        controls.households = households(&mut figures, settings, &residents, &controls.persons, &adults);
        controls.sizes = sizes(&mut figures, country, &controls);
        controls.cars = cars(&mut figures, &controls, factor);

        let own: Vec<Option<f64>> = rows
            .clone()
            .map(|zone| {
                let count = figures.of_zone(zone, "employed").map(|count| count * factor);
                let share = figures.of_zone(zone, "employed_share_18_64").map(|share| share / 100.0);
                count.or_else(|| Some(share? * f64::from(active[zone])))
            })
            .collect();
        let base: Vec<f64> = active.iter().map(|&count| f64::from(count)).collect();
        let total = figures
            .of_city("employed")
            .map(|count| count * factor)
            .or_else(|| Some(figures.of_city("employed_share_18_64")? / 100.0 * base.iter().sum::<f64>()));
        let employed = figures.counts("employed residents", &own, total, &base);
        controls.employed_is_known = employed.iter().map(Option::is_some).collect();
        controls.employed = employed
            .iter()
            .zip(&base)
            .map(|(count, base)| {
                count.unwrap_or(settings.employed_share_18_64.clamp(0.0, 1.0) * base).round().clamp(0.0, *base) as u32
            })
            .collect();
        controls.incomes = figures.shares(&INCOMES);
        let licence = figures.of_city("licence_share");
        controls.licence = rows.map(|zone| Some(figures.of_zone(zone, "licence_share").or(licence)? / 100.0)).collect();
        // Largest remainders over zones, so that the city's share is met and every zone is within one.
        let over_zones = |share: f64| {
            let total = (share.clamp(0.0, 1.0) * adults.iter().sum::<f64>()).round() as u32;
            let parts = apportion(total, &adults);
            parts.iter().zip(&adults).map(|(&part, &adults)| part.min(adults as u32)).collect::<Vec<u32>>()
        };
        controls.car_access = over_zones(settings.car_share);
        controls.two_wheeler_access = over_zones(settings.two_wheeler_share);
        controls.warnings = figures.warnings;
        controls
    }
}

/// Says that households times their mean size are not the residents.
fn warn_of_mean(figures: &mut Figures<'_>, place: &str, count: Option<f64>, size: Option<f64>, residents: f64) {
    if let (Some(count), Some(size)) = (count, size)
        && (count * size - residents).abs() > 2.0 * DIFFERENCE * residents
    {
        figures.warnings.push(format!(
            "{place}: {} households of {size:.2} persons are {} persons, residents are {}; the number of households is \
             used",
            short(count),
            short(count * size),
            short(residents)
        ));
    }
}

/// Households by zone.
fn households(
    figures: &mut Figures<'_>,
    settings: &PopulationSettings,
    residents: &[f64],
    persons: &[u32],
    adults: &[f64],
) -> Vec<u32> {
    let mut own: Vec<Option<f64>> = Vec::with_capacity(residents.len());
    for (zone, &residents) in residents.iter().enumerate() {
        let count = figures.of_zone(zone, "households");
        let size = figures.of_zone(zone, "persons_per_household").filter(|size| *size >= 1.0);
        warn_of_mean(figures, &figures.zones[zone].clone(), count, size, residents);
        own.push(count.or_else(|| size.map(|size| residents / size)));
    }
    let all: f64 = residents.iter().sum();
    let (count, size) = (figures.of_city("households"), figures.of_city("persons_per_household").filter(|&s| s >= 1.0));
    warn_of_mean(figures, figures.city, count, size, all);
    let total = count.or_else(|| size.map(|size| all / size));
    let set = settings.persons_per_household.max(1.0);
    if let Some(total) = total.filter(|&total| total > 0.0 && all > 0.0) {
        let is_default = (set - PopulationSettings::default().persons_per_household).abs() < 1e-9;
        if !is_default && (all / total - set).abs() > 2.0 * DIFFERENCE * set {
            figures.warnings.push(format!(
                "persons_per_household = {set}, but {} residents in {} households are {:.2}; the panel's is used",
                short(all),
                short(total),
                all / total
            ));
        }
    }
    let counts = figures.counts("households", &own, total, residents);
    let exact: Vec<f64> = counts
        .iter()
        .zip(residents)
        .zip(persons)
        .map(|((count, &residents), &persons)| {
            let mean = count.filter(|&count| count > 0.0).map_or(set, |count| (residents / count).max(1.0));
            f64::from(persons) / mean
        })
        .collect();
    // With a figure for the whole city its total is kept; otherwise every zone is rounded on its own.
    let rounded: Vec<u32> = match total {
        Some(_) => apportion(exact.iter().sum::<f64>().round() as u32, &exact),
        None => exact.iter().map(|exact| exact.round() as u32).collect(),
    };
    let bounded = |(&count, &adults): (&u32, &f64)| count.clamp(1, (adults as u32).max(1));
    let all = rounded.iter().zip(adults).map(bounded);
    all.zip(persons).map(|(count, &persons)| if persons == 0 { 0 } else { count.min(persons) }).collect()
}

/// Households by size: shares of the panel, tilted so that they hold the residents.
fn sizes(figures: &mut Figures<'_>, country: &Country, controls: &Controls) -> Vec<Option<[f64; 6]>> {
    let has_5_plus = figures.latest.keys().any(|(indicator, _)| *indicator == SIZE_5_PLUS);
    let shares = if has_5_plus {
        let names = [SIZES[0], SIZES[1], SIZES[2], SIZES[3], SIZE_5_PLUS];
        let five = country.sizes[4] / (country.sizes[4] + country.sizes[5]).max(1e-12);
        let split = |s: [f64; 5]| [s[0], s[1], s[2], s[3], s[4] * five, s[4] * (1.0 - five)];
        figures.shares(&names).into_iter().map(|shares| shares.map(split)).collect()
    } else {
        figures.shares(&SIZES)
    };
    let persons_of = [1.0, 2.0, 3.0, 4.0, 5.0, country.mean_of_six_and_more()];
    let mean_of = |shares: &[f64; 6]| shares.iter().zip(persons_of).map(|(share, size)| share * size).sum::<f64>();
    let (mut by_sizes, mut residents) = (0.0, 0.0);
    let all = shares.iter().enumerate().map(|(zone, shares)| {
        let (persons, households) = (f64::from(controls.persons[zone]), f64::from(controls.households[zone]));
        let shares = shares.filter(|_| households > 0.0)?;
        by_sizes += mean_of(&shares) * households;
        residents += persons;
        Some(tilted(&shares, &persons_of, persons / households).map(|share| share * households))
    });
    let all: Vec<Option<[f64; 6]>> = all.collect();
    if (by_sizes - residents).abs() > 2.0 * DIFFERENCE * residents {
        let place = figures.city;
        figures.warnings.push(format!(
            "{place}: the households by size hold {} persons, residents are {}; sizes are shifted to hold the residents",
            short(by_sizes),
            short(residents)
        ));
    }
    all
}

/// `shares * exp(k size)`, normalised, with the mean asked for, or as near as the sizes allow.
fn tilted(shares: &[f64; 6], sizes: &[f64; 6], mean: f64) -> [f64; 6] {
    let with = |k: f64| {
        let mut tilted = [0.0; 6];
        for (tilted, (share, size)) in tilted.iter_mut().zip(shares.iter().zip(sizes)) {
            *tilted = share * (k * (size - 3.0)).exp();
        }
        let sum: f64 = tilted.iter().sum();
        tilted.map(|part| part / sum)
    };
    let (mut low, mut high) = (-12.0, 12.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        let is_low = with(middle).iter().zip(sizes).map(|(share, size)| share * size).sum::<f64>() < mean;
        if is_low { low = middle } else { high = middle }
    }
    with(0.5 * (low + high))
}

/// Cars of the households of each zone.
fn cars(figures: &mut Figures<'_>, controls: &Controls, factor: f64) -> Vec<CarControl> {
    let shares = figures.shares(&CARS);
    let base: Vec<f64> = controls.households.iter().map(|&count| f64::from(count)).collect();
    let own: Vec<Option<f64>> = (0..base.len())
        .map(|zone| {
            let count = figures.of_zone(zone, "cars").map(|cars| cars * factor);
            count.or_else(|| Some(figures.of_zone(zone, "cars_per_household")? * base[zone]))
        })
        .collect();
    let mean = figures.of_city("cars_per_household");
    let total =
        figures.of_city("cars").map(|cars| cars * factor).or_else(|| mean.map(|mean| mean * base.iter().sum::<f64>()));
    let counts = figures.counts("cars", &own, total, &base);
    if let (Some(shares), Some(total)) = (shares.first().copied().flatten(), total) {
        let households: f64 = base.iter().sum();
        let least = (shares[1] + 2.0 * shares[2] + 3.0 * shares[3]) * households;
        if least > total * (1.0 + 2.0 * DIFFERENCE) {
            let place = figures.city;
            figures.warnings.push(format!(
                "{place}: the households by number of cars have at least {} cars, the cars are {}; the households are used",
                short(least / factor),
                short(total / factor)
            ));
        }
    }
    let of = |(shares, count): (Option<[f64; 4]>, (Option<f64>, &f64))| match (shares, count) {
        (Some(shares), (_, households)) => CarControl::Households(shares.map(|share| share * households)),
        (None, (Some(cars), _)) => CarControl::Cars(cars),
        (None, (None, _)) => CarControl::Unknown,
    };
    shares.into_iter().zip(counts.into_iter().zip(&base)).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::MultiPolygon;

    fn city(rows: &[(&str, &str, f64)]) -> City {
        let mut city = City::default();
        city.manifest.name = "town".into();
        for zone in ["east", "west"] {
            city.zones.id.push(zone.into());
            city.zones.shape.push(MultiPolygon(Vec::new()));
        }
        city.panel = rows
            .iter()
            .map(|&(zone, indicator, value)| PanelRow {
                zone_id: zone.into(),
                indicator: indicator.into(),
                value,
                ..PanelRow::default()
            })
            .collect();
        city
    }

    fn controls(rows: &[(&str, &str, f64)]) -> Controls {
        let residents = [("east", "residents", 600.0), ("west", "residents", 400.0)];
        let country = Country::named("generic").unwrap();
        let rows: Vec<_> = residents.iter().chain(rows).copied().collect();
        Controls::new(&city(&rows), &PopulationSettings::default(), &country)
    }

    #[test]
    fn most_local_first() {
        let of = controls(&[("town", "households", 420.0), ("east", "households", 300.0)]);
        assert_eq!((of.households.as_slice(), of.warnings.len()), ([300, 120].as_slice(), 0), "{:?}", of.warnings);
        let of = controls(&[]);
        assert_eq!(of.households, [240, 160]);
        assert_eq!(of.persons, [600, 400]);
        assert_eq!(of.by_age.iter().map(|ages| ages.iter().sum::<u32>()).collect::<Vec<_>>(), [600, 400]);
        let of = controls(&[("town", "cars_per_household", 0.9), ("east", "cars", 100.0)]);
        assert_eq!(of.cars[0], CarControl::Cars(100.0));
        let CarControl::Cars(west) = of.cars[1] else { panic!() };
        assert!((west - 260.0).abs() < 1e-9, "{west}");
        let of = controls(&[("west", "employed_share_18_64", 50.0)]);
        assert!(of.employed_is_known[1] && !of.employed_is_known[0]);
        assert_eq!(of.employed[1], (f64::from(of.by_age[1][1..4].iter().sum::<u32>()) * 0.5).round() as u32);
    }

    #[test]
    fn disagreeing_figures_are_both_named() {
        let said = |rows: &[(&str, &str, f64)]| controls(rows).warnings.join("\n");
        let all = said(&[("town", "residents", 1200.0)]);
        assert!(all.contains("residents: the zones add up to 1000, the figure of town is 1200"), "{all}");
        let all = said(&[("east", "households", 200.0), ("west", "households", 150.0), ("town", "households", 500.0)]);
        assert!(all.contains("households: the zones add up to 350, the figure of town is 500"), "{all}");
        let all = said(&[("east", "households", 200.0), ("east", "persons_per_household", 2.0)]);
        assert!(all.contains("200 households of 2.00 persons are 400 persons, residents are 600"), "{all}");
        let sizes: Vec<_> = SIZES.iter().map(|name| ("town", *name, 100.0 / 6.0)).collect();
        let all = said(&sizes);
        assert!(all.contains("hold 1437 persons, residents are 1000") || all.contains("residents are 1000"), "{all}");
        let all = said(&[("town", SIZES[0], 50.0)]);
        assert!(all.contains("town has no household_size_share_2"), "{all}");
        let cars: Vec<_> = CARS.iter().map(|name| ("east", *name, 20.0)).collect();
        let all = said(&cars);
        assert!(all.contains("household_cars_share of east: the shares add up to 80.00, expected 100"), "{all}");
        let mut both: Vec<_> = CARS.iter().map(|name| ("town", *name, 25.0)).collect();
        both.push(("town", "cars", 100.0));
        let all = said(&both);
        assert!(all.contains("have at least 600 cars, the cars are 100"), "{all}");
    }

    #[test]
    fn sizes_hold_the_residents() {
        let sizes = [1.0, 2.0, 3.0, 4.0, 5.0, 6.5];
        for mean in [1.2, 2.5, 4.0] {
            let shares = tilted(&[0.3, 0.3, 0.2, 0.1, 0.06, 0.04], &sizes, mean);
            let is = shares.iter().zip(sizes).map(|(share, size)| share * size).sum::<f64>();
            assert!((is - mean).abs() < 1e-9 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{is}");
        }
    }
}
