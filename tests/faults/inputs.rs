//! Every input file of a small bank, as CSV and as Parquet, cut off, emptied, with one bit flipped, with a block of
//! zeros, in the other format's clothes. Whatever a night makes of it, it ends by itself, names the file or the table
//! when it ends badly, and publishes a whole run or nothing; of the rows none goes missing without a word.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::program::{self, Outcome, wellfield};
use crate::support::scratch::{make_writable, scratch};
use crate::support::{copy_folder, files_below};

use super::{AS_OF, Random, assert_nothing_published, assert_whole, manifest, night, recovers, tell, within_patience};

const HOUSEHOLDS: &str = "60";
const FLIPS: usize = 20;
/// Of the flips in a Parquet file so many fall into its footer, where a bit means most: every third.
const FOOTER_ONE_IN: usize = 3;
const FOOTER_BYTES: usize = 4000;
const ZEROS: [u8; 4096] = [0; 4096];
const WORKERS: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Parquet,
}

/// One damaged file: its name, what was done to it, and its bytes.
struct Damage {
    file: String,
    what: String,
    bytes: Vec<u8>,
    /// The same number of rows must be read, or the file be refused.
    keeps_rows: bool,
}

#[test]
fn no_damage_to_a_csv_file_passes_without_a_word() {
    damage_every_file(Form::Csv);
}

#[test]
fn no_damage_to_a_parquet_file_passes_without_a_word() {
    damage_every_file(Form::Parquet);
}

fn damage_every_file(form: Form) {
    let folder = scratch();
    let banks = [Form::Csv, Form::Parquet].map(|form| generated(form, folder.path()));
    let (bank, other) = if form == Form::Csv { (&banks[0], &banks[1]) } else { (&banks[1], &banks[0]) };
    let undamaged = recovers(&mut night(bank, AS_OF, &folder.path().join("undamaged")), "nothing");
    let rows = rows_read(&undamaged);
    let mut random = Random(7);
    let damages: Vec<Damage> = files_below(bank, &|path| !path.ends_with("bank.toml"))
        .iter()
        .flat_map(|file| damages(file, other, form, &mut random))
        .collect();
    let count = damages.len();
    let damages = Mutex::new(damages.into_iter());
    let tally = Mutex::new(BTreeMap::<String, usize>::new());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (own, runs) =
                (folder.path().join(format!("bank-{worker}")), folder.path().join(format!("runs-{worker}")));
            copy_folder(bank, &own);
            let (damages, tally, wrong, rows) = (&damages, &tally, &wrong, &rows);
            scope.spawn(move || {
                loop {
                    let Some(damage) = damages.lock().unwrap().next() else { return };
                    let (exit, faults) = night_of(&own, bank, &runs, &damage, rows);
                    *tally.lock().unwrap().entry(format!("exit {exit}")).or_default() += 1;
                    wrong.lock().unwrap().extend(faults);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {count} are wrong, the first are\n{}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n\n")
    );
    let name = if form == Form::Csv { "CSV" } else { "Parquet" };
    tell(&format!("{count} damaged {name} files: {:?}", tally.into_inner().unwrap()));
}

fn generated(form: Form, folder: &Path) -> PathBuf {
    let name = if form == Form::Csv { "csv" } else { "parquet" };
    let bank = folder.join(name);
    let outcome =
        program::run(wellfield().arg("generate").arg(&bank).args(["--households", HOUSEHOLDS, "--format", name]));
    assert_eq!(outcome.exit, 0, "{}", outcome.shown(&[]));
    bank
}

/// Rows read of each input table.
fn rows_read(run: &Path) -> BTreeMap<String, u64> {
    let manifest = manifest(run);
    let tables = manifest["tables"].as_object().unwrap();
    tables.iter().map(|(table, counts)| (table.clone(), counts["read"].as_u64().unwrap())).collect()
}

/// A file in every damaged state. `other` is the same bank in the other format.
fn damages(path: &Path, other: &Path, form: Form, random: &mut Random) -> Vec<Damage> {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = std::fs::read(path).unwrap();
    let size = bytes.len();
    let damage =
        |what: String, bytes: Vec<u8>, keeps_rows: bool| Damage { file: file.clone(), what, bytes, keeps_rows };
    let mut damages = vec![
        damage("empty".into(), Vec::new(), false),
        damage("4 KiB of zeros".into(), ZEROS.to_vec(), false),
        damage("4 KiB of zeros in its middle".into(), with_zeros(&bytes, size / 2), true),
    ];
    for kept in [1, 4, size / 4, size / 2, size * 9 / 10, size - 8, size - 1] {
        damages.push(damage(format!("cut off after {kept} bytes"), bytes[..kept].to_vec(), false));
    }
    for number in 0..FLIPS {
        let is_in_footer = form == Form::Parquet && number % FOOTER_ONE_IN == 0;
        let at = if is_in_footer { size - 1 - random.below(FOOTER_BYTES.min(size)) } else { random.below(size) };
        let bit = random.below(8);
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        damages.push(damage(format!("bit {bit} of byte {at} flipped"), flipped, true));
    }
    let in_other_format = other.join(&file).with_extension(if form == Form::Csv { "parquet" } else { "csv" });
    damages.push(damage("a file of the other format".into(), std::fs::read(in_other_format).unwrap(), false));
    damages
}

/// What a torn write leaves: a block of the file was never written.
fn with_zeros(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut torn = bytes.to_vec();
    let end = (at + ZEROS.len()).min(torn.len());
    torn[at..end].fill(0);
    torn
}

/// A night of the bank with one damaged file: its exit code and what is wrong about it.
fn night_of(
    own: &Path,
    bank: &Path,
    runs: &Path,
    damage: &Damage,
    rows: &BTreeMap<String, u64>,
) -> (i32, Option<String>) {
    let path = own.join(&damage.file);
    std::fs::write(&path, &damage.bytes).unwrap();
    let outcome = within_patience(&mut night(own, AS_OF, runs));
    let what = format!("`{}` {}", damage.file, damage.what);
    let fault = fault_of(&outcome, runs, damage, rows, &what);
    std::fs::copy(bank.join(&damage.file), &path).unwrap();
    if runs.exists() {
        make_writable(runs);
        std::fs::remove_dir_all(runs).unwrap();
    }
    (outcome.exit, fault.map(|fault| format!("{what}: {fault}\n{}", outcome.shown(&[]))))
}

fn fault_of(
    outcome: &Outcome,
    runs: &Path,
    damage: &Damage,
    rows: &BTreeMap<String, u64>,
    what: &str,
) -> Option<String> {
    let says = |text: &str| outcome.stderr.contains(text);
    if says("panicked") || says("internal") {
        return Some("the program broke".into());
    }
    if outcome.exit != 0 {
        assert_nothing_published(runs, what);
    }
    match outcome.exit {
        0 => {
            let found = assert_whole(runs, what);
            let read = rows_read(&found.latest.expect("there is a run"));
            (damage.keeps_rows && read != *rows).then(|| format!("rows went missing: {rows:?} became {read:?}"))
        }
        // The damage may be a sound value in the wrong place: then what refers to it is set aside, table by table.
        4 => (!says("error: audit `")).then(|| "the failed audit says nothing".into()),
        1 | 3 => (!says(&format!("`{}`", damage.file))).then(|| "the file is not named".into()),
        _ => Some("no such exit code".into()),
    }
}
