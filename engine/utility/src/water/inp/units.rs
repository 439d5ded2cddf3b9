//! Units of an INP file. A flow unit says whether lengths are feet and inches or metres and millimetres. Factors are
//! EPANET's own, given per cubic foot per second and per foot of head, so that a network is the same network there; from
//! there to SI a foot is 0.3048 m exactly.

use super::text::which;

/// Metres of a foot.
pub(super) const FOOT_M: f64 = 0.3048;
/// Psi of a foot of water.
const PSI_PER_FOOT: f64 = 0.4333;
/// Kilopascals of a psi.
const KPA_PER_PSI: f64 = 6.895;
/// Kilowatts of a horsepower.
const KW_PER_HP: f64 = 0.7457;

/// Units of flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowUnit {
    /// Cubic feet per second.
    Cfs,
    /// US gallons per minute.
    #[default]
    Gpm,
    /// Millions of US gallons per day.
    Mgd,
    /// Millions of imperial gallons per day.
    Imgd,
    /// Acre-feet per day.
    Afd,
    /// Litres per second.
    Lps,
    /// Litres per minute.
    Lpm,
    /// Megalitres per day.
    Mld,
    /// Cubic metres per hour.
    Cmh,
    /// Cubic metres per day.
    Cmd,
    /// Cubic metres per second (EPANET 2.3).
    Cms,
}

impl FlowUnit {
    /// By its name; `SI` is litres per second.
    pub(super) fn named(word: &str) -> Option<Self> {
        let names = [
            ("CFS", Self::Cfs),
            ("GPM", Self::Gpm),
            ("AFD", Self::Afd),
            ("MGD", Self::Mgd),
            ("IMGD", Self::Imgd),
            ("LPS", Self::Lps),
            ("LPM", Self::Lpm),
            ("CMH", Self::Cmh),
            ("CMD", Self::Cmd),
            ("MLD", Self::Mld),
            ("CMS", Self::Cms),
            ("SI", Self::Lps),
        ];
        which(word, &names)
    }
    /// Whether lengths are feet.
    #[must_use]
    pub fn is_us(self) -> bool {
        matches!(self, Self::Cfs | Self::Gpm | Self::Mgd | Self::Imgd | Self::Afd)
    }
    /// How much of it a cubic foot per second is.
    #[must_use]
    pub fn per_cfs(self) -> f64 {
        match self {
            Self::Cfs => 1.0,
            Self::Gpm => 448.831,
            Self::Mgd => 0.64632,
            Self::Imgd => 0.5382,
            Self::Afd => 1.9837,
            Self::Lps => 28.317,
            Self::Lpm => 1699.0,
            Self::Mld => 2.4466,
            Self::Cmh => 101.94,
            Self::Cmd => 2446.6,
            Self::Cms => 0.028_317,
        }
    }
    /// m3/s of one of it.
    #[must_use]
    pub fn m3ps(self) -> f64 {
        FOOT_M * FOOT_M * FOOT_M / self.per_cfs()
    }
}

/// Units of pressure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PressureUnit {
    #[default]
    Psi,
    Kpa,
    Metres,
}

/// SI of one of each unit of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) flow_m3ps: f64,
    pub(super) length_m: f64,
    pub(super) diameter_m: f64,
    pub(super) volume_m3: f64,
    /// Head of a unit of pressure.
    pub(super) pressure_m: f64,
    pub(super) power_w: f64,
    /// Concentration of a chemical, kg/m3.
    pub(super) chemical_kgpm3: f64,
}

impl Units {
    /// In US units pressures are psi whatever the file says; in metric ones psi means metres.
    pub(super) fn new(flow: FlowUnit, pressure: PressureUnit, specific_gravity: f64, chemical_kgpm3: f64) -> Self {
        let length_m = if flow.is_us() { FOOT_M } else { 1.0 };
        let per_foot = match (flow.is_us(), pressure) {
            (true, _) => PSI_PER_FOOT,
            (false, PressureUnit::Kpa) => KPA_PER_PSI * PSI_PER_FOOT,
            (false, _) => FOOT_M,
        };
        Self {
            flow_m3ps: flow.m3ps(),
            length_m,
            diameter_m: if flow.is_us() { FOOT_M / 12.0 } else { 1e-3 },
            volume_m3: length_m * length_m * length_m,
            pressure_m: FOOT_M / (per_foot * specific_gravity),
            power_w: if flow.is_us() { 1e3 * KW_PER_HP } else { 1e3 },
            chemical_kgpm3,
        }
    }
    /// Metres of a unit of roughness in the formula of Darcy and Weisbach: thousandths of a foot, or millimetres.
    pub(super) fn roughness_m(&self) -> f64 {
        1e-3 * self.length_m
    }
    /// kg of a unit of mass: milligrams, or micrograms.
    pub(super) fn mass_kg(&self) -> f64 {
        1e-3 * self.chemical_kgpm3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epanets_factors_are_close_to_exact_ones() {
        let exact = [
            (FlowUnit::Cfs, 0.028_316_846_592),
            (FlowUnit::Gpm, 3.785_411_784e-3 / 60.0),
            (FlowUnit::Mgd, 3_785.411_784 / 86_400.0),
            (FlowUnit::Imgd, 4_546.09 / 86_400.0),
            (FlowUnit::Afd, 1_233.481_837_547_52 / 86_400.0),
            (FlowUnit::Lps, 1e-3),
            (FlowUnit::Lpm, 1e-3 / 60.0),
            (FlowUnit::Mld, 1e3 / 86_400.0),
            (FlowUnit::Cmh, 1.0 / 3_600.0),
            (FlowUnit::Cmd, 1.0 / 86_400.0),
            (FlowUnit::Cms, 1.0),
        ];
        for (unit, m3ps) in exact {
            assert!((unit.m3ps() / m3ps - 1.0).abs() < 1.2e-4, "{unit:?}: {} against {m3ps}", unit.m3ps());
        }
    }
}
