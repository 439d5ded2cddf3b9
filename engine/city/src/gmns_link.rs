//! One row of a GMNS `link.csv` in SI units: what every reader of such networks takes from it. The
//! columns and what stands in for blank ones are those of [`crate::gmns`].
//!
//! Ignores: ends and shape of the link. Contract: a pure function of the row.

use crate::gmns_config::{Config, is_missing};
use crate::gmns_words;
use crate::model::{Modes, RoadClass};
use crate::road_defaults::RoadRules;
use crate::table::{Column, Row, Table};
use std::collections::BTreeMap;
use urbis_core::Problems;
use urbis_core::units::MetresPerSecond;

/// Columns that may be missing.
const OPTIONAL: [&str; 12] = [
    "length",
    "lanes",
    "capacity",
    "free_speed",
    "jam_density",
    "facility_type",
    "allowed_uses",
    "name",
    "geometry",
    "geometry_id",
    "dir_flag",
    "structure",
];

/// Where the columns of a `link.csv` are.
#[derive(Debug)]
pub struct LinkColumns {
    directed: Column,
    optional: BTreeMap<&'static str, Column>,
    zero_is_blank: bool,
}

impl LinkColumns {
    /// The columns of a table whose `directed` is known.
    #[must_use]
    pub fn new(table: &Table, directed: Column) -> Self {
        let optional = OPTIONAL.iter().filter_map(|&name| Some((name, table.optional(name)?))).collect();
        Self { directed, optional, zero_is_blank: false }
    }
    /// From now on a length of zero is taken as none given.
    #[must_use]
    pub fn with_zero_length_as_blank(self) -> Self {
        Self { zero_is_blank: true, ..self }
    }
    /// A column that may be missing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Column> {
        self.optional.get(name).copied()
    }
    /// The column, unless it is missing or the cell of the row blank.
    #[must_use]
    pub fn cell(&self, row: &Row<'_>, name: &str) -> Option<Column> {
        let present = self.get(name).filter(|&column| !is_missing(row.text(column)))?;
        (!(self.zero_is_blank && name == "length" && is_zero(row.text(present)))).then_some(present)
    }
}

/// Whether a cell says zero.
#[must_use]
pub fn is_zero(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|value| value.abs() < f64::MIN_POSITIVE)
}

/// Figures of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkFigures {
    /// Class by facility type.
    pub class: RoadClass,
    /// Length as given; `None` where blank.
    pub length_m: Option<f64>,
    /// Lanes for cars.
    pub lanes: u8,
    /// Free speed of its fastest users.
    pub speed_mps: f64,
    /// Capacity per lane; `None` where a default stands in.
    pub capacity_vps_lane: Option<f64>,
    /// Jam density per lane.
    pub jam_density_vpm_lane: f64,
    /// Who may use it; nobody where it is for other uses only.
    pub modes: Modes,
    /// Whether it leads both ways.
    pub both_ways: bool,
}

impl LinkFigures {
    /// Capacity of all lanes; a default one is cut to the green share where the link ends at signals.
    #[must_use]
    pub fn capacity_vps(&self, rules: &RoadRules, at_signals: bool) -> f64 {
        let green = if at_signals { rules.green_share } else { 1.0 };
        let saturation_vps = rules.capacity_vps(self.class, self.lanes, MetresPerSecond(self.speed_mps));
        self.capacity_vps_lane.map_or(saturation_vps * green, |capacity| capacity * f64::from(self.lanes))
    }
    /// Jam density of all lanes.
    #[must_use]
    pub fn jam_density_vpm(&self) -> f64 {
        self.jam_density_vpm_lane * f64::from(self.lanes)
    }
}

/// Reads a row; `None` when it has problems, which are then pushed.
pub fn read(
    row: &Row<'_>,
    columns: &LinkColumns,
    config: &Config,
    rules: &RoadRules,
    problems: &mut Problems,
) -> Option<LinkFigures> {
    let before = problems.len();
    let cell = |name: &str| columns.cell(row, name);
    let both_ways = row.flag(columns.directed, problems).map(|directed| !directed);
    let mut positive = |name: &str| cell(name).and_then(|column| row.positive(column, problems));
    let (length, speed, capacity) = (positive("length"), positive("free_speed"), positive("capacity"));
    let jam_density = positive("jam_density");
    let lanes = cell("lanes").and_then(|column| match row.text(column).strip_suffix(".0") {
        Some(whole) if whole.parse::<u8>().is_ok_and(|lanes| lanes <= 32) => whole.parse().ok(),
        _ => row.integer(column, problems, 0..=32).map(|lanes| lanes as u8),
    });
    let facility = cell("facility_type").map_or("", |column| row.text(column));
    let (mut class, default_modes) = gmns_words::facility(facility);
    let mut modes = match cell("allowed_uses") {
        None => default_modes,
        Some(column) => gmns_words::uses(row.text(column), default_modes).or_else(|| {
            problems.push(row.problem(column, "words such as all, auto, bike, walk, separated by commas"));
            None
        })?,
    };
    if lanes == Some(0) {
        modes = modes.without(Modes::CAR);
    }
    let car = modes.contains(Modes::CAR);
    if car && class == RoadClass::Path {
        class = RoadClass::Unclassified;
    }
    let figures = rules.class(class);
    let slow_kmh = if modes.contains(Modes::BICYCLE) { rules.bicycle_kmh } else { rules.walk_kmh };
    let default_mps = if car { figures.speed.0 } else { slow_kmh / 3.6 };
    let speed_mps = speed.map_or(default_mps, |speed| speed * config.speed_mps);
    let capacity_vps_lane = capacity.map(|capacity| capacity / 3600.0);
    let jam_density_vpm_lane = jam_density.map_or(rules.jam_density_vpm_lane, |density| density / config.length_m);
    if let (true, Some(column), Some(capacity)) = (car, cell("capacity"), capacity_vps_lane)
        && capacity >= jam_density_vpm_lane * speed_mps
    {
        let limit = jam_density_vpm_lane * speed_mps * 3600.0;
        problems.push(
            row.problem(column, format!("less than jam density times free speed, {limit:.0} vehicles/h and lane")),
        );
    }
    if problems.len() > before {
        return None;
    }
    Some(LinkFigures {
        class,
        length_m: length.map(|length| length * config.length_m),
        lanes: if car { lanes.unwrap_or(figures.lanes) } else { 0 },
        speed_mps,
        capacity_vps_lane,
        jam_density_vpm_lane,
        modes,
        both_ways: both_ways?,
    })
}
