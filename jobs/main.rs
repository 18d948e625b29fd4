//! The command line of Wellfield: which verb was asked for, and how its outcome becomes an exit code.
//! Each verb has a file of its own; what they do is done by the library.

mod check;
mod coverage;
mod explain;
mod generate;
mod indicators;
mod log;
mod nightly;
mod options;
mod prepare;
mod rule;
mod terminal;
mod worklist;

use std::process::ExitCode;

use clap::Parser;
use wellfield::fault::Error;

use crate::options::{Arguments, Verb};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.verb {
        Verb::Nightly(options) => nightly::run(options),
        Verb::Check(options) => check::run(options),
        Verb::Explain(options) => explain::run(options),
        Verb::Coverage(options) => coverage::run(options),
        Verb::Indicators(options) => indicators::run(options),
        Verb::Worklist(options) => worklist::run(options),
        Verb::Rule(options) => rule::run(options),
        Verb::Generate(options) => generate::run(options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Every fault to stderr, one after the other; the kind of error is the exit code.
fn fail(error: &Error) -> ExitCode {
    let reports: Vec<String> = error.faults().iter().map(|fault| fault.report()).collect();
    terminal::note(reports.join("\n\n"));
    ExitCode::from(error.exit_code())
}
