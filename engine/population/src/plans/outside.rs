//! People from outside: commuters, pupils, visitors, deliveries and through traffic, group by group as
//! the scenario says. Groups with `fills_border_count` are sized so that all planned crossings together
//! meet the count before there are policies; a policy that keeps commuters away does not bring visitors.

use super::resident::{midday, start_s, way_home, working_hours};
use super::{Leg, Maker, Mode, Plans, Purpose, chain};
use crate::choice::Choices;
use crate::hours::{Beginners, shift_h};
use crate::persons::{Persons, Place, Places};
use crate::plans::day_tables::DayTables;
use crate::settings::{ExternalGroup, PersonKind, PopulationSettings};
use crate::skims::period_of;
use crate::synthesis::purpose;
use crate::telework::Telework;
use urbis_city::model::City;
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
use urbis_core::columns::cumulative;
use urbis_core::rng::Rng;
use urbis_core::{Clock, Problem, Problems};

/// Makes the people of every group and their plans. How many come of each group is what `known` says or, without it, found
/// from the plans of all before it; it is the answer.
#[allow(clippy::too_many_arguments)] // the context of the whole synthesis, passed once
pub(crate) fn make(
    city: &City,
    places: &Places,
    persons: &mut Persons,
    choices: &Choices<'_>,
    settings: &PopulationSettings,
    tables: &DayTables,
    seed: u64,
    clock: &Clock,
    days: u32,
    known: &[u64],
    plans: &mut Plans,
) -> urbis_core::Result<Vec<u64>> {
    let gateways = check_gateways(city, places, settings)?;
    let mut all = Vec::new();
    for (group_row, group) in settings.external.iter().enumerate() {
        let count = if group.fills_border_count {
            missing_vehicles(places, settings, group, plans, clock)
        } else {
            group.persons_per_day * settings.sample_factor
        };
        let is_worker = matches!(group.kind, PersonKind::Commuter | PersonKind::Pupil);
        let present = count * if is_worker { settings.present_share } else { 1.0 };
        let members = known.get(group_row).map_or(present.round().max(0.0) as usize, |&known| known as usize);
        all.push(members as u64);
        let first = persons.len();
        let gateway_cumulative = cumulative(gateways[group_row].iter().map(|(_, share)| *share));
        let drawn = map_chunks(members, CHUNK_ROWS, |range| {
            range
                .map(|row| {
                    let mut rng = Rng::new(seed, row as u32, group_row as u32, purpose::OUTSIDE);
                    let gateway = rng.pick_cumulative(&gateway_cumulative).unwrap_or(0);
                    let what = if group.kind == PersonKind::Pupil { Purpose::School } else { Purpose::Work };
                    let workplace =
                        if is_worker { choices.place_for(what, Place::NONE, true, &mut rng) } else { Place::NONE };
                    (gateways[group_row][gateway].0, workplace)
                })
                .collect::<Vec<_>>()
        });
        for (home, workplace) in drawn.into_iter().flatten() {
            persons.push_from_outside(group.kind, home, workplace);
        }
        let maker = Maker { places, persons, choices, settings, tables, seed };
        let outside = Outside::new(group, &gateways[group_row]);
        let chains = map_chunks(members, CHUNK_ROWS, |range| {
            range
                .map(|row| {
                    let of_day = |day| {
                        let mut legs = Vec::new();
                        outside.day(&maker, first + row, day, &mut legs);
                        legs
                    };
                    chain(clock, &(0..days).map(of_day).collect::<Vec<_>>())
                })
                .collect::<Vec<_>>()
        });
        for (row, legs) in chains.into_iter().flatten().enumerate() {
            let person = urbis_core::PersonIx((first + row) as u32);
            plans.push_person(person, persons.home[first + row], &legs);
        }
    }
    Ok(all)
}

/// The external places of each group with their shares.
fn check_gateways(
    city: &City,
    places: &Places,
    settings: &PopulationSettings,
) -> urbis_core::Result<Vec<Vec<(Place, f64)>>> {
    let mut problems = Problems::new();
    let mut all = Vec::new();
    for group in &settings.external {
        let mut of_group = Vec::new();
        for (name, &share) in &group.gateway_shares {
            match places.external(name) {
                Some(place) => of_group.push((place, share)),
                None => {
                    let problem = Problem::file(
                        std::path::Path::new("population.external"),
                        format!(
                            "group `{}` comes through `{name}`, but the city `{}` has the external nodes {:?}",
                            group.name, city.manifest.name, places.external_names
                        ),
                    );
                    problems.push(problem);
                }
            }
        }
        let total: f64 = of_group.iter().map(|(_, share)| share).sum();
        let modes: f64 = group.mode_shares.values().sum();
        let waves: f64 = group.arrivals.iter().map(|wave| wave.share).sum();
        for (what, sum) in [("gateway_shares", total), ("mode_shares", modes), ("arrivals", waves)] {
            if sum.is_nan() || sum <= 0.0 {
                problems.push(Problem::file(
                    std::path::Path::new("population.external"),
                    format!("group `{}`: {what} add up to {sum}, expected > 0", group.name),
                ));
            }
        }
        all.push(of_group);
    }
    problems.or_else(all)
}

/// Members that bring the missing crossings, two for each motor vehicle that comes and goes.
fn missing_vehicles(
    places: &Places,
    settings: &PopulationSettings,
    group: &ExternalGroup,
    plans: &Plans,
    clock: &Clock,
) -> f64 {
    let Some(target) = settings.border_crossings_per_day else {
        return group.persons_per_day * settings.sample_factor;
    };
    let days = f64::from(clock.end()) / 86_400.0;
    let planned = plans.planned_crossings(places, clock.end()) as f64 / days;
    let missing = (target * settings.sample_factor - planned).max(0.0) * group.fill_share;
    let total: f64 = group.mode_shares.values().sum();
    let motor: f64 =
        group.mode_shares.iter().filter(|(mode, _)| mode.is_motor_vehicle()).map(|(_, share)| share / total).sum();
    if motor > 0.0 { missing / 2.0 / motor } else { 0.0 }
}

/// A group, ready for drawing.
struct Outside<'a> {
    group: &'a ExternalGroup,
    gateways: &'a [(Place, f64)],
    modes: Vec<Mode>,
    mode_cumulative: Vec<f64>,
    wave_cumulative: Vec<f64>,
}

impl<'a> Outside<'a> {
    fn new(group: &'a ExternalGroup, gateways: &'a [(Place, f64)]) -> Self {
        Self {
            group,
            gateways,
            modes: group.mode_shares.keys().copied().collect(),
            mode_cumulative: cumulative(group.mode_shares.values().copied()),
            wave_cumulative: cumulative(group.arrivals.iter().map(|wave| wave.share)),
        }
    }

    fn day(&self, maker: &Maker<'_, '_>, row: usize, day: u32, legs: &mut Vec<Leg>) {
        let home = maker.persons.home[row];
        let key = maker.persons.key(row);
        let mut rng = Rng::new(maker.seed, key, day, purpose::PLAN);
        let mode = self.modes[rng.pick_cumulative(&self.mode_cumulative).unwrap_or(0)];
        let wave = &self.group.arrivals[rng.pick_cumulative(&self.wave_cumulative).unwrap_or(0)];
        let arrive_h = (wave.at_h + wave.sd_h * rng.normal()).clamp(0.5, 23.0);
        let shift = |who: Beginners, at: Place| shift_h(&maker.settings.hours, who, maker.seed, key as usize, day, at);
        match self.group.kind {
            PersonKind::Resident => {}
            PersonKind::Commuter => {
                let at = maker.persons.workplace[row];
                let stays =
                    |telework: &Telework| telework.commuters && telework.keeps(maker.seed, key as usize, day, at);
                if at == Place::NONE || maker.settings.telework.iter().any(stays) {
                    return;
                }
                let (_, stay_h) = working_hours(maker.tables, &mut rng);
                let arrive_h = arrive_h + shift(Beginners::Workers, at);
                legs.push(Leg {
                    purpose: Purpose::Work,
                    means: mode.into(),
                    to: at,
                    start_s: start_s(maker, mode, home, at, arrive_h),
                });
                midday(maker, at, (arrive_h, arrive_h + stay_h), &mut rng, legs);
                let stops = maker.settings.stop_after_work_share * 0.5;
                way_home(maker, at, home, mode.into(), arrive_h + stay_h, stops, &mut rng, legs);
            }
            PersonKind::Pupil => {
                let at = maker.persons.workplace[row];
                let stay_h = self.stay_h(&mut rng);
                let arrive_h = arrive_h + shift(Beginners::Pupils, at);
                if at != Place::NONE {
                    legs.push(Leg {
                        purpose: Purpose::School,
                        means: mode.into(),
                        to: at,
                        start_s: start_s(maker, mode, home, at, arrive_h),
                    });
                    way_home(maker, at, home, mode.into(), arrive_h + stay_h, 0.0, &mut rng, legs);
                }
            }
            PersonKind::Visitor | PersonKind::Delivery => self.visit(maker, home, mode, arrive_h, &mut rng, legs),
            PersonKind::Through => {
                let cumulative =
                    cumulative(self.gateways.iter().map(|(place, share)| if *place == home { 0.0 } else { *share }));
                if let Some(gateway) = rng.pick_cumulative(&cumulative) {
                    let to = self.gateways[gateway].0;
                    legs.push(Leg { purpose: Purpose::Passage, means: mode.into(), to, start_s: arrive_h * 3600.0 });
                }
            }
        }
    }

    fn stay_h(&self, rng: &mut Rng) -> f64 {
        (self.group.stay_h + self.group.stay_sd_h * rng.normal()).max(0.15)
    }

    /// In, from place to place, out.
    fn visit(&self, maker: &Maker<'_, '_>, home: Place, mode: Mode, arrive_h: f64, rng: &mut Rng, legs: &mut Vec<Leg>) {
        let stay_h = self.stay_h(rng);
        let mean = self.group.stops.max(1.0);
        let stops = mean.floor() as u32 + u32::from(rng.chance(mean.fract()));
        let mut at = home;
        for stop in 0..stops {
            let purpose = match self.group.kind {
                PersonKind::Delivery => Purpose::Delivery,
                _ if rng.chance(0.4) => Purpose::Shop,
                _ => Purpose::Leisure,
            };
            let to = maker.choices.place_for(purpose, at, mode == Mode::Car, rng);
            if to == Place::NONE {
                return;
            }
            let hour = arrive_h + stay_h * f64::from(stop) / f64::from(stops);
            // Visitors leave the car where they parked it first; vans drive on to every stop.
            let on_foot = stop > 0 && self.group.kind == PersonKind::Visitor;
            let start_s = if stop == 0 { start_s(maker, mode, home, to, hour) } else { hour * 3600.0 };
            let means = if on_foot { Mode::Walk } else { mode }.into();
            legs.push(Leg { purpose, means, to, start_s });
            at = to;
        }
        // Walkers go back to their vehicle first.
        if stops > 1 && self.group.kind == PersonKind::Visitor && mode != Mode::Walk {
            let parked = legs[legs.len() - stops as usize].to;
            let back_s = (arrive_h + stay_h) * 3600.0
                - maker.choices.minutes(Mode::Walk, period_of(arrive_h + stay_h), at, parked) * 60.0;
            legs.push(Leg { purpose: Purpose::Leisure, means: Mode::Walk.into(), to: parked, start_s: back_s });
        }
        legs.push(Leg { purpose: Purpose::Home, means: mode.into(), to: home, start_s: (arrive_h + stay_h) * 3600.0 });
    }
}
