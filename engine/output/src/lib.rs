//! Arrow batches, Parquet results, ledgers and the run manifest.
