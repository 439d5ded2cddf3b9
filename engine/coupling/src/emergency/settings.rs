//! Settings of the emergency services, as they stand in a scenario under `[emergency]`, and what they are by default.
//!
//! - Ambulance calls, 0.26 a day for 1000 persons: London 1999, 13,178 emergency responses in a week (P. J. Peacock et
//!   al., Emerg. Med. J. 22, 2005) over 7.15 million residents.
//! - Fire calls, 0.027: England, year ending June 2020, 549,913 incidents (Home Office, Fire and rescue incident
//!   statistics) over 56.6 million.
//! - Police calls, 0.64: Ottawa 2018, 322,800 calls dispatched, 72 % with police on the scene (Ottawa Police, annual
//!   report) over 1.0 million.
//! - Share of urgent calls: ambulances 0.6, categories 1 and 2 of England in August 2024 (NHS Providers, 443,701 of
//!   731,000); police 0.02, priority 1 of Ottawa; fire 1, estimate.
//! - Hours of the day: a wave with one peak, in mid-afternoon for ambulances (M. E. Helander et al., J. Biol. Rhythms
//!   38, 2023); its height 0.45, and the peaks of fire at 18 h and police at 20 h, are estimates.
//! - Taken to hospital, 0.5: 50.8 % of incidents, England, August 2024 (NHS Providers).
//! - Handover, 15 min: what England's guidance asks for (Nuffield Trust, Ambulance handover delays).
//! - Turn-out, 80 s and 60 s: NFPA 1710, for fire and for medical calls; recalled. Police 30 s: estimate, as they are
//!   on patrol.
//! - Siren, 1.5: time saved 30.9 % (J. Ho and M. Lindquist, Prehosp. Emerg. Care 5, 2001, rural) and 38.5 % (J. Ho and
//!   B. Casey, Ann. Emerg. Med. 32, 1998, urban), so 1.45 to 1.63 times as fast.
//! - Service on the scene, its spread, units of a station: estimates.
//!
//! Rates are those of residents, and are used for persons present.

use super::calls::Rate;
use super::dispatch::{Rules, ServiceKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where stations come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StationSource {
    /// No emergency services.
    #[default]
    None,
    /// Fire stations, hospitals and police of the city's points of interest.
    Pois,
    /// The table `stations`.
    File,
}

/// Which unit goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DispatchRule {
    /// The free one that is there first.
    #[default]
    Nearest,
    /// A free one of the station that is nearest on empty roads; the first of others when it has none.
    OwnStation,
}

/// Which waiting call comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueRule {
    /// The more urgent one; of equally urgent ones the earlier.
    #[default]
    Priority,
    /// The earlier one.
    FirstCome,
}

/// Fire brigade, ambulances and police.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmergencySettings {
    /// Where stations come from.
    pub source: StationSource,
    /// With `source = "file"`: a CSV table with columns `station_id`, `kind` (fire, ambulance, police, hospital),
    /// `units`, and a place: `building_id`, `node_id`, or `x_lon` and `y_lat`. Relative to the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub stations: Option<PathBuf>,
    /// Which unit goes.
    pub rule: DispatchRule,
    /// Which waiting call comes first.
    pub queue: QueueRule,
    /// Whether units on their way back are sent.
    pub sends_returning: bool,
    /// How many times as fast units are on their way to urgent calls, those of priority 1.
    #[schemars(range(min = 0.1, max = 10.0))]
    pub siren_factor: f64,
    /// Whether units pass closed streets; else they are closed for them too.
    pub passes_closures: bool,
    /// Fire brigade.
    pub fire: ServiceSettings,
    /// Ambulances.
    pub ambulance: ServiceSettings,
    /// Police.
    pub police: ServiceSettings,
    /// Share of ambulance calls after which somebody is taken to a hospital.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub transported_share: f64,
    /// Handover of a patient at a hospital, minutes.
    #[schemars(range(min = 0.0, max = 1440.0))]
    pub handover_min: f64,
}

impl Default for EmergencySettings {
    fn default() -> Self {
        Self {
            source: StationSource::None,
            stations: None,
            rule: DispatchRule::Nearest,
            queue: QueueRule::Priority,
            sends_returning: true,
            siren_factor: 1.5,
            passes_closures: false,
            fire: ServiceSettings::default(),
            ambulance: ServiceSettings::default(),
            police: ServiceSettings::default(),
            transported_share: 0.5,
            handover_min: 15.0,
        }
    }
}

/// One of the services; what is not written is as usual for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSettings {
    /// Units of a station that does not say so itself (fire 2, ambulance 3, police 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub units: Option<u32>,
    /// Calls a day for 1000 persons present (fire 0.027, ambulance 0.26, police 0.64).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub calls_per_1000_day: Option<f64>,
    /// Weight of each hour of the day, 24 figures; only their ratios count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 24, max = 24))]
    pub by_hour: Option<Vec<f64>>,
    /// Share of calls that are urgent, priority 1; the others have 2 (fire 1, ambulance 0.6, police 0.02).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub urgent_share: Option<f64>,
    /// Units that a call needs (1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub units_per_call: Option<u32>,
    /// Turn-out: from the alarm to driving off, for a unit at its station, seconds (fire 80, ambulance 60, police 30).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 86_400.0))]
    pub turnout_s: Option<f64>,
    /// Mean service on the scene, minutes (fire 45, ambulance 30, police 40).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1440.0))]
    pub scene_min: Option<f64>,
    /// Spread of the service on the scene, standard deviation over mean, lognormal (0.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 3.0))]
    pub scene_spread: Option<f64>,
}

/// What a service is like where nothing is said.
struct Usual {
    units: u32,
    calls_per_1000_day: f64,
    peak_hour: f64,
    urgent_share: f64,
    turnout_s: f64,
    scene_min: f64,
}

/// Height of the wave of the day over its mean.
const WAVE: f64 = 0.45;
const SCENE_SPREAD: f64 = 0.6;

fn usual(kind: ServiceKind) -> Usual {
    let of = |units, calls_per_1000_day, peak_hour, urgent_share, turnout_s, scene_min| Usual {
        units,
        calls_per_1000_day,
        peak_hour,
        urgent_share,
        turnout_s,
        scene_min,
    };
    match kind {
        ServiceKind::Fire => of(2, 0.027, 18.0, 1.0, 80.0, 45.0),
        ServiceKind::Ambulance => of(3, 0.26, 15.0, 0.6, 60.0, 30.0),
        ServiceKind::Police => of(4, 0.64, 20.0, 0.02, 30.0, 40.0),
    }
}

/// Milliseconds of seconds that were checked.
fn ms(seconds: f64) -> u32 {
    (1000.0 * seconds).round() as u32
}

impl EmergencySettings {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Whether the city has no emergency services.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.source == StationSource::None
    }
    /// What was said of a service.
    #[must_use]
    pub fn of(&self, kind: ServiceKind) -> &ServiceSettings {
        match kind {
            ServiceKind::Fire => &self.fire,
            ServiceKind::Ambulance => &self.ambulance,
            ServiceKind::Police => &self.police,
        }
    }
    /// Units of a station of a kind that does not say so itself.
    #[must_use]
    pub fn units_of_station(&self, kind: ServiceKind) -> u32 {
        self.of(kind).units.unwrap_or(usual(kind).units)
    }
    /// Calls of a kind.
    #[must_use]
    pub fn rate(&self, kind: ServiceKind) -> Rate {
        let (of, usual) = (self.of(kind), usual(kind));
        let weights: Vec<f64> = match &of.by_hour {
            Some(weights) => weights.clone(),
            None => (0..24).map(|hour| wave(f64::from(hour) + 0.5, usual.peak_hour)).collect(),
        };
        let mean = weights.iter().sum::<f64>() / 24.0;
        let per_day = of.calls_per_1000_day.unwrap_or(usual.calls_per_1000_day) / 1000.0;
        let mut per_person_s = [0.0; 24];
        for (rate, weight) in per_person_s.iter_mut().zip(&weights) {
            *rate = per_day / 86_400.0 * weight / mean;
        }
        Rate {
            per_person_s,
            urgent_share: of.urgent_share.unwrap_or(usual.urgent_share),
            units: of.units_per_call.unwrap_or(1),
            scene_s: 60.0 * of.scene_min.unwrap_or(usual.scene_min),
            scene_spread: of.scene_spread.unwrap_or(SCENE_SPREAD),
            transported_share: if kind == ServiceKind::Ambulance { self.transported_share } else { 0.0 },
        }
    }
    /// How units are sent.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let turnout_ms = |kind: ServiceKind| ms(self.of(kind).turnout_s.unwrap_or(usual(kind).turnout_s));
        Rules {
            own_station_first: self.rule == DispatchRule::OwnStation,
            by_priority: self.queue == QueueRule::Priority,
            sends_returning: self.sends_returning,
            turnout_ms: ServiceKind::NAMED.map(|(kind, _)| turnout_ms(kind)),
            siren_priority: 1,
            siren_factor: self.siren_factor,
            handover_ms: ms(60.0 * self.handover_min),
        }
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        match (self.source, &self.stations) {
            (StationSource::File, None) => {
                tell("source", "= \"file\" needs `stations`, expected the path of a table".to_owned());
            }
            (StationSource::None | StationSource::Pois, Some(path)) => {
                tell("stations", format!("= {:?} counts with source = \"file\" alone", path.display().to_string()));
            }
            _ => {}
        }
        for (kind, name) in ServiceKind::NAMED {
            let Some(weights) = &self.of(kind).by_hour else { continue };
            let is_good = |weight: &f64| weight.is_finite() && *weight >= 0.0;
            if weights.len() != 24 || !weights.iter().all(is_good) || weights.iter().sum::<f64>() <= 0.0 {
                tell(&format!("{name}.by_hour"), "expected 24 weights >= 0, of which one is above 0".to_owned());
            }
        }
    }
}

/// Weight of an hour of the day: a wave of mean 1 with one peak.
fn wave(hour: f64, peak_hour: f64) -> f64 {
    1.0 + WAVE * (std::f64::consts::TAU * (hour - peak_hour) / 24.0).cos()
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_day_of_usual_calls_adds_up() {
        let settings = EmergencySettings::default();
        for (kind, per_1000) in
            [(ServiceKind::Fire, 0.027), (ServiceKind::Ambulance, 0.26), (ServiceKind::Police, 0.64)]
        {
            let rate = settings.rate(kind);
            let day: f64 = rate.per_person_s.iter().map(|rate| 3600.0 * rate).sum();
            assert!((1000.0 * day / per_1000 - 1.0).abs() < 1e-12);
            assert!(rate.per_person_s.iter().all(|rate| *rate > 0.0));
        }
        let ambulance = settings.rate(ServiceKind::Ambulance).per_person_s;
        assert!(ambulance[14] > ambulance[3] && ambulance[14] >= ambulance[12]);
        assert_eq!(settings.rules().turnout_ms, [80_000, 60_000, 30_000]);
    }

    #[test]
    fn what_is_said_counts_and_what_cannot_be_is_told() {
        let mut settings = EmergencySettings::default();
        settings.police.by_hour = Some((0..24).map(f64::from).collect());
        settings.police.calls_per_1000_day = Some(24.0);
        let rate = settings.rate(ServiceKind::Police).per_person_s;
        assert!(rate[0] <= 0.0 && (rate[23] / rate[1] - 23.0).abs() < 1e-9);
        let mut told = Vec::new();
        settings.fire.by_hour = Some(vec![1.0; 23]);
        settings.source = StationSource::File;
        settings.check(&mut |key, _| told.push(key.to_owned()));
        assert_eq!(told, ["source", "fire.by_hour"]);
    }
}
