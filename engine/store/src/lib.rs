//! Results on an object store (S3, Google Cloud Storage, Azure, a folder), shared by machines that share nothing else.
//!
//! A store holds what a results folder holds, under the same names, and says which runs are whole in objects of its own:
//!
//! ```text
//! URL/<table>/scenario=<name>/seed=<n>/part-0.parquet     as in a folder
//! URL/layers/<layer>.parquet                              likewise
//! URL/_commits/scenario=<name>/seed=<n>/_STARTED          what is being pushed: first come
//! URL/_commits/scenario=<name>/seed=<n>/_SUCCESS          the same text again, once every object is there
//! URL/_commits/layers/{_STARTED,_SUCCESS}                 likewise for the layers, which all runs share
//! URL/_SUCCESS                                            hashes of all finished runs, as in a folder, once a batch is done
//! ```
//!
//! Both markers are put if absent, so one content is the first and the only one: who comes with equal content finds that
//! it is done, who comes with another is refused before an object is touched. What has no `_SUCCESS` is not there; a
//! push that was broken off is done again by the next one of the same run.
//!
//! `store` talks to the store -> `commit` is the text of a marker -> `push` and `pull` move whole runs.
//!
//! Contract: calls block; the runtime below them lives and works within them alone. The environment is read by the caller.

mod commit;
mod pull;
mod push;
mod store;

pub use commit::Commit;
pub use pull::Pulled;
pub use push::Pushed;
pub use store::{Store, is_url};

/// The libraries a store is made of, for tests that bring their own.
pub use object_store;
