//! Units of SWMM's input files, and the thresholds that SWMM states in feet.
//!
//! A file is in US or SI units as its `FLOW_UNITS` says; the network is in SI units.

/// A foot, m.
pub const FOOT_M: f64 = 0.3048;
/// SWMM's gravity, 32.2 ft/s2, m/s2.
pub const GRAVITY_MPS2: f64 = 32.2 * FOOT_M;
/// SWMM's factor of Manning's equation, 1.486 ft^(1/3)/s, in m^(1/3)/s: 1 but for rounding.
pub const MANNING: f64 = 1.486 * CUBE_ROOT_OF_FOOT;
/// SWMM's factor of Manning's equation for overland flow, 1.49 ft^(1/3)/s, in m^(1/3)/s.
pub const MANNING_OVERLAND: f64 = 1.49 * CUBE_ROOT_OF_FOOT;
const CUBE_ROOT_OF_FOOT: f64 = 0.672_956_663_904_391_5;
/// A depth taken as none, m: SWMM's 1e-4 ft.
pub const DRY_DEPTH_M: f64 = 1e-4 * FOOT_M;
/// An area taken as none, m2.
pub const DRY_AREA_M2: f64 = 1e-4 * FOOT_M * FOOT_M;
/// A cubic foot, m3.
pub const FOOT3_M3: f64 = FOOT_M * FOOT_M * FOOT_M;
/// A flow taken as none, m3/s.
pub const DRY_FLOW_M3PS: f64 = 1e-4 * FOOT3_M3;
/// A volume taken as none, m3.
pub const DRY_VOLUME_M3: f64 = 1e-4 * FOOT3_M3;

/// Units of flow of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowUnits {
    /// Cubic feet per second.
    #[default]
    Cfs,
    /// US gallons per minute.
    Gpm,
    /// Million US gallons per day.
    Mgd,
    /// Cubic metres per second.
    Cms,
    /// Litres per second.
    Lps,
    /// Million litres per day.
    Mld,
}

impl FlowUnits {
    /// By name in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Cfs, Self::Gpm, Self::Mgd, Self::Cms, Self::Lps, Self::Mld];
        all.into_iter().find(|units| units.name().eq_ignore_ascii_case(name))
    }
    /// Name as files have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cfs => "CFS",
            Self::Gpm => "GPM",
            Self::Mgd => "MGD",
            Self::Cms => "CMS",
            Self::Lps => "LPS",
            Self::Mld => "MLD",
        }
    }
    /// Whether lengths are metres; otherwise they are feet.
    #[must_use]
    pub fn is_metric(self) -> bool {
        matches!(self, Self::Cms | Self::Lps | Self::Mld)
    }
    /// One unit of flow, m3/s. Gallons and litres by SWMM's own factors, such as 448.831 GPM to the CFS.
    #[must_use]
    pub fn flow_m3ps(self) -> f64 {
        match self {
            Self::Cfs => FOOT3_M3,
            Self::Gpm => FOOT3_M3 / 448.831,
            Self::Mgd => FOOT3_M3 / 0.646_32,
            Self::Cms => 1.0,
            Self::Lps => 1e-3,
            Self::Mld => 1e3 / 86_400.0,
        }
    }
    /// One unit of length, m.
    #[must_use]
    pub fn length_m(self) -> f64 {
        if self.is_metric() { 1.0 } else { FOOT_M }
    }
    /// One unit of land, hectare or acre, m2.
    #[must_use]
    pub fn land_m2(self) -> f64 {
        if self.is_metric() { 1e4 } else { 43_560.0 * FOOT_M * FOOT_M }
    }
    /// One unit of rain depth, mm or inch, m.
    #[must_use]
    pub fn rain_m(self) -> f64 {
        if self.is_metric() { 1e-3 } else { 0.0254 }
    }
    /// One unit of rain intensity, mm/h or inch/h, m/s.
    #[must_use]
    pub fn rain_mps(self) -> f64 {
        self.rain_m() / 3600.0
    }
}
