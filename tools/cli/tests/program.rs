//! The program from outside: what it prints, where, and how it ends.

mod common;

use common::{folder, urbis};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCENARIO: &str = r#"name = "day"
[city]
package = "city"
[period]
start = "2024-06-11T03:00:00"
time_zone = "Europe/Monaco"
duration_h = 24
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn help_teaches() {
    let place = folder(&[]);
    let help = urbis(place.path(), &["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for part in ["Examples:", "urbis run scenarios/monaco/baseline.toml", "Exit codes:", "130  stopped", "NO_COLOR"] {
        assert!(help.stdout.contains(part), "{part} is missing in\n{}", help.stdout);
    }
    for (command, part) in [
        (vec!["run", "--help"], "part-0.parquet"),
        (vec!["city", "build", "--help"], "recipe (TOML) names the files"),
        (vec!["city", "info", "--help"], "--format"),
        (vec!["scenario", "show", "--help"], "is itself a scenario"),
        (vec!["draw", "--help"], "--out day.svg"),
        (vec!["population", "synthesise", "--help"], "DIR/households.parquet"),
        (vec!["--version"], "urbis 0"),
    ] {
        let help = urbis(place.path(), &command);
        assert_eq!(help.code, 0, "{}", help.stderr);
        assert!(help.stdout.contains(part), "{part} is missing in\n{}", help.stdout);
    }
}

#[test]
fn bad_arguments_end_with_2() {
    let place = folder(&[("s.toml", SCENARIO)]);
    for (arguments, part) in [
        (vec![], "Usage: urbis"),
        (vec!["rum"], "similar subcommand exists: 'run'"),
        (vec!["run", "s.toml"], "--out"),
        (vec!["run", "s.toml", "--out", "o", "--threads", "0"], "0 is not in 1..=1024"),
        (vec!["run", "s.toml", "--out", "o", "--seed", "-1"], "invalid value '-1' for '--seed"),
        (vec!["run", "s.toml", "--out", "o", "--format", "xml"], "possible values: table, json"),
        (vec!["completions", "dosh"], "possible values: bash"),
    ] {
        let ended = urbis(place.path(), &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
    }
    assert!(!place.path().join("o").exists());
}

#[test]
fn bad_input_ends_with_2_and_leaves_nothing() {
    let place = folder(&[
        ("unknown.toml", &SCENARIO.replace("duration_h", "duration")),
        ("circle.toml", "name = 'a'\nbase = 'circle.toml'\n"),
        ("orphan.toml", "name = 'a'\nbase = 'absent.toml'\n"),
        ("s.toml", SCENARIO),
        ("recipe.toml", "nmae = 'x'\n"),
    ]);
    for (arguments, part) in [
        (vec!["run", "unknown.toml", "--out", "o"], "unknown.toml line 7: unknown key `period.duration`"),
        (vec!["run", "unknown.toml", "--out", "o"], "help: did you mean `duration_h`?"),
        (vec!["scenario", "check", "circle.toml"], "goes round in a circle: circle.toml -> circle.toml"),
        (vec!["scenario", "show", "orphan.toml"], "cannot read the base absent.toml"),
        (vec!["scenario", "check", "absent.toml"], "cannot read absent.toml"),
        (vec!["scenario", "check", "s.toml"], "s.toml line 3: there is no city package city"),
        (vec!["run", "s.toml", "--out", "o"], "city"),
        (vec!["city", "build", "recipe.toml", "--out", "o"], "recipe.toml"),
        (vec!["city", "build", "absent.toml", "--out", "o"], "absent.toml"),
        (vec!["city", "info", "absent"], "absent"),
        (vec!["draw", "absent", "--scenario", "day", "--out", "o"], "absent"),
    ] {
        let ended = urbis(place.path(), &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}\n{}", ended.stderr);
        assert!(
            ended.stderr.contains("error: ") && ended.stderr.contains(part),
            "{part} is missing in\n{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 5, "{left:?}");
}

#[test]
fn the_schema_is_json_of_every_key() {
    let place = folder(&[]);
    let ended = urbis(place.path(), &["schema"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["properties"]["population"].is_object());
}

#[test]
fn a_scenario_is_shown_resolved() {
    let place = folder(&[
        ("base.toml", SCENARIO),
        ("s.toml", "name = 'late'\nbase = 'base.toml'\n[period]\nstart = '2024-06-12T03:00:00'\n"),
    ]);
    let shown = urbis(place.path(), &["scenario", "show", "s.toml"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    let change = "#   period.start: \"2024-06-11T03:00:00\" -> \"2024-06-12T03:00:00\"";
    assert!(shown.stdout.contains(change), "{}", shown.stdout);
    std::fs::write(place.path().join("again.toml"), &shown.stdout).unwrap();
    let json = |file: &str| -> serde_json::Value {
        let ended = urbis(place.path(), &["scenario", "show", file, "--format", "json"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let (first, again) = (json("s.toml"), json("again.toml"));
    assert_eq!((&first["hash"], &first["scenario"]), (&again["hash"], &again["scenario"]));
    assert_eq!(first["differences"].as_array().unwrap().len(), 2);
    assert_eq!(again["differences"].as_array().unwrap().len(), 0);
}

#[test]
fn completions_name_every_command() {
    let place = folder(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let ended = urbis(place.path(), &["completions", shell]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        for command in ["city", "scenario", "population", "run", "draw", "schema"] {
            assert!(ended.stdout.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn a_town_from_recipe_to_picture() {
    let place = folder(&[]);
    let root = root();
    let path = |name: &str| root.join(name).display().to_string();
    let recipe = path("assets/town/city.toml");
    let built = urbis(place.path(), &["city", "build", &recipe, "--out", "town"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    assert!(built.stdout.starts_with("town  "), "{}", built.stdout);
    let again = urbis(place.path(), &["city", "build", &recipe, "--out", "town"]);
    assert!(again.stderr.contains("town is up to date"), "{}", again.stderr);
    assert_eq!(again.stdout, built.stdout);

    let info = urbis(place.path(), &["city", "info", "town"]);
    assert!(info.code == 0 && info.stdout.contains("Known gaps"), "{}{}", info.stdout, info.stderr);
    let info = urbis(place.path(), &["city", "info", "town", "--format", "json"]);
    let info: serde_json::Value = serde_json::from_str(&info.stdout).unwrap();
    assert_eq!(info["manifest"]["name"], "town");

    let base = path("scenarios/town/baseline.toml");
    let text = format!("name = 'hour'\nbase = '{base}'\n[city]\npackage = 'town'\n[period]\nduration_h = 1\n");
    std::fs::write(place.path().join("hour.toml"), text).unwrap();
    let checked = urbis(place.path(), &["scenario", "check", "hour.toml"]);
    assert!(checked.code == 0 && checked.stdout.contains("1 h from"), "{}{}", checked.stdout, checked.stderr);
    let arguments = ["run", "hour.toml", "--out", "out", "--seed", "4", "--threads", "1"];
    let run = urbis(place.path(), &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("(scenario=hour, seed=4)") && run.stdout.contains(" draw out "), "{}", run.stdout);
    assert!(run.stderr.contains("stepping") && run.stderr.contains("50 % of the period"), "{}", run.stderr);
    assert!(place.path().join("out/kpis/scenario=hour/seed=4/part-0.parquet").is_file());

    let quiet = urbis(place.path(), &[&arguments[..], &["--quiet", "--format", "json"]].concat());
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
    let summary: serde_json::Value = serde_json::from_str(&quiet.stdout).unwrap();
    assert_eq!((&summary["scenario"], &summary["seed"]), (&"hour".into(), &4.into()));
    assert!(!summary["kpis"].as_array().unwrap().is_empty());

    let people = |threads: &str, out: &str| {
        let arguments = ["population", "synthesise", "hour.toml", "--out", out, "--threads", threads];
        let made = urbis(place.path(), &[&arguments[..], &["--quiet", "--format", "json"]].concat());
        assert_eq!((made.code, made.stderr.as_str()), (0, ""));
        serde_json::from_str::<serde_json::Value>(&made.stdout).unwrap()
    };
    let (made, _) = (people("1", "people"), people("3", "again"));
    assert_eq!((&made["persons"], &made["households"]), (&2000.into(), &800.into()));
    for file in ["persons.parquet", "households.parquet", "firms.parquet", "fit.csv"] {
        let bytes = |folder: &str| std::fs::read(place.path().join(folder).join(file)).unwrap();
        assert_eq!(bytes("people"), bytes("again"), "{file}");
    }
    let made = urbis(place.path(), &["population", "synthesise", "hour.toml"]);
    assert!(made.code == 0 && made.stdout.contains("age 0 17") && made.stdout.contains("persons/s"), "{}", made.stdout);

    let drawn = urbis(place.path(), &["draw", "out", "--scenario", "hour", "--seed", "4", "--out", "hour.svg"]);
    assert_eq!((drawn.code, drawn.stdout.as_str()), (0, "hour.svg\n"), "{}", drawn.stderr);
    assert!(std::fs::read_to_string(place.path().join("hour.svg")).unwrap().contains("<svg"));
}

#[cfg(unix)]
#[test]
fn interrupted_runs_leave_nothing_that_looks_complete() {
    let place = folder(&[]);
    let base = root().join("scenarios/town/baseline.toml");
    // A period that no machine gets through before it is stopped.
    let text =
        format!("name = 'year'\nbase = '{}'\n[city]\npackage = 'town'\n[period]\nduration_h = 1100\n", base.display());
    std::fs::write(place.path().join("year.toml"), text).unwrap();
    let recipe = root().join("assets/town/city.toml").display().to_string();
    assert_eq!(urbis(place.path(), &["city", "build", &recipe, "--out", "town"]).code, 0);
    let child = Command::new(env!("CARGO_BIN_EXE_urbis"))
        .args(["run", "year.toml", "--out", "out"])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has begun as soon as its results are staged.
    let started = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        place.path().join("out").is_dir()
    });
    assert!(started);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("stopping at the next tick") && stderr.contains("error: stopped at tick"), "{stderr}");
    assert!(!place.path().join("out/_SUCCESS").exists());
    let left = |folder: &Path| std::fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!(left(&place.path().join("out")), 0, "unfinished files are left");
}
