//! Indicators of the roads, from table `link_state` and the layer of links: indices of congestion, speeds, vehicle
//! kilometres, delay, exhaust.
//!
//! Peaks are the local hours from 7 to 9 and from 17 to 19. Roads that stand for the world outside do not count. Free
//! speeds are those of the layer, so a speed limit that a scenario sets lengthens times against them; delay is against the
//! free speeds of the run.

use super::facts::Facts;
use super::sheet::{Place, Sheet};
use crate::appraisal::values::{Name, Values};
use crate::read::RunResults;
use arrow::array::Array;
use std::collections::BTreeMap;
use urbis_core::{Problems, Result};
use urbis_output::Table;

/// Hours of a day.
pub(crate) const HOURS: usize = 24;
/// Energy of a kilogram of petrol or diesel, J (IPCC 2006, volume 2, table 1.2: 44.3 and 43.0 MJ/kg, their mean).
const FUEL_J_PER_KG: f64 = 43.7e6;
/// Indicators that come from the roads.
const NUMBERS: [u8; 8] = [1, 2, 6, 7, 8, 20, 55, 57];

/// The layer of links.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    pub(crate) row: BTreeMap<String, usize>,
    pub(crate) class: Vec<String>,
    pub(crate) zone: Vec<Option<String>>,
    pub(crate) length_m: Vec<f64>,
    pub(crate) free_mps: Vec<f64>,
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
    pub(crate) modes: Vec<String>,
    pub(crate) way: Vec<i64>,
}

impl Links {
    pub(crate) fn read(run: &RunResults) -> Result<Self> {
        let (layer, mut problems) = (run.layer("links")?, Problems::new());
        let ids = layer.text("id", &mut problems);
        let links = Self {
            row: ids.into_iter().enumerate().map(|(row, id)| (id, row)).collect(),
            class: layer.text("class", &mut problems),
            zone: layer.text_or_null("zone_id", &mut problems),
            length_m: layer.number("length_m", &mut problems),
            free_mps: layer.number("speed_mps_free", &mut problems),
            from: layer.text("from_node", &mut problems),
            to: layer.text("to_node", &mut problems),
            modes: layer.text("modes", &mut problems),
            way: layer.whole("way_id", &mut problems),
        };
        problems.or_else(links)
    }
    /// Whether a means may use a link.
    pub(crate) fn lets(&self, row: usize, mode: &str) -> bool {
        self.modes[row].split(',').any(|own| own == mode)
    }
    pub(crate) fn is_external(&self, row: usize) -> bool {
        self.class[row] == "external"
    }
}

/// Sums of a place and hour.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    way_m: f64,
    time_s: f64,
    free_s: f64,
    delay_s: f64,
    nox_g: f64,
    pm_g: f64,
    co2_kg: f64,
    fuel_kg: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.way_m += other.way_m;
        self.time_s += other.time_s;
        self.free_s += other.free_s;
        self.delay_s += other.delay_s;
        self.nox_g += other.nox_g;
        self.pm_g += other.pm_g;
        self.co2_kg += other.co2_kg;
        self.fuel_kg += other.fuel_kg;
    }
}

/// What noise needs of a link by hour of the day: vehicles of the period and the seconds that they took.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkHours {
    /// Shape: links x hours.
    pub(crate) vehicles: Vec<f32>,
    /// Shape: links x hours.
    pub(crate) seconds: Vec<f32>,
}

/// Local hours of the two peaks.
pub(crate) fn is_peak(hour: u8) -> bool {
    matches!(hour, 7 | 8 | 17 | 18)
}

#[derive(Default)]
struct Course {
    /// By zone (none outside of all) and hour.
    places: BTreeMap<Option<String>, [Sums; HOURS]>,
    /// By day of the period: vehicle seconds in peaks, and at free speed.
    days: BTreeMap<i64, [f64; 2]>,
    way_m_by_class: BTreeMap<String, f64>,
    hours: LinkHours,
}

fn read(facts: &Facts<'_>, links: &Links) -> Result<Course> {
    let count = links.class.len();
    let mut course = Course::default();
    course.hours.vehicles.resize(count * HOURS, 0.0);
    course.hours.seconds.resize(count * HOURS, 0.0);
    let columns = ["time", "link_id", "left_veh", "travel_time_s", "delay_s", "fuel_kg", "co2_kg", "nox_g", "pm_g"];
    facts.run.for_each_batch(Table::LinkState, &columns, |batch| {
        let (left, time) = (batch.count("left_veh"), batch.real("travel_time_s"));
        let [delay, fuel, co2, nox, pm] =
            ["delay_s", "fuel_kg", "co2_kg", "nox_g", "pm_g"].map(|name| batch.real(name));
        for row in 0..batch.rows() {
            let Some(&link) = links.row.get(batch.text("link_id").value(row)) else { continue };
            if links.is_external(link) {
                continue;
            }
            let moment = batch.time_ms("time", row);
            let hour = facts.hour(moment);
            let vehicles = left.value(row) as f64;
            let seconds = if time.is_valid(row) { vehicles * time.value(row) } else { 0.0 };
            let sums = Sums {
                way_m: vehicles * links.length_m[link],
                time_s: seconds,
                free_s: vehicles * links.length_m[link] / links.free_mps[link],
                delay_s: delay.value(row),
                nox_g: nox.value(row),
                pm_g: pm.value(row),
                co2_kg: co2.value(row),
                fuel_kg: fuel.value(row),
            };
            course.places.entry(links.zone[link].clone()).or_default()[usize::from(hour)].add(&sums);
            *course.way_m_by_class.entry(links.class[link].clone()).or_default() += sums.way_m;
            course.hours.vehicles[link * HOURS + usize::from(hour)] += vehicles as f32;
            course.hours.seconds[link * HOURS + usize::from(hour)] += seconds as f32;
            if is_peak(hour) {
                let day = (moment + facts.info.local_offset_ms).div_euclid(86_400_000);
                let of_day = course.days.entry(day).or_default();
                of_day[0] += sums.time_s;
                of_day[1] += sums.free_s;
            }
        }
        Ok(())
    })?;
    Ok(course)
}

/// Puts what the roads tell into a sheet; vehicles by link and hour for what is built on them.
pub(crate) fn measure(facts: &Facts<'_>, links: &Links, sheet: &mut Sheet) -> Result<Option<LinkHours>> {
    if !facts.can_use(Table::LinkState, sheet, &NUMBERS) {
        without_links(facts, sheet)?;
        return Ok(None);
    }
    let course = read(facts, links)?;
    let a_day = facts.scale / facts.days;
    let (mut whole, mut peaks) = (Sums::default(), Sums::default());
    let mut by_hour = [Sums::default(); HOURS];
    for (zone, hours) in &course.places {
        let (mut day, mut peak) = (Sums::default(), Sums::default());
        for (hour, sums) in hours.iter().enumerate() {
            by_hour[hour].add(sums);
            day.add(sums);
            if is_peak(hour as u8) {
                peak.add(sums);
            }
        }
        whole.add(&day);
        peaks.add(&peak);
        if let Some(zone) = zone {
            congestion(sheet, &Place::zone(zone), &peak);
            pollutants(sheet, &Place::zone(zone), &day, a_day);
        }
    }
    congestion(sheet, &Place::default(), &peaks);
    pollutants(sheet, &Place::default(), &whole, a_day);
    for (hour, sums) in by_hour.iter().enumerate() {
        let place = Place::hour(hour as u8);
        congestion(sheet, &place, sums);
        pollutants(sheet, &place, sums, a_day);
    }
    if peaks.time_s <= 0.0 {
        sheet.all_absent(&[1, 2, 6], "no vehicle was on the road in the peaks (7 to 9 and 17 to 19, local time)");
    }
    sheet.peak_indices = course.days.values().filter(|day| day[1] > 0.0).map(|day| day[0] / day[1]).collect();
    sheet.energy_j.insert("road fuel", whole.fuel_kg * a_day * FUEL_J_PER_KG);
    if let Some(residents) = facts.residents_for(sheet, &[7, 8, 20, 55]) {
        let days_per_year = Values::shipped()?.get(Name::DaysPerYear);
        let mut per_capita = |place: Place, sums: &Sums| {
            let each = a_day / residents;
            sheet.put_at(7, "", "km/person/day", place.clone(), sums.way_m / 1000.0 * each);
            sheet.put_at(8, "", "h/person/day", place.clone(), sums.delay_s / 3600.0 * each);
            sheet.put_at(55, "", "t/person/yr", place, sums.co2_kg / 1000.0 * each * days_per_year);
        };
        per_capita(Place::default(), &whole);
        for (hour, sums) in by_hour.iter().enumerate() {
            per_capita(Place::hour(hour as u8), sums);
        }
        deaths(facts, &course, residents, days_per_year, sheet);
    }
    sheet.note(55, "carbon dioxide alone; a year has the working days of the appraisal's unit values");
    sheet.note(57, "particles of exhaust and wear together: the run does not part PM2.5 and PM10");
    Ok(Some(course.hours))
}

fn congestion(sheet: &mut Sheet, place: &Place, sums: &Sums) {
    if sums.free_s > 0.0 && sums.time_s > 0.0 {
        sheet.put_at(1, "", "ratio", place.clone(), sums.time_s / sums.free_s);
        sheet.put_at(6, "", "km/h", place.clone(), 3.6 * sums.way_m / sums.time_s);
    }
}

fn pollutants(sheet: &mut Sheet, place: &Place, sums: &Sums, a_day: f64) {
    sheet.put_at(57, "nitrogen_oxides", "kg/day", place.clone(), sums.nox_g / 1000.0 * a_day);
    sheet.put_at(57, "particles", "kg/day", place.clone(), sums.pm_g / 1000.0 * a_day);
}

/// Expected deaths of a year from vehicle kilometres by class, for each 100,000 residents.
fn deaths(facts: &Facts<'_>, course: &Course, residents: f64, days_per_year: f64, sheet: &mut Sheet) {
    let rates = facts.figure("road_deaths_motorway").and_then(|a| Ok([a, facts.figure("road_deaths_other_roads")?]));
    let [motorway, other] = match rates {
        Ok(rates) => rates,
        Err(why) => return sheet.absent(20, why),
    };
    let a_year = facts.scale / facts.days * days_per_year;
    let deaths =
        |(class, way_m): (&String, &f64)| way_m / 1000.0 * if class == "motorway" { motorway } else { other } / 1e9;
    let deaths: f64 = course.way_m_by_class.iter().map(deaths).sum();
    sheet.put(20, "", "deaths/100k/yr", deaths * a_year / residents * 1e5);
    sheet.note(20, "what the given rates expect of the vehicle kilometres; the run has no crashes");
}

/// What table `kpis` tells where the state of links was not written.
fn without_links(facts: &Facts<'_>, sheet: &mut Sheet) -> Result<()> {
    let nox = facts.kpi("nox_exhaust").zip(facts.kpi("particles"));
    if let Some((nox, particles)) = nox {
        sheet.put(57, "nitrogen_oxides", "kg/day", nox);
        sheet.put(57, "particles", "kg/day", particles);
    }
    let Some(residents) = facts.residents else { return Ok(()) };
    if let Some(kilometres) = facts.kpi("vehicle_kilometres") {
        sheet.put(7, "", "km/person/day", kilometres / residents);
    }
    if let Some(tonnes) = facts.kpi("co2_exhaust") {
        let a_year = Values::shipped()?.get(Name::DaysPerYear);
        sheet.put(55, "", "t/person/yr", tonnes * a_year / residents);
    }
    Ok(())
}
