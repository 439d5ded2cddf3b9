//! Design rain.
//!
//! Intensity by F. Reinhold (Regenspenden in Deutschland, Arch. Wasserwirtschaft 56, 1940; recalled):
//!
//! ```text
//! r(D, T) = r15 38 / (D + 9) (T^(1/4) - 0.3684)      D in minutes, T in years, r15 that of 15 minutes once a year
//! ```
//!
//! The storm of a return period is Euler's of type II as DWA-A 118 has it (recalled): intervals of 5 minutes, the heaviest
//! at three tenths of the duration, the next ones before it back to the beginning, the rest after it, so that each
//! duration from the shortest on has its own intensity.

/// An interval of a storm, s.
pub const INTERVAL_S: f64 = 300.0;

/// Mean intensity of a duration, m/s.
#[must_use]
pub fn intensity_mps(r15_lps_ha: f64, duration_s: f64, return_period_y: f64) -> f64 {
    // 1 l/(s ha) is 1e-7 m/s.
    1e-7 * r15_lps_ha * 38.0 / (duration_s / 60.0 + 9.0) * (return_period_y.powf(0.25) - 0.3684)
}

/// Rain of a storm in its intervals, m/s.
#[must_use]
pub fn euler_mps(r15_lps_ha: f64, duration_s: f64, return_period_y: f64) -> Vec<f64> {
    let count = (duration_s / INTERVAL_S).ceil().max(1.0) as usize;
    let depth_m = |intervals: usize| {
        let duration_s = intervals as f64 * INTERVAL_S;
        if intervals == 0 { 0.0 } else { intensity_mps(r15_lps_ha, duration_s, return_period_y) * duration_s }
    };
    let peak = (3 * count).div_ceil(10).max(1) - 1;
    let rank = |interval: usize| if interval <= peak { peak - interval } else { interval };
    (0..count).map(|interval| (depth_m(rank(interval) + 1) - depth_m(rank(interval))) / INTERVAL_S).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_holds_the_rain_of_every_duration() {
        assert!((intensity_mps(110.0, 900.0, 1.0) / 110e-7 - 1.0).abs() < 1e-3);
        let rain = euler_mps(110.0, 3600.0, 3.0);
        assert_eq!(rain.len(), 12);
        let heaviest = rain.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(row, _)| row);
        assert_eq!(heaviest, Some(3));
        for count in [1, 2, 4, 12] {
            let most = rain.windows(count).map(|of| of.iter().sum::<f64>() / count as f64).fold(0.0, f64::max);
            let of_block = intensity_mps(110.0, 300.0 * count as f64, 3.0);
            assert!((most / of_block - 1.0).abs() < 1e-12, "{count}: {most} {of_block}");
        }
    }
}
