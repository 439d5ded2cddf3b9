//! `[RAINGAGES]`, `[SUBCATCHMENTS]`, `[SUBAREAS]`, `[INFILTRATION]` and `[POLYGONS]`.

use super::super::infiltration::Soil;
use super::super::network::{InnerRoute, NONE, Sewer, Target};
use super::super::rain::Gage;
use super::super::time::{DAY_S, parse_time};
use super::lines::{Kind, Reader, Row, is_given};
use super::rows_of;

/// Fills gages and subcatchments.
pub(super) fn read(reader: &mut Reader<'_>, rows: &[Row<'_>], sewer: &mut Sewer) {
    for row in rows_of(rows, &[Kind::RainGages]) {
        if Reader::is_first(&reader.gages, row, sewer.gages.len()) {
            let gage = gage(reader, row, sewer);
            sewer.gages.push(gage);
        }
    }
    for row in rows_of(rows, &[Kind::Subcatchments]) {
        if Reader::is_first(&reader.subcatchments, row, sewer.subcatchments.id.len()) {
            subcatchment(reader, row, sewer);
        }
    }
    let count = sewer.subcatchments.id.len();
    let (mut has_areas, mut has_soil) = (vec![false; count], vec![false; count]);
    for row in rows {
        let is_of_one = matches!(row.kind, Kind::Subareas | Kind::Infiltration | Kind::Polygons);
        if !is_of_one {
            continue;
        }
        let found = reader.find(row, 0, "subcatchment", |reader| &reader.subcatchments);
        let Some(at) = (found != NONE).then_some(found as usize) else { continue };
        match row.kind {
            Kind::Subareas => {
                has_areas[at] = true;
                subareas(reader, row, sewer, at);
            }
            Kind::Infiltration => {
                has_soil[at] = true;
                if let Some(soil) = soil(reader, row) {
                    sewer.subcatchments.soil[at] = soil;
                }
            }
            _ => {
                let corner = (reader.number(row, 1, "x"), reader.number(row, 2, "y"));
                sewer.subcatchments.polygon[at].push(corner);
            }
        }
    }
    let lines: Vec<usize> = rows_of(rows, &[Kind::Subcatchments]).iter().map(|row| row.line).collect();
    for at in 0..count {
        let (id, line) = (&sewer.subcatchments.id[at], lines.get(at).copied().unwrap_or(1));
        if !has_areas[at] {
            reader.problem_at(line, format_args!("subcatchment {id} is not in [SUBAREAS], expected it there"));
        }
        if !has_soil[at] && sewer.subcatchments.sealed_share[at] < 1.0 {
            reader.notes.push(format!("subcatchment {id} is not in [INFILTRATION]: nothing infiltrates"));
        }
    }
}

fn gage(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &Sewer) -> Gage {
    let form = row.keyword(1);
    let interval = row.word(2).and_then(|word| parse_time(word, true)).filter(|&seconds| seconds > 0.0);
    let interval_s = interval.unwrap_or_else(|| {
        reader.value(row, 2, "interval", "a time above 0 such as 0:15");
        1.0
    });
    let mut gage = Gage { id: row.id().to_owned(), interval_s, ..Gage::default() };
    if row.keyword(4) != "TIMESERIES" {
        reader.value(row, 4, "source", "TIMESERIES: rain in other files is not understood");
        return gage;
    }
    let series = reader.find(row, 5, "series", |reader| &reader.series);
    let Some(table) = sewer.series.get(series as usize) else { return gage };
    let unit = reader.units.rain_m();
    let mut fallen = 0.0;
    for (&begin, &value) in table.x.iter().zip(&table.y) {
        let depth = match form.as_str() {
            "INTENSITY" => value * interval_s / 3600.0,
            "VOLUME" => value,
            "CUMULATIVE" => {
                let since = if value < fallen { value } else { value - fallen };
                fallen = value;
                since
            }
            _ => {
                reader.value(row, 1, "form", "INTENSITY, VOLUME or CUMULATIVE");
                return gage;
            }
        };
        if depth < 0.0 {
            reader.value(row, 5, "series", "one without negative rain");
            return gage;
        }
        if depth > 0.0 {
            gage.begin_s.push(begin);
            gage.rain_mps.push(depth * unit / interval_s);
        }
    }
    gage
}

fn subcatchment(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &mut Sewer) {
    let units = reader.units;
    let gage = if is_given(row, 1) { reader.find(row, 1, "rain gage", |reader| &reader.gages) } else { NONE };
    let key = row.keyword(2);
    let (node, other) = (reader.nodes.get(&key).copied(), reader.subcatchments.get(&key).copied());
    let target = match (node, other) {
        (Some(node), None) => Target::Node(node),
        (None, Some(other)) => Target::Subcatchment(other),
        (None, None) => {
            reader.value(row, 2, "outlet", "a node or subcatchment that the file has");
            Target::Node(0)
        }
        (Some(_), Some(_)) => {
            reader.value(row, 2, "outlet", "a name that is a node's or a subcatchment's, not both");
            Target::Node(0)
        }
    };
    let area = units.land_m2() * reader.at_least_0(row, 3, "area");
    let sealed = reader.at_least_0(row, 4, "percent impervious").min(100.0) / 100.0;
    let width = units.length_m() * reader.at_least_0(row, 5, "width");
    let slope = reader.at_least_0(row, 6, "percent slope") / 100.0;
    if is_given(row, 8) {
        reader.notes.push(format!("line {}: snow pack {} was left out", row.line, row.words[8]));
    }
    let to = &mut sewer.subcatchments;
    to.id.push(row.id().to_owned());
    to.gage.push(gage);
    to.target.push(target);
    to.area_m2.push(area);
    to.sealed_share.push(sealed);
    to.width_m.push(width);
    to.slope.push(slope);
    to.roughness.push([0.0; 3]);
    to.depression_m.push([0.0; 3]);
    to.bare_share.push(0.0);
    to.route.push(InnerRoute::Outlet);
    to.routed_share.push(0.0);
    to.soil.push(Soil::Horton {
        first_mps: 0.0,
        last_mps: 0.0,
        decay_per_s: 0.0,
        recovery_per_s: 0.0,
        most_m: 0.0,
        is_modified: false,
    });
    to.polygon.push(Vec::new());
}

fn subareas(reader: &mut Reader<'_>, row: &Row<'_>, sewer: &mut Sewer, at: usize) {
    let sealed_n = reader.at_least_0(row, 1, "n of sealed ground");
    let open_n = reader.at_least_0(row, 2, "n of open ground");
    let unit = reader.units.rain_m();
    let sealed_s = unit * reader.at_least_0(row, 3, "storage of sealed ground");
    let open_s = unit * reader.at_least_0(row, 4, "storage of open ground");
    let percent = |reader: &mut Reader<'_>, at: usize, field: &str| {
        reader.number_where(row, at, field, "percent from 0 to 100", |value| (0.0..=100.0).contains(&value)) / 100.0
    };
    let bare = percent(reader, 5, "percent without storage");
    let route = match row.keyword(6).as_str() {
        "OUTLET" => InnerRoute::Outlet,
        "PERVIOUS" => InnerRoute::Pervious,
        "IMPERVIOUS" => InnerRoute::Impervious,
        _ => {
            reader.value(row, 6, "route to", "OUTLET, PERVIOUS or IMPERVIOUS");
            InnerRoute::Outlet
        }
    };
    let routed = if is_given(row, 7) { percent(reader, 7, "percent routed") } else { 1.0 };
    let to = &mut sewer.subcatchments;
    to.roughness[at] = [sealed_n, sealed_n, open_n];
    to.depression_m[at] = [0.0, sealed_s, open_s];
    (to.bare_share[at], to.route[at], to.routed_share[at]) = (bare, route, routed);
}

/// A soil; the last word may name its method, otherwise the options do.
fn soil(reader: &mut Reader<'_>, row: &Row<'_>) -> Option<Soil> {
    let (depth, rate) = (reader.units.rain_m(), reader.units.rain_mps());
    let named = row.words.last().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let is_named = named.starts_with(|letter: char| letter.is_ascii_alphabetic()) && row.words.len() > 1;
    let method = if is_named { named } else { reader.infiltration.clone() };
    match method.as_str() {
        "" | "HORTON" | "MODIFIED_HORTON" => {
            let first_mps = rate * reader.at_least_0(row, 1, "maximum rate");
            let last_mps = rate * reader.at_least_0(row, 2, "minimum rate");
            let decay_per_s = reader.at_least_0(row, 3, "decay") / 3600.0;
            let drying_days = reader.at_least_0(row, 4, "drying time");
            let most_m = match (is_given(row, 5), is_named && row.words.len() == 6) {
                (true, false) => depth * reader.at_least_0(row, 5, "maximum volume"),
                _ => 0.0,
            };
            if first_mps < last_mps {
                reader.value(row, 1, "maximum rate", "at least the minimum rate");
            }
            // 98 percent dry after the drying time.
            let recovery_per_s = -(0.02_f64).ln() / drying_days.max(1e-6) / DAY_S;
            let is_modified = method == "MODIFIED_HORTON";
            Some(Soil::Horton { first_mps, last_mps, decay_per_s, recovery_per_s, most_m, is_modified })
        }
        "GREEN_AMPT" | "MODIFIED_GREEN_AMPT" => {
            let suction_m = depth * reader.at_least_0(row, 1, "suction");
            let conductivity_mps = rate * reader.above_0(row, 2, "conductivity");
            let is_share = |at: f64| (0.0..=1.0).contains(&at);
            let deficit = reader.number_where(row, 3, "initial deficit", "a number from 0 to 1", is_share);
            let is_modified = method == "MODIFIED_GREEN_AMPT";
            Some(Soil::GreenAmpt { suction_m, conductivity_mps, deficit, is_modified })
        }
        "CURVE_NUMBER" => {
            let number = reader.at_least_0(row, 1, "curve number").clamp(10.0, 99.0);
            let drying_days = reader.above_0(row, 3, "drying time");
            let most_m = (1000.0 / number - 10.0) * 0.0254;
            Some(Soil::CurveNumber { most_m, recovery_per_s: 1.0 / (drying_days * DAY_S) })
        }
        _ => {
            let expected = "HORTON, MODIFIED_HORTON, GREEN_AMPT, MODIFIED_GREEN_AMPT or CURVE_NUMBER";
            reader.value(row, row.words.len() - 1, "method", expected);
            None
        }
    }
}
