//! What a report needs of one run, added up by the hour in one pass over each table. A table the scenario did not ask
//! for leaves its part empty, and the page says so. Contract: sums in file order.

use crate::read::RunResults;
use arrow::array::Array as _;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::{Kpi, Table};

/// Rows of the layers by their ids.
pub(crate) struct Places {
    pub(crate) links: BTreeMap<String, usize>,
    pub(crate) buildings: BTreeMap<String, usize>,
    pub(crate) zones: BTreeMap<String, usize>,
    pub(crate) start_ms: i64,
    pub(crate) hours: usize,
}

impl Places {
    pub(crate) fn hour(&self, time_ms: i64) -> usize {
        ((time_ms - self.start_ms).max(0) / 3_600_000).min(self.hours as i64 - 1) as usize
    }
}

/// A mean in the making.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    n: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1.0;
    }
    /// None of nothing.
    pub(crate) fn value(self) -> Option<f64> {
        (self.n > 0.0).then(|| self.sum / self.n)
    }
}

/// Counts by place and kind of trip.
pub(crate) type Counts = BTreeMap<(usize, String), f64>;

/// One run by the hour; figures of places lie place by place.
#[derive(Default)]
pub(crate) struct RunDay {
    pub(crate) kpis: Vec<Kpi>,
    /// Vehicles that entered each link, by hour.
    pub(crate) link_veh: Vec<f32>,
    /// What those that left lost against free speed, seconds, by hour.
    pub(crate) link_delay_s: Vec<f32>,
    /// Vehicles by link and purpose, from table `crossings`; empty without it.
    pub(crate) link_purposes: Counts,
    /// Trips that start in each zone, by hour.
    pub(crate) zone_trips: Vec<f64>,
    /// Trips by zone they start in and mode.
    pub(crate) zone_modes: Counts,
    /// Trips by zone they start in and zone they end in.
    pub(crate) zone_to: Counts,
    /// Time of ended trips, by zone they start in, seconds.
    pub(crate) zone_time: Vec<Mean>,
    /// The same by kind of person.
    pub(crate) group_time: BTreeMap<String, Mean>,
    /// Trips by building they end in and mode.
    pub(crate) building_modes: Counts,
    /// Electricity of each building, watt, by hour; empty without the table.
    pub(crate) building_w: Vec<f32>,
    /// Electricity by sector, megawatt, by hour.
    pub(crate) sector_mw: BTreeMap<String, Vec<f64>>,
    /// What networks served by utility and unit, each hour.
    pub(crate) flows: BTreeMap<(String, String), Vec<f64>>,
    /// People connected to each utility, and those of them without it, each hour.
    pub(crate) services: BTreeMap<String, [Vec<f64>; 2]>,
}

impl RunDay {
    pub(crate) fn gather(run: &RunResults, places: &Places) -> Result<Self> {
        let mut day = Self { kpis: if run.has(Table::Kpis) { run.kpis()? } else { Vec::new() }, ..Self::default() };
        day.links(run, places)?;
        let purposes = day.trips(run, places)?;
        day.crossings(run, places, &purposes)?;
        day.buildings(run, places)?;
        day.sectors(run, places)?;
        day.networks(run, places)?;
        Ok(day)
    }

    fn links(&mut self, run: &RunResults, places: &Places) -> Result<()> {
        let size = places.links.len() * places.hours;
        (self.link_veh, self.link_delay_s) = (vec![0.0; size], vec![0.0; size]);
        if !run.has(Table::LinkState) {
            return Ok(());
        }
        run.for_each_batch(Table::LinkState, &["time", "link_id", "entered_veh", "delay_s"], |batch| {
            let (ids, vehicles, delay_s) = (batch.text("link_id"), batch.count("entered_veh"), batch.real("delay_s"));
            for row in 0..batch.rows() {
                let Some(link) = places.links.get(ids.value(row)) else { continue };
                let at = link * places.hours + places.hour(batch.time_ms("time", row));
                self.link_veh[at] += vehicles.value(row) as f32;
                self.link_delay_s[at] += delay_s.value(row) as f32;
            }
            Ok(())
        })
    }

    /// Purposes of trips, where somebody asks for them.
    fn trips(&mut self, run: &RunResults, places: &Places) -> Result<BTreeMap<i64, String>> {
        let zones = places.zones.len();
        self.zone_trips = vec![0.0; zones * places.hours];
        self.zone_time = vec![Mean::default(); zones];
        let mut purposes = BTreeMap::new();
        if !run.has(Table::Trips) {
            return Ok(purposes);
        }
        let keeps_purposes = run.has(Table::Crossings);
        let texts = ["person_kind", "purpose", "mode", "to_building", "from_zone", "to_zone"];
        let columns = [&texts[..], &["trip_id", "depart_time", "travel_time_s"]].concat();
        run.for_each_batch(Table::Trips, &columns, |batch| {
            let [kind, purpose, mode, to_building, from_zone, to_zone] = texts.map(|name| batch.text(name));
            let time_s = batch.real("travel_time_s");
            for row in 0..batch.rows() {
                let time_s = (!time_s.is_null(row)).then(|| time_s.value(row));
                if let Some(time_s) = time_s {
                    self.group_time.entry(kind.value(row).to_owned()).or_default().add(time_s);
                }
                if keeps_purposes {
                    purposes.insert(batch.number("trip_id", row), purpose.value(row).to_owned());
                }
                if let Some(&building) = places.buildings.get(to_building.value(row)) {
                    *self.building_modes.entry((building, mode.value(row).to_owned())).or_default() += 1.0;
                }
                let Some(&zone) = places.zones.get(from_zone.value(row)) else { continue };
                self.zone_trips[zone * places.hours + places.hour(batch.time_ms("depart_time", row))] += 1.0;
                *self.zone_modes.entry((zone, mode.value(row).to_owned())).or_default() += 1.0;
                *self.zone_to.entry((zone, to_zone.value(row).to_owned())).or_default() += 1.0;
                if let Some(time_s) = time_s {
                    self.zone_time[zone].add(time_s);
                }
            }
            Ok(())
        })?;
        Ok(purposes)
    }

    fn crossings(&mut self, run: &RunResults, places: &Places, purposes: &BTreeMap<i64, String>) -> Result<()> {
        if !run.has(Table::Crossings) {
            return Ok(());
        }
        run.for_each_batch(Table::Crossings, &["trip_id", "link_id"], |batch| {
            for row in 0..batch.rows() {
                let purpose = purposes.get(&batch.number("trip_id", row));
                if let (Some(&link), Some(purpose)) = (places.links.get(batch.text("link_id").value(row)), purpose) {
                    *self.link_purposes.entry((link, purpose.clone())).or_default() += 1.0;
                }
            }
            Ok(())
        })
    }

    fn buildings(&mut self, run: &RunResults, places: &Places) -> Result<()> {
        if !run.has(Table::BuildingLoad) {
            return Ok(());
        }
        self.building_w = vec![0.0; places.buildings.len() * places.hours];
        run.for_each_batch(Table::BuildingLoad, &["time", "building_id", "energy_wh"], |batch| {
            let (ids, energy_wh) = (batch.text("building_id"), batch.real("energy_wh"));
            for row in 0..batch.rows() {
                if let Some(building) = places.buildings.get(ids.value(row)) {
                    let at = building * places.hours + places.hour(batch.time_ms("time", row));
                    // Watt hours of one hour are its mean watts.
                    self.building_w[at] += energy_wh.value(row) as f32;
                }
            }
            Ok(())
        })
    }

    fn sectors(&mut self, run: &RunResults, places: &Places) -> Result<()> {
        if !run.has(Table::ZoneLoad) {
            return Ok(());
        }
        run.for_each_batch(Table::ZoneLoad, &["time", "sector", "energy_wh"], |batch| {
            let (sectors, energy_wh) = (batch.text("sector"), batch.real("energy_wh"));
            for row in 0..batch.rows() {
                let sector = sectors.value(row);
                if !self.sector_mw.contains_key(sector) {
                    self.sector_mw.insert(sector.to_owned(), vec![0.0; places.hours]);
                }
                let hour = places.hour(batch.time_ms("time", row));
                if let Some(course) = self.sector_mw.get_mut(sector) {
                    course[hour] += energy_wh.value(row) / 1e6;
                }
            }
            Ok(())
        })
    }

    fn networks(&mut self, run: &RunResults, places: &Places) -> Result<()> {
        let column = || vec![0.0; places.hours];
        if run.has(Table::UtilityBalance) {
            run.for_each_batch(Table::UtilityBalance, &["time", "utility", "unit", "served"], |batch| {
                let (utility, unit, served) = (batch.text("utility"), batch.text("unit"), batch.real("served"));
                for row in 0..batch.rows() {
                    let key = (utility.value(row).to_owned(), unit.value(row).to_owned());
                    let hour = places.hour(batch.time_ms("time", row));
                    self.flows.entry(key).or_insert_with(column)[hour] += served.value(row);
                }
                Ok(())
            })?;
        }
        if run.has(Table::Service) {
            let names = ["time", "interval_s", "utility", "persons", "unserved_persons"];
            run.for_each_batch(Table::Service, &names, |batch| {
                let utility = batch.text("utility");
                let [interval_s, persons, unserved] =
                    ["interval_s", "persons", "unserved_persons"].map(|of| batch.real(of));
                for row in 0..batch.rows() {
                    let (hour, hours) = (places.hour(batch.time_ms("time", row)), interval_s.value(row) / 3600.0);
                    let of = self.services.entry(utility.value(row).to_owned()).or_insert_with(|| [column(), column()]);
                    of[0][hour] += persons.value(row) * hours;
                    of[1][hour] += unserved.value(row) * hours;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
