//! Devices behind meters all together: the law of each building, ledgers, supply, threads, allocation.

use urbis_city::model::{BuildingUse, City};
use urbis_core::rng::Rng;
use urbis_core::{BuildingIx, ZoneIx};
use urbis_utility::power::devices::settings::{BatteryControl, ByUse, ChargerControl};
use urbis_utility::power::devices::{DeviceSettings, DeviceStep, Devices, Session};

/// 2024-06-20 22:00 UTC.
const START_S: i64 = 1_718_920_800;
const STEP_S: u32 = 900;

/// A town near 44 degrees north with buildings of all uses.
fn town(rows: usize) -> City {
    let mut city = City::default();
    city.manifest.bbox_deg = [7.0, 43.5, 8.0, 44.5];
    city.zones.id = vec!["z".into()];
    let table = &mut city.buildings;
    for row in 0..rows {
        let floors = 1.0 + (row % 6) as f64;
        table.id.push(format!("b{row}"));
        table.zone.push(ZoneIx(0));
        table.purpose.push(if row % 2 == 0 { BuildingUse::Residential } else { BuildingUse::NAMED[row % 10].0 });
        table.floors.push(floors);
        table.footprint_m2.push(100.0 + (row % 7) as f64 * 20.0);
        table.floor_area_m2.push(table.footprint_m2[row] * floors);
        table.dwellings.push((row % 5) as u32);
    }
    city
}

/// Every device at half of the buildings.
fn settings() -> DeviceSettings {
    let half = ByUse::all(0.5);
    let mut settings = DeviceSettings::default();
    settings.pv.share = half;
    settings.battery.share = half;
    settings.battery.is_only_with_pv = false;
    settings.battery.self_discharge_per_day = 0.02;
    settings.charger.share = half;
    settings.heat_pump.share = half;
    settings.response.share = half;
    settings.response.curtailable_share = 0.05;
    settings.tariff.hourly_per_kwh = (0..24).map(|hour| [0.1, 0.2, 0.35][hour / 3 % 3]).collect();
    settings
}

fn plug_in_cars(devices: &mut Devices, rows: u32) {
    for car in 0..rows {
        let mut rng = Rng::new(5, car, 0, 0);
        let arrival_s = START_S + i64::from(rng.below(60_000));
        let session = Session {
            arrival_s,
            departure_s: arrival_s + 600 + i64::from(rng.below(30_000)),
            wanted_j: 1e6 + 1e8 * rng.uniform(),
            power_max_w: 3700.0 + 7300.0 * rng.uniform(),
        };
        devices.plug_in(BuildingIx(rng.below(rows)), session);
    }
}

/// What changes from step to step: demand, prices, supply.
struct Day {
    demand_w: Vec<f64>,
    is_supplied: Vec<bool>,
    price_per_kwh: [f64; 24],
}

impl Day {
    fn new(rows: usize) -> Self {
        Self { demand_w: vec![0.0; rows], is_supplied: vec![true; rows], price_per_kwh: [0.0; 24] }
    }
    fn step(&mut self, devices: &mut Devices, quarter: u32) {
        for (row, demand) in self.demand_w.iter_mut().enumerate() {
            *demand = f64::from((row as u32 * 37 + quarter * 101) % 1500) + 100.0;
        }
        for (row, is_supplied) in self.is_supplied.iter_mut().enumerate() {
            *is_supplied = !(row % 3 == 0 && (50..60).contains(&quarter));
        }
        devices.settings().tariff.horizon(quarter * STEP_S % 86_400, &mut self.price_per_kwh);
        let step = DeviceStep {
            from_utc_ms: (START_S + i64::from(quarter * STEP_S)) * 1000,
            seconds: STEP_S,
            air_temp_c: 2.0 + f64::from(quarter % 96) / 10.0,
            ghi_w_per_m2: quarter.is_multiple_of(5).then_some(300.0),
            cloud_transmittance: 0.8,
            price_per_kwh: &self.price_per_kwh,
            grid_signal: if (70..75).contains(&quarter) { 0.7 } else { 0.0 },
            demand_w: &self.demand_w,
            is_supplied: &self.is_supplied,
        };
        devices.step(&step).unwrap();
    }
}

/// The law at every building and step, and the ledgers after each.
fn check_laws(settings: &DeviceSettings) {
    let rows = 200;
    let mut devices = Devices::new(&town(rows), settings, 7).unwrap();
    plug_in_cars(&mut devices, rows as u32);
    let mut day = Day::new(rows);
    for quarter in 0..192 {
        day.step(&mut devices, quarter);
        for row in 0..rows {
            let sum = day.demand_w[row] + devices.heat_pump_w[row] + devices.charging_w()[row] + devices.battery_w[row]
                - devices.pv_w[row]
                + devices.shifted_w[row];
            assert!((devices.net_w[row] - sum).abs() <= 1e-9 * sum.abs().max(1.0), "{quarter} {row}");
            if !day.is_supplied[row] {
                let off = devices.heat_pump_w[row].abs() + devices.charging_w()[row] + devices.pv_w[row];
                assert!(off + devices.shifted_w[row].abs() < 1e-12);
                let backup_w = -devices.battery_w[row];
                assert!(backup_w >= 0.0 && backup_w <= day.demand_w[row]);
                assert!(settings.battery.has_backup || backup_w < 1e-12);
            } else if !settings.battery.can_export && devices.battery_w[row] < 0.0 {
                assert!(devices.net_w[row] > -1e-6, "{quarter} {row}: a battery feeds the grid");
            }
        }
        let e = devices.energy();
        let close = |name: &str, left: f64, right: f64, size: f64| {
            assert!((left - right).abs() <= 1e-9 * size.max(1.0), "{quarter} {name}: {left} {right}");
        };
        let drawn_j = e.demand_j + e.heat_pump_j + e.charger.drawn_j + e.charged_j + e.paid_back_j;
        let net_j = drawn_j - e.discharged_j - e.generated_j - e.put_off_j - e.curtailed_j;
        close("net", e.net_j, net_j, drawn_j);
        close("battery", e.charged_j, e.stored_j + e.battery_losses_j + e.discharged_j, e.charged_j);
        close("response", e.put_off_j, e.paid_back_j + e.owed_j, e.put_off_j);
        close("charger", e.charger.drawn_j, e.charger.delivered_j + e.charger.losses_j, e.charger.drawn_j);
        let under_way_j: f64 = devices.chargers.active().iter().map(|stay| stay.session.wanted_j - stay.left_j).sum();
        let served_j = e.charger.wanted_j - e.charger.unserved_j;
        close("cars", e.charger.delivered_j, served_j + under_way_j, e.charger.delivered_j);
    }
    let e = devices.energy();
    for value in [e.generated_j, e.discharged_j, e.heat_j, e.put_off_j, e.curtailed_j, e.charger.delivered_j] {
        assert!(value > 1e6, "{e:?}");
    }
    assert_eq!(e.backup_j > 1e6, settings.battery.has_backup);
    assert!(e.unsupplied_j > 1e6 && e.charger.unserved_j > 0.0);
}

#[test]
fn the_law_and_the_ledgers_hold_at_every_step() {
    let mut all = settings();
    check_laws(&all);
    all.battery.has_backup = true;
    for control in [ChargerControl::Delayed, ChargerControl::Price, ChargerControl::Grid] {
        all.charger.control = control;
        all.battery.control = BatteryControl::Price;
        all.battery.can_export = !all.battery.can_export;
        check_laws(&all);
    }
}

/// One building under a constant sun: 2 kW of surplus charge until full, then go to the grid.
#[test]
fn a_constant_sun_fills_a_battery() {
    let mut all = DeviceSettings::default();
    all.pv.share = ByUse::all(1.0);
    all.battery.share = ByUse::all(1.0);
    all.battery.energy_kwh_per_dwelling = 4.75;
    all.battery.hours = 1.0;
    let mut devices = Devices::new(&town(1), &all, 1).unwrap();
    let step = DeviceStep {
        from_utc_ms: (START_S + 13 * 3600) * 1000,
        seconds: 3600,
        air_temp_c: 20.0,
        ghi_w_per_m2: Some(700.0),
        cloud_transmittance: 1.0,
        price_per_kwh: &[],
        grid_signal: 0.0,
        demand_w: &[0.0],
        is_supplied: &[],
    };
    // The same hour again and again, with a demand that leaves 2 kW.
    devices.step(&step).unwrap();
    let pv_w = devices.pv_w[0];
    assert!(pv_w > 3000.0, "{pv_w}");
    devices.batteries[0].stored_j = 0.0;
    let demand_w = [pv_w - 2000.0];
    // 2 kWh at 0.95 are 1.9 kWh an hour; 4.75 kWh take two and a half hours.
    for (battery_w, stored_kwh) in [(2000.0, 1.9), (2000.0, 3.8), (1000.0, 4.75), (0.0, 4.75)] {
        devices.step(&DeviceStep { demand_w: &demand_w, ..step }).unwrap();
        assert!((devices.battery_w[0] - battery_w).abs() < 1e-6, "{:?}", devices.battery_w);
        assert!((devices.net_w[0] - (battery_w - 2000.0)).abs() < 1e-6);
        assert!((devices.batteries[0].stored_j / 3.6e6 - stored_kwh).abs() < 1e-9);
    }
    // At night it gives 0.95 of it at 1 kW until it is empty.
    let night = DeviceStep { ghi_w_per_m2: Some(0.0), demand_w: &[1000.0], ..step };
    let given: f64 = (0..6).map(|_| devices.step(&night).map(|()| -devices.battery_w[0]).unwrap()).sum();
    assert!((given - 4750.0 * 0.95).abs() < 1e-6, "{given}");
}

#[test]
fn nothing_is_the_default_and_a_larger_share_only_adds() {
    let city = town(500);
    let mut none = Devices::new(&city, &DeviceSettings::default(), 7).unwrap();
    let mut day = Day::new(500);
    day.step(&mut none, 60);
    assert_eq!(none.net_w, day.demand_w);
    assert_eq!(
        none.plug_in(BuildingIx(0), Session { arrival_s: 0, departure_s: 1, wanted_j: 1.0, power_max_w: 1.0 }),
        None
    );
    let with = |share: f64| {
        let mut all = DeviceSettings::default();
        all.pv.share = ByUse::all(share);
        Devices::new(&city, &all, 7).unwrap().pv
    };
    let (some, more) = (with(0.3), with(0.6));
    assert!(some.iter().zip(&more).all(|(some, more)| some.rated_w <= 0.0 || some == more));
    let count = |arrays: &[urbis_utility::power::devices::pv::PvArray]| {
        arrays.iter().filter(|array| array.rated_w > 0.0).count()
    };
    assert!(
        (120..180).contains(&count(&some)) && (260..340).contains(&count(&more)),
        "{} {}",
        count(&some),
        count(&more)
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_no_allocation() {
    let rows = 10_000;
    let mut all = settings();
    all.battery.control = BatteryControl::Price;
    all.charger.control = ChargerControl::Price;
    let mut first = Devices::new(&town(rows), &all, 7).unwrap();
    plug_in_cars(&mut first, rows as u32);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut devices = first.clone();
        let mut day = Day::new(rows);
        pool.install(|| (0..96).for_each(|quarter| day.step(&mut devices, quarter)));
        let bits = |column: &[f64]| column.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
        let e = devices.energy();
        let totals = [e.net_j, e.generated_j, e.stored_j, e.heat_j, e.owed_j, e.charger.drawn_j];
        (bits(&devices.net_w), bits(&devices.battery_w), bits(devices.charging_w()), bits(&totals))
    };
    let alone = on(1);
    assert!([2, 3, 8].iter().all(|&threads| on(threads) == alone));
    // On one thread, as it is that thread's allocations that are counted; all cars have come by then.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut day = Day::new(rows);
    let counted = pool.install(|| {
        (0..80).for_each(|quarter| day.step(&mut first, quarter));
        allocation_counter::measure(|| (80..96).for_each(|quarter| day.step(&mut first, quarter))).count_total
    });
    assert_eq!(counted, 0);
}

#[test]
fn bad_steps_and_settings_are_refused_and_change_nothing() {
    let mut devices = Devices::new(&town(2), &settings(), 7).unwrap();
    let step = DeviceStep {
        from_utc_ms: START_S * 1000,
        seconds: 0,
        air_temp_c: f64::NAN,
        ghi_w_per_m2: Some(-1.0),
        cloud_transmittance: 0.5,
        price_per_kwh: &[f64::INFINITY],
        grid_signal: 2.0,
        demand_w: &[1.0],
        is_supplied: &[true; 3],
    };
    let text = format!("{:?}", devices.step(&step).unwrap_err());
    for part in [
        "seconds = 0, expected > 0",
        "air_temp_c = NaN",
        "ghi_w_per_m2 = -1, expected 0 to 2000",
        "price_per_kwh = inf",
        "grid_signal = 2, expected 0 to 1",
        "length of demand_w = 1, expected 2 buildings",
        "length of is_supplied = 3",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(devices.energy().demand_j.to_bits(), 0);
    let mut bad = settings();
    bad.battery.hours = 0.0;
    assert!(format!("{:?}", Devices::new(&town(2), &bad, 7).unwrap_err()).contains("battery.hours = 0"));
}
