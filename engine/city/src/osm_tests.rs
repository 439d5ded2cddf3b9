//! PBF reading against a hand-written encoder, against the crate `osmpbf` on real files, and under
//! damage.

#![allow(clippy::print_stdout)] // tests say what they skip and what they measured

use crate::osm::{MemberKind, OsmExtract};
use std::io::Write;
use std::path::{Path, PathBuf};
use urbis_core::rng::Rng;
use urbis_core::{Error, Result};

/// A protocol buffer message under construction.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, field: u64, value: u64) -> Self {
        put(&mut self.0, field << 3);
        put(&mut self.0, value);
        self
    }
    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        put(&mut self.0, field << 3 | 2);
        put(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
    }
    fn packed(self, field: u64, values: impl IntoIterator<Item = u64>) -> Self {
        let mut list = Vec::new();
        values.into_iter().for_each(|value| put(&mut list, value));
        self.bytes(field, &list)
    }
    fn deltas(self, field: u64, values: &[i64]) -> Self {
        let mut last = 0;
        let delta = |&value: &i64| {
            let delta = value - last;
            last = value;
            zigzag(delta)
        };
        let values: Vec<u64> = values.iter().map(delta).collect();
        self.packed(field, values)
    }
}

fn put(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn frame(kind: &str, content: &Message, zlib: bool) -> Vec<u8> {
    let blob = if zlib {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&content.0).unwrap();
        Message::default().varint(2, content.0.len() as u64).bytes(3, &packed.finish().unwrap())
    } else {
        Message::default().bytes(1, &content.0)
    };
    let header = Message::default().bytes(1, kind.as_bytes()).varint(3, blob.0.len() as u64);
    [&(header.0.len() as u32).to_be_bytes()[..], &header.0, &blob.0].concat()
}

fn strings(texts: &[&str]) -> Message {
    texts.iter().fold(Message::default(), |table, text| table.bytes(1, text.as_bytes()))
}

/// Nodes 1 to 4, a road over 1, 2, 3, a shop on node 4, an untagged way kept by its multipolygon, and a
/// restriction.
fn sample(zlib: bool) -> Vec<u8> {
    let texts =
        ["", "shop", "bakery", "highway", "primary", "type", "restriction", "no_left_turn", "from", "via", "to"];
    let table = strings(&[&texts[..], &["multipolygon", "building", "yes", "outer", "bench", "amenity"]].concat());
    let dense = Message::default()
        .deltas(1, &[1, 2, 3, 4, 5, 6])
        .deltas(8, &[437_000_000, 437_000_100, 437_000_200, 437_000_300, 0, 437_000_400])
        .deltas(9, &[74_000_000, 74_000_100, 74_000_200, 74_000_300, 0, -74_000_400])
        .packed(10, [0, 0, 0, 1, 2, 0, 16, 15, 0, 0]);
    let plain = Message::default().varint(1, zigzag(7)).varint(8, zigzag(10)).varint(9, zigzag(-10));
    let road = Message::default().varint(1, 10).packed(2, [3]).packed(3, [4]).deltas(8, &[1, 2, 3]);
    let outline = Message::default().varint(1, 11).deltas(8, &[1, 2, 6, 1]);
    let unused = Message::default().varint(1, 12).deltas(8, &[5, 7]);
    let building = Message::default()
        .varint(1, 20)
        .packed(2, [5, 12])
        .packed(3, [11, 13])
        .packed(8, [14])
        .deltas(9, &[11])
        .packed(10, [1]);
    let ban = Message::default()
        .varint(1, 21)
        .packed(2, [5, 6])
        .packed(3, [6, 7])
        .packed(8, [8, 9, 10])
        .deltas(9, &[10, 2, 10])
        .packed(10, [1, 0, 1]);
    let nodes = Message::default().bytes(2, &dense.0).bytes(1, &plain.0);
    let ways = Message::default().bytes(3, &road.0).bytes(3, &outline.0).bytes(3, &unused.0);
    let relations = Message::default().bytes(4, &building.0).bytes(4, &ban.0);
    let header = Message::default().bytes(4, b"OsmSchema-V0.6").bytes(4, b"DenseNodes");
    let block = |group: &Message| Message::default().bytes(1, &table.0).bytes(2, &group.0).varint(17, 100);
    [
        frame("OSMHeader", &header, zlib),
        frame("Comment", &strings(&["skipped"]), false),
        frame("OSMData", &block(&nodes), zlib),
        frame("OSMData", &block(&ways), zlib),
        frame("OSMData", &block(&relations), zlib),
    ]
    .concat()
}

fn read(bytes: &[u8]) -> Result<OsmExtract> {
    OsmExtract::from_pbf(Path::new("x.osm.pbf"), bytes)
}

fn said(bytes: &[u8]) -> String {
    let Err(Error::Input(problems)) = read(bytes) else { return String::new() };
    problems.listed()[0].to_string()
}

#[test]
fn keeps_what_is_of_use() {
    for zlib in [false, true] {
        let extract = read(&sample(zlib)).unwrap();
        let nodes: Vec<(i64, f64, f64)> = extract.nodes.iter().map(|node| (node.id, node.lon, node.lat)).collect();
        let expected = [(1, 7.4, 43.7), (2, 7.400_01, 43.700_01), (3, 7.400_02, 43.700_02), (4, 7.400_03, 43.700_03)];
        assert_eq!(nodes, [&expected[..], &[(6, -7.400_04, 43.700_04)]].concat());
        assert!(extract.node(4).unwrap().tags.is("shop", "bakery"));
        assert!(extract.node(1).unwrap().tags.is_empty() && extract.node(5).is_none());
        assert_eq!(extract.ways.iter().map(|way| way.id).collect::<Vec<_>>(), [10, 11]);
        assert_eq!(extract.way(10).unwrap().refs, [1, 2, 3]);
        let ban = &extract.relations[1];
        assert_eq!((ban.id, ban.members[1].kind, ban.members[1].id), (21, MemberKind::Node, 2));
        assert_eq!(ban.members[2].role, "to");
        assert_eq!(extract.areas(|tags| tags.has("building")).areas.len(), 1);
        assert_eq!(extract.bbox_deg().unwrap().map(|d| (d * 10.0).round() as i32), [-74, 437, 74, 437]);
    }
}

#[test]
fn files_that_are_not_pbf_say_so() {
    for (bytes, words) in [
        (&b""[..], "is empty"),
        (b"<?xml version=\"1.0\"?><osm/>", "is not an OpenStreetMap PBF file"),
        (b"PK\x03\x04 anything at all", "is not an OpenStreetMap PBF file"),
        (&[0; 64], "is not an OpenStreetMap PBF file"),
        (b"\0\0", "cut short"),
    ] {
        assert!(said(bytes).contains(words), "{}", said(bytes));
    }
    let header = |features: &[&str]| {
        let message = features.iter().fold(Message::default(), |m, feature| m.bytes(4, feature.as_bytes()));
        frame("OSMHeader", &message, true)
    };
    assert!(said(&header(&["DenseNodes"])).contains("no data"));
    assert!(said(&header(&["HistoricalInformation"])).contains("HistoricalInformation"));
    let lz4 = Message::default().bytes(6, b"x");
    let word = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
    let blob_header = Message::default().bytes(1, b"OSMData").varint(3, lz4.0.len() as u64).0;
    let packed = [&header(&[])[..], &word(&blob_header), &blob_header, &lz4.0].concat();
    assert!(said(&packed).contains("lz4"), "{}", said(&packed));
}

#[test]
fn contradictions_inside_a_block_are_said() {
    let table = strings(&["", "highway"]);
    let said_of = |group: Message, granularity: u64| {
        let block = Message::default().bytes(1, &table.0).bytes(2, &group.0).varint(17, granularity);
        said(&[frame("OSMHeader", &Message::default(), true), frame("OSMData", &block, true)].concat())
    };
    let way = |m: Message| Message::default().bytes(3, &m.0);
    let dense = |m: Message| Message::default().bytes(2, &m.0);
    let relation = |m: Message| Message::default().bytes(4, &m.0);
    let empty = Message::default;
    for (group, words) in [
        (way(empty().varint(1, 5).packed(2, [1]).packed(3, [9])), "text 9 of 2"),
        (way(empty().varint(1, 5).packed(2, [1])), "element 5 has 1 tag keys and 0 values"),
        (way(empty().varint(1, 5).packed(8, [zigzag(i64::MAX), zigzag(i64::MAX)])), "overflow"),
        (way(empty().bytes(1, b"x")), "wrong type"),
        (dense(empty().deltas(1, &[1, 2]).deltas(8, &[0]).deltas(9, &[0])), "2 nodes have 1 latitudes"),
        (dense(empty().deltas(1, &[1]).deltas(8, &[910_000_000]).deltas(9, &[0])), "node 1 is not on Earth"),
        (dense(empty().deltas(1, &[1]).deltas(8, &[0]).deltas(9, &[0]).packed(10, [1, 1])), "fewer tag lists"),
        (dense(empty().deltas(1, &[1]).deltas(8, &[0]).deltas(9, &[0]).packed(10, [0, 0])), "more tag lists"),
        (dense(empty().deltas(1, &[1]).deltas(8, &[0]).deltas(9, &[0]).packed(10, [1])), "without value"),
        (
            relation(empty().varint(1, 8).packed(8, [0]).deltas(9, &[1]).packed(10, [7])),
            "relation 8 has a member of unknown kind 7",
        ),
        (relation(empty().varint(1, 8).packed(8, [0])), "unequal lists"),
    ] {
        let said = said_of(group, 100);
        assert!(said.contains(words) && said.contains("block at byte"), "{said}");
    }
    let far = dense(empty().deltas(1, &[1]).deltas(8, &[i64::MAX / 2]).deltas(9, &[0]));
    assert!(said_of(far, i64::MAX as u64).contains("not on Earth"));
}

#[test]
fn every_cut_is_noticed() {
    let whole = sample(true);
    let mut at = 0;
    let mut bounds = Vec::new();
    while at < whole.len() {
        bounds.push(at);
        let header = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
        // Type and size of these small headers: the size is the last varint.
        let text = &whole[at + 4..at + 4 + header];
        let size_at = text.iter().rposition(|&byte| byte == 3 << 3).unwrap() + 1;
        let size = text[size_at..].iter().rev().fold(0_usize, |size, &byte| size << 7 | usize::from(byte & 0x7f));
        at += 4 + header + size;
    }
    for cut in 0..whole.len() {
        let result = read(&whole[..cut]);
        // Between two blocks nothing tells a cut file from a whole one, once it holds data.
        let undetectable = bounds.contains(&cut) && cut > bounds[2];
        assert_eq!(result.is_ok(), undetectable, "cut at {cut}");
    }
}

#[test]
fn damage_never_panics() {
    for zlib in [false, true] {
        let whole = sample(zlib);
        let mut noticed = 0;
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                noticed += usize::from(read(&bytes).is_err());
            }
        }
        assert!(noticed > whole.len(), "{noticed} of {} flips noticed", whole.len() * 8);
        let mut rng = Rng::new(2, u32::from(zlib), 0, 0);
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..1 + rng.below(6) {
                let at = rng.below(bytes.len() as u32) as usize;
                match rng.below(3) {
                    0 => bytes[at] = rng.next_u32() as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, rng.next_u32() as u8),
                }
            }
            let _ = read(&bytes).map(|extract| extract.areas(|_| true));
        }
    }
}

/// A file of the shared test cities; `None`, said aloud, where the folder is absent.
pub(crate) fn shared_file(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("URBIS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(name);
    if !path.exists() {
        println!("skipped: {} is not there (set URBIS_SHARED to its folder)", path.display());
        return None;
    }
    Some(path)
}

/// The peer: everything `osmpbf` sees, kept by the same rules.
fn by_osmpbf(path: &Path) -> OsmExtract {
    use crate::osm::{OsmMember, OsmNode, OsmRelation, OsmWay, Tags};
    use crate::osm_tags::{node_is_of_use, relation_is_of_use, way_is_of_use};
    use osmpbf::{Element, RelMemberType};
    let (mut nodes, mut ways, mut relations) = (Vec::new(), Vec::new(), Vec::new());
    let mut node = |id, nano_lon: i64, nano_lat: i64, tags: Vec<(&str, &str)>| {
        let of_use = node_is_of_use(&tags);
        let tags = if of_use { Tags::new(&tags) } else { Tags::default() };
        nodes.push((of_use, OsmNode { id, lon: nano_lon as f64 / 1e9, lat: nano_lat as f64 / 1e9, tags }));
    };
    let reader = osmpbf::ElementReader::from_path(path).unwrap();
    reader
        .for_each(|element| match element {
            Element::Node(n) => node(n.id(), n.nano_lon(), n.nano_lat(), n.tags().collect()),
            Element::DenseNode(n) => node(n.id(), n.nano_lon(), n.nano_lat(), n.tags().collect()),
            Element::Way(w) => {
                let tags: Vec<_> = w.tags().collect();
                let way = OsmWay { id: w.id(), refs: w.refs().collect(), tags: Tags::new(&tags) };
                ways.push((way_is_of_use(&tags), way));
            }
            Element::Relation(r) => {
                let tags: Vec<_> = r.tags().collect();
                if relation_is_of_use(&tags) {
                    let members = r
                        .members()
                        .map(|m| OsmMember {
                            kind: match m.member_type {
                                RelMemberType::Node => MemberKind::Node,
                                RelMemberType::Way => MemberKind::Way,
                                RelMemberType::Relation => MemberKind::Relation,
                            },
                            id: m.member_id,
                            role: m.role().unwrap().to_owned(),
                        })
                        .collect();
                    relations.push(OsmRelation { id: r.id(), members, tags: Tags::new(&tags) });
                }
            }
        })
        .unwrap();
    let members: std::collections::BTreeSet<i64> = relations
        .iter()
        .filter(|r| !r.tags.is("type", "restriction"))
        .flat_map(|r| r.members.iter().filter(|m| m.kind == MemberKind::Way).map(|m| m.id))
        .collect();
    ways.retain(|(of_use, way)| *of_use || members.contains(&way.id));
    let needed: std::collections::BTreeSet<i64> = ways.iter().flat_map(|(_, way)| way.refs.iter().copied()).collect();
    nodes.retain(|(of_use, node)| *of_use || needed.contains(&node.id));
    let ways = ways.into_iter().map(|(_, way)| way).collect();
    OsmExtract::new(nodes.into_iter().map(|(_, node)| node).collect(), ways, relations)
}

#[test]
fn real_files_agree_with_osmpbf() {
    for name in ["cities/monaco/monaco.osm.pbf", "cities/porto_alegre/poa_osm.pbf"] {
        let Some(path) = shared_file(name) else { continue };
        let extract = OsmExtract::read(&path).unwrap();
        assert!(extract == by_osmpbf(&path), "{name}");
        let areas = extract.areas(|tags| tags.has("building"));
        println!(
            "{name}: {} nodes, {} ways, {} relations; {} buildings, {} incomplete",
            extract.nodes.len(),
            extract.ways.len(),
            extract.relations.len(),
            areas.areas.len(),
            areas.incomplete.len()
        );
    }
}

#[test]
fn damaged_real_files_are_errors() {
    let Some(path) = shared_file("cities/monaco/monaco.osm.pbf") else { return };
    let whole = std::fs::read(path).unwrap();
    for cut in [1, 3, 4, 20, 1000, whole.len() / 2, whole.len() - 1] {
        assert!(!said(&whole[..cut]).is_empty(), "cut at {cut}");
    }
    let mut rng = Rng::new(3, 0, 0, 0);
    for _ in 0..40 {
        let mut bytes = whole.clone();
        // Everything but the short headers lies under a checksum.
        let at = rng.below(bytes.len() as u32) as usize;
        bytes[at] ^= 1 << rng.below(8);
        assert!(!said(&bytes).is_empty(), "flip at {at}");
    }
}
