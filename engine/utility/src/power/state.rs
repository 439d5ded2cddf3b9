//! What a solved grid shows as a whole: where its power goes, and its extremes.

use super::flow::PowerFlow;

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
}

impl Balance {
    /// Of a solved grid.
    #[must_use]
    pub fn of(flow: &PowerFlow) -> Self {
        let grid = flow.grid();
        let (branch_losses_w, shunt_losses_w) = flow.losses_w();
        let mut this = Self { branch_losses_w, shunt_losses_w, ..Self::default() };
        let mut is_counted = vec![false; flow.topology().bus_of_node.len()];
        for bus in 0..grid.buses.len() as u32 {
            let node = flow.topology().node(bus);
            if flow.is_source(bus) && !std::mem::replace(&mut is_counted[node as usize], true) {
                this.source_w += flow.source_power(bus).0;
            }
        }
        let of = &grid.generators;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            if flow.is_energised(of.bus[row]) && !flow.is_source(of.bus[row]) {
                this.generated_w += of.p_w[row];
            }
        }
        let of = &grid.loads;
        for row in (0..of.len()).filter(|&row| of.is_in_service[row]) {
            let served = flow.load_power(row as u32);
            match flow.is_energised(of.bus[row]) {
                true => this.served_w += served.0,
                false => this.unserved_w += of.p_w[row],
            }
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
