//! A feed as files: an archive or a folder of CSV tables, and their rows by the names of the columns.
//!
//! Contract: any bytes lead to rows or findings, never to a panic.

use crate::report::{Defect, FeedReport};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use urbis_core::Problem;
use zip::ZipArchive;

/// Largest table that is read. Larger ones are taken for broken or hostile archives.
const TABLE_BYTES_MAX: u64 = 8 << 30;

/// Where tables come from.
enum Store {
    Folder,
    Archive { archive: Box<ZipArchive<File>>, prefix: String },
}

/// A feed.
pub(crate) struct Feed {
    path: PathBuf,
    store: Store,
}

impl Feed {
    /// Opens an archive or folder.
    pub(crate) fn open(path: &Path, report: &mut FeedReport) -> Option<Self> {
        if path.is_dir() {
            return Some(Self { path: path.to_owned(), store: Store::Folder });
        }
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                report.add(Defect::Unreadable, || Problem::file(path, format!("cannot be opened: {error}")));
                return None;
            }
        };
        let archive = match ZipArchive::new(file) {
            Ok(archive) => archive,
            Err(error) => {
                report.add(Defect::Unreadable, || {
                    Problem::file(path, format!("is no zip archive: {error}"))
                        .with_help("a GTFS feed is a .zip file or a folder with stops.txt, routes.txt, trips.txt, ...")
                });
                return None;
            }
        };
        // Some publishers zip the folder instead of the files.
        let mut prefixes: Vec<String> =
            archive.file_names().filter_map(|name| name.strip_suffix("stops.txt").map(str::to_owned)).collect();
        prefixes.retain(|prefix| prefix.is_empty() || prefix.ends_with('/'));
        prefixes.sort_by_key(|prefix| (prefix.len(), prefix.clone()));
        let prefix = prefixes.into_iter().next().unwrap_or_default();
        if !prefix.is_empty() {
            report.add(Defect::NestedFolder, || {
                Problem::file(path, format!("tables lie in the folder {prefix}, expected at the top of the archive"))
            });
        }
        Some(Self { path: path.to_owned(), store: Store::Archive { archive: Box::new(archive), prefix } })
    }

    /// How a table is named in messages.
    pub(crate) fn place(&self, table: &str) -> PathBuf {
        self.path.join(table)
    }

    /// A table, if the feed has it. Columns that must be there and are not make it fatal.
    pub(crate) fn table(&mut self, name: &str, must_have: &[&str], report: &mut FeedReport) -> Option<Table> {
        let place = self.place(name);
        let bytes = match self.bytes(name) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return None,
            Err(error) => {
                report.add(Defect::Unreadable, || Problem::file(&place, format!("cannot be read: {error}")));
                return None;
            }
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
                report.add(Defect::NotUtf8, || Problem::file(&place, format!("line {line} is not UTF-8")));
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let table = Table::new(place, text);
        let mut whole = true;
        for column in must_have.iter().filter(|column| table.column(column).is_none()) {
            whole = false;
            report.add(Defect::MissingColumn, || {
                let has = table.columns.join(", ");
                let problem = Problem::file(&table.place, format!("has no column {column}; its columns are {has}"));
                match urbis_core::diagnostics::did_you_mean(column, table.columns.iter().map(String::as_str)) {
                    Some(near) => problem.with_help(format!("is {near} meant to be {column}?")),
                    None => problem,
                }
            });
        }
        whole.then_some(table)
    }

    fn bytes(&mut self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let mut read = |source: &mut dyn Read| -> std::io::Result<()> {
            source.take(TABLE_BYTES_MAX).read_to_end(&mut bytes)?;
            if bytes.len() as u64 == TABLE_BYTES_MAX {
                return Err(std::io::Error::other("larger than 8 GiB"));
            }
            Ok(())
        };
        match &mut self.store {
            Store::Folder => match File::open(self.path.join(name)) {
                Ok(mut file) => read(&mut file)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
            Store::Archive { archive, prefix } => match archive.by_name(&format!("{prefix}{name}")) {
                Ok(mut file) => read(&mut file)?,
                Err(zip::result::ZipError::FileNotFound) => return Ok(None),
                Err(error) => return Err(std::io::Error::other(error)),
            },
        }
        Ok(Some(bytes))
    }
}

/// A table: the text of a CSV file and its header.
pub(crate) struct Table {
    /// How it is named in messages.
    pub(crate) place: PathBuf,
    text: String,
    columns: Vec<String>,
}

impl Table {
    fn new(place: PathBuf, mut text: String) -> Self {
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let columns = Self::reader(&text).headers().map_or_else(
            |_| Vec::new(),
            |header| header.iter().map(|name| name.trim_matches(['\u{feff}', ' ']).to_owned()).collect(),
        );
        Self { place, text, columns }
    }

    fn reader(text: &str) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes())
    }

    /// Position of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Positions of columns, `None` for those that are not there.
    pub(crate) fn columns<const N: usize>(&self, names: [&str; N]) -> [Option<usize>; N] {
        names.map(|name| self.column(name))
    }

    /// Shows every row. Rows count from 1 and do not count the header.
    pub(crate) fn for_each(&self, report: &mut FeedReport, mut work: impl FnMut(&Row<'_>, &mut FeedReport)) {
        let mut reader = Self::reader(&self.text);
        let mut fields = csv::StringRecord::new();
        let mut row = 0;
        loop {
            match reader.read_record(&mut fields) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let what = format!("cannot be read after row {row}: {error}");
                    report.add(Defect::Unreadable, || Problem::file(&self.place, what));
                    break;
                }
            }
            row += 1;
            if fields.iter().all(str::is_empty) {
                continue;
            }
            if fields.len() < self.columns.len() {
                let (has, wants) = (fields.len(), self.columns.len());
                report.add(Defect::ShortRow, || Problem::value(&self.place, row, fields.get(0), "fields", has, wants));
            }
            work(&Row { place: &self.place, row, fields: &fields }, report);
        }
    }
}

/// A row of a table.
pub(crate) struct Row<'a> {
    place: &'a Path,
    /// Number, from 1.
    pub(crate) row: usize,
    fields: &'a csv::StringRecord,
}

impl Row<'_> {
    /// A field without the space around it; empty when it is not there.
    pub(crate) fn get(&self, column: Option<usize>) -> &str {
        column.and_then(|column| self.fields.get(column)).unwrap_or("")
    }

    /// A problem with a value of this row.
    pub(crate) fn problem(&self, id: &str, field: &str, value: &str, expected: impl std::fmt::Display) -> Problem {
        let id = (!id.is_empty()).then_some(id);
        let value = if value.is_empty() { "(empty)" } else { value };
        Problem::value(self.place, self.row, id, field, value, expected)
    }
}

/// Seconds since the start of the service day out of `H:MM:SS`; hours may be over 24, up to a week.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| {
        let digits = part.trim();
        (!digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse::<u32>().ok())
            .flatten()
    });
    let (hours, minutes, rest) = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && hours < 168 && minutes < 60 && rest < 60).then_some(hours * 3600 + minutes * 60 + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_service_day() {
        assert_eq!(seconds("08:05:09"), Some(8 * 3600 + 309));
        assert_eq!(seconds("8:05:09"), seconds("08:05:09"));
        assert_eq!(seconds("25:00:00"), Some(90_000));
        for bad in ["", "8:00", "08:60:00", "-1:00:00", "8:0x:00", "08:00:00:00", "999:00:00", "+8:00:00", "8::00"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn rows_by_column() {
        let text = "\u{feff} a ,b,c\r\n1 ,\"x, y\" ,3\n\n4\n".to_owned();
        let table = Table::new(PathBuf::from("t.txt"), text);
        let [a, b, none] = table.columns(["a", "b", "z"]);
        let mut report = FeedReport::default();
        let mut seen = Vec::new();
        table.for_each(&mut report, |row, _| {
            seen.push((row.row, row.get(a).to_owned(), row.get(b).to_owned(), row.get(none).to_owned()));
        });
        let owned = |row, a: &str, b: &str| (row, a.to_owned(), b.to_owned(), String::new());
        assert_eq!(seen, [owned(1, "1", "x, y"), owned(2, "4", "")]);
        assert_eq!(report.count(Defect::ShortRow), 1);
    }
}
