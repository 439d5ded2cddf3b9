//! What synthetic grids are made of: cables, transformers, and what customers draw, as tables with sources. The shipped
//! ones are in `assets/power/synthetic_grid.toml`.

use super::settings::SyntheticGridSettings;
use crate::power::grid::Branch;
use serde::Deserialize;
use std::path::Path;
use urbis_city::model::{BuildingUse, Quality};
use urbis_core::{Error, Problem, Problems, Result};

const SHIPPED: &str = include_str!("../../../../../assets/power/synthetic_grid.toml");
const SHIPPED_PATH: &str = "assets/power/synthetic_grid.toml";

/// What a cable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CableRole {
    /// From the street to a building.
    LvService,
    /// Along streets from a station.
    LvMain,
    /// Between stations and substations.
    Mv,
}

/// A type of cable; three conductors or cores of one circuit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// Name in catalogues.
    pub name: String,
    /// What it is for.
    pub role: CableRole,
    /// Voltage between phases that it is made for, volts.
    pub rated_v: f64,
    /// Resistance, ohms per kilometre.
    pub r_ohm_per_km: f64,
    /// Reactance, ohms per kilometre.
    pub x_ohm_per_km: f64,
    /// Capacitance, nanofarads per kilometre.
    pub c_nf_per_km: f64,
    /// Continuous current, amperes.
    pub rated_a: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it: `sourced`, `recalled`, `estimate`.
    pub quality: String,
}

/// What a transformer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransformerRole {
    /// In stations.
    MvLv,
    /// In substations.
    HvMv,
}

/// A type of transformer with two windings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transformer {
    /// Name for people.
    pub name: String,
    /// What it is for.
    pub role: TransformerRole,
    /// Rated power, VA.
    pub rated_va: f64,
    /// Short-circuit voltage, percent.
    pub short_circuit_percent: f64,
    /// Its resistive part, percent: load losses over rated power.
    pub short_circuit_resistive_percent: f64,
    /// Iron losses, watts.
    pub iron_loss_w: f64,
    /// Current without load, percent of rated.
    pub no_load_current_percent: f64,
    /// Angle by which the higher voltage leads, degrees.
    pub shift_deg: f64,
    /// Step of its taps, percent.
    pub tap_step_percent: f64,
    /// Steps either way.
    pub tap_steps: u32,
    /// Who says so.
    pub source: String,
    /// How far to trust it: `sourced`, `recalled`, `estimate`.
    pub quality: String,
}

/// What dwellings draw.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Household {
    /// Peak of a dwelling by itself, watts.
    pub customer_peak_w: f64,
    /// Share of it that coincides with countless others.
    pub coincidence_share: f64,
    /// Floor area of a dwelling where their number is unknown, m2.
    pub floor_area_m2: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it.
    pub quality: String,
}

/// What other customers draw.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Others {
    /// Share of their peaks that coincides with countless others.
    pub coincidence_share: f64,
    /// Who says so.
    pub source: String,
    /// How far to trust it.
    pub quality: String,
    /// Peak by gross floor area and use, W/m2.
    pub peak_w_per_m2: PeakByUse,
}

/// Peak by gross floor area, W/m2.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the names of uses
pub struct PeakByUse {
    pub office: f64,
    pub retail: f64,
    pub hotel: f64,
    pub industrial: f64,
    pub education: f64,
    pub health: f64,
    pub civic: f64,
    pub parking: f64,
    pub other: f64,
}

impl PeakByUse {
    /// Of a use; 0 for dwellings, which are counted.
    #[must_use]
    pub fn of(&self, purpose: BuildingUse) -> f64 {
        match purpose {
            BuildingUse::Residential => 0.0,
            BuildingUse::Office => self.office,
            BuildingUse::Retail => self.retail,
            BuildingUse::Hotel => self.hotel,
            BuildingUse::Industrial => self.industrial,
            BuildingUse::Education => self.education,
            BuildingUse::Health => self.health,
            BuildingUse::Civic => self.civic,
            BuildingUse::Parking => self.parking,
            BuildingUse::Other => self.other,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equipment {
    /// Cables.
    pub cables: Vec<Cable>,
    /// Transformers.
    pub transformers: Vec<Transformer>,
    /// Dwellings.
    pub household: Household,
    /// Other customers.
    pub others: Others,
}

/// A cable and how many lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Row of [`Equipment::cables`].
    pub cable: u32,
    /// Cables side by side.
    pub parallel: u32,
}

/// A transformer and how many stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Row of [`Equipment::transformers`].
    pub transformer: u32,
    /// Transformers side by side.
    pub parallel: u32,
}

impl Equipment {
    /// The tables that are shipped.
    #[must_use]
    pub fn shipped() -> Self {
        Self::from_toml(SHIPPED, Path::new(SHIPPED_PATH)).expect("the shipped tables are tested")
    }
    /// Reads tables; `path` is what messages name.
    ///
    /// # Errors
    /// [`Error::Input`] with everything that is wrong.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        let read: Self = toml::from_str(text).map_err(|error| {
            let mut problems = Problems::new();
            problems.push(Problem::file(path, error));
            Error::Input(problems)
        })?;
        read.check(path)?;
        Ok(read)
    }
    fn check(&self, path: &Path) -> Result<()> {
        let mut problems = Problems::new();
        let mut positive = |row: usize, id: &str, fields: &[(&str, f64)], quality: &str| {
            for &(field, value) in fields {
                if !(value.is_finite() && value > 0.0) {
                    problems.push(Problem::value(path, row + 1, Some(id), field, value, "> 0"));
                }
            }
            if Quality::from_name(quality).is_none() {
                let expected = "sourced, recalled or estimate";
                problems.push(Problem::value(path, row + 1, Some(id), "quality", quality, expected));
            }
        };
        for (row, of) in self.cables.iter().enumerate() {
            let fields = [
                ("rated_v", of.rated_v),
                ("r_ohm_per_km", of.r_ohm_per_km),
                ("x_ohm_per_km", of.x_ohm_per_km),
                ("c_nf_per_km", of.c_nf_per_km),
                ("rated_a", of.rated_a),
            ];
            positive(row, &of.name, &fields, &of.quality);
        }
        for (row, of) in self.transformers.iter().enumerate() {
            let fields = [
                ("rated_va", of.rated_va),
                ("short_circuit_percent", of.short_circuit_percent),
                ("short_circuit_resistive_percent", of.short_circuit_resistive_percent),
                ("iron_loss_w", of.iron_loss_w),
                ("no_load_current_percent", of.no_load_current_percent),
                ("tap_step_percent", of.tap_step_percent),
            ];
            positive(row, &of.name, &fields, &of.quality);
        }
        let of = &self.household;
        let fields = [("customer_peak_w", of.customer_peak_w), ("floor_area_m2", of.floor_area_m2)];
        positive(0, "household", &fields, &of.quality);
        positive(0, "household", &[("coincidence_share", of.coincidence_share)], &of.quality);
        positive(0, "others", &[("coincidence_share", self.others.coincidence_share)], &self.others.quality);
        for (purpose, name) in BuildingUse::NAMED.iter().skip(1) {
            positive(0, name, &[("peak_w_per_m2", self.others.peak_w_per_m2.of(*purpose))], "estimate");
        }
        for share in [self.household.coincidence_share, self.others.coincidence_share] {
            if share > 1.0 {
                problems.push(Problem::file(path, format!("coincidence_share = {share}, expected at most 1")));
            }
        }
        problems.or_else(())
    }
    /// Cables of a role and a voltage by falling resistance, then the last of them side by side up to `parallel_max`.
    /// Service cables go on with mains.
    pub(super) fn ladder(&self, role: CableRole, settings: &SyntheticGridSettings) -> Vec<Laid> {
        let rated_v = if role == CableRole::Mv { settings.mv_base_v } else { 0.0 };
        let mut rows: Vec<u32> = (0..self.cables.len() as u32)
            .filter(|&row| {
                let of = &self.cables[row as usize];
                let is_mine = of.role == role || (role == CableRole::LvService && of.role == CableRole::LvMain);
                is_mine && (rated_v <= 0.0 || (of.rated_v / rated_v - 1.0).abs() < 0.2)
            })
            .collect();
        let r = |row: u32| self.cables[row as usize].r_ohm_per_km;
        rows.sort_by(|&a, &b| r(b).total_cmp(&r(a)).then(a.cmp(&b)));
        let mut ladder: Vec<Laid> = rows.iter().map(|&cable| Laid { cable, parallel: 1 }).collect();
        if let Some(&cable) = rows.last() {
            ladder.extend((2..=settings.parallel_cables_max).map(|parallel| Laid { cable, parallel }));
        }
        ladder
    }
    /// The smallest transformer of a role that carries a power at a loading, or as many of the largest as it takes.
    pub(super) fn transformer(&self, role: TransformerRole, power_va: f64) -> Option<Installed> {
        let rated = |row: &u32| self.transformers[*row as usize].rated_va;
        let rows = (0..self.transformers.len() as u32).filter(|&row| self.transformers[row as usize].role == role);
        let mut rows: Vec<u32> = rows.collect();
        rows.sort_by(|a, b| rated(a).total_cmp(&rated(b)).then(a.cmp(b)));
        let fits = rows.iter().find(|row| rated(row) >= power_va);
        let one = fits.map(|&transformer| Installed { transformer, parallel: 1 });
        one.or_else(|| {
            let transformer = *rows.last()?;
            Some(Installed { transformer, parallel: (power_va / rated(&transformer)).ceil().max(1.0) as u32 })
        })
    }
    /// Series impedance in ohms.
    pub(super) fn ohm(&self, laid: Laid, length_m: f64) -> (f64, f64) {
        let of = &self.cables[laid.cable as usize];
        let km = length_m / 1000.0 / f64::from(laid.parallel);
        (of.r_ohm_per_km * km, of.x_ohm_per_km * km)
    }
    /// Susceptance of cables' capacitance at 50 Hz, siemens.
    pub(super) fn charging_s(&self, laid: Laid, length_m: f64) -> f64 {
        let of = &self.cables[laid.cable as usize];
        let farad = of.c_nf_per_km * 1e-9 * length_m / 1000.0 * f64::from(laid.parallel);
        2.0 * std::f64::consts::PI * 50.0 * farad
    }
    /// Power that cables carry at a voltage, VA.
    pub(super) fn cable_va(&self, laid: Laid, base_v: f64) -> f64 {
        3f64.sqrt() * base_v * self.cables[laid.cable as usize].rated_a * f64::from(laid.parallel)
    }
    /// A cable as a branch.
    pub(super) fn line(&self, ends: (u32, u32), laid: Laid, length_m: f64, base_v: f64, base_va: f64) -> Branch {
        let charging_s = self.charging_s(laid, length_m);
        let line = Branch::line(ends.0, ends.1, self.ohm(laid, length_m), charging_s, base_v, base_va);
        Branch { rating_va: self.cable_va(laid, base_v), ..line }
    }
    /// Transformers side by side as a branch, from the higher voltage to the lower, at a tap: steps that lower the ratio.
    pub(super) fn branch(&self, ends: (u32, u32), installed: Installed, tap: i32, base_va: f64) -> Branch {
        let of = &self.transformers[installed.transformer as usize];
        let count = f64::from(installed.parallel);
        let base = base_va / of.rated_va / count / 100.0;
        let (z, r) = (of.short_circuit_percent * base, of.short_circuit_resistive_percent * base);
        let g = of.iron_loss_w * count / base_va;
        let y = of.no_load_current_percent / 100.0 * of.rated_va * count / base_va;
        let b = -(y * y - g * g).max(0.0).sqrt();
        Branch {
            g_from_pu: 0.5 * g,
            b_from_pu: 0.5 * b,
            g_to_pu: 0.5 * g,
            b_to_pu: 0.5 * b,
            ratio: 1.0 - f64::from(tap) * of.tap_step_percent / 100.0,
            shift_rad: of.shift_deg.to_radians(),
            rating_va: of.rated_va * count,
            ..Branch::series(ends.0, ends.1, r, (z * z - r * r).max(0.0).sqrt())
        }
    }
}
