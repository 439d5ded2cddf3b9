//! The planner's report: one page that opens from `file://` with no server and no network. Everything stands in it:
//! the figures as compressed columns, the page's own code, deck.gl for the map and uPlot for curves.
//!
//! `arms` opens the runs and pairs them -> `gather` adds up each of them -> `content`, `worth`, `networks`, `elements`, `checkup` and `shapes` put all of it
//! into a `pack` -> here it becomes a page, equal for equal results.

mod arms;
mod checkup;
mod content;
mod elements;
mod gather;
mod networks;
mod pack;
mod shapes;
mod worth;

use pack::compressed;
use std::path::Path;
use urbis_core::{Result, files};

const PAGE: &str = include_str!("../../web/page.html");
const STYLE: &str = include_str!("../../web/page.css");
const WORDS: &str = include_str!("../../web/words.js");
const SCRIPTS: [&str; 7] = [
    include_str!("../../web/figures.js"),
    include_str!("../../web/data.js"),
    include_str!("../../web/map.js"),
    include_str!("../../web/checkup.js"),
    include_str!("../../web/networks.js"),
    include_str!("../../web/elements.js"),
    include_str!("../../web/page.js"),
];
const CURVES_STYLE: &str = include_str!("../../web/vendor/uPlot.min.css");
const CURVES: &str = include_str!("../../web/vendor/uPlot.iife.min.js");
const MAP: &str = include_str!("../../web/vendor/deck.gl.min.js");

/// Language a page opens in; it can be switched there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Size of the page.
    pub bytes: usize,
    /// Scenarios it shows.
    pub scenarios: usize,
    /// Runs of each.
    pub seeds: usize,
}

/// Writes the report of a results folder. Scenarios are compared with `base`; without one, with the scenario named
/// `baseline`, else the first by name. The check-up takes what no run has from a panel of `figures`.
///
/// # Errors
/// [`urbis_core::Error::Input`] when nothing is finished, `base` is not there, the runs cannot be compared (other
/// cities, periods, versions of the tables or seeds) or a table cannot be read; [`urbis_core::Error::Write`].
pub fn write(
    results: &Path,
    base: Option<&str>,
    figures: Option<&Path>,
    language: Language,
    out: &Path,
) -> Result<Written> {
    let (mut arms, pairs) = arms::open(results, base)?;
    let content = content::gather(results, &mut arms, pairs.as_ref(), figures)?;
    let language = match language {
        Language::English => "en",
        Language::Chinese => "zh",
    };
    let page = page(&content, language);
    files::write_whole(out, page.as_bytes())?;
    Ok(Written { bytes: page.len(), scenarios: arms.len(), seeds: arms[0].origins.len() })
}

fn page(content: &content::Content, language: &str) -> String {
    let parts = [
        ("language", language.to_owned()),
        ("style", format!("{CURVES_STYLE}\n{STYLE}")),
        // Text of people must not end the element it stands in.
        ("summary", content.summary.to_string().replace('<', "\\u003c")),
        ("words", WORDS.to_owned()),
        ("code", SCRIPTS.join("\n")),
        ("columns", content.columns.clone()),
        ("names", compressed(content.names.to_string().as_bytes())),
        ("libraries", compressed(format!("{CURVES}\n{MAP}").as_bytes())),
    ];
    let mut page = String::new();
    let mut rest = PAGE;
    // One pass, so that what is put in is not looked through again.
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("a place of the page ends");
        page += before;
        page += &parts.iter().find(|(part, _)| *part == name).expect("a place of the page has a part").1;
        rest = after;
    }
    page + rest
}
