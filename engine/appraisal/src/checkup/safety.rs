//! Indicators of safety: emergency services, evacuation, failures and what they cost, hazards.
//!
//! Calls come from table `emergency_call` (`kind`, `zone_id`, `response_s`), where the run has one; a call that was never
//! reached counts among calls, not among times.

use super::facts::Facts;
use super::kernels::{percentile, resilience_loss_h};
use super::pipes::Books;
use super::places::City;
use super::sheet::{Place, Sheet, Tally};
use arrow::array::Array;
use arrow::datatypes::DataType;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

/// Limit of indicator 61, seconds.
const EIGHT_MIN_S: f64 = 8.0 * 60.0;

/// Puts what the run tells of safety into a sheet.
pub(crate) fn measure(
    facts: &Facts<'_>,
    city: &City,
    books: &BTreeMap<String, Books>,
    sheet: &mut Sheet,
) -> Result<()> {
    calls(facts, sheet)?;
    shelters(facts, sheet);
    evacuation(facts, sheet);
    cascades(facts, sheet)?;
    losses(facts, books, sheet)?;
    match facts.kpi("residents_in_hazard_zone") {
        Some(share) => sheet.put(70, "", "%", share),
        None => sheet.absent(70, "no flood, earthquake or order to leave has an area with buildings"),
    }
    if city.buildings.zone.is_empty() {
        sheet.all_absent(&[62, 63], "the city has no buildings");
    }
    sheet.absent(18, "the results have no layer of sensors");
    signals(facts, sheet)
}

/// Response times of places and kinds.
fn calls(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let (mut times, mut soon): (BTreeMap<(Place, String), Vec<f64>>, Tally) = Default::default();
    let mut soon_of: BTreeMap<String, Tally> = BTreeMap::new();
    let columns = [("kind", DataType::Utf8), ("zone_id", DataType::Utf8), ("response_s", DataType::Float64)];
    let has = facts.run.for_each_named("emergency_call", &columns, |batch| {
        let (response, zones) = (batch.real("response_s"), batch.text("zone_id"));
        for row in 0..batch.rows() {
            let kind = batch.text("kind").value(row);
            let is_reached = response.is_valid(row) && response.value(row).is_finite();
            let in_time = f64::from(u8::from(is_reached && response.value(row) <= EIGHT_MIN_S));
            let zone = zones.is_valid(row).then(|| Place::zone(zones.value(row)));
            soon_of.entry(kind.to_owned()).or_default().add(Place::default(), in_time, 1.0);
            for place in std::iter::once(Place::default()).chain(zone) {
                soon.add(place.clone(), in_time, 1.0);
                if is_reached {
                    let of_kind = times.entry((place.clone(), format!("_{kind}"))).or_default();
                    of_kind.push(response.value(row) / 60.0);
                    times.entry((place, String::new())).or_default().push(response.value(row) / 60.0);
                }
            }
        }
        Ok(())
    })?;
    for ((place, kind), minutes) in &times {
        let mean = minutes.iter().sum::<f64>() / minutes.len() as f64;
        sheet.put_at(60, &format!("mean{kind}"), "min", place.clone(), mean);
        if let Some(p90) = percentile(minutes, 0.9) {
            sheet.put_at(60, &format!("p90{kind}"), "min", place.clone(), p90);
        }
    }
    soon.put(sheet, 61, "", "%", 100.0);
    for (kind, tally) in &soon_of {
        tally.put(sheet, 61, kind, "%", 100.0);
    }
    if !sheet.has(60) {
        // Without the table of calls: what the run summed up itself, of those that were reached.
        for (prefix, part) in [("response_mean_", "mean"), ("response_90th_", "p90")] {
            for (kind, minutes) in facts.kpis_named(prefix) {
                sheet.put(60, &format!("{part}_{kind}"), "min", minutes);
            }
        }
        for (kind, percent) in facts.kpis_named("response_within_8_min_") {
            sheet.put(61, kind, "%", percent);
        }
    }
    let why = if has {
        "nobody called for help in the run"
    } else {
        "the run has no emergency services (no table `emergency_call`)"
    };
    if !sheet.has(60) {
        sheet.absent(60, why);
    }
    if !sheet.has(61) {
        sheet.absent(61, why);
    }
    Ok(())
}

fn shelters(facts: &Facts<'_>, sheet: &mut Sheet) {
    match (facts.figure("shelter_area"), facts.residents_for(sheet, &[65])) {
        (Ok(area), Some(residents)) => {
            sheet.put(65, "area", "m2/person", area / residents);
            sheet.note(65, "where shelters lie is not known, so nothing is told of who lives near one");
        }
        (Err(why), _) => sheet.absent(65, format!("the results have no layer of shelters, and {why}")),
        _ => {}
    }
}

fn evacuation(facts: &Facts<'_>, sheet: &mut Sheet) {
    for share in ["50", "90", "100"] {
        if let Some(minutes) = facts.kpi(&format!("evacuation_clearance_{share}")) {
            sheet.put(66, &format!("{share}_percent"), "min", minutes);
        }
    }
    if !sheet.has(66) {
        sheet.absent(66, "nobody was evacuated in the run");
    }
}

/// Most people without a utility at once, where something failed.
fn cascades(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::Service, sheet, &[68]) {
        return Ok(());
    }
    let mut course: BTreeMap<(String, i64), [f64; 2]> = BTreeMap::new();
    facts.run.for_each_batch(Table::Service, &["time", "utility", "persons", "unserved_persons"], |batch| {
        for row in 0..batch.rows() {
            let key = (batch.text("utility").value(row).to_owned(), batch.time_ms("time", row));
            let sum = course.entry(key).or_default();
            sum[0] += batch.real("unserved_persons").value(row);
            sum[1] += batch.real("persons").value(row);
        }
        Ok(())
    })?;
    let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
    for ((utility, _), [without, all]) in course.iter().filter(|(_, [_, all])| *all > 0.0) {
        let share = worst.entry(utility).or_default();
        *share = share.max(100.0 * without / all);
    }
    if worst.values().all(|share| *share <= 0.0) {
        sheet.absent(68, "nobody was without a utility in the run, so nothing cascaded");
        return Ok(());
    }
    for (utility, share) in worst {
        sheet.put(68, utility, "% of persons connected", share);
    }
    sheet.note(68, "mean over an interval of table `service`");
    Ok(())
}

fn losses(facts: &Facts<'_>, books: &BTreeMap<String, Books>, sheet: &mut Sheet) -> Result<()> {
    if facts.why_not(Table::EnergyBalance).is_none() {
        let mut course = Vec::new();
        facts.run.for_each_batch(Table::EnergyBalance, &["interval_s", "demand_wh", "received_wh"], |batch| {
            let [interval, asked, got] = ["interval_s", "demand_wh", "received_wh"].map(|name| batch.real(name));
            course.extend((0..batch.rows()).map(|row| (interval.value(row), asked.value(row), got.value(row))));
            Ok(())
        })?;
        sheet.put(69, "electricity", "h", resilience_loss_h(&course));
    }
    for (utility, of) in books.iter().filter(|(utility, of)| *utility != "sewer" && of.asked > 0.0) {
        sheet.put(69, utility, "h", resilience_loss_h(&of.course));
    }
    if !sheet.has(69) {
        sheet.absent(69, "the run has no network (no tables `energy_balance` and `utility_balance`)");
    }
    Ok(())
}

/// Junctions whose lights follow traffic: all of a run have the same control.
fn signals(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let control = facts.setting("traffic.signals.control").and_then(toml::Value::as_str).unwrap_or_default();
    if !facts.can_use(Table::Signals, sheet, &[17]) {
        return Ok(());
    }
    let mut any = false;
    facts.run.for_each_batch(Table::Signals, &["node_id"], |batch| {
        any |= batch.rows() > 0;
        Ok(())
    })?;
    match (any, control) {
        (true, "actuated" | "max_pressure") => sheet.put(17, "", "%", 100.0),
        (true, "fixed") => sheet.put(17, "", "%", 0.0),
        _ => sheet.absent(17, format!("no lights are simulated (`traffic.signals.control = \"{control}\"`)")),
    }
    Ok(())
}
