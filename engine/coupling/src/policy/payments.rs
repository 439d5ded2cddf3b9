//! The money that policies take: who paid what to whom.
//!
//! Law, at every tick: what persons paid is what payees received. Sums are whole ten-thousandths of the scenario's
//! currency, counted once by person and once by policy, so the law holds to the last digit.

use urbis_core::{PersonIx, Tick, TripIx};

/// Parts of one unit of money that are counted.
const PARTS: f64 = 10_000.0;

/// Money in whole parts.
#[must_use]
pub fn parts(money: f64) -> i64 {
    (money * PARTS).round() as i64
}

/// Parts as money.
#[must_use]
pub fn money(parts: i64) -> f64 {
    parts as f64 / PARTS
}

/// Somebody paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// When.
    pub tick: Tick,
    /// On which trip.
    pub trip: TripIx,
    /// Who.
    pub person: PersonIx,
    /// For which policy, a row of the policies that take money.
    pub policy: u32,
    /// How much, parts of money.
    pub parts: i64,
}

/// All payments of a period.
#[derive(Clone, Debug, Default)]
pub struct Payments {
    rows: Vec<Payment>,
    paid: Vec<i64>,
    /// What each policy received, parts of money.
    pub received: Vec<i64>,
    paid_in_all: i64,
}

impl Payments {
    /// No payment yet, to so many policies.
    #[must_use]
    pub fn new(policies: usize) -> Self {
        Self { received: vec![0; policies], ..Self::default() }
    }
    /// Somebody pays; nothing happens for no money.
    pub fn pay(&mut self, payment: Payment) {
        if payment.parts == 0 {
            return;
        }
        let row = payment.person.row();
        if self.paid.len() <= row {
            self.paid.resize(row + 1, 0);
        }
        self.paid[row] += payment.parts;
        self.paid_in_all += payment.parts;
        self.received[payment.policy as usize] += payment.parts;
        self.rows.push(payment);
    }
    /// In order of time.
    #[must_use]
    pub fn rows(&self) -> &[Payment] {
        &self.rows
    }
    /// What persons paid, from the running sum.
    #[must_use]
    pub fn paid(&self) -> i64 {
        self.paid_in_all
    }
    /// What persons paid, added up person by person.
    #[must_use]
    pub fn recount(&self) -> i64 {
        self.paid.iter().sum()
    }
}
