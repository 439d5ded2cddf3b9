//! A made-up network of drinking water of a city, from its package to tables that geographic programs open.
//!
//! What buildings draw is that of [`urbis_utility::water_demand`] with as many people in them as usual: their mean over a
//! day, and their draw at the hour at which all of them together draw most.
//!
//! Files in the folder: `node` and `link` (with geometry), `building`, `zone`, `figures`, `network.inp` for EPANET, and
//! `summary.json`, which is removed first and written last, so that its presence says that the others are whole. All of it
//! is synthetic, and the tables' descriptions, the file's title and the summary say so.

use crate::plan_folder::{Beside, PlanOptions, PlanSummary, figure_table, text_of};
use crate::solved_folder::{make_ready, write_summary};
use geo::{LineString, Point};
use serde_json::json;
use urbis_city::geoparquet::TableWriter;
use urbis_city::model::City;
use urbis_core::Result;
use urbis_core::files::write_whole;
use urbis_utility::water::inp;
use urbis_utility::water::network::NodeKind;
use urbis_utility::water::synthetic::figures::REFERENCES;
use urbis_utility::water::synthetic::{Catalogue, Figures, NONE, SyntheticWater, SyntheticWaterSettings};
use urbis_utility::water_demand::{HOURS, WaterDemandSettings, WaterUse};

/// Mean draw of buildings, and their draw at the hour of highest draw of all, m3/s; with as many people as usual.
#[must_use]
pub fn draws(city: &City, of: &WaterUse) -> (Vec<f64>, Vec<f64>) {
    let table = &city.buildings;
    let at = |row: usize, hour: usize| {
        let (purpose, area_m2) = (table.purpose[row], table.floor_area_m2[row]);
        let persons = of.reference_persons(purpose, area_m2, hour);
        of.building_demand_m3ps(purpose, area_m2, persons, persons, hour)
    };
    let rows = || 0..table.len();
    let of_hour = |hour: usize| rows().map(|row| at(row, hour)).sum::<f64>();
    let totals: Vec<f64> = (0..HOURS).map(of_hour).collect();
    let highest = (0..HOURS).max_by(|&a, &b| totals[a].total_cmp(&totals[b]).then(b.cmp(&a))).unwrap_or(0);
    let mean = |row: usize| of.litres_per_day(table.purpose[row], table.floor_area_m2[row]) / 86_400.0e3;
    (rows().map(mean).collect(), rows().map(|row| at(row, highest)).collect())
}

/// Plans the network of a city at the draw of its buildings, solves it, and writes it.
///
/// # Errors
/// A package, settings or catalogue that cannot be read or make no plan; a folder that cannot be written.
pub fn plan(options: &PlanOptions) -> Result<PlanSummary> {
    let (city, settings, projection) = options.read::<SyntheticWaterSettings>()?;
    let catalogue = match &options.catalogue {
        None => Catalogue::shipped()?,
        Some(path) => Catalogue::from_toml(&text_of(path)?, path)?,
    };
    make_ready(&options.out)?;
    let (mean, peak) = draws(&city, &WaterUse::new(&WaterDemandSettings::default())?);
    let of = SyntheticWater::plan_with(&city, &mean, &peak, &settings, &catalogue)?;
    let residents = residents(&city);
    let figures = Figures::new(&of, settings.pressure_m_max, residents)?;
    let place = |[x_m, y_m]: [f64; 2]| projection.unproject(x_m, y_m);
    options.write("node", node_table(&of, &place)?)?;
    options.write("link", link_table(&of, &catalogue, &place)?)?;
    options.write("building", building_table(&city, &of, &mean, &peak))?;
    options.write("zone", zone_table(&of))?;
    let published: Vec<Beside<'_>> =
        REFERENCES.iter().map(|of| (of.figure, of.value, of.source, of.quality.name())).collect();
    let title = "Figures of a synthetic water network beside published ones";
    options.write("figures", figure_table(title, "this network", figures.rows(), &published))?;
    let (text, _) = inp::write(&of.network);
    write_whole(&options.out.join("network.inp"), text.as_bytes())?;
    let day = &figures.day;
    let json = json!({
        "city": city.manifest.name, "city_hash": city.manifest.content_hash, "synthetic": of.is_synthetic,
        "settings": settings, "buildings": figures.buildings, "junctions": figures.junctions, "zones": figures.zones,
        "waterworks": figures.works, "tanks": figures.tanks, "pumps": figures.pumps[0],
        "standby_pumps": figures.pumps[1], "pressure_reducers": figures.reducers,
        "main_km": figures.main_m / 1000.0, "mean_m3pd": figures.mean_m3pd, "peak_m3ps": figures.peak_m3ps,
        "tank_m3": figures.tank_m3, "residents": residents,
        "supplied_buildings": figures.peak.supplied_buildings,
        "converged": figures.peak.is_balanced && figures.night.is_balanced && day.unbalanced == 0,
        "pressure_m_min_at_peak": figures.peak.pressure_m_min,
        "pressure_m_max_at_night": figures.night.pressure_m_max,
        "share_enough_at_peak": figures.peak.share_enough,
        "share_below_max_at_night": figures.night.share_below_max,
        "velocity_mps_at_peak": figures.peak.velocity_mps,
        "day": {
            "solves": day.solves, "unbalanced_steps": day.unbalanced, "served_m3": day.served_m3,
            "served_share": day.served_share, "residual_share": day.residual_share,
            "pump_energy_kwh": day.energy_kwh, "pressure_m_min": day.pressure_m_min,
            "pressure_m_max": day.pressure_m_max, "tank_level_ranges": day.level_range,
            "tank_level_gains": day.level_gain,
        },
        "main_m_by_type": catalogue.pipes.iter().zip(&figures.length_m_by_pipe)
            .filter(|(_, length_m)| **length_m > 0.0)
            .map(|(pipe, length_m)| (pipe.name.clone(), json!(length_m))).collect::<serde_json::Map<_, _>>(),
        "notes": of.notes,
    });
    write_summary(&options.out, &json)?;
    Ok(PlanSummary { json, figures: figures.to_string(), notes: of.notes })
}

/// Residents of the city by its panel: its own figure, or the sum of its zones.
fn residents(city: &City) -> Option<f64> {
    let of = |name: &str| city.panel_latest(name, "residents").map(|row| row.value);
    of(&city.manifest.name).or_else(|| {
        let sum: f64 = city.zones.id.iter().filter_map(|zone| of(zone)).sum();
        (sum > 0.0).then_some(sum)
    })
}

fn node_table(of: &SyntheticWater, place: &dyn Fn([f64; 2]) -> Point) -> Result<TableWriter> {
    let nodes = &of.network.nodes;
    let mut table = TableWriter::new("Nodes of a synthetic water network");
    table.text("node_id", "Node, as in network.inp.", &nodes.id);
    let kind = |kind: &NodeKind| match kind {
        NodeKind::Junction => "junction",
        NodeKind::Reservoir => "waterworks",
        NodeKind::Tank => "tank",
    };
    table.text("kind", "What it is.", nodes.kind.iter().map(kind));
    table.count("zone_id", "", "Pressure zone.", &of.node_zone);
    table.number("elevation_m", "m", "Ground of a junction, bottom of a tank, head of waterworks.", &nodes.elevation_m);
    table.count("buildings", "", "Buildings that draw there.", &of.node_buildings);
    table.number("required_m", "m", "Pressure wanted by the tallest of them that is served.", &of.node_required_m);
    table.number("peak_m3ps", "m3/s", "Draw at the highest hour of the day of highest draw.", &of.node_peak_m3ps);
    table.geometry("Where it is.", &of.node_place.iter().map(|&at| place(at)).collect::<Vec<_>>())?;
    Ok(table)
}

fn link_table(of: &SyntheticWater, catalogue: &Catalogue, place: &dyn Fn([f64; 2]) -> Point) -> Result<TableWriter> {
    let (links, facts) = (&of.network.links, &of.links);
    let id = |node: &u32| of.network.nodes.id[*node as usize].as_str();
    let mut table = TableWriter::new("Mains, pumps and valves of a synthetic water network");
    table.text("link_id", "Link, as in network.inp.", &links.id);
    table.text("kind", "What it is.", facts.kind.iter().map(|kind| kind.name()));
    table.text("from_node", "Node of the from end.", links.from.iter().map(id));
    table.text("to_node", "Node of the to end.", links.to.iter().map(id));
    table.count("zone_id", "", "Pressure zone that it lies in or leads into.", &facts.zone);
    let type_of = |pipe: &u32| if *pipe == NONE { "" } else { catalogue.pipes[*pipe as usize].name.as_str() };
    table.text("type", "Pipe, as catalogues call it.", facts.pipe.iter().map(type_of));
    table.number("length_m", "m", "Length; 0 of pumps and valves.", &links.length_m);
    table.number("diameter_m", "m", "Inner diameter; 0 of pumps.", &links.diameter_m);
    let line = |row: u32| facts.line(row).iter().map(|&at| place(at)).collect::<LineString>();
    table.geometry("Where it lies.", &(0..facts.kind.len() as u32).map(line).collect::<Vec<_>>())?;
    Ok(table)
}

fn building_table(city: &City, of: &SyntheticWater, mean_m3ps: &[f64], peak_m3ps: &[f64]) -> TableWriter {
    let mut table = TableWriter::new("Buildings and where a synthetic water network supplies them");
    table.text("building_id", "Building; key of the layer buildings.", &city.buildings.id);
    let id = |node: &u32| of.network.nodes.id[*node as usize].as_str();
    table.text("node_id", "Junction in the street.", of.building_node.iter().map(id));
    let zone = |node: &u32| of.node_zone[*node as usize];
    table.count("zone_id", "", "Pressure zone.", &of.building_node.iter().map(zone).collect::<Vec<_>>());
    table.number("mean_m3ps", "m3/s", "Mean draw.", mean_m3ps);
    table.number("peak_m3ps", "m3/s", "Draw at the city's highest hour of a mean day.", peak_m3ps);
    table
}

fn zone_table(of: &SyntheticWater) -> TableWriter {
    let zones = &of.zones;
    let mut table = TableWriter::new("Pressure zones of a synthetic water network");
    table.count("zone_id", "", "Zone.", &(0..zones.len() as u32).collect::<Vec<_>>());
    let column = |of: &dyn Fn(usize) -> f64| (0..zones.len()).map(of).collect::<Vec<f64>>();
    table.text("feed", "How it is fed.", zones.iter().map(|zone| zone.feed.name()));
    table.number("head_m", "m", "Bottom of its tank, or head held where it is fed.", &column(&|row| zones[row].head_m));
    table.number("ground_m_min", "m", "Lowest ground of its customers.", &column(&|row| zones[row].ground_m_min));
    table.number("ground_m_max", "m", "Highest ground of its customers.", &column(&|row| zones[row].ground_m_max));
    table.count("buildings", "", "Buildings.", &zones.iter().map(|zone| zone.buildings).collect::<Vec<_>>());
    table.number("mean_m3ps", "m3/s", "Mean draw of its buildings.", &column(&|row| zones[row].mean_m3ps));
    let flow = column(&|row| zones[row].design_m3ps);
    table.number("design_m3ps", "m3/s", "Flow that its pumps or reducer are planned for.", &flow);
    let tank = |row: usize| of.tanks.get(zones[row].tank as usize);
    let volume = column(&|row| tank(row).map_or(0.0, |tank| tank.volume_m3));
    table.number("tank_m3", "m3", "Volume of its tank; 0 without.", &volume);
    let above = column(&|row| tank(row).map_or(0.0, |tank| tank.above_ground_m));
    table.number("tank_above_ground_m", "m", "Bottom of its tank above ground.", &above);
    table
}
