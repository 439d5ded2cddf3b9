//! Controllers: who is green next, by plan or by what is seen.
//!
//! A controller is asked only when something may change: [`Controller::decide`] answers with the moment at
//! which to ask again, or with [`NEVER`] when it sleeps, which ends when a vehicle reaches a red light
//! ([`Decision::wake`]). Greens are promised up to that moment. Decisions fall on whole ticks.
//!
//! **Actuated** (gap-out): a stage is green for its least time, then as long as somebody stands at its stop
//! lines or has come within the gap, at most its longest time counted from when somebody else began to wait.
//! Then comes the next stage in turn at which somebody waits; with nobody waiting elsewhere the green rests.
//!
//! **Max-pressure** (Varaiya 2013, Transportation Research C 36): the stage with the largest
//! `sum over movements s_ij max(0, x_ij - sum_k r_jk x_jk)`, with saturation flow `s`, vehicles `x` bound
//! from `i` to `j`, and shares `r` of those who go on from `j` to `k`. Because changing costs lost time, the
//! green changes only for a pressure larger by a share (as Hsieh et al. 2017, whose switching rule this is in
//! its simplest form); the longer queues are, the rarer are changes. A stage at which somebody has waited for
//! longer than a limit comes first.
//!
//! A junction with one stage rests in green; where people on foot need their time, use its plan.
//!
//! Ignored: detectors' places (presence at the stop line), coordination, requests of people on foot.
//! Contract: deterministic in the sequence of calls; a call costs a look at each group or movement.

use super::plan::{SignalPlan, Window};
use crate::time::{NEVER, TICK, Time, from_seconds};
use std::path::Path;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// What a controller sees at the moment of a decision.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Vehicles that stand at the stop lines of a group.
    pub waiting: &'a dyn Fn(u32) -> u32,
    /// When the last vehicle reached or crossed the stop lines of a group, if any did.
    pub last_arrival: &'a dyn Fn(u32) -> Option<Time>,
    /// Vehicles on a link that are bound for another.
    pub bound: &'a dyn Fn(CarLinkIx, CarLinkIx) -> f64,
}

/// When to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The next decision; [`NEVER`]: when a vehicle reaches the stop line of a group that is red.
    pub wake: Time,
    /// Whether other groups are green than before.
    pub changed: bool,
}

/// Groups that are green together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The groups.
    pub groups: Vec<u32>,
    /// Lost time before it is green.
    pub lost: Time,
    /// Least green.
    pub green_min: Time,
}

/// A stage of an actuated controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActuatedStage {
    /// The stage.
    pub stage: Stage,
    /// Longest green while somebody else waits.
    pub green_max: Time,
    /// A pause of this length between arrivals ends the green.
    pub gap: Time,
}

/// A controller of one junction.
#[derive(Clone, Debug)]
pub enum Controller {
    /// Fixed times.
    Plan(SignalPlan),
    /// Extends greens while vehicles come.
    Actuated(Actuated),
    /// Serves the largest pressure.
    MaxPressure(MaxPressure),
}

impl Controller {
    /// The green of a group that includes `at`, from `at` on, or the next one as far as it is decided;
    /// [`Window::NONE`] where it is not.
    #[inline]
    #[must_use]
    pub fn next_green(&self, group: u32, at: Time) -> Window {
        match self {
            Self::Plan(plan) => plan.next_green(group, at),
            Self::Actuated(actuated) => actuated.lights.next_green(group, at),
            Self::MaxPressure(pressure) => pressure.lights.next_green(group, at),
        }
    }
    /// Decides at a moment; moments never go back.
    pub fn decide(&mut self, now: Time, view: &View<'_>) -> Decision {
        match self {
            Self::Plan(_) => Decision { wake: NEVER, changed: false },
            Self::Actuated(actuated) => actuated.decide(now, view),
            Self::MaxPressure(pressure) => pressure.decide(now, view),
        }
    }
    /// Number of groups.
    #[must_use]
    pub fn groups(&self) -> u32 {
        match self {
            Self::Plan(plan) => plan.groups(),
            Self::Actuated(Actuated { lights, .. }) | Self::MaxPressure(MaxPressure { lights, .. }) => {
                lights.since.len() as u32
            }
        }
    }
}

/// Which groups are green since when, and until when that is promised.
#[derive(Clone, Debug)]
struct Lights {
    stages: Vec<Stage>,
    current: usize,
    /// When the present stage became green, maybe yet to come.
    from: Time,
    until: Time,
    /// First moment of green of each group; [`NEVER`] when red.
    since: Vec<Time>,
}

impl Lights {
    fn new(groups: u32, stages: Vec<Stage>) -> Result<Self> {
        let mut problems = Problems::new();
        let place = Path::new("signal stages");
        if stages.is_empty() {
            problems.push(Problem::file(place, "a controller without stages"));
        }
        for (row, stage) in stages.iter().enumerate() {
            for group in stage.groups.iter().filter(|&&group| group >= groups) {
                problems.push(Problem::value(place, row + 1, None, "group", group, format!("below {groups}")));
            }
        }
        problems.or_else(())?;
        let mut lights = Self { stages, current: 0, from: 0, until: NEVER, since: vec![NEVER; groups as usize] };
        for &group in &lights.stages[0].groups {
            lights.since[group as usize] = 0;
        }
        Ok(lights)
    }
    fn next_green(&self, group: u32, at: Time) -> Window {
        match self.since.get(group as usize) {
            Some(&since) if since != NEVER && since.max(at) < self.until => {
                Window { from: since.max(at), until: self.until }
            }
            _ => Window::NONE,
        }
    }
    fn shows(&self, stage: usize, group: u32) -> bool {
        self.stages[stage].groups.contains(&group)
    }
    /// Whether somebody waits at a stage for a light that the present one does not give.
    fn calls(&self, stage: usize, view: &View<'_>) -> bool {
        self.stages[stage].groups.iter().any(|&group| !self.shows(self.current, group) && (view.waiting)(group) > 0)
    }
    /// The other stages, in turn from the present one.
    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let (current, count) = (self.current, self.stages.len());
        (1..count).map(move |step| (current + step) % count)
    }
    fn green_min_end(&self) -> Time {
        self.from.saturating_add(self.stages[self.current].green_min)
    }
    /// Keeps the present stage until `wake`.
    fn stay(&mut self, wake: Time) -> Decision {
        self.until = whole_tick(wake);
        Decision { wake: self.until, changed: false }
    }
    /// Ends the present stage and promises the least green of another.
    fn change(&mut self, stage: usize, now: Time) -> Decision {
        self.from = whole_tick(now.saturating_add(self.stages[stage].lost));
        for group in 0..self.since.len() {
            let since = &mut self.since[group];
            if !self.stages[stage].groups.contains(&(group as u32)) {
                *since = NEVER;
            } else if *since == NEVER {
                *since = self.from;
            }
        }
        self.current = stage;
        // At least a tick, so that a controller cannot change without end at one moment.
        self.until = whole_tick(self.green_min_end().max(self.from.saturating_add(TICK)));
        Decision { wake: self.until, changed: true }
    }
}

/// The first whole tick at or after a moment.
fn whole_tick(time: Time) -> Time {
    time.checked_next_multiple_of(TICK).unwrap_or(NEVER)
}

/// Gap-out control.
#[derive(Clone, Debug)]
pub struct Actuated {
    lights: Lights,
    /// (longest green, gap) of each stage.
    limits: Vec<(Time, Time)>,
    /// Since when somebody waits elsewhere.
    opposed_since: Time,
}

impl Actuated {
    /// A controller that begins with its first stage at time 0.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] without stages, for a group not below `groups`, or a longest green below
    /// the least.
    pub fn new(groups: u32, stages: Vec<ActuatedStage>) -> Result<Self> {
        let limits: Vec<(Time, Time)> = stages.iter().map(|stage| (stage.green_max, stage.gap)).collect();
        let mut problems = Problems::new();
        for (row, ActuatedStage { stage, green_max, .. }) in stages.iter().enumerate() {
            if *green_max < stage.green_min {
                let expected = format!("at least the least green {}", stage.green_min);
                problems.push(Problem::value(
                    Path::new("signal stages"),
                    row + 1,
                    None,
                    "green_max",
                    green_max,
                    expected,
                ));
            }
        }
        problems.or_else(())?;
        let lights = Lights::new(groups, stages.into_iter().map(|stage| stage.stage).collect())?;
        Ok(Self { lights, limits, opposed_since: NEVER })
    }

    fn decide(&mut self, now: Time, view: &View<'_>) -> Decision {
        let lights = &mut self.lights;
        let Some(next) = lights.others().find(|&stage| lights.calls(stage, view)) else {
            self.opposed_since = NEVER;
            return lights.stay(NEVER);
        };
        self.opposed_since = self.opposed_since.min(now);
        if now < lights.green_min_end() {
            return lights.stay(lights.green_min_end());
        }
        let (green_max, gap) = self.limits[lights.current];
        let longest = self.opposed_since.max(lights.from).saturating_add(green_max);
        let gap_ends = lights.stages[lights.current].groups.iter().map(|&group| {
            if (view.waiting)(group) > 0 {
                // Somebody stands on the detector: look again, but at once would be for ever.
                return now.saturating_add(gap.max(TICK));
            }
            (view.last_arrival)(group).map_or(0, |at| at.saturating_add(gap))
        });
        let gap_ends = gap_ends.max().unwrap_or(0);
        if now >= longest || now >= gap_ends {
            self.opposed_since = NEVER;
            return lights.change(next, now);
        }
        lights.stay(gap_ends.min(longest))
    }
}

/// Who goes where from the end of a movement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Downstream {
    /// The link after the movement's out-link.
    pub out: CarLinkIx,
    /// Share of those on the out-link who go there.
    pub share: f64,
}

/// A movement of a max-pressure controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// The group that lets it pass.
    pub group: u32,
    /// From.
    pub into: CarLinkIx,
    /// To.
    pub out: CarLinkIx,
    /// Saturation flow, vehicles/s.
    pub saturation_vps: f64,
    /// Where those on the out-link go; empty where trips end.
    pub downstream: Vec<Downstream>,
}

/// Max-pressure control.
#[derive(Clone, Debug)]
pub struct MaxPressure {
    lights: Lights,
    movements: Vec<Movement>,
    step: Time,
    bias: f64,
    red_max: Time,
    /// When each stage was last green, or was last seen without anybody waiting.
    served: Vec<Time>,
}

impl MaxPressure {
    /// A controller that begins with its first stage at time 0. It decides every `step_s`; changes for a
    /// pressure that is larger by the share `bias`; and serves who has waited longer than `red_s_max`.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] without stages, for a group not below `groups`, and for figures that are
    /// not finite or negative.
    pub fn new(
        groups: u32,
        stages: Vec<Stage>,
        movements: Vec<Movement>,
        step_s: f64,
        bias: f64,
        red_s_max: f64,
    ) -> Result<Self> {
        let mut problems = Problems::new();
        let place = Path::new("max-pressure control");
        for (field, value) in [("step_s", step_s), ("bias", bias), ("red_s_max", red_s_max)] {
            if !(value.is_finite() && value >= 0.0) {
                problems.push(Problem::value(place, 1, None, field, value, "0 or more"));
            }
        }
        for (row, movement) in movements.iter().enumerate() {
            let figures = movement.downstream.iter().map(|to| ("share", to.share));
            for (field, value) in figures.chain([("saturation_vps", movement.saturation_vps)]) {
                if !(value.is_finite() && value >= 0.0) {
                    problems.push(Problem::value(place, row + 1, None, field, value, "0 or more"));
                }
            }
            if movement.group >= groups {
                let expected = format!("below {groups}");
                problems.push(Problem::value(place, row + 1, None, "group", movement.group, expected));
            }
        }
        problems.or_else(())?;
        let lights = Lights::new(groups, stages)?;
        let served = vec![0; lights.stages.len()];
        Ok(Self {
            lights,
            movements,
            step: whole_tick(from_seconds(step_s).max(1)),
            bias,
            red_max: from_seconds(red_s_max),
            served,
        })
    }

    /// Pressure of every stage.
    #[must_use]
    pub fn pressures(&self, view: &View<'_>) -> Vec<f64> {
        let of = |movement: &Movement| {
            let ahead = movement.downstream.iter().map(|to| to.share * (view.bound)(movement.out, to.out)).sum::<f64>();
            movement.saturation_vps * ((view.bound)(movement.into, movement.out) - ahead).max(0.0)
        };
        let by_movement: Vec<f64> = self.movements.iter().map(of).collect();
        let stages = self.lights.stages.iter();
        stages
            .map(|stage| {
                let rows = self.movements.iter().zip(&by_movement);
                rows.filter(|(movement, _)| stage.groups.contains(&movement.group)).map(|(_, pressure)| pressure).sum()
            })
            .collect()
    }

    fn decide(&mut self, now: Time, view: &View<'_>) -> Decision {
        let lights = &mut self.lights;
        for stage in 0..lights.stages.len() {
            if stage == lights.current || !lights.calls(stage, view) {
                self.served[stage] = now;
            }
        }
        if lights.others().all(|stage| !lights.calls(stage, view)) {
            // Nobody stands at a red light.
            return lights.stay(NEVER);
        }
        if now < lights.green_min_end() {
            return lights.stay(lights.green_min_end());
        }
        let starved = lights.others().filter(|&stage| now - self.served[stage] >= self.red_max);
        let starved = starved.min_by_key(|&stage| self.served[stage]).filter(|&stage| lights.calls(stage, view));
        let pressures = self.pressures(view);
        let lights = &mut self.lights;
        // The first in turn of the largest.
        let mut best = lights.current;
        for stage in lights.others() {
            if pressures[stage] > pressures[best] {
                best = stage;
            }
        }
        // A green that serves nobody goes to whoever waits, whatever lies ahead of them.
        let idle = pressures[lights.current] <= 0.0
            && lights.stages[lights.current].groups.iter().all(|&group| (view.waiting)(group) == 0);
        let next = starved
            .or_else(|| (pressures[best] > (1.0 + self.bias) * pressures[lights.current]).then_some(best))
            .or_else(|| idle.then(|| lights.others().find(|&stage| lights.calls(stage, view))).flatten());
        match next.filter(|&stage| stage != lights.current) {
            Some(stage) => lights.change(stage, now),
            None => lights.stay(now.saturating_add(self.step)),
        }
    }
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;
