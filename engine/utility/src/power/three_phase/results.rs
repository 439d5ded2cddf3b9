//! What follows from solved voltages: flows, losses, powers of loads and sources, unbalance, currents of neutrals.
//!
//! The unbalance factor is negative- over positive-sequence voltage (EN 50160, which allows 2 % over 95 % of a week).
//! The current of a neutral is what the phases do not carry back, `I_n = -(I_a + I_b + I_c)`, with whatever flows through
//! earth in it. Contract: pure functions of the solved state, sums in order of rows.

use super::admittance::{TwoPort, apply};
use super::sequence::of_phases;
use super::solve::{PhaseFlow, total};
use super::tables::Connection;
use crate::power::grid::Complex;
use crate::sparse::phase_lu::{Phases, ZERO};

/// What flows into a branch at its ends, by phases. Nothing where it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PhaseBranchFlow {
    /// Power into the from (high-voltage) end, VA.
    pub s_from_va: Phases,
    /// Power into the to (low-voltage) end, VA.
    pub s_to_va: Phases,
    /// Current into the from end, amperes.
    pub i_from_a: Phases,
    /// Current into the to end, amperes.
    pub i_to_a: Phases,
}

impl PhaseBranchFlow {
    /// Current that the neutral, with earth, takes into the from end, amperes.
    #[must_use]
    pub fn neutral_from_a(&self) -> Complex {
        -total(&self.i_from_a)
    }
    /// Current that the neutral, with earth, takes into the to end, amperes.
    #[must_use]
    pub fn neutral_to_a(&self) -> Complex {
        -total(&self.i_to_a)
    }
    /// What stays in the branch, VA.
    #[must_use]
    pub fn losses_va(&self) -> Complex {
        total(&self.s_from_va) + total(&self.s_to_va)
    }
}

impl PhaseFlow {
    /// Zero-, positive- and negative-sequence voltage of a bus, per unit.
    #[must_use]
    pub fn sequence_voltage(&self, bus: u32) -> Phases {
        of_phases(&self.voltage(bus))
    }
    /// Negative- over positive-sequence voltage of a bus; none unless all its phases have a source.
    #[must_use]
    pub fn unbalance(&self, bus: u32) -> Option<f64> {
        let [_, positive, negative] = self.sequence_voltage(bus);
        (self.is_energised(bus) == [true; 3]).then(|| negative.norm() / positive.norm())
    }
    /// What flows into a line.
    #[must_use]
    pub fn line_flow(&self, line: u32) -> PhaseBranchFlow {
        let of = &self.grid.lines[line as usize];
        self.flow(of.from, of.to, of.is_in_service, &self.y_line[line as usize])
    }
    /// What flows into a transformer.
    #[must_use]
    pub fn transformer_flow(&self, transformer: u32) -> PhaseBranchFlow {
        let of = &self.grid.transformers[transformer as usize];
        self.flow(of.hv, of.lv, of.is_in_service, &self.y_transformer[transformer as usize])
    }
    fn flow(&self, from: u32, to: u32, is_closed: bool, y: &TwoPort) -> PhaseBranchFlow {
        let (a, b) = (&self.grid.buses[from as usize], &self.grid.buses[to as usize]);
        if !is_closed || !a.is_in_service || !b.is_in_service {
            return PhaseBranchFlow::default();
        }
        let (va, vb) = (self.voltage(from), self.voltage(to));
        let into = |own: &Phases, other: &Phases| -> Phases { std::array::from_fn(|phase| own[phase] + other[phase]) };
        let i_from = into(&apply(&y.ff, &va), &apply(&y.ft, &vb));
        let i_to = into(&apply(&y.tf, &va), &apply(&y.tt, &vb));
        let base_va = self.grid.base_va / 3.0;
        let power = |v: &Phases, i: &Phases| std::array::from_fn(|phase| v[phase] * i[phase].conj() * base_va);
        let current = |i: &Phases, base_v: f64| i.map(|i| i * (base_va * 3.0_f64.sqrt() / base_v));
        PhaseBranchFlow {
            s_from_va: power(&va, &i_from),
            s_to_va: power(&vb, &i_to),
            i_from_a: current(&i_from, a.base_v),
            i_to_a: current(&i_to, b.base_v),
        }
    }
    /// What a load draws at the voltages at hand, VA: of phases, or of a-b, b-c, c-a. Nothing of what has no source.
    #[must_use]
    pub fn load_power(&self, load: u32) -> Phases {
        let of = &self.grid.loads[load as usize];
        let (v, live) = (self.voltage(of.bus), self.is_energised(of.bus));
        std::array::from_fn(|phase| {
            let next = (phase + 1) % 3;
            let (vm, is_live) = match of.connection {
                Connection::Wye => (v[phase].norm(), live[phase]),
                Connection::Delta => ((v[phase] - v[next]).norm() / 3.0_f64.sqrt(), live[phase] && live[next]),
            };
            if !of.is_in_service || !is_live {
                return ZERO;
            }
            let (current, impedance) = (of.current_share, of.impedance_share);
            of.s_va[phase] * (1.0 - current - impedance + current * vm + impedance * vm * vm)
        })
    }
    /// What a load puts into the phases of its bus by its own current, VA, negative where it draws.
    fn drawn_by_phase(&self, load: u32) -> Phases {
        let of = &self.grid.loads[load as usize];
        let (v, s) = (self.voltage(of.bus), self.load_power(load));
        match of.connection {
            Connection::Wye => s,
            Connection::Delta => {
                let mut drawn = [ZERO; 3];
                for phase in 0..3 {
                    let next = (phase + 1) % 3;
                    let between = v[phase] - v[next];
                    if s[phase] != ZERO && between.norm_sqr() > 0.0 {
                        let current = (s[phase] / between).conj();
                        drawn[phase] += v[phase] * current.conj();
                        drawn[next] -= v[next] * current.conj();
                    }
                }
                drawn
            }
        }
    }
    /// What a generator feeds into each phase, VA.
    #[must_use]
    pub fn generator_power(&self, generator: u32) -> Phases {
        let of = &self.grid.generators[generator as usize];
        let live = self.is_energised(of.bus);
        live.map(|is_live| if is_live && of.is_in_service { of.s_va / 3.0 } else { ZERO })
    }
    /// What a source feeds into each phase of its bus, VA.
    #[must_use]
    pub fn source_power(&self, source: u32) -> Phases {
        let bus = self.grid.sources[source as usize].bus;
        let mut sum = [ZERO; 3];
        let mut add = |s: Phases, sign: f64| (0..3).for_each(|phase| sum[phase] += s[phase] * sign);
        for (line, of) in self.grid.lines.iter().enumerate().filter(|(_, of)| of.from == bus || of.to == bus) {
            let flow = self.line_flow(line as u32);
            if of.from == bus {
                add(flow.s_from_va, 1.0);
            }
            if of.to == bus {
                add(flow.s_to_va, 1.0);
            }
        }
        for (row, of) in self.grid.transformers.iter().enumerate().filter(|(_, of)| of.hv == bus || of.lv == bus) {
            let flow = self.transformer_flow(row as u32);
            if of.hv == bus {
                add(flow.s_from_va, 1.0);
            }
            if of.lv == bus {
                add(flow.s_to_va, 1.0);
            }
        }
        for (load, _) in self.grid.loads.iter().enumerate().filter(|(_, of)| of.bus == bus) {
            add(self.drawn_by_phase(load as u32), 1.0);
        }
        for (generator, _) in self.grid.generators.iter().enumerate().filter(|(_, of)| of.bus == bus) {
            add(self.generator_power(generator as u32), -1.0);
        }
        sum
    }
    /// What stays in lines and transformers, VA.
    #[must_use]
    pub fn losses_va(&self) -> Complex {
        let lines = (0..self.grid.lines.len() as u32).map(|line| self.line_flow(line).losses_va());
        let transformers = (0..self.grid.transformers.len() as u32).map(|of| self.transformer_flow(of).losses_va());
        lines.chain(transformers).fold(ZERO, |sum, s| sum + s)
    }
}
