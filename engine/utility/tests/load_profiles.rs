//! Standard load profiles beside those of demandlib, quarter hour by quarter hour of a year.

#[path = "common/shared.rs"]
mod shared;

use flate2::read::GzDecoder;
use std::io::Read;
use urbis_utility::power::profile::LoadProfiles;

/// Columns of a table of the shared folder, without the time.
fn table(name: &str) -> Option<Vec<(String, Vec<f64>)>> {
    let path = shared::place("demand").join(name);
    let Ok(file) = std::fs::File::open(&path) else {
        shared::skipped(&path);
        return None;
    };
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let mut columns: Vec<(String, Vec<f64>)> =
        lines.next().unwrap().split(',').skip(1).map(|name| (name.to_owned(), Vec::new())).collect();
    for line in lines {
        for (column, value) in columns.iter_mut().zip(line.split(',').skip(1)) {
            column.1.push(value.parse().unwrap());
        }
    }
    Some(columns)
}

#[test]
fn a_year_is_that_of_demandlib() {
    let profiles = LoadProfiles::shipped().unwrap();
    for file in ["bdew_slp1999_2023_15min_kw_per_1000kwh.csv.gz", "bdew_slp2025_2023_15min.csv.gz"] {
        for (name, wanted) in table(file).into_iter().flatten() {
            // Households of 1999 are smoothed day by day here and continuously there.
            if ["h0", "h0_dyn"].contains(&name.as_str()) {
                continue;
            }
            let found = profiles.year(&name, 2023, 1.0, &[]).unwrap();
            assert_eq!(found.len(), wanted.len(), "{name}");
            // Shapes are compared: one of the two tables is not brought to a year's energy.
            let (of_found, of_wanted) = (found.iter().sum::<f64>(), wanted.iter().sum::<f64>());
            for (at, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                let (found, wanted) = (found / of_found, wanted / of_wanted);
                assert!((found - wanted).abs() < 1e-12 + 2e-6 * wanted, "{name} at {at}: {found} {wanted}");
            }
        }
    }
}
