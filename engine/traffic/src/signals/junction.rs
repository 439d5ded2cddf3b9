//! Signals where only their places are known: which approaches are green together, and for how long.
//!
//! **Junctions.** Nodes with signals that a link of at most `reach_m` joins belong to one junction, shortest
//! links first, as long as it stays within twice the reach: the four nodes where two divided roads cross, or
//! a junction with its crossings. Its approaches are the links that come from outside; the short links inside
//! are never stopped, because whoever has passed the approach's light clears the junction.
//!
//! **Stages.** Approaches are taken as straight lines from node to node. Parallel ones that reach different
//! nodes (within 20 degrees), or that come from one node, form a leg. Legs that face each other within 45
//! degrees, the most opposite first, share a stage; every other leg has its own. Two legs of a T share a
//! stage and the stem has one; a crossroads has two stages. Where only one stage is left, between
//! junctions, there is a crossing: people on foot get `crossing_s` of each cycle.
//!
//! **Times** follow [`timing`](super::timing). The saturation flow of an approach is what passes while it is
//! green: the capacity of its lanes *without* a green share. A city package has already cut the capacity of
//! links that end at signals (`green_share` in `urbis_city::road_defaults`); dividing by it gives the
//! saturation flow back ([`saturation_vps`]). Whoever runs a plan must run such links at their saturation
//! flow, or they are cut twice. Where flows are unknown, each stage is taken to be loaded in proportion to
//! the saturation flow of its largest approach, `load_default` in all: wide roads get longer greens.
//!
//! Offsets are random (seeded by the lowest node), because equal ones would be a coordination nobody planned.
//!
//! Ignored: turns inside a stage, protected left turns, shapes of links, coordination.
//! Contract: sequential in the order of nodes and links, no trigonometry: the same on every machine.

use super::controller::{Actuated, ActuatedStage, Downstream, MaxPressure, Movement, Stage};
use super::plan::{PlanStage, SignalPlan};
use super::timing::{TimingSettings, webster};
use crate::network::CarNetwork;
use crate::time::{Time, from_seconds};
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::rng::Rng;
use urbis_core::{CarLinkIx, Problem, Problems, Result};

/// cos 20 degrees: links that lean less are parallel.
const PARALLEL: f64 = 0.939_692_620_785_908_4;
/// cos 45 degrees: legs that lean less from the straight face each other.
const FACING: f64 = std::f64::consts::FRAC_1_SQRT_2;
/// Random numbers for offsets.
const PURPOSE_OFFSET: u32 = 0x51_6e;

/// How junctions and their plans are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JunctionSettings {
    /// Longest link inside a junction, metres.
    pub reach_m: f64,
    /// Cycle and splits.
    pub timing: TimingSettings,
    /// Time for people on foot in each cycle of a crossing between junctions, seconds.
    pub crossing_s: f64,
    /// Sum of the stages' flows over saturation flows where flows are unknown.
    pub load_default: f64,
    /// Seed of offsets.
    pub seed: u64,
}

impl Default for JunctionSettings {
    fn default() -> Self {
        Self { reach_m: 30.0, timing: TimingSettings::default(), crossing_s: 15.0, load_default: 0.7, seed: 0 }
    }
}

impl JunctionSettings {
    fn check(&self) -> Result<()> {
        self.timing.check()?;
        let mut problems = Problems::new();
        for (field, value, low, high) in [
            ("reach_m", self.reach_m, 0.0, 200.0),
            ("crossing_s", self.crossing_s, 0.0, 120.0),
            ("load_default", self.load_default, 0.0, 0.95),
        ] {
            if !(low..=high).contains(&value) {
                let expected = format!("{low} to {high}");
                problems.push(Problem::value(Path::new("signal junctions"), 1, None, field, value, expected));
            }
        }
        problems.or_else(())
    }
}

/// What a group controls: a link, or some of its turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The group.
    pub group: u32,
    /// The link that ends at the light.
    pub link: CarLinkIx,
    /// The out-links it controls; empty means all.
    pub out: Vec<CarLinkIx>,
}

/// A junction with signals.
#[derive(Clone, Debug, PartialEq)]
pub struct Junction {
    /// Its nodes, ascending.
    pub nodes: Vec<u32>,
    /// What its groups control, in order of group; one group for each approach here.
    pub controls: Vec<Control>,
    /// Groups that are green together, stage by stage.
    pub stages: Vec<Vec<u32>>,
    /// Lost time after each stage, the crossing's time included.
    pub lost: Vec<Time>,
    /// Links inside the junction, never stopped.
    pub inner: Vec<CarLinkIx>,
    /// Its plan.
    pub plan: SignalPlan,
}

/// What became of the signals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JunctionsReport {
    /// Nodes with signals.
    pub signals: u32,
    /// Junctions made of them.
    pub junctions: u32,
    /// Junctions of more than one node.
    pub joined: u32,
    /// Links inside junctions.
    pub inner_links: u32,
    /// Junctions with one stage and a crossing for people on foot.
    pub crossings: u32,
    /// Nodes with signals that no car approaches; they have no junction.
    pub without_approach: u32,
    /// Junctions whose flows exceed 95 % of what any timing can serve.
    pub overloaded: u32,
}

/// Saturation flows of links whose capacities are cut to a green share where they end at signals.
#[must_use]
pub fn saturation_vps(network: &CarNetwork, signal: &[bool], green_share: f64) -> Vec<f64> {
    let cut = |to: u32| signal.get(to as usize).copied().unwrap_or(false) && green_share > 0.0;
    let rows = network.capacity_vps.iter().zip(&network.to);
    rows.map(|(&capacity, &to)| if cut(to) { capacity / green_share } else { capacity }).collect()
}

/// The junctions of a network, in order of their lowest node. `signal` marks nodes, `saturation_vps` is by
/// link, and `flow_vps`, if given, too; there a value that is not finite or negative means unknown.
///
/// # Errors
/// [`urbis_core::Error::Input`] for settings out of range and columns of the wrong length or with saturation
/// flows that are not positive.
pub fn junctions(
    network: &CarNetwork,
    signal: &[bool],
    saturation_vps: &[f64],
    flow_vps: Option<&[f64]>,
    settings: &JunctionSettings,
) -> Result<(Vec<Junction>, JunctionsReport)> {
    settings.check()?;
    let mut problems = Problems::new();
    let place = Path::new("signal junctions");
    for (name, have, need) in [
        ("signal", signal.len(), network.nodes()),
        ("saturation_vps", saturation_vps.len(), network.links()),
        ("flow_vps", flow_vps.map_or(network.links(), <[f64]>::len), network.links()),
    ] {
        if have != need {
            problems.push(Problem::file(place, format!("column {name} has {have} rows, expected {need}")));
        }
    }
    for (row, &value) in saturation_vps.iter().enumerate().filter(|(_, value)| !(value.is_finite() && **value > 0.0)) {
        problems.push(Problem::value(place, row + 1, None, "saturation_vps", value, "> 0 and finite"));
    }
    problems.or_else(())?;

    let cluster = clusters(network, signal, settings.reach_m);
    let mut members: Vec<(u32, u32)> = Vec::new();
    let mut number = vec![u32::MAX; network.nodes()];
    let mut count = 0;
    for node in (0..network.nodes()).filter(|&node| signal[node]) {
        let root = cluster[node] as usize;
        if number[root] == u32::MAX {
            number[root] = count;
            count += 1;
        }
        members.push((number[root], node as u32));
    }
    let junction_of =
        |node: u32| if signal[node as usize] { number[cluster[node as usize] as usize] } else { u32::MAX };
    let (mut into, mut inner) = (Vec::new(), Vec::new());
    for link in 0..network.links() {
        let (from, to) = (junction_of(network.from[link]), junction_of(network.to[link]));
        if to == u32::MAX {
            continue;
        }
        let inside = from == to && network.length_m[link] <= 2.0 * settings.reach_m;
        (if inside { &mut inner } else { &mut into }).push((to, CarLinkIx(link as u32)));
    }
    let nodes = Csr::from_pairs(count as usize, &members);
    let (into, inner) = (Csr::from_pairs(count as usize, &into), Csr::from_pairs(count as usize, &inner));

    let mut report = JunctionsReport { signals: members.len() as u32, ..JunctionsReport::default() };
    let mut found = Vec::new();
    for junction in 0..count as usize {
        let (nodes, approaches) = (nodes.row(junction), into.row(junction));
        if approaches.is_empty() {
            report.without_approach += nodes.len() as u32;
            continue;
        }
        let stages = stages(network, approaches);
        let timed = timed(approaches, &stages, saturation_vps, flow_vps, settings);
        let mut rng = Rng::new(settings.seed, nodes[0], 0, PURPOSE_OFFSET);
        let cycle: Time = timed.stages.iter().map(|stage| stage.green + stage.lost).sum();
        // Whole seconds, like cycles.
        let offset = rng.below(cycle / crate::time::TICK) * crate::time::TICK;
        report.junctions += 1;
        report.joined += u32::from(nodes.len() > 1);
        report.inner_links += inner.row(junction).len() as u32;
        report.crossings += u32::from(stages.len() == 1);
        report.overloaded += u32::from(timed.overloaded);
        found.push(Junction {
            nodes: nodes.to_vec(),
            controls: (0..).zip(approaches).map(|(group, &link)| Control { group, link, out: Vec::new() }).collect(),
            lost: timed.stages.iter().map(|stage| stage.lost).collect(),
            plan: SignalPlan::from_stages(approaches.len() as u32, offset, &timed.stages)?,
            stages,
            inner: inner.row(junction).to_vec(),
        });
    }
    Ok((found, report))
}

/// A representative node for every node: the same for those of one junction.
fn clusters(network: &CarNetwork, signal: &[bool], reach_m: f64) -> Vec<u32> {
    let mut root: Vec<u32> = (0..network.nodes() as u32).collect();
    // Box around each junction: west, south, east, north.
    let mut extent: Vec<[f64; 4]> = (0..network.nodes())
        .map(|node| [network.x_m[node], network.y_m[node], network.x_m[node], network.y_m[node]])
        .collect();
    let mut short: Vec<usize> = (0..network.links())
        .filter(|&link| network.length_m[link] <= reach_m)
        .filter(|&link| signal[network.from[link] as usize] && signal[network.to[link] as usize])
        .collect();
    short.sort_by(|&a, &b| network.length_m[a].total_cmp(&network.length_m[b]).then(a.cmp(&b)));
    for link in short {
        let (a, b) = (find(&mut root, network.from[link]), find(&mut root, network.to[link]));
        let (a_box, b_box) = (extent[a as usize], extent[b as usize]);
        let both = [a_box[0].min(b_box[0]), a_box[1].min(b_box[1]), a_box[2].max(b_box[2]), a_box[3].max(b_box[3])];
        let fits = both[2] - both[0] <= 2.0 * reach_m && both[3] - both[1] <= 2.0 * reach_m;
        if a != b && fits {
            let (low, high) = (a.min(b), a.max(b));
            root[high as usize] = low;
            extent[low as usize] = both;
        }
    }
    (0..network.nodes() as u32).map(|node| find(&mut root, node)).collect()
}

fn find(root: &mut [u32], mut node: u32) -> u32 {
    while root[node as usize] != node {
        root[node as usize] = root[root[node as usize] as usize];
        node = root[node as usize];
    }
    node
}

/// Cosine of the angle between two links taken as straight; 0 where one has no direction.
fn cosine(network: &CarNetwork, a: CarLinkIx, b: CarLinkIx) -> f64 {
    let along = |link: CarLinkIx| {
        let (from, to) = (network.from[link.row()] as usize, network.to[link.row()] as usize);
        (network.x_m[to] - network.x_m[from], network.y_m[to] - network.y_m[from])
    };
    let ((ax, ay), (bx, by)) = (along(a), along(b));
    let cosine = (ax * bx + ay * by) / ((ax * ax + ay * ay) * (bx * bx + by * by)).sqrt();
    if cosine.is_finite() { cosine } else { 0.0 }
}

/// Groups (rows of the approaches) that are green together.
fn stages(network: &CarNetwork, approaches: &[CarLinkIx]) -> Vec<Vec<u32>> {
    let mut legs: Vec<Vec<u32>> = Vec::new();
    for (row, &link) in approaches.iter().enumerate() {
        let joins = |&member: &u32| {
            let other = approaches[member as usize];
            network.from[link.row()] == network.from[other.row()]
                || (network.to[link.row()] != network.to[other.row()] && cosine(network, link, other) >= PARALLEL)
        };
        match legs.iter_mut().find(|leg| leg.iter().all(joins)) {
            Some(leg) => leg.push(row as u32),
            None => legs.push(vec![row as u32]),
        }
    }
    // The first approach of a leg speaks for it.
    let mut facing: Vec<(f64, usize, usize)> = Vec::new();
    for a in 0..legs.len() {
        for b in a + 1..legs.len() {
            let cosine = cosine(network, approaches[legs[a][0] as usize], approaches[legs[b][0] as usize]);
            if cosine <= -FACING {
                facing.push((cosine, a, b));
            }
        }
    }
    facing.sort_by(|x, y| x.0.total_cmp(&y.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let mut partner: Vec<Option<usize>> = vec![None; legs.len()];
    for (_, a, b) in facing {
        if partner[a].is_none() && partner[b].is_none() {
            (partner[a], partner[b]) = (Some(b), Some(a));
        }
    }
    (0..legs.len())
        .filter(|&leg| partner[leg].is_none_or(|other| leg < other))
        .map(|leg| {
            let mut groups = legs[leg].clone();
            groups.extend(partner[leg].into_iter().flat_map(|other| legs[other].iter().copied()));
            groups.sort_unstable();
            groups
        })
        .collect()
}

struct Timed {
    stages: Vec<PlanStage>,
    overloaded: bool,
}

/// Greens of the stages.
fn timed(
    approaches: &[CarLinkIx],
    stages: &[Vec<u32>],
    saturation_vps: &[f64],
    flow_vps: Option<&[f64]>,
    settings: &JunctionSettings,
) -> Timed {
    let largest = |stage: &Vec<u32>| {
        stage.iter().map(|&group| saturation_vps[approaches[group as usize].row()]).fold(0.0, f64::max)
    };
    let all: f64 = stages.iter().map(largest).sum();
    let load = |stage: &Vec<u32>| {
        let known = stage.iter().filter_map(|&group| {
            let link = approaches[group as usize].row();
            let flow = flow_vps?[link];
            (flow.is_finite() && flow >= 0.0).then(|| flow / saturation_vps[link])
        });
        known.reduce(f64::max).unwrap_or(settings.load_default * largest(stage) / all)
    };
    let loads: Vec<f64> = stages.iter().map(load).collect();
    let crossing = if stages.len() == 1 { from_seconds(settings.crossing_s) } else { 0 };
    let timing = webster(&loads, crossing, &settings.timing);
    let lost = from_seconds(settings.timing.lost_s) + crossing;
    let rows = stages.iter().zip(&timing.greens);
    Timed {
        stages: rows.map(|(groups, &green)| PlanStage { green, lost, groups: groups.clone() }).collect(),
        overloaded: loads.iter().sum::<f64>() > 0.95 * (1.0 - f64::from(lost) / f64::from(timing.cycle)),
    }
}

impl Junction {
    /// Its stages for a controller that decides by what it sees.
    fn control_stages(&self, green_min: Time) -> Vec<Stage> {
        let count = self.stages.len();
        (0..count)
            .map(|nth| Stage {
                groups: self.stages[nth].clone(),
                // What is lost before a stage is lost after the one before.
                lost: self.lost[(nth + count - 1) % count],
                green_min,
            })
            .collect()
    }

    /// An actuated controller: least green of the timing, at most `green_s_max`, gaps of `gap_s`.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] when the longest green is below the least.
    pub fn actuated(&self, timing: &TimingSettings, green_s_max: f64, gap_s: f64) -> Result<Actuated> {
        let stages = self.control_stages(from_seconds(timing.green_s_min)).into_iter();
        let limited = |stage| ActuatedStage { stage, green_max: from_seconds(green_s_max), gap: from_seconds(gap_s) };
        Actuated::new(self.controls.len() as u32, stages.map(limited).collect())
    }
}

/// How max-pressure controllers decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPressureSettings {
    /// Least green, seconds.
    pub green_s_min: f64,
    /// Time between decisions, seconds.
    pub step_s: f64,
    /// How much larger a pressure must be for a change, as a share.
    pub bias: f64,
    /// Who has waited so long comes first, seconds.
    pub red_s_max: f64,
}

impl Default for MaxPressureSettings {
    fn default() -> Self {
        Self { green_s_min: 7.0, step_s: 5.0, bias: 0.1, red_s_max: 120.0 }
    }
}

/// A max-pressure controller for each junction. `share(i, j)` is the share of those on link `i` who go on to
/// link `j`; turns with share 0 are not asked for.
///
/// # Errors
/// [`urbis_core::Error::Input`] for saturation flows or shares that are not finite or negative.
pub fn max_pressure(
    junctions: &[Junction],
    network: &CarNetwork,
    saturation_vps: &[f64],
    share: &dyn Fn(CarLinkIx, CarLinkIx) -> f64,
    settings: &MaxPressureSettings,
) -> Result<Vec<MaxPressure>> {
    let leaving: Vec<(u32, CarLinkIx)> =
        network.from.iter().enumerate().map(|(link, &from)| (from, CarLinkIx(link as u32))).collect();
    let leaving = Csr::from_pairs(network.nodes(), &leaving);
    let allowed = |into: CarLinkIx| {
        let out = leaving.row(network.to[into.row()] as usize).iter().copied();
        out.filter(move |&out| network.banned.binary_search(&(into, out)).is_err())
    };
    let of = |junction: &Junction| {
        let mut movements = Vec::new();
        for control in &junction.controls {
            let chosen = |out: &CarLinkIx| control.out.is_empty() || control.out.contains(out);
            for out in allowed(control.link).filter(chosen) {
                let downstream = allowed(out).map(|next| Downstream { out: next, share: share(out, next) });
                movements.push(Movement {
                    group: control.group,
                    into: control.link,
                    out,
                    saturation_vps: saturation_vps.get(control.link.row()).copied().unwrap_or(f64::NAN),
                    downstream: downstream.filter(|to| to.share != 0.0).collect(),
                });
            }
        }
        let stages = junction.control_stages(from_seconds(settings.green_s_min));
        let groups = junction.controls.len() as u32;
        MaxPressure::new(groups, stages, movements, settings.step_s, settings.bias, settings.red_s_max)
    };
    junctions.iter().map(of).collect()
}

#[cfg(test)]
#[path = "junction_tests.rs"]
mod tests;
