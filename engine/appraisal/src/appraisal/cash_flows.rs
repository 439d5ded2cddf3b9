//! What a policy is worth to whom in which year: physical changes of a day times unit values, brought to years, with what
//! the policy costs. Signs are those of the party: what it gets is positive.
//!
//! Year 0 builds. From year 1 on there are benefits, revenues and operation; what wears out is built again after its life,
//! and what is left at the end counts in proportion to its remaining life. Money that travellers pay is in their benefits
//! as a loss and in the payee's revenue as a gain, so between the two it cancels.
//!
//! Ignored: taxes (fuel duty is in the price of a kilometre), financing costs, and wider economic impacts.

use crate::appraisal::benefits::Saved;
use crate::appraisal::costs::PolicyCost;
use crate::appraisal::finance::{benefit_cost_ratio, internal_rate_of_return, payback_year, present_value};
use crate::appraisal::values::{Name, Values};
use std::collections::BTreeMap;

/// What a scenario changes on a mean day of the whole population, scenario less base.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DayChange {
    /// What travellers save.
    pub saved: Saved,
    /// Money that payees receive more, by name.
    pub revenue: BTreeMap<String, f64>,
    /// Carbon dioxide, t.
    pub co2_t: f64,
    /// Nitrogen oxides, kg.
    pub nox_kg: f64,
    /// Particles, kg.
    pub pm_kg: f64,
    /// Vehicle-kilometres on the road.
    pub vehicle_km: f64,
}

impl DayChange {
    pub(crate) fn add(&mut self, other: &Self, factor: f64) {
        self.saved.add(&other.saved, factor);
        for (payee, money) in &other.revenue {
            *self.revenue.entry(payee.clone()).or_default() += factor * money;
        }
        self.co2_t += factor * other.co2_t;
        self.nox_kg += factor * other.nox_kg;
        self.pm_kg += factor * other.pm_kg;
        self.vehicle_km += factor * other.vehicle_km;
    }
}

/// What money is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Time, way and money of travellers.
    UserBenefit,
    /// Money received from travellers.
    Revenue,
    /// Carbon dioxide.
    Carbon,
    /// Nitrogen oxides and particles.
    AirPollution,
    /// Accidents.
    Accidents,
    /// To build, and to build again.
    Capital,
    /// To run.
    Operation,
    /// What is left at the end.
    ResidualValue,
}

urbis_core::named!(Item {
    UserBenefit = "user_benefit",
    Revenue = "revenue",
    Carbon = "carbon",
    AirPollution = "air_pollution",
    Accidents = "accidents",
    Capital = "capital",
    Operation = "operation",
    ResidualValue = "residual_value",
});

impl Item {
    /// Whether it belongs to the costs of the policy.
    #[must_use]
    pub fn is_cost(self) -> bool {
        matches!(self, Self::Capital | Self::Operation | Self::ResidualValue)
    }
}

/// Who travels.
pub const TRAVELLERS: &str = "travellers";
/// Who bears exhaust and accidents.
pub const SOCIETY: &str = "society";

/// Money of a party in every year from 0 on.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Who gets or pays it.
    pub party: String,
    /// What it is for.
    pub item: Item,
    /// By year, not discounted; what is paid is negative.
    pub money: Vec<f64>,
}

/// All streams of a change, with costs of the scenario and, the other way round, those of the base.
#[must_use]
pub fn streams(change: &DayChange, costs: &[PolicyCost], base_costs: &[PolicyCost], values: &Values) -> Vec<Stream> {
    let years = values.get(Name::Years).round() as usize;
    let yearly = |party: &str, item: Item, day: f64| {
        let first = day * values.get(Name::DaysPerYear);
        let grown = |year: usize| first * (1.0 + values.get(Name::Growth)).powi(year as i32 - 1);
        let money = (0..=years).map(|year| if year == 0 { 0.0 } else { grown(year) }).collect();
        Stream { party: party.to_owned(), item, money }
    };
    let air = change.nox_kg * values.get(Name::NitrogenOxides) + change.pm_kg * values.get(Name::Particles);
    let mut streams = vec![
        yearly(TRAVELLERS, Item::UserBenefit, change.saved.worth(values)),
        yearly(SOCIETY, Item::Carbon, -change.co2_t * values.get(Name::Carbon)),
        yearly(SOCIETY, Item::AirPollution, -air),
        yearly(SOCIETY, Item::Accidents, -change.vehicle_km * values.get(Name::Accidents)),
    ];
    streams.extend(change.revenue.iter().map(|(payee, money)| yearly(payee, Item::Revenue, *money)));
    let factor = values.get(Name::CostFactor);
    for (costs, sign) in [(costs, -factor), (base_costs, factor)] {
        for cost in costs {
            let stream = |item, money: Vec<f64>| Stream { party: cost.payer.clone(), item, money };
            let (capital, residual) = capital(cost, years);
            let times = |money: Vec<f64>, by: f64| money.into_iter().map(|m| m * by).collect::<Vec<_>>();
            let operation = (0..=years).map(|year| if year == 0 { 0.0 } else { cost.operation_per_year }).collect();
            streams.push(stream(Item::Capital, times(capital, sign)));
            streams.push(stream(Item::Operation, times(operation, sign)));
            streams.push(stream(Item::ResidualValue, times(residual, -sign)));
        }
    }
    streams
}

/// Money for building by year, and what is left in the last.
fn capital(cost: &PolicyCost, years: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut spent, mut left) = (vec![0.0; years + 1], vec![0.0; years + 1]);
    // What lasts less than a day is built every day.
    let life = if cost.life_years > 0.0 { cost.life_years.max(1.0 / 365.0) } else { years as f64 };
    let mut built = 0.0;
    while built < years as f64 {
        spent[built as usize] += cost.capital;
        let remaining = (built + life - years as f64).max(0.0) / life;
        left[years] += cost.capital * remaining;
        built += life;
    }
    (spent, left)
}

/// Sum of streams by year.
#[must_use]
pub fn by_year<'a>(streams: impl IntoIterator<Item = &'a Stream>) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for stream in streams {
        sum.resize(sum.len().max(stream.money.len()), 0.0);
        for (sum, money) in sum.iter_mut().zip(&stream.money) {
            *sum += money;
        }
    }
    sum
}

/// What streams come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Net present value.
    pub net_present_value: f64,
    /// Present value of benefits, revenue and relief over that of the costs; none without costs.
    pub benefit_cost_ratio: Option<f64>,
    /// First year at whose end all is paid back, discounted; none if never.
    pub payback_year: Option<u32>,
    /// Rate at which the present value is 0; none where there is none, or more than one.
    pub internal_rate_of_return: Option<f64>,
}

impl Worth {
    /// Of streams.
    #[must_use]
    pub fn of(streams: &[Stream], values: &Values) -> Self {
        let rate = values.get(Name::DiscountRate);
        let all = by_year(streams);
        let benefits = by_year(streams.iter().filter(|stream| !stream.item.is_cost()));
        let costs: Vec<f64> =
            by_year(streams.iter().filter(|stream| stream.item.is_cost())).into_iter().map(|money| -money).collect();
        let has_costs = costs.iter().any(|money| *money > 0.0);
        Self {
            net_present_value: present_value(&all, rate),
            benefit_cost_ratio: benefit_cost_ratio(&benefits, &costs, rate),
            payback_year: if has_costs { payback_year(&all, rate) } else { None },
            internal_rate_of_return: internal_rate_of_return(&all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let plain = [
            (Name::TimeCommute, 12.0),
            (Name::DaysPerYear, 200.0),
            (Name::Years, 2.0),
            (Name::DiscountRate, 0.1),
            (Name::Carbon, 100.0),
            (Name::Accidents, 0.05),
        ];
        plain.iter().fold(Values::shipped().unwrap(), |values, (name, value)| values.with(*name, *value))
    }

    #[test]
    fn a_policy_by_hand() {
        // A day: 10 hours saved (120) less 20 paid, 20 received, 0.1 t less carbon (10), 200 km less driven (10).
        let change = DayChange {
            saved: Saved { hours: [10.0, 0.0, 0.0], money: -20.0, ..Saved::default() },
            revenue: [("city".to_owned(), 20.0)].into(),
            co2_t: -0.1,
            vehicle_km: -200.0,
            ..DayChange::default()
        };
        // Built for 9000, lasts 3 of 2 years, so a third is left: 3000.
        let cost = PolicyCost {
            policy: "gates".to_owned(),
            capital: 9000.0,
            operation_per_year: 1000.0,
            life_years: 3.0,
            payer: "state".to_owned(),
        };
        let streams = streams(&change, &[cost], &[], &values());
        // A year: (100 + 20 + 10 + 10) x 200 = 28,000, less 1000 to run it.
        let all = by_year(&streams);
        assert_eq!(all.len(), 3);
        for (got, wanted) in all.iter().zip([-9000.0, 27_000.0, 30_000.0]) {
            assert!((got - wanted).abs() < 1e-9, "{all:?}");
        }
        let worth = Worth::of(&streams, &values());
        let benefits = 28_000.0 / 1.1 + 28_000.0 / 1.21;
        let costs = 9000.0 + 1000.0 / 1.1 + (1000.0 - 3000.0) / 1.21;
        assert!((worth.net_present_value - (benefits - costs)).abs() < 1e-6);
        assert!((worth.benefit_cost_ratio.unwrap() - benefits / costs).abs() < 1e-9);
        assert_eq!(worth.payback_year, Some(1));
        // Who pays and who earns: the state only pays, the city only earns, and what travellers pay it gets.
        let of = |party: &str| by_year(streams.iter().filter(|stream| stream.party == party));
        assert!((of("state")[2] - 2000.0).abs() < 1e-9 && (of("city")[1] - 4000.0).abs() < 1e-9);
        assert!((of(TRAVELLERS)[1] - 20_000.0).abs() < 1e-9 && (of(SOCIETY)[1] - 4000.0).abs() < 1e-9);
    }

    #[test]
    fn what_wears_out_is_built_again() {
        let cost = PolicyCost { capital: 10.0, life_years: 2.0, ..PolicyCost::default() };
        assert_eq!(capital(&cost, 5), (vec![10.0, 0.0, 10.0, 0.0, 10.0, 0.0], vec![0.0, 0.0, 0.0, 0.0, 0.0, 5.0]));
        let forever = PolicyCost { capital: 10.0, ..PolicyCost::default() };
        assert_eq!(capital(&forever, 2), (vec![10.0, 0.0, 0.0], vec![0.0; 3]));
    }

    #[test]
    fn costs_of_the_base_are_saved() {
        let cost = [PolicyCost { capital: 10.0, payer: "city".to_owned(), ..PolicyCost::default() }];
        let all = by_year(&streams(&DayChange::default(), &cost, &cost, &values()));
        assert!(all.iter().all(|money| money.abs() < 1e-12));
    }
}
