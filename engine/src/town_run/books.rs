//! What every network of a town tells of a step: whom it serves, and its ledger.
//!
//! ```text
//! supplied = served + lost + stored + residual          asked = got + unserved
//! ```
//!
//! | network | supplied | served | lost | stored |
//! | --- | --- | --- | --- | --- |
//! | power, kWh | from sources and generators | drawn by loads | in branches and shunts | nothing |
//! | gas, kg | fed by feeders and sources | drawn by sinks | nothing | gained by pipes (linepack) |
//! | heat, kWh | given by plants, carried in | taken by consumers and exchangers, carried out | to the ground | gained by water in pipes |
//! | water, m3 | from reservoirs, fed in | drawn | at emitters | gained by tanks, what they spill included |
//!
//! The residual is not set but summed from independent terms; a step whose residual is more than [`limit`] of what was
//! moved stops the run. Contract: plain columns.

use super::settings::NetworkName;
use urbis_core::{Error, Result};
use urbis_utility::snapshot::Snapshot;

/// Joules of a kilowatt-hour.
pub(crate) const KWH: f64 = 3.6e6;

/// Largest residual, as a share of what is moved. Water is EPANET's, whose steps end by a tolerance of flows.
#[must_use]
pub fn limit(network: NetworkName) -> f64 {
    if network == NetworkName::Water { 1e-6 } else { 1e-9 }
}

/// What a ledger counts.
#[must_use]
pub fn unit(network: NetworkName) -> &'static str {
    match network {
        NetworkName::Power | NetworkName::Heat => "kWh",
        NetworkName::Gas => "kg",
        NetworkName::Water => "m3",
    }
}

/// A step of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Account {
    /// Customers who ask for something.
    pub customers: u32,
    /// Of them, those who get nothing, or less than they ask for.
    pub unserved_customers: u32,
    /// Of these, those who take nothing because their house has no electricity.
    pub dark_customers: u32,
    /// Asked for, houses without electricity included.
    pub asked: f64,
    /// What customers got of it; part of `served`.
    pub got: f64,
    /// Brought into the network.
    pub supplied: f64,
    /// Taken out of the network, by customers and others.
    pub served: f64,
    /// Lost on the way.
    pub lost: f64,
    /// Gained by what the network holds.
    pub stored: f64,
    /// What the ledger lacks.
    pub residual: f64,
    /// All that moved, whatever its sign: what the residual is measured against.
    pub moved: f64,
    /// Whether the step was solved.
    pub is_solved: bool,
    /// Whether it had to be solved: false where nothing had changed.
    pub is_new: bool,
}

impl Account {
    /// Residual as a share of what moved.
    #[must_use]
    pub fn share(&self) -> f64 {
        let size = self.residual.abs();
        if size > 0.0 { size / self.moved.abs().max(f64::MIN_POSITIVE) } else { size }
    }
    /// Stops where a solved step's ledger does not close.
    ///
    /// # Errors
    /// [`Error::BrokenLedger`] with the network and its figures.
    pub fn check(&self, network: NetworkName, step: u32) -> Result<()> {
        let share = self.share();
        if !self.is_solved || share <= limit(network) {
            return Ok(());
        }
        let Self { supplied, served, lost, stored, residual, .. } = self;
        let unit = unit(network);
        Err(Error::BrokenLedger {
            tick: step,
            law: format!("{}: supplied = served + lost + stored", network.name()),
            rows: format!(
                "supplied {supplied:e}, served {served:e}, lost {lost:e}, stored {stored:e} {unit}; lacks {residual:e}, a share of {share:.1e}"
            ),
        })
    }
}

/// Sums of a network over the steps so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Customers at most.
    pub customers: u32,
    /// Customer-hours without service.
    pub unserved_customer_h: f64,
    /// Most customers without service in a step.
    pub worst_customers: u32,
    /// Start of the first such step, seconds.
    pub worst_s: u32,
    /// Asked for.
    pub asked: f64,
    /// What customers got of it.
    pub got: f64,
    /// Brought in.
    pub supplied: f64,
    /// Taken.
    pub served: f64,
    /// Lost.
    pub lost: f64,
    /// Gained by what the network holds.
    pub stored: f64,
    /// What the ledger lacks.
    pub residual: f64,
    /// Largest residual of a step, as a share of what moved.
    pub worst_share: f64,
    /// Steps that were solved anew.
    pub solves: u32,
    /// Steps that did not converge.
    pub unsolved: u32,
    /// Start of the first of these, seconds.
    pub first_unsolved_s: u32,
}

impl Totals {
    /// Takes a step of so many seconds that begins at `time_s`.
    pub fn add(&mut self, of: &Account, time_s: u32, seconds: f64) {
        self.customers = self.customers.max(of.customers);
        self.unserved_customer_h += f64::from(of.unserved_customers) * seconds / 3600.0;
        if of.unserved_customers > self.worst_customers {
            (self.worst_customers, self.worst_s) = (of.unserved_customers, time_s);
        }
        self.asked += of.asked;
        self.got += of.got;
        self.supplied += of.supplied;
        self.served += of.served;
        self.lost += of.lost;
        self.stored += of.stored;
        self.residual += of.residual;
        self.solves += u32::from(of.is_new);
        if of.is_solved {
            self.worst_share = self.worst_share.max(of.share());
        } else {
            if self.unsolved == 0 {
                self.first_unsolved_s = time_s;
            }
            self.unsolved += 1;
        }
    }
    pub(crate) fn snapshot(&mut self, of: &mut Snapshot) {
        let wholes = [
            &mut self.customers,
            &mut self.worst_customers,
            &mut self.worst_s,
            &mut self.solves,
            &mut self.unsolved,
            &mut self.first_unsolved_s,
        ];
        wholes.into_iter().for_each(|whole| of.whole(whole));
        let numbers = [
            &mut self.unserved_customer_h,
            &mut self.asked,
            &mut self.got,
            &mut self.supplied,
            &mut self.served,
            &mut self.lost,
            &mut self.stored,
            &mut self.residual,
            &mut self.worst_share,
        ];
        numbers.into_iter().for_each(|number| of.number(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_ledger_stops() {
        let good = Account {
            supplied: 10.0,
            served: 10.0,
            moved: 10.0,
            residual: 9e-9,
            is_solved: true,
            ..Account::default()
        };
        assert!(good.check(NetworkName::Gas, 3).is_ok());
        let broken = Account { residual: 2e-8, ..good };
        let error = broken.check(NetworkName::Gas, 3).unwrap_err();
        assert!(error.to_string().contains("gas") && error.to_string().contains("tick 3"), "{error}");
        assert!(Account { residual: f64::NAN, ..good }.check(NetworkName::Gas, 3).is_err());
        // Something out of nothing is seen as well; a step that was not solved is told elsewhere.
        assert!(Account { moved: 0.0, residual: 1e-30, ..good }.check(NetworkName::Heat, 0).is_err());
        assert!(Account { is_solved: false, ..broken }.check(NetworkName::Gas, 0).is_ok());
    }
}
