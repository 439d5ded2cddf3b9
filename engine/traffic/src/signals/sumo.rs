//! SUMO `tlLogic` programs as plans. A phase is a duration and a state: one letter for each controlled
//! link (sumo.dlr.de, "Simulation/Traffic_Lights", signal state definitions).
//!
//! | letters | meaning | here |
//! | --- | --- | --- |
//! | `G`, `g` | green, with or without priority | green |
//! | `o`, `O` | off: yield, or no signal | green |
//! | `s` | right turn on red after a stop | green |
//! | `y`, `Y` | amber | used as far as `Clearance::gain_s` |
//! | `r`, `u` | red, red and amber | red |
//!
//! Displayed greens become effective ones: the first `lost_s` of a green that follows red pass nothing, and
//! the amber after it is used for up to `gain_s` (HCM 2010 ch. 18: 2 s both). Greens that go on from phase
//! to phase lose nothing. Groups are the link indices. A program of one state is green or red for ever.
//!
//! Ignored: actuated programs' minimum and maximum durations, `next` phases; a stop before turning on red.
//! Contract: a pure function; every fault is named.

use super::plan::{CYCLE_MAX, SignalPlan};
use crate::time::{TICK, Time, from_seconds};
use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// How displayed greens become effective ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clearance {
    /// Green lost while a queue starts, seconds.
    pub lost_s: f64,
    /// Amber that is used, seconds.
    pub gain_s: f64,
}

impl Default for Clearance {
    fn default() -> Self {
        Self { lost_s: 2.0, gain_s: 2.0 }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Light {
    Green,
    Amber,
    Red,
}

fn light(letter: u8) -> Option<Light> {
    match letter {
        b'G' | b'g' | b'o' | b'O' | b's' => Some(Light::Green),
        b'y' | b'Y' => Some(Light::Amber),
        b'r' | b'u' => Some(Light::Red),
        _ => None,
    }
}

/// The plan of a program. `id` names it in problems; `offset_s` is when its first phase begins (SUMO's
/// attribute of that name, which delays the program; any sign).
///
/// # Errors
/// [`urbis_core::Error::Input`] naming every phase whose duration is not positive or whose state differs in
/// length from the first or holds an unknown letter, and programs without phases or beyond an hour.
pub fn plan(id: &str, offset_s: f64, phases: &[(f64, &str)], clearance: Clearance) -> Result<SignalPlan> {
    let mut problems = Problems::new();
    let place = Path::new("tlLogic");
    let groups = phases.first().map_or(0, |(_, state)| state.len());
    if groups == 0 {
        problems.push(Problem::file(place, format!("program {id} has no phase with a state")));
    }
    if !offset_s.is_finite() {
        problems.push(Problem::value(place, 1, Some(id), "offset", offset_s, "a number"));
    }
    for (row, (duration_s, state)) in phases.iter().enumerate() {
        if !(*duration_s > 0.0 && *duration_s <= f64::from(CYCLE_MAX / TICK)) {
            let expected = "more than 0, at most 3600";
            problems.push(Problem::value(place, row + 1, Some(id), "duration", duration_s, expected));
        }
        if state.len() != groups {
            let expected = format!("{groups} letters as in the first phase");
            problems.push(Problem::value(place, row + 1, Some(id), "state", state, expected));
        } else if let Some(letter) = state.chars().find(|&l| !l.is_ascii() || light(l as u8).is_none()) {
            let expected = "letters of GgyYrusoO";
            problems.push(Problem::value(place, row + 1, Some(id), "state letter", letter, expected));
        }
    }
    problems.or_else(())?;
    // Phase ends are rounded, not durations, so that the cycle does not drift from what was written.
    let mut ends_s = 0.0;
    let ends: Vec<Time> = phases
        .iter()
        .map(|(duration_s, _)| {
            ends_s += duration_s;
            from_seconds(ends_s)
        })
        .collect();
    let cycle = ends.last().copied().unwrap_or(0);
    let windows = (0..groups).map(|group| windows(group, phases, &ends, clearance)).collect();
    let offset = from_seconds(offset_s.rem_euclid((f64::from(cycle) / f64::from(TICK)).max(1.0 / 1024.0)));
    SignalPlan::from_windows(cycle, offset, windows, &[])
}

/// Effective greens of one link of a program whose states are sound.
fn windows(group: usize, phases: &[(f64, &str)], ends: &[Time], clearance: Clearance) -> Vec<(Time, Time)> {
    let count = phases.len();
    let lights: Vec<Light> =
        phases.iter().map(|(_, state)| light(state.as_bytes()[group]).unwrap_or(Light::Red)).collect();
    let cycle = ends[count - 1];
    if lights.iter().all(|&light| light == Light::Green) {
        return vec![(0, cycle)];
    }
    let length = |phase: usize| ends[phase] - if phase == 0 { 0 } else { ends[phase - 1] };
    let mut found = Vec::new();
    for first in 0..count {
        // A green begins where the phase before is not green.
        if lights[first] != Light::Green || lights[(first + count - 1) % count] == Light::Green {
            continue;
        }
        let start = ends[first] - length(first);
        let (mut phase, mut green, mut amber) = (first, 0, 0);
        while lights[phase] == Light::Green {
            green += length(phase);
            phase = (phase + 1) % count;
        }
        while lights[phase] == Light::Amber {
            amber += length(phase);
            phase = (phase + 1) % count;
        }
        // Amber straight into the next green: nobody starts from a standstill there, and no more is known.
        let lost = from_seconds(clearance.lost_s);
        let gained = amber.min(from_seconds(clearance.gain_s));
        if lost < green + gained {
            found.push(((start + lost) % cycle, (start + lost) % cycle + green + gained - lost));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Window;

    const NONE: Clearance = Clearance { lost_s: 0.0, gain_s: 0.0 };

    #[test]
    fn a_program_becomes_effective_greens() {
        let phases = [(31.0, "GGrr"), (4.0, "yyrr"), (20.0, "rrGg"), (5.0, "rryy")];
        let plan = plan("j", 0.0, &phases, Clearance::default()).unwrap();
        assert_eq!((plan.cycle(), plan.groups()), (60 * TICK, 4));
        assert_eq!(plan.windows(0), [(2 * TICK, 33 * TICK)]);
        assert_eq!(plan.windows(3), [(37 * TICK, 57 * TICK)]);
        assert!(plan.check_conflicts(&[(0, 2), (1, 3)]).is_ok());
        assert!(plan.check_conflicts(&[(0, 1)]).is_err());
    }

    #[test]
    fn greens_that_go_on_lose_nothing_and_wrap() {
        let phases = [(10.0, "Gr"), (5.0, "GG"), (10.0, "rG"), (5.0, "GG")];
        let plan = plan("j", 7.0, &phases, Clearance { lost_s: 1.0, gain_s: 2.0 }).unwrap();
        // Green from 25 s to 45 s of a cycle of 30 s, less a second, and no amber to use.
        assert_eq!(plan.windows(0), [(26 * TICK, 45 * TICK)]);
        assert_eq!(plan.windows(1), [(11 * TICK, 30 * TICK)]);
        assert_eq!(plan.next_green(0, 7 * TICK), Window { from: 7 * TICK, until: 22 * TICK });
    }

    #[test]
    fn states_without_change() {
        let always = plan("j", -3.5, &[(90.0, "Gro")], NONE).unwrap();
        assert!((always.green_share(0) - 1.0).abs() < 1e-12 && always.green_share(1) < 1e-12);
        assert!(always.is_green(2, 12_345) && !always.is_green(1, 12_345));
    }

    #[test]
    fn faults_are_all_named() {
        let of = |phases: &[(f64, &str)]| match plan("j", 0.0, phases, NONE) {
            Err(urbis_core::Error::Input(problems)) => problems.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(of(&[]), 1);
        assert_eq!(of(&[(0.0, "G"), (5.0, "rr"), (f64::NAN, "x")]), 4);
        assert_eq!(of(&[(5.0, "\u{e9}r")]), 1);
        assert_eq!(of(&[(3000.0, "G"), (3000.0, "r")]), 1);
        assert!(plan("j", f64::INFINITY, &[(5.0, "G")], NONE).is_err());
        assert!(plan("j", 0.0, &[(1e-9, "G")], NONE).is_err());
    }
}
