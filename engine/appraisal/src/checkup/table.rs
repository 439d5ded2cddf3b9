//! Table `indicators`: one row for each figure of each seed and for the mean over the seeds, and one for each indicator
//! that has none, with the reason.

use super::definitions::{DEFINITIONS, Definition, definition};
use super::{Checkup, Patient, Row};
use crate::table_out::{Cell, Kind, TableOut, TableWriter, column};
use std::path::{Path, PathBuf};
use urbis_core::files::{StagedFolder, parent};
use urbis_core::{Problem, Result};

const UNIT: &str = "see column unit";

/// Columns of the table.
pub const INDICATORS: TableOut = TableOut {
    description: "Indicators of a check-up by scenario, seed, zone, hour and group of people, with their states.",
    columns: &[
        column("scenario", Kind::Text, "", "The scenario."),
        column("seed", Kind::Count, "", "The seed; null for the mean over the seeds."),
        column("number", Kind::Count, "", "Number of the indicator, 1 to 73."),
        column("indicator", Kind::Text, "", "Its name."),
        column("title", Kind::Text, "", "Its name for people."),
        column("subject", Kind::Text, "", "What it is about."),
        column("code", Kind::Text, "", "Its code in U4SSC; null where that was not read at the source."),
        column("part", Kind::Text, "", "Part of the indicator, such as a means of transport; null for the whole."),
        column("zone_id", Kind::Text, "", "Zone; null for the whole city."),
        column("hour", Kind::Count, "local hour", "Hour of the day, 0 to 23; null for the whole period."),
        column("person_group", Kind::Text, "", "Group of people, such as age:0-17 or income:1; null for all."),
        column("value", Kind::Real, UNIT, "The figure; null where there is none."),
        column("unit", Kind::Text, "", "Its unit."),
        column("n", Kind::Count, "seeds", "Seeds in the mean; null where only the mean is known."),
        column("low", Kind::Real, UNIT, "Lower end of Student's 95 % interval of the mean; null with one seed."),
        column("high", Kind::Real, UNIT, "Upper end."),
        column("state", Kind::Text, "", "good, watch, bad or none."),
        column("better", Kind::Text, "", "Which way is better."),
        column("threshold", Kind::Text, "", "Limits of the states; null where none are known."),
        column("threshold_source", Kind::Text, "", "Who sets the limits."),
        column("threshold_quality", Kind::Text, "", "sourced, recalled or judgement."),
        column("published", Kind::Real, UNIT, "Published figure for the same thing; null where there is none."),
        column("published_source", Kind::Text, "", "Who published it."),
        column("base_mean", Kind::Real, UNIT, "Mean of the base over the paired seeds; null without a base."),
        column("effect", Kind::Real, UNIT, "Mean of scenario less base over the paired seeds."),
        column("effect_low", Kind::Real, UNIT, "Lower end of Student's 95 % interval of the effect."),
        column("effect_high", Kind::Real, UNIT, "Upper end."),
        column(
            "share_positive",
            Kind::Real,
            "0 to 1",
            "Share of paired seeds in which the scenario's figure is higher.",
        ),
        column(
            "seeds_needed",
            Kind::Count,
            "seeds",
            "Seeds for an interval of 5 % of the base to each side; null where unknown.",
        ),
        column("effect_state", Kind::Text, "", "higher, lower, no detectable difference, identical or too few seeds."),
        column("reason", Kind::Text, "", "Why there is no figure; null where there is one."),
        column("note", Kind::Text, "", "How the figure is to be read; null where it is as the formula says."),
    ],
};

/// The file of the table in a folder, or the file itself where a path ends in `.parquet`.
#[must_use]
pub fn file_of(out: &Path) -> PathBuf {
    if out.extension().is_some_and(|extension| extension == "parquet") {
        out.to_owned()
    } else {
        out.join("indicators.parquet")
    }
}

fn maybe(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What a row says that is the same for all its seeds.
struct Line<'a> {
    patient: &'a Patient,
    of: &'a Definition,
    row: &'a Row,
}

impl Line<'_> {
    fn push(&self, table: &mut TableWriter, seed: Option<u64>, value: f64) -> Result<()> {
        let (of, row, is_mean) = (self.of, self.row, seed.is_none());
        let limits = of.limits.filter(|limits| limits.part == row.key.part && row.key.place.hour.is_none());
        let words = limits.map(|limits| limits.rule.words());
        let [low, high] = Cell::ends(row.interval.filter(|_| is_mean));
        let effect = row.effect.filter(|_| is_mean);
        let [effect_low, effect_high] = Cell::ends(effect.and_then(|effect| effect.interval));
        let light = if is_mean { row.light } else { limits.map_or_else(Default::default, |l| l.rule.light(value)) };
        let published = row.published.as_ref().filter(|_| is_mean);
        table.push([
            Cell::Text(&self.patient.scenario),
            Cell::MaybeCount(seed),
            Cell::Count(u64::from(of.number)),
            Cell::Text(of.name),
            Cell::Text(of.title),
            Cell::Text(of.group.name()),
            Cell::MaybeText(of.code),
            Cell::MaybeText(maybe(&row.key.part)),
            Cell::MaybeText(row.key.place.zone.as_deref()),
            Cell::MaybeCount(row.key.place.hour.map(u64::from)),
            Cell::MaybeText(row.key.place.group.as_deref()),
            Cell::Real(value),
            Cell::Text(&row.key.unit),
            Cell::MaybeCount(Some(row.seeds.len() as u64).filter(|n| is_mean && *n > 0)),
            low,
            high,
            Cell::Text(light.name()),
            Cell::Text(of.direction.name()),
            Cell::MaybeText(words.as_deref()),
            Cell::MaybeText(limits.map(|limits| limits.source)),
            Cell::MaybeText(limits.map(|limits| limits.quality.name())),
            Cell::MaybeReal(published.map(|of| of.value)),
            Cell::MaybeText(published.map(|of| of.source.as_str())),
            Cell::MaybeReal(effect.map(|of| of.base_mean)),
            Cell::MaybeReal(effect.map(|of| of.difference_mean)),
            effect_low,
            effect_high,
            Cell::MaybeReal(effect.map(|of| of.share_positive)),
            Cell::MaybeCount(effect.and_then(|of| of.seeds_needed)),
            Cell::MaybeText(effect.map(|of| of.state.name())),
            Cell::MaybeText(None),
            Cell::MaybeText(self.patient.notes.get(&of.number).map(String::as_str)),
        ])
    }
}

fn push_reason(table: &mut TableWriter, patient: &Patient, of: &Definition, reason: &str) -> Result<()> {
    let limits = of.limits;
    let words = limits.map(|limits| limits.rule.words());
    let (no_text, no_real, no_count) = (Cell::MaybeText(None), Cell::MaybeReal(None), Cell::MaybeCount(None));
    table.push([
        Cell::Text(&patient.scenario),
        no_count,
        Cell::Count(u64::from(of.number)),
        Cell::Text(of.name),
        Cell::Text(of.title),
        Cell::Text(of.group.name()),
        Cell::MaybeText(of.code),
        no_text,
        no_text,
        no_count,
        no_text,
        no_real,
        Cell::Text(of.unit),
        no_count,
        no_real,
        no_real,
        Cell::Text("none"),
        Cell::Text(of.direction.name()),
        Cell::MaybeText(words.as_deref()),
        Cell::MaybeText(limits.map(|limits| limits.source)),
        Cell::MaybeText(limits.map(|limits| limits.quality.name())),
        no_real,
        no_text,
        no_real,
        no_real,
        no_real,
        no_real,
        no_real,
        no_count,
        no_text,
        Cell::Text(reason),
        no_text,
    ])
}

/// Writes the table into a folder, or under the name of a Parquet file; what stands there under that name is replaced.
///
/// # Errors
/// [`urbis_core::Error::Write`]; [`urbis_core::Error::Input`] when the path ends in another kind of file.
pub fn write(checkup: &Checkup, out: &Path) -> Result<PathBuf> {
    if let Some(kind) = out.extension().filter(|kind| *kind != "parquet" && !out.is_dir()) {
        let what = format!("cannot be written as .{}", kind.to_string_lossy());
        return Err(Problem::file(out, what).with_help("name a folder, or a file that ends in .parquet").into());
    }
    let path = file_of(out);
    let mut about = vec![("urbis.city", checkup.city.clone())];
    about.extend(checkup.base.clone().map(|base| ("urbis.base", base)));
    let staged = StagedFolder::new(&parent(&path).join(".indicators"))?;
    let mut table = TableWriter::create(staged.path(), "indicators", &INDICATORS, &about)?;
    for patient in &checkup.patients {
        for of in &DEFINITIONS {
            for row in patient.rows.iter().filter(|row| row.key.number == of.number) {
                let line = Line { patient, of: definition(of.number), row };
                line.push(&mut table, None, row.value)?;
                for (seed, value) in &row.seeds {
                    line.push(&mut table, Some(*seed), *value)?;
                }
            }
            if let Some(reason) = patient.absent.get(&of.number) {
                push_reason(&mut table, patient, of, reason)?;
            }
        }
    }
    table.finish()?;
    let bytes = std::fs::read(staged.path().join("indicators.parquet"))
        .map_err(|source| urbis_core::Error::read(&path, source))?;
    urbis_core::files::write_whole(&path, &bytes)?;
    Ok(path)
}
