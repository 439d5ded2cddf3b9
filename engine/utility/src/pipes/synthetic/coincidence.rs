//! How peaks of heat coincide. Of `n` equal customers each peaking at `P`, all together peak at `n P g(n)` with
//!
//! ```text
//! g(n) = min(1, a + b / (1 + (n / c)^d))      a 0.449677646  b 0.551234688  c 53.84382392  d 1.762743268
//! ```
//!
//! Source: W. Winter, T. Haslauer, I. Obernberger, Untersuchungen der Gleichzeitigkeit in kleinen und mittleren
//! Nahwärmenetzen, Euroheat & Power 9/10 2001, from measured networks of up to 200 customers; beyond, the curve is carried on. The
//! customers of gas that heat with it are taken to behave alike (an assumption; gas for cooking and process heat does not).
//!
//! Unequal customers count as `n = (sum P)^2 / sum(P^2)` equal ones (Kish's effective number), so a large customer is not
//! smoothed away by many small ones, and sets are joined by adding two sums. A building of several customers with a peak of
//! its own has `P_building = k P g(k)`; it is the peaks `P` of its customers that coincide with those of others.
//!
//! Contract: pure functions. A customer more never makes the peak of a set smaller.

use urbis_city::model::City;

const A: f64 = 0.449_677_646_267_461;
const B: f64 = 0.551_234_688;
const C: f64 = 53.843_823_92;
const D: f64 = 1.762_743_268;
/// Floor area that stands for a customer where no dwellings are counted, m2: an assumption.
const OTHER_CUSTOMER_M2: f64 = 500.0;

/// Share of the sum of their own peaks at which `n` equal customers peak together.
#[must_use]
pub fn share(n: f64) -> f64 {
    (A + B / (1.0 + (n.max(1.0) / C).powf(D))).min(1.0)
}

/// Share at which countless customers peak together.
pub const SHARE_OF_COUNTLESS: f64 = A;

/// Customers of each building: its dwellings, or where none are counted one for each 500 m2. Shape: buildings.
#[must_use]
pub fn customers(city: &City) -> Vec<u32> {
    let table = &city.buildings;
    let of = |row: usize| match table.dwellings[row] {
        0 => (table.floor_area_m2[row] / OTHER_CUSTOMER_M2).clamp(1.0, 1e6) as u32,
        dwellings => dwellings,
    };
    (0..table.len()).map(of).collect()
}

/// Own peaks of buildings of which a profile says only their part in the peak of countless, W: what a profile has is the
/// mean of many, each of whom peaks higher at another moment. Shape: buildings.
#[must_use]
pub fn own_peaks_w(city: &City, part_w: &[f64]) -> Vec<f64> {
    let of = |(&part_w, customers): (&f64, u32)| part_w * share(f64::from(customers.max(1))) / SHARE_OF_COUNTLESS;
    part_w.iter().zip(customers(city)).map(of).collect()
}

/// Customers that peak together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Sum of the peaks of customers, W.
    pub linear_w: f64,
    /// Sum of their squares, W2.
    pub square_w2: f64,
}

impl Sums {
    /// Of a building with a peak of its own and so many equal customers.
    #[must_use]
    pub fn of_building(peak_w: f64, customers: u32) -> Self {
        let n = f64::from(customers.max(1));
        let linear_w = peak_w / share(n);
        Self { linear_w, square_w2: linear_w * linear_w / n }
    }
    /// Takes others in.
    pub fn add(&mut self, other: &Self) {
        self.linear_w += other.linear_w;
        self.square_w2 += other.square_w2;
    }
    /// Share of the sum of their peaks at which they peak together.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.square_w2 > 0.0 { share(self.linear_w * self.linear_w / self.square_w2) } else { 1.0 }
    }
    /// Their peak together, W.
    #[must_use]
    pub fn peak_w(&self) -> f64 {
        self.linear_w * self.share()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_curve() {
        // Read off the published diagram: one customer peaks alone, 200 at about half.
        assert!((share(1.0) - 1.0).abs() < 1e-3 && (share(200.0) - 0.50).abs() < 0.01, "{}", share(200.0));
        assert!((share(54.0) - (A + 0.5 * B)).abs() < 1e-3);
        assert!((share(1e9) - SHARE_OF_COUNTLESS).abs() < 1e-6);
    }

    #[test]
    fn sets_grow_and_big_customers_stay() {
        let mut set = Sums::of_building(1e6, 1);
        assert!((set.peak_w() - 1e6).abs() < 1e-3);
        let mut before = set.peak_w();
        for nth in 0..3000_u32 {
            set.add(&Sums::of_building(if nth.is_multiple_of(7) { 300e3 } else { 10e3 }, 1 + nth % 5));
            assert!(set.peak_w() > before, "{nth}");
            before = set.peak_w();
        }
        // Equal ones are the curve itself; a building of four customers is four of them.
        let mut equal = Sums::default();
        (0..100).for_each(|_| equal.add(&Sums::of_building(5e3, 1)));
        assert!((equal.peak_w() / (100.0 * 5e3 * share(100.0)) - 1.0).abs() < 1e-12);
        let mut blocks = Sums::default();
        (0..25).for_each(|_| blocks.add(&Sums::of_building(4.0 * 5e3 * share(4.0), 4)));
        assert!((blocks.peak_w() / equal.peak_w() - 1.0).abs() < 1e-12);
    }
}
