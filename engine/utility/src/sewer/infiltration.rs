//! Infiltration into soil: Horton, modified Horton, Green-Ampt, modified Green-Ampt, and curve numbers.
//!
//! Source: Reference Manual Vol. I, chapter 4. Each method is a rate over a step, given rain, ponded depth and its own
//! state, which recovers in dry weather. Contract: a pure function of parameters, state and step. Lengths are m; the
//! thresholds of SWMM in feet are converted.

use super::units::FOOT_M;

/// A rate or depth below which there is no water: SWMM's 1e-10 ft/s or ft.
const NO_WATER: f64 = 1e-10 * FOOT_M;
/// Depth of ponding that counts for curve numbers, 0.004167 ft.
const PONDED_M: f64 = 0.004_167 * FOOT_M;

/// Parameters of a soil.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Soil {
    /// Horton's decay of the rate with time, or with infiltrated depth where `is_modified`.
    Horton {
        /// Rate at the start, m/s.
        first_mps: f64,
        /// Rate in the end, m/s.
        last_mps: f64,
        /// Decay, 1/s.
        decay_per_s: f64,
        /// Recovery in dry weather, 1/s.
        recovery_per_s: f64,
        /// Most water the soil takes, m; 0 is no limit.
        most_m: f64,
        /// By infiltrated depth.
        is_modified: bool,
    },
    /// Green and Ampt's wetting front.
    GreenAmpt {
        /// Suction, m.
        suction_m: f64,
        /// Saturated conductivity, m/s.
        conductivity_mps: f64,
        /// Moisture that a dry soil takes.
        deficit: f64,
        /// Rain below the conductivity does not use the deficit up.
        is_modified: bool,
    },
    /// Curve number of the US Soil Conservation Service.
    CurveNumber {
        /// Greatest depth that the soil holds, m.
        most_m: f64,
        /// Recovery, 1/s.
        recovery_per_s: f64,
    },
}

/// State of a soil. What a method does not need stays 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moisture {
    /// Time on Horton's curve, s.
    time_s: f64,
    /// Water infiltrated since the event began, m.
    infiltrated_m: f64,
    /// Modified Horton: all of it, m. Curve numbers: rain of the event, m. Green-Ampt: water in the upper zone, m.
    second_m: f64,
    /// Green-Ampt: deficit now. Curve numbers: capacity, m.
    deficit: f64,
    /// Curve numbers: capacity when the event began, m.
    first_m: f64,
    /// Time until a new event, or since the last rain, s.
    event_s: f64,
    /// Curve numbers: the last rate, m/s.
    last_mps: f64,
    is_saturated: bool,
}

impl Soil {
    /// State before any rain.
    #[must_use]
    pub fn dry(&self) -> Moisture {
        match *self {
            Self::Horton { .. } => Moisture::default(),
            Self::GreenAmpt { deficit, .. } => Moisture { deficit, ..Moisture::default() },
            Self::CurveNumber { most_m, .. } => Moisture { deficit: most_m, first_m: most_m, ..Moisture::default() },
        }
    }
    /// Rate over a step, m/s: `rain_mps` is rain and what runs on, `ponded_m` the depth on the surface. For curve
    /// numbers what runs on counts as ponded (`run_on_mps`).
    pub fn rate(&self, state: &mut Moisture, step_s: f64, rain_mps: f64, run_on_mps: f64, ponded_m: f64) -> f64 {
        match *self {
            Self::Horton { first_mps, last_mps, decay_per_s, recovery_per_s, most_m, is_modified } => {
                let of = Horton { first_mps, last_mps, decay_per_s, recovery_per_s, most_m };
                let available = rain_mps + run_on_mps + ponded_m / step_s;
                if first_mps - last_mps <= 0.0 || decay_per_s <= 0.0 {
                    return first_mps.min(available).max(0.0);
                }
                if is_modified { of.by_depth(state, step_s, available) } else { of.by_time(state, step_s, available) }
            }
            Self::GreenAmpt { suction_m, conductivity_mps, deficit, is_modified } => {
                let of = GreenAmpt { suction_m, conductivity_mps, deficit, is_modified };
                of.rate(state, step_s, rain_mps + run_on_mps + ponded_m / step_s, ponded_m)
            }
            Self::CurveNumber { most_m, recovery_per_s } => {
                let ponded_m = ponded_m + run_on_mps * step_s;
                curve_number(state, step_s, rain_mps, ponded_m, most_m, recovery_per_s)
            }
        }
    }
}

struct Horton {
    first_mps: f64,
    last_mps: f64,
    decay_per_s: f64,
    recovery_per_s: f64,
    most_m: f64,
}

impl Horton {
    /// Depth infiltrated after a time on the curve.
    fn cumulative(&self, time_s: f64) -> f64 {
        let excess = (self.first_mps - self.last_mps) / self.decay_per_s;
        self.last_mps * time_s + excess * (1.0 - (-self.decay_per_s * time_s).exp())
    }
    fn by_time(&self, state: &mut Moisture, step_s: f64, available: f64) -> f64 {
        if available <= NO_WATER {
            self.recover(state, step_s);
            return 0.0;
        }
        let time = state.time_s;
        let flat_from = 16.0 / self.decay_per_s;
        let before = self.cumulative(time);
        let after = if time >= flat_from { before + self.last_mps * step_s } else { self.cumulative(time + step_s) };
        let mut rate = ((after - before) / step_s).max(self.last_mps).min(available);
        let is_limited = rate >= available;
        if time + step_s > flat_from || !is_limited {
            state.time_s = time + step_s;
        } else {
            // The time on the curve at which just this much has gone in.
            let wanted = before + rate * step_s;
            let mut at = time + 0.5 * step_s;
            for _ in 0..20 {
                let slope =
                    self.last_mps + (self.first_mps - self.last_mps) * (-(self.decay_per_s * at).min(60.0)).exp();
                let step = (self.cumulative(at) - wanted) / slope;
                at -= step;
                if step.abs() <= 0.001 * step_s {
                    break;
                }
            }
            state.time_s = at;
        }
        if self.most_m > 0.0 {
            rate = rate.min((self.most_m - state.infiltrated_m) / step_s).max(0.0);
            state.infiltrated_m += rate * step_s;
        }
        rate
    }
    fn recover(&self, state: &mut Moisture, step_s: f64) {
        if self.recovery_per_s <= 0.0 {
            return;
        }
        let used = 1.0 - (-self.decay_per_s * state.time_s).exp();
        state.time_s = -(1.0 - (-self.recovery_per_s * step_s).exp() * used).ln() / self.decay_per_s;
        if self.most_m > 0.0 {
            state.infiltrated_m = self.cumulative(state.time_s);
        }
    }
    fn by_depth(&self, state: &mut Moisture, step_s: f64, available: f64) -> f64 {
        if available <= NO_WATER {
            if self.recovery_per_s > 0.0 {
                let left = (-self.recovery_per_s * step_s).exp();
                state.infiltrated_m *= left;
                state.second_m *= left;
            }
            return 0.0;
        }
        if self.most_m > 0.0 && state.infiltrated_m >= self.most_m {
            return 0.0;
        }
        let potential = (self.first_mps - self.decay_per_s * state.infiltrated_m).max(self.last_mps);
        let mut rate = available.min(potential);
        if self.most_m > 0.0 {
            rate = rate.min((self.most_m - state.second_m) / step_s).max(0.0);
            state.second_m += rate * step_s;
        }
        state.infiltrated_m += (rate - self.last_mps).max(0.0) * step_s;
        rate
    }
}

struct GreenAmpt {
    suction_m: f64,
    conductivity_mps: f64,
    deficit: f64,
    is_modified: bool,
}

impl GreenAmpt {
    /// Depth of the upper zone by Mein and Larson's formula in inches, in feet for the formulas of recovery.
    fn upper_zone_ft(&self) -> f64 {
        let inch_per_h = self.conductivity_mps / FOOT_M * 12.0 * 3600.0;
        4.0 * inch_per_h.sqrt() / 12.0
    }
    fn rate(&self, state: &mut Moisture, step_s: f64, available: f64, ponded_m: f64) -> f64 {
        state.event_s -= step_s;
        if state.is_saturated {
            self.saturated(state, step_s, available, ponded_m)
        } else {
            self.unsaturated(state, step_s, available, ponded_m)
        }
    }
    fn most_m(&self) -> f64 {
        self.deficit * self.upper_zone_ft() * FOOT_M
    }
    fn add(&self, state: &mut Moisture, depth_m: f64) {
        state.infiltrated_m += depth_m;
        state.second_m = (state.second_m + depth_m).min(self.most_m());
    }
    fn begin_event(&self, state: &mut Moisture) {
        state.deficit = (self.most_m() - state.second_m) / (self.upper_zone_ft() * FOOT_M);
        state.infiltrated_m = 0.0;
    }
    fn unsaturated(&self, state: &mut Moisture, step_s: f64, available: f64, ponded_m: f64) -> f64 {
        let (conductivity, zone_ft) = (self.conductivity_mps, self.upper_zone_ft());
        if available < NO_WATER {
            if state.second_m > 0.0 {
                let drained = zone_ft / 90_000.0 * self.most_m() * step_s;
                state.infiltrated_m -= drained;
                state.second_m -= drained;
                if state.second_m <= 0.0 {
                    (state.second_m, state.infiltrated_m, state.deficit) = (0.0, 0.0, self.deficit);
                } else if state.event_s <= 0.0 {
                    self.begin_event(state);
                }
            }
            return 0.0;
        }
        if available <= conductivity {
            self.add(state, available * step_s);
            if !self.is_modified && state.event_s <= 0.0 {
                self.begin_event(state);
            }
            return available;
        }
        state.event_s = 5400.0 / zone_ft;
        let head = (self.suction_m + ponded_m) * state.deficit;
        let to_saturate = conductivity * head / (available - conductivity);
        if state.infiltrated_m > to_saturate {
            state.is_saturated = true;
            return self.saturated(state, step_s, available, ponded_m);
        }
        if state.infiltrated_m + available * step_s < to_saturate {
            self.add(state, available * step_s);
            return available;
        }
        let rest_s = (step_s - (to_saturate - state.infiltrated_m) / available).max(0.0);
        let after = cumulative(to_saturate, head, conductivity, rest_s).min(to_saturate + available * rest_s);
        let gone = after - state.infiltrated_m;
        self.add(state, gone);
        state.is_saturated = true;
        gone / step_s
    }
    fn saturated(&self, state: &mut Moisture, step_s: f64, available: f64, ponded_m: f64) -> f64 {
        if available < NO_WATER {
            return 0.0;
        }
        state.event_s = 5400.0 / self.upper_zone_ft();
        let head = (self.suction_m + ponded_m) * state.deficit;
        let mut gone = cumulative(state.infiltrated_m, head, self.conductivity_mps, step_s) - state.infiltrated_m;
        if gone > available * step_s {
            gone = available * step_s;
            state.is_saturated = false;
        }
        self.add(state, gone);
        gone / step_s
    }
}

/// Depth infiltrated after a time into saturated soil: F - F1 - c ln((F + c) / (F1 + c)) = K t.
fn cumulative(before_m: f64, head_m: f64, conductivity_mps: f64, time_s: f64) -> f64 {
    let least = before_m + conductivity_mps * time_s;
    if head_m <= 0.0 {
        return least;
    }
    if time_s < 10.0 && before_m > 0.01 * head_m {
        return (before_m + conductivity_mps * (1.0 + head_m / before_m) * time_s).max(least);
    }
    let mut after = before_m;
    let constant = head_m * (before_m + head_m).ln() - conductivity_mps * time_s;
    for _ in 0..20 {
        let slope = 1.0 - head_m / (after + head_m);
        let step = (after - before_m - head_m * (after + head_m).ln() + constant) / slope;
        if step.is_finite() && step.abs() < 1e-5 * FOOT_M {
            return after.max(least);
        }
        // Nothing has gone in yet: the slope is 0, any start will do.
        after = if step.is_finite() { after - step } else { after + (2.0 * head_m * conductivity_mps * time_s).sqrt() };
    }
    least
}

fn curve_number(
    state: &mut Moisture,
    step_s: f64,
    rain_mps: f64,
    ponded_m: f64,
    most_m: f64,
    recovery_per_s: f64,
) -> f64 {
    let available = rain_mps + ponded_m / step_s;
    let mut rate = 0.0;
    if rain_mps > NO_WATER {
        if state.event_s >= 0.06 / recovery_per_s {
            (state.second_m, state.infiltrated_m, state.last_mps) = (0.0, 0.0, 0.0);
            state.first_m = state.deficit;
        }
        state.event_s = 0.0;
        state.second_m += rain_mps * step_s;
        let potential = state.second_m * (1.0 - state.second_m / (state.second_m + state.first_m));
        if state.deficit > 0.0 {
            rate = ((potential - state.infiltrated_m) / step_s).max(0.0);
        }
    } else if ponded_m > PONDED_M && state.deficit > 0.0 {
        rate = state.last_mps.min(state.deficit / step_s);
    } else {
        state.event_s += step_s;
    }
    if rate > 0.0 {
        rate = rate.min(available).max(0.0);
        state.infiltrated_m += rate * step_s;
        state.deficit = (state.deficit - rate * step_s).max(0.0);
    } else {
        state.deficit = (state.deficit + recovery_per_s * most_m * step_s).min(most_m);
    }
    state.last_mps = rate;
    rate
}

#[cfg(test)]
#[path = "infiltration_tests.rs"]
mod tests;
