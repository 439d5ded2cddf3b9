//! The recipe of a city: a TOML file that says which raw files make up the city package, under which
//! licence each of them stands, and which rules fill the gaps. Everything else of `urbis city build`
//! follows from it.
//!
//! ```toml
//! name = "monaco"                                  # short name: also the panel's name of the whole city
//! title = "Principality of Monaco"
//! valid_period = "2023-01-01/2024-12-31"
//! crs = "auto"                                     # UTM zone of the city's middle, or "EPSG:32632"
//! known_gaps = ["Two-wheelers are not counted by ward."]
//!
//! [licence]                                        # for every file that does not say its own
//! licence = "ODbL-1.0"
//! attribution = "OpenStreetMap contributors"
//!
//! [boundary]                                       # optional
//! path = "boundary.geojson"
//! clip = false                                     # drop buildings and points of interest outside
//!
//! [roads]
//! osm = "monaco.osm.pbf"                           # or gmns = "network" (and keep_disconnected = true)
//! clip = false                                     # keep only roads inside the boundary
//! rules.residential = { speed_kmh = 20.0 }         # lanes, speeds, capacities that differ from the defaults
//!
//! [roads.gateways]                                 # roads that lead out: see `gateways`
//! table = "gateways.csv"
//! externals = [{ name = "west", lon = 7.395, lat = 43.726 }]
//!
//! [zones]
//! path = "wards.geojson"                           # or points = "cells.csv"
//! id_field = "name"
//! name_field = "name"
//! ids = { "Les Monegetti" = "les_moneghetti" }     # field value -> zone id
//! names = { les_moneghetti = "Les Moneghetti" }    # zone id -> name for people
//! merge = { ravin_de_sainte_devote = "la_condamine" } # zone -> the zone it becomes part of
//!
//! [panel]
//! path = "panel.csv"                               # zone_id,period,indicator,value,unit,source,quality
//!
//! [[panel.from]]                                   # zone columns that become panel rows
//! columns = { population = "residents" }           # field -> indicator; the zones' own file when no path
//! period = "2019"
//! unit = "persons"
//! source = "census"
//! quality = "estimate"
//!
//! [[panel.estimate]]                               # figures nobody publishes
//! indicator = "jobs"
//! per = "residents"
//! factor = 0.42
//! spread = { residents = 0.5, main_roads = 0.5 }
//!
//! [[raster]]
//! path = "elevation.tif"
//! name = "elevation"
//! kind = "elevation"                               # elevation | count | density
//!
//! [[overlay]]                                      # other zonings: area weights in the crosswalk
//! path = "blocks.gpkg"
//! name = "blocks"
//! id_field = "id"
//!
//! [[feed]]                                         # timetables, put into the package as feeds/NAME.zip
//! path = "gtfs.zip"                                # GTFS: an archive or a folder
//! name = "buses"
//!
//! [buildings]
//! source = "osm"                                   # osm | vector | synthetic
//! storey_height_m = 3.0
//! floors = { residential = 6.0 }                   # by use, where untagged
//! floors_by_zone.larvotto = { residential = 10.0 }
//!
//! [[source]]                                       # a file inside a Python package, used as "source:NAME"
//! name = "project"
//! licence = "not stated"
//! attribution = "..."
//! inner = "project_database.sqlite"
//! wheel = { package = "aequilibrae", version = "1.7.2", member = "aequilibrae/reference_files/coquimbo.zip", member_sha256 = "..." }
//! ```
//!
//! Paths are relative to the recipe's folder and may hold `${VARIABLE}`; `source:NAME` stands for a
//! `[[source]]`. Unknown keys are errors with the place and a suggestion.
//!
//! Ignores: nothing is read here but the recipe itself. Pure and deterministic, single-threaded.

use crate::gateways::GatewayRules;
use crate::model::BuildingUse;
use crate::road_defaults::RoadRules;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Problems, Result};

/// A recipe as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Short name: used in file names and as the panel's name of the whole city.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Days the data stands for, e.g. `2023-01-01/2024-12-31`.
    pub valid_period: String,
    /// Projected reference system: `auto` (UTM zone of the city's middle) or `EPSG:<code>`.
    #[serde(default = "auto")]
    pub crs: String,
    /// Gaps the author knows, in sentences for people.
    #[serde(default)]
    pub known_gaps: Vec<String>,
    /// Licence of every file that does not say its own.
    #[serde(default)]
    pub licence: Option<Licence>,
    /// Files inside Python packages.
    #[serde(default)]
    pub source: Vec<PackagedSource>,
    /// Outline of the city.
    #[serde(default)]
    pub boundary: Option<Boundary>,
    /// Where the roads come from.
    pub roads: Roads,
    /// Where the zones come from.
    pub zones: Zones,
    /// Statistics.
    #[serde(default)]
    pub panel: Panel,
    /// Rasters to sample.
    #[serde(default)]
    pub raster: Vec<Raster>,
    /// Other zonings, for area weights.
    #[serde(default)]
    pub overlay: Vec<Overlay>,
    /// Timetables of public transport.
    #[serde(default)]
    pub feed: Vec<Feed>,
    /// Where the buildings come from.
    #[serde(default)]
    pub buildings: Buildings,
}

fn auto() -> String {
    "auto".to_owned()
}

/// Licence and credit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Licence, as an SPDX expression or in words.
    pub licence: String,
    /// Whom to credit.
    pub attribution: String,
}

/// A file inside a zip inside a Python wheel, for data that may be used but not redistributed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagedSource {
    /// Used in paths as `source:<name>`.
    pub name: String,
    /// Licence, as an SPDX expression or in words.
    pub licence: String,
    /// Whom to credit.
    pub attribution: String,
    /// Where it lies.
    pub wheel: Wheel,
    /// File inside the member, when the member is a zip archive; else the member itself is meant.
    #[serde(default)]
    pub inner: Option<String>,
}

/// A member of a Python wheel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// Name on the package index.
    pub package: String,
    /// Exact version.
    pub version: String,
    /// Path inside the wheel.
    pub member: String,
    /// SHA-256 of the member.
    pub member_sha256: String,
}

/// Outline of the city.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// Vector file with polygons.
    pub path: String,
    /// Layer, where the file has several.
    #[serde(default)]
    pub layer: Option<String>,
    /// Drops buildings and points of interest outside the outline.
    #[serde(default)]
    pub clip: bool,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

/// Where the roads come from: exactly one of `osm` and `gmns`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roads {
    /// OpenStreetMap extract (PBF).
    #[serde(default)]
    pub osm: Option<String>,
    /// GMNS folder (`node.csv`, `link.csv`, `config.csv`).
    #[serde(default)]
    pub gmns: Option<String>,
    /// Lanes, speeds and capacities by road class, where they differ from the defaults.
    #[serde(default)]
    pub rules: RoadRules,
    /// Also keeps links outside the connected part of a mode, for `gmns`.
    #[serde(default)]
    pub keep_disconnected: bool,
    /// Keeps only the roads inside the boundary, for `osm`.
    #[serde(default)]
    pub clip: bool,
    /// Roads that lead out of the area.
    #[serde(default)]
    pub gateways: Option<GatewayRules>,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

/// Where the zones come from: exactly one of `path` and `points`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zones {
    /// Vector file with polygons.
    #[serde(default)]
    pub path: Option<String>,
    /// Layer, where the file has several.
    #[serde(default)]
    pub layer: Option<String>,
    /// CSV of cell centres on a hexagonal lattice, with columns `lon` and `lat`; the cells are the
    /// points' Voronoi cells within a hexagon of the lattice's spacing.
    #[serde(default)]
    pub points: Option<String>,
    /// Field with the zone id.
    #[serde(default = "id")]
    pub id_field: String,
    /// Field with the name for people; the id where absent.
    #[serde(default)]
    pub name_field: Option<String>,
    /// Zone ids by value of the id field, where they differ. Several values may share an id: their
    /// shapes are merged.
    #[serde(default)]
    pub ids: BTreeMap<String, String>,
    /// Names for people by zone id, where they differ from the file's.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Zones that become part of another zone: from id, to id.
    #[serde(default)]
    pub merge: BTreeMap<String, String>,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

fn id() -> String {
    "id".to_owned()
}

/// Statistics.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// CSV or Parquet with `zone_id, period, indicator, value, unit, source, quality`.
    #[serde(default)]
    pub path: Option<String>,
    /// Zone columns that become panel rows.
    #[serde(default)]
    pub from: Vec<PanelFrom>,
    /// Figures derived from others.
    #[serde(default)]
    pub estimate: Vec<PanelEstimate>,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

/// Columns of a table or vector layer, one row per zone, that become panel rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelFrom {
    /// CSV or vector file; the zones' own file where absent.
    #[serde(default)]
    pub path: Option<String>,
    /// Layer, where the file has several.
    #[serde(default)]
    pub layer: Option<String>,
    /// Field with the zone id; the zones' own where absent.
    #[serde(default)]
    pub id_field: Option<String>,
    /// Field -> indicator.
    pub columns: BTreeMap<String, String>,
    /// Year or day the figures stand for.
    pub period: String,
    /// Their unit.
    pub unit: String,
    /// Who says so.
    pub source: String,
    /// `sourced`, `recalled` or `estimate`.
    pub quality: String,
    /// Also adds the sum over zones as the whole city's figure, unless the panel has one.
    #[serde(default = "yes")]
    pub total: bool,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

fn yes() -> bool {
    true
}

/// A figure that nobody publishes: `factor` times the city's sum of another indicator, spread over the
/// zones. Its quality is `estimate`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelEstimate {
    /// Indicator to make, in whole units.
    pub indicator: String,
    /// Indicator it follows.
    pub per: String,
    /// City total of `indicator` for each unit of `per`.
    pub factor: f64,
    /// Its unit.
    pub unit: String,
    /// Shares of the city total that spread by each weight; must add up to 1. Weights: `residents`
    /// (or any other indicator known for every zone) and `main_roads` (lane length of trunk to tertiary roads).
    pub spread: BTreeMap<String, f64>,
    /// Where the factor comes from.
    pub note: String,
}

/// What a raster's cells mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RasterKind {
    /// Height in metres: sampled bilinearly to nodes and buildings, averaged over zones.
    Elevation,
    /// Things per cell (persons, jobs): summed over zones by share of cell area; mass is conserved.
    Count,
    /// Something per area or a share: averaged over zones by area.
    Density,
}

/// A raster to sample.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raster {
    /// Any raster GDAL opens, with a reference system.
    pub path: String,
    /// Its name in the crosswalk and, for counts and densities, the panel's indicator.
    pub name: String,
    /// What its cells mean.
    pub kind: RasterKind,
    /// Band, from 1.
    #[serde(default = "one")]
    pub band: usize,
    /// Unit of the cells' values.
    #[serde(default)]
    pub unit: Option<String>,
    /// Year or day it stands for.
    #[serde(default)]
    pub period: Option<String>,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

fn one() -> usize {
    1
}

/// Another zoning of the same area.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Vector file with polygons.
    pub path: String,
    /// Layer, where the file has several.
    #[serde(default)]
    pub layer: Option<String>,
    /// Its name in the crosswalk.
    pub name: String,
    /// Field with the id.
    #[serde(default = "id")]
    pub id_field: String,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

/// A timetable of public transport. It is put into the package as it is; runs read it from there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// GTFS: an archive or a folder.
    pub path: String,
    /// Its name in the package: `feeds/<name>.zip`, or `feeds/<name>` for a folder.
    pub name: String,
    /// Licence of this file.
    #[serde(default)]
    pub licence: Option<String>,
    /// Credit of this file.
    #[serde(default)]
    pub attribution: Option<String>,
}

/// Where buildings come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildingSource {
    /// The OpenStreetMap extract of the roads.
    #[default]
    Osm,
    /// A vector file.
    Vector,
    /// Made up along streets.
    Synthetic,
}

/// Where the buildings come from, and the rules that fill their gaps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Buildings {
    /// Where they come from.
    pub source: BuildingSource,
    /// Vector file, for `source = "vector"`.
    pub path: Option<String>,
    /// Layer, where the file has several.
    pub layer: Option<String>,
    /// Field with the id; the row number where absent.
    pub id_field: Option<String>,
    /// Field with the use, in the names of [`BuildingUse`] or `OpenStreetMap`'s `building` values.
    pub use_field: Option<String>,
    /// Field with the number of floors.
    pub levels_field: Option<String>,
    /// Field with the height in metres.
    pub height_field: Option<String>,
    /// Height of one storey, metres.
    pub storey_height_m: f64,
    /// Floors by use where neither levels nor height are tagged.
    pub floors: BTreeMap<String, f64>,
    /// The same for single zones: zone id, then use.
    pub floors_by_zone: BTreeMap<String, BTreeMap<String, f64>>,
    /// Net floor area for each unit of gross floor area, 0 to 1.
    pub net_share: f64,
    /// Net floor area of a dwelling, m2; gives the number of dwellings where none is published.
    pub dwelling_net_m2: f64,
    /// Buildings smaller than this on the ground are left out, m2.
    pub footprint_m2_min: f64,
    /// Residents of a synthetic residential building.
    pub synthetic_residents: f64,
    /// Jobs of a synthetic workplace.
    pub synthetic_jobs: f64,
    /// Licence of this file.
    pub licence: Option<String>,
    /// Credit of this file.
    pub attribution: Option<String>,
}

impl Default for Buildings {
    fn default() -> Self {
        Self {
            source: BuildingSource::Osm,
            path: None,
            layer: None,
            id_field: None,
            use_field: None,
            levels_field: None,
            height_field: None,
            storey_height_m: 3.0,
            floors: BTreeMap::new(),
            floors_by_zone: BTreeMap::new(),
            net_share: 0.8,
            dwelling_net_m2: 75.0,
            footprint_m2_min: 12.0,
            synthetic_residents: 12.0,
            synthetic_jobs: 20.0,
            licence: None,
            attribution: None,
        }
    }
}

impl Buildings {
    /// Floors of a use in a zone where nothing is tagged.
    #[must_use]
    pub fn floors_by_rule(&self, zone: &str, purpose: BuildingUse) -> f64 {
        let by_zone = self.floors_by_zone.get(zone).and_then(|uses| uses.get(purpose.name()));
        by_zone.or_else(|| self.floors.get(purpose.name())).copied().unwrap_or(match purpose {
            BuildingUse::Residential | BuildingUse::Office | BuildingUse::Health => 3.0,
            BuildingUse::Hotel => 4.0,
            BuildingUse::Education | BuildingUse::Civic | BuildingUse::Parking => 2.0,
            BuildingUse::Retail | BuildingUse::Industrial | BuildingUse::Other => 1.0,
        })
    }
}

/// A recipe with its place.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub recipe: Recipe,
    /// Where it lies.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Loaded {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, has unknown or missing keys, or values out of range.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::read(path, source))?;
        let recipe: Recipe = toml::from_str(&text).map_err(|error| toml_problem(path, &text, &error))?;
        let loaded = Self { recipe, path: path.to_owned(), text };
        loaded.check()?;
        Ok(loaded)
    }

    /// The place of a path of the recipe: `${VARIABLE}`s replaced, relative to the recipe's folder.
    ///
    /// # Errors
    /// When a variable is not set or a brace is not closed.
    pub fn resolve(&self, written: &str) -> Result<PathBuf> {
        let mut plain = String::new();
        let mut rest = written;
        while let Some(start) = rest.find("${") {
            plain.push_str(&rest[..start]);
            let Some(end) = rest[start..].find('}') else {
                return Err(self.problem(written, "`${` without `}`").into());
            };
            let variable = &rest[start + 2..start + end];
            let value = std::env::var(variable).map_err(|_| {
                self.problem(written, format!("the environment variable {variable} is not set"))
                    .with_help(format!("set it to the folder meant: {variable}=/path/to/folder urbis city build ..."))
            })?;
            plain.push_str(&value);
            rest = &rest[start + end + 1..];
        }
        plain.push_str(rest);
        Ok(urbis_core::files::parent(&self.path).join(plain))
    }

    /// The packaged source a path stands for, if it is of the form `source:NAME`.
    ///
    /// # Errors
    /// When no `[[source]]` has the name.
    pub fn packaged(&self, written: &str) -> Result<Option<&PackagedSource>> {
        let Some(name) = written.strip_prefix("source:") else { return Ok(None) };
        let known = || self.recipe.source.iter().map(|source| source.name.as_str());
        let found = self.recipe.source.iter().find(|source| source.name == name);
        found.map(Some).ok_or_else(|| {
            let problem = self.problem(written, format!("no [[source]] has the name {name}"));
            match did_you_mean(name, known()) {
                Some(near) => problem.with_help(format!("did you mean `source:{near}`?")).into(),
                None => problem.into(),
            }
        })
    }

    /// A problem at the first place of the recipe where a text stands.
    #[must_use]
    pub fn problem(&self, written: &str, what: impl std::fmt::Display) -> Problem {
        match self.text.find(written) {
            Some(start) if !written.is_empty() => {
                Problem::span(&self.path, &self.text, start..start + written.len(), what, "here")
            }
            _ => Problem::file(&self.path, what),
        }
    }

    fn check(&self) -> Result<()> {
        let recipe = &self.recipe;
        let mut problems = Problems::new();
        let mut say = |at: &str, what: String| problems.push(self.problem(at, what));
        if recipe.name.is_empty()
            || !recipe.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            say("name", format!("name = {:?}, expected lower-case letters, digits and _", recipe.name));
        }
        if recipe.crs != "auto" && recipe.crs.strip_prefix("EPSG:").is_none_or(|code| code.parse::<u16>().is_err()) {
            say("crs", format!("crs = {:?}, expected \"auto\" or \"EPSG:<code>\"", recipe.crs));
        }
        if recipe.roads.osm.is_some() == recipe.roads.gmns.is_some() {
            say("[roads]", "[roads] needs exactly one of `osm` and `gmns`".to_owned());
        }
        if recipe.boundary.is_none() && recipe.roads.clip {
            say("clip", "[roads] clip = true needs a [boundary]".to_owned());
        }
        if recipe.zones.path.is_some() == recipe.zones.points.is_some() {
            say("[zones]", "[zones] needs exactly one of `path` and `points`".to_owned());
        }
        for (key, value, expected) in recipe.roads.rules.out_of_range() {
            let at = key.rsplit('.').next().unwrap_or(&key);
            say(at, format!("[roads.rules] {key} = {value}, expected {expected}"));
        }
        let buildings = &recipe.buildings;
        match buildings.source {
            BuildingSource::Osm if recipe.roads.osm.is_none() => {
                say("[buildings]", "[buildings] source = \"osm\" needs `osm` in [roads]".to_owned());
            }
            BuildingSource::Vector if buildings.path.is_none() => {
                say("[buildings]", "[buildings] source = \"vector\" needs `path`".to_owned());
            }
            _ => {}
        }
        let positive = [
            ("storey_height_m", buildings.storey_height_m),
            ("net_share", buildings.net_share),
            ("dwelling_net_m2", buildings.dwelling_net_m2),
            ("synthetic_residents", buildings.synthetic_residents),
            ("synthetic_jobs", buildings.synthetic_jobs),
        ];
        for (field, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                say(field, format!("[buildings] {field} = {value}, expected > 0"));
            }
        }
        let tables = buildings.floors_by_zone.values().chain([&buildings.floors]);
        for (purpose, &floors) in tables.flatten() {
            if BuildingUse::from_name(purpose).is_none() {
                let names = BuildingUse::NAMED.map(|(_, name)| name);
                let near = did_you_mean(purpose, names).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
                say(purpose, format!("unknown use `{purpose}`, expected one of {}{near}", names.join(", ")));
            }
            if !(floors.is_finite() && floors > 0.0) {
                say(purpose, format!("floors of {purpose} = {floors}, expected > 0"));
            }
        }
        for estimate in &recipe.panel.estimate {
            let total: f64 = estimate.spread.values().sum();
            if (total - 1.0).abs() > 1e-9 || estimate.spread.values().any(|share| !(0.0..=1.0).contains(share)) {
                say(
                    "spread",
                    format!("spread of {} adds up to {total}, expected shares that make 1", estimate.indicator),
                );
            }
            if !(estimate.factor.is_finite() && estimate.factor >= 0.0) {
                say("factor", format!("factor of {} = {}, expected >= 0", estimate.indicator, estimate.factor));
            }
        }
        for from in &recipe.panel.from {
            if crate::model::Quality::from_name(&from.quality).is_none() {
                say(&from.quality, format!("quality = {:?}, expected sourced, recalled or estimate", from.quality));
            }
        }
        for (row, feed) in recipe.feed.iter().enumerate() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
            if feed.name.is_empty() || !feed.name.chars().all(plain) {
                let what = format!("name of a feed = {:?}, expected lower-case letters, digits, - and _", feed.name);
                say(&feed.name, what);
            }
            if recipe.feed[..row].iter().any(|other| other.name == feed.name) {
                say(&feed.name, format!("two feeds are named {:?}, expected a name each", feed.name));
            }
        }
        for raster in &recipe.raster {
            if raster.band == 0 {
                say("band", "band = 0, expected a number from 1".to_owned());
            }
        }
        problems.or_else(())
    }
}

/// The problem a TOML error means: its place, and a suggestion where a key is unknown.
#[must_use]
pub fn toml_problem(path: &Path, text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message().trim_end();
    let problem = Problem::span(path, text, error.span().unwrap_or(0..0), message, "here");
    // serde says: unknown field `a`, expected one of `b`, `c` (or: expected `b`).
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(unknown) if message.starts_with("unknown") => match did_you_mean(unknown, quoted) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem,
        },
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "name = \"a\"\ntitle = \"A\"\nvalid_period = \"2024\"\n[roads]\nosm = \"a.osm.pbf\"\n[zones]\npath = \"z.geojson\"\n";

    fn read(text: &str) -> Result<Loaded> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("city.toml");
        std::fs::write(&path, text).unwrap();
        Loaded::read(&path)
    }

    fn listed(text: &str) -> String {
        match read(text).unwrap_err() {
            Error::Input(problems) => {
                problems.listed().iter().map(|p| format!("{p} {}\n", p.help_text().unwrap_or_default())).collect()
            }
            other => other.to_string(),
        }
    }

    #[test]
    fn the_smallest_recipe_has_defaults() {
        let loaded = read(MINIMAL).unwrap();
        assert_eq!(loaded.recipe.crs, "auto");
        assert!((loaded.recipe.buildings.storey_height_m - 3.0).abs() < 1e-12);
        assert!((loaded.recipe.buildings.floors_by_rule("z", BuildingUse::Retail) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn unknown_keys_name_place_and_suggestion() {
        let said = listed(&MINIMAL.replace("[zones]", "[zones]\nid_feild = \"name\""));
        assert!(said.contains("city.toml line 7: unknown field `id_feild`"), "{said}");
        assert!(said.contains("did you mean `id_field`?"), "{said}");
        let said = listed(&format!("{MINIMAL}[buildings]\nfloors = {{ residental = 3.0 }}\nsource = \"osm\"\n"));
        assert!(said.contains("did you mean `residential`?"), "{said}");
    }

    #[test]
    fn values_out_of_range_are_collected() {
        let said = listed(&format!(
            "crs = \"utm\"\n{MINIMAL}points = \"p.csv\"\n[buildings]\nsource = \"vector\"\nstorey_height_m = -1.0\n"
        ));
        for part in ["crs = \"utm\"", "exactly one of `path` and `points`", "needs `path`", "storey_height_m = -1"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(matches!(read("nonsense"), Err(Error::Input(_))));
        assert!(matches!(Loaded::read(Path::new("/nowhere.toml")), Err(Error::Read { .. })));
    }

    #[test]
    fn variables_and_packaged_sources() {
        let loaded = read(MINIMAL).unwrap();
        let error = loaded.resolve("${URBIS_NO_SUCH_VARIABLE}/x").unwrap_err();
        let Error::Input(problems) = error else { panic!() };
        assert!(problems.listed()[0].to_string().contains("URBIS_NO_SUCH_VARIABLE is not set"));
        assert!(loaded.resolve("${PATH").is_err());
        assert!(loaded.resolve("${PATH}/x").unwrap().to_string_lossy().ends_with("/x"));
        assert!(loaded.packaged("source:none").is_err());
        assert!(loaded.packaged("a.csv").unwrap().is_none());
    }
}
