//! Results turned into indicators, comparisons and pictures.
