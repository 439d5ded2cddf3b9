//! Licences of everything that is linked in. The engine is `Apache-2.0 OR MIT`; what it links must let
//! anybody use it under those terms.

use crate::Faults;
use cargo_metadata::Metadata;
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences that ask for no more than a notice, and the weak copyleft of MPL-2.0, which stops at the file.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The only addition to a licence that is allowed: it takes demands away.
const ALLOWED_ADDITION: &str = "LLVM-exception";

/// Every package of the lockfile, for any platform and feature, whose licence does not fit.
pub(crate) fn check(metadata: &Metadata) -> Faults {
    let mut faults = Faults::new();
    for package in &metadata.packages {
        if let Err(why) = judge(package.license.as_deref()) {
            faults.push(format!("{} {}: {why}", package.name, package.version));
        }
    }
    faults
}

fn judge(licence: Option<&str>) -> Result<(), String> {
    let Some(licence) = licence else { return Err("no licence expression".to_owned()) };
    // Old packages write `MIT/Apache-2.0`.
    let expression = Expression::parse_mode(licence, ParseMode::LAX).map_err(|error| format!("{licence}: {error}"))?;
    if expression.evaluate(allowed) { Ok(()) } else { Err(format!("{licence} is not on the list of allowed licences")) }
}

fn allowed(requirement: &LicenseReq) -> bool {
    let named = requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name));
    let addition = requirement.addition.as_ref().is_none_or(|addition| addition.to_string() == ALLOWED_ADDITION);
    named && addition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_evaluated() {
        for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "Apache-2.0 WITH LLVM-exception", "MIT AND Zlib"] {
            assert_eq!(judge(Some(good)), Ok(()), "{good}");
        }
        for bad in [
            "GPL-3.0-only",
            "MIT AND LGPL-2.1-only",
            "AGPL-3.0-or-later",
            "Apache-2.0 AND (GPL-2.0-only OR LGPL-3.0-only)",
            "nonsense",
        ] {
            assert!(judge(Some(bad)).is_err(), "{bad}");
        }
        assert!(judge(None).is_err());
    }
}
