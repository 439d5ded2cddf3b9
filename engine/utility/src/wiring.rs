//! What networks in a city's run have in common: where they come from, and how a file says which building hangs where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::model::City;
use urbis_city::table::Table;
use urbis_core::csr::Csr;
use urbis_core::{Problem, Problems, Result};

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// Where a network comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkSource {
    /// There is none.
    #[default]
    None,
    /// One made up along the city's streets, and marked so.
    Synthetic,
    /// That of `case`, to which `buildings` connects the city.
    File,
}

/// Tells what lacks or is too much of the files of a network.
pub(crate) fn check_files(
    source: NetworkSource,
    case: Option<&Path>,
    buildings: Option<&Path>,
    tell: &mut dyn FnMut(&str, String),
) {
    for (field, path) in [("case", case), ("buildings", buildings)] {
        match (source == NetworkSource::File, path) {
            (true, None) => tell("source", format!("= \"file\" needs `{field}`, expected the path of a file")),
            (false, Some(path)) => {
                let path = path.display().to_string();
                tell(field, format!("= {path:?} counts with source = \"file\" alone"));
            }
            _ => {}
        }
    }
}

/// Which buildings a table of them has to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// All of the city.
    Every,
    /// Those that are connected.
    Connected,
}

/// What each building hangs on, from a table with columns `building_id` and `column`, whose values are keys of `row_of`
/// (`what`, for messages); [`NONE`] for buildings that are not named.
///
/// # Errors
/// A file that cannot be read, buildings or values that are not known, buildings named twice or not although all have to be.
pub(crate) fn read_buildings(
    city: &City,
    path: &Path,
    column: &str,
    what: &str,
    row_of: &BTreeMap<&str, u32>,
    coverage: Coverage,
) -> Result<Vec<u32>> {
    let mut problems = Problems::new();
    let table = Table::read(path)?.with_id("building_id");
    let Some([of_building, of_row]) = table.required_all(["building_id", column], &mut problems) else {
        return problems.or_else(Vec::new());
    };
    let building_of: BTreeMap<&str, usize> =
        city.buildings.id.iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    let mut found = vec![NONE; city.buildings.len()];
    for row in table.rows() {
        match (building_of.get(row.text(of_building)), row_of.get(row.text(of_row))) {
            (None, _) => problems.push(row.problem(of_building, "a building of the city")),
            (_, None) => problems.push(row.problem(of_row, what)),
            (Some(&at), _) if found[at] != NONE => problems.push(row.problem(of_building, "each building once")),
            (Some(&at), Some(&of)) => found[at] = of,
        }
    }
    let missing: Vec<&str> = building_of.iter().filter(|(_, row)| found[**row] == NONE).map(|(id, _)| *id).collect();
    if let (true, Coverage::Every, Some(first)) = (problems.is_empty(), coverage, missing.first()) {
        let what = format!("{} buildings have no row, the first is {first:?}; expected all of the city", missing.len());
        problems.push(Problem::file(path, what));
    }
    problems.or_else(found)
}

/// What is brought to people, or taken from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Utility {
    /// Electric power.
    Electricity,
    /// Drinking water.
    Water,
    /// Gas.
    Gas,
    /// District heat.
    Heat,
    /// Sewers.
    Sewer,
    /// Mobile sites.
    Telecom,
    /// Lifts, for those on upper floors.
    Lifts,
}

urbis_core::named!(Utility {
    Electricity = "electricity",
    Water = "water",
    Gas = "gas",
    Heat = "heat",
    Sewer = "sewer",
    Telecom = "telecom",
    Lifts = "lifts",
});

/// Where what a network carries came from and went since the start, in its unit: m3 of water, kg of gas, joules of heat.
///
/// Law: `supplied = served + lost + stored`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Books {
    /// Asked for.
    pub asked: f64,
    /// Fed in from outside or made.
    pub supplied: f64,
    /// Given to those who ask.
    pub served: f64,
    /// Lost on the way.
    pub lost: f64,
    /// Kept in the network, less what it held at the start.
    pub stored: f64,
}

impl Books {
    /// What does not add up.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.supplied - self.served - self.lost - self.stored
    }
    /// What does not add up over the largest of what does.
    #[must_use]
    pub fn gap(&self) -> f64 {
        let terms = [self.supplied, self.served, self.lost, self.stored];
        let scale = terms.iter().fold(0.0_f64, |most, of| most.max(of.abs()));
        // Not a number stays one, and is no small gap.
        if scale > 0.0 || scale.is_nan() { self.residual().abs() / scale } else { self.residual().abs() }
    }
    /// These books less earlier ones.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            asked: self.asked - before.asked,
            supplied: self.supplied - before.supplied,
            served: self.served - before.served,
            lost: self.lost - before.lost,
            stored: self.stored - before.stored,
        }
    }
}

/// An element of a network that stops without electricity: a pump, a compressor, the pumps of a heating plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PowerNeed {
    /// Its row: of links of water, of elements of gas and heat.
    pub element: u32,
    /// Building whose supply it shares: the nearest one along the network.
    pub building: u32,
}

/// By node, the building that hangs nearest along links, by their number; the lower row of several, [`u32::MAX`] where none
/// is joined. `hung` says which building hangs on which node.
#[must_use]
pub fn nearest_buildings(
    nodes: usize,
    links: impl Iterator<Item = (u32, u32)>,
    hung: impl Iterator<Item = (u32, u32)>,
) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = links.flat_map(|(from, to)| [(from, to), (to, from)]).collect();
    let beside = Csr::from_pairs(nodes, &pairs);
    let mut nearest = vec![NONE; nodes];
    let mut front: Vec<(u32, u32)> = hung.map(|(node, building)| (building, node)).collect();
    front.sort_unstable();
    // Every front is in order of buildings, so the first that comes to a node is the lowest of its distance.
    while !front.is_empty() {
        let mut next = Vec::new();
        for (building, node) in front {
            if nearest[node as usize] == NONE {
                nearest[node as usize] = building;
                next.push((building, node));
            }
        }
        let on = |&(building, node): &(u32, u32)| beside.row(node as usize).iter().map(move |&to| (building, to));
        front = next.iter().flat_map(on).collect();
    }
    nearest
}

/// The node and row of every building that is connected to something whose node is `node`.
pub(crate) fn hung(of_building: &[u32], node: impl Fn(u32) -> u32) -> impl Iterator<Item = (u32, u32)> {
    let rows = of_building.iter().enumerate().filter(|(_, of)| **of != NONE);
    rows.map(move |(building, &of)| (node(of), building as u32))
}

/// A link that is out for a time: a closed pipe, a pump that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFault {
    /// Link that fails, by its id in the network's table of links.
    pub link: String,
    /// When, seconds from the start of the period; it counts from the next step on.
    pub start_s: u32,
    /// Time until it is repaired, seconds.
    #[serde(default = "half_a_day")]
    #[schemars(range(min = 1))]
    pub repair_s: u32,
}

fn half_a_day() -> u32 {
    43_200
}

/// What faults do to links over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switches {
    /// When, which link, and whether it goes out.
    events: Vec<(u32, u32, bool)>,
    next: usize,
    /// Reasons that each link has to be out at the moment.
    faults: BTreeMap<u32, u32>,
}

impl Switches {
    /// Faults of the links that `row` finds; `place` is what messages name.
    ///
    /// # Errors
    /// Every link that the network does not have.
    pub(crate) fn new(place: &str, faults: &[LinkFault], row: impl Fn(&str) -> Option<u32>) -> Result<Self> {
        let mut problems = Problems::new();
        let mut events = Vec::with_capacity(2 * faults.len());
        for (at, fault) in faults.iter().enumerate() {
            match row(&fault.link) {
                Some(link) => {
                    events.push((fault.start_s, link, true));
                    events.push((fault.start_s.saturating_add(fault.repair_s.max(1)), link, false));
                }
                None => {
                    let expected = "a link of the network";
                    problems.push(Problem::value(Path::new(place), at + 1, None, "link", &fault.link, expected));
                }
            }
        }
        events.sort_unstable();
        problems.or_else(Self { events, next: 0, faults: BTreeMap::new() })
    }
    /// Tells what is due at a moment: links that go out (`true`) or come back.
    pub(crate) fn at(&mut self, now_s: u32, mut tell: impl FnMut(u32, bool)) {
        while let Some(&(_, link, goes_out)) = self.events.get(self.next).filter(|event| event.0 <= now_s) {
            self.next += 1;
            if self.hold(link, goes_out) {
                tell(link, goes_out);
            }
        }
    }
    /// One reason more, or one less, for a link to be out; whether it goes out or comes back by it.
    pub(crate) fn hold(&mut self, link: u32, is_out: bool) -> bool {
        let reasons = self.faults.entry(link).or_insert(0);
        let before = *reasons;
        *reasons = if is_out { before + 1 } else { before.saturating_sub(1) };
        (before == 0) != (*reasons == 0)
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn the_nearest_building_along_links() {
        // 0 - 1 - 2 - 3, and 4 apart; buildings 7 and 5 hang at the ends, 9 beside 7.
        let links = [(0, 1), (1, 2), (2, 3)];
        let hung = [(0, 9), (0, 7), (3, 5)];
        assert_eq!(nearest_buildings(5, links.into_iter(), hung.into_iter()), [7, 7, 5, 5, NONE]);
        // In the middle of three the lower row counts.
        assert_eq!(nearest_buildings(3, [(0, 1), (1, 2)].into_iter(), [(0, 8), (2, 3)].into_iter()), [8, 3, 3]);
    }

    #[test]
    fn links_come_back_when_their_last_fault_is_repaired() {
        let fault = |start_s, repair_s| LinkFault { link: "p".into(), start_s, repair_s };
        let mut of = Switches::new("test", &[fault(900, 1800), fault(1800, 3600)], |_| Some(7)).unwrap();
        let mut told = Vec::new();
        for now_s in (0..9000).step_by(900) {
            of.at(now_s, |link, is_out| told.push((now_s, link, is_out)));
        }
        assert_eq!(told, [(900, 7, true), (5400, 7, false)]);
        let error = format!("{:?}", Switches::new("water.fault", &[fault(0, 1)], |_| None).unwrap_err());
        assert!(error.contains("water.fault") && error.contains("link = p"), "{error}");
    }
}
