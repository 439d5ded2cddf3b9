//! What a town file (TOML) says.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use urbis_core::{Error, Problem, Problems, Result};

/// Most steps of a run: a year of minutes.
const MOST_STEPS: f64 = 527_040.0;

/// A town: its networks, what joins them, and what fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TownSettings {
    /// Its name, for the summary.
    #[serde(default)]
    pub name: String,
    /// Length of the run, hours.
    #[serde(default = "day")]
    pub hours: f64,
    /// Length of a step, seconds; hours must be a whole number of them.
    #[serde(default = "quarter")]
    pub step_s: u32,
    /// The electric grid, if there is one.
    pub power: Option<PowerNet>,
    /// The gas network, if there is one.
    pub gas: Option<GasNet>,
    /// The network of heat, if there is one.
    pub heat: Option<HeatNet>,
    /// The water network, if there is one.
    pub water: Option<WaterNet>,
    /// Which electric load, gas sink and consumer of heat are one house.
    pub links: Option<LinkTable>,
    /// What acts on what.
    #[serde(default)]
    pub couplings: Couplings,
    /// Plants that need electricity.
    #[serde(default)]
    pub plant: Vec<PlantNeed>,
    /// What fails, and when.
    #[serde(default)]
    pub failure: Vec<Failure>,
    /// What is written.
    #[serde(default)]
    pub output: Output,
}

fn day() -> f64 {
    24.0
}
fn quarter() -> u32 {
    900
}

/// How demands go up and down: a factor for the whole run, or a file (CSV) with columns `time_s` and `multiplier`, each
/// of which holds until the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Profile {
    /// The same all the time.
    Constant(f64),
    /// From a file.
    File(PathBuf),
}

impl Default for Profile {
    fn default() -> Self {
        Self::Constant(1.0)
    }
}

/// An electric grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerNet {
    /// Whatever `urbis power solve` reads.
    pub net: PathBuf,
    /// Factor of all loads, active and reactive.
    #[serde(default)]
    pub profile: Profile,
    /// Largest mismatch accepted, per unit of the grid's base power. Ledgers close as well as this lets them.
    #[serde(default = "tight")]
    pub tolerance_pu: f64,
}

fn tight() -> f64 {
    1e-12
}

/// A gas network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasNet {
    /// Whatever `urbis gas solve` reads.
    pub net: PathBuf,
    /// Factor of all sinks; sources feed in as the net says.
    #[serde(default)]
    pub profile: Profile,
    /// Heat that a kilogram gives, MJ; asked only where missing gas is replaced by electric heat.
    #[serde(default = "heating_value")]
    pub heating_value_mjpkg: f64,
    /// Share of it that a boiler gives to the house.
    #[serde(default = "efficiency")]
    pub boiler_efficiency: f64,
}

/// Lower heating value of natural gas H, recalled: about 13.1 kWh/kg.
fn heating_value() -> f64 {
    47.2
}
/// Of a condensing boiler by the lower heating value over a year, recalled.
fn efficiency() -> f64 {
    0.95
}

/// How a network of heat goes through time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeatMethod {
    /// Water carries its heat along pipes as plugs: a warmer supply arrives when the water does, and pipes store heat.
    #[default]
    Plugs,
    /// A steady state at each step, as `urbis heat solve` finds it; pipes store nothing.
    Steady,
}

/// A network of heat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatNet {
    /// Whatever `urbis heat solve` reads.
    pub net: PathBuf,
    /// Factor of what consumers ask for: heat, and flow where flow is given, so that drops of temperature stay.
    #[serde(default)]
    pub profile: Profile,
    /// How it goes through time.
    #[serde(default)]
    pub method: HeatMethod,
}

/// A water network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaterNet {
    /// Whatever `urbis water solve` reads.
    pub net: PathBuf,
    /// Factor of all demands, beside the patterns of the file.
    #[serde(default)]
    pub profile: Profile,
}

/// A table (CSV) of houses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTable {
    /// The file.
    pub file: PathBuf,
    /// Column of the electric load; by its id, with or without its table: `12` or `load 12`.
    #[serde(default = "load_column")]
    pub load: String,
    /// Column of the gas sink; empty or -1 where a house has none. Not asked without a gas network.
    #[serde(default = "gas_column")]
    pub gas: String,
    /// Column of the consumer of heat; likewise.
    #[serde(default = "heat_column")]
    pub heat: String,
}

fn load_column() -> String {
    "load_idx".to_owned()
}
fn gas_column() -> String {
    "gas_sink_idx".to_owned()
}
fn heat_column() -> String {
    "heat_consumer_idx".to_owned()
}

/// What acts on what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Couplings {
    /// Whether a gas boiler in a house without electricity takes nothing.
    pub dark_gas: bool,
    /// Whether the heat station of a house without electricity takes nothing.
    pub dark_heat: bool,
    /// Whether a plant whose electricity is gone stands still.
    pub dark_plants: bool,
    /// Whether houses that lack gas or heat turn on electric heaters.
    pub electric_backup: bool,
    /// Share of the missing heat that these heaters replace.
    pub electric_backup_share: f64,
}

impl Default for Couplings {
    fn default() -> Self {
        Self { dark_gas: true, dark_heat: true, dark_plants: true, electric_backup: true, electric_backup_share: 0.0 }
    }
}

/// A network of a town.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkName {
    /// Electricity.
    Power,
    /// Gas.
    Gas,
    /// Heat.
    Heat,
    /// Water.
    Water,
}

impl NetworkName {
    /// What files call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Gas => "gas",
            Self::Heat => "heat",
            Self::Water => "water",
        }
    }
}

/// A plant that needs electricity: a circulation pump with its heating, a compressor, a pump.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantNeed {
    /// Its network: gas, heat or water.
    pub network: NetworkName,
    /// The element, as a failure names it.
    pub element: String,
    /// Where its electricity comes from: `bus 12`, or a load as `load 12`.
    pub needs_power_at: String,
}

/// A time of the run: hours, or `"HH:MM"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TimeOfRun {
    /// Hours since the start.
    Hours(f64),
    /// Hours and minutes since the start.
    Clock(String),
}

impl TimeOfRun {
    /// Seconds since the start; `None` of what is no such time.
    #[must_use]
    pub fn seconds(&self) -> Option<u32> {
        let seconds = match self {
            Self::Hours(hours) => 3600.0 * hours,
            Self::Clock(text) => {
                let (hours, minutes) = text.split_once(':')?;
                let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                if !is_number(hours) || minutes.len() != 2 || !is_number(minutes) {
                    return None;
                }
                let minutes: f64 = minutes.parse().ok().filter(|minutes| *minutes < 60.0)?;
                3600.0 * hours.parse::<f64>().ok()? + 60.0 * minutes
            }
        };
        (0.0..=4e9).contains(&seconds).then(|| seconds.round() as u32)
    }
}

/// Something that is out for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Its network.
    pub network: NetworkName,
    /// Power: `bus ID`, `source ID` (the bus that it holds; `source *`: all), or a branch by its name, such as `line 3`.
    /// Gas and heat: table and index, such as `pipe 3`, `ext_grid 0`, `circ_pump_pressure 0`, `junction 7`. Water: `link
    /// ID` or `node ID`.
    pub element: String,
    /// When it fails.
    pub from: TimeOfRun,
    /// When it is back.
    pub to: TimeOfRun,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Whether tables of nodes and links are written, beside `service` and `balance`.
    pub states: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self { states: true }
    }
}

impl TownSettings {
    /// Reads a file. Returns the settings with paths as the program can open them, and the text.
    ///
    /// # Errors
    /// A file that cannot be read, and what is wrong in it, with the line.
    pub fn read(path: &Path) -> Result<(Self, String)> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::read(path, source))?;
        let mut this: Self = toml::from_str(&text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            Problem::span(path, &text, span, error.message().trim_end(), "here")
        })?;
        let mut problems = Problems::new();
        this.check(&mut |key, what| problems.push(at_key(path, &text, key, &what)));
        problems.or_else(())?;
        let folder = urbis_core::files::parent(path).to_owned();
        let settle = |of: &mut PathBuf| *of = folder.join(&*of);
        let mut profiles: Vec<&mut Profile> = Vec::new();
        if let Some(of) = &mut this.power {
            settle(&mut of.net);
            profiles.push(&mut of.profile);
        }
        if let Some(of) = &mut this.gas {
            settle(&mut of.net);
            profiles.push(&mut of.profile);
        }
        if let Some(of) = &mut this.heat {
            settle(&mut of.net);
            profiles.push(&mut of.profile);
        }
        if let Some(of) = &mut this.water {
            settle(&mut of.net);
            profiles.push(&mut of.profile);
        }
        for profile in profiles {
            if let Profile::File(file) = profile {
                settle(file);
            }
        }
        if let Some(of) = &mut this.links {
            settle(&mut of.file);
        }
        Ok((this, text))
    }

    /// Files or folders of the networks.
    #[must_use]
    pub fn nets(&self) -> Vec<&Path> {
        let all = [
            self.power.as_ref().map(|of| &of.net),
            self.gas.as_ref().map(|of| &of.net),
            self.heat.as_ref().map(|of| &of.net),
            self.water.as_ref().map(|of| &of.net),
        ];
        all.into_iter().flatten().map(PathBuf::as_path).collect()
    }

    /// Number of steps.
    #[must_use]
    pub fn steps(&self) -> u32 {
        (self.hours * 3600.0 / f64::from(self.step_s.max(1))).round() as u32
    }

    /// Tells every value that cannot be, by its key.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let steps = self.hours * 3600.0 / f64::from(self.step_s);
        if !(1..=86_400).contains(&self.step_s) {
            tell("step_s", format!("= {}, expected 1 to 86400 seconds", self.step_s));
        } else if !(1.0..=MOST_STEPS).contains(&steps) || (steps - steps.round()).abs() > 1e-9 {
            let of = self.step_s;
            tell("hours", format!("= {}, expected a whole number of steps of {of} s, 1 to {MOST_STEPS}", self.hours));
        }
        let is_there = |of: NetworkName| match of {
            NetworkName::Power => self.power.is_some(),
            NetworkName::Gas => self.gas.is_some(),
            NetworkName::Heat => self.heat.is_some(),
            NetworkName::Water => self.water.is_some(),
        };
        if ![NetworkName::Power, NetworkName::Gas, NetworkName::Heat, NetworkName::Water].into_iter().any(is_there) {
            tell("", "has no network, expected one of [power], [gas], [heat], [water] at least".to_owned());
        }
        let profiles = [
            ("power", self.power.as_ref().map(|of| &of.profile)),
            ("gas", self.gas.as_ref().map(|of| &of.profile)),
            ("heat", self.heat.as_ref().map(|of| &of.profile)),
            ("water", self.water.as_ref().map(|of| &of.profile)),
        ];
        for (name, profile) in profiles {
            if let Some(Profile::Constant(factor)) = profile
                && !(0.0..=1e3).contains(factor)
            {
                tell(&format!("{name}.profile"), format!("= {factor}, expected a factor of 0 to 1000, or a file"));
            }
        }
        if let Some(of) = &self.power
            && !(1e-15..=1e-3).contains(&of.tolerance_pu)
        {
            tell("power.tolerance_pu", format!("= {}, expected 1e-15 to 1e-3", of.tolerance_pu));
        }
        if let Some(of) = &self.gas {
            if !(of.heating_value_mjpkg > 0.0 && of.heating_value_mjpkg < 1e3) {
                tell("gas.heating_value_mjpkg", format!("= {}, expected > 0 and < 1000", of.heating_value_mjpkg));
            }
            if !(of.boiler_efficiency > 0.0 && of.boiler_efficiency <= 1.2) {
                tell("gas.boiler_efficiency", format!("= {}, expected > 0 and at most 1.2", of.boiler_efficiency));
            }
        }
        let share = self.couplings.electric_backup_share;
        if !(0.0..=1.0).contains(&share) {
            tell("couplings.electric_backup_share", format!("= {share}, expected 0 to 1"));
        }
        if self.links.is_some() && self.power.is_none() {
            tell("links", "join houses to electric loads, expected a network [power]".to_owned());
        }
        for of in &self.plant {
            if of.network == NetworkName::Power || !is_there(of.network) {
                let name = of.network.name();
                tell(
                    "network",
                    format!("= {name} of plant `{}`, expected gas, heat or water of this file", of.element),
                );
            }
            if self.power.is_none() {
                tell("needs_power_at", format!("of plant `{}`, expected a network [power]", of.element));
            }
        }
        for of in &self.failure {
            let name = of.network.name();
            if !is_there(of.network) {
                tell("network", format!("= {name} of failure `{}`, expected a network of this file", of.element));
            }
            let times = [("from", &of.from), ("to", &of.to)].map(|(key, time)| {
                let seconds = time.seconds();
                if seconds.is_none() {
                    tell(key, format!("= {time:?} of failure `{}`, expected hours or \"HH:MM\"", of.element));
                }
                seconds
            });
            if let [Some(from), Some(to)] = times
                && to <= from
            {
                tell("to", format!("= {to} s of failure `{}`, expected later than {from} s", of.element));
            }
        }
    }
}

/// A problem shown at the first line that has the last part of a key, else with the whole file.
fn at_key(path: &Path, text: &str, key: &str, what: &str) -> Problem {
    let last = key.rsplit('.').next().unwrap_or(key);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let name = line.split(['=', ']']).next().unwrap_or_default().trim().trim_start_matches('[').trim();
        if !last.is_empty() && name == last {
            let end = start + line.trim_end().len();
            return Problem::span(path, text, start..end, format!("{key} {what}"), "here");
        }
        start += line.len();
    }
    Problem::file(path, format!("{key} {what}").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_hours_or_a_clock() {
        let clock = |text: &str| TimeOfRun::Clock(text.to_owned()).seconds();
        assert_eq!(
            [clock("06:15"), clock("30:00"), clock("6:5"), clock("12:60"), clock("+1:00")],
            [Some(22_500), Some(108_000), None, None, None]
        );
        assert_eq!(TimeOfRun::Hours(1.5).seconds(), Some(5400));
        assert_eq!(TimeOfRun::Hours(-1.0).seconds(), None);
    }
}
