//! `urbis sewer`: runoff and sewers from an input file of SWMM, without a city; a made-up sewer of a city.

use crate::args::TableFormat;
use crate::screen::{print, print_json, say};
use crate::solved::{FormatChoice, Solved};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use urbis::plan_folder::PlanOptions;
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
    /// Make up the sewer of a city: manholes and pipes along its streets, by gravity to an outfall, and try it in storms
    #[command(
        after_help = "For cities whose sewer is not at hand: sewage and sealed ground are estimated from buildings and streets, pipes are sized
for a design storm and enlarged until they do not flood in it, and all of it is marked synthetic. Settings (TOML) are those
under [sewer.synthetic] of a scenario: kind = combined, storm or sanitary, rain_r15_lps_ha, return_period_y and so on.
Results in DIR: node and link (GeoParquet), building, figures (beside published ones), sewer.inp, which SWMM and
`urbis sewer solve` read, and summary.json.

Examples:
  urbis sewer plan cities/monaco --out out/monaco-sewer
  printf 'rain_r15_lps_ha = 180.0\nreturn_period_y = 5.0\n' > s.toml
  urbis sewer plan cities/monaco --settings s.toml --out out/monaco-sewer
  urbis sewer solve out/monaco-sewer/sewer.inp --out out/monaco-storm"
    )]
    Plan(SewerPlanArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SewerPlanArguments {
    /// City package
    #[arg(value_name = "CITY", value_hint = ValueHint::DirPath)]
    package: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// How it is planned (TOML); the defaults where absent
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,
    /// Form of the figures at the end
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
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
    let SewerArguments { input, out, method, format, quiet } = match command {
        SewerCommand::Solve(arguments) => arguments,
        SewerCommand::Plan(arguments) => return plan(arguments),
    };
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

fn plan(arguments: &SewerPlanArguments) -> Result<()> {
    let SewerPlanArguments { package, out, settings, format } = arguments;
    let options =
        PlanOptions { package: package.clone(), out: out.clone(), settings: settings.clone(), catalogue: None };
    let summary = urbis::sewer_plan::plan(&options)?;
    summary.notes.iter().for_each(|note| say(&format!("note: {note}")));
    match format {
        TableFormat::Json => print_json(&summary.json),
        TableFormat::Table => print(&format!(
            "{}\nresults  {}/link.parquet, node, building, figures, sewer.inp, summary.json\n",
            summary.figures,
            out.display()
        )),
    }
}
