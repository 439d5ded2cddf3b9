//! Runoff and sewers without a city: from an input file of SWMM to tables on its report steps.
//!
//! Files in the folder: `node`, `link`, `subcatchment`, each a row for every element and moment, `flooding`, a row for
//! every node, and `summary.json`, which is removed first and written last, so that its presence says that the others are
//! whole.

use crate::solved_folder::{keep_apart, make_ready, write_summary, write_table};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use urbis_city::geoparquet::TableWriter;
use urbis_core::Result;
use urbis_utility::sewer::{self, Method, Results, Sewer};

/// Rain and infiltration of 1 m/s in mm/h.
const MM_PER_H: f64 = 3.6e6;

/// How to solve a sewer.
#[derive(Clone, Debug)]
pub struct SewerOptions {
    /// Input file of SWMM.
    pub input: PathBuf,
    /// Folder of the results; other files in it stay.
    pub out: PathBuf,
    /// Routing in place of the file's.
    pub method: Option<Method>,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SewerSummary {
    /// What `summary.json` holds.
    pub json: Json,
    /// What the reader left out, changed or assumed.
    pub notes: Vec<String>,
    /// Why the results are not to be trusted, if they are not: books of water that do not close.
    pub failure: Option<String>,
}

/// Reads, simulates and writes.
///
/// # Errors
/// An input that is not right, or a folder that cannot be written.
pub fn solve(options: &SewerOptions) -> Result<SewerSummary> {
    let sewer = sewer::inp::read(&options.input, options.method)?;
    keep_apart(&options.input, &options.out)?;
    make_ready(&options.out)?;
    let results = sewer::run(&sewer);
    write(options, "node", node_table(&sewer, &results))?;
    write(options, "link", link_table(&sewer, &results))?;
    write(options, "subcatchment", subcatchment_table(&sewer, &results))?;
    write(options, "flooding", flooding_table(&sewer, &results))?;
    let json = summary(options, &sewer, &results);
    write_summary(&options.out, &json)?;
    let failure = failure(&json);
    Ok(SewerSummary { json, notes: sewer.notes, failure })
}

/// Continuity errors beyond which results say little, percent; SWMM warns from here too.
const CONTINUITY_PCT: f64 = 10.0;

fn failure(json: &Json) -> Option<String> {
    let errors = [("runoff", "runoff_continuity_error_pct"), ("routing", "routing_continuity_error_pct")];
    let is_bad = |value: &Json| !value.as_f64().is_some_and(|percent| percent.abs() <= CONTINUITY_PCT);
    let bad = errors.iter().find(|(_, key)| is_bad(&json[*key]));
    bad.map(|(of, key)| format!("continuity error of {of} = {} percent, expected {CONTINUITY_PCT} at most", json[*key]))
}

fn write(options: &SewerOptions, name: &str, table: TableWriter) -> Result<()> {
    write_table(&options.out, options.as_csv, name, table)
}

/// A table with a moment and an element for each row.
fn over_time(description: &str, of: &str, what: &str, ids: &[String], results: &Results) -> TableWriter {
    let mut table = TableWriter::new(description);
    let times: Vec<f64> = results.time_s.iter().flat_map(|&time| std::iter::repeat_n(time, ids.len())).collect();
    table.number("time_s", "s", "Time since the start.", &times);
    table.text(of, what, results.time_s.iter().flat_map(|_| ids.iter()));
    table
}

fn node_table(sewer: &Sewer, results: &Results) -> TableWriter {
    let of = &sewer.nodes;
    let mut table = over_time("Nodes of a sewer over time", "node_id", "Node.", &of.id, results);
    table.number("depth_m", "m", "Depth of water.", &results.node_depth_m);
    let inverts = of.invert_m.iter().cycle();
    let heads: Vec<f64> = results.node_depth_m.iter().zip(inverts).map(|(depth, invert)| depth + invert).collect();
    table.number("head_m", "m", "Elevation of the surface.", &heads);
    table.number("inflow_m3ps", "m3/s", "Water that comes in, from links and from outside.", &results.node_inflow_m3ps);
    table.number("flooding_m3ps", "m3/s", "Water that leaves onto the ground.", &results.node_flooding_m3ps);
    table
}

fn link_table(sewer: &Sewer, results: &Results) -> TableWriter {
    let mut table = over_time("Links of a sewer over time", "link_id", "Link.", &sewer.links.id, results);
    table.number("flow_m3ps", "m3/s", "Flow in the direction of the input.", &results.link_flow_m3ps);
    table.number("depth_m", "m", "Mean depth of water.", &results.link_depth_m);
    table.number("velocity_mps", "m/s", "Velocity in conduits.", &results.link_velocity_mps);
    table
}

fn subcatchment_table(sewer: &Sewer, results: &Results) -> TableWriter {
    let ids = &sewer.subcatchments.id;
    let mut table = over_time("Subcatchments of a sewer over time", "subcatchment_id", "Subcatchment.", ids, results);
    let mm_per_h = |values: &[f64]| values.iter().map(|value| value * MM_PER_H).collect::<Vec<_>>();
    table.number("rain_mmph", "mm/h", "Rain.", &mm_per_h(&results.rain_mps));
    table.number("runoff_m3ps", "m3/s", "Runoff that leaves it.", &results.runoff_m3ps);
    let infiltration = mm_per_h(&results.infiltration_mps);
    table.number("infiltration_mmph", "mm/h", "Infiltration over the whole area.", &infiltration);
    table
}

fn flooding_table(sewer: &Sewer, results: &Results) -> TableWriter {
    let mut table = TableWriter::new("Water that leaves each node of a sewer onto the ground");
    table.text("node_id", "Node.", &sewer.nodes.id);
    table.number("flooded_m3", "m3", "Volume over the whole time.", &results.flooded_m3);
    table.number("depth_max_m", "m", "Greatest depth of water.", &results.greatest_depth_m);
    table
}

fn summary(options: &SewerOptions, sewer: &Sewer, results: &Results) -> Json {
    let (runoff, routing) = (&results.ledger.runoff, &results.ledger.routing);
    let floods = results.flooded_m3.iter().filter(|volume| **volume > 0.0).count();
    let most = |values: &[f64]| values.iter().copied().reduce(f64::max);
    json!({
        "input": options.input.file_name().map(|name| name.to_string_lossy()),
        "method": format!("{:?}", sewer.options.method).to_lowercase(),
        "subcatchments": sewer.subcatchments.id.len(), "nodes": sewer.nodes.id.len(), "links": sewer.links.id.len(),
        "moments": results.time_s.len(), "routing_steps": results.steps,
        "unsettled_steps": results.unsettled_steps,
        "rain_m3": runoff.rain_m3, "evaporation_m3": runoff.evaporation_m3,
        "infiltration_m3": runoff.infiltration_m3, "runoff_m3": runoff.runoff_m3,
        "ground_stored_m3": runoff.stored_m3, "runoff_residual_m3": runoff.residual_m3(),
        "runoff_continuity_error_pct": runoff.error_percent(),
        "dry_weather_m3": routing.dry_weather_m3, "wet_weather_m3": routing.wet_weather_m3,
        "external_m3": routing.external_m3, "outfalls_m3": routing.outfalls_m3,
        "flooding_m3": routing.flooding_m3, "sewer_evaporation_m3": routing.evaporation_m3,
        "seepage_m3": routing.seepage_m3, "first_stored_m3": routing.first_stored_m3,
        "last_stored_m3": routing.last_stored_m3, "routing_residual_m3": routing.residual_m3(),
        "routing_continuity_error_pct": routing.error_percent(),
        "flooded_nodes": floods, "link_flow_max_m3ps": most(&results.greatest_flow_m3ps),
        "notes": sewer.notes,
    })
}
