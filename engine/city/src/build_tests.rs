//! Whole builds: a made-up village from GMNS, GeoJSON and CSV, the same bytes twice, and what is said
//! of every kind of bad input. Cities that are not in the repository are tried where their data is.
#![allow(clippy::print_stdout)] // a test that is skipped says why

use crate::build::{build, content_hash, info};
use crate::model::{City, FloorsFrom};
use crate::package::{FILES, MANIFEST, file_of, read};
use std::path::{Path, PathBuf};
use urbis_core::{Error, Result, ZoneIx};

const RECIPE: &str = r#"
name = "village"
title = "A village"
valid_period = "2024-01-01/2024-12-31"
[licence]
licence = "CC0-1.0"
attribution = "nobody"
[roads]
gmns = "network"
[zones]
path = "zones.geojson"
id_field = "code"
[panel]
path = "panel.csv"
[[panel.from]]
columns = { pupils = "pupils" }
period = "2024"
unit = "persons"
source = "made up"
quality = "estimate"
[[panel.estimate]]
indicator = "jobs"
per = "residents"
factor = 0.5
unit = "jobs"
spread = { residents = 0.5, main_roads = 0.5 }
note = "a guess"
[[overlay]]
path = "halves.geojson"
name = "halves"
id_field = "code"
[buildings]
source = "synthetic"
"#;

fn square(code: &str, west: f64, east: f64, pupils: u32) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"code":"{code}","pupils":{pupils}}},"geometry":{{"type":"Polygon",
        "coordinates":[[[{west},50.0],[{east},50.0],[{east},50.01],[{west},50.01],[{west},50.0]]]}}}}"#
    )
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

/// The files of a village of two zones on a grid of streets.
fn village() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    std::fs::create_dir(at("network")).unwrap();
    let mut nodes = "node_id,x_coord,y_coord\n".to_owned();
    let mut links =
        "link_id,from_node_id,to_node_id,directed,length,facility_type,free_speed,lanes,allowed_uses\n".to_owned();
    let mut link = 0;
    for row in 0..3_u32 {
        for column in 0..5_u32 {
            let (x, y) = (10.002 + 0.004 * f64::from(column), 50.002 + 0.003 * f64::from(row));
            nodes += &format!("{},{x},{y}\n", row * 5 + column + 1);
            for (to, go, metres) in [(1, column < 4, 286.0), (5, row < 2, 334.0)] {
                if go {
                    link += 1;
                    let class = if row == 1 { "primary" } else { "residential" };
                    links += &format!(
                        "{link},{0},{1},0,{metres},{class},30,1,all\n",
                        row * 5 + column + 1,
                        row * 5 + column + 1 + to
                    );
                }
            }
        }
    }
    std::fs::write(at("network/node.csv"), nodes).unwrap();
    std::fs::write(at("network/link.csv"), links).unwrap();
    std::fs::write(at("network/config.csv"), "dataset_name,long_length,speed,crs\nv,m,kmh,EPSG:4326\n").unwrap();
    std::fs::write(at("zones.geojson"), collection(&[square("b", 10.01, 10.02, 30), square("a", 10.0, 10.01, 20)]))
        .unwrap();
    std::fs::write(at("halves.geojson"), collection(&[square("all", 10.0, 10.02, 0), square("off", 10.5, 10.6, 0)]))
        .unwrap();
    let panel = "zone_id,period,indicator,value,unit,source,quality\na,2024,residents,240,persons,x,sourced\nb,2024,residents,120,persons,x,sourced\nvillage,2024,dwellings,150,dwellings,x,sourced\n";
    std::fs::write(at("panel.csv"), panel).unwrap();
    std::fs::write(at("city.toml"), RECIPE).unwrap();
    let recipe = at("city.toml");
    (place, recipe)
}

fn built(recipe: &Path, out: &Path) -> Result<City> {
    build(recipe, out, &mut |_| {})?;
    read(out)
}

fn said<T>(result: Result<T>) -> String {
    match result.err().expect("an error") {
        Error::Input(problems) => {
            problems.listed().iter().map(|p| format!("{p} {}\n", p.help_text().unwrap_or_default())).collect()
        }
        other => other.to_string(),
    }
}

/// What a build says after one file of the village was changed; nothing must be left behind.
fn said_with(file: &str, change: impl Fn(String) -> String) -> String {
    let (place, recipe) = village();
    let path = place.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(text)).unwrap();
    let before = std::fs::read_dir(place.path()).unwrap().count();
    let result = build(&recipe, &place.path().join("out"), &mut |_| {});
    assert!(result.is_err(), "{}", std::fs::read_to_string(&path).unwrap());
    let said = said(result);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), before, "something is left behind");
    said
}

#[test]
fn a_village_is_built_whole() {
    let (place, recipe) = village();
    let out = place.path().join("out");
    let mut steps = Vec::new();
    let manifest = build(&recipe, &out, &mut |step| steps.push(step.to_owned())).unwrap();
    let city = read(&out).unwrap();
    assert_eq!(city.manifest, manifest);
    assert_eq!(manifest.crs, "EPSG:32632");
    assert_eq!(manifest.content_hash, content_hash(&recipe).unwrap());
    assert_eq!(city.zones.id, ["a", "b"]);
    assert_eq!((city.nodes.len(), city.links.len()), (15, 44));
    assert!(city.nodes.zone.iter().all(|zone| zone.is_some()));
    assert!(steps.len() >= 6, "{steps:?}");

    let figure = |zone: &str, indicator: &str| city.panel_latest(zone, indicator).map(|row| row.value as i64);
    assert_eq!(figure("village", "pupils"), Some(50));
    assert_eq!(figure("village", "jobs"), Some(180));
    assert_eq!(figure("a", "jobs").zip(figure("b", "jobs")).map(|(a, b)| a + b), Some(180));
    assert!(figure("a", "jobs") > figure("b", "jobs"));

    assert!(city.buildings.floors_from.iter().all(|&from| from == FloorsFrom::Synthetic));
    assert_eq!(city.buildings.dwellings.iter().sum::<u32>(), 150);
    assert!(city.buildings.by_zone(2).row(1).len() > 10);
    assert!(city.buildings.car_node.iter().all(|node| node.is_some()));
    assert!(manifest.known_gaps.iter().any(|gap| gap.contains("synthetic")));

    // The overlay holds both zones, and each zone lies in it whole.
    let weights =
        |from: &str| city.crosswalk.iter().filter(|row| row.from_id == from).map(|row| row.weight).sum::<f64>();
    assert!((weights("all") - 1.0).abs() < 1e-9 && (weights("a") - 1.0).abs() < 1e-9);
    assert!(weights("off").abs() < 1e-9);

    let info = info(&out).unwrap();
    assert_eq!(info.panel_by_quality["sourced"], 3);
    assert!(info.car_km_by_class["primary"] > 2.0);
}

#[test]
fn twice_gives_the_same_bytes() {
    let (place, recipe) = village();
    let bytes = |out: &str, threads: usize| {
        let out = place.path().join(out);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| built(&recipe, &out).unwrap());
        let mut files: Vec<PathBuf> = FILES.iter().map(|(table, _)| file_of(&out, table)).collect();
        files.push(out.join(MANIFEST));
        files.iter().map(|file| std::fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    let first = bytes("1", 1);
    assert_eq!(first, bytes("2", 3));
    assert_eq!(first, bytes("1", 2), "over an existing package");
}

#[test]
fn every_bad_input_is_named_and_leaves_nothing() {
    for (file, from, to, expected) in [
        ("zones.geojson", "10.01,50.0", "370000,4840000", "wrong or missing reference system"),
        (
            "zones.geojson",
            "\"code\":\"b\"",
            "\"code\":\"a\"",
            "row 2 (id a): code = a, expected an id that no other row has",
        ),
        ("zones.geojson", "\"code\":\"b\"", "\"cod\":\"b\"", "row 1: code = nothing, expected a zone id"),
        ("panel.csv", "b,2024", "c,2024", "panel.csv row 2 (id residents): zone_id = c, expected a zone"),
        ("panel.csv", "240", "many", "row 1 (id residents): value = many, expected a number"),
        ("panel.csv", ",quality", ",trust", "quality"),
        ("panel.csv", "a,2024,residents,240", "a,2024,people,240", "needs residents of every zone, and a has none"),
        ("network/link.csv", "286", "-3.2", "length = -3.2"),
        ("network/link.csv", "from_node_id", "form_node_id", "did you mean `form_node_id`?"),
        ("network/node.csv", "10.002", "900", "x_coord"),
        ("city.toml", "name = \"village\"", "nmae = \"village\"", "did you mean `name`?"),
        ("city.toml", "panel.csv", "no.csv", "no.csv for panel does not exist"),
        ("city.toml", "halves.geojson", "none.geojson", "none.geojson for overlay does not exist"),
        ("city.toml", "valid_period", "crs = \"EPSG:3857\"\nvalid_period", "EPSG:3857 stretches lengths"),
        ("city.toml", "pupils = \"pupils\"", "pupil = \"pupils\"", "did you mean `pupils`?"),
        ("city.toml", "zones.geojson", "${URBIS_UNSET_FOR_TESTS}/z", "URBIS_UNSET_FOR_TESTS is not set"),
    ] {
        let all = said_with(file, |text| text.replacen(from, to, 1));
        assert!(all.contains(expected), "{file}: {from} -> {to}: {all}");
    }
    let all = said_with("zones.geojson", |_| {
        collection(&[
            square("a", 10.0, 10.01, 1),
            r#"{"type":"Feature","properties":{"code":"b"},"geometry":null}"#.to_owned(),
        ])
    });
    assert!(all.contains("row 2 (id b): geometry = null, expected a polygon with area"), "{all}");
    assert!(said_with("zones.geojson", |_| collection(&[])).contains("no zone, expected at least one"));
    assert!(said_with("zones.geojson", |text| text[..40].to_owned()).contains("not GeoJSON"));
    #[cfg(not(feature = "gdal"))]
    {
        let raster = "[[raster]]\npath=\"panel.csv\"\nname=\"e\"\nkind=\"elevation\"\n";
        assert!(said_with("city.toml", |text| text + raster).contains("rasters need GDAL"));
    }
    let (place, recipe) = village();
    let error = build(&recipe, &place.path().join("panel.csv/out"), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
}

#[cfg(feature = "gdal")]
#[test]
fn rasters_reach_nodes_buildings_zones_and_the_crosswalk() {
    let (place, recipe) = village();
    let write = |name: &str, values: Vec<f64>, system: bool| {
        let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
        let path = place.path().join(name);
        let mut dataset = driver.create_with_band_type::<f64, _>(&path, 8, 4, 1).unwrap();
        if system {
            dataset.set_spatial_ref(&gdal::spatial_ref::SpatialRef::from_epsg(4326).unwrap()).unwrap();
            dataset.set_geo_transform(&[9.9993, 0.003, 0.0, 50.0111, 0.0, -0.003]).unwrap();
        }
        let mut buffer = gdal::raster::Buffer::new((8, 4), values);
        dataset.rasterband(1).unwrap().write((0, 0), (8, 4), &mut buffer).unwrap();
    };
    let rising: Vec<f64> = (0..32_u32).map(|cell| 100.0 + 10.0 * f64::from(cell % 8)).collect();
    let people: Vec<f64> = (0..32_u32).map(|cell| f64::from(cell * cell % 17)).collect();
    write("height.tif", rising.clone(), true);
    write("people.tif", people.clone(), true);
    write("bare.tif", rising, false);
    let raster = |file: &str, name: &str, kind: &str| {
        format!("[[raster]]\npath = \"{file}\"\nname = \"{name}\"\nkind = \"{kind}\"\n")
    };
    let text =
        RECIPE.to_owned() + &raster("height.tif", "elevation", "elevation") + &raster("people.tif", "people", "count");
    std::fs::write(&recipe, text).unwrap();
    let city = built(&recipe, &place.path().join("out")).unwrap();
    assert!(city.nodes.elevation_m.iter().chain(&city.buildings.elevation_m).all(|v| (100.0..=170.0).contains(v)));
    let mean = |zone: &str| city.panel_latest(zone, "elevation_mean").unwrap().value;
    assert!(mean("a") < mean("b"));
    let rows: Vec<_> = city.crosswalk.iter().filter(|row| row.from_layer == "people").collect();
    let value = |id: &str| {
        let (row, column) = id.split_once(',').unwrap();
        people[row.parse::<usize>().unwrap() * 8 + column.parse::<usize>().unwrap()]
    };
    let mass: f64 = rows.iter().map(|row| row.weight * value(&row.from_id)).sum();
    let total = city.panel_latest("village", "people").unwrap().value;
    let zones: f64 = ["a", "b"].iter().map(|zone| city.panel_latest(zone, "people").unwrap().value).sum();
    assert!((mass / total - 1.0).abs() < 1e-9 && (zones / total - 1.0).abs() < 1e-9);
    // A cell that both zones share, and cells on the rim that only lie in part in any.
    assert!(rows.iter().any(|row| (0.01..0.99).contains(&row.weight)));

    std::fs::write(&recipe, RECIPE.to_owned() + &raster("bare.tif", "elevation", "elevation")).unwrap();
    let all = said(build(&recipe, &place.path().join("bare"), &mut |_| {}));
    assert!(all.contains("does not say its reference system"), "{all}");
    std::fs::write(&recipe, RECIPE.to_owned() + &raster("panel.csv", "elevation", "elevation")).unwrap();
    assert!(said(build(&recipe, &place.path().join("bare"), &mut |_| {})).contains("panel.csv"));
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn monaco_is_the_city_the_statistics_know() {
    let recipe = workspace().join("assets/monaco/city.toml");
    if !recipe.is_file() {
        println!("skipped: {} is not there", recipe.display());
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let city = built(&recipe, &place.path().join("out")).unwrap();
    assert_eq!(city.zones.len(), 8);
    assert_eq!(city.buildings.dwellings.iter().sum::<u32>(), 21_123);
    let figures = &city.manifest.figures;
    assert!((0.9..1.1).contains(&figures["dwellings_rule_ratio"]), "{figures:?}");
    assert!(figures["car_connected_share"] > 0.94, "{figures:?}");
    assert!(city.buildings.zone.iter().all(|zone| *zone != ZoneIx::NONE));
}

#[cfg(feature = "gdal")]
#[test]
fn porto_alegre_from_its_extract() {
    let shared = std::env::var_os("URBIS_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    if !shared.join("cities/porto_alegre").is_dir() {
        println!("skipped: set URBIS_SHARED to the folder that holds cities/porto_alegre");
        return;
    }
    // The test may not set variables of its process, so the place is written into a copy of the recipe.
    let text = std::fs::read_to_string(workspace().join("tests/recipes/porto_alegre.toml")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let recipe = place.path().join("city.toml");
    std::fs::write(&recipe, text.replace("${URBIS_SHARED}", &shared.to_string_lossy())).unwrap();
    let city = built(&recipe, &place.path().join("out")).unwrap();
    assert_eq!(city.zones.len(), 1227);
    assert!(city.links.len() > 10_000 && city.buildings.len() > 40_000);
    let residents = city.panel_latest("porto_alegre", "residents").unwrap().value;
    assert!((800_000.0..830_000.0).contains(&residents), "{residents}");
    let known = city.nodes.elevation_m.iter().filter(|v| !v.is_nan()).count();
    assert!(known * 10 > city.nodes.len() * 9);
}

#[test]
fn feeds_lie_in_the_package_and_are_credited() {
    let (place, recipe) = village();
    std::fs::write(place.path().join("gtfs.zip"), "an archive").unwrap();
    std::fs::create_dir(place.path().join("gtfs")).unwrap();
    std::fs::write(place.path().join("gtfs/stops.txt"), "stop_id").unwrap();
    let with = |feeds: &str| std::fs::write(&recipe, RECIPE.replace("[buildings]", &format!("{feeds}\n[buildings]")));
    with("[[feed]]\npath = \"gtfs.zip\"\nname = \"bus\"\n[[feed]]\npath = \"gtfs\"\nname = \"tram-2\"\nattribution = \"tram\"")
        .unwrap();
    let out = place.path().join("out");
    let city = built(&recipe, &out).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("feeds/bus.zip")).unwrap(), "an archive");
    assert_eq!(std::fs::read_to_string(out.join("feeds/tram-2/stops.txt")).unwrap(), "stop_id");
    let credits: Vec<(&str, &str)> = city
        .manifest
        .sources
        .iter()
        .filter(|source| source.role == "feed")
        .map(|source| (source.file.as_str(), source.attribution.as_str()))
        .collect();
    assert_eq!(credits, [("gtfs.zip", "nobody"), ("stops.txt", "tram")]);
    with("[[feed]]\npath = \"gtfs.zip\"\nname = \"a/b\"").unwrap();
    assert!(said(built(&recipe, &out)).contains("name of a feed = \"a/b\", expected lower-case letters"));
    with("[[feed]]\npath = \"gtfs.zip\"\nname = \"a\"\n[[feed]]\npath = \"gtfs\"\nname = \"a\"").unwrap();
    assert!(said(built(&recipe, &out)).contains("two feeds are named \"a\""));
    with("[[feed]]\npath = \"none.zip\"\nname = \"a\"").unwrap();
    assert!(said(built(&recipe, &out)).contains("none.zip for feed does not exist"));
}

#[cfg(feature = "gdal")]
#[test]
fn coquimbo_from_its_network_and_the_pinned_package() {
    let recipe = workspace().join("assets/coquimbo/city.toml");
    let loaded = crate::recipe::Loaded::read(&recipe).unwrap();
    let source = &loaded.recipe.source[0];
    if !crate::wheel::cache_folder().join(&source.wheel.member_sha256).is_dir() {
        println!("skipped: build assets/coquimbo/city.toml once, so that its packaged zones are in the cache");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let city = built(&recipe, &place.path().join("out")).unwrap();
    assert_eq!((city.zones.len(), city.manifest.sources.iter().filter(|s| s.role == "zones").count()), (133, 1));
    let total = |indicator: &str| city.panel_latest("coquimbo", indicator).unwrap().value;
    assert!((451_000.0..453_000.0).contains(&total("residents")), "{}", total("residents"));
    assert!((total("jobs") - 0.42 * total("residents")).abs() < 1.0);
    let of_zones: f64 = city.zones.id.iter().map(|zone| city.panel_latest(zone, "jobs").unwrap().value).sum();
    assert!((of_zones - total("jobs")).abs() < 1e-6);
    assert!(city.manifest.figures["car_connected_share"] > 0.98);
    assert!(city.buildings.by_zone(133).values().len() > 40_000);
    assert!((0..133).all(|zone| !city.buildings.by_zone(133).row(zone).is_empty()));
}
