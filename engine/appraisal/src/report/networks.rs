//! Networks for the page: what they served, people who went without, and what happened.

use super::arms::Arm;
use super::gather::RunDay;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use urbis_core::Result;
use urbis_output::Table;

/// More rows of what happened than this are left out.
const EVENTS_AT_MOST: usize = 500;

/// Curves by utility, resilience, and events of the first seed of each scenario. `local_offset_ms` is that of the period's start.
pub(crate) fn networks(arms: &[Arm], hours: usize, local_offset_ms: i64) -> Result<Value> {
    let days = || arms.iter().flat_map(|arm| &arm.days);
    let flows: BTreeSet<_> = days().flat_map(|day| day.flows.keys()).collect();
    let services: BTreeSet<_> = days().flat_map(|day| day.services.keys()).collect();
    let rounded = |value: f64| (value * 1e3).round() / 1e3;
    let course = |arm: &Arm, of: &dyn Fn(&RunDay, usize) -> f64| -> Vec<f64> {
        (0..hours).map(|hour| rounded(arm.mean(|day| of(day, hour)))).collect()
    };
    let flow = |key: &(String, String)| {
        let served = |day: &RunDay, hour: usize| day.flows.get(key).map_or(0.0, |served| served[hour]);
        let of_arm = |arm: &Arm| json!({"served": course(arm, &served)});
        json!({"name": key.0, "unit": key.1, "arms": arms.iter().map(of_arm).collect::<Vec<_>>()})
    };
    let service = |name: &String| {
        let of_arm = |arm: &Arm| {
            let column = |which: usize| {
                course(arm, &|day: &RunDay, hour: usize| day.services.get(name).map_or(0.0, |of| of[which][hour]))
            };
            let (persons, without) = (column(0), column(1));
            let share = |(persons, without): (&f64, &f64)| if *persons > 0.0 { without / persons } else { 0.0 };
            // Bruneau et al. 2003: the area between full service and what there is.
            let loss_h: f64 = persons.iter().zip(&without).map(share).sum();
            json!({
                "person_h": rounded(without.iter().sum()), "most": without.iter().fold(0.0, |most: f64, of| most.max(*of)),
                "loss_h": rounded(loss_h), "without": without,
            })
        };
        json!({"name": name, "arms": arms.iter().map(of_arm).collect::<Vec<_>>()})
    };
    let mut events = Vec::new();
    for (scenario, arm) in arms.iter().enumerate() {
        let Some(run) = arm.runs.first().filter(|run| run.has(Table::Events)) else { continue };
        run.for_each_batch(Table::Events, &["time", "event", "kind", "part", "happening"], |batch| {
            let [event, kind, part, happening] = ["event", "kind", "part", "happening"].map(|name| batch.text(name));
            for row in 0..batch.rows().min(EVENTS_AT_MOST.saturating_sub(events.len())) {
                events.push(json!({
                    "scenario": scenario, "local_ms": batch.time_ms("time", row) + local_offset_ms, "event": event.value(row),
                    "kind": kind.value(row), "part": part.value(row), "happening": happening.value(row),
                }));
            }
            Ok(())
        })?;
    }
    Ok(json!({
        "flows": flows.into_iter().map(flow).collect::<Vec<_>>(),
        "services": services.into_iter().map(service).collect::<Vec<_>>(),
        "events": events,
    }))
}
