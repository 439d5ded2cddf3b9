//! What controls a grid: tap changers, switched shunts, inverters and the curves that they follow. Columns for each
//! property, rows in the caller's order; rows refer to those of the grid's tables and to curves by row.
//!
//! A tap changer multiplies the rated voltage of its winding by `t = 1 + n step exp(j angle)`, `n` steps from neutral. At
//! the from end the ratio is multiplied by `t`; at the to end it is divided, and as impedances are seen from there, the
//! series impedance goes with `|t|^2` and the shunts with its inverse.

use super::curve::Curve;
use crate::power::elements::{End, GridRow, TapRange, TapRegulator};
use crate::power::grid::tables::table;
use crate::power::grid::{Branch, Complex};

table! {
    /// On-load tap changers.
    TapChangers,
    /// An on-load tap changer. It steps when the voltage is more than half the dead band from the set point.
    TapChanger {
        /// Row of the branch.
        branch: u32,
        /// End of the branch whose winding has the taps.
        end: End,
        /// Side of the branch whose voltage is controlled.
        side: End,
        /// Row of the bus whose voltage is controlled: that of the side, or one beyond.
        bus: u32,
        /// Position without effect.
        neutral: i32,
        /// Lowest position.
        min: i32,
        /// Highest position.
        max: i32,
        /// Position; at first the one that the grid's tables are of.
        position: i32,
        /// Change of the winding's voltage by a step, share of its rated voltage; may be negative.
        step_pu: f64,
        /// Angle of that change, radians; 0 for changers that do not turn.
        step_rad: f64,
        /// Voltage wanted, per unit.
        vm_set_pu: f64,
        /// Width of the band around it within which it rests, per unit. One narrower than a step may have no position.
        deadband_pu: f64,
        /// Rounds for which it waits out of its band before it steps; 0 steps at once.
        delay_rounds: u32,
        /// Whether it controls.
        is_in_service: bool,
    }
}

table! {
    /// Switched shunts.
    SwitchedShunts,
    /// A bank of equal blocks at one shunt of the grid, whose power it sets. Capacitors are switched on below `vm_on_pu`
    /// and off above `vm_off_pu`, reactors on above and off below; one block at a time.
    SwitchedShunt {
        /// Row of the shunt.
        shunt: u32,
        /// Row of the bus whose voltage is controlled.
        bus: u32,
        /// Active power that a block draws at 1 per unit, watts.
        block_p_w: f64,
        /// Reactive power that a block feeds in at 1 per unit, var; negative for reactors.
        block_q_var: f64,
        /// Blocks there are.
        blocks_max: u32,
        /// Blocks that are on.
        blocks: u32,
        /// Voltage beyond which a block is switched on, per unit.
        vm_on_pu: f64,
        /// Voltage beyond which a block is switched off, per unit.
        vm_off_pu: f64,
        /// Rounds for which it waits beyond its limits before it switches; 0 switches at once.
        delay_rounds: u32,
        /// Whether it controls.
        is_in_service: bool,
    }
}

/// How an inverter finds its reactive power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReactiveLaw {
    /// Fed in at any voltage, var.
    Fixed(f64),
    /// In proportion to active power.
    PowerFactor {
        /// Active over apparent power, above 0 and up to 1.
        cos_phi: f64,
        /// Whether it feeds in reactive power; it draws it otherwise.
        is_overexcited: bool,
    },
    /// By a power factor that follows active power: a curve of `cos phi` over the share of rated active power.
    PowerFactorOfPower {
        /// Row of the curve.
        curve: u32,
        /// Whether it feeds in reactive power.
        is_overexcited: bool,
    },
    /// By voltage: a curve of the share of rated apparent power fed in over the voltage per unit.
    OfVoltage {
        /// Row of the curve.
        curve: u32,
    },
}

/// What gives way where an inverter would exceed its rated apparent power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Active power gives way, as IEEE 1547-2018 asks where reactive power is controlled.
    #[default]
    Reactive,
    /// Reactive power gives way.
    Active,
    /// Both, so that the power factor stays.
    PowerFactor,
}

table! {
    /// Inverters.
    Inverters,
    /// An inverter, which sets what a load (feeding in, negative) or a generator of a PQ bus states.
    Inverter {
        /// Row of the load or generator.
        row: GridRow,
        /// Active power that there is to feed in, watts.
        p_available_w: f64,
        /// Rated active power, watts.
        p_rated_w: f64,
        /// Rated apparent power, VA.
        s_rated_va: f64,
        /// How it finds its reactive power.
        law: ReactiveLaw,
        /// Row of the curve of the most active power, as a share of the rated one, over the voltage; none for no limit.
        p_curve: Option<u32>,
        /// What gives way at the rated apparent power.
        priority: Priority,
        /// Whether it is controlled; its row of the grid is left alone otherwise.
        is_in_service: bool,
    }
}

/// What controls a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlTables {
    /// On-load tap changers.
    pub taps: TapChangers,
    /// Switched shunts.
    pub shunts: SwitchedShunts,
    /// Inverters.
    pub inverters: Inverters,
    /// Curves that inverters follow.
    pub curves: Vec<Curve>,
    /// Whether generators at PV buses keep to their limits of reactive power.
    pub has_reactive_limits: bool,
}

impl TapChanger {
    /// One that holds the voltage of a bus at a side of the branch of a range.
    #[must_use]
    pub fn of_range(range: &TapRange, side: End, bus: u32, vm_set_pu: f64, deadband_pu: f64) -> Self {
        let TapRange { branch, end, neutral, min, max, position, step_pu, step_rad } = *range;
        Self {
            branch,
            end,
            side,
            bus,
            neutral,
            min,
            max,
            position,
            step_pu,
            step_rad,
            vm_set_pu,
            deadband_pu,
            delay_rounds: 0,
            is_in_service: true,
        }
    }
    /// As a file states it, with the ranges of its grid; none where it names no range.
    #[must_use]
    pub fn of_regulator(ranges: &[TapRange], regulator: &TapRegulator) -> Option<Self> {
        let TapRegulator { range, side, bus, vm_set_pu, deadband_pu, is_in_service } = *regulator;
        let range = ranges.get(range as usize)?;
        Some(Self { is_in_service, ..Self::of_range(range, side, bus, vm_set_pu, deadband_pu) })
    }
    /// Factor of the winding's voltage at a position.
    #[must_use]
    pub fn factor(&self, position: i32) -> Complex {
        let steps = f64::from(position) - f64::from(self.neutral);
        Complex::from_polar(self.step_pu * steps, self.step_rad) + 1.0
    }
    /// The branch at a position, of which a row at another position is given.
    #[must_use]
    pub fn moved(&self, branch: &Branch, from: i32, to: i32) -> Branch {
        tapped(branch, self.end, self.factor(to) / self.factor(from))
    }
    /// Which way the controlled voltage goes with the position: 1 or -1.
    #[must_use]
    pub fn direction(&self) -> i32 {
        let grows = (self.step_pu * self.step_rad.cos() > 0.0) == (self.end == self.side);
        if grows { 1 } else { -1 }
    }
}

/// A branch after its tap at an end has been multiplied by a factor.
pub(super) fn tapped(branch: &Branch, end: End, factor: Complex) -> Branch {
    let mut to = branch.clone();
    match end {
        End::From => {
            to.ratio *= factor.norm();
            to.shift_rad += factor.arg();
        }
        End::To => {
            let square = factor.norm_sqr();
            to.ratio /= factor.norm();
            to.shift_rad -= factor.arg();
            (to.r_pu, to.x_pu) = (branch.r_pu * square, branch.x_pu * square);
            (to.g_from_pu, to.b_from_pu) = (branch.g_from_pu / square, branch.b_from_pu / square);
            (to.g_to_pu, to.b_to_pu) = (branch.g_to_pu / square, branch.b_to_pu / square);
        }
    }
    to
}
