//! The least that a night can take with these libraries on these threads, in two halves that know no rule: its input
//! files read and decoded, and its output tables encoded and written.

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
use wellfield::contract::Contracts;
use wellfield::manifest::Manifest;
use wellfield::publish;
use wellfield::watch;

use super::Outcome;

/// Rows of one batch, as `read` asks for them.
const ROWS_A_BATCH: usize = 1 << 16;

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

/// Encodes and writes every file of the published tables again, in the same row groups and with the same settings. A file
/// is read before its time is taken, so that a table need not be held as a whole.
pub fn write(run: &Path, manifest: &Value, folder: &Path) -> Outcome<Value> {
    let contracts = Contracts::built_in()?;
    let (mut seconds, mut rows, mut bytes) = (0.0, 0, 0);
    for (table, output) in manifest["outputs"].as_object().into_iter().flatten() {
        let properties = publish::table_properties(contracts.output(table)?, &Manifest::default())?;
        for file in output["files"].as_array().into_iter().flatten() {
            let groups = Group::all(&run.join(file["path"].as_str().unwrap_or_default()), &[])?;
            let groups = groups.par_iter().map(Group::whole).collect::<Result<Vec<_>, _>>()?;
            let Some(first) = groups.first() else { continue };
            let path = folder.join("floor.parquet");
            let start = Instant::now();
            write_file(&path, first, &groups, properties.clone())?;
            seconds += start.elapsed().as_secs_f64();
            rows += groups.iter().map(RecordBatch::num_rows).sum::<usize>();
            bytes += std::fs::metadata(&path)?.len();
        }
    }
    Ok(json!({ "seconds": seconds, "rows": rows, "bytes": bytes, "peak_memory_bytes": watch::peak_memory_bytes() }))
}

/// Every column of every row group is encoded on its own, side by side; then all are written one after the other.
fn write_file(path: &Path, first: &RecordBatch, groups: &[RecordBatch], properties: WriterProperties) -> Outcome<()> {
    let schema = first.schema();
    let writer = ArrowWriter::try_new(File::create(path)?, schema.clone(), Some(properties))?;
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
    for chunks in groups.par_iter().enumerate().map(encode).collect::<Result<Vec<_>, _>>()? {
        let mut group = file.next_row_group()?;
        chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
        group.close()?;
    }
    file.close()?;
    Ok(())
}
