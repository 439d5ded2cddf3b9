//! Emission factors from outside: recomputed by hand, plausible, additive, whole tables or clear errors.

use proptest::prelude::*;
use std::path::Path;
use urbis_city::table::Table;
use urbis_core::{Error, Result};
use urbis_traffic::emissions::{CLASSES, Emission, Emissions, Factors, Travel, travel};
use urbis_traffic::{LinkInterval, VehicleClass};

const FACTORS: &str = include_str!("../../../assets/emissions/factors.csv");
const FLEET: &str = include_str!("../../../assets/emissions/fleet.csv");
const FUELS: &str = include_str!("../../../assets/emissions/fuels.csv");

fn from(factors: &str, fleet: &str, fuels: &str) -> Result<Factors> {
    let table = |name: &str, text: &str| Table::from_bytes(Path::new(name), text.as_bytes());
    Factors::from_tables(&table("factors.csv", factors)?, &table("fleet.csv", fleet)?, &table("fuels.csv", fuels)?)
}

/// A fleet whose classes have one technology each, as far as the default one has it.
fn pure(class: &str, fuel: &str, technology: &str) -> Factors {
    let mut fleet = String::from("class,fuel,technology,share\n");
    for (name, fallback) in [
        ("car", "petrol,Euro 6"),
        ("van", "diesel,Euro 6"),
        ("truck", "diesel,Euro VI"),
        ("bus", "diesel,Euro VI"),
        ("motorcycle", "petrol,Euro 3"),
    ] {
        if name == class {
            fleet += &format!("{name},{fuel},{technology},1\n");
        } else {
            fleet += &format!("{name},{fallback},1\n");
        }
    }
    from(FACTORS, &fleet, FUELS).unwrap()
}

fn litres_per_100_km(factors: &Factors, class: VehicleClass, speed_kmh: f64, density: f64) -> f64 {
    factors.per_km(class, speed_kmh / 3.6).fuel_kg / density * 100.0
}

fn values(e: &Emission) -> [f64; 7] {
    [e.fuel_kg, e.co2_kg, e.nox_g, e.pm_exhaust_g, e.pm_wear_g, e.energy_kwh, e.electricity_kwh]
}

#[track_caller]
fn assert_near(a: &Emission, b: &Emission, relative: f64) {
    for (a, b) in values(a).into_iter().zip(values(b)) {
        assert!((a - b).abs() <= relative * a.abs().max(b.abs()) + 1e-15, "{a} and {b}");
    }
}

#[test]
fn fuel_is_that_of_the_published_curves() {
    // TAG data book A1.3.8: litres per km = a / v + b + c v + d v^2.
    for (class, name, fuel, technology, [a, b, c, d], density, co2) in [
        (
            VehicleClass::Car,
            "car",
            "petrol",
            "Euro 6",
            [1.119322393, 0.04400477, -8.13834e-5, 2.44908e-6],
            0.7475,
            2.31,
        ),
        (
            VehicleClass::Car,
            "car",
            "diesel",
            "Euro 5",
            [0.49214556, 0.062181967, -0.000590984, 4.64689e-6],
            0.8325,
            2.64,
        ),
        (
            VehicleClass::Truck,
            "truck",
            "diesel",
            "Euro V",
            [1.431445529, 0.258021379, -0.003906637, 3.36231e-5],
            0.8325,
            2.64,
        ),
        (
            VehicleClass::Bus,
            "bus",
            "diesel",
            "Euro VI",
            [5.980054953, 0.245278327, -0.003064986, 3.06148e-5],
            0.8325,
            2.64,
        ),
    ] {
        let factors = pure(name, fuel, technology);
        for (v, tolerance) in [(5.0, 1e-9), (12.5, 1e-9), (30.0, 1e-9), (50.1, 1e-4), (71.3, 1e-4), (90.0_f64, 1e-9)] {
            let litres = a / v + b + c * v + d * v * v;
            let emission = factors.per_km(class, v / 3.6);
            assert!((emission.fuel_kg / density - litres).abs() < tolerance * litres, "{name} {fuel} at {v} km/h");
            assert!((emission.co2_kg - litres * co2).abs() < tolerance * litres * co2, "{name} {fuel} at {v} km/h");
        }
    }
}

#[test]
fn a_town_is_plausible() {
    let (petrol, diesel) = (pure("car", "petrol", "Euro 5"), pure("car", "diesel", "Euro 5"));
    let car = |factors: &Factors, v: f64, density| litres_per_100_km(factors, VehicleClass::Car, v, density);
    assert!((6.0..8.0).contains(&car(&petrol, 50.0, 0.7475)), "{}", car(&petrol, 50.0, 0.7475));
    assert!((4.5..7.0).contains(&car(&diesel, 50.0, 0.8325)), "{}", car(&diesel, 50.0, 0.8325));
    // Dearest when slow, cheapest at a steady pace, dearer again on the motorway.
    for (factors, density) in [(&petrol, 0.7475), (&diesel, 0.8325)] {
        let [jam, town, steady, fast] = [8.0, 25.0, 65.0, 130.0].map(|v| car(factors, v, density));
        assert!(jam > town && town > steady && fast > steady, "{jam} {town} {steady} {fast}");
    }
    let electric = pure("car", "electric", "battery");
    let kwh = [10.0, 40.0, 120.0].map(|v: f64| electric.per_km(VehicleClass::Car, v / 3.6).electricity_kwh);
    assert!(kwh[1] < kwh[0] && kwh[1] < kwh[2] && (0.1..0.2).contains(&kwh[1]), "{kwh:?}");
    // Newer stages emit less; a bus or truck more than a car.
    // (At town speeds catalysts of Euro V trucks stay cold and they are no better than Euro III, as measured.)
    let nox = |class, name: &str, stage: &str, v: f64| pure(name, "diesel", stage).per_km(class, v / 3.6).nox_g;
    for (class, name, v) in [(VehicleClass::Truck, "truck", 80.0), (VehicleClass::Bus, "bus", 30.0)] {
        let stages = ["Euro III", "Euro V", "Euro VI"].map(|stage| nox(class, name, stage, v));
        assert!(stages[0] > stages[1] && stages[1] > 3.0 * stages[2], "{name}: {stages:?}");
    }
    assert!(nox(VehicleClass::Car, "car", "Euro 6", 30.0) < nox(VehicleClass::Car, "car", "Euro 5", 30.0));
    let fleet = Factors::default();
    for v in [15.0, 30.0, 50.0, 80.0] {
        let [car, truck, bus] =
            [VehicleClass::Car, VehicleClass::Truck, VehicleClass::Bus].map(|class| fleet.per_km(class, v / 3.6));
        assert!(truck.co2_kg > 2.0 * car.co2_kg && bus.co2_kg > 2.0 * car.co2_kg && truck.nox_g > car.nox_g);
        assert!((0.1..0.35).contains(&car.co2_kg) && (0.05..1.0).contains(&car.nox_g), "{car:?}");
    }
}

#[test]
fn pollutants_are_those_of_the_published_functions() {
    let v = 45.0_f64;
    let at = |class, factors: &Factors| factors.per_km(class, v / 3.6);
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a}, expected {b}");
    // EMEP/EEA 2013 table 3-41: (a + c V + e V^2) / (1 + b V + d V^2).
    near(at(VehicleClass::Car, &pure("car", "petrol", "Euro 4")).nox_g, 0.106 - 1.58e-3 * v + 7.1e-6 * v * v);
    let diesel = at(VehicleClass::Car, &pure("car", "diesel", "Euro 4"));
    near(diesel.nox_g, 1.11 - 2.02e-2 * v + 1.48e-4 * v * v);
    near(diesel.pm_exhaust_g, 0.045 - 5.39e-4 * v + 3.48e-6 * v * v);
    near(
        at(VehicleClass::Bus, &pure("bus", "diesel", "Euro III")).nox_g,
        574.6479678867 * v.powf(-1.9594665035) + 51.998882069 * v.powf(-0.5618018982),
    );
    let motorcycle = at(VehicleClass::Motorcycle, &pure("car", "petrol", "Euro 6"));
    let grams = 85.1 - 3.33 * v + 7.82e-2 * v.powi(2) - 9.14e-4 * v.powi(3) + 5.41e-6 * v.powi(4) - 1.23e-8 * v.powi(5);
    near(motorcycle.fuel_kg, grams / 1000.0);
    near(motorcycle.co2_kg, grams / 1000.0 / 0.7475 * 2.31);
    // Wear: tyres, brakes, road, milligrams of PM10.
    let wear = 6.42 * (1.78 - 0.00974 * v) + 7.35 * (2.75 - 0.027 * v) + 7.5;
    near(diesel.pm_wear_g, wear / 1000.0);
    near(diesel.energy_kwh, diesel.fuel_kg * 43.0 / 3.6);
}

#[test]
fn electricity_follows_from_road_loads() {
    // Mass kg, rolling coefficient, drag area m2, auxiliaries kW, stop and go kW; as documented in docs/emissions.md.
    for (class, name, mass, rolling, area, auxiliaries, stops) in [
        (VehicleClass::Car, "car", 1750.0, 0.010, 0.65, 0.8, 0.6),
        (VehicleClass::Van, "van", 2800.0, 0.010, 1.6, 1.0, 1.0),
        (VehicleClass::Truck, "truck", 12_000.0, 0.007, 5.5, 3.0, 6.0),
        (VehicleClass::Bus, "bus", 15_000.0, 0.008, 6.0, 6.0, 9.0),
    ] {
        let factors = pure(name, "electric", "battery");
        for v in [8.0, 30.0, 80.0_f64] {
            let force_n = mass * 9.81 * rolling + 0.5 * 1.2 * area * (v / 3.6).powi(2);
            let kwh = force_n / 3600.0 / (0.85 * 0.9) + (auxiliaries + stops) / 0.9 / v;
            let emission = factors.per_km(class, v / 3.6);
            assert!((emission.electricity_kwh - kwh).abs() < 1e-3 * kwh, "{name} at {v}: {emission:?}, not {kwh}");
            assert_eq!(
                (emission.fuel_kg, emission.co2_kg, emission.nox_g, emission.pm_exhaust_g),
                (0.0, 0.0, 0.0, 0.0)
            );
            assert!(emission.pm_wear_g > 0.0 && emission.energy_kwh.to_bits() == emission.electricity_kwh.to_bits());
        }
    }
}

#[test]
fn a_fleet_is_the_mean_of_its_technologies() {
    let fleet = Factors::default();
    for (class, name) in VehicleClass::NAMED {
        for v in [2.0, 11.0, 47.0, 135.0] {
            let mut mean = Emission::default();
            for line in FLEET.lines().skip(1).filter(|line| line.starts_with(&format!("{name},"))) {
                let cells: Vec<&str> = line.split(',').collect();
                let share: f64 = cells[3].parse().unwrap();
                mean.add_scaled(&pure(name, cells[1], cells[2]).per_km(class, v / 3.6), share);
            }
            assert_near(&fleet.per_km(class, v / 3.6), &mean, 1e-12);
        }
    }
}

#[test]
fn standing_vehicles_run_by_the_hour_and_do_not_wear() {
    let fleet = Factors::default();
    for (class, name) in VehicleClass::NAMED {
        let hour = fleet.class(class, 0.0, 1.0);
        assert!(hour.pm_wear_g == 0.0 && hour.energy_kwh > 0.0, "{name}");
        assert_near(&fleet.class(class, 0.0, 2.5), &scaled(&hour, 2.5), 1e-12);
        // Nothing jumps where a range begins: engines per hour hold from standing to the slowest range.
        for v in [5.0, 10.0, 11.0, 12.0, 40.0, 90.0, 130.0] {
            assert_near(&fleet.class(class, v - 1e-9, 1.0), &fleet.class(class, v + 1e-9, 1.0), 1e-7);
        }
        assert_eq!(fleet.class(class, 0.0, 0.0), Emission::default(), "{name}");
    }
}

fn scaled(emission: &Emission, amount: f64) -> Emission {
    let mut sum = Emission::default();
    sum.add_scaled(emission, amount);
    sum
}

/// Travel on many links, some idle, some jammed.
fn many(links: usize) -> Vec<Travel> {
    let mut random = urbis_core::rng::Rng::new(7, 1, 2, 3);
    (0..links)
        .map(|_| {
            let vehicle_km: [f64; CLASSES] = std::array::from_fn(|_| (random.uniform() * 40.0 - 10.0).max(0.0));
            let mut travel = Travel::at_speed(vehicle_km, random.uniform() * 40.0);
            travel.vehicle_h[0] += (random.uniform() - 0.7).max(0.0);
            travel
        })
        .collect()
}

#[test]
fn columns_are_the_links_and_totals_their_sum_on_any_number_of_threads() {
    let (fleet, travel) = (Factors::default(), many(20_011));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut out = Emissions::default();
            fleet.links(&travel, &mut out);
            let total = out.total();
            (out, total)
        })
    };
    let (columns, total) = on(1);
    let mut sum = Emission::default();
    for (row, travel) in travel.iter().enumerate() {
        assert_eq!(columns.link(row), fleet.link_interval(travel));
        sum.add_scaled(&columns.link(row), 1.0);
    }
    assert_near(&total, &sum, 1e-12);
    let bits = |emission: &Emission| values(emission).map(f64::to_bits);
    for threads in [2, 3, 8, 16] {
        let (other, other_total) = on(threads);
        assert!((0..columns.len()).all(|row| bits(&other.link(row)) == bits(&columns.link(row))), "{threads}");
        assert_eq!(bits(&other_total), bits(&total), "{threads} threads");
    }
    // Columns are reused, and shrink.
    let mut out = columns;
    fleet.links(&travel[..3], &mut out);
    assert_eq!((out.len(), out.link(2)), (3, fleet.link_interval(&travel[2])));
}

#[test]
fn intervals_become_travel() {
    let interval = |start, end, entered: [u32; 2], left: [u32; 2], mean: [f64; 2]| LinkInterval {
        start,
        end,
        entered: entered.to_vec(),
        left: left.to_vec(),
        vehicles_mean: mean.to_vec(),
        ..LinkInterval::default()
    };
    let shares = [0.8, 0.1, 0.05, 0.03, 0.02];
    let length_m = [500.0, 250.0];
    let first = travel(&interval(0, 1800, [40, 8], [36, 0], [3.0, 6.0]), &length_m, &shares);
    let second = travel(&interval(1800, 3600, [20, 0], [24, 8], [1.0, 2.0]), &length_m, &shares);
    let both = travel(&interval(0, 3600, [60, 8], [60, 8], [2.0, 4.0]), &length_m, &shares);
    for link in 0..2 {
        for class in 0..CLASSES {
            let [a, b, c] = [&first, &second, &both].map(|travel| travel[link]);
            assert!((a.vehicle_km[class] + b.vehicle_km[class] - c.vehicle_km[class]).abs() < 1e-12);
            assert!((a.vehicle_h[class] + b.vehicle_h[class] - c.vehicle_h[class]).abs() < 1e-12);
        }
    }
    let cars = VehicleClass::Car as usize;
    assert!((both[0].vehicle_km[cars] - 60.0 * 0.5 * 0.8).abs() < 1e-12);
    assert!((both[0].vehicle_h[cars] - 2.0 * 0.8).abs() < 1e-12);
}

proptest! {
    #[test]
    fn emissions_are_finite_additive_and_scale(
        km in prop_oneof![Just(0.0), 1e-6..1e5],
        h in prop_oneof![Just(0.0), 1e-6..1e5],
        times in 1e-3..1e3,
        class in 0..CLASSES,
    ) {
        let fleet = Factors::default();
        let class = VehicleClass::NAMED[class].0;
        let emission = fleet.class(class, km, h);
        prop_assert!(values(&emission).iter().all(|value| value.is_finite() && *value >= 0.0), "{emission:?}");
        assert_near(&fleet.class(class, km * times, h * times), &scaled(&emission, times), 1e-9);
        let mut alone = Travel::default();
        alone.vehicle_km[class as usize] = km;
        alone.vehicle_h[class as usize] = h;
        prop_assert_eq!(fleet.link_interval(&alone), emission);
    }
}

fn listed(error: &Error) -> String {
    let Error::Input(problems) = error else { return error.to_string() };
    problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn bad_tables_say_what_is_wrong() {
    let swap = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for (factors, fleet, fuels, words) in [
        (
            swap(FACTORS, "car,petrol,*,fuel", "cart,petrol,*,fuel"),
            FLEET.into(),
            FUELS.into(),
            "row 1: class = cart, expected one of car, van",
        ),
        (
            swap(FACTORS, "l_per_km,rational", "kwh_per_km,rational"),
            FLEET.into(),
            FUELS.into(),
            "row 1: unit = kwh_per_km, expected a unit of fuel",
        ),
        (
            swap(FACTORS, "0.04400477", "-9"),
            FLEET.into(),
            FUELS.into(),
            "expected a factor from 0 to 1000000 at its speeds, got -",
        ),
        (
            swap(FACTORS, "1,5,130,,,DfT", "1,50,13,,,DfT"),
            FLEET.into(),
            FUELS.into(),
            "speed_kmh_max = 13, expected <= 300 and >= speed_kmh_min",
        ),
        (
            swap(FACTORS, "86,4.34359", "86,"),
            FLEET.into(),
            FUELS.into(),
            "check_speed_kmh = 86, expected check_speed_kmh and check_value, both or neither",
        ),
        (
            swap(FACTORS, "4.34359", "4.8"),
            FLEET.into(),
            FUELS.into(),
            "check_value = 4.8, expected what the coefficients give at 86 km/h",
        ),
        (
            swap(
                FACTORS,
                "power,574.6479678867,-1.9594665035,51.998882069,-0.5618018982,0",
                "power,574.6479678867,-1.9594665035,51.998882069,-0.5618018982,3",
            ),
            FLEET.into(),
            FUELS.into(),
            "c5 = 3, expected nothing or 0 for form power",
        ),
        (
            format!("{FACTORS}{}\n", FACTORS.lines().nth(1).unwrap()),
            FLEET.into(),
            FUELS.into(),
            "expected each class, fuel, technology and substance once",
        ),
        (
            FACTORS.lines().filter(|line| !line.starts_with("van,*,*,pm_road")).collect::<Vec<_>>().join("\n"),
            FLEET.into(),
            FUELS.into(),
            "van petrol Euro 6 has no factor for pm_road in factors.csv",
        ),
        (
            FACTORS.into(),
            swap(FLEET, "car,petrol,Euro 4,0.15", "car,petrol,Euro 4,0.25"),
            FUELS.into(),
            "shares of class car add up to 1.1",
        ),
        (
            FACTORS.into(),
            swap(FLEET, "car,petrol,Euro 4,0.15", "car,petrol,Euro 2,0.15"),
            FUELS.into(),
            "fleet.csv: row 1: car petrol Euro 2 has no factor for nox",
        ),
        (
            FACTORS.into(),
            swap(FLEET, "motorcycle,petrol,Euro 3,1", "bus,petrol,Euro 3,0"),
            FUELS.into(),
            "shares of class motorcycle add up to 0",
        ),
        (
            FACTORS.into(),
            FLEET.into(),
            swap(FUELS, "petrol,", "diesel,"),
            "fuels.csv row 2: fuel = diesel, expected each fuel once",
        ),
        (FACTORS.into(), FLEET.into(), swap(FUELS, "2.31", "2310"), "co2_kg_per_l = 2310, expected from 0 to 5"),
        (FACTORS.into(), FLEET.into(), FUELS.lines().take(2).collect::<Vec<_>>().join("\n"), "no row for diesel"),
        (swap(FACTORS, "substance", "pollutant"), FLEET.into(), FUELS.into(), "column `substance` is missing"),
    ] {
        let factors: String = factors;
        let text = listed(&from(&factors, &fleet, &fuels).err().unwrap_or_else(|| panic!("accepted: {words}")));
        assert!(text.contains(words), "{text}\ndoes not say: {words}");
    }
}

#[test]
fn folders_replace_what_they_have() {
    let folder = tempfile::tempdir().unwrap();
    let error = Factors::read(folder.path()).unwrap_err();
    assert!(listed(&error).contains("no emission table, expected one of factors.csv, fleet.csv, fuels.csv"));
    let fleet = FLEET.replace("car,electric,battery,0.05", "car,electric,battery,1");
    let others: Vec<&str> =
        fleet.lines().filter(|line| !line.starts_with("car,") || line.contains("electric")).collect();
    std::fs::write(folder.path().join("fleet.csv"), others.join("\n")).unwrap();
    let factors = Factors::read(folder.path()).unwrap();
    assert_eq!(
        factors.per_km(VehicleClass::Car, 10.0),
        pure("car", "electric", "battery").per_km(VehicleClass::Car, 10.0)
    );
    assert_eq!(
        factors.per_km(VehicleClass::Bus, 10.0),
        Factors::default().per_km(VehicleClass::Bus, 10.0),
        "what the folder does not change"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn mutated_tables_are_read_or_refused(which in 0..3usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6)) {
        let mut texts = [FACTORS, FLEET, FUELS].map(|text| text.as_bytes().to_vec());
        for (at, byte, kind) in edits {
            let text = &mut texts[which];
            if text.is_empty() { break; }
            let at = at.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, b"0123456789.,-e\n*\""[usize::from(byte) % 17]),
                2 => { text.remove(at); }
                _ => text.truncate(at),
            }
        }
        let table = |name: &str, at: usize| Table::from_bytes(Path::new(name), &texts[at]);
        if let (Ok(factors), Ok(fleet), Ok(fuels)) = (table("factors.csv", 0), table("fleet.csv", 1), table("fuels.csv", 2))
            && let Ok(factors) = Factors::from_tables(&factors, &fleet, &fuels)
        {
            for (class, _) in VehicleClass::NAMED {
                for speed_mps in [0.0, 3.0, 14.0, 60.0] {
                    let emission = factors.per_km(class, speed_mps);
                    prop_assert!(values(&emission).iter().all(|value| value.is_finite() && *value >= 0.0), "{:?}", emission);
                }
            }
        }
    }
}
