//! How long each stage took and how much memory the program has needed so far. The only place that looks at a clock:
//! what it measures goes into the manifest and the log, and never into a result.

use std::time::Instant;

use serde::Serialize;

use crate::fault::{Error, Fault, Result};

/// What one stage cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageCost {
    pub stage: String,
    pub seconds: f64,
    /// Rows that the stage made, or read for the stages that only read.
    pub rows: u64,
    /// The most memory that the program has held up to the stage's end; None where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
}

/// Measures the stages of a run, and tells each to whoever watches.
pub struct Watch<'a> {
    costs: Vec<StageCost>,
    tell: &'a mut dyn FnMut(&StageCost),
    memory_max_bytes: Option<u64>,
}

impl<'a> Watch<'a> {
    pub fn new(tell: &'a mut dyn FnMut(&StageCost)) -> Watch<'a> {
        Watch { costs: Vec::new(), tell, memory_max_bytes: None }
    }

    /// Stops the run after a stage by whose end it has needed more memory than this.
    #[must_use]
    pub fn with_memory_max(mut self, bytes: Option<u64>) -> Watch<'a> {
        self.memory_max_bytes = bytes;
        self
    }

    /// Runs a stage. `rows` counts what it made.
    #[allow(clippy::disallowed_methods)]
    pub fn stage<T>(&mut self, stage: &str, rows: impl Fn(&T) -> u64, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let made = run()?;
        let cost = StageCost {
            stage: stage.to_string(),
            seconds: start.elapsed().as_secs_f64(),
            rows: rows(&made),
            peak_memory_bytes: peak_memory_bytes(),
        };
        (self.tell)(&cost);
        let within = self.within_memory(&cost);
        self.costs.push(cost);
        within.map(|()| made)
    }

    /// A run that needs more than it was given stops before it drives out its neighbours.
    fn within_memory(&self, cost: &StageCost) -> Result<()> {
        let peak = cost.peak_memory_bytes.unwrap_or(0);
        let Some(most) = self.memory_max_bytes.filter(|&most| peak > most) else { return Ok(()) };
        let fault = Fault::new(format!(
            "the run needed {} MiB by the end of stage `{}`, more than the {} MiB of `--memory-max`",
            peak >> 20,
            cost.stage,
            most >> 20
        ));
        Err(Error::could_not_run(fault.hint("give it more, or a machine with more")))
    }

    pub fn costs(&self) -> &[StageCost] {
        &self.costs
    }
}

/// The high-water mark of resident memory, as Linux tells it.
#[allow(clippy::disallowed_methods)]
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
