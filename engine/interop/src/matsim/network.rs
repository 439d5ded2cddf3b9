//! MATSim networks (`network_v1.dtd`, `network_v2.dtd`), compressed or not.
//!
//! A link holds `permlanes / effectivecellsize` vehicles a metre (7.5 m where the file says nothing); its capacity
//! counts per `capperiod`. Coordinates stay as they are. Links whose `modes` name no car are left out and counted.
//! Ignores: attributes, `origid`, `type`, changes over time. Contract: a pure function of the file.

use super::time_s;
use crate::names::Names;
use crate::network::RoadNetwork;
use crate::xml::{self, Element, Piece, Place};
use std::borrow::Cow;
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Metres a standing vehicle takes where the file does not say.
const CELL_M: f64 = 7.5;

/// Reads a network.
///
/// # Errors
/// [`urbis_core::Error::Read`] when the file cannot be read; [`urbis_core::Error::Input`] when it is not a MATSim
/// network, with every doubled id, missing node and value out of range.
pub fn read_network(path: &Path) -> Result<RoadNetwork> {
    let mut reading = Reading::new(path);
    xml::read(path, |piece, place| reading.take(piece, place))?;
    reading.finish()
}

/// A link before its figures are checked.
struct Record {
    row: usize,
    id: u32,
    from: String,
    to: String,
    length_m: f64,
    speed_mps: f64,
    capacity: f64,
    lanes: f64,
}

struct Reading<'a> {
    path: &'a Path,
    is_network: bool,
    nodes: Names,
    x_m: Vec<f64>,
    y_m: Vec<f64>,
    links: Names,
    records: Vec<Record>,
    rows: usize,
    period_s: f64,
    cell_m: f64,
    without_cars: u64,
    problems: Problems,
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            is_network: false,
            nodes: Names::default(),
            x_m: Vec::new(),
            y_m: Vec::new(),
            links: Names::default(),
            records: Vec::new(),
            rows: 0,
            period_s: 3600.0,
            cell_m: CELL_M,
            without_cars: 0,
            problems: Problems::new(),
        }
    }

    fn take(&mut self, piece: Piece<'_>, place: Place<'_>) -> Result<()> {
        let Piece::Open(element) = piece else { return Ok(()) };
        match element.name() {
            "network" => self.is_network = true,
            name if !self.is_network => {
                let what = format!("starts with <{name}>, expected <network>");
                return Err(place.problem(what).with_help("give the file that MATSim calls inputNetworkFile").into());
            }
            "node" => self.node(element)?,
            "link" => self.link(element)?,
            "links" => self.links_header(element, place)?,
            _ => {}
        }
        Ok(())
    }

    fn links_header(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        let [period, cell] = element.attributes(["capperiod", "effectivecellsize"])?;
        if let Some(text) = period {
            match time_s(&text).filter(|&period_s| period_s > 0.0) {
                Some(period_s) => self.period_s = period_s,
                None => self.problems.push(place.problem(format!("capperiod = {text}, expected hh:mm:ss above zero"))),
            }
        }
        if let Some(text) = cell {
            match xml::number(&text).filter(|cell_m| cell_m.is_finite() && *cell_m > 0.0) {
                Some(cell_m) => self.cell_m = cell_m,
                None => self.problems.push(place.problem(format!("effectivecellsize = {text}, expected metres > 0"))),
            }
        }
        Ok(())
    }

    fn node(&mut self, element: &Element<'_>) -> Result<()> {
        let [id, x, y] = element.attributes(["id", "x", "y"])?;
        let row = self.x_m.len();
        let id = required(self.path, &mut self.problems, "node", row + 1, id);
        let known = self.nodes.get(&id).is_some();
        if known {
            self.problems.push(Problem::value(self.path, row + 1, None, "node id", &id, "an id that occurs once"));
            return Ok(());
        }
        self.nodes.insert(&id);
        for (field, text, column) in [("x", x, &mut self.x_m), ("y", y, &mut self.y_m)] {
            let value = text.as_deref().and_then(xml::number).filter(|value| value.is_finite());
            if value.is_none() {
                let text = text.as_deref().unwrap_or("(blank)");
                self.problems.push(Problem::value(self.path, row + 1, Some(&id), field, text, "a number"));
            }
            column.push(value.unwrap_or(0.0));
        }
        Ok(())
    }

    fn link(&mut self, element: &Element<'_>) -> Result<()> {
        self.rows += 1;
        let row = self.rows;
        let names = ["id", "from", "to", "length", "freespeed", "capacity", "permlanes", "modes"];
        let [id, from, to, length, speed, capacity, lanes, modes] = element.attributes(names)?;
        let id = required(self.path, &mut self.problems, "link", row, id);
        if self.links.get(&id).is_some() {
            self.problems.push(Problem::value(self.path, row, None, "link id", &id, "an id that occurs once"));
            return Ok(());
        }
        if modes.is_some_and(|modes| !modes.split(',').any(|mode| mode.trim() == "car")) {
            self.without_cars += 1;
            return Ok(());
        }
        let mut positive = |field: &str, text: Option<Cow<'_, str>>, default: Option<f64>| {
            let value = text.as_deref().map_or(default, xml::number).filter(|value| value.is_finite() && *value > 0.0);
            if value.is_none() {
                let text = text.as_deref().unwrap_or("(blank)");
                self.problems.push(Problem::value(self.path, row, Some(&id), field, text, "a number > 0"));
            }
            value.unwrap_or(1.0)
        };
        let record = Record {
            row,
            id: 0,
            from: from.unwrap_or_default().into_owned(),
            to: to.unwrap_or_default().into_owned(),
            length_m: positive("length", length, None),
            speed_mps: positive("freespeed", speed, None),
            capacity: positive("capacity", capacity, None),
            lanes: positive("permlanes", lanes, Some(1.0)),
        };
        self.records.push(Record { id: self.links.insert(&id), ..record });
        Ok(())
    }

    fn finish(mut self) -> Result<RoadNetwork> {
        let mut network = RoadNetwork::default();
        let columns = &mut network.columns;
        for record in &self.records {
            let id = &self.links.list()[record.id as usize];
            let mut end = |field: &str, name: &str| {
                let row = self.nodes.get(name);
                if row.is_none() {
                    self.problems.push(Problem::value(
                        self.path,
                        record.row,
                        Some(id),
                        field,
                        name,
                        "a node of the file",
                    ));
                }
                row.unwrap_or(0)
            };
            columns.from.push(end("from", &record.from));
            columns.to.push(end("to", &record.to));
            columns.length_m.push(record.length_m);
            columns.speed_mps_free.push(record.speed_mps);
            columns.capacity_vps.push(record.capacity / self.period_s);
            columns.jam_density_vpm.push(record.lanes / self.cell_m);
            network.lanes.push((record.lanes as f32).max(1.0));
        }
        if self.records.is_empty() && self.problems.is_empty() {
            self.problems.push(Problem::file(self.path, "has no link that cars may use"));
        }
        self.problems.or_else(())?;
        (columns.x_m, columns.y_m) = (self.x_m, self.y_m);
        network.node_id = self.nodes.into_list();
        network.link_id = self.links.into_list();
        if self.without_cars > 0 {
            network.notes.push(format!("{} links are not for cars and were left out", self.without_cars));
        }
        network.notes.push(format!("a standing vehicle takes {} m of a lane", self.cell_m));
        Ok(network)
    }
}

fn required(path: &Path, problems: &mut Problems, what: &str, row: usize, id: Option<Cow<'_, str>>) -> String {
    match id {
        Some(id) if !id.is_empty() => id.into_owned(),
        _ => {
            problems.push(Problem::value(path, row, None, &format!("{what} id"), "(blank)", "a value"));
            format!("({what} {row})")
        }
    }
}

/// A network in memory, for tests.
#[cfg(test)]
pub(super) fn read_bytes(bytes: &[u8]) -> Result<RoadNetwork> {
    let path = Path::new("network.xml");
    let mut reading = Reading::new(path);
    xml::read_from(path, Box::new(bytes), |piece, place| reading.take(piece, place))?;
    reading.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::fuzz;

    const SMALL: &str = r#"<?xml version="1.0"?><!DOCTYPE network SYSTEM "http://www.matsim.org/files/dtd/network_v2.dtd">
<network><attributes><attribute name="crs" class="java.lang.String">x</attribute></attributes>
<nodes><node id="a &amp; b" x="1.5" y="-2"/><node id="2" x="0" y="0" ></node></nodes>
<links capperiod="02:00:00" effectivecellsize="5" effectivelanewidth="3.75">
<link id="x" from="a &amp; b" to="2" length="100.0" freespeed="10" capacity="3600" permlanes="2.5" oneway="1" modes="bus, car"/>
<link id="rail" from="2" to="2" length="0" freespeed="Infinity" capacity="1" permlanes="1" modes="rail"/>
</links></network>"#;

    #[test]
    fn figures_in_si() {
        let network = read_bytes(SMALL.as_bytes()).unwrap();
        assert_eq!(
            (network.node_id, network.link_id),
            (vec!["a & b".to_owned(), "2".to_owned()], vec!["x".to_owned()])
        );
        let columns = &network.columns;
        assert_eq!((columns.from[0], columns.to[0], columns.x_m[0], columns.y_m[0]), (0, 1, 1.5, -2.0));
        assert_eq!((columns.capacity_vps[0], columns.jam_density_vpm[0], network.lanes[0]), (0.5, 0.5, 2.5));
        assert!(network.notes[0].contains("1 links are not for cars"), "{:?}", network.notes);
    }

    #[test]
    fn faults_are_collected() {
        let text = SMALL
            .replace("to=\"2\" length=\"100.0\"", "to=\"9\" length=\"-1\"")
            .replace("id=\"2\"", "id=\"2\" x=\"w\"");
        let Err(urbis_core::Error::Input(problems)) = read_bytes(text.as_bytes()) else { panic!() };
        let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|s| s == "network.xml row 1 (id x): length = -1, expected a number > 0"), "{said:?}");
        assert!(said.iter().any(|s| s == "network.xml row 1 (id x): to = 9, expected a node of the file"), "{said:?}");
        assert!(
            read_bytes(b"<population/>").unwrap_err().exit_status() == urbis_core::diagnostics::ExitStatus::BadInput
        );
    }

    proptest::proptest! {
        #[test]
        fn never_panics(changes in fuzz::changes()) {
            proptest::prop_assert!(fuzz::answered(read_bytes(&fuzz::changed(SMALL.as_bytes(), &changes))));
        }
    }
}
