//! OpenStreetMap extracts: what Urbis needs of a PBF file, in memory, in order of ids.
//!
//! Kept are ways, nodes and relations with a tag that some layer uses (`osm_tags`), the nodes of the
//! kept ways, and the member ways of kept multipolygons; restrictions, multipolygons and boundaries are
//! the only relations. Ignored: history, users, routes, everything else.
//! Contract: blocks are decoded in parallel, results are joined in file order and sorted by id, so the
//! extract is the same on any number of threads. Damaged files are errors, never panics.

use crate::osm_pbf::{self, Frame, Sink, Wanted};
use crate::osm_tags;
use geo::Point;
use rayon::prelude::*;
use std::path::Path;
use urbis_core::{Error, Problem, Result};

pub use crate::osm_pbf::MemberKind;

/// Tags of one element, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Box<[(Box<str>, Box<str>)]>);

impl Tags {
    /// Tags from pairs; of equal keys the first stays.
    #[must_use]
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        let mut pairs: Vec<(Box<str>, Box<str>)> = pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|b, a| a.0 == b.0);
        Self(pairs.into())
    }
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok().map(|at| &*self.0[at].1)
    }
    /// Whether the key has this value.
    #[must_use]
    pub fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }
    /// Whether the key is there with a value other than `no`.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value != "no")
    }
    /// Keys and values in order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OsmNode {
    /// OpenStreetMap id.
    pub id: i64,
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
    /// Tags; empty where none is of use.
    pub tags: Tags,
}

impl OsmNode {
    /// Its place in degrees.
    #[must_use]
    pub fn point(&self) -> Point {
        Point::new(self.lon, self.lat)
    }
}

/// A way: a chain of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsmWay {
    /// OpenStreetMap id.
    pub id: i64,
    /// Ids of its nodes; some may be missing from a cut extract.
    pub refs: Vec<i64>,
    /// Tags.
    pub tags: Tags,
}

/// A member of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsmMember {
    /// What it is.
    pub kind: MemberKind,
    /// Its id.
    pub id: i64,
    /// Its role, e.g. `outer` or `via`.
    pub role: String,
}

/// A relation: multipolygon, boundary or turn restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsmRelation {
    /// OpenStreetMap id.
    pub id: i64,
    /// Members in order.
    pub members: Vec<OsmMember>,
    /// Tags.
    pub tags: Tags,
}

/// What Urbis needs of an extract; every list is sorted by id without repetition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OsmExtract {
    /// Nodes of kept ways and nodes with tags of use.
    pub nodes: Vec<OsmNode>,
    /// Roads, buildings, areas, and member ways of kept relations.
    pub ways: Vec<OsmWay>,
    /// Multipolygons, boundaries and turn restrictions.
    pub relations: Vec<OsmRelation>,
}

impl OsmExtract {
    /// An extract of these elements; they are sorted by id, of equal ids the first stays.
    #[must_use]
    pub fn new(mut nodes: Vec<OsmNode>, mut ways: Vec<OsmWay>, mut relations: Vec<OsmRelation>) -> Self {
        nodes.sort_by_key(|node| node.id);
        nodes.dedup_by_key(|node| node.id);
        ways.sort_by_key(|way| way.id);
        ways.dedup_by_key(|way| way.id);
        relations.sort_by_key(|relation| relation.id);
        relations.dedup_by_key(|relation| relation.id);
        Self { nodes, ways, relations }
    }

    /// Reads a PBF file. The whole file is held in memory while it is read.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read; [`Error::Input`] when it is not a PBF file, is cut
    /// short or damaged, naming the byte where the trouble starts.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
        Self::from_pbf(path, &bytes)
    }

    /// Reads the bytes of a PBF file; `path` is its name in messages.
    ///
    /// # Errors
    /// [`Error::Input`] as for [`OsmExtract::read`].
    pub fn from_pbf(path: &Path, bytes: &[u8]) -> Result<Self> {
        decode(bytes).map_err(|why| {
            let help = if bytes.first() == Some(&b'<') {
                "this looks like XML: convert it with `osmium cat in.osm -o out.osm.pbf`"
            } else {
                "download the extract again, or check it with `osmium fileinfo -e`"
            };
            Problem::file(path, why).with_help(help).into()
        })
    }

    /// The node with this id.
    #[must_use]
    pub fn node(&self, id: i64) -> Option<&OsmNode> {
        self.nodes.binary_search_by_key(&id, |node| node.id).ok().map(|row| &self.nodes[row])
    }
    /// The way with this id.
    #[must_use]
    pub fn way(&self, id: i64) -> Option<&OsmWay> {
        self.ways.binary_search_by_key(&id, |way| way.id).ok().map(|row| &self.ways[row])
    }
    /// West, south, east, north of all nodes in degrees; `None` without nodes.
    #[must_use]
    pub fn bbox_deg(&self) -> Option<[f64; 4]> {
        self.nodes.iter().fold(None, |bbox, node| {
            let [w, s, e, n] = bbox.unwrap_or([node.lon, node.lat, node.lon, node.lat]);
            Some([w.min(node.lon), s.min(node.lat), e.max(node.lon), n.max(node.lat)])
        })
    }
}

/// Three passes, so that only what is kept is ever in memory: relations say which untagged ways are
/// needed, ways say which untagged nodes are.
fn decode(bytes: &[u8]) -> Result<OsmExtract, String> {
    let frames = osm_pbf::frames(bytes)?;
    let only_relations = Wanted { relations: true, ..Wanted::default() };
    let first = pass(&frames, only_relations, Keep::default)?;
    let holding = |kind: fn(&Wanted) -> bool| -> Vec<Frame<'_>> {
        frames.iter().zip(&first).filter(|(_, (_, held))| kind(held)).map(|(frame, _)| *frame).collect()
    };
    let (way_frames, node_frames) = (holding(|held| held.ways), holding(|held| held.nodes));
    let relations: Vec<OsmRelation> = first.into_iter().flat_map(|(keep, _)| keep.relations).collect();

    let is_area = |relation: &&OsmRelation| !relation.tags.is("type", "restriction");
    let members = relations.iter().filter(is_area).flat_map(|relation| &relation.members);
    let member_ways = sorted(members.filter(|m| m.kind == MemberKind::Way).map(|m| m.id).collect());
    let only_ways = Wanted { ways: true, ..Wanted::default() };
    let second = pass(&way_frames, only_ways, || Keep { needed: &member_ways, ..Keep::default() })?;
    let ways: Vec<OsmWay> = second.into_iter().flat_map(|(keep, _)| keep.ways).collect();

    let way_nodes = sorted(ways.iter().flat_map(|way| way.refs.iter().copied()).collect());
    let only_nodes = Wanted { nodes: true, ..Wanted::default() };
    let third = pass(&node_frames, only_nodes, || Keep { needed: &way_nodes, ..Keep::default() })?;
    let nodes: Vec<OsmNode> = third.into_iter().flat_map(|(keep, _)| keep.nodes).collect();
    Ok(OsmExtract::new(nodes, ways, relations))
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.par_sort_unstable();
    ids.dedup();
    ids
}

/// Decodes blocks in parallel; results, and the first error, are in file order.
fn pass<'a>(
    frames: &[Frame<'_>],
    wanted: Wanted,
    sink: impl Fn() -> Keep<'a> + Sync,
) -> Result<Vec<(Keep<'a>, Wanted)>, String> {
    let decoded: Vec<Result<(Keep<'a>, Wanted), String>> = frames
        .par_iter()
        .map(|frame| {
            let mut keep = sink();
            let held = osm_pbf::decode(*frame, wanted, &mut keep);
            held.map(|held| (keep, held)).map_err(|why| format!("damaged block at byte {}: {why}", frame.offset))
        })
        .collect();
    decoded.into_iter().collect()
}

/// Keeps what some layer uses, and what is needed by id.
#[derive(Default)]
struct Keep<'a> {
    needed: &'a [i64],
    nodes: Vec<OsmNode>,
    ways: Vec<OsmWay>,
    relations: Vec<OsmRelation>,
}

impl Sink for Keep<'_> {
    fn node(&mut self, id: i64, lon: f64, lat: f64, tags: &[(&str, &str)]) {
        let of_use = osm_tags::node_is_of_use(tags);
        if of_use || self.needed.binary_search(&id).is_ok() {
            let tags = if of_use { Tags::new(tags) } else { Tags::default() };
            self.nodes.push(OsmNode { id, lon, lat, tags });
        }
    }
    fn way(&mut self, id: i64, refs: &[i64], tags: &[(&str, &str)]) {
        if osm_tags::way_is_of_use(tags) || self.needed.binary_search(&id).is_ok() {
            self.ways.push(OsmWay { id, refs: refs.to_vec(), tags: Tags::new(tags) });
        }
    }
    fn relation(&mut self, id: i64, members: &[(MemberKind, i64, &str)], tags: &[(&str, &str)]) {
        if osm_tags::relation_is_of_use(tags) {
            let member = |&(kind, id, role): &(MemberKind, i64, &str)| OsmMember { kind, id, role: role.to_owned() };
            let members = members.iter().map(member).collect();
            self.relations.push(OsmRelation { id, members, tags: Tags::new(tags) });
        }
    }
}
