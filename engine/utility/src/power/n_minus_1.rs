//! N-1: what becomes of a grid when one branch after the other is out.
//!
//! Every outage starts from the voltages of the whole grid, so that results do not depend on the order of outages or on
//! threads. Parts of the grid that lose their source are counted with their loads; the rest is solved.

use super::flow::{Method, Outcome, PowerFlow};
use super::newton::NewtonSettings;
use super::state::Extremes;
use urbis_core::chunks::map_chunks;

/// Outages that one thread takes at a time.
const CHUNK_OUTAGES: usize = 16;

/// The grid without one branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// The branch.
    pub branch: u32,
    /// How the solve ended.
    pub outcome: Outcome,
    /// Buses that have lost their source with it.
    pub lost_buses: u32,
    /// Loads at them.
    pub lost_loads: u32,
    /// Active power of these loads at 1 per unit, watts.
    pub lost_w: f64,
    /// Lowest voltage that is left, per unit, and its bus; none where nothing is energised.
    pub lowest: Option<(f64, u32)>,
    /// Highest voltage, per unit, and its bus.
    pub highest: Option<(f64, u32)>,
    /// Largest loading, percent of the rating, and its branch; none where no rating is known.
    pub most_loaded: Option<(f64, u32)>,
}

/// Solves a grid, whose voltages are solved already, without each of these branches. Branches that are open, or have no
/// impedance and so join two buses to one, can be asked for too.
#[must_use]
pub fn outages(flow: &PowerFlow, branches: &[u32], method: Method, settings: &NewtonSettings) -> Vec<Outage> {
    let of_chunk = |range: std::ops::Range<usize>| {
        let mut without = flow.clone();
        let of_one = |&branch: &u32| {
            without.set_branch_in_service(branch, false);
            let outcome = without.solve(method, settings);
            let outage = describe(flow, &without, branch, outcome);
            if flow.grid().branches.row(branch as usize).has_no_impedance() {
                // Its buses came apart, which is another pattern.
                without = flow.clone();
            } else {
                without.set_branch_in_service(branch, flow.grid().branches.is_in_service[branch as usize]);
                without.take_voltages(flow);
            }
            outage
        };
        branches[range].iter().map(of_one).collect::<Vec<_>>()
    };
    map_chunks(branches.len(), CHUNK_OUTAGES, of_chunk).concat()
}

fn describe(whole: &PowerFlow, without: &PowerFlow, branch: u32, outcome: Outcome) -> Outage {
    let loses = |bus: u32| whole.is_energised(bus) && !without.is_energised(bus);
    let loads = &whole.grid().loads;
    let lost = (0..loads.len()).filter(|&load| loads.is_in_service[load] && loses(loads.bus[load]));
    let (mut lost_loads, mut lost_w) = (0, 0.0);
    lost.for_each(|load| {
        lost_loads += 1;
        lost_w += loads.p_w[load];
    });
    let extremes = Extremes::of(without);
    Outage {
        branch,
        outcome,
        lost_buses: (0..whole.grid().buses.len() as u32).filter(|&bus| loses(bus)).count() as u32,
        lost_loads,
        lost_w,
        lowest: extremes.lowest,
        highest: extremes.highest,
        most_loaded: extremes.most_loaded,
    }
}
