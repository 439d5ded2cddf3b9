//! Rules: `[RULES]`.
//!
//! `RULE id`, `IF premise`, `AND premise`, `OR premise`, `THEN action`, `AND action`, `ELSE action`, `PRIORITY number`. What
//! is wrong with a line is a problem, and the rest of its rule is still looked at.

use super::reader::Reader;
use super::text::{self, Line, begins, hours, seconds, which};
use crate::water::network::{Action, LinkKind, LinkStatus, NodeKind, Premise, Relation, Rule, Subject};

/// Where in a rule the next line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Clause {
    #[default]
    None,
    Rule,
    If,
    Then,
    Else,
    Priority,
}

/// What a premise looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    Demand,
    Head,
    Level,
    Pressure,
    Flow,
    Status,
    Setting,
    Time,
    ClockTime,
    FillTime,
    DrainTime,
}

const VARIABLES: [(&str, Variable); 12] = [
    ("DEMAND", Variable::Demand),
    ("HEAD", Variable::Head),
    ("GRADE", Variable::Head),
    ("LEVEL", Variable::Level),
    ("PRESSURE", Variable::Pressure),
    ("FLOW", Variable::Flow),
    ("STATUS", Variable::Status),
    ("SETTING", Variable::Setting),
    ("TIME", Variable::Time),
    ("CLOCKTIME", Variable::ClockTime),
    ("FILLTIME", Variable::FillTime),
    ("DRAINTIME", Variable::DrainTime),
];
/// Two signs before one, as a word that begins with two begins with one.
const RELATIONS: [(&str, Relation); 10] = [
    ("=", Relation::Equal),
    ("<>", Relation::NotEqual),
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("IS", Relation::Equal),
    ("NOT", Relation::NotEqual),
    ("BELOW", Relation::Below),
    ("ABOVE", Relation::Above),
];
const STATUSES: [(&str, LinkStatus); 3] =
    [("OPEN", LinkStatus::Open), ("CLOSED", LinkStatus::Closed), ("ACTIVE", LinkStatus::Active)];

impl<'a> Reader<'a> {
    /// A line of a rule; `at` is where the last one left off.
    pub(super) fn rule_line(&mut self, line: &Line<'a>, at: &mut Clause, disabled: &mut Vec<usize>) {
        let keys =
            [("RULE", 0), ("IF", 1), ("AND", 2), ("OR", 3), ("THEN", 4), ("ELSE", 5), ("PRIO", 6), ("DISABLED", 7)];
        match (which(line.word(0), &keys), *at) {
            (Some(0), _) => {
                if line.len() != 2 {
                    self.short(line, "RULE and its id");
                }
                self.network.rules.push(Rule { id: line.word(1).to_owned(), ..Rule::default() });
                *at = Clause::Rule;
            }
            (Some(1), Clause::Rule) => {
                *at = Clause::If;
                self.premise(line, false);
            }
            (Some(2), Clause::If) => self.premise(line, false),
            (Some(3), Clause::If) => self.premise(line, true),
            (Some(2), Clause::Then | Clause::Else) => self.action(line, *at),
            (Some(4), Clause::If) => {
                *at = Clause::Then;
                self.action(line, *at);
            }
            (Some(5), Clause::Then) => {
                *at = Clause::Else;
                self.action(line, *at);
            }
            (Some(6), Clause::Then | Clause::Else) => {
                *at = Clause::Priority;
                if let (Some(priority), Some(rule)) = (self.number(line, 1, "PRIORITY"), self.network.rules.last_mut())
                {
                    rule.priority = priority;
                }
            }
            (Some(7), Clause::Then | Clause::Else | Clause::Priority) => {
                self.notes.push(format!("line {}: a rule that is DISABLED is left out", line.number));
                disabled.push(self.network.rules.len() - 1);
            }
            (Some(_), _) => self.rule_problem(line, "is not where it can stand in a rule"),
            (None, _) => self.rule_problem(line, "begins no line of a rule"),
        }
    }

    fn rule_problem(&mut self, line: &Line<'a>, what: impl std::fmt::Display) {
        let id = self.network.rules.last().map(|rule| rule.id.clone()).unwrap_or_default();
        self.problem(line, format_args!("(rule {id}) {}: {what}", line.words.join(" ")));
    }

    /// `IF SYSTEM variable relation value`, `IF kind id variable relation value`; times with a unit.
    fn premise(&mut self, line: &Line<'a>, is_or: bool) {
        match self.subject(line) {
            Ok((subject, relation)) => {
                if let Some(rule) = self.network.rules.last_mut() {
                    rule.premises.push(Premise { is_or, subject, relation });
                }
            }
            Err(what) => self.rule_problem(line, what),
        }
    }

    fn subject(&self, line: &Line<'a>) -> Result<(Subject, Relation), String> {
        let is_system = begins(line.word(1), "SYSTEM");
        let at = if is_system { 2 } else { 3 };
        if line.len() < at + 3 || line.len() > 6 {
            return Err("expected such as IF TANK 23 LEVEL ABOVE 20, or IF SYSTEM CLOCKTIME >= 8 AM".to_owned());
        }
        let variable = which(line.word(at), &VARIABLES).ok_or("expected a variable such as LEVEL")?;
        let relation =
            which(line.word(at + 1), &RELATIONS).ok_or("expected =, <>, <=, >=, <, >, IS, NOT, BELOW or ABOVE")?;
        let value = text::number(line.last());
        let number = || value.ok_or_else(|| format!("{}, expected a number", line.last()));
        let units = self.units;
        if matches!(variable, Variable::Time | Variable::ClockTime) && is_system {
            let unit = if line.len() == 6 { line.word(5) } else { "" };
            let time_s =
                hours(line.word(4), unit).and_then(seconds).ok_or("expected a time such as 5, 1:30 or 8 AM")?;
            let subject = if variable == Variable::Time { Subject::Time(time_s) } else { Subject::ClockTime(time_s) };
            return Ok((subject, relation));
        }
        if is_system {
            return match variable {
                Variable::Demand => Ok((Subject::SystemDemand(number()? * units.flow_m3ps), relation)),
                _ => Err("expected DEMAND, TIME or CLOCKTIME of SYSTEM".to_owned()),
            };
        }
        let id = line.word(2);
        let subject = if Self::is_node_word(line.word(1)) {
            let node = *self.nodes.get(id).ok_or_else(|| format!("{id}, expected the id of a node"))?;
            let is_tank = self.network.nodes.kind.get(node as usize) != Some(&NodeKind::Junction);
            match variable {
                Variable::Demand => Subject::NodeDemand(node, number()? * units.flow_m3ps),
                Variable::Head => Subject::NodeHead(node, number()? * units.length_m),
                Variable::Level => Subject::NodePressure(node, number()? * units.length_m),
                Variable::Pressure => Subject::NodePressure(node, number()? * units.pressure_m),
                Variable::FillTime if is_tank => Subject::FillTime(node, number()? * 3600.0),
                Variable::DrainTime if is_tank => Subject::DrainTime(node, number()? * 3600.0),
                _ => return Err("expected DEMAND, HEAD, LEVEL or PRESSURE; FILLTIME or DRAINTIME of a tank".to_owned()),
            }
        } else if Self::is_link_word(line.word(1)) {
            let link = *self.links.get(id).ok_or_else(|| format!("{id}, expected the id of a link"))?;
            match (variable, which(line.last(), &STATUSES)) {
                (Variable::Status | Variable::Setting, Some(status)) => Subject::LinkStatus(link, status),
                (Variable::Setting, None) => Subject::LinkSetting(link, self.setting_si(link, number()?)),
                (Variable::Flow, None) => Subject::LinkFlow(link, number()? * units.flow_m3ps),
                _ => {
                    return Err(
                        "expected FLOW or SETTING with a number, or STATUS with OPEN, CLOSED or ACTIVE".to_owned()
                    );
                }
            }
        } else {
            return Err(format!("{}, expected SYSTEM, NODE or LINK, or a kind of them", line.word(1)));
        };
        Ok((subject, relation))
    }

    /// `THEN kind id STATUS IS status`, `THEN kind id SETTING IS number`.
    fn action(&mut self, line: &Line<'a>, at: Clause) {
        match self.action_of(line) {
            Ok(action) => {
                if let Some(rule) = self.network.rules.last_mut() {
                    if at == Clause::Then { rule.then.push(action) } else { rule.otherwise.push(action) }
                }
            }
            Err(what) => self.rule_problem(line, what),
        }
    }

    fn action_of(&self, line: &Line<'a>) -> Result<Action, String> {
        if line.len() != 6 || !Self::is_link_word(line.word(1)) {
            return Err("expected such as THEN PUMP 12 STATUS IS OPEN".to_owned());
        }
        let id = line.word(2);
        let link = *self.links.get(id).ok_or_else(|| format!("{id}, expected the id of a link"))?;
        let kind = self.network.links.kind.get(link as usize).copied().unwrap_or_default();
        if kind == LinkKind::CheckValve {
            return Err(format!("{id} is a check valve, which is not controlled"));
        }
        if !begins(line.word(3), "STATUS") && !begins(line.word(3), "SETTING") {
            return Err(format!("{}, expected STATUS or SETTING", line.word(3)));
        }
        if let Some(status) = which(line.word(5), &STATUSES) {
            // Unlike in a simple control, a pump that runs keeps its speed.
            return Ok(Action { link, status: Some(status), setting: None });
        }
        let setting = text::number(line.word(5)).filter(|setting| *setting >= 0.0);
        let setting =
            setting.ok_or_else(|| format!("{}, expected OPEN, CLOSED, ACTIVE or a number >= 0", line.word(5)))?;
        if kind == LinkKind::Gpv {
            return Err("expected OPEN or CLOSED of a GPV".to_owned());
        }
        Ok(self.numbered(link, kind, setting))
    }
}
