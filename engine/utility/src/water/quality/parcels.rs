//! Parcels of water in a row, each of one quality: what is in a pipe from its outlet to its inlet, and in a tank from where
//! water leaves to where it comes in. All rows share one pool, so that parcels come and go without allocation once the pool
//! has its size.
//!
//! Contract: sequential; no allocation but the pool's growth to the largest number of parcels.

/// No parcel.
const NONE: u32 = u32::MAX;

/// Rows of parcels.
#[derive(Clone, Debug)]
pub(super) struct Parcels {
    volume_m3: Vec<f64>,
    quality: Vec<f64>,
    /// The parcel behind, towards the inlet.
    behind: Vec<u32>,
    /// First of the unused ones.
    free: u32,
    /// By row: the parcel at the outlet.
    first: Vec<u32>,
    /// By row: the parcel at the inlet.
    last: Vec<u32>,
}

impl Parcels {
    /// Empty rows.
    pub(super) fn new(rows: usize) -> Self {
        Self {
            volume_m3: Vec::with_capacity(8 * rows),
            quality: Vec::with_capacity(8 * rows),
            behind: Vec::with_capacity(8 * rows),
            free: NONE,
            first: vec![NONE; rows],
            last: vec![NONE; rows],
        }
    }

    fn new_parcel(&mut self, volume_m3: f64, quality: f64, behind: u32) -> u32 {
        if self.free == NONE {
            self.volume_m3.push(volume_m3);
            self.quality.push(quality);
            self.behind.push(behind);
            return self.behind.len() as u32 - 1;
        }
        let at = self.free;
        self.free = self.behind[at as usize];
        self.volume_m3[at as usize] = volume_m3;
        self.quality[at as usize] = quality;
        self.behind[at as usize] = behind;
        at
    }

    /// A parcel of its own at the inlet.
    pub(super) fn push(&mut self, row: usize, volume_m3: f64, quality: f64) {
        let at = self.new_parcel(volume_m3, quality, NONE);
        match self.last[row] {
            NONE => self.first[row] = at,
            last => self.behind[last as usize] = at,
        }
        self.last[row] = at;
    }

    /// Water at the inlet: part of the parcel there where their qualities are closer than a tolerance.
    pub(super) fn add(&mut self, row: usize, volume_m3: f64, quality: f64, tolerance: f64) {
        if !self.blended(self.last[row], volume_m3, quality, tolerance) {
            self.push(row, volume_m3, quality);
        }
    }

    /// Water at the outlet, where it will be the first to leave.
    pub(super) fn add_at_outlet(&mut self, row: usize, volume_m3: f64, quality: f64, tolerance: f64) {
        if self.blended(self.first[row], volume_m3, quality, tolerance) {
            return;
        }
        let at = self.new_parcel(volume_m3, quality, self.first[row]);
        if self.last[row] == NONE {
            self.last[row] = at;
        }
        self.first[row] = at;
    }

    fn blended(&mut self, at: u32, volume_m3: f64, quality: f64, tolerance: f64) -> bool {
        if at == NONE || (self.quality[at as usize] - quality).abs() >= tolerance {
            return false;
        }
        let at = at as usize;
        let sum = self.volume_m3[at] + volume_m3;
        if sum > 0.0 {
            self.quality[at] = (self.quality[at] * self.volume_m3[at] + quality * volume_m3) / sum;
        }
        self.volume_m3[at] = sum;
        true
    }

    /// Takes water from the outlet; how much there was, and its quality times volume.
    pub(super) fn take(&mut self, row: usize, volume_m3: f64) -> (f64, f64) {
        let (mut left, mut taken, mut mass) = (volume_m3, 0.0, 0.0);
        while left > 0.0 && self.first[row] != NONE {
            let at = self.first[row] as usize;
            let part = self.volume_m3[at].min(left);
            taken += part;
            mass += part * self.quality[at];
            left -= part;
            if part < self.volume_m3[at] {
                self.volume_m3[at] -= part;
                break;
            }
            self.first[row] = self.behind[at];
            if self.first[row] == NONE {
                self.last[row] = NONE;
            }
            self.behind[at] = self.free;
            self.free = at as u32;
        }
        (taken, mass)
    }

    /// Turns a row round: its inlet becomes its outlet.
    pub(super) fn turn(&mut self, row: usize) {
        let (mut at, mut before) = (self.first[row], NONE);
        self.last[row] = at;
        while at != NONE {
            let next = std::mem::replace(&mut self.behind[at as usize], before);
            before = at;
            at = next;
        }
        self.first[row] = before;
    }

    /// Changes the quality of each parcel; the sum of what each lost times its volume.
    pub(super) fn react(&mut self, row: usize, react: impl Fn(f64) -> f64) -> f64 {
        let (mut at, mut lost) = (self.first[row], 0.0);
        while at != NONE {
            let quality = self.quality[at as usize];
            let now = react(quality);
            self.quality[at as usize] = now;
            lost += (quality - now) * self.volume_m3[at as usize];
            at = self.behind[at as usize];
        }
        lost
    }

    /// Volume and volume times quality of a row.
    pub(super) fn sums(&self, row: usize) -> (f64, f64) {
        let (mut at, mut volume, mut mass) = (self.first[row], 0.0, 0.0);
        while at != NONE {
            volume += self.volume_m3[at as usize];
            mass += self.volume_m3[at as usize] * self.quality[at as usize];
            at = self.behind[at as usize];
        }
        (volume, mass)
    }

    /// Volume and quality of the parcel at the outlet.
    pub(super) fn at_outlet(&self, row: usize) -> Option<(f64, f64)> {
        self.parcel(self.first[row])
    }
    /// Volume and quality of the parcel at the inlet.
    pub(super) fn at_inlet(&self, row: usize) -> Option<(f64, f64)> {
        self.parcel(self.last[row])
    }
    fn parcel(&self, at: u32) -> Option<(f64, f64)> {
        (at != NONE).then(|| (self.volume_m3[at as usize], self.quality[at as usize]))
    }
    /// Sets the parcel at the outlet.
    pub(super) fn set_outlet(&mut self, row: usize, (volume_m3, quality): (f64, f64)) {
        self.set(self.first[row], volume_m3, quality);
    }
    /// Sets the parcel at the inlet.
    pub(super) fn set_inlet(&mut self, row: usize, (volume_m3, quality): (f64, f64)) {
        self.set(self.last[row], volume_m3, quality);
    }
    fn set(&mut self, at: u32, volume_m3: f64, quality: f64) {
        if at != NONE {
            self.volume_m3[at as usize] = volume_m3;
            self.quality[at as usize] = quality;
        }
    }
    /// How many parcels there is room for without allocation.
    #[cfg(test)]
    pub(super) fn pool(&self) -> usize {
        self.behind.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_at_one_end_and_out_at_the_other() {
        let mut parcels = Parcels::new(2);
        parcels.push(1, 2.0, 1.0);
        parcels.add(1, 3.0, 5.0, 0.1);
        parcels.add(1, 1.0, 5.05, 0.1);
        assert!((parcels.sums(1).0 - 6.0).abs() < 1e-12);
        assert_eq!(parcels.take(1, 3.0), (3.0, 2.0 + parcels.at_outlet(1).unwrap().1));
        parcels.add_at_outlet(1, 1.0, 9.0, 0.1);
        parcels.turn(1);
        assert_eq!(parcels.at_inlet(1), Some((1.0, 9.0)));
        assert!((parcels.take(1, 10.0).0 - 4.0).abs() < 1e-12);
        assert_eq!((parcels.at_outlet(1), parcels.at_inlet(1), parcels.take(0, 1.0)), (None, None, (0.0, 0.0)));
        let pool = parcels.pool();
        for _ in 0..100 {
            parcels.push(0, 1.0, 1.0);
            parcels.take(0, 1.0);
        }
        assert_eq!(parcels.pool(), pool, "parcels are used again");
    }
}
