//! Puts a layout in tables, without diameters: nodes of mains at medium and low pressure, mains, regulators, service lines,
//! draws. An element is one link, and links of trees stand after those that feed them.

use super::layout::Layout;
use super::settings::{GasLevels, SyntheticGasSettings};
use super::{GasLinkKind, GasPipes, Gate, SyntheticGas, natural_gas};
use crate::pipes::network::{Draw, Element, Feed, Link, LinkKind, Network};
use crate::pipes::synthetic::coincidence::Sums;
use crate::pipes::synthetic::{LONG_SERVICE_M, PipeFacts};
use crate::pipes::{NORM_T_K, network::Nodes};
use crate::streets::Streets;
use crate::streets::paths::NONE;
use urbis_city::model::City;

/// Diameter before any is chosen, m.
const ANY_M: f64 = 0.1;
/// Loss coefficient of a regulator's inlet and fittings does not count, as it holds its outlet.
const REGULATOR_M: f64 = 0.1;

/// A network on its way to its diameters.
pub(super) struct Plan {
    pub(super) out: SyntheticGas,
    /// Whether an element is at low pressure; regulators are between. Shape: elements.
    pub(super) is_low: Vec<bool>,
    /// Least pressure above the air that a node must have, Pa; 0 where nothing is asked. Shape: nodes.
    pub(super) least_pa: Vec<f64>,
    /// First element that closes a circle.
    pub(super) first_closing: usize,
}

struct Writer<'a> {
    plan: Plan,
    streets: &'a Streets,
    t_k: f64,
    roughness_m: f64,
}

impl Writer<'_> {
    fn node(&mut self, id: String, vertex: u32, place: [f64; 2]) -> u32 {
        self.plan.out.node_place.push(place);
        self.plan.least_pa.push(0.0);
        let height_m = self.streets.height_m[vertex as usize];
        let nodes: &mut Nodes = &mut self.plan.out.network.nodes;
        nodes.push(id, height_m, self.t_k, true, true)
    }
    fn link(&mut self, link: Link, kind: GasLinkKind, is_low: bool, design_w: f64, line: Vec<[f64; 2]>) {
        let out = &mut self.plan.out;
        let first = out.network.links.push(Link { roughness_m: self.roughness_m, ..link });
        let table = if kind == GasLinkKind::Regulator { "press_control" } else { "pipe" };
        out.network.elements.push(Element {
            table,
            id: first.to_string(),
            name: kind.name().to_owned(),
            first,
            count: 1,
        });
        out.kind.push(kind);
        out.facts.push(PipeFacts::NO_PIPE, design_w, line);
        self.plan.is_low.push(is_low);
    }
    fn main(&mut self, ends: (u32, u32), length_m: f64, is_low: bool, design_w: f64, line: Vec<[f64; 2]>) {
        let kind = if is_low { GasLinkKind::LowMain } else { GasLinkKind::MediumMain };
        let link = Link { length_m, ..Link::short(ends.0, ends.1, LinkKind::Resistance, ANY_M, self.t_k) };
        self.link(link, kind, is_low, design_w, line);
    }
}

pub(super) fn assemble(
    city: &City,
    streets: &Streets,
    peak_w: &[f64],
    sums: &[Sums],
    layout: &Layout,
    settings: &SyntheticGasSettings,
    pipes: GasPipes,
) -> Plan {
    let (forest, rows) = (&layout.forest, layout.forest.len());
    let t_k = NORM_T_K + settings.gas_temp_c;
    let out = SyntheticGas { network: Network::new(natural_gas()), ..SyntheticGas::empty(city, pipes) };
    let plan = Plan { out, is_low: Vec::new(), least_pa: Vec::new(), first_closing: 0 };
    let mut writer = Writer { plan, streets, t_k, roughness_m: settings.roughness_m };
    let (mut at_medium, mut at_low) = (vec![NONE; rows], vec![NONE; rows]);
    let is_two = settings.levels == GasLevels::Two;
    for row in 0..rows {
        let (vertex, before) = (forest.vertex[row], forest.before[row]);
        let place = streets.place[vertex as usize];
        let line = |from: u32| streets.line(forest.vertex[from as usize], forest.way(row));
        if layout.has_medium[row] {
            at_medium[row] = writer.node(format!("medium {vertex}"), vertex, place);
            if before == NONE {
                let node = at_medium[row] as usize;
                let pressure_pa = writer.plan.out.network.nodes.air_pa[node] + settings.medium_feed_pa;
                let id = writer.plan.out.gates.len().to_string();
                let (node, t_k) = (node as u32, Some(t_k));
                let feed = Feed { id, node, pressure_pa: Some(pressure_pa), t_k, is_in_service: true };
                writer.plan.out.network.feeds.push(feed);
                let peak_w = layout.medium[row].peak_w();
                writer.plan.out.gates.push(Gate { node, peak_w, buildings: 0 });
            } else {
                let ends = (at_medium[before as usize], at_medium[row]);
                writer.main(ends, forest.length_m[row], false, layout.medium[row].peak_w(), line(before));
            }
        }
        if layout.is_regulator[row] || layout.has_low[row] {
            at_low[row] = writer.node(format!("low {vertex}"), vertex, place);
        }
        if layout.is_regulator[row] {
            let node = at_low[row];
            let pressure_pa = writer.plan.out.network.nodes.air_pa[node as usize] + settings.low_feed_pa;
            let held = LinkKind::Regulator { node, pressure_pa };
            let link = Link::short(at_medium[row], node, held, REGULATOR_M, t_k);
            writer.plan.least_pa[at_medium[row] as usize] = settings.medium_min_pa;
            writer.link(link, GasLinkKind::Regulator, false, layout.low[row].peak_w(), vec![place]);
        } else if layout.has_low[row] {
            let ends = (at_low[before as usize], at_low[row]);
            writer.main(ends, forest.length_m[row], true, layout.low[row].peak_w(), line(before));
        }
    }
    let mut gate_of = vec![NONE; rows];
    let mut gates = 0;
    for row in 0..rows {
        gate_of[row] = if forest.before[row] == NONE { gates } else { gate_of[forest.before[row] as usize] };
        gates += u32::from(forest.before[row] == NONE);
    }
    let (mut long, mut long_m) = (0, 0.0_f64);
    for (building, &row) in layout.joint.iter().enumerate().filter(|(_, row)| **row != NONE) {
        let (row, vertex) = (row as usize, forest.vertex[row as usize]);
        let is_low = !layout.is_at_medium[building];
        let place = [city.buildings.x_m[building], city.buildings.y_m[building]];
        let joint = streets.place[vertex as usize];
        let length_m = (place[0] - joint[0]).hypot(place[1] - joint[1]).max(1.0);
        if length_m > LONG_SERVICE_M {
            (long, long_m) = (long + 1, long_m.max(length_m));
        }
        let node = writer.node(format!("building {}", city.buildings.id[building]), vertex, place);
        writer.plan.least_pa[node as usize] = if is_low { settings.low_min_pa } else { settings.medium_min_pa };
        let from = if is_low { at_low[row] } else { at_medium[row] };
        let link = Link { length_m, ..Link::short(from, node, LinkKind::Resistance, ANY_M, t_k) };
        writer.link(link, GasLinkKind::Service, is_low, peak_w[building], vec![joint, place]);
        let out = &mut writer.plan.out;
        let share = layout.medium[layout.root[row] as usize].share();
        let part_w = sums[building].linear_w * share;
        out.building_draw[building] = out.network.draws.len() as u32;
        out.building_share[building] = part_w / peak_w[building];
        let id = city.buildings.id[building].clone();
        out.network.draws.push(Draw { table: "sink", id, node, mdot_kgps: SyntheticGas::flow_kgps(part_w) });
        out.gates[gate_of[row] as usize].buildings += 1;
    }
    writer.plan.first_closing = writer.plan.out.network.elements.len();
    for &(a, b, segment, length_m, is_low) in &layout.closing {
        let at = if is_low { &at_low } else { &at_medium };
        let level = if is_low { &layout.low } else { &layout.medium };
        let design_w = level[a as usize].peak_w().min(level[b as usize].peak_w());
        let line = streets.line(forest.vertex[a as usize], &[(segment, forest.vertex[b as usize])]);
        writer.main((at[a as usize], at[b as usize]), length_m, is_low, design_w, line);
    }
    let mut plan = writer.plan;
    let notes = &mut plan.out.notes;
    if long > 0 {
        notes.push(format!("{long} service lines are longer than {LONG_SERVICE_M:.0} m, the longest {long_m:.0} m"));
    }
    if gates > 1 {
        notes.push(format!("{gates} city gates, as streets do not meet or the peak is larger than one gate may bear"));
    }
    if is_two && !streets.has_heights {
        notes.push("the city knows no heights: low pressure is that of flat ground".to_owned());
    }
    plan
}
