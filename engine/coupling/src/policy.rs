//! Policies: measures that somebody decides, as `[[policy]]` blocks of a scenario say them.
//!
//! Every block has a name, a kind (`kinds.rs`), an area, a window of the day and a first and last date, what it costs and who is
//! paid. Kinds add keys of their own. What a kind does is in the modules below: [`area`] finds links and places,
//! [`roads`] changes roads before a run, [`state`] switches prices and closures while it runs, [`payments`] keeps the
//! money.
//!
//! Contract: a scenario without policies runs as if this module were not there.

pub mod area;
mod closures;
mod kinds;
pub mod payments;
pub mod roads;
pub mod state;

pub use kinds::{
    BuildingKind, ChargerShares, LaneUser, NewBuilding, NewLink, PolicyKind, Price, PriceBasis, PriceClass, RoadKind,
};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A measure that somebody decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = kinds_know_common_keys)]
pub struct Policy {
    /// Name, unlike that of any other policy of the scenario; results carry it.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Where it holds; the whole city where absent and the kind allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// Clock time at which it begins each day, such as `07:00`; midnight where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Clock time at which it ends each day, such as `19:00`, after `from`; the end of the day where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// First date on which it holds, such as `2024-06-11`; from the start where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Last date on which it holds; to the end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// What it costs and who pays, for the appraisal; nothing where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Who receives the money it takes.
    #[serde(default = "city")]
    pub revenue_to: String,
    /// What it does.
    #[serde(flatten)]
    pub kind: PolicyKind,
}

fn city() -> String {
    "city".to_owned()
}

/// Where a policy holds: one of `zones`, `links`, `roads`, `file` and `layer`. `layer` beside `file` names the layer in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Area {
    /// Ids of zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Ids of links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Names of roads, for all their links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roads: Vec<String>,
    /// File with polygons, relative to the file in which this is written: GeoJSON, GeoParquet, or what GDAL opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub file: Option<PathBuf>,
    /// Layer of polygons of the city package (a file of its folder `layers`), or of `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
}

/// What a policy costs, money of the scenario's currency. The run does not use it; the appraisal does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// What it costs to build.
    #[schemars(range(min = 0.0))]
    pub capital: f64,
    /// What it costs to run for a year.
    #[schemars(range(min = 0.0))]
    pub operation_per_year: f64,
    /// How long what is built lasts, years.
    #[schemars(range(min = 0.0, max = 500.0))]
    pub life_years: f64,
    /// Who pays.
    pub payer: String,
}

/// Keys of every kind say what they know, so that unknown ones are found: the common keys are known to each.
pub(crate) fn kinds_know_common_keys(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let common: Vec<String> = object
        .get("properties")
        .and_then(Value::as_object)
        .map_or_else(Vec::new, |keys| keys.keys().cloned().collect());
    for kind in object.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(kind) = kind.as_object_mut() else { continue };
        kind.insert("additionalProperties".to_owned(), json!(false));
        let keys = kind.entry("properties").or_insert_with(|| json!({}));
        for key in &common {
            if let Some(keys) = keys.as_object_mut() {
                keys.entry(key.clone()).or_insert_with(|| json!({}));
            }
        }
    }
}

/// Seconds of a clock time such as `07:30` or `07:30:00`; `24:00` is the end of the day.
#[must_use]
pub fn second_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let mut next = |most: u32| match parts.next() {
        Some(part) if part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) => {
            part.parse::<u32>().ok().filter(|&value| value <= most)
        }
        _ => None,
    };
    let (hour, minute) = (next(24)?, next(59)?);
    let second = if text.len() > 5 { next(59)? } else { 0 };
    let whole = hour * 3600 + minute * 60 + second;
    (whole <= 86_400 && text.len() <= 8 && text.len() != 6).then_some(whole)
}

/// Start and end of a window, seconds of the day; where one is absent that of `around`.
#[must_use]
pub fn window(from: Option<&str>, to: Option<&str>, around: (u32, u32)) -> Option<(u32, u32)> {
    let or = |text: Option<&str>, other| text.map_or(Some(other), second_of_day);
    let window = (or(from, around.0)?, or(to, around.1)?);
    (window.0 < window.1).then_some(window)
}

impl Policy {
    /// Whether it holds for a part of the day or between dates alone.
    #[must_use]
    pub fn comes_and_goes(&self) -> bool {
        self.window() != DAY || self.start_date.is_some() || self.end_date.is_some()
    }

    /// Start and end each day, seconds of the day; the whole day where the text cannot be read, which is told when the
    /// scenario is loaded.
    #[must_use]
    pub fn window(&self) -> (u32, u32) {
        window(self.from.as_deref(), self.to.as_deref(), DAY).unwrap_or(DAY)
    }
}

/// A whole day, seconds.
pub const DAY: (u32, u32) = (0, 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_times() {
        assert_eq!(
            ["00:00", "07:30", "07:30:05", "24:00"].map(second_of_day).map(Option::unwrap),
            [0, 27_000, 27_005, 86_400]
        );
        for wrong in ["", "7:30", "07", "25:00", "24:01", "07:60", "07:30:", "07:30:5", "07:30:05:00", "ab:cd", "-7:30"]
        {
            assert_eq!(second_of_day(wrong), None, "{wrong}");
        }
        assert_eq!(window(Some("08:00"), None, DAY), Some((28_800, 86_400)));
        assert_eq!(window(Some("08:00"), Some("08:00"), DAY), None);
    }
}
