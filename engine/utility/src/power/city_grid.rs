//! The grid of a city in a run: every power step it carries what buildings and street lamps ask for, and tells what of it
//! arrives. Loads of buildings are of constant power, as they are an average of many devices over a step; loads that a
//! file brings with it stay as they are.
//!
//! Laws, checked by the audit at every step:
//!
//! ```text
//! supplied = served + lost                  asked for = served + not served
//! ```
//!
//! where what is supplied comes from the flows at the buses that hold their voltage, what is served from the loads, what
//! is lost from both ends of each branch: three sums over different things, equal where power flow is solved.
//!
//! Contract: a step is a pure function of the one before and of what is asked for; same bits on any number of threads.

mod settings;
mod tally;
mod wiring;

pub use settings::{GridControls, GridRows, GridSettings, InverterLaw};
pub use tally::{BranchTally, BusTally, EnergyBalance, InfeedTally, PeriodExtremes};
pub use wiring::{Infeed, Lamps, Wiring};

use super::control::{ControlSettings, ControlTables, Controls, Curve, Inverter, Priority, ReactiveLaw};
use super::elements::GridRow;
use super::flow::{BranchFlow, Method, Outcome, PowerFlow};
use super::newton::NewtonSettings;
use super::operation::{Element, Fault, Operation, named_faults, random_faults};
use super::series::{OnFailure, shed};
use super::state::Balance;
use bevy_ecs::resource::Resource;
use rayon::prelude::*;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::Result;
use urbis_core::chunks::CHUNK_ROWS;

/// Mismatch that a step may leave, per unit: less than a solve on its own would need, as the sum over all buses is to
/// stay below a billionth of what is supplied.
const TOLERANCE_PU: f64 = 1e-12;

/// Loading of infeeds from which devices are asked to take less, percent.
const SIGNAL_FROM_PERCENT: f64 = 90.0;

/// See the module.
#[derive(Clone, Debug, Resource)]
pub struct CityGrid {
    settings: GridSettings,
    wiring: Wiring,
    flow: PowerFlow,
    newton: NewtonSettings,
    operation: Operation,
    controls: Controls,
    /// Inverter of each building with photovoltaics that does something about voltages, with its load.
    inverters: Vec<Option<(u32, u32)>>,
    /// What loads ask for; those that no building or lamp sets keep what their file says. Shape: loads.
    asked_w: Vec<f64>,
    asked_var: Vec<f64>,
    /// Of the last step. Shape: branches.
    flows: Vec<BranchFlow>,
    outcome: Outcome,
    balance: Balance,
    /// Share of all loads that the last step did not serve because it did not converge with them.
    shed_share: f64,
    failed_steps: u32,
    unsettled_steps: u32,
    tap_moves: u32,
    /// Tallies of the interval of table `bus_state`.
    pub buses: BusTally,
    /// Tallies of the interval of table `branch_state`.
    pub branches: BranchTally,
    /// Tallies of the interval of table `substation_load`.
    pub infeeds: InfeedTally,
    /// Energy since the start.
    pub energy: EnergyBalance,
    /// Extremes since the start.
    pub extremes: PeriodExtremes,
}

impl CityGrid {
    /// The grid of a city whose buildings have these needs; a synthetic one is planned for them, and for no less than what is
    /// usual for their kind. Paths are relative to `folder`.
    ///
    /// # Errors
    /// Settings, files or streets of which no grid can be made; faults of what it does not have.
    pub fn new(
        city: &City,
        settings: &GridSettings,
        needs: &Needs<'_>,
        folder: &Path,
        seed: u64,
        period_s: u32,
    ) -> Result<Self> {
        let mut wiring = Wiring::new(city, settings, needs.highest_w, folder)?;
        let (tables, inverters) = control_tables(&mut wiring, settings, needs.pv_rated_w);
        let flow = PowerFlow::new(std::mem::take(&mut wiring.grid))?;
        let grid = flow.grid();
        let mut newton = NewtonSettings { tolerance_pu: TOLERANCE_PU, ..NewtonSettings::default() };
        newton.tolerance_pu *= (1e6 / grid.base_va).max(1.0);
        let mut faults = named_faults(
            &settings.fault,
            |id| wiring.branch_id.iter().position(|of| of == id).map(|row| row as u32),
            |id| grid.buses.id.iter().position(|of| of == id).map(|row| row as u32),
        )?;
        faults.extend(random_faults(&wiring.length_m, &wiring.branch_id, &settings.random_faults, seed, period_s));
        let customers = wiring.customers_by_bus(grid);
        let breakers = std::mem::take(&mut wiring.breakers);
        let controls = Controls::new(&flow, tables, ControlSettings::default())?;
        let operation = Operation::new(&flow, &settings.operation, breakers, customers, &faults)?;
        Ok(Self {
            settings: settings.clone(),
            newton,
            operation,
            controls,
            inverters,
            asked_w: grid.loads.p_w.clone(),
            asked_var: grid.loads.q_var.clone(),
            flows: vec![BranchFlow::default(); grid.branches.len()],
            outcome: Outcome::default(),
            balance: Balance::default(),
            shed_share: 0.0,
            failed_steps: 0,
            unsettled_steps: 0,
            tap_moves: 0,
            buses: BusTally::new(grid.buses.len()),
            branches: BranchTally::new(grid.branches.len()),
            infeeds: InfeedTally::new(wiring.infeeds.len()),
            energy: EnergyBalance::default(),
            extremes: PeriodExtremes::default(),
            wiring,
            flow,
        })
    }
    /// How it was set up.
    #[must_use]
    pub fn settings(&self) -> &GridSettings {
        &self.settings
    }
    /// What hangs where.
    #[must_use]
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }
    /// The grid as it was last solved.
    #[must_use]
    pub fn flow(&self) -> &PowerFlow {
        &self.flow
    }
    /// Flows of the last step. Shape: branches.
    #[must_use]
    pub fn flows(&self) -> &[BranchFlow] {
        &self.flows
    }
    /// How the last step ended.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
    /// Where power went in the last step. Of a step that did not converge and was held, supply is set to what it served
    /// and lost.
    #[must_use]
    pub fn balance(&self) -> &Balance {
        &self.balance
    }
    /// Steps that did not converge with all that was asked for.
    #[must_use]
    pub fn failed_steps(&self) -> u32 {
        self.failed_steps
    }
    /// Steps at whose end a control was not where it should be.
    #[must_use]
    pub fn unsettled_steps(&self) -> u32 {
        self.unsettled_steps
    }
    /// Steps of tap changers.
    #[must_use]
    pub fn tap_moves(&self) -> u32 {
        self.tap_moves
    }
    /// What the grid asks of devices, from 0 at 90 % of what the branches at its infeeds can carry to 1 at all of it.
    #[must_use]
    pub fn signal(&self) -> f64 {
        let branches = self.wiring.infeeds.iter().flat_map(|infeed| &infeed.branches);
        let loadings = branches.map(|&(branch, _)| self.loading_percent(branch as usize));
        ((loadings.fold(0.0, f64::max) - SIGNAL_FROM_PERCENT) / (100.0 - SIGNAL_FROM_PERCENT)).clamp(0.0, 1.0)
    }
    /// Whether the run is to end, as a step did not converge and the settings say so.
    #[must_use]
    pub fn stops(&self) -> bool {
        !self.outcome.is_converged && self.settings.on_failure == OnFailure::Stop
    }
    /// Faults, switches and interruptions.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }
    /// Whether a building has a source.
    #[must_use]
    pub fn is_supplied(&self, building: usize) -> bool {
        let load = self.wiring.building_load[building] as usize;
        self.flow.is_energised(self.flow.grid().loads.bus[load])
    }
    /// Loading of a branch in the last step, percent; NaN where no rating is known.
    #[must_use]
    pub fn loading_percent(&self, branch: usize) -> f64 {
        loading_percent(&self.flow, &self.flows, branch)
    }

    /// Lets an element fail; see [`Operation::fail`].
    pub fn fail(&mut self, fault: Fault) -> u32 {
        self.operation.fail(fault)
    }
    /// Repairs what failed; see [`Operation::repair`].
    pub fn repair(&mut self, cause: u32, time_s: u32) {
        self.operation.repair(cause, time_s);
    }
    /// Branch by its id in the tables of the run.
    #[must_use]
    pub fn branch(&self, id: &str) -> Option<Element> {
        self.wiring.branch_id.iter().position(|of| of == id).map(|row| Element::Branch(row as u32))
    }
    /// Bus by its id in the tables of the run.
    #[must_use]
    pub fn bus(&self, id: &str) -> Option<Element> {
        self.flow.grid().buses.id.iter().position(|of| of == id).map(|row| Element::Bus(row as u32))
    }
    /// Bus of a building.
    #[must_use]
    pub fn building_bus(&self, building: usize) -> u32 {
        self.flow.grid().loads.bus[self.wiring.building_load[building] as usize]
    }

    /// Lets everything happen that lies in the step that begins, before anybody asks for power.
    pub fn switch(&mut self, from_s: u32, seconds: u32) {
        self.operation.prepare(&mut self.flow, from_s, seconds);
    }
    /// Solves the step of so many seconds in which buildings and lamps ask for these powers, and lowers them to what they
    /// get, watts; of what buildings ask for, photovoltaics have taken `pv_w` off. Shapes: buildings, zones, buildings or
    /// none.
    pub fn serve(&mut self, building_w: &mut [f64], lamps_w: &mut [f64], pv_w: &[f64], from_s: u32, seconds: u32) {
        let tan_phi = self.settings.tan_phi();
        let own_w = building_w.iter().sum::<f64>() + lamps_w.iter().sum::<f64>();
        let mut ask = |load: u32, p_w: f64| {
            self.asked_w[load as usize] = p_w;
            self.asked_var[load as usize] = p_w * tan_phi;
        };
        for (&load, &p_w) in self.wiring.building_load.iter().zip(building_w.iter()) {
            ask(load, p_w);
        }
        for lamps in &self.wiring.lamps {
            ask(lamps.load, lamps_w[lamps.zone as usize] * lamps.share);
        }
        for (&load, (inverter, pv_w)) in self.wiring.building_load.iter().zip(self.inverters.iter().zip(pv_w)) {
            if let Some((inverter, _)) = *inverter {
                self.asked_w[load as usize] += pv_w;
                self.asked_var[load as usize] += pv_w * tan_phi;
                self.controls.set_available(inverter, *pv_w);
            }
        }
        self.flow.set_loads(&self.asked_w, &self.asked_var);
        self.solve();
        let served = |load: u32| self.flow.load_power(load).0;
        for (&load, p_w) in self.wiring.building_load.iter().zip(building_w.iter_mut()) {
            *p_w = served(load);
        }
        for (inverter, p_w) in self.inverters.iter().zip(building_w.iter_mut()) {
            *p_w += inverter.map_or(0.0, |(_, load)| served(load));
        }
        lamps_w.fill(0.0);
        for lamps in &self.wiring.lamps {
            lamps_w[lamps.zone as usize] += served(lamps.load);
        }
        let served_w = building_w.iter().sum::<f64>() + lamps_w.iter().sum::<f64>();
        self.operation.review(&mut self.flow, from_s, seconds);
        let seconds = f64::from(seconds);
        self.energy.add(&self.balance, own_w, served_w, seconds);
        let Self { buses, branches, extremes, flow, flows, .. } = self;
        buses.add(flow, extremes, seconds);
        branches.add(extremes, |branch| loading_percent(flow, flows, branch));
        self.infeeds.add(&self.wiring.infeeds, &self.flows, seconds);
    }

    fn solve(&mut self) {
        let controlled = self.controls.solve_parallel(&mut self.flow, Method::Newton, &self.newton);
        self.tap_moves += controlled.tap_moves;
        self.unsettled_steps += u32::from(controlled.outcome.is_converged && !controlled.is_settled);
        self.outcome = controlled.outcome;
        self.shed_share = 0.0;
        if !self.outcome.is_converged {
            self.failed_steps += 1;
            if self.settings.on_failure == OnFailure::Shed {
                let wanted = self.flow.grid().loads.clone();
                (self.outcome, self.shed_share) = shed(&mut self.flow, &wanted, Method::Newton, &self.newton);
            }
        }
        let flow = &self.flow;
        self.flows.par_chunks_mut(CHUNK_ROWS).enumerate().for_each(|(chunk, flows)| {
            for (row, of) in flows.iter_mut().enumerate() {
                *of = flow.branch_flow((chunk * CHUNK_ROWS + row) as u32);
            }
        });
        self.balance = Balance::with(&self.flow, &self.flows);
        if !self.outcome.is_converged {
            // Nothing is known of where power comes from; the step is marked.
            self.balance.source_w -= self.balance.residual_w();
        }
    }
}

/// What a grid is to carry. Shapes: buildings.
#[derive(Clone, Copy, Debug)]
pub struct Needs<'a> {
    /// The most that each building asks for, watts.
    pub highest_w: &'a [f64],
    /// Photovoltaics on its roof, watts.
    pub pv_rated_w: &'a [f64],
}

/// What controls a grid, and the inverter and load of each building that has some; their loads are added to the grid.
fn control_tables(
    wiring: &mut Wiring,
    settings: &GridSettings,
    pv_rated_w: &[f64],
) -> (ControlTables, Vec<Option<(u32, u32)>>) {
    let of = &settings.controls;
    let mut tables = ControlTables { has_reactive_limits: of.reactive_limits, ..ControlTables::default() };
    if of.taps {
        for tap in std::mem::take(&mut wiring.taps) {
            tables.taps.push(tap);
        }
    }
    let curve = match of.inverters {
        InverterLaw::None => return (tables, vec![None; pv_rated_w.len()]),
        InverterLaw::Ieee1547 => Curve::ieee_1547_b_volt_var(),
        InverterLaw::Vde4105 => Curve::vde_4105_volt_var(),
    };
    tables.curves.push(curve);
    let mut inverters = Vec::with_capacity(pv_rated_w.len());
    for (building, &rated_w) in pv_rated_w.iter().enumerate() {
        inverters.push((rated_w > 0.0).then(|| {
            let load = wiring.add_load(wiring.grid.loads.bus[wiring.building_load[building] as usize]);
            let inverter = tables.inverters.push(Inverter {
                row: GridRow::Load(load),
                p_available_w: 0.0,
                p_rated_w: rated_w,
                s_rated_va: rated_w,
                law: ReactiveLaw::OfVoltage { curve: 0 },
                p_curve: None,
                // What the sun gives is fed in, as the books of the building have it.
                priority: Priority::Active,
                is_in_service: true,
            });
            (inverter, load)
        }));
    }
    (tables, inverters)
}

fn loading_percent(flow: &PowerFlow, flows: &[BranchFlow], branch: usize) -> f64 {
    let grid = flow.grid();
    let rating_va = grid.branches.rating_va[branch];
    if rating_va > 0.0 { 100.0 * flows[branch].current_pu * grid.base_va / rating_va } else { f64::NAN }
}
