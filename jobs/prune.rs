//! `wellfield prune`: removes published runs that need not stay. Which stay is decided in the library; a dry run
//! takes no lock and changes nothing.

use std::path::Path;

use wellfield::fault::Result;
use wellfield::listing::runs_kept::{self, Decision};
use wellfield::publish;
use wellfield::read::published;

use crate::options::Prune;
use crate::{prepare, terminal};

pub fn run(options: &Prune) -> Result<()> {
    let runs = prepare::runs_folder(&options.bank, options.out.as_deref());
    let decision = if options.dry_run { decide(&runs, options)? } else { prune(&runs, options)? };
    match options.json {
        true => terminal::tell_json(&decision),
        false => terminal::tell(runs_kept::in_words(&decision, !options.dry_run)),
    }
}

/// Decides under the lock, so that what is removed is what was looked at.
fn prune(runs: &Path, options: &Prune) -> Result<Decision> {
    let lock = publish::lock_existing(runs)?;
    let decision = decide(runs, options)?;
    if let Some(lock) = &lock {
        publish::remove_runs(runs, lock, &decision.removed)?;
    }
    Ok(decision)
}

fn decide(runs: &Path, options: &Prune) -> Result<Decision> {
    Ok(runs_kept::decide(published::survey(runs)?, options.keep, options.break_chain))
}
