//! MATSim events as XML (.gz), with the names and the order of attributes that MATSim's readers know.
//!
//! Times are whole seconds. Contract: what is written depends on the events alone; a file is whole or absent.

use flate2::Compression;
use flate2::write::GzEncoder;
use quick_xml::escape::escape;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use urbis_core::files::{UNFINISHED_PREFIX, create_folder, parent, sync_folder};
use urbis_core::{Error, Result};

/// Something that happens. Persons, vehicles, links and words (modes, activities) are rows of [`EventNames`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Second.
    pub time_s: u32,
    /// What.
    pub kind: EventKind,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // the fields are rows of what they are called
pub enum EventKind {
    /// `actend`
    ActivityEnds { person: u32, link: u32, x: f64, y: f64, activity: u32 },
    /// `actstart`
    ActivityStarts { person: u32, link: u32, x: f64, y: f64, activity: u32 },
    /// `departure`
    Departure { person: u32, link: u32, mode: u32, routing_mode: u32 },
    /// `arrival`
    Arrival { person: u32, link: u32, mode: u32 },
    /// `travelled`: a leg that was not simulated.
    Travelled { person: u32, distance_m: f64, mode: u32 },
    /// `PersonEntersVehicle`
    EntersVehicle { person: u32, vehicle: u32 },
    /// `PersonLeavesVehicle`
    LeavesVehicle { person: u32, vehicle: u32 },
    /// `vehicle enters traffic`
    EntersTraffic { person: u32, link: u32, vehicle: u32, mode: u32 },
    /// `vehicle leaves traffic`
    LeavesTraffic { person: u32, link: u32, vehicle: u32, mode: u32 },
    /// `left link`
    LeftLink { link: u32, vehicle: u32 },
    /// `entered link`
    EnteredLink { link: u32, vehicle: u32 },
}

/// What the rows in events are called.
#[derive(Clone, Copy, Debug)]
pub struct EventNames<'a> {
    /// Links.
    pub links: &'a [String],
    /// Persons.
    pub persons: &'a [String],
    /// Vehicles.
    pub vehicles: &'a [String],
    /// Activities.
    pub activities: &'a [String],
    /// Modes.
    pub modes: &'a [String],
}

enum Output {
    Plain(BufWriter<tempfile::NamedTempFile>),
    Packed(GzEncoder<BufWriter<tempfile::NamedTempFile>>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Packed(output) => output.write(bytes),
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Packed(output) => output.flush(),
        }
    }
}

/// Writes events one by one; the file appears when it is finished.
pub struct EventWriter<'a> {
    path: PathBuf,
    names: EventNames<'a>,
    output: Output,
    line: String,
}

/// Writes all events of an iterator.
///
/// # Errors
/// As [`EventWriter`].
pub fn write_events(path: &Path, names: EventNames<'_>, events: impl IntoIterator<Item = Event>) -> Result<()> {
    let mut writer = EventWriter::create(path, names)?;
    for event in events {
        writer.write(&event)?;
    }
    writer.finish()
}

impl<'a> EventWriter<'a> {
    /// Starts a file; a name that ends in `.gz` is compressed.
    ///
    /// # Errors
    /// [`Error::Write`] when the place cannot be written to.
    pub fn create(path: &Path, names: EventNames<'a>) -> Result<Self> {
        let folder = parent(path);
        create_folder(folder)?;
        let fault = |source| Error::write(path, source);
        let file = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempfile_in(folder).map_err(fault)?;
        let file = BufWriter::with_capacity(1 << 16, file);
        let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let mut output =
            if packed { Output::Packed(GzEncoder::new(file, Compression::fast())) } else { Output::Plain(file) };
        output.write_all(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<events version=\"1.0\">\n").map_err(fault)?;
        Ok(Self { path: path.to_owned(), names, output, line: String::new() })
    }

    /// Adds an event; times must not go back.
    ///
    /// # Errors
    /// [`Error::Write`] when the disk is full, for instance.
    pub fn write(&mut self, event: &Event) -> Result<()> {
        self.line.clear();
        line(&mut self.line, event, &self.names);
        self.output.write_all(self.line.as_bytes()).map_err(|source| Error::write(&self.path, source))
    }

    /// Ends the file and puts it in its place.
    ///
    /// # Errors
    /// [`Error::Write`] as above; the file is then not there.
    pub fn finish(mut self) -> Result<()> {
        let path = self.path;
        let fault = |source| Error::write(&path, source);
        self.output.write_all(b"</events>\n").map_err(fault)?;
        let file = match self.output {
            Output::Plain(output) => output,
            Output::Packed(output) => output.finish().map_err(fault)?,
        };
        let file = file.into_inner().map_err(|why| fault(why.into_error()))?;
        let place = || -> std::io::Result<()> {
            file.as_file().sync_all()?;
            let file = file.persist(&path).map_err(|why| why.error)?;
            allow_all_to_read(&file)?;
            sync_folder(parent(&path))
        };
        place().map_err(fault)
    }
}

/// Temporary files are private; finished ones have the ordinary rights.
#[cfg(unix)]
fn allow_all_to_read(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_all_to_read(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// One line of the file.
fn line(text: &mut String, event: &Event, names: &EventNames<'_>) {
    use EventKind as K;
    let mut line = Line { text, names };
    match event.kind {
        K::ActivityEnds { person, link, x, y, activity } => {
            line.start(event, "actend").person(person).link(link).place(x, y).named(
                "actType",
                names.activities,
                activity,
            );
        }
        K::ActivityStarts { person, link, x, y, activity } => {
            line.start(event, "actstart").person(person).link(link).place(x, y);
            line.named("actType", names.activities, activity);
        }
        K::Departure { person, link, mode, routing_mode } => {
            line.start(event, "departure").person(person).link(link).named("legMode", names.modes, mode);
            line.named("computationalRoutingMode", names.modes, routing_mode);
        }
        K::Arrival { person, link, mode } => {
            line.start(event, "arrival").person(person).link(link).named("legMode", names.modes, mode);
        }
        K::Travelled { person, distance_m, mode } => {
            line.start(event, "travelled").person(person).number("distance", distance_m);
            line.named("mode", names.modes, mode);
        }
        K::EntersVehicle { person, vehicle } => {
            line.start(event, "PersonEntersVehicle").person(person).vehicle(vehicle);
        }
        K::LeavesVehicle { person, vehicle } => {
            line.start(event, "PersonLeavesVehicle").person(person).vehicle(vehicle);
        }
        K::EntersTraffic { person, link, vehicle, mode } => {
            line.start(event, "vehicle enters traffic").person(person).link(link).vehicle(vehicle).at_end(mode);
        }
        K::LeavesTraffic { person, link, vehicle, mode } => {
            line.start(event, "vehicle leaves traffic").person(person).link(link).vehicle(vehicle).at_end(mode);
        }
        K::LeftLink { link, vehicle } => {
            line.start(event, "left link").link(link).vehicle(vehicle);
        }
        K::EnteredLink { link, vehicle } => {
            line.start(event, "entered link").link(link).vehicle(vehicle);
        }
    }
    text.push_str("/>\n");
}

/// A line that grows attribute by attribute; writing to text cannot fail.
struct Line<'a, 'n> {
    text: &'a mut String,
    names: &'a EventNames<'n>,
}

impl Line<'_, '_> {
    fn start(&mut self, event: &Event, kind: &str) -> &mut Self {
        let _ = write!(self.text, "<event time=\"{}\" type=\"{kind}\"", event.time_s);
        self
    }
    fn named(&mut self, attribute: &str, list: &[String], row: u32) -> &mut Self {
        let name = list.get(row as usize).map_or("", String::as_str);
        for part in [" ", attribute, "=\"", &escape(name), "\""] {
            self.text.push_str(part);
        }
        self
    }
    fn person(&mut self, row: u32) -> &mut Self {
        self.named("person", self.names.persons, row)
    }
    fn link(&mut self, row: u32) -> &mut Self {
        self.named("link", self.names.links, row)
    }
    fn vehicle(&mut self, row: u32) -> &mut Self {
        self.named("vehicle", self.names.vehicles, row)
    }
    fn number(&mut self, attribute: &str, value: f64) -> &mut Self {
        let _ = write!(self.text, " {attribute}=\"{value}\"");
        self
    }
    fn place(&mut self, x: f64, y: f64) -> &mut Self {
        if x.is_finite() && y.is_finite() { self.number("x", x).number("y", y) } else { self }
    }
    fn at_end(&mut self, mode: u32) {
        self.named("networkMode", self.names.modes, mode).text.push_str(" relativePosition=\"1\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_unfinished_files_vanish() {
        let one = ["a<&\"b".to_owned()];
        let names = EventNames { links: &one, persons: &one, vehicles: &one, activities: &one, modes: &one };
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("events.xml");
        let kind = EventKind::ActivityEnds { person: 0, link: 7, x: f64::NAN, y: 0.0, activity: 0 };
        let event = Event { time_s: 5, kind };
        write_events(&path, names, [event]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected =
            "<event time=\"5\" type=\"actend\" person=\"a&lt;&amp;&quot;b\" link=\"\" actType=\"a&lt;&amp;&quot;b\"/>";
        assert_eq!(text.lines().nth(2), Some(expected));
        let other = place.path().join("other.xml.gz");
        let mut writer = EventWriter::create(&other, names).unwrap();
        writer.write(&event).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
        assert!(matches!(write_events(&path.join("below/a.xml"), names, []), Err(Error::Write { .. })));
    }
}
