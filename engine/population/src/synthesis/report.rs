//! How well the synthetic population meets its controls.

use bevy_ecs::resource::Resource;
use std::fmt::Write;
use urbis_core::ZoneIx;

/// A control of a zone and what came out.
#[derive(Clone, Debug, PartialEq)]
pub struct FitRow {
    /// Name of the control.
    pub control: &'static str,
    /// Zone.
    pub zone: ZoneIx,
    /// What was asked for, simulated persons or households.
    pub target: f64,
    /// What came out.
    pub value: f64,
}

/// A control over all zones that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSummary {
    /// Name of the control.
    pub control: &'static str,
    /// Zones that have it.
    pub zones: usize,
    /// Sum of what was asked for.
    pub target: f64,
    /// Sum of what came out.
    pub value: f64,
    /// Mean over zones of the absolute error.
    pub mean_absolute_error: f64,
    /// Sum of the absolute errors of the zones as a share of the sum of what was asked for.
    pub mean_relative_error: f64,
    /// Zone with the largest absolute error.
    pub worst_zone: ZoneIx,
    /// Its error: what came out less what was asked for.
    pub worst_error: f64,
    /// Zone with the largest relative error, and this error.
    pub worst_relative: (ZoneIx, f64),
}

/// How well the population meets its controls, and what had to be done for it.
#[derive(Clone, Debug, Default, PartialEq, Resource)]
pub struct FitReport {
    /// Every control of every zone.
    pub rows: Vec<FitRow>,
    /// Names of the zones.
    pub zones: Vec<String>,
    /// Figures that disagree and controls that cannot be met, in sentences.
    pub warnings: Vec<String>,
    /// Households of the seed.
    pub seed_households: usize,
    /// Kinds of households that count differently for some control.
    pub types: usize,
    /// Most iterations that a zone took to balance.
    pub iterations: u32,
    /// Zones whose weights were not at rest after all iterations.
    pub not_converged: usize,
    /// Zones whose controls disagree: the weights miss one by more than a hundredth, and by more than one.
    pub disagreeing: usize,
    /// Households exchanged after rounding to come closer to the controls.
    pub exchanged: u64,
    /// Persons added, removed or moved to another age class, so that residents and ages are exact.
    pub fitted_persons: u64,
}

impl FitReport {
    /// The controls in order of their first row.
    #[must_use]
    pub fn summary(&self) -> Vec<FitSummary> {
        let mut all: Vec<FitSummary> = Vec::new();
        for row in &self.rows {
            let error = row.value - row.target;
            let relative = error / row.target.max(1.0);
            let at = all.iter().position(|of| of.control == row.control).unwrap_or_else(|| {
                all.push(FitSummary {
                    control: row.control,
                    zones: 0,
                    target: 0.0,
                    value: 0.0,
                    mean_absolute_error: 0.0,
                    mean_relative_error: 0.0,
                    worst_zone: row.zone,
                    worst_error: 0.0,
                    worst_relative: (row.zone, 0.0),
                });
                all.len() - 1
            });
            let of = &mut all[at];
            of.zones += 1;
            of.target += row.target;
            of.value += row.value;
            of.mean_absolute_error += error.abs();
            if error.abs() > of.worst_error.abs() {
                (of.worst_zone, of.worst_error) = (row.zone, error);
            }
            if relative.abs() > of.worst_relative.1.abs() {
                of.worst_relative = (row.zone, relative);
            }
        }
        for of in &mut all {
            of.mean_relative_error = of.mean_absolute_error / of.target.max(1.0);
            of.mean_absolute_error /= of.zones as f64;
        }
        all
    }

    /// The name of a zone.
    #[must_use]
    pub fn zone_name(&self, zone: ZoneIx) -> &str {
        self.zones.get(zone.row()).map_or("", String::as_str)
    }

    /// The summary as a table of plain text.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<20} {:>6} {:>12} {:>12} {:>10} {:>8} {:>10} {}\n",
            "control", "zones", "target", "synthetic", "mean error", "percent", "worst", "zone"
        );
        for of in self.summary() {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<20} {:>6} {:>12.0} {:>12.0} {:>10.2} {:>8.2} {:>10.1} {}",
                of.control,
                of.zones,
                of.target,
                of.value,
                of.mean_absolute_error,
                100.0 * of.mean_relative_error,
                of.worst_error,
                self.zone_name(of.worst_zone)
            );
        }
        text
    }

    /// Every control of every zone as CSV: `control,zone_id,target,synthetic,error,error_percent`.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "control,zone_id,target,synthetic,error,error_percent\n".to_owned();
        for row in &self.rows {
            let error = row.value - row.target;
            let percent = 100.0 * error / row.target.max(1.0);
            let zone = self.zone_name(row.zone);
            let zone = if zone.contains([',', '"', '\n']) {
                format!("\"{}\"", zone.replace('"', "\"\""))
            } else {
                zone.to_owned()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{},{zone},{:.3},{:.3},{error:.3},{percent:.4}", row.control, row.target, row.value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_by_control() {
        let row = |zone, target, value| FitRow { control: "households", zone: ZoneIx(zone), target, value };
        let report = FitReport {
            rows: vec![row(0, 100.0, 101.0), row(1, 10.0, 8.0)],
            zones: vec!["a, b".into(), "c".into()],
            ..FitReport::default()
        };
        let [of] = <[FitSummary; 1]>::try_from(report.summary()).unwrap();
        assert!((of.mean_absolute_error - 1.5).abs() < 1e-12 && (of.mean_relative_error - 3.0 / 110.0).abs() < 1e-12);
        assert_eq!((of.worst_zone, of.worst_relative), (ZoneIx(1), (ZoneIx(1), -0.2)));
        assert!(report.table().contains("households") && report.csv().contains("households,\"a, b\",100.000,101.000"));
    }
}
