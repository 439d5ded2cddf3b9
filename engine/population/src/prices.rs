//! What people pay at places when they plan: for parking, and what share of the tolls those who live somewhere, or whose
//! car is clean enough, pay.
//!
//! Prices depend on the hour of arrival and the length of the stay. Empty where nothing is priced.
//! Contract: pure.

use crate::persons::Place;
use urbis_core::PersonIx;

/// Prices at places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlacePrices {
    /// By place: share of tolls that people pay who live there; empty for all of it.
    pub home_share: Vec<f32>,
    /// By person: whether their car pays no tolls; empty: all pay.
    pub is_exempt: Vec<bool>,
    /// Share of tolls that people have in mind who choose a destination or ride along; absent: all of it.
    pub mean_share: Option<f64>,
    /// Prices of parking; each counts where it holds.
    pub parking: Vec<ParkingPrice>,
}

/// A price for cars that park.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkingPrice {
    /// Money for each hour.
    pub per_hour: f64,
    /// Money for each stay.
    pub per_stay: f64,
    /// When it is charged, seconds of the day.
    pub window: (u32, u32),
    /// By place: where it is charged.
    pub at: Vec<bool>,
    /// Whether people who live where it is charged park free.
    pub residents_exempt: bool,
}

/// A car that stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    /// Where its driver lives.
    pub home: Place,
    /// Where it stands.
    pub at: Place,
    /// From when, seconds of the day.
    pub from_s: f64,
    /// Until when, seconds of the same day; beyond a day for longer stays.
    pub to_s: f64,
}

impl ParkingPrice {
    /// What a stay costs, money.
    #[must_use]
    pub fn money(&self, stay: Stay) -> f64 {
        let is_in = |place: Place| self.at.get(place.row()).copied().unwrap_or(false);
        if !is_in(stay.at) || (self.residents_exempt && is_in(stay.home)) {
            return 0.0;
        }
        let (open_s, close_s) = (f64::from(self.window.0), f64::from(self.window.1));
        let mut charged_s = 0.0;
        let mut midnight_s = (stay.from_s / 86_400.0).floor() * 86_400.0;
        while midnight_s < stay.to_s {
            let (from_s, to_s) = (stay.from_s.max(midnight_s + open_s), stay.to_s.min(midnight_s + close_s));
            charged_s += (to_s - from_s).max(0.0);
            midnight_s += 86_400.0;
        }
        if charged_s > 0.0 { self.per_stay + self.per_hour * charged_s / 3600.0 } else { 0.0 }
    }
}

impl PlacePrices {
    /// Share of tolls that a person pays who lives somewhere.
    #[must_use]
    pub fn share_of(&self, home: Place, person: PersonIx) -> f64 {
        if self.is_exempt.get(person.row()).copied().unwrap_or(false) {
            return 0.0;
        }
        self.home_share.get(home.row()).map_or(1.0, |&share| f64::from(share))
    }
    /// What a stay costs, money.
    #[must_use]
    pub fn parking(&self, stay: Stay) -> f64 {
        self.parking.iter().map(|price| price.money(stay)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_cost_what_falls_into_the_window() {
        let hour = |hour: f64| hour * 3600.0;
        let mut price = ParkingPrice {
            per_hour: 2.0,
            per_stay: 1.0,
            window: (8 * 3600, 18 * 3600),
            at: vec![false, true],
            residents_exempt: false,
        };
        let stay = |from: f64, to: f64| Stay { home: Place(0), at: Place(1), from_s: hour(from), to_s: hour(to) };
        assert!((price.money(stay(7.0, 10.0)) - 5.0).abs() < 1e-9);
        assert!(price.money(stay(18.0, 23.0)).abs() < 1e-9);
        // Two hours before the window closes, and one after it opens again.
        assert!((price.money(stay(16.0, 33.0)) - 7.0).abs() < 1e-9);
        assert!(price.money(Stay { at: Place(0), ..stay(9.0, 10.0) }).abs() < 1e-9);
        let resident = Stay { home: Place(1), ..stay(9.0, 10.0) };
        assert!((price.money(resident) - 3.0).abs() < 1e-9);
        price.residents_exempt = true;
        assert!(price.money(resident).abs() < 1e-9);
        let is_exempt = vec![false, true];
        let prices = PlacePrices { home_share: vec![1.0, 0.5], is_exempt, parking: vec![price], mean_share: None };
        let share = |home, person| prices.share_of(Place(home), PersonIx(person));
        assert!((share(1, 0) - 0.5).abs() < 1e-9 && (share(0, 2) - 1.0).abs() < 1e-9 && share(1, 1).abs() < 1e-9);
        assert!((prices.parking(stay(9.0, 10.0)) - 3.0).abs() < 1e-9);
    }
}
