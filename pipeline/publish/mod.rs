//! Writing a run: the only stage that creates files. Everything goes into a hidden folder beside its place, is
//! synced and read back against what was computed, and becomes visible with one rename.
//! Decides nothing about what is published; the audit has done that.
#![allow(clippy::disallowed_methods)]

pub mod bank_files;
mod files;
mod flushing;
mod lock;
mod parquet;
mod prune;
mod sweep;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;
use rayon::prelude::*;
use serde::Serialize;
use tempfile::TempDir;

use crate::calendar::Date;
use crate::contract::Contracts;
use crate::fault::{Error, Fault, Result};
use crate::manifest::{FileEntry, Manifest, OutputEntry, ReleasedEntry};
use crate::outputs::OutputTable;
use crate::regulator::{self, Export};

pub use self::lock::{Lock, lock, lock_existing};
pub use self::parquet::TableWriter;
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

/// Publishes tables that are all there as a whole. What was written is filled into the manifest, before `lineage` is
/// asked for its events.
pub fn publish(
    runs: &Path,
    outputs: &[OutputTable],
    export: Option<&Export>,
    contracts: &Contracts,
    manifest: Manifest,
    lineage: &dyn Fn(&Manifest) -> Result<String>,
) -> Result<(PathBuf, Manifest)> {
    Publication::begin(runs, contracts, &manifest)?.finish(outputs, export, manifest, lineage)
}

/// A run that is being written, in a hidden folder beside its place. Unless it is finished nothing is left of it: not of
/// a night that fails, nor of one whose audit does.
pub struct Publication<'c> {
    contracts: &'c Contracts,
    /// The run as far as its files tell of it: its id, its as-of date and its rulebook.
    run: Manifest,
    day: PathBuf,
    /// None once the folder is no longer hidden.
    hidden: Option<TempDir>,
    outputs: BTreeMap<String, OutputEntry>,
}

impl<'c> Publication<'c> {
    /// Begins the run of a manifest, of which the id, the as-of date and the rulebook must be known.
    pub fn begin(runs: &Path, contracts: &'c Contracts, manifest: &Manifest) -> Result<Publication<'c>> {
        let day = runs.join(&manifest.as_of);
        files::create_folder(&day)?;
        let (run, outputs) = (manifest.clone(), BTreeMap::new());
        // From here on a failure removes the folder of the day again.
        let mut begun = Publication { contracts, run, day, hidden: None, outputs };
        let hidden = tempfile::Builder::new().prefix(&format!("{HIDDEN}{}-", manifest.run_id)).tempdir_in(&begun.day);
        let hidden = hidden.map_err(|error| Error::io("create a folder in", &begun.day, &error))?;
        files::restrict_folder(hidden.path())?;
        begun.hidden = Some(hidden);
        Ok(begun)
    }

    /// Begins an output table whose rows come batch by batch, in the order of its key.
    pub fn table(&self, name: &str, schema: &Schema) -> Result<TableWriter> {
        TableWriter::begin(self.folder()?, self.contracts.output(name)?, schema, &self.run)
    }

    /// Takes note of output tables that came batch by batch and have ended.
    pub fn note(&mut self, ended: Vec<EndedTable>) {
        self.outputs.extend(ended.into_iter().map(|EndedTable { table, entry }| (table, entry)));
    }

    /// Writes the tables that are there as a whole, what leaves the bank (if anything does), lineage and manifest, reads
    /// everything back, and shows the run; returns its folder. What was written is filled into the manifest here, before
    /// `lineage` is asked for its events.
    pub fn finish(
        mut self,
        outputs: &[OutputTable],
        export: Option<&Export>,
        mut manifest: Manifest,
        lineage: &dyn Fn(&Manifest) -> Result<String>,
    ) -> Result<(PathBuf, Manifest)> {
        let folder = self.folder()?;
        let (tables, released) = rayon::join(
            || write_tables(folder, outputs, self.contracts, &self.run),
            || export.map(|export| write_export(folder, export, self.contracts, &self.run)),
        );
        manifest.outputs = tables?;
        if let Some(released) = released {
            manifest.regulator = released?;
        }
        manifest.outputs.append(&mut self.outputs);
        let folder = self.folder()?;
        verify(folder, &manifest)?;
        files::write_new(&folder.join(LINEAGE), lineage(&manifest)?.as_bytes())?;
        files::write_new(&folder.join(MANIFEST), manifest.to_json()?.as_bytes())?;
        files::sync_folder(folder)?;
        files::make_read_only(folder)?;
        let target = self.day.join(&manifest.run_id);
        // From here on the folder is no longer temporary: either the rename shows it, or the next run sweeps it.
        let hidden = self.hidden.take().ok_or_else(no_folder)?.keep();
        fs::rename(&hidden, &target).map_err(|error| Error::io("rename into place", &target, &error))?;
        files::sync_folder(&self.day)?;
        Ok((target, manifest))
    }

    fn folder(&self) -> Result<&Path> {
        self.hidden.as_ref().map(TempDir::path).ok_or_else(no_folder)
    }
}

/// An output table that is written to its end.
pub struct EndedTable {
    table: String,
    entry: OutputEntry,
}

impl TableWriter {
    /// Ends the table; waits until all of it has reached the disk.
    pub fn end(self) -> Result<EndedTable> {
        let (table, rows) = (self.table().to_string(), self.rows());
        Ok(EndedTable { table, entry: entry(rows, self.finish()?) })
    }
}

impl Drop for Publication<'_> {
    fn drop(&mut self) {
        drop(self.hidden.take());
        // An as-of date without a run leaves no trace; a folder that holds one is not removed by this.
        let _ = fs::remove_dir(&self.day);
    }
}

fn no_folder() -> Error {
    Error::internal("a run is being written and has no folder")
}

/// Reads every file back: digests, sizes and rows must be the ones that were computed. What the bytes are is known by
/// their digest and how many rows they hold by the end of the file, so that nothing is decoded a second time.
fn verify(folder: &Path, manifest: &Manifest) -> Result<()> {
    for output in manifest.outputs.values() {
        let rows = output.files.iter().map(|file| crate::read::parquet_rows(&folder.join(&file.path)));
        let rows: u64 = rows.sum::<Result<u64>>()?;
        if let Some(first) = output.files.first().filter(|_| rows != output.rows) {
            return Err(not_as_written(&first.path));
        }
    }
    let tables = manifest.outputs.values().flat_map(|output| &output.files);
    let tables = tables.map(|file| (&file.path, file.bytes, &file.digest));
    let released = manifest.regulator.iter().map(|file| (&file.path, file.bytes, &file.digest));
    let files: Vec<_> = tables.chain(released).collect();
    files.into_par_iter().with_max_len(1).try_for_each(|(path, bytes, digest)| verify_file(folder, path, bytes, digest))
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
        .with_max_len(1)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::*;

    fn table() -> OutputTable {
        let ids: ArrayRef = Arc::new(StringArray::from(vec!["A1", "A2"]));
        let stars: ArrayRef = Arc::new(Int64Array::from(vec![1, 3]));
        let batch = RecordBatch::try_from_iter([("area_id", ids), ("stars", stars)]).unwrap();
        OutputTable { name: "village_ratings".into(), batch }
    }

    fn manifest(run_id: &str) -> Manifest {
        Manifest { run_id: run_id.into(), as_of: "2026-06-30".into(), ..Manifest::default() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_that_is_not_finished_leaves_nothing() {
        let (runs, contracts, table) = (tempfile::tempdir().unwrap(), Contracts::built_in().unwrap(), table());
        let begin = |run_id: &str| {
            let mut begun = Publication::begin(runs.path(), &contracts, &manifest(run_id)).unwrap();
            let mut writer = begun.table(&table.name, &table.batch.schema()).unwrap();
            writer.write(&table.batch).unwrap();
            begun.note(vec![writer.end().unwrap()]);
            begun
        };
        drop(begin("first"));
        assert_eq!(names(runs.path()), Vec::<String>::new(), "an as-of date without a run leaves no trace");
        let (folder, written) = begin("second").finish(&[], None, manifest("second"), &|_| Ok(String::new())).unwrap();
        assert_eq!(names(&folder), ["lineage.ndjson", "manifest.json", "village_ratings.parquet"]);
        assert_eq!(written.outputs["village_ratings"].rows, 2);
        drop(begin("third"));
        assert_eq!(names(&runs.path().join("2026-06-30")), ["second"]);
    }

    #[test]
    fn a_table_is_the_same_file_whole_and_batch_by_batch() {
        let (contracts, table) = (Contracts::built_in().unwrap(), table());
        let runs = tempfile::tempdir().unwrap();
        let whole = publish(runs.path(), std::slice::from_ref(&table), None, &contracts, manifest("run"), &|_| {
            Ok(String::new())
        });
        let other = tempfile::tempdir().unwrap();
        let mut begun = Publication::begin(other.path(), &contracts, &manifest("run")).unwrap();
        let mut writer = begun.table(&table.name, &table.batch.schema()).unwrap();
        (0..2).for_each(|row| writer.write(&table.batch.slice(row, 1)).unwrap());
        begun.note(vec![writer.end().unwrap()]);
        let pieces = begun.finish(&[], None, manifest("run"), &|_| Ok(String::new())).unwrap();
        assert_eq!(whole.unwrap().1.outputs, pieces.1.outputs);
    }
}
