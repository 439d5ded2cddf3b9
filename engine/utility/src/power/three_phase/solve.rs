//! Three-phase power flow of a grid: from tables to voltages, again and again while loads, taps and switches change.
//! What a change invalidates is renewed at the next solve, and no more:
//!
//! | change | renewed |
//! | --- | --- |
//! | loads, generators | currents that hang on rows |
//! | tap, switch, source | admittances, who has a source, factors |
//!
//! Feeders ([`Feeder`]) are independent solves, in parallel where asked, with the same bits on any number of threads.
//! Phases that no source reaches are at zero, draw nothing and are flagged ([`PhaseFlow::is_energised`]).
//!
//! Contract: [`PhaseFlow::solve`] does not allocate, as long as topology stays and feeders converge.

use super::admittance::{TwoPort, of_line, of_transformer};
use super::check::check;
use super::feeder::{Feeder, FeederOutcome, PhaseSettings};
use super::tables::{Connection, PhaseGrid};
use crate::power::grid::Complex;
use crate::sets::Sets;
use crate::sparse::phase_lu::{Phases, ZERO};
use rayon::prelude::*;
use std::path::Path;
use urbis_core::Result;

/// Phases listed where a solve fails.
const WORST_PHASES: usize = 5;

/// What did not come right at a phase of a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct WorstPhase {
    /// Name of the bus outside.
    pub id: String,
    /// Phase: 0, 1, 2 for a, b, c.
    pub phase: u8,
    /// Mismatch of active power, watts.
    pub p_w: f64,
    /// Mismatch of reactive power, var.
    pub q_var: f64,
}

/// How a solve ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseOutcome {
    /// Whether every feeder converged.
    pub is_converged: bool,
    /// Feeders that did not.
    pub failed_feeders: u32,
    /// Most substitutions of a feeder.
    pub iterations: u32,
    /// Largest mismatch of a phase, per unit of a third of the base power; the least reached where a feeder failed.
    pub mismatch_pu: f64,
    /// Of feeders that failed, the phases of the largest mismatch, worst first.
    pub worst_phases: Vec<WorstPhase>,
}

/// A three-phase grid made ready to be solved.
#[derive(Clone, Debug)]
pub struct PhaseFlow {
    pub(super) grid: PhaseGrid,
    pub(super) y_line: Vec<TwoPort>,
    pub(super) y_transformer: Vec<TwoPort>,
    feeders: Vec<Feeder>,
    /// Feeder and row of each bus.
    place: Vec<(u32, u32)>,
    /// Which phases of each bus a source reaches.
    live: Vec<[bool; 3]>,
    outcomes: Vec<FeederOutcome>,
    stale: Stale,
}

/// What the next solve renews first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stale {
    Nothing,
    Powers,
    Admittances,
}

impl PhaseFlow {
    /// Makes a grid ready. Voltages are zero until the first solve.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with everything that [`check`] finds.
    pub fn new(grid: PhaseGrid) -> Result<Self> {
        check(&grid, Path::new("grid"))?;
        let base_v = |bus: u32| grid.buses[bus as usize].base_v;
        let y_line = grid.lines.iter().map(|of| of_line(of, base_v(of.from), grid.base_va)).collect();
        let y_transformer = grid
            .transformers
            .iter()
            .map(|of| of_transformer(of, (base_v(of.hv), base_v(of.lv)), grid.base_va))
            .collect();
        let (feeders, place) = split(&grid);
        let mut flow = Self {
            y_line,
            y_transformer,
            outcomes: vec![FeederOutcome::default(); feeders.len()],
            feeders,
            place,
            live: vec![[false; 3]; grid.buses.len()],
            stale: Stale::Admittances,
            grid,
        };
        flow.refresh();
        Ok(flow)
    }
    /// The tables as they stand.
    #[must_use]
    pub fn grid(&self) -> &PhaseGrid {
        &self.grid
    }
    /// The independent feeders.
    #[must_use]
    pub fn feeders(&self) -> &[Feeder] {
        &self.feeders
    }
    /// What became of each feeder at the last solve.
    #[must_use]
    pub fn outcomes(&self) -> &[FeederOutcome] {
        &self.outcomes
    }

    /// Sets what a load draws at 1 per unit, VA by phases.
    pub fn set_load(&mut self, load: u32, s_va: Phases) {
        self.grid.loads[load as usize].s_va = s_va;
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Switches a load.
    pub fn set_load_in_service(&mut self, load: u32, is_in_service: bool) {
        self.grid.loads[load as usize].is_in_service = is_in_service;
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Sets what a generator feeds into all phases together, VA.
    pub fn set_generator(&mut self, generator: u32, s_va: Complex) {
        self.grid.generators[generator as usize].s_va = s_va;
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Starts or stops a generator.
    pub fn set_generator_in_service(&mut self, generator: u32, is_in_service: bool) {
        self.grid.generators[generator as usize].is_in_service = is_in_service;
        self.stale = self.stale.max(Stale::Powers);
    }
    /// Sets the voltage of a source, per unit and radians.
    pub fn set_source(&mut self, source: u32, vm_pu: f64, va_rad: f64) {
        (self.grid.sources[source as usize].vm_pu, self.grid.sources[source as usize].va_rad) = (vm_pu, va_rad);
        self.stale = Stale::Admittances;
    }
    /// Switches a source.
    pub fn set_source_in_service(&mut self, source: u32, is_in_service: bool) {
        self.grid.sources[source as usize].is_in_service = is_in_service;
        self.stale = Stale::Admittances;
    }
    /// Opens or closes a line.
    pub fn set_line_in_service(&mut self, line: u32, is_in_service: bool) {
        let line = &mut self.grid.lines[line as usize];
        if std::mem::replace(&mut line.is_in_service, is_in_service) != is_in_service {
            self.stale = Stale::Admittances;
        }
    }
    /// Connects or disconnects a transformer.
    pub fn set_transformer_in_service(&mut self, transformer: u32, is_in_service: bool) {
        let transformer = &mut self.grid.transformers[transformer as usize];
        if std::mem::replace(&mut transformer.is_in_service, is_in_service) != is_in_service {
            self.stale = Stale::Admittances;
        }
    }
    /// Sets the taps of a transformer: turns in use over nominal ones, of both sides.
    pub fn set_taps(&mut self, transformer: u32, tap_hv: f64, tap_lv: f64) {
        let of = &mut self.grid.transformers[transformer as usize];
        (of.tap_hv, of.tap_lv) = (tap_hv, tap_lv);
        let (hv, lv) = (&self.grid.buses[of.hv as usize], &self.grid.buses[of.lv as usize]);
        self.y_transformer[transformer as usize] = of_transformer(of, (hv.base_v, lv.base_v), self.grid.base_va);
        self.stale = Stale::Admittances;
    }

    /// Solves every feeder, one after the other.
    pub fn solve(&mut self, settings: &PhaseSettings) -> PhaseOutcome {
        self.refresh();
        for (feeder, outcome) in self.feeders.iter_mut().zip(&mut self.outcomes) {
            *outcome = feeder.solve(settings);
        }
        self.summary()
    }
    /// Solves feeders side by side; the same bits as [`PhaseFlow::solve`].
    pub fn solve_parallel(&mut self, settings: &PhaseSettings) -> PhaseOutcome {
        self.refresh();
        let pairs = self.feeders.par_iter_mut().zip(&mut self.outcomes);
        pairs.for_each(|(feeder, outcome)| *outcome = feeder.solve(settings));
        self.summary()
    }
    fn summary(&self) -> PhaseOutcome {
        let mut all = PhaseOutcome { is_converged: true, ..PhaseOutcome::default() };
        for outcome in &self.outcomes {
            all.is_converged &= outcome.is_converged;
            all.failed_feeders += u32::from(!outcome.is_converged);
            all.iterations = all.iterations.max(outcome.iterations);
            all.mismatch_pu = all.mismatch_pu.max(outcome.mismatch_pu);
        }
        if !all.is_converged {
            all.worst_phases = self.worst_phases();
        }
        all
    }
    fn worst_phases(&self) -> Vec<WorstPhase> {
        let mut worst: Vec<(f64, u32, usize, Complex)> = Vec::new();
        for (feeder, _) in self.feeders.iter().zip(&self.outcomes).filter(|(_, outcome)| !outcome.is_converged) {
            let of = |(row, phase, s): (u32, usize, Complex)| {
                (s.re.abs().max(s.im.abs()), feeder.bus[row as usize], phase, s)
            };
            worst.extend(feeder.missing().map(of));
            worst.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            worst.truncate(WORST_PHASES);
        }
        let base_va = self.grid.base_va / 3.0;
        let named = worst.into_iter().map(|(_, bus, phase, s)| WorstPhase {
            id: self.grid.buses[bus as usize].id.clone(),
            phase: phase as u8,
            p_w: s.re * base_va,
            q_var: s.im * base_va,
        });
        named.collect()
    }

    fn refresh(&mut self) {
        if self.stale == Stale::Admittances {
            self.live = energised(&self.grid);
            for feeder in &mut self.feeders {
                feeder.set_admittances(&self.grid, (&self.y_line, &self.y_transformer), &self.place, &self.live);
            }
        }
        if self.stale >= Stale::Powers {
            self.gather_demand();
        }
        self.stale = Stale::Nothing;
    }
    /// Sums what hangs on each row, in order of loads and generators.
    fn gather_demand(&mut self) {
        self.feeders.iter_mut().for_each(Feeder::clear_demand);
        let per_unit = 3.0 / self.grid.base_va;
        for of in self.grid.loads.iter().filter(|of| of.is_in_service) {
            let (feeder, row) = self.place[of.bus as usize];
            let s_pu = of.s_va.map(|s| s * per_unit);
            let shares = (of.current_share, of.impedance_share);
            self.feeders[feeder as usize].add_demand(row, of.connection, &s_pu, shares);
        }
        for of in self.grid.generators.iter().filter(|of| of.is_in_service) {
            let (feeder, row) = self.place[of.bus as usize];
            let s_pu = [-of.s_va / 3.0 * per_unit; 3];
            self.feeders[feeder as usize].add_demand(row, Connection::Wye, &s_pu, (0.0, 0.0));
        }
    }

    /// Voltages of the phases of a bus to earth, per unit; zero where no source reaches.
    #[must_use]
    pub fn voltage(&self, bus: u32) -> Phases {
        let (feeder, row) = self.place[bus as usize];
        self.feeders[feeder as usize].v[row as usize]
    }
    /// Which phases of a bus are joined to a source, as of the last solve.
    #[must_use]
    pub fn is_energised(&self, bus: u32) -> [bool; 3] {
        self.live[bus as usize]
    }
}

/// Buses that hang together by branches, open ones too.
fn split(grid: &PhaseGrid) -> (Vec<Feeder>, Vec<(u32, u32)>) {
    let buses = grid.buses.len();
    let mut sets = Sets::new(buses);
    grid.lines.iter().for_each(|of| sets.join(of.from, of.to));
    grid.transformers.iter().for_each(|of| sets.join(of.hv, of.lv));
    let mut number_of_root = vec![u32::MAX; buses];
    let mut members: Vec<Vec<u32>> = Vec::new();
    let mut number = vec![0_u32; buses];
    for bus in 0..buses as u32 {
        let root = sets.root(bus) as usize;
        if number_of_root[root] == u32::MAX {
            number_of_root[root] = members.len() as u32;
            members.push(Vec::new());
        }
        number[bus as usize] = number_of_root[root];
        members[number_of_root[root] as usize].push(bus);
    }
    let mut branches: Vec<(Vec<u32>, Vec<u32>)> = vec![(Vec::new(), Vec::new()); members.len()];
    for (line, of) in grid.lines.iter().enumerate() {
        branches[number[of.from as usize] as usize].0.push(line as u32);
    }
    for (transformer, of) in grid.transformers.iter().enumerate() {
        branches[number[of.hv as usize] as usize].1.push(transformer as u32);
    }
    let mut place = vec![(u32::MAX, 0); buses];
    let feeders = members.iter().zip(branches).enumerate();
    let feeders = feeders.map(|(number, (buses, own))| Feeder::new(grid, number as u32, buses, own, &mut place));
    (feeders.collect(), place)
}

/// Which phases of each bus a source reaches: along the phases of lines, and through transformers from any to all.
fn energised(grid: &PhaseGrid) -> Vec<[bool; 3]> {
    let buses = grid.buses.len();
    let mut sets = Sets::new(3 * buses);
    let is_on = |bus: u32| grid.buses[bus as usize].is_in_service;
    for of in grid.lines.iter().filter(|of| of.is_in_service && is_on(of.from) && is_on(of.to)) {
        for phase in (0..3_u32).filter(|&phase| of.phases[phase as usize]) {
            sets.join(3 * of.from + phase, 3 * of.to + phase);
        }
    }
    for of in grid.transformers.iter().filter(|of| of.is_in_service && is_on(of.hv) && is_on(of.lv)) {
        for phase in 0..3 {
            sets.join(3 * of.hv, 3 * of.hv + phase);
            sets.join(3 * of.hv, 3 * of.lv + phase);
        }
    }
    let mut has_source = vec![false; 3 * buses];
    for of in grid.sources.iter().filter(|of| of.is_in_service && is_on(of.bus)) {
        for phase in 0..3 {
            has_source[sets.root(3 * of.bus + phase) as usize] = true;
        }
    }
    (0..buses as u32)
        .map(|bus| std::array::from_fn(|phase| has_source[sets.root(3 * bus + phase as u32) as usize]))
        .collect()
}

/// Sum of phases.
#[must_use]
pub(super) fn total(phases: &Phases) -> Complex {
    phases.iter().fold(ZERO, |sum, of| sum + of)
}
