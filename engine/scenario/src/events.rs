//! What only code can tell of `[[event]]` blocks: names, moments, and what kinds do not go with.

use crate::load::Loaded;
use jiff::civil::DateTime;
use std::collections::BTreeSet;
use urbis_core::{Problem, Problems, Tick};
use urbis_coupling::Event;
use urbis_coupling::event::{Controlled, EventKind, PipedNetwork};
use urbis_coupling::policy::second_of_day;

/// All problems of the events of a scenario that passed the schema.
pub(crate) fn check(loaded: &Loaded, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for (row, event) in loaded.scenario.event.iter().enumerate() {
        let mut tell = |key: &str, what: String| problems.push(loaded.event_problem(row, key, &what));
        if !names.insert(event.name.as_str()) {
            tell("name", "another event has this name".to_owned());
        }
        match loaded.event_ticks(event) {
            Err(what) => tell("at", what),
            Ok((from, until)) if until <= from => tell("hours", "it lasts for no second".to_owned()),
            Ok(_) => {}
        }
        check_kind(loaded, event, &mut tell);
    }
}

fn check_kind(loaded: &Loaded, event: &Event, tell: &mut dyn FnMut(&str, String)) {
    let scenario = &loaded.scenario;
    let has_network = |network: PipedNetwork| match network {
        PipedNetwork::Water => ("water", !scenario.water.is_none()),
        PipedNetwork::Gas => ("gas", !scenario.gas.is_none()),
        PipedNetwork::Heat => ("heat", !scenario.heat.is_none()),
    };
    let mut needs = |(block, is_there): (&str, bool)| {
        if !is_there {
            let what = format!("the scenario has no network of it: name a source in `[{block}]`");
            tell("kind", what);
        }
    };
    match &event.kind {
        EventKind::PowerOutage { .. } => needs(("power.grid", !scenario.power.grid.is_none())),
        EventKind::PipeBurst { .. } => needs(has_network(PipedNetwork::Water)),
        EventKind::Failure { network, .. } | EventKind::PlantTrip { network } => needs(has_network(*network)),
        EventKind::CyberIncident { targets } => {
            for target in targets {
                match target {
                    Controlled::Signals => {}
                    Controlled::WaterPumps => needs(has_network(PipedNetwork::Water)),
                    Controlled::HeatPlants => needs(has_network(PipedNetwork::Heat)),
                    Controlled::GasCompressors => needs(has_network(PipedNetwork::Gas)),
                    Controlled::MobileSites => needs(("telecom", !scenario.telecom.is_none())),
                }
            }
        }
        EventKind::HeatWave { .. } | EventKind::ColdSnap { .. } => needs(("weather", !scenario.weather.is_absent())),
        _ => {}
    }
    let needs_area = matches!(
        event.kind,
        EventKind::RoadClosure | EventKind::Crash { .. } | EventKind::Flood { .. } | EventKind::Evacuation { .. }
    );
    if needs_area && event.area.is_none() {
        tell("kind", format!("an event of kind `{}` needs an `area`", event.kind.name()));
    }
    let has_place = matches!(event.kind, EventKind::PipeBurst { .. } | EventKind::Failure { .. });
    let has_none = matches!(event.kind, EventKind::HeatWave { .. } | EventKind::ColdSnap { .. });
    if (has_place || has_none) && event.area.is_some() {
        tell("area", format!("an event of kind `{}` has none", event.kind.name()));
    }
    match &event.kind {
        EventKind::PowerOutage { branches, buses } => {
            let named = usize::from(!branches.is_empty() || !buses.is_empty());
            if named + usize::from(event.area.is_some()) != 1 {
                tell("kind", "expected `branches` or `buses`, or an `area` instead".to_owned());
            }
        }
        EventKind::Gathering { buildings, .. } if buildings.is_empty() == event.area.is_none() => {
            tell("kind", "expected `buildings`, or an `area` instead".to_owned());
        }
        EventKind::Flood { depth } if depth.windows(2).any(|pair| pair[1].hours <= pair[0].hours) => {
            tell("depth", "expected hours that rise from one to the next".to_owned());
        }
        _ => {}
    }
    let may_last = matches!(event.kind, EventKind::Flood { .. } | EventKind::Evacuation { .. });
    if !event.kind.needs_repair() && event.hours.is_none() && !may_last {
        tell("kind", format!("an event of kind `{}` needs `hours`", event.kind.name()));
    }
}

impl Loaded {
    /// A problem with a key of an event, by the row of its block.
    #[must_use]
    pub fn event_problem(&self, row: usize, key: &str, what: &str) -> Problem {
        let name = self.scenario.event.get(row).map_or("", |event| event.name.as_str());
        let path = if key.is_empty() { format!("event.{row}") } else { format!("event.{row}.{key}") };
        self.problem_at(&path, &format!("event `{name}`: {what}"), "here")
    }

    /// First tick of an event, and the one at which it is over; the end of the period where it does not say how long it lasts.
    ///
    /// # Errors
    /// What is wrong with its time, in words.
    pub fn event_ticks(&self, event: &Event) -> Result<(Tick, Tick), String> {
        let text = event.at.as_str();
        let Ok(start) = self.scenario.period.start.parse::<DateTime>() else {
            return Err("the period has none".to_owned());
        };
        let end = i64::from(self.scenario.period.duration_h) * 3600;
        let from = if let Some(second) = second_of_day(text) {
            let of_day = i64::from(start.hour()) * 3600 + i64::from(start.minute()) * 60 + i64::from(start.second());
            (i64::from(second) - of_day).rem_euclid(86_400)
        } else {
            let expected = "expected a clock time such as 07:30 or a date and time such as 2024-06-11T07:30";
            let at: DateTime = text.parse().map_err(|_| format!("`{text}` is no moment, {expected}"))?;
            at.duration_since(start).as_secs()
        };
        if !(0..end).contains(&from) {
            let what = format!("`{text}` lies outside the period, which starts {} and lasts {} h", start, end / 3600);
            return Err(what);
        }
        let until = event.hours.map_or(end, |hours| from + (hours * 3600.0).round() as i64);
        Ok((from as Tick, until.min(i64::from(u32::MAX)) as Tick))
    }
}
