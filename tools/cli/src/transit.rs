//! `urbis transit check` and `urbis transit route`: what feeds hold on a date, and how to travel by them.

use crate::screen::{print, say, table};
use clap::{Args, Subcommand, ValueHint};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use urbis_core::{Problem, Result};
use urbis_transit::fares::{Memory, Price};
use urbis_transit::feed::{self, FeedRead};
use urbis_transit::footpaths::{Footpaths, WalkSettings, stops_near};
use urbis_transit::journey::{Journey, Leg, Ride, Weights, cheapest};
use urbis_transit::raptor::{Query, RIDES_MAX, Router};
use urbis_transit::report::FeedReport;
use urbis_transit::timetable::{Capacities, Timetable};
use urbis_transit::{Date, StopIx};

#[derive(Debug, Subcommand)]
pub(crate) enum TransitCommand {
    /// Report everything that is wrong with feeds, and what runs on a date
    Check(CheckArguments),
    /// Find the journeys between two places
    Route(RouteArguments),
}

#[derive(Debug, Args)]
#[command(
    after_help = "A feed is GTFS: a .zip file or a folder with stops.txt, routes.txt, trips.txt, stop_times.txt and a
calendar. Findings are by kind, with the first examples of each (file, row, id, value, what was expected):
  fatal     there is no timetable; exit code 2
  dropped   the row or trip is left out
  repaired  it is kept, with a default or interpolated value
  note      worth knowing
Trips are checked where they run on the date or run into it from the day before.

Examples:
  urbis transit check bus.zip train.zip --date 2026-07-08
  urbis transit check bus.zip --examples 1"
)]
pub(crate) struct CheckArguments {
    /// Feeds (.zip or folder)
    #[arg(required = true, value_name = "FEED", value_hint = ValueHint::AnyPath)]
    feeds: Vec<PathBuf>,
    /// Date of service [default: a Wednesday within the calendars]
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// Examples shown of each kind
    #[arg(long, value_name = "N", default_value_t = 3)]
    examples: usize,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Journeys that no other beats in both arrival and number of rides, each with its generalised cost:
walking and waiting (from --at on) count twice, every change 5 minutes. The cheapest is marked with *.
Walks are straight lines times 1.3 at 5 km/h: to and from stops within --walk metres, between stops within 400 m.

Example:
  urbis transit route bus.zip train.zip --date 2026-07-08 --from -30.026,-51.228 --to -29.994,-51.171 --at 08:00"
)]
pub(crate) struct RouteArguments {
    /// Feeds (.zip or folder)
    #[arg(required = true, value_name = "FEED", value_hint = ValueHint::AnyPath)]
    feeds: Vec<PathBuf>,
    /// Date of service
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Date,
    /// Start, degrees
    #[arg(long, value_name = "LAT,LON", value_parser = place, allow_hyphen_values = true)]
    from: (f64, f64),
    /// End, degrees
    #[arg(long, value_name = "LAT,LON", value_parser = place, allow_hyphen_values = true)]
    to: (f64, f64),
    /// When the journey may start
    #[arg(long, value_name = "HH:MM", value_parser = time)]
    at: u32,
    /// Largest straight-line distance to the first and from the last stop, metres
    #[arg(long, value_name = "METRES", default_value_t = 800.0, value_parser = metres)]
    walk: f64,
}

/// `LAT,LON`.
fn place(text: &str) -> Result<(f64, f64), String> {
    let expected = || format!("expected latitude and longitude in degrees, such as -30.026,-51.228, not {text}");
    let (lat, lon) = text.split_once(',').ok_or_else(expected)?;
    let degrees = |text: &str, most: f64| text.trim().parse().ok().filter(|of: &f64| of.abs() <= most);
    degrees(lat, 90.0).zip(degrees(lon, 180.0)).ok_or_else(expected)
}

/// `HH:MM`, hours up to 47 for the next day.
fn time(text: &str) -> Result<u32, String> {
    let parts = text.split_once(':').and_then(|(hours, minutes)| Some((hours.parse().ok()?, minutes.parse().ok()?)));
    match parts {
        Some((hours @ 0..=47, minutes @ 0..=59)) => Ok(hours * 3600_u32 + minutes * 60),
        _ => Err(format!("expected a time such as 08:00, not {text}")),
    }
}

fn metres(text: &str) -> Result<f64, String> {
    let metres = text.parse().ok().filter(|of: &f64| (0.0..=20_000.0).contains(of));
    metres.ok_or_else(|| format!("expected metres from 0 to 20000, not {text}"))
}

/// Prints what feeds hold and what is wrong with them.
pub(crate) fn check(arguments: &CheckArguments) -> Result<()> {
    let date = arguments.date.or_else(|| feed::typical_date(&arguments.feeds)).unwrap_or_default();
    let read = feed::read(&arguments.feeds, date, &Capacities::default());
    let mut text = format!("{date}{}\n", if arguments.date.is_none() { " (a day within the calendars)" } else { "" });
    let feeds = read.report.feeds.iter().map(|of| {
        let days = of.days.map_or_else(|| "-".to_owned(), |(first, last)| format!("{first} to {last}"));
        let counts = [of.stops, of.routes, of.trips, of.runs, of.fares].map(|count| count.to_string());
        [vec![of.name.clone()], counts.to_vec(), vec![days, of.agencies.join(", ")]].concat()
    });
    let header = ["feed", "stops", "routes", "trips", "trips of the day", "fares", "calendars", "agencies"];
    text += &table(&header, &[1, 2, 3, 4, 5], feeds);
    let timetable = &read.timetable;
    let mut by_kind = std::collections::BTreeMap::new();
    for trip in (0..timetable.trips_len() as u32).map(urbis_transit::TransitTripIx) {
        *by_kind.entry(timetable.routes.kind[timetable.trip_route(trip).row()].name()).or_insert(0) += 1;
    }
    let kinds: Vec<String> =
        by_kind.iter().map(|(kind, trips)| format!("{trips} {}", kind.replace('_', " "))).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "\nTogether: {} stops, {} routes, {} patterns, {} trips ({}), {} stop times; time zone {}",
        timetable.stops_len(),
        timetable.routes.id.len(),
        timetable.patterns.len(),
        timetable.trips_len(),
        if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") },
        timetable.calls_len(),
        if timetable.time_zone.is_empty() { "unknown" } else { &timetable.time_zone },
    );
    text += &findings(&read.report, arguments.examples);
    print(&text)?;
    read.into_result().map(|_| ())
}

fn findings(report: &FeedReport, examples: usize) -> String {
    let mut text = String::from("\nFindings\n");
    for (defect, finding) in report.findings() {
        let _ = writeln!(text, "  {:<10}{:>8}  {}", defect.severity().name(), finding.count, defect.name());
        for example in finding.examples.iter().take(examples) {
            let _ = writeln!(text, "{:22}{example}", "");
        }
    }
    if report.findings().is_empty() {
        text += "  none\n";
    }
    text
}

/// Prints the journeys between two places.
pub(crate) fn route(arguments: &RouteArguments) -> Result<()> {
    let FeedRead { timetable, report } = feed::read(&arguments.feeds, arguments.date, &Capacities::default());
    let skipped: u64 =
        report.findings().iter().filter(|of| of.0.severity().name() == "dropped").map(|of| of.1.count).sum();
    if report.is_fatal() {
        return FeedRead { timetable, report }.into_result().map(|_| ());
    }
    if skipped > 0 {
        say(&format!("warning: rows or trips of the feeds left out: {skipped}; `urbis transit check` says which"));
    }
    let between = WalkSettings::default();
    let walk = WalkSettings { radius_m: arguments.walk, ..between };
    let projection = timetable.own_projection();
    let ends = [("start", arguments.from), ("end", arguments.to)].map(|(name, (lat, lon))| {
        let (x, y) = projection.project(urbis_transit::timetable::point(lat, lon));
        (name, (x, y), stops_near(&timetable, x, y, &walk))
    });
    for (name, _, near) in &ends {
        if near.is_empty() {
            let path = arguments.feeds.first().map_or(Path::new(""), PathBuf::as_path);
            let what = format!("has no stop within {} m of the {name}", arguments.walk);
            return Err(Problem::file(path, what)
                .with_help("choose a place nearer to a stop, or a larger --walk")
                .into());
        }
    }
    let [(_, from, access), (_, to, egress)] = ends;
    let straight_m = (from.0 - to.0).hypot(from.1 - to.1);
    let walk_s = (straight_m <= 2.0 * arguments.walk).then(|| walk.seconds(straight_m));
    let query = Query { depart_s: arguments.at, access, egress, walk_s, rides_max: RIDES_MAX };
    let footpaths = Footpaths::straight(&timetable, &between);
    let router = Router::new(&timetable, &footpaths);
    let journeys = router.journeys(&query, &mut router.scratch(RIDES_MAX));
    let weights = Weights::default();
    let best = cheapest(&journeys, &weights);
    let mut text = String::new();
    for journey in &journeys {
        let mark = if best == Some(journey) { "*" } else { " " };
        text += &in_words(&timetable, journey, mark, &weights);
    }
    if journeys.is_empty() {
        text = "no journey: nothing that leaves after that time gets there\n".to_owned();
    }
    print(&text)
}

fn clock(time_s: u32) -> String {
    let next = if time_s >= 86_400 { format!("+{}", time_s / 86_400) } else { String::new() };
    format!("{:02}:{:02}{next}", time_s / 3600 % 24, time_s / 60 % 60)
}

fn in_words(timetable: &Timetable, journey: &Journey, mark: &str, weights: &Weights) -> String {
    let mut journey = journey.clone();
    let cost_min = journey.cost_s(weights) / 60.0;
    journey.leave_late();
    let [riding, walking, waiting] = journey.times_s().map(|seconds| seconds.div_ceil(60));
    let minutes = |from_s: u32, until_s: u32| (until_s - from_s).div_ceil(60);
    let rides: Vec<Ride> = journey.ridden().collect();
    let Price { money, without } = timetable.fares.price(timetable, &rides, &mut Memory::default());
    let fare = match (timetable.fares.is_empty(), without) {
        (true, _) => String::new(),
        (false, 0) => format!("; fare {money:.2} {}", timetable.fares.currency),
        (false, _) => format!("; fare {money:.2} {} without {without} of the rides", timetable.fares.currency),
    };
    let mut text = format!(
        "{mark} {} to {}  {} min: {riding} riding, {walking} on foot, {waiting} waiting; {}; cost {cost_min:.0} min{fare}\n",
        clock(journey.depart_s),
        clock(journey.arrive_s),
        minutes(journey.depart_s, journey.arrive_s),
        match journey.rides() {
            1 => "1 ride".to_owned(),
            rides => format!("{rides} rides"),
        },
    );
    let name = |stop: StopIx, other: &'static str| {
        if stop.is_some() { timetable.stops.name[stop.row()].as_str() } else { other }
    };
    for leg in &journey.legs {
        // Writing to a string cannot fail.
        let _ = match *leg {
            Leg::Walk { from, to, start_s, end_s } => writeln!(
                text,
                "    {}  walk {} min from {} to {}",
                clock(start_s),
                minutes(start_s, end_s),
                name(from, "the start"),
                name(to, "the end")
            ),
            Leg::Ride { trip, board, alight, start_s, end_s } => {
                let route = timetable.trip_route(trip).row();
                let headsign = &timetable.trips.headsign[trip.row()];
                let towards = if headsign.is_empty() { String::new() } else { format!(" towards {headsign}") };
                let stops = timetable.trip_stops(trip);
                writeln!(
                    text,
                    "    {}  {} {}{towards} from {}, {}, to {} at {}",
                    clock(start_s),
                    timetable.routes.kind[route].name().replace('_', " "),
                    timetable.routes.name[route],
                    name(stops[board as usize], ""),
                    match alight - board {
                        1 => "1 stop".to_owned(),
                        stops => format!("{stops} stops"),
                    },
                    name(stops[alight as usize], ""),
                    clock(end_s)
                )
            }
        };
    }
    text
}
