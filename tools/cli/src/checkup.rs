//! `urbis checkup`: a city's vital signs from finished results, with their states.

use crate::args::results_folder;
use crate::screen::{figure, print, print_json, say, table, table_of};
use clap::{Args, ValueEnum, ValueHint};
use comfy_table::{Attribute, Cell, Color};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use urbis_appraisal::checkup::definitions::list;
use urbis_appraisal::checkup::{
    Checkup, DEFINITIONS, Definition, Light, Options, Patient, Row, number_of, table as indicators,
};
use urbis_appraisal::{Interval, Statistics};
use urbis_core::Result;

/// What `urbis checkup` is asked.
#[derive(Debug, Args)]
#[command(
    after_help = "Each of 73 indicators has a figure where the run has what it needs, else the reason why it has none. Values are
means over the seeds, with Student's 95 % interval where there are two seeds or more. States: good, watch, bad by limits
whose source stands in `--list`; none where no limit is known. With --base every figure has its effect, seed by seed.

Figures that no run has (beds, emission factors, rates of waste and of road deaths) come from a panel of your own:
  zone_id,period,indicator,value,unit,source,quality
  monaco,2024,electricity_emission_factor,0.05,kg CO2e/kWh,who says so,sourced

Homes, ages and incomes need
  [output.tables.persons]    enabled = true
  [output.tables.households] enabled = true

Table of all figures, by city, zone, hour and group of people: RESULTS/checkup/indicators.parquet.

Examples:
  urbis checkup out/monaco
  urbis checkup out/town --base baseline --by zone
  urbis checkup out/town --indicators peak_speed,9,saifi --json
  urbis checkup out/monaco --figures my_figures.csv --out checkup.parquet
  urbis checkup --list                                   # what the 73 are, and who sets their limits"
)]
pub(crate) struct CheckupArguments {
    /// Folder of the results
    #[arg(value_hint = ValueHint::DirPath, value_parser = results_folder, required_unless_present = "list")]
    pub(crate) results: Option<PathBuf>,
    /// Scenario that the others are set against
    #[arg(long, value_name = "NAME")]
    pub(crate) base: Option<String>,
    /// Scenario to look at, may be given again [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Indicators to tell, by number or name, separated by commas [default: all]
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = number_of)]
    pub(crate) indicators: Vec<u8>,
    /// Panel with figures that no run has (.csv, .parquet)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) figures: Option<PathBuf>,
    /// Folder, or file ending in .parquet, of the table [default: RESULTS/checkup]
    #[arg(long, value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) out: Option<PathBuf>,
    /// What to show; the table in the folder has all
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: By,
    /// One JSON object for programs, with all figures
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the indicators with formulas, limits and sources, in Markdown
    #[arg(long)]
    pub(crate) list: bool,
}

/// Rows that can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The whole city and period
    #[default]
    City,
    /// Zones
    Zone,
    /// Hours of the day
    Hour,
    /// Groups of people
    Group,
}

impl By {
    fn shows(self, row: &Row) -> bool {
        let place = &row.key.place;
        match self {
            Self::City => place.is_whole(),
            Self::Zone => place.zone.is_some() && place.hour.is_none(),
            Self::Hour => place.hour.is_some() && place.zone.is_none(),
            Self::Group => place.group.is_some(),
        }
    }
}

/// Checks, writes and prints.
pub(crate) fn run(arguments: &CheckupArguments) -> Result<()> {
    let Some(results) = arguments.results.as_ref().filter(|_| !arguments.list) else { return print(&list()) };
    let options = Options {
        base: arguments.base.clone(),
        scenarios: arguments.scenario.clone(),
        numbers: arguments.indicators.iter().copied().collect(),
        figures: arguments.figures.clone(),
    };
    let checkup = Checkup::of(results, &options)?;
    let out = arguments.out.clone().unwrap_or_else(|| results.join("checkup"));
    let path = indicators::write(&checkup, &out)?;
    if arguments.json {
        print_json(&as_json(&checkup))?;
    } else {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        for patient in &checkup.patients {
            print(&page(patient, checkup.base.as_deref(), arguments.by, is_plain))?;
        }
    }
    for note in &checkup.notes {
        say(&format!("note: {note}"));
    }
    say(&format!("table in {}", path.display()));
    Ok(())
}

fn page(patient: &Patient, base: Option<&str>, by: By, is_plain: bool) -> String {
    let seeds = patient.seeds.len();
    let is_compared = base.is_some_and(|base| base != patient.scenario);
    let mut text =
        format!("\n{}: {} ({seeds} seed{})\n", patient.scenario, patient.title, if seeds == 1 { "" } else { "s" });
    let mut header = vec!["id", "indicator", "value", "95 %", "unit", "state", "limits", "published"];
    if is_compared {
        header.extend(["effect", "finding"]);
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut lights = [0_usize; Light::NAMED.len()];
    for group in DEFINITIONS.chunk_by(|a, b| a.group == b.group) {
        let of_group =
            |of: &Definition| patient.rows.iter().filter(|row| row.key.number == of.number).any(|row| by.shows(row));
        if !group.iter().any(of_group) {
            continue;
        }
        let title = Cell::new(group[0].group.name());
        let title = if is_plain { title } else { title.add_attribute(Attribute::Bold) };
        rows.push(vec![Cell::new(""), title]);
        for of in group {
            for row in patient.rows.iter().filter(|row| row.key.number == of.number && by.shows(row)) {
                lights[row.light as usize] += 1;
                rows.push(line(of, row, is_compared, is_plain));
            }
        }
    }
    text += &table_of(&header, &[0, 2, 3, 7, 8][..if is_compared { 5 } else { 4 }], rows);
    let counts = Light::NAMED.iter().map(|(light, name)| format!("{} {name}", lights[*light as usize]));
    text += &format!("{}\n", counts.collect::<Vec<_>>().join(", "));
    let reason = |(number, reason): (&u8, &String)| {
        let of = &DEFINITIONS[usize::from(*number) - 1];
        vec![of.number.to_string(), of.title.to_owned(), reason.clone()]
    };
    if by == By::City && !patient.absent.is_empty() {
        text += "\nNot told, and why:\n";
        text += &table(&["id", "indicator", "reason"], &[0], patient.absent.iter().map(reason));
    }
    let notes = patient.notes.iter().filter(|(number, _)| patient.of(**number).next().is_some());
    let notes: Vec<String> = notes.map(|(number, note)| format!("  {number}: {note}\n")).collect();
    if by == By::City && !notes.is_empty() {
        text += &format!("\nHow to read them:\n{}", notes.concat());
    }
    text
}

/// Where a figure holds and which part it is.
fn name_of(of: &Definition, row: &Row) -> String {
    let place = &row.key.place;
    let hour = place.hour.map(|hour| format!("{hour}:00"));
    let part = Some(row.key.part.replace('_', " ")).filter(|part| !part.is_empty());
    let parts = [part, place.zone.clone(), hour, place.group.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { of.title.to_owned() } else { format!("{}: {}", of.title, parts.join(", ")) }
}

fn line(of: &Definition, row: &Row, is_compared: bool, is_plain: bool) -> Vec<Cell> {
    let limits = of.limits.filter(|limits| limits.part == row.key.part && row.key.place.hour.is_none());
    let colour = match row.light {
        Light::Good => Some(Color::Green),
        Light::Watch => Some(Color::Yellow),
        Light::Bad => Some(Color::Red),
        Light::None => None,
    };
    let state = Cell::new(if row.light == Light::None { "-" } else { row.light.name() });
    let half = |i: Interval| format!("± {}", figure(i.width() / 2.0));
    let mut cells = vec![
        Cell::new(of.number),
        Cell::new(name_of(of, row)),
        Cell::new(figure(row.value)),
        Cell::new(row.interval.map_or_else(String::new, half)),
        Cell::new(&row.key.unit),
        colour.filter(|_| !is_plain).map_or_else(|| state.clone(), |colour| state.clone().fg(colour)),
        Cell::new(limits.map_or_else(String::new, |limits| limits.rule.words())),
        Cell::new(row.published.as_ref().map_or_else(String::new, |of| figure(of.value))),
    ];
    if is_compared {
        cells.push(Cell::new(row.effect.as_ref().map_or_else(String::new, effect)));
        cells.push(Cell::new(row.effect.as_ref().map_or("", |effect| effect.state.name())));
    }
    cells
}

fn effect(of: &Statistics) -> String {
    let half = of.interval.map(|i| format!(" ± {}", figure(i.width() / 2.0))).unwrap_or_default();
    format!("{}{half}", figure(of.difference_mean))
}

fn as_json(checkup: &Checkup) -> Json {
    let patients = checkup.patients.iter().map(|patient| {
        let asked: BTreeSet<u8> =
            patient.rows.iter().map(|row| row.key.number).chain(patient.absent.keys().copied()).collect();
        let indicators = DEFINITIONS.iter().filter(|of| asked.contains(&of.number)).map(|of| one(patient, of));
        json!({
            "scenario": patient.scenario, "title": patient.title, "seeds": patient.seeds,
            "indicators": indicators.collect::<Vec<_>>(),
        })
    });
    json!({
        "city": checkup.city, "base": checkup.base, "notes": checkup.notes,
        "scenarios": patients.collect::<Vec<_>>(),
    })
}

fn one(patient: &Patient, of: &Definition) -> Json {
    let limits = of.limits.map(|limits| {
        json!({
            "part": limits.part, "limits": limits.rule.words(), "source": limits.source, "quality": limits.quality.name(),
        })
    });
    let figures = patient.rows.iter().filter(|row| row.key.number == of.number).map(|row| {
        let (key, place) = (&row.key, &row.key.place);
        let seeds = row.seeds.iter().map(|(seed, value)| json!({"seed": seed, "value": value}));
        json!({
            "part": key.part, "unit": key.unit, "zone_id": place.zone, "hour": place.hour, "person_group": place.group,
            "value": row.value, "interval": row.interval, "state": row.light, "seeds": seeds.collect::<Vec<_>>(),
            "published": row.published.as_ref().map(|of| json!({"value": of.value, "source": of.source})),
            "effect": row.effect,
        })
    });
    json!({
        "id": of.number, "name": of.name, "title": of.title, "subject": of.group.name(), "unit": of.unit,
        "code": of.code, "formula": of.formula, "better": of.direction.name(), "limits": limits,
        "figures": figures.collect::<Vec<_>>(), "reason": patient.absent.get(&of.number),
        "note": patient.notes.get(&of.number),
    })
}
