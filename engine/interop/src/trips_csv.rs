//! Trips in CSV: blocks of the file, cut at line ends into pieces that are read in parallel and joined
//! in order. From the first quotation mark on, the rest of the file goes through the `csv` crate, one
//! row after the other, because a quoted cell may hold commas and line ends.
//!
//! Header names in any case, byte order mark, blank cells at the end of rows, either line end, `.gz`.
//! Contract: pieces depend on the bytes alone, never on the number of threads.

use crate::trips::{Joined, Names};
use crate::trips_part::{Cells, Name, Part, seconds};
use flate2::read::MultiGzDecoder;
use memchr::{memchr, memchr_iter, memrchr};
use rayon::prelude::*;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Error, Problem, Result};

/// Bytes in memory at a time.
const BLOCK_BYTES: usize = 32 << 20;
/// Bytes of one piece of parallel work.
const PIECE_BYTES: usize = 256 << 10;
/// Rows between two joins where rows come one by one.
const PART_ROWS: u32 = 1 << 16;
/// A row is about that long; only rooms depend on it.
const ROW_BYTES: usize = 32;

/// Where the columns are.
#[derive(Clone, Copy, Debug)]
struct Columns {
    trip_id: usize,
    depart_s: usize,
    from_node: usize,
    to_node: usize,
    route: Option<usize>,
    vehicle_class: Option<usize>,
    count: usize,
}

/// Columns every table of trips has.
pub(crate) const REQUIRED: [&str; 4] = ["trip_id", "depart_s", "from_node", "to_node"];

/// The position of every column by name; problems say which is missing.
pub(crate) fn positions(path: &Path, header: &[&str], all: &mut Joined) -> Option<[Option<usize>; 6]> {
    let place = |name: &str| header.iter().position(|other| other.eq_ignore_ascii_case(name));
    let mut complete = true;
    for name in REQUIRED {
        if place(name).is_none() {
            let present = header.join(", ");
            let problem = Problem::file(path, format!("column `{name}` is missing; the columns present are {present}"));
            all.problem(match did_you_mean(name, header.iter().copied()) {
                Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                None => problem,
            });
            complete = false;
        }
    }
    for (at, name) in header.iter().enumerate() {
        if !name.is_empty() && header[..at].iter().any(|other| other.eq_ignore_ascii_case(name)) {
            all.problem(Problem::file(path, format!("column `{name}` occurs twice")));
            complete = false;
        }
    }
    complete.then(|| [REQUIRED[0], REQUIRED[1], REQUIRED[2], REQUIRED[3], "route", "vehicle_class"].map(place))
}

fn columns(path: &Path, header: &[String], all: &mut Joined) -> Result<Option<Columns>> {
    if header.len() == 1 && header[0].contains([';', '\t']) {
        return Err(Problem::file(path, format!("the header is one column, `{}`", header[0]))
            .with_help("separate the columns by commas")
            .into());
    }
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let Some([Some(trip_id), Some(depart_s), Some(from_node), Some(to_node), route, vehicle_class]) =
        positions(path, &names, all)
    else {
        return Ok(None);
    };
    Ok(Some(Columns { trip_id, depart_s, from_node, to_node, route, vehicle_class, count: header.len() }))
}

/// Reads a file; a name that ends in `.gz` is decompressed.
pub(crate) fn read(path: &Path, names: &Names, all: &mut Joined) -> Result<()> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
        read_from(path, MultiGzDecoder::new(std::io::BufReader::new(file)), names, all)
    } else {
        read_from(path, file, names, all)
    }
}

fn read_from(path: &Path, mut source: impl Read, names: &Names, all: &mut Joined) -> Result<()> {
    let mut block = Vec::new();
    let mut columns_found: Option<Columns> = None;
    let mut is_first = true;
    loop {
        let wanted = BLOCK_BYTES as u64;
        let read = source.by_ref().take(wanted).read_to_end(&mut block).map_err(|why| Error::read(path, why))?;
        let is_last = (read as u64) < wanted;
        let mut start = 0;
        if is_first && block.starts_with(b"\xEF\xBB\xBF") {
            start = 3;
        }
        if memchr(b'"', &block[start..]).is_some() {
            let rest = Cursor::new(block.split_off(start)).chain(source);
            return read_quoted(path, rest, columns_found, names, all);
        }
        let end = if is_last { block.len() } else { memrchr(b'\n', &block).map_or(0, |at| at + 1) };
        if end == 0 && !is_last {
            continue;
        }
        if is_first {
            let header_end = memchr(b'\n', &block[start..end]).map_or(end, |at| start + at + 1);
            let text = String::from_utf8_lossy(block[start..header_end].trim_ascii()).into_owned();
            if text.is_empty() {
                return Err(Problem::file(path, "is empty, expected a header row").into());
            }
            let header: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
            columns_found = columns(path, &header, all)?;
            start = header_end;
            is_first = false;
        }
        let Some(columns) = columns_found else { return Ok(()) };
        let pieces = cut(&block[start..end]);
        let parts: Vec<Part> = pieces.into_par_iter().map(|piece| read_piece(piece, columns, names)).collect();
        for part in parts {
            all.append(part)?;
        }
        if is_last {
            return Ok(());
        }
        block.drain(..end);
    }
}

/// Pieces of about [`PIECE_BYTES`] that end with a line.
fn cut(mut text: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(text.len() / PIECE_BYTES + 1);
    while text.len() > PIECE_BYTES {
        let end = memchr(b'\n', &text[PIECE_BYTES..]).map_or(text.len(), |at| PIECE_BYTES + at + 1);
        let (piece, rest) = text.split_at(end);
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

fn read_piece(piece: &[u8], columns: Columns, names: &Names) -> Part {
    let mut part = Part::with_room_for(piece.len() / ROW_BYTES);
    let mut cells: Vec<&[u8]> = Vec::with_capacity(columns.count);
    let mut start = 0;
    while start < piece.len() {
        let end = memchr(b'\n', &piece[start..]).map_or(piece.len(), |at| start + at);
        let line = piece[start..end].trim_ascii();
        start = end + 1;
        if line.is_empty() {
            continue;
        }
        cells.clear();
        let mut from = 0;
        for comma in memchr_iter(b',', line) {
            cells.push(line[from..comma].trim_ascii());
            from = comma + 1;
        }
        cells.push(line[from..].trim_ascii());
        push_row(&mut part, &cells, columns, names);
    }
    part
}

fn push_row(part: &mut Part, cells: &[&[u8]], columns: Columns, names: &Names) {
    let too_many = cells.len() > columns.count && cells[columns.count..].iter().any(|cell| !cell.is_empty());
    if cells.len() < columns.count || too_many {
        let id = cells.get(columns.trip_id).copied().unwrap_or(b"");
        part.problem(Name::Text(id), "cells", cells.len().to_string(), columns.count.to_string());
        part.skip_row();
        return;
    }
    let depart = cells[columns.depart_s];
    let row = Cells {
        trip_id: Name::Text(cells[columns.trip_id]),
        depart_s: seconds(depart).ok_or(depart),
        from_node: Name::Text(cells[columns.from_node]),
        to_node: Name::Text(cells[columns.to_node]),
        route: columns.route.map_or(b"", |at| cells[at]),
        vehicle_class: columns.vehicle_class.map(|at| cells[at]),
    };
    part.push(&row, names);
}

/// Reads the rest of a file, header included unless its columns are known.
fn read_quoted(path: &Path, source: impl Read, known: Option<Columns>, names: &Names, all: &mut Joined) -> Result<()> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(false).trim(csv::Trim::All).from_reader(source);
    let mut record = csv::ByteRecord::new();
    let fault = |why: csv::Error| -> Error {
        match why.into_kind() {
            csv::ErrorKind::Io(source) => Error::read(path, source),
            other => Problem::file(path, format!("{other:?}")).into(),
        }
    };
    let columns = match known {
        Some(columns) => columns,
        None => {
            reader.read_byte_record(&mut record).map_err(fault)?;
            let header: Vec<String> =
                record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
            match columns(path, &header, all)? {
                Some(columns) => columns,
                None => return Ok(()),
            }
        }
    };
    let mut part = Part::with_room_for(PART_ROWS as usize);
    while reader.read_byte_record(&mut record).map_err(fault)? {
        let cells: Vec<&[u8]> = record.iter().map(<[u8]>::trim_ascii).collect();
        push_row(&mut part, &cells, columns, names);
        if part.rows == PART_ROWS {
            all.append(std::mem::replace(&mut part, Part::with_room_for(PART_ROWS as usize)))?;
        }
    }
    all.append(part)
}
