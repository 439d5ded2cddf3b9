//! XML files as a stream of elements, compressed or not; common to the readers of MATSim and SUMO.
//!
//! Compression is known by the first bytes, not by the name; several gzip members in a row are one file.
//! Ignores: namespaces, comments, processing instructions, document types (their entities are not expanded).
//! Contract: memory holds one element at a time; every fault is a [`Problem`] with its place in the text.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use urbis_core::{Error, Problem, Result};

/// What comes next in a file.
pub(crate) enum Piece<'a> {
    /// An element begins; one without content ends at once.
    Open(&'a Element<'a>),
    /// The element of this name ends.
    Close(&'a str),
    /// Text, perhaps in several parts.
    Text(&'a str),
}

/// Where in a file.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    path: &'a Path,
    byte: u64,
}

impl Place<'_> {
    /// A problem here.
    pub(crate) fn problem(&self, what: impl std::fmt::Display) -> Problem {
        Problem::file(self.path, format!("byte {}: {what}", self.byte))
    }
}

/// The start of an element.
pub(crate) struct Element<'a> {
    start: BytesStart<'a>,
    place: Place<'a>,
}

impl Element<'_> {
    pub(crate) fn name(&self) -> &str {
        self.start.name().into_inner()
    }
    /// Values of several attributes; `None` for those that are not there.
    pub(crate) fn attributes<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Cow<'_, str>>; N]> {
        let mut found = [const { None }; N];
        let mut all = self.start.attributes();
        all.with_checks(false);
        for attribute in all {
            let attribute = attribute.map_err(|why| self.place.problem(format!("{}: {why}", self.name())))?;
            let Some(at) = names.iter().position(|name| *name == attribute.key.into_inner()) else { continue };
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|why| self.place.problem(format!("{} {}: {why}", self.name(), names[at])))?;
            found[at] = Some(value);
        }
        Ok(found)
    }
    /// Value of one attribute.
    pub(crate) fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>> {
        let [value] = self.attributes([name])?;
        Ok(value)
    }
}

/// Reads a file piece by piece until its end or the first error.
///
/// # Errors
/// [`Error::Read`] when it cannot be read, [`Error::Input`] where it is not XML, ends early or has no element, and
/// what `take` returns.
pub(crate) fn read(path: &Path, take: impl FnMut(Piece<'_>, Place<'_>) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    read_from(path, Box::new(BufReader::with_capacity(1 << 16, file)), take)
}

/// As [`read`], from anywhere; `path` is its name in messages.
pub(crate) fn read_from(
    path: &Path,
    mut input: Box<dyn BufRead + '_>,
    mut take: impl FnMut(Piece<'_>, Place<'_>) -> Result<()>,
) -> Result<()> {
    let packed = input.fill_buf().map_err(|source| Error::read(path, source))?.starts_with(&[0x1F, 0x8B]);
    let input: Box<dyn BufRead + '_> = if packed {
        Box::new(BufReader::with_capacity(1 << 16, flate2::bufread::MultiGzDecoder::new(input)))
    } else {
        input
    };
    let mut reader = Reader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut open, mut elements) = (Vec::new(), 0_usize, 0_u64);
    loop {
        buffer.clear();
        let byte = reader.buffer_position();
        let event = reader.read_event_into(&mut buffer);
        let place = Place { path, byte };
        match event.map_err(|why| place.problem(format!("this is not whole XML: {why}")))? {
            Event::Start(start) => {
                (open, elements) = (open + 1, elements + 1);
                take(Piece::Open(&Element { start, place }), place)?;
            }
            Event::End(end) => {
                open = open.saturating_sub(1);
                take(Piece::Close(end.name().into_inner()), place)?;
            }
            Event::Text(text) => take(Piece::Text(&text.xml10_content()), place)?,
            Event::CData(text) => take(Piece::Text(&text.xml10_content()), place)?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|why| place.problem(why))?;
                let text = character.map(String::from);
                let name = reference.xml10_content();
                let known = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                let text = text.or(known).ok_or_else(|| place.problem(format!("unknown entity &{name};")))?;
                take(Piece::Text(&text), place)?;
            }
            Event::Eof if open > 0 => {
                return Err(place.problem(format!("the file ends with {open} open elements; is it whole?")).into());
            }
            Event::Eof if elements == 0 => return Err(Problem::file(path, "has no XML element").into()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// A number of an attribute.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok()
}

#[cfg(test)]
pub(crate) mod fuzz {
    //! Files that are almost right, for tests that readers never panic.

    use proptest::prelude::*;
    use urbis_core::{Error, Result};

    /// A change to a file.
    #[derive(Clone, Debug)]
    pub(crate) enum Change {
        Cut(usize),
        Set(usize, u8),
        Drop(usize, usize),
        Double(usize, usize),
        Insert(usize, &'static str),
    }

    pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
        const ODD: &[&str] =
            &["-1", "\"", "<", "/>", "NaN", "1e999", "99999999999", "&x;", "\u{e9}", "00:00", "", "]]>", " 2 ", "inf"];
        let one = prop_oneof![
            any::<usize>().prop_map(Change::Cut),
            any::<(usize, u8)>().prop_map(|(at, byte)| Change::Set(at, byte)),
            (any::<usize>(), 1..60_usize).prop_map(|(at, n)| Change::Drop(at, n)),
            (any::<usize>(), 1..200_usize).prop_map(|(at, n)| Change::Double(at, n)),
            (any::<usize>(), proptest::sample::select(ODD)).prop_map(|(at, text)| Change::Insert(at, text)),
        ];
        proptest::collection::vec(one, 1..5)
    }

    pub(crate) fn changed(valid: &[u8], changes: &[Change]) -> Vec<u8> {
        let mut bytes = valid.to_vec();
        for change in changes {
            let length = bytes.len().max(1);
            match *change {
                Change::Cut(at) => bytes.truncate(at % length),
                Change::Set(at, byte) => {
                    if let Some(place) = bytes.get_mut(at % length) {
                        *place = byte;
                    }
                }
                Change::Drop(at, n) => {
                    let start = (at % length).min(bytes.len());
                    let end = (start + n).min(bytes.len());
                    bytes.drain(start..end);
                }
                Change::Double(at, n) => {
                    let start = (at % length).min(bytes.len());
                    let part = bytes[start..(start + n).min(bytes.len())].to_vec();
                    bytes.splice(start..start, part);
                }
                Change::Insert(at, text) => {
                    let start = (at % length).min(bytes.len());
                    bytes.splice(start..start, text.bytes());
                }
            }
        }
        bytes
    }

    /// Whether a reader answered as it must: with a value or with an error that has words.
    pub(crate) fn answered<T>(result: Result<T>) -> bool {
        match result {
            Ok(_) => true,
            Err(Error::Input(problems)) => {
                !problems.is_empty() && problems.listed().iter().all(|p| !p.to_string().is_empty())
            }
            Err(error) => !error.to_string().is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn pieces(bytes: &[u8]) -> Result<String> {
        let mut said = String::new();
        read_from(Path::new("t.xml"), Box::new(bytes), |piece, _| {
            match piece {
                Piece::Open(element) => {
                    let value = element.attribute("a")?.unwrap_or_default();
                    said += &format!("<{} {value}>", element.name());
                }
                Piece::Close(name) => said += &format!("</{name}>"),
                Piece::Text(text) => said += text.trim(),
            }
            Ok(())
        })?;
        Ok(said)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    #[test]
    fn elements_attributes_text() {
        let text = br#"<?xml version="1.0"?><!DOCTYPE x SYSTEM "y"><x a="1&amp;2"><y/> 3 &lt;&#52; <!-- c --><![CDATA[5]]></x>"#;
        let expected = "<x 1&2><y ></y>3<45</x>";
        assert_eq!(pieces(text).unwrap(), expected);
        assert_eq!(pieces(&packed(text)).unwrap(), expected);
        // Two members in a row, as parallel compressors write them.
        let (first, second) = text.split_at(60);
        assert_eq!(pieces(&[packed(first), packed(second)].concat()).unwrap(), expected);
    }

    #[test]
    fn faults_have_a_place() {
        for bad in ["", "words", "<x><y></x>", "<x", "<x a=1></x>", "<x>&nbsp;</x>", "<x>", "<x a=\"&y;\"/>"] {
            let error = pieces(bad.as_bytes()).unwrap_err();
            assert!(
                matches!(&error, Error::Input(problems) if problems.listed()[0].to_string().starts_with("t.xml")),
                "{error}"
            );
        }
        let whole = packed(b"<x><y/></x>");
        assert!(pieces(&whole[..whole.len() - 6]).is_err());
    }
}
