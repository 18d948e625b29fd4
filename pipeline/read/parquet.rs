//! Parquet files to Arrow columns, row group by row group over the threads, only the columns that are wanted.
//! Says nothing about what a value means; `clean` checks it against the contract.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;

use crate::fault::{Error, Fault, Result};

use super::guard::guarded;

/// Rows of one batch: large enough to amortise, small enough to stay in cache while it is checked.
const ROWS_A_BATCH: usize = 1 << 16;

/// An opened Parquet file: its columns and the rows of each of its row groups.
pub struct ParquetFile {
    path: PathBuf,
    shown: String,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    pub fn open(path: &Path, shown: &str) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("open", path, &error))?;
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, Default::default()))
            .map_err(|panic| unreadable(shown, &panic))?
            .map_err(|error| unreadable(shown, &error))?;
        Ok(ParquetFile { path: path.to_path_buf(), shown: shown.to_string(), metadata })
    }

    /// Reads some columns of text coded where the file holds them so: a text that many rows have is made once. Other text
    /// is read as it is kept. `counted` are columns of whole units of so many digits after the point, which are read in 64
    /// bits where the file holds them so.
    #[must_use]
    pub fn coded(mut self, columns: &[String], counted: &BTreeMap<String, u32>) -> Self {
        let fields = self.schema().fields().iter().enumerate().map(|(place, field)| {
            let kind = match *field.data_type() {
                DataType::Utf8 if columns.contains(field.name()) && self.is_coded(place) => coded_type(),
                DataType::Utf8 => DataType::LargeUtf8,
                DataType::Decimal128(precision, scale)
                    if counted.get(field.name()).is_some_and(|&digits| i64::from(digits) == i64::from(scale))
                        && self.is_narrow(place) =>
                {
                    DataType::Decimal64(precision, scale)
                }
                _ => return Arc::clone(field),
            };
            Arc::new(field.as_ref().clone().with_data_type(kind))
        });
        let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), self.schema().metadata().clone());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        // What the reader does not take is read as it is.
        if let Ok(metadata) = ArrowReaderMetadata::try_new(Arc::clone(self.metadata.metadata()), options) {
            self.metadata = metadata;
        }
        self
    }

    /// Whether the rows of a column take little more than the places of their texts in a list.
    fn is_coded(&self, column: usize) -> bool {
        self.metadata.metadata().row_groups().iter().all(|group| {
            let chunk = group.columns().get(column).filter(|_| group.num_columns() == self.schema().fields().len());
            chunk.is_some_and(|chunk| {
                let bytes_most =
                    chunk.num_values().saturating_mul(CODED_BYTES_MAX).saturating_add(CODED_LIST_BYTES_MAX);
                chunk.dictionary_page_offset().is_some() && chunk.uncompressed_size() <= bytes_most
            })
        })
    }

    /// Whether the values of a column are of 64 bits at most in the file.
    fn is_narrow(&self, column: usize) -> bool {
        let schema = self.metadata.metadata().file_metadata().schema_descr();
        let is_flat = schema.num_columns() == self.schema().fields().len();
        is_flat && matches!(schema.column(column).physical_type(), PhysicalType::INT32 | PhysicalType::INT64)
    }

    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// Rows of each row group, in file order.
    pub fn row_groups(&self) -> Vec<u64> {
        self.metadata.metadata().row_groups().iter().map(|group| group.num_rows().cast_unsigned()).collect()
    }

    /// Where the bytes of each row group's columns lie in the file. A place that cannot be is an empty one.
    pub fn chunks(&self) -> Vec<Vec<Range<u64>>> {
        let chunk = |chunk: &ColumnChunkMetaData| {
            let pages = [chunk.dictionary_page_offset(), Some(chunk.data_page_offset())];
            let start = pages.into_iter().flatten().min().and_then(|start| u64::try_from(start).ok());
            let end = start.zip(u64::try_from(chunk.compressed_size()).ok());
            let end = end.and_then(|(start, bytes)| start.checked_add(bytes));
            start.zip(end).map_or(0..0, |(start, end)| start..end)
        };
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| group.columns().iter().map(chunk).collect()).collect()
    }

    /// A batch without rows, of the columns in file order.
    pub fn empty(&self, wanted: &[String]) -> RecordBatch {
        let fields: Vec<_> =
            self.schema().fields().iter().filter(|field| wanted.contains(field.name())).cloned().collect();
        RecordBatch::new_empty(Arc::new(Schema::new(fields)))
    }

    /// Hands over the batches of one row group, the columns in file order.
    pub fn read(
        &self,
        row_group: usize,
        wanted: &[String],
        take: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        // Opened anew for each row group: clones of one file share their place in it, and threads would move it.
        let file = File::open(&self.path).map_err(|error| Error::io("open", &self.path, &error))?;
        self.read_from(file, row_group, wanted, take)
    }

    /// Hands over the batches of one row group, whose bytes are taken from `file`.
    pub fn read_from<F: ChunkReader + 'static>(
        &self,
        file: F,
        row_group: usize,
        wanted: &[String],
        take: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let damaged = |cause: &dyn Display| {
            let fault = Fault::new(format!("`{}` row group {row_group} cannot be decoded", self.shown));
            Error::refused(fault.caused_by(cause).hint("the file is damaged; export it again"))
        };
        let reader = guarded(|| self.reader(file, row_group, wanted));
        let mut reader = reader.map_err(|panic| damaged(&panic))?.map_err(|error| damaged(&error))?;
        let mut decoded = 0;
        while let Some(batch) = guarded(|| reader.next()).map_err(|panic| damaged(&panic))? {
            let batch = batch.map_err(|error| damaged(&error))?;
            decoded += batch.num_rows() as u64;
            take(batch)?;
        }
        match self.row_groups().get(row_group) {
            Some(&rows) if rows != decoded => {
                Err(damaged(&format!("its footer names {rows} rows, and it holds {decoded}")))
            }
            _ => Ok(()),
        }
    }

    /// The batches of one row group at once.
    pub fn read_all(&self, row_group: usize, wanted: &[String]) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        self.read(row_group, wanted, &mut |batch| {
            batches.push(batch);
            Ok(())
        })?;
        Ok(batches)
    }

    fn reader<F: ChunkReader + 'static>(&self, file: F, row_group: usize, wanted: &[String]) -> Opened {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let names = wanted.iter().map(String::as_str);
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        builder.with_projection(mask).with_row_groups(vec![row_group]).with_batch_size(ROWS_A_BATCH).build()
    }
}

/// Bytes of a coded row, and of a short list of texts.
const CODED_BYTES_MAX: i64 = 4;
const CODED_LIST_BYTES_MAX: i64 = 1 << 12;

fn coded_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

type Opened = std::result::Result<ParquetRecordBatchReader, ParquetError>;

fn unreadable(shown: &str, error: &dyn Display) -> Error {
    let fault = Fault::new(format!("`{shown}` is no readable Parquet file"));
    Error::refused(fault.caused_by(error).hint("the file may be cut off or still being written; export it again"))
}
