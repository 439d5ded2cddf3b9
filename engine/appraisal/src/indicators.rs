//! Figures of one run for the whole city and its zones: table `kpis`, and what follows from it and other tables.

use crate::comparison::Figure;
use crate::read::RunResults;
use std::collections::BTreeMap;
use urbis_core::Result;
use urbis_output::Table;

/// Figures of a run by what they are.
pub(crate) fn of(run: &RunResults, days: f64, city: &str) -> Result<BTreeMap<Figure, f64>> {
    let mut figures = BTreeMap::new();
    let mut city_value = BTreeMap::new();
    let kpis = run.kpis()?;
    let of_zones = kpis.iter().filter(|kpi| kpi.indicator == "residents" && kpi.zone_id != city);
    let residents_of: BTreeMap<String, f64> = of_zones.map(|kpi| (kpi.zone_id.clone(), kpi.value)).collect();
    for kpi in kpis {
        let whole = kpi.zone_id.is_empty() || kpi.zone_id == city;
        if whole {
            city_value.insert(kpi.indicator.clone(), kpi.value);
        }
        let figure = Figure {
            // Policies are told by the runs that have them; elsewhere they take nothing.
            is_sum: kpi.group == "policy",
            subject: kpi.group,
            indicator: kpi.indicator,
            unit: kpi.unit,
            zone_id: (!whole).then_some(kpi.zone_id),
            headline: kpi.headline,
            ..Figure::default()
        };
        figures.insert(figure, kpi.value);
    }
    let mut add = |subject: &str, indicator: &str, unit: &str, headline, value: Option<f64>| {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            figures.insert(Figure::whole(subject, indicator, unit, headline), value);
        }
    };
    let residents = Some(residents_of.values().sum::<f64>()).filter(|r| *r > 0.0);
    let share = |name: &str, by: f64| Some(city_value.get(name)? * by / residents?);
    // Vehicle kilometres, exhaust and electricity of a day over residents.
    add("traffic", "vehicle_km_per_resident", "km/person/day", true, share("vehicle_kilometres", 1.0));
    add("traffic", "co2_per_resident", "kg/person/day", true, share("co2_exhaust", 1000.0));
    add("power", "electricity_per_resident", "kWh/person/day", false, share("electricity_use_day", 1e6));
    add("power", "peak_demand_per_resident", "kW/person", false, share("electricity_peak", 1000.0));
    if run.has(Table::LinkState) {
        let info = run.info()?;
        let roads = roads(run, info.local_offset_ms)?;
        let scale = 1.0 / info.sample_factor;
        // Delay against free speed of all vehicles, and mean vehicle hours per vehicle in hours of the morning peak.
        add("traffic", "vehicle_hours_of_delay", "h/day", true, Some(roads.delay_s * scale / 3600.0 / days));
        let each = residents.map(|r| roads.delay_s * scale / 3600.0 / days / r);
        add("traffic", "delay_hours_per_resident", "h/person/day", false, each);
        add("traffic", "peak_mean_speed", "km/h", true, Some(3.6 * roads.peak_m / roads.peak_s));
    }
    accessibility(run, &residents_of, &mut add)?;
    Ok(figures)
}

#[derive(Default)]
struct Roads {
    delay_s: f64,
    peak_m: f64,
    peak_s: f64,
}

/// Local hours of the two peaks, 7 to 9 and 17 to 19.
fn is_peak(hour: u8) -> bool {
    matches!(hour, 7 | 8 | 17 | 18)
}

fn roads(run: &RunResults, offset_ms: i64) -> Result<Roads> {
    let mut sums = Roads::default();
    let columns = ["time", "left_veh", "travel_time_s", "speed_mps", "delay_s"];
    run.for_each_batch(Table::LinkState, &columns, |batch| {
        let (left, time, speed, delay) =
            (batch.count("left_veh"), batch.real("travel_time_s"), batch.real("speed_mps"), batch.real("delay_s"));
        let (times, speeds) = (time.values(), speed.values());
        for row in 0..batch.rows() {
            sums.delay_s += delay.value(row);
            if left.value(row) > 0 && is_peak(crate::place_values::local_hour(batch.time_ms("time", row), offset_ms)) {
                let seconds = left.value(row) as f64 * times[row];
                sums.peak_s += seconds;
                sums.peak_m += seconds * speeds[row];
            }
        }
        Ok(())
    })?;
    Ok(sums)
}

/// Mean, Gini and Palma of jobs that residents of a zone reach, weighted by residents; one set for each mode and limit.
fn accessibility(
    run: &RunResults,
    residents: &BTreeMap<String, f64>,
    add: &mut impl FnMut(&str, &str, &str, bool, Option<f64>),
) -> Result<()> {
    if !run.has(Table::Accessibility) {
        return Ok(());
    }
    let mut reached: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let columns = ["zone_id", "group", "mode", "opportunity", "limit_s", "opportunities"];
    run.for_each_batch(Table::Accessibility, &columns, |batch| {
        for row in 0..batch.rows() {
            let text = |name| batch.text(name).value(row);
            if text("group") == "all" && text("opportunity") == "jobs" {
                let minutes = batch.real("limit_s").value(row) / 60.0;
                let weight = residents.get(text("zone_id")).copied().unwrap_or(0.0);
                let name = format!("{}_{minutes:.0}min", text("mode"));
                reached.entry(name).or_default().push((batch.real("opportunities").value(row), weight));
            }
        }
        Ok(())
    })?;
    for (name, values) in reached {
        let weight: f64 = values.iter().map(|v| v.1).sum();
        let mean = values.iter().map(|v| v.0 * v.1).sum::<f64>() / weight;
        add("access", &format!("jobs_reached_{name}"), "jobs", false, Some(mean));
        add("access", &format!("gini_jobs_{name}"), "0 to 1", false, crate::appraisal::equity::gini(&values));
        add("access", &format!("palma_jobs_{name}"), "ratio", false, crate::appraisal::equity::palma(&values));
    }
    Ok(())
}
