//! Measures on buildings: devices, chargers, better walls, in a share of the buildings of an area, on top of what the
//! settings of the city say.
//!
//! A measure says what share of the buildings in its area has something. Who has it is told by the draw that the settings
//! use too (by building, device and seed, never by the measure), so a larger share keeps those of a smaller one, a share
//! up to that of the settings changes nothing, and of several measures on one building the largest share counts. Better
//! walls have a draw of their own; of several the one that saves most counts.
//!
//! What was there before the measures stays: networks that are made up are sized for the city without them. Contract: a
//! function of measures, building and seed; no threads.

use crate::power::devices::settings::ChargerControl;
use crate::water::measures::WaterMeasures;
use bevy_ecs::resource::Resource;
use urbis_core::rng::Rng;

/// Purpose of the draw of better walls.
const RETROFIT: u32 = 0x7265_7466;

/// Purpose of the draw of who joins district heat.
const DISTRICT_HEAT: u32 = 0x6469_7374;

/// A share of the buildings in an area.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareOf {
    /// Share, 0 to 1.
    pub share: f64,
    /// By building: whether it is in the area.
    pub at: Vec<bool>,
}

impl ShareOf {
    /// The share at a building: 0 out of the area.
    #[must_use]
    pub fn at(&self, building: usize) -> f64 {
        if self.at.get(building).copied().unwrap_or(false) { self.share } else { 0.0 }
    }
    /// Whether it holds for nobody.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.share <= 0.0 || !self.at.contains(&true)
    }
}

/// Photovoltaics on roofs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PvMeasure {
    /// Who.
    pub of: ShareOf,
    /// Rating of the modules, W/m2; that of the settings where absent.
    pub module_w_per_m2: Option<f64>,
}

/// Batteries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatteryMeasure {
    /// Who.
    pub of: ShareOf,
    /// Energy for each dwelling, kWh; that of the settings where absent.
    pub kwh_per_dwelling: Option<f64>,
    /// Energy for the floor area of others, Wh/m2; that of the settings where absent.
    pub wh_per_m2: Option<f64>,
    /// Whether only buildings with photovoltaics get one.
    pub is_only_with_pv: bool,
}

/// When cars are charged in buildings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlMeasure {
    /// Who.
    pub of: ShareOf,
    /// How.
    pub control: ChargerControl,
}

/// Better walls, roofs and windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetrofitMeasure {
    /// Who.
    pub of: ShareOf,
    /// Saved of the heat that rooms need, 0 to 1.
    pub saving: f64,
}

/// All measures of a run; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Resource)]
pub struct Measures {
    /// Photovoltaics.
    pub pv: Vec<PvMeasure>,
    /// Batteries.
    pub batteries: Vec<BatteryMeasure>,
    /// Heat pumps, which take the place of other heating.
    pub heat_pumps: Vec<ShareOf>,
    /// District heat laid to more buildings.
    pub district_heat: Vec<ShareOf>,
    /// Buildings with chargers.
    pub chargers: Vec<ShareOf>,
    /// When cars are charged.
    pub controls: Vec<ControlMeasure>,
    /// Better walls.
    pub retrofits: Vec<RetrofitMeasure>,
    /// Water.
    pub water: WaterMeasures,
    /// Seed of the draws that only measures have.
    pub seed: u64,
}

/// The largest share at a building.
#[must_use]
pub fn largest<'a>(measures: impl IntoIterator<Item = &'a ShareOf>, building: usize) -> f64 {
    measures.into_iter().map(|of| of.at(building)).fold(0.0, f64::max)
}

impl Measures {
    /// Whether there are any.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.have_devices()
            && self.controls.is_empty()
            && self.district_heat.is_empty()
            && self.retrofits.is_empty()
            && self.water.is_none()
    }
    /// Whether buildings get devices by them.
    #[must_use]
    pub fn have_devices(&self) -> bool {
        !(self.pv.is_empty() && self.batteries.is_empty() && self.heat_pumps.is_empty() && self.chargers.is_empty())
    }
    /// By building, whether it is to join district heat; empty where none is laid to more buildings.
    #[must_use]
    pub fn joins_district_heat(&self, buildings: usize) -> Vec<bool> {
        if self.district_heat.is_empty() {
            return Vec::new();
        }
        let joins = |row: usize| {
            Rng::new(self.seed, row as u32, 0, DISTRICT_HEAT).uniform() < largest(&self.district_heat, row)
        };
        (0..buildings).map(joins).collect()
    }
    /// By building, what is left of the heat that its rooms need; empty where nothing is saved.
    #[must_use]
    pub fn heat_left(&self, buildings: usize) -> Vec<f64> {
        if self.retrofits.is_empty() {
            return Vec::new();
        }
        let left = |row: usize| {
            let uniform = Rng::new(self.seed, row as u32, 0, RETROFIT).uniform();
            let has = self.retrofits.iter().filter(|measure| uniform < measure.of.at(row));
            1.0 - has.map(|measure| measure.saving).fold(0.0, f64::max)
        };
        (0..buildings).map(left).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_nested_and_the_best_counts() {
        let rows = 20_000;
        let everywhere = |share| ShareOf { share, at: vec![true; rows] };
        let of = |list: &[(f64, f64)]| {
            let retrofit = |&(share, saving): &(f64, f64)| RetrofitMeasure { of: everywhere(share), saving };
            Measures { retrofits: list.iter().map(retrofit).collect(), seed: 3, ..Measures::default() }.heat_left(rows)
        };
        let (some, more, both) = (of(&[(0.2, 0.5)]), of(&[(0.3, 0.5)]), of(&[(0.2, 0.5), (0.3, 0.25)]));
        let mean = |left: &[f64]| left.iter().sum::<f64>() / rows as f64;
        assert!((mean(&some) - 0.9).abs() < 0.005 && (mean(&more) - 0.85).abs() < 0.005);
        assert!((mean(&both) - (1.0 - 0.2 * 0.5 - 0.1 * 0.25)).abs() < 0.005);
        assert!(some.iter().zip(&more).all(|(some, more)| more <= some));
        assert!(of(&[]).is_empty() && Measures::default().is_none());
        let half = ShareOf { share: 0.4, at: vec![true, false] };
        assert!((largest([&half, &everywhere(0.3)], 0) - 0.4).abs() < 1e-12);
        assert!((largest([&half, &everywhere(0.3)], 1) - 0.3).abs() < 1e-12);
        assert!(ShareOf { share: 1.0, at: vec![false] }.is_none());
    }
}
