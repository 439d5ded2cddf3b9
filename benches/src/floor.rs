//! What a link crossing costs beside what the machine's memory could do at best.
//!
//! The same grids with fixed staircase routes that Urbis is compared on with other programs, on one thread
//! and on all, and in the same run the speed at which the machine copies memory, on as many threads.
//!
//! Bytes of a crossing are an estimate from the layout of the engine, for a network that fits into no
//! cache: it reads and writes the exit half of the link it leaves and the entry half of the link it
//! enters (a cache line each), the slot it leaves and the slot it takes (16 bytes each, a line each),
//! and reads its next link out of its route (4 bytes, in order). Lines that are written are moved twice.
//! The floor is these bytes at copying speed; caches may beat it, waiting for single lines misses it.

use rayon::prelude::*;
use std::time::Instant;
use urbis_core::{Problem, Result, TripIx};
use urbis_traffic::synthetic::{FixedTrip, Grid, LinkKind};
use urbis_traffic::time::tick_of;
use urbis_traffic::{Engine, RouteRef};

/// Bytes of a cache line.
const LINE: f64 = 64.0;
/// Bytes that a crossing moves where nothing is cached: four lines read and written, a link of the route.
pub const CROSSING_BYTES: f64 = 4.0 * 2.0 * LINE + 4.0;
/// Bytes copied at a time.
const COPIED: usize = 256 << 20;
/// Repeats; the best counts for bandwidth, the median for crossings.
const REPEATS: usize = 5;
/// Ticks computed at a time.
const WINDOW_TICKS: u32 = 60;

/// A grid and its demand.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Nodes along a side.
    pub size: u32,
    /// Vehicles.
    pub vehicles: u32,
    /// Seconds over which they depart.
    pub within_s: f64,
    /// Runs, of which the median counts.
    pub runs: usize,
}

/// The grids that Urbis is compared on with other programs; the last is a day on 101,760 links.
pub const CASES: [Case; 3] = [
    Case { size: 11, vehicles: 60_000, within_s: 5850.0, runs: REPEATS },
    Case { size: 50, vehicles: 200_000, within_s: 7200.0, runs: 3 },
    Case { size: 160, vehicles: 1_000_000, within_s: 80_000.0, runs: 1 },
];

/// What a case came to.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Links left by vehicles.
    pub crossings: u64,
    /// Vehicles that arrived.
    pub arrived: u64,
    /// Seconds of the loop, departures included.
    pub seconds: f64,
}

#[allow(clippy::disallowed_methods)] // a bench measures wall time
fn seconds_of<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed().as_secs_f64(), done)
}

/// Runs work on so many threads.
///
/// # Errors
/// When the threads cannot be started.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|why| Problem::file("threads".as_ref(), why))?;
    Ok(pool.install(work))
}

/// Bytes a second that the present threads read and write while they copy memory; the best of some.
#[must_use]
pub fn copy_bandwidth() -> f64 {
    let from = vec![1_u8; COPIED];
    let mut to = vec![2_u8; COPIED];
    let piece = COPIED / rayon::current_num_threads().max(1);
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let (seconds, ()) = seconds_of(|| {
            to.par_chunks_mut(piece).zip(from.par_chunks(piece)).for_each(|(to, from)| to.copy_from_slice(from));
        });
        best = best.min(seconds);
        std::hint::black_box(&mut to);
    }
    2.0 * COPIED as f64 / best
}

/// Moves the vehicles of a case on the present threads until all have arrived; the median of its runs.
///
/// # Errors
/// When the grid cannot be numbered.
pub fn measure(case: Case) -> Result<Measured> {
    let grid = Grid::new(case.size, LinkKind::STREET)?;
    let trips = grid.staircase_trips(case.vehicles, case.within_s, 1);
    let mut runs = (0..case.runs).map(|_| run(&grid, &trips)).collect::<Result<Vec<_>>>()?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(runs[runs.len() / 2])
}

fn run(grid: &Grid, trips: &[FixedTrip]) -> Result<Measured> {
    let mut engine = Engine::new(&grid.network, 4)?;
    let routes: Vec<Option<RouteRef>> = trips.iter().map(|trip| engine.add_route(&trip.route)).collect();
    let (mut next, mut arrived) = (0, 0);
    // Four times the time that departures take is beyond any queue; a run that needs longer shows as not arrived.
    let last = trips.last().map_or(0, |trip| tick_of(trip.depart)) * 4 + 86_400;
    let (seconds, ()) = seconds_of(|| {
        while arrived < trips.len() as u64 && engine.tick() < last {
            let end = engine.tick() + WINDOW_TICKS;
            while let Some(trip) = trips.get(next)
                && tick_of(trip.depart) < end
            {
                if let Some(route) = routes[next] {
                    engine.depart(TripIx(next as u32), route, trip.depart);
                }
                next += 1;
            }
            arrived += engine.advance(end).len() as u64;
        }
    });
    Ok(Measured { crossings: engine.crossings(), arrived, seconds })
}

/// The table of all cases on one thread and on all, in Markdown.
///
/// # Errors
/// As [`measure`] and [`on_threads`].
pub fn table() -> Result<String> {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::from(
        "## Link crossings and memory\n\n| grid | vehicles arrived | crossings | threads | ns a crossing | copy bandwidth, GB/s | bytes a crossing (estimate) | floor, ns a crossing |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut counts = vec![1, all];
    counts.dedup();
    for threads in counts {
        let bandwidth = on_threads(threads, copy_bandwidth)?;
        for case in CASES {
            let measured = on_threads(threads, || measure(case))??;
            text += &format!(
                "| {0} x {0} | {1} of {2} | {3} | {threads} | {4:.1} | {5:.1} | {6:.0} | {7:.1} |\n",
                case.size,
                measured.arrived,
                case.vehicles,
                measured.crossings,
                measured.seconds * 1e9 / measured.crossings.max(1) as f64,
                bandwidth / 1e9,
                CROSSING_BYTES,
                CROSSING_BYTES / bandwidth * 1e9,
            );
        }
    }
    Ok(
        text + "\nBandwidth counts bytes read and bytes written, measured in this run. Bytes a crossing: four cache lines read and written and a link of the route, where nothing is cached; small grids lie in caches and may be below the floor.\n"
    )
}
