//! What every published run says of itself in a few figures, for those who choose among runs: which are there, which
//! one is the latest, which folders are damaged and why. Opens manifests only; whether the files are what the
//! manifests say is found in `verify`, which runs may go is decided in `listing`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::fault::Result;
use crate::read;

use super::{days, folders};

/// The runs below one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// By as-of date and the order in which they were published.
    pub runs: Vec<RunSummary>,
    /// Folders that should hold a run and do not, by path.
    pub damaged: Vec<DamagedRun>,
    /// What `latest.json` says; None where there is none that can be read.
    pub latest: Option<Latest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    pub as_of: String,
    /// Of several runs of one as-of date the one published last has the highest.
    pub sequence: u64,
    pub run_id: String,
    /// The run that it looked back at.
    pub previous_run: Option<RunName>,
    pub households: u64,
    /// Rows of its inputs that were faulty.
    pub rows_set_aside: u64,
    pub checks: u64,
    /// Checks that failed and were allowed to.
    pub checks_allowed: u64,
    /// Checks that failed and were not; a run that this program published has none.
    pub checks_failed: u64,
    /// Size of its tables and of what leaves the bank, by the manifest.
    pub bytes: u64,
}

impl RunSummary {
    fn place(&self) -> (&str, u64, &str) {
        (&self.as_of, self.sequence, &self.run_id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunName {
    pub run_id: String,
    pub as_of: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamagedRun {
    /// The folder, from the folder of runs on.
    pub path: String,
    pub why: String,
    /// The run that it looked back at, as far as that can still be read.
    pub previous_run: Option<RunName>,
}

/// The pointer to the newest run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    pub as_of: String,
    pub run_id: String,
    /// From the folder of runs on.
    pub path: String,
}

#[derive(Deserialize)]
struct Manifest {
    run_id: String,
    as_of: String,
    sequence: u64,
    previous_run: Option<RunName>,
    tables: BTreeMap<String, Counts>,
    outputs: BTreeMap<String, Output>,
    #[serde(default)]
    regulator: Vec<File>,
    #[serde(default)]
    audit: Vec<Check>,
}

#[derive(Deserialize)]
struct Counts {
    set_aside: u64,
}

#[derive(Deserialize)]
struct Output {
    rows: u64,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    bytes: u64,
}

#[derive(Deserialize)]
struct Check {
    passed: bool,
    #[serde(default)]
    allowed: bool,
}

/// Looks at every visible run below a folder; at none where there is no such folder.
pub fn survey(runs: &Path) -> Result<Survey> {
    let mut survey = Survey { latest: latest(runs), ..Survey::default() };
    for (day, below) in days(runs)? {
        for folder in folders(&below)? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = format!("{day}/{name}");
            let damaged = |why: String, previous_run| DamagedRun { path: path.clone(), why, previous_run };
            match manifest(&folder) {
                Err(why) => survey.damaged.push(damaged(why, None)),
                Ok(manifest) if manifest.run_id != name || manifest.as_of != day.to_string() => {
                    let why = format!("its manifest is that of run `{}` of {}", manifest.run_id, manifest.as_of);
                    survey.damaged.push(damaged(why, manifest.previous_run));
                }
                Ok(manifest) => survey.runs.push(summary(manifest)),
            }
        }
    }
    // Dates sort as they are written; ties, which no program publishes, go by the id.
    survey.runs.sort_by(|one, other| one.place().cmp(&other.place()));
    Ok(survey)
}

/// Where `latest.json` points to.
pub(super) fn latest(runs: &Path) -> Option<Latest> {
    serde_json::from_str(&read::read_text(&runs.join("latest.json")).ok()?).ok()
}

fn manifest(folder: &Path) -> std::result::Result<Manifest, String> {
    let text = read::read_text(&folder.join("manifest.json"));
    let text = text.map_err(|error| format!("`manifest.json` cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("`manifest.json` is not one: {error}"))
}

fn summary(manifest: Manifest) -> RunSummary {
    let files = manifest.outputs.values().flat_map(|output| &output.files).chain(&manifest.regulator);
    let checks =
        |allowed: bool| manifest.audit.iter().filter(|check| !check.passed && check.allowed == allowed).count();
    RunSummary {
        households: manifest.outputs.get("household_grades").map_or(0, |output| output.rows),
        rows_set_aside: manifest.tables.values().fold(0, |sum, counts| sum.saturating_add(counts.set_aside)),
        checks: manifest.audit.len() as u64,
        checks_allowed: checks(true) as u64,
        checks_failed: checks(false) as u64,
        bytes: files.fold(0, |sum, file| sum.saturating_add(file.bytes)),
        as_of: manifest.as_of,
        sequence: manifest.sequence,
        run_id: manifest.run_id,
        previous_run: manifest.previous_run,
    }
}
