//! Text files to columns of text: decoding, headings, null words, and every fault that makes a file unreadable.
//! Says nothing about what a value means; `clean` parses the text against the contract.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use csv::ByteRecord;

use crate::fault::{Collector, Error, Fault, Result};

use super::bank::{CsvFormat, Encoding};

/// Rows of one batch: large enough to amortise, small enough to spread over threads.
const ROWS_A_BATCH: usize = 1 << 15;
/// Faults of one file that are told one by one; the rest are counted.
const FAULTS_SHOWN: usize = 5;

/// Reads a whole text file. `wanted` are the columns to keep, None for all; the batches keep the file's row order.
pub fn read(path: &Path, shown: &str, format: &CsvFormat, wanted: Option<&[String]>) -> Result<Vec<RecordBatch>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    without_hole(&bytes, shown)?;
    let text = decode(&bytes, shown, format.encoding)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(format.delimiter)
        .quote(format.quote)
        .flexible(true)
        .has_headers(true)
        .from_reader(text.as_bytes());
    let headings = headings(&mut reader, shown)?;
    let kept: Vec<usize> = match wanted {
        Some(names) => {
            (0..headings.len()).filter(|&at| headings.get(at).is_some_and(|name| names.contains(name))).collect()
        }
        None => (0..headings.len()).collect(),
    };
    let fields: Vec<Field> = kept
        .iter()
        .filter_map(|&at| headings.get(at))
        .map(|name| Field::new(name, DataType::LargeUtf8, true))
        .collect();
    let mut rows =
        Rows { schema: Arc::new(Schema::new(fields)), kept, builders: Vec::new(), rows: 0, batches: Vec::new() };
    rows.start();
    let mut ragged = Ragged { shown, expected: headings.len(), faults: Vec::new(), count: 0 };
    let mut record = ByteRecord::new();
    let mut last_line = 1;
    // With an odd number of quotes the last row may have swallowed the rest of the file.
    let is_open = text.bytes().filter(|&byte| byte == format.quote).count() % 2 == 1;
    let mut is_swallowed = false;
    while reader.read_byte_record(&mut record).map_err(|error| not_csv(shown, &error))? {
        last_line = record.position().map_or(last_line, csv::Position::line);
        is_swallowed = is_open && record.iter().any(|field| field.contains(&b'\n'));
        if record.len() == headings.len() {
            rows.push(&record, &format.null_words)?;
        } else {
            ragged.note(&record, last_line);
        }
    }
    let is_quote_open = is_swallowed || (is_open && ragged.count > 0);
    ragged.refuse(is_quote_open, last_line)?;
    rows.finish()
}

/// Refuses a file with a long row of zero bytes: no export writes one, and a write that was cut off leaves one.
fn without_hole(bytes: &[u8], shown: &str) -> Result<()> {
    let Some(at) = bytes.windows(HOLE_BYTES).position(|window| window.iter().all(|&byte| byte == 0)) else {
        return Ok(());
    };
    let line = bytes.iter().take(at).filter(|&&byte| byte == b'\n').count() + 1;
    let fault = Fault::new(format!("`{shown}` line {line} has a hole: {HOLE_BYTES} zero bytes or more in a row"));
    Err(Error::refused(fault.hint("the file was not written to its end; export it again")))
}

/// Zero bytes in a row that are no value any more.
const HOLE_BYTES: usize = 32;

/// The columns of a text file, without its rows.
fn headings(reader: &mut csv::Reader<&[u8]>, shown: &str) -> Result<Vec<String>> {
    let record = reader.byte_headers().map_err(|error| not_csv(shown, &error))?;
    let headings: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).trim().to_string()).collect();
    if headings.is_empty() {
        let fault = Fault::new(format!("`{shown}` is empty: it has not even a row of headings"));
        let hint = "export it again, or say \"none\" for the table in `bank.toml` if the bank does not have it";
        return Err(Error::refused(fault.hint(hint)));
    }
    for (at, name) in headings.iter().enumerate() {
        if let Some(earlier) = headings.iter().take(at).position(|earlier| earlier == name) {
            // By place, for in a file without headings this is a row, and may name somebody.
            let (first, second) = (earlier + 1, at + 1);
            let what = format!("`{shown}` line 1 has the same heading in columns {first} and {second}");
            let hint = "every column needs a heading of its own, and the first line of the file holds them";
            return Err(Error::refused(Fault::new(what).hint(hint)));
        }
    }
    Ok(headings)
}

/// The file's text without a byte-order mark; refuses bytes that the encoding does not have, naming their line.
fn decode<'a>(bytes: &'a [u8], shown: &str, encoding: Encoding) -> Result<Cow<'a, str>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match encoding {
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => Err(wrong_encoding(bytes, error.valid_up_to(), shown, "UTF-8")),
        },
        Encoding::Gb18030 => {
            let mut decoder = encoding_rs::GB18030.new_decoder_without_bom_handling();
            let mut text = String::with_capacity(bytes.len() * 2);
            let size = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 4);
            text.reserve(size);
            let (outcome, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
            match outcome {
                encoding_rs::DecoderResult::InputEmpty => Ok(Cow::Owned(text)),
                _ => Err(wrong_encoding(bytes, read.saturating_sub(1), shown, "GB18030")),
            }
        }
        Encoding::Latin1 => Ok(encoding_rs::mem::decode_latin1(bytes)),
    }
}

fn wrong_encoding(bytes: &[u8], position: usize, shown: &str, encoding: &str) -> Error {
    let line = bytes.iter().take(position).filter(|&&byte| byte == b'\n').count() + 1;
    let value = bytes.get(position).map_or_else(String::new, |byte| format!("0x{byte:02X}"));
    let fault = Fault::new(format!("`{shown}` line {line} is not {encoding}: byte {} is `{value}`", position + 1));
    let hint = "name the file's encoding in `bank.toml`: encoding = \"utf-8\", \"gb18030\" or \"latin1\"";
    Error::refused(fault.hint(hint))
}

fn not_csv(shown: &str, error: &csv::Error) -> Error {
    Error::refused(Fault::new(format!("`{shown}` cannot be read as delimited text")).caused_by(error))
}

/// Columns of text under construction.
struct Rows {
    schema: Arc<Schema>,
    kept: Vec<usize>,
    builders: Vec<LargeStringBuilder>,
    rows: usize,
    batches: Vec<RecordBatch>,
}

impl Rows {
    fn start(&mut self) {
        self.builders = self.kept.iter().map(|_| LargeStringBuilder::new()).collect();
        self.rows = 0;
    }

    fn push(&mut self, record: &ByteRecord, null_words: &[String]) -> Result<()> {
        for (&at, builder) in self.kept.iter().zip(&mut self.builders) {
            // The whole text was decoded before it was cut, and delimiters are ASCII, so each piece is UTF-8 too.
            let value = std::str::from_utf8(record.get(at).unwrap_or(&[]))
                .map_err(|error| Error::internal(format!("a field was cut inside a character: {error}")))?;
            if value.is_empty() || null_words.iter().any(|word| word == value) {
                builder.append_null();
            } else {
                builder.append_value(value);
            }
        }
        self.rows += 1;
        if self.rows == ROWS_A_BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let columns: Vec<ArrayRef> =
            self.builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| Error::internal(format!("columns of text do not fit together: {error}")))?;
        self.batches.push(batch);
        self.start();
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<RecordBatch>> {
        if self.rows > 0 || self.batches.is_empty() {
            self.flush()?;
        }
        Ok(self.batches)
    }
}

/// Rows with more or fewer fields than the headings.
struct Ragged<'a> {
    shown: &'a str,
    expected: usize,
    faults: Vec<Fault>,
    count: usize,
}

impl Ragged<'_> {
    fn note(&mut self, record: &ByteRecord, line: u64) {
        self.count += 1;
        if self.count <= FAULTS_SHOWN {
            let message = format!(
                "`{}` line {line} has {} fields where the headings have {}",
                self.shown,
                record.len(),
                self.expected
            );
            self.faults.push(Fault::new(message).hint("a delimiter inside a value must stand in quotes"));
        }
    }

    /// Refuses the file with its ragged rows; a quote that is never closed swallows the rest of the file into one row.
    fn refuse(self, is_quote_open: bool, last_line: u64) -> Result<()> {
        let mut collector = Collector::default();
        if is_quote_open {
            let message = format!("`{}` line {last_line} opens a quote that is never closed", self.shown);
            collector.add(Fault::new(message).hint("close it, or name another `quote` in `bank.toml`"));
        }
        let untold = self.count.saturating_sub(FAULTS_SHOWN);
        // The row that the open quote swallowed is ragged for that reason alone.
        let swallowed = format!("`{}` line {last_line} ", self.shown);
        for fault in self.faults {
            if !(is_quote_open && fault.message.starts_with(&swallowed)) {
                collector.add(fault);
            }
        }
        if untold > 0 {
            collector.add(Fault::new(format!("`{}` has {untold} more rows of a wrong length", self.shown)));
        }
        collector.refuse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};

    fn read_bytes(bytes: &[u8], format: &CsvFormat) -> Result<Vec<RecordBatch>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read(file.path(), "t.csv", format, None)
    }

    fn message(bytes: &[u8], format: &CsvFormat) -> String {
        read_bytes(bytes, format).unwrap_err().to_string()
    }

    #[test]
    fn byte_order_mark_crlf_and_null_words_are_understood() {
        let format = CsvFormat { null_words: vec!["NULL".into()], ..CsvFormat::default() };
        let batches = read_bytes(b"\xEF\xBB\xBFa,b\r\n1,NULL\r\n\"x,y\",\r\n", &format).unwrap();
        let batch = batches.first().unwrap();
        assert_eq!(batch.schema().field(0).name(), "a");
        assert_eq!(batch.column(0).as_string::<i64>().value(1), "x,y");
        assert_eq!(batch.column(1).null_count(), 2);
    }

    #[test]
    fn chinese_text_is_decoded() {
        let (bytes, _, _) = encoding_rs::GB18030.encode("户\n张三\n");
        let format = CsvFormat { encoding: Encoding::Gb18030, ..CsvFormat::default() };
        let batches = read_bytes(&bytes, &format).unwrap();
        assert_eq!(batches.first().unwrap().column(0).as_string::<i64>().value(0), "张三");
    }

    #[test]
    fn unreadable_files_say_where_and_why() {
        let plain = CsvFormat::default();
        assert!(message(b"", &plain).contains("is empty"));
        assert!(message(b"a,a\n", &plain).contains("same heading in columns 1 and 2"));
        assert!(message(b"a,b\n1,2\n3\n", &plain).contains("line 3 has 1 fields where the headings have 2"));
        assert!(message(&[b"a\nb\n".as_slice(), &[0; 32]].concat(), &plain).contains("line 3 has a hole"));
        assert!(message(b"a\n\xD5\xC5\n", &plain).contains("line 2 is not UTF-8"));
        assert!(message(b"a,b\n1,\"2\n3,4\n", &plain).contains("line 2 opens a quote that is never closed"));
        let format = CsvFormat { encoding: Encoding::Gb18030, ..CsvFormat::default() };
        assert!(message(b"a\n\xFF\xFF\n", &format).contains("line 2 is not GB18030"));
    }
}
