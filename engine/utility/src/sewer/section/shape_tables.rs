//! Shapes that are defined by tables: area, hydraulic radius and width, relative to the full section's, at equal steps of
//! depth. Figures: Reference Manual Vol. II, appendix of cross-section tables (public domain).

/// A shape of unit height.
#[derive(Debug)]
pub(super) struct Relative {
    /// Area when full over the square of the height.
    pub(super) full_area: f64,
    /// Hydraulic radius when full over the height.
    pub(super) full_radius: f64,
    area: [f64; 26],
    radius: [f64; 26],
    width: [f64; 26],
}

impl Relative {
    pub(super) fn area_at(&self, share: f64) -> f64 {
        at(&self.area, share)
    }
    pub(super) fn radius_at(&self, share: f64) -> f64 {
        at(&self.radius, share)
    }
    pub(super) fn width_at(&self, share: f64) -> f64 {
        at(&self.width, share)
    }
}

/// Linear between steps.
fn at(values: &[f64; 26], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * 25.0;
    let row = (place as usize).min(24);
    values[row] + (place - row as f64) * (values[row + 1] - values[row])
}

/// Egg; greatest width two thirds of its height.
pub(super) const EGG: Relative = Relative {
    full_area: 0.5105,
    full_radius: 0.1931,
    area: [
        0.0, 0.0116, 0.0316, 0.0550, 0.0850, 0.1200, 0.1555, 0.1900, 0.2250, 0.2750, 0.3200, 0.3700, 0.4200, 0.4700,
        0.5150, 0.5700, 0.6200, 0.6800, 0.7300, 0.7800, 0.8350, 0.8850, 0.9250, 0.9550, 0.9800, 1.0,
    ],
    radius: [
        0.01, 0.13, 0.244, 0.302, 0.386, 0.465, 0.536, 0.611, 0.676, 0.735, 0.791, 0.854, 0.904, 0.941, 1.008, 1.045,
        1.076, 1.115, 1.146, 1.162, 1.186, 1.193, 1.186, 1.162, 1.107, 1.0,
    ],
    width: [
        0.0, 0.325, 0.427, 0.508, 0.582, 0.642, 0.696, 0.746, 0.791, 0.836, 0.866, 0.896, 0.926, 0.956, 0.97, 0.985,
        1.0, 0.985, 0.97, 0.94, 0.896, 0.836, 0.764, 0.642, 0.31, 0.0,
    ],
};

/// Horseshoe; as wide as it is high.
pub(super) const HORSESHOE: Relative = Relative {
    full_area: 0.8293,
    full_radius: 0.2538,
    area: [
        0.0, 0.0181, 0.0508, 0.0908, 0.1326, 0.1757, 0.2201, 0.2655, 0.3118, 0.3587, 0.4064, 0.4542, 0.5023, 0.5506,
        0.5987, 0.6462, 0.6931, 0.7387, 0.7829, 0.8253, 0.8652, 0.9022, 0.9356, 0.9645, 0.9873, 1.0,
    ],
    radius: [
        0.01, 0.104, 0.2065, 0.3243, 0.4322, 0.5284, 0.6147, 0.6927, 0.7636, 0.8268, 0.8873, 0.9417, 0.9905, 1.036,
        1.077, 1.113, 1.143, 1.169, 1.189, 1.202, 1.208, 1.206, 1.195, 1.17, 1.126, 1.0,
    ],
    width: [
        0.0, 0.5878, 0.8772, 0.89, 0.9028, 0.9156, 0.9284, 0.9412, 0.954, 0.9668, 0.9798, 0.9928, 0.9992, 0.9992,
        0.9928, 0.9798, 0.96, 0.933, 0.898, 0.8542, 0.8, 0.7332, 0.6499, 0.5426, 0.3919, 0.0,
    ],
};

/// Basket handle; greatest width 0.944 of its height.
pub(super) const BASKET_HANDLE: Relative = Relative {
    full_area: 0.7862,
    full_radius: 0.2464,
    area: [
        0.0, 0.0173, 0.0457, 0.0828, 0.1271, 0.1765, 0.2270, 0.2775, 0.3280, 0.3780, 0.4270, 0.4765, 0.5260, 0.5740,
        0.6220, 0.6690, 0.7160, 0.7610, 0.8030, 0.8390, 0.8770, 0.9110, 0.9410, 0.9680, 0.9880, 1.0,
    ],
    radius: [
        0.01, 0.0952, 0.189, 0.273, 0.369, 0.463, 0.56, 0.653, 0.743, 0.822, 0.883, 0.949, 0.999, 1.055, 1.095, 1.141,
        1.161, 1.188, 1.206, 1.206, 1.206, 1.205, 1.196, 1.168, 1.127, 1.0,
    ],
    width: [
        0.0, 0.49, 0.667, 0.82, 0.93, 1.0, 1.0, 1.0, 0.997, 0.994, 0.988, 0.982, 0.967, 0.948, 0.928, 0.904, 0.874,
        0.842, 0.798, 0.75, 0.697, 0.637, 0.567, 0.467, 0.342, 0.0,
    ],
};
