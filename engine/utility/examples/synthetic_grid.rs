//! Makes up the distribution grid of city packages, solves it at peak, and prints its figures beside published ones:
//! `cargo run --release -p urbis-utility --example synthetic_grid -- cities/town cities/monaco`
#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a program for people, which says how long it took

use std::path::PathBuf;
use std::time::Instant;
use urbis_utility::power::NewtonSettings;
use urbis_utility::power::synthetic::{Equipment, Figures, SyntheticGrid, SyntheticGridSettings, estimate_peaks_w};

fn main() -> urbis_core::Result<()> {
    let (equipment, settings) = (Equipment::shipped(), SyntheticGridSettings::default());
    for folder in std::env::args_os().skip(1).map(PathBuf::from) {
        let city = urbis_city::package::read(&folder)?;
        let begin = Instant::now();
        let grid = SyntheticGrid::plan(&city, &estimate_peaks_w(&city, &equipment), &settings, &equipment)?;
        let planned_s = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        let figures = Figures::new(&city, &grid, &NewtonSettings::default())?;
        println!(
            "== {}: planned in {planned_s:.2} s, solved three times in {:.2} s",
            city.manifest.name,
            begin.elapsed().as_secs_f64()
        );
        println!("{figures}");
        grid.notes.iter().for_each(|note| println!("note: {note}"));
    }
    Ok(())
}
