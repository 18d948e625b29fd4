//! The command line of Wellfield: which verb was asked for, and how its outcome becomes an exit code.
//! Each verb has a file of its own; what they do is done by the library.

mod check;
mod compare;
mod coverage;
mod delivery;
mod explain;
mod generate;
mod indicators;
mod log;
mod memory;
mod nightly;
mod options;
mod panic;
mod prepare;
mod prune;
mod rule;
mod runs;
mod terminal;
mod threads;
mod verify;
mod worklist;

use std::process::ExitCode;

use clap::Parser;
use wellfield::fault::Result;

use crate::log::Log;
use crate::options::{Arguments, LogForm, Verb};

/// Columns of some megabytes come and go on every thread. The system's allocator keeps to each thread what another one
/// could use, and a night would need half as much memory again. It asks for no huge pages (`no_thp`): what a night touches
/// once costs more in them than in small ones, most of all on a virtual machine that must ask its host for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    panic::install();
    let arguments = Arguments::parse();
    let log = Log::new(match &arguments.verb {
        Verb::Nightly(options) => options.log,
        _ => LogForm::Text,
    });
    match panic::caught(|| run(&arguments.verb, &log)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.faults(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(verb: &Verb, log: &Log) -> Result<()> {
    match verb {
        Verb::Nightly(options) => nightly::run(options, log),
        Verb::Check(options) => check::run(options),
        Verb::Explain(options) => explain::run(options),
        Verb::Coverage(options) => coverage::run(options),
        Verb::Indicators(options) => indicators::run(options),
        Verb::Worklist(options) => worklist::run(options),
        Verb::Compare(options) => compare::run(options),
        Verb::Verify(options) => verify::run(options),
        Verb::Runs(options) => runs::run(options),
        Verb::Prune(options) => prune::run(options),
        Verb::Rule(options) => rule::run(options),
        Verb::Generate(options) => generate::run(options),
    }
}
