//! Studies: what they expand to, and what is refused with which words.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use urbis_core::Error;
use urbis_scenario::{LoadedStudy, load, load_run, load_study};

const BASE: &str = "name = \"baseline\"\n[city]\npackage = \"city\"\n[period]\nstart = \"2024-06-11T03:00:00\"\n\
                    time_zone = \"Europe/Berlin\"\nduration_h = 1\n";
const MORE: &str = "base = \"baseline.toml\"\nname = \"more\"\n[[policy]]\nname = \"toll\"\nkind = \"road_price\"\n\
                    area = { zones = [\"east\"] }\nbasis = \"cordon\"\nprices = [{ amount = 4.0 }]\n";
const HEAD: &str =
    "name = \"s\"\nbase = \"baseline\"\nscenarios = [\"baseline.toml\", \"more.toml\"]\nseeds = [1, 2]\n";

fn study_file(folder: &Path, text: &str) -> PathBuf {
    std::fs::write(folder.join("baseline.toml"), BASE).unwrap();
    std::fs::write(folder.join("more.toml"), MORE).unwrap();
    let path = folder.join("study.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn loaded(text: &str) -> Result<LoadedStudy, Error> {
    let folder = tempfile::tempdir().unwrap();
    load_study(&study_file(folder.path(), text))
}

fn names(study: &LoadedStudy) -> Vec<&str> {
    study.variants.iter().map(|variant| variant.name()).collect()
}

fn refusal(text: &str) -> String {
    said(loaded(text))
}

/// What is said, help included.
fn said<T: std::fmt::Debug>(refused: Result<T, Error>) -> String {
    match refused {
        Err(Error::Input(problems)) => {
            problems.listed().iter().map(|p| format!("{p} {}\n", p.help_text().unwrap_or_default())).collect()
        }
        other => panic!("expected problems, got {other:?}"),
    }
}

fn factors(study: &LoadedStudy, scenario: &str) -> Vec<f64> {
    let own = study.variants.iter().filter(|variant| variant.of == scenario);
    own.map(|variant| variant.loaded.scenario.population.sample_factor).collect()
}

fn car_shares(study: &LoadedStudy, scenario: &str) -> Vec<f64> {
    let own = study.variants.iter().filter(|variant| variant.of == scenario);
    own.map(|variant| variant.loaded.scenario.population.car_share).collect()
}

#[test]
fn scenarios_alone_are_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let study = load_study(&study_file(folder.path(), HEAD)).unwrap();
    assert_eq!((names(&study), study.runs(), study.base()), (vec!["baseline", "more"], 4, "baseline"));
    for variant in &study.variants {
        let plain = load(&folder.path().join(format!("{}.toml", variant.name()))).unwrap();
        assert_eq!(plain.hash(), variant.loaded.hash(), "a study's run is the run of the file");
    }
}

#[test]
fn seeds_are_the_same_for_every_scenario() {
    let study = loaded(HEAD).unwrap();
    let rows: Vec<(&str, u64)> = study.rows().map(|(variant, seed)| (variant.name(), seed)).collect();
    assert_eq!(rows, [("baseline", 1), ("baseline", 2), ("more", 1), ("more", 2)]);
}

#[test]
fn grids_are_full_and_stay_with_their_scenarios() {
    let study = loaded(&format!(
        "{HEAD}[[parameter]]\npath = \"population.car_share\"\nvalues = [0.2, 0.8]\nscenarios = [\"more\"]\n\
         [[parameter]]\npath = \"population.sample_factor\"\nvalues = [0.1, 0.2, 0.3]\nscenarios = [\"more\"]\n"
    ))
    .unwrap();
    assert_eq!(names(&study), ["baseline", "more-1", "more-2", "more-3", "more-4", "more-5", "more-6"]);
    assert_eq!(factors(&study, "more"), [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]);
    assert_eq!(car_shares(&study, "more"), [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]);
    let written: Vec<&str> = study.variants[1].parameters.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(written, ["population.car_share", "population.sample_factor"]);
}

#[test]
fn entries_of_lists_are_found_by_name() {
    let study = loaded(&format!(
        "{HEAD}[[parameter]]\npath = \"policy.toll.resident_share\"\nvalues = [0.0, 0.5]\nscenarios = [\"more\"]\n"
    ))
    .unwrap();
    let toml: Vec<String> = study.variants[1..].iter().map(|variant| variant.loaded.to_toml()).collect();
    assert!(toml[0].contains("resident_share = 0.0") && toml[1].contains("resident_share = 0.5"), "{toml:?}");
}

#[test]
fn samples_are_the_same_in_every_scenario() {
    for method in ["latin_hypercube", "sobol"] {
        let study = loaded(&format!(
            "{HEAD}[[parameter]]\npath = \"population.car_share\"\nlow = 0.2\nhigh = 0.7\nscenarios = [\"more\"]\n\
             [[parameter]]\npath = \"population.sample_factor\"\nlow = 0.5\nhigh = 1.0\n\
             [sample]\nmethod = \"{method}\"\npoints = 16\nseed = 4\n"
        ))
        .unwrap();
        assert_eq!(study.runs(), 2 * (16 + 16));
        assert_eq!(factors(&study, "baseline"), factors(&study, "more"), "{method}: one more parameter moves another");
        let strata = |values: Vec<f64>, low: f64| -> BTreeSet<u32> {
            values.iter().map(|value| ((value - low) / (0.5 / 16.0)) as u32).collect()
        };
        assert_eq!(strata(factors(&study, "more"), 0.5).len(), 16);
        assert_eq!(strata(car_shares(&study, "more"), 0.2).len(), 16);
    }
}

#[test]
fn grid_and_sample_multiply() {
    let study = loaded(&format!(
        "{HEAD}[[parameter]]\npath = \"population.car_share\"\nlow = 0.2\nhigh = 0.7\n\
         [[parameter]]\npath = \"population.sample_factor\"\nvalues = [0.5, 1.0, 0.75]\n\
         [sample]\nmethod = \"sobol\"\npoints = 8\n"
    ))
    .unwrap();
    assert_eq!(study.runs(), 2 * 3 * 8 * 2);
    assert_eq!(study.variants[0].name(), "baseline-01", "numbers sort as text");
    assert_eq!(study.variants[0].parameters[0].0, "population.car_share", "in the order of the study");
}

#[test]
fn one_run_is_the_same_as_among_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = study_file(
        folder.path(),
        &format!(
            "{HEAD}[[parameter]]\npath = \"population.car_share\"\nlow = 0.2\nhigh = 0.7\n\
             [sample]\nmethod = \"latin_hypercube\"\npoints = 3\n"
        ),
    );
    let study = load_study(&path).unwrap();
    for (index, (variant, seed)) in study.rows().enumerate() {
        let run = load_run(&path, index).unwrap();
        assert_eq!((run.variant.loaded.hash(), run.seed), (variant.loaded.hash(), seed));
        assert_eq!(run.variant.parameters, variant.parameters);
    }
    let said = said(load_run(&path, 12));
    assert!(said.contains("has 12 runs, numbered from 0; there is no run 12"), "{said}");
}

#[test]
fn refusals_say_where_and_what() {
    let parameter = |path: &str, rest: &str| format!("{HEAD}[[parameter]]\npath = \"{path}\"\n{rest}\n");
    for (text, expected) in [
        (
            parameter("population.sample_facto", "values = [0.5]"),
            "study.toml line 6: unknown key `population.sample_facto`",
        ),
        (parameter("population.sample_facto", "values = [0.5]"), "did you mean `sample_factor`?"),
        (parameter("populatio.sample_factor", "values = [0.5]"), "did you mean `population`?"),
        (
            parameter("policy.tol.amount", "values = [0.5]\nscenarios = [\"more\"]"),
            "no entry named `tol`, expected one of toll",
        ),
        (parameter("city.package.name", "values = [0.5]"), "`name` would be a key of text, which has none"),
        (parameter("population.sample_factor", "values = [\"x\"]"), "study.toml line 7"),
        (parameter("population.sample_factor", "values = [\"x\"]"), "expected a number"),
        (parameter("population.sample_factor", "values = [2.0]"), "`population.sample_factor` = 2"),
        (parameter("population.sample_factor", ""), "needs either `values`, or `low` and `high`"),
        (parameter("population.sample_factor", "values = []"), "at least 1"),
        (parameter("population.sample_factor", "low = 0.1"), "needs either `values`, or `low` and `high`"),
        (parameter("population.sample_factor", "low = 0.1\nhigh = 0.5"), "needs a [sample]"),
        (parameter("population.sample_factor", "low = 0.5\nhigh = 0.1"), "expected low < high"),
        (parameter("population.sample_factor", "values = [1.0]\nscenarios = [\"mor\"]"), "did you mean \"more\"?"),
        (parameter("population..x", "values = [1.0]"), "is not a dotted key"),
        (parameter("seed", "values = [1]"), "cannot vary within a study"),
        (format!("{HEAD}[sample]\nmethod = \"sobol\"\npoints = 4\n"), "[sample] without a parameter"),
        (format!("{HEAD}[sample]\nmethod = \"sobl\"\npoints = 4\n"), "did you mean \"sobol\"?"),
        (HEAD.replace("base = \"baseline\"", "base = \"baselin\""), "did you mean \"baseline\"?"),
        (HEAD.replace("more.toml", "none.toml"), "study.toml line 3: cannot read the scenario"),
        (HEAD.replace("more.toml", "baseline.toml"), "a second scenario is named \"baseline\""),
        (HEAD.replace("[1, 2]", "[1, 1]"), "seed 1 stands twice"),
        (HEAD.replace("[1, 2]", "[]"), "at least 1"),
        (HEAD.replace("seeds", "sedes"), "did you mean `seeds`?"),
        (HEAD.replace("\"s\"", "\"S 1\""), "expected lower-case letters"),
    ] {
        let said = refusal(&text);
        assert!(said.contains(expected), "{text}\nexpected: {expected}\nsaid: {said}");
        assert!(said.contains("study.toml"), "{said}");
    }
    let many: Vec<String> = (1..=60_000).map(|seed: u32| seed.to_string()).collect();
    assert!(refusal(&HEAD.replace("1, 2", &many.join(","))).contains("more than 100000 runs"));
    let folder = tempfile::tempdir().unwrap();
    assert!(load_study(&folder.path().join("absent.toml")).unwrap_err().to_string().contains("absent.toml"));
}

#[test]
fn shipped_studies_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let monaco = load_study(&root.join("monaco/study.toml")).unwrap();
    assert_eq!((names(&monaco), monaco.runs()), (vec!["baseline", "charge", "closure"], 15));
    let town = load_study(&root.join("town/study.toml")).unwrap();
    assert!(town.runs() > 1);
}
