//! The networks of a town in one run: electricity, gas, heat and water, each from its file, coupled in memory step by step.
//!
//! ```text
//! electricity -> gas boilers and heat stations of dark houses, plants without electricity     within the step
//! gas, heat   -> electric heaters in houses that lack them                                    a step later
//! ```
//!
//! [`Town`] is the run in memory, [`run`] reads a file (`settings`), goes through its time and writes tables (`tables`). A
//! step solves what changed: a network whose inputs are those of the step before keeps its state, which is the state that
//! these inputs give. Every ledger is looked at in every step ([`Account::check`]). A run can be put down and taken
//! up ([`checkpoint`]).
//!
//! Ignored: what people do about a failure, water and sewers that need heat or gas, pressure of gas and water that acts on
//! demands. Contract: the same bits on any number of threads, and after any pause.

mod books;
pub mod checkpoint;
mod elements;
mod gas;
mod heat;
mod houses;
mod power;
mod settings;
mod tables;
mod town;
mod water;

pub use books::{Account, Totals, limit, unit};
pub use gas::GasPart;
pub use heat::HeatPart;
pub use houses::Houses;
pub use power::PowerPart;
pub use settings::{
    Couplings, Failure, GasNet, HeatMethod, HeatNet, LinkTable, NetworkName, Output, PlantNeed, PowerNet, Profile,
    TimeOfRun, TownSettings, WaterNet,
};
pub use town::{NETWORKS, Town};
pub use water::{WaterPart, WaterState};

use crate::solved_folder::{keep_apart, make_ready, write_summary};
use crate::threads;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use tables::Record;
use urbis_core::{Problem, Result};

/// What to run, and how far.
#[derive(Clone, Debug, Default)]
pub struct TownOptions {
    /// The town's file.
    pub town: PathBuf,
    /// Folder of the results; other files in it stay.
    pub out: PathBuf,
    /// Where the run is written down when it ends.
    pub checkpoint: Option<PathBuf>,
    /// A run that was written down, which is taken up; tables have the steps from there on.
    pub resume: Option<PathBuf>,
    /// Time at which the run ends, seconds since the start of the town's time; all of it where absent.
    pub until_s: Option<u32>,
    /// Worker threads; as many as there are processors where absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct TownSummary {
    /// What `summary.json` holds.
    pub json: Json,
    /// What readers left out, by file.
    pub notes: Vec<(PathBuf, String)>,
    /// Names of the tables.
    pub tables: Vec<&'static str>,
    /// Why the results are not what was asked for, if they are not: steps that were not solved.
    pub failure: Option<String>,
}

/// Runs a town and writes its tables.
///
/// # Errors
/// Files that are not right, a folder that cannot be written, a ledger that does not close. Steps that are not solved are no
/// error: their tables are written, and the summary says so.
pub fn run(options: &TownOptions) -> Result<TownSummary> {
    threads::pool(options.threads)?.0.install(|| {
        let mut town = Town::read(&options.town)?;
        for input in town.settings.nets().into_iter().chain([options.town.as_path()]) {
            keep_apart(input, &options.out)?;
        }
        if let Some(file) = &options.resume {
            checkpoint::read(&mut town, file)?;
        }
        let end = end_step(&town, options)?;
        make_ready(&options.out)?;
        let first = town.next_step();
        let mut record = Record::new(&town);
        while town.next_step() < end {
            let time_s = town.time_s();
            town.step()?;
            record.take(&town, time_s);
        }
        let tables = record.write(&town, &options.out, options.as_csv)?;
        if let Some(file) = &options.checkpoint {
            checkpoint::write(&mut town, file)?;
        }
        let json = summary(&town, first);
        write_summary(&options.out, &json)?;
        Ok(TownSummary { failure: failure(&town), notes: town.notes(), tables, json })
    })
}

/// The step before which a run ends.
fn end_step(town: &Town, options: &TownOptions) -> Result<u32> {
    let (steps, step_s) = (town.settings.steps(), town.settings.step_s);
    let Some(until_s) = options.until_s else { return Ok(steps) };
    let (at, first_s) = (until_s / step_s, town.time_s());
    if until_s % step_s != 0 || at > steps || until_s <= first_s {
        let most_s = steps * step_s;
        let what = format!("{until_s} s, expected whole steps of {step_s} s after {first_s} s, at most {most_s} s");
        return Err(Problem::file("--until".as_ref(), what).into());
    }
    Ok(at)
}

fn summary(town: &Town, first: u32) -> Json {
    let step_s = town.settings.step_s;
    let of_network = |network: NetworkName, of: &Totals| {
        json!({
            "customers": of.customers, "unserved_customer_h": of.unserved_customer_h,
            "worst_unserved_customers": of.worst_customers,
            "worst_s": (of.worst_customers > 0).then_some(of.worst_s),
            "unit": unit(network), "asked": of.asked, "supplied": of.supplied, "served": of.served, "lost": of.lost,
            "stored": of.stored, "got": of.got, "unserved": (of.asked - of.got).max(0.0), "residual": of.residual,
            "residual_share_max": of.worst_share, "residual_share_limit": limit(network),
            "solves": of.solves, "unsolved_steps": of.unsolved,
            "first_unsolved_s": (of.unsolved > 0).then_some(of.first_unsolved_s),
        })
    };
    let networks = NETWORKS.into_iter().filter_map(|network| {
        let totals = town.totals(network)?;
        Some((network.name().to_owned(), of_network(network, totals)))
    });
    json!({
        "town": town.settings.name, "inputs_sha256": town.inputs_hash, "step_s": step_s,
        "steps": town.settings.steps(), "first_step": first, "next_step": town.next_step(),
        "is_complete": town.is_done(), "networks": networks.collect::<serde_json::Map<String, Json>>(),
        "notes": town.notes().iter().map(|(file, note)| format!("{}: {note}", file.display())).collect::<Vec<_>>(),
    })
}

/// Why results are not what was asked for.
fn failure(town: &Town) -> Option<String> {
    let of = NETWORKS.into_iter().filter_map(|network| Some((network, town.totals(network)?)));
    let told: Vec<String> = of
        .filter(|(_, totals)| totals.unsolved > 0)
        .map(|(network, of)| {
            format!("{}: {} steps were not solved, the first at {} s", network.name(), of.unsolved, of.first_unsolved_s)
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}
