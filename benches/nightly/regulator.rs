//! The files that leave the bank, as far as the floor knows them: held in memory, written again, and held against the
//! published ones. What wrote less would be no floor, and what wrote more would flatter the night.

use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};
use rayon::prelude::*;
use serde_json::{Value, json};
use wellfield::contract::Contracts;
pub use wellfield::regulator::FOLDER;

use super::Outcome;
use super::floor::Parquet;
use super::workbook::{self, Workbook};

/// By how much the size of a file may differ from the published one.
const TOLERANCE: f64 = 0.05;

/// A file, from the run's folder on, and what it holds.
pub struct Held {
    path: PathBuf,
    content: Content,
}

enum Content {
    Parquet(Box<Parquet>),
    /// The records of a CSV file, the headings among them.
    Records(Vec<ByteRecord>),
    Workbook(Workbook),
}

/// Every file that the manifest lists for the regulator, the one that takes longest first.
pub fn read(run: &Path, manifest: &Value, contracts: &Contracts) -> Outcome<Vec<Held>> {
    let mut files = paths(manifest).map(|path| Held::read(run, path, contracts)).collect::<Outcome<Vec<_>>>()?;
    files.sort_by_key(|file| !matches!(file.content, Content::Workbook(_)));
    Ok(files)
}

fn paths(manifest: &Value) -> impl Iterator<Item = &Path> {
    let files = manifest["regulator"].as_array().into_iter().flatten();
    files.map(|file| Path::new(file["path"].as_str().unwrap_or_default()))
}

impl Held {
    fn read(run: &Path, path: &Path, contracts: &Contracts) -> Outcome<Held> {
        let (file, table) = (run.join(path), path.file_stem().unwrap_or_default().to_string_lossy());
        let content = match path.extension().unwrap_or_default().as_encoded_bytes() {
            b"parquet" => Content::Parquet(Parquet::read(&file, contracts.regulator(&table)?)?.into()),
            b"csv" => {
                let reader = ReaderBuilder::new().has_headers(false).from_path(&file)?;
                Content::Records(reader.into_byte_records().collect::<Result<_, _>>()?)
            }
            b"xlsx" => Content::Workbook(Workbook::read(&file)?),
            _ => return Err(format!("the floor does not know how to write `{}`", path.display()).into()),
        };
        Ok(Held { path: path.to_path_buf(), content })
    }

    fn write(&self, folder: &Path) -> Outcome<()> {
        let path = folder.join(&self.path);
        match &self.content {
            Content::Parquet(table) => table.write(&path),
            Content::Records(records) => write_records(&path, records),
            Content::Workbook(workbook) => workbook.write(&path),
        }
    }
}

/// Writes all of them below a folder, side by side where a thread is free.
pub fn write(files: &[Held], folder: &Path) -> Outcome<()> {
    files.par_iter().with_max_len(1).try_for_each(|file| file.write(folder))
}

/// The size of all that was written.
pub fn bytes(files: &[Held], folder: &Path) -> Outcome<u64> {
    files.iter().map(|file| Ok(std::fs::metadata(folder.join(&file.path))?.len())).sum()
}

fn write_records(path: &Path, records: &[ByteRecord]) -> Outcome<()> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    records.iter().try_for_each(|record| writer.write_byte_record(record))?;
    Ok(std::fs::write(path, writer.into_inner()?)?)
}

/// The sizes of the published files and of those that the floor has written in their place. It is a failure if they are
/// not about the same, if a CSV file differs at all, or a cell of the workbook.
pub fn check(run: &Path, manifest: &Value, folder: &Path) -> Outcome<Value> {
    let mut sizes = serde_json::Map::new();
    for path in paths(manifest) {
        let (published, written) = (run.join(path), folder.join(path));
        let [ours, floors] = [&published, &written].map(|path| std::fs::metadata(path).map(|file| file.len()));
        let (ours, floors) = (ours?, floors?);
        if (floors as f64 / ours as f64 - 1.0).abs() > TOLERANCE {
            return Err(format!("`{}` has {ours} bytes, and the floor wrote {floors}", path.display()).into());
        }
        match path.extension().unwrap_or_default().as_encoded_bytes() {
            b"csv" if std::fs::read(&published)? != std::fs::read(&written)? => {
                return Err(format!("the floor wrote another `{}`", path.display()).into());
            }
            b"xlsx" => workbook::compare(&published, &written)?,
            _ => {}
        }
        sizes.insert(path.display().to_string(), json!({ "published_bytes": ours, "written_bytes": floors }));
    }
    Ok(sizes.into())
}
