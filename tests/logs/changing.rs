//! A log in several Parquet files that change while they are read. Its rows and its digests are of the same bytes, so that
//! a run says what it was made from; a file that is seen to change is named.

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
use wellfield::read;
use wellfield::read::bank::Bank;

use crate::support::program::{run, wellfield};
use crate::support::scratch::scratch;

use super::AS_OF;

const FILES: usize = 6;
const GROUPS_A_FILE: usize = 3;
/// So few that the first file is read to its end long before the last one is.
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

/// Another device in its rows, and nothing else that tells of it.
fn rename_a_device(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let device = bytes.windows(3).position(|bytes| bytes == b"DO0").unwrap();
    bytes[device] = b'E';
    let written = fs::metadata(path).unwrap().modified().unwrap();
    fs::write(path, bytes).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
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

/// What comes of a log whose file is changed after so many pieces.
struct Changed {
    outcome: Result<CleanBank>,
    /// Of the same log before.
    whole: CleanBank,
    /// The digest of the file afterwards, where it is there.
    digest: Option<String>,
}

fn changed(in_order: bool, after: usize, file: usize, change: fn(&Path)) -> Changed {
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
    let outcome = threads.install(|| clean::clean_with(&bank, &contracts, as_of, &mut logs));
    Changed { outcome, whole, digest: read::digest(&path).ok().map(|(_, digest)| digest) }
}

/// What happens, whether the log is in order, after how many pieces, to which file.
type Case = (&'static str, bool, usize, usize, fn(&Path));

#[test]
fn a_file_that_is_seen_to_change_is_named() {
    let pieces = FILES * GROUPS_A_FILE;
    let cases: [Case; 6] = [
        ("a file that is being read is written again", true, 1, 0, write_again),
        ("a file that is being read is gone", true, 1, 0, remove),
        ("a later file is written again", true, 1, FILES - 1, write_again),
        ("a later file is another one of the same time", true, 1, FILES - 1, replace),
        ("a later file is gone", true, 1, FILES - 1, remove),
        ("a byte of a file that is read again for its keys", false, pieces - 1, 0, flip),
    ];
    for (what, in_order, after, file, change) in cases {
        let error = changed(in_order, after, file, change).outcome.unwrap_err();
        let told: Vec<&str> = error.faults().iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(told, [format!("`{}` changed while it was read", shown(file))], "{what}: {error:?}");
        assert_eq!(error.exit_code(), 1, "{what}");
    }
}

/// The digests of a file are those of its bytes when it was read.
#[test]
fn a_file_that_changes_after_it_was_read_was_read_whole() {
    let (pieces, untouched): (usize, fn(&Path)) = (FILES * GROUPS_A_FILE, |_| ());
    for (in_order, change) in [(true, flip as fn(&Path)), (true, untouched), (false, untouched)] {
        let Changed { outcome, whole, .. } = changed(in_order, pieces - 1, 0, change);
        let cleaned = outcome.unwrap();
        assert_eq!(cleaned.files, whole.files);
        assert_eq!(cleaned.set_aside, whole.set_aside);
        assert_eq!(cleaned.set_aside.is_empty(), in_order);
    }
}

#[test]
fn a_file_that_changes_before_it_is_read_is_what_it_was_then() {
    let Changed { outcome, whole, digest } = changed(true, 1, FILES - 1, rename_a_device);
    let mut expected = whole.files.clone();
    let last = expected.iter_mut().find(|file| file.path == shown(FILES - 1)).unwrap();
    let before = std::mem::replace(&mut last.digest, digest.unwrap());
    assert_ne!(before, last.digest);
    assert_eq!(outcome.unwrap().files, expected);
}

/// Some writers make a row group for a table without rows; there is something of it in the file all the same.
#[test]
fn a_file_whose_row_groups_have_no_rows_is_among_the_files() {
    let folder = scratch();
    let bank = folder.path().join("bank");
    let outcome = run(wellfield().arg("generate").arg(&bank).args(["--households", "40", "--as-of", AS_OF]));
    assert_eq!(outcome.exit, 0, "generate ended with\n{}", outcome.shown(&[]));
    let path = bank.join("watchlist.parquet");
    let schema = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().schema().clone();
    let writer = ArrowWriter::try_new(File::create(&path).unwrap(), schema, None).unwrap();
    let (mut writer, columns) = writer.into_serialized_writer().unwrap();
    let mut group = writer.next_row_group().unwrap();
    for column in columns.create_column_writers(0).unwrap() {
        column.close().unwrap().append_to_row_group(&mut group).unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let groups = reader.metadata().row_groups();
    assert!(groups.len() == 1 && groups[0].num_rows() == 0 && groups[0].compressed_size() > 0);
    let contracts = Contracts::built_in().unwrap();
    let bank = Bank::open(&bank, &contracts).unwrap();
    let cleaned = clean::clean(&bank, &contracts, Date::parse(AS_OF).unwrap()).unwrap();
    let found = cleaned.files.iter().find(|file| file.path == "watchlist.parquet").unwrap();
    assert_eq!((found.bytes, found.digest.clone()), read::digest(&path).unwrap());
}
