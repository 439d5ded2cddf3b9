//! Settings of public transport, as they stand in a scenario under `[transit]`.

use crate::timetable::{Capacities, RouteKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use urbis_core::{Problem, Problems, Result};

/// Public transport by timetable. Without feeds it goes at the speed of the mode's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TransitSettings {
    /// GTFS feeds (archives or folders), relative to the file in which this is written.
    pub feeds: Vec<FeedPath>,
    /// First day whose services run, such as `2024-06-11`; the day on which the period starts where absent. Longer
    /// periods go on with the days after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Farthest that people walk to and from stops, metres in a straight line; on paths they walk as long as such a
    /// line with the usual detour (1.3) takes on the flat.
    #[schemars(range(min = 1.0))]
    pub access_m: f64,
    /// What walks to, from and between stops follow.
    pub walk: Walks,
    /// What rides cost.
    pub fares: FareSource,
    /// Most vehicles of a journey.
    #[schemars(range(min = 1, max = 8))]
    pub rides_max: usize,
    /// Places in a vehicle or train, by kind (`bus`, `tram`, `metro`, `rail` ...), where they differ from the defaults.
    pub places: BTreeMap<String, u32>,
    /// Whether buses are as late as the roads they use are slow.
    pub buses_in_traffic: bool,
}

/// What walks to, from and between stops follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Walks {
    /// The paths of the city with their slopes; straight lines where it has none.
    #[default]
    Paths,
    /// Straight lines times a detour.
    Straight,
}

/// What rides cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FareSource {
    /// The fares of the feeds; what the mode's settings say where they have none.
    #[default]
    Feed,
    /// What the mode's settings say.
    Setting,
}

/// A feed: an archive or a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FeedPath(#[schemars(extend("format" = "path"))] pub PathBuf);

impl Default for TransitSettings {
    fn default() -> Self {
        Self {
            feeds: Vec::new(),
            date: None,
            access_m: 800.0,
            walk: Walks::default(),
            fares: FareSource::default(),
            rides_max: 4,
            places: BTreeMap::new(),
            buses_in_traffic: true,
        }
    }
}

impl TransitSettings {
    /// Places by kind.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming kinds that there are not.
    pub fn capacities(&self) -> Result<Capacities> {
        let mut capacities = Capacities::default();
        let mut problems = Problems::new();
        for (name, &places) in &self.places {
            match RouteKind::from_name(name) {
                Some(kind) => capacities = capacities.with(kind, places),
                None => {
                    let known: Vec<&str> = RouteKind::NAMED.iter().map(|(_, name)| *name).collect();
                    let what = format!("unknown kind `{name}`, expected one of {known:?}");
                    problems.push(Problem::file(Path::new("transit.places"), what));
                }
            }
        }
        problems.or_else(capacities)
    }
}
