//! Writing a run: the only stage that creates files. Everything goes into a hidden folder beside its place, is
//! synced and read back against what was computed, and becomes visible with one rename.
//! Decides nothing about what is published; the audit has done that.
#![allow(clippy::disallowed_methods)]

pub mod bank_files;
mod files;
mod lock;
mod parquet;
mod prune;
mod sweep;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::calendar::Date;
use crate::contract::Contracts;
use crate::fault::{Error, Fault, Result};
use crate::manifest::{FileEntry, Manifest, OutputEntry, ReleasedEntry};
use crate::outputs::OutputTable;
use crate::regulator::{self, Export};

pub use self::lock::{Lock, lock, lock_existing};
use self::parquet::Written;
pub use self::parquet::properties as table_properties;
pub use self::prune::{leftovers, remove_runs};
use self::sweep::HIDDEN;

/// The files of a run's folder that are not listed in its manifest.
pub const MANIFEST: &str = "manifest.json";
pub const LINEAGE: &str = "lineage.ndjson";

/// Where a run of an as-of date with an id stands.
pub fn run_folder(runs: &Path, as_of: Date, run_id: &str) -> PathBuf {
    runs.join(as_of.to_string()).join(run_id)
}

/// The next place in the order in which runs of one as-of date are published.
pub fn next_sequence(published: &[crate::read::published::PublishedRun], as_of: Date) -> u64 {
    published.iter().filter(|run| run.as_of == as_of).map(|run| run.sequence).max().unwrap_or(0) + 1
}

/// Publishes the output tables, what leaves the bank (if anything does), their lineage and their manifest; returns the
/// run's folder. What was written is filled into the manifest here, before `lineage` is asked for its events.
pub fn publish(
    runs: &Path,
    outputs: &[OutputTable],
    export: Option<&Export>,
    contracts: &Contracts,
    manifest: Manifest,
    lineage: &dyn Fn(&Manifest) -> Result<String>,
) -> Result<(PathBuf, Manifest)> {
    let day = runs.join(&manifest.as_of);
    files::create_folder(&day)?;
    publish_below(&day, outputs, export, contracts, manifest, lineage).inspect_err(|_| {
        // An as-of date without a run leaves no trace; a folder that holds one is not removed by this.
        let _ = fs::remove_dir(&day);
    })
}

fn publish_below(
    day: &Path,
    outputs: &[OutputTable],
    export: Option<&Export>,
    contracts: &Contracts,
    mut manifest: Manifest,
    lineage: &dyn Fn(&Manifest) -> Result<String>,
) -> Result<(PathBuf, Manifest)> {
    let hidden = tempfile::Builder::new()
        .prefix(&format!("{HIDDEN}{}-", manifest.run_id))
        .tempdir_in(day)
        .map_err(|error| Error::io("create a folder in", day, &error))?;
    files::restrict_folder(hidden.path())?;
    manifest.outputs = write_tables(hidden.path(), outputs, contracts, &manifest)?;
    if let Some(export) = export {
        manifest.regulator = write_export(hidden.path(), export, contracts, &manifest)?;
    }
    verify(hidden.path(), &manifest)?;
    files::write_new(&hidden.path().join(LINEAGE), lineage(&manifest)?.as_bytes())?;
    files::write_new(&hidden.path().join(MANIFEST), manifest.to_json()?.as_bytes())?;
    files::sync_folder(hidden.path())?;
    files::make_read_only(hidden.path())?;
    let target = day.join(&manifest.run_id);
    // From here on the folder is no longer temporary: either the rename shows it, or the next run sweeps it.
    let hidden = hidden.keep();
    fs::rename(&hidden, &target).map_err(|error| Error::io("rename into place", &target, &error))?;
    files::sync_folder(day)?;
    Ok((target, manifest))
}

/// Reads every file back: digests, sizes and rows must be the ones that were computed.
fn verify(folder: &Path, manifest: &Manifest) -> Result<()> {
    for output in manifest.outputs.values() {
        let mut rows = 0;
        for file in &output.files {
            verify_file(folder, &file.path, file.bytes, &file.digest)?;
            rows += crate::read::parquet_rows(&folder.join(&file.path))?;
        }
        if let Some(first) = output.files.first().filter(|_| rows != output.rows) {
            return Err(not_as_written(&first.path));
        }
    }
    manifest.regulator.iter().try_for_each(|file| verify_file(folder, &file.path, file.bytes, &file.digest))
}

fn verify_file(folder: &Path, path: &str, bytes: u64, digest: &str) -> Result<()> {
    let found = crate::read::digest(&folder.join(path))?;
    if found == (bytes, digest.to_string()) { Ok(()) } else { Err(not_as_written(path)) }
}

fn not_as_written(path: &str) -> Error {
    let fault = Fault::new(format!("`{path}` does not hold what was written to it"));
    Error::could_not_run(fault.hint("the disk may be full or failing; nothing was published"))
}

fn entry(rows: u64, written: Vec<Written>) -> OutputEntry {
    let files = written.into_iter().map(|file| FileEntry {
        path: file.path,
        rows: file.rows,
        bytes: file.bytes,
        digest: file.digest,
    });
    OutputEntry { rows, files: files.collect() }
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
            Ok((output.name.clone(), entry(output.batch.num_rows() as u64, written)))
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

/// Replaces a file that somebody asked for on the command line, at once: a reader sees the old one or the new one.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    files::replace(path, bytes, HIDDEN)
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
        files::replace(&path, text.as_bytes(), HIDDEN)
    }
}
