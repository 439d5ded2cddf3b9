//! `urbis batch`: the runs of a study, planned, run and looked at.
//!
//! A study's folder is an ordinary results folder with `study/` in it: the study as it was run, the manifest, and why
//! runs failed. A run is done when the results hold it under the id that the manifest gives it, so running a batch
//! again does what is missing and nothing else.

use crate::args::TableFormat;
use crate::batch_jobs::{self, Job, Limits};
use crate::batch_out::{COMMON, Out, STUDY, Scratch, url_of};
use crate::batch_submit::SubmitArguments;
use crate::progress::Display;
use crate::results::{stop_on_signal, summary_json};
use crate::screen::{print, print_json, say, table};
use clap::{Args, Subcommand, ValueHint};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use urbis::RunOptions;
use urbis_core::diagnostics::ExitStatus;
use urbis_core::files::{UNFINISHED_PREFIX, create_folder};
use urbis_core::{Error, Problem, Result};
use urbis_scenario::{LoadedStudy, StudyRun, load_run, load_study};
use urbis_store::Store;

/// Variables in which array jobs of Slurm, Kubernetes and HyperQueue tell a task its number.
pub(crate) const INDEX_VARIABLES: [&str; 3] = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "HQ_TASK_ID"];
/// How often a run looks whether another process still writes it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a run whose batch is gone may take to tidy up.
const TIDY_UP: Duration = Duration::from_secs(1);

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Print the manifest of a study: one row for each run
    Plan(PlanArguments),
    /// Run what a results folder lacks of a study
    Run(BatchRunArguments),
    /// Hand what a results folder lacks of a study to Slurm, HyperQueue or Kubernetes
    Submit(SubmitArguments),
    /// Say which runs of a study are done, failed or missing
    Status(StatusArguments),
}

#[derive(Debug, Args)]
#[command(
    after_help = "A study (TOML) names scenarios, seeds and values of settings; each combination is a run. Its id is a
hash of everything that it depends on: settings, files they name, city package, seed and version.

Examples:
  urbis batch plan scenarios/town/study.toml
  urbis batch plan scenarios/town/study.toml --format csv > manifest.csv
  urbis schema --study                                 # every key of a study file"
)]
pub(crate) struct PlanArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Put the study and its manifest into this results folder or URL, under study/, before array jobs fill it
    #[arg(long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
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

On a cluster `urbis batch submit` hands the runs to Slurm, HyperQueue or Kubernetes. In array jobs of your own run one
row in each task: --index, or the number that Slurm (SLURM_ARRAY_TASK_ID), Kubernetes (JOB_COMPLETION_INDEX) or
HyperQueue (HQ_TASK_ID) gives the task. Call `urbis batch plan STUDY --out DIR` first: it builds the city once.

Machines that share no folder share a URL of an object store (s3://, gs://, az://, file:///): each run is computed
in a scratch folder, put there, and its marker last. Keys are read from AWS_*, GOOGLE_* and AZURE_* variables.

Exit codes: 0 all runs are done; 2 bad input; 4 some runs failed, the others are whole (why: DIR/study/failed, or
`urbis batch status`); 130 stopped, and what was done is kept. With --index those of `urbis run`.

Examples:
  urbis batch run scenarios/town/study.toml --out out/study
  urbis batch run scenarios/town/study.toml --out out/study --jobs 2 --memory-gib 8
  urbis batch run scenarios/town/study.toml --out out/study --index 3
  urbis batch run scenarios/town/study.toml --out s3://bucket/town --index 3 --scratch /local/scratch"
)]
pub(crate) struct BatchRunArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Folder of the results, or URL of an object store; what is done in it is kept
    #[arg(long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Folder in which runs are computed on their way to a URL, each removed once it is there; what they have in common stays
    /// in common/ [default: a temporary one]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    scratch: Option<PathBuf>,
    /// Runs side by side, as far as memory allows [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Threads of each run [default: the cores shared out among the jobs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory that all runs together may take [default: four fifths of what is free]
    #[arg(long, value_name = "GIB", value_parser = gibibytes)]
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
    /// How a batch starts its runs: the id that the row must have; stops when standard input ends
    #[arg(long, hide = true, requires = "index", value_name = "RUN_ID")]
    child: Option<String>,
}

pub(crate) fn gibibytes(text: &str) -> Result<f64, String> {
    let gib = text.parse().ok().filter(|gib: &f64| gib.is_finite() && *gib > 0.0);
    gib.ok_or_else(|| "expected a number of GiB above 0".to_owned())
}

#[derive(Debug, Args)]
#[command(
    after_help = "States: done; failed (with what the run said); started (running now, or killed); stale (the results hold the
run of other input, which the next `urbis batch run` replaces); missing. The hash at the end is that of the
marker _SUCCESS: equal for equal results, however and wherever they were computed.

Examples:
  urbis batch status scenarios/town/study.toml --out out/study
  urbis batch status scenarios/town/study.toml --out s3://bucket/town"
)]
pub(crate) struct StatusArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Folder of the results, or URL of an object store
    #[arg(long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// A row of the manifest.
pub(crate) struct Row {
    run_id: String,
    scenario: String,
    of: String,
    seed: u64,
    parameters: BTreeMap<String, Json>,
}

impl Row {
    fn name(&self) -> String {
        format!("{} seed {}", self.scenario, self.seed)
    }
}

/// A study and what its runs will be called.
pub(crate) struct Manifest {
    pub(crate) study: LoadedStudy,
    pub(crate) rows: Vec<Row>,
}

impl Manifest {
    /// Reads a study whose city packages are there.
    fn of(study: LoadedStudy) -> Result<Self> {
        let mut rows = Vec::new();
        for variant in &study.variants {
            let ids = urbis::run_ids(&variant.loaded, &study.study.seeds)?;
            rows.extend(ids.into_iter().zip(&study.study.seeds).map(|(run_id, &seed)| Row {
                run_id,
                scenario: variant.name().to_owned(),
                of: variant.of.clone(),
                seed,
                parameters: variant.parameters.iter().cloned().collect(),
            }));
        }
        Ok(Self { study, rows })
    }

    /// Reads a study; builds the city packages that are absent or out of date, because ids depend on them.
    pub(crate) fn prepare(path: &Path, tell: &mut dyn FnMut(&str)) -> Result<Self> {
        let study = load_study(path)?;
        let mut packages = BTreeSet::new();
        for variant in &study.variants {
            if packages.insert(variant.loaded.package()) {
                urbis::ensure_package(&variant.loaded, tell)?;
            }
        }
        Self::of(study)
    }

    fn cells(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let parameters: Vec<&str> = self.study.study.parameter.iter().map(|of| of.path.as_str()).collect();
        let header = ["index", "run_id", "scenario", "of", "seed"].into_iter().chain(parameters.iter().copied());
        let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cells = |(index, row): (usize, &Row)| {
            let Row { run_id, scenario, of, seed, .. } = row;
            let fixed = [index.to_string(), run_id.clone(), scenario.clone(), of.clone(), seed.to_string()];
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

    /// Ids of the runs that stand where the study's are to be, by row.
    fn found(&self, ids: &BTreeMap<(String, u64), String>) -> Vec<Option<String>> {
        self.rows.iter().map(|row| ids.get(&(row.scenario.clone(), row.seed)).cloned()).collect()
    }

    /// Rows that the results lack, given the ids of the runs that stand there.
    pub(crate) fn missing(&self, ids: &BTreeMap<(String, u64), String>) -> Vec<usize> {
        let found = self.found(ids);
        (0..self.rows.len()).filter(|&row| found[row].as_ref() != Some(&self.rows[row].run_id)).collect()
    }

    /// Puts the study and the manifest beside the results.
    pub(crate) fn write(&self, out: &Out) -> Result<()> {
        out.write("study.toml", self.study.text.as_bytes())?;
        out.write("manifest.csv", &self.csv()?)
    }
}

/// Prints the manifest.
pub(crate) fn plan(arguments: &PlanArguments) -> Result<()> {
    let manifest = Manifest::prepare(&arguments.study, &mut say)?;
    if let Some(out) = &arguments.out {
        manifest.write(&Out::open(out)?)?;
    }
    let (header, rows) = manifest.cells();
    match arguments.format {
        ManifestFormat::Table => {
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            print(&table(&header, &[0, 4], rows))?;
            let study = &manifest.study;
            let (variants, seeds) = (study.variants.len(), study.study.seeds.len());
            let runs = study.runs();
            print(&format!("\n{runs} runs: {variants} scenarios x {seeds} seeds; compared with {}\n", study.base()))
        }
        ManifestFormat::Csv => print(&String::from_utf8_lossy(&manifest.csv()?)),
        ManifestFormat::Json => {
            let of = |(index, row): (usize, &Row)| {
                json!({
                    "index": index, "run_id": row.run_id, "scenario": row.scenario, "of": row.of, "seed": row.seed,
                    "parameters": row.parameters,
                })
            };
            print_json(&Json::Array(manifest.rows.iter().enumerate().map(of).collect()))
        }
    }
}

/// Runs one row, or what is missing.
pub(crate) fn run(arguments: &BatchRunArguments) -> Result<()> {
    if arguments.scratch.is_some() && url_of(&arguments.out).is_none() {
        let problem = Problem::file(&arguments.out, "is a folder, into which runs need no --scratch");
        return Err(problem.with_help("leave out --scratch, or write a folder as URL: file:///FOLDER").into());
    }
    match arguments.index.map_or_else(index_of_task, |index| Ok(Some(index)))? {
        Some(index) => run_row(arguments, index),
        None => run_missing(arguments),
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

/// Runs one row, unless the results hold it already.
fn run_row(arguments: &BatchRunArguments, index: usize) -> Result<()> {
    let out = Out::open(&arguments.out)?;
    let stop = stop_on_signal();
    if arguments.child.is_some() {
        stop_with_batch(Arc::clone(&stop));
    }
    let _alive = match (&out, &arguments.child) {
        (Out::Folder(folder), Some(_)) => {
            let alive = runs_lock(folder)?;
            supported(alive.lock_shared()).map_err(|source| Error::write(folder, source))?;
            Some(alive)
        }
        _ => None,
    };
    let StudyRun { variant, seed } = load_run(&arguments.study, index)?;
    urbis::ensure_package(&variant.loaded, &mut |line| {
        if !arguments.quiet {
            say(line);
        }
    })?;
    let run_id = urbis::run_ids(&variant.loaded, &[seed])?.remove(0);
    if arguments.child.as_ref().is_some_and(|expected| *expected != run_id) {
        let what = "the study, or something it depends on, changed while its batch ran";
        return Err(Problem::file(&arguments.study, what).with_help("run the batch again").into());
    }
    if let Out::Folder(folder) = &out {
        wait_for_other(folder, &run_id, index, &stop)?;
    }
    match out.run_id_of(variant.name(), seed)? {
        Some(id) if id == run_id => {
            say(&format!("run {index} ({} seed {seed}) is done", variant.name()));
            return Ok(());
        }
        Some(id) => out.refuse_other(&format!("{} seed {seed}", variant.name()), &id, &run_id)?,
        None => {}
    }
    let compute = |folder: &Path, common: PathBuf| {
        let threads = arguments.threads.map(usize::from);
        let options = RunOptions { out: folder.to_owned(), threads, seed: Some(seed), common: Some(common) };
        let mut display = Display::new(arguments.quiet);
        let summary = urbis::run_loaded(&variant.loaded, &options, &mut |progress| display.show(&progress), &stop);
        display.finish();
        summary
    };
    let summary = match &out {
        Out::Folder(folder) => compute(folder, folder.join(STUDY).join(COMMON)).map(Some),
        Out::Store(store) => {
            let scratch = Scratch::new(arguments.scratch.as_deref())?;
            let common = scratch.path().join(COMMON);
            scratch.run(store, (variant.name(), seed, &run_id), &mut |folder| compute(folder, common.clone()))
        }
    };
    if arguments.child.is_none() {
        let why = summary.as_ref().err().filter(|error| !matches!(error, Error::Interrupted { .. }));
        out.note_failure(&run_id, why.map(ToString::to_string).as_deref())?;
    }
    let summary = summary?;
    if let (Out::Store(store), None) = (&out, &arguments.child) {
        seal_when_whole(store, &load_study(&arguments.study)?)?;
    }
    summary.map_or(Ok(()), |summary| print_json(&summary_json(&summary)))
}

/// Puts the marker of all runs into a store when none of the study's is missing; the last of an array job does.
fn seal_when_whole(store: &Store, study: &LoadedStudy) -> Result<()> {
    let finished = store.finished()?;
    let is_whole = study.variants.iter().all(|variant| {
        let name = variant.name();
        study.study.seeds.iter().all(|&seed| finished.contains(&(name.to_owned(), seed)))
    });
    if is_whole { store.seal() } else { Ok(()) }
}

/// Waits while another process writes this very run: an engine that takes a machine for lost starts its run again, and
/// what was left behind may still be at work.
fn wait_for_other(out: &Path, run_id: &str, index: usize, stop: &AtomicBool) -> Result<()> {
    let mut is_told = false;
    loop {
        let staging = File::open(out.join(format!("{UNFINISHED_PREFIX}{run_id}")));
        let is_written = staging.is_ok_and(|staging| matches!(staging.try_lock(), Err(TryLockError::WouldBlock)));
        if !is_written {
            return Ok(());
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted { tick: 0 });
        }
        if !is_told {
            say(&format!("run {index} is being written by another process; waiting for its end"));
            is_told = true;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Sets the flag when standard input ends, which the batch holds open as long as it lives; a run that does not look at
/// the flag soon, because it still makes its people, ends without tidying up, as if killed.
fn stop_with_batch(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut ignored = [0_u8; 64];
        while std::io::stdin().read(&mut ignored).is_ok_and(|bytes| bytes > 0) {}
        stop.store(true, Ordering::Relaxed);
        std::thread::sleep(TIDY_UP);
        std::process::exit(ExitStatus::Interrupted as i32);
    });
}

/// The file on which the runs of a batch hold a shared lock each as long as they live.
fn runs_lock(out: &Path) -> Result<File> {
    lock_file(out, ".runs")
}

fn lock_file(out: &Path, name: &str) -> Result<File> {
    let folder = out.join(STUDY);
    create_folder(&folder)?;
    let path = folder.join(name);
    let file = File::options().create(true).append(true).open(&path);
    file.map_err(|source| Error::write(&path, source))
}

/// Where a file system has no locks, nothing watches over two batches in one folder.
fn supported(locked: std::io::Result<()>) -> std::io::Result<()> {
    match locked {
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}

/// Sees to it that one batch at a time fills a folder, and waits for runs whose batch was killed to end.
fn alone(out: &Path) -> Result<File> {
    let batch = lock_file(out, ".batch")?;
    if matches!(batch.try_lock(), Err(TryLockError::WouldBlock)) {
        let problem = Problem::file(out, "another batch is running into this folder");
        return Err(problem.with_help("wait for it, or choose another results folder").into());
    }
    let runs = runs_lock(out)?;
    supported(runs.lock()).map_err(|source| Error::write(out, source))?;
    Ok(batch)
}

/// Runs side by side what the results lack.
fn run_missing(arguments: &BatchRunArguments) -> Result<()> {
    let out = Out::open(&arguments.out)?;
    let manifest = Manifest::prepare(&arguments.study, &mut |line| {
        if !arguments.quiet {
            say(line);
        }
    })?;
    let _alone = match &out {
        Out::Folder(folder) => Some(alone(folder)?),
        Out::Store(_) => None,
    };
    let finished = out.standing()?.finished;
    for (row, found) in manifest.rows.iter().zip(manifest.found(&finished)) {
        if let Some(id) = found.filter(|id| *id != row.run_id) {
            out.refuse_other(&row.name(), &id, &row.run_id)?;
        }
    }
    manifest.write(&out)?;
    let scratch = match &out {
        Out::Folder(_) => None,
        Out::Store(_) => Some(Scratch::new(arguments.scratch.as_deref())?),
    };
    let job = |index: usize| Job { index, name: manifest.rows[index].name() };
    let missing: Vec<Job> = manifest.missing(&finished).into_iter().map(job).collect();
    let runs = manifest.rows.len();
    if !arguments.quiet {
        say(&format!("{} of {runs} runs are done", runs - missing.len()));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.map_or(cores, usize::from).min(missing.len().max(1));
    let threads = arguments.threads.map_or_else(|| (cores / jobs).max(1), usize::from);
    let limits = Limits {
        jobs,
        memory_bytes: arguments.memory_gib.map(|gib| (gib * f64::from(1 << 30)) as u64),
        fail_fast: arguments.fail_fast,
    };
    let command = |index: usize| {
        let (study, out) = (arguments.study.clone().into_os_string(), arguments.out.clone().into_os_string());
        let (index, run_id) = (index.to_string().into(), manifest.rows[index].run_id.clone().into());
        let words = ["batch".into(), "run".into(), study, "--out".into(), out, "--index".into(), index];
        let rest = ["--threads".into(), threads.to_string().into(), "--child".into(), run_id];
        let place = scratch.iter().flat_map(|scratch| ["--scratch".into(), scratch.path().into()]);
        words.into_iter().chain(rest).chain(place).collect()
    };
    let stop = stop_on_signal();
    let ended = batch_jobs::run(&missing, &limits, &command, arguments.quiet, &stop)?;
    for job in &missing {
        let why = ended.failed.get(&job.index).map(String::as_str);
        out.note_failure(&manifest.rows[job.index].run_id, why)?;
    }
    if stop.load(Ordering::Relaxed) {
        drop(scratch);
        say("stopped; what is done stays, and the same command goes on with the rest");
        std::process::exit(ExitStatus::Interrupted as i32);
    }
    if !ended.failed.is_empty() {
        let first = |(index, why): (&usize, &String)| {
            format!("  run {index} ({}): {}", manifest.rows[*index].name(), why.lines().next().unwrap_or(""))
        };
        let reasons = ended.failed.iter().take(10).map(first).collect::<Vec<_>>().join("\n");
        return Err(Error::Incomplete { failed: ended.failed.len(), runs, reasons });
    }
    match &out {
        // A run that was killed after its commit leaves its staging, and no other comes to sweep it.
        Out::Folder(folder) => urbis::output::sweep_leftovers(folder)?,
        Out::Store(store) => seal_when_whole(store, &manifest.study)?,
    }
    print(&format!("{runs} runs are done: {}{}\n", out.shown(), ended.memory_text()))
}

/// Says which runs are done, failed or missing.
pub(crate) fn status(arguments: &StatusArguments) -> Result<()> {
    let out = Out::open(&arguments.out)?;
    let manifest = Manifest::of(load_study(&arguments.study)?)?;
    let standing = out.standing()?;
    let found = manifest.found(&standing.finished);
    let mut counts = BTreeMap::from([("done", 0), ("failed", 0), ("started", 0), ("stale", 0), ("missing", 0)]);
    let mut rows = Vec::new();
    for (row, found) in manifest.rows.iter().zip(&found) {
        let is_done = found.as_ref() == Some(&row.run_id);
        let why = if is_done { None } else { out.failure(&row.run_id)? };
        let state = match found {
            Some(_) if is_done => "done",
            _ if standing.started.contains(&row.run_id) => "started",
            _ if why.is_some() => "failed",
            Some(_) => "stale",
            None => "missing",
        };
        *counts.entry(state).or_insert(0) += 1;
        let why = why.filter(|_| state == "failed").unwrap_or_default();
        rows.push((row, state, why.lines().next().unwrap_or("").to_owned()));
    }
    let hash = out.hash()?;
    let rows = rows.into_iter().enumerate();
    match arguments.format {
        TableFormat::Json => print_json(&json!({
            "counts": counts,
            "hash": hash,
            "runs": rows.map(|(index, (row, state, why))| json!({
                "index": index, "scenario": row.scenario, "seed": row.seed, "run_id": row.run_id, "state": state,
                "why": why,
            })).collect::<Vec<_>>(),
        })),
        TableFormat::Table => {
            let cells = rows.map(|(index, (row, state, why))| {
                vec![index.to_string(), row.scenario.clone(), row.seed.to_string(), state.to_owned(), why]
            });
            print(&table(&["index", "scenario", "seed", "state", "why"], &[0, 2], cells))?;
            let order = ["done", "failed", "started", "stale", "missing"];
            let told = order.iter().filter(|state| counts[*state] > 0 || ["done", "missing"].contains(*state));
            let told: Vec<String> = told.map(|state| format!("{} {state}", counts[state])).collect();
            print(&format!("\n{}; hash of the results {}\n", told.join(", "), hash.as_deref().unwrap_or("-")))
        }
    }
}
