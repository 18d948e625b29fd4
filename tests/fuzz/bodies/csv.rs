//! The first byte names a table of the mini bank, the second how its file is written, the rest is that file: it is read
//! as text and cleaned, together with the tables to which it refers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wellfield::clean::{self, CleanBank};
use wellfield::contract::Contracts;
use wellfield::fault::Result;
use wellfield::read;
use wellfield::read::bank::{Bank, CsvFormat, Encoding, FileInput, Input};

use super::{as_of, choose, refusal, scratch};

const FILE: &str = "fuzzed.csv";

pub fn run(mut data: &[u8]) {
    let table = choose(&mut data, usize::from(u8::MAX));
    let format = format(choose(&mut data, usize::from(u8::MAX)));
    scratch::with_file(FILE, data, |folder, contracts| {
        let table = &contracts.inputs[table % contracts.inputs.len()].table;
        check_table(bank(folder, table, FILE, format), contracts, table, FILE);
    });
}

/// The mini bank with one table from a file of another name.
pub fn bank(folder: &Path, table: &str, file: &str, format: CsvFormat) -> Bank {
    let files = BTreeMap::from([(table.to_string(), vec![file.to_string()])]);
    let input = Input::Files(FileInput { files, format, ..FileInput::default() });
    Bank {
        folder: folder.to_path_buf(),
        name: "Fuzzed bank".into(),
        rulebook: None,
        inputs: BTreeMap::from([(table.to_string(), input)]),
        text: String::new(),
        is_read_in_passing: false,
    }
}

/// Cleans the table and those before it twice: no row is lost, each row set aside is one of the file, and faults name
/// the file.
pub fn check_table(mut bank: Bank, contracts: &Contracts, table: &str, file: &str) {
    let referred = referred(contracts, table);
    for contract in contracts.inputs.iter().filter(|contract| !referred.contains(&contract.table)) {
        bank.inputs.entry(contract.table.clone()).or_insert(Input::None);
    }
    let outcome = clean::clean(&bank, contracts, as_of());
    match &outcome {
        Ok(cleaned) => check_rows(&bank, contracts, cleaned, table, file),
        Err(error) => refusal::check(error, &[file]),
    }
    let again = clean::clean(&bank, contracts, as_of());
    assert_eq!(described(&outcome), described(&again), "the same bytes twice");
}

/// The tables to which a table refers, directly or through another.
fn referred(contracts: &Contracts, table: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![table.to_string()];
    while let Some(next) = open.pop() {
        let contract = contracts.input(&next).expect("a table of the contracts");
        for other in contract.columns.iter().filter_map(|column| column.references.clone()) {
            if found.insert(other.clone()) {
                open.push(other);
            }
        }
    }
    found
}

fn check_rows(bank: &Bank, contracts: &Contracts, cleaned: &CleanBank, table: &str, file: &str) {
    let contract = contracts.input(table).expect("a table of the contracts");
    let source = read::table(bank, contract).expect("it was read before").expect("the bank names it");
    let counts = cleaned.counts[table];
    assert_eq!(counts.read, source.rows() as u64, "rows of `{file}`: {counts:?}");
    assert_eq!(counts.read, counts.accepted + counts.set_aside + counts.not_yet_known, "{counts:?}");
    let mut rows: Vec<u64> = Vec::new();
    for set_aside in cleaned.set_aside.iter().filter(|row| row.table == table) {
        assert_eq!(set_aside.source, file, "{set_aside:?}");
        assert!((1..=counts.read).contains(&set_aside.row_number), "{set_aside:?} of {counts:?}");
        assert!(!set_aside.message.is_empty(), "{set_aside:?}");
        rows.push(set_aside.row_number);
    }
    assert_eq!(rows.len() as u64, counts.set_aside, "`{table}`: {counts:?}");
    assert!(rows.is_sorted_by(|one, next| one < next), "rows are set aside once, in order: {rows:?}");
    let read = cleaned.files.iter().find(|read| read.path == file).expect("the file is listed");
    assert_eq!(read.bytes, std::fs::metadata(bank.folder.join(file)).expect("the file").len());
}

/// All that a night shows of its inputs.
pub fn described(outcome: &Result<CleanBank>) -> String {
    match outcome {
        Ok(CleanBank { set_aside, counts, files, newest, remarks, .. }) => {
            format!("{set_aside:?}\n{counts:?}\n{files:?}\n{newest:?}\n{remarks:?}")
        }
        Err(error) => format!("{:?}", error.faults()),
    }
}

/// One of the ways in which exports are written: encoding, delimiter, and forms of numbers, days and nothing.
pub fn format(choice: usize) -> CsvFormat {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_string()).collect();
    let plain = CsvFormat {
        encoding: [Encoding::Utf8, Encoding::Gb18030, Encoding::Latin1, Encoding::Utf8][choice & 3],
        delimiter: [b',', b';', b'\t', b'|'][choice >> 2 & 3],
        ..CsvFormat::default()
    };
    match choice >> 4 & 3 {
        0 => plain,
        1 => CsvFormat {
            thousands: Some('.'),
            decimal: ',',
            date_formats: texts(&["%d.%m.%Y", "%y%m%d"]),
            time_formats: texts(&["%d.%m.%Y %H:%M", "%y%m%d%H%M%S%f"]),
            ..plain
        },
        2 => CsvFormat {
            null_words: texts(&["NULL", "\\N", "-"]),
            date_formats: texts(&["%Y年%m月%d日", "%Y/%m/%d"]),
            time_formats: texts(&["%Y年%m月%d日 %T", "%F %T.%f"]),
            ..plain
        },
        _ => CsvFormat { quote: b'\'', thousands: Some(' '), ..plain },
    }
}
