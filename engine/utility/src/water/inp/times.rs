//! `[TIMES]`: steps and starts, and how EPANET fits them to one another.

use super::reader::Reader;
use super::text::{Line, begins, hours, seconds, which};
use crate::water::network::Times;

impl<'a> Reader<'a> {
    /// A line of `[TIMES]`; what is 0 has its value from the others at the end.
    pub(super) fn time_line(&mut self, line: &Line<'a>) {
        let key = line.word(0);
        if line.len() < 2 {
            return self.short(line, "a name and a time");
        }
        if begins(key, "STAT") {
            if !begins(line.last(), "NO") {
                self.notes.push(format!("line {}: STATISTIC {} is of no bearing here", line.number, line.last()));
            }
            return;
        }
        let at = line.len() - 1;
        let time = hours(line.word(at), "").or_else(|| hours(line.word(at - 1), line.word(at)));
        let Some(seconds) = time.and_then(seconds) else {
            return self.value(line, key, line.words[1..].join(" "), "a time such as 5, 90 MIN, 1:30 or 1:30 PM");
        };
        let times = &mut self.network.times;
        let is_start = begins(line.word(1), "STAR");
        let is_step = begins(line.word(1), "TIME");
        match which(
            key,
            &[("DURA", 0), ("HYDR", 1), ("QUAL", 2), ("RULE", 3), ("MINI", 4), ("PATT", 5), ("REPO", 6), ("STAR", 7)],
        ) {
            Some(0) => times.duration_s = seconds,
            Some(1) => times.hydraulic_step_s = seconds,
            Some(2) => times.quality_step_s = seconds,
            Some(3) => times.rule_step_s = seconds,
            Some(4) => self.notes.push(format!("line {}: MINIMUM TRAVELTIME is of no bearing here", line.number)),
            Some(5) if is_step => times.pattern_step_s = seconds,
            Some(5) if is_start => times.pattern_start_s = seconds,
            Some(6) if is_step => times.report_step_s = seconds,
            Some(6) if is_start => times.report_start_s = seconds,
            Some(5 | 6) => self.value(line, key, line.word(1), "TIMESTEP or START"),
            Some(7) => times.start_clock_s = seconds % 86_400,
            _ => self.problem(line, format_args!("{key}, expected a name of [TIMES] such as DURATION")),
        }
    }

    /// Times before any line: 0 means not given.
    pub(super) fn no_times() -> Times {
        Times { quality_step_s: 0, rule_step_s: 0, ..Times::default() }
    }

    /// Steps as EPANET fits them to one another.
    pub(super) fn finish_times(&mut self) {
        let times = &mut self.network.times;
        let or = |value: u32, default: u32| if value == 0 { default } else { value };
        times.pattern_step_s = or(times.pattern_step_s, 3600);
        times.report_step_s = or(times.report_step_s, times.pattern_step_s);
        times.hydraulic_step_s = or(times.hydraulic_step_s, 3600).min(times.pattern_step_s).min(times.report_step_s);
        if times.report_start_s > times.duration_s {
            times.report_start_s = 0;
        }
        let tenth = (times.hydraulic_step_s / 10).max(1);
        times.quality_step_s = or(times.quality_step_s, tenth).min(times.hydraulic_step_s);
        times.rule_step_s = or(times.rule_step_s, tenth).min(times.hydraulic_step_s);
    }
}
