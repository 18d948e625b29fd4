//! Words to people and machines: results to stdout, everything else to stderr. A reader who has closed the pipe
//! (`| head`) has seen enough, which is no error.

use std::io::{ErrorKind, Write as _};

use wellfield::fault::{Error, Fault, Result};

/// A result, to stdout.
pub fn tell(text: impl std::fmt::Display) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::could_not_run(Fault::new("could not write to stdout").caused_by(error)))
        }
        _ => Ok(()),
    }
}

/// A result as JSON, to stdout.
pub fn tell_json(value: &impl serde::Serialize) -> Result<()> {
    tell(serde_json::to_string_pretty(value).map_err(|error| Error::internal(error.to_string()))?)
}

/// Progress, notes and faults, to stderr; where nobody listens there is nobody to tell of it.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Every fault, one after the other.
pub fn faults(error: &Error) {
    let reports: Vec<String> = error.faults().iter().map(Fault::report).collect();
    note(reports.join("\n\n"));
}
