//! Utility networks, electricity first.
