//! Roads that a plan adds to a city, and roads that it widens.
//!
//! A new road is a link, or one in each direction, between two nodes that are there: named, or the nearest to the ends of
//! its line. Lanes, free speed, capacity and jam density are those that a package's builder gives its class
//! ([`crate::road_defaults`]), unless the plan says lanes and speed; a link that ends at signals keeps the share of its
//! capacity that the package's do. Its length is that of its line. New links stand after all others. A widened link has
//! capacity and jam density in proportion to its lanes.
//!
//! Ignores: junctions where a new road crosses others between its ends (it meets them at its ends alone), turn
//! restrictions, heights, and the time signals give it where they are not simulated. Contract: pure, single-threaded.

use crate::assemble::middle_m;
use crate::crosswalk::projected;
use crate::land_use::PlanFault;
use crate::locate::ZoneLocator;
use crate::model::{City, Modes, NodeControl, RoadClass};
use crate::projection::{Projection, is_lon_lat};
use crate::road_defaults::RoadRules;
use geo::{Coord, LineString, Point};
use std::collections::BTreeSet;
use urbis_core::NodeIx;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::units::MetresPerSecond;

/// How far from the end of its line a road looks for the node it joins, metres.
pub const NODE_REACH_M: f64 = 30.0;

/// A road of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRoad {
    /// Outside id; that of the other direction ends in `/back`.
    pub id: String,
    /// Node where it begins; the nearest to the start of its line where absent.
    pub from: Option<String>,
    /// Node where it ends; the nearest to the end of its line where absent.
    pub to: Option<String>,
    /// Line in degrees; straight where empty.
    pub line_deg: Vec<Point>,
    /// The same in metres of the city's reference system.
    pub line_m: Vec<(f64, f64)>,
    /// Class.
    pub class: RoadClass,
    /// Name.
    pub name: String,
    /// Lanes in each direction.
    pub lanes: Option<u8>,
    /// Free speed, m/s.
    pub speed_mps: Option<f64>,
    /// Whether it leads both ways.
    pub both_directions: bool,
}

/// A link that is to be added: the row of its road, its id, ends and line in metres.
struct Drawn {
    item: usize,
    id: String,
    ends: [NodeIx; 2],
    line_m: Vec<(f64, f64)>,
}

/// Adds roads after all others, and says what is wrong with them; then nothing is added.
pub fn add_roads(city: &mut City, planned: &[PlannedRoad]) -> Vec<PlanFault> {
    let mut faults = Vec::new();
    let Ok(projection) = Projection::from_code(&city.manifest.crs) else {
        let message = format!("the city's reference system {} is not known", city.manifest.crs);
        return vec![PlanFault { item: 0, key: "", message }];
    };
    let is_for_cars = |&link: &usize| city.links.modes[link].contains(Modes::CAR);
    let pair = |link: usize| (city.links.from[link].0, city.links.to[link].0);
    let mut pairs: BTreeSet<(u32, u32)> = (0..city.links.len()).filter(is_for_cars).map(pair).collect();
    let mut ids: BTreeSet<String> = city.links.id.iter().cloned().collect();
    let mut drawn = Vec::new();
    for (item, road) in planned.iter().enumerate() {
        let mut tell = |key: &'static str, message: String| faults.push(PlanFault { item, key, message });
        let mut line_m = road.line_m.clone();
        if let Some(point) = road.line_deg.iter().find(|point| !is_lon_lat(**point)) {
            tell("line", format!("({}, {}) is no longitude and latitude", point.x(), point.y()));
            continue;
        }
        line_m.extend(road.line_deg.iter().map(|&point| projection.project(point)));
        let ends = [("from", &road.from, line_m.first()), ("to", &road.to, line_m.last())];
        let [Some(from), Some(to)] = ends.map(|(key, id, at)| match node(city, key, id.as_deref(), at.copied()) {
            Ok(node) => Some(node),
            Err((key, message)) => {
                tell(key, message);
                None
            }
        }) else {
            continue;
        };
        if from == to {
            tell("to", format!("it begins and ends at node `{}`", city.nodes.id[from.row()]));
            continue;
        }
        let at = |node: NodeIx| (city.nodes.x_m[node.row()], city.nodes.y_m[node.row()]);
        if line_m.len() < 2 {
            line_m = vec![at(from), at(to)];
        } else {
            let last = line_m.len() - 1;
            (line_m[0], line_m[last]) = (at(from), at(to));
        }
        let directions = if road.both_directions { 2 } else { 1 };
        for nth in 0..directions {
            let (from, to) = if nth == 0 { (from, to) } else { (to, from) };
            if !pairs.insert((from.0, to.0)) {
                let (from, to) = (&city.nodes.id[from.row()], &city.nodes.id[to.row()]);
                let what = format!("there is a road from node `{from}` to `{to}`: widen it with `lanes_added`");
                tell("to", what);
                continue;
            }
            let id = if nth == 0 { road.id.clone() } else { format!("{}/back", road.id) };
            if !ids.insert(id.clone()) {
                tell("id", format!("there is another link `{id}`"));
                continue;
            }
            let line_m = if nth == 0 { line_m.clone() } else { line_m.iter().rev().copied().collect() };
            drawn.push(Drawn { item, id, ends: [from, to], line_m });
        }
    }
    if !faults.is_empty() {
        return faults;
    }
    let rules = RoadRules::default();
    let zones_m = projected(&city.zones.shape, &projection);
    let zone_of = ZoneLocator::new(&zones_m);
    let green_share = city.manifest.signal_green_share();
    for Drawn { item, id, ends: [from, to], line_m } in drawn {
        let road = &planned[item];
        let figures = rules.class(road.class);
        let lanes = road.lanes.unwrap_or(figures.lanes);
        let speed_mps = road.speed_mps.unwrap_or(figures.speed.0);
        let saturation_vps = rules.capacity_vps(road.class, lanes, MetresPerSecond(speed_mps));
        let has_signals = city.nodes.control.get(to.row()) == Some(&NodeControl::Signal);
        let length_m = line_m.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
        let line: Vec<Coord> = line_m.iter().map(|&(x_m, y_m)| projection.unproject(x_m, y_m).into()).collect();
        let (x_m, y_m) = middle_m(&line, &projection);
        let for_all = Modes::CAR.union(Modes::BICYCLE).union(Modes::WALK);
        let links = &mut city.links;
        links.id.push(id);
        links.from.push(from);
        links.to.push(to);
        links.way_id.push(0);
        links.class.push(road.class);
        links.name.push(road.name.clone());
        links.length_m.push(length_m);
        links.lanes.push(lanes);
        links.speed_mps_free.push(speed_mps);
        links.capacity_vps.push(saturation_vps * if has_signals { green_share } else { 1.0 });
        links.jam_density_vpm.push(f64::from(lanes) * rules.jam_density_vpm_lane);
        links.modes.push(match road.class {
            RoadClass::Motorway | RoadClass::Trunk => Modes::CAR,
            _ => for_all,
        });
        links.tunnel.push(false);
        links.bridge.push(false);
        links.zone.push(zone_of.at(x_m, y_m));
        if !links.turn_lanes.is_empty() {
            links.turn_lanes.push(String::new());
        }
        links.line.push(LineString(line));
    }
    faults
}

/// The node of an end, by its id or by its place.
fn node(
    city: &City,
    key: &'static str,
    id: Option<&str>,
    at: Option<(f64, f64)>,
) -> Result<NodeIx, (&'static str, String)> {
    let is_inside = |row: &usize| !city.nodes.external[*row];
    if let Some(id) = id {
        return match city.nodes.id.iter().position(|known| known == id).filter(is_inside) {
            Some(row) => Ok(NodeIx(row as u32)),
            None => {
                let near = did_you_mean(id, city.nodes.id.iter().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                Err((key, format!("the city has no node `{id}`{near}")))
            }
        };
    }
    let Some((x_m, y_m)) = at else { return Err((key, format!("give the node in `{key}`, or a `line`"))) };
    let away_m = |row: usize| (city.nodes.x_m[row] - x_m).hypot(city.nodes.y_m[row] - y_m);
    let all = (0..city.nodes.len()).filter(is_inside).map(|row| (away_m(row), row));
    match all.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) {
        Some((away_m, row)) if away_m <= NODE_REACH_M => Ok(NodeIx(row as u32)),
        Some((away_m, row)) => Err((
            "line",
            format!(
                "no node within {NODE_REACH_M} m of its {}: the nearest, `{}`, is {away_m:.0} m away",
                if key == "from" { "start" } else { "end" },
                city.nodes.id[row]
            ),
        )),
        None => Err((key, "the city has no nodes".to_owned())),
    }
}

/// Adds lanes to the links for cars among some, by row; how many were widened.
pub fn widen(city: &mut City, links: &[bool], lanes_added: u8) -> usize {
    let mut widened = 0;
    for link in (0..links.len().min(city.links.len())).filter(|&link| links[link]) {
        let lanes = city.links.lanes[link];
        if lanes == 0 || lanes_added == 0 || !city.links.modes[link].contains(Modes::CAR) {
            continue;
        }
        let wider = lanes.saturating_add(lanes_added);
        let factor = f64::from(wider) / f64::from(lanes);
        city.links.lanes[link] = wider;
        city.links.capacity_vps[link] *= factor;
        city.links.jam_density_vpm[link] *= factor;
        widened += 1;
    }
    widened
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Manifest, Nodes};

    /// Three corners of a square of 300 m, with a street along two sides.
    fn city() -> City {
        let x_m = [373_000.0, 373_300.0, 373_300.0];
        let y_m = [4_843_000.0, 4_843_000.0, 4_843_300.0];
        let mut city = City {
            manifest: Manifest { crs: "EPSG:32632".to_owned(), ..Manifest::default() },
            nodes: Nodes {
                id: ["a", "b", "c"].map(str::to_owned).to_vec(),
                x_m: x_m.to_vec(),
                y_m: y_m.to_vec(),
                control: vec![NodeControl::None; 3],
                external: vec![false; 3],
                ..Nodes::default()
            },
            ..City::default()
        };
        let streets =
            [("a", "b"), ("b", "c")].map(|(from, to)| PlannedRoad { both_directions: false, ..road(from, to) });
        assert_eq!(add_roads(&mut city, &streets), []);
        city
    }

    fn road(from: &str, to: &str) -> PlannedRoad {
        PlannedRoad {
            id: format!("{from}{to}"),
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            line_deg: Vec::new(),
            line_m: Vec::new(),
            class: RoadClass::Secondary,
            name: String::new(),
            lanes: None,
            speed_mps: None,
            both_directions: true,
        }
    }

    #[test]
    fn a_road_has_the_figures_of_its_class() {
        let mut city = city();
        assert_eq!(add_roads(&mut city, &[road("a", "c")]), []);
        let links = &city.links;
        assert_eq!(links.id, ["ab", "bc", "ac", "ac/back"]);
        assert!((links.length_m[2] - 300.0 * 2.0_f64.sqrt()).abs() < 1e-6);
        assert!((links.capacity_vps[2] - 0.5).abs() < 1e-12 && (links.speed_mps_free[2] - 50.0 / 3.6).abs() < 1e-9);
        assert!((links.jam_density_vpm[3] - 1.0 / 7.5).abs() < 1e-12 && links.from[3] == NodeIx(2));
    }

    #[test]
    fn by_its_line_or_not_at_all() {
        let mut city = city();
        let line_m = vec![(373_005.0, 4_843_000.0), (373_000.0, 4_843_300.0), (373_300.0, 4_843_310.0)];
        let bent = PlannedRoad { from: None, to: None, line_m, ..road("a", "c") };
        assert_eq!(add_roads(&mut city, std::slice::from_ref(&bent)), []);
        assert!((city.links.length_m[2] - 600.0).abs() < 1.0);
        let far = PlannedRoad { line_m: vec![(373_150.0, 4_843_150.0), (373_300.0, 4_843_300.0)], ..bent };
        let keys = |city: &mut City, road: PlannedRoad| -> Vec<&str> {
            add_roads(city, &[road]).into_iter().map(|fault| fault.key).collect()
        };
        assert_eq!(keys(&mut city, far), ["line"]);
        assert_eq!(keys(&mut city, road("a", "d")), ["to"]);
        assert_eq!(keys(&mut city, road("a", "a")), ["to"]);
        // One direction of it is there.
        assert_eq!(keys(&mut city, road("b", "a")), ["to"]);
        assert_eq!(city.links.len(), 4);
    }

    #[test]
    fn wider_in_proportion() {
        let mut city = city();
        assert_eq!(widen(&mut city, &[true, false], 2), 1);
        assert_eq!(city.links.lanes, [3, 1]);
        assert!(
            (city.links.capacity_vps[0] - 1.5).abs() < 1e-12 && (city.links.jam_density_vpm[0] - 0.4).abs() < 1e-12
        );
    }
}
