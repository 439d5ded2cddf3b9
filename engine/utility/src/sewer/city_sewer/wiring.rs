//! How a city hangs on its sewer: the node of each building, where nodes are, and which streets lie above them.
//!
//! A node is below the nearest link that stands for a street, with the one in the other direction, if it is no farther
//! than [`STREET_M`].

use super::super::inp;
use super::super::network::{DryWeather, Method, NodeKind, Sewer};
use super::super::synthetic::{Routing, SyntheticSewer};
use super::settings::SewerSettings;
use crate::layout::Layout;
use crate::power::settings::refusing;
use crate::wiring::{Coverage, NetworkSource, read_buildings};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_city::locate::LinkLocator;
use urbis_city::model::{City, RoadClass};
use urbis_core::Result;

/// Farthest that a street is from a node below it, m.
const STREET_M: f64 = 30.0;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SewerWiring {
    /// Whether the sewer is made up.
    pub is_synthetic: bool,
    /// Name of each node.
    pub node_id: Vec<String>,
    /// Easting, northing of each node, metres; NaN where unknown.
    pub node_place: Vec<[f64; 2]>,
    /// Where nodes and links lie.
    pub layout: Layout,
    /// Node of each building.
    pub building_node: Vec<u32>,
    /// Outfalls.
    pub outfalls: Vec<u32>,
    /// Rows of links above each node begin here in `street`; one longer than nodes.
    pub street_start: Vec<u32>,
    /// Rows of the city's links.
    pub street: Vec<u32>,
    /// Ground that water from each node spreads over, m2.
    pub spread_m2: Vec<f64>,
    /// What did not come out as planned, in sentences for people.
    pub notes: Vec<String>,
}

impl SewerWiring {
    /// Links above a node.
    #[must_use]
    pub fn streets_of(&self, node: usize) -> &[u32] {
        &self.street[self.street_start[node] as usize..self.street_start[node + 1] as usize]
    }
    /// Wires a city as its settings say; paths are relative to `folder`.
    pub(super) fn new(
        city: &City,
        settings: &SewerSettings,
        dry_m3ps: &[f64],
        folder: &Path,
    ) -> Result<(Self, Option<Sewer>)> {
        refusing("sewer", |tell| settings.check(tell))?;
        let (mut this, sewer) = match (settings.source, &settings.case, &settings.buildings) {
            (NetworkSource::None, ..) => return Ok((Self { street_start: vec![0], ..Self::default() }, None)),
            (NetworkSource::File, Some(case), Some(buildings)) => {
                Self::of_file(city, settings, &folder.join(case), &folder.join(buildings))?
            }
            _ => {
                let of = SyntheticSewer::plan(city, dry_m3ps, &settings.synthetic)?;
                let this = Self {
                    is_synthetic: true,
                    layout: Layout::of_plan(of.node_place.clone(), of.pipes.corner_start, of.pipes.corners),
                    node_place: of.node_place,
                    building_node: of.building_node,
                    notes: of.notes,
                    ..Self::default()
                };
                (this, of.sewer)
            }
        };
        let nodes = &sewer.nodes;
        this.node_id.clone_from(&nodes.id);
        this.outfalls = (0..nodes.id.len() as u32)
            .filter(|&node| matches!(nodes.kind[node as usize], NodeKind::Outfall(_)))
            .collect();
        let spread = |&area_m2: &f64| if area_m2 > 0.0 { area_m2 } else { settings.flooded_area_m2 };
        this.spread_m2 = nodes.ponded_area_m2.iter().map(spread).collect();
        this.find_streets(city);
        Ok((this, Some(sewer)))
    }
    fn of_file(city: &City, settings: &SewerSettings, case: &Path, buildings: &Path) -> Result<(Self, Sewer)> {
        let method = settings.routing.map(|routing| match routing {
            Routing::Kinematic => Method::Kinematic,
            Routing::Dynamic => Method::Dynamic,
        });
        let mut sewer = inp::read(case, method)?;
        let node_of: BTreeMap<&str, u32> =
            sewer.nodes.id.iter().enumerate().map(|(row, id)| (id.as_str(), row as u32)).collect();
        let building_node =
            read_buildings(city, buildings, "node_id", "a node of the sewer", &node_of, Coverage::Every)?;
        let mut notes = std::mem::take(&mut sewer.notes);
        if !sewer.dry_weather.node.is_empty() {
            notes.push("[DWF] of the sewer is left out, as buildings bring the sewage".to_owned());
            sewer.dry_weather = DryWeather::default();
        }
        if sewer.options.method == Method::Steady {
            notes.push("steady flow of the sewer is taken as kinematic waves".to_owned());
        }
        let node_place: Vec<[f64; 2]> = sewer.nodes.x.iter().zip(&sewer.nodes.y).map(|(&x, &y)| [x, y]).collect();
        let layout = Layout::of_file(city, node_place.iter().copied().map(Some));
        Ok((Self { layout, node_place, building_node, notes, ..Self::default() }, sewer))
    }
    fn find_streets(&mut self, city: &City) {
        let links = &city.links;
        let is_street = |link: usize| {
            let class = links.class.get(link).copied().unwrap_or_default();
            let is_tunnel = links.tunnel.get(link).copied().unwrap_or(false);
            let is_bridge = links.bridge.get(link).copied().unwrap_or(false);
            !is_tunnel && !is_bridge && !matches!(class, RoadClass::Motorway | RoadClass::External)
        };
        let locator = LinkLocator::new(city, is_street);
        let mut twins: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for link in (0..links.len()).filter(|&link| is_street(link)) {
            twins.entry((links.from[link].0, links.to[link].0)).or_default().push(link as u32);
        }
        self.street_start = vec![0];
        for &[x_m, y_m] in &self.node_place {
            let is_known = x_m.is_finite() && y_m.is_finite();
            if let Some(beside) = is_known.then(|| locator.nearest(x_m, y_m, STREET_M)).flatten() {
                let link = beside.link.row();
                self.street.push(link as u32);
                let back = twins.get(&(links.to[link].0, links.from[link].0));
                self.street.extend(back.into_iter().flatten());
            }
            self.street_start.push(self.street.len() as u32);
        }
    }
}
