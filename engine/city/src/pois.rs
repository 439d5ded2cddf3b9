//! Points of interest of an `OpenStreetMap` extract: schools, hospitals, fire stations, shops and the
//! like, from nodes and areas. Source: the tag pages of wiki.openstreetmap.org.
//!
//! Parks are public green of at least [`PARK_AREA_M2`], the size that the World Health Organization's indicator of
//! access to green asks for (WHO Regional Office for Europe 2016, "Urban green spaces and health"). Woods are none.
//!
//! An area stands at its centroid. Each one belongs to the zone it lies in and to the building around
//! it, or the nearest within [`BUILDING_REACH_M`]. Ignores opening hours and sizes. Sorted by id, a pure
//! function of its input.

use crate::buildings::{PoiPlace, natural};
use crate::locate::{BuildingLocator, ZoneLocator};
use crate::model::{PoiKind, Pois};
use crate::osm::{OsmExtract, Tags};
use crate::projection::Projection;
use geo::{Centroid, ChamberlainDuquetteArea, Contains, MultiPolygon, Point, Polygon};
use urbis_core::columns::permuted;
use urbis_core::{BuildingIx, ZoneIx};

/// How far from a building a point of interest may stand and still belong to it, metres.
pub const BUILDING_REACH_M: f64 = 30.0;

/// Least area of a park, m2.
pub const PARK_AREA_M2: f64 = 5000.0;

/// The kind of a point of interest; `None` for what is none. Parks are told whatever their size.
#[must_use]
pub fn kind_of(tags: &Tags) -> Option<PoiKind> {
    let amenity = tags.get("amenity").unwrap_or("");
    Some(match amenity {
        "school" | "kindergarten" | "college" | "university" | "childcare" => PoiKind::School,
        "hospital" | "clinic" | "doctors" => PoiKind::Hospital,
        "fire_station" => PoiKind::FireStation,
        "police" => PoiKind::Police,
        "marketplace" | "pharmacy" => PoiKind::Shop,
        "restaurant" | "cafe" | "bar" | "pub" | "fast_food" | "theatre" | "cinema" | "nightclub" | "casino"
        | "arts_centre" | "library" | "community_centre" => PoiKind::Leisure,
        "bank" | "townhall" | "courthouse" | "embassy" | "post_office" => PoiKind::Office,
        "parking" if tags.get("park_ride").is_some_and(|of| of != "no") => PoiKind::ParkAndRide,
        "parking" => PoiKind::Parking,
        "fuel" | "charging_station" => PoiKind::Fuel,
        _ => return kind_of_other(tags),
    })
}

fn kind_of_other(tags: &Tags) -> Option<PoiKind> {
    let one_of = |key: &str, values: &[&str]| tags.get(key).is_some_and(|value| values.contains(&value));
    if one_of("tourism", &["hotel", "hostel", "motel", "guest_house"]) {
        Some(PoiKind::Hotel)
    } else if one_of("healthcare", &["hospital", "clinic", "doctor"]) {
        Some(PoiKind::Hospital)
    } else if one_of("emergency", &["fire_station"]) {
        Some(PoiKind::FireStation)
    } else if tags.has("shop") && !one_of("shop", &["vacant"]) {
        Some(PoiKind::Shop)
    } else if tags.has("office") {
        Some(PoiKind::Office)
    } else if tags.has("craft") || tags.is("man_made", "works") {
        Some(PoiKind::Industry)
    } else if one_of("tourism", &["museum", "gallery", "aquarium", "zoo", "theme_park"])
        || one_of("leisure", &["sports_centre", "stadium", "fitness_centre", "sports_hall", "ice_rink", "water_park"])
    {
        Some(PoiKind::Leisure)
    } else if one_of("railway", &["station", "halt"]) {
        Some(PoiKind::Station)
    } else if tags.is("highway", "bus_stop") {
        Some(PoiKind::BusStop)
    } else if (one_of("leisure", &["park", "nature_reserve", "common"])
        || one_of("landuse", &["recreation_ground", "village_green"]))
        && !one_of("access", &["private", "no"])
    {
        Some(PoiKind::Park)
    } else {
        None
    }
}

/// Points of interest of an extract, in degrees, without zone and building, sorted by id.
#[must_use]
pub fn from_osm(extract: &OsmExtract) -> Pois {
    let nodes = extract.nodes.iter().filter(|node| !node.tags.is_empty()).filter_map(|node| {
        let kind = kind_of(&node.tags).filter(|kind| *kind != PoiKind::Park)?;
        Some((format!("node/{}", node.id), kind, node.tags.get("name"), node.point()))
    });
    let areas = extract.areas(|tags| kind_of(tags).is_some());
    let areas = areas.areas.iter().filter_map(|area| {
        let large =
            |kind: &PoiKind| *kind != PoiKind::Park || area.shape.chamberlain_duquette_unsigned_area() >= PARK_AREA_M2;
        let kind = kind_of(&area.tags).filter(large)?;
        Some((area.id.clone(), kind, area.tags.get("name"), area.shape.centroid()?))
    });
    let mut all: Vec<_> = nodes.chain(areas).collect();
    all.sort_by(|a, b| natural(&a.0).cmp(&natural(&b.0)));
    let mut pois = Pois::default();
    for (id, kind, name, point) in all {
        pois.id.push(id);
        pois.kind.push(kind);
        pois.name.push(name.unwrap_or_default().to_owned());
        pois.zone.push(ZoneIx::NONE);
        pois.building.push(BuildingIx::NONE);
        pois.point.push(point);
    }
    pois
}

/// Places and kinds, for buildings to learn from.
#[must_use]
pub fn places(pois: &Pois) -> Vec<PoiPlace> {
    pois.kind.iter().zip(&pois.point).map(|(&kind, &point)| PoiPlace { kind, point }).collect()
}

/// Leaves out what lies outside the city's outline, given in metres.
pub fn clip(pois: &mut Pois, outline_m: &MultiPolygon, projection: &Projection) {
    let inside = |&row: &u32| {
        let (x, y) = projection.project(pois.point[row as usize]);
        outline_m.contains(&Point::new(x, y))
    };
    let kept: Vec<u32> = (0..pois.len() as u32).filter(inside).collect();
    *pois = Pois {
        id: permuted(&pois.id, &kept),
        kind: permuted(&pois.kind, &kept),
        name: permuted(&pois.name, &kept),
        zone: permuted(&pois.zone, &kept),
        building: permuted(&pois.building, &kept),
        point: permuted(&pois.point, &kept),
    };
}

/// Fills in zone and building. Shapes are in metres.
pub fn locate(pois: &mut Pois, zones_m: &[MultiPolygon], buildings_m: &[Polygon], projection: &Projection) {
    let (zone_of, building_of) = (ZoneLocator::new(zones_m), BuildingLocator::new(buildings_m));
    for row in 0..pois.len() {
        let (x, y) = projection.project(pois.point[row]);
        pois.zone[row] = zone_of.at(x, y);
        pois.building[row] = building_of.near(x, y, BUILDING_REACH_M);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::osm::{OsmNode, OsmWay};
    use geo::Rect;

    #[test]
    fn kinds_by_tags() {
        for (key, value, kind) in [
            ("amenity", "school", Some(PoiKind::School)),
            ("shop", "bakery", Some(PoiKind::Shop)),
            ("shop", "vacant", None),
            ("tourism", "hotel", Some(PoiKind::Hotel)),
            ("highway", "bus_stop", Some(PoiKind::BusStop)),
            ("amenity", "bench", None),
        ] {
            assert_eq!(kind_of(&Tags::new(&[(key, value)])), kind, "{key}={value}");
        }
        let parking = |park_ride| kind_of(&Tags::new(&[("amenity", "parking"), ("park_ride", park_ride)]));
        assert_eq!(
            [parking("yes"), parking("bus"), parking("no")].map(|kind| kind.unwrap().name()),
            ["park_and_ride", "park_and_ride", "parking"]
        );
        assert_eq!(kind_of(&Tags::new(&[("access", "private"), ("leisure", "park")])), None);
    }

    #[test]
    fn parks_are_large_enough() {
        // Squares of some 56 and 111 m, and a node, which says nothing of its size.
        let (mut nodes, mut ways) = (Vec::new(), Vec::new());
        let green = || Tags::new(&[("leisure", "park")]);
        for (nth, side) in [0.0005, 0.001].into_iter().enumerate() {
            let first = 10 * nth as i64 + 1;
            let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
            let at = corners.iter().zip(first..);
            nodes.extend(at.map(|(&(lon, lat), id)| OsmNode { id, lon, lat, tags: Tags::default() }));
            let refs = vec![first, first + 1, first + 2, first + 3, first];
            ways.push(OsmWay { id: nth as i64, tags: green(), refs });
        }
        nodes.push(OsmNode { id: 99, lon: 0.0, lat: 0.0, tags: green() });
        let pois = from_osm(&OsmExtract::new(nodes, ways, Vec::new()));
        assert_eq!((pois.id.as_slice(), pois.kind.as_slice()), (&["way/1".to_owned()][..], &[PoiKind::Park][..]));
    }

    #[test]
    fn placed_in_zones_and_buildings_and_clipped() {
        let projection = Projection::from_code("EPSG:32632").unwrap();
        let (x0, y0) = (373_000.0, 4_843_000.0);
        let node = |id: i64, x: f64| {
            let at = projection.unproject(x0 + x, y0 + 5.0);
            OsmNode { id, lon: at.x(), lat: at.y(), tags: Tags::new(&[("shop", "books"), ("name", "N")]) }
        };
        let extract = OsmExtract::new(vec![node(10, 5.0), node(9, 30.0), node(11, 300.0)], Vec::new(), Vec::new());
        let mut pois = from_osm(&extract);
        assert_eq!(pois.id, ["node/9", "node/10", "node/11"]);
        let square = |side: f64| Rect::new((x0, y0), (x0 + side, y0 + side)).to_polygon();
        let zone = MultiPolygon::new(vec![square(100.0)]);
        locate(&mut pois, std::slice::from_ref(&zone), &[square(10.0)], &projection);
        assert_eq!(pois.building, [BuildingIx(0), BuildingIx(0), BuildingIx::NONE]);
        assert_eq!(pois.zone, [ZoneIx(0), ZoneIx(0), ZoneIx::NONE]);
        clip(&mut pois, &zone, &projection);
        assert_eq!(pois.id, ["node/9", "node/10"]);
        assert_eq!((pois.len(), pois.point.len(), places(&pois).len()), (2, 2, 2));
        assert!(pois.point[0] != Point::new(0.0, 0.0));
    }
}
