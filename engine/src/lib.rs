//! Urbis.
