//! Plans made and made again: first under empty roads, then, where a scenario asks for it, under the times that the
//! last day's traffic left.
//!
//! Workplaces and schools are long-term: they are dealt out once, under the skims of empty roads without policies. So are
//! the constants of the modes, where a scenario gives shares to fit them to: a policy that moves people from one mode to
//! another would be fitted away otherwise. Everything else may change from round to round, for the households that
//! think their day over.

use crate::cells::Cells;
use crate::choice::{Choices, Tour, WorkplaceFit};
use crate::land_use;
use crate::park_and_ride::{Offer, Sites};
use crate::persons::{Persons, Place, Places};
use crate::plans::day_tables::DayTables;
use crate::plans::{self, Mode, Plans, Purpose, ResidentPlans, WALK_MPS};
use crate::presence::{People, TripStarts};
use crate::settings::{ModeSettings, PopulationSettings};
use crate::simple_modes::SimpleTrips;
use crate::skims::{Skims, period_of};
use crate::synthesis::jobs::Jobs;
use bevy_ecs::resource::Resource;
use bevy_ecs::world::World;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use urbis_city::model::City;
use urbis_core::{Clock, PersonIx, Result};

/// Drafts of everybody's plans that fitting constants takes at most, and the difference of shares at which it ends.
const FIT_DRAFTS: u32 = 6;
const FIT_TOLERANCE: f64 = 0.004;

/// Makes plans, and remembers what they were made of.
#[derive(Debug, Resource)]
pub struct Planner {
    settings: PopulationSettings,
    tables: DayTables,
    seed: u64,
    residents: ResidentPlans,
    /// What is settled for good.
    pub long_term: LongTerm,
}

/// What residents settle for long, whatever the policies of the day: where they work and learn, and what they think of
/// the modes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LongTerm {
    /// Where residents work or learn, by row of [`Persons`].
    pub workplace: Vec<Place>,
    /// How well places of work, then of school, are dealt out.
    pub workplace_fits: [WorkplaceFit; 2],
    /// Constants of the modes, minutes, in order of [`Mode::ALL`]: as written, or as fitted.
    pub constants_min: Vec<f64>,
    /// Largest difference from the target shares in the last draft of plans, in parts; 0 without targets.
    pub mode_share_error: f64,
    /// How many come of each group from outside, where some fill a count at the border; else empty. They are found without
    /// policies, so that who stays away is not made up for by others.
    pub outside: Vec<u64>,
}

impl LongTerm {
    /// Deals out workplaces and schools to the people in the world and fits the constants. `unpriced` are the skims of
    /// empty roads without policies; nor does `settings` hold any.
    ///
    /// # Errors
    /// When a group from outside names a gateway that the city does not have.
    pub fn settle(
        world: &World,
        city: &City,
        settings: &PopulationSettings,
        tables: &DayTables,
        unpriced: &Skims,
        seed: u64,
        clock: &Clock,
    ) -> Result<Self> {
        let mut constants_min: Vec<f64> = settings.all_modes().iter().map(|mode| mode.constant_min).collect();
        constants_min[Mode::ParkAndRide as usize] = tables.park_and_ride.constant_min;
        let mut this = Self { constants_min, ..Self::default() };
        let (places, cells, jobs) = (world.resource::<Places>(), world.resource::<Cells>(), world.resource::<Jobs>());
        let mut persons = world.resource::<Persons>().clone();
        let mut choices = Choices::new(city, places, cells, unpriced, jobs, settings, seed)
            .with_park_and_ride(world.resource::<Sites>(), &tables.park_and_ride);
        this.workplace_fits = choices.assign_workplaces(&mut persons, settings);
        let draft =
            |choices: &Choices<'_>| plans::of_residents(places, &persons, choices, settings, tables, seed, clock);
        this.fit(&settings.target_mode_shares, &mut choices, &draft, places, &persons);
        this.workplace.clone_from(&persons.workplace);
        if settings.border_crossings_per_day.is_some() && settings.external.iter().any(|of| of.fills_border_count) {
            let residents = draft(&choices);
            let people = &mut persons;
            people.truncate(people.residents());
            this.outside =
                plans::make(city, places, people, &choices, &residents, settings, tables, seed, clock, &[])?.1;
        }
        Ok(this)
    }

    /// What was settled in a city before a plan of land use, in the city after it. The people in
    /// the world are those after it, `skims` hold no policy. Without a plan nothing changes.
    #[must_use]
    pub fn after_plan(
        mut self,
        world: &World,
        city: &City,
        settings: &PopulationSettings,
        tables: &DayTables,
        skims: &Skims,
        seed: u64,
    ) -> Self {
        let Some(plan) = &city.land_use else { return self };
        let (places, cells, jobs) = (world.resource::<Places>(), world.resource::<Cells>(), world.resource::<Jobs>());
        let mut persons = world.resource::<Persons>().clone();
        persons.workplace = land_use::moved_places(&self.workplace, &persons, plan);
        let choices = Choices::new(city, places, cells, skims, jobs, settings, seed)
            .with_park_and_ride(world.resource::<Sites>(), &tables.park_and_ride);
        self.workplace_fits = choices.assign_after(&mut persons, settings, plan);
        self.workplace = persons.workplace;
        self
    }

    /// Fits the constants of the modes to the shares that the scenario asks for. What households plan differs a little
    /// from what each tour alone would be, since a car is out with one member at a time, so the targets of the fit are
    /// moved until the planned shares meet those asked for.
    fn fit(
        &mut self,
        asked: &BTreeMap<Mode, f64>,
        choices: &mut Choices<'_>,
        draft: &dyn Fn(&Choices<'_>) -> ResidentPlans,
        places: &Places,
        persons: &Persons,
    ) {
        let asked: Vec<(Mode, f64)> = asked.iter().map(|(&mode, &share)| (mode, share)).collect();
        let total: f64 = asked.iter().map(|(_, share)| share).sum();
        if total <= 0.0 {
            return;
        }
        let mut targets: Vec<(Mode, f64)> = asked.iter().map(|&(mode, share)| (mode, share / total)).collect();
        for round in 0..FIT_DRAFTS {
            let drafts = draft(choices);
            let (tours, modes) = drafts.tours(places, persons);
            let share = |mode: Mode| modes.iter().filter(|of| **of == mode).count() as f64;
            let of_asked: f64 = asked.iter().map(|(mode, _)| share(*mode)).sum();
            if of_asked <= 0.0 {
                return;
            }
            self.mode_share_error = 0.0;
            for ((mode, target), (_, wanted)) in targets.iter_mut().zip(&asked) {
                let (planned, wanted) = (share(*mode) / of_asked, wanted / total);
                self.mode_share_error = f64::max(self.mode_share_error, (planned - wanted).abs());
                if round > 0 && planned > 0.0 {
                    *target *= (wanted / planned).clamp(0.5, 2.0);
                }
            }
            if self.mode_share_error < FIT_TOLERANCE {
                return;
            }
            self.constants_min = choices.fit_constants(persons, &tours, &targets).0;
            choices.set_constants(&self.constants_min);
        }
    }
}

/// What choices are made of, beside the planner's own settings.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The city.
    pub city: &'a City,
    /// Its places.
    pub places: &'a Places,
    /// Its cells.
    pub cells: &'a Cells,
    /// Ways between them.
    pub skims: &'a Skims,
    /// Its jobs.
    pub jobs: &'a Jobs,
}

/// Somebody means to go from home to a place and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutingWish {
    /// Who.
    pub person: PersonIx,
    /// Where to.
    pub to: Place,
    /// Local hour of the day at which they are there.
    pub there_h: f64,
    /// The same of their leaving.
    pub back_h: f64,
    /// Cars of the household that stand at home.
    pub cars_at_home: usize,
}

/// How somebody goes to a place and back, and what the ways take from door to door, seconds and metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outing {
    /// The mode, both ways.
    pub mode: Mode,
    /// There.
    pub there_s: f64,
    /// The same, metres.
    pub there_m: f64,
    /// Back.
    pub back_s: f64,
    /// The same, metres.
    pub back_m: f64,
    /// There on foot.
    pub walk_s: f64,
    /// The same, metres.
    pub walk_m: f64,
}

impl Planner {
    /// How people make outings that they did not plan, in order of persons: by the mode that they would plan a tour of
    /// leisure with, but for park-and-ride. A car of a household is there for one of them alone.
    #[must_use]
    pub fn outings(&self, ground: Ground<'_>, persons: &Persons, wishes: &[OutingWish]) -> Vec<Outing> {
        let Ground { city, places, cells, skims, jobs } = ground;
        let mut choices = Choices::new(city, places, cells, skims, jobs, &self.settings, self.seed);
        choices.set_constants(&self.long_term.constants_min);
        let (mut household, mut taken) = (u32::MAX, 0);
        let mut outings = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let row = wish.person.row();
            if persons.household[row] != household {
                (household, taken) = (persons.household[row], 0);
            }
            let (from, to) = (persons.home[row], wish.to);
            let (out, back) = (period_of(wish.there_h), period_of(wish.back_h));
            let stay_s = ((wish.there_h * 3600.0) as u32, (wish.back_h * 3600.0) as u32);
            let tour = Tour { from, to, out, back, stay_s };
            let car_is_there = taken < wish.cars_at_home;
            let mode = choices.means(persons, wish.person, Purpose::Leisure, tour, car_is_there).mode;
            taken += usize::from(mode == Mode::Car);
            let way = |mode: Mode, period: usize, from: Place, to: Place| {
                let travel = choices.between(mode, period, from, to);
                if travel.minutes.is_finite() {
                    (travel.minutes * 60.0, travel.way_m)
                } else {
                    let way_m = choices.straight_m(from, to);
                    (way_m / f64::from(WALK_MPS), way_m)
                }
            };
            let ((there_s, there_m), (back_s, back_m)) = (way(mode, out, from, to), way(mode, back, to, from));
            let (walk_s, walk_m) = way(Mode::Walk, out, from, to);
            outings.push(Outing { mode, there_s, there_m, back_s, back_m, walk_s, walk_m });
        }
        outings
    }

    /// Makes the first plans of the city in the world, with the [`Skims`] in it.
    ///
    /// # Errors
    /// When a group from outside names a gateway that the city does not have.
    pub fn install(
        world: &mut World,
        city: &City,
        settings: &PopulationSettings,
        tables: DayTables,
        long_term: LongTerm,
        seed: u64,
        clock: &Clock,
    ) -> Result<()> {
        world.resource_mut::<Persons>().workplace.clone_from(&long_term.workplace);
        let residents = ResidentPlans::default();
        let mut planner = Self { settings: settings.clone(), tables, seed, residents, long_term };
        planner.plan(world, city, clock, None)?;
        world.insert_resource(planner);
        Ok(())
    }

    /// What sites are compared by; the constant of the mode, the same for all of them, is that of the modes given.
    #[must_use]
    pub fn offer<'a>(&self, sites: &'a Sites, skims: &'a Skims, modes: &'a [ModeSettings]) -> Offer<'a> {
        let minutes_per_money = 60.0 / self.settings.value_of_time_per_h.max(1e-6);
        Offer {
            sites,
            skims,
            modes,
            change_min: self.tables.park_and_ride.change_min,
            minutes_per_money,
            toll_share: 1.0,
            fare_share: 1.0,
        }
    }

    /// Country whose travel surveys the run is shown beside.
    #[must_use]
    pub fn country(&self) -> &str {
        self.settings.surveys.as_deref().unwrap_or(&self.settings.synthesis.country)
    }

    /// Makes plans under the skims in the world and puts people back to where the period starts: everybody, or, in
    /// `round`, those of a share of the households. Returns how many persons plan otherwise than before.
    ///
    /// # Errors
    /// When a group from outside names a gateway that the city does not have.
    pub fn plan(&mut self, world: &mut World, city: &City, clock: &Clock, round: Option<(u32, f64)>) -> Result<u64> {
        let Some(mut persons) = world.remove_resource::<Persons>() else {
            unreachable!("people are installed before their plans");
        };
        persons.truncate(persons.residents());
        let (places, cells, jobs) = (world.resource::<Places>(), world.resource::<Cells>(), world.resource::<Jobs>());
        let skims = world.resource::<Skims>();
        let mut choices = Choices::new(city, places, cells, skims, jobs, &self.settings, self.seed)
            .with_park_and_ride(world.resource::<Sites>(), &self.tables.park_and_ride);
        choices.set_constants(&self.long_term.constants_min);
        let drafts = plans::of_residents(places, &persons, &choices, &self.settings, &self.tables, self.seed, clock);
        let changed = match round {
            None => {
                self.residents = drafts;
                persons.len() as u64
            }
            Some((round, share)) => self.residents.replan(drafts, &persons, share, round, self.seed),
        };
        let (plans, _) = plans::make(
            city,
            places,
            &mut persons,
            &choices,
            &self.residents,
            &self.settings,
            &self.tables,
            self.seed,
            clock,
            &self.long_term.outside,
        )?;
        let people = People::new(&persons, &plans, places.len());
        world.insert_resource(people);
        world.insert_resource(persons);
        world.insert_resource::<Plans>(plans);
        world.insert_resource(TripStarts::default());
        world.insert_resource(SimpleTrips::default());
        Ok(changed)
    }
}
