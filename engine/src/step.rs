//! The step: what happens at every tick, in this order. A system is one function; its parameters say
//! what it reads and writes. Sets run one after the other, systems in a set in the order of the list.
//!
//! | set | does | writes |
//! | --- | --- | --- |
//! | Advance | the next tick | clock |
//! | Demand | plans whose time has come | people, trip starts |
//! | Exchange | events, crews, policies, evacuations and gatherings of the moment; outputs of one domain become inputs of another | switches, prices, departures, parking, demand of buildings |
//! | Solve | traffic and the router's costs from its measured times, simple modes, power, water, gas, heat, sewers | each its own state only |
//! | Feedback | people without service, bills, payments, search for parking, changes between car and public transport, trip ends back to people and those beside a driver, late buses, noise and exhaust, emergency units | services, parking, changes, people |
//! | Audit | ledgers | the fault, if one is broken |
//! | Record | recorders that are due | result tables |

use crate::learning::see_times;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, SingleThreadedExecutor};
use urbis_core::Clock;
use urbis_coupling::{
    advance_transit, answer_calls, ask_for_power, ask_for_pumps, ask_of_pipes, bill_buildings, change_vehicles,
    charge_drivers, count_service, darken_signals, delay_buses, dispatch_trips, draw_fire_water, end_evacuations,
    end_trips, evacuate, expose_people, flood_streets, gather, go_on, happen, hold_trains, leave_spaces, plug_in_cars,
    plug_in_heaters, run_devices, run_machines, search_spaces, send_crews, stop_pumps, switch_grid, switch_policies,
};
use urbis_output::stopwatch::{SetTimes, lap};
use urbis_output::{
    audit, record, record_bills, record_emergency, record_exposure, record_grid, record_pipes, record_policies,
    record_traffic,
};
use urbis_population::{advance_simple_modes, start_trips};
use urbis_traffic::{advance_vehicles, control_signals, load_departures, update_travel_times};
use urbis_utility::piped::serve_pipes;
use urbis_utility::power::serve_loads;

/// The parts of a step.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The next tick.
    Advance,
    /// Plans whose time has come.
    Demand,
    /// Outputs of one domain become inputs of another.
    Exchange,
    /// Every domain computes its own state.
    Solve,
    /// Results back to those who wait for them.
    Feedback,
    /// Conservation laws.
    Audit,
    /// Result tables.
    Record,
}

/// The schedule of one step.
#[must_use]
pub fn schedule() -> Schedule {
    use Step::{Advance, Audit, Demand, Exchange, Feedback, Record, Solve};
    schedule_added_as([Advance, Demand, Exchange, Solve, Feedback, Audit, Record])
}

/// The schedule of one step, its sets added in some order: what runs when follows from their order and the chains alone.
#[must_use]
pub fn schedule_added_as(order: [Step; 7]) -> Schedule {
    let mut step = in_order();
    order.into_iter().for_each(|set| add(&mut step, set));
    timed(&mut step);
    step
}

/// The systems of a set.
fn add(step: &mut Schedule, set: Step) {
    let systems = match set {
        Step::Advance => advance_clock.into_configs(),
        Step::Demand => start_trips.into_configs(),
        Step::Exchange => (
            (happen, send_crews, switch_policies, flood_streets).chain(),
            (evacuate, gather).chain(),
            dispatch_trips,
            leave_spaces,
            go_on,
            switch_grid,
            (run_machines, darken_signals, stop_pumps, hold_trains).chain(),
            (ask_for_power, ask_for_pumps, plug_in_heaters, run_devices).chain(),
            (ask_of_pipes, draw_fire_water).chain(),
        )
            .chain(),
        Step::Solve => (
            load_departures,
            control_signals,
            advance_vehicles,
            update_travel_times,
            advance_transit,
            advance_simple_modes,
            serve_loads,
            serve_pipes,
        )
            .chain(),
        Step::Feedback => (
            count_service,
            bill_buildings,
            charge_drivers,
            search_spaces,
            change_vehicles,
            plug_in_cars,
            end_trips,
            end_evacuations,
            delay_buses,
            expose_people,
            answer_calls,
        )
            .chain(),
        Step::Audit => (
            audit::vehicles,
            audit::gridlock,
            audit::parking,
            audit::persons,
            audit::energy,
            audit::pipes,
            record_policies::audit,
            record_bills::audit,
            record_emergency::audit,
        )
            .chain(),
        Step::Record => (
            record::links,
            record_traffic::signals,
            record_traffic::crossings,
            record_traffic::parking,
            record_traffic::transit_load,
            record::presence,
            record::activity_presence,
            record::loads,
            record_grid::grid,
            record_pipes::water,
            record_pipes::gas,
            record_pipes::heat,
            record_pipes::sewer,
            record_pipes::service,
            record_pipes::balance,
            record_exposure::exposure,
            record::ledgers,
        )
            .chain(),
    };
    step.add_systems(systems.in_set(set));
}

/// The same step without utilities and recorders, for the days in which people learn how long trips take.
#[must_use]
pub fn rehearsal() -> Schedule {
    use Step::{Advance, Audit, Demand, Exchange, Feedback, Record, Solve};
    let mut step = in_order();
    step.add_systems((
        advance_clock.in_set(Advance),
        start_trips.in_set(Demand),
        (switch_policies, dispatch_trips, leave_spaces, go_on).chain().in_set(Exchange),
        (
            load_departures,
            control_signals,
            advance_vehicles,
            update_travel_times,
            advance_transit,
            advance_simple_modes,
        )
            .chain()
            .in_set(Solve),
        (charge_drivers, search_spaces, change_vehicles, end_trips, delay_buses).chain().in_set(Feedback),
        (audit::vehicles, audit::gridlock, audit::parking, audit::persons, record_policies::audit)
            .chain()
            .in_set(Audit),
        see_times.in_set(Record),
    ));
    step
}

/// The sets of a step in their order, without systems. Systems run one at a time, rayon works inside them; two writers
/// of one table without an order between them are an error when the schedule is built.
fn in_order() -> Schedule {
    use Step::{Advance, Audit, Demand, Exchange, Feedback, Record, Solve};
    let mut step = Schedule::default();
    step.configure_sets((Advance, Demand, Exchange, Solve, Feedback, Audit, Record).chain());
    step.set_executor(SingleThreadedExecutor::new());
    step.set_build_settings(ScheduleBuildSettings { ambiguity_detection: LogLevel::Error, ..Default::default() });
    step
}

/// Tells after each set how long it took, for table `runs`.
fn timed(step: &mut Schedule) {
    use Step::{Advance, Audit, Demand, Exchange, Feedback, Record, Solve};
    step.add_systems(lap::<0>.after(Advance).before(Demand));
    step.add_systems(lap::<1>.after(Demand).before(Exchange));
    step.add_systems(lap::<2>.after(Exchange).before(Solve));
    step.add_systems(lap::<3>.after(Solve).before(Feedback));
    step.add_systems(lap::<4>.after(Feedback).before(Audit));
    step.add_systems(lap::<5>.after(Audit).before(Record));
    step.add_systems(lap::<6>.after(Record));
}

fn advance_clock(mut clock: ResMut<'_, Clock>, mut times: ResMut<'_, SetTimes>) {
    times.begin();
    clock.advance();
}
