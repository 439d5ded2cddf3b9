//! The 73 indicators of a check-up as one table: what each is called, its unit, its formula in words, which way is better,
//! and the limits of its states with their source.
//!
//! Titles, units and formulas are those of the city indicators that sustainable-city standards share. A code of U4SSC
//! stands only where it was read at its source (U4SSC Collection Methodology and Verification Manual, ITU); others are not
//! told. Contract: constants; nothing here depends on a run.

mod environment;
mod people;
mod traffic;
mod utilities;

use serde::{Serialize, Serializer};

/// How many indicators there are.
pub const COUNT: usize = 73;

/// What an indicator is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Roads, public transport, cycling.
    Traffic,
    /// Who lives and works where, and what they reach.
    People,
    /// Electricity.
    Energy,
    /// Water, gas, heat, waste.
    Pipes,
    /// Emissions and noise.
    Environment,
    /// Emergency services, failures, hazards.
    Safety,
    /// What a policy is worth.
    Policy,
}

urbis_core::named!(Group {
    Traffic = "Traffic & transport",
    People = "Population, access & equity",
    Energy = "Energy & electricity",
    Pipes = "Water, gas, heat & waste",
    Environment = "Environment & climate",
    Safety = "Safety, emergency & resilience",
    Policy = "Policy value",
});

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The more the better.
    Higher,
    /// The less the better.
    Lower,
    /// A city's own target.
    Target,
    /// The density of roads that planners aim at, 8 km/km2.
    TargetEight,
    /// A balance.
    NearOne,
    /// Neither too little nor too much.
    Range,
    /// Neither way is better.
    Info,
    /// The more for those who have less, the better.
    Progressive,
    /// Belongs to every other figure.
    Reported,
}

urbis_core::named!(Direction {
    Higher = "higher",
    Lower = "lower",
    Target = "target",
    TargetEight = "target 8",
    NearOne = "near 1",
    Range = "range",
    Info = "info",
    Progressive = "progressive",
    Reported = "report with every KPI",
});

/// The state of an indicator, as a traffic light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    /// Within the limit.
    Good,
    /// Beyond it, but not far.
    Watch,
    /// Far beyond it.
    Bad,
    /// No limit is known, or it does not apply here.
    #[default]
    None,
}

urbis_core::named!(Light { Good = "good", Watch = "watch", Bad = "bad", None = "none" });

impl Serialize for Light {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How a limit got here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitQuality {
    /// Read at the source that is named.
    Sourced,
    /// From memory of the source that is named.
    Recalled,
    /// No public standard is known; round figures.
    Judgement,
}

urbis_core::named!(LimitQuality { Sourced = "sourced", Recalled = "recalled", Judgement = "judgement" });

/// Values that are good, and values that are still to be watched; all others are bad. Ends belong to the better side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// At most so much.
    AtMost {
        /// Good up to here.
        good: f64,
        /// To be watched up to here.
        watch: f64,
    },
    /// At least so much.
    AtLeast {
        /// Good from here.
        good: f64,
        /// To be watched from here.
        watch: f64,
    },
    /// Between two ends.
    Within {
        /// Ends of what is good.
        good: [f64; 2],
        /// Ends of what is to be watched.
        watch: [f64; 2],
    },
}

impl Rule {
    /// The state of a value; none of what is no number.
    #[must_use]
    pub fn light(&self, value: f64) -> Light {
        let [is_good, is_watch] = match *self {
            Self::AtMost { good, watch } => [value <= good, value <= watch],
            Self::AtLeast { good, watch } => [value >= good, value >= watch],
            Self::Within { good, watch } => [good, watch].map(|[low, high]| value >= low && value <= high),
        };
        match (value.is_finite(), is_good, is_watch) {
            (false, ..) => Light::None,
            (_, true, _) => Light::Good,
            (_, _, true) => Light::Watch,
            _ => Light::Bad,
        }
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::AtMost { good, watch } => format!("good <= {good}, watch <= {watch}"),
            Self::AtLeast { good, watch } => format!("good >= {good}, watch >= {watch}"),
            Self::Within { good, watch } => {
                format!("good {} to {}, watch {} to {}", good[0], good[1], watch[0], watch[1])
            }
        }
    }
}

/// Limits of an indicator's states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The part they hold for.
    pub part: &'static str,
    /// The limits.
    pub rule: Rule,
    /// Who says so.
    pub source: &'static str,
    /// How far to trust it.
    pub quality: LimitQuality,
}

/// An indicator as declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Definition {
    /// 1 to 73.
    pub number: u8,
    /// Name in files, `snake_case`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What it is about.
    pub group: Group,
    /// Unit of the whole; parts may have their own.
    pub unit: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Code of U4SSC, where it was read at the source.
    pub code: Option<&'static str>,
    /// Which way is better.
    pub direction: Direction,
    /// Limits of its states, where any are known.
    pub limits: Option<Limits>,
}

impl Definition {
    /// The state of a value of a part.
    #[must_use]
    pub fn light(&self, part: &str, value: f64) -> Light {
        self.limits.filter(|limits| limits.part == part).map_or(Light::None, |limits| limits.rule.light(value))
    }
}

const fn define(
    number: u8,
    name: &'static str,
    title: &'static str,
    group: Group,
    unit: &'static str,
    direction: Direction,
    formula: &'static str,
) -> Definition {
    Definition { number, name, title, group, unit, formula, code: None, direction, limits: None }
}

impl Definition {
    const fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
    const fn limited(mut self, part: &'static str, rule: Rule, quality: LimitQuality, source: &'static str) -> Self {
        self.limits = Some(Limits { part, rule, source, quality });
        self
    }
}

/// All indicators in the order of their numbers.
pub const DEFINITIONS: [Definition; COUNT] = {
    let mut all = [traffic::TRAFFIC[0]; COUNT];
    let mut at = 0;
    let parts: [&[Definition]; 4] = [&traffic::TRAFFIC, &people::PEOPLE, &utilities::UTILITIES, &environment::REST];
    let mut part = 0;
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    assert!(at == COUNT);
    all
};

/// The indicator of a number.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn definition(number: u8) -> &'static Definition {
    static ALL: [Definition; COUNT] = DEFINITIONS;
    &ALL[usize::from(number) - 1]
}

/// All indicators as a table in Markdown, as `urbis checkup --list` prints it.
#[must_use]
pub fn list() -> String {
    let mut text = "| id | name | indicator | unit | formula | better | limits | source of the limits |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for of in &DEFINITIONS {
        let code = of.code.map(|code| format!(" (U4SSC {code})")).unwrap_or_default();
        let part = |part: &str| if part.is_empty() { String::new() } else { format!("{part}: ") };
        let [limits, source] = of.limits.map_or_else(Default::default, |limits| {
            [
                format!("{}{}", part(limits.part), limits.rule.words()),
                format!("{} ({})", limits.source, limits.quality.name()),
            ]
        });
        text += &format!(
            "| {} | `{}` | {}{code} | {} | {} | {} | {limits} | {source} |\n",
            of.number,
            of.name,
            of.title,
            of.unit,
            of.formula,
            of.direction.name()
        );
    }
    text
}

#[cfg(test)]
#[allow(clippy::print_stdout)] // the test says why it was skipped
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    #[test]
    fn numbers_names_and_limits_are_in_order() {
        let mut names = BTreeSet::new();
        for (row, of) in DEFINITIONS.iter().enumerate() {
            assert_eq!(usize::from(of.number), row + 1, "{}", of.name);
            assert_eq!(definition(of.number), of);
            assert!(names.insert(of.name), "{} is there twice", of.name);
            assert!(of.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{}", of.name);
            assert!(!of.formula.is_empty() && !of.title.is_empty() && !of.unit.is_empty(), "{}", of.name);
            assert!(![of.title, of.unit, of.formula].iter().any(|text| text.contains('|')), "{}", of.name);
            let Some(limits) = of.limits else { continue };
            assert!(limits.source.len() > 10, "{} says who set its limits", of.name);
            let (worse, better) = match limits.rule {
                Rule::AtMost { good, watch } => (good <= watch, vec![Direction::Lower]),
                Rule::AtLeast { good, watch } => {
                    (good >= watch, vec![Direction::Higher, Direction::Target, Direction::TargetEight])
                }
                Rule::Within { good, watch } => {
                    (good[0] >= watch[0] && good[1] <= watch[1], vec![Direction::Range, Direction::NearOne])
                }
            };
            assert!(worse && better.contains(&of.direction), "{}: {:?} and {:?}", of.name, limits.rule, of.direction);
        }
    }

    #[test]
    fn lights_by_hand() {
        let light = |rule: Rule, values: [f64; 3]| values.map(|value| rule.light(value));
        let three = [Light::Good, Light::Watch, Light::Bad];
        assert_eq!(light(Rule::AtMost { good: 1.5, watch: 2.5 }, [1.5, 2.5, 2.6]), three);
        assert_eq!(light(Rule::AtLeast { good: 80.0, watch: 70.0 }, [80.0, 70.0, 69.9]), three);
        assert_eq!(light(Rule::Within { good: [0.75, 1.25], watch: [0.5, 1.5] }, [1.25, 0.5, 1.6]), three);
        assert_eq!(Rule::AtMost { good: 1.0, watch: 2.0 }.light(f64::NAN), Light::None);
        assert_eq!(definition(1).light("", 1.2), Light::Good);
        assert_eq!(definition(1).light("other part", 1.2), Light::None);
        assert_eq!(definition(7).light("", 1.2), Light::None, "no limit is known");
    }

    /// Rows of a CSV file whose cells may stand in quotes.
    fn csv(text: &str) -> Vec<Vec<String>> {
        let row = |line: &str| {
            let (mut cells, mut quoted) = (vec![String::new()], false);
            for c in line.chars() {
                match c {
                    '"' => quoted = !quoted,
                    ',' if !quoted => cells.push(String::new()),
                    c => cells.last_mut().unwrap().push(c),
                }
            }
            cells
        };
        text.lines().map(row).collect()
    }

    #[test]
    fn the_table_is_that_of_the_reference() {
        let folder = std::env::var("URBIS_SHARED")
            .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
        let path = folder.join("reference/indicators.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            return println!("skipped: {} is not there; URBIS_SHARED names its folder", path.display());
        };
        let rows = csv(&text);
        assert_eq!(rows.len(), COUNT + 1);
        for (of, row) in DEFINITIONS.iter().zip(&rows[1..]) {
            let code = (row[7] == "y").then(|| row[6].as_str());
            let group = row[1].split_once(' ').map_or("", |(_, name)| name);
            let ours = (of.number.to_string(), of.group.name(), of.title, of.unit, of.direction.name(), of.code);
            let theirs = (row[0].clone(), group, row[2].as_str(), row[3].as_str(), row[10].as_str(), code);
            assert_eq!(ours, theirs);
        }
    }
}
