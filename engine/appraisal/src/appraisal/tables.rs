//! The tables of an appraisal.

use crate::appraisal::cash_flows::Stream;
use crate::appraisal::finance::present_value;
use crate::appraisal::values::Name;
use crate::appraisal::{Appraisal, OBJECTIVES, PolicyAppraisal};
use crate::table_out::{Cell, Kind, SCENARIO, STATE, TableOut, TableWriter, column};
use std::path::Path;
use urbis_core::Result;
use urbis_core::files::StagedFolder;

const MONEY: &str = "currency in the footer";

/// Figures with their intervals.
pub const MEASURES: TableOut = TableOut {
    description: "What each scenario is worth against its base: figures with the interval of the seeds; gains are positive.",
    columns: &[
        SCENARIO,
        column("measure", Kind::Text, "", "What the figure is."),
        column("unit", Kind::Text, "", "Its unit; money is the currency in the footer."),
        column("base", Kind::Real, "see column unit", "Of the base; 0 where only the change has a meaning."),
        column("change", Kind::Real, "see column unit", "Scenario less base, mean of the seeds."),
        column("low", Kind::Real, "see column unit", "Lower end of Student's 95 % interval; null with one seed."),
        column("high", Kind::Real, "see column unit", "Upper end."),
        column(
            "bootstrap_low",
            Kind::Real,
            "see column unit",
            "Lower end of the percentile-t bootstrap's 95 % interval; null below five seeds, or where most differences are equal.",
        ),
        column("bootstrap_high", Kind::Real, "see column unit", "Upper end."),
        column("n", Kind::Count, "seeds", "Paired seeds."),
        STATE,
    ],
};

/// Figures of money over years.
pub const WORTH: TableOut = TableOut {
    description: "What the mean change of each scenario comes to over the years, and whether another scenario beats it in everything.",
    columns: &[
        SCENARIO,
        column("net_present_value", Kind::Real, MONEY, "Of all parties together."),
        column(
            "benefit_cost_ratio",
            Kind::Real,
            "ratio",
            "Present value of benefits, revenue and relief over that of the costs; null without costs.",
        ),
        column(
            "payback_year",
            Kind::Count,
            "years",
            "First year at whose end all is paid back, discounted; null if never, or without costs.",
        ),
        column(
            "internal_rate_of_return",
            Kind::Real,
            "1/year",
            "Rate at which the present value is 0; null where there is not exactly one.",
        ),
        column("user_benefit", Kind::Real, "money/year", "Benefit of travellers in the first year."),
        column(
            "relief_of_society",
            Kind::Real,
            "money/year",
            "Carbon, air pollution and accidents avoided in the first year.",
        ),
        column("public_present_value", Kind::Real, MONEY, "Present value of those who pay for and earn by policies."),
        column("share_without_loss", Kind::Real, "0 to 1", "Persons who do not lose noticeably."),
        column(
            "dominated_by",
            Kind::Text,
            "",
            "A scenario at least as good in the last four figures and better in one; null on the Pareto front.",
        ),
    ],
};

/// Who pays and who earns.
pub const CASH_FLOWS: TableOut = TableOut {
    description: "Money by party, item and year; what a party gets is positive.",
    columns: &[
        SCENARIO,
        column("year", Kind::Count, "years", "0 is when policies are built."),
        column("party", Kind::Text, "", "travellers, society, or a payer or payee of a policy."),
        column(
            "item",
            Kind::Text,
            "",
            "user_benefit, revenue, carbon, air_pollution, accidents, capital, operation or residual_value.",
        ),
        column("money", Kind::Real, MONEY, "Not discounted."),
        column("present_value", Kind::Real, MONEY, "Discounted to year 0."),
    ],
};

/// Benefits between zones.
pub const FLOWS: TableOut = TableOut {
    description: "User benefits between zones by mode, by the rule of half.",
    columns: &[
        SCENARIO,
        column("from_zone", Kind::Text, "", "Zone; external:NAME outside the city."),
        column("to_zone", Kind::Text, "", "Zone; external:NAME outside the city."),
        column("mode", Kind::Text, "", "Means of transport."),
        column("trips_base", Kind::Real, "trips/day", "Trips of the base."),
        column("trips_scenario", Kind::Real, "trips/day", "Trips of the scenario."),
        column(
            "cost_base",
            Kind::Real,
            MONEY,
            "Mean generalised cost of a trip in the base; null where no seed has trips in both runs.",
        ),
        column("cost_scenario", Kind::Real, MONEY, "The same in the scenario."),
        column(
            "benefit",
            Kind::Real,
            "money/day",
            "Half of both runs' trips times the fall of the cost; null where no seed tells both costs.",
        ),
        column("low", Kind::Real, "money/day", "Lower end of Student's 95 % interval; null below two seeds."),
        column("high", Kind::Real, "money/day", "Upper end."),
        STATE,
    ],
};

/// Winners and losers.
pub const GROUPS: TableOut = TableOut {
    description: "User benefits person by person, by kind of person, income class and zone of the home.",
    columns: &[
        SCENARIO,
        column("by", Kind::Text, "", "all, kind, income or zone."),
        column("group", Kind::Text, "", "Kind of person, income class (1 the lowest to 5), or zone."),
        column("persons", Kind::Real, "persons", "People, scaled up from the sample."),
        column("benefit", Kind::Real, "money/person/day", "Mean benefit."),
        column("low", Kind::Real, "money/person/day", "Lower end of Student's 95 % interval; null with one seed."),
        column("high", Kind::Real, "money/person/day", "Upper end."),
        column("share_winners", Kind::Real, "0 to 1", "Who gain more than 0.10 a day."),
        column("share_losers", Kind::Real, "0 to 1", "Who lose more than 0.10 a day."),
        STATE,
    ],
};

/// The tornado.
pub const SENSITIVITY: TableOut = TableOut {
    description: "Net present value where one unit value is at its low or high end, widest swing first.",
    columns: &[
        SCENARIO,
        column("value", Kind::Text, "", "Name of the unit value."),
        column("low", Kind::Real, "see table values", "Its low end."),
        column("high", Kind::Real, "see table values", "Its high end."),
        column("net_present_value_low", Kind::Real, MONEY, "Net present value at the low end."),
        column("net_present_value_high", Kind::Real, MONEY, "At the high end."),
    ],
};

/// Unit values as they were used.
pub const VALUES: TableOut = TableOut {
    description: "Unit values as they were used.",
    columns: &[
        column("name", Kind::Text, "", "Name."),
        column("value", Kind::Real, "see column unit", "What was used."),
        column("low", Kind::Real, "see column unit", "Low end of the sensitivity."),
        column("high", Kind::Real, "see column unit", "High end."),
        column("unit", Kind::Text, "", "Unit."),
        column("currency", Kind::Text, "", "ISO 4217; empty for what is no money."),
        column("year", Kind::Count, "", "Year of the prices."),
        column("source", Kind::Text, "", "Who says so."),
        column("quality", Kind::Text, "", "sourced, recalled or estimate."),
    ],
};

/// Writes the tables into a folder, which is replaced as a whole.
///
/// # Errors
/// [`urbis_core::Error::Write`].
pub fn write(appraisal: &Appraisal, folder: &Path) -> Result<()> {
    let values = &appraisal.values;
    let mut about = appraisal.runs.about();
    about.push(("urbis.currency", values.currency().to_owned()));
    let staged = StagedFolder::new(folder)?;
    let table = |name: &str, table: &TableOut, fill: &dyn Fn(&mut TableWriter, &PolicyAppraisal) -> Result<()>| {
        let mut writer = TableWriter::create(staged.path(), name, table, &about)?;
        appraisal.policies.iter().try_for_each(|policy| fill(&mut writer, policy))?;
        writer.finish()
    };
    table("measures", &MEASURES, &measures)?;
    table("worth", &WORTH, &worth)?;
    let rate = values.get(Name::DiscountRate);
    table("cash_flows", &CASH_FLOWS, &|writer, policy| {
        policy.streams.iter().try_for_each(|stream| cash_flow(writer, &policy.scenario, stream, rate))
    })?;
    table("flows", &FLOWS, &flows)?;
    table("groups", &GROUPS, &groups)?;
    table("sensitivity", &SENSITIVITY, &|writer, policy| {
        policy.tornado.iter().try_for_each(|swing| {
            writer.push([
                Cell::Text(&policy.scenario),
                Cell::Text(swing.name),
                Cell::Real(swing.ends[0]),
                Cell::Real(swing.ends[1]),
                Cell::Real(swing.net_present_value[0]),
                Cell::Real(swing.net_present_value[1]),
            ])
        })
    })?;
    let mut writer = TableWriter::create(staged.path(), "values", &VALUES, &about)?;
    for (_, name, entry) in values.all() {
        writer.push([
            Cell::Text(name),
            Cell::Real(entry.value),
            Cell::Real(entry.low),
            Cell::Real(entry.high),
            Cell::Text(&entry.unit),
            Cell::Text(&entry.currency),
            Cell::Count(u64::from(entry.year)),
            Cell::Text(&entry.source),
            Cell::Text(&entry.quality),
        ])?;
    }
    writer.finish()?;
    staged.commit()
}

fn measures(writer: &mut TableWriter, policy: &PolicyAppraisal) -> Result<()> {
    policy.measures.iter().try_for_each(|measure| {
        let found = &measure.statistics;
        let [low, high] = Cell::ends(found.interval);
        let [bootstrap_low, bootstrap_high] = Cell::ends(found.bootstrap);
        writer.push([
            Cell::Text(&policy.scenario),
            Cell::Text(measure.name),
            Cell::Text(measure.unit),
            Cell::Real(found.base_mean),
            Cell::Real(found.difference_mean),
            low,
            high,
            bootstrap_low,
            bootstrap_high,
            Cell::Count(found.n),
            Cell::Text(found.state.name()),
        ])
    })
}

fn worth(writer: &mut TableWriter, policy: &PolicyAppraisal) -> Result<()> {
    let objective = |name: &str| {
        let at = OBJECTIVES.iter().position(|(known, _)| *known == name);
        Cell::MaybeReal(at.map(|at| policy.objectives[at]))
    };
    writer.push([
        Cell::Text(&policy.scenario),
        Cell::Real(policy.worth.net_present_value),
        Cell::MaybeReal(policy.worth.benefit_cost_ratio),
        Cell::MaybeCount(policy.worth.payback_year.map(u64::from)),
        Cell::MaybeReal(policy.worth.internal_rate_of_return),
        objective("user_benefit"),
        objective("relief_of_society"),
        objective("public_present_value"),
        objective("share_without_loss"),
        Cell::MaybeText(policy.dominated_by.as_deref()),
    ])
}

fn cash_flow(writer: &mut TableWriter, scenario: &str, stream: &Stream, rate: f64) -> Result<()> {
    for (year, &money) in stream.money.iter().enumerate() {
        let mut flows = vec![0.0; year];
        flows.push(money);
        writer.push([
            Cell::Text(scenario),
            Cell::Count(year as u64),
            Cell::Text(&stream.party),
            Cell::Text(stream.item.name()),
            Cell::Real(money),
            Cell::Real(present_value(&flows, rate)),
        ])?;
    }
    Ok(())
}

fn flows(writer: &mut TableWriter, policy: &PolicyAppraisal) -> Result<()> {
    policy.flows.iter().try_for_each(|flow| {
        let benefit = flow.benefit;
        let [low, high] = Cell::ends(benefit.and_then(|found| found.interval));
        writer.push([
            Cell::Text(&policy.scenario),
            Cell::Text(&flow.from_zone),
            Cell::Text(&flow.to_zone),
            Cell::Text(&flow.mode),
            Cell::Real(flow.trips[0]),
            Cell::Real(flow.trips[1]),
            Cell::MaybeReal(flow.cost.map(|cost| cost[0])),
            Cell::MaybeReal(flow.cost.map(|cost| cost[1])),
            Cell::MaybeReal(benefit.map(|found| found.difference_mean)),
            low,
            high,
            Cell::MaybeText(benefit.map(|found| found.state.name())),
        ])
    })
}

fn groups(writer: &mut TableWriter, policy: &PolicyAppraisal) -> Result<()> {
    policy.groups.iter().try_for_each(|group| {
        let [low, high] = Cell::ends(group.benefit.interval);
        writer.push([
            Cell::Text(&policy.scenario),
            Cell::Text(group.by),
            Cell::Text(&group.group),
            Cell::Real(group.persons),
            Cell::Real(group.benefit.difference_mean),
            low,
            high,
            Cell::Real(group.winners),
            Cell::Real(group.losers),
            Cell::Text(group.benefit.state.name()),
        ])
    })
}
