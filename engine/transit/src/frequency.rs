//! More or fewer departures of a timetable: what a policy on frequencies changes.
//!
//! Departures of a pattern of stops are counted through a window of the day; with `n` of them and a factor `f`, the new
//! ones are those numbered `0, 1/f, 2/f, ... < n`. A whole number is a departure as it was; one between two departures
//! leaves as far between them, and takes as long as the earlier. So 2 puts one into the middle of every headway, and 0.5
//! leaves out every other, whatever the shape of the day. A factor of 0 leaves out all: the line is closed.
//!
//! Longer gaps than [`GAP_MAX_S`] are no headways (the night, the middle of the day of a line for commuters): nothing is
//! put into them, but who would leave there leaves at its start, if nobody else does.
//! Ignored: whether there are vehicles and drivers for it, and vehicles that go on from one trip to the next.
//! Contract: pure, sequential; the order of the timetable's trips decides nothing.

use crate::timetable::{Builder, Run, Timetable};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest time between two departures that is a headway, seconds.
pub const GAP_MAX_S: u32 = 3 * 3600;

const DAY_S: u32 = 86_400;

/// Which departures become how many.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// By route, whether it is concerned.
    pub routes: Vec<bool>,
    /// Window of the clock, seconds of the day from midnight, end excluded; of departures from first stops.
    pub window_s: (u32, u32),
    /// First and last day, from the first date of the timetable.
    pub days: (i64, i64),
    /// How many times as many; none for 0.
    pub factor: f64,
}

/// The timetable after a change, and how many departures were concerned.
#[must_use]
pub fn change(timetable: Timetable, change: &Change) -> (Timetable, usize) {
    let (date, days, time_zone) = (timetable.date, timetable.days, timetable.time_zone.clone());
    let mut builder = timetable.into_builder();
    let concerned = builder.change_departures(change);
    (builder.build(date, days, time_zone), concerned)
}

impl Builder {
    fn change_departures(&mut self, change: &Change) -> usize {
        let runs = std::mem::take(&mut self.runs);
        let mut next_run = NextRun::new(runs.iter().map(|(run, ..)| run));
        let concerned = |run: &Run| change.routes.get(run.route.row()).copied().unwrap_or(false);
        let (of_change, others): (Vec<_>, Vec<_>) = runs.into_iter().partition(|(run, ..)| concerned(run));
        // The runs of each pattern of stops in order of departure, so that headways can be seen.
        let mut count = 0;
        self.runs = of_change;
        let groups = self.groups();
        let old = std::mem::replace(&mut self.runs, others);
        for group in groups {
            let departures: Vec<u32> = group.iter().map(|&(_, departure_s)| departure_s).collect();
            let mut at = 0;
            while at < group.len() {
                let day = departures[at] / DAY_S;
                let is_in = |departure_s: u32| {
                    let (day_of, second) = (departure_s / DAY_S, departure_s % DAY_S);
                    let holds = (change.days.0..=change.days.1).contains(&i64::from(day_of));
                    holds && day_of == day && (change.window_s.0..change.window_s.1).contains(&second)
                };
                let (run, calls, shift_s) = &old[group[at].0];
                if !is_in(departures[at]) {
                    self.runs.push((run.clone(), *calls, *shift_s));
                    at += 1;
                    continue;
                }
                let many = departures[at..].iter().take_while(|&&departure_s| is_in(departure_s)).count();
                let window_end_s = day * DAY_S + change.window_s.1;
                for (nth, later_s) in positions(&departures[at..], many, change.factor, window_end_s) {
                    let (run, calls, shift_s) = &old[group[at + nth].0];
                    let mut run = run.clone();
                    if later_s > 0 {
                        run.run = next_run.of(&run);
                    }
                    self.runs.push((run, *calls, shift_s.wrapping_add(later_s)));
                }
                count += many;
                at += many;
            }
        }
        count
    }

    /// Runs with their first departures, by route, shape and departure.
    fn groups(&self) -> Vec<Vec<(usize, u32)>> {
        let shape = |run: usize| self.calls_of(run).map(|call| (call.stop, call.flags));
        let route = |run: usize| self.runs[run].0.route;
        let first = |run: usize| self.calls_of(run).next().map_or(0, |call| call.departure_s);
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        order.sort_by(|&a, &b| {
            let shapes = route(a).cmp(&route(b)).then_with(|| shape(a).cmp(shape(b)));
            let (run, other) = (&self.runs[a].0, &self.runs[b].0);
            let names = || (&run.id, run.day, run.run).cmp(&(&other.id, other.day, other.run));
            shapes.then_with(|| first(a).cmp(&first(b))).then_with(names)
        });
        let same = |a: &usize, b: &usize| route(*a) == route(*b) && shape(*a).eq(shape(*b));
        order.chunk_by(same).map(|runs| runs.iter().map(|&run| (run, first(run))).collect()).collect()
    }
}

/// The departures that `many` become: after which one they come, and how much later. `departures` goes on behind them.
fn positions(departures: &[u32], many: usize, factor: f64, window_end_s: u32) -> Vec<(usize, u32)> {
    let mut out: Vec<(usize, u32)> = Vec::new();
    if factor <= 0.0 {
        return out;
    }
    for number in 0_u32.. {
        let mut place = f64::from(number) / factor;
        if (place - place.round()).abs() < 1e-9 {
            place = place.round();
        }
        let nth = place.floor() as usize;
        if nth >= many {
            break;
        }
        let headway_s = departures.get(nth + 1).map(|next| next - departures[nth]).filter(|&gap| gap <= GAP_MAX_S);
        let later_s = headway_s.map_or(0, |headway_s| (f64::from(headway_s) * place.fract()).round() as u32);
        // Into a gap, or past the last, nothing is put; nor twice what leaves at once.
        let is_new = out.last() != Some(&(nth, later_s));
        if is_new && departures[nth] + later_s < window_end_s {
            out.push((nth, later_s));
        }
    }
    out
}

/// Numbers of new runs of trips.
struct NextRun(BTreeMap<Arc<str>, u32>);

impl NextRun {
    fn new<'a>(runs: impl Iterator<Item = &'a Run>) -> Self {
        let mut next = BTreeMap::new();
        for run in runs {
            let of = next.entry(Arc::clone(&run.id)).or_insert(0);
            *of = (*of).max(run.run + 1);
        }
        Self(next)
    }

    fn of(&mut self, run: &Run) -> u32 {
        let next = self.0.entry(Arc::clone(&run.id)).or_insert(0);
        *next += 1;
        *next - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(departures: &[u32], many: usize, factor: f64) -> Vec<u32> {
        let out = positions(departures, many, factor, DAY_S);
        out.into_iter().map(|(nth, later_s)| departures[nth] + later_s).collect()
    }

    #[test]
    fn departures_by_hand() {
        let every_hour = [0, 3600, 7200, 10_800];
        assert_eq!(times(&every_hour, 4, 1.0), every_hour);
        assert_eq!(times(&every_hour, 4, 2.0), [0, 1800, 3600, 5400, 7200, 9000, 10_800]);
        assert_eq!(times(&every_hour, 4, 0.5), [0, 7200]);
        assert_eq!(times(&every_hour, 4, 1.5), [0, 2400, 4800, 7200, 9600, 10_800]);
        assert_eq!(times(&every_hour, 3, 2.0), [0, 1800, 3600, 5400, 7200, 9000], "the next leads on");
        assert_eq!(times(&every_hour, 4, 0.1), [0], "the first stays");
        assert_eq!(times(&[], 0, 2.0), [0_u32; 0]);
    }

    #[test]
    fn gaps_stay_gaps() {
        let peaks = [0, 1800, 40_000, 41_800];
        assert_eq!(times(&peaks, 4, 2.0), [0, 900, 1800, 40_000, 40_900, 41_800]);
        // Places 0, 2/3, 4/3, 2, 8/3, 10/3: the third lies in the gap and leaves at its start.
        assert_eq!(times(&peaks, 4, 1.5), [0, 1200, 1800, 40_000, 41_200, 41_800]);
    }

    #[test]
    fn nothing_leaves_after_the_window() {
        assert_eq!(positions(&[0, 3600], 1, 2.0, 1800), [(0, 0)]);
        assert_eq!(positions(&[0, 3600], 1, 2.0, 1801), [(0, 0), (0, 1800)]);
    }
}
