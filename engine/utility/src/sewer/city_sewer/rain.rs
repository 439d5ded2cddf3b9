//! Rain over time, from a table or one value.

use super::settings::SewerSettings;
use std::path::Path;
use urbis_city::table::Table;
use urbis_core::{Problem, Problems, Result};

/// Rain that is believed, mm/h: minutes of the heaviest storms on record stay below.
const RAIN_MM_PER_H: std::ops::RangeInclusive<f64> = 0.0..=3000.0;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rain {
    /// Times from which values hold, s after the start, going up.
    pub time_s: Vec<f64>,
    /// Intensity, mm/h.
    pub mm_per_h: Vec<f64>,
}

impl Rain {
    pub(super) fn new(settings: &SewerSettings, folder: &Path) -> Result<Self> {
        match &settings.rain {
            Some(path) => Self::read(&folder.join(path)),
            None => Ok(Self { time_s: vec![0.0], mm_per_h: vec![settings.rain_mm_per_h] }),
        }
    }
    /// Reads a table with columns `time_s` and `rain_mm_per_h`.
    ///
    /// # Errors
    /// A file that cannot be read; times that do not go up, rain that is none; every row that has one.
    pub fn read(path: &Path) -> Result<Self> {
        let mut problems = Problems::new();
        let table = Table::read(path)?;
        let Some([time, rain]) = table.required_all(["time_s", "rain_mm_per_h"], &mut problems) else {
            return problems.or_else(Self::default());
        };
        let mut this = Self::default();
        for row in table.rows() {
            let before = this.time_s.last().copied().unwrap_or(f64::NEG_INFINITY);
            let (Some(at_s), Some(mm_per_h)) = (row.finite(time, &mut problems), row.finite(rain, &mut problems))
            else {
                continue;
            };
            if at_s <= before {
                problems.push(row.problem(time, format!("more than {before}, the row before")));
            }
            if !RAIN_MM_PER_H.contains(&mm_per_h) {
                problems.push(row.problem(rain, "0 to 3000 mm/h"));
            }
            this.time_s.push(at_s);
            this.mm_per_h.push(mm_per_h);
        }
        if this.time_s.is_empty() && problems.is_empty() {
            problems.push(Problem::file(path, "no rows, expected rain"));
        }
        problems.or_else(this)
    }
    /// Mean over a time, mm/h.
    #[must_use]
    pub fn mean_mm_per_h(&self, from_s: f64, seconds: f64) -> f64 {
        let until_s = from_s + seconds;
        let first = self.time_s.partition_point(|&at| at <= from_s).saturating_sub(1);
        let mut depth = 0.0;
        for row in first..self.time_s.len() {
            let begin_s = self.time_s[row].max(from_s);
            let end_s = self.time_s.get(row + 1).copied().unwrap_or(f64::INFINITY).min(until_s);
            if begin_s >= until_s {
                break;
            }
            depth += self.mm_per_h[row] * (end_s - begin_s).max(0.0);
        }
        if seconds > 0.0 { depth / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rain_holds_until_the_next_row() {
        let rain = Rain { time_s: vec![100.0, 200.0, 300.0], mm_per_h: vec![10.0, 30.0, 0.0] };
        for (from_s, seconds, expected) in
            [(0.0, 100.0, 0.0), (100.0, 50.0, 10.0), (150.0, 100.0, 20.0), (0.0, 400.0, 10.0), (500.0, 60.0, 0.0)]
        {
            let mean = rain.mean_mm_per_h(from_s, seconds);
            assert!((mean - expected).abs() < 1e-12, "{from_s}: {mean}");
        }
    }
}
