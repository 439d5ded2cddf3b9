//! Indicators of water, gas, heat and sewers, from the books of networks and from who goes without.
//!
//! Ignored: what homes take of all that is delivered; tables part networks, not users, so figures of homes are told as
//! those of all users, and say so.

use super::facts::Facts;
use super::roads::HOURS;
use super::sheet::{Place, Sheet, Tally};
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_core::units::{HOURS_PER_YEAR, JOULES_PER_KWH};
use urbis_output::Table;

/// Lower heating value of natural gas, J/kg (IPCC 2006, volume 2, table 1.2).
pub(crate) const GAS_J_PER_KG: f64 = 48.0e6;

/// Sums of a network, in the unit of its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) asked: f64,
    supplied: f64,
    served: f64,
    lost: f64,
    /// By local hour: asked, supplied, served, lost.
    by_hour: [[f64; 4]; HOURS],
    /// Served by hour of the period.
    served_by_hour: BTreeMap<i64, f64>,
    /// Seconds, asked and served of each interval.
    pub(crate) course: Vec<(f64, f64, f64)>,
}

/// The books of all networks that the run wrote, by utility.
pub(crate) fn books(facts: &Facts<'_>) -> Result<BTreeMap<String, Books>> {
    let mut all: BTreeMap<String, Books> = BTreeMap::new();
    let columns = ["time", "interval_s", "utility", "asked", "supplied", "served", "lost"];
    facts.run.for_each_batch(Table::UtilityBalance, &columns, |batch| {
        for row in 0..batch.rows() {
            let of = all.entry(batch.text("utility").value(row).to_owned()).or_default();
            let [interval_s, asked, supplied, served, lost] =
                ["interval_s", "asked", "supplied", "served", "lost"].map(|name| batch.real(name).value(row));
            let time_ms = batch.time_ms("time", row);
            of.asked += asked;
            of.supplied += supplied;
            of.served += served;
            of.lost += lost;
            let hour = &mut of.by_hour[usize::from(facts.hour(time_ms))];
            for (sum, value) in hour.iter_mut().zip([asked, supplied, served, lost]) {
                *sum += value;
            }
            *of.served_by_hour.entry(time_ms.div_euclid(3_600_000)).or_default() += served;
            of.course.push((interval_s, asked, served));
        }
        Ok(())
    })?;
    Ok(all)
}

/// Puts what pipes tell into a sheet.
pub(crate) fn measure(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<BTreeMap<String, Books>> {
    let none = |name: &str| format!("the scenario has no network of {name} (`{name}`)");
    let all = match facts.can_use(Table::UtilityBalance, sheet, &[47, 48, 50, 52, 53]) {
        true => books(facts)?,
        false => BTreeMap::new(),
    };
    match all.get("water") {
        Some(of) => water(facts, of, sheet)?,
        None => sheet.all_absent(&[47, 48, 50], &none("water")),
    }
    interruptions(facts, sheet)?;
    match (all.get("heat"), facts.residents_for(sheet, &[52])) {
        (Some(of), _) if of.asked <= 0.0 => sheet.absent(52, "nobody asked the district's network for heat"),
        (Some(of), Some(residents)) => {
            let joules = of.served * JOULES_PER_KWH / facts.days;
            sheet.energy_j.insert("heat", joules);
            sheet.put(52, "all_users", "GJ/person/yr", joules / 1e9 * HOURS_PER_YEAR / 24.0 / residents);
            sheet.note(
                52,
                "heat of the district's network to all users, at the pace of the period: a day of winter is no year",
            );
            let gj_a_year = JOULES_PER_KWH / 1e9 * HOURS_PER_YEAR / 24.0 / facts.days;
            homes(facts, "heat", gj_a_year)?.put(sheet, 52, "homes", "GJ/person/yr", 1.0);
        }
        (None, _) => sheet.absent(52, none("heat")),
        _ => {}
    }
    match all.get("gas") {
        Some(of) => gas(facts, of, sheet),
        None => sheet.absent(53, none("gas")),
    }
    match facts.kpi("residents_with_sewer") {
        Some(share) => sheet.put(51, "", "%", share),
        None => sheet.absent(51, none("sewer")),
    }
    Ok(all)
}

fn water(facts: &Facts<'_>, of: &Books, sheet: &mut Sheet) -> Result<()> {
    if let Some(residents) = facts.residents_for(sheet, &[47]) {
        sheet.put(47, "all_users", "L/person/day", of.served * 1000.0 / facts.days / residents);
        sheet.note(47, "what all users draw; `homes` where the run has table `bills`, which parts them by use");
    }
    let homes = homes(facts, "water", 1000.0 / facts.days)?;
    homes.put(sheet, 47, "homes", "L/person/day", 1.0);
    let share = |above: f64, below: f64| (below > 0.0).then(|| 100.0 * above / below);
    match share(of.lost, of.supplied) {
        Some(percent) if of.lost > 0.0 => sheet.put(48, "", "%", percent),
        Some(_) => sheet.absent(48, "the network has no leaks, so what is lost is not told"),
        None => sheet.absent(48, "no water was fed in"),
    }
    match share(of.served, of.asked) {
        Some(percent) => sheet.put(50, "", "%", percent),
        None => sheet.absent(50, "no water was asked for"),
    }
    for (hour, [asked, supplied, served, lost]) in of.by_hour.iter().enumerate() {
        let place = Place::hour(hour as u8);
        if let Some(percent) = share(*lost, *supplied).filter(|_| of.lost > 0.0) {
            sheet.put_at(48, "", "%", place.clone(), percent);
        }
        if let Some(percent) = share(*served, *asked) {
            sheet.put_at(50, "", "%", place, percent);
        }
    }
    if facts.why_not(Table::WaterNode).is_none() {
        below_pressure(facts, sheet)?;
    }
    Ok(())
}

/// What homes got of a utility, times a factor, over residents: of the city and by zone; nothing without table `bills`.
fn homes(facts: &Facts<'_>, utility: &str, factor: f64) -> Result<Tally> {
    let mut tally = Tally::default();
    let Some(residents) = facts.residents.filter(|_| facts.why_not(Table::Bills).is_none()) else { return Ok(tally) };
    let of_zone = facts.zone_kpis("residents");
    let mut any = false;
    facts.run.for_each_batch(Table::Bills, &["zone_id", "purpose", "utility", "quantity"], |batch| {
        let is_it = |row: &usize| {
            batch.text("utility").value(*row) == utility && batch.text("purpose").value(*row) == "residential"
        };
        for row in (0..batch.rows()).filter(is_it) {
            let (zone, got) = (batch.text("zone_id").value(row), factor * batch.real("quantity").value(row));
            tally.add(Place::default(), got, 0.0);
            tally.add(Place::zone(zone), got, of_zone.get(zone).copied().unwrap_or(0.0));
            any = true;
        }
        Ok(())
    })?;
    tally.add(Place::default(), 0.0, if any { residents } else { 0.0 });
    Ok(tally)
}

/// Nodes that draw and were below the pressure that they need at some moment.
fn below_pressure(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let setting = facts.setting("water.required_pressure_m").and_then(toml::Value::as_float);
    // Where the scenario does not say: what networks by pressure need.
    let needed_m = setting.unwrap_or(20.0);
    let mut nodes: BTreeMap<String, bool> = BTreeMap::new();
    facts.run.for_each_batch(Table::WaterNode, &["node_id", "pressure_min_m", "demand_m3ps"], |batch| {
        let pressure = batch.real("pressure_min_m");
        for row in (0..batch.rows()).filter(|&row| batch.real("demand_m3ps").value(row) > 0.0) {
            let is_below = !pressure.is_valid(row) || pressure.value(row) < needed_m;
            let node = batch.text("node_id").value(row);
            match nodes.get_mut(node) {
                Some(known) => *known |= is_below,
                None => drop(nodes.insert(node.to_owned(), is_below)),
            }
        }
        Ok(())
    })?;
    if !nodes.is_empty() {
        let below = nodes.values().filter(|is_below| **is_below).count() as f64;
        sheet.put(50, "nodes_below_pressure", "%", 100.0 * below / nodes.len() as f64);
        sheet.note(50, &format!("nodes are to have {needed_m} m"));
    }
    Ok(())
}

/// Hours without water of those who are in buildings with a connection.
fn interruptions(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::Service, sheet, &[49]) {
        return Ok(());
    }
    let mut tally = Tally::default();
    let mut any = false;
    let columns = ["interval_s", "zone_id", "utility", "persons", "unserved_person_h"];
    facts.run.for_each_batch(Table::Service, &columns, |batch| {
        for row in (0..batch.rows()).filter(|&row| batch.text("utility").value(row) == "water") {
            any = true;
            let lost_h = batch.real("unserved_person_h").value(row);
            // Mean persons over the period: each interval by its share in it.
            let share = batch.real("interval_s").value(row) / facts.info.duration_s;
            let persons = batch.real("persons").value(row) * share;
            for place in [Place::default(), Place::zone(batch.text("zone_id").value(row))] {
                tally.add(place, lost_h, persons);
            }
        }
        Ok(())
    })?;
    if !any {
        sheet.absent(49, "the scenario has no network of water (`water`)");
    } else if tally.whole().is_none() {
        sheet.absent(49, "nobody was in a building with water");
    }
    tally.put(sheet, 49, "", "h/person in the period", 1.0);
    if any {
        sheet.note(49, "hours of a person, not of a household, in the period of the run, not in a year");
    }
    Ok(())
}

fn gas(facts: &Facts<'_>, of: &Books, sheet: &mut Sheet) {
    sheet.energy_j.insert("gas", of.served * GAS_J_PER_KG / facts.days);
    match facts.figure("gas_capacity") {
        Err(why) => sheet.absent(53, why),
        Ok(kg_per_h) if kg_per_h > 0.0 => {
            let most = of.served_by_hour.values().copied().fold(0.0, f64::max);
            sheet.put(53, "", "%", 100.0 * most / kg_per_h);
        }
        Ok(_) => sheet.absent(53, "`gas_capacity` is 0"),
    }
}

/// Emission of gas, kg CO2e for each kilogram, where no figure is given (IPCC 2006, volume 2, table 1.4: 56.1 kg/GJ).
pub(crate) const GAS_KG_CO2_PER_KG: f64 = 56.1e-9 * GAS_J_PER_KG;
