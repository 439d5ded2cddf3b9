//! `urbis sewer`: runoff and sewers from an input file of SWMM, without a city.

use crate::solved::{FormatChoice, Solved};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use urbis::sewer_run::{SewerOptions, solve};
use urbis::utility::sewer::Method;
use urbis_core::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum SewerCommand {
    /// Simulate runoff and flow: depths, flows, floods
    #[command(
        after_help = "NET.inp: an input file of EPA SWMM. What it has that would change flows and is not understood is an error by line.
Results in DIR, on the report steps of the input: node (time_s, node_id, depth_m, head_m, inflow_m3ps, flooding_m3ps),
link (time_s, link_id, flow_m3ps, depth_m, velocity_mps), subcatchment (time_s, subcatchment_id, rain_mmph, runoff_m3ps,
infiltration_mmph), flooding (node_id, flooded_m3, depth_max_m), and summary.json once all are whole.

Examples:
  urbis sewer solve net.inp --out out/net
  urbis sewer solve net.inp --out out/net --method dynamic --format csv"
    )]
    Solve(SewerArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SewerArguments {
    /// Input file of SWMM
    #[arg(value_name = "NET.inp", value_hint = ValueHint::FilePath)]
    input: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Routing, in place of the input's
    #[arg(long, value_enum)]
    method: Option<MethodChoice>,
    /// Form of the figures at the end; csv also writes tables as CSV
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
    /// Do not tell what was left out or changed
    #[arg(long)]
    quiet: bool,
}

/// Routing.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MethodChoice {
    /// Kinematic waves on a tree
    Kinematic,
    /// Saint-Venant equations
    Dynamic,
    /// Links pass on what they get
    Steady,
}

/// What is told.
const FIGURES: [(&str, &str, &str); 17] = [
    ("method", "routing", ""),
    ("subcatchments", "subcatchments", ""),
    ("nodes", "nodes", ""),
    ("links", "links", ""),
    ("routing_steps", "steps", ""),
    ("unsettled_steps", "steps that did not settle", ""),
    ("rain_m3", "rain", "m3"),
    ("infiltration_m3", "infiltration", "m3"),
    ("runoff_m3", "runoff", "m3"),
    ("runoff_continuity_error_pct", "continuity error of runoff", "percent"),
    ("dry_weather_m3", "sewage", "m3"),
    ("external_m3", "other inflow", "m3"),
    ("outfalls_m3", "through outfalls", "m3"),
    ("flooding_m3", "onto the ground", "m3"),
    ("flooded_nodes", "nodes that flood", ""),
    ("link_flow_max_m3ps", "greatest flow of a link", "m3/s"),
    ("routing_continuity_error_pct", "continuity error of routing", "percent"),
];

/// Solves, writes and tells.
pub(crate) fn run(command: &SewerCommand) -> Result<()> {
    let SewerCommand::Solve(SewerArguments { input, out, method, format, quiet }) = command;
    let as_csv = *format == FormatChoice::Csv;
    let method = method.map(|method| match method {
        MethodChoice::Kinematic => Method::Kinematic,
        MethodChoice::Dynamic => Method::Dynamic,
        MethodChoice::Steady => Method::Steady,
    });
    let summary = solve(&SewerOptions { input: input.clone(), out: out.clone(), method, as_csv })?;
    let solved = Solved {
        input,
        out,
        json: &summary.json,
        notes: if *quiet { &[] } else { &summary.notes },
        failure: summary.failure.as_deref().map(|why| (why, "shorter steps (ROUTING_STEP) or longer conduits help")),
    };
    solved.tell(&FIGURES, &["node", "link", "subcatchment", "flooding"], *format == FormatChoice::Json, as_csv)
}
