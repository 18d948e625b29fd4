//! The search for planted names and numbers: in bytes as they stand, in every encoding that a file of the program may
//! be in, and in what Parquet files and workbooks hold once they are decoded.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use calamine::{Reader as _, Xlsx, open_workbook};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::planted::{LATIN_NAME, MASKED, NAME, NUMBER};

/// Characters of a name, or of a number, that no piece of text may hold together.
const PIECE_OF_NAME: usize = 2;
const PIECE_OF_NUMBER: usize = 8;
/// Characters of a line that a failing test shows.
const SHOWN: usize = 300;

/// What was looked at, and where something was found that should not be there.
#[derive(Default)]
pub struct Search {
    bytes: usize,
    places: usize,
    found: Vec<String>,
}

impl Search {
    pub fn look_at_folder(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() { self.look_at_folder(&path) } else { self.look_at_file(&path) }
        }
    }

    pub fn look_at_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{shown}: {error}"));
        self.look_at_text(&shown, &path.file_name().unwrap().to_string_lossy());
        self.look_at_bytes(&shown, &bytes);
        match path.extension().and_then(|end| end.to_str()) {
            Some("parquet") => self.look_at_parquet(path, &shown),
            Some("xlsx") => self.look_at_workbook(path, &shown),
            _ => self.look_at_text(&shown, &String::from_utf8_lossy(&bytes)),
        }
    }

    fn look_at_parquet(&mut self, path: &Path, shown: &str) {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        self.look_at_text(shown, &format!("{:?}", builder.metadata()));
        let options = FormatOptions::default();
        for batch in builder.build().unwrap() {
            let batch = batch.unwrap();
            for column in batch.columns() {
                let cells = ArrayFormatter::try_new(column, &options).unwrap();
                for row in 0..batch.num_rows() {
                    self.look_at_text(shown, &cells.value(row).to_string());
                }
            }
        }
    }

    fn look_at_workbook(&mut self, path: &Path, shown: &str) {
        let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
        for sheet in workbook.sheet_names() {
            self.look_at_text(shown, &sheet);
            for cell in workbook.worksheet_range(&sheet).unwrap().used_cells() {
                self.look_at_text(shown, &cell.2.to_string());
            }
        }
    }

    /// Bytes that may be compressed: pieces so long that chance does not make them.
    fn look_at_bytes(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.places += 1;
        for piece in pieces() {
            for (form, written) in forms(&piece) {
                if bytes.windows(written.len()).any(|window| window == written) {
                    self.found.push(format!("{place} holds a piece of `{piece}` as {form}"));
                }
            }
        }
    }

    /// Text: no character of the Chinese name but the first, and that one only where the name is masked.
    pub fn look_at_text(&mut self, place: &str, text: &str) {
        self.bytes += text.len();
        self.places += 1;
        let rest = text.replace(MASKED, "");
        let pieces: Vec<String> = pieces().iter().map(|piece| piece.to_lowercase()).collect();
        let tells = |line: &str| {
            let line = line.to_lowercase();
            NAME.chars().any(|letter| line.contains(letter)) || pieces.iter().any(|piece| line.contains(piece))
        };
        let told = rest.lines().filter(|line| tells(line));
        self.found.extend(told.map(|line| format!("{place}: {}", line.chars().take(SHOWN).collect::<String>())));
    }

    pub fn found(&self) -> usize {
        self.found.len()
    }

    /// Tells how much was searched; every leak once.
    pub fn finish(self, what: &str) -> Vec<String> {
        let summary =
            format!("{what}: {} bytes in {} places searched, {} leaks", self.bytes, self.places, self.found.len());
        // Straight to stderr: the harness keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "{summary}");
        let mut leaks: Vec<String> = self.found.into_iter().map(|leak| format!("{what}: {leak}")).collect();
        leaks.sort();
        leaks.dedup();
        leaks
    }
}

/// Every piece of the planted texts that is long enough to be no accident.
fn pieces() -> Vec<String> {
    let cut = |text: &str, length: usize| -> Vec<String> {
        let letters: Vec<char> = text.chars().collect();
        letters.windows(length).map(|piece| piece.iter().collect()).collect()
    };
    let mut pieces = cut(NAME, PIECE_OF_NAME);
    pieces.extend(LATIN_NAME.split(' ').flat_map(|word| cut(word, word.len() - 2)));
    pieces.extend(cut(NUMBER, PIECE_OF_NUMBER));
    pieces
}

/// A piece as files may write it.
fn forms(piece: &str) -> Vec<(&'static str, Vec<u8>)> {
    let units: Vec<u16> = piece.encode_utf16().collect();
    let escaped = |upper: bool| -> Vec<u8> {
        let one = |unit: &u16| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
        units.iter().map(one).collect::<String>().into_bytes()
    };
    vec![
        ("UTF-8", piece.as_bytes().to_vec()),
        ("GB18030", encoding_rs::GB18030.encode(piece).0.into_owned()),
        ("UTF-16", units.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("UTF-16 in the other order", units.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
        ("escapes", escaped(false)),
        ("escapes in capitals", escaped(true)),
    ]
}
