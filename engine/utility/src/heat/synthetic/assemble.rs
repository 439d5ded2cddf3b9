//! Puts a layout in tables, without diameters: supply and return at each row, pairs of mains and service lines, stations, plants.
//! An element is one link; supply and return of a pair follow each other.

use super::layout::Layout;
use super::settings::SyntheticHeatSettings;
use super::{HeatLinkKind, PlantFacts, SyntheticHeat};
use crate::pipes::NORM_T_K;
use crate::pipes::network::{Consumer, Element, Given, HeatRule, Link, LinkKind, Plant};
use crate::pipes::synthetic::coincidence::Sums;
use crate::pipes::synthetic::{LONG_SERVICE_M, PipeFacts};
use crate::streets::Streets;
use crate::streets::paths::NONE;
use urbis_city::model::City;

/// Diameter before any is chosen, and that of plants and stations, m.
const ANY_M: f64 = 0.1;
/// Lift of pumps before any is chosen, Pa.
const ANY_LIFT_PA: f64 = 3e5;
/// Pressure of the supply above the air before any is chosen, Pa.
const ANY_GAUGE_PA: f64 = 1e6;

/// What buildings ask for.
pub(super) struct Demand<'a> {
    pub(super) peak_w: &'a [f64],
    pub(super) annual_kwh: &'a [f64],
    pub(super) sums: &'a [Sums],
}

/// A network on its way to its diameters.
pub(super) struct Plan {
    pub(super) out: SyntheticHeat,
    /// Pairs of pipes by the element of the supply, with their cluster.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Cluster of each node. Shape: nodes.
    pub(super) cluster: Vec<u32>,
}

struct Writer<'a> {
    plan: Plan,
    streets: &'a Streets,
    settings: &'a SyntheticHeatSettings,
    /// Temperatures of flow and return, K.
    t_k: [f64; 2],
}

impl Writer<'_> {
    fn nodes(&mut self, id: &str, vertex: u32, place: [f64; 2], cluster: u32) -> [u32; 2] {
        let height_m = self.streets.height_m[vertex as usize];
        [("supply", self.t_k[0]), ("return", self.t_k[1])].map(|(side, t_k)| {
            self.plan.out.node_place.push(place);
            self.plan.cluster.push(cluster);
            self.plan.out.network.nodes.push(format!("{side} {id}"), height_m, t_k, true, true)
        })
    }
    fn link(&mut self, link: Link, kind: HeatLinkKind, design_w: f64, line: impl IntoIterator<Item = [f64; 2]>) -> u32 {
        let out = &mut self.plan.out;
        let table = match kind {
            HeatLinkKind::Station => "heat_consumer",
            HeatLinkKind::Plant => "circ_pump_pressure",
            _ => "pipe",
        };
        let first = out.network.links.push(link);
        out.network.elements.push(Element {
            table,
            id: first.to_string(),
            name: kind.name().to_owned(),
            first,
            count: 1,
        });
        out.kind.push(kind);
        out.facts.push(PipeFacts::NO_PIPE, design_w, line);
        first
    }
    /// A pair of pipes from nodes to nodes.
    fn pair(&mut self, from: [u32; 2], to: [u32; 2], kinds: [HeatLinkKind; 2], of: (f64, f64, u32), line: &[[f64; 2]]) {
        let (length_m, design_w, cluster) = of;
        let pipe = |ends: (u32, u32), t_k: f64| Link {
            length_m,
            roughness_m: self.settings.roughness_m,
            ground_k: NORM_T_K + self.settings.ground_temp_c,
            ..Link::short(ends.0, ends.1, LinkKind::Resistance, ANY_M, t_k)
        };
        let (ahead, back) = (pipe((from[0], to[0]), self.t_k[0]), pipe((to[1], from[1]), self.t_k[1]));
        let supply = self.link(ahead, kinds[0], design_w, line.iter().copied());
        self.link(back, kinds[1], design_w, line.iter().rev().copied());
        self.plan.pairs.push((supply, cluster));
    }
}

pub(super) fn assemble(
    city: &City,
    streets: &Streets,
    demand: &Demand<'_>,
    layout: &Layout,
    settings: &SyntheticHeatSettings,
    out: SyntheticHeat,
) -> Plan {
    let t_k = [settings.flow_temp_c, settings.return_temp_c].map(|of| NORM_T_K + of);
    let plan = Plan { out, pairs: Vec::new(), cluster: Vec::new() };
    let mut writer = Writer { plan, streets, settings, t_k };
    let (forest, rows) = (&layout.forest, layout.forest.len());
    let mut at: Vec<[u32; 2]> = Vec::with_capacity(rows);
    let mut share = Vec::new();
    for row in 0..rows {
        let (vertex, before, cluster) = (forest.vertex[row], forest.before[row], layout.cluster[row]);
        let place = streets.place[vertex as usize];
        let ends = writer.nodes(&vertex.to_string(), vertex, place, cluster);
        at.push(ends);
        if before == NONE {
            let link = Link {
                heat: HeatRule::Outlet(t_k[0]),
                ..Link::short(ends[1], ends[0], LinkKind::Lift(ANY_LIFT_PA), ANY_M, t_k[0])
            };
            let link = writer.link(link, HeatLinkKind::Plant, layout.sums[row].peak_w(), [place]);
            let network = &mut writer.plan.out.network;
            let pressure_pa = Some(network.nodes.air_pa[ends[0] as usize] + ANY_GAUGE_PA);
            let (table, id) = ("circ_pump_pressure", cluster.to_string());
            network.plants.push(Plant { table, id, link, pressure_pa, t_flow_k: Some(t_k[0]) });
            let peak_w = layout.sums[row].peak_w();
            writer.plan.out.plants.push(PlantFacts { node: ends[0], peak_w, ..PlantFacts::default() });
            share.push(layout.sums[row].share());
        } else {
            let line = streets.line(forest.vertex[before as usize], forest.way(row));
            let of = (forest.length_m[row], layout.sums[row].peak_w(), cluster);
            writer.pair(at[before as usize], ends, [HeatLinkKind::SupplyMain, HeatLinkKind::ReturnMain], of, &line);
            writer.plan.out.plants[cluster as usize].trench_m += forest.length_m[row];
        }
    }
    let mut long = 0;
    for (building, &row) in layout.joint.iter().enumerate().filter(|(_, row)| **row != NONE) {
        let (row, vertex, id) = (row as usize, forest.vertex[row as usize], &city.buildings.id[building]);
        let (cluster, length_m) = (layout.cluster[row], layout.service_m[building]);
        let place = [city.buildings.x_m[building], city.buildings.y_m[building]];
        long += u32::from(length_m > LONG_SERVICE_M);
        let ends = writer.nodes(&format!("building {id}"), vertex, place, cluster);
        let (kinds, peak_w) = ([HeatLinkKind::SupplyService, HeatLinkKind::ReturnService], demand.peak_w[building]);
        writer.pair(at[row], ends, kinds, (length_m, peak_w, cluster), &[streets.place[vertex as usize], place]);
        // One large customer beside a building of many lowers the number that all count for; still none of them takes
        // more than at a peak of its own.
        let whole_w = demand.sums[building].linear_w * share[cluster as usize];
        let part_w = whole_w.min(peak_w);
        let given = Given::HeatReturn(part_w, t_k[1]);
        let link = Link {
            heat: HeatRule::Outlet(t_k[1]),
            ..Link::short(ends[0], ends[1], LinkKind::Flow(0.0), ANY_M, t_k[1])
        };
        let link = writer.link(link, HeatLinkKind::Station, peak_w, [place]);
        let out = &mut writer.plan.out;
        out.building_consumer[building] = out.network.consumers.len() as u32;
        out.building_share[building] = part_w / peak_w;
        out.building_plant[building] = cluster;
        out.network.consumers.push(Consumer { id: id.clone(), link, given });
        let plant = &mut out.plants[cluster as usize];
        plant.buildings += 1;
        plant.peak_w -= whole_w - part_w;
        plant.annual_kwh += demand.annual_kwh[building];
        plant.trench_m += length_m;
    }
    let mut plan = writer.plan;
    if long > 0 {
        plan.out.notes.push(format!("{long} service lines are longer than {LONG_SERVICE_M:.0} m"));
    }
    plan
}
