//! Studies: scenarios x seeds x parameter values, one run each.
//!
//! ```toml
//! name = "charge"
//! question = "Does a charge on the western road shorten the queue, and who pays?"
//! base = "baseline"                                # the scenario that the others are compared with
//! scenarios = ["baseline.toml", "toll.toml"]       # relative to this file
//! seeds = [1, 2, 3, 4, 5]                          # the same for all: runs of one seed are a pair
//!
//! [[parameter]]                                    # values make a grid with those of other parameters
//! path = "population.value_of_time_per_h"
//! values = [10.0, 15.0]
//! scenarios = ["toll"]                             # all where absent
//!
//! [sample]                                         # parameters with `low` and `high` are sampled together
//! method = "latin_hypercube"
//! points = 20
//! ```
//!
//! A scenario with parameters becomes variants, named `<scenario>-<number>`; each is checked as if it stood in a file.
//! People keep their tastes across all of them, because draws depend on the seed and the person alone.
//!
//! Contract: rows come in the order scenario, parameter values, seed; the same files give the same rows.

use crate::load::{self, Loaded, OWN_PATHS, Override};
use crate::sampling::{Method, SOBOL_AXES_MAX, Sample, points};
use crate::schema::{self, Require};
use crate::settle::settle;
use crate::tree::{self, Entry, Node, Source, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::files::parent;
use urbis_core::{Error, Problem, Problems, Result};

/// Most runs of a study; more is a mistake in a grid.
pub const MAX_RUNS: usize = 100_000;

/// A study as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// Short name: lower-case letters, digits, `-` and `_`.
    #[schemars(length(min = 1, max = 64), extend("pattern" = "^[a-z0-9_-]+$"))]
    pub name: String,
    /// One line for people.
    #[serde(default)]
    pub title: String,
    /// What the study is to answer, one sentence.
    #[serde(default)]
    pub question: String,
    /// Name of the scenario that the others are compared with; the first where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Scenario files, relative to this one.
    #[schemars(length(min = 1))]
    pub scenarios: Vec<ScenarioPath>,
    /// Seeds of the runs of each scenario: the same for all, so that runs of one seed are a pair.
    #[schemars(length(min = 1))]
    pub seeds: Vec<u64>,
    /// Settings that take several values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameter: Vec<Parameter>,
    /// How parameters with `low` and `high` are sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// A scenario file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ScenarioPath(#[schemars(extend("format" = "path"))] pub PathBuf);

/// A setting that takes several values: either all of `values`, or a sample between `low` and `high`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its key in a scenario, dotted. An entry of a list of tables is found by its `name`.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub values: Option<Vec<Json>>,
    /// Smallest sampled value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Largest sampled value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Names of the scenarios in which it varies; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub scenarios: Option<Vec<String>>,
}

/// The JSON Schema of a study file, for editors.
#[must_use]
pub fn study_schema() -> Json {
    schemars::schema_for!(Study).to_value()
}

/// A scenario of a study with values for its parameters.
#[derive(Debug)]
pub struct Variant {
    /// The scenario it is of.
    pub of: String,
    /// Its own settings; `scenario.name` is its name in the results.
    pub loaded: Loaded,
    /// Path and value of each parameter, in the order of the study.
    pub parameters: Vec<(String, Json)>,
}

impl Variant {
    /// Its name in the results.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.loaded.scenario.name
    }
}

/// A study that was read and checked.
#[derive(Debug)]
pub struct LoadedStudy {
    /// As written.
    pub study: Study,
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Every scenario with every combination of parameter values.
    pub variants: Vec<Variant>,
}

/// One run of a study.
#[derive(Debug)]
pub struct StudyRun {
    /// What is run.
    pub variant: Variant,
    /// With which seed.
    pub seed: u64,
}

impl LoadedStudy {
    /// Every run, in order.
    pub fn rows(&self) -> impl Iterator<Item = (&Variant, u64)> {
        self.variants.iter().flat_map(|variant| self.study.seeds.iter().map(move |&seed| (variant, seed)))
    }
    /// Number of runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.variants.len() * self.study.seeds.len()
    }
    /// Name of the scenario that the others are compared with.
    #[must_use]
    pub fn base(&self) -> &str {
        self.study.base.as_deref().unwrap_or_else(|| &self.variants[0].of)
    }
}

/// Reads a study and every scenario that it names.
///
/// # Errors
/// [`Error::Read`] when the file cannot be read; [`Error::Input`] with every problem of it and of its variants.
pub fn load_study(path: &Path) -> Result<LoadedStudy> {
    let written = Written::read(path)?;
    let variants = written.reader().variants()?;
    let Written { study, sources: [Source { path, text, .. }], .. } = written;
    Ok(LoadedStudy { study, path, text, variants })
}

/// Reads one run of a study, by its number from 0, without looking at the values of the others: what a task of an array
/// job needs, however large the study is.
///
/// # Errors
/// As [`load_study`], and [`Error::Input`] when there is no run of that number.
pub fn load_run(path: &Path, index: usize) -> Result<StudyRun> {
    let written = Written::read(path)?;
    let reader = written.reader();
    let plans = reader.plans()?;
    let seeds = &written.study.seeds;
    let runs = plans.len() * seeds.len();
    let Some(plan) = plans.into_iter().nth(index / seeds.len()) else {
        let message = format!("has {runs} runs, numbered from 0; there is no run {index}");
        return Err(Problem::file(path, message).with_help("see `urbis batch plan`").into());
    };
    Ok(StudyRun { variant: reader.variant(plan)?, seed: seeds[index % seeds.len()] })
}

/// A study file that holds what its schema says.
struct Written {
    study: Study,
    node: Node,
    sources: [Source; 1],
}

impl Written {
    fn read(path: &Path) -> Result<Self> {
        let text = load::read_file(path)?;
        let mut problems = Problems::new();
        let node = tree::parse(0, path, &text, &mut problems);
        let sources = [Source { path: path.to_owned(), text, folder: PathBuf::new() }];
        for finding in schema::check(&study_schema(), &node, Require::Everywhere) {
            problems.push(finding.problem(&sources));
        }
        problems.or_else(())?;
        Ok(Self { study: settle(&node, &sources)?, node, sources })
    }
    fn reader(&self) -> Reader<'_> {
        Reader { study: &self.study, node: &self.node, sources: &self.sources }
    }
}

struct Reader<'a> {
    study: &'a Study,
    node: &'a Node,
    sources: &'a [Source],
}

/// A variant before its values are tried.
struct VariantPlan {
    path: PathBuf,
    plain: Rc<Loaded>,
    /// Name in the results.
    name: String,
    /// Row of each parameter that varies, and its value.
    values: Vec<(usize, Node)>,
}

impl Reader<'_> {
    fn problem(&self, key_path: &str, row: Option<usize>, message: &str, label: &str) -> Problem {
        let entry = self.node.entry(key_path).map(|entry| &entry.node);
        let place = match (entry, row) {
            (Some(Node { value: Value::Array(items), .. }), Some(row)) => &items[row].place,
            (Some(node), _) => &node.place,
            (None, _) => &self.node.place,
        };
        place.problem(self.sources, message, label)
    }

    /// The scenarios as their files have them.
    fn plain(&self) -> Result<Vec<(PathBuf, Loaded)>> {
        let folder = parent(&self.sources[0].path);
        let mut problems = Problems::new();
        let mut plain = Vec::new();
        for (row, ScenarioPath(path)) in self.study.scenarios.iter().enumerate() {
            let path = PathBuf::from(schema::normalized(&folder.join(path)));
            match load::load(&path) {
                Ok(loaded) => plain.push((path, loaded)),
                Err(Error::Read { path, source }) => {
                    let message = format!("cannot read the scenario {}: {source}", path.display());
                    problems.push(self.problem("scenarios", Some(row), &message, "this file"));
                }
                Err(Error::Input(inner)) => problems.extend(inner),
                Err(other) => return Err(other),
            }
        }
        problems.or_else(plain)
    }

    /// Every scenario with every combination of values, none of which is tried.
    fn plans(&self) -> Result<Vec<VariantPlan>> {
        let study = self.study;
        let plain = self.plain()?;
        let names: Vec<&str> = plain.iter().map(|(_, loaded)| loaded.scenario.name.as_str()).collect();
        let mut problems = Problems::new();
        self.check(&names, &mut problems);
        problems.or_else(())?;

        let mut plans = Vec::new();
        for (path, loaded) in plain {
            let (of, plain) = (loaded.scenario.name.clone(), Rc::new(loaded));
            let varies =
                |of_parameter: &Parameter| of_parameter.scenarios.as_ref().is_none_or(|names| names.contains(&of));
            let varied: Vec<usize> = (0..study.parameter.len()).filter(|&row| varies(&study.parameter[row])).collect();
            let combinations = self.combinations(&varied);
            if (plans.len() + combinations.len()) * study.seeds.len() > MAX_RUNS {
                let message = format!("the study has more than {MAX_RUNS} runs");
                let help = "take fewer values, or sample them: [sample] method = \"latin_hypercube\"";
                let key = if varied.is_empty() { "seeds" } else { "parameter" };
                return Err(self.problem(key, None, &message, "too many").with_help(help).into());
            }
            let digits = combinations.len().to_string().len();
            for (number, values) in combinations.into_iter().enumerate() {
                let name = if varied.is_empty() { of.clone() } else { format!("{of}-{:0digits$}", number + 1) };
                plans.push(VariantPlan { path: path.clone(), plain: Rc::clone(&plain), name, values });
            }
        }
        let mut known = BTreeSet::new();
        for plan in &plans {
            if !known.insert(plan.name.as_str()) {
                let message = format!("two scenarios are named {:?} in the results", plan.name);
                return Err(self.problem("scenarios", None, &message, "expected names of their own").into());
            }
        }
        known.extend(plans.iter().map(|plan| plan.plain.scenario.name.as_str()));
        if let Some(base) = study.base.as_deref().filter(|base| !known.contains(base)) {
            let message = format!("`base` = {base:?} is none of the scenarios of the study");
            let help = match did_you_mean(base, known.iter().copied()) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => format!("known: {}", known.iter().take(20).copied().collect::<Vec<_>>().join(", ")),
            };
            return Err(self.problem("base", None, &message, "not among them").with_help(help).into());
        }
        Ok(plans)
    }

    /// Every scenario with every combination of values.
    fn variants(&self) -> Result<Vec<Variant>> {
        let mut variants = Vec::new();
        let mut problems = Problems::new();
        let mut faulty = None;
        for plan in self.plans()? {
            // Values of one scenario tend to be wrong in one way: one of them is told.
            if faulty.as_ref().is_some_and(|faulty| *faulty == plan.path) {
                continue;
            }
            let path = plan.path.clone();
            match self.variant(plan) {
                Ok(variant) => variants.push(variant),
                Err(Error::Input(inner)) => {
                    problems.extend(inner);
                    faulty = Some(path);
                }
                Err(other) => return Err(other),
            }
        }
        problems.or_else(variants)
    }

    /// A scenario with its values, checked as if it stood in a file.
    fn variant(&self, plan: VariantPlan) -> Result<Variant> {
        let VariantPlan { path, plain, name, values } = plan;
        let of = plain.scenario.name.clone();
        if values.is_empty() {
            let loaded = Rc::try_unwrap(plain).map_or_else(|_| load::load(&path), Ok)?;
            return Ok(Variant { of, loaded, parameters: Vec::new() });
        }
        let parameters: Vec<(String, Json)> =
            values.iter().map(|(row, node)| (self.study.parameter[*row].path.clone(), node.to_json())).collect();
        let mut overrides: Vec<Override> = values
            .into_iter()
            .map(|(row, node)| Override {
                keys: keys(&self.study.parameter[row].path).unwrap_or_default(),
                entry: self.entry(row, node),
            })
            .collect();
        for (key, text) in [("name", name), ("title", title(&plain, &parameters))] {
            let place = self.node.place.clone();
            let node = Node { place: place.clone(), value: Value::Text(text) };
            overrides.push(Override { keys: vec![key.to_owned()], entry: Entry { key: place, node } });
        }
        let loaded = load::load_changed(&path, &self.sources[0], &overrides)?;
        Ok(Variant { of, loaded, parameters })
    }

    /// What can be said before any value is tried.
    fn check(&self, names: &[&str], problems: &mut Problems) {
        let study = self.study;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if !study.name.chars().all(fits) {
            let message = format!("`name` = {:?}, expected lower-case letters, digits, `-` and `_`", study.name);
            problems.push(self.problem("name", None, &message, "expected [a-z0-9_-]+"));
        }
        for (row, name) in names.iter().enumerate().filter(|(row, name)| names[..*row].contains(name)) {
            let message = format!("a second scenario is named {name:?}, so its results would replace the first's");
            problems.push(self.problem("scenarios", Some(row), &message, "the same name"));
        }
        let mut before = BTreeSet::new();
        for (row, seed) in study.seeds.iter().enumerate().filter(|(_, seed)| !before.insert(**seed)) {
            problems.push(self.problem("seeds", Some(row), &format!("seed {seed} stands twice"), "again"));
        }
        let is_sampled = |of: &Parameter| of.low.is_some() || of.high.is_some();
        for (row, of) in study.parameter.iter().enumerate() {
            let mut say = |message: &str, label: &str| {
                problems.push(self.problem("parameter", Some(row), &format!("`{}` {message}", of.path), label));
            };
            match keys(&of.path) {
                None => say("is not a dotted key, expected one such as population.car_share", "not a key"),
                Some(keys) if OWN_PATHS.contains(&keys[0].as_str()) => {
                    say("cannot vary within a study", "not a setting");
                }
                Some(_) => {}
            }
            match (&of.values, of.low, of.high) {
                (Some(_), None, None) => {}
                (None, Some(low), Some(high)) if low.is_finite() && high.is_finite() && low < high => {}
                (None, Some(low), Some(high)) => {
                    say(&format!("has low = {low} and high = {high}, expected low < high"), "an empty range");
                }
                _ => say("needs either `values`, or `low` and `high`", "no values"),
            }
            for name in of.scenarios.iter().flatten().filter(|name| !names.contains(&name.as_str())) {
                let meant = did_you_mean(name, names.iter().copied());
                let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
                say(&format!("varies in {name:?}, expected one of {}{hint}", names.join(", ")), "no such scenario");
            }
            if study.parameter[..row].iter().any(|other| other.path == of.path) {
                say("varies twice", "again");
            }
        }
        if study.parameter.iter().any(is_sampled) && study.sample.is_none() {
            let row = study.parameter.iter().position(is_sampled);
            let message = "a parameter with `low` and `high` needs a [sample] that says how many points";
            let help = "add  [sample]  method = \"latin_hypercube\"  points = 20";
            problems.push(self.problem("parameter", row, message, "sampled how?").with_help(help));
        }
        let sampled = study.parameter.iter().filter(|of| is_sampled(of)).count();
        let is_sobol = study.sample.as_ref().is_some_and(|sample| sample.method == Method::Sobol);
        if is_sobol && sampled > SOBOL_AXES_MAX {
            let message = format!("{sampled} parameters are sampled, and Sobol's sequence has {SOBOL_AXES_MAX} axes");
            let help = "take  method = \"latin_hypercube\"";
            problems.push(self.problem("sample", None, &message, "too many").with_help(help));
        }
        if study.sample.is_some() && !study.parameter.iter().any(is_sampled) {
            problems.push(self.problem(
                "sample",
                None,
                "[sample] without a parameter that has `low` and `high`",
                "of what?",
            ));
        }
    }

    /// Values for the parameters (by row) of a scenario: the grid of lists, times the points of the sample. A parameter
    /// has its own axis of the sample, so it takes the same values in every scenario.
    fn combinations(&self, varied: &[usize]) -> Vec<Vec<(usize, Node)>> {
        let parameters = &self.study.parameter;
        let axes: Vec<usize> = (0..parameters.len()).filter(|&row| parameters[row].values.is_none()).collect();
        let is_sampled = varied.iter().any(|row| axes.contains(row));
        let sample = self.study.sample.as_ref().filter(|_| is_sampled);
        let unit: Vec<Vec<f64>> = sample.map_or_else(|| vec![Vec::new()], |sample| points(sample, axes.len()));
        let mut all: Vec<Vec<(usize, Node)>> = vec![Vec::new()];
        for &row in varied {
            let Some(Value::Array(values)) = self.of(row, "values").map(|node| &node.value) else { continue };
            all = all
                .iter()
                .flat_map(|before| values.iter().map(|value| [before.as_slice(), &[(row, value.clone())]].concat()))
                .take(MAX_RUNS + 1)
                .collect();
        }
        let at = |point: &[f64]| {
            let value = |&row: &usize| {
                let (axis, of) = (axes.iter().position(|axis| *axis == row)?, &parameters[row]);
                let (low, high) = (of.low?, of.high?);
                let place = self.of(row, "low")?.place.clone();
                Some((row, Node { place, value: Value::Float(low + point.get(axis)? * (high - low)) }))
            };
            varied.iter().filter_map(value).collect::<Vec<_>>()
        };
        let sampled: Vec<Vec<(usize, Node)>> = unit.iter().map(|point| at(point)).collect();
        let mut all: Vec<Vec<(usize, Node)>> = all
            .iter()
            .flat_map(|listed| sampled.iter().map(|sampled| [listed.as_slice(), sampled.as_slice()].concat()))
            .take(MAX_RUNS + 1)
            .collect();
        all.iter_mut().for_each(|values| values.sort_by_key(|(row, _)| *row));
        all
    }

    /// A key of a parameter.
    fn of(&self, row: usize, key: &str) -> Option<&Node> {
        let Value::Array(parameters) = &self.node.entry("parameter")?.node.value else { return None };
        parameters.get(row)?.entry(key).map(|entry| &entry.node)
    }

    /// A value of a parameter, as if its path were a key in a file.
    fn entry(&self, row: usize, node: Node) -> Entry {
        let key = self.of(row, "path").map_or_else(|| self.node.place.clone(), |path| path.place.clone());
        Entry { key, node }
    }
}

/// The title of a variant.
fn title(loaded: &Loaded, parameters: &[(String, Json)]) -> String {
    let scenario = &loaded.scenario;
    let of = if scenario.title.is_empty() { &scenario.name } else { &scenario.title };
    let values: Vec<String> = parameters.iter().map(|(path, value)| format!("{path} = {value}")).collect();
    format!("{of} ({})", values.join(", "))
}

/// The keys of a dotted path, as TOML reads it.
fn keys(path: &str) -> Option<Vec<String>> {
    if path.contains(['\n', '\r', '=', '#']) {
        return None;
    }
    let mut table: toml::Table = format!("{path} = 0").parse().ok()?;
    let mut keys = Vec::new();
    loop {
        let (key, value) = table.into_iter().next()?;
        keys.push(key);
        match value {
            toml::Value::Table(inner) => table = inner,
            _ => return Some(keys),
        }
    }
}
