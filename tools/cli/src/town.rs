//! `urbis town`: the networks of a town in one run, coupled, without a city.

use crate::screen::{figure, print, print_json, say, table};
use crate::solved::FormatChoice;
use clap::{Args, Subcommand, ValueHint};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use urbis::town_run::{TimeOfRun, TownOptions, TownSummary};
use urbis_core::{Problem, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum TownCommand {
    /// Run electricity, gas, heat and water of a town together: what fails in one, and who is without
    #[command(after_help = "TOWN (TOML) names the networks, what joins them, and what fails; paths are relative to it:
  hours = 24
  step_s = 900
  [power]
  net = \"power.json.gz\"        # whatever `urbis power solve` reads; likewise [gas], [heat], [water]
  profile = \"day.csv\"          # time_s,multiplier; or a number
  [gas]
  net = \"gas.json.gz\"
  [links]
  file = \"houses.csv\"          # load_idx, gas_sink_idx, heat_consumer_idx of each house
  [[plant]]
  network = \"heat\"
  element = \"circ_pump_pressure 0\"
  needs_power_at = \"bus 12\"
  [[failure]]
  network = \"power\"
  element = \"source *\"         # also `bus 3`, `line 3`; gas and heat: `pipe 3`, `ext_grid 0`; water: `link P1`
  from = \"06:00\"
  to = \"12:00\"

Results in DIR: service (a step and network: customers, who is without, asked and served), balance (its ledger), bus,
branch, gas_node, gas_link, heat_node, heat_link, heat_consumer, water_node, water_link, and summary.json once all are
whole. A ledger that does not close stops the run. Steps that are not solved are told, and the exit code is 2.

Examples:
  urbis town run town.toml --out out/town
  urbis town run town.toml --out out/morning --until 12:00 --checkpoint noon.state
  urbis town run town.toml --out out/rest --resume noon.state")]
    Run(RunArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The town (TOML)
    #[arg(value_name = "TOWN", value_hint = ValueHint::FilePath)]
    town: PathBuf,
    /// Folder of the results; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// End at this time of the run, HH:MM or hours
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Write the run down where it ends, for --resume
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,
    /// Go on from where a run was written down; tables have the steps from there
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    resume: Option<PathBuf>,
    /// Worker threads; results are the same for any number [default: all processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How figures are shown; csv: also tables as CSV
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
    /// Say nothing of what readers left out
    #[arg(long, short)]
    quiet: bool,
}

/// Runs, writes and tells.
pub(crate) fn run(command: &TownCommand) -> Result<()> {
    let TownCommand::Run(of) = command;
    let until_s = of.until.as_deref().map(seconds_of).transpose()?;
    let summary = urbis::town_run::run(&TownOptions {
        town: of.town.clone(),
        out: of.out.clone(),
        checkpoint: of.checkpoint.clone(),
        resume: of.resume.clone(),
        until_s,
        threads: of.threads,
        as_csv: of.format == FormatChoice::Csv,
    })?;
    if !of.quiet {
        summary.notes.iter().for_each(|(file, note)| say(&format!("note: {}: {note}", file.display())));
    }
    if of.format == FormatChoice::Json {
        print_json(&summary.json)?;
    } else {
        tell(of, &summary)?;
    }
    match summary.failure {
        None => Ok(()),
        Some(why) => {
            let help = "what was found is written all the same; rows of these steps say is_solved = false in balance";
            Err(Problem::file(&of.town, why).with_help(help).into())
        }
    }
}

fn seconds_of(text: &str) -> Result<u32> {
    let time = text.parse().map_or_else(|_| TimeOfRun::Clock(text.to_owned()), TimeOfRun::Hours);
    let wrong = || Problem::file(Path::new("--until"), format!("{text}, expected HH:MM or hours")).into();
    time.seconds().ok_or_else(wrong)
}

/// A line for each network.
fn tell(of: &RunArguments, summary: &TownSummary) -> Result<()> {
    let header = [
        "network",
        "customers",
        "most without",
        "at",
        "customer-hours without",
        "served",
        "unserved",
        "unit",
        "solves",
        "ledger lacks",
    ];
    let networks = summary.json["networks"].as_object();
    let row = |(name, of): (&String, &Json)| {
        let number = |key: &str| of[key].as_f64().map_or_else(|| "-".to_owned(), figure);
        let worst = of["worst_s"].as_u64().map_or_else(String::new, clock);
        let lacks = of["residual_share_max"].as_f64().map_or_else(|| "-".to_owned(), |share| format!("{share:.0e}"));
        let unit = of["unit"].as_str().unwrap_or_default().to_owned();
        vec![
            name.clone(),
            number("customers"),
            number("worst_unserved_customers"),
            worst,
            number("unserved_customer_h"),
            number("got"),
            number("unserved"),
            unit,
            number("solves"),
            lacks,
        ]
    };
    let order = ["power", "gas", "heat", "water"];
    let rows = order.iter().filter_map(|name| networks?.get_key_value(*name)).map(row);
    print(&table(&header, &[1, 2, 3, 4, 5, 6, 8, 9], rows))?;
    let step = |key: &str| summary.json[key].as_u64().unwrap_or_default();
    let (from, to) = (step("first_step") * step("step_s"), step("next_step") * step("step_s"));
    let ending = if of.format == FormatChoice::Csv { "csv" } else { "parquet" };
    let tables: Vec<String> = summary.tables.iter().map(|name| format!("{name}.{ending}")).collect();
    let out = of.out.display();
    print(&format!("\n{} to {}, results in {out}: {}, summary.json\n", clock(from), clock(to), tables.join(", ")))?;
    if let Some(file) = &of.checkpoint {
        print(&format!("go on with  --resume {}\n", file.display()))?;
    }
    Ok(())
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}
