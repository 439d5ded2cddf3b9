//! Helpers of the engine's tests.
#![allow(dead_code, reason = "each test file uses its part")]

use urbis_core::{CarLinkIx, TripIx};
use urbis_traffic::synthetic::{FixedTrip, LinkKind, add_link};
use urbis_traffic::time::{from_seconds, tick_of};
use urbis_traffic::{Arrival, CarNetwork, Engine, NetworkColumns};

/// A kilometre at 20 m/s with a jam density of 0.2 vehicles/m.
pub(crate) fn kilometre(capacity_vps: f64) -> LinkKind {
    LinkKind { length_m: 1000.0, speed_mps_free: 20.0, capacity_vps, jam_density_vpm: 0.2 }
}

/// A network of links between nodes.
pub(crate) fn network(nodes: u32, links: &[(u32, u32, LinkKind)]) -> CarNetwork {
    CarNetwork::from_columns(columns(nodes, links)).unwrap()
}

pub(crate) fn columns(nodes: u32, links: &[(u32, u32, LinkKind)]) -> NetworkColumns {
    let mut columns = NetworkColumns {
        x_m: (0..nodes).map(f64::from).collect(),
        y_m: vec![0.0; nodes as usize],
        ..NetworkColumns::default()
    };
    for &(from, to, kind) in links {
        add_link(&mut columns, from, to, kind);
    }
    columns
}

/// Vehicles on one route at a steady rate over `[start_s, end_s)`.
pub(crate) fn flow(route: &[u32], rate_vps: f64, start_s: f64, end_s: f64) -> Vec<FixedTrip> {
    let vehicles = ((end_s - start_s) * rate_vps).round() as u32;
    let route: Vec<CarLinkIx> = route.iter().map(|&link| CarLinkIx(link)).collect();
    (0..vehicles)
        .map(|n| FixedTrip { depart: from_seconds(start_s + f64::from(n) / rate_vps), route: route.clone() })
        .collect()
}

/// An engine with trips that it departs by itself, in order of time.
pub(crate) struct Run {
    pub(crate) engine: Engine,
    pub(crate) arrivals: Vec<Arrival>,
    trips: Vec<FixedTrip>,
    next: usize,
}

impl Run {
    pub(crate) fn new(network: &CarNetwork, mut trips: Vec<FixedTrip>) -> Self {
        trips.sort_by_key(|trip| trip.depart);
        Self { engine: Engine::new(network, 4).unwrap(), arrivals: Vec::new(), trips, next: 0 }
    }

    /// Computes one tick.
    pub(crate) fn step(&mut self) {
        while let Some(trip) = self.trips.get(self.next).filter(|trip| tick_of(trip.depart) <= self.engine.tick()) {
            let route = self.engine.add_route(&trip.route).unwrap();
            self.engine.depart(TripIx(self.next as u32), route, trip.depart);
            self.engine.drop_route(route);
            self.next += 1;
        }
        self.arrivals.extend(self.engine.step());
    }
    /// Computes ticks up to a time.
    pub(crate) fn until(&mut self, end_s: u32) {
        while self.engine.tick() < end_s {
            self.step();
        }
    }
    pub(crate) fn on(&self, link: u32) -> urbis_traffic::LinkOccupancy {
        self.engine.on_link(CarLinkIx(link))
    }
    pub(crate) fn left(&self, link: u32) -> f64 {
        f64::from(self.engine.passed(CarLinkIx(link)).1)
    }
    pub(crate) fn entered(&self, link: u32) -> f64 {
        f64::from(self.engine.passed(CarLinkIx(link)).0)
    }
    /// Flow out of links over `[start_s, end_s)`.
    pub(crate) fn outflows(&mut self, links: &[u32], start_s: u32, end_s: u32) -> Vec<f64> {
        self.until(start_s);
        let before: Vec<f64> = links.iter().map(|&link| self.left(link)).collect();
        self.until(end_s);
        let span_s = f64::from(end_s - start_s);
        links.iter().zip(before).map(|(&link, before)| (self.left(link) - before) / span_s).collect()
    }
    /// Panics unless vehicles are conserved, counted two ways.
    pub(crate) fn assert_balanced(&self) {
        let (counted, table) = self.engine.audit();
        assert_eq!(counted, self.engine.counts(), "tick {}", self.engine.tick());
        assert!(counted.balances(), "tick {}: {counted:?}", self.engine.tick());
        assert_eq!(table, counted.on_road + counted.waiting, "tick {}", self.engine.tick());
    }
}
