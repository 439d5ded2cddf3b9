//! Demand response: load that is put off or done without when prices or the grid call.
//!
//! A building that is called cuts its shares of load for at most `duration_max_s`. When the call ends or the time is up
//! it pays back what it put off, evenly over `payback_s`, and cuts no more until it has. While it is not supplied both
//! clocks stand still.
//!
//! Ledger: `put off = paid back + owed`; what is done without is counted on its own. In one step a building either cuts or
//! pays back. Ignored: rebound beyond what was put off, habits, people who do not answer. Contract: a pure function of
//! the building's state and the step.

use super::settings::ResponseSettings;

/// State of a building.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Response {
    /// Whether the building takes part.
    pub has_part: bool,
    /// How long it has been cutting, seconds.
    pub active_s: f64,
    /// Put off and not yet paid back, joules.
    pub owed_j: f64,
    /// Time left to pay back, seconds; 0 while it is not paying back.
    pub payback_left_s: f64,
}

/// What a building did in a step, watts; none is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ResponseFlow {
    /// Put off.
    pub put_off_w: f64,
    /// Made up for.
    pub paid_back_w: f64,
    /// Done without.
    pub curtailed_w: f64,
}

impl ResponseFlow {
    /// Change of the load, watts.
    #[must_use]
    pub fn shifted_w(&self) -> f64 {
        self.paid_back_w - self.put_off_w - self.curtailed_w
    }
}

impl Response {
    /// Answers a call for a step.
    pub fn step(&mut self, settings: &ResponseSettings, step_s: f64, demand_w: f64, is_called: bool) -> ResponseFlow {
        if !self.has_part {
            return ResponseFlow::default();
        }
        let left_s = settings.duration_max_s - self.active_s;
        if self.payback_left_s <= 0.0 && is_called && left_s > 0.0 {
            // The part of the step in which it cuts.
            let part = (left_s / step_s).min(1.0);
            let load_w = demand_w.max(0.0) * part;
            let put_off_w = load_w * settings.shiftable_share;
            self.active_s += part * step_s;
            self.owed_j += put_off_w * step_s;
            return ResponseFlow { put_off_w, paid_back_w: 0.0, curtailed_w: load_w * settings.curtailable_share };
        }
        if self.payback_left_s <= 0.0 && self.active_s > 0.0 {
            self.payback_left_s = settings.payback_s;
        }
        if self.payback_left_s <= 0.0 {
            return ResponseFlow::default();
        }
        let paid_j = self.owed_j * (step_s / self.payback_left_s).min(1.0);
        self.payback_left_s = (self.payback_left_s - step_s).max(0.0);
        self.owed_j -= paid_j;
        if self.payback_left_s <= 0.0 {
            self.active_s = 0.0;
        }
        ResponseFlow { put_off_w: 0.0, paid_back_w: paid_j / step_s, curtailed_w: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_off_is_paid_back_within_the_window() {
        let settings = ResponseSettings { shiftable_share: 0.2, curtailable_share: 0.1, ..ResponseSettings::default() };
        let mut response = Response { has_part: true, ..Response::default() };
        // Called for three hours, of which it answers two; 1000 W.
        let shifted: Vec<f64> =
            (0..40).map(|quarter| response.step(&settings, 900.0, 1000.0, quarter < 12).shifted_w()).collect();
        for (quarter, &found_w) in shifted.iter().enumerate() {
            // 200 W for 2 hours come back as 100 W in 4 hours, at once.
            let expected_w = match quarter {
                0..8 => -300.0,
                8..24 => 100.0,
                _ => 0.0,
            };
            assert!((found_w - expected_w).abs() < 1e-9, "{quarter}: {found_w}");
        }
        assert!(response.owed_j.abs() < 1e-9);
        // Ready for the next call, a short one, of which 20 minutes are left when its time is up.
        let short = ResponseSettings { duration_max_s: 1200.0, ..settings };
        assert!((response.step(&short, 900.0, 600.0, true).put_off_w - 120.0).abs() < 1e-9);
        assert!((response.step(&short, 900.0, 600.0, true).put_off_w - 40.0).abs() < 1e-9);
        assert!((response.owed_j - 120.0 * 1200.0).abs() < 1e-6);
    }

    #[test]
    fn the_ledger_closes_at_any_call() {
        let settings = ResponseSettings { payback_s: 5000.0, ..ResponseSettings::default() };
        let mut response = Response { has_part: true, ..Response::default() };
        let (mut put_off_j, mut paid_j) = (0.0, 0.0);
        for step in 0..5000_u32 {
            let is_called = step.wrapping_mul(2_654_435_761) >> 30 == 0;
            let flow = response.step(&settings, 600.0, f64::from(step % 977), is_called);
            put_off_j += flow.put_off_w * 600.0;
            paid_j += flow.paid_back_w * 600.0;
            assert!(flow.put_off_w <= 0.0 || flow.paid_back_w <= 0.0);
            assert!((put_off_j - paid_j - response.owed_j).abs() <= 1e-9 * put_off_j.max(1.0), "{step}");
        }
        assert!(put_off_j > 1e6 && paid_j > 1e6);
        let mut none = Response::default();
        assert_eq!(none.step(&settings, 600.0, 1000.0, true), ResponseFlow::default());
    }
}
