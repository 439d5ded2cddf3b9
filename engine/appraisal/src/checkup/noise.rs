//! Road noise at buildings: RLS-19 (Richtlinien fuer den Laermschutz an Strassen, 2019) in its free-field form, from the
//! flows and speeds of links by hour.
//!
//! ```text
//! L_W,car(v) = 88.0 + 10 lg(1 + (v / 20)^3.06)                     one car, v in km/h, at least 30
//! L_W'       = 10 lg M + L_W,car(v) - 10 lg v - 30                  a line, for each metre, M vehicles an hour
//! L          = sum over pieces of L_W' + 10 lg l - 20 lg s - 10 lg(2 pi) - s / 200 - max(4.8 - h / s (34 + 600 / s), 0)
//! Lden       = 10 lg (12 x 10^(Ld/10) + 4 x 10^((Le+5)/10) + 8 x 10^((Ln+10)/10)) / 24
//! ```
//!
//! A piece lies at the middle of its link and is heard within 300 m, from at least 3 m; `h` is the mean height of the way,
//! 2.25 m for a facade at 4 m. Day is 7 to 19, evening 19 to 23, night 23 to 7 (Directive 2002/49/EC).
//!
//! Ignored: lorries and two-wheelers (every vehicle sounds as a car), screening and reflection by buildings, surfaces,
//! slopes, junctions, other sources. So levels behind the first row of houses are too high, those by roads with many
//! lorries too low. Contract: pure functions, sums in the order of links; the same bits everywhere.

use super::facts::Facts;
use super::network::Points;
use super::places::City;
use super::roads::{HOURS, LinkHours, Links};
use geo::LineString;
use urbis_core::{Problems, Result};

/// Exposure counts above.
pub(crate) const LIMIT_DB: f64 = 55.0;
/// How far a road is heard, metres.
const REACH_M: f64 = 300.0;
/// Nearest that a facade comes to a line, metres.
const NEAREST_M: f64 = 3.0;
/// Longest piece of a link, metres.
const PIECE_M: f64 = 25.0;
/// Mean height of the way from the road to a facade at 4 m, metres.
const MEAN_HEIGHT_M: f64 = 2.25;
/// Slowest speed of the standard, km/h.
const SPEED_KMH_MIN: f64 = 30.0;

/// Sound power of a line for each metre, dB: so many cars an hour at a speed; none without any.
fn line_db(vehicles_per_h: f64, speed_kmh: f64) -> Option<f64> {
    let v = speed_kmh.max(SPEED_KMH_MIN);
    let car = 88.0 + 10.0 * (1.0 + (v / 20.0).powf(3.06)).log10();
    (vehicles_per_h > 0.0).then(|| 10.0 * vehicles_per_h.log10() + car - 10.0 * v.log10() - 30.0)
}

/// What is lost between a piece and a facade, dB.
fn loss_db(distance_m: f64) -> f64 {
    let s = distance_m.max(NEAREST_M);
    let ground = (4.8 - MEAN_HEIGHT_M / s * (34.0 + 600.0 / s)).max(0.0);
    20.0 * s.log10() + 10.0 * std::f64::consts::TAU.log10() + s / 200.0 + ground
}

/// Weight of an hour in Lden: that of its energy.
fn weight(hour: usize) -> f64 {
    match hour {
        7..19 => 1.0,
        19..23 => 10.0_f64.powf(0.5),
        _ => 10.0,
    }
}

/// Mean weighted power of a metre of a link over a day, from vehicles and seconds of each hour of the period.
fn power(vehicles: &[f32], seconds: &[f32], length_m: f64, vehicles_for_each: f64) -> f64 {
    let of_hour = |hour: usize| {
        let (count, time_s) = (f64::from(vehicles[hour]), f64::from(seconds[hour]));
        let speed_kmh = if time_s > 0.0 { 3.6 * count * length_m / time_s } else { 0.0 };
        line_db(count * vehicles_for_each, speed_kmh).map_or(0.0, |db| weight(hour) * 10.0_f64.powf(db / 10.0))
    };
    (0..HOURS).map(of_hour).sum::<f64>() / HOURS as f64
}

/// Lden at every building, dB; negative infinity where no road is heard.
pub(crate) fn levels_db(facts: &Facts<'_>, links: &Links, city: &City, hours: &LinkHours) -> Result<Vec<f64>> {
    let (layer, mut problems) = (facts.run.layer("links")?, Problems::new());
    let lines: Vec<LineString> = layer.geometry("LineString", |shape| shape.try_into().ok(), &mut problems);
    problems.or_else(())?;
    let (mut places, mut powers) = (Vec::new(), Vec::new());
    for (row, line) in lines.iter().enumerate() {
        let span = row * HOURS..(row + 1) * HOURS;
        let a_metre =
            power(&hours.vehicles[span.clone()], &hours.seconds[span], links.length_m[row], facts.scale / facts.days);
        if a_metre <= 0.0 {
            continue;
        }
        let points: Vec<[f64; 2]> = line.points().map(|point| city.metres(point)).collect();
        for ends in points.windows(2) {
            let length_m = super::network::distance_m(ends[0], ends[1]);
            let pieces = (length_m / PIECE_M).ceil().max(1.0);
            for piece in 0..pieces as usize {
                let at = (piece as f64 + 0.5) / pieces;
                places.push([0, 1].map(|axis| ends[0][axis] + at * (ends[1][axis] - ends[0][axis])));
                powers.push(a_metre * length_m / pieces);
            }
        }
    }
    let points = Points::new(places, REACH_M / 3.0);
    let level = |&at: &[f64; 2]| {
        let mut sum = 0.0;
        points.within(at, REACH_M, |piece, far_m| {
            sum += powers[piece as usize] * 10.0_f64.powf(-loss_db(far_m) / 10.0);
        });
        10.0 * f64::log10(sum)
    };
    Ok(city.buildings.at.iter().map(level).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_straight_road_is_that_of_its_integral() {
        // 1,000 cars an hour at 50 km/h: L_W,car = 88 + 10 lg(1 + 2.5^3.06) = 100.42 dB.
        let line = line_db(1000.0, 50.0).unwrap();
        assert!((line - (30.0 + 100.424 - 16.990 - 30.0)).abs() < 0.01, "{line}");
        // Without air and ground an endless line gives 1 / (2 s) of its power a metre: here at 25 m, summed by pieces.
        let s = 25.0;
        let sum: f64 = (-4000..4000)
            .map(|n| {
                let far = (s * s + ((f64::from(n) + 0.5) * 5.0).powi(2)).sqrt();
                5.0 / (std::f64::consts::TAU * far * far)
            })
            .sum();
        assert!((sum - 1.0 / (2.0 * s)).abs() < 1e-3 / s, "{sum}");
        // The loss of a piece is its spreading, the air, and the ground, which takes nothing near the road.
        assert!((loss_db(10.0) - (20.0 + 7.982 + 0.05)).abs() < 1e-3);
        assert!((loss_db(200.0) - (46.021 + 7.982 + 1.0 + 4.8 - 2.25 / 200.0 * 37.0)).abs() < 1e-3);
        assert!(loss_db(1.0) >= loss_db(0.1) && line_db(0.0, 50.0).is_none());
        assert!((line_db(10.0, 10.0).unwrap() - line_db(10.0, 30.0).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn hours_weigh_as_in_lden() {
        // The same flow in every hour: 10 lg((12 + 4 x 3.1623 + 8 x 10) / 24) = 6.40 dB above one hour's level.
        let (vehicles, seconds) = ([100.0_f32; HOURS], [7200.0_f32; HOURS]);
        let flat = 10.0 * power(&vehicles, &seconds, 1000.0, 1.0).log10();
        let one = line_db(100.0, 50.0).unwrap();
        assert!((flat - one - 6.395).abs() < 0.01, "{}", flat - one);
    }
}
