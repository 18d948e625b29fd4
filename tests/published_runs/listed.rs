//! `wellfield runs`: what is listed of runs that looked back at one another, of several of one as-of date, of damaged
//! folders, and of nothing.

use std::fs;

use super::{Runs, tamper};
use crate::support::repository;
use crate::support::scratch::make_writable;

#[test]
fn nothing_is_published_yet() {
    let runs = Runs::none();
    insta::assert_snapshot!(runs.shown(&runs.ask("runs", &[])), @"
    exit: 0
    --- stdout
    no run is published in `[folder]/runs` yet
    ");
    let told: serde_json::Value = serde_json::from_str(&runs.ask("runs", &["--json"]).stdout).unwrap();
    assert_eq!(told, serde_json::json!({ "runs": [], "damaged": [], "latest": null, "leftovers": 0 }));
    assert!(!runs.path().exists(), "looking creates nothing");
}

#[test]
fn runs_are_listed_oldest_first() {
    let runs = Runs::of_nights(&[29, 28]);
    runs.night(30, &[]);
    runs.night(30, &["--previous", "2026-06-28"]);
    let twin = repository().join("sample-data/bad/too_many_set_aside");
    runs.night_of(&twin, 30, &["--previous", "none", "--allow-quarantine", "all"]);
    insta::assert_snapshot!(runs.shown(&runs.ask("runs", &[])), @"
    exit: 0
    --- stdout
    5 published runs in `[folder]/runs`
                                             looked            house-    set
      as of       no.  run                   back at            holds  aside  audit         size
      2026-06-28    1  [run]  –                      3      0  passed     [n] KiB
      2026-06-29    1  [run]  –                      3      0  passed     [n] KiB
      2026-06-30    1  [run]  2026-06-29 no. 1       3      0  passed     [n] KiB
      2026-06-30    2  [run]  2026-06-28 no. 1       3      0  passed     [n] KiB
      2026-06-30    3  [run]  –                      3     11  1 allowed  [n] KiB  latest
    ");
    let told: serde_json::Value = serde_json::from_str(&runs.ask("runs", &["--json"]).stdout).unwrap();
    let last = &told["runs"][4];
    assert_eq!((last["as_of"].as_str(), last["sequence"].as_u64()), (Some("2026-06-30"), Some(3)));
    assert_eq!((last["households"].as_u64(), last["rows_set_aside"].as_u64()), (Some(3), Some(11)));
    assert_eq!((last["checks_allowed"].as_u64(), last["checks_failed"].as_u64()), (Some(1), Some(0)));
    assert_eq!(told["latest"]["run_id"], last["run_id"]);
}

#[test]
fn what_is_damaged_gone_or_left_behind_is_said() {
    let runs = Runs::of_nights(&[27, 28, 29, 30]);
    make_writable(&runs.path());
    let visible = runs.visible();
    fs::remove_dir_all(runs.path().join(&visible[0])).unwrap();
    tamper(&runs.path().join(&visible[3]).join("manifest.json"), |_| Vec::new());
    fs::create_dir(runs.path().join("2026-06-29/empty")).unwrap();
    fs::create_dir(runs.path().join("2026-06-29/.wellfield-half")).unwrap();
    insta::assert_snapshot!(runs.shown(&runs.ask("runs", &[])), @"
    exit: 0
    --- stdout
    2 published runs in `[folder]/runs`
                                             looked            house-    set
      as of       no.  run                   back at            holds  aside  audit      size
      2026-06-28    1  [run]  2026-06-27, gone       3      0  passed  [n] KiB
      2026-06-29    1  [run]  2026-06-28 no. 1       3      0  passed  [n] KiB

    2 damaged folders
      - `2026-06-29/empty`: `manifest.json` cannot be read: No such file or directory (os error 2)
      - `2026-06-30/[run]`: `manifest.json` is not one: EOF while parsing a value at line
        1 column 0

    remarks
      - `latest.json` points to `2026-06-30/[run]`, and no run can be read there
      - 1 hidden folder or file of a run that is being written or was killed; the next night removes
        what was left behind
    ");
}
