//! Where the elements of a network lie: places of its nodes, lines of its links.

use urbis_city::model::City;

/// Farther from the city's buildings than this, m, a coordinate of a file is of another reference system.
const FAR_M: f64 = 100e3;

/// Columns by node and by link, metres in the city's reference system; what a network does not know is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Easting, northing; NaN where unknown.
    node_place: Vec<[f64; 2]>,
    /// Where the corners of each link begin in `corners`; one longer than links, or empty where all are straight.
    corner_start: Vec<u32>,
    corners: Vec<[f64; 2]>,
}

impl Layout {
    /// Of a network that was planned in the city.
    pub(crate) fn of_plan(node_place: Vec<[f64; 2]>, corner_start: Vec<u32>, corners: Vec<[f64; 2]>) -> Self {
        Self { node_place, corner_start, corners }
    }
    /// Of a file's nodes, whose coordinates are taken as those of the city unless they are far off.
    pub(crate) fn of_file(city: &City, places: impl Iterator<Item = Option<[f64; 2]>>) -> Self {
        let range = |column: &[f64]| {
            let ends =
                column.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &of| [low.min(of), high.max(of)]);
            ends[0] - FAR_M..=ends[1] + FAR_M
        };
        let (x_m, y_m) = (range(&city.buildings.x_m), range(&city.buildings.y_m));
        let near = |place: &[f64; 2]| x_m.contains(&place[0]) && y_m.contains(&place[1]);
        let node_place = places.map(|place| place.filter(near).unwrap_or([f64::NAN; 2])).collect();
        Self { node_place, ..Self::default() }
    }
    /// Easting, northing of a node.
    #[must_use]
    pub fn node(&self, node: usize) -> Option<[f64; 2]> {
        self.node_place.get(node).copied().filter(|place| place.iter().all(|of| of.is_finite()))
    }
    /// Line of a link between two nodes: its own, else straight; one place where it has no length.
    #[must_use]
    pub fn link(&self, link: usize, ends: [usize; 2]) -> Option<Vec<[f64; 2]>> {
        let span = self.corner_start.get(link).zip(self.corner_start.get(link + 1));
        let own = span.map(|(&from, &to)| self.corners[from as usize..to as usize].to_vec());
        let mut line = match own {
            Some(line) if !line.is_empty() => line,
            _ => vec![self.node(ends[0])?, self.node(ends[1])?],
        };
        line.dedup();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_their_own_line_or_a_straight_one() {
        let places = vec![[0.0, 0.0], [10.0, 0.0], [f64::NAN; 2]];
        let of = Layout::of_plan(places, vec![0, 3, 3], vec![[0.0, 0.0], [5.0, 2.0], [10.0, 0.0]]);
        assert_eq!(of.link(0, [0, 1]).unwrap().len(), 3);
        // The second has no corners, the third is not in the plan.
        assert_eq!(of.link(1, [0, 1]), Some(vec![[0.0, 0.0], [10.0, 0.0]]));
        assert_eq!(of.link(2, [0, 0]), Some(vec![[0.0, 0.0]]));
        assert_eq!((of.link(2, [0, 2]), of.node(2), of.node(7)), (None, None, None));
    }

    #[test]
    fn coordinates_of_other_systems_are_unknown() {
        let mut city = City::default();
        (city.buildings.x_m, city.buildings.y_m) = (vec![300e3, 301e3], vec![4e6, 4.001e6]);
        let places = [Some([300.5e3, 4.0005e6]), Some([7.4, 43.7]), None];
        let of = Layout::of_file(&city, places.into_iter());
        assert_eq!([0, 1, 2].map(|node| of.node(node).is_some()), [true, false, false]);
    }
}
