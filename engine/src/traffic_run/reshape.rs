//! Networks changed before a run: short links joined, turn pockets at signals, lanes that lead apart.
//!
//! Links of the run are named after those of the file: `a+b` is `a` and `b` joined; `a/1`, `a/2` are the
//! lane groups at the end of `a`, which keeps the rest. [`LinkPart`]s tell which is which and what share of
//! the free time each part has, so that figures can be brought back to the links of the file.
//!
//! Contract: sequential, pure; given routes and lights are carried over, or the run does not start.

use super::TrafficRunOptions;
use super::lights::Plans;
use urbis_core::{CarLinkIx, Problem, Result};
use urbis_interop::lanes::LaneTurns;
use urbis_interop::read_network::NetworkFile;
use urbis_interop::{RoadNetwork, Trips, TripsFile};
use urbis_traffic::lane_groups::{self, LaneGroups, LinkLanes, Markings};
use urbis_traffic::merge::{self, MergeSettings, Merged};
use urbis_traffic::{MARKED_LANES_M, NetworkColumns};

/// A link of the file in a link of the run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LinkPart {
    /// Row of the link in the run.
    pub(super) link: u32,
    /// Outside id in the file.
    pub(super) file_link: String,
    /// How many parts are before it.
    pub(super) position: u32,
    /// Share of the free time of the link of the run.
    pub(super) time_share: f64,
}

/// Shortest time on a link that needs no joining, seconds: a tick.
const TICK_S: f64 = 1.0;

/// Changes the network as the options ask, with everything that names its links; `None` when they do not. Nodes
/// keep their rows; `looked_at` is one that must stay.
pub(super) fn reshape(
    options: &TrafficRunOptions,
    looked_at: Option<u32>,
    mut lanes: Vec<LaneTurns>,
    network: &mut RoadNetwork,
    plans: &mut Plans,
    file: &mut TripsFile,
) -> Result<Option<Vec<LinkPart>>> {
    if !options.joins_short && options.turn_pocket_m.is_none() && !options.lane_groups {
        return Ok(None);
    }
    let whole = |(row, id): (usize, &String)| LinkPart {
        link: row as u32,
        file_link: id.clone(),
        position: 0,
        time_share: 1.0,
    };
    let mut parts: Vec<LinkPart> = network.link_id.iter().enumerate().map(whole).collect();
    if options.joins_short {
        let keep = kept_nodes(looked_at, network, plans, &file.trips);
        let settings = MergeSettings { free_s_max: TICK_S, ..MergeSettings::default() };
        let (columns, merged) = merge::merge_short(&network.columns, &keep, &settings)?;
        parts = join(network, &merged);
        network.columns = columns;
        plans.renumber(|link| merged.link[link.row()]);
        for of in &mut lanes {
            // Where lanes lead apart ways part, so the node stayed and the link ends the one it is in.
            of.link = merged.link[of.link.row()];
            of.lanes.iter_mut().flatten().for_each(|out| *out = merged.link[out.row()]);
        }
        translate(options, file, |_, route| merged.route(route))?;
        network.notes.push(format!("{} nodes gone where links shorter than a tick join", merged.nodes_gone.len()));
    }
    if options.lane_groups || options.turn_pocket_m.is_some() {
        let wanted = wanted_lanes(options, network, lanes)?;
        let (columns, groups) = lane_groups::expand(&network.columns, &wanted)?;
        add_groups(network, &groups, &columns, &mut parts);
        network.columns = columns;
        plans.split(&groups, network.node_id.len())?;
        translate(options, file, |row, route| groups.expand_route(route, row as u32))?;
        let report = &groups.report;
        let what = format!(
            "{} links end in lanes or turn pockets of their own, {} of another length than asked for so that they and \
             the rest last a tick; {} are too short for that",
            report.split,
            report.adjusted,
            report.whole.len()
        );
        network.notes.push(what);
    }
    Ok(Some(parts))
}

/// What the files know of lanes.
pub(super) fn lanes(options: &TrafficRunOptions, read: &NetworkFile) -> Result<Vec<LaneTurns>> {
    match &read.sumo {
        Some(sumo) => Ok(urbis_interop::lanes::of_sumo(sumo)),
        None if options.network.is_dir() => urbis_interop::lanes::of_gmns(&options.network, &read.network),
        None => Ok(Vec::new()),
    }
}

/// Links whose lanes lead apart, then those that get a turn pocket.
fn wanted_lanes(
    options: &TrafficRunOptions,
    network: &mut RoadNetwork,
    lanes: Vec<LaneTurns>,
) -> Result<Vec<LinkLanes>> {
    let markings = Markings::new(&network.columns)?;
    let length_m = options.turn_pocket_m.unwrap_or(MARKED_LANES_M);
    let known = lanes.len();
    let of_link = |link: CarLinkIx| f64::from(network.lanes[link.row()]);
    let mut wanted: Vec<LinkLanes> =
        lanes.into_iter().filter_map(|of| markings.lanes(of.link, of.lanes, of_link(of.link), length_m)).collect();
    if let Some(length_m) = options.turn_pocket_m {
        let lanes: Vec<f64> = network.lanes.iter().map(|&lanes| f64::from(lanes)).collect();
        let mut is_known = vec![false; network.link_id.len()];
        wanted.iter().for_each(|of| is_known[of.link.row()] = true);
        let pockets = markings.left_pockets(&network.at_signals, &lanes, !options.keeps_left, length_m);
        wanted.extend(pockets.into_iter().filter(|of| !is_known[of.link.row()]));
    }
    if options.lane_groups && known == 0 {
        network.notes.push("the files do not say where lanes lead: there are no lane groups of them".to_owned());
    }
    Ok(wanted)
}

/// Nodes that something happens at: lights, ends of trips, turns back, the middle of what is looked at.
fn kept_nodes(looked_at: Option<u32>, network: &RoadNetwork, plans: &Plans, trips: &Trips) -> Vec<bool> {
    let columns = &network.columns;
    let mut keep = vec![false; network.node_id.len()];
    for (keep, &at_signals) in keep.iter_mut().zip(&network.at_signals) {
        *keep = at_signals;
    }
    let lights = plans.links().map(|link| columns.to[link.row()]);
    let turns = (0..trips.len()).flat_map(|row| trips.route(row).windows(2));
    let back = turns.filter(|pair| columns.from[pair[0].row()] == columns.to[pair[1].row()]);
    let back = back.map(|pair| columns.to[pair[0].row()]);
    let ends = trips.from_node.iter().chain(&trips.to_node).copied().filter(|&node| node != u32::MAX);
    for node in lights.chain(back).chain(looked_at).chain(ends) {
        keep[node as usize] = true;
    }
    keep
}

/// Names and columns of joined links; which parts they have.
fn join(network: &mut RoadNetwork, merged: &Merged) -> Vec<LinkPart> {
    let links = || (0..merged.links() as u32).map(|link| (link, merged.parts_of(CarLinkIx(link))));
    let mut parts = Vec::with_capacity(network.link_id.len());
    for (link, of) in links() {
        for ((position, part), &time_share) in (0..).zip(of).zip(merged.time_shares_of(CarLinkIx(link))) {
            parts.push(LinkPart { link, file_link: network.link_id[part.row()].clone(), position, time_share });
        }
    }
    let ids = links().map(|(_, of)| of.iter().map(|part| network.link_id[part.row()].as_str()).collect::<Vec<_>>());
    network.link_id = ids.map(|ids| ids.join("+")).collect();
    let fewest = |of: &[CarLinkIx]| of.iter().map(|part| network.lanes[part.row()]).fold(f32::INFINITY, f32::min);
    network.lanes = links().map(|(_, of)| fewest(of)).collect();
    if !network.toll.is_empty() {
        network.toll = links().map(|(_, of)| of.iter().map(|part| network.toll[part.row()]).sum()).collect();
    }
    parts
}

/// Names and columns of lane groups and of the nodes before them.
fn add_groups(network: &mut RoadNetwork, groups: &LaneGroups, new: &NetworkColumns, parts: &mut Vec<LinkPart>) {
    let old = &network.columns;
    let mut file_links: Vec<&LinkPart> = parts.iter().collect();
    file_links.sort_by_key(|part| (part.link, part.position));
    let mut added = Vec::new();
    for row in 0..old.from.len() {
        let link = CarLinkIx(row as u32);
        let of_link = groups.groups_of(link);
        if of_link.is_empty() {
            continue;
        }
        let upto = file_links.partition_point(|part| part.link as usize <= row);
        let last = file_links[upto - 1];
        for (nth, group) in (1..).zip(of_link) {
            network.link_id.push(format!("{}/{nth}", network.link_id[row]));
            network.lanes.push(groups.lanes_of(*group) as f32);
            if !network.toll.is_empty() {
                network.toll.push(0.0);
            }
            let file_link = last.file_link.clone();
            added.push(LinkPart { link: group.0, file_link, position: last.position + 1, time_share: 1.0 });
        }
        network.node_id.push(format!("{}/", network.link_id[row]));
    }
    if !network.at_signals.is_empty() {
        network.at_signals.resize(new.x_m.len(), false);
    }
    parts.append(&mut added);
}

/// Given routes by another numbering of links. Those of trips that cannot be served are left out.
fn translate(
    options: &TrafficRunOptions,
    file: &mut TripsFile,
    of: impl Fn(usize, &[CarLinkIx]) -> Option<Vec<CarLinkIx>>,
) -> Result<()> {
    let trips = &mut file.trips;
    let mut is_served = vec![true; trips.len()];
    file.faults.rows.iter().for_each(|&(row, _)| is_served[row as usize] = false);
    let (mut ends, mut links) = (Vec::with_capacity(trips.len()), Vec::with_capacity(trips.route_links.len()));
    for row in (0..trips.len()).filter(|_| !trips.route_ends.is_empty()) {
        if is_served[row] {
            let Some(route) = of(row, trips.route(row)) else {
                let what =
                    format!("the route of trip {} cannot be driven on the changed network", trips.trip_id.text(row));
                return Err(Problem::file(&options.trips, what).with_help("run it on the network as it is").into());
            };
            links.extend(route);
        }
        ends.push(links.len() as u32);
    }
    (trips.route_ends, trips.route_links) = (ends, links);
    Ok(())
}
