//! Peaks and their coincidence. A customer's own peak hardly ever meets another's, so that `n` equal customers together
//! peak at `n P (g + (1 - g) / sqrt(n))` (Rusck 1956; Velander's `k1 W + k2 sqrt(W)` is the same shape). Unequal ones:
//!
//! ```text
//! peak(set) = g sum(P) + (1 - g) sqrt(sum(P^2))
//! ```
//!
//! which is Rusck's for equal ones and needs two sums, so that sets are joined by adding. Dwellings and other customers
//! have each their `g`, and their peaks are taken to meet, on the safe side.
//!
//! A building's part in the peak of a set that it belongs to is `g P + (1 - g) P^2 / sqrt(sum(P^2))`; parts add up to
//! the peak of the set, and those of a smaller set within to no more than its own peak. So what is planned for the peak
//! of whatever lies behind it is not overloaded by the parts.
//!
//! Contract: pure functions.

use super::equipment::Equipment;
use urbis_city::model::{BuildingUse, City};

/// Customers that peak together, in two kinds: dwellings, others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) linear_w: [f64; 2],
    pub(super) square_w2: [f64; 2],
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        for kind in 0..2 {
            self.linear_w[kind] += other.linear_w[kind];
            self.square_w2[kind] += other.square_w2[kind];
        }
    }
    pub(super) fn peak_w(&self, g: [f64; 2]) -> f64 {
        (0..2).map(|kind| g[kind] * self.linear_w[kind] + (1.0 - g[kind]) * self.square_w2[kind].sqrt()).sum()
    }
    /// Part in the peak of `whole`, watts.
    pub(super) fn part_w(&self, whole: &Self, g: [f64; 2]) -> f64 {
        let part = |kind: usize| {
            let root = whole.square_w2[kind].sqrt();
            let square = if root > 0.0 { self.square_w2[kind] / root } else { 0.0 };
            g[kind] * self.linear_w[kind] + (1.0 - g[kind]) * square
        };
        (0..2).map(part).sum()
    }
}

/// Demand of each building.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    /// Shares that coincide, dwellings and others.
    pub(super) g: [f64; 2],
    pub(super) sums: Vec<Sums>,
    /// Dwellings, or one; none without a peak.
    pub(super) customers: Vec<u32>,
}

impl Demand {
    /// Of buildings with these peaks: each is its customers' peak together.
    pub(super) fn new(city: &City, peak_w: &[f64], equipment: &Equipment) -> Self {
        let g = [equipment.household.coincidence_share, equipment.others.coincidence_share];
        let table = &city.buildings;
        let customers: Vec<u32> = (0..table.len())
            .map(|row| if peak_w[row] > 0.0 { dwellings(city, row, equipment).max(1) } else { 0 })
            .collect();
        let sums = (0..table.len()).map(|row| {
            let mut sums = Sums::default();
            let kind = usize::from(table.purpose[row] != BuildingUse::Residential);
            let n = f64::from(customers[row]);
            if n > 0.0 {
                let own_w = peak_w[row] / (g[kind] * n + (1.0 - g[kind]) * n.sqrt());
                sums.linear_w[kind] = n * own_w;
                sums.square_w2[kind] = n * own_w * own_w;
            }
            sums
        });
        Self { g, sums: sums.collect(), customers }
    }
}

/// Dwellings of a building; of a residential one without, by its floor area.
fn dwellings(city: &City, row: usize, equipment: &Equipment) -> u32 {
    let table = &city.buildings;
    let known = table.dwellings.get(row).copied().unwrap_or(0);
    if known > 0 || table.purpose[row] != BuildingUse::Residential {
        return known;
    }
    (table.floor_area_m2[row] / equipment.household.floor_area_m2).round().max(1.0) as u32
}

/// A design peak for each building, watts, from its dwellings and, for other uses, its floor area. Shape: buildings.
#[must_use]
pub fn estimate_peaks_w(city: &City, equipment: &Equipment) -> Vec<f64> {
    let table = &city.buildings;
    let of = &equipment.household;
    let peak_w = |row: usize| {
        let n = f64::from(dwellings(city, row, equipment));
        let homes_w = of.customer_peak_w * (of.coincidence_share * n + (1.0 - of.coincidence_share) * n.sqrt());
        let others_w = equipment.others.peak_w_per_m2.of(table.purpose[row]) * table.floor_area_m2[row];
        homes_w + others_w
    };
    (0..table.len()).map(peak_w).collect()
}
