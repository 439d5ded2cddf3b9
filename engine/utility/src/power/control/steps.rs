//! Controls that move in steps: tap changers and switched shunts. All look at the same solved grid and step at once, each
//! by one, after they have been out of their band for their delay; the grid is solved again and they look again.
//!
//! Two that answer each other, or one whose band is narrower than its step, would go to and fro for ever: one that has
//! turned back [`TURNS`] times stops for this solve where it is nearer to its band, of the place it has and the one it came
//! from. Contract: no allocation.

use super::tables::{ControlTables, TapChanger, tapped};
use crate::power::flow::PowerFlow;
use crate::power::grid::Branch;

/// Turns back after which a control stops.
const TURNS: u32 = 3;

/// What a control that moves in steps remembers.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// Rounds out of its band.
    waited: u32,
    /// The last step.
    last: i32,
    /// How far it was off before the last step, per unit.
    off_pu: f64,
    turns: u32,
    is_hunting: bool,
}

/// What came of a look at the grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) taps: u32,
    pub(super) shunts: u32,
    /// Controls that wait out of their band.
    pub(super) waiting: u32,
    /// Controls that are out of their band and stopped, as they went to and fro.
    pub(super) hunting: u32,
    /// Controls that are out of their band at the end of their range.
    pub(super) at_end: u32,
}

/// What a control is to do.
enum Move {
    Rest,
    Wait,
    Stopped,
    AtEnd,
    Step(i32),
}

impl Memory {
    /// Decides on a step that is wanted, `off_pu` out of the band; 0 for none.
    fn decide(&mut self, wanted: i32, can_step: bool, delay_rounds: u32, off_pu: f64) -> Move {
        if wanted == 0 {
            self.waited = 0;
            return Move::Rest;
        }
        if self.is_hunting {
            return Move::Stopped;
        }
        if !can_step {
            self.waited = 0;
            return Move::AtEnd;
        }
        if self.waited < delay_rounds {
            self.waited += 1;
            return Move::Wait;
        }
        self.waited = 0;
        if wanted == -self.last {
            self.turns += 1;
            self.is_hunting = self.turns >= TURNS;
            if self.is_hunting && self.off_pu >= off_pu {
                return Move::Stopped;
            }
        }
        (self.last, self.off_pu) = (wanted, off_pu);
        Move::Step(wanted)
    }
}

/// Where controls that move in steps stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    /// Branches of taps at neutral.
    neutral: Vec<Branch>,
    taps: Vec<Memory>,
    shunts: Vec<Memory>,
}

impl Steps {
    /// Of tables that fit the grid.
    pub(super) fn new(flow: &PowerFlow, tables: &ControlTables) -> Self {
        let of = &tables.taps;
        let neutral = (0..of.len()).map(|row| {
            let tap = of.row(row);
            let branch = flow.grid().branches.row(tap.branch as usize);
            tapped(&branch, tap.end, tap.factor(tap.position).inv())
        });
        Self {
            neutral: neutral.collect(),
            taps: vec![Memory::default(); of.len()],
            shunts: vec![Memory::default(); tables.shunts.len()],
        }
    }
    /// Forgets the moves of the solve before.
    pub(super) fn begin(&mut self) {
        self.taps.fill(Memory::default());
        self.shunts.fill(Memory::default());
    }
    /// Puts all positions into the grid.
    pub(super) fn put_all(&self, flow: &mut PowerFlow, tables: &ControlTables) {
        (0..tables.taps.len()).for_each(|row| self.put_tap(flow, &tables.taps.row(row), row));
        (0..tables.shunts.len()).for_each(|row| put_shunt(flow, tables, row));
    }
    fn put_tap(&self, flow: &mut PowerFlow, tap: &TapChanger, row: usize) {
        flow.set_transformer(tap.branch, &tapped(&self.neutral[row], tap.end, tap.factor(tap.position)));
    }
    /// Looks at a solved grid and steps; where some wait and none steps, time passes until one does.
    pub(super) fn look(&mut self, flow: &mut PowerFlow, tables: &mut ControlTables) -> Look {
        loop {
            let mut look = Look::default();
            self.taps(flow, tables, &mut look);
            self.shunts(flow, tables, &mut look);
            if look.taps + look.shunts > 0 || look.waiting == 0 {
                return look;
            }
        }
    }
    fn taps(&mut self, flow: &mut PowerFlow, tables: &mut ControlTables, look: &mut Look) {
        for row in (0..tables.taps.len()).filter(|&row| tables.taps.is_in_service[row]) {
            let tap = tables.taps.row(row);
            let is_on = flow.grid().branches.is_in_service[tap.branch as usize];
            if !is_on || !is_free(flow, tap.bus) {
                continue;
            }
            let off_pu = flow.voltage(tap.bus).norm() - tap.vm_set_pu;
            let is_out = off_pu.abs() > 0.5 * tap.deadband_pu;
            let towards = if off_pu > 0.0 { -tap.direction() } else { tap.direction() };
            let wanted = if is_out { towards } else { 0 };
            let can_step = if wanted > 0 { tap.position < tap.max } else { tap.position > tap.min };
            let decided = self.taps[row].decide(wanted, can_step, tap.delay_rounds, off_pu.abs());
            if let Some(step) = look.count(&decided) {
                look.taps += 1;
                tables.taps.position[row] += step;
                self.put_tap(flow, &tables.taps.row(row), row);
            }
        }
    }
    fn shunts(&mut self, flow: &mut PowerFlow, tables: &mut ControlTables, look: &mut Look) {
        for row in (0..tables.shunts.len()).filter(|&row| tables.shunts.is_in_service[row]) {
            let bank = tables.shunts.row(row);
            if !is_free(flow, bank.bus) {
                continue;
            }
            let vm_pu = flow.voltage(bank.bus).norm();
            let (low, high) = (bank.vm_on_pu.min(bank.vm_off_pu), bank.vm_on_pu.max(bank.vm_off_pu));
            let raises = if bank.block_q_var > 0.0 { 1 } else { -1 };
            let wanted = if vm_pu < low {
                raises
            } else if vm_pu > high {
                -raises
            } else {
                0
            };
            let can_step = if wanted > 0 { bank.blocks < bank.blocks_max } else { bank.blocks > 0 };
            let off_pu = (low - vm_pu).max(vm_pu - high);
            let decided = self.shunts[row].decide(wanted, can_step, bank.delay_rounds, off_pu);
            if let Some(step) = look.count(&decided) {
                look.shunts += 1;
                tables.shunts.blocks[row] = bank.blocks.saturating_add_signed(step);
                put_shunt(flow, tables, row);
            }
        }
    }
}

impl Look {
    /// Counts what was decided; the step, if there is one.
    fn count(&mut self, decided: &Move) -> Option<i32> {
        match decided {
            Move::Rest => {}
            Move::Wait => self.waiting += 1,
            Move::Stopped => self.hunting += 1,
            Move::AtEnd => self.at_end += 1,
            Move::Step(step) => return Some(*step),
        }
        None
    }
}

fn put_shunt(flow: &mut PowerFlow, tables: &ControlTables, row: usize) {
    let bank = tables.shunts.row(row);
    let blocks = f64::from(bank.blocks);
    flow.set_shunt(bank.shunt, blocks * bank.block_p_w, blocks * bank.block_q_var);
    flow.set_shunt_in_service(bank.shunt, bank.blocks > 0);
}

/// Whether the voltage of a bus follows from what controls do.
fn is_free(flow: &PowerFlow, bus: u32) -> bool {
    flow.is_energised(bus) && !flow.is_source(bus)
}
