//! The sewer of a city step by step: books that close, floods that are told by street, files, the same on any threads.
#![allow(clippy::print_stdout)] // figures, for those who look

mod made_up;

use made_up::blocks;
use std::path::Path;
use urbis_city::model::City;
use urbis_core::Error;
use urbis_utility::sewer::city_sewer::{CitySewer, SewerNeeds, SewerSettings};
use urbis_utility::sewer::synthetic::{SyntheticSewerSettings, estimate_dry_m3ps};
use urbis_utility::wiring::NetworkSource;

fn slope(side: u32) -> City {
    let mut city = blocks(side, 100.0, 10.0);
    city.nodes.elevation_m = city.nodes.x_m.iter().zip(&city.nodes.y_m).map(|(x, y)| 50.0 - 0.01 * (x + y)).collect();
    city
}

fn sewer(city: &City, settings: &SewerSettings, folder: &Path) -> urbis_core::Result<CitySewer> {
    let dry_m3ps = estimate_dry_m3ps(city);
    let needs = SewerNeeds { dry_m3ps: &dry_m3ps, start_day: 19_723, start_of_day_s: 6.0 * 3600.0 };
    CitySewer::new(city, settings, &needs, folder)
}

fn synthetic() -> SewerSettings {
    SewerSettings { source: NetworkSource::Synthetic, ..SewerSettings::default() }
}

/// Runs six hours: dry, a storm of so many mm/h for half an hour, dry again. Tells depths and flooded streets at the worst.
fn storm(sewer: &mut CitySewer, dry_m3ps: &[f64], mm_per_h: f64) -> (f64, usize) {
    let (mut worst_m, mut most) = (0.0_f64, 0);
    for step in 0..360 {
        let rain = if (120..150).contains(&step) { mm_per_h } else { 0.0 };
        sewer.step(dry_m3ps, rain, 60.0);
        assert!(sewer.gap() <= 1e-9, "step {step}: {} {:?}", sewer.gap(), sewer.balance());
        let flooded = sewer.flooded_links();
        assert!(flooded.windows(2).all(|pair| pair[0].link < pair[1].link));
        worst_m = flooded.iter().map(|of| of.depth_m).fold(worst_m, f64::max);
        most = most.max(flooded.len());
    }
    (worst_m, most)
}

#[test]
fn a_day_with_rain_keeps_its_books() {
    let city = slope(6);
    let dry_m3ps = estimate_dry_m3ps(&city);
    for (mm_per_h, floods) in [(0.0, false), (15.0, false), (150.0, true)] {
        let mut of = sewer(&city, &synthetic(), Path::new(".")).expect("a sewer");
        let (worst_m, most) = storm(&mut of, &dry_m3ps, mm_per_h);
        let water = of.balance();
        println!("{mm_per_h} mm/h: {worst_m:.3} m on a street, {most} streets, gap {:.1e}, {water:?}", of.gap());
        let came_m3: f64 = dry_m3ps.iter().sum::<f64>() * 360.0 * 60.0;
        assert!((water.dry_weather_m3 / came_m3 - 1.0).abs() < 1e-9);
        let area_m2: f64 = of.simulation().expect("one").sewer().subcatchments.area_m2.iter().sum();
        assert!((water.rain_m3 - mm_per_h * 1e-3 * 0.5 * area_m2).abs() <= 1e-9 * water.rain_m3.max(1.0));
        assert_eq!(most > 0, floods, "{worst_m}");
        assert_eq!(of.nodes.flooded_m3.iter().sum::<f64>() > 1.0, floods);
        let left_m3: f64 = of.nodes.left_m3.iter().sum();
        assert!((left_m3 / water.outfalls_m3 - 1.0).abs() < 1e-9);
        // Hours after the rain the streets are dry again, and what is on account is little.
        assert!(of.flooded_links().is_empty(), "{:?}", of.flooded_links());
        // Areas of kinematic waves are found to a thousandth of the full ones, and a full pipe passes on a little more than
        // it takes: what is made so is owed until water flows again, and is below two hundredths of what came.
        let network = of.simulation().expect("one").sewer();
        let pipes = network.conduits.link.iter().zip(&network.conduits.length_m);
        let full_m3: f64 =
            pipes.map(|(&link, length_m)| network.links.section[link as usize].a_full_m2 * length_m).sum();
        let within_m3 = 0.02 * (water.wet_weather_m3 + water.dry_weather_m3) + 1e-3 * full_m3;
        assert!(water.account_m3.abs() < within_m3, "{} {within_m3}", water.account_m3);
        of.nodes.begin();
        assert!(of.nodes.depth_m.iter().all(|depth| *depth <= 0.0));
    }
}

#[test]
fn sewage_reaches_the_plant_and_rain_the_river() {
    let city = slope(5);
    let dry_m3ps = estimate_dry_m3ps(&city);
    let mut of = sewer(&city, &synthetic(), Path::new(".")).expect("a sewer");
    (0..720).for_each(|_| of.step(&dry_m3ps, 0.0, 60.0));
    of.nodes.begin();
    (0..60).for_each(|_| of.step(&dry_m3ps, 0.0, 60.0));
    let [plant, river] = [of.wiring().outfalls[0] as usize, of.wiring().outfalls[1] as usize];
    assert!(of.wiring().node_id[plant].starts_with('T') && of.wiring().node_id[river].starts_with('R'));
    let hour_m3 = dry_m3ps.iter().sum::<f64>() * 3600.0;
    let at_plant_m3 = of.nodes.left_m3[plant];
    println!("sewage of an hour {hour_m3:.4} m3, at the plant {at_plant_m3:.4} m3");
    assert!((at_plant_m3 / hour_m3 - 1.0).abs() < 0.01 && of.nodes.left_m3[river] <= 0.0);
    of.nodes.begin();
    (0..60).for_each(|_| of.step(&dry_m3ps, 40.0, 60.0));
    assert!(of.nodes.left_m3[river] > 10.0 * of.nodes.left_m3[plant], "{:?}", of.nodes.left_m3);
}

#[test]
fn the_same_on_any_number_of_threads() {
    let city = slope(5);
    let dry_m3ps = estimate_dry_m3ps(&city);
    let once = || {
        let mut of = sewer(&city, &synthetic(), Path::new(".")).expect("a sewer");
        storm(&mut of, &dry_m3ps, 120.0);
        (of.nodes.clone(), of.balance())
    };
    let alone = once();
    for threads in [1, 2, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(once) == alone);
    }
}

#[test]
fn a_sewer_of_a_file_with_its_rain() {
    let city = slope(2);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    let inp = |settings: &SyntheticSewerSettings| {
        let dry = estimate_dry_m3ps(&city);
        urbis_utility::sewer::synthetic::SyntheticSewer::plan(&city, &dry, settings).expect("a plan")
    };
    let made = inp(&SyntheticSewerSettings { ponds: false, ..SyntheticSewerSettings::default() });
    write("town.inp", &made.inp);
    let row = |(row, node): (usize, &u32)| format!("{row},{}\n", made.sewer.nodes.id[*node as usize]);
    let rows: String = made.building_node.iter().enumerate().map(row).collect();
    write("buildings.csv", &format!("building_id,node_id\n{rows}"));
    write("rain.csv", "time_s,rain_mm_per_h\n0,0\n3600,150\n5400,0\n");
    let settings = SewerSettings {
        source: NetworkSource::File,
        case: Some("town.inp".into()),
        buildings: Some("buildings.csv".into()),
        rain: Some("rain.csv".into()),
        ..SewerSettings::default()
    };
    let mut of = sewer(&city, &settings, folder.path()).expect("a sewer");
    assert_eq!(of.wiring().building_node, made.building_node);
    assert!(of.wiring().notes.iter().any(|note| note.contains("[DWF]")), "{:?}", of.wiring().notes);
    let dry_m3ps = estimate_dry_m3ps(&city);
    let mut floods = 0;
    for step in 0..180_u32 {
        let rain = of.rain_mm_per_h(60.0 * f64::from(step), 60.0);
        of.step(&dry_m3ps, rain, 60.0);
        assert!(of.gap() <= 1e-9);
        floods += of.flooded_links().len();
    }
    let water = of.balance();
    assert!((water.rain_m3 / (0.075 * made.area_m2) - 1.0).abs() < 1e-9, "{water:?}");
    assert!(water.lost_m3 > 0.0 && floods > 0, "{water:?}");

    // What is not right is told with its place.
    let said = |settings: &SewerSettings| match sewer(&city, settings, folder.path()) {
        Err(Error::Input(problems)) => format!("{problems:?}"),
        other => panic!("{:?}", other.map(|of| of.balance())),
    };
    write("buildings.csv", "building_id,node_id\n0,M0\n0,M0\nx,M0\n1,nowhere\n");
    let text = said(&settings);
    for expected in ["each building once", "a building of the city", "a node of the sewer"] {
        assert!(text.contains(expected), "{text}");
    }
    write("buildings.csv", &format!("building_id,node_id\n{}", rows.lines().next().expect("a row")));
    assert!(said(&settings).contains("have no row"));
    write("buildings.csv", &format!("building_id,node_id\n{rows}"));
    write("rain.csv", "time_s,rain_mm_per_h\n10,1\n10,-1\n");
    let text = said(&settings);
    assert!(text.contains("the row before") && text.contains("3000"), "{text}");
    let text = said(&SewerSettings { source: NetworkSource::File, step_s: 0, ..SewerSettings::default() });
    assert!(text.contains("needs `case`") && text.contains("needs `buildings`") && text.contains("step_s"), "{text}");
}

#[test]
fn no_sewer_is_no_work() {
    let city = slope(1);
    let mut of = sewer(&city, &SewerSettings::default(), Path::new(".")).expect("none");
    of.step(&[1.0; 4], 10.0, 60.0);
    assert!(of.simulation().is_none() && of.flooded_links().is_empty() && of.gap() <= 0.0);
}
