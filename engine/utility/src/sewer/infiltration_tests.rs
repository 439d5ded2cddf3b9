//! Infiltration against the equations it solves.

use super::*;

const MM_PER_H: f64 = 1e-3 / 3600.0;

#[test]
fn horton_follows_its_curve_when_there_is_water() {
    let (first_mps, last_mps, decay_per_s) = (75.0 * MM_PER_H, 10.0 * MM_PER_H, 4.0 / 3600.0);
    let soil = Soil::Horton { first_mps, last_mps, decay_per_s, recovery_per_s: 1e-6, most_m: 0.0, is_modified: false };
    let mut state = soil.dry();
    let gone: f64 = (0..60).map(|_| 60.0 * soil.rate(&mut state, 60.0, 100.0 * MM_PER_H, 0.0, 0.0)).sum();
    let expected = last_mps * 3600.0 + (first_mps - last_mps) / decay_per_s * (1.0 - (-4.0_f64).exp());
    assert!((gone / expected - 1.0).abs() < 1e-9, "{gone} {expected}");
}

#[test]
fn green_ampt_solves_its_equation() {
    let (suction_m, conductivity_mps, deficit) = (0.09, 12.0 * MM_PER_H, 0.25);
    let soil = Soil::GreenAmpt { suction_m, conductivity_mps, deficit, is_modified: false };
    let mut state = soil.dry();
    let (step_s, rain) = (20.0, 60.0 * MM_PER_H);
    let gone: f64 = (0..540).map(|_| step_s * soil.rate(&mut state, step_s, rain, 0.0, 0.0)).sum();
    // Ponding begins when rain exceeds K (1 + c / F); from then on F - Fp - c ln((F + c) / (Fp + c)) = K (t - tp).
    let head = suction_m * deficit;
    let at_ponding = conductivity_mps * head / (rain - conductivity_mps);
    let since = 540.0 * step_s - at_ponding / rain;
    let residual = gone - at_ponding - head * ((gone + head) / (at_ponding + head)).ln() - conductivity_mps * since;
    assert!(residual.abs() < 1e-4, "{gone} {residual}");
}

#[test]
fn a_curve_number_leaves_what_its_formula_says() {
    let most_m = (1000.0 / 80.0 - 10.0) * 0.0254;
    let soil = Soil::CurveNumber { most_m, recovery_per_s: 1.0 / (7.0 * 86_400.0) };
    let mut state = soil.dry();
    let (step_s, rain) = (300.0, 20.0 * MM_PER_H);
    let gone: f64 = (0..48).map(|_| step_s * soil.rate(&mut state, step_s, rain, 0.0, 0.0)).sum();
    let fallen = 48.0 * step_s * rain;
    assert!((gone - (fallen - fallen * fallen / (fallen + most_m))).abs() < 1e-9);
}

#[test]
fn nothing_goes_in_but_what_is_there() {
    let soils = [
        Soil::Horton {
            first_mps: 75.0 * MM_PER_H,
            last_mps: 10.0 * MM_PER_H,
            decay_per_s: 4.0 / 3600.0,
            recovery_per_s: 1e-6,
            most_m: 0.02,
            is_modified: true,
        },
        Soil::GreenAmpt { suction_m: 0.09, conductivity_mps: 1e-6, deficit: 0.25, is_modified: true },
        Soil::CurveNumber { most_m: 0.05, recovery_per_s: 1e-6 },
    ];
    for soil in soils {
        let mut state = soil.dry();
        for step in 0..500 {
            let rain = if step % 50 < 10 { f64::from(step % 7) * 10.0 * MM_PER_H } else { 0.0 };
            let rate = soil.rate(&mut state, 60.0, rain, 0.0, 0.0);
            assert!((0.0..=rain + 1e-18).contains(&rate), "{soil:?} {rain} {rate}");
        }
    }
}
