//! The people of a scenario without their day: scenario file, city package, synthesis, tables and a report of how well
//! the people fit what is known of them.

use crate::run::{Progress, ensure_package};
use crate::threads;
use std::path::{Path, PathBuf};
use urbis_city::geoparquet::TableWriter;
use urbis_city::model::City;
use urbis_city::package;
use urbis_core::files::{create_folder, write_whole};
use urbis_core::{PersonIx, Result};
use urbis_output::stopwatch::Stopwatch;
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::synthesis::residents::{Synthetic, synthesise as residents};
use urbis_population::{FitReport, Households, Persons, Place};

/// How to make people.
#[derive(Clone, Debug, Default)]
pub struct SynthesisOptions {
    /// Folder of the tables; none are written where absent. Other files in it are kept.
    pub out: Option<PathBuf>,
    /// Worker threads; as many as there are processors where absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Seed, instead of the scenario's.
    pub seed: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SynthesisSummary {
    /// Name of the city.
    pub city: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Seed that was used.
    pub seed: u64,
    /// Persons made.
    pub persons: usize,
    /// Households made.
    pub households: usize,
    /// Buildings with jobs.
    pub firms: usize,
    /// How well they fit.
    pub report: FitReport,
    /// Wall time of the synthesis alone, seconds.
    pub synthesis_s: f64,
    /// Worker threads.
    pub threads: usize,
    /// Files written.
    pub files: Vec<PathBuf>,
}

/// Makes the people of a scenario; with a folder also `persons.parquet`, `households.parquet`, `firms.parquet` and
/// `fit.csv`.
///
/// # Errors
/// Bad input, or a place that cannot be read or written.
pub fn synthesise(
    scenario_path: &Path,
    options: &SynthesisOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<SynthesisSummary> {
    let loaded = urbis_scenario::load(scenario_path)?;
    let seed = options.seed.unwrap_or(loaded.scenario.seed);
    let (pool, threads) = threads::pool(options.threads)?;
    let package_dir = ensure_package(&loaded, &mut |text| progress(Progress::Phase(text)))?;
    progress(Progress::Phase(&format!("reading the city package {}", package_dir.display())));
    let city = crate::land_use::changed(&loaded, package::read(&package_dir)?)?;
    progress(Progress::Phase("making people"));
    let settings = loaded.population();
    let stopwatch = Stopwatch::start();
    let made = pool.install(|| residents(&city, &settings, seed))?;
    let synthesis_s = stopwatch.seconds();
    let jobs = Jobs::new(&city, &settings)?;
    let mut files = Vec::new();
    if let Some(out) = &options.out {
        progress(Progress::Phase("writing tables"));
        create_folder(out)?;
        let Synthetic { persons, households, report } = &made;
        let names = ["persons.parquet", "households.parquet", "firms.parquet", "fit.csv"].map(|name| out.join(name));
        write_persons(&city, persons, &names[0])?;
        write_households(&city, households, &names[1])?;
        write_firms(&city, &jobs, &names[2])?;
        write_whole(&names[3], report.csv().as_bytes())?;
        files.extend(names);
    }
    Ok(SynthesisSummary {
        city: city.manifest.name,
        scenario: loaded.scenario.name,
        seed,
        persons: made.persons.len(),
        households: made.households.len(),
        firms: jobs.jobs.iter().filter(|&&count| count > 0).count(),
        report: made.report,
        synthesis_s,
        threads,
        files,
    })
}

fn building(city: &City, place: Place) -> &str {
    city.buildings.id.get(place.row()).map_or("", String::as_str)
}

fn zone(city: &City, place: Place) -> &str {
    let zone = city.buildings.zone.get(place.row());
    zone.and_then(|zone| city.zones.id.get(zone.row())).map_or("", String::as_str)
}

fn numbers(rows: usize) -> Vec<u32> {
    (0..rows as u32).collect()
}

fn write_persons(city: &City, persons: &Persons, path: &Path) -> Result<()> {
    let mut table = TableWriter::new("Residents, in order of zone, household and member.");
    table.count("person_id", "", "Running number.", &numbers(persons.len()));
    table.count("household_id", "", "Household; key of households.parquet.", &persons.household);
    table.text("home_building", "Building they live in.", persons.home.iter().map(|&home| building(city, home)));
    table.text("home_zone", "Zone they live in.", persons.home.iter().map(|&home| zone(city, home)));
    table.small("age_years", "years", "Age.", &persons.age_years);
    table.text("sex", "female, male or unknown.", persons.sex.iter().map(|sex| sex.name()));
    table.flag("is_employed", "Has a job.", &persons.employed);
    table.flag("is_pupil", "Goes to school.", &persons.pupil);
    table.flag("is_student", "Goes to school or studies.", &persons.is_student);
    table.flag("has_licence", "Has a licence to drive a car.", &persons.has_licence);
    table.flag("has_car", "Can take a car: licence, and a car in the household.", &persons.has_car);
    table.flag("has_two_wheeler", "Can take a motor two-wheeler.", &persons.has_two_wheeler);
    table.flag("has_transit_pass", "Has a public transport pass.", &persons.has_transit_pass);
    table.write(path)
}

fn write_households(city: &City, households: &Households, path: &Path) -> Result<()> {
    let mut table = TableWriter::new("Households of the residents, in order of zone.");
    let zones = households.zone.iter().map(|zone| city.zones.id[zone.row()].as_str());
    let first: Vec<u32> = households.first_person.iter().map(|&PersonIx(first)| first).collect();
    table.count("household_id", "", "Running number.", &numbers(households.len()));
    table.text("home_building", "Building they live in.", households.home.iter().map(|&home| building(city, home)));
    table.text("zone_id", "Zone they live in.", zones);
    table.count("first_person_id", "", "First of its persons; the others follow.", &first);
    table.count("size", "persons", "Persons.", &households.size);
    table.small("cars", "cars", "Cars.", &households.cars);
    table.small("two_wheelers", "vehicles", "Motor two-wheelers.", &households.two_wheelers);
    table.small("income_class", "", "1, the lowest, to 5.", &households.income_class);
    let unit = if households.currency.is_empty() {
        "as in the sample".to_owned()
    } else {
        format!("{}/a", households.currency)
    };
    table.number("income_per_year", &unit, "Gross income of a year.", &households.income_per_year);
    table.write(path)
}

fn write_firms(city: &City, jobs: &Jobs, path: &Path) -> Result<()> {
    let rows: Vec<usize> = (0..jobs.jobs.len()).filter(|&row| jobs.jobs[row] > 0).collect();
    let counts: Vec<u32> = rows.iter().map(|&row| jobs.jobs[row]).collect();
    let mut table = TableWriter::new("Buildings with jobs.");
    table.text("building_id", "Building.", rows.iter().map(|&row| city.buildings.id[row].as_str()));
    table.text("zone_id", "Zone.", rows.iter().map(|&row| zone(city, Place(row as u32))));
    table.text("sector", "Sector, by the main use of the building.", rows.iter().map(|&row| jobs.sector[row].name()));
    table.count("jobs", "jobs", "Jobs.", &counts);
    table.write(path)
}
