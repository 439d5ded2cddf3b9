//! The policies of a scenario, put into the city and the world that they change.

use bevy_ecs::world::World;
use std::sync::Arc;
use urbis_city::locate::CarNodeLocator;
use urbis_city::model::City;
use urbis_city::projection::Projection;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Clock, NodeIx, Problem, Problems, Result};
use urbis_coupling::Policies;
use urbis_coupling::policy::area::InArea;
use urbis_coupling::policy::roads;
use urbis_coupling::policy::state::{Amount, Changing, Closing, GROUPS_MAX, RoadChange, RoadPrice, Taker, When};
use urbis_coupling::policy::{Area, DAY, LaneUser, Policy, PolicyKind, PriceBasis, PriceClass, window};
use urbis_population::prices::{ParkingPrice, PlacePrices};
use urbis_population::settings::PersonKind;
use urbis_population::telework::Telework;
use urbis_population::{Persons, Places};
use urbis_scenario::{Loaded, Scenario};
use urbis_traffic::emissions::share_below;
use urbis_traffic::{CarNetwork, RoutesTaken, VehicleClass};
use urbis_transit::PatternIx;
use urbis_transit::frequency::{self, Change};
use urbis_transit::timetable::{Timetable, point};

/// Purpose of the draws of the standard of cars.
const COMPLIES: u32 = 0x4575_726f;
/// Name under which `[traffic.tolls]` take money.
const TOLLS: &str = "traffic.tolls";

/// Whether anybody pays for anything.
pub(crate) fn take_money(scenario: &Scenario) -> bool {
    let takes = |policy: &Policy| match policy.kind {
        PolicyKind::RoadPrice { .. } | PolicyKind::ParkingPrice { .. } => true,
        PolicyKind::LowEmissionZone { charge, .. } => charge.is_some(),
        _ => false,
    };
    !scenario.traffic.tolls.is_empty() || scenario.policy.iter().any(takes)
}

/// Whether policies change roads, signals, fares or timetables before anybody sets out, so that ways are to be measured again.
pub(crate) fn change_ways(scenario: &Scenario) -> bool {
    let changes = |policy: &Policy| {
        let kinds = matches!(policy.kind, PolicyKind::SpeedLimit { .. } | PolicyKind::Lanes { .. });
        kinds
            || matches!(
                policy.kind,
                PolicyKind::TransitFrequency { .. }
                    | PolicyKind::NewLine { .. }
                    | PolicyKind::Fares { .. }
                    | PolicyKind::NewRoad { .. }
                    | PolicyKind::Signals { .. }
            )
    };
    scenario.policy.iter().any(changes)
}

/// The area of every policy, in order.
///
/// # Errors
/// Areas that do not fit the city, each with its place in the scenario.
pub(crate) fn areas(loaded: &Loaded, city: &City) -> Result<Vec<InArea>> {
    let mut problems = Problems::new();
    let policies = loaded.scenario.policy.iter().enumerate();
    let areas = policies.map(|(row, policy)| {
        let tell = &|key: &str, what: &str| loaded.policy_problem(row, key, what);
        find_area(loaded, city, policy.area.as_ref(), tell, &mut problems)
    });
    let areas: Vec<InArea> = areas.collect();
    problems.or_else(areas)
}

/// An area of a policy or an event; what is wrong with it is told with its key and kept.
pub(crate) fn find_area(
    loaded: &Loaded,
    city: &City,
    area: Option<&Area>,
    tell: &dyn Fn(&str, &str) -> Problem,
    problems: &mut Problems,
) -> InArea {
    let Some(area) = area else { return InArea::whole(city) };
    let of_package = |layer: &String| loaded.package().join("layers").join(format!("{layer}.parquet"));
    let file = area.file.as_deref().map(|file| loaded.resolve(file)).or(area.layer.as_ref().map(of_package));
    InArea::find(city, area, file.as_deref()).unwrap_or_else(|faults| {
        for fault in faults {
            let key = if fault.key.is_empty() { "area".to_owned() } else { format!("area.{}", fault.key) };
            let problem = tell(&key, &fault.message);
            problems.push(match fault.help {
                Some(help) => problem.with_help(help),
                None => problem,
            });
        }
        InArea::default()
    })
}

/// Rows of the links of an area.
pub(crate) fn links_of(area: &InArea) -> impl Iterator<Item = usize> + '_ {
    (0..area.links.len()).filter(|&link| area.links[link])
}

/// Speed limits and lanes, put into the roads of the city where they hold all the time. By link, whether buses have lanes of their own; empty where
/// they have none.
///
/// # Errors
/// Policies that change no link.
pub(crate) fn change_roads(loaded: &Loaded, city: &mut City, areas: &[InArea]) -> Result<Vec<bool>> {
    let mut problems = Problems::new();
    let mut bus_lanes = Vec::new();
    for (row, (policy, area)) in loaded.scenario.policy.iter().zip(areas).enumerate() {
        match policy.kind {
            PolicyKind::SpeedLimit { speed_kmh, raises } => {
                let speed_mps = speed_kmh / 3.6;
                let changed = if policy.comes_and_goes() {
                    links_of(area).filter(|&link| roads::is_limited(city, link, speed_mps, raises)).count()
                } else {
                    roads::limit_speed(city, &area.links, speed_mps, raises)
                };
                if changed == 0 {
                    let what = format!("no road of the area is faster than {speed_kmh} km/h, so nothing would change");
                    problems.push(loaded.policy_problem(row, "speed_kmh", &what));
                }
            }
            PolicyKind::Lanes { taken, given_to } => {
                let has_lost = if policy.comes_and_goes() {
                    let loses =
                        |(link, &is_in): (usize, &bool)| is_in && roads::lanes_left(city, link, taken).is_some();
                    area.links.iter().enumerate().map(loses).collect()
                } else {
                    roads::take_lanes(city, &area.links, taken)
                };
                if !has_lost.contains(&true) {
                    let what = "no road of the area has more than one lane, and cars keep one: close it instead";
                    problems.push(loaded.policy_problem(row, "taken", what));
                }
                if given_to == LaneUser::Bus {
                    bus_lanes.resize(has_lost.len(), false);
                    bus_lanes.iter_mut().zip(has_lost).for_each(|(has_lane, lost)| *has_lane |= lost);
                }
            }
            _ => {}
        }
    }
    problems.or_else(bus_lanes)
}

/// Who stays at home, for the settings of the population.
pub(crate) fn telework(loaded: &Loaded, city: &City, areas: &[InArea]) -> Vec<Telework> {
    let places = Places::new(city);
    let of = |(policy, area): (&Policy, &InArea)| match policy.kind {
        PolicyKind::Telework { share, able_share, commuters } => {
            let days = loaded.policy_days(policy);
            Some(Telework { share, able_share, commuters, at: area.places(&places), days })
        }
        _ => None,
    };
    loaded.scenario.policy.iter().zip(areas).filter_map(of).collect()
}

/// The timetable with the departures that policies give it.
///
/// # Errors
/// Lines that the feeds do not have, and policies that change no departure.
pub(crate) fn change_departures(
    loaded: &Loaded,
    city: &City,
    areas: &[InArea],
    mut timetable: Timetable,
) -> Result<Timetable> {
    let mut problems = Problems::new();
    for (row, (policy, area)) in loaded.scenario.policy.iter().zip(areas).enumerate() {
        let PolicyKind::TransitFrequency { factor, routes: names } = &policy.kind else { continue };
        let mut routes = vec![names.is_empty(); timetable.routes.id.len()];
        for (nth, name) in names.iter().enumerate() {
            let known = timetable.routes.id.iter().zip(&timetable.routes.name);
            let mut is_known = false;
            for (is_named, (id, short)) in routes.iter_mut().zip(known) {
                if id == name || short == name {
                    (*is_named, is_known) = (true, true);
                }
            }
            if !is_known {
                let lines = || timetable.routes.name.iter().chain(&timetable.routes.id).map(String::as_str);
                let help = match did_you_mean(name, lines()) {
                    Some(line) => format!("did you mean `{line}`?"),
                    None => format!("lines are: {}", lines().take(8).collect::<Vec<_>>().join(", ")),
                };
                let what = format!("no line of the feeds has the id or name `{name}`");
                problems.push(loaded.policy_problem(row, &format!("routes.{nth}"), &what).with_help(help));
            }
        }
        if policy.area.is_some() {
            let halts = halt_in(city, area, &timetable)?;
            routes.iter_mut().zip(halts).for_each(|(is_named, halts)| *is_named &= halts);
        }
        let change = Change { routes, window_s: policy.window(), days: loaded.policy_days(policy), factor: *factor };
        let (changed, concerned) = frequency::change(timetable, &change);
        timetable = changed;
        if concerned == 0 && problems.is_empty() {
            let what = "no departure of its lines lies in its area, window and dates, so nothing would change";
            problems.push(loaded.policy_problem(row, "kind", what));
        }
    }
    problems.or_else(timetable)
}

/// By line, whether it halts in an area: where the street node nearest to a stop lies in it.
fn halt_in(city: &City, area: &InArea, timetable: &Timetable) -> Result<Vec<bool>> {
    let projection = Projection::from_code(&city.manifest.crs)
        .map_err(|what| Problem::file(std::path::Path::new(&city.manifest.name), what))?;
    let nodes = CarNodeLocator::new(&city.nodes, &city.links);
    let stops = timetable.stops.lat_deg.iter().zip(&timetable.stops.lon_deg);
    let is_in = |(&lat_deg, &lon_deg): (&f64, &f64)| {
        let (x_m, y_m) = projection.project(point(lat_deg, lon_deg));
        let node = if x_m.is_finite() { nodes.nearest(x_m, y_m) } else { NodeIx::NONE };
        node.is_some() && area.nodes.get(node.row()).copied().unwrap_or(false)
    };
    let stops: Vec<bool> = stops.map(is_in).collect();
    let mut halts = vec![false; timetable.routes.id.len()];
    for pattern in (0..timetable.patterns.len()).map(|row| PatternIx(row as u32)) {
        let halts = &mut halts[timetable.patterns.route[pattern.row()].row()];
        *halts |= timetable.patterns.stops(pattern).iter().any(|stop| stops[stop.row()]);
    }
    Ok(halts)
}

/// Prices and closures of a run.
///
/// # Errors
/// Tolls of links that cars do not use, and prices that cannot be told apart.
pub(crate) fn install(
    loaded: &Loaded,
    city: &City,
    world: &World,
    clock: &Clock,
    areas: &[InArea],
    seed: u64,
) -> Result<Policies> {
    let scenario = &loaded.scenario;
    let (network, places) = (world.resource::<CarNetwork>(), world.resource::<Places>());
    let mut problems = Problems::new();
    let ms_per_money = 3.6e6 / scenario.population.value_of_time_per_h.max(1e-6);
    let mut policies = Policies::new(ms_per_money, clock.local_second_of_day(0));
    let tolls = urbis_traffic::tolls_of_links(city, network, &scenario.traffic)?;
    if !tolls.is_empty() {
        let when = When { days: (0, i64::MAX), window: DAY };
        policies.roads.push(RoadPrice {
            taker: 0,
            weight: tolls,
            amounts: vec![Amount { when, classes: [true, true], money: 1.0 }],
            once_per_day: false,
            resident_share: 1.0,
            lives_in: Vec::new(),
            complies: Vec::new(),
            is_ban: false,
        });
        policies.takers.push(Taker { policy: TOLLS.to_owned(), payee: "city".to_owned() });
    }
    let mut at_places = PlacePrices::default();
    for (row, (policy, area)) in scenario.policy.iter().zip(areas).enumerate() {
        let when = When { days: loaded.policy_days(policy), window: policy.window() };
        let taker = policies.takers.len() as u32;
        match &policy.kind {
            PolicyKind::RoadPrice { basis, prices, once_per_day, resident_share } => {
                let weight = weights(city, network, area, *basis);
                if !weight.iter().any(|&weight| weight > 0.0) {
                    problems.push(loaded.policy_problem(row, "area", "no road for cars enters it"));
                }
                let amount = |price: &urbis_coupling::policy::Price| Amount {
                    when: When {
                        window: window(price.from.as_deref(), price.to.as_deref(), when.window).unwrap_or(when.window),
                        ..when
                    },
                    classes: [PriceClass::Car, PriceClass::Van]
                        .map(|class| price.classes.is_empty() || price.classes.contains(&class)),
                    money: price.amount,
                };
                let lives_in = area.places(places);
                if *resident_share < 1.0 {
                    if !at_places.home_share.is_empty() {
                        let what = "another policy has a share for residents, and people can plan with one alone";
                        problems.push(loaded.policy_problem(row, "resident_share", what));
                    }
                    let share = |&is_in: &bool| if is_in { *resident_share as f32 } else { 1.0 };
                    at_places.home_share = lives_in.iter().map(share).collect();
                }
                policies.roads.push(RoadPrice {
                    taker,
                    weight,
                    amounts: prices.iter().map(amount).collect(),
                    once_per_day: *once_per_day,
                    resident_share: *resident_share,
                    lives_in,
                    complies: Vec::new(),
                    is_ban: false,
                });
            }
            &PolicyKind::LowEmissionZone { charge, once_per_day, petrol_euro, diesel_euro, noncompliant_share } => {
                let weight = weights(city, network, area, PriceBasis::Cordon);
                if !weight.iter().any(|&weight| weight > 0.0) {
                    problems.push(loaded.policy_problem(row, "area", "no road for cars enters it"));
                }
                let below = |class| noncompliant_share.unwrap_or_else(|| share_below(class, petrol_euro, diesel_euro));
                let shares = [VehicleClass::Car, VehicleClass::Van].map(below);
                let complies = compliant(world.resource::<Persons>(), shares, seed);
                at_places.is_exempt.clone_from(&complies);
                // Nobody gives up a destination for a zone that few may not enter.
                at_places.mean_share = Some(if charge.is_some() { shares[0] } else { 0.0 });
                policies.roads.push(RoadPrice {
                    taker,
                    weight,
                    amounts: vec![Amount { when, classes: [true, true], money: charge.unwrap_or(0.0) }],
                    once_per_day: once_per_day && charge.is_some(),
                    resident_share: 1.0,
                    lives_in: Vec::new(),
                    complies,
                    is_ban: charge.is_none(),
                });
                if charge.is_none() {
                    continue;
                }
            }
            PolicyKind::ParkingPrice { per_hour, per_stay, residents_exempt } => {
                let (at, residents_exempt) = (area.places(places), *residents_exempt);
                if !at.contains(&true) {
                    problems.push(loaded.policy_problem(row, "area", "no building lies in it, so nobody parks there"));
                }
                let (per_hour, per_stay, window) = (*per_hour, *per_stay, when.window);
                at_places.parking.push(ParkingPrice { per_hour, per_stay, window, at, residents_exempt });
                policies.parking_takers.push((taker, when.days));
            }
            PolicyKind::Closure => {
                let links: Vec<CarLinkIx> =
                    links_of(area).map(|link| network.car_link[link]).filter(|link| link.is_some()).collect();
                if links.is_empty() {
                    problems.push(loaded.policy_problem(row, "area", "no road for cars lies in it"));
                }
                policies.closures.push(Closing { when, links });
                continue;
            }
            &PolicyKind::SpeedLimit { speed_kmh, raises } if policy.comes_and_goes() => {
                let speed_mps = speed_kmh / 3.6;
                let change = |link: usize| {
                    let limit = RoadChange::Limit { speed_mps, raises };
                    roads::is_limited(city, link, speed_mps, raises).then_some(limit)
                };
                policies.changes.push(Changing { when, links: change_links(network, area, change) });
                continue;
            }
            &PolicyKind::Lanes { taken, .. } if policy.comes_and_goes() => {
                let change = |link: usize| {
                    let left = f64::from(roads::lanes_left(city, link, taken)?);
                    Some(RoadChange::Share(left / f64::from(city.links.lanes[link])))
                };
                policies.changes.push(Changing { when, links: change_links(network, area, change) });
                continue;
            }
            // Put on before people plan, or into buildings.
            _ => continue,
        }
        policies.takers.push(Taker { policy: policy.name.clone(), payee: policy.revenue_to.clone() });
    }
    if policies.groups() > GROUPS_MAX {
        let what = format!("{} groups of drivers pay differently, expected at most {GROUPS_MAX}", policies.groups());
        problems.push(loaded.problem_at("policy", &what, "too many road prices with exemptions"));
    }
    policies.places = (at_places != PlacePrices::default()).then(|| Arc::new(at_places));
    policies.reset();
    problems.or_else(policies)
}

/// By person, whether their car, or van, is of a standard that may enter: a draw that is the same for every zone, so that a
/// stricter one keeps out those of a laxer one and others.
fn compliant(persons: &Persons, below: [f64; 2], seed: u64) -> Vec<bool> {
    let is_so = |(person, kind): (usize, &PersonKind)| {
        let share = below[usize::from(*kind == PersonKind::Delivery)];
        !Rng::new(seed, persons.key(person), 0, COMPLIES).chance(share)
    };
    persons.kind.iter().enumerate().map(is_so).collect()
}

/// Car links of an area that change; one that stands for several changes as the first of them does.
fn change_links(
    network: &CarNetwork,
    area: &InArea,
    change: impl Fn(usize) -> Option<RoadChange>,
) -> Vec<(CarLinkIx, RoadChange)> {
    let links = links_of(area).filter(|&link| network.car_link[link].is_some());
    let mut changes: Vec<_> = links.filter_map(|link| Some((network.car_link[link], change(link)?))).collect();
    changes.sort_by_key(|&(car, _)| car);
    changes.dedup_by_key(|(car, _)| *car);
    changes
}

/// How often a price is due on each car link: entries into the area, or kilometres in it.
fn weights(city: &City, network: &CarNetwork, area: &InArea, basis: PriceBasis) -> Vec<f32> {
    let mut weights = vec![0.0_f32; network.links()];
    // The body of a link is charged: what stands for several links for each of them, parts of one link once.
    for (link, car_link) in network.car_link.iter().enumerate().filter(|(_, link)| link.is_some()) {
        weights[car_link.row()] += match basis {
            PriceBasis::Cordon if area.enters(city, link) => 1.0,
            PriceBasis::PerKm if area.links[link] => (city.links.length_m[link] / 1000.0) as f32,
            _ => 0.0,
        };
    }
    weights
}

/// Lets traffic keep the routes that are charged.
pub(crate) fn keep_routes(world: &mut World, policies: &Policies) {
    world.resource_mut::<RoutesTaken>().are_kept = !policies.roads.is_empty();
}
