//! Diameters, and what pumps lift.
//!
//! Zones are solved by themselves: what a station moves is known from the tree of zones, so that it is drawn on one side of
//! it and put in on the other, or, where a reducer holds the head, that head is given. States: the hour of highest draw of
//! the day of highest draw with tanks low; the hour of least draw with tanks full and pumps at their design flow; and that of
//! highest draw of a mean day with a fire at a hydrant.
//!
//! 1. To begin with, each main is the least that carries what lies behind it on the shortest way from where its zone is fed,
//!    and what flows to the tank.
//! 2. A few times, each becomes the least that carries what is solved, no more than a step down.
//! 3. Then mains are only made larger: where velocity is over what they are planned for, and where pressure is short, those
//!    that lose most by the metre on the way by which the water comes.
//! 4. Likewise for fires at the hydrants that are hardest to reach.
//! 5. Pumps lift what the states say, at their design flow.
//!
//! What is left over after so many rounds is told. Contract: sequential, ties to the lower row.

use super::assemble::Built;
use super::layout::{Incidence, Main, ways};
use super::zones::Zoning;
use super::{Basis, FireTest, NONE, WaterLinkKind};
use crate::water::Hydraulics;
use crate::water::losses::Losses;
use crate::water::network::{LinkStatus, NodeKind};
use urbis_core::Result;

/// Rounds in which mains may become smaller.
const FIT_ROUNDS: u32 = 4;
/// Rounds in which they only become larger.
const RAISE_ROUNDS: u32 = 40;
/// Rounds for each fire.
const FIRE_ROUNDS: u32 = 12;
/// Junctions by zone that are looked at in a round where pressure is short: so many, and an eighth of the others.
const SHORT_BY_ZONE: usize = 24;
const SHORT_PART: usize = 8;
/// Level of tanks at the peak, and while they fill, over their depth: a full one would take nothing more.
const LEVEL_AT_PEAK: f64 = 0.3;
const LEVEL_AT_FILL: f64 = 0.98;
/// Pressure that is missing where it counts, metres.
const SHORT_M: f64 = 0.01;
/// What pumps lift beyond what is solved, and the least that they lift, metres.
const SPARE_M: f64 = 1.0;
const LIFT_M_MIN: f64 = 3.0;
/// Lift of pumps of a flat curve at no flow and at twice the flow that they are made for, over that there; makers' curves of
/// pressure boosters are of this order (estimate).
const LIFT_AT_REST: f64 = 1.1;
const LIFT_AT_TWICE: f64 = 0.6;
/// Hydrants tried out are no nearer to one another, metres.
const HYDRANT_APART_M: f64 = 400.0;

struct Sizer<'a> {
    basis: &'a Basis<'a>,
    zoning: &'a Zoning,
    built: &'a mut Built,
    solver: Hydraulics,
    /// Links by node.
    start: Vec<u32>,
    link: Vec<u32>,
    /// Solves that did not settle.
    unsettled: u32,
}

/// Sizes everything.
///
/// # Errors
/// Curves of pumps that no lift can be made of; none are made here.
pub(super) fn size(
    basis: &Basis<'_>,
    mains: &[Main],
    at: &Incidence,
    zoning: &Zoning,
    built: &mut Built,
) -> Result<()> {
    first_pipes(basis, mains, at, zoning, built);
    let mut sizer = Sizer::new(basis, zoning, built)?;
    for _ in 0..FIT_ROUNDS {
        sizer.fit()?;
    }
    let mut is_done = false;
    for _ in 0..RAISE_ROUNDS {
        if !sizer.raise()? {
            is_done = true;
            break;
        }
    }
    let hydrants = sizer.hydrants(mains, at);
    for node in hydrants {
        let fire = sizer.try_fire(node)?;
        sizer.built.of.fires.push(fire);
    }
    sizer.lift()?;
    sizer.tell(is_done);
    sizer.finish();
    Ok(())
}

/// Pipes by what lies behind them on the shortest ways.
fn first_pipes(basis: &Basis<'_>, mains: &[Main], at: &Incidence, zoning: &Zoning, built: &mut Built) {
    let vertices = basis.streets.place.len();
    let mut load_m3ps: Vec<f64> = basis.peak_m3ps.iter().map(|draw| draw * basis.settings.peak_day_factor).collect();
    for zone in &zoning.zones {
        if let Some(feed) = zone.feed {
            load_m3ps[feed.ends[0] as usize] += zone.through_peak_m3ps;
        }
    }
    let mut fill_m3ps = vec![0.0; vertices];
    for (row, zone) in zoning.zones.iter().enumerate() {
        let from = zone.feed.map_or(built.works[row], |feed| feed.ends[1]);
        if let Some((vertex, link)) = built.tank_main[row] {
            fill_m3ps[vertex as usize] += built.stations[row].design_m3ps;
            let flow_m3ps = built.stations[row].design_m3ps;
            built.of.links.pipe[link as usize] = basis.catalogue.pipe_for(flow_m3ps);
        }
        let may_pass =
            |main: u32| mains[main as usize].ends.iter().all(|&end| zoning.zone_of[end as usize] == row as u32);
        let length_mm = |main: u32| (mains[main as usize].length_m * 1000.0) as u64;
        let way = ways(vertices, mains, at, from, &may_pass, &length_mm);
        for &vertex in way.order.iter().rev() {
            let main = way.before[vertex as usize];
            if main == NONE {
                continue;
            }
            let (load, fill) = (load_m3ps[vertex as usize], fill_m3ps[vertex as usize]);
            built.of.links.pipe[main as usize] = basis.catalogue.pipe_for(load.max(fill));
            let [a, b] = mains[main as usize].ends;
            let before = if a == vertex { b } else { a } as usize;
            load_m3ps[before] += load;
            fill_m3ps[before] += fill;
        }
        let station = &built.stations[row];
        let flow_m3ps = station.design_m3ps.max(zone.through_peak_m3ps);
        built.of.links.pipe[station.main as usize] = basis.catalogue.pipe_for(flow_m3ps);
    }
}

impl<'a> Sizer<'a> {
    fn new(basis: &'a Basis<'a>, zoning: &'a Zoning, built: &'a mut Built) -> Result<Self> {
        set_pipes(basis, built);
        let mut net = built.of.network.clone();
        net.controls.clear();
        for link in 0..net.links.id.len() {
            if net.links.length_m[link] <= 0.0 {
                net.links.status[link] = LinkStatus::Closed;
            }
        }
        for station in &built.stations {
            if station.has_tank {
                continue;
            }
            let into = station.into as usize;
            net.nodes.kind[into] = NodeKind::Reservoir;
            net.nodes.elevation_m[into] = zoning.zones[station.zone as usize].head_m;
        }
        let nodes = net.nodes.id.len();
        let mut start = vec![0_u32; nodes + 1];
        let ends = |link: usize| [net.links.from[link], net.links.to[link]];
        (0..net.links.id.len()).flat_map(ends).for_each(|end| start[end as usize + 1] += 1);
        for node in 0..nodes {
            start[node + 1] += start[node];
        }
        let mut next = start.clone();
        let mut link = vec![0; start[nodes] as usize];
        for row in 0..net.links.id.len() {
            for end in ends(row) {
                link[next[end as usize] as usize] = row as u32;
                next[end as usize] += 1;
            }
        }
        Ok(Self { solver: Hydraulics::new(net)?, basis, zoning, built, start, link, unsettled: 0 })
    }
    /// Takes diameters over into the network that is solved.
    fn renew(&mut self) -> Result<()> {
        set_pipes(self.basis, self.built);
        let links = &self.built.of.network.links;
        self.solver.net.links.diameter_m.copy_from_slice(&links.diameter_m);
        self.solver.net.links.roughness.copy_from_slice(&links.roughness);
        self.solver.losses = Losses::new(&self.solver.net)?;
        Ok(())
    }
    /// Solves for draws by node, with tanks at a level over their depth.
    fn solve(&mut self, draw_m3ps: &dyn Fn(usize) -> f64, level: f64) {
        let (of, stations) = (&self.built.of, &self.built.stations);
        let mut of_zone = vec![0.0; stations.len()];
        for node in 0..of.node_place.len() {
            let draw = draw_m3ps(node);
            self.solver.demand_m3ps[node] = draw;
            of_zone[of.node_zone[node] as usize] += draw;
        }
        // From the last zones to the first: what their feeds carry.
        for row in (0..stations.len()).rev() {
            let station = &stations[row];
            let flow = if station.has_tank { station.design_m3ps } else { of_zone[row] };
            if let Some(feed) = self.zoning.zones[row].feed {
                of_zone[feed.from as usize] += flow;
            }
            let is_reduced = station.outlet == station.near;
            let takes = if is_reduced { station.before.unwrap_or(station.near) } else { station.near };
            self.solver.demand_m3ps[takes as usize] += flow;
            if station.has_tank {
                self.solver.demand_m3ps[station.outlet as usize] -= flow;
            }
        }
        let net = &self.solver.net;
        for tank in 0..net.tanks.node.len() {
            let node = net.tanks.node[tank] as usize;
            self.solver.head_m[node] = net.nodes.elevation_m[node] + level * net.tanks.max_level_m[tank];
        }
        self.unsettled += u32::from(!self.solver.solve().is_balanced);
    }
    fn solve_peak(&mut self) {
        let peak = std::mem::take(&mut self.built.of.node_peak_m3ps);
        self.solve(&|node| peak[node], LEVEL_AT_PEAK);
        self.built.of.node_peak_m3ps = peak;
    }
    fn solve_fill(&mut self) {
        let least = self.built.of.network.patterns[0].multipliers.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        let mut draw = vec![0.0; self.built.of.node_place.len()];
        let demands = &self.built.of.network.demands;
        for (node, base) in demands.node.iter().zip(&demands.base_m3ps) {
            draw[*node as usize] = base * least;
        }
        self.solve(&|node| draw[node], LEVEL_AT_FILL);
    }
    fn is_pipe(&self, link: usize) -> bool {
        self.built.of.links.pipe[link] != NONE && self.built.of.links.kind[link] != WaterLinkKind::ClosedMain
    }
    /// Largest flows of both states, m3/s; `self` is left at the peak.
    fn flows(&mut self) -> Vec<f64> {
        self.solve_fill();
        let mut flow: Vec<f64> = self.solver.flow_m3ps.iter().map(|q| q.abs()).collect();
        self.solve_peak();
        flow.iter_mut().zip(&self.solver.flow_m3ps).for_each(|(most, q)| *most = most.max(q.abs()));
        for station in self.built.stations.iter().filter(|of| !of.has_tank && of.outlet != of.near) {
            flow[station.main as usize] = station.design_m3ps;
        }
        flow
    }
    /// The least pipe for each flow, no more than a step down.
    fn fit(&mut self) -> Result<()> {
        let flow = self.flows();
        for (link, &flow_m3ps) in flow.iter().enumerate() {
            if self.is_pipe(link) {
                let pipe = &mut self.built.of.links.pipe[link];
                *pipe = self.basis.catalogue.pipe_for(flow_m3ps).max(pipe.saturating_sub(1));
            }
        }
        self.renew()
    }
    /// Makes larger what is too small. Returns whether anything was.
    fn raise(&mut self) -> Result<bool> {
        let flow = self.flows();
        let mut has_changed = false;
        for (link, &flow_m3ps) in flow.iter().enumerate() {
            let wanted = self.basis.catalogue.pipe_for(flow_m3ps);
            if self.is_pipe(link) && wanted > self.built.of.links.pipe[link] {
                let pipe = &mut self.built.of.links.pipe[link];
                *pipe = wanted;
                has_changed = true;
            }
        }
        if !has_changed {
            let mut steep: Vec<u32> = self.short().into_iter().flat_map(|node| self.steep(node)).collect();
            steep.sort_unstable();
            steep.dedup();
            has_changed = !steep.is_empty();
            steep.iter().for_each(|&link| self.built.of.links.pipe[link as usize] += 1);
        }
        if has_changed {
            self.renew()?;
        }
        Ok(has_changed)
    }
    /// Junctions whose pressure is short at the state at hand, the worst of each zone.
    fn short(&self) -> Vec<u32> {
        let of = &self.built.of;
        let lacks = |node: usize| {
            let pressure_m = self.solver.head_m[node] - of.network.nodes.elevation_m[node];
            of.node_required_m[node] - pressure_m
        };
        let mut rows: Vec<(u32, f64, u32)> = (0..of.node_place.len())
            .filter(|&node| of.node_buildings[node] > 0 && self.solver.net.nodes.kind[node] == NodeKind::Junction)
            .map(|node| (of.node_zone[node], lacks(node), node as u32))
            .filter(|row| row.1 > SHORT_M)
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        let mut kept: Vec<u32> = Vec::new();
        for zone in rows.chunk_by(|a, b| a.0 == b.0) {
            let most = SHORT_BY_ZONE + zone.len() / SHORT_PART;
            kept.extend(zone.iter().take(most).map(|row| row.2));
        }
        kept
    }
    /// Mains that lose most by the metre where a junction's water comes from, of those that can be larger.
    fn steep(&self, node: u32) -> Vec<u32> {
        let largest = self.basis.catalogue.pipes.len() as u32 - 1;
        let (mut at, mut way) = (node, Vec::new());
        loop {
            let links = self.start[at as usize] as usize..self.start[at as usize + 1] as usize;
            let higher = self.link[links].iter().filter_map(|&link| {
                let row = link as usize;
                let of = &self.solver.net.links;
                let to = if of.from[row] == at { of.to[row] } else { of.from[row] };
                let rise_m = self.solver.head_m[to as usize] - self.solver.head_m[at as usize];
                let is_way = self.is_pipe(row) && self.solver.state[row].is_open() && rise_m > 0.0;
                is_way.then_some((rise_m / of.length_m[row], link, to))
            });
            // Most of the water comes by the main with the largest flow.
            let flow = |link: u32| self.solver.flow_m3ps[link as usize].abs();
            let Some((slope, link, to)) = higher.max_by(|a, b| flow(a.1).total_cmp(&flow(b.1)).then(b.1.cmp(&a.1)))
            else {
                break;
            };
            way.push((slope, link));
            at = to;
        }
        let can = |link: u32| self.built.of.links.pipe[link as usize] < largest;
        let steepest = way.iter().filter(|of| can(of.1)).map(|of| of.0).fold(0.0, f64::max);
        if steepest <= 1e-6 {
            return Vec::new();
        }
        way.iter().filter(|of| can(of.1) && of.0 >= 0.7 * steepest).map(|of| of.1).collect()
    }
    /// Junctions that are hardest to reach with much water: by length over the fifth power of diameter.
    fn hydrants(&self, mains: &[Main], at: &Incidence) -> Vec<u32> {
        let vertices = self.basis.streets.place.len();
        let most = self.basis.settings.fire_hydrants as usize;
        if most == 0 || self.basis.settings.fire_m3ph <= 0.0 {
            return Vec::new();
        }
        let links = &self.built.of.network.links;
        let mut all: Vec<(u64, u32)> = Vec::new();
        for row in 0..self.zoning.zones.len() {
            let from = match (self.built.tank_main[row], self.zoning.zones[row].feed) {
                (Some((vertex, _)), _) => vertex,
                (None, Some(feed)) => feed.ends[1],
                (None, None) => continue,
            };
            let inside = |main: u32| {
                let ends = mains[main as usize].ends;
                ends.iter().all(|&end| self.zoning.zone_of[end as usize] == row as u32)
            };
            let resistance = |main: u32| {
                let d_m = links.diameter_m[main as usize].max(0.01);
                ((mains[main as usize].length_m / d_m.powi(5)) as u64).min(u64::MAX / 1_000_000)
            };
            let way = ways(vertices, mains, at, from, &inside, &resistance);
            let mut so_far = vec![0_u64; 1];
            let mut rank = std::collections::BTreeMap::new();
            rank.insert(from, 0_usize);
            for &vertex in way.order.iter().skip(1) {
                let main = way.before[vertex as usize];
                let [a, b] = mains[main as usize].ends;
                let before = rank.get(&if a == vertex { b } else { a }).map_or(0, |&row| so_far[row]);
                rank.insert(vertex, so_far.len());
                so_far.push(before + resistance(main));
                all.push((before + resistance(main), vertex));
            }
        }
        all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut chosen: Vec<u32> = Vec::new();
        let place = |vertex: u32| self.basis.streets.place[vertex as usize];
        for (_, vertex) in all {
            if chosen.len() == most {
                break;
            }
            let [x, y] = place(vertex);
            let is_apart = |&other: &u32| {
                let [ox, oy] = place(other);
                (ox - x).hypot(oy - y) >= HYDRANT_APART_M
            };
            if self.basis.buildings[vertex as usize] > 0 && chosen.iter().all(is_apart) {
                chosen.push(vertex);
            }
        }
        let node = |vertex: &u32| self.built.node_of[*vertex as usize];
        let is_junction = |node: &u32| self.solver.net.nodes.kind[*node as usize] == NodeKind::Junction;
        chosen.iter().map(node).filter(is_junction).collect()
    }
    /// Makes mains larger until a fire can be fought, and says what pressure is left.
    fn try_fire(&mut self, node: u32) -> Result<FireTest> {
        let settings = self.basis.settings;
        let mut pressure_m = f64::NEG_INFINITY;
        for round in 0..=FIRE_ROUNDS {
            let peak = std::mem::take(&mut self.built.of.node_peak_m3ps);
            let fire = |at: usize| if at == node as usize { settings.fire_m3ps() } else { 0.0 };
            self.solve(&|at| peak[at] / settings.peak_day_factor + fire(at), LEVEL_AT_PEAK);
            self.built.of.node_peak_m3ps = peak;
            pressure_m = self.solver.head_m[node as usize] - self.solver.net.nodes.elevation_m[node as usize];
            if pressure_m >= settings.fire_pressure_m_min || round == FIRE_ROUNDS {
                break;
            }
            let steep = self.steep(node);
            if steep.is_empty() {
                break;
            }
            steep.iter().for_each(|&link| self.built.of.links.pipe[link as usize] += 1);
            self.renew()?;
        }
        Ok(FireTest { node, pressure_m })
    }
    /// What pumps lift: from the lowest head before them to the highest behind.
    fn lift(&mut self) -> Result<()> {
        self.solve_fill();
        let fill = self.solver.head_m.clone();
        self.solve_peak();
        let duty = f64::from(self.basis.settings.duty_pumps);
        for row in 0..self.built.stations.len() {
            let station = &self.built.stations[row];
            let Some(curve) = station.curve else { continue };
            let head = |node: u32| [fill[node as usize], self.solver.head_m[node as usize]];
            let near_m = head(station.near)[0].min(head(station.near)[1]);
            let behind_m = if station.has_tank {
                head(station.outlet)[0].max(head(station.outlet)[1])
            } else {
                let line = self.solver.losses.pipe(station.main as usize, station.design_m3ps);
                self.zoning.zones[row].head_m + line.y / line.p
            };
            let lift_m = (behind_m - near_m + SPARE_M).max(LIFT_M_MIN);
            let flow_m3ps = station.design_m3ps / duty;
            self.built.of.network.curves[curve as usize].points = match station.has_tank {
                true => vec![[flow_m3ps, lift_m]],
                // Pumps that hold a pressure by themselves have a flat curve.
                false => {
                    vec![[0.0, LIFT_AT_REST * lift_m], [flow_m3ps, lift_m], [2.0 * flow_m3ps, LIFT_AT_TWICE * lift_m]]
                }
            };
        }
        Ok(())
    }
    /// Says what did not come out.
    fn tell(&mut self, is_done: bool) {
        self.solve_peak();
        let short = self.short().len();
        let settings = self.basis.settings;
        let fires = &self.built.of.fires;
        let failed = fires.iter().filter(|fire| fire.pressure_m < settings.fire_pressure_m_min).count();
        let (all, least_m) = (fires.len(), settings.fire_pressure_m_min);
        let notes = &mut self.built.of.notes;
        if short > 0 {
            notes.push(format!("pressure is short at {short} junctions or more at the peak hour"));
        }
        if self.unsettled > 0 {
            notes.push(format!("{} solves of sizing did not settle", self.unsettled));
        }
        if !is_done {
            notes.push(format!("diameters still changed after {RAISE_ROUNDS} rounds"));
        }
        if failed > 0 {
            notes.push(format!(
                "a fire of {:.0} m3/h leaves less than {least_m:.0} m at {failed} of {all} hydrants tried out",
                settings.fire_m3ph
            ));
        }
    }
    /// Reducers are as wide as their mains.
    fn finish(&mut self) {
        let of = &mut self.built.of;
        for station in &self.built.stations {
            let Some(before) = station.before else { continue };
            let links = &mut of.network.links;
            let valve = (0..links.id.len())
                .find(|&link| of.links.kind[link] == WaterLinkKind::PressureReducer && links.from[link] == before);
            if let Some(valve) = valve {
                links.diameter_m[valve] = links.diameter_m[station.main as usize];
            }
        }
    }
}

/// Diameters and roughness by the pipes chosen.
fn set_pipes(basis: &Basis<'_>, built: &mut Built) {
    let of = &mut built.of;
    for (link, &pipe) in of.links.pipe.iter().enumerate().filter(|(_, pipe)| **pipe != NONE) {
        let pipe = &basis.catalogue.pipes[pipe as usize];
        of.network.links.diameter_m[link] = pipe.inner_m;
        of.network.links.roughness[link] = pipe.roughness_m;
    }
}
