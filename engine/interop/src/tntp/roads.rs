//! A TNTP network as roads: units, lanes and places that its file does not have, and bans for the first nodes.
//!
//! Units are nowhere in the files, so they are given or assumed: kilometres and minutes. A link's speed is its length
//! by its free-flow time, capacities are vehicles an hour. Of lanes the files know nothing: a link has one for every
//! 1,800 vehicles an hour begun, and each holds a car on 7.5 m. Nodes before the first that may be passed through
//! (`<FIRST THRU NODE>`) are zones: all turns there are banned, and trips only start and end at them. Places come from
//! the file of nodes beside the network (`X_net.tntp`: `X_node.tntp`), as degrees where they can be degrees.
//!
//! Repaired and told: no time (a second), no length (what 50 km/h makes of the time), no capacity, which means that
//! the time does not grow (the largest of the file). Ignored: the volume-delay function, speeds, link types; nodes that
//! no link touches. Contract: a pure function of the files and units; nodes by number, links in order of the file.

use super::{TntpNetwork, at_line, lines, node_number, read_network, shortened, text_of};
use crate::network::RoadNetwork;
use crate::read_network::{NetworkFile, Warning};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use urbis_city::projection::{Projection, is_lon_lat};
use urbis_core::csr::Csr;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Unit of lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthUnit {
    /// Metres.
    Metres,
    /// Kilometres.
    Kilometres,
    /// Miles.
    Miles,
    /// Feet.
    Feet,
}

urbis_core::named!(LengthUnit { Metres = "m", Kilometres = "km", Miles = "mi", Feet = "ft" });

impl LengthUnit {
    fn metres(self) -> f64 {
        match self {
            Self::Metres => 1.0,
            Self::Kilometres => 1000.0,
            Self::Miles => 1609.344,
            Self::Feet => 0.3048,
        }
    }
}

/// Unit of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

urbis_core::named!(TimeUnit { Seconds = "s", Minutes = "min", Hours = "h" });

impl TimeUnit {
    fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
        }
    }
}

/// Units of a network's file; those that are not given are assumed, and that is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TntpUnits {
    /// Of `length`; kilometres by default.
    pub length: Option<LengthUnit>,
    /// Of `free_flow_time`; minutes by default.
    pub time: Option<TimeUnit>,
}

/// Vehicles an hour that a lane carries, to tell lanes from capacity.
const LANE_VPH: f64 = 1800.0;
/// Length of lane that a standing vehicle takes, metres.
const CELL_M: f64 = 7.5;
/// Speed where the file gives a time and no length: 50 km/h, in metres a second.
const TOWN_MPS: f64 = 50.0 / 3.6;
/// Time where the file gives none, seconds: a step.
const LEAST_S: f64 = 1.0;
/// Mean speeds outside of this speak for other units, metres a second: 10 to 200 km/h.
const LIKELY_MPS: (f64, f64) = (10.0 / 3.6, 200.0 / 3.6);

/// Whether a text is TNTP rather than something else.
pub(crate) fn is_tntp(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().to_ascii_uppercase().starts_with("<END OF METADATA>"))
}

/// Reads a network and the places of its nodes.
///
/// # Errors
/// As [`read_network`]; [`urbis_core::Error::Input`] too for a file of nodes that makes no sense, for assumed units that
/// give speeds no road has, and, where `refuse_zero_length`, for links without length.
pub fn read_roads(path: &Path, units: TntpUnits, refuse_zero_length: bool) -> Result<NetworkFile> {
    let net = read_network(path)?;
    let file = node_files(path).into_iter().find(|file| file.is_file());
    let places = file.map(|file| read_nodes(&file)).transpose()?;
    roads(path, &net, places.as_ref(), units, refuse_zero_length)
}

/// Names that the file of nodes of a network may have.
fn node_files(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(at) = name.to_ascii_lowercase().rfind("_net.") else { return Vec::new() };
    let names = ["_node", "_nodes", "_Node", "_Nodes"];
    names.map(|node| path.with_file_name(format!("{}{node}{}", &name[..at], &name[at + "_net".len()..]))).to_vec()
}

/// Coordinates of nodes by number.
type Places = BTreeMap<u32, (f64, f64)>;

fn read_nodes(path: &Path) -> Result<Places> {
    let mut places = Places::new();
    let mut problems = Problems::new();
    for (line, text) in lines(&text_of(path)?) {
        let row = text.split(['~', ';']).next().unwrap_or_default();
        let words: Vec<&str> = row.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
        // A row that does not begin with a number names the columns.
        if words.is_empty() || text.starts_with('<') || words[0].parse::<f64>().is_err() {
            continue;
        }
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok()).filter(|n| n.is_finite());
        match (node_number(words[0]), number(1), number(2)) {
            (Some(node), Some(x), Some(y)) => {
                places.insert(node, (x, y));
            }
            _ => problems.push(at_line(path, line, "node", shortened(row.trim()), "number, x and y")),
        }
    }
    problems.or_else(places)
}

fn roads(
    path: &Path,
    net: &TntpNetwork,
    places: Option<&Places>,
    units: TntpUnits,
    refuse_zero_length: bool,
) -> Result<NetworkFile> {
    let links = net.from.len();
    let mut problems = Problems::new();
    let mut network = RoadNetwork { notes: net.notes.clone(), ..RoadNetwork::default() };
    let mut node: Vec<u32> = net.from.iter().chain(&net.to).copied().collect();
    node.sort_unstable();
    node.dedup();
    let rows = |ends: &[u32]| -> Vec<u32> { ends.iter().map(|id| node.partition_point(|n| n < id) as u32).collect() };
    let (length, time) = units_of(path, net, units, &mut network.notes, &mut problems);

    let mut zero =
        [("zero_length_links", "length"), ("zero_time_links", "free_flow_time"), ("zero_capacity_links", "capacity")]
            .map(|(kind, field)| (Warning::new(kind), field));
    let most_vph = net.capacity.iter().copied().fold(0.0, f64::max);
    let columns = &mut network.columns;
    let mut ids = BTreeMap::new();
    for link in 0..links {
        let mut repaired = |which: usize, taken: String| {
            let (warning, field) = &mut zero[which];
            warning
                .add(|| at_line(path, net.line[link] as usize, field, 0, format!("> 0; taken as {taken}")).to_string());
        };
        let mut free_s = net.free_flow_time[link] * time.seconds();
        if free_s <= 0.0 {
            repaired(1, format!("{LEAST_S} s"));
            free_s = LEAST_S;
        }
        let mut length_m = net.length[link] * length.metres();
        if length_m <= 0.0 {
            length_m = free_s * TOWN_MPS;
            if refuse_zero_length {
                problems.push(at_line(path, net.line[link] as usize, "length", 0, "> 0"));
            }
            repaired(0, format!("{length_m:.1} m"));
        }
        let mut capacity_vph = net.capacity[link];
        if capacity_vph <= 0.0 {
            capacity_vph = if most_vph > 0.0 { most_vph } else { LANE_VPH };
            repaired(2, format!("{capacity_vph} veh/h"));
        }
        let lanes = (capacity_vph / LANE_VPH).ceil().max(1.0);
        columns.length_m.push(length_m);
        columns.speed_mps_free.push(length_m / free_s);
        columns.capacity_vps.push(capacity_vph / 3600.0);
        columns.jam_density_vpm.push(lanes / CELL_M);
        network.lanes.push(lanes as f32);
        let id = format!("{}-{}", net.from[link], net.to[link]);
        let same = ids.entry(id.clone()).or_insert(0);
        *same += 1;
        // Links between the same nodes are told apart by their order.
        network.link_id.push(if *same == 1 { id } else { format!("{id}-{same}") });
    }
    (columns.from, columns.to) = (rows(&net.from), rows(&net.to));
    let first_thru = node.partition_point(|&id| id < net.first_thru);
    columns.banned = banned(&columns.from, &columns.to, node.len(), first_thru);
    if net.toll.iter().any(|toll| *toll > 0.0) {
        network.toll = net.toll.iter().map(|toll| toll.max(0.0)).collect();
        network.notes.push("tolls are in the money of the file".into());
    }
    network.notes.push(format!(
        "capacity is taken as vehicles an hour, a lane for every {LANE_VPH} of them begun, {CELL_M} m for a standing car"
    ));
    place(&node, places, &mut network);
    network.node_id = node.iter().map(u32::to_string).collect();
    let warnings = zero.into_iter().map(|(warning, _)| warning).filter(|warning| warning.count > 0).collect();
    problems.or_else(NetworkFile { network, warnings, sumo: None })
}

/// The units, and what is said of them: what is assumed must give speeds that roads have.
fn units_of(
    path: &Path,
    net: &TntpNetwork,
    units: TntpUnits,
    notes: &mut Vec<String>,
    problems: &mut Problems,
) -> (LengthUnit, TimeUnit) {
    let length = units.length.unwrap_or(LengthUnit::Kilometres);
    let time = units.time.unwrap_or(TimeUnit::Minutes);
    let assumed = match (units.length, units.time) {
        (None, None) => format!("lengths are assumed to be in {} and times in {}", length.name(), time.name()),
        (None, Some(_)) => format!("lengths are assumed to be in {}", length.name()),
        (Some(_), None) => format!("times are assumed to be in {}", time.name()),
        (Some(_), Some(_)) => String::new(),
    };
    let timed = || net.length.iter().zip(&net.free_flow_time).filter(|(length, time)| **length > 0.0 && **time > 0.0);
    let (sum_length, sum_time) = timed().fold((0.0, 0.0), |(l, t), (length, time)| (l + length, t + time));
    let mean_mps = |length: LengthUnit, time: TimeUnit| sum_length * length.metres() / (sum_time * time.seconds());
    let is_likely = |mps: f64| (LIKELY_MPS.0..=LIKELY_MPS.1).contains(&mps) || sum_time <= 0.0;
    let kmh = mean_mps(length, time) * 3.6;
    if !is_likely(mean_mps(length, time)) {
        let what =
            format!("lengths in {} and times in {} give a mean speed of {kmh:.3} km/h", length.name(), time.name());
        if assumed.is_empty() {
            notes.push(what);
        } else {
            let pairs = LengthUnit::NAMED.iter().flat_map(|(l, _)| TimeUnit::NAMED.map(|(t, _)| (*l, t)));
            let fitting = pairs.filter(|&(l, t)| is_likely(mean_mps(l, t)));
            let fitting: Vec<String> =
                fitting.map(|(l, t)| format!("--length-unit {} --time-unit {}", l.name(), t.name())).collect();
            let help = if fitting.is_empty() {
                "give the units of the file with --length-unit and --time-unit".to_owned()
            } else {
                format!("give the units of the file; these would fit: {}", fitting.join(", "))
            };
            problems.push(Problem::file(path, what).with_help(help));
        }
    }
    if !assumed.is_empty() {
        notes.push(format!("{assumed}, as the file does not say; --length-unit and --time-unit do"));
    }
    (length, time)
}

/// All turns at the nodes before the first that may be passed through.
fn banned(from: &[u32], to: &[u32], nodes: usize, first_thru: usize) -> Vec<(CarLinkIx, CarLinkIx)> {
    let by = |ends: &[u32]| {
        let pairs: Vec<_> = ends.iter().enumerate().map(|(link, &node)| (node, CarLinkIx(link as u32))).collect();
        Csr::from_pairs(nodes, &pairs)
    };
    let (into, out) = (by(to), by(from));
    let mut banned = Vec::new();
    for node in 0..first_thru {
        for &link in into.row(node) {
            banned.extend(out.row(node).iter().map(|&next| (link, next)));
        }
    }
    banned
}

/// Puts nodes in their places, in degrees where all of them can be; those without a place lie at 0, 0.
fn place(node: &[u32], places: Option<&Places>, network: &mut RoadNetwork) {
    let columns = &mut network.columns;
    let found: Vec<Option<(f64, f64)>> = node.iter().map(|node| places?.get(node).copied()).collect();
    let missing = found.iter().filter(|place| place.is_none()).count();
    let point = |&(x, y): &(f64, f64)| geo::Point::new(x, y);
    let given = || found.iter().flatten();
    let is_degrees = given().all(|place| is_lon_lat(point(place)));
    let projection = given().next().filter(|_| is_degrees).map(|&(x, y)| Projection::auto(x, y));
    for place in &found {
        let (x_m, y_m) = match (place, &projection) {
            (Some(place), Some(projection)) => projection.project(point(place)),
            (Some(place), None) => *place,
            (None, _) => (0.0, 0.0),
        };
        columns.x_m.push(x_m);
        columns.y_m.push(y_m);
    }
    if missing == node.len() {
        network.notes.push("there is no file of nodes: all of them lie on one spot".into());
    } else {
        if missing > 0 {
            network.notes.push(format!("{missing} nodes have no place in the file of nodes and lie at 0, 0"));
        }
        let how = if is_degrees { "degrees" } else { "planar metres" };
        network.notes.push(format!("coordinates of nodes are taken as {how}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_gmns::ReadOptions;
    use crate::read_network;

    /// Zones 1 and 2 at the ends of a road over 3, which may be passed through, and a way over zone 1.
    const NET: &str = "<NUMBER OF ZONES> 2\n<FIRST THRU NODE> 3\n<END OF METADATA>\n\
        ~ init_node term_node capacity length free_flow_time b power speed toll link_type ;\n\
        1 3 1800 1.5 1.5 0.15 4 0 0 1 ;\n3 2 3700 2 1 0.15 4 0 2 1 ;\n\
        3 1 1800 1 1 0.15 4 0 0 1 ;\n3 1 0 0 0 0 4 0 0 1 ;\n";

    fn read(units: TntpUnits, text: &str, nodes: Option<&str>) -> Result<NetworkFile> {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("Tiny_net.tntp"), text).unwrap();
        if let Some(nodes) = nodes {
            std::fs::write(place.path().join("Tiny_node.tntp"), nodes).unwrap();
        }
        let options = ReadOptions { tntp: units, ..ReadOptions::default() };
        read_network::read(&place.path().join("Tiny_net.tntp"), &options)
    }

    #[test]
    fn roads_in_si_units() {
        let file = read(TntpUnits::default(), NET, Some("node X Y ;\n1 0 0 ;\n2 3000 0 ;\n3 1500 10 ;\n")).unwrap();
        let (network, columns) = (&file.network, &file.network.columns);
        assert_eq!(network.node_id, ["1", "2", "3"]);
        assert_eq!(network.link_id, ["1-3", "3-2", "3-1", "3-1-2"]);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(columns.length_m[0], 1500.0);
        near(columns.speed_mps_free[1], 2000.0 / 60.0);
        near(columns.capacity_vps[0], 0.5);
        assert_eq!(network.lanes, [1.0, 3.0, 1.0, 3.0]);
        // The last link has neither length nor time nor capacity.
        near(columns.length_m[3], 50.0 / 3.6);
        near(columns.capacity_vps[3], 3700.0 / 3600.0);
        let warned: Vec<(&str, u64)> = file.warnings.iter().map(|of| (of.kind, of.count)).collect();
        assert_eq!(warned, [("zero_length_links", 1), ("zero_time_links", 1), ("zero_capacity_links", 1)]);
        assert!(file.warnings[0].examples[0].contains("line 8: length = 0, expected > 0; taken as 13.9 m"), "{file:?}");
        assert_eq!((columns.x_m[2], columns.y_m[2]), (1500.0, 10.0));
        // Nobody drives through zone 1.
        assert_eq!(columns.banned, [(CarLinkIx(2), CarLinkIx(0)), (CarLinkIx(3), CarLinkIx(0))]);
        assert_eq!(network.toll, [0.0, 2.0, 0.0, 0.0]);
        assert!(network.notes.iter().any(|note| note.contains("assumed to be in km and times in min")), "{file:?}");
        urbis_traffic::CarNetwork::from_columns(columns.clone()).unwrap();
    }

    #[test]
    fn units_are_given_or_must_be_likely() {
        let units = |length, time| TntpUnits { length: Some(length), time: Some(time) };
        let file = read(units(LengthUnit::Miles, TimeUnit::Hours), NET, None).unwrap();
        assert!((file.network.columns.speed_mps_free[0] - 1609.344 / 3600.0).abs() < 1e-9);
        let notes = &file.network.notes;
        assert!(
            notes.iter().any(|note| note.contains("mean speed")) && !notes.iter().any(|note| note.contains("assumed"))
        );
        assert!(notes.iter().any(|note| note.contains("no file of nodes")));
        let feet = NET
            .replace("1.5 1.5", "5280 1.1")
            .replace(" 2 1 0.15", " 5280 1 0.15")
            .replace(" 1 1 0.15", " 5280 1 0.15");
        let Err(urbis_core::Error::Input(problems)) = read(TntpUnits::default(), &feet, None) else {
            panic!("accepted")
        };
        let said = problems.listed()[0].to_string();
        assert!(said.contains("mean speed of"), "{said}");
        assert!(read(units(LengthUnit::Feet, TimeUnit::Minutes), &feet, None).is_ok());
    }

    #[test]
    fn faults_are_named() {
        assert!(read(TntpUnits::default(), NET, Some("1 0 0;\n2 x 0;\n3 1\n")).is_err());
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.tntp");
        std::fs::write(&path, NET).unwrap();
        assert!(read_roads(&path, TntpUnits::default(), true).is_err());
        let degrees = read(TntpUnits::default(), NET, Some("1 -96.77 43.61\n2 -96.71 43.60\n")).unwrap();
        assert!(degrees.network.notes.iter().any(|note| note.contains("1 nodes have no place")));
        assert!((degrees.network.columns.x_m[1] - degrees.network.columns.x_m[0]).abs() > 4000.0);
    }
}
