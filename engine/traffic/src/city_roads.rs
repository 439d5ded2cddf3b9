//! Roads of a city changed before a run: short links joined, lanes that queue apart; and figures brought back to the
//! links of the city.
//!
//! Short links join first ([`crate::merge`]), then links at signals or with marked lanes end in lane groups
//! ([`crate::lane_groups`]). Nodes stay where they are external, have signals, or trips may start or end there. Nodes of
//! the city keep their rows; those where drivers choose their lane follow.
//!
//! **Back to the city.** What is on the parts of a link is summed. Of joined links only the whole is known: vehicles at
//! the end of an interval count on the longest part, so that each part's ledger closes, and times are shared like free
//! time. Markings that cannot be read leave their link whole and are counted.
//!
//! Contract: sequential, pure. Without any change asked for, the network is that of [`CarNetwork::from_city_with`].

use crate::engine::LinkPassage;
use crate::lane_groups::{self, LaneGroups, Markings};
use crate::measure::LinkInterval;
use crate::merge::{self, MergeSettings, Merged};
use crate::network::{CarNetwork, CityRows, NetworkColumns};
use crate::time::Time;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::{City, NodeControl};
use urbis_core::{CarLinkIx, LinkIx, NodeIx, Problem, Result, TripIx};

/// Length of marked lanes where no length of turn pockets is given, metres.
pub const MARKED_LANES_M: f64 = 60.0;
/// Shortest time on a link that needs no joining, seconds: a tick.
const TICK_S: f64 = 1.0;
/// Links up to this length between two signals lie inside a junction and stay whole, metres.
const INSIDE_M: f64 = 30.0;

/// How roads are taken from a city.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoadShape {
    /// Whether links shorter than a tick join.
    pub joins_short: bool,
    /// Length of pockets for left turns at signals, metres.
    pub turn_pocket_m: Option<f64>,
    /// Whether marked lanes queue apart.
    pub lane_groups: bool,
    /// Whether traffic keeps left.
    pub keeps_left: bool,
}

/// How links of a city are in those of a network.
#[derive(Clone, Debug, Default)]
pub struct Reshaped {
    /// What the network would be without changes: the city's link, metres and free time of each car link.
    city_link: Vec<LinkIx>,
    length_m: Vec<f64>,
    free_time: Vec<Time>,
    nodes: usize,
    merged: Option<Merged>,
    groups: Option<LaneGroups>,
    /// Links whose markings say nothing that can be used.
    pub unread_markings: u32,
}

/// An interval by links of a city.
#[derive(Clone, Debug)]
pub struct ByCity<'a> {
    /// The interval; rows are those of the other columns.
    pub interval: Cow<'a, LinkInterval>,
    /// The link of the city of each row.
    pub city_link: &'a [LinkIx],
    /// Metres.
    pub length_m: &'a [f64],
    /// Free time.
    pub free_time: &'a [Time],
}

impl CarNetwork {
    /// As [`CarNetwork::from_city_with`], with the changes asked for; `ends` are nodes that must stay.
    ///
    /// # Errors
    /// As there; [`urbis_core::Error::Input`] too for a length of turn pockets that is not above zero.
    pub fn from_city_shaped(
        city: &City,
        cut: impl Fn(LinkIx) -> f64,
        shape: RoadShape,
        ends: &[NodeIx],
    ) -> Result<Self> {
        let plain = Self::from_city_with(city, &cut)?;
        if !shape.joins_short && shape.turn_pocket_m.is_none() && !shape.lane_groups {
            return Ok(plain);
        }
        if let Some(length_m) = shape.turn_pocket_m.filter(|length_m| !(*length_m > 0.0 && length_m.is_finite())) {
            let expected = "> 0 and finite";
            return Err(Problem::value(Path::new("traffic"), 1, None, "turn_pockets_m", length_m, expected).into());
        }
        let (mut columns, rows) = Self::columns_of_city(city, cut);
        let CityRows { city_link, mut car_link, mut city_node, car_node } = rows;
        let mut reshaped = Reshaped {
            length_m: plain.length_m,
            free_time: plain.free_time,
            nodes: city_node.len(),
            city_link: city_link.clone(),
            ..Reshaped::default()
        };
        let is_signal: Vec<bool> =
            city_node.iter().map(|node| city.nodes.control[node.row()] == NodeControl::Signal).collect();
        // The last link of the city in each link here: lanes and markings are those at its end.
        let mut last = city_link;
        if shape.joins_short {
            let mut keep = is_signal.clone();
            for (keep, node) in keep.iter_mut().zip(&city_node) {
                *keep |= city.nodes.external[node.row()];
            }
            for &node in ends.iter().filter_map(|end| car_node.get(end.row())) {
                // Nodes that no car link touches have no place in the column.
                if let Some(keep) = keep.get_mut(node as usize) {
                    *keep = true;
                }
            }
            let settings = MergeSettings { free_s_max: TICK_S, ..MergeSettings::default() };
            let (joined, merged) = merge::merge_short(&columns, &keep, &settings)?;
            let end = |link: u32| merged.parts_of(CarLinkIx(link)).last().map_or(LinkIx::NONE, |part| last[part.row()]);
            last = (0..merged.links() as u32).map(end).collect();
            for link in car_link.iter_mut().filter(|link| link.is_some()) {
                *link = merged.link[link.row()];
            }
            columns = joined;
            reshaped.merged = Some(merged);
        }
        if shape.lane_groups || shape.turn_pocket_m.is_some() {
            let lanes = lanes_of(city, &columns, &last, &is_signal, shape, &mut reshaped.unread_markings)?;
            let (expanded, groups) = lane_groups::expand(&columns, &lanes)?;
            for row in columns.from.len()..expanded.from.len() {
                last.push(last[groups.old_link(CarLinkIx(row as u32)).row()]);
            }
            for row in 0..columns.from.len() {
                if !groups.groups_of(CarLinkIx(row as u32)).is_empty() {
                    city_node.push(city_node[columns.to[row] as usize]);
                }
            }
            columns = expanded;
            reshaped.groups = Some(groups);
        }
        let network = Self::from_columns_with_ids(columns, |row| city.links.id[last[row].row()].clone())?;
        Ok(Self { city_link: last, car_link, city_node, car_node, reshaped: Some(reshaped), ..network })
    }

    /// An interval by links of the city.
    #[must_use]
    pub fn by_city<'a>(&'a self, of: &'a LinkInterval) -> ByCity<'a> {
        let Some(reshaped) = &self.reshaped else {
            let Self { city_link, length_m, free_time, .. } = self;
            return ByCity { interval: Cow::Borrowed(of), city_link, length_m, free_time };
        };
        let Reshaped { city_link, length_m, free_time, .. } = reshaped;
        ByCity { interval: reshaped.by_city(of), city_link, length_m, free_time }
    }

    /// The links of the city that some links here stand for, in order, none twice in a row.
    #[must_use]
    pub fn city_links(&self, links: &[CarLinkIx]) -> Vec<LinkIx> {
        let Some(reshaped) = &self.reshaped else {
            return links.iter().map(|link| self.city_link[link.row()]).collect();
        };
        let mut found: Vec<LinkIx> = links.iter().flat_map(|&link| reshaped.parts_of(link)).collect();
        found.dedup();
        found
    }
}

/// The lanes of links that are marked for turns, else turn pockets, as asked for.
fn lanes_of(
    city: &City,
    columns: &NetworkColumns,
    city_link: &[LinkIx],
    is_signal: &[bool],
    shape: RoadShape,
    unread: &mut u32,
) -> Result<Vec<lane_groups::LinkLanes>> {
    let markings = Markings::new(columns)?;
    let mut found = Vec::new();
    if shape.lane_groups && !city.links.turn_lanes.is_empty() {
        let length_m = shape.turn_pocket_m.unwrap_or(MARKED_LANES_M);
        for (row, link) in city_link.iter().enumerate() {
            let text = &city.links.turn_lanes[link.row()];
            if text.is_empty() {
                continue;
            }
            match markings.turn_lanes(CarLinkIx(row as u32), text, length_m) {
                Ok(lanes) => found.extend(lanes),
                // Maps have all sorts of words here; such a link keeps its lanes together.
                Err(_) => *unread += 1,
            }
        }
    }
    if let Some(length_m) = shape.turn_pocket_m {
        let lanes: Vec<f64> = city_link.iter().map(|link| f64::from(city.links.lanes[link.row()])).collect();
        let mut is_marked = vec![false; city_link.len()];
        found.iter().for_each(|of| is_marked[of.link.row()] = true);
        let pockets = markings.left_pockets(is_signal, &lanes, !shape.keeps_left, length_m);
        found.extend(pockets.into_iter().filter(|of| !is_marked[of.link.row()]));
    }
    let is_inside = |link: usize| {
        columns.length_m[link] <= INSIDE_M
            && is_signal[columns.from[link] as usize]
            && is_signal[columns.to[link] as usize]
    };
    found.retain(|of| !is_inside(of.link.row()));
    Ok(found)
}

impl Reshaped {
    /// Number of car nodes that are nodes of the city; others follow.
    #[must_use]
    pub fn city_nodes(&self) -> usize {
        self.nodes
    }
    /// Lane groups, where there are any.
    #[must_use]
    pub fn groups(&self) -> Option<&LaneGroups> {
        self.groups.as_ref()
    }
    /// Joined links, where there are any.
    #[must_use]
    pub fn merged(&self) -> Option<&Merged> {
        self.merged.as_ref()
    }

    /// Links of the city in a link.
    fn parts_of(&self, link: CarLinkIx) -> Vec<LinkIx> {
        let link = self.groups.as_ref().map_or(link, |groups| groups.old_link(link));
        match &self.merged {
            Some(merged) => merged.parts_of(link).iter().map(|part| self.city_link[part.row()]).collect(),
            None => vec![self.city_link[link.row()]],
        }
    }

    fn by_city<'a>(&self, of: &'a LinkInterval) -> Cow<'a, LinkInterval> {
        let of = match &self.groups {
            Some(groups) => Cow::Owned(groups.collapse(of)),
            None => Cow::Borrowed(of),
        };
        match &self.merged {
            Some(merged) => Cow::Owned(spread(merged, &of)),
            None => of,
        }
    }
}

/// An interval of joined links by their parts.
fn spread(merged: &Merged, of: &LinkInterval) -> LinkInterval {
    let links = merged.link.len();
    let (mut entered, mut left) = (vec![0; links], vec![0; links]);
    let (mut vehicles_end, mut queue_end) = (vec![0; links], vec![0; links]);
    for link in 0..merged.links() {
        let index = CarLinkIx(link as u32);
        let (parts, shares) = (merged.parts_of(index), merged.time_shares_of(index));
        // The longest part, the last of equals, holds who is on the way.
        let most = shares.iter().copied().fold(0.0, f64::max);
        let holder = shares.iter().rposition(|&share| share >= most).unwrap_or(0);
        for (nth, part) in parts.iter().enumerate() {
            let row = part.row();
            entered[row] = if nth <= holder { of.entered[link] } else { of.left[link] };
            left[row] = if nth < holder { of.entered[link] } else { of.left[link] };
            if nth == holder {
                (vehicles_end[row], queue_end[row]) = (of.vehicles_end[link], of.queue_end[link]);
            }
        }
    }
    LinkInterval {
        start: of.start,
        end: of.end,
        entered,
        left,
        travel_time_s_sum: merged.spread_times(&of.travel_time_s_sum),
        vehicles_mean: merged.spread_times(&of.vehicles_mean),
        vehicles_end,
        queue_end,
    }
}

/// Passages of links of a city, out of those of the parts of links.
#[derive(Clone, Debug, Default)]
pub struct CityPassages {
    /// When those who are on a lane group entered its link.
    entered: BTreeMap<TripIx, Time>,
}

impl CityPassages {
    /// Passages by link of the city, in order of leaving, then trip. All passages must be given, in order.
    pub fn by_city(&mut self, network: &CarNetwork, passages: &[LinkPassage]) -> Vec<(LinkIx, LinkPassage)> {
        let Some(reshaped) = &network.reshaped else {
            return passages.iter().map(|passage| (network.city_link[passage.link.row()], *passage)).collect();
        };
        let mut found = Vec::with_capacity(passages.len());
        for passage in passages {
            let mut whole = *passage;
            if let Some(groups) = &reshaped.groups {
                let is_main = passage.link.row() < groups.old_links();
                if is_main && !groups.groups_of(passage.link).is_empty() {
                    self.entered.insert(passage.trip, passage.entered);
                    continue;
                }
                if !is_main {
                    whole.link = groups.old_link(passage.link);
                    whole.entered = self.entered.remove(&passage.trip).unwrap_or(passage.entered);
                }
            }
            let Some(merged) = &reshaped.merged else {
                found.push((reshaped.city_link[whole.link.row()], whole));
                continue;
            };
            let (parts, shares) = (merged.parts_of(whole.link), merged.time_shares_of(whole.link));
            let (mut at, mut upto) = (whole.entered, 0.0);
            for (nth, (part, share)) in parts.iter().zip(shares).enumerate() {
                upto += share;
                let spent = f64::from(whole.left - whole.entered);
                let left = if nth + 1 == parts.len() { whole.left } else { whole.entered + (upto * spent) as Time };
                found.push((reshaped.city_link[part.row()], LinkPassage { entered: at, left, ..whole }));
                at = left;
            }
        }
        found.sort_by_key(|(link, passage)| (passage.left, passage.trip, *link));
        found
    }
}
