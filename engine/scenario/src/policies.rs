//! What only code can tell of `[[policy]]` blocks: names, windows of the day, dates, and what kinds do not go with.

use crate::built_policies;
use crate::load::Loaded;
use jiff::civil::{Date, DateTime};
use std::collections::BTreeSet;
use urbis_core::{Problem, Problems};
use urbis_coupling::Policy;
use urbis_coupling::policy::{DAY, PolicyKind, PriceBasis, second_of_day, window};

/// All problems of the policies of a scenario that passed the schema.
pub(crate) fn check(loaded: &Loaded, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for (row, policy) in loaded.scenario.policy.iter().enumerate() {
        let mut tell = |key: &str, what: String| problems.push(loaded.policy_problem(row, key, &what));
        if !names.insert(policy.name.as_str()) {
            tell("name", "another policy has this name".to_owned());
        }
        check_window("", policy.from.as_deref(), policy.to.as_deref(), DAY, &mut tell);
        for (key, date) in [("start_date", &policy.start_date), ("end_date", &policy.end_date)] {
            if let Some(date) = date.as_deref().filter(|date| date.parse::<Date>().is_err()) {
                tell(key, format!("`{date}` is no date, expected one such as 2024-06-11"));
            }
        }
        if let (Some(start), Some(end)) = (date(&policy.start_date), date(&policy.end_date))
            && end < start
        {
            tell("end_date", format!("ends on {end} before it starts on {start}"));
        }
        check_kind(loaded, policy, &mut tell);
    }
}

fn date(text: &Option<String>) -> Option<Date> {
    text.as_deref()?.parse().ok()
}

/// Clock times that can be read, the second after the first.
fn check_window(
    at: &str,
    from: Option<&str>,
    to: Option<&str>,
    around: (u32, u32),
    tell: &mut dyn FnMut(&str, String),
) {
    let mut is_readable = true;
    for (key, time) in [("from", from), ("to", to)] {
        if let Some(time) = time.filter(|time| second_of_day(time).is_none()) {
            is_readable = false;
            tell(&format!("{at}{key}"), format!("`{time}` is no clock time, expected one such as 07:30, up to 24:00"));
        }
    }
    if is_readable && window(from, to, around).is_none() {
        let text = |time: Option<&str>, other: &str| time.unwrap_or(other).to_owned();
        let (from, to) = (text(from, "its start"), text(to, "its end"));
        let key = format!("{at}to");
        tell(&key, format!("the window ends at {to}, not after {from}; write two policies for one over midnight"));
    }
}

fn check_kind(loaded: &Loaded, policy: &Policy, tell: &mut dyn FnMut(&str, String)) {
    let has_window = policy.from.is_some() || policy.to.is_some();
    match &policy.kind {
        PolicyKind::RoadPrice { basis, prices, once_per_day, .. } => {
            for (nth, price) in prices.iter().enumerate() {
                let at = format!("prices.{nth}.");
                check_window(&at, price.from.as_deref(), price.to.as_deref(), policy.window(), tell);
            }
            if *once_per_day && *basis == PriceBasis::PerKm {
                tell("once_per_day", "a price for each kilometre cannot be paid once a day".to_owned());
            }
        }
        PolicyKind::ParkingPrice { per_hour, per_stay, .. } if *per_hour + *per_stay <= 0.0 => {
            tell("kind", "nothing is to be paid: give `per_hour` or `per_stay`".to_owned());
        }
        PolicyKind::TransitFrequency { .. } if loaded.scenario.transit.feeds.is_empty() => {
            tell("kind", "there is no timetable to change: name feeds in `[transit]`".to_owned());
        }
        PolicyKind::TransitFrequency { factor, .. } if (*factor - 1.0).abs() < 1e-9 => {
            tell("factor", "1 times as many departures changes nothing".to_owned());
        }
        PolicyKind::LowEmissionZone { .. } => {
            let prices = |of: &&Policy| {
                matches!(of.kind, PolicyKind::RoadPrice { .. } | PolicyKind::LowEmissionZone { .. }) && *of != policy
            };
            if loaded.scenario.policy.iter().any(|of| prices(&of)) || !loaded.scenario.traffic.tolls.is_empty() {
                let what = "there is another price on roads, and people can plan with one alone where some enter free";
                tell("kind", what.to_owned());
            }
        }
        PolicyKind::Telework { .. } if has_window => {
            tell("from", "people stay at home for the whole day; leave out `from` and `to`".to_owned());
        }
        PolicyKind::StaggeredHours { .. } | PolicyKind::SchoolTimes { .. } if has_window => {
            tell("from", "it moves whole days of work and school; leave out `from` and `to`".to_owned());
        }
        _ => {}
    }
    built_policies::check(loaded, policy, tell);
    let needs_area =
        matches!(policy.kind, PolicyKind::Closure | PolicyKind::Lanes { .. } | PolicyKind::LowEmissionZone { .. });
    if needs_area && policy.area.is_none() {
        tell("kind", format!("a policy of kind `{}` needs an `area`", policy.kind.name()));
    }
}

impl Loaded {
    /// A problem with a key of a policy, by the row of its block.
    #[must_use]
    pub fn policy_problem(&self, row: usize, key: &str, what: &str) -> Problem {
        let name = self.scenario.policy.get(row).map_or("", |policy| policy.name.as_str());
        let path = if key.is_empty() { format!("policy.{row}") } else { format!("policy.{row}.{key}") };
        self.problem_at(&path, &format!("policy `{name}`: {what}"), "here")
    }

    /// First and last day on which a policy holds, from the local date on which the period starts.
    #[must_use]
    pub fn policy_days(&self, policy: &Policy) -> (i64, i64) {
        let start = self.scenario.period.start.parse::<DateTime>().map(|start| start.date());
        let day = |text: &Option<String>, other: i64| match (date(text), &start) {
            (Some(date), Ok(start)) => start.until(date).map_or(other, |span| i64::from(span.get_days())),
            _ => other,
        };
        (day(&policy.start_date, i64::MIN), day(&policy.end_date, i64::MAX))
    }
}
