//! `urbis city build` and `urbis city info`.

use crate::args::TableFormat;
use crate::screen::{figure, print, print_json, say, table};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use urbis::city::build::{self, PackageInfo};
use urbis::city::model::Manifest;
use urbis::city::package;
use urbis_core::{Error, Problem, Result};

/// Builds a city package unless the one that is there was built from the same recipe and files.
pub(crate) fn build(recipe: &Path, out: &Path) -> Result<()> {
    let manifest = match current(recipe, out)? {
        Some(manifest) => {
            say(&format!("{} is up to date", out.display()));
            manifest
        }
        None => build::build(recipe, out, &mut say)?,
    };
    let rows: Vec<String> = manifest.counts.iter().map(|(name, rows)| format!("{rows} {name}")).collect();
    print(&format!("{}  {}: {}\n", out.display(), manifest.title, rows.join(", ")))
}

/// The manifest of the package at `out`, if the recipe would build the same.
fn current(recipe: &Path, out: &Path) -> Result<Option<Manifest>> {
    let hash = build::content_hash(recipe)?;
    Ok(package::read_manifest(out).ok().filter(|manifest| manifest.content_hash == hash))
}

/// Says what is in a package, where it comes from and what it lacks.
pub(crate) fn info(package: &Path, format: TableFormat) -> Result<()> {
    let info = build::info(package)?;
    match format {
        TableFormat::Table => print(&text(&info)),
        TableFormat::Json => match serde_json::to_value(&info) {
            Ok(json) => print_json(&json),
            Err(error) => Err(Error::from(Problem::file(package, format!("cannot be said in JSON: {error}")))),
        },
    }
}

fn text(info: &PackageInfo) -> String {
    let manifest = &info.manifest;
    let [west, south, east, north] = manifest.bbox_deg;
    let mut text = format!("{} ({})\n", manifest.title, manifest.name);
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    line("valid period", &manifest.valid_period);
    line("lengths in", &manifest.crs);
    line("between", &format!("{west:.4}, {south:.4} and {east:.4}, {north:.4} degrees"));
    line("content hash", &manifest.content_hash);

    let counts = manifest.counts.iter().map(|(name, rows)| vec![name.clone(), figure(*rows as f64)]);
    text += &format!("\n{}", table(&["table", "rows"], &[1], counts));
    let figures = |figures: &BTreeMap<String, f64>| -> Vec<Vec<String>> {
        figures.iter().map(|(name, value)| vec![name.clone(), figure(*value)]).collect()
    };
    let whole = |counts: &BTreeMap<String, u64>| -> Vec<Vec<String>> {
        counts.iter().map(|(name, rows)| vec![name.clone(), figure(*rows as f64)]).collect()
    };
    for (header, rows) in [
        (["figure of the build", "value"], figures(&manifest.figures)),
        (["roads for cars by class", "km"], figures(&info.car_km_by_class)),
        (["buildings by source of their floors", "buildings"], whole(&info.buildings_by_floors_from)),
        (["statistics by quality", "rows"], whole(&info.panel_by_quality)),
    ] {
        if !rows.is_empty() {
            text += &format!("\n{}", table(&header, &[1], rows));
        }
    }
    let sources = manifest.sources.iter().map(|source| {
        let hash = source.sha256.get(..12).unwrap_or(&source.sha256);
        [&source.role, &source.file, &source.licence, &source.attribution, hash].map(str::to_owned).to_vec()
    });
    text += &format!("\n{}", table(&["source", "file", "licence", "credit", "sha256"], &[], sources));
    text += "\nKnown gaps\n";
    for gap in &manifest.known_gaps {
        let _ = writeln!(text, "  - {gap}");
    }
    if manifest.known_gaps.is_empty() {
        text += "  none is known\n";
    }
    text
}
