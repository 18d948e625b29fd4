//! `compare` from outside: how runs are named, what is refused, and what a reader sees in both languages.

use std::path::{Path, PathBuf};

use super::stricter_rulebook;
use crate::support::bank::BankBuilder;
use crate::support::program::{self, Outcome, published_night, wellfield};
use crate::support::scratch::{Scratch, scratch};

const AS_OF: &str = "2026-06-30";
const HEAD_NAME: &str = "张守密";

struct Bank {
    folder: Scratch,
    runs: [String; 2],
}

impl Bank {
    /// Two runs of one day, between which the one household was visited.
    fn new() -> Bank {
        let folder = scratch();
        let path = folder.path().join("bank");
        let mut bank = BankBuilder::with_register();
        bank.add("households", &[("household_id", "H2"), ("head_name", HEAD_NAME)]);
        bank.add("profiles", &[("household_id", "H2")]);
        bank.add("visits", &[("visit_id", "V0"), ("household_id", "")]);
        bank.leave_out_empty();
        bank.write(&path, None);
        let from = published_night(&path, AS_OF, &[]);
        bank.add(
            "visits",
            &[
                ("household_id", "H2"),
                ("started_at", "2026-06-16T09:00:00"),
                ("ended_at", "2026-06-16T09:30:00"),
                ("recorded_at", "2026-06-16T18:00:00"),
            ],
        );
        bank.write(&path, None);
        let to = published_night(&path, AS_OF, &[]);
        let id = |run: &Path| run.file_name().unwrap().to_string_lossy().into_owned();
        Bank { folder, runs: [id(&from), id(&to)] }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bank")
    }

    fn compare(&self, arguments: &[&str]) -> Outcome {
        program::run(wellfield().arg("compare").arg(self.path()).args(arguments))
    }

    fn shown(&self, outcome: &Outcome) -> String {
        outcome.shown(&[(self.path().to_str().unwrap(), "[bank]"), (self.folder.path().to_str().unwrap(), "[folder]")])
    }
}

#[test]
fn a_comparison_is_told_in_words() {
    let bank = Bank::new();
    let [from, to] = &bank.runs;
    insta::assert_snapshot!(bank.shown(&bank.compare(&[from, to])), @"
    exit: 0
    --- stdout
    Test bank: from 2026-06-30 (run [run]) to 2026-06-30 (run [run])
      input files       visits (1 changed)
      rulebook          the same
      looks back at     the same
      households        2 in both runs, 1 of them moved; 0 new, 0 gone

    Grades
                               became  no longer
                   up  down  rateable   rateable
      final grade   0     0         0          0
      model grade   0     0         0          0

    Limits
                       raised    by  lowered    by  all, before  all, after
      final limit           0  0.00        0  0.00    20,000.00   20,000.00
      suggested limit       0  0.00        0  0.00    20,000.00   20,000.00

    Credit lists
      grey → white 1

    Why
      cause  households  by it alone
      input           1            1

    By what
      element           what it is  households  points, net
      valid_visits_12m  fact                 1
      input tables      visits 1

    Coverage
      bank                  before  after  change
      white list                 0      1      +1
      visited in 12 months       0      1      +1
                                                                   visited
      branches  households  profiled  graded  white list  granted   12 mo.
      B                                             1 +1              1 +1
                                                                visited
      areas  households  profiled  graded  white list  granted   12 mo.
      A                                          1 +1              1 +1

    Indicators of the bank
      indicator           before    after  parts before  parts after
      valid_visit_share  100.00%  100.00%  1 / 1         2 / 2
      visiting_share       0.00%   50.00%  0 / 2         1 / 2

    Shares of branches that went farthest
      - visiting_share B 0.00% → 50.00%: 0 / 2 → 1 / 2
      - valid_visit_share B 100.00% → 100.00%: 1 / 1 → 2 / 2

    Other list
      - H2  grey → white (input); valid_visits_12m 0 → 1
    ");
}

#[test]
fn a_comparison_is_told_in_chinese() {
    let bank = Bank::new();
    let [from, to] = &bank.runs;
    insta::assert_snapshot!(bank.shown(&bank.compare(&[from, to, "--lang", "zh"])), @"
    exit: 0
    --- stdout
    Test bank：从2026-06-30（运行[run]）到2026-06-30（运行[run]）
      输入文件          visits（变化1个）
      制度              相同
      上次运行          相同
      户                两次均有2户，其中变动1户；新增0户，退出0户

    信用等级
                              变为      变为
                上调  下调  可评级  不可评级
      最终等级     0     0       0         0
      模型等级     0     0       0         0

    授信额度
                调高  调高金额  调低  调低金额  合计（前）  合计（后）
      最终额度     0      0.00     0      0.00   20,000.00   20,000.00
      建议额度     0      0.00     0      0.00   20,000.00   20,000.00

    名单
      灰名单 → 白名单 1

    原因
      原因      户数  仅此原因
      数据变化     1         1

    变动来源
      来源          类别  户数  净得分
      有效走访次数  指标     1
      输入表            visits 1

    覆盖
      全行          前  后  变动
      白名单         0   1    +1
      近12个月走访   0   1    +1
      网点  户数  已建档  已评级  白名单  授信  走访
      B                             1 +1        1 +1
      行政区  户数  已建档  已评级  白名单  授信  走访
      A                               1 +1        1 +1

    全行指标
      指标                 前       后  分子/分母（前）  分子/分母（后）
      现场走访有效率  100.00%  100.00%  1 / 1            2 / 2
      走访率            0.00%   50.00%  0 / 2            1 / 2

    网点变动最大的占比指标
      - 走访率 B 0.00% → 50.00%：0 / 2 → 1 / 2
      - 现场走访有效率 B 100.00% → 100.00%：1 / 1 → 2 / 2

    名单变动
      - H2  灰名单 → 白名单（数据变化）；有效走访次数 0 → 1
    ");
}

#[test]
fn the_bank_may_be_left_out_in_its_own_folder() {
    let bank = Bank::new();
    let [from, to] = &bank.runs;
    let here = program::run(wellfield().arg("compare").args([from, to]).current_dir(bank.path()));
    assert_eq!(bank.shown(&here), bank.shown(&bank.compare(&[from, to])));
}

#[test]
fn a_rulebook_is_tried_on_the_latest_or_a_named_run() {
    let bank = Bank::new();
    let rulebook = stricter_rulebook(bank.folder.path());
    let rulebook = rulebook.to_str().unwrap();
    let latest = bank.compare(&["--rulebook", rulebook]);
    assert_eq!(latest.exit, 0, "{}", bank.shown(&latest));
    let named = bank.compare(&[&bank.runs[1], "--rulebook", rulebook]);
    assert_eq!(bank.shown(&latest), bank.shown(&named));
    let here = program::run(wellfield().args(["compare", "--rulebook", rulebook]).current_dir(bank.path()));
    assert_eq!(bank.shown(&latest), bank.shown(&here));
    assert!(latest.stdout.contains("not published") && latest.stdout.contains("grade_scale.toml"), "{}", latest.stdout);
    // The files of the earlier run are not there any more.
    insta::assert_snapshot!(bank.shown(&bank.compare(&[&bank.runs[0], "--rulebook", rulebook])), @"
    exit: 1
    --- stderr
    error: the bank's files are not those of run `[run]` any more: `visits.csv`

    hint: publish the night first, `wellfield nightly --as-of 2026-06-30`, and compare with that run
    ");
}

#[test]
fn a_run_beside_itself_has_not_moved() {
    let bank = Bank::new();
    insta::assert_snapshot!(bank.shown(&bank.compare(&["latest", "latest"])), @"
    exit: 0
    --- stdout
    Test bank: from 2026-06-30 (run [run]) to 2026-06-30 (run [run])
      input files       the same
      rulebook          the same
      looks back at     the same
      households        2 in both runs, 0 of them moved; 0 new, 0 gone

    Nothing moved.
    ");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let bank = Bank::new();
    insta::assert_snapshot!(bank.shown(&bank.compare(&["latest"])), @"
    exit: 2
    --- stderr
    error: two runs are to be named

    hint: `wellfield compare [BANK] RUN RUN` compares two runs, `wellfield compare [BANK] [RUN] --rulebook DIR` a run with another rulebook
    ");
    insta::assert_snapshot!(bank.shown(&bank.compare(&["latest", "latest", "--rulebook", "rules"])), @"
    exit: 2
    --- stderr
    error: two runs and a rulebook are named

    hint: `wellfield compare [BANK] RUN RUN` compares two runs, `wellfield compare [BANK] [RUN] --rulebook DIR` a run with another rulebook
    ");
    let unknown = bank.compare(&["latest", "2020-01-31"]);
    assert_eq!(unknown.exit, 1);
    assert!(unknown.stderr.contains("there is no published run `2020-01-31`"), "{}", unknown.stderr);
    let runs = bank.folder.path().join("other");
    let other =
        published_night(&super::repository().join("sample-data/mini"), AS_OF, &["--out", runs.to_str().unwrap()]);
    let two = bank.shown(&bank.compare(&["latest", other.to_str().unwrap()]));
    insta::assert_snapshot!(two, @"
    exit: 2
    --- stderr
    error: the runs are of two banks, `Test bank` and `Mini bank`

    hint: name two runs of one bank
    ");
}

#[test]
fn nobody_is_named() {
    let bank = Bank::new();
    let [from, to] = &bank.runs;
    for arguments in [&[from.as_str(), to, "--all"][..], &[from, to, "--json"], &[from, to, "--all", "--lang", "zh"]] {
        let outcome = bank.compare(arguments);
        assert!(outcome.exit == 0 && outcome.stdout.contains("H2"), "{}", bank.shown(&outcome));
        assert!(!outcome.stdout.contains(HEAD_NAME) && !outcome.stdout.contains("Head"), "{}", outcome.stdout);
    }
}
