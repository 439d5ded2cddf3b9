//! Policies on buildings and on the cars of who lives there, made ready for the domains that they change.
//!
//! They are put on after the groundwork and after networks were made up, so a run with them stands on the same people,
//! pipes and cables as one without.

use std::borrow::Cow;
use urbis_city::model::{BuildingUse, City};
use urbis_core::{Problems, Result};
use urbis_coupling::Bills;
use urbis_coupling::policy::area::InArea;
use urbis_coupling::policy::{BuildingKind, Policy, PolicyKind};
use urbis_population::{Place, Places};
use urbis_scenario::Loaded;
use urbis_utility::PowerSettings;
use urbis_utility::measures::{BatteryMeasure, ControlMeasure, Measures, PvMeasure, RetrofitMeasure, ShareOf};
use urbis_utility::power::devices::tariff::TariffSettings;
use urbis_utility::water::city::CityWater;
use urbis_utility::water::measures::{WaterMeasure, price_factor};

/// Policies that stand for the whole run, with their rows and areas.
fn standing<'a>(loaded: &'a Loaded, areas: &'a [InArea]) -> impl Iterator<Item = (usize, &'a Policy, &'a InArea)> + 'a {
    let all = loaded.scenario.policy.iter().zip(areas).enumerate();
    all.filter(|(_, (policy, _))| policy.kind.is_built() && loaded.policy_stands(policy) == Some(true))
        .map(|(row, (policy, area))| (row, policy, area))
}

/// Buildings of an area that have one of these uses; all of it where none is named.
fn of_uses(city: &City, area: &InArea, uses: &[BuildingKind]) -> Vec<bool> {
    let is_of = |of: &BuildingUse| uses.is_empty() || uses.iter().any(|kind| kind.purpose() == *of);
    area.buildings.iter().zip(&city.buildings.purpose).map(|(&is_in, of)| is_in && is_of(of)).collect()
}

/// What policies do to buildings.
///
/// # Errors
/// Areas without a building that a policy holds for.
pub(crate) fn measures(loaded: &Loaded, city: &City, areas: &[InArea], seed: u64) -> Result<Measures> {
    let mut problems = Problems::new();
    let mut measures = Measures { seed, ..Measures::default() };
    for (row, policy, area) in standing(loaded, areas) {
        let purpose = &city.buildings.purpose;
        let mut of = |share: f64, uses: &[BuildingKind]| {
            let at = of_uses(city, area, uses);
            if !area.buildings.contains(&true) {
                problems.push(loaded.policy_problem(row, "area", "no building lies in it; areas of links have none"));
            } else if !at.contains(&true) {
                problems.push(loaded.policy_problem(row, "uses", "no building of the area has such a use"));
            }
            ShareOf { share, at }
        };
        match &policy.kind {
            PolicyKind::RooftopPv { share, uses, module_w_per_m2 } => {
                measures.pv.push(PvMeasure { of: of(*share, uses), module_w_per_m2: *module_w_per_m2 });
            }
            PolicyKind::Battery { share, uses, kwh_per_dwelling, wh_per_m2, only_with_pv } => {
                measures.batteries.push(BatteryMeasure {
                    of: of(*share, uses),
                    kwh_per_dwelling: *kwh_per_dwelling,
                    wh_per_m2: *wh_per_m2,
                    is_only_with_pv: *only_with_pv,
                });
            }
            PolicyKind::HeatPumps { share, uses } => measures.heat_pumps.push(of(*share, uses)),
            PolicyKind::DistrictHeat { share, uses } => measures.district_heat.push(of(*share, uses)),
            PolicyKind::Retrofit { share, uses, saving } => {
                measures.retrofits.push(RetrofitMeasure { of: of(*share, uses), saving: *saving });
            }
            PolicyKind::EvShare { chargers, .. } => {
                for (share, uses) in chargers.by_uses() {
                    let at = of(share, &[]).at;
                    let is_so = |(building, is_in): (usize, bool)| is_in && uses.contains(&purpose[building]);
                    measures.chargers.push(ShareOf { share, at: at.into_iter().enumerate().map(is_so).collect() });
                }
            }
            PolicyKind::LeakReduction { factor } if *factor < 1.0 => {
                measures.water.leaks_left.push(WaterMeasure { value: *factor, at: of_water(policy, area) });
            }
            PolicyKind::PressureManagement { lower_m } if *lower_m > 0.0 => {
                measures.water.lower_m.push(WaterMeasure { value: *lower_m, at: of_water(policy, area) });
            }
            PolicyKind::WaterTariff { price_change, elasticity, uses } => {
                let (value, ShareOf { at, .. }) = (price_factor(*price_change, *elasticity), of(1.0, uses));
                if (value - 1.0).abs() > 0.0 {
                    measures.water.draws.push(WaterMeasure { value, at });
                }
            }
            PolicyKind::SmartCharging { control, share } => {
                measures.controls.push(ControlMeasure { of: of(*share, &[]), control: *control });
            }
            _ => {}
        }
    }
    measures.pv.retain(|measure| !measure.of.is_none());
    measures.batteries.retain(|measure| !measure.of.is_none());
    measures.heat_pumps.retain(|of| !of.is_none());
    measures.district_heat.retain(|of| !of.is_none());
    measures.chargers.retain(|of| !of.is_none());
    measures.controls.retain(|measure| !measure.of.is_none());
    measures.retrofits.retain(|measure| !measure.of.is_none() && measure.saving > 0.0);
    problems.or_else(measures)
}

/// Buildings whose junctions a policy holds for; empty for the whole network.
fn of_water(policy: &Policy, area: &InArea) -> Vec<bool> {
    if policy.area.is_none() { Vec::new() } else { area.buildings.clone() }
}

/// Whether the water network has what policies on it change.
///
/// # Errors
/// Policies without a leak or a reducing valve in their area.
pub(crate) fn check_water(loaded: &Loaded, areas: &[InArea], water: Option<&CityWater>) -> Result<()> {
    let mut problems = Problems::new();
    let Some(water) = water else { return problems.or_else(()) };
    for (row, policy, area) in standing(loaded, areas) {
        let measure = WaterMeasure { value: 0.0, at: of_water(policy, area) };
        let is_listed = policy.area.is_some() && !area.buildings.contains(&true);
        match policy.kind {
            PolicyKind::LeakReduction { .. } | PolicyKind::PressureManagement { .. } if is_listed => {
                problems.push(loaded.policy_problem(row, "area", "no building lies in it; areas of links have none"));
            }
            PolicyKind::LeakReduction { factor } if factor > 0.0 && !water.leaks(&measure) => {
                problems.push(loaded.policy_problem(
                    row,
                    "kind",
                    "no junction of its area leaks, so nothing would change",
                ));
            }
            PolicyKind::PressureManagement { .. } if policy.area.is_some() && !water.reduces(&measure) => {
                let what = "no reducing valve leads to a junction of its area; without an area the heads of reservoirs \
                            and tanks go down too";
                problems.push(loaded.policy_problem(row, "area", what));
            }
            _ => {}
        }
    }
    problems.or_else(())
}

/// Settings of electricity with the tariff that a policy sets.
pub(crate) fn power(loaded: &Loaded) -> Cow<'_, PowerSettings> {
    let mut settings = Cow::Borrowed(&loaded.scenario.power);
    for policy in loaded.scenario.policy.iter().filter(|policy| loaded.policy_stands(policy) == Some(true)) {
        if let PolicyKind::Tariff { per_kwh, hourly_per_kwh, windows } = &policy.kind {
            let (hourly_per_kwh, windows) = (hourly_per_kwh.clone(), windows.clone());
            settings.to_mut().devices.tariff = TariffSettings { per_kwh: *per_kwh, hourly_per_kwh, windows };
        }
    }
    settings
}

/// Accounts of buildings, at the prices that policies make.
pub(crate) fn bills(loaded: &Loaded, city: &City, areas: &[InArea]) -> Bills {
    let tariff = power(loaded).devices.tariff.clone();
    let mut water_factor = Vec::new();
    for (_, policy, area) in standing(loaded, areas) {
        let PolicyKind::WaterTariff { price_change, uses, .. } = &policy.kind else { continue };
        water_factor.resize(city.buildings.len(), 1.0);
        let factors = water_factor.iter_mut().zip(of_uses(city, area, uses));
        factors.filter(|(_, is_so)| *is_so).for_each(|(factor, _)| *factor *= 1.0 + price_change);
    }
    Bills::new(&loaded.scenario.bills, (tariff != TariffSettings::default()).then_some(tariff), water_factor)
}

/// Shares of electric cars by where their drivers live.
pub(crate) struct ElectricShares {
    everywhere: f64,
    by_home: Vec<(f64, Vec<bool>)>,
}

impl ElectricShares {
    pub(crate) fn new(loaded: &Loaded, areas: &[InArea], places: &Places) -> Self {
        let of = |(_, policy, area): (usize, &Policy, &InArea)| match policy.kind {
            PolicyKind::EvShare { share, .. } if share > 0.0 => Some((share, area.places(places))),
            _ => None,
        };
        Self {
            everywhere: loaded.scenario.coupling.electric_car_share,
            by_home: standing(loaded, areas).filter_map(of).collect(),
        }
    }
    /// Whether nobody has one.
    pub(crate) fn are_none(&self) -> bool {
        self.everywhere <= 0.0 && self.by_home.is_empty()
    }
    /// Of those who live at a place.
    pub(crate) fn of(&self, home: Place) -> f64 {
        let here = self.by_home.iter().filter(|(_, at)| at.get(home.row()).copied().unwrap_or(false));
        here.map(|(share, _)| *share).fold(self.everywhere, f64::max)
    }
}
