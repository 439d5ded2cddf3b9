//! `[CURVES]`, `[TIMESERIES]` and `[PATTERNS]`.

use super::super::network::{Options, Pattern, PatternKind};
use super::super::table::Table;
use super::super::time::{DAY_S, parse_date, parse_time};
use super::lines::{Kind, Reader, Row, number};

/// A curve in the units of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Curve {
    /// In capitals.
    pub(super) kind: String,
    pub(super) table: Table,
}

impl Curve {
    /// In SI units.
    pub(super) fn scaled(&self, x: f64, y: f64) -> Table {
        let by = |values: &[f64], factor: f64| values.iter().map(|value| value * factor).collect();
        Table { x: by(&self.table.x, x), y: by(&self.table.y, y) }
    }
}

const KINDS: [&str; 12] = [
    "STORAGE",
    "DIVERSION",
    "TIDAL",
    "RATING",
    "SHAPE",
    "CONTROL",
    "WEIR",
    "PUMP1",
    "PUMP2",
    "PUMP3",
    "PUMP4",
    "PUMP5",
];

/// Curves by row.
pub(super) fn curves(reader: &mut Reader<'_>, rows: &[Row<'_>]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = vec![Curve::default(); reader.curves.len()];
    for row in rows.iter().filter(|row| row.kind == Kind::Curves) {
        let Some(&at) = reader.curves.get(&row.id().to_ascii_uppercase()) else { continue };
        let curve = &mut curves[at as usize];
        let mut next = 1;
        if curve.kind.is_empty() {
            let kind = row.keyword(1);
            if KINDS.contains(&kind.as_str()) {
                next = 2;
            } else {
                reader.value(row, 1, "type", "a type of curve such as STORAGE");
                continue;
            }
            curve.kind = kind;
        }
        while next < row.words.len() {
            let (x, y) = (reader.number(row, next, "x"), reader.number(row, next + 1, "y"));
            next += 2;
            if curve.table.x.last().is_some_and(|&last| x <= last) {
                reader.value(row, next - 2, "x", "more than the one before");
            }
            curve.table.x.push(x);
            curve.table.y.push(y);
        }
    }
    for (name, &at) in &reader.curves.clone() {
        if curves[at as usize].table.x.is_empty() {
            reader.problem_at(1, format_args!("[CURVES] {name}: has no rows, expected at least one"));
        }
    }
    curves
}

/// Series by row, s after the start.
pub(super) fn series(reader: &mut Reader<'_>, rows: &[Row<'_>], options: &Options) -> Vec<Table> {
    let count = reader.series.len();
    let mut series: Vec<Table> = vec![Table::default(); count];
    let mut day: Vec<Option<i64>> = vec![None; count];
    for row in rows.iter().filter(|row| row.kind == Kind::TimeSeries) {
        let Some(&at) = reader.series.get(&row.id().to_ascii_uppercase()) else { continue };
        let at = at as usize;
        if row.keyword(1) == "FILE" {
            reader.problem(row, "is in another file, expected its values here");
            continue;
        }
        let mut next = 1;
        while next < row.words.len() {
            if let Some(date) = row.word(next).and_then(parse_date) {
                day[at] = Some(date);
                next += 1;
            }
            let Some(of_day) = row.word(next).and_then(|word| parse_time(word, true)) else {
                reader.value(row, next, "time", "hours or a time such as 1:30, after a date or none");
                break;
            };
            let value = row.word(next + 1).and_then(number);
            let Some(value) = value else {
                reader.value(row, next + 1, "value", "a number");
                break;
            };
            let from_start = |date: i64| (date - options.start_day) as f64 * DAY_S - options.start_of_day_s;
            let time = day[at].map_or(0.0, from_start) + of_day;
            if series[at].x.last().is_some_and(|&last| time <= last) {
                reader.value(row, next, "time", "later than the one before");
                break;
            }
            series[at].x.push(time);
            series[at].y.push(value);
            next += 2;
        }
    }
    series
}

/// Patterns by row.
pub(super) fn patterns(reader: &mut Reader<'_>, rows: &[Row<'_>]) -> Vec<Pattern> {
    let mut patterns: Vec<Option<Pattern>> = vec![None; reader.patterns.len()];
    for row in rows.iter().filter(|row| row.kind == Kind::Patterns) {
        let Some(&at) = reader.patterns.get(&row.id().to_ascii_uppercase()) else { continue };
        let at = at as usize;
        let mut next = 1;
        if patterns[at].is_none() {
            let kind = match row.keyword(1).as_str() {
                "MONTHLY" => PatternKind::Monthly,
                "DAILY" => PatternKind::Daily,
                "HOURLY" => PatternKind::Hourly,
                "WEEKEND" => PatternKind::Weekend,
                _ => {
                    reader.value(row, 1, "type", "MONTHLY, DAILY, HOURLY or WEEKEND");
                    continue;
                }
            };
            patterns[at] = Some(Pattern { kind, factor: Vec::new() });
            next = 2;
        }
        let Some(pattern) = &mut patterns[at] else { continue };
        for word in next..row.words.len() {
            pattern.factor.push(reader.number(row, word, "factor"));
        }
        if pattern.factor.len() > 24 {
            reader.problem(row, "has more than 24 factors, expected at most 24");
            pattern.factor.truncate(24);
        }
    }
    let none = || Pattern { kind: PatternKind::Hourly, factor: Vec::new() };
    patterns.into_iter().map(|pattern| pattern.unwrap_or_else(none)).collect()
}
