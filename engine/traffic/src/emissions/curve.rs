//! Functions of speed that factors are given as, with the range they hold in.
//!
//! The forms are those of the EMEP/EEA guidebook's editions and of the TAG data book; V is in km/h:
//! - rational: (c1 V^2 + c2 V + c3 + c4 / V) / (c5 V^2 + c6 V + c7)
//! - polynomial: c1 + c2 V + c3 V^2 + ... + c7 V^6
//! - power: c1 V^c2 + c3 V^c4
//! - exponential: c1 c2^V V^c3
//! - logistic: c1 + c2 / (1 + exp(-c3 + c4 ln V + c5 V))
//!
//! Contract: pure; finite and >= 0 within the range, which the reader of the tables checks.

/// Number of coefficients a curve may have.
pub(super) const COEFFICIENTS: usize = 7;

/// More grams, litres or kWh than any vehicle needs for a kilometre.
pub(super) const AMOUNT_MAX: f64 = 1e6;

/// Shape of a [`Curve`]; the module says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Quotient of polynomials, with 1/V in the numerator.
    Rational,
    /// Polynomial, ascending.
    Polynomial,
    /// Two powers.
    Power,
    /// Exponential times power.
    Exponential,
    /// Logistic in V and ln V.
    Logistic,
}

urbis_core::named!(Form {
    Rational = "rational",
    Polynomial = "polynomial",
    Power = "power",
    Exponential = "exponential",
    Logistic = "logistic",
});

impl Form {
    /// How many coefficients it uses; the rest must be zero.
    pub(super) fn coefficients(self) -> usize {
        match self {
            Self::Rational | Self::Polynomial => 7,
            Self::Power => 4,
            Self::Exponential => 3,
            Self::Logistic => 5,
        }
    }
}

/// What happens below the range of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    /// Constant by the hour: running engines.
    PerHour,
    /// Constant by the kilometre: wear.
    PerKilometre,
}

/// A function of the mean speed, per vehicle-kilometre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Curve {
    /// Its shape.
    pub(super) form: Form,
    /// Coefficients, as the form says.
    pub(super) coefficients: [f64; COEFFICIENTS],
    /// What the function is multiplied by.
    pub(super) scale: f64,
    /// Slowest speed it holds at, km/h, > 0.
    pub(super) speed_kmh_min: f64,
    /// Fastest speed it holds at, km/h, >= the slowest.
    pub(super) speed_kmh_max: f64,
}

impl Curve {
    /// The function, whatever the range.
    pub(super) fn at(&self, speed_kmh: f64) -> f64 {
        let (v, [c1, c2, c3, c4, c5, c6, c7]) = (speed_kmh, self.coefficients);
        self.scale
            * match self.form {
                Form::Rational => ((c1 * v + c2) * v + c3 + c4 / v) / ((c5 * v + c6) * v + c7),
                Form::Polynomial => (((((c7 * v + c6) * v + c5) * v + c4) * v + c3) * v + c2) * v + c1,
                Form::Power => c1 * v.powf(c2) + c3 * v.powf(c4),
                Form::Exponential => c1 * c2.powf(v) * v.powf(c3),
                Form::Logistic => c1 + c2 / (1.0 + (c4 * v.ln() + c5 * v - c3).exp()),
            }
    }

    /// Amount of a vehicle in an hour at a speed of any range.
    pub(super) fn per_hour(&self, speed_kmh: f64, extension: Extension) -> f64 {
        let per_km = self.at(speed_kmh.clamp(self.speed_kmh_min, self.speed_kmh_max));
        match extension {
            Extension::PerHour => per_km * speed_kmh.max(self.speed_kmh_min),
            Extension::PerKilometre => per_km * speed_kmh,
        }
    }

    /// A speed within the range where the function is below zero or beyond any vehicle, with its value there;
    /// looked for at every tenth of a km/h and at the ends.
    pub(super) fn fault(&self) -> Option<(f64, f64)> {
        let steps = ((self.speed_kmh_max - self.speed_kmh_min) * 10.0).ceil() as u32;
        (0..=steps)
            .map(|step| (self.speed_kmh_min + f64::from(step) * 0.1).min(self.speed_kmh_max))
            .map(|speed_kmh| (speed_kmh, self.at(speed_kmh)))
            .find(|(_, value)| !(0.0..=AMOUNT_MAX).contains(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(form: Form, coefficients: &[f64]) -> Curve {
        let mut all = [0.0; COEFFICIENTS];
        all[..coefficients.len()].copy_from_slice(coefficients);
        Curve { form, coefficients: all, scale: 1.0, speed_kmh_min: 10.0, speed_kmh_max: 100.0 }
    }

    #[test]
    fn forms_are_what_they_say() {
        let v = 37.0_f64;
        for (form, c, expected) in [
            (
                Form::Rational,
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0][..],
                (v * v + 2.0 * v + 3.0 + 4.0 / v) / (5.0 * v * v + 6.0 * v + 7.0),
            ),
            (
                Form::Polynomial,
                &[1.0, 0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-5],
                1.0 + 0.5 * v
                    + 0.1 * v.powi(2)
                    + 0.01 * v.powi(3)
                    + 1e-3 * v.powi(4)
                    + 1e-4 * v.powi(5)
                    + 1e-5 * v.powi(6),
            ),
            (Form::Power, &[2.0, -0.5, 3.0, 0.25], 2.0 / v.sqrt() + 3.0 * v.sqrt().sqrt()),
            (Form::Exponential, &[2.0, 1.01, -1.0], 2.0 * 1.01_f64.powi(37) / v),
            (Form::Logistic, &[1.0, 2.0, 3.0, 0.0, 0.0], 1.0 + 2.0 / (1.0 + (-3.0_f64).exp())),
            (Form::Logistic, &[0.0, 1.0, 0.0, 1.0, 0.0], 1.0 / (1.0 + v)),
        ] {
            let value = curve(form, c).at(v);
            assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{form:?}: {value}, expected {expected}");
        }
    }

    #[test]
    fn outside_the_range() {
        // 2 + 60 / V per km.
        let curve = curve(Form::Rational, &[0.0, 0.0, 2.0, 60.0, 0.0, 0.0, 1.0]);
        for (v, by_hour, by_km) in [
            (30.0, 2.0 * 30.0 + 60.0, 2.0 * 30.0 + 60.0),
            (500.0, 2.6 * 500.0, 2.6 * 500.0),
            (10.0, 80.0, 80.0),
            (5.0, 80.0, 8.0 * 5.0),
            (0.0, 80.0, 0.0),
        ] {
            for (extension, expected) in [(Extension::PerHour, by_hour), (Extension::PerKilometre, by_km)] {
                let value = curve.per_hour(v, extension);
                assert!((value - expected).abs() < 1e-9, "{v} km/h, {extension:?}: {value}, not {expected}");
            }
        }
    }

    #[test]
    fn faults_are_found() {
        assert_eq!(curve(Form::Polynomial, &[0.0, 1.0]).fault(), None);
        assert_eq!(curve(Form::Polynomial, &[-20.0, 1.0]).fault(), Some((10.0, -10.0)));
        // A pole at 50 km/h.
        let (speed, value) = curve(Form::Rational, &[0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 50.0]).fault().unwrap();
        assert!((speed - 50.0).abs() < 0.11 && (!value.is_finite() || value < 0.0));
    }
}
