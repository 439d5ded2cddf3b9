//! Where people work and learn in a city that a plan of land use has changed.
//!
//! Who is there already keeps the place of work or school, with two exceptions. Who works in a building that is taken down,
//! or in the part of it that is, draws another; and new jobs (or schools) draw some: with `T_ij` the flows of the
//! doubly-constrained model (or the radiation model) to all places after the plan, somebody from cell `i` moves to a new
//! place with probability `sum_j T_ij n_j / sum_j T_ij`, `n_j` being the share of what attracts in cell `j` that is new,
//! and then to one of the new places in proportion to that. Nobody moves between places that were there before. New people
//! draw among all places, or work outside, like all others did. What people think of the modes stays.
//!
//! So where nothing is taken down and no jobs come, all workplaces stay; and of `w` workers a plan that makes a share `s`
//! of all jobs draws `s w` on average. What holds no longer exactly is that each old place takes as many as its jobs say:
//! jobs left behind stay open, as they do where a town grows.
//!
//! Ignores that people move house for a job. Contract: draws are keyed by person, rows run in parallel; the same on any
//! number of threads.

use crate::choice::{Attraction, Choices, WorkplaceFit, race};
use crate::persons::{Persons, Place};
use crate::settings::PopulationSettings;
use crate::synthesis::purpose;
use urbis_city::model::LandUse;
use urbis_core::columns::cumulative;
use urbis_core::rng::Rng;

/// Draws of whether somebody leaves a place, whether new places draw them, and to which.
const LEAVES: u32 = 2;
const MOVES: u32 = 3;
const NEW_PLACE: u32 = 4;

/// Places of work and school from before, by row of the people after the plan; none for who is new. Places outside have
/// other numbers after it.
pub(crate) fn moved_places(before: &[Place], persons: &Persons, plan: &LandUse) -> Vec<Place> {
    let (old, new) = (plan.first_new(), plan.new.len() as u32);
    let of = |row: usize| match before.get(persons.key(row) as usize) {
        Some(&place) if place == Place::NONE || place == Place::TRAVELLING || place.row() < old => place,
        Some(&place) => Place(place.0 + new),
        None => Place::NONE,
    };
    (0..persons.len()).map(of).collect()
}

/// What is new of an attraction.
struct NewPlaces {
    /// Share of it in each cell that is new.
    share: Vec<f32>,
    /// New buildings of each cell with the sums of what attracts in them.
    buildings: Vec<(Vec<Place>, Vec<f64>)>,
}

impl NewPlaces {
    /// Those of an attraction, if there are any.
    fn new(choices: &Choices<'_>, attraction: Attraction, old: usize) -> Option<Self> {
        let pull = &choices.pulls[attraction as usize];
        let of_cell = |cell: usize| {
            let (rows, sums) = (choices.cells.buildings.row(cell), &pull.buildings[cell]);
            let weight = |nth: usize| sums[nth] - nth.checked_sub(1).map_or(0.0, |last| sums[last]);
            let new: Vec<usize> = (0..rows.len()).filter(|&nth| rows[nth].row() >= old).collect();
            let places = new.iter().map(|&nth| Place(rows[nth].0)).collect();
            (places, cumulative(new.into_iter().map(weight)))
        };
        let buildings: Vec<(Vec<Place>, Vec<f64>)> = (0..choices.cells.len()).map(of_cell).collect();
        let share = |(cell, (_, sums)): (usize, &(Vec<Place>, Vec<f64>))| {
            let (new, all) = (sums.last().copied().unwrap_or(0.0), pull.cells[cell]);
            if all > 0.0 { (new / all) as f32 } else { 0.0 }
        };
        let share: Vec<f32> = buildings.iter().enumerate().map(share).collect();
        share.iter().any(|share| *share > 0.0).then_some(Self { share, buildings })
    }
    /// The new place to which somebody moves who sees all cells by these weights; none where they stay.
    fn draws(&self, weights: &[f32], seed: u64, key: u32) -> Option<Place> {
        let to_new: Vec<f32> = weights.iter().zip(&self.share).map(|(weight, share)| weight * share).collect();
        let sum = |of: &[f32]| of.iter().map(|weight| f64::from(*weight)).sum::<f64>();
        let (new, all) = (sum(&to_new), sum(weights));
        if new <= 0.0 || !Rng::new(seed, key, MOVES, purpose::WORKPLACE).chance(new / all) {
            return None;
        }
        let mut rng = Rng::new(seed, key, NEW_PLACE, purpose::WORKPLACE);
        let (places, sums) = &self.buildings[race(&to_new, rng.next_u64())?];
        Some(places[rng.pick_cumulative(sums)?])
    }
}

impl Choices<'_> {
    /// Places of work and school after a plan of land use; `persons` have those from before. Returns how well places of
    /// work, then of school, are dealt out by the model that moves are drawn from.
    pub(crate) fn assign_after(
        &self,
        persons: &mut Persons,
        settings: &PopulationSettings,
        plan: &LandUse,
    ) -> [WorkplaceFit; 2] {
        let new_places = [Attraction::Jobs, Attraction::School].map(|of| NewPlaces::new(self, of, plan.first_new()));
        self.deal_places(persons, settings, |attraction, persons, row, weights| {
            let (now, key) = (persons.workplace[row], persons.key(row));
            let kept = plan.kept.get(now.row()).copied().unwrap_or(1.0);
            let leaves = kept < 1.0 && !Rng::new(self.seed, key, LEAVES, purpose::WORKPLACE).chance(kept);
            if now == Place::NONE || leaves {
                return self.draw_first(attraction, weights, key);
            }
            let new_places = new_places[usize::from(attraction == Attraction::School)].as_ref();
            new_places.and_then(|of| of.draws(weights, self.seed, key)).unwrap_or(now)
        })
    }
}
