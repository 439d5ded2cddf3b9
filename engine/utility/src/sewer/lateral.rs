//! Water that comes into nodes from outside: series and base flows, sewage by patterns, and runoff.
//!
//! Source: Reference Manual Vol. II, chapter 2. As in SWMM each is taken at the beginning of a step.

use super::ledger::StepFlows;
use super::network::{NONE, Pattern, PatternKind, Sewer, Target};
use super::runoff::Runoff;
use super::time::Moment;
use super::units::FOOT3_M3;

/// Flow that counts as none, 1e-5 cfs.
const NO_FLOW_M3PS: f64 = 1e-5 * FOOT3_M3;

impl Pattern {
    fn at(&self, moment: &Moment) -> f64 {
        let row = match self.kind {
            PatternKind::Monthly => moment.month,
            PatternKind::Daily => moment.weekday,
            PatternKind::Hourly => moment.hour,
            PatternKind::Weekend if is_weekend(moment) => moment.hour,
            PatternKind::Weekend => return 1.0,
        };
        self.factor.get(row).copied().unwrap_or(1.0)
    }
}

fn is_weekend(moment: &Moment) -> bool {
    matches!(moment.weekday, 0 | 6)
}

/// Sets what comes into each node at a moment, m3/s, and adds it to the flows of the step. What the caller gave counts
/// as sewage.
pub(crate) fn lateral_inflow(
    sewer: &Sewer,
    runoff: &Runoff,
    given_m3ps: &[f64],
    at_ms: f64,
    lateral: &mut [f64],
    step: &mut StepFlows,
) {
    lateral.copy_from_slice(given_m3ps);
    step.dry_weather_m3ps += given_m3ps.iter().sum::<f64>();
    let at_s = (at_ms + 1.0) / 1000.0;
    let moment = Moment::after(sewer.options.start_day, sewer.options.start_of_day_s + at_s);
    let factor = |row: u32| if row == NONE { 1.0 } else { sewer.patterns[row as usize].at(&moment) };
    let some = |flow: f64| if flow.abs() < NO_FLOW_M3PS { 0.0 } else { flow };
    let of = &sewer.inflows;
    for row in 0..of.node.len() {
        let series = if of.series[row] == NONE { 0.0 } else { sewer.series[of.series[row] as usize].at_or_none(at_s) };
        let flow = some(of.scale_m3ps[row] * series + of.base_m3ps[row] * factor(of.pattern[row]));
        lateral[of.node[row] as usize] += flow;
        step.external_m3ps += flow;
    }
    let of = &sewer.dry_weather;
    for row in 0..of.node.len() {
        let [monthly, daily, hourly, weekend] = of.patterns[row];
        let hours = if weekend != NONE && is_weekend(&moment) { weekend } else { hourly };
        let flow = some(of.mean_m3ps[row] * factor(monthly) * factor(daily) * factor(hours));
        lateral[of.node[row] as usize] += flow;
        step.dry_weather_m3ps += flow;
    }
    let share = runoff.share_at(at_ms);
    for (row, target) in sewer.subcatchments.target.iter().enumerate() {
        if let Target::Node(node) = target {
            let flow = runoff.at(row, share);
            lateral[*node as usize] += flow;
            step.wet_weather_m3ps += flow;
        }
    }
}
