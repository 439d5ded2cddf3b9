//! Every scenario and study that is shipped can be read; those of the town fit it, and every kind of policy and event has an example.

use std::path::{Path, PathBuf};
use urbis_tests::{installed, root, told_of};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "toml") {
            found.push(path);
        }
    }
}

fn shipped() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root().join("scenarios"), &mut found);
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_file_can_be_read_and_the_towns_fit_it() {
    let (mut scenarios, mut studies, mut installs) = (0, 0, 0);
    for (path, text) in shipped() {
        let told = |error: &urbis_core::Error| panic!("{}: {}", path.display(), told_of(error));
        if text.contains("\nscenarios = ") {
            urbis_scenario::load_study(&path).map_err(|error| told(&error)).unwrap();
            studies += 1;
            continue;
        }
        urbis_scenario::load(&path).map_err(|error| told(&error)).unwrap();
        scenarios += 1;
        if path.parent().is_some_and(|folder| folder.ends_with("town")) {
            let place = tempfile::tempdir().unwrap();
            let base = path.strip_prefix(root()).unwrap();
            let _ = installed(place.path(), &base.to_string_lossy(), "", 1, None);
            installs += 1;
        }
    }
    println!("{scenarios} scenarios, {installs} of the town, and {studies} studies");
    assert!(installs > 20 && scenarios > 40 && studies > 8);
}

#[test]
fn every_kind_has_an_example() {
    let all: String = shipped().into_iter().map(|(_, text)| text).collect();
    for page in ["policies.md", "events.md"] {
        let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
        // Tables of kinds: rows that begin with a kind, or with two.
        let mut kinds = Vec::new();
        let mut is_of_kinds = false;
        for line in text.lines() {
            is_of_kinds = if line.starts_with("| kind |") { true } else { is_of_kinds && line.starts_with('|') };
            if is_of_kinds && line.starts_with("| `") {
                let first = line.split('|').nth(1).unwrap();
                let names = first.split('(').next().unwrap().split('`').skip(1).step_by(2);
                kinds.extend(names.map(str::to_owned));
            }
        }
        println!("{page}: {kinds:?}");
        assert!(kinds.len() >= 13, "{page}");
        for kind in kinds {
            assert!(all.contains(&format!("kind = \"{kind}\"")), "{page}: no shipped scenario has a `{kind}`");
        }
    }
}
