//! Money that policies took: its table, its indicators and its law.

use crate::audit::{Fault, recounts_now};
use crate::cells::TimeMs;
use crate::kpis::Collector;
use crate::record::Recorders;
use crate::tables::PaymentsRow;
use crate::writer::ResultsWriter;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use urbis_core::{Clock, Error, Result};
use urbis_coupling::Policies;
use urbis_coupling::policy::payments::money;

/// Checks the money: what persons paid is what payees received, from running sums every tick, person by person at
/// recounts.
pub fn audit(clock: Res<'_, Clock>, policies: Res<'_, Policies>, mut fault: ResMut<'_, Fault>) {
    if policies.takers.is_empty() {
        return;
    }
    let payments = &policies.payments;
    let received: i64 = payments.received.iter().sum();
    let paid = if recounts_now(&clock) { payments.recount() } else { payments.paid() };
    if paid == received && paid == payments.paid() {
        return;
    }
    fault.keep(Err(Error::BrokenLedger {
        tick: clock.tick(),
        law: "money paid by persons = money received by payees".to_owned(),
        rows: format!("  paid = {}\n  received = {}", money(paid), money(received)),
    }));
}

/// Writes `payments` after the last tick.
///
/// # Errors
/// When the rows do not fit on disk.
pub fn payments(world: &World, writer: &mut ResultsWriter) -> Result<()> {
    let (clock, policies) = (world.resource::<Clock>(), world.resource::<Policies>());
    if world.resource::<Recorders>().payments.every.is_none() {
        return Ok(());
    }
    policies.payments.rows().iter().try_for_each(|payment| {
        let taker = &policies.takers[payment.policy as usize];
        writer.payments(&PaymentsRow {
            time: TimeMs(clock.utc_ms(payment.tick)),
            policy: &taker.policy,
            payee: &taker.payee,
            person_id: i64::from(payment.person.0),
            trip_id: i64::from(payment.trip.0),
            amount: money(payment.parts),
        })
    })
}

/// Adds the indicators of group `policy`: money and payers of each policy that takes money.
pub(crate) fn revenue(collector: &mut Collector<'_>, world: &World, persons_each: f64, days: f64) {
    let policies = world.resource::<Policies>();
    let payments = &policies.payments;
    for (row, (taker, &received)) in policies.takers.iter().zip(&payments.received).enumerate() {
        let count = payments.rows().iter().filter(|payment| payment.policy as usize == row).count() as f64;
        let name = &taker.policy;
        let to_day = persons_each / days;
        let kpi = collector.add("policy", &format!("revenue_{name}"), money(received) * to_day, "money/day");
        kpi.headline = true;
        collector.add("policy", &format!("payments_{name}"), count * to_day, "payments/day");
    }
}
