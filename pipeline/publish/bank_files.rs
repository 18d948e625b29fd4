//! Writing a made-up bank: contract-shaped CSV or Parquet files and a `bank.toml`, chunk by chunk, so that a bank of
//! any size needs the memory of one chunk. What stands in the tables is made in `generate`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::fault::{Error, Fault, Result};

use super::files;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankForm {
    Csv,
    Parquet,
}

/// The files of a bank under construction.
pub struct BankWriter {
    folder: PathBuf,
    form: BankForm,
    tables: BTreeMap<String, TableWriter>,
}

enum TableWriter {
    Csv(Box<csv::Writer<File>>),
    Parquet(Box<ArrowWriter<File>>),
}

impl BankWriter {
    /// Begins a bank in a folder that does not exist yet or is empty.
    pub fn create(folder: &Path, form: BankForm, name: &str) -> Result<BankWriter> {
        files::create_folder(folder)?;
        let mut entries = std::fs::read_dir(folder).map_err(|error| Error::io("look into", folder, &error))?;
        if entries.next().is_some() {
            let fault = Fault::new(format!("`{}` is not empty", folder.display()));
            return Err(Error::could_not_run(fault.hint("name a new folder; a bank is never written over another")));
        }
        let text = format!("[bank]\nname = \"{name}\"\n");
        files::write_new(&folder.join("bank.toml"), text.as_bytes())?;
        Ok(BankWriter { folder: folder.to_path_buf(), form, tables: BTreeMap::new() })
    }

    /// Adds rows to a table's file.
    pub fn write(&mut self, table: &str, batch: &RecordBatch) -> Result<()> {
        let extension = match self.form {
            BankForm::Csv => "csv",
            BankForm::Parquet => "parquet",
        };
        let path = self.folder.join(format!("{table}.{extension}"));
        if !self.tables.contains_key(table) {
            let writer = TableWriter::begin(&path, self.form, batch)?;
            self.tables.insert(table.to_string(), writer);
        }
        match self.tables.get_mut(table) {
            Some(TableWriter::Csv(writer)) => write_csv_rows(writer, batch).map_err(|error| failed(&path, &error)),
            Some(TableWriter::Parquet(writer)) => writer.write(batch).map_err(|error| failed(&path, &error)),
            None => Err(Error::internal(format!("table `{table}` was not begun"))),
        }
    }

    /// Ends every file.
    pub fn finish(self) -> Result<()> {
        for (table, writer) in self.tables {
            let path = self.folder.join(table);
            match writer {
                TableWriter::Csv(mut writer) => writer.flush().map_err(|error| Error::io("write", &path, &error))?,
                TableWriter::Parquet(writer) => {
                    writer.close().map_err(|error| failed(&path, &error))?;
                }
            }
        }
        files::sync_folder(&self.folder)
    }
}

impl TableWriter {
    fn begin(path: &Path, form: BankForm, batch: &RecordBatch) -> Result<TableWriter> {
        let file = files::create_new(path)?;
        match form {
            BankForm::Csv => {
                let mut writer = csv::Writer::from_writer(file);
                let schema = batch.schema();
                let headings = schema.fields().iter().map(|field| field.name());
                writer.write_record(headings).map_err(|error| failed(path, &error))?;
                Ok(TableWriter::Csv(Box::new(writer)))
            }
            BankForm::Parquet => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                let writer = ArrowWriter::try_new(file, batch.schema(), Some(properties));
                Ok(TableWriter::Parquet(Box::new(writer.map_err(|error| failed(path, &error))?)))
            }
        }
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::could_not_run(Fault::new(format!("could not write `{}`", path.display())).caused_by(error))
}

/// Every value as a reader of the contract expects it; null is an empty field.
fn write_csv_rows(
    writer: &mut csv::Writer<File>,
    batch: &RecordBatch,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
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
