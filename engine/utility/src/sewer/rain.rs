//! Rain gages: a record of intensities, each of which lasts for the record's interval.
//!
//! Source: Reference Manual Vol. I, chapter 2; as in SWMM a moment counts to the interval that it is one second into.
//! Contract: a gage is read by a cursor that only moves on, one for each simulation.

/// A gage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gage {
    /// Name in the file.
    pub id: String,
    /// Time for which a reading lasts, s.
    pub interval_s: f64,
    /// Readings begin at, s after the start of the simulation, going up; readings of no rain are left out.
    pub begin_s: Vec<f64>,
    /// Intensities, m/s.
    pub rain_mps: Vec<f64>,
}

/// How far a record has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cursor {
    next: usize,
    begin_s: f64,
    end_s: f64,
    rain_mps: f64,
}

impl Gage {
    /// Reads on to a moment and tells the intensity there, m/s.
    pub fn read(&self, cursor: &mut Cursor, at_s: f64) -> f64 {
        let at_s = at_s + 1.0;
        while at_s >= cursor.end_s && self.begin_s.get(cursor.next).is_some_and(|&begin| at_s >= begin) {
            cursor.begin_s = self.begin_s[cursor.next];
            cursor.end_s = cursor.begin_s + self.interval_s;
            cursor.rain_mps = self.rain_mps[cursor.next];
            cursor.next += 1;
        }
        if at_s >= cursor.begin_s && at_s < cursor.end_s { cursor.rain_mps } else { 0.0 }
    }
    /// The next moment at which the intensity may change, s; never is infinite.
    #[must_use]
    pub fn next_change_s(&self, cursor: &Cursor, at_s: f64) -> f64 {
        let at_s = at_s + 1.0;
        if at_s < cursor.end_s {
            return cursor.end_s;
        }
        self.begin_s.get(cursor.next).copied().unwrap_or(f64::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_last_for_the_interval() {
        let gage = Gage {
            interval_s: 600.0,
            begin_s: vec![0.0, 600.0, 3000.0],
            rain_mps: vec![1.0, 2.0, 3.0],
            ..Gage::default()
        };
        let mut cursor = Cursor::default();
        let seen: Vec<f64> = (0..8).map(|step| gage.read(&mut cursor, 500.0 * f64::from(step))).collect();
        assert_eq!(seen, [1.0, 1.0, 2.0, 0.0, 0.0, 0.0, 3.0, 3.0]);
        let mut cursor = Cursor::default();
        gage.read(&mut cursor, 0.0);
        assert!((gage.next_change_s(&cursor, 0.0) - 600.0).abs() < 1e-9);
        gage.read(&mut cursor, 1200.0);
        assert!((gage.next_change_s(&cursor, 1200.0) - 3000.0).abs() < 1e-9);
    }
}
