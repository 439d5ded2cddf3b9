//! What continuous integration runs after the tests, and what a developer runs before pushing:
//! `cargo run -p check`. Every step runs, whatever the others say; a table and the exit code sum up.
//!
//! Steps that call cargo: formatting, lints (with and without GDAL), documentation. Steps of its own:
//! [`layering`] between crates, [`licences`] of dependencies, [`manifests`], and [`tree`] (file lengths,
//! links in Markdown). `cargo run -p check -- links lints` runs only the steps whose names hold one of the words.
#![allow(clippy::print_stdout, reason = "a program speaks on standard output")]

mod layering;
mod licences;
mod manifests;
mod tree;

use cargo_metadata::MetadataCommand;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// What a step of its own found wrong, one sentence each.
type Faults = Vec<String>;

fn main() -> ExitCode {
    let mut report = Report { only: std::env::args().skip(1).collect(), rows: Vec::new() };
    let metadata = match MetadataCommand::new().other_options(["--locked".to_owned()]).exec() {
        Ok(metadata) => metadata,
        Err(error) => {
            println!("cargo metadata: {error}");
            return ExitCode::FAILURE;
        }
    };
    let root = metadata.workspace_root.as_std_path();
    report.faults("layering between crates", || layering::check(&metadata));
    report.faults("licences of dependencies", || licences::check(&metadata));
    report.faults("workspace lints inherited", || manifests::check(&metadata));
    report.faults("lengths of files", || tree::check_lengths(root));
    report.faults("links in Markdown", || tree::check_links(root));
    run_cargo_steps(&mut report, root);
    report.print()
}

fn run_cargo_steps(report: &mut Report, root: &Path) {
    let mut cargo = |name: &'static str, words: &str| report.cargo(name, root, words);
    cargo("formatting", "fmt --all --check");
    cargo("lints", "clippy --workspace --all-targets --locked -- -D warnings");
    cargo("lints without GDAL", "clippy -p urbis -p urbis-cli --no-default-features --locked -- -D warnings");
    // Without the program: it shares the name `urbis` with the library, and rustdoc would mix their pages.
    cargo("documentation", "doc --workspace --exclude urbis-cli --no-deps --locked");
}

/// What each step said.
struct Report {
    /// Words of the steps to run; empty for all.
    only: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    passed: bool,
    took: Duration,
}

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> bool) {
        if !self.only.is_empty() && !self.only.iter().any(|word| name.contains(word)) {
            return;
        }
        println!("== {name}");
        #[allow(clippy::disallowed_methods, reason = "how long a check takes reaches no result")]
        let start = Instant::now();
        let passed = work();
        self.rows.push(Row { name, passed, took: start.elapsed() });
    }

    fn faults(&mut self, name: &'static str, find: impl FnOnce() -> Faults) {
        self.step(name, || {
            let faults = find();
            faults.iter().for_each(|fault| println!("   {fault}"));
            faults.is_empty()
        });
    }

    fn cargo(&mut self, name: &'static str, root: &Path, words: &str) {
        self.step(name, || {
            println!("   cargo {words}");
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let status = Command::new(cargo)
                .args(words.split(' '))
                .current_dir(root)
                .env("RUSTDOCFLAGS", "-D warnings")
                .stdin(std::process::Stdio::null())
                .status();
            match status {
                Ok(status) if status.success() => true,
                Ok(status) => {
                    println!("   {status}");
                    false
                }
                Err(error) => {
                    println!("   cannot start cargo: {error}");
                    false
                }
            }
        });
    }

    fn print(&self) -> ExitCode {
        println!();
        for row in &self.rows {
            let word = if row.passed { "ok" } else { "FAILED" };
            println!("{:<28}{word:<8}{:>7.1} s", row.name, row.took.as_secs_f64());
        }
        let failed = self.rows.iter().filter(|row| !row.passed).count();
        println!("checks: {} passed, {failed} failed", self.rows.len() - failed);
        if failed > 0 {
            println!(
                "once more, some of them: cargo run -p check -- WORD ... (a command missing? rustup component add rustfmt clippy)"
            );
        }
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
