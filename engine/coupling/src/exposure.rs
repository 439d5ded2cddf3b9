//! Noise and exhaust of traffic where people are: hour by hour, at every building, for those who are in it then, not for
//! those who live there.
//!
//! **Noise.** A road is a line of incoherent points over hard ground. Seen from a distance `d` under an angle `theta`, one that
//! radiates `W` watts a metre brings
//!
//! ```text
//! I = W theta / (2 pi d)        W/m2;   level = 10 lg(I / 1e-12), A-weighted
//! ```
//!
//! with `W` of CNOSSOS-EU ([`urbis_traffic::noise`]). Exceedance is of the level of the hour, LAeq,1h.
//!
//! **Exhaust.** NOx of a source on the ground, averaged over all wind directions (D. B. Turner, Workbook of atmospheric
//! dispersion estimates, 1970, its sector average over the full circle):
//!
//! ```text
//! C = sqrt(2 / pi) Q / (2 pi r u sigma_z(r)),    sigma_z = sigma_0 + 0.14 r / sqrt(1 + 0.0003 r)
//! ```
//!
//! (G. A. Briggs's curve for towns under a neutral sky, 1973), with a wake of `sigma_0` = 1.5 m and wind of 2 m/s (both
//! estimates). A link counts as pieces of at most ten metres.
//!
//! Ignored: walls and other buildings, which shield and reflect, hills, the wind's own directions, chemistry, background,
//! roads farther than [`REACH_M`], people outside buildings. Speeds are those measured last.
//! Contract: rows of buildings, each a sum in order of links; same bits on any number of threads.

use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use rayon::prelude::*;
use urbis_city::model::City;
use urbis_core::chunks::CHUNK_ROWS;
use urbis_core::{CarLinkIx, Clock};
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{People, Places};
use urbis_traffic::emissions::{CLASSES, Travel};
use urbis_traffic::noise::{Noise, Road};
use urbis_traffic::{CarNetwork, EmissionFactors, Traffic};

/// Farthest road that counts, metres.
pub const REACH_M: f64 = 200.0;
/// Nearest that a road comes to a facade, metres.
const NEAREST_M: f64 = 4.0;
const PIECE_M: f64 = 10.0;
const WIND_MPS: f64 = 2.0;
const WAKE_M: f64 = 1.5;
/// Levels above which people are counted, dB(A).
pub const LEVELS_DB: [f64; 2] = [55.0, 65.0];
const HOUR_S: u32 = 3600;

/// Intensity over power per metre of a straight road, from `a` to `b`, at a place: `theta / (2 pi d)`, 1/m.
#[must_use]
pub fn noise_factor(a: [f64; 2], b: [f64; 2], at: [f64; 2]) -> f64 {
    let (along, length) = ([b[0] - a[0], b[1] - a[1]], (b[0] - a[0]).hypot(b[1] - a[1]));
    if length <= 0.0 {
        return 0.0;
    }
    let unit = [along[0] / length, along[1] / length];
    let to = [at[0] - a[0], at[1] - a[1]];
    let (x, y) = (to[0] * unit[0] + to[1] * unit[1], (to[0] * unit[1] - to[1] * unit[0]).abs().max(NEAREST_M));
    let angle = ((length - x) / y).atan() + (x / y).atan();
    angle / (std::f64::consts::TAU * y)
}

/// Concentration over emission per metre of a straight road at a place, s/m2.
#[must_use]
pub fn exhaust_factor(a: [f64; 2], b: [f64; 2], at: [f64; 2]) -> f64 {
    let length = (b[0] - a[0]).hypot(b[1] - a[1]);
    let pieces = (length / PIECE_M).ceil().max(1.0) as usize;
    let step_m = length / pieces as f64;
    let of_piece = |piece: usize| {
        let share = (piece as f64 + 0.5) / pieces as f64;
        let r_m = (a[0] + share * (b[0] - a[0]) - at[0]).hypot(a[1] + share * (b[1] - a[1]) - at[1]).max(NEAREST_M);
        let sigma_m = WAKE_M + 0.14 * r_m / (1.0 + 0.0003 * r_m).sqrt();
        (2.0 / std::f64::consts::PI).sqrt() / (std::f64::consts::TAU * r_m * WIND_MPS * sigma_m)
    };
    (0..pieces).map(of_piece).sum::<f64>() * step_m
}

/// A road as a building sees it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    link: u32,
    noise_per_m: f32,
    exhaust_s_per_m2: f32,
}

/// What people are exposed to; columns by zone are of the hour that ended last.
#[derive(Debug, Resource)]
pub struct Exposure {
    noise: Noise,
    start: Vec<u32>,
    seen: Vec<Seen>,
    left_before: Vec<u32>,
    sound_w_per_m: Vec<f64>,
    nox_g_per_m_s: Vec<f64>,
    /// Level at each building, dB(A); minus infinity where no road sounds. Shape: buildings.
    pub level_db: Vec<f64>,
    /// NOx of traffic at each building, micrograms/m3. Shape: buildings.
    pub nox_ug_per_m3: Vec<f64>,
    /// Persons in buildings.
    pub persons: Vec<u64>,
    /// Those of them above each of [`LEVELS_DB`].
    pub above: [Vec<u64>; 2],
    /// Sum of NOx over persons.
    pub nox_persons: Vec<f64>,
    /// Person hours since the start: all, above each level.
    pub total: [u64; 3],
    /// Sum of NOx over person hours since the start.
    pub total_nox: f64,
}

impl Exposure {
    /// Of a city's buildings to its roads.
    #[must_use]
    pub fn new(city: &City, network: &CarNetwork) -> Self {
        let ends = |link: usize| {
            let node = |node: u32| [network.x_m[node as usize], network.y_m[node as usize]];
            (node(network.from[link]), node(network.to[link]))
        };
        // Links by the western end of what they can reach, so that a building looks at a strip.
        let mut by_x: Vec<(f64, u32)> = (0..network.links())
            .map(|link| {
                let (a, b) = ends(link);
                (a[0].min(b[0]), link as u32)
            })
            .collect();
        by_x.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let longest_m = (0..network.links())
            .map(|link| {
                let (a, b) = ends(link);
                (a[0] - b[0]).abs()
            })
            .fold(0.0, f64::max);
        let of_building = |building: usize| {
            let at = [city.buildings.x_m[building], city.buildings.y_m[building]];
            let first = by_x.partition_point(|of| of.0 < at[0] - REACH_M - longest_m);
            let strip = by_x[first..].iter().take_while(|of| of.0 <= at[0] + REACH_M);
            let mut seen: Vec<Seen> = strip
                .filter_map(|&(_, link)| {
                    let (a, b) = ends(link as usize);
                    (distance_m(a, b, at) <= REACH_M).then(|| Seen {
                        link,
                        noise_per_m: noise_factor(a, b, at) as f32,
                        exhaust_s_per_m2: exhaust_factor(a, b, at) as f32,
                    })
                })
                .collect();
            seen.sort_by_key(|of| of.link);
            seen
        };
        let rows: Vec<Vec<Seen>> = (0..city.buildings.len()).into_par_iter().map(of_building).collect();
        let mut start = vec![0_u32];
        rows.iter().for_each(|row| start.push(start[start.len() - 1] + row.len() as u32));
        let zones = city.zones.len();
        Self {
            noise: Noise::default(),
            start,
            seen: rows.concat(),
            left_before: vec![0; network.links()],
            sound_w_per_m: vec![0.0; network.links()],
            nox_g_per_m_s: vec![0.0; network.links()],
            level_db: vec![f64::NEG_INFINITY; city.buildings.len()],
            nox_ug_per_m3: vec![0.0; city.buildings.len()],
            persons: vec![0; zones],
            above: [vec![0; zones], vec![0; zones]],
            nox_persons: vec![0.0; zones],
            total: [0; 3],
            total_nox: 0.0,
        }
    }
    /// What reaches each building in an hour in which links radiate and emit so.
    fn spread(&mut self) {
        let Self { start, seen, sound_w_per_m, nox_g_per_m_s, level_db, nox_ug_per_m3, .. } = self;
        let (start, seen, sound, nox) = (&*start, &*seen, &*sound_w_per_m, &*nox_g_per_m_s);
        let columns = level_db.par_chunks_mut(CHUNK_ROWS).zip(nox_ug_per_m3.par_chunks_mut(CHUNK_ROWS)).enumerate();
        columns.for_each(|(chunk, (levels, concentrations))| {
            for (at, (level, concentration)) in levels.iter_mut().zip(concentrations).enumerate() {
                let building = chunk * CHUNK_ROWS + at;
                let (mut intensity, mut g_per_m3) = (0.0, 0.0);
                for of in &seen[start[building] as usize..start[building + 1] as usize] {
                    intensity += f64::from(of.noise_per_m) * sound[of.link as usize];
                    g_per_m3 += f64::from(of.exhaust_s_per_m2) * nox[of.link as usize];
                }
                *level = if intensity > 0.0 { 10.0 * (intensity / 1e-12).log10() } else { f64::NEG_INFINITY };
                *concentration = g_per_m3 * 1e6;
            }
        });
    }
}

/// Distance of a place from a straight line, metres.
fn distance_m(a: [f64; 2], b: [f64; 2], at: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let to = [at[0] - a[0], at[1] - a[1]];
    let share = if square > 0.0 { ((to[0] * along[0] + to[1] * along[1]) / square).clamp(0.0, 1.0) } else { 0.0 };
    (to[0] - share * along[0]).hypot(to[1] - share * along[1])
}

/// Exposes the people who are in buildings at the end of each hour to the traffic of that hour.
#[allow(clippy::too_many_arguments)] // a coupling reads both sides
pub fn expose_people(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    model: Res<'_, PopulationModel>,
    network: Res<'_, CarNetwork>,
    traffic: Res<'_, Traffic>,
    factors: Res<'_, EmissionFactors>,
    exposure: Option<ResMut<'_, Exposure>>,
) {
    let Some(mut exposure) = exposure.filter(|_| clock.ends_interval(HOUR_S)) else { return };
    let exposure = &mut *exposure;
    // Vehicles of the sample stand for all.
    let scale = 1.0 / model.sample_factor;
    let engine = traffic.engine();
    for (link, &time_ms) in traffic.travel_times_ms().iter().enumerate() {
        let left = engine.passed(CarLinkIx(link as u32)).1;
        let vehicles = f64::from(left.wrapping_sub(exposure.left_before[link])) * scale;
        exposure.left_before[link] = left;
        (exposure.sound_w_per_m[link], exposure.nox_g_per_m_s[link]) = (0.0, 0.0);
        let length_m = network.length_m[link];
        if vehicles > 0.0 && length_m > 0.0 {
            let speed_mps = length_m / (f64::from(time_ms.max(1)) / 1000.0);
            let mut vehicle_km = [0.0; CLASSES];
            vehicle_km[0] = vehicles * length_m / 1000.0;
            let travel = Travel::at_speed(vehicle_km, speed_mps);
            let sound = exposure.noise.link(&travel, length_m, 1.0, &Road::default());
            exposure.sound_w_per_m[link] = sound.a_weighted_w_per_m();
            exposure.nox_g_per_m_s[link] = factors.0.link_interval(&travel).nox_g / length_m / f64::from(HOUR_S);
        }
    }
    exposure.spread();
    exposure.persons.fill(0);
    exposure.above.iter_mut().for_each(|above| above.fill(0));
    exposure.nox_persons.fill(0.0);
    for (building, &persons) in people.present[..places.buildings()].iter().enumerate() {
        let (zone, persons) = (city.buildings.zone[building].row(), u64::from(persons));
        exposure.persons[zone] += persons;
        for (above, level_db) in exposure.above.iter_mut().zip(LEVELS_DB) {
            above[zone] += if exposure.level_db[building] > level_db { persons } else { 0 };
        }
        exposure.nox_persons[zone] += exposure.nox_ug_per_m3[building] * persons as f64;
    }
    exposure.total[0] += exposure.persons.iter().sum::<u64>();
    exposure.total[1] += exposure.above[0].iter().sum::<u64>();
    exposure.total[2] += exposure.above[1].iter().sum::<u64>();
    exposure.total_nox += exposure.nox_persons.iter().sum::<f64>();
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn an_endless_road_is_three_decibels_less_at_twice_the_distance() {
        let factor = |d_m: f64| noise_factor([-1e6, 0.0], [1e6, 0.0], [0.0, d_m]);
        // I = W / (2 d) where the whole road is seen.
        for d_m in [10.0, 20.0, 80.0] {
            assert!((factor(d_m) * 2.0 * d_m - 1.0).abs() < 1e-4, "{}", factor(d_m));
        }
        assert!((10.0 * (factor(10.0) / factor(20.0)).log10() - 3.0103).abs() < 1e-3);
        // Far from a short piece it is a point: I = W l / (2 pi r2).
        let piece = noise_factor([-0.5, 0.0], [0.5, 0.0], [0.0, 100.0]);
        assert!((piece * std::f64::consts::TAU * 1e4 - 1.0).abs() < 1e-4);
        // Two halves are the whole.
        let at = [13.0, 25.0];
        let whole = noise_factor([-100.0, 0.0], [150.0, 0.0], at);
        let halves = noise_factor([-100.0, 0.0], [40.0, 0.0], at) + noise_factor([40.0, 0.0], [150.0, 0.0], at);
        assert!((whole / halves - 1.0).abs() < 1e-12);
    }

    #[test]
    fn exhaust_thins_with_distance_as_the_formula_says() {
        // A piece of one metre at 100 m, by hand: sigma = 1.5 + 14 / sqrt(1.03).
        let sigma_m = 1.5 + 14.0 / 1.03_f64.sqrt();
        let expected = (2.0 / std::f64::consts::PI).sqrt() / (std::f64::consts::TAU * 100.0 * 2.0 * sigma_m);
        let found = exhaust_factor([-0.5, 0.0], [0.5, 0.0], [0.0, 100.0]);
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        let of = |d_m| exhaust_factor([-300.0, 0.0], [300.0, 0.0], [0.0, d_m]);
        assert!(of(10.0) > of(20.0) && of(20.0) > of(100.0) && of(0.0).is_finite());
    }
}
