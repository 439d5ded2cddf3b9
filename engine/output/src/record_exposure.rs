//! Noise and exhaust of traffic where people are: table `exposure` and indicators.

use crate::audit::Fault;
use crate::cells::TimeMs;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::ExposureRow;
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{Clock, Result, ZoneIx};
use urbis_coupling::Exposure;
use urbis_population::simple_modes::PopulationModel;

/// Writes `exposure` when an hour is over.
pub fn exposure(
    clock: Res<'_, Clock>,
    city: Res<'_, City>,
    model: Res<'_, PopulationModel>,
    recorders: Res<'_, Recorders>,
    exposure: Option<Res<'_, Exposure>>,
    mut writer: ResMut<'_, ResultsWriter>,
    mut fault: ResMut<'_, Fault>,
) {
    const HOUR_S: u32 = 3600;
    let is_on = recorders.exposure.every.is_some() && clock.ends_interval(HOUR_S) && !fault.is_set();
    let Some(of) = exposure.filter(|_| is_on) else { return };
    writer.at_tick(clock.tick());
    let time = TimeMs(clock.utc_ms(clock.next() - HOUR_S));
    let each = 1.0 / model.sample_factor;
    let mut write = || -> Result<()> {
        for (zone, id) in city.zones.id.iter().enumerate() {
            if !recorders.exposure.covers(ZoneIx(zone as u32)) {
                continue;
            }
            let persons = of.persons[zone];
            writer.exposure(&ExposureRow {
                time,
                interval_s: f64::from(HOUR_S),
                zone_id: id,
                persons: persons as f64 * each,
                above_55_db: of.above[0][zone] as f64 * each,
                above_65_db: of.above[1][zone] as f64 * each,
                nox_ug_per_m3: (persons > 0).then(|| of.nox_persons[zone] / persons as f64),
            })?;
        }
        Ok(())
    };
    fault.keep(write());
}

/// Adds the indicators of group `exposure`, where it is told.
pub(crate) fn kpis(collector: &mut Collector<'_>, world: &World) {
    if let Some(of) = world.get_resource::<Exposure>().filter(|of| of.total[0] > 0) {
        let all = of.total[0] as f64;
        for (name, above) in ["share_above_55_db", "share_above_65_db"].into_iter().zip(&of.total[1..]) {
            collector.add("exposure", name, 100.0 * *above as f64 / all, "percent").headline = true;
        }
        collector.add("exposure", "nox_of_traffic_where_people_are", of.total_nox / all, "ug/m3").headline = true;
    }
}
