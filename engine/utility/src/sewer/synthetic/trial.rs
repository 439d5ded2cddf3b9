//! Storms that a made-up sewer is tried in.
//!
//! What runs off the ground does not depend on pipes, so the trials of a design share it ([`StormRunoff`]); the sewer that
//! comes out is run with its ground ([`Assembled::run_storm`]), so that its books cover both.

use super::super::Sewer;
use super::super::network::{DryWeather, Subcatchments, Target};
use super::super::runoff::Runoff;
use super::super::simulation::Simulation;
use super::settings::SyntheticSewerSettings;
use super::{Assembled, DRY_M3, assemble, storm};

/// A storm to try a sewer with.
#[derive(Clone, Copy)]
pub(super) struct Storm {
    pub(super) return_period_y: f64,
    pub(super) after_s: f64,
}

impl Storm {
    /// Rain in its intervals and in those after it, m/s.
    fn rain_mps(self, settings: &SyntheticSewerSettings) -> Vec<f64> {
        let mut rain_mps = storm::euler_mps(settings.rain_r15_lps_ha, assemble::STORM_S, self.return_period_y);
        rain_mps.resize(rain_mps.len() + intervals(self.after_s), 0.0);
        rain_mps
    }
}

fn intervals(seconds: f64) -> usize {
    (seconds / storm::INTERVAL_S).ceil() as usize
}

/// Runoff of a storm.
pub(super) struct StormRunoff {
    /// Steps, s, and what comes into each node in them, m3/s.
    steps: Vec<(f64, Vec<f64>)>,
}

impl StormRunoff {
    pub(super) fn new(sewer: &Sewer, settings: &SyntheticSewerSettings, storm: Storm) -> Self {
        let (mut runoff, mut steps) = (Runoff::new(sewer, true), Vec::new());
        for rain_mps in storm.rain_mps(settings) {
            runoff.set_rain_mps(&[rain_mps]);
            let end_ms = runoff.new_ms + 1000.0 * storm::INTERVAL_S;
            while runoff.new_ms < end_ms {
                runoff.step(sewer, end_ms);
                let mut by_node_m3ps = vec![0.0; sewer.nodes.id.len()];
                for (target, m3ps) in sewer.subcatchments.target.iter().zip(&runoff.new_m3ps) {
                    if let Target::Node(node) = target {
                        by_node_m3ps[*node as usize] += m3ps;
                    }
                }
                steps.push(((runoff.new_ms - runoff.old_ms) / 1000.0, by_node_m3ps));
            }
        }
        Self { steps }
    }
}

impl Assembled {
    /// Mean of sewage by node, m3/s.
    fn sewage_m3ps(&self, settings: &SyntheticSewerSettings, dry_m3ps: &[f64], joint: &[u32]) -> Vec<f64> {
        let mut by_node = vec![0.0; self.vertex.len()];
        if settings.has_sewage() {
            for (&vertex, &dry_m3ps) in joint.iter().zip(dry_m3ps) {
                by_node[self.node_of_vertex[vertex as usize] as usize] += dry_m3ps;
            }
        }
        by_node
    }
    fn simulation(&self, has_ground: bool) -> Simulation<'static> {
        let mut network = self.sewer.sewer.clone();
        network.dry_weather = DryWeather::default();
        if !has_ground {
            network.subcatchments = Subcatchments::default();
        }
        Simulation::stepwise(network)
    }
    /// Leads the runoff of a storm and the mean of sewage through the sewer, until some time after the storm; what came up by
    /// node, m3. Manholes have the rows that they had where the runoff was found.
    pub(super) fn try_runoff(
        &self,
        settings: &SyntheticSewerSettings,
        runoff: &StormRunoff,
        after_s: f64,
        (dry_m3ps, joint): (&[f64], &[u32]),
    ) -> Vec<f64> {
        let mut simulation = self.simulation(false);
        let sewage_m3ps = self.sewage_m3ps(settings, dry_m3ps, joint);
        let mut flooded = vec![0.0; sewage_m3ps.len()];
        let mut left_s = assemble::STORM_S + intervals(after_s) as f64 * storm::INTERVAL_S;
        for (seconds, by_node_m3ps) in &runoff.steps {
            for (node, sewage_m3ps) in sewage_m3ps.iter().enumerate() {
                let runoff_m3ps = by_node_m3ps.get(node).copied().unwrap_or(0.0);
                simulation.set_inflow_m3ps(node, sewage_m3ps + runoff_m3ps);
            }
            simulation.advance(*seconds);
            flooded.iter_mut().zip(simulation.flooded_m3()).for_each(|(all, of)| *all += of);
            left_s -= seconds;
            if left_s <= 0.0 {
                break;
            }
        }
        flooded
    }
    /// Runs a storm with the mean of sewage, and some time after it; what came up by node, m3.
    pub(super) fn run_storm(
        &mut self,
        settings: &SyntheticSewerSettings,
        storm: Storm,
        (dry_m3ps, joint): (&[f64], &[u32]),
        row: usize,
    ) -> Vec<f64> {
        let rain_mps = storm.rain_mps(settings);
        let mut simulation = self.simulation(true);
        let sewage_m3ps = self.sewage_m3ps(settings, dry_m3ps, joint);
        sewage_m3ps.iter().enumerate().for_each(|(node, &m3ps)| simulation.set_inflow_m3ps(node, m3ps));
        let mut flooded = vec![0.0; sewage_m3ps.len()];
        for &rain_mps in &rain_mps {
            simulation.set_rain_mps(&[rain_mps]);
            simulation.advance(storm::INTERVAL_S);
            flooded.iter_mut().zip(simulation.flooded_m3()).for_each(|(all, of)| *all += of);
        }
        let check = &mut self.sewer.checks[row];
        check.return_period_y = storm.return_period_y;
        check.rain_mm = 1000.0 * storm::INTERVAL_S * rain_mps.iter().sum::<f64>();
        check.flooded_nodes = flooded.iter().filter(|&&volume_m3| volume_m3 > DRY_M3).count() as u32;
        check.flooded_m3 = flooded.iter().sum();
        check.gap = simulation.balance().gap();
        flooded
    }
}
