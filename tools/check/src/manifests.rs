//! Every member of the workspace inherits the lints of the workspace.

use crate::Faults;
use cargo_metadata::Metadata;

/// Members whose manifest does not say `[lints] workspace = true`.
pub(crate) fn check(metadata: &Metadata) -> Faults {
    let mut faults = Faults::new();
    for package in metadata.workspace_packages() {
        match std::fs::read_to_string(&package.manifest_path) {
            Ok(text) if inherits_lints(&text) => {}
            Ok(_) => faults.push(format!("{}: expected [lints] workspace = true", package.manifest_path)),
            Err(error) => faults.push(format!("{}: {error}", package.manifest_path)),
        }
    }
    faults
}

fn inherits_lints(manifest: &str) -> bool {
    let table: Option<toml::Table> = manifest.parse().ok();
    table.is_some_and(|table| {
        let lints = table.get("lints").and_then(|lints| lints.get("workspace"));
        lints.and_then(toml::Value::as_bool) == Some(true)
    })
}

#[cfg(test)]
mod tests {
    use super::inherits_lints;

    #[test]
    fn lints_are_found_in_either_spelling() {
        assert!(inherits_lints("[lints]\nworkspace = true\n"));
        assert!(inherits_lints("lints.workspace = true\n"));
        assert!(!inherits_lints("[lints]\nworkspace = false\n"));
        assert!(!inherits_lints("[package]\nname = \"x\"\n"));
    }
}
