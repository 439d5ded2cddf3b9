//! A road network in whatever form it comes: the form is told by the name and the first bytes.
//!
//! Contract: a pure function of the files.

use crate::matsim;
use crate::network::RoadNetwork;
use crate::read_gmns::{self, ReadOptions};
use crate::sumo::{self, SumoNetwork};
use crate::tntp;
use crate::trips::{self, TripsFile};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use urbis_core::{Error, Problem, Result};

/// Examples of each warning that are kept.
const EXAMPLES_KEPT: usize = 5;

/// Bytes looked at to tell one file from another.
const SNIFFED_BYTES: u64 = 64 << 10;

/// Something that was repaired rather than refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Name in files.
    pub kind: &'static str,
    /// How often.
    pub count: u64,
    /// The first few, each a sentence that names file, row, id and value.
    pub examples: Vec<String>,
}

impl Warning {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, count: 0, examples: Vec::new() }
    }
    pub(crate) fn add(&mut self, example: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_KEPT {
            self.examples.push(example());
        }
    }
}

/// A network and what was repaired in it.
#[derive(Clone, Debug, Default)]
pub struct NetworkFile {
    /// The network.
    pub network: RoadNetwork,
    /// What was repaired.
    pub warnings: Vec<Warning>,
    /// What SUMO says beyond the network, for its demand.
    pub sumo: Option<SumoNetwork>,
}

/// Forms of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Gmns,
    Matsim,
    Sumo,
    Tntp,
}

/// The first bytes of a file, packed or not.
fn first_text(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    let mut first = Vec::new();
    let is_packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let read = if is_packed {
        MultiGzDecoder::new(file).take(SNIFFED_BYTES).read_to_end(&mut first)
    } else {
        file.take(SNIFFED_BYTES).read_to_end(&mut first)
    };
    read.map_err(|source| Error::read(path, source))?;
    Ok(String::from_utf8_lossy(&first).into_owned())
}

/// The name of the first element of an XML file, packed or not; `None` where there is none.
fn first_element(path: &Path) -> Result<Option<String>> {
    Ok(root_tag(&first_text(path)?).map(str::to_owned))
}

/// The form of a network.
fn form_of(path: &Path) -> Result<Form> {
    if path.is_dir() {
        return Ok(Form::Gmns);
    }
    let text = first_text(path)?;
    match root_tag(&text) {
        Some("network") => Ok(Form::Matsim),
        Some("net") => Ok(Form::Sumo),
        _ if tntp::is_tntp(&text) => Ok(Form::Tntp),
        _ => Err(Problem::file(path, "is no network that is known here")
            .with_help(
                "a network is a GMNS folder with node.csv and link.csv, or a file of MATSim, SUMO (.net.xml) or TNTP",
            )
            .into()),
    }
}

/// Name of the first element of an XML text.
fn root_tag(mut text: &str) -> Option<&str> {
    loop {
        text = &text[text.find('<')? + 1..];
        if let Some(comment) = text.strip_prefix("!--") {
            text = &comment[comment.find("-->")?..];
        } else if !text.starts_with(['?', '!']) {
            return text.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next();
        }
    }
}

/// Reads a network.
///
/// # Errors
/// As the reader of the form; [`Error::Input`] when the form is not known.
pub fn read(path: &Path, options: &ReadOptions) -> Result<NetworkFile> {
    match form_of(path)? {
        Form::Gmns => read_gmns::read(path, options),
        Form::Matsim => Ok(NetworkFile { network: matsim::read_network(path)?, ..NetworkFile::default() }),
        Form::Sumo => {
            let sumo = sumo::read_network(path)?;
            Ok(NetworkFile { network: sumo.network.clone(), warnings: Vec::new(), sumo: Some(sumo) })
        }
        Form::Tntp => tntp::read_roads(path, options.tntp, options.refuse_zero_length),
    }
}

/// Reads trips for a network: a table (see [`trips::read`]), MATSim plans, or SUMO demand.
///
/// # Errors
/// As the reader of the form; [`Error::Input`] for SUMO demand without a SUMO network.
pub fn read_trips(path: &Path, file: &NetworkFile) -> Result<TripsFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if name.ends_with(".tntp") {
        return Err(Problem::file(path, "holds flows between zones, expected single trips")
            .with_help("`urbis traffic demand --matrix` makes trips of it")
            .into());
    }
    if !(name.ends_with(".xml") || name.ends_with(".xml.gz")) {
        return trips::read(path, &file.network);
    }
    match first_element(path)?.as_deref() {
        Some("population" | "plans") => {
            let plans = matsim::read_plans(path, &file.network)?;
            let notes = plans.notes.clone();
            let found = plans.trips(&file.network, "car");
            Ok(TripsFile::of(path, found.trips, notes.into_iter().chain(found.notes).collect(), &file.network))
        }
        Some("routes" | "trips" | "additional") => {
            let Some(sumo) = &file.sumo else {
                return Err(Problem::file(path, "is demand of SUMO, but the network is not")
                    .with_help("give the .net.xml that the demand was made for")
                    .into());
            };
            let found = sumo::read_routes(path, sumo, sumo::RouteOptions { seed: 0 })?;
            Ok(TripsFile::of(path, found.trips, found.notes, &file.network))
        }
        _ => Err(Problem::file(path, "holds no demand that is known here")
            .with_help("a table (.csv, .csv.gz, .parquet), MATSim plans or SUMO demand (.xml, .xml.gz)")
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_by_content() {
        let place = tempfile::tempdir().unwrap();
        let form = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            form_of(&path)
        };
        let doctype = "<?xml version=\"1.0\"?>\n<!DOCTYPE network SYSTEM \"x\">\n<network name=\"n\">";
        assert_eq!(form("a.xml", doctype).unwrap(), Form::Matsim);
        assert_eq!(form("b.net.xml", "<!-- generated <by> --><net version=\"1\">").unwrap(), Form::Sumo);
        assert_eq!(form_of(place.path()).unwrap(), Form::Gmns);
        assert_eq!(form("n", "<NUMBER OF ZONES> 2\n<End of metadata>\n").unwrap(), Form::Tntp);
        assert!(form("c.xml", "").is_err() && form("d.csv", "a,b\n").is_err());
        assert!(form_of(&place.path().join("absent")).is_err());
    }
}
