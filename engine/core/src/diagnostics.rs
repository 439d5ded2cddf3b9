//! Errors as people read them. Bad input is collected, not reported one line at a time: each
//! [`Problem`] names file, row or line, id, field, value and what was expected; problems in TOML carry
//! the text and the place in it.

use miette::{Diagnostic, NamedSource, SourceSpan};
use std::path::{Path, PathBuf};

/// `Result` with the error of Urbis.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many problems of one report are kept in full; the rest are counted.
pub const PROBLEMS_KEPT: usize = 50;

/// Exit status of the program, stable across versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Everything done.
    Success = 0,
    /// A fault of the program itself, such as a broken ledger.
    Fault = 1,
    /// Bad input, bad arguments or a place that cannot be read or written.
    BadInput = 2,
    /// Stopped by a rule that the user set, such as no gridlock; nothing is left that looks complete.
    Stopped = 3,
    /// Some runs of a batch failed; the others are whole.
    Incomplete = 4,
    /// Stopped by the user at a tick; nothing is left that looks complete.
    Interrupted = 130,
}

/// Everything that can stop Urbis.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum Error {
    /// Input that does not say what was expected of it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Input(#[from] Problems),
    /// A file or folder that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The place.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file or folder that cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    #[diagnostic(help("check that the place exists, is yours to write, and has free space"))]
    Write {
        /// The place.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An object store that does not do what is asked of it.
    #[error("{place}: {source}")]
    #[diagnostic(help("check the URL, the network, and the variables that say who you are: AWS_*, GOOGLE_*, AZURE_*"))]
    Store {
        /// URL of the object.
        place: String,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A conservation law that does not hold: a fault of the program.
    #[error("broken ledger at tick {tick}: {law}\n{rows}")]
    #[diagnostic(help("this is a fault of Urbis, not of your input; please report it with the scenario"))]
    BrokenLedger {
        /// The tick at which it was found.
        tick: u32,
        /// The law, in words.
        law: String,
        /// The figures or rows that break it.
        rows: String,
    },
    /// A batch in which some runs failed.
    #[error("{failed} of {runs} runs failed\n{reasons}")]
    #[diagnostic(help("the others are whole; run the batch again to try those that failed once more"))]
    Incomplete {
        /// Runs that failed.
        failed: usize,
        /// Runs of the batch.
        runs: usize,
        /// What each of them said first.
        reasons: String,
    },
    /// Stopped by a rule of the scenario.
    #[error("stopped at tick {tick} by the scenario: {rule}\n{rows}")]
    #[diagnostic(help("the scenario says that a run stops here; no results were written"))]
    Stopped {
        /// The first tick that was not computed.
        tick: u32,
        /// The rule, in words.
        rule: String,
        /// What broke it.
        rows: String,
    },
    /// Stopped by the user.
    #[error("stopped at tick {tick}; no results were written")]
    Interrupted {
        /// The first tick that was not computed.
        tick: u32,
    },
}

impl Error {
    /// A file that cannot be read.
    #[must_use]
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
    /// A file that cannot be written.
    #[must_use]
    pub fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
    /// The exit status this error ends the program with.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Input(_) | Self::Read { .. } | Self::Write { .. } | Self::Store { .. } => ExitStatus::BadInput,
            Self::BrokenLedger { .. } => ExitStatus::Fault,
            Self::Stopped { .. } => ExitStatus::Stopped,
            Self::Incomplete { .. } => ExitStatus::Incomplete,
            Self::Interrupted { .. } => ExitStatus::Interrupted,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Input(Problems { all: vec![problem], unlisted: 0 })
    }
}

/// One thing wrong with an input.
#[derive(Debug, Diagnostic)]
pub struct Problem {
    /// The sentence: place, value, expectation.
    message: String,
    /// What to do next.
    #[help]
    help: Option<String>,
    /// The text the span lies in.
    #[source_code]
    text: Option<NamedSource<String>>,
    /// The place in the text.
    #[label("{label}")]
    span: Option<SourceSpan>,
    label: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem with a whole file or folder.
    #[must_use]
    pub fn file(path: &Path, what: impl std::fmt::Display) -> Self {
        Self {
            message: format!("{}: {what}", path.display()),
            help: None,
            text: None,
            span: None,
            label: String::new(),
        }
    }
    /// A problem with one value of a table: ``links.csv row 812 (id 4711): length_m = -3.2, expected > 0``.
    /// Rows count from 1 and do not count a header.
    #[must_use]
    pub fn value(
        path: &Path,
        row: usize,
        id: Option<&str>,
        field: &str,
        value: impl std::fmt::Display,
        expected: impl std::fmt::Display,
    ) -> Self {
        let id = id.map(|id| format!(" (id {id})")).unwrap_or_default();
        Self::file_message(format!("{} row {row}{id}: {field} = {value}, expected {expected}", path.display()))
    }
    /// A problem at a byte range of a text file such as TOML.
    #[must_use]
    pub fn span(
        path: &Path,
        text: &str,
        span: std::ops::Range<usize>,
        message: impl std::fmt::Display,
        label: impl std::fmt::Display,
    ) -> Self {
        let start = span.start.min(text.len());
        let line = text[..text.floor_char_boundary(start)].matches('\n').count() + 1;
        Self {
            message: format!("{} line {line}: {message}", path.display()),
            help: None,
            text: Some(NamedSource::new(path.display().to_string(), text.to_owned())),
            span: Some((start, span.end.min(text.len()).saturating_sub(start)).into()),
            label: label.to_string(),
        }
    }
    /// Adds what to do next.
    #[must_use]
    pub fn with_help(mut self, help: impl std::fmt::Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
    /// What to do next, if known.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }
    fn file_message(message: String) -> Self {
        Self { message, help: None, text: None, span: None, label: String::new() }
    }
}

/// All problems found in one go.
#[derive(Debug, Default, Diagnostic)]
pub struct Problems {
    #[related]
    all: Vec<Problem>,
    unlisted: usize,
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = self.len();
        write!(f, "{total} problem{} in the input", if total == 1 { "" } else { "s" })?;
        if self.unlisted > 0 {
            write!(f, " ({} not listed)", self.unlisted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Problems {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds one; beyond [`PROBLEMS_KEPT`] they are only counted.
    pub fn push(&mut self, problem: Problem) {
        if self.all.len() < PROBLEMS_KEPT {
            self.all.push(problem);
        } else {
            self.unlisted += 1;
        }
    }
    /// Adds those found elsewhere.
    pub fn extend(&mut self, others: Self) {
        others.all.into_iter().for_each(|problem| self.push(problem));
        self.unlisted += others.unlisted;
    }
    /// How many were found, listed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len() + self.unlisted
    }
    /// Whether none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
    /// Those kept in full.
    #[must_use]
    pub fn listed(&self) -> &[Problem] {
        &self.all
    }
    /// An error if any was found, else the value.
    ///
    /// # Errors
    /// [`Error::Input`] with all of them.
    pub fn or_else<T>(self, value: T) -> Result<T> {
        if self.is_empty() { Ok(value) } else { Err(Error::Input(self)) }
    }
}

/// The closest of the known names, when close enough to be what was meant: ``did you mean `x`?``.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_everything() {
        let problem = Problem::value(Path::new("links.csv"), 812, Some("a7"), "length_m", -3.2, "> 0");
        assert_eq!(problem.to_string(), "links.csv row 812 (id a7): length_m = -3.2, expected > 0");
        let problem = Problem::span(Path::new("s.toml"), "a = 1\nseeed = 2\n", 6..11, "unknown key `seeed`", "here");
        assert_eq!(problem.to_string(), "s.toml line 2: unknown key `seeed`");
    }

    #[test]
    fn many_are_counted_and_some_kept() {
        let mut problems = Problems::new();
        for _ in 0..PROBLEMS_KEPT + 3 {
            problems.push(Problem::file(Path::new("x"), "bad"));
        }
        assert_eq!(problems.len(), PROBLEMS_KEPT + 3);
        assert!(problems.to_string().contains("53 problems in the input (3 not listed)"));
        assert_eq!(problems.or_else(()).unwrap_err().exit_status(), ExitStatus::BadInput);
        assert!(Problems::new().or_else(1).is_ok());
    }

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(did_you_mean("sede", ["seed", "name"]), Some("seed"));
        assert_eq!(did_you_mean("zzz", ["seed", "name"]), None);
    }
}
