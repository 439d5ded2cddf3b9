//! The builder's front door: from a recipe to a city package, and what is in a package.
//!
//! [`build`] assembles the whole city in memory (`assemble`) and then writes the folder, so nothing is
//! written unless everything was read. Equal inputs give equal bytes on any number of threads.
//!
//! Ignores: updating a package in place (it is built anew), and more than one city in a package.

use crate::assemble::assemble;
use crate::model::{Manifest, Modes};
use crate::package;
use crate::recipe::Loaded;
use crate::sources::gather;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::Result;

/// Builds the package of a recipe at `out` and returns its manifest; `progress` hears a line a step.
///
/// # Errors
/// Everything wrong with recipe or sources, or a place that cannot be written to; `out` is then as it was.
pub fn build(recipe: &Path, out: &Path, progress: &mut dyn FnMut(&str)) -> Result<Manifest> {
    let (city, feeds) = assemble(recipe, progress)?;
    progress("writing the package");
    package::write(&city, &feeds, out)?;
    Ok(city.manifest)
}

/// The hash that a package built from a recipe now would carry in its manifest.
///
/// # Errors
/// When the recipe or one of its files cannot be read.
pub fn content_hash(recipe: &Path) -> Result<String> {
    gather(&Loaded::read(recipe)?, false).map(|sources| sources.content_hash)
}

/// What is in a package, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PackageInfo {
    /// The manifest: sources with licences, counts, bounding box, figures, known gaps.
    pub manifest: Manifest,
    /// Panel rows by quality.
    pub panel_by_quality: BTreeMap<String, u64>,
    /// Buildings by where their floors come from.
    pub buildings_by_floors_from: BTreeMap<String, u64>,
    /// Length of links that cars may use, by road class, km.
    pub car_km_by_class: BTreeMap<String, f64>,
}

/// Reads and checks a package and sums it up.
///
/// # Errors
/// As [`package::read`].
pub fn info(folder: &Path) -> Result<PackageInfo> {
    let city = package::read(folder)?;
    let count = |names: &mut dyn Iterator<Item = &'static str>| {
        let mut counts = BTreeMap::new();
        names.for_each(|name| *counts.entry(name.to_owned()).or_insert(0) += 1);
        counts
    };
    let mut car_km_by_class = BTreeMap::new();
    let links = &city.links;
    for link in (0..links.len()).filter(|&link| links.modes[link].contains(Modes::CAR)) {
        *car_km_by_class.entry(links.class[link].name().to_owned()).or_insert(0.0) += links.length_m[link] / 1000.0;
    }
    Ok(PackageInfo {
        panel_by_quality: count(&mut city.panel.iter().map(|row| row.quality.name())),
        buildings_by_floors_from: count(&mut city.buildings.floors_from.iter().map(|from| from.name())),
        car_km_by_class,
        manifest: city.manifest,
    })
}
