//! Made-up buildings for cities that have none: homes for the residents and workplaces for the jobs of
//! every zone, along its streets. They stand for real ones in number, use and place, not one by one;
//! every row is marked synthetic.
//!
//! How many: residents over the recipe's residents of a building, jobs over its jobs of a workplace.
//! Where: along the sides of the zone's car streets in proportion to length times a weight by road
//! class (homes on quiet streets, work on main ones), evenly spaced, in further rows behind where the
//! street is full. Schools, hospitals, shops, offices, hotels and works known as points of interest get
//! a building of their own there first. A zone without streets has its buildings on a lattice around
//! the middle of its shape. Workplaces are shared out over uses by [`WORKPLACE_MIX`]; a zone with
//! residents has a school.
//!
//! Ignores plots, relief and what stands there already. Draws are keyed by (zone, number); pure and
//! parallel over zones, so the same on any number of threads.

use crate::buildings::Outline;
use crate::model::{BuildingUse, Links, Modes, PoiKind, Pois, RoadClass};
use crate::projection::Projection;
use crate::recipe;
use geo::{Coord, InteriorPoint, LineString, MultiPolygon, Polygon};
use rayon::prelude::*;
use urbis_core::ZoneIx;
use urbis_core::columns::apportion;
use urbis_core::rng::Rng;

/// Shares of workplaces by use, in percent. An assumption: the order of magnitude of a city of services.
pub const WORKPLACE_MIX: [(BuildingUse, f64); 7] = [
    (BuildingUse::Retail, 40.0),
    (BuildingUse::Office, 30.0),
    (BuildingUse::Industrial, 12.0),
    (BuildingUse::Education, 8.0),
    (BuildingUse::Civic, 5.0),
    (BuildingUse::Health, 3.0),
    (BuildingUse::Hotel, 2.0),
];

/// Street frontage of a building, metres.
const FRONTAGE_M: f64 = 18.0;
/// From the middle of the street to the middle of the first building, metres.
const SETBACK_M: f64 = 16.0;
/// Zones beyond this many buildings are thinned: each building then stands for more people.
const BUILDINGS_PER_ZONE_MAX: u32 = 20_000;
/// Purpose of the random numbers.
const PURPOSE: u32 = 0x5359_4E01;

/// What a zone needs room for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Need {
    /// People who live there.
    pub residents: f64,
    /// People who work there.
    pub jobs: f64,
}

/// Made-up building outlines, `synthetic/1` and on. `needs` and `zones_m` are by zone; links and points
/// of interest carry their zone.
#[must_use]
pub fn outlines(
    needs: &[Need],
    zones_m: &[MultiPolygon],
    links: &Links,
    pois: &Pois,
    recipe: &recipe::Buildings,
    projection: &Projection,
) -> Vec<Outline> {
    let mut streets: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for link in (0..links.len()).filter(|&link| links.zone[link].is_some() && is_street(links, link)) {
        streets[links.zone[link].row()].push(link);
    }
    let per_zone: Vec<Vec<Made>> = (0..needs.len())
        .into_par_iter()
        .map(|zone| {
            let sides = sides(&streets[zone], links, projection);
            zone_buildings(zone, needs[zone], &sides, &zones_m[zone], pois, recipe, projection)
        })
        .collect();
    let all = per_zone.into_iter().enumerate();
    let all = all.flat_map(|(zone, made)| made.into_iter().map(move |made| (ZoneIx(zone as u32), made)));
    let named = |(number, (zone, made)): (usize, (ZoneIx, Made))| Outline {
        id: format!("synthetic/{}", number + 1),
        purpose: Some(made.purpose),
        levels: None,
        height_m: None,
        synthetic: Some(zone),
        shape: made.shape_deg(projection),
    };
    all.enumerate().map(named).collect()
}

fn is_street(links: &Links, link: usize) -> bool {
    links.modes[link].contains(Modes::CAR)
        && !links.tunnel[link]
        && !links.bridge[link]
        && !matches!(links.class[link], RoadClass::Motorway | RoadClass::Trunk | RoadClass::External)
}

/// The right-hand side of a street in metres.
struct Side {
    line: Vec<Coord>,
    length_m: f64,
    home: f64,
    work: f64,
}

fn sides(streets: &[usize], links: &Links, projection: &Projection) -> Vec<Side> {
    let side = |&link: &usize| {
        let metres = |at: &Coord| {
            let (x, y) = projection.project((*at).into());
            Coord { x, y }
        };
        let line: Vec<Coord> = links.line[link].0.iter().map(metres).collect();
        let length_m = line.windows(2).map(|pair| (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y)).sum();
        let (home, work) = match links.class[link] {
            RoadClass::Residential | RoadClass::LivingStreet => (1.0, 0.3),
            RoadClass::Unclassified | RoadClass::Tertiary => (0.7, 0.8),
            RoadClass::Secondary => (0.5, 1.0),
            RoadClass::Primary => (0.3, 1.0),
            _ => (0.2, 0.2),
        };
        Side { line, length_m, home, work }
    };
    streets.iter().map(side).filter(|side| side.length_m > 0.0).collect()
}

/// A building before it has a number.
struct Made {
    purpose: BuildingUse,
    centre: Coord,
    /// Unit vector along the street.
    along: Coord,
    side_m: f64,
}

impl Made {
    fn shape_deg(&self, projection: &Projection) -> Polygon {
        let half = self.side_m / 2.0;
        let across = Coord { x: -self.along.y, y: self.along.x };
        let corner = |(a, b): (f64, f64)| {
            let at = self.centre + self.along * (a * half) + across * (b * half);
            Coord::from(projection.unproject(at.x, at.y))
        };
        let ring = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(corner);
        Polygon::new(LineString::from(ring.to_vec()), Vec::new())
    }
}

/// Side of a building's square footprint by use, metres: about that of an ordinary one.
fn side_m(purpose: BuildingUse) -> f64 {
    match purpose {
        BuildingUse::Residential => 12.0,
        BuildingUse::Retail => 15.0,
        BuildingUse::Office | BuildingUse::Hotel => 18.0,
        BuildingUse::Industrial | BuildingUse::Education | BuildingUse::Health => 30.0,
        _ => 20.0,
    }
}

fn zone_buildings(
    zone: usize,
    need: Need,
    sides: &[Side],
    shape_m: &MultiPolygon,
    pois: &Pois,
    recipe: &recipe::Buildings,
    projection: &Projection,
) -> Vec<Made> {
    let number = |people: f64, each: f64| (people / each).ceil().clamp(0.0, f64::from(BUILDINGS_PER_ZONE_MAX)) as u32;
    let homes = number(need.residents, recipe.synthetic_residents);
    let workplaces = number(need.jobs, recipe.synthetic_jobs);
    let mut made: Vec<Made> = (0..pois.len())
        .filter(|&poi| pois.zone[poi] == ZoneIx(zone as u32))
        .filter_map(|poi| {
            let (x, y) = projection.project(pois.point[poi]);
            let purpose = use_of_poi(pois.kind[poi])?;
            let along = Coord { x: 1.0, y: 0.0 };
            Some(Made { purpose, centre: Coord { x, y }, along, side_m: side_m(purpose) })
        })
        .take(workplaces.max(1) as usize)
        .collect();
    let known = made.len() as u32;
    let mut uses = mixed(workplaces.saturating_sub(known));
    let has_school = made.iter().map(|m| m.purpose).chain(uses.iter().copied()).any(|p| p == BuildingUse::Education);
    if need.residents > 0.0 && !has_school {
        uses.push(BuildingUse::Education);
    }
    let mut draws = 0_u32;
    let mut place = |uses: &[BuildingUse], weight: &dyn Fn(&Side) -> f64, first_row: u32, made: &mut Vec<Made>| {
        let weights: Vec<f64> = sides.iter().map(|side| side.length_m * weight(side)).collect();
        let parts = apportion(uses.len() as u32, &weights);
        let mut next = uses.iter();
        let on_streets = parts.iter().sum::<u32>();
        for (side, &count) in sides.iter().zip(&parts) {
            let slots = ((side.length_m / FRONTAGE_M).floor() as u32).max(1);
            for (at, &purpose) in (0..count).zip(&mut next) {
                draws += 1;
                let mut rng = Rng::new(0, zone as u32, draws, PURPOSE);
                let in_row = (count - at / slots * slots).min(slots);
                let along_m = side.length_m * (f64::from(at % slots) + 0.5) / f64::from(in_row);
                let behind_m = SETBACK_M + FRONTAGE_M * f64::from(first_row + at / slots) + 4.0 * rng.uniform();
                made.push(on_side(side, along_m, behind_m, purpose, &mut rng));
            }
        }
        // Without a street: a lattice around the middle of the zone.
        let middle = shape_m.interior_point().map_or(Coord { x: 0.0, y: 0.0 }, Coord::from);
        let rest = uses.len() as u32 - on_streets;
        let width = f64::from(rest).sqrt().ceil().max(1.0) as u32;
        for (at, &purpose) in (0..rest).zip(next) {
            draws += 1;
            let mut rng = Rng::new(0, zone as u32, draws, PURPOSE);
            let step = |k: u32| (f64::from(k) - f64::from(width - 1) / 2.0) * 2.0 * FRONTAGE_M;
            let centre = middle + Coord { x: step(at % width), y: step(at / width) };
            let side_m = side_m(purpose) * (0.85 + 0.3 * rng.uniform());
            made.push(Made { purpose, centre, along: Coord { x: 1.0, y: 0.0 }, side_m });
        }
    };
    place(&uses, &|side| side.work, 0, &mut made);
    // Homes stand a row behind, so that they and workplaces do not share a place.
    place(&vec![BuildingUse::Residential; homes as usize], &|side| side.home, 1, &mut made);
    made
}

fn use_of_poi(kind: PoiKind) -> Option<BuildingUse> {
    match kind {
        PoiKind::School => Some(BuildingUse::Education),
        PoiKind::Hospital => Some(BuildingUse::Health),
        PoiKind::Shop => Some(BuildingUse::Retail),
        PoiKind::Office | PoiKind::Police => Some(BuildingUse::Office),
        PoiKind::Hotel => Some(BuildingUse::Hotel),
        PoiKind::Industry => Some(BuildingUse::Industrial),
        PoiKind::Leisure | PoiKind::FireStation | PoiKind::Station => Some(BuildingUse::Civic),
        PoiKind::BusStop | PoiKind::Parking | PoiKind::Fuel | PoiKind::ParkAndRide | PoiKind::Park => None,
    }
}

/// Uses of so many workplaces by [`WORKPLACE_MIX`], interleaved so that streets get a mix.
fn mixed(workplaces: u32) -> Vec<BuildingUse> {
    let counts = apportion(workplaces, &WORKPLACE_MIX.map(|(_, share)| share));
    let mut all: Vec<(f64, usize)> = Vec::with_capacity(workplaces as usize);
    for (kind, &count) in counts.iter().enumerate() {
        all.extend((0..count).map(|at| ((f64::from(at) + 0.5) / f64::from(count), kind)));
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.into_iter().map(|(_, kind)| WORKPLACE_MIX[kind].0).collect()
}

/// A building to the right of a line, so far along and so far from it.
fn on_side(side: &Side, along_m: f64, behind_m: f64, purpose: BuildingUse, rng: &mut Rng) -> Made {
    let mut left_m = along_m;
    let mut at = side.line[0];
    let mut along = Coord { x: 1.0, y: 0.0 };
    for pair in side.line.windows(2) {
        let step = pair[1] - pair[0];
        let length_m = step.x.hypot(step.y);
        if length_m <= 0.0 {
            continue;
        }
        along = step / length_m;
        at = pair[0] + along * left_m.min(length_m);
        if left_m <= length_m {
            break;
        }
        left_m -= length_m;
    }
    let right = Coord { x: along.y, y: -along.x };
    Made { purpose, centre: at + right * behind_m, along, side_m: side_m(purpose) * (0.85 + 0.3 * rng.uniform()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Rect;

    const X0: f64 = 278_000.0;
    const Y0: f64 = 6_684_000.0;

    fn zone(x: f64) -> MultiPolygon {
        MultiPolygon::new(vec![Rect::new((X0 + x, Y0), (X0 + x + 1000.0, Y0 + 1000.0)).to_polygon()])
    }

    fn street(projection: &Projection, class: RoadClass, y: f64, zone: u32, links: &mut Links) {
        let point = |x: f64| projection.unproject(X0 + x, Y0 + y);
        links.id.push(format!("{}", links.id.len()));
        links.class.push(class);
        links.modes.push(Modes::CAR);
        links.tunnel.push(false);
        links.bridge.push(false);
        links.zone.push(ZoneIx(zone));
        links.line.push(LineString::from(vec![point(100.0), point(900.0)]));
    }

    fn make(recipe_residents: f64) -> (Vec<Outline>, Projection) {
        let projection = Projection::from_code("EPSG:32719").unwrap();
        let mut links = Links::default();
        street(&projection, RoadClass::Residential, 300.0, 0, &mut links);
        street(&projection, RoadClass::Primary, 700.0, 0, &mut links);
        street(&projection, RoadClass::Motorway, 900.0, 0, &mut links);
        let needs = [Need { residents: 1200.0, jobs: 400.0 }, Need { residents: 24.0, jobs: 0.0 }];
        let recipe = recipe::Buildings { synthetic_residents: recipe_residents, ..recipe::Buildings::default() };
        let made = outlines(&needs, &[zone(0.0), zone(2000.0)], &links, &Pois::default(), &recipe, &projection);
        (made, projection)
    }

    #[test]
    fn homes_and_workplaces_along_streets() {
        let (made, projection) = make(12.0);
        let count = |purpose| made.iter().filter(|o| o.purpose == Some(purpose)).count();
        // Zone 1: 100 homes and 20 workplaces; zone 2: 2 homes and the school it must have.
        assert_eq!(count(BuildingUse::Residential), 102);
        assert_eq!(made.len(), 123);
        assert_eq!(count(BuildingUse::Retail), 8);
        assert!(count(BuildingUse::Education) >= 2);
        assert!(made.iter().all(|o| o.synthetic.is_some()));
        let ys: Vec<f64> = made
            .iter()
            .filter(|o| o.purpose == Some(BuildingUse::Residential))
            .map(|o| projection.project(geo::Centroid::centroid(&o.shape).unwrap()).1 - Y0)
            .collect();
        let by_quiet = ys.iter().filter(|y| (**y - 300.0).abs() < 100.0).count();
        assert!((70..=85).contains(&by_quiet), "1 to 0.3: {by_quiet}");
        assert!(!ys.iter().any(|y| (y - 900.0).abs() < 60.0), "nobody lives on the motorway");
        assert_eq!(made[0].id, "synthetic/1");
    }

    #[test]
    fn the_same_on_any_number_of_threads_and_apart_from_each_other() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| format!("{:?}", make(12.0).0))
        };
        assert_eq!(on(1), on(3));
        let centre = |o: &Outline| geo::Centroid::centroid(&o.shape).unwrap();
        let (made, projection) = make(12.0);
        let mut places: Vec<(f64, f64)> = made.iter().map(|o| projection.project(centre(o))).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let least = |i: usize| {
            (0..places.len())
                .filter(|&j| j != i)
                .map(|j| (places[i].0 - places[j].0).hypot(places[i].1 - places[j].1))
                .fold(f64::INFINITY, f64::min)
        };
        assert!((0..places.len()).all(|i| least(i) > 5.0));
    }

    #[test]
    fn a_known_place_gets_its_building_first() {
        let projection = Projection::from_code("EPSG:32719").unwrap();
        let pois = Pois {
            id: vec!["node/1".to_owned()],
            kind: vec![PoiKind::School],
            zone: vec![ZoneIx(0)],
            point: vec![projection.unproject(X0 + 500.0, Y0 + 500.0)],
            ..Pois::default()
        };
        let needs = [Need { residents: 12.0, jobs: 20.0 }];
        let recipe = recipe::Buildings::default();
        let made = outlines(&needs, &[zone(0.0)], &Links::default(), &pois, &recipe, &projection);
        assert_eq!(made.len(), 2);
        assert_eq!(made[0].purpose, Some(BuildingUse::Education));
        let at = projection.project(geo::Centroid::centroid(&made[0].shape).unwrap());
        assert!((at.0 - X0 - 500.0).abs() < 0.01 && (at.1 - Y0 - 500.0).abs() < 0.01);
    }
}
