//! Sizes and depths of sewers along their trees, from the ends down to the outfall.
//!
//! * Flow by the rational method: sealed area above times the intensity of the design rain for the time of
//!   concentration, that of the longest way above at full velocity, plus the peak of sewage. It does not fall on the way
//!   down.
//! * Diameter: the least of the catalogue that carries the flow at its slope by Manning's formula, no less than those
//!   above it; side by side where one does not do.
//! * Slope: that of the street where it falls enough, else the least of the diameter. Crowns meet in manholes; a pipe is
//!   covered by at least so much earth, at both ends.
//! * A manhole whose bottom would lie deeper than the greatest depth is a wet well, from which water is lifted to a
//!   manhole just below the street.

use super::settings::SyntheticSewerSettings;
use super::storm::intensity_mps;
use super::tree::Trees;
use crate::streets::paths::NONE;
use std::f64::consts::PI;

/// Inner diameters of concrete pipes, mm, as catalogues have them (recalled).
pub const DN_MM: [u32; 24] = [
    150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1600, 1800, 2000, 2200, 2400, 2600, 2800, 3000,
    3200, 3600, 4000,
];
/// From the street's last manhole to the works, m.
pub(super) const TO_WORKS_M: f64 = 50.0;
/// Depth of a wet well below the lowest pipe that comes in, m.
pub(super) const SUMP_M: f64 = 2.0;
/// What pumps lift over the design flow.
const PUMP_MARGIN: f64 = 1.1;

/// What comes into a vertex itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Own {
    pub(super) area_m2: f64,
    pub(super) sealed_m2: f64,
    pub(super) dry_m3ps: f64,
}

/// The sewer that leaves each vertex; columns by vertex of the streets.
#[derive(Clone, Debug, Default)]
pub(super) struct Designed {
    pub(super) dn: Vec<u32>,
    pub(super) barrels: Vec<u32>,
    /// Bottom where it begins and where it ends, m.
    pub(super) bottom_m: Vec<[f64; 2]>,
    pub(super) slope: Vec<f64>,
    pub(super) flow_m3ps: Vec<f64>,
    /// Bottom of the lowest pipe into a wet well, m; NaN where there is none.
    pub(super) well_m: Vec<f64>,
    /// What its pump lifts, m3/s.
    pub(super) lift_m3ps: Vec<f64>,
    /// Of all above and itself.
    pub(super) sealed_m2: Vec<f64>,
    pub(super) dry_m3ps: Vec<f64>,
    /// Longest time of concentration, s.
    pub(super) longest_s: f64,
}

/// Flow in a full pipe, m3/s, by Manning's formula.
pub(super) fn full_flow_m3ps(diameter_m: f64, slope: f64, roughness: f64) -> f64 {
    let area_m2 = 0.25 * PI * diameter_m * diameter_m;
    area_m2 * (0.25 * diameter_m).powf(2.0 / 3.0) * slope.sqrt() / roughness
}

struct Above {
    crown_m: f64,
    bottom_m: f64,
    time_s: f64,
    rain_m3ps: f64,
    dn: usize,
}

/// Sizes all sewers. `enlarged` is a factor of the flow that leaves each vertex.
pub(super) fn design(
    trees: &Trees,
    height_m: &[f64],
    own: &[Own],
    enlarged: &[f64],
    settings: &SyntheticSewerSettings,
) -> Designed {
    let count = height_m.len();
    let smallest = DN_MM.partition_point(|&dn| dn < settings.dn_mm_min).min(DN_MM.len() - 1);
    let mut of = Designed {
        dn: vec![0; count],
        barrels: vec![1; count],
        bottom_m: vec![[0.0; 2]; count],
        slope: vec![0.0; count],
        flow_m3ps: vec![0.0; count],
        well_m: vec![f64::NAN; count],
        lift_m3ps: vec![0.0; count],
        sealed_m2: own.iter().map(|own| own.sealed_m2).collect(),
        dry_m3ps: own.iter().map(|own| own.dry_m3ps).collect(),
        longest_s: 0.0,
    };
    let none = || Above { crown_m: f64::INFINITY, bottom_m: f64::INFINITY, time_s: 0.0, rain_m3ps: 0.0, dn: smallest };
    let mut above: Vec<Above> = (0..count).map(|_| none()).collect();
    for &vertex in trees.order.iter().rev() {
        let row = vertex as usize;
        let to = trees.down[row];
        let comes = &above[row];
        let duration_s = comes.time_s.max(60.0 * settings.duration_min_min);
        let rain_mps = intensity_mps(settings.rain_r15_lps_ha, duration_s, settings.return_period_y);
        let rain_m3ps = (rain_mps * settings.runoff_share * of.sealed_m2[row]).max(comes.rain_m3ps);
        let rain_m3ps = if settings.has_rain() { rain_m3ps } else { 0.0 };
        let flow_m3ps = enlarged[row] * (rain_m3ps + settings.sewage_peak_factor * of.dry_m3ps[row]);
        let highest_m = height_m[row] - settings.cover_m_min;
        let diameter_m = |at: usize| f64::from(DN_MM[at]) / 1000.0;
        // Where water comes in too deep, it is lifted.
        let lifts = height_m[row] - (comes.crown_m.min(highest_m) - diameter_m(comes.dn)) > settings.depth_m_max;
        let crown_m = if lifts { highest_m } else { comes.crown_m.min(highest_m) };
        if lifts {
            of.well_m[row] = comes.bottom_m;
            of.lift_m3ps[row] = PUMP_MARGIN * flow_m3ps.max(1e-3);
        }
        let (length_m, ground_m) = match to {
            NONE => (TO_WORKS_M, height_m[row]),
            to => (trees.length_m[row], height_m[to as usize]),
        };
        let of_street = (crown_m - (ground_m - settings.cover_m_min)) / length_m;
        let slope_of = |at: usize| of_street.max(settings.slope_min).max(1.0 / f64::from(DN_MM[at]));
        let carries =
            |at: usize| settings.filled_share_max * full_flow_m3ps(diameter_m(at), slope_of(at), settings.roughness);
        let at = (comes.dn..DN_MM.len()).find(|&at| carries(at) >= flow_m3ps).unwrap_or(DN_MM.len() - 1);
        let slope = slope_of(at);
        let end_m = crown_m - slope * length_m;
        of.dn[row] = DN_MM[at];
        of.barrels[row] = (flow_m3ps / carries(at)).ceil().clamp(1.0, 1e3) as u32;
        of.bottom_m[row] = [crown_m - diameter_m(at), end_m - diameter_m(at)];
        of.slope[row] = slope;
        of.flow_m3ps[row] = flow_m3ps;
        let full_m3ps = full_flow_m3ps(diameter_m(at), slope, settings.roughness);
        let velocity_mps = full_m3ps / (0.25 * PI * diameter_m(at) * diameter_m(at));
        let time_s = comes.time_s + length_m / velocity_mps;
        of.longest_s = of.longest_s.max(time_s);
        if to != NONE {
            let next = &mut above[to as usize];
            next.crown_m = next.crown_m.min(end_m);
            next.bottom_m = next.bottom_m.min(end_m - diameter_m(at));
            next.time_s = next.time_s.max(time_s);
            next.rain_m3ps = next.rain_m3ps.max(rain_m3ps);
            next.dn = next.dn.max(at);
            of.sealed_m2[to as usize] += of.sealed_m2[row];
            of.dry_m3ps[to as usize] += of.dry_m3ps[row];
        }
    }
    of
}
