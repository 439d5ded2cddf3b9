//! The map of a run: zones as pale ground, buildings shaded by people or load, roads in colour and
//! width by flow, each direction on its own side. Longitude and latitude are laid out on a local
//! equirectangular plane (true to scale at the middle of the map), north up.
//!
//! Sequential scales of one hue each, light to dark, blue against orange: told apart with every common
//! colour vision, and in grey by their darkness. Ignores relief and the curvature of the Earth (below a
//! pixel for a city).

use crate::chart::{INK, SOFT_INK};
use crate::scale::{class_breaks, class_of, number, round_below};
use crate::svg::{Anchor, Path, Svg, Type};
use geo::{Coord, CoordsIter, LineString, MultiPolygon, Polygon};

const ROAD_COLOURS: [&str; 5] = ["#fdd49e", "#fdae4b", "#f07818", "#c74a02", "#7a2503"];
const ROAD_WIDTHS_PX: [f64; 5] = [0.9, 1.6, 2.5, 3.7, 5.4];
const BUILDING_COLOURS: [&str; 5] = ["#d3e1ee", "#a9c8e2", "#74a7d1", "#3d7fb8", "#124a86"];
/// The darkest class begins below this quantile of what is drawn.
const TOP_QUANTILE: f64 = 0.98;
const BREAKS: usize = 4;
const EMPTY_BUILDING: &str = "#e3e1dc";
const OUTSIDE: &str = r##"fill="#e9eef1""##;
const GROUND: &str =
    r##"fill="#fbfaf7" stroke="#b9b4aa" stroke-width="1" stroke-dasharray="4 3" stroke-linejoin="round""##;
const METRES_PER_DEGREE: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0;
/// Roads are drawn in full width at this scale, thinner at smaller ones.
const FULL_WIDTH_PX_PER_M: f64 = 0.28;
/// More zones than this are not named.
const ZONES_NAMED: usize = 20;

/// What the map shows; rows of each pair of columns belong together.
#[derive(Default)]
pub(crate) struct Map {
    pub(crate) zones: Vec<MultiPolygon>,
    pub(crate) zone_names: Vec<String>,
    pub(crate) buildings: Vec<Polygon>,
    pub(crate) building_values: Vec<f64>,
    /// In words, for the legend.
    pub(crate) building_label: String,
    pub(crate) roads: Vec<LineString>,
    /// Vehicles in the period.
    pub(crate) road_veh: Vec<f64>,
    /// In words, for the legend.
    pub(crate) road_label: String,
}

/// From degrees to the picture.
struct Plane {
    middle: Coord,
    px_per_m: f64,
    centre: (f64, f64),
}

impl Plane {
    fn to_px(&self, at: Coord) -> (f64, f64) {
        let east_m = (at.x - self.middle.x) * METRES_PER_DEGREE * self.middle.y.to_radians().cos();
        let north_m = (at.y - self.middle.y) * METRES_PER_DEGREE;
        (self.centre.0 + east_m * self.px_per_m, self.centre.1 - north_m * self.px_per_m)
    }
    fn line(&self, line: &LineString) -> Vec<(f64, f64)> {
        line.coords().map(|&at| self.to_px(at)).collect()
    }
    fn rings(&self, path: &mut Path, polygon: &Polygon) {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            path.add(&self.line(ring), true);
        }
    }
}

impl Map {
    /// Draws into `[x, y, width, height]`.
    pub(crate) fn draw(&self, svg: &mut Svg, frame: [f64; 4]) {
        svg.rect(frame, OUTSIDE);
        let Some(plane) = self.plane(frame) else {
            let note = "the city package has no zones, buildings or roads to draw";
            let (x, y) = (frame[0] + frame[2] / 2.0, frame[1] + frame[3] / 2.0);
            svg.text(x, y, Type::new(13.0, SOFT_INK).anchored(Anchor::Middle), note);
            return;
        };
        svg.begin_clip(frame);
        let mut ground = Path::default();
        for polygon in self.zones.iter().flatten() {
            plane.rings(&mut ground, polygon);
        }
        svg.path(&ground, GROUND);
        let building_breaks = class_breaks(&self.building_values, TOP_QUANTILE, BREAKS);
        self.draw_buildings(svg, &plane, &building_breaks);
        let road_breaks = class_breaks(&self.road_veh, TOP_QUANTILE, BREAKS);
        let thickness = (plane.px_per_m / FULL_WIDTH_PX_PER_M).sqrt().sqrt().clamp(0.45, 1.0);
        self.draw_roads(svg, &plane, &road_breaks, thickness);
        self.name_zones(svg, &plane);
        svg.end_clip();
        svg.rect(frame, r##"fill="none" stroke="#c3cace" stroke-width="1""##);
        self.draw_legend(svg, &plane, frame, (&road_breaks, thickness), &building_breaks);
    }

    /// The plane that fits the built-up area (all but the outermost 0.5 % of buildings on each side)
    /// into the frame; zones, then roads, where there are no buildings.
    fn plane(&self, [x, y, width, height]: [f64; 4]) -> Option<Plane> {
        let mut points: Vec<Coord> =
            self.buildings.iter().filter_map(|b| b.exterior().coords().next().copied()).collect();
        let outliers = if points.is_empty() { 0.0 } else { 0.005 };
        if points.is_empty() {
            points = self.zones.iter().flat_map(CoordsIter::coords_iter).collect();
        }
        if points.is_empty() {
            points = self.roads.iter().flat_map(CoordsIter::coords_iter).collect();
        }
        let last = points.len().checked_sub(1)? as f64;
        let range = |of: fn(&Coord) -> f64| {
            let mut values: Vec<f64> = points.iter().map(of).filter(|v| v.is_finite()).collect();
            values.sort_by(f64::total_cmp);
            let at = |q: f64| values.get((q * last).round() as usize).copied();
            Some((at(outliers)?, at(1.0 - outliers)?))
        };
        let ((west, east), (south, north)) = (range(|c| c.x)?, range(|c| c.y)?);
        let middle = Coord { x: (west + east) / 2.0, y: (south + north) / 2.0 };
        let width_m = (east - west) * METRES_PER_DEGREE * middle.y.to_radians().cos();
        let height_m = (north - south) * METRES_PER_DEGREE;
        let px_per_m = 0.94 * (width / width_m.max(100.0)).min(height / height_m.max(100.0));
        Some(Plane { middle, px_per_m, centre: (x + width / 2.0, y + height / 2.0) })
    }

    fn draw_buildings(&self, svg: &mut Svg, plane: &Plane, breaks: &[f64]) {
        let mut empty = Path::default();
        let mut classes: Vec<Path> = std::iter::repeat_with(Path::default).take(breaks.len() + 1).collect();
        for (shape, &value) in self.buildings.iter().zip(&self.building_values) {
            let path = if value > 0.0 { &mut classes[class_of(value, breaks)] } else { &mut empty };
            plane.rings(path, shape);
        }
        let style =
            |colour: &str| format!(r##"fill="{colour}" fill-rule="evenodd" stroke="#8d9aa5" stroke-width="0.25""##);
        svg.path(&empty, &style(EMPTY_BUILDING));
        for (class, path) in classes.iter().enumerate() {
            svg.path(path, &style(colour_of(&BUILDING_COLOURS, class, breaks.len())));
        }
    }

    fn draw_roads(&self, svg: &mut Svg, plane: &Plane, breaks: &[f64], thickness: f64) {
        let mut still = Path::default();
        let mut classes: Vec<Path> = std::iter::repeat_with(Path::default).take(breaks.len() + 1).collect();
        for (line, &veh) in self.roads.iter().zip(&self.road_veh) {
            let points = plane.line(line);
            if veh > 0.0 {
                let class = class_of(veh, breaks);
                let half = width_of(class, breaks.len()) * thickness / 2.0;
                classes[class].add(&beside(&points, half), false);
            } else {
                still.add(&points, false);
            }
        }
        svg.path(&still, r##"fill="none" stroke="#c9c5bd" stroke-width="0.6""##);
        for (class, path) in classes.iter().enumerate() {
            let width = width_of(class, breaks.len()) * thickness;
            let colour = colour_of(&ROAD_COLOURS, class, breaks.len());
            svg.path(
                path,
                &format!(r#"fill="none" stroke="{colour}" stroke-width="{width:.2}" stroke-linejoin="round" stroke-linecap="round""#),
            );
        }
    }

    fn name_zones(&self, svg: &mut Svg, plane: &Plane) {
        if self.zones.len() > ZONES_NAMED {
            return;
        }
        for (shape, name) in self.zones.iter().zip(&self.zone_names) {
            if let Some(at) = middle_of(shape) {
                let (x, y) = plane.to_px(at);
                svg.text(x, y, Type::new(13.0, INK).anchored(Anchor::Middle).rimmed(), name);
            }
        }
    }

    fn draw_legend(
        &self,
        svg: &mut Svg,
        plane: &Plane,
        frame: [f64; 4],
        (road_breaks, thickness): (&[f64], f64),
        building_breaks: &[f64],
    ) {
        const ROW: f64 = 18.0;
        let has = |values: &[f64]| values.iter().any(|&v| v > 0.0);
        let roads = if has(&self.road_veh) { road_breaks.len() + 1 } else { 0 };
        let buildings = if has(&self.building_values) { building_breaks.len() + 1 } else { 0 };
        let titles = usize::from(roads > 0) + usize::from(buildings > 0);
        let height = (roads + buildings) as f64 * ROW + titles as f64 * 26.0 + 46.0;
        let heading = Type::new(12.5, INK).bold();
        let width = heading.width(&self.road_label).max(heading.width(&self.building_label)).max(180.0) + 24.0;
        let [x, y] = self.free_corner(plane, frame, [width, height]);
        svg.rect(
            [x, y, width, height],
            r##"fill="#ffffff" fill-opacity="0.92" stroke="#c3cace" stroke-width="1" rx="4""##,
        );
        let (left, mut at) = (x + 12.0, y + 6.0);
        let words = Type::new(12.0, INK);
        if roads > 0 {
            at += 16.0;
            svg.text(left, at, heading, &self.road_label);
            for class in (0..roads).rev() {
                at += ROW;
                let style = format!(
                    r#"stroke="{}" stroke-width="{:.2}" stroke-linecap="round""#,
                    colour_of(&ROAD_COLOURS, class, roads - 1),
                    width_of(class, roads - 1) * thickness
                );
                svg.line([left, at - 4.0, left + 28.0, at - 4.0], &style);
                svg.text(left + 38.0, at, words, &class_words(class, road_breaks));
            }
            at += 10.0;
        }
        if buildings > 0 {
            at += 16.0;
            svg.text(left, at, heading, &self.building_label);
            for class in (0..buildings).rev() {
                at += ROW;
                let style = format!(
                    r##"fill="{}" stroke="#8d9aa5" stroke-width="0.5""##,
                    colour_of(&BUILDING_COLOURS, class, buildings - 1)
                );
                svg.rect([left, at - 11.0, 28.0, 12.0], &style);
                svg.text(left + 38.0, at, words, &class_words(class, building_breaks));
            }
            at += 10.0;
        }
        let bar_m = round_below((width - 100.0) / plane.px_per_m);
        let bar_px = bar_m * plane.px_per_m;
        let text =
            if bar_m >= 1000.0 { format!("{} km", number(bar_m / 1000.0)) } else { format!("{} m", number(bar_m)) };
        at += 18.0;
        for (from, to) in [((0.0, 0.0), (bar_px, 0.0)), ((0.0, -5.0), (0.0, 0.0)), ((bar_px, -5.0), (bar_px, 0.0))] {
            let ends = [left + from.0, at + from.1, left + to.0, at + to.1];
            svg.line(ends, &format!(r#"stroke="{INK}" stroke-width="1.6" stroke-linecap="square""#));
        }
        svg.text(left + bar_px + 8.0, at, words, &text);
    }

    /// The corner of the frame where a box of this size covers the fewest buildings and roads.
    fn free_corner(&self, plane: &Plane, [x, y, width, height]: [f64; 4], [w, h]: [f64; 2]) -> [f64; 2] {
        const GAP: f64 = 12.0;
        let (left, right, top, bottom) = (x + GAP, x + width - w - GAP, y + GAP, y + height - h - GAP);
        let corners = [[left, top], [right, bottom], [left, bottom], [right, top]];
        let buildings = self.buildings.iter().flat_map(|b| b.exterior().coords().next());
        let roads = self.roads.iter().flat_map(|line| line.coords());
        let mut covered = [0_u32; 4];
        for &at in buildings.chain(roads) {
            let (px, py) = plane.to_px(at);
            for (count, corner) in covered.iter_mut().zip(corners) {
                *count += u32::from((0.0..w).contains(&(px - corner[0])) && (0.0..h).contains(&(py - corner[1])));
            }
        }
        let best = (0..corners.len()).min_by_key(|&i| covered[i]).unwrap_or(0);
        corners[best]
    }
}

/// Spreads the classes in use over the whole scale, so that the top class is always the darkest.
fn scale_place(class: usize, breaks: usize, last: usize) -> usize {
    if breaks == 0 { last } else { (class * last).div_ceil(breaks) }
}

fn colour_of(colours: &[&'static str], class: usize, breaks: usize) -> &'static str {
    colours[scale_place(class, breaks, colours.len() - 1)]
}

fn width_of(class: usize, breaks: usize) -> f64 {
    ROAD_WIDTHS_PX[scale_place(class, breaks, ROAD_WIDTHS_PX.len() - 1)]
}

fn class_words(class: usize, breaks: &[f64]) -> String {
    match (class.checked_sub(1).map(|c| breaks[c]), breaks.get(class)) {
        (None, None) => "more than 0".into(),
        (None, Some(to)) => format!("under {}", number(*to)),
        (Some(from), None) => format!("{} and more", number(from)),
        (Some(from), Some(to)) => format!("{} \u{2013} {}", number(from), number(*to)),
    }
}

/// A line moved to its right by so many pixels (the picture's y axis points down), vertex by vertex
/// along the mean normal of the segments that meet there.
fn beside(points: &[(f64, f64)], right_px: f64) -> Vec<(f64, f64)> {
    let normal = |a: (f64, f64), b: (f64, f64)| {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        if length > 0.0 { (-dy / length, dx / length) } else { (0.0, 0.0) }
    };
    (0..points.len())
        .map(|i| {
            let before = i.checked_sub(1).map_or((0.0, 0.0), |h| normal(points[h], points[i]));
            let after = points.get(i + 1).map_or((0.0, 0.0), |&next| normal(points[i], next));
            let (nx, ny) = (before.0 + after.0, before.1 + after.1);
            let length = nx.hypot(ny).max(1e-9);
            (points[i].0 + nx / length * right_px, points[i].1 + ny / length * right_px)
        })
        .collect()
}

/// Centre of gravity of the largest ring of a shape.
fn middle_of(shape: &MultiPolygon) -> Option<Coord> {
    let of_ring = |ring: &LineString| {
        let origin = *ring.coords().next()?;
        let (mut twice_area, mut x, mut y) = (0.0, 0.0, 0.0);
        for line in ring.lines() {
            let (a, b) = (line.start - origin, line.end - origin);
            let cross = a.x * b.y - b.x * a.y;
            twice_area += cross;
            x += (a.x + b.x) * cross;
            y += (a.y + b.y) * cross;
        }
        let whole = 3.0 * twice_area;
        (twice_area.abs() > 0.0).then(|| (twice_area.abs(), Coord { x: origin.x + x / whole, y: origin.y + y / whole }))
    };
    let rings = shape.iter().filter_map(|polygon| of_ring(polygon.exterior()));
    rings.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    #[test]
    fn lines_move_to_their_right() {
        // Eastwards on the picture: right is down.
        assert_eq!(beside(&[(0.0, 0.0), (10.0, 0.0)], 2.0), [(0.0, 2.0), (10.0, 2.0)]);
        let back = beside(&[(10.0, 0.0), (0.0, 0.0)], 2.0);
        assert_eq!(back, [(10.0, -2.0), (0.0, -2.0)]);
        assert!(beside(&[(1.0, 1.0), (1.0, 1.0)], 2.0).iter().all(|p| p.0.is_finite()));
    }

    #[test]
    fn the_plane_is_true_to_scale() {
        let map = Map {
            zones: vec![polygon![(x: 7.0, y: 43.0), (x: 7.1, y: 43.0), (x: 7.1, y: 43.1), (x: 7.0, y: 43.1)].into()],
            ..Map::default()
        };
        let plane = map.plane([0.0, 0.0, 800.0, 800.0]).unwrap();
        let (a, b) = (plane.to_px(Coord { x: 7.0, y: 43.05 }), plane.to_px(Coord { x: 7.1, y: 43.05 }));
        let metres = (b.0 - a.0) / plane.px_per_m;
        assert!((metres - 0.1 * METRES_PER_DEGREE * 43.05_f64.to_radians().cos()).abs() < 1e-6);
        let (south, north) = (plane.to_px(Coord { x: 7.0, y: 43.0 }), plane.to_px(Coord { x: 7.0, y: 43.1 }));
        assert!(north.1 < south.1 && south.1 <= 800.0 && north.1 >= 0.0);
        let middle = middle_of(&map.zones[0]).unwrap();
        assert!((middle.x - 7.05).abs() < 1e-9 && (middle.y - 43.05).abs() < 1e-9);
    }

    #[test]
    fn the_top_class_is_the_darkest() {
        assert_eq!(colour_of(&ROAD_COLOURS, 4, 4), ROAD_COLOURS[4]);
        assert_eq!(colour_of(&ROAD_COLOURS, 0, 4), ROAD_COLOURS[0]);
        assert_eq!(colour_of(&ROAD_COLOURS, 1, 1), ROAD_COLOURS[4]);
        assert_eq!(colour_of(&ROAD_COLOURS, 0, 0), ROAD_COLOURS[4]);
        assert_eq!(class_words(0, &[5.0, 10.0]), "under 5");
        assert_eq!(class_words(1, &[5.0, 1000.0]), "5 \u{2013} 1,000");
        assert_eq!(class_words(2, &[5.0, 10.0]), "10 and more");
    }
}
