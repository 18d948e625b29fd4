//! What can be wrong, told so that the reader can mend it: what, where, with which value, and what to do.
//! Every stage returns `Result`; faults of one kind are collected and reported together, never the first only.
//! Leaves the printing of a report and the exit code of the process to `jobs`.

use std::fmt::Write as _;
use std::path::Path;

/// One thing that is wrong, in one lower-case sentence with the user's words in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong and where, as one sentence: "`visits.csv` has no column `visit_id`".
    pub message: String,
    /// What lies beneath, outermost first; the words of a library or of the system.
    pub causes: Vec<String>,
    /// What the reader can do about it.
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(message: impl Into<String>) -> Self {
        Fault { message: message.into(), causes: Vec::new(), hint: None }
    }

    #[must_use]
    pub fn caused_by(mut self, cause: impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The fault as people read it: the sentence, its causes, a blank line and the hint.
    pub fn report(&self) -> String {
        let mut text = format!("error: {}", self.message);
        for cause in &self.causes {
            let _ = write!(text, "\ncaused by: {}", cause.trim_end());
        }
        if let Some(hint) = &self.hint {
            let _ = write!(text, "\n\nhint: {hint}");
        }
        text
    }
}

/// Why a run ended without publishing. The variants are the exit codes of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine's side: disk, lock, a file that cannot be opened or written, a damaged earlier run.
    #[error("could not run: {}", summary(.0))]
    CouldNotRun(Vec<Fault>),
    /// The caller's side: an argument that means nothing here.
    #[error("wrong usage: {}", summary(.0))]
    WrongUsage(Vec<Fault>),
    /// The user's side: the inputs or the rulebook are not what the contracts and the rules ask for.
    #[error("refused: {}", summary(.0))]
    Refused(Vec<Fault>),
    /// The run was computed, but its audit failed, so nothing was published.
    #[error("the audit failed: {}", summary(.0))]
    AuditFailed(Vec<Fault>),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn refused(fault: Fault) -> Self {
        Error::Refused(vec![fault])
    }

    pub fn wrong_usage(fault: Fault) -> Self {
        Error::WrongUsage(vec![fault])
    }

    pub fn could_not_run(fault: Fault) -> Self {
        Error::CouldNotRun(vec![fault])
    }

    /// A file or folder that the system would not open, read or write.
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Error::could_not_run(Fault::new(format!("could not {doing} `{}`", path.display())).caused_by(error))
    }

    /// A broken promise between two stages: never the user's fault, and never silent.
    pub fn internal(what: impl Into<String>) -> Self {
        let hint = "this is a fault of the program, not of the data; please report it with the command that you ran";
        Error::could_not_run(Fault::new(what).hint(hint))
    }

    pub fn faults(&self) -> &[Fault] {
        match self {
            Error::CouldNotRun(faults)
            | Error::WrongUsage(faults)
            | Error::Refused(faults)
            | Error::AuditFailed(faults) => faults,
        }
    }

    /// The process's exit code: 1 could not run, 2 wrong usage, 3 refused, 4 the audit failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::CouldNotRun(_) => 1,
            Error::WrongUsage(_) => 2,
            Error::Refused(_) => 3,
            Error::AuditFailed(_) => 4,
        }
    }
}

fn summary(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// Collects faults of one kind, so that a reader sees them all at once.
#[derive(Debug, Default)]
pub struct Collector(Vec<Fault>);

impl Collector {
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Keeps the value, or the faults of a refusal; any other error ends the run at once.
    pub fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(faults)) => {
                self.0.extend(faults);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Takes in what another collected.
    pub fn extend(&mut self, other: Collector) {
        self.0.extend(other.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Refused` with everything that was collected, or nothing.
    pub fn refuse(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Refused(self.0)) }
    }
}
