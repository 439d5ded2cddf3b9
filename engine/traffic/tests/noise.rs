//! The road source of CNOSSOS-EU from outside: recomputed from the equations, and the laws of sound.

use proptest::prelude::*;
use std::path::Path;
use urbis_city::table::Table;
use urbis_core::{Error, Result};
use urbis_traffic::VehicleClass;
use urbis_traffic::emissions::{CLASSES, Travel};
use urbis_traffic::noise::{BANDS, Category, Junction, Noise, Road, SoundPower};

const NOISE: &str = include_str!("../../../assets/emissions/noise.csv");
const SURFACES: &str = include_str!("../../../assets/emissions/surfaces.csv");

// Table F-1 as amended by (EU) 2021/1226, typed in apart from the assets.
const CAR: [[f64; BANDS]; 4] = [
    [83.1, 89.2, 87.7, 93.1, 100.1, 96.7, 86.8, 76.2],
    [30.0, 41.5, 38.9, 25.7, 32.5, 37.2, 39.0, 40.0],
    [97.9, 92.5, 90.7, 87.2, 84.7, 88.0, 84.4, 77.1],
    [-1.3, 7.2, 7.7, 8.0, 8.0, 8.0, 8.0, 8.0],
];
const HEAVY: [[f64; BANDS]; 4] = [
    [91.7, 96.2, 98.2, 104.9, 105.1, 98.5, 91.1, 85.6],
    [30.0, 33.5, 31.3, 25.4, 31.8, 37.1, 38.6, 40.6],
    [108.8, 104.2, 103.5, 102.9, 102.6, 98.5, 93.8, 87.5],
    [0.0, 3.0, 4.6, 5.0, 5.0, 5.0, 5.0, 5.0],
];
const A_WEIGHTING: [f64; BANDS] = [-26.2, -16.1, -8.6, -3.2, 0.0, 1.2, 1.0, -1.1];

fn db(w: f64) -> f64 {
    10.0 * (w / 1e-12).log10()
}

/// Energy sum of levels.
fn plus(a: f64, b: f64) -> f64 {
    10.0 * (10.0_f64.powf(a / 10.0) + 10.0_f64.powf(b / 10.0)).log10()
}

fn levels(noise: &Noise, category: Category, speed_kmh: f64, road: &Road) -> [f64; BANDS] {
    noise.vehicle_w(category, speed_kmh / 3.6, road).map(db)
}

#[track_caller]
fn assert_levels(got: [f64; BANDS], expected: [f64; BANDS]) {
    for (got, expected) in got.into_iter().zip(expected) {
        assert!((got - expected).abs() < 1e-9, "{got} dB, expected {expected}");
    }
}

#[test]
fn one_vehicle_by_the_equations() {
    let noise = Noise::default();
    for (category, [ar, br, ap, bp], per_degree) in [(Category::Light, CAR, 0.08), (Category::Heavy, HEAVY, 0.04)] {
        for v in [5.0, 20.0, 47.0, 70.0, 118.0_f64] {
            for temperature_c in [20.0, 5.0] {
                let effective = v.max(20.0);
                let expected = std::array::from_fn(|i| {
                    let rolling = ar[i] + br[i] * (effective / 70.0).log10() + per_degree * (20.0 - temperature_c);
                    plus(rolling, ap[i] + bp[i] * (effective - 70.0) / 70.0)
                });
                assert_levels(levels(&noise, category, v, &Road { temperature_c, ..Road::default() }), expected);
            }
        }
    }
}

#[test]
fn a_street_by_the_equations() {
    // 800 cars and 40 trucks per hour at 50 and 40 km/h, 300 m.
    let mut street = Travel::default();
    let (hours, length_m) = (2.0, 300.0);
    for (class, per_hour, v) in [(VehicleClass::Car, 800.0, 50.0), (VehicleClass::Truck, 40.0, 40.0)] {
        street.vehicle_km[class as usize] = per_hour * hours * length_m / 1000.0;
        street.vehicle_h[class as usize] = street.vehicle_km[class as usize] / v;
    }
    let sound = Noise::default().link(&street, length_m, hours, &Road::default());
    let line = |[ar, br, ap, bp]: [[f64; BANDS]; 4], q: f64, v: f64, i: usize| {
        plus(ar[i] + br[i] * (v / 70.0).log10(), ap[i] + bp[i] * (v - 70.0) / 70.0) + 10.0 * (q / (1000.0 * v)).log10()
    };
    let expected = std::array::from_fn(|i| plus(line(CAR, 800.0, 50.0, i), line(HEAVY, 40.0, 40.0, i)));
    assert_levels(sound.bands_db().map(Option::unwrap), expected);
    let weighted = (0..BANDS).map(|i| expected[i] + A_WEIGHTING[i]).reduce(plus).unwrap();
    assert!((sound.a_weighted_db().unwrap() - weighted).abs() < 1e-9);
    // Sound power per metre of an ordinary town street.
    assert!((75.0..90.0).contains(&weighted), "{weighted}");
}

#[test]
fn laws_of_sound() {
    let noise = Noise::default();
    let street = |cars: f64, v: f64| {
        let mut km = [0.0; CLASSES];
        km[VehicleClass::Car as usize] = cars;
        noise.link(&Travel::at_speed(km, v / 3.6), 1000.0, 1.0, &Road::default())
    };
    let level = |sound: SoundPower| sound.a_weighted_db().unwrap();
    let twice = level(street(1000.0, 50.0)) - level(street(500.0, 50.0));
    assert!((twice - 10.0 * 2.0_f64.log10()).abs() < 1e-9, "{twice}");
    assert!(level(street(500.0, 100.0)) > level(street(500.0, 50.0)));
    assert_eq!((street(0.0, 50.0).a_weighted_db(), street(0.0, 50.0).bands_db()), (None, [None; BANDS]));
    // Vans sound like cars; buses and trucks louder; motorcycles have no tyres to hear.
    let at = |class| levels(&noise, Category::of(class), 50.0, &Road::default());
    assert_levels(at(VehicleClass::Van), at(VehicleClass::Car));
    let sum = |class| at(class).into_iter().reduce(plus).unwrap();
    assert!(sum(VehicleClass::Truck) > sum(VehicleClass::Bus) && sum(VehicleClass::Bus) > sum(VehicleClass::Car));
    let cold = Road { temperature_c: -10.0, ..Road::default() };
    assert_levels(levels(&noise, Category::Motorcycle, 50.0, &cold), at(VehicleClass::Motorcycle));
    // Between tabulated speeds.
    for step in 0..3000 {
        let v = 20.0 + f64::from(step) * 0.0931;
        let [ar, br, ap, bp] = HEAVY;
        let got = levels(&noise, Category::Heavy, v, &Road::default());
        for i in 0..BANDS {
            let expected = plus(ar[i] + br[i] * (v / 70.0).log10(), ap[i] + bp[i] * (v - 70.0) / 70.0);
            assert!((got[i] - expected).abs() < 0.01, "{v} km/h: {} dB, expected {expected}", got[i]);
        }
    }
    // Queues: those who stand sound like those who crawl, and there are more of them per metre.
    let mut queue = Travel::default();
    queue.vehicle_h[VehicleClass::Car as usize] = 5.0;
    let standing = noise.link(&queue, 100.0, 1.0, &Road::default());
    let one = noise.vehicle_w(Category::Light, 20.0 / 3.6, &Road::default());
    assert!((0..BANDS).all(|i| (standing.w_per_m[i] / (one[i] * 0.05) - 1.0).abs() < 1e-12));
}

#[test]
fn hills_junctions_and_surfaces() {
    let noise = Noise::default();
    let propulsion = |category: usize, change: f64, v: f64, i: usize| {
        let [ar, br, ap, bp] = [CAR, HEAVY][category];
        plus(ar[i] + br[i] * (v / 70.0).log10(), ap[i] + bp[i] * (v - 70.0) / 70.0 + change)
    };
    for (gradient, car_db, truck_db) in [
        (0.0, 0.0, 0.0),
        (0.02, 0.0, 2.0 / 0.8 * 0.6),
        (0.05, 3.0 / 1.5 * 0.6, 5.0 / 0.8 * 0.6),
        (0.2, 10.0 / 1.5 * 0.6, 12.0 / 0.8 * 0.6),
        (-0.05, 0.0, 1.0 / 0.5 * 0.5),
        (-0.3, 6.0, 8.0 / 0.5 * 0.5),
    ] {
        let road = Road { gradient, ..Road::default() };
        for (at, (category, change)) in [(Category::Light, car_db), (Category::Heavy, truck_db)].into_iter().enumerate()
        {
            let expected = std::array::from_fn(|i| propulsion(at, change, 60.0, i));
            assert_levels(levels(&noise, category, 60.0, &road), expected);
        }
    }
    let [ar, br, ap, bp] = CAR;
    for (kind, distance_m, rolling_db, propulsion_db) in [
        (Junction::Signals, 0.0, -4.5, 5.5),
        (Junction::Signals, 50.0, -2.25, 2.75),
        (Junction::Roundabout, 25.0, -3.3, 2.325),
        (Junction::Roundabout, 150.0, 0.0, 0.0),
    ] {
        let road = Road { junction: Some((kind, distance_m)), ..Road::default() };
        let expected = std::array::from_fn(|i| {
            let v: f64 = 40.0;
            plus(ar[i] + br[i] * (v / 70.0).log10() + rolling_db, ap[i] + bp[i] * (v - 70.0) / 70.0 + propulsion_db)
        });
        assert_levels(levels(&noise, Category::Light, 40.0, &road), expected);
    }
    // Two-layer porous asphalt, table F-4: it takes from both kinds of noise, and adds to rolling only.
    let surface = noise.surface("two_layer_porous_asphalt");
    let (alpha, beta) = ([1.6, 4.0, 0.3, -3.0, -4.0, -6.2, -4.8, -2.0], -3.0);
    let road = Road { surface, ..Road::default() };
    let expected = std::array::from_fn(|i| {
        let lg = (90.0_f64 / 70.0).log10();
        let rolling = ar[i] + br[i] * lg + alpha[i] + beta * lg;
        plus(rolling, ap[i] + bp[i] * 20.0 / 70.0 + f64::min(alpha[i], 0.0))
    });
    assert!(surface.is_some() && noise.surface("gravel").is_none() && noise.surfaces().count() == 14);
    assert_levels(levels(&noise, Category::Light, 90.0, &road), expected);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let noise = Noise::default();
    let mut random = urbis_core::rng::Rng::new(3, 1, 4, 1);
    let travel: Vec<Travel> = (0..9001)
        .map(|_| Travel::at_speed(std::array::from_fn(|_| random.uniform() * 9.0), random.uniform() * 30.0))
        .collect();
    let length_m: Vec<f64> = (0..travel.len()).map(|_| 20.0 + random.uniform() * 500.0).collect();
    let roads: Vec<Road> =
        (0..travel.len()).map(|_| Road { gradient: random.uniform() * 0.3 - 0.15, ..Road::default() }).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let sound = pool.install(|| noise.links(&travel, &length_m, 1.0, &roads));
        sound.iter().map(|sound| sound.w_per_m.map(f64::to_bits)).collect::<Vec<_>>()
    };
    let one = on(1);
    assert!([2, 3, 8, 16].iter().all(|&threads| on(threads) == one));
    let last = travel.len() - 1;
    assert_eq!(one[last], noise.link(&travel[last], length_m[last], 1.0, &roads[last]).w_per_m.map(f64::to_bits));
}

fn from(noise: &[u8], surfaces: &[u8]) -> Result<Noise> {
    let table = |name: &str, bytes: &[u8]| Table::from_bytes(Path::new(name), bytes);
    Noise::from_tables(&table("noise.csv", noise)?, &table("surfaces.csv", surfaces)?)
}

#[test]
fn bad_tables_say_what_is_wrong() {
    for (noise, surfaces, words) in [
        (
            NOISE.replacen("light,rolling_a_db", "bright,rolling_a_db", 1),
            SURFACES.into(),
            "noise.csv row 1: category = bright",
        ),
        (NOISE.replacen("89.2", "8920", 1), SURFACES.into(), "hz_125 = 8920, expected from -200 to 200"),
        (NOISE.replacen("rolling_b_db", "rolling_a_db", 1), SURFACES.into(), "each category and quantity once"),
        (
            NOISE.lines().filter(|line| !line.starts_with("heavy,propulsion_b")).collect::<Vec<_>>().join("\n"),
            SURFACES.into(),
            "category heavy needs propulsion_a_db and propulsion_b_db",
        ),
        (NOISE.into(), SURFACES.replacen("alpha_hz_63", "alpha_63", 1), "column `alpha_hz_63` is missing"),
        (NOISE.into(), SURFACES.replacen(",medium_heavy,", ",light,", 1), "each surface and category once"),
    ] {
        let (noise, surfaces): (String, String) = (noise, surfaces);
        let Err(Error::Input(problems)) = from(noise.as_bytes(), surfaces.as_bytes()) else {
            panic!("accepted: {words}");
        };
        let text = problems.listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains(words), "{text}\ndoes not say: {words}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(Noise::read(folder.path()).is_err());
    std::fs::write(folder.path().join("noise.csv"), NOISE.replacen("83.1", "93.1", 1)).unwrap();
    let louder = Noise::read(folder.path()).unwrap();
    let (was, is) = (Noise::default(), louder);
    let at = |noise: &Noise| levels(noise, Category::Light, 70.0, &Road::default());
    assert!(at(&is)[0] > at(&was)[0] && at(&is)[1..] == at(&was)[1..] && is.surfaces().eq(was.surfaces()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn mutated_tables_are_read_or_refused(first: bool, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6)) {
        let mut texts = [NOISE.as_bytes().to_vec(), SURFACES.as_bytes().to_vec()];
        for (at, byte, kind) in edits {
            let text = &mut texts[usize::from(first)];
            if text.is_empty() { break; }
            let at = at.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, b"0123456789.,-e\n\""[usize::from(byte) % 16]),
                2 => { text.remove(at); }
                _ => text.truncate(at),
            }
        }
        if let Ok(noise) = from(&texts[0], &texts[1]) {
            for (category, _) in Category::NAMED {
                let surface = (noise.surfaces().count() > 0).then_some(0);
                let w = noise.vehicle_w(category, 14.0, &Road { surface, ..Road::default() });
                prop_assert!(w.iter().all(|w| w.is_finite() && *w > 0.0), "{:?}", w);
            }
        }
    }
}
