//! `urbis scenario check` and `urbis scenario show`.

use crate::args::ScenarioFormat;
use crate::screen::{print, print_json};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::Path;
use urbis_core::Result;
use urbis_scenario::{Difference, Loaded, load};

/// Reports everything that is wrong with a scenario, or says in a few lines what it is.
pub(crate) fn check(file: &Path) -> Result<()> {
    let loaded = load(file)?;
    let package = loaded.package();
    let city = match (package.is_dir(), loaded.recipe()) {
        (true, _) => package.display().to_string(),
        (false, Some(recipe)) if recipe.is_file() => {
            format!("{} (to be built from {})", package.display(), recipe.display())
        }
        (false, Some(recipe)) => {
            let message = format!("neither the city package {} nor its recipe is there", package.display());
            return Err(loaded.problem_at("city.recipe", &message, &format!("no file {}", recipe.display())).into());
        }
        (false, None) => {
            let message = format!("there is no city package {}", package.display());
            let help = "build it with `urbis city build RECIPE --out DIR`, or name its recipe as `recipe`";
            return Err(loaded.problem_at("city.package", &message, "no such folder").with_help(help).into());
        }
    };
    let scenario = &loaded.scenario;
    let period = &scenario.period;
    let mut text = format!("{} is a valid scenario\n", file.display());
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<8}{value}");
    };
    line("name", &scenario.name);
    if !scenario.title.is_empty() {
        line("title", &scenario.title);
    }
    line("city", &city);
    line("period", &format!("{} h from {} ({})", period.duration_h, period.start, period.time_zone));
    line("seed", &scenario.seed.to_string());
    line("hash", &scenario.hash());
    for base in loaded.files().skip(1) {
        line("base", &base.display().to_string());
    }
    print(&text)
}

/// Prints the resolved scenario and what it changes in its base.
pub(crate) fn show(file: &Path, format: ScenarioFormat) -> Result<()> {
    let loaded = load(file)?;
    match format {
        ScenarioFormat::Toml => print(&as_toml(&loaded)),
        ScenarioFormat::Json => print_json(&as_json(&loaded)),
    }
}

fn as_toml(loaded: &Loaded) -> String {
    let mut text = String::new();
    let mut comment = |line: &str| {
        let _ = writeln!(text, "# {line}");
    };
    let files: Vec<String> = loaded.files().map(|path| path.display().to_string()).collect();
    comment(&format!("resolved from {}", files.join(", which stands on ")));
    comment(&format!("paths are relative to {}", loaded.folder().display()));
    comment(&format!("hash {}", loaded.scenario.hash()));
    let differences = loaded.differences();
    if !differences.is_empty() {
        comment("differences from its base:");
    }
    for Difference { key, base, value } in &differences {
        comment(&format!("  {key}: {} -> {}", value_text(base.as_ref()), value_text(value.as_ref())));
    }
    format!("{text}\n{}", loaded.scenario.to_toml())
}

/// A value on one line, whatever text it holds.
fn value_text(value: Option<&Json>) -> String {
    value.map_or_else(|| "(not said)".to_owned(), Json::to_string)
}

fn as_json(loaded: &Loaded) -> Json {
    let differences: Vec<Json> = loaded
        .differences()
        .into_iter()
        .map(|Difference { key, base, value }| json!({ "key": key, "base": base, "value": value }))
        .collect();
    json!({
        "scenario": loaded.scenario.to_json(),
        "hash": loaded.scenario.hash(),
        "files": loaded.files().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "differences": differences,
    })
}
