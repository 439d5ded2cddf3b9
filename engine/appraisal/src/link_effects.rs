//! Effects by road link and hour. Sums of a run lie in one dense array of links and hours, those of base and one
//! scenario in memory at a time: 30,000 links and ten runs take about 300 MiB. Rows are handed on as they are computed.

use crate::comparison::{Effect, Figure, Options};
use crate::pairs::PairedRuns;
use crate::place_values::local_hour;
use crate::read::RunResults;
use crate::statistics::{Statistics, paired_p, q_values};
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

const HOURS: usize = 24;

/// What a link did in an hour, or a day.
#[derive(Clone, Copy, Default)]
struct Sums {
    entered_veh: f64,
    left_veh: f64,
    travel_s: f64,
    way_m: f64,
    delay_s: f64,
    co2_kg: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.entered_veh += other.entered_veh;
        self.left_veh += other.left_veh;
        self.travel_s += other.travel_s;
        self.way_m += other.way_m;
        self.delay_s += other.delay_s;
        self.co2_kg += other.co2_kg;
    }
}

/// An indicator of a link: name, unit, and its figure where it has one.
type Indicator = (&'static str, &'static str, fn(&Sums, f64) -> Option<f64>);

/// The second argument scales simulated vehicles up to vehicles of a day.
const INDICATORS: [Indicator; 5] = [
    ("flow", "vehicles/day", |sums, scale| Some(sums.entered_veh * scale)),
    ("travel_time", "s", |sums, _| (sums.left_veh > 0.0).then(|| sums.travel_s / sums.left_veh)),
    ("speed", "m/s", |sums, _| (sums.travel_s > 0.0).then(|| sums.way_m / sums.travel_s)),
    ("delay", "h/day", |sums, scale| Some(sums.delay_s * scale / 3600.0)),
    ("co2", "kg/day", |sums, scale| Some(sums.co2_kg * scale)),
];

/// Links in the order in which they first appear, with the sums of each run.
#[derive(Default)]
struct Links {
    row: BTreeMap<String, usize>,
}

impl Links {
    fn gather(&mut self, run: &RunResults) -> Result<Vec<[Sums; HOURS]>> {
        let offset = run.info()?.local_offset_ms;
        let mut sums = vec![[Sums::default(); HOURS]; self.row.len()];
        let columns = ["time", "link_id", "entered_veh", "left_veh", "travel_time_s", "speed_mps", "delay_s", "co2_kg"];
        run.for_each_batch(Table::LinkState, &columns, |batch| {
            let ids = batch.text("link_id");
            let (entered, left) = (batch.count("entered_veh"), batch.count("left_veh"));
            let (time, speed) = (batch.real("travel_time_s"), batch.real("speed_mps"));
            let (delay, co2) = (batch.real("delay_s"), batch.real("co2_kg"));
            for row in 0..batch.rows() {
                let next = self.row.len();
                let link = match self.row.get(ids.value(row)) {
                    Some(&link) => link,
                    None => *self.row.entry(ids.value(row).to_owned()).or_insert(next),
                };
                if link >= sums.len() {
                    sums.resize(link + 1, [Sums::default(); HOURS]);
                }
                let vehicles = left.value(row) as f64;
                let travel_s = if time.is_valid(row) { vehicles * time.value(row) } else { 0.0 };
                let way_m = if speed.is_valid(row) { travel_s * speed.value(row) } else { 0.0 };
                sums[link][usize::from(local_hour(batch.time_ms("time", row), offset))].add(&Sums {
                    entered_veh: entered.value(row) as f64,
                    left_veh: vehicles,
                    travel_s,
                    way_m,
                    delay_s: delay.value(row),
                    co2_kg: co2.value(row),
                });
            }
            Ok(())
        })?;
        Ok(sums)
    }
}

fn at(run: &[[Sums; HOURS]], link: usize, hour: Option<usize>) -> Sums {
    let Some(hours) = run.get(link) else { return Sums::default() };
    match hour {
        Some(hour) => hours[hour],
        None => hours.iter().fold(Sums::default(), |mut day, hour| {
            day.add(hour);
            day
        }),
    }
}

/// Hands every effect to `each`: scenario by scenario, indicator by indicator, days before hours, links in the order of
/// their ids.
pub(crate) fn each(runs: &PairedRuns, options: Options, each: &mut dyn FnMut(&Effect) -> Result<()>) -> Result<()> {
    // A run without the table says nothing of links, which is not that nobody drove there.
    let has = |scenario: &String| -> Result<bool> {
        let tells = |&seed: &u64| Ok(runs.run(scenario, seed)?.has(Table::LinkState));
        Ok(runs.seeds.iter().map(tells).collect::<Result<Vec<bool>>>()?.into_iter().all(|has| has))
    };
    if !has(&runs.base)? {
        return Ok(());
    }
    let scale = 1.0 / runs.info.sample_factor / runs.days();
    let mut links = Links::default();
    let gather = |links: &mut Links, scenario: &str| -> Result<Vec<Vec<[Sums; HOURS]>>> {
        runs.seeds.iter().map(|&seed| links.gather(&runs.run(scenario, seed)?)).collect()
    };
    let base = gather(&mut links, &runs.base)?;
    for scenario in &runs.scenarios {
        if !has(scenario)? {
            continue;
        }
        let other = gather(&mut links, scenario)?;
        for (name, unit, value) in INDICATORS {
            for hourly in [false, true] {
                let hours: Vec<Option<usize>> = if hourly { (0..HOURS).map(Some).collect() } else { vec![None] };
                let place = |id: &String, hour: Option<usize>| Figure {
                    link_id: Some(id.clone()),
                    hour: hour.map(|hour| hour as u8),
                    ..Figure::whole("traffic", name, unit, false)
                };
                // Links without a vehicle in any run have no row, nor those without a pair.
                let pairs = |link: usize, hour: Option<usize>| -> Vec<(f64, f64)> {
                    let used = |run: &Vec<[Sums; HOURS]>| at(run, link, hour).entered_veh > 0.0;
                    if !base.iter().chain(&other).any(used) {
                        return Vec::new();
                    }
                    let figure = |run: &Vec<[Sums; HOURS]>| value(&at(run, link, hour), scale);
                    base.iter().zip(&other).filter_map(|(a, b)| Some((figure(a)?, figure(b)?))).collect()
                };
                // The map's p values first, because each q depends on all of them.
                let places = || links.row.iter().flat_map(|(id, &link)| hours.iter().map(move |&h| (id, link, h)));
                let p: Vec<f64> =
                    places().map(|(_, link, hour)| paired_p(&pairs(link, hour)).unwrap_or(f64::NAN)).collect();
                let mut q = q_values(&p).into_iter();
                for (id, link, hour) in places() {
                    let q = q.next().filter(|q| !q.is_nan());
                    let pairs = pairs(link, hour);
                    if pairs.is_empty() {
                        continue;
                    }
                    let figure = place(id, hour);
                    let resamples = if hourly { 0 } else { options.resamples };
                    let found = Statistics::of(&pairs, options.precision, resamples, figure.key());
                    let statistics = Statistics { q, ..found };
                    each(&Effect { scenario: scenario.clone(), figure, statistics })?;
                }
            }
        }
    }
    Ok(())
}
