//! `[INFLOWS]` and `[DWF]`.

use super::super::network::{NONE, PatternKind, Sewer};
use super::lines::{Kind, Reader, Row, is_given};
use super::rows_of;

/// Fills inflows and sewage. The last line of a node counts, as in SWMM.
pub(super) fn read(reader: &mut Reader<'_>, rows: &[Row<'_>], sewer: &mut Sewer) {
    let flow = reader.units.flow_m3ps();
    for row in rows_of(rows, &[Kind::Inflows, Kind::DryWeather]) {
        let node = reader.find(row, 0, "node", |reader| &reader.nodes);
        if row.keyword(1) != "FLOW" {
            reader.notes.push(format!("line {}: [{}] of {} was left out", row.line, row.section, row.keyword(1)));
            continue;
        }
        if row.kind == Kind::Inflows {
            let series = if is_given(row, 2) { reader.find(row, 2, "series", |reader| &reader.series) } else { NONE };
            let scale = if is_given(row, 5) { reader.number(row, 5, "scale factor") } else { 1.0 };
            let base = if is_given(row, 6) { reader.number(row, 6, "baseline") } else { 0.0 };
            let pattern = pattern(reader, row, 7);
            let to = &mut sewer.inflows;
            let at = place(&mut to.node, node);
            for (column, value) in [(&mut to.scale_m3ps, flow * scale), (&mut to.base_m3ps, flow * base)] {
                set(column, at, value);
            }
            set(&mut to.series, at, series);
            set(&mut to.pattern, at, pattern);
        } else {
            let mean = reader.number(row, 2, "mean flow");
            let mut patterns = [NONE; 4];
            for word in 3..7 {
                let found = pattern(reader, row, word);
                if let Some(pattern) = sewer.patterns.get(found as usize) {
                    patterns[match pattern.kind {
                        PatternKind::Monthly => 0,
                        PatternKind::Daily => 1,
                        PatternKind::Hourly => 2,
                        PatternKind::Weekend => 3,
                    }] = found;
                }
            }
            let to = &mut sewer.dry_weather;
            let at = place(&mut to.node, node);
            set(&mut to.mean_m3ps, at, flow * mean);
            set(&mut to.patterns, at, patterns);
        }
    }
}

fn pattern(reader: &mut Reader<'_>, row: &Row<'_>, at: usize) -> u32 {
    if is_given(row, at) { reader.find(row, at, "pattern", |reader| &reader.patterns) } else { NONE }
}

/// The row of a node, new where it has none.
fn place(nodes: &mut Vec<u32>, node: u32) -> usize {
    nodes.iter().position(|&other| other == node).unwrap_or_else(|| {
        nodes.push(node);
        nodes.len() - 1
    })
}

fn set<T>(column: &mut Vec<T>, at: usize, value: T) {
    match column.get_mut(at) {
        Some(place) => *place = value,
        None => column.push(value),
    }
}
