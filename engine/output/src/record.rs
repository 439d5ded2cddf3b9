//! Recorders: systems that turn the state of the world into rows of result tables when they are due.
//! Each has a schedule and an area of its own. Rows go out in row order of their tables, so equal runs
//! write equal bytes.

use crate::audit::Fault;
use crate::cells::TimeMs;
use crate::ledger::{name, term};
use crate::place_names::PlaceNames;
use crate::tables::{
    ActivityPresenceRow, BuildingLoadRow, LedgersRow, LinkStateRow, PresenceRow, TripsRow, ZoneLoadRow,
};
use crate::writer::ResultsWriter;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Res, ResMut};
use std::collections::BTreeMap;
use urbis_city::model::{City, RoadClass};
use urbis_core::{Clock, PersonIx, Result, Tick, TripIx, ZoneIx};
use urbis_population::plans::Plans;
use urbis_population::presence::NEVER;
use urbis_population::settings::PersonKind;
use urbis_population::simple_modes::PopulationModel;
use urbis_population::{People, Persons, Place, Places};
use urbis_traffic::emissions::{self, Emission, Emissions};
use urbis_traffic::time::to_seconds;
use urbis_traffic::{CarNetwork, EmissionFactors, LinkStats, Traffic};
use urbis_utility::power::{BuildingLoads, Sector, ZoneLoads};

/// Interval of the counters where the table itself is not written.
const DEFAULT_LINK_INTERVAL: Tick = 900;

/// Ticks between rows of the ledgers.
const LEDGER_TICKS: Tick = 3600;

/// When and where one table is recorded.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Length of the interval, ticks; `None` switches the table off.
    pub every: Option<Tick>,
    /// Whether a zone is recorded, by zone; empty records everything, also what lies in no zone.
    pub in_area: Vec<bool>,
}

impl Recording {
    pub(crate) fn is_due(&self, clock: &Clock) -> bool {
        self.every.is_some_and(|every| clock.ends_interval(every))
    }
    /// Start and length in seconds of the interval that ends now.
    pub(crate) fn interval(&self, clock: &Clock) -> (TimeMs, f64) {
        let every = self.every.unwrap_or(1);
        (TimeMs(clock.utc_ms(clock.tick() + 1 - every)), f64::from(every))
    }
    pub(crate) fn covers(&self, zone: ZoneIx) -> bool {
        self.in_area.is_empty() || (zone.is_some() && self.in_area[zone.row()])
    }
}

/// What is recorded.
#[derive(Clone, Debug, Default, Resource)]
pub struct Recorders {
    /// Table `link_state`.
    pub link_state: Recording,
    /// Table `presence`.
    pub presence: Recording,
    /// Table `building_load`.
    pub building_load: Recording,
    /// Table `zone_load`.
    pub zone_load: Recording,
    /// Table `trips`; its interval only says whether it is on.
    pub trips: Recording,
    /// Table `ledgers`; its interval only says whether it is on.
    pub ledgers: Recording,
    /// Table `signals`.
    pub signals: Recording,
    /// Table `gridlock`; its interval only says whether it is on.
    pub gridlock: Recording,
    /// Table `crossings`; its interval only says whether it is on.
    pub crossings: Recording,
    /// Table `persons`; its interval only says whether it is on.
    pub persons: Recording,
    /// Table `households`; its interval only says whether it is on.
    pub households: Recording,
    /// Table `activity_presence`.
    pub activity_presence: Recording,
    /// Table `activities`; its interval only says whether it is on, as for those that follow.
    pub activities: Recording,
    /// Table `tours`.
    pub tours: Recording,
    /// Table `legs`.
    pub legs: Recording,
    /// Table `od`.
    pub od: Recording,
    /// Table `skims`.
    pub skims: Recording,
    /// Table `accessibility`.
    pub accessibility: Recording,
    /// Table `feedback`.
    pub feedback: Recording,
    /// Table `transit_load`.
    pub transit_load: Recording,
    /// Smallest number of simulated people or trips that a row may stand for.
    pub smallest_group: u64,
    /// Table `parking`.
    pub parking: Recording,
    /// Table `bus_state`.
    pub bus_state: Recording,
    /// Table `branch_state`.
    pub branch_state: Recording,
    /// Table `substation_load`.
    pub substation_load: Recording,
    /// Table `energy_balance`.
    pub energy_balance: Recording,
    /// Table `bills`; its interval only says whether it is on.
    pub bills: Recording,
    /// Table `network_element`; its interval only says whether it is on.
    pub network_element: Recording,
    /// Table `outages`; its interval only says whether it is on.
    pub outages: Recording,
    /// Table `water_node`.
    pub water_node: Recording,
    /// Table `water_link`.
    pub water_link: Recording,
    /// Table `tank`.
    pub tank: Recording,
    /// Table `gas_node`.
    pub gas_node: Recording,
    /// Table `gas_link`.
    pub gas_link: Recording,
    /// Table `heat_node`.
    pub heat_node: Recording,
    /// Table `heat_link`.
    pub heat_link: Recording,
    /// Table `sewer_node`.
    pub sewer_node: Recording,
    /// Table `service`.
    pub service: Recording,
    /// Table `utility_balance`.
    pub utility_balance: Recording,
    /// Table `exposure`; its interval is an hour.
    pub exposure: Recording,
    /// Table `events`; its interval only says whether it is on.
    pub events: Recording,
    /// Table `payments`; its interval only says whether it is on.
    pub payments: Recording,
    /// Table `emergency_call`; its interval only says whether it is on.
    pub emergency_call: Recording,
    /// Table `evacuation`; its interval only says whether it is on.
    pub evacuation: Recording,
}

/// Sums over the whole period that no single row holds.
#[derive(Clone, Debug, Default, Resource)]
pub struct PeriodSums {
    /// Vehicles that crossed the border on the road, inward and outward.
    pub border_in_veh: u64,
    /// See `border_in_veh`.
    pub border_out_veh: u64,
    /// Way driven inside the area, vehicle metres.
    pub driven_m: f64,
    /// Time driven inside the area, vehicle seconds.
    pub driven_s: f64,
    /// The same if everybody had driven at free speed.
    pub free_s: f64,
    /// Fuel burnt and emissions inside the area.
    pub emission: Emission,
    /// Vehicles on the road and persons in buildings, and watts by sector, every quarter of an hour: end
    /// of the quarter as tick.
    pub curve: Vec<CurvePoint>,
    energy_before_j: Vec<f64>,
    zone_before_j: Vec<f64>,
}

/// The city at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct CurvePoint {
    /// Tick at whose end it was taken.
    pub tick: Tick,
    /// Vehicles on the road.
    pub on_road_veh: u64,
    /// Persons in buildings of the city.
    pub present: u64,
    /// Power by sector, watts, in order of [`Sector::ALL`].
    pub sector_w: [f64; 4],
}

/// Ticks between points of the curve.
const CURVE_TICKS: Tick = 900;

/// Writes `link_state` and adds up the border.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn links(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    network: Res<'_, CarNetwork>,
    traffic: Res<'_, Traffic>,
    recorders: Res<'_, Recorders>,
    factors: Res<'_, EmissionFactors>,
    mut stats: ResMut<'_, LinkStats>,
    mut sums: ResMut<'_, PeriodSums>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let every = recorders.link_state.every.unwrap_or(DEFAULT_LINK_INTERVAL);
    let is_due = clock.ends_interval(every) || !clock.has_next();
    if !is_due || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let measured = stats.take_interval(traffic.engine());
    let roads = network.by_city(&measured);
    let of = &*roads.interval;
    let interval_s = f64::from(of.end - of.start);
    let time = TimeMs(clock.utc_ms(of.start));
    // Everybody counts as a car of the fleet's mean until trips say what vehicle they take.
    const ALL_CARS: [f64; emissions::CLASSES] = [1.0, 0.0, 0.0, 0.0, 0.0];
    let travel = emissions::travel(of, roads.length_m, &ALL_CARS);
    let mut emitted = Emissions::default();
    factors.0.links(&travel, &mut emitted);
    let mut write = || -> Result<()> {
        for (row, &link) in roads.city_link.iter().enumerate() {
            let link = link.row();
            let is_idle = of.entered[row] == 0 && of.left[row] == 0 && of.vehicles_end[row] == 0;
            if is_idle && of.vehicles_mean[row] <= 0.0 {
                continue;
            }
            let links = &city.links;
            let left = f64::from(of.left[row]);
            let emission = emitted.link(row);
            if links.class[link] != RoadClass::External {
                sums.emission.add_scaled(&emission, 1.0);
            }
            let ends = (city.nodes.external[links.from[link].row()], city.nodes.external[links.to[link].row()]);
            match ends {
                (true, false) => sums.border_in_veh += u64::from(of.left[row]),
                (false, true) => sums.border_out_veh += u64::from(of.entered[row]),
                _ => {}
            }
            if links.class[link] != RoadClass::External {
                sums.driven_m += left * links.length_m[link];
                sums.driven_s += of.travel_time_s_sum[row];
                sums.free_s += left * links.length_m[link] / links.speed_mps_free[link];
            }
            if recorders.link_state.every.is_none() || !recorders.link_state.covers(links.zone[link]) {
                continue;
            }
            let mean_s = (of.left[row] > 0).then(|| of.travel_time_s_sum[row] / left);
            writer.link_state(&LinkStateRow {
                time,
                interval_s,
                link_id: &links.id[link],
                entered_veh: u64::from(of.entered[row]),
                left_veh: u64::from(of.left[row]),
                travel_time_s: mean_s,
                speed_mps: mean_s.map(|seconds| links.length_m[link] / seconds),
                density_vpm: of.vehicles_mean[row] / links.length_m[link],
                queue_veh: u64::from(of.queue_end[row]),
                occupancy_veh: u64::from(of.vehicles_end[row]),
                delay_s: (of.travel_time_s_sum[row] - left * to_seconds(roads.free_time[row])).max(0.0),
                fuel_kg: emission.fuel_kg,
                co2_kg: emission.co2_kg,
                nox_g: emission.nox_g,
                pm_g: emission.pm_exhaust_g + emission.pm_wear_g,
                electricity_wh: emission.electricity_kwh * 1000.0,
            })?;
        }
        Ok(())
    };
    fault.keep(write());
}

/// Writes `presence`: people in buildings at the end of the interval.
pub fn presence(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    people: Res<'_, People>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if !recorders.presence.is_due(&clock) || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let time = TimeMs(clock.utc_ms(clock.tick() + 1));
    let mut write = || -> Result<()> {
        for row in 0..city.buildings.len() {
            let zone = city.buildings.zone[row];
            let is_told = people.present[row] > 0 && u64::from(people.present[row]) >= recorders.smallest_group;
            if is_told && recorders.presence.covers(zone) {
                writer.presence(&PresenceRow {
                    time,
                    building_id: &city.buildings.id[row],
                    zone_id: &city.zones.id[zone.row()],
                    persons: u64::from(people.present[row]),
                })?;
            }
        }
        Ok(())
    };
    fault.keep(write());
}

/// What people from outside and residents of an age are called in `activity_presence`.
fn group_of(persons: &Persons, row: usize) -> &'static str {
    match (persons.kind[row], persons.age_class[row]) {
        (PersonKind::Resident, 0) => "children",
        (PersonKind::Resident, 1..=3) => "adults",
        (PersonKind::Resident, _) => "older",
        (kind, _) => kind.name(),
    }
}

/// Writes `activity_presence`: people by zone, activity and group at the end of the interval.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn activity_presence(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    places: Res<'_, Places>,
    persons: Res<'_, Persons>,
    plans: Res<'_, Plans>,
    people: Res<'_, People>,
    model: Res<'_, PopulationModel>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if !recorders.activity_presence.is_due(&clock) || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let time = TimeMs(clock.utc_ms(clock.tick() + 1));
    let mut counts: BTreeMap<(ZoneIx, &str, &str), u64> = BTreeMap::new();
    for person in persons.indices() {
        let (what, at) = people.doing(&persons, &plans, person);
        let zone = places.zone[at.row()];
        if zone.is_some() && recorders.activity_presence.covers(zone) {
            *counts.entry((zone, what, group_of(&persons, person.row()))).or_default() += 1;
        }
    }
    let scale = 1.0 / model.sample_factor;
    let mut small: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut write = || -> Result<()> {
        for (&(zone, activity, group), &count) in &counts {
            if count < recorders.smallest_group {
                *small.entry((activity, group)).or_default() += count;
                continue;
            }
            let (zone_id, persons) = (Some(city.zones.id[zone.row()].as_str()), count as f64 * scale);
            writer.activity_presence(&ActivityPresenceRow { time, zone_id, activity, group, persons })?;
        }
        for (&(activity, group), &count) in &small {
            let persons = count as f64 * scale;
            writer.activity_presence(&ActivityPresenceRow { time, zone_id: None, activity, group, persons })?;
        }
        Ok(())
    };
    fault.keep(write());
}

/// Writes `building_load` and `zone_load`, and a point of the day's curve.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn loads(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    traffic: Res<'_, Traffic>,
    buildings: Res<'_, BuildingLoads>,
    zones: Res<'_, ZoneLoads>,
    recorders: Res<'_, Recorders>,
    mut sums: ResMut<'_, PeriodSums>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    if fault.is_set() {
        return;
    }
    if clock.ends_interval(CURVE_TICKS) {
        let present = people.present[..places.buildings()].iter().map(|&count| u64::from(count)).sum();
        let point = CurvePoint {
            tick: clock.tick(),
            on_road_veh: traffic.counts().on_road,
            present,
            sector_w: zones.by_sector_w(),
        };
        sums.curve.push(point);
    }
    writer.at_tick(clock.tick());
    let PeriodSums { energy_before_j, zone_before_j, .. } = &mut *sums;
    if recorders.building_load.is_due(&clock) {
        fault.keep(building_rows(
            &clock,
            &city,
            &buildings,
            &zones,
            &recorders.building_load,
            energy_before_j,
            &mut writer,
        ));
    }
    if recorders.zone_load.is_due(&clock) {
        fault.keep(zone_rows(&clock, &city, &zones, &recorders.zone_load, zone_before_j, &mut writer));
    }
}

/// Energy since the last call, joules; the first call counts from zero.
fn energy_since(before_j: &mut Vec<f64>, now_j: &[f64]) -> Vec<f64> {
    before_j.resize(now_j.len(), 0.0);
    let since = now_j.iter().zip(before_j.iter()).map(|(now, before)| now - before).collect();
    before_j.copy_from_slice(now_j);
    since
}

fn building_rows(
    clock: &Clock,
    city: &City,
    buildings: &BuildingLoads,
    zones: &ZoneLoads,
    recording: &Recording,
    before_j: &mut Vec<f64>,
    writer: &mut ResultsWriter,
) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    for (row, energy_j) in energy_since(before_j, &zones.building_j).into_iter().enumerate() {
        let zone = city.buildings.zone[row];
        if recording.covers(zone) {
            writer.building_load(&BuildingLoadRow {
                time,
                interval_s,
                building_id: &city.buildings.id[row],
                zone_id: &city.zones.id[zone.row()],
                sector: buildings.sector[row].name(),
                p_w: energy_j / interval_s,
                energy_wh: energy_j / 3600.0,
            })?;
        }
    }
    Ok(())
}

fn zone_rows(
    clock: &Clock,
    city: &City,
    zones: &ZoneLoads,
    recording: &Recording,
    before_j: &mut Vec<f64>,
    writer: &mut ResultsWriter,
) -> Result<()> {
    let (time, interval_s) = recording.interval(clock);
    for (cell, energy_j) in energy_since(before_j, &zones.served_j).into_iter().enumerate() {
        let zone = ZoneIx((cell / Sector::ALL.len()) as u32);
        if recording.covers(zone) {
            writer.zone_load(&ZoneLoadRow {
                time,
                interval_s,
                zone_id: &city.zones.id[zone.row()],
                sector: Sector::ALL[cell % Sector::ALL.len()].name(),
                p_w: energy_j / interval_s,
                energy_wh: energy_j / 3600.0,
            })?;
        }
    }
    Ok(())
}

/// Writes `ledgers` every hour and at the end.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn ledgers(
    clock: Res<'_, Clock>,
    persons: Res<'_, Persons>,
    places: Res<'_, Places>,
    people: Res<'_, People>,
    traffic: Res<'_, Traffic>,
    zones: Res<'_, ZoneLoads>,
    recorders: Res<'_, Recorders>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    let is_due = clock.ends_interval(LEDGER_TICKS) || !clock.has_next();
    if !is_due || recorders.ledgers.every.is_none() || fault.is_set() {
        return;
    }
    writer.at_tick(clock.tick());
    let counts = traffic.audit().0;
    let sum = |part: &[u32]| part.iter().map(|&count| f64::from(count)).sum::<f64>();
    let (inside, outside) = people.present.split_at(places.buildings());
    let rows = [
        (name::VEHICLES, term::REQUESTED, counts.requested as f64, "vehicles"),
        (name::VEHICLES, term::ENTERED, counts.entered as f64, "vehicles"),
        (name::VEHICLES, term::ARRIVED, counts.arrived as f64, "vehicles"),
        (name::VEHICLES, term::ON_ROAD, counts.on_road as f64, "vehicles"),
        (name::VEHICLES, term::WAITING, counts.waiting as f64, "vehicles"),
        (name::VEHICLES, term::REJECTED, counts.rejected as f64, "vehicles"),
        (name::PERSONS, term::TOTAL, persons.len() as f64, "persons"),
        (name::PERSONS, term::IN_BUILDINGS, sum(inside), "persons"),
        (name::PERSONS, term::TRAVELLING, f64::from(people.travelling), "persons"),
        (name::PERSONS, term::OUTSIDE, sum(outside), "persons"),
        (name::ENERGY, term::SERVED, zones.total_served_j() / 3600.0, "Wh"),
        (name::ENERGY, term::SUM_OF_BUILDINGS, zones.total_drawn_j() / 3600.0, "Wh"),
    ];
    let time = TimeMs(clock.utc_ms(clock.tick() + 1));
    let mut write = || -> Result<()> {
        rows.iter().try_for_each(|&(ledger, term, value, unit)| {
            writer.ledgers(&LedgersRow { time, ledger, term, value, unit })
        })
    };
    fault.keep(write());
}

/// Writes `trips` after the last tick: every trip planned for the period.
///
/// # Errors
/// When the rows do not fit on disk.
#[allow(clippy::too_many_arguments)] // a recorder reads what it records
pub fn trips(
    clock: &Clock,
    city: &City,
    places: &Places,
    persons: &Persons,
    plans: &Plans,
    people: &People,
    traffic: &Traffic,
    recording: &Recording,
    writer: &mut ResultsWriter,
) -> Result<()> {
    if recording.every.is_none() {
        return Ok(());
    }
    let names = PlaceNames::new(city, places);
    let covers = |place: Place| recording.covers(places.zone[place.row()]);
    let waiting = traffic.engine().waiting_trips();
    for row in 0..plans.len() {
        let (from, to) = (plans.from[row], plans.to[row]);
        let is_planned = plans.planned[row] < clock.end() || people.started[row] != NEVER;
        if !is_planned || !(covers(from) || covers(to)) {
            continue;
        }
        let depart = if people.started[row] == NEVER { plans.planned[row] } else { people.started[row] };
        let has_ended = people.ended_ms[row] != u32::MAX;
        let is_waiting = waiting.binary_search(&TripIx(row as u32)).is_ok();
        let status = match (has_ended, people.started[row]) {
            (true, _) => "arrived",
            _ if people.is_rejected[row] => "rejected",
            (_, NEVER) => "not_started",
            _ if is_waiting => "waiting",
            _ => "travelling",
        };
        let depart_ms = i64::from(depart) * 1000;
        let arrive_ms = i64::from(people.ended_ms[row]);
        let PersonIx(person) = plans.person[row];
        writer.trips(&TripsRow {
            trip_id: row as i64,
            person_id: i64::from(person),
            person_kind: persons.kind[person as usize].name(),
            purpose: plans.purpose[row].name(),
            mode: plans.mode[row].name(),
            from_building: names.building(from),
            to_building: names.building(to),
            from_zone: names.zone(from),
            to_zone: names.zone(to),
            depart_time: TimeMs(clock.utc_ms(0) + depart_ms),
            arrive_time: has_ended.then(|| TimeMs(clock.utc_ms(0) + arrive_ms)),
            travel_time_s: has_ended.then(|| (arrive_ms - depart_ms) as f64 / 1000.0),
            wait_s: f64::from(people.wait_s[row]),
            distance_m: if has_ended { f64::from(people.distance_m[row]) } else { 0.0 },
            status,
        })?;
    }
    Ok(())
}
