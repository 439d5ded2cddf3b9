//! Fixed-time plans: for each group the windows of a cycle in which it is green.
//!
//! At time `t` a plan of cycle `C` and offset `o` stands at `p = (t - o) mod C`. Windows are half-open,
//! lie in `[0, 2C)` with a start in `[0, C)`, are sorted, and neither overlap nor touch, so that the end of
//! a window is truly the start of red; a group that is green throughout never ends. [`SignalPlan::next_green`]
//! is a remainder and a binary search over the few windows of one group.
//!
//! Ignored: changes between plans. Contract: integer arithmetic, immutable, every time up to
//! [`NEVER`].

use crate::time::{NEVER, TICK, Time};
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::{Problem, Problems, Result};

/// Longest cycle: an hour.
pub const CYCLE_MAX: Time = 3600 * TICK;

/// A span of green, `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First moment of green; [`NEVER`] when there is none to come.
    pub from: Time,
    /// First moment after it; [`NEVER`] when it does not end.
    pub until: Time,
}

impl Window {
    /// No green.
    pub const NONE: Self = Self { from: NEVER, until: NEVER };

    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(self, at: Time) -> bool {
        self.from <= at && at < self.until
    }
}

/// A stage of a fixed-time plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStage {
    /// Effective green.
    pub green: Time,
    /// Lost time after it: no group that changes is green.
    pub lost: Time,
    /// The groups that are green.
    pub groups: Vec<u32>,
}

/// When each group of a junction is green, over and over.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalPlan {
    cycle: Time,
    offset: Time,
    /// (start, end) by group.
    windows: Csr<(Time, Time)>,
}

impl SignalPlan {
    /// A plan from stages in their order; the first begins at `offset`, the cycle is the sum of greens and
    /// lost times. A group of two stages that follow each other stays green between them; the lost time of
    /// a single stage is red. Groups that share no stage never meet.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the cycle is empty or beyond [`CYCLE_MAX`], or a stage names a
    /// group not below `groups`.
    pub fn from_stages(groups: u32, offset: Time, stages: &[PlanStage]) -> Result<Self> {
        let mut problems = Problems::new();
        let place = Path::new("signal plan");
        for (row, stage) in stages.iter().enumerate() {
            for &group in stage.groups.iter().filter(|&&group| group >= groups) {
                let expected = format!("below {groups}");
                problems.push(Problem::value(place, row + 1, None, "group", group, expected));
            }
        }
        problems.or_else(())?;
        let mut windows = vec![Vec::new(); groups as usize];
        let mut at = 0_u64;
        let spans = stages.iter().map(|stage| (u64::from(stage.green), u64::from(stage.lost)));
        let cycle: u64 = spans.map(|(green, lost)| green + lost).sum();
        let cycle = checked_cycle(cycle)?;
        for (nth, stage) in stages.iter().enumerate() {
            let next = &stages[(nth + 1) % stages.len()];
            for &group in stage.groups.iter().filter(|_| stage.green > 0) {
                let kept = if stages.len() > 1 && next.groups.contains(&group) { stage.lost } else { 0 };
                windows[group as usize].push((at as Time, at as Time + stage.green + kept));
            }
            at += u64::from(stage.green) + u64::from(stage.lost);
        }
        Self::from_windows(cycle, offset, windows, &[])
    }

    /// A plan from windows by group, each `(start, end)` with `start < cycle`, `end <= start + cycle`. They
    /// may be in any order, touch or overlap: their union counts.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the cycle is zero or beyond [`CYCLE_MAX`], a window does not fit, or
    /// two groups named as conflicting are green at once.
    pub fn from_windows(
        cycle: Time,
        offset: Time,
        windows: Vec<Vec<(Time, Time)>>,
        conflicts: &[(u32, u32)],
    ) -> Result<Self> {
        let cycle = checked_cycle(u64::from(cycle))?;
        let mut problems = Problems::new();
        let place = Path::new("signal plan");
        let groups = windows.len();
        let mut pairs = Vec::new();
        for (group, windows) in windows.into_iter().enumerate() {
            for &(start, end) in &windows {
                if start >= cycle || end < start || end - start > cycle {
                    let value = format!("{start}..{end}");
                    let expected = format!("a start below the cycle {cycle} and at most a cycle");
                    problems.push(Problem::value(place, group + 1, None, "window", value, expected));
                }
            }
            if problems.is_empty() {
                pairs.extend(union(cycle, &windows).into_iter().map(|window| (group as u32, window)));
            }
        }
        problems.or_else(())?;
        let plan = Self { cycle, offset: offset % cycle, windows: Csr::from_pairs(groups, &pairs) };
        plan.check_conflicts(conflicts)?;
        Ok(plan)
    }

    /// Checks that groups that may not be green at once are not.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every pair that is, with a second of the cycle.
    pub fn check_conflicts(&self, conflicts: &[(u32, u32)]) -> Result<()> {
        let mut problems = Problems::new();
        let groups = self.groups();
        for &(a, b) in conflicts {
            if a >= groups || b >= groups {
                let what = format!("conflict of groups {a} and {b}: there are {groups} groups");
                problems.push(Problem::file(Path::new("signal plan"), what));
            } else if let Some(at) = self.common_green(a, b) {
                let second = crate::time::to_seconds(at);
                let what = format!("groups {a} and {b} conflict, and both are green {second} s into the cycle");
                problems.push(Problem::file(Path::new("signal plan"), what));
            }
        }
        problems.or_else(())
    }

    /// First moment of the cycle, if any, at which two groups are both green.
    #[must_use]
    pub fn common_green(&self, a: u32, b: u32) -> Option<Time> {
        let flat = |group: u32| {
            self.windows.row(group as usize).iter().flat_map(|&(start, end)| {
                let wrapped = (end > self.cycle).then(|| (0, end - self.cycle));
                wrapped.into_iter().chain([(start, end.min(self.cycle))])
            })
        };
        flat(a)
            .flat_map(|(start, end)| flat(b).map(move |(other, until)| (start.max(other), end.min(until))))
            .filter(|(start, end)| start < end)
            .map(|(start, _)| start)
            .min()
    }

    /// The green of a group that includes `at`, from `at` on, or the next one. [`Window::NONE`] for a group
    /// that is never green or does not exist.
    #[inline]
    #[must_use]
    pub fn next_green(&self, group: u32, at: Time) -> Window {
        let Some(&(first, _)) = self.row(group).first() else { return Window::NONE };
        let windows = self.row(group);
        let last = windows[windows.len() - 1];
        if last.1 - last.0 == self.cycle {
            return Window { from: at, until: NEVER };
        }
        let phase = self.phase(at);
        let clip = |time: u64| time.min(u64::from(NEVER)) as Time;
        let ahead = |of: Time| clip(u64::from(at) + u64::from(of) - u64::from(phase));
        if u64::from(phase) + u64::from(self.cycle) < u64::from(last.1) {
            return Window { from: at, until: ahead(last.1 - self.cycle) };
        }
        let nth = windows.partition_point(|&(_, end)| end <= phase);
        match windows.get(nth) {
            Some(&(start, end)) if start <= phase => Window { from: at, until: ahead(end) },
            Some(&(start, end)) => Window { from: ahead(start), until: ahead(end) },
            None => {
                let next = u64::from(at) + u64::from(self.cycle) - u64::from(phase);
                let (first, end) = (next + u64::from(first), next + u64::from(windows[0].1));
                Window { from: clip(first), until: clip(end) }
            }
        }
    }

    /// Whether a group is green at a moment.
    #[must_use]
    pub fn is_green(&self, group: u32, at: Time) -> bool {
        self.next_green(group, at).contains(at)
    }

    /// Position in the cycle.
    #[inline]
    fn phase(&self, at: Time) -> Time {
        let (at, cycle) = (u64::from(at), u64::from(self.cycle));
        ((at + cycle - u64::from(self.offset)) % cycle) as Time
    }
    fn row(&self, group: u32) -> &[(Time, Time)] {
        if group < self.groups() { self.windows.row(group as usize) } else { &[] }
    }
    /// Length of the cycle.
    #[must_use]
    pub fn cycle(&self) -> Time {
        self.cycle
    }
    /// When a cycle begins, below the cycle.
    #[must_use]
    pub fn offset(&self) -> Time {
        self.offset
    }
    /// The same plan begun at another moment.
    #[must_use]
    pub fn with_offset(self, offset: Time) -> Self {
        Self { offset: offset % self.cycle, ..self }
    }
    /// Number of groups.
    #[must_use]
    pub fn groups(&self) -> u32 {
        self.windows.rows() as u32
    }
    /// Windows of a group within the cycle, `(start, end)`; the last may reach into the next cycle.
    #[must_use]
    pub fn windows(&self, group: u32) -> &[(Time, Time)] {
        self.row(group)
    }
    /// Green of a group in a cycle.
    #[must_use]
    pub fn green(&self, group: u32) -> Time {
        self.row(group).iter().map(|(start, end)| end - start).sum()
    }
    /// Share of time a group is green, 0 to 1: its capacity is this times its saturation flow.
    #[must_use]
    pub fn green_share(&self, group: u32) -> f64 {
        f64::from(self.green(group)) / f64::from(self.cycle)
    }
}

fn checked_cycle(cycle: u64) -> Result<Time> {
    if cycle == 0 || cycle > u64::from(CYCLE_MAX) {
        let seconds = cycle as f64 / f64::from(TICK);
        let place = Path::new("signal plan");
        let expected = format!("more than 0, at most {}", CYCLE_MAX / TICK);
        return Err(Problem::value(place, 1, None, "cycle_s", seconds, expected).into());
    }
    Ok(cycle as Time)
}

/// Union of windows on a cycle as sorted windows that neither touch nor overlap, of which the last may run
/// over the end.
fn union(cycle: Time, windows: &[(Time, Time)]) -> Vec<(Time, Time)> {
    let mut flat: Vec<(Time, Time)> = Vec::new();
    for &(start, end) in windows {
        flat.push((start, end.min(cycle)));
        if end > cycle {
            flat.push((0, end - cycle));
        }
    }
    flat.retain(|(start, end)| start < end);
    flat.sort_unstable();
    let mut merged: Vec<(Time, Time)> = Vec::new();
    for (start, end) in flat {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    // What ends with the cycle and goes on in the next is one green.
    if let (Some(&(0, first_end)), Some(&(last_start, last_end))) = (merged.first(), merged.last())
        && merged.len() > 1
        && last_end == cycle
    {
        merged.remove(0);
        if let Some(last) = merged.last_mut() {
            *last = (last_start, cycle + first_end);
        }
    }
    merged
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
