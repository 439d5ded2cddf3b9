//! Lane groups and turn pockets: an option that changes the network, not the kernel.
//!
//! A link whose lanes are marked for turns becomes a main link of length `L - p` with all its lanes, a node
//! where drivers choose their lane, and for each lane group a link of the pocket length `p` that leads only to
//! its turns. Lanes whose turns overlap are one group (HCM 2010 ch. 18), so within a group order is first in,
//! first out, and a queue of left-turners holds up the others only once it fills its pocket. Of a link with
//! `n` lanes a group of `m` has `m / n` of capacity and jam density: free time is that of the old link, and so
//! is storage, unless the pocket adds lanes.
//!
//! Both parts must last a tick at least. A pocket is shortened or stretched to that (counted); a link shorter
//! than two ticks stays whole (listed). The main link keeps the row of the old one, groups are appended.
//!
//! Ignored: changes of lane within a pocket, spilling from one pocket over the next lane beyond what the node
//! between them does. Contract: sequential, pure; rows in order of links and their groups.

mod lanes;

pub use lanes::{Markings, TurnKind, groups_of_lanes, turn_kind};

use crate::measure::LinkInterval;
use crate::merge::check_columns;
use crate::network::NetworkColumns;
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::rng::philox4x32_10;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// Lanes with the same turns.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneGroup {
    /// Lanes, > 0.
    pub lanes: f64,
    /// The links they lead to.
    pub turns: Vec<CarLinkIx>,
}

/// The lane groups at the end of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkLanes {
    /// The link.
    pub link: CarLinkIx,
    /// Lanes of the link, > 0; a pocket that adds lanes has more in its groups.
    pub lanes: f64,
    /// Length of the marked lanes, metres.
    pub pocket_length_m: f64,
    /// The groups, at least one.
    pub groups: Vec<LaneGroup>,
}

/// What had to be adjusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneGroupsReport {
    /// Links that were split.
    pub split: u32,
    /// Of these, those whose pocket was made longer or shorter so that both parts last a tick.
    pub adjusted: u32,
    /// Links too short to be split; they stay whole and all their lanes lead everywhere.
    pub whole: Vec<CarLinkIx>,
}

/// From the links that were to those that are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneGroups {
    /// Links of the groups of each old link; empty where it is whole.
    groups: Csr<CarLinkIx>,
    /// For each link of a group, less the old links: lanes, and its turns, ascending.
    lanes: Vec<f64>,
    turns: Csr<CarLinkIx>,
    /// Ends of the old links, to find gaps in routes.
    to: Vec<u32>,
    from: Vec<u32>,
    /// What had to be adjusted.
    pub report: LaneGroupsReport,
}

/// Splits links into lane groups.
///
/// # Errors
/// [`urbis_core::Error::Input`] naming every link that is listed twice, figures that are not positive, turns
/// that do not exist, are banned or belong to no group. Turning back may be left out; it is then banned.
pub fn expand(columns: &NetworkColumns, links: &[LinkLanes]) -> Result<(NetworkColumns, LaneGroups)> {
    check_columns(columns, None)?;
    let old = columns.from.len();
    let leaving: Vec<(u32, CarLinkIx)> =
        columns.from.iter().enumerate().map(|(link, &from)| (from, CarLinkIx(link as u32))).collect();
    let leaving = Csr::from_pairs(columns.x_m.len(), &leaving);
    let mut banned = columns.banned.clone();
    banned.sort_unstable();
    check(columns, links, &leaving, &banned)?;

    let mut new = NetworkColumns { banned: Vec::new(), ..columns.clone() };
    let mut is_split = vec![false; old];
    let mut report = LaneGroupsReport::default();
    let (mut groups, mut lanes, mut turns) = (Vec::new(), Vec::new(), Vec::new());
    let mut order: Vec<&LinkLanes> = links.iter().collect();
    order.sort_by_key(|lanes| lanes.link);
    for of in order {
        let row = of.link.row();
        let (length_m, speed) = (columns.length_m[row], columns.speed_mps_free[row]);
        // A tick is a second; a hair more, so that rounding to 1/1024 s cannot go below it.
        let least_m = speed * (1.0 + 1.0 / 1024.0);
        if length_m < 2.0 * least_m {
            report.whole.push(of.link);
            continue;
        }
        let pocket_m = of.pocket_length_m.clamp(least_m, length_m - least_m);
        report.split += 1;
        report.adjusted += u32::from((pocket_m - of.pocket_length_m).abs() > 1e-9);
        let (from, to) = (columns.from[row] as usize, columns.to[row] as usize);
        let along = pocket_m / length_m;
        new.x_m.push(columns.x_m[to] + (columns.x_m[from] - columns.x_m[to]) * along);
        new.y_m.push(columns.y_m[to] + (columns.y_m[from] - columns.y_m[to]) * along);
        let node = new.x_m.len() as u32 - 1;
        new.to[row] = node;
        new.length_m[row] = length_m - pocket_m;
        is_split[row] = true;
        for group in &of.groups {
            let link = CarLinkIx(new.from.len() as u32);
            let share = group.lanes / of.lanes;
            new.from.push(node);
            new.to.push(columns.to[row]);
            new.length_m.push(pocket_m);
            new.speed_mps_free.push(speed);
            new.capacity_vps.push(columns.capacity_vps[row] * share);
            new.jam_density_vpm.push(columns.jam_density_vpm[row] * share);
            if !columns.priority.is_empty() {
                new.priority.push(columns.priority[row] * share);
            }
            if !columns.route_factor.is_empty() {
                new.route_factor.push(columns.route_factor[row]);
            }
            let mut own = group.turns.clone();
            own.sort_unstable();
            own.dedup();
            let out = leaving.row(to).iter().filter(|out| own.binary_search(out).is_err());
            new.banned.extend(out.map(|&out| (link, out)));
            turns.extend(own.into_iter().map(|turn| (lanes.len() as u32, turn)));
            groups.push((of.link.0, link));
            lanes.push(group.lanes);
        }
    }
    // Bans of split links are those of their groups, which are written above.
    new.banned.extend(columns.banned.iter().filter(|(into, _)| !is_split[into.row()]));
    let map = LaneGroups {
        groups: Csr::from_pairs(old, &groups),
        turns: Csr::from_pairs(lanes.len(), &turns),
        lanes,
        to: columns.to.clone(),
        from: columns.from.clone(),
        report,
    };
    Ok((new, map))
}

fn check(
    columns: &NetworkColumns,
    links: &[LinkLanes],
    leaving: &Csr<CarLinkIx>,
    banned: &[(CarLinkIx, CarLinkIx)],
) -> Result<()> {
    let mut problems = Problems::new();
    let place = Path::new("lane groups");
    let mut listed = vec![false; columns.from.len()];
    for (row, of) in links.iter().enumerate() {
        let id = of.link.0.to_string();
        let mut wrong = |field: &str, value: String, expected: &str| {
            problems.push(Problem::value(place, row + 1, Some(&id), field, value, expected));
        };
        let Some(seen) = listed.get_mut(of.link.row()) else {
            wrong("link", id.clone(), "a row of the links");
            continue;
        };
        if std::mem::replace(seen, true) {
            wrong("link", id.clone(), "each link once");
        }
        let positive = of.groups.iter().map(|group| ("lanes", group.lanes));
        for (field, value) in positive.chain([("lanes", of.lanes), ("pocket_length_m", of.pocket_length_m)]) {
            if !(value.is_finite() && value > 0.0) {
                wrong(field, value.to_string(), "> 0 and finite");
            }
        }
        let out = leaving.row(columns.to[of.link.row()] as usize);
        let is_banned = |turn: CarLinkIx| banned.binary_search(&(of.link, turn)).is_ok();
        for &turn in of.groups.iter().flat_map(|group| &group.turns) {
            if !out.contains(&turn) || is_banned(turn) {
                wrong("turn", turn.0.to_string(), "a link that may be driven to from this one");
            }
        }
        for &turn in out {
            let back = columns.to[turn.row()] == columns.from[of.link.row()];
            if !back && !is_banned(turn) && !of.groups.iter().any(|group| group.turns.contains(&turn)) {
                wrong("turn", turn.0.to_string(), "a lane group that leads there, or a ban");
            }
        }
    }
    problems.or_else(())
}

impl LaneGroups {
    /// Number of links before.
    #[must_use]
    pub fn old_links(&self) -> usize {
        self.groups.rows()
    }
    /// Links of the groups of an old link; empty where it is whole. Its main part has its own row.
    #[must_use]
    pub fn groups_of(&self, link: CarLinkIx) -> &[CarLinkIx] {
        self.groups.row(link.row())
    }
    /// Lanes of a group.
    #[must_use]
    pub fn lanes_of(&self, group: CarLinkIx) -> f64 {
        self.lanes[group.row() - self.old_links()]
    }
    /// Links that a group leads to, ascending.
    #[must_use]
    pub fn turns_of(&self, group: CarLinkIx) -> &[CarLinkIx] {
        self.turns.row(group.row() - self.old_links())
    }
    /// The old link of a new one.
    #[must_use]
    pub fn old_link(&self, link: CarLinkIx) -> CarLinkIx {
        let old = self.old_links();
        if link.row() < old {
            return link;
        }
        // Groups are numbered in order of their links.
        let at = link.row() - old;
        let (mut low, mut high) = (0, old);
        while low + 1 < high {
            let middle = low.midpoint(high);
            if self.groups.range(middle).start <= at { low = middle } else { high = middle }
        }
        CarLinkIx(low as u32)
    }
    /// A route of old links in new ones. Where several groups lead on, or the trip ends, one is drawn in
    /// proportion to lanes by `key` (a trip's number) and the link: the same for every call. `None` for a gap
    /// or a turn that no group leads to.
    #[must_use]
    pub fn expand_route(&self, route: &[CarLinkIx], key: u32) -> Option<Vec<CarLinkIx>> {
        let mut new = Vec::with_capacity(route.len() * 2);
        for (nth, &link) in route.iter().enumerate() {
            if link.row() >= self.old_links() {
                return None;
            }
            let next = route.get(nth + 1).copied();
            if next.is_some_and(|next| self.from.get(next.row()) != Some(&self.to[link.row()])) {
                return None;
            }
            new.push(link);
            if !self.groups_of(link).is_empty() {
                new.push(self.choose(link, next, key)?);
            }
        }
        Some(new)
    }
    fn choose(&self, link: CarLinkIx, next: Option<CarLinkIx>, key: u32) -> Option<CarLinkIx> {
        let fits = |group: &&CarLinkIx| next.is_none_or(|next| self.turns_of(**group).binary_search(&next).is_ok());
        let lanes = |group: &CarLinkIx| self.lanes_of(*group);
        let fitting = || self.groups_of(link).iter().filter(fits);
        let all: f64 = fitting().map(lanes).sum();
        let draw = f64::from(philox4x32_10([key, link.0, 0, 0], [0x6c61_6e65, 0])[0]) / 4_294_967_296.0;
        let mut upto = 0.0;
        let chosen = fitting().find(|group| {
            upto += lanes(group);
            draw * all < upto
        });
        chosen.or_else(|| fitting().next_back()).copied()
    }
    /// A route of new links in old ones.
    #[must_use]
    pub fn old_route(&self, route: &[CarLinkIx]) -> Vec<CarLinkIx> {
        route.iter().copied().filter(|link| link.row() < self.old_links()).collect()
    }

    /// Measurements of an interval by old link. Vehicles enter at the main part and leave from the groups;
    /// what is on the parts is summed. Times of those who left are those of both parts: over all intervals
    /// they add up to what was spent on the old link.
    #[must_use]
    pub fn collapse(&self, interval: &LinkInterval) -> LinkInterval {
        let old = self.old_links();
        let split = |link: usize| !self.groups.row(link).is_empty();
        fn add<T: Copy + std::ops::AddAssign>(groups: &Csr<CarLinkIx>, old: usize, of: &[T]) -> Vec<T> {
            (0..old)
                .map(|link| {
                    let mut sum = of[link];
                    for group in groups.row(link) {
                        sum += of[group.row()];
                    }
                    sum
                })
                .collect()
        }
        let left = add(&self.groups, old, &interval.left);
        LinkInterval {
            start: interval.start,
            end: interval.end,
            entered: interval.entered[..old].to_vec(),
            left: (0..old)
                .map(|link| if split(link) { left[link] - interval.left[link] } else { left[link] })
                .collect(),
            travel_time_s_sum: add(&self.groups, old, &interval.travel_time_s_sum),
            vehicles_mean: add(&self.groups, old, &interval.vehicles_mean),
            vehicles_end: add(&self.groups, old, &interval.vehicles_end),
            queue_end: add(&self.groups, old, &interval.queue_end),
        }
    }
}

#[cfg(test)]
#[path = "lane_groups_tests.rs"]
mod tests;
