//! What only code can tell of policies that are put on before a run, such as devices in buildings: they stand for all of it,
//! and there has to be something that they change.

use crate::load::Loaded;
use jiff::civil::DateTime;
use urbis_coupling::Policy;
use urbis_coupling::policy::PolicyKind;
use urbis_transit::settings::FareSource;
use urbis_utility::power::DeviceSettings;
use urbis_utility::power::devices::settings::{BatteryControl, ByUse, ChargerControl};
use urbis_utility::power::devices::tariff::TariffSettings;
use urbis_utility::wiring::NetworkSource;

/// Problems of a policy that is put on before a run; nothing of others.
pub(crate) fn check(loaded: &Loaded, policy: &Policy, tell: &mut dyn FnMut(&str, String)) {
    if !policy.kind.is_built() {
        return;
    }
    for (key, time) in [("from", &policy.from), ("to", &policy.to)] {
        if time.is_some() {
            tell(key, "what is built stands day and night; leave out `from` and `to`".to_owned());
        }
    }
    if loaded.policy_stands(policy).is_none() {
        let key = if policy.start_date.is_some() { "start_date" } else { "end_date" };
        let what = "it begins or ends within the period, but what is built stands for all of a run; \
                    write a scenario for before and one for after";
        tell(key, what.to_owned());
    }
    let has = City::of(loaded);
    let needs_weather = "there is no weather, so nobody heats: give `[weather]` a `climate` or a `file`";
    match &policy.kind {
        PolicyKind::Battery { only_with_pv: true, .. } if !has.pv => {
            tell(
                "only_with_pv",
                "no roof carries modules: set `only_with_pv = false`, or add a policy of kind `rooftop_pv`".to_owned(),
            );
        }
        PolicyKind::HeatPumps { .. } | PolicyKind::Retrofit { .. } if loaded.scenario.weather.is_absent() => {
            tell("kind", needs_weather.to_owned());
        }
        PolicyKind::DistrictHeat { .. } if loaded.scenario.heat.source != NetworkSource::Synthetic => {
            let what = match loaded.scenario.heat.is_none() {
                true => "there is no district heat that could grow: give `[heat]` a `source`",
                false => {
                    "a network from a file has the pipes that it has: put the new ones into it, in a scenario of its own"
                }
            };
            tell("kind", what.to_owned());
        }
        PolicyKind::EvShare { share, .. } if *share > 0.0 && !has.chargers => {
            let what = "nobody can charge: give it `chargers`, or buildings `power.devices.charger.share`";
            tell("share", what.to_owned());
        }
        PolicyKind::SmartCharging { control, .. } => {
            if !(has.chargers && has.electric_cars) {
                let what = "nobody charges a car: add a policy of kind `ev_share` with `chargers`";
                tell("kind", what.to_owned());
            } else if *control == ChargerControl::Price && !has.prices {
                tell("control", "there are no prices to go by: add a policy of kind `tariff`".to_owned());
            } else if *control == ChargerControl::Grid && loaded.scenario.power.grid.is_none() {
                tell("control", "there is no grid that could ask: give `[power.grid]` a `source`".to_owned());
            }
        }
        PolicyKind::Tariff { per_kwh, hourly_per_kwh, windows } => {
            if policy.area.is_some() {
                tell("area", "one price holds for the whole city; leave out `area`".to_owned());
            }
            let of_tariffs = loaded.scenario.policy.iter().filter(|of| matches!(of.kind, PolicyKind::Tariff { .. }));
            if of_tariffs.filter(|of| loaded.policy_stands(of) == Some(true)).nth(1).is_some() {
                tell("kind", "there is another tariff, and people pay one".to_owned());
            }
            let (hourly_per_kwh, windows) = (hourly_per_kwh.clone(), windows.clone());
            let tariff = TariffSettings { per_kwh: *per_kwh, hourly_per_kwh, windows };
            if tariff == TariffSettings::default() {
                tell("kind", "nothing is to be paid: give `per_kwh`, `windows` or `hourly_per_kwh`".to_owned());
            }
            DeviceSettings { tariff, ..DeviceSettings::default() }.check(&mut |key, what| {
                let key = key.trim_start_matches("tariff.").replace('[', ".").replace(']', "");
                tell(&key, format!("`{key}` {what}"));
            });
            if !has.listeners {
                let what = "nobody looks at prices: chargers or batteries with `control = \"price\"`, heat pumps, \
                            `power.devices.response` and `bills` do";
                tell("kind", what.to_owned());
            }
        }
        PolicyKind::LandUse { buildings, file, layer, demolish, floor_area_factor } => {
            let takes = *demolish || floor_area_factor.is_some_and(|factor| factor < 1.0);
            if buildings.is_empty() && file.is_none() && !takes {
                let what =
                    "nothing would change: give `buildings`, a `file`, `demolish` or a `floor_area_factor` below 1";
                tell("kind", what.to_owned());
            }
            if *demolish && floor_area_factor.is_some() {
                tell("floor_area_factor", "`demolish` takes all of the floor area; leave one of them out".to_owned());
            }
            if takes && policy.area.is_none() {
                tell("kind", "it needs an `area`: which buildings are taken down?".to_owned());
            }
            if !takes && policy.area.is_some() {
                tell(
                    "area",
                    "new buildings have places of their own; only `demolish` and `floor_area_factor` need an area"
                        .to_owned(),
                );
            }
            if layer.is_some() && file.is_none() {
                tell("layer", "it names a layer in a `file`, and there is none".to_owned());
            }
            for (nth, building) in buildings.iter().enumerate() {
                let (in_metres, in_degrees) = ([building.x_m, building.y_m], [building.lon, building.lat]);
                let is_whole = |place: [Option<f64>; 2]| place.iter().all(Option::is_some);
                let is_none = |place: [Option<f64>; 2]| place.iter().all(Option::is_none);
                if !(is_whole(in_metres) && is_none(in_degrees) || is_none(in_metres) && is_whole(in_degrees)) {
                    let what = "expected a place: either `x_m` and `y_m`, or `lon` and `lat`";
                    tell(&format!("buildings.{nth}"), what.to_owned());
                }
            }
        }
        PolicyKind::NewRoad { links, lanes_added } => {
            if links.is_empty() && *lanes_added == 0 {
                tell("kind", "nothing would change: give `links`, or an `area` with `lanes_added`".to_owned());
            }
            if *lanes_added > 0 && policy.area.is_none() {
                tell("lanes_added", "it needs an `area`: which roads become wider?".to_owned());
            }
            if *lanes_added == 0 && policy.area.is_some() {
                tell("area", "new roads have places of their own; only `lanes_added` needs an area".to_owned());
            }
            for (nth, link) in links.iter().enumerate() {
                let points = link.line.len() + link.line_m.len();
                if !link.line.is_empty() && !link.line_m.is_empty() {
                    tell(&format!("links.{nth}.line_m"), "expected one of `line` and `line_m`".to_owned());
                } else if points == 1 {
                    let key = if link.line.is_empty() { "line_m" } else { "line" };
                    tell(&format!("links.{nth}.{key}"), "a line has two corners at least".to_owned());
                }
            }
        }
        PolicyKind::ParkingSupply { .. } if !loaded.scenario.traffic.parking.enabled => {
            tell("kind", "nobody looks for a space: set `traffic.parking.enabled = true`".to_owned());
        }
        PolicyKind::NewLine { .. } => {
            if policy.area.is_some() {
                tell("area", "its feed says where it runs; leave out `area`".to_owned());
            }
            if loaded.scenario.transit.feeds.is_empty() {
                tell("kind", "there is no timetable that it could join: name feeds in `[transit]`".to_owned());
            }
        }
        PolicyKind::Fares { factor, flat } => {
            if policy.area.is_some() {
                tell("area", "fares hold for whole feeds; leave out `area`".to_owned());
            }
            let of_all = |of: &&Policy| {
                matches!(of.kind, PolicyKind::Fares { .. }) && *of != policy && loaded.policy_stands(of) == Some(true)
            };
            if flat.is_some() && loaded.scenario.policy.iter().any(|of| of_all(&of)) {
                let what = "there is another policy of kind `fares`, and a ride that costs the same whatever it was has one price";
                tell("flat", what.to_owned());
            }
            if factor.is_some() == flat.is_some() {
                tell("kind", "expected one of `factor` and `flat`".to_owned());
            }
            let transit = &loaded.scenario.transit;
            if transit.feeds.is_empty() {
                tell("kind", "there are no fares to change: name feeds in `[transit]`".to_owned());
            } else if transit.fares != FareSource::Feed {
                tell("kind", "people do not pay the feeds' fares: set `transit.fares = \"feed\"`".to_owned());
            }
        }
        PolicyKind::LeakReduction { .. } | PolicyKind::PressureManagement { .. } if loaded.scenario.water.is_none() => {
            tell("kind", "there is no water network to change: give `[water]` a `source`".to_owned());
        }
        PolicyKind::LeakReduction { .. }
            if loaded.scenario.water.source == NetworkSource::Synthetic
                && loaded.scenario.water.leakage_share <= 0.0 =>
        {
            tell("kind", "the water network does not leak: give `[water]` a `leakage_share`".to_owned());
        }
        PolicyKind::WaterTariff { .. } if loaded.scenario.water.is_none() && loaded.scenario.sewer.is_none() => {
            tell("kind", "nobody draws water: give `[water]` or `[sewer]` a `source`".to_owned());
        }
        _ => {}
    }
}

/// What a scenario's city has, by its settings or by policies.
struct City {
    pv: bool,
    chargers: bool,
    electric_cars: bool,
    prices: bool,
    /// Devices that look at prices, or bills.
    listeners: bool,
}

impl City {
    fn of(loaded: &Loaded) -> Self {
        let scenario = &loaded.scenario;
        let has = |fits: &dyn Fn(&PolicyKind) -> bool| scenario.policy.iter().any(|policy| fits(&policy.kind));
        let devices = &scenario.power.devices;
        let some = |share: &ByUse| *share != ByUse::default();
        let chargers = some(&devices.charger.share)
            || has(&|kind| matches!(kind, PolicyKind::EvShare { chargers, .. } if !chargers.is_none()));
        let electric_cars = scenario.coupling.electric_car_share > 0.0
            || has(&|kind| matches!(kind, PolicyKind::EvShare { share, .. } if *share > 0.0));
        let by_price = devices.charger.control == ChargerControl::Price
            || has(&|kind| matches!(kind, PolicyKind::SmartCharging { control: ChargerControl::Price, .. }));
        let batteries = some(&devices.battery.share) || has(&|kind| matches!(kind, PolicyKind::Battery { .. }));
        let heat_pumps = some(&devices.heat_pump.share) || has(&|kind| matches!(kind, PolicyKind::HeatPumps { .. }));
        Self {
            pv: some(&devices.pv.share) || has(&|kind| matches!(kind, PolicyKind::RooftopPv { .. })),
            chargers,
            electric_cars,
            prices: devices.tariff != TariffSettings::default()
                || has(&|kind| matches!(kind, PolicyKind::Tariff { .. })),
            listeners: (chargers && electric_cars && by_price)
                || (batteries && devices.battery.control == BatteryControl::Price)
                || heat_pumps
                || some(&devices.response.share)
                || !scenario.bills.is_default(),
        }
    }
}

impl Loaded {
    /// Whether a policy holds on every day of the period, or on none of them; nothing where it begins or ends within it.
    #[must_use]
    pub fn policy_stands(&self, policy: &Policy) -> Option<bool> {
        let (first, last) = self.policy_days(policy);
        let period = &self.scenario.period;
        let start_h = period.start.parse::<DateTime>().map_or(0, |start| i64::from(start.hour()));
        let last_day = (start_h + i64::from(period.duration_h) - 1) / 24;
        if first <= 0 && last >= last_day {
            Some(true)
        } else if first > last_day || last < 0 {
            Some(false)
        } else {
            None
        }
    }
}
