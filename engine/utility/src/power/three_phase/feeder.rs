//! A feeder: buses that hang together, a solve of its own. The grid is linear in currents. With the currents `I` that
//! loads and generators put into each phase and those `J` of sources,
//!
//! ```text
//! Y V = I(V) + J          I = -conj(S(|V|) / V)              wye, to earth
//!                         I_ab = -conj(S(|U|) / U)           delta, U = V_a - V_b; into a, out of b
//! ```
//!
//! and `Y`, of 3x3 blocks, does not depend on loads. It is factored once; a solve repeats `V <- Y^-1 (I(V) + J)`. The
//! powers that the new voltages and the currents before give differ from those wanted by
//!
//! ```text
//! V conj(I_before) - V conj(I(V))
//! ```
//!
//! which is the mismatch; it shrinks by about the ratio of load to short-circuit power each time. On a radial feeder,
//! substitution along the order of elimination is the backward/forward sweep (down adds currents up from the leaves,
//! up takes voltages to them), exact in charging and ratios; loops just work. Where nothing hangs, nothing is done until
//! the voltages are right ([`super::order`]).
//!
//! A source with an impedance adds its admittance `Y_s` and `J = Y_s V_s`. One that holds the positive sequence of its bus
//! has the projector `P` on it: its rows read `(1 - P)(Y V - I) + g P (V - V_s) = 0`, with `Y` including its admittance of
//! the other sequences. A stiff one reads `g (V - V_s) = 0`. Phases that no source reaches read `V = 0`.
//!
//! Source: fixed-point method of current injection as in R. C. Dugan, Reference Guide: The Open Distribution System
//! Simulator (EPRI), and of T.-H. Chen et al., Distribution system power flow analysis: a rigid approach, IEEE Trans.
//! Power Delivery 6 (1991); its convergence M. Bazrafshan and N. Gatsis, Convergence of the Z-bus method for three-phase
//! distribution load-flow, IEEE Trans. Smart Grid 9 (2018). Contract: a feeder is written by one thread and depends on
//! no other; a solve does not allocate; operations in one order.

use super::admittance::{TwoPort, add, apply, of_source};
use super::order::idle_first;
use super::sequence::{block, to_phases};
use super::tables::{Connection, PhaseGrid};
use crate::power::grid::Complex;
use crate::power::newton::Start;
use crate::sparse::phase_lu::{PhaseBlock, Phases, ZERO, ZERO_BLOCK, product};
use crate::sparse::{Pattern, PhaseLu};

/// No row.
pub(crate) const NONE: u32 = u32::MAX;
const ROOT_OF_THREE: f64 = 1.732_050_807_568_877_2;

/// How a three-phase solve runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseSettings {
    /// [`Start::Warm`] begins with the voltages at hand, everything else with those without load.
    pub start: Start,
    /// Largest mismatch of power of a phase accepted, per unit of a third of the base power.
    pub tolerance_pu: f64,
    /// Substitutions after which it is given up.
    pub max_iterations: u32,
}

impl Default for PhaseSettings {
    fn default() -> Self {
        Self { start: Start::Warm, tolerance_pu: 1e-10, max_iterations: 200 }
    }
}

/// How a feeder's solve ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeederOutcome {
    /// Whether the mismatch came below the tolerance.
    pub is_converged: bool,
    /// Substitutions.
    pub iterations: u32,
    /// Largest mismatch, per unit; the least one reached without convergence.
    pub mismatch_pu: f64,
    /// Pivots of the matrix that are as good as singular. With any there is no convergence.
    pub singular: u32,
}

/// What hangs on the loaded rows one way: `-conj(S)` per unit, of constant power, current and impedance.
#[derive(Clone, Debug, Default)]
struct Demand {
    power: Vec<Phases>,
    current: Vec<Phases>,
    impedance: Vec<Phases>,
    is_used: bool,
    has_zip: bool,
}

/// A source's row: what it lets through of the currents of loads, and what it adds.
#[derive(Clone, Copy, Debug)]
struct Source {
    row: u32,
    lets_through: PhaseBlock,
    current: Phases,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Feeder {
    /// Bus of each row.
    pub(crate) bus: Vec<u32>,
    /// Voltages, per unit to earth. Shape: rows.
    pub(crate) v: Vec<Phases>,
    lines: Vec<u32>,
    transformers: Vec<u32>,
    own_sources: Vec<u32>,
    pattern: Pattern,
    lu: PhaseLu,
    /// Rows at the beginning where nothing hangs.
    idle: usize,
    sources: Vec<Source>,
    /// Rows where something hangs.
    loaded: Vec<u32>,
    /// Place of each row in `loaded`, or [`NONE`].
    place_of_row: Vec<u32>,
    /// Which phases of each row a source reaches.
    live: Vec<[bool; 3]>,
    wye: Demand,
    delta: Demand,
    /// Currents fed in, by `loaded`.
    fed: Vec<Phases>,
    /// Mismatch of power, by `loaded`.
    missing: Vec<Phases>,
    v_best: Vec<Phases>,
    missing_best: Vec<Phases>,
    singular: u32,
}

impl Feeder {
    /// Of buses that hang together by these branches. Writes the row of each bus into `place`.
    pub(crate) fn new(
        grid: &PhaseGrid,
        number: u32,
        buses: &[u32],
        (lines, transformers): (Vec<u32>, Vec<u32>),
        place: &mut [(u32, u32)],
    ) -> Self {
        buses.iter().enumerate().for_each(|(nth, &bus)| place[bus as usize] = (number, nth as u32));
        let row = |bus: u32| place[bus as usize].1;
        let is_own = |bus: u32| place[bus as usize].0 == number;
        let mut is_loaded = vec![false; buses.len()];
        let loads = grid.loads.iter().map(|load| load.bus).chain(grid.generators.iter().map(|of| of.bus));
        loads.filter(|&bus| is_own(bus)).for_each(|bus| is_loaded[row(bus) as usize] = true);
        let own_sources = (0..grid.sources.len() as u32).filter(|&source| is_own(grid.sources[source as usize].bus));
        let own_sources: Vec<u32> = own_sources.collect();
        let mut is_idle: Vec<bool> = is_loaded.iter().map(|is_loaded| !is_loaded).collect();
        own_sources.iter().for_each(|&source| is_idle[row(grid.sources[source as usize].bus) as usize] = false);
        let of_lines = lines.iter().map(|&line| (grid.lines[line as usize].from, grid.lines[line as usize].to));
        let of_transformers = transformers.iter().map(|&of| &grid.transformers[of as usize]).map(|of| (of.hv, of.lv));
        let pattern = Pattern::from_edges(buses.len(), of_lines.chain(of_transformers).map(|(a, b)| (row(a), row(b))));
        let (order, idle) = idle_first(&pattern, &is_idle);
        let pattern = pattern.permuted(&order);
        let bus: Vec<u32> = order.old_of_new.iter().map(|&nth| buses[nth as usize]).collect();
        bus.iter().enumerate().for_each(|(row, &bus)| place[bus as usize] = (number, row as u32));
        let mut place_of_row = vec![NONE; bus.len()];
        let mut loaded = Vec::new();
        for (row, _) in order.old_of_new.iter().enumerate().filter(|&(_, &nth)| is_loaded[nth as usize]) {
            place_of_row[row] = loaded.len() as u32;
            loaded.push(row as u32);
        }
        let (rows, hang) = (bus.len(), loaded.len());
        let zeros = |count: usize| vec![[ZERO; 3]; count];
        let demand =
            || Demand { power: zeros(hang), current: zeros(hang), impedance: zeros(hang), ..Demand::default() };
        Self {
            v: zeros(rows),
            lines,
            transformers,
            own_sources,
            lu: PhaseLu::new(&pattern),
            pattern,
            idle,
            sources: Vec::new(),
            loaded,
            place_of_row,
            live: vec![[false; 3]; rows],
            wye: demand(),
            delta: demand(),
            fed: zeros(hang),
            missing: zeros(hang),
            v_best: zeros(rows - idle),
            missing_best: zeros(hang),
            singular: 0,
            bus,
        }
    }
    /// Rows, and those of them that take part in each substitution.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.bus.len(), self.bus.len() - self.idle)
    }

    /// Puts the matrix together and factors it. `live` by bus.
    pub(crate) fn set_admittances(
        &mut self,
        grid: &PhaseGrid,
        (y_line, y_transformer): (&[TwoPort], &[TwoPort]),
        place: &[(u32, u32)],
        live: &[[bool; 3]],
    ) {
        self.lu.clear();
        let row = |bus: u32| place[bus as usize].1;
        let is_on = |bus: u32| grid.buses[bus as usize].is_in_service;
        let lines = self.lines.iter().map(|&line| (&grid.lines[line as usize], &y_line[line as usize]));
        let lines = lines.map(|(of, y)| (of.from, of.to, of.is_in_service, y));
        let transformers = self.transformers.iter().map(|&of| (&grid.transformers[of as usize], of));
        let transformers = transformers.map(|(of, at)| (of.hv, of.lv, of.is_in_service, &y_transformer[at as usize]));
        for (from, to, is_closed, y) in lines.chain(transformers) {
            if is_closed && is_on(from) && is_on(to) {
                let (f, t) = (row(from), row(to));
                for (row, column, block) in [(f, f, &y.ff), (f, t, &y.ft), (t, f, &y.tf), (t, t, &y.tt)] {
                    add_to(&mut self.lu, row, column, block);
                }
            }
        }
        for (live_row, &bus) in self.live.iter_mut().zip(&self.bus) {
            *live_row = live[bus as usize];
        }
        self.sources.clear();
        for &source in &self.own_sources {
            let source = &grid.sources[source as usize];
            if !source.is_in_service || !is_on(source.bus) {
                continue;
            }
            let own = row(source.bus);
            let [y0, y1, y2] = of_source(source, grid.base_va);
            let v = Complex::from_polar(source.vm_pu, source.va_rad);
            let is_stiff = source.s_sc_va.is_infinite();
            let diagonal = |lu: &mut PhaseLu| lu.block_mut(own, own).map_or(ZERO_BLOCK, |block| *block);
            let scale =
                Complex::new(diagonal(&mut self.lu).iter().flatten().map(|y| y.norm()).fold(1.0, f64::max), 0.0);
            let one = Complex::new(1.0, 0.0);
            let (admittance, lets_through, holds) = if is_stiff {
                (ZERO_BLOCK, ZERO_BLOCK, [scale; 3])
            } else if source.holds_bus {
                (block(&[y0, ZERO, y2]), block(&[one, ZERO, one]), [ZERO, scale, ZERO])
            } else {
                (block(&[y0, y1, y2]), block(&[one; 3]), [ZERO; 3])
            };
            add_to(&mut self.lu, own, own, &admittance);
            if is_stiff || source.holds_bus {
                for &column in self.pattern.row(own as usize).iter().chain([&own]) {
                    if let Some(block) = self.lu.block_mut(own, column) {
                        *block = product(&lets_through, block);
                    }
                }
                add_to(&mut self.lu, own, own, &block(&holds));
            }
            let gives = if holds[1] == ZERO { y1 } else { scale };
            self.sources.push(Source { row: own, lets_through, current: to_phases(&[ZERO, gives * v, ZERO]) });
        }
        self.kill_dead_phases();
        self.singular = self.lu.factor();
    }
    fn kill_dead_phases(&mut self) {
        for row in 0..self.bus.len() {
            for phase in (0..3).filter(|&phase| !self.live[row][phase]) {
                for &other in self.pattern.row(row).iter().chain([&(row as u32)]) {
                    if let Some(block) = self.lu.block_mut(row as u32, other) {
                        block[phase] = [ZERO; 3];
                    }
                    if let Some(block) = self.lu.block_mut(other, row as u32) {
                        block.iter_mut().for_each(|entries| entries[phase] = ZERO);
                    }
                }
                if let Some(block) = self.lu.block_mut(row as u32, row as u32) {
                    block[phase][phase] = Complex::new(1.0, 0.0);
                }
            }
        }
    }

    /// Nothing hangs anywhere.
    pub(crate) fn clear_demand(&mut self) {
        for demand in [&mut self.wye, &mut self.delta] {
            if std::mem::take(&mut demand.is_used) {
                demand.power.fill([ZERO; 3]);
            }
            if std::mem::take(&mut demand.has_zip) {
                demand.current.fill([ZERO; 3]);
                demand.impedance.fill([ZERO; 3]);
            }
        }
    }
    /// Adds what a load draws, per unit, to a row where something hangs. Phases without a source draw nothing.
    pub(crate) fn add_demand(&mut self, row: u32, connection: Connection, s_pu: &Phases, shares: (f64, f64)) {
        let (at, live) = (self.place_of_row[row as usize] as usize, self.live[row as usize]);
        let demand = match connection {
            Connection::Wye => &mut self.wye,
            Connection::Delta => &mut self.delta,
        };
        demand.is_used = true;
        let (current, impedance) = shares;
        let power = 1.0 - current - impedance;
        for (phase, s) in s_pu.iter().enumerate() {
            let is_live = live[phase] && (connection == Connection::Wye || live[(phase + 1) % 3]);
            if is_live {
                demand.power[at][phase] -= s.conj() * power;
                if current > 0.0 || impedance > 0.0 {
                    demand.has_zip = true;
                    demand.current[at][phase] -= s.conj() * current;
                    demand.impedance[at][phase] -= s.conj() * impedance;
                }
            }
        }
    }

    /// Solves from the voltages at hand or those without load.
    pub(crate) fn solve(&mut self, settings: &PhaseSettings) -> FeederOutcome {
        let mut outcome =
            FeederOutcome { mismatch_pu: f64::INFINITY, singular: self.singular, ..FeederOutcome::default() };
        if settings.start == Start::Warm {
            self.feed_in();
        } else {
            self.fed.fill([ZERO; 3]);
        }
        while outcome.iterations < settings.max_iterations {
            self.substitute();
            outcome.iterations += 1;
            let mismatch = self.feed_in();
            if !mismatch.is_finite() {
                break;
            }
            if mismatch < outcome.mismatch_pu {
                outcome.mismatch_pu = mismatch;
                self.v_best.copy_from_slice(&self.v[self.idle..]);
                self.missing_best.copy_from_slice(&self.missing);
            }
            if mismatch <= settings.tolerance_pu {
                outcome.is_converged = self.singular == 0;
                break;
            }
        }
        if outcome.mismatch_pu.is_finite() {
            self.v[self.idle..].copy_from_slice(&self.v_best);
        } else {
            self.fed.fill([ZERO; 3]);
            self.substitute();
        }
        self.lu.solve_head(self.idle, &mut self.v);
        outcome
    }
    /// Row, phase and mismatch of power of whatever hangs, of the voltages that the last solve left.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (u32, usize, Complex)> + '_ {
        let rows = self.loaded.iter().zip(&self.missing_best);
        rows.flat_map(|(&row, missing)| (0..3).map(move |phase| (row, phase, missing[phase])))
    }

    fn substitute(&mut self) {
        self.v[self.idle..].fill([ZERO; 3]);
        for (&row, fed) in self.loaded.iter().zip(&self.fed) {
            self.v[row as usize] = *fed;
        }
        for source in &self.sources {
            let v = &mut self.v[source.row as usize];
            let through = apply(&source.lets_through, v);
            *v = std::array::from_fn(|phase| through[phase] + source.current[phase]);
        }
        self.lu.solve_tail(self.idle, &mut self.v);
    }
    /// Currents at the voltages at hand, and by how much they miss the powers with those before.
    fn feed_in(&mut self) -> f64 {
        let (mut worst, mut sum) = (0.0_f64, 0.0);
        for (at, &row) in self.loaded.iter().enumerate() {
            let v = &self.v[row as usize];
            let mut current = [ZERO; 3];
            if self.wye.is_used {
                for (phase, current) in current.iter_mut().enumerate() {
                    *current = self.wye.current_of(at, phase, v[phase], 1.0);
                }
            }
            if self.delta.is_used {
                for phase in 0..3 {
                    let next = (phase + 1) % 3;
                    let between = self.delta.current_of(at, phase, v[phase] - v[next], ROOT_OF_THREE);
                    current[phase] += between;
                    current[next] -= between;
                }
            }
            for phase in 0..3 {
                let missing = v[phase] * (self.fed[at][phase] - current[phase]).conj();
                worst = worst.max(missing.re.abs()).max(missing.im.abs());
                sum += missing.re + missing.im;
                self.missing[at][phase] = missing;
            }
            self.fed[at] = current;
        }
        if sum.is_finite() { worst } else { f64::NAN }
    }
}

impl Demand {
    /// Current fed in by what hangs at a voltage whose nominal size is `nominal`.
    #[inline(always)]
    fn current_of(&self, at: usize, phase: usize, v: Complex, nominal: f64) -> Complex {
        let square = v.norm_sqr();
        if square <= 0.0 {
            return ZERO;
        }
        let mut share = self.power[at][phase] / square;
        if self.has_zip {
            share += self.current[at][phase] / (nominal * square.sqrt());
            share += self.impedance[at][phase] / (nominal * nominal);
        }
        share * v
    }
}

fn add_to(lu: &mut PhaseLu, row: u32, column: u32, block: &PhaseBlock) {
    match lu.block_mut(row, column) {
        Some(place) => add(place, block),
        None => unreachable!("the pattern has every branch"),
    }
}
