//! `urbis appraise`: what scenarios are worth against their base, to whom, and in which year.

use crate::pairs::{EffectFormat, PairArguments, interval, real, where_tables_are};
use crate::screen::{csv, figure, print, print_json, say, table};
use clap::{Args, ValueHint};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use urbis_appraisal::appraisal::values::Name;
use urbis_appraisal::appraisal::{OBJECTIVES, PolicyAppraisal, tables};
use urbis_appraisal::{Appraisal, Values};
use urbis_core::Result;

/// Rows of the tornado that are shown; the table in the folder has all.
const SWINGS_SHOWN: usize = 6;

/// What `urbis appraise` is asked.
#[derive(Debug, Args)]
#[command(
    after_help = "Travellers gain what trips cost them less, in time, way and money paid to policies: person by person, because
runs of one seed hold the same people, and, for comparison, between zones by the rule of half. Policies' revenues come
from the run; what policies cost and who pays from `cost` in their blocks; carbon, air pollution and accidents from the
road. Unit values are in assets/appraisal/values.toml, each with its source; --values replaces single ones.

Needs table trips of every run; zones of homes and income classes need
  [output.tables.persons]    enabled = true
  [output.tables.households] enabled = true

Tables: RESULTS/appraisal/{measures,worth,cash_flows,flows,groups,sensitivity,values}.parquet, replaced as a whole.

Examples:
  urbis appraise out/town --base baseline
  urbis appraise out/town --base baseline --scenario charge --values my_values.toml
  urbis appraise out/town --base baseline --format json | jq '.policies[].worth'"
)]
pub(crate) struct AppraiseArguments {
    #[command(flatten)]
    pub(crate) pairs: PairArguments,
    /// Unit values (TOML) in place of the shipped ones
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) values: Option<PathBuf>,
    /// Folder of the tables [default: RESULTS/appraisal]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Form of the answer; csv holds the figures with their intervals
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: EffectFormat,
}

/// Appraises, writes and prints.
pub(crate) fn run(arguments: &AppraiseArguments) -> Result<()> {
    let values = arguments.values.as_deref().map_or_else(Values::shipped, Values::read)?;
    let appraisal = Appraisal::of(arguments.pairs.open()?, values)?;
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.pairs.results.join("appraisal"));
    tables::write(&appraisal, &folder)?;
    match arguments.format {
        EffectFormat::Json => print_json(&as_json(&appraisal))?,
        EffectFormat::Csv => {
            let header = ["scenario", "measure", "unit", "base", "change", "low", "high", "n", "state"];
            let rows = appraisal.policies.iter().flat_map(|policy| {
                policy.measures.iter().map(|measure| {
                    let found = &measure.statistics;
                    vec![
                        policy.scenario.clone(),
                        measure.name.to_owned(),
                        appraisal.values.unit(measure.unit),
                        found.base_mean.to_string(),
                        found.difference_mean.to_string(),
                        real(found.interval.map(|i| i.low)),
                        real(found.interval.map(|i| i.high)),
                        found.n.to_string(),
                        found.state.name().to_owned(),
                    ]
                })
            });
            print(&csv(&header, rows)?)?;
        }
        EffectFormat::Table => print(&tables_text(&appraisal))?,
    }
    for note in &appraisal.notes {
        say(&format!("note: {note}"));
    }
    say(&where_tables_are(&appraisal.runs, &folder));
    Ok(())
}

fn tables_text(appraisal: &Appraisal) -> String {
    let (base, values) = (&appraisal.runs.base, &appraisal.values);
    let money = values.currency();
    let dash = || "-".to_owned();
    let mut text = String::new();
    for policy in &appraisal.policies {
        let title = appraisal.runs.titles.get(&policy.scenario).filter(|title| !title.is_empty());
        let title = title.map(|title| format!(": {title}")).unwrap_or_default();
        text += &format!("{} against {base}{title}\n", policy.scenario);
        let rows = policy.measures.iter().map(|measure| {
            let found = &measure.statistics;
            vec![
                measure.name.replace('_', " "),
                values.unit(measure.unit),
                figure(found.difference_mean),
                interval(found),
                found.state.name().to_owned(),
            ]
        });
        text += &table(&["figure", "unit", "change", "95 % interval", "verdict"], &[2, 3], rows);
        let worth = &policy.worth;
        text += &format!(
            "net present value {} {money}, benefit-cost ratio {}, paid back {}\n\n",
            figure(worth.net_present_value),
            worth.benefit_cost_ratio.map_or_else(dash, figure),
            worth.payback_year.map_or_else(dash, |year| format!("in year {year}")),
        );
        text += &parties(policy, values);
        let rows = policy.groups.iter().map(|group| {
            vec![
                format!("{} {}", group.by, group.group),
                figure(group.persons),
                format!("{:+.3}", group.benefit.difference_mean),
                interval(&group.benefit),
                format!("{:.1} %", 100.0 * group.winners),
                format!("{:.1} %", 100.0 * group.losers),
            ]
        });
        let each = format!("{money}/person/day");
        text += &table(&["group", "persons", &each, "95 % interval", "winners", "losers"], &[1, 2, 3, 4, 5], rows);
        text += "\n";
        let rows = policy.tornado.iter().take(SWINGS_SHOWN).map(|swing| {
            vec![
                swing.name.replace('_', " "),
                figure(swing.ends[0]),
                figure(swing.ends[1]),
                figure(swing.net_present_value[0]),
                figure(swing.net_present_value[1]),
            ]
        });
        let header = ["unit value", "low", "high", "net present value at low", "at high"];
        text += &table(&header, &[1, 2, 3, 4], rows);
        text += "\n";
    }
    let units = OBJECTIVES.map(|(name, of)| format!("{}, {}", name.replace('_', " "), values.unit(of)));
    let header: Vec<&str> =
        std::iter::once("scenario").chain(units.iter().map(String::as_str)).chain(["beaten by"]).collect();
    let rows = appraisal.policies.iter().map(|policy| {
        let figures = policy.objectives.iter().map(|value| figure(*value));
        let beaten = policy.dominated_by.clone().unwrap_or_else(|| "none: on the Pareto front".to_owned());
        std::iter::once(policy.scenario.clone()).chain(figures).chain([beaten]).collect()
    });
    text + &table(&header, &[1, 2, 3, 4], rows)
}

/// Who pays and who earns: the years in which something is built or ends, the first of the others, and all in today's money.
fn parties(policy: &PolicyAppraisal, values: &Values) -> String {
    let rows = policy.parties(values).into_iter().map(|(party, years, present)| {
        let at = |year: usize| years.get(year).map_or_else(|| "-".to_owned(), |money| figure(*money));
        vec![party.to_owned(), at(0), at(1), at(years.len().saturating_sub(1)), figure(present)]
    });
    let money = values.currency();
    let last = format!("year {:.0}", values.get(Name::Years).round());
    let header = ["who pays (-) and earns", "year 0", "year 1", &last, &format!("present value, {money}")];
    format!("{}\n", table(&header, &[1, 2, 3, 4], rows))
}

fn as_json(appraisal: &Appraisal) -> Json {
    let values = &appraisal.values;
    let policies = appraisal.policies.iter().map(|policy| {
        let measures = policy.measures.iter().map(|measure| {
            json!({ "measure": measure.name, "unit": values.unit(measure.unit), "statistics": measure.statistics })
        });
        let groups = policy.groups.iter().map(|group| {
            json!({
                "by": group.by, "group": group.group, "persons": group.persons, "benefit": group.benefit,
                "share_winners": group.winners, "share_losers": group.losers,
            })
        });
        let flows = policy.flows.iter().map(|flow| {
            json!({
                "from_zone": flow.from_zone, "to_zone": flow.to_zone, "mode": flow.mode, "trips": flow.trips,
                "cost": flow.cost, "benefit": flow.benefit,
            })
        });
        let streams = policy
            .streams
            .iter()
            .map(|stream| json!({ "party": stream.party, "item": stream.item.name(), "money_by_year": stream.money }));
        let tornado = policy.tornado.iter().map(
            |swing| json!({ "value": swing.name, "ends": swing.ends, "net_present_value": swing.net_present_value }),
        );
        let objectives = OBJECTIVES
            .iter()
            .zip(&policy.objectives)
            .map(|((name, of), value)| json!({ "objective": name, "unit": values.unit(of), "value": value }));
        json!({
            "scenario": policy.scenario,
            "worth": {
                "net_present_value": policy.worth.net_present_value,
                "benefit_cost_ratio": policy.worth.benefit_cost_ratio,
                "payback_year": policy.worth.payback_year,
                "internal_rate_of_return": policy.worth.internal_rate_of_return,
            },
            "measures": measures.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(),
            "flows": flows.collect::<Vec<_>>(), "cash_flows": streams.collect::<Vec<_>>(),
            "sensitivity": tornado.collect::<Vec<_>>(), "objectives": objectives.collect::<Vec<_>>(),
            "dominated_by": policy.dominated_by,
        })
    });
    let used = values.all().map(|(_, name, entry)| (name.to_owned(), json!(entry)));
    json!({
        "base": appraisal.runs.base, "seeds": appraisal.runs.seeds, "currency": values.currency(),
        "policies": policies.collect::<Vec<_>>(), "values": used.collect::<serde_json::Map<_, _>>(),
        "notes": appraisal.notes,
    })
}
