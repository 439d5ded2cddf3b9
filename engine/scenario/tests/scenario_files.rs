//! Scenario files as people write them, right and wrong.

use std::path::{Path, PathBuf};
use tempfile::TempDir;
use urbis_core::{Error, Problem};
use urbis_scenario::{Loaded, json_schema, load};

const BASELINE: &str = r#"
name = "baseline"
title = "An ordinary day"
description = "Nothing changed."

[city]
package = "../cities/here"
recipe = "here.toml"

[period]
start = "2024-06-11T03:00:00"
time_zone = "Europe/Monaco"
duration_h = 24

[population]
sample_factor = 0.5
"#;

/// A folder of files that goes away with the test.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let files_here = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            files_here.write(name, text.as_bytes());
        }
        files_here
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    fn load(&self, name: &str) -> Loaded {
        load(&self.path(name)).unwrap_or_else(|error| panic!("{}", all_text(&error)))
    }
    /// The problems of a scenario, as (line of the file, text without the folder, help).
    fn problems(&self, name: &str) -> Vec<(String, String)> {
        let error = load(&self.path(name)).map(|loaded| loaded.scenario).unwrap_err();
        assert_eq!(error.exit_status() as i32, 2, "{error}");
        let Error::Input(problems) = error else { panic!("{error}") };
        let folder = format!("{}/", self.0.path().display());
        let text = |problem: &Problem| {
            (problem.to_string().replace(&folder, ""), problem.help_text().unwrap_or_default().replace(&folder, ""))
        };
        problems.listed().iter().map(text).collect()
    }
    fn only_problem(&self, name: &str) -> (String, String) {
        let mut problems = self.problems(name);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        problems.remove(0)
    }
}

fn all_text(error: &Error) -> String {
    match error {
        Error::Input(problems) => problems.listed().iter().map(|p| format!("{p}\n")).collect(),
        other => other.to_string(),
    }
}

/// The baseline with one line changed or added.
fn one_file(from: &str, to: &str) -> Files {
    assert!(BASELINE.contains(from), "{from}");
    Files::new(&[("s.toml", &BASELINE.replace(from, to))])
}

#[test]
fn a_whole_scenario() {
    let files = Files::new(&[("s.toml", BASELINE)]);
    let loaded = files.load("s.toml");
    let scenario = &loaded.scenario;
    assert_eq!((scenario.name.as_str(), scenario.seed), ("baseline", 1));
    assert_eq!(scenario.population.sample_factor.to_string(), "0.5");
    assert_eq!(loaded.timing().unwrap().ticks, 86_400);
    let every: Vec<_> = scenario.output.tables.schedules().iter().map(|s| (s.table, s.enabled, s.every_s)).collect();
    assert_eq!(
        every,
        [
            ("link_state", true, Some(900)),
            ("trips", true, None),
            ("presence", true, Some(3600)),
            ("building_load", true, Some(3600)),
            ("zone_load", true, Some(900)),
            ("kpis", true, None),
            ("ledgers", true, None),
            ("signals", true, Some(900)),
            ("gridlock", true, None),
            ("crossings", false, None),
            ("activity_presence", true, Some(900)),
            ("activities", false, None),
            ("tours", false, None),
            ("legs", false, None),
            ("od", true, None),
            ("skims", false, None),
            ("accessibility", true, None),
            ("feedback", true, None),
            ("transit_load", true, None),
            ("persons", false, None),
            ("households", false, None),
            ("parking", true, Some(900)),
            ("bus_state", true, Some(3600)),
            ("branch_state", true, Some(3600)),
            ("substation_load", true, Some(900)),
            ("energy_balance", true, Some(900)),
            ("outages", true, None),
            ("network_element", true, None),
            ("water_node", true, Some(3600)),
            ("water_link", true, Some(3600)),
            ("tank", true, Some(900)),
            ("gas_node", true, Some(3600)),
            ("gas_link", true, Some(3600)),
            ("heat_node", true, Some(3600)),
            ("heat_link", true, Some(3600)),
            ("sewer_node", true, Some(3600)),
            ("service", true, Some(3600)),
            ("utility_balance", true, Some(900)),
            ("exposure", true, None),
            ("events", true, None),
            ("payments", true, None),
            ("bills", true, None),
            ("emergency_call", true, None),
            ("evacuation", true, None),
        ]
    );
    assert_eq!(loaded.files().count(), 1);
    assert!(loaded.differences().is_empty());
}

#[test]
fn a_resolved_scenario_is_a_scenario() {
    let files = Files::new(&[("s.toml", BASELINE)]);
    let first = files.load("s.toml");
    files.write("again.toml", first.scenario.to_toml().as_bytes());
    let again = files.load("again.toml");
    assert_eq!(first.scenario, again.scenario);
    assert_eq!(first.scenario.hash(), again.scenario.hash());
}

#[test]
fn weather_and_loads_are_set_and_their_file_lies_beside_the_scenario() {
    let base = format!("{BASELINE}[weather]\nfile = 'data/town.epw'\n[power.profiles]\noffice = 'g0'\n");
    let files = Files::new(&[
        ("study/baseline.toml", &base),
        (
            "study/variants/cold.toml",
            "name = 'cold'\nbase = '../baseline.toml'\n[power.heating]\nelectric_share = 0.3\n",
        ),
        (
            "study/wrong.toml",
            "name = 'wrong'\nbase = 'baseline.toml'\n[power.profiles]\noffice = 'g9'\n[weather.climate]\n",
        ),
    ]);
    let loaded = files.load("study/variants/cold.toml");
    assert_eq!(loaded.weather().file, Some(files.path("study/data/town.epw")));
    let power = &loaded.scenario.power;
    assert_eq!((power.profiles.office.as_str(), power.profiles.residential.as_str()), ("g0", "h25"));
    assert_eq!(power.heating.electric_share.to_string(), "0.3");
    let told: Vec<String> = files.problems("study/wrong.toml").into_iter().map(|(text, _)| text).collect();
    assert!(
        told[0].starts_with("study/wrong.toml line 4: `power.profiles.office` = \"g9\", expected one of h0"),
        "{told:?}"
    );
    assert!(told[1].contains("`weather.climate` stands beside a file") && told.len() == 2, "{told:?}");
    files.write("again.toml", loaded.to_toml().as_bytes());
    assert_eq!(files.load("again.toml").scenario.power, loaded.scenario.power);
}

#[test]
fn a_base_is_patched_key_by_key() {
    let files = Files::new(&[
        ("study/baseline.toml", BASELINE),
        (
            "study/variants/tables.toml",
            "name = 'tables'\nbase = '../baseline.toml'\n[output.tables.presence]\nenabled = false\n\
             [output.tables.link_state]\nzones = ['a', 'b']\n",
        ),
        (
            "study/variants/deep/fast.toml",
            "name = 'fast'\nbase = '../tables.toml'\nseed = 7\n[period]\nduration_h = 1\n\
             [output.tables]\nlink_state = { every_s = 60, zones = ['c'] }\n",
        ),
    ]);
    let loaded = files.load("study/variants/deep/fast.toml");
    let scenario = &loaded.scenario;
    assert_eq!((scenario.name.as_str(), scenario.title.as_str(), scenario.seed), ("fast", "", 7));
    assert_eq!((scenario.period.duration_h, scenario.period.time_zone.as_str()), (1, "Europe/Monaco"));
    let tables = &scenario.output.tables;
    assert_eq!((tables.link_state.every_s, tables.link_state.zones.as_slice()), (60, ["c".to_owned()].as_slice()));
    assert_eq!((tables.presence.enabled, tables.presence.every_s), (false, 3600));
    // Paths are relative to the file in which they are written, wherever the heir lies.
    assert_eq!(scenario.city.package, Path::new("../../../cities/here"));
    assert_eq!(loaded.package(), files.path("cities/here"));
    assert_eq!(loaded.recipe().unwrap(), files.path("study/here.toml"));
    let names: Vec<_> = loaded.files().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["fast.toml", "tables.toml", "baseline.toml"]);

    let differences: Vec<_> = loaded
        .differences()
        .into_iter()
        .map(|d| format!("{}: {} -> {}", d.key, d.base.unwrap_or_default(), d.value.unwrap_or_default()))
        .collect();
    assert_eq!(
        differences,
        [
            r#"name: "tables" -> "fast""#,
            r#"output.tables.link_state.every_s: 900 -> 60"#,
            r#"output.tables.link_state.zones: ["a","b"] -> ["c"]"#,
            "period.duration_h: 24 -> 1",
            "seed: 1 -> 7",
        ]
    );
}

#[test]
fn the_hash_tells_scenarios_apart_but_not_their_seeds_or_places() {
    let hash = |files: &Files, name: &str| files.load(name).scenario.hash();
    let here = Files::new(&[("a/s.toml", BASELINE)]);
    let there = Files::new(&[("b/c/s.toml", &format!("seed = 9\n{BASELINE}# comment"))]);
    assert_eq!(hash(&here, "a/s.toml"), hash(&there, "b/c/s.toml"));
    assert_ne!(hash(&here, "a/s.toml"), hash(&one_file("0.5", "0.25"), "s.toml"));
    assert_eq!(hash(&here, "a/s.toml").len(), 64);
}

#[test]
fn an_unknown_key_is_shown_where_it_stands() {
    let files = one_file("sample_factor = 0.5", "sampel_factor = 0.5");
    let (message, help) = files.only_problem("s.toml");
    assert_eq!(message, "s.toml line 16: unknown key `population.sampel_factor`");
    assert_eq!(help, "did you mean `sample_factor`?");
    let files = one_file("name =", "[outptu]\n[output.tables.trips]\nevery_s = 1\n[x]\nname =");
    let problems = files.problems("s.toml");
    assert!(problems.contains(&("s.toml line 2: unknown key `outptu`".into(), "did you mean `output`?".into())));
    let trips = problems.iter().find(|(message, _)| message.contains("output.tables.trips.every_s")).unwrap();
    assert!(trips.1.contains("enabled, zones"), "{trips:?}");
}

#[test]
fn an_unknown_key_of_a_base_is_shown_in_the_base() {
    let files = Files::new(&[
        ("base.toml", &BASELINE.replace("duration_h", "duration")),
        ("s.toml", "name = 's'\nbase = 'base.toml'\n[period]\nduration_h = 2\ntime_zone = 3\n"),
    ]);
    let problems = files.problems("s.toml");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert_eq!(problems[0].0, "s.toml line 5: `period.time_zone` is 3, expected text in quotes");
    assert_eq!(problems[1].0, "base.toml line 13: unknown key `period.duration`");
    assert_eq!(problems[1].1, "did you mean `duration_h`?");
}

#[test]
fn types_choices_and_ranges() {
    for (from, to, expected) in [
        ("duration_h = 24", "duration_h = \"24\"", "line 13: `period.duration_h` is \"24\", expected a whole number"),
        ("duration_h = 24", "duration_h = 24.5", "line 13: `period.duration_h` is 24.5, expected a whole number"),
        ("duration_h = 24", "duration_h = 0", "line 13: `period.duration_h` = 0, expected >= 1 and <= 1100"),
        ("duration_h = 24", "duration_h = 1101", "line 13: `period.duration_h` = 1101, expected >= 1 and <= 1100"),
        ("duration_h = 24", "duration_h = [24]", "line 13: `period.duration_h` is a list, expected a whole number"),
        (
            "sample_factor = 0.5",
            "sample_factor = true",
            "line 16: `population.sample_factor` is true, expected a number",
        ),
        (
            "sample_factor = 0.5",
            "sample_factor = 1.5",
            "line 16: `population.sample_factor` = 1.5, expected >= 0 and <= 1",
        ),
        ("sample_factor = 0.5", "sample_factor = 0", "line 16: `population.sample_factor` = 0, expected > 0 and <= 1"),
        ("sample_factor = 0.5", "sample_factor = nan", "line 16: nan is not a finite number"),
        (
            "duration_h = 24",
            "duration_h = 99999999999999999999",
            "line 13: 99999999999999999999 is too large a whole number",
        ),
        ("[city]", "seed = -1\n[city]", "line 6: `seed` = -1, expected >= 0"),
        ("[city]", "output = 3\n[city]", "line 6: `output` is 3, expected a table"),
        ("time_zone = \"Europe/Monaco\"", "", "line 10: missing key `period.time_zone`"),
        ("package = \"../cities/here\"", "", "line 6: missing key `city.package`"),
        ("name = \"baseline\"", "", "line 1: missing key `name`"),
    ] {
        let (message, _) = one_file(from, to).only_problem("s.toml");
        assert!(message.starts_with(&format!("s.toml {expected}")), "{message}\nexpected {expected}");
    }
}

#[test]
fn names_times_and_schedules_must_fit() {
    for (from, to, expected, hint) in [
        ("\"baseline\"", "\"../x\"", "line 2: `name` = \"../x\" cannot name a folder", "lower-case"),
        ("\"baseline\"", "\"\"", "line 2: `name` has 0 characters, expected at least 1", ""),
        ("Europe/Monaco", "Europe/Monacco", "line 12: `period.time_zone` = \"Europe/Monacco\"", "\"Europe/Monaco\""),
        ("03:00:00\"", "03:00:00Z\"", "line 11: `period.start` = \"2024-06-11T03:00:00Z\" has an offset", "time_zone"),
        (
            "2024-06-11T03",
            "2024-03-31T02",
            "line 11: `period.start` = \"2024-03-31T02:00:00\" never happens",
            "forward",
        ),
        (
            "2024-06-11T03",
            "2024-06-31T03",
            "line 11: `period.start` = \"2024-06-31T03:00:00\", expected a local date",
            "T03",
        ),
    ] {
        let (message, help) = one_file(from, to).only_problem("s.toml");
        assert!(message.starts_with(&format!("s.toml {expected}")), "{message}\nexpected {expected}");
        assert!(help.contains(hint), "{help}\nexpected {hint}");
    }
    let files = one_file("[population]", "[output.tables.zone_load]\nevery_s = 7000\nzones = ['a', 'a']\n[population]");
    let problems = files.problems("s.toml");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].0.starts_with("s.toml line 16: `output.tables.zone_load.every_s` = 7000 does not divide"));
    assert!(problems[1].0.starts_with("s.toml line 17: `output.tables.zone_load.zones` lists zone \"a\" twice"));
}

#[test]
fn a_default_that_does_not_fit_is_blamed_on_the_closest_table() {
    let files = one_file("duration_h = 24", "duration_h = 1\n[output.tables.presence]\nevery_s = 7200\n");
    let (message, _) = files.only_problem("s.toml");
    assert!(message.starts_with("s.toml line 15: `output.tables.presence.every_s` = 7200"), "{message}");
}

#[test]
fn names_that_only_the_models_know_are_shown_too() {
    let mode = "speed_kmh = 30\ndetour = 1.2\naccess_min = 1\nconstant_min = 0\n";
    let files = one_file("[population]", &format!("[population.modes.bycicle]\n{mode}[population]"));
    let (message, help) = files.only_problem("s.toml");
    assert!(message.starts_with("s.toml line 15: ") && message.contains("bycicle"), "{message}");
    assert_eq!(help, "did you mean `bicycle`?");
    let files = one_file("[population]", &format!("[population.modes.bicycle]\n{}[population]", &mode[15..]));
    assert_eq!(files.only_problem("s.toml").0, "s.toml line 15: missing key `population.modes.bicycle.speed_kmh`");
}

#[test]
fn a_native_toml_time_is_a_time() {
    let files = one_file("\"2024-06-11T03:00:00\"", "2024-06-11T03:00:00");
    assert_eq!(files.load("s.toml").scenario.period.start, "2024-06-11T03:00:00");
}

#[test]
fn a_missing_base_is_shown_at_its_name() {
    let files = Files::new(&[("s.toml", "name = 's'\nbase = 'nowhere.toml'\nsede = 3\n")]);
    let problems = files.problems("s.toml");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].0.starts_with("s.toml line 2: cannot read the base nowhere.toml"), "{problems:#?}");
    assert!(problems[0].1.contains("relative to the file"));
    assert_eq!(problems[1], ("s.toml line 3: unknown key `sede`".into(), "did you mean `seed`?".into()));
}

#[test]
fn circles_name_the_chain() {
    let files = Files::new(&[
        ("a.toml", "name = 'a'\nbase = 'sub/b.toml'\n"),
        ("sub/b.toml", "name = 'b'\nbase = '../c.toml'\n"),
        ("c.toml", "name = 'c'\nbase = './sub/../a.toml'\n"),
        ("self.toml", "name = 'self'\nbase = 'self.toml'\n"),
    ]);
    let (message, _) = files.only_problem("a.toml");
    assert_eq!(message, "c.toml line 2: `base` goes round in a circle: a.toml -> sub/b.toml -> c.toml -> a.toml");
    let (message, _) = files.only_problem("self.toml");
    assert_eq!(message, "self.toml line 2: `base` goes round in a circle: self.toml -> self.toml");
}

#[test]
fn long_chains_end() {
    let files = Files::new(&[]);
    for row in 0..40 {
        files.write(&format!("{row}.toml"), format!("name = 'n{row}'\nbase = '{}.toml'\n", row + 1).as_bytes());
    }
    let (message, _) = files.only_problem("0.toml");
    assert!(message.contains("more than 16 scenarios stand on one another"), "{message}");
}

#[test]
fn an_heir_needs_a_name_of_its_own() {
    let files = Files::new(&[
        ("base.toml", BASELINE),
        ("unnamed.toml", "base = 'base.toml'\n"),
        ("same.toml", "name = 'baseline'\nbase = 'base.toml'\n"),
    ]);
    let (message, help) = files.only_problem("unnamed.toml");
    assert!(message.contains("missing key `name`"), "{message}");
    assert!(help.starts_with("name: Short name"), "{help}");
    let (message, _) = files.only_problem("same.toml");
    assert!(
        message.starts_with("same.toml line 1: `name` = \"baseline\" is also the name of its base base.toml"),
        "{message}"
    );
}

#[test]
fn what_is_no_scenario_at_all() {
    let files = Files::new(&[("folder/x", "")]);
    files.write("bytes.toml", &[b'a', 0xff, 0xfe]);
    files.write("huge.toml", &vec![b'#'; 2 << 20]);
    files.write("broken.toml", b"name = 'a\n[city\nx = = 1\n");
    files.write("twice.toml", b"name = 'a'\nname = 'b'\n");
    assert!(files.only_problem("folder").0.contains("this is a folder"));
    assert!(files.only_problem("bytes.toml").0.contains("byte 1 is not UTF-8"));
    assert!(files.only_problem("huge.toml").0.contains("at most 1048576 bytes"));
    assert!(files.problems("broken.toml").len() >= 2);
    assert!(files.problems("twice.toml")[0].0.contains("duplicate key"), "{:?}", files.problems("twice.toml"));
    let error = load(&files.path("absent.toml")).unwrap_err();
    assert_eq!((error.exit_status() as i32, matches!(error, Error::Read { .. })), (2, true));
}

#[test]
fn problems_from_outside_find_their_place() {
    let files = Files::new(&[("base.toml", BASELINE), ("s.toml", "name = 's'\nbase = 'base.toml'\n")]);
    let loaded = files.load("s.toml");
    let text = |key: &str| loaded.problem_at(key, "does not fit", "here").to_string();
    assert!(text("city.package").ends_with("base.toml line 7: does not fit"));
    assert!(text("population.nothing.here").ends_with("base.toml line 15: does not fit"));
    assert!(text("traffic.nothing").ends_with("s.toml: does not fit"));
}

#[test]
fn the_schema_describes_every_key() {
    let schema = json_schema();
    let tables = [&schema].into_iter().chain(schema["$defs"].as_object().unwrap().values());
    let mut keys = 0;
    for table in tables.filter(|table| table["type"] == "object") {
        for (key, property) in table["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].as_str().is_some_and(|text| text.len() > 3), "{key} has no description");
            keys += 1;
        }
    }
    assert!(keys > 25, "{keys}");
    assert_eq!(schema["properties"]["period"]["$ref"], "#/$defs/PeriodSettings");
    assert_eq!(schema["additionalProperties"], false);
}
