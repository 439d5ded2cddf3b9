//! What a solved grid shows as a whole: where its power goes, and its extremes.

use super::flow::{BranchFlow, PowerFlow};

/// Power of a solved grid, watts; shares of it that were shed count as neither load nor supply.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance {
    /// From slack buses.
    pub source_w: f64,
    /// From generators elsewhere.
    pub generated_w: f64,
    /// Taken by loads at their voltages; less where they feed in.
    pub served_w: f64,
    /// Loads without a source, at 1 per unit.
    pub unserved_w: f64,
    /// Lost in branches.
    pub branch_losses_w: f64,
    /// Taken by shunts.
    pub shunt_losses_w: f64,
    /// All that is drawn and fed in, whatever its sign: what rounding is measured against where both nearly cancel.
    pub turnover_w: f64,
}

impl Balance {
    /// Of a solved grid.
    #[must_use]
    pub fn of(flow: &PowerFlow) -> Self {
        let branches = 0..flow.grid().branches.len() as u32;
        Self::with(flow, &branches.map(|branch| flow.branch_flow(branch)).collect::<Vec<_>>())
    }
    /// Of a solved grid whose branch flows are at hand. Shape: branches.
    #[must_use]
    pub fn with(flow: &PowerFlow, flows: &[BranchFlow]) -> Self {
        let grid = flow.grid();
        let mut this = Self::default();
        let of = &grid.branches;
        for (row, flow_w) in flows.iter().enumerate().filter(|(_, flow_w)| !flow_w.p_from_w.is_nan()) {
            this.branch_losses_w += flow_w.p_from_w + flow_w.p_to_w;
            for (bus, into_w) in [(of.from[row], flow_w.p_from_w), (of.to[row], flow_w.p_to_w)] {
                this.source_w += if flow.is_source(bus) { into_w } else { 0.0 };
            }
        }
        let of = &grid.shunts;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let drawn_w = of.p_w[row] * flow.voltage(of.bus[row]).norm_sqr();
            this.shunt_losses_w += drawn_w;
            this.source_w += if flow.is_source(of.bus[row]) { drawn_w } else { 0.0 };
        }
        let of = &grid.generators;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            if flow.is_energised(of.bus[row]) && !flow.is_source(of.bus[row]) {
                this.generated_w += of.p_w[row];
                this.turnover_w += of.p_w[row].abs();
            }
        }
        let of = &grid.loads;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let drawn_w = flow.load_power(row as u32).0;
            match flow.is_energised(of.bus[row]) {
                true => {
                    this.served_w += drawn_w;
                    this.turnover_w += drawn_w.abs();
                }
                false => this.unserved_w += of.p_w[row],
            }
            this.source_w += if flow.is_source(of.bus[row]) { drawn_w } else { 0.0 };
        }
        this
    }
    /// What is supplied and neither served nor lost, watts: nothing but what the solve's tolerance leaves.
    #[must_use]
    pub fn residual_w(&self) -> f64 {
        self.source_w + self.generated_w - self.served_w - self.branch_losses_w - self.shunt_losses_w
    }
}

/// The ends of what a solved grid shows; each with its row, the first where several are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extremes {
    /// Lowest voltage of a bus with a source, per unit.
    pub lowest: Option<(f64, u32)>,
    /// Highest voltage.
    pub highest: Option<(f64, u32)>,
    /// Largest loading of a branch with a rating, percent.
    pub most_loaded: Option<(f64, u32)>,
}

impl Extremes {
    /// Of a solved grid.
    #[must_use]
    pub fn of(flow: &PowerFlow) -> Self {
        let mut this = Self::default();
        for bus in (0..flow.grid().buses.len() as u32).filter(|&bus| flow.is_energised(bus)) {
            let vm_pu = flow.voltage(bus).norm();
            if this.lowest.is_none_or(|(lowest, _)| vm_pu < lowest) {
                this.lowest = Some((vm_pu, bus));
            }
            if this.highest.is_none_or(|(highest, _)| vm_pu > highest) {
                this.highest = Some((vm_pu, bus));
            }
        }
        for branch in 0..flow.grid().branches.len() as u32 {
            let loading = flow.loading_percent(branch);
            if loading.is_finite() && this.most_loaded.is_none_or(|(most, _)| loading > most) {
                this.most_loaded = Some((loading, branch));
            }
        }
        this
    }
}
