//! What each building draws: `P = scale * area * (base + schedule(hour) + people)`, where the people's
//! part is in proportion to persons present over reference persons, and reference persons are what a
//! building of its use and size holds on the average over a day. So the day's energy meets the yearly
//! figure where presence is as usual, and moves with it where it is not.
//!
//! Ignored: weather, voltage, reactive power, single appliances.

use super::intensity::{self, Sector, street_light_share};
use super::settings::PowerSettings;
use bevy_ecs::resource::Resource;
use urbis_city::model::{City, Modes, RoadClass};
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::units::HOURS_PER_YEAR;

/// Share of the hours with street light.
fn lit_share() -> f64 {
    (0..24).map(street_light_share).sum::<f64>() / 24.0
}

/// Loads of buildings; columns by building. Street lighting is by zone, in the same step.
#[derive(Clone, Debug, Default, Resource)]
pub struct BuildingLoads {
    /// Sector of the building.
    pub sector: Vec<Sector>,
    /// Constant draw, watts.
    base_w: Vec<f64>,
    /// Mean draw that follows the clock, watts.
    schedule_w: Vec<f64>,
    /// Draw for each person present, watts.
    person_w: Vec<f64>,
    /// Row of `schedules`.
    schedule: Vec<u8>,
    schedules: Vec<[f64; 24]>,
    /// Asked for in this step, watts. The only column written in the loop.
    pub demand_w: Vec<f64>,
    /// Full street lighting of each zone, watts.
    pub lighting_w: Vec<f64>,
    /// Scale of each sector against the default intensities, in order of [`Sector::ALL`].
    pub scale: [f64; 4],
    /// Sectors that were scaled to a published figure.
    pub is_calibrated: [bool; 4],
}

impl BuildingLoads {
    /// Loads of a city, calibrated to its panel where asked and known.
    #[must_use]
    pub fn new(city: &City, settings: &PowerSettings) -> Self {
        let table = &city.buildings;
        let mut loads = Self {
            schedules: urbis_city::model::BuildingUse::NAMED
                .iter()
                .map(|(purpose, _)| {
                    let weights = intensity::of(*purpose).schedule;
                    let mean = weights.iter().sum::<f64>() / 24.0;
                    weights.map(|weight| weight / mean)
                })
                .collect(),
            sector: table.purpose.iter().map(|&purpose| Sector::of(purpose)).collect(),
            schedule: table.purpose.iter().map(|&purpose| purpose as u8).collect(),
            demand_w: vec![0.0; table.len()],
            lighting_w: lighting_by_zone(city, settings),
            ..Self::default()
        };
        let mean_w: Vec<f64> = (0..table.len())
            .map(|row| {
                let kwh = intensity::of(table.purpose[row]).kwh_per_m2_year * table.floor_area_m2[row];
                kwh * 1000.0 / HOURS_PER_YEAR
            })
            .collect();
        loads.scale = Sector::ALL.map(|sector| {
            let mean_w: f64 = match sector {
                Sector::Lighting => loads.lighting_w.iter().sum::<f64>() * lit_share(),
                _ => mean_w.iter().zip(&loads.sector).filter(|(_, of)| **of == sector).map(|(w, _)| w).sum(),
            };
            let published = city.panel_latest(&city.manifest.name, sector.panel_indicator());
            match published.filter(|_| settings.calibrate_to_panel && mean_w > 0.0) {
                Some(row) => row.value * 1e9 / HOURS_PER_YEAR / mean_w,
                None => 1.0,
            }
        });
        loads.is_calibrated = Sector::ALL.map(|sector| {
            settings.calibrate_to_panel && city.panel_latest(&city.manifest.name, sector.panel_indicator()).is_some()
        });
        for row in 0..table.len() {
            let of = intensity::of(table.purpose[row]);
            let mean_w = mean_w[row] * loads.scale[loads.sector[row] as usize];
            let people_share = 1.0 - of.base_share - of.schedule_share;
            let reference = of.reference_persons_per_m2 * table.floor_area_m2[row];
            loads.base_w.push(mean_w * of.base_share);
            loads.schedule_w.push(mean_w * of.schedule_share);
            loads.person_w.push(if reference > 0.0 { mean_w * people_share / reference } else { 0.0 });
        }
        let lighting_scale = loads.scale[Sector::Lighting as usize];
        loads.lighting_w.iter_mut().for_each(|watts| *watts *= lighting_scale);
        loads
    }

    /// Writes `demand_w` for a local second of the day. `persons` holds persons present by building
    /// (at least as many rows), `persons_scale` what one simulated person stands for.
    pub fn ask(&mut self, second_of_day: u32, persons: &[u32], persons_scale: f64) {
        let share: Vec<f64> = self.schedules.iter().map(|schedule| at(schedule, second_of_day)).collect();
        let (base_w, schedule_w, person_w) = (&self.base_w, &self.schedule_w, &self.person_w);
        let schedule = &self.schedule;
        let parts = map_chunks(self.demand_w.len(), CHUNK_ROWS, |range| {
            range
                .map(|row| {
                    base_w[row]
                        + schedule_w[row] * share[schedule[row] as usize]
                        + person_w[row] * f64::from(persons[row]) * persons_scale
                })
                .collect::<Vec<f64>>()
        });
        for (demand, asked) in self.demand_w.iter_mut().zip(parts.into_iter().flatten()) {
            *demand = asked;
        }
    }
}

/// Weight at a second of the day, linear between the middles of the hours, so that loads do not jump.
fn at(schedule: &[f64; 24], second_of_day: u32) -> f64 {
    let hours = f64::from(second_of_day) / 3600.0 + 23.5;
    let before = hours.floor() as usize % 24;
    let part = hours.fract();
    schedule[before] * (1.0 - part) + schedule[(before + 1) % 24] * part
}

/// Full street lighting by zone, watts: car links outside tunnels, each pair of directions once.
fn lighting_by_zone(city: &City, settings: &PowerSettings) -> Vec<f64> {
    let links = &city.links;
    let mut watts = vec![0.0; city.zones.len()];
    let mut pairs: Vec<(u32, u32)> = (0..links.len()).map(|row| (links.from[row].0, links.to[row].0)).collect();
    pairs.sort_unstable();
    for row in 0..links.len() {
        let is_lit = links.modes[row].contains(Modes::CAR) && links.class[row] != RoadClass::External;
        let has_opposite = pairs.binary_search(&(links.to[row].0, links.from[row].0)).is_ok();
        if is_lit && links.zone[row].is_some() {
            let share = if has_opposite { 0.5 } else { 1.0 };
            watts[links.zone[row].row()] += links.length_m[row] * share * settings.lighting_w_per_m;
        }
    }
    watts
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_city::model::{BuildingUse, PanelRow};
    use urbis_core::ZoneIx;

    fn one_office(panel: Vec<PanelRow>) -> City {
        let mut city = City::default();
        city.manifest.name = "town".into();
        city.zones.id = vec!["z".into()];
        city.buildings.id = vec!["b".into()];
        city.buildings.zone = vec![ZoneIx(0)];
        city.buildings.purpose = vec![BuildingUse::Office];
        city.buildings.floor_area_m2 = vec![10_000.0];
        city.panel = panel;
        city
    }

    /// Under reference presence the day's energy is a 365th of the year's.
    #[test]
    fn reference_presence_gives_the_yearly_figure() {
        let city = one_office(Vec::new());
        let mut loads = BuildingLoads::new(&city, &PowerSettings::default());
        let persons = [(intensity::of(BuildingUse::Office).reference_persons_per_m2 * 10_000.0) as u32];
        let day_wh: f64 = (0..96)
            .map(|quarter| {
                loads.ask(quarter * 900 + 450, &persons, 1.0);
                loads.demand_w[0] * 0.25
            })
            .sum();
        let year_kwh = day_wh * 365.0 / 1000.0;
        assert!((year_kwh / (150.0 * 10_000.0) - 1.0).abs() < 1e-9, "{year_kwh}");
        assert!((loads.scale[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_panel_scales_a_sector_and_more_people_draw_more() {
        let figure = PanelRow {
            zone_id: "town".into(),
            indicator: "electricity_use_tertiary".into(),
            value: 3.0,
            unit: "GWh/year".into(),
            ..PanelRow::default()
        };
        let city = one_office(vec![figure]);
        let mut loads = BuildingLoads::new(&city, &PowerSettings::default());
        assert!((loads.scale[1] - 2.0).abs() < 1e-12);
        loads.ask(43_200, &[0], 1.0);
        let empty = loads.demand_w[0];
        loads.ask(43_200, &[300], 1.0);
        assert!(loads.demand_w[0] > empty * 1.1);
    }

    #[test]
    fn schedules_are_continuous_over_midnight() {
        let mut schedule = [1.0; 24];
        schedule[0] = 3.0;
        assert!((at(&schedule, 1800) - 3.0).abs() < 1e-12);
        assert!((at(&schedule, 0) - 2.0).abs() < 1e-12);
        assert!((at(&schedule, 86_399) - 2.0).abs() < 1e-3);
    }
}
