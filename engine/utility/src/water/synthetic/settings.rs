//! Settings of made-up water networks. Pressures are metres of water: 1 bar is 10.2 m.

use crate::streets::StreetSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Metres of water of a bar.
pub(super) const BAR_M: f64 = 10.197;

/// How a made-up water network is planned. Pipes and volumes of tanks are in [`super::Catalogue`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticWaterSettings {
    /// Draw of the day of highest draw over that of the mean day. DVGW W 410 (2008) has 1.4 to 2 for towns and cities,
    /// falling with their size (recalled).
    #[schemars(range(min = 1.0, max = 4.0))]
    pub peak_day_factor: f64,
    /// Pressure at the main for a house of one storey, metres: 2 bar (DVGW W 400-1, recalled).
    #[schemars(range(min = 5.0, max = 60.0))]
    pub pressure_m_min: f64,
    /// More of it for each further storey, metres: 0.5 bar (DVGW W 400-1 for new networks, recalled).
    #[schemars(range(min = 0.0, max = 10.0))]
    pub pressure_m_per_storey: f64,
    /// Storeys that the network serves by itself; taller houses lift their own water.
    #[schemars(range(min = 1, max = 20))]
    pub storeys_max: u32,
    /// Storeys of houses of which they are not known.
    #[schemars(range(min = 1, max = 20))]
    pub storeys_unknown: u32,
    /// Highest pressure at a main, at rest with tanks full, metres: 8 bar (DVGW W 400-1, DIN EN 805, recalled).
    #[schemars(range(min = 30.0, max = 160.0))]
    pub pressure_m_max: f64,
    /// Head that may be lost between a tank and the farthest main at peak, metres.
    #[schemars(range(min = 1.0, max = 30.0))]
    pub head_loss_m_max: f64,
    /// Highest difference of ground in a pressure zone, metres; less where the limits of pressure leave less.
    #[schemars(range(min = 5.0, max = 80.0))]
    pub zone_height_m_max: f64,
    /// A small piece of a zone joins the next one up or down if its ground goes no farther beyond than this, metres.
    #[schemars(range(min = 0.0, max = 15.0))]
    pub zone_overlap_m: f64,
    /// Pieces of zones with less main than this are small, metres.
    #[schemars(range(min = 0.0))]
    pub zone_main_m_min: f64,
    /// Depth of water in tanks, metres.
    #[schemars(range(min = 1.0, max = 12.0))]
    pub tank_depth_m: f64,
    /// A zone that is pumped to has a tank from this mean draw on, m3 a day; smaller ones have pumps
    /// of a flat curve that always run.
    #[schemars(range(min = 0.0))]
    pub tank_m3pd_min: f64,
    /// Longest main from a zone to a tank on higher ground, metres; without such ground the tank stands on a tower.
    #[schemars(range(min = 0.0, max = 20000.0))]
    pub tank_main_m_max: f64,
    /// Hours in which pumps lift the draw of a day of highest draw.
    #[schemars(range(min = 4.0, max = 24.0))]
    pub pumping_hours: f64,
    /// Pumps of a station that run at its design flow; one more stands by.
    #[schemars(range(min = 1, max = 8))]
    pub duty_pumps: u32,
    /// Efficiency of pumps with their motors, share.
    #[schemars(range(min = 0.1, max = 0.95))]
    pub pump_efficiency: f64,
    /// Flow for fighting a fire, m3 an hour: 48 or 96 (DVGW W 405 by use and height of houses, recalled).
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub fire_m3ph: f64,
    /// Hours for which it is kept in each tank: 2 (DVGW W 405, recalled).
    #[schemars(range(min = 0.0, max = 24.0))]
    pub fire_hours: f64,
    /// Pressure that is left at a hydrant meanwhile, metres: 1.5 bar (DVGW W 405, recalled).
    #[schemars(range(min = 0.0, max = 50.0))]
    pub fire_pressure_m_min: f64,
    /// Hydrants at which fires are tried out, the worst ones, over all zones.
    #[schemars(range(min = 0, max = 200))]
    pub fire_hydrants: u32,
    /// A stretch of street without customers carries a main that only closes a loop if it is no longer than this, metres.
    #[schemars(range(min = 0.0))]
    pub closing_m_max: f64,
    /// Service pipes meet the main at joints; those within this distance along a street share one, metres.
    #[schemars(range(min = 0.0, max = 200.0))]
    pub joint_spacing_m: f64,
    /// Connected streets of less total length carry no mains, unless they are all there is, metres.
    #[schemars(range(min = 0.0))]
    pub fragment_m_max: f64,
    /// Stretches of streets that do not meet are joined by a straight main up to this length, metres; beyond it they
    /// get waterworks of their own.
    #[schemars(range(min = 0.0))]
    pub joining_m_max: f64,
}

impl Default for SyntheticWaterSettings {
    fn default() -> Self {
        Self {
            peak_day_factor: 1.5,
            pressure_m_min: 2.0 * BAR_M,
            pressure_m_per_storey: 0.5 * BAR_M,
            storeys_max: 3,
            storeys_unknown: 3,
            pressure_m_max: 8.0 * BAR_M,
            head_loss_m_max: 6.0,
            zone_height_m_max: 45.0,
            zone_overlap_m: 4.0,
            zone_main_m_min: 1500.0,
            tank_depth_m: 4.0,
            tank_m3pd_min: 100.0,
            tank_main_m_max: 1500.0,
            pumping_hours: 20.0,
            duty_pumps: 2,
            pump_efficiency: 0.7,
            fire_m3ph: 96.0,
            fire_hours: 2.0,
            fire_pressure_m_min: 1.5 * BAR_M,
            fire_hydrants: 16,
            closing_m_max: 400.0,
            joint_spacing_m: 20.0,
            fragment_m_max: 200.0,
            joining_m_max: 1000.0,
        }
    }
}

impl SyntheticWaterSettings {
    /// Pressure wanted at the main of a house, metres.
    #[must_use]
    pub fn required_m(&self, floors: Option<f64>) -> f64 {
        let unknown = f64::from(self.storeys_unknown);
        let floors = floors.filter(|floors| floors.is_finite() && *floors > 0.0).unwrap_or(unknown);
        let storeys = floors.ceil().clamp(1.0, f64::from(self.storeys_max));
        self.pressure_m_min + (storeys - 1.0) * self.pressure_m_per_storey
    }
    /// Highest pressure wanted anywhere, metres.
    fn required_m_max(&self) -> f64 {
        self.required_m(Some(f64::from(self.storeys_max)))
    }
    /// Height of ground that one zone can span within its limits of pressure, metres.
    pub(super) fn band_m(&self) -> f64 {
        let left_m = self.pressure_m_max
            - self.required_m_max()
            - self.head_loss_m_max
            - self.tank_depth_m
            - 2.0 * self.zone_overlap_m;
        left_m.min(self.zone_height_m_max)
    }
    /// Flow for a fire, m3/s.
    pub(super) fn fire_m3ps(&self) -> f64 {
        self.fire_m3ph / 3600.0
    }
    /// What of the streets counts.
    pub(super) fn streets(&self) -> StreetSettings {
        let Self { joint_spacing_m, fragment_m_max, joining_m_max, .. } = *self;
        StreetSettings { joint_spacing_m, fragment_m_max, joining_m_max }
    }
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let mut in_range = |field: &str, value: f64, from: f64, to: f64| {
            if !(from..=to).contains(&value) {
                tell(field, format!("= {value}, expected {from} to {to}"));
            }
        };
        in_range("peak_day_factor", self.peak_day_factor, 1.0, 4.0);
        in_range("pressure_m_min", self.pressure_m_min, 5.0, 60.0);
        in_range("pressure_m_per_storey", self.pressure_m_per_storey, 0.0, 10.0);
        in_range("storeys_max", f64::from(self.storeys_max), 1.0, 20.0);
        in_range("storeys_unknown", f64::from(self.storeys_unknown), 1.0, 20.0);
        in_range("pressure_m_max", self.pressure_m_max, 30.0, 160.0);
        in_range("head_loss_m_max", self.head_loss_m_max, 1.0, 30.0);
        in_range("zone_height_m_max", self.zone_height_m_max, 5.0, 80.0);
        in_range("zone_overlap_m", self.zone_overlap_m, 0.0, 15.0);
        in_range("tank_depth_m", self.tank_depth_m, 1.0, 12.0);
        in_range("tank_main_m_max", self.tank_main_m_max, 0.0, 20_000.0);
        in_range("pumping_hours", self.pumping_hours, 4.0, 24.0);
        in_range("duty_pumps", f64::from(self.duty_pumps), 1.0, 8.0);
        in_range("pump_efficiency", self.pump_efficiency, 0.1, 0.95);
        in_range("fire_m3ph", self.fire_m3ph, 0.0, 1000.0);
        in_range("fire_hours", self.fire_hours, 0.0, 24.0);
        in_range("fire_pressure_m_min", self.fire_pressure_m_min, 0.0, 50.0);
        in_range("fire_hydrants", f64::from(self.fire_hydrants), 0.0, 200.0);
        in_range("joint_spacing_m", self.joint_spacing_m, 0.0, 200.0);
        for (field, value) in [
            ("zone_main_m_min", self.zone_main_m_min),
            ("tank_m3pd_min", self.tank_m3pd_min),
            ("closing_m_max", self.closing_m_max),
            ("fragment_m_max", self.fragment_m_max),
            ("joining_m_max", self.joining_m_max),
        ] {
            in_range(field, value, 0.0, f64::INFINITY);
        }
        let band_m = self.band_m();
        if band_m.is_nan() || band_m < 5.0 {
            let what = format!(
                "leaves {band_m} m of ground for a zone, expected at least 5: pressure_m_max less the pressure of \
                 storeys_max, head_loss_m_max, tank_depth_m and twice zone_overlap_m"
            );
            tell("pressure_m_max", what);
        }
    }
}
