//! SUMO demand: `vehicle`, `trip` and `flow` with `route`, `vType` and their distributions' members.
//!
//! Every vehicle gets the links it drives, first and last edge whole. Where a file names edges only (`from`, `via`,
//! `to`), the route is the fastest at free flow between them, as SUMO's own router starts from an empty network;
//! `fromJunction` and `toJunction` leave it to Urbis. Flows are expanded: `number` evenly over [begin, end), a period
//! from begin on, `probability` as a draw for each second, `period="exp(x)"` as a Poisson process; draws are keyed
//! (seed, flow, vehicle).
//!
//! What cannot be run stays in the table without nodes, and is counted in the notes with examples: unknown edges,
//! routes with a gap, no way. Departures that depend on others (`triggered`, `split`), zones (`fromTaz`), persons,
//! containers and vehicles that are no motor vehicles are left out and counted.
//! Ignores: stops, lanes and positions of departure, speeds, calibrators. Contract: a pure function of files and seed,
//! on any number of threads.

use super::network::SumoNetwork;
use super::time_s;
use crate::fastest::Fastest;
use crate::names::Names;
use crate::network::RoadNetwork;
use crate::trips::{TripIds, Trips};
use crate::xml::{self, Element, Piece, Place};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Error, Problem, Result};
use urbis_traffic::VehicleClass;
use urbis_traffic::queue_model::route_fault;

const NONE: u32 = u32::MAX;
/// Purpose of draws of departures.
const PURPOSE_FLOW: u32 = 0x464C_4F57;
/// More vehicles than this in one file are taken for a mistake.
const VEHICLES_MAX: usize = 50_000_000;
const EXAMPLES: usize = 5;
/// End of flows that name none, SUMO's default.
const FLOW_END_S: f64 = 86_400.0;

/// How demand is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteOptions {
    /// Seed of random departures.
    pub seed: u64,
}

/// Demand as a table.
#[derive(Clone, Debug)]
pub struct SumoTrips {
    /// The trips, in the order of the file, flows one after the other.
    pub trips: Trips,
    /// What was assumed or left out, with counts and examples.
    pub notes: Vec<String>,
}

/// Reads demand for a network.
///
/// # Errors
/// [`urbis_core::Error::Read`] when the file cannot be read; [`urbis_core::Error::Input`] when it is not SUMO demand, a
/// departure or a rate is no number, or a flow stands for more than fifty million vehicles.
pub fn read_routes(path: &Path, network: &SumoNetwork, options: RouteOptions) -> Result<SumoTrips> {
    let mut reading = Reading::new(path, &network.network, options);
    xml::read(path, |piece, place| reading.take(piece, place))?;
    reading.finish()
}

/// What kind of thing drives, `None` for what does not drive among cars.
fn class(name: &str) -> Option<VehicleClass> {
    match name {
        "delivery" => Some(VehicleClass::Van),
        "truck" | "trailer" => Some(VehicleClass::Truck),
        "bus" | "coach" => Some(VehicleClass::Bus),
        "motorcycle" | "moped" => Some(VehicleClass::Motorcycle),
        "bicycle" | "pedestrian" | "wheelchair" | "scooter" | "tram" | "rail_urban" | "rail" | "rail_electric"
        | "rail_fast" | "subway" | "cable_car" | "ship" | "container" | "aircraft" | "drone" => None,
        _ => Some(VehicleClass::Car),
    }
}

/// Where a vehicle goes.
#[derive(Clone, Debug)]
enum Way {
    /// Rows of links in `ways`, all of them driven.
    Given(std::ops::Range<usize>),
    /// Rows of links in `ways`, to be connected.
    Between(std::ops::Range<usize>),
    /// Nodes.
    Nodes(u32, u32),
    /// Something unknown or nothing.
    Nowhere,
}

/// A vehicle or flow being read.
struct Vehicle {
    id: String,
    /// Departures, in order.
    depart_s: Vec<f64>,
    is_flow: bool,
    class: VehicleClass,
    way: Option<Way>,
}

#[derive(Default)]
struct Tally {
    count: u64,
    examples: Vec<String>,
}

impl Tally {
    fn add(&mut self, example: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example.to_owned());
        }
    }
    fn note(&self, notes: &mut Vec<String>, what: &str) {
        if self.count > 0 {
            notes.push(format!("{} {what}, e.g. {}", self.count, self.examples.join(", ")));
        }
    }
}

struct Reading<'a> {
    network: &'a RoadNetwork,
    options: RouteOptions,
    links: Names,
    nodes: Names,
    is_routes: bool,
    types: BTreeMap<String, Option<VehicleClass>>,
    /// Named routes; members of a distribution stand for it by the first.
    routes: BTreeMap<String, Way>,
    distribution: Option<String>,
    ways: Vec<u32>,
    vehicle: Option<Vehicle>,
    flows: u32,
    ids: Vec<String>,
    depart_s: Vec<f64>,
    classes: Vec<VehicleClass>,
    way_of: Vec<Way>,
    unknown_type: Tally,
    unknown_edge: Tally,
    nowhere: Tally,
    dependent: Tally,
    other: Tally,
    zones: Tally,
    drawn: u64,
    picked: u64,
    path: &'a Path,
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path, network: &'a RoadNetwork, options: RouteOptions) -> Self {
        Self {
            network,
            options,
            links: Names::of(&network.link_id),
            nodes: Names::of(&network.node_id),
            is_routes: false,
            types: BTreeMap::new(),
            routes: BTreeMap::new(),
            distribution: None,
            ways: Vec::new(),
            vehicle: None,
            flows: 0,
            ids: Vec::new(),
            depart_s: Vec::new(),
            classes: Vec::new(),
            way_of: Vec::new(),
            unknown_type: Tally::default(),
            unknown_edge: Tally::default(),
            nowhere: Tally::default(),
            dependent: Tally::default(),
            other: Tally::default(),
            zones: Tally::default(),
            drawn: 0,
            picked: 0,
            path,
        }
    }

    fn take(&mut self, piece: Piece<'_>, place: Place<'_>) -> Result<()> {
        match piece {
            Piece::Open(element) => self.open(element, place),
            Piece::Close("vehicle" | "trip" | "flow") => self.close_vehicle(place),
            Piece::Close("routeDistribution" | "vTypeDistribution") => {
                self.distribution = None;
                Ok(())
            }
            Piece::Close(_) | Piece::Text(_) => Ok(()),
        }
    }

    fn open(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        match element.name() {
            "routes" | "additional" | "trips" => self.is_routes = true,
            name if !self.is_routes => {
                let what = format!("starts with <{name}>, expected <routes>");
                return Err(place.problem(what).with_help("give a rou.xml or trips.xml of SUMO").into());
            }
            "vType" => {
                let [id, kind] = element.attributes(["id", "vClass"])?;
                let class = class(kind.as_deref().unwrap_or("passenger"));
                if let Some(name) = self.distribution.clone() {
                    self.types.entry(name).or_insert(class);
                }
                self.types.insert(id.unwrap_or_default().into_owned(), class);
            }
            "routeDistribution" | "vTypeDistribution" => {
                self.distribution = element.attribute("id")?.map(std::borrow::Cow::into_owned);
                self.picked += 1;
            }
            "route" => {
                let [id, edges] = element.attributes(["id", "edges"])?;
                let way = edges.as_deref().map_or(Way::Nowhere, |edges| self.way(edges, Way::Given));
                match &mut self.vehicle {
                    Some(vehicle) => vehicle.way = Some(way),
                    None => {
                        if let Some(name) = self.distribution.clone() {
                            self.routes.entry(name).or_insert_with(|| way.clone());
                        }
                        self.routes.insert(id.unwrap_or_default().into_owned(), way);
                    }
                }
            }
            "vehicle" | "trip" | "flow" => self.vehicle(element, place)?,
            name @ ("person" | "personFlow" | "container" | "containerFlow") => {
                let id = element.attribute("id")?.unwrap_or_default();
                self.other.add(&format!("{name} {id}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn way(&mut self, edges: &str, kind: impl Fn(std::ops::Range<usize>) -> Way) -> Way {
        let start = self.ways.len();
        for name in edges.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|name| !name.is_empty()) {
            let Some(row) = self.links.get(name) else {
                self.unknown_edge.add(name);
                self.ways.truncate(start);
                return Way::Nowhere;
            };
            self.ways.push(row);
        }
        if self.ways.len() == start { Way::Nowhere } else { kind(start..self.ways.len()) }
    }

    fn vehicle(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        self.vehicle = None;
        let names = ["id", "type", "depart", "route", "from", "to", "via", "fromJunction", "toJunction", "fromTaz"];
        let [id, kind, depart, route, from, to, via, from_node, to_node, zone] = element.attributes(names)?;
        let id = id.unwrap_or_default().into_owned();
        let is_flow = element.name() == "flow";
        let class = match kind.as_deref() {
            None | Some("DEFAULT_VEHTYPE" | "DEFAULT_TAXITYPE") => Some(VehicleClass::Car),
            Some("DEFAULT_BIKETYPE" | "DEFAULT_PEDTYPE" | "DEFAULT_RAILTYPE") => None,
            Some(kind) => self.types.get(kind).copied().unwrap_or_else(|| {
                self.unknown_type.add(kind);
                Some(VehicleClass::Car)
            }),
        };
        let Some(class) = class else {
            self.other.add(&format!("{} {id}", element.name()));
            return Ok(());
        };
        if zone.is_some() && from.is_none() && route.is_none() {
            self.zones.add(&id);
            return Ok(());
        }
        let depart_s = if is_flow {
            self.flow(element, place, &id)?
        } else {
            let text = depart.as_deref().unwrap_or("");
            match time_s(text) {
                Some(time) => vec![time],
                None if matches!(text, "triggered" | "containerTriggered" | "split" | "now" | "begin") => {
                    self.dependent.add(&format!("{id} ({text})"));
                    return Ok(());
                }
                None => {
                    let text = if text.is_empty() { "(blank)" } else { text };
                    let what = format!("{} {id}: depart = {text}, expected seconds", element.name());
                    return Err(place.problem(what).into());
                }
            }
        };
        let way = match (route, from, to, from_node, to_node) {
            (Some(name), ..) => Some(self.routes.get(&*name).cloned().unwrap_or_else(|| {
                self.unknown_edge.add(&format!("route {name}"));
                Way::Nowhere
            })),
            (_, Some(from), Some(to), ..) => {
                let via = via.as_deref().unwrap_or("");
                Some(self.way(&format!("{from} {via} {to}"), Way::Between))
            }
            (_, _, _, Some(from), Some(to)) => match (self.nodes.get(&from), self.nodes.get(&to)) {
                (Some(from), Some(to)) => Some(Way::Nodes(from, to)),
                _ => {
                    self.unknown_edge.add(&format!("junction {from} or {to}"));
                    Some(Way::Nowhere)
                }
            },
            _ => None,
        };
        self.vehicle = Some(Vehicle { id, depart_s, is_flow, class, way });
        Ok(())
    }

    /// Departures of a flow.
    fn flow(&mut self, element: &Element<'_>, place: Place<'_>, id: &str) -> Result<Vec<f64>> {
        let names = ["begin", "end", "number", "vehsPerHour", "perHour", "period", "probability"];
        let [begin, end, number, vehicles, rate, period, probability] = element.attributes(names)?;
        let fault = |field: &str, text: &str, expected: &str| {
            Error::from(place.problem(format!("flow {id}: {field} = {text}, expected {expected}")))
        };
        let time = |field: &str, text: Option<&str>, default: f64| match text {
            None => Ok(default),
            Some(text) => time_s(text).filter(|s| *s >= 0.0).ok_or_else(|| fault(field, text, "seconds >= 0")),
        };
        let positive = |field: &str, text: &str| {
            xml::number(text)
                .filter(|value| value.is_finite() && *value >= 0.0)
                .ok_or_else(|| fault(field, text, "a number >= 0"))
        };
        let begin_s = time("begin", begin.as_deref(), 0.0)?;
        let end_s = time("end", end.as_deref(), FLOW_END_S.max(begin_s))?;
        if end_s < begin_s {
            return Err(fault("end", &end_s.to_string(), "not before begin"));
        }
        let most = number.as_deref().map(|text| positive("number", text)).transpose()?;
        self.flows += 1;
        let flow = self.flows;
        let limit = |count: f64| {
            if count <= VEHICLES_MAX as f64 {
                Ok(count as usize)
            } else {
                Err(fault("number", &format!("{count:.0}"), "at most fifty million vehicles"))
            }
        };
        let hourly = vehicles.as_deref().or(rate.as_deref());
        let period_s = match (hourly, period.as_deref()) {
            (Some(text), _) => Some(3600.0 / positive("vehsPerHour", text)?),
            (None, Some(text)) => match text.trim().strip_prefix("exp(").and_then(|rest| rest.strip_suffix(')')) {
                Some(rate) => {
                    let rate = positive("period", rate)?;
                    limit(2.0 * rate * (end_s - begin_s))?;
                    self.drawn += 1;
                    return Ok(poisson(self.options.seed, flow, rate, begin_s, end_s));
                }
                None => Some(positive("period", text)?),
            },
            (None, None) => None,
        };
        if let Some(text) = probability {
            let share = positive("probability", &text)?.min(1.0);
            limit(end_s - begin_s)?;
            self.drawn += 1;
            let seconds = (end_s - begin_s).ceil() as u32;
            let drawn = |second: &u32| Rng::new(self.options.seed, flow, *second, PURPOSE_FLOW).chance(share);
            return Ok((0..seconds).filter(drawn).map(|second| begin_s + f64::from(second)).collect());
        }
        let Some(count) = most.or(period_s.map(|period_s| ((end_s - begin_s) / period_s).ceil())) else {
            let what = format!("flow {id}: number, period, perHour, vehsPerHour or probability is missing");
            return Err(place.problem(what).into());
        };
        let count = limit(count)?;
        let step_s = period_s.unwrap_or((end_s - begin_s) / (count as f64).max(1.0));
        Ok((0..count).map(|at| begin_s + step_s * at as f64).collect())
    }

    fn close_vehicle(&mut self, place: Place<'_>) -> Result<()> {
        let Some(vehicle) = self.vehicle.take() else { return Ok(()) };
        if self.ids.len() + vehicle.depart_s.len() > VEHICLES_MAX {
            return Err(place.problem("more than fifty million vehicles").into());
        }
        let way = vehicle.way.unwrap_or(Way::Nowhere);
        for (at, depart_s) in vehicle.depart_s.into_iter().enumerate() {
            let id = if vehicle.is_flow { format!("{}.{at}", vehicle.id) } else { vehicle.id.clone() };
            self.ids.push(id);
            self.depart_s.push(depart_s);
            self.classes.push(vehicle.class);
            self.way_of.push(way.clone());
        }
        Ok(())
    }

    fn finish(mut self) -> Result<SumoTrips> {
        if !self.is_routes {
            return Err(Problem::file(self.path, "has no <routes>").into());
        }
        let columns = &self.network.columns;
        // Legs between edges, in order of trips; equal ones are searched once.
        let mut queries: Vec<(u32, u32)> = Vec::new();
        for way in &self.way_of {
            if let Way::Between(range) = way {
                queries.extend(self.ways[range.clone()].windows(2).map(|pair| (pair[0], pair[1])));
            }
        }
        queries.sort_unstable();
        queries.dedup();
        let found = Fastest::new(columns).routes(&queries);
        let count = self.ids.len();
        let (mut from_node, mut to_node) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut route_ends, mut links) = (Vec::with_capacity(count), Vec::<CarLinkIx>::new());
        let (mut routed, mut gaps, mut no_way) = (0_u64, Tally::default(), Tally::default());
        for (way, id) in self.way_of.iter().zip(&self.ids) {
            let start = links.len();
            let mut nodes = (NONE, NONE);
            match way {
                Way::Given(range) => {
                    links.extend(self.ways[range.clone()].iter().map(|&link| CarLinkIx(link)));
                    if let Some(fault) = route_fault(columns, &links[start..]) {
                        gaps.add(&format!("{id} ({fault})"));
                        links.truncate(start);
                    }
                }
                Way::Between(range) => {
                    let ends = &self.ways[range.clone()];
                    links.push(CarLinkIx(ends[0]));
                    let all = ends.windows(2).all(|pair| {
                        let at = queries.partition_point(|query| *query < (pair[0], pair[1]));
                        let part = &found[at];
                        links.extend(part.iter().skip(1));
                        !part.is_empty()
                    });
                    if all {
                        routed += 1;
                    } else {
                        no_way.add(id);
                        links.truncate(start);
                    }
                }
                Way::Nodes(from, to) => nodes = (*from, *to),
                Way::Nowhere => self.nowhere.add(id),
            }
            if let (Some(first), Some(last)) = (links[start..].first(), links[start..].last()) {
                nodes = (columns.from[first.row()], columns.to[last.row()]);
            }
            from_node.push(nodes.0);
            to_node.push(nodes.1);
            route_ends.push(links.len() as u32);
        }
        let mut notes = Vec::new();
        if routed > 0 {
            notes.push(format!("{routed} trips between edges got the fastest route at free flow"));
        }
        if self.drawn > 0 {
            notes.push(format!("departures of {} flows are drawn with seed {}", self.drawn, self.options.seed));
        }
        if self.picked > 0 {
            notes.push(format!("{} distributions stand for their first member", self.picked));
        }
        self.unknown_edge.note(&mut notes, "names of edges, junctions or routes are not known");
        self.nowhere.note(&mut notes, "vehicles have no route that is known and cannot run");
        gaps.note(&mut notes, "routes have a gap and cannot run");
        no_way.note(&mut notes, "trips have no way between their edges and cannot run");
        self.dependent.note(&mut notes, "vehicles depart with others and were left out");
        self.zones.note(&mut notes, "trips go between zones of another file and were left out");
        self.other.note(&mut notes, "things that are no motor vehicles were left out");
        self.unknown_type.note(&mut notes, "vehicles of an unknown type are taken for cars");
        let cars_only = self.classes.iter().all(|&class| class == VehicleClass::Car);
        Ok(SumoTrips {
            trips: Trips {
                trip_id: TripIds::Text(self.ids),
                depart_s: self.depart_s,
                from_node,
                to_node,
                route_ends,
                route_links: links,
                vehicle_class: if cars_only { Vec::new() } else { self.classes },
            },
            notes,
        })
    }
}

/// Times of a Poisson process.
fn poisson(seed: u64, flow: u32, rate: f64, begin_s: f64, end_s: f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut rng = Rng::new(seed, flow, 0, PURPOSE_FLOW ^ 1);
    let mut time_s = begin_s;
    while rate > 0.0 && times.len() < VEHICLES_MAX {
        time_s -= (1.0 - rng.uniform()).ln() / rate;
        if time_s >= end_s {
            break;
        }
        times.push(time_s);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::super::network::small;
    use super::*;
    use crate::xml::fuzz;

    const SMALL: &str = r#"<routes><vType id="lorry" vClass="truck"/><vType id="bike" vClass="bicycle"/>
<route id="there" edges="ab bc"/>
<vehicle id="1" depart="5" route="there" type="lorry"/><vehicle id="2" depart="0:01:00"><route edges="ba ab"/></vehicle>
<trip id="3" depart="7.5" from="ba" to="bc"/><trip id="4" depart="8" from="bc" to="ab"/><trip id="5" depart="9" from="ab" to="ab"/>
<trip id="6" depart="1" fromJunction="a" toJunction="c"/><trip id="7" depart="1" from="x" to="ab"/><trip id="8" depart="triggered" from="ab" to="bc"/>
<flow id="f" begin="10" end="20" number="4" route="there"/><flow id="g" begin="0" end="10" period="4" from="ab" to="bc"/>
<flow id="h" begin="0" end="3600" vehsPerHour="2" from="ab" via="bc" to="bc"/><vehicle id="9" depart="0" type="bike" route="there"/>
<person id="p" depart="0"><walk edges="ab"/></person><vehicle id="10" depart="0"><route edges="bc ab"/></vehicle></routes>"#;

    fn read_bytes(bytes: &[u8], seed: u64) -> Result<SumoTrips> {
        let path = Path::new("rou.xml");
        let network = small();
        let mut reading = Reading::new(path, &network.network, RouteOptions { seed });
        xml::read_from(path, Box::new(bytes), |piece, place| reading.take(piece, place))?;
        reading.finish()
    }

    #[test]
    fn vehicles_trips_and_flows() {
        let read = read_bytes(SMALL.as_bytes(), 1).unwrap();
        let trips = &read.trips;
        let TripIds::Text(ids) = &trips.trip_id else { panic!() };
        let row = |id: &str| ids.iter().position(|other| other == id).unwrap();
        let route = |id: &str| -> Vec<u32> {
            let start = if row(id) == 0 { 0 } else { trips.route_ends[row(id) - 1] };
            trips.route_links[start as usize..trips.route_ends[row(id)] as usize].iter().map(|link| link.0).collect()
        };
        let names =
            ["1", "2", "3", "4", "5", "6", "7", "f.0", "f.1", "f.2", "f.3", "g.0", "g.1", "g.2", "h.0", "h.1", "10"];
        assert_eq!(ids, &names);
        assert_eq!(route("1"), [0, 1]);
        assert_eq!((route("3"), trips.from_node[row("3")], trips.to_node[row("3")]), (vec![2, 0, 1], 1, 2));
        assert_eq!((route("5"), route("6")), (vec![0], vec![]));
        assert_eq!((trips.from_node[row("6")], trips.to_node[row("6")]), (0, 2));
        assert_eq!(route("h.1"), [0, 1]);
        assert_eq!([trips.from_node[row("4")], trips.from_node[row("7")], trips.from_node[row("10")]], [NONE; 3]);
        assert_eq!(trips.depart_s[row("f.0")..=row("h.1")], [10.0, 12.5, 15.0, 17.5, 0.0, 4.0, 8.0, 0.0, 1800.0]);
        assert_eq!(trips.depart_s[row("2")].to_bits(), 60.0_f64.to_bits());
        assert_eq!((trips.vehicle_class[0], trips.vehicle_class[1]), (VehicleClass::Truck, VehicleClass::Car));
        let said =
            |words: &str| assert!(read.notes.iter().any(|note| note.contains(words)), "{words}: {:?}", read.notes);
        said("1 trips have no way between their edges and cannot run, e.g. 4");
        said("1 names of edges, junctions or routes are not known, e.g. x");
        said("1 routes have a gap and cannot run, e.g. 10 (a gap between link rows 1 and 0)");
        said("1 vehicles depart with others and were left out, e.g. 8 (triggered)");
        said("2 things that are no motor vehicles were left out, e.g. vehicle 9, person p");
    }

    #[test]
    fn drawn_departures_keep_their_rate() {
        let text = r#"<routes><flow id="p" begin="0" end="20000" probability="0.2" from="ab" to="bc"/>
<flow id="q" begin="0" end="20000" period="exp(0.2)" from="ab" to="bc"/></routes>"#;
        let trips = |seed| read_bytes(text.as_bytes(), seed).unwrap().trips;
        let (one, other) = (trips(1), trips(2));
        assert_eq!(one.depart_s, trips(1).depart_s);
        assert_ne!(one.depart_s, other.depart_s);
        let TripIds::Text(ids) = &one.trip_id else { panic!() };
        for name in ["p.", "q."] {
            let count = ids.iter().filter(|id| id.starts_with(name)).count();
            // Six standard deviations of 4000.
            assert!((3600..4400).contains(&count), "{name} {count}");
        }
        assert!(one.depart_s.iter().all(|time| (0.0..20_000.0).contains(time)));
    }

    #[test]
    fn faults_are_named() {
        for (inner, words) in [
            ("<trip id='a' from='ab' to='bc'/>", "trip a: depart = (blank), expected seconds"),
            ("<flow id='a' from='ab' to='bc'/>", "number, period, perHour, vehsPerHour or probability is missing"),
            ("<flow id='a' number='1e12' from='ab' to='bc'/>", "at most fifty million"),
            ("<flow id='a' number='1' begin='9' end='3' from='ab' to='bc'/>", "end = 3, expected not before begin"),
            ("<flow id='a' vehsPerHour='-3' from='ab' to='bc'/>", "vehsPerHour = -3, expected a number >= 0"),
            ("<flow id='a' period='0' from='ab' to='bc'/>", "at most fifty million"),
        ] {
            let Err(urbis_core::Error::Input(problems)) = read_bytes(format!("<routes>{inner}</routes>").as_bytes(), 0)
            else {
                panic!("{inner}")
            };
            assert!(problems.listed()[0].to_string().contains(words), "{}", problems.listed()[0]);
        }
        assert!(read_bytes(b"<net/>", 0).is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(changes in fuzz::changes()) {
            proptest::prop_assert!(fuzz::answered(read_bytes(&fuzz::changed(SMALL.as_bytes(), &changes), 3)));
        }
    }
}
