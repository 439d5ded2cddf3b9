//! Batches from outside: planned, run side by side, killed, gone on with, and told about.

#![allow(clippy::print_stdout)] // tests say what they skip and what they measured
#![allow(clippy::disallowed_methods)] // moments of a kill are of the wall clock

mod common;
#[path = "common/studies.rs"]
mod studies;

use common::{ended, program, urbis};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use studies::{STUDY, batch, checked_hash, status, town, wait_until};

fn ids(place: &Path) -> Vec<String> {
    let plan = urbis(place, &["batch", "plan", "study.toml", "--format", "json"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let rows: Json = serde_json::from_str(&plan.stdout).unwrap();
    rows.as_array().unwrap().iter().map(|row| row["run_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_names_each_run_by_what_it_depends_on() {
    let place = town(STUDY, 1);
    let plan = urbis(place.path(), &["batch", "plan", "study.toml", "--format", "csv", "--out", "out"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let lines: Vec<&str> = plan.stdout.lines().collect();
    assert_eq!((lines[0], lines.len()), ("index,run_id,scenario,of,seed", 7));
    assert!(lines[4].starts_with("3,") && lines[4].ends_with(",cars,cars,1"), "{}", lines[4]);
    let kept = |name: &str| std::fs::read_to_string(place.path().join("out/study").join(name)).unwrap();
    assert_eq!((kept("manifest.csv"), kept("study.toml")), (plan.stdout.clone(), STUDY.to_owned()));

    let first = ids(place.path());
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 6);
    assert_eq!(first, ids(place.path()), "equal input, equal ids");
    let elsewhere = tempfile::tempdir().unwrap();
    let study = place.path().join("study.toml");
    let plan = urbis(elsewhere.path(), &["batch", "plan", study.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(plan.stdout.lines().collect::<Vec<_>>(), lines, "it does not matter from where");

    std::fs::write(&study, STUDY.replace("[1, 2, 3]", "[2, 7]")).unwrap();
    let other = ids(place.path());
    assert_eq!((&other[0], &other[2]), (&first[1], &first[4]), "a run is what it is in any study");
    std::fs::write(&study, STUDY).unwrap();
    let cars = place.path().join("cars.toml");
    let text = std::fs::read_to_string(&cars).unwrap();
    std::fs::write(&cars, text.replace("0.8", "0.7")).unwrap();
    let changed = ids(place.path());
    assert_eq!(changed[..3], first[..3]);
    assert!((3..6).all(|row| changed[row] != first[row]));
    std::fs::write(&cars, &text).unwrap();
    let recipe = place.path().join("city/manifest.json");
    let manifest: Json = serde_json::from_str(&std::fs::read_to_string(&recipe).unwrap()).unwrap();
    assert!(manifest["content_hash"].is_string(), "the city is built by the plan");

    let table = urbis(place.path(), &["batch", "plan", "study.toml"]);
    assert!(table.stdout.contains("6 runs: 2 scenarios x 3 seeds; compared with plain"), "{}", table.stdout);
}

#[test]
fn side_by_side_one_by_one_and_row_by_row_are_the_same() {
    let place = town(STUDY, 3);
    let both = batch(place.path(), &["--out", "both", "--jobs", "2"]);
    assert_eq!(both.code, 0, "{}", both.stderr);
    assert!(both.stdout.starts_with("6 runs are done: both"), "{}", both.stdout);
    for part in ["0 of 6 runs are done", "6/6 ", "cars seed 3: done"] {
        assert!(both.stderr.contains(part), "{part} is missing in\n{}", both.stderr);
    }
    // More cars are other people in the same city: travel for each scenario, the rest for each seed of each.
    let common = std::fs::read_dir(place.path().join("both/study/common")).unwrap();
    let names: Vec<String> = common.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let count = |kind: &str| names.iter().filter(|name| name.starts_with(kind)).count();
    assert_eq!((count("skims-"), count("long-term-"), count("times-")), (2, 6, 0), "{names:?}");
    let single = batch(place.path(), &["--out", "single", "--jobs", "1", "--quiet"]);
    assert_eq!((single.code, single.stderr.as_str()), (0, ""));
    for index in ["5", "0", "3", "1", "4"] {
        let row = batch(place.path(), &["--out", "rows", "--index", index, "-q"]);
        assert_eq!((row.code, row.stderr.as_str()), (0, ""));
    }
    let told = status(place.path(), "rows");
    assert_eq!((&told["counts"]["done"], &told["counts"]["missing"]), (&5.into(), &1.into()));
    let array = |name: &str, value: &str| {
        let ended = ended(program(place.path(), &["batch", "run", "study.toml", "--out", "rows"]).env(name, value));
        (ended.code, ended.stderr)
    };
    let (code, said) = array("HQ_TASK_ID", "two");
    assert!(code == 2 && said.contains("HQ_TASK_ID: \"two\", expected the number of a row"), "{said}");
    let (code, said) = array("SLURM_ARRAY_TASK_ID", "6");
    assert!(code == 2 && said.contains("has 6 runs, numbered from 0; there is no run 6"), "{said}");
    let (code, said) = array("JOB_COMPLETION_INDEX", "2");
    assert!(code == 0 && said.contains("row 2, as JOB_COMPLETION_INDEX says"), "{said}");

    let hash = checked_hash(&place.path().join("both")).unwrap();
    for out in ["single", "rows"] {
        assert_eq!(checked_hash(&place.path().join(out)).as_ref(), Some(&hash), "{out}");
    }
    // What is done is left alone.
    let part = place.path().join("rows/trips/scenario=cars/seed=3/part-0.parquet");
    let written = || part.metadata().unwrap().modified().unwrap();
    let before = written();
    let again = batch(place.path(), &["--out", "rows", "--index", "5"]);
    assert_eq!(again.code, 0);
    assert!(again.stderr.contains("run 5 (cars seed 3) is done"), "{}", again.stderr);
    let all = batch(place.path(), &["--out", "rows", "--resume"]);
    assert!(all.code == 0 && all.stderr.contains("6 of 6 runs are done"), "{}", all.stderr);
    assert_eq!(written(), before);
    assert_eq!(status(place.path(), "rows")["hash"], hash.as_str());

    // Other input makes what is there stale, and the next batch does it again; a lost file makes its run missing.
    std::fs::remove_file(place.path().join("rows/trips/scenario=plain/seed=1/part-0.parquet")).unwrap();
    let cars = place.path().join("cars.toml");
    std::fs::write(&cars, std::fs::read_to_string(&cars).unwrap().replace("0.8", "0.5")).unwrap();
    let counts = &status(place.path(), "rows")["counts"];
    assert_eq!((&counts["stale"], &counts["missing"], &counts["done"]), (&3.into(), &1.into(), &2.into()));
    let table = urbis(place.path(), &["batch", "status", "study.toml", "--out", "rows"]);
    assert!(table.stdout.contains("2 done, 3 stale, 1 missing; hash of the results"), "{}", table.stdout);
    assert_eq!(batch(place.path(), &["--out", "rows", "-q"]).code, 0);
    assert_eq!(status(place.path(), "rows")["counts"]["done"], 6);
}

#[test]
fn runs_that_fail_leave_the_others_whole() {
    let place = town(STUDY, 1);
    let cars = place.path().join("cars.toml");
    let good = std::fs::read_to_string(&cars).unwrap();
    std::fs::write(&cars, format!("{good}day_tables = \"absent.toml\"\n")).unwrap();
    let ended = batch(place.path(), &["--out", "out", "--jobs", "2"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for part in ["cars seed 2: failed: error: ", "3 of 6 runs failed", "run 3 (cars seed 1): error: ", "absent.toml"] {
        assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
    }
    let told = status(place.path(), "out");
    assert_eq!((&told["counts"]["done"], &told["counts"]["failed"]), (&3.into(), &3.into()));
    assert!(told["runs"][4]["why"].as_str().unwrap().contains("absent.toml"), "{told}");
    assert!(checked_hash(&place.path().join("out")).is_some());
    let row = batch(place.path(), &["--out", "out", "--index", "4"]);
    assert_eq!((row.code, row.stdout.as_str()), (2, ""), "as `urbis run` ends");
    let soon = batch(place.path(), &["--out", "out", "--jobs", "1", "--fail-fast"]);
    assert!(soon.code == 4 && soon.stderr.contains("1 of 6 runs failed"), "{}", soon.stderr);

    std::fs::write(&cars, good).unwrap();
    let ended = batch(place.path(), &["--out", "out"]);
    assert!(ended.code == 0 && ended.stderr.contains("3 of 6 runs are done"), "{}", ended.stderr);
    assert_eq!(status(place.path(), "out")["counts"]["done"], 6);
}

#[test]
fn bad_studies_end_with_2_and_leave_nothing() {
    let place = town(&STUDY.replace("cars.toml", "bikes.toml"), 1);
    let ended = batch(place.path(), &["--out", "out"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains("study.toml line 2: cannot read the scenario bikes.toml"), "{}", ended.stderr);
    let study = format!("{STUDY}[[parameter]]\npath = \"population.car_shar\"\nvalues = [0.1]\n");
    std::fs::write(place.path().join("study.toml"), study).unwrap();
    let ended = urbis(place.path(), &["batch", "plan", "study.toml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    for part in ["study.toml line 5: unknown key `population.car_shar`", "help: did you mean `car_share`?"] {
        assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
    }
    for bad in ["0", "-1", "much"] {
        let ended = batch(place.path(), &["--out", "out", &format!("--memory-gib={bad}")]);
        assert!(ended.code == 2 && ended.stderr.contains("expected a number of GiB above 0"), "{}", ended.stderr);
    }
    assert!(!place.path().join("out").exists());
    let schema = urbis(place.path(), &["schema", "--study"]);
    let schema: Json = serde_json::from_str(&schema.stdout).unwrap();
    assert!(schema["properties"]["seeds"].is_object());
}

#[test]
fn memory_bounds_how_many_run_side_by_side() {
    if !Path::new("/proc/self/status").is_file() {
        println!("skipped: the system does not tell what a process holds");
        return;
    }
    let place = town(STUDY, 24);
    let free = batch(place.path(), &["--out", "free", "--jobs", "2", "-q"]);
    assert!(free.code == 0 && free.stdout.contains("at most 2 side by side"), "{}{}", free.stdout, free.stderr);
    let (_, rest) = free.stdout.split_once("the largest ").unwrap();
    let largest_mib: f64 = rest.split_once(' ').unwrap().0.parse().unwrap();
    let gib = |mib: f64| format!("--memory-gib={}", mib / 1024.0);
    let tight = batch(place.path(), &["--out", "tight", "--jobs", "2", "-q", &gib(1.6 * largest_mib)]);
    assert!(tight.code == 0 && tight.stdout.contains("at most 1 side by side"), "{}{}", tight.stdout, tight.stderr);
    assert_eq!(checked_hash(&place.path().join("tight")), checked_hash(&place.path().join("free")));
    let none = batch(place.path(), &["--out", "none", "--jobs", "2", &gib(0.3 * largest_mib)]);
    assert!(none.code == 4 && none.stderr.contains("MiB, and --memory-gib allows"), "{}", none.stderr);
}

/// A batch of its own process, killed without mercy.
struct Batch(Child);

impl Batch {
    fn start(place: &Path, out: &str) -> Self {
        let mut batch = program(place, &["batch", "run", "study.toml", "--out", out, "--jobs", "2", "--quiet"]);
        Self(batch.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
    /// Processes of its runs.
    fn runs(&self) -> Vec<String> {
        let parent = self.0.id().to_string();
        let of = |entry: std::io::Result<std::fs::DirEntry>| {
            let process = entry.ok()?.file_name().into_string().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            (stat.rsplit_once(") ")?.1.split(' ').nth(1)? == parent).then_some(process)
        };
        std::fs::read_dir("/proc").into_iter().flatten().filter_map(of).collect()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills a batch, or one of its runs every other time, at moments spread over the time it takes; then lets it end.
fn killed_and_gone_on(place: &Path, moments: &[f64]) {
    let begun = Instant::now();
    let whole = batch(place, &["--out", "whole", "--jobs", "2", "-q"]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    println!("whole: {}", whole.stdout.trim_end());
    let takes = begun.elapsed().as_secs_f64() / moments.len() as f64;
    let hash = checked_hash(&place.join("whole")).unwrap();
    let out = place.join("killed");
    for (at, moment) in moments.iter().enumerate() {
        let mut running = Batch::start(place, "killed");
        std::thread::sleep(Duration::from_secs_f64(moment * takes));
        let is_run = at % 2 == 1;
        let victim = if is_run { running.runs().pop() } else { None };
        if let Some(process) = &victim {
            let _ = Command::new("kill").args(["-9", process]).status();
            std::thread::sleep(Duration::from_millis(50));
        }
        let what = if victim.is_some() { "a run and the batch" } else { "the batch" };
        let _ = running.0.kill();
        drop(running);
        checked_hash(&out);
        let counts = status(place, "killed")["counts"].clone();
        println!("killed {what} after {:.2} s: {counts}", moment * takes);
    }
    let ended = batch(place, &["--out", "killed", "--jobs", "2", "--resume", "-q"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let resumed = checked_hash(&out).unwrap();
    println!("without a kill {hash}\nafter {} kills {resumed}", moments.len());
    assert_eq!(resumed, hash);
    let left = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let left: Vec<String> = std::fs::read_dir(&out).unwrap().map(left).filter(|name| name.starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_results() {
    let place = town(STUDY, 6);
    killed_and_gone_on(place.path(), &[0.5, 0.9, 0.7, 1.1]);
}

#[cfg(target_os = "linux")]
#[test]
fn two_hundred_runs_killed_ten_times() {
    let study = "name = \"many\"\nscenarios = [\"baseline.toml\", \"cars.toml\"]\n".to_owned();
    let seeds: Vec<String> = (1..=100).map(|seed: u32| seed.to_string()).collect();
    let place = town(&format!("{study}seeds = [{}]\n", seeds.join(", ")), 6);
    let clock = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let mut rng = urbis_core::rng::Rng::new(clock, 0, 0, 0);
    let moments: Vec<f64> = (0..10).map(|_| 0.2 + 1.2 * rng.uniform()).collect();
    println!("moments by seed {clock}");
    killed_and_gone_on(place.path(), &moments);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_another_process_writes_is_waited_for() {
    // Days enough to be met at work.
    let place = town(STUDY, 168);
    assert_eq!(urbis(place.path(), &["batch", "plan", "study.toml", "--out", "out"]).code, 0);
    let row = |said: &str| {
        let file = std::fs::File::create(place.path().join(said)).unwrap();
        let mut row = program(place.path(), &["batch", "run", "study.toml", "--out", "out", "--index", "0"]);
        row.stdout(Stdio::null()).stderr(file).spawn().unwrap()
    };
    let said = |of: &str| std::fs::read_to_string(place.path().join(of)).unwrap();
    let comes = |of: &str, words: &str| wait_until(words, &|| said(of), &mut || said(of).contains(words));
    let mut first = row("first");
    comes("first", "stepping");
    let signal = |name: &str| Command::new("kill").args([name, &first.id().to_string()]).status().unwrap();
    signal("-STOP");
    let mut second = row("second");
    comes("second", "run 0 is being written by another process");
    signal("-CONT");
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success(), "{}", said("second"));
    assert!(said("second").contains("run 0 (plain seed 1) is done"), "{}", said("second"));
}

#[cfg(target_os = "linux")]
#[test]
fn one_batch_at_a_time_fills_a_folder() {
    let place = town(STUDY, 24);
    assert_eq!(urbis(place.path(), &["batch", "plan", "study.toml"]).code, 0);
    let first = Batch::start(place.path(), "out");
    wait_until("its first run", &String::new, &mut || !first.runs().is_empty());
    let second = batch(place.path(), &["--out", "out"]);
    assert!(
        second.code == 2 && second.stderr.contains("another batch is running into this folder"),
        "{}",
        second.stderr
    );
    // Asked to stop, it takes its runs along and keeps what is done.
    let runs = first.runs();
    Command::new("kill").args(["-TERM", &first.0.id().to_string()]).status().unwrap();
    let mut first = first;
    assert_eq!(first.0.wait().unwrap().code(), Some(130));
    assert!(runs.iter().all(|process| !Path::new(&format!("/proc/{process}")).exists()), "{runs:?}");
    checked_hash(&place.path().join("out"));
    assert_eq!(status(place.path(), "out")["counts"]["failed"], 0);
}
