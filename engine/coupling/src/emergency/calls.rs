//! Calls drawn from the people who are present.
//!
//! In each building and step the number of calls of a kind is Poisson with mean `persons * rate(hour) * seconds`; each
//! simulated person stands for several. One uniform number a building, step and kind decides it by inversion, so of two
//! scenarios with one seed the one with more people in a building has the same calls there and perhaps more. When in
//! the step a call comes, how urgent it is, how long it takes and whether somebody goes to hospital follow from the
//! same stream. Service on the scene is lognormal.
//!
//! Ignored: who is present (age), weekdays and seasons, calls of people on their way, calls that cause others.
//! Contract: buildings in constant chunks, joined in order, then sorted by time, kind and building: the same on any
//! number of threads.

use super::dispatch::ServiceKind;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::rng::Rng;

/// Purpose of the random numbers of the first kind; the others follow.
const PURPOSE: u32 = 0x454D_0001;
/// Mean of a Poisson number that is drawn in one go: its probability of none is still a number.
const MEAN_MAX: f64 = 100.0;

/// Calls of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// Calls of a person and second, by hour of the day.
    pub per_person_s: [f64; 24],
    /// Share of urgent calls.
    pub urgent_share: f64,
    /// Units that a call needs.
    pub units: u32,
    /// Mean service on the scene, s.
    pub scene_s: f64,
    /// Its standard deviation over its mean.
    pub scene_spread: f64,
    /// Share of calls after which somebody is taken to a hospital.
    pub transported_share: f64,
}

/// A step in which calls come.
#[derive(Clone, Copy, Debug)]
pub struct CallStep {
    /// Seed of the run.
    pub seed: u64,
    /// Its first tick.
    pub tick: u32,
    /// Its length, s.
    pub seconds: u32,
    /// Hour of the day.
    pub hour: usize,
    /// How many persons each simulated one stands for.
    pub persons_each: f64,
}

/// A call that was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DrawnCall {
    /// When in the step, ms.
    pub offset_ms: u32,
    /// Kind.
    pub kind: ServiceKind,
    /// Building.
    pub building: u32,
    /// Urgency.
    pub priority: u8,
    /// Service on the scene, ms.
    pub scene_ms: u32,
    /// Whether somebody is taken to a hospital.
    pub is_transported: bool,
}

/// What a call is like, by its place in a stream.
pub fn details(rate: &Rate, rng: &mut Rng) -> (u8, u32, bool) {
    let priority = if rng.chance(rate.urgent_share) { 1 } else { 2 };
    let scene_ms = (1000.0 * lognormal(rate.scene_s, rate.scene_spread, rng.normal())).round();
    (priority, scene_ms.min(f64::from(u32::MAX)) as u32, rng.chance(rate.transported_share))
}

/// The calls of a step, in order of time, kind and building. Shape of `present`: buildings.
#[must_use]
pub fn draw(step: CallStep, present: &[u32], rates: &[Rate; ServiceKind::COUNT]) -> Vec<DrawnCall> {
    let mut drawn = map_chunks(present.len(), CHUNK_ROWS, |range| {
        let mut drawn = Vec::new();
        for building in range.filter(|&building| present[building] > 0) {
            let person_s = f64::from(present[building]) * step.persons_each * f64::from(step.seconds);
            for (kind, _) in ServiceKind::NAMED {
                let rate = &rates[kind as usize];
                let mean = person_s * rate.per_person_s[step.hour];
                if mean <= 0.0 {
                    continue;
                }
                let mut rng = Rng::new(step.seed, building as u32, step.tick, PURPOSE + kind as u32);
                for _ in 0..poisson(mean, &mut rng) {
                    let offset_ms = rng.below(1000 * step.seconds);
                    let (priority, scene_ms, is_transported) = details(rate, &mut rng);
                    let building = building as u32;
                    drawn.push(DrawnCall { offset_ms, kind, building, priority, scene_ms, is_transported });
                }
            }
        }
        drawn
    })
    .concat();
    drawn.sort_unstable();
    drawn
}

/// A Poisson number by inversion; large means in parts.
fn poisson(mean: f64, rng: &mut Rng) -> u32 {
    let (mut left, mut number) = (mean, 0);
    while left > MEAN_MAX {
        number += inverted(MEAN_MAX, rng.uniform());
        left -= MEAN_MAX;
    }
    number + inverted(left, rng.uniform())
}

/// The least number whose cumulative Poisson probability is above `u`.
fn inverted(mean: f64, u: f64) -> u32 {
    // exp(-m) >= 1 - m: most buildings have no call, and need no exponential to know.
    if u < 1.0 - mean {
        return 0;
    }
    let mut probability = (-mean).exp();
    let (mut below, mut number) = (probability, 0_u32);
    while u >= below && probability > f64::MIN_POSITIVE {
        number += 1;
        probability *= mean / f64::from(number);
        below += probability;
    }
    number
}

/// A lognormal number of a mean and a spread, from a standard normal one.
fn lognormal(mean: f64, spread: f64, normal: f64) -> f64 {
    let variance = (spread * spread).ln_1p();
    mean * (variance.sqrt() * normal - 0.5 * variance).exp()
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn rates(per_person_s: f64) -> [Rate; 3] {
        [1.0, 2.0, 0.0].map(|factor| Rate {
            per_person_s: [factor * per_person_s; 24],
            urgent_share: 0.25,
            units: 1,
            scene_s: 600.0,
            scene_spread: 0.5,
            transported_share: 0.5,
        })
    }

    fn step(tick: u32) -> CallStep {
        CallStep { seed: 9, tick, seconds: 900, hour: 8, persons_each: 2.0 }
    }

    #[test]
    fn numbers_are_poisson() {
        for mean in [0.02, 0.7, 5.0, 60.0, 350.0] {
            let mut rng = Rng::new(3, 0, 0, 0x7E5B);
            let numbers: Vec<f64> = (0..40_000).map(|_| f64::from(poisson(mean, &mut rng))).collect();
            let found = numbers.iter().sum::<f64>() / 40_000.0;
            let variance = numbers.iter().map(|number| (number - found).powi(2)).sum::<f64>() / 40_000.0;
            // Four standard errors of the mean, and of the variance, whose kurtosis adds 1 / mean.
            let error = (mean / 40_000.0).sqrt();
            assert!((found - mean).abs() < 4.0 * error, "{found} of {mean}");
            let spread = mean * ((2.0 + 1.0 / mean) / 40_000.0).sqrt();
            assert!((variance - mean).abs() < 4.0 * spread, "variance {variance} of {mean}");
        }
        assert_eq!((inverted(0.5, 0.0), inverted(0.5, 0.6), inverted(0.5, 0.61)), (0, 0, 1));
    }

    #[test]
    fn calls_follow_who_is_present() {
        let present: Vec<u32> = (0..5000).map(|building| building % 4).collect();
        let mut all = Vec::new();
        for tick in 0..200 {
            all.extend(draw(step(900 * tick), &present, &rates(1e-6)));
        }
        let persons: f64 = present.iter().map(|&of| f64::from(of)).sum();
        let expected = persons * 2.0 * 900.0 * 1e-6 * 200.0;
        let count = |kind| all.iter().filter(|call| call.kind == kind).count() as f64;
        let (fire, ambulance) = (count(ServiceKind::Fire), count(ServiceKind::Ambulance));
        assert!((fire - expected).abs() < 4.0 * expected.sqrt(), "{fire} of {expected}");
        assert!((ambulance - 2.0 * expected).abs() < 4.0 * (2.0 * expected).sqrt());
        assert!(count(ServiceKind::Police) <= 0.0);
        assert!(all.iter().all(|call| call.building % 4 != 0 && call.offset_ms < 900_000));
        let number = all.len() as f64;
        let urgent = all.iter().filter(|call| call.priority == 1).count() as f64 / number;
        let scene_s = all.iter().map(|call| f64::from(call.scene_ms) / 1000.0).sum::<f64>() / number;
        assert!((urgent - 0.25).abs() < 4.0 * (0.25 * 0.75 / number).sqrt(), "{urgent}");
        assert!((scene_s - 600.0).abs() < 4.0 * 300.0 / number.sqrt(), "{scene_s}");
    }

    #[test]
    fn more_people_keep_the_calls_of_fewer() {
        let calls = |persons: u32| draw(step(0), &vec![persons; 3000], &rates(2e-5));
        let (few, many) = (calls(4), calls(6));
        assert!(!few.is_empty() && few.len() < many.len());
        assert!(few.iter().all(|call| many.binary_search(call).is_ok()));
    }

    #[test]
    fn threads_do_not_matter() {
        let present: Vec<u32> = (0..20_000).map(|building| building % 7).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| draw(step(0), &present, &rates(1e-5)))
        };
        assert_eq!(on(1), on(3));
    }
}
