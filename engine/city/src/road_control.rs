//! Which junction a signal or sign controls. Mappers put them on the approach, a few metres before the
//! junction; traffic needs them at the node where roads meet.
//!
//! A control on a node where fewer than three car roads meet moves along the roads that cars may follow
//! from there, in the tagged direction where there is one, to the nearest junction within reach; where
//! there is none it stays and its node is kept (a signalled crossing between junctions).
//! Source: wiki.openstreetmap.org `Tag:highway=traffic_signals`, `Key:direction`.
//!
//! Ignores: signals for people on foot, which approach has the sign. Contract: sequential in order of
//! node ids; a pure function of the pieces.

use crate::model::{Modes, NodeControl};
use crate::osm::{OsmExtract, Tags};
use crate::road_pieces::Pieces;
use crate::roads::RoadReport;
use urbis_core::csr::Csr;

/// The control a node is tagged with.
pub(crate) fn tagged(tags: &Tags) -> Option<NodeControl> {
    match tags.get("highway")? {
        "traffic_signals" => Some(NodeControl::Signal),
        "stop" => Some(NodeControl::Stop),
        "give_way" => Some(NodeControl::GiveWay),
        "mini_roundabout" => Some(NodeControl::Roundabout),
        _ => None,
    }
}

/// Where two controls meet on a junction, the stronger wins.
fn rank(control: NodeControl) -> u8 {
    match control {
        NodeControl::None => 0,
        NodeControl::GiveWay => 1,
        NodeControl::Stop => 2,
        NodeControl::Roundabout => 3,
        NodeControl::Signal => 4,
    }
}

/// The control of every node, by row; nodes that hold one become protected.
pub(crate) fn place(
    extract: &OsmExtract,
    pieces: &mut Pieces,
    reach_m: f64,
    report: &mut RoadReport,
) -> Vec<NodeControl> {
    let rows = pieces.protected.len();
    let mut control = vec![NodeControl::None; rows];
    let mut ends = Vec::new();
    for (number, edge) in pieces.edges.iter().enumerate() {
        if edge.modes().contains(Modes::CAR) {
            ends.push((edge.from(), number as u32));
            ends.push((edge.to(), number as u32));
        }
    }
    let car_edges = Csr::from_pairs(rows, &ends);
    for (row, node) in extract.nodes.iter().enumerate() {
        let Some(kind) = tagged(&node.tags) else { continue };
        let degree = car_edges.row(row).len();
        if degree == 0 {
            continue;
        }
        let target = match (degree, kind) {
            (1..=2, NodeControl::Signal | NodeControl::Stop | NodeControl::GiveWay) => {
                junction_ahead(pieces, &car_edges, row as u32, &node.tags, reach_m)
            }
            _ => None,
        };
        report.controls_moved += usize::from(target.is_some());
        let at = target.unwrap_or(row as u32) as usize;
        if rank(kind) > rank(control[at]) {
            control[at] = kind;
        }
    }
    for (row, control) in control.iter().enumerate() {
        pieces.protected[row] |= *control != NodeControl::None;
    }
    control
}

/// The nearest junction that cars reach from a control within `reach_m`, the lower row winning ties.
fn junction_ahead(pieces: &Pieces, car_edges: &Csr<u32>, start: u32, tags: &Tags, reach_m: f64) -> Option<u32> {
    let faces = tags.get("traffic_signals:direction").or_else(|| tags.get("direction"));
    let mut best: Option<(f64, u32)> = None;
    for &first in car_edges.row(start as usize) {
        let along = pieces.edges[first as usize].from() == start;
        match faces {
            Some("forward") if !along => continue,
            Some("backward") if along => continue,
            _ => {}
        }
        let (mut at, mut edge, mut travelled_m) = (start, first, 0.0);
        // Each step follows another edge; the bound stops circles of very short ones.
        for _ in 0..64 {
            let road = &pieces.edges[edge as usize];
            let (way_out, ahead) =
                if road.from() == at { (road.forward, road.to()) } else { (road.backward, road.from()) };
            travelled_m += road.length_m;
            if !way_out.modes.contains(Modes::CAR) || travelled_m > reach_m || ahead == start {
                break;
            }
            let roads = car_edges.row(ahead as usize);
            if roads.len() >= 3 {
                if best.is_none_or(|(m, row)| travelled_m < m || (travelled_m <= m && ahead < row)) {
                    best = Some((travelled_m, ahead));
                }
                break;
            }
            let Some(&next) = roads.iter().find(|&&other| other != edge) else { break };
            (at, edge) = (ahead, next);
        }
    }
    best.map(|(_, row)| row)
}
