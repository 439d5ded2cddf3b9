//! Who was without supply, and for how long; indices as in IEEE Std 1366 (Guide for Electric Power Distribution Reliability
//! Indices): over all customers served `N`, with interruptions `i` of `N_i` customers for `r_i` minutes that are sustained,
//! that is longer than a limit,
//!
//! ```text
//! SAIFI = sum N_i / N      SAIDI = sum r_i N_i / N      CAIDI = SAIDI / SAIFI      ASAI = 1 - SAIDI / T
//! ```
//!
//! and `MAIFI`, as SAIFI, of those that are momentary. Contract: pure functions.

use std::collections::BTreeMap;

/// Customers that lost supply together and got it back together.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruption {
    /// What caused it, in words.
    pub cause: String,
    /// When it began, seconds from the start.
    pub from_s: u32,
    /// When it ended; none where it has not.
    pub to_s: Option<u32>,
    /// Customers.
    pub customers: u32,
}

impl Interruption {
    /// How long until `now_s`, seconds.
    #[must_use]
    pub fn seconds(&self, now_s: u32) -> u32 {
        self.to_s.unwrap_or(now_s).saturating_sub(self.from_s)
    }
}

/// Indices of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Indices {
    /// Customers served.
    pub customers: u32,
    /// Interruptions of a customer, sustained.
    pub saifi: f64,
    /// Minutes of a customer without supply in sustained interruptions.
    pub saidi_min: f64,
    /// Minutes of a sustained interruption; 0 without any.
    pub caidi_min: f64,
    /// Interruptions of a customer, momentary.
    pub maifi: f64,
    /// Share of time with supply.
    pub asai: f64,
    /// Customers times minutes of sustained interruptions.
    pub customer_minutes: f64,
}

/// Watches buses with customers.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    customers: Vec<u32>,
    /// Buses with customers.
    watched: Vec<u32>,
    /// Since when, and the row of the cause; by bus.
    dark: Vec<Option<(u32, u32)>>,
    ended: BTreeMap<(u32, u32, u32), u32>,
}

impl Watch {
    pub(super) fn new(customers: Vec<u32>) -> Self {
        let watched = (0..customers.len() as u32).filter(|&bus| customers[bus as usize] > 0).collect();
        Self { dark: vec![None; customers.len()], customers, watched, ended: BTreeMap::new() }
    }
    /// Sees who has supply now; whoever lost it lost it to the cause of this row.
    pub(super) fn look(&mut self, now_s: u32, cause: u32, is_energised: impl Fn(u32) -> bool) {
        for &bus in &self.watched {
            let row = bus as usize;
            match (is_energised(bus), self.dark[row]) {
                (false, None) => self.dark[row] = Some((now_s, cause)),
                (true, Some((from_s, cause))) => {
                    self.dark[row] = None;
                    if now_s > from_s {
                        *self.ended.entry((from_s, now_s, cause)).or_default() += self.customers[row];
                    }
                }
                _ => {}
            }
        }
    }
    /// Customers without supply.
    pub(super) fn dark_customers(&self) -> u32 {
        self.watched
            .iter()
            .filter(|&&bus| self.dark[bus as usize].is_some())
            .map(|&bus| self.customers[bus as usize])
            .sum()
    }
    /// All customers.
    pub(super) fn customers(&self) -> u32 {
        self.watched.iter().map(|&bus| self.customers[bus as usize]).sum()
    }
    /// Interruptions in order of their beginning, those that go on among them.
    pub(super) fn interruptions(&self, cause: impl Fn(u32) -> String) -> Vec<Interruption> {
        let mut rows: BTreeMap<(u32, Option<u32>, u32), u32> = self
            .ended
            .iter()
            .map(|(&(from_s, to_s, cause), &customers)| ((from_s, Some(to_s), cause), customers))
            .collect();
        for &bus in &self.watched {
            if let Some((from_s, cause)) = self.dark[bus as usize] {
                *rows.entry((from_s, None, cause)).or_default() += self.customers[bus as usize];
            }
        }
        let row = |((from_s, to_s, of), customers)| Interruption { cause: cause(of), from_s, to_s, customers };
        rows.into_iter().map(row).collect()
    }
}

impl Indices {
    /// Of interruptions in a period that ends at `end_s`, among so many customers.
    #[must_use]
    pub fn new(interruptions: &[Interruption], customers: u32, end_s: u32, momentary_s: u32) -> Self {
        let mut this = Self { customers, asai: 1.0, ..Self::default() };
        let all = f64::from(customers);
        if customers == 0 {
            return this;
        }
        for of in interruptions {
            let share = f64::from(of.customers) / all;
            if of.seconds(end_s) > momentary_s {
                this.saifi += share;
                this.saidi_min += share * f64::from(of.seconds(end_s)) / 60.0;
            } else {
                this.maifi += share;
            }
        }
        this.customer_minutes = this.saidi_min * all;
        this.caidi_min = if this.saifi > 0.0 { this.saidi_min / this.saifi } else { 0.0 };
        this.asai = 1.0 - this.saidi_min * 60.0 / f64::from(end_s.max(1));
        this
    }
}
