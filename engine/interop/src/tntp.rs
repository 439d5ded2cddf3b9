//! TNTP: networks and trips of the TransportationNetworks collection
//! (<https://github.com/bstabler/TransportationNetworks>, which describes the format).
//!
//! A file begins with lines `<KEY> value` up to `<END OF METADATA>`; `~` begins a comment. A network then has one link
//! a row: `init_node term_node capacity length free_flow_time b power speed toll link_type ;`. Trips have `Origin n`
//! and entries `destination : flow;`. Units differ from network to network and are nowhere in the file in a form to
//! rely on, so values stay as they are written; [`read_roads`] gives them meaning.
//!
//! Read kindly: keys in any order, tabs or blanks, any line ends, semicolons that are missing, entries that go over
//! line ends, columns in the order that a comment with their names gives. Said in the notes: what the header
//! promises and the rows do not keep. Refused: what is no number, is negative, or has no meaning.

mod roads;

pub(crate) use roads::is_tntp;
pub use roads::{LengthUnit, TimeUnit, TntpUnits, read_roads};

use std::path::Path;
use urbis_core::{Error, Problem, Problems, Result};

/// A network as its file has it; one row a link, in order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TntpNetwork {
    /// Number of zones that the header gives; they are nodes `1..=zones`.
    pub zones: u32,
    /// Number of nodes that the header gives.
    pub nodes: u32,
    /// Lowest number of a node that paths may pass through; 1 where the header is silent.
    pub first_thru: u32,
    /// Number of the node where each link starts.
    pub from: Vec<u32>,
    /// Number of the node where each link ends.
    pub to: Vec<u32>,
    /// Capacity, at least 0.
    pub capacity: Vec<f64>,
    /// Length, at least 0.
    pub length: Vec<f64>,
    /// Time without flow, at least 0.
    pub free_flow_time: Vec<f64>,
    /// Factor of the volume-delay function, at least 0.
    pub b: Vec<f64>,
    /// Power of the volume-delay function, at least 0.
    pub power: Vec<f64>,
    /// Speed as written; it has no effect on times.
    pub speed: Vec<f64>,
    /// Toll.
    pub toll: Vec<f64>,
    /// Type of the link as written.
    pub link_type: Vec<f64>,
    /// Line of each link in the file, from 1.
    pub line: Vec<u32>,
    /// What the header promises and the rows do not keep, in sentences for people.
    pub notes: Vec<String>,
}

/// Trips as their file has them; one row an entry that is not 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TntpTrips {
    /// Number of zones that the header gives.
    pub zones: u32,
    /// Number of the node where each row starts.
    pub from: Vec<u32>,
    /// Number of the node where each row ends.
    pub to: Vec<u32>,
    /// Flow of each row, above 0.
    pub flow: Vec<f64>,
    /// What the header promises and the rows do not keep, in sentences for people.
    pub notes: Vec<String>,
}

/// Names of the columns of a network in their usual order.
const COLUMNS: [&str; 10] =
    ["init_node", "term_node", "capacity", "length", "free_flow_time", "b", "power", "speed", "toll", "link_type"];
/// The columns up to `power` must be there; the others are 0 where they are not.
const COLUMNS_NEEDED: usize = 7;
/// Share by which the header's total may differ from the sum of entries: headers are rounded.
const TOTAL_TOLERANCE: f64 = 1e-4;
const HELP: &str = "see the format at https://github.com/bstabler/TransportationNetworks";

/// Reads a network.
///
/// # Errors
/// A file that cannot be read, and every value that makes no sense, by line.
pub fn read_network(path: &Path) -> Result<TntpNetwork> {
    parse_network(path, &text_of(path)?)
}

/// Reads trips.
///
/// # Errors
/// A file that cannot be read, and every entry that makes no sense, by line.
pub fn read_trips(path: &Path) -> Result<TntpTrips> {
    parse_trips(path, &text_of(path)?)
}

fn text_of(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    // Names in headers may be in any encoding; figures are ASCII in all of them.
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Metadata as far as it matters.
#[derive(Default)]
struct Header {
    zones: Option<u32>,
    nodes: Option<u32>,
    first_thru: Option<u32>,
    links: Option<u32>,
    total: Option<f64>,
}

impl Header {
    /// Takes in a line `<KEY> value`.
    fn read(&mut self, path: &Path, line: usize, text: &str, problems: &mut Problems) {
        let Some((key, value)) = text.trim_start_matches('<').split_once('>') else {
            problems.push(at_line(path, line, "metadata", shortened(text), "<KEY> value").with_help(HELP));
            return;
        };
        let key = key.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let value = value.split(['~', ';']).next().unwrap_or_default().trim();
        let place = match key.as_str() {
            "NUMBER OF ZONES" => &mut self.zones,
            "NUMBER OF NODES" => &mut self.nodes,
            "FIRST THRU NODE" => &mut self.first_thru,
            "NUMBER OF LINKS" => &mut self.links,
            "TOTAL OD FLOW" => {
                // A total that is no number misleads nobody; entries count.
                self.total = value.parse().ok().filter(|total: &f64| total.is_finite());
                return;
            }
            _ => return,
        };
        match value.parse() {
            Ok(number) => *place = Some(number),
            Err(_) => problems.push(at_line(path, line, &key, shortened(value), "a whole number")),
        }
    }
}

/// Reads the text of a network; `path` is for messages.
///
/// # Errors
/// Every value that makes no sense, by line.
pub fn parse_network(path: &Path, text: &str) -> Result<TntpNetwork> {
    let mut problems = Problems::new();
    let mut header = Header::default();
    let mut network = TntpNetwork::default();
    let mut columns: Vec<Option<usize>> = (0..COLUMNS.len()).map(Some).collect();
    let mut short_rows = 0_usize;
    for (line, text) in lines(text) {
        if text.starts_with('<') {
            header.read(path, line, text, &mut problems);
            continue;
        }
        let (row, comment) = text.split_once('~').unwrap_or((text, ""));
        if row.trim().is_empty() {
            if let Some(named) = columns_of(comment) {
                columns = named;
            }
            continue;
        }
        for row in row.split(';').filter(|row| !row.trim().is_empty()) {
            short_rows += usize::from(network.read_row(path, line, row, &columns, &mut problems));
        }
    }
    let links = network.from.len();
    if links == 0 && problems.is_empty() {
        problems.push(Problem::file(path, "has no links, expected one a row after <END OF METADATA>").with_help(HELP));
    }
    let highest = network.from.iter().chain(&network.to).copied().max().unwrap_or(0);
    network.zones = header.zones.unwrap_or(0);
    network.nodes = header.nodes.unwrap_or(highest);
    network.first_thru = header.first_thru.unwrap_or(1);
    let mut note = |happens: bool, sentence: String| {
        if happens {
            network.notes.push(sentence);
        }
    };
    note(header.zones.is_none(), "the header does not give <NUMBER OF ZONES>".into());
    note(
        header.first_thru.is_none(),
        "the header does not give <FIRST THRU NODE>: paths may pass through every node".into(),
    );
    let promised = header.links.unwrap_or(links as u32) as usize;
    note(promised != links, format!("the header promises {promised} links, the file has {links}"));
    note(
        highest > network.nodes,
        format!("nodes go up to {highest}, the header promises {}: all are taken", network.nodes),
    );
    note(short_rows > 0, format!("{short_rows} links have no speed, toll or type: taken as 0"));
    problems.or_else(network)
}

impl TntpNetwork {
    /// Takes in one link; whether it had fewer columns than usual.
    fn read_row(
        &mut self,
        path: &Path,
        line: usize,
        row: &str,
        columns: &[Option<usize>],
        problems: &mut Problems,
    ) -> bool {
        let words: Vec<&str> = row.split_whitespace().collect();
        let before = problems.len();
        let needed = columns.iter().take(COLUMNS_NEEDED).flatten().max().map_or(COLUMNS_NEEDED, |last| last + 1);
        if words.len() < needed {
            let found = format!("{} columns ({})", words.len(), shortened(row.trim()));
            problems.push(at_line(path, line, "link", found, format!("at least {needed}")).with_help(HELP));
            return false;
        }
        let mut values = [0.0; COLUMNS.len()];
        for (at, (name, value)) in COLUMNS.iter().zip(&mut values).enumerate() {
            let Some(word) = columns[at].and_then(|column| words.get(column)) else { continue };
            let any_sign = matches!(*name, "speed" | "toll" | "link_type");
            match word.parse::<f64>() {
                Ok(number) if number.is_finite() && (number >= 0.0 || any_sign) => *value = number,
                _ => {
                    let expected = if any_sign { "a number" } else { "a number of at least 0" };
                    problems.push(at_line(path, line, name, shortened(word), expected));
                }
            }
        }
        let mut node = |at: usize| -> u32 {
            let value = values[at];
            let whole = value.fract().abs() < f64::MIN_POSITIVE && (1.0..f64::from(u32::MAX)).contains(&value);
            if !whole && problems.len() == before {
                problems.push(at_line(path, line, COLUMNS[at], value, "a whole number from 1"));
            }
            value as u32
        };
        let (from, to) = (node(0), node(1));
        let [_, _, capacity, length, free_flow_time, b, power, speed, toll, link_type] = values;
        if capacity <= 0.0 && b > 0.0 && power > 0.0 && free_flow_time > 0.0 && problems.len() == before {
            let expected = "above 0 (0 is allowed where b, power or free_flow_time is 0)";
            problems.push(at_line(path, line, "capacity", capacity, expected));
        }
        if problems.len() > before {
            return false;
        }
        self.from.push(from);
        self.to.push(to);
        self.capacity.push(capacity);
        self.length.push(length);
        self.free_flow_time.push(free_flow_time);
        self.b.push(b);
        self.power.push(power);
        self.speed.push(speed);
        self.toll.push(toll);
        self.link_type.push(link_type);
        self.line.push(line as u32);
        words.len() < COLUMNS.len()
    }
}

/// Where a comment that names the columns puts each of them; nothing where it is another comment.
fn columns_of(comment: &str) -> Option<Vec<Option<usize>>> {
    let names: Vec<String> =
        comment.split([' ', '\t', ';']).filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect();
    let place = |name: &str| names.iter().position(|other| other == name);
    let found: Vec<Option<usize>> = COLUMNS.iter().map(|name| place(name)).collect();
    found[..COLUMNS_NEEDED].iter().all(Option::is_some).then_some(found)
}

/// What the next word of the trips must be.
enum Awaited {
    Destination,
    Colon(u32),
    Flow(u32),
    Origin,
}

/// Reads the text of trips; `path` is for messages.
///
/// # Errors
/// Every entry that makes no sense, by line.
pub fn parse_trips(path: &Path, text: &str) -> Result<TntpTrips> {
    let mut problems = Problems::new();
    let mut header = Header::default();
    let mut trips = TntpTrips::default();
    let mut origin: Option<u32> = None;
    let mut awaited = Awaited::Destination;
    let mut origins = 0_usize;
    let mut last_line = 0;
    for (line, text) in lines(text) {
        last_line = line;
        if text.starts_with('<') {
            header.read(path, line, text, &mut problems);
            continue;
        }
        for word in words(text.split('~').next().unwrap_or_default()) {
            let mut bad = |field: &str, expected: &str| {
                problems.push(at_line(path, line, field, shortened(word), expected).with_help(HELP));
            };
            awaited = match awaited {
                Awaited::Destination if word == ";" => Awaited::Destination,
                Awaited::Destination if word.eq_ignore_ascii_case("origin") => Awaited::Origin,
                Awaited::Origin => {
                    origin = node_number(word);
                    origins += 1;
                    if origin.is_none() {
                        bad("origin", "a whole number from 1");
                    }
                    Awaited::Destination
                }
                Awaited::Destination => match node_number(word) {
                    Some(node) => Awaited::Colon(node),
                    None => {
                        bad("entry", "`destination : flow;` or `Origin n`");
                        return Err(problems.into());
                    }
                },
                Awaited::Colon(node) if word == ":" => Awaited::Flow(node),
                Awaited::Colon(_) => {
                    bad("entry", "a colon between destination and flow");
                    return Err(problems.into());
                }
                Awaited::Flow(node) => {
                    match (word.parse::<f64>(), origin) {
                        (Ok(flow), Some(origin)) if flow.is_finite() && flow >= 0.0 => {
                            if flow > 0.0 {
                                trips.from.push(origin);
                                trips.to.push(node);
                                trips.flow.push(flow);
                            }
                        }
                        (Ok(flow), None) if flow.is_finite() && origins == 0 => {
                            bad("entry", "`Origin n` before the first entry");
                            return Err(problems.into());
                        }
                        (Ok(flow), None) if flow.is_finite() => {} // of an origin that is already a problem
                        _ => bad("flow", "a number of at least 0"),
                    }
                    Awaited::Destination
                }
            };
        }
    }
    if !matches!(awaited, Awaited::Destination) {
        problems.push(at_line(path, last_line, "entry", "the end of the file", "`destination : flow;`"));
    }
    if origins == 0 && problems.is_empty() {
        problems.push(Problem::file(path, "has no trips, expected `Origin n` and entries").with_help(HELP));
    }
    trips.zones = header.zones.unwrap_or(0);
    let sum: f64 = trips.flow.iter().sum();
    if let Some(total) = header.total
        && (total - sum).abs() > TOTAL_TOLERANCE * total.abs().max(sum)
    {
        trips.notes.push(format!("the header promises a total flow of {total}, entries add up to {sum}"));
    }
    problems.or_else(trips)
}

/// Lines with their numbers from 1, without blanks around them; any line ends, no byte order mark.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // "\r\n" counts once, a lone "\r" too.
    let mut line = 0;
    text.split('\n').flat_map(move |piece| piece.strip_suffix('\r').unwrap_or(piece).split('\r')).map(move |text| {
        line += 1;
        (line, text.trim())
    })
}

/// Words of a line of trips; colons and semicolons are words of their own.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([':', ';'])
        .flat_map(|piece| {
            let (word, mark) = match piece.strip_suffix([':', ';']) {
                Some(word) => (word, &piece[piece.len() - 1..]),
                None => (piece, ""),
            };
            word.split_whitespace().chain(std::iter::once(mark))
        })
        .filter(|word| !word.is_empty())
}

/// A node's number, also where it is written as `3.0`.
fn node_number(word: &str) -> Option<u32> {
    if let Ok(number) = word.parse::<u32>() {
        return (1..u32::MAX).contains(&number).then_some(number);
    }
    let value = word.parse::<f64>().ok()?;
    let whole = value.fract().abs() < f64::MIN_POSITIVE && (1.0..f64::from(u32::MAX)).contains(&value);
    whole.then_some(value as u32)
}

fn at_line(
    path: &Path,
    line: usize,
    field: &str,
    value: impl std::fmt::Display,
    expected: impl std::fmt::Display,
) -> Problem {
    Problem::file(path, format!("line {line}: {field} = {value}, expected {expected}"))
}

/// As much of a text as a message bears.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("...".chars()).collect() }
}
