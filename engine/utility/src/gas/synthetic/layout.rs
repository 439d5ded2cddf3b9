//! Where gas comes from, which streets have mains at which pressure, and what lies behind each.
//!
//! A gate stands at the rim of the load of its stretch of streets: of the vertices farther from the centre than nine tenths of
//! the load, the one nearest to the centre; where the load takes several gates, each further one is the vertex of those farthest
//! from the gates before.
//!
//! Districts are cut from the tree from its far ends up: where the peak behind a vertex reaches the target, or the way behind it
//! would become longer than allowed, the vertex gets a regulator and what is above it does not see it any more.
//!
//! Contract: see [`crate::pipes::synthetic`].

use super::settings::{GasLevels, SyntheticGasSettings};
use crate::pipes::synthetic::coincidence::Sums;
use crate::pipes::synthetic::layout::{Forest, closures, grow};
use crate::streets::Streets;
use crate::streets::paths::NONE;
use urbis_city::model::City;

/// Share of the load within the circle that gates stand outside of.
const INNER_SHARE: f64 = 0.9;

/// What is laid along streets; columns by row of the forest.
pub(super) struct Layout {
    pub(super) forest: Forest,
    /// Row at the root of each.
    pub(super) root: Vec<u32>,
    /// Peaks behind each row at medium pressure, itself included; those behind regulators too.
    pub(super) medium: Vec<Sums>,
    /// Peaks behind each row at low pressure within its district, itself included.
    pub(super) low: Vec<Sums>,
    /// Whether there is a main of medium pressure.
    pub(super) has_medium: Vec<bool>,
    /// Whether low pressure is fed here by a regulator.
    pub(super) is_regulator: Vec<bool>,
    /// Whether low pressure runs here from the row before.
    pub(super) has_low: Vec<bool>,
    /// Row at which each building's service line begins; [`NONE`] where it takes no gas.
    pub(super) joint: Vec<u32>,
    /// Whether a building is supplied at medium pressure. Shape: buildings.
    pub(super) is_at_medium: Vec<bool>,
    /// Mains that close circles: rows, segment, length in metres, whether at low pressure.
    pub(super) closing: Vec<(u32, u32, u32, f64, bool)>,
}

pub(super) fn lay(
    city: &City,
    streets: &Streets,
    peak_w: &[f64],
    sums: &[Sums],
    settings: &SyntheticGasSettings,
) -> Layout {
    let vertices = streets.place.len();
    let is_taken = |building: usize| peak_w[building] > 0.0;
    let mut load = vec![Sums::default(); vertices];
    for building in (0..city.buildings.len()).filter(|&building| is_taken(building)) {
        load[streets.joint[building] as usize].add(&sums[building]);
    }
    let mut sources = Vec::new();
    for stretch in &streets.supplied {
        gates(streets, stretch, &load, settings, &mut sources);
    }
    let straight = (1000.0 * settings.route.straightness).round() as u64;
    let grown = grow(&streets.graph, &sources, straight, |_| true);
    let mut is_wanted: Vec<bool> = load.iter().map(|of| of.linear_w > 0.0).collect();
    sources.iter().for_each(|&source| is_wanted[source as usize] = true);
    let is_used = grown.used(&is_wanted);
    let (gap_m, around_m) = (settings.mesh_gap_m_max, settings.mesh_around_m_min);
    let closing = closures(&grown, &streets.graph, &is_used, gap_m, around_m, |_, _| true);
    for &(a, b, ..) in &closing {
        (is_wanted[a as usize], is_wanted[b as usize]) = (true, true);
    }
    let forest = grown.skeleton(&is_wanted);
    let mut row_of = vec![NONE; vertices];
    forest.vertex.iter().enumerate().for_each(|(row, &vertex)| row_of[vertex as usize] = row as u32);
    let rows = forest.len();
    let mut root: Vec<u32> = (0..rows as u32).collect();
    for row in 0..rows {
        if forest.before[row] != NONE {
            root[row] = root[forest.before[row] as usize];
        }
    }
    let is_two = settings.levels == GasLevels::Two;
    let is_at_medium: Vec<bool> =
        peak_w.iter().map(|&peak_w| !is_two || peak_w >= settings.medium_customer_peak_w_min).collect();
    let mut of = Layout {
        root,
        medium: vec![Sums::default(); rows],
        low: vec![Sums::default(); rows],
        has_medium: vec![false; rows],
        is_regulator: vec![false; rows],
        has_low: vec![false; rows],
        joint: vec![NONE; peak_w.len()],
        is_at_medium,
        closing: Vec::new(),
        forest,
    };
    for building in (0..peak_w.len()).filter(|&building| is_taken(building)) {
        let row = row_of[streets.joint[building] as usize];
        of.joint[building] = row;
        let level = if of.is_at_medium[building] { &mut of.medium } else { &mut of.low };
        level[row as usize].add(&sums[building]);
        of.has_medium[row as usize] |= of.is_at_medium[building];
    }
    let district = of.cut(settings);
    for (a, b, segment, length_mm) in closing {
        let (a, b) = (row_of[a as usize], row_of[b as usize]);
        let [at_a, at_b] = [a, b].map(|row| district[row as usize]);
        // At medium pressure wherever both ends have it, else within a district.
        let is_medium = of.has_medium[a as usize] && of.has_medium[b as usize];
        if is_medium || (at_a == at_b && at_a != NONE) {
            of.closing.push((a, b, segment, f64::from(length_mm) / 1000.0, !is_medium));
        }
    }
    of
}

impl Layout {
    /// Cuts districts and adds up what lies behind rows; the district of each row, by the row of its regulator.
    fn cut(&mut self, settings: &SyntheticGasSettings) -> Vec<u32> {
        let rows = self.forest.len();
        let mut way_m = vec![0.0_f64; rows];
        for row in (0..rows).rev() {
            let before = self.forest.before[row];
            let length_m = self.forest.length_m[row];
            if self.low[row].linear_w > 0.0 {
                let is_large = self.low[row].peak_w() >= settings.district_peak_w_target;
                let is_long = way_m[row] + length_m > settings.district_way_m_max;
                if before == NONE || is_large || is_long {
                    self.is_regulator[row] = true;
                    self.has_medium[row] = true;
                    let behind = self.low[row];
                    self.medium[row].add(&behind);
                } else {
                    self.has_low[row] = true;
                    let behind = self.low[row];
                    self.low[before as usize].add(&behind);
                    way_m[before as usize] = way_m[before as usize].max(way_m[row] + length_m);
                }
            }
            // A gate has medium pressure though nobody may hang on it directly.
            self.has_medium[row] |= before == NONE;
            if before != NONE && self.has_medium[row] {
                self.has_medium[before as usize] = true;
                let behind = self.medium[row];
                self.medium[before as usize].add(&behind);
            }
        }
        let mut district = vec![NONE; rows];
        for row in 0..rows {
            district[row] = match (self.is_regulator[row], self.has_low[row]) {
                (true, _) => row as u32,
                (_, true) => district[self.forest.before[row] as usize],
                _ => NONE,
            };
        }
        district
    }
}

/// Gates of a stretch of streets.
fn gates(streets: &Streets, stretch: &[u32], load: &[Sums], settings: &SyntheticGasSettings, sources: &mut Vec<u32>) {
    let mut whole = Sums::default();
    let mut moment = [0.0; 2];
    for &vertex in stretch {
        let ([x, y], w) = (streets.place[vertex as usize], load[vertex as usize].linear_w);
        whole.add(&load[vertex as usize]);
        moment = [moment[0] + w * x, moment[1] + w * y];
    }
    if whole.linear_w <= 0.0 {
        return;
    }
    let centre = moment.map(|of| of / whole.linear_w);
    let far_m = |vertex: u32, [x, y]: [f64; 2]| {
        let [at_x, at_y] = streets.place[vertex as usize];
        (at_x - x).hypot(at_y - y)
    };
    let mut by_distance: Vec<u32> = stretch.to_vec();
    by_distance.sort_by(|&a, &b| far_m(a, centre).total_cmp(&far_m(b, centre)).then(a.cmp(&b)));
    let mut within_w = 0.0;
    let mut inner = 0;
    for &vertex in &by_distance {
        within_w += load[vertex as usize].linear_w;
        if within_w > INNER_SHARE * whole.linear_w {
            break;
        }
        inner += 1;
    }
    let rim = &by_distance[inner.min(by_distance.len() - 1)..];
    let first = rim[0];
    sources.push(first);
    let count = (whole.peak_w() / settings.gate_peak_w_max).ceil().clamp(1.0, rim.len() as f64) as usize;
    let mut nearest_m: Vec<f64> = rim.iter().map(|&vertex| far_m(vertex, streets.place[first as usize])).collect();
    for _ in 1..count {
        let (mut next, mut most_m) = (0, 0.0);
        for (row, &m) in nearest_m.iter().enumerate() {
            if m > most_m {
                (next, most_m) = (row, m);
            }
        }
        if most_m <= 0.0 {
            break;
        }
        sources.push(rim[next]);
        let place = streets.place[rim[next] as usize];
        nearest_m.iter_mut().zip(rim).for_each(|(m, &vertex)| *m = m.min(far_m(vertex, place)));
    }
}
