//! The command line as a user and a scheduler see it: exit code, stdout and stderr of each verb in one snapshot, with
//! seconds, run ids and temporary folders replaced. What the published tables hold is looked at in `nights` and `cases`.

mod indicators;

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::support::bank::BankBuilder;
use crate::support::program::{self, Outcome, wellfield};
use crate::support::published::{self, TABLES};
use crate::support::scratch::{Scratch, scratch};
use crate::support::{files_below, read};

const AS_OF: &str = "2026-06-30";
const HEAD_NAME: &str = "张守密";
const ID_NUMBER: &str = "430100197001010000";

/// A bank in a folder of its own.
struct TestBank {
    folder: Scratch,
}

impl TestBank {
    /// One household with a profile and a visit, one without anything.
    fn small() -> TestBank {
        TestBank::with(|bank| {
            bank.add("households", &[("household_id", "H2")]).add("profiles", &[]).add("visits", &[]);
        })
    }

    /// Twelve visits of which eleven are to nobody: more than 1 % and more than 10 rows to set aside.
    fn with_too_many_faults() -> TestBank {
        TestBank::with(|bank| {
            bank.add("visits", &[]);
            for number in 0..11 {
                bank.add("visits", &[("visit_id", &format!("V{number}")), ("household_id", "nobody")]);
            }
        })
    }

    /// Three grids: one served, one that only a backup serves, one without households.
    fn with_grids() -> TestBank {
        TestBank::with(|bank| {
            bank.add("grids", &[("grid_id", "G2"), ("name", "Brook grid")]).add("grids", &[("grid_id", "G3")]);
            for (officer, grid, duty) in [("O2", "G2", "backup"), ("O3", "G3", "primary")] {
                bank.add("officers", &[("officer_id", officer)]);
                bank.add("assignments", &[("officer_id", officer), ("grid_id", grid), ("duty", duty)]);
            }
            bank.add("households", &[("household_id", "H2"), ("care_category", "living_alone")]);
            bank.add("households", &[("household_id", "H3"), ("grid_id", "G2"), ("kind", "merchant")]);
            bank.add("profiles", &[]).add("visits", &[]);
            let patrol = [("visit_id", "V2"), ("grid_id", "G2"), ("household_id", ""), ("officer_id", "O2")];
            let urgent =
                [("issue_level", "urgent"), ("started_at", "2026-04-02T09:00"), ("ended_at", "2026-04-02T09:30")];
            bank.add("visits", &[&patrol[..], &urgent, &[("recorded_at", "2026-04-02T18:00")]].concat());
        })
    }

    /// A verb that reads a published run.
    fn ask(&self, verb: &str, arguments: &[&str]) -> Outcome {
        program::run(wellfield().arg(verb).arg(self.path()).args(arguments))
    }

    fn with(fill: impl Fn(&mut BankBuilder)) -> TestBank {
        let folder = scratch();
        let mut bank = BankBuilder::with_register();
        fill(&mut bank);
        bank.leave_out_empty();
        bank.write(&folder.path().join("bank"), None);
        TestBank { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bank")
    }

    fn runs(&self) -> PathBuf {
        self.path().join("runs")
    }

    fn nightly(&self, arguments: &[&str]) -> Outcome {
        program::nightly(&self.path(), AS_OF, arguments)
    }

    fn shown(&self, outcome: &Outcome) -> String {
        outcome.shown(&[(self.path().to_str().unwrap(), "[bank]")])
    }
}

fn shown(arguments: &[&str]) -> String {
    program::run(wellfield().args(arguments)).shown(&[])
}

#[test]
fn help_names_the_verbs_and_the_exit_codes() {
    insta::assert_snapshot!(shown(&["--help"]), @"
    exit: 0
    --- stdout
    A bank's grid ledgers in, household credit grades with reasons and grant limits out, every night the same way

    Usage: wellfield <COMMAND>

    Commands:
      nightly     Rate every household of a bank and publish the run
      check       Check contracts, adapters and rulebook: every fault at once, nothing computed
      explain     Explain one household: facts, points, reasons, limit, decision, and what would raise its grade
      coverage    Print how far the bank, a branch or an area is covered: targets, gaps, duties that were not done
      indicators  Print the indicators of the bank, a branch, an area or every area of a level, and their trend
      worklist    Print what an officer has to do next, household by household
      compare     Tell what moved between two runs and why, or what another rulebook would do to tonight's run
      verify      Check every file of a published run against its manifest
      runs        List the published runs: as-of date, households, rows set aside, audit
      prune       Remove old published runs
      rule        Print what a name means: a fact, veto, flag, partition fault, quarantine rule, indicator, policy, table, column
      generate    Make a synthetic bank of any size, the same bytes for the same seed
      help        Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Exit codes:
      0  done, or already done: the same inputs and rules give the same run
      1  could not run: disk, lock, file, a damaged earlier run
      2  wrong usage
      3  inputs or rulebook refused; nothing was written
      4  ran, but the audit failed; nothing was published
    ");
}

#[test]
fn help_of_a_night_names_every_option() {
    insta::assert_snapshot!(shown(&["nightly", "--help"]), @"
    exit: 0
    --- stdout
    Rate every household of a bank and publish the run

    Usage: wellfield nightly [OPTIONS] --as-of <DATE> [BANK]

    Arguments:
      [BANK]  Folder with the bank's `bank.toml` [default: .]

    Options:
          --as-of <DATE>              The day as of which the bank is rated
          --out <DIR>                 Where runs are published [default: `runs` in the bank's folder]
          --previous <RUN|none>       The earlier run to look back at: a run id, an as-of date, `latest`, a run folder, or `none` [default: the newest published one with an earlier as-of date]
          --threads <N>               Threads to compute with [default: one for each processor]
          --memory-max <SIZE>         Cut the run so that it keeps within this memory, for example `4GiB`; it stops, with nothing published, where it cannot [default: cut by the memory of the machine, and never stopped]
          --allow-quarantine <TABLE>  Publish although more rows of this table than the rulebook allows are set aside; `all` for every table
          --allow-change <TABLE>      Publish although the rows of this table fell or rose more against the run before than the rulebook allows; `all` for every table
          --allow-stale <TABLE>       Publish although the newest row of this table is older than the rulebook allows; `all` for every table
          --rulebook <DIR>            Rate by the policy files of this folder instead of the bank's own rulebook
          --log <LOG>                 How progress is told on stderr [default: text] [possible values: text, json]
          --metrics <FILE>            Write what the night cost and found to this file, as Prometheus reads it
          --lineage <FILE>            Write the night's OpenLineage events to this file too, whether it ended well or not
      -h, --help                      Print help

    Exit codes:
      0  done, or already done: the same inputs and rules give the same run
      1  could not run: disk, lock, file, a damaged earlier run
      2  wrong usage
      3  inputs or rulebook refused; nothing was written
      4  ran, but the audit failed; nothing was published
    ");
}

#[test]
fn a_night_prints_one_line_per_stage_and_the_folder_last() {
    let bank = TestBank::small();
    insta::assert_snapshot!(bank.shown(&bank.nightly(&[])), @"
    exit: 0
    --- stdout
    [bank]/runs/2026-06-30/[run]
    --- stderr
    clean                 9 rows [seconds] s
    run [run]
    visits                1 rows [seconds] s
    facts                 2 rows [seconds] s
    score                 2 rows [seconds] s
    grade                 2 rows [seconds] s
    limit                 2 rows [seconds] s
    coverage              1 rows [seconds] s
    distances             2 rows [seconds] s
    indicators          193 rows [seconds] s
    disclosure          193 rows [seconds] s
    regulator           193 rows [seconds] s
    outputs             248 rows [seconds] s
    audit                58 rows [seconds] s
    publish             248 rows [seconds] s
    ");
}

#[test]
fn the_same_night_again_says_so() {
    let bank = TestBank::small();
    assert_eq!(bank.nightly(&[]).exit, 0);
    insta::assert_snapshot!(bank.shown(&bank.nightly(&[])), @"
    exit: 0
    --- stdout
    [bank]/runs/2026-06-30/[run]
    --- stderr
    clean                 9 rows [seconds] s
    run [run]
    note: already published: the same inputs and rules gave this run before
    ");
}

#[test]
fn a_night_after_another_looks_back_at_it() {
    let bank = TestBank::small();
    assert_eq!(program::nightly(&bank.path(), "2026-06-29", &[]).exit, 0);
    let run = program::published_night(&bank.path(), AS_OF, &[]);
    let manifest: serde_json::Value = serde_json::from_str(&read(&run.join("manifest.json"))).unwrap();
    assert_eq!(manifest["previous_run"]["as_of"], "2026-06-29");
    let alone = program::published_night(&bank.path(), AS_OF, &["--previous", "none"]);
    let manifest: serde_json::Value = serde_json::from_str(&read(&alone.join("manifest.json"))).unwrap();
    assert!(manifest["previous_run"].is_null());
    assert_eq!(manifest["sequence"], 2);
    assert_ne!(run, alone);
}

#[test]
fn check_tells_what_the_tables_hold_and_what_is_set_aside() {
    let bank = TestBank::with(|bank| {
        bank.add("visits", &[]).add("visits", &[("visit_id", "V2"), ("channel", "fax")]);
        bank.add("visits", &[("visit_id", "V3"), ("started_at", "2026-06-15T09:00"), ("ended_at", "2026-06-15T08:00")]);
    });
    let outcome = program::run(wellfield().arg("check").arg(bank.path()));
    insta::assert_snapshot!(bank.shown(&outcome), @"
    exit: 0
    --- stdout
    table                    read     accepted    set aside  not yet known
    areas                       1            1            0              0
    branches                    1            1            0              0
    grids                       1            1            0              0
    officers                    1            1            0              0
    assignments                 1            1            0              0
    households                  1            1            0              0
    profiles                 none
    visits                      3            1            2              0
    accounts                 none
    account_months           none
    loans                    none
    loan_months              none
    instalments              none
    outside_debts            none
    conduct_events           none
    peer_reviews             none
    watchlist                none
    service_points           none
    decisions                none

    1 row of `visits` set aside by `date_order`:
      visits.csv row 3 key `V3`: `ended_at` is `2026-06-15T08:00`, too early against `started_at` `2026-06-15T09:00`

    1 row of `visits` set aside by `word`:
      visits.csv row 2 key `V2`: `channel` is `fax`; its words are onsite, phone, online
    ");
}

#[test]
fn check_answers_machines() {
    let bank = TestBank::with_too_many_faults();
    let outcome = program::run(wellfield().arg("check").arg(bank.path()).arg("--json"));
    assert_eq!(outcome.exit, 0, "{}", bank.shown(&outcome));
    let answer: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(answer["tables"]["visits"]["set_aside"], 11);
    assert_eq!(answer["set_aside"].as_array().unwrap().len(), 11);
    assert_eq!(answer["set_aside"][0]["rule"], "reference");
}

#[test]
fn wrong_usage_is_exit_2() {
    insta::assert_snapshot!(shown(&["nightly", "sample-data/mini"]), @"
    exit: 2
    --- stderr
    error: the following required arguments were not provided:
      --as-of <DATE>

    Usage: wellfield nightly --as-of <DATE> <BANK>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(shown(&["nightly", "sample-data/mini", "--as-of", "30.6.2026"]), @"
    exit: 2
    --- stderr
    error: invalid value '30.6.2026' for '--as-of <DATE>': a date is written YYYY-MM-DD, for example 2026-06-30

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(shown(&["nightly", "sample-data/mini", "--as-of", AS_OF, "--threads", "0"]), @"
    exit: 2
    --- stderr
    error: invalid value '0' for '--threads <N>': 0 is not in 1..=65535

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(shown(&["nightli"]), @"
    exit: 2
    --- stderr
    error: unrecognized subcommand 'nightli'

      tip: a similar subcommand exists: 'nightly'

    Usage: wellfield <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_table_to_allow_is_wrong_usage() {
    let arguments = ["nightly", "sample-data/mini", "--as-of", AS_OF, "--allow-quarantine", "vists"];
    insta::assert_snapshot!(shown(&arguments), @"
    exit: 2
    --- stderr
    error: invalid value 'vists' for '--allow-quarantine <TABLE>': did you mean `visits`?

    For more information, try '--help'.
    ");
}

#[test]
fn a_folder_that_is_no_bank() {
    insta::assert_snapshot!(shown(&["nightly", "sample-data/nowhere", "--as-of", AS_OF]), @"
    exit: 1
    --- stderr
    error: `sample-data/nowhere` is no bank: its `bank.toml` cannot be read
    caused by: No such file or directory (os error 2)

    hint: name a folder that holds a `bank.toml`, or start there
    ");
}

#[test]
fn a_day_before_every_rule() {
    let bank = TestBank::small();
    let outcome = program::nightly(&bank.path(), "1989-12-31", &[]);
    assert_eq!(outcome.exit, 3, "{}", bank.shown(&outcome));
    assert!(outcome.stderr.contains("no version is in force on 1989-12-31"), "{}", outcome.stderr);
}

#[test]
fn too_many_rows_set_aside_fail_the_audit() {
    let bank = TestBank::with_too_many_faults();
    insta::assert_snapshot!(bank.shown(&bank.nightly(&[])), @"
    exit: 4
    --- stderr
    clean                18 rows [seconds] s
    run [run]
    visits                1 rows [seconds] s
    facts                 1 rows [seconds] s
    score                 1 rows [seconds] s
    grade                 1 rows [seconds] s
    limit                 1 rows [seconds] s
    coverage              1 rows [seconds] s
    distances             1 rows [seconds] s
    indicators          193 rows [seconds] s
    disclosure          193 rows [seconds] s
    regulator           193 rows [seconds] s
    outputs             240 rows [seconds] s
    audit                56 rows [seconds] s
    error: audit `set_aside_share` of table `visits` failed: 11 of 12 rows set aside; more than 1 % of them and more than 10 rows are too many

    hint: mend the export, see what was set aside with `wellfield check`, or publish all the same with `--allow-quarantine visits`
    ");
    assert_eq!(visible_runs(&bank.runs()), Vec::<PathBuf>::new(), "nothing is published");
    let allowed = bank.nightly(&["--allow-quarantine", "visits"]);
    assert_eq!(allowed.exit, 0, "{}", bank.shown(&allowed));
    assert_eq!(bank.nightly(&["--allow-quarantine", "all"]).exit, 0);
}

fn visible_runs(runs: &Path) -> Vec<PathBuf> {
    if runs.is_dir() { files_below(runs, &|_| true) } else { Vec::new() }
}

#[test]
fn ten_rows_are_not_too_many() {
    let bank = TestBank::with(|bank| {
        bank.add("visits", &[]);
        for number in 0..10 {
            bank.add("visits", &[("visit_id", &format!("V{number}")), ("household_id", "nobody")]);
        }
    });
    assert_eq!(bank.nightly(&[]).exit, 0, "more than 10 rows are too many, 10 are not");
}

#[test]
fn one_in_a_hundred_is_not_too_many() {
    let visits = |bank: &mut BankBuilder, sound: u32| {
        for number in 0..sound {
            bank.add("visits", &[("visit_id", &format!("S{number}"))]);
        }
        for number in 0..11 {
            bank.add("visits", &[("visit_id", &format!("V{number}")), ("household_id", "nobody")]);
        }
    };
    let exact = TestBank::with(|bank| visits(bank, 1089));
    assert_eq!(exact.nightly(&[]).exit, 0, "11 of 1,100 are 1 %, not more");
    let above = TestBank::with(|bank| visits(bank, 1088));
    assert_eq!(above.nightly(&[]).exit, 4, "11 of 1,099 are more than 1 %");
}

#[test]
fn unsound_decisions_never_count_towards_the_audit() {
    let bank = TestBank::with(|bank| {
        for number in 0..20 {
            bank.add("decisions", &[("decision_id", &format!("D{number}")), ("action", "decline"), ("reason", "")]);
        }
    });
    let run = program::published_night(&bank.path(), AS_OF, &[]);
    assert_eq!(published::table(&run, "quarantine").rows.len(), 20);
}

#[test]
fn log_lines_are_json_for_machines() {
    let bank = TestBank::small();
    let outcome = bank.nightly(&["--log", "json"]);
    assert_eq!(outcome.exit, 0, "{}", bank.shown(&outcome));
    let lines: Vec<serde_json::Value> =
        outcome.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let ended = lines.iter().filter(|line| line["event"] == "stage");
    let stages: Vec<&str> = ended.filter_map(|line| line["stage"].as_str()).collect();
    assert_eq!(stages, wellfield::watch::STAGES);
    let run_id = Path::new(outcome.stdout.trim()).file_name().unwrap().to_str().unwrap();
    assert_eq!(lines.last().unwrap()["run_id"], run_id);
}

#[test]
fn a_refusal_is_json_or_not_but_never_on_stdout() {
    let outcome = program::nightly(Path::new("sample-data/bad/missing_column"), AS_OF, &["--log", "json"]);
    assert_eq!((outcome.exit, outcome.stdout.as_str()), (3, ""));
    assert!(outcome.stderr.contains("started_at"));
}

#[test]
fn a_damaged_earlier_run_is_said() {
    let bank = TestBank::small();
    let earlier = program::published_night(&bank.path(), "2026-06-29", &[]);
    std::fs::write(earlier.join("manifest.json"), "{ \"run_id\": ").unwrap();
    insta::assert_snapshot!(bank.shown(&bank.nightly(&[])), @"
    exit: 1
    --- stderr
    clean                 9 rows [seconds] s
    error: the published run `[bank]/runs/2026-06-29/[run]` is damaged
    caused by: EOF while parsing a value at line 1 column 12

    hint: restore it from a backup or move its folder away; `--previous none` starts over without it
    ");
    let told_so = bank.nightly(&["--previous", "none"]);
    assert_eq!(told_so.exit, 0, "it goes on as a first run when told so:\n{}", bank.shown(&told_so));
}

#[test]
fn an_earlier_table_that_is_cut_off_is_said() {
    let bank = TestBank::small();
    let earlier = program::published_night(&bank.path(), "2026-06-29", &[]);
    let table = earlier.join("household_grades.parquet");
    let bytes = std::fs::read(&table).unwrap();
    std::fs::write(&table, &bytes[..bytes.len() / 2]).unwrap();
    let outcome = bank.nightly(&[]);
    assert_eq!(outcome.exit, 1, "{}", bank.shown(&outcome));
    assert!(outcome.stderr.contains("is damaged") && outcome.stderr.contains("--previous none"), "{}", outcome.stderr);
}

#[test]
fn an_earlier_run_that_is_not_there_or_not_earlier() {
    let bank = TestBank::small();
    let run = program::published_night(&bank.path(), AS_OF, &[]);
    insta::assert_snapshot!(bank.shown(&bank.nightly(&["--previous", "2026-05-31"])), @"
    exit: 1
    --- stderr
    clean                 9 rows [seconds] s
    error: there is no published run `2026-05-31` in `[bank]/runs`

    hint: published are: 2026-06-30 [run]
    ");
    let same_day = bank.nightly(&["--previous", run.to_str().unwrap()]);
    assert_eq!(same_day.exit, 2, "{}", bank.shown(&same_day));
}

#[test]
fn one_run_at_a_time() {
    let bank = TestBank::small();
    std::fs::create_dir(bank.runs()).unwrap();
    let lock = File::create(bank.runs().join(".lock")).unwrap();
    lock.lock().unwrap();
    insta::assert_snapshot!(bank.shown(&bank.nightly(&[])), @"
    exit: 1
    --- stderr
    error: another run is writing to `[bank]/runs`

    hint: wait until it has ended, or give this run another `--out`
    ");
    drop(lock);
    assert_eq!(bank.nightly(&[]).exit, 0, "a lock that is let go no longer holds");
}

#[test]
fn what_a_killed_run_left_is_swept() {
    let bank = TestBank::small();
    let left = bank.runs().join(AS_OF).join(".wellfield-0123456789abcdef0123-left");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("household_grades.parquet"), "half a file").unwrap();
    let foreign = bank.runs().join(AS_OF).join(".snapshot");
    std::fs::create_dir_all(&foreign).unwrap();
    assert_eq!(bank.nightly(&[]).exit, 0);
    assert!(!left.exists(), "the next run cleans up");
    assert!(foreign.exists(), "what somebody else keeps there is not ours to remove");
}

#[test]
fn too_little_memory_publishes_nothing() {
    let bank = TestBank::small();
    let outcome = bank.nightly(&["--memory-max", "1MiB"]);
    assert_eq!(outcome.exit, 1, "{}", bank.shown(&outcome));
    assert!(outcome.stderr.contains("`--memory-max`"), "{}", outcome.stderr);
    assert_eq!(visible_runs(&bank.runs()), Vec::<PathBuf>::new());
}

#[test]
fn a_bank_is_never_generated_over_another() {
    let folder = scratch();
    std::fs::write(folder.path().join("kept.txt"), "").unwrap();
    let outcome = program::run(wellfield().arg("generate").arg(folder.path()).args(["--households", "5"]));
    insta::assert_snapshot!(outcome.shown(&[(folder.path().to_str().unwrap(), "[folder]")]), @"
    exit: 1
    --- stderr
    error: `[folder]` is not empty

    hint: name a new folder; a bank is never written over another
    ");
}

#[test]
fn the_same_seed_gives_the_same_bank_on_any_number_of_threads() {
    for form in ["csv", "parquet"] {
        let folder = scratch();
        let [one, other] = ["1", "2"].map(|threads| {
            let bank = folder.path().join(threads);
            let options = ["--households", "4500", "--seed", "7", "--months", "3", "--visits", "3", "--format", form];
            let outcome =
                program::run(wellfield().arg("generate").arg(&bank).args(options).args(["--threads", threads]));
            assert_eq!(outcome.exit, 0, "{}", outcome.shown(&[]));
            bank
        });
        let files = files_below(&one, &|_| true);
        assert_eq!(files.len(), 20, "19 tables and `bank.toml`");
        for path in files {
            let same = std::fs::read(&path).unwrap() == std::fs::read(other.join(path.file_name().unwrap())).unwrap();
            assert!(same, "{}", path.display());
        }
    }
}

#[test]
fn a_bank_that_cannot_be_made_is_not_begun() {
    let folder = scratch();
    let bank = folder.path().join("bank");
    let generate = |arguments: &[&str]| {
        let outcome =
            program::run(wellfield().arg("generate").arg(&bank).args(["--households", "1000"]).args(arguments));
        assert!(!bank.exists());
        outcome.shown(&[])
    };
    insta::assert_snapshot!(generate(&["--shape", "odd"]), @"
    exit: 2
    --- stderr
    error: invalid value 'odd' for '--shape <SHAPE>'
      [possible values: even, huge-branch, busy-household]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(generate(&["--shape", "huge-branch", "--townships", "1"]), @"
    exit: 2
    --- stderr
    error: in one township no branch can be huger than the others

    hint: name 2 townships or more, or leave `--townships` out
    ");
    insta::assert_snapshot!(generate(&["--months", "1", "--townships", "2000", "--visits", "31"]), @"
    exit: 2
    --- stderr
    error: 31 visits are more than one a day

    hint: name 30 at most for each month of history

    error: 2000 townships are more than there are households

    hint: name fewer
    ");
}

#[test]
fn a_skewed_bank_is_rated_like_any_other() {
    for shape in ["huge-branch", "busy-household"] {
        let folder = scratch();
        let bank = folder.path().join("bank");
        let options = ["--households", "400", "--shape", shape];
        assert_eq!(program::run(wellfield().arg("generate").arg(&bank).args(options)).exit, 0);
        program::published_night(&bank, AS_OF, &[]);
    }
}

#[test]
fn a_rule_explains_itself() {
    insta::assert_snapshot!(shown(&["rule", "too_far"]), @"
    exit: 0
    --- stdout
    too_far (visit flag)
      onsite, farther from the household's position than allowed
      the visit does not count: true
      distance_max_m: 500
      in force since: 1990-01-01 (policies/visit_checks.toml)
      last checked: 2026-06-30
      source: Own choice, without a document (the house), positions in the country are rough; vendors claim 25 to 50 m in towns [house]
    ");
    insta::assert_snapshot!(shown(&["rule", "too_fra"]), @"
    exit: 2
    --- stderr
    error: no rule is called `too_fra`

    hint: did you mean `too_far`?
    ");
}

#[test]
fn explain_answers_people_and_machines() {
    let bank = TestBank::small();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let explain = |arguments: &[&str]| program::run(wellfield().arg("explain").arg(bank.path()).args(arguments));
    for language in ["en", "zh"] {
        let outcome = explain(&["H", "--lang", language]);
        assert_eq!((outcome.exit, outcome.stderr.as_str()), (0, ""), "{}", bank.shown(&outcome));
        assert!(outcome.stdout.contains("net_income_per_member"));
    }
    let answer: serde_json::Value = serde_json::from_str(&explain(&["H", "--json"]).stdout).unwrap();
    assert!(answer.is_object());
    let unknown = explain(&["H9"]);
    assert_ne!(unknown.exit, 0);
    assert!(unknown.stderr.contains("`H9`"), "{}", bank.shown(&unknown));
}

#[test]
fn coverage_of_the_bank_shows_targets_gaps_and_duties() {
    let bank = TestBank::with_grids();
    assert_eq!(bank.nightly(&[]).exit, 0);
    insta::assert_snapshot!(bank.shown(&bank.ask("coverage", &[])), @"
    exit: 0
    --- stdout
    Coverage of the bank, as of 2026-06-30 (run [run])
      Shares: graded of profiled, drawn of granted, care visited of care households, all others of
      households; rounded down, so that 100% is everyone. Above the grid, a surplus of profiles in one
      grid makes up for a gap in another. ! marks a gap, or a duty not done.

    Segments
                                                                                              care
                house-                             fresh                          visited  visited
      segment    holds  profiled  target  gap    profile  graded  granted  drawn   12 mo.    3 mo.
      all            3    1  33%       3    2 !   1  33%  1 100%   0   0%      –   1  33%   0   0%
      rural          2    1  50%       2    1 !   1  50%  1 100%   0   0%      –   1  50%   0   0%
      resident       0         –       0    0          –       –        –      –        –        –
      business       1    0   0%       1    1 !   0   0%       –   0   0%      –   0   0%        –

    What is missing
      profiles          2 profiles to make: rural 1, business 1; 2 grids are short: G 1, G2 1
      visits            2 households without a valid visit in the last 12 months
      care visits       1 care household without a valid visit in the last 3 months
      officers          1 grid without a primary officer, or with more than one: G2
      patrols           2 grids without a valid visit in the last month: G2, G3
      urgent issues     1 open, in G2
      `wellfield worklist --officer …` names the households, for each officer.

    Branches
                                                                                            care
              house-                             fresh                          visited  visited
      branch   holds  profiled  target  gap    profile  graded  granted  drawn   12 mo.    3 mo.
      B            3    1  33%       3    2 !   1  33%  1 100%   0   0%      –   1  33%   0   0%

    Grids, patrols and issues of each branch
                     without one  patrolled     issues  urgent
      branch  grids    primary        1 mo.       open  open
      B           3          1 !     1  33%  !       1     1 !

    Partition: no gap, no overlap
      Grids without a primary officer: 1
      - grid G2 of branch B: no primary officer, and never one before; backup O2; 1 household
      Grids without a backup officer: 2
      - grid G of branch B: no backup officer, and never one before; primary officer O; 2 households
      - grid G3 of branch B: no backup officer, and never one before; primary officer O3; 0 households
      Grids that are too small: 3
      - grid G of branch B: 2 households, at least 100 in a grid of kind village
      - grid G2 of branch B: 1 household, at least 100 in a grid of kind village
      - grid G3 of branch B: 0 households, at least 100 in a grid of kind village
      Areas with fewer households than the civil register: 1
      - area A Willow village: 3 households in valid grids (G, G2, G3), 300 in the civil register: 297
        short, tolerance 15
    ");
}

#[test]
fn coverage_of_a_branch_shows_its_grids_and_officers() {
    let bank = TestBank::with_grids();
    assert_eq!(bank.nightly(&[]).exit, 0);
    insta::assert_snapshot!(bank.shown(&bank.ask("coverage", &["--branch", "B", "--lang", "zh"])), @"
    exit: 0
    --- stdout
    网点B覆盖情况，数据日期2026-06-30（运行[run]）
      占比：评级以已建档为分母，用信以授信为分母，关怀走访以关怀户为分母，其余以户数为分母；向下取整，
      100%即全部。网格以上层级，建档盈余可抵缺口。! 表示缺口或未完成的职责。

    客群
                                                                                    关怀户
                                                及时                          走访    走访
      客群      户数  已建档  应建档  缺口      建档  已评级    授信  用信  12个月   3个月
      全部         3  1  33%       3     2 !  1  33%  1 100%  0   0%     –  1  33%  0   0%
      农村         2  1  50%       2     1 !  1  50%  1 100%  0   0%     –  1  50%  0   0%
      居民         0       –       0     0         –       –       –     –       –       –
      商户小微     1  0   0%       1     1 !  0   0%       –  0   0%     –  0   0%       –

    缺口与待办
      建档              还需建档2户：农村 1、商户小微 1；2个网格有缺口：G 1、G2 1
      走访              2户近12个月无有效走访
      关怀走访          1户关怀户近3个月无有效走访
      主责              1个网格无主责或多名主责：G2
      巡访              2个网格近1个月无有效走访：G2、G3
      紧急问题          1件未解决：G2
      各网格员的户清单见 `wellfield worklist --officer …`。

    网格
                                                                                关怀户
                                            及时                          走访    走访
      网格  户数  已建档  应建档  缺口      建档  已评级    授信  用信  12个月   3个月
      G        2  1  50%       2     1 !  1  50%  1 100%  0   0%     –  1  50%  0   0%
      G2       1  0   0%       1     1 !  0   0%       –  0   0%     –  0   0%       –
      G3       0       –       0     0         –       –       –     –       –       –

    各网格网格员、巡访与问题
                                主责    推进  有效走访     有效  未解决  未解决
      网格  类型  行政区  网点  网格员  年度    12个月  1个月      问题  紧急
      G     村    A       B     O          3    1 100%      1         0     0
      G2    村    A       B     无 !       3    1 100%      0 !       1     1 !
      G3    村    A       B     O3         3         –      0 !       0     0

    网格员考核得分
                                              问题              现场走访
      网格员  网格  户数  走访  建档  真实性  处理  总分  等次      无效
      O          1     2  20.0  15.0    20.0  10.0  65.0  合格    0   0%
      O3         1     0  30.0  30.0     0.0  10.0  70.0  合格         –

    网格划分：不留空白、不重叠
      网格无主责：1
      - grid G2 of branch B: no primary officer, and never one before; backup O2; 1 household
      网格无备岗：2
      - grid G of branch B: no backup officer, and never one before; primary officer O; 2 households
      - grid G3 of branch B: no backup officer, and never one before; primary officer O3; 0 households
      网格过小：3
      - grid G of branch B: 2 households, at least 100 in a grid of kind village
      - grid G2 of branch B: 1 household, at least 100 in a grid of kind village
      - grid G3 of branch B: 0 households, at least 100 in a grid of kind village
      户数不足：1
      - area A Willow village: 3 households in valid grids (G, G2, G3), 300 in the civil register: 297
        short, tolerance 15
    ");
}

#[test]
fn coverage_of_an_area_has_its_rating_and_funding() {
    let bank = TestBank::with_grids();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let outcome = bank.ask("coverage", &["--area", "A"]);
    assert_eq!(outcome.exit, 0, "{}", bank.shown(&outcome));
    for part in ["Coverage of area A", "G2", "Credit rating", "Funding"] {
        assert!(outcome.stdout.contains(part), "{part} is not in\n{}", outcome.stdout);
    }
}

#[test]
fn coverage_of_what_is_not_there() {
    let bank = TestBank::with_grids();
    insta::assert_snapshot!(bank.shown(&bank.ask("coverage", &[])), @"
    exit: 1
    --- stderr
    error: there is no published run `latest` in `[bank]/runs`

    hint: nothing is published there yet
    ");
    assert_eq!(bank.nightly(&[]).exit, 0);
    insta::assert_snapshot!(bank.shown(&bank.ask("coverage", &["--branch", "B2"])), @"
    exit: 2
    --- stderr
    error: there is no branch `B2` with a valid grid in run [run]

    hint: did you mean `B`?
    ");
    insta::assert_snapshot!(bank.shown(&bank.ask("coverage", &["--area", "a"])), @"
    exit: 2
    --- stderr
    error: there is no area `a` in run [run]

    hint: there are: A
    ");
    assert_eq!(bank.ask("coverage", &["--area", "A", "--branch", "B"]).exit, 2, "one of the two");
}

#[test]
fn coverage_adds_up_from_branches_to_the_bank() {
    let runs = scratch();
    let out = ["--out", runs.path().to_str().unwrap()];
    program::published_night(Path::new("sample-data/bank"), AS_OF, &out);
    let ask = |arguments: &[&str]| -> serde_json::Value {
        let outcome =
            program::run(wellfield().args(["coverage", "sample-data/bank", "--json"]).args(out).args(arguments));
        assert_eq!((outcome.exit, outcome.stderr.as_str()), (0, ""), "{arguments:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let bank = ask(&[]);
    let ids = bank["branches"].as_array().unwrap().iter().map(|branch| branch["branch_id"].as_str().unwrap());
    let branches: Vec<serde_json::Value> = ids.map(|id| ask(&["--branch", id])).collect();
    assert!(branches.len() > 1);
    for (place, segment) in bank["segments"].as_array().unwrap().iter().enumerate() {
        for column in ["grids", "households", "profiled", "granted", "care_visited_3m", "profiles_required"] {
            let sum = branches.iter().map(|branch| branch["segments"][place][column].as_i64().unwrap()).sum::<i64>();
            assert_eq!(segment[column], sum, "{column} of {}", segment["segment"]);
        }
    }
    let grids = branches.iter().map(|branch| branch["grids"].as_array().unwrap().len()).sum::<usize>();
    assert_eq!(bank["segments"][0]["grids"], grids);
}

#[test]
fn a_work_list_can_be_taken_along() {
    let bank = TestBank::with_grids();
    assert_eq!(bank.nightly(&[]).exit, 0);
    insta::assert_snapshot!(bank.shown(&bank.ask("worklist", &["--officer", "O"])), @"
    exit: 0
    --- stdout
    Work list of officer O, as of 2026-06-30 (run [run])
      1 household to see to, 1 overdue.
      To do: 1 profile to make, 1 household to visit, 1 care household to visit.
      Branch B; assessment on this day: 65 of 100 points, qualified.

    Grids
                                                               valid  urgent
                           house-                   visited   visits  issues
      grid  area  duty      holds  profiled  gap     12 mo.  1 mo.    open
      G     A     primary       2    1  50%    1 !   1  50%      1       0

    Overdue: 1 household
                            last valid
           household  grid  visit       due          overdue  to do
      [ ]  H2         G     none        2024-03-31  821 days  make the profile: there is none
                                        2024-09-30  638 days  visit: care household
                                        2025-06-30  365 days  visit: too long without a valid one
    ");
    insta::assert_snapshot!(bank.shown(&bank.ask("worklist", &["--officer", "O2", "--lang", "zh"])), @"
    exit: 0
    --- stdout
    网格员O2待办清单，数据日期2026-06-30（运行[run]）
      待办1户，其中逾期1户。
      待办：待建档1户，待走访1户。

    网格
                                                           有效      紧急
                                                  走访     走访      问题
      网格  行政区  职责  户数  已建档  缺口    12个月  1个月    未解决
      G2    A       备岗     1  0   0%     1 !  0   0%      0 !       1 !
      - G2：无主责网格员，由备岗承担
      - G2：请巡访；近1个月无有效走访（到户或巡访均可）
      - G2：1件紧急问题未解决，不在下列户中

    已逾期：1户
                     上次有效
           户  网格  走访      到期日       逾期  待办
      [ ]  H3  G2    无        2024-03-31  821天  建档：尚未建档
                               2025-06-30  365天  走访：已久无有效走访
    ");
    insta::assert_snapshot!(bank.shown(&bank.ask("worklist", &["--officer", "O3"])), @"
    exit: 0
    --- stdout
    Work list of officer O3, as of 2026-06-30 (run [run])
      Nothing to do for any household.
      Branch B; assessment on this day: 70 of 100 points, qualified.

    Grids
                                                               valid  urgent
                           house-                   visited   visits  issues
      grid  area  duty      holds  profiled  gap     12 mo.  1 mo.    open
      G3    A     primary       0         –    0          –      0 !     0
      - G3: patrol it; in the last month it had no valid visit, to a household or not
    ");
    insta::assert_snapshot!(bank.shown(&bank.ask("worklist", &["--officer", "O9"])), @"
    exit: 2
    --- stderr
    error: no officer `O9` serves a grid in run [run]

    hint: did you mean `O`?
    ");
}

#[test]
fn a_work_list_answers_machines_and_ends_where_asked() {
    let bank = TestBank::with_grids();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let ask = |arguments: &[&str]| -> serde_json::Value {
        let outcome = bank.ask("worklist", &[&["--officer", "O", "--json"], arguments].concat());
        assert_eq!(outcome.exit, 0, "{}", bank.shown(&outcome));
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let whole = ask(&[]);
    let household = &whole["households"][0];
    assert_eq!((&household["household_id"], &household["is_overdue"]), (&"H2".into(), &true.into()));
    assert_eq!(whole["grids"][0]["grid_id"], "G");
    let none = ask(&["--due-by", "2020-01-01"]);
    assert_eq!((none["households"].as_array().unwrap().len(), &none["households_due_later"]), (0, &1.into()));
}

#[test]
fn names_of_people_reach_no_output() {
    let bank = TestBank::with(|bank| {
        let person = [("household_id", "H2"), ("head_name", HEAD_NAME), ("id_number", ID_NUMBER)];
        bank.add("households", &person).add("visits", &[("household_id", "H2")]);
        // Faults around the names must not quote them.
        for (id, column, value) in [("H3", "kind", "people"), ("H4", "member_count", "0"), ("H5", "grid_id", "nothing")]
        {
            let row = [("household_id", id), ("head_name", HEAD_NAME), ("id_number", ID_NUMBER), (column, value)];
            bank.add("households", &row);
        }
    });
    let outcome = bank.nightly(&[]);
    assert_eq!(outcome.exit, 0, "{}", bank.shown(&outcome));
    let mut printed = vec![outcome.stdout.clone(), outcome.stderr.clone()];
    for arguments in [
        &["check"][..],
        &["check", "--json"],
        &["explain", "--json"],
        &["explain"],
        &["coverage", "--branch", "B"],
        &["indicators"],
        &["indicators", "--ref", "A", "--json"],
        &["worklist", "--officer", "O"],
    ] {
        let household = (arguments[0] == "explain").then_some("H2");
        let options = &arguments[1..];
        let outcome = program::run(wellfield().arg(arguments[0]).arg(bank.path()).args(household).args(options));
        printed.extend([outcome.stdout, outcome.stderr]);
    }
    let run = PathBuf::from(outcome.stdout.trim());
    printed.push(read(&run.join("manifest.json")));
    for name in TABLES {
        printed.extend(published::table(&run, name).rows.into_iter().flatten());
    }
    let betrayed = printed.iter().find(|text| text.contains(HEAD_NAME) || text.contains(ID_NUMBER));
    assert_eq!(betrayed, None);
}
