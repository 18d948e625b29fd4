//! The vintage that went before tonight's: what an earlier run of the same as-of date published for the regulator, and
//! what that run was made from. Opens and checks its files; what changed against it is found in `regulator`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Float64Type};
use serde::Deserialize;

use crate::calendar::Date;
use crate::fault::{Error, Fault, Result};
use crate::read::{self, ReadFile};

use super::{FileHead, MadeFrom, PublishedRun, folders, table, text_column};

/// The folder inside a run's that holds what leaves the bank.
pub const REGULATOR: &str = "regulator";

/// The published table that is compared, by its path inside a run's folder.
const TABLE: &str = "regulator/indicators";
const COLUMNS: [&str; 8] =
    ["REF_AREA", "INDICATOR", "BREAKDOWN", "OBS_STATUS", "DEF_VERSION", "OBS_VALUE", "NUMERATOR", "DENOMINATOR"];

/// One row of `indicators.csv`: what anybody outside the bank may see. Numerator and denominator are in units of 10^−4.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    pub ref_area: String,
    pub indicator: String,
    pub breakdown: String,
    pub status: String,
    pub version: String,
    /// None: there is no published value, for the reason that the status gives.
    pub value: Option<f64>,
    pub numerator: Option<i128>,
    pub denominator: Option<i128>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EarlierVintage {
    pub run_id: String,
    pub sequence: u64,
    pub made_from: MadeFrom,
    pub observations: Vec<Observation>,
}

/// What the manifest of a run says of its vintage; a run of an earlier program has none.
#[derive(Deserialize)]
struct Head {
    run_id: String,
    sequence: u64,
    program_version: String,
    rulebook: RulebookHead,
    #[serde(default)]
    definitions: BTreeMap<String, String>,
    previous_run: Option<RunHead>,
    #[serde(default)]
    bank_digest: String,
    #[serde(default)]
    inputs: Vec<ReadFile>,
    #[serde(default)]
    regulator: Vec<FileHead>,
}

#[derive(Deserialize)]
struct RulebookHead {
    digest: String,
}

#[derive(Deserialize)]
struct RunHead {
    run_id: String,
}

/// The vintage of an as-of date that was published last. A run of that date that cannot be read is an error: what a
/// regulator was given is never revised without saying so.
pub fn latest_vintage(runs: &Path, as_of: Date) -> Result<Option<EarlierVintage>> {
    let mut latest: Option<(PathBuf, Head)> = None;
    for folder in folders(&runs.join(as_of.to_string()))? {
        let path = folder.join("manifest.json");
        let text = read::read_text(&path).map_err(|error| damaged(&folder, "manifest.json", error))?;
        let head: Head = serde_json::from_str(&text).map_err(|error| damaged(&folder, "manifest.json", error))?;
        let is_later = latest.as_ref().is_none_or(|(_, other)| other.sequence < head.sequence);
        if is_later && !head.regulator.is_empty() {
            latest = Some((folder, head));
        }
    }
    latest.map(|(folder, head)| read_vintage(&folder, head, as_of)).transpose()
}

fn read_vintage(folder: &Path, head: Head, as_of: Date) -> Result<EarlierVintage> {
    let shown = format!("{TABLE}.parquet");
    for file in head.regulator.iter().filter(|file| file.path.starts_with(TABLE) && file.path.ends_with(".parquet")) {
        let digested = read::digest(&folder.join(&file.path));
        let (bytes, digest) = digested.map_err(|error| damaged(folder, &file.path, cause(&error)))?;
        if bytes != file.bytes || digest != file.digest {
            return Err(damaged(folder, &file.path, "it does not hold what `manifest.json` says was published"));
        }
    }
    let previous_run_id = head.previous_run.map(|run| run.run_id);
    let run = PublishedRun {
        folder: folder.to_path_buf(),
        run_id: head.run_id.clone(),
        as_of,
        sequence: head.sequence,
        previous_run_id: previous_run_id.clone(),
    };
    let mut observations = Vec::new();
    for batch in table(&run, TABLE, &COLUMNS).map_err(|error| damaged(folder, &shown, cause(&error)))? {
        let rows = read_rows(&batch).ok_or_else(|| damaged(folder, &shown, "a column is of another type"))?;
        observations.extend(rows);
    }
    let made_from = MadeFrom {
        program_version: head.program_version,
        rulebook_digest: head.rulebook.digest,
        definitions: head.definitions,
        previous_run: previous_run_id,
        bank_digest: head.bank_digest,
        inputs: head.inputs,
    };
    Ok(EarlierVintage { run_id: head.run_id, sequence: head.sequence, made_from, observations })
}

fn read_rows(batch: &RecordBatch) -> Option<Vec<Observation>> {
    let texts = (0..5).map(|position| text_column(batch, position)).collect::<Option<Vec<_>>>()?;
    let values = batch.column(5).as_primitive_opt::<Float64Type>()?;
    let numerators = batch.column(6).as_primitive_opt::<Decimal128Type>()?;
    let denominators = batch.column(7).as_primitive_opt::<Decimal128Type>()?;
    let text = |position: usize, row: usize| texts.get(position).map_or("", |column| column.value(row)).to_owned();
    let rows = (0..batch.num_rows()).map(|row| Observation {
        ref_area: text(0, row),
        indicator: text(1, row),
        breakdown: text(2, row),
        status: text(3, row),
        version: text(4, row),
        value: Some(values.value(row)).filter(|value| !value.is_nan()),
        numerator: numerators.is_valid(row).then(|| numerators.value(row)),
        denominator: denominators.is_valid(row).then(|| denominators.value(row)),
    });
    Some(rows.collect())
}

fn damaged(folder: &Path, file: &str, cause: impl ToString) -> Error {
    let sentence = format!("`{file}` of the earlier vintage `{}` is damaged", folder.display());
    let hint = "restore it from a backup, or move its folder away; the night then publishes no revisions against it";
    Error::could_not_run(Fault::new(sentence).caused_by(cause).hint(hint))
}

/// What lies beneath an error, without the hint that it would give elsewhere.
fn cause(error: &Error) -> String {
    let fault = error.faults().first();
    fault.map_or_else(|| error.to_string(), |fault| fault.causes.last().unwrap_or(&fault.message).clone())
}
