//! Recorder of what utility networks are made of, and where it lies.

use crate::record::Recorders;
use crate::record_pipes::{kind_of, named};
use crate::tables::NetworkElementRow;
use crate::writer::ResultsWriter;
use bevy_ecs::world::World;
use geo::{Geometry, LineString, Point};
use std::path::Path;
use urbis_city::model::City;
use urbis_city::projection::Projection;
use urbis_city::shape;
use urbis_core::{Problem, Result};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::layout::Layout;
use urbis_utility::pipes::network::Network;
use urbis_utility::power::city_grid::CityGrid;
use urbis_utility::sewer::city_sewer::CitySewer;
use urbis_utility::sewer::network::{LinkKind as SewerLink, NodeKind as SewerNode};
use urbis_utility::water::city::CityWater;
use urbis_utility::water::network::NodeKind;
use urbis_utility::wiring::Utility;

/// Writes `network_element`, once at the end.
///
/// # Errors
/// As [`ResultsWriter::network_element`]; a city whose reference system is not known.
pub fn elements(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    if world.resource::<Recorders>().network_element.every.is_none() {
        return Ok(());
    }
    let city = world.resource::<City>();
    let projection = Projection::from_code(&city.manifest.crs)
        .map_err(|what| Problem::file(Path::new(&city.manifest.name), what))?;
    let mut out = Elements { writer, projection };
    if let Some(grid) = world.get_resource::<CityGrid>() {
        of_grid(grid, &mut out)?;
    }
    if let Some(water) = world.get_resource::<CityWater>() {
        of_water(water, &mut out)?;
    }
    if let Some(gas) = world.get_resource::<CityGas>() {
        of_pipes(Utility::Gas, gas.flow().network(), gas.layout(), &mut out)?;
    }
    if let Some(heat) = world.get_resource::<CityHeat>() {
        of_pipes(Utility::Heat, heat.run().flow().network(), heat.layout(), &mut out)?;
    }
    world.get_resource::<CitySewer>().map_or(Ok(()), |sewer| of_sewer(sewer, &mut out))
}

/// Where rows go, and where the city's metres are on the globe.
struct Elements<'a> {
    writer: &'a mut ResultsWriter,
    projection: Projection,
}

impl Elements<'_> {
    fn wkt(&self, line: &[[f64; 2]]) -> String {
        let degrees = |&[x_m, y_m]: &[f64; 2]| {
            let of = self.projection.unproject(x_m, y_m);
            Point::new(rounded(of.x()), rounded(of.y()))
        };
        let of: Geometry = match line {
            [place] => degrees(place).into(),
            _ => line.iter().map(degrees).collect::<LineString>().into(),
        };
        shape::to_wkt(&of)
    }
    fn put(
        &mut self,
        utility: Utility,
        kind: &str,
        element_id: &str,
        ends: Option<[&str; 2]>,
        line: Option<&[[f64; 2]]>,
    ) -> Result<()> {
        let wkt = line.map(|line| self.wkt(line));
        self.writer.network_element(&NetworkElementRow {
            utility: utility.name(),
            kind,
            element_id,
            is_link: ends.is_some(),
            from_node: ends.map(|ends| ends[0]),
            to_node: ends.map(|ends| ends[1]),
            wkt: wkt.as_deref(),
        })
    }
    fn node(&mut self, utility: Utility, kind: &str, element_id: &str, place: Option<[f64; 2]>) -> Result<()> {
        self.put(utility, kind, element_id, None, place.as_ref().map(std::slice::from_ref))
    }
    fn link(
        &mut self,
        utility: Utility,
        kind: &str,
        element_id: &str,
        ends: [&str; 2],
        line: Option<Vec<[f64; 2]>>,
    ) -> Result<()> {
        self.put(utility, kind, element_id, Some(ends), line.as_deref())
    }
}

/// Degrees to about a centimetre.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}

fn of_grid(grid: &CityGrid, out: &mut Elements<'_>) -> Result<()> {
    let (of, wiring) = (grid.flow().grid(), grid.wiring());
    for (row, id) in of.buses.id.iter().enumerate() {
        out.node(Utility::Electricity, "bus", id, wiring.layout.node(row))?;
    }
    for (row, id) in wiring.branch_id.iter().enumerate() {
        let ends = [of.branches.from[row] as usize, of.branches.to[row] as usize];
        let names = ends.map(|bus| of.buses.id[bus].as_str());
        out.link(Utility::Electricity, wiring.branch_kind[row], id, names, wiring.layout.link(row, ends))?;
    }
    Ok(())
}

fn of_water(water: &CityWater, out: &mut Elements<'_>) -> Result<()> {
    let network = water.run().hydraulics.network();
    let (nodes, links) = (&network.nodes, &network.links);
    for (row, id) in nodes.id.iter().enumerate() {
        let kind = match nodes.kind[row] {
            NodeKind::Junction => "junction",
            NodeKind::Reservoir => "reservoir",
            NodeKind::Tank => "tank",
        };
        out.node(Utility::Water, kind, id, water.layout().node(row))?;
    }
    for (row, id) in links.id.iter().enumerate() {
        let ends = [links.from[row] as usize, links.to[row] as usize];
        let names = ends.map(|node| nodes.id[node].as_str());
        out.link(Utility::Water, kind_of(links.kind[row]), id, names, water.layout().link(row, ends))?;
    }
    Ok(())
}

fn of_pipes(utility: Utility, network: &Network, layout: &Layout, out: &mut Elements<'_>) -> Result<()> {
    let (nodes, links) = (&network.nodes, &network.links);
    for row in (0..nodes.len()).filter(|&row| nodes.is_junction[row]) {
        out.node(utility, "junction", &nodes.id[row], layout.node(row))?;
    }
    for (row, of) in network.elements.iter().enumerate() {
        let (id, from, to) = named(network, row);
        let range = of.links();
        let ends = [links.from[range.start] as usize, links.to[range.end - 1] as usize];
        out.link(utility, of.table, &id, [from, to], layout.link(row, ends))?;
    }
    Ok(())
}

fn of_sewer(sewer: &CitySewer, out: &mut Elements<'_>) -> Result<()> {
    let Some(simulation) = sewer.simulation() else { return Ok(()) };
    let (nodes, links, layout) = (&simulation.sewer().nodes, &simulation.sewer().links, &sewer.wiring().layout);
    for (row, id) in nodes.id.iter().enumerate() {
        let kind = match nodes.kind[row] {
            SewerNode::Junction => "junction",
            SewerNode::Outfall(_) => "outfall",
            SewerNode::Storage(_) => "storage",
            SewerNode::Divider(_) => "divider",
        };
        out.node(Utility::Sewer, kind, id, layout.node(row))?;
    }
    for (row, id) in links.id.iter().enumerate() {
        let kind = match links.kind[row] {
            SewerLink::Conduit(_) => "conduit",
            SewerLink::Pump(_) => "pump",
            SewerLink::Orifice(_) => "orifice",
            SewerLink::Weir(_) => "weir",
            SewerLink::Outlet(_) => "outlet",
        };
        let ends = [links.from[row] as usize, links.to[row] as usize];
        let names = ends.map(|node| nodes.id[node].as_str());
        out.link(Utility::Sewer, kind, id, names, layout.link(row, ends))?;
    }
    Ok(())
}
