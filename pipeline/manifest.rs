//! `manifest.json`: what a run was made from, what it made, and what was checked. Written once, beside its tables.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::audit::AuditRow;
use crate::clean::RowCounts;
use crate::fault::{Error, Fault, Result};
use crate::read::ReadFile;
use crate::read::published::PublishedRun;
use crate::rulebook::Rulebook;
use crate::watch::StageCost;

use super::parquet::Written;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Manifest {
    pub run_id: String,
    pub as_of: String,
    pub program_version: String,
    /// One more than the highest among the published runs of the as-of date.
    pub sequence: u64,
    pub bank: String,
    /// Digest of `bank.toml`, which says how the input files are read.
    pub bank_digest: String,
    pub rulebook: RulebookEntry,
    /// Digest of the definition in force of every indicator, by its id.
    pub definitions: BTreeMap<String, String>,
    pub previous_run: Option<PreviousEntry>,
    pub inputs: Vec<InputEntry>,
    /// Row counts by input table; `read = accepted + set_aside + not_yet_known`.
    pub tables: BTreeMap<String, RowCounts>,
    pub outputs: BTreeMap<String, OutputEntry>,
    /// What leaves the bank: every file of the folder for the regulator.
    pub regulator: Vec<ReleasedEntry>,
    pub stages: Vec<StageCost>,
    pub audit: Vec<AuditRow>,
    /// What a reader should know though nothing was refused.
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct RulebookEntry {
    pub digest: String,
    pub versions: Vec<VersionEntry>,
}

#[derive(Clone, Debug, Serialize)]
pub struct VersionEntry {
    pub policy: String,
    pub valid_from: String,
    pub last_checked: String,
    pub source: String,
    pub provision: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct PreviousEntry {
    pub run_id: String,
    pub as_of: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct InputEntry {
    #[serde(flatten)]
    pub file: ReadFile,
    /// The own date of the newest known row of the file; null for tables that are always known.
    pub newest_row: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct OutputEntry {
    pub rows: u64,
    pub files: Vec<FileEntry>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FileEntry {
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub digest: String,
}

/// A file for the regulator.
#[derive(Clone, Debug, Serialize)]
pub struct ReleasedEntry {
    pub path: String,
    /// None: the file holds more than one table.
    pub rows: Option<u64>,
    pub bytes: u64,
    pub digest: String,
}

impl RulebookEntry {
    pub fn of(rulebook: &Rulebook) -> RulebookEntry {
        let versions = rulebook.in_force.iter().map(|version| VersionEntry {
            policy: version.policy.clone(),
            valid_from: version.valid_from.to_string(),
            last_checked: version.last_checked.to_string(),
            source: version.source.id.clone(),
            provision: version.source.provision.clone(),
        });
        RulebookEntry { digest: rulebook.digest.clone(), versions: versions.collect() }
    }
}

impl PreviousEntry {
    pub fn of(run: &PublishedRun) -> PreviousEntry {
        PreviousEntry { run_id: run.run_id.clone(), as_of: run.as_of.to_string() }
    }
}

impl OutputEntry {
    pub(super) fn new(rows: u64, written: &[Written]) -> OutputEntry {
        let files = written.iter().map(|file| FileEntry {
            path: file.path.clone(),
            rows: file.rows,
            bytes: file.bytes,
            digest: file.digest.clone(),
        });
        OutputEntry { rows, files: files.collect() }
    }

    /// Reads the files back: their bytes must be the ones that were computed.
    pub(super) fn verify(&self, folder: &Path) -> Result<()> {
        let rows: u64 = self.files.iter().map(|file| file.rows).sum();
        for file in &self.files {
            verify(folder, &file.path, file.bytes, &file.digest)?;
            if rows != self.rows {
                return Err(not_as_written(&file.path));
            }
        }
        Ok(())
    }
}

impl ReleasedEntry {
    pub(super) fn verify(&self, folder: &Path) -> Result<()> {
        verify(folder, &self.path, self.bytes, &self.digest)
    }
}

fn verify(folder: &Path, path: &str, bytes: u64, digest: &str) -> Result<()> {
    let found = crate::read::digest(&folder.join(path))?;
    if found == (bytes, digest.to_string()) { Ok(()) } else { Err(not_as_written(path)) }
}

fn not_as_written(path: &str) -> Error {
    let fault = Fault::new(format!("`{path}` does not hold what was written to it"));
    Error::could_not_run(fault.hint("the disk may be full or failing; nothing was published"))
}

impl Manifest {
    pub(super) fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::internal(error.to_string()))?;
        Ok(format!("{text}\n"))
    }
}
