//! How long each stage took and how much memory the program has needed so far. The only place that looks at a clock:
//! what it measures goes into the manifest and the log, and never into a result.

use std::time::Instant;

use serde::Serialize;

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
}

impl<'a> Watch<'a> {
    pub fn new(tell: &'a mut dyn FnMut(&StageCost)) -> Watch<'a> {
        Watch { costs: Vec::new(), tell }
    }

    /// Runs a stage. `rows` counts what it made.
    #[allow(clippy::disallowed_methods)]
    pub fn stage<T, E>(
        &mut self,
        stage: &str,
        rows: impl Fn(&T) -> u64,
        run: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let made = run()?;
        let cost = StageCost {
            stage: stage.to_string(),
            seconds: start.elapsed().as_secs_f64(),
            rows: rows(&made),
            peak_memory_bytes: peak_memory_bytes(),
        };
        (self.tell)(&cost);
        self.costs.push(cost);
        Ok(made)
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
