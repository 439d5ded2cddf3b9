//! Tests of the reader of nets.
