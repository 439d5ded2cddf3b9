//! The tables and the summary of a run.
//!
//! Contract: pure functions of what was simulated; sums in order of rows.

use super::lights::ApproachRow;
use super::reshape::LinkPart;
use super::simulate::{Simulated, seconds};
use super::trajectories::Point;
use super::{Reported, TrafficRunSummary};
use arrow::array::{ArrayRef, DictionaryArray, Float32Array, Float64Array, Int32Array, StringArray, UInt32Array};
use arrow::datatypes::Int32Type;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use urbis_core::{Result, Tick};
use urbis_interop::write_trips::{Column, Packing, id_column, parquet_bytes};
use urbis_interop::{RoadNetwork, Trips, TripsFile};
use urbis_traffic::emissions::{self, CLASSES, Emissions, Factors};
use urbis_traffic::time::{NEVER, to_seconds};
use urbis_traffic::{CarNetwork, Gridlock, LinkInterval, LinkPassage};

/// Sums over those who arrived.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) arrived: u64,
    pub(super) travel_time_s: f64,
    pub(super) delay_s: f64,
    pub(super) distance_m: f64,
}

/// Adds up those who arrived: times as whole numbers, distances in order of rows.
pub(super) fn totals(simulated: &Simulated) -> Totals {
    let results = &simulated.results;
    let (mut travel_time, mut delay, mut totals) = (0_u64, 0_u64, Totals::default());
    for (row, &arrive) in results.arrive.iter().enumerate().filter(|(_, arrive)| **arrive != NEVER) {
        totals.arrived += 1;
        travel_time += u64::from(arrive - simulated.depart[row]);
        delay += u64::from(results.delay[row]);
        totals.distance_m += f64::from(results.distance_m[row]);
    }
    totals.travel_time_s = travel_time as f64 / f64::from(urbis_traffic::time::TICK);
    totals.delay_s = delay as f64 / f64::from(urbis_traffic::time::TICK);
    totals
}

/// What the engine assumes about a network and its vehicles.
pub(super) fn notes(network: &CarNetwork) -> Vec<String> {
    let mut notes = Vec::new();
    let report = network.report;
    if report.short_free_time > 0 {
        notes.push(format!("{} links take less than a step of one second: raised to one", report.short_free_time));
    }
    if report.storage_raised > 0 {
        notes.push(format!("{} links hold too few vehicles for their capacity: storage raised", report.storage_raised));
    }
    notes
}

fn texts(values: &[&str], keys: impl Iterator<Item = i32>) -> Result<ArrayRef, arrow::error::ArrowError> {
    let values = StringArray::from_iter_values(values.iter().copied());
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from_iter_values(keys), Arc::new(values))?))
}

fn fault(path: &Path) -> impl Fn(arrow::error::ArrowError) -> urbis_core::Error + '_ {
    move |why| urbis_core::Error::write(path, std::io::Error::other(why))
}

/// `trips.parquet`: every trip of the file in its order.
pub(super) fn trips(path: &Path, file: &TripsFile, simulated: &Simulated) -> Result<Vec<u8>> {
    let results = &simulated.results;
    let rows = file.trips.len();
    let mut names: Vec<String> = ["arrived", "on_road", "waiting"].map(str::to_owned).to_vec();
    names.extend(urbis_interop::TripFault::NAMED.iter().map(|(_, name)| format!("rejected_{name}")));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut status: Vec<i32> = (0..rows)
        .map(|row| match (results.arrive[row] != NEVER, results.is_waiting[row]) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        })
        .collect();
    for &(row, reason) in &file.faults.rows {
        status[row as usize] = 3 + reason as i32;
    }
    let has_arrived = |row: usize| results.arrive[row] != NEVER;
    let delay = (0..rows).map(|row| has_arrived(row).then(|| to_seconds(results.delay[row])));
    let distance = (0..rows).map(|row| has_arrived(row).then(|| results.distance_m[row]));
    let links = (0..rows).map(|row| (status[row] < 3).then_some(results.links[row]));
    let columns: [Column; 8] = [
        id_column(&file.trips.trip_id),
        ("depart_s", false, Packing::Plain, Arc::new(Float64Array::from(file.trips.depart_s.clone()))),
        (
            "arrive_s",
            true,
            Packing::Plain,
            Arc::new(results.arrive.iter().map(|&at| seconds(at)).collect::<Float64Array>()),
        ),
        ("status", false, Packing::Dictionary, texts(&names, status.iter().copied()).map_err(fault(path))?),
        (
            "entered_s",
            true,
            Packing::Plain,
            Arc::new(results.entered.iter().map(|&at| seconds(at)).collect::<Float64Array>()),
        ),
        ("delay_s", true, Packing::Plain, Arc::new(delay.collect::<Float64Array>())),
        ("distance_m", true, Packing::Plain, Arc::new(distance.collect::<Float32Array>())),
        ("links", true, Packing::Delta, Arc::new(links.collect::<UInt32Array>())),
    ];
    parquet_bytes(path, &columns)
}

/// What happened on the links that were used in an interval; columns of equal length.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkState {
    start: Tick,
    end: Tick,
    link: Vec<u32>,
    entered: Vec<u32>,
    left: Vec<u32>,
    travel_time_s: Vec<Option<f32>>,
    density_vpkm: Vec<f32>,
    queue: Vec<u32>,
    speed_mps: Vec<Option<f32>>,
    delay_s: Vec<f32>,
    toll: Vec<f32>,
    fuel_kg: Vec<f32>,
    co2_kg: Vec<f32>,
    nox_g: Vec<f32>,
    pm_g: Vec<f32>,
    electricity_wh: Vec<f32>,
}

/// Share of the trips that each class of vehicle makes; cars where there are none.
pub(super) fn class_shares(trips: &Trips) -> [f64; CLASSES] {
    let mut counts = [0_u64; CLASSES];
    for &class in &trips.vehicle_class {
        counts[class as usize] += 1;
    }
    counts[0] += (trips.len() - trips.vehicle_class.len()) as u64;
    let all = counts.iter().sum::<u64>();
    if all == 0 {
        counts[0] = 1;
    }
    counts.map(|count| count as f64 / all.max(1) as f64)
}

impl LinkState {
    /// Emissions split the vehicles of every link by `shares`, as links do not count classes.
    pub(super) fn new(
        of: &LinkInterval,
        network: &CarNetwork,
        toll: &[f64],
        factors: &Factors,
        shares: &[f64; CLASSES],
    ) -> Self {
        let mut emitted = Emissions::default();
        factors.links(&emissions::travel(of, &network.length_m, shares), &mut emitted);
        let mut state = Self { start: of.start, end: of.end, ..Self::default() };
        for link in 0..network.links() {
            let (entered, left, mean) = (of.entered[link], of.left[link], of.vehicles_mean[link]);
            if entered == 0 && left == 0 && of.vehicles_end[link] == 0 && mean <= 0.0 {
                continue;
            }
            let length_m = network.length_m[link];
            let travel_time_s = (left > 0).then(|| of.travel_time_s_sum[link] / f64::from(left));
            let free_s = to_seconds(network.free_time[link]);
            state.link.push(link as u32);
            state.entered.push(entered);
            state.left.push(left);
            state.travel_time_s.push(travel_time_s.map(|time_s| time_s as f32));
            state.density_vpkm.push((mean / length_m * 1000.0) as f32);
            state.queue.push(of.queue_end[link]);
            state.speed_mps.push(travel_time_s.map(|time_s| (length_m / time_s) as f32));
            state.delay_s.push((of.travel_time_s_sum[link] - f64::from(left) * free_s).max(0.0) as f32);
            state.toll.push((toll.get(link).copied().unwrap_or(0.0) * f64::from(entered)) as f32);
            let emission = emitted.link(link);
            state.fuel_kg.push(emission.fuel_kg as f32);
            state.co2_kg.push(emission.co2_kg as f32);
            state.nox_g.push(emission.nox_g as f32);
            state.pm_g.push((emission.pm_exhaust_g + emission.pm_wear_g) as f32);
            state.electricity_wh.push((emission.electricity_kwh * 1000.0) as f32);
        }
        state
    }
}

/// `link_state.parquet`: links in order within intervals in order; links that nobody used are left out.
pub(super) fn link_state(path: &Path, states: &[LinkState], link_id: &[String]) -> Result<Vec<u8>> {
    let ids: Vec<&str> = link_id.iter().map(String::as_str).collect();
    let ticks = |of: fn(&LinkState) -> Tick| -> ArrayRef {
        let each = states.iter().flat_map(|state| std::iter::repeat_n(of(state), state.link.len()));
        Arc::new(each.collect::<UInt32Array>())
    };
    let whole = |of: fn(&LinkState) -> &Vec<u32>| -> ArrayRef {
        Arc::new(states.iter().flat_map(|state| of(state).iter().copied()).collect::<UInt32Array>())
    };
    let real = |of: fn(&LinkState) -> &Vec<f32>| -> ArrayRef {
        Arc::new(states.iter().flat_map(|state| of(state).iter().map(|&value| Some(value))).collect::<Float32Array>())
    };
    let known = |of: fn(&LinkState) -> &Vec<Option<f32>>| -> ArrayRef {
        Arc::new(states.iter().flat_map(|state| of(state).iter().copied()).collect::<Float32Array>())
    };
    let links = states.iter().flat_map(|state| state.link.iter().map(|&link| link as i32));
    let columns: [Column; 16] = [
        ("start_s", false, Packing::Delta, ticks(|state| state.start)),
        ("end_s", false, Packing::Delta, ticks(|state| state.end)),
        ("link_id", false, Packing::Dictionary, texts(&ids, links).map_err(fault(path))?),
        ("entered", false, Packing::Delta, whole(|state| &state.entered)),
        ("left", false, Packing::Delta, whole(|state| &state.left)),
        ("travel_time_s_mean", true, Packing::Plain, known(|state| &state.travel_time_s)),
        ("density_vpkm_mean", false, Packing::Plain, real(|state| &state.density_vpkm)),
        ("queue_end", false, Packing::Delta, whole(|state| &state.queue)),
        ("speed_mps", true, Packing::Plain, known(|state| &state.speed_mps)),
        ("delay_s", false, Packing::Plain, real(|state| &state.delay_s)),
        ("toll", false, Packing::Plain, real(|state| &state.toll)),
        ("fuel_kg", false, Packing::Plain, real(|state| &state.fuel_kg)),
        ("co2_kg", false, Packing::Plain, real(|state| &state.co2_kg)),
        ("nox_g", false, Packing::Plain, real(|state| &state.nox_g)),
        ("pm_g", false, Packing::Plain, real(|state| &state.pm_g)),
        ("electricity_wh", false, Packing::Plain, real(|state| &state.electricity_wh)),
    ];
    parquet_bytes(path, &columns)
}

/// `crossings.parquet`: every vehicle and link it left, in order of leaving.
pub(super) fn crossings(
    path: &Path,
    file: &TripsFile,
    passages: &[LinkPassage],
    link_id: &[String],
) -> Result<Vec<u8>> {
    let ids: Vec<&str> = link_id.iter().map(String::as_str).collect();
    let at = |of: fn(&LinkPassage) -> u32| -> ArrayRef {
        Arc::new(passages.iter().map(|passage| to_seconds(of(passage))).collect::<Float64Array>())
    };
    let columns: [Column; 4] = [
        id_column(&file.trips.trip_id.pick(passages.iter().map(|passage| passage.trip.row()))),
        (
            "link_id",
            false,
            Packing::Dictionary,
            texts(&ids, passages.iter().map(|passage| passage.link.0 as i32)).map_err(fault(path))?,
        ),
        ("enter_s", false, Packing::Plain, at(|passage| passage.entered)),
        ("leave_s", false, Packing::Plain, at(|passage| passage.left)),
    ];
    parquet_bytes(path, &columns)
}

/// `link_parts.parquet`: the links of the file in each link of the run, in driving order.
pub(super) fn link_parts(path: &Path, parts: &[LinkPart], link_id: &[String]) -> Result<Vec<u8>> {
    let ids: Vec<&str> = link_id.iter().map(String::as_str).collect();
    let columns: [Column; 4] = [
        (
            "link_id",
            false,
            Packing::Dictionary,
            texts(&ids, parts.iter().map(|part| part.link as i32)).map_err(fault(path))?,
        ),
        (
            "file_link_id",
            false,
            Packing::Plain,
            Arc::new(StringArray::from_iter_values(parts.iter().map(|part| &part.file_link))),
        ),
        (
            "position",
            false,
            Packing::Delta,
            Arc::new(UInt32Array::from_iter_values(parts.iter().map(|part| part.position))),
        ),
        (
            "time_share",
            false,
            Packing::Plain,
            Arc::new(Float64Array::from_iter_values(parts.iter().map(|part| part.time_share))),
        ),
    ];
    parquet_bytes(path, &columns)
}

/// `signals.parquet`: approaches junction by junction within intervals in order.
pub(super) fn signals(path: &Path, rows: &[ApproachRow], network: &RoadNetwork) -> Result<Vec<u8>> {
    let names = |ids: &[String], of: fn(&ApproachRow) -> u32| -> Result<ArrayRef> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        texts(&ids, rows.iter().map(|row| of(row) as i32)).map_err(fault(path))
    };
    let whole = |of: fn(&ApproachRow) -> u32| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<UInt32Array>())
    };
    let green: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.green_s)).collect::<Float64Array>());
    let columns: [Column; 7] = [
        ("start_s", false, Packing::Delta, whole(|row| row.start)),
        ("end_s", false, Packing::Delta, whole(|row| row.end)),
        ("node_id", false, Packing::Dictionary, names(&network.node_id, |row| row.node)?),
        ("link_id", false, Packing::Dictionary, names(&network.link_id, |row| row.link)?),
        ("green_s", false, Packing::Plain, green),
        ("left", false, Packing::Delta, whole(|row| row.left)),
        ("queue_end", false, Packing::Delta, whole(|row| row.queue)),
    ];
    parquet_bytes(path, &columns)
}

/// `trajectories.parquet`: points at which the speed of a vehicle changes, by link, then vehicle, then time.
pub(super) fn trajectories(path: &Path, file: &TripsFile, points: &[Point], network: &RoadNetwork) -> Result<Vec<u8>> {
    let ids: Vec<&str> = network.link_id.iter().map(String::as_str).collect();
    let real = |of: fn(&Point) -> f64| -> ArrayRef {
        Arc::new(points.iter().map(|point| Some(of(point))).collect::<Float64Array>())
    };
    let links = texts(&ids, points.iter().map(|point| point.link.0 as i32)).map_err(fault(path))?;
    let columns: [Column; 4] = [
        id_column(&file.trips.trip_id.pick(points.iter().map(|point| point.trip.row()))),
        ("link_id", false, Packing::Dictionary, links),
        ("time_s", false, Packing::Plain, real(|point| point.time_s)),
        ("along_m", false, Packing::Plain, real(|point| point.along_m)),
    ];
    parquet_bytes(path, &columns)
}

/// `gridlock.parquet`: a row for each link of each ring, in driving order.
pub(super) fn gridlock(path: &Path, rings: &[Gridlock], link_id: &[String]) -> Result<Vec<u8>> {
    let ids: Vec<&str> = link_id.iter().map(String::as_str).collect();
    let rows = || rings.iter().enumerate().flat_map(|(nth, ring)| ring.links.iter().map(move |link| (nth, ring, link)));
    let number = |of: fn((usize, &Gridlock)) -> u32| -> ArrayRef {
        Arc::new(rows().map(|(nth, ring, _)| of((nth, ring))).collect::<UInt32Array>())
    };
    let columns: [Column; 3] = [
        ("found_s", false, Packing::Delta, number(|(_, ring)| ring.found)),
        ("ring", false, Packing::Delta, number(|(nth, _)| nth as u32)),
        ("link_id", false, Packing::Dictionary, texts(&ids, rows().map(|row| row.2.0 as i32)).map_err(fault(path))?),
    ];
    parquet_bytes(path, &columns)
}

impl TrafficRunSummary {
    /// The summary as it stands in `summary.json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let reported = |of: &[Reported]| -> Json {
            let entry = |one: &Reported| (one.kind.to_owned(), json!({ "count": one.count, "examples": one.examples }));
            Json::Object(of.iter().map(entry).collect())
        };
        json!({
            "vehicles": self.vehicles,
            "arrived": self.counts.arrived,
            "crossings": self.crossings,
            "load_s": self.load_s,
            "sim_s": self.sim_s,
            "write_s": self.write_s,
            "peak_rss_bytes": self.peak_rss_bytes,
            "threads": self.threads,
            "links": self.links,
            "nodes": self.nodes,
            "on_road": self.counts.on_road,
            "waiting": self.counts.waiting,
            "rejected": self.counts.rejected,
            "rejected_by_reason": reported(&self.rejected),
            "repaired": reported(&self.repaired),
            "notes": self.notes,
            "mean_travel_time_s": self.mean_travel_time_s,
            "total_travel_time_s": self.total_travel_time_s,
            "total_delay_s": self.total_delay_s,
            "total_distance_m": self.total_distance_m,
            "end_tick": self.end_tick,
            "ended": self.ended.name(),
            "signal_junctions": self.signal_junctions,
            "rerouted": self.rerouted,
            "gridlock_rings": self.gridlock_rings,
            "gridlock_released_moves": self.gridlock_released_moves,
            "trips_sha256": self.trips_sha256,
            "version": urbis_output::URBIS_VERSION,
        })
    }
}
