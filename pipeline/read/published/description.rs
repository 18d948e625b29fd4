//! What the manifest of a published run says of where it came from: files, rule versions, the run before, and how many
//! rows were not yet known. For those who compare runs; what a difference means is in `comparison`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::fault::Result;
use crate::read::{self, ReadFile};

use super::{MadeFrom, PublishedRun, damaged};

/// Where one run came from.
#[derive(Clone, Debug)]
pub struct Description {
    pub bank: String,
    pub as_of: Date,
    pub made_from: MadeFrom,
    /// The version in force of every policy, by the policy's name.
    pub versions: BTreeMap<String, VersionHead>,
    /// Rows that had no effect because they were not yet known, by input table; None where the run does not say.
    pub not_yet_known: BTreeMap<String, u64>,
}

/// Which version of a policy held, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct VersionHead {
    pub valid_from: String,
    pub last_checked: String,
    pub source: String,
    pub provision: String,
}

#[derive(Deserialize)]
struct Manifest {
    bank: String,
    program_version: String,
    #[serde(default)]
    bank_digest: String,
    rulebook: Rulebook,
    #[serde(default)]
    definitions: BTreeMap<String, String>,
    previous_run: Option<Previous>,
    inputs: Vec<ReadFile>,
    #[serde(default)]
    tables: BTreeMap<String, Counts>,
}

#[derive(Deserialize)]
struct Rulebook {
    digest: String,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    policy: String,
    #[serde(flatten)]
    head: VersionHead,
}

#[derive(Deserialize)]
struct Previous {
    run_id: String,
}

#[derive(Deserialize)]
struct Counts {
    not_yet_known: u64,
}

/// Reads where a run came from.
pub fn describe(run: &PublishedRun) -> Result<Description> {
    let path = run.folder.join("manifest.json");
    let text = read::read_text(&path).map_err(|error| damaged(&run.folder, &error))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| damaged(&run.folder, &error))?;
    let versions = manifest.rulebook.versions.into_iter();
    Ok(Description {
        bank: manifest.bank,
        as_of: run.as_of,
        made_from: MadeFrom {
            program_version: manifest.program_version,
            rulebook_digest: manifest.rulebook.digest,
            definitions: manifest.definitions,
            previous_run: manifest.previous_run.map(|previous| previous.run_id),
            bank_digest: manifest.bank_digest,
            inputs: manifest.inputs,
        },
        versions: versions.map(|version| (version.policy, version.head)).collect(),
        not_yet_known: manifest.tables.into_iter().map(|(table, counts)| (table, counts.not_yet_known)).collect(),
    })
}
