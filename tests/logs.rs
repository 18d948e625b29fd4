//! A log that is taken in piece by piece is the log that it is as a whole: the same rows are set aside, and every table
//! of the night is the same, in whatever order the log's files are and however the branches are cut into shards.

mod changing;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

use wellfield::calendar::Date;
use wellfield::clean::{self, CleanBank};
use wellfield::contract::Contracts;
use wellfield::night::{self, Logs, Night};
use wellfield::previous::Previous;
use wellfield::read::bank::Bank;
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};
use wellfield::visits::Room;
use wellfield::watch::Watch;

use crate::support::program::{run, wellfield};
use crate::support::scratch::scratch;

const LOGS: [&str; 4] = ["visits", "account_months", "loan_months", "instalments"];
const AS_OF: &str = "2026-06-30";
/// So few that every log is taken in in many pieces.
const ROWS_A_GROUP: usize = 400;

/// Which rows of a log of so many are written, in order.
type Layout = fn(u32) -> Vec<u32>;

const IN_ORDER: Layout = |rows| (0..rows).collect();
/// One row in ten once more, most of them far behind the first.
const WITH_REPEATS: Layout = |rows| (0..rows).chain((0..rows).step_by(10)).collect();
/// From a row on as in the order of an export by month: steps of 24 rows.
const SCATTERED: Layout = |rows| {
    let (head, tail) = (rows / 3, rows / 3..rows);
    let scattered = (0..24).flat_map(|first| tail.clone().skip(first).step_by(24));
    (0..head).chain(scattered).chain([0, rows / 2]).collect()
};

/// Rows of a batch of a row group, as the program reads them.
const ROWS_A_BATCH: u32 = 1 << 16;
/// A batch, and after it the rows from the first on.
const BATCH_REPEATED: Layout = |rows| (0..rows.min(ROWS_A_BATCH)).chain(0..rows).collect();

fn lay(bank: &Path, layout: Layout, rows_a_group: usize) {
    for log in LOGS {
        let path = bank.join(format!("{log}.parquet"));
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(|batch| batch.unwrap()).collect();
        let rows = concat_batches(&schema, &batches).unwrap();
        let wanted = UInt32Array::from(layout(u32::try_from(rows.num_rows()).unwrap()));
        let laid = take_record_batch(&rows, &wanted).unwrap();
        assert!(rows_a_group > ROWS_A_GROUP || laid.num_rows() > 3 * ROWS_A_GROUP, "`{log}` is too short to be cut");
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows_a_group)).build();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), schema, Some(properties)).unwrap();
        writer.write(&laid).unwrap();
        writer.close().unwrap();
    }
}

/// Lets an adapter make the visits, which come as a whole then.
fn adapt(bank: &Path) {
    std::fs::rename(bank.join("visits.parquet"), bank.join("raw.parquet")).unwrap();
    std::fs::write(bank.join("visits.sql"), "SELECT * FROM raw").unwrap();
    let inputs = "[inputs]\nvisits = { files = { raw = \"raw.parquet\" }, adapter = \"visits.sql\" }\n";
    let text = std::fs::read_to_string(bank.join("bank.toml")).unwrap();
    std::fs::write(bank.join("bank.toml"), format!("{text}\n{inputs}")).unwrap();
}

struct Rules {
    contracts: Contracts,
    rulebook: Rulebook,
}

impl Rules {
    fn whole(&self, bank: &Bank) -> Night {
        let cleaned = clean::clean(bank, &self.contracts, self.rulebook.as_of).unwrap();
        let mut untold = |_: &_| ();
        let mut watch = Watch::new(&mut untold);
        night::rate(cleaned, &Previous::default(), &self.rulebook, &self.contracts, &mut watch).unwrap()
    }

    fn in_pieces(&self, bank: &Bank, room: Room) -> Night {
        let room = |_| room;
        let mut logs = Logs::new(&self.rulebook, &self.contracts, &room);
        let cleaned = clean::clean_with(bank, &self.contracts, self.rulebook.as_of, &mut logs).unwrap();
        assert_eq!(cleaned.tables.visits.rows + cleaned.tables.account_months.rows, 0, "a log was kept");
        let taken = logs.taken().unwrap();
        let mut untold = |_: &_| ();
        let mut watch = Watch::new(&mut untold);
        let (rulebook, contracts) = (&self.rulebook, &self.contracts);
        night::rate_taken(cleaned, taken, &Previous::default(), rulebook, contracts, &mut watch).unwrap()
    }
}

fn is_same(whole: &CleanBank, pieces: &CleanBank) {
    assert_eq!(whole.set_aside, pieces.set_aside);
    assert_eq!(whole.counts, pieces.counts);
    assert_eq!(whole.files, pieces.files);
    assert_eq!(whole.newest, pieces.newest);
    assert_eq!(whole.remarks, pieces.remarks);
}

#[test]
fn a_log_taken_in_by_pieces_is_the_whole_log() {
    let as_of = Date::parse(AS_OF).unwrap();
    let contracts = Contracts::built_in().unwrap();
    let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
    let rules = Rules { contracts, rulebook };
    for (layout, has_repeats, households, rows_a_group, is_adapted) in [
        (IN_ORDER, false, "400", ROWS_A_GROUP, false),
        (WITH_REPEATS, true, "400", ROWS_A_GROUP, false),
        (SCATTERED, true, "400", ROWS_A_GROUP, false),
        (BATCH_REPEATED, true, "4000", usize::MAX, false),
        (BATCH_REPEATED, true, "4000", usize::MAX, true),
    ] {
        let folder = scratch();
        let bank = folder.path().join("bank");
        let outcome = run(wellfield().arg("generate").arg(&bank).args(["--households", households, "--as-of", AS_OF]));
        assert_eq!(outcome.exit, 0, "generate ended with\n{}", outcome.shown(&[]));
        lay(&bank, layout, rows_a_group);
        if is_adapted {
            adapt(&bank);
        }
        let mut bank = Bank::open(&bank, &rules.contracts).unwrap();
        let whole = rules.whole(&bank);
        let tables = whole.outputs(&Previous::default(), &rules.rulebook, &rules.contracts).unwrap();
        let repeats = whole.set_aside.iter().filter(|row| row.rule == "duplicate_key").count();
        assert_eq!(repeats > 0, has_repeats);
        for (room, is_read_in_passing) in
            [(Room::enough(), false), (Room::in_shards(3), true), (Room { shards: 3, held: 40_000 }, false)]
        {
            bank.is_read_in_passing = is_read_in_passing;
            let pieces = rules.in_pieces(&bank, room);
            is_same(&whole.cleaned, &pieces.cleaned);
            let others = pieces.outputs(&Previous::default(), &rules.rulebook, &rules.contracts).unwrap();
            for (table, other) in tables.iter().zip(&others) {
                assert_eq!(table.name, other.name);
                assert!(table.batch == other.batch, "`{}` differs with {room:?}", table.name);
            }
        }
    }
}
