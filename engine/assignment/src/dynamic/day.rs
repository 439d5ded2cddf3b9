//! One simulated day: every trip on its route, and what was measured of links and origins.
//!
//! The day ends when everybody has arrived, at the horizon, or when nothing has moved for an hour and
//! nobody is left to depart (gridlock). Who has not arrived by then is counted, never dropped.
//! Contract: a pure function of network, departures and routes, on any number of threads.

use crate::dynamic::routes::{NO_ROUTE, RouteTable};
use crate::dynamic::times::{LinkTimes, Measured};
use std::path::Path;
use urbis_core::{Problem, Result, TripIx};
use urbis_traffic::time::{TICK, Time, tick_of, to_seconds};
use urbis_traffic::{CarNetwork, Engine, LinkInterval, LinkStats, RouteRef};

/// A day without a crossing for so many seconds is stuck.
const STUCK_S: u32 = 3600;

/// How days are simulated and measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayOptions {
    /// Length of the bins of entry time in which link times are measured, seconds.
    pub bin_s: u32,
    /// When a day ends at the latest, seconds.
    pub horizon_s: u32,
    /// Vehicles that a junction holds without blocking others; see [`Engine::new`].
    pub pocket: u32,
}

impl Default for DayOptions {
    fn default() -> Self {
        Self { bin_s: 60, horizon_s: 172_800, pocket: 4 }
    }
}

/// What happened on a day; columns by trip.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// When each trip arrived, seconds; not finite for those still under way and those without a route.
    pub arrive_s: Vec<f64>,
    /// When each trip that arrived entered its first link, seconds.
    pub enter_s: Vec<f64>,
    /// Measured travel times of links and waits at origins.
    pub times: LinkTimes,
    /// Links that vehicles left.
    pub crossings: u64,
    /// When the day ended, seconds.
    pub end_s: u32,
}

/// Simulates the trips that have a route; `depart` and `route` are by trip.
pub(crate) fn simulate(
    network: &CarNetwork,
    depart: &[Time],
    route: &[u32],
    table: &RouteTable,
    options: &DayOptions,
) -> Result<Day> {
    let mut engine = Engine::new(network, options.pocket)?;
    let mut stored: Vec<Option<RouteRef>> = vec![None; table.len()];
    let mut order: Vec<u32> = (0..route.len() as u32).filter(|&trip| route[trip as usize] != NO_ROUTE).collect();
    order.sort_unstable_by_key(|&trip| (depart[trip as usize], trip));
    let mut day = Day {
        arrive_s: vec![f64::NAN; route.len()],
        enter_s: vec![f64::NAN; route.len()],
        times: LinkTimes::default(),
        crossings: 0,
        end_s: 0,
    };
    let mut stats = LinkStats::new(&engine);
    let mut log = Log::default();
    let (mut next, mut under_way, mut last) = (0, 0_u64, (0, 0));
    for tick in 0..options.horizon_s {
        while let Some(&trip) = order.get(next).filter(|&&trip| tick_of(depart[trip as usize]) <= tick) {
            let number = route[trip as usize];
            let stored = &mut stored[number as usize];
            if stored.is_none() {
                *stored = engine.add_route(table.links(number));
            }
            let Some(reference) = *stored else {
                let text = format!("the route of trip row {} has a gap or more than 65,535 links", trip + 1);
                return Err(Problem::file(Path::new("routes"), text).into());
            };
            engine.depart(TripIx(trip), reference, depart[trip as usize]);
            under_way += 1;
            next += 1;
        }
        for arrival in engine.step() {
            day.arrive_s[arrival.trip.row()] = to_seconds(arrival.arrive);
            day.enter_s[arrival.trip.row()] = to_seconds(arrival.entered);
            under_way -= 1;
        }
        day.end_s = tick + 1;
        let over = next == order.len() && under_way == 0;
        if over || day.end_s.is_multiple_of(options.bin_s) {
            log.add(&stats.take_interval(&engine));
            if engine.crossings() != last.1 || next < order.len() {
                last = (tick, engine.crossings());
            }
        }
        if over || (next == order.len() && tick - last.0 > STUCK_S) {
            break;
        }
    }
    if !day.end_s.is_multiple_of(options.bin_s) && log.end_s != day.end_s {
        log.add(&stats.take_interval(&engine));
    }
    day.crossings = engine.crossings();
    day.times = log.times(network, depart, route, table, &day, f64::from(options.bin_s));
    Ok(day)
}

/// What links did in each interval, as little as is needed.
#[derive(Debug, Default)]
struct Log {
    /// Middle of each interval, seconds.
    middle_s: Vec<f64>,
    end_s: u32,
    /// Mean time of those who left, not finite where nobody did; interval after interval.
    mean_s: Vec<f32>,
    /// Whether anybody entered.
    entered: Vec<bool>,
    /// Vehicles on each link at the end.
    left_over: Vec<u32>,
    /// Vehicles that left each link in the last interval in which any did, per second.
    rate_vps: Vec<f64>,
}

impl Log {
    fn add(&mut self, interval: &LinkInterval) {
        let span_s = f64::from(interval.end - interval.start);
        self.middle_s.push(0.5 * f64::from(interval.start + interval.end));
        self.end_s = interval.end;
        let mean = |(&left, &sum): (&u32, &f64)| if left > 0 { (sum / f64::from(left)) as f32 } else { f32::NAN };
        self.mean_s.extend(interval.left.iter().zip(&interval.travel_time_s_sum).map(mean));
        self.entered.extend(interval.entered.iter().map(|&entered| entered > 0));
        self.left_over.clone_from(&interval.vehicles_end);
        self.rate_vps.resize(interval.left.len(), 0.0);
        for (rate, &left) in self.rate_vps.iter_mut().zip(&interval.left).filter(|(_, left)| **left > 0) {
            *rate = f64::from(left) / span_s;
        }
    }

    fn times(
        &self,
        network: &CarNetwork,
        depart: &[Time],
        route: &[u32],
        table: &RouteTable,
        day: &Day,
        bin_s: f64,
    ) -> LinkTimes {
        let (links, intervals) = (network.links(), self.middle_s.len());
        let bins = (f64::from(self.end_s) / bin_s).ceil() as usize + 1;
        let travel = |link: usize, take: &mut dyn FnMut(Measured<'_>)| {
            let mut points = Vec::new();
            for interval in 0..intervals {
                let mean_s = f64::from(self.mean_s[interval * links + link]);
                if mean_s.is_finite() {
                    add_point(&mut points, self.middle_s[interval] - mean_s, mean_s);
                }
            }
            let left_over = f64::from(self.left_over.get(link).copied().unwrap_or(0));
            let free_s = to_seconds(network.free_time[link]);
            if left_over > 0.0 {
                let rate_vps = if self.rate_vps[link] > 0.0 { self.rate_vps[link] } else { network.capacity_vps[link] };
                add_point(&mut points, f64::from(self.end_s), (left_over / rate_vps).max(free_s));
            }
            let used = |bin: usize| self.entered.get(bin * links + link).copied().unwrap_or(false);
            take(Measured { points: &points, used: &used, least: free_s });
        };
        // Those who departed from each link, in order of link and departure; the mean wait in each bin.
        let known = |trip: &u32| day.enter_s[*trip as usize].is_finite();
        let mut waits: Vec<(u32, Time, f64)> = (0..route.len() as u32)
            .filter(known)
            .map(|trip| {
                let (row, first) = (trip as usize, table.links(route[trip as usize])[0]);
                (first.0, depart[row], day.enter_s[row] - to_seconds(depart[row]))
            })
            .collect();
        waits.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        let wait = |link: usize, take: &mut dyn FnMut(Measured<'_>)| {
            let start = waits.partition_point(|wait| (wait.0 as usize) < link);
            let end = waits.partition_point(|wait| (wait.0 as usize) <= link);
            let mut points = Vec::new();
            let bin = |wait: &(u32, Time, f64)| (to_seconds(wait.1) / bin_s) as usize;
            let mut used = vec![false; bins];
            for group in waits[start..end].chunk_by(|a, b| bin(a) == bin(b)) {
                let count = group.len() as f64;
                let at_s = group.iter().map(|wait| f64::from(wait.1)).sum::<f64>() / count / f64::from(TICK);
                add_point(&mut points, at_s, group.iter().map(|wait| wait.2).sum::<f64>() / count);
                if let Some(used) = used.get_mut(bin(&group[0])) {
                    *used = true;
                }
            }
            let used = |bin: usize| used.get(bin).copied().unwrap_or(false);
            take(Measured { points: &points, used: &used, least: 0.0 });
        };
        LinkTimes::measured(network, (bin_s, bins), &travel, &wait)
    }
}

/// Adds a point unless rounding puts it before the last one.
fn add_point(points: &mut Vec<(f64, f64)>, at_s: f64, value_s: f64) {
    if points.last().is_none_or(|&(last_s, _)| at_s > last_s) {
        points.push((at_s, value_s));
    }
}
