//! What a picture of a run shows, gathered from its tables in one pass each: flow of every link,
//! people or load of every building, and the course of people, vehicles and electricity.
//!
//! A table the scenario did not ask for leaves its part empty. People and vehicles come from the
//! ledgers, which are exact at every moment they name; where there are none they are added up from
//! `presence` and `link_state`. Where `link_state` covers the whole city (it agrees with the ledger
//! wherever both speak) its finer course of vehicles is taken. Contract: sums in file order.

use crate::read::{RunInfo, RunResults};
use std::collections::BTreeMap;
use urbis_core::{Clock, Result};
use urbis_output::ledger::{name, term};
use urbis_output::{Kpi, Table};

/// Values over time: Unix time in milliseconds, value.
pub(crate) type Course = Vec<(i64, f64)>;

/// What the colour of buildings stands for.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildingShade {
    /// In words, for the legend.
    pub(crate) label: String,
    /// By building id.
    pub(crate) values: BTreeMap<String, f64>,
}

/// Mean power of one sector per interval.
#[derive(Clone, Debug, Default)]
pub(crate) struct SectorLoad {
    pub(crate) sector: String,
    /// Megawatts by (start, length) of the interval, both in milliseconds.
    pub(crate) load_mw: BTreeMap<(i64, i64), f64>,
}

/// Everything a picture shows.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    pub(crate) info: RunInfo,
    pub(crate) kpis: Vec<Kpi>,
    /// Vehicles that entered in the period, by link id.
    pub(crate) link_veh: BTreeMap<String, f64>,
    pub(crate) buildings: BuildingShade,
    /// Persons in the city.
    pub(crate) people: Course,
    /// Vehicles on the road.
    pub(crate) vehicles: Course,
    /// Largest energy first.
    pub(crate) sectors: Vec<SectorLoad>,
}

impl Day {
    pub(crate) fn gather(run: &RunResults) -> Result<Self> {
        let info = run.info()?;
        let (link_veh, occupancy) = links(run)?;
        let mut ledgers = ledgers(run)?;
        let present = presence(run, &info)?;
        let (buildings, in_buildings) = match present {
            Some(found) => found,
            None => (building_loads(run)?, Course::new()),
        };
        let or = |first: Option<Course>, second: Course| first.filter(|c| !c.is_empty()).unwrap_or(second);
        Ok(Self {
            kpis: if run.has(Table::Kpis) { run.kpis()? } else { Vec::new() },
            link_veh,
            buildings,
            people: or(ledgers.remove(name::PERSONS), in_buildings),
            vehicles: finer(ledgers.remove(name::VEHICLES).unwrap_or_default(), occupancy),
            sectors: sectors(run)?,
            info,
        })
    }
}

/// The course with more moments if it agrees with the exact one at every moment they share (a table
/// of part of the city does not), else the exact one; the other where one is empty.
fn finer(exact: Course, summed: Course) -> Course {
    let at: BTreeMap<i64, f64> = summed.iter().copied().collect();
    // Intervals in which nothing moved have no rows.
    let agrees = |&(time, value): &(i64, f64)| (value - at.get(&time).copied().unwrap_or(0.0)).abs() < 0.5;
    let shares_moments = exact.iter().any(|(time, _)| at.contains_key(time));
    let takes_summed = exact.is_empty() || (summed.len() > exact.len() && shares_moments && exact.iter().all(agrees));
    if takes_summed { summed } else { exact }
}

/// Adds to the entry of a name without copying the name again.
fn add(sums: &mut BTreeMap<String, f64>, key: &str, value: f64) {
    match sums.get_mut(key) {
        Some(sum) => *sum += value,
        None => {
            sums.insert(key.to_owned(), value);
        }
    }
}

fn links(run: &RunResults) -> Result<(BTreeMap<String, f64>, Course)> {
    let (mut entered, mut occupancy) = (BTreeMap::new(), BTreeMap::<i64, f64>::new());
    if run.has(Table::LinkState) {
        let columns = ["time", "interval_s", "link_id", "entered_veh", "occupancy_veh"];
        run.for_each_batch(Table::LinkState, &columns, |batch| {
            let (ids, interval_s) = (batch.text("link_id"), batch.real("interval_s"));
            let (vehicles, on_link) = (batch.count("entered_veh"), batch.count("occupancy_veh"));
            for row in 0..batch.rows() {
                add(&mut entered, ids.value(row), vehicles.value(row) as f64);
                let end_ms = batch.time_ms("time", row) + (interval_s.value(row) * 1000.0) as i64;
                *occupancy.entry(end_ms).or_default() += on_link.value(row) as f64;
            }
            Ok(())
        })?;
    }
    Ok((entered, occupancy.into_iter().collect()))
}

/// People in the city (in buildings or on their way) and vehicles on the road, by name of the ledger.
fn ledgers(run: &RunResults) -> Result<BTreeMap<String, Course>> {
    let mut sums: BTreeMap<&str, BTreeMap<i64, f64>> = BTreeMap::new();
    if run.has(Table::Ledgers) {
        run.for_each_batch(Table::Ledgers, &["time", "ledger", "term", "value"], |batch| {
            for row in 0..batch.rows() {
                let wanted = match (batch.text("ledger").value(row), batch.text("term").value(row)) {
                    (name::PERSONS, term::IN_BUILDINGS | term::TRAVELLING) => name::PERSONS,
                    (name::VEHICLES, term::ON_ROAD) => name::VEHICLES,
                    _ => continue,
                };
                let course = sums.entry(wanted).or_default();
                *course.entry(batch.time_ms("time", row)).or_default() += batch.real("value").value(row);
            }
            Ok(())
        })?;
    }
    Ok(sums.into_iter().map(|(ledger, course)| (ledger.to_owned(), course.into_iter().collect())).collect())
}

/// People per building at the recorded moment nearest to local noon, and in all buildings over time.
fn presence(run: &RunResults, info: &RunInfo) -> Result<Option<(BuildingShade, Course)>> {
    if !run.has(Table::Presence) {
        return Ok(None);
    }
    let mut all = BTreeMap::<i64, f64>::new();
    run.for_each_batch(Table::Presence, &["time", "persons"], |batch| {
        let persons = batch.count("persons");
        for row in 0..batch.rows() {
            *all.entry(batch.time_ms("time", row)).or_default() += persons.value(row) as f64;
        }
        Ok(())
    })?;
    let clock = Clock::new(info.start_utc_ms, (info.local_offset_ms / 1000) as i32, 0);
    let until_noon_ms = (i64::from(12 * 3600) - i64::from(clock.local_second_of_day(0))).rem_euclid(86_400) * 1000;
    let noon_ms = info.start_utc_ms + until_noon_ms;
    let Some(at_ms) = all.keys().copied().min_by_key(|time| (time - noon_ms).abs()) else { return Ok(None) };
    let mut values = BTreeMap::new();
    run.for_each_batch(Table::Presence, &["time", "building_id", "persons"], |batch| {
        let (ids, persons) = (batch.text("building_id"), batch.count("persons"));
        for row in (0..batch.rows()).filter(|&row| batch.time_ms("time", row) == at_ms) {
            add(&mut values, ids.value(row), persons.value(row) as f64);
        }
        Ok(())
    })?;
    let label = format!("People per building at {}", crate::scale::clock(at_ms + info.local_offset_ms));
    Ok(Some((BuildingShade { label, values }, all.into_iter().collect())))
}

/// Mean load of each building in kilowatts, all sectors together.
fn building_loads(run: &RunResults) -> Result<BuildingShade> {
    let mut wh = BTreeMap::new();
    if run.has(Table::BuildingLoad) {
        run.for_each_batch(Table::BuildingLoad, &["building_id", "energy_wh"], |batch| {
            let (ids, energy_wh) = (batch.text("building_id"), batch.real("energy_wh"));
            for row in 0..batch.rows() {
                add(&mut wh, ids.value(row), energy_wh.value(row));
            }
            Ok(())
        })?;
    }
    let hours = run.info()?.duration_s / 3600.0;
    let values = wh.into_iter().map(|(id, wh)| (id, wh / hours.max(1e-9) / 1000.0)).collect();
    Ok(BuildingShade { label: "Mean electric load per building, kW".into(), values })
}

fn sectors(run: &RunResults) -> Result<Vec<SectorLoad>> {
    let mut sums: BTreeMap<String, BTreeMap<(i64, i64), f64>> = BTreeMap::new();
    if run.has(Table::ZoneLoad) {
        run.for_each_batch(Table::ZoneLoad, &["time", "interval_s", "sector", "p_w"], |batch| {
            let (sector, interval_s, p_w) = (batch.text("sector"), batch.real("interval_s"), batch.real("p_w"));
            for row in 0..batch.rows() {
                let interval = (batch.time_ms("time", row), (interval_s.value(row) * 1000.0) as i64);
                let course = match sums.get_mut(sector.value(row)) {
                    Some(course) => course,
                    None => sums.entry(sector.value(row).to_owned()).or_default(),
                };
                *course.entry(interval).or_default() += p_w.value(row) / 1e6;
            }
            Ok(())
        })?;
    }
    let mut sectors: Vec<_> = sums.into_iter().map(|(sector, load_mw)| SectorLoad { sector, load_mw }).collect();
    let energy = |s: &SectorLoad| s.load_mw.iter().map(|((_, length_ms), mw)| mw * *length_ms as f64).sum::<f64>();
    sectors.sort_by(|a, b| energy(b).total_cmp(&energy(a)).then(a.sector.cmp(&b.sector)));
    Ok(sectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finer_course_is_taken_where_it_tells_the_same() {
        let exact: Course = vec![(0, 0.0), (100, 5.0), (200, 8.0)];
        let fine: Course = vec![(50, 3.0), (100, 5.0), (150, 9.0), (200, 8.0)];
        let part: Course = vec![(50, 1.0), (100, 2.0), (150, 3.0), (200, 4.0)];
        assert_eq!(finer(exact.clone(), fine.clone()), fine);
        assert_eq!(finer(exact.clone(), part), exact);
        assert_eq!(finer(exact.clone(), fine[..2].to_vec()), exact);
        assert_eq!(finer(Course::new(), fine.clone()), fine);
    }
}
