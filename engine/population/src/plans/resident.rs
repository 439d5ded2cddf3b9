//! The day of a household: work or school, escorts, stops, other tours, each member's times fitted to the others'.
//!
//! Every tour starts and ends at home. Work and school come first; then an adult takes a small child to school; then
//! other tours go into the gaps, within opening hours. A car that is out with one member is not there for another.
//! Each decision has draws of its own, keyed by person, day and slot, so that a longer drive does not change what
//! somebody wants to do, only when it fits.

use super::day_tables::DayTables;
use super::{Leg, Maker, Means, Mode, Purpose};
use crate::choice::Tour;
use crate::hours::{Beginners, shift_h};
use crate::persons::Place;
use crate::skims::period_of;
use crate::synthesis::purpose;
use urbis_core::PersonIx;
use urbis_core::columns::cumulative;
use urbis_core::rng::Rng;

/// Slots of draws within a day.
mod slot {
    pub(super) const MAIN: u32 = 0;
    pub(super) const MIDDAY: u32 = 1;
    pub(super) const STOP: u32 = 2;
    pub(super) const ESCORT: u32 = 3;
    pub(super) const OTHER: u32 = 4;
    pub(super) const COUNT: u32 = 32;
}

/// Most other tours a day.
const OTHER_MAX: u32 = slot::COUNT - slot::OTHER;

/// What a member does all day, before travel.
#[derive(Clone, Copy, Debug)]
enum Main {
    Free,
    AtHome,
    Work(Away),
    School(Away),
}

/// Where somebody must be, and when, local hours.
#[derive(Clone, Copy, Debug)]
struct Away {
    at: Place,
    from_h: f64,
    to_h: f64,
}

impl Main {
    fn away(self) -> Option<Away> {
        match self {
            Self::Work(away) | Self::School(away) => Some(away),
            Self::Free | Self::AtHome => None,
        }
    }
}

/// A tour under construction: when it leaves home and when it is back, local hours, and its legs.
#[derive(Debug)]
struct Made {
    leave_h: f64,
    back_h: f64,
    legs: Vec<Leg>,
}

/// A child and who takes it.
#[derive(Clone, Copy, Debug)]
struct Escort {
    child: usize,
    adult: usize,
    mode: Mode,
    /// On the way to the adult's work; else a tour of its own, and another to fetch it.
    on_the_way: bool,
}

/// The household while its day is made.
struct Day<'m, 'a, 'b> {
    maker: &'m Maker<'a, 'b>,
    tables: &'m DayTables,
    first: usize,
    day: u32,
    home: Place,
    /// Cars of the household, and when they are out.
    cars: usize,
    out: Vec<(f64, f64)>,
}

/// One local day of the members of a household, `first` and the `count - 1` rows after it: the legs of each in order.
pub(crate) fn household_day(maker: &Maker<'_, '_>, first: usize, count: usize, day: u32) -> Vec<Vec<Leg>> {
    let members = first..first + count;
    let mut this = Day {
        maker,
        tables: maker.tables,
        first,
        day,
        home: maker.persons.home[first],
        cars: maker.persons.cars_of_household(members),
        out: Vec::new(),
    };
    let mains: Vec<Main> = (0..count).map(|member| this.main(member)).collect();
    let escort = this.escort(&mains);
    let mut all = Vec::with_capacity(count);
    for (member, &main) in mains.iter().enumerate() {
        let mut tours = Vec::new();
        this.main_tour(member, main, escort, &mains, &mut tours);
        this.escort_tours(member, escort, &mains, &mut tours);
        this.other_tours(member, main, &mut tours);
        tours.sort_by(|a, b| a.leave_h.total_cmp(&b.leave_h));
        all.push(tours.into_iter().flat_map(|tour| tour.legs).collect());
    }
    all
}

impl Day<'_, '_, '_> {
    fn rng(&self, member: usize, slot: u32) -> Rng {
        let tick = self.day * slot::COUNT + slot;
        Rng::new(self.maker.seed, self.maker.persons.key(self.first + member), tick, purpose::PLAN)
    }

    fn main(&self, member: usize) -> Main {
        let (persons, row) = (self.maker.persons, self.first + member);
        let mut rng = self.rng(member, slot::MAIN);
        let (is_present, works_from_home) =
            (rng.chance(self.maker.settings.present_share), rng.chance(self.tables.work.home_share));
        let at = persons.workplace[row];
        if !is_present || at == Place::NONE {
            return Main::Free;
        }
        if persons.employed[row] {
            if works_from_home || self.teleworks(member, at) {
                return Main::AtHome;
            }
            let (from_h, stay_h) = working_hours(self.tables, &mut rng);
            let from_h = self.shifted_h(from_h, Beginners::Workers, member, at);
            return Main::Work(Away { at, from_h, to_h: from_h + stay_h });
        }
        if persons.pupil[row] {
            let school = self.tables.school_of(persons.age_years[row]);
            let from_h = self.shifted_h(school.start.draw(&mut rng), Beginners::Pupils, member, at);
            return Main::School(Away { at, from_h, to_h: from_h + school.stay.draw(&mut rng) });
        }
        Main::Free
    }

    /// When somebody's day begins under the policies that shift hours.
    fn shifted_h(&self, from_h: f64, who: Beginners, member: usize, at: Place) -> f64 {
        let (maker, person) = (self.maker, self.key(member));
        match maker.settings.hours.as_slice() {
            [] => from_h,
            policies => (from_h + shift_h(policies, who, maker.seed, person, self.day, at)).clamp(4.5, 20.0),
        }
    }

    /// What the draws of a member are keyed by.
    fn key(&self, member: usize) -> usize {
        self.maker.persons.key(self.first + member) as usize
    }

    /// Whether a policy keeps somebody at home on this day.
    fn teleworks(&self, member: usize, at: Place) -> bool {
        let policies = &self.maker.settings.telework;
        policies.iter().any(|telework| telework.keeps(self.maker.seed, self.key(member), self.day, at))
    }

    /// The first small child that is taken to school, if an adult of the household can be there in time.
    fn escort(&self, mains: &[Main]) -> Option<Escort> {
        let persons = self.maker.persons;
        let child = (0..mains.len()).find(|&member| {
            let is_small = persons.age_years[self.first + member] < self.tables.escort.to_age;
            is_small && matches!(mains[member], Main::School(_))
        })?;
        let Main::School(school) = mains[child] else { return None };
        if !self.rng(child, slot::ESCORT).chance(self.tables.escort.share) || school.at == self.home {
            return None;
        }
        let adults = || (0..mains.len()).filter(|&member| persons.age_class[self.first + member] > 0);
        let is_free = |member: &usize| matches!(mains[*member], Main::Free | Main::AtHome);
        let free = adults().find(is_free);
        // Half an hour from the school to work is enough for most.
        let passing =
            || adults().find(|&member| matches!(mains[member], Main::Work(work) if work.from_h > school.from_h + 0.5));
        let adult = free.or_else(passing)?;
        let tour = self.tour(school.at, school.from_h, school.to_h);
        let mode = self.means(adult, Purpose::Escort, tour, (school.from_h - 0.5, school.from_h + 0.5)).mode;
        Some(Escort { child, adult, mode, on_the_way: free.is_none() })
    }

    fn tour(&self, to: Place, from_h: f64, to_h: f64) -> Tour {
        let second = |hour: f64| (hour.max(0.0) * 3600.0) as u32;
        let stay_s = (second(from_h), second(to_h));
        Tour { from: self.home, to, out: period_of(from_h), back: period_of(to_h), stay_s }
    }

    /// The means of a tour; a car counts only if one of the household's is there all the while.
    fn means(&self, member: usize, purpose: Purpose, tour: Tour, (from_h, to_h): (f64, f64)) -> Means {
        let person = PersonIx((self.first + member) as u32);
        let in_use = self.out.iter().filter(|(out, back)| *out < to_h && from_h < *back).count();
        self.maker.choices.means(self.maker.persons, person, purpose, tour, in_use < self.cars)
    }

    fn hours(&self, means: Means, at_h: f64, from: Place, to: Place) -> f64 {
        self.maker.choices.minutes_by(means, period_of(at_h), from, to, self.home) / 60.0
    }

    /// Takes a tour; the car it is made with is away all the while, on the road or at a site.
    fn keep(&mut self, means: Means, tour: Made, tours: &mut Vec<Made>) {
        if matches!(means.mode, Mode::Car | Mode::ParkAndRide) {
            self.out.push((tour.leave_h, tour.back_h));
        }
        tours.push(tour);
    }

    fn main_tour(&mut self, member: usize, main: Main, escort: Option<Escort>, mains: &[Main], tours: &mut Vec<Made>) {
        let Some(away) = main.away() else { return };
        if away.at == self.home {
            return;
        }
        let (maker, home) = (self.maker, self.home);
        let (what, stop_share) = match main {
            Main::Work(_) => (Purpose::Work, maker.settings.stop_after_work_share),
            _ => (Purpose::School, maker.settings.stop_after_work_share * 0.2),
        };
        let escorting = escort.filter(|escort| escort.adult == member && escort.on_the_way);
        let taken = escort.filter(|escort| escort.child == member);
        let means = match (escorting, taken) {
            (Some(escort), _) => escort.mode.into(),
            (_, Some(escort)) => with_adult(escort.mode).into(),
            _ if maker.places.is_external(away.at) => outside_mode(maker, self.first + member).into(),
            _ => self.means(member, what, self.tour(away.at, away.from_h, away.to_h), (away.from_h, away.to_h)),
        };
        let mut legs = Vec::new();
        let school = escorting.and_then(|escort| mains[escort.child].away());
        let leave_h = if let Some(school) = school {
            let leave_h = school.from_h - self.hours(means, school.from_h, home, school.at);
            let on_h = (school.from_h + self.tables.escort.stay_h)
                .max(away.from_h - self.hours(means, away.from_h, school.at, away.at));
            legs.push(Leg { purpose: Purpose::Escort, means, to: school.at, start_s: leave_h * 3600.0 });
            legs.push(Leg { purpose: what, means, to: away.at, start_s: on_h * 3600.0 });
            leave_h
        } else {
            let leave_h = away.from_h - self.hours(means, away.from_h, home, away.at);
            legs.push(Leg { purpose: what, means, to: away.at, start_s: leave_h * 3600.0 });
            leave_h
        };
        if what == Purpose::Work && maker.places.building(away.at).is_some() {
            midday(maker, away.at, (away.from_h, away.to_h), &mut self.rng(member, slot::MIDDAY), &mut legs);
        }
        // Who is fetched goes straight home.
        let stop_share = if taken.is_some_and(|escort| !escort.on_the_way) { 0.0 } else { stop_share };
        let mut rng = self.rng(member, slot::STOP);
        let back_h = way_home(maker, away.at, home, means, away.to_h, stop_share, &mut rng, &mut legs);
        self.keep(means, Made { leave_h, back_h, legs }, tours);
    }

    /// Taking a child to school and fetching it, as tours of their own.
    fn escort_tours(&mut self, member: usize, escort: Option<Escort>, mains: &[Main], tours: &mut Vec<Made>) {
        let Some(escort) = escort.filter(|escort| escort.adult == member && !escort.on_the_way) else { return };
        let Some(school) = mains[escort.child].away() else { return };
        let (means, home, stay_h) = (Means::from(escort.mode), self.home, self.tables.escort.stay_h);
        for there_h in [school.from_h, school.to_h - stay_h] {
            let leave_h = there_h - self.hours(means, there_h, home, school.at);
            let go_h = there_h + stay_h;
            let back_h = go_h + self.hours(means, go_h, school.at, home);
            let legs = vec![
                Leg { purpose: Purpose::Escort, means, to: school.at, start_s: leave_h * 3600.0 },
                Leg { purpose: Purpose::Home, means, to: home, start_s: go_h * 3600.0 },
            ];
            self.keep(means, Made { leave_h, back_h, legs }, tours);
        }
    }

    /// Tours for shopping, leisure, health and errands in the gaps.
    fn other_tours(&mut self, member: usize, main: Main, tours: &mut Vec<Made>) {
        let (maker, row) = (self.maker, self.first + member);
        let means = &maker.settings.other_tours;
        let (what, mean) = match main {
            Main::Work(_) => (0, means.worker),
            Main::School(_) => (1, means.pupil),
            Main::Free | Main::AtHome => (2, means.other),
        };
        let mut rng = self.rng(member, slot::MAIN + slot::COUNT / 2);
        let count = (mean.floor() as u32 + u32::from(rng.chance(mean.fract()))).min(OTHER_MAX);
        let kinds = cumulative(self.tables.tour.iter().map(|tour| tour.weight.of(what)));
        for nth in 0..count {
            let mut rng = self.rng(member, slot::OTHER + nth);
            let kind = &self.tables.tour[rng.pick_cumulative(&kinds).unwrap_or(0)];
            let wave = rng.pick_cumulative(&cumulative(kind.starts.iter().map(|start| start.share))).unwrap_or(0);
            let start = if main.away().is_some() { kind.evening } else { kind.starts[wave] };
            let usual_h = start.draw(&mut rng);
            let stay_h = kind.stay.draw(&mut rng);
            // Who would come before opening comes some time in the morning, not all at once.
            let early_h = kind.opens_h + 3.0 * rng.uniform();
            let leaves_area = rng.chance(maker.settings.other_outside_share) && !maker.places.external_names.is_empty();
            let outside = rng.below(maker.places.external_names.len().max(1) as u32);
            let has_car = maker.persons.has_car[row];
            let there_h = if usual_h < kind.opens_h { early_h } else { usual_h };
            let (to, means) = if leaves_area {
                (Place(maker.places.buildings() as u32 + outside), outside_mode(maker, row).into())
            } else {
                let to = maker.choices.place_for(kind.purpose, self.home, has_car, &mut rng);
                if to == Place::NONE || to == self.home {
                    continue;
                }
                let tour = self.tour(to, there_h, there_h + stay_h);
                (to, self.means(member, kind.purpose, tour, (there_h - 0.4, there_h + stay_h + 0.4)))
            };
            let out_h = self.hours(means, there_h, self.home, to);
            let home_h = self.hours(means, there_h + stay_h, to, self.home);
            let length_h = out_h + stay_h + home_h;
            let Some(leave_h) = fit(tours, there_h - out_h, length_h, self.tables.home.after_work_h) else { continue };
            let is_open = leave_h + out_h + stay_h <= kind.closes_h && leave_h <= self.tables.home.last_start_h;
            if !is_open {
                continue;
            }
            let go_h = leave_h + out_h + stay_h;
            let legs = vec![
                Leg { purpose: kind.purpose, means, to, start_s: leave_h * 3600.0 },
                Leg { purpose: Purpose::Home, means, to: self.home, start_s: go_h * 3600.0 },
            ];
            self.keep(means, Made { leave_h, back_h: leave_h + length_h, legs }, tours);
        }
    }
}

/// The first moment from `wanted_h` on at which a tour of `length_h` overlaps none of those made, with `rest_h` at home
/// around each.
fn fit(tours: &[Made], wanted_h: f64, length_h: f64, rest_h: f64) -> Option<f64> {
    let mut leave_h = wanted_h.max(0.0);
    // Every round passes at least one tour, so there are no more rounds than tours.
    for _ in 0..=tours.len() {
        let clash =
            tours.iter().find(|tour| leave_h < tour.back_h + rest_h && tour.leave_h < leave_h + length_h + rest_h);
        match clash {
            None => return Some(leave_h),
            Some(tour) => leave_h = leave_h.max(tour.back_h + rest_h + 1e-6),
        }
    }
    None
}

/// How a child travels with an adult.
fn with_adult(mode: Mode) -> Mode {
    if mode.is_motor_vehicle() { Mode::CarPassenger } else { mode }
}

/// Start and stay of a working day, hours.
pub(crate) fn working_hours(tables: &DayTables, rng: &mut Rng) -> (f64, f64) {
    let stay_h = tables.work.stay.draw(rng);
    let waves = cumulative(tables.work.starts.iter().map(|start| start.share));
    let wave = tables.work.starts[rng.pick_cumulative(&waves).unwrap_or(0)];
    (wave.draw(rng).clamp(4.5, 20.0), stay_h)
}

/// Legs at a workplace between two hours: a midday trip for some.
pub(crate) fn midday(maker: &Maker<'_, '_>, at: Place, hours: (f64, f64), rng: &mut Rng, legs: &mut Vec<Leg>) {
    let table = &maker.tables.midday;
    let leave_h = table.leave.draw(rng);
    let wants = rng.chance(maker.settings.midday_trip_share);
    if !wants || leave_h <= hours.0 + 1.0 || leave_h + 1.5 * table.stay_h >= hours.1 {
        return;
    }
    let to = maker.choices.place_for(Purpose::Leisure, at, false, rng);
    if to == Place::NONE || to == at {
        return;
    }
    let is_near = maker.choices.minutes(Mode::Walk, period_of(leave_h), at, to) < 20.0;
    // Company vehicles and own two-wheelers serve the farther ones.
    let mode = if is_near { Mode::Walk } else { Mode::TwoWheeler };
    legs.push(Leg { purpose: Purpose::Leisure, means: mode.into(), to, start_s: leave_h * 3600.0 });
    legs.push(Leg { purpose: Purpose::Work, means: mode.into(), to: at, start_s: (leave_h + table.stay_h) * 3600.0 });
}

/// Home, perhaps with a stop; returns the hour of getting home.
#[allow(clippy::too_many_arguments)] // one leg's whole context, passed once
pub(crate) fn way_home(
    maker: &Maker<'_, '_>,
    from: Place,
    home: Place,
    means: Means,
    leave_h: f64,
    stop_share: f64,
    rng: &mut Rng,
    legs: &mut Vec<Leg>,
) -> f64 {
    let mut leave_h = leave_h;
    let table = &maker.tables.stop;
    let stay_h = table.stay.draw(rng);
    let nth = rng.pick_cumulative(&cumulative(table.purposes.values().copied())).unwrap_or(0);
    let purpose = table.purposes.keys().nth(nth).copied().unwrap_or(Purpose::Other);
    let mut at = from;
    if rng.chance(stop_share) && maker.places.building(from).is_some() {
        let stop = maker.choices.place_for(purpose, from, means.mode == Mode::Car, rng);
        if stop != Place::NONE && stop != from && stop != home {
            let between = means.away_from_home();
            legs.push(Leg { purpose, means: between, to: stop, start_s: leave_h * 3600.0 });
            leave_h += stay_h + maker.choices.minutes(between.mode, period_of(leave_h), from, stop) / 60.0;
            at = stop;
        }
    }
    legs.push(Leg { purpose: Purpose::Home, means, to: home, start_s: leave_h * 3600.0 });
    leave_h + maker.choices.minutes_by(means, period_of(leave_h), at, home, home) / 60.0
}

/// Own vehicle where there is one, else public transport.
fn outside_mode(maker: &Maker<'_, '_>, row: usize) -> Mode {
    if maker.persons.has_car[row] {
        Mode::Car
    } else if maker.persons.has_two_wheeler[row] {
        Mode::TwoWheeler
    } else {
        Mode::Transit
    }
}

/// Second of the day to leave at so as to be there at `at_h`.
pub(crate) fn start_s(maker: &Maker<'_, '_>, mode: Mode, from: Place, to: Place, at_h: f64) -> f64 {
    at_h * 3600.0 - maker.choices.minutes(mode, period_of(at_h), from, to) * 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(leave_h: f64, back_h: f64) -> Made {
        Made { leave_h, back_h, legs: Vec::new() }
    }

    #[test]
    fn tours_go_into_gaps() {
        let tours = [made(8.0, 17.0), made(18.0, 19.0)];
        assert_eq!(fit(&tours, 6.0, 1.0, 0.5), Some(6.0));
        // Between the two is too short for two hours.
        let late = fit(&tours, 9.0, 2.0, 0.5).unwrap();
        assert!((late - 19.5).abs() < 1e-3);
        let between = fit(&[made(8.0, 12.0), made(16.0, 17.0)], 9.0, 2.0, 0.5).unwrap();
        assert!((between - 12.5).abs() < 1e-3);
        assert_eq!(fit(&[], -1.0, 2.0, 0.5), Some(0.0));
    }
}
