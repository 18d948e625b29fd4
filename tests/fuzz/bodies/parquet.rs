//! The first byte names a table of the mini bank, the rest is its Parquet file: it is read and cleaned, together with the
//! tables to which it refers. A reader library may stop with a panic here, as long as it becomes a fault of the file.

use wellfield::read::bank::CsvFormat;

use super::{choose, csv, scratch};

const FILE: &str = "fuzzed.parquet";

pub fn run(mut data: &[u8]) {
    let table = choose(&mut data, usize::from(u8::MAX));
    scratch::with_file(FILE, data, |folder, contracts| {
        let table = &contracts.inputs[table % contracts.inputs.len()].table;
        csv::check_table(csv::bank(folder, table, FILE, CsvFormat::default()), contracts, table, FILE);
    });
}
