//! When to leave: schedule delay (Vickrey 1969).
//!
//! One who wishes to arrive at `t*` and travels from `d` to `a` bears
//! `travel (a - d) + early max(0, t* - a) + late max(0, a - t*)`, Vickrey's alpha, beta and gamma. Divided
//! by alpha it is a number of seconds of travel, in which costs and gaps are told.

/// Values of time, in any one unit of money per time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleCosts {
    /// Cost of travel time (alpha), > 0.
    pub travel: f64,
    /// Cost of arriving early (beta), >= 0 and below that of travel.
    pub early: f64,
    /// Cost of arriving late (gamma), >= 0.
    pub late: f64,
}

impl Default for ScheduleCosts {
    /// Ratios 1 : 0.61 : 2.4 of Small (1982), "The scheduling of consumer activities: work trips".
    fn default() -> Self {
        Self { travel: 1.0, early: 0.61, late: 2.4 }
    }
}

impl ScheduleCosts {
    /// Cost of a trip as seconds of travel time; `wish_s` is when it wants to arrive, if it cares.
    #[must_use]
    pub fn cost_s(&self, depart_s: f64, arrive_s: f64, wish_s: Option<f64>) -> f64 {
        let delay = wish_s
            .map_or(0.0, |wish_s| self.early * (wish_s - arrive_s).max(0.0) + self.late * (arrive_s - wish_s).max(0.0));
        arrive_s - depart_s + delay / self.travel
    }
}

/// Freedom to leave at another time: for trips that wish to arrive at some moment.
///
/// The equilibrium of departures is unstable under day-to-day changes that only look at the last day
/// (Iryo 2008, "An analysis of instability in a departure time choice problem"): the rush swings to and
/// fro for ever. Travellers here also expect that the change of travel times goes on, `ahead` days of it, as a
/// controller damps a swing by its derivative; `ahead = anticipation / step`, with the step of
/// [`crate::dynamic::Switching::Gain`]. Successive averages have no such step and swing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepartureChoice {
    /// What time costs.
    pub costs: ScheduleCosts,
    /// First moment at which anybody may leave, seconds.
    pub earliest_s: f64,
    /// Moment before which everybody leaves, seconds.
    pub latest_s: f64,
    /// Seconds between the departures that are compared; within them people spread evenly.
    pub step_s: f64,
    /// How far the trend of travel times is expected to go on, 0 to 1; 0 swings, beyond 1 shakes.
    pub anticipation: f64,
}

impl DepartureChoice {
    /// Number of departures that are compared.
    #[must_use]
    pub fn steps(&self) -> usize {
        (((self.latest_s - self.earliest_s) / self.step_s).ceil() as usize).max(1)
    }
    /// Middle of a step, seconds.
    #[must_use]
    pub fn middle_s(&self, step: usize) -> f64 {
        self.earliest_s + (step as f64 + 0.5) * self.step_s
    }
    /// The step of a moment; the first or last where it lies outside.
    #[must_use]
    pub fn step_of(&self, moment_s: f64) -> usize {
        let step = ((moment_s - self.earliest_s) / self.step_s).max(0.0) as usize;
        step.min(self.steps() - 1)
    }
    /// A moment within a step; `share` in `[0, 1)`.
    #[must_use]
    pub fn moment_s(&self, step: usize, share: f64) -> f64 {
        self.earliest_s + (step as f64 + share) * self.step_s
    }
}
