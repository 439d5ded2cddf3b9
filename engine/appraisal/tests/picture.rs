//! A run is read back only when it is whole, and drawn from what it says. `URBIS_PICTURE=FILE` keeps
//! the picture of the made-up city for a look.

use geo::{LineString, MultiPolygon, Point, Polygon, coord};
use std::path::{Path, PathBuf};
use urbis_appraisal::{RunResults, draw, runs_in};
use urbis_city::geoparquet::TableWriter;
use urbis_core::{Error, files};
use urbis_output::ledger::{name, term};
use urbis_output::{
    BuildingLoadRow, Kpi, LedgersRow, LinkStateRow, PresenceRow, ResultsWriter, RunEnd, RunFacts, Table, TimeMs,
    ZoneLoadRow,
};

/// Midnight of 5 March 2024 in Monaco.
const START_MS: i64 = 1_709_593_200_000;
const SIDE: u32 = 14;

fn place(column: f64, row: f64) -> geo::Coord {
    // Rows climb away from a diagonal coast.
    coord! { x: 7.41 + column * 0.0022 + row * 0.0004, y: 43.725 + row * 0.0016 + column * 0.0007 }
}

fn ring(corners: &[(f64, f64)]) -> Polygon {
    Polygon::new(LineString::from_iter(corners.iter().map(|&(c, r)| place(c, r))), vec![])
}

/// A grid town of four zones: the layers of a city package.
fn package(folder: &Path) -> PathBuf {
    let package = folder.join("city");
    files::create_folder(&package.join("layers")).unwrap();
    let write =
        |table: TableWriter, layer: &str| table.write(&package.join(format!("layers/{layer}.parquet"))).unwrap();
    let side = f64::from(SIDE);
    let half = side / 2.0;

    let mut zones = TableWriter::new("zones");
    zones.text("id", "id", ["z0", "z1", "z2", "z3"]);
    zones.text("name", "name", ["Port <old>", "La Colline", "Plage & Casino", "Jardins"]);
    let shapes: Vec<MultiPolygon> = [(0.0, 0.0), (half, 0.0), (0.0, half), (half, half)]
        .iter()
        .map(|&(c, r)| ring(&[(c, r), (c + half, r), (c + half, r + half), (c, r + half)]).into())
        .collect();
    zones.geometry("shape", &shapes).unwrap();
    write(zones, "zones");

    let (mut ids, mut blocks) = (Vec::new(), Vec::new());
    for column in 0..SIDE {
        for row in 0..SIDE {
            for (part, from) in [0.12, 0.54].into_iter().enumerate() {
                let (c, r) = (f64::from(column) + from, f64::from(row) + 0.15);
                ids.push(format!("b{column}-{row}-{part}"));
                blocks.push(ring(&[(c, r), (c + 0.34, r), (c + 0.34, r + 0.7), (c, r + 0.7)]));
            }
        }
    }
    let mut buildings = TableWriter::new("buildings");
    buildings.text("id", "id", &ids);
    buildings.geometry("outline", &blocks).unwrap();
    write(buildings, "buildings");

    let (mut ids, mut classes, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    let mut street = |name: String, class: &'static str, from: geo::Coord, to: geo::Coord| {
        for (direction, line) in [("f", vec![from, to]), ("b", vec![to, from])] {
            ids.push(format!("{name}{direction}"));
            classes.push(class);
            lines.push(LineString::new(line));
        }
    };
    for line in 0..=SIDE {
        for step in 0..SIDE {
            let (a, b) = (f64::from(line), f64::from(step));
            street(format!("ew{line}-{step}"), "residential", place(b, a), place(b + 1.0, a));
            street(format!("ns{line}-{step}"), "residential", place(a, b), place(a, b + 1.0));
        }
    }
    street("far".into(), "external", place(0.0, 0.0), coord! { x: 3.0, y: 40.0 });
    let mut links = TableWriter::new("links");
    links.text("id", "id", &ids);
    links.text("class", "class", &classes);
    links.geometry("line", &lines).unwrap();
    write(links, "links");

    for layer in ["nodes", "pois"] {
        let mut table = TableWriter::new(layer);
        table.text("id", "id", ["n"]);
        table.geometry("place", &[Point::from(place(1.0, 1.0))]).unwrap();
        write(table, layer);
    }
    package
}

/// Two rush hours, between 0 and 1.
fn rush(hour: f64) -> f64 {
    let bump = |at: f64, width: f64| (-((hour - at) / width).powi(2)).exp();
    bump(8.25, 1.3) + 0.9 * bump(17.75, 1.6) + 0.35 * bump(12.5, 2.5) + 0.02
}

fn facts(scenario: &str) -> RunFacts {
    RunFacts {
        scenario: scenario.into(),
        seed: 7,
        title: "Grid town: an ordinary Tuesday".into(),
        scenario_hash: "aa".into(),
        city_hash: "bb".into(),
        city: "grid".into(),
        attribution: "\u{a9} OpenStreetMap contributors (ODbL); statistics made up".into(),
        time_zone: "Europe/Monaco".into(),
        local_offset_s: 3600,
        start_utc_ms: START_MS,
        duration_s: 86_400.0,
        scenario_toml: "[population]\nsample_factor = 0.25\n".into(),
    }
}

/// A day of the grid town; `full` with every table a picture uses.
fn run(out: &Path, package: &Path, scenario: &str, full: bool) {
    let mut writer = ResultsWriter::create(out, package, facts(scenario), &[]).unwrap();
    for hour in 0..24_u32 {
        let time = TimeMs(START_MS + i64::from(hour) * 3_600_000);
        let level = rush(f64::from(hour) + 0.5);
        for (axis, line, step, way) in grid() {
            // The coast road and one avenue carry most.
            let main = if line == 0 {
                900.0
            } else if line == 7 {
                500.0
            } else {
                40.0 / (1.0 + f64::from(line % 4))
            };
            let entered_veh = (main * level * (1.0 + f64::from(step % 5) / 5.0)) as u64;
            writer
                .link_state(&LinkStateRow {
                    time,
                    interval_s: 3600.0,
                    link_id: &format!("{axis}{line}-{step}{way}"),
                    entered_veh,
                    left_veh: entered_veh,
                    travel_time_s: None,
                    speed_mps: None,
                    density_vpm: 0.0,
                    queue_veh: 0,
                    occupancy_veh: entered_veh / 100,
                    delay_s: 1.5,
                    fuel_kg: 0.25,
                    co2_kg: 0.75,
                    nox_g: 0.5,
                    pm_g: 0.125,
                    electricity_wh: 2.0,
                })
                .unwrap();
        }
        for (id, zone, size) in blocks() {
            let day = f64::from(u32::from((7..19).contains(&hour)));
            let persons = (size * (0.4 + 0.6 * day)) as u64;
            if full {
                writer.presence(&PresenceRow { time, building_id: &id, zone_id: &zone, persons }).unwrap();
            }
            let p_w = 800.0 * size;
            let (interval_s, sector) = (3600.0, "services");
            let row =
                BuildingLoadRow { time, interval_s, building_id: &id, zone_id: &zone, sector, p_w, energy_wh: p_w };
            writer.building_load(&row).unwrap();
        }
        if !full {
            continue;
        }
        for (sector, base, swing) in
            [("services", 20e6, 14e6), ("households", 11e6, 5e6), ("hotels", 6e6, 2e6), ("public_lighting", 1e6, 0.0)]
        {
            let p_w = base + swing * (f64::from(hour) / 24.0 * std::f64::consts::PI).sin();
            let row = ZoneLoadRow { time, interval_s: 3600.0, zone_id: "z0", sector, p_w, energy_wh: p_w };
            writer.zone_load(&row).unwrap();
        }
        let persons = [(term::IN_BUILDINGS, 38_000.0 + 30_000.0 * level.min(0.9)), (term::TRAVELLING, 4000.0 * level)];
        for (term, value) in persons.into_iter().chain([(term::OUTSIDE, 9e9)]) {
            writer.ledgers(&LedgersRow { time, ledger: name::PERSONS, term, value, unit: "persons" }).unwrap();
        }
        let value = 3200.0 * level;
        let row = LedgersRow { time, ledger: name::VEHICLES, term: term::ON_ROAD, value, unit: "vehicles" };
        writer.ledgers(&row).unwrap();
    }
    for (indicator, value, unit, published, quality) in [
        ("border_crossings", 101_240.0, "1/day", Some(98_392.0), "sourced"),
        ("internal_motorised_trips", 119_000.0, "1/day", Some(123_000.0), "recalled"),
        ("electricity", 1389.0, "MWh/day", Some(1427.4), "sourced"),
        ("mean_speed", 17.3, "km/h", None, ""),
    ] {
        let source =
            if published.is_some() { "A statistics office with a long name, yearbook of figures, 2023" } else { "" };
        let kpi = Kpi {
            group: "city".into(),
            indicator: indicator.into(),
            zone_id: "grid".into(),
            value,
            unit: unit.into(),
            published,
            source: source.into(),
            quality: quality.into(),
            headline: true,
        };
        writer.kpis(&kpi.row()).unwrap();
    }
    writer.finish(&RunEnd { ticks: 86_400, threads: 1, ..RunEnd::default() }).unwrap();
}

fn grid() -> impl Iterator<Item = (&'static str, u32, u32, &'static str)> {
    let streets = (0..=SIDE).flat_map(|line| (0..SIDE).map(move |step| (line, step)));
    streets.flat_map(|(line, step)| {
        ["ew", "ns"].into_iter().flat_map(move |axis| ["f", "b"].map(|way| (axis, line, step, way)))
    })
}

fn blocks() -> impl Iterator<Item = (String, String, f64)> {
    (0..SIDE).flat_map(|column| {
        (0..SIDE).flat_map(move |row| {
            (0..2_u32).map(move |part| {
                let size = 400.0 / (1.0 + f64::from(column.abs_diff(8) * row.abs_diff(3) + part));
                (format!("b{column}-{row}-{part}"), format!("z{}", column / 7 + row / 7 * 2), size)
            })
        })
    })
}

fn message(error: &Error) -> String {
    match error {
        Error::Input(problems) => {
            let words = |p: &urbis_core::Problem| format!("{p} ({})", p.help_text().unwrap_or_default());
            problems.listed().iter().map(words).collect()
        }
        other => other.to_string(),
    }
}

#[test]
fn a_picture_of_a_day() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path()));
    run(&out, &package, "full", true);
    let picture = place.path().join("day.svg");
    draw::day(&out, "full", 7, &picture).unwrap();
    let svg = std::fs::read_to_string(&picture).unwrap();
    for words in [
        "Grid town: an ordinary Tuesday",
        "Tuesday 5 March 2024",
        "times in Europe/Monaco",
        "a sample of 25 % of the people",
        "Port &lt;old&gt;",
        "Vehicles per day and direction",
        "People per building at 12:00",
        "\u{a9} OpenStreetMap contributors",
        ">border crossings<",
        "1/day; ",
        "101,240",
        "+2.9 %",
        "public lighting",
        "24:00",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    // Outside persons are not in the city: the peak is 38,000 + 0.9 x 30,000 + 4,000 x rush.
    assert!(svg.contains("people at 08:00") || svg.contains("people at 09:00"), "peak in the morning");
    assert!(!svg.contains("9,000,"), "people outside are not counted");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    let again = place.path().join("again.svg");
    draw::day(&out, "full", 7, &again).unwrap();
    assert_eq!(svg, std::fs::read_to_string(again).unwrap(), "equal results, equal pictures");
    if let Some(keep) = std::env::var_os("URBIS_PICTURE") {
        std::fs::copy(&picture, keep).unwrap();
    }
}

#[test]
fn tables_that_are_not_there_leave_their_place_empty() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path()));
    run(&out, &package, "lean", false);
    let picture = place.path().join("day.svg");
    draw::day(&out, "lean", 7, &picture).unwrap();
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(svg.contains("Mean electric load per building, kW"));
    assert_eq!(svg.matches("not among the outputs").count(), 2, "people and electricity");
    // Vehicles then come from link_state: at the ends of its intervals.
    assert!(svg.contains("vehicles at 09:00"), "occupancy at the end of the interval");
}

#[test]
fn only_whole_runs_are_read() {
    let place = tempfile::tempdir().unwrap();
    let (out, package) = (place.path().join("out"), package(place.path()));
    assert!(message(&RunResults::open(&out, "full", 7).unwrap_err()).contains("no finished results folder"));
    run(&out, &package, "full", true);
    run(&out, &package, "lean", false);
    assert_eq!(runs_in(&out).unwrap(), [("full".to_owned(), 7), ("lean".to_owned(), 7)]);
    let said = message(&RunResults::open(&out, "full", 8).unwrap_err());
    assert!(said.contains("no finished run of scenario full with seed 8") && said.contains("full seed 7"), "{said}");

    let lean = RunResults::open(&out, "lean", 7).unwrap();
    assert!(lean.has(Table::Runs) && lean.has(Table::LinkState) && !lean.has(Table::Presence));
    lean.verify().unwrap();
    let said = message(&lean.for_each_batch(Table::Presence, &["time"], |_| Ok(())).unwrap_err());
    assert!(said.contains("table presence is not among the results"), "{said}");
    assert_eq!(lean.kpis().unwrap().len(), 4);
    assert_eq!(lean.info().unwrap().local_offset_ms, 3_600_000);

    // A file that nobody vouches for is no result, and a changed one is noticed.
    let of = |table: &str| out.join(table).join("scenario=lean/seed=7/part-0.parquet");
    files::write_whole(&of("presence"), &std::fs::read(of("kpis")).unwrap()).unwrap();
    assert!(!RunResults::open(&out, "lean", 7).unwrap().has(Table::Presence));
    std::fs::copy(of("link_state"), of("kpis")).unwrap();
    let said = message(&lean.verify().unwrap_err());
    assert!(said.contains("kpis") && said.contains("changed since"), "{said}");
    let said = message(&lean.kpis().unwrap_err());
    assert!(said.contains("column group is missing"), "{said}");
    std::fs::remove_file(of("kpis")).unwrap();
    assert!(message(&lean.verify().unwrap_err()).contains("listed in _SUCCESS, but"));
}
