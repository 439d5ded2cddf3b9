//! The planner's page of a small study, and what a browser makes of it: `check.mjs` opens it from the disk in Chromium
//! without a window.
//!
//! The browser's part is skipped with a message where Node.js or Chromium is absent, unless `URBIS_BROWSER=required`.

use std::path::Path;
use std::process::Command;
use urbis_appraisal::report::{self, Language};
use urbis_tests::{root, town_runs};

/// The browser that `check.mjs` shall use, or why there is none.
fn browser() -> Result<String, String> {
    let answers = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    if !answers("node") {
        return Err("Node.js (`node`) is absent".to_owned());
    }
    let named = std::env::var("CHROMIUM").ok();
    let known = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    let mut candidates = named.into_iter().chain(known);
    candidates.find(|program| answers(program)).ok_or_else(|| "Chromium (`chromium`) is absent".to_owned())
}

/// Opens a page in the browser, with WebGL and without, where there is one.
fn opened(page: &Path) {
    let chromium = match browser() {
        Ok(chromium) => chromium,
        Err(why) if std::env::var("URBIS_BROWSER").is_ok_and(|wish| wish == "required") => panic!("{why}"),
        Err(why) => return println!("skipped the browser: {why}; `tools/setup --tests` installs it"),
    };
    for more in [&[][..], &["--canvas"]] {
        let mut check = Command::new("node");
        check.arg(root().join("tests/report/check.mjs")).arg(page).arg("--untimed").args(more);
        let checked = check.env("CHROMIUM", &chromium).output().unwrap();
        let told = String::from_utf8_lossy(&checked.stdout);
        println!("{told}");
        assert!(checked.status.success(), "{told}{}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn a_planner_looks_at_the_networks() {
    let place = tempfile::tempdir().unwrap();
    let (out, page) = (place.path().join("out"), place.path().join("report.html"));
    urbis_tests::run(&root().join("scenarios/town/networks.toml"), &out, 2, None).unwrap();
    report::write(&out, None, None, Language::English, &page).unwrap();
    let text = std::fs::read_to_string(&page).unwrap();
    for utility in ["electricity", "water", "gas", "sewer"] {
        assert!(text.contains(&format!("\"utility\":\"{utility}\"")), "{utility} is not on the map");
    }
    opened(&page);
}

#[test]
fn a_planner_opens_the_page_in_a_browser() {
    let place = tempfile::tempdir().unwrap();
    let _ = town_runs(place.path(), "baseline", "plain", 1..=2);
    let out = town_runs(place.path(), "charge", "charged", 1..=2);
    let page = place.path().join("report.html");
    let written = report::write(&out, Some("plain"), None, Language::English, &page).unwrap();
    assert_eq!((written.scenarios, written.seeds), (2, 2));
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("revenue_east by car"), "what the charge takes is shown although the base has no charge");
    opened(&page);
}
