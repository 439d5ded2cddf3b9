//! The city of a run as its layers show it: buildings with their residents, points of interest, streets.
//!
//! Residents of a building are those of table `persons`; where a run did not write it, those of its zone in table `kpis` by
//! its share in the zone's dwellings (floor area of homes where there are none). Distances in the plane are on a sphere
//! around the middle of the city, within a tenth of a per cent for cities. Built-up area is the squares of 200 m that hold
//! the middle of a building; each belongs to zones by its buildings.

use super::facts::Facts;
use super::network::{Network, Points, cell_of};
use super::roads::Links;
use super::sheet::{Place, Sheet, Tally};
use crate::read::RunResults;
use geo::{Centroid, Point, Polygon};
use std::collections::BTreeMap;
use urbis_core::{Problems, Result};

/// Radius of the earth, metres.
const EARTH_M: f64 = 6_371_008.8;
/// Side of the squares of built-up area, metres.
pub(crate) const SQUARE_M: f64 = 200.0;
/// How far a place may lie from the network and still belong to it, metres.
const TO_NETWORK_M: f64 = 500.0;

/// Buildings in the order of the layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buildings {
    pub(crate) row: BTreeMap<String, usize>,
    pub(crate) zone: Vec<String>,
    pub(crate) purpose: Vec<String>,
    pub(crate) floor_area_m2: Vec<f64>,
    pub(crate) dwellings: Vec<u32>,
    /// Metres east and north of the middle of the city.
    pub(crate) at: Vec<[f64; 2]>,
    car_node: Vec<Option<String>>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct City {
    pub(crate) buildings: Buildings,
    /// Residents by building; none where they are not known.
    pub(crate) residents: Option<Vec<f64>>,
    /// Nodes: row by id, and place.
    node_row: BTreeMap<String, u32>,
    node_at: Vec<[f64; 2]>,
    /// Points of interest by kind.
    pois: BTreeMap<String, Vec<[f64; 2]>>,
    walk: Option<Network>,
    /// Seconds by car, with and against the links.
    drive: [Network; 2],
    middle: [f64; 2],
}

/// Degrees to metres around a place.
fn to_metres(middle: [f64; 2], at: Point) -> [f64; 2] {
    let [east, north] = [at.x() - middle[0], at.y() - middle[1]].map(f64::to_radians);
    [east * EARTH_M * middle[1].to_radians().cos(), north * EARTH_M]
}

impl City {
    pub(crate) fn read(facts: &Facts<'_>, links: &Links) -> Result<Self> {
        let run = facts.run;
        let (layer, mut problems) = (run.layer("buildings")?, Problems::new());
        let shapes: Vec<Polygon> = layer.geometry("Polygon", |shape| shape.try_into().ok(), &mut problems);
        let centres: Vec<Point> = shapes.iter().map(|shape| shape.centroid().unwrap_or_default()).collect();
        let ids = layer.text("id", &mut problems);
        let mut buildings = Buildings {
            row: ids.into_iter().enumerate().map(|(row, id)| (id, row)).collect(),
            zone: layer.text("zone_id", &mut problems),
            purpose: layer.text("purpose", &mut problems),
            floor_area_m2: layer.number("floor_area_m2", &mut problems),
            dwellings: layer.count("dwellings", &mut problems),
            at: Vec::new(),
            car_node: layer.text_or_null("car_node", &mut problems),
        };
        problems.or_else(())?;
        let (nodes, mut problems) = (run.layer("nodes")?, Problems::new());
        let node_ids = nodes.text("id", &mut problems);
        let node_points: Vec<Point> = nodes.geometry("Point", |shape| shape.try_into().ok(), &mut problems);
        problems.or_else(())?;
        let all = || centres.iter().chain(&node_points);
        let count = all().count().max(1) as f64;
        let middle = [all().map(|p| p.x()).sum::<f64>() / count, all().map(|p| p.y()).sum::<f64>() / count];
        buildings.at = centres.iter().map(|&centre| to_metres(middle, centre)).collect();
        let node_row: BTreeMap<String, u32> =
            node_ids.into_iter().enumerate().map(|(row, id)| (id, row as u32)).collect();
        let node_at: Vec<[f64; 2]> = node_points.iter().map(|&point| to_metres(middle, point)).collect();
        let (mut on_foot, mut drive, mut back) = (Vec::new(), Vec::new(), Vec::new());
        for row in (0..links.class.len()).filter(|&row| !links.is_external(row)) {
            let ends = node_row.get(&links.from[row]).zip(node_row.get(&links.to[row]));
            let Some((&from, &to)) = ends else { continue };
            if links.lets(row, "walk") {
                on_foot.extend([(from, to, links.length_m[row]), (to, from, links.length_m[row])]);
            }
            if links.lets(row, "car") {
                let seconds = links.length_m[row] / links.free_mps[row];
                drive.push((from, to, seconds));
                back.push((to, from, seconds));
            }
        }
        let count = node_at.len();
        let mut city = Self {
            residents: None,
            walk: (!on_foot.is_empty()).then(|| Network::new(count, &on_foot)),
            drive: [Network::new(count, &drive), Network::new(count, &back)],
            pois: pois(run, middle)?,
            buildings,
            node_row,
            node_at,
            middle,
        };
        city.residents = city.residents_of(facts);
        Ok(city)
    }

    /// A place in degrees as metres east and north of the middle of the city.
    pub(crate) fn metres(&self, at: Point) -> [f64; 2] {
        to_metres(self.middle, at)
    }

    fn residents_of(&self, facts: &Facts<'_>) -> Option<Vec<f64>> {
        let of = &self.buildings;
        let mut residents = vec![0.0; of.zone.len()];
        if !facts.persons.is_empty() {
            let homes = facts.persons.values().filter_map(|person| of.row.get(person.home_building.as_ref()?));
            homes.for_each(|&row| residents[row] += facts.scale);
            return Some(residents);
        }
        let mut weights: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        let home_m2 = |row: usize| if of.purpose[row] == "residential" { of.floor_area_m2[row] } else { 0.0 };
        for (row, zone) in of.zone.iter().enumerate() {
            let sum = weights.entry(zone).or_default();
            sum[0] += f64::from(of.dwellings[row]);
            sum[1] += home_m2(row);
        }
        for (row, zone) in of.zone.iter().enumerate() {
            let [dwellings, area] = weights[zone.as_str()];
            let share = match (dwellings > 0.0, area > 0.0) {
                (true, _) => f64::from(of.dwellings[row]) / dwellings,
                (_, true) => home_m2(row) / area,
                _ => 0.0,
            };
            residents[row] = share * facts.residents_of.get(zone).copied().unwrap_or(0.0);
        }
        (residents.iter().sum::<f64>() > 0.0).then_some(residents)
    }

    fn of_kind(&self, kind: &str) -> std::result::Result<&[[f64; 2]], String> {
        self.pois.get(kind).map(Vec::as_slice).ok_or_else(|| format!("the city's map has no point of kind `{kind}`"))
    }

    /// Whether each building lies within a distance of a point of a kind, as the crow flies.
    pub(crate) fn near(&self, kind: &str, within_m: f64) -> std::result::Result<Vec<bool>, String> {
        let points = Points::new(self.of_kind(kind)?.to_vec(), within_m);
        Ok(self.buildings.at.iter().map(|&at| points.nearest(at, within_m).is_some()).collect())
    }

    /// Nodes of a network near some places, each with what lies between.
    fn nodes_near(&self, network: &Network, places: &[[f64; 2]]) -> Vec<Option<(u32, f64)>> {
        let rows: Vec<u32> = (0..self.node_at.len() as u32).filter(|&row| network.is_used[row as usize]).collect();
        let points = Points::new(rows.iter().map(|&row| self.node_at[row as usize]).collect(), 100.0);
        let near = |&place: &[f64; 2]| {
            // Most lie near, so small circles come first.
            let found = [100.0, TO_NETWORK_M].into_iter().find_map(|within_m| points.nearest(place, within_m));
            found.map(|(row, far_m)| (rows[row as usize], far_m))
        };
        places.iter().map(near).collect()
    }

    /// Metres on foot from each building to the nearest point of each kind, infinite beyond `most_m`.
    pub(crate) fn on_foot_m(&self, kinds: &[&str], most_m: f64) -> std::result::Result<Vec<Vec<f64>>, String> {
        let Some(network) = &self.walk else { return Err("the city's map has no paths for people on foot".to_owned()) };
        let doors = self.nodes_near(network, &self.buildings.at);
        let one = |kind: &&str| {
            let sources: Vec<(u32, f64)> =
                self.nodes_near(network, self.of_kind(kind)?).into_iter().flatten().collect();
            let cost = network.nearest_of(&sources, most_m);
            let way =
                |door: &Option<(u32, f64)>| door.map_or(f64::INFINITY, |(node, far_m)| cost[node as usize] + far_m);
            Ok(doors.iter().map(way).collect())
        };
        kinds.iter().map(one).collect()
    }

    /// Seconds by car at free speed between each building and the nearest point of a kind, infinite beyond `most_s`; from
    /// the point to the building, or from the building to the point.
    pub(crate) fn drive_s(&self, kind: &str, to_point: bool, most_s: f64) -> std::result::Result<Vec<f64>, String> {
        let places = self.of_kind(kind)?;
        let network = &self.drive[usize::from(to_point)];
        let sources: Vec<(u32, f64)> =
            self.nodes_near(network, places).into_iter().flatten().map(|(node, _)| (node, 0.0)).collect();
        if sources.is_empty() {
            return Err(format!("no point of kind `{kind}` lies by a road for cars"));
        }
        let cost = network.nearest_of(&sources, most_s);
        Ok(self.at_buildings(&cost))
    }

    /// The same to each point on its own.
    pub(crate) fn drive_to_each_s(&self, kind: &str, most_s: f64) -> std::result::Result<Vec<Vec<f64>>, String> {
        let network = &self.drive[1];
        let nodes = self.nodes_near(network, self.of_kind(kind)?);
        let one = |node: Option<(u32, f64)>| {
            let sources: Vec<(u32, f64)> = node.map(|(node, _)| (node, 0.0)).into_iter().collect();
            self.at_buildings(&network.nearest_of(&sources, most_s))
        };
        Ok(nodes.into_iter().map(one).collect())
    }

    fn at_buildings(&self, cost: &[f64]) -> Vec<f64> {
        let of_node = |node: &Option<String>| {
            let row = node.as_ref().and_then(|id| self.node_row.get(id));
            row.map_or(f64::INFINITY, |&row| cost[row as usize])
        };
        self.buildings.car_node.iter().map(of_node).collect()
    }

    /// Built-up area by zone, km2.
    pub(crate) fn built_up_km2(&self) -> BTreeMap<&str, f64> {
        built_up_km2(&self.buildings.at, &self.buildings.zone)
    }
}

/// Squares that hold a building, shared out among the zones of their buildings, km2.
fn built_up_km2<'a>(at: &[[f64; 2]], zone: &'a [String]) -> BTreeMap<&'a str, f64> {
    let mut squares: BTreeMap<(i64, i64), Vec<&str>> = BTreeMap::new();
    for (place, zone) in at.iter().zip(zone) {
        squares.entry(cell_of(*place, SQUARE_M)).or_default().push(zone);
    }
    let mut areas = BTreeMap::new();
    for zones in squares.values() {
        for &zone in zones {
            *areas.entry(zone).or_default() += SQUARE_M * SQUARE_M / 1e6 / zones.len() as f64;
        }
    }
    areas
}

fn pois(run: &RunResults, middle: [f64; 2]) -> Result<BTreeMap<String, Vec<[f64; 2]>>> {
    let (layer, mut problems) = (run.layer("pois")?, Problems::new());
    let kinds = layer.text("kind", &mut problems);
    let points: Vec<Point> = layer.geometry("Point", |shape| shape.try_into().ok(), &mut problems);
    let mut pois: BTreeMap<String, Vec<[f64; 2]>> = BTreeMap::new();
    for (kind, point) in kinds.into_iter().zip(points) {
        pois.entry(kind).or_default().push(to_metres(middle, point));
    }
    problems.or_else(pois)
}

/// Puts the share of residents whose building has something into a sheet: of the city, of zones, of groups.
pub(crate) fn put_share(facts: &Facts<'_>, city: &City, sheet: &mut Sheet, number: u8, part: &str, has: &[bool]) {
    let Some(residents) = &city.residents else {
        return sheet
            .absent(number, "residents of buildings are not known: no table `persons`, no residents in `kpis`");
    };
    let mut tally = Tally::default();
    for (row, zone) in city.buildings.zone.iter().enumerate().filter(|(row, _)| residents[*row] > 0.0) {
        let covered = if has[row] { residents[row] } else { 0.0 };
        tally.add(Place::default(), covered, residents[row]);
        tally.add(Place::zone(zone), covered, residents[row]);
    }
    for person in facts.persons.values() {
        let Some(&row) = person.home_building.as_ref().and_then(|id| city.buildings.row.get(id)) else { continue };
        for group in &person.groups {
            tally.add(Place::group(group), f64::from(u8::from(has[row])), 1.0);
        }
    }
    tally.put(sheet, number, part, "%", 100.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_metres_near_the_middle() {
        let middle = [10.0, 50.0];
        let [east, north] = to_metres(middle, Point::new(10.01, 50.01));
        // A hundredth of a degree is 1,111.95 m on a meridian, and cos 50 of it on the parallel.
        assert!((north - 1111.95).abs() < 0.01 && (east - 714.75).abs() < 0.01, "{east} {north}");
    }

    #[test]
    fn squares_are_shared_by_zones() {
        let zones = ["a", "a", "b", "b"].map(str::to_owned);
        // Two of one zone and one of the other in a square, one alone far away.
        let areas = built_up_km2(&[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1000.0, 1000.0]], &zones);
        assert!((areas["a"] - 0.04 * 2.0 / 3.0).abs() < 1e-12);
        assert!((areas["b"] - 0.04 * 4.0 / 3.0).abs() < 1e-12);
    }
}
