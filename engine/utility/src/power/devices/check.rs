//! What settings of devices may be.

use super::settings::{ByUse, DeviceSettings};
use urbis_city::model::BuildingUse;

impl DeviceSettings {
    /// Tells every value that cannot be, as key and what is wrong with it.
    pub fn check(&self, tell: &mut dyn FnMut(&str, String)) {
        let mut within = |field: &str, value: f64, low: f64, high: f64| {
            if !(low..=high).contains(&value) {
                let expected = match high.is_finite() {
                    true => format!("{low} to {high}"),
                    false => format!("{low} or more, finite"),
                };
                tell(field, format!("= {value}, expected {expected}"));
            }
        };
        let Self { pv, battery, charger, heat_pump, response, tariff } = self;
        let shares: [(&str, &ByUse); 5] = [
            ("pv", &pv.share),
            ("battery", &battery.share),
            ("charger", &charger.share),
            ("heat_pump", &heat_pump.share),
            ("response", &response.share),
        ];
        for (group, share) in shares {
            for (purpose, name) in BuildingUse::NAMED {
                within(&format!("{group}.share.{name}"), share.of(purpose), 0.0, 1.0);
            }
        }
        // Largest values are only there to keep out what is not finite.
        let most = 1e12;
        for (field, value, low, high) in [
            ("pv.pitched_floors_max", pv.pitched_floors_max, 0.0, most),
            ("pv.pitched_tilt_deg", pv.pitched_tilt_deg, 0.0, 75.0),
            ("pv.pitched_share", pv.pitched_share, 0.0, 1.0),
            ("pv.flat_tilt_deg", pv.flat_tilt_deg, 0.0, 75.0),
            ("pv.flat_share", pv.flat_share, 0.0, 1.0),
            ("pv.module_w_per_m2", pv.module_w_per_m2, 0.0, 1000.0),
            ("pv.rated_w_max", pv.rated_w_max, 0.0, most),
            ("pv.loss_share", pv.loss_share, 0.0, 1.0),
            ("pv.gamma_per_k", pv.gamma_per_k, -0.02, 0.0),
            ("pv.noct_c", pv.noct_c, 20.0, 80.0),
            ("pv.dc_to_ac_ratio", pv.dc_to_ac_ratio, 0.5, 3.0),
            ("pv.albedo", pv.albedo, 0.0, 1.0),
            ("pv.linke_turbidity", pv.linke_turbidity, 1.0, 12.0),
            ("pv.altitude_m", pv.altitude_m, -500.0, 6000.0),
            ("battery.energy_kwh_per_dwelling", battery.energy_kwh_per_dwelling, 0.0, most),
            ("battery.energy_wh_per_m2", battery.energy_wh_per_m2, 0.0, most),
            ("battery.hours", battery.hours, 0.05, 1000.0),
            ("battery.charge_share", battery.charge_share, 0.1, 1.0),
            ("battery.discharge_share", battery.discharge_share, 0.1, 1.0),
            ("battery.self_discharge_per_day", battery.self_discharge_per_day, 0.0, 0.99),
            ("battery.initial_share", battery.initial_share, 0.0, 1.0),
            ("charger.points_per_dwelling", charger.points_per_dwelling, 0.0, 100.0),
            ("charger.points_per_1000_m2", charger.points_per_1000_m2, 0.0, 1000.0),
            ("charger.power_w", charger.power_w, 1.0, most),
            ("charger.efficiency", charger.efficiency, 0.1, 1.0),
            ("charger.feed_back_kwh", charger.feed_back_kwh, 0.0, most),
            ("charger.public_reach_m", charger.public_reach_m, 0.0, most),
            ("heat_pump.cop_factor", heat_pump.cop_factor, 0.1, 2.0),
            ("heat_pump.ground_c", heat_pump.ground_c, -20.0, 40.0),
            ("heat_pump.setpoint_c", heat_pump.setpoint_c, 0.0, 40.0),
            ("heat_pump.flex_k", heat_pump.flex_k, 0.0, 10.0),
            ("heat_pump.loss_w_per_m2_k", heat_pump.loss_w_per_m2_k, 0.01, 100.0),
            ("heat_pump.capacity_j_per_m2_k", heat_pump.capacity_j_per_m2_k, 1e3, 1e8),
            ("heat_pump.gains_w_per_m2", heat_pump.gains_w_per_m2, 0.0, 1000.0),
            ("heat_pump.bivalence_c", heat_pump.bivalence_c, -60.0, heat_pump.setpoint_c),
            ("heat_pump.design_c", heat_pump.design_c, -60.0, heat_pump.bivalence_c),
            ("response.shiftable_share", response.shiftable_share, 0.0, 1.0),
            ("response.curtailable_share", response.curtailable_share, 0.0, 1.0 - response.shiftable_share),
            ("response.duration_max_s", response.duration_max_s, 0.0, most),
            ("response.payback_s", response.payback_s, 1.0, most),
            ("response.dear_ratio", response.dear_ratio, 1.0, most),
            ("response.grid_signal_min", response.grid_signal_min, 0.0, 1.0),
        ] {
            within(field, value, low, high);
        }
        for (row, site) in charger.public.iter().enumerate() {
            within(&format!("charger.public[{row}].points"), f64::from(site.points), 1.0, 10_000.0);
            within(&format!("charger.public[{row}].power_w"), site.power_w, 1.0, most);
        }
        within("tariff.per_kwh", tariff.per_kwh, -most, most);
        for (hour, &price) in tariff.hourly_per_kwh.iter().enumerate() {
            within(&format!("tariff.hourly_per_kwh[{hour}]"), price, -most, most);
        }
        for (row, window) in tariff.windows.iter().enumerate() {
            within(&format!("tariff.windows[{row}].from_hour"), f64::from(window.from_hour), 0.0, 23.0);
            within(&format!("tariff.windows[{row}].to_hour"), f64::from(window.to_hour), 1.0, 24.0);
            within(&format!("tariff.windows[{row}].per_kwh"), window.per_kwh, -most, most);
        }
        if !matches!(tariff.hourly_per_kwh.len(), 0 | 24) {
            let found = tariff.hourly_per_kwh.len();
            tell("tariff.hourly_per_kwh", format!("has {found} values, expected 24 or none"));
        }
        if !tariff.hourly_per_kwh.is_empty() && !tariff.windows.is_empty() {
            let found = tariff.windows.len();
            tell("tariff.windows", format!("= {found}, expected none beside hourly_per_kwh"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tariff::TariffWindow;
    use super::*;

    #[test]
    fn the_default_is_no_devices_and_is_sound() {
        let settings = DeviceSettings::default();
        settings.check(&mut |key, what| panic!("{key} {what}"));
        assert_eq!(toml::from_str::<DeviceSettings>("").unwrap(), settings);
        assert!(BuildingUse::NAMED.iter().all(|(purpose, _)| settings.pv.share.of(*purpose) <= 0.0));
    }

    #[test]
    fn files_say_what_they_mean() {
        let text = "[pv]\nshare = { residential = 0.3 }\n[battery]\ncontrol = \"price\"\n[charger]\ncontrol = \"grid\"\n\
                    [tariff]\nper_kwh = 0.2\nwindows = [{ from_hour = 22, to_hour = 6, per_kwh = 0.1 }]\n";
        let settings: DeviceSettings = toml::from_str(text).unwrap();
        settings.check(&mut |key, what| panic!("{key} {what}"));
        assert!((settings.pv.share.residential - 0.3).abs() < 1e-12);
        assert!(toml::from_str::<DeviceSettings>("[pv]\nshares = 0.3\n").is_err());
        assert!(toml::from_str::<DeviceSettings>("[battery]\ncontrol = \"magic\"\n").is_err());
    }

    #[test]
    fn bad_settings_are_named() {
        let mut settings = DeviceSettings::default();
        settings.pv.share.office = 1.5;
        settings.pv.gamma_per_k = f64::NAN;
        settings.battery.charge_share = 0.0;
        settings.charger.power_w = f64::INFINITY;
        settings.heat_pump.design_c = 5.0;
        settings.response.shiftable_share = 0.8;
        settings.response.curtailable_share = 0.3;
        settings.tariff.hourly_per_kwh = vec![0.1; 23];
        settings.tariff.windows = vec![TariffWindow { from_hour: 24, to_hour: 0, per_kwh: 0.1 }];
        let mut text = String::new();
        settings.check(&mut |key, what| text += &format!("{key} {what}\n"));
        for part in [
            "pv.share.office = 1.5, expected 0 to 1",
            "pv.gamma_per_k = NaN",
            "battery.charge_share = 0, expected 0.1 to 1",
            "charger.power_w = inf",
            "heat_pump.design_c = 5, expected -60 to -5",
            "response.curtailable_share = 0.3",
            "hourly_per_kwh has 23 values, expected 24 or none",
            "windows[0].from_hour = 24",
            "windows[0].to_hour = 0",
            "windows = 1, expected none beside",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
