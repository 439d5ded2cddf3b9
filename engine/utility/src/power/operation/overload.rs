//! Breakers that open on overload: each adds up the share of its time to open, `dt / t(I)` with the standard inverse curve
//! of IEC 60255-151, and forgets when the current is below its pickup.

use super::{Breakers, OperationSettings};
use crate::power::flow::PowerFlow;

/// Constants of the curve, seconds and exponent.
const CURVE: (f64, f64) = (0.14, 0.02);

/// Time to open at a current over the pickup current, seconds; infinite up to it.
#[must_use]
pub(super) fn opening_s(settings: &OperationSettings, over_pickup: f64) -> f64 {
    let (constant, exponent) = CURVE;
    if over_pickup > 1.0 {
        settings.time_multiplier * constant / (over_pickup.powf(exponent) - 1.0)
    } else {
        f64::INFINITY
    }
}

/// Relays of all breakers.
#[derive(Clone, Debug)]
pub(super) struct Relays {
    /// Share of the time to open that has passed, by branch.
    share: Vec<f64>,
}

impl Relays {
    pub(super) fn new(branches: usize) -> Self {
        Self { share: vec![0.0; branches] }
    }
    /// Branches whose breakers open at the end of a step.
    pub(super) fn step(
        &mut self,
        flow: &PowerFlow,
        settings: &OperationSettings,
        breakers: &[Breakers],
        seconds: f64,
    ) -> Vec<u32> {
        let mut ripe = Vec::new();
        for (row, share) in self.share.iter_mut().enumerate().filter(|(row, _)| breakers[*row].any()) {
            let over_pickup = flow.loading_percent(row as u32) / 100.0 / settings.pickup;
            *share = if over_pickup > 1.0 { *share + seconds / opening_s(settings, over_pickup) } else { 0.0 };
            if *share >= 1.0 && flow.grid().branches.is_in_service[row] {
                *share = 0.0;
                ripe.push(row as u32);
            }
        }
        ripe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten times the pickup current: 2.97 s; twice: 10.03 s, as the standard's tables say.
    #[test]
    fn the_standard_inverse_curve() {
        let settings = OperationSettings::default();
        assert!((opening_s(&settings, 10.0) - 2.971).abs() < 1e-3);
        assert!((opening_s(&settings, 2.0) - 10.029).abs() < 1e-3);
        assert!(opening_s(&settings, 1.0).is_infinite());
    }
}
