//! What a static assignment is given: links with volume-delay functions, and demand between nodes.
//!
//! Nodes are rows from 0. Costs are in whatever unit `t0` has; weights of tolls and lengths are already in
//! `fixed_cost`. Nothing is dropped silently: what cannot be assigned is counted and told.

use std::path::Path;
use urbis_core::{Problem, Problems, Result};

/// Links with their volume-delay functions; one row a link, in the order in which flows are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Number of nodes.
    pub nodes: usize,
    /// Row of the node where each link starts.
    pub from: Vec<u32>,
    /// Row of the node where each link ends.
    pub to: Vec<u32>,
    /// Time of each link without flow, at least 0.
    pub t0: Vec<f64>,
    /// Flow at which time has grown by the factor `1 + b`; above 0 where `t0 * b` is.
    pub capacity: Vec<f64>,
    /// How much time grows, at least 0.
    pub b: Vec<f64>,
    /// How steeply time grows, at least 0; 0 means the constant `t0 * (1 + b)`.
    pub power: Vec<f64>,
    /// Cost beside time, in units of time; `t0 + fixed_cost` is at least 0. Empty means none.
    pub fixed_cost: Vec<f64>,
    /// Nodes below this row are zones: paths begin and end there and never pass through.
    pub first_thru: u32,
}

impl Network {
    /// Number of links.
    #[must_use]
    pub fn links(&self) -> usize {
        self.from.len()
    }

    /// Cost beside time of a link.
    #[must_use]
    pub fn fixed(&self, link: usize) -> f64 {
        self.fixed_cost.get(link).copied().unwrap_or(0.0)
    }

    /// Checks shapes and values; `most` is a flow that no link can exceed, at which costs must be finite.
    ///
    /// # Errors
    /// Every value that makes no sense, by row of the link from 1.
    pub fn check(&self, most: f64) -> Result<()> {
        let place = Path::new("network");
        let links = self.links();
        let mut problems = Problems::new();
        let shapes = [
            ("to", self.to.len()),
            ("t0", self.t0.len()),
            ("capacity", self.capacity.len()),
            ("b", self.b.len()),
            ("power", self.power.len()),
        ];
        for (name, rows) in shapes {
            if rows != links {
                problems.push(Problem::file(place, format!("{name} has {rows} rows, expected {links} as in from")));
            }
        }
        if !self.fixed_cost.is_empty() && self.fixed_cost.len() != links {
            let rows = self.fixed_cost.len();
            problems.push(Problem::file(place, format!("fixed_cost has {rows} rows, expected {links} or none")));
        }
        // Rows are u32, and the last one means "none".
        if u32::try_from(self.nodes).is_err() || u32::try_from(links).is_ok_and(|links| links == u32::MAX) {
            problems.push(Problem::file(place, "too many nodes or links, expected fewer than 4,294,967,295"));
        }
        if !problems.is_empty() {
            return problems.or_else(());
        }
        for link in 0..links {
            let row = link + 1;
            for (name, node) in [("from", self.from[link]), ("to", self.to[link])] {
                if node as usize >= self.nodes {
                    problems.push(Problem::value(place, row, None, name, node, format!("below {}", self.nodes)));
                }
            }
            for (name, value) in [("t0", self.t0[link]), ("b", self.b[link]), ("power", self.power[link])] {
                if !(value.is_finite() && value >= 0.0) {
                    problems.push(Problem::value(place, row, None, name, value, "a number of at least 0"));
                }
            }
            let rise = self.t0[link] * self.b[link];
            let capacity = self.capacity[link];
            if !capacity.is_finite() || capacity < 0.0 || (capacity <= 0.0 && rise > 0.0 && self.power[link] > 0.0) {
                let expected = "above 0 (0 is allowed where t0, b or power is 0)";
                problems.push(Problem::value(place, row, None, "capacity", capacity, expected));
                continue;
            }
            let least = self.t0[link] + self.fixed(link);
            if !least.is_finite() || least < 0.0 {
                problems.push(Problem::value(place, row, None, "t0 + fixed_cost", least, "a number of at least 0"));
                continue;
            }
            let delay = self.delay(link);
            if !(delay.at(most).0.is_finite() && delay.integral(most).is_finite()) {
                let what = format!("a cost that is finite at the whole demand of {most}");
                problems.push(Problem::value(place, row, None, "capacity", capacity, what));
            }
        }
        problems.or_else(())
    }

    pub(crate) fn delay(&self, link: usize) -> crate::volume_delay::VolumeDelay {
        crate::volume_delay::VolumeDelay::new(
            self.t0[link],
            self.capacity[link],
            self.b[link],
            self.power[link],
            self.fixed(link),
        )
    }
}

/// Demand by origin. Rows of `to` and `flow` of `origin[i]` are `start[i]..start[i + 1]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// Row of each origin's node, rising.
    pub origin: Vec<u32>,
    /// Where the rows of each origin start, and the number of all rows.
    pub start: Vec<u32>,
    /// Row of the node that demand goes to, rising within an origin.
    pub to: Vec<u32>,
    /// Demand, above 0.
    pub flow: Vec<f64>,
    /// Demand from a node to itself: it uses no link and is not among the rows.
    pub within: f64,
}

impl Demand {
    /// Groups `(from, to, flow)` by origin. Zeros are left out, equal pairs are added up, demand from a
    /// node to itself is summed in [`Demand::within`].
    ///
    /// # Errors
    /// Flows that are negative or not numbers, and nodes from `nodes` on, by row of the triple from 1.
    pub fn from_triples(nodes: usize, triples: &[(u32, u32, f64)]) -> Result<Self> {
        let place = Path::new("demand");
        let mut problems = Problems::new();
        let mut demand = Self::default();
        let mut order = Vec::with_capacity(triples.len());
        for (row, &(from, to, flow)) in triples.iter().enumerate() {
            for (name, node) in [("from", from), ("to", to)] {
                if node as usize >= nodes {
                    problems.push(Problem::value(place, row + 1, None, name, node, format!("below {nodes}")));
                }
            }
            if !(flow.is_finite() && flow >= 0.0) {
                problems.push(Problem::value(place, row + 1, None, "flow", flow, "a number of at least 0"));
            } else if from == to {
                demand.within += flow;
            } else if flow > 0.0 {
                order.push(row);
            }
        }
        if !problems.is_empty() {
            return problems.or_else(demand);
        }
        order.sort_by_key(|&row| (triples[row].0, triples[row].1)); // stable: equal pairs add up in their order
        for row in order {
            let (from, to, flow) = triples[row];
            let same_origin = demand.origin.last() == Some(&from);
            if !same_origin {
                demand.start.push(demand.to.len() as u32);
                demand.origin.push(from);
            } else if demand.to.last() == Some(&to) {
                *demand.flow.last_mut().unwrap_or(&mut 0.0) += flow;
                continue;
            }
            demand.to.push(to);
            demand.flow.push(flow);
        }
        demand.start.push(demand.to.len() as u32);
        Ok(demand)
    }

    /// Demand of all rows.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.flow.iter().sum()
    }

    /// Nodes and flows of one origin.
    pub(crate) fn of(&self, origin: usize) -> crate::bush::Destinations<'_> {
        let rows = self.start[origin] as usize..self.start[origin + 1] as usize;
        crate::bush::Destinations { node: &self.to[rows.clone()], flow: &self.flow[rows] }
    }

    /// Checks shapes, order and values.
    ///
    /// # Errors
    /// What is wrong; [`Demand::from_triples`] makes demand that passes.
    pub fn check(&self, nodes: usize) -> Result<()> {
        let rows = self.to.len();
        let bounds = self.start.len() == self.origin.len() + 1
            && self.start.is_sorted()
            && self.start.first() == Some(&0)
            && self.start.last().is_some_and(|&end| end as usize == rows)
            && self.flow.len() == rows;
        let empty = self.origin.is_empty() && rows == 0 && self.flow.is_empty();
        let inside = |column: &[u32]| column.iter().all(|&node| (node as usize) < nodes);
        let flows = self.flow.iter().all(|&flow| flow.is_finite() && flow > 0.0);
        let good = bounds
            && inside(&self.origin)
            && inside(&self.to)
            && flows
            && self.origin.is_sorted_by(|a, b| a < b)
            && (0..self.origin.len()).all(|row| {
                let to = self.of(row).node;
                to.is_sorted_by(|a, b| a < b) && !to.contains(&self.origin[row])
            });
        if empty || good {
            return Ok(());
        }
        let what = "rows out of order, out of range or not positive, expected what Demand::from_triples makes";
        Err(Problem::file(Path::new("demand"), what).into())
    }
}
