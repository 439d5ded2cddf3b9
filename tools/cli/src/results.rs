//! `urbis run`, `urbis draw` and `urbis report`: results and the figures that say how far to trust them.

use crate::args::{DrawArguments, LanguageChoice, ReportArguments, RunArguments, TableFormat};
use crate::progress::Display;
use crate::screen::{figure, print, print_json, say, shell_word, table};
use serde_json::{Value as Json, json};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use urbis::{Kpi, RunOptions, RunSummary};
use urbis_appraisal::report::{self, Language};
use urbis_core::Result;
use urbis_core::diagnostics::ExitStatus;

/// Runs a scenario and prints its headline figures.
pub(crate) fn run(arguments: &RunArguments) -> Result<()> {
    let stop = stop_on_signal();
    let (out, threads) = (arguments.out.clone(), arguments.threads.map(usize::from));
    let options = RunOptions { out, threads, seed: arguments.seed, common: None };
    let mut display = Display::new(arguments.quiet);
    let summary = urbis::run(&arguments.scenario, &options, &mut |progress| display.show(&progress), &stop);
    display.finish();
    let summary = summary?;
    for warning in &summary.warnings {
        say(&format!("warning: {warning}"));
    }
    match arguments.format {
        TableFormat::Json => print_json(&summary_json(&summary)),
        TableFormat::Table => print(&summary_text(&summary)),
    }
}

/// Draws a run's day.
pub(crate) fn draw(arguments: &DrawArguments) -> Result<()> {
    urbis_appraisal::draw::day(&arguments.results, &arguments.scenario, arguments.seed, &arguments.out)?;
    print(&format!("{}\n", arguments.out.display()))
}

/// Writes the planner's page.
pub(crate) fn report(arguments: &ReportArguments) -> Result<()> {
    let language = match arguments.language {
        LanguageChoice::En => Language::English,
        LanguageChoice::Zh => Language::Chinese,
    };
    let (base, figures) = (arguments.base.as_deref(), arguments.figures.as_deref());
    let written = report::write(&arguments.results, base, figures, language, &arguments.out)?;
    let megabytes = written.bytes as f64 / 1e6;
    say(&format!("{} scenarios, {} seeds, {megabytes:.1} MB", written.scenarios, written.seeds));
    print(&format!("{}\n", arguments.out.display()))
}

/// A flag that the first Ctrl-C (or a polite request to terminate) sets; the second ends the program at once.
pub(crate) fn stop_on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, Ordering::SeqCst) {
            exit(ExitStatus::Interrupted as i32);
        }
        say("stopping at the next tick; once more to stop at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        say(&format!("warning: Ctrl-C will stop at once, without tidying up: {error}"));
    }
    stop
}

fn summary_text(summary: &RunSummary) -> String {
    let headline: Vec<&Kpi> = summary.kpis.iter().filter(|kpi| kpi.headline).collect();
    let mut text = String::new();
    if !headline.is_empty() {
        let rows = headline.iter().map(|kpi| {
            vec![
                label(kpi, &summary.city),
                figure(kpi.value),
                kpi.published.map_or_else(|| "-".to_owned(), figure),
                kpi.deviation_percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.1} %")),
                kpi.unit.clone(),
                source(kpi),
            ]
        });
        let header = ["figure", "simulated", "published", "difference", "unit", "source (quality)"];
        text += &table(&header, &[1, 2, 3], rows);
    }
    let rest = summary.kpis.len() - headline.len();
    let out = summary.out.display();
    let memory_mib = summary.peak_memory_bytes as f64 / f64::from(1 << 20);
    text += &format!(
        "\nresults  {out} (scenario={}, seed={}), {:.1} s on {} thread{}, {} MiB at most\n",
        summary.scenario,
        summary.seed,
        summary.wall_s,
        summary.threads,
        if summary.threads == 1 { "" } else { "s" },
        figure(memory_mib),
    );
    if rest > 0 {
        text += &format!("         {rest} more figures in {out}/kpis\n");
    }
    text + &format!(
        "next     {} draw {} --scenario {} --seed {} --out {}.svg\n",
        program(),
        shell_word(&summary.out.to_string_lossy()),
        summary.scenario,
        summary.seed,
        summary.scenario
    )
}

/// What a figure is, in words; the zone where it is not the whole city.
fn label(kpi: &Kpi, city: &str) -> String {
    let words = kpi.indicator.replace('_', " ");
    if kpi.zone_id.is_empty() || kpi.zone_id == city { words } else { format!("{words}, {}", kpi.zone_id) }
}

fn source(kpi: &Kpi) -> String {
    match (kpi.source.as_str(), kpi.quality.as_str()) {
        ("", "") => "-".to_owned(),
        (source, "") => source.to_owned(),
        (source, quality) => format!("{source} ({quality})"),
    }
}

pub(crate) fn summary_json(summary: &RunSummary) -> Json {
    let kpi = |kpi: &Kpi| {
        json!({
            "group": kpi.group, "indicator": kpi.indicator, "zone_id": kpi.zone_id, "value": kpi.value, "unit": kpi.unit,
            "published": kpi.published, "source": kpi.source, "quality": kpi.quality, "headline": kpi.headline,
        })
    };
    json!({
        "out": summary.out.display().to_string(), "city": summary.city, "scenario": summary.scenario, "seed": summary.seed,
        "run_id": summary.run_id, "wall_s": summary.wall_s, "threads": summary.threads,
        "peak_memory_bytes": summary.peak_memory_bytes, "warnings": summary.warnings,
        "kpis": summary.kpis.iter().map(kpi).collect::<Vec<_>>(),
    })
}

/// The program as it was called, so that the next command can be copied.
fn program() -> String {
    std::env::args_os().next().map_or_else(|| "urbis".to_owned(), |name| shell_word(&name.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kpi(value: f64, published: Option<f64>) -> Kpi {
        Kpi {
            group: "traffic".into(),
            indicator: "border_crossings_per_day".into(),
            zone_id: String::new(),
            value,
            unit: "vehicles/day".into(),
            published,
            source: "statistics office".into(),
            quality: "recalled".into(),
            headline: true,
        }
    }

    #[test]
    fn figures_stand_beside_their_source() {
        let summary = RunSummary {
            out: "my out".into(),
            city: "town".into(),
            scenario: "baseline".into(),
            seed: 3,
            run_id: "r".into(),
            kpis: vec![kpi(97_000.0, Some(100_000.0)), kpi(1.0, None), Kpi { headline: false, ..kpi(2.0, None) }],
            warnings: Vec::new(),
            wall_s: 1.25,
            threads: 2,
            peak_memory_bytes: 3 << 20,
        };
        let text = summary_text(&summary);
        for part in
            ["97,000", "100,000", "-3.0 %", "statistics office (recalled)", "2 threads, 3 MiB", "1 more figures"]
        {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(text.ends_with("draw 'my out' --scenario baseline --seed 3 --out baseline.svg\n"), "{text}");
        assert_eq!(summary_json(&summary)["kpis"][0]["published"], 100_000.0);
    }
}
