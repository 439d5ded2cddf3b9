//! Photovoltaics on roofs: power of an array by the light on its plane and the air temperature.
//!
//! ```text
//! T_cell = T_air + (T_noct - 20) G / 800             G in W/m2, T in degrees Celsius
//! P_dc   = P_rated G / 1000 (1 + gamma (T_cell - 25)) (1 - losses)
//! P_ac   = P_dc 0.96 / 0.9637 (-0.0162 z - 0.0059 / z + 0.9858), at most the inverter's   z = P_dc / P_dc,inverter
//! ```
//!
//! Source: A. P. Dobos, PVWatts Version 5 Manual, NREL/TP-6A20-62641 (2014): losses of 14 percent, -0.47 percent a degree,
//! 1.1 of array to inverter, inverter as above; the cell by its nominal operating temperature, 49 degrees on a roof
//! (recalled). Areas and tilts of roofs are estimates. Compared with pvlib 0.16.1 in the tests.
//! Ignored: wind, spectrum, angles of incidence, shading, snow, ageing but in the losses. Contract: a pure function of
//! the array and the sky.

use super::settings::PvSettings;
use crate::solar::{Irradiance, Plane, Sun};
use urbis_core::rng::Rng;

/// Efficiency of inverters at their rating, and that of the inverter that the curve was measured on.
const NOMINAL_SHARE: f64 = 0.96;
const REFERENCE_SHARE: f64 = 0.9637;

/// An array with its inverter; of no size where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PvArray {
    /// Direct power at 1000 W/m2 and 25 degrees, watts.
    pub rated_w: f64,
    /// The modules' plane.
    pub plane: Plane,
}

/// What an array is told of the sky.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// The sun in the middle of the step.
    pub sun: Sun,
    /// Light at the place.
    pub light: Irradiance,
    /// Air temperature, degrees Celsius.
    pub air_temp_c: f64,
}

impl PvArray {
    /// On a roof of a footprint: on small houses a pitched one, of which the side nearer to the equator is used and whose
    /// ridge lies as the draw says, else a flat one with rows that face the equator.
    #[must_use]
    pub fn on_roof(
        settings: &PvSettings,
        footprint_m2: f64,
        is_pitched: bool,
        latitude_deg: f64,
        rng: &mut Rng,
    ) -> Self {
        let to_equator_deg = if latitude_deg < 0.0 { 0.0 } else { 180.0 };
        let aside_deg = 180.0 * (rng.uniform() - 0.5);
        let (area_m2, plane) = match is_pitched {
            true => {
                let tilt_deg = settings.pitched_tilt_deg;
                let side_m2 = 0.5 * footprint_m2 / tilt_deg.to_radians().cos();
                (side_m2 * settings.pitched_share, Plane::new(tilt_deg, to_equator_deg + aside_deg))
            }
            false => (footprint_m2 * settings.flat_share, Plane::new(settings.flat_tilt_deg, to_equator_deg)),
        };
        Self { rated_w: (area_m2 * settings.module_w_per_m2).min(settings.rated_w_max), plane }
    }
    /// Alternating power, watts: never negative.
    #[must_use]
    pub fn power_w(&self, settings: &PvSettings, sky: &Sky) -> f64 {
        if self.rated_w <= 0.0 || sky.light.global_w_per_m2 <= 0.0 {
            return 0.0;
        }
        let on_plane = self.plane.irradiance_w_per_m2(&sky.sun, &sky.light, settings.albedo);
        self.power_at_w(settings, on_plane, sky.air_temp_c)
    }
    /// Alternating power at an irradiance of the modules, watts.
    #[must_use]
    pub fn power_at_w(&self, settings: &PvSettings, on_plane_w_per_m2: f64, air_temp_c: f64) -> f64 {
        let cell_c = air_temp_c + (settings.noct_c - 20.0) / 800.0 * on_plane_w_per_m2;
        let warm = (1.0 + settings.gamma_per_k * (cell_c - 25.0)).max(0.0);
        let direct_w = self.rated_w * on_plane_w_per_m2 / 1000.0 * warm * (1.0 - settings.loss_share);
        let inverter_w = self.rated_w / settings.dc_to_ac_ratio;
        let part = direct_w * NOMINAL_SHARE / inverter_w;
        if part.is_nan() || part <= 0.0 {
            return 0.0;
        }
        let efficiency = NOMINAL_SHARE / REFERENCE_SHARE * (-0.0162 * part - 0.0059 / part + 0.9858);
        (direct_w * efficiency).clamp(0.0, inverter_w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_that_of_pvwatts() {
        let (settings, array) = (PvSettings::default(), PvArray { rated_w: 5000.0, plane: Plane::default() });
        // `pvwatts_dc` and `inverter.pvwatts` of pvlib 0.16.1 with the cell temperature above.
        for (light, air_c, expected) in [
            (1000.0, 25.0, 3_432.025_281),
            (800.0, 20.0, 2_937.503_787),
            (150.0, -5.0, 676.929_244),
            (1150.0, 35.0, 3_600.778_153),
            (20.0, 10.0, 62.262_431),
        ] {
            let found = array.power_at_w(&settings, light, air_c);
            assert!((found - expected).abs() < 1e-4, "{light}: {found} {expected}");
        }
        // Clipped at the inverter; nothing in the dark or where there is no array.
        assert!((array.power_at_w(&settings, 1400.0, -20.0) - 5000.0 / 1.1).abs() < 1e-9);
        assert!(array.power_at_w(&settings, 0.0, 20.0).abs() < 1e-12);
        assert!(PvArray::default().power_at_w(&settings, 1000.0, 20.0).abs() < 1e-12);
    }

    #[test]
    fn roofs_face_the_equator_within_a_right_angle() {
        let settings = PvSettings::default();
        let mut east = 0;
        for row in 0..1000 {
            for (latitude, towards) in [(45.0, 180.0), (-30.0, 0.0)] {
                let array = PvArray::on_roof(&settings, 100.0, true, latitude, &mut Rng::new(1, row, 0, 2));
                let off = (array.plane.azimuth_deg() - towards + 540.0).rem_euclid(360.0) - 180.0;
                assert!(off.abs() <= 90.0 + 1e-9, "{off}");
                east += i32::from(off < 0.0);
                let area_m2 = 50.0 / 35.0_f64.to_radians().cos() * settings.pitched_share;
                assert!((array.rated_w - area_m2 * settings.module_w_per_m2).abs() < 1e-9);
            }
        }
        assert!((900..1100).contains(&east), "{east}");
        let flat = PvArray::on_roof(&settings, 1e9, false, 45.0, &mut Rng::new(1, 0, 0, 2));
        assert!((flat.rated_w - settings.rated_w_max).abs() < 1e-9 && (flat.plane.azimuth_deg() - 180.0).abs() < 1e-9);
    }
}
