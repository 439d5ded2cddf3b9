//! Iterative proportional fitting of a table of any number of dimensions to margins over any of its axes (Deming and
//! Stephan 1940; Ireland and Kullback 1968: of all tables with these margins the one of least information against the
//! seed, which keeps the seed's odds ratios).
//!
//! ```text
//! x <- x * m_k(c) / sum of x over the cells of c     for every margin k and its cells c, until nothing moves
//! ```
//!
//! A cell of the seed that is zero stays zero. A margin cell with a positive total but nothing in the seed under it
//! cannot be met: it is listed in [`Fit::unsupported`]. A zero total empties its cells. Margins whose sums differ are
//! fitted in order, so the last one holds; their sums are in [`Fit::sums`] for the caller to complain about.
//!
//! Contract: pure, single-threaded (callers run one table for each zone in parallel), deterministic.

use std::fmt;

/// Totals over some axes of a table.
#[derive(Clone, Copy, Debug)]
pub struct Margin<'a> {
    /// The axes the totals keep, increasing; all others are summed over.
    pub axes: &'a [usize],
    /// Totals, row-major over the kept axes.
    pub totals: &'a [f64],
}

/// A fitted table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fit {
    /// Cells, row-major.
    pub cells: Vec<f64>,
    /// Iterations over all margins.
    pub iterations: u32,
    /// Largest deviation of a supported margin cell, as a share of its total (or of one, if that is larger).
    pub worst: f64,
    /// Whether `worst` is within the tolerance.
    pub converged: bool,
    /// Margin cells that no positive cell of the seed lies under: margin, cell, total that is lost.
    pub unsupported: Vec<(usize, usize, f64)>,
    /// Sum of each margin.
    pub sums: Vec<f64>,
}

/// A question that cannot be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Cells of the seed and the product of the shape.
    Shape(usize, usize),
    /// Margin, its totals, and the product of its axes.
    MarginShape(usize, usize, usize),
    /// Margin and an axis that is not there or out of order.
    Axis(usize, usize),
    /// A value that is negative or not finite, with its place in words.
    Value(&'static str, usize, f64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(cells, expected) => write!(f, "the seed has {cells} cells, expected {expected}"),
            Self::MarginShape(margin, totals, expected) => {
                write!(f, "margin {margin} has {totals} totals, expected {expected}")
            }
            Self::Axis(margin, axis) => write!(f, "margin {margin}: axis {axis} is unknown or not in increasing order"),
            Self::Value(what, cell, value) => write!(f, "{what} cell {cell} = {value}, expected a finite number >= 0"),
        }
    }
}

impl std::error::Error for Fault {}

/// Fits `seed` of the given shape (row-major) to the margins until no margin cell deviates by more than `tolerance`, as
/// a share of its total, or `max_iterations` are over.
///
/// # Errors
/// When shapes do not fit, or a value is negative or not finite.
pub fn fit(
    shape: &[usize],
    seed: &[f64],
    margins: &[Margin<'_>],
    tolerance: f64,
    max_iterations: u32,
) -> Result<Fit, Fault> {
    let size: usize = shape.iter().product();
    if seed.len() != size {
        return Err(Fault::Shape(seed.len(), size));
    }
    all_valid("seed", seed)?;
    let mut of_cell = Vec::with_capacity(margins.len());
    for (margin, of) in margins.iter().enumerate() {
        of_cell.push(margin_cells(shape, margin, of)?);
        all_valid("margin", of.totals)?;
    }
    let mut fit = Fit { cells: seed.to_vec(), ..Fit::default() };
    fit.sums = margins.iter().map(|margin| margin.totals.iter().sum()).collect();
    for (margin, (of, cells)) in margins.iter().zip(&of_cell).enumerate() {
        let sums = sums(&fit.cells, cells, of.totals.len());
        let lost = sums.iter().zip(of.totals).enumerate().filter(|(_, (sum, total))| **sum <= 0.0 && **total > 0.0);
        fit.unsupported.extend(lost.map(|(cell, (_, &total))| (margin, cell, total)));
    }
    for _ in 0..max_iterations {
        for (of, cells) in margins.iter().zip(&of_cell) {
            let sums = sums(&fit.cells, cells, of.totals.len());
            let factor: Vec<f64> =
                sums.iter().zip(of.totals).map(|(&sum, &total)| if sum > 0.0 { total / sum } else { 0.0 }).collect();
            fit.cells.iter_mut().zip(cells).for_each(|(cell, &at)| *cell *= factor[at as usize]);
        }
        fit.iterations += 1;
        fit.worst = worst(&fit.cells, margins, &of_cell);
        if fit.worst <= tolerance {
            break;
        }
    }
    fit.converged = fit.worst <= tolerance;
    Ok(fit)
}

fn all_valid(what: &'static str, values: &[f64]) -> Result<(), Fault> {
    match values.iter().position(|value| !value.is_finite() || *value < 0.0) {
        Some(cell) => Err(Fault::Value(what, cell, values[cell])),
        None => Ok(()),
    }
}

/// The margin cell of every cell of the table.
fn margin_cells(shape: &[usize], margin: usize, of: &Margin<'_>) -> Result<Vec<u32>, Fault> {
    for (at, &axis) in of.axes.iter().enumerate() {
        if axis >= shape.len() || (at > 0 && of.axes[at - 1] >= axis) {
            return Err(Fault::Axis(margin, axis));
        }
    }
    let expected: usize = of.axes.iter().map(|&axis| shape[axis]).product();
    if of.totals.len() != expected {
        return Err(Fault::MarginShape(margin, of.totals.len(), expected));
    }
    let size: usize = shape.iter().product();
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let at = |cell: usize| {
        of.axes.iter().fold(0, |at, &axis| at * shape[axis] + cell / strides[axis].max(1) % shape[axis].max(1))
    };
    Ok((0..size).map(|cell| at(cell) as u32).collect())
}

fn sums(cells: &[f64], of_cell: &[u32], margin_cells: usize) -> Vec<f64> {
    let mut sums = vec![0.0; margin_cells];
    cells.iter().zip(of_cell).for_each(|(cell, &at)| sums[at as usize] += cell);
    sums
}

fn worst(cells: &[f64], margins: &[Margin<'_>], of_cell: &[Vec<u32>]) -> f64 {
    let mut worst: f64 = 0.0;
    for (of, at) in margins.iter().zip(of_cell) {
        for (sum, total) in sums(cells, at, of.totals.len()).into_iter().zip(of.totals) {
            if sum > 0.0 {
                worst = worst.max((sum - total).abs() / total.max(1.0));
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: of the seed 1 in the corner pairs and 2 on the diagonal, one step for rows (20, 30, 50) divides
    /// them as 10:5:5, 7.5:15:7.5, 12.5:12.5:25; columns then sum to 30, 32.5, 37.5.
    #[test]
    fn a_table_of_three_by_three() {
        let seed = [2.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 2.0];
        let (rows, columns) = ([20.0, 30.0, 50.0], [35.0, 40.0, 25.0]);
        let margins = [Margin { axes: &[0], totals: &rows }, Margin { axes: &[1], totals: &columns }];
        let one = fit(&[3, 3], &seed, &margins[..1], 1e-12, 1).unwrap();
        assert_eq!(one.cells, [10.0, 5.0, 5.0, 7.5, 15.0, 7.5, 12.5, 12.5, 25.0]);
        let one = fit(&[3, 3], &seed, &margins, 1e-12, 1).unwrap();
        for (cell, by_hand) in one.cells.iter().zip([
            10.0 * 35.0 / 30.0,
            5.0 * 40.0 / 32.5,
            5.0 * 25.0 / 37.5,
            7.5 * 35.0 / 30.0,
            15.0 * 40.0 / 32.5,
            7.5 * 25.0 / 37.5,
            12.5 * 35.0 / 30.0,
            12.5 * 40.0 / 32.5,
            25.0 * 25.0 / 37.5,
        ]) {
            assert!((cell - by_hand).abs() < 1e-12);
        }
        let fitted = fit(&[3, 3], &seed, &margins, 1e-10, 1000).unwrap();
        assert!(fitted.converged, "{fitted:?}");
        let x = &fitted.cells;
        for k in 0..3 {
            assert!((x[3 * k..3 * k + 3].iter().sum::<f64>() - rows[k]).abs() < 1e-8);
            assert!((x[k] + x[k + 3] + x[k + 6] - columns[k]).abs() < 1e-8);
        }
        // Odds ratios are those of the seed.
        assert!((x[0] * x[4] / (x[1] * x[3]) - 4.0).abs() < 1e-8 && (x[0] * x[8] / (x[2] * x[6]) - 4.0).abs() < 1e-8);
    }

    #[test]
    fn three_dimensions_and_a_joint_margin() {
        let seed: Vec<f64> = (0..24).map(|cell| 1.0 + f64::from(cell * 7 % 5)).collect();
        let target: Vec<f64> = (0..24).map(|cell| 1.0 + f64::from(cell * 5 % 7)).collect();
        let total = |axes: &[usize]| {
            let size: usize = axes.iter().map(|&axis| [2, 3, 4][axis]).product();
            let at = margin_cells(&[2, 3, 4], 0, &Margin { axes, totals: &vec![0.0; size] }).unwrap();
            sums(&target, &at, size)
        };
        let (joint, last) = (total(&[0, 1]), total(&[2]));
        let margins = [Margin { axes: &[0, 1], totals: &joint }, Margin { axes: &[2], totals: &last }];
        let fitted = fit(&[2, 3, 4], &seed, &margins, 1e-10, 1000).unwrap();
        assert!(fitted.converged && fitted.unsupported.is_empty());
        assert!((fitted.cells.iter().sum::<f64>() - target.iter().sum::<f64>()).abs() < 1e-7);
    }

    #[test]
    fn zeros_and_contradictions_are_said() {
        let rows = Margin { axes: &[0], totals: &[0.0, 10.0] };
        let columns = Margin { axes: &[1], totals: &[5.0, 5.0] };
        let fitted = fit(&[2, 2], &[1.0, 1.0, 1.0, 0.0], &[rows, columns], 1e-9, 50).unwrap();
        assert!(!fitted.converged, "the second column is empty once the first row is: {fitted:?}");
        let fitted = fit(&[2, 2], &[1.0, 0.0, 1.0, 0.0], &[columns], 1e-9, 50).unwrap();
        assert_eq!(fitted.unsupported, [(0, 1, 5.0)]);
        let fitted = fit(&[2, 2], &[1.0; 4], &[Margin { axes: &[0], totals: &[1.0, 1.0] }, columns], 1e-9, 50).unwrap();
        assert_eq!((fitted.sums, fitted.converged), (vec![2.0, 10.0], false));
        assert_eq!(fit(&[2, 2], &[1.0; 3], &[], 1e-9, 1).unwrap_err(), Fault::Shape(3, 4));
        assert!(fit(&[2], &[1.0, -1.0], &[], 1e-9, 1).unwrap_err().to_string().contains("seed cell 1 = -1"));
        assert!(matches!(fit(&[2], &[1.0; 2], &[rows, columns], 1e-9, 1).unwrap_err(), Fault::Axis(1, 1)));
    }
}
