//! How long each stage took and how much memory the program has needed so far. The only place that looks at a clock:
//! what it measures goes into the manifest and the log, and never into a result.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::{Error, Fault, Result};

/// A moment on the wall clock, in microseconds since 1970 (UTC): when a night began and ended. For lineage and metrics
/// only; no result depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// The present moment; 1970 where the clock stands before it.
    #[allow(clippy::disallowed_methods)]
    pub fn now() -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The stages of a night, in the order in which they end. The last three run piece by piece, by turns: the large tables
/// are made, audited and written while they pass by. `disclosure` and `regulator` run beside them, so their seconds and
/// those of the others overlap.
pub const STAGES: [&str; 14] = [
    "clean",
    "visits",
    "facts",
    "score",
    "grade",
    "limit",
    "coverage",
    "distances",
    "indicators",
    "disclosure",
    "regulator",
    "outputs",
    "audit",
    "publish",
];

/// What is told of a stage: that it begins, so that a fault can be told with its stage, and what it has cost.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Begun(String),
    Ended(StageCost),
}

/// What one stage cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageCost {
    /// The stage's name.
    pub stage: String,
    /// Wall-clock time; of a stage that runs piece by piece that of its pieces together.
    pub seconds: f64,
    /// Rows that the stage made, or read for the stages that only read.
    pub rows: u64,
    /// The most memory that the program has held up to the stage's end; null where the system does not tell.
    #[serde(deserialize_with = "Option::deserialize")]
    pub peak_memory_bytes: Option<u64>,
}

/// A stage that runs piece by piece, between pieces of others: what its pieces have cost so far. Its seconds are theirs
/// together.
#[derive(Debug)]
pub struct Pieces {
    stage: String,
    lasted: Duration,
    rows: u64,
}

impl Pieces {
    pub fn of(stage: &str) -> Pieces {
        Pieces { stage: stage.to_string(), lasted: Duration::ZERO, rows: 0 }
    }

    /// Counts what was made while other threads did other things: of each thread's time its share, so that stages that
    /// share the threads last as long as they did together.
    pub fn share<T>(&mut self, rows: impl Fn(&T) -> u64, made: Timed<T>) -> T {
        self.count(made.lasted / rayon::current_num_threads().max(1) as u32, rows, made.made)
    }

    /// Counts what ran beside others, and how long that took.
    pub fn beside<T>(&mut self, rows: impl Fn(&T) -> u64, made: Timed<T>) -> T {
        self.count(made.lasted, rows, made.made)
    }

    fn count<T>(&mut self, lasted: Duration, rows: impl Fn(&T) -> u64, made: T) -> T {
        self.lasted += lasted;
        self.rows += rows(&made);
        made
    }
}

/// What was made on a thread of its own, and how long that took.
#[derive(Debug)]
pub struct Timed<T> {
    made: T,
    lasted: Duration,
}

impl<T> Timed<T> {
    /// What was made.
    pub fn get(&self) -> &T {
        &self.made
    }
}

/// Runs what nobody watches, beside a stage that somebody does.
#[allow(clippy::disallowed_methods)]
pub fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<Timed<T>> {
    let start = Instant::now();
    let made = run()?;
    Ok(Timed { made, lasted: start.elapsed() })
}

/// Measures the stages of a run, and tells each to whoever watches.
pub struct Watch<'a> {
    costs: Vec<StageCost>,
    tell: &'a mut dyn FnMut(&Progress),
    memory_max_bytes: Option<u64>,
}

impl<'a> Watch<'a> {
    pub fn new(tell: &'a mut dyn FnMut(&Progress)) -> Watch<'a> {
        Watch { costs: Vec::new(), tell, memory_max_bytes: None }
    }

    /// Stops the run after a stage by whose end it has needed more memory than this.
    #[must_use]
    pub fn with_memory_max(mut self, bytes: Option<u64>) -> Watch<'a> {
        self.memory_max_bytes = bytes;
        self
    }

    /// Runs a stage. `rows` counts what it made.
    pub fn stage<T>(&mut self, stage: &str, rows: impl Fn(&T) -> u64, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut pieces = Pieces::of(stage);
        let made = self.piece(&mut pieces, rows, run)?;
        self.end(pieces).map(|()| made)
    }

    /// Runs a piece of a stage. `rows` counts what the piece made.
    #[allow(clippy::disallowed_methods)]
    pub fn piece<T>(
        &mut self,
        pieces: &mut Pieces,
        rows: impl Fn(&T) -> u64,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        (self.tell)(&Progress::Begun(pieces.stage.clone()));
        let start = Instant::now();
        let made = run()?;
        Ok(pieces.count(start.elapsed(), rows, made))
    }

    /// Ends a stage that ran piece by piece.
    pub fn end(&mut self, pieces: Pieces) -> Result<()> {
        let cost = StageCost {
            stage: pieces.stage,
            // Whole microseconds: as few digits as are read back to the same number.
            seconds: pieces.lasted.as_micros() as f64 / 1e6,
            rows: pieces.rows,
            peak_memory_bytes: peak_memory_bytes(),
        };
        (self.tell)(&Progress::Ended(cost.clone()));
        let within = self.within_memory(&cost);
        self.costs.push(cost);
        within
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

/// The memory that the machine has, or that its control group lets the program have, as Linux tells it.
#[allow(clippy::disallowed_methods)]
pub fn memory_bytes() -> Option<u64> {
    let information = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = information.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let machine = line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse::<u64>().ok());
    Some(group.map_or(machine, |group| group.min(machine)))
}
