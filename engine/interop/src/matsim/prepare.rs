//! Makes plans ready to be simulated, as MATSim does before its first iteration: a trip of a single leg of a network
//! mode becomes walk, leg, walk ("access and egress"), and legs without a route get the fastest one at free flow.
//!
//! The leg starts where the foot of the perpendicular from the activity falls on the straight line through the link.
//! Walking: straight-line distance times 1.3 at 3 km/h (MATSim's defaults for teleported walks). A trip that gets
//! access and egress is routed anew unless its route is kept; of equally fast routes, see `fastest`.
//! Ignores: bicycles and public transport, whose legs keep the travel time of the file.
//! Contract: a pure function of its input on any number of threads.

use super::plans::{Activity, Leg, MatsimPlans, NONE};
use crate::fastest::Fastest;
use crate::names::Names;
use crate::network::RoadNetwork;
use urbis_core::CarLinkIx;

/// Straight lines become ways: MATSim's `beelineDistanceFactor`.
const BEELINE_FACTOR: f64 = 1.3;
/// MATSim's `teleportedModeSpeed` of walking, 3 km/h, m/s.
const WALK_MPS: f64 = 3.0 / 3.6;
/// End of the names of activities that only change the mode.
const INTERACTION: &str = " interaction";

/// How plans are prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrepareSettings {
    /// The mode whose legs drive on the network.
    pub mode: String,
    /// Whether trips of a single such leg get walks to and from the link.
    pub access_egress: bool,
    /// Whether trips that get walks keep the route of the file; MATSim finds a new one.
    pub keep_routes: bool,
}

impl Default for PrepareSettings {
    fn default() -> Self {
        Self { mode: "car".to_owned(), access_egress: true, keep_routes: false }
    }
}

/// Prepared plans: every leg of the network mode has a route or an empty one where there is no way (see the notes).
#[must_use]
pub fn prepare(network: &RoadNetwork, plans: &MatsimPlans, settings: &PrepareSettings) -> MatsimPlans {
    let mut ready = MatsimPlans {
        persons: plans.persons.clone(),
        first_activity: vec![0],
        route_links: plans.route_links.clone(),
        notes: plans.notes.clone(),
        ..MatsimPlans::default()
    };
    let mut kinds = Names::of(&plans.activity_names);
    let mut modes = Names::of(&plans.modes);
    let mut vehicles = Names::of(&plans.vehicles);
    let main = modes.insert(&settings.mode);
    let walk = modes.insert("walk");
    let interaction = kinds.insert(&format!("{}{INTERACTION}", settings.mode));
    let is_stage: Vec<bool> = kinds.list().iter().map(|kind| kind.ends_with(INTERACTION)).collect();
    let (mut wrapped, mut unplaced) = (0_u64, 0_u64);
    for (person, name) in plans.persons.iter().enumerate() {
        let range = plans.first_activity[person] as usize..plans.first_activity[person + 1] as usize;
        for at in range.clone() {
            let activity = plans.activities[at];
            ready.activities.push(activity);
            if at + 1 == range.end {
                break;
            }
            let next = plans.activities[at + 1];
            let mut leg = plans.legs[at - person].clone();
            if leg.mode == main {
                if leg.vehicle == NONE {
                    leg.vehicle = vehicles.insert(&format!("{name}_{}", settings.mode));
                }
                if activity.link == NONE || next.link == NONE {
                    unplaced += 1;
                    leg.route = 0..0;
                } else if settings.access_egress && !is_stage[activity.kind as usize] && !is_stage[next.kind as usize] {
                    wrapped += 1;
                    let stage = |of: &Activity| {
                        let (x, y) = foot(network, of);
                        Activity { kind: interaction, x, y, end_s: f64::NAN, duration_s: 0.0, ..*of }
                    };
                    let (start, end) = (stage(&activity), stage(&next));
                    let on_foot = |a: &Activity, b: &Activity| {
                        let metres = BEELINE_FACTOR * (a.x - b.x).hypot(a.y - b.y);
                        let metres = if metres.is_finite() { metres } else { 0.0 };
                        Leg {
                            mode: walk,
                            routing_mode: main,
                            depart_s: f64::NAN,
                            travel_s: metres / WALK_MPS,
                            distance_m: metres,
                            route: 0..0,
                            vehicle: NONE,
                        }
                    };
                    if !settings.keep_routes {
                        leg.route = 0..0;
                    }
                    ready.legs.push(on_foot(&activity, &start));
                    ready.activities.push(start);
                    ready.legs.push(Leg { depart_s: f64::NAN, ..leg });
                    ready.activities.push(end);
                    ready.legs.push(on_foot(&end, &next));
                    continue;
                }
            }
            ready.legs.push(leg);
        }
        ready.first_activity.push(ready.activities.len() as u32);
    }
    ready.activity_names = kinds.into_list();
    ready.modes = modes.into_list();
    ready.vehicles = vehicles.into_list();
    if wrapped > 0 {
        let routes = if settings.keep_routes { "kept theirs" } else { "were routed anew" };
        ready.notes.push(format!("{wrapped} trips of one {} leg got walks at both ends and {routes}", settings.mode));
    }
    if unplaced > 0 {
        ready.notes.push(format!("{unplaced} {} legs start or end on no link of the network", settings.mode));
    }
    find_routes(network, &mut ready, main);
    ready
}

fn find_routes(network: &RoadNetwork, plans: &mut MatsimPlans, main: u32) {
    let mut queries = Vec::new();
    let mut of_leg = Vec::new();
    for person in 0..plans.persons.len() {
        let range = plans.first_activity[person] as usize..plans.first_activity[person + 1] as usize;
        for at in range.start..range.end - 1 {
            let leg = &plans.legs[at - person];
            let (first, last) = (plans.activities[at].link, plans.activities[at + 1].link);
            if leg.mode == main && leg.route.is_empty() && first != NONE && last != NONE {
                queries.push((first, last));
                of_leg.push(at - person);
            }
        }
    }
    if queries.is_empty() {
        return;
    }
    let mut without = 0_u64;
    for (route, leg) in Fastest::new(&network.columns).routes(&queries).into_iter().zip(of_leg) {
        without += u64::from(route.is_empty());
        let start = plans.route_links.len() as u32;
        plans.route_links.extend_from_slice(&route);
        let leg = &mut plans.legs[leg];
        leg.route = start..plans.route_links.len() as u32;
        leg.distance_m = driven_m(network, &route);
    }
    plans.notes.push(format!("{} legs got the fastest route at free flow", queries.len() as u64 - without));
    if without > 0 {
        plans.notes.push(format!("{without} legs have no way from their first to their last link"));
    }
}

/// Length of a route as MATSim counts it: without the first link.
fn driven_m(network: &RoadNetwork, route: &[CarLinkIx]) -> f64 {
    route.iter().skip(1).map(|link| network.columns.length_m[link.row()]).sum()
}

/// Foot of the perpendicular on the line through a link; the end node of a link without extent.
fn foot(network: &RoadNetwork, activity: &Activity) -> (f64, f64) {
    let columns = &network.columns;
    let (from, to) = (columns.from[activity.link as usize] as usize, columns.to[activity.link as usize] as usize);
    let (x0, y0) = (columns.x_m[from], columns.y_m[from]);
    let (dx, dy) = (columns.x_m[to] - x0, columns.y_m[to] - y0);
    let square = dx * dx + dy * dy;
    if square <= 0.0 || !(activity.x.is_finite() && activity.y.is_finite()) {
        return (columns.x_m[to], columns.y_m[to]);
    }
    let share = ((activity.x - x0) * dx + (activity.y - y0) * dy) / square;
    (x0 + share * dx, y0 + share * dy)
}
