//! Runoff of subcatchments: each is three planes, sealed ground with and without depression storage and open ground,
//! and each plane a reservoir whose depth d changes by dd/dt = i - e - f - a (d - ds)^(5/3), with a = W sqrt(S) / (n A).
//!
//! Source: Reference Manual Vol. I, chapters 3 and 4. As in SWMM: depth is integrated by Cash and Karp's adaptive
//! Runge-Kutta pairs to 1e-4; the runoff of a step is that of its last depth; water that runs from plane to plane or from
//! subcatchment to subcatchment arrives a step later; steps are the wet or dry one, cut where rain changes. The ledger's
//! error comes of the second of these.
//!
//! Ignored: snow, groundwater, low-impact development, monthly adjustments. Contract: subcatchments are independent
//! within a step, so they are done side by side in constant chunks, whose sums are added in order.

use super::infiltration::Moisture;
use super::network::{InnerRoute, NONE, Sewer, Target};
use super::rain::Cursor;
use super::units::{FOOT_M, MANNING_OVERLAND};
use rayon::prelude::*;

mod plane;
use plane::Plane;

/// Parts of a subcatchment: sealed without storage, sealed with storage, open ground.
const PARTS: usize = 3;
const OPEN: usize = 2;
/// Runoff that counts as none where it is told, 2.31481e-8 ft/s.
const TOLD_FROM_MPS: f64 = 2.314_81e-8 * FOOT_M;

/// Runoff of a step below which there is none where it follows from the balance: what is left is rounding.
const NO_RUNOFF_MPS: f64 = 1e-16;
/// Subcatchments that are done as one.
const CHUNK: usize = 512;

/// Water balance of all subcatchments, m3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunoffLedger {
    /// Rain.
    pub rain_m3: f64,
    /// Evaporation.
    pub evaporation_m3: f64,
    /// Infiltration.
    pub infiltration_m3: f64,
    /// Runoff that leaves all subcatchments.
    pub runoff_m3: f64,
    /// Water on the ground in the end.
    pub stored_m3: f64,
}

impl RunoffLedger {
    /// What came and is nowhere, m3.
    #[must_use]
    pub fn residual_m3(&self) -> f64 {
        self.rain_m3 - self.evaporation_m3 - self.infiltration_m3 - self.runoff_m3 - self.stored_m3
    }
    /// SWMM's continuity error, percent of what came.
    #[must_use]
    pub fn error_percent(&self) -> f64 {
        if self.rain_m3 > 0.0 { 100.0 * self.residual_m3() / self.rain_m3 } else { 0.0 }
    }
}

/// The parts of a subcatchment.
#[derive(Clone, Copy, Debug)]
struct Parts {
    alpha: [f64; PARTS],
    share: [f64; PARTS],
    /// Share of each part's runoff that goes to the outlet.
    to_outlet: [f64; PARTS],
    depth_m: [f64; PARTS],
    inflow_mps: [f64; PARTS],
    runoff_mps: [f64; PARTS],
    moisture: Moisture,
    /// Of the last step, over the whole area.
    infiltration_mps: f64,
}

/// What a chunk of subcatchments did in a step.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    ledger: RunoffLedger,
    has_runoff: bool,
}

/// What is one for all subcatchments in a step.
#[derive(Clone, Copy)]
struct Step<'a> {
    sewer: &'a Sewer,
    gage_mps: &'a [f64],
    evaporation_mps: f64,
    seconds: f64,
    is_stepwise: bool,
}

/// State of all subcatchments; columns by subcatchment.
#[derive(Clone, Debug)]
pub struct Runoff {
    parts: Vec<Parts>,
    /// By chunk.
    done: Vec<Done>,
    cursors: Vec<Cursor>,
    gage_mps: Vec<f64>,
    evaporation_mps: f64,
    /// Runoff at the beginning of the last step, m3/s.
    pub old_m3ps: Vec<f64>,
    /// Runoff at its end, m3/s.
    pub new_m3ps: Vec<f64>,
    /// The last step began at, ms.
    pub old_ms: f64,
    /// It ended at, ms.
    pub new_ms: f64,
    has_runoff: bool,
    /// Whether runoff is what a plane lost over a step, so that its books close, and rain is what the caller sets.
    is_stepwise: bool,
    given_mps: Vec<f64>,
    last_step_s: f64,
    ledger: RunoffLedger,
}

impl Runoff {
    /// Dry ground. Stepwise, runoff is the mean of each step by its balance, rain what [`Self::set_rain_mps`] says.
    #[must_use]
    pub fn new(sewer: &Sewer, is_stepwise: bool) -> Self {
        let of = &sewer.subcatchments;
        let count = of.id.len();
        let row = |row: usize| {
            let (sealed, bare) = (of.sealed_share[row], of.bare_share[row]);
            let share = [sealed * bare, sealed * (1.0 - bare), 1.0 - sealed];
            // Both sealed parts share the width of all sealed ground.
            let alpha = |part: usize| {
                let area = of.area_m2[row] * if part == OPEN { 1.0 - sealed } else { sealed };
                let roughness = of.roughness[row][part];
                let has_flow = area > 0.0 && roughness > 0.0;
                let factor = MANNING_OVERLAND * of.width_m[row] * of.slope[row].sqrt();
                if has_flow { factor / (area * roughness) } else { 0.0 }
            };
            let is_mixed = sealed > 0.0 && sealed < 1.0;
            let kept = 1.0 - of.routed_share[row];
            let to_outlet = match of.route[row] {
                InnerRoute::Pervious if is_mixed => [kept, kept, 1.0],
                // Sealed ground without storage takes none; SWMM loses what is sent there, books that close do not.
                InnerRoute::Impervious if is_stepwise && share[1] <= 0.0 => [1.0; PARTS],
                InnerRoute::Impervious if is_mixed => [1.0, 1.0, kept],
                _ => [1.0; PARTS],
            };
            Parts {
                alpha: [alpha(0), alpha(1), alpha(OPEN)],
                share,
                to_outlet,
                depth_m: [0.0; PARTS],
                inflow_mps: [0.0; PARTS],
                runoff_mps: [0.0; PARTS],
                moisture: of.soil[row].dry(),
                infiltration_mps: 0.0,
            }
        };
        Self {
            parts: (0..count).map(row).collect(),
            done: vec![Done::default(); count.div_ceil(CHUNK)],
            cursors: vec![Cursor::default(); sewer.gages.len()],
            gage_mps: vec![0.0; sewer.gages.len()],
            evaporation_mps: 0.0,
            old_m3ps: vec![0.0; count],
            new_m3ps: vec![0.0; count],
            old_ms: 0.0,
            new_ms: 0.0,
            has_runoff: false,
            is_stepwise,
            given_mps: vec![0.0; sewer.gages.len()],
            last_step_s: 0.0,
            ledger: RunoffLedger::default(),
        }
    }
    /// Sets rain by gage, m/s; the last value holds for the gages after it.
    pub fn set_rain_mps(&mut self, by_gage: &[f64]) {
        let last = by_gage.last().copied().unwrap_or(0.0);
        for (row, given) in self.given_mps.iter_mut().enumerate() {
            *given = by_gage.get(row).copied().unwrap_or(last);
        }
    }
    /// Balance so far.
    #[must_use]
    pub fn ledger(&self, sewer: &Sewer) -> RunoffLedger {
        let depth = |of: &Parts| (0..PARTS).map(|part| of.depth_m[part] * of.share[part]).sum::<f64>();
        let on_ground = |row: usize| depth(&self.parts[row]) * sewer.subcatchments.area_m2[row];
        let between = |row: usize| if self.is_stepwise { self.between_m3(sewer, row) } else { 0.0 };
        let stored_m3 = (0..self.parts.len()).map(|row| on_ground(row) + between(row)).sum();
        RunoffLedger { stored_m3, ..self.ledger }
    }
    /// Water that left a plane or subcatchment in the last step and arrives in the coming one, m3.
    fn between_m3(&self, sewer: &Sewer, row: usize) -> f64 {
        let (mut between, of) = (0.0, &self.parts[row]);
        for part in 0..PARTS {
            let kept = 1.0 - of.to_outlet[part];
            between += kept * of.runoff_mps[part] * of.share[part] * sewer.subcatchments.area_m2[row];
        }
        if matches!(sewer.subcatchments.target[row], Target::Subcatchment(target) if target as usize != row) {
            between += self.new_m3ps[row];
        }
        between * self.last_step_s
    }
    /// Share of the last step at a moment, 0 to 1.
    #[must_use]
    pub fn share_at(&self, at_ms: f64) -> f64 {
        let length = self.new_ms - self.old_ms;
        if length > 0.0 { ((at_ms - self.old_ms) / length).clamp(0.0, 1.0) } else { 0.0 }
    }
    /// Runoff within the last step, m3/s.
    #[must_use]
    pub fn at(&self, row: usize, share: f64) -> f64 {
        (1.0 - share) * self.old_m3ps[row] + share * self.new_m3ps[row]
    }
    /// Runoff as it is told: none where it is tiny.
    #[must_use]
    pub fn told(&self, sewer: &Sewer, row: usize, share: f64) -> f64 {
        let flow = self.at(row, share);
        if flow < TOLD_FROM_MPS * sewer.subcatchments.area_m2[row] { 0.0 } else { flow }
    }

    /// Goes on by one step, at most to `end_ms`.
    pub fn step(&mut self, sewer: &Sewer, end_ms: f64) {
        let options = &sewer.options;
        let now_s = (self.new_ms + 1.0) / 1000.0;
        if self.parts.is_empty() {
            self.old_ms = self.new_ms;
            self.new_ms = (self.new_ms + 1000.0 * options.dry_step_s).min(end_ms);
            return;
        }
        self.evaporation_mps = sewer.evaporation_mps(now_s);
        let mut is_raining = false;
        let mut longest_s = options.dry_step_s;
        for (row, gage) in sewer.gages.iter().enumerate() {
            let rain = match (options.ignores_rain, self.is_stepwise) {
                (true, _) => 0.0,
                (_, true) => self.given_mps[row],
                _ => gage.read(&mut self.cursors[row], now_s),
            };
            self.gage_mps[row] = rain;
            is_raining |= rain > 0.0;
            if self.is_stepwise {
                continue;
            }
            let next_s = (gage.next_change_s(&self.cursors[row], now_s) - now_s).round();
            if next_s > 0.0 && next_s < longest_s {
                longest_s = next_s;
            }
        }
        let wanted_s = if is_raining || self.has_runoff { options.wet_step_s } else { options.dry_step_s };
        let mut step_s = wanted_s.min(longest_s);
        self.old_ms = self.new_ms;
        self.new_ms += 1000.0 * step_s;
        if self.new_ms > end_ms {
            step_s = (end_ms - self.old_ms) / 1000.0;
            self.new_ms = end_ms;
        }
        self.old_m3ps.copy_from_slice(&self.new_m3ps);
        self.parts.iter_mut().for_each(|of| of.inflow_mps = [0.0; PARTS]);
        for row in 0..self.parts.len() {
            self.run_on(sewer, row, step_s);
        }
        self.run_off(sewer, step_s);
        self.last_step_s = step_s;
        if self.is_stepwise {
            // Runoff is even over the step.
            self.old_m3ps.copy_from_slice(&self.new_m3ps);
        }
    }

    /// Water that left planes and subcatchments in the last step and runs onto others.
    fn run_on(&mut self, sewer: &Sewer, row: usize, step_s: f64) {
        let of = &sewer.subcatchments;
        // What left in a step of another length arrives whole.
        let whole = if self.is_stepwise { self.last_step_s / step_s } else { 1.0 };
        if let Target::Subcatchment(target) = of.target[row]
            && target as usize != row
            && of.area_m2[target as usize] > 0.0
        {
            let onto = whole * self.old_m3ps[row] / of.area_m2[target as usize];
            for part in 0..PARTS {
                self.parts[target as usize].inflow_mps[part] += onto;
            }
        }
        let own = &mut self.parts[row];
        let (share, to_outlet) = (own.share, own.to_outlet);
        let runoff = own.runoff_mps.map(|runoff| whole * runoff);
        let is_mixed = of.sealed_share[row] > 0.0 && of.sealed_share[row] < 1.0;
        match of.route[row] {
            InnerRoute::Pervious if is_mixed => {
                let from = (runoff[0] * share[0] + runoff[1] * share[1]) * (1.0 - to_outlet[0]);
                own.inflow_mps[OPEN] += from / share[OPEN];
            }
            InnerRoute::Impervious if is_mixed && share[1] > 0.0 => {
                own.inflow_mps[1] += runoff[OPEN] * share[OPEN] * (1.0 - to_outlet[OPEN]) / share[1];
            }
            _ => {}
        }
    }

    /// What runs off all subcatchments in a step.
    fn run_off(&mut self, sewer: &Sewer, step_s: f64) {
        let step = Step {
            sewer,
            gage_mps: &self.gage_mps,
            evaporation_mps: self.evaporation_mps,
            seconds: step_s,
            is_stepwise: self.is_stepwise,
        };
        let (parts, new_m3ps, done) = (&mut self.parts, &mut self.new_m3ps, &mut self.done);
        if parts.len() > CHUNK {
            let columns = parts.par_chunks_mut(CHUNK).zip(new_m3ps.par_chunks_mut(CHUNK)).zip(done.par_iter_mut());
            columns.enumerate().for_each(|(chunk, ((parts, new), done))| step.chunk(chunk, parts, new, done));
        } else {
            // No waking of other threads for little work.
            done.iter_mut().for_each(|done| step.chunk(0, parts, new_m3ps, done));
        }
        self.has_runoff = self.done.iter().any(|done| done.has_runoff);
        for Done { ledger, .. } in &self.done {
            self.ledger.rain_m3 += ledger.rain_m3;
            self.ledger.evaporation_m3 += ledger.evaporation_m3;
            self.ledger.infiltration_m3 += ledger.infiltration_m3;
            self.ledger.runoff_m3 += ledger.runoff_m3;
        }
    }
    /// Rain of a subcatchment in the last step, m/s.
    #[must_use]
    pub fn rain_mps(&self, sewer: &Sewer, row: usize) -> f64 {
        rain_on(sewer, &self.gage_mps, row)
    }
    /// Infiltration of a subcatchment in the last step over its whole area, m/s.
    #[must_use]
    pub fn infiltration_mps(&self, row: usize) -> f64 {
        self.parts[row].infiltration_mps
    }
}

fn rain_on(sewer: &Sewer, gage_mps: &[f64], row: usize) -> f64 {
    let gage = sewer.subcatchments.gage[row];
    if gage == NONE { 0.0 } else { gage_mps[gage as usize] }
}

impl Step<'_> {
    /// One step of a chunk; `new_m3ps` is the runoff that leaves each subcatchment.
    fn chunk(&self, chunk: usize, parts: &mut [Parts], new_m3ps: &mut [f64], done: &mut Done) {
        *done = Done::default();
        for (at, (parts, new_m3ps)) in parts.iter_mut().zip(new_m3ps).enumerate() {
            self.subcatchment(parts, new_m3ps, chunk * CHUNK + at, done);
        }
    }
    /// One step of a subcatchment; runoff that leaves it, m3/s.
    fn subcatchment(&self, parts: &mut Parts, new_m3ps: &mut f64, row: usize, done: &mut Done) {
        let (of, step_s) = (&self.sewer.subcatchments, self.seconds);
        let area = of.area_m2[row];
        if area <= 0.0 || step_s <= 0.0 {
            return;
        }
        let rain = rain_on(self.sewer, self.gage_mps, row);
        let rests = self.sewer.options.evaporates_when_dry_only && rain > 0.0;
        let evaporation = if rests { 0.0 } else { self.evaporation_mps };
        let (mut leaves, mut evaporated, mut infiltrated) = (0.0, 0.0, 0.0);
        for part in 0..PARTS {
            let part_area = area * parts.share[part];
            if part_area <= 0.0 {
                parts.runoff_mps[part] = 0.0;
                continue;
            }
            let depth = &mut parts.depth_m[part];
            let before = *depth;
            let mut evaporates = evaporation.min(*depth / step_s);
            let run_on = parts.inflow_mps[part];
            let mut infiltrates = match part {
                OPEN => of.soil[row].rate(&mut parts.moisture, step_s, rain, run_on, *depth),
                _ => 0.0,
            };
            let mut inflow = run_on + rain;
            let available = *depth / step_s + inflow;
            let plane = Plane {
                alpha: parts.alpha[part],
                depression_m: of.depression_m[row][part],
                is_rough: of.roughness[row][part] > 0.0,
            };
            let mut runs_s = step_s;
            if evaporates + infiltrates >= available {
                *depth = 0.0;
                if self.is_stepwise && evaporates + infiltrates > 0.0 {
                    let there = (available / (evaporates + infiltrates)).max(0.0);
                    (evaporates, infiltrates) = (evaporates * there, infiltrates * there);
                }
            } else {
                inflow -= evaporates + infiltrates;
                runs_s = plane.fill(depth, inflow, step_s);
            }
            let mut runoff = plane.runoff(depth, runs_s);
            if self.is_stepwise {
                let net = run_on + rain - evaporates - infiltrates;
                runoff = (before + net * step_s - *depth) / step_s;
                if runoff <= NO_RUNOFF_MPS {
                    *depth = (before + net * step_s).max(0.0);
                    runoff = 0.0;
                }
            }
            parts.inflow_mps[part] = inflow;
            parts.runoff_mps[part] = runoff;
            evaporated += evaporates * part_area * step_s;
            infiltrated += infiltrates * part_area * step_s;
            leaves += parts.to_outlet[part] * runoff * part_area * step_s;
            done.has_runoff |= runoff * part_area > 0.0;
        }
        *new_m3ps = leaves / step_s;
        parts.infiltration_mps = infiltrated / (step_s * area);
        done.ledger.rain_m3 += rain * area * step_s;
        done.ledger.evaporation_m3 += evaporated;
        done.ledger.infiltration_m3 += infiltrated;
        let leaves_all = match of.target[row] {
            Target::Node(_) => true,
            Target::Subcatchment(target) => target as usize == row,
        };
        if leaves_all {
            done.ledger.runoff_m3 += leaves;
        }
    }
}
