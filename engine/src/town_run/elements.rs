//! Elements of networks by their names, as failures and plants name them.

use super::settings::NetworkName;
use std::path::Path;
use urbis_core::Problem;
use urbis_core::diagnostics::did_you_mean;

/// Something that may be out, by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Out {
    /// A node: a bus, a junction.
    Node(u32),
    /// A link: a branch, a pipe, a pump.
    Link(u32),
    /// What feeds: a source of a grid by its bus, a feeder of gas or heat.
    Feed(u32),
}

/// What a name stands for: rows that are out together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Named(Vec<Out>);

impl Named {
    pub(crate) fn many(all: Vec<Out>) -> Self {
        Self(all)
    }
    /// The rows.
    ///
    /// # Errors
    /// No such element, with the nearest name.
    pub(crate) fn rows(
        self,
        file: &Path,
        network: NetworkName,
        name: &str,
        names: impl FnOnce() -> Vec<String>,
    ) -> Result<Vec<Out>, Box<Problem>> {
        if !self.0.is_empty() {
            return Ok(self.0);
        }
        let names = names();
        let what = format!("element `{name}`: network {} has no such element", network.name());
        let problem = Problem::file(file, what);
        Err(Box::new(match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => match names.first() {
                Some(first) => problem.with_help(format!("elements are named like `{first}`")),
                None => problem,
            },
        }))
    }
}

impl From<Option<Out>> for Named {
    fn from(of: Option<Out>) -> Self {
        Self(of.into_iter().collect())
    }
}
