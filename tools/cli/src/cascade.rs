//! `urbis cascade`: mutual failure of random networks beside its theory, and what a failure in a city brings down.

use crate::progress::Display;
use crate::screen::{figure, print, print_json, say, table};
use crate::solved::FormatChoice;
use clap::{Args, Subcommand, ValueHint};
use std::fmt::Write as _;
use std::path::PathBuf;
use urbis::Progress;
use urbis::cascade_city::{CityCascade, CityCascadeOptions, ServiceLoss};
use urbis::cascade_theory::{Spread, TheoryOf, TheoryOptions, json_of};
use urbis::coupling::cascade::of_city::Kind;
use urbis_core::Result;

/// Hours between the rows that are told of people without services.
const TOLD_EVERY_S: u32 = 3600;
/// Failures of single things that are told.
const RANKED: usize = 10;

#[derive(Debug, Subcommand)]
pub(crate) enum CascadeCommand {
    /// Simulate random networks that depend on one another, beside the closed form
    #[command(
        after_help = "Nodes of N random networks (Erdos-Renyi, mean degree K) depend on one another one to one. Nodes are removed in
a random order, frozen by the seed, and the cascade is followed until it ends. Told is the point at which one node
more makes the mutual giant component collapse, and its size before: as p k (share of nodes left times degree) and k P.

Results in DIR: collapse (networks, seed, nodes_left, pk, kp_inf, kp_after, stages, and the closed form), giant (the same
at several p k), and summary.json once both are whole.

Examples:
  urbis cascade theory
  urbis cascade theory --networks 2 --nodes 1000000 --seeds 4 --out out/theory"
    )]
    Theory(TheoryArguments),
    /// Let a failure spread through a scenario's city: who is without what, when, and what is most critical
    #[command(
        after_help = "The scenario's world is made as for a run but not stepped; from its networks follows who needs whom. A failure is
KIND:ID, at a time of day (else from the start of the period), for so many hours (else to its end). Kinds: infeed, bus,
water_pump, pressure_valve, water_zone, gas_feed, gas_regulator, gas_zone, heat_plant, heat_zone, mobile_site, signal,
and electricity, water, gas, heat, mobile of one building. Ids are those of the networks' tables and of the city.

Results in DIR: nodes, needs, failures (node, from_s, until_s, is_own, person_hours_lost), people (people without each
service by minute), rank (with --rank), and summary.json once all are whole.

Examples:
  urbis cascade city scenarios/town/networks.toml --fail bus:substation/0/mv@08:00+6
  urbis cascade city scenarios/town/networks.toml --fail water_pump:pump0_0 --rank --backup signal=2 --out out/cascade"
    )]
    City(CityArguments),
}

#[derive(Debug, Args)]
pub(crate) struct TheoryArguments {
    /// Networks that depend on one another; several for several runs [default: 1, 2 and 3]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    networks: Vec<usize>,
    /// Nodes of each network
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    nodes: usize,
    /// Mean degree of each network
    #[arg(long, value_name = "K", default_value_t = 5.0)]
    degree: f64,
    /// First seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Number of seeds
    #[arg(long, value_name = "M", default_value_t = 8)]
    seeds: usize,
    /// Folder of the tables; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Worker threads; results are the same for any number [default: all processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How figures are shown; csv: also tables as CSV
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
}

#[derive(Debug, Args)]
pub(crate) struct CityArguments {
    /// The scenario
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    scenario: PathBuf,
    /// What fails, when, and for how long; may be given again
    #[arg(long, value_name = "KIND:ID[@HH:MM][+HOURS]")]
    fail: Vec<String>,
    /// Rank the failure of each single thing by person hours lost, at the time of the first --fail or all period
    #[arg(long)]
    rank: bool,
    /// Battery or other buffer of all nodes of a kind; may be given again
    #[arg(long, value_name = "KIND=HOURS")]
    backup: Vec<String>,
    /// Seed, instead of the scenario's
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Folder of the tables; other files in it are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Worker threads; results are the same for any number [default: all processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How figures are shown; csv: also tables as CSV
    #[arg(long, value_enum, default_value_t)]
    format: FormatChoice,
    /// No progress and no notes on standard error
    #[arg(long, short)]
    quiet: bool,
}

/// Runs, writes and tells.
pub(crate) fn run(command: &CascadeCommand) -> Result<()> {
    match command {
        CascadeCommand::Theory(arguments) => theory(arguments),
        CascadeCommand::City(arguments) => city(arguments),
    }
}

fn theory(of: &TheoryArguments) -> Result<()> {
    let options = TheoryOptions {
        networks: if of.networks.is_empty() { vec![1, 2, 3] } else { of.networks.clone() },
        nodes: of.nodes,
        degree: of.degree,
        seed: of.seed,
        seeds: of.seeds,
        out: of.out.clone(),
        threads: of.threads,
        as_csv: of.format == FormatChoice::Csv,
    };
    let all = urbis::cascade_theory::run(&options)?;
    if of.format == FormatChoice::Json {
        return print_json(&json_of(&options, &all));
    }
    let header = ["networks", "figure", "simulated", "error of mean", "of a seed", "theory", "off by"];
    let text = table(&header, &[0, 2, 3, 4, 5, 6], all.iter().flat_map(collapse_rows));
    print(&text)?;
    let header = ["networks", "p k", "k P simulated", "error of mean", "theory", "off by", "stages"];
    let giants = all.iter().flat_map(|of| {
        of.giants.iter().map(|at| {
            let mut row = vec![of.networks.to_string(), format!("{:.4}", at.pk)];
            row.extend(beside(at.found, at.theory));
            row.push(format!("{:.1}", at.stages.mean));
            row
        })
    });
    print(&table(&header, &[0, 1, 2, 3, 4, 5, 6], giants))?;
    let nodes = of.nodes as f64;
    let percent = |power: f64| 100.0 * nodes.powf(power);
    let last = of.seed + of.seeds as u64 - 1;
    let mut text = format!(
        "\n{} nodes of mean degree {}, seeds {} to {last}. Expected of {} nodes, as orders: p k of a seed off by N^(-1/2) = {:.2} %, \
         of the mean by N^(-2/3) = {:.2} %; k P of a seed by N^(-1/3) = {:.1} %.\n",
        figure(nodes),
        of.degree,
        of.seed,
        figure(nodes),
        percent(-0.5),
        percent(-2.0 / 3.0),
        percent(-1.0 / 3.0),
    );
    if let Some(out) = &of.out {
        let ending = if options.as_csv { "csv" } else { "parquet" };
        let _ = writeln!(text, "results  {}/collapse.{ending}, giant, summary.json", out.display());
    }
    print(&text)
}

/// Simulated with its error, the theory, and how far they are apart.
fn beside(found: Spread, theory: f64) -> [String; 4] {
    let error = if found.error.is_finite() { format!("{:.4}", found.error) } else { "-".to_owned() };
    let off = match theory > 1e-9 {
        true => format!("{:+.2} %", 100.0 * (found.mean / theory - 1.0)),
        false => format!("{:+.4}", found.mean - theory),
    };
    [format!("{:.4}", found.mean), error, format!("{theory:.4}"), off]
}

fn collapse_rows(of: &TheoryOf) -> Vec<Vec<String>> {
    let row = |name: &str, found: Spread, theory: f64| {
        let [mean, error, theory, off] = beside(found, theory);
        let seed = if found.deviation.is_finite() { format!("{:.4}", found.deviation) } else { "-".to_owned() };
        vec![of.networks.to_string(), name.to_owned(), mean, error, seed, theory, off]
    };
    let plain = |name: &str, found: Spread| {
        let seed = if found.deviation.is_finite() { format!("{:.4}", found.deviation) } else { "-".to_owned() };
        vec![
            of.networks.to_string(),
            name.to_owned(),
            format!("{:.4}", found.mean),
            String::new(),
            seed,
            String::new(),
            String::new(),
        ]
    };
    vec![
        row("p k at the collapse", of.pk, of.theory.pk),
        row("k P just above it", of.kp_inf, of.theory.kp_inf),
        plain("k P with one node less", of.kp_after),
        plain("stages just above it", of.stages),
    ]
}

fn city(of: &CityArguments) -> Result<()> {
    let options = CityCascadeOptions {
        scenario: of.scenario.clone(),
        fail: of.fail.clone(),
        backup: of.backup.clone(),
        rank: of.rank,
        seed: of.seed,
        out: of.out.clone(),
        threads: of.threads,
        as_csv: of.format == FormatChoice::Csv,
    };
    let mut display = Display::new(of.quiet);
    let found = urbis::cascade_city::run(&options, &mut |phase| display.show(&Progress::Phase(phase)));
    display.finish();
    let found = found?;
    if !of.quiet {
        found.graph.notes.iter().for_each(|note| say(&format!("note: {note}")));
    }
    if of.format == FormatChoice::Json {
        return print_json(&found.json);
    }
    print(&services(&found.services))?;
    print(&over_time(&found))?;
    print(&kinds(&found))?;
    if of.rank {
        print(&ranks(&found))?;
    }
    let mut text = format!(
        "\n{} nodes, {} needs; {} person hours without a service\n",
        figure(found.graph.of.len() as f64),
        figure(found.graph.of.needs.values().len() as f64),
        figure(found.json["person_hours_lost"].as_f64().unwrap_or_default()),
    );
    if let Some(out) = &of.out {
        let ending = if options.as_csv { "csv" } else { "parquet" };
        let rank = if of.rank { ", rank" } else { "" };
        let _ =
            writeln!(text, "results  {}/nodes.{ending}, needs, failures, people{rank}, summary.json", out.display());
    }
    print(&text)
}

fn services(of: &[ServiceLoss]) -> String {
    let header = [
        "service",
        "persons",
        "most without",
        "person hours lost",
        "loss, h",
        "lowest",
        "half back, h",
        "9/10 back, h",
        "all back, h",
        "rapidity, 1/h",
    ];
    let rows = of.iter().map(|of| {
        let found = &of.resilience;
        let back = |row: usize| found.recovery_s[row].map_or_else(|| "not".to_owned(), |s| figure(s / 3600.0));
        vec![
            of.kind.name().to_owned(),
            figure(of.demanded.most() as f64),
            figure(of.unserved.most() as f64),
            figure(of.unserved.person_s() as f64 / 3600.0),
            figure(found.loss_s / 3600.0),
            format!("{:.3}", found.lowest),
            back(0),
            back(1),
            back(2),
            found.rapidity_per_s.map_or_else(|| "-".to_owned(), |per_s| figure(per_s * 3600.0)),
        ]
    });
    table(&header, &[1, 2, 3, 4, 5, 6, 7, 8, 9], rows)
}

/// People without each service by hour, of hours with any.
fn over_time(of: &CityCascade) -> String {
    let header: Vec<&str> = std::iter::once("from").chain(of.services.iter().map(|of| of.kind.name())).collect();
    let sums: Vec<Vec<u64>> = of.services.iter().map(|of| of.unserved.by_interval(TOLD_EVERY_S)).collect();
    let (end_s, start_s) = of.period_s;
    let rows =
        (0..end_s.div_ceil(TOLD_EVERY_S) as usize).filter(|&hour| sums.iter().any(|of| of[hour] > 0)).map(|hour| {
            let from_s = hour as u32 * TOLD_EVERY_S;
            let seconds = f64::from(TOLD_EVERY_S.min(end_s - from_s));
            let minute = (start_s + from_s) / 60;
            let clock = format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
            std::iter::once(clock).chain(sums.iter().map(|of| figure((of[hour] as f64 / seconds).round()))).collect()
        });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let right: Vec<usize> = (1..header.len()).collect();
    format!("people without, mean of the hour\n{}", table(&header, &right, rows))
}

fn kinds(of: &CityCascade) -> String {
    let rows = Kind::NAMED.iter().filter_map(|(_, name)| {
        let of = &of.json["kinds"][*name];
        let nodes = of["nodes"].as_f64().filter(|nodes| *nodes > 0.0)?;
        Some(vec![(*name).to_owned(), figure(nodes), figure(of["failed"].as_f64().unwrap_or_default())])
    });
    table(&["kind", "nodes", "failed"], &[1, 2], rows)
}

fn ranks(of: &CityCascade) -> String {
    let rows = of.ranks.iter().take(RANKED).enumerate().map(|(at, rank)| {
        vec![
            (at + 1).to_string(),
            of.graph.name(rank.node),
            figure(rank.person_s as f64 / 3600.0),
            figure(f64::from(rank.others)),
        ]
    });
    let text = table(&["", "most critical alone", "person hours lost", "others that fail"], &[0, 2, 3], rows);
    format!("{text}of {} things ranked\n", figure(of.ranks.len() as f64))
}
