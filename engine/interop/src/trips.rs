//! Trips as a table: `trip_id, depart_s, from_node, to_node[, route][, vehicle_class]`, in CSV (`.csv`,
//! `.csv.gz`) or Parquet.
//!
//! `route` holds link ids separated by blanks; blank means that a route is to be found. Ids are looked up
//! in the network as text. What is wrong with a single trip (an unknown node, a negative time, an id that
//! occurred before) is a [`TripFault`]: the trip stays in the table, and the log counts it and keeps the
//! first examples. What is wrong with the file itself (a missing column, a cell that is no number) is an
//! error that lists every such place.
//!
//! Contract: the same trips and messages for any number of threads; rows stay in the order of the file.

use crate::id_index::IdIndex;
use crate::network::RoadNetwork;
use crate::trips_part::Part;
use crate::{trips_csv, trips_parquet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use urbis_core::{Problem, Problems, Result, chunks};
use urbis_traffic::{CarLinkIx, VehicleClass};

/// Examples of each fault that are kept.
pub const EXAMPLES_KEPT: usize = 5;

/// Latest departure, seconds: the clock of the engine counts 1/1024 s in 32 bits.
pub const LATEST_DEPART_S: f64 = 4_000_000.0;

/// Names of trips, as compact as the file allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TripIds {
    /// Whole numbers.
    Number(Vec<i64>),
    /// Anything else.
    Text(Vec<String>),
}

impl TripIds {
    /// Number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(ids) => ids.len(),
            Self::Text(ids) => ids.len(),
        }
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A name as text.
    #[must_use]
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Number(ids) => ids[row].to_string(),
            Self::Text(ids) => ids[row].clone(),
        }
    }

    /// The names of some rows.
    #[must_use]
    pub fn pick(&self, rows: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Number(ids) => Self::Number(rows.map(|row| ids[row]).collect()),
            Self::Text(ids) => Self::Text(rows.map(|row| ids[row].clone()).collect()),
        }
    }

    /// Rows whose name occurred in an earlier row, ascending, each with the first row of that name.
    fn repeated(&self) -> Vec<(u32, u32)> {
        match self {
            Self::Number(ids) => repeated(ids),
            Self::Text(ids) => repeated(ids),
        }
    }
}

fn repeated<T: Ord + Sync>(ids: &[T]) -> Vec<(u32, u32)> {
    if ids.windows(2).all(|pair| pair[0] < pair[1]) {
        return Vec::new();
    }
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    rayon::slice::ParallelSliceMut::par_sort_unstable_by(&mut order[..], |&a, &b| {
        ids[a as usize].cmp(&ids[b as usize]).then(a.cmp(&b))
    });
    let same = order.chunk_by(|&a, &b| ids[a as usize] == ids[b as usize]);
    let mut rows: Vec<(u32, u32)> = same.flat_map(|rows| rows[1..].iter().map(|&row| (row, rows[0]))).collect();
    rows.sort_unstable();
    rows
}

/// Trips in order of their rows.
#[derive(Clone, Debug)]
pub struct Trips {
    /// Name of each trip.
    pub trip_id: TripIds,
    /// When it wants to leave, seconds since the start.
    pub depart_s: Vec<f64>,
    /// Row of the node where it starts; `u32::MAX` where the file names no node of the network.
    pub from_node: Vec<u32>,
    /// Row of the node where it ends; `u32::MAX` as above.
    pub to_node: Vec<u32>,
    /// Where each trip's given route ends in `route_links` (it starts where the one before ends); an
    /// empty route means that one is to be found.
    pub route_ends: Vec<u32>,
    /// Links of the given routes.
    pub route_links: Vec<CarLinkIx>,
    /// Class of each vehicle; empty means all cars.
    pub vehicle_class: Vec<VehicleClass>,
}

impl Default for Trips {
    fn default() -> Self {
        Self {
            trip_id: TripIds::Number(Vec::new()),
            depart_s: Vec::new(),
            from_node: Vec::new(),
            to_node: Vec::new(),
            route_ends: Vec::new(),
            route_links: Vec::new(),
            vehicle_class: Vec::new(),
        }
    }
}

impl Trips {
    /// Number of trips.
    #[must_use]
    pub fn len(&self) -> usize {
        self.depart_s.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.depart_s.is_empty()
    }
    /// The given route of a trip; empty where one is to be found.
    #[must_use]
    pub fn route(&self, row: usize) -> &[CarLinkIx] {
        let start = if row == 0 { 0 } else { self.route_ends[row - 1] as usize };
        &self.route_links[start..self.route_ends[row] as usize]
    }
}

/// Why a single trip cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TripFault {
    /// It leaves before the start.
    NegativeTime,
    /// It leaves after [`LATEST_DEPART_S`].
    TimeOutOfRange,
    /// Its name occurred before.
    DuplicateId,
    /// Its first node is not in the network.
    UnknownOrigin,
    /// Its last node is not in the network.
    UnknownDestination,
    /// Its route has a link that is not in the network.
    UnknownLink,
    /// A link of its route does not start where the one before ends.
    RouteGap,
    /// Its route does not start at its first node.
    RouteNotFromOrigin,
    /// Its route does not end at its last node.
    RouteNotToDestination,
    /// Its route is longer than the engine can store.
    RouteTooLong,
    /// No way leads there.
    NoRoute,
}

urbis_core::named!(TripFault {
    NegativeTime = "negative_time",
    TimeOutOfRange = "time_out_of_range",
    DuplicateId = "duplicate_id",
    UnknownOrigin = "unknown_origin",
    UnknownDestination = "unknown_destination",
    UnknownLink = "unknown_link",
    RouteGap = "route_gap",
    RouteNotFromOrigin = "route_not_from_origin",
    RouteNotToDestination = "route_not_to_destination",
    RouteTooLong = "route_too_long",
    NoRoute = "no_route",
});

impl TripFault {
    /// The column and what was expected of it.
    fn expected(self) -> (&'static str, &'static str) {
        match self {
            Self::NegativeTime => ("depart_s", ">= 0"),
            Self::TimeOutOfRange => ("depart_s", "at most 4,000,000 s"),
            Self::DuplicateId => ("trip_id", "an id that occurs once"),
            Self::UnknownOrigin => ("from_node", "a node of the network"),
            Self::UnknownDestination => ("to_node", "a node of the network"),
            Self::UnknownLink => ("route", "links of the network"),
            Self::RouteGap => ("route", "links that follow one another"),
            Self::RouteNotFromOrigin => ("route", "a route that starts at from_node"),
            Self::RouteNotToDestination => ("route", "a route that ends at to_node"),
            Self::RouteTooLong => ("route", "at most 65,535 links"),
            Self::NoRoute => ("to_node", "a node that can be reached from from_node"),
        }
    }
}

/// An example of a fault, as people look for it in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TripExample {
    /// Row in the file, from 0.
    pub row: u32,
    /// Name of the trip.
    pub trip_id: String,
    /// The value that is wrong.
    pub value: String,
}

/// Trips that cannot be made: every one by row, counted by reason, with the first examples of each.
#[derive(Clone, Debug, Default)]
pub struct TripFaults {
    /// File they come from.
    pub path: PathBuf,
    /// Row and reason, ascending once the reading is done; the first reason of a row counts.
    pub rows: Vec<(u32, TripFault)>,
    /// The first [`EXAMPLES_KEPT`] of each reason.
    pub examples: BTreeMap<TripFault, Vec<TripExample>>,
}

impl TripFaults {
    /// Adds a trip.
    pub fn push(&mut self, row: u32, fault: TripFault, describe: impl FnOnce() -> (String, String)) {
        self.rows.push((row, fault));
        let examples = self.examples.entry(fault).or_default();
        if examples.len() < EXAMPLES_KEPT {
            let (trip_id, value) = describe();
            examples.push(TripExample { row, trip_id, value });
        }
    }
    /// Adds those of later rows.
    pub(crate) fn append(&mut self, mut later: Self, rows_before: u32) {
        self.rows.extend(later.rows.drain(..).map(|(row, fault)| (row + rows_before, fault)));
        for (fault, found) in later.examples {
            let examples = self.examples.entry(fault).or_default();
            let more = found.into_iter().map(|example| TripExample { row: example.row + rows_before, ..example });
            examples.extend(more.take(EXAMPLES_KEPT - examples.len()));
        }
    }
    /// Brings rows and examples into order; of several faults of a row the first that was found counts.
    pub fn settle(&mut self) {
        self.rows.sort_by_key(|&(row, _)| row);
        self.rows.dedup_by_key(|&mut (row, _)| row);
    }
    /// How many trips each reason concerns.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<TripFault, u64> {
        let mut counts = BTreeMap::new();
        for &(_, fault) in &self.rows {
            *counts.entry(fault).or_default() += 1;
        }
        counts
    }
    /// The examples as problems, by reason.
    #[must_use]
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        for (&fault, examples) in &self.examples {
            for example in examples {
                problems.push(self.problem(fault, example));
            }
        }
        problems
    }
    /// An example in a sentence that names file, row, id, value and expectation.
    #[must_use]
    pub fn problem(&self, fault: TripFault, example: &TripExample) -> Problem {
        let (field, expected) = fault.expected();
        let id = Some(example.trip_id.as_str());
        Problem::value(&self.path, example.row as usize + 1, id, field, &example.value, expected)
    }
}

/// What a file of trips holds.
#[derive(Clone, Debug, Default)]
pub struct TripsFile {
    /// Every trip, in the order of the file.
    pub trips: Trips,
    /// Those that cannot be made.
    pub faults: TripFaults,
    /// What was assumed, in sentences for people.
    pub notes: Vec<String>,
}

impl TripsFile {
    /// Trips that another reader has found; those without a place in the network, with an impossible time or
    /// with a broken route are counted as faults.
    pub(crate) fn of(path: &Path, trips: Trips, notes: Vec<String>, network: &RoadNetwork) -> Self {
        let mut file = Self { trips, notes, ..Self::default() };
        path.clone_into(&mut file.faults.path);
        for row in 0..file.trips.len() {
            let depart_s = file.trips.depart_s[row];
            let fault = match (file.trips.from_node[row], file.trips.to_node[row]) {
                _ if depart_s < 0.0 => TripFault::NegativeTime,
                _ if !(0.0..=LATEST_DEPART_S).contains(&depart_s) => TripFault::TimeOutOfRange,
                (u32::MAX, _) => TripFault::UnknownOrigin,
                (_, u32::MAX) => TripFault::UnknownDestination,
                _ => continue,
            };
            let value = if matches!(fault, TripFault::NegativeTime | TripFault::TimeOutOfRange) {
                depart_s.to_string()
            } else {
                "(none)".to_owned()
            };
            file.faults.push(row as u32, fault, || (file.trips.trip_id.text(row), value));
        }
        check_routes(&mut file, network);
        file.faults.settle();
        file
    }
}

/// The names that trips refer to.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) nodes: IdIndex,
    pub(crate) links: IdIndex,
}

/// Reads trips for a network; `.parquet` (or a file that starts as one) is Parquet, anything else CSV.
///
/// # Errors
/// [`urbis_core::Error::Read`] when the file cannot be read; [`urbis_core::Error::Input`] when a column is missing or rows are
/// malformed, naming each.
pub fn read(path: &Path, network: &RoadNetwork) -> Result<TripsFile> {
    let names = Names { nodes: IdIndex::new(&network.node_id), links: IdIndex::new(&network.link_id) };
    let mut all = Joined::new(path);
    if trips_parquet::is_parquet(path)? {
        trips_parquet::read(path, &names, &mut all)?;
    } else {
        trips_csv::read(path, &names, &mut all)?;
    }
    let mut file = all.finish()?;
    check_routes(&mut file, network);
    file.faults.settle();
    let late = |pair: &[f64]| pair[0] > pair[1];
    if file.trips.depart_s.windows(2).any(late) {
        file.notes.push("trips are not in order of departure: taken in order of departure, then row".into());
    }
    Ok(file)
}

/// Finds trips whose name occurred before and given routes that do not lead from origin to destination.
fn check_routes(file: &mut TripsFile, network: &RoadNetwork) {
    let TripsFile { trips, faults, .. } = file;
    // A trip is counted once, under the first reason that was found.
    let mut known = vec![false; trips.len()];
    faults.rows.iter().for_each(|&(row, _)| known[row as usize] = true);
    for (row, first) in trips.trip_id.repeated() {
        if std::mem::replace(&mut known[row as usize], true) {
            continue;
        }
        let id = trips.trip_id.text(row as usize);
        faults.push(row, TripFault::DuplicateId, || (id.clone(), format!("{id} (as in row {})", first + 1)));
    }
    let (from, to) = (&network.columns.from, &network.columns.to);
    let of_row = |row: usize| {
        let route = trips.route(row);
        let (first, last) = (route.first()?, route.last()?);
        let gap = route.windows(2).position(|pair| to[pair[0].row()] != from[pair[1].row()]);
        if let Some(at) = gap {
            return Some((row, TripFault::RouteGap, at));
        }
        if from[first.row()] != trips.from_node[row] {
            return Some((row, TripFault::RouteNotFromOrigin, 0));
        }
        let wrong_end = to[last.row()] != trips.to_node[row];
        wrong_end.then_some((row, TripFault::RouteNotToDestination, route.len() - 1))
    };
    let found = chunks::map_chunks(trips.len(), chunks::CHUNK_ROWS, |rows| rows.filter_map(of_row).collect::<Vec<_>>());
    for (row, fault, at) in found.into_iter().flatten().filter(|&(row, ..)| !known[row]) {
        let link = |at: usize| &network.link_id[trips.route(row)[at].row()];
        faults.push(row as u32, fault, || {
            let value = match fault {
                TripFault::RouteGap => format!("... {} {} ...", link(at), link(at + 1)),
                TripFault::RouteNotFromOrigin => format!("{} ...", link(0)),
                _ => format!("... {}", link(at)),
            };
            (trips.trip_id.text(row), value)
        });
    }
}

/// Parts of a file, joined in order.
#[derive(Debug)]
pub(crate) struct Joined {
    file: TripsFile,
    problems: Problems,
    rows: usize,
}

impl Joined {
    fn new(path: &Path) -> Self {
        let mut file = TripsFile::default();
        path.clone_into(&mut file.faults.path);
        Self { file, problems: Problems::new(), rows: 0 }
    }

    /// Adds the next rows.
    ///
    /// # Errors
    /// When there are more rows or route links than can be numbered.
    pub(crate) fn append(&mut self, part: Part) -> Result<()> {
        let path = &self.file.faults.path;
        for problem in part.problems {
            self.problems.push(Problem::value(
                path,
                self.rows + problem.row as usize + 1,
                Some(problem.trip_id.as_str()).filter(|id| !id.is_empty()),
                problem.field,
                problem.value,
                problem.expected,
            ));
        }
        let rows_before = self.rows as u32;
        self.rows += part.rows as usize;
        let trips = &mut self.file.trips;
        let links = trips.route_links.len() + part.route_links.len();
        if links >= u32::MAX as usize || self.rows >= u32::MAX as usize {
            return Err(Problem::file(path, "has more than 4,294,967,294 rows or route links").into());
        }
        if !self.problems.is_empty() {
            return Ok(());
        }
        let base = trips.route_links.len() as u32;
        join_ids(&mut trips.trip_id, part.trip_id);
        trips.depart_s.extend_from_slice(&part.depart_s);
        trips.from_node.extend_from_slice(&part.from_node);
        trips.to_node.extend_from_slice(&part.to_node);
        trips.route_ends.extend(part.route_ends.iter().map(|end| base + end));
        trips.route_links.extend_from_slice(&part.route_links);
        trips.vehicle_class.extend_from_slice(&part.vehicle_class);
        self.file.faults.append(part.faults, rows_before);
        Ok(())
    }

    /// Adds a problem with the file as a whole.
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn finish(mut self) -> Result<TripsFile> {
        if self.problems.is_empty() && self.rows == 0 {
            self.file.notes.push("there are no trips".into());
        }
        self.problems.or_else(self.file)
    }
}

fn join_ids(all: &mut TripIds, part: TripIds) {
    match (&mut *all, part) {
        (TripIds::Number(all), TripIds::Number(part)) => all.extend(part),
        (TripIds::Text(all), TripIds::Text(part)) => all.extend(part),
        (TripIds::Text(all), TripIds::Number(part)) => all.extend(part.iter().map(i64::to_string)),
        (TripIds::Number(numbers), TripIds::Text(part)) => {
            let mut texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
            texts.extend(part);
            *all = TripIds::Text(texts);
        }
    }
}
