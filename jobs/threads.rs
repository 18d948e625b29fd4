//! How many threads a verb computes with: what was asked for, or one for each processor.

use wellfield::fault::{Error, Fault, Result};

/// Before anything is computed: the threads are started once.
pub fn start(threads: Option<u16>) -> Result<()> {
    let Some(threads) = threads else { return Ok(()) };
    let built = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    built.map_err(|error| Error::could_not_run(Fault::new("could not start threads").caused_by(error)))
}
