//! Bills of buildings: their table, their indicators and their law.

use crate::audit::Fault;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::BillsRow;
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{Clock, Domain, Error, Result};
use urbis_coupling::Bills;
use urbis_coupling::policy::payments::money;

/// Checks the money after every step of the networks: what buildings paid is what suppliers received.
pub fn audit(clock: Res<'_, Clock>, bills: Option<Res<'_, Bills>>, mut fault: ResMut<'_, Fault>) {
    let Some(bills) = bills.filter(|_| clock.is_due(Domain::Power)) else { return };
    for of in &bills.accounts {
        let (paid, received) = of.totals();
        if paid != received {
            fault.keep(Err(Error::BrokenLedger {
                tick: clock.tick(),
                law: "money paid by buildings = money received by suppliers".to_owned(),
                rows: format!("  {}: paid = {}, received = {}", of.utility.name(), money(paid), money(received)),
            }));
        }
    }
}

/// Writes `bills` after the last tick.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn bills(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    let Some(bills) = world.get_resource::<Bills>() else { return Ok(()) };
    if world.resource::<Recorders>().bills.every.is_none() {
        return Ok(());
    }
    let city = world.resource::<City>();
    for ((utility, zone, purpose), bill) in bills.by_place(city) {
        let unit = bills.accounts.iter().find(|of| of.utility == utility).map_or("", |of| of.unit);
        writer.bills(&BillsRow {
            zone_id: &city.zones.id[zone as usize],
            purpose: purpose.name(),
            utility: utility.name(),
            unit,
            quantity: bill.quantity,
            amount: bill.amount,
        })?;
    }
    Ok(())
}

/// Adds the indicators of group `bills`: what is paid for each utility.
pub(crate) fn kpis(collector: &mut Collector<'_>, world: &World, days: f64) {
    let Some(bills) = world.get_resource::<Bills>() else { return };
    for of in &bills.accounts {
        let paid = money(of.totals().0);
        collector.add("bills", &format!("bills_{}", of.utility.name()), paid / days, "money/day").headline = true;
    }
}
