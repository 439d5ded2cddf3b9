//! What an earthquake breaks, at random by how hard the ground shakes.
//!
//! **Pipes** of water and gas: repairs come as a Poisson process along pipes, at
//!
//! ```text
//! rate = 0.00187 PGV   repairs per 1000 feet,  PGV in inches/s
//! ```
//!
//! (American Lifelines Alliance, Seismic fragility formulations for water systems, 2001, its backbone curve for common pipes);
//! one in five repairs is a break and four are leaks, as HAZUS has it for waves that pass (FEMA, Hazus earthquake model
//! technical manual). A broken pipe is out; a leak is a hole of 3 % of the section, an estimate;
//! those of gas do not count.
//!
//! **Substations** fail with the probability that a lognormal fragility gives,
//!
//! ```text
//! P = Phi(ln(PGA / median) / beta)
//! ```
//!
//! with median 0.29 g and beta 0.55: moderate damage of an anchored low-voltage substation there.
//!
//! Ignored: how shaking weakens with distance, ground that flows or slides, buildings, bridges, people.
//! Contract: draws are keyed by seed, element and kind, so a harder shake breaks what a weaker one breaks and more.

use urbis_core::rng::Rng;

/// Draws of pipes, gas pipes and substations.
const PURPOSE: [u32; 3] = [0x5155_0001, 0x5155_0002, 0x5155_0003];
const M_PER_1000_FEET: f64 = 304.8;
const M_PER_INCH: f64 = 0.0254;
/// Share of repairs that are breaks.
const BREAK_SHARE: f64 = 0.2;
/// Hole of a leak over the section of its pipe.
pub const LEAK_SHARE: f64 = 0.03;
const SUBSTATION_MEDIAN_G: f64 = 0.29;
const SUBSTATION_BETA: f64 = 0.55;

/// What became of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipeDamage {
    /// Nothing.
    None,
    /// It leaks.
    Leaks,
    /// It is broken.
    Breaks,
}

/// Which network a pipe is of, for its draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipes {
    /// Water.
    Water,
    /// Gas.
    Gas,
}

/// Repairs per metre of pipe.
#[must_use]
pub fn repairs_per_m(pgv_mps: f64) -> f64 {
    0.00187 * (pgv_mps / M_PER_INCH) / M_PER_1000_FEET
}

/// What becomes of a pipe of a length.
#[must_use]
pub fn of_pipe(seed: u64, event: u32, of: Pipes, row: u32, length_m: f64, pgv_mps: f64) -> PipeDamage {
    let mut draw = Rng::new(seed, row, event, PURPOSE[of as usize]);
    let repairs = repairs_per_m(pgv_mps) * length_m;
    // Breaks and leaks are two processes; the first draw is of breaks.
    let (breaks, leaks) = (draw.uniform(), draw.uniform());
    if breaks < -(-repairs * BREAK_SHARE).exp_m1() {
        PipeDamage::Breaks
    } else if leaks < -(-repairs * (1.0 - BREAK_SHARE)).exp_m1() {
        PipeDamage::Leaks
    } else {
        PipeDamage::None
    }
}

/// Whether a substation fails.
#[must_use]
pub fn substation_fails(seed: u64, event: u32, row: u32, pga_g: f64) -> bool {
    pga_g > 0.0 && Rng::new(seed, row, event, PURPOSE[2]).uniform() < probability(pga_g)
}

/// Probability that a substation fails.
#[must_use]
pub fn probability(pga_g: f64) -> f64 {
    if pga_g <= 0.0 {
        return 0.0;
    }
    normal_cdf((pga_g / SUBSTATION_MEDIAN_G).ln() / SUBSTATION_BETA)
}

/// Standard normal distribution function, within 8e-8 (M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 26.2.17).
fn normal_cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let upper = poly * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    if x >= 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn rates_and_fragilities_are_those_published() {
        // 20 inches/s: 0.0374 repairs per 1000 feet.
        assert!((repairs_per_m(20.0 * 0.0254) * 304.8 - 0.0374).abs() < 1e-12);
        // At the median one half fails; one beta above it 84 %.
        assert!((probability(0.29) - 0.5).abs() < 1e-7);
        assert!((probability(0.29 * 0.55_f64.exp()) - 0.841_344_7).abs() < 1e-6);
        assert!(probability(0.0).abs() < 1e-12 && probability(0.01) < 1e-6);
    }

    #[test]
    fn as_many_break_as_expected_and_more_when_it_shakes_harder() {
        let (length_m, pipes) = (500.0, 20_000);
        let count = |pgv_mps: f64| {
            let of = |row| of_pipe(7, 0, Pipes::Water, row, length_m, pgv_mps);
            let all: Vec<PipeDamage> = (0..pipes).map(of).collect();
            let share = |what| all.iter().filter(|of| **of == what).count() as f64 / f64::from(pipes);
            (share(PipeDamage::Breaks), share(PipeDamage::Leaks), all)
        };
        let (breaks, leaks, weak) = count(0.3);
        let repairs = repairs_per_m(0.3) * length_m;
        let expected = 1.0 - (-0.2 * repairs).exp();
        let error = 4.0 * (expected / f64::from(pipes)).sqrt();
        assert!((breaks - expected).abs() < error, "{breaks} {expected}");
        let expected = (1.0 - (-0.8 * repairs).exp()) * (1.0 - expected);
        assert!((leaks - expected).abs() < 4.0 * (expected / f64::from(pipes)).sqrt(), "{leaks} {expected}");
        let strong = count(0.6).2;
        let worse = |a: PipeDamage, b: PipeDamage| (a as u8) <= (b as u8);
        assert!(weak.iter().zip(&strong).all(|(a, b)| worse(*a, *b)));
        let fails = |pga_g| (0..1000).filter(|&row| substation_fails(7, 0, row, pga_g)).count();
        assert!(fails(0.1) < fails(0.3) && fails(0.3) < fails(0.6) && fails(0.0) == 0);
    }
}
