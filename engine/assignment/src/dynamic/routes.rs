//! Routes that trips share, each stored once, and how much they overlap.
//!
//! Contract: numbers of routes follow the order in which they were first asked for.

use std::collections::BTreeMap;
use urbis_core::CarLinkIx;

/// A trip without a route: none leads there, or none is needed.
pub const NO_ROUTE: u32 = u32::MAX;

/// Distinct routes, numbered from 0; trips refer to them by number.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    ends: Vec<u32>,
    links: Vec<CarLinkIx>,
    /// Routes by a fingerprint of their links; equal fingerprints are compared link by link.
    by_print: BTreeMap<u64, Vec<u32>>,
}

/// FNV-1a over the rows of the links.
fn fingerprint(links: &[CarLinkIx]) -> u64 {
    links.iter().fold(0xcbf2_9ce4_8422_2325, |print, link| (print ^ u64::from(link.0)).wrapping_mul(0x0100_0000_01b3))
}

impl RouteTable {
    /// Number of routes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
    /// Links of a route; none for [`NO_ROUTE`].
    #[must_use]
    pub fn links(&self, route: u32) -> &[CarLinkIx] {
        if route == NO_ROUTE {
            return &[];
        }
        let row = route as usize;
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.links[start..self.ends[row] as usize]
    }
    /// The number of a route, new or not; [`NO_ROUTE`] for one without links.
    pub fn number(&mut self, links: &[CarLinkIx]) -> u32 {
        if links.is_empty() {
            return NO_ROUTE;
        }
        let print = fingerprint(links);
        let alike = self.by_print.get(&print).into_iter().flatten();
        if let Some(&known) = alike.copied().collect::<Vec<_>>().iter().find(|&&known| self.links(known) == links) {
            return known;
        }
        let number = self.ends.len() as u32;
        self.links.extend_from_slice(links);
        self.ends.push(self.links.len() as u32);
        self.by_print.entry(print).or_default().push(number);
        number
    }
    /// Forgets routes that nobody uses; the uses are renumbered.
    pub(crate) fn keep_only<'a>(&mut self, uses: impl Iterator<Item = &'a mut u32>) {
        let mut kept = Self::default();
        let mut renamed = vec![NO_ROUTE; self.len()];
        for used in uses.filter(|used| **used != NO_ROUTE) {
            let old = *used as usize;
            if renamed[old] == NO_ROUTE {
                renamed[old] = kept.number(self.links(*used));
            }
            *used = renamed[old];
        }
        *self = kept;
    }
}

/// Path sizes of alternatives (Ben-Akiva and Bierlaire 1999): of route `k` with length `L_k` the sum over
/// its links of `l_a / L_k` divided by the number of alternatives that use link `a`. 1 for a route that
/// shares nothing, `1 / n` for each of `n` equal routes.
#[must_use]
pub fn path_sizes(alternatives: &[&[CarLinkIx]], length_m: &[f64]) -> Vec<f64> {
    let mut users: BTreeMap<CarLinkIx, u32> = BTreeMap::new();
    for route in alternatives {
        for link in once_each(route) {
            *users.entry(link).or_default() += 1;
        }
    }
    let size = |route: &&[CarLinkIx]| {
        let links = once_each(route);
        let total: f64 = links.iter().map(|link| length_m[link.row()]).sum();
        links.iter().map(|link| length_m[link.row()] / total / f64::from(users[link])).sum()
    };
    alternatives.iter().map(size).collect()
}

/// The links of a route in order, each once.
fn once_each(route: &[CarLinkIx]) -> Vec<CarLinkIx> {
    let mut links = route.to_vec();
    links.sort_unstable();
    links.dedup();
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links<const N: usize>(rows: [u32; N]) -> [CarLinkIx; N] {
        rows.map(CarLinkIx)
    }

    #[test]
    fn equal_routes_share_a_number() {
        let mut table = RouteTable::default();
        let (a, b) = (table.number(&links([1, 2])), table.number(&links([2, 1])));
        assert_eq!((a, b, table.number(&links([1, 2])), table.number(&[]), table.len()), (0, 1, 0, NO_ROUTE, 2));
        let mut uses = [b, NO_ROUTE, b];
        table.keep_only(uses.iter_mut());
        assert_eq!((uses, table.len(), table.links(0)), ([0, NO_ROUTE, 0], 1, links([2, 1]).as_slice()));
    }

    /// Two routes that share a link of 3/4 of their length, and one of their own.
    #[test]
    fn overlap_counts_by_length() {
        let (a, b, c) = (links([0, 1]), links([0, 2]), links([3]));
        let sizes = path_sizes(&[&a, &b, &c], &[750.0, 250.0, 250.0, 1000.0]);
        assert!(sizes.iter().zip([0.625, 0.625, 1.0]).all(|(size, known)| (size - known).abs() < 1e-12), "{sizes:?}");
        let same = path_sizes(&[&a, &a, &a, &a], &[750.0, 250.0]);
        assert!(same.iter().all(|size| (size - 0.25).abs() < 1e-12));
    }
}
