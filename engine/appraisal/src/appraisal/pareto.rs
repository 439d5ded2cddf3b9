//! Which policies no other one beats in everything.

/// A policy's figures, each the better the higher.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Name.
    pub name: String,
    /// Figures in the order of the objectives.
    pub figures: Vec<f64>,
}

/// For each alternative the first that is at least as good in every figure and better in one; none for those on the front
/// (Pareto 1906).
#[must_use]
pub fn dominated_by(options: &[Alternative]) -> Vec<Option<usize>> {
    let beats = |a: &Alternative, b: &Alternative| {
        let pairs = || a.figures.iter().zip(&b.figures);
        pairs().all(|(a, b)| a >= b) && pairs().any(|(a, b)| a > b)
    };
    options.iter().map(|option| options.iter().position(|other| beats(other, option))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_by_hand() {
        let option = |name: &str, figures: [f64; 2]| Alternative { name: name.to_owned(), figures: figures.to_vec() };
        let options =
            [option("a", [1.0, 3.0]), option("b", [2.0, 2.0]), option("c", [2.0, 1.0]), option("d", [2.0, 2.0])];
        // c is as good as b in the first and worse in the second; b and d are alike, so neither beats the other.
        assert_eq!(dominated_by(&options), [None, None, Some(1), None]);
    }
}
