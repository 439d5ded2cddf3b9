//! Low voltage: areas of stations and their trees of cables.
//!
//! A stretch of streets is divided into areas of about the target load ([`super::partition`]); an area is divided again
//! where its peak, its longest way or its voltage drop is too large. The station stands where load times way to it is
//! least, found by stepping from the vertex nearest to the centre of load to better neighbours; from where a way is twice
//! the longest allowed no step helps. Its tree is that of shortest ways; vertices where nothing leaves it are passed
//! through.
//!
//! Sizes: the thinnest cable of the ladder that carries the peak of what lies behind it; then, while a building's
//! voltage drop `sum((P R + Q X) / V^2)`, its service cable included, is too large, that cable on the way to the worst
//! one which gains most from the next rung. `V` is the lowest allowed, on the safe side.
//!
//! Contract: areas are independent and planned in parallel, in constant chunks.

use super::demand::{Demand, Sums};
use super::equipment::{CableRole, Equipment, Laid};
use super::partition::Division;
use super::settings::SyntheticGridSettings;
use crate::streets::paths::{Graph, NONE, Search};
use urbis_core::chunks::map_chunks;

/// Areas planned by one thread at a time.
const CHUNK_AREAS: usize = 8;

/// What a plan stands on.
pub(super) struct Basis<'a> {
    pub(super) graph: &'a Graph,
    pub(super) place: &'a [[f64; 2]],
    pub(super) settings: &'a SyntheticGridSettings,
    pub(super) equipment: &'a Equipment,
    pub(super) demand: &'a Demand,
    /// Buildings with a service cable at each vertex: where they begin, and their rows.
    pub(super) start: Vec<u32>,
    pub(super) buildings: Vec<u32>,
    /// Service cable of each building; for those without, the first.
    pub(super) service: Vec<Laid>,
    /// Length of service cables, metres.
    pub(super) service_m: Vec<f64>,
    /// Of a vertex, all peaks and the largest voltage drop of a service cable, per unit.
    pub(super) sums: Vec<Sums>,
    pub(super) service_drop_pu: Vec<f64>,
}

impl Basis<'_> {
    pub(super) fn buildings(&self, vertex: u32) -> &[u32] {
        &self.buildings[self.start[vertex as usize] as usize..self.start[vertex as usize + 1] as usize]
    }
    /// Voltage drop of a power over a cable at low voltage, per unit.
    pub(super) fn drop_pu(&self, laid: Laid, length_m: f64, p_w: f64) -> f64 {
        drop_pu(self.equipment.ohm(laid, length_m), p_w, self.settings, self.settings.lv_base_v * 0.9)
    }
}

/// Voltage drop of a power over an impedance, per unit of a voltage, on the safe side at a lower one.
pub(super) fn drop_pu(ohm: (f64, f64), p_w: f64, settings: &SyntheticGridSettings, at_v: f64) -> f64 {
    (ohm.0 + ohm.1 * settings.tan_phi()) * p_w / (at_v * at_v)
}

/// The first rung that carries a power, or the last.
pub(super) fn first_rung(ladder: &[Laid], equipment: &Equipment, power_va: f64, base_v: f64, loading: f64) -> usize {
    let carries = |laid: &Laid| equipment.cable_va(*laid, base_v) * loading >= power_va;
    ladder.iter().position(carries).unwrap_or(ladder.len() - 1)
}

/// A vertex of a tree that something leaves from, and the cable from the one before it.
#[derive(Clone, Debug)]
pub(super) struct Joint {
    pub(super) vertex: u32,
    /// Row before it, [`NONE`] at the station.
    pub(super) before: u32,
    /// Segments from there, each with the vertex that it leads to.
    pub(super) way: Vec<(u32, u32)>,
    pub(super) length_m: f64,
    /// Peaks behind it.
    pub(super) sums: Sums,
    pub(super) rung: usize,
}

/// An area: a station and its tree, the station first, vertices before those behind them.
#[derive(Clone, Debug)]
pub(super) struct Area {
    pub(super) joints: Vec<Joint>,
    /// Whether way and voltage are within limits.
    pub(super) is_within: bool,
}

/// Plans all areas of a stretch of streets.
pub(super) fn plan(basis: &Basis<'_>, stretch: &[u32]) -> Vec<Area> {
    let is_served: Vec<bool> = (0..basis.graph.vertices() as u32).map(|v| !basis.buildings(v).is_empty()).collect();
    if !stretch.iter().any(|&vertex| is_served[vertex as usize]) {
        return Vec::new();
    }
    let weight = weights(basis, stretch);
    let mut division = Division::new(basis.graph, &is_served, &weight);
    let total_w = division.load(stretch);
    let target_w = basis.settings.station_peak_va_target * basis.settings.power_factor;
    let mut open = division.divide(stretch.to_vec(), (total_w / target_w).ceil().max(1.0) as u32);
    let ladder = basis.equipment.ladder(CableRole::LvMain, basis.settings);
    let mut areas = Vec::new();
    while !open.is_empty() {
        let label = &division.area;
        let planned = map_chunks(open.len(), CHUNK_AREAS, |range| {
            let mut search = Search::new(basis.graph.vertices());
            range.map(|row| area(basis, &ladder, label, &open[row], &mut search)).collect::<Vec<_>>()
        });
        let mut next = Vec::new();
        for (vertices, area) in open.into_iter().zip(planned.into_iter().flatten()) {
            let halves = if area.is_within { None } else { division.halve(&vertices, 0.5) };
            match halves {
                Some(halves) => {
                    next.extend(halves.into_iter().filter(|half| half.iter().any(|&v| is_served[v as usize])));
                }
                None => areas.push(area),
            }
        }
        open = next;
    }
    areas
}

/// Part of each vertex in the peak of an area of the target size, so that parts of a stretch can be added. An area of `n`
/// equal customers meets the target `T` where `n P (g + (1 - g) / sqrt(n)) = T`.
fn weights(basis: &Basis<'_>, stretch: &[u32]) -> Vec<f64> {
    let mut whole = Sums::default();
    stretch.iter().for_each(|&vertex| whole.add(&basis.sums[vertex as usize]));
    let target_w = basis.settings.station_peak_va_target * basis.settings.power_factor;
    let factor = [0, 1].map(|kind| {
        let g = basis.demand.g[kind];
        if whole.linear_w[kind] <= 0.0 {
            return 0.0;
        }
        let own_w = whole.square_w2[kind] / whole.linear_w[kind];
        let root = ((1.0 - g).powi(2) + 4.0 * g * target_w / own_w).sqrt() - (1.0 - g);
        g + (1.0 - g) / (root / (2.0 * g)).max(1.0)
    });
    basis.sums.iter().map(|of| factor[0] * of.linear_w[0] + factor[1] * of.linear_w[1]).collect()
}

/// Plans one area, whose vertices have one label.
fn area(basis: &Basis<'_>, ladder: &[Laid], label: &[u32], vertices: &[u32], search: &mut Search) -> Area {
    let settings = basis.settings;
    let mine = label[vertices[0] as usize];
    let may_pass = |to: u32| label[to as usize] == mine;
    let station = centre(basis, vertices, &may_pass, search);
    search.run(basis.graph, station, may_pass, |_| false);
    let mut joints = tree(basis, search);
    let mut is_within = search
        .settled
        .iter()
        .filter(|&&vertex| !basis.buildings(vertex).is_empty())
        .all(|&vertex| search.dist_mm(vertex).is_some_and(|d| d as f64 <= 1000.0 * settings.lv_street_m_max));
    for row in (1..joints.len()).rev() {
        let (sums, before) = (joints[row].sums, joints[row].before as usize);
        joints[before].sums.add(&sums);
    }
    for joint in &mut joints {
        let power_va = joint.sums.peak_w(basis.demand.g) / settings.power_factor;
        joint.rung = first_rung(ladder, basis.equipment, power_va, settings.lv_base_v, settings.cable_loading_max);
    }
    let carries = |joint: &Joint| {
        let rating_va = basis.equipment.cable_va(ladder[joint.rung], settings.lv_base_v);
        joint.sums.peak_w(basis.demand.g) / settings.power_factor <= rating_va * settings.cable_loading_max
    };
    is_within &= joints[1..].iter().all(carries);
    is_within &= joints[0].sums.peak_w(basis.demand.g) <= settings.station_peak_va_max * settings.power_factor;
    is_within = lift_voltage(basis, ladder, &mut joints) && is_within;
    Area { joints, is_within }
}

/// The vertex of least load times way, of those that stepping from the centre of load finds.
fn centre(basis: &Basis<'_>, vertices: &[u32], may_pass: &impl Fn(u32) -> bool, search: &mut Search) -> u32 {
    // A watt for each served vertex, so that those without a peak count for something.
    let weight = |vertex: u32| {
        let served = f64::from(u8::from(!basis.buildings(vertex).is_empty()));
        served + basis.sums[vertex as usize].linear_w.iter().sum::<f64>()
    };
    let mut sum = [0.0; 3];
    for &vertex in vertices {
        let (w, [x, y]) = (weight(vertex), basis.place[vertex as usize]);
        sum = [sum[0] + w * x, sum[1] + w * y, sum[2] + w];
    }
    let far = |vertex: u32| {
        let [x, y] = basis.place[vertex as usize];
        (x - sum[0] / sum[2]).hypot(y - sum[1] / sum[2])
    };
    let mut best = vertices.iter().copied().min_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.cmp(&b))).unwrap_or(0);
    let mut moment = |from: u32| {
        search.run(basis.graph, from, may_pass, |_| false);
        let served = search.settled.iter().filter(|&&vertex| !basis.buildings(vertex).is_empty());
        let dist = |vertex: u32| search.dist_mm(vertex).unwrap_or(0) as f64;
        served.fold((0.0, 0.0_f64), |(sum, far), &vertex| (sum + weight(vertex) * dist(vertex), far.max(dist(vertex))))
    };
    let (mut least, far_mm) = moment(best);
    if far_mm > 2000.0 * basis.settings.lv_street_m_max {
        return best;
    }
    loop {
        let here = best;
        for (to, ..) in basis.graph.arcs(here).filter(|&(to, ..)| may_pass(to)) {
            let of = moment(to).0;
            if of < least {
                (best, least) = (to, of);
            }
        }
        if best == here {
            return best;
        }
    }
}

/// The tree of shortest ways to served vertices of the last search, without sizes.
fn tree(basis: &Basis<'_>, search: &Search) -> Vec<Joint> {
    let settled = &search.settled;
    // Rows of settled vertices by vertex, to count what leaves from each.
    let mut by_vertex: Vec<(u32, u32)> =
        settled.iter().enumerate().map(|(row, &vertex)| (vertex, row as u32)).collect();
    by_vertex.sort_unstable();
    let row_of = |vertex: u32| by_vertex[by_vertex.binary_search_by_key(&vertex, |of| of.0).unwrap_or(0)].1 as usize;
    let mut leaving = vec![0_u32; settled.len()];
    let mut is_used = vec![false; settled.len()];
    for row in (0..settled.len()).rev() {
        is_used[row] |= !basis.buildings(settled[row]).is_empty() || row == 0;
        let before = search.before(settled[row]).0;
        if is_used[row] && before != NONE {
            let before = row_of(before);
            is_used[before] = true;
            leaving[before] += 1;
        }
    }
    let mut joint_of = vec![NONE; settled.len()];
    let mut joints: Vec<Joint> = Vec::new();
    for row in (0..settled.len()).filter(|&row| is_used[row]) {
        let vertex = settled[row];
        if row > 0 && leaving[row] == 1 && basis.buildings(vertex).is_empty() {
            continue;
        }
        let (mut way, mut at, mut before) = (Vec::new(), vertex, NONE);
        while search.before(at).0 != NONE {
            let (up, segment) = search.before(at);
            way.push((segment, at));
            at = up;
            before = joint_of[row_of(up)];
            if before != NONE {
                break;
            }
        }
        way.reverse();
        let length_mm = search.dist_mm(vertex).unwrap_or(0) - search.dist_mm(at).unwrap_or(0);
        joint_of[row] = joints.len() as u32;
        let sums = basis.sums[vertex as usize];
        joints.push(Joint { vertex, before, way, length_m: length_mm as f64 / 1000.0, sums, rung: 0 });
    }
    joints
}

/// Thickens cables until voltages do; whether they do.
fn lift_voltage(basis: &Basis<'_>, ladder: &[Laid], joints: &mut [Joint]) -> bool {
    let drop_on =
        |joint: &Joint, rung: usize| basis.drop_pu(ladder[rung], joint.length_m, joint.sums.peak_w(basis.demand.g));
    let mut drop_at = vec![0.0; joints.len()];
    loop {
        let mut worst = (0.0, 0);
        for row in 0..joints.len() {
            if row > 0 {
                drop_at[row] = drop_at[joints[row].before as usize] + drop_on(&joints[row], joints[row].rung);
            }
            let over = drop_at[row] + basis.service_drop_pu[joints[row].vertex as usize]
                - basis.settings.lv_voltage_drop_max_pu;
            if over > worst.0 {
                worst = (over, row);
            }
        }
        if worst.0 <= 0.0 {
            return true;
        }
        let (mut row, mut best) = (worst.1, (0.0, NONE));
        while joints[row].before != NONE {
            let joint = &joints[row];
            if joint.rung + 1 < ladder.len() {
                let gain = drop_on(joint, joint.rung) - drop_on(joint, joint.rung + 1);
                if gain > best.0 {
                    best = (gain, row as u32);
                }
            }
            row = joint.before as usize;
        }
        if best.1 == NONE {
            return false;
        }
        joints[best.1 as usize].rung += 1;
    }
}
