//! `wellfield indicators` and `wellfield rule` of an indicator, as a person and a machine see them. That the figures are
//! right is looked at in `cases`, `agreement` and `regulator`.

use std::path::PathBuf;

use super::{AS_OF, TestBank, shown};
use crate::support::program::{self, Outcome};
use crate::support::{copy_folder, read, repository};

impl TestBank {
    /// Two villages of a township, seven households and four: too few that one could be told of without the other.
    fn with_villages() -> TestBank {
        TestBank::with(|bank| {
            bank.add("areas", &[("area_id", "T"), ("level", "township"), ("adult_population", "1500")]);
            bank.add("areas", &[("area_id", "A2"), ("parent_area_id", "T"), ("name", "Brook village")]);
            bank.add("areas", &[("area_id", "A3"), ("parent_area_id", "T"), ("level", "community")]);
            bank.add("grids", &[("grid_id", "G2"), ("area_id", "A2"), ("name", "Brook grid")]);
            bank.add("service_points", &[("last_used_on", "2026-06-20")]);
            for (household, grid, kind, care) in [
                ("H2", "G", "farm_household", "none"),
                ("H3", "G", "farm_household", "hardship"),
                ("H4", "G", "resident", "disabled"),
                ("H5", "G", "resident", "living_alone"),
                ("H6", "G", "resident", "none"),
                ("H7", "G", "merchant", "none"),
                ("H8", "G2", "farm_household", "none"),
                ("H9", "G2", "farm_household", "hardship"),
                ("K1", "G2", "merchant", "none"),
                ("K2", "G2", "merchant", "none"),
            ] {
                let row = [("household_id", household), ("grid_id", grid), ("kind", kind), ("care_category", care)];
                bank.add("households", &row);
            }
            for (account, household, opened_on) in
                [("C1", "H", "2020-01-01"), ("C2", "H2", "2020-01-01"), ("C3", "H3", "2026-06-10")]
            {
                bank.add("accounts", &[("account_id", account), ("household_id", household), ("opened_on", opened_on)]);
            }
            for household in ["H3", "H4", "H5", "H9"] {
                let visit = [("visit_id", household), ("household_id", household)];
                bank.add("visits", &visit);
            }
        })
    }

    fn indicators(&self, arguments: &[&str]) -> Outcome {
        self.ask("indicators", arguments)
    }

    /// A rulebook in which the account share is defined anew from 1 June 2026 on.
    fn rulebook_with_two_versions(&self) -> PathBuf {
        let folder = self.folder.path().join("rulebook");
        copy_folder(&repository().join("schemas/policies"), &folder);
        let path = folder.join("indicators/account_share.toml");
        let text = read(&path);
        let (head, first) = text.split_once("[[versions]]").unwrap();
        let second = first.replace("1990-01-01", "2026-06-01").replace("version = \"1\"", "version = \"2\"");
        let first = first.replace("valid_from = 1990-01-01", "valid_from = 1990-01-01\nvalid_to = 2026-06-01");
        std::fs::write(&path, format!("{head}[[versions]]{first}\n[[versions]]{second}")).unwrap();
        folder
    }

    /// Runs of four dates: the first as an earlier program left it, the last by another definition of the account share.
    fn publish_four_dates(&self) {
        let rulebook = self.rulebook_with_two_versions();
        for as_of in ["2026-04-30", "2026-05-30", "2026-05-31", AS_OF] {
            let run = program::published_night(&self.path(), as_of, &["--rulebook", rulebook.to_str().unwrap()]);
            if as_of == "2026-04-30" {
                std::fs::remove_file(run.join("indicators.parquet")).unwrap();
            }
        }
    }
}

/// The lines of one heading.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading} in\n{text}"));
    text[start + 1..].split("\n\n").next().unwrap()
}

#[test]
fn indicators_of_the_bank_stand_by_dimension() {
    let bank = TestBank::with_villages();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let outcome = bank.shown(&bank.indicators(&[]));
    for heading in ["Usage", "Quality", "Equity", "Timeliness"] {
        assert!(section(&outcome, heading).lines().count() > 5, "{outcome}");
    }
    for file in std::fs::read_dir(repository().join("schemas/policies/indicators")).unwrap() {
        let id = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(outcome.lines().any(|line| line.trim() == id), "`{id}` is not listed:\n{outcome}");
    }
    insta::assert_snapshot!(outcome.split("\n\n").next().unwrap(), @"
    exit: 0
    --- stdout
    Indicators of the bank, as of 2026-06-30 (run [run])
      ! marks a target that is not met.
      Not published: a value that stays in the bank, for it would tell of few households.
      Not collected: a table or figure that the value is made of is not there.
      Cannot exist: there is nothing to take it of.
    ");
    insta::assert_snapshot!(section(&outcome, "Access"), @"
    Access
      indicator                                             value    numerator  denominator  target
      Branches per 10,000 adults                             4.17            1        2,400
      branches_per_10000_adults
      Branches per 1,000 km2                        not collected            1
      branches_per_1000_km2
      Stations with all fittings                     cannot exist            0            0  100.00
      complete_station_share
      Villages and communities with a grid                  66.67 %          2            3  100.00 !
      gridded_area_share
      Median distance to the nearest service point   cannot exist                         0
      nearest_point_median_m
      90 % quantile of the distance to the nearest   cannot exist                         0
      service point
      nearest_point_p90_m
      Service points per 10,000 adults                       4.17            1        2,400
      points_per_10000_adults
      Grids with exactly one primary officer                50.00 %          1            2  100.00 !
      staffed_grid_share
      Villages with a service point                         50.00 %          1            2
      village_service_share
      Villages with a withdrawal point in use               50.00 %          1            2  100.00 !
      withdrawal_point_share
      Households within 3 km of a service point              0.00 %          0           11
      within_3_km_share
    ");
}

#[test]
fn indicators_of_a_village_mark_what_is_not_published() {
    let bank = TestBank::with_villages();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let outcome = bank.shown(&bank.indicators(&["--ref", "A2"]));
    assert!(outcome.contains("Indicators of village A2, as of 2026-06-30"), "{outcome}");
    insta::assert_snapshot!(section(&outcome, "Usage"), @"
    Usage
      indicator                                          value    numerator  denominator
      Households with an account                          0.00 %          0            4
      account_share
      Households using their account              cannot exist            0            0
      active_share
      Balance of agricultural loans                       0.00            0
      agricultural_balance
      Growth of agricultural loans                cannot exist            0            0
      agricultural_growth
      Balance of all loans                                0.00            0
      all_balance
      Growth of all loans                         cannot exist            0            0
      all_growth
      Average deposit of a household with an      cannot exist            0            0
      account
      average_deposit
      Average suggested limit                    not collected
      average_suggested_limit
      Borrowing households per 1,000 households            0.0            0            4
      borrowers_per_1000_households
      Visited care households                             0.00 %          0            1  not published
      care_visiting_share
      Households drawing on their limit          not collected
      drawing_share
      Graded households                          not collected
      grading_share
      Households granted a limit                 not collected                         4
      granting_share
      Balance of inclusive loans to small                 0.00            0
      enterprises
      inclusive_small_balance
      Customers of inclusive loans to small                  0            0
      enterprises
      inclusive_small_customers
      Growth of inclusive loans to small          cannot exist            0            0
      enterprises
      inclusive_small_growth
      Profiled households                        not collected                         4
      profile_share
      Visited households                                  0.00 %          0            4
      visiting_share
    ");
}

#[test]
fn indicators_of_a_level_stand_below_one_another() {
    let bank = TestBank::with_villages();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let township = bank.indicators(&["--level", "township"]);
    assert_eq!(township.exit, 0, "{}", bank.shown(&township));
    assert!(township.stdout.matches("\n  township ").count() > 40, "every indicator that is there by township");
    let two = ["--level", "township", "--id", "inclusion_index", "--id", "gridded_area_share"];
    insta::assert_snapshot!(bank.shown(&bank.indicators(&two)), @"
    exit: 0
    --- stdout
    Indicators of every township, as of 2026-06-30 (run [run])
      ! marks a target that is not met.
      Not collected: a table or figure that the value is made of is not there.

    Access: Villages and communities with a grid (gridded_area_share)
      township  value    numerator  denominator  target
      T         50.00 %          1            2  100.00 !

    Equity: Financial inclusion index (inclusion_index)
      township          value
      T         not collected
    ");
    insta::assert_snapshot!(bank.shown(&bank.indicators(&["--level", "village", "--id", "account_share"])), @"
    exit: 0
    --- stdout
    Indicators of every village, as of 2026-06-30 (run [run])

    Usage: Households with an account (account_share)
      village  value    numerator  denominator
      A        42.86 %          3            7
      A2        0.00 %          0            4
    ");
}

#[test]
fn an_indicator_is_told_with_its_segments() {
    let bank = TestBank::with_villages();
    assert_eq!(bank.nightly(&[]).exit, 0);
    let ids = ["--id", "visiting_share", "--id", "care_visiting_share", "--id", "account_share"];
    insta::assert_snapshot!(bank.shown(&bank.indicators(&ids)), @"
    exit: 0
    --- stdout
    Indicators of the bank, as of 2026-06-30 (run [run])
      Not published: a value that stays in the bank, for it would tell of few households.
      Cannot exist: there is nothing to take it of.

    Usage
      indicator                   segment          value    numerator  denominator
      Households with an account  all              27.27 %          3           11
      account_share
      Visited care households     all              25.00 %          1            4  not published
      care_visiting_share         rural            50.00 %          1            2  not published
                                  resident          0.00 %          0            2  not published
                                  business  cannot exist            0            0
      Visited households          all               9.09 %          1           11  not published
      visiting_share              rural            20.00 %          1            5  not published
                                  resident          0.00 %          0            3  not published
                                  business          0.00 %          0            3  not published

    `wellfield rule ID` prints a definition; `--id ID` adds the segments, `--since DATE` the trend.
    ");
    let by_branch = [&ids[..], &["--level", "branch", "--lang", "zh"]].concat();
    insta::assert_snapshot!(bank.shown(&bank.indicators(&by_branch)), @"
    exit: 0
    --- stdout
    各网点指标，数据日期2026-06-30（运行[run]）
      不予公布：涉及户数过少，指标值不得对外提供。
      无法计算：分母为零或无观测值。

    使用：账户拥有率（account_share）
      网点  指标值    分子  分母
      B      27.27 %     3    11

    使用：关怀户走访率（care_visiting_share）
      网点  客群        指标值    分子  分母
      B     全部         25.00 %     1     4  不予公布
      B     农村         50.00 %     1     2  不予公布
      B     居民          0.00 %     0     2  不予公布
      B     商户小微  无法计算       0     0

    使用：走访率（visiting_share）
      网点  客群      指标值    分子  分母
      B     全部        9.09 %     1    11  不予公布
      B     农村       20.00 %     1     5  不予公布
      B     居民        0.00 %     0     3  不予公布
      B     商户小微    0.00 %     0     3  不予公布
    ");
}

#[test]
fn a_trend_says_what_is_not_comparable() {
    let bank = TestBank::with_villages();
    bank.publish_four_dates();
    let ids = ["--id", "account_share", "--id", "borrowers_per_1000_households"];
    let trend = [&["--since", "2026-04-01"], &ids[..]].concat();
    insta::assert_snapshot!(bank.shown(&bank.indicators(&trend)), @"
    exit: 0
    --- stdout
    Indicators of the bank, from 2026-04-01 to 2026-06-30 (run [run])
      Not published: a value that stays in the bank, for it would tell of few households.
      Change: against the date before; of shares in percentage points.

    Usage: Households with an account (account_share)
      date        value    change  numerator  denominator
      2026-05-30  18.18 %       –          2           11  not published
      2026-05-31  18.18 %    0.00          2           11  not published
      2026-06-30  27.27 %       –          3           11

    Usage: Borrowing households per 1,000 households (borrowers_per_1000_households)
      date        value  change  numerator  denominator
      2026-05-30    0.0       –          0           11
      2026-05-31    0.0     0.0          0           11
      2026-06-30    0.0     0.0          0           11

    Notes
      - 2026-04-30: run [run] has no indicators; it is of an earlier version of the
        program.
      - account_share: the definition has changed (version 1 from 2026-05-30, version 2 from
        2026-06-30); the values are not of one definition, and no change is told from one to the other.
    ");
    let by_village = [&trend[..], &["--level", "village", "--lang", "zh"]].concat();
    insta::assert_snapshot!(bank.shown(&bank.indicators(&by_village)), @"
    exit: 0
    --- stdout
    各村指标，2026-04-01至2026-06-30（运行[run]）
      不予公布：涉及户数过少，指标值不得对外提供。
      变动：与前一日期相比；占比类为百分点。

    使用：账户拥有率（account_share）
      村  日期        指标值    变动  分子  分母
      A   2026-05-30   28.57 %     –     2     7  不予公布
          2026-05-31   28.57 %  0.00     2     7  不予公布
          2026-06-30   42.86 %     –     3     7
      A2  2026-05-30    0.00 %     –     0     4
          2026-05-31    0.00 %  0.00     0     4
          2026-06-30    0.00 %     –     0     4

    使用：每千户有贷户数（borrowers_per_1000_households）
      村  日期        指标值  变动  分子  分母
      A   2026-05-30     0.0     –     0     7
          2026-05-31     0.0   0.0     0     7
          2026-06-30     0.0   0.0     0     7
      A2  2026-05-30     0.0     –     0     4
          2026-05-31     0.0   0.0     0     4
          2026-06-30     0.0   0.0     0     4

    说明
      - 2026-04-30：运行[run]无指标，由较早版本程序生成。
      - account_share：定义已变更（2026-05-30起版本1，2026-06-30起版本2）；各值口径不一，变更处不列变
        动。
    ");
}

#[test]
fn a_trend_is_of_every_indicator_and_ends_with_the_run() {
    let bank = TestBank::with_villages();
    bank.publish_four_dates();
    let all = bank.indicators(&["--since", "2026-05-31"]);
    assert_eq!(all.exit, 0, "{}", bank.shown(&all));
    assert_eq!(all.stdout.matches("\n  date ").count(), 47, "{}", all.stdout);
    let until = ["--since", "2026-05-31", "--run", "2026-05-31", "--id", "account_share"];
    insta::assert_snapshot!(bank.shown(&bank.indicators(&until)), @"
    exit: 0
    --- stdout
    Indicators of the bank, from 2026-05-31 to 2026-05-31 (run [run])
      Not published: a value that stays in the bank, for it would tell of few households.
      Change: against the date before; of shares in percentage points.

    Usage: Households with an account (account_share)
      date        value    change  numerator  denominator
      2026-05-31  18.18 %       –          2           11  not published

    Notes
      - Since 2026-05-31 one run is published only, as of 2026-05-31: nothing to compare with.
    ");
}

#[test]
fn indicators_answer_machines() {
    let bank = TestBank::with_villages();
    for as_of in ["2026-05-31", AS_OF] {
        assert_eq!(program::nightly(&bank.path(), as_of, &[]).exit, 0);
    }
    let ask = |arguments: &[&str]| -> serde_json::Value {
        let outcome = bank.indicators(&[arguments, &["--json"]].concat());
        assert_eq!((outcome.exit, outcome.stderr.as_str()), (0, ""), "{arguments:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let whole = ask(&[]);
    assert_eq!((&whole["level"], &whole["ref_id"]), (&"bank".into(), &"bank".into()));
    assert!(whole.get("trend").is_none());
    let indicators = whole["indicators"].as_array().unwrap();
    assert!(indicators.iter().all(|lines| lines["rows"].as_array().unwrap().len() == 1), "the breakdown `all` only");
    let trend = ask(&["--ref", "A2", "--id", "account_share", "--since", "2026-05-01"]);
    let runs = trend["trend"]["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| run["as_of"].as_str().unwrap()).collect::<Vec<_>>(), ["2026-05-31", AS_OF]);
    let lines = &trend["indicators"][0];
    insta::assert_snapshot!(serde_json::to_string_pretty(&lines["history"]).unwrap(), @r#"
    {
      "definitions": [
        {
          "version": "1",
          "period": "2026-05-31"
        }
      ],
      "periods_without": []
    }
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&lines["rows"][1]).unwrap(), @r#"
    {
      "version": "1",
      "level": "village",
      "ref_id": "A2",
      "breakdown": "all",
      "period": "2026-06-30",
      "numerator": "0.0000",
      "denominator": "4.0000",
      "value": 0.0,
      "unit": "share",
      "target": null,
      "met": null,
      "status": "A",
      "published_value": 0.0,
      "change": 0.0
    }
    "#);
}

#[test]
fn indicators_of_what_is_not_there() {
    let bank = TestBank::with_villages();
    insta::assert_snapshot!(bank.shown(&bank.indicators(&[])), @"
    exit: 1
    --- stderr
    error: there is no published run `latest` in `[bank]/runs`

    hint: nothing is published there yet
    ");
    assert_eq!(bank.nightly(&[]).exit, 0);
    let mut told = String::new();
    for arguments in [
        &["--id", "acount_share"][..],
        &["--id", "credit_theil_between", "--level", "village"],
        &["--ref", "a2"],
        &["--ref", "A2", "--level", "township"],
        &["--ref", "A4", "--level", "village"],
        &["--level", "county"],
        &["--since", "2026-07-01"],
    ] {
        let outcome = bank.indicators(arguments);
        assert_eq!((outcome.exit, outcome.stdout.as_str()), (2, ""), "{arguments:?}");
        told.push_str(&format!("{}: {}", arguments.join(" "), outcome.stderr));
    }
    let told = Outcome { exit: 2, stdout: String::new(), stderr: told };
    insta::assert_snapshot!(bank.shown(&told), @"
    exit: 2
    --- stderr
    --id acount_share: error: there is no indicator `acount_share` in run [run]

    hint: did you mean `account_share`?
    --id credit_theil_between --level village: error: `credit_theil_between` is not there by village in run [run]

    hint: its levels are: bank
    --ref a2: error: there is no branch or area `a2` in run [run]

    hint: there are: A, A2, A3, B, T, bank
    --ref A2 --level township: error: there is no township `A2` in run [run]

    hint: there is one by village: `--level village`
    --ref A4 --level village: error: there is no village `A4` in run [run]

    hint: did you mean `A`?
    --level county: error: run [run] has no indicators by county

    hint: its levels are: bank, branch, township, village, community
    --since 2026-07-01: error: 2026-07-01 is after 2026-06-30, the as-of date of run [run]

    hint: a trend begins on an earlier day, and ends with the run
    ");
    let level = bank.indicators(&["--level", "villag"]);
    assert!(level.exit == 2 && level.stderr.contains("village"), "{}", bank.shown(&level));
}

#[test]
fn an_id_of_two_levels_asks_which_is_meant() {
    let bank = TestBank::with(|bank| {
        bank.add("areas", &[("area_id", "B")]);
    });
    assert_eq!(bank.nightly(&[]).exit, 0);
    let told = bank.indicators(&["--ref", "B", "--id", "account_share"]);
    insta::assert_snapshot!(bank.shown(&told), @"
    exit: 2
    --- stderr
    error: `B` is there by branch and by village in run [run]

    hint: say which is meant: `--level branch` or `--level village`
    ");
    let branch = bank.indicators(&["--ref", "B", "--level", "branch", "--id", "account_share"]);
    assert!(branch.stdout.contains("Indicators of branch B"), "{}", bank.shown(&branch));
}

#[test]
fn an_indicator_that_left_the_catalogue_is_shown_by_its_id() {
    let bank = TestBank::with_villages();
    let rulebook = bank.rulebook_with_two_versions();
    let path = rulebook.join("indicators/account_share.toml");
    std::fs::write(rulebook.join("indicators/own_share.toml"), read(&path).replace("/account_share", "/own_share"))
        .unwrap();
    assert_eq!(bank.nightly(&["--rulebook", rulebook.to_str().unwrap()]).exit, 0);
    insta::assert_snapshot!(bank.shown(&bank.indicators(&["--id", "own_share"])), @"
    exit: 0
    --- stdout
    Indicators of the bank, as of 2026-06-30 (run [run])

    Not in the catalogue any more
      indicator      value    numerator  denominator
      own_share  27.272727 %          3           11

    `wellfield rule ID` prints a definition; `--id ID` adds the segments, `--since DATE` the trend.
    ");
}

#[test]
fn a_run_of_an_earlier_program_has_no_indicators() {
    let bank = TestBank::small();
    let run = program::published_night(&bank.path(), AS_OF, &[]);
    std::fs::remove_file(run.join("indicators.parquet")).unwrap();
    let outcome = bank.indicators(&[]);
    assert_eq!(outcome.exit, 1, "{}", bank.shown(&outcome));
    assert!(outcome.stderr.contains("has no table `indicators`"), "{}", bank.shown(&outcome));
}

#[test]
fn an_indicator_explains_itself() {
    insta::assert_snapshot!(shown(&["rule", "withdrawal_point_share"]), @"
    exit: 0
    --- stdout
    withdrawal_point_share (indicator)
      Villages with a withdrawal point in use
      dimension: access
      value: numerator / denominator
      numerator: villages_with_withdrawal_point: number of rows of `areas` (one area, of any level), where level = 'village' AND used_withdrawal_points_3m >= 1
      denominator: villages: number of rows of `areas` (one area, of any level), where level = 'village'
      numerator and denominator: the numerator is part of the denominator, so the value cannot pass 1
      areas.level: the area's level, highest first; village and community are the same level
      areas.used_withdrawal_points_3m: of open_points, the withdrawal points that were last used in the last 3 months
      not collected without: service_points
      unit: share
      decimals shown: 4
      levels: bank, county, township, village, community
      direction: more is better
      target: at least 1
      source of the target: Grid-service plan 15 of fifteen: grid service of a rural commercial bank, goal 3: every village [plan_15]
      definition version: 1
      in force since: 1990-01-01 (policies/indicators/withdrawal_point_share.toml)
      last checked: 2026-06-30
      source: Grid-service plan 15 of fifteen: grid service of a rural commercial bank (a rural commercial bank), goal 3: at least one withdrawal point in every village grid [plan_15]
    ");
    insta::assert_snapshot!(shown(&["rule", "inclusion_index"]), @"
    exit: 0
    --- stdout
    inclusion_index (indicator)
      Financial inclusion index
      dimension: equity
      value: the mean of two distances (Sarma 2012): √Σd² / √Σw² from the worst point and 1 − √Σ(w − d)² / √Σw² to the best one, where w is a component's weight and d = w × (value − worst) / (best − worst), held within 0 and w; no value where a component has none
      component: account_share: weight 1, from 0 (worst) to 1 (best)
      component: village_service_share: weight 0.5, from 0 (worst) to 1 (best)
      component: granting_share: weight 0.5, from 0 (worst) to 0.6 (best)
      unit: index
      decimals shown: 4
      levels: bank, county, township
      direction: more is better
      definition version: 1
      source of components: Own choice, without a document, the three indicators and the best granting share of 0.6 [house]
      in force since: 1990-01-01 (policies/indicators/inclusion_index.toml)
      last checked: 2026-06-30
      source: Index of Financial Inclusion: A measure of financial sector inclusiveness (Berlin Working Papers on Money, Finance, Trade and Development, No. 07/2012) (Mandira Sarma), the mean of the distance from the worst point and the inverse distance from the best; weights 1, 0.5 and 0.5 [sarma_2012]
    ");
}

#[test]
fn an_indicator_explains_itself_in_chinese_and_a_base_column_in_english() {
    insta::assert_snapshot!(shown(&["rule", "record_delay_p90_hours", "--lang", "zh"]), @"
    exit: 0
    --- stdout
    record_delay_p90_hours (普惠金融指标)
      走访录入时滞第90百分位数
      维度: 时效
      指标值: 最近秩分位数：n个观测值由小到大的第⌈0.9 × n⌉个
      观测值: visits：`visits`（近12个月内每次已知走访一行）各行的`record_delay_hours`，空值不计
      visits.record_delay_hours: 走访结束至系统录入的小时数；结束前录入的为负数
      单位: hours
      显示小数位: 1
      层级: 全行、网点、县、乡镇、村、社区
      方向: 越低越好
      定义版本: 1
      生效日期: 1990-01-01 (policies/indicators/record_delay_p90_hours.toml)
      最近核对: 2026-06-30
      依据: 自定标准（无外部依据）（本项目）, entries far behind the visit are written from memory [house]
    ");
    insta::assert_snapshot!(shown(&["rule", "used_withdrawal_points_3m"]), @"
    exit: 0
    --- stdout
    used_withdrawal_points_3m (column of base table)
      of open_points, the withdrawal points that were last used in the last 3 months
      of base table: areas
      type: a count
      unit: points
      may be null: false
    ");
}

#[test]
fn every_indicator_and_base_table_explains_itself_in_both_languages() {
    let files = std::fs::read_dir(repository().join("schemas/policies/indicators")).unwrap();
    let ids = files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
    let tables = ["households", "loans", "grids", "areas", "branches", "service_points", "visits"].map(String::from);
    for id in ids.chain(tables) {
        for language in ["en", "zh"] {
            let outcome = shown(&["rule", &id, "--lang", language]);
            assert!(outcome.starts_with(&format!("exit: 0\n--- stdout\n{id} (")), "{outcome}");
        }
    }
}
