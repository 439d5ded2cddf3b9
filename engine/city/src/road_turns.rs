//! Turn restrictions as banned pairs of links. Source:
//! wiki.openstreetmap.org/wiki/Relation:restriction.
//!
//! `no_*` bans every pair (incoming link of the `from` way, outgoing link of the `to` way) at the via
//! node; `only_*` bans every other outgoing car link, the way back included. Several `from` (no_entry)
//! or `to` (no_exit) members are allowed. Skipped, and counted by reason: via ways, conditional ones,
//! those that do not bind cars, unknown kinds, members that are missing or not passable here, and ways
//! that run through the via node so that the movement meant is unclear.
//!
//! Ignores: lane-wise turn tags. Contract: sequential in order of relation ids.

use crate::model::Modes;
use crate::osm::{MemberKind, OsmExtract, OsmRelation, Tags};
use crate::roads::RoadReport;
use std::collections::{BTreeMap, BTreeSet};
use urbis_core::LinkIx;

/// A directed link as restrictions see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnLink {
    /// Node rows of the extract.
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// Ways where it starts and ends.
    pub(crate) way_start: i64,
    pub(crate) way_end: i64,
    pub(crate) modes: Modes,
}

/// Ids of nodes that restrictions for cars turn at: they must survive merging.
pub(crate) fn via_nodes(extract: &OsmExtract) -> BTreeSet<i64> {
    let restrictions = extract.relations.iter().filter(|relation| kind(&relation.tags).is_ok());
    restrictions.filter_map(via_node).collect()
}

/// Whether the restriction forbids (`no_*`) or commands (`only_*`); the reason to skip it otherwise.
fn kind(tags: &Tags) -> Result<bool, &'static str> {
    if !tags.is("type", "restriction") {
        return Err("not a restriction");
    }
    let keys = ["restriction:motorcar", "restriction:motor_vehicle", "restriction"];
    let Some(value) = keys.iter().find_map(|key| tags.get(key)) else {
        let conditional = tags.iter().any(|(key, _)| key.starts_with("restriction") && key.ends_with(":conditional"));
        return Err(if conditional { "conditional" } else { "not for cars" });
    };
    if ["day_on", "day_off", "hour_on", "hour_off"].iter().any(|key| tags.get(key).is_some()) {
        return Err("conditional");
    }
    let excepted = tags.get("except").unwrap_or("");
    if excepted.split(';').any(|mode| matches!(mode.trim(), "motorcar" | "motor_vehicle" | "vehicle")) {
        return Err("except cars");
    }
    match value {
        _ if value.starts_with("no_") => Ok(true),
        _ if value.starts_with("only_") => Ok(false),
        _ => Err("unknown kind"),
    }
}

fn members<'a>(relation: &'a OsmRelation, role: &'a str, kind: MemberKind) -> impl Iterator<Item = i64> + 'a {
    relation.members.iter().filter(move |member| member.role == role && member.kind == kind).map(|member| member.id)
}

fn via_node(relation: &OsmRelation) -> Option<i64> {
    let mut nodes = members(relation, "via", MemberKind::Node);
    nodes.next().filter(|_| nodes.next().is_none())
}

/// Banned pairs of rows of `links`, sorted.
pub(crate) fn banned(extract: &OsmExtract, links: &[TurnLink], report: &mut RoadReport) -> Vec<(LinkIx, LinkIx)> {
    let mut at_node: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
    let via: BTreeSet<i64> = via_nodes(extract);
    let rows: BTreeSet<u32> = via
        .iter()
        .filter_map(|id| extract.nodes.binary_search_by_key(id, |node| node.id).ok())
        .map(|row| row as u32)
        .collect();
    for (number, link) in links.iter().enumerate().filter(|(_, link)| link.modes.contains(Modes::CAR)) {
        if rows.contains(&link.to) {
            at_node.entry(link.to).or_default().0.push(number as u32);
        }
        if rows.contains(&link.from) {
            at_node.entry(link.from).or_default().1.push(number as u32);
        }
    }
    let mut banned = BTreeSet::new();
    for relation in extract.relations.iter().filter(|relation| relation.tags.is("type", "restriction")) {
        match of_relation(extract, relation, links, &at_node) {
            Ok(pairs) => {
                report.restrictions_used += 1;
                banned.extend(pairs);
            }
            Err(reason) => *report.restrictions_skipped.entry(reason.to_owned()).or_default() += 1,
        }
    }
    banned.into_iter().map(|(a, b)| (LinkIx(a), LinkIx(b))).collect()
}

type Pairs = Vec<(u32, u32)>;

fn of_relation(
    extract: &OsmExtract,
    relation: &OsmRelation,
    links: &[TurnLink],
    at_node: &BTreeMap<u32, (Vec<u32>, Vec<u32>)>,
) -> Result<Pairs, &'static str> {
    let forbids = kind(&relation.tags)?;
    if members(relation, "via", MemberKind::Way).next().is_some() {
        return Err("via way");
    }
    let via = via_node(relation).ok_or("no single via node")?;
    let row = extract.nodes.binary_search_by_key(&via, |node| node.id).map_err(|_| "member missing")? as u32;
    let from: Vec<i64> = members(relation, "from", MemberKind::Way).collect();
    let to: Vec<i64> = members(relation, "to", MemberKind::Way).collect();
    if from.is_empty() || to.is_empty() {
        return Err("member missing");
    }
    let (incoming, outgoing) = at_node.get(&row).ok_or("not on the car network")?;
    let chosen = |links_here: &[u32], ways: &[i64], way_of: fn(&TurnLink) -> i64| -> Result<Vec<u32>, &'static str> {
        let mut chosen = Vec::new();
        for way in ways {
            let of_way: Vec<u32> =
                links_here.iter().copied().filter(|&link| way_of(&links[link as usize]) == *way).collect();
            match of_way[..] {
                [] => return Err("movement not possible for cars"),
                [link] => chosen.push(link),
                _ => return Err("way runs through the via node"),
            }
        }
        Ok(chosen)
    };
    let from = chosen(incoming, &from, |link| link.way_end)?;
    let to = chosen(outgoing, &to, |link| link.way_start)?;
    let pairs = |to: &[u32]| from.iter().flat_map(|&a| to.iter().map(move |&b| (a, b))).collect();
    if forbids {
        return Ok(pairs(&to));
    }
    let others: Vec<u32> = outgoing.iter().copied().filter(|link| !to.contains(link)).collect();
    Ok(pairs(&others))
}
