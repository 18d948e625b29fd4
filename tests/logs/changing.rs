//! A log in several Parquet files that change while they are read. Each is digested shortly before its first row group
//! is read and shortly after its last one: what was read lies between two equal digests, or the file is named.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

use wellfield::calendar::Date;
use wellfield::clean::{self, Accepted, CleanBank, LogRows, Tables, TakeLogs};
use wellfield::contract::Contracts;
use wellfield::fault::Result;
use wellfield::read::bank::Bank;

use crate::support::program::{run, wellfield};
use crate::support::scratch::scratch;

use super::AS_OF;

const FILES: usize = 6;
const GROUPS_A_FILE: usize = 3;
/// So few that the first file is looked at again long before the last one is read.
const THREADS: usize = 2;

/// Changes a file when so many pieces of the log of visits were taken in.
struct Changing<'a> {
    after: usize,
    taken: usize,
    change: &'a (dyn Fn() + Sync),
}

impl TakeLogs for Changing<'_> {
    type Preparation = ();
    type Prepared = bool;

    fn begin(&mut self, _: &Tables, _: u64) -> Result<()> {
        Ok(())
    }

    fn prepare((): &(), rows: LogRows, _: Accepted) -> Result<bool> {
        Ok(matches!(rows, LogRows::Visits(_)))
    }

    fn take(&mut self, _: &Tables, is_visits: bool) -> Result<()> {
        self.taken += usize::from(is_visits);
        if is_visits && self.taken == self.after {
            (self.change)();
        }
        Ok(())
    }
}

/// Cuts the log of visits into files of several row groups; where it is not `in_order`, its first row comes last again.
fn cut(bank: &Path, in_order: bool) {
    let path = bank.join("visits.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let mut batches: Vec<RecordBatch> = reader.build().unwrap().map(|batch| batch.unwrap()).collect();
    let first = batches[0].slice(0, 1);
    batches.extend((!in_order).then_some(first));
    let rows = concat_batches(&schema, &batches).unwrap();
    let in_group = rows.num_rows().div_ceil(FILES * GROUPS_A_FILE);
    fs::remove_file(path).unwrap();
    fs::create_dir(bank.join("visits")).unwrap();
    for file in 0..FILES {
        let start = file * GROUPS_A_FILE * in_group;
        let part = rows.slice(start, (GROUPS_A_FILE * in_group).min(rows.num_rows() - start));
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(in_group)).build();
        let file = File::create(bank.join(shown(file))).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).unwrap();
        writer.write(&part).unwrap();
        writer.close().unwrap();
    }
}

fn shown(file: usize) -> String {
    format!("visits/part-{file}.parquet")
}

/// Another byte amid the rows, and nothing else that tells of it.
fn flip(path: &Path) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let about = file.metadata().unwrap();
    let (mut byte, middle) = ([0], about.len() / 2);
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[!byte[0]], middle).unwrap();
    file.set_modified(about.modified().unwrap()).unwrap();
}

/// Another file of the same time in its place.
fn replace(path: &Path) {
    let written = fs::metadata(path).unwrap().modified().unwrap();
    fs::copy(path.with_file_name("part-1.parquet"), path).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
}

fn write_again(path: &Path) {
    fs::write(path, fs::read(path).unwrap()).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

/// The outcome for a log whose file is changed after so many pieces, and for the same log before.
fn changed(in_order: bool, after: usize, file: usize, change: fn(&Path)) -> (Result<CleanBank>, CleanBank) {
    let (folder, as_of) = (scratch(), Date::parse(AS_OF).unwrap());
    let bank = folder.path().join("bank");
    let outcome = run(wellfield().arg("generate").arg(&bank).args(["--households", "400", "--as-of", AS_OF]));
    assert_eq!(outcome.exit, 0, "generate ended with\n{}", outcome.shown(&[]));
    cut(&bank, in_order);
    let path = bank.join(shown(file));
    let contracts = Contracts::built_in().unwrap();
    let bank = Bank::open(&bank, &contracts).unwrap();
    let whole = clean::clean(&bank, &contracts, as_of).unwrap();
    let change = || change(&path);
    let mut logs = Changing { after, taken: 0, change: &change };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().unwrap();
    (threads.install(|| clean::clean_with(&bank, &contracts, as_of, &mut logs)), whole)
}

/// What happens, whether the log is in order, after how many pieces, to which file.
type Case = (&'static str, bool, usize, usize, fn(&Path));

#[test]
fn a_file_that_changes_between_its_digests_is_named() {
    let pieces = FILES * GROUPS_A_FILE;
    let cases: [Case; 7] = [
        ("a byte of a file that is being read", true, 1, 0, flip),
        ("a file that is being read is gone", true, 1, 0, remove),
        ("a byte of the last file, late", true, pieces - 1, FILES - 1, flip),
        ("a later file is written again", true, 1, FILES - 1, write_again),
        ("a later file is another one of the same time", true, 1, FILES - 1, replace),
        ("a later file is gone", true, 1, FILES - 1, remove),
        ("a byte of a file that is read again for its keys", false, pieces - 1, 0, flip),
    ];
    for (what, in_order, after, file, change) in cases {
        let error = changed(in_order, after, file, change).0.unwrap_err();
        let told: Vec<&str> = error.faults().iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(told, [format!("`{}` changed while it was read", shown(file))], "{what}: {error:?}");
        assert_eq!(error.exit_code(), 1, "{what}");
    }
}

/// The digests of a file are those of its bytes when it was read, and taken then.
#[test]
fn a_file_that_changes_after_its_digests_was_read_whole() {
    let (pieces, untouched): (usize, fn(&Path)) = (FILES * GROUPS_A_FILE, |_| ());
    for (in_order, change) in [(true, flip as fn(&Path)), (true, untouched), (false, untouched)] {
        let (outcome, whole) = changed(in_order, pieces - 1, 0, change);
        let cleaned = outcome.unwrap();
        assert_eq!(cleaned.files, whole.files);
        assert_eq!(cleaned.set_aside, whole.set_aside);
        assert_eq!(cleaned.set_aside.is_empty(), in_order);
    }
}
