//! The electric grid of a town: loads by profile, and heaters that stand in for missing gas and heat.
//!
//! A failure changes the grid; the grid as it stands is made ready anew, without voltages of before, and goes back to what it
//! was afterwards. Every solve forgets factors that earlier ones left and begins with the voltages at hand, so it is a pure
//! function of loads, topology and these voltages. Where loads and topology are those of the step before, nothing is solved.

use super::books::{Account, KWH};
use super::elements::{Named, Out};
use super::settings::PowerNet;
use urbis_core::Result;
use urbis_utility::power::case::{self, Case};
use urbis_utility::power::grid::{Bus, BusKind, Grid};
use urbis_utility::power::state::Balance;
use urbis_utility::power::{BranchFlow, Method, NewtonSettings, PowerFlow};
use urbis_utility::snapshot::Snapshot;

/// The grid and its state.
#[derive(Clone, Debug)]
pub struct PowerPart {
    /// As its file tells it.
    pub case: Case,
    flow: PowerFlow,
    settings: NewtonSettings,
    p_w: Vec<f64>,
    q_var: Vec<f64>,
    flows: Vec<BranchFlow>,
    balance: Balance,
    is_solved: bool,
    is_stale: bool,
}

impl PowerPart {
    /// Reads a grid.
    ///
    /// # Errors
    /// A file that cannot be read, and what is wrong in it.
    pub fn new(of: &PowerNet) -> Result<Self> {
        let case = case::read(&of.net)?;
        let flow = PowerFlow::new(case.grid.clone())?;
        let settings = NewtonSettings { tolerance_pu: of.tolerance_pu, ..NewtonSettings::default() };
        let (p_w, q_var) = (case.grid.loads.p_w.clone(), case.grid.loads.q_var.clone());
        Ok(Self {
            case,
            flow,
            settings,
            p_w,
            q_var,
            flows: Vec::new(),
            balance: Balance::default(),
            is_solved: false,
            is_stale: true,
        })
    }
    /// The solved grid. Where no source is left, one outside that is joined to nothing has the last row of buses.
    #[must_use]
    pub fn flow(&self) -> &PowerFlow {
        &self.flow
    }
    /// Flows of branches. Shape: branches.
    #[must_use]
    pub fn flows(&self) -> &[BranchFlow] {
        &self.flows
    }
    /// Whether a load is joined to a source.
    #[must_use]
    pub fn is_lit(&self, load: u32) -> bool {
        self.flow.is_energised(self.case.grid.loads.bus[load as usize])
    }
    /// What an element is, by its name.
    pub(crate) fn named(&self, name: &str) -> Named {
        let grid = &self.case.grid;
        let bus = |id: &str| grid.buses.id.iter().position(|of| of == id).map(|row| row as u32);
        if let Some(id) = name.strip_prefix("bus ") {
            return bus(id).map(Out::Node).into();
        }
        if let Some(id) = name.strip_prefix("source ") {
            let is_source = |row: &u32| grid.buses.kind[*row as usize] == BusKind::Slack;
            let all = (0..grid.buses.len() as u32).filter(is_source);
            return Named::many(
                all.filter(|row| id == "*" || grid.buses.id[*row as usize] == id).map(Out::Feed).collect(),
            );
        }
        let is_it = |of: &&String| of.as_str() == name;
        let row = |at: usize| Out::Link(at as u32);
        Named::many(self.case.branch_id.iter().enumerate().filter(|(_, of)| is_it(of)).map(|(at, _)| row(at)).collect())
    }
    /// Names that may be meant.
    pub(crate) fn names(&self) -> Vec<String> {
        let grid = &self.case.grid;
        let sources = (0..grid.buses.len()).filter(|&row| grid.buses.kind[row] == BusKind::Slack);
        let sources = sources.map(|row| format!("source {}", grid.buses.id[row]));
        let buses = grid.buses.id.iter().map(|id| format!("bus {id}"));
        sources.chain(self.case.branch_id.iter().cloned()).chain(buses).collect()
    }
    /// Puts elements out, all others in.
    ///
    /// # Errors
    /// None that a grid which was read could have.
    pub(crate) fn set_out(&mut self, out: &[Out]) -> Result<()> {
        let mut grid: Grid = self.case.grid.clone();
        for of in out {
            match *of {
                Out::Node(bus) => grid.buses.is_in_service[bus as usize] = false,
                Out::Feed(bus) => grid.buses.kind[bus as usize] = BusKind::Pq,
                Out::Link(branch) => {
                    grid.branches.is_in_service[branch as usize] = false;
                    grid.branches.can_close[branch as usize] = false;
                }
            }
        }
        let is_source = |row: &usize| grid.buses.kind[*row] == BusKind::Slack && grid.buses.is_in_service[*row];
        if !(0..grid.buses.len()).any(|row| is_source(&row)) {
            // A grid has a source somewhere; this one feeds nobody.
            let id = "(none)".to_owned();
            let bus = Bus { id, kind: BusKind::Slack, base_v: 0.0, vm_pu: 1.0, va_rad: 0.0, is_in_service: true };
            grid.buses.push(bus);
        }
        self.flow = PowerFlow::new(grid)?;
        self.is_stale = true;
        Ok(())
    }
    /// Solves with loads times a factor, and more of some, watts. Shape of `more_w`: loads.
    pub(crate) fn step(&mut self, factor: f64, more_w: &[f64], seconds: f64) -> Account {
        let base = &self.case.grid.loads;
        let mut is_new = self.is_stale || !self.is_solved;
        for (load, more_w) in more_w.iter().enumerate() {
            let (p_w, q_var) = (base.p_w[load] * factor + more_w, base.q_var[load] * factor);
            is_new |= p_w.to_bits() != self.p_w[load].to_bits() || q_var.to_bits() != self.q_var[load].to_bits();
            (self.p_w[load], self.q_var[load]) = (p_w, q_var);
        }
        if is_new {
            self.flow.set_loads(&self.p_w, &self.q_var);
            self.flow.forget_factors();
            self.is_solved = self.flow.solve(Method::Newton, &self.settings).is_converged;
            self.is_stale = false;
            self.read();
        }
        self.account(seconds, is_new)
    }
    fn read(&mut self) {
        let branches = self.flow.grid().branches.len() as u32;
        self.flows.clear();
        self.flows.extend((0..branches).map(|branch| self.flow.branch_flow(branch)));
        self.balance = Balance::with(&self.flow, &self.flows);
    }
    fn account(&self, seconds: f64, is_new: bool) -> Account {
        let (of, loads) = (&self.balance, &self.flow.grid().loads);
        let asks = |load: &usize| loads.is_in_service[*load] && loads.p_w[*load] > 0.0;
        let customers = (0..loads.len()).filter(asks).count();
        let dark = (0..loads.len()).filter(asks).filter(|&load| !self.is_lit(load as u32)).count() as u32;
        let kwh = |w: f64| w * seconds / KWH;
        Account {
            customers: customers as u32,
            unserved_customers: dark,
            dark_customers: dark,
            asked: kwh(of.served_w + of.unserved_w),
            supplied: kwh(of.source_w + of.generated_w),
            got: kwh(of.served_w),
            served: kwh(of.served_w),
            lost: kwh(of.branch_losses_w + of.shunt_losses_w),
            stored: 0.0,
            residual: kwh(of.residual_w()),
            moved: kwh(of.turnover_w + of.source_w.abs()),
            is_solved: self.is_solved,
            is_new,
        }
    }
    /// What the next step starts from; elements that are out are put out before.
    pub(crate) fn snapshot(&mut self, of: &mut Snapshot) {
        of.numbers(&mut self.p_w);
        of.numbers(&mut self.q_var);
        of.flag(&mut self.is_solved);
        of.flag(&mut self.is_stale);
        if of.is_reader() {
            self.flow.set_loads(&self.p_w, &self.q_var);
        }
        self.flow.snapshot(of);
        if of.is_reader() && of.is_good() {
            self.read();
        }
    }
}
