//! The city's check-up, for the page: indicators by group, figures of the whole city in each scenario, reasons for none.

use super::arms::Arm;
use super::content::told;
use crate::PairedRuns;
use crate::checkup::{Checkup, DEFINITIONS, Definition, Options, Patient, Row};
use serde_json::{Map, Value, json};
use std::path::Path;
use urbis_core::Result;

/// Check-ups of the scenarios in the order of the page.
pub(crate) fn checkup(
    results: &Path,
    arms: &[Arm],
    pairs: Option<&PairedRuns>,
    figures: Option<&Path>,
) -> Result<Value> {
    let options = Options {
        base: pairs.map(|pairs| pairs.base.clone()),
        scenarios: arms.iter().map(|arm| arm.name.clone()).collect(),
        figures: figures.map(Path::to_owned),
        ..Options::default()
    };
    let checkup = Checkup::of(results, &options)?;
    let groups = DEFINITIONS
        .chunk_by(|a, b| a.group == b.group)
        .map(|group| json!({"name": group[0].group.name(), "rows": group.iter().map(declared).collect::<Vec<_>>()}));
    let of_arm = |arm: &Arm| checkup.patients.iter().find(|patient| patient.scenario == arm.name).map(shown);
    Ok(json!({
        "groups": groups.collect::<Vec<_>>(),
        "arms": arms.iter().map(of_arm).collect::<Vec<_>>(),
    }))
}

fn declared(of: &Definition) -> Value {
    let limits = of.limits.map(|limits| {
        json!({
            "part": limits.part, "words": limits.rule.words(), "source": limits.source, "quality": limits.quality.name(),
        })
    });
    json!({
        "id": of.number, "name": of.name, "title": of.title, "unit": of.unit, "formula": of.formula, "code": of.code,
        "limits": limits,
    })
}

fn shown(patient: &Patient) -> Value {
    let mut figures = Map::new();
    for of in &DEFINITIONS {
        let rows: Vec<Value> = patient.of(of.number).map(figure).collect();
        if !rows.is_empty() {
            figures.insert(of.number.to_string(), json!(rows));
        }
    }
    json!({"figures": figures, "absent": patient.absent, "notes": patient.notes})
}

fn figure(row: &Row) -> Value {
    json!({
        "part": row.key.part, "unit": row.key.unit, "value": row.value, "half": row.interval.map(|i| i.width() / 2.0),
        "state": row.light, "published": row.published.as_ref().map(|of| of.value), "effect": told(row.effect),
    })
}
