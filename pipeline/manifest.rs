//! `manifest.json`: what a run was made from, what it made, and what was checked. Its shape is the contract of
//! `schemas/manifest.schema.json`. Leaves the writing, once, beside the run's tables, to `publish`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::AuditRow;
use crate::clean::RowCounts;
use crate::fault::{Error, Fault, Result};
use crate::read::ReadFile;
use crate::read::published::{self, PublishedRun};
use crate::rulebook::Rulebook;
use crate::watch::StageCost;

/// What a published run of Wellfield was made from, what it made, and what was checked. It stands as `manifest.json` in
/// the run's folder and is never changed. Paths of inputs are relative to the bank's folder, paths of outputs to the
/// run's; digests are blake3, 64 hexadecimal digits; dates are written YYYY-MM-DD.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 20 hexadecimal digits: a digest of the program's version, the as-of date, the rulebook, the run before,
    /// `bank.toml` and the input files. The same of all these gives the same id.
    pub run_id: String,
    /// The day that the run describes.
    pub as_of: String,
    /// The version of the program that published the run.
    pub program_version: String,
    /// The place in the order in which runs of the as-of date were published: one more than the highest before.
    pub sequence: u64,
    /// The bank's name as `bank.toml` gives it.
    pub bank: String,
    /// Digest of `bank.toml`, which says how the input files are read.
    pub bank_digest: String,
    /// The policies by which the run was rated.
    pub rulebook: RulebookEntry,
    /// Digest of the definition in force of every indicator, by its id.
    pub definitions: BTreeMap<String, String>,
    /// The run that this one looked back at; null where it looked back at none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub previous_run: Option<PreviousEntry>,
    /// Every file that was read, by table and path.
    pub inputs: Vec<InputEntry>,
    /// Row counts by input table; `read = accepted + set_aside + not_yet_known`.
    pub tables: BTreeMap<String, RowCounts>,
    /// What was written, by output table.
    pub outputs: BTreeMap<String, OutputEntry>,
    /// What leaves the bank: every file of the folder for the regulator, by path.
    pub regulator: Vec<ReleasedEntry>,
    /// What each stage cost, in the order in which they ran; the last, publishing, had not ended when this was written.
    pub stages: Vec<StageCost>,
    /// Every check that was made before the run became visible.
    pub audit: Vec<AuditRow>,
    /// What a reader should know though nothing was refused.
    pub remarks: Vec<String>,
}

/// The policies by which the run was rated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulebookEntry {
    /// Digest of every policy file, in force or not.
    pub digest: String,
    /// The versions in force on the as-of date.
    pub versions: Vec<VersionEntry>,
}

/// The version of a policy that was in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionEntry {
    /// The policy's name, which is its file's name too.
    pub policy: String,
    /// The first day of the version.
    pub valid_from: String,
    /// The day on which somebody last compared it with its source.
    pub last_checked: String,
    /// The document that it comes from, by its name in the rulebook's list of sources.
    pub source: String,
    /// Where in the document, and what it says there.
    pub provision: String,
}

/// An earlier run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviousEntry {
    /// Its id, which is its folder's name too.
    pub run_id: String,
    /// The day that it describes.
    pub as_of: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputEntry {
    /// The input table that it belongs to.
    pub table: String,
    /// The file, from the bank's folder on.
    pub path: String,
    /// The file's size.
    pub bytes: u64,
    /// Digest of the file as it was read.
    pub digest: String,
    /// The own date of the newest known row of the file; null for tables that are always known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub newest_row: Option<String>,
}

/// An output table: one file, or a folder of parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    /// Rows of the table, in all its files.
    pub rows: u64,
    /// Its files, in the order of its rows.
    pub files: Vec<FileEntry>,
}

/// A Parquet file of an output table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The file, from the run's folder on.
    pub path: String,
    /// Rows of the file.
    pub rows: u64,
    /// The file's size.
    pub bytes: u64,
    /// Digest of the file.
    pub digest: String,
}

/// A file for the regulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasedEntry {
    /// The file, from the run's folder on.
    pub path: String,
    /// Rows below the headings; null where the file holds more than one table.
    #[serde(deserialize_with = "Option::deserialize")]
    pub rows: Option<u64>,
    /// The file's size.
    pub bytes: u64,
    /// Digest of the file.
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

impl InputEntry {
    pub fn new(file: ReadFile, newest_row: Option<String>) -> InputEntry {
        let ReadFile { table, path, bytes, digest, .. } = file;
        InputEntry { table, path, bytes, digest, newest_row }
    }
}

impl PreviousEntry {
    pub fn of(run: &PublishedRun) -> PreviousEntry {
        PreviousEntry { run_id: run.run_id.clone(), as_of: run.as_of.to_string() }
    }
}

impl Manifest {
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::internal(error.to_string()))?;
        Ok(format!("{text}\n"))
    }

    /// The manifest of a run of this program's version.
    pub fn of_run(run: &PublishedRun) -> Result<Manifest> {
        Manifest::from_json(&published::manifest_text(run)?).map_err(|error| published::damaged(&run.folder, &error))
    }

    /// The manifest in a text, every key of which must be there and known.
    pub fn from_json(text: &str) -> serde_json::Result<Manifest> {
        serde_json::from_str(text)
    }

    /// Figures that contradict each other, one sentence each: nobody who wrote this file with this program wrote those.
    pub fn contradictions(&self) -> Vec<String> {
        let unequal = self.tables.iter().filter(|(_, counts)| {
            let known = counts.accepted.checked_add(counts.set_aside);
            known.and_then(|known| known.checked_add(counts.not_yet_known)) != Some(counts.read)
        });
        let unequal = unequal.map(|(table, counts)| {
            format!(
                "`{table}` has {} rows read, but {} accepted, {} set aside and {} not yet known",
                counts.read, counts.accepted, counts.set_aside, counts.not_yet_known
            )
        });
        let failed = self.audit.iter().filter(|row| !row.passed && !row.allowed);
        let failed = failed.map(|row| format!("check `{}` of `{}` failed and was not allowed", row.check, row.table));
        unequal.chain(failed).collect()
    }
}

/// What cannot be true of a manifest that this version of the program wrote: a key that is missing or unknown,
/// figures that contradict each other. Nothing is said of the manifests of other versions.
pub fn faults(text: &str) -> Vec<Fault> {
    const HINT: &str = "it was changed after the run was published; restore it from a backup";
    #[derive(Deserialize)]
    struct Writer {
        program_version: String,
    }
    let writer = serde_json::from_str::<Writer>(text);
    if writer.is_ok_and(|writer| writer.program_version != env!("CARGO_PKG_VERSION")) {
        return Vec::new();
    }
    let sentences = match Manifest::from_json(text) {
        Ok(manifest) => manifest.contradictions(),
        Err(error) => {
            let fault = Fault::new("`manifest.json` does not have the keys that a run of this version has");
            return vec![fault.caused_by(error).hint(HINT)];
        }
    };
    sentences
        .into_iter()
        .map(|said| Fault::new(format!("`manifest.json` contradicts itself: {said}")).hint(HINT))
        .collect()
}
