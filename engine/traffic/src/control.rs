//! Signals in the step loop: junctions with their controllers, joined to the exits of the engine.
//!
//! Plans need no work at all: exits compute their next green. A controller that decides is asked when it
//! wants to be, or when somebody reaches a light that is red with no green decided; in between it sleeps.
//! A junction without power is dark: its lights bind nobody, and each approach passes what an all-way stop
//! passes (see [`crate::signals`]).
//!
//! Contract: works between steps, junction by junction in order; nothing depends on threads.

use crate::engine::{Engine, SignalIx};
use crate::network::CarNetwork;
use crate::signals::dark::{DarkApproach, capacities_vps};
use crate::signals::junction::{MaxPressureSettings, junctions, max_pressure};
use crate::signals::{Controller, Junction, JunctionSettings, JunctionsReport, TimingSettings, View, Window};
use crate::time::{NEVER, TICK, Time};
use bevy_ecs::resource::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use urbis_core::{CarLinkIx, Result};

/// How signals are controlled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalControl {
    /// No cycles: a link that ends at signals has the share of its capacity that is green.
    #[default]
    GreenShare,
    /// Cycles and greens by Webster's method, from the capacities of the approaches.
    Fixed,
    /// Greens that last while vehicles come.
    Actuated,
    /// Greens for the largest pressure (Varaiya 2013).
    MaxPressure,
}

urbis_core::named!(SignalControl {
    GreenShare = "green_share",
    Fixed = "fixed",
    Actuated = "actuated",
    MaxPressure = "max_pressure",
});

/// Settings of signals in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignalSettings {
    /// How signals are controlled: `green_share`, `fixed`, `actuated` or `max_pressure`.
    pub control: SignalControl,
    /// Lost time of a stage, seconds.
    pub lost_s: f64,
    /// Least green, seconds.
    pub green_s_min: f64,
    /// Longest green of actuated control while others wait, seconds.
    pub green_s_max: f64,
    /// Pause between arrivals that ends a green of actuated control, seconds.
    pub gap_s: f64,
    /// Shortest cycle of plans, seconds.
    pub cycle_s_min: f64,
    /// Longest cycle of plans, seconds.
    pub cycle_s_max: f64,
    /// How often max-pressure control decides, seconds.
    pub pressure_step_s: f64,
    /// Policies that control some otherwise, by node of the city; not written here, but in `[[policy]]`. The first counts.
    #[serde(skip)]
    pub at: Vec<(SignalControl, Vec<bool>)>,
}

impl SignalSettings {
    /// How signals at a node of the city are controlled.
    #[must_use]
    pub fn control_at(&self, node: usize) -> SignalControl {
        let holds = |at: &&(SignalControl, Vec<bool>)| at.1.get(node).copied().unwrap_or(false);
        self.at.iter().find(holds).map_or(self.control, |at| at.0)
    }
}

impl Default for SignalSettings {
    fn default() -> Self {
        let TimingSettings { lost_s, green_s_min, cycle_s_min, cycle_s_max } = TimingSettings::default();
        Self {
            control: SignalControl::default(),
            lost_s,
            green_s_min,
            green_s_max: 45.0,
            gap_s: 3.0,
            cycle_s_min,
            cycle_s_max,
            pressure_step_s: 5.0,
            at: Vec::new(),
        }
    }
}

/// A junction in control.
#[derive(Debug)]
struct Unit {
    junction: Junction,
    controller: Controller,
    /// The engine's signal of each group.
    signals: Vec<SignalIx>,
    wake: Time,
    is_dark: bool,
    /// Green of each group that ended or was revised so far, and the window it is in.
    green_before: Vec<u64>,
    window: Vec<Window>,
    changes: u32,
}

/// All junctions with signals.
#[derive(Debug, Default, Resource)]
pub struct Signals {
    units: Vec<Unit>,
    /// Junction and group of each signal of the engine.
    groups: Vec<(u32, u32)>,
    next_wake: Time,
    /// What became of the signals of the city.
    pub report: JunctionsReport,
}

/// What an approach of a junction did up to a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApproachState {
    /// Lowest node of the junction.
    pub node: u32,
    /// The approach.
    pub link: CarLinkIx,
    /// Green so far, seconds.
    pub green_s: f64,
    /// Times that other groups became green so far.
    pub changes: u32,
    /// Without power.
    pub is_dark: bool,
}

impl Signals {
    /// Puts signals at the nodes marked. Capacities of the network are saturation flows.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] for settings out of range.
    pub fn install(
        engine: &mut Engine,
        network: &CarNetwork,
        is_signal: &[bool],
        settings: &SignalSettings,
        seed: u64,
    ) -> Result<Self> {
        Self::install_by(engine, network, is_signal, settings, &|_| settings.control, seed)
    }

    /// The same, with the control of each node of the network; a junction goes by its lowest node.
    ///
    /// # Errors
    /// As [`Signals::install`].
    pub fn install_by(
        engine: &mut Engine,
        network: &CarNetwork,
        is_signal: &[bool],
        settings: &SignalSettings,
        control_of: &dyn Fn(u32) -> SignalControl,
        seed: u64,
    ) -> Result<Self> {
        let SignalSettings { lost_s, green_s_min, cycle_s_min, cycle_s_max, .. } = *settings;
        let timing = TimingSettings { lost_s, green_s_min, cycle_s_min, cycle_s_max };
        let junction_settings = JunctionSettings { timing, seed, ..JunctionSettings::default() };
        let saturation_vps = &network.capacity_vps;
        let (junctions, report) = junctions(network, is_signal, saturation_vps, None, &junction_settings)?;
        let mut signals = Self { report, next_wake: 0, ..Self::default() };
        let out_degree = out_degrees(network);
        let share = |_, out: CarLinkIx| 1.0 / f64::from(out_degree[network.from[out.row()] as usize].max(1));
        let of = |junction: &Junction| control_of(junction.nodes[0]);
        let mut pressures = match junctions.iter().any(|junction| of(junction) == SignalControl::MaxPressure) {
            true => {
                let pressure =
                    MaxPressureSettings { green_s_min, step_s: settings.pressure_step_s, ..Default::default() };
                max_pressure(&junctions, network, saturation_vps, &share, &pressure)?
            }
            false => Vec::new(),
        }
        .into_iter();
        for junction in junctions {
            let controller = match (of(&junction), pressures.next()) {
                (SignalControl::Actuated, _) => {
                    Controller::Actuated(junction.actuated(&timing, settings.green_s_max, settings.gap_s)?)
                }
                (SignalControl::MaxPressure, Some(pressure)) => Controller::MaxPressure(pressure),
                _ => Controller::Plan(junction.plan.clone()),
            };
            signals.add(engine, junction, controller);
        }
        Ok(signals)
    }

    /// Adds a junction with its controller, and makes its approaches obey.
    pub fn add(&mut self, engine: &mut Engine, junction: Junction, controller: Controller) {
        let unit = self.units.len() as u32;
        let groups = controller.groups();
        let signals: Vec<SignalIx> = (0..groups)
            .map(|group| {
                self.groups.push((unit, group));
                match &controller {
                    Controller::Plan(plan) => engine.add_planned_signal(plan, group),
                    _ => engine.add_controlled_signal(),
                }
            })
            .collect();
        for control in &junction.controls {
            engine.set_signal(control.link, Some(signals[control.group as usize]));
        }
        let count = groups as usize;
        let wake = if matches!(controller, Controller::Plan(_)) { NEVER } else { 0 };
        self.units.push(Unit {
            junction,
            controller,
            signals,
            wake,
            is_dark: false,
            green_before: vec![0; count],
            window: vec![Window::NONE; count],
            changes: 0,
        });
        self.next_wake = self.next_wake.min(wake);
    }

    /// Number of junctions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.units.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }
    /// A junction by its row.
    #[must_use]
    pub fn junction(&self, unit: usize) -> &Junction {
        &self.units[unit].junction
    }

    /// Lets the controllers decide whose time has come.
    pub fn decide(&mut self, engine: &mut Engine) {
        let now = engine.tick() * TICK;
        for signal in engine.take_signal_calls() {
            let (unit, _) = self.groups[signal.row()];
            self.units[unit as usize].wake = self.units[unit as usize].wake.min(now);
            self.next_wake = self.next_wake.min(now);
        }
        if self.next_wake > now {
            return;
        }
        self.next_wake = NEVER;
        for unit in &mut self.units {
            if unit.wake <= now && !unit.is_dark {
                unit.decide(engine, now);
            }
            self.next_wake = self.next_wake.min(if unit.is_dark { NEVER } else { unit.wake });
        }
    }

    /// Switches the lights of a junction off (the approaches become an all-way stop) or on again.
    pub fn set_dark(&mut self, engine: &mut Engine, network: &CarNetwork, unit: usize, is_dark: bool) {
        let unit = &mut self.units[unit];
        if unit.is_dark == is_dark {
            return;
        }
        unit.is_dark = is_dark;
        let capacities = dark_capacities(network, &unit.junction);
        for (control, dark_vps) in unit.junction.controls.iter().zip(capacities) {
            let own = network.capacity_vps[control.link.row()];
            engine.set_exit_capacity(control.link, Some(if is_dark { dark_vps.min(own) } else { own }));
            engine.set_signal(control.link, (!is_dark).then(|| unit.signals[control.group as usize]));
        }
        if !is_dark && !matches!(unit.controller, Controller::Plan(_)) {
            unit.wake = engine.tick() * TICK;
            self.next_wake = self.next_wake.min(unit.wake);
        }
    }

    /// What every approach did until `now`, junction by junction.
    pub fn approaches(&self, now: Time) -> impl Iterator<Item = ApproachState> + '_ {
        self.units.iter().flat_map(move |unit| {
            unit.junction.controls.iter().map(move |control| ApproachState {
                node: unit.junction.nodes[0],
                link: control.link,
                green_s: unit.green_until(control.group, now),
                changes: unit.changes,
                is_dark: unit.is_dark,
            })
        })
    }
}

impl Unit {
    fn decide(&mut self, engine: &mut Engine, now: Time) {
        let Self { junction, controller, .. } = self;
        let links = |group: u32| junction.controls.iter().filter(move |c| c.group == group).map(|c| c.link);
        let waiting = |group: u32| links(group).map(|link| engine.queued(link)).sum::<u32>();
        let last_arrival = |group: u32| {
            if waiting(group) > 0 { Some(now) } else { links(group).filter_map(|link| engine.last_exit(link)).max() }
        };
        let bound = |from: CarLinkIx, to: CarLinkIx| f64::from(engine.bound_for(from, to));
        let decision = controller.decide(now, &View { waiting: &waiting, last_arrival: &last_arrival, bound: &bound });
        self.wake = decision.wake;
        self.changes += u32::from(decision.changed);
        for group in 0..self.signals.len() {
            let window = self.controller.next_green(group as u32, now);
            let known = self.window[group];
            let same = known == window || (known.contains(now) && window.contains(now) && known.until == window.until);
            if same {
                continue;
            }
            self.green_before[group] += u64::from(known.until.min(now).saturating_sub(known.from));
            self.window[group] = window;
            let obeying: Vec<CarLinkIx> =
                self.junction.controls.iter().filter(|c| c.group == group as u32).map(|c| c.link).collect();
            engine.set_green(self.signals[group], window.from, window.until, &obeying);
        }
    }
    fn green_until(&self, group: u32, now: Time) -> f64 {
        let tick = f64::from(TICK);
        if let Controller::Plan(plan) = &self.controller {
            return plan.green_share(group) * f64::from(now) / tick;
        }
        let window = self.window[group as usize];
        (self.green_before[group as usize] + u64::from(window.until.min(now).saturating_sub(window.from))) as f64 / tick
    }
}

fn out_degrees(network: &CarNetwork) -> Vec<u32> {
    let mut degrees = vec![0; network.nodes()];
    for &from in &network.from {
        degrees[from as usize] += 1;
    }
    degrees
}

/// What each approach passes without lights: those of its own stage face it, all others cross its way.
fn dark_capacities(network: &CarNetwork, junction: &Junction) -> Vec<f64> {
    /// Saturation flow of a lane by which lanes are guessed, vehicles/s.
    const LANE_VPS: f64 = 0.5;
    let stage = |group: u32| junction.stages.iter().position(|groups| groups.contains(&group));
    let approaches: Vec<DarkApproach> = junction
        .controls
        .iter()
        .enumerate()
        .map(|(row, control)| {
            let others = || junction.controls.iter().enumerate().filter(move |&(other, _)| other != row);
            let (opposite, crossing): (Vec<_>, Vec<_>) =
                others().partition(|(_, c)| stage(c.group) == stage(control.group));
            let lanes = (network.capacity_vps[control.link.row()] / LANE_VPS).round().max(1.0);
            let rows = |side: Vec<(usize, _)>| side.into_iter().map(|(other, _)| other).collect();
            DarkApproach { lanes, opposite: rows(opposite), crossing: rows(crossing) }
        })
        .collect();
    capacities_vps(&approaches, None)
}
