//! `urbis results push`, `pull` and `list`: whole runs between folders and object stores.

use crate::args::{TableFormat, results_folder};
use crate::batch_out::{STUDY, open_store};
use crate::screen::{print, print_json, table};
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::PathBuf;
use urbis_core::{Problem, Result};
use urbis_store::Pushed;

#[derive(Debug, Args)]
pub(crate) struct PushArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath, value_parser = results_folder)]
    results: PathBuf,
    /// Where they go, such as s3://bucket/prefix
    url: String,
    #[command(flatten)]
    which: WhichRuns,
}

#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// Where they are, such as s3://bucket/prefix
    url: String,
    /// Folder of the results; other runs in it are kept
    #[arg(value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    #[command(flatten)]
    which: WhichRuns,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Where the results are, such as s3://bucket/prefix
    url: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// Which runs go from here to there.
#[derive(Debug, Args)]
struct WhichRuns {
    /// Runs of this scenario, may be given again [default: all]
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Runs with this seed, may be given again [default: all]
    #[arg(long, value_name = "S")]
    seed: Vec<u64>,
}

impl WhichRuns {
    fn has(&self, scenario: &str, seed: u64) -> bool {
        (self.scenario.is_empty() || self.scenario.iter().any(|name| name == scenario))
            && (self.seed.is_empty() || self.seed.contains(&seed))
    }
}

/// Puts runs of a folder into a store.
pub(crate) fn push(arguments: &PushArguments) -> Result<()> {
    let store = open_store(&arguments.url)?;
    let ids = urbis_appraisal::run_ids(&arguments.results)?;
    let wanted: Vec<_> = ids.iter().filter(|((scenario, seed), _)| arguments.which.has(scenario, *seed)).collect();
    if wanted.is_empty() {
        let known: Vec<String> = ids.keys().map(|(scenario, seed)| format!("{scenario} seed {seed}")).collect();
        let problem = Problem::file(&arguments.results, "no such finished run");
        return Err(problem.with_help(format!("finished runs here: {}", known.join(", "))).into());
    }
    let mut now = 0;
    for ((scenario, seed), run_id) in &wanted {
        now += usize::from(store.push(&arguments.results, scenario, *seed, run_id)? == Pushed::Now);
    }
    if wanted.len() == ids.len() {
        let study = arguments.results.join(STUDY);
        for name in ["study.toml", "manifest.csv"] {
            if let Ok(bytes) = std::fs::read(study.join(name)) {
                store.put_note(&format!("{STUDY}/{name}"), &bytes)?;
            }
        }
    }
    store.seal()?;
    let before = wanted.len() - now;
    print(&format!("{now} runs pushed, {before} were there: {}\n", store.url()))
}

/// Fetches runs of a store into a folder.
pub(crate) fn pull(arguments: &PullArguments) -> Result<()> {
    let store = open_store(&arguments.url)?;
    let pulled = store.pull(&arguments.folder, STUDY, &|scenario, seed| arguments.which.has(scenario, seed))?;
    let (fetched, kept) = (pulled.fetched, pulled.kept);
    print(&format!("{fetched} runs pulled, {kept} were there: {}\n", arguments.folder.display()))
}

/// Tells the finished runs of a store.
pub(crate) fn list(arguments: &ListArguments) -> Result<()> {
    let store = open_store(&arguments.url)?;
    let (runs, hash) = (store.runs()?, store.hash()?);
    if arguments.format == TableFormat::Json {
        let runs = runs.iter().map(|((scenario, seed), commit)| {
            json!({"scenario": scenario, "seed": seed, "run_id": commit.run_id, "marker_hash": commit.hash()})
        });
        return print_json(&json!({"hash": hash, "runs": runs.collect::<Vec<_>>()}));
    }
    let cells =
        runs.iter().map(|((scenario, seed), commit)| vec![scenario.clone(), seed.to_string(), commit.run_id.clone()]);
    print(&table(&["scenario", "seed", "run id"], &[1], cells))?;
    print(&format!("\n{} finished runs; hash of the results {}\n", runs.len(), hash.as_deref().unwrap_or("-")))
}
