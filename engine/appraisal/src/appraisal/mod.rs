//! What policies are worth: benefits of people, public money, side effects, over years and between groups.

pub mod equity;
pub mod finance;
