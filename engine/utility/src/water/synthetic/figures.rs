//! Whether a network looks like one: its figures, solved, beside published ones.
//!
//! Three solves of the network as it is, pumps and reducers at work. *Peak*: the hour of highest draw of the day of highest
//! draw, tanks at three tenths, all pumps but those that stand by. *Night*: the hour of least draw of a mean day, tanks
//! nearly full, the same pumps: the highest pressures. And a mean *day* by its pattern from midnight, pumps going by the
//! levels of their tanks.
//!
//! Contract: sequential; the same on any number of threads.

use super::{NONE, SyntheticWater, WaterLinkKind};
use crate::water::network::{LinkStatus, NodeKind};
use crate::water::tanks::range_m3;
use crate::water::{Hydraulics, Simulation};
use std::f64::consts::PI;
use std::fmt;
use urbis_city::model::Quality;
use urbis_core::Result;

/// Levels of tanks at the peak and at night, over their depth.
const LEVEL_AT_PEAK: f64 = 0.3;
const LEVEL_AT_NIGHT: f64 = 0.95;
/// Pressure that does not count as missing, metres.
const TOLERANCE_M: f64 = 0.1;
const DAY_S: u32 = 86_400;

/// A published figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    /// Which of [`Figures::rows`].
    pub figure: &'static str,
    /// Its value, in that row's unit.
    pub value: f64,
    /// Of what, and who says so.
    pub source: &'static str,
    /// How far to trust it.
    pub quality: Quality,
}

const fn recalled(figure: &'static str, value: f64, source: &'static str) -> Reference {
    Reference { figure, value, source, quality: Quality::Recalled }
}

const fn estimate(figure: &'static str, value: f64, source: &'static str) -> Reference {
    Reference { figure, value, source, quality: Quality::Estimate }
}

/// What is published.
pub const REFERENCES: [Reference; 11] = [
    recalled("main per resident", 6.4, "Germany: about 540,000 km for 83 million (BDEW), villages included"),
    recalled("main per resident", 2.1, "Berlin: about 7,900 km for 3.7 million (Berliner Wasserbetriebe)"),
    estimate("main per building", 20.0, "towns, from 10 in dense ones to 40 in open ones"),
    recalled("tank volume over a day's draw", 0.5, "large networks, DVGW W 300; 1 in small ones"),
    recalled("lowest pressure at peak", 20.4, "2 bar for a house of one storey, DVGW W 400-1"),
    recalled("highest pressure at night", 81.6, "8 bar, DVGW W 400-1"),
    estimate("median velocity at peak", 0.1, "meshed mains, most of which are sized for fires: 0.05 to 0.3"),
    estimate("velocity at peak, nine of ten below", 0.6, "planners' figures after DVGW W 400-1: 0.5 to 1"),
    recalled("energy of pumps", 0.5, "Germany, with wells and treatment: about 0.5 kWh/m3"),
    estimate("energy of pumps", 0.25, "lifting by 60 m at 0.65: 0.25 kWh/m3"),
    estimate("mean inner diameter", 0.15, "towns and cities: 0.12 to 0.2, by length"),
];

/// What a solve says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moment {
    /// Whether it settled.
    pub is_balanced: bool,
    /// Buildings that an open link joins to waterworks or a tank.
    pub supplied_buildings: u32,
    /// Lowest pressure at a main with buildings, metres.
    pub pressure_m_min: f64,
    /// Highest, metres.
    pub pressure_m_max: f64,
    /// Share of buildings that have the pressure wanted for their storeys.
    pub share_enough: f64,
    /// Share of buildings with no more than the limit.
    pub share_below_max: f64,
    /// Velocity of open mains by length: a tenth, half, nine tenths have less, and the highest, m/s.
    pub velocity_mps: [f64; 4],
}

/// What a day says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    /// Moments solved.
    pub solves: u32,
    /// Of them, not settled.
    pub unbalanced: u32,
    /// What the books lack over the water served.
    pub residual_share: f64,
    /// Water served, m3.
    pub served_m3: f64,
    /// Share of the water asked for that was served.
    pub served_share: f64,
    /// Lowest and highest level of each tank over its depth.
    pub level_range: Vec<[f64; 2]>,
    /// Level at the end less that at the start, over depth, of each tank.
    pub level_gain: Vec<f64>,
    /// Energy of pumps, kWh.
    pub energy_kwh: f64,
    /// Lowest pressure at a main with buildings over the day, metres.
    pub pressure_m_min: f64,
    /// Highest, metres.
    pub pressure_m_max: f64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Buildings.
    pub buildings: u32,
    /// Junctions.
    pub junctions: u32,
    /// Pressure zones.
    pub zones: u32,
    /// Waterworks.
    pub works: u32,
    /// Tanks.
    pub tanks: u32,
    /// Pumps that run, then those that stand by.
    pub pumps: [u32; 2],
    /// Pressure reducers.
    pub reducers: u32,
    /// Mains, metres: all, and of them those closed at borders.
    pub main_m: f64,
    /// See `main_m`.
    pub closed_m: f64,
    /// Length of mains by row of the catalogue, metres.
    pub length_m_by_pipe: Vec<f64>,
    /// Mean inner diameter by length, metres.
    pub inner_m: f64,
    /// Residents, where the caller knows them.
    pub residents: Option<f64>,
    /// Mean draw, m3 a day.
    pub mean_m3pd: f64,
    /// Draw at the hour of highest draw of the day of highest draw, m3/s.
    pub peak_m3ps: f64,
    /// Volume of tanks, m3.
    pub tank_m3: f64,
    /// At the peak.
    pub peak: Moment,
    /// At night.
    pub night: Moment,
    /// Over a mean day.
    pub day: Day,
}

impl Figures {
    /// Of a network, solved; pressures above `pressure_m_max` count as too high.
    ///
    /// # Errors
    /// Curves of pumps that no lift can be made of.
    pub fn new(of: &SyntheticWater, pressure_m_max: f64, residents: Option<f64>) -> Result<Self> {
        let mut figures = counts(of);
        figures.residents = residents;
        if of.node_place.is_empty() {
            return Ok(figures);
        }
        let net = &of.network;
        let mut running = net.clone();
        running.controls.clear();
        for (link, _) in of.links.kind.iter().enumerate().filter(|(_, kind)| **kind == WaterLinkKind::Pump) {
            running.links.status[link] = LinkStatus::Open;
        }
        let mut solver = Hydraulics::new(running)?;
        set_tanks(&mut solver, LEVEL_AT_PEAK);
        solver.demand_m3ps.copy_from_slice(&of.node_peak_m3ps);
        let is_balanced = solver.solve().is_balanced;
        figures.peak = moment(of, &solver, is_balanced, pressure_m_max);
        let least = net.patterns[0].multipliers.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        solver.demand_m3ps.fill(0.0);
        for (node, base) in net.demands.node.iter().zip(&net.demands.base_m3ps) {
            solver.demand_m3ps[*node as usize] = base * least;
        }
        set_tanks(&mut solver, LEVEL_AT_NIGHT);
        let is_balanced = solver.solve().is_balanced;
        figures.night = moment(of, &solver, is_balanced, pressure_m_max);
        figures.day = day(of)?;
        Ok(figures)
    }
    /// Figures with a published counterpart, and others: name, unit, value.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, &'static str, f64)> {
        let mut rows = Vec::new();
        if let Some(residents) = self.residents.filter(|residents| *residents > 0.0) {
            rows.push(("main per resident", "m", self.main_m / residents));
        }
        rows.push(("main per building", "m", self.main_m / f64::from(self.buildings.max(1))));
        rows.push(("mean inner diameter", "m", self.inner_m));
        rows.push(("tank volume over a day's draw", "", self.tank_m3 / self.mean_m3pd.max(1e-9)));
        rows.push(("lowest pressure at peak", "m", self.peak.pressure_m_min));
        rows.push(("buildings with enough pressure", "percent", 100.0 * self.peak.share_enough));
        rows.push(("highest pressure at night", "m", self.night.pressure_m_max));
        rows.push(("buildings below the highest", "percent", 100.0 * self.night.share_below_max));
        rows.push(("median velocity at peak", "m/s", self.peak.velocity_mps[1]));
        rows.push(("velocity at peak, nine of ten below", "m/s", self.peak.velocity_mps[2]));
        rows.push(("highest velocity at peak", "m/s", self.peak.velocity_mps[3]));
        rows.push(("energy of pumps", "kWh/m3", self.day.energy_kwh / self.day.served_m3.max(1e-9)));
        rows
    }
}

fn counts(of: &SyntheticWater) -> Figures {
    let net = &of.network;
    let kinds = |wanted: WaterLinkKind| of.links.kind.iter().filter(|kind| **kind == wanted).count() as u32;
    let mut figures = Figures {
        buildings: of.building_node.len() as u32,
        junctions: net.nodes.kind.iter().filter(|kind| **kind == NodeKind::Junction).count() as u32,
        zones: of.zones.len() as u32,
        works: net.nodes.kind.iter().filter(|kind| **kind == NodeKind::Reservoir).count() as u32,
        tanks: of.tanks.len() as u32,
        pumps: [kinds(WaterLinkKind::Pump), kinds(WaterLinkKind::StandbyPump)],
        reducers: kinds(WaterLinkKind::PressureReducer),
        mean_m3pd: net.demands.base_m3ps.iter().sum::<f64>() * f64::from(DAY_S),
        peak_m3ps: of.node_peak_m3ps.iter().sum(),
        tank_m3: of.tanks.iter().map(|tank| tank.volume_m3).sum(),
        ..Figures::default()
    };
    for (link, &pipe) in of.links.pipe.iter().enumerate().filter(|(_, pipe)| **pipe != NONE) {
        let length_m = net.links.length_m[link];
        figures.main_m += length_m;
        figures.inner_m += length_m * net.links.diameter_m[link];
        if of.links.kind[link] == WaterLinkKind::ClosedMain {
            figures.closed_m += length_m;
        }
        let rows = figures.length_m_by_pipe.len().max(pipe as usize + 1);
        figures.length_m_by_pipe.resize(rows, 0.0);
        figures.length_m_by_pipe[pipe as usize] += length_m;
    }
    figures.inner_m /= figures.main_m.max(1e-9);
    figures
}

fn set_tanks(solver: &mut Hydraulics, level: f64) {
    for tank in 0..solver.net.tanks.node.len() {
        let node = solver.net.tanks.node[tank] as usize;
        solver.head_m[node] = solver.net.nodes.elevation_m[node] + level * solver.net.tanks.max_level_m[tank];
    }
}

/// Lowest and highest pressure at junctions with buildings, metres.
fn pressures(of: &SyntheticWater, solver: &Hydraulics) -> [f64; 2] {
    let rows = (0..of.node_buildings.len()).filter(|&node| of.node_buildings[node] > 0);
    let pressures = rows.map(|node| solver.head_m[node] - of.network.nodes.elevation_m[node]);
    pressures.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], p| [low.min(p), high.max(p)])
}

fn moment(of: &SyntheticWater, solver: &Hydraulics, is_balanced: bool, pressure_m_max: f64) -> Moment {
    let [pressure_m_min, pressure_m_max_found] = pressures(of, solver);
    let (mut enough, mut below, mut supplied, mut all) = (0, 0, 0, 0);
    for node in 0..of.node_buildings.len() {
        let buildings = of.node_buildings[node];
        let pressure_m = solver.head_m[node] - of.network.nodes.elevation_m[node];
        all += buildings;
        supplied += if solver.is_supplied[node] { buildings } else { 0 };
        enough += if pressure_m >= of.node_required_m[node] - TOLERANCE_M { buildings } else { 0 };
        below += if pressure_m <= pressure_m_max + TOLERANCE_M { buildings } else { 0 };
    }
    let mut velocities: Vec<(f64, f64)> = (0..of.links.pipe.len())
        .filter(|&link| of.links.pipe[link] != NONE && solver.state[link].is_open())
        .map(|link| {
            let d_m = of.network.links.diameter_m[link];
            (solver.flow_m3ps[link].abs() / (PI * d_m * d_m / 4.0), of.network.links.length_m[link])
        })
        .collect();
    velocities.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total_m: f64 = velocities.iter().map(|of| of.1).sum();
    let quantile = |share: f64| {
        let mut so_far_m = 0.0;
        let found = velocities.iter().find(|of| {
            so_far_m += of.1;
            so_far_m >= share * total_m
        });
        found.map_or(0.0, |of| of.0)
    };
    let velocity_mps = [quantile(0.1), quantile(0.5), quantile(0.9), velocities.last().map_or(0.0, |of| of.0)];
    let share = |of: u32| f64::from(of) / f64::from(all.max(1));
    Moment {
        is_balanced,
        supplied_buildings: supplied,
        pressure_m_min,
        pressure_m_max: pressure_m_max_found,
        share_enough: share(enough),
        share_below_max: share(below),
        velocity_mps,
    }
}

/// A mean day from midnight.
fn day(of: &SyntheticWater) -> Result<Day> {
    let mut run = Simulation::new(of.network.clone())?;
    let tanks = of.tanks.len();
    let level = |run: &Simulation, tank: usize| {
        let [least, most] = range_m3(run.hydraulics.network(), tank);
        (run.volume_m3[tank] - least) / (most - least)
    };
    let first: Vec<f64> = (0..tanks).map(|tank| level(&run, tank)).collect();
    let mut day = Day {
        level_range: first.iter().map(|&level| [level; 2]).collect(),
        pressure_m_min: f64::INFINITY,
        pressure_m_max: f64::NEG_INFINITY,
        ..Day::default()
    };
    while run.time_s < DAY_S {
        day.unbalanced += u32::from(!run.solve().is_balanced);
        day.solves += 1;
        let [low, high] = pressures(of, &run.hydraulics);
        day.pressure_m_min = day.pressure_m_min.min(low);
        day.pressure_m_max = day.pressure_m_max.max(high);
        run.advance(DAY_S - run.time_s);
        for (tank, range) in day.level_range.iter_mut().enumerate() {
            let level = level(&run, tank);
            *range = [range[0].min(level), range[1].max(level)];
        }
    }
    day.level_gain = first.iter().enumerate().map(|(tank, first)| level(&run, tank) - first).collect();
    day.served_m3 = run.volumes.served_m3;
    day.served_share = if run.volumes.asked_m3 > 0.0 { run.volumes.served_m3 / run.volumes.asked_m3 } else { 1.0 };
    day.residual_share = run.residual_m3() / run.volumes.served_m3.max(1e-9);
    day.energy_kwh = run.pumps.iter().map(|pump| pump.energy_kwh).sum();
    Ok(day)
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tenth, half, most, highest] = self.velocity_mps;
        writeln!(
            out,
            "  {}, pressures {:.1} to {:.1} m, enough for {:.1} % and not too much for {:.1} % of buildings\n  \
             velocities {tenth:.2}, {half:.2}, {most:.2} m/s (a tenth, half, nine tenths of length below), highest {highest:.2}",
            if self.is_balanced { "solved" } else { "NOT solved" },
            self.pressure_m_min,
            self.pressure_m_max,
            100.0 * self.share_enough,
            100.0 * self.share_below_max,
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "synthetic water network: {} buildings, {} junctions, {} zones, {} waterworks, {} tanks, {} pumps and {} that \
             stand by, {} pressure reducers",
            self.buildings,
            self.junctions,
            self.zones,
            self.works,
            self.tanks,
            self.pumps[0],
            self.pumps[1],
            self.reducers
        )?;
        writeln!(
            out,
            "mains {:.1} km; draw {:.0} m3 a day, {:.1} l/s at the highest; tanks {:.0} m3",
            self.main_m / 1000.0,
            self.mean_m3pd,
            1000.0 * self.peak_m3ps,
            self.tank_m3
        )?;
        write!(out, "at the peak:\n{}at night:\n{}", self.peak, self.night)?;
        let day = &self.day;
        let low = day.level_range.iter().map(|range| range[0]).fold(1.0, f64::min);
        let high = day.level_range.iter().map(|range| range[1]).fold(0.0, f64::max);
        writeln!(
            out,
            "over a day:\n  {} moments, {} not settled, served {:.2} %, pressures {:.1} to {:.1} m, tanks {:.0} to {:.0} % full",
            day.solves,
            day.unbalanced,
            100.0 * day.served_share,
            day.pressure_m_min,
            day.pressure_m_max,
            100.0 * low,
            100.0 * high
        )?;
        for (name, unit, value) in self.rows() {
            writeln!(out, "{name:<36} {value:>8.2} {unit}")?;
            for of in REFERENCES.iter().filter(|of| of.figure == name) {
                writeln!(out, "{:<36} {:>8.2} {unit} {} ({})", "  published", of.value, of.source, of.quality.name())?;
            }
        }
        Ok(())
    }
}
