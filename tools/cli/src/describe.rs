//! `urbis results describe`: what is in a results folder.

use crate::args::{TableFormat, results_folder};
use crate::screen::{figure, print, print_json, table};
use crate::store::{self, ListArguments, PullArguments, PushArguments};
use clap::{Args, Subcommand, ValueHint};
use serde_json::json;
use std::path::PathBuf;
use urbis_appraisal::describe::{Folder, describe, type_name};
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum ResultsCommand {
    /// Tell which runs and tables a results folder holds, and what their columns mean
    #[command(after_help = "Examples:
  urbis results describe out/monaco                  # runs, tables, rows, sizes
  urbis results describe out/monaco --table trips    # columns of a table with type, unit and meaning
  urbis schema --tables                              # the whole data dictionary in Markdown")]
    Describe(DescribeArguments),
    /// Put finished runs of a results folder on an object store
    #[command(
        after_help = "Each run gets there whole: its files, then its marker, if there is none. A run that is there with equal content
is left as it is; one with other content is refused, and a push that was broken off is done again by the next.
Keys are read from AWS_*, GOOGLE_* and AZURE_* variables.

Examples:
  urbis results push out/study s3://bucket/study
  urbis results push out/study gs://bucket/study --scenario baseline
  urbis results push out/study file:///mnt/share/study"
    )]
    Push(PushArguments),
    /// Fetch finished runs from an object store into a results folder
    #[command(
        after_help = "Every file is held against its hash before its run gets into the folder; runs that are there are not fetched
again. A pulled study equals one that was run into the folder: `urbis batch status` prints the same hash.

Examples:
  urbis results pull s3://bucket/study out/study
  urbis results pull s3://bucket/study out/study --scenario baseline --scenario charge --seed 1"
    )]
    Pull(PullArguments),
    /// Tell which runs on an object store are finished
    #[command(after_help = "Example:
  urbis results list s3://bucket/study")]
    List(ListArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath, value_parser = results_folder)]
    results: PathBuf,
    /// Tell the columns of this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// Does what one of the commands says.
pub(crate) fn run(command: &ResultsCommand) -> Result<()> {
    match command {
        ResultsCommand::Describe(arguments) => tell(arguments),
        ResultsCommand::Push(arguments) => store::push(arguments),
        ResultsCommand::Pull(arguments) => store::pull(arguments),
        ResultsCommand::List(arguments) => store::list(arguments),
    }
}

/// Describes a folder.
fn tell(arguments: &DescribeArguments) -> Result<()> {
    let folder = describe(&arguments.results)?;
    if let Some(name) = &arguments.table {
        return columns(arguments, &folder, name);
    }
    if arguments.format == TableFormat::Json {
        let tables = folder.tables.iter().map(|of| {
            json!({
                "table": of.table.name(), "description": of.table.spec().description, "runs": of.runs, "rows": of.rows,
                "bytes": of.bytes,
            })
        });
        let runs = folder.runs.iter().map(|(scenario, seed)| json!({"scenario": scenario, "seed": seed}));
        return print_json(&json!({"runs": runs.collect::<Vec<_>>(), "tables": tables.collect::<Vec<_>>()}));
    }
    let mut text = String::new();
    for runs in folder.runs.chunk_by(|a, b| a.0 == b.0) {
        let seeds: Vec<String> = runs.iter().map(|run| run.1.to_string()).collect();
        text += &format!("scenario {}, seed {}\n", runs[0].0, seeds.join(", "));
    }
    let rows = folder.tables.iter().map(|of| {
        vec![
            of.table.name().to_owned(),
            of.runs.to_string(),
            of.rows.to_string(),
            format!("{} MB", figure(of.bytes as f64 / 1e6)),
            of.table.spec().description.to_owned(),
        ]
    });
    text += &table(&["table", "runs", "rows", "size", "what it is"], &[1, 2, 3], rows);
    print(&text)
}

fn columns(arguments: &DescribeArguments, folder: &Folder, name: &str) -> Result<()> {
    let names: Vec<&str> = folder.tables.iter().map(|of| of.table.name()).collect();
    let Some(found) = folder.tables.iter().find(|of| of.table.name() == name) else {
        let guess = did_you_mean(name, names.iter().copied());
        let guess = guess.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let problem = Problem::file(&arguments.results, format!("no table {name}"));
        return Err(problem.with_help(format!("{guess}tables here: {}", names.join(", "))).into());
    };
    let spec = found.table.spec();
    if arguments.format == TableFormat::Json {
        let columns = spec.columns.iter().map(|column| {
            json!({
                "column": column.name, "type": type_name(&column.data_type), "nullable": column.nullable,
                "unit": column.unit, "description": column.description,
            })
        });
        let columns: Vec<_> = columns.collect();
        return print_json(&json!({"table": name, "description": spec.description, "columns": columns}));
    }
    let rows = spec.columns.iter().map(|column| {
        let empty = if column.nullable { ", may be empty" } else { "" };
        vec![
            column.name.to_owned(),
            format!("{}{empty}", type_name(&column.data_type)),
            column.unit.to_owned(),
            column.description.to_owned(),
        ]
    });
    print(&format!("{}\n{}", spec.description, table(&["column", "type", "unit", "meaning"], &[], rows)))
}
