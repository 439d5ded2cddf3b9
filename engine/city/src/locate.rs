//! Where things lie: the zone of a point, the car node nearest to a building, the building a point of
//! interest is in, the link beside a point. Everything in projected metres, through R-trees (`rstar`).
//!
//! A point on a border belongs to the zone with the lower row; a point just outside every zone (piers,
//! rounding of outlines) to the nearest within a given distance. Ignores heights, so nodes that only
//! tunnels meet are no place to enter the network. Queries are pure and may run on any thread.

use crate::model::{City, Links, Modes, Nodes, RoadClass};
use crate::projection::Projection;
use geo::{BoundingRect, Contains, Distance, Euclidean, MultiPolygon, Point, Polygon};
use rstar::primitives::{GeomWithData, Line, Rectangle};
use rstar::{AABB, RTree};
use urbis_core::{BuildingIx, LinkIx, NodeIx, ZoneIx};

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

/// The nearest place on a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// Link.
    pub link: LinkIx,
    /// Share of its line that lies before the place, 0 to 1.
    pub along: f64,
    /// Straight line to it, metres.
    pub away_m: f64,
}

/// A straight piece of a link's line: the link, its number on it, and where on the line it starts and ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    link: u32,
    number: u32,
    from: f64,
    until: f64,
}

/// Finds the link beside a point.
#[derive(Debug)]
pub struct LinkLocator {
    tree: RTree<GeomWithData<Line<[f64; 2]>, Piece>>,
}

impl LinkLocator {
    /// Over the links of a city that `accept` takes, by row. Links without a line go straight from node to node.
    #[must_use]
    pub fn new(city: &City, accept: impl Fn(usize) -> bool) -> Self {
        let projection = Projection::from_code(&city.manifest.crs).ok();
        let (nodes, links) = (&city.nodes, &city.links);
        let mut pieces = Vec::new();
        for link in (0..links.len()).filter(|&link| accept(link)) {
            let drawn = links.line.get(link).filter(|line| line.0.len() > 1).zip(projection.as_ref());
            let corners: Vec<[f64; 2]> = match drawn {
                Some((line, projection)) => line.points().map(|point| projection.project(point).into()).collect(),
                None => [links.from[link], links.to[link]].map(|of| [nodes.x_m[of.row()], nodes.y_m[of.row()]]).into(),
            };
            let length = |pair: &[[f64; 2]]| (pair[0][0] - pair[1][0]).hypot(pair[0][1] - pair[1][1]);
            let whole_m = corners.windows(2).map(length).sum::<f64>();
            if !whole_m.is_finite() {
                continue;
            }
            let mut before_m = 0.0;
            let share = |metres: f64| if whole_m > 0.0 { (metres / whole_m).min(1.0) } else { 0.0 };
            for (number, pair) in corners.windows(2).enumerate() {
                let until_m = before_m + length(pair);
                let piece =
                    Piece { link: link as u32, number: number as u32, from: share(before_m), until: share(until_m) };
                pieces.push(GeomWithData::new(Line::new(pair[0], pair[1]), piece));
                before_m = until_m;
            }
        }
        Self { tree: RTree::bulk_load(pieces) }
    }

    /// The nearest place on a link within `reach_m`; of equally near ones that of the lowest link, earliest on it.
    #[must_use]
    pub fn nearest(&self, x_m: f64, y_m: f64, reach_m: f64) -> Option<Beside> {
        let at = [x_m, y_m];
        if !at.iter().all(|of| of.is_finite()) {
            return None;
        }
        let mut near = self.tree.nearest_neighbor_iter_with_distance_2(&at).peekable();
        let least = near.peek()?.1;
        let ties = near.take_while(|(_, d)| *d <= least).map(|(piece, _)| piece);
        let piece = ties.min_by_key(|piece| (piece.data.link, piece.data.number))?;
        let Piece { link, from, until, .. } = piece.data;
        let (line, place) = (piece.geom(), piece.geom().nearest_point(&at));
        let length = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let whole_m = length(line.from, line.to);
        let share = if whole_m > 0.0 { length(line.from, place) / whole_m } else { 0.0 };
        let beside =
            Beside { link: LinkIx(link), along: from + (until - from) * share.min(1.0), away_m: length(at, place) };
        (beside.away_m <= reach_m).then_some(beside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Rect;

    #[test]
    fn the_place_on_the_nearest_link() {
        let mut city = City::default();
        city.nodes.x_m = vec![0.0, 100.0, 100.0];
        city.nodes.y_m = vec![0.0, 0.0, 100.0];
        for (from, to) in [(0, 1), (1, 0), (1, 2)] {
            city.links.id.push(String::new());
            city.links.from.push(NodeIx(from));
            city.links.to.push(NodeIx(to));
        }
        let locator = LinkLocator::new(&city, |_| true);
        let beside = |x, y| locator.nearest(x, y, 30.0).map(|of| (of.link.0, of.along, of.away_m));
        assert_eq!(beside(25.0, 10.0), Some((0, 0.25, 10.0)));
        assert_eq!(beside(100.0, 0.0), Some((0, 1.0, 0.0)), "of equally near ones the lowest");
        assert_eq!(beside(110.0, 40.0), Some((2, 0.4, 10.0)));
        assert_eq!((beside(25.0, 31.0), beside(f64::NAN, 0.0)), (None, None));
        let back = LinkLocator::new(&city, |link| link == 1);
        assert_eq!(back.nearest(25.0, 10.0, 30.0).map(|of| (of.link.0, of.along)), Some((1, 0.75)));
        assert_eq!(LinkLocator::new(&city, |_| false).nearest(0.0, 0.0, 9.0), None);
    }

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
