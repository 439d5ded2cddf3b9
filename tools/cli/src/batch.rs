//! `urbis batch`: the runs of a study, planned, run and looked at.
//!
//! A study's folder is an ordinary results folder with `study/` in it: the study as it was run, the manifest, and why
//! runs failed. A run is done when the results hold it under the id that the manifest gives it, so running a batch
//! again does what is missing and nothing else.

use crate::args::TableFormat;
use crate::batch_jobs::{self, Job, Limits};
use crate::progress::Display;
use crate::results::{stop_on_signal, summary_json};
use crate::screen::{print, print_json, say, table};
use clap::{Args, Subcommand, ValueHint};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use urbis::RunOptions;
use urbis_core::files::{create_folder, write_whole};
use urbis_core::{Error, Problem, Problems, Result};
use urbis_scenario::{LoadedStudy, load_study};

/// Variables in which array jobs of Slurm, Kubernetes and HyperQueue tell a task its number.
const INDEX_VARIABLES: [&str; 3] = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "HQ_TASK_ID"];
/// Folder of the study within its results.
const STUDY: &str = "study";

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Print the manifest of a study: one row for each run
    Plan(PlanArguments),
    /// Run what a results folder lacks of a study
    Run(BatchRunArguments),
    /// Say which runs of a study are done, failed or missing
    Status(StatusArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  urbis batch plan scenarios/town/study.toml --format csv > manifest.csv")]
pub(crate) struct PlanArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Form of the manifest
    #[arg(long, value_enum, default_value_t)]
    format: ManifestFormat,
}

/// Forms of a manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ManifestFormat {
    /// For people
    #[default]
    Table,
    /// For spreadsheets and scripts
    Csv,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Runs that are done are kept: after a kill, a failure or a change of the study the same command does what
is missing. Runs are processes of their own; all of them write into one results folder, and their results do
not depend on how many run side by side.

On a cluster, run one row in each task of an array job: --index, or the number that Slurm
(SLURM_ARRAY_TASK_ID), Kubernetes (JOB_COMPLETION_INDEX) or HyperQueue (HQ_TASK_ID) gives the task.

Examples:
  urbis batch run scenarios/town/study.toml --out out/study
  urbis batch run scenarios/town/study.toml --out out/study --jobs 2 --memory-gib 8
  urbis batch run scenarios/town/study.toml --out out/study --index 3"
)]
pub(crate) struct BatchRunArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Folder of the results; what is done in it is kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Runs side by side, as far as memory allows [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Threads of each run [default: the cores shared out among the jobs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory that all runs together may take [default: four fifths of what is free]
    #[arg(long, value_name = "GIB")]
    memory_gib: Option<f64>,
    /// Run this row of the manifest alone
    #[arg(long, value_name = "I")]
    index: Option<usize>,
    /// Go on with what is missing: what happens anyway, for scripts that want to say so
    #[arg(long, conflicts_with = "index")]
    resume: bool,
    /// Start no further run once one has failed
    #[arg(long, conflicts_with = "index")]
    fail_fast: bool,
    /// No progress on standard error
    #[arg(long, short)]
    quiet: bool,
    /// Stop when standard input ends: how a batch takes its runs along
    #[arg(long, hide = true, requires = "index")]
    child: bool,
}

impl BatchRunArguments {
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }
    pub(crate) fn fails_fast(&self) -> bool {
        self.fail_fast
    }
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Folder of the results
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// A row of the manifest.
struct Row {
    run_id: String,
    scenario: String,
    of: String,
    seed: u64,
    parameters: BTreeMap<String, Json>,
}

/// A study and what its runs will be called.
struct Manifest {
    study: LoadedStudy,
    rows: Vec<Row>,
}

impl Manifest {
    /// Reads a study; builds the city packages that are absent or out of date, because ids depend on them.
    fn read(path: &Path, tell: &mut dyn FnMut(&str)) -> Result<Self> {
        let study = load_study(path)?;
        let mut packages = BTreeSet::new();
        for variant in &study.variants {
            if packages.insert(variant.loaded.package()) {
                urbis::ensure_package(&variant.loaded, tell)?;
            }
        }
        let rows = study
            .rows()
            .map(|row| {
                let variant = row.variant;
                Ok(Row {
                    run_id: urbis::run_id(&variant.loaded, row.seed)?,
                    scenario: variant.name().to_owned(),
                    of: variant.of.clone(),
                    seed: row.seed,
                    parameters: variant.parameters.iter().cloned().collect(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { study, rows })
    }

    /// Every parameter of the study.
    fn parameters(&self) -> Vec<&str> {
        self.study.study.parameter.iter().map(|of| of.path.as_str()).collect()
    }

    fn cells(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let parameters = self.parameters();
        let header = ["index", "run_id", "scenario", "of", "seed"].into_iter().chain(parameters.iter().copied());
        let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cells = |(index, row): (usize, &Row)| {
            let fixed =
                [index.to_string(), row.run_id.clone(), row.scenario.clone(), row.of.clone(), row.seed.to_string()];
            let values = parameters.iter().map(|path| row.parameters.get(*path).map_or_else(String::new, text));
            fixed.into_iter().chain(values).collect()
        };
        (header.map(str::to_owned).collect(), self.rows.iter().enumerate().map(cells).collect())
    }

    fn csv(&self) -> Result<Vec<u8>> {
        let (header, rows) = self.cells();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = std::iter::once(&header).chain(&rows).try_for_each(|row| writer.write_record(row));
        let place = Path::new("manifest.csv");
        written.map_err(|error| Error::write(place, error.into()))?;
        writer.into_inner().map_err(|error| Error::write(place, error.into_error()))
    }

    /// Whether the results hold a run as the manifest has it.
    fn is_done(&self, out: &Path, index: usize) -> Result<bool> {
        let row = &self.rows[index];
        Ok(urbis_appraisal::run_id_of(out, &row.scenario, row.seed)?.as_ref() == Some(&row.run_id))
    }

    /// Puts the study and the manifest beside the results.
    fn write(&self, out: &Path) -> Result<()> {
        let folder = out.join(STUDY);
        create_folder(&folder)?;
        write_whole(&folder.join("study.toml"), self.study.text.as_bytes())?;
        write_whole(&folder.join("manifest.csv"), &self.csv()?)
    }

    fn row(&self, index: usize) -> Result<&Row> {
        self.rows.get(index).ok_or_else(|| {
            let message = format!("has {} runs, numbered from 0; there is no run {index}", self.rows.len());
            Problem::file(&self.study.path, message).with_help("see `urbis batch plan`").into()
        })
    }
}

/// What a run that failed said, and where that is kept.
fn failure_file(out: &Path, index: usize) -> PathBuf {
    out.join(STUDY).join("failed").join(format!("{index}.txt"))
}

/// Prints the manifest.
pub(crate) fn plan(arguments: &PlanArguments) -> Result<()> {
    let manifest = Manifest::read(&arguments.study, &mut say)?;
    let (header, rows) = manifest.cells();
    match arguments.format {
        ManifestFormat::Table => {
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            print(&table(&header, &[0, 4], rows))?;
            let study = &manifest.study;
            let (variants, seeds) = (study.variants.len(), study.study.seeds.len());
            print(&format!(
                "\n{} runs: {variants} scenarios x {seeds} seeds; compared with {}\n",
                study.runs(),
                study.base()
            ))
        }
        ManifestFormat::Csv => print(&String::from_utf8_lossy(&manifest.csv()?)),
        ManifestFormat::Json => {
            let of = |(index, row): (usize, &Row)| json!({ "index": index, "run_id": row.run_id, "scenario": row.scenario, "of": row.of, "seed": row.seed, "parameters": row.parameters });
            print_json(&Json::Array(manifest.rows.iter().enumerate().map(of).collect()))
        }
    }
}

/// Runs one row, or what is missing.
pub(crate) fn run(arguments: &BatchRunArguments) -> Result<()> {
    let index = match arguments.index {
        Some(index) => Some(index),
        None => index_of_task()?,
    };
    let manifest = Manifest::read(&arguments.study, &mut |line| {
        if !arguments.quiet {
            say(line)
        }
    })?;
    match index {
        Some(index) => run_row(arguments, &manifest, index),
        None => run_missing(arguments, &manifest),
    }
}

/// The row that an array job gives this task, if it is one.
fn index_of_task() -> Result<Option<usize>> {
    let set: Vec<(&str, String)> =
        INDEX_VARIABLES.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect();
    let help = "say which row to run with --index";
    match set.as_slice() {
        [] => Ok(None),
        [(name, value)] => match value.trim().parse() {
            Ok(index) => {
                say(&format!("row {index}, as {name} says"));
                Ok(Some(index))
            }
            Err(_) => {
                let problem = Problem::file(Path::new(name), format!("{value:?}, expected the number of a row"));
                Err(problem.with_help(help).into())
            }
        },
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
            let what = "more than one of them numbers this task";
            Err(Problem::file(Path::new(&names.join(", ")), what).with_help(help).into())
        }
    }
}

fn run_row(arguments: &BatchRunArguments, manifest: &Manifest, index: usize) -> Result<()> {
    let row = manifest.row(index)?;
    if manifest.is_done(&arguments.out, index)? {
        say(&format!("run {index} ({}, seed {}) is done", row.scenario, row.seed));
        return Ok(());
    }
    if !arguments.child {
        manifest.write(&arguments.out)?;
    }
    let stop = stop_on_signal();
    if arguments.child {
        stop_with_parent(Arc::clone(&stop));
    }
    let Some(of) = manifest.study.row(index) else { unreachable!("the manifest has a row for each run of the study") };
    let options =
        RunOptions { out: arguments.out.clone(), threads: arguments.threads.map(usize::from), seed: Some(row.seed) };
    let mut display = Display::new(arguments.quiet);
    let summary = urbis::run_loaded(&of.variant.loaded, &options, &mut |progress| display.show(&progress), &stop);
    display.finish();
    print_json(&summary_json(&summary?))
}

/// Sets the flag when standard input ends, which the batch holds open as long as it lives.
fn stop_with_parent(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut ignored = [0_u8; 64];
        while std::io::stdin().read(&mut ignored).is_ok_and(|bytes| bytes > 0) {}
        stop.store(true, Ordering::Relaxed);
    });
}

fn run_missing(arguments: &BatchRunArguments, manifest: &Manifest) -> Result<()> {
    let out = &arguments.out;
    manifest.write(out)?;
    let mut missing = Vec::new();
    for index in 0..manifest.rows.len() {
        if !manifest.is_done(out, index)? {
            let row = &manifest.rows[index];
            missing.push(Job { index, name: format!("{} seed {}", row.scenario, row.seed) });
        }
    }
    let runs = manifest.rows.len();
    if !arguments.quiet {
        say(&format!("{} of {runs} runs are done", runs - missing.len()));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.map_or(cores, usize::from).min(missing.len().max(1));
    let threads = arguments.threads.map_or_else(|| (cores / jobs).max(1), usize::from);
    let limits = Limits { jobs, memory_bytes: arguments.memory_gib.map(|gib| (gib * f64::from(1 << 30)) as u64) };
    let command = |index: usize| {
        vec![
            "batch".into(),
            "run".into(),
            arguments.study.clone().into_os_string(),
            "--out".into(),
            out.clone().into_os_string(),
            "--index".into(),
            index.to_string().into(),
            "--threads".into(),
            threads.to_string().into(),
            "--child".into(),
        ]
    };
    let stop = stop_on_signal();
    let failed = batch_jobs::run(&missing, &limits, &command, arguments, &stop)?;
    create_folder(&out.join(STUDY).join("failed"))?;
    for job in &missing {
        let path = failure_file(out, job.index);
        match failed.iter().find(|(index, _)| *index == job.index) {
            Some((_, why)) => write_whole(&path, why.as_bytes())?,
            None if path.is_file() => std::fs::remove_file(&path).map_err(|source| Error::write(&path, source))?,
            None => {}
        }
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted { tick: 0 });
    }
    if !failed.is_empty() {
        let first = |(index, why): &(usize, String)| {
            let row = &manifest.rows[*index];
            format!("  run {index} ({}, seed {}): {}", row.scenario, row.seed, why.lines().next().unwrap_or(""))
        };
        let reasons = failed.iter().take(10).map(first).collect::<Vec<_>>().join("\n");
        return Err(Error::Incomplete { failed: failed.len(), runs, reasons });
    }
    print(&format!("{runs} runs are done: {}\n", out.display()))
}

/// Says which runs are done, failed or missing.
pub(crate) fn status(arguments: &StatusArguments) -> Result<()> {
    let manifest = Manifest::read(&arguments.study, &mut say)?;
    let mut rows = Vec::new();
    let mut counts = BTreeMap::from([("done", 0), ("failed", 0), ("missing", 0)]);
    let mut problems = Problems::new();
    for (index, row) in manifest.rows.iter().enumerate() {
        let why = std::fs::read_to_string(failure_file(&arguments.out, index)).ok();
        let (state, why) = match manifest.is_done(&arguments.out, index) {
            Ok(true) => ("done", String::new()),
            Ok(false) if why.is_some() => ("failed", why.unwrap_or_default()),
            Ok(false) => ("missing", String::new()),
            Err(Error::Input(inner)) => {
                problems.extend(inner);
                ("missing", String::new())
            }
            Err(other) => return Err(other),
        };
        *counts.entry(state).or_insert(0) += 1;
        rows.push((index, row, state, why.lines().next().unwrap_or("").to_owned()));
    }
    problems.or_else(())?;
    match arguments.format {
        TableFormat::Json => print_json(&json!({
            "counts": counts,
            "runs": rows.iter().map(|(index, row, state, why)| json!({
                "index": index, "scenario": row.scenario, "seed": row.seed, "run_id": row.run_id, "state": state, "why": why
            })).collect::<Vec<_>>(),
        })),
        TableFormat::Table => {
            let cells = rows.into_iter().map(|(index, row, state, why)| {
                vec![index.to_string(), row.scenario.clone(), row.seed.to_string(), state.to_owned(), why]
            });
            print(&table(&["index", "scenario", "seed", "state", "why"], &[0, 2], cells))?;
            print(&format!("\n{} done, {} failed, {} missing\n", counts["done"], counts["failed"], counts["missing"]))
        }
    }
}
