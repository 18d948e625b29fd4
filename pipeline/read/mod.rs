//! Reading a bank's exports: the only stage that opens input files. Yields Arrow columns as they stand in the
//! files, CSV as text, together with where each row came from and the digest of every file that was read.
//! Leaves to `clean` what the values mean and which rows are sound.
#![allow(clippy::disallowed_methods)]

mod adapted;
#[cfg(feature = "adapters")]
mod adapter;
#[cfg(not(feature = "adapters"))]
#[path = "without_adapters.rs"]
mod adapter;
pub mod bank;
mod csv;
mod files;
mod guard;
mod one_pass;
mod parquet;
#[cfg(feature = "adapters")]
mod polars_bridge;
pub mod published;
pub mod spill;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use rayon::prelude::*;
use serde::Serialize;

use crate::contract::{Column, Contract, Contracts, Type};
use crate::fault::{Collector, Error, Fault, Result};

use self::bank::{Bank, CsvFormat};
pub use self::files::digest;
use self::files::{FileFormat, InputFile, TableFiles};
pub use self::guard::{guarded, is_guarded};
use self::one_pass::{OnePass, Stretch};
use self::parquet::ParquetFile;

/// A file that a run has read: its path as `bank.toml` sees it, size and blake3 digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
pub struct ReadFile {
    pub table: String,
    pub path: String,
    pub bytes: u64,
    pub digest: String,
    /// When the file was last written, in nanoseconds since 1970, until it is seen that it stays so; in no manifest.
    #[serde(skip)]
    pub written_ns: Option<u128>,
    /// Whether it is known already that the file stayed the same while it was read, or else what changed; in no manifest.
    #[serde(skip)]
    pub stayed: Option<std::result::Result<(), String>>,
}

/// The rows of one input table as they stand in its files. Row groups of Parquet files are decoded when they are asked
/// for, so that a log need never be in memory as it was written.
pub struct Source {
    pieces: Vec<Piece>,
    /// How text is to be understood: dates, amounts.
    pub format: CsvFormat,
    /// The contract's columns that no file has; they are all optional.
    pub missing: Vec<String>,
    /// The files that were digested before they were opened.
    pub files: Vec<ReadFile>,
    /// The files that are digested while they are read.
    one_pass: OnePasses,
    /// The paths to which `Origin::file` points.
    paths: Vec<String>,
}

/// The files of a table that are digested while they are read.
#[derive(Clone, Default)]
pub struct OnePasses(Vec<Arc<OnePass>>);

impl OnePasses {
    /// What is known of them by now.
    pub fn found(&self) -> Vec<ReadFile> {
        self.0.iter().map(|file| file.found()).collect()
    }
}

/// Rows that follow each other in one file, or that one adapter made.
pub struct SourceBatch {
    /// The contract's columns that the file has, under their names.
    pub columns: RecordBatch,
    /// Whether text stands for values of every type, as in CSV; in Parquet text is text.
    is_text: bool,
    /// Columns that come from the path of a partitioned folder, always as text.
    partitions: Vec<String>,
    origin: Origin,
}

/// Where the rows of a batch came from.
#[derive(Clone)]
pub enum Origin {
    /// Row i of the batch is row `first + i` of the file.
    Consecutive { file: usize, first: u64 },
    /// For each row of the batch its file and its row there.
    Listed(Arc<[(usize, u64)]>),
}

/// What is read at once.
enum Piece {
    /// Rows in memory: of a text file, or made by an adapter.
    Held(SourceBatch),
    /// A Parquet file without rows.
    Empty(Arc<ParquetInput>),
    /// A row group of a Parquet file, and the number of its first row there.
    RowGroup { of: Arc<ParquetInput>, group: usize, first: u64, rows: u64 },
}

/// One Parquet file of a table.
struct ParquetInput {
    parquet: ParquetFile,
    /// The columns that are wanted of it.
    kept: Vec<String>,
    file: InputFile,
    /// Its place among the table's files.
    position: usize,
    /// Where it is digested while it is read.
    one_pass: Option<Arc<OnePass>>,
}

/// What was read of a piece whose file is digested while it is read. Whoever read it hands it back, in the order of pieces.
pub struct Undigested {
    of: Option<(Arc<OnePass>, Stretch)>,
}

impl ParquetInput {
    fn batch(&self, columns: RecordBatch, first: u64) -> Result<SourceBatch> {
        let wanted: Vec<String> = self.file.partitions.iter().map(|(key, _)| key.clone()).collect();
        let columns = with_partitions(columns, &self.file, Some(&wanted))?;
        let origin = Origin::Consecutive { file: self.position, first };
        Ok(SourceBatch { columns, is_text: false, partitions: wanted, origin })
    }
}

impl SourceBatch {
    /// Where its rows came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether the text of a column stands for values of any type.
    pub fn is_text_column(&self, column: &str) -> bool {
        self.is_text || self.partitions.iter().any(|partition| partition == column)
    }
}

/// What takes the batches of a piece.
pub type Take<'a> = &'a mut dyn FnMut(&SourceBatch) -> Result<()>;

impl ReadFile {
    /// Whether its digest is still to be taken.
    fn is_undigested(&self) -> bool {
        self.digest.is_empty()
    }
}

impl Source {
    /// How many pieces there are, to be read in any order and on any thread.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Hands the batches of a piece over, one after the other. What it gives back is to be digested.
    pub fn read(&self, piece: usize, take: Take) -> Result<Undigested> {
        self.read_piece(piece, take, OnePass::read).map(|of| Undigested { of })
    }

    /// Hands the batches of a piece that was read before over once more.
    pub fn read_again(&self, piece: usize, take: Take) -> Result<()> {
        self.read_piece(piece, take, OnePass::read_again).map(drop)
    }

    fn read_piece(
        &self,
        piece: usize,
        take: Take,
        stretch: fn(&OnePass, usize) -> Result<Stretch>,
    ) -> Result<Option<(Arc<OnePass>, Stretch)>> {
        let (of, group, first) = match self.pieces.get(piece) {
            Some(Piece::Held(batch)) => return take(batch).map(|()| None),
            Some(Piece::Empty(of)) => return take(&of.batch(of.parquet.empty(&of.kept), 0)?).map(|()| None),
            Some(Piece::RowGroup { of, group, first, .. }) => (of, *group, *first),
            None => return Err(Error::internal("a table has fewer pieces than were asked for")),
        };
        let mut first = first;
        let mut take = |columns: RecordBatch| {
            let rows = columns.num_rows() as u64;
            take(&of.batch(columns, first)?)?;
            first += rows;
            Ok(())
        };
        let Some(one_pass) = &of.one_pass else {
            return of.parquet.read(group, &of.kept, &mut take).map(|()| None);
        };
        let stretch = stretch(one_pass, group)?;
        of.parquet.read_from(stretch.clone(), group, &of.kept, &mut take)?;
        Ok(Some((Arc::clone(one_pass), stretch)))
    }

    /// Takes what was read of the next piece into the digest of its file.
    pub fn digest(&self, read: Undigested) -> Result<()> {
        read.of.map_or(Ok(()), |(one_pass, stretch)| one_pass.pass(&stretch))
    }

    /// The files that are digested while they are read.
    pub fn one_pass(&self) -> OnePasses {
        self.one_pass.clone()
    }

    /// Lets go of the rows in memory; from here on the table has no pieces.
    pub fn let_go(&mut self) {
        self.pieces = Vec::new();
    }

    /// The file and the row there, from 1, of a row of a batch.
    pub fn place(&self, origin: &Origin, row: usize) -> (&str, u64) {
        let (file, row) = match origin {
            Origin::Consecutive { file, first } => (*file, first + row as u64),
            Origin::Listed(rows) => rows.get(row).copied().unwrap_or_default(),
        };
        (self.paths.get(file).map_or("", String::as_str), row + 1)
    }

    /// The file of all rows of a batch, where it is one.
    pub fn single_file(&self, batch: &SourceBatch) -> Option<&str> {
        match &batch.origin {
            Origin::Consecutive { file, .. } => self.paths.get(*file).map(String::as_str),
            Origin::Listed(_) => None,
        }
    }

    pub fn rows(&self) -> usize {
        (0..self.pieces.len()).map(|piece| self.piece_rows(piece)).fold(0, usize::saturating_add)
    }

    fn piece_rows(&self, piece: usize) -> usize {
        match self.pieces.get(piece) {
            Some(Piece::Held(batch)) => batch.columns.num_rows(),
            Some(Piece::RowGroup { rows, .. }) => usize::try_from(*rows).unwrap_or(usize::MAX),
            Some(Piece::Empty(_)) | None => 0,
        }
    }
}

/// Reads one table. None when the bank does not have it; refuses files that cannot be read, missing required
/// columns and a required table without a single row. Most Parquet files are digested while they are read: whoever wants
/// their digests reads every piece and hands it back.
pub fn table(bank: &Bank, contract: &Contract) -> Result<Option<Source>> {
    open(bank, contract, true)
}

fn open(bank: &Bank, contract: &Contract, waits: bool) -> Result<Option<Source>> {
    let Some(table_files) = files::resolve(bank, contract)? else { return Ok(None) };
    let digests = digest_all(bank, contract, &table_files, waits)?;
    let outcome = match &table_files.adapter {
        Some(adapter) => adapted(bank, contract, &table_files, adapter, digests.clone()),
        None => plain(bank, contract, &table_files, digests.clone()),
    };
    if outcome.is_err() {
        if digests.iter().any(ReadFile::is_undigested) {
            // Only digests tell whether it is a bad file: it is opened once more between two.
            return open(bank, contract, false);
        }
        // What looks like a bad file may be one that is still being written; that is what to say of it.
        unchanged(bank, &digests)?;
    }
    let source = outcome?;
    if contract.required && source.rows() == 0 {
        let names: Vec<String> = source.paths.iter().map(|path| format!("`{path}`")).collect();
        let fault = Fault::new(format!(
            "{} has headings and no rows for the required table `{}`",
            names.join(", "),
            contract.table
        ));
        let hint =
            format!("export it again, or say `{} = \"none\"` in `bank.toml` if the bank has none", contract.table);
        return Err(Error::refused(fault.hint(hint)));
    }
    Ok(Some(source))
}

/// Digests the files that were read once more: what was read must be what stands there. A file that changed meanwhile
/// may have been read half old and half new.
pub fn unchanged(bank: &Bank, files: &[ReadFile]) -> Result<()> {
    let faults: Vec<Fault> = files.par_iter().filter_map(|file| changed(bank, file)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::CouldNotRun(faults)) }
}

fn changed(bank: &Bank, file: &ReadFile) -> Option<Fault> {
    let change = match &file.stayed {
        Some(known) => known.clone().err(),
        None => change(&bank.folder.join(&file.path), file),
    };
    change.map(|change| changed_fault(file, &change))
}

/// What is another now of a file that was digested.
fn change(path: &Path, file: &ReadFile) -> Option<String> {
    match files::digest(path) {
        Ok((bytes, _)) if bytes != file.bytes => Some(format!("it had {} bytes and has {bytes} now", file.bytes)),
        Ok((_, digest)) if digest != file.digest => Some("its digest is another now".into()),
        // It may have been another in between and be again what it was.
        Ok(_) if files::written_ns(path) != file.written_ns => Some(WRITTEN_AGAIN.into()),
        Ok(_) => None,
        Err(_) => Some(UNREADABLE.into()),
    }
}

const WRITTEN_AGAIN: &str = "it was written again meanwhile";
const UNREADABLE: &str = "it cannot be read any more";

fn changed_fault(file: &ReadFile, change: &str) -> Fault {
    let fault = Fault::new(format!("`{}` changed while it was read", file.path)).caused_by(change);
    fault.hint("start the night when the export has ended; write exports under another name and rename them")
}

/// Bytes of the files of all tables, as far as they are there.
pub fn bytes(bank: &Bank, contracts: &Contracts) -> u64 {
    let tables = contracts.inputs.iter().filter_map(|contract| files::resolve(bank, contract).ok().flatten());
    let paths = tables.flat_map(|table| table.files.into_values().flatten()).map(|file| bank.folder.join(file.path));
    paths.filter_map(|path| std::fs::metadata(path).ok()).map(|about| about.len()).sum()
}

/// Rows of a Parquet file, by its own footer.
pub fn parquet_rows(path: &Path) -> Result<u64> {
    Ok(ParquetFile::open(path, &path.to_string_lossy())?.row_groups().iter().sum())
}

/// Every file of a table with its digest; without one where Parquet that is named once `waits` for it.
fn digest_all(bank: &Bank, contract: &Contract, table_files: &TableFiles, waits: bool) -> Result<Vec<ReadFile>> {
    let waits = waits && table_files.adapter.is_none();
    let inputs = table_files.files.values().flatten();
    let mut paths: Vec<(&String, bool)> =
        inputs.map(|file| (&file.path, waits && file.format == FileFormat::Parquet)).collect();
    paths.extend(table_files.adapter.iter().map(|path| (path, false)));
    paths.sort();
    paths.dedup_by(|next, kept| {
        let is_named_again = next.0 == kept.0;
        kept.1 &= !is_named_again;
        is_named_again
    });
    let digested: Vec<Result<ReadFile>> = paths
        .into_par_iter()
        .map(|(path, waits)| {
            let full = bank.folder.join(path);
            if !full.is_file() {
                return Err(Error::refused(files::no_file(bank, contract, path)));
            }
            let written_ns = files::written_ns(&full);
            let (bytes, digest) = if waits { (0, String::new()) } else { files::digest(&full)? };
            let (table, path) = (contract.table.clone(), path.clone());
            Ok(ReadFile { table, path, bytes, digest, written_ns, stayed: None })
        })
        .collect();
    // Of several faults the first in the order of paths is told, whichever thread was first.
    digested.into_iter().collect()
}

/// Files in the contract's shape: each is checked for its columns before any value is, so that all faults show at once.
fn plain(bank: &Bank, contract: &Contract, table_files: &TableFiles, digests: Vec<ReadFile>) -> Result<Source> {
    let wanted: Vec<String> = contract.columns.iter().map(|column| column.name.clone()).collect();
    let list: Vec<&InputFile> = table_files.files.values().flatten().collect();
    let (waiting, mut files): (Vec<ReadFile>, Vec<ReadFile>) = digests.into_iter().partition(ReadFile::is_undigested);
    let mut collector = Collector::default();
    let mut missing: Vec<String> = wanted.clone();
    let (mut pieces, mut one_pass) = (Vec::new(), OnePasses::default());
    let opened: Vec<Result<Opened>> = list
        .par_iter()
        .enumerate()
        .map(|(position, file)| open_file(bank, contract, (file, position), &table_files.format, &wanted, &waiting))
        .collect();
    for (file, result) in list.iter().zip(opened) {
        let Some(opened) = collector.take(result)? else { continue };
        check_columns(contract, &file.path, &opened.columns, &mut collector);
        missing.retain(|name| !opened.columns.contains(name));
        one_pass.0.extend(opened.one_pass());
        pieces.extend(opened.pieces);
        files.extend(opened.digested);
    }
    collector.refuse()?;
    let paths = list.iter().map(|file| file.path.clone()).collect();
    Ok(Source { pieces, format: table_files.format.clone(), missing, files, one_pass, paths })
}

/// A file whose columns are known.
struct Opened {
    columns: Vec<String>,
    pieces: Vec<Piece>,
    /// Where its digest was to wait and could not.
    digested: Option<ReadFile>,
}

impl Opened {
    /// Where it is digested while it is read.
    fn one_pass(&self) -> Option<Arc<OnePass>> {
        match self.pieces.first() {
            Some(Piece::RowGroup { of, .. }) => of.one_pass.clone(),
            _ => None,
        }
    }
}

fn open_file(
    bank: &Bank,
    contract: &Contract,
    (file, position): (&InputFile, usize),
    format: &CsvFormat,
    wanted: &[String],
    waiting: &[ReadFile],
) -> Result<Opened> {
    if file.format == FileFormat::Parquet {
        return open_parquet(bank, contract, (file, position), wanted, waiting);
    }
    let parts = read_file(bank, file, format, Some(wanted))?;
    let partitions: Vec<String> = file.partitions.iter().map(|(key, _)| key.clone()).collect();
    let columns = parts.first().map_or_else(Vec::new, |(_, batch)| names_of(batch));
    let pieces = parts.into_iter().map(|(first, columns)| {
        let origin = Origin::Consecutive { file: position, first };
        Piece::Held(SourceBatch { columns, is_text: true, partitions: partitions.clone(), origin })
    });
    Ok(Opened { columns, pieces: pieces.collect(), digested: None })
}

fn open_parquet(
    bank: &Bank,
    contract: &Contract,
    (file, position): (&InputFile, usize),
    wanted: &[String],
    waiting: &[ReadFile],
) -> Result<Opened> {
    // Words, and identifiers of other tables, are compared with what they may be; of other text few rows may have their own.
    let is_shared = |column: &&Column| match column.kind {
        Type::Word | Type::Text => true,
        _ => column.references.is_some() && !column.parent,
    };
    let shared: Vec<String> = contract.columns.iter().filter(is_shared).map(|column| column.name.clone()).collect();
    let counted = contract.columns.iter().filter_map(|column| Some((column.name.clone(), column.kind.scale()?)));
    let path = bank.folder.join(&file.path);
    let mut parquet = ParquetFile::open(&path, &file.path)?;
    let (mut one_pass, mut digested) = (None, None);
    let place = waiting.binary_search_by(|waits| waits.path.cmp(&file.path)).ok();
    if let Some(waits) = place.and_then(|place| waiting.get(place)) {
        // Of a file without rows nothing is read, though it may have row groups.
        if parquet.row_groups().iter().any(|&rows| rows > 0) {
            one_pass = OnePass::of(&path, waits, &parquet, bank.is_read_in_passing)?.map(Arc::new);
        }
        if one_pass.is_none() {
            // Digested first, then opened.
            let (bytes, digest) = files::digest(&path)?;
            digested = Some(ReadFile { bytes, digest, ..waits.clone() });
            parquet = ParquetFile::open(&path, &file.path)?;
        }
    }
    let parquet = parquet.coded(&shared, &counted.collect());
    let names = parquet.schema().fields().iter().map(|field| field.name().clone());
    let kept: Vec<String> = names.filter(|name| wanted.contains(name)).collect();
    let from_path = file.partitions.iter().map(|(key, _)| key).filter(|key| wanted.contains(key));
    let columns = kept.iter().chain(from_path).cloned().collect();
    let groups = parquet.row_groups();
    let file = InputFile {
        partitions: file.partitions.iter().filter(|(key, _)| wanted.contains(key)).cloned().collect(),
        ..file.clone()
    };
    let of = Arc::new(ParquetInput { parquet, kept, file, position, one_pass });
    if groups.iter().all(|&rows| rows == 0) {
        return Ok(Opened { columns, pieces: vec![Piece::Empty(of)], digested });
    }
    let mut first = 0;
    let pieces = groups.into_iter().enumerate().map(|(group, rows)| {
        let piece = Piece::RowGroup { of: Arc::clone(&of), group, first, rows };
        first += rows;
        piece
    });
    Ok(Opened { columns, pieces: pieces.collect(), digested })
}

fn names_of(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn check_columns(contract: &Contract, shown: &str, has: &[String], collector: &mut Collector) {
    for column in contract.columns.iter().filter(|column| !column.nullable && !has.contains(&column.name)) {
        let has_no = if shown.ends_with(".sql") { "yields no" } else { "has no" };
        let message = format!("`{shown}` {has_no} column `{}`, which table `{}` requires", column.name, contract.table);
        let hint = format!("it is {}: {}", column.kind.describe(), column.meaning.en);
        collector.add(Fault::new(message).hint(hint));
    }
}

/// The batches of one file with the number of their first row, partition columns included.
fn read_file(
    bank: &Bank,
    file: &InputFile,
    format: &CsvFormat,
    wanted: Option<&[String]>,
) -> Result<Vec<(u64, RecordBatch)>> {
    let path = bank.folder.join(&file.path);
    let parts = match file.format {
        FileFormat::Csv => csv::read(&path, &file.path, format, wanted)?,
        FileFormat::Parquet => read_parquet(&path, &file.path, wanted)?,
    };
    let mut first = 0;
    let mut batches = Vec::with_capacity(parts.len());
    for batch in parts {
        let rows = batch.num_rows() as u64;
        batches.push((first, with_partitions(batch, file, wanted)?));
        first += rows;
    }
    Ok(batches)
}

fn read_parquet(path: &Path, shown: &str, wanted: Option<&[String]>) -> Result<Vec<RecordBatch>> {
    let file = ParquetFile::open(path, shown)?;
    let names: Vec<String> = file.schema().fields().iter().map(|field| field.name().clone()).collect();
    let kept: Vec<String> =
        names.into_iter().filter(|name| wanted.is_none_or(|wanted| wanted.contains(name))).collect();
    let groups = file.row_groups().len();
    let read: Vec<Result<Vec<RecordBatch>>> =
        (0..groups).into_par_iter().map(|group| file.read_all(group, &kept)).collect();
    let read = read.into_iter().collect::<Result<Vec<_>>>()?;
    let mut batches: Vec<RecordBatch> = read.into_iter().flatten().collect();
    if batches.is_empty() {
        batches.push(file.empty(&kept));
    }
    Ok(batches)
}

/// Adds the `key=value` parts of a partitioned folder's path as columns of text, where the file itself lacks them.
fn with_partitions(batch: RecordBatch, file: &InputFile, wanted: Option<&[String]>) -> Result<RecordBatch> {
    let mut columns: Vec<(String, arrow::array::ArrayRef)> = Vec::new();
    for (key, value) in &file.partitions {
        let is_wanted = wanted.is_none_or(|wanted| wanted.contains(key));
        if is_wanted && batch.schema().index_of(key).is_err() {
            let values = std::iter::repeat_n(Some(value.as_str()), batch.num_rows());
            columns.push((key.clone(), Arc::new(arrow::array::LargeStringArray::from_iter(values))));
        }
    }
    if columns.is_empty() {
        return Ok(batch);
    }
    let schema = batch.schema();
    let own = schema.fields().iter().map(|field| field.name().clone()).zip(batch.columns().iter().cloned());
    RecordBatch::try_from_iter_with_nullable(own.chain(columns).map(|(name, array)| (name, array, true)))
        .map_err(|error| Error::internal(format!("partition columns do not fit `{}`: {error}", file.path)))
}

/// Files of the bank's own shape, made into the contract's by one SQL query.
fn adapted(
    bank: &Bank,
    contract: &Contract,
    table_files: &TableFiles,
    adapter: &str,
    digests: Vec<ReadFile>,
) -> Result<Source> {
    let path = bank.folder.join(adapter);
    let query = read_text(&path).map_err(|error| Error::io("read", &path, &error))?;
    let mut collector = Collector::default();
    let mut inputs = BTreeMap::new();
    let mut origins: BTreeMap<&str, Vec<(usize, u64)>> = BTreeMap::new();
    let mut paths = vec![adapter.to_string()];
    for (name, list) in &table_files.files {
        let mut batches = Vec::new();
        let mut rows = Vec::new();
        for file in list {
            let Some(parts) = collector.take(read_file(bank, file, &table_files.format, None))? else { continue };
            let count: usize = parts.iter().map(|(_, batch)| batch.num_rows()).sum();
            rows.extend((0..count as u64).map(|row| (paths.len(), row)));
            paths.push(file.path.clone());
            batches.extend(parts.into_iter().map(|(_, batch)| batch));
        }
        if let Some(batches) = collector.take(same_columns(adapter, name, batches))? {
            inputs.insert(name.clone(), batches);
            origins.insert(name, rows);
        }
    }
    collector.refuse()?;
    let adapted = adapter::run(adapter, &query, &inputs)?;
    let mut collector = Collector::default();
    let has = names_of(&adapted.batch);
    check_columns(contract, adapter, &has, &mut collector);
    collector.refuse()?;
    let listed = adapted.lineage.and_then(|lineage| {
        let rows = origins.get(lineage.name.as_str())?;
        lineage.rows.iter().map(|&row| rows.get(usize::try_from(row).ok()?).copied()).collect::<Option<Vec<_>>>()
    });
    let origin = listed.map_or(Origin::Consecutive { file: 0, first: 0 }, |rows| Origin::Listed(rows.into()));
    let missing = contract.columns.iter().map(|column| &column.name).filter(|name| !has.contains(name));
    Ok(Source {
        missing: missing.cloned().collect(),
        pieces: vec![Piece::Held(SourceBatch {
            columns: adapted.batch,
            is_text: true,
            partitions: Vec::new(),
            origin,
        })],
        format: CsvFormat { null_words: Vec::new(), ..table_files.format.clone() },
        files: digests,
        one_pass: OnePasses::default(),
        paths,
    })
}

/// Split files of one name are one input: they must have the same columns, and are brought to the same types.
fn same_columns(adapter: &str, name: &str, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(batches) };
    batches
        .into_iter()
        .map(|batch| {
            if batch.schema() == schema {
                return Ok(batch);
            }
            let columns = schema.fields().iter().map(|field| {
                let column = batch.column_by_name(field.name())?;
                cast(column, field.data_type()).ok()
            });
            let columns: Option<Vec<_>> = columns.collect();
            columns
                .filter(|columns| columns.len() == batch.num_columns())
                .and_then(|columns| RecordBatch::try_new(schema.clone(), columns).ok())
                .ok_or_else(|| {
                    let fault =
                        Fault::new(format!("the files of `{name}` for adapter `{adapter}` have different columns"));
                    Error::refused(fault.hint("give files of another shape a name of their own under `files`"))
                })
        })
        .collect()
}

/// The text of a small file: `bank.toml`, an adapter, a manifest. A pipe or device would be waited for without end.
fn read_text(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.is_file() {
        std::fs::read_to_string(path)
    } else {
        Err(std::io::Error::other("it is no regular file"))
    }
}

/// "did you mean …", or the names that come nearest.
pub fn suggestion(word: &str, known: &[&str]) -> String {
    let mut nearest: Vec<&str> = known.to_vec();
    nearest.sort_by(|one, other| strsim::jaro_winkler(word, other).total_cmp(&strsim::jaro_winkler(word, one)));
    match nearest.first() {
        Some(name) if strsim::jaro_winkler(word, name) > CLOSE => format!("did you mean `{name}`?"),
        _ if known.len() <= NAMES_SHOWN => format!("there are: {}", known.join(", ")),
        _ => format!("the nearest names are: {}", nearest.get(..NAMES_SHOWN / 4).unwrap_or(&[]).join(", ")),
    }
}

/// How alike two names must be for one to be meant by the other.
const CLOSE: f64 = 0.85;
/// Most names that are listed.
const NAMES_SHOWN: usize = 24;

/// Whether Arrow can hold the type as text.
pub fn is_textual(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_textual(values),
        _ => false,
    }
}
