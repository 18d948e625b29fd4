//! Whether a published run still is what its manifest says: every file by size, digest and rows, none missing, none
//! more, and the folder in its place. Proves that nothing was changed as long as the manifest was not; the manifest
//! itself bears no digest. Its run id follows from what it says of program, rulebook, inputs and the run before,
//! which is checked here; whether its other words can be true is asked in `manifest`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;

use crate::calendar::Date;
use crate::fault::{Error, Fault, Result};
use crate::read::{self, parquet_rows};

use super::{PublishedRun, damaged, days, describe, find, folders, manifest_text, open, summary};

/// Files of a run that its manifest does not list: itself, and what is written once it is finished.
const UNLISTED: [&str; 2] = ["manifest.json", "lineage.ndjson"];

/// What was looked at, and what is not as the manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Files that the manifest lists.
    pub files: u64,
    /// Their size by the manifest.
    pub bytes: u64,
    pub faults: Vec<Fault>,
}

#[derive(Deserialize)]
struct Manifest {
    outputs: BTreeMap<String, Output>,
    #[serde(default)]
    regulator: Vec<Listed>,
}

#[derive(Deserialize)]
struct Output {
    rows: u64,
    files: Vec<Listed>,
}

/// A file as the manifest lists it.
#[derive(Deserialize)]
struct Listed {
    path: String,
    rows: Option<u64>,
    bytes: u64,
    digest: String,
}

impl Manifest {
    fn files(&self) -> impl Iterator<Item = &Listed> {
        self.outputs.values().flat_map(|output| &output.files).chain(&self.regulator)
    }
}

/// The run that a user means, as `find` finds it; one that is there and cannot be opened is told as damaged.
pub fn find_any(runs: &Path, name: &str) -> Result<PublishedRun> {
    find(runs, name).or_else(|error| match folder_of(runs, name)? {
        Some(folder) => open(&folder),
        None => Err(error),
    })
}

/// A folder with the name of a run, or the first of an as-of date.
fn folder_of(runs: &Path, name: &str) -> Result<Option<PathBuf>> {
    for (day, below) in days(runs)? {
        let is_day = Date::parse(name) == Some(day);
        let found = folders(&below)?.into_iter().find(|folder| is_day || (!name.is_empty() && folder.ends_with(name)));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(Some(PathBuf::from(name)).filter(|path| path.is_dir()))
}

/// Compares a run with its manifest. Faults are told together; only a manifest that cannot be read is an error.
pub fn verify(run: &PublishedRun) -> Result<Verified> {
    let manifest: Manifest =
        serde_json::from_str(&manifest_text(run)?).map_err(|error| damaged(&run.folder, &error))?;
    let mut faults = in_its_place(run)?;
    let found = found(&run.folder)?;
    faults.extend(listed_faults(run, &manifest, &found));
    let listed: BTreeSet<&str> = manifest.files().map(|file| file.path.as_str()).chain(UNLISTED).collect();
    faults.extend(found.iter().filter(|path| !listed.contains(path.as_str())).map(|path| {
        let fault = Fault::new(format!("`{path}` is in the run's folder, and `manifest.json` does not list it"));
        fault.hint("nothing is added to a published run; move the file elsewhere")
    }));
    let bytes = manifest.files().fold(0, |sum: u64, file| sum.saturating_add(file.bytes));
    Ok(Verified { files: manifest.files().count() as u64, bytes, faults })
}

/// Whether the folder's name, the one above it and the id agree with the manifest, and `latest.json` points to a run.
fn in_its_place(run: &PublishedRun) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let full = std::fs::canonicalize(&run.folder).map_err(|error| Error::io("look at", &run.folder, &error))?;
    let name = |path: Option<&Path>| path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let (folder, day) = (name(Some(&full)), name(full.parent()));
    let hint = "two folders may have been swapped; give each the place that its manifest names";
    let expected = [("folder", folder, run.run_id.clone()), ("folder above it", day, run.as_of.to_string())];
    for (what, found, expected) in expected {
        let found = found.unwrap_or_default();
        if found != expected {
            let message = format!("the run's {what} is named `{found}`, and by `manifest.json` it is `{expected}`");
            faults.push(Fault::new(message).hint(hint));
        }
    }
    let id = describe(run)?.made_from.run_id(run.as_of);
    if id != run.run_id {
        let message = format!(
            "`manifest.json` names the run `{}`, and by the inputs and rules that it lists the id is `{id}`",
            run.run_id
        );
        faults.push(Fault::new(message).hint(CHANGED));
    }
    if let Some((runs, latest)) = full.ancestors().nth(2).and_then(|runs| Some((runs, summary::latest(runs)?)))
        && !runs.join(&latest.path).join("manifest.json").is_file()
    {
        let fault = Fault::new(format!("`latest.json` points to `{}`, and no run is there", latest.path));
        faults.push(fault.hint("restore that run from a backup, or publish it again with the same inputs"));
    }
    Ok(faults)
}

/// The paths of everything in a run's folder that is no folder, in their order.
fn found(folder: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(folder.to_path_buf(), String::new())];
    while let Some((path, shown)) = open.pop() {
        let io = |error| Error::io("look into", &path, &error);
        for entry in std::fs::read_dir(&path).map_err(io)? {
            let entry = entry.map_err(io)?;
            let below = format!("{shown}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(io)?.is_dir() {
                open.push((entry.path(), format!("{below}/")));
            } else {
                found.insert(below);
            }
        }
    }
    Ok(found)
}

/// What is wrong with the files that the manifest lists, and with its row counts of tables.
fn listed_faults(run: &PublishedRun, manifest: &Manifest, found: &BTreeSet<String>) -> Vec<Fault> {
    let files: Vec<&Listed> = manifest.files().collect();
    let faults: Vec<Option<Fault>> = files.par_iter().map(|file| file_fault(&run.folder, file, found)).collect();
    let mut faults: Vec<Fault> = faults.into_iter().flatten().collect();
    let mut seen = BTreeSet::new();
    for file in files.into_iter().filter(|file| !seen.insert(&file.path)) {
        faults.push(Fault::new(format!("`manifest.json` lists `{}` twice", file.path)).hint(CHANGED));
    }
    for (table, output) in &manifest.outputs {
        let rows = output.files.iter().map(|file| file.rows.unwrap_or(0)).fold(0, u64::saturating_add);
        if rows != output.rows {
            let message = format!(
                "table `{table}` has {} rows by `manifest.json`, and the files that it lists have {rows}",
                output.rows
            );
            faults.push(Fault::new(message).hint(CHANGED));
        }
    }
    faults
}

const CHANGED: &str = "`manifest.json` was changed after the run was published; restore it from a backup";
const LOST: &str = "restore it from a backup; or move the run's folder away, and publish the night again with the same \
    inputs";

/// What is wrong with one file: the first of where it is, its size, its bytes, its rows.
fn file_fault(folder: &Path, file: &Listed, found: &BTreeSet<String>) -> Option<Fault> {
    let path = &file.path;
    if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        return Some(Fault::new(format!("`manifest.json` lists `{path}`, which is no path in a run")).hint(CHANGED));
    }
    if !found.contains(path) {
        let message = format!("`{path}` is missing; `manifest.json` lists it with {} bytes", file.bytes);
        return Some(Fault::new(message).hint(LOST));
    }
    let place = folder.join(path);
    let (bytes, digest) = match read::digest(&place) {
        Ok(digested) => digested,
        Err(error) => return Some(unreadable(path, &error)),
    };
    if bytes != file.bytes {
        let message = format!("`{path}` has {bytes} bytes, and {} bytes by `manifest.json`", file.bytes);
        return Some(Fault::new(message).hint(LOST));
    }
    if digest != file.digest {
        let message = format!("`{path}` has the digest {digest}, and {} by `manifest.json`", file.digest);
        return Some(Fault::new(message).hint(LOST));
    }
    if !path.ends_with(".parquet") {
        return None;
    }
    match parquet_rows(&place) {
        Ok(rows) if Some(rows) == file.rows => None,
        Ok(rows) => {
            let listed = file.rows.map_or("none".to_string(), |rows| rows.to_string());
            Some(Fault::new(format!("`{path}` has {rows} rows, and {listed} by `manifest.json`")).hint(CHANGED))
        }
        Err(error) => Some(unreadable(path, &error)),
    }
}

/// A file that the system or the format does not let read.
fn unreadable(path: &str, error: &Error) -> Fault {
    let cause =
        error.faults().first().and_then(|fault| fault.causes.last().cloned()).unwrap_or_else(|| error.to_string());
    Fault::new(format!("`{path}` cannot be read")).caused_by(cause).hint(LOST)
}
