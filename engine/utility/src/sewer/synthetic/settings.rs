//! Settings of synthetic sewers.

use crate::streets::StreetSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a sewer carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SewerKind {
    /// Sewage and rain in one pipe, with a basin and an overflow before the treatment plant.
    #[default]
    Combined,
    /// Rain alone; sewage leaves by a sewer of its own that is not made.
    Storm,
    /// Sewage alone; rain runs off elsewhere.
    Sanitary,
}

/// How water is routed in a synthetic sewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// Kinematic waves: no backwater, no pressure, long steps.
    #[default]
    Kinematic,
    /// The whole Saint-Venant equations: backwater and pressure, in steps of seconds.
    Dynamic,
}

/// How a synthetic sewer is planned. Numbers without another source are recalled from German practice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticSewerSettings {
    /// What it carries.
    pub kind: SewerKind,
    /// How water is routed.
    pub routing: Routing,
    /// Rain of 15 minutes that comes once a year, l/(s ha): 100 to 130 in most of Germany (recalled from KOSTRA-DWD);
    /// more in the south of Europe.
    #[schemars(range(min = 20.0, max = 600.0))]
    pub rain_r15_lps_ha: f64,
    /// Return period of the design storm, years: 2 for homes to 5 for city centres (DIN EN 752 and DWA-A 118, recalled).
    #[schemars(range(min = 0.5, max = 100.0))]
    pub return_period_y: f64,
    /// Shortest duration of the design rain, minutes: 5 where it is steep and sealed, 10 or 15 elsewhere (DWA-A 118,
    /// recalled).
    #[schemars(range(min = 5.0, max = 60.0))]
    pub duration_min_min: f64,
    /// Width of a street with its pavements, metres; estimate.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub street_width_m: f64,
    /// Share of a street that is sealed; estimate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub street_sealed_share: f64,
    /// Share of a plot that its building covers: what German plans allow in residential areas (BauNVO section 17).
    #[schemars(range(min = 0.05, max = 1.0))]
    pub built_share: f64,
    /// Share of the rest of a plot that is sealed; estimate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub yard_sealed_share: f64,
    /// Floors of a building that does not say; estimate.
    #[schemars(range(min = 1.0, max = 50.0))]
    pub floors: f64,
    /// Share of the design rain that runs off sealed ground at the peak.
    #[schemars(range(min = 0.1, max = 1.0))]
    pub runoff_share: f64,
    /// Earth above a sewer, metres: below frost and other pipes.
    #[schemars(range(min = 0.3, max = 5.0))]
    pub cover_m_min: f64,
    /// Depth of a bottom below the street beyond which water is pumped up, metres.
    #[schemars(range(min = 2.5, max = 30.0))]
    pub depth_m_max: f64,
    /// Manning's n, s/m^(1/3): concrete in service.
    #[schemars(range(min = 0.008, max = 0.05))]
    pub roughness: f64,
    /// Share of what a full pipe carries that the design flow may take (DWA-A 118: 0.9, recalled).
    #[schemars(range(min = 0.3, max = 1.0))]
    pub filled_share_max: f64,
    /// Smallest pipe, mm of diameter.
    #[schemars(range(min = 150, max = 1000))]
    pub dn_mm_min: u32,
    /// Least slope of large pipes; smaller ones have no less than 1 over their diameter in mm, a rule of thumb against
    /// deposits.
    #[schemars(range(min = 0.0001, max = 0.02))]
    pub slope_min: f64,
    /// Peak of sewage over its mean.
    #[schemars(range(min = 1.0, max = 10.0))]
    pub sewage_peak_factor: f64,
    /// What the treatment plant takes over the mean sewage; the rest goes into the basin and over its weir.
    #[schemars(range(min = 1.0, max = 20.0))]
    pub plant_factor: f64,
    /// Rain that the plant takes at least, l/s for each sealed hectare (DWA-A 128: 0.7 to 1.2, recalled).
    #[schemars(range(min = 0.0, max = 10.0))]
    pub plant_rain_lps_ha: f64,
    /// Basin before the plant, m3 for each sealed hectare (DWA-A 128: 20 to 30 are usual, recalled).
    #[schemars(range(min = 1.0, max = 200.0))]
    pub basin_m3_per_ha: f64,
    /// Detour that is taken for a metre less of climb, metres.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub detour_m_per_m: f64,
    /// Manholes along a street are at least so far apart, metres, but at crossings.
    #[schemars(range(min = 0.0, max = 200.0))]
    pub manhole_spacing_m: f64,
    /// Connected streets of less total length have no sewer, unless they are all there is, metres.
    #[schemars(range(min = 0.0))]
    pub fragment_m_max: f64,
    /// Stretches of streets that do not meet are joined by a straight pipe up to this length, metres; beyond it they have
    /// an outfall of their own.
    #[schemars(range(min = 0.0))]
    pub joining_m_max: f64,
    /// Whether water that comes up stands on the street until the sewer takes it again; otherwise it is gone.
    pub ponds: bool,
}

impl Default for SyntheticSewerSettings {
    fn default() -> Self {
        Self {
            kind: SewerKind::Combined,
            routing: Routing::Kinematic,
            rain_r15_lps_ha: 110.0,
            return_period_y: 3.0,
            duration_min_min: 10.0,
            street_width_m: 10.0,
            street_sealed_share: 0.9,
            built_share: 0.4,
            yard_sealed_share: 0.2,
            floors: 3.0,
            runoff_share: 0.9,
            cover_m_min: 1.5,
            depth_m_max: 7.0,
            roughness: 0.013,
            filled_share_max: 0.9,
            dn_mm_min: 300,
            slope_min: 0.0005,
            sewage_peak_factor: 2.0,
            plant_factor: 3.0,
            plant_rain_lps_ha: 1.0,
            basin_m3_per_ha: 25.0,
            detour_m_per_m: 50.0,
            manhole_spacing_m: 50.0,
            fragment_m_max: 200.0,
            joining_m_max: 1000.0,
            ponds: true,
        }
    }
}

impl SyntheticSewerSettings {
    /// What of the streets counts.
    pub(crate) fn streets(&self) -> StreetSettings {
        let Self { manhole_spacing_m, fragment_m_max, joining_m_max, .. } = *self;
        StreetSettings { joint_spacing_m: manhole_spacing_m, fragment_m_max, joining_m_max }
    }
    /// Whether rain comes into it.
    #[must_use]
    pub fn has_rain(&self) -> bool {
        self.kind != SewerKind::Sanitary
    }
    /// Whether sewage does.
    #[must_use]
    pub fn has_sewage(&self) -> bool {
        self.kind != SewerKind::Storm
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let mut in_range = |key: &str, value: f64, from: f64, to: f64| {
            if !(from..=to).contains(&value) {
                tell(key, format!("= {value}, expected {from} to {to}"));
            }
        };
        in_range("rain_r15_lps_ha", self.rain_r15_lps_ha, 20.0, 600.0);
        in_range("return_period_y", self.return_period_y, 0.5, 100.0);
        in_range("duration_min_min", self.duration_min_min, 5.0, 60.0);
        in_range("street_width_m", self.street_width_m, 0.0, 100.0);
        in_range("street_sealed_share", self.street_sealed_share, 0.0, 1.0);
        in_range("built_share", self.built_share, 0.05, 1.0);
        in_range("yard_sealed_share", self.yard_sealed_share, 0.0, 1.0);
        in_range("floors", self.floors, 1.0, 50.0);
        in_range("runoff_share", self.runoff_share, 0.1, 1.0);
        in_range("cover_m_min", self.cover_m_min, 0.3, 5.0);
        in_range("depth_m_max", self.depth_m_max, 2.5, 30.0);
        in_range("roughness", self.roughness, 0.008, 0.05);
        in_range("filled_share_max", self.filled_share_max, 0.3, 1.0);
        in_range("dn_mm_min", f64::from(self.dn_mm_min), 150.0, 1000.0);
        in_range("slope_min", self.slope_min, 0.0001, 0.02);
        in_range("sewage_peak_factor", self.sewage_peak_factor, 1.0, 10.0);
        in_range("plant_factor", self.plant_factor, 1.0, 20.0);
        in_range("plant_rain_lps_ha", self.plant_rain_lps_ha, 0.0, 10.0);
        in_range("basin_m3_per_ha", self.basin_m3_per_ha, 1.0, 200.0);
        in_range("detour_m_per_m", self.detour_m_per_m, 0.0, 1000.0);
        in_range("manhole_spacing_m", self.manhole_spacing_m, 0.0, 200.0);
        in_range("fragment_m_max", self.fragment_m_max, 0.0, f64::INFINITY);
        in_range("joining_m_max", self.joining_m_max, 0.0, f64::INFINITY);
        let least = self.cover_m_min + 0.5;
        if self.depth_m_max <= least {
            tell("depth_m_max", format!("= {}, expected more than cover_m_min + 0.5 = {least}", self.depth_m_max));
        }
    }
}
