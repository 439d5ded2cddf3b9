//! A made-up sewer of a city, from its package to tables that geographic programs open.
//!
//! Files in the folder: `node` and `link` (with geometry), `building`, `figures`, `sewer.inp` for SWMM, and
//! `summary.json`, which is removed first and written last, so that its presence says that the others are whole. All of it
//! is synthetic, and the tables' descriptions and the summary say so.

use crate::plan_folder::{Beside, PlanOptions, PlanSummary, figure_table};
use crate::solved_folder::{make_ready, write_summary};
use geo::LineString;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use urbis_city::geoparquet::TableWriter;
use urbis_city::model::City;
use urbis_city::projection::Projection;
use urbis_core::Result;
use urbis_core::files::write_whole;
use urbis_utility::sewer::network::NodeKind;
use urbis_utility::sewer::synthetic::{
    Figure, REFERENCES, StormCheck, SyntheticSewer, SyntheticSewerSettings, estimate_dry_m3ps,
};

/// Plans the sewer of a city for the sewage estimated for its buildings, and tries it in two storms.
///
/// # Errors
/// A package or settings that cannot be read or make no plan; a folder that cannot be written.
pub fn plan(options: &PlanOptions) -> Result<PlanSummary> {
    let (city, settings, projection) = options.read::<SyntheticSewerSettings>()?;
    make_ready(&options.out)?;
    let dry_m3ps = estimate_dry_m3ps(&city);
    let of = SyntheticSewer::plan(&city, &dry_m3ps, &settings)?;
    let dwellings: u64 = city.buildings.dwellings.iter().map(|&of| u64::from(of)).sum();
    let figures = of.figures(dwellings);
    options.write("node", node_table(&of, &projection)?)?;
    options.write("link", link_table(&of, &projection)?)?;
    options.write("building", building_table(&city, &of, &dry_m3ps))?;
    let published: Vec<Beside<'_>> = REFERENCES.iter().map(|of| (of.figure, of.value, of.source, of.quality)).collect();
    let rows = figures.iter().map(|of| (of.name, of.unit, of.value));
    let title = "Figures of a synthetic sewer beside published ones";
    options.write("figures", figure_table(title, "this sewer", rows, &published))?;
    write_whole(&options.out.join("sewer.inp"), of.inp.as_bytes())?;
    let storm = |check: &StormCheck| {
        json!({
            "return_period_y": check.return_period_y, "rain_mm": check.rain_mm,
            "flooded_nodes": check.flooded_nodes, "flooded_m3": check.flooded_m3, "gap": check.gap,
        })
    };
    let named: serde_json::Map<String, Json> = figures.iter().map(|of| (of.name.to_owned(), json!(of.value))).collect();
    let json = json!({
        "city": city.manifest.name, "city_hash": city.manifest.content_hash, "synthetic": of.is_synthetic,
        "settings": settings, "buildings": city.buildings.len(), "dwellings": dwellings,
        "nodes": of.sewer.nodes.id.len(), "links": of.sewer.links.id.len(),
        "outfalls": of.sewer.outfalls.len(), "pumps": of.sewer.pumps.len(),
        "dry_weather_m3ps": dry_m3ps.iter().sum::<f64>(),
        "area_ha": of.area_m2 / 1e4, "sealed_ha": of.sealed_m2 / 1e4, "concentration_s": of.concentration_s,
        "design_storm": storm(&of.checks[0]), "tenfold_storm": storm(&of.checks[1]),
        "figures": named, "notes": of.notes,
    });
    write_summary(&options.out, &json)?;
    Ok(PlanSummary { figures: told(&of, &figures), json, notes: of.notes })
}

fn node_table(of: &SyntheticSewer, projection: &Projection) -> Result<TableWriter> {
    let nodes = &of.sewer.nodes;
    let mut table = TableWriter::new("Manholes, wells, basins and outfalls of a synthetic sewer");
    table.text("node_id", "Node.", &nodes.id);
    let kind = |kind: &NodeKind| match kind {
        NodeKind::Outfall(_) => "outfall",
        NodeKind::Storage(_) => "basin",
        _ => "manhole",
    };
    table.text("kind", "What it is; a basin may be the wet well of a pump.", nodes.kind.iter().map(kind));
    table.number("invert_m", "m", "Elevation of the bottom.", &nodes.invert_m);
    table.number("ground_m", "m", "Elevation of the ground.", &of.ground_m);
    table.number("ponded_area_m2", "m2", "Ground on which water that comes up stands.", &nodes.ponded_area_m2);
    let places: Vec<_> = of.node_place.iter().map(|&[x_m, y_m]| projection.unproject(x_m, y_m)).collect();
    table.geometry("Where it is.", &places)?;
    Ok(table)
}

fn link_table(of: &SyntheticSewer, projection: &Projection) -> Result<TableWriter> {
    let (links, pipes) = (&of.sewer.links, &of.pipes);
    let id = |node: &u32| of.sewer.nodes.id[*node as usize].as_str();
    let mut table = TableWriter::new("Pipes, pumps, throttles and weirs of a synthetic sewer");
    table.text("link_id", "Link.", &links.id);
    table.text("kind", "What it is.", pipes.kind.iter().map(|kind| kind.name()));
    table.text("from_node", "Node that it starts from.", links.from.iter().map(id));
    table.text("to_node", "Node that it leads to.", links.to.iter().map(id));
    table.count("dn_mm", "mm", "Inner diameter; 0 for what is no pipe.", &pipes.dn_mm);
    table.count("parallel", "", "How many side by side.", &pipes.barrels);
    table.number("length_m", "m", "Length; 0 for what is no pipe.", &pipes.length_m);
    table.number("slope", "", "Slope; 0 for what is no pipe.", &pipes.slope);
    table.number("design_m3ps", "m3/s", "Flow that it is made for.", &pipes.design_m3ps);
    // A pump has one place, and a line needs two.
    let line = |link: usize| {
        let corners = pipes.line(link);
        let ends = [corners[0], corners[corners.len() - 1]];
        let corners = if corners.len() < 2 { &ends[..] } else { corners };
        corners.iter().map(|&[x_m, y_m]| projection.unproject(x_m, y_m)).collect::<LineString>()
    };
    table.geometry("Where it lies.", &(0..links.id.len()).map(line).collect::<Vec<_>>())?;
    Ok(table)
}

fn building_table(city: &City, of: &SyntheticSewer, dry_m3ps: &[f64]) -> TableWriter {
    let mut table = TableWriter::new("Buildings and where they drain into a synthetic sewer");
    table.text("building_id", "Building; key of the layer buildings.", &city.buildings.id);
    let ids = &of.sewer.nodes.id;
    table.text("node_id", "Node.", of.building_node.iter().map(|&node| ids[node as usize].as_str()));
    table.number("dry_weather_m3ps", "m3/s", "Mean sewage.", dry_m3ps);
    table
}

fn told(of: &SyntheticSewer, figures: &[Figure]) -> String {
    let mut text = String::from("synthetic sewer, made up along streets\n");
    for figure in figures {
        let _ = write!(text, "{:26} {:10.2} {}", figure.name, figure.value, figure.unit);
        for reference in REFERENCES.iter().filter(|reference| reference.figure == figure.name) {
            let _ = write!(text, "  [{:.2}: {}; {}]", reference.value, reference.source, reference.quality);
        }
        text.push('\n');
    }
    for check in &of.checks {
        let StormCheck { return_period_y, rain_mm, flooded_nodes, flooded_m3, .. } = check;
        let _ = writeln!(
            text,
            "storm of {return_period_y} years, {rain_mm:.1} mm: {flooded_nodes} nodes flood with {flooded_m3:.1} m3"
        );
    }
    text
}
