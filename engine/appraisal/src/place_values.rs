//! Figures of one run by hour, by zone and hour, and by group of people.

use crate::comparison::Figure;
use crate::read::RunResults;
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

/// Local hour of the day of a moment.
pub(crate) fn local_hour(time_ms: i64, offset_ms: i64) -> u8 {
    ((time_ms + offset_ms).div_euclid(3_600_000).rem_euclid(24)) as u8
}

/// Sums and counts that become figures of a mean day.
#[derive(Default)]
struct Sums(BTreeMap<Figure, (f64, f64)>);

impl Sums {
    fn add(&mut self, figure: Figure, value: f64, weight: f64) {
        let sum = self.0.entry(figure).or_default();
        sum.0 += value;
        sum.1 += weight;
    }
    /// Adds to the figure of the hour and, of places, to that of the day; the city's day has its indicators.
    fn add_both(&mut self, figure: &Figure, hour: u8, value: f64, weight: f64) {
        if figure.zone_id.is_some() {
            self.add(figure.clone(), value, weight);
        }
        self.add(Figure { hour: Some(hour), ..figure.clone() }, value, weight);
    }
    fn means(self) -> impl Iterator<Item = (Figure, f64)> {
        self.0.into_iter().filter(|(_, sum)| sum.1 > 0.0).map(|(figure, sum)| (figure, sum.0 / sum.1))
    }
    fn per_day(self, days: f64) -> impl Iterator<Item = (Figure, f64)> {
        self.0.into_iter().map(move |(figure, sum)| (Figure { is_sum: true, ..figure }, sum.0 / days))
    }
}

/// A figure of a zone, or of the whole city.
fn at(zone: Option<&str>, subject: &str, indicator: String, unit: &str) -> Figure {
    Figure { zone_id: zone.map(str::to_owned), ..Figure::whole(subject, &indicator, unit, false) }
}

/// Figures of the whole city by hour.
pub(crate) fn hours(run: &RunResults, days: f64) -> Result<BTreeMap<Figure, f64>> {
    flows(run, days, false)
}

/// Figures by zone, day and hour: electricity, people present, trips that start, what residents reach.
pub(crate) fn zones(run: &RunResults, days: f64) -> Result<BTreeMap<Figure, f64>> {
    let mut figures = flows(run, days, true)?;
    if run.has(Table::Accessibility) {
        let columns = ["zone_id", "group", "mode", "opportunity", "limit_s", "opportunities"];
        run.for_each_batch(Table::Accessibility, &columns, |batch| {
            for row in 0..batch.rows() {
                let text = |name| batch.text(name).value(row);
                let minutes = batch.real("limit_s").value(row) / 60.0;
                let indicator = format!("{}_reached_{}_{minutes:.0}min", text("opportunity"), text("mode"));
                let mut figure = at(Some(text("zone_id")), "access", indicator, text("opportunity"));
                figure.group = (text("group") != "all").then(|| text("group").to_owned());
                figures.insert(figure, batch.real("opportunities").value(row));
            }
            Ok(())
        })?;
    }
    Ok(figures)
}

/// Electricity, people present and trips by hour, of zones or of the whole city.
fn flows(run: &RunResults, days: f64, by_zone: bool) -> Result<BTreeMap<Figure, f64>> {
    let offset = run.info()?.local_offset_ms;
    let mut figures = BTreeMap::new();
    if run.has(Table::ZoneLoad) {
        let mut sums = Sums::default();
        run.for_each_batch(Table::ZoneLoad, &["time", "zone_id", "energy_wh"], |batch| {
            for row in 0..batch.rows() {
                let zone = Some(batch.text("zone_id").value(row)).filter(|_| by_zone);
                let figure = at(zone, "power", "electricity".into(), "kWh/day");
                let hour = local_hour(batch.time_ms("time", row), offset);
                sums.add_both(&figure, hour, batch.real("energy_wh").value(row) / 1000.0, 1.0);
            }
            Ok(())
        })?;
        figures.extend(sums.per_day(days));
    }
    if run.has(Table::ActivityPresence) {
        // Sum over activities and groups at each moment, then the mean of the moments.
        let mut present: BTreeMap<(Option<String>, String, i64), f64> = BTreeMap::new();
        run.for_each_batch(Table::ActivityPresence, &["time", "zone_id", "activity", "persons"], |batch| {
            let zones = batch.text("zone_id");
            for row in (0..batch.rows()).filter(|&row| zones.is_valid(row)) {
                let is_moving = batch.text("activity").value(row) == "travelling";
                let indicator = if is_moving { "persons_travelling" } else { "persons_present" };
                let zone = by_zone.then(|| zones.value(row).to_owned());
                let key = (zone, indicator.to_owned(), batch.time_ms("time", row));
                *present.entry(key).or_default() += batch.real("persons").value(row);
            }
            Ok(())
        })?;
        let mut sums = Sums::default();
        for ((zone, indicator, time), persons) in present {
            let figure = at(zone.as_deref(), "people", indicator, "persons");
            sums.add_both(&figure, local_hour(time, offset), persons, 1.0);
        }
        figures.extend(sums.means());
    }
    if run.has(Table::Od) {
        let (mut trips, mut times) = (Sums::default(), Sums::default());
        let columns = ["time", "from_zone", "mode", "trips", "travel_time_s"];
        run.for_each_batch(Table::Od, &columns, |batch| {
            let zones = batch.text("from_zone");
            for row in (0..batch.rows()).filter(|&row| zones.is_valid(row)) {
                let (zone, mode) = (Some(zones.value(row)).filter(|_| by_zone), batch.text("mode").value(row));
                let hour = local_hour(batch.time_ms("time", row), offset);
                let count = batch.real("trips").value(row);
                trips.add_both(&at(zone, "traffic", format!("trips_{mode}"), "trips/day"), hour, count, 1.0);
                let seconds = batch.real("travel_time_s").value(row);
                // Flows of which nobody arrived have no time.
                if seconds > 0.0 {
                    let figure = at(zone, "traffic", format!("mean_trip_time_{mode}"), "s");
                    times.add_both(&figure, hour, seconds * count, count);
                }
            }
            Ok(())
        })?;
        figures.extend(trips.per_day(days));
        figures.extend(times.means());
    }
    Ok(figures)
}

/// Income class of each person, where the run wrote persons and households.
pub(crate) fn income_classes(run: &RunResults) -> Result<BTreeMap<i64, u64>> {
    let mut classes = BTreeMap::new();
    if !(run.has(Table::Households) && run.has(Table::Persons)) {
        return Ok(classes);
    }
    run.for_each_batch(Table::Households, &["first_person_id", "size", "income_class"], |batch| {
        for row in 0..batch.rows() {
            let first = batch.number("first_person_id", row);
            let class = batch.count("income_class").value(row);
            classes.extend((first..first + batch.count("size").value(row) as i64).map(|person| (person, class)));
        }
        Ok(())
    })?;
    Ok(classes)
}

/// Trips, time and way by kind of person, mode, purpose and income class.
pub(crate) fn groups(run: &RunResults, days: f64) -> Result<BTreeMap<Figure, f64>> {
    let mut figures = BTreeMap::new();
    if !run.has(Table::Trips) {
        return Ok(figures);
    }
    let classes = income_classes(run)?;
    let scale = 1.0 / run.info()?.sample_factor;
    let (mut counts, mut means) = (Sums::default(), Sums::default());
    let columns = ["person_id", "person_kind", "purpose", "mode", "travel_time_s", "distance_m"];
    run.for_each_batch(Table::Trips, &columns, |batch| {
        let times = batch.real("travel_time_s");
        for row in 0..batch.rows() {
            let word = |name: &str| batch.text(name).value(row).to_owned();
            let mut groups = vec![
                format!("person:{}", word("person_kind")),
                format!("mode:{}", word("mode")),
                format!("purpose:{}", word("purpose")),
            ];
            groups.extend(classes.get(&batch.number("person_id", row)).map(|class| format!("income:{class}")));
            for group in groups {
                let of = |indicator: &str, unit: &str| Figure {
                    group: Some(group.clone()),
                    ..Figure::whole("travel", indicator, unit, false)
                };
                counts.add(of("trips", "trips/day"), scale, 1.0);
                if times.is_valid(row) {
                    means.add(of("mean_trip_time", "s"), times.value(row), 1.0);
                    means.add(of("mean_trip_length", "m"), batch.real("distance_m").value(row), 1.0);
                }
            }
        }
        Ok(())
    })?;
    figures.extend(counts.per_day(days));
    figures.extend(means.means());
    Ok(figures)
}
