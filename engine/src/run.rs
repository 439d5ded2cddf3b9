//! The whole journey: scenario file, city package, world, steps, results folder.

use crate::Simulation;
use crate::groundwork::Groundwork;
use crate::kept::Kept;
use crate::land_use;
use crate::learning::Round;
use crate::threads;
use crate::travel_policies;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use urbis_city::{build, package};
use urbis_core::{Error, Result};
use urbis_output::{Kpi, ResultsWriter, RunEnd, RunFacts, Table, machine, stopwatch};
use urbis_scenario::{Loaded, Scenario};

/// How to run a scenario.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Results folder; results of other runs in it stay.
    pub out: PathBuf,
    /// Worker threads; as many as there are processors where absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Seed, instead of the scenario's.
    pub seed: Option<u64>,
    /// Folder of what this run has in common with others, which is taken from it or put there; every run may do
    /// without. Results do not depend on it.
    pub common: Option<PathBuf>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A new phase begins.
    Phase(&'a str),
    /// So many ticks of the period are done.
    Tick {
        /// Ticks done.
        tick: u32,
        /// Ticks of the period.
        end: u32,
    },
}

/// What a finished run left.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Results folder.
    pub out: PathBuf,
    /// Name of the city: indicators of the whole city carry it as their zone.
    pub city: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Seed that was used.
    pub seed: u64,
    /// Content-hashed id of the run.
    pub run_id: String,
    /// Indicators beside published figures.
    pub kpis: Vec<Kpi>,
    /// What of the input disagrees, in sentences: figures for one thing that differ.
    pub warnings: Vec<String>,
    /// Wall time, seconds.
    pub wall_s: f64,
    /// Worker threads.
    pub threads: usize,
    /// Largest memory the process held, bytes; 0 where the system does not say.
    pub peak_memory_bytes: u64,
}

/// Ticks between looks at the stop flag and reports of progress.
const REPORT_TICKS: u32 = 60;

/// Runs a scenario. `stop` is looked at between ticks: when it is set, nothing of the run is left.
///
/// # Errors
/// Bad input, a place that cannot be read or written, a broken ledger, or [`Error::Interrupted`].
pub fn run(
    scenario_path: &Path,
    options: &RunOptions,
    progress: &mut dyn FnMut(Progress<'_>),
    stop: &AtomicBool,
) -> Result<RunSummary> {
    run_loaded(&urbis_scenario::load(scenario_path)?, options, progress, stop)
}

/// Runs a scenario that was read already; see [`run`].
///
/// # Errors
/// As [`run`].
pub fn run_loaded(
    loaded: &Loaded,
    options: &RunOptions,
    progress: &mut dyn FnMut(Progress<'_>),
    stop: &AtomicBool,
) -> Result<RunSummary> {
    let (pool, threads) = threads::pool(options.threads)?;
    // Progress goes to the caller, which need not be able to cross threads: steps run on this thread,
    // and whatever is parallel inside them on the pool.
    let (sender, receiver) = std::sync::mpsc::channel::<OwnedProgress>();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut report = |event: OwnedProgress| drop(sender.send(event));
            let summary = pool.install(|| run_on_pool(loaded, options, threads, &mut report, stop));
            drop(sender);
            summary
        });
        for event in receiver {
            match event {
                OwnedProgress::Phase(text) => progress(Progress::Phase(&text)),
                OwnedProgress::Tick { tick, end } => progress(Progress::Tick { tick, end }),
            }
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Progress on its way from the pool to the caller's thread.
enum OwnedProgress {
    Phase(String),
    Tick { tick: u32, end: u32 },
}

fn run_on_pool(
    loaded: &Loaded,
    options: &RunOptions,
    threads: usize,
    report: &mut (dyn FnMut(OwnedProgress) + Send),
    stop: &AtomicBool,
) -> Result<RunSummary> {
    let stopwatch = stopwatch::Stopwatch::start();
    let seed = options.seed.unwrap_or(loaded.scenario.seed);
    let package = ensure_package(loaded, &mut |text| report(OwnedProgress::Phase(text.to_owned())))?;
    report(OwnedProgress::Phase(format!("reading the city package {}", package.display())));
    let city = package::read(&package)?;
    let facts = facts(loaded, &city.manifest, seed)?;
    let run_id = facts.run_id();
    let city_name = city.manifest.name.clone();
    let writer = ResultsWriter::create(&options.out, &package, facts, &tables(loaded))?;
    report(OwnedProgress::Phase("making people, vehicles and loads".to_owned()));
    let is_stopped = || stop.load(Ordering::Relaxed);
    let kept = Kept::new(options.common.clone());
    let mut warms_up = |round: &Round| report(OwnedProgress::Phase(format!("before policies, {round}")));
    let groundwork = Groundwork::lay(loaded, &city, seed, &kept, &mut warms_up, &is_stopped)?;
    let mut simulation = Simulation::on(groundwork, loaded, city, seed, writer)?;
    for note in simulation.world().resource::<urbis_coupling::CityTransit>().notes() {
        report(OwnedProgress::Phase(note));
    }
    let warnings = simulation.world().resource::<urbis_population::FitReport>().warnings.clone();
    simulation.learn(
        &loaded.scenario.population.feedback,
        &mut |round| report(OwnedProgress::Phase(round.to_string())),
        &is_stopped,
    )?;
    let end = simulation.clock().end();
    report(OwnedProgress::Phase(format!("stepping {} h of the city", end / 3600)));
    loop {
        let done = simulation.clock().next();
        if done.is_multiple_of(REPORT_TICKS) {
            report(OwnedProgress::Tick { tick: done, end });
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted { tick: done });
            }
        }
        if !simulation.step()? {
            break;
        }
    }
    report(OwnedProgress::Tick { tick: end, end });
    report(OwnedProgress::Phase("writing trips and indicators".to_owned()));
    let set_wall_s = simulation.set_wall_s();
    let (mut writer, kpis) = simulation.finish()?;
    if loaded.scenario.output.tables.kpis.enabled {
        kpis.iter().try_for_each(|kpi| writer.kpis(&kpi.row()))?;
    }
    let wall_s = stopwatch.seconds();
    let peak_memory_bytes = machine::peak_memory_bytes();
    writer.finish(&RunEnd {
        ticks: end,
        threads: threads as u32,
        wall_s,
        set_wall_s,
        peak_memory_bytes,
        started_utc_ms: stopwatch.started_utc_ms(),
        os: machine::os(),
        cpu: machine::cpu(),
    })?;
    let scenario = loaded.scenario.name.clone();
    Ok(RunSummary {
        out: options.out.clone(),
        city: city_name,
        scenario,
        seed,
        run_id,
        kpis,
        warnings,
        wall_s,
        threads,
        peak_memory_bytes,
    })
}

/// The scenario's city package, built from its recipe when it is absent or out of date.
///
/// # Errors
/// When there is neither a package nor a recipe, or the build fails.
pub fn ensure_package(loaded: &Loaded, progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let package_dir = loaded.package();
    let Some(recipe) = loaded.recipe() else {
        if package_dir.join("manifest.json").is_file() {
            return Ok(package_dir);
        }
        let message = format!("there is no city package at {}", package_dir.display());
        return Err(Error::from(
            loaded
                .problem_at("city.package", &message, "not a city package")
                .with_help("build it with `urbis city build RECIPE --out DIR`, or name its recipe in `city.recipe`"),
        ));
    };
    if package_dir.join("manifest.json").is_file() {
        let is_current = package::read_manifest(&package_dir).ok().map(|manifest| manifest.content_hash)
            == Some(build::content_hash(&recipe)?);
        if is_current {
            return Ok(package_dir);
        }
        progress(&format!("the city package {} is out of date", package_dir.display()));
    }
    progress(&format!("building the city package {} from {}", package_dir.display(), recipe.display()));
    build::build(&recipe, &package_dir, progress)?;
    Ok(package_dir)
}

/// The ids that runs of a scenario with these seeds will have; its city package must be there for them.
///
/// # Errors
/// When the package cannot be read.
pub fn run_ids(loaded: &Loaded, seeds: &[u64]) -> Result<Vec<String>> {
    let mut facts = facts(loaded, &package::read_manifest(&loaded.package())?, loaded.scenario.seed)?;
    let id = |&seed: &u64| {
        facts.seed = seed;
        facts.run_id()
    };
    Ok(seeds.iter().map(id).collect())
}

fn facts(loaded: &Loaded, manifest: &urbis_city::model::Manifest, seed: u64) -> Result<RunFacts> {
    let scenario = &loaded.scenario;
    let timing = loaded.timing()?;
    let mut credits: Vec<&str> = manifest.sources.iter().map(|source| source.attribution.as_str()).collect();
    credits.sort_unstable();
    credits.dedup();
    Ok(RunFacts {
        scenario: scenario.name.clone(),
        seed,
        title: scenario.title.clone(),
        scenario_hash: hash_with_files(loaded, loaded.hash()),
        city_hash: manifest.content_hash.clone(),
        city: manifest.name.clone(),
        attribution: credits.join("; "),
        time_zone: scenario.period.time_zone.clone(),
        local_offset_s: timing.local_offset_s,
        start_utc_ms: timing.start_utc_ms,
        duration_s: f64::from(timing.ticks),
        scenario_toml: loaded.to_toml(),
    })
}

/// A hash of settings with the files that a scenario names beside the city's, so that equal ids mean equal input.
pub(crate) fn hash_with_files(loaded: &Loaded, settings: String) -> String {
    let (population, transit) = (loaded.population(), &loaded.scenario.transit);
    let synthesis = &population.synthesis;
    let mut files: Vec<PathBuf> = [&population.day_tables, &synthesis.seed_households, &synthesis.seed_persons]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    files.extend(loaded.weather().file);
    let grid = &loaded.scenario.power.grid;
    let named = transit.feeds.iter().map(|feed| &feed.0).chain(&grid.case).chain(&grid.buildings);
    let (water, gas, heat) = (&loaded.scenario.water, &loaded.scenario.gas, &loaded.scenario.heat);
    let named = named.chain(&water.case).chain(&water.buildings);
    let named = named.chain(&gas.case).chain(&gas.buildings).chain(&heat.case).chain(&heat.buildings);
    let (sewer, telecom) = (&loaded.scenario.sewer, &loaded.scenario.telecom);
    let named = named.chain(&sewer.case).chain(&sewer.buildings).chain(&sewer.rain).chain(&telecom.sites);
    let areas = loaded.scenario.policy.iter().map(|of| &of.area).chain(loaded.scenario.event.iter().map(|of| &of.area));
    let named = named.chain(areas.flatten().filter_map(|area| area.file.as_ref()));
    let named = named.chain(&loaded.scenario.emergency.stations).map(|path| loaded.resolve(path));
    for path in named.chain(travel_policies::new_feeds(loaded)).chain(land_use::files(loaded)) {
        match std::fs::read_dir(&path) {
            Ok(entries) => {
                let mut inside: Vec<PathBuf> =
                    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
                inside.sort();
                files.append(&mut inside);
            }
            Err(_) => files.push(path),
        }
    }
    if files.is_empty() {
        return settings;
    }
    let mut text = settings;
    for file in &files {
        // A file that cannot be read is told where it is needed, with what it is for.
        text.push_str(&urbis_core::hash::sha256_file(file).unwrap_or_default());
    }
    urbis_core::hash::sha256_hex(text.as_bytes())
}

/// Tables of the electric grid.
const OF_GRID: [Table; 5] =
    [Table::BusState, Table::BranchState, Table::SubstationLoad, Table::EnergyBalance, Table::Outages];

/// Tables of networks of pipes that a scenario does not have.
fn of_absent_pipes(scenario: &Scenario) -> Vec<Table> {
    let (has_water, has_gas, has_heat) = (!scenario.water.is_none(), !scenario.gas.is_none(), !scenario.heat.is_none());
    let has_sewer = !scenario.sewer.is_none();
    let has_pipes = has_water || has_gas || has_heat || has_sewer;
    let has_service = has_pipes || !scenario.power.grid.is_none() || !scenario.telecom.is_none();
    [
        (has_water, &[Table::WaterNode, Table::WaterLink, Table::Tank][..]),
        (has_gas, &[Table::GasNode, Table::GasLink]),
        (has_heat, &[Table::HeatNode, Table::HeatLink]),
        (has_pipes, &[Table::UtilityBalance]),
        (has_pipes || !scenario.power.grid.is_none(), &[Table::NetworkElement]),
        (has_sewer, &[Table::SewerNode]),
        (has_service, &[Table::Service]),
    ]
    .into_iter()
    .filter(|(is_there, _)| !is_there)
    .flat_map(|(_, tables)| tables.iter().copied())
    .collect()
}

/// The tables that get a file even if no row comes.
fn tables(loaded: &Loaded) -> Vec<Table> {
    let schedules = loaded.scenario.output.tables.schedules();
    let absent = of_absent_pipes(&loaded.scenario);
    Table::ALL
        .iter()
        .copied()
        .filter(|table| *table != Table::Parking || loaded.scenario.traffic.parking.enabled)
        .filter(|table| !OF_GRID.contains(table) || !loaded.scenario.power.grid.is_none())
        .filter(|table| !absent.contains(table))
        .filter(|table| *table != Table::Bills || !loaded.scenario.bills.is_default())
        .filter(|table| *table != Table::Events || !loaded.scenario.event.is_empty())
        .filter(|table| *table != Table::Evacuation || crate::events::evacuate(&loaded.scenario))
        .filter(|table| *table != Table::Exposure || loaded.scenario.coupling.traffic_to_people)
        .filter(|table| *table != Table::Payments || crate::policies::take_money(&loaded.scenario))
        .filter(|table| *table != Table::EmergencyCall || !loaded.scenario.emergency.is_none())
        .filter(|table| schedules.iter().any(|schedule| schedule.table == table.name() && schedule.enabled))
        .collect()
}
