//! `urbis traffic matsim`: plans of MATSim by MATSim's own queue model, for those who compare.

use crate::screen::{figure, print, say, table};
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::PathBuf;
use urbis_core::{Result, files};
use urbis_interop::matsim::{self, EventNames, EventWriter, PrepareSettings};
use urbis_traffic::queue_model::QueueSettings;

#[derive(Debug, Args)]
#[command(
    after_help = "The model is MATSim's QSim: steps of one second, flow and storage capacity, no backward wave. It is here
for comparison; `urbis traffic run` reads the same files and has the better physics.

Results in DIR: events.xml.gz in MATSim's form; summary.json, written last.

Example:
  urbis traffic matsim --network network.xml --plans plans.xml.gz --out out/matsim"
)]
pub(crate) struct MatsimArguments {
    /// Network of MATSim (.xml, .xml.gz)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) network: PathBuf,
    /// Plans of MATSim (.xml, .xml.gz)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) plans: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Keep the routes of the plans where MATSim would find new ones after adding walks to the car
    #[arg(long)]
    pub(crate) keep_routes: bool,
    /// No walks to and from the car
    #[arg(long)]
    pub(crate) no_access_walks: bool,
    /// Write events.xml, not compressed
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Simulates and writes.
pub(crate) fn run(arguments: &MatsimArguments) -> Result<()> {
    let network = matsim::read_network(&arguments.network)?;
    let plans = matsim::read_plans(&arguments.plans, &network)?;
    let settings = PrepareSettings {
        keep_routes: arguments.keep_routes,
        access_egress: !arguments.no_access_walks,
        ..PrepareSettings::default()
    };
    let ready = matsim::prepare(&network, &plans, &settings);
    for note in network.notes.iter().chain(&ready.notes) {
        say(&format!("note: {note}"));
    }
    let names = EventNames {
        links: &network.link_id,
        persons: &ready.persons,
        vehicles: &ready.vehicles,
        activities: &ready.activity_names,
        modes: &ready.modes,
    };
    let summary = arguments.out.join("summary.json");
    let _ = std::fs::remove_file(&summary);
    let events = arguments.out.join(if arguments.plain { "events.xml" } else { "events.xml.gz" });
    let mut writer = EventWriter::create(&events, names)?;
    let run = matsim::simulate_plans(&network, &ready, &settings.mode, &QueueSettings::default(), |event| {
        writer.write(&event)
    })?;
    writer.finish()?;
    let figures = [
        ("persons", ready.persons.len() as u64),
        ("driven", run.driven),
        ("teleported", run.teleported),
        ("teleported_without_time", run.without_time),
        ("crossings", run.crossings),
        ("unfinished", run.unfinished),
        ("end_s", u64::from(run.end_s)),
    ];
    let entries = figures.iter().map(|&(name, value)| (name.to_owned(), json!(value))).collect();
    let json = format!("{:#}\n", serde_json::Value::Object(entries));
    files::write_whole(&summary, json.as_bytes())?;
    let rows = figures.map(|(name, value)| vec![name.replace('_', " "), figure(value as f64)]).to_vec();
    print(&format!("{}\nevents   {}\n", table(&["figure", "value"], &[1], rows), events.display()))
}
