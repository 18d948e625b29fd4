//! What stands in for the adapters in a build without Polars, such as the one that is fuzzed: every adapter is refused.
//! The files of such a table are read all the same, so that their own faults show.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use crate::fault::{Error, Fault, Result};

use super::adapted::Adapted;

pub fn run(adapter: &str, _query: &str, _inputs: &BTreeMap<String, Vec<RecordBatch>>) -> Result<Adapted> {
    let fault = Fault::new(format!("this build has no adapters, and `{adapter}` is one"));
    Err(Error::refused(fault.hint("use a build of the program with the feature `adapters`")))
}
