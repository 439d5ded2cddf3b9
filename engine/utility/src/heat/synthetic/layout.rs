//! Where district heat is worth its trenches, and where its plants stand.
//!
//! Each stretch of streets is spanned by a tree ([`crate::pipes::synthetic::layout`]) from the vertex nearest to the centre of its
//! heat. With a price `t` for each metre of trench (the least linear heat density) the part of the tree that is worth most is found
//! from its ends up, the tree form of the prize-collecting Steiner problem (D. S. Johnson, M. Minkoff, S. Phillips, The prize
//! collecting Steiner tree problem, SODA 2000):
//!
//! ```text
//! worth(v) = sum over buildings max(0, E - t s) + sum over vertices u behind v of max(0, worth(u) - t l(u, v))
//! ```
//!
//! `E` heat of a year, `s` length of a service line, `l` length along the street. Where `worth(u)` does not pay for `l`, the tree
//! is cut: what is behind is a cluster of its own if it has the least heat that is worth a plant, else it has no district heat.
//! So every cluster brings at least `t` by metre of all its trench, and so does every alley and every service line in it.
//!
//! A cluster whose peak would be more than one plant may give is cut where what is behind is large enough for another; true
//! networks of that size are fed by several plants, here each has its own.
//!
//! Buildings that are to join whatever it takes (`joins`) are worth more than any trench, so what leads to them is laid along the same tree:
//! who has district heat without them keeps it.
//!
//! Ignored: the tree is grown before it is known where heat is dense, so where it enters a dense core from several sides the core
//! may get several plants, and its ends none.
//!
//! The plant of a cluster stands at its median: no branch from there has more than half of the peak. That is where pumps have the
//! least to do; true plants often stand at the rim.
//!
//! Contract: see [`crate::pipes::synthetic`]. Sums run along the order in which trees were grown.

use super::settings::SyntheticHeatSettings;
use crate::pipes::synthetic::coincidence::Sums;
use crate::pipes::synthetic::layout::{Forest, Grown, grow};
use crate::streets::Streets;
use crate::streets::paths::NONE;
use urbis_city::model::City;

/// Share of the largest plant's peak from which a part of a cluster that is too large for it gets a plant of its own.
const LARGE_SHARE: f64 = 0.25;

/// What a building is worth that is to join, kWh/a: more than all trenches of a city.
const JOINS_KWH: f64 = 1e12;

/// What is laid; columns by row of the forest.
pub(super) struct Layout {
    pub(super) forest: Forest,
    /// Cluster of each row.
    pub(super) cluster: Vec<u32>,
    /// Peaks behind each row, itself included.
    pub(super) sums: Vec<Sums>,
    /// Row at which each building's service line begins; [`NONE`] where it has no district heat.
    pub(super) joint: Vec<u32>,
    /// Length of service lines, m; 0 where there is none. Shape: buildings.
    pub(super) service_m: Vec<f64>,
}

/// Length of a building's service line, m.
fn service_m(city: &City, streets: &Streets, building: usize) -> f64 {
    let [x, y] = streets.place[streets.joint[building] as usize];
    (city.buildings.x_m[building] - x).hypot(city.buildings.y_m[building] - y).max(1.0)
}

pub(super) fn lay(
    city: &City,
    streets: &Streets,
    annual_kwh: &[f64],
    sums: &[Sums],
    joins: &[bool],
    settings: &SyntheticHeatSettings,
) -> Layout {
    let vertices = streets.place.len();
    let price = settings.linear_density_kwhpm_min;
    let mut kwh = vec![0.0; vertices];
    let mut own_kwh = vec![0.0; vertices];
    let mut has_joining = vec![false; vertices];
    let mut worth = vec![0.0; vertices];
    let mut peak = vec![0.0; vertices];
    let mut behind = vec![Sums::default(); vertices];
    let mut is_worth_it = vec![false; sums.len()];
    for (building, of) in sums.iter().enumerate() {
        let profit = annual_kwh[building] - price * service_m(city, streets, building);
        let is_joining = joins.get(building).copied().unwrap_or(false);
        if of.linear_w > 0.0 && annual_kwh[building] > 0.0 && (profit >= 0.0 || is_joining) {
            let vertex = streets.joint[building] as usize;
            is_worth_it[building] = true;
            kwh[vertex] += annual_kwh[building];
            own_kwh[vertex] += if profit >= 0.0 { annual_kwh[building] } else { 0.0 };
            worth[vertex] += if is_joining { JOINS_KWH } else { profit };
            has_joining[vertex] |= is_joining;
            peak[vertex] += of.linear_w;
            behind[vertex].add(of);
        }
    }
    let centre_of = |stretch: &Vec<u32>| centre(streets, stretch, &own_kwh).or_else(|| centre(streets, stretch, &kwh));
    let sources: Vec<u32> = streets.supplied.iter().filter_map(centre_of).collect();
    let straight = (1000.0 * settings.route.straightness).round() as u64;
    let grown = grow(&streets.graph, &sources, straight, |_| true);
    // Worth and heat of the part of the tree behind each vertex that is not cut off.
    let mut is_cut = vec![true; vertices];
    for &vertex in grown.order.iter().rev() {
        let (at, before) = (vertex as usize, grown.before[vertex as usize].0);
        if before == NONE {
            continue;
        }
        let length_m = (grown.dist_mm[at] - grown.dist_mm[before as usize]) as f64 / 1000.0;
        let gain = worth[at] - price * length_m;
        let is_worth_it = gain > 0.0 || (price <= 0.0 && kwh[at] > 0.0);
        let mut both = behind[before as usize];
        both.add(&behind[at]);
        // More than a plant may give: what is large enough for one of its own gets it.
        let is_full = both.peak_w() > settings.plant_peak_w_max
            && behind[at].peak_w() > LARGE_SHARE * settings.plant_peak_w_max
            && kwh[at] >= settings.cluster_kwh_min;
        if is_worth_it && !is_full {
            is_cut[at] = false;
            worth[before as usize] += gain;
            kwh[before as usize] += kwh[at];
            has_joining[before as usize] |= has_joining[at];
            behind[before as usize] = both;
        }
    }
    let mut top = vec![NONE; vertices];
    let mut has_plant = vec![false; vertices];
    for &vertex in &grown.order {
        let at = vertex as usize;
        top[at] = if is_cut[at] { vertex } else { top[grown.before[at].0 as usize] };
        let is_enough = kwh[at] >= settings.cluster_kwh_min || has_joining[at];
        has_plant[at] = is_cut[at] && kwh[at] > 0.0 && is_enough;
    }
    let is_kept = |vertex: u32| {
        let top = top[vertex as usize];
        top != NONE && has_plant[top as usize]
    };
    let rooted = rooted_at_medians(&grown, &top, &peak, &is_kept);
    let mut is_wanted = vec![false; vertices];
    for building in (0..sums.len()).filter(|&building| is_worth_it[building]) {
        is_wanted[streets.joint[building] as usize] |= is_kept(streets.joint[building]);
    }
    for &vertex in &rooted.order {
        is_wanted[vertex as usize] |= rooted.before[vertex as usize].0 == NONE;
    }
    let forest = rooted.skeleton(&is_wanted);
    let mut row_of = vec![NONE; vertices];
    forest.vertex.iter().enumerate().for_each(|(row, &vertex)| row_of[vertex as usize] = row as u32);
    let rows = forest.len();
    let mut of = Layout {
        cluster: vec![0; rows],
        sums: vec![Sums::default(); rows],
        joint: vec![NONE; sums.len()],
        service_m: vec![0.0; sums.len()],
        forest,
    };
    for building in (0..sums.len()).filter(|&building| is_worth_it[building]) {
        let row = row_of[streets.joint[building] as usize];
        if row != NONE {
            of.joint[building] = row;
            of.service_m[building] = service_m(city, streets, building);
            of.sums[row as usize].add(&sums[building]);
        }
    }
    let mut clusters = 0;
    for row in 0..rows {
        let before = of.forest.before[row];
        of.cluster[row] = if before == NONE { clusters } else { of.cluster[before as usize] };
        clusters += u32::from(before == NONE);
    }
    for row in (0..rows).rev().filter(|&row| of.forest.before[row] != NONE) {
        let behind = of.sums[row];
        of.sums[of.forest.before[row] as usize].add(&behind);
    }
    of
}

/// The vertex of a stretch nearest to the centre of its heat; nothing where there is no heat.
fn centre(streets: &Streets, stretch: &[u32], kwh: &[f64]) -> Option<u32> {
    let (mut whole, mut moment) = (0.0, [0.0; 2]);
    for &vertex in stretch {
        let ([x, y], w) = (streets.place[vertex as usize], kwh[vertex as usize]);
        whole += w;
        moment = [moment[0] + w * x, moment[1] + w * y];
    }
    let [x, y] = moment.map(|of| of / whole);
    let far_m = |vertex: u32| (streets.place[vertex as usize][0] - x).hypot(streets.place[vertex as usize][1] - y);
    let nearest = stretch.iter().copied().min_by(|&a, &b| far_m(a).total_cmp(&far_m(b)).then(a.cmp(&b)));
    nearest.filter(|_| whole > 0.0)
}

/// The kept parts of trees, rooted at their medians of peak.
fn rooted_at_medians(grown: &Grown, top: &[u32], peak: &[f64], is_kept: &dyn Fn(u32) -> bool) -> Grown {
    let vertices = top.len();
    let kept: Vec<u32> = grown.order.iter().copied().filter(|&vertex| is_kept(vertex)).collect();
    let mut behind = peak.to_vec();
    for &vertex in kept.iter().rev().filter(|&&vertex| top[vertex as usize] != vertex) {
        behind[grown.before[vertex as usize].0 as usize] += behind[vertex as usize];
    }
    // The last vertex on the way down that has half of its cluster behind it: at most one neighbour ahead has as much.
    let mut median: Vec<u32> = (0..vertices as u32).collect();
    for &vertex in &kept {
        let root = top[vertex as usize] as usize;
        let (is_half, at) = (2.0 * behind[vertex as usize] >= behind[root], median[root]);
        if is_half && (vertex as usize == root || grown.before[vertex as usize].0 == at) {
            median[root] = vertex;
        }
    }
    let mut before = vec![(NONE, NONE); vertices];
    for &vertex in kept.iter().filter(|&&vertex| top[vertex as usize] != vertex) {
        before[vertex as usize] = grown.before[vertex as usize];
    }
    for &vertex in kept.iter().filter(|&&vertex| top[vertex as usize] == vertex) {
        // Turns the links from the median up to the old root.
        let (mut at, mut link) = (median[vertex as usize], (NONE, NONE));
        while at != NONE {
            let up = std::mem::replace(&mut before[at as usize], link);
            link = (at, up.1);
            at = up.0;
        }
    }
    let mut start = vec![0_u32; vertices + 1];
    for &vertex in kept.iter().filter(|&&vertex| before[vertex as usize].0 != NONE) {
        start[before[vertex as usize].0 as usize + 1] += 1;
    }
    (0..vertices).for_each(|vertex| start[vertex + 1] += start[vertex]);
    let mut next = start.clone();
    let mut children = vec![NONE; start[vertices] as usize];
    for &vertex in kept.iter().filter(|&&vertex| before[vertex as usize].0 != NONE) {
        let at = &mut next[before[vertex as usize].0 as usize];
        children[*at as usize] = vertex;
        *at += 1;
    }
    let roots = kept.iter().copied().filter(|&vertex| before[vertex as usize].0 == NONE);
    let mut rooted = Grown { order: roots.collect(), dist_mm: vec![u64::MAX; vertices], before };
    let mut done = 0;
    while done < rooted.order.len() {
        let vertex = rooted.order[done];
        let up = rooted.before[vertex as usize].0;
        rooted.dist_mm[vertex as usize] = match up {
            NONE => 0,
            _ => {
                let along_mm = grown.dist_mm[vertex as usize].abs_diff(grown.dist_mm[up as usize]);
                rooted.dist_mm[up as usize] + along_mm
            }
        };
        let range = start[vertex as usize] as usize..start[vertex as usize + 1] as usize;
        rooted.order.extend_from_slice(&children[range]);
        done += 1;
    }
    rooted
}
