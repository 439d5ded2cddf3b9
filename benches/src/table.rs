#![allow(clippy::print_stdout, clippy::print_stderr)] // a program talks

//! Turns what criterion left under `target/criterion` into `out/bench.md`, with the machine named, and adds
//! what a link crossing costs beside the machine's memory.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One bench: its name, median nanoseconds, elements per run.
struct Row {
    name: String,
    median_ns: f64,
    elements: Option<u64>,
}

fn json(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

fn collect(folder: &Path, rows: &mut Vec<Row>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    for path in paths {
        if path.file_name().is_some_and(|name| name == "new") {
            let (Some(bench), Some(times)) = (json(&path.join("benchmark.json")), json(&path.join("estimates.json")))
            else {
                continue;
            };
            let Some(median_ns) = times["median"]["point_estimate"].as_f64() else { continue };
            rows.push(Row {
                name: bench["full_id"].as_str().unwrap_or("?").to_owned(),
                median_ns,
                elements: bench["throughput"]["Elements"].as_u64(),
            });
        } else {
            collect(&path, rows);
        }
    }
}

fn main() -> ExitCode {
    let root = urbis_benches::root();
    let mut rows = Vec::new();
    collect(&root.join("target/criterion"), &mut rows);
    let mut text = format!(
        "# Benches\n\nMachine: {}, {}, {} processors. Medians of criterion; trust ratios within one run.\n\n| bench | time, s | elements | elements/s | ns/element |\n| --- | --- | --- | --- | --- |\n",
        urbis::output::machine::cpu(),
        urbis::output::machine::os(),
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    for row in &rows {
        let (count, rate, each) = row.elements.map_or((String::new(), String::new(), String::new()), |elements| {
            let count = elements as f64;
            (
                elements.to_string(),
                format!("{:.0}", count / row.median_ns * 1e9),
                format!("{:.1}", row.median_ns / count),
            )
        });
        text += &format!("| {} | {:.3} | {count} | {rate} | {each} |\n", row.name, row.median_ns / 1e9);
    }
    match urbis_benches::floor::table() {
        Ok(crossings) => text += &format!("\n{crossings}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    let path = root.join("out/bench.md");
    if let Err(error) = urbis_core::files::write_whole(&path, text.as_bytes()) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    print!("{text}");
    println!("\nwritten to out/bench.md");
    ExitCode::SUCCESS
}
