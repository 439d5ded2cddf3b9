//! Plans made and made again: first under empty roads, then, where a scenario asks for it, under the times that the
//! last day's traffic left.
//!
//! Workplaces and schools are long-term: they are dealt out once, under the skims of empty roads without tolls. So are
//! the constants of the modes, where a scenario gives shares to fit them to. Everything else may change from round to
//! round, for the households that think their day over.

use crate::cells::Cells;
use crate::choice::{Choices, WorkplaceFit};
use crate::park_and_ride::{Offer, Sites};
use crate::persons::{Persons, Places};
use crate::plans::day_tables::DayTables;
use crate::plans::{self, Mode, Plans, ResidentPlans};
use crate::presence::{People, TripStarts};
use crate::settings::{ModeSettings, PopulationSettings};
use crate::simple_modes::SimpleTrips;
use crate::skims::Skims;
use crate::synthesis::jobs::Jobs;
use bevy_ecs::resource::Resource;
use bevy_ecs::world::World;
use urbis_city::model::City;
use urbis_core::{Clock, Result};

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
    is_fitted: bool,
    /// Constants of the modes, minutes, in order of [`Mode::ALL`]: as written, or as fitted.
    pub constants_min: Vec<f64>,
    /// Largest difference from the target shares in the last draft of plans, in parts; 0 without targets.
    pub mode_share_error: f64,
    /// How well places of work, then of school, are dealt out.
    pub workplace_fits: [WorkplaceFit; 2],
}

impl Planner {
    /// Deals out workplaces and schools and makes the first plans of the city in the world. `unpriced` are the skims
    /// of empty roads without tolls; the [`Skims`] in the world those that people plan with.
    ///
    /// # Errors
    /// When a group from outside names a gateway that the city does not have.
    pub fn install(
        world: &mut World,
        city: &City,
        settings: &PopulationSettings,
        tables: DayTables,
        unpriced: &Skims,
        seed: u64,
        clock: &Clock,
    ) -> Result<()> {
        let mut constants_min: Vec<f64> = settings.all_modes().iter().map(|mode| mode.constant_min).collect();
        constants_min[Mode::ParkAndRide as usize] = tables.park_and_ride.constant_min;
        let mut planner = Self {
            settings: settings.clone(),
            tables,
            seed,
            residents: ResidentPlans::default(),
            is_fitted: false,
            constants_min,
            mode_share_error: 0.0,
            workplace_fits: [WorkplaceFit::default(), WorkplaceFit::default()],
        };
        let Some(mut persons) = world.remove_resource::<Persons>() else {
            unreachable!("people are installed before their plans");
        };
        let (places, cells, jobs) = (world.resource::<Places>(), world.resource::<Cells>(), world.resource::<Jobs>());
        let (sites, by_site) = (world.resource::<Sites>(), planner.tables.park_and_ride);
        let mut long_term =
            Choices::new(city, places, cells, unpriced, jobs, settings, seed).with_park_and_ride(sites, &by_site);
        planner.workplace_fits = long_term.assign_workplaces(&mut persons, settings);
        planner.fit(&mut long_term, places, &persons, clock);
        world.insert_resource(persons);
        planner.plan(world, city, clock, None)?;
        world.insert_resource(planner);
        Ok(())
    }

    /// Fits the constants of the modes to the shares that the scenario asks for. What households plan differs a little
    /// from what each tour alone would be, since a car is out with one member at a time, so the targets of the fit are
    /// moved until the planned shares meet those asked for.
    fn fit(&mut self, choices: &mut Choices<'_>, places: &Places, persons: &Persons, clock: &Clock) {
        let asked: Vec<(Mode, f64)> =
            self.settings.target_mode_shares.iter().map(|(&mode, &share)| (mode, share)).collect();
        let total: f64 = asked.iter().map(|(_, share)| share).sum();
        if total <= 0.0 {
            return;
        }
        let mut targets: Vec<(Mode, f64)> = asked.iter().map(|&(mode, share)| (mode, share / total)).collect();
        for _ in 0..FIT_DRAFTS {
            let drafts = self.draft(choices, places, persons, clock);
            let (tours, modes) = drafts.tours(places, persons);
            let share = |mode: Mode| modes.iter().filter(|of| **of == mode).count() as f64;
            let of_asked: f64 = asked.iter().map(|(mode, _)| share(*mode)).sum();
            if of_asked <= 0.0 {
                return;
            }
            self.mode_share_error = 0.0;
            let is_fitted = self.is_fitted;
            for ((mode, target), (_, wanted)) in targets.iter_mut().zip(&asked) {
                let (planned, wanted) = (share(*mode) / of_asked, wanted / total);
                self.mode_share_error = f64::max(self.mode_share_error, (planned - wanted).abs());
                if is_fitted && planned > 0.0 {
                    *target *= (wanted / planned).clamp(0.5, 2.0);
                }
            }
            if self.mode_share_error < FIT_TOLERANCE {
                return;
            }
            self.constants_min = choices.fit_constants(persons, &tours, &targets).0;
            self.is_fitted = true;
            choices.set_constants(&self.constants_min);
        }
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

    fn draft(&self, choices: &Choices<'_>, places: &Places, persons: &Persons, clock: &Clock) -> ResidentPlans {
        plans::of_residents(places, persons, choices, &self.settings, &self.tables, self.seed, clock)
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
        choices.set_constants(&self.constants_min);
        let drafts = self.draft(&choices, places, &persons, clock);
        let changed = match round {
            None => {
                self.residents = drafts;
                persons.len() as u64
            }
            Some((round, share)) => self.residents.replan(drafts, &persons, share, round, self.seed),
        };
        let plans = plans::make(
            city,
            places,
            &mut persons,
            &choices,
            &self.residents,
            &self.settings,
            &self.tables,
            self.seed,
            clock,
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
