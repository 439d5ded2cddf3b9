//! Where things lie: the zone of a point, the car node nearest to a building, the building a point of
//! interest is in. Everything in projected metres, through R-trees (`rstar`).
//!
//! A point on a border belongs to the zone with the lower row; a point just outside every zone (piers,
//! rounding of outlines) to the nearest within a given distance. Ignores heights, so nodes that only
//! tunnels meet are no place to enter the network. Queries are pure and may run on any thread.

use crate::model::{Links, Modes, Nodes, RoadClass};
use geo::{BoundingRect, Contains, Distance, Euclidean, MultiPolygon, Point, Polygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use urbis_core::{BuildingIx, NodeIx, ZoneIx};

type Boxed = GeomWithData<Rectangle<[f64; 2]>, u32>;

fn boxed(bounds: Option<geo::Rect>, row: usize) -> Option<Boxed> {
    let bounds = bounds?;
    let corners = (bounds.min().into(), bounds.max().into());
    Some(GeomWithData::new(Rectangle::from_corners(corners.0, corners.1), row as u32))
}

fn around(at: Point, reach_m: f64) -> AABB<[f64; 2]> {
    AABB::from_corners([at.x() - reach_m, at.y() - reach_m], [at.x() + reach_m, at.y() + reach_m])
}

/// Finds the zone of a point.
pub struct ZoneLocator<'a> {
    shapes: &'a [MultiPolygon],
    tree: RTree<Boxed>,
}

impl<'a> ZoneLocator<'a> {
    /// Over zone shapes in metres.
    #[must_use]
    pub fn new(shapes: &'a [MultiPolygon]) -> Self {
        let boxes = shapes.iter().enumerate().filter_map(|(row, shape)| boxed(shape.bounding_rect(), row));
        Self { shapes, tree: RTree::bulk_load(boxes.collect()) }
    }
    fn candidates(&self, at: Point, reach_m: f64) -> Vec<u32> {
        let mut rows: Vec<u32> =
            self.tree.locate_in_envelope_intersecting(&around(at, reach_m)).map(|found| found.data).collect();
        rows.sort_unstable();
        rows
    }
    /// The zone a point lies in, or [`ZoneIx::NONE`].
    #[must_use]
    pub fn at(&self, x_m: f64, y_m: f64) -> ZoneIx {
        let at = Point::new(x_m, y_m);
        let inside = |&row: &u32| self.shapes[row as usize].contains(&at);
        self.candidates(at, 0.0).into_iter().find(inside).map_or(ZoneIx::NONE, ZoneIx)
    }
    /// The zone a point lies in, or the nearest within `reach_m`, or [`ZoneIx::NONE`].
    #[must_use]
    pub fn near(&self, x_m: f64, y_m: f64, reach_m: f64) -> ZoneIx {
        let inside = self.at(x_m, y_m);
        if inside.is_some() {
            return inside;
        }
        let at = Point::new(x_m, y_m);
        let distance_m = |row: u32| Euclidean.distance(&at, &self.shapes[row as usize]);
        let near = self.candidates(at, reach_m).into_iter().map(|row| (distance_m(row), row));
        let nearest = near.filter(|(d, _)| *d <= reach_m).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        nearest.map_or(ZoneIx::NONE, |(_, row)| ZoneIx(row))
    }
}

/// Finds the node where cars of a place enter and leave the network.
pub struct CarNodeLocator {
    tree: RTree<GeomWithData<[f64; 2], u32>>,
}

impl CarNodeLocator {
    /// Over the nodes that an ordinary street meets in the open; over all nodes of the car network where
    /// there is none.
    #[must_use]
    pub fn new(nodes: &Nodes, links: &Links) -> Self {
        let collect = |accept: &dyn Fn(usize) -> bool| {
            let mut wanted = vec![false; nodes.len()];
            for link in (0..links.len()).filter(|&link| links.modes[link].contains(Modes::CAR) && accept(link)) {
                wanted[links.from[link].row()] = true;
                wanted[links.to[link].row()] = true;
            }
            let rows = (0..nodes.len()).filter(|&node| wanted[node] && !nodes.external[node]);
            rows.map(|node| GeomWithData::new([nodes.x_m[node], nodes.y_m[node]], node as u32)).collect::<Vec<_>>()
        };
        let street = |link: usize| {
            !links.tunnel[link]
                && !matches!(links.class[link], RoadClass::Motorway | RoadClass::Trunk | RoadClass::External)
        };
        let mut found = collect(&street);
        if found.is_empty() {
            found = collect(&|link| links.class[link] != RoadClass::External);
        }
        Self { tree: RTree::bulk_load(found) }
    }
    /// The nearest such node, or [`NodeIx::NONE`] without a car network.
    #[must_use]
    pub fn nearest(&self, x_m: f64, y_m: f64) -> NodeIx {
        // Of equal distances the lower row, whatever the shape of the tree.
        let mut near = self.tree.nearest_neighbor_iter_with_distance_2(&[x_m, y_m]);
        let Some((first, least)) = near.next() else { return NodeIx::NONE };
        let ties = near.take_while(|(_, d)| *d <= least).map(|(node, _)| node.data);
        NodeIx(ties.fold(first.data, u32::min))
    }
}

/// Finds the building of a point.
pub struct BuildingLocator<'a> {
    shapes: &'a [Polygon],
    tree: RTree<Boxed>,
}

impl<'a> BuildingLocator<'a> {
    /// Over building outlines in metres.
    #[must_use]
    pub fn new(shapes: &'a [Polygon]) -> Self {
        let boxes = shapes.iter().enumerate().filter_map(|(row, shape)| boxed(shape.bounding_rect(), row));
        Self { shapes, tree: RTree::bulk_load(boxes.collect()) }
    }
    /// The building a point lies in, or the nearest within `reach_m`, or [`BuildingIx::NONE`].
    #[must_use]
    pub fn near(&self, x_m: f64, y_m: f64, reach_m: f64) -> BuildingIx {
        let at = Point::new(x_m, y_m);
        let found = self.tree.locate_in_envelope_intersecting(&around(at, reach_m)).map(|found| found.data);
        let near = found.map(|row| (Euclidean.distance(&at, &self.shapes[row as usize]), row));
        let nearest = near.filter(|(d, _)| *d <= reach_m).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        nearest.map_or(BuildingIx::NONE, |(_, row)| BuildingIx(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Rect;

    fn square(x: f64) -> Polygon {
        Rect::new((x, 0.0), (x + 10.0, 10.0)).to_polygon()
    }

    #[test]
    fn zones_and_buildings_by_place() {
        let zones = [square(0.0), square(10.0)].map(|polygon| MultiPolygon::new(vec![polygon]));
        let locator = ZoneLocator::new(&zones);
        assert_eq!(locator.at(5.0, 5.0), ZoneIx(0));
        assert_eq!(locator.at(25.0, 5.0), ZoneIx::NONE);
        assert_eq!(locator.near(25.0, 5.0, 5.5), ZoneIx(1));
        assert_eq!(locator.near(25.0, 5.0, 4.5), ZoneIx::NONE);
        let buildings = [square(0.0), square(30.0)];
        let locator = BuildingLocator::new(&buildings);
        assert_eq!(locator.near(33.0, 3.0, 30.0), BuildingIx(1));
        assert_eq!(locator.near(18.0, 3.0, 30.0), BuildingIx(0));
        assert_eq!(locator.near(100.0, 3.0, 30.0), BuildingIx::NONE);
    }

    #[test]
    fn cars_enter_from_streets_in_the_open() {
        let nodes = Nodes {
            id: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            x_m: vec![0.0, 10.0, 20.0, 30.0],
            y_m: vec![0.0; 4],
            external: vec![false; 4],
            ..Nodes::default()
        };
        let mut links = Links {
            id: vec!["1".to_owned(), "2".to_owned()],
            from: vec![NodeIx(0), NodeIx(2)],
            to: vec![NodeIx(1), NodeIx(3)],
            class: vec![RoadClass::Residential, RoadClass::Primary],
            modes: vec![Modes::CAR; 2],
            tunnel: vec![true, false],
            ..Links::default()
        };
        assert_eq!(CarNodeLocator::new(&nodes, &links).nearest(1.0, 0.0), NodeIx(2));
        links.tunnel[1] = true;
        assert_eq!(CarNodeLocator::new(&nodes, &links).nearest(5.0, 0.0), NodeIx(0), "the lower row of a tie");
        assert_eq!(CarNodeLocator::new(&nodes, &Links::default()).nearest(0.0, 0.0), NodeIx::NONE);
    }
}
