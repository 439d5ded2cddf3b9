//! Controls of a grid: what moves taps, switches shunts, limits generators and steers inverters until voltages are as
//! wanted, around the solves of a [`PowerFlow`]. In this order, each with the ones before it settled:
//!
//! 1. inverters ([`inverter`]): solves until voltages and what is fed in agree;
//! 2. limits of reactive power ([`reactive`]): generators stop or begin to hold their voltage, then 1;
//! 3. taps and shunts (`steps`): all that are out of their band move by one step, then 1.
//!
//! It ends when nothing moves. The first solve begins where the settings say, each other one from the last voltages. What
//! controls do stays in the grid and in their tables, so that the next solve, with other loads, goes on from there; results
//! thus depend on the states before, but not on the number of threads.
//!
//! Ignored: times of motors and of measurements, line drop compensation, other controls of generators' power.
//! Contract: a pure function of the grid, the tables and the voltages at hand; no allocation while nothing moves. The flow
//! is the one that the controls were made for, and its taps and shunts are not moved by others.

mod check;
pub mod curve;
pub mod inverter;
pub mod reactive;
mod steps;
pub mod tables;

pub use curve::Curve;
pub use inverter::Feed;
pub use reactive::Limit;
pub use tables::{
    ControlTables, Inverter, Inverters, Priority, ReactiveLaw, SwitchedShunt, SwitchedShunts, TapChanger, TapChangers,
};

use super::flow::{Method, Outcome, PowerFlow};
use super::newton::{NewtonSettings, Start};
use urbis_core::Result;

/// How far controls go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlSettings {
    /// Rounds of taps and shunts, and of limits within each, after which it is given up.
    pub max_rounds: u32,
    /// Solves of inverters after which they are given up.
    pub max_inverter_rounds: u32,
    /// Largest difference between the voltages that inverters' curves were read at and those found, and between voltages
    /// and set points of generators at a limit, per unit.
    pub vm_tolerance_pu: f64,
    /// Reactive power by which generators may exceed their limits, per unit.
    pub q_tolerance_pu: f64,
    /// Times that a generator may hold its voltage again in one solve; 0 is MATPOWER's rule.
    pub max_returns: u32,
}

impl Default for ControlSettings {
    fn default() -> Self {
        Self { max_rounds: 200, max_inverter_rounds: 50, vm_tolerance_pu: 1e-9, q_tolerance_pu: 1e-9, max_returns: 4 }
    }
}

/// How controls ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlOutcome {
    /// How the last solve ended.
    pub outcome: Outcome,
    /// Whether it converged and no control has anything left to do that it can do.
    pub is_settled: bool,
    /// Solves.
    pub solves: u32,
    /// Most steps of a part, over all solves.
    pub iterations: u32,
    /// Rounds of taps and shunts, the last one without a move included.
    pub rounds: u32,
    /// Steps of tap changers.
    pub tap_moves: u32,
    /// Blocks switched.
    pub shunt_moves: u32,
    /// Times that a generator came to a limit of reactive power.
    pub limited: u32,
    /// Times that a generator held its voltage again.
    pub returned: u32,
    /// Generators at a limit that should hold their voltage again and have done so too often.
    pub stuck: u32,
    /// Controls that stopped out of their band as they went to and fro.
    pub hunting: u32,
    /// Controls that are out of their band at the end of their range.
    pub at_end: u32,
    /// Difference between the voltages that inverters' curves were read at and those found, per unit.
    pub vm_change_pu: f64,
}

impl ControlOutcome {
    /// Moves of taps, shunts and limits.
    #[must_use]
    pub fn moves(&self) -> u32 {
        self.tap_moves + self.shunt_moves + self.limited + self.returned
    }
}

/// Controls of one grid.
#[derive(Clone, Debug)]
pub struct Controls {
    tables: ControlTables,
    settings: ControlSettings,
    followers: inverter::Followers,
    limits: reactive::Limits,
    steps: steps::Steps,
    /// Whether the grid is to take over the positions of the tables.
    is_new: bool,
}

impl Controls {
    /// Controls of a grid, whose taps stand as the tables say.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] with every reference to no row, value that is out of its range and row that two set.
    pub fn new(flow: &PowerFlow, tables: ControlTables, settings: ControlSettings) -> Result<Self> {
        check::check(&tables, flow.grid())?;
        Ok(Self {
            followers: inverter::Followers::new(&tables),
            limits: reactive::Limits::new(flow),
            steps: steps::Steps::new(flow, &tables),
            is_new: true,
            tables,
            settings,
        })
    }
    /// Tables as they stand: positions of taps and blocks of shunts among them.
    #[must_use]
    pub fn tables(&self) -> &ControlTables {
        &self.tables
    }
    /// Sets the active power that an inverter could feed in, watts.
    pub fn set_available(&mut self, inverter: u32, p_available_w: f64) {
        self.tables.inverters.p_available_w[inverter as usize] = p_available_w;
    }
    /// Sets the voltage that a tap changer holds, per unit.
    pub fn set_tap_voltage(&mut self, tap: u32, vm_set_pu: f64) {
        self.tables.taps.vm_set_pu[tap as usize] = vm_set_pu;
    }
    /// Whether a generator is at a limit of reactive power.
    #[must_use]
    pub fn limit(&self, generator: u32) -> Limit {
        self.limits.limit[generator as usize]
    }
    /// Reactive power of a generator at the last solve, var: its share of what its node needs, or its limit. As the grid's
    /// tables state where it does not hold a voltage or limits are not kept.
    #[must_use]
    pub fn generator_q_var(&self, generator: u32) -> f64 {
        self.limits.q_var[generator as usize]
    }
    /// What an inverter feeds in at the voltages of a flow.
    #[must_use]
    pub fn feed(&self, inverter: u32, flow: &PowerFlow) -> Feed {
        let bus = inverter::bus_of(flow, self.tables.inverters.row[inverter as usize]);
        inverter::feed(&self.tables, inverter, flow.voltage(bus).norm())
    }
    /// Lets all generators hold their voltages again.
    pub fn release_limits(&mut self, flow: &mut PowerFlow) {
        self.limits.reset(flow);
    }
    /// Solves until controls have nothing to do.
    pub fn solve(&mut self, flow: &mut PowerFlow, method: Method, settings: &NewtonSettings) -> ControlOutcome {
        self.run(flow, settings, |flow, settings| flow.solve(method, settings))
    }
    /// Solves with parts in parallel, with the same result.
    pub fn solve_parallel(
        &mut self,
        flow: &mut PowerFlow,
        method: Method,
        settings: &NewtonSettings,
    ) -> ControlOutcome {
        self.run(flow, settings, |flow, settings| flow.solve_parallel(method, settings))
    }

    fn run(
        &mut self,
        flow: &mut PowerFlow,
        settings: &NewtonSettings,
        solve: impl Fn(&mut PowerFlow, &NewtonSettings) -> Outcome,
    ) -> ControlOutcome {
        if std::mem::take(&mut self.is_new) {
            self.steps.put_all(flow, &self.tables);
        }
        self.limits.begin(flow);
        self.steps.begin();
        let mut all = ControlOutcome::default();
        let mut settings = *settings;
        loop {
            let is_inner_settled = self.inner(flow, &mut settings, &solve, &mut all);
            all.rounds += 1;
            if !all.outcome.is_converged {
                break;
            }
            let look = self.steps.look(flow, &mut self.tables);
            all.tap_moves += look.taps;
            all.shunt_moves += look.shunts;
            (all.hunting, all.at_end) = (look.hunting, look.at_end);
            if look.taps + look.shunts == 0 {
                all.is_settled = is_inner_settled && look.hunting == 0;
                break;
            }
            if all.rounds >= self.settings.max_rounds {
                // Voltages of the positions that are left.
                self.inner(flow, &mut settings, &solve, &mut all);
                break;
            }
        }
        flow.set_responses(&[]);
        all
    }
    /// Inverters and limits of reactive power; whether they settled.
    fn inner(
        &mut self,
        flow: &mut PowerFlow,
        settings: &mut NewtonSettings,
        solve: &dyn Fn(&mut PowerFlow, &NewtonSettings) -> Outcome,
        all: &mut ControlOutcome,
    ) -> bool {
        let of = self.settings;
        let mut rule = reactive::Rule {
            q_tolerance_var: of.q_tolerance_pu * flow.grid().base_va,
            vm_tolerance_pu: of.vm_tolerance_pu,
            max_returns: of.max_returns,
            is_gentle: false,
        };
        for _ in 0..of.max_rounds {
            let (mut solves, mut iterations) = (0, 0);
            let mut one = |flow: &mut PowerFlow| {
                let outcome = solve(flow, settings);
                settings.start = Start::Warm;
                (solves, iterations) = (solves + 1, outcome.iterations.max(iterations));
                outcome
            };
            let limits = (of.vm_tolerance_pu, of.max_inverter_rounds);
            let (outcome, rounds) = self.followers.solve(flow, &self.tables, limits, &mut one);
            all.solves += solves;
            all.iterations = all.iterations.max(iterations);
            all.outcome = outcome;
            all.vm_change_pu = rounds.vm_change_pu;
            if !all.outcome.is_converged && self.limits.has_any() && !rule.is_gentle {
                rule.is_gentle = true;
                self.limits.reset(flow);
                settings.start = Start::Dc;
                continue;
            }
            if !all.outcome.is_converged || !self.tables.has_reactive_limits {
                return rounds.is_settled;
            }
            let moves = self.limits.check(flow, rule);
            all.limited += moves.limited;
            all.returned += moves.returned;
            all.stuck = moves.stuck;
            if moves.limited + moves.returned == 0 {
                return rounds.is_settled && moves.stuck == 0;
            }
        }
        false
    }
}
