//! Cycle and splits by Webster (1958, Road Research Technical Paper 39).
//!
//! With the load `y = flow / saturation flow` of the critical approach of each stage, `Y` their sum and `L`
//! the lost time of a cycle, delay is least near `C0 = (1.5 L + 5) / (1 - Y)`, kept within bounds, and with
//! greens `g = y / Y (C - L)`, none shorter than the least green. An overloaded junction gets the longest
//! cycle. His delay is `C (1 - l)^2 / (2 (1 - l x)) + x^2 / (2 q (1 - x))` less 5 to 15 % of it, with
//! `l = g / C` and `x = q / (l s)`.
//!
//! Ignored: coordination of cycles between junctions. Contract: pure; greens and lost times add up to the
//! cycle exactly.

use crate::time::{TICK, Time, from_seconds};
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// What timings keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimingSettings {
    /// Lost time of a stage: starting up and clearing less the amber that is used, seconds. HCM 2010 ch. 18: 4 s.
    pub lost_s: f64,
    /// Least green of a stage, seconds.
    pub green_s_min: f64,
    /// Shortest cycle, seconds.
    pub cycle_s_min: f64,
    /// Longest cycle, seconds; stages that need more at their least green get more.
    pub cycle_s_max: f64,
}

impl Default for TimingSettings {
    fn default() -> Self {
        Self { lost_s: 4.0, green_s_min: 7.0, cycle_s_min: 30.0, cycle_s_max: 120.0 }
    }
}

impl TimingSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every figure out of its range.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::new();
        let place = Path::new("signal timing");
        let longest = f64::from(super::plan::CYCLE_MAX / TICK);
        for (field, value, low, high) in [
            ("lost_s", self.lost_s, 0.0, 60.0),
            ("green_s_min", self.green_s_min, 0.0, 120.0),
            ("cycle_s_min", self.cycle_s_min, 1.0, longest),
            ("cycle_s_max", self.cycle_s_max, self.cycle_s_min, longest),
        ] {
            if !(low..=high).contains(&value) {
                problems.push(Problem::value(place, 1, None, field, value, format!("{low} to {high}")));
            }
        }
        problems.or_else(())
    }
}

/// A cycle and its greens, in 1/1024 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Whole cycle: all greens and lost times.
    pub cycle: Time,
    /// Effective green of each stage.
    pub greens: Vec<Time>,
}

/// Webster's best cycle in seconds, without bounds; infinite from `load` 1 on.
#[must_use]
pub fn cycle_s_best(lost_s: f64, load: f64) -> f64 {
    if load < 1.0 { (1.5 * lost_s + 5.0) / (1.0 - load) } else { f64::INFINITY }
}

/// Cycle and greens for stages whose critical approaches have these loads (flow over saturation flow, 0 or
/// more; anything else counts as 0). `extra_lost` is lost besides that of the stages, such as a stage for
/// people on foot. Without stages there is no green.
#[must_use]
pub fn webster(loads: &[f64], extra_lost: Time, settings: &TimingSettings) -> Timing {
    let stages = loads.len() as Time;
    let loads: Vec<f64> = loads.iter().map(|&load| if load.is_finite() { load.max(0.0) } else { 0.0 }).collect();
    let load: f64 = loads.iter().sum();
    let lost = from_seconds(settings.lost_s) * stages + extra_lost;
    let least = from_seconds(settings.green_s_min);
    let best_s = cycle_s_best(crate::time::to_seconds(lost), load);
    let cycle = from_seconds(best_s.clamp(settings.cycle_s_min, settings.cycle_s_max));
    // Whole seconds, as controllers have them.
    let cycle = cycle.next_multiple_of(TICK).max(lost + least * stages);
    Timing { cycle, greens: split(cycle - lost, &loads, least) }
}

/// Divides a span in proportion to weights, nobody below `least` (which must fit): who would be is given the
/// least and the others share what is left. The parts add up to the span.
fn split(span: Time, weights: &[f64], least: Time) -> Vec<Time> {
    let mut fixed = vec![false; weights.len()];
    loop {
        let open: f64 = weights.iter().zip(&fixed).filter(|(_, fixed)| !**fixed).map(|(weight, _)| weight).sum();
        let fixed_count = fixed.iter().filter(|fixed| **fixed).count();
        let left = f64::from(span) - f64::from(least) * fixed_count as f64;
        let open_count = (weights.len() - fixed_count) as f64;
        let share = |weight: f64| if open > 0.0 { left * weight / open } else { left / open_count };
        let short = (0..weights.len()).find(|&row| !fixed[row] && share(weights[row]) < f64::from(least));
        if let Some(row) = short.filter(|_| open_count > 1.0) {
            fixed[row] = true;
            continue;
        }
        // Cumulated shares are rounded, so the parts add up.
        let (mut exact, mut given, mut open_left) = (0.0, 0, weights.len() - fixed_count);
        return weights
            .iter()
            .zip(&fixed)
            .map(|(&weight, &fixed)| {
                if fixed {
                    return least;
                }
                exact += share(weight);
                open_left -= 1;
                let upto = if open_left == 0 { span - least * fixed_count as Time } else { exact.round() as Time };
                let part = upto - given;
                given = upto;
                part
            })
            .collect();
    }
}

/// Mean uniform delay, seconds a vehicle: regular arrivals `flow_vps` at a signal of this cycle and green, that
/// passes `saturation_vps` in green. Beyond capacity it is that at capacity: what queues up there is not
/// uniform delay.
#[must_use]
pub fn uniform_delay_s(cycle_s: f64, green_s: f64, saturation_vps: f64, flow_vps: f64) -> f64 {
    let share = (green_s / cycle_s).clamp(0.0, 1.0);
    let load = (flow_vps / saturation_vps).min(share);
    if load < 1.0 { cycle_s * (1.0 - share).powi(2) / (2.0 * (1.0 - load)) } else { 0.0 }
}

/// Webster's mean delay with random arrivals, seconds a vehicle, his empirical third term as 10 % off;
/// infinite from capacity on.
#[must_use]
pub fn webster_delay_s(cycle_s: f64, green_s: f64, saturation_vps: f64, flow_vps: f64) -> f64 {
    let degree = flow_vps * cycle_s / (green_s * saturation_vps);
    if flow_vps <= 0.0 {
        return uniform_delay_s(cycle_s, green_s, saturation_vps, 0.0);
    }
    if degree.is_nan() || degree >= 1.0 {
        return f64::INFINITY;
    }
    let random_s = degree * degree / (2.0 * flow_vps * (1.0 - degree));
    0.9 * (uniform_delay_s(cycle_s, green_s, saturation_vps, flow_vps) + random_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::to_seconds;

    const WIDE: TimingSettings = TimingSettings { lost_s: 5.0, green_s_min: 0.0, cycle_s_min: 1.0, cycle_s_max: 600.0 };

    #[test]
    fn the_cycle_of_the_textbook() {
        // L = 10 s, Y = 0.75: 20 / 0.25 = 80 s, of which 70 s in 8 : 7.
        let timing = webster(&[0.4, 0.35], 0, &WIDE);
        assert_eq!(timing.cycle, 80 * TICK);
        assert!((to_seconds(timing.greens[0]) - 70.0 * 8.0 / 15.0).abs() < 0.001);
        assert_eq!(timing.greens.iter().sum::<Time>(), 70 * TICK);
        // L = 12 s, Y = 0.65: 23 / 0.35 = 65.7 s.
        assert!((cycle_s_best(12.0, 0.65) - 65.714).abs() < 0.001);
        // Four stages, L = 16 s, Y = 0.8: 29 / 0.2 = 145 s, bounded to 120 s.
        let bounded = webster(&[0.2; 4], 0, &TimingSettings::default());
        assert_eq!((bounded.cycle, &bounded.greens[..]), (120 * TICK, &[26 * TICK; 4][..]));
        assert!(cycle_s_best(10.0, 1.0).is_infinite());
    }

    #[test]
    fn least_greens_are_kept_and_all_adds_up() {
        let settings = TimingSettings::default();
        for loads in [&[0.6, 0.01][..], &[0.0, 0.0], &[2.0, 0.5, 0.0], &[f64::NAN, -1.0], &[0.3; 9], &[0.5], &[]] {
            let extra = 15 * TICK;
            let timing = webster(loads, extra, &settings);
            let lost = from_seconds(settings.lost_s) * loads.len() as Time + extra;
            if !loads.is_empty() {
                assert_eq!(timing.greens.iter().sum::<Time>() + lost, timing.cycle, "{loads:?}");
            }
            assert!(timing.greens.iter().all(|&green| green >= from_seconds(settings.green_s_min)), "{timing:?}");
            assert!(timing.cycle >= 30 * TICK);
        }
        let timing = webster(&[0.6, 0.01], 0, &settings);
        assert_eq!(timing.greens[1], 7 * TICK);
    }

    #[test]
    fn delay_near_the_best_cycle_is_near_its_least() {
        for (a, b) in [(0.2, 0.15), (0.3, 0.25), (0.45, 0.25), (0.4, 0.4)] {
            let (saturation, lost) = (0.5, 10.0);
            let delay = |cycle: f64| -> f64 {
                let one = |y: f64| {
                    let green = y / (a + b) * (cycle - lost);
                    y * webster_delay_s(cycle, green, saturation, y * saturation)
                };
                (one(a) + one(b)) / (a + b)
            };
            let least = (20..400).map(|cycle| delay(f64::from(cycle))).fold(f64::INFINITY, f64::min);
            let best = delay(cycle_s_best(lost, a + b));
            assert!(best < 1.05 * least, "{a} {b}: {best} s, least {least} s");
        }
    }

    #[test]
    fn uniform_delay_is_what_arrives_and_leaves() {
        assert!((uniform_delay_s(60.0, 30.0, 0.8, 0.3) - 12.0).abs() < 1e-9);
        // Area between cumulated arrivals and departures over one cycle, in small steps.
        for (cycle, green, saturation, flow) in [(60.0, 30.0, 0.8, 0.3), (90.0, 25.0, 0.5, 0.1), (40.0, 36.0, 1.0, 0.2)]
        {
            let (mut queue, mut area, step) = (0.0_f64, 0.0, 0.001);
            for nth in 0..(cycle / step) as u32 {
                let red = f64::from(nth) * step < cycle - green;
                queue = (queue + flow * step - if red { 0.0 } else { saturation * step }).max(0.0);
                area += queue * step;
            }
            let delay = uniform_delay_s(cycle, green, saturation, flow);
            assert!((area / (flow * cycle) / delay - 1.0).abs() < 1e-3, "{delay}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(TimingSettings::default().check().is_ok());
        let wrong = TimingSettings { lost_s: -1.0, cycle_s_max: 10.0, ..TimingSettings::default() };
        let urbis_core::Error::Input(problems) = wrong.check().unwrap_err() else { panic!() };
        assert_eq!(problems.len(), 2);
    }
}
