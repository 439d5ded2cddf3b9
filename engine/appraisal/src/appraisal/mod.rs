//! What policies are worth: benefits of people, public money, side effects, over years and between groups.
//!
//! `values` says what an hour or a tonne is worth -> `trips` and `people` read two runs of one seed -> `benefits` compares
//! them -> `cash_flows` brings a day to years with what `costs` tells, `finance` discounts -> `distribution` and `equity`
//! share it out -> `pareto` compares policies -> `tables` writes.
//!
//! Every figure is computed seed by seed and told with the interval of the seeds, as comparisons are.
//!
//! Contract: one thread, persons and flows in the order of their ids; equal results and values give equal figures.

pub mod benefits;
pub mod cash_flows;
pub mod costs;
mod distribution;
pub mod equity;
pub mod finance;
pub mod pareto;
mod people;
pub mod tables;
mod trips;
pub mod values;

use crate::comparison::Figure;
use crate::pairs::PairedRuns;
use crate::read::RunResults;
use crate::statistics::{Precision, Statistics, mean};
use arrow::array::Array;
use benefits::{Flow, Gains, gains};
use cash_flows::{DayChange, Item, SOCIETY, Stream, TRAVELLERS, Worth, by_year, streams};
pub use distribution::NOTICED_PER_DAY;
use distribution::{Share, evenness, shares};
use finance::present_value;
use pareto::{Alternative, dominated_by};
use std::collections::{BTreeMap, BTreeSet};
use trips::Words;
use urbis_core::Result;
use urbis_output::Table;
use values::{Name, Values};

/// Resamples of the bootstrap of each figure.
const RESAMPLES: u32 = 1999;

/// A figure of a policy with what its seeds say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Name.
    pub name: &'static str,
    /// Unit; `money` stands for the currency of the values.
    pub unit: &'static str,
    /// Base and scenario where the figure has both, else 0 and the change.
    pub statistics: Statistics,
}

/// Benefit between two zones by a mode, by the rule of half.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowBenefit {
    /// Zone.
    pub from_zone: String,
    /// Zone.
    pub to_zone: String,
    /// Mode.
    pub mode: String,
    /// Mean trips of a day before and after.
    pub trips: [f64; 2],
    /// Mean generalised cost of a trip before and after; none where no seed tells both.
    pub cost: Option<[f64; 2]>,
    /// Benefit of a day over the seeds that tell it, without a bootstrap; none where none does.
    pub benefit: Option<Statistics>,
}

/// What a group of people gains.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBenefit {
    /// `all`, `kind`, `income` or `zone`.
    pub by: &'static str,
    /// Kind of person, class, or zone.
    pub group: String,
    /// Persons, scaled up from the sample.
    pub persons: f64,
    /// Money for each person and day.
    pub benefit: Statistics,
    /// Share who gain more than [`NOTICED_PER_DAY`].
    pub winners: f64,
    /// Share who lose more.
    pub losers: f64,
}

/// Net present value at the two ends of a unit value.
#[derive(Clone, Debug, PartialEq)]
pub struct Swing {
    /// The value that is varied.
    pub name: &'static str,
    /// Its low and high figure.
    pub ends: [f64; 2],
    /// Net present value at each.
    pub net_present_value: [f64; 2],
}

/// What one scenario is worth against its base.
#[derive(Clone, Debug)]
pub struct PolicyAppraisal {
    /// Name of the scenario.
    pub scenario: String,
    /// Change of a mean day, mean of the seeds.
    pub change: DayChange,
    /// Figures with their intervals.
    pub measures: Vec<Measure>,
    /// Worth of the mean change.
    pub worth: Worth,
    /// Money by party, item and year.
    pub streams: Vec<Stream>,
    /// Benefits between zones, in the order of zones and modes.
    pub flows: Vec<FlowBenefit>,
    /// Benefits by group.
    pub groups: Vec<GroupBenefit>,
    /// Sensitivity, widest swing first.
    pub tornado: Vec<Swing>,
    /// Figures that policies are weighed by, in the order of [`OBJECTIVES`].
    pub objectives: Vec<f64>,
    /// Another one, or the base, that is at least as good in all and better in one.
    pub dominated_by: Option<String>,
}

/// What policies are weighed by, the more the better.
pub const OBJECTIVES: [(&str, &str); 4] = [
    ("user_benefit", "money/year"),
    ("relief_of_society", "money/year"),
    ("public_present_value", "money"),
    ("share_without_loss", "0 to 1"),
];

/// All scenarios against their base.
#[derive(Clone, Debug)]
pub struct Appraisal {
    /// The runs.
    pub runs: PairedRuns,
    /// Unit values.
    pub values: Values,
    /// One for each scenario.
    pub policies: Vec<PolicyAppraisal>,
    /// What could not be told, and why.
    pub notes: Vec<String>,
}

/// What one seed tells.
struct Seed {
    change: DayChange,
    /// User benefit of a day by the rule of half between zones.
    by_flows: f64,
    gains: Gains,
    shares: BTreeMap<(&'static str, String), Share>,
    evenness: Option<distribution::Evenness>,
    /// Persons that are someone else in the other run.
    strangers: usize,
    other_currency: Option<String>,
}

impl PolicyAppraisal {
    /// Each party with its money by year and the present value of it, by name.
    #[must_use]
    pub fn parties(&self, values: &Values) -> Vec<(&str, Vec<f64>, f64)> {
        let names: BTreeSet<&str> = self.streams.iter().map(|stream| stream.party.as_str()).collect();
        let one = |party| {
            let years = by_year(self.streams.iter().filter(|stream| stream.party == party));
            let present = present_value(&years, values.get(Name::DiscountRate));
            (party, years, present)
        };
        names.into_iter().map(one).collect()
    }
}

impl Appraisal {
    /// Appraises all scenarios of paired runs.
    ///
    /// # Errors
    /// When a run lacks table `trips`, or a table cannot be read.
    pub fn of(runs: PairedRuns, values: Values) -> Result<Self> {
        let mut policies = Vec::new();
        let mut notes = Vec::new();
        let base_days = runs.seeds.iter().map(|&seed| day(&runs.run(&runs.base, seed)?)).collect::<Result<Vec<_>>>()?;
        for scenario in &runs.scenarios {
            let mut words = Words::default();
            let seeds = runs.seeds.iter().zip(&base_days);
            let seeds = seeds.map(|(&seed, base_day)| one_seed(&runs, scenario, seed, base_day, &values, &mut words));
            let seeds = seeds.collect::<Result<Vec<Seed>>>()?;
            notes.extend(what_is_missing(scenario, &seeds));
            policies.push(policy(&runs, scenario, &seeds, &values, &words)?);
        }
        let mut alternatives = vec![Alternative { name: runs.base.clone(), figures: vec![0.0, 0.0, 0.0, 1.0] }];
        alternatives
            .extend(policies.iter().map(|p| Alternative { name: p.scenario.clone(), figures: p.objectives.clone() }));
        let winners = dominated_by(&alternatives);
        for (policy, by) in policies.iter_mut().zip(&winners[1..]) {
            policy.dominated_by = by.map(|by| alternatives[by].name.clone());
        }
        Ok(Self { runs, values, policies, notes })
    }
}

fn what_is_missing(scenario: &str, seeds: &[Seed]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(seed) = seeds.iter().find(|seed| seed.strangers > 0) {
        notes.push(format!(
            "{scenario}: {} persons are not the same in both runs, so what they gain is told by the rule of half alone",
            seed.strangers
        ));
    }
    let sum = |of: fn(&Gains) -> f64| seeds.iter().map(|seed| of(&seed.gains)).sum::<f64>();
    let (untold, changed) = (sum(|gains| gains.untold), sum(|gains| gains.changed));
    if untold > 0.0 {
        notes.push(format!(
            "{scenario}: {:.1} % of the trips that changed go by a means that nobody kept; their gain counts as 0",
            100.0 * untold / changed
        ));
    }
    if let Some(currency) = seeds.iter().find_map(|seed| seed.other_currency.as_ref()) {
        notes.push(format!(
            "{scenario}: incomes are in {currency} and values in another currency, so how even incomes are is not told"
        ));
    } else if seeds.iter().all(|seed| seed.shares.keys().all(|(by, _)| *by != "income")) {
        notes.push(format!(
            "{scenario}: no income classes; run with `[output.tables.persons]` and `[output.tables.households]` enabled"
        ));
    }
    notes
}

/// Physical sums of a run: exhaust and way on roads, money by payee.
fn day(run: &RunResults) -> Result<DayChange> {
    let mut day = DayChange::default();
    if run.has(Table::LinkState) {
        let columns = ["left_veh", "travel_time_s", "speed_mps", "co2_kg", "nox_g", "pm_g"];
        run.for_each_batch(Table::LinkState, &columns, |batch| {
            let (left, time, speed) = (batch.count("left_veh"), batch.real("travel_time_s"), batch.real("speed_mps"));
            let [co2, nox, pm] = ["co2_kg", "nox_g", "pm_g"].map(|name| batch.real(name));
            for row in 0..batch.rows() {
                if time.is_valid(row) && speed.is_valid(row) {
                    day.vehicle_km += left.value(row) as f64 * time.value(row) * speed.value(row) / 1000.0;
                }
                day.co2_t += co2.value(row) / 1000.0;
                day.nox_kg += nox.value(row) / 1000.0;
                day.pm_kg += pm.value(row) / 1000.0;
            }
            Ok(())
        })?;
    }
    if run.has(Table::Payments) {
        run.for_each_batch(Table::Payments, &["payee", "amount"], |batch| {
            for row in 0..batch.rows() {
                let payee = batch.text("payee").value(row).to_owned();
                *day.revenue.entry(payee).or_default() += batch.real("amount").value(row);
            }
            Ok(())
        })?;
    }
    Ok(day)
}

fn one_seed(
    runs: &PairedRuns,
    scenario: &str,
    seed: u64,
    base_day: &DayChange,
    values: &Values,
    words: &mut Words,
) -> Result<Seed> {
    let (base, other) = (runs.run(&runs.base, seed)?, runs.run(scenario, seed)?);
    let (before, after) = (trips::trips(&base, words)?, trips::trips(&other, words)?);
    let gains = gains(&before, &after, words, values);
    let a_day = 1.0 / runs.info.sample_factor / runs.days();
    let mut change = DayChange::default();
    change.add(&day(&other)?, a_day);
    change.add(base_day, -a_day);
    for saved in gains.persons.values() {
        change.saved.add(saved, a_day);
    }
    let by_flows = gains.flows.values().filter_map(Flow::benefit).sum::<f64>() * a_day;
    let mut everybody = people::people(&base, &before, words, values.currency())?;
    let others = people::people(&other, &after, words, values.currency())?;
    let is_other = |(id, person): &(&i64, &people::Person)| {
        everybody.persons.get(*id).is_some_and(|known| known.kind != person.kind)
    };
    let strangers = others.persons.iter().filter(is_other).count();
    for (id, person) in others.persons {
        everybody.persons.entry(id).or_insert(person);
    }
    let shares = shares(&everybody.persons, &gains.persons, values, runs.days());
    let evenness = evenness(&everybody.persons, &gains.persons, values, runs.days());
    Ok(Seed { change, by_flows, gains, shares, evenness, strangers, other_currency: everybody.other_currency })
}

fn policy(
    runs: &PairedRuns,
    scenario: &str,
    seeds: &[Seed],
    values: &Values,
    words: &Words,
) -> Result<PolicyAppraisal> {
    let info = runs.run(scenario, runs.seeds[0])?.info()?;
    let (costs, base_costs) = (costs::costs(&info.scenario_toml), costs::costs(&runs.info.scenario_toml));
    let of = |change: &DayChange, values: &Values| streams(change, &costs, &base_costs, values);
    let mut change = DayChange::default();
    for seed in seeds {
        change.add(&seed.change, 1.0 / seeds.len() as f64);
    }
    let all = of(&change, values);
    let worth = Worth::of(&all, values);
    let npv = |change: &DayChange, values: &Values| Worth::of(&of(change, values), values).net_present_value;

    let named = |name: &str| Figure::whole("appraisal", &format!("{scenario} {name}"), "", false).key();
    let measure = |name: &'static str, unit: &'static str, pairs: Vec<(f64, f64)>| Measure {
        name,
        unit,
        statistics: Statistics::of(&pairs, Precision::default(), RESAMPLES, named(name)),
    };
    let changed = |name, unit, figure: &dyn Fn(&Seed) -> f64| {
        measure(name, unit, seeds.iter().map(|seed| (0.0, figure(seed))).collect())
    };
    let year = values.get(Name::DaysPerYear);
    let item = |seed: &Seed, items: &[Item]| -> f64 {
        let of_item = |stream: &&Stream| items.contains(&stream.item);
        of(&seed.change, values).iter().filter(of_item).map(|stream| stream.money[1]).sum()
    };
    let share = |seed: &Seed, of: fn(&Share) -> f64| {
        seed.shares.get(&("all", String::new())).map_or(0.0, |share| of(share) / share.persons)
    };
    let mut measures = vec![
        changed("user_benefit", "money/year", &|seed| seed.change.saved.worth(values) * year),
        changed("user_benefit_rule_of_half", "money/year", &|seed| seed.by_flows * year),
        changed("time_saved", "h/day", &|seed| seed.change.saved.hours.iter().sum()),
        changed("money_saved", "money/day", &|seed| seed.change.saved.money),
        changed("revenue", "money/year", &|seed| item(seed, &[Item::Revenue])),
        changed("carbon", "money/year", &|seed| item(seed, &[Item::Carbon])),
        changed("air_pollution", "money/year", &|seed| item(seed, &[Item::AirPollution])),
        changed("accidents", "money/year", &|seed| item(seed, &[Item::Accidents])),
        changed("net_present_value", "money", &|seed| npv(&seed.change, values)),
        changed("share_winners", "0 to 1", &|seed| share(seed, |share| share.winners)),
        changed("share_losers", "0 to 1", &|seed| share(seed, |share| share.losers)),
        changed("share_trips_changed", "0 to 1", &|seed| {
            // A trip that changed is there twice, once in each run.
            let changed = seed.gains.changed / 2.0;
            changed / (changed + seed.gains.kept)
        }),
    ];
    if let Some(even) = seeds.iter().map(|seed| seed.evenness).collect::<Option<Vec<_>>>() {
        measures.push(measure("gini_income", "0 to 1", even.iter().map(|e| e.gini.into()).collect()));
        measures.push(measure("palma_income", "ratio", even.iter().map(|e| e.palma.into()).collect()));
    }

    let mut tornado: Vec<Swing> = values
        .all()
        .map(|(name, key, entry)| {
            let ends = [entry.low, entry.high];
            Swing { name: key, ends, net_present_value: ends.map(|end| npv(&change, &values.with(name, end))) }
        })
        .collect();
    let width = |swing: &Swing| (swing.net_present_value[1] - swing.net_present_value[0]).abs();
    tornado.sort_by(|a, b| width(b).total_cmp(&width(a)));

    let public = all.iter().filter(|stream| stream.party != TRAVELLERS && stream.party != SOCIETY);
    let losers = mean(seeds.iter().map(|seed| share(seed, |share| share.losers)));
    let relief: f64 = all.iter().filter(|stream| stream.party == SOCIETY).map(|stream| stream.money[1]).sum();
    let public_value = present_value(&by_year(public), values.get(Name::DiscountRate));
    let objectives = vec![change.saved.worth(values) * year, relief, public_value, 1.0 - losers];
    Ok(PolicyAppraisal {
        scenario: scenario.to_owned(),
        flows: flow_benefits(runs, seeds, words),
        groups: group_benefits(runs, scenario, seeds),
        change,
        measures,
        worth,
        streams: all,
        tornado,
        objectives,
        dominated_by: None,
    })
}

fn flow_benefits(runs: &PairedRuns, seeds: &[Seed], words: &Words) -> Vec<FlowBenefit> {
    let a_day = 1.0 / runs.info.sample_factor / runs.days();
    let keys = seeds.iter().flat_map(|seed| seed.gains.flows.keys());
    let mut keys: Vec<_> = keys.copied().collect();
    keys.sort_unstable_by_key(|&(from, to, mode)| (words.word(from), words.word(to), words.word(mode)));
    keys.dedup();
    keys.into_iter()
        .map(|key| {
            let (from_zone, to_zone, mode) = (words.word(key.0), words.word(key.1), words.word(key.2));
            let flows: Vec<Flow> =
                seeds.iter().map(|seed| seed.gains.flows.get(&key).copied().unwrap_or_default()).collect();
            let costs: Vec<[f64; 2]> = flows.iter().filter_map(Flow::mean_cost).collect();
            let pairs: Vec<(f64, f64)> = flows.iter().filter_map(|flow| Some((0.0, flow.benefit()? * a_day))).collect();
            FlowBenefit {
                from_zone: from_zone.to_owned(),
                to_zone: to_zone.to_owned(),
                mode: mode.to_owned(),
                trips: [0, 1].map(|arm| mean(flows.iter().map(|flow| flow.trips[arm] * a_day))),
                cost: (!costs.is_empty()).then(|| [0, 1].map(|arm| mean(costs.iter().map(|cost| cost[arm])))),
                // Pairs of zones are too many for a bootstrap of each.
                benefit: (!pairs.is_empty()).then(|| Statistics::of(&pairs, Precision::default(), 0, 0)),
            }
        })
        .collect()
}

fn group_benefits(runs: &PairedRuns, scenario: &str, seeds: &[Seed]) -> Vec<GroupBenefit> {
    let mut groups: BTreeMap<(&'static str, String), Vec<Share>> = BTreeMap::new();
    for seed in seeds {
        for (group, share) in &seed.shares {
            groups.entry(group.clone()).or_default().push(*share);
        }
    }
    groups
        .into_iter()
        .map(|((by, group), shares)| {
            let each = |of: fn(&Share) -> f64| mean(shares.iter().map(|share| of(share) / share.persons));
            let pairs: Vec<(f64, f64)> = shares.iter().map(|share| (0.0, share.benefit / share.persons)).collect();
            let key = Figure::whole("appraisal", &format!("{scenario} {by} {group}"), "", false).key();
            GroupBenefit {
                by,
                persons: mean(shares.iter().map(|share| share.persons)) / runs.info.sample_factor,
                benefit: Statistics::of(&pairs, Precision::default(), RESAMPLES, key),
                winners: each(|share| share.winners),
                losers: each(|share| share.losers),
                group,
            }
        })
        .collect()
}
