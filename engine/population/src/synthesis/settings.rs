//! Settings of the synthesis, as they stand in a scenario under `[population.synthesis]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How households and persons are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SynthesisSettings {
    /// Country whose default households are used where no sample is given: `generic`, or a two-letter code of
    /// `assets/population`, such as `CL`.
    pub country: String,
    /// Sample of households (CSV or Parquet), relative to the file in which this is written: `household_id` and, as far
    /// as known, `size`, `weight`, `cars`, `two_wheelers`, `income`. Needs `seed_persons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub seed_households: Option<PathBuf>,
    /// Persons of that sample (CSV or Parquet): `household_id`, `age` and, as far as known, `sex`, `employed`, `student`,
    /// `licence`, `transit_pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub seed_persons: Option<PathBuf>,
    /// How much a control weighs where controls disagree.
    pub importance: Importance,
    /// Iterations of the balancing of a zone, at most.
    #[schemars(range(min = 1))]
    pub max_iterations: u32,
    /// Largest relative change of a weight over one iteration at which the balancing has converged.
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
}

/// Importance of the controls: the higher, the less it gives way to others. Residents and age classes are met exactly
/// whatever stands here, as the last persons are fitted by hand; a low figure only means more of that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Importance {
    /// Number of households.
    pub households: f64,
    /// Number of residents.
    pub residents: f64,
    /// Age classes.
    pub ages: f64,
    /// Households by size.
    pub sizes: f64,
    /// Cars, or households by number of cars.
    pub cars: f64,
    /// Persons with a job.
    pub employed: f64,
    /// Households by income class.
    pub income: f64,
}

impl Default for Importance {
    fn default() -> Self {
        Self { households: 1e9, residents: 1e7, ages: 1e5, sizes: 1e4, cars: 1e3, employed: 1e3, income: 1e3 }
    }
}

impl Default for SynthesisSettings {
    fn default() -> Self {
        Self {
            country: "generic".to_owned(),
            seed_households: None,
            seed_persons: None,
            importance: Importance::default(),
            max_iterations: 500,
            tolerance: 1e-4,
        }
    }
}
