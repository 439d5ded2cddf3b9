//! Round trips of a small package, and every way a package can be wrong.

use crate::model::*;
use crate::package::{FORMAT_VERSION, file_of, read, read_manifest, write};
use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use geo::{LineString, MultiPolygon, Point, Rect};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use std::path::Path;
use std::sync::Arc;
use urbis_core::{BuildingIx, Error, LinkIx, NodeIx, Result, ZoneIx};

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|word| (*word).to_owned()).collect()
}

/// Two nodes, a street there and back, a path, a zone, a building, a shop.
fn city() -> City {
    let (a, b) = (Point::new(7.41, 43.73), Point::new(7.42, 43.74));
    let there = LineString::from(vec![a, Point::new(7.415, 43.731), b]);
    let back = LineString::from(vec![b, a]);
    let square = Rect::new((7.40, 43.72), (7.43, 43.75)).to_polygon();
    let car = Modes::CAR.union(Modes::WALK);
    City {
        manifest: Manifest {
            format_version: FORMAT_VERSION,
            name: "town".to_owned(),
            counts: [("nodes".to_owned(), 2), ("links".to_owned(), 3)].into(),
            ..Manifest::default()
        },
        nodes: Nodes {
            id: words(&["1", "2"]),
            point: vec![a, b],
            x_m: vec![1.0, 2.0],
            y_m: vec![3.0, 4.0],
            elevation_m: vec![10.0, f64::NAN],
            control: vec![NodeControl::Signal, NodeControl::None],
            external: vec![false, true],
            zone: vec![ZoneIx(0), ZoneIx::NONE],
        },
        links: Links {
            id: words(&["10", "11", "12"]),
            from: vec![NodeIx(0), NodeIx(1), NodeIx(1)],
            to: vec![NodeIx(1), NodeIx(0), NodeIx(0)],
            way_id: vec![99, 99, -1],
            class: vec![RoadClass::Primary, RoadClass::Primary, RoadClass::Path],
            name: words(&["Rue Grimaldi", "", "Escalier"]),
            length_m: vec![100.0, 100.0, 90.0],
            lanes: vec![2, 1, 0],
            speed_mps_free: vec![13.9, 13.9, 1.4],
            capacity_vps: vec![1.0, 0.5, 0.0],
            jam_density_vpm: vec![0.3, 0.15, 0.0],
            modes: vec![car, car, Modes::WALK],
            tunnel: vec![false, true, false],
            bridge: vec![true, false, false],
            zone: vec![ZoneIx(0), ZoneIx(0), ZoneIx::NONE],
            turn_lanes: words(&["left|through", "", ""]),
            line: vec![there, back.clone(), back],
        },
        turns: Turns { banned: vec![(LinkIx(0), LinkIx(1))] },
        zones: Zones {
            id: words(&["port"]),
            name: words(&["Port"]),
            area_m2: vec![1e6],
            shape: vec![MultiPolygon::new(vec![square.clone()])],
        },
        buildings: Buildings {
            id: words(&["way/1"]),
            zone: vec![ZoneIx(0)],
            purpose: vec![BuildingUse::Hotel],
            floors: vec![3.5],
            floors_from: vec![FloorsFrom::Levels],
            height_m: vec![10.5],
            footprint_m2: vec![200.0],
            floor_area_m2: vec![700.0],
            dwellings: vec![0],
            x_m: vec![1.5],
            y_m: vec![3.5],
            elevation_m: vec![f64::NAN],
            car_node: vec![NodeIx(1)],
            shape: vec![square],
        },
        pois: Pois {
            id: words(&["node/5", "node/6"]),
            kind: vec![PoiKind::Shop, PoiKind::BusStop],
            name: words(&["Épicerie", ""]),
            zone: vec![ZoneIx(0), ZoneIx::NONE],
            building: vec![BuildingIx(0), BuildingIx::NONE],
            point: vec![a, b],
        },
        panel: vec![PanelRow {
            zone_id: "port".to_owned(),
            period: "2024".to_owned(),
            indicator: "residents".to_owned(),
            value: 12.5,
            unit: "persons".to_owned(),
            source: "census".to_owned(),
            quality: Quality::Recalled,
        }],
        crosswalk: vec![CrosswalkRow {
            from_layer: "grid".to_owned(),
            from_id: "0,1".to_owned(),
            to_layer: "zones".to_owned(),
            to_id: "port".to_owned(),
            weight: 0.25,
        }],
        land_use: None,
    }
}

fn said<T>(result: Result<T>) -> String {
    match result.err().expect("an error") {
        Error::Input(problems) => problems.listed().iter().map(|p| format!("{p}\n")).collect(),
        other => other.to_string(),
    }
}

/// What reading says after a change to the city.
fn said_after(change: impl FnOnce(&mut City)) -> String {
    let place = tempfile::tempdir().unwrap();
    let mut city = city();
    change(&mut city);
    write(&city, &[], place.path().join("p").as_path()).unwrap();
    said(read(&place.path().join("p")))
}

/// What reading says after a change to the columns of one file.
fn said_after_file(table: &str, change: impl Fn(&str, &ArrayRef) -> Option<ArrayRef>) -> String {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("p");
    write(&city(), &[], &folder).unwrap();
    let path = file_of(&folder, table);
    let builder = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&path).unwrap()).unwrap();
    let keys = builder.metadata().file_metadata().key_value_metadata().cloned();
    let keys = keys.map(|keys| keys.into_iter().filter(|kv| kv.key != "ARROW:schema").collect());
    let batch = builder.build().unwrap().next().unwrap().unwrap();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some(column) = change(field.name(), column) {
            let nullable = field.is_nullable() || column.null_count() > 0;
            fields.push(arrow::datatypes::Field::new(field.name(), column.data_type().clone(), nullable));
            columns.push(column);
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    let properties = WriterProperties::builder().set_key_value_metadata(keys).build();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), schema, Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    said(read(&folder))
}

fn bytes(folder: &Path) -> Vec<Vec<u8>> {
    let files = crate::package::FILES.map(|(table, _)| file_of(folder, table));
    files.iter().chain([&folder.join("manifest.json")]).map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn what_is_written_is_read_and_written_again_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    let (one, two) = (place.path().join("1"), place.path().join("2"));
    write(&city(), &[], &one).unwrap();
    let read = read(&one).unwrap();
    // NaN stands for what is not known, so the text is compared.
    assert_eq!(format!("{read:?}"), format!("{:?}", city()));
    write(&read, &[], &two).unwrap();
    assert_eq!(bytes(&one), bytes(&two));
    assert_eq!(read_manifest(&one).unwrap(), city().manifest);
    // Nothing else is left at the place.
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn values_out_of_range_name_file_row_and_id() {
    let all = said_after(|city| {
        city.links.length_m[1] = -3.2;
        city.links.speed_mps_free[0] = f64::NAN;
        city.links.lanes[0] = 0;
        city.links.capacity_vps[0] = 0.0;
    });
    for part in [
        "links.parquet row 2 (id 11): length_m = -3.2, expected > 0",
        "row 1 (id 10): speed_mps_free = NaN, expected > 0",
        "row 1 (id 10): lanes = 0, expected >= 1 where cars may pass",
        "row 1 (id 10): capacity_vps = 0, expected > 0 where cars may pass",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(
        said_after(|city| city.zones.shape[0] = MultiPolygon::new(Vec::new()))
            .contains("zones.parquet row 1: geometry")
    );
    assert!(said_after(|city| city.links.id[1] = "10".to_owned()).contains("an id that row 1 has not"));
    assert!(
        said_after(|city| city.buildings.floors[0] = 0.0).contains("buildings.parquet row 1 (id way/1): floors = 0")
    );
    assert!(said_after(|city| city.crosswalk[0].weight = 1.5).contains("weight = 1.5, expected 0 to 1"));
    assert!(said_after(|city| city.turns.banned[0] = (LinkIx(1), LinkIx(2))).contains("starts where from_link ends"));
    assert!(
        said_after(|city| city.manifest.counts.insert("zones".to_owned(), 9).map_or((), |_| ()))
            .contains("counts.zones = 9")
    );
}

#[test]
fn dangling_references_wrong_types_and_missing_columns() {
    let text = |values: &[&str]| Some(Arc::new(StringArray::from(values.to_vec())) as ArrayRef);
    let all = said_after_file("links", |name, column| match name {
        "to_node" => text(&["2", "7", "1"]),
        "class" => text(&["primary", "primrose", "path"]),
        _ => Some(column.clone()),
    });
    assert!(all.contains("row 2 (id 11): to_node = 7, expected the id of a row of nodes"), "{all}");
    assert!(all.contains("row 2 (id 11): class = primrose"), "{all}");
    let all = said_after_file("links", |name, column| match name {
        "length_m" => None,
        "lanes" => text(&["a", "b", "c"]),
        _ => Some(column.clone()),
    });
    assert!(all.contains("links.parquet: missing column length_m"), "{all}");
    assert!(all.contains("column lanes is of type Utf8, expected UInt8"), "{all}");
    let all = said_after_file("panel", |name, column| match name {
        "value" => Some(Arc::new(Float64Array::from(vec![None])) as ArrayRef),
        _ => Some(column.clone()),
    });
    assert!(all.contains("panel.parquet row 1 (id port): value = NaN, expected a number"), "{all}");
    let all = said_after_file("zones", |name, column| (name != "geometry").then(|| column.clone()));
    assert!(all.contains("missing column geometry"), "{all}");
    let all = said_after_file("buildings", |name, column| match name {
        "zone_id" => text(&["harbour"]),
        _ => Some(column.clone()),
    });
    assert!(all.contains("zone_id = harbour, expected the id of a row of zones"), "{all}");
}

#[test]
fn packages_that_are_none() {
    let place = tempfile::tempdir().unwrap();
    assert!(said(read(place.path())).contains("not a city package"));
    let folder = place.path().join("p");
    write(&city(), &[], &folder).unwrap();
    std::fs::remove_file(file_of(&folder, "panel")).unwrap();
    assert!(said(read(&folder)).contains("panel/panel.parquet is missing"));
    let cut = std::fs::read(file_of(&folder, "links")).unwrap();
    write(&city(), &[], &folder).unwrap();
    std::fs::write(file_of(&folder, "links"), &cut[..cut.len() / 2]).unwrap();
    assert!(said(read(&folder)).contains("not a readable Parquet file"));
    let text = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    std::fs::write(folder.join("manifest.json"), text.replace("\"format_version\": 1", "\"format_version\": 99"))
        .unwrap();
    assert!(said(read(&folder)).contains("format_version = 99, expected 1"));
    std::fs::write(folder.join("manifest.json"), "{").unwrap();
    assert!(said(read(&folder)).contains("not JSON"));
    // A place that cannot be written to is said, and nothing is left.
    std::fs::write(place.path().join("file"), "").unwrap();
    let error = write(&city(), &[], &place.path().join("file/p")).unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
}
