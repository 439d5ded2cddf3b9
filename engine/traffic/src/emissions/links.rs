//! Emissions of all links of an interval as columns.

use super::{CLASSES, Emission, Factors, Travel};
use crate::measure::LinkInterval;
use rayon::prelude::*;
use urbis_core::chunks;
use urbis_core::clock::TICK_MS;

/// Milliseconds of an hour.
const HOUR_MS: f64 = 3.6e6;

/// Columns of [`Emission`]; a row per link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Emissions {
    /// See [`Emission::fuel_kg`].
    pub fuel_kg: Vec<f64>,
    /// See [`Emission::co2_kg`].
    pub co2_kg: Vec<f64>,
    /// See [`Emission::nox_g`].
    pub nox_g: Vec<f64>,
    /// See [`Emission::pm_exhaust_g`].
    pub pm_exhaust_g: Vec<f64>,
    /// See [`Emission::pm_wear_g`].
    pub pm_wear_g: Vec<f64>,
    /// See [`Emission::energy_kwh`].
    pub energy_kwh: Vec<f64>,
    /// See [`Emission::electricity_kwh`].
    pub electricity_kwh: Vec<f64>,
}

impl Emissions {
    /// Number of links.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fuel_kg.len()
    }
    /// Whether there is no link.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fuel_kg.is_empty()
    }
    /// Sums over links, with the same bits on any number of threads.
    #[must_use]
    pub fn total(&self) -> Emission {
        Emission {
            fuel_kg: chunks::sum(&self.fuel_kg),
            co2_kg: chunks::sum(&self.co2_kg),
            nox_g: chunks::sum(&self.nox_g),
            pm_exhaust_g: chunks::sum(&self.pm_exhaust_g),
            pm_wear_g: chunks::sum(&self.pm_wear_g),
            energy_kwh: chunks::sum(&self.energy_kwh),
            electricity_kwh: chunks::sum(&self.electricity_kwh),
        }
    }
    /// One link.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn link(&self, row: usize) -> Emission {
        Emission {
            fuel_kg: self.fuel_kg[row],
            co2_kg: self.co2_kg[row],
            nox_g: self.nox_g[row],
            pm_exhaust_g: self.pm_exhaust_g[row],
            pm_wear_g: self.pm_wear_g[row],
            energy_kwh: self.energy_kwh[row],
            electricity_kwh: self.electricity_kwh[row],
        }
    }
    fn resize(&mut self, links: usize) {
        let Self { fuel_kg, co2_kg, nox_g, pm_exhaust_g, pm_wear_g, energy_kwh, electricity_kwh } = self;
        for column in [fuel_kg, co2_kg, nox_g, pm_exhaust_g, pm_wear_g, energy_kwh, electricity_kwh] {
            column.resize(links, 0.0);
        }
    }
}

impl Factors {
    /// Emissions of every link; columns of `out` are reused.
    pub fn links(&self, travel: &[Travel], out: &mut Emissions) {
        const ROWS: usize = chunks::CHUNK_ROWS;
        out.resize(travel.len());
        (
            travel.par_chunks(ROWS),
            out.fuel_kg.par_chunks_mut(ROWS),
            out.co2_kg.par_chunks_mut(ROWS),
            out.nox_g.par_chunks_mut(ROWS),
            out.pm_exhaust_g.par_chunks_mut(ROWS),
            out.pm_wear_g.par_chunks_mut(ROWS),
            out.energy_kwh.par_chunks_mut(ROWS),
            out.electricity_kwh.par_chunks_mut(ROWS),
        )
            .into_par_iter()
            .for_each(|(travel, fuel, co2, nox, pm_exhaust, pm_wear, energy, electricity)| {
                for (row, travel) in travel.iter().enumerate() {
                    let emission = self.link_interval(travel);
                    fuel[row] = emission.fuel_kg;
                    co2[row] = emission.co2_kg;
                    nox[row] = emission.nox_g;
                    pm_exhaust[row] = emission.pm_exhaust_g;
                    pm_wear[row] = emission.pm_wear_g;
                    energy[row] = emission.energy_kwh;
                    electricity[row] = emission.electricity_kwh;
                }
            });
    }
}

/// What vehicles did on every link in a measured interval, with the same class shares (sum 1) everywhere.
///
/// Hours are exact. Kilometres count a vehicle half when it enters and half when it leaves, so that over
/// consecutive intervals every crossing counts once; one that lasts longer than an interval counts as standing in
/// those between.
///
/// # Panics
/// When `length_m` has fewer rows than the interval.
#[must_use]
pub fn travel(interval: &LinkInterval, length_m: &[f64], shares: &[f64; CLASSES]) -> Vec<Travel> {
    let span_h = f64::from(interval.end.saturating_sub(interval.start)) * (TICK_MS as f64 / HOUR_MS);
    (0..interval.entered.len())
        .map(|link| {
            let crossings = (f64::from(interval.entered[link]) + f64::from(interval.left[link])) / 2.0;
            Travel::split(crossings * length_m[link] / 1000.0, interval.vehicles_mean[link] * span_h, shares)
        })
        .collect()
}
