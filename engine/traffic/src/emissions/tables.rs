//! Factors from their tables: `factors.csv`, `fleet.csv` and `fuels.csv`.
//!
//! A row of factors holds for one technology, or for all of a fuel (`technology` is `*`), or for all of a
//! class (`fuel` too); the most specific one counts. A row may carry a published value at a speed, which its
//! coefficients must then give. The columns `source`, `licence` and `quality` are for people.

use super::curve::{AMOUNT_MAX, COEFFICIENTS, Curve, Form};
use super::{CLASSES, Emission, Factors, Fuel, SPEED_KMH_MAX, Substance, Term};
use crate::vehicle_class::VehicleClass;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::table::{Column, Row, Table};
use urbis_core::units::JOULES_PER_KWH;
use urbis_core::{Problem, Problems, Result};

/// Names of the tables and what is compiled in for each.
const TABLES: [(&str, &str); 3] = [
    ("factors.csv", include_str!("../../../../assets/emissions/factors.csv")),
    ("fleet.csv", include_str!("../../../../assets/emissions/fleet.csv")),
    ("fuels.csv", include_str!("../../../../assets/emissions/fuels.csv")),
];

/// Stands for every technology or fuel.
const ANY: &str = "*";

/// How far a factor may be from the published value of its row.
const CHECK_TOLERANCE: f64 = 0.01;

/// How far shares of a class may be from adding up to one.
const SHARE_TOLERANCE: f64 = 1e-6;

/// Class, fuel (none: any), technology (none: any), substance.
type Key<'a> = (VehicleClass, Option<Fuel>, Option<&'a str>, Substance);

/// A table that is compiled in.
pub(super) fn compiled_in(at: usize) -> Table {
    let (name, text) = TABLES[at];
    Table::from_bytes(Path::new(name), text.as_bytes()).expect("a compiled-in table")
}

impl Default for Factors {
    /// The tables that are compiled in.
    fn default() -> Self {
        Self::from_tables(&compiled_in(0), &compiled_in(1), &compiled_in(2)).expect("compiled-in tables agree")
    }
}

impl Factors {
    /// Reads those of `factors.csv`, `fleet.csv` and `fuels.csv` that a folder has (or with `.gz` added);
    /// the others are those compiled in.
    ///
    /// # Errors
    /// No table there at all; everything that [`Factors::from_tables`] finds.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut found = 0;
        let mut table = |at: usize| -> Result<Table> {
            let table = Table::find(folder, TABLES[at].0)?;
            found += usize::from(table.is_some());
            Ok(table.unwrap_or_else(|| compiled_in(at)))
        };
        let (factors, fleet, fuels) = (table(0)?, table(1)?, table(2)?);
        if found == 0 {
            let names = TABLES.map(|(name, _)| name).join(", ");
            return Err(Problem::file(folder, format!("no emission table, expected one of {names}"))
                .with_help("copy assets/emissions and edit it")
                .into());
        }
        Self::from_tables(&factors, &fleet, &fuels)
    }

    /// Puts tables together.
    ///
    /// # Errors
    /// Missing columns, unknown words, numbers out of range, factors that are below zero or not finite within
    /// their range or miss their published value, rows that occur twice, shares of a class that do not add up
    /// to one, classes without vehicles, vehicles without a factor, fuels without properties.
    pub fn from_tables(factors: &Table, fleet: &Table, fuels: &Table) -> Result<Self> {
        Ok(Self::tabulate(&terms(factors, fleet, fuels)?))
    }
}

/// The factors of each class, weighted by the shares of its technologies; in the order of their rows.
pub(super) fn terms(factors: &Table, fleet: &Table, fuels: &Table) -> Result<[Vec<Term>; CLASSES]> {
    let mut problems = Problems::new();
    let curves = read_factors(factors, &mut problems);
    let vehicles = read_fleet(fleet, &mut problems);
    let properties = read_fuels(fuels, &mut problems);
    problems.or_else(())?;

    let mut problems = Problems::new();
    let mut weights: BTreeMap<(usize, Fuel), f64> = BTreeMap::new();
    for vehicle in vehicles.iter().filter(|vehicle| vehicle.share > 0.0) {
        for &substance in Substance::required(vehicle.fuel) {
            let (class, fuel, technology) = (vehicle.class, vehicle.fuel, vehicle.technology);
            let row = [
                (class, Some(fuel), Some(technology), substance),
                (class, Some(fuel), None, substance),
                (class, None, None, substance),
            ]
            .iter()
            .find_map(|key| curves.by_key.get(key));
            match row {
                Some(&row) => *weights.entry((row, fuel)).or_default() += vehicle.share,
                None => problems.push(
                    Problem::file(
                        fleet.path(),
                        format!(
                            "row {}: {} {} {technology} has no factor for {} in {}",
                            vehicle.row,
                            class.name(),
                            fuel.name(),
                            substance.name(),
                            factors.path().display()
                        ),
                    )
                    .with_help("add a row, for the technology or with technology *"),
                ),
            }
            if substance == Substance::Fuel && properties[fuel as usize].is_none() {
                let what = format!("no row for {}, which vehicles of {} burn", fuel.name(), fleet.path().display());
                problems.push(Problem::file(fuels.path(), what));
            }
        }
    }
    problems.or_else(())?;

    let mut terms: [Vec<Term>; CLASSES] = Default::default();
    for (&(row, fuel), &share) in &weights {
        let factor = &curves.rows[row];
        let mut adds = Emission::default();
        adds.add_scaled(&one_unit(factor, properties[fuel as usize]), share);
        terms[factor.class as usize].push(Term { curve: factor.curve, extension: factor.substance.extension(), adds });
    }
    Ok(terms)
}

/// What one unit of a factor adds.
fn one_unit(factor: &FactorRow, fuel: Option<FuelProperties>) -> Emission {
    let amount = factor.unit.amount();
    let mut adds = Emission::default();
    match (factor.substance, fuel) {
        (Substance::Fuel, Some(fuel)) => {
            adds.fuel_kg = if factor.unit == Unit::Litres { fuel.density_kg_per_l } else { amount / 1000.0 };
            adds.co2_kg = adds.fuel_kg / fuel.density_kg_per_l * fuel.co2_kg_per_l;
            adds.energy_kwh = adds.fuel_kg * fuel.heating_value_mj_per_kg * 1e6 / JOULES_PER_KWH;
        }
        (Substance::Fuel, None) => {}
        (Substance::Electricity, _) => {
            adds.electricity_kwh = amount;
            adds.energy_kwh = amount;
        }
        (Substance::Nox, _) => adds.nox_g = amount,
        (Substance::PmExhaust, _) => adds.pm_exhaust_g = amount,
        (Substance::PmTyre | Substance::PmBrake | Substance::PmRoad, _) => adds.pm_wear_g = amount,
    }
    adds
}

/// Unit of a factor, per vehicle-kilometre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Grams,
    Milligrams,
    Litres,
    KilowattHours,
}

urbis_core::named!(Unit {
    Grams = "g_per_km",
    Milligrams = "mg_per_km",
    Litres = "l_per_km",
    KilowattHours = "kwh_per_km",
});

impl Unit {
    /// Grams, kWh or litres of one unit.
    fn amount(self) -> f64 {
        if self == Self::Milligrams { 1e-3 } else { 1.0 }
    }
    fn fits(self, substance: Substance) -> bool {
        match self {
            Self::Grams | Self::Milligrams => substance != Substance::Electricity,
            Self::Litres => substance == Substance::Fuel,
            Self::KilowattHours => substance == Substance::Electricity,
        }
    }
}

/// A row of `factors.csv`.
struct FactorRow {
    class: VehicleClass,
    substance: Substance,
    unit: Unit,
    curve: Curve,
}

#[derive(Default)]
struct FactorRows<'a> {
    rows: Vec<FactorRow>,
    by_key: BTreeMap<Key<'a>, usize>,
}

/// Names and values of an enum the way [`Row::one_of`] takes them.
fn words<T: Copy, const N: usize>(named: [(T, &'static str); N]) -> [(&'static str, T); N] {
    named.map(|(value, name)| (name, value))
}

fn read_factors<'a>(table: &'a Table, problems: &mut Problems) -> FactorRows<'a> {
    let names = ["class", "fuel", "technology", "substance", "unit", "form", "speed_kmh_min", "speed_kmh_max"];
    let columns = table.required_all(names, problems);
    let coefficients = table.required_all(["c1", "c2", "c3", "c4", "c5", "c6", "c7"], problems);
    let optional = ["scale", "check_speed_kmh", "check_value"].map(|name| table.optional(name));
    let mut read = FactorRows::default();
    let (Some(columns), Some(coefficients)) = (columns, coefficients) else { return read };
    for row in table.rows() {
        if let Some((key, factor)) = read_factor(row, columns, coefficients, optional, problems) {
            if read.by_key.insert(key, read.rows.len()).is_some() {
                problems.push(row.problem(columns[3], "each class, fuel, technology and substance once"));
            }
            read.rows.push(factor);
        }
    }
    read
}

fn read_factor<'a>(
    row: Row<'a>,
    [class, fuel, technology, substance, unit, form, speed_min, speed_max]: [Column; 8],
    coefficients: [Column; COEFFICIENTS],
    [scale, check_speed, check_value]: [Option<Column>; 3],
    problems: &mut Problems,
) -> Option<(Key<'a>, FactorRow)> {
    let vehicle_class = row.one_of(class, problems, &words(VehicleClass::NAMED));
    let mut fuels = vec![(ANY, None)];
    fuels.extend(words(Fuel::NAMED).map(|(name, fuel)| (name, Some(fuel))));
    let of_fuel = row.one_of(fuel, problems, &fuels);
    let of_technology = row.required_text(technology, problems).map(|text| (text != ANY).then_some(text));
    let of_substance = row.one_of(substance, problems, &words(Substance::NAMED));
    let in_unit = row.one_of(unit, problems, &words(Unit::NAMED));
    let of_form = row.one_of(form, problems, &words(Form::NAMED));
    let numbers = coefficients.map(|column| match row.text(column) {
        "" => Some(0.0),
        _ => row.finite(column, problems),
    });
    let scale = row.optional_positive(scale, problems).ok()?.unwrap_or(1.0);
    let slowest = row.positive(speed_min, problems);
    let expected = format!("<= {SPEED_KMH_MAX} and >= speed_kmh_min");
    let fastest = row.number_where(speed_max, problems, &expected, |speed| {
        speed <= SPEED_KMH_MAX && slowest.is_none_or(|slowest| speed >= slowest)
    });
    let published = match (row.optional_positive(check_speed, problems), row.optional_positive(check_value, problems)) {
        (Ok(Some(speed)), Ok(Some(value))) => Some((speed, value)),
        (Ok(None), Ok(None)) => None,
        (Ok(_), Ok(_)) => {
            if let Some(column) = check_speed.or(check_value) {
                problems.push(row.problem(column, "check_speed_kmh and check_value, both or neither"));
            }
            return None;
        }
        _ => return None,
    };
    let (of_class, of_fuel, of_technology) = (vehicle_class?, of_fuel?, of_technology?);
    let (of_substance, in_unit, of_form) = (of_substance?, in_unit?, of_form?);
    if numbers.iter().any(Option::is_none) {
        return None;
    }
    let curve = Curve {
        form: of_form,
        coefficients: numbers.map(Option::unwrap_or_default),
        scale,
        speed_kmh_min: slowest?,
        speed_kmh_max: fastest?,
    };
    let before = problems.len();
    if of_fuel.is_none() && of_technology.is_some() {
        problems.push(row.problem(technology, format!("{ANY}, because the fuel is {ANY}")));
    }
    if of_fuel.is_some_and(|fuel| !Substance::required(fuel).contains(&of_substance)) {
        problems.push(row.problem(substance, format!("what {} vehicles give", row.text(fuel))));
    }
    if of_fuel.is_none() && matches!(of_substance, Substance::Fuel | Substance::Electricity) {
        problems.push(row.problem(fuel, format!("one fuel, because the substance is {}", of_substance.name())));
    }
    if !in_unit.fits(of_substance) {
        problems.push(row.problem(unit, format!("a unit of {}", of_substance.name())));
    }
    if let Some(at) = (of_form.coefficients()..COEFFICIENTS).find(|&at| curve.coefficients[at] != 0.0) {
        problems.push(row.problem(coefficients[at], format!("nothing or 0 for form {}", of_form.name())));
    }
    if let Some((speed_kmh, value)) = curve.fault() {
        problems.push(
            row.problem(
                form,
                format!("a factor from 0 to {AMOUNT_MAX} at its speeds, got {value} at {speed_kmh:.1} km/h"),
            )
            .with_help("mend the coefficients or narrow speed_kmh_min and speed_kmh_max"),
        );
    }
    if let (Some((speed_kmh, expected)), Some(column)) = (published, check_value) {
        let value = curve.at(speed_kmh);
        if value.is_nan() || (value - expected).abs() > CHECK_TOLERANCE * expected {
            let what = format!("what the coefficients give at {speed_kmh} km/h, {value}, to a hundredth");
            problems.push(row.problem(column, what));
        }
    }
    let key = (of_class, of_fuel, of_technology, of_substance);
    (problems.len() == before)
        .then_some((key, FactorRow { class: of_class, substance: of_substance, unit: in_unit, curve }))
}

/// Share of the vehicles of a class in the fleet that is compiled in whose Euro standard is below those given for petrol and
/// diesel; electric ones are above all.
#[must_use]
pub fn share_below(class: VehicleClass, petrol_euro: u8, diesel_euro: u8) -> f64 {
    let table = compiled_in(1);
    let fleet = read_fleet(&table, &mut Problems::new());
    let is_below = |vehicle: &&Vehicle<'_>| {
        let least = match vehicle.fuel {
            Fuel::Petrol => petrol_euro,
            Fuel::Diesel => diesel_euro,
            Fuel::Electric => return false,
        };
        vehicle.class == class && euro(vehicle.technology).is_none_or(|euro| euro < least)
    };
    fleet.iter().filter(is_below).map(|vehicle| vehicle.share).sum()
}

/// Number of a standard such as `Euro 5` or `Euro VI`.
fn euro(technology: &str) -> Option<u8> {
    const ROMAN: [&str; 7] = ["I", "II", "III", "IV", "V", "VI", "VII"];
    let number = technology.strip_prefix("Euro ")?;
    number.parse().ok().or_else(|| ROMAN.iter().position(|roman| *roman == number).map(|at| at as u8 + 1))
}

/// A row of `fleet.csv`.
struct Vehicle<'a> {
    row: usize,
    class: VehicleClass,
    fuel: Fuel,
    technology: &'a str,
    share: f64,
}

fn read_fleet<'a>(table: &'a Table, problems: &mut Problems) -> Vec<Vehicle<'a>> {
    let mut vehicles: Vec<Vehicle<'a>> = Vec::new();
    let Some([class, fuel, technology, share]) = table.required_all(["class", "fuel", "technology", "share"], problems)
    else {
        return vehicles;
    };
    let before = problems.len();
    for row in table.rows() {
        let of_class = row.one_of(class, problems, &words(VehicleClass::NAMED));
        let of_fuel = row.one_of(fuel, problems, &words(Fuel::NAMED));
        let name = row.required_text(technology, problems);
        let part = row.number_where(share, problems, "from 0 to 1", |part| (0.0..=1.0).contains(&part));
        let (Some(class), Some(fuel), Some(name), Some(share)) = (of_class, of_fuel, name, part) else { continue };
        if name == ANY {
            problems.push(row.problem(technology, "the name of a technology"));
        }
        if vehicles.iter().any(|other| (other.class, other.fuel, other.technology) == (class, fuel, name)) {
            problems.push(row.problem(technology, "each class, fuel and technology once"));
        }
        vehicles.push(Vehicle { row: row.number(), class, fuel, technology: name, share });
    }
    if problems.len() == before {
        for (class, name) in VehicleClass::NAMED {
            let of_class = vehicles.iter().filter(|vehicle| vehicle.class == class);
            let sum = of_class.fold(0.0, |sum, vehicle| sum + vehicle.share);
            if (sum - 1.0_f64).abs() > SHARE_TOLERANCE {
                let what = format!("shares of class {name} add up to {sum}, expected 1");
                problems.push(Problem::file(table.path(), what));
            }
        }
    }
    vehicles
}

/// A row of `fuels.csv`.
#[derive(Clone, Copy)]
struct FuelProperties {
    density_kg_per_l: f64,
    co2_kg_per_l: f64,
    heating_value_mj_per_kg: f64,
}

fn read_fuels(table: &Table, problems: &mut Problems) -> [Option<FuelProperties>; Fuel::NAMED.len()] {
    let mut properties = [None; Fuel::NAMED.len()];
    let names = ["fuel", "density_kg_per_l", "co2_kg_per_l", "heating_value_mj_per_kg"];
    let Some([fuel, density, co2, heating_value]) = table.required_all(names, problems) else { return properties };
    for row in table.rows() {
        let burned = [Fuel::Petrol, Fuel::Diesel].map(|fuel| (fuel.name(), fuel));
        let of_fuel = row.one_of(fuel, problems, &burned);
        // Wide enough for any liquid fuel, narrow enough to notice grams and megajoules per litre.
        let numbers = [(density, 0.2, 2.0), (co2, 0.0, 5.0), (heating_value, 5.0, 150.0)].map(|(column, low, high)| {
            let expected = format!("from {low} to {high}");
            row.number_where(column, problems, &expected, |number| (low..=high).contains(&number))
        });
        let (Some(of_fuel), [Some(density_kg_per_l), Some(co2_kg_per_l), Some(heating_value_mj_per_kg)]) =
            (of_fuel, numbers)
        else {
            continue;
        };
        let known = &mut properties[of_fuel as usize];
        if known.is_some() {
            problems.push(row.problem(fuel, "each fuel once"));
        }
        *known = Some(FuelProperties { density_kg_per_l, co2_kg_per_l, heating_value_mj_per_kg });
    }
    properties
}
