//! What a scenario is, as canonical JSON and a hash, and how it differs from its base.

use crate::settings::Scenario;
use serde_json::Value as Json;
use std::fmt::Write;

/// One key whose value differs between two scenarios.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Dotted path of the key, such as `population.sample_factor`.
    pub key: String,
    /// Value in the base; `None` when the base does not say.
    pub base: Option<Json>,
    /// Value in the scenario; `None` when only the base says.
    pub value: Option<Json>,
}

/// All differences, by key. Tables are compared key by key; lists are compared whole.
pub(crate) fn differences(base: &Json, value: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(base), Some(value), &mut found);
    found
}

fn compare(at: &str, base: Option<&Json>, value: Option<&Json>, found: &mut Vec<Difference>) {
    let none = serde_json::Map::new();
    let tables = match (base, value) {
        (Some(Json::Object(base)), Some(Json::Object(value))) => Some((base, value)),
        (Some(Json::Object(base)), None) => Some((base, &none)),
        (None, Some(Json::Object(value))) => Some((&none, value)),
        _ => None,
    };
    if let Some((base, value)) = tables {
        let mut keys: Vec<&String> = base.keys().chain(value.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let inner = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            compare(&inner, base.get(key), value.get(key), found);
        }
    } else if !same(base, value) {
        found.push(Difference { key: at.to_owned(), base: base.cloned(), value: value.cloned() });
    }
}

/// Equal as TOML would read them: `1` and `1.0` are one number.
fn same(a: Option<&Json>, b: Option<&Json>) -> bool {
    match (a, b) {
        (Some(Json::Number(a)), Some(Json::Number(b))) => {
            a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
        }
        _ => a == b,
    }
}

/// JSON with sorted keys and no white space: one text for one value, whatever the order of its keys.
#[must_use]
pub fn canonical_json(value: &Json) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Json, text: &mut String) {
    match value {
        Json::Object(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (row, key) in keys.into_iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(text, "{}{}:", if row > 0 { "," } else { "" }, Json::from(key.as_str()));
                write_canonical(&table[key], text);
            }
            text.push('}');
        }
        Json::Array(values) => {
            text.push('[');
            for (row, value) in values.iter().enumerate() {
                if row > 0 {
                    text.push(',');
                }
                write_canonical(value, text);
            }
            text.push(']');
        }
        plain => {
            let _ = write!(text, "{plain}");
        }
    }
}

impl Scenario {
    /// The resolved scenario as JSON, every default written out, without `base`.
    ///
    /// # Panics
    /// Never for settings that came out of [`crate::load`]: their keys are text.
    #[must_use]
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self).expect("settings have text keys")
    }
    /// The resolved scenario as TOML, every default written out, without `base`. It is a scenario file itself.
    ///
    /// # Panics
    /// Never for settings that came out of [`crate::load`]: they were TOML before.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings came from TOML")
    }
    /// SHA-256 of the canonical JSON of the resolved scenario without its seed: runs that share it are
    /// replicates of one scenario. Where files lie counts only through the relative paths written in it.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash_without(&["seed"])
    }
    /// As [`Self::hash`], but without these keys of the first level.
    #[must_use]
    pub fn hash_without(&self, keys: &[&str]) -> String {
        let mut json = self.to_json();
        if let Some(table) = json.as_object_mut() {
            keys.iter().for_each(|key| drop(table.remove(*key)));
        }
        urbis_core::hash::sha256_hex(canonical_json(&json).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_is_sorted_and_tight() {
        let text = canonical_json(&json!({"b": [1, 2.5, "x\"y"], "a": {"d": null, "c": true}}));
        assert_eq!(text, r#"{"a":{"c":true,"d":null},"b":[1,2.5,"x\"y"]}"#);
    }

    #[test]
    fn keys_are_compared_one_by_one() {
        let found =
            differences(&json!({"a": {"b": 1, "c": [1]}, "d": 2}), &json!({"a": {"b": 1.0, "c": [2]}, "e": {"f": 3}}));
        let keys: Vec<_> = found.iter().map(|d| (d.key.as_str(), d.base.clone(), d.value.clone())).collect();
        assert_eq!(
            keys,
            [("a.c", Some(json!([1])), Some(json!([2]))), ("d", Some(json!(2)), None), ("e.f", None, Some(json!(3))),]
        );
    }
}
