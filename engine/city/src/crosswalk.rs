//! Area weights between zonings and rasters: how much of each source area lies in each zone.
//!
//! The weight of source `s` in zone `z` is `area(s and z) / area(s)`, in projected metres. The weights
//! of one source add up to its covered share: exactly 1 where zones cover it (slivers below
//! [`SLIVER`] are spread back in proportion), less where part of it lies outside every zone. Where
//! zones overlap, weights are scaled down to 1, so nothing is counted twice. Carried over, a quantity
//! keeps its covered sum to 1e-9: `sum over zones of (sum over sources of value x weight)` equals
//! `sum over sources of value x covered share`.
//!
//! Raster cells are convex, so their share is found by clipping each ring of the zone against the
//! cell's four edges (Sutherland and Hodgman 1974; doubled edges of concave rings have no area).
//! Zonings are intersected with the boolean operations of `geo` (`i_overlay`).
//!
//! Ignores: what is inside a source area; quantities are taken as evenly spread. Parallel over zones in
//! row order; the same bits on any number of threads.

use crate::model::CrosswalkRow;
use crate::projection::Projection;
use crate::raster::Grid;
use geo::{Area, BooleanOps, BoundingRect, Coord, LineString, MapCoords, MultiPolygon};
use rayon::prelude::*;

/// Uncovered shares below this are rounding of outlines, not gaps.
pub const SLIVER: f64 = 1e-4;

/// The share of a source area in a zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// Row of the source zoning, or cell `row * columns + column` of a raster.
    pub from: u32,
    /// Row of the zones.
    pub to: u32,
    /// Share of the source's area, 0 to 1.
    pub share: f64,
}

/// Shapes in projected metres.
#[must_use]
pub fn projected(shapes: &[MultiPolygon], projection: &Projection) -> Vec<MultiPolygon> {
    let metres = |at: Coord| {
        let (x, y) = projection.project(at.into());
        Coord { x, y }
    };
    shapes.par_iter().map(|shape| shape.map_coords(metres)).collect()
}

/// Weights from raster cells to zones, sorted by cell, then zone. Cells without data have none. Shapes
/// are in the projection's metres.
#[must_use]
pub fn from_raster(grid: &Grid, zones_m: &[MultiPolygon], projection: &Projection) -> Vec<Weight> {
    let corners = grid.corners_m(projection);
    let stride = grid.columns + 1;
    // Only rows and columns whose extent meets the zone's can share area with it.
    let row_extents: Vec<(f64, f64)> =
        (0..grid.rows).map(|row| extent(corners[row * stride..(row + 2) * stride].iter().map(|c| c.1))).collect();
    let column_extents: Vec<(f64, f64)> = (0..grid.columns)
        .map(|column| extent(corners.chunks(stride).flat_map(|row| [row[column].0, row[column + 1].0])))
        .collect();
    let by_zone: Vec<Vec<Weight>> = zones_m
        .par_iter()
        .enumerate()
        .map(|(zone, shape)| {
            let Some(bounds) = shape.bounding_rect() else { return Vec::new() };
            let (low, high) = (bounds.min(), bounds.max());
            let rows = (0..grid.rows).filter(|&row| meets(row_extents[row], low.y, high.y));
            let columns: Vec<usize> =
                (0..grid.columns).filter(|&column| meets(column_extents[column], low.x, high.x)).collect();
            let mut weights = Vec::new();
            for (row, &column) in rows.flat_map(|row| columns.iter().map(move |column| (row, column))) {
                let at = row * stride + column;
                let cell = [corners[at], corners[at + 1], corners[at + stride + 1], corners[at + stride]];
                let apart = !meets(extent(cell.iter().map(|c| c.0)), low.x, high.x)
                    || !meets(extent(cell.iter().map(|c| c.1)), low.y, high.y);
                if apart || grid.value(column, row).is_nan() {
                    continue;
                }
                let share = cell_share(&cell, shape);
                if share > 0.0 {
                    weights.push(Weight { from: (row * grid.columns + column) as u32, to: zone as u32, share });
                }
            }
            weights
        })
        .collect();
    normalised(by_zone.into_iter().flatten().collect())
}

/// Weights between two zonings, sorted by source, then zone. Shapes are in metres of one projection.
#[must_use]
pub fn from_shapes(sources_m: &[MultiPolygon], zones_m: &[MultiPolygon]) -> Vec<Weight> {
    let bounds: Vec<_> = zones_m.iter().map(BoundingRect::bounding_rect).collect();
    let by_source: Vec<Vec<Weight>> = sources_m
        .par_iter()
        .enumerate()
        .map(|(from, source)| {
            let area = source.unsigned_area();
            let Some(own) = source.bounding_rect().filter(|_| area > 0.0) else { return Vec::new() };
            let near = |zone: &usize| {
                bounds[*zone].is_some_and(|b| {
                    own.min().x <= b.max().x
                        && own.max().x >= b.min().x
                        && own.min().y <= b.max().y
                        && own.max().y >= b.min().y
                })
            };
            (0..zones_m.len())
                .filter(near)
                .map(|to| {
                    let share = source.intersection(&zones_m[to]).unsigned_area() / area;
                    Weight { from: from as u32, to: to as u32, share }
                })
                .filter(|weight| weight.share > SLIVER)
                .collect()
        })
        .collect();
    normalised(by_source.into_iter().flatten().collect())
}

/// Sorts by source, then zone; scales sums above 1, and sums within a sliver of 1, to 1.
fn normalised(mut weights: Vec<Weight>) -> Vec<Weight> {
    weights.sort_by_key(|weight| (weight.from, weight.to));
    for same in weights.chunk_by_mut(|a, b| a.from == b.from) {
        let sum: f64 = same.iter().map(|weight| weight.share).sum();
        if sum > 1.0 - SLIVER {
            same.iter_mut().for_each(|weight| weight.share /= sum);
        }
    }
    weights
}

/// Carries a quantity over: for each zone the sum of `value x share`. NaN values count as nothing.
#[must_use]
pub fn carried(weights: &[Weight], values: &[f64], zones: usize) -> Vec<f64> {
    let mut sums = vec![0.0; zones];
    for weight in weights {
        let value = values[weight.from as usize];
        if !value.is_nan() {
            sums[weight.to as usize] += value * weight.share;
        }
    }
    sums
}

/// Mean of the values over each zone, weighted by share; cells of a raster are taken as equal in size.
/// NaN where a zone has no weight.
#[must_use]
pub fn averaged(weights: &[Weight], values: &[f64], zones: usize) -> Vec<f64> {
    let sums = carried(weights, values, zones);
    let ones: Vec<f64> = values.iter().map(|v| if v.is_nan() { f64::NAN } else { 1.0 }).collect();
    let totals = carried(weights, &ones, zones);
    sums.iter().zip(&totals).map(|(&sum, &total)| if total > 0.0 { sum / total } else { f64::NAN }).collect()
}

/// Weights as rows of the package's table.
#[must_use]
pub fn rows(
    weights: &[Weight],
    from_layer: &str,
    from_id: impl Fn(u32) -> String,
    to_layer: &str,
    to_ids: &[String],
) -> Vec<CrosswalkRow> {
    let row = |weight: &Weight| CrosswalkRow {
        from_layer: from_layer.to_owned(),
        from_id: from_id(weight.from),
        to_layer: to_layer.to_owned(),
        to_id: to_ids[weight.to as usize].clone(),
        weight: weight.share,
    };
    weights.iter().map(row).collect()
}

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), v| (least.min(v), most.max(v)))
}

fn meets((least, most): (f64, f64), low: f64, high: f64) -> bool {
    least <= high && most >= low
}

/// Share of a convex cell that lies in a shape.
fn cell_share(cell: &[(f64, f64); 4], shape: &MultiPolygon) -> f64 {
    // Near the origin, so that no digits are lost in products of eastings and northings.
    let (x0, y0) = cell[0];
    let mut local = cell.map(|(x, y)| (x - x0, y - y0));
    let area = ring_area(&local);
    if area < 0.0 {
        local.reverse();
    }
    let inside = |ring: &LineString| {
        let mut ring: Vec<(f64, f64)> = ring.0.iter().map(|at| (at.x - x0, at.y - y0)).collect();
        ring.pop(); // the closing point
        for edge in 0..4 {
            ring = clipped(&ring, local[edge], local[(edge + 1) % 4]);
        }
        ring_area(&ring).abs()
    };
    let covered: f64 = shape
        .iter()
        .map(|polygon| inside(polygon.exterior()) - polygon.interiors().iter().map(inside).sum::<f64>())
        .sum();
    (covered / area.abs()).clamp(0.0, 1.0)
}

/// The part of a ring to the left of the line from `a` to `b`.
fn clipped(ring: &[(f64, f64)], a: (f64, f64), b: (f64, f64)) -> Vec<(f64, f64)> {
    let side = |p: (f64, f64)| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
    let mut kept = Vec::with_capacity(ring.len() + 4);
    for (at, &here) in ring.iter().enumerate() {
        let before = ring[(at + ring.len() - 1) % ring.len()];
        let (from, to) = (side(before), side(here));
        if (from >= 0.0) != (to >= 0.0) {
            let t = from / (from - to);
            kept.push((before.0 + t * (here.0 - before.0), before.1 + t * (here.1 - before.1)));
        }
        if to >= 0.0 {
            kept.push(here);
        }
    }
    kept
}

/// Signed area of an open ring, counter-clockwise positive.
fn ring_area(ring: &[(f64, f64)]) -> f64 {
    let doubled: f64 = (0..ring.len())
        .map(|at| {
            let (a, b) = (ring[at], ring[(at + 1) % ring.len()]);
            a.0 * b.1 - b.0 * a.1
        })
        .sum();
    doubled / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Polygon, Rect, polygon};
    use std::path::Path;
    use urbis_core::rng::Rng;

    fn square(x: f64, y: f64, side: f64) -> MultiPolygon {
        MultiPolygon::new(vec![Rect::new((x, y), (x + side, y + side)).to_polygon()])
    }

    #[test]
    fn shares_of_a_cell() {
        let cell = [(0.0, 10.0), (10.0, 10.0), (10.0, 0.0), (0.0, 0.0)];
        assert!((cell_share(&cell, &square(5.0, 5.0, 100.0)) - 0.25).abs() < 1e-12);
        assert!((cell_share(&cell, &square(-5.0, -5.0, 100.0)) - 1.0).abs() < 1e-12);
        assert!(cell_share(&cell, &square(20.0, 20.0, 5.0)).abs() < 1e-12);
        let ring = Polygon::new(
            Rect::new((-5.0, -5.0), (15.0, 15.0)).to_polygon().exterior().clone(),
            vec![Rect::new((0.0, 0.0), (5.0, 5.0)).to_polygon().exterior().clone()],
        );
        assert!((cell_share(&cell, &MultiPolygon::new(vec![ring])) - 0.75).abs() < 1e-12);
        // A U around the cell's middle: two arms of 2 x 10 and nothing between.
        let concave = polygon![(x: 0.0, y: -9.0), (x: 10.0, y: -9.0), (x: 10.0, y: 12.0), (x: 8.0, y: 12.0),
            (x: 8.0, y: -5.0), (x: 2.0, y: -5.0), (x: 2.0, y: 12.0), (x: 0.0, y: 12.0)];
        assert!((cell_share(&cell, &MultiPolygon::new(vec![concave])) - 0.4).abs() < 1e-12);
    }

    /// Mass: what zones that cover the raster get is what its cells hold, whatever their outlines.
    #[test]
    fn mass_is_conserved_from_cells_to_zones() {
        let projection = Projection::auto(7.0, 43.0);
        let mut rng = Rng::new(1, 0, 0, 0);
        let values: Vec<f64> = (0..40 * 30).map(|_| 1e4 * rng.uniform()).collect();
        let grid = Grid::in_degrees(Path::new("g.tif"), 40, values, [7.0, 0.001, 0.0, 43.03, 0.0, -0.001]);
        // Two zones split by a zigzag that cuts cells anywhere, wider than the raster.
        let zigzag: Vec<(f64, f64)> =
            (0..=20).map(|i| (7.0 + 0.04 * rng.uniform(), 42.999 + 0.0016 * f64::from(i))).collect();
        let zone = |side: f64| {
            let mut ring = zigzag.clone();
            ring.extend([(side, zigzag[20].1), (side, zigzag[0].1)]);
            MultiPolygon::new(vec![Polygon::new(LineString::from(ring), vec![])])
        };
        let zones = projected(&[zone(6.9), zone(7.2)], &projection);
        let weights = from_raster(&grid, &zones, &projection);
        let total: f64 = grid.values.iter().sum();
        let got: f64 = carried(&weights, &grid.values, 2).iter().sum();
        assert!((got / total - 1.0).abs() < 1e-9, "{got} of {total}");
        assert!(weights.iter().any(|w| w.share < 0.9));
        let halves = averaged(&weights, &vec![3.0; 1200], 2);
        assert!(halves.iter().all(|mean| (mean - 3.0).abs() < 1e-12));
    }

    #[test]
    fn zonings_overlap_by_area() {
        let sources = [square(0.0, 0.0, 10.0), square(100.0, 0.0, 10.0), square(5.0, 20.0, 10.0)];
        let zones = [square(0.0, 0.0, 4.0), square(4.0, -1.0, 50.0)];
        let weights = from_shapes(&sources, &zones);
        let of = |from: u32| weights.iter().filter(|w| w.from == from).map(|w| w.share).collect::<Vec<_>>();
        assert!((of(0)[0] - 0.16).abs() < 1e-9 && (of(0)[1] - 0.6).abs() < 1e-9, "{weights:?}");
        assert!(of(1).is_empty());
        assert!((of(2)[0] - 1.0).abs() < 1e-12);
        // Overlapping zones share what they both claim.
        let twice = from_shapes(&sources[..1], &[square(0.0, 0.0, 10.0), square(0.0, 0.0, 10.0)]);
        assert!(twice.iter().all(|w| (w.share - 0.5).abs() < 1e-9));
    }
}
