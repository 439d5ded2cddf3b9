//! The tables of a comparison: `city`, `hours`, `zones`, `groups` and `links`, all with the same columns.

use crate::comparison::{Comparison, Effect};
use crate::statistics::FALSE_DISCOVERY_RATE;
use crate::table_out::{Cell, Kind, SCENARIO, STATE, TableOut, TableWriter, column};
use std::path::Path;
use urbis_core::Result;
use urbis_core::files::StagedFolder;

const UNIT: &str = "see column unit";

/// Columns of every table of a comparison.
pub const EFFECTS: TableOut = TableOut {
    description: "What scenarios change against their base: paired differences, scenario less base, one row for each figure.",
    columns: &[
        SCENARIO,
        column("subject", Kind::Text, "", "Subject: traffic, people, power ..."),
        column("indicator", Kind::Text, "", "What the figure is."),
        column("unit", Kind::Text, "", "Its unit."),
        column("zone_id", Kind::Text, "", "Zone; null for the whole city."),
        column("link_id", Kind::Text, "", "Link; key of layers/links.parquet; null for all."),
        column("group", Kind::Text, "", "Group of people, such as mode:car; null for all."),
        column("hour", Kind::Count, "local hour", "Hour of the day, 0 to 23; null for the whole day."),
        column("headline", Kind::Flag, "", "Whether it belongs on the first page."),
        column("n", Kind::Count, "seeds", "Paired seeds."),
        column("base_mean", Kind::Real, UNIT, "Mean of the base."),
        column("scenario_mean", Kind::Real, UNIT, "Mean of the scenario."),
        column("difference_mean", Kind::Real, UNIT, "Mean of scenario less base."),
        column("difference_sd", Kind::Real, UNIT, "Standard deviation of the differences; null with one seed."),
        column(
            "low",
            Kind::Real,
            UNIT,
            "Lower end of Student's 95 % interval of the mean difference; null with one seed.",
        ),
        column("high", Kind::Real, UNIT, "Upper end."),
        column(
            "bootstrap_low",
            Kind::Real,
            UNIT,
            "Lower end of the percentile-t bootstrap's 95 % interval; null below five seeds, where most differences are equal, and for hours of links.",
        ),
        column("bootstrap_high", Kind::Real, UNIT, "Upper end."),
        column("independent_low", Kind::Real, UNIT, "Lower end of Welch's interval, as if runs were not paired."),
        column("independent_high", Kind::Real, UNIT, "Upper end."),
        column("share_positive", Kind::Real, "0 to 1", "Share of seeds in which the scenario's figure is higher."),
        column("sign_p", Kind::Real, "0 to 1", "Exact two-sided sign test."),
        column("p", Kind::Real, "0 to 1", "Student's test of no mean difference, two-sided; null with one seed."),
        column(
            "q",
            Kind::Real,
            "0 to 1",
            "Smallest false discovery rate at which the row is a finding among those of its map (Benjamini and Hochberg 1995).",
        ),
        column("is_finding", Kind::Flag, "", "Whether q is at most 0.05."),
        column(
            "seeds_needed",
            Kind::Count,
            "seeds",
            "Seeds for the precision in the footer, by today's spread; null where unknown or over a million.",
        ),
        STATE,
    ],
};

fn push(table: &mut TableWriter, effect: &Effect) -> Result<()> {
    let (what, found) = (&effect.figure, &effect.statistics);
    let [low, high] = Cell::ends(found.interval);
    let [bootstrap_low, bootstrap_high] = Cell::ends(found.bootstrap);
    let [independent_low, independent_high] = Cell::ends(found.independent);
    table.push([
        Cell::Text(&effect.scenario),
        Cell::Text(&what.subject),
        Cell::Text(&what.indicator),
        Cell::Text(&what.unit),
        Cell::MaybeText(what.zone_id.as_deref()),
        Cell::MaybeText(what.link_id.as_deref()),
        Cell::MaybeText(what.group.as_deref()),
        Cell::MaybeCount(what.hour.map(u64::from)),
        Cell::Flag(what.headline),
        Cell::Count(found.n),
        Cell::Real(found.base_mean),
        Cell::Real(found.scenario_mean),
        Cell::Real(found.difference_mean),
        Cell::MaybeReal(found.difference_sd),
        low,
        high,
        bootstrap_low,
        bootstrap_high,
        independent_low,
        independent_high,
        Cell::Real(found.share_positive),
        Cell::Real(found.sign_p),
        Cell::MaybeReal(found.p),
        Cell::MaybeReal(found.q),
        Cell::Flag(found.is_finding()),
        Cell::MaybeCount(found.seeds_needed),
        Cell::Text(found.state.name()),
    ])
}

/// Writes the tables into a folder, which is replaced as a whole; `see` is shown each row with the name of its table, so that
/// nothing is computed twice for those who look at it too.
///
/// # Errors
/// When a table of the results cannot be read or the folder cannot be written.
pub fn write(comparison: &Comparison, folder: &Path, see: &mut dyn FnMut(&str, &Effect)) -> Result<()> {
    let mut about = comparison.runs.about();
    about.push(("urbis.precision", comparison.options.precision.to_string()));
    about.push(("urbis.false_discovery_rate", FALSE_DISCOVERY_RATE.to_string()));
    let staged = StagedFolder::new(folder)?;
    let mut table = |name: &str, effects: &[Effect]| -> Result<()> {
        let mut table = TableWriter::create(staged.path(), name, &EFFECTS, &about)?;
        for effect in effects {
            see(name, effect);
            push(&mut table, effect)?;
        }
        table.finish()
    };
    table("city", &comparison.kpis)?;
    table("hours", &comparison.hours()?)?;
    table("zones", &comparison.zones()?)?;
    table("groups", &comparison.groups()?)?;
    let mut links = TableWriter::create(staged.path(), "links", &EFFECTS, &about)?;
    comparison.links(&mut |effect| {
        see("links", effect);
        push(&mut links, effect)
    })?;
    links.finish()?;
    staged.commit()
}
