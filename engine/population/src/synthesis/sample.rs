//! The seed: households that stand for others, with their members. Read from a sample of a census or survey, or made of
//! the default households of a country ([`super::defaults`]).
//!
//! Files are CSV (`.csv`, `.csv.gz`) or Parquet; names of columns count in any case. Households: `household_id`; and
//! where known `size` (checked against the members), `weight` (households that one stands for, default 1), `cars`,
//! `two_wheelers`, `income` (a year). Persons: `household_id`, `age` (years); and where known `sex` (`female`, `male`, `f`, `m`),
//! `employed`, `student`, `licence`, `transit_pass` (`true`, `false`, `1`, `0`, `yes`, `no`); `1` and `2` are `male` and `female`, as
//! in ISO/IEC 5218. The names of the tables that this program writes (`age_years`, `is_employed`, `has_licence` ...) are
//! understood too, so that a synthetic population can be the sample of another. A blank cell is not known, except for
//! ids and ages. Every bad row is reported with file and row; nothing is left out silently.
//!
//! Contract: pure functions of the files, never a panic, deterministic.

use super::defaults::{Country, age_class};
use super::settings::SynthesisSettings;
use crate::persons::Sex;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::geoparquet::TableReader;
use urbis_city::table::{Column, Table};
use urbis_core::columns::offsets;
use urbis_core::{Problem, Problems, Result};

/// Largest weight, number of cars and size that a row may have.
const WEIGHT_MAX: f64 = 1e9;
const COUNT_MAX: i64 = 99;

/// A household of the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SeedHousehold {
    /// Households that it stands for.
    pub weight: f64,
    /// Cars, where known.
    pub cars: Option<u8>,
    /// Motor two-wheelers, where known.
    pub two_wheelers: Option<u8>,
    /// Income, currency a year, where known.
    pub income: Option<f64>,
}

/// A member of a household of the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedPerson {
    /// Age, years, where known.
    pub age_years: Option<u8>,
    /// Age class, a row of [`crate::settings::AGE_CLASSES`].
    pub age_class: u8,
    /// Sex, where known.
    pub sex: Option<Sex>,
    /// Has a job, where known.
    pub employed: Option<bool>,
    /// Goes to school or studies, where known.
    pub student: Option<bool>,
    /// Has a driving licence, where known.
    pub licence: Option<bool>,
    /// Has a public transport pass, where known.
    pub transit_pass: Option<bool>,
}

/// Households of the seed with their members, adults first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seed {
    /// Households.
    pub households: Vec<SeedHousehold>,
    /// Members, household by household.
    pub persons: Vec<SeedPerson>,
    /// First member of each household, then the end. Shape: households + 1.
    pub first_person: Vec<u32>,
    /// Whether it is a sample, not the default households.
    pub is_sample: bool,
}

impl Seed {
    /// The sample that the settings name, or the default households of their country. Paths are as the program can
    /// open them.
    ///
    /// # Errors
    /// Files that cannot be read, and every bad row.
    pub fn of(settings: &SynthesisSettings, country: &Country) -> Result<Self> {
        match (&settings.seed_households, &settings.seed_persons) {
            (Some(households), Some(persons)) => Self::read(households, persons),
            (None, None) => Ok(Self::default_of(country)),
            (given, _) => {
                let (is, lacks) = if given.is_some() {
                    ("seed_households", "seed_persons")
                } else {
                    ("seed_persons", "seed_households")
                };
                let place = Path::new("population.synthesis");
                Err(Problem::file(place, format!("`{is}` is given without `{lacks}`"))
                    .with_help("a sample is two files: households, and the persons in them")
                    .into())
            }
        }
    }

    /// The default households of a country.
    #[must_use]
    pub fn default_of(country: &Country) -> Self {
        let mut seed = Self { first_person: vec![0], ..Self::default() };
        for (members, weight) in &country.compositions {
            seed.households.push(SeedHousehold { weight: *weight, ..SeedHousehold::default() });
            let person = |&age_class: &u8| SeedPerson { age_class, ..SeedPerson::default() };
            seed.persons.extend(members.iter().map(person));
            seed.first_person.push(seed.persons.len() as u32);
        }
        seed
    }

    /// Reads a sample.
    ///
    /// # Errors
    /// Files that cannot be read, and every bad row.
    pub fn read(households: &Path, persons: &Path) -> Result<Self> {
        Self::from_tables(&table_of(households)?, &table_of(persons)?)
    }

    /// A sample out of two tables.
    ///
    /// # Errors
    /// Every bad row of both.
    pub fn from_tables(households: &Table, persons: &Table) -> Result<Self> {
        let mut problems = Problems::new();
        let (own, foreign) =
            (households.required("household_id", &mut problems), persons.required("household_id", &mut problems));
        let age = column(persons, "age").or_else(|| persons.required("age", &mut problems));
        problems.or_else(())?;
        let (Some(own), Some(foreign), Some(age)) = (own, foreign, age) else { return Ok(Self::default()) };
        if households.is_empty() {
            return Err(Problem::file(households.path(), "has no rows, expected households").into());
        }
        let mut problems = Problems::new();
        let mut seed = Self { is_sample: true, ..Self::default() };
        let mut row_of: BTreeMap<&str, u32> = BTreeMap::new();
        let [size, weight, cars, two_wheelers, income] =
            ["size", "weight", "cars", "two_wheelers", "income"].map(|name| column(households, name));
        let mut sizes: Vec<Option<i64>> = Vec::with_capacity(households.len());
        for row in households.rows() {
            let id = row.text(own);
            if id.is_empty() {
                problems.push(row.problem(own, "the id of the household"));
            } else if row_of.insert(id, seed.households.len() as u32).is_some() {
                problems.push(row.problem(own, "an id that occurs once"));
            }
            let known = |column: Option<Column>| column.filter(|&column| !row.text(column).is_empty());
            let mut count = |column: Option<Column>| {
                known(column)
                    .and_then(|column| row.integer(column, &mut problems, 0..=COUNT_MAX))
                    .map(|count| count as u8)
            };
            let (cars, two_wheelers) = (count(cars), count(two_wheelers));
            sizes.push(known(size).and_then(|column| row.integer(column, &mut problems, 1..=COUNT_MAX)));
            let weight = match known(weight) {
                Some(column) => {
                    let expected = "from 0 to 1e9";
                    row.number_where(column, &mut problems, expected, |w| (0.0..=WEIGHT_MAX).contains(&w))
                }
                None => Some(1.0),
            };
            let income = known(income).and_then(|column| row.finite(column, &mut problems));
            let weight = weight.unwrap_or_default();
            seed.households.push(SeedHousehold { weight, cars, two_wheelers, income });
        }
        let mut members: Vec<(u32, SeedPerson)> = Vec::with_capacity(persons.len());
        let columns = ["employed", "student", "licence", "transit_pass"].map(|name| column(persons, name));
        let sex = persons.optional("sex");
        let sexes = [
            ("female", Sex::Female),
            ("f", Sex::Female),
            ("male", Sex::Male),
            ("m", Sex::Male),
            ("1", Sex::Male),
            ("2", Sex::Female),
            ("unknown", Sex::Unknown),
        ];
        for row in persons.rows() {
            let household = row_of.get(row.text(foreign)).copied();
            if household.is_none() {
                problems.push(row.problem(foreign, "the id of a household of the sample"));
            }
            let age_years = row.integer(age, &mut problems, 0..=125).map(|age| age as u8);
            let known = |column: Option<Column>| column.filter(|&column| !row.text(column).is_empty());
            let sex = known(sex).and_then(|column| row.one_of(column, &mut problems, &sexes));
            let [employed, student, licence, transit_pass] =
                columns.map(|column| known(column).and_then(|column| row.flag(column, &mut problems)));
            let person = SeedPerson {
                age_years,
                age_class: age_class(age_years.unwrap_or_default()),
                sex,
                employed,
                student,
                licence,
                transit_pass,
            };
            members.extend(household.map(|household| (household, person)));
        }
        // Adults first, oldest class last: the order of the file decides among equals.
        members.sort_by_key(|(household, person)| (*household, person.age_class == 0));
        let mut counts = vec![0_u32; seed.households.len()];
        members.iter().for_each(|(household, _)| counts[*household as usize] += 1);
        for ((row, &count), size) in households.rows().zip(&counts).zip(&sizes) {
            match (count, size) {
                (0, _) => {
                    problems
                        .push(row.problem(own, format!("a household with persons in {}", persons.path().display())));
                }
                (COUNT_PAST_MAX.., _) => {
                    problems.push(row.problem(own, format!("at most {COUNT_MAX} persons, found {count}")));
                }
                (count, Some(size)) if i64::from(count) != *size => {
                    if let Some(column) = households.optional("size") {
                        problems.push(row.problem(column, format!("{count}, the persons of the household")));
                    }
                }
                _ => {}
            }
        }
        if seed.households.iter().map(|household| household.weight).sum::<f64>() <= 0.0 {
            problems
                .push(Problem::file(households.path(), "all weights are 0, expected households that stand for some"));
        }
        seed.persons = members.into_iter().map(|(_, person)| person).collect();
        seed.first_person = offsets(&counts);
        problems.or_else(seed)
    }

    /// Rows of the members of a household.
    #[must_use]
    pub fn members(&self, household: usize) -> std::ops::Range<usize> {
        self.first_person[household] as usize..self.first_person[household + 1] as usize
    }
    /// Whether every household says how many cars it has.
    #[must_use]
    pub fn knows_cars(&self) -> bool {
        self.households.iter().all(|household| household.cars.is_some())
    }
    /// Whether every household says its income.
    #[must_use]
    pub fn knows_income(&self) -> bool {
        self.households.iter().all(|household| household.income.is_some())
    }
    /// Whether every adult says whether they have a job.
    #[must_use]
    pub fn knows_employed(&self) -> bool {
        self.persons.iter().all(|person| person.age_class == 0 || person.employed.is_some())
    }
    /// Whether every adult says whether they have a licence.
    #[must_use]
    pub fn knows_licence(&self) -> bool {
        self.persons.iter().all(|person| person.age_class == 0 || person.licence.is_some())
    }
}

const COUNT_PAST_MAX: u32 = COUNT_MAX as u32 + 1;

/// Other names of columns: those under which this program writes them.
const WRITTEN: [(&str, &str); 6] = [
    ("income", "income_per_year"),
    ("age", "age_years"),
    ("employed", "is_employed"),
    ("student", "is_student"),
    ("licence", "has_licence"),
    ("transit_pass", "has_transit_pass"),
];

/// A column by its name or the one under which this program writes it.
fn column(table: &Table, name: &str) -> Option<Column> {
    let written = WRITTEN.iter().find(|(known, _)| *known == name).map(|(_, written)| *written);
    table.optional(name).or_else(|| table.optional(written?))
}

/// A table of a CSV or Parquet file.
fn table_of(path: &Path) -> Result<Table> {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("parquet")) {
        return Table::read(path);
    }
    let (names, columns) = TableReader::read(path)?.values();
    let rows = columns.first().map_or(0, Vec::len);
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        let quoted: Vec<String> = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        text.push_str(&quoted.join(","));
        text.push('\n');
    };
    line(&mut names.iter().cloned());
    for row in 0..rows {
        line(&mut columns.iter().map(|column| column[row].as_ref().map(|value| value.text()).unwrap_or_default()));
    }
    Table::from_bytes(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use urbis_city::geoparquet::TableWriter;
    use urbis_core::Error;

    fn read(households: &str, persons: &str) -> Result<Seed> {
        let table = |name: &str, text: &str| Table::from_bytes(Path::new(name), text.as_bytes());
        Seed::from_tables(&table("h.csv", households)?, &table("p.csv", persons)?)
    }

    fn said(result: Result<Seed>) -> String {
        let Error::Input(problems) = result.unwrap_err() else { panic!() };
        problems.listed().iter().map(|problem| format!("{problem}\n")).collect()
    }

    #[test]
    fn a_sample_is_read_and_adults_come_first() {
        let seed = read(
            "household_id,size,income,cars,weight\na,2,1000.5,1,10\nb,1,-5,0,2.5\n",
            "household_id,age,SEX,employed\nb,70,m,no\na,7,F,0\na,36,female,1\n",
        )
        .unwrap();
        assert_eq!((seed.first_person.as_slice(), seed.is_sample), ([0, 2, 3].as_slice(), true));
        assert_eq!(seed.persons[0].age_years, Some(36));
        assert_eq!((seed.persons[1].age_class, seed.persons[1].sex), (0, Some(Sex::Female)));
        assert_eq!(seed.households[1].income, Some(-5.0));
        assert!(seed.knows_cars() && seed.knows_employed() && !seed.knows_licence());
    }

    #[test]
    fn parquet_and_csv_are_the_same() {
        let place = tempfile::tempdir().unwrap();
        let mut table = TableWriter::new("households");
        table.text("household_id", "", ["a", "b"]);
        table.count("cars", "", "", &[1, 0]);
        table.write(&place.path().join("h.parquet")).unwrap();
        let mut table = TableWriter::new("persons");
        table.text("household_id", "", ["a", "b"]);
        table.whole("age", "", "", &[40, 50]);
        table.flag("licence", "", &[true, false]);
        table.write(&place.path().join("p.parquet")).unwrap();
        let parquet = Seed::read(&place.path().join("h.parquet"), &place.path().join("p.parquet")).unwrap();
        let csv = read("household_id,cars\na,1\nb,0\n", "household_id,age,licence\na,40,true\nb,50,false\n").unwrap();
        assert_eq!(parquet, csv);
    }

    #[test]
    fn every_bad_row_is_named() {
        let all = said(read(
            "household_id,size,cars,weight\na,2,-1,1\na,1,0,x\nc,1,0,1\n",
            "household_id,age,employed\na,200,yes\nd,30,maybe\n",
        ));
        for words in [
            "h.csv row 1: cars = -1, expected a whole number from 0 to 99",
            "h.csv row 2: household_id = a, expected an id that occurs once",
            "h.csv row 2: weight = x, expected a number from 0 to 1e9",
            "p.csv row 1: age = 200, expected a whole number from 0 to 125",
            "p.csv row 2: household_id = d, expected the id of a household of the sample",
            "p.csv row 2: employed = maybe, expected true or false",
            "h.csv row 3: household_id = c, expected a household with persons in p.csv",
        ] {
            assert!(all.contains(words), "{words} in {all}");
        }
        let sizes = said(read("household_id,size\na,2\n", "household_id,age\na,30\n"));
        assert!(sizes.contains("h.csv row 1: size = 2, expected 1, the persons of the household"), "{sizes}");
        assert!(said(read("household_id\n", "household_id,age\n")).contains("has no rows"));
        assert!(said(read("id\n1\n", "household_id,age\n")).contains("column `household_id` is missing"));
        let weights = said(read("household_id,weight\na,0\n", "household_id,age\na,30\n"));
        assert!(weights.contains("all weights are 0"), "{weights}");
        let settings = SynthesisSettings { seed_persons: Some("p.csv".into()), ..SynthesisSettings::default() };
        let lonely = said(Seed::of(&settings, &Country::default()));
        assert!(lonely.contains("`seed_persons` is given without `seed_households`"), "{lonely}");
    }

    proptest! {
        #[test]
        fn never_panics(
            households in "(household_id,size,weight,cars,income|household_id)\n([a-c],[0-9-]{0,3},[0-9.e-]{0,4},[0-9]{0,3},[0-9a-z.-]{0,5}\n|[a-c]\n){0,12}",
            persons in "household_id,age,sex,employed\n([a-d],[0-9-]{0,4},[fmx]{0,2},[01y]{0,2}\n){0,20}",
            bytes: Vec<u8>,
        ) {
            drop(read(&households, &persons));
            let bad = Table::from_bytes(Path::new("h.csv"), &bytes);
            if let (Ok(bad), Ok(good)) = (bad, Table::from_bytes(Path::new("p.csv"), persons.as_bytes())) {
                drop(Seed::from_tables(&bad, &good));
                drop(Seed::from_tables(&good, &bad));
            }
        }
    }
}
