//! Indicators of a run, each beside the published figure for the same thing where the panel has one, so
//! that a planner sees at once how far to trust it. Counts are scaled up by the sample factor and, where
//! they are rates, to one day.

use crate::record::{CurvePoint, PeriodSums};
use crate::record_pipes::accounts;
use crate::tables::Kpi;
use bevy_ecs::world::World;
use urbis_city::model::{City, PanelRow};
use urbis_core::Clock;
use urbis_core::units::{HOURS_PER_YEAR, JOULES_PER_KWH};
use urbis_coupling::{FireWater, Floods, Services};
use urbis_population::plans::{Mode, Plans, Purpose};
use urbis_population::presence::NEVER;
use urbis_population::settings::PersonKind;
use urbis_population::simple_modes::PopulationModel;
use urbis_population::synthesis::jobs::Jobs;
use urbis_population::synthesis::residents::residents_by_zone;
use urbis_population::{People, Persons, Places, Sites};
use urbis_traffic::{GridlockReport, Traffic};
use urbis_utility::gas::city::CityGas;
use urbis_utility::heat::city::CityHeat;
use urbis_utility::power::{BuildingLoads, CityGrid, Devices, Sector, ZoneLoads};
use urbis_utility::sewer::city_sewer::CitySewer;
use urbis_utility::water::city::CityWater;
use urbis_utility::wiring::Utility;

/// Cities with more zones than this keep them off the first page.
const ZONES_ON_FIRST_PAGE: usize = 12;

/// Collects indicators with what they share.
pub(crate) struct Collector<'a> {
    city: &'a City,
    kpis: Vec<Kpi>,
}

impl Collector<'_> {
    pub(crate) fn add(&mut self, group: &str, indicator: &str, value: f64, unit: &str) -> &mut Kpi {
        let zone_id = self.city.manifest.name.clone();
        self.add_for(group, indicator, &zone_id, value, unit)
    }
    fn add_for(&mut self, group: &str, indicator: &str, zone_id: &str, value: f64, unit: &str) -> &mut Kpi {
        self.kpis.push(Kpi {
            group: group.to_owned(),
            indicator: indicator.to_owned(),
            zone_id: zone_id.to_owned(),
            value: if value.is_finite() { value } else { 0.0 },
            unit: unit.to_owned(),
            ..Kpi::default()
        });
        let last = self.kpis.len() - 1;
        &mut self.kpis[last]
    }
    fn published(&self, zone_id: &str, indicator: &str) -> Option<&PanelRow> {
        self.city.panel_latest(zone_id, indicator)
    }
    pub(crate) fn published_for_city(&self, indicator: &str) -> Option<&PanelRow> {
        self.published(&self.city.manifest.name, indicator)
    }
    /// What the panel has figures of for the whole city.
    pub(crate) fn indicators_for_city(&self) -> impl Iterator<Item = &str> {
        let name = &self.city.manifest.name;
        self.city.panel.iter().filter(move |row| row.zone_id == *name).map(|row| row.indicator.as_str())
    }
}

/// Puts a published figure beside an indicator.
pub(crate) fn beside(kpi: &mut Kpi, row: Option<&PanelRow>, to_unit: f64) {
    if let Some(row) = row {
        kpi.published = Some(row.value * to_unit);
        kpi.source = format!("{} ({})", row.source, row.period);
        kpi.quality = row.quality.name().to_owned();
    }
}

fn on_first_page(kpi: &mut Kpi) {
    kpi.headline = true;
}

/// All indicators of a finished run.
#[must_use]
pub fn collect(world: &World) -> Vec<Kpi> {
    let city = world.resource::<City>();
    let clock = world.resource::<Clock>();
    let mut collector = Collector { city, kpis: Vec::new() };
    let days = f64::from(clock.end()) / 86_400.0;
    let persons_each = 1.0 / world.resource::<PopulationModel>().sample_factor;
    people(&mut collector, world, persons_each);
    movement(&mut collector, world, persons_each, days);
    crate::kpis_travel::travel(&mut collector, world, days);
    electricity(&mut collector, world, days);
    devices(&mut collector, world);
    grid(&mut collector, world);
    pipes(&mut collector, world, persons_each);
    crate::record_exposure::kpis(&mut collector, world);
    crate::record_events::kpis(&mut collector, world);
    crate::record_evacuation::kpis(&mut collector, world, persons_each);
    crate::record_evacuation::gathering_kpis(&mut collector, world, persons_each);
    crate::record_policies::revenue(&mut collector, world, persons_each, days);
    crate::record_bills::kpis(&mut collector, world, days);
    crate::record_emergency::responses(&mut collector, world, days);
    crate::kpis_checkup::checkup(&mut collector, world);
    collector.kpis
}

fn people(collector: &mut Collector<'_>, world: &World, persons_each: f64) {
    let (city, persons, places) = (collector.city, world.resource::<Persons>(), world.resource::<Places>());
    let count = |kind| persons.kind.iter().filter(|&&of| of == kind).count() as f64 * persons_each;
    let row = collector.published_for_city("residents").cloned();
    let kpi = collector.add("people", "residents", count(PersonKind::Resident), "persons");
    beside(kpi, row.as_ref(), 1.0);
    on_first_page(kpi);
    let households =
        persons.household.iter().filter(|&&of| of != u32::MAX).max().map_or(0.0, |&last| f64::from(last) + 1.0);
    let row = collector.published_for_city("households").cloned();
    beside(collector.add("people", "households", households * persons_each, "households"), row.as_ref(), 1.0);
    let jobs = world.resource::<Jobs>();
    let row = collector.published_for_city("jobs").cloned();
    let all_jobs: u32 = jobs.jobs.iter().sum();
    let kpi = collector.add("people", "jobs", f64::from(all_jobs), "jobs");
    beside(kpi, row.as_ref(), 1.0);
    on_first_page(kpi);
    for (kind, name) in PersonKind::NAMED.into_iter().skip(1) {
        if count(kind) > 0.0 {
            collector.add("people", &format!("{name}s_on_the_day"), count(kind), "persons");
        }
    }
    let dwellings: u32 = city.buildings.dwellings.iter().sum();
    let row = collector.published_for_city("dwellings").cloned();
    beside(collector.add("people", "dwellings", f64::from(dwellings), "dwellings"), row.as_ref(), 1.0);
    if let Some(&ratio) = city.manifest.figures.get("dwellings_rule_ratio") {
        let kpi = collector.add("people", "dwellings_by_floor_area_rule", ratio * f64::from(dwellings), "dwellings");
        beside(kpi, row.as_ref(), 1.0);
        on_first_page(kpi);
    }

    let wanted = residents_by_zone(city);
    let mut residents = vec![0.0; city.zones.len()];
    for (person, home) in persons.home.iter().enumerate() {
        if persons.kind[person] == PersonKind::Resident {
            residents[places.zone[home.row()].row()] += persons_each;
        }
    }
    let mut jobs_by_zone = vec![0.0; city.zones.len()];
    for (building, &count) in jobs.jobs.iter().enumerate() {
        jobs_by_zone[city.buildings.zone[building].row()] += f64::from(count);
    }
    for (zone, id) in city.zones.id.iter().enumerate() {
        let row = collector.published(id, "residents").cloned();
        let share = collector.published(id, "residents_share").cloned();
        let kpi = collector.add_for("people", "residents", id, residents[zone], "persons");
        kpi.headline = city.zones.len() <= ZONES_ON_FIRST_PAGE;
        beside(kpi, row.as_ref(), 1.0);
        if row.is_none()
            && let Some(share) = share
        {
            beside(kpi, Some(&PanelRow { value: wanted[zone], ..share }), 1.0);
        }
        let row = collector.published(id, "jobs").cloned();
        let kpi = collector.add_for("people", "jobs", id, jobs_by_zone[zone], "jobs");
        kpi.headline = city.zones.len() <= ZONES_ON_FIRST_PAGE;
        beside(kpi, row.as_ref(), 1.0);
    }

    let curve = &world.resource::<PeriodSums>().curve;
    let clock = world.resource::<Clock>();
    let by_day = mean_present(curve, clock, 10.0, 17.0) * persons_each;
    let by_night = mean_present(curve, clock, 2.0, 5.0) * persons_each;
    let kpi = collector.add("people", "present_by_day_10h_17h", by_day, "persons");
    on_first_page(kpi);
    let kpi = collector.add("people", "present_by_night_2h_5h", by_night, "persons");
    on_first_page(kpi);
}

/// Local hour of the end of a curve point.
fn local_hour(clock: &Clock, point: &CurvePoint) -> f64 {
    f64::from(clock.local_second_of_day(point.tick)) / 3600.0
}

/// Mean persons in the city between two local hours.
fn mean_present(curve: &[CurvePoint], clock: &Clock, from_h: f64, to_h: f64) -> f64 {
    let within: Vec<f64> = curve
        .iter()
        .filter(|point| (from_h..to_h).contains(&local_hour(clock, point)))
        .map(|point| point.present as f64)
        .collect();
    within.iter().sum::<f64>() / within.len().max(1) as f64
}

/// The point with most vehicles on the road between two local hours.
fn peak(curve: &[CurvePoint], clock: &Clock, from_h: f64, to_h: f64) -> Option<CurvePoint> {
    curve
        .iter()
        .filter(|point| (from_h..to_h).contains(&local_hour(clock, point)))
        .copied()
        .max_by(|a, b| a.on_road_veh.cmp(&b.on_road_veh).then(b.tick.cmp(&a.tick)))
}

fn movement(collector: &mut Collector<'_>, world: &World, persons_each: f64, days: f64) {
    let (plans, people, places) = (world.resource::<Plans>(), world.resource::<People>(), world.resource::<Places>());
    let (sums, clock) = (world.resource::<PeriodSums>(), world.resource::<Clock>());
    let counts = world.resource::<Traffic>().counts();

    let mut by_mode = [0.0; Mode::ALL.len()];
    let (mut internal_motorised, mut two_wheeler_crossings) = (0.0, 0.0);
    let (mut commute_s, mut commutes) = (0.0, 0.0_f64);
    for trip in (0..plans.len()).filter(|&trip| people.started[trip] != NEVER) {
        let mode = plans.mode[trip];
        let (from, to) = (plans.from[trip], plans.to[trip]);
        let outside = [from, to].iter().filter(|&&place| places.is_external(place)).count();
        by_mode[mode as usize] += 1.0;
        if mode.is_motorised() && outside == 0 {
            internal_motorised += 1.0;
        }
        if mode == Mode::TwoWheeler {
            // Counted where it is seen at the border: leaving when it starts, entering when it arrives.
            let seen = people.ended_ms[trip] != u32::MAX || places.is_external(to);
            two_wheeler_crossings += if seen { outside as f64 } else { 0.0 };
        }
        if plans.purpose[trip] == Purpose::Work && mode == Mode::Car && people.ended_ms[trip] != u32::MAX {
            commutes += 1.0;
            commute_s += f64::from(people.ended_ms[trip]) / 1000.0 - f64::from(people.started[trip]);
        }
    }
    let to_day = persons_each / days;
    if places.external_names.is_empty() {
        // Without a border there is nothing to count.
    } else {
        let on_road = (sums.border_in_veh + sums.border_out_veh) as f64;
        let row = collector.published_for_city("border_vehicle_crossings_both_directions").cloned();
        let all = (on_road + two_wheeler_crossings) * to_day;
        let kpi = collector.add("traffic", "border_vehicle_crossings_both_directions", all, "vehicles/day");
        beside(kpi, row.as_ref(), 1.0);
        on_first_page(kpi);
        collector.add("traffic", "border_crossings_cars_and_vans", on_road * to_day, "vehicles/day");
        collector.add("traffic", "border_crossings_two_wheelers", two_wheeler_crossings * to_day, "vehicles/day");
    }
    let row = collector.published_for_city("internal_motorised_trips").cloned();
    let kpi = collector.add("traffic", "internal_motorised_trips", internal_motorised * to_day, "trips/day");
    beside(kpi, row.as_ref(), 1.0);
    on_first_page(kpi);
    let trips: f64 = by_mode.iter().sum();
    let kpi = collector.add("traffic", "trips_all_modes", trips * to_day, "trips/day");
    on_first_page(kpi);
    for &mode in world.resource::<Sites>().modes() {
        let share = 100.0 * by_mode[mode as usize] / trips.max(1.0);
        collector.add("traffic", &format!("mode_share_{}", mode.name()), share, "percent");
    }
    let requested = counts.requested.max(1) as f64;
    let kpi = collector.add("traffic", "road_trips_arrived", 100.0 * counts.arrived as f64 / requested, "percent");
    on_first_page(kpi);
    collector.add("traffic", "road_trips", counts.requested as f64 * to_day, "trips/day");
    collector.add("traffic", "road_trips_rejected", counts.rejected as f64 * to_day, "trips/day");
    collector.add("traffic", "vehicles_waiting_at_the_end", counts.waiting as f64 * persons_each, "vehicles");
    collector.add("traffic", "vehicles_on_the_road_at_the_end", counts.on_road as f64 * persons_each, "vehicles");
    collector.add("traffic", "vehicle_kilometres", sums.driven_m / 1000.0 * to_day, "veh km/day");
    let speed = sums.driven_m / sums.driven_s.max(1.0) * 3.6;
    let kpi = collector.add("traffic", "mean_speed", speed, "km/h");
    on_first_page(kpi);
    collector.add("traffic", "travel_time_index", sums.driven_s / sums.free_s.max(1.0), "ratio");
    let kpi = collector.add("traffic", "mean_time_to_work_by_car", commute_s / commutes.max(1.0) / 60.0, "min");
    on_first_page(kpi);
    let gridlock = world.resource::<GridlockReport>();
    let kpi = collector.add("traffic", "gridlocks_found", gridlock.rows.len() as f64, "rings of links");
    // News only where there is some.
    kpi.headline = !gridlock.rows.is_empty();
    collector.add("traffic", "co2_exhaust", sums.emission.co2_kg / 1000.0 * to_day, "t/day");
    collector.add("traffic", "nox_exhaust", sums.emission.nox_g / 1000.0 * to_day, "kg/day");
    collector.add(
        "traffic",
        "particles",
        (sums.emission.pm_exhaust_g + sums.emission.pm_wear_g) / 1000.0 * to_day,
        "kg/day",
    );
    collector.add("traffic", "gridlock_released_moves", gridlock.released_moves() as f64, "vehicle moves");
    for (name, from_h, to_h) in
        [("morning", 6.0, 11.0), ("midday", 11.0, 15.0), ("evening", 15.0, 21.0), ("night", 0.0, 4.0)]
    {
        if let Some(point) = peak(&sums.curve, clock, from_h, to_h).filter(|point| point.on_road_veh > 0) {
            let vehicles = point.on_road_veh as f64 * persons_each;
            let kpi = collector.add("traffic", &format!("peak_vehicles_on_the_road_{name}"), vehicles, "vehicles");
            kpi.headline = true;
            let hour = local_hour(clock, &point);
            on_first_page(collector.add("traffic", &format!("peak_hour_{name}"), hour, "local hour"));
        }
    }
}

fn electricity(collector: &mut Collector<'_>, world: &World, days: f64) {
    let (zones, loads) = (world.resource::<ZoneLoads>(), world.resource::<BuildingLoads>());
    let curve = &world.resource::<PeriodSums>().curve;
    let day_of_year = 24.0 / HOURS_PER_YEAR;
    let gwh = |joules: f64| joules / JOULES_PER_KWH / 1e6 / days;
    let row = collector.published_for_city("electricity_use").cloned();
    let by_sector = Sector::ALL.map(|sector| collector.published_for_city(sector.panel_indicator()).cloned());
    // Sectors of one year belong to the total of that year, not to a newer rounded one.
    let year = by_sector.iter().flatten().map(|row| row.period.clone()).next();
    let same_year = collector.city.panel.iter().find(|row| {
        row.zone_id == collector.city.manifest.name
            && row.indicator == "electricity_use"
            && year.as_ref().is_some_and(|year| *year == row.period)
    });
    let row = same_year.cloned().or(row);
    let kpi = collector.add("power", "electricity_use_day", gwh(zones.total_served_j()), "GWh/day");
    beside(kpi, row.as_ref(), day_of_year);
    on_first_page(kpi);
    for (sector, joules) in Sector::ALL.into_iter().zip(zones.by_sector_j()) {
        let name = format!("electricity_use_day_{}", sector.name());
        let kpi = collector.add("power", &name, gwh(joules), "GWh/day");
        beside(kpi, by_sector[sector as usize].as_ref(), day_of_year);
        on_first_page(kpi);
        if loads.is_calibrated[sector as usize] {
            let name = format!("intensity_scale_{}", sector.name());
            collector.add("power", &name, loads.scale[sector as usize], "ratio to default");
        }
    }
    let peak_w = curve.iter().map(|point| point.sector_w.iter().sum::<f64>()).fold(0.0, f64::max);
    let row = collector.published_for_city("electricity_peak_load").cloned();
    let kpi = collector.add("power", "electricity_peak", peak_w / 1e6, "MW");
    beside(kpi, row.as_ref(), 1.0);
    on_first_page(kpi);
}

/// What devices behind meters did, where there are some.
fn devices(collector: &mut Collector<'_>, world: &World) {
    let Some(devices) = world.get_resource::<Devices>() else { return };
    let of = devices.energy();
    let mwh = |joules: f64| joules / JOULES_PER_KWH / 1000.0;
    for (name, joules) in [
        ("photovoltaics", of.generated_j),
        ("batteries_charged", of.charged_j),
        ("batteries_discharged", of.discharged_j),
        ("battery_losses", of.battery_losses_j),
        ("heat_pumps", of.heat_pump_j),
        ("load_put_off", of.put_off_j),
        ("load_curtailed", of.curtailed_j),
        ("cars_charged", of.charger.drawn_j),
        ("cars_not_charged", of.charger.unserved_j),
        ("cars_fed_back", of.charger.fed_back_j),
    ] {
        let kpi = collector.add("power", name, mwh(joules), "MWh");
        kpi.headline = joules > 0.0;
    }
    collector.add("power", "cars_turned_away_from_chargers", devices.chargers.turned_away as f64, "cars");
    if !devices.chargers.public().is_empty() {
        let of = &devices.chargers.queueing;
        let cars = of.served + of.left_without;
        collector.add("power", "cars_at_public_points", cars as f64, "cars").headline = cars > 0;
        collector.add("power", "cars_that_left_the_queue_uncharged", of.left_without as f64, "cars");
        let wait_min = of.waited_s / 60.0 / (cars as f64).max(1.0);
        collector.add("power", "mean_wait_for_a_public_point", wait_min, "min").headline = cars > 0;
    }
}

/// What the grid shows, where there is one.
fn grid(collector: &mut Collector<'_>, world: &World) {
    let Some(grid) = world.get_resource::<CityGrid>() else { return };
    let (energy, extremes) = (&grid.energy, &grid.extremes);
    let supplied_j = energy.source_j + energy.generated_j;
    let kpi = collector.add("power", "grid_losses", 100.0 * energy.lost_j / supplied_j.max(1.0), "percent");
    on_first_page(kpi);
    on_first_page(collector.add("power", "grid_lowest_voltage", extremes.vm_min_pu, "pu"));
    on_first_page(collector.add("power", "grid_highest_voltage", extremes.vm_max_pu, "pu"));
    on_first_page(collector.add("power", "grid_highest_loading", extremes.loading_max_percent, "percent"));
    collector.add("power", "grid_is_synthetic", f64::from(u8::from(grid.wiring().is_synthetic)), "1 or 0");
    collector.add("power", "grid_buses", grid.flow().grid().buses.len() as f64, "buses");
    let indices = grid.operation().indices(world.resource::<Clock>().end());
    collector.add("power", "grid_customers", f64::from(indices.customers), "customers");
    for (name, value, unit) in [
        ("saidi", indices.saidi_min, "min/customer"),
        ("saifi", indices.saifi, "interruptions/customer"),
        ("caidi", indices.caidi_min, "min/interruption"),
        ("maifi", indices.maifi, "interruptions/customer"),
    ] {
        // News only where there is some.
        collector.add("power", name, value, unit).headline = value > 0.0;
    }
    collector.add("power", "supply_availability", 100.0 * indices.asai, "percent");
    let kpi = collector.add("power", "grid_steps_not_converged", f64::from(grid.failed_steps()), "steps");
    kpi.headline = grid.failed_steps() > 0;
    collector.add("power", "grid_steps_out_of_control", f64::from(grid.unsettled_steps()), "steps");
    collector.add("power", "grid_tap_moves", f64::from(grid.tap_moves()), "moves");
    let kpi = collector.add("power", "electricity_not_supplied", energy.shed_j / JOULES_PER_KWH / 1000.0, "MWh");
    kpi.headline = energy.shed_j > 0.0;
}

/// What the networks of pipes show, and who went without, where there are any.
fn pipes(collector: &mut Collector<'_>, world: &World, persons_each: f64) {
    let (water, gas, heat) =
        (world.get_resource::<CityWater>(), world.get_resource::<CityGas>(), world.get_resource::<CityHeat>());
    for of in accounts(water, gas, heat, world.get_resource::<CitySewer>()) {
        let group = of.utility.name();
        let figure = |value: f64| of.in_unit(value);
        collector.add(group, &format!("{group}_supplied"), figure(of.books.supplied), of.unit);
        on_first_page(collector.add(group, &format!("{group}_served"), figure(of.books.served), of.unit));
        if of.utility != Utility::Sewer {
            let missing = figure(of.books.asked - of.books.served).max(0.0);
            collector.add(group, &format!("{group}_not_served"), missing, of.unit).headline =
                missing > 1e-6 * figure(of.books.asked);
        }
        let lost_share = of.books.lost / of.books.supplied.abs().max(f64::MIN_POSITIVE);
        collector.add(group, &format!("{group}_lost_share"), 100.0 * lost_share, "percent");
        collector.add(group, &format!("{group}_network_is_synthetic"), f64::from(u8::from(of.is_synthetic)), "1 or 0");
        let kpi = collector.add(group, &format!("{group}_steps_not_solved"), f64::from(of.failed_steps), "steps");
        kpi.headline = of.failed_steps > 0;
    }
    if let Some(floods) =
        world.get_resource::<Floods>().filter(|of| world.contains_resource::<CitySewer>() || !of.worst_m().is_empty())
    {
        let worst_m = floods.worst_m();
        collector.add("sewer", "streets_flooded", worst_m.len() as f64, "links").headline = !worst_m.is_empty();
        collector.add("sewer", "deepest_flood", worst_m.values().fold(0.0, |most, m| f64::max(most, *m)), "m");
    }
    if let Some(fires) = world.get_resource::<FireWater>().filter(|fires| fires.fires > 0) {
        collector.add("emergency", "buildings_on_fire", fires.fires as f64, "buildings");
        collector.add("emergency", "fire_water_asked", fires.asked_m3, "m3");
        collector.add("emergency", "fire_water_served", fires.served_m3, "m3");
        collector.add("emergency", "fires_short_of_water", fires.short as f64, "buildings").headline = fires.short > 0;
    }
    for of in world.get_resource::<Services>().map_or(&[][..], |services| &services.of) {
        let (name, hours) = (of.utility.name(), of.total_unserved_s as f64 / 3600.0 * persons_each);
        collector.add("service", &format!("person_hours_without_{name}"), hours, "person h").headline = hours > 0.0;
        let most = of.unserved_max as f64 * persons_each;
        collector.add("service", &format!("most_persons_without_{name}"), most, "persons").headline = most > 0.0;
    }
}
