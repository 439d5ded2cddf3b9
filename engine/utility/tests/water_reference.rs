//! Water networks over a day against EPANET 2.2: heads, flows, what is delivered, when pumps and pipes switch, and the books.

#[path = "common/shared.rs"]
mod shared;

use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use urbis_utility::water::network::NodeKind;
use urbis_utility::water::{Simulation, inp};

/// A table of results: by column, the values at whole hours.
fn table(folder: &Path, name: &str) -> BTreeMap<String, Vec<f64>> {
    let path = folder.join(format!("{name}.csv.gz"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(&path).unwrap_or_else(|_| panic!("{}", path.display())))
        .read_to_string(&mut text)
        .expect("a text");
    let mut lines = text.lines();
    let names: Vec<String> = lines.next().expect("a header").split(',').map(str::to_owned).collect();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    for line in lines {
        line.split(',').zip(&mut columns).for_each(|(cell, column)| column.push(cell.parse().expect("a number")));
    }
    names.into_iter().zip(columns).collect()
}

/// Largest difference of what flows into a junction and what is drawn there, m3/s.
fn imbalance(run: &Simulation) -> f64 {
    let (of, net) = (&run.hydraulics, run.hydraulics.network());
    let mut left: Vec<f64> = of.served_m3ps.iter().zip(&of.emitted_m3ps).map(|(a, b)| a + b).collect();
    for (link, q) in of.flow_m3ps.iter().enumerate() {
        left[net.links.from[link] as usize] += q;
        left[net.links.to[link] as usize] -= q;
    }
    let junctions = left.iter().zip(&net.nodes.kind).filter(|(_, kind)| **kind == NodeKind::Junction);
    junctions.fold(0.0, |worst, (left, _)| worst.max(left.abs()))
}

/// Largest differences at the start and over the day.
#[derive(Clone, Copy, Debug, Default)]
struct Off {
    at_start: f64,
    over_day: f64,
}

impl Off {
    fn see(&mut self, found: f64, expected: f64, is_start: bool) {
        let off = (found - expected).abs();
        self.over_day = self.over_day.max(off);
        if is_start {
            self.at_start = self.at_start.max(off);
        }
    }
}

#[test]
#[allow(clippy::print_stdout)] // figures for whoever reads them
fn a_day_is_that_of_epanet() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/epanet");
    let beside = ["Net1", "Net3"].map(|name| beside.join(name));
    for folder in beside.into_iter().chain(shared::folders("water")) {
        let mut inputs: Vec<_> = std::fs::read_dir(&folder)
            .expect("a folder")
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.to_string_lossy().ends_with(".inp.gz"))
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty());
        for input in inputs {
            let name = input.file_name().expect("a name").to_string_lossy().into_owned();
            let tag = name.trim_end_matches(".inp.gz").split_once('_').expect("NAME_TAG").1.to_owned();
            let file = inp::read(&input).unwrap_or_else(|why| panic!("{why:?}"));
            let (heads, demands) = (table(&folder, &format!("{tag}_head")), table(&folder, &format!("{tag}_demand")));
            let (flows, statuses) = (table(&folder, &format!("{tag}_flow")), table(&folder, &format!("{tag}_status")));
            let duration_s = file.network.times.duration_s;
            let mut run = Simulation::new(file.network).expect("a network");
            let (mut head, mut flow, mut other_statuses) = (Off::default(), Off::default(), 0);
            let (mut delivered, mut expected_m3, mut trials, mut solves) = (0.0, 0.0, 0, 0);
            let mut imbalance_m3ps = 0.0_f64;
            loop {
                let balance = run.solve();
                assert!(balance.is_balanced, "{name} at {}: {balance:?}", run.time_s);
                trials += balance.trials;
                solves += 1;
                let net = run.hydraulics.network();
                imbalance_m3ps = imbalance_m3ps.max(imbalance(&run));
                if run.time_s.is_multiple_of(3600) {
                    let hour = (run.time_s / 3600) as usize;
                    for (node, id) in net.nodes.id.iter().enumerate() {
                        head.see(run.hydraulics.head_m[node], heads[id][hour], hour == 0);
                        if net.nodes.kind[node] == NodeKind::Junction {
                            // Without what is fed in. EPANET delivers up to 1e-7 m3/s more than is asked for where
                            // pressure is high, as its demands end at a steep slope and not at a wall.
                            let asked_m3ps = run.hydraulics.demand_m3ps[node].max(0.0);
                            delivered += run.hydraulics.served_m3ps[node].max(0.0) * 3600.0;
                            expected_m3 += demands[id][hour].clamp(0.0, asked_m3ps + 1e-12) * 3600.0;
                        }
                    }
                    for (link, id) in net.links.id.iter().enumerate() {
                        flow.see(run.hydraulics.flow_m3ps[link], flows[id][hour], hour == 0);
                        let is_open = run.hydraulics.state[link].is_open();
                        other_statuses += u32::from(is_open != (statuses[id][hour] > 0.5));
                    }
                }
                if run.time_s >= duration_s {
                    break;
                }
                run.advance(duration_s - run.time_s);
            }
            let residual = run.residual_m3() / run.volumes.served_m3;
            println!(
                "{name}: {solves} solves, {trials} trials; heads off by {:.1e} m at 0 h, {:.1e} m over the day; flows {:.1e} m3/s; \
                 {delivered:.0} of {expected_m3:.0} m3; {other_statuses} statuses; books {residual:.1e}, junctions {imbalance_m3ps:.1e} m3/s",
                head.at_start, head.over_day, flow.over_day
            );
            assert!(head.at_start < 1e-3 && head.over_day < 1e-2, "{name}: {head:?}");
            assert!((delivered - expected_m3).abs() < 1e-4 * expected_m3, "{name}: {delivered} of {expected_m3}");
            assert!(residual.abs() < 1e-8 && imbalance_m3ps < 1e-8, "{name}: {residual} {imbalance_m3ps}");
            assert_eq!(other_statuses, 0, "{name}");
        }
    }
}
