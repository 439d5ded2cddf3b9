//! Traffic lights of a run: plans of the network's files, or controllers at its signals.
//!
//! Capacities of a GMNS network that are not given are cut to a green share where a link ends at signals.
//! Links that get a light run at saturation flow instead, otherwise they would be cut twice.
//!
//! Contract: lights decide between steps, junction by junction; nothing depends on threads.

use super::{SignalsFrom, TrafficRunOptions};
use urbis_core::{CarLinkIx, Result, Tick};
use urbis_interop::read_gmns::ReadOptions;
use urbis_interop::read_network::{self, NetworkFile};
use urbis_interop::signals::{self, FileSignals};
use urbis_traffic::lane_groups::LaneGroups;
use urbis_traffic::signals::{Control, Controller, SignalPlan};
use urbis_traffic::time::{TICK, Time};
use urbis_traffic::{CarNetwork, Engine, SignalControl, SignalSettings, Signals};

/// What the files say about lights, before there is an engine.
#[derive(Debug, Default)]
pub(super) struct Plans {
    files: FileSignals,
    at_signals: Vec<bool>,
}

impl Plans {
    /// Links that end at a light of the files.
    pub(super) fn links(&self) -> impl Iterator<Item = CarLinkIx> + '_ {
        self.files.junctions.iter().flat_map(|junction| &junction.controls).map(|control| control.link)
    }
    /// Gives links other numbers.
    pub(super) fn renumber(&mut self, of: impl Fn(CarLinkIx) -> CarLinkIx) {
        for control in self.files.junctions.iter_mut().flat_map(|junction| &mut junction.controls) {
            control.link = of(control.link);
        }
        for turn in &mut self.files.turns {
            turn.link = of(turn.link);
            if turn.out != CarLinkIx::NONE {
                turn.out = of(turn.out);
            }
        }
    }
    /// Lights of a link become those of its lane groups, each green while any of its own turns is.
    pub(super) fn split(&mut self, groups: &LaneGroups, nodes: usize) -> Result<()> {
        if !self.at_signals.is_empty() {
            self.at_signals.resize(nodes, false);
        }
        let turns = &self.files.turns;
        for junction in &mut self.files.junctions {
            let (mut controls, mut windows) = (Vec::new(), Vec::new());
            let mut add = |link: CarLinkIx, green: Vec<(Time, Time)>| {
                controls.push(Control { group: controls.len() as u32, link, out: Vec::new() });
                windows.push(green);
            };
            for control in &junction.controls {
                let of_link = junction.plan.windows(control.group);
                let ends = groups.groups_of(control.link);
                if ends.is_empty() {
                    add(control.link, of_link.to_vec());
                }
                for &end in ends {
                    let leads = |out: CarLinkIx| out == CarLinkIx::NONE || groups.turns_of(end).contains(&out);
                    let own = turns.iter().filter(|turn| turn.link == control.link && leads(turn.out));
                    let green: Vec<_> = own.flat_map(|turn| turn.windows.iter().copied()).collect();
                    add(end, if green.is_empty() { of_link.to_vec() } else { green });
                }
            }
            junction.stages = (0..controls.len() as u32).map(|group| vec![group]).collect();
            junction.lost = vec![0; controls.len()];
            junction.plan = SignalPlan::from_windows(junction.plan.cycle(), junction.plan.offset(), windows, &[])?;
            junction.controls = controls;
        }
        Ok(())
    }
}

/// Finds what the lights of a run follow and gives the links that obey them their saturation flow.
pub(super) fn plans(options: &TrafficRunOptions, reading: &ReadOptions, read: &mut NetworkFile) -> Result<Plans> {
    let files = match (options.signals, &read.sumo) {
        (SignalsFrom::Plans, Some(sumo)) => Some(signals::of_sumo(sumo)?),
        (SignalsFrom::Plans, None) if options.network.is_dir() => signals::of_gmns(&options.network, &read.network)?,
        _ => None,
    };
    let is_generated = !matches!(options.signals, SignalsFrom::None | SignalsFrom::Plans);
    let at_signals = if is_generated { read.network.at_signals.clone() } else { Vec::new() };
    let obeying = files.iter().flat_map(|files| &files.junctions).flat_map(|junction| &junction.controls);
    let mut links: Vec<usize> = obeying.map(|control| control.link.row()).collect();
    let at_signal = |&link: &usize| at_signals.get(read.network.columns.to[link] as usize) == Some(&true);
    links.extend((0..read.network.link_id.len()).filter(at_signal));
    if !links.is_empty() && options.network.is_dir() {
        let mut uncut = reading.clone();
        uncut.rules.green_share = 1.0;
        let uncut = read_network::read(&options.network, &uncut)?.network.columns;
        for link in links {
            read.network.columns.capacity_vps[link] = uncut.capacity_vps[link];
            read.network.columns.priority[link] = uncut.priority[link];
        }
    }
    Ok(Plans { files: files.unwrap_or_default(), at_signals })
}

/// An approach in an interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct ApproachRow {
    pub(super) start: Tick,
    pub(super) end: Tick,
    pub(super) node: u32,
    pub(super) link: u32,
    pub(super) green_s: f64,
    pub(super) left: u32,
    pub(super) queue: u32,
}

/// The lights of a run.
pub(super) struct Lights {
    signals: Signals,
    /// Whether any of them decides by what it sees; plans need no work.
    pub(super) decides: bool,
    pub(super) notes: Vec<String>,
    before: Vec<(f64, u32)>,
    before_tick: Tick,
}

impl Lights {
    pub(super) fn new(
        options: &TrafficRunOptions,
        plans: Plans,
        network: &CarNetwork,
        engine: &mut Engine,
    ) -> Result<Self> {
        let control = match options.signals {
            SignalsFrom::None | SignalsFrom::Plans => None,
            SignalsFrom::Fixed => Some(SignalControl::Fixed),
            SignalsFrom::Actuated => Some(SignalControl::Actuated),
            SignalsFrom::MaxPressure => Some(SignalControl::MaxPressure),
        };
        let mut notes = plans.files.notes;
        let signals = match control {
            Some(control) if plans.at_signals.contains(&true) => {
                let settings = SignalSettings { control, ..SignalSettings::default() };
                Signals::install(engine, network, &plans.at_signals, &settings, 0)?
            }
            _ => {
                let mut signals = Signals::default();
                for junction in plans.files.junctions {
                    let plan = junction.plan.clone();
                    signals.add(engine, junction, Controller::Plan(plan));
                }
                signals
            }
        };
        if control.is_some() && signals.is_empty() {
            notes.push("the network names no node with signals: there are no lights".to_owned());
        }
        let decides = !matches!(control, None | Some(SignalControl::Fixed)) && !signals.is_empty();
        Ok(Self { signals, decides, notes, before: Vec::new(), before_tick: 0 })
    }

    pub(super) fn junctions(&self) -> u64 {
        self.signals.len() as u64
    }

    pub(super) fn decide(&mut self, engine: &mut Engine) {
        if self.decides {
            self.signals.decide(engine);
        }
    }

    /// What every approach did since the last call.
    pub(super) fn take_interval(&mut self, engine: &Engine, rows: &mut Vec<ApproachRow>) {
        let (start, end) = (self.before_tick, engine.tick());
        let now: Vec<_> = self.signals.approaches(end * TICK).collect();
        self.before.resize(now.len(), (0.0, 0));
        for (approach, before) in now.iter().zip(&mut self.before) {
            let left = engine.passed(approach.link).1;
            rows.push(ApproachRow {
                start,
                end,
                node: approach.node,
                link: approach.link.0,
                green_s: (approach.green_s - before.0).max(0.0),
                left: left.wrapping_sub(before.1),
                queue: engine.queued(approach.link),
            });
            *before = (approach.green_s, left);
        }
        self.before_tick = end;
    }
}
