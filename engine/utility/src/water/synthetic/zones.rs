//! Pressure zones: pieces of the network whose ground lies within a band of height, and what feeds each.
//!
//! Bands divide the heights of each stretch of streets evenly, no higher than a zone may be. What hangs together within a
//! band is a zone. Small pieces join the band of a neighbour where their ground is not far beyond it, and so do pieces
//! without customers that its water reaches. All zones of a band have the head at which the highest customer has its pressure after what may be
//! lost on the way.
//!
//! Zones are fed in a tree from that of the waterworks: the lowest that has a fifth of the draw, or the largest. A way
//! goes no higher than it must, then over as few zones as it can. Up it is pumped, down it passes a pressure reducer; other
//! mains over a border are closed.
//!
//! Contract: sequential, ties to the lower row.

use super::Basis;
use super::layout::{Incidence, Main};
use crate::sets::Sets;
use crate::streets::paths::NONE;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Rounds in which pieces join others.
const ROUNDS: u32 = 24;
/// Share of the draw of a stretch that makes a zone one for the waterworks.
const WORKS_SHARE: f64 = 0.2;
/// Least difference of the heads of neighbouring bands, metres.
const STEP_M_MIN: f64 = 10.0;
/// Pressure wanted where nobody draws, metres.
const BARE_M: f64 = 5.0;
/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// What a zone is fed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Feed {
    /// Zone that feeds.
    pub(super) from: u32,
    /// Main over the border.
    pub(super) main: u32,
    /// Its ends: in the feeding zone, and in this one.
    pub(super) ends: [u32; 2],
    /// Whether it is pumped.
    pub(super) is_up: bool,
}

/// A zone as planned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ZonePlan {
    pub(super) stretch: u32,
    pub(super) band: u32,
    /// Head of the bottom of its tank, or that which is held where it is fed, metres.
    pub(super) head_m: f64,
    /// Lowest and highest ground of customers, or of all of it where there are none, metres.
    pub(super) ground_m: [f64; 2],
    pub(super) vertices: Vec<u32>,
    pub(super) buildings: u32,
    /// Draw of its own buildings, mean and at the peak hour of the mean day, m3/s.
    pub(super) mean_m3ps: f64,
    pub(super) peak_m3ps: f64,
    /// `None` where the waterworks are.
    pub(super) feed: Option<Feed>,
    pub(super) has_tank: bool,
    /// Mean draw of all that its feed carries, m3/s.
    pub(super) through_mean_m3ps: f64,
    /// Draw at peak hour that its feed carries at that hour, with the flow of pumps to zones with tanks beyond it, m3/s;
    /// of a zone with a tank that flow is steady.
    pub(super) through_peak_m3ps: f64,
    /// Mean draw that its own tank evens out, m3/s.
    pub(super) stored_mean_m3ps: f64,
}

/// Zones, each after the one that feeds it, and the zone of each vertex.
#[derive(Clone, Debug, Default)]
pub(super) struct Zoning {
    pub(super) zones: Vec<ZonePlan>,
    pub(super) zone_of: Vec<u32>,
}

/// Flow of the pumps that fill a tank, m3/s.
pub(super) fn station_m3ps(basis: &Basis<'_>, through_mean_m3ps: f64) -> f64 {
    let day = through_mean_m3ps * basis.settings.peak_day_factor;
    (day * 24.0 / basis.settings.pumping_hours).max(super::FLOW_M3PS_MIN)
}

/// Divides mains into zones.
pub(super) fn plan(basis: &Basis<'_>, mains: &[Main], at: &Incidence) -> Zoning {
    let streets = basis.streets;
    let vertices = streets.place.len();
    let mut band = vec![NONE; vertices];
    let mut all = Zoning { zones: Vec::new(), zone_of: vec![NONE; vertices] };
    for (stretch, of) in streets.supplied.iter().enumerate() {
        let used: Vec<u32> = of.iter().copied().filter(|&vertex| is_used(basis, at, vertex)).collect();
        let (low_m, height_m, bands) = bands(basis, &used);
        let band_of = |vertex: u32| {
            let above_m = streets.height_m[vertex as usize] - low_m;
            ((above_m / height_m).floor().max(0.0) as u32).min(bands - 1)
        };
        used.iter().for_each(|&vertex| band[vertex as usize] = band_of(vertex));
        join_pieces(basis, mains, at, &used, &mut band, low_m, height_m);
        let mut zones = pieces(basis, mains, at, &used, &band, stretch as u32);
        set_heads(basis, &mut zones);
        feed(basis, mains, at, &mut all, zones);
    }
    all
}

fn is_used(basis: &Basis<'_>, at: &Incidence, vertex: u32) -> bool {
    basis.buildings[vertex as usize] > 0 || !at.at(vertex).is_empty()
}

/// Lowest ground of customers, height of a band and how many there are.
fn bands(basis: &Basis<'_>, used: &[u32]) -> (f64, f64, u32) {
    let heights = used.iter().filter(|&&vertex| basis.buildings[vertex as usize] > 0);
    let heights = heights.map(|&vertex| basis.streets.height_m[vertex as usize]);
    let (low, high) = heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), h| (low.min(h), high.max(h)));
    let span_m = high - low;
    if !(span_m.is_finite() && span_m > 1e-6) {
        return (if low.is_finite() { low } else { 0.0 }, 1.0, 1);
    }
    let bands = (span_m / basis.settings.band_m()).ceil().max(1.0);
    (low, span_m / bands, bands as u32)
}

/// Pieces that hang together within a band, by their first vertex.
fn pieces(
    basis: &Basis<'_>,
    mains: &[Main],
    at: &Incidence,
    used: &[u32],
    band: &[u32],
    stretch: u32,
) -> Vec<ZonePlan> {
    let mut row_of: BTreeMap<u32, u32> = BTreeMap::new();
    let mut local: BTreeMap<u32, u32> = BTreeMap::new();
    used.iter().zip(0_u32..).for_each(|(&vertex, row)| {
        local.insert(vertex, row);
    });
    let mut sets = Sets::new(used.len());
    for (&vertex, &row) in &local {
        for &main in at.at(vertex) {
            let [a, b] = mains[main as usize].ends;
            let to = if a == vertex { b } else { a };
            if band[to as usize] == band[vertex as usize] {
                sets.join(row, local[&to]);
            }
        }
    }
    let mut zones: Vec<ZonePlan> = Vec::new();
    for (&vertex, &row) in &local {
        let root = sets.root(row);
        let zone = *row_of.entry(root).or_insert_with(|| {
            zones.push(ZonePlan {
                stretch,
                band: band[vertex as usize],
                head_m: 0.0,
                ground_m: [f64::INFINITY, f64::NEG_INFINITY],
                vertices: Vec::new(),
                buildings: 0,
                mean_m3ps: 0.0,
                peak_m3ps: 0.0,
                feed: None,
                has_tank: false,
                through_mean_m3ps: 0.0,
                through_peak_m3ps: 0.0,
                stored_mean_m3ps: 0.0,
            });
            zones.len() as u32 - 1
        });
        let of = &mut zones[zone as usize];
        let v = vertex as usize;
        of.vertices.push(vertex);
        if basis.buildings[v] > 0 {
            let height_m = basis.streets.height_m[v];
            of.ground_m = [of.ground_m[0].min(height_m), of.ground_m[1].max(height_m)];
            of.buildings += basis.buildings[v];
            of.mean_m3ps += basis.mean_m3ps[v];
            of.peak_m3ps += basis.peak_m3ps[v];
        }
    }
    for zone in zones.iter_mut().filter(|zone| zone.buildings == 0) {
        let heights = zone.vertices.iter().map(|&vertex| basis.streets.height_m[vertex as usize]);
        zone.ground_m = heights.fold(zone.ground_m, |[low, high], h| [low.min(h), high.max(h)]);
    }
    zones
}

/// Joins small pieces, and those without customers, to neighbours.
fn join_pieces(
    basis: &Basis<'_>,
    mains: &[Main],
    at: &Incidence,
    used: &[u32],
    band: &mut [u32],
    low_m: f64,
    height_m: f64,
) {
    let settings = basis.settings;
    let mut piece_of = vec![NONE; basis.streets.place.len()];
    for _ in 0..ROUNDS {
        let all = pieces(basis, mains, at, used, band, 0);
        if all.len() < 2 {
            return;
        }
        for (piece, of) in all.iter().enumerate() {
            of.vertices.iter().for_each(|&vertex| piece_of[vertex as usize] = piece as u32);
        }
        // Length within each, and the pieces next to it.
        let mut length_m = vec![0.0; all.len()];
        let mut beside: Vec<BTreeMap<u32, u32>> = vec![BTreeMap::new(); all.len()];
        for &vertex in used {
            for &main in at.at(vertex) {
                let [a, b] = mains[main as usize].ends;
                let (mine, other) = (piece_of[vertex as usize], piece_of[if a == vertex { b } else { a } as usize]);
                if mine == other {
                    length_m[mine as usize] += 0.5 * mains[main as usize].length_m;
                } else {
                    *beside[mine as usize].entry(other).or_default() += 1;
                }
            }
        }
        let mut order: Vec<u32> = (0..all.len() as u32).collect();
        order.sort_by(|&a, &b| length_m[a as usize].total_cmp(&length_m[b as usize]).then(a.cmp(&b)));
        let mut is_locked = vec![false; all.len()];
        let mut has_changed = false;
        for piece in order {
            let row = piece as usize;
            let of = &all[row];
            if is_locked[row] {
                continue;
            }
            let is_small = length_m[row] < settings.zone_main_m_min;
            let fits = |other: u32| {
                let to = all[other as usize].band;
                let bottom_m = low_m + f64::from(to) * height_m;
                let (lowest, highest) = (of.ground_m[0], of.ground_m[1]);
                // Where nobody draws, water need only get there.
                let spare_m = settings.pressure_m_min - BARE_M;
                (of.buildings == 0 && highest <= bottom_m + height_m + spare_m)
                    || (is_small
                        && lowest >= bottom_m - settings.zone_overlap_m
                        && highest <= bottom_m + height_m + settings.zone_overlap_m)
            };
            // Of those next to it the one with most mains in between.
            let to =
                beside[row].iter().filter(|of| fits(*of.0)).max_by_key(|(other, mains)| (**mains, Reverse(**other)));
            if let Some((&other, _)) = to {
                of.vertices.iter().for_each(|&vertex| band[vertex as usize] = all[other as usize].band);
                is_locked[row] = true;
                beside[row].keys().for_each(|&next| is_locked[next as usize] = true);
                has_changed = true;
            }
        }
        if !has_changed {
            return;
        }
    }
}

/// Heads of bands: for the highest customer, and rising with bands.
fn set_heads(basis: &Basis<'_>, zones: &mut [ZonePlan]) {
    let mut head_m: BTreeMap<u32, f64> = BTreeMap::new();
    for zone in zones.iter() {
        let wanted = |&vertex: &u32| {
            let of = vertex as usize;
            basis.streets.height_m[of] + if basis.buildings[of] > 0 { basis.required_m[of] } else { BARE_M }
        };
        let highest = zone.vertices.iter().map(wanted).fold(f64::NEG_INFINITY, f64::max);
        let of_band = head_m.entry(zone.band).or_insert(f64::NEG_INFINITY);
        *of_band = of_band.max(highest + basis.settings.head_loss_m_max);
    }
    let mut last = f64::NEG_INFINITY;
    for of in head_m.values_mut() {
        *of = of.max(last + STEP_M_MIN);
        last = *of;
    }
    zones.iter_mut().for_each(|zone| zone.head_m = head_m[&zone.band]);
}

/// Finds what feeds each zone of a stretch and appends them, each after its feeder.
fn feed(basis: &Basis<'_>, mains: &[Main], at: &Incidence, all: &mut Zoning, zones: Vec<ZonePlan>) {
    let draw: f64 = zones.iter().map(|zone| zone.mean_m3ps).sum();
    let share = |zone: &ZonePlan| zone.mean_m3ps / draw.max(1e-12);
    let large =
        (0..zones.len()).filter(|&row| share(&zones[row]) >= WORKS_SHARE).min_by_key(|&row| (zones[row].band, row));
    let most = || {
        let key = |row: &usize| (zones[*row].buildings, Reverse(*row));
        (0..zones.len()).max_by_key(key)
    };
    let Some(root) = large.or_else(most) else { return };
    let mut piece_of: BTreeMap<u32, u32> = BTreeMap::new();
    for (piece, zone) in zones.iter().enumerate() {
        zone.vertices.iter().for_each(|&vertex| {
            piece_of.insert(vertex, piece as u32);
        });
    }
    let begin = all.zones.len();
    let mut row_of = vec![NONE; zones.len()];
    // Highest band on the way, zones on it, piece; then the main that leads there.
    let mut heap = BinaryHeap::new();
    heap.push(Reverse((zones[root].band, 0_u32, root as u32, NONE, NONE)));
    let mut middle: Vec<[f64; 2]> = Vec::new();
    while let Some(Reverse((highest, hops, piece, main, from))) = heap.pop() {
        if row_of[piece as usize] != NONE {
            continue;
        }
        let row = all.zones.len() as u32;
        row_of[piece as usize] = row;
        let mut zone = zones[piece as usize].clone();
        middle.push(basis.middle(&zone.vertices));
        if main != NONE {
            let feeder = &all.zones[row_of[from as usize] as usize];
            // Of the mains over this border the one that is nearest to the middles of both.
            let over = zone.vertices.iter().flat_map(|&vertex| {
                at.at(vertex).iter().map(move |&main| {
                    let [a, b] = mains[main as usize].ends;
                    (main, [if a == vertex { b } else { a }, vertex])
                })
            });
            let over = over.filter(|(_, [outer, _])| piece_of.get(outer) == Some(&from));
            let far = |ends: [u32; 2]| {
                let [x, y] = basis.streets.place[ends[0] as usize];
                let to = |[mx, my]: [f64; 2]| (mx - x).hypot(my - y);
                to(middle[row_of[from as usize] as usize - begin]) + to(middle[row as usize - begin])
            };
            let best = over.min_by(|a, b| far(a.1).total_cmp(&far(b.1)).then(a.0.cmp(&b.0)));
            let is_up = zone.head_m > feeder.head_m;
            zone.feed = best.map(|(main, ends)| Feed { from: row_of[from as usize], main, ends, is_up });
        }
        for &vertex in &zone.vertices {
            all.zone_of[vertex as usize] = row;
            for &main in at.at(vertex) {
                let [a, b] = mains[main as usize].ends;
                let Some(&next) = piece_of.get(&if a == vertex { b } else { a }) else { continue };
                if row_of[next as usize] == NONE {
                    heap.push(Reverse((highest.max(zones[next as usize].band), hops + 1, next, main, piece)));
                }
            }
        }
        all.zones.push(zone);
    }
    draws(basis, &mut all.zones[begin..], begin as u32);
}

/// What feeds carry, from the last zones to the first.
fn draws(basis: &Basis<'_>, zones: &mut [ZonePlan], begin: u32) {
    for of in zones.iter_mut() {
        of.through_mean_m3ps = of.mean_m3ps;
        of.through_peak_m3ps = basis.settings.peak_day_factor * of.peak_m3ps;
        of.stored_mean_m3ps = of.mean_m3ps;
    }
    for row in (0..zones.len()).rev() {
        let of = &mut zones[row];
        let is_large = of.through_mean_m3ps * DAY_S >= basis.settings.tank_m3pd_min;
        of.has_tank = of.feed.is_none_or(|feed| feed.is_up && is_large);
        if of.has_tank {
            of.through_peak_m3ps = station_m3ps(basis, of.through_mean_m3ps);
        }
        let Some(feed) = of.feed else { continue };
        let (mean, peak) = (of.through_mean_m3ps, of.through_peak_m3ps);
        let stored = if of.has_tank { 0.0 } else { of.stored_mean_m3ps };
        let feeder = &mut zones[(feed.from - begin) as usize];
        feeder.through_mean_m3ps += mean;
        feeder.through_peak_m3ps += peak;
        feeder.stored_mean_m3ps += stored;
    }
}
