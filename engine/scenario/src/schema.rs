//! Checks a spanned tree against the JSON Schema of the settings: unknown keys, types, choices, ranges
//! and lengths, and required keys where asked for.
//!
//! Covers the part of JSON Schema that `schemars` emits for settings structs and enums: `$ref`,
//! `type`, `properties`, `additionalProperties`, `required`, `enum`, `const`, `oneOf`, `anyOf`, `allOf`,
//! numeric bounds and integer formats, lengths, `items` and `uniqueItems`. Anything else is left to serde.

use crate::tree::{Node, Place, Source, Table, Value};
use serde_json::Value as Json;
use std::path::{Component, Path, PathBuf};
use urbis_core::Problem;
use urbis_core::diagnostics::did_you_mean;

/// Something in a tree that the schema does not allow.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    place: Place,
    message: String,
    label: String,
    help: Option<String>,
}

impl Finding {
    pub(crate) fn problem(&self, sources: &[Source]) -> Problem {
        let problem = self.place.problem(sources, &self.message, &self.label);
        match &self.help {
            Some(help) => problem.with_help(help),
            None => problem,
        }
    }
}

/// Which required keys must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Require {
    /// Those inside lists only: the rest may come from a base.
    InLists,
    /// All of them.
    Everywhere,
}

/// All findings of a tree.
pub(crate) fn check(schema: &Json, tree: &Node, require: Require) -> Vec<Finding> {
    let mut walk = Walk { root: schema, require, findings: Vec::new() };
    walk.node(schema, tree, "");
    walk.findings
}

struct Walk<'a> {
    root: &'a Json,
    require: Require,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn find(&mut self, place: &Place, message: String, label: impl Into<String>, help: Option<String>) {
        self.findings.push(Finding { place: place.clone(), message, label: label.into(), help });
    }
    /// What another walk with the same rules finds.
    fn apart(&self, schema: &'a Json, node: &Node, at: &str) -> Vec<Finding> {
        let mut walk = Walk { root: self.root, require: self.require, findings: Vec::new() };
        walk.node(schema, node, at);
        walk.findings
    }

    fn node(&mut self, schema: &'a Json, node: &Node, at: &str) {
        if matches!(node.value, Value::Unreadable) {
            return;
        }
        if let Some(target) = referred(self.root, schema) {
            self.node(target, node, at);
        }
        for part in list(schema, "allOf") {
            self.node(part, node, at);
        }
        if let Some(known) = fixed_values(self.root, schema) {
            self.choice(&known, node, at);
            return;
        }
        let choices = alternatives(schema);
        if !choices.is_empty() {
            self.one_of(&choices, node, at);
        }
        if !self.fits_type(schema, node, at) {
            return;
        }
        match &node.value {
            Value::Integer(number) => self.range(schema, *number as f64, &number.to_string(), node, at),
            Value::Float(number) => self.range(schema, *number, &number.to_string(), node, at),
            Value::Text(text) => self.length(schema, "Length", text.chars().count(), "characters", node, at),
            Value::Array(nodes) => self.array(schema, nodes, node, at),
            Value::Table(table) => self.table(schema, table, node, at),
            Value::Boolean(_) | Value::Unreadable => {}
        }
    }

    fn fits_type(&mut self, schema: &Json, node: &Node, at: &str) -> bool {
        let allowed: Vec<&str> = match schema.get("type") {
            Some(Json::String(name)) => vec![name],
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).filter(|name| *name != "null").collect(),
            _ => return true,
        };
        let fits = allowed.iter().any(|name| match &node.value {
            Value::Text(_) => *name == "string",
            Value::Boolean(_) => *name == "boolean",
            Value::Array(_) => *name == "array",
            Value::Table(_) => *name == "object",
            Value::Integer(_) => *name == "integer" || *name == "number",
            Value::Unreadable => true,
            // A whole float is not a whole number: serde refuses it, and so does this.
            Value::Float(_) => *name == "number",
        });
        if !fits {
            let expected = allowed.iter().map(|name| type_words(name)).collect::<Vec<_>>().join(" or ");
            let message = format!("`{at}` is {}, expected {expected}", shown(node));
            self.find(&node.place, message, format!("expected {expected}"), None);
        }
        fits
    }

    fn range(&mut self, schema: &Json, number: f64, shown: &str, node: &Node, at: &str) {
        let whole = schema.get("type").is_some_and(|t| *t == "integer" || list_has(t, "integer"));
        let (format_min, format_max) = match schema.get("format").and_then(Json::as_str).filter(|_| whole) {
            Some("uint8") => (Some(0.0), Some(f64::from(u8::MAX))),
            Some("uint16") => (Some(0.0), Some(f64::from(u16::MAX))),
            Some("uint32") => (Some(0.0), Some(f64::from(u32::MAX))),
            Some("uint64" | "uint") => (Some(0.0), None),
            Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
            _ => (None, None),
        };
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let (min, max) = (bound("minimum").or(format_min), bound("maximum").or(format_max));
        let (above, below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
        let outside = min.is_some_and(|min| number < min)
            || max.is_some_and(|max| number > max)
            || above.is_some_and(|above| number <= above)
            || below.is_some_and(|below| number >= below);
        if outside {
            let lower = above.map(|above| format!("> {above}")).or(min.map(|min| format!(">= {min}")));
            let upper = below.map(|below| format!("< {below}")).or(max.map(|max| format!("<= {max}")));
            let expected = lower.into_iter().chain(upper).collect::<Vec<_>>().join(" and ");
            self.find(
                &node.place,
                format!("`{at}` = {shown}, expected {expected}"),
                format!("expected {expected}"),
                None,
            );
        }
    }

    fn length(&mut self, schema: &Json, suffix: &str, length: usize, what: &str, node: &Node, at: &str) {
        let bound = |prefix: &str| schema.get(format!("{prefix}{suffix}")).and_then(Json::as_u64);
        let expected = if bound("min").is_some_and(|min| (length as u64) < min) {
            format!("at least {} {what}", bound("min").unwrap_or_default())
        } else if bound("max").is_some_and(|max| length as u64 > max) {
            format!("at most {} {what}", bound("max").unwrap_or_default())
        } else {
            return;
        };
        let message = format!("`{at}` has {length} {what}, expected {expected}");
        self.find(&node.place, message, format!("expected {expected}"), None);
    }

    fn array(&mut self, schema: &'a Json, nodes: &[Node], node: &Node, at: &str) {
        self.length(schema, "Items", nodes.len(), "items", node, at);
        let fixed = list(schema, "prefixItems");
        let others = schema.get("items").filter(|others| others.is_object());
        let require = std::mem::replace(&mut self.require, Require::Everywhere);
        for (row, item) in nodes.iter().enumerate() {
            if let Some(item_schema) = fixed.get(row).or(others) {
                self.node(item_schema, item, &format!("{at}[{row}]"));
            }
        }
        self.require = require;
        if schema.get("uniqueItems").and_then(Json::as_bool) == Some(true) {
            let values: Vec<Json> = nodes.iter().map(Node::to_json).collect();
            for row in 1..values.len() {
                if values[..row].contains(&values[row]) {
                    let message = format!("`{at}` lists {} twice", values[row]);
                    self.find(&nodes[row].place, message, "again", None);
                }
            }
        }
    }

    fn table(&mut self, schema: &'a Json, table: &Table, node: &Node, at: &str) {
        let none = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties");
        for (key, entry) in table {
            let inner = join(at, key);
            match (properties.and_then(|properties| properties.get(key)), others) {
                (Some(property), _) => self.node(property, &entry.node, &inner),
                (None, Some(Json::Bool(false))) => {
                    let known = properties.unwrap_or(&none).keys().map(String::as_str);
                    let help = match did_you_mean(key, known.clone()) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => known_keys(at, known),
                    };
                    self.find(&entry.key, format!("unknown key `{inner}`"), "not a key of Urbis", Some(help));
                }
                (None, Some(other)) if other.is_object() => self.node(other, &entry.node, &inner),
                (None, _) => {}
            }
        }
        if self.require == Require::Everywhere {
            for key in list(schema, "required").iter().filter_map(Json::as_str).filter(|key| !table.contains_key(*key))
            {
                let about =
                    properties.and_then(|p| p.get(key)).and_then(|p| p.get("description")).and_then(Json::as_str);
                let help = about.map(|about| format!("{key}: {}", one_line(about)));
                self.find(&node.place, format!("missing key `{}`", join(at, key)), "expected here", help);
            }
        }
    }

    /// Alternatives that are not all fixed values: told apart by a tag if they have one, else by the fewest findings.
    fn one_of(&mut self, choices: &[&'a Json], node: &Node, at: &str) {
        if let (Value::Table(table), Some(tag)) = (&node.value, common_tag(self.root, choices)) {
            let Some(entry) = table.get(&tag) else {
                if self.require == Require::Everywhere {
                    self.find(&node.place, format!("missing key `{}`", join(at, &tag)), "expected here", None);
                }
                return;
            };
            let value = entry.node.to_json();
            let chosen = choices.iter().find(|choice| tag_value(self.root, choice, &tag) == Some(&value));
            match chosen {
                Some(choice) => self.node(choice, node, at),
                None => {
                    let known: Vec<&Json> = choices.iter().filter_map(|c| tag_value(self.root, c, &tag)).collect();
                    self.choice(&known, &entry.node, &join(at, &tag));
                }
            }
            return;
        }
        let best = choices.iter().map(|choice| self.apart(choice, node, at)).min_by_key(Vec::len);
        self.findings.extend(best.unwrap_or_default());
    }

    fn choice(&mut self, known: &[&Json], node: &Node, at: &str) {
        let value = node.to_json();
        if known.contains(&&value) {
            return;
        }
        let names: Vec<String> = known.iter().map(|value| value.to_string()).collect();
        let expected = format!("one of {}", names.join(", "));
        let meant =
            value.as_str().and_then(|value| did_you_mean(value, known.iter().filter_map(|known| known.as_str())));
        let help = meant.map(|meant| format!("did you mean \"{meant}\"?"));
        self.find(
            &node.place,
            format!("`{at}` is {}, expected {expected}", shown(node)),
            format!("expected {expected}"),
            help,
        );
    }
}

/// Rewrites relative paths (`format = "path"` in the schema) so that they are relative to the folder of the first file.
pub(crate) fn rebase_paths(root: &Json, schema: &Json, node: &mut Node, folder: &Path) {
    if let Some(target) = referred(root, schema) {
        rebase_paths(root, target, node, folder);
    }
    for part in list(schema, "allOf").iter().chain(list(schema, "anyOf")).chain(list(schema, "oneOf")) {
        rebase_paths(root, part, node, folder);
    }
    match &mut node.value {
        Value::Text(text) if schema.get("format").and_then(Json::as_str) == Some("path") => {
            *text = normalized(&folder.join(&*text));
        }
        Value::Array(nodes) => {
            if let Some(items) = schema.get("items") {
                nodes.iter_mut().for_each(|node| rebase_paths(root, items, node, folder));
            }
        }
        Value::Table(table) => {
            for (key, entry) in table {
                let property = schema.get("properties").and_then(|properties| properties.get(key));
                if let Some(inner) = property.or(schema.get("additionalProperties").filter(|other| other.is_object())) {
                    rebase_paths(root, inner, &mut entry.node, folder);
                }
            }
        }
        _ => {}
    }
}

/// A path without `.` and inner `..`, with `/` between its parts.
pub(crate) fn normalized(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    let text = clean.to_string_lossy().replace('\\', "/");
    if text.is_empty() { ".".to_owned() } else { text }
}

fn referred<'a>(root: &'a Json, schema: &Json) -> Option<&'a Json> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

fn list<'a>(schema: &'a Json, key: &str) -> &'a [Json] {
    schema.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn list_has(json: &Json, name: &str) -> bool {
    json.as_array().is_some_and(|names| names.iter().any(|n| n == name))
}

/// Members of `oneOf` and `anyOf` but `null`, which TOML cannot say.
fn alternatives(schema: &Json) -> Vec<&Json> {
    let all = list(schema, "oneOf").iter().chain(list(schema, "anyOf"));
    all.filter(|choice| choice.get("type").is_none_or(|name| name != "null")).collect()
}

/// The values of an enum without fields, however it is spelt.
fn fixed_values<'a>(root: &'a Json, schema: &'a Json) -> Option<Vec<&'a Json>> {
    if let Some(value) = schema.get("const") {
        return Some(vec![value]);
    }
    let values = list(schema, "enum");
    (!values.is_empty()).then(|| values.iter().filter(|value| !value.is_null()).collect()).or_else(|| {
        let choices = alternatives(schema);
        let inner: Option<Vec<_>> =
            choices.iter().map(|c| fixed_values(root, referred(root, c).unwrap_or(c))).collect();
        inner.map(|lists| lists.concat()).filter(|values| !values.is_empty())
    })
}

/// The value that a tagged alternative demands of its tag.
fn tag_value<'a>(root: &'a Json, choice: &'a Json, tag: &str) -> Option<&'a Json> {
    let own = choice.pointer(&format!("/properties/{tag}/const"));
    own.or_else(|| referred(root, choice)?.pointer(&format!("/properties/{tag}/const")))
}

/// The key whose value tells the alternatives apart.
fn common_tag(root: &Json, choices: &[&Json]) -> Option<String> {
    let first = choices.first()?;
    let properties = first.get("properties").or_else(|| referred(root, first)?.get("properties"))?.as_object()?;
    properties.keys().find(|tag| choices.iter().all(|choice| tag_value(root, choice, tag).is_some())).cloned()
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

fn known_keys<'a>(at: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let table = if at.is_empty() { "the top level".to_owned() } else { format!("`{at}`") };
    format!("keys of {table}: {}", known.join(", "))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn type_words(name: &str) -> &str {
    match name {
        "string" => "text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

/// A value in a sentence.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(flag) => flag.to_string(),
        other => other.kind().to_owned(),
    }
}
