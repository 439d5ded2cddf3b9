//! A picture of one run for people who decide: the map of the day on the left; people, vehicles and
//! electricity over the hours and the headline figures beside the published ones on the right. SVG,
//! equal for equal results.

use crate::chart::{Chart, INK, SERIES_COLOURS, SOFT_INK, Series};
use crate::day::{Course, Day, SectorLoad};
use crate::map::Map;
use crate::read::RunResults;
use crate::scale::{date, number};
use crate::svg::{Anchor, Svg, Type};
use geo::{Geometry, MultiPolygon};
use std::collections::BTreeSet;
use std::path::Path;
use urbis_core::{Problems, Result, files};
use urbis_output::Kpi;

const WIDTH: f64 = 1600.0;
const HEIGHT: f64 = 1060.0;
const MAP: [f64; 4] = [32.0, 96.0, 940.0, 906.0];
const RIGHT_X: f64 = 1008.0;
const RIGHT_WIDTH: f64 = 560.0;
const CHART_TOPS: [f64; 3] = [96.0, 292.0, 488.0];
const CHART_HEIGHT: f64 = 184.0;
const KPI_TOP: f64 = 690.0;
const KPIS_SHOWN: usize = 6;

/// Draws a finished run into an SVG file.
///
/// # Errors
/// [`urbis_core::Error::Input`] when the run is not there or not finished, or a layer cannot be read;
/// [`urbis_core::Error::Write`] when `out` cannot be written.
pub fn day(results: &Path, scenario: &str, seed: u64, out: &Path) -> Result<()> {
    let run = RunResults::open(results, scenario, seed)?;
    let day = Day::gather(&run)?;
    let mut svg = Svg::new(WIDTH, HEIGHT);
    svg.rect([0.0, 0.0, WIDTH, HEIGHT], r##"fill="#ffffff""##);
    let title = if day.info.title.is_empty() { scenario } else { &day.info.title };
    draw_head(&mut svg, &day, title);
    map(&run, &day)?.draw(&mut svg, MAP);
    for (chart, top) in charts(&day).iter().zip(CHART_TOPS) {
        chart.draw(&mut svg, [RIGHT_X, top, RIGHT_WIDTH, CHART_HEIGHT]);
    }
    draw_kpis(&mut svg, &day.kpis, &day.info.city);
    let note = format!("Urbis {}, scenario {scenario}, seed {seed}", day.info.urbis_version);
    draw_foot(&mut svg, &day.info.attribution, &note);
    files::write_whole(out, svg.finish(title).as_bytes())
}

fn draw_head(svg: &mut Svg, day: &Day, title: &str) {
    svg.text(32.0, 48.0, Type::new(28.0, INK).bold(), title);
    let info = &day.info;
    let zone = if info.time_zone.is_empty() { "UTC" } else { &info.time_zone };
    let mut words = vec![
        date(info.start_utc_ms + info.local_offset_ms),
        format!("{} h simulated", number(info.duration_s / 3600.0)),
        format!("times in {zone}"),
    ];
    if info.sample_factor < 1.0 {
        words.push(format!("a sample of {} % of the people", number(100.0 * info.sample_factor)));
    }
    svg.text(32.0, 76.0, Type::new(15.0, SOFT_INK), &words.join("  \u{b7}  "));
}

fn map(run: &RunResults, day: &Day) -> Result<Map> {
    let mut problems = Problems::new();
    let zones = run.layer("zones")?;
    let shapes = zones.geometry(
        "Polygon or MultiPolygon",
        |shape| match shape {
            Geometry::Polygon(polygon) => Some(MultiPolygon::from(polygon)),
            Geometry::MultiPolygon(polygons) => Some(polygons),
            _ => None,
        },
        &mut problems,
    );
    let buildings = run.layer("buildings")?;
    let values = &day.buildings.values;
    let building_ids = buildings.text("id", &mut problems);
    let links = run.layer("links")?;
    let classes = links.text("class", &mut problems);
    let ids = links.text("id", &mut problems);
    let lines = links.geometry("LineString", |shape| shape.try_into().ok(), &mut problems);
    let is_day = (day.info.duration_s - 86_400.0).abs() < 1.0;
    // Paths carry no vehicles, and external links stand for roads outside the map.
    let roads = lines.into_iter().zip(ids).zip(classes).filter(|(_, class)| class != "path" && class != "external");
    let (roads, road_veh) = roads.map(|((line, id), _)| (line, day.link_veh.get(&id).copied().unwrap_or(0.0))).unzip();
    let map = Map {
        zones: shapes,
        zone_names: zones.text("name", &mut problems),
        buildings: buildings.geometry("Polygon", |shape| shape.try_into().ok(), &mut problems),
        building_values: building_ids.iter().map(|id| values.get(id).copied().unwrap_or(0.0)).collect(),
        building_label: day.buildings.label.clone(),
        roads,
        road_veh,
        road_label: if is_day { "Vehicles per day and direction" } else { "Vehicles in the period, by direction" }
            .into(),
    };
    problems.or_else(map)
}

fn charts(day: &Day) -> [Chart<'static>; 3] {
    let offset_ms = day.info.local_offset_ms;
    let start = day.info.start_utc_ms + offset_ms;
    let window = (start, start + (day.info.duration_s * 1000.0) as i64);
    let single = |title, unit, course: &Course, colour| Chart {
        title,
        unit,
        times: course.iter().map(|(time, _)| time + offset_ms).collect(),
        stack: vec![Series { name: String::new(), values: course.iter().map(|(_, value)| *value).collect(), colour }],
        window,
    };
    let (times, stack) = steps(&day.sectors, offset_ms);
    [
        single("People in the city", "people", &day.people, SERIES_COLOURS[0]),
        single("Vehicles on the road", "vehicles", &day.vehicles, SERIES_COLOURS[5]),
        Chart { title: "Electricity, MW", unit: "MW", times, stack, window },
    ]
}

/// Sector loads as steps on one time axis; sectors beyond the colours are added up as `other`.
fn steps(sectors: &[SectorLoad], offset_ms: i64) -> (Vec<i64>, Vec<Series>) {
    let intervals: BTreeSet<(i64, i64)> = sectors.iter().flat_map(|s| s.load_mw.keys().copied()).collect();
    let times = intervals.iter().flat_map(|(start, length)| [start + offset_ms, start + length + offset_ms]).collect();
    let own = if sectors.len() > SERIES_COLOURS.len() { SERIES_COLOURS.len() - 1 } else { sectors.len() };
    let values = |of: &[SectorLoad]| -> Vec<f64> {
        let sum = |interval| of.iter().filter_map(|s| s.load_mw.get(interval)).sum::<f64>();
        intervals.iter().flat_map(|interval| [sum(interval); 2]).collect()
    };
    let mut stack: Vec<_> = sectors[..own]
        .iter()
        .zip(SERIES_COLOURS)
        .map(|(s, colour)| Series { name: words(&s.sector), values: values(std::slice::from_ref(s)), colour })
        .collect();
    if own < sectors.len() {
        let colour = SERIES_COLOURS[SERIES_COLOURS.len() - 1];
        stack.push(Series { name: "other".into(), values: values(&sectors[own..]), colour });
    }
    (times, stack)
}

/// A name from a file as words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn draw_kpis(svg: &mut Svg, kpis: &[Kpi], city: &str) {
    let is_of_city = |kpi: &&Kpi| kpi.zone_id.is_empty() || kpi.zone_id == city;
    let mut shown: Vec<_> = kpis.iter().filter(|kpi| kpi.headline).filter(is_of_city).collect();
    // What can be checked comes first, and against what was published before what was estimated; ways of travel come
    // last, because most of them stand beside a survey of the country and not of the city.
    shown.sort_by_key(|kpi| (kpi.published.is_none(), kpi.quality != "sourced", kpi.group == "travel"));
    shown.truncate(KPIS_SHOWN);
    if shown.is_empty() {
        return;
    }
    let (right, top) = (RIGHT_X + RIGHT_WIDTH, KPI_TOP);
    let [simulated, published, deviation] = [right - 215.0, right - 95.0, right];
    svg.text(RIGHT_X, top + 14.0, Type::new(15.0, INK).bold(), "How far to trust it");
    let head = Type::new(12.0, SOFT_INK).anchored(Anchor::End);
    for (x, text) in [(simulated, "simulated"), (published, "published"), (deviation, "deviation")] {
        svg.text(x, top + 14.0, head, text);
    }
    let figure = Type::new(13.5, INK).anchored(Anchor::End);
    for (row, kpi) in shown.iter().enumerate() {
        let y = top + 26.0 + row as f64 * 47.0;
        svg.line([RIGHT_X, y, right, y], r##"stroke="#e1e5e8" stroke-width="1""##);
        let label = words(&kpi.indicator);
        let room = RIGHT_WIDTH - 285.0;
        // A long name is set smaller before it is cut.
        let sizes = [13.5, 12.5, 11.5, 10.5].map(|size| Type::new(size, INK));
        let name = sizes.into_iter().find(|kind| kind.width(&label) <= room).unwrap_or(sizes[3]);
        svg.text(RIGHT_X, y + 18.0, name, &fitted(&label, name, room));
        svg.text(simulated, y + 18.0, figure.bold(), &number(kpi.value));
        let published_text = kpi.published.map_or("\u{2013}".into(), number);
        svg.text(published, y + 18.0, figure, &published_text);
        if let Some(percent) = kpi.deviation_percent() {
            let text = format!("{percent:+.1} %").replace('-', "\u{2212}");
            svg.text(deviation, y + 18.0, figure, &text);
        }
        if !kpi.source.is_empty() {
            let small = Type::new(11.0, SOFT_INK);
            let text = format!("{}; {}: {}", kpi.unit, kpi.quality, kpi.source);
            svg.text(RIGHT_X, y + 34.0, small, &fitted(&text, small, RIGHT_WIDTH));
        }
    }
}

/// A text cut so that it fits, with an ellipsis where it was cut.
fn fitted(text: &str, kind: Type, width: f64) -> String {
    if kind.width(text) <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take((width / kind.width("x")) as usize).collect();
    cut.pop();
    format!("{}\u{2026}", cut.trim_end())
}

fn draw_foot(svg: &mut Svg, attribution: &str, note: &str) {
    let kind = Type::new(11.5, SOFT_INK);
    let room = WIDTH - 64.0 - kind.width(note) - 24.0;
    svg.text(32.0, HEIGHT - 26.0, kind, &fitted(attribution, kind, room));
    svg.text(WIDTH - 32.0, HEIGHT - 26.0, kind.anchored(Anchor::End), note);
}
