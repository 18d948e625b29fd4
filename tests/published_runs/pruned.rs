//! `wellfield prune`: which runs go and which stay, with chains that are kept and broken, several vintages of a day,
//! damaged folders and a lock that another process holds; and what can still be asked of a run whose earlier run is
//! gone.

use std::fs;

use wellfield::publish;

use super::{Runs, id_of, names, tamper};
use crate::support::scratch::make_writable;

#[test]
fn a_chain_of_five_nights_stays_whole() {
    let runs = Runs::of_nights(&[26, 27, 28, 29, 30]);
    let before = runs.visible();
    insta::assert_snapshot!(runs.shown(&runs.ask("prune", &["--keep", "2"])), @"
    exit: 0
    --- stdout
    nothing was removed

    5 runs stay
      - the newest 2
      - 3 because a later one looked back at them; with `--break-chain` only what the newest 2 looked
        back at stays
    ");
    assert_eq!(runs.visible(), before);
}

#[test]
fn a_chain_is_broken_where_that_is_asked_for() {
    let runs = Runs::of_nights(&[26, 27, 28, 29, 30]);
    let before = runs.visible();
    let arguments = ["--keep", "2", "--break-chain"];
    let dry = runs.ask("prune", &[&arguments[..], &["--dry-run"]].concat());
    insta::assert_snapshot!(runs.shown(&dry), @"
    exit: 0
    --- stdout
    would be removed: 2 runs, [n] KiB
      as of       no.  run                      size
      2026-06-26    1  [run]  [n] KiB
      2026-06-27    1  [run]  [n] KiB

    3 runs stay
      - the newest 2
      - 1 because the newest 2 looked back at it
      - run [run] of 2026-06-28 loses the run that it looked back at: it can be read and
        verified, and no longer explained
    ");
    assert_eq!(runs.visible(), before);
    let done = runs.ask("prune", &arguments);
    assert_eq!(done.stdout, dry.stdout.replace("would be removed", "removed"));
    assert_eq!(runs.visible(), before[2..]);
    let days: Vec<String> = names(&runs.path()).into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(days.len(), 4, "three days and `latest.json`: {days:?}");
    insta::assert_snapshot!(runs.shown(&runs.ask("runs", &[])), @"
    exit: 0
    --- stdout
    3 published runs in `[folder]/runs`
                                             looked            house-    set
      as of       no.  run                   back at            holds  aside  audit      size
      2026-06-28    1  [run]  2026-06-27, gone       3      0  passed  [n] KiB
      2026-06-29    1  [run]  2026-06-28 no. 1       3      0  passed  [n] KiB
      2026-06-30    1  [run]  2026-06-29 no. 1       3      0  passed  [n] KiB  latest
    ");
    for run in ["2026-06-28", "2026-06-29", "2026-06-30"] {
        assert_eq!(runs.ask("verify", &[run]).exit, 0, "{run}");
    }
    assert_eq!(runs.ask("explain", &["H-1", "--run", "2026-06-29"]).exit, 0);
    insta::assert_snapshot!(runs.shown(&runs.ask("explain", &["H-1", "--run", "2026-06-28"])), @"
    exit: 1
    --- stderr
    error: run `[run]` looked back at run `[run]`, which is not in `[folder]/runs`

    hint: bring it back, or explain the day anew with `--as-of 2026-06-28`
    ");
    let again = runs.ask("prune", &arguments);
    assert!(again.stdout.starts_with("nothing was removed\n"), "{}", again.stdout);
    // The next night looks back at the newest as ever.
    runs.night(30, &["--previous", "2026-06-28"]);
}

#[test]
fn runs_that_nobody_looked_back_at_go() {
    let runs = Runs::none();
    for day in [26, 27, 28, 29, 30] {
        runs.night(day, &["--previous", "none"]);
    }
    assert_eq!(runs.ask("prune", &["--keep", "2"]).exit, 0);
    assert_eq!(runs.days(), ["2026-06-29", "2026-06-30"]);
    assert!(!runs.path().join("2026-06-28").exists(), "an empty day goes too");
    let told: serde_json::Value = serde_json::from_str(&runs.ask("prune", &["--keep", "1", "--json"]).stdout).unwrap();
    assert_eq!(told["removed"][0]["as_of"].as_str(), Some("2026-06-29"));
    assert_eq!(told["kept"][0]["because"].as_str(), Some("newest"));
    assert_eq!(runs.days(), ["2026-06-30"]);
    assert_eq!(runs.ask("prune", &["--keep", "0"]).exit, 2);
}

#[test]
fn the_vintage_published_last_stays() {
    let runs = Runs::of_nights(&[29]);
    let first = runs.night(30, &[]);
    let second = runs.night(30, &["--previous", "none"]);
    assert_eq!(runs.ask("prune", &["--keep", "1"]).exit, 0);
    // Nobody looked back at the first vintage, and the one that did look back at the day before is gone.
    assert_eq!(runs.visible(), [format!("2026-06-30/{}", id_of(&second))]);
    let again = runs.night(30, &["--previous", "none"]);
    assert_eq!((again, first.exists()), (second, false));
}

#[test]
fn a_damaged_folder_is_left_as_it_is() {
    let runs = Runs::none();
    for day in [28, 29, 30] {
        runs.night(day, &["--previous", "none"]);
    }
    let damaged = runs.path().join(&runs.visible()[0]);
    tamper(&damaged.join("manifest.json"), |_| Vec::new());
    insta::assert_snapshot!(runs.shown(&runs.ask("prune", &["--keep", "1"])), @"
    exit: 0
    --- stdout
    removed: 1 run, [n] KiB
      as of       no.  run                      size
      2026-06-29    1  [run]  [n] KiB

    1 run stays
      - the newest
      - `2026-06-28/[run]` is damaged and is left as it is: `manifest.json` is not one:
        EOF while parsing a value at line 1 column 0
    ");
    assert_eq!(runs.days(), ["2026-06-28", "2026-06-30"]);
}

#[test]
fn the_run_that_latest_points_to_stays() {
    let runs = Runs::none();
    for day in [28, 29, 30] {
        runs.night(day, &["--previous", "none"]);
    }
    let pointer = runs.path().join("latest.json");
    let visible = runs.visible();
    let text = fs::read_to_string(&pointer).unwrap();
    fs::write(&pointer, text.replace(&visible[2], &visible[0])).unwrap();
    insta::assert_snapshot!(runs.shown(&runs.ask("prune", &["--keep", "1", "--break-chain"])), @"
    exit: 0
    --- stdout
    removed: 1 run, [n] KiB
      as of       no.  run                      size
      2026-06-29    1  [run]  [n] KiB

    2 runs stay
      - the newest
      - 1 because `latest.json` points to it
    ");
    assert_eq!(runs.days(), ["2026-06-28", "2026-06-30"]);
}

#[test]
fn nothing_is_removed_while_another_run_is_written() {
    let runs = Runs::none();
    for day in [29, 30] {
        runs.night(day, &["--previous", "none"]);
    }
    let lock = publish::lock(&runs.path()).unwrap();
    let outcome = runs.ask("prune", &["--keep", "1"]);
    assert_eq!(outcome.exit, 1, "{}", runs.shown(&outcome));
    assert!(outcome.stderr.contains("another run is writing to"), "{}", outcome.stderr);
    assert_eq!(runs.ask("prune", &["--keep", "1", "--dry-run"]).exit, 0, "looking needs no lock");
    assert_eq!(runs.days(), ["2026-06-29", "2026-06-30"]);
    drop(lock);
    assert_eq!(runs.ask("prune", &["--keep", "1"]).exit, 0);
    assert_eq!(runs.days(), ["2026-06-30"]);
}

/// A removal that is killed after its rename leaves a hidden folder, which the next one takes away.
#[test]
fn a_removal_that_was_killed_is_finished_by_the_next() {
    let runs = Runs::none();
    for day in [29, 30] {
        runs.night(day, &["--previous", "none"]);
    }
    let run = runs.path().join(&runs.visible()[0]);
    make_writable(run.parent().unwrap());
    fs::rename(&run, run.with_file_name(format!(".wellfield-{}-removed", id_of(&run)))).unwrap();
    assert!(runs.ask("runs", &[]).stdout.contains("1 hidden folder or file"));
    assert_eq!(runs.ask("prune", &["--keep", "1"]).exit, 0);
    assert!(!runs.path().join("2026-06-29").exists());
    assert!(!runs.ask("runs", &[]).stdout.contains("hidden"));
}

#[test]
fn nothing_is_published_to_be_removed() {
    let runs = Runs::none();
    insta::assert_snapshot!(runs.shown(&runs.ask("prune", &["--keep", "3"])), @"
    exit: 0
    --- stdout
    nothing was removed

    no run is published
    ");
    assert!(!runs.path().exists(), "looking creates nothing");
}
