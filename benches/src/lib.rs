//! Criterion benches of kernels and whole steps.
