//! The command line as a user and a scheduler see it: exit code, stdout and stderr of each verb in one snapshot, with
//! seconds, run ids and temporary folders replaced. What the published tables hold is looked at in `nights` and `cases`.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::bank::BankBuilder;
use crate::support::program::{self, Outcome, wellfield};
use crate::support::published::{self, TABLES};
use crate::support::{files_below, read};

const AS_OF: &str = "2026-06-30";
const HEAD_NAME: &str = "张守密";
const ID_NUMBER: &str = "430100197001010000";

/// A bank in a folder of its own.
struct TestBank {
    folder: TempDir,
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

    fn with(fill: impl Fn(&mut BankBuilder)) -> TestBank {
        let folder = tempfile::tempdir().unwrap();
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
      nightly   Rate every household of a bank and publish the run
      check     Check contracts, adapters and rulebook: every fault at once, nothing computed
      explain   Explain one household: facts, points, reasons, limit, decision, and what would raise its grade
      rule      Print what a name means: a fact, characteristic, veto, flag, quarantine rule, policy or table
      generate  Make a synthetic bank of any size, the same bytes for the same seed
      help      Print this message or the help of the given subcommand(s)

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
          --memory-max <SIZE>         Stop, with nothing published, when the run needs more memory than this, for example `4GiB`
          --allow-quarantine <TABLE>  Publish although more rows of this table than the rulebook allows are set aside; `all` for every table
          --rulebook <DIR>            Rate by the policy files of this folder instead of the bank's own rulebook
          --log <LOG>                 How progress is told on stderr [default: text] [possible values: text, json]
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
    visits                1 rows [seconds] s
    facts                 2 rows [seconds] s
    score                 2 rows [seconds] s
    grade                 2 rows [seconds] s
    limit                 2 rows [seconds] s
    outputs              39 rows [seconds] s
    audit                27 rows [seconds] s
    publish              39 rows [seconds] s
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
    visits                1 rows [seconds] s
    facts                 1 rows [seconds] s
    score                 1 rows [seconds] s
    grade                 1 rows [seconds] s
    limit                 1 rows [seconds] s
    outputs              31 rows [seconds] s
    audit                25 rows [seconds] s
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
    let stages: Vec<&str> = lines.iter().filter_map(|line| line["stage"].as_str()).collect();
    assert_eq!(stages, ["clean", "visits", "facts", "score", "grade", "limit", "outputs", "audit", "publish"]);
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
    clean                 9 rows [seconds] s
    error: another run is writing to `[bank]/runs`

    hint: wait until it has ended, or give this run another `--out`
    ");
    drop(lock);
    assert_eq!(bank.nightly(&[]).exit, 0, "a lock that is let go no longer holds");
}

#[test]
fn what_a_killed_run_left_is_swept() {
    let bank = TestBank::small();
    let left = bank.runs().join(AS_OF).join(".0123456789abcdef0123-left");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("household_grades.parquet"), "half a file").unwrap();
    assert_eq!(bank.nightly(&[]).exit, 0);
    assert!(!left.exists(), "the next run cleans up");
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
    let folder = tempfile::tempdir().unwrap();
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
fn the_same_seed_gives_the_same_bank() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    program::generate(&one, 30, 7, AS_OF);
    program::generate(&other, 30, 7, AS_OF);
    for path in files_below(&one, &|_| true) {
        assert_eq!(read(&path), read(&other.join(path.file_name().unwrap())), "{}", path.display());
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
      source: Own choice, without a document, positions in the country are rough; vendors claim 25 to 50 m in towns [house]
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
    for arguments in [&["check"][..], &["check", "--json"], &["explain", "--json"], &["explain"]] {
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
