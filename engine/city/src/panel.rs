//! The panel: statistical small data, one figure a row, each with its source and quality.
//!
//! It comes from a CSV or Parquet file, from columns of the zones' own file or another table, and from
//! estimates of the recipe (`factor` times the city's sum of another indicator, split over zones in
//! whole units by the largest remainder). A figure belongs to a zone, to several joined by `+`, or to
//! the whole city by its name; anything else is a problem. Zones merged by the recipe add up.
//!
//! Ignores: units are carried, not converted. Rows keep the order file, columns, estimates; pure
//! functions, single-threaded, deterministic.

use crate::geoparquet::TableReader;
use crate::model::{PanelRow, Quality};
use crate::recipe::{PanelEstimate, PanelFrom};
use crate::table::Table;
use crate::vector::{Layer, Value};
use std::collections::BTreeMap;
use std::path::Path;
use urbis_core::columns::apportion;
use urbis_core::diagnostics::did_you_mean;
use urbis_core::{Problem, Problems, Result, ZoneIx};

/// The zones a panel may speak of.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// Name of the whole city.
    pub city: &'a str,
    /// Zone ids, sorted.
    pub zones: &'a [String],
}

impl Places<'_> {
    /// What is wrong with the place of a figure, if anything: the part that is unknown and a near name.
    fn unknown<'b>(&self, zone_id: &'b str) -> Option<(&'b str, Option<&str>)> {
        let known = |part: &str| part == self.city || self.zones.iter().any(|zone| zone == part);
        let part = zone_id.split('+').find(|part| !known(part))?;
        let names = self.zones.iter().map(String::as_str).chain([self.city]);
        Some((part, did_you_mean(part, names)))
    }
}

/// Reads a panel file.
///
/// # Errors
/// Missing columns, values that are no numbers, unknown qualities, unknown zones.
pub fn read(path: &Path, places: Places<'_>) -> Result<Vec<PanelRow>> {
    let rows = if path.extension().is_some_and(|extension| extension == "parquet") {
        crate::package_read::read_panel(TableReader::read(path)?)?
    } else {
        read_csv(path)?
    };
    let mut problems = Problems::new();
    for (row, figure) in rows.iter().enumerate() {
        if let Some((part, near)) = places.unknown(&figure.zone_id) {
            let expected = format!("a zone, `{}`, or several joined by +", places.city);
            let problem = Problem::value(path, row + 1, Some(&figure.indicator), "zone_id", part, expected);
            problems.push(match near {
                Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
    }
    problems.or_else(rows)
}

fn read_csv(path: &Path) -> Result<Vec<PanelRow>> {
    let table = Table::read(path)?.with_id("indicator");
    let mut problems = Problems::new();
    let names = ["zone_id", "period", "indicator", "value", "unit", "source", "quality"];
    let columns = table.required_all(names, &mut problems);
    problems.or_else(())?;
    let Some([zone_id, period, indicator, value, unit, source, quality]) = columns else { return Ok(Vec::new()) };
    let mut problems = Problems::new();
    let words = Quality::NAMED.map(|(quality, name)| (name, quality));
    let mut rows = Vec::with_capacity(table.len());
    for row in table.rows() {
        let zone = row.required_text(zone_id, &mut problems);
        let what = row.required_text(indicator, &mut problems);
        let when = row.required_text(period, &mut problems);
        let figure = row.finite(value, &mut problems);
        let trust = row.one_of(quality, &mut problems, &words);
        if let (Some(zone), Some(what), Some(when), Some(value), Some(quality)) = (zone, what, when, figure, trust) {
            rows.push(PanelRow {
                zone_id: zone.to_owned(),
                period: when.to_owned(),
                indicator: what.to_owned(),
                value,
                unit: row.text(unit).to_owned(),
                source: row.text(source).to_owned(),
                quality,
            });
        }
    }
    problems.or_else(rows)
}

/// Panel rows from columns of a layer whose rows belong to zones. Rows of one zone add up.
///
/// # Errors
/// Missing fields, and values that are no numbers.
pub fn from_columns(
    from: &PanelFrom,
    layer: &Layer,
    zone_of_row: &[ZoneIx],
    places: Places<'_>,
) -> Result<Vec<PanelRow>> {
    let mut problems = Problems::new();
    let mut fields = BTreeMap::new();
    for (field, indicator) in &from.columns {
        fields.insert(indicator, layer.field(field, &mut problems).map(|at| (field, at)));
    }
    problems.or_else(())?;
    let mut problems = Problems::new();
    let mut rows = Vec::new();
    let quality = Quality::from_name(&from.quality).unwrap_or_default();
    for (indicator, (field, at)) in fields.into_iter().filter_map(|(indicator, field)| Some((indicator, field?))) {
        let mut sums: Vec<Option<f64>> = vec![None; places.zones.len()];
        for (row, (feature, zone)) in layer.features.iter().zip(zone_of_row).enumerate() {
            match feature.values[at].as_ref().map(Value::number) {
                // A blank cell is a figure that is not known, not a zero.
                None => {}
                Some(Some(number)) if zone.is_some() => {
                    let sum = &mut sums[zone.row()];
                    *sum = Some(sum.unwrap_or(0.0) + number);
                }
                Some(Some(_)) => {}
                Some(None) => {
                    let value = feature.values[at].as_ref().map(Value::text).unwrap_or_default();
                    let id = zone.is_some().then(|| places.zones[zone.row()].as_str());
                    problems.push(layer.problem(row, id, field, &value, "a number"));
                }
            }
        }
        let row = |zone_id: &str, value: f64, source: String| PanelRow {
            zone_id: zone_id.to_owned(),
            period: from.period.clone(),
            indicator: indicator.clone(),
            value,
            unit: from.unit.clone(),
            source,
            quality,
        };
        let known = sums.iter().zip(places.zones).filter_map(|(sum, zone)| Some((zone, (*sum)?)));
        rows.extend(known.map(|(zone, sum)| row(zone, sum, from.source.clone())));
        if from.total && sums.iter().any(Option::is_some) {
            let total: f64 = sums.iter().flatten().sum();
            rows.push(row(places.city, total, format!("sum over zones: {}", from.source)));
        }
    }
    problems.or_else(rows)
}

/// Leaves out sums over zones where the city has a figure of its own for the indicator.
pub fn drop_needless_totals(own: &[PanelRow], derived: &mut Vec<PanelRow>, city: &str) {
    let has = |indicator: &str| own.iter().any(|row| row.zone_id == city && row.indicator == indicator);
    derived.retain(|row| row.zone_id != city || !has(&row.indicator));
}

/// Figures that nobody publishes, for every zone and the city. `road_weights` are the zones' lane
/// lengths of main roads.
///
/// # Errors
/// When an indicator it follows or spreads by is not known for every zone.
pub fn estimate(
    of: &PanelEstimate,
    panel: &[PanelRow],
    places: Places<'_>,
    road_weights: &[f64],
    recipe_path: &Path,
) -> Result<Vec<PanelRow>> {
    let mut problems = Problems::new();
    let mut by_zone = |indicator: &str| {
        let found: Vec<Option<&PanelRow>> = places.zones.iter().map(|zone| latest(panel, zone, indicator)).collect();
        if let Some(missing) = found.iter().position(Option::is_none) {
            let what = format!(
                "[[panel.estimate]] {} needs {indicator} of every zone, and {} has none",
                of.indicator, places.zones[missing]
            );
            problems.push(Problem::file(recipe_path, what));
        }
        found.iter().map(|row| row.map_or(0.0, |row| row.value)).collect::<Vec<f64>>()
    };
    let base = by_zone(&of.per);
    let mut weights = vec![0.0; places.zones.len()];
    for (by, &share) in &of.spread {
        let values = if by == "main_roads" { road_weights.to_vec() } else { by_zone(by) };
        let sum: f64 = values.iter().sum();
        if sum > 0.0 {
            weights.iter_mut().zip(&values).for_each(|(weight, value)| *weight += share * value / sum);
        }
    }
    problems.or_else(())?;
    let total = (of.factor * base.iter().sum::<f64>()).round().clamp(0.0, f64::from(u32::MAX)) as u32;
    let weights = if weights.iter().sum::<f64>() > 0.0 { weights } else { base };
    let period = places.zones.iter().filter_map(|zone| latest(panel, zone, &of.per)).map(|row| &row.period).max();
    let row = |zone_id: &str, value: u32| PanelRow {
        zone_id: zone_id.to_owned(),
        period: period.cloned().unwrap_or_default(),
        indicator: of.indicator.clone(),
        value: f64::from(value),
        unit: of.unit.clone(),
        source: format!("estimate: {} x {}; {}", of.factor, of.per, of.note),
        quality: Quality::Estimate,
    };
    let mut rows: Vec<PanelRow> =
        places.zones.iter().zip(apportion(total, &weights)).map(|(zone, part)| row(zone, part)).collect();
    rows.push(row(places.city, total));
    Ok(rows)
}

/// The latest figure of an indicator for a place, by period; of equal periods the last row.
#[must_use]
pub fn latest<'a>(panel: &'a [PanelRow], zone_id: &str, indicator: &str) -> Option<&'a PanelRow> {
    let rows = panel.iter().filter(|row| row.zone_id == zone_id && row.indicator == indicator);
    rows.max_by(|a, b| a.period.cmp(&b.period))
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::Error;

    const HEADER: &str = "zone_id,period,indicator,value,unit,source,quality\n";

    fn zones() -> Vec<String> {
        ["east", "west"].map(str::to_owned).to_vec()
    }

    fn read_text(text: &str) -> Result<Vec<PanelRow>> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("panel.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, Places { city: "town", zones: &zones() })
    }

    fn said<T>(result: Result<T>) -> String {
        let Error::Input(problems) = result.err().unwrap() else { panic!() };
        problems.listed().iter().map(|p| format!("{p} {}\n", p.help_text().unwrap_or_default())).collect()
    }

    #[test]
    fn figures_of_zones_of_several_and_of_the_city() {
        let rows = read_text(&format!(
            "{HEADER}east,2024,residents,10,persons,x,sourced\neast+west,2024,dwellings_share,46,percent,x,estimate\ntown,2024,residents,30,persons,\"a, b\",recalled\n"
        ))
        .unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[2].source, "a, b");
        assert_eq!(rows[1].quality, Quality::Estimate);
    }

    #[test]
    fn every_bad_row_is_named() {
        let all = said(read_text(&format!(
            "{HEADER}eats,2024,residents,10,persons,x,sourced\neast+north,2024,jobs,1,,x,sourced\n"
        )));
        assert!(all.contains("panel.csv row 1 (id residents): zone_id = eats, expected a zone, `town`"), "{all}");
        assert!(all.contains("did you mean `east`?") && all.contains("row 2 (id jobs): zone_id = north"), "{all}");
        let all = said(read_text(&format!("{HEADER}east,2024,residents,ten,persons,x,good\n")));
        assert!(all.contains("value = ten") && all.contains("quality = good"), "{all}");
        assert!(said(read_text("zone_id,period,indicator,value,unit,source\n")).contains("quality"));
    }

    #[test]
    fn columns_become_rows_and_estimates_add_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("cells.csv");
        std::fs::write(&path, "id,lon,lat,population\na,1,1,10\nb,1,2,20\nc,1,3,\nd,1,4,5\n").unwrap();
        let layer = Layer::read(&path, None).unwrap();
        let (zones, from) = (zones(), |column: &str| PanelFrom {
            path: None,
            layer: None,
            id_field: None,
            columns: BTreeMap::from([(column.to_owned(), "residents".to_owned())]),
            period: "2020".to_owned(),
            unit: "persons".to_owned(),
            source: "census".to_owned(),
            quality: "sourced".to_owned(),
            total: true,
            licence: None,
            attribution: None,
        });
        let places = Places { city: "town", zones: &zones };
        let of_row = [ZoneIx(0), ZoneIx(0), ZoneIx(1), ZoneIx(1)];
        let mut rows = from_columns(&from("population"), &layer, &of_row, places).unwrap();
        let values: Vec<(&str, f64)> = rows.iter().map(|r| (r.zone_id.as_str(), r.value)).collect();
        assert_eq!(values, [("east", 30.0), ("west", 5.0), ("town", 35.0)]);
        assert!(said(from_columns(&from("populaton"), &layer, &of_row, places)).contains("did you mean `population`?"));
        assert!(
            said(from_columns(&from("id"), &layer, &of_row, places))
                .contains("row 1 (id east): id = a, expected a number")
        );
        let jobs = |spread: &[(&str, f64)]| PanelEstimate {
            indicator: "jobs".to_owned(),
            per: "residents".to_owned(),
            factor: 0.4,
            unit: "jobs".to_owned(),
            spread: spread.iter().map(|(by, share)| ((*by).to_owned(), *share)).collect(),
            note: "n".to_owned(),
        };
        let half = jobs(&[("residents", 0.5), ("main_roads", 0.5)]);
        let made = estimate(&half, &rows, places, &[0.0, 100.0], Path::new("c.toml")).unwrap();
        let values: Vec<f64> = made.iter().map(|r| r.value).collect();
        assert_eq!(values.iter().map(|v| *v as u32).collect::<Vec<_>>(), [6, 8, 14]);
        assert!(made.iter().all(|r| r.quality == Quality::Estimate && r.period == "2020"));
        let said_all = said(estimate(&jobs(&[("pupils", 1.0)]), &rows, places, &[0.0, 1.0], Path::new("c.toml")));
        assert!(said_all.contains("needs pupils of every zone, and east has none"), "{said_all}");
        let own = vec![rows[2].clone()];
        drop_needless_totals(&own, &mut rows, "town");
        assert_eq!(rows.len(), 2);
    }
}
