//! What published runs say, read back for those who act on it: how far the bank, a branch or an area is covered, what
//! one officer can take along, the indicators, and which runs there are and may go. Every figure is a run's own; this
//! module looks up, adds up and words. The forms for machines are `Coverage`, `WorkList`, `Indicators`, `Runs` and
//! `Decision` themselves; those for people are made of them, of the larger ones in the `_text` files.

pub mod coverage;
mod coverage_text;
mod faults;
pub mod indicators;
mod indicators_text;
mod lines;
pub(crate) mod page;
mod rows;
pub mod runs;
pub mod runs_kept;
pub(crate) mod table;
pub mod work_list;
mod work_list_text;
pub(crate) mod words;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::fault::{Error, Fault};
use crate::read::published::PublishedRun;
use crate::read::suggestion;

/// The run that is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunHead {
    pub as_of: String,
    pub run_id: String,
}

impl RunHead {
    fn of(run: &PublishedRun) -> RunHead {
        RunHead { as_of: run.as_of.to_string(), run_id: run.run_id.clone() }
    }
}

/// A name that the run does not know, with those that come nearest.
fn unknown(message: String, name: &str, known: &BTreeSet<&str>) -> Error {
    let known: Vec<&str> = known.iter().copied().collect();
    let fault = Fault::new(message);
    Error::wrong_usage(match known.is_empty() {
        true => fault.hint("the run has none at all"),
        false => fault.hint(suggestion(name, &known)),
    })
}
