//! When exits see green: fixed plans by arithmetic, controlled groups by the window that their
//! controller decided last.
//!
//! Contract: read-only during a step, so every node sees the same; changed between steps only.

use crate::signals::SignalPlan;
use crate::time::{NEVER, Time};

/// Green of one signal group.
#[derive(Clone, Debug)]
enum Green {
    /// Repeats after `cycle`: half-open windows of the cycle, in order, none touching the next.
    Fixed { cycle: Time, offset: Time, windows: Vec<(Time, Time)> },
    /// From, until; what comes then is not decided yet.
    Decided(Time, Time),
}

/// Green of all signal groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Greens {
    groups: Vec<Green>,
}

impl Greens {
    /// A group that repeats; `None` when a window is empty, out of order or longer than the cycle.
    pub(crate) fn add_fixed(&mut self, cycle: Time, offset: Time, windows: &[(Time, Time)]) -> Option<u32> {
        let ordered = windows.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        if windows.is_empty() || !ordered || windows.iter().any(|&(from, until)| from >= until || until > cycle) {
            return None;
        }
        self.groups.push(Green::Fixed { cycle, offset: offset % cycle, windows: windows.to_vec() });
        Some(self.groups.len() as u32 - 1)
    }
    /// A group of a plan; red for ever when the plan never gives it green.
    pub(crate) fn add_planned(&mut self, plan: &SignalPlan, group: u32) -> u32 {
        let cycle = plan.cycle();
        let mut windows: Vec<(Time, Time)> = Vec::new();
        for &(from, until) in plan.windows(group) {
            // A green over the end of the cycle continues at its start.
            windows.push((from, until.min(cycle)));
            if until > cycle && until != NEVER {
                windows.push((0, until - cycle));
            }
        }
        windows.sort_unstable();
        self.add_fixed(cycle, plan.offset(), &windows).unwrap_or_else(|| self.add_controlled())
    }
    /// A group that is red until its controller decides.
    pub(crate) fn add_controlled(&mut self) -> u32 {
        self.groups.push(Green::Decided(NEVER, NEVER));
        self.groups.len() as u32 - 1
    }
    /// The next window of a controlled group.
    pub(crate) fn decide(&mut self, group: u32, from: Time, until: Time) {
        self.groups[group as usize] = Green::Decided(from, until);
    }
    /// Start of the green in which somebody who is ready at `at` passes, and when; [`NEVER`] when that is
    /// not decided.
    #[inline]
    pub(crate) fn next(&self, group: u32, at: Time) -> (Time, Time) {
        match &self.groups[group as usize] {
            Green::Decided(from, until) => {
                if at < *until {
                    (*from, at.max(*from))
                } else {
                    (NEVER, NEVER)
                }
            }
            Green::Fixed { cycle, offset, windows } => {
                let phase = (at % cycle + cycle - offset) % cycle;
                let began = |start: Time| (at + start).saturating_sub(phase);
                match windows.iter().find(|&&(_, end)| phase < end) {
                    Some(&(start, _)) => (began(start), at.max(began(start))),
                    None => {
                        let next = began(windows[0].0.saturating_add(*cycle));
                        (next, next)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_repeat() {
        let mut greens = Greens::default();
        let group = greens.add_fixed(60, 5, &[(0, 20), (30, 40)]).unwrap();
        assert_eq!(greens.next(group, 5), (5, 5));
        assert_eq!(greens.next(group, 24), (5, 24));
        assert_eq!(greens.next(group, 25), (35, 35));
        assert_eq!(greens.next(group, 44), (35, 44));
        assert_eq!(greens.next(group, 45), (65, 65));
        assert_eq!(greens.next(group, 3), (5, 5));
        assert_eq!(greens.add_fixed(60, 0, &[(0, 20), (10, 40)]), None);
        let controlled = greens.add_controlled();
        assert_eq!(greens.next(controlled, 5).1, NEVER);
        greens.decide(controlled, 10, 20);
        assert_eq!((greens.next(controlled, 5), greens.next(controlled, 20).1), ((10, 10), NEVER));
    }
}
