//! Some consecutive rows of a table of trips, cell by cell, whatever the format of the file.
//!
//! Contract: depends on the rows alone; parts are joined in order by [`crate::trips`].

use crate::id_index::whole_number;
use crate::trips::{LATEST_DEPART_S, Names, TripFault, TripFaults, TripIds};
use urbis_core::diagnostics::PROBLEMS_KEPT;
use urbis_traffic::{CarLinkIx, VehicleClass};

/// A node that the network does not have.
pub(crate) const NO_NODE: u32 = u32::MAX;

/// A cell that makes the file malformed.
#[derive(Clone, Debug)]
pub(crate) struct CellProblem {
    pub(crate) row: u32,
    pub(crate) trip_id: String,
    pub(crate) field: &'static str,
    pub(crate) value: String,
    pub(crate) expected: String,
}

/// Rows of trips.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) rows: u32,
    pub(crate) trip_id: TripIds,
    pub(crate) depart_s: Vec<f64>,
    pub(crate) from_node: Vec<u32>,
    pub(crate) to_node: Vec<u32>,
    pub(crate) route_ends: Vec<u32>,
    pub(crate) route_links: Vec<CarLinkIx>,
    pub(crate) vehicle_class: Vec<VehicleClass>,
    pub(crate) faults: TripFaults,
    pub(crate) problems: Vec<CellProblem>,
}

/// A name in a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name<'a> {
    Text(&'a [u8]),
    Number(i64),
}

impl Name<'_> {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => said(text),
            Self::Number(number) => number.to_string(),
        }
    }
    fn row_of(self, index: &crate::id_index::IdIndex) -> Option<u32> {
        match self {
            Self::Text(text) => index.get(text),
            Self::Number(number) => index.get_number(number),
        }
    }
}

/// A cell as people read it.
fn said(cell: &[u8]) -> String {
    if cell.is_empty() { "(blank)".into() } else { String::from_utf8_lossy(cell).into_owned() }
}

/// The cells of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells<'a> {
    pub(crate) trip_id: Name<'a>,
    /// Seconds, or the text that is no number.
    pub(crate) depart_s: Result<f64, &'a [u8]>,
    pub(crate) from_node: Name<'a>,
    pub(crate) to_node: Name<'a>,
    pub(crate) route: &'a [u8],
    pub(crate) vehicle_class: Option<&'a [u8]>,
}

/// A whole number with an optional sign, as it would be written again.
fn signed(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(digits) => whole_number(digits).filter(|&number| number > 0).map(|number| -(number as i64)),
        None => whole_number(text).map(|number| number as i64),
    }
}

/// Seconds in a cell: digits with at most one point by exact integer arithmetic, anything else as
/// floating-point numbers are written.
#[inline]
pub(crate) fn seconds(cell: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (mut mantissa, mut digits, mut decimals, mut has_point) = (0_u64, 0_usize, 0_usize, false);
    for &byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 && digits < 15 {
            mantissa = mantissa * 10 + u64::from(digit);
            digits += 1;
            decimals += usize::from(has_point);
        } else if byte == b'.' && !has_point {
            has_point = true;
        } else {
            digits = 0;
            break;
        }
    }
    if digits > 0 {
        // Both are exact, so the quotient is the nearest double, as for a parsed decimal.
        return Some(mantissa as f64 / POWERS[decimals]);
    }
    let value: f64 = std::str::from_utf8(cell).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

impl Part {
    pub(crate) fn with_room_for(rows: usize) -> Self {
        Self {
            rows: 0,
            trip_id: TripIds::Number(Vec::with_capacity(rows)),
            depart_s: Vec::with_capacity(rows),
            from_node: Vec::with_capacity(rows),
            to_node: Vec::with_capacity(rows),
            route_ends: Vec::with_capacity(rows),
            route_links: Vec::new(),
            vehicle_class: Vec::new(),
            faults: TripFaults::default(),
            problems: Vec::new(),
        }
    }

    /// Notes a cell of the present row that makes the file malformed.
    #[cold]
    pub(crate) fn problem(&mut self, trip_id: Name<'_>, field: &'static str, value: String, expected: String) {
        // More than can be shown is not kept; that there are more, the join sees by one too many.
        if self.problems.len() <= PROBLEMS_KEPT {
            let trip_id = if matches!(trip_id, Name::Text(b"")) { String::new() } else { trip_id.text() };
            self.problems.push(CellProblem { row: self.rows, trip_id, field, value, expected });
        }
    }

    /// Adds a row that has been found malformed as a whole.
    #[cold]
    pub(crate) fn skip_row(&mut self) {
        self.rows += 1;
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, cells: &Cells<'_>, names: &Names) {
        let name = cells.trip_id;
        self.push_id(name);
        let depart_s = cells.depart_s.unwrap_or_else(|text| {
            self.problem(name, "depart_s", said(text), "a number of seconds since the start".into());
            0.0
        });
        let from = cells.from_node.row_of(&names.nodes).unwrap_or(NO_NODE);
        let to = cells.to_node.row_of(&names.nodes).unwrap_or(NO_NODE);
        let before = self.route_links.len();
        let unknown = names.links.extend_rows(cells.route, &mut self.route_links).err();
        let fault = if depart_s < 0.0 {
            Some((TripFault::NegativeTime, depart_s.to_string()))
        } else if depart_s > LATEST_DEPART_S {
            Some((TripFault::TimeOutOfRange, depart_s.to_string()))
        } else if from == NO_NODE {
            Some((TripFault::UnknownOrigin, cells.from_node.text()))
        } else if to == NO_NODE {
            Some((TripFault::UnknownDestination, cells.to_node.text()))
        } else {
            unknown.map(|link| (TripFault::UnknownLink, said(link)))
        };
        if unknown.is_some() {
            self.route_links.truncate(before);
        }
        if let Some((fault, value)) = fault {
            self.faults.push(self.rows, fault, || (name.text(), value));
        }
        if let Some(word) = cells.vehicle_class {
            let class = if word.is_empty() {
                Some(VehicleClass::Car)
            } else {
                std::str::from_utf8(word).ok().and_then(|word| VehicleClass::from_name(&word.to_ascii_lowercase()))
            };
            if class.is_none() {
                let known: Vec<&str> = VehicleClass::NAMED.iter().map(|(_, name)| *name).collect();
                self.problem(name, "vehicle_class", said(word), format!("one of {}", known.join(", ")));
            }
            self.vehicle_class.push(class.unwrap_or_default());
        }
        self.depart_s.push(depart_s);
        self.from_node.push(from);
        self.to_node.push(to);
        self.route_ends.push(self.route_links.len() as u32);
        self.rows += 1;
    }

    fn push_id(&mut self, name: Name<'_>) {
        if let TripIds::Number(ids) = &mut self.trip_id {
            let number = match name {
                Name::Number(number) => Some(number),
                Name::Text(text) => signed(text),
            };
            if let Some(number) = number {
                ids.push(number);
                return;
            }
            self.trip_id = TripIds::Text(ids.iter().map(i64::to_string).collect());
        }
        let text = match name {
            Name::Number(number) => number.to_string(),
            Name::Text(text) => match std::str::from_utf8(text) {
                Ok("") => {
                    self.problem(name, "trip_id", "(blank)".into(), "a value".into());
                    String::new()
                }
                Ok(text) => text.to_owned(),
                Err(_) => {
                    self.problem(name, "trip_id", said(text), "UTF-8 text".into());
                    String::new()
                }
            },
        };
        if let TripIds::Text(ids) = &mut self.trip_id {
            ids.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_written() {
        for (text, value) in [("0", Some(0.0)), ("12.5", Some(12.5)), (".5", Some(0.5)), ("5.", Some(5.0))] {
            assert_eq!(seconds(text.as_bytes()).map(f64::to_bits), value.map(f64::to_bits), "{text}");
        }
        assert_eq!(seconds(b"1e3").map(f64::to_bits), Some(1000_f64.to_bits()));
        assert!(["", ".", "a", "1.2.3", "nan", "inf", "1 2"].iter().all(|text| seconds(text.as_bytes()).is_none()));
        let ids = ["-7", "7", "-0", "07", "+7", "", "9999999999999999999"];
        let numbers = ids.map(|id| signed(id.as_bytes()));
        assert_eq!(numbers, [Some(-7), Some(7), None, None, None, None, None]);
    }

    proptest! {
        #[test]
        fn seconds_are_the_nearest_double(text in "-?[0-9]{0,17}(\\.[0-9]{0,9})?(e-?[0-9]{1,2})?") {
            let known = text.parse::<f64>().ok().filter(|value| value.is_finite());
            prop_assert_eq!(seconds(text.as_bytes()).map(f64::to_bits), known.map(f64::to_bits), "{}", text);
        }
    }
}
