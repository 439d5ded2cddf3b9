//! SUMO networks (`net_file.xsd`), as netconvert writes them.
//!
//! Edges that some lane lets passenger cars onto become links, with the lanes that do; internal edges, crossings and
//! walking areas are left out. SUMO states no capacity: a lane carries what its default driver keeps as a distance,
//! `1 / (tau + 7.5 m / v)` vehicles a second with tau 1 s (length 5 m, gap 2.5 m), and 1 / 7.5 vehicles a metre when
//! they stand. Pairs of edges without a connection for cars are banned turns. At merges an edge weighs its capacity
//! times one more than its `priority` is above the least one of the file.
//! Ignores: shapes (edges without a lane length are not known to SUMO), lane changes, yielding, speed factors.
//! Contract: a pure function of the file; rows are in the order of the file.

use crate::names::Names;
use crate::network::RoadNetwork;
use crate::xml::{self, Element, Piece, Place};
use std::path::Path;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Time gap of SUMO's default driver, s.
const TAU_S: f64 = 1.0;
/// Length and least gap of SUMO's default car, m.
const CELL_M: f64 = 7.5;

/// A phase of a signal program.
#[derive(Clone, Debug, PartialEq)]
pub struct SumoPhase {
    /// Planned length, seconds.
    pub duration_s: f64,
    /// Least length where actuated, seconds, or NaN.
    pub least_s: f64,
    /// Greatest length where actuated, seconds, or NaN.
    pub most_s: f64,
    /// One letter for each connection: `G g y r u o O s`.
    pub state: String,
}

/// A signal program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SumoSignal {
    /// Outside id.
    pub id: String,
    /// Name of the program.
    pub program: String,
    /// `static`, `actuated`, ...
    pub kind: String,
    /// Shift of the cycle, seconds.
    pub offset_s: f64,
    /// Phases in order.
    pub phases: Vec<SumoPhase>,
    /// What the letters of the states control: (position, incoming link, outgoing link), sorted, each once.
    pub controls: Vec<(u32, CarLinkIx, CarLinkIx)>,
}

/// A network with what the engine does not use yet.
#[derive(Clone, Debug, Default)]
pub struct SumoNetwork {
    /// The network; nodes are junctions, links are edges.
    pub network: RoadNetwork,
    /// Type of each junction: `priority`, `traffic_light`, ...
    pub junction_kind: Vec<String>,
    /// All signal programs.
    pub signals: Vec<SumoSignal>,
    /// Connections for cars: (incoming link, its lane among those for cars, from the right, outgoing link), sorted,
    /// each once.
    pub lane_turns: Vec<(CarLinkIx, u32, CarLinkIx)>,
}

/// Reads a network.
///
/// # Errors
/// [`urbis_core::Error::Read`] when the file cannot be read; [`urbis_core::Error::Input`] when it is not a SUMO network,
/// with every doubled id, missing junction and value out of range.
pub fn read_network(path: &Path) -> Result<SumoNetwork> {
    let mut reading = Reading::new(path);
    xml::read(path, |piece, place| reading.take(piece, place))?;
    reading.finish()
}

struct Edge {
    row: usize,
    from: String,
    to: String,
    priority: f64,
    length_m: f64,
    speed_mps: f64,
    /// Whether cars may use each lane.
    lanes: Vec<bool>,
}

struct Connection {
    edges: (String, String),
    lanes: (usize, usize),
    signal: String,
    position: Option<u32>,
}

struct Reading<'a> {
    path: &'a Path,
    is_net: bool,
    rows: usize,
    /// The edge being read, with its id.
    edge: Option<(String, Edge)>,
    edges: Names,
    records: Vec<Edge>,
    junctions: Names,
    kinds: Vec<String>,
    x_m: Vec<f64>,
    y_m: Vec<f64>,
    connections: Vec<Connection>,
    signals: Vec<SumoSignal>,
    without_cars: u64,
    problems: Problems,
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            is_net: false,
            rows: 0,
            edge: None,
            edges: Names::default(),
            records: Vec::new(),
            junctions: Names::default(),
            kinds: Vec::new(),
            x_m: Vec::new(),
            y_m: Vec::new(),
            connections: Vec::new(),
            signals: Vec::new(),
            without_cars: 0,
            problems: Problems::new(),
        }
    }

    fn take(&mut self, piece: Piece<'_>, place: Place<'_>) -> Result<()> {
        match piece {
            Piece::Open(element) => self.open(element, place),
            Piece::Close("edge") => {
                self.close_edge();
                Ok(())
            }
            Piece::Close(_) | Piece::Text(_) => Ok(()),
        }
    }

    fn open(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        match element.name() {
            "net" => self.is_net = true,
            name if !self.is_net => {
                let what = format!("starts with <{name}>, expected <net>");
                return Err(place.problem(what).with_help("give the net.xml that netconvert writes").into());
            }
            "edge" => self.edge(element)?,
            "lane" => self.lane(element)?,
            "junction" => self.junction(element)?,
            "connection" => self.connection(element)?,
            "tlLogic" => {
                let [id, program, kind, offset] = element.attributes(["id", "programID", "type", "offset"])?;
                self.signals.push(SumoSignal {
                    id: id.unwrap_or_default().into_owned(),
                    program: program.unwrap_or_default().into_owned(),
                    kind: kind.unwrap_or_default().into_owned(),
                    offset_s: offset.as_deref().and_then(super::time_s).unwrap_or(0.0),
                    ..SumoSignal::default()
                });
            }
            "phase" => self.phase(element, place)?,
            _ => {}
        }
        Ok(())
    }

    fn edge(&mut self, element: &Element<'_>) -> Result<()> {
        let [id, function, from, to, priority] = element.attributes(["id", "function", "from", "to", "priority"])?;
        if matches!(function.as_deref(), Some("internal" | "crossing" | "walkingarea")) {
            return Ok(());
        }
        self.rows += 1;
        let id = id.unwrap_or_default().into_owned();
        if id.is_empty() {
            self.problems.push(Problem::value(self.path, self.rows, None, "edge id", "(blank)", "a value"));
        }
        let edge = Edge {
            row: self.rows,
            from: from.unwrap_or_default().into_owned(),
            to: to.unwrap_or_default().into_owned(),
            priority: priority.as_deref().and_then(xml::number).filter(|p| p.is_finite()).unwrap_or(-1.0),
            length_m: 0.0,
            speed_mps: 0.0,
            lanes: Vec::new(),
        };
        self.edge = Some((id, edge));
        Ok(())
    }

    fn lane(&mut self, element: &Element<'_>) -> Result<()> {
        let Some((id, edge)) = &mut self.edge else { return Ok(()) };
        let [allow, disallow, speed, length] = element.attributes(["allow", "disallow", "speed", "length"])?;
        let cars = for_cars(allow.as_deref(), disallow.as_deref());
        edge.lanes.push(cars);
        if !cars {
            return Ok(());
        }
        for (field, text, value) in [("speed", speed, &mut edge.speed_mps), ("length", length, &mut edge.length_m)] {
            let number = text.as_deref().and_then(xml::number).filter(|number| number.is_finite() && *number > 0.0);
            match number {
                Some(number) => *value = value.max(number),
                None => {
                    let text = text.as_deref().unwrap_or("(blank)");
                    let expected = "a number > 0";
                    self.problems.push(Problem::value(self.path, edge.row, Some(id), field, text, expected));
                }
            }
        }
        Ok(())
    }

    fn close_edge(&mut self) {
        let Some((id, edge)) = self.edge.take() else { return };
        if self.edges.get(&id).is_some() {
            self.problems.push(Problem::value(self.path, edge.row, None, "edge id", &id, "an id that occurs once"));
        } else if edge.lanes.contains(&true) {
            self.edges.insert(&id);
            self.records.push(edge);
        } else {
            self.without_cars += 1;
        }
    }

    fn junction(&mut self, element: &Element<'_>) -> Result<()> {
        let [id, kind, x, y] = element.attributes(["id", "type", "x", "y"])?;
        if kind.as_deref() == Some("internal") {
            return Ok(());
        }
        let id = id.unwrap_or_default();
        if self.junctions.get(&id).is_some() {
            self.problems.push(Problem::file(self.path, format!("junction {id} occurs twice")));
            return Ok(());
        }
        let row = self.junctions.insert(&id) as usize;
        self.kinds.push(kind.unwrap_or_default().into_owned());
        for (field, text, column) in [("x", x, &mut self.x_m), ("y", y, &mut self.y_m)] {
            let value = text.as_deref().and_then(xml::number).filter(|value| value.is_finite());
            if value.is_none() {
                let text = text.as_deref().unwrap_or("(blank)");
                let field = format!("junction {field}");
                self.problems.push(Problem::value(self.path, row + 1, Some(&id), &field, text, "a number"));
            }
            column.push(value.unwrap_or(0.0));
        }
        Ok(())
    }

    fn connection(&mut self, element: &Element<'_>) -> Result<()> {
        let names = ["from", "to", "fromLane", "toLane", "tl", "linkIndex"];
        let [from, to, from_lane, to_lane, signal, position] = element.attributes(names)?;
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        if from.starts_with(':') || to.starts_with(':') {
            return Ok(());
        }
        let lane = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        self.connections.push(Connection {
            edges: (from.into_owned(), to.into_owned()),
            lanes: (lane(from_lane.as_deref()), lane(to_lane.as_deref())),
            signal: signal.unwrap_or_default().into_owned(),
            position: position.and_then(|text| text.trim().parse().ok()),
        });
        Ok(())
    }

    fn phase(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        let [duration, least, most, state] = element.attributes(["duration", "minDur", "maxDur", "state"])?;
        let Some(signal) = self.signals.last_mut() else { return Ok(()) };
        let seconds =
            |text: Option<&str>| text.and_then(super::time_s).filter(|seconds| *seconds >= 0.0).unwrap_or(f64::NAN);
        let duration_s = seconds(duration.as_deref());
        if duration_s.is_nan() {
            let text = duration.as_deref().unwrap_or("(blank)");
            let what = format!("phase of {}: duration = {text}, expected seconds >= 0", signal.id);
            self.problems.push(place.problem(what));
        }
        signal.phases.push(SumoPhase {
            duration_s,
            least_s: seconds(least.as_deref()),
            most_s: seconds(most.as_deref()),
            state: state.unwrap_or_default().into_owned(),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<SumoNetwork> {
        let mut network = RoadNetwork::default();
        let columns = &mut network.columns;
        let least = self.records.iter().map(|edge| edge.priority).fold(f64::INFINITY, f64::min);
        for (edge, id) in self.records.iter().zip(self.edges.list()) {
            let mut end = |field: &str, name: &str| {
                let row = self.junctions.get(name);
                if row.is_none() {
                    let name = if name.is_empty() { "(blank)" } else { name };
                    let expected = "a junction of the file";
                    self.problems.push(Problem::value(self.path, edge.row, Some(id), field, name, expected));
                }
                row.unwrap_or(0)
            };
            columns.from.push(end("from", &edge.from));
            columns.to.push(end("to", &edge.to));
            let lanes = edge.lanes.iter().filter(|cars| **cars).count() as f64;
            let capacity_vps = lanes / (TAU_S + CELL_M / edge.speed_mps);
            columns.length_m.push(edge.length_m);
            columns.speed_mps_free.push(edge.speed_mps);
            columns.capacity_vps.push(capacity_vps);
            columns.jam_density_vpm.push(lanes / CELL_M);
            columns.priority.push(capacity_vps * (edge.priority - least + 1.0));
            network.lanes.push(lanes as f32);
        }
        if self.records.is_empty() && self.problems.is_empty() {
            self.problems.push(Problem::file(self.path, "has no edge that cars may use"));
        }
        self.problems.or_else(())?;
        (columns.x_m, columns.y_m) = (self.x_m, self.y_m);
        let (mut pairs, mut lane_turns) = (Vec::new(), Vec::new());
        for connection in &self.connections {
            let rows = (self.edges.get(&connection.edges.0), self.edges.get(&connection.edges.1));
            let (Some(from), Some(to)) = rows else { continue };
            let cars = |row: u32, lane: usize| self.records[row as usize].lanes.get(lane) == Some(&true);
            if !(cars(from, connection.lanes.0) && cars(to, connection.lanes.1)) {
                continue;
            }
            let (from, to) = (CarLinkIx(from), CarLinkIx(to));
            pairs.push((from, to));
            let before = &self.records[from.row()].lanes[..connection.lanes.0];
            lane_turns.push((from, before.iter().filter(|cars| **cars).count() as u32, to));
            if let Some(position) = connection.position {
                for signal in self.signals.iter_mut().filter(|signal| signal.id == connection.signal) {
                    signal.controls.push((position, from, to));
                }
            }
        }
        for signal in &mut self.signals {
            signal.controls.sort_unstable();
            signal.controls.dedup();
        }
        pairs.sort_unstable();
        pairs.dedup();
        lane_turns.sort_unstable();
        lane_turns.dedup();
        network.notes.push("capacity of a lane is 1 / (1 s + 7.5 m / speed), as SUMO's default car drives".to_owned());
        if pairs.is_empty() {
            network.notes.push("the file has no connections for cars: all turns are allowed".to_owned());
        } else {
            columns.banned = banned(&columns.from, &columns.to, columns.x_m.len(), &pairs);
        }
        if self.without_cars > 0 {
            network.notes.push(format!("{} edges are not for cars and were left out", self.without_cars));
        }
        network.at_signals = self.kinds.iter().map(|kind| kind.starts_with("traffic_light")).collect();
        network.node_id = self.junctions.into_list();
        network.link_id = self.edges.into_list();
        Ok(SumoNetwork { network, junction_kind: self.kinds, signals: self.signals, lane_turns })
    }
}

/// Whether passenger cars may use a lane.
fn for_cars(allow: Option<&str>, disallow: Option<&str>) -> bool {
    let has = |list: &str| list.split_ascii_whitespace().any(|class| class == "passenger" || class == "all");
    match (allow, disallow) {
        (Some(allow), _) if !allow.trim().is_empty() => has(allow),
        (_, Some(disallow)) => !has(disallow),
        _ => true,
    }
}

/// Pairs of links that meet without a connection, sorted.
fn banned(from: &[u32], to: &[u32], nodes: usize, pairs: &[(CarLinkIx, CarLinkIx)]) -> Vec<(CarLinkIx, CarLinkIx)> {
    let mut out: Vec<Vec<u32>> = vec![Vec::new(); nodes];
    for (row, &node) in from.iter().enumerate() {
        out[node as usize].push(row as u32);
    }
    let mut banned = Vec::new();
    for (row, &node) in to.iter().enumerate() {
        for &next in &out[node as usize] {
            let pair = (CarLinkIx(row as u32), CarLinkIx(next));
            if pairs.binary_search(&pair).is_err() {
                banned.push(pair);
            }
        }
    }
    banned
}

/// A small network, for the tests of routes.
#[cfg(test)]
pub(super) fn small() -> SumoNetwork {
    tests::read_bytes(tests::SMALL.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::fuzz;

    pub(crate) const SMALL: &str = r#"<?xml version="1.0"?><net version="1.20"><location netOffset="0,0"/>
<edge id=":b_0" function="internal"><lane id=":b_0_0" index="0" speed="5" length="3"/></edge>
<edge id="ab" from="a" to="b" priority="3"><lane id="ab_0" index="0" allow="pedestrian" speed="1.4" length="100"/>
<lane id="ab_1" index="1" disallow="tram bus" speed="10" length="100"/><lane id="ab_2" index="2" speed="12.5" length="100"/></edge>
<edge id="bc" from="b" to="c" priority="1"><lane id="bc_0" index="0" speed="7.5" length="50"/></edge>
<edge id="ba" from="b" to="a" priority="1"><lane id="ba_0" index="0" speed="7.5" length="100"/></edge>
<edge id="rail" from="a" to="c"><lane id="rail_0" index="0" allow="rail" speed="30" length="150"/></edge>
<tlLogic id="b" type="actuated" programID="0" offset="5"><phase duration="30" minDur="10" maxDur="50" state="Gr"/><phase duration="3" state="yr"/></tlLogic>
<junction id="a" type="priority" x="0" y="0"/><junction id="b" type="traffic_light" x="100" y="0"/>
<junction id=":b_1" type="internal" x="1" y="1"/><junction id="c" type="dead_end" x="150" y="0"/>
<connection from="ab" to="bc" fromLane="1" toLane="0" tl="b" linkIndex="0" dir="s" state="o"/>
<connection from="ab" to="bc" fromLane="2" toLane="0" tl="b" linkIndex="1"/>
<connection from="ab" to="ba" fromLane="0" toLane="0"/><connection from="ba" to="ab" fromLane="0" toLane="1"/>
<connection from=":b_0" to="bc" fromLane="0" toLane="0"/></net>"#;

    pub(crate) fn read_bytes(bytes: &[u8]) -> Result<SumoNetwork> {
        let path = Path::new("net.xml");
        let mut reading = Reading::new(path);
        xml::read_from(path, Box::new(bytes), |piece, place| reading.take(piece, place))?;
        reading.finish()
    }

    #[test]
    fn lanes_turns_and_signals() {
        let read = read_bytes(SMALL.as_bytes()).unwrap();
        let (network, columns) = (&read.network, &read.network.columns);
        assert_eq!(network.link_id, ["ab", "bc", "ba"]);
        assert_eq!(network.node_id, ["a", "b", "c"]);
        assert_eq!(network.lanes, [2.0, 1.0, 1.0]);
        assert_eq!((columns.speed_mps_free[0], columns.length_m[0]), (12.5, 100.0));
        assert!((columns.capacity_vps[0] - 2.0 / 1.6).abs() < 1e-12 && (columns.capacity_vps[1] - 0.5).abs() < 1e-12);
        assert!((columns.priority[0] / columns.capacity_vps[0] - 3.0).abs() < 1e-12);
        // Turning round at b is for pedestrians only.
        assert_eq!(columns.banned, [(CarLinkIx(0), CarLinkIx(2))]);
        assert_eq!(
            read.lane_turns,
            [(0, 0, 1), (0, 1, 1), (2, 0, 0)].map(|(a, lane, b)| (CarLinkIx(a), lane, CarLinkIx(b)))
        );
        let signal = &read.signals[0];
        assert_eq!((signal.phases.len(), signal.offset_s, signal.phases[0].most_s), (2, 5.0, 50.0));
        let turn = (CarLinkIx(0), CarLinkIx(1));
        assert_eq!(signal.controls, [(0, turn.0, turn.1), (1, turn.0, turn.1)]);
        assert_eq!(read.junction_kind[1], "traffic_light");
        assert!(network.notes.iter().any(|note| note.starts_with("1 edges are not for cars")));
    }

    #[test]
    fn faults_are_collected() {
        let text = SMALL
            .replace("speed=\"7.5\" length=\"50\"", "speed=\"x\" length=\"0\"")
            .replace("from=\"b\" to=\"a\"", "to=\"z\"");
        let Err(urbis_core::Error::Input(problems)) = read_bytes(text.as_bytes()) else { panic!() };
        let said: Vec<String> = problems.listed().iter().map(ToString::to_string).collect();
        assert!(said.contains(&"net.xml row 2 (id bc): speed = x, expected a number > 0".to_owned()), "{said:?}");
        assert!(
            said.contains(&"net.xml row 3 (id ba): to = z, expected a junction of the file".to_owned()),
            "{said:?}"
        );
        assert!(read_bytes(b"<routes/>").is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(changes in fuzz::changes()) {
            proptest::prop_assert!(fuzz::answered(read_bytes(&fuzz::changed(SMALL.as_bytes(), &changes))));
        }
    }
}
