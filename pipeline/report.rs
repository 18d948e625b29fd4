//! What a night tells those who schedule and watch it, whether it published, had published before, or failed: the
//! common source of lineage events and metrics. Leaves their forms to `lineage` and `metrics`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::audit::AuditRow;
use crate::calendar::Date;
use crate::clean::RowCounts;
use crate::fault::{Error, Fault};
use crate::manifest::{InputEntry, Manifest, OutputEntry, PreviousEntry, ReleasedEntry};
use crate::watch::{Moment, StageCost};

/// What is known of a night at its end; of one that failed early, much is empty.
#[derive(Clone, Debug)]
pub struct NightReport {
    /// The bank's name; its folder as it was named where `bank.toml` could not be read.
    pub bank: String,
    /// The bank's folder, absolute: the paths of `inputs` begin there.
    pub bank_folder: PathBuf,
    /// Where runs are published, absolute: the paths of `outputs` begin in the run's folder below it.
    pub runs_folder: PathBuf,
    pub as_of: Date,
    pub program_version: String,
    /// None: the night ended before its inputs were known.
    pub run_id: Option<String>,
    pub previous_run: Option<PreviousEntry>,
    pub started: Moment,
    pub ended: Moment,
    pub inputs: Vec<InputEntry>,
    /// Row counts by input table.
    pub tables: BTreeMap<String, RowCounts>,
    /// What stands in the run's folder, by output table, whether this night or an earlier one wrote it; empty where
    /// nothing does.
    pub outputs: BTreeMap<String, OutputEntry>,
    pub regulator: Vec<ReleasedEntry>,
    pub stages: Vec<StageCost>,
    pub audit: Vec<AuditRow>,
    pub outcome: Outcome,
}

impl NightReport {
    /// A night that has just begun; of its inputs nothing is known yet.
    pub fn begin(
        bank: String,
        bank_folder: PathBuf,
        runs_folder: PathBuf,
        as_of: Date,
        started: Moment,
    ) -> NightReport {
        NightReport {
            bank,
            bank_folder,
            runs_folder,
            as_of,
            program_version: env!("CARGO_PKG_VERSION").to_string(),
            run_id: None,
            previous_run: None,
            started,
            ended: started,
            inputs: Vec::new(),
            tables: BTreeMap::new(),
            outputs: BTreeMap::new(),
            regulator: Vec::new(),
            stages: Vec::new(),
            audit: Vec::new(),
            outcome: Outcome::Failed { exit_code: 1, faults: Vec::new() },
        }
    }

    /// The same night with what stands in its run's folder.
    #[must_use]
    pub fn with_run(&self, manifest: &Manifest, outcome: Outcome, ended: Moment) -> NightReport {
        NightReport {
            outputs: manifest.outputs.clone(),
            regulator: manifest.regulator.clone(),
            audit: manifest.audit.clone(),
            tables: manifest.tables.clone(),
            outcome,
            ended,
            ..self.clone()
        }
    }

    /// The end of a night that failed.
    pub fn fail(&mut self, error: &Error) {
        self.outcome = Outcome::Failed { exit_code: error.exit_code(), faults: error.faults().to_vec() };
    }
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Published,
    /// The same inputs and rules had given this run before; nothing was written.
    AlreadyPublished,
    Failed {
        exit_code: u8,
        faults: Vec<Fault>,
    },
}

impl Outcome {
    /// The outcome in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Published => "published",
            Outcome::AlreadyPublished => "already_published",
            Outcome::Failed { .. } => "failed",
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Outcome::Published | Outcome::AlreadyPublished => 0,
            Outcome::Failed { exit_code, .. } => *exit_code,
        }
    }
}
