//! The program `urbis`: reads the command line, calls the engine, and speaks with people. All rules of
//! how it speaks are here: data on standard output, everything else on standard error; exit codes of
//! [`ExitStatus`]; one place that turns errors into text (`screen`).

mod appraise;
mod args;
mod assign;
mod batch;
mod batch_engines;
mod batch_jobs;
mod batch_out;
mod batch_submit;
mod cascade;
mod checkup;
mod city;
mod compare;
mod convert;
mod describe;
mod equilibrium;
mod gas;
mod heat;
mod matsim;
mod pairs;
mod population;
mod power;
mod progress;
mod results;
mod scenario;
mod screen;
mod sewer;
mod solved;
mod store;
mod town;
mod traffic;
mod transit;
mod water;

use args::{Arguments, CityCommand, Command, ScenarioCommand, TrafficCommand};
use batch::BatchCommand;
use clap::{CommandFactory, Parser};
use population::PopulationCommand;
use std::panic::catch_unwind;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;
use transit::TransitCommand;
use urbis_core::Result;
use urbis_core::diagnostics::ExitStatus;

/// Keeps large tables in huge pages (`.cargo/config.toml`), and threads out of each other's way.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let status = match catch_unwind(|| execute(&arguments.command)) {
        Ok(Ok(())) => ExitStatus::Success,
        Ok(Err(error)) => {
            let status = error.exit_status();
            screen::show_error(error);
            status
        }
        // The panic has told where and why.
        Err(_) => {
            screen::say("error: this is a fault of Urbis, not of your input; please report it with the lines above");
            ExitStatus::Fault
        }
    };
    ExitCode::from(status as u8)
}

fn execute(command: &Command) -> Result<()> {
    match command {
        Command::City(CityCommand::Build { recipe, out }) => city::build(recipe, out),
        Command::City(CityCommand::Info { package, format }) => city::info(package, *format),
        Command::Scenario(ScenarioCommand::Check { file }) => scenario::check(file),
        Command::Scenario(ScenarioCommand::Show { file, format }) => scenario::show(file, *format),
        Command::Population(PopulationCommand::Synthesise(arguments)) => population::synthesise(arguments),
        Command::Run(arguments) => results::run(arguments),
        Command::Batch(BatchCommand::Plan(arguments)) => batch::plan(arguments),
        Command::Batch(BatchCommand::Run(arguments)) => batch::run(arguments),
        Command::Batch(BatchCommand::Submit(arguments)) => batch_submit::submit(arguments),
        Command::Batch(BatchCommand::Status(arguments)) => batch::status(arguments),
        Command::Traffic(TrafficCommand::Run(arguments)) => traffic::run(arguments),
        Command::Traffic(TrafficCommand::Equilibrate(arguments)) => equilibrium::run(arguments),
        Command::Traffic(TrafficCommand::Matsim(arguments)) => matsim::run(arguments),
        Command::Traffic(TrafficCommand::Convert(arguments)) => convert::convert(arguments),
        Command::Traffic(TrafficCommand::Demand(arguments)) => convert::demand(arguments),
        Command::Transit(TransitCommand::Check(arguments)) => transit::check(arguments),
        Command::Transit(TransitCommand::Route(arguments)) => transit::route(arguments),
        Command::Power(command) => power::run(command),
        Command::Water(command) => water::run(command),
        Command::Sewer(command) => sewer::run(command),
        Command::Gas(command) => gas::run(command),
        Command::Heat(command) => heat::run(command),
        Command::Town(command) => town::run(command),
        Command::Cascade(command) => cascade::run(command),
        Command::Draw(arguments) => results::draw(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Appraise(arguments) => appraise::run(arguments),
        Command::Checkup(arguments) => checkup::run(arguments),
        Command::Report(arguments) => results::report(arguments),
        Command::Assign(arguments) => assign::run(arguments),
        Command::Results(command) => describe::run(command),
        Command::Schema { tables: true, .. } => screen::print(&urbis_appraisal::describe::dictionary()),
        Command::Schema { study: true, .. } => screen::print_json(&urbis_scenario::study_schema()),
        Command::Schema { .. } => screen::print_json(&urbis_scenario::json_schema()),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "urbis", &mut text);
            screen::print(&String::from_utf8_lossy(&text))
        }
    }
}
