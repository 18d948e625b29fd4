//! Writing a run: the only stage that creates files. Everything goes into a hidden folder beside its place, is
//! synced and read back against what was computed, and becomes visible with one rename.
//! Decides nothing about what is published; the audit has done that.
#![allow(clippy::disallowed_methods)]

pub mod bank_files;
mod files;
pub mod manifest;
mod parquet;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::calendar::Date;
use crate::contract::Contracts;
use crate::fault::{Error, Fault, Result};
use crate::outputs::OutputTable;
use crate::regulator::{self, Export};

use self::manifest::{Manifest, OutputEntry, ReleasedEntry};

/// Keeps a second run of the same bank away until it is dropped or the process ends.
pub struct Lock {
    _file: File,
}

/// Takes the lock of a folder of runs, creating the folder where needed.
pub fn lock(runs: &Path) -> Result<Lock> {
    files::create_folder(runs)?;
    let path = runs.join(".lock");
    let file = files::create_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => {
            let fault = Fault::new(format!("another run is writing to `{}`", runs.display()));
            Err(Error::could_not_run(fault.hint("wait until it has ended, or give this run another `--out`")))
        }
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, &error)),
    }
}

/// Where a run of an as-of date with an id stands.
pub fn run_folder(runs: &Path, as_of: Date, run_id: &str) -> PathBuf {
    runs.join(as_of.to_string()).join(run_id)
}

/// The next place in the order in which runs of one as-of date are published.
pub fn next_sequence(published: &[crate::read::published::PublishedRun], as_of: Date) -> u64 {
    published.iter().filter(|run| run.as_of == as_of).map(|run| run.sequence).max().unwrap_or(0) + 1
}

/// Publishes the output tables, what leaves the bank (if anything does), and their manifest; returns the run's folder.
/// What was written is filled into the manifest here.
pub fn publish(
    runs: &Path,
    outputs: &[OutputTable],
    export: Option<&Export>,
    contracts: &Contracts,
    mut manifest: Manifest,
    as_of: Date,
) -> Result<PathBuf> {
    let day = runs.join(as_of.to_string());
    files::create_folder(&day)?;
    sweep(&day)?;
    let hidden = tempfile::Builder::new()
        .prefix(&format!(".{}-", manifest.run_id))
        .tempdir_in(&day)
        .map_err(|error| Error::io("create a folder in", &day, &error))?;
    files::restrict_folder(hidden.path())?;
    manifest.outputs = write_tables(hidden.path(), outputs, contracts, &manifest)?;
    if let Some(export) = export {
        manifest.regulator = write_export(hidden.path(), export, contracts, &manifest)?;
    }
    for entry in manifest.outputs.values() {
        entry.verify(hidden.path())?;
    }
    for entry in &manifest.regulator {
        entry.verify(hidden.path())?;
    }
    files::write_new(&hidden.path().join("manifest.json"), manifest.to_json()?.as_bytes())?;
    files::sync_folder(hidden.path())?;
    let target = run_folder(runs, as_of, &manifest.run_id);
    // From here on the folder is no longer temporary: either the rename shows it, or the next run sweeps it.
    let hidden = hidden.keep();
    fs::rename(&hidden, &target).map_err(|error| Error::io("rename into place", &target, &error))?;
    files::sync_folder(&day)?;
    Ok(target)
}

/// Writes the output tables into a folder, several at once; what was written, by table.
pub fn write_tables(
    folder: &Path,
    outputs: &[OutputTable],
    contracts: &Contracts,
    manifest: &Manifest,
) -> Result<BTreeMap<String, OutputEntry>> {
    outputs
        .par_iter()
        .map(|output| {
            let contract = contracts.output(&output.name)?;
            let written = parquet::write_table(folder, contract, &output.batch, manifest)?;
            Ok((output.name.clone(), OutputEntry::new(output.batch.num_rows() as u64, &written)))
        })
        .collect()
}

/// Writes the folder for the regulator into a run's folder; what was written, by path.
fn write_export(
    folder: &Path,
    export: &Export,
    contracts: &Contracts,
    manifest: &Manifest,
) -> Result<Vec<ReleasedEntry>> {
    let below = folder.join(regulator::FOLDER);
    files::create_folder(&below)?;
    files::restrict_folder(&below)?;
    let path = |name: &str| format!("{}/{name}", regulator::FOLDER);
    let contract = contracts.regulator(&export.table.name)?;
    let tables = parquet::write_table(&below, contract, &export.table.batch, manifest)?;
    let mut written: Vec<ReleasedEntry> = tables
        .into_iter()
        .map(|file| ReleasedEntry {
            path: path(&file.path),
            rows: Some(file.rows),
            bytes: file.bytes,
            digest: file.digest,
        })
        .collect();
    for file in &export.files {
        files::write_new(&below.join(&file.name), &file.bytes)?;
        let digest = blake3::hash(&file.bytes).to_hex().to_string();
        let bytes = file.bytes.len() as u64;
        written.push(ReleasedEntry { path: path(&file.name), rows: file.rows, bytes, digest });
    }
    files::sync_folder(&below)?;
    written.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(written)
}

#[derive(Serialize)]
struct Latest<'a> {
    as_of: String,
    run_id: &'a str,
    path: String,
}

/// Points `latest.json` to the newest run of the newest as-of date; replaced at once, after the run is visible, and
/// left alone where it points there already.
pub fn point_to_latest(runs: &Path, latest: &crate::read::published::PublishedRun) -> Result<()> {
    let pointer = Latest {
        as_of: latest.as_of.to_string(),
        run_id: &latest.run_id,
        path: format!("{}/{}", latest.as_of, latest.run_id),
    };
    let text = serde_json::to_string_pretty(&pointer).map_err(|error| Error::internal(error.to_string()))?;
    let (path, text) = (runs.join("latest.json"), format!("{text}\n"));
    if fs::read(&path).is_ok_and(|present| present == text.as_bytes()) {
        Ok(())
    } else {
        files::replace(&path, text.as_bytes())
    }
}

/// Removes what a killed run left behind. The lock says that nobody is still writing it.
fn sweep(day: &Path) -> Result<()> {
    let entries = fs::read_dir(day).map_err(|error| Error::io("look into", day, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("look into", day, &error))?;
        if entry.file_name().to_string_lossy().starts_with('.') && entry.path().is_dir() {
            fs::remove_dir_all(entry.path()).map_err(|error| Error::io("remove", &entry.path(), &error))?;
        }
    }
    Ok(())
}
