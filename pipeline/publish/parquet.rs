//! Output tables as Parquet, written batch by batch: zstd, statistics, and in each file's metadata the run it belongs
//! to and what its columns mean. Above five million rows a table is a folder of parts. Files and row groups are cut by
//! the number of the row and nothing else; where a page ends depends on the batches too, so that the batches of a table
//! must follow from the run's inputs alone. Then the same inputs give the same bytes, on however many threads.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use serde_json::json;

use crate::contract::{Column, Contract, Type};
use crate::fault::{Error, Fault, Result};
use crate::manifest::Manifest;

use super::files;
use super::flushing::Flushing;

/// Rows of one file; more make a folder of files.
const ROWS_A_FILE: usize = 5_000_000;
/// Rows of a row group. A whole number of groups makes a file, so that a file is full where a group is.
const ROWS_A_GROUP: usize = 250_000;

/// What becomes of an attempt to encode or write.
type Attempt<T> = std::result::Result<T, ParquetError>;

/// A file that was written: its path in the run's folder, size and digest.
pub struct Written {
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub digest: String,
}

/// Writes a table that is there as a whole into a run's folder.
pub fn write_table(
    folder: &Path,
    contract: &Contract,
    batch: &RecordBatch,
    manifest: &Manifest,
) -> Result<Vec<Written>> {
    let mut writer = TableWriter::begin(folder, contract, &batch.schema(), manifest)?;
    writer.write(batch)?;
    writer.finish()
}

/// A table that is being written into a run's folder: `<table>.parquet`, or `<table>/part-0000.parquet` and on. Its
/// rows come in order; what is held of them is encoded: the row groups that became full last, and the one that is not yet.
pub struct TableWriter {
    folder: PathBuf,
    table: String,
    schema: SchemaRef,
    properties: WriterProperties,
    open: OpenFile,
    /// Row groups that are full and not written yet.
    waiting: Vec<Vec<ArrowColumnChunk>>,
    /// The columns of the row group that is not full yet.
    group: Option<Vec<ArrowColumnWriter>>,
    full: Vec<FullFile>,
    rows: usize,
    /// Where cuts are made.
    cuts: Cuts,
}

/// The file that rows are written to.
struct OpenFile {
    name: String,
    writer: SerializedFileWriter<Hashing<File>>,
    columns: ArrowRowGroupWriterFactory,
    rows: usize,
    flushing: Flushing,
}

/// A file that is written to its end and may not have reached the disk.
struct FullFile {
    written: Written,
    file: File,
    flushing: Flushing,
}

/// Rows of a file and of a row group.
#[derive(Clone, Copy)]
struct Cuts {
    file: usize,
    group: usize,
}

/// Rows of one row group.
struct Piece {
    batch: RecordBatch,
    fills_group: bool,
}

/// The columns of a row group once a piece of it is encoded.
enum Encoded {
    Full(Vec<ArrowColumnChunk>),
    Begun(Vec<ArrowColumnWriter>),
}

impl TableWriter {
    /// Begins a table of the columns of `schema`; text that is coded in it is text in the files.
    pub fn begin(folder: &Path, contract: &Contract, schema: &Schema, manifest: &Manifest) -> Result<TableWriter> {
        TableWriter::cut_at(folder, contract, schema, manifest, Cuts { file: ROWS_A_FILE, group: ROWS_A_GROUP })
    }

    fn cut_at(
        folder: &Path,
        contract: &Contract,
        schema: &Schema,
        manifest: &Manifest,
        cuts: Cuts,
    ) -> Result<TableWriter> {
        let (schema, properties) = (as_text(schema), properties(contract, manifest)?);
        let open = OpenFile::create(folder, format!("{}.parquet", contract.table), &schema, &properties)?;
        let (folder, table) = (folder.to_path_buf(), contract.table.clone());
        let (waiting, full) = (Vec::new(), Vec::new());
        Ok(TableWriter { folder, table, schema, properties, open, waiting, group: None, full, rows: 0, cuts })
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The rows that have come so far.
    pub fn rows(&self) -> u64 {
        self.rows as u64
    }

    /// The next rows of the table. Row groups are encoded side by side, and so are their columns; those that were full
    /// before are written meanwhile.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let pieces = self.pieces(batch);
        self.rows += batch.num_rows();
        let pieces = self.with_columns(pieces).map_err(|error| self.failed(&error))?;
        let (schema, waiting) = (Arc::clone(&self.schema), std::mem::take(&mut self.waiting));
        let (appended, encoded) = rayon::join(
            || waiting.into_iter().try_for_each(|columns| self.append(columns)),
            || pieces.into_par_iter().map(|piece| encode_piece(piece, &schema)).collect::<Attempt<Vec<_>>>(),
        );
        appended?;
        for piece in encoded.map_err(|error| self.failed(&error))? {
            match piece {
                Encoded::Full(columns) => self.waiting.push(columns),
                Encoded::Begun(columns) => self.group = Some(columns),
            }
        }
        Ok(())
    }

    /// A batch cut where row groups end.
    fn pieces(&self, batch: &RecordBatch) -> Vec<Piece> {
        let (mut pieces, mut first) = (Vec::new(), 0);
        while first < batch.num_rows() {
            let room = self.cuts.group - (self.rows + first) % self.cuts.group;
            let rows = room.min(batch.num_rows() - first);
            pieces.push(Piece { batch: batch.slice(first, rows), fills_group: rows == room });
            first += rows;
        }
        pieces
    }

    /// Pieces with the columns into which they go: the first one goes on where the last one ended.
    fn with_columns(&mut self, pieces: Vec<Piece>) -> Attempt<Vec<(Vec<ArrowColumnWriter>, Piece)>> {
        let mut begun = self.group.take();
        // The number of a row group matters for encryption alone.
        let mut columns = || begun.take().map_or_else(|| self.open.columns.create_column_writers(0), Ok);
        pieces.into_iter().map(|piece| Ok((columns()?, piece))).collect()
    }

    /// Writes a full row group, at the end of a file the first one of the next.
    fn append(&mut self, columns: Vec<ArrowColumnChunk>) -> Result<()> {
        if self.open.rows >= self.cuts.file {
            self.next_file()?;
        }
        self.open.append(columns).map_err(|error| self.failed(&error))
    }

    /// Ends a file, and begins the next part. Only a table that has a second file becomes a folder.
    fn next_file(&mut self) -> Result<()> {
        if self.full.is_empty() {
            let (from, part) = (self.folder.join(&self.open.name), self.part(0));
            files::create_folder(&self.folder.join(&self.table))?;
            let to = self.folder.join(&part);
            fs::rename(&from, &to).map_err(|error| Error::io("rename into place", &to, &error))?;
            self.open.name = part;
        }
        let next = OpenFile::create(&self.folder, self.part(self.full.len() + 1), &self.schema, &self.properties)?;
        let ended = std::mem::replace(&mut self.open, next);
        let name = self.folder.join(&ended.name);
        self.full.push(ended.end().map_err(|error| not_written(&name, &error))?);
        Ok(())
    }

    fn part(&self, number: usize) -> String {
        format!("{}/part-{number:04}.parquet", self.table)
    }

    /// Ends the last file, and waits until all of them have reached the disk.
    pub fn finish(mut self) -> Result<Vec<Written>> {
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|columns| self.append(columns))?;
        if let Some(columns) = self.group.take() {
            let columns = close(columns).map_err(|error| self.failed(&error))?;
            self.append(columns)?;
        }
        let TableWriter { folder, table, open, mut full, .. } = self;
        let name = folder.join(&open.name);
        full.push(open.end().map_err(|error| not_written(&name, &error))?);
        let parts = full.len();
        let synced = full.into_par_iter().map(|FullFile { written, file, flushing }| match flushing.end(&file) {
            Ok(()) => Ok(written),
            Err(error) => Err(Error::io("sync", &folder.join(&written.path), &error)),
        });
        let written = synced.collect::<Result<Vec<_>>>()?;
        if parts > 1 {
            files::sync_folder(&folder.join(table))?;
        }
        Ok(written)
    }

    fn failed(&self, error: &ParquetError) -> Error {
        not_written(&self.folder.join(&self.open.name), error)
    }
}

fn not_written(path: &Path, error: &ParquetError) -> Error {
    Error::could_not_run(Fault::new(format!("could not write `{}`", path.display())).caused_by(error))
}

impl OpenFile {
    fn create(folder: &Path, name: String, schema: &SchemaRef, properties: &WriterProperties) -> Result<OpenFile> {
        let path = folder.join(&name);
        let sink = Hashing { file: files::create_new(&path)?, hasher: blake3::Hasher::new(), bytes: 0 };
        let options = ArrowWriterOptions::new().with_properties(properties.clone());
        let begun = ArrowWriter::try_new_with_options(sink, Arc::clone(schema), options);
        let begun = begun.and_then(ArrowWriter::into_serialized_writer);
        let (writer, columns) = begun.map_err(|error| not_written(&path, &error))?;
        Ok(OpenFile { name, writer, columns, rows: 0, flushing: Flushing::default() })
    }

    fn append(&mut self, columns: Vec<ArrowColumnChunk>) -> Attempt<()> {
        let mut group = self.writer.next_row_group()?;
        for column in columns {
            column.append_to_row_group(&mut group)?;
        }
        self.rows += usize::try_from(group.close()?.num_rows()).unwrap_or_default();
        let sink = self.writer.inner();
        self.flushing.written(&sink.file, sink.bytes)?;
        Ok(())
    }

    fn end(self) -> Attempt<FullFile> {
        let OpenFile { name, writer, rows, mut flushing, .. } = self;
        let sink = writer.into_inner()?;
        flushing.written(&sink.file, sink.bytes)?;
        let digest = sink.hasher.finalize().to_hex().to_string();
        let written = Written { path: name, rows: rows as u64, bytes: sink.bytes, digest };
        Ok(FullFile { written, file: sink.file, flushing })
    }
}

fn encode_piece((columns, piece): (Vec<ArrowColumnWriter>, Piece), schema: &Schema) -> Attempt<Encoded> {
    let columns = encode(columns, schema, &piece.batch)?;
    if piece.fills_group { close(columns).map(Encoded::Full) } else { Ok(Encoded::Begun(columns)) }
}

/// Encodes the columns of rows, side by side. A column of an output table is one column of its file: it holds single
/// values or a list of them.
fn encode(columns: Vec<ArrowColumnWriter>, schema: &Schema, batch: &RecordBatch) -> Attempt<Vec<ArrowColumnWriter>> {
    let fields = schema.fields().par_iter().zip(batch.columns());
    // One by one: what one column takes says little of what the next one does.
    let encoded = columns.into_par_iter().zip(fields).with_max_len(1).map(|(mut column, (field, values))| {
        for values in compute_leaves(field, values)? {
            column.write(&values)?;
        }
        Ok(column)
    });
    encoded.collect()
}

fn close(columns: Vec<ArrowColumnWriter>) -> Attempt<Vec<ArrowColumnChunk>> {
    columns.into_par_iter().with_max_len(1).map(ArrowColumnWriter::close).collect()
}

/// The schema of a file: text that is coded in memory is text in it.
fn as_text(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Dictionary(_, texts) => Arc::new(field.as_ref().clone().with_data_type(texts.as_ref().clone())),
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// How files are written, chosen by measurement: seconds of one core and size of the two tables that are most of a run,
/// 100,000 households.
///
/// | table | zstd 3, dictionaries, all statistics | zstd 1 | as chosen | snappy instead of zstd |
/// | --- | ---: | ---: | ---: | ---: |
/// | `visit_checks` | 0.94 s, 211 bytes a household | 0.76 s, 232 | 0.39 s, 142 | 0.72 s, 337 |
/// | `scorecard_points` | 0.43 s, 57 bytes a household | 0.39 s, 64 | 0.25 s, 59 | 0.38 s, 73 |
///
/// A dictionary costs a look-up of every value, and pays where few words fill a column: identifiers, amounts and moments
/// are shorter without one once they are compressed. The smallest and largest of text that is in no order tell nothing.
pub fn properties(contract: &Contract, manifest: &Manifest) -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(1).map_err(|error| Error::internal(error.to_string()))?;
    let columns: serde_json::Map<String, serde_json::Value> = contract
        .columns
        .iter()
        .map(|column| {
            let meaning = json!({ "en": column.meaning.en, "zh": column.meaning.zh, "unit": column.unit });
            (column.name.clone(), meaning)
        })
        .collect();
    let entry = |key: &str, value: String| KeyValue::new(key.to_string(), value);
    let builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by(format!("wellfield {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![
            entry("table", contract.table.clone()),
            entry("run_id", manifest.run_id.clone()),
            entry("as_of", manifest.as_of.clone()),
            entry("rulebook_digest", manifest.rulebook.digest.clone()),
            entry("grain", contract.grain.en.clone()),
            entry("key", contract.key.join(", ")),
            entry("columns", serde_json::Value::Object(columns).to_string()),
        ]));
    let builder = contract.columns.iter().fold(builder, |builder, column| {
        let is_sorted = contract.key.first() == Some(&column.name);
        column_properties(builder, column, is_sorted)
    });
    Ok(builder.build())
}

fn column_properties(builder: WriterPropertiesBuilder, column: &Column, is_sorted: bool) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(column.name.as_str());
    let builder = match column.kind {
        Type::Id | Type::Money | Type::Share | Type::Real => builder.set_column_dictionary_enabled(path(), false),
        Type::Time => {
            let builder = builder.set_column_dictionary_enabled(path(), false);
            builder.set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
        }
        _ => builder,
    };
    let is_text = matches!(column.kind, Type::Id | Type::Text | Type::Word | Type::List);
    match is_text && !is_sorted {
        true => builder,
        false => builder.set_column_statistics_enabled(path(), EnabledStatistics::Page),
    }
}

/// Passes bytes on and digests them on their way.
struct Hashing<W> {
    file: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or(&[]));
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, DictionaryArray, Int64Array, ListBuilder, StringArray, StringBuilder};
    use arrow::compute::concat_batches;
    use arrow::datatypes::{Int64Type, UInt32Type};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::contract::Contracts;

    const CUTS: Cuts = Cuts { file: 400, group: 100 };

    /// Rows with text, coded text, counts and lists, some of them null.
    fn rows(rows: i64) -> RecordBatch {
        let ids: StringArray = (0..rows).map(|row| Some(format!("H{row:06}"))).collect();
        let coded: DictionaryArray<UInt32Type> = (0..rows)
            .map(|row| (row % 7 != 3).then_some(["north", "south"]).map(|words| words[row as usize % 2]))
            .collect();
        let counts: Int64Array = (0..rows).map(|row| (row % 5 != 0).then_some(row * row)).collect();
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..rows {
            (0..row % 3).for_each(|flag| lists.values().append_value(format!("flag_{flag}")));
            lists.append(true);
        }
        let columns: [(&str, ArrayRef); 4] = [
            ("id", Arc::new(ids)),
            ("coded", Arc::new(coded)),
            ("count", Arc::new(counts)),
            ("flags", Arc::new(lists.finish())),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, name != "id"))).unwrap()
    }

    /// Writes rows in batches of these sizes, the last as often as it takes.
    fn written(folder: &Path, rows: &RecordBatch, sizes: &[usize]) -> Vec<Written> {
        let contracts = Contracts::built_in().unwrap();
        let contract = contracts.output("household_facts").unwrap();
        let mut writer = TableWriter::cut_at(folder, contract, &rows.schema(), &Manifest::default(), CUTS).unwrap();
        let (mut first, mut sizes) = (0, sizes.iter().copied().chain(std::iter::repeat(*sizes.last().unwrap())));
        while first < rows.num_rows() {
            let size = sizes.next().unwrap().min(rows.num_rows() - first);
            writer.write(&rows.slice(first, size)).unwrap();
            first += size;
        }
        assert_eq!(writer.rows(), rows.num_rows() as u64);
        writer.finish().unwrap()
    }

    fn scratch() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    /// The rows of a file, and how many each of its row groups holds.
    fn read(path: &Path) -> (RecordBatch, Vec<i64>) {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let groups = builder.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
        let schema = Arc::clone(builder.schema());
        let batches = builder.build().unwrap().collect::<std::result::Result<Vec<_>, _>>().unwrap();
        (concat_batches(&schema, &batches).unwrap(), groups)
    }

    #[test]
    fn files_and_row_groups_are_cut_by_the_number_of_the_row() {
        let (folder, rows) = (scratch(), rows(1_030));
        let parts = written(folder.path(), &rows, &[330]);
        let paths: Vec<&str> = parts.iter().map(|part| part.path.as_str()).collect();
        assert_eq!(paths, [0, 1, 2].map(|part| format!("household_facts/part-000{part}.parquet")));
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [400, 400, 230]);
        assert!(!folder.path().join("household_facts.parquet").exists());
        let read: Vec<_> = paths.iter().map(|path| read(&folder.path().join(path))).collect();
        let groups: Vec<_> = read.iter().map(|(_, groups)| groups.clone()).collect();
        assert_eq!(groups, [vec![100; 4], vec![100; 4], vec![100, 100, 30]]);
        let whole = concat_batches(&read[0].0.schema(), read.iter().map(|(rows, _)| rows)).unwrap();
        assert_eq!(*whole.column(1).data_type(), DataType::Utf8, "what was coded is text");
        assert_eq!(whole.column(0), rows.column(0));
        assert_eq!(whole.column(1), &arrow::compute::cast(rows.column(1), &DataType::Utf8).unwrap());
        assert_eq!(whole.column(2).as_primitive::<Int64Type>(), rows.column(2).as_primitive::<Int64Type>());
        assert_eq!(whole.column(3), rows.column(3));
    }

    #[test]
    fn the_same_rows_give_the_same_bytes_however_they_come() {
        let rows = rows(1_030);
        let digests = |sizes: &[usize]| {
            let folder = scratch();
            written(folder.path(), &rows, sizes).into_iter().map(|part| part.digest).collect::<Vec<_>>()
        };
        let whole = digests(&[1_030]);
        for sizes in [&[100][..], &[1, 99, 300, 7], &[399, 1, 401, 33], &[13]] {
            assert_eq!(digests(sizes), whole, "{sizes:?}");
        }
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one_thread.install(|| digests(&[250])), whole);
    }

    #[test]
    fn a_table_that_fills_its_file_is_one_file_and_one_without_rows_is_too() {
        for count in [0, 1, 100, 399, 400] {
            let (folder, rows) = (scratch(), rows(count));
            let files = written(folder.path(), &rows, &[150]);
            let [file] = files.as_slice() else { panic!("{count} rows are one file") };
            assert_eq!((file.path.as_str(), file.rows), ("household_facts.parquet", count as u64));
            let (read, groups) = read(&folder.path().join(&file.path));
            assert_eq!(read.num_rows() as i64, groups.iter().sum::<i64>());
            assert_eq!(std::fs::metadata(folder.path().join(&file.path)).unwrap().len(), file.bytes);
        }
    }
}
