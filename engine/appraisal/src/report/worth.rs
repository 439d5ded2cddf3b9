//! What policies are worth, for the page: figures with their intervals, money by party and year, groups, sensitivity.

use super::content::told;
use crate::appraisal::{OBJECTIVES, PolicyAppraisal};
use crate::{Appraisal, PairedRuns, Values};
use serde_json::{Value, json};
use urbis_core::Result;

/// All policies in the order of their scenarios, at the shipped unit values.
pub(crate) fn worth(runs: &PairedRuns) -> Result<Value> {
    let appraisal = Appraisal::of(runs.clone(), Values::shipped()?)?;
    let values = &appraisal.values;
    let used = values.all().map(|(_, name, of)| {
        json!({"name": name, "value": of.value, "unit": of.unit, "year": of.year, "source": of.source, "quality": of.quality})
    });
    Ok(json!({
        "currency": values.currency(),
        "policies": appraisal.policies.iter().map(|policy| one(policy, values)).collect::<Vec<_>>(),
        "objectives": OBJECTIVES.map(|(name, of)| json!({"name": name, "unit": values.unit(of)})),
        "values": used.collect::<Vec<_>>(),
        "notes": appraisal.notes,
    }))
}

fn one(policy: &PolicyAppraisal, values: &Values) -> Value {
    let measures = policy.measures.iter().map(|measure| {
        json!({"name": measure.name, "unit": values.unit(measure.unit), "effect": told(Some(measure.statistics))})
    });
    let parties = policy
        .parties(values)
        .into_iter()
        .map(|(name, years, present)| json!({"name": name, "years": years, "present_value": present}));
    let groups = policy.groups.iter().map(|group| {
        json!({
            "by": group.by, "name": group.group, "persons": group.persons, "effect": told(Some(group.benefit)),
            "winners": group.winners, "losers": group.losers,
        })
    });
    let swings = policy
        .tornado
        .iter()
        .map(|swing| json!({"name": swing.name, "ends": swing.ends, "net_present_value": swing.net_present_value}));
    json!({
        "net_present_value": policy.worth.net_present_value,
        "benefit_cost_ratio": policy.worth.benefit_cost_ratio,
        "payback_year": policy.worth.payback_year,
        "measures": measures.collect::<Vec<_>>(),
        "parties": parties.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
        "swings": swings.collect::<Vec<_>>(),
        "objectives": policy.objectives,
        "dominated_by": policy.dominated_by,
    })
}
