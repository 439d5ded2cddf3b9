//! Puts what was planned into tables: junctions, then waterworks, then tanks; mains, then pumps, then reducers, as a file of
//! EPANET has them.
//!
//! A border that is pumped over: pumps at its near end, the main behind them. One that leads down: the main, and the reducer
//! at its far end. Pumps of zones with a tank go on and off by its level, one after the other; those of zones without one
//! always run, along a flat curve.
//!
//! Contract: sequential.

use super::layout::Main;
use super::places::{self, BESIDE_M, TankPlace};
use super::zones::{Zoning, station_m3ps};
use super::{Basis, LinkFacts, NONE, SyntheticWater, SyntheticWaterSettings, TankFacts, WaterLinkKind, Zone, ZoneFeed};
use crate::streets::paths::Search;
use crate::water::network::{
    Action, Control, Curve, HeadLoss, LinkKind, LinkStatus, Mixing, Network, NodeKind, Pattern, PumpLift, Trigger,
};
use std::f64::consts::PI;
use urbis_city::model::City;

const DAY_S: f64 = 86_400.0;
/// Share of its depth that a tank is filled to at the start.
const FIRST_LEVEL: f64 = 0.75;
/// A day's draw of homes by hour (Micropolis, see `water_demand`), of which the pattern is shaped.
const HOURS: [f64; 24] = [
    0.55, 0.55, 0.58, 0.67, 0.85, 1.05, 1.16, 1.12, 1.15, 1.1, 1.02, 1.0, 1.02, 1.1, 1.2, 1.35, 1.45, 1.5, 1.5, 1.35,
    1.0, 0.8, 0.7, 0.6,
];

/// Pumps, or a reducer.
#[derive(Clone, Debug)]
pub(super) struct Station {
    pub(super) zone: u32,
    /// Node that it takes from, and where its main begins: behind its pumps, or the same.
    pub(super) near: u32,
    pub(super) outlet: u32,
    /// Its main.
    pub(super) main: u32,
    /// Node in its zone that it feeds.
    pub(super) into: u32,
    /// Node before its reducer.
    pub(super) before: Option<u32>,
    /// Curve of its pumps.
    pub(super) curve: Option<u32>,
    pub(super) design_m3ps: f64,
    pub(super) has_tank: bool,
}

/// The network, and what sizing needs of how it was made.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) of: SyntheticWater,
    pub(super) node_of: Vec<u32>,
    pub(super) stations: Vec<Station>,
    /// Of each zone with a tank: vertex that its main leads from, and the main's link.
    pub(super) tank_main: Vec<Option<(u32, u32)>>,
    /// Vertex where the waterworks of each zone feed in; [`NONE`] elsewhere.
    pub(super) works: Vec<u32>,
}

/// Of a city without buildings.
pub(super) fn empty(settings: &SyntheticWaterSettings) -> SyntheticWater {
    Tables::new(settings, 1.0).of
}

struct Tables {
    of: SyntheticWater,
}

impl Tables {
    fn new(settings: &SyntheticWaterSettings, peak_ratio: f64) -> Self {
        let mut network = Network::default();
        network.title.push("Synthetic water network: made up along streets, not surveyed (Urbis)".to_owned());
        network.options.head_loss = HeadLoss::DarcyWeisbach;
        network.energy.efficiency = settings.pump_efficiency;
        network.times.duration_s = DAY_S as u32;
        network.patterns.push(Pattern { id: "day".to_owned(), multipliers: pattern(peak_ratio) });
        let of = SyntheticWater {
            is_synthetic: true,
            network,
            building_node: Vec::new(),
            node_place: Vec::new(),
            node_zone: Vec::new(),
            node_required_m: Vec::new(),
            node_buildings: Vec::new(),
            node_peak_m3ps: Vec::new(),
            links: LinkFacts { corner_start: vec![0], ..LinkFacts::default() },
            zones: Vec::new(),
            tanks: Vec::new(),
            fires: Vec::new(),
            notes: Vec::new(),
        };
        Self { of }
    }
    fn node(&mut self, id: String, kind: NodeKind, elevation_m: f64, place: [f64; 2], zone: u32) -> u32 {
        let nodes = &mut self.of.network.nodes;
        nodes.id.push(id);
        nodes.kind.push(kind);
        nodes.elevation_m.push(elevation_m);
        nodes.head_pattern.push(NONE);
        nodes.emitter_m3ps.push(0.0);
        nodes.initial_quality.push(0.0);
        nodes.place.push(Some(place));
        self.of.node_place.push(place);
        self.of.node_zone.push(zone);
        self.of.node_required_m.push(0.0);
        self.of.node_buildings.push(0);
        self.of.node_peak_m3ps.push(0.0);
        self.of.node_place.len() as u32 - 1
    }
    fn link(
        &mut self,
        id: String,
        what: WaterLinkKind,
        ends: [u32; 2],
        length_m: f64,
        line: &[[f64; 2]],
        zone: u32,
    ) -> u32 {
        let links = &mut self.of.network.links;
        let is_pipe = length_m > 0.0;
        links.id.push(id);
        links.kind.push(match what {
            WaterLinkKind::Pump | WaterLinkKind::StandbyPump => LinkKind::Pump,
            WaterLinkKind::PressureReducer => LinkKind::Prv,
            _ => LinkKind::Pipe,
        });
        links.from.push(ends[0]);
        links.to.push(ends[1]);
        links.length_m.push(length_m);
        links.diameter_m.push(0.0);
        links.roughness.push(0.0);
        links.minor_loss.push(0.0);
        links.status.push(match what {
            WaterLinkKind::ClosedMain | WaterLinkKind::StandbyPump => LinkStatus::Closed,
            WaterLinkKind::PressureReducer => LinkStatus::Active,
            _ => LinkStatus::Open,
        });
        links.setting.push(1.0);
        links.curve.push(NONE);
        let reaction = if is_pipe { f64::NAN } else { 0.0 };
        links.bulk_per_s.push(reaction);
        links.wall_mps.push(reaction);
        links.vertices.push(line.get(1..line.len().saturating_sub(1)).unwrap_or_default().to_vec());
        let facts = &mut self.of.links;
        facts.kind.push(what);
        facts.pipe.push(if is_pipe { 0 } else { NONE });
        facts.zone.push(zone);
        let both = [self.of.node_place[ends[0] as usize], self.of.node_place[ends[1] as usize]];
        facts.corners.extend(if line.len() < 2 { &both[..] } else { line });
        facts.corner_start.push(facts.corners.len() as u32);
        facts.kind.len() as u32 - 1
    }
}

/// Multipliers of a day with a mean of one and the given highest: the shape of homes to the power that does.
fn pattern(peak_ratio: f64) -> Vec<f64> {
    let of_power = |power: f64| {
        let raised = HOURS.map(|value| value.powf(power));
        let mean = raised.iter().sum::<f64>() / 24.0;
        raised.map(|value| value / mean)
    };
    let highest = |power: f64| of_power(power).into_iter().fold(0.0, f64::max);
    let (mut low, mut high) = (0.0, 16.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if highest(middle) < peak_ratio { low = middle } else { high = middle }
    }
    of_power(low).to_vec()
}

/// Puts all of it into tables.
pub(super) fn assemble(city: &City, basis: &Basis<'_>, mains: &[Main], zoning: &Zoning) -> Built {
    let (streets, settings) = (basis.streets, basis.settings);
    let vertices = streets.place.len();
    let mut search = Search::new(vertices);
    let tank_places: Vec<Option<TankPlace>> =
        zoning.zones.iter().map(|zone| zone.has_tank.then(|| places::tank(basis, zone, &mut search))).collect();
    let works: Vec<u32> = zoning
        .zones
        .iter()
        .zip(&tank_places)
        .map(|(zone, tank)| match (zone.feed, tank) {
            (None, Some(tank)) => places::works(basis, zone, tank),
            _ => NONE,
        })
        .collect();
    let mut tables = Tables::new(settings, basis.peak_ratio);
    let mut node_of = vec![NONE; vertices];
    for vertex in (0..vertices).filter(|&vertex| zoning.zone_of[vertex] != NONE) {
        let id = format!("j{}", tables.of.node_place.len());
        let (height_m, zone) = (streets.height_m[vertex], zoning.zone_of[vertex]);
        let node = tables.node(id, NodeKind::Junction, height_m, streets.place[vertex], zone) as usize;
        node_of[vertex] = node as u32;
        tables.of.node_required_m[node] = basis.required_m[vertex];
        tables.of.node_buildings[node] = basis.buildings[vertex];
        tables.of.node_peak_m3ps[node] = settings.peak_day_factor * basis.peak_m3ps[vertex];
        if basis.buildings[vertex] > 0 {
            let demands = &mut tables.of.network.demands;
            demands.node.push(node as u32);
            demands.base_m3ps.push(basis.mean_m3ps[vertex]);
            demands.pattern.push(0);
        }
    }
    tables.of.building_node = streets.joint.iter().map(|&vertex| node_of[vertex as usize]).collect();
    let mut stations = stations(basis, zoning, &works, &node_of, &mut tables);
    let mut source_of = vec![NONE; zoning.zones.len()];
    for station in stations.iter_mut().filter(|of| works[of.zone as usize] != NONE) {
        let vertex = works[station.zone as usize] as usize;
        let (height_m, id) = (streets.height_m[vertex], format!("source{}", station.zone));
        station.near = tables.node(id, NodeKind::Reservoir, height_m, streets.place[vertex], station.zone);
        source_of[station.zone as usize] = station.near;
    }
    let tank_node = tanks(basis, zoning, &tank_places, &mut tables);
    lay_mains(basis, mains, zoning, &node_of, &mut stations, &mut tables);
    let mut tank_main = vec![None; zoning.zones.len()];
    for (zone, place) in tank_places.iter().enumerate() {
        let Some(place) = place else { continue };
        let line = streets.line(place.vertex, &place.way);
        let ends = [node_of[place.vertex as usize], tank_node[zone]];
        let id = format!("tankmain{zone}");
        let link = tables.link(id, WaterLinkKind::TankMain, ends, place.length_m, &line, zone as u32);
        tank_main[zone] = Some((place.vertex, link));
    }
    pumps(settings, &tank_node, &mut stations, &mut tables);
    reducers(zoning, &stations, &mut tables);
    let mut of = tables.of;
    of.zones = zones(zoning, &stations, &of);
    notes(city, basis, zoning, &mut of);
    Built { of, node_of, stations, tank_main, works }
}

/// Stations with their junctions.
fn stations(basis: &Basis<'_>, zoning: &Zoning, works: &[u32], node_of: &[u32], tables: &mut Tables) -> Vec<Station> {
    let (streets, settings) = (basis.streets, basis.settings);
    let mut all = Vec::with_capacity(zoning.zones.len());
    for (row, zone) in zoning.zones.iter().enumerate() {
        let (outer, inner) = match zone.feed {
            Some(feed) => (feed.ends[0], feed.ends[1]),
            None => (works[row], works[row]),
        };
        let is_pumped = zone.feed.is_none_or(|feed| feed.is_up);
        let place = |vertex: u32| (streets.height_m[vertex as usize], streets.place[vertex as usize]);
        let near = node_of[outer as usize];
        let mut junction = |id: String, vertex: u32| {
            let (height_m, at) = place(vertex);
            tables.node(id, NodeKind::Junction, height_m, at, row as u32)
        };
        let outlet = if is_pumped { junction(format!("station{row}"), outer) } else { near };
        let before = (!is_pumped).then(|| junction(format!("reducer{row}"), inner));
        let fire_m3ps = zone.through_mean_m3ps * settings.peak_day_factor + settings.fire_m3ps();
        let design_m3ps = match (zone.has_tank, is_pumped) {
            (true, _) => station_m3ps(basis, zone.through_mean_m3ps),
            (false, true) => zone.through_peak_m3ps.max(fire_m3ps).max(super::FLOW_M3PS_MIN),
            (false, false) => zone.through_peak_m3ps.max(super::FLOW_M3PS_MIN),
        };
        all.push(Station {
            zone: row as u32,
            near,
            outlet,
            main: NONE,
            into: node_of[inner as usize],
            before,
            curve: is_pumped.then_some(NONE),
            design_m3ps,
            has_tank: zone.has_tank,
        });
    }
    all
}

/// Tanks; the node of each zone's.
fn tanks(basis: &Basis<'_>, zoning: &Zoning, places: &[Option<TankPlace>], tables: &mut Tables) -> Vec<u32> {
    let settings = basis.settings;
    let mut node = vec![NONE; places.len()];
    for (row, place) in places.iter().enumerate() {
        let Some(place) = place else { continue };
        let zone = &zoning.zones[row];
        let vertex = place.way.last().map_or(place.vertex, |of| of.1);
        let at = basis.streets.place[vertex as usize];
        node[row] = tables.node(format!("tank{row}"), NodeKind::Tank, zone.head_m, at, row as u32);
        let day_m3 = zone.stored_mean_m3ps * settings.peak_day_factor * DAY_S;
        let volume_m3 = day_m3 * basis.catalogue.storage_share(day_m3) + settings.fire_m3ph * settings.fire_hours;
        let volume_m3 = volume_m3.max(10.0);
        let depth_m = settings.tank_depth_m;
        let of = &mut tables.of.network.tanks;
        of.node.push(node[row]);
        of.initial_level_m.push(FIRST_LEVEL * depth_m);
        of.min_level_m.push(0.0);
        of.max_level_m.push(depth_m);
        of.diameter_m.push((4.0 * volume_m3 / (PI * depth_m)).sqrt());
        of.min_volume_m3.push(0.0);
        of.volume_curve.push(NONE);
        of.can_overflow.push(false);
        of.mixing.push(Mixing::Complete);
        of.bulk_per_s.push(f64::NAN);
        tables.of.tanks.push(TankFacts {
            zone: row as u32,
            volume_m3,
            day_m3,
            ground_m: place.ground_m,
            above_ground_m: zone.head_m - place.ground_m,
        });
    }
    node
}

/// Mains, with those of stations and those that are closed.
fn lay_mains(
    basis: &Basis<'_>,
    mains: &[Main],
    zoning: &Zoning,
    node_of: &[u32],
    stations: &mut [Station],
    tables: &mut Tables,
) {
    let mut feeds = vec![NONE; mains.len()];
    for (row, zone) in zoning.zones.iter().enumerate() {
        if let Some(feed) = zone.feed {
            feeds[feed.main as usize] = row as u32;
        }
    }
    for (row, main) in mains.iter().enumerate() {
        let ends = main.ends.map(|vertex| node_of[vertex as usize]);
        let [zone, other] = main.ends.map(|vertex| zoning.zone_of[vertex as usize]);
        let mut line = basis.streets.line(main.ends[0], &main.way);
        let id = format!("m{row}");
        if let Some(station) = stations.get_mut(feeds[row] as usize) {
            let is_reversed = zoning.zones[station.zone as usize].feed.is_some_and(|feed| feed.ends[0] != main.ends[0]);
            if is_reversed {
                line.reverse();
            }
            let ends = [station.outlet, station.before.unwrap_or(station.into)];
            station.main = tables.link(id, WaterLinkKind::StationMain, ends, main.length_m, &line, station.zone);
            continue;
        }
        let kind = if zone == other { WaterLinkKind::Main } else { WaterLinkKind::ClosedMain };
        tables.link(id, kind, ends, main.length_m, &line, zone);
    }
    for station in stations.iter_mut().filter(|of| of.main == NONE) {
        let (id, ends) = (format!("works{}", station.zone), [station.outlet, station.into]);
        station.main = tables.link(id, WaterLinkKind::StationMain, ends, BESIDE_M, &[], station.zone);
    }
}

/// Pumps, their curves, and what turns them on and off.
fn pumps(settings: &SyntheticWaterSettings, tank_node: &[u32], stations: &mut [Station], tables: &mut Tables) {
    let duty = settings.duty_pumps;
    for station in stations.iter_mut().filter(|of| of.curve.is_some()) {
        let curve = tables.of.network.curves.len() as u32;
        station.curve = Some(curve);
        let of_each = station.design_m3ps / f64::from(duty);
        let id = format!("lift{}", station.zone);
        tables.of.network.curves.push(Curve { id, points: vec![[of_each, 1.0]] });
        for pump in 0..=duty {
            let kind = if pump < duty { WaterLinkKind::Pump } else { WaterLinkKind::StandbyPump };
            let id = format!("pump{}_{pump}", station.zone);
            let link = tables.link(id, kind, [station.near, station.outlet], 0.0, &[], station.zone);
            let of = &mut tables.of.network.pumps;
            of.link.push(link);
            of.lift.push(PumpLift::Curve(curve));
            of.speed_pattern.push(NONE);
            of.efficiency_curve.push(NONE);
            of.price_per_kwh.push(f64::NAN);
            of.price_pattern.push(NONE);
            if pump < duty && station.has_tank {
                let node = tank_node[station.zone as usize];
                let share = f64::from(pump) / f64::from(duty);
                let head_m =
                    |level: f64| tables.of.network.nodes.elevation_m[node as usize] + level * settings.tank_depth_m;
                let on = Trigger::HeadBelow(node, head_m(0.85 - 0.3 * share));
                let off = Trigger::HeadAbove(node, head_m(0.97 - 0.1 * share));
                let action = |status, speed| Action { link, status: Some(status), setting: Some(speed) };
                let controls = [
                    Control { action: action(LinkStatus::Open, 1.0), trigger: on },
                    Control { action: action(LinkStatus::Closed, 0.0), trigger: off },
                ];
                tables.of.network.controls.extend(controls);
                tables.of.network.links.status[link as usize] = LinkStatus::Closed;
            }
        }
    }
}

/// Pressure reducers: the head of the zone behind them.
fn reducers(zoning: &Zoning, stations: &[Station], tables: &mut Tables) {
    for station in stations {
        let Some(before) = station.before else { continue };
        let id = format!("prv{}", station.zone);
        let ends = [before, station.into];
        let link = tables.link(id, WaterLinkKind::PressureReducer, ends, 0.0, &[], station.zone) as usize;
        let ground_m = tables.of.network.nodes.elevation_m[station.into as usize];
        tables.of.network.links.setting[link] = zoning.zones[station.zone as usize].head_m - ground_m;
    }
}

fn zones(zoning: &Zoning, stations: &[Station], of: &SyntheticWater) -> Vec<Zone> {
    let tank_of = |zone: u32| of.tanks.iter().position(|tank| tank.zone == zone).map_or(NONE, |row| row as u32);
    let rows = zoning.zones.iter().zip(stations);
    rows.map(|(zone, station)| Zone {
        stretch: zone.stretch,
        band: zone.band,
        head_m: zone.head_m,
        ground_m_min: zone.ground_m[0],
        ground_m_max: zone.ground_m[1],
        buildings: zone.buildings,
        mean_m3ps: zone.mean_m3ps,
        feed: match zone.feed {
            None => ZoneFeed::Waterworks,
            Some(feed) if feed.is_up => ZoneFeed::Pumps,
            Some(_) => ZoneFeed::PressureReducer,
        },
        from: zone.feed.map_or(NONE, |feed| feed.from),
        design_m3ps: station.design_m3ps,
        tank: tank_of(station.zone),
    })
    .collect()
}

/// What people should know of the plan before it is solved.
fn notes(city: &City, basis: &Basis<'_>, zoning: &Zoning, of: &mut SyntheticWater) {
    let streets = basis.streets;
    let notes = &mut of.notes;
    if !streets.joinings_m.is_empty() {
        let (count, most) = (streets.joinings_m.len(), streets.joinings_m.iter().fold(0.0, |a: f64, &b| a.max(b)));
        let all: f64 = streets.joinings_m.iter().sum();
        notes.push(format!(
            "{count} stretches of streets that do not meet are joined by straight mains, {all:.0} m in all, {most:.0} m at most"
        ));
    }
    if streets.supplied.len() > 1 {
        let apart = streets.supplied.len() - 1;
        notes.push(format!(
            "{apart} stretches of streets are too far from the largest and have waterworks of their own"
        ));
    }
    if !streets.has_heights {
        notes.push("the city knows no heights of its streets: all of it is one flat zone".to_owned());
    }
    let towers: Vec<f64> = of.tanks.iter().map(|tank| tank.above_ground_m).filter(|&above_m| above_m > 6.0).collect();
    if !towers.is_empty() {
        let most = towers.iter().fold(0.0, |a: f64, &b| a.max(b));
        notes.push(format!(
            "{} of {} tanks stand on towers, up to {most:.0} m high, as no street leads to ground that is high enough",
            towers.len(),
            of.tanks.len()
        ));
    }
    let small = |is_up: bool| {
        let fed =
            zoning.zones.iter().filter(|zone| !zone.has_tank && zone.feed.is_some_and(|feed| feed.is_up == is_up));
        (fed.clone().count(), fed.map(|zone| zone.buildings).sum::<u32>())
    };
    let (boosted, buildings) = small(true);
    if boosted > 0 {
        notes.push(format!("{boosted} small zones have no tank: pumps hold their pressure ({buildings} buildings)"));
    }
    if basis.tall > 0 {
        notes.push(format!(
            "{} of {} buildings have more than {} storeys and lift their own water",
            basis.tall,
            city.buildings.len(),
            basis.settings.storeys_max
        ));
    }
}
