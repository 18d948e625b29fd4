//! One output table as Parquet: zstd, statistics, and in the file's metadata the run it belongs to and what its
//! columns mean. Above five million rows a table is a folder of parts.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use serde_json::json;

use crate::contract::Contract;
use crate::fault::{Error, Result};
use crate::manifest::Manifest;

use super::files;

/// Rows of one file; more make a folder of files.
const ROWS_A_FILE: usize = 5_000_000;
const ROWS_A_GROUP: usize = 1 << 20;

/// A file that was written: its path in the run's folder, size and digest.
pub struct Written {
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub digest: String,
}

/// Writes a table into a run's folder: `<table>.parquet`, or `<table>/part-0000.parquet` and on.
pub fn write_table(
    folder: &Path,
    contract: &Contract,
    batch: &RecordBatch,
    manifest: &Manifest,
) -> Result<Vec<Written>> {
    let rows = batch.num_rows();
    if rows <= ROWS_A_FILE {
        return Ok(vec![write_file(folder, format!("{}.parquet", contract.table), contract, batch, manifest)?]);
    }
    files::create_folder(&folder.join(&contract.table))?;
    let parts = (0..rows).step_by(ROWS_A_FILE).enumerate().map(|(part, first)| {
        let slice = batch.slice(first, ROWS_A_FILE.min(rows - first));
        write_file(folder, format!("{}/part-{part:04}.parquet", contract.table), contract, &slice, manifest)
    });
    let written = parts.collect::<Result<Vec<_>>>()?;
    files::sync_folder(&folder.join(&contract.table))?;
    Ok(written)
}

fn write_file(
    folder: &Path,
    name: String,
    contract: &Contract,
    batch: &RecordBatch,
    manifest: &Manifest,
) -> Result<Written> {
    let path = folder.join(&name);
    let failed = |error: &ParquetError| {
        Error::could_not_run(crate::fault::Fault::new(format!("could not write `{}`", path.display())).caused_by(error))
    };
    let properties = properties(contract, manifest)?;
    let options = ArrowWriterOptions::new().with_properties(properties);
    let sink = Hashing { file: files::create_new(&path)?, hasher: blake3::Hasher::new(), bytes: 0 };
    let mut writer =
        ArrowWriter::try_new_with_options(sink, as_text(&batch.schema()), options).map_err(|error| failed(&error))?;
    writer.write(batch).map_err(|error| failed(&error))?;
    let sink = writer.into_inner().map_err(|error| failed(&error))?;
    sink.file.sync_all().map_err(|error| Error::io("sync", &path, &error))?;
    let digest = sink.hasher.finalize().to_hex().to_string();
    Ok(Written { path: name, rows: batch.num_rows() as u64, bytes: sink.bytes, digest })
}

/// The schema of a file: text that is coded in memory is text in it.
fn as_text(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Dictionary(_, texts) => Arc::new(field.as_ref().clone().with_data_type(texts.as_ref().clone())),
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The settings of an output table's files.
pub fn properties(contract: &Contract, manifest: &Manifest) -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(3).map_err(|error| Error::internal(error.to_string()))?;
    let columns: serde_json::Map<String, serde_json::Value> = contract
        .columns
        .iter()
        .map(|column| {
            let meaning = json!({ "en": column.meaning.en, "zh": column.meaning.zh, "unit": column.unit });
            (column.name.clone(), meaning)
        })
        .collect();
    let entry = |key: &str, value: String| KeyValue::new(key.to_string(), value);
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROWS_A_GROUP))
        .set_created_by(format!("wellfield {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![
            entry("table", contract.table.clone()),
            entry("run_id", manifest.run_id.clone()),
            entry("as_of", manifest.as_of.clone()),
            entry("rulebook_digest", manifest.rulebook.digest.clone()),
            entry("grain", contract.grain.en.clone()),
            entry("key", contract.key.join(", ")),
            entry("columns", serde_json::Value::Object(columns).to_string()),
        ]))
        .build())
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
