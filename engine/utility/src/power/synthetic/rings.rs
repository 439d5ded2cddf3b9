//! Medium voltage: substations and the rings that join stations to them.
//!
//! Substations: as many as the peak needs with one of each one's two transformers out; the streets are divided into as
//! many areas of equal load, and the substation stands at the vertex nearest to the centre of load of its area.
//!
//! Rings: stations of a substation by direction, from the widest gap between directions on, are cut into runs of about
//! equal load and number (the sweep of Gillett and Miller 1974), as many as a cable can carry each. A run is ordered by
//! the nearest next station and then by reversing stretches while that shortens the ring (2-opt), lengths along streets.
//! The ring is opened where the loads of both sides differ least; the leg there lies ready to be closed.
//!
//! Sizes: one type of cable for a ring, the thinnest that carries all of it from one end and keeps the voltage of its
//! farthest station while both ends feed.
//!
//! Contract: rings are independent and planned in parallel, in constant chunks.

use super::areas::{Basis, drop_pu, first_rung};
use super::demand::Sums;
use super::equipment::{CableRole, Laid};
use super::partition::Division;
use crate::streets::paths::Search;
use urbis_core::chunks::map_chunks;

/// Rings planned by one thread at a time.
const CHUNK_RINGS: usize = 2;
/// Shortest leg of a ring, metres.
const SHORTEST_M: f64 = 1.0;

/// A station to be joined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) vertex: u32,
    pub(super) sums: Sums,
}

/// A substation and its stations, rows of stops.
#[derive(Clone, Debug)]
pub(super) struct Supply {
    pub(super) vertex: u32,
    pub(super) stops: Vec<u32>,
    pub(super) sums: Sums,
}

/// A leg of a ring.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    /// Segments from the stop before, each with the vertex that it leads to.
    pub(super) way: Vec<(u32, u32)>,
    pub(super) length_m: f64,
}

/// A ring: legs are one more than stops.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    pub(super) supply: u32,
    /// Rows of stops, in order.
    pub(super) stops: Vec<u32>,
    pub(super) legs: Vec<Leg>,
    pub(super) open_leg: usize,
    pub(super) laid: Laid,
    /// Voltage drop at each stop at peak, per unit.
    pub(super) drop_pu: Vec<f64>,
    /// Whether load and voltage are within limits.
    pub(super) is_within: bool,
}

/// Substations of a stretch of streets and their stations.
pub(super) fn supplies(basis: &Basis<'_>, stretch: &[u32], stops: &[Stop], mine: &[u32], unit_va: f64) -> Vec<Supply> {
    let g = basis.demand.g;
    let vertices = basis.graph.vertices();
    let (mut is_served, mut weight) = (vec![false; vertices], vec![0.0; vertices]);
    let mut whole = Sums::default();
    for &stop in mine {
        let of = &stops[stop as usize];
        is_served[of.vertex as usize] = true;
        // A watt for each, so that stations without a peak are places too.
        weight[of.vertex as usize] += 1.0 + of.sums.peak_w(g);
        whole.add(&of.sums);
    }
    let firm_w = unit_va * basis.settings.substation_loading_max * basis.settings.power_factor;
    let mut shares = (whole.peak_w(g) / firm_w).ceil().max(1.0) as u32;
    let mut division = Division::new(basis.graph, &is_served, &weight);
    loop {
        let areas = division.divide(stretch.to_vec(), shares);
        let mut row_of_area = vec![u32::MAX; division.area.iter().max().map_or(0, |&most| most as usize + 1)];
        for (row, area) in areas.iter().enumerate() {
            row_of_area[division.area[area[0] as usize] as usize] = row as u32;
        }
        let none = Supply { vertex: 0, stops: Vec::new(), sums: Sums::default() };
        let mut supplies = vec![none; areas.len()];
        for &stop in mine {
            let of = &stops[stop as usize];
            let supply = &mut supplies[row_of_area[division.area[of.vertex as usize] as usize] as usize];
            supply.stops.push(stop);
            supply.sums.add(&of.sums);
        }
        // Parts of the load coincide less well than all of it: one more area until each is firm, or a single station.
        let is_firm = supplies.iter().all(|of| of.stops.len() < 2 || of.sums.peak_w(g) <= firm_w);
        if is_firm || areas.len() < shares as usize {
            for (supply, area) in supplies.iter_mut().zip(&areas) {
                supply.vertex = load_centre(basis, stops, &supply.stops, area);
            }
            supplies.retain(|supply| !supply.stops.is_empty());
            return supplies;
        }
        shares += 1;
    }
}

fn load_centre(basis: &Basis<'_>, stops: &[Stop], mine: &[u32], area: &[u32]) -> u32 {
    let mut sum = [0.0; 3];
    for &stop in mine {
        let of = &stops[stop as usize];
        let (w, [x, y]) = (1.0 + of.sums.peak_w(basis.demand.g), basis.place[of.vertex as usize]);
        sum = [sum[0] + w * x, sum[1] + w * y, sum[2] + w];
    }
    let far = |vertex: u32| {
        let [x, y] = basis.place[vertex as usize];
        (x - sum[0] / sum[2]).hypot(y - sum[1] / sum[2])
    };
    let on_street = |&&vertex: &&u32| basis.graph.arcs(vertex).next().is_some();
    let nearest = area.iter().filter(on_street).copied();
    nearest.min_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.cmp(&b))).unwrap_or(area[0])
}

/// Rings of all substations.
pub(super) fn plan(basis: &Basis<'_>, supplies: &[Supply], stops: &[Stop]) -> Vec<Ring> {
    let ladder = basis.equipment.ladder(CableRole::Mv, basis.settings);
    let single = ladder.iter().filter(|laid| laid.parallel == 1);
    let rating_va = single.map(|laid| basis.equipment.cable_va(*laid, basis.settings.mv_base_v)).fold(0.0, f64::max);
    let limit_w = rating_va * basis.settings.ring_loading_max * basis.settings.power_factor;
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (row, supply) in supplies.iter().enumerate() {
        runs.extend(sweep(basis, supply, stops, limit_w).into_iter().map(|run| (row as u32, run)));
    }
    let rings = map_chunks(runs.len(), CHUNK_RINGS, |range| {
        let mut search = Search::new(basis.graph.vertices());
        let plan = |row: usize| {
            let (supply, run) = &runs[row];
            ring(basis, &ladder, (*supply, supplies[*supply as usize].vertex), run, stops, &mut search)
        };
        range.map(plan).collect::<Vec<_>>()
    });
    rings.into_iter().flatten().collect()
}

/// Runs of a substation's stops by direction.
fn sweep(basis: &Basis<'_>, supply: &Supply, stops: &[Stop], limit_w: f64) -> Vec<Vec<u32>> {
    let g = basis.demand.g;
    let [x0, y0] = basis.place[supply.vertex as usize];
    let angle = |stop: u32| {
        let [x, y] = basis.place[stops[stop as usize].vertex as usize];
        (y - y0).atan2(x - x0)
    };
    let mut order: Vec<(f64, u32)> = supply.stops.iter().map(|&stop| (angle(stop), stop)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let n = order.len();
    let gap = |row: usize| {
        let before = if row == 0 { order[n - 1].0 - 2.0 * std::f64::consts::PI } else { order[row - 1].0 };
        order[row].0 - before
    };
    let first = (0..n).max_by(|&a, &b| gap(a).total_cmp(&gap(b)).then(b.cmp(&a))).unwrap_or(0);
    let order: Vec<u32> = (0..n).map(|row| order[(first + row) % n].1).collect();
    let peak_w = |stop: u32| stops[stop as usize].sums.peak_w(g);
    let total_w: f64 = order.iter().map(|&stop| peak_w(stop)).sum();
    let most = basis.settings.ring_stations_max as usize;
    let mut count = n.div_ceil(most).max((supply.sums.peak_w(g) / limit_w).ceil() as usize).max(1);
    loop {
        let mut runs = vec![(Vec::new(), Sums::default()); count];
        let mut at = 0.0;
        for &stop in &order {
            let part = 0.5 / n as f64 + if total_w > 0.0 { 0.5 * peak_w(stop) / total_w } else { 0.5 / n as f64 };
            let run = (((at + 0.5 * part) * count as f64) as usize).min(count - 1);
            at += part;
            runs[run].0.push(stop);
            runs[run].1.add(&stops[stop as usize].sums);
        }
        let fits = |(run, sums): &(Vec<u32>, Sums)| run.len() < 2 || (run.len() <= most && sums.peak_w(g) <= limit_w);
        if count >= n || runs.iter().all(fits) {
            return runs.into_iter().map(|run| run.0).filter(|run| !run.is_empty()).collect();
        }
        count += 1;
    }
}

/// One ring.
fn ring(
    basis: &Basis<'_>,
    ladder: &[Laid],
    supply: (u32, u32),
    run: &[u32],
    stops: &[Stop],
    search: &mut Search,
) -> Ring {
    let n = run.len();
    let vertex = |row: usize| if row == 0 { supply.1 } else { stops[run[row - 1] as usize].vertex };
    let mut wanted: Vec<u32> = (0..=n).map(vertex).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let reach = |from: u32, search: &mut Search| {
        let mut left = wanted.len();
        let is_done = |vertex: u32| {
            left -= usize::from(wanted.binary_search(&vertex).is_ok());
            left == 0
        };
        search.run(basis.graph, from, |_| true, is_done);
    };
    let distances = |from: usize, search: &mut Search| {
        reach(vertex(from), search);
        (0..=n).map(|to| search.dist_mm(vertex(to)).unwrap_or(u64::MAX / 1024)).collect::<Vec<u64>>()
    };
    let mm: Vec<Vec<u64>> = (0..=n).map(|from| distances(from, search)).collect();
    let tour = tour(&mm);
    let ordered: Vec<u32> = tour.iter().map(|&row| run[row - 1]).collect();
    let mut at = supply.1;
    let mut legs = Vec::new();
    for next in ordered.iter().map(|&stop| stops[stop as usize].vertex).chain([supply.1]) {
        reach(at, search);
        let length_m = search.dist_mm(next).unwrap_or(0) as f64 / 1000.0;
        legs.push(Leg { way: search.way(next), length_m: length_m.max(SHORTEST_M) });
        at = next;
    }
    let g = basis.demand.g;
    let peak = |stops_of: &[u32]| {
        let mut sums = Sums::default();
        stops_of.iter().for_each(|&stop| sums.add(&stops[stop as usize].sums));
        sums.peak_w(g)
    };
    let unbalance = |leg: usize| (peak(&ordered[..leg]) - peak(&ordered[leg..])).abs();
    let open_leg = (0..=n).min_by(|&a, &b| unbalance(a).total_cmp(&unbalance(b)).then(a.cmp(&b))).unwrap_or(0);
    let settings = basis.settings;
    let whole_va = peak(&ordered) / settings.power_factor;
    let drops = |laid: Laid| {
        let drop = |leg: usize, behind: &[u32]| {
            let ohm = basis.equipment.ohm(laid, legs[leg].length_m);
            drop_pu(ohm, peak(behind), settings, settings.mv_base_v * 0.95)
        };
        let mut at = vec![0.0; n];
        let mut sum = 0.0;
        for row in 0..open_leg {
            sum += drop(row, &ordered[row..open_leg]);
            at[row] = sum;
        }
        sum = 0.0;
        for row in (open_leg..n).rev() {
            sum += drop(row + 1, &ordered[open_leg..=row]);
            at[row] = sum;
        }
        at
    };
    let mut rung = first_rung(ladder, basis.equipment, whole_va, settings.mv_base_v, settings.ring_loading_max);
    let is_low = |at: &[f64]| at.iter().any(|&drop| drop > settings.mv_voltage_drop_max_pu);
    let mut drop_pu = drops(ladder[rung]);
    while is_low(&drop_pu) && rung + 1 < ladder.len() {
        rung += 1;
        drop_pu = drops(ladder[rung]);
    }
    let rating_va = basis.equipment.cable_va(ladder[rung], settings.mv_base_v);
    let is_within = !is_low(&drop_pu) && whole_va <= rating_va * settings.ring_loading_max;
    Ring { supply: supply.0, stops: ordered, legs, open_leg, laid: ladder[rung], drop_pu, is_within }
}

/// A short round trip from row 0 through all others: nearest next, then 2-opt. Rows of the others in order.
fn tour(mm: &[Vec<u64>]) -> Vec<usize> {
    let mut left: Vec<usize> = (1..mm.len()).collect();
    let mut tour = vec![0];
    while !left.is_empty() {
        let here = tour[tour.len() - 1];
        let next = (0..left.len()).min_by_key(|&at| (mm[here][left[at]], left[at])).unwrap_or(0);
        tour.push(left.remove(next));
    }
    tour.push(0);
    let mut is_better = true;
    while is_better {
        is_better = false;
        for first in 1..tour.len() - 1 {
            for last in first + 1..tour.len() - 1 {
                let (a, b, c, d) = (tour[first - 1], tour[first], tour[last], tour[last + 1]);
                if mm[a][c] + mm[b][d] < mm[a][b] + mm[c][d] {
                    tour[first..=last].reverse();
                    is_better = true;
                }
            }
        }
    }
    tour[1..tour.len() - 1].to_vec()
}
