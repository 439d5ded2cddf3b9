//! `urbis traffic run`: trips on a network without a city.

use crate::args::{GridlockChoice, OnErrorChoice, RoutesChoice, SignalsChoice, TableFormat, TrafficRunArguments};
use crate::progress::Display;
use crate::results::stop_on_signal;
use crate::screen::{figure, print, print_json, say, table};
use urbis::traffic::GridlockPolicy;
use urbis::traffic_run::{OnError, Reported, RouteTimes, SignalsFrom, TrafficRunOptions, TrafficRunSummary};
use urbis_core::Result;

/// Runs trips and prints what became of them.
pub(crate) fn run(arguments: &TrafficRunArguments) -> Result<()> {
    let stop = stop_on_signal();
    let defaults = TrafficRunOptions::new(&arguments.network, &arguments.trips, &arguments.out);
    let options = TrafficRunOptions {
        threads: arguments.threads.map(usize::from),
        until_s: arguments.until,
        on_error: match arguments.on_error {
            OnErrorChoice::Continue => OnError::Continue,
            OnErrorChoice::Stop => OnError::Stop,
        },
        routes: match arguments.routes {
            RoutesChoice::Measured => RouteTimes::Measured,
            RoutesChoice::FreeFlow => RouteTimes::FreeFlow,
        },
        gridlock: match arguments.gridlock {
            GridlockChoice::Release => GridlockPolicy::Release,
            GridlockChoice::Report => GridlockPolicy::Report,
            GridlockChoice::Stop => GridlockPolicy::Stop,
        },
        signals: match arguments.signals {
            SignalsChoice::None => SignalsFrom::None,
            SignalsChoice::Plans => SignalsFrom::Plans,
            SignalsChoice::Fixed => SignalsFrom::Fixed,
            SignalsChoice::Actuated => SignalsFrom::Actuated,
            SignalsChoice::MaxPressure => SignalsFrom::MaxPressure,
        },
        units: arguments.units.units(),
        informed_share: arguments.informed,
        joins_short: arguments.join_short,
        turn_pocket_m: arguments.turn_pockets,
        lane_groups: arguments.lane_groups,
        keeps_left: arguments.keep_left,
        interval_s: arguments.interval,
        crossings: arguments.crossings,
        trajectories: arguments.trajectories.clone(),
        events: arguments.events,
        ..defaults
    };
    let mut display = Display::new(arguments.quiet);
    let summary = urbis::traffic_run::run(&options, &mut |progress| display.show(&progress), &stop);
    display.finish();
    let summary = summary?;
    for reported in summary.rejected.iter().chain(&summary.repaired) {
        warn(reported);
    }
    if !arguments.quiet {
        for note in &summary.notes {
            say(&format!("note: {note}"));
        }
    }
    match arguments.format {
        TableFormat::Json => print_json(&summary.to_json()),
        TableFormat::Table => print(&text(&summary)),
    }
}

/// Says what could not be served, with the first examples; never left out, as nothing is dropped silently.
fn warn(reported: &Reported) {
    let words = reported.kind.replace('_', " ");
    say(&format!("warning: {words}: {}", reported.count));
    for example in &reported.examples {
        say(&format!("  {example}"));
    }
    let more = reported.count.saturating_sub(reported.examples.len() as u64);
    if more > 0 {
        say(&format!("  and {more} more"));
    }
}

fn text(summary: &TrafficRunSummary) -> String {
    let counts = &summary.counts;
    let whole = |value: u64| figure(value as f64);
    let mut rows =
        vec![vec!["trips".to_owned(), whole(summary.vehicles)], vec!["arrived".to_owned(), whole(counts.arrived)]];
    for (name, value) in [("on the road", counts.on_road), ("waiting", counts.waiting), ("rejected", counts.rejected)] {
        if value > 0 {
            rows.push(vec![name.to_owned(), whole(value)]);
        }
    }
    if let Some(mean_s) = summary.mean_travel_time_s {
        rows.push(vec!["mean travel time, s".to_owned(), format!("{mean_s:.1}")]);
    }
    rows.push(vec!["link crossings".to_owned(), whole(summary.crossings)]);
    if summary.signal_junctions > 0 {
        rows.push(vec!["junctions with lights".to_owned(), whole(summary.signal_junctions)]);
    }
    if summary.rerouted > 0 {
        rows.push(vec!["turns off by informed drivers".to_owned(), whole(summary.rerouted)]);
    }
    if summary.gridlock_rings > 0 {
        rows.push(vec!["gridlocked rings".to_owned(), whole(summary.gridlock_rings)]);
    }
    let ns = summary.sim_s * 1e9 / summary.crossings.max(1) as f64;
    let ended = summary.ended.name().replace('_', " ");
    format!(
        "{}\nended    at {} s: {ended}\ntimes    load {:.3} s, simulate {:.3} s ({ns:.1} ns a crossing), write {:.3} s on {} thread{}, {} MiB at most\nresults  {}\n",
        table(&["figure", "value"], &[1], rows),
        summary.end_tick,
        summary.load_s,
        summary.sim_s,
        summary.write_s,
        summary.threads,
        if summary.threads == 1 { "" } else { "s" },
        figure(summary.peak_rss_bytes as f64 / f64::from(1 << 20)),
        summary.out.display(),
    )
}
