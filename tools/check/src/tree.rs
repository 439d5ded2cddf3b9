//! The files of the repository: none too long to read, every relative link in Markdown leads somewhere.

use crate::Faults;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Longest file of code or prose.
const MAX_LINES: usize = 1000;

/// Endings of files that people write and read.
const WRITTEN: [&str; 6] = ["rs", "py", "md", "toml", "sh", "sql"];

/// Files over [`MAX_LINES`]. Data in `assets/` is not prose.
pub(crate) fn check_lengths(root: &Path) -> Faults {
    let written = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| WRITTEN.contains(&ending)) && !path.starts_with("assets")
    };
    with_files(root, |files| {
        let mut faults = Faults::new();
        for path in files.iter().filter(|path| written(path)) {
            let lines = std::fs::read_to_string(root.join(path)).map_or(0, |text| text.lines().count());
            if lines > MAX_LINES {
                faults.push(format!("{}: {lines} lines, expected at most {MAX_LINES}", path.display()));
            }
        }
        faults
    })
}

/// Relative links that lead nowhere, or out of the repository.
pub(crate) fn check_links(root: &Path) -> Faults {
    with_files(root, |files| {
        let mut faults = Faults::new();
        for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
            let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
            for (line, target) in links(&text) {
                if let Some(why) = broken(root, path, &target) {
                    faults.push(format!("{} line {line}: {target} {why}", path.display()));
                }
            }
        }
        faults
    })
}

/// Works on every file that git tracks or would track, relative to the root, sorted.
fn with_files(root: &Path, work: impl FnOnce(&[PathBuf]) -> Faults) -> Faults {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output();
    match listing {
        Ok(listing) if listing.status.success() => {
            let names = String::from_utf8_lossy(&listing.stdout);
            let mut files: Vec<PathBuf> =
                names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
            files.retain(|path| root.join(path).is_file());
            files.sort_unstable();
            files.dedup();
            work(&files)
        }
        Ok(listing) => vec![format!("git ls-files: {}", String::from_utf8_lossy(&listing.stderr).trim())],
        Err(error) => vec![format!("cannot start git: {error}")],
    }
}

fn broken(root: &Path, file: &Path, target: &str) -> Option<&'static str> {
    let place = target.split(['#', '?']).next().unwrap_or_default().replace("%20", " ");
    let outside = place.contains("://") || place.starts_with("mailto:");
    if place.is_empty() || outside {
        return None;
    }
    let mut inside = file.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(&place).components() {
        match part {
            Component::ParentDir => {
                if !inside.pop() {
                    return Some("leads out of the repository");
                }
            }
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Some("is absolute"),
        }
    }
    (!root.join(inside).exists()).then_some("leads nowhere")
}

/// Link targets outside code, with their lines: `[text](target)`, `[name]: target`, `src="target"`, `href="target"`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (row, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("` `");
        for (start, end) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for piece in prose.split(start).skip(1) {
                let target = piece.split(end).next().unwrap_or_default();
                found.push((row + 1, bare(target)));
            }
        }
        if let Some((name, target)) = prose.split_once("]: ")
            && name.starts_with('[')
            && !name.starts_with("[^")
        {
            found.push((row + 1, bare(target)));
        }
    }
    found
}

/// A target without its title and angle brackets.
fn bare(target: &str) -> String {
    let target = target.trim();
    if let Some((inner, _)) = target.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        return inner.to_owned();
    }
    target.split_whitespace().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code() {
        let text = "see [a](x/y.md#part \"title\") and `[b](no)`\n```\n[c](no)\n```\n<img src=\"p.svg\">\n[d]: <z w>\n[^1]: note\n";
        let found = links(text);
        assert_eq!(found, [(1, "x/y.md#part".to_owned()), (5, "p.svg".to_owned()), (6, "z w".to_owned())]);
    }

    #[test]
    fn targets_are_judged() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let judge = |target: &str| broken(root, Path::new("src/x.md"), target);
        for good in ["main.rs", "../Cargo.toml#lints", "#here", "https://example.org/a", "mailto:a@b", "./"] {
            assert_eq!(judge(good), None, "{good}");
        }
        assert_eq!(judge("absent.md"), Some("leads nowhere"));
        assert_eq!(judge("../../README.md"), Some("leads out of the repository"));
        assert_eq!(judge("/etc/passwd"), Some("is absolute"));
    }
}
