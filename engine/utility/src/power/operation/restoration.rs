//! Ties that supply what is dark: tried by solving, the one that leaves the lowest loading first.

use super::{Operation, Switching};
use crate::power::flow::{Method, PowerFlow};

/// What a limit may be missed by where it was missed before, percent and per unit.
const SLACK: f64 = 1e-6;

/// Loading of each branch in percent and voltage of each bus per unit, NaN where there is none.
struct State {
    loading: Vec<f64>,
    vm_pu: Vec<f64>,
}

impl State {
    fn of(flow: &PowerFlow) -> Self {
        let grid = flow.grid();
        let vm_pu = |bus: u32| if flow.is_energised(bus) { flow.voltage(bus).norm() } else { f64::NAN };
        Self {
            loading: (0..grid.branches.len() as u32).map(|branch| flow.loading_percent(branch)).collect(),
            vm_pu: (0..grid.buses.len() as u32).map(vm_pu).collect(),
        }
    }
}

impl Operation {
    pub(super) fn restore(&mut self, flow: &mut PowerFlow, time_s: u32, cause: u32) {
        let mut closed = Vec::new();
        // Where it does not converge as it is, nobody can say what a tie would do.
        while flow.solve(Method::Newton, &self.newton).is_converged {
            let before = State::of(flow);
            let mut best: Option<(f64, u32)> = None;
            for tie in self.ties(flow) {
                self.tie(flow, tie, true);
                flow.update();
                let may_close = !self.feeds_a_fault(flow) && flow.solve(Method::Newton, &self.newton).is_converged;
                let loading = if may_close { self.judge(flow, &before) } else { None };
                if let Some(loading) = loading
                    && best.is_none_or(|(lowest, _)| loading < lowest)
                {
                    best = Some((loading, tie));
                }
                self.tie(flow, tie, false);
            }
            let Some((_, tie)) = best else { break };
            self.tie(flow, tie, true);
            closed.push(tie);
        }
        self.note(flow, time_s, Switching::Restored, cause, (Vec::new(), closed));
    }
    /// Open ties between what has a source and what has none.
    fn ties(&self, flow: &mut PowerFlow) -> Vec<u32> {
        flow.update();
        let of = &flow.grid().branches;
        let is_candidate = |&row: &usize| {
            of.can_close[row]
                && !of.is_in_service[row]
                && !self.normal[row]
                && !self.is_tied[row]
                && self.blocked[row] == 0
                && flow.is_energised(of.from[row]) != flow.is_energised(of.to[row])
        };
        (0..of.len()).filter(is_candidate).map(|row| row as u32).collect()
    }
    /// Highest loading of a branch, percent, if no limit is broken that was not before.
    fn judge(&self, flow: &PowerFlow, before: &State) -> Option<f64> {
        let after = State::of(flow);
        let mut highest: f64 = 0.0;
        for (now, was) in after.loading.iter().zip(&before.loading) {
            let is_worse = was.is_nan() || *now > was + SLACK;
            if *now > self.settings.emergency_loading_max_percent && is_worse {
                return None;
            }
            highest = if is_worse { highest.max(*now) } else { highest };
        }
        for (now, was) in after.vm_pu.iter().zip(&before.vm_pu) {
            if *now < self.settings.emergency_vm_min_pu && (was.is_nan() || *now < was - SLACK) {
                return None;
            }
        }
        Some(highest)
    }
}
