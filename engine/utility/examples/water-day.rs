//! Times a water network over its duration, as `benches/peers/water.py` asks: `water-day NET.inp [REPEAT]`.
//! Prints one line of JSON; the fastest run counts.

use std::path::Path;
use std::time::Instant;
use urbis_utility::water::{Simulation, inp};

#[allow(clippy::print_stdout)] // its result
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("expected a network (.inp)")?;
    let repeat = arguments.get(1).map_or(Ok(5), |text| text.parse::<u32>())?;
    let network = inp::read(Path::new(path)).map_err(|why| format!("{why:?}"))?.network;
    let (nodes, links) = (network.nodes.id.len(), network.links.id.len());
    let (mut fastest_s, mut last) = (f64::INFINITY, (0, 0, 0, 0.0));
    for _ in 0..repeat.max(1) {
        let mut run = Simulation::new(network.clone()).map_err(|why| format!("{why:?}"))?;
        let duration_s = run.hydraulics.network().times.duration_s;
        #[allow(clippy::disallowed_methods)] // it measures
        let begun = Instant::now();
        let (mut solves, mut trials, mut unbalanced) = (0_u32, 0_u32, 0_u32);
        loop {
            let balance = run.solve();
            solves += 1;
            trials += balance.trials;
            unbalanced += u32::from(!balance.is_balanced);
            if run.time_s >= duration_s {
                break;
            }
            run.advance(duration_s - run.time_s);
        }
        fastest_s = fastest_s.min(begun.elapsed().as_secs_f64());
        last = (solves, trials, unbalanced, run.volumes.served_m3);
    }
    let (solves, trials, unbalanced, served_m3) = last;
    println!(
        "{{\"nodes\": {nodes}, \"links\": {links}, \"solve_s\": {fastest_s:e}, \"solves\": {solves}, \"trials\": {trials}, \"unbalanced\": {unbalanced}, \"served_m3\": {served_m3}}}"
    );
    Ok(())
}
