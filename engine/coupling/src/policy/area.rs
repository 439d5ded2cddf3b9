//! Where a policy holds: links, nodes and places of a city in zones, in a list of links or roads, or in polygons.
//!
//! A link is in polygons when the middle of its line is, a node and a building when its point is; in zones as the package
//! says. Ignores: areas across the date line. Contract: pure, sequential.

use super::Area;
use geo::{Contains, Euclidean, InterpolateLine, Point};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_city::projection::Projection;
use urbis_city::vector::Layer;
use urbis_core::ZoneIx;
use urbis_core::diagnostics::did_you_mean;
use urbis_population::Places;

/// What of a city lies in an area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InArea {
    /// By link of the city.
    pub links: Vec<bool>,
    /// By node of the city; nothing where links are listed.
    pub nodes: Vec<bool>,
    /// By building of the city; nothing where links are listed.
    pub buildings: Vec<bool>,
    /// Whether links are listed one by one.
    pub is_list_of_links: bool,
}

/// What is wrong with an area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaFault {
    /// Key within the area; empty for the area itself.
    pub key: &'static str,
    /// The sentence.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

fn fault(key: &'static str, message: String, help: Option<String>) -> Vec<AreaFault> {
    vec![AreaFault { key, message, help }]
}

impl InArea {
    /// All but what stands for the world outside.
    #[must_use]
    pub fn whole(city: &City) -> Self {
        let inside: Vec<bool> = city.nodes.external.iter().map(|external| !external).collect();
        let is_inside = |row: usize| inside[city.links.from[row].row()] && inside[city.links.to[row].row()];
        Self {
            links: (0..city.links.len()).map(is_inside).collect(),
            nodes: inside,
            buildings: vec![true; city.buildings.len()],
            is_list_of_links: false,
        }
    }

    /// What lies in an area. `file` is the area's file, or that of the package's layer, as the program can open it.
    ///
    /// # Errors
    /// Every id that the city does not have, a file that cannot be read or has no polygon, and an area in which
    /// nothing lies.
    pub fn find(city: &City, area: &Area, file: Option<&Path>) -> Result<Self, Vec<AreaFault>> {
        let given = [
            !area.zones.is_empty(),
            !area.links.is_empty(),
            !area.roads.is_empty(),
            area.file.is_some() || area.layer.is_some(),
        ];
        if given.iter().filter(|&&is| is).count() != 1 {
            let message = "expected one of `zones`, `links`, `roads`, `file` and `layer`".to_owned();
            return Err(fault("", message, None));
        }
        let found = match file {
            Some(file) => Self::in_file(city, area, file)?,
            None if !area.links.is_empty() => Self::of_links(city, &city.links.id, &area.links, ("links", "link"))?,
            None if !area.roads.is_empty() => Self::of_links(city, &city.links.name, &area.roads, ("roads", "road"))?,
            None => Self::in_zones(city, &area.zones)?,
        };
        if found.links.iter().chain(&found.buildings).any(|&is| is) {
            Ok(found)
        } else {
            Err(fault("", format!("nothing of the city `{}` lies in the area", city.manifest.name), None))
        }
    }

    fn of_links(
        city: &City,
        known: &[String],
        ids: &[String],
        (key, what): (&'static str, &str),
    ) -> Result<Self, Vec<AreaFault>> {
        let links = rows_of(known, ids, key, what, city)?;
        Ok(Self { links, is_list_of_links: true, ..Self::default() })
    }

    fn in_zones(city: &City, ids: &[String]) -> Result<Self, Vec<AreaFault>> {
        let zones = rows_of(&city.zones.id, ids, "zones", "zone", city)?;
        let is_in = |zones_of: &[ZoneIx]| zones_of.iter().map(|zone| zone.is_some() && zones[zone.row()]).collect();
        Ok(Self {
            links: is_in(&city.links.zone),
            nodes: is_in(&city.nodes.zone),
            buildings: is_in(&city.buildings.zone),
            is_list_of_links: false,
        })
    }

    fn in_file(city: &City, area: &Area, file: &Path) -> Result<Self, Vec<AreaFault>> {
        let key = if area.file.is_some() { "file" } else { "layer" };
        let layer = Layer::read(file, area.file.as_ref().and(area.layer.as_deref()))
            .map_err(|error| fault(key, format!("{}: {error}", file.display()), None))?;
        let shapes: Vec<geo::MultiPolygon> = (0..layer.features.len())
            .filter_map(|row| layer.polygons(row).ok())
            .map(|polygons| polygons.shape)
            .collect();
        if shapes.is_empty() {
            return Err(fault(key, format!("{} has no polygon", file.display()), None));
        }
        let is_in = |at: &Point| shapes.iter().any(|shape| shape.contains(at));
        let projection = Projection::from_code(&city.manifest.crs).map_err(|what| fault(key, what, None))?;
        let centres = city.buildings.x_m.iter().zip(&city.buildings.y_m);
        let buildings = centres.map(|(&x_m, &y_m)| is_in(&projection.unproject(x_m, y_m))).collect();
        let middle = |line: &geo::LineString| Euclidean.point_at_ratio_from_start(line, 0.5);
        Ok(Self {
            links: city.links.line.iter().map(|line| middle(line).is_some_and(|at| is_in(&at))).collect(),
            nodes: city.nodes.point.iter().map(is_in).collect(),
            buildings,
            is_list_of_links: false,
        })
    }

    /// Whether a link leads into the area from outside, or is listed.
    #[must_use]
    pub fn enters(&self, city: &City, link: usize) -> bool {
        if self.is_list_of_links {
            return self.links[link];
        }
        !self.nodes[city.links.from[link].row()] && self.nodes[city.links.to[link].row()]
    }

    /// By place of people: buildings as here, nothing outside.
    #[must_use]
    pub fn places(&self, places: &Places) -> Vec<bool> {
        let mut inside = self.buildings.clone();
        inside.resize(places.len(), false);
        inside
    }
}

/// Rows of ids as flags.
fn rows_of(
    known: &[String],
    ids: &[String],
    key: &'static str,
    what: &str,
    city: &City,
) -> Result<Vec<bool>, Vec<AreaFault>> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, id) in known.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
        rows.entry(id).or_default().push(row);
    }
    let mut found = vec![false; known.len()];
    let mut faults = Vec::new();
    for id in ids {
        match rows.get(id.as_str()) {
            Some(rows) => rows.iter().for_each(|&row| found[row] = true),
            None => faults.push(AreaFault {
                key,
                message: format!("the city `{}` has no {what} `{id}`", city.manifest.name),
                help: Some(match did_you_mean(id, rows.keys().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "ids and names stand in the layers of the city package".to_owned(),
                }),
            }),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}
