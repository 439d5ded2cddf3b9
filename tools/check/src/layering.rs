//! Which crate may stand on which. The table is the architecture; a crate that is not in it fails the
//! check, so nobody adds a room without saying where it belongs.

use crate::Faults;
use cargo_metadata::Metadata;

/// A crate of the workspace and what it may stand on.
struct Layer {
    name: &'static str,
    on: &'static [&'static str],
}

/// Domains never import each other; only coupling sees all of them. Scenario sees domains for their settings, output
/// for their state. Appraisal and store work on results and never see the step loop.
const LAYERS: [Layer; 18] = [
    Layer { name: "urbis-core", on: &[] },
    Layer { name: "urbis-city", on: &["urbis-core"] },
    Layer { name: "urbis-population", on: &["urbis-core", "urbis-city"] },
    Layer { name: "urbis-traffic", on: &["urbis-core", "urbis-city"] },
    Layer { name: "urbis-transit", on: &["urbis-core", "urbis-city"] },
    Layer { name: "urbis-assignment", on: &["urbis-core", "urbis-traffic"] },
    Layer { name: "urbis-interop", on: &["urbis-core", "urbis-city", "urbis-traffic"] },
    Layer { name: "urbis-utility", on: &["urbis-core", "urbis-city"] },
    Layer {
        name: "urbis-coupling",
        on: &["urbis-core", "urbis-city", "urbis-population", "urbis-traffic", "urbis-transit", "urbis-utility"],
    },
    Layer {
        name: "urbis-scenario",
        on: &[
            "urbis-core",
            "urbis-city",
            "urbis-population",
            "urbis-traffic",
            "urbis-transit",
            "urbis-utility",
            "urbis-coupling",
        ],
    },
    Layer {
        name: "urbis-output",
        on: &[
            "urbis-core",
            "urbis-city",
            "urbis-population",
            "urbis-traffic",
            "urbis-transit",
            "urbis-utility",
            "urbis-coupling",
        ],
    },
    Layer {
        name: "urbis",
        on: &[
            "urbis-core",
            "urbis-city",
            "urbis-population",
            "urbis-transit",
            "urbis-traffic",
            "urbis-utility",
            "urbis-coupling",
            "urbis-scenario",
            "urbis-output",
            "urbis-assignment",
            "urbis-interop",
        ],
    },
    Layer { name: "urbis-appraisal", on: &["urbis-core", "urbis-city", "urbis-output"] },
    Layer { name: "urbis-store", on: &["urbis-core", "urbis-output"] },
    Layer {
        name: "urbis-cli",
        on: &[
            "urbis-core",
            "urbis-city",
            "urbis-scenario",
            "urbis-appraisal",
            "urbis-store",
            "urbis-transit",
            "urbis-traffic",
            "urbis-assignment",
            "urbis-interop",
            "urbis",
        ],
    },
    Layer { name: "check", on: &[] },
    Layer { name: "urbis-benches", on: EVERYTHING },
    Layer { name: "urbis-tests", on: EVERYTHING },
];

const EVERYTHING: &[&str] = &[
    "urbis-assignment",
    "urbis-interop",
    "urbis-core",
    "urbis-city",
    "urbis-population",
    "urbis-transit",
    "urbis-traffic",
    "urbis-utility",
    "urbis-coupling",
    "urbis-scenario",
    "urbis-output",
    "urbis-appraisal",
    "urbis-store",
    "urbis",
    "urbis-cli",
];

/// Libraries that only some crates may use.
const RESERVED: [(&str, &[&str]); 4] = [
    ("gdal", &["urbis-city"]),
    ("gdal-sys", &["urbis-city"]),
    ("object_store", &["urbis-store"]),
    ("tokio", &["urbis-store"]),
];

/// Every edge between crates of the workspace, of any kind, that the table does not allow.
pub(crate) fn check(metadata: &Metadata) -> Faults {
    let members = metadata.workspace_packages();
    let edges: Vec<(&str, Vec<&str>)> = members
        .iter()
        .map(|package| (package.name.as_str(), package.dependencies.iter().map(|d| d.name.as_str()).collect()))
        .collect();
    faults_of(&edges)
}

fn faults_of(crates: &[(&str, Vec<&str>)]) -> Faults {
    let mut faults = Faults::new();
    for (name, dependencies) in crates {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == *name) else {
            faults.push(format!("{name} has no layer; add it to tools/check/src/layering.rs"));
            continue;
        };
        for dependency in dependencies {
            let ours = crates.iter().any(|(member, _)| member == dependency);
            if ours && !layer.on.contains(dependency) {
                faults.push(format!("{name} may not depend on {dependency}"));
            }
            for (library, users) in RESERVED {
                if library == *dependency && !users.contains(name) {
                    faults.push(format!("{name} may not depend on {library}: only {} may", users.join(", ")));
                }
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_edges_are_named() {
        let good = [("urbis-core", vec!["serde"]), ("urbis-city", vec!["urbis-core", "gdal"])];
        assert!(faults_of(&good).is_empty());
        let bad =
            [("urbis-traffic", vec!["urbis-population", "gdal"]), ("urbis-population", vec![]), ("urbis-new", vec![])];
        let faults = faults_of(&bad);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(faults[0], "urbis-traffic may not depend on urbis-population");
        assert_eq!(faults[1], "urbis-traffic may not depend on gdal: only urbis-city may");
        assert!(faults[2].starts_with("urbis-new has no layer"));
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Each crate stands only on crates that stand above it in the table, so the table is in build order.
        let row = |name: &str| LAYERS.iter().position(|layer| layer.name == name).unwrap();
        for layer in &LAYERS {
            for below in layer.on {
                assert!(row(below) < row(layer.name), "{} on {below}", layer.name);
            }
        }
    }
}
