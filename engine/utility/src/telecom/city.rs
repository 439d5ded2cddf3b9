//! Mobile sites of a city in a run: sites sit in buildings and run on their power or on a battery; people in buildings are
//! connected to them by the rule of [`super::Telecom`], with buildings as cells.
//!
//! Synthetic sites are set on the roofs of buildings until everybody is served: each building is within reach of a site
//! (coverage), and sites within reach serve the persons of the city at their busiest (capacity). Sites are chosen one by one. The next site stands on the building that has most persons left without service within
//! its reach, where a building counts for what is left of it; the site then serves the nearest of them up to its capacity.
//! As people then go to the nearest site by another order, whoever is left without one gets sites in further rounds.
//! Buildings that hold nobody count as one person, so that they are covered too. Ties go to the lower row. It is a greedy
//! cover: at most about ln(n) times as many sites as would do (V. Chvatal, Math. Oper. Res. 4, 1979), not a plan of any
//! operator.
//!
//! Law: in each step and zone persons = connected + unconnected. A zone is that of a building; a building of no zone is of
//! zone 0. Ignored: people outside buildings, and all that [`super`] ignores. Contract: choosing sites is one thread's,
//! with cells of the reach's size to look up neighbours; a step allocates nothing; same results on any number of threads.

use super::{Cells, Feed, Sites, Telecom, TelecomSettings};
use crate::power::settings::refusing;
use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use urbis_city::model::City;
use urbis_city::table::Table;
use urbis_core::{Problems, Result};

/// Rounds in which sites are added.
const ROUNDS_MAX: u32 = 20;

/// Where sites come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteSource {
    /// No sites: nobody asks who is connected.
    #[default]
    None,
    /// Made up on the roofs of buildings, and marked so.
    Synthetic,
    /// Those of the table `sites`.
    File,
}

/// Mobile radio of a city.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CityTelecomSettings {
    /// Where sites come from.
    pub source: SiteSource,
    /// With `source = "file"`: a CSV table of sites with column `building_id`, and `capacity_devices`, `radius_m`,
    /// `battery_h` where they differ from `site`, relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub sites: Option<PathBuf>,
    /// What sites are like that do not say so themselves, and what a person is.
    pub site: TelecomSettings,
}

impl CityTelecomSettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Whether the city has no sites.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.source == SiteSource::None
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        match (self.source, &self.sites) {
            (SiteSource::File, None) => {
                tell("source", "= \"file\" needs `sites`, expected the path of a table".to_owned());
            }
            (SiteSource::None | SiteSource::Synthetic, Some(path)) => {
                tell("sites", format!("= {:?} counts with source = \"file\" alone", path.display().to_string()));
            }
            _ => {}
        }
        if self.source == SiteSource::Synthetic {
            if self.site.radius_m < 10.0 {
                tell("site.radius_m", format!("= {}, expected 10 or more", self.site.radius_m));
            }
            if self.site.capacity_devices == 0 {
                tell("site.capacity_devices", "= 0, expected 1 or more".to_owned());
            }
        }
        self.site.check(&mut |key, what| tell(&format!("site.{key}"), what));
    }
}

/// See the module.
#[derive(Clone, Debug, Resource)]
pub struct CityTelecom {
    settings: CityTelecomSettings,
    telecom: Telecom,
    building: Vec<u32>,
    has_power: Vec<bool>,
    /// Person-seconds since the start by zone: all, and those connected.
    pub zone_person_s: Vec<u64>,
    /// Connected ones.
    pub zone_connected_s: Vec<u64>,
}

impl CityTelecom {
    /// Sites of a city in whose buildings there are at most so many simulated persons at once (shape: buildings), of whom
    /// each stands for `persons_scale`. Paths are relative to `folder`.
    ///
    /// # Errors
    /// Settings or tables of which no sites can be made, each with its place.
    pub fn new(
        city: &City,
        settings: &CityTelecomSettings,
        persons: &[u32],
        persons_scale: f64,
        folder: &Path,
    ) -> Result<Self> {
        refusing("telecom", |tell| settings.check(tell))?;
        let table = &city.buildings;
        let mut sites = Sites::default();
        let mut building = match (settings.source, &settings.sites) {
            (SiteSource::None, _) => Vec::new(),
            (SiteSource::File, Some(path)) => read_sites(city, settings, &folder.join(path), &mut sites)?,
            _ => Vec::new(),
        };
        let zones = city.zones.len().max(1);
        let zone = table.zone.iter().map(|zone| if zone.row() < zones { zone.0 } else { 0 }).collect();
        let cells = match settings.source {
            SiteSource::None => Cells::default(),
            _ => Cells { x_m: table.x_m.clone(), y_m: table.y_m.clone(), zone },
        };
        let mut telecom = Telecom::new(&settings.site, sites, &cells, zones, persons_scale)?;
        if settings.source == SiteSource::Synthetic {
            let mut left: Vec<u32> =
                (0..table.len()).map(|row| persons.get(row).copied().unwrap_or(0).max(1)).collect();
            let all = left.clone();
            for _ in 0..ROUNDS_MAX {
                building.append(&mut choose(&table.x_m, &table.y_m, &left, persons_scale, &settings.site));
                let mut sites = Sites::default();
                for &row in &building {
                    let place = [table.x_m[row as usize], table.y_m[row as usize]];
                    sites.push(&settings.site, place, Feed::Building(row));
                }
                telecom = Telecom::new(&settings.site, sites, &cells, zones, persons_scale)?;
                telecom.step(&vec![true; building.len()], &all, 1.0);
                left.iter_mut().zip(&all).zip(&telecom.connected).for_each(|((left, all), on)| *left = all - on);
                if left.iter().all(|left| *left == 0) {
                    break;
                }
            }
        }
        Ok(Self {
            settings: settings.clone(),
            telecom,
            has_power: vec![true; building.len()],
            building,
            zone_person_s: vec![0; zones],
            zone_connected_s: vec![0; zones],
        })
    }
    /// How it was set up.
    #[must_use]
    pub fn settings(&self) -> &CityTelecomSettings {
        &self.settings
    }
    /// Sites and who is connected: by zone in `zone_persons`, `zone_connected`, by building in `connected`, by site in
    /// `is_live`, `battery_left_h`, `site_persons`.
    #[must_use]
    pub fn telecom(&self) -> &Telecom {
        &self.telecom
    }
    /// Building of each site.
    #[must_use]
    pub fn site_buildings(&self) -> &[u32] {
        &self.building
    }
    /// See [`Telecom::silence`].
    pub fn silence(&mut self, site: u32, is_silent: bool) {
        self.telecom.silence(site, is_silent);
    }
    /// A step: which buildings have power in it, how many persons are in each, how long it is. Shape of persons: buildings.
    pub fn step(&mut self, has_power: impl Fn(usize) -> bool, persons: &[u32], seconds: u32) {
        if self.settings.is_none() {
            return;
        }
        for (has, &building) in self.has_power.iter_mut().zip(&self.building) {
            *has = has_power(building as usize);
        }
        self.telecom.step(&self.has_power, persons, f64::from(seconds));
        let seconds = u64::from(seconds);
        for (sum, now) in self.zone_person_s.iter_mut().zip(&self.telecom.zone_persons) {
            *sum += now * seconds;
        }
        for (sum, now) in self.zone_connected_s.iter_mut().zip(&self.telecom.zone_connected) {
            *sum += now * seconds;
        }
    }
}

/// Buildings of sites, from a table; a building may have several.
fn read_sites(city: &City, settings: &CityTelecomSettings, path: &Path, sites: &mut Sites) -> Result<Vec<u32>> {
    let mut problems = Problems::new();
    let table = Table::read(path)?.with_id("building_id");
    let Some(of_building) = table.required("building_id", &mut problems) else { return problems.or_else(Vec::new()) };
    let [capacity, radius, battery] = ["capacity_devices", "radius_m", "battery_h"].map(|name| table.optional(name));
    let row_of: BTreeMap<&str, u32> =
        city.buildings.id.iter().enumerate().map(|(row, id)| (id.as_str(), row as u32)).collect();
    let mut buildings = Vec::new();
    for row in table.rows() {
        let Some(&building) = row_of.get(row.text(of_building)) else {
            problems.push(row.problem(of_building, "a building of the city"));
            continue;
        };
        let mut number = |column: Option<_>, most: f64| {
            let column = column.filter(|&column| !row.text(column).is_empty())?;
            row.number_where(column, &mut problems, &format!("0 to {most}"), |value| (0.0..=most).contains(&value))
        };
        let at = building as usize;
        sites.push(&settings.site, [city.buildings.x_m[at], city.buildings.y_m[at]], Feed::Building(building));
        let site = sites.len() - 1;
        if let Some(devices) = number(capacity, 1e9) {
            sites.capacity_devices[site] = devices.round() as u32;
        }
        if let Some(radius_m) = number(radius, 200_000.0) {
            sites.radius_m[site] = radius_m;
        }
        if let Some(battery_h) = number(battery, 10_000.0) {
            sites.battery_h[site] = battery_h;
        }
        buildings.push(building);
    }
    problems.or_else(buildings)
}

/// Buildings in square cells as wide as the reach.
struct Squares<'a> {
    x_m: &'a [f64],
    y_m: &'a [f64],
    side_m: f64,
    rows: BTreeMap<(i64, i64), Vec<u32>>,
}

impl<'a> Squares<'a> {
    fn new(x_m: &'a [f64], y_m: &'a [f64], side_m: f64) -> Self {
        let mut this = Self { x_m, y_m, side_m, rows: BTreeMap::new() };
        for row in 0..x_m.len() {
            let square = this.square(row);
            this.rows.entry(square).or_default().push(row as u32);
        }
        this
    }
    fn square(&self, row: usize) -> (i64, i64) {
        ((self.x_m[row] / self.side_m).floor() as i64, (self.y_m[row] / self.side_m).floor() as i64)
    }
    /// Buildings within reach of one, with distances squared, m2.
    fn near(&self, row: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let (x, y) = self.square(row);
        let squares = (x - 1..=x + 1).flat_map(move |x| (y - 1..=y + 1).map(move |y| (x, y)));
        let rows = squares.filter_map(|square| self.rows.get(&square)).flatten();
        rows.filter_map(move |&other| {
            let at = other as usize;
            let (dx_m, dy_m) = (self.x_m[at] - self.x_m[row], self.y_m[at] - self.y_m[row]);
            let far2_m2 = dx_m * dx_m + dy_m * dy_m;
            (far2_m2 <= self.side_m * self.side_m).then_some((other, far2_m2))
        })
    }
}

/// Buildings on which sites stand, in the order in which they were chosen. Gains only fall, so a stale one is an upper
/// bound, and the first that is fresh is the greatest.
fn choose(x_m: &[f64], y_m: &[f64], persons: &[u32], persons_scale: f64, site: &TelecomSettings) -> Vec<u32> {
    let squares = Squares::new(x_m, y_m, site.radius_m);
    let fits = (f64::from(site.capacity_devices) / (site.devices_per_person * persons_scale)).max(1.0) as u64;
    let mut left: Vec<u64> = persons.iter().map(|&of| u64::from(of)).collect();
    let gain = |left: &[u64], row: usize| squares.near(row).map(|(other, _)| left[other as usize]).sum::<u64>();
    let mut heap: BinaryHeap<(u64, std::cmp::Reverse<u32>)> =
        (0..x_m.len()).map(|row| (gain(&left, row), std::cmp::Reverse(row as u32))).collect();
    let mut chosen = Vec::new();
    let mut near: Vec<(u32, f64)> = Vec::new();
    while let Some((stale, std::cmp::Reverse(row))) = heap.pop() {
        let fresh = gain(&left, row as usize);
        if fresh == 0 {
            continue;
        }
        if fresh < stale {
            heap.push((fresh, std::cmp::Reverse(row)));
            continue;
        }
        near.clear();
        near.extend(squares.near(row as usize));
        near.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let mut capacity = fits;
        for &(other, _) in &near {
            let served = left[other as usize].min(capacity);
            left[other as usize] -= served;
            capacity -= served;
        }
        chosen.push(row);
        heap.push((fresh, std::cmp::Reverse(row)));
    }
    chosen
}
