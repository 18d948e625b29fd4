//! The least that a night can take with these libraries on these threads, in two halves that know no rule: its input
//! files read and decoded, and the files that it publishes encoded and written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::{RecordBatch, RecordBatchReader as _};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, compute_leaves};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use rayon::prelude::*;
use serde_json::{Value, json};
use wellfield::contract::{Contract, Contracts};
use wellfield::manifest::Manifest;
use wellfield::publish;
use wellfield::watch;

use super::{Outcome, regulator};

/// Rows of one batch, as `read` asks for them.
const ROWS_A_BATCH: usize = 1 << 16;
/// Bytes of tables from which on no further one is held: all of a million households', and less than a peer takes.
const HELD_MAX: usize = 8 << 30;
/// The folder of what `write_all` has written last.
pub const ALL: &str = "floor";

/// One row group of a file, with the columns that are wanted of it.
struct Group {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    number: usize,
    columns: Vec<String>,
}

impl Group {
    /// Every row group of a file; of all its columns where none is named.
    fn all(path: &Path, columns: &[String]) -> Outcome<Vec<Group>> {
        let metadata = ArrowReaderMetadata::load(&File::open(path)?, Default::default())?;
        let group =
            |number| Group { path: path.to_path_buf(), metadata: metadata.clone(), number, columns: columns.to_vec() };
        Ok((0..metadata.metadata().num_row_groups()).map(group).collect())
    }

    /// The file is opened anew: clones of one file share their place in it.
    fn reader(&self, rows_a_batch: usize) -> Result<ParquetRecordBatchReader, ParquetError> {
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(&self.path)?, self.metadata.clone());
        let mask = match self.columns.as_slice() {
            [] => ProjectionMask::all(),
            columns => ProjectionMask::columns(builder.parquet_schema(), columns.iter().map(String::as_str)),
        };
        builder.with_projection(mask).with_row_groups(vec![self.number]).with_batch_size(rows_a_batch).build()
    }

    fn whole(&self) -> Result<RecordBatch, ParquetError> {
        let reader = self.reader(self.metadata.metadata().row_group(self.number).num_rows() as usize)?;
        let (schema, batches) = (reader.schema(), reader.collect::<Result<Vec<_>, _>>()?);
        Ok(concat_batches(&schema, &batches)?)
    }
}

/// Reads and decodes the contract's columns of every file that a night has read, row groups side by side, and lets go
/// of each batch at once.
pub fn read(bank: &Path, manifest: &Value) -> Outcome<Value> {
    let contracts = Contracts::built_in()?;
    let start = Instant::now();
    let mut groups = Vec::new();
    for input in manifest["inputs"].as_array().into_iter().flatten() {
        let (table, path) = (input["table"].as_str().unwrap_or_default(), input["path"].as_str().unwrap_or_default());
        let columns: Vec<String> = contracts.input(table)?.columns.iter().map(|column| column.name.clone()).collect();
        groups.extend(Group::all(&bank.join(path), &columns)?);
    }
    let rows = groups.par_iter().map(|group| {
        group.reader(ROWS_A_BATCH)?.map(|batch| Ok(batch?.num_rows())).sum::<Result<usize, ParquetError>>()
    });
    let rows = rows.sum::<Result<usize, ParquetError>>()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({ "seconds": seconds, "rows": rows, "peak_memory_bytes": watch::peak_memory_bytes() }))
}

/// A Parquet file in memory, row group by row group, and how it is written.
pub struct Parquet {
    groups: Vec<RecordBatch>,
    properties: WriterProperties,
}

impl Parquet {
    pub fn read(path: &Path, contract: &Contract) -> Outcome<Parquet> {
        let properties = publish::table_properties(contract, &Manifest::default())?;
        let groups = Group::all(path, &[])?.par_iter().map(Group::whole).collect::<Result<_, _>>()?;
        Ok(Parquet { groups, properties })
    }

    fn rows(&self) -> usize {
        self.groups.iter().map(RecordBatch::num_rows).sum()
    }

    /// The bytes that it takes.
    fn memory(&self) -> usize {
        self.groups.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    /// Every column of every row group is encoded on its own, side by side; then all are written one after the other.
    /// Without a row there is no file.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        let Some(schema) = self.groups.first().map(RecordBatch::schema) else { return Ok(()) };
        let writer = ArrowWriter::try_new(File::create(path)?, schema.clone(), Some(self.properties.clone()))?;
        let (mut file, factory) = writer.into_serialized_writer()?;
        let encode = |(number, group): (usize, &RecordBatch)| {
            let cells = schema.fields().par_iter().zip(group.columns());
            let columns = factory.create_column_writers(number)?.into_par_iter().zip(cells);
            let chunks = columns.map(|(mut column, (field, cells))| {
                compute_leaves(field, cells)?.iter().try_for_each(|leaf| column.write(leaf))?;
                column.close()
            });
            chunks.collect::<Result<Vec<ArrowColumnChunk>, ParquetError>>()
        };
        for chunks in self.groups.par_iter().enumerate().map(encode).collect::<Result<Vec<_>, _>>()? {
            let mut group = file.next_row_group()?;
            chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
            group.close()?;
        }
        file.close()?;
        Ok(())
    }
}

/// A file of a published table.
struct TableFile<'a> {
    contract: &'a Contract,
    path: PathBuf,
    bytes: u64,
}

impl TableFile<'_> {
    fn read(&self) -> Outcome<Parquet> {
        Parquet::read(&self.path, self.contract)
    }
}

/// Every file of the published tables.
fn table_files<'a>(run: &Path, manifest: &Value, contracts: &'a Contracts) -> Outcome<Vec<TableFile<'a>>> {
    let mut files = Vec::new();
    for (table, output) in manifest["outputs"].as_object().into_iter().flatten() {
        let contract = contracts.output(table)?;
        files.extend(output["files"].as_array().into_iter().flatten().map(|file| {
            let (path, bytes) = (run.join(file["path"].as_str().unwrap_or_default()), file["bytes"].as_u64());
            TableFile { contract, path, bytes: bytes.unwrap_or(0) }
        }));
    }
    Ok(files)
}

/// What was written, and how long it took.
#[derive(Default)]
struct Written {
    seconds: f64,
    rows: usize,
    bytes: u64,
}

impl Written {
    /// Writes one table by itself, and takes its time.
    fn take(&mut self, table: &Parquet, path: &Path) -> Outcome<()> {
        let start = Instant::now();
        table.write(path)?;
        self.seconds += start.elapsed().as_secs_f64();
        self.count(table, path)
    }

    fn count(&mut self, table: &Parquet, path: &Path) -> Outcome<()> {
        if table.rows() > 0 {
            self.rows += table.rows();
            self.bytes += std::fs::metadata(path)?.len();
        }
        Ok(())
    }

    fn told(&self) -> Value {
        let Written { seconds, rows, bytes } = self;
        json!({ "seconds": seconds, "rows": rows, "bytes": bytes, "peak_memory_bytes": watch::peak_memory_bytes() })
    }
}

/// Encodes and writes every file of the published tables again, in the same row groups and with the same settings. A file
/// is read before its time is taken, so that a table need not be held as a whole.
pub fn write(run: &Path, manifest: &Value, folder: &Path) -> Outcome<Value> {
    let (contracts, mut written) = (Contracts::built_in()?, Written::default());
    for file in table_files(run, manifest, &contracts)? {
        written.take(&file.read()?, &folder.join("floor.parquet"))?;
    }
    Ok(written.told())
}

/// Encodes and writes the files for the regulator too. The workbook takes one thread long: the tables are written beside
/// it, as in a night, and beside each other, so that no thread waits.
pub fn write_all(run: &Path, manifest: &Value, folder: &Path) -> Outcome<Value> {
    let (contracts, mut written) = (Contracts::built_in()?, Written::default());
    let folder = &empty(folder.join(ALL))?;
    std::fs::create_dir(folder.join(regulator::FOLDER))?;
    let tables = hold(table_files(run, manifest, &contracts)?, folder, &mut written)?;
    let released = regulator::read(run, manifest, &contracts)?;
    let start = Instant::now();
    let (of_regulator, of_tables) = rayon::join(
        || regulator::write(&released, folder),
        || tables.par_iter().with_max_len(1).try_for_each(|(table, path)| table.write(path)),
    );
    written.seconds += start.elapsed().as_secs_f64();
    of_regulator.and(of_tables)?;
    tables.iter().try_for_each(|(table, path)| written.count(table, path))?;
    written.bytes += regulator::bytes(&released, folder)?;
    Ok(written.told())
}

/// Reads tables, the largest first, with the places where they will be written. What is too much is written at once, by
/// itself.
fn hold(mut files: Vec<TableFile>, folder: &Path, written: &mut Written) -> Outcome<Vec<(Parquet, PathBuf)>> {
    files.sort_by_key(|file| std::cmp::Reverse(file.bytes));
    let (mut held, mut memory) = (Vec::new(), 0);
    for (number, file) in files.iter().enumerate() {
        let (table, path) = (file.read()?, folder.join(format!("{number}.parquet")));
        if memory < HELD_MAX {
            memory += table.memory();
            held.push((table, path));
        } else {
            written.take(&table, &path)?;
        }
    }
    Ok(held)
}

/// A folder without what an earlier time has left in it: to write over a file takes longer than to write one.
fn empty(folder: PathBuf) -> Outcome<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir(&folder)?;
    Ok(folder)
}
