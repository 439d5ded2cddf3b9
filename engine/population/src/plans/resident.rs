//! The day of a resident: work or school, stops, other tours.

use super::{Leg, Maker, Mode, Purpose};
use crate::persons::Place;
use crate::synthesis::purpose;
use urbis_core::PersonIx;
use urbis_core::rng::Rng;

/// Usual hours: mean and standard deviation, hours.
pub(crate) const WORK_START_H: (f64, f64) = (8.6, 0.9);
pub(crate) const WORK_STAY_H: (f64, f64) = (8.6, 1.0);
/// Share of workers on early or late shifts, and their starts.
pub(crate) const SHIFT_SHARE: f64 = 0.12;
const SHIFT_STARTS_H: [f64; 3] = [6.0, 14.0, 18.0];
const SCHOOL_START_H: (f64, f64) = (8.3, 0.15);
const SCHOOL_STAY_H: (f64, f64) = (8.0, 0.7);
/// When the first tours for shopping and leisure start.
const FIRST_TOUR_H: f64 = 8.5;
const MIDDAY_H: (f64, f64) = (12.4, 0.4);

/// One local day of a person, as legs in order.
pub(crate) fn day(maker: &Maker<'_, '_>, row: usize, day: u32, legs: &mut Vec<Leg>) {
    let (persons, settings) = (maker.persons, maker.settings);
    let person = PersonIx(row as u32);
    let home = persons.home[row];
    let mut rng = Rng::new(maker.seed, person.0, day, purpose::PLAN);
    let goes = rng.chance(settings.present_share) && persons.workplace[row] != Place::NONE;
    let tours_mean = match (goes && persons.employed[row], goes && persons.pupil[row]) {
        (true, _) => settings.other_tours.worker,
        (_, true) => settings.other_tours.pupil,
        _ => settings.other_tours.other,
    };
    let free_from_h = if goes && persons.employed[row] {
        work(maker, person, home, &mut rng, legs)
    } else if goes {
        school(maker, person, home, &mut rng, legs)
    } else {
        None
    };
    let tours = tours_mean.floor() as u32 + u32::from(rng.chance(tours_mean.fract()));
    other_tours(maker, person, home, tours, free_from_h, &mut rng, legs);
}

/// Start and stay of a working day, hours; some work in shifts.
pub(crate) fn working_hours(rng: &mut Rng) -> (f64, f64) {
    let stay_h = (WORK_STAY_H.0 + WORK_STAY_H.1 * rng.normal()).clamp(3.0, 12.0);
    let start_h = if rng.chance(SHIFT_SHARE) {
        SHIFT_STARTS_H[rng.below(SHIFT_STARTS_H.len() as u32) as usize] + 0.3 * rng.normal()
    } else {
        WORK_START_H.0 + WORK_START_H.1 * rng.normal()
    };
    (start_h.clamp(4.5, 20.0), stay_h)
}

/// Legs at a workplace: a midday trip for some. Returns nothing; the clock of the day is the caller's.
pub(crate) fn midday(maker: &Maker<'_, '_>, at: Place, start_h: f64, end_h: f64, rng: &mut Rng, legs: &mut Vec<Leg>) {
    let leave_h = MIDDAY_H.0 + MIDDAY_H.1 * rng.normal();
    let wants = rng.chance(maker.settings.midday_trip_share);
    let to = maker.choices.place_for(Purpose::Leisure, maker.places.zone[at.row()], rng);
    let is_near = to != Place::NONE && maker.choices.minutes(Mode::Walk, at, to) < 20.0;
    // Company vehicles and own two-wheelers serve the farther ones.
    let mode = if is_near { Mode::Walk } else { Mode::TwoWheeler };
    if wants && to != Place::NONE && leave_h > start_h + 1.0 && leave_h + 1.5 < end_h {
        legs.push(Leg { purpose: Purpose::Leisure, mode, to, start_s: leave_h * 3600.0 });
        legs.push(Leg { purpose: Purpose::Work, mode, to: at, start_s: (leave_h + 0.9) * 3600.0 });
    }
}

/// To work and home again; returns the hour they are home.
fn work(maker: &Maker<'_, '_>, person: PersonIx, home: Place, rng: &mut Rng, legs: &mut Vec<Leg>) -> Option<f64> {
    let at = maker.persons.workplace[person.row()];
    let (start_h, stay_h) = working_hours(rng);
    let mode = if maker.places.is_external(at) {
        outside_mode(maker, person)
    } else {
        maker.choices.mode(maker.persons, person, home, at, maker.seed)
    };
    let end_h = start_h + stay_h;
    legs.push(Leg { purpose: Purpose::Work, mode, to: at, start_s: start_s(maker, mode, home, at, start_h) });
    if maker.places.building(at).is_some() {
        midday(maker, at, start_h, end_h, rng, legs);
    }
    let home_h = way_home(maker, at, home, mode, end_h, maker.settings.stop_after_work_share, rng, legs);
    Some(home_h)
}

fn school(maker: &Maker<'_, '_>, person: PersonIx, home: Place, rng: &mut Rng, legs: &mut Vec<Leg>) -> Option<f64> {
    let at = maker.persons.workplace[person.row()];
    let start_h = SCHOOL_START_H.0 + SCHOOL_START_H.1 * rng.normal();
    let end_h = start_h + (SCHOOL_STAY_H.0 + SCHOOL_STAY_H.1 * rng.normal()).clamp(3.0, 10.0);
    let mode = maker.choices.mode(maker.persons, person, home, at, maker.seed);
    legs.push(Leg { purpose: Purpose::School, mode, to: at, start_s: start_s(maker, mode, home, at, start_h) });
    Some(way_home(maker, at, home, mode, end_h, 0.05, rng, legs))
}

/// Home, perhaps with a stop; returns the hour of getting home.
#[allow(clippy::too_many_arguments)] // one leg's whole context, passed once
pub(crate) fn way_home(
    maker: &Maker<'_, '_>,
    from: Place,
    home: Place,
    mode: Mode,
    leave_h: f64,
    stop_share: f64,
    rng: &mut Rng,
    legs: &mut Vec<Leg>,
) -> f64 {
    let mut leave_h = leave_h;
    let purpose = if rng.chance(0.6) { Purpose::Shop } else { Purpose::Leisure };
    let stay_h = (0.7 + 0.4 * rng.normal()).clamp(0.2, 2.5);
    if rng.chance(stop_share) && maker.places.building(from).is_some() {
        let stop = maker.choices.place_for(purpose, maker.places.zone[from.row()], rng);
        if stop != Place::NONE && stop != from {
            legs.push(Leg { purpose, mode, to: stop, start_s: leave_h * 3600.0 });
            leave_h += stay_h + maker.choices.minutes(mode, from, stop) / 60.0;
        }
    }
    legs.push(Leg { purpose: Purpose::Home, mode, to: home, start_s: leave_h * 3600.0 });
    leave_h + maker.choices.minutes(mode, from, home) / 60.0
}

/// Tours for shopping and leisure: after work or school, else spread over the day.
fn other_tours(
    maker: &Maker<'_, '_>,
    person: PersonIx,
    home: Place,
    tours: u32,
    free_from_h: Option<f64>,
    rng: &mut Rng,
    legs: &mut Vec<Leg>,
) {
    let mut earliest_h = free_from_h.map_or(FIRST_TOUR_H, |home_h| home_h + 0.4);
    for tour in 0..tours {
        let latest_h = 21.5;
        let usual_h = match free_from_h {
            Some(_) => 19.3 + 1.2 * rng.normal(),
            None => {
                let usual_h = 11.0 + 4.5 * f64::from(tour) + 1.8 * rng.normal();
                // Who would leave before shops open leaves some time in the morning, not all at once.
                if usual_h < FIRST_TOUR_H { FIRST_TOUR_H + 3.5 * rng.uniform() } else { usual_h }
            }
        };
        let purpose =
            if rng.chance(if usual_h < 18.0 { 0.6 } else { 0.25 }) { Purpose::Shop } else { Purpose::Leisure };
        let stay_h = (if purpose == Purpose::Shop { 0.8 } else { 1.7 } + 0.6 * rng.normal()).clamp(0.25, 4.0);
        let leaves_area = rng.chance(maker.settings.other_outside_share) && !maker.places.external_names.is_empty();
        let start_h = usual_h.max(earliest_h);
        if start_h > latest_h {
            return;
        }
        let (to, mode) = if leaves_area {
            let outside = rng.below(maker.places.external_names.len() as u32);
            (Place(maker.places.buildings() as u32 + outside), outside_mode(maker, person))
        } else {
            let to = maker.choices.place_for(purpose, maker.places.zone[home.row()], rng);
            if to == Place::NONE || to == home {
                continue;
            }
            (to, maker.choices.mode(maker.persons, person, home, to, maker.seed))
        };
        legs.push(Leg { purpose, mode, to, start_s: start_h * 3600.0 });
        let leave_h = start_h + stay_h + maker.choices.minutes(mode, home, to) / 60.0;
        legs.push(Leg { purpose: Purpose::Home, mode, to: home, start_s: leave_h * 3600.0 });
        earliest_h = leave_h + maker.choices.minutes(mode, to, home) / 60.0 + 0.4;
    }
}

/// Own vehicle where there is one, else public transport.
fn outside_mode(maker: &Maker<'_, '_>, person: PersonIx) -> Mode {
    let row = person.row();
    if maker.persons.has_car[row] {
        Mode::Car
    } else if maker.persons.has_two_wheeler[row] {
        Mode::TwoWheeler
    } else {
        Mode::Transit
    }
}

/// Second of the day to leave at so as to be there at `at_h`, free of congestion.
pub(crate) fn start_s(maker: &Maker<'_, '_>, mode: Mode, from: Place, to: Place, at_h: f64) -> f64 {
    at_h * 3600.0 - maker.choices.minutes(mode, from, to) * 60.0
}
