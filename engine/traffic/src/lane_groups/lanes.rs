//! Lane groups from what is known of lanes: turn markings, connections of lanes, or nothing but the shape.

use super::{LaneGroup, LinkLanes};
use crate::network::NetworkColumns;
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::{CarLinkIx, Problem, Result};

/// Where a turn leads, by the angle between straight lines from node to node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TurnKind {
    /// Back to where the link comes from, or sharper than 150 degrees.
    Back,
    /// More than 30 degrees to the left.
    Left,
    /// Within 30 degrees.
    Through,
    /// More than 30 degrees to the right.
    Right,
}

/// The kind of a turn. A link without direction goes on through.
#[must_use]
pub fn turn_kind(columns: &NetworkColumns, into: CarLinkIx, out: CarLinkIx) -> TurnKind {
    if columns.from[into.row()] == columns.to[out.row()] {
        return TurnKind::Back;
    }
    let along = |link: CarLinkIx| {
        let (from, to) = (columns.from[link.row()] as usize, columns.to[link.row()] as usize);
        (columns.x_m[to] - columns.x_m[from], columns.y_m[to] - columns.y_m[from])
    };
    let ((ax, ay), (bx, by)) = (along(into), along(out));
    let norm = ((ax * ax + ay * ay) * (bx * bx + by * by)).sqrt();
    let (cosine, sine) = ((ax * bx + ay * by) / norm, (ax * by - ay * bx) / norm);
    const COS_30: f64 = 0.866_025_403_784_438_6;
    if !cosine.is_finite() || cosine >= COS_30 {
        TurnKind::Through
    } else if cosine <= -COS_30 {
        TurnKind::Back
    } else if sine > 0.0 {
        TurnKind::Left
    } else {
        TurnKind::Right
    }
}

/// Groups of lanes whose turns overlap, in order of their first lane; `turns` is where each lane leads. Lanes
/// that lead nowhere join the first group.
#[must_use]
pub fn groups_of_lanes(turns: &[Vec<CarLinkIx>]) -> Vec<LaneGroup> {
    let mut groups: Vec<LaneGroup> = Vec::new();
    let mut nowhere = 0.0;
    for lane in turns {
        if lane.is_empty() {
            nowhere += 1.0;
            continue;
        }
        let mut own = LaneGroup { lanes: 1.0, turns: lane.clone() };
        let mut place = None;
        groups = std::mem::take(&mut groups).into_iter().enumerate().fold(Vec::new(), |mut kept, (_, group)| {
            if group.turns.iter().any(|turn| own.turns.contains(turn)) {
                own.lanes += group.lanes;
                own.turns.extend(group.turns);
                place.get_or_insert(kept.len());
            } else {
                kept.push(group);
            }
            kept
        });
        own.turns.sort_unstable();
        own.turns.dedup();
        let place = place.unwrap_or(groups.len());
        groups.insert(place, own);
    }
    if let Some(first) = groups.first_mut() {
        first.lanes += nowhere;
    }
    groups
}

/// Makes lane groups for the links of a network.
#[derive(Debug)]
pub struct Markings<'a> {
    columns: &'a NetworkColumns,
    leaving: Csr<CarLinkIx>,
    banned: Vec<(CarLinkIx, CarLinkIx)>,
}

impl<'a> Markings<'a> {
    /// Prepares for a network.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when columns differ in length or name nodes or links that do not exist.
    pub fn new(columns: &'a NetworkColumns) -> Result<Self> {
        crate::merge::check_columns(columns, None)?;
        let pairs: Vec<_> = columns.from.iter().enumerate().map(|(row, &from)| (from, CarLinkIx(row as u32))).collect();
        let mut banned = columns.banned.clone();
        banned.sort_unstable();
        Ok(Self { columns, leaving: Csr::from_pairs(columns.x_m.len(), &pairs), banned })
    }

    /// Links one may go on to, ascending.
    fn allowed(&self, link: CarLinkIx) -> Vec<CarLinkIx> {
        let out = self.leaving.row(self.columns.to[link.row()] as usize).iter().copied();
        out.filter(|&out| self.banned.binary_search(&(link, out)).is_err()).collect()
    }

    /// Lane groups of a link from the value of OpenStreetMap's `turn:lanes` in driving direction, left lane first,
    /// such as `left|through|through;right` (wiki.openstreetmap.org, "Key:turn"). Blank and `none` lanes lead
    /// through; what is marked where no such turn exists leads to the turn nearest to it; turns that no lane is
    /// marked for are added to the outermost lane of their side. `None` where one group is left or nothing leads on.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] for a word that is no turn, and for more than 16 lanes.
    pub fn turn_lanes(&self, link: CarLinkIx, value: &str, pocket_length_m: f64) -> Result<Option<LinkLanes>> {
        let place = Path::new("turn:lanes");
        if link.row() >= self.columns.from.len() {
            return Err(Problem::value(place, 1, None, "link", link.0, "a row of the links").into());
        }
        let id = link.0.to_string();
        let marked: Vec<&str> = value.split('|').collect();
        if marked.len() > 16 {
            return Err(Problem::value(place, 1, Some(&id), "lanes", marked.len(), "at most 16").into());
        }
        let out = self.allowed(link);
        let kinds: Vec<TurnKind> = out.iter().map(|&turn| turn_kind(self.columns, link, turn)).collect();
        let mut lanes: Vec<Vec<CarLinkIx>> = Vec::new();
        for lane in &marked {
            let mut turns = Vec::new();
            for word in lane.split(';').map(str::trim) {
                let wanted = match word {
                    "" | "none" | "through" | "merge_to_left" | "merge_to_right" => TurnKind::Through,
                    "left" | "slight_left" | "sharp_left" | "next_left" => TurnKind::Left,
                    "right" | "slight_right" | "sharp_right" | "next_right" => TurnKind::Right,
                    "reverse" => TurnKind::Back,
                    _ => {
                        let expected = "left, through, right, reverse, none or their slight and sharp forms";
                        return Err(Problem::value(place, 1, Some(&id), "turn", word, expected).into());
                    }
                };
                let of = |kind: TurnKind| out.iter().zip(&kinds).filter(move |row| *row.1 == kind).map(|row| *row.0);
                // A fork is marked left and right, or through, whatever its angles.
                let instead: &[TurnKind] = match wanted {
                    TurnKind::Back => &[TurnKind::Back, TurnKind::Left],
                    TurnKind::Left | TurnKind::Right => &[wanted, TurnKind::Through],
                    TurnKind::Through => &[TurnKind::Through, TurnKind::Right, TurnKind::Left],
                };
                turns.extend(
                    instead
                        .iter()
                        .map(|&kind| of(kind).collect::<Vec<_>>())
                        .find(|f| !f.is_empty())
                        .unwrap_or_default(),
                );
            }
            lanes.push(turns);
        }
        let of_link = marked.len() as f64;
        Ok(self.lanes(link, lanes, of_link, pocket_length_m))
    }

    /// Lane groups of a link from where each of its lanes leads, left lane first; `of_link` is how many lanes the link
    /// has before its pockets. Turns that are banned or lead nowhere from here are left out; turns that no lane has are
    /// added to the outermost lane of their side. `None` where one group is left or nothing leads on.
    #[must_use]
    pub fn lanes(
        &self,
        link: CarLinkIx,
        mut lanes: Vec<Vec<CarLinkIx>>,
        of_link: f64,
        pocket_length_m: f64,
    ) -> Option<LinkLanes> {
        if link.row() >= self.columns.from.len() || lanes.is_empty() {
            return None;
        }
        let out = self.allowed(link);
        for lane in &mut lanes {
            lane.retain(|turn| out.binary_search(turn).is_ok());
            lane.sort_unstable();
            lane.dedup();
        }
        for &turn in &out {
            if lanes.iter().any(|lane| lane.contains(&turn)) {
                continue;
            }
            let lane = match turn_kind(self.columns, link, turn) {
                TurnKind::Right => lanes.len() - 1,
                TurnKind::Left | TurnKind::Back => 0,
                TurnKind::Through => lanes.len() / 2,
            };
            lanes[lane].push(turn);
        }
        let groups = groups_of_lanes(&lanes);
        (groups.len() > 1).then_some(LinkLanes { link, lanes: of_link, pocket_length_m, groups })
    }

    /// A pocket of one added lane for left turns (right turns where traffic keeps left) at every signal where a
    /// link leads both there and elsewhere; `lanes` is by link, `signal` by node. Turning back shares the pocket.
    #[must_use]
    pub fn left_pockets(
        &self,
        signal: &[bool],
        lanes: &[f64],
        keep_right: bool,
        pocket_length_m: f64,
    ) -> Vec<LinkLanes> {
        let crossing = if keep_right { TurnKind::Left } else { TurnKind::Right };
        let mut found = Vec::new();
        for row in 0..self.columns.from.len() {
            if !signal.get(self.columns.to[row] as usize).copied().unwrap_or(false) {
                continue;
            }
            let link = CarLinkIx(row as u32);
            let kind = |turn: &CarLinkIx| turn_kind(self.columns, link, *turn);
            let (back, ahead): (Vec<_>, Vec<_>) =
                self.allowed(link).into_iter().partition(|turn| kind(turn) == TurnKind::Back);
            let (mut pocket, other): (Vec<_>, Vec<_>) = ahead.into_iter().partition(|turn| kind(turn) == crossing);
            if pocket.is_empty() || other.is_empty() {
                continue;
            }
            pocket.extend(back);
            let lanes = lanes.get(row).copied().unwrap_or(1.0);
            let groups = vec![LaneGroup { lanes: 1.0, turns: pocket }, LaneGroup { lanes, turns: other }];
            found.push(LinkLanes { link, lanes, pocket_length_m, groups });
        }
        found
    }
}
