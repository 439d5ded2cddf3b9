//! Properties of a fluid: density, viscosity and heat capacity by temperature, compressibility by pressure. They are
//! constants, lines, tables with straight lines between their points (and beyond), polynomials or Sutherland's law.
//!
//! A gas at absolute pressure `p` and temperature `T` has the density `rho = rho_n p T_n / (p_n T Z(p))` with its density
//! `rho_n` in the norm state (273.15 K, 1.01325 bar).
//!
//! Ignored: mixtures that change along the way, phase changes. Contract: pure functions, no allocation.

use super::{BAR, NORM_PRESSURE_PA, NORM_T_K};

/// A property as a function of one variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Property {
    /// The same everywhere.
    Constant(f64),
    /// `offset + slope x`.
    Linear {
        /// Change by unit of x.
        slope: f64,
        /// Value at 0.
        offset: f64,
    },
    /// Straight lines between points, the first and last of them carried on. `x` ascends; two points at least.
    Table {
        /// Where.
        x: Vec<f64>,
        /// Value there.
        y: Vec<f64>,
    },
    /// Coefficients, highest power first.
    Polynomial(Vec<f64>),
    /// Sutherland's law of viscosity of gases.
    Sutherland {
        /// Viscosity at `t0_k`, Pa s.
        eta0_pas: f64,
        /// Reference temperature, K.
        t0_k: f64,
        /// Sutherland's temperature, K.
        t_sutherland_k: f64,
    },
}

impl Property {
    /// The value at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Linear { slope, offset } => offset + slope * x,
            Self::Table { x: xs, y: ys } => {
                let last = xs.len().min(ys.len());
                if last < 2 {
                    return ys.first().copied().unwrap_or(f64::NAN);
                }
                let upper = xs[..last].partition_point(|&at| at < x).clamp(1, last - 1);
                let (x0, x1, y0, y1) = (xs[upper - 1], xs[upper], ys[upper - 1], ys[upper]);
                y0 + (x - x0) * (y1 - y0) / (x1 - x0)
            }
            Self::Polynomial(coefficients) => polynomial(coefficients, x),
            Self::Sutherland { eta0_pas, t0_k, t_sutherland_k } => {
                eta0_pas * (t0_k + t_sutherland_k) / (t_sutherland_k + x) * (x / t0_k).powf(1.5)
            }
        }
    }
}

/// A polynomial by Horner's scheme; highest power first.
#[must_use]
pub fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// A fluid.
#[derive(Clone, Debug, PartialEq)]
pub struct Fluid {
    /// Its name.
    pub name: String,
    /// Whether its density follows pressure.
    pub is_gas: bool,
    /// Density by temperature, kg/m3; of a gas at the norm pressure.
    pub density_kgpm3: Property,
    /// Dynamic viscosity by temperature, Pa s.
    pub viscosity_pas: Property,
    /// Specific heat capacity by temperature, J/(kg K).
    pub heat_capacity_jpkgk: Property,
    /// Compressibility factor by absolute pressure in bar.
    pub compressibility_by_bar: Property,
}

impl Fluid {
    /// Density in the norm state, kg/m3.
    #[must_use]
    pub fn norm_density_kgpm3(&self) -> f64 {
        self.density_kgpm3.at(NORM_T_K)
    }
    /// Compressibility factor at an absolute pressure; 1 for liquids.
    #[must_use]
    pub fn compressibility(&self, pressure_pa: f64) -> f64 {
        if self.is_gas { self.compressibility_by_bar.at(pressure_pa / BAR) } else { 1.0 }
    }
    /// Density at an absolute pressure and temperature, kg/m3.
    #[must_use]
    pub fn real_density_kgpm3(&self, pressure_pa: f64, t_k: f64) -> f64 {
        if self.is_gas {
            self.norm_density_kgpm3() / self.norm_factor(pressure_pa, t_k)
        } else {
            self.density_kgpm3.at(t_k)
        }
    }
    /// Volume at an absolute pressure and temperature over that in the norm state; 1 for liquids.
    #[must_use]
    pub fn norm_factor(&self, pressure_pa: f64, t_k: f64) -> f64 {
        if !self.is_gas {
            return 1.0;
        }
        NORM_PRESSURE_PA * t_k * self.compressibility(pressure_pa) / (NORM_T_K * pressure_pa)
    }
    /// Mean of the heat capacities at two temperatures, J/(kg K).
    #[must_use]
    pub fn mean_heat_capacity_jpkgk(&self, a_k: f64, b_k: f64) -> f64 {
        0.5 * (self.heat_capacity_jpkgk.at(a_k) + self.heat_capacity_jpkgk.at(b_k))
    }
}

/// Mean pressure along a pipe of a gas whose squared pressure falls evenly: `2/3 (a^3 - b^3) / (a^2 - b^2)`, written
/// without a difference that could vanish.
#[must_use]
pub fn mean_pressure_pa(a_pa: f64, b_pa: f64) -> f64 {
    2.0 / 3.0 * (a_pa * a_pa + a_pa * b_pa + b_pa * b_pa) / (a_pa + b_pa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_go_on_beyond_their_ends() {
        let table = Property::Table { x: vec![1.0, 2.0, 4.0], y: vec![10.0, 20.0, 0.0] };
        let at: Vec<f64> = [0.0, 1.0, 1.5, 2.0, 3.0, 5.0].iter().map(|&x| table.at(x)).collect();
        assert_eq!(at, [0.0, 10.0, 15.0, 20.0, 10.0, -10.0]);
        assert!((Property::Polynomial(vec![2.0, 0.0, 1.0]).at(3.0) - 19.0).abs() < 1e-12);
    }

    #[test]
    fn mean_pressure_as_the_quotient() {
        let (a, b) = (5e5_f64, 3e5_f64);
        let quotient = 2.0 / 3.0 * (a.powi(3) - b.powi(3)) / (a.powi(2) - b.powi(2));
        assert!((mean_pressure_pa(a, b) / quotient - 1.0).abs() < 1e-14);
        assert!((mean_pressure_pa(a, a) - a).abs() < 1e-9);
    }
}
