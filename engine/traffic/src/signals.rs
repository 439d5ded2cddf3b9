//! Traffic signals: plans, timings and controllers, without an engine.
//!
//! A **group** is a set of movements that always show the same light; a **stage** is a set of groups that
//! are green together. All greens here are *effective* greens (Webster 1958): while one lasts vehicles pass
//! at the saturation flow, outside it none does; what starting up and clearing cost lies between stages as
//! lost time. [`plan`] says when a group is green, [`timing`] chooses cycle and splits, [`junction`] makes
//! groups and stages from the geometry of a network, [`gmns`] and [`sumo`] read plans of others,
//! [`controller`] decides by what it sees (actuated, max-pressure), and [`dark`] is what a junction is worth
//! without power.
//!
//! Ignored: people on foot but for the time they take at a crossing between junctions, opposed turns inside
//! a stage (the node model's priorities decide), transitions between plans.
//! Contract: integers of [`crate::time`]; pure functions and small structs, the same on any thread.

pub mod controller;
pub mod dark;
pub mod gmns;
pub mod junction;
pub mod plan;
pub mod sumo;
pub mod timing;

pub use controller::{Actuated, ActuatedStage, Controller, Decision, Downstream, MaxPressure, Movement, Stage, View};
pub use junction::{Control, Junction, JunctionSettings, JunctionsReport, MaxPressureSettings};
pub use plan::{PlanStage, SignalPlan, Window};
pub use timing::{Timing, TimingSettings};
