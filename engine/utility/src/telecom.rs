//! Mobile radio as a layer of service: who is connected while some sites have no power.
//!
//! A site serves devices within its radius up to its capacity. It runs on power or else on its battery, which then loses an
//! hour for each hour and takes `recharge_h` to fill from empty when power is back. A site is live in a step when it has
//! power, or its battery lasts for at least half of it. People stand in cells (or buildings), of which some have persons.
//!
//! Persons are connected by the pairs of cell and site within the site's radius, nearest pair first (then the lower row of
//! the site, then of the cell): each pair connects as many as are left in the cell and fit the site. So everybody is with
//! the nearest live site that has capacity left, and those who are nearer to a site come before those who are farther.
//!
//! Law: in each step and zone persons = connected + unconnected, in whole numbers.
//!
//! Ignored: radio (bands, interference, terrain, buildings between), traffic of data, the core network and its own power,
//! congestion below capacity, several operators but as sites of one. Contract: [`Telecom::step`] is sequential over pairs
//! that were sorted once, allocates nothing, and gives the same for any number of threads and order of calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use urbis_core::chunks::map_chunks;
use urbis_core::{Problem, Problems, Result};

pub mod city;
mod hours;

pub use city::{CityTelecom, CityTelecomSettings, SiteSource};
pub use hours::ConnectedHours;

/// Sites whose pairs are found together.
const SITES_PER_CHUNK: usize = 16;

/// Mobile radio: what sites are like that do not say so themselves, and what a person is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelecomSettings {
    /// Devices that a site can serve at once: three sectors of about 400 connected users each, the order of LTE base
    /// stations; estimate.
    pub capacity_devices: u32,
    /// Reach of a site, metres: a macro cell of a town; estimate.
    pub radius_m: f64,
    /// Hours that a site runs on its battery: between the 2 to 4 h usual in Europe (estimate) and the 8 h that the
    /// FCC asked of cell sites after Katrina (order 07-177 of 2007).
    pub battery_h: f64,
    /// Hours that an empty battery takes to fill; the ten-hour rate of lead-acid batteries.
    pub recharge_h: f64,
    /// Devices of a person.
    pub devices_per_person: f64,
}

impl Default for TelecomSettings {
    fn default() -> Self {
        Self { capacity_devices: 1200, radius_m: 1000.0, battery_h: 4.0, recharge_h: 10.0, devices_per_person: 1.0 }
    }
}

impl TelecomSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let mut in_range = |key: &str, value: f64, from: f64, to: f64| {
            if !(from..=to).contains(&value) {
                tell(key, format!("= {value}, expected {from} to {to}"));
            }
        };
        in_range("radius_m", self.radius_m, 0.0, 200_000.0);
        in_range("battery_h", self.battery_h, 0.0, 10_000.0);
        in_range("recharge_h", self.recharge_h, 0.01, 10_000.0);
        in_range("devices_per_person", self.devices_per_person, 0.01, 1000.0);
    }
}

/// What feeds a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// A supply of its own that does not fail here.
    #[default]
    Own,
    /// The building of this row.
    Building(u32),
    /// The bus of this row.
    Bus(u32),
}

/// Sites; columns by site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sites {
    /// Place, projected metres.
    pub x_m: Vec<f64>,
    /// Place, projected metres.
    pub y_m: Vec<f64>,
    /// Devices at once.
    pub capacity_devices: Vec<u32>,
    /// Reach, metres.
    pub radius_m: Vec<f64>,
    /// Hours on a full battery.
    pub battery_h: Vec<f64>,
    /// What feeds it.
    pub feed: Vec<Feed>,
}

impl Sites {
    /// Number of sites.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x_m.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x_m.is_empty()
    }
    /// Adds a site of the settings at a place.
    pub fn push(&mut self, settings: &TelecomSettings, [x_m, y_m]: [f64; 2], feed: Feed) {
        self.x_m.push(x_m);
        self.y_m.push(y_m);
        self.capacity_devices.push(settings.capacity_devices);
        self.radius_m.push(settings.radius_m);
        self.battery_h.push(settings.battery_h);
        self.feed.push(feed);
    }
    /// Writes which sites have power, of what has it by building and by bus. A row that is not there has none.
    pub fn has_power(&self, building_has: &[bool], bus_has: &[bool], has_power: &mut [bool]) {
        for (feed, has_power) in self.feed.iter().zip(has_power) {
            *has_power = match *feed {
                Feed::Own => true,
                Feed::Building(row) => building_has.get(row as usize).copied().unwrap_or(false),
                Feed::Bus(row) => bus_has.get(row as usize).copied().unwrap_or(false),
            };
        }
    }
    fn check(&self, problems: &mut Problems) {
        let path = Path::new("telecom sites");
        let rows = self.len();
        let lengths = [
            ("y_m", self.y_m.len()),
            ("capacity_devices", self.capacity_devices.len()),
            ("radius_m", self.radius_m.len()),
            ("battery_h", self.battery_h.len()),
            ("feed", self.feed.len()),
        ];
        for (name, length) in lengths.into_iter().filter(|(_, length)| *length != rows) {
            problems.push(Problem::file(path, format!("{name} has {length} rows, expected {rows} as x_m")));
        }
        let columns = [
            ("x_m", &self.x_m, f64::MIN),
            ("y_m", &self.y_m, f64::MIN),
            ("radius_m", &self.radius_m, 0.0),
            ("battery_h", &self.battery_h, 0.0),
        ];
        for (name, column, least) in columns {
            for (row, value) in column.iter().enumerate().filter(|(_, value)| !(value.is_finite() && **value >= least))
            {
                let expected = if least < 0.0 { "a number" } else { "0 or more" };
                problems.push(Problem::value(path, row + 1, None, name, value, expected));
            }
        }
    }
}

/// Where people stand; columns by cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    /// Place, projected metres.
    pub x_m: Vec<f64>,
    /// Place, projected metres.
    pub y_m: Vec<f64>,
    /// Row of its zone.
    pub zone: Vec<u32>,
}

/// A cell within reach of a site.
#[derive(Clone, Copy, Debug)]
struct Pair {
    distance2_m2: f64,
    site: u32,
    cell: u32,
}

/// The layer: sites, who is in reach of them, and its state.
#[derive(Clone, Debug)]
pub struct Telecom {
    sites: Sites,
    zone: Vec<u32>,
    /// Nearest first.
    pairs: Vec<Pair>,
    /// Simulated persons that a site can serve.
    capacity_persons: Vec<u32>,
    recharge_h: f64,
    left: Vec<u32>,
    /// Reasons of each site to be silent whatever its power.
    silenced: Vec<u32>,
    /// Hours left in the battery of each site.
    pub battery_left_h: Vec<f64>,
    /// Whether each site served in the last step.
    pub is_live: Vec<bool>,
    /// Persons connected to each site in the last step.
    pub site_persons: Vec<u32>,
    /// Persons connected in each cell in the last step.
    pub connected: Vec<u32>,
    /// Persons of each zone in the last step.
    pub zone_persons: Vec<u64>,
    /// Persons connected of each zone in the last step.
    pub zone_connected: Vec<u64>,
}

impl Telecom {
    /// Sites with full batteries. `zones` is the number of zones, `persons_scale` what one simulated person stands for.
    ///
    /// # Errors
    /// Settings that cannot be; columns that differ in length, places, radii or hours that are no numbers, zones that are
    /// none.
    pub fn new(
        settings: &TelecomSettings,
        sites: Sites,
        cells: &Cells,
        zones: usize,
        persons_scale: f64,
    ) -> Result<Self> {
        let mut problems = Problems::new();
        let path = Path::new("telecom");
        settings.check(&mut |key, what| problems.push(Problem::file(path, format!("{key} {what}"))));
        if !(persons_scale > 0.0 && persons_scale.is_finite()) {
            problems.push(Problem::file(path, format!("persons_scale = {persons_scale}, expected more than 0")));
        }
        sites.check(&mut problems);
        let rows = cells.x_m.len();
        let place = Path::new("telecom cells");
        for (name, length) in [("y_m", cells.y_m.len()), ("zone", cells.zone.len())] {
            if length != rows {
                problems.push(Problem::file(place, format!("{name} has {length} rows, expected {rows} as x_m")));
            }
        }
        for (name, column) in [("x_m", &cells.x_m), ("y_m", &cells.y_m)] {
            for (row, value) in column.iter().enumerate().filter(|(_, value)| !value.is_finite()) {
                problems.push(Problem::value(place, row + 1, None, name, value, "a number"));
            }
        }
        for (row, zone) in cells.zone.iter().enumerate().filter(|(_, zone)| **zone as usize >= zones) {
            problems.push(Problem::value(place, row + 1, None, "zone", zone, format!("below {zones}")));
        }
        problems.or_else(())?;
        // What is rounded is far below one person.
        let devices = settings.devices_per_person * persons_scale;
        let fits = |capacity: &u32| (f64::from(*capacity) / devices + 1e-9).floor().min(f64::from(u32::MAX)) as u32;
        Ok(Self {
            zone: cells.zone.clone(),
            pairs: pairs(&sites, cells),
            capacity_persons: sites.capacity_devices.iter().map(fits).collect(),
            recharge_h: settings.recharge_h,
            left: vec![0; sites.len()],
            silenced: vec![0; sites.len()],
            battery_left_h: sites.battery_h.clone(),
            is_live: vec![true; sites.len()],
            site_persons: vec![0; sites.len()],
            connected: vec![0; rows],
            zone_persons: vec![0; zones],
            zone_connected: vec![0; zones],
            sites,
        })
    }

    /// The sites.
    #[must_use]
    pub fn sites(&self) -> &Sites {
        &self.sites
    }

    /// A step: which sites have power in it (by site), how many persons stand where (by cell), both with at least as many
    /// rows, and how long it is.
    pub fn step(&mut self, has_power: &[bool], persons: &[u32], step_s: f64) {
        let step_h = step_s.max(0.0) / 3600.0;
        for (site, &has_power) in has_power.iter().enumerate().take(self.sites.len()) {
            let (left_h, full_h) = (&mut self.battery_left_h[site], self.sites.battery_h[site]);
            if has_power {
                self.is_live[site] = true;
                *left_h = (*left_h + full_h * step_h / self.recharge_h).min(full_h);
            } else {
                self.is_live[site] = *left_h > 0.0 && *left_h >= 0.5 * step_h;
                *left_h = (*left_h - step_h).max(0.0);
            }
            self.is_live[site] &= self.silenced[site] == 0;
            self.left[site] = if self.is_live[site] { self.capacity_persons[site] } else { 0 };
        }
        self.connected.fill(0);
        for pair in &self.pairs {
            let (site, cell) = (pair.site as usize, pair.cell as usize);
            let more = self.left[site].min(persons[cell] - self.connected[cell]);
            self.left[site] -= more;
            self.connected[cell] += more;
        }
        for site in 0..self.sites.len() {
            let fits = if self.is_live[site] { self.capacity_persons[site] } else { 0 };
            self.site_persons[site] = fits - self.left[site];
        }
        self.zone_persons.fill(0);
        self.zone_connected.fill(0);
        for (cell, &zone) in self.zone.iter().enumerate() {
            self.zone_persons[zone as usize] += u64::from(persons[cell]);
            self.zone_connected[zone as usize] += u64::from(self.connected[cell]);
        }
    }

    /// One reason more, or one less, for a site to be silent, from the next step on.
    pub fn silence(&mut self, site: u32, is_silent: bool) {
        let reasons = &mut self.silenced[site as usize];
        *reasons = if is_silent { *reasons + 1 } else { reasons.saturating_sub(1) };
    }

    /// Share of a zone's persons that was connected in the last step; nothing where nobody was.
    #[must_use]
    pub fn share(&self, zone: usize) -> Option<f64> {
        let (persons, connected) = (*self.zone_persons.get(zone)?, *self.zone_connected.get(zone)?);
        (persons > 0).then(|| connected as f64 / persons as f64)
    }
}

/// Cells within reach of each site, nearest first.
fn pairs(sites: &Sites, cells: &Cells) -> Vec<Pair> {
    let mut by_x: Vec<u32> = (0..cells.x_m.len() as u32).collect();
    by_x.sort_by(|&a, &b| cells.x_m[a as usize].total_cmp(&cells.x_m[b as usize]).then(a.cmp(&b)));
    let of_sites = map_chunks(sites.len(), SITES_PER_CHUNK, |range| {
        let mut found = Vec::new();
        for site in range {
            let (x_m, y_m, radius_m) = (sites.x_m[site], sites.y_m[site], sites.radius_m[site]);
            let first = by_x.partition_point(|&cell| cells.x_m[cell as usize] < x_m - radius_m);
            let in_strip = by_x[first..].iter().take_while(|&&cell| cells.x_m[cell as usize] <= x_m + radius_m);
            for &cell in in_strip {
                let (dx_m, dy_m) = (cells.x_m[cell as usize] - x_m, cells.y_m[cell as usize] - y_m);
                let distance2_m2 = dx_m * dx_m + dy_m * dy_m;
                if distance2_m2 <= radius_m * radius_m {
                    found.push(Pair { distance2_m2, site: site as u32, cell });
                }
            }
        }
        found
    });
    let mut pairs = of_sites.concat();
    pairs.sort_unstable_by(|a, b| {
        a.distance2_m2.total_cmp(&b.distance2_m2).then(a.site.cmp(&b.site)).then(a.cell.cmp(&b.cell))
    });
    pairs
}

#[cfg(test)]
#[path = "telecom_tests.rs"]
mod telecom_tests;
