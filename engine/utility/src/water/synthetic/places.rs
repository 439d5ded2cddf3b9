//! Where tanks and waterworks stand.
//!
//! A tank stands on ground at the height of its bottom, if streets lead there from the highest place of its zone within
//! what its main may be long, or else on a tower, on high ground near the middle of the zone. Waterworks stand on the
//! lowest ground of their zone, as far from the tank as it goes, so that the zone is fed from two sides at peak.
//!
//! Contract: sequential, ties to the lower row.

use super::Basis;
use super::zones::ZonePlan;
use crate::streets::paths::Search;

/// How far ground may lie from the bottom of a tank that stands on it, metres: dug in below it, or banked up.
const ON_GROUND_M: f64 = 4.0;
/// Places within this of the highest or the lowest ground will do, metres.
const NEAR_BEST_M: f64 = 3.0;

/// A tank as planned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TankPlace {
    /// Vertex of its zone that its main leads from.
    pub(super) vertex: u32,
    /// Segments of streets to it, each with the vertex that it leads to; none where it stands beside.
    pub(super) way: Vec<(u32, u32)>,
    pub(super) length_m: f64,
    pub(super) ground_m: f64,
}

/// Length of the main of a tank or station that stands beside its vertex, metres.
pub(super) const BESIDE_M: f64 = 20.0;

/// Finds a place for the tank of a zone.
pub(super) fn tank(basis: &Basis<'_>, zone: &ZonePlan, search: &mut Search) -> TankPlace {
    let streets = basis.streets;
    let height = |vertex: u32| streets.height_m[vertex as usize];
    let highest_m = zone.vertices.iter().map(|&vertex| height(vertex)).fold(f64::NEG_INFINITY, f64::max);
    let fits = |vertex: u32| (height(vertex) - zone.head_m).abs() <= ON_GROUND_M;
    let tops = || zone.vertices.iter().copied().filter(|&vertex| height(vertex) >= highest_m - NEAR_BEST_M);
    let tower = nearest(basis, tops(), basis.middle(&zone.vertices)).unwrap_or(zone.vertices[0]);
    let beside = TankPlace { vertex: tower, way: Vec::new(), length_m: BESIDE_M, ground_m: height(tower) };
    if !streets.has_heights || fits(tower) {
        return beside;
    }
    let far_mm = (1000.0 * basis.settings.tank_main_m_max) as u64;
    let mut found = None;
    // The search ends where ground fits or the main would be too long; vertices settle by distance.
    let top = tops().max_by(|&a, &b| height(a).total_cmp(&height(b)).then(b.cmp(&a))).unwrap_or(tower);
    search.run(
        &streets.graph,
        top,
        |_| true,
        |vertex| {
            if fits(vertex) {
                found = Some(vertex);
            }
            found.is_some()
        },
    );
    let Some(ground) = found.filter(|&vertex| search.dist_mm(vertex).is_some_and(|mm| mm <= far_mm)) else {
        return beside;
    };
    let length_m = search.dist_mm(ground).map_or(BESIDE_M, |mm| mm as f64 / 1000.0).max(BESIDE_M);
    TankPlace { vertex: top, way: search.way(ground), length_m, ground_m: height(ground) }
}

/// Finds a vertex for the waterworks of a zone.
pub(super) fn works(basis: &Basis<'_>, zone: &ZonePlan, tank: &TankPlace) -> u32 {
    let streets = basis.streets;
    let height = |vertex: u32| streets.height_m[vertex as usize];
    let lowest_m = zone.vertices.iter().map(|&vertex| height(vertex)).fold(f64::INFINITY, f64::min);
    let [x, y] = streets.place[tank.vertex as usize];
    let far = |vertex: u32| {
        let [vx, vy] = streets.place[vertex as usize];
        (vx - x).hypot(vy - y)
    };
    let low = zone.vertices.iter().copied().filter(|&vertex| height(vertex) <= lowest_m + NEAR_BEST_M);
    low.max_by(|&a, &b| far(a).total_cmp(&far(b)).then(b.cmp(&a))).unwrap_or(tank.vertex)
}

/// Of some vertices the one that is nearest to a place.
fn nearest(basis: &Basis<'_>, of: impl Iterator<Item = u32>, [x, y]: [f64; 2]) -> Option<u32> {
    let far = |vertex: u32| {
        let [vx, vy] = basis.streets.place[vertex as usize];
        (vx - x).hypot(vy - y)
    };
    of.min_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.cmp(&b)))
}
