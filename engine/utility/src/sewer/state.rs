//! State of nodes and links while water is routed: columns by row.

use super::infiltration::Moisture;
use super::network::{LinkKind, Method, NodeKind, PumpCurve, Sewer};
use super::units::DRY_DEPTH_M;

/// How water flows in a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlowClass {
    Dry,
    UpDry,
    DownDry,
    Subcritical,
    Supercritical,
    UpCritical,
    DownCritical,
}

/// Columns of nodes.
#[derive(Clone, Debug)]
pub(crate) struct NodeState {
    pub(crate) depth_m: Vec<f64>,
    pub(crate) old_depth_m: Vec<f64>,
    pub(crate) volume_m3: Vec<f64>,
    pub(crate) old_volume_m3: Vec<f64>,
    pub(crate) full_volume_m3: Vec<f64>,
    pub(crate) inflow_m3ps: Vec<f64>,
    pub(crate) old_inflow_m3ps: Vec<f64>,
    pub(crate) outflow_m3ps: Vec<f64>,
    pub(crate) old_net_m3ps: Vec<f64>,
    pub(crate) overflow_m3ps: Vec<f64>,
    pub(crate) lateral_m3ps: Vec<f64>,
    pub(crate) losses_m3ps: Vec<f64>,
    /// Links that lead away.
    pub(crate) degree: Vec<u32>,
}

/// Columns of links.
#[derive(Clone, Debug)]
pub(crate) struct LinkState {
    pub(crate) flow_m3ps: Vec<f64>,
    pub(crate) old_flow_m3ps: Vec<f64>,
    pub(crate) depth_m: Vec<f64>,
    pub(crate) old_depth_m: Vec<f64>,
    pub(crate) volume_m3: Vec<f64>,
    pub(crate) setting: Vec<f64>,
    pub(crate) target: Vec<f64>,
    /// Change of flow with head, m2/s.
    pub(crate) slope_m2ps: Vec<f64>,
    /// Surface that counts to the first node, m2, for one barrel.
    pub(crate) surface_from_m2: Vec<f64>,
    pub(crate) surface_to_m2: Vec<f64>,
    pub(crate) froude: Vec<f64>,
    pub(crate) class: Vec<FlowClass>,
    pub(crate) is_bypassed: Vec<bool>,
}

/// Columns of conduits, for one barrel.
#[derive(Clone, Debug)]
pub(crate) struct ConduitState {
    pub(crate) area_in_m2: Vec<f64>,
    pub(crate) area_out_m2: Vec<f64>,
    pub(crate) flow_in_m3ps: Vec<f64>,
    pub(crate) flow_out_m3ps: Vec<f64>,
    pub(crate) evaporation_m3ps: Vec<f64>,
    pub(crate) seepage_m3ps: Vec<f64>,
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) nodes: NodeState,
    pub(crate) links: LinkState,
    pub(crate) conduits: ConduitState,
    /// Moisture below and beside each basin.
    pub(crate) soils: Vec<[Moisture; 2]>,
    /// Evaporation now, m/s.
    pub(crate) evaporation_mps: f64,
    /// Evaporation and seepage of all basins in the last step, m3/s.
    pub(crate) basin_losses: (f64, f64),
}

impl State {
    /// The state that a simulation starts from.
    pub(crate) fn new(sewer: &Sewer) -> Self {
        let (nodes, links, conduits) = (sewer.nodes.id.len(), sewer.links.id.len(), sewer.conduits.link.len());
        let zeros = |count: usize| vec![0.0; count];
        let dry = |storage: &super::network::Storage| storage.soil.map_or_else(Moisture::default, |soil| soil.dry());
        let mut state = Self {
            nodes: NodeState {
                depth_m: sewer.nodes.initial_depth_m.clone(),
                old_depth_m: sewer.nodes.initial_depth_m.clone(),
                volume_m3: zeros(nodes),
                old_volume_m3: zeros(nodes),
                full_volume_m3: zeros(nodes),
                inflow_m3ps: zeros(nodes),
                old_inflow_m3ps: zeros(nodes),
                outflow_m3ps: zeros(nodes),
                old_net_m3ps: zeros(nodes),
                overflow_m3ps: zeros(nodes),
                lateral_m3ps: zeros(nodes),
                losses_m3ps: zeros(nodes),
                degree: vec![0; nodes],
            },
            links: LinkState {
                flow_m3ps: sewer.links.initial_flow_m3ps.clone(),
                old_flow_m3ps: sewer.links.initial_flow_m3ps.clone(),
                depth_m: zeros(links),
                old_depth_m: zeros(links),
                volume_m3: zeros(links),
                setting: vec![1.0; links],
                target: vec![1.0; links],
                slope_m2ps: zeros(links),
                surface_from_m2: zeros(links),
                surface_to_m2: zeros(links),
                froude: zeros(links),
                class: vec![FlowClass::Dry; links],
                is_bypassed: vec![false; links],
            },
            conduits: ConduitState {
                area_in_m2: zeros(conduits),
                area_out_m2: zeros(conduits),
                flow_in_m3ps: zeros(conduits),
                flow_out_m3ps: zeros(conduits),
                evaporation_m3ps: zeros(conduits),
                seepage_m3ps: zeros(conduits),
            },
            soils: sewer.storages.iter().map(|storage| [dry(storage); 2]).collect(),
            evaporation_mps: 0.0,
            basin_losses: (0.0, 0.0),
        };
        state.volumes_and_degrees(sewer);
        state.depths(sewer);
        state.flows(sewer);
        state
    }
    fn volumes_and_degrees(&mut self, sewer: &Sewer) {
        for node in 0..sewer.nodes.id.len() {
            if let Some(storage) = sewer.storage_of(node) {
                self.nodes.full_volume_m3[node] = storage.volume(sewer.nodes.full_depth_m[node]);
            }
        }
        for link in 0..sewer.links.id.len() {
            let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
            if let LinkKind::Pump(row) = sewer.links.kind[link] {
                let pump = &sewer.pumps[row as usize];
                self.links.setting[link] = f64::from(u8::from(pump.is_on));
                self.links.target[link] = self.links.setting[link];
                // A pump by volume gives a manhole the volume of its wet well.
                if let (PumpCurve::Volume(table), false) = (&pump.curve, sewer.is_storage(from)) {
                    let well = table.x.last().copied().unwrap_or(0.0);
                    self.nodes.full_volume_m3[from] = self.nodes.full_volume_m3[from].max(well);
                }
            }
            let (first, other) = if sewer.links.is_reversed[link] { (to, from) } else { (from, to) };
            let counts_at = match (sewer.options.method, sewer.is_outfall(first)) {
                (Method::Dynamic, true) => other,
                (Method::Dynamic, false) => first,
                _ => from,
            };
            self.nodes.degree[counts_at] += 1;
        }
    }
    /// Depths of links from their flow, or from their nodes; of nodes from their links.
    fn depths(&mut self, sewer: &Sewer) {
        for (row, &link) in sewer.conduits.link.iter().enumerate() {
            let (link, barrels) = (link as usize, sewer.conduits.barrels[row]);
            self.links.depth_m[link] = normal_depth(sewer, row, self.links.flow_m3ps[link] / barrels);
        }
        if sewer.options.method != Method::Dynamic {
            return;
        }
        let count = sewer.nodes.id.len();
        let (mut sum, mut number) = (vec![0.0; count], vec![0.0; count]);
        for link in 0..sewer.links.id.len() {
            let depth = self.links.depth_m[link];
            let depth = if depth > DRY_DEPTH_M { depth + sewer.links.offset_from_m[link] } else { 0.0 };
            for node in [sewer.links.from[link], sewer.links.to[link]] {
                sum[node as usize] += depth;
                number[node as usize] += 1.0;
            }
        }
        for node in 0..count {
            let is_given = sewer.is_outfall(node) || sewer.is_storage(node) || sewer.nodes.initial_depth_m[node] > 0.0;
            if !is_given && number[node] > 0.0 {
                self.nodes.depth_m[node] = sum[node] / number[node];
            }
        }
        for link in 0..sewer.links.id.len() {
            super::regulators::set_outfall_depth(sewer, self, link);
        }
        for &link in &sewer.conduits.link {
            let link = link as usize;
            if sewer.links.initial_flow_m3ps[link].abs() > 0.0 {
                continue;
            }
            let full = sewer.links.section[link].y_full_m;
            let at = |node: u32, offset: f64| (self.nodes.depth_m[node as usize] - offset).clamp(0.0, full);
            let from = at(sewer.links.from[link], sewer.links.offset_from_m[link]);
            let to = at(sewer.links.to[link], sewer.links.offset_to_m[link]);
            self.links.depth_m[link] = (0.5 * (from + to)).max(DRY_DEPTH_M);
        }
    }
    fn flows(&mut self, sewer: &Sewer) {
        for node in 0..sewer.nodes.id.len() {
            let (depth, full) = (self.nodes.depth_m[node], sewer.nodes.full_depth_m[node]);
            let ponds = sewer.options.has_ponding && sewer.nodes.ponded_area_m2[node] > 0.0;
            self.nodes.volume_m3[node] = if ponds && depth > full {
                self.nodes.full_volume_m3[node] + (depth - full) * sewer.nodes.ponded_area_m2[node]
            } else {
                self.volume_of_depth(sewer, node, depth)
            };
            self.nodes.old_volume_m3[node] = self.nodes.volume_m3[node];
        }
        if sewer.options.method == Method::Steady {
            self.links.flow_m3ps.fill(0.0);
        }
        for link in 0..sewer.links.id.len() {
            let flow = self.links.flow_m3ps[link];
            let (from, to) = (sewer.links.from[link] as usize, sewer.links.to[link] as usize);
            let (from, to) = if flow >= 0.0 { (from, to) } else { (to, from) };
            self.nodes.outflow_m3ps[from] += flow.abs();
            self.nodes.inflow_m3ps[to] += flow.abs();
        }
        if sewer.options.method == Method::Steady {
            return;
        }
        for (row, &link) in sewer.conduits.link.iter().enumerate() {
            let link = link as usize;
            let barrels = sewer.conduits.barrels[row];
            let area = sewer.links.section[link].area(self.links.depth_m[link]);
            self.conduits.flow_in_m3ps[row] = self.links.flow_m3ps[link] / barrels;
            self.conduits.flow_out_m3ps[row] = self.conduits.flow_in_m3ps[row];
            self.conduits.area_in_m2[row] = area;
            self.conduits.area_out_m2[row] = area;
            self.links.volume_m3[link] = area * sewer.conduits.length_m[row] * barrels;
        }
    }

    /// Volume of a node at a depth, m3. Manholes hold none, but for the wet well of a pump.
    pub(crate) fn volume_of_depth(&self, sewer: &Sewer, node: usize, depth_m: f64) -> f64 {
        let (full, full_volume) = (sewer.nodes.full_depth_m[node], self.nodes.full_volume_m3[node]);
        match sewer.storage_of(node) {
            Some(_) if depth_m >= full && full_volume > 0.0 => full_volume,
            Some(storage) => storage.volume(depth_m),
            None if full > 0.0 => full_volume * depth_m / full,
            None => 0.0,
        }
    }
    /// Depth of a node's volume, m.
    pub(crate) fn depth_of_volume(&self, sewer: &Sewer, node: usize, volume_m3: f64) -> f64 {
        match sewer.storage_of(node) {
            Some(of) => of.depth(volume_m3, sewer.nodes.full_depth_m[node], self.nodes.full_volume_m3[node]),
            None => 0.0,
        }
    }
    /// What is now becomes what was; inflow and outflow start with what comes from outside and what is lost.
    pub(crate) fn begin_step(&mut self, step_s: f64, is_dynamic: bool) {
        let (nodes, links) = (&mut self.nodes, &mut self.links);
        links.old_depth_m.copy_from_slice(&links.depth_m);
        links.old_flow_m3ps.copy_from_slice(&links.flow_m3ps);
        nodes.old_depth_m.copy_from_slice(&nodes.depth_m);
        nodes.old_volume_m3.copy_from_slice(&nodes.volume_m3);
        nodes.old_inflow_m3ps.copy_from_slice(&nodes.inflow_m3ps);
        for node in 0..nodes.depth_m.len() {
            nodes.old_net_m3ps[node] = nodes.inflow_m3ps[node] - nodes.outflow_m3ps[node];
            nodes.inflow_m3ps[node] = nodes.lateral_m3ps[node];
            nodes.outflow_m3ps[node] = nodes.losses_m3ps[node];
            let excess = nodes.volume_m3[node] - nodes.full_volume_m3[node];
            nodes.overflow_m3ps[node] = if excess > 0.0 && !is_dynamic { excess / step_s } else { 0.0 };
        }
    }
    /// Outflow that a node with a volume can give, m3/s.
    pub(crate) fn most_outflow(&self, node: usize, flow_m3ps: f64, step_s: f64) -> f64 {
        let of = &self.nodes;
        let has_volume = of.full_volume_m3[node] > 0.0;
        let most = of.inflow_m3ps[node] + of.old_volume_m3[node] / step_s;
        if has_volume { flow_m3ps.min(most).max(0.0) } else { flow_m3ps.max(0.0) }
    }
    /// Evaporation and seepage of basins over the coming step.
    pub(crate) fn lose_from_basins(&mut self, sewer: &Sewer, step_s: f64) {
        self.basin_losses = (0.0, 0.0);
        for node in 0..sewer.nodes.id.len() {
            let NodeKind::Storage(row) = sewer.nodes.kind[node] else { continue };
            let (storage, soils) = (&sewer.storages[row as usize], &mut self.soils[row as usize]);
            let (depth, volume) = (self.nodes.depth_m[node], self.nodes.volume_m3[node]);
            let lost = storage.losses(soils, self.evaporation_mps, step_s, depth, volume);
            self.basin_losses.0 += lost.0;
            self.basin_losses.1 += lost.1;
            self.nodes.losses_m3ps[node] = lost.0 + lost.1;
        }
    }
    /// Evaporation and seepage of a conduit, m3/s of one barrel; at most `most_m3ps`.
    pub(crate) fn lose_from_conduit(&mut self, sewer: &Sewer, row: usize, most_m3ps: f64) -> f64 {
        if self.evaporation_mps <= 0.0 && sewer.conduits.seepage_mps[row] <= 0.0 {
            (self.conduits.evaporation_m3ps[row], self.conduits.seepage_m3ps[row]) = (0.0, 0.0);
            return 0.0;
        }
        let link = sewer.conduits.link[row] as usize;
        let section = &sewer.links.section[link];
        let depth = 0.5 * (self.links.old_depth_m[link] + self.links.depth_m[link]);
        let length = sewer.conduits.length_m[row];
        let (mut evaporation, mut seepage) = (0.0, 0.0);
        if depth > DRY_DEPTH_M {
            if section.is_open() {
                evaporation = section.width(depth) * length * self.evaporation_mps;
            }
            if sewer.conduits.seepage_mps[row] > 0.0 {
                seepage = sewer.conduits.seepage_mps[row] * section.widest_below(depth) * length;
            }
        }
        let all = evaporation + seepage;
        if all > most_m3ps {
            evaporation *= most_m3ps / all;
            seepage *= most_m3ps / all;
        }
        self.conduits.evaporation_m3ps[row] = evaporation;
        self.conduits.seepage_m3ps[row] = seepage;
        evaporation + seepage
    }
}

/// Depth of steady uniform flow in a conduit, m.
pub(crate) fn normal_depth(sewer: &Sewer, row: usize, flow_m3ps: f64) -> f64 {
    let section = &sewer.links.section[sewer.conduits.link[row] as usize];
    let beta = sewer.conduits.beta[row];
    let flow = flow_m3ps.abs().min(section.s_max * beta);
    if flow <= 0.0 { 0.0 } else { section.depth(section.area_of_factor(flow / beta)) }
}
