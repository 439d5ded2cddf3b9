//! Operation of a grid: faults, breakers that clear them, isolation, restoration over ties, repair, and breakers that open
//! on overload. Events happen at their second; power flow sees them from the step in which they lie.
//!
//! | when | what |
//! | --- | --- |
//! | fault | breakers around it open: all within them and what hangs on it is dark |
//! | `isolation_s` later | what failed is cut off, the breakers close again; not where there are no switches (low voltage) |
//! | `restoration_s` later | ties are closed that supply what is dark still, as long as no limit is broken |
//! | `repair_s` after the fault | all is as before |
//! | overload | a breaker opens by the standard inverse curve of IEC 60255-151 and closes after `reclose_s` |
//!
//! A protected zone is what is joined without a breaker between; all breakers at its border open, or stay open where another
//! fault has opened them, and nothing in it is supplied until it is isolated. An open tie that fails is not missed. Ties are
//! tried by solving, with the loads of the step before: of those with one dark end the one that leaves the lowest loading
//! is closed, if no branch comes above its emergency limit and no bus below, or none that was there before gets worse; then
//! the next. What no tie can carry as a whole stays dark. A tie opens again when both its ends have a source without it.
//! Whoever has no source at the start is no customer.
//!
//! Ignored: fault currents and selectivity in time, automatic reclosing, sections in which one could restore a part,
//! crews' ways. Contract: a pure function of what happened before; the same on any number of threads.

mod interruptions;
mod overload;
mod random;
mod restoration;
mod settings;

pub use interruptions::{Indices, Interruption};
pub use random::{RandomFaultSettings, random_faults};
pub use settings::{FaultSettings, OperationSettings};

use super::flow::PowerFlow;
use super::newton::NewtonSettings;
use super::settings::refusing;
use interruptions::Watch;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::{Problem, Problems, Result};

/// Ends of a branch at which it has a breaker or fuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakers {
    /// At the from end.
    pub at_from: bool,
    /// At the to end.
    pub at_to: bool,
}

impl Breakers {
    /// At both ends.
    pub const BOTH: Self = Self { at_from: true, at_to: true };

    fn any(self) -> bool {
        self.at_from || self.at_to
    }
}

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A branch.
    Branch(u32),
    /// A bus, with all that ends there.
    Bus(u32),
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// When, seconds from the start.
    pub start_s: u32,
    /// What.
    pub element: Element,
    /// Time until it is repaired, seconds.
    pub repair_s: u32,
    /// What it is called, in words.
    pub name: String,
}

/// What happened to a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switching {
    /// Breakers cleared a fault.
    Tripped,
    /// A fault was cut off.
    Isolated,
    /// Ties were tried.
    Restored,
    /// All is as before.
    Repaired,
    /// A breaker opened on overload.
    Overloaded,
    /// It closed again.
    Reclosed,
}

urbis_core::named!(Switching {
    Tripped = "tripped",
    Isolated = "isolated",
    Restored = "restored",
    Repaired = "repaired",
    Overloaded = "overloaded",
    Reclosed = "reclosed",
});

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When, seconds from the start.
    pub time_s: u32,
    /// What happened.
    pub what: Switching,
    /// Row of the cause; see [`Operation::cause`].
    pub cause: u32,
    /// Branches that opened.
    pub opened: Vec<u32>,
    /// Branches that closed.
    pub closed: Vec<u32>,
    /// Customers without supply after it.
    pub dark_customers: u32,
}

/// Something to come: at a second, what of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Begin(u32),
    Isolate(u32),
    Restore(u32),
    Repair(u32),
    Reclose(u32),
}

/// A fault or an overload that happened.
#[derive(Clone, Debug)]
struct Cause {
    name: String,
    element: Element,
    repair_s: u32,
    /// What failed: open until repaired.
    failed: Vec<u32>,
    /// Breakers that it opened, or keeps open.
    tripped: Vec<u32>,
    /// Buses that must have no source until it is isolated.
    zone: Vec<u32>,
    /// Whether ties may be tried for what is dark by it.
    may_restore: bool,
    /// Whether all is as before it.
    is_over: bool,
}

/// Operation of one grid.
#[derive(Clone, Debug)]
pub struct Operation {
    settings: OperationSettings,
    newton: NewtonSettings,
    breakers: Vec<Breakers>,
    /// Whether each branch is closed where nothing has happened.
    normal: Vec<bool>,
    /// Reasons to be open, by branch.
    blocked: Vec<u32>,
    /// Faults of the branch itself that are not repaired.
    cut: Vec<u32>,
    /// Whether it is closed although normally open.
    is_tied: Vec<bool>,
    branches_at: Csr<u32>,
    events: BinaryHeap<Reverse<(u32, Event)>>,
    causes: Vec<Cause>,
    watch: Watch,
    log: Vec<LogEntry>,
    overload: overload::Relays,
}

impl Operation {
    /// Of a grid with breakers at these branches and customers at these buses, in which faults are to come. Switches stand
    /// as they normally do.
    ///
    /// # Errors
    /// Settings out of their range, faults of no row, columns of another length.
    pub fn new(
        flow: &PowerFlow,
        settings: &OperationSettings,
        breakers: Vec<Breakers>,
        customers: Vec<u32>,
        faults: &[Fault],
    ) -> Result<Self> {
        refusing("power.grid.operation", |tell| settings.check(tell))?;
        let grid = flow.grid();
        check_rows(flow, &breakers, &customers, faults)?;
        let of_bus = |(bus, customers)| if flow.is_energised(bus as u32) { customers } else { 0 };
        let customers = customers.into_iter().enumerate().map(of_bus).collect();
        let of = &grid.branches;
        let ends = (0..of.len()).flat_map(|row| [(of.from[row], row as u32), (of.to[row], row as u32)]);
        let mut this = Self {
            settings: settings.clone(),
            newton: NewtonSettings::default(),
            overload: overload::Relays::new(of.len()),
            breakers,
            normal: of.is_in_service.clone(),
            blocked: vec![0; of.len()],
            cut: vec![0; of.len()],
            is_tied: vec![false; of.len()],
            branches_at: Csr::from_pairs(grid.buses.len(), &ends.collect::<Vec<_>>()),
            events: BinaryHeap::new(),
            causes: Vec::new(),
            watch: Watch::new(customers),
            log: Vec::new(),
        };
        let mut faults = faults.to_vec();
        faults.sort();
        for fault in faults {
            this.fail(fault);
        }
        Ok(this)
    }
    /// Lets an element fail; the row of the cause. One that is to be repaired at a time unknown yet takes [`u32::MAX`] for it.
    pub fn fail(&mut self, fault: Fault) -> u32 {
        let failed = match fault.element {
            Element::Branch(branch) => vec![branch],
            Element::Bus(bus) => self.branches_at.row(bus as usize).to_vec(),
        };
        let row = self.add_cause(fault.name, fault.element, failed, fault.repair_s);
        self.events.push(Reverse((fault.start_s, Event::Begin(row))));
        row
    }
    /// Repairs what failed at a time unknown before.
    pub fn repair(&mut self, cause: u32, time_s: u32) {
        self.events.push(Reverse((time_s, Event::Repair(cause))));
    }
    fn add_cause(&mut self, name: String, element: Element, failed: Vec<u32>, repair_s: u32) -> u32 {
        let (tripped, zone) = (Vec::new(), Vec::new());
        let (may_restore, is_over) = (false, false);
        self.causes.push(Cause { name, element, repair_s, failed, tripped, zone, may_restore, is_over });
        self.causes.len() as u32 - 1
    }
    /// What a cause is called.
    #[must_use]
    pub fn cause(&self, row: u32) -> &str {
        &self.causes[row as usize].name
    }
    /// What happened.
    #[must_use]
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }
    /// Customers without supply now.
    #[must_use]
    pub fn dark_customers(&self) -> u32 {
        self.watch.dark_customers()
    }
    /// Interruptions so far.
    #[must_use]
    pub fn interruptions(&self) -> Vec<Interruption> {
        self.watch.interruptions(|cause| self.causes[cause as usize].name.clone())
    }
    /// Indices of a period that ends now.
    #[must_use]
    pub fn indices(&self, end_s: u32) -> Indices {
        Indices::new(&self.interruptions(), self.watch.customers(), end_s, self.settings.momentary_s)
    }

    /// Before the solve of a step: lets everything happen that lies in it, and renews who has a source.
    pub fn prepare(&mut self, flow: &mut PowerFlow, from_s: u32, seconds: u32) {
        while let Some(&Reverse((time_s, event))) = self.events.peek() {
            if time_s >= from_s.saturating_add(seconds) {
                break;
            }
            self.events.pop();
            self.happen(flow, time_s, event);
        }
        flow.update();
    }
    /// After the solve of a step, at the end of which breakers open that its currents are too large for.
    pub fn review(&mut self, flow: &mut PowerFlow, from_s: u32, seconds: u32) {
        if !self.settings.trips_on_overload {
            return;
        }
        let ripe = self.overload.step(flow, &self.settings, &self.breakers, f64::from(seconds));
        for branch in ripe {
            let time_s = from_s + seconds;
            let name = format!("overload of branch {branch}");
            let cause = self.add_cause(name, Element::Branch(branch), vec![branch], self.settings.reclose_s);
            self.block(flow, &[branch]);
            self.note(flow, time_s, Switching::Overloaded, cause, (vec![branch], Vec::new()));
            if self.settings.reclose_s > 0 {
                self.events.push(Reverse((time_s.saturating_add(self.settings.reclose_s), Event::Reclose(cause))));
            }
        }
    }

    fn happen(&mut self, flow: &mut PowerFlow, time_s: u32, event: Event) {
        match event {
            Event::Begin(cause) => self.begin(flow, time_s, cause),
            // It was repaired before anybody came to its switches, or twice.
            Event::Isolate(row) | Event::Restore(row) | Event::Repair(row) if self.causes[row as usize].is_over => {}
            Event::Isolate(row) => {
                let tripped = std::mem::take(&mut self.causes[row as usize].tripped);
                self.causes[row as usize].zone.clear();
                self.unblock(flow, &tripped);
                self.note(flow, time_s, Switching::Isolated, row, (Vec::new(), tripped));
            }
            Event::Restore(row) => {
                self.causes[row as usize].may_restore = true;
                self.restore(flow, time_s, row);
            }
            Event::Repair(row) | Event::Reclose(row) => {
                let cause = &mut self.causes[row as usize];
                cause.may_restore = false;
                cause.zone.clear();
                let mut closed = std::mem::take(&mut cause.tripped);
                closed.extend(&cause.failed);
                cause.is_over = matches!(event, Event::Repair(_));
                if matches!(event, Event::Repair(_)) {
                    cause.failed.iter().for_each(|&branch| self.cut[branch as usize] -= 1);
                }
                self.unblock(flow, &closed);
                let opened = self.open_needless_ties(flow);
                let what = if matches!(event, Event::Repair(_)) { Switching::Repaired } else { Switching::Reclosed };
                self.note(flow, time_s, what, row, (opened, closed));
                // What other faults left dark may have a way now.
                for other in 0..self.causes.len() as u32 {
                    if self.causes[other as usize].may_restore && self.watch.dark_customers() > 0 {
                        self.restore(flow, time_s, other);
                    }
                }
            }
        }
    }

    fn begin(&mut self, flow: &mut PowerFlow, time_s: u32, row: u32) {
        let failed = self.causes[row as usize].failed.clone();
        let (zone, tripped) = self.zone(flow, &self.causes[row as usize]);
        failed.iter().for_each(|&branch| self.cut[branch as usize] += 1);
        self.block(flow, &failed);
        self.block(flow, &tripped);
        let mut opened = failed;
        opened.extend(&tripped);
        self.causes[row as usize].tripped = tripped;
        self.causes[row as usize].zone = zone;
        self.note(flow, time_s, Switching::Tripped, row, (opened, Vec::new()));
        let cause = &self.causes[row as usize];
        let repair_s = time_s.saturating_add(cause.repair_s);
        self.events.push(Reverse((repair_s, Event::Repair(row))));
        let isolation_s = time_s.saturating_add(self.settings.isolation_s);
        if isolation_s < repair_s && self.can_isolate(flow, cause) {
            self.events.push(Reverse((isolation_s, Event::Isolate(row))));
            let restoration_s = isolation_s.saturating_add(self.settings.restoration_s);
            if self.settings.closes_ties && restoration_s < repair_s {
                self.events.push(Reverse((restoration_s, Event::Restore(row))));
            }
        }
    }
    /// Whether there are switches around what failed: it has an end at a voltage that has.
    fn can_isolate(&self, flow: &PowerFlow, cause: &Cause) -> bool {
        let base_v = |bus: u32| flow.grid().buses.base_v[bus as usize];
        let of = &flow.grid().branches;
        match cause.element {
            Element::Bus(bus) => base_v(bus) >= self.settings.switchable_v_min,
            Element::Branch(branch) => {
                let row = branch as usize;
                base_v(of.from[row]).max(base_v(of.to[row])) >= self.settings.switchable_v_min
            }
        }
    }
    /// Whether a branch is closed but for breakers that faults have opened: what is joined by it is one zone.
    fn is_joined(&self, row: usize) -> bool {
        (self.normal[row] || self.is_tied[row]) && self.cut[row] == 0
    }
    /// Buses of the zone in which something fails, and the branches with a breaker at its border.
    fn zone(&self, flow: &PowerFlow, cause: &Cause) -> (Vec<u32>, Vec<u32>) {
        let of = &flow.grid().branches;
        let mut is_inside = vec![false; flow.grid().buses.len()];
        let (mut zone, mut border, mut open) = (Vec::new(), Vec::new(), Vec::new());
        let mut enter = |bus: u32, open: &mut Vec<u32>| {
            if !std::mem::replace(&mut is_inside[bus as usize], true) {
                open.push(bus);
            }
        };
        match cause.element {
            Element::Bus(bus) => enter(bus, &mut open),
            // Nobody notices that what is open fails.
            Element::Branch(branch) if !self.is_joined(branch as usize) => {}
            Element::Branch(branch) => {
                let row = branch as usize;
                if !self.breakers[row].at_from {
                    enter(of.from[row], &mut open);
                }
                if !self.breakers[row].at_to {
                    enter(of.to[row], &mut open);
                }
            }
        }
        while let Some(bus) = open.pop() {
            zone.push(bus);
            for &branch in self.branches_at.row(bus as usize) {
                let row = branch as usize;
                if !self.is_joined(row) || cause.element == Element::Branch(branch) {
                    continue;
                }
                let beyond = if of.from[row] == bus { of.to[row] } else { of.from[row] };
                if self.breakers[row].any() {
                    border.push(branch);
                } else {
                    enter(beyond, &mut open);
                }
            }
        }
        border.sort_unstable();
        border.dedup();
        // Branches of a bus that fails are open anyway.
        border.retain(|branch| !cause.failed.contains(branch));
        (zone, border)
    }
    /// Whether a bus has a source in whose zone a fault is not yet isolated.
    fn feeds_a_fault(&self, flow: &PowerFlow) -> bool {
        self.causes.iter().flat_map(|cause| &cause.zone).any(|&bus| flow.is_energised(bus))
    }
    /// Opens ties whose ends both have a source without them.
    fn open_needless_ties(&mut self, flow: &mut PowerFlow) -> Vec<u32> {
        let mut opened = Vec::new();
        for row in 0..self.is_tied.len() {
            if !self.is_tied[row] {
                continue;
            }
            self.tie(flow, row as u32, false);
            flow.update();
            let (from, to) = (flow.grid().branches.from[row], flow.grid().branches.to[row]);
            if flow.is_energised(from) && flow.is_energised(to) {
                opened.push(row as u32);
            } else {
                self.tie(flow, row as u32, true);
            }
        }
        opened
    }

    fn block(&mut self, flow: &mut PowerFlow, branches: &[u32]) {
        branches.iter().for_each(|&branch| self.blocked[branch as usize] += 1);
        self.put(flow, branches);
    }
    fn unblock(&mut self, flow: &mut PowerFlow, branches: &[u32]) {
        branches.iter().for_each(|&branch| self.blocked[branch as usize] -= 1);
        self.put(flow, branches);
    }
    fn tie(&mut self, flow: &mut PowerFlow, branch: u32, is_tied: bool) {
        self.is_tied[branch as usize] = is_tied;
        self.put(flow, &[branch]);
    }
    /// Puts switches where reasons want them.
    fn put(&self, flow: &mut PowerFlow, branches: &[u32]) {
        for &branch in branches {
            let row = branch as usize;
            let is_closed = (self.normal[row] || self.is_tied[row]) && self.blocked[row] == 0;
            flow.set_branch_in_service(branch, is_closed);
        }
    }
    /// Looks at who has a source now, and writes the log.
    fn note(
        &mut self,
        flow: &mut PowerFlow,
        time_s: u32,
        what: Switching,
        cause: u32,
        (opened, closed): (Vec<u32>, Vec<u32>),
    ) {
        flow.update();
        self.watch.look(time_s, cause, |bus| flow.is_energised(bus));
        let dark_customers = self.watch.dark_customers();
        self.log.push(LogEntry { time_s, what, cause, opened, closed, dark_customers });
    }
}

/// What refers to no row, and columns that are too short or too long.
fn check_rows(flow: &PowerFlow, breakers: &[Breakers], customers: &[u32], faults: &[Fault]) -> Result<()> {
    let (branches, buses) = (flow.grid().branches.len(), flow.grid().buses.len());
    let mut problems = Problems::new();
    let place = Path::new("operation");
    for (what, found, wanted) in [("breakers", breakers.len(), branches), ("customers", customers.len(), buses)] {
        if found != wanted {
            problems.push(Problem::file(place, format!("{found} rows of {what}, expected {wanted}")));
        }
    }
    for (row, fault) in faults.iter().enumerate() {
        let (what, found, rows) = match fault.element {
            Element::Branch(branch) => ("branch", branch, branches),
            Element::Bus(bus) => ("bus", bus, buses),
        };
        if found as usize >= rows {
            problems.push(Problem::value(place, row + 1, Some(&fault.name), what, found, format!("below {rows}")));
        }
    }
    problems.or_else(())
}

/// Faults as a scenario names them.
///
/// # Errors
/// [`urbis_core::Error::Input`] with every name of no branch or bus.
pub fn named_faults(
    settings: &[FaultSettings],
    branch_of: impl Fn(&str) -> Option<u32>,
    bus_of: impl Fn(&str) -> Option<u32>,
) -> Result<Vec<Fault>> {
    let place = Path::new("power.grid.fault");
    let mut problems = Problems::new();
    let mut faults = Vec::new();
    for (row, of) in settings.iter().enumerate() {
        let mut is_wrong = |field: &str, value: &str, expected: &str| {
            problems.push(Problem::value(place, row + 1, None, field, value, expected));
        };
        let found = match (&of.branch, &of.bus) {
            (Some(id), None) => branch_of(id).map(Element::Branch).map_or_else(
                || {
                    is_wrong("branch", id, "a branch_id of table branch_state");
                    None
                },
                |element| Some((element, format!("fault of branch {id}"))),
            ),
            (None, Some(id)) => bus_of(id).map(Element::Bus).map_or_else(
                || {
                    is_wrong("bus", id, "a bus_id of table bus_state");
                    None
                },
                |element| Some((element, format!("fault of bus {id}"))),
            ),
            _ => {
                is_wrong("branch, bus", "both or neither", "one of them");
                None
            }
        };
        if of.repair_s == 0 {
            is_wrong("repair_s", "0", "> 0");
        }
        if let Some((element, name)) = found {
            faults.push(Fault { start_s: of.start_s, element, repair_s: of.repair_s, name });
        }
    }
    problems.or_else(faults)
}
