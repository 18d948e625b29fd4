//! From what `bank.toml` says to the list of files of a table: paths, globs, folders and partitioned folders,
//! always in path order, each with its digest. Leaves the content to the readers beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::contract::Contract;
use crate::fault::{Collector, Error, Fault, Result};

use super::bank::{Bank, CsvFormat, FileInput, Input};

/// One file of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// The path as `bank.toml` sees it, with `/` between its parts.
    pub path: String,
    /// `key=value` parts of the path of a partitioned folder.
    pub partitions: Vec<(String, String)>,
    pub format: FileFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Csv,
    Parquet,
}

/// Where one table comes from: its files by the name under which an adapter knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFiles {
    pub files: BTreeMap<String, Vec<InputFile>>,
    pub format: CsvFormat,
    pub adapter: Option<String>,
}

/// The files of a table; None when the bank does not have the table.
pub fn resolve(bank: &Bank, contract: &Contract) -> Result<Option<TableFiles>> {
    match bank.inputs.get(&contract.table) {
        Some(Input::None) => Ok(None),
        Some(Input::Files(input)) => declared(bank, contract, input).map(Some),
        None => by_own_name(bank, contract),
    }
}

fn declared(bank: &Bank, contract: &Contract, input: &FileInput) -> Result<TableFiles> {
    let mut collector = Collector::default();
    let mut files = BTreeMap::new();
    for (name, patterns) in &input.files {
        let mut found = Vec::new();
        for pattern in patterns {
            if let Some(more) = collector.take(find(bank, contract, pattern))? {
                found.extend(more);
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found.dedup_by(|one, other| one.path == other.path);
        files.insert(name.clone(), found);
    }
    collector.refuse()?;
    Ok(TableFiles { files, format: input.format.clone(), adapter: input.adapter.clone() })
}

/// `visits.parquet`, `visits.csv` or every such file in `visits/`; more than one of them is a fault.
fn by_own_name(bank: &Bank, contract: &Contract) -> Result<Option<TableFiles>> {
    let table = &contract.table;
    let names = [format!("{table}.parquet"), format!("{table}.csv"), table.clone()];
    let mut found = Vec::new();
    for name in &names {
        let path = bank.folder.join(name);
        // Of a link itself, not of what it points at: a table whose link leads nowhere is not one that the bank lacks.
        match fs::symlink_metadata(&path) {
            Ok(_) => found.push(name),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("look at", &path, &error)),
        }
    }
    match found.as_slice() {
        [] if contract.required => {
            let fault = Fault::new(format!("`{}` has no file for the required table `{table}`", bank.folder.display()));
            let hint = format!(
                "add `{table}.parquet`, `{table}.csv` or a folder `{table}/`, name its files under `[inputs]` in \
                 `bank.toml`, or say `{table} = \"none\"` there"
            );
            Err(Error::refused(fault.hint(hint)))
        }
        [] => Ok(None),
        [one] => {
            let files = find(bank, contract, one)?;
            let files = BTreeMap::from([(table.clone(), files)]);
            Ok(Some(TableFiles { files, format: CsvFormat::default(), adapter: None }))
        }
        several => {
            let list: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            let fault = Fault::new(format!("table `{table}` is there more than once: {}", list.join(", ")));
            Err(Error::refused(fault.hint("name the right one under `[inputs]` in `bank.toml`")))
        }
    }
}

/// A path, a glob or a folder, relative to the bank's folder.
fn find(bank: &Bank, contract: &Contract, pattern: &str) -> Result<Vec<InputFile>> {
    if pattern.contains("://") {
        let fault =
            Fault::new(format!("input `{}` names `{pattern}`, and this build reads files only", contract.table));
        return Err(Error::refused(fault.hint("copy the objects beside the bank first")));
    }
    let path = bank.folder.join(pattern);
    let mut files = Vec::new();
    if path.is_dir() {
        walk(&path, pattern.trim_end_matches('/'), &mut Vec::new(), &mut files)?;
    } else if path.is_file() {
        files.push(input_file(pattern));
    } else if pattern.contains(['*', '?', '[']) {
        globbed(bank, &path, &mut files)?;
    }
    if files.is_empty() { Err(Error::refused(no_file(bank, contract, pattern))) } else { Ok(files) }
}

/// Why a path of `bank.toml` leads to no file.
pub(super) fn no_file(bank: &Bank, contract: &Contract, pattern: &str) -> Fault {
    let path = bank.folder.join(pattern);
    let why = match (fs::symlink_metadata(&path), fs::metadata(&path)) {
        (Ok(_), Ok(found)) if found.is_dir() => "that folder holds no file of data",
        (Ok(_), Ok(_)) => "that is no regular file",
        (Ok(_), Err(_)) => "that link leads to no file",
        (Err(_), _) => "there is no such file",
    };
    let fault = Fault::new(format!("input `{}` names `{pattern}`, and {why}", contract.table));
    fault.hint(format!("paths are relative to `{}`", bank.folder.display()))
}

fn globbed(bank: &Bank, pattern: &Path, files: &mut Vec<InputFile>) -> Result<()> {
    let text = pattern.to_string_lossy();
    let paths = glob::glob(&text)
        .map_err(|error| Error::refused(Fault::new(format!("`{text}` is no glob")).caused_by(error)))?;
    for path in paths {
        let path = path.map_err(|error| Error::io("look into", error.path(), error.error()))?;
        if path.is_file() {
            let relative = path.strip_prefix(&bank.folder).unwrap_or(&path);
            files.push(input_file(&relative.to_string_lossy()));
        }
    }
    Ok(())
}

/// Every data file below a folder; what begins with `.` or `_` is a tool's own note and is passed over. `above` are the
/// folders that lead here: a link back to one of them would be followed round and round.
fn walk(folder: &Path, relative: &str, above: &mut Vec<PathBuf>, files: &mut Vec<InputFile>) -> Result<()> {
    let own = fs::canonicalize(folder).map_err(|error| Error::io("look into", folder, &error))?;
    if above.contains(&own) {
        let fault = Fault::new(format!("`{relative}` is a link back to a folder that it is in"));
        return Err(Error::refused(fault.hint("remove the link: its files would be read again and again")));
    }
    above.push(own);
    let entries = fs::read_dir(folder).map_err(|error| Error::io("look into", folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("look into", folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let below = format!("{relative}/{name}");
        if entry.path().is_dir() {
            walk(&entry.path(), &below, above, files)?;
        } else if name.ends_with(".csv") || name.ends_with(".parquet") {
            files.push(input_file(&below));
        }
    }
    above.pop();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(())
}

fn input_file(path: &str) -> InputFile {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    let partitions = parts
        .iter()
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    let is_parquet = path.ends_with(".parquet") || path.ends_with(".pq");
    InputFile { partitions, format: if is_parquet { FileFormat::Parquet } else { FileFormat::Csv }, path }
}

/// When a file was last written, in nanoseconds since 1970; none where its file system does not say.
pub fn written_ns(path: &Path) -> Option<u128> {
    let written = fs::metadata(path).and_then(|about| about.modified()).ok()?;
    Some(written.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos())
}

/// Size and blake3 digest of a file.
pub fn digest(path: &Path) -> Result<(u64, String)> {
    let io = |error| Error::io("read", path, &error);
    let mut file = fs::File::open(path).map_err(io)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer).map_err(io)?;
        if count == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        bytes += count as u64;
        hasher.update(buffer.get(..count).unwrap_or(&[]));
    }
}
