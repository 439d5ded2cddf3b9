//! TOML as a tree in which every key and value knows its file and place, so that a problem found after
//! merging still points at the text that caused it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use urbis_core::{Problem, Problems};

/// One file of a chain of scenarios.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file as the user named it.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// Its folder, relative to the folder of the first file of the chain.
    pub(crate) folder: PathBuf,
}

/// A place in a file of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Row in the list of sources.
    pub(crate) file: usize,
    /// Bytes of its text.
    pub(crate) span: Range<usize>,
}

impl Place {
    /// The same bytes of another file of the list.
    pub(crate) fn in_file(self, file: usize) -> Self {
        Self { file, ..self }
    }
    /// A problem here.
    pub(crate) fn problem(&self, sources: &[Source], message: &str, label: &str) -> Problem {
        let source = &sources[self.file];
        Problem::span(&source.path, &source.text, self.span.clone(), message, label)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A key's place and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

impl Entry {
    /// The same with all places in another file of the list.
    pub(crate) fn in_file(self, file: usize) -> Self {
        Self { key: self.key.in_file(file), node: self.node.in_file(file) }
    }
}

/// A table's entries, by key.
pub(crate) type Table = BTreeMap<String, Entry>;

/// What TOML can say and JSON too: numbers are finite, dates are text.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Array(Vec<Node>),
    Table(Table),
    /// A number that was reported already.
    Unreadable,
}

impl Value {
    /// What a person calls it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
            Self::Unreadable => "no finite number",
        }
    }
}

impl Node {
    /// The tree as JSON, without places.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Text(text) => text.clone().into(),
            Value::Integer(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Boolean(flag) => (*flag).into(),
            Value::Unreadable => serde_json::Value::Null,
            Value::Array(nodes) => nodes.iter().map(Self::to_json).collect(),
            Value::Table(table) => table
                .iter()
                .map(|(key, entry)| (key.clone(), entry.node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
    fn in_file(self, file: usize) -> Self {
        let value = match self.value {
            Value::Array(nodes) => Value::Array(nodes.into_iter().map(|node| node.in_file(file)).collect()),
            Value::Table(table) => {
                Value::Table(table.into_iter().map(|(key, entry)| (key, entry.in_file(file))).collect())
            }
            other => other,
        };
        Self { place: self.place.in_file(file), value }
    }
    /// Puts a value at the end of a chain of keys; tables on the way are made, entries of lists are found by `name`.
    ///
    /// # Errors
    /// In words, when the chain goes through something that has no keys, or a list has no entry of that name.
    pub(crate) fn put(&mut self, keys: &[String], entry: Entry) -> Result<(), String> {
        let Some((first, rest)) = keys.split_first() else { return Ok(()) };
        let kind = self.value.kind();
        match &mut self.value {
            Value::Table(table) if rest.is_empty() => {
                table.insert(first.clone(), entry);
                Ok(())
            }
            Value::Table(table) => {
                let place = entry.key.clone();
                let inner = table.entry(first.clone()).or_insert_with(|| Entry {
                    key: place.clone(),
                    node: Self { place, value: Value::Table(Table::new()) },
                });
                inner.node.put(rest, entry)
            }
            Value::Array(nodes) if !rest.is_empty() => {
                let name = |node: &Self| match &node.entry("name")?.node.value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                };
                let names: Vec<String> = nodes.iter().filter_map(name).collect();
                match nodes.iter_mut().find(|node| name(node).as_deref() == Some(first)) {
                    Some(node) => node.put(rest, entry),
                    None => Err(format!("the list has no entry named `{first}`, expected one of {}", names.join(", "))),
                }
            }
            _ => Err(format!("`{first}` would be a key of {kind}, which has none")),
        }
    }
    /// The entry at a dotted key path, if it is written.
    pub(crate) fn entry(&self, key_path: &str) -> Option<&Entry> {
        let (first, rest) = key_path.split_once('.').map_or((key_path, None), |(first, rest)| (first, Some(rest)));
        let Value::Table(table) = &self.value else { return None };
        let entry = table.get(first)?;
        rest.map_or(Some(entry), |rest| entry.node.entry(rest))
    }
    /// The value at a dotted key path, if it is written; items of lists by their number.
    pub(crate) fn at(&self, key_path: &str) -> Option<&Self> {
        let (first, rest) = key_path.split_once('.').map_or((key_path, None), |(first, rest)| (first, Some(rest)));
        let node = match &self.value {
            Value::Table(table) => &table.get(first)?.node,
            Value::Array(nodes) => nodes.get(first.parse::<usize>().ok()?)?,
            _ => return None,
        };
        rest.map_or(Some(node), |rest| node.at(rest))
    }
    /// Puts the other tree on top of this one: tables merge key by key, everything else is replaced.
    pub(crate) fn patch(&mut self, patch: Self) {
        match (&mut self.value, patch.value) {
            (Value::Table(mine), Value::Table(theirs)) => {
                for (key, entry) in theirs {
                    match mine.get_mut(&key) {
                        Some(old) => {
                            old.key = entry.key;
                            old.node.patch(entry.node);
                        }
                        None => {
                            mine.insert(key, entry);
                        }
                    }
                }
            }
            (mine, theirs) => *mine = theirs,
        }
        self.place = patch.place;
    }
}

/// Parses one file; every syntax error of it is added to the problems. What could be read is returned.
pub(crate) fn parse(file: usize, path: &Path, text: &str, problems: &mut Problems) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(Problem::span(path, text, span, one_line(error.message()), "this is not TOML"));
    }
    let mut reader = Reader { file, path, text, problems };
    Node { place: reader.place(0..0), value: reader.table(table.get_ref()) }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Reader<'a> {
    file: usize,
    path: &'a Path,
    text: &'a str,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.file, span }
    }
    fn problem(&mut self, span: Range<usize>, message: &str, label: &str) {
        self.problems.push(Problem::span(self.path, self.text, span, message, label));
    }
    fn table(&mut self, table: &DeTable<'_>) -> Value {
        let mut entries = Table::new();
        for (key, value) in table {
            let node = self.node(value);
            entries.insert(key.get_ref().to_string(), Entry { key: self.place(key.span()), node });
        }
        Value::Table(entries)
    }
    fn node(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let span = value.span();
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(flag) => Value::Boolean(*flag),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => {
                    self.problem(span.clone(), &format!("{number} is too large a whole number"), "beyond 64 bits");
                    Value::Unreadable
                }
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => {
                    self.problem(span.clone(), &format!("{number} is not a finite number"), "expected a finite number");
                    Value::Unreadable
                }
            },
            DeValue::Array(values) => Value::Array(values.iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { place: self.place(span), value }
    }
}
