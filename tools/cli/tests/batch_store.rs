//! Studies whose results go to an object store: the same runs, the same bytes, and nothing that is not whole.

#![allow(clippy::print_stdout)] // tests say what they skip

mod common;
#[path = "common/studies.rs"]
mod studies;

use common::{program, urbis};
use serde_json::Value as Json;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use studies::{STUDY, batch, checked_hash, status, town, wait_until};

fn entries(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    std::fs::read_dir(folder).unwrap().map(name).collect()
}

/// A study run into a folder, and the URL of a store that is another folder.
fn local_and_url(place: &Path) -> (String, String) {
    let local = batch(place, &["--out", "local", "--jobs", "2", "-q"]);
    assert_eq!(local.code, 0, "{}", local.stderr);
    (checked_hash(&place.join("local")).unwrap(), format!("file://{}/store", place.display()))
}

#[test]
fn a_study_in_a_store_is_the_study_in_a_folder() {
    let place = town(STUDY, 1);
    let place = place.path();
    let (hash, url) = local_and_url(place);
    let planned = urbis(place, &["batch", "plan", "study.toml", "--out", &url]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let counts = status(place, &url)["counts"].clone();
    assert_eq!((&counts["missing"], &counts["done"]), (&6.into(), &0.into()));

    // Some rows as on a cluster, the rest as one batch.
    for index in ["4", "0"] {
        let row = batch(place, &["--out", &url, "--index", index, "--scratch", "scratch", "-q"]);
        assert_eq!((row.code, row.stderr.as_str()), (0, ""));
        let summary: Json = serde_json::from_str(&row.stdout).unwrap();
        assert_eq!(summary["out"], url.as_str());
    }
    assert!(!place.join("store/_SUCCESS").exists());
    let again = batch(place, &["--out", &url, "--index", "4"]);
    assert!(again.code == 0 && again.stderr.contains("run 4 (cars seed 2) is done"), "{}", again.stderr);
    let rest = batch(place, &["--out", &url, "--jobs", "2", "--scratch", "scratch"]);
    assert_eq!(rest.code, 0, "{}", rest.stderr);
    assert!(rest.stderr.contains("2 of 6 runs are done") && rest.stderr.contains("4/4 "), "{}", rest.stderr);
    assert!(rest.stdout.starts_with(&format!("6 runs are done: {url}")), "{}", rest.stdout);
    assert_eq!(entries(&place.join("scratch")), ["common"]);
    assert_eq!(status(place, &url)["hash"], hash.as_str());
    assert_eq!(checked_hash(&place.join("store")).as_ref(), Some(&hash), "a copy of it is a results folder");

    let listed = urbis(place, &["results", "list", &url]);
    assert!(listed.code == 0 && listed.stdout.contains("6 finished runs"), "{}{}", listed.stdout, listed.stderr);
    let one = urbis(place, &["results", "pull", &url, "pulled", "--scenario", "cars", "--seed", "2"]);
    assert_eq!((one.code, one.stdout.as_str()), (0, "1 runs pulled, 0 were there: pulled\n"), "{}", one.stderr);
    let pulled = urbis(place, &["results", "pull", &url, "pulled"]);
    assert_eq!((pulled.code, pulled.stdout.as_str()), (0, "5 runs pulled, 1 were there: pulled\n"));
    assert_eq!(checked_hash(&place.join("pulled")).as_ref(), Some(&hash));
    for name in ["study/study.toml", "study/manifest.csv"] {
        let read = |out: &str| std::fs::read(place.join(out).join(name)).unwrap();
        assert_eq!(read("pulled"), read("local"), "{name}");
    }
    assert_eq!(status(place, "pulled")["counts"]["done"], 6);
    let compared = urbis(place, &["compare", "pulled", "--base", "plain"]);
    assert_eq!(compared.code, 0, "{}", compared.stderr);

    let trips = place.join("store/trips/scenario=plain/seed=2/part-0.parquet");
    let good = std::fs::read(&trips).unwrap();
    let mut bad = good.clone();
    bad[100] ^= 1;
    std::fs::write(&trips, bad).unwrap();
    let refused = urbis(place, &["results", "pull", &url, "refused"]);
    let named = "store/trips/scenario=plain/seed=2/part-0.parquet: its hash is ";
    assert!(refused.code == 2 && refused.stderr.contains(named), "{}", refused.stderr);
    assert_eq!(status(place, "refused")["counts"]["done"], 5, "the others are whole");
    std::fs::write(&trips, good).unwrap();

    // From a folder it gets there too; what has another content does not.
    let other = format!("file://{}/other", place.display());
    let pushed = urbis(place, &["results", "push", "pulled", &other]);
    assert_eq!((pushed.code, pushed.stdout), (0, format!("6 runs pushed, 0 were there: {other}\n")));
    let pushed = urbis(place, &["results", "push", "local", &other]);
    assert_eq!((pushed.code, pushed.stdout), (0, format!("0 runs pushed, 6 were there: {other}\n")));
    assert_eq!(status(place, &other)["hash"], hash.as_str());
    let cars = place.join("cars.toml");
    std::fs::write(&cars, std::fs::read_to_string(&cars).unwrap().replace("0.8", "0.5")).unwrap();
    assert_eq!(status(place, &url)["counts"]["stale"], 3);
    for arguments in [&["--out", url.as_str()][..], &["--out", url.as_str(), "--index", "3"]] {
        let stale = batch(place, arguments);
        assert!(stale.code == 2 && stale.stderr.contains("holds cars seed 1 as run "), "{}", stale.stderr);
        assert!(stale.stderr.contains("choose another URL"), "{}", stale.stderr);
    }
    assert_eq!(batch(place, &["--out", "local", "-q"]).code, 0);
    let stale = urbis(place, &["results", "push", "local", &url, "--scenario", "cars"]);
    assert!(stale.code == 2 && stale.stderr.contains("holds other content"), "{}", stale.stderr);
    assert_eq!(status(place, &url)["hash"], hash.as_str());
}

#[test]
fn a_study_in_a_store_on_the_network() {
    let Ok(store) = std::env::var("URBIS_TEST_STORE") else {
        println!("skipped: URBIS_TEST_STORE names no URL of a place on a store that tests may fill");
        return;
    };
    let place = town(STUDY, 1);
    let place = place.path();
    let (hash, _) = local_and_url(place);
    let process = std::process::id();
    let url = format!("{}/{process}", store.trim_end_matches('/'));
    // The same row from two machines at once, then the rest.
    std::thread::scope(|scope| {
        let row = || batch(place, &["--out", &url, "--index", "3", "-q"]);
        let threads = [scope.spawn(row), scope.spawn(row)];
        for ended in threads.map(|thread| thread.join().unwrap()) {
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        }
    });
    let ended = batch(place, &["--out", &url, "--jobs", "2"]);
    assert!(ended.code == 0 && ended.stderr.contains("1 of 6 runs are done"), "{}", ended.stderr);
    assert_eq!(status(place, &url)["hash"], hash.as_str());
    let pulled = urbis(place, &["results", "pull", &url, "pulled"]);
    assert_eq!(
        (pulled.code, pulled.stdout.as_str()),
        (0, "6 runs pulled, 0 were there: pulled\n"),
        "{}",
        pulled.stderr
    );
    assert_eq!(checked_hash(&place.join("pulled")).as_ref(), Some(&hash));
}

#[test]
fn runs_that_fail_are_told_in_the_store() {
    let place = town(STUDY, 1);
    let place = place.path();
    let cars = place.join("cars.toml");
    let good = std::fs::read_to_string(&cars).unwrap();
    std::fs::write(&cars, format!("{good}day_tables = \"absent.toml\"\n")).unwrap();
    let url = format!("file://{}/store", place.display());
    let ended = batch(place, &["--out", &url, "--jobs", "2"]);
    assert!(ended.code == 4 && ended.stderr.contains("3 of 6 runs failed"), "{}", ended.stderr);
    let told = status(place, &url);
    assert_eq!((&told["counts"]["done"], &told["counts"]["failed"]), (&3.into(), &3.into()));
    assert!(told["runs"][4]["why"].as_str().unwrap().contains("absent.toml"), "{told}");
    assert!(!place.join("store/_SUCCESS").exists());
    std::fs::write(&cars, good).unwrap();
    assert_eq!(batch(place, &["--out", &url, "-q"]).code, 0);
    assert_eq!(status(place, &url)["counts"]["done"], 6);
}

#[test]
fn urls_are_told_from_folders() {
    let place = town(STUDY, 1);
    let place = place.path();
    for words in [
        &["compare", "s3://bucket/x", "--base", "plain"][..],
        &["appraise", "s3://bucket/x", "--base", "plain"],
        &["report", "s3://bucket/x", "--out", "report.html"],
        &["draw", "s3://bucket/x", "--scenario", "plain", "--out", "day.svg"],
        &["results", "describe", "s3://bucket/x"],
    ] {
        let ended = urbis(place, words);
        assert!(
            ended.code == 2 && ended.stderr.contains("pull it first: `urbis results pull s3://bucket/x DIR`"),
            "{words:?}: {}",
            ended.stderr
        );
    }
    let run = urbis(place, &["run", "baseline.toml", "--out", "s3://bucket/x"]);
    assert!(run.code == 2 && run.stderr.contains("`urbis results push DIR s3://bucket/x`"), "{}", run.stderr);
    for (url, said) in
        [("ftp://host/x", "expected s3://BUCKET/PREFIX"), ("memory:///", "is gone when the program ends")]
    {
        let ended = batch(place, &["--out", url]);
        assert!(ended.code == 2 && ended.stderr.contains(said), "{}", ended.stderr);
    }
    let scratch = batch(place, &["--out", "out", "--scratch", "scratch"]);
    assert!(scratch.code == 2 && scratch.stderr.contains("need no --scratch"), "{}", scratch.stderr);
    let nothing = urbis(place, &["results", "pull", &format!("file://{}/x", place.display()), "back"]);
    assert!(nothing.code == 2 && nothing.stderr.contains("no finished run"), "{}", nothing.stderr);
    assert!(!place.join("back").exists() && !place.join("out").exists() && !place.join("s3:").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn killed_it_goes_on_to_the_same_results() {
    let place = town(STUDY, 6);
    let place = place.path();
    let (hash, url) = local_and_url(place);
    let commits = place.join("store/_commits");
    let finished = || {
        let names = (0..6).map(|row| (if row < 3 { "plain" } else { "cars" }, row % 3 + 1));
        let names = names.map(|(scenario, seed)| format!("scenario={scenario}/seed={seed}/_SUCCESS"));
        names.filter(|name| commits.join(name).is_file()).count()
    };
    for wanted in [1, 3] {
        let words = ["batch", "run", "study.toml", "--out", &url, "--jobs", "2", "--quiet", "--scratch", "scratch"];
        let mut batch = program(place, &words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("a finished run", &String::new, &mut || finished() >= wanted);
        batch.kill().unwrap();
        batch.wait().unwrap();
        // Its runs see it gone, and end within a second or two.
        std::thread::sleep(Duration::from_secs(2));
        let done = finished();
        println!("killed with {done} of 6 runs done");
        assert_eq!(status(place, &url)["counts"]["done"], done);
        let back = format!("back-{wanted}");
        let pulled = urbis(place, &["results", "pull", &url, &back]);
        assert!(pulled.code == 0 && pulled.stdout.starts_with(&format!("{done} runs pulled")), "{}", pulled.stderr);
        assert!(checked_hash(&place.join(back)).is_some());
    }
    let ended = batch(place, &["--out", &url, "--jobs", "2", "--scratch", "scratch", "-q"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(entries(&place.join("scratch")), ["common"]);
    assert_eq!(urbis(place, &["results", "pull", &url, "whole"]).code, 0);
    assert_eq!(checked_hash(&place.join("whole")), Some(hash));
}
