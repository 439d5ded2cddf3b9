//! Areas of an extract: closed ways and multipolygon relations as polygons in degrees.
//! Source: wiki.openstreetmap.org/wiki/Relation:multipolygon (ring assembly by shared end nodes; inner
//! rings are holes of the outer ring they lie in).
//!
//! Ignores: tags on member ways of old-style multipolygons, touching inner rings, self-crossing rings
//! (passed on as they are). Areas whose ways or nodes are cut off by the extract are left out and
//! counted. Contract: sequential over members, sorted by id; a pure function of the extract.

use crate::osm::{MemberKind, OsmExtract, OsmRelation, Tags};
use geo::orient::Direction;
use geo::{Area, Contains, Coord, LineString, MultiPolygon, Orient, Polygon};
use std::collections::{BTreeMap, BTreeSet};

/// One area.
#[derive(Clone, Debug, PartialEq)]
pub struct OsmArea {
    /// `way/123` or `relation/123`.
    pub id: String,
    /// Its tags.
    pub tags: Tags,
    /// Its shape in degrees, outer rings counter-clockwise.
    pub shape: MultiPolygon,
}

/// Areas of a kind, ways before relations, each by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OsmAreas {
    /// Those with a whole shape.
    pub areas: Vec<OsmArea>,
    /// Ids of those left out because a ring does not close or a node is missing.
    pub incomplete: Vec<String>,
}

impl OsmExtract {
    /// All closed ways and multipolygons (boundaries included) whose tags `are_of_use`. A closed way
    /// that is an outer ring of a multipolygon of use is not given twice.
    #[must_use]
    pub fn areas(&self, are_of_use: impl Fn(&Tags) -> bool) -> OsmAreas {
        let relations: Vec<&OsmRelation> = self
            .relations
            .iter()
            .filter(|r| matches!(r.tags.get("type"), Some("multipolygon" | "boundary")) && are_of_use(&r.tags))
            .collect();
        let outer: BTreeSet<i64> = relations
            .iter()
            .flat_map(|relation| &relation.members)
            .filter(|member| member.kind == MemberKind::Way && member.role != "inner")
            .map(|member| member.id)
            .collect();
        let mut found = OsmAreas::default();
        for way in &self.ways {
            let closed = way.refs.len() >= 4 && way.refs.first() == way.refs.last();
            if closed && !way.tags.is("area", "no") && are_of_use(&way.tags) && !outer.contains(&way.id) {
                let shape = self.ring(&way.refs).map(|ring| MultiPolygon(vec![Polygon::new(ring, Vec::new())]));
                found.add(format!("way/{}", way.id), &way.tags, shape);
            }
        }
        for relation in relations {
            found.add(format!("relation/{}", relation.id), &relation.tags, self.multipolygon(relation));
        }
        found
    }

    /// The shape of a multipolygon or boundary; `None` when a ring does not close or is cut off.
    #[must_use]
    pub fn multipolygon(&self, relation: &OsmRelation) -> Option<MultiPolygon> {
        let mut parts: [Vec<&[i64]>; 2] = [Vec::new(), Vec::new()];
        for member in &relation.members {
            if member.kind == MemberKind::Way {
                let refs = &self.way(member.id)?.refs[..];
                parts[usize::from(member.role == "inner")].push(refs);
            }
        }
        let [outer, inner] = parts.map(|parts| closed_rings(&parts));
        let rings = |rings: Vec<Vec<i64>>| rings.iter().map(|refs| self.ring(refs)).collect::<Option<Vec<_>>>();
        let mut polygons: Vec<Polygon> = rings(outer?)?.into_iter().map(|ring| Polygon::new(ring, vec![])).collect();
        // The smallest outer ring around a hole owns it: islands in lakes in islands.
        polygons.sort_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()));
        for hole in rings(inner?)? {
            let probe = Polygon::new(hole.clone(), vec![]);
            if let Some(owner) = polygons.iter_mut().find(|polygon| {
                let outline = Polygon::new(polygon.exterior().clone(), vec![]);
                outline.contains(&probe) || hole.0.iter().any(|&corner| outline.contains(&geo::Point(corner)))
            }) {
                owner.interiors_push(hole);
            }
        }
        (!polygons.is_empty()).then(|| MultiPolygon(polygons).orient(Direction::Default))
    }

    fn ring(&self, refs: &[i64]) -> Option<LineString> {
        let corner = |&id: &i64| self.node(id).map(|node| Coord { x: node.lon, y: node.lat });
        let corners = refs.iter().map(corner).collect::<Option<Vec<Coord>>>()?;
        (corners.len() >= 4 && Polygon::new(LineString(corners.clone()), vec![]).unsigned_area() > 0.0)
            .then_some(LineString(corners))
    }
}

impl OsmAreas {
    fn add(&mut self, id: String, tags: &Tags, shape: Option<MultiPolygon>) {
        match shape {
            Some(shape) => self.areas.push(OsmArea { id, tags: tags.clone(), shape: shape.orient(Direction::Default) }),
            None => self.incomplete.push(id),
        }
    }
}

/// Joins chains of nodes at their ends into closed rings; `None` when one stays open. Chains are used
/// in the order given, so equal input gives equal rings.
fn closed_rings(parts: &[&[i64]]) -> Option<Vec<Vec<i64>>> {
    let mut ends: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (at, part) in parts.iter().enumerate() {
        let (first, last) = (part.first()?, part.last()?);
        if first != last {
            ends.entry(*first).or_default().push(at);
            ends.entry(*last).or_default().push(at);
        }
    }
    let mut used = vec![false; parts.len()];
    let mut rings = Vec::new();
    for start in 0..parts.len() {
        if std::mem::replace(&mut used[start], true) {
            continue;
        }
        let mut ring = parts[start].to_vec();
        while ring.first() != ring.last() {
            let end = *ring.last()?;
            let next = *ends.get(&end)?.iter().find(|&&at| !used[at])?;
            used[next] = true;
            if parts[next].first() == Some(&end) {
                ring.extend(&parts[next][1..]);
            } else {
                ring.extend(parts[next].iter().rev().skip(1));
            }
        }
        rings.push(ring);
    }
    Some(rings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::osm::{OsmMember, OsmNode, OsmWay};
    use proptest::prelude::*;

    fn node(id: i64, lon: f64, lat: f64) -> OsmNode {
        OsmNode { id, lon, lat, ..OsmNode::default() }
    }
    fn way(id: i64, refs: &[i64], tags: &[(&str, &str)]) -> OsmWay {
        OsmWay { id, refs: refs.to_vec(), tags: Tags::new(tags) }
    }
    fn member(id: i64, role: &str) -> OsmMember {
        OsmMember { kind: MemberKind::Way, id, role: role.to_owned() }
    }
    /// A square of side 3 with a square hole of side 1, its outline in three ways, one backwards.
    fn extract() -> OsmExtract {
        let nodes = vec![
            node(1, 0.0, 0.0),
            node(2, 3.0, 0.0),
            node(3, 3.0, 3.0),
            node(4, 0.0, 3.0),
            node(5, 1.0, 1.0),
            node(6, 2.0, 1.0),
            node(7, 2.0, 2.0),
            node(8, 1.0, 2.0),
        ];
        let ways = vec![
            way(10, &[1, 2], &[]),
            way(11, &[3, 2], &[]),
            way(12, &[3, 4, 1], &[]),
            way(13, &[5, 8, 7, 6, 5], &[("building", "yes")]),
            way(14, &[5, 6, 99, 5], &[("building", "yes")]),
            way(15, &[5, 6, 7], &[("building", "yes")]),
            way(16, &[5, 6, 7, 5], &[("building", "yes"), ("area", "no")]),
        ];
        let tags = Tags::new(&[("type", "multipolygon"), ("building", "school")]);
        let members = vec![member(10, "outer"), member(11, "outer"), member(12, "outer"), member(13, "inner")];
        let open = vec![member(10, "outer"), member(11, "outer")];
        let relations = vec![
            OsmRelation { id: 20, members, tags: tags.clone() },
            OsmRelation { id: 21, members: open, tags: tags.clone() },
            OsmRelation { id: 22, members: vec![member(99, "outer")], tags },
        ];
        OsmExtract::new(nodes, ways, relations)
    }

    #[test]
    fn rings_close_and_holes_are_holes() {
        let found = extract().areas(|tags| tags.has("building"));
        let ids: Vec<&str> = found.areas.iter().map(|area| &*area.id).collect();
        assert_eq!(ids, ["way/13", "relation/20"]);
        assert_eq!(found.incomplete, ["way/14", "relation/21", "relation/22"]);
        let areas: Vec<f64> = found.areas.iter().map(|area| area.shape.signed_area()).collect();
        assert!((areas[0] - 1.0).abs() < 1e-12 && (areas[1] - 8.0).abs() < 1e-12, "{areas:?}");
    }

    #[test]
    fn an_outer_way_of_a_relation_is_not_given_twice() {
        let mut extract = extract();
        extract.relations[0].members = vec![member(13, "")];
        let found = extract.areas(|tags| tags.has("building"));
        let ids: Vec<&str> = found.areas.iter().map(|area| &*area.id).collect();
        assert_eq!(ids, ["relation/20"]);
    }

    proptest! {
        #[test]
        fn any_members_never_panic(parts in prop::collection::vec(prop::collection::vec(1..9_i64, 0..6), 0..6), inner: u8) {
            let mut extract = extract();
            extract.ways = parts.iter().enumerate().map(|(at, refs)| way(at as i64, refs, &[])).collect();
            let role = |at: usize| if inner >> (at % 8) & 1 == 1 { "inner" } else { "outer" };
            extract.relations[0].members = (0..parts.len()).map(|at| member(at as i64, role(at))).collect();
            if let Some(shape) = extract.multipolygon(&extract.relations[0]) {
                prop_assert!(!shape.0.is_empty());
            }
        }
    }
}
