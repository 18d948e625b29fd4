//! Writing a made-up bank: contract-shaped CSV or Parquet files, piece by piece, and `bank.toml` when all of them are
//! whole, so that a bank of any size needs the memory of a few row groups and a half-written folder is no bank.
//! A long table is a folder of parts. What stands in the tables is made in `generate`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use crate::fault::{Error, Fault, Result};

use super::files;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankForm {
    Csv,
    Parquet,
}

impl BankForm {
    fn extension(self) -> &'static str {
        match self {
            BankForm::Csv => "csv",
            BankForm::Parquet => "parquet",
        }
    }
}

/// Rows of one file and of one row group in it. A table of more rows than a file's has a folder of files.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub rows_a_file: usize,
    pub rows_a_group: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Cut { rows_a_file: 4 << 20, rows_a_group: 1 << 18 }
    }
}

/// The files of a bank under construction.
pub struct BankWriter {
    folder: PathBuf,
    form: BankForm,
    name: String,
    cut: Cut,
    tables: BTreeMap<&'static str, TableWriter>,
}

impl BankWriter {
    /// Begins a bank in a folder that does not exist yet or is empty.
    pub fn create(folder: &Path, form: BankForm, name: &str) -> Result<BankWriter> {
        files::create_folder(folder)?;
        let mut entries = fs::read_dir(folder).map_err(|error| Error::io("look into", folder, &error))?;
        if entries.next().is_some() {
            let fault = Fault::new(format!("`{}` is not empty", folder.display()));
            return Err(Error::could_not_run(fault.hint("name a new folder; a bank is never written over another")));
        }
        let (folder, name, cut) = (folder.to_path_buf(), name.to_string(), Cut::default());
        Ok(BankWriter { folder, form, name, cut, tables: BTreeMap::new() })
    }

    #[must_use]
    pub fn with_cut(self, cut: Cut) -> BankWriter {
        BankWriter { cut, ..self }
    }

    /// Adds rows to tables, in the order in which they come; tables and their columns are encoded side by side. A table
    /// that was named has a file, rows or not.
    pub fn write(&mut self, rows: Vec<(&'static str, RecordBatch)>) -> Result<()> {
        for (table, batch) in rows {
            let begin = || TableWriter::new(&self.folder, table, self.form, self.cut);
            self.tables.entry(table).or_insert_with(begin).waiting.push(batch);
        }
        self.tables.par_iter_mut().try_for_each(|(_, table)| table.write_waiting())
    }

    /// Ends every file and makes the folder a bank.
    pub fn finish(mut self) -> Result<()> {
        self.tables.par_iter_mut().try_for_each(|(_, table)| table.finish())?;
        let text = format!("[bank]\nname = \"{}\"\n", self.name);
        files::replace(&self.folder.join("bank.toml"), text.as_bytes(), ".bank-")
    }
}

/// One table: the file that is being written, and where the next one goes.
struct TableWriter {
    /// `visits.parquet`, all of the table or its first part so far.
    alone: PathBuf,
    /// `visits`, where the parts of a long table lie.
    folder: PathBuf,
    form: BankForm,
    cut: Cut,
    waiting: Vec<RecordBatch>,
    file: Option<TableFile>,
    /// Files that were begun, and rows of the last one.
    files: usize,
    rows: usize,
}

impl TableWriter {
    fn new(folder: &Path, table: &str, form: BankForm, cut: Cut) -> TableWriter {
        let (alone, folder) = (folder.join(format!("{table}.{}", form.extension())), folder.join(table));
        TableWriter { alone, folder, form, cut, waiting: Vec::new(), file: None, files: 0, rows: 0 }
    }

    fn write_waiting(&mut self) -> Result<()> {
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|batch| self.write(batch))
    }

    fn write(&mut self, mut batch: RecordBatch) -> Result<()> {
        loop {
            if self.file.is_none() || (self.rows == self.cut.rows_a_file && batch.num_rows() > 0) {
                self.begin_file(&batch.schema())?;
            }
            let count = batch.num_rows().min(self.cut.rows_a_file - self.rows);
            if let Some(file) = &mut self.file {
                file.write(&batch.slice(0, count), self.cut).map_err(|error| self.failed(error))?;
            }
            self.rows += count;
            batch = batch.slice(count, batch.num_rows() - count);
            if batch.num_rows() == 0 {
                return Ok(());
            }
        }
    }

    /// That a table is long is known when its second file begins: then the first one moves beside it.
    fn begin_file(&mut self, schema: &SchemaRef) -> Result<()> {
        self.end_file()?;
        if self.files == 1 {
            files::create_folder(&self.folder)?;
            let moved = fs::rename(&self.alone, self.part(0));
            moved.map_err(|error| Error::io("move", &self.alone, &error))?;
        }
        let path = if self.files == 0 { self.alone.clone() } else { self.part(self.files) };
        let file = TableFile::begin(files::create_new(&path)?, self.form, schema);
        self.file = Some(file.map_err(|error| self.failed(error))?);
        (self.files, self.rows) = (self.files + 1, 0);
        Ok(())
    }

    fn part(&self, number: usize) -> PathBuf {
        self.folder.join(format!("part-{number:04}.{}", self.form.extension()))
    }

    fn end_file(&mut self) -> Result<()> {
        self.file.take().map_or(Ok(()), TableFile::end).map_err(|error| self.failed(error))
    }

    fn finish(&mut self) -> Result<()> {
        self.end_file()?;
        if self.files > 1 { files::sync_folder(&self.folder) } else { Ok(()) }
    }

    fn failed(&self, error: Failure) -> Error {
        let path = if self.files > 1 { &self.folder } else { &self.alone };
        Error::could_not_run(Fault::new(format!("could not write `{}`", path.display())).caused_by(error))
    }
}

/// What a writer library says when it fails.
type Failure = Box<dyn std::error::Error + Send + Sync>;

enum TableFile {
    Csv(Box<csv::Writer<File>>),
    Parquet(Box<ParquetFile>),
}

impl TableFile {
    fn begin(file: File, form: BankForm, schema: &SchemaRef) -> std::result::Result<TableFile, Failure> {
        Ok(match form {
            BankForm::Csv => {
                let mut writer = csv::Writer::from_writer(file);
                writer.write_record(schema.fields().iter().map(|field| field.name()))?;
                TableFile::Csv(Box::new(writer))
            }
            BankForm::Parquet => TableFile::Parquet(Box::new(ParquetFile::begin(file, schema)?)),
        })
    }

    fn write(&mut self, batch: &RecordBatch, cut: Cut) -> std::result::Result<(), Failure> {
        match self {
            TableFile::Csv(writer) => write_csv_rows(writer, batch),
            TableFile::Parquet(file) => Ok(file.write(batch, cut.rows_a_group)?),
        }
    }

    fn end(self) -> std::result::Result<(), Failure> {
        match self {
            TableFile::Csv(mut writer) => Ok(writer.flush()?),
            TableFile::Parquet(file) => Ok(file.end()?),
        }
    }
}

/// A Parquet file whose columns are encoded side by side, in row groups of as many rows as were asked for.
struct ParquetFile {
    file: SerializedFileWriter<File>,
    groups: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    /// The columns of the row group that is not full yet, and its rows.
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

impl ParquetFile {
    fn begin(file: File, schema: &SchemaRef) -> std::result::Result<ParquetFile, ParquetError> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
        let (file, groups) = writer.into_serialized_writer()?;
        Ok(ParquetFile { file, groups, schema: schema.clone(), columns: Vec::new(), rows: 0 })
    }

    fn write(&mut self, batch: &RecordBatch, rows_a_group: usize) -> std::result::Result<(), ParquetError> {
        let mut batch = batch.clone();
        while batch.num_rows() > 0 {
            if self.columns.is_empty() {
                self.columns = self.groups.create_column_writers(self.file.flushed_row_groups().len())?;
            }
            let count = batch.num_rows().min(rows_a_group - self.rows);
            let written = batch.slice(0, count);
            let cells = self.schema.fields().par_iter().zip(written.columns());
            self.columns.par_iter_mut().zip(cells).try_for_each(|(column, (field, cells))| {
                compute_leaves(field, cells)?.iter().try_for_each(|leaf| column.write(leaf))
            })?;
            self.rows += count;
            if self.rows == rows_a_group {
                self.end_group()?;
            }
            batch = batch.slice(count, batch.num_rows() - count);
        }
        Ok(())
    }

    fn end_group(&mut self) -> std::result::Result<(), ParquetError> {
        let columns = std::mem::take(&mut self.columns).into_par_iter();
        let chunks = columns.map(ArrowColumnWriter::close).collect::<std::result::Result<Vec<_>, _>>()?;
        let mut group = self.file.next_row_group()?;
        chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    fn end(mut self) -> std::result::Result<(), ParquetError> {
        if self.rows > 0 {
            self.end_group()?;
        }
        self.file.finish().map(|_| ())
    }
}

/// Every value as a reader of the contract expects it; null is an empty field.
fn write_csv_rows(writer: &mut csv::Writer<File>, batch: &RecordBatch) -> std::result::Result<(), Failure> {
    let options = FormatOptions::default().with_null("");
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        for (formatter, column) in columns.iter().zip(batch.columns()) {
            let value = if column.is_null(row) { String::new() } else { formatter.value(row).try_to_string()? };
            writer.write_field(value)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use std::sync::Arc;

    const CUT: Cut = Cut { rows_a_file: 8, rows_a_group: 4 };

    /// A table of numbers from one on, written in batches of the given sizes; the files of the bank by name.
    fn write(folder: &Path, form: BankForm, batches: &[i64]) -> BTreeMap<String, PathBuf> {
        let mut writer = BankWriter::create(folder, form, "Test bank").unwrap().with_cut(CUT);
        let mut next = 1;
        for &rows in batches {
            let numbers: Vec<i64> = (next..next + rows).collect();
            let texts: StringArray = numbers.iter().map(|number| Some(number.to_string())).collect();
            let numbers: Int64Array = numbers.into_iter().map(Some).collect();
            let batch = RecordBatch::try_from_iter([
                ("id", Arc::new(texts) as arrow::array::ArrayRef),
                ("number", Arc::new(numbers)),
            ]);
            writer.write(vec![("visits", batch.unwrap())]).unwrap();
            next += rows;
        }
        assert!(!folder.join("bank.toml").exists(), "a bank that is not finished is none");
        writer.finish().unwrap();
        let below = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut paths: Vec<PathBuf> = below(folder);
        if let Some(parts) = paths.iter().position(|path| path.is_dir()) {
            let parts = paths.remove(parts);
            paths.extend::<Vec<PathBuf>>(below(&parts));
        }
        paths.into_iter().map(|path| (path.strip_prefix(folder).unwrap().display().to_string(), path)).collect()
    }

    fn names(files: &BTreeMap<String, PathBuf>) -> Vec<&str> {
        files.keys().map(String::as_str).collect()
    }

    fn groups(path: &Path) -> Vec<i64> {
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect()
    }

    #[test]
    fn a_table_that_fits_is_one_file() {
        for (batches, expected) in [(&[0_i64][..], &[][..]), (&[3], &[3]), (&[0, 3, 5, 0], &[4, 4])] {
            let folder = tempfile::tempdir().unwrap();
            let files = write(folder.path(), BankForm::Parquet, batches);
            assert_eq!(names(&files), ["bank.toml", "visits.parquet"], "{batches:?}");
            assert_eq!(groups(&files["visits.parquet"]), expected, "{batches:?}");
        }
    }

    #[test]
    fn a_longer_table_is_cut_into_parts_wherever_its_batches_end() {
        let expected =
            ["bank.toml", "visits/part-0000.parquet", "visits/part-0001.parquet", "visits/part-0002.parquet"];
        let mut contents: Vec<Vec<Vec<u8>>> = Vec::new();
        for batches in [&[18_i64][..], &[8, 0, 8, 2], &[7, 7, 4], &[1; 18]] {
            let folder = tempfile::tempdir().unwrap();
            let files = write(folder.path(), BankForm::Parquet, batches);
            assert_eq!(names(&files), expected, "{batches:?}");
            assert_eq!(
                expected[1..].iter().map(|name| groups(&files[*name])).collect::<Vec<_>>(),
                [vec![4, 4], vec![4, 4], vec![2]]
            );
            contents.push(files.values().map(|path| fs::read(path).unwrap()).collect());
        }
        assert!(contents.windows(2).all(|pair| pair[0] == pair[1]), "where batches end is seen in the files");
    }

    #[test]
    fn parts_of_text_have_a_heading_each() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), BankForm::Csv, &[5, 4]);
        assert_eq!(names(&files), ["bank.toml", "visits/part-0000.csv", "visits/part-0001.csv"]);
        let text = fs::read_to_string(&files["visits/part-0001.csv"]).unwrap();
        assert_eq!(text, "id,number\n9,9\n");
    }
}
