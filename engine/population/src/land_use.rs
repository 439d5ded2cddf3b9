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
use urbis_core::chunks::{CHUNK_ROWS, map_chunks};
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
    fn new(choices: &Choices<'_>, attraction: Attraction, old: usize) -> Self {
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
        Self { share: buildings.iter().enumerate().map(share).collect(), buildings }
    }
    fn are_none(&self) -> bool {
        self.share.iter().all(|share| *share <= 0.0)
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
        let old = plan.first_new();
        let outside: Vec<Option<Place>> = map_chunks(persons.len(), CHUNK_ROWS, |range| {
            range.map(|row| self.works_outside(persons, row, settings.work_outside_share)).collect::<Vec<_>>()
        })
        .concat();
        let mut fits = [WorkplaceFit::default(), WorkplaceFit::default()];
        for (kind, attraction) in [Attraction::Jobs, Attraction::School].into_iter().enumerate() {
            let is_one = |row: usize| match attraction {
                Attraction::Jobs => persons.employed[row] && outside[row].is_none(),
                _ => persons.pupil[row] && !persons.employed[row],
            };
            let mut sent = vec![0.0; self.cells.len()];
            (0..persons.len()).filter(|&row| is_one(row)).for_each(|row| sent[self.cells.of(persons.home[row])] += 1.0);
            let decay_m = if kind == 0 { settings.decay_m.work } else { settings.decay_m.school };
            let taken = &self.pulls[attraction as usize].cells;
            let (weights, fit) = self.deal(&sent, taken, decay_m, settings.workplaces);
            fits[kind] = fit;
            let new_places = NewPlaces::new(self, attraction, old);
            let place_of = |row: usize| {
                let (now, key) = (persons.workplace[row], persons.key(row));
                let from = self.cells.of(persons.home[row]);
                let of_row = &weights[from * self.cells.len()..(from + 1) * self.cells.len()];
                let kept = plan.kept.get(now.row()).copied().unwrap_or(1.0);
                let leaves = kept < 1.0 && !Rng::new(self.seed, key, LEAVES, purpose::WORKPLACE).chance(kept);
                if now == Place::NONE || leaves {
                    return self.draw(attraction, of_row, &mut Rng::new(self.seed, key, 1, purpose::WORKPLACE));
                }
                let moves = if new_places.are_none() { None } else { new_places.draws(of_row, self.seed, key) };
                moves.unwrap_or(now)
            };
            let drawn = map_chunks(persons.len(), 512, |range| {
                range.map(|row| is_one(row).then(|| place_of(row))).collect::<Vec<_>>()
            });
            for (workplace, drawn) in persons.workplace.iter_mut().zip(drawn.into_iter().flatten()) {
                *workplace = drawn.unwrap_or(*workplace);
            }
        }
        for (workplace, outside) in persons.workplace.iter_mut().zip(outside) {
            *workplace = outside.unwrap_or(*workplace);
        }
        fits
    }
}
