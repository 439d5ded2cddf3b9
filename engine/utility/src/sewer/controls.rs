//! Rules that set pumps, orifices, weirs, outlets and conduits: IF premises THEN actions ELSE actions, with priorities.
//!
//! Source: Reference Manual Vol. II, chapter 7, and the user's manual, appendix D. Premises compare depth, head, inflow,
//! volume of a node, flow, depth, setting of a link, or times with a number. Where rules disagree the greater priority
//! counts, then the first. Ignored: settings by curves, series and controllers.

use super::network::{NodeKind, Sewer};
use super::state::State;
use super::time::{DAY_S, Moment};

/// What a premise looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Depth of a node, m.
    NodeDepth(u32),
    /// Head at a node, m.
    NodeHead(u32),
    /// Inflow of a node, m3/s.
    NodeInflow(u32),
    /// Volume of a node, m3.
    NodeVolume(u32),
    /// Flow in a link in the file's direction, m3/s.
    LinkFlow(u32),
    /// Depth in a link, m.
    LinkDepth(u32),
    /// Setting of a link; whether a pump or conduit is on or open.
    LinkSetting(u32),
    /// Time since the start, s.
    Elapsed,
    /// Time of day, s.
    Clock,
    /// Days since 1970-01-01.
    Date,
    /// Month from 1.
    Month,
    /// Day of the week, Sunday is 1.
    Weekday,
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// =
    Equal,
    /// <>
    NotEqual,
    /// <
    Less,
    /// <=
    LessOrEqual,
    /// >
    Greater,
    /// >=
    GreaterOrEqual,
}

/// A premise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Premise {
    /// Whether it begins an alternative; otherwise it holds besides the one before.
    pub is_or: bool,
    /// Left side.
    pub quantity: Quantity,
    /// Comparison.
    pub relation: Relation,
    /// Right side, in SI units.
    pub value: f64,
}

/// An action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Action {
    /// Link.
    pub link: u32,
    /// Setting; 0 is off or closed.
    pub setting: f64,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Name in the file.
    pub id: String,
    /// When.
    pub premises: Vec<Premise>,
    /// What then.
    pub then: Vec<Action>,
    /// What else.
    pub otherwise: Vec<Action>,
    /// The greater counts.
    pub priority: f64,
}

/// Moment of a look at the rules.
pub(crate) struct Look {
    pub(crate) elapsed_s: f64,
    pub(crate) moment: Moment,
    pub(crate) step_s: f64,
}

impl Premise {
    fn holds(&self, sewer: &Sewer, state: &State, look: &Look) -> bool {
        let node = |row: u32| row as usize;
        let is_time = matches!(self.quantity, Quantity::Elapsed | Quantity::Clock);
        let left = match self.quantity {
            Quantity::NodeDepth(row) => state.nodes.depth_m[node(row)],
            Quantity::NodeHead(row) => state.nodes.depth_m[node(row)] + sewer.nodes.invert_m[node(row)],
            Quantity::NodeInflow(row) => state.nodes.inflow_m3ps[node(row)],
            Quantity::NodeVolume(row) => state.nodes.volume_m3[node(row)],
            Quantity::LinkFlow(row) => {
                let sign = if sewer.links.is_reversed[node(row)] { -1.0 } else { 1.0 };
                sign * state.links.flow_m3ps[node(row)]
            }
            Quantity::LinkDepth(row) => state.links.depth_m[node(row)],
            Quantity::LinkSetting(row) => state.links.setting[node(row)],
            Quantity::Elapsed => look.elapsed_s,
            Quantity::Clock => look.moment.of_day_s,
            Quantity::Date => look.moment.day_number as f64,
            Quantity::Month => (look.moment.month + 1) as f64,
            Quantity::Weekday => (look.moment.weekday + 1) as f64,
        };
        // A time is met by the step around it.
        let reach = if is_time { 0.5 * look.step_s } else { 0.0 };
        let is_equal = if is_time {
            left >= self.value - reach && left < self.value + reach
        } else {
            (left - self.value).abs() <= 0.0
        };
        match self.relation {
            Relation::Equal => is_equal,
            Relation::NotEqual => !is_equal,
            Relation::Less => left < self.value,
            Relation::LessOrEqual => left <= self.value,
            Relation::Greater => left > self.value,
            Relation::GreaterOrEqual => left >= self.value,
        }
    }
}

impl Rule {
    fn holds(&self, sewer: &Sewer, state: &State, look: &Look) -> bool {
        let mut holds = true;
        for (row, premise) in self.premises.iter().enumerate() {
            if premise.is_or && row > 0 {
                if holds {
                    return true;
                }
                holds = premise.holds(sewer, state, look);
            } else {
                holds = holds && premise.holds(sewer, state, look);
            }
        }
        holds
    }
}

/// Sets what the rules that hold ask for. `chosen` has a priority for each link and is room to work in.
pub(crate) fn evaluate(sewer: &Sewer, state: &mut State, look: &Look, chosen: &mut [f64]) {
    chosen.fill(f64::NEG_INFINITY);
    for rule in &sewer.rules {
        let actions = if rule.holds(sewer, state, look) { &rule.then } else { &rule.otherwise };
        for action in actions {
            let link = action.link as usize;
            if rule.priority > chosen[link] {
                chosen[link] = rule.priority;
                state.links.target[link] = action.setting;
            }
        }
    }
}

/// A look at a moment of a simulation.
pub(crate) fn look_at(sewer: &Sewer, at_ms: f64, step_s: f64) -> Look {
    let elapsed_s = (at_ms + 1.0) / 1000.0;
    let moment = Moment::after(sewer.options.start_day, sewer.options.start_of_day_s + elapsed_s);
    debug_assert!(moment.of_day_s < DAY_S);
    Look { elapsed_s, moment, step_s }
}

/// Whether a node has a volume that a rule can look at.
pub(crate) fn has_volume(sewer: &Sewer, node: u32) -> bool {
    matches!(sewer.nodes.kind[node as usize], NodeKind::Storage(_))
}
