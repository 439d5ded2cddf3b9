//! The OpenStreetMap PBF container: frames, protocol buffer wire format, blocks of elements.
//! Source: the format's definition at wiki.openstreetmap.org/wiki/PBF_Format (`fileformat.proto`,
//! `osmformat.proto`) and protobuf.dev's wire encoding.
//!
//! Why not the crate `osmpbf`: on damaged files it panics (unknown member types, overflowing deltas)
//! and takes a file cut inside a length word for a whole one. This decoder checks every length, index,
//! sum and checksum and returns an error with the byte offset of the block; `osmpbf` stays as the
//! peer that the tests compare it with.
//!
//! Ignores: versions, users, change sets, block indices. Refuses: history files and compressions other
//! than zlib. A file cut exactly between two blocks cannot be told from a whole one.
//! Contract: pure functions of the bytes; blocks can be decoded in parallel, each on its own.

use std::io::Read;

/// Limits of the format's definition.
const HEADER_BYTES_MAX: usize = 64 * 1024;
const BLOCK_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What is wrong with some bytes.
pub(crate) type Decoded<T> = Result<T, String>;

/// Kind of a relation's member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberKind {
    /// A node.
    Node,
    /// A way.
    Way,
    /// A relation.
    Relation,
}

/// A compressed block of elements and where it starts in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) offset: usize,
    body: &'a [u8],
}

/// Receives the elements of a block in file order.
pub(crate) trait Sink {
    /// A node, in degrees.
    fn node(&mut self, _id: i64, _lon_deg: f64, _lat_deg: f64, _tags: &[(&str, &str)]) {}
    /// A way.
    fn way(&mut self, _id: i64, _refs: &[i64], _tags: &[(&str, &str)]) {}
    /// A relation with (kind, id, role) of its members.
    fn relation(&mut self, _id: i64, _members: &[(MemberKind, i64, &str)], _tags: &[(&str, &str)]) {}
}

/// Which elements to decode; others are skipped unread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) nodes: bool,
    pub(crate) ways: bool,
    pub(crate) relations: bool,
}

/// Splits a file into its data blocks and checks its header.
pub(crate) fn frames(bytes: &[u8]) -> Decoded<Vec<Frame<'_>>> {
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let first = at == 0;
        let (kind, body, next) = frame(bytes, at).map_err(|why| {
            if first { format!("is not an OpenStreetMap PBF file: {why}") } else { format!("at byte {at}: {why}") }
        })?;
        match kind {
            b"OSMHeader" => check_header(body).map_err(|why| format!("header at byte {at}: {why}"))?,
            _ if first => return Err("is not an OpenStreetMap PBF file: it does not start with a header".to_owned()),
            b"OSMData" => frames.push(Frame { offset: at, body }),
            _ => {} // the definition asks to skip unknown blocks
        }
        at = next;
    }
    if frames.is_empty() {
        return Err("holds a header but no data: it is cut short".to_owned());
    }
    Ok(frames)
}

type RawFrame<'a> = (&'a [u8], &'a [u8], usize);

fn frame(bytes: &[u8], at: usize) -> Decoded<RawFrame<'_>> {
    let cut = |what: &str, needed: usize, from: usize| {
        format!("the file is cut short: {what} needs {needed} bytes, {} are left", bytes.len() - from)
    };
    let take = |what: &str, from: usize, count: usize| bytes.get(from..from + count).ok_or(cut(what, count, from));
    let word = take("a block's length", at, 4)?;
    let header_len = u32::from_be_bytes([word[0], word[1], word[2], word[3]]) as usize;
    if header_len > HEADER_BYTES_MAX {
        return Err(format!("a block header of {header_len} bytes is longer than the format allows"));
    }
    let header = take("a block header", at + 4, header_len)?;
    let (mut kind, mut size) = (None, None);
    let mut wire = Wire(header);
    while let Some((field, value)) = wire.next()? {
        match (field, value) {
            (1, Value::Bytes(name)) => kind = Some(name),
            (3, Value::Varint(bytes)) => size = Some(bytes),
            _ => {}
        }
    }
    let (Some(kind), Some(size)) = (kind, size) else {
        return Err("a block header lacks its type or size".to_owned());
    };
    let size = usize::try_from(size).ok().filter(|&size| size <= BLOCK_BYTES_MAX);
    let size = size.ok_or("a block is larger than the format allows")?;
    let from = at + 4 + header_len;
    Ok((kind, take("a block", from, size)?, from + size))
}

fn check_header(body: &[u8]) -> Decoded<()> {
    let header = unpack(body)?;
    let mut wire = Wire(&header);
    while let Some((field, value)) = wire.next()? {
        if let (4, Value::Bytes(feature)) = (field, value)
            && !matches!(feature, b"OsmSchema-V0.6" | b"DenseNodes")
        {
            return Err(format!("needs the feature `{}`, which is not supported", String::from_utf8_lossy(feature)));
        }
    }
    Ok(())
}

/// The content of a blob, decompressed, with its size and checksum checked.
fn unpack(blob: &[u8]) -> Decoded<Vec<u8>> {
    let mut wire = Wire(blob);
    let (mut content, mut raw_size) = (None, None);
    while let Some((field, value)) = wire.next()? {
        match (field, value) {
            (1, Value::Bytes(raw)) => content = Some(raw.to_vec()),
            (2, Value::Varint(size)) => raw_size = Some(size),
            (3, Value::Bytes(packed)) => {
                let mut raw = Vec::new();
                flate2::read::ZlibDecoder::new(packed)
                    .take(BLOCK_BYTES_MAX as u64 + 1)
                    .read_to_end(&mut raw)
                    .map_err(|why| format!("damaged compressed data: {why}"))?;
                content = Some(raw);
            }
            (4..=7, Value::Bytes(_)) => {
                let name = ["lzma", "bzip2", "lz4", "zstd"][field as usize - 4];
                return Err(format!("is compressed with {name}; only zlib is supported (convert with `osmium cat`)"));
            }
            _ => {}
        }
    }
    let content = content.ok_or("a block without content")?;
    if content.len() > BLOCK_BYTES_MAX {
        return Err("a block is larger than the format allows".to_owned());
    }
    if raw_size.is_some_and(|size| size != content.len() as u64) {
        return Err(format!("a block of {} bytes says it has {}", content.len(), raw_size.unwrap_or(0)));
    }
    Ok(content)
}

struct Block<'a> {
    strings: Vec<&'a str>,
    granularity: i64,
    lat_offset: i64,
    lon_offset: i64,
}

/// Which kinds of elements a block holds, and its wanted elements sent to `sink` in file order.
pub(crate) fn decode(frame: Frame<'_>, wanted: Wanted, sink: &mut impl Sink) -> Decoded<Wanted> {
    let content = unpack(frame.body)?;
    let mut block = Block { strings: Vec::new(), granularity: 100, lat_offset: 0, lon_offset: 0 };
    let mut groups = Vec::new();
    let mut wire = Wire(&content);
    while let Some((field, value)) = wire.next()? {
        match (field, value) {
            (1, Value::Bytes(table)) => {
                let mut wire = Wire(table);
                while let Some((field, value)) = wire.next()? {
                    if let (1, Value::Bytes(text)) = (field, value) {
                        block.strings.push(std::str::from_utf8(text).map_err(|_| "text that is not UTF-8")?);
                    }
                }
            }
            (2, Value::Bytes(group)) => groups.push(group),
            (17, Value::Varint(value)) => block.granularity = value as i64,
            (19, Value::Varint(value)) => block.lat_offset = value as i64,
            (20, Value::Varint(value)) => block.lon_offset = value as i64,
            _ => {}
        }
    }
    let mut held = Wanted::default();
    for group in groups {
        let mut wire = Wire(group);
        while let Some((field, value)) = wire.next()? {
            let Value::Bytes(bytes) = value else { continue };
            match field {
                1 | 2 => {
                    held.nodes = true;
                    match (wanted.nodes, field) {
                        (true, 1) => block.node(bytes, sink)?,
                        (true, _) => block.dense_nodes(bytes, sink)?,
                        _ => {}
                    }
                }
                3 => {
                    held.ways = true;
                    if wanted.ways {
                        block.way(bytes, sink)?;
                    }
                }
                4 => {
                    held.relations = true;
                    if wanted.relations {
                        block.relation(bytes, sink)?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(held)
}

impl<'a> Block<'a> {
    fn text(&self, index: u64) -> Decoded<&'a str> {
        let found = usize::try_from(index).ok().and_then(|index| self.strings.get(index));
        found.copied().ok_or_else(|| format!("text {index} of {}", self.strings.len()))
    }
    fn tags(&self, keys: &[u64], values: &[u64], id: i64) -> Decoded<Vec<(&'a str, &'a str)>> {
        if keys.len() != values.len() {
            return Err(format!("element {id} has {} tag keys and {} values", keys.len(), values.len()));
        }
        keys.iter().zip(values).map(|(&key, &value)| Ok((self.text(key)?, self.text(value)?))).collect()
    }
    /// Degrees of a stored longitude, latitude; both are checked to be on Earth.
    fn place(&self, id: i64, lon: i64, lat: i64) -> Decoded<(f64, f64)> {
        let nano = |offset: i64, value: i64| value.checked_mul(self.granularity)?.checked_add(offset);
        // Nanodegrees are exact in f64, so this division gives the nearest double to the decimal.
        let degrees = |nano: Option<i64>, limit: i64| {
            nano.filter(|n| n.unsigned_abs() <= limit as u64 * 1_000_000_000).map(|n| n as f64 / 1e9)
        };
        degrees(nano(self.lon_offset, lon), 180)
            .zip(degrees(nano(self.lat_offset, lat), 90))
            .ok_or_else(|| format!("node {id} is not on Earth"))
    }
    fn node(&self, bytes: &[u8], sink: &mut impl Sink) -> Decoded<()> {
        let (mut id, mut lon, mut lat, mut keys, mut values) = (0, 0, 0, Vec::new(), Vec::new());
        let mut wire = Wire(bytes);
        while let Some((field, value)) = wire.next()? {
            match field {
                1 => id = zigzag(value.varint()?),
                2 => value.numbers(&mut keys)?,
                3 => value.numbers(&mut values)?,
                8 => lat = zigzag(value.varint()?),
                9 => lon = zigzag(value.varint()?),
                _ => {}
            }
        }
        let (lon_deg, lat_deg) = self.place(id, lon, lat)?;
        sink.node(id, lon_deg, lat_deg, &self.tags(&keys, &values, id)?);
        Ok(())
    }
    fn dense_nodes(&self, bytes: &[u8], sink: &mut impl Sink) -> Decoded<()> {
        let (mut ids, mut lats, mut lons, mut keys_values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut wire = Wire(bytes);
        while let Some((field, value)) = wire.next()? {
            match field {
                1 => value.numbers(&mut ids)?,
                8 => value.numbers(&mut lats)?,
                9 => value.numbers(&mut lons)?,
                10 => value.numbers(&mut keys_values)?,
                _ => {}
            }
        }
        if ids.len() != lats.len() || ids.len() != lons.len() {
            return Err(format!("{} nodes have {} latitudes, {} longitudes", ids.len(), lats.len(), lons.len()));
        }
        let (ids, lats, lons) = (summed(&ids)?, summed(&lats)?, summed(&lons)?);
        // Per node: key, value, key, value ... 0; the whole list is absent when no node has tags.
        let mut rest = keys_values.iter().copied();
        let mut tags = Vec::new();
        for ((&id, &lat), &lon) in ids.iter().zip(&lats).zip(&lons) {
            tags.clear();
            if !keys_values.is_empty() {
                loop {
                    match rest.next() {
                        Some(0) => break,
                        Some(key) => {
                            let value = rest.next().ok_or("a tag key without value")?;
                            tags.push((self.text(key)?, self.text(value)?));
                        }
                        None => return Err("fewer tag lists than nodes".to_owned()),
                    }
                }
            }
            let (lon_deg, lat_deg) = self.place(id, lon, lat)?;
            sink.node(id, lon_deg, lat_deg, &tags);
        }
        if rest.next().is_some() { Err("more tag lists than nodes".to_owned()) } else { Ok(()) }
    }
    fn way(&self, bytes: &[u8], sink: &mut impl Sink) -> Decoded<()> {
        let (mut id, mut refs, mut keys, mut values) = (0, Vec::new(), Vec::new(), Vec::new());
        let mut wire = Wire(bytes);
        while let Some((field, value)) = wire.next()? {
            match field {
                1 => id = value.varint()? as i64,
                2 => value.numbers(&mut keys)?,
                3 => value.numbers(&mut values)?,
                8 => value.numbers(&mut refs)?,
                _ => {}
            }
        }
        sink.way(id, &summed(&refs)?, &self.tags(&keys, &values, id)?);
        Ok(())
    }
    fn relation(&self, bytes: &[u8], sink: &mut impl Sink) -> Decoded<()> {
        let (mut id, mut keys, mut values) = (0, Vec::new(), Vec::new());
        let (mut roles, mut ids, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        let mut wire = Wire(bytes);
        while let Some((field, value)) = wire.next()? {
            match field {
                1 => id = value.varint()? as i64,
                2 => value.numbers(&mut keys)?,
                3 => value.numbers(&mut values)?,
                8 => value.numbers(&mut roles)?,
                9 => value.numbers(&mut ids)?,
                10 => value.numbers(&mut kinds)?,
                _ => {}
            }
        }
        if roles.len() != ids.len() || kinds.len() != ids.len() {
            return Err(format!("relation {id} has unequal lists of members"));
        }
        let members: Vec<(MemberKind, i64, &str)> = summed(&ids)?
            .iter()
            .zip(&roles)
            .zip(&kinds)
            .map(|((&member, &role), &kind)| {
                let kind = match kind {
                    0 => MemberKind::Node,
                    1 => MemberKind::Way,
                    2 => MemberKind::Relation,
                    other => return Err(format!("relation {id} has a member of unknown kind {other}")),
                };
                Ok((kind, member, self.text(role)?))
            })
            .collect::<Decoded<_>>()?;
        sink.relation(id, &members, &self.tags(&keys, &values, id)?);
        Ok(())
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Running totals of zigzag deltas.
fn summed(deltas: &[u64]) -> Decoded<Vec<i64>> {
    let mut total = 0_i64;
    let add = |&delta: &u64| {
        total = total.checked_add(zigzag(delta)).ok_or("numbers that overflow")?;
        Ok(total)
    };
    deltas.iter().map(add).collect()
}

/// The wire format: a sequence of numbered fields.
struct Wire<'a>(&'a [u8]);

#[derive(Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl Value<'_> {
    fn varint(self) -> Decoded<u64> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err("a field of the wrong type".to_owned()),
        }
    }
    /// Appends a packed list, or one element of an unpacked one.
    fn numbers(self, into: &mut Vec<u64>) -> Decoded<()> {
        match self {
            Self::Varint(value) => into.push(value),
            Self::Bytes(bytes) => {
                let mut wire = Wire(bytes);
                into.reserve(bytes.len() / 2);
                while !wire.0.is_empty() {
                    into.push(wire.varint()?);
                }
            }
            Self::Fixed => return Err("a field of the wrong type".to_owned()),
        }
        Ok(())
    }
}

impl<'a> Wire<'a> {
    fn varint(&mut self) -> Decoded<u64> {
        let mut value = 0_u64;
        for (at, &byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.0 = &self.0[at + 1..];
                return Ok(value);
            }
        }
        Err("a number that does not end".to_owned())
    }
    fn take(&mut self, count: u64) -> Decoded<&'a [u8]> {
        let split = usize::try_from(count).ok().and_then(|count| self.0.split_at_checked(count));
        let (taken, rest) = split.ok_or("a field longer than its message")?;
        self.0 = rest;
        Ok(taken)
    }
    fn next(&mut self) -> Decoded<Option<(u64, Value<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            other => return Err(format!("a field of unknown wire type {other}")),
        };
        Ok(Some((key >> 3, value)))
    }
}
