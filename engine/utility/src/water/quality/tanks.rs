//! How water mixes in tanks: at once, in two compartments, or in layers of which the oldest or the newest leaves first.
//!
//! Source: EPANET 2.2 Users Manual, ch. 3.4, with volumes and masses kept in every case: where its program differs from its
//! manual and loses mass (two compartments that fill, layers blended within the tolerance) the manual is followed.
//!
//! Contract: pure functions of a row of parcels.

use super::parcels::Parcels;
use crate::water::network::{Mixing, NONE, Network};
use std::f64::consts::FRAC_PI_4;

/// A tank's row and mixing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tank {
    pub(super) node: u32,
    /// Row of [`Parcels`].
    pub(super) row: usize,
    pub(super) mixing: Mixing,
    pub(super) can_overflow: bool,
    /// Bulk reaction, by order.
    pub(super) bulk_per_s: f64,
    /// Volume of the inlet zone of two compartments, m3.
    zone_m3: f64,
    pub(super) initial_m3: f64,
}

impl Tank {
    /// Of a row of the network's tanks.
    pub(super) fn new(network: &Network, at: usize, row: usize) -> Self {
        let tanks = &network.tanks;
        let bulk_per_s = tanks.bulk_per_s[at];
        let largest_m3 = volume_m3(network, at, tanks.max_level_m[at]);
        let share = match tanks.mixing[at] {
            Mixing::TwoCompartment(share) => share,
            _ => 1.0,
        };
        Self {
            node: tanks.node[at],
            row,
            mixing: tanks.mixing[at],
            can_overflow: tanks.can_overflow[at],
            bulk_per_s: if bulk_per_s.is_nan() { network.quality.bulk_per_s } else { bulk_per_s },
            zone_m3: share * largest_m3,
            initial_m3: volume_m3(network, at, tanks.initial_level_m[at]),
        }
    }

    /// Its parcels at the start.
    pub(super) fn fill(&self, parcels: &mut Parcels, quality: f64) {
        match self.mixing {
            // The inlet zone is where water leaves, the rest behind it.
            Mixing::TwoCompartment(_) => {
                let zone = self.initial_m3.min(self.zone_m3);
                parcels.push(self.row, zone, quality);
                parcels.push(self.row, self.initial_m3 - zone, quality);
            }
            _ => parcels.push(self.row, self.initial_m3, quality),
        }
    }

    /// Volume `in_m3` with `mass` comes and `out_m3` goes: the quality of what goes, and how much of it was not there.
    pub(super) fn mix(&self, parcels: &mut Parcels, in_m3: f64, mass: f64, out_m3: f64, tolerance: f64) -> (f64, f64) {
        match self.mixing {
            Mixing::Complete => {
                let (volume, quality) = parcels.at_outlet(self.row).unwrap_or((0.0, 0.0));
                let sum = volume + in_m3;
                let quality = if sum > 0.0 { (quality * volume + mass) / sum } else { quality };
                let left = sum - out_m3;
                parcels.set_outlet(self.row, (left.max(0.0), quality));
                (quality, (-left).max(0.0))
            }
            Mixing::TwoCompartment(_) => self.two_compartments(parcels, in_m3, mass, out_m3),
            Mixing::Fifo => {
                if in_m3 > 0.0 {
                    parcels.add(self.row, in_m3, mass / in_m3, tolerance);
                }
                let before = parcels.at_outlet(self.row).map_or(0.0, |parcel| parcel.1);
                let (taken, out) = parcels.take(self.row, out_m3);
                let quality = match parcels.at_outlet(self.row) {
                    _ if taken > 0.0 => out / taken,
                    Some((_, quality)) => quality,
                    None => before,
                };
                (quality, (out_m3 - taken).max(0.0))
            }
            Mixing::Lifo => {
                let net = in_m3 - out_m3;
                let top = parcels.at_outlet(self.row).map_or(0.0, |parcel| parcel.1);
                if net >= 0.0 {
                    let entering = if in_m3 > 0.0 { mass / in_m3 } else { top };
                    if net > 0.0 {
                        parcels.add_at_outlet(self.row, net, entering, tolerance);
                    }
                    let top = parcels.at_outlet(self.row).map_or(entering, |parcel| parcel.1);
                    return (if out_m3 > 0.0 { entering } else { top }, 0.0);
                }
                let (taken, out) = parcels.take(self.row, -net);
                let sum = taken + in_m3;
                (if sum > 0.0 { (out + mass) / sum } else { top }, (-net - taken).max(0.0))
            }
        }
    }

    fn two_compartments(&self, parcels: &mut Parcels, in_m3: f64, mass: f64, out_m3: f64) -> (f64, f64) {
        let (zone, zone_quality) = parcels.at_outlet(self.row).unwrap_or((0.0, 0.0));
        let (rest, rest_quality) = parcels.at_inlet(self.row).unwrap_or((0.0, 0.0));
        let net = in_m3 - out_m3;
        // An emptying zone is filled from the rest.
        let from_rest = if net < 0.0 { rest.min(-net) } else { 0.0 };
        let sum = zone + in_m3 + from_rest;
        let quality =
            if sum > 0.0 { (zone_quality * zone + mass + rest_quality * from_rest) / sum } else { zone_quality };
        let left = sum - out_m3;
        // A full one spills into the rest.
        let to_rest = if net > 0.0 { (left - self.zone_m3).max(0.0) } else { 0.0 };
        let rest_now = rest - from_rest + to_rest;
        let rest_quality =
            if to_rest > 0.0 { (rest_quality * rest + quality * to_rest) / rest_now } else { rest_quality };
        parcels.set_outlet(self.row, ((left - to_rest).max(0.0), quality));
        parcels.set_inlet(self.row, (rest_now, rest_quality));
        (quality, (-left).max(0.0))
    }
}

/// Volume of a tank at a level.
fn volume_m3(network: &Network, at: usize, level_m: f64) -> f64 {
    let tanks = &network.tanks;
    if tanks.volume_curve[at] != NONE
        && let Some(curve) = network.curves.get(tanks.volume_curve[at] as usize)
        && let Some(pair) =
            curve.points.windows(2).find(|pair| level_m <= pair[1][0]).or_else(|| curve.points.windows(2).last())
    {
        let [[x0, y0], [x1, y1]] = [pair[0], pair[1]];
        return y0 + (y1 - y0) * (level_m - x0) / (x1 - x0);
    }
    let d = tanks.diameter_m[at];
    tanks.min_volume_m3[at] + FRAC_PI_4 * d * d * (level_m - tanks.min_level_m[at])
}
