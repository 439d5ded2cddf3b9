//! MATSim plans (`plans_v4.dtd`, `population_v5.dtd`, `population_v6.dtd`), compressed or not: the selected plan of
//! each person, or the first where none is marked.
//!
//! A route is taken as the links of its text, completed by the links of the activities at its ends; a text of node
//! ids, as version 4 has, is turned into links. Routes with a link that the network lacks, or with a gap, are dropped
//! (one is found later) and counted in the notes with examples.
//! Ignores: attributes but the routing mode, scores, plans that are not selected, activity facilities.
//! Contract: a pure function of the file and the network; rows are in the order of the file.

use super::time_s;
use crate::names::Names;
use crate::network::RoadNetwork;
use crate::trips::{TripIds, Trips};
use crate::xml::{self, Element, Piece, Place};
use std::path::Path;
use urbis_core::{CarLinkIx, Problem, Result};
use urbis_traffic::queue_model::route_fault;

/// Row that does not exist.
pub(super) const NONE: u32 = u32::MAX;
const EXAMPLES: usize = 5;

/// What a person does between legs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activity {
    /// Row of its kind in [`MatsimPlans::activity_names`].
    pub kind: u32,
    /// Row of its link, `u32::MAX` where the file names none of the network.
    pub link: u32,
    /// Place; NaN where the file gives none.
    pub x: f64,
    /// Place; NaN where the file gives none.
    pub y: f64,
    /// When it ends, seconds; NaN where the file does not say.
    pub end_s: f64,
    /// How long it lasts at most, seconds; NaN where the file does not say.
    pub duration_s: f64,
}

/// A way from one activity to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// Row of its mode in [`MatsimPlans::modes`].
    pub mode: u32,
    /// Row of the mode for which the whole trip was routed.
    pub routing_mode: u32,
    /// Planned departure, seconds, or NaN.
    pub depart_s: f64,
    /// Planned travel time, seconds, or NaN.
    pub travel_s: f64,
    /// Length, metres, or NaN.
    pub distance_m: f64,
    /// Where its links are in [`MatsimPlans::route_links`], first and last link included; empty where none is known.
    pub route: std::ops::Range<u32>,
    /// Row of its vehicle in [`MatsimPlans::vehicles`], `u32::MAX` where the file names none.
    pub vehicle: u32,
}

/// The selected plans of a population. Person `p` has the activities `first_activity[p]..first_activity[p + 1]`; the
/// leg after activity `a` is `a - p`.
#[derive(Clone, Debug, Default)]
pub struct MatsimPlans {
    /// Outside id of each person.
    pub persons: Vec<String>,
    /// Where the activities of each person start; one more than persons.
    pub first_activity: Vec<u32>,
    /// All activities.
    pub activities: Vec<Activity>,
    /// All legs.
    pub legs: Vec<Leg>,
    /// Links of all routes.
    pub route_links: Vec<CarLinkIx>,
    /// Kinds of activities.
    pub activity_names: Vec<String>,
    /// Modes.
    pub modes: Vec<String>,
    /// Vehicles.
    pub vehicles: Vec<String>,
    /// What was assumed or left out, in sentences for people.
    pub notes: Vec<String>,
}

/// The car legs of plans as a table, for engines that know no chains of activities.
#[derive(Clone, Debug)]
pub struct PlanTrips {
    /// The trips. A vehicle starts at the end of its first link, as in MATSim, so that link is not in the route.
    pub trips: Trips,
    /// What was assumed or left out.
    pub notes: Vec<String>,
}

/// Reads plans.
///
/// # Errors
/// [`urbis_core::Error::Read`] when the file cannot be read; [`urbis_core::Error::Input`] when it is not a population of
/// MATSim, or legs and activities do not take turns.
pub fn read_plans(path: &Path, network: &RoadNetwork) -> Result<MatsimPlans> {
    let mut reading = Reading::new(path, network);
    xml::read(path, |piece, place| reading.take(piece, place))?;
    reading.finish()
}

impl MatsimPlans {
    /// Row of a mode.
    #[must_use]
    pub fn mode(&self, name: &str) -> Option<u32> {
        self.modes.iter().position(|mode| mode == name).map(|row| row as u32)
    }

    /// Legs of `mode` as trips that leave when planned: at the end of the activity before, or after its duration,
    /// counted from planned travel times; `travel_s` tells the time of routes without one.
    #[must_use]
    pub fn trips(&self, network: &RoadNetwork, mode: &str) -> PlanTrips {
        let wanted = self.mode(mode);
        let (mut ids, mut depart_s, mut from_node, mut to_node) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut route_ends, mut route_links) = (Vec::new(), Vec::new());
        let (mut guessed, mut never) = (0_u64, 0_u64);
        let columns = &network.columns;
        let free_s = |link: &CarLinkIx| columns.length_m[link.row()] / columns.speed_mps_free[link.row()];
        for (person, name) in self.persons.iter().enumerate() {
            let range = self.first_activity[person] as usize..self.first_activity[person + 1] as usize;
            let mut now_s = 0.0_f64;
            for at in range.start..range.end.saturating_sub(1) {
                let (activity, leg) = (&self.activities[at], &self.legs[at - person]);
                let next = &self.activities[at + 1];
                let ends = [activity.end_s, now_s + activity.duration_s, leg.depart_s];
                let Some(end_s) = ends.into_iter().find(|time| !time.is_nan()) else {
                    never += (range.end - 1 - at) as u64;
                    break;
                };
                now_s = now_s.max(end_s);
                let route = &self.route_links[leg.route.start as usize..leg.route.end as usize];
                if Some(leg.mode) == wanted {
                    ids.push(format!("{name}_{}", at - range.start + 1));
                    depart_s.push(now_s);
                    let end = |link: u32, of: &[u32]| of.get(link as usize).copied().unwrap_or(NONE);
                    from_node.push(end(activity.link, &columns.to));
                    to_node.push(end(next.link, &columns.to));
                    if route.len() > 1 {
                        route_links.extend_from_slice(&route[1..]);
                    }
                    route_ends.push(route_links.len() as u32);
                }
                if leg.travel_s.is_nan() {
                    guessed += 1;
                    now_s += route.iter().skip(1).map(free_s).sum::<f64>();
                } else {
                    now_s += leg.travel_s;
                }
            }
        }
        let mut notes = self.notes.clone();
        if guessed > 0 {
            notes.push(format!("{guessed} legs without a travel time take that of free flow on their route"));
        }
        if never > 0 {
            notes.push(format!("{never} legs follow an activity without an end and were left out"));
        }
        let trip_id = TripIds::Text(ids);
        PlanTrips {
            trips: Trips { trip_id, depart_s, from_node, to_node, route_ends, route_links, vehicle_class: Vec::new() },
            notes,
        }
    }
}

/// Counted faults with examples.
#[derive(Default)]
struct Tally {
    count: u64,
    examples: Vec<String>,
}

impl Tally {
    fn add(&mut self, example: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
    fn note(&self, notes: &mut Vec<String>, what: &str) {
        if self.count > 0 {
            notes.push(format!("{} {what}, e.g. {}", self.count, self.examples.join(", ")));
        }
    }
}

/// Where in the file.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Outside,
    Person,
    /// In a plan that is read, or one that is not.
    Plan(bool),
    Leg,
    Route,
    RoutingMode,
}

struct Reading<'a> {
    path: &'a Path,
    network: &'a RoadNetwork,
    links: Names,
    nodes: Names,
    plans: MatsimPlans,
    kinds: Names,
    modes: Names,
    vehicles: Names,
    state: State,
    is_population: bool,
    version_4: bool,
    /// Links by their nodes (from, to, row), for version 4.
    between: Vec<(u32, u32, u32)>,
    person: String,
    /// Whether the plan of this person that has been read is marked.
    chosen: bool,
    has_plan: bool,
    /// Activities, legs and routes of the person before this plan.
    marks: [usize; 3],
    text: String,
    route_start: u32,
    ends: [u32; 2],
    is_links: bool,
    without_plan: u64,
    unknown: Tally,
    gaps: Tally,
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path, network: &'a RoadNetwork) -> Self {
        Self {
            path,
            network,
            links: Names::of(&network.link_id),
            nodes: Names::of(&network.node_id),
            plans: MatsimPlans { first_activity: vec![0], ..MatsimPlans::default() },
            kinds: Names::default(),
            modes: Names::default(),
            vehicles: Names::default(),
            state: State::Outside,
            is_population: false,
            version_4: false,
            between: Vec::new(),
            person: String::new(),
            chosen: false,
            has_plan: false,
            marks: [0; 3],
            text: String::new(),
            route_start: 0,
            ends: [NONE; 2],
            is_links: true,
            without_plan: 0,
            unknown: Tally::default(),
            gaps: Tally::default(),
        }
    }

    fn take(&mut self, piece: Piece<'_>, place: Place<'_>) -> Result<()> {
        match piece {
            Piece::Open(element) => self.open(element, place),
            Piece::Close(name) => self.close(name, place),
            Piece::Text(text) => {
                if matches!(self.state, State::Route | State::RoutingMode) {
                    self.text.push_str(text);
                }
                Ok(())
            }
        }
    }

    fn open(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        match (element.name(), self.state) {
            ("population", State::Outside) => self.is_population = true,
            ("plans", State::Outside) => {
                (self.is_population, self.version_4) = (true, true);
                let columns = &self.network.columns;
                let ends = columns.from.iter().zip(&columns.to).zip(0..);
                self.between = ends.map(|((&from, &to), row)| (from, to, row)).collect();
                self.between.sort_unstable();
            }
            (name, _) if !self.is_population => {
                let what = format!("starts with <{name}>, expected <population> or <plans>");
                return Err(place.problem(what).with_help("give the file that MATSim calls inputPlansFile").into());
            }
            ("person", State::Outside) => {
                let id = element.attribute("id")?.filter(|id| !id.is_empty());
                self.person = id.ok_or_else(|| place.problem("person without id"))?.into_owned();
                (self.has_plan, self.chosen, self.state) = (false, false, State::Person);
                self.mark();
            }
            ("plan", State::Person) => {
                let selected = element.attribute("selected")?.is_some_and(|word| word == "yes");
                let better = !self.has_plan || (selected && !self.chosen);
                if better {
                    self.plans.activities.truncate(self.marks[0]);
                    self.plans.legs.truncate(self.marks[1]);
                    self.plans.route_links.truncate(self.marks[2]);
                    (self.has_plan, self.chosen) = (true, selected);
                }
                self.state = State::Plan(better);
            }
            ("activity" | "act", State::Plan(true)) => self.activity(element, place)?,
            ("leg", State::Plan(true)) => self.leg(element, place)?,
            ("attribute", State::Leg) if element.attribute("name")?.is_some_and(|name| name == "routingMode") => {
                self.text.clear();
                self.state = State::RoutingMode;
            }
            ("route", State::Leg) => self.route(element)?,
            _ => {}
        }
        Ok(())
    }

    fn mark(&mut self) {
        self.marks = [self.plans.activities.len(), self.plans.legs.len(), self.plans.route_links.len()];
    }

    fn activity(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        let names = ["type", "link", "x", "y", "end_time", "max_dur", "dur"];
        let [kind, link, x, y, end, most, duration] = element.attributes(names)?;
        let (acts, legs) = (self.plans.activities.len() - self.marks[0], self.plans.legs.len() - self.marks[1]);
        if acts != legs {
            return Err(place.problem(format!("person {}: two activities without a leg between", self.person)).into());
        }
        let number = |text: Option<&str>| text.and_then(xml::number).filter(|v| v.is_finite()).unwrap_or(f64::NAN);
        let time = |text: Option<&str>| text.and_then(time_s).unwrap_or(f64::NAN);
        let row = link.as_deref().and_then(|name| self.links.get(name));
        if let (Some(name), None) = (&link, row) {
            self.unknown.add(|| format!("link {name} of an activity of person {}", self.person));
        }
        self.plans.activities.push(Activity {
            kind: self.kinds.insert(kind.as_deref().unwrap_or("")),
            link: row.unwrap_or(NONE),
            x: number(x.as_deref()),
            y: number(y.as_deref()),
            end_s: time(end.as_deref()),
            duration_s: time(most.as_deref().or(duration.as_deref())),
        });
        Ok(())
    }

    fn leg(&mut self, element: &Element<'_>, place: Place<'_>) -> Result<()> {
        let (acts, legs) = (self.plans.activities.len() - self.marks[0], self.plans.legs.len() - self.marks[1]);
        if acts != legs + 1 {
            return Err(place.problem(format!("person {}: a leg without an activity before", self.person)).into());
        }
        let [mode, depart, travel] = element.attributes(["mode", "dep_time", "trav_time"])?;
        let time = |text: Option<&str>| text.and_then(time_s).unwrap_or(f64::NAN);
        let mode = self.modes.insert(mode.as_deref().unwrap_or(""));
        let end = self.plans.route_links.len() as u32;
        self.plans.legs.push(Leg {
            mode,
            routing_mode: mode,
            depart_s: time(depart.as_deref()),
            travel_s: time(travel.as_deref()),
            distance_m: f64::NAN,
            route: end..end,
            vehicle: NONE,
        });
        self.state = State::Leg;
        Ok(())
    }

    fn route(&mut self, element: &Element<'_>) -> Result<()> {
        let names = ["type", "start_link", "end_link", "trav_time", "distance", "dist", "vehicleRefId"];
        let [kind, start, end, travel, distance, dist, vehicle] = element.attributes(names)?;
        let row = |name: Option<&str>| name.and_then(|name| self.links.get(name)).unwrap_or(NONE);
        self.ends = [row(start.as_deref()), row(end.as_deref())];
        self.is_links = kind.as_deref().is_none_or(|kind| kind == "links");
        self.route_start = self.plans.route_links.len() as u32;
        self.text.clear();
        self.state = State::Route;
        let Some(leg) = self.plans.legs.last_mut() else { return Ok(()) };
        if let Some(travel_s) = travel.as_deref().and_then(time_s) {
            leg.travel_s = travel_s;
        }
        let distance = distance.as_deref().or(dist.as_deref()).and_then(xml::number);
        leg.distance_m = distance.filter(|metres| metres.is_finite() && *metres >= 0.0).unwrap_or(f64::NAN);
        if let Some(vehicle) = vehicle.filter(|name| !name.is_empty() && name != "null") {
            leg.vehicle = self.vehicles.insert(&vehicle);
        }
        Ok(())
    }

    fn close(&mut self, name: &str, place: Place<'_>) -> Result<()> {
        match (name, self.state) {
            ("attribute", State::RoutingMode) => {
                if let Some(leg) = self.plans.legs.last_mut()
                    && !self.text.trim().is_empty()
                {
                    leg.routing_mode = self.modes.insert(self.text.trim());
                }
                self.state = State::Leg;
            }
            ("route", State::Route) => {
                self.route_text();
                self.state = State::Leg;
            }
            ("leg", State::Leg) => self.state = State::Plan(true),
            ("plan", State::Plan(read)) => {
                let acts = self.plans.activities.len() - self.marks[0];
                if read && acts > 0 && acts != self.plans.legs.len() - self.marks[1] + 1 {
                    let what = format!("person {}: the plan ends with a leg, expected an activity", self.person);
                    return Err(place.problem(what).into());
                }
                self.state = State::Person;
            }
            ("person", State::Person) => {
                if self.plans.activities.len() > self.marks[0] {
                    self.plans.persons.push(std::mem::take(&mut self.person));
                    self.plans.first_activity.push(self.plans.activities.len() as u32);
                } else {
                    self.without_plan += 1;
                }
                self.state = State::Outside;
            }
            _ => {}
        }
        Ok(())
    }

    /// Links of the route that has been read, unless it is of another kind.
    fn route_text(&mut self) {
        if !self.is_links {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let start = self.route_start as usize;
        let ok = if self.version_4 { self.nodes_to_links(&text) } else { self.links_of(&text) };
        let links = &mut self.plans.route_links;
        if !ok {
            links.truncate(start);
        } else if let Some(fault) = route_fault(&self.network.columns, &links[start..]) {
            links.truncate(start);
            self.gaps.add(|| format!("{fault} in a route of person {}", self.person));
        }
        if let Some(leg) = self.plans.legs.last_mut() {
            leg.route = start as u32..self.plans.route_links.len() as u32;
        }
        self.text = text;
    }

    fn links_of(&mut self, text: &str) -> bool {
        let start = self.plans.route_links.len();
        for name in text.split_ascii_whitespace() {
            let Some(row) = self.links.get(name) else {
                self.unknown.add(|| format!("link {name} in a route of person {}", self.person));
                return false;
            };
            self.plans.route_links.push(CarLinkIx(row));
        }
        // Some writers leave the ends out of the text.
        let [first, last] = self.ends;
        let links = &mut self.plans.route_links;
        if first != NONE && links.get(start) != Some(&CarLinkIx(first)) {
            links.insert(start, CarLinkIx(first));
        }
        if last != NONE && links.last() != Some(&CarLinkIx(last)) {
            links.push(CarLinkIx(last));
        }
        true
    }

    /// Version 4 names the nodes between the links of the activities; those links are added when all is read.
    fn nodes_to_links(&mut self, text: &str) -> bool {
        let mut before = None;
        for name in text.split_ascii_whitespace() {
            let Some(node) = self.nodes.get(name) else {
                self.unknown.add(|| format!("node {name} in a route of person {}", self.person));
                return false;
            };
            if let Some(from) = before {
                let at = self.between.partition_point(|pair| (pair.0, pair.1) < (from, node));
                let found = self.between.get(at).filter(|pair| (pair.0, pair.1) == (from, node));
                let Some(&(_, _, row)) = found else {
                    self.gaps.add(|| format!("no link to node {name} in a route of person {}", self.person));
                    return false;
                };
                self.plans.route_links.push(CarLinkIx(row));
            }
            before = Some(node);
        }
        true
    }

    fn finish(mut self) -> Result<MatsimPlans> {
        if self.plans.persons.is_empty() {
            return Err(Problem::file(self.path, "has no person with a plan").into());
        }
        let plans = &mut self.plans;
        plans.activity_names = self.kinds.into_list();
        plans.modes = self.modes.into_list();
        plans.vehicles = self.vehicles.into_list();
        if self.version_4 {
            add_ends(plans, &self.network.columns.from, &self.network.columns.to, &mut self.gaps);
        }
        if self.without_plan > 0 {
            plans.notes.push(format!("{} persons have no plan and were left out", self.without_plan));
        }
        self.unknown
            .note(&mut plans.notes, "names of links or nodes are not in the network; such routes are found anew");
        self.gaps.note(&mut plans.notes, "routes have a gap and are found anew");
        Ok(self.plans)
    }
}

/// Puts the links of the activities around the routes of version 4; where they do not fit, the route is dropped.
fn add_ends(plans: &mut MatsimPlans, from: &[u32], to: &[u32], gaps: &mut Tally) {
    let old = std::mem::take(&mut plans.route_links);
    let mut all = Vec::with_capacity(old.len() + 2 * plans.legs.len());
    for person in 0..plans.persons.len() {
        let range = plans.first_activity[person] as usize..plans.first_activity[person + 1] as usize;
        for at in range.start..range.end - 1 {
            let leg = &mut plans.legs[at - person];
            let inner = &old[leg.route.start as usize..leg.route.end as usize];
            let (first, last) = (plans.activities[at].link, plans.activities[at + 1].link);
            let start = all.len();
            if first != NONE
                && last != NONE
                && (first == last || !inner.is_empty() || to[first as usize] == from[last as usize])
            {
                all.push(CarLinkIx(first));
                if first != last || !inner.is_empty() {
                    all.extend_from_slice(inner);
                    all.push(CarLinkIx(last));
                }
                if all[start..].windows(2).any(|pair| to[pair[0].row()] != from[pair[1].row()]) {
                    all.truncate(start);
                    gaps.add(|| format!("a route of person {}", plans.persons[person]));
                }
            }
            leg.route = start as u32..all.len() as u32;
        }
    }
    plans.route_links = all;
}
