//! Reads a scenario and the chain of its bases into one validated [`Scenario`].

use crate::check;
use crate::differences::{Difference, differences};
use crate::period::Timing;
use crate::schema::{self, Require};
use crate::settings::{Scenario, json_schema};
use crate::settle::settle;
use crate::tree::{self, Entry, Node, Place, Source, Value};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use urbis_core::files::parent;
use urbis_core::{Error, Problem, Problems, Result};
use urbis_population::PopulationSettings;
use urbis_utility::WeatherSettings;

/// How many files a chain of bases may have.
pub const MAX_CHAIN: usize = 16;

/// How large a scenario file may be; a larger one is something else that was named by mistake.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// Keys that say who a scenario is; a base's are not inherited.
const OWN_KEYS: [&str; 4] = ["name", "title", "description", "base"];

/// A validated scenario with where everything in it was written.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The resolved scenario. Paths in it are relative to [`Self::folder`].
    pub scenario: Scenario,
    sources: Vec<Source>,
    merged: Node,
    base: Option<Node>,
    base_names: Vec<Option<String>>,
}

/// Reads a scenario file and its bases.
///
/// # Errors
/// [`Error::Read`] when the file itself cannot be read; [`Error::Input`] with every problem of every file of the
/// chain otherwise: syntax, unknown keys, types, choices, ranges, missing or circular bases, missing keys, names,
/// times and schedules that do not fit.
pub fn load(path: &Path) -> Result<Loaded> {
    load_patched(path, None)
}

/// A value that another file puts in place of a scenario's, at the end of a chain of keys.
pub(crate) struct Override {
    pub(crate) keys: Vec<String>,
    pub(crate) entry: Entry,
}

/// Keys that a study may not vary: who a scenario is, and what makes runs comparable.
pub(crate) const OWN_PATHS: [&str; 5] = ["name", "title", "description", "base", "seed"];

/// Reads a scenario and its bases with values of another file on top, which is checked like them.
///
/// # Errors
/// As [`load`]; problems with the values are shown in the other file.
pub(crate) fn load_changed(path: &Path, from: &Source, overrides: &[Override]) -> Result<Loaded> {
    load_patched(path, Some((from, overrides)))
}

fn load_patched(path: &Path, patch: Option<(&Source, &[Override])>) -> Result<Loaded> {
    let chain = Chain::read(path)?;
    let schema = json_schema();
    let mut problems = chain.problems;
    for node in &chain.nodes {
        for finding in schema::check(&schema, node, Require::InLists) {
            problems.push(finding.problem(&chain.sources));
        }
    }
    let mut sources = chain.sources;
    problems.or_else(())?;

    let base_names = chain.nodes[1..].iter().map(|node| text_at(node, "name").map(str::to_owned)).collect();
    let (mut merged, mut base) = merge(chain.nodes, &sources, &schema);
    let mut problems = Problems::new();
    if let Some((from, overrides)) = patch {
        base = Some(merged.clone());
        let file = sources.len();
        sources.push(Source { path: from.path.clone(), text: from.text.clone(), folder: PathBuf::new() });
        for Override { keys, entry } in overrides {
            if let Err(message) = merged.put(keys, entry.clone().in_file(file)) {
                problems.push(entry.key.clone().in_file(file).problem(&sources, &message, "no such key"));
            }
        }
    }
    for finding in schema::check(&schema, &merged, Require::Everywhere) {
        problems.push(finding.problem(&sources));
    }
    problems.or_else(())?;
    let scenario: Scenario = settle(&merged, &sources)?;
    let loaded = Loaded { scenario, sources, merged, base, base_names };
    check::check(&loaded).or_else(loaded)
}

/// The files of a chain, the one that was asked for first.
#[derive(Default)]
struct Chain {
    sources: Vec<Source>,
    nodes: Vec<Node>,
    canonical: Vec<PathBuf>,
    problems: Problems,
}

impl Chain {
    fn read(path: &Path) -> Result<Self> {
        let mut chain = Self::default();
        let text = read_file(path)?;
        chain.add(path.to_owned(), PathBuf::new(), text);
        while let Some((file, base, place)) = chain.next_base() {
            let (path, folder) = {
                let source = &chain.sources[file];
                (
                    PathBuf::from(schema::normalized(&parent(&source.path).join(&base))),
                    source.folder.join(parent(&base)),
                )
            };
            let fault = if chain.canonical.len() >= MAX_CHAIN {
                Some((format!("more than {MAX_CHAIN} scenarios stand on one another"), "the chain goes on here", None))
            } else if let Some(first) =
                canonical(&path).and_then(|c| chain.canonical.iter().position(|known| *known == c))
            {
                Some((
                    format!("`base` goes round in a circle: {}", chain.circle(first)),
                    "this closes the circle",
                    None,
                ))
            } else {
                match read_text(&path) {
                    Ok(text) => {
                        chain.add(path, folder, text);
                        None
                    }
                    Err(Unreadable::System(error)) => {
                        let help = "`base` is relative to the file in which it is written";
                        Some((format!("cannot read the base {}: {error}", path.display()), "this file", Some(help)))
                    }
                    Err(Unreadable::Content(what)) => {
                        Some((format!("cannot read the base {}: {what}", path.display()), "this file", None))
                    }
                }
            };
            if let Some((message, label, help)) = fault {
                let problem = place.problem(&chain.sources, &message, label);
                chain.problems.push(match help {
                    Some(help) => problem.with_help(help),
                    None => problem,
                });
                break;
            }
        }
        Ok(chain)
    }

    fn add(&mut self, path: PathBuf, folder: PathBuf, text: String) {
        let file = self.sources.len();
        self.nodes.push(tree::parse(file, &path, &text, &mut self.problems));
        self.canonical.push(canonical(&path).unwrap_or_else(|| path.clone()));
        self.sources.push(Source { path, text, folder });
    }

    /// The base that the last file names, with its place.
    fn next_base(&self) -> Option<(usize, PathBuf, Place)> {
        let entry = self.nodes.last()?.entry("base")?;
        let Value::Text(base) = &entry.node.value else { return None };
        Some((self.sources.len() - 1, PathBuf::from(base), entry.node.place.clone()))
    }

    fn circle(&self, first: usize) -> String {
        let mut names: Vec<String> = self.sources[first..].iter().map(|s| s.path.display().to_string()).collect();
        names.push(names[0].clone());
        names.join(" -> ")
    }
}

/// The text of a file that a person named.
pub(crate) fn read_file(path: &Path) -> Result<String> {
    read_text(path).map_err(|why| match why {
        Unreadable::System(source) => Error::read(path, source),
        Unreadable::Content(what) => Problem::file(path, what).into(),
    })
}

enum Unreadable {
    System(std::io::Error),
    Content(String),
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    let metadata = std::fs::metadata(path).map_err(Unreadable::System)?;
    if metadata.is_dir() {
        return Err(Unreadable::Content("this is a folder, expected a scenario file (TOML)".to_owned()));
    }
    if metadata.len() > MAX_FILE_BYTES {
        let what = format!("{} bytes, expected a scenario file of at most {MAX_FILE_BYTES} bytes", metadata.len());
        return Err(Unreadable::Content(what));
    }
    let bytes = std::fs::read(path).map_err(Unreadable::System)?;
    String::from_utf8(bytes).map_err(|error| {
        Unreadable::Content(format!("byte {} is not UTF-8 text, expected TOML", error.utf8_error().valid_up_to()))
    })
}

fn canonical(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// The whole scenario and, when it has a base, the whole base.
fn merge(nodes: Vec<Node>, sources: &[Source], schema: &Json) -> (Node, Option<Node>) {
    let mut nodes = nodes.into_iter().enumerate().rev().map(|(file, mut node)| {
        schema::rebase_paths(schema, schema, &mut node, &sources[file].folder);
        node
    });
    let mut whole: Option<Node> = None;
    let mut base = None;
    for node in nodes.by_ref() {
        match whole.take() {
            None => whole = Some(node),
            Some(mut below) => {
                base = Some(below.clone());
                if let Value::Table(table) = &mut below.value {
                    OWN_KEYS.iter().for_each(|key| drop(table.remove(*key)));
                }
                below.patch(node);
                whole = Some(below);
            }
        }
    }
    let mut whole =
        whole.unwrap_or(Node { place: Place { file: 0, span: 0..0 }, value: Value::Table(Default::default()) });
    for node in std::iter::once(&mut whole).chain(&mut base) {
        if let Value::Table(table) = &mut node.value {
            table.remove("base");
        }
    }
    (whole, base)
}

fn text_at<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    match &node.entry(key)?.node.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

impl Loaded {
    /// The files that were read: the scenario first, then its base, the base's base and so on, then a study that
    /// changes it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().map(|source| source.path.as_path())
    }
    /// The folder of the scenario file, to which every path in the resolved scenario is relative.
    #[must_use]
    pub fn folder(&self) -> &Path {
        parent(&self.sources[0].path)
    }
    /// A path of the resolved scenario as the program can open it.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        PathBuf::from(schema::normalized(&self.folder().join(path)))
    }
    /// Folder of the city package.
    #[must_use]
    pub fn package(&self) -> PathBuf {
        self.resolve(&self.scenario.city.package)
    }
    /// Recipe of the city package, if the scenario names one.
    #[must_use]
    pub fn recipe(&self) -> Option<PathBuf> {
        self.scenario.city.recipe.as_deref().map(|recipe| self.resolve(recipe))
    }
    /// The population's settings with paths as the program can open them.
    #[must_use]
    pub fn population(&self) -> PopulationSettings {
        let mut population = self.scenario.population.clone();
        let synthesis = &mut population.synthesis;
        let samples = [&mut synthesis.seed_households, &mut synthesis.seed_persons];
        for path in samples.into_iter().chain([&mut population.day_tables]).flatten() {
            *path = self.resolve(path);
        }
        population
    }
    /// The weather's settings with its file as the program can open it.
    #[must_use]
    pub fn weather(&self) -> WeatherSettings {
        let mut weather = self.scenario.weather.clone();
        if let Some(file) = &mut weather.file {
            *file = self.resolve(file);
        }
        weather
    }
    /// The scenario's hash; see [`Scenario::hash`].
    #[must_use]
    pub fn hash(&self) -> String {
        self.scenario.hash()
    }
    /// The resolved scenario as TOML; see [`Scenario::to_toml`].
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.scenario.to_toml()
    }
    /// The period in the units of the clock.
    ///
    /// # Errors
    /// [`Error::Input`] when the period was changed after loading into one that cannot be.
    pub fn timing(&self) -> Result<Timing> {
        self.scenario.period.timing().map_err(|faults| {
            let mut problems = Problems::new();
            for fault in faults {
                problems.push(self.problem_at(&format!("period.{}", fault.key), &fault.message, "this value"));
            }
            Error::Input(problems)
        })
    }
    /// A problem with the value at a dotted key path (items of lists by number, from 0), shown where it is written in whichever file of the chain; for
    /// a value that no file writes, the closest table around it, else the whole file.
    #[must_use]
    pub fn problem_at(&self, key_path: &str, message: &str, label: &str) -> Problem {
        if let Some(node) = self.merged.at(key_path) {
            return node.place.problem(&self.sources, message, label);
        }
        let mut around = key_path;
        while let Some((shorter, _)) = around.rsplit_once('.') {
            if let Some(entry) = self.merged.entry(shorter) {
                return entry.key.problem(&self.sources, message, label);
            }
            if let Some(node) = self.merged.at(shorter) {
                return node.place.problem(&self.sources, message, label);
            }
            around = shorter;
        }
        Problem::file(&self.sources[0].path, message)
    }
    /// What the scenario changes in its base, by key; empty without a base. Keys that the base leaves out have their
    /// defaults.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        let Some(base) = &self.base else { return Vec::new() };
        // A base that is whole is read like any scenario, so that defaults within its lists and maps are said too.
        let read: Option<Scenario> = serde_json::from_value(base.to_json()).ok();
        let whole = read.map_or_else(
            || {
                let mut whole = self.defaults();
                overlay(&mut whole, base.to_json());
                whole
            },
            |scenario| scenario.to_json(),
        );
        differences(&whole, &self.scenario.to_json())
    }
    /// The first base that has the scenario's own name.
    pub(crate) fn same_name_in_chain(&self) -> Option<(&str, &Path)> {
        let same = |name: &&Option<String>| name.as_deref() == Some(&self.scenario.name);
        let row = self.base_names.iter().position(|name| same(&name))?;
        Some((&self.scenario.name, &self.sources[row + 1].path))
    }
    /// A scenario in which nothing optional is said.
    fn defaults(&self) -> Json {
        let required = serde_json::json!({
            "name": "", "city": { "package": "" }, "period": { "start": "", "time_zone": "", "duration_h": 1 }
        });
        let whole: Option<Scenario> = serde_json::from_value(required.clone()).ok();
        let mut whole = whole.map(|scenario| scenario.to_json()).unwrap_or_default();
        remove_keys(&mut whole, &required);
        whole
    }
}

fn remove_keys(from: &mut Json, keys: &Json) {
    let (Some(table), Some(keys)) = (from.as_object_mut(), keys.as_object()) else { return };
    for (key, inner) in keys {
        match table.get_mut(key).filter(|_| inner.is_object()) {
            Some(value) => remove_keys(value, inner),
            None => drop(table.remove(key)),
        }
    }
}

fn overlay(below: &mut Json, above: Json) {
    match (below, above) {
        (Json::Object(below), Json::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key).or_insert(Json::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}
