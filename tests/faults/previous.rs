//! A previous run that is missing or damaged: the night says so and does not go on as if there had been none, unless it
//! is told to; then it publishes what a first night publishes.

use std::path::Path;

use crate::support::digests::digests;
use crate::support::program::Outcome;
use crate::support::scratch::{make_writable, scratch};
use crate::support::{copy_folder, files_below, read};

use super::{AS_OF, BEFORE, Random, assert_whole, copy_of_sample, message, night, recovers, tell, within_patience};

/// Bits that are flipped in each file of the previous run that a night looks at.
const FLIPS: usize = 25;
/// The tables of a previous run that tonight's rules look back at.
const LOOKED_AT: [&str; 4] = ["household_grades", "grant_limits", "village_ratings", "public_notice"];

/// What happens to the previous run, given its folder.
type Harm = fn(&Path);

const HARMS: [(&str, Harm); 9] = [
    ("its folder is gone", |run| std::fs::remove_dir_all(run).unwrap()),
    ("its manifest is gone", |run| std::fs::remove_file(run.join("manifest.json")).unwrap()),
    ("its manifest is empty", |run| std::fs::write(run.join("manifest.json"), "").unwrap()),
    ("its manifest is cut off", |run| cut_off(&run.join("manifest.json"))),
    ("its grades are cut off", |run| cut_off(&run.join("household_grades.parquet"))),
    ("its grades are gone", |run| std::fs::remove_file(run.join("household_grades.parquet")).unwrap()),
    ("its limits are gone", |run| std::fs::remove_file(run.join("grant_limits.parquet")).unwrap()),
    ("its stars are gone", |run| std::fs::remove_file(run.join("village_ratings.parquet")).unwrap()),
    ("its notices are gone", |run| std::fs::remove_file(run.join("public_notice.parquet")).unwrap()),
];

fn cut_off(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_previous_run_that_is_missing_or_damaged_is_said() {
    let folder = scratch();
    let (bank, before) = (folder.path().join("bank"), folder.path().join("before"));
    copy_of_sample("mini", &bank);
    recovers(&mut night(&bank, BEFORE, &before), "nothing");
    let first = digests(&recovers(&mut night(&bank, AS_OF, &folder.path().join("first")), "nothing"));
    for (number, (what, harm)) in HARMS.into_iter().enumerate() {
        let runs = folder.path().join(format!("runs-{number}"));
        let run = copied(&before, &runs);
        harm(&run);
        assert_refuses_to_go_on(&within_patience(&mut night(&bank, AS_OF, &runs)), what);
        assert!(!runs.join(AS_OF).exists() || files_below(&runs.join(AS_OF), &|_| true).is_empty(), "{what}");
        let alone = recovers(night(&bank, AS_OF, &runs).args(["--previous", "none"]), what);
        assert_eq!(digests(&alone), first, "{what}");
    }
}

/// Every bit of a table that rules look back at counts; of a manifest only what is told by it.
#[test]
fn a_bit_flipped_in_a_previous_run_is_never_taken_for_sound() {
    let folder = scratch();
    let (bank, before, runs) = (folder.path().join("bank"), folder.path().join("before"), folder.path().join("runs"));
    copy_of_sample("mini", &bank);
    recovers(&mut night(&bank, BEFORE, &before), "nothing");
    let mut random = Random(11);
    let files = LOOKED_AT.map(|table| format!("{table}.parquet"));
    let mut unseen = 0;
    for file in files.iter().map(String::as_str).chain(["manifest.json"]) {
        for _ in 0..FLIPS {
            let path = copied(&before, &runs).join(file);
            let mut bytes = std::fs::read(&path).unwrap();
            let (at, bit) = (random.below(bytes.len()), random.below(8));
            bytes[at] ^= 1 << bit;
            std::fs::write(&path, &bytes).unwrap();
            let what = format!("bit {bit} of byte {at} of `{file}` is flipped");
            let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
            if file == "manifest.json" && outcome.exit == 0 {
                unseen += 1;
            } else {
                assert_refuses_to_go_on(&outcome, &what);
            }
            std::fs::remove_dir_all(&runs).unwrap();
        }
    }
    tell(&format!(
        "{} bits flipped in tables of a previous run, each one refused; {FLIPS} in its manifest, {unseen} of no effect",
        FLIPS * LOOKED_AT.len()
    ));
}

/// What the regulator was given before is what revisions are told against: it must be what was published.
#[test]
fn an_earlier_run_of_the_same_day_that_is_damaged_is_named() {
    let folder = scratch();
    let (bank, before, runs) = (folder.path().join("bank"), folder.path().join("before"), folder.path().join("runs"));
    copy_of_sample("mini", &bank);
    recovers(&mut night(&bank, AS_OF, &before), "nothing");
    let visits = bank.join("visits.csv");
    std::fs::write(&visits, read(&visits).replace("photo-1", "photo-9")).unwrap();
    for file in ["manifest.json", "regulator/indicators.parquet"] {
        let run = copied(&before, &runs);
        cut_off(&run.join(file));
        let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
        let expected = format!("`{file}` of the earlier vintage `{}` is damaged", run.display());
        assert_eq!((outcome.exit, message(&outcome)), (1, expected.as_str()), "{}", outcome.shown(&[]));
        std::fs::remove_dir_all(&runs).unwrap();
    }
}

/// The same inputs again find their run published already; one that is no more what was published does not count as it.
#[test]
fn the_same_night_over_a_damaged_run_of_its_own_is_told() {
    let folder = scratch();
    let (bank, before, runs) = (folder.path().join("bank"), folder.path().join("before"), folder.path().join("runs"));
    copy_of_sample("mini", &bank);
    recovers(&mut night(&bank, AS_OF, &before), "nothing");
    for file in ["household_facts.parquet", "quarantine.parquet"] {
        let run = copied(&before, &runs);
        cut_off(&run.join(file));
        let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
        let expected = format!("`{}` is published already, and is not what was published", run.display());
        assert_eq!((outcome.exit, message(&outcome)), (1, expected.as_str()), "{}", outcome.shown(&[]));
        assert!(outcome.stderr.contains(&format!("error: `{file}`")), "{}", outcome.shown(&[]));
        std::fs::rename(&run, folder.path().join("aside")).unwrap();
        recovers(&mut night(&bank, AS_OF, &runs), "the damaged run was moved away");
        make_writable(folder.path());
        std::fs::remove_dir_all(folder.path().join("aside")).unwrap();
        std::fs::remove_dir_all(&runs).unwrap();
    }
}

/// A copy of the runs in which everything may be changed; the one run in it.
fn copied(before: &Path, runs: &Path) -> std::path::PathBuf {
    copy_folder(before, runs);
    make_writable(runs);
    assert_whole(runs, "copying").latest.unwrap()
}

fn assert_refuses_to_go_on(outcome: &Outcome, what: &str) {
    let said = format!("{what}: {}", outcome.shown(&[]));
    assert_eq!(outcome.exit, 1, "{said}");
    assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("panicked"), "{said}");
    let names_run = message(outcome).contains("previous run") || message(outcome).contains("published run");
    assert!(names_run && outcome.stderr.contains("--previous none"), "{said}");
}
