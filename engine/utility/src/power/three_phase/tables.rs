//! What a three-phase grid is made of: a table for each kind of thing, rows in the caller's order, which refer to buses
//! by row. SI throughout; impedances of transformers are shares of their rating, as plates state them.
//!
//! A load draws `S = S0 (a + b V + c V^2)` on each phase (wye: to earth, `V` per unit of the nominal voltage to earth;
//! delta: from each phase to the next, `V` per unit of the nominal voltage between phases), with `a + b + c = 1`.

use crate::power::grid::Complex;
use crate::sparse::phase_lu::{PhaseBlock, Phases, ZERO, ZERO_BLOCK};

/// A bus.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseBus {
    /// Name outside.
    pub id: String,
    /// Nominal voltage between phases, volts.
    pub base_v: f64,
    /// Whether it takes part.
    pub is_in_service: bool,
}

/// A line or cable: the pi model with full coupling. `V_from - V_to = Z I` along it, half of `Y` at either end.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseLine {
    /// Bus of one end.
    pub from: u32,
    /// Bus of the other end.
    pub to: u32,
    /// Which phases it has.
    pub phases: [bool; 3],
    /// Series impedance between phases, earth and neutral reduced into it, ohms. Of phases that it lacks: not read.
    pub z_ohm: PhaseBlock,
    /// Admittance to earth, of its whole length, siemens.
    pub y_s: PhaseBlock,
    /// Whether it is closed.
    pub is_in_service: bool,
}

/// What a symmetric line states: positive- and zero-sequence values of its whole length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SequenceLine {
    /// Resistance, ohms.
    pub r_ohm: f64,
    /// Reactance, ohms.
    pub x_ohm: f64,
    /// Capacitance, farads.
    pub c_f: f64,
    /// Conductance to earth, siemens.
    pub g_s: f64,
    /// Zero-sequence resistance, ohms.
    pub r0_ohm: f64,
    /// Zero-sequence reactance, ohms.
    pub x0_ohm: f64,
    /// Zero-sequence capacitance, farads.
    pub c0_f: f64,
}

/// Windings: high-voltage side first. `N` and `n` say that a star point is earthed. Of delta and of star points that
/// are not earthed no zero-sequence current comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorGroup {
    /// Delta, earthed star: the usual one between medium and low voltage.
    Dyn,
    /// Earthed star on both sides: the one group that passes zero sequence through.
    Ynyn,
    /// Star, earthed star.
    Yyn,
    /// Star, earthed zigzag.
    Yzn,
    /// Earthed star, delta.
    Ynd,
    /// Earthed star, star.
    Yny,
    /// No star point earthed: Dd, Dy, Yd, Yy.
    Unearthed,
}

/// A transformer of three phases.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseTransformer {
    /// Bus of the high-voltage side.
    pub hv: u32,
    /// Bus of the low-voltage side.
    pub lv: u32,
    /// Windings.
    pub vector_group: VectorGroup,
    /// Angle by which the high-voltage side leads in positive sequence, radians.
    pub shift_rad: f64,
    /// Rated power, VA.
    pub rated_va: f64,
    /// Rated voltage of the high-voltage side, volts.
    pub rated_hv_v: f64,
    /// Rated voltage of the low-voltage side, volts.
    pub rated_lv_v: f64,
    /// Turns in use over nominal ones, high-voltage side.
    pub tap_hv: f64,
    /// Turns in use over nominal ones, low-voltage side.
    pub tap_lv: f64,
    /// Short-circuit voltage, share.
    pub vk: f64,
    /// Real part of it, share.
    pub vkr: f64,
    /// Iron losses, watts.
    pub iron_w: f64,
    /// Current without load, share.
    pub i0: f64,
    /// Zero-sequence short-circuit voltage, share; 0: as `vk` and `vkr`.
    pub vk0: f64,
    /// Real part of it, share.
    pub vkr0: f64,
    /// Zero-sequence magnetising impedance over the short-circuit one.
    pub mag0: f64,
    /// Resistance over reactance of it.
    pub mag0_rx: f64,
    /// Share of the zero-sequence short-circuit impedance that lies on the high-voltage side.
    pub si0_hv_share: f64,
    /// How many stand side by side.
    pub parallel: u32,
    /// Whether it is connected.
    pub is_in_service: bool,
}

/// A grid above. Its impedance is `1.1 V^2 / s_sc_va` (IEC 60909's c_max), for negative and zero sequence too.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseSource {
    /// Bus; at most one source each.
    pub bus: u32,
    /// Positive-sequence voltage, per unit.
    pub vm_pu: f64,
    /// Angle of it in phase a, radians.
    pub va_rad: f64,
    /// Short-circuit power, VA; infinite where all three voltages are held.
    pub s_sc_va: f64,
    /// Resistance over reactance.
    pub rx: f64,
    /// Zero-sequence reactance over positive-sequence one.
    pub x0x: f64,
    /// Zero-sequence resistance over zero-sequence reactance.
    pub r0x0: f64,
    /// Whether the positive sequence is held at the bus itself, so that the impedance counts for the others alone (the
    /// slack bus of a power flow). Otherwise it is held behind the impedance.
    pub holds_bus: bool,
    /// Whether it is on.
    pub is_in_service: bool,
}

/// How what hangs on three phases is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// Each phase to earth.
    #[default]
    Wye,
    /// From a to b, b to c, c to a.
    Delta,
}

/// A load; of one, two or three phases by which powers are zero.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseLoad {
    /// Bus.
    pub bus: u32,
    /// How it is connected.
    pub connection: Connection,
    /// Power drawn at 1 per unit, VA: of phases, or of a-b, b-c, c-a. Negative where it feeds in.
    pub s_va: Phases,
    /// Share of it that draws constant current.
    pub current_share: f64,
    /// Share of it that is a constant impedance. The rest draws constant power.
    pub impedance_share: f64,
    /// Whether it is on.
    pub is_in_service: bool,
}

/// A generator that feeds the same power into each phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseGenerator {
    /// Bus.
    pub bus: u32,
    /// Power fed into all phases together, VA.
    pub s_va: Complex,
    /// Whether it runs.
    pub is_in_service: bool,
}

/// A three-phase grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseGrid {
    /// Power of one per unit of all phases together, VA.
    pub base_va: f64,
    /// Buses.
    pub buses: Vec<PhaseBus>,
    /// Lines and cables.
    pub lines: Vec<PhaseLine>,
    /// Transformers.
    pub transformers: Vec<PhaseTransformer>,
    /// Grids above.
    pub sources: Vec<PhaseSource>,
    /// Loads.
    pub loads: Vec<PhaseLoad>,
    /// Generators.
    pub generators: Vec<PhaseGenerator>,
}

impl PhaseGrid {
    /// An empty grid on a base power of three phases.
    #[must_use]
    pub fn new(base_va: f64) -> Self {
        Self { base_va, ..Self::default() }
    }
}

impl PhaseBus {
    /// A bus of a nominal voltage between phases.
    #[must_use]
    pub fn new(id: impl Into<String>, base_v: f64) -> Self {
        Self { id: id.into(), base_v, is_in_service: true }
    }
}

impl PhaseLine {
    /// A closed line of three phases by its matrices, ohms and siemens.
    #[must_use]
    pub fn new(from: u32, to: u32, z_ohm: PhaseBlock, y_s: PhaseBlock) -> Self {
        Self { from, to, phases: [true; 3], z_ohm, y_s, is_in_service: true }
    }
    /// A closed line that is the same for all its phases, at a frequency.
    #[must_use]
    pub fn symmetric(from: u32, to: u32, line: &SequenceLine, frequency_hz: f64) -> Self {
        let susceptance = 2.0 * std::f64::consts::PI * frequency_hz;
        let (z, z0) = (Complex::new(line.r_ohm, line.x_ohm), Complex::new(line.r0_ohm, line.x0_ohm));
        let y = Complex::new(line.g_s, susceptance * line.c_f);
        let y0 = Complex::new(line.g_s, susceptance * line.c0_f);
        Self::new(from, to, super::sequence::block(&[z0, z, z]), super::sequence::block(&[y0, y, y]))
    }
    /// A closed line of one phase, without admittance to earth.
    #[must_use]
    pub fn single(from: u32, to: u32, phase: usize, z_ohm: Complex) -> Self {
        let (mut phases, mut z) = ([false; 3], ZERO_BLOCK);
        phases[phase] = true;
        z[phase][phase] = z_ohm;
        Self { phases, ..Self::new(from, to, z, ZERO_BLOCK) }
    }
}

impl PhaseTransformer {
    /// A connected transformer of nominal taps without iron losses or magnetising current, zero sequence as positive.
    #[must_use]
    pub fn new(
        hv: u32,
        lv: u32,
        vector_group: VectorGroup,
        rated_va: f64,
        rated_v: (f64, f64),
        vk: (f64, f64),
    ) -> Self {
        Self {
            hv,
            lv,
            vector_group,
            shift_rad: 0.0,
            rated_va,
            rated_hv_v: rated_v.0,
            rated_lv_v: rated_v.1,
            tap_hv: 1.0,
            tap_lv: 1.0,
            vk: vk.0,
            vkr: vk.1,
            iron_w: 0.0,
            i0: 0.0,
            vk0: 0.0,
            vkr0: 0.0,
            mag0: 100.0,
            mag0_rx: 0.0,
            si0_hv_share: 0.9,
            parallel: 1,
            is_in_service: true,
        }
    }
}

impl PhaseSource {
    /// A source that holds all three voltages of its bus.
    #[must_use]
    pub fn stiff(bus: u32, vm_pu: f64) -> Self {
        Self {
            bus,
            vm_pu,
            va_rad: 0.0,
            s_sc_va: f64::INFINITY,
            rx: 0.1,
            x0x: 1.0,
            r0x0: 0.1,
            holds_bus: true,
            is_in_service: true,
        }
    }
    /// A source that holds the positive sequence of its bus and has short-circuit power.
    #[must_use]
    pub fn short_circuit(bus: u32, vm_pu: f64, s_sc_va: f64) -> Self {
        Self { s_sc_va, ..Self::stiff(bus, vm_pu) }
    }
}

impl PhaseLoad {
    /// A wye load of constant power by phases.
    #[must_use]
    pub fn wye(bus: u32, s_va: Phases) -> Self {
        let connection = Connection::Wye;
        Self { bus, connection, s_va, current_share: 0.0, impedance_share: 0.0, is_in_service: true }
    }
    /// A delta load of constant power: a-b, b-c, c-a.
    #[must_use]
    pub fn delta(bus: u32, s_va: Phases) -> Self {
        Self { connection: Connection::Delta, ..Self::wye(bus, s_va) }
    }
    /// A wye load of constant power on one phase.
    #[must_use]
    pub fn single(bus: u32, phase: usize, s_va: Complex) -> Self {
        let mut all = [ZERO; 3];
        all[phase] = s_va;
        Self::wye(bus, all)
    }
    /// A wye load of constant power, a third on each phase.
    #[must_use]
    pub fn symmetric(bus: u32, s_va: Complex) -> Self {
        Self::wye(bus, [s_va / 3.0; 3])
    }
}
