//! `[CONTROLS]`.

use super::super::controls::{Action, Premise, Quantity, Relation, Rule, has_volume};
use super::super::network::{LinkKind, NONE, Sewer};
use super::super::time::{parse_date, parse_time};
use super::lines::{Kind, Reader, Row, number};
use super::rows_of;

/// Which clause of a rule a line with AND or OR goes on with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    None,
    If,
    Then,
    Else,
}

/// Fills rules.
pub(super) fn read(reader: &mut Reader<'_>, rows: &[Row<'_>], sewer: &mut Sewer) {
    let mut clause = Clause::None;
    for row in rows_of(rows, &[Kind::Controls]) {
        let first = row.keyword(0);
        if first == "RULE" {
            if row.word(1).is_none() {
                reader.value(row, 1, "name", "the name of a rule");
            }
            sewer.rules.push(Rule { id: row.word(1).unwrap_or("").to_owned(), ..Rule::default() });
            clause = Clause::None;
            continue;
        }
        if sewer.rules.is_empty() {
            reader.problem(row, "is before any rule, expected RULE and a name");
            continue;
        }
        clause = match (first.as_str(), clause) {
            ("IF", _) => Clause::If,
            ("THEN", _) => Clause::Then,
            ("ELSE", _) => Clause::Else,
            ("AND", Clause::None) | ("OR", Clause::None | Clause::Then | Clause::Else) => {
                reader.problem(row, "goes on with nothing, expected IF, THEN or ELSE before");
                continue;
            }
            ("AND" | "OR", same) => same,
            ("PRIORITY", same) => {
                let priority = reader.number(row, 1, "priority");
                if let Some(rule) = sewer.rules.last_mut() {
                    rule.priority = priority;
                }
                same
            }
            _ => {
                reader.problem(row, "is not understood, expected RULE, IF, AND, OR, THEN, ELSE or PRIORITY");
                continue;
            }
        };
        if first == "PRIORITY" {
            continue;
        }
        if clause == Clause::If {
            let found = premise(reader, row, sewer, first == "OR");
            if let (Some(premise), Some(rule)) = (found, sewer.rules.last_mut()) {
                rule.premises.push(premise);
            }
        } else {
            let found = action(reader, row, sewer);
            if let (Some(action), Some(rule)) = (found, sewer.rules.last_mut()) {
                let actions = if clause == Clause::Then { &mut rule.then } else { &mut rule.otherwise };
                actions.push(action);
            }
        }
    }
}

fn premise(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &Sewer, is_or: bool) -> Option<Premise> {
    let object = row.keyword(1);
    let is_simulation = object == "SIMULATION";
    let (name, at) = if is_simulation { (row.keyword(2), 3) } else { (row.keyword(3), 4) };
    let quantity = match object.as_str() {
        "SIMULATION" => match name.as_str() {
            "TIME" => Some(Quantity::Elapsed),
            "CLOCKTIME" => Some(Quantity::Clock),
            "DATE" => Some(Quantity::Date),
            "MONTH" => Some(Quantity::Month),
            "DAY" => Some(Quantity::Weekday),
            _ => None,
        },
        "NODE" => {
            let node = reader.find(row, 2, "node", |reader| &reader.nodes);
            if node == NONE {
                return None;
            }
            match name.as_str() {
                "DEPTH" => Some(Quantity::NodeDepth(node)),
                "HEAD" => Some(Quantity::NodeHead(node)),
                "INFLOW" => Some(Quantity::NodeInflow(node)),
                "VOLUME" if has_volume(sewer, node) => Some(Quantity::NodeVolume(node)),
                _ => None,
            }
        }
        "LINK" | "CONDUIT" | "PIPE" | "PUMP" | "ORIFICE" | "WEIR" | "OUTLET" => {
            let link = reader.find(row, 2, "link", |reader| &reader.links);
            if link == NONE {
                return None;
            }
            match name.as_str() {
                "FLOW" => Some(Quantity::LinkFlow(link)),
                "DEPTH" => Some(Quantity::LinkDepth(link)),
                "SETTING" | "STATUS" => Some(Quantity::LinkSetting(link)),
                _ => None,
            }
        }
        _ => None,
    };
    let Some(quantity) = quantity else {
        let what = "depth, head, inflow or volume of a node, flow, depth, setting or status of a link, or a time";
        reader.problem(row, format_args!("looks at {object} {name}, expected {what}"));
        return None;
    };
    let relation = match row.word(at) {
        Some("=") => Relation::Equal,
        Some("<>") => Relation::NotEqual,
        Some("<") => Relation::Less,
        Some("<=") => Relation::LessOrEqual,
        Some(">") => Relation::Greater,
        Some(">=") => Relation::GreaterOrEqual,
        _ => {
            reader.value(row, at, "relation", "=, <>, <, <=, > or >=");
            return None;
        }
    };
    let (m, flow) = (reader.m(), reader.units.flow_m3ps());
    let word = row.word(at + 1).unwrap_or("");
    let scaled = |factor: f64| number(word).map(|value| value * factor);
    let value = match quantity {
        Quantity::NodeDepth(_) | Quantity::NodeHead(_) | Quantity::LinkDepth(_) => scaled(m),
        Quantity::NodeInflow(_) | Quantity::LinkFlow(_) => scaled(flow),
        Quantity::NodeVolume(_) => scaled(m * m * m),
        Quantity::LinkSetting(_) => on_or_off(word).or_else(|| number(word)),
        Quantity::Elapsed | Quantity::Clock => parse_time(word, true),
        Quantity::Date => parse_date(word).map(|day| day as f64),
        Quantity::Month | Quantity::Weekday => number(word),
    };
    let Some(value) = value else {
        reader.value(row, at + 1, "value", "a number or time to compare with");
        return None;
    };
    Some(Premise { is_or, quantity, relation, value })
}

fn on_or_off(word: &str) -> Option<f64> {
    match word.to_ascii_uppercase().as_str() {
        "ON" | "OPEN" | "YES" => Some(1.0),
        "OFF" | "CLOSED" | "NO" => Some(0.0),
        _ => None,
    }
}

fn action(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &Sewer) -> Option<Action> {
    let link = reader.find(row, 2, "link", |reader| &reader.links);
    let kind = *sewer.links.kind.get(link as usize)?;
    let object = row.keyword(1);
    let is_right = match kind {
        LinkKind::Conduit(_) => matches!(object.as_str(), "CONDUIT" | "PIPE"),
        LinkKind::Pump(_) => object == "PUMP",
        LinkKind::Orifice(_) => object == "ORIFICE",
        LinkKind::Weir(_) => object == "WEIR",
        LinkKind::Outlet(_) => object == "OUTLET",
    };
    if !is_right {
        reader.value(row, 1, "object", "the kind of the link");
        return None;
    }
    if !matches!(row.keyword(3).as_str(), "STATUS" | "SETTING") || row.word(4) != Some("=") {
        reader.problem(row, "is not understood, expected STATUS = or SETTING = after the link");
        return None;
    }
    let word = row.word(5).unwrap_or("");
    let setting = on_or_off(word).or_else(|| number(word)).filter(|&value| value >= 0.0);
    let Some(setting) = setting else {
        reader.value(row, 5, "setting", "ON, OFF, OPEN, CLOSED or a number: curves, series and PID are not understood");
        return None;
    };
    let is_share = matches!(kind, LinkKind::Orifice(_) | LinkKind::Weir(_) | LinkKind::Conduit(_));
    if is_share && setting > 1.0 {
        reader.value(row, 5, "setting", "at most 1");
        return None;
    }
    Some(Action { link, setting })
}
