//! Joining links across nodes where nothing happens: crossings, changes of name, ends of mapped ways.
//!
//! A node goes when drivers have one way through it in each direction: one link in and one out, or two of
//! each between the same two neighbours. Then link `a` into it and `b` out of it become one link with
//! `L = L_a + L_b`, free time `T = T_a + T_b`, physical storage `k_j L = k_a L_a + k_b L_b`, the smaller
//! capacity, the priority of the last, and the route factor that keeps the cost of the way. Every node is
//! judged by its own links alone, so the result does not depend on an order.
//!
//! Nodes stay where they must be kept (signals, gateways, ends of trips), where speed, capacity or jam
//! density of the two links differ, where the way through is banned, and where a link would end at the node
//! it began at. Node numbers do not change; nodes that went have no link any more.
//!
//! Ignored: turning back at a node that went, which is no longer possible. Contract: sequential, pure, rows
//! in order of each link's first part.

use crate::network::NetworkColumns;
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Which nodes may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MergeSettings {
    /// A node goes only when one of the links there is shorter than this, metres.
    pub length_m_max: f64,
    /// Nor unless one of them takes less than this on an empty road, seconds.
    pub free_s_max: f64,
    /// Largest relative difference of speed, capacity and jam density between the two links.
    pub difference_max: f64,
}

impl Default for MergeSettings {
    fn default() -> Self {
        Self { length_m_max: f64::INFINITY, free_s_max: f64::INFINITY, difference_max: 0.01 }
    }
}

/// From the links that were to those that are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// New link of each old one.
    pub link: Vec<CarLinkIx>,
    /// Old links of each new one, in driving order.
    parts: Csr<CarLinkIx>,
    /// Share of the new link's free time that each part takes, row by row of `parts`.
    time_share: Vec<f64>,
    /// Nodes that went.
    pub nodes_gone: Vec<u32>,
}

/// Joins links; `keep` marks nodes that must stay.
///
/// # Errors
/// [`urbis_core::Error::Input`] when columns differ in length or name nodes or links that do not exist.
/// Values are not judged: [`crate::CarNetwork::from_columns`] does that.
pub fn merge_short(
    columns: &NetworkColumns,
    keep: &[bool],
    settings: &MergeSettings,
) -> Result<(NetworkColumns, Merged)> {
    check_columns(columns, Some(keep))?;
    let links = columns.from.len();
    let mut next = ways_through(columns, keep, settings);
    break_loops(columns, &mut next);
    let mut starts = vec![true; links];
    for &(_, out) in next.iter().flatten() {
        starts[out.row()] = false;
    }
    let (mut link, mut parts) = (vec![CarLinkIx::NONE; links], Vec::new());
    let mut count = 0;
    for first in (0..links).filter(|&row| starts[row]) {
        let mut at = CarLinkIx(first as u32);
        loop {
            link[at.row()] = CarLinkIx(count);
            parts.push((count, at));
            match next[at.row()] {
                Some((_, out)) => at = out,
                None => break,
            }
        }
        count += 1;
    }
    let parts = Csr::from_pairs(count as usize, &parts);
    let mut nodes_gone: Vec<u32> = next.iter().flatten().map(|&(node, _)| node).collect();
    nodes_gone.sort_unstable();
    nodes_gone.dedup();
    let free_s = |part: CarLinkIx| columns.length_m[part.row()] / columns.speed_mps_free[part.row()];
    let total_s: Vec<f64> =
        (0..parts.rows()).map(|row| parts.row(row).iter().map(|&part| free_s(part)).sum()).collect();
    let time_share = parts.values().iter().map(|&part| free_s(part) / total_s[link[part.row()].row()]).collect();
    let merged = Merged { link, parts, time_share, nodes_gone };
    Ok((merged.join(columns, &total_s), merged))
}

pub(crate) fn check_columns(columns: &NetworkColumns, keep: Option<&[bool]>) -> Result<()> {
    let (links, nodes) = (columns.from.len(), columns.x_m.len());
    let mut problems = Problems::new();
    let place = Path::new("links");
    let or_empty = |have: usize| if have == 0 { links } else { have };
    for (name, have, need) in [
        ("y_m", columns.y_m.len(), nodes),
        ("keep", keep.map_or(nodes, <[bool]>::len), nodes),
        ("to", columns.to.len(), links),
        ("length_m", columns.length_m.len(), links),
        ("speed_mps_free", columns.speed_mps_free.len(), links),
        ("capacity_vps", columns.capacity_vps.len(), links),
        ("jam_density_vpm", columns.jam_density_vpm.len(), links),
        ("priority", or_empty(columns.priority.len()), links),
        ("route_factor", or_empty(columns.route_factor.len()), links),
    ] {
        if have != need {
            problems.push(Problem::file(place, format!("column {name} has {have} rows, expected {need}")));
        }
    }
    for (field, ends) in [("from", &columns.from), ("to", &columns.to)] {
        for (row, node) in ends.iter().enumerate().filter(|(_, node)| **node as usize >= nodes) {
            problems.push(Problem::value(place, row + 1, None, field, node, "a row of the nodes"));
        }
    }
    for &(into, out) in columns.banned.iter().filter(|(into, out)| into.row().max(out.row()) >= links) {
        problems.push(Problem::file(place, format!("banned turn {} to {}: no such link", into.0, out.0)));
    }
    problems.or_else(())
}

/// For each link the node at its end and the only link to go on with, where the node can go.
fn ways_through(columns: &NetworkColumns, keep: &[bool], settings: &MergeSettings) -> Vec<Option<(u32, CarLinkIx)>> {
    let by = |ends: &[u32]| {
        let pairs: Vec<_> = ends.iter().enumerate().map(|(link, &node)| (node, CarLinkIx(link as u32))).collect();
        Csr::from_pairs(keep.len(), &pairs)
    };
    let (into, out) = (by(&columns.to), by(&columns.from));
    let mut banned = columns.banned.clone();
    banned.sort_unstable();
    let alike = |a: f64, b: f64| (a - b).abs() <= settings.difference_max * a.max(b);
    let free_s = |row: usize| columns.length_m[row] / columns.speed_mps_free[row];
    let joins = |a: CarLinkIx, b: CarLinkIx| {
        let (a, b) = (a.row(), b.row());
        columns.from[a] != columns.to[b]
            && columns.length_m[a].min(columns.length_m[b]) < settings.length_m_max
            && free_s(a).min(free_s(b)) < settings.free_s_max
            && alike(columns.speed_mps_free[a], columns.speed_mps_free[b])
            && alike(columns.capacity_vps[a], columns.capacity_vps[b])
            && alike(columns.jam_density_vpm[a], columns.jam_density_vpm[b])
            && banned.binary_search(&(CarLinkIx(a as u32), CarLinkIx(b as u32))).is_err()
    };
    let mut next = vec![None; columns.from.len()];
    for node in (0..keep.len()).filter(|&node| !keep[node]) {
        let pairs = match (into.row(node), out.row(node)) {
            (&[a], &[b]) => vec![(a, b)],
            // Each goes on to the link that does not lead back to where it came from.
            (&[a, c], &[b, d]) => {
                let back = |into: CarLinkIx, out: CarLinkIx| columns.from[into.row()] == columns.to[out.row()];
                match (back(a, b) && back(c, d), back(a, d) && back(c, b)) {
                    (true, false) => vec![(a, d), (c, b)],
                    (false, true) => vec![(a, b), (c, d)],
                    // Other neighbours, or both the same: more than one way through.
                    _ => continue,
                }
            }
            _ => continue,
        };
        if pairs.iter().all(|&(a, b)| joins(a, b)) {
            for (a, b) in pairs {
                next[a.row()] = Some((node as u32, b));
            }
        }
    }
    next
}

/// Brings nodes back so that no chain is closed or ends where it began.
fn break_loops(columns: &NetworkColumns, next: &mut [Option<(u32, CarLinkIx)>]) {
    loop {
        let mut is_target = vec![false; next.len()];
        for &(_, out) in next.iter().flatten() {
            is_target[out.row()] = true;
        }
        let mut back = vec![false; columns.x_m.len()];
        let mut seen = vec![false; next.len()];
        // Chains with a beginning first, then what is left: closed rings.
        let order = (0..next.len()).filter(|&row| !is_target[row]).chain(0..next.len());
        for first in order.collect::<Vec<_>>() {
            let (mut at, mut inside) = (first, Vec::new());
            while !seen[at] {
                seen[at] = true;
                let Some((node, out)) = next[at] else { break };
                inside.push(node);
                at = out.row();
            }
            let closed = next[at].is_some();
            if !inside.is_empty() && (closed || columns.from[first] == columns.to[at]) {
                // The middle one, so that both parts stay long; two for a ring, whose ends must differ too.
                back[inside[inside.len() / 2] as usize] = true;
                back[inside[0] as usize] |= closed;
            }
        }
        if !back.contains(&true) {
            return;
        }
        for way in next.iter_mut() {
            if way.is_some_and(|(node, _)| back[node as usize]) {
                *way = None;
            }
        }
    }
}

impl Merged {
    fn join(&self, columns: &NetworkColumns, total_s: &[f64]) -> NetworkColumns {
        let rows = || (0..self.parts.rows()).map(|row| self.parts.row(row));
        let sum = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
            rows().map(|parts| parts.iter().map(|part| of(part.row())).sum()).collect()
        };
        let last = |parts: &[CarLinkIx]| parts[parts.len() - 1].row();
        let length_m = sum(&|row| columns.length_m[row]);
        let places = sum(&|row| columns.length_m[row] * columns.jam_density_vpm[row]);
        let costs = match columns.route_factor.is_empty() {
            true => Vec::new(),
            false => sum(&|row| columns.route_factor[row] * columns.length_m[row] / columns.speed_mps_free[row]),
        };
        let single =
            |parts: &[CarLinkIx], of: &[f64], joined: f64| if parts.len() == 1 { of[parts[0].row()] } else { joined };
        let alone = |of: &[f64], joined: &dyn Fn(usize) -> f64| -> Vec<f64> {
            rows().enumerate().map(|(row, parts)| single(parts, of, joined(row))).collect()
        };
        let capacity =
            |parts: &[CarLinkIx]| parts.iter().map(|p| columns.capacity_vps[p.row()]).fold(f64::INFINITY, f64::min);
        let mut banned: Vec<_> = columns
            .banned
            .iter()
            .filter(|(into, out)| columns.to[into.row()] == columns.from[out.row()])
            .filter(|(into, out)| {
                // Still a turn: the first ends a new link and the second begins one.
                self.parts_of(self.link[into.row()]).last() == Some(into)
                    && self.parts_of(self.link[out.row()]).first() == Some(out)
            })
            .map(|(into, out)| (self.link[into.row()], self.link[out.row()]))
            .collect();
        banned.sort_unstable();
        banned.dedup();
        NetworkColumns {
            x_m: columns.x_m.clone(),
            y_m: columns.y_m.clone(),
            from: rows().map(|parts| columns.from[parts[0].row()]).collect(),
            to: rows().map(|parts| columns.to[last(parts)]).collect(),
            speed_mps_free: alone(&columns.speed_mps_free, &|row| length_m[row] / total_s[row]),
            capacity_vps: rows().map(capacity).collect(),
            jam_density_vpm: alone(&columns.jam_density_vpm, &|row| places[row] / length_m[row]),
            priority: match columns.priority.is_empty() {
                true => Vec::new(),
                false => rows().map(|parts| columns.priority[last(parts)]).collect(),
            },
            route_factor: match columns.route_factor.is_empty() {
                true => Vec::new(),
                false => alone(&columns.route_factor, &|row| costs[row] / total_s[row]),
            },
            length_m,
            banned,
        }
    }

    /// Old links of a new one, in driving order.
    #[must_use]
    pub fn parts_of(&self, link: CarLinkIx) -> &[CarLinkIx] {
        self.parts.row(link.row())
    }
    /// Share of a new link's free time that each of [`Merged::parts_of`] takes.
    #[must_use]
    pub fn time_shares_of(&self, link: CarLinkIx) -> &[f64] {
        &self.time_share[self.parts.range(link.row())]
    }
    /// Number of links now.
    #[must_use]
    pub fn links(&self) -> usize {
        self.parts.rows()
    }
    /// A route of old links in new ones; `None` when it has a gap, names no link, or begins, ends or turns
    /// back within a new link.
    #[must_use]
    pub fn route(&self, old: &[CarLinkIx]) -> Option<Vec<CarLinkIx>> {
        let mut rest = old;
        let mut route = Vec::new();
        while let Some(first) = rest.first() {
            let link = *self.link.get(first.row())?;
            rest = rest.strip_prefix(self.parts_of(link))?;
            route.push(link);
        }
        Some(route)
    }
    /// A route of new links in old ones.
    #[must_use]
    pub fn old_route(&self, route: &[CarLinkIx]) -> Vec<CarLinkIx> {
        route.iter().flat_map(|&link| self.parts_of(link).iter().copied()).collect()
    }
    /// A column that holds for every part of a link, such as a flow, by old link.
    #[must_use]
    pub fn spread<T: Copy>(&self, by_link: &[T]) -> Vec<T> {
        self.link.iter().map(|link| by_link[link.row()]).collect()
    }
    /// A column of times by old link: those of new links in proportion to free time.
    #[must_use]
    pub fn spread_times(&self, by_link: &[f64]) -> Vec<f64> {
        let mut old = vec![0.0; self.link.len()];
        for (part, share) in self.parts.values().iter().zip(&self.time_share) {
            old[part.row()] = by_link[self.link[part.row()].row()] * share;
        }
        old
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
