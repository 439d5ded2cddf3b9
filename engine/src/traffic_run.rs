//! Trips on a network without a city: a table of trips in, a table of what became of them out.
//!
//! [`run`] reads a network and trips ([`urbis_interop`]), moves the vehicles ([`urbis_traffic`]), and
//! writes `trips.parquet` (every trip of the file, in its order), `gridlock.parquet` where there was any,
//! what else is asked for (`link_state`, `signals`, `crossings`, `trajectories`, MATSim's events), and
//! `summary.json`, which comes last: where it stands, the others are whole. Trips without a route take the
//! fastest by free-flow or measured travel times.
//!
//! What cannot be served is counted by reason and shown by examples, and stays in the table.
//! Contract: the same bytes of every table for any number of threads; only the times and the memory in
//! the summary differ between equal runs.

mod events;
mod lights;
mod measured;
mod reshape;
mod simulate;
mod tables;
mod trajectories;

use simulate::Simulated;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use urbis_core::{Error, Problem, Result, Tick, files};
use urbis_interop::read_gmns::ReadOptions;
use urbis_interop::read_network::{self, NetworkFile, Warning};
use urbis_interop::tntp::TntpUnits;
use urbis_interop::{RoadNetwork, TripFault, TripsFile, trips};
use urbis_output::machine;
use urbis_output::stopwatch::Stopwatch;
use urbis_traffic::{CarNetwork, GridlockPolicy, VehicleCounts};

pub use crate::run::Progress;

/// What single trips and links that cannot be served do to the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// They are counted, shown by examples, and the run goes on.
    #[default]
    Continue,
    /// The run does not start.
    Stop,
}

/// What trips without a route choose by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteTimes {
    /// Travel times measured in the run, smoothed.
    #[default]
    Measured,
    /// Those of empty roads.
    FreeFlow,
}

/// What traffic lights follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignalsFrom {
    /// There are none; links that end at signals have the share of their capacity that is green.
    None,
    /// The plans that come with the network, where it has any.
    #[default]
    Plans,
    /// Plans by Webster's method at all signals of the network.
    Fixed,
    /// Greens that last while vehicles come, at all signals of the network.
    Actuated,
    /// Greens for the largest pressure, at all signals of the network.
    MaxPressure,
}

/// Where trajectories are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Around {
    /// Outside id of a node.
    pub node: String,
    /// Links with an end within this distance of it, metres.
    pub radius_m: f64,
}

/// How trips are run.
#[derive(Clone, Debug)]
pub struct TrafficRunOptions {
    /// Network: a folder or file that [`read_network`] knows.
    pub network: PathBuf,
    /// Units of a TNTP network.
    pub units: TntpUnits,
    /// Trips: CSV, Parquet, MATSim plans or SUMO demand.
    pub trips: PathBuf,
    /// Folder of the results.
    pub out: PathBuf,
    /// Threads; all cores by default.
    pub threads: Option<usize>,
    /// End, seconds since the start; by default when everybody has arrived or nothing moves any more.
    pub until_s: Option<f64>,
    /// What trips that cannot be served do to the run.
    pub on_error: OnError,
    /// What trips without a route choose by.
    pub routes: RouteTimes,
    /// How often measured times are taken over, seconds.
    pub route_update_s: u32,
    /// Share of drivers who hear of the roads every [`Self::route_update_s`] and turn off where another way
    /// is at least a twentieth faster.
    pub informed_share: f64,
    /// What happens to rings of full links.
    pub gridlock: GridlockPolicy,
    /// How often gridlock is looked for, seconds; 0 never.
    pub gridlock_check_s: u32,
    /// Vehicles that a junction can hold aside without blocking those who go elsewhere.
    pub junction_pocket_vehicles: u32,
    /// What traffic lights follow.
    pub signals: SignalsFrom,
    /// Whether links that take less than a tick are joined with the next where no ways part, instead of being
    /// made to last a tick.
    pub joins_short: bool,
    /// Length of a pocket for left turns at every signal of the network that has other turns too, metres.
    pub turn_pocket_m: Option<f64>,
    /// Whether lanes queue apart where the files say where each leads: as long as turn pockets, or 60 m.
    pub lane_groups: bool,
    /// Whether traffic keeps left: then pockets are for right turns.
    pub keeps_left: bool,
    /// Interval of the tables `link_state` and `signals`, seconds; without it there are no such tables.
    pub interval_s: Option<u32>,
    /// Whether every vehicle and link it left is written.
    pub crossings: bool,
    /// Where the points of trajectories are written.
    pub trajectories: Option<Around>,
    /// Whether events are written as MATSim does, `events.xml.gz`.
    pub events: bool,
}

impl TrafficRunOptions {
    /// Options with their defaults.
    #[must_use]
    pub fn new(network: &Path, trips: &Path, out: &Path) -> Self {
        Self {
            network: network.to_owned(),
            units: TntpUnits::default(),
            trips: trips.to_owned(),
            out: out.to_owned(),
            threads: None,
            until_s: None,
            on_error: OnError::default(),
            routes: RouteTimes::default(),
            route_update_s: 300,
            informed_share: 0.0,
            gridlock: GridlockPolicy::default(),
            gridlock_check_s: 60,
            junction_pocket_vehicles: 4,
            signals: SignalsFrom::default(),
            joins_short: false,
            turn_pocket_m: None,
            lane_groups: false,
            keeps_left: false,
            interval_s: None,
            crossings: false,
            trajectories: None,
            events: false,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everybody who could be served has arrived.
    AllArrived,
    /// The time that was asked for is over.
    Until,
    /// Nothing moves any more.
    NothingMoves,
}

urbis_core::named!(Ended { AllArrived = "all_arrived", Until = "until", NothingMoves = "nothing_moves" });

/// A kind of problem that did not stop the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Name in files.
    pub kind: &'static str,
    /// How often.
    pub count: u64,
    /// The first few, each a sentence that names file, row, id, value and expectation.
    pub examples: Vec<String>,
}

/// What a run was.
#[derive(Clone, Debug)]
pub struct TrafficRunSummary {
    /// Folder of the results.
    pub out: PathBuf,
    /// Trips in the file.
    pub vehicles: u64,
    /// Vehicles by where they are at the end.
    pub counts: VehicleCounts,
    /// Vehicles that left a link.
    pub crossings: u64,
    /// Links of the network.
    pub links: u64,
    /// Nodes of the network.
    pub nodes: u64,
    /// Mean time from the wish to leave to arrival, of those who arrived, seconds.
    pub mean_travel_time_s: Option<f64>,
    /// The same time in all, seconds.
    pub total_travel_time_s: f64,
    /// What those who arrived lost against empty roads, in all, seconds.
    pub total_delay_s: f64,
    /// Distance of those who arrived, in all, metres.
    pub total_distance_m: f64,
    /// Trips that could not be served, by reason.
    pub rejected: Vec<Reported>,
    /// Repairs of the network.
    pub repaired: Vec<Reported>,
    /// What was assumed.
    pub notes: Vec<String>,
    /// Junctions with traffic lights.
    pub signal_junctions: u64,
    /// How often an informed driver turned off.
    pub rerouted: u64,
    /// Rings of full links found.
    pub gridlock_rings: u64,
    /// Moves from link to link by which they were released.
    pub gridlock_released_moves: u64,
    /// The first tick that was not computed.
    pub end_tick: Tick,
    /// Why the run ended.
    pub ended: Ended,
    /// Threads.
    pub threads: usize,
    /// Reading both files and building the engine, seconds.
    pub load_s: f64,
    /// Moving vehicles, seconds.
    pub sim_s: f64,
    /// Writing the tables, seconds.
    pub write_s: f64,
    /// Largest resident memory, bytes.
    pub peak_rss_bytes: u64,
    /// SHA-256 of `trips.parquet`.
    pub trips_sha256: String,
}

/// Name of the summary, which is written last.
const SUMMARY: &str = "summary.json";
/// Name of MATSim's events.
const EVENTS: &str = "events.xml.gz";

/// Runs trips on a network and writes what became of them.
///
/// # Errors
/// [`Error::Input`] for malformed files, and with [`OnError::Stop`] for single trips that cannot be served;
/// [`Error::Read`] and [`Error::Write`]; [`Error::BrokenLedger`] when vehicles are lost;
/// [`Error::Interrupted`] when `stop` is set.
pub fn run(
    options: &TrafficRunOptions,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
    stop: &AtomicBool,
) -> Result<TrafficRunSummary> {
    let (pool, threads) = crate::threads::pool(options.threads)?;
    pool.install(|| run_here(options, progress, stop, threads))
}

fn run_here(
    options: &TrafficRunOptions,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
    stop: &AtomicBool,
    threads: usize,
) -> Result<TrafficRunSummary> {
    if let Some(length_m) = options.turn_pocket_m.filter(|length_m| !(*length_m > 0.0 && length_m.is_finite())) {
        let what = format!("a turn pocket cannot be {length_m} m long");
        return Err(Problem::file(&options.network, what).with_help("give a length above 0, such as 60").into());
    }
    if !(0.0..=1.0).contains(&options.informed_share) {
        let what = format!("{} is no share of informed drivers", options.informed_share);
        return Err(Problem::file(&options.out, what).with_help("give a number from 0 to 1").into());
    }
    if let Some(until_s) = options.until_s.filter(|until_s| !(0.0..=trips::LATEST_DEPART_S).contains(until_s)) {
        let help = format!("give a number of seconds from 0 to {}", trips::LATEST_DEPART_S);
        return Err(Problem::file(&options.out, format!("a run cannot end at {until_s} s")).with_help(help).into());
    }
    let watch = Stopwatch::start();
    progress(Progress::Phase("reading"));
    let strict = options.on_error == OnError::Stop;
    let reading = ReadOptions { tntp: options.units, refuse_zero_length: strict, ..ReadOptions::default() };
    let mut read = read_network::read(&options.network, &reading)?;
    let mut plans = lights::plans(options, &reading, &mut read)?;
    let lanes = if options.lane_groups { reshape::lanes(options, &read)? } else { Vec::new() };
    let looked_at = looked_at(options, &read.network)?;
    let mut file = read_network::read_trips(&options.trips, &read)?;
    let NetworkFile { mut network, warnings, .. } = read;
    if strict && !file.faults.rows.is_empty() {
        return Err(Error::Input(file.faults.problems()));
    }
    let parts = reshape::reshape(options, looked_at, lanes, &mut network, &mut plans, &mut file)?;
    let wanted = looked_at
        .zip(options.trajectories.as_ref())
        .map_or_else(Vec::new, |(node, around)| trajectories::links_around(&network.columns, node, around.radius_m));
    let car_network = CarNetwork::from_columns(network.columns.clone())?;
    let mut simulation = simulate::Simulation::new(options, &network, &car_network, file, plans)?;
    let load_s = watch.seconds();

    let watch = Stopwatch::start();
    progress(Progress::Phase("moving vehicles"));
    let simulated = simulation.run(progress, stop)?;
    let sim_s = watch.seconds();
    let simulate::Simulation { trips: file, engine, lights, .. } = simulation;
    let crossings = engine.crossings();
    drop(engine);
    if strict && !file.faults.rows.is_empty() {
        return Err(Error::Input(file.faults.problems()));
    }

    let watch = Stopwatch::start();
    progress(Progress::Phase("writing"));
    let roads = Roads { network: &network, car_network: &car_network, wanted, parts };
    let trips_sha256 = write(options, &roads, &file, &simulated)?;
    let mut notes = network.notes.clone();
    notes.extend(file.notes.iter().cloned());
    notes.extend(tables::notes(&car_network));
    notes.extend(lights.notes.iter().cloned());
    let totals = tables::totals(&simulated);
    let summary = TrafficRunSummary {
        out: options.out.clone(),
        vehicles: file.trips.len() as u64,
        counts: simulated.counts,
        crossings,
        links: car_network.links() as u64,
        nodes: car_network.nodes() as u64,
        mean_travel_time_s: (totals.arrived > 0).then(|| totals.travel_time_s / totals.arrived as f64),
        total_travel_time_s: totals.travel_time_s,
        total_delay_s: totals.delay_s,
        total_distance_m: totals.distance_m,
        rejected: rejected(&file),
        repaired: warnings.into_iter().map(Reported::from).collect(),
        notes,
        signal_junctions: lights.junctions(),
        rerouted: simulated.rerouted,
        gridlock_rings: simulated.gridlock.rows.len() as u64,
        gridlock_released_moves: simulated.gridlock.released_moves(),
        end_tick: simulated.end_tick,
        ended: simulated.ended,
        threads,
        load_s,
        sim_s,
        write_s: watch.seconds(),
        peak_rss_bytes: machine::peak_memory_bytes(),
        trips_sha256,
    };
    let json = format!("{:#}\n", summary.to_json());
    files::write_whole(&options.out.join(SUMMARY), json.as_bytes())?;
    Ok(summary)
}

impl From<Warning> for Reported {
    fn from(warning: Warning) -> Self {
        Self { kind: warning.kind, count: warning.count, examples: warning.examples }
    }
}

fn rejected(file: &TripsFile) -> Vec<Reported> {
    let counts: BTreeMap<TripFault, u64> = file.faults.counts();
    let reported = |(fault, count): (TripFault, u64)| {
        let examples = file.faults.examples.get(&fault).map_or(&[][..], Vec::as_slice);
        let sentence = |example| file.faults.problem(fault, example).to_string();
        Reported { kind: fault.name(), count, examples: examples.iter().map(sentence).collect() }
    };
    counts.into_iter().map(reported).collect()
}

/// What tables need of a network.
struct Roads<'a> {
    network: &'a RoadNetwork,
    car_network: &'a CarNetwork,
    /// Links whose trajectories are written; empty without.
    wanted: Vec<bool>,
    /// Where links of the file are in those of the run, if these differ.
    parts: Option<Vec<reshape::LinkPart>>,
}

/// The node around which trajectories are wanted.
fn looked_at(options: &TrafficRunOptions, network: &RoadNetwork) -> Result<Option<u32>> {
    let Some(around) = &options.trajectories else { return Ok(None) };
    let Some(node) = network.node_id.iter().position(|id| *id == around.node) else {
        let what = format!("has no node {} to write trajectories around", around.node);
        return Err(Problem::file(&options.network, what).into());
    };
    Ok(Some(node as u32))
}

/// Writes the tables; the hash of the trips.
fn write(options: &TrafficRunOptions, roads: &Roads<'_>, file: &TripsFile, simulated: &Simulated) -> Result<String> {
    let place = |name: &str| options.out.join(name);
    let link_id = &roads.network.link_id;
    let trips = tables::trips(&place("trips.parquet"), file, simulated)?;
    let mut written = vec![("trips.parquet", Some(trips))];
    let rings = &simulated.gridlock.rows;
    let gridlock =
        if rings.is_empty() { None } else { Some(tables::gridlock(&place("gridlock.parquet"), rings, link_id)?) };
    written.push(("gridlock.parquet", gridlock));
    let link_state =
        options.interval_s.map(|_| tables::link_state(&place("link_state.parquet"), &simulated.link_state, link_id));
    written.push(("link_state.parquet", link_state.transpose()?));
    let crossings =
        options.crossings.then(|| tables::crossings(&place("crossings.parquet"), file, &simulated.passages, link_id));
    written.push(("crossings.parquet", crossings.transpose()?));
    let has_lights = options.interval_s.is_some() && !simulated.approaches.is_empty();
    let signals = has_lights.then(|| tables::signals(&place("signals.parquet"), &simulated.approaches, roads.network));
    written.push(("signals.parquet", signals.transpose()?));
    let trajectories = options.trajectories.is_some().then(|| {
        let columns = &roads.network.columns;
        let points = trajectories::points(roads.car_network, columns, &roads.wanted, &simulated.passages);
        tables::trajectories(&place("trajectories.parquet"), file, &points, roads.network)
    });
    written.push(("trajectories.parquet", trajectories.transpose()?));
    let parts = roads.parts.as_ref().map(|parts| tables::link_parts(&place("link_parts.parquet"), parts, link_id));
    written.push(("link_parts.parquet", parts.transpose()?));
    // What an earlier run left must not stand beside what this one writes.
    files::create_folder(&options.out)?;
    for name in [SUMMARY, EVENTS].into_iter().chain(written.iter().map(|(name, _)| *name)) {
        match std::fs::remove_file(place(name)) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(Error::write(&place(name), why)),
            _ => {}
        }
    }
    for (name, bytes) in &written {
        if let Some(bytes) = bytes {
            files::write_whole(&place(name), bytes)?;
        }
    }
    if options.events {
        events::write(&place(EVENTS), file, simulated, link_id)?;
    }
    Ok(urbis_core::hash::sha256_hex(written[0].1.as_deref().unwrap_or_default()))
}
