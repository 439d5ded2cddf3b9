//! Indicators of electricity: use, peaks, interruptions, capacity, renewables, devices.
//!
//! Use is what buildings and street lamps ask for (table `zone_load`), a year 365 mean days of the run, as its published
//! figures are brought to a day. Interruptions are those of the period and are not brought to a year: a scenario's faults
//! are no sample of a year.

use super::facts::Facts;
use super::kernels::{load_factor, outage_indices};
use super::places::City;
use super::roads::HOURS;
use super::sheet::{Place, Sheet, Tally};
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_core::units::{HOURS_PER_YEAR, JOULES_PER_KWH};
use urbis_output::Table;

/// Days of a year, as for published figures of electricity.
const DAYS_PER_YEAR: f64 = HOURS_PER_YEAR / 24.0;
const GRID: &str = "the scenario has no electric grid (`power.grid`)";
const DEVICES: &str = "the scenario has no devices behind meters (`power.devices`)";

/// Puts what electricity tells into a sheet.
pub(crate) fn measure(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) -> Result<()> {
    let by_zones = facts.can_use(Table::ZoneLoad, sheet, &[34, 35, 36, 37]);
    if by_zones {
        use_of(facts, sheet)?;
    } else {
        without_zones(facts, sheet);
    }
    public_buildings(facts, city, sheet)?;
    interruptions(facts, sheet)?;
    grid(facts, sheet)?;
    devices(facts, sheet);
    Ok(())
}

/// Energy and course of a zone or the city.
#[derive(Default)]
struct Load {
    energy_wh: f64,
    homes_wh: f64,
    by_hour_wh: [f64; HOURS],
    homes_by_hour_wh: [f64; HOURS],
    /// Power by start of the interval.
    course_w: BTreeMap<i64, f64>,
}

impl Load {
    fn add(&mut self, time_ms: i64, hour: u8, is_home: bool, power_w: f64, energy_wh: f64) {
        self.energy_wh += energy_wh;
        self.by_hour_wh[usize::from(hour)] += energy_wh;
        if is_home {
            self.homes_wh += energy_wh;
            self.homes_by_hour_wh[usize::from(hour)] += energy_wh;
        }
        *self.course_w.entry(time_ms).or_default() += power_w;
    }
    fn peak_w(&self) -> f64 {
        self.course_w.values().copied().fold(0.0, f64::max)
    }
}

fn use_of(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let (mut whole, mut zones) = (Load::default(), BTreeMap::<String, Load>::new());
    facts.run.for_each_batch(Table::ZoneLoad, &["time", "zone_id", "sector", "p_w", "energy_wh"], |batch| {
        for row in 0..batch.rows() {
            let time_ms = batch.time_ms("time", row);
            let (hour, is_home) = (facts.hour(time_ms), batch.text("sector").value(row) == "residential");
            let (power_w, energy_wh) = (batch.real("p_w").value(row), batch.real("energy_wh").value(row));
            whole.add(time_ms, hour, is_home, power_w, energy_wh);
            let zone = batch.text("zone_id").value(row);
            if !zones.contains_key(zone) {
                zones.insert(zone.to_owned(), Load::default());
            }
            if let Some(of) = zones.get_mut(zone) {
                of.add(time_ms, hour, is_home, power_w, energy_wh);
            }
        }
        Ok(())
    })?;
    sheet.peak_w = Some(whole.peak_w());
    sheet.energy_j.insert("electricity", whole.energy_wh / 1000.0 * JOULES_PER_KWH / facts.days);
    factors(sheet, &Place::default(), &whole);
    for (zone, load) in &zones {
        factors(sheet, &Place::zone(zone), load);
    }
    let Some(residents) = facts.residents_for(sheet, &[34, 35, 36]) else { return Ok(()) };
    per_capita(facts, sheet, &Place::default(), &whole, residents);
    for (zone, load) in &zones {
        if let Some(own) = facts.residents_of.get(zone).filter(|own| **own > 0.0) {
            per_capita(facts, sheet, &Place::zone(zone), load, *own);
        }
    }
    published(facts, sheet, residents);
    Ok(())
}

fn factors(sheet: &mut Sheet, place: &Place, load: &Load) {
    let course: Vec<f64> = load.course_w.values().copied().collect();
    match load_factor(&course) {
        Some(factor) => sheet.put_at(37, "", "ratio", place.clone(), factor),
        None if place.is_whole() => sheet.absent(37, "no electricity is used in the run"),
        None => {}
    }
}

fn per_capita(facts: &Facts<'_>, sheet: &mut Sheet, place: &Place, load: &Load, residents: f64) {
    let a_year = |wh: f64| wh / 1000.0 / facts.days * DAYS_PER_YEAR / residents;
    sheet.put_at(34, "", "kWh/person/yr", place.clone(), a_year(load.energy_wh));
    sheet.put_at(35, "", "kWh/person/yr", place.clone(), a_year(load.homes_wh));
    sheet.put_at(36, "", "kW/person", place.clone(), load.peak_w() / 1000.0 / residents);
    if !place.is_whole() {
        return;
    }
    for hour in 0..HOURS {
        let place = Place::hour(hour as u8);
        sheet.put_at(34, "", "kWh/person/yr", place.clone(), a_year(load.by_hour_wh[hour]));
        sheet.put_at(35, "", "kWh/person/yr", place, a_year(load.homes_by_hour_wh[hour]));
    }
}

fn published(facts: &Facts<'_>, sheet: &mut Sheet, residents: f64) {
    let kpi = |name: &str| facts.city_kpi(name).and_then(|kpi| Some((kpi.published?, kpi.source.clone())));
    // Gigawatt hours of a day and megawatts over residents.
    for (number, name, factor) in [
        (34, "electricity_use_day", 1e6 * DAYS_PER_YEAR),
        (35, "electricity_use_day_residential", 1e6 * DAYS_PER_YEAR),
        (36, "electricity_peak", 1e3),
    ] {
        if let Some((value, source)) = kpi(name) {
            sheet.published(number, "", value * factor / residents, &source);
        }
    }
}

/// What table `kpis` tells where loads by zone were not written.
fn without_zones(facts: &Facts<'_>, sheet: &mut Sheet) {
    if let Some(gwh) = facts.kpi("electricity_use_day") {
        sheet.energy_j.insert("electricity", gwh * 1e6 * JOULES_PER_KWH);
    }
    let Some(residents) = facts.residents else { return };
    let put = [
        (34, "kWh/person/yr", "electricity_use_day", 1e6 * DAYS_PER_YEAR),
        (35, "kWh/person/yr", "electricity_use_day_residential", 1e6 * DAYS_PER_YEAR),
        (36, "kW/person", "electricity_peak", 1e3),
    ];
    for (number, unit, name, factor) in put {
        if let Some(value) = facts.kpi(name) {
            sheet.put(number, "", unit, value * factor / residents);
        }
    }
    sheet.peak_w = facts.kpi("electricity_peak").map(|mw| mw * 1e6);
    published(facts, sheet, residents);
}

fn public_buildings(facts: &Facts<'_>, city: &City, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::BuildingLoad, sheet, &[42]) {
        return Ok(());
    }
    let of = &city.buildings;
    let is_public = |row: usize| matches!(of.purpose[row].as_str(), "civic" | "education" | "health");
    let mut tally = Tally::default();
    for row in (0..of.zone.len()).filter(|&row| is_public(row)) {
        for place in [Place::default(), Place::zone(&of.zone[row])] {
            tally.add(place, 0.0, of.floor_area_m2[row]);
        }
    }
    facts.run.for_each_batch(Table::BuildingLoad, &["building_id", "energy_wh"], |batch| {
        for at in 0..batch.rows() {
            let Some(&row) = of.row.get(batch.text("building_id").value(at)) else { continue };
            if is_public(row) {
                let kwh = batch.real("energy_wh").value(at) / 1000.0;
                for place in [Place::default(), Place::zone(&of.zone[row])] {
                    tally.add(place, kwh, 0.0);
                }
            }
        }
        Ok(())
    })?;
    if tally.whole().is_none() {
        sheet.absent(42, "the city has no civic, school or health buildings");
    }
    tally.put(sheet, 42, "", "kWh/m2/yr", DAYS_PER_YEAR / facts.days);
    Ok(())
}

fn interruptions(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let Some(customers) = facts.kpi("grid_customers").filter(|customers| *customers > 0.0) else {
        sheet.all_absent(&[38, 39], GRID);
        return Ok(());
    };
    let saifi = facts.kpi("saifi").zip(facts.kpi("caidi"));
    let (saifi, caidi) = match saifi {
        Some((saifi, caidi)) => (saifi, (saifi > 0.0).then_some(caidi)),
        None if !facts.can_use(Table::Outages, sheet, &[38, 39]) => return Ok(()),
        None => {
            let mut outages = Vec::new();
            facts.run.for_each_batch(Table::Outages, &["customers", "customer_minutes"], |batch| {
                outages.extend((0..batch.rows()).map(|row| {
                    (batch.count("customers").value(row) as f64, batch.real("customer_minutes").value(row))
                }));
                Ok(())
            })?;
            outage_indices(&outages, customers)
        }
    };
    sheet.put(38, "", "interruptions/customer in the period", saifi);
    sheet.note(38, "of the period of the run, not of a year: faults of a scenario are no sample of a year");
    match caidi {
        Some(minutes) => {
            sheet.put(39, "caidi", "min", minutes);
            sheet.put(39, "saidi", "min/customer in the period", saifi * minutes);
        }
        None => sheet.absent(39, "nobody was interrupted for longer than a moment in the run"),
    }
    Ok(())
}

fn grid(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if facts.kpi("grid_buses").is_none() && facts.run.has(Table::Kpis) {
        sheet.all_absent(&[40, 41, 44], GRID);
        return Ok(());
    }
    if facts.can_use(Table::SubstationLoad, sheet, &[40]) {
        let mut course: BTreeMap<i64, [f64; 2]> = BTreeMap::new();
        facts.run.for_each_batch(Table::SubstationLoad, &["time", "p_w", "q_var"], |batch| {
            for row in 0..batch.rows() {
                let sum = course.entry(batch.time_ms("time", row)).or_default();
                sum[0] += batch.real("p_w").value(row);
                sum[1] += batch.real("q_var").value(row);
            }
            Ok(())
        })?;
        let peak_va = course.values().map(|[p, q]| p.hypot(*q)).fold(0.0, f64::max);
        sheet.peak_w = Some(course.values().map(|[p, _]| *p).fold(0.0, f64::max)).filter(|peak| *peak > 0.0);
        match facts.kpi("supply_capacity") {
            Some(mva) if peak_va > 0.0 => sheet.put(40, "", "%", 100.0 * mva * 1e6 / peak_va),
            Some(_) => sheet.absent(40, "nothing enters the grid"),
            None => sheet.absent(40, "ratings of the branches at substations are not known"),
        }
    }
    renewables(facts, sheet)?;
    overloads(facts, sheet)
}

fn renewables(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::EnergyBalance, sheet, &[41]) {
        return Ok(());
    }
    let Some(mwh) = facts.kpi("photovoltaics") else {
        sheet.absent(
            41,
            format!("{DEVICES}, so nothing renewable is generated in it; what imports are made of is not known"),
        );
        return Ok(());
    };
    let mut supplied_wh = 0.0;
    facts.run.for_each_batch(Table::EnergyBalance, &["imported_wh", "generated_wh"], |batch| {
        for row in 0..batch.rows() {
            supplied_wh += batch.real("imported_wh").value(row) + batch.real("generated_wh").value(row);
        }
        Ok(())
    })?;
    if supplied_wh > 0.0 {
        sheet.put(41, "", "%", 100.0 * mwh * 1e6 / supplied_wh);
    } else {
        sheet.absent(41, "the city takes nothing from outside and generates nothing on balance");
    }
    sheet.note(41, "what is generated in the city: what imports are made of is not known");
    Ok(())
}

fn overloads(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    if !facts.can_use(Table::BranchState, sheet, &[44]) {
        return Ok(());
    }
    let (mut hours, mut by_kind, mut is_rated) = (0.0, BTreeMap::<String, f64>::new(), false);
    let exceptions = facts.setting("power.grid.rows").and_then(toml::Value::as_str) == Some("exceptions");
    facts.run.for_each_batch(Table::BranchState, &["interval_s", "kind", "loading_percent"], |batch| {
        let loading = batch.real("loading_percent");
        for row in (0..batch.rows()).filter(|&row| loading.is_valid(row)) {
            is_rated = true;
            let above = if loading.value(row) > 100.0 { batch.real("interval_s").value(row) / 3600.0 } else { 0.0 };
            hours += above;
            *by_kind.entry(batch.text("kind").value(row).to_owned()).or_default() += above;
        }
        Ok(())
    })?;
    if !is_rated && !exceptions {
        sheet.absent(44, "no rating of a branch is known");
        return Ok(());
    }
    let a_year = DAYS_PER_YEAR / facts.days;
    sheet.put(44, "", "h/yr", hours * a_year);
    for (kind, hours) in by_kind {
        sheet.put(44, &kind, "h/yr", hours * a_year);
    }
    sheet.note(44, "branch hours, by the last power step of each interval");
    Ok(())
}

fn devices(facts: &Facts<'_>, sheet: &mut Sheet) {
    match facts.kpi("cars_charged") {
        Some(mwh) => {
            sheet.put(45, "energy", "kWh/day", mwh * 1000.0 / facts.days);
            sheet.note(45, "the load of cars at the time of the largest load is in no table");
        }
        None => sheet.absent(45, DEVICES),
    }
    let daily_kwh = sheet.energy_j.get("electricity").map(|joules| joules / JOULES_PER_KWH).filter(|kwh| *kwh > 0.0);
    match (facts.kpi("battery_capacity"), daily_kwh) {
        (Some(mwh), Some(daily)) => sheet.put(46, "", "%", 100.0 * mwh * 1000.0 / daily),
        (None, _) => sheet.absent(46, DEVICES),
        (_, None) => sheet.absent(46, "electricity of a day is not known"),
    }
    match facts.setting("coupling.electric_car_share").and_then(toml::Value::as_float).filter(|share| *share > 0.0) {
        Some(share) => {
            sheet.put(19, "", "%", 100.0 * share);
            sheet.note(19, "electric cars among the cars of residents, as the scenario says");
        }
        None => sheet.absent(19, "the scenario says of no car that it is electric (`coupling.electric_car_share`)"),
    }
}
