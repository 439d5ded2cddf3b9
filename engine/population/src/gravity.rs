//! Doubly-constrained gravity: flows between origins and destinations whose row sums are what the origins send and
//! whose column sums are what the destinations take.
//!
//! `T_ij = a_i O_i b_j D_j f_ij` (Wilson 1971); the balancing factors come from alternating rows and columns
//! (Furness 1965) until both sums hold. Rows of origins that reach no destination stay empty and are counted, as are
//! columns that nobody reaches: no flow is put where the deterrence says there is none.
//!
//! Contract: rows run in parallel, column sums reduce in order of constant chunks, so the factors are the same bits
//! on any number of threads.

use urbis_core::chunks::map_chunks;

/// Rows of a chunk: constant, so that column sums do not depend on threads.
const ROWS: usize = 32;

/// Balancing factors and how well they balance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Balance {
    /// `a_i O_i`. Shape: origins.
    pub row_factor: Vec<f64>,
    /// `b_j D_j`. Shape: destinations.
    pub column_factor: Vec<f64>,
    /// Iterations that were needed.
    pub iterations: u32,
    /// Largest difference of a row sum from its origin, in parts of it; origins that reach nothing left out.
    pub row_error: f64,
    /// Largest difference of a column sum from its destination, in parts of it; destinations that nobody reaches left out.
    pub column_error: f64,
    /// Origins with flow that reach no destination.
    pub stranded_origins: Vec<u32>,
    /// Destinations with demand that no origin reaches.
    pub unreached_destinations: Vec<u32>,
}

impl Balance {
    /// The flow from an origin to a destination.
    #[must_use]
    pub fn flow(&self, deterrence: &[f32], origin: usize, destination: usize) -> f64 {
        let f = f64::from(deterrence[origin * self.column_factor.len() + destination]);
        self.row_factor[origin] * f * self.column_factor[destination]
    }
}

/// Balances. `deterrence` holds `f_ij` row by row (origins x destinations), 0 where there is no way. The
/// destinations are scaled to the sum of the origins first; whoever wants to know of a difference compares before.
/// Stops when both errors are at most `tolerance` or after `iterations_max`; the errors tell which.
///
/// Panics when `deterrence` has another shape.
#[must_use]
pub fn doubly_constrained(
    origins: &[f64],
    destinations: &[f64],
    deterrence: &[f32],
    tolerance: f64,
    iterations_max: u32,
) -> Balance {
    let (rows, columns) = (origins.len(), destinations.len());
    assert_eq!(deterrence.len(), rows * columns, "deterrence is origins x destinations");
    let (sent, taken): (f64, f64) = (origins.iter().sum(), destinations.iter().sum());
    let scale = if taken > 0.0 { sent / taken } else { 0.0 };
    let wanted: Vec<f64> = destinations.iter().map(|count| count * scale).collect();
    let mut balance = Balance { column_factor: wanted.clone(), row_factor: vec![0.0; rows], ..Balance::default() };
    for iteration in 1..=iterations_max.max(1) {
        balance.iterations = iteration;
        // Rows first; the sums of columns follow from the same pass.
        let parts = map_chunks(rows, ROWS, |range| {
            let mut factors = Vec::with_capacity(range.len());
            let mut sums = vec![0.0; columns];
            for row in range {
                let of_row = &deterrence[row * columns..(row + 1) * columns];
                let reach: f64 = of_row.iter().zip(&balance.column_factor).map(|(&f, b)| f64::from(f) * b).sum();
                let factor = if reach > 0.0 { origins[row] / reach } else { 0.0 };
                if factor > 0.0 {
                    for ((sum, &f), b) in sums.iter_mut().zip(of_row).zip(&balance.column_factor) {
                        *sum += factor * f64::from(f) * b;
                    }
                }
                factors.push(factor);
            }
            (factors, sums)
        });
        let mut sums = vec![0.0; columns];
        balance.row_factor.clear();
        for (factors, part) in parts {
            balance.row_factor.extend(factors);
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        let error = |(&sum, &want): (&f64, &f64)| if want > 0.0 && sum > 0.0 { (sum / want - 1.0).abs() } else { 0.0 };
        balance.column_error = sums.iter().zip(&wanted).map(error).fold(0.0, f64::max);
        if balance.column_error <= tolerance || iteration == iterations_max.max(1) {
            let lost =
                |(row, (&count, &factor)): (usize, (&f64, &f64))| (count > 0.0 && factor <= 0.0).then_some(row as u32);
            balance.stranded_origins = origins.iter().zip(&balance.row_factor).enumerate().filter_map(lost).collect();
            balance.unreached_destinations = wanted.iter().zip(&sums).enumerate().filter_map(lost).collect();
            break;
        }
        for ((factor, &sum), &want) in balance.column_factor.iter_mut().zip(&sums).zip(&wanted) {
            if sum > 0.0 {
                *factor *= want / sum;
            }
        }
    }
    // Rows were balanced last, so what is left of their error is rounding.
    let errors = map_chunks(rows, ROWS, |range| {
        range
            .map(|row| {
                let sum: f64 = (0..columns).map(|column| balance.flow(deterrence, row, column)).sum();
                if sum > 0.0 { (sum / origins[row] - 1.0).abs() } else { 0.0 }
            })
            .fold(0.0, f64::max)
    });
    balance.row_error = errors.into_iter().fold(0.0, f64::max);
    balance
}

/// Radiation model (Simini et al. 2012): the share of those who leave `origin` that goes to each place, from the
/// opportunities that lie nearer. No parameter; `opportunities` are the same kind at both ends (people, or jobs).
///
/// `p_ij = m_i n_j / ((m_i + s_ij)(m_i + n_j + s_ij))`, with `s_ij` the opportunities within the distance of `j` but
/// neither at `i` nor at `j`, divided by its sum over the places (finite cities, Masucci et al. 2013). Places
/// equally far count in order of their number. Shape of the answer: places; all zero when nobody else has
/// opportunities.
#[must_use]
pub fn radiation(origin: usize, opportunities: &[f64], distance: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..opportunities.len()).filter(|&place| place != origin).collect();
    order.sort_by(|&a, &b| distance[a].total_cmp(&distance[b]).then(a.cmp(&b)));
    let m = opportunities[origin];
    let mut nearer = 0.0;
    let mut shares = vec![0.0; opportunities.len()];
    for place in order {
        let n = opportunities[place];
        if distance[place].is_finite() && n > 0.0 {
            // Somebody from a place without opportunities of its own takes the first that lies nearest.
            shares[place] =
                if m > 0.0 { m * n / ((m + nearer) * (m + n + nearer)) } else { f64::from(u8::from(nearer <= 0.0)) };
            nearer += n;
        }
    }
    let total: f64 = shares.iter().sum();
    if total > 0.0 {
        shares.iter_mut().for_each(|share| *share /= total);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use urbis_core::rng::Rng;

    fn sums(balance: &Balance, deterrence: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let (rows, columns) = (balance.row_factor.len(), balance.column_factor.len());
        let row = |row| (0..columns).map(|column| balance.flow(deterrence, row, column)).sum();
        let column = |column| (0..rows).map(|row| balance.flow(deterrence, row, column)).sum();
        ((0..rows).map(row).collect(), (0..columns).map(column).collect())
    }

    #[test]
    fn two_by_two_by_hand() {
        // Odds ratio (1 x 1) / (0.5 x 0.5) = 4 stays; equal margins of 30: x^2 / (30 - x)^2 = 4, so x = 20.
        let f = [1.0, 0.5, 0.5, 1.0];
        let balance = doubly_constrained(&[30.0, 30.0], &[30.0, 30.0], &f, 1e-12, 100);
        assert!((balance.flow(&f, 0, 0) - 20.0).abs() < 1e-9 && (balance.flow(&f, 0, 1) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn sums_hold_on_random_cities() {
        let mut rng = Rng::new(5, 0, 0, 0);
        for size in [1_usize, 7, 120] {
            let origins: Vec<f64> = (0..size).map(|_| rng.uniform() * 1000.0).collect();
            let destinations: Vec<f64> = (0..size).map(|_| rng.uniform() * 50.0).collect();
            let f: Vec<f32> = (0..size * size).map(|_| (-8.0 * rng.uniform()).exp() as f32).collect();
            let balance = doubly_constrained(&origins, &destinations, &f, 1e-9, 2000);
            assert!(balance.row_error < 1e-9 && balance.column_error <= 1e-9, "{size}: {balance:?}");
            let (rows, columns) = sums(&balance, &f);
            let scale = origins.iter().sum::<f64>() / destinations.iter().sum::<f64>();
            assert!(rows.iter().zip(&origins).all(|(sum, want)| (sum - want).abs() <= 1e-6 * want));
            assert!(
                columns.iter().zip(&destinations).all(|(sum, want)| (sum - want * scale).abs() <= 1e-6 * want * scale)
            );
        }
    }

    #[test]
    fn who_reaches_nothing_is_told() {
        let f = [1.0, 0.0, 0.0, 0.0];
        let balance = doubly_constrained(&[5.0, 3.0], &[5.0, 3.0], &f, 1e-9, 50);
        assert_eq!((balance.stranded_origins, balance.unreached_destinations), (vec![1], vec![1]));
    }

    #[test]
    fn factors_do_not_depend_on_threads() {
        let mut rng = Rng::new(6, 0, 0, 0);
        let count: Vec<f64> = (0..150).map(|_| rng.uniform()).collect();
        let f: Vec<f32> = (0..150 * 150).map(|_| rng.uniform() as f32).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| doubly_constrained(&count, &count, &f, 1e-9, 100))
        };
        let one = on(1);
        assert!([2, 3, 8].into_iter().all(|threads| on(threads) == one));
    }

    #[test]
    fn radiation_by_hand() {
        // m = 10; the nearer place has 10: 10 x 10 / (10 x 20) = 1/2; the farther 20: 10 x 20 / (20 x 40) = 1/4.
        let shares = radiation(0, &[10.0, 20.0, 10.0], &[0.0, 9.0, 4.0]);
        assert!((shares[2] - 2.0 / 3.0).abs() < 1e-12 && (shares[1] - 1.0 / 3.0).abs() < 1e-12);
        assert!(shares[0].abs() < 1e-12);
        assert!(radiation(0, &[1.0, 5.0], &[0.0, f32::INFINITY]).iter().all(|share| *share <= 0.0));
    }
}
