//! Parking supply and search time: areas (streets, zones, garages) with spaces, filled by arrivals and emptied by
//! departures.
//!
//! Who arrives passes the spaces of an area in random order until one is free. With `v` of `n` spaces free he passes
//! `(n + 1) / (v + 1)` on average, which is the mean of the negative hypergeometric distribution and tends to the
//! `1 / (1 - occupancy)` of Arnott and Rowse (1999, "Modeling parking"). Every space passed costs time. Levy,
//! Martens and Benenson (2013) and Arnott and Williams (2017) show that such averages are right up to about 85 %
//! occupancy and too low above, because free spaces lie in clusters and searchers compete; `crowding` multiplies the
//! time above that threshold, linearly up to the full area. In a full area everything is passed in vain, no longer
//! than the patience, and the search goes on in the neighbours, nearest first.
//!
//! Ignored: prices, reservations, illegal parking, searching vehicles as traffic, other sizes than a car's.
//! Contract: one arrival or departure after the other, in the order given; counts are conserved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use urbis_core::csr::Csr;
use urbis_core::{Problem, Problems, Result};

/// Occupancy above which competition is felt (Levy, Martens and Benenson 2013).
pub const CROWDED_FROM: f64 = 0.85;

/// How people search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParkingSearch {
    /// Time to pass a space, seconds, >= 0: 6 m at 12 km/h by default.
    pub pass_s: f64,
    /// What multiplies the time in an area about to be full, >= 1; from [`CROWDED_FROM`] on it grows from 1.
    pub crowding: f64,
    /// Longest search in one area before it is given up, seconds, >= 0.
    pub patience_s: f64,
    /// Neighbours that are tried after the area itself.
    pub neighbours: u32,
}

impl Default for ParkingSearch {
    /// Assumptions, not measurements.
    fn default() -> Self {
        Self { pass_s: 1.8, crowding: 2.0, patience_s: 600.0, neighbours: 4 }
    }
}

impl ParkingSearch {
    /// Mean time until a free space is found, seconds; in a full area that until it is given up.
    #[must_use]
    pub fn search_s(&self, spaces: u32, occupied: u32) -> f64 {
        let free = spaces.saturating_sub(occupied);
        if free == 0 {
            return (f64::from(spaces) * self.pass_s * self.crowding).min(self.patience_s);
        }
        let passed = (f64::from(spaces) + 1.0) / (f64::from(free) + 1.0);
        let occupancy = f64::from(occupied) / f64::from(spaces);
        let crowded = ((occupancy - CROWDED_FROM) / (1.0 - CROWDED_FROM)).clamp(0.0, 1.0);
        (passed * self.pass_s * (1.0 + (self.crowding - 1.0) * crowded)).min(self.patience_s)
    }
}

/// Parking in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParkingSettings {
    /// Whether cars that arrive look for a space. Off: everybody parks where they arrive, in no time.
    pub enabled: bool,
    /// Spaces for each adult with a car who lives in a zone, where the panel has no `parking_spaces` of the zone. They
    /// come on top of those in its buildings and points of interest for parking.
    #[schemars(range(min = 0.0))]
    pub spaces_per_car_owner: f64,
    /// Floor area of parking buildings for each space, square metres.
    pub space_m2: f64,
    /// Spaces of a car park on the map that is no building.
    #[schemars(range(min = 0.0))]
    pub spaces_per_car_park: f64,
    /// Time to pass a space, seconds.
    #[schemars(range(min = 0.0))]
    pub pass_s: f64,
    /// What multiplies the search in an area about to be full; it grows from 1 above 85 % occupancy.
    #[schemars(range(min = 1.0))]
    pub crowding: f64,
    /// Longest search in one zone, seconds.
    #[schemars(range(min = 0.0))]
    pub patience_s: f64,
    /// Zones that are tried after the own one.
    pub neighbours: u32,
    /// Speed from zone to zone, km/h.
    pub drive_kmh: f64,
}

impl Default for ParkingSettings {
    /// Assumptions, not measurements.
    fn default() -> Self {
        let ParkingSearch { pass_s, crowding, patience_s, neighbours } = ParkingSearch::default();
        Self {
            enabled: false,
            spaces_per_car_owner: 1.2,
            space_m2: 30.0,
            spaces_per_car_park: 20.0,
            pass_s,
            crowding,
            patience_s,
            neighbours,
            drive_kmh: 20.0,
        }
    }
}

impl ParkingSettings {
    /// How people search.
    #[must_use]
    pub fn search(&self) -> ParkingSearch {
        let Self { pass_s, crowding, patience_s, neighbours, .. } = *self;
        ParkingSearch { pass_s, crowding, patience_s, neighbours }
    }
    /// Checks what the search itself does not.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming every value out of range.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::new();
        let least = [
            ("spaces_per_car_owner", self.spaces_per_car_owner, 0.0),
            ("space_m2", self.space_m2, 1.0),
            ("spaces_per_car_park", self.spaces_per_car_park, 0.0),
            ("drive_kmh", self.drive_kmh, 1.0),
        ];
        for (name, value, least) in least {
            if !(value.is_finite() && value >= least) {
                let what = format!("{name} = {value}, expected >= {least} and finite");
                problems.push(Problem::file(Path::new("traffic.parking"), what));
            }
        }
        problems.or_else(())
    }
}

/// How an arrival ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParkingOutcome {
    /// Where the vehicle stands; `None` when no area had room: it is turned away.
    pub area: Option<u32>,
    /// Time spent searching and driving between areas, seconds.
    pub search_s: f64,
}

/// Vehicles by what became of them. `arrived = parked + departed + turned_away` holds always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParkingLedger {
    /// Arrivals, initial vehicles included.
    pub arrived: u64,
    /// Now parked.
    pub parked: u64,
    /// Left again.
    pub departed: u64,
    /// Found no space.
    pub turned_away: u64,
    /// Of the arrivals, those that parked in another area than they wanted.
    pub overflowed: u64,
}

/// Spaces and vehicles by area.
#[derive(Clone, Debug)]
pub struct Parking {
    search: ParkingSearch,
    spaces: Vec<u32>,
    occupied: Vec<u32>,
    /// Areas to go on to, nearest first, with the drive in seconds.
    neighbours: Csr<(u32, f64)>,
    ledger: ParkingLedger,
}

impl Parking {
    /// Areas with their spaces, vehicles that are there already, and drives `(from area, to area, seconds)` between
    /// neighbours in any order.
    ///
    /// # Errors
    /// [`urbis_core::Error::Input`] naming settings out of range, areas with more vehicles than spaces, and
    /// neighbours that do not exist, are the area itself, or have no finite drive >= 0.
    pub fn new(search: ParkingSearch, spaces: &[u32], occupied: &[u32], drives: &[(u32, u32, f64)]) -> Result<Self> {
        let place = Path::new("parking");
        let mut problems = Problems::new();
        for (name, value, least) in
            [("pass_s", search.pass_s, 0.0), ("crowding", search.crowding, 1.0), ("patience_s", search.patience_s, 0.0)]
        {
            if !(value.is_finite() && value >= least) {
                problems.push(Problem::file(place, format!("{name} = {value}, expected >= {least} and finite")));
            }
        }
        if occupied.len() != spaces.len() {
            let found = occupied.len();
            problems.push(Problem::file(place, format!("{found} occupancies, expected {}", spaces.len())));
        }
        for (row, (occupied, spaces)) in occupied.iter().zip(spaces).enumerate().filter(|(_, (o, s))| o > s) {
            let expected = format!("at most the {spaces} spaces");
            problems.push(Problem::value(place, row + 1, None, "occupied", occupied, expected));
        }
        let areas = spaces.len() as u32;
        for (row, &(from, to, drive_s)) in drives.iter().enumerate() {
            for (field, area) in [("from", from), ("to", to)] {
                if area >= areas {
                    problems.push(Problem::value(place, row + 1, None, field, area, "an area"));
                }
            }
            if from == to {
                problems.push(Problem::value(place, row + 1, None, "to", to, "another area than `from`"));
            }
            if !(drive_s.is_finite() && drive_s >= 0.0) {
                problems.push(Problem::value(place, row + 1, None, "drive_s", drive_s, ">= 0 and finite"));
            }
        }
        let mut sorted: Vec<(u32, u32, f64)> = if problems.is_empty() { drives.to_vec() } else { Vec::new() };
        sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)).then(a.1.cmp(&b.1)));
        let pairs: Vec<(u32, (u32, f64))> = sorted.into_iter().map(|(from, to, drive)| (from, (to, drive))).collect();
        let parked = occupied.iter().map(|&of| u64::from(of)).sum();
        let neighbours = Csr::from_pairs(spaces.len(), &pairs);
        let ledger = ParkingLedger { arrived: parked, parked, ..ParkingLedger::default() };
        problems.or_else(Self { search, spaces: spaces.to_vec(), occupied: occupied.to_vec(), neighbours, ledger })
    }

    /// Spaces of each area.
    #[must_use]
    pub fn spaces(&self) -> &[u32] {
        &self.spaces
    }
    /// Vehicles in each area.
    #[must_use]
    pub fn occupied(&self) -> &[u32] {
        &self.occupied
    }
    /// Vehicles by what became of them, from running counters.
    #[must_use]
    pub fn ledger(&self) -> ParkingLedger {
        self.ledger
    }
    /// Whether the ledger closes against the areas counted anew and no area holds more than it can.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        let ParkingLedger { arrived, parked, departed, turned_away, .. } = self.ledger;
        let counted: u64 = self.occupied.iter().map(|&of| u64::from(of)).sum();
        counted == parked
            && arrived == parked + departed + turned_away
            && self.occupied.iter().zip(&self.spaces).all(|(occupied, spaces)| occupied <= spaces)
    }

    /// Mean search time in an area as it is now, seconds.
    #[must_use]
    pub fn search_s(&self, area: u32) -> f64 {
        self.search.search_s(self.spaces[area as usize], self.occupied[area as usize])
    }

    /// A vehicle wants to park in an area. Panics when the area does not exist.
    pub fn arrive(&mut self, area: u32) -> ParkingOutcome {
        self.ledger.arrived += 1;
        let mut search_s = 0.0;
        let tries = self.search.neighbours as usize;
        let mut wanted = Some((area, 0.0));
        let mut next = 0;
        while let Some((try_area, drive_s)) = wanted {
            search_s += drive_s + self.search_s(try_area);
            if self.occupied[try_area as usize] < self.spaces[try_area as usize] {
                self.occupied[try_area as usize] += 1;
                self.ledger.parked += 1;
                self.ledger.overflowed += u64::from(try_area != area);
                return ParkingOutcome { area: Some(try_area), search_s };
            }
            wanted = self.neighbours.row(area as usize).get(next).copied().filter(|_| next < tries);
            next += 1;
        }
        self.ledger.turned_away += 1;
        ParkingOutcome { area: None, search_s }
    }

    /// A vehicle leaves an area; whether there was one. Panics when the area does not exist.
    pub fn depart(&mut self, area: u32) -> bool {
        let occupied = &mut self.occupied[area as usize];
        if *occupied == 0 {
            return false;
        }
        *occupied -= 1;
        self.ledger.parked -= 1;
        self.ledger.departed += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::rng::Rng;

    const PLAIN: ParkingSearch = ParkingSearch { pass_s: 2.0, crowding: 1.0, patience_s: 1e9, neighbours: 4 };

    /// The mean number of spaces passed against drawing them in random order.
    #[test]
    fn search_is_the_mean_over_random_orders() {
        for (spaces, occupied) in [(10, 0), (10, 5), (10, 9), (40, 37), (3, 1)] {
            let mut rng = Rng::new(1, spaces, occupied, 0);
            let draws = 40_000;
            let mut passed = 0_u64;
            for _ in 0..draws {
                let (mut left, mut taken) = (spaces, occupied);
                loop {
                    passed += 1;
                    if rng.below(left) >= taken {
                        break;
                    }
                    left -= 1;
                    taken -= 1;
                }
            }
            let mean = passed as f64 / f64::from(draws);
            assert!((PLAIN.search_s(spaces, occupied) / 2.0 / mean - 1.0).abs() < 0.02, "{spaces} {occupied} {mean}");
        }
        // Many spaces: 1 / (1 - occupancy).
        assert!((PLAIN.search_s(1_000_000, 900_000) / 20.0 - 1.0).abs() < 1e-4);
    }

    #[test]
    fn search_grows_with_occupancy_and_is_bounded() {
        let search = ParkingSearch { patience_s: 300.0, ..ParkingSearch::default() };
        for spaces in [1, 7, 100, 5000] {
            let times: Vec<f64> = (0..=spaces).map(|occupied| search.search_s(spaces, occupied)).collect();
            assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{spaces}");
            assert!(times.iter().all(|time| (0.0..=300.0).contains(time)));
        }
        assert!(search.search_s(0, 0).abs() < 1e-300);
    }

    #[test]
    fn full_areas_overflow_to_the_nearest() {
        let drives = [(0, 2, 90.0), (0, 1, 30.0), (1, 0, 30.0)];
        let mut parking = Parking::new(PLAIN, &[1, 1, 2], &[0; 3], &drives).unwrap();
        let ends: Vec<ParkingOutcome> = (0..5).map(|_| parking.arrive(0)).collect();
        assert_eq!(ends.iter().map(|end| end.area).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), Some(2), None]);
        // Alone; around the full one and 30 s on; around both, 30 s and 90 s on, 3 / 3 of a space; then 3 / 2.
        let times = [2.0, 2.0 + 30.0 + 2.0, 4.0 + 120.0 + 2.0, 4.0 + 120.0 + 3.0, 4.0 + 120.0 + 4.0];
        assert!(ends.iter().zip(times).all(|(end, time)| (end.search_s - time).abs() < 1e-9), "{ends:?}");
        let ledger = ParkingLedger { arrived: 5, parked: 4, departed: 0, turned_away: 1, overflowed: 3 };
        assert_eq!(parking.ledger(), ledger);
        assert!(parking.depart(1) && !parking.depart(1) && parking.is_conserved());
        assert_eq!(parking.arrive(1).area, Some(1));
    }

    #[test]
    fn counts_are_conserved_whatever_happens() {
        for seed in 0..20 {
            let mut rng = Rng::new(seed, 0, 0, 0);
            let areas = 1 + rng.below(12);
            let spaces: Vec<u32> = (0..areas).map(|_| rng.below(9)).collect();
            let occupied: Vec<u32> = spaces.iter().map(|&of| rng.below(of + 1)).collect();
            let drives: Vec<(u32, u32, f64)> = (0..30)
                .map(|_| (rng.below(areas), rng.below(areas), rng.uniform() * 100.0))
                .filter(|(from, to, _)| from != to)
                .collect();
            let search = ParkingSearch { neighbours: rng.below(4), ..ParkingSearch::default() };
            let mut parking = Parking::new(search, &spaces, &occupied, &drives).unwrap();
            let start = parking.ledger().arrived;
            let mut arrivals = 0;
            for _ in 0..2000 {
                let area = rng.below(areas);
                if rng.chance(0.55) {
                    arrivals += 1;
                    let end = parking.arrive(area);
                    assert!(end.search_s.is_finite() && end.search_s >= 0.0);
                } else {
                    let had = parking.occupied()[area as usize] > 0;
                    assert_eq!(parking.depart(area), had);
                }
                assert!(parking.is_conserved(), "seed {seed}");
            }
            assert_eq!(parking.ledger().arrived, start + arrivals);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let wrong = ParkingSearch { pass_s: -1.0, crowding: 0.5, patience_s: f64::NAN, neighbours: 1 };
        let drives = [(0, 0, 1.0), (0, 7, 1.0), (1, 0, f64::NAN)];
        let error = Parking::new(wrong, &[1, 2], &[2, 0], &drives).unwrap_err();
        let urbis_core::Error::Input(problems) = error else { panic!("{error}") };
        assert_eq!(problems.len(), 7);
        assert!(Parking::new(PLAIN, &[1], &[], &[]).is_err());
    }
}
