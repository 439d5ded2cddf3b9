//! What a failure in a scenario's city brings down, by the graph of who needs whom; see [`urbis_coupling::cascade`]. The
//! scenario's world is made as for a run, but not stepped. Tables `nodes`, `needs`, `failures`, `people` and, if asked for,
//! `rank`, where a folder is named.

use crate::groundwork::Groundwork;
use crate::kept::Kept;
use crate::run::ensure_package;
use crate::simulation::Simulation;
use crate::solved_folder::{keep_apart, make_ready, write_summary, write_table};
use crate::threads;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use urbis_city::geoparquet::TableWriter;
use urbis_city::package;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Problems, Result};
use urbis_coupling::cascade::graph::{Customers, NONE, Steps};
use urbis_coupling::cascade::of_city::{CityGraph, Kind, customers_of_world};
use urbis_coupling::cascade::propagate::{Fault, Outage, Propagation, Rank, demanded, person_s, rank, unserved};
use urbis_coupling::cascade::resilience::{Curve, Resilience, Shape};

/// Interval of table `people`, seconds.
const INTERVAL_S: u32 = 60;
const SECONDS_PER_HOUR: f64 = 3600.0;
const DAY_S: u32 = 86_400;
/// Longest battery that may be given, hours.
const BACKUP_H_MAX: f64 = 720.0;

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct CityCascadeOptions {
    /// Scenario file.
    pub scenario: PathBuf,
    /// What fails: `KIND:ID[@HH:MM][+HOURS]`.
    pub fail: Vec<String>,
    /// Buffers for all nodes of a kind: `KIND=HOURS`.
    pub backup: Vec<String>,
    /// Whether the failure of each thing alone is ranked.
    pub rank: bool,
    /// Seed, instead of the scenario's.
    pub seed: Option<u64>,
    /// Folder of the tables; none are written where absent.
    pub out: Option<PathBuf>,
    /// Worker threads; as many as there are processors where absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Tables as CSV instead of Parquet.
    pub as_csv: bool,
}

/// What a failure brought down.
#[derive(Clone, Debug)]
pub struct CityCascade {
    /// The graph.
    pub graph: CityGraph,
    /// People by hour and building.
    pub customers: Customers,
    /// What was broken, as asked for.
    pub faults: Vec<Fault>,
    /// Everything that did not work, by node and time.
    pub outages: Vec<Outage>,
    /// By service: people without it, people who are to have it, figures.
    pub services: Vec<ServiceLoss>,
    /// Failures of single things, the costliest first; empty where not asked for.
    pub ranks: Vec<Rank>,
    /// Length of the period, seconds, and the local second of the day at which it starts.
    pub period_s: (u32, u32),
    /// What `summary.json` holds.
    pub json: Json,
}

/// What a service lost.
#[derive(Clone, Debug)]
pub struct ServiceLoss {
    /// Which.
    pub kind: Kind,
    /// People without it.
    pub unserved: Steps,
    /// People who are to have it.
    pub demanded: Steps,
    /// Figures of the curve of those who have it over those who are to.
    pub resilience: Resilience,
}

/// Makes the scenario's world, derives its graph, and lets failures spread. `progress` hears of each phase.
///
/// # Errors
/// Bad input, failures of what the city does not have, a folder that cannot be written.
pub fn run(options: &CityCascadeOptions, progress: &mut (dyn FnMut(&str) + Send)) -> Result<CityCascade> {
    threads::pool(options.threads)?.0.install(|| run_on_pool(options, progress))
}

fn run_on_pool(options: &CityCascadeOptions, progress: &mut (dyn FnMut(&str) + Send)) -> Result<CityCascade> {
    let loaded = urbis_scenario::load(&options.scenario)?;
    let asked: Vec<Asked> = told(options.fail.iter().map(|text| Asked::read(text)))?;
    let backup: Vec<(Kind, f64)> = told(options.backup.iter().map(|text| backup_of(text)))?;
    if let Some(out) = &options.out {
        keep_apart(&options.scenario, out)?;
        make_ready(out)?;
    }
    let city = package::read(&ensure_package(&loaded, progress)?)?;
    let seed = options.seed.unwrap_or(loaded.scenario.seed);
    progress("making people, vehicles and networks");
    let groundwork = Groundwork::lay(&loaded, &city, seed, &Kept::default(), &mut |_| (), &|| false)?;
    let simulation = Simulation::planned(groundwork, &loaded, city, seed)?;
    let (end_s, start_s) = (simulation.clock().end(), simulation.clock().local_second_of_day(0));
    progress("deriving who needs whom");
    let mut graph = CityGraph::of_world(simulation.world());
    let customers = customers_of_world(simulation.world(), end_s);
    drop(simulation);
    backup.iter().for_each(|&(kind, hours)| graph.back_up(kind, hours));
    let faults: Vec<Fault> = told(asked.iter().map(|asked| asked.fault(&graph, end_s, start_s)))?;

    let dependents = graph.of.dependents();
    let outages = Propagation::new(&graph.of, &dependents).run(&faults, end_s).to_vec();
    let kinds = Kind::NAMED.len();
    let (without, all) =
        (unserved(&outages, &graph.of, &customers, kinds, end_s), demanded(&graph.of, &customers, kinds, end_s));
    let services = Kind::SERVICES
        .into_iter()
        .filter(|&kind| graph.nodes_of(kind).next().is_some())
        .map(|kind| {
            let (unserved, demanded) = (without[kind as usize].clone(), all[kind as usize].clone());
            let resilience = quality(&unserved, &demanded).resilience();
            ServiceLoss { kind, unserved, demanded, resilience }
        })
        .collect();
    let ranks = if options.rank {
        progress("ranking failures of single things");
        let things: Vec<u32> = (0..graph.of.len() as u32).filter(|&node| !graph.kind(node).is_service()).collect();
        let window = faults.first().map_or((0, end_s), |fault| (fault.from_s, fault.until_s));
        rank(&things, &graph.of, &customers, window, end_s)
    } else {
        Vec::new()
    };
    let mut this = CityCascade {
        graph,
        customers,
        faults,
        outages,
        services,
        ranks,
        period_s: (end_s, start_s),
        json: Json::Null,
    };
    this.json = summary(&loaded.scenario.name, seed, &this);
    if let Some(out) = &options.out {
        write(&this, out, options.as_csv)?;
    }
    Ok(this)
}

/// All values, or all problems.
fn told<T>(of: impl Iterator<Item = Result<T, Box<Problem>>>) -> Result<Vec<T>> {
    let mut problems = Problems::new();
    let found = of.filter_map(|of| of.map_err(|problem| problems.push(*problem)).ok()).collect();
    problems.or_else(found)
}

/// A failure as it was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    text: String,
    kind: Kind,
    id: String,
    /// Second of the local day.
    at_s: Option<u32>,
    lasts_s: Option<u32>,
}

fn problem(option: &str, text: &str, what: &str) -> Box<Problem> {
    Box::new(Problem::file(Path::new(option), format!("{text}: {what}")))
}

/// A kind by its name.
fn kind_of(option: &str, text: &str, name: &str) -> Result<Kind, Box<Problem>> {
    Kind::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Kind::NAMED.iter().map(|(_, name)| *name).collect();
        let found = problem(option, text, &format!("no kind {name:?}, expected {}", names.join(", ")));
        match did_you_mean(name, names) {
            Some(near) => Box::new(found.with_help(format!("did you mean `{near}`?"))),
            None => found,
        }
    })
}

fn backup_of(text: &str) -> Result<(Kind, f64), Box<Problem>> {
    let wrong = |what: &str| problem("--backup", text, what);
    let (kind, hours) = text.split_once('=').ok_or_else(|| wrong("expected KIND=HOURS"))?;
    let hours = hours.parse().ok().filter(|hours| (0.0..=BACKUP_H_MAX).contains(hours));
    let hours = hours.ok_or_else(|| wrong(&format!("expected hours from 0 to {BACKUP_H_MAX}")))?;
    Ok((kind_of("--backup", text, kind)?, hours))
}

impl Asked {
    /// Reads `KIND:ID[@HH:MM][+HOURS]`. Ids may hold `@` and `+` where no time or number follows.
    fn read(text: &str) -> Result<Self, Box<Problem>> {
        let wrong = |what: &str| problem("--fail", text, what);
        let (kind, mut rest) = text.split_once(':').ok_or_else(|| wrong("expected KIND:ID[@HH:MM][+HOURS]"))?;
        let kind = kind_of("--fail", text, kind)?;
        let (mut at_s, mut lasts_s) = (None, None);
        if let Some((before, hours)) = rest.rsplit_once('+')
            && let Ok(hours) = hours.parse::<f64>()
        {
            if !(hours > 0.0 && hours <= f64::from(u32::MAX) / SECONDS_PER_HOUR) {
                return Err(wrong("expected more than 0 hours"));
            }
            (rest, lasts_s) = (before, Some(((hours * SECONDS_PER_HOUR).round() as u32).max(1)));
        }
        if let Some((before, time)) = rest.rsplit_once('@')
            && let Some((hours, minutes)) = time.split_once(':')
            && let (Ok(hours), Ok(minutes)) = (hours.parse::<u32>(), minutes.parse::<u32>())
        {
            if hours > 24 || minutes > 59 || hours * 60 + minutes > 24 * 60 {
                return Err(wrong("expected a time of day from 00:00 to 24:00"));
            }
            (rest, at_s) = (before, Some(hours * 3600 + minutes * 60));
        }
        Ok(Self { text: text.to_owned(), kind, id: rest.to_owned(), at_s, lasts_s })
    }

    /// When and what in a period that starts at a second of the local day: at the first such time of day, or the start.
    fn fault(&self, graph: &CityGraph, end_s: u32, start_s: u32) -> Result<Fault, Box<Problem>> {
        let Some(node) = graph.find(self.kind, &self.id) else {
            let kind = self.kind.name();
            let ids: Vec<&str> = graph.nodes_of(self.kind).map(|node| graph.id[node as usize].as_str()).collect();
            let what = match ids.first() {
                None => format!("the city has no {kind}"),
                Some(first) => format!("no {kind} {:?} among {} of the city, such as {first:?}", self.id, ids.len()),
            };
            let found = problem("--fail", &self.text, &what);
            return Err(match did_you_mean(&self.id, ids) {
                Some(near) => Box::new(found.with_help(format!("did you mean `{kind}:{near}`?"))),
                None => found,
            });
        };
        let from_s = self.at_s.map_or(0, |at_s| (at_s + DAY_S - start_s) % DAY_S);
        if from_s >= end_s {
            let what = format!("begins {from_s} s into a period of {end_s} s, expected a time within it");
            return Err(problem("--fail", &self.text, &what));
        }
        let until_s = self.lasts_s.map_or(u32::MAX, |lasts_s| from_s.saturating_add(lasts_s));
        Ok(Fault { node, from_s, until_s })
    }
}

/// Share of those who are served of those who are to be; 1 where nobody is.
fn quality(unserved: &Steps, demanded: &Steps) -> Curve {
    let mut times: Vec<u32> = unserved.time_s.iter().chain(&demanded.time_s).copied().collect();
    times.sort_unstable();
    times.dedup();
    let at = |steps: &Steps, time_s: u32| {
        let row = steps.time_s.partition_point(|&from_s| from_s <= time_s);
        row.checked_sub(1).map_or(0, |row| steps.persons[row]) as f64
    };
    let share = |&time_s: &u32| {
        let all = at(demanded, time_s);
        if all > 0.0 { 1.0 - at(unserved, time_s) / all } else { 1.0 }
    };
    let quality = times.iter().map(share).collect();
    Curve { time_s: times.into_iter().map(f64::from).collect(), quality, shape: Shape::Constant }
}

fn hours(person_s: u64) -> f64 {
    person_s as f64 / SECONDS_PER_HOUR
}

fn summary(scenario: &str, seed: u64, of: &CityCascade) -> Json {
    let service = |loss: &ServiceLoss| {
        let found = &loss.resilience;
        let back = |row: usize| found.recovery_s[row].map(|time_s| time_s / SECONDS_PER_HOUR);
        let value = json!({
            "persons_max": loss.demanded.most(), "unserved_max": loss.unserved.most(),
            "person_hours_lost": hours(loss.unserved.person_s()), "resilience_loss_h": found.loss_s / SECONDS_PER_HOUR,
            "lowest_quality": found.lowest, "onset_s": found.onset_s, "half_back_h": back(0),
            "nine_tenths_back_h": back(1), "all_back_h": back(2),
            "rapidity_per_h": found.rapidity_per_s.map(|per_s| per_s * SECONDS_PER_HOUR),
        });
        (loss.kind.name().to_owned(), value)
    };
    let counts = Kind::NAMED.iter().map(|&(kind, name)| {
        let failed = distinct(&of.outages, |node| of.graph.kind(node) == kind);
        (name.to_owned(), json!({ "nodes": of.graph.nodes_of(kind).count(), "failed": failed }))
    });
    let ranks = of.ranks.iter().take(10).map(|rank| {
        json!({ "node": of.graph.name(rank.node), "person_hours_lost": hours(rank.person_s), "others_failed": rank.others })
    });
    json!({
        "scenario": scenario, "seed": seed, "period_s": of.period_s.0, "nodes": of.graph.of.len(),
        "needs": of.graph.of.needs.values().len(),
        "faults": of.faults.iter().map(|fault| json!({
            "node": of.graph.name(fault.node), "from_s": fault.from_s,
            "until_s": Some(fault.until_s).filter(|until_s| *until_s != u32::MAX),
        })).collect::<Vec<_>>(),
        "kinds": counts.collect::<serde_json::Map<String, Json>>(),
        "services": of.services.iter().map(service).collect::<serde_json::Map<String, Json>>(),
        "person_hours_lost": hours(person_s(&of.outages, &of.graph.of, &of.customers)),
        "most_critical": ranks.collect::<Vec<_>>(), "notes": of.graph.notes,
    })
}

/// Number of different nodes of outages, which come by node.
fn distinct(outages: &[Outage], is_of: impl Fn(u32) -> bool) -> usize {
    let mut last = NONE;
    outages.iter().filter(|of| is_of(of.node) && std::mem::replace(&mut last, of.node) != of.node).count()
}

fn write(of: &CityCascade, out: &Path, as_csv: bool) -> Result<()> {
    let graph = &of.graph;
    let name = |node: &u32| graph.name(*node);
    let all: Vec<u32> = (0..graph.of.len() as u32).collect();
    let mut table = TableWriter::new("Nodes of who needs whom");
    table.text("node", "Kind and id.", all.iter().map(name));
    table.text("kind", "Kind.", all.iter().map(|&node| graph.kind(node).name()));
    table.flag("needs_any", "Whether one of its suppliers is enough.", &graph.of.is_any);
    table.count("buffer_s", "s", "Time that it works on without them.", &graph.of.buffer_s);
    table.count("recharge_s", "s", "Time in which an empty buffer fills.", &graph.of.recharge_s);
    let most = |&node: &u32| {
        let place = graph.of.place[node as usize];
        (0..of.customers.slots()).map(|slot| of.customers.at(place, slot)).max().unwrap_or(0)
    };
    table.count("persons_max", "", "Most people whom it serves in an hour.", &all.iter().map(most).collect::<Vec<_>>());
    write_table(out, as_csv, "nodes", table)?;

    let needs: Vec<(u32, u32)> =
        all.iter().flat_map(|&node| graph.of.needs.row(node as usize).iter().map(move |&of| (node, of))).collect();
    let mut table = TableWriter::new("Who needs whom");
    table.text("node", "Who needs.", needs.iter().map(|(node, _)| name(node)));
    table.text("supplier", "Whom.", needs.iter().map(|(_, supplier)| name(supplier)));
    write_table(out, as_csv, "needs", table)?;

    let mut table = TableWriter::new("Times in which nodes did not work");
    table.text("node", "Kind and id.", of.outages.iter().map(|of| name(&of.node)));
    table.text("kind", "Kind.", of.outages.iter().map(|of| graph.kind(of.node).name()));
    table.count(
        "from_s",
        "s",
        "When it failed, after the start of the period.",
        &of.outages.iter().map(|of| of.from_s).collect::<Vec<_>>(),
    );
    table.count(
        "until_s",
        "s",
        "When it came back, or the period ended.",
        &of.outages.iter().map(|of| of.until_s).collect::<Vec<_>>(),
    );
    table.flag("is_own", "Whether it was broken itself.", &of.outages.iter().map(|of| of.is_own).collect::<Vec<_>>());
    let lost = |outage: &Outage| hours(person_s(std::slice::from_ref(outage), &graph.of, &of.customers));
    table.number(
        "person_hours_lost",
        "h",
        "People times hours without it.",
        &of.outages.iter().map(lost).collect::<Vec<_>>(),
    );
    write_table(out, as_csv, "failures", table)?;

    let (mut time_s, mut kind, mut without, mut all_of) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for loss in &of.services {
        let sums = loss.unserved.by_interval(INTERVAL_S).into_iter().zip(loss.demanded.by_interval(INTERVAL_S));
        for (at, (unserved, demanded)) in sums.enumerate() {
            let from_s = at as u32 * INTERVAL_S;
            let seconds = f64::from(INTERVAL_S.min(of.period_s.0 - from_s));
            time_s.push(from_s);
            kind.push(loss.kind.name());
            without.push(unserved as f64 / seconds);
            all_of.push(demanded as f64 / seconds);
        }
    }
    let mut table = TableWriter::new("People without a service by minute");
    table.count("time_s", "s", "Start of the minute, after the start of the period.", &time_s);
    table.text("service", "Which.", &kind);
    table.number("unserved_persons", "", "People without it, mean of the minute.", &without);
    table.number("persons", "", "People who are to have it, mean of the minute.", &all_of);
    write_table(out, as_csv, "people", table)?;

    if !of.ranks.is_empty() {
        let mut table = TableWriter::new("Failures of single things, the costliest first");
        table.text("node", "Kind and id.", of.ranks.iter().map(|of| name(&of.node)));
        table.number(
            "person_hours_lost",
            "h",
            "People times hours without any service.",
            &of.ranks.iter().map(|of| hours(of.person_s)).collect::<Vec<_>>(),
        );
        table.count(
            "others_failed",
            "",
            "Nodes that fail with it.",
            &of.ranks.iter().map(|of| of.others).collect::<Vec<_>>(),
        );
        write_table(out, as_csv, "rank", table)?;
    }
    write_summary(out, &of.json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_read_as_they_are_typed() {
        let of = |text: &str| Asked::read(text).map(|of| (of.kind, of.id, of.at_s, of.lasts_s)).unwrap();
        assert_eq!(of("bus:substation/0/hv"), (Kind::Bus, "substation/0/hv".into(), None, None));
        assert_eq!(of("bus:a@06:30+1.5"), (Kind::Bus, "a".into(), Some(23_400), Some(5400)));
        assert_eq!(of("water_pump:p:1+2@06:00"), (Kind::WaterPump, "p:1+2".into(), Some(21_600), None));
        assert_eq!(of("signal:a@b+c"), (Kind::Signal, "a@b+c".into(), None, None));
        for (text, what) in [
            ("bus", "KIND:ID"),
            ("buss:1", "did you mean `bus`"),
            ("bus:1@25:00", "time of day"),
            ("bus:1+0", "more than 0 hours"),
        ] {
            let error = Asked::read(text).unwrap_err();
            let told = format!("{error} {}", error.help_text().unwrap_or_default());
            assert!(told.contains(what) && told.contains("--fail"), "{told}");
        }
        assert_eq!(backup_of("signal=2.5").unwrap(), (Kind::Signal, 2.5));
        assert!(backup_of("signal=-1").is_err() && backup_of("signal").is_err() && backup_of("x=1").is_err());
    }

    #[test]
    fn quality_is_served_over_demanded() {
        let unserved = Steps { time_s: vec![0, 10, 30, 100], persons: vec![0, 5, 0, 0] };
        let demanded = Steps { time_s: vec![0, 20, 100], persons: vec![10, 20, 20] };
        let of = quality(&unserved, &demanded);
        assert_eq!(of.time_s, [0.0, 10.0, 20.0, 30.0, 100.0]);
        assert_eq!(of.quality, [1.0, 0.5, 0.75, 1.0, 1.0]);
        assert!((of.resilience().loss_s - 7.5).abs() < 1e-12);
        assert_eq!(quality(&unserved, &Steps::default()).quality, [1.0; 4]);
    }
}
