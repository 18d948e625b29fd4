//! `wellfield verify` of runs that somebody or something changed: each change is told with the file, what was
//! expected and what was found. What it cannot notice is said here too: words of the manifest that nothing follows
//! from.

use std::path::{Path, PathBuf};

use super::{Runs, edit_manifest, id_of, names, tamper};
use crate::support::program::Outcome;
use crate::support::scratch::make_writable;

const TABLE: &str = "household_grades.parquet";

fn published() -> (Runs, PathBuf) {
    let runs = Runs::none();
    let run = runs.night(30, &[]);
    (runs, run)
}

/// The run after something was done to it.
fn verified(change: impl FnOnce(&Path)) -> (Runs, Outcome) {
    let (runs, run) = published();
    change(&run);
    let outcome = runs.ask("verify", &["latest"]);
    (runs, outcome)
}

#[test]
fn a_run_that_nobody_touched_is_as_its_manifest_says() {
    let (runs, run) = published();
    let files = std::fs::read_dir(run.join("regulator")).unwrap().count()
        + names(&run).iter().filter(|name| name.ends_with(".parquet")).count();
    let outcome = runs.ask("verify", &["2026-06-30"]);
    assert!(outcome.stdout.contains(&format!(": {files} files, ")), "{files}: {}", outcome.stdout);
    insta::assert_snapshot!(runs.shown(&outcome).replace(&files.to_string(), "[n]"), @"
    exit: 0
    --- stdout
    run [run] of 2026-06-30: [n] files, [n] bytes: all as the manifest says
    ");
    for name in [id_of(&run).as_str(), "latest", run.to_str().unwrap()] {
        assert_eq!(runs.ask("verify", &[name]).stdout, outcome.stdout, "{name}");
    }
}

#[test]
fn a_bit_flip_is_noticed_in_every_file() {
    let (runs, run) = published();
    make_writable(&run);
    let regulator = names(&run.join("regulator")).into_iter().map(|name| format!("regulator/{name}"));
    for path in names(&run).into_iter().filter(|name| name.ends_with(".parquet")).chain(regulator) {
        let before = std::fs::read(run.join(&path)).unwrap();
        let mut flipped = before.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        std::fs::write(run.join(&path), flipped).unwrap();
        let outcome = runs.ask("verify", &["latest"]);
        assert_eq!(outcome.exit, 1, "{path}");
        assert!(outcome.stderr.contains(&format!("error: `{path}` has the digest ")), "{path}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{path}: {}", outcome.stderr);
        std::fs::write(run.join(&path), before).unwrap();
    }
    assert_eq!(runs.ask("verify", &["latest"]).exit, 0);
}

#[test]
fn all_faults_are_told_at_once() {
    let (runs, outcome) = verified(|run| {
        tamper(&run.join(TABLE), |mut bytes| {
            bytes[100] ^= 1;
            bytes
        });
        tamper(&run.join("grant_limits.parquet"), |bytes| bytes[..bytes.len() / 2].to_vec());
        std::fs::remove_file(run.join("quarantine.parquet")).unwrap();
        std::fs::write(run.join("notes.txt"), "seen").unwrap();
    });
    insta::assert_snapshot!(runs.shown(&outcome), @"
    exit: 1
    --- stderr
    error: `grant_limits.parquet` has [n] bytes, and [n] bytes by `manifest.json`

    hint: restore it from a backup; or move the run's folder away, and publish the night again with the same inputs

    error: `household_grades.parquet` has the digest [digest], and [digest] by `manifest.json`

    hint: restore it from a backup; or move the run's folder away, and publish the night again with the same inputs

    error: `quarantine.parquet` is missing; `manifest.json` lists it with [n] bytes

    hint: restore it from a backup; or move the run's folder away, and publish the night again with the same inputs

    error: `notes.txt` is in the run's folder, and `manifest.json` does not list it

    hint: nothing is added to a published run; move the file elsewhere
    ");
}

#[test]
fn rows_that_the_manifest_counts_otherwise_are_noticed() {
    let (runs, outcome) = verified(|run| {
        edit_manifest(
            run,
            "\"household_grades\": {\n      \"rows\": 3,",
            "\"household_grades\": {\n      \"rows\": 4,",
        );
        edit_manifest(run, "\"rows\": 3,\n          \"bytes\"", "\"rows\": 4,\n          \"bytes\"");
    });
    insta::assert_snapshot!(runs.shown(&outcome), @"
    exit: 1
    --- stderr
    error: `grant_limits.parquet` has 3 rows, and 4 by `manifest.json`

    hint: `manifest.json` was changed after the run was published; restore it from a backup

    error: table `grant_limits` has 3 rows by `manifest.json`, and the files that it lists have 4

    hint: `manifest.json` was changed after the run was published; restore it from a backup

    error: table `household_grades` has 4 rows by `manifest.json`, and the files that it lists have 3

    hint: `manifest.json` was changed after the run was published; restore it from a backup
    ");
}

#[test]
fn words_of_the_manifest_that_cannot_be_true_are_noticed() {
    let passed = |run: &Path| edit_manifest(run, "\"passed\": true", "\"passed\": false");
    let counts = |run: &Path| edit_manifest(run, "\"accepted\": 3", "\"accepted\": 2");
    let key = |run: &Path| edit_manifest(run, "\"sequence\": 1,", "\"sequence\": 1, \"signed_by\": \"nobody\",");
    let input = |run: &Path| edit_manifest(run, "\"path\": \"visits.csv\"", "\"path\": \"other.csv\"");
    let rules =
        |run: &Path| edit_manifest(run, "\"rulebook\": {\n    \"digest\": \"", "\"rulebook\": {\n    \"digest\": \"0");
    let mut shown = String::new();
    for change in [&passed as &dyn Fn(&Path), &counts, &key, &input, &rules] {
        let (runs, outcome) = verified(change);
        assert_eq!(outcome.exit, 1, "{}", runs.shown(&outcome));
        shown.push_str(&format!("{}\n\n", runs.shown(&outcome)));
    }
    insta::assert_snapshot!(shown, @"
    exit: 1
    --- stderr
    error: `manifest.json` contradicts itself: check `set_aside_share` of `account_months` failed and was not allowed

    hint: it was changed after the run was published; restore it from a backup

    exit: 1
    --- stderr
    error: `manifest.json` contradicts itself: `households` has 3 rows read, but 2 accepted, 0 set aside and 0 not yet known

    hint: it was changed after the run was published; restore it from a backup

    exit: 1
    --- stderr
    error: `manifest.json` does not have the keys that a run of this version has
    caused by: unknown field `signed_by`, expected one of `run_id`, `as_of`, `program_version`, `sequence`, `bank`, `bank_digest`, `rulebook`, `definitions`, `previous_run`, `inputs`, `tables`, `outputs`, `regulator`, `stages`, `audit`, `remarks` at line 5 column 28

    hint: it was changed after the run was published; restore it from a backup

    exit: 1
    --- stderr
    error: `manifest.json` names the run `[run]`, and by the inputs and rules that it lists the id is `[run]`

    hint: `manifest.json` was changed after the run was published; restore it from a backup

    exit: 1
    --- stderr
    error: `manifest.json` names the run `[run]`, and by the inputs and rules that it lists the id is `[run]`

    hint: `manifest.json` was changed after the run was published; restore it from a backup
    ");
}

/// Nothing follows from the words of an audit, and no digest covers them: a file that only its owner's group can
/// write is what keeps them as they are.
#[test]
fn other_words_of_the_manifest_can_be_changed_unnoticed() {
    let (_, outcome) = verified(|run| edit_manifest(run, "\"detail\": \"", "\"detail\": \"looked at twice; "));
    assert_eq!(outcome.exit, 0);
}

#[test]
fn swapped_folders_are_noticed() {
    let runs = Runs::of_nights(&[29, 30]);
    let [one, other] = [29, 30].map(|day| runs.path().join(format!("2026-06-{day}")));
    let (first, second) = (one.join(&names(&one)[0]), other.join(&names(&other)[0]));
    make_writable(&runs.path());
    std::fs::rename(&first, one.join("aside")).unwrap();
    std::fs::rename(&second, &first).unwrap();
    std::fs::rename(one.join("aside"), &second).unwrap();
    let outcome = runs.ask("verify", &["2026-06-30"]);
    insta::assert_snapshot!(runs.shown(&outcome), @"
    exit: 1
    --- stderr
    error: the run's folder is named `[run]`, and by `manifest.json` it is `[run]`

    hint: two folders may have been swapped; give each the place that its manifest names

    error: the run's folder above it is named `2026-06-29`, and by `manifest.json` it is `2026-06-30`

    hint: two folders may have been swapped; give each the place that its manifest names
    ");
    insta::assert_snapshot!(runs.shown(&runs.ask("runs", &[])), @"
    exit: 0
    --- stdout
    no run in `[folder]/runs` can be read

    2 damaged folders
      - `2026-06-29/[run]`: its manifest is that of run `[run]` of
        2026-06-30
      - `2026-06-30/[run]`: its manifest is that of run `[run]` of
        2026-06-29

    remarks
      - `latest.json` points to `2026-06-30/[run]`, and no run can be read there
    ");
}

#[test]
fn a_latest_that_points_to_nothing_is_noticed() {
    let runs = Runs::of_nights(&[29, 30]);
    make_writable(&runs.path());
    std::fs::remove_dir_all(runs.path().join("2026-06-30")).unwrap();
    insta::assert_snapshot!(runs.shown(&runs.ask("verify", &["2026-06-29"])), @"
    exit: 1
    --- stderr
    error: `latest.json` points to `2026-06-30/[run]`, and no run is there

    hint: restore that run from a backup, or publish it again with the same inputs
    ");
}

#[test]
fn a_run_that_cannot_be_opened_is_told_as_damaged() {
    let (runs, run) = published();
    tamper(&run.join("manifest.json"), |_| Vec::new());
    for name in ["2026-06-30", &id_of(&run), run.to_str().unwrap()] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(runs.shown(&runs.ask("verify", &[name])), @"
            exit: 1
            --- stderr
            error: the published run `[folder]/runs/2026-06-30/[run]` is damaged
            caused by: EOF while parsing a value at line 1 column 0

            hint: restore it from a backup or move its folder away; `--previous none` starts over without it
            ");
        }
    }
    let outcome = runs.ask("verify", &["2026-06-29"]);
    assert_eq!(outcome.exit, 1);
    assert!(outcome.stderr.contains("there is no published run `2026-06-29`"), "{}", outcome.stderr);
}

#[test]
fn a_table_of_parts_is_verified_file_by_file() {
    let (_, outcome) = verified(|run| {
        make_writable(run);
        std::fs::create_dir(run.join("household_grades")).unwrap();
        std::fs::rename(run.join(TABLE), run.join("household_grades/part-0000.parquet")).unwrap();
        edit_manifest(
            run,
            "\"path\": \"household_grades.parquet\"",
            "\"path\": \"household_grades/part-0000.parquet\"",
        );
    });
    assert_eq!(outcome.exit, 0, "{}", outcome.stderr);
}

#[test]
fn a_path_out_of_the_folder_is_no_file_of_the_run() {
    let (_, outcome) = verified(|run| {
        edit_manifest(run, "\"path\": \"household_grades.parquet\"", "\"path\": \"../household_grades.parquet\"")
    });
    assert_eq!(outcome.exit, 1);
    assert!(outcome.stderr.contains("`../household_grades.parquet`, which is no path in a run"), "{}", outcome.stderr);
}

#[test]
fn the_json_holds_the_faults() {
    let (runs, run) = published();
    make_writable(&run);
    std::fs::remove_file(run.join(TABLE)).unwrap();
    let outcome = runs.ask("verify", &["latest", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(outcome.exit, 1);
    assert_eq!((told["as_of"].as_str(), told["faults"].as_array().unwrap().len()), (Some("2026-06-30"), 1));
    assert!(
        told["faults"][0]["message"].as_str().unwrap().starts_with("`household_grades.parquet` is missing"),
        "{told}"
    );
}
