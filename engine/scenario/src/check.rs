//! What only the merged scenario can tell: names, times and schedules that must fit together.

use crate::events;
use crate::load::Loaded;
use crate::policies;
use crate::settings::PeriodSettings;
use std::collections::BTreeSet;
use urbis_core::{Problem, Problems};

/// All problems of a scenario that passed the schema.
pub(crate) fn check(loaded: &Loaded) -> Problems {
    let mut problems = Problems::new();
    check_name(loaded, &mut problems);
    check_period(loaded, &mut problems);
    check_schedules(loaded, &mut problems);
    policies::check(loaded, &mut problems);
    events::check(loaded, &mut problems);
    check_utilities(loaded, &mut problems);
    let sample_factor = loaded.scenario.population.sample_factor;
    if !(sample_factor > 0.0 && sample_factor <= 1.0) {
        let message = format!("`population.sample_factor` = {sample_factor}, expected > 0 and <= 1");
        problems.push(loaded.problem_at("population.sample_factor", &message, "expected > 0 and <= 1"));
    }
    problems
}

fn check_name(loaded: &Loaded, problems: &mut Problems) {
    let name = &loaded.scenario.name;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        let message = format!("`name` = {name:?} cannot name a folder of the results");
        let help = "use lower-case letters, digits, `-` and `_`, such as \"bus-lane_2030\"";
        problems.push(loaded.problem_at("name", &message, "expected [a-z0-9_-]+").with_help(help));
    }
    if let Some((base, path)) = loaded.same_name_in_chain() {
        let message = format!("`name` = {base:?} is also the name of its base {}", path.display());
        let help = "give it a name of its own, or its results would replace those of the base";
        problems.push(loaded.problem_at("name", &message, "the base has this name").with_help(help));
    }
}

fn check_period(loaded: &Loaded, problems: &mut Problems) {
    for fault in loaded.scenario.period.timing().err().unwrap_or_default() {
        let problem = loaded.problem_at(&format!("period.{}", fault.key), &fault.message, "this value");
        problems.push(match fault.help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }
}

/// What loads and weather say of their own settings.
fn check_utilities(loaded: &Loaded, problems: &mut Problems) {
    let mut tell = |key: String, what: String| {
        problems.push(loaded.problem_at(&key, &format!("`{key}` {what}"), "this value"));
    };
    loaded.scenario.power.check(&mut |key, what| tell(format!("power.{key}"), what));
    loaded.scenario.water.check(&mut |key, what| tell(format!("water.{key}"), what));
    loaded.scenario.gas.check(&mut |key, what| tell(format!("gas.{key}"), what));
    loaded.scenario.heat.check(&mut |key, what| tell(format!("heat.{key}"), what));
    loaded.scenario.sewer.check(&mut |key, what| tell(format!("sewer.{key}"), what));
    loaded.scenario.telecom.check(&mut |key, what| tell(format!("telecom.{key}"), what));
    loaded.scenario.bills.check(&mut |key, what| tell(format!("bills.{key}"), what));
    loaded.scenario.emergency.check(&mut |key, what| tell(format!("emergency.{key}"), what));
    loaded.scenario.weather.check(&mut |key, what| tell(format!("weather.{key}"), what));
}

fn check_schedules(loaded: &Loaded, problems: &mut Problems) {
    for schedule in loaded.scenario.output.tables.schedules() {
        let at = format!("output.tables.{}", schedule.table);
        if let Some(every_s) = schedule.every_s.filter(|_| schedule.enabled) {
            problems_of_interval(loaded, &at, every_s).into_iter().for_each(|problem| problems.push(problem));
        }
        let mut seen = BTreeSet::new();
        for zone in schedule.zones {
            if zone.is_empty() || !seen.insert(zone) {
                let what = if zone.is_empty() { "an empty zone id".to_owned() } else { format!("zone {zone:?} twice") };
                problems.push(loaded.problem_at(&format!("{at}.zones"), &format!("`{at}.zones` lists {what}"), "here"));
            }
        }
    }
}

/// The period must be a whole number of intervals, or the last rows would mean something else than the others.
fn problems_of_interval(loaded: &Loaded, at: &str, every_s: u32) -> Option<Problem> {
    let PeriodSettings { duration_h, .. } = loaded.scenario.period;
    let period_s = u64::from(duration_h) * 3600;
    if every_s > 0 && period_s.is_multiple_of(u64::from(every_s)) {
        return None;
    }
    let message = format!("`{at}.every_s` = {every_s} does not divide the period of {duration_h} h ({period_s} s)");
    let problem = loaded.problem_at(&format!("{at}.every_s"), &message, "expected a divisor of the period");
    Some(problem.with_help("intervals such as 60, 300, 900 and 3600 s divide every period of whole hours"))
}
