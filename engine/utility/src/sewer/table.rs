//! Curves and time series: pairs of x and y with x going up, and how SWMM looks a value up in them.
//!
//! Source: Reference Manual Vol. II, chapters 2 and 6. Contract: pure functions of a table and x; a table has at least one
//! row, as the reader makes sure; an empty one gives 0.

/// Pairs of x and y, x going up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Where.
    pub x: Vec<f64>,
    /// What.
    pub y: Vec<f64>,
}

impl Table {
    /// First row whose x is above `x`, or the number of rows.
    fn above(&self, x: f64) -> usize {
        self.x.partition_point(|&at| at <= x)
    }
    fn between(&self, row: usize, x: f64) -> f64 {
        let (x1, x2, y1, y2) = (self.x[row - 1], self.x[row], self.y[row - 1], self.y[row]);
        if x2 > x1 { y1 + (x - x1) * (y2 - y1) / (x2 - x1) } else { y1 }
    }
    /// Linear between rows, the nearest row's value outside.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        match self.above(x) {
            0 => self.y.first().copied().unwrap_or(0.0),
            row if row == self.x.len() => self.y[row - 1],
            row => self.between(row, x),
        }
    }
    /// Linear between rows, 0 outside: a time series of inflow.
    #[must_use]
    pub fn at_or_none(&self, x: f64) -> f64 {
        match self.above(x) {
            0 => 0.0,
            row if row == self.x.len() => {
                if self.x[row - 1] >= x {
                    self.y[row - 1]
                } else {
                    0.0
                }
            }
            row => self.between(row, x),
        }
    }
    /// The value of the first row whose x is above `x`, or the last: steps of a pump's curve.
    #[must_use]
    pub fn step(&self, x: f64) -> f64 {
        self.y.get(self.above(x)).or(self.y.last()).copied().unwrap_or(0.0)
    }
    /// Slope of the part that `x` is in; 0 beyond the last row.
    #[must_use]
    pub fn slope(&self, x: f64) -> f64 {
        let row = self.x.partition_point(|&at| at < x).max(1);
        match (self.x.get(row), self.y.get(row)) {
            (Some(x2), Some(y2)) if *x2 > self.x[row - 1] => (y2 - self.y[row - 1]) / (x2 - self.x[row - 1]),
            _ => 0.0,
        }
    }
    /// A storage curve of area over depth: from nothing at depth 0 to the first row where that is deeper, linear between
    /// rows, going on with the last slope where that is up.
    #[must_use]
    pub fn storage_area(&self, depth: f64) -> f64 {
        let row = self.above(depth);
        match row {
            0 => self.x.first().map_or(0.0, |&first| if first > 0.0 { depth / first * self.y[0] } else { self.y[0] }),
            _ if row == self.x.len() => self.y[row - 1] + self.last_slope() * (depth - self.x[row - 1]),
            _ => self.between(row, depth),
        }
    }
    fn last_slope(&self) -> f64 {
        let last = self.x.len() - 1;
        let is_up = last > 0 && self.x[last] > self.x[last - 1];
        if is_up { ((self.y[last] - self.y[last - 1]) / (self.x[last] - self.x[last - 1])).max(0.0) } else { 0.0 }
    }
    /// Integral of [`Self::storage_area`] from 0.
    #[must_use]
    pub fn storage_volume(&self, depth: f64) -> f64 {
        let (mut volume, mut from, mut area) = (0.0, 0.0, self.storage_area(0.0));
        for (&x, &y) in self.x.iter().zip(&self.y) {
            if x > depth {
                break;
            }
            volume += 0.5 * (area + y) * (x - from);
            (from, area) = (x, y);
        }
        volume + 0.5 * (area + self.storage_area(depth)) * (depth - from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_between_and_outside() {
        let table = Table { x: vec![1.0, 3.0, 4.0], y: vec![10.0, 20.0, 50.0] };
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(table.at(2.0), 15.0);
        near(table.at(0.0), 10.0);
        near(table.at(9.0), 50.0);
        near(table.at_or_none(9.0), 0.0);
        near(table.at_or_none(4.0), 50.0);
        near(table.step(0.5), 10.0);
        near(table.step(1.0), 20.0);
        near(table.step(7.0), 50.0);
        near(table.slope(3.5), 30.0);
        near(table.storage_area(0.5), 5.0);
        near(table.storage_area(5.0), 80.0);
        near(table.storage_volume(1.0), 5.0);
        near(table.storage_volume(3.0), 35.0);
        near(table.storage_volume(5.0), 35.0 + 35.0 + 65.0);
        near(Table::default().at(1.0) + Table::default().step(1.0) + Table::default().slope(1.0), 0.0);
    }
}
