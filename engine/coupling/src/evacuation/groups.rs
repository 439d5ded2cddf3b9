//! Who leaves together, and by what.
//!
//! Those of a household who are in one building leave together. At home they have the cars of the household that nobody
//! is out with, and those with a licence drive; elsewhere those drive who came by car. They share: a further car is taken
//! where more than [`SEATS`] go. Who finds no seat goes by bicycle or motor two-wheeler if they came by it, else on foot
//! or by public transport, each by themselves. People from outside leave each by the car or van they came in, or without.
//!
//! Ignored: cars parked elsewhere than where their driver is; that children leave school with somebody.
//! Contract: pure, sequential.

use urbis_core::{PersonIx, Tick};
use urbis_population::persons::Place;
use urbis_population::plans::Mode;
use urbis_population::{People, Persons, Plans};

/// Persons in a car at most.
pub const SEATS: usize = 5;

/// Where a group is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Has not set out.
    Waits,
    /// On the way out.
    Leaves,
    /// Where it went.
    There,
    /// On the way home.
    Returns,
    /// Back, or free to go on.
    Home,
}

/// People who leave together: in one car, or at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// How.
    pub mode: Mode,
    /// Who; of a car the driver first.
    pub members: Vec<PersonIx>,
    /// Who was first when they set out.
    pub driver: PersonIx,
    /// Where from.
    pub from: Place,
    /// Where to.
    pub goal: Place,
    /// Time to get ready, ticks.
    pub wait: Tick,
    /// On which way it is.
    pub stage: Stage,
    /// Members who have arrived while others are on the way.
    pub arrived: usize,
}

impl Group {
    /// A group that has not set out; `members` is not empty.
    #[must_use]
    pub fn new(mode: Mode, members: Vec<PersonIx>, from: Place, goal: Place, wait: Tick) -> Self {
        let driver = members[0];
        Self { mode, members, driver, from, goal, wait, stage: Stage::Waits, arrived: 0 }
    }
    /// Takes somebody in who came in time, if a seat is free; whether it was.
    pub fn takes_in(&mut self, person: PersonIx) -> bool {
        let has_seat = self.stage == Stage::Waits && self.mode.is_on_road() && self.members.len() < SEATS;
        if has_seat {
            self.members.push(person);
        }
        has_seat
    }
}

/// The mode by which somebody came to where they are.
fn came_by(plans: &Plans, people: &People, person: PersonIx) -> Option<Mode> {
    people.last_trip(plans, person).map(|trip| plans.mode[trip as usize])
}

/// Whether somebody is out on a tour for which they took a car.
fn is_out_by_car(persons: &Persons, plans: &Plans, people: &People, person: PersonIx) -> bool {
    let home = persons.home[person.row()];
    let takes_car = |trip: usize| matches!(plans.mode[trip], Mode::Car | Mode::ParkAndRide);
    let Some(last) = people.last_trip(plans, person) else { return false };
    if people.place[person.row()] == home {
        return false;
    }
    let tour = (plans.trips_of(person).start..=last).rev().map(|trip| trip as usize);
    if last as usize >= plans.extras() {
        return takes_car(last as usize);
    }
    let mut since_home = false;
    for trip in tour {
        since_home |= takes_car(trip);
        if plans.from[trip] == home {
            break;
        }
    }
    since_home
}

/// Cars of the household of somebody at home that nobody is out with.
#[must_use]
pub fn cars_at_home(persons: &Persons, plans: &Plans, people: &People, person: PersonIx) -> usize {
    let household = persons.household[person.row()];
    let is_member = |row: &usize| persons.household.get(*row) == Some(&household);
    let before = (0..person.row()).rev().take_while(is_member);
    let after = (person.row()..persons.len()).take_while(is_member);
    let out = before.chain(after).filter(|&row| is_out_by_car(persons, plans, people, PersonIx(row as u32))).count();
    usize::from(persons.household_cars[person.row()]).saturating_sub(out)
}

/// Divides members of a household in one place, or somebody from outside, into cars, the driver of each first, and
/// people without. Nobody drives where no way leads out.
#[must_use]
pub fn divide(
    persons: &Persons,
    plans: &Plans,
    people: &People,
    place: Place,
    members: &[PersonIx],
    has_way: bool,
) -> Vec<(Mode, Vec<PersonIx>)> {
    let Some(&first) = members.first() else { return Vec::new() };
    let is_home = persons.home[first.row()] == place;
    let mode_of = |person: PersonIx| if is_home { None } else { came_by(plans, people, person) };
    let cars = if is_home { cars_at_home(persons, plans, people, first) } else { members.len() };
    let drives = |person: &PersonIx| match mode_of(*person) {
        Some(mode) => mode.is_on_road(),
        None => is_home && persons.has_licence[person.row()],
    };
    let wanted = if has_way { members.len().div_ceil(SEATS).min(cars) } else { 0 };
    let drivers: Vec<PersonIx> = members.iter().copied().filter(drives).take(wanted).collect();
    let mut others = members.iter().copied().filter(|person| !drivers.contains(person));
    let mut all: Vec<(Mode, Vec<PersonIx>)> = Vec::new();
    for &driver in &drivers {
        let mode = mode_of(driver).unwrap_or(Mode::Car);
        all.push((mode, std::iter::once(driver).chain(others.by_ref().take(SEATS - 1)).collect()));
    }
    for person in others {
        let mode = mode_of(person).filter(|mode| matches!(mode, Mode::Bicycle | Mode::TwoWheeler));
        all.push((mode.unwrap_or(Mode::Walk), vec![person]));
    }
    all
}
