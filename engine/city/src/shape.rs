//! Shapes as tables hold them: WKT in text, WKB in Parquet, both turned into the types of `geo`.
//!
//! Numbers are written with as many digits as it takes to read the same ones again. Ignores heights, measures and
//! reference systems written inside (EWKB, EWKT). Contract: pure functions, never a panic.

use geo::{CoordsIter, Geometry, Point};
use geo_traits::to_geo::ToGeoGeometry;
use wkt::{ToWkt, TryFromWkt};

/// The shape that a WKT text describes; `None` where it is none, is empty, or has numbers that are not finite.
#[must_use]
pub fn of_wkt(text: &str) -> Option<Geometry> {
    let shape: Geometry = Geometry::try_from_wkt_str(text).ok()?;
    is_usable(&shape).then_some(shape)
}

/// The place that a WKT point describes, x and y.
#[must_use]
pub fn point_of_wkt(text: &str) -> Option<[f64; 2]> {
    let point: Point = of_wkt(text)?.try_into().ok()?;
    Some([point.x(), point.y()])
}

/// WKT of a shape.
#[must_use]
pub fn to_wkt(shape: &Geometry) -> String {
    shape.wkt_string()
}

/// The shape that WKB bytes describe; `None` where they describe none, or one as [`of_wkt`] refuses.
#[must_use]
pub fn of_wkb(bytes: &[u8]) -> Option<Geometry> {
    wkb::reader::read_wkb(bytes).ok()?.try_to_geometry().filter(is_usable)
}

/// Whether a shape has corners and all of them are longitudes and latitudes in degrees.
#[must_use]
pub fn is_in_degrees(shape: &Geometry) -> bool {
    is_usable(shape) && shape.coords_iter().all(|at| at.x.abs() <= 180.0 && at.y.abs() <= 90.0)
}

fn is_usable(shape: &Geometry) -> bool {
    shape.coords_count() > 0 && shape.coords_iter().all(|at| at.x.is_finite() && at.y.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_none() {
        for text in ["", "POINT", "POINT EMPTY", "POINT(1)", "POINT(NaN 1)", "POINT(1e999 1)", "LINESTRING(1 2", "x"] {
            assert_eq!(of_wkt(text), None, "{text}");
        }
        assert_eq!(point_of_wkt("LINESTRING(1 2,3 4)"), None);
        assert_eq!(point_of_wkt(" point ( 1.5  -2 ) "), Some([1.5, -2.0]));
        assert!(is_in_degrees(&of_wkt("LINESTRING(180 -90,0 0)").unwrap()));
        assert!(!is_in_degrees(&of_wkt("LINESTRING(0 0,181 0)").unwrap()));
    }

    proptest! {
        #[test]
        fn numbers_come_back_bit_for_bit(ends in prop::collection::vec((any::<f64>(), any::<f64>()), 2..5)) {
            let line: geo::LineString = ends.into_iter().collect();
            let shape = Geometry::from(line);
            prop_assume!(is_usable(&shape));
            let text = to_wkt(&shape);
            prop_assert_eq!(of_wkt(&text).map(|shape| to_wkt(&shape)), Some(text));
            let mut bytes = Vec::new();
            wkb::writer::write_geometry(&mut bytes, &shape, &Default::default()).unwrap();
            prop_assert_eq!(of_wkb(&bytes), Some(shape));
        }

        #[test]
        fn bytes_never_panic(mut bytes: Vec<u8>, kind in 0..8_u8) {
            let _ = of_wkb(&bytes);
            bytes.splice(..bytes.len().min(5), [1, kind, 0, 0, 0]);
            let _ = of_wkb(&bytes);
        }
    }
}
