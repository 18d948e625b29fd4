//! What a rulebook says when it is sound, and what it is refused with when it is not. Every fault is made by one edit of
//! the built-in files in memory, and must be told alone, with its file, its line and a hint.

use super::*;
use crate::calendar::Date;

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn built_in() -> RulebookTexts {
    RulebookPlace::BuiltIn.texts().unwrap()
}

fn load(texts: &RulebookTexts) -> Result<Rulebook> {
    Rulebook::from_texts(&RulebookPlace::BuiltIn, texts, day("2026-06-30"), FACTS)
}

fn load_built_in() -> Rulebook {
    load(&built_in()).unwrap()
}

fn decimal(text: &str) -> crate::decimal::Decimal {
    crate::decimal::Decimal::parse(text).unwrap()
}

/// Every fault of a rulebook, which all must have a hint.
fn faults(texts: &RulebookTexts) -> Vec<String> {
    let error = load(texts).expect_err("the rulebook should be refused");
    assert_eq!(error.exit_code(), 3);
    for fault in error.faults() {
        assert!(fault.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "no hint: {}", fault.message);
    }
    error.faults().iter().map(|fault| fault.message.clone()).collect()
}

/// The built-in files with the first `from` of one file written as `to`.
fn edited(name: &str, from: &str, to: &str) -> RulebookTexts {
    let mut texts = built_in();
    let text = texts.get_mut(name).unwrap();
    assert!(text.contains(from), "`{name}` has no `{from}`");
    *text = text.replacen(from, to, 1);
    texts
}

/// The line on which `anchor` first stands.
fn line_of(text: &str, anchor: &str) -> usize {
    let position = text.find(anchor).unwrap_or_else(|| panic!("no `{anchor}` in the edited file"));
    1 + text[..position].matches('\n').count()
}

/// One edit, and the sentences that it must be refused with: each is told on the line of its anchor.
struct Refusal {
    from: &'static str,
    to: &'static str,
    sentences: &'static [(&'static str, &'static str)],
}

const fn refusal(from: &'static str, to: &'static str, sentences: &'static [(&'static str, &'static str)]) -> Refusal {
    Refusal { from, to, sentences }
}

fn check(name: &str, refusals: &[Refusal]) {
    for refusal in refusals {
        let texts = edited(name, refusal.from, refusal.to);
        let text = texts.get(name).unwrap();
        let expected: Vec<String> = refusal
            .sentences
            .iter()
            .map(|(anchor, sentence)| format!("`policies/{name}` line {}: {sentence}", line_of(text, anchor)))
            .collect();
        assert_eq!(faults(&texts), expected, "`{name}` with `{}` for `{}`", refusal.to, refusal.from);
    }
}

#[test]
fn the_built_in_rulebook_is_sound() {
    let rulebook = load_built_in();
    assert_eq!(rulebook.as_of, day("2026-06-30"));
    let files: Vec<&str> = rulebook.in_force.iter().map(|version| version.policy.as_str()).collect();
    let mut expected: Vec<String> = POLICIES.iter().map(ToString::to_string).collect();
    expected.extend(["business", "farm_household", "resident"].map(|card| format!("scorecards/{card}")));
    assert_eq!(files, expected);
    for version in &rulebook.in_force {
        assert_eq!((version.valid_from, version.last_checked), (day("2020-01-01"), day("2026-06-30")));
        assert!(rulebook.sources.contains_key(&version.source.id));
        assert_eq!(version.file, format!("policies/{}.toml", version.policy));
    }
    for plan in 1..=15 {
        assert!(rulebook.sources.contains_key(&format!("plan_{plan:02}")));
    }
}

#[test]
fn the_digest_is_of_the_files_and_not_of_their_place() {
    let digest = load_built_in().digest;
    assert_eq!(digest.len(), 64);
    let elsewhere = RulebookPlace::Folder("rulebook".into());
    let moved = Rulebook::from_texts(&elsewhere, &built_in(), day("2024-02-29"), FACTS).unwrap();
    assert_eq!(moved.digest, digest);
    let changed = edited("conduct.toml", "honoured_max = 10", "honoured_max = 9");
    assert_ne!(load(&changed).unwrap().digest, digest);
    let remark = edited("conduct.toml", "# Conduct", "# conduct");
    assert_ne!(load(&remark).unwrap().digest, digest);
}

#[test]
fn values_have_their_exact_units() {
    let rulebook = load_built_in();
    assert_eq!(
        rulebook.visit_checks,
        VisitChecks {
            minutes_min: 5,
            distance_max_m: 500,
            speed_max_kmh: 120,
            speed_distance_min_m: 1000,
            record_hours_max: 72,
            day_starts_minute: 420,
            day_ends_minute: 1260,
        }
    );
    let bands: Vec<(&str, i32)> = rulebook.scale.grades.iter().map(|one| (one.grade.as_str(), one.at_least)).collect();
    assert_eq!(bands, [("AAA", 900), ("AA", 800), ("A", 700), ("B", 600), ("C", 0)]);
    assert_eq!((rulebook.scale.veto_grade.as_str(), rulebook.scale.upgrade_margin), ("D", 20));
    let limits = &rulebook.limits;
    let best = &limits.grades[0];
    assert_eq!(
        (best.cap_cents, best.income_multiple, best.net_asset_ratio),
        (20_000_000, decimal("2"), decimal("0.5"))
    );
    assert_eq!((best.spread_bp, best.annual_rate, best.annuity_factor_millionths), (200, decimal("0.05"), 33_365_701));
    assert_eq!((limits.step_cents, limits.minimum_cents, limits.hold_cents), (100_000, 500_000, 300_000));
    assert_eq!(limits.optional_caps, Vec::<String>::new());
    let funds: Vec<_> =
        rulebook.grid_funding.work_fund.iter().map(|band| (band.households_max, band.amount_cents)).collect();
    assert_eq!(funds, [(Some(5000), 2_000_000), (Some(9999), 3_000_000), (None, 4_000_000)]);
    assert_eq!(rulebook.run.quarantine_share_max, decimal("0.01"));
    assert_eq!(rulebook.credit_villages.stars[2].bad_share_max, decimal("0.01"));
    assert_eq!(rulebook.coverage_targets.years[1].rural, decimal("0.9"));
}

#[test]
fn scorecards_are_read_as_they_are_signed() {
    let rulebook = load_built_in();
    let sizes: Vec<_> = rulebook.scorecards.iter().map(|card| (card.id.as_str(), card.characteristics.len())).collect();
    assert_eq!(sizes, [("business", 14), ("farm_household", 16), ("resident", 16)]);
    let farm = &rulebook.scorecards[1];
    let debt = farm.characteristics.iter().find(|one| one.fact == "debt_to_assets").unwrap();
    assert_eq!((debt.direction, debt.max_points(), debt.missing_points), (Direction::AtMost, 50, 0));
    let bins: Vec<_> = debt.bins.iter().map(|bin| (bin.bound, bin.points)).collect();
    let bound = |text| Some(decimal(text));
    assert_eq!(bins, [(bound("0.2"), 50), (bound("0.4"), 35), (bound("0.6"), 15), (None, 0)]);
    assert_eq!(farm.blocks[debt.block].id, "capital");
    let off = edited("scorecards/farm_household.toml", "max_points = 8, is_on = true", "max_points = 8, is_on = false");
    assert!(!load(&off).unwrap().scorecards[1].blocks[4].is_on);
}

#[test]
fn vetoes_keep_their_order_condition_and_basis() {
    let vetoes = load_built_in().vetoes;
    let codes: Vec<&str> = vetoes.iter().map(|veto| veto.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "V01_dishonest_judgment",
            "V02_fraud",
            "V03_deceased",
            "V04_past_due_90",
            "V05_bad_class_12m",
            "V06_conduct",
            "V07_peers"
        ]
    );
    assert_eq!(vetoes[0].condition, VetoCondition::Watchlist { list_name: "dishonest_judgment".to_owned() });
    let past_due = VetoCondition::MoreThan { fact: "days_past_due_now".to_owned(), bound: decimal("90") };
    assert_eq!((&vetoes[3].condition, vetoes[3].look_back_months, vetoes[3].is_overridable), (&past_due, None, false));
    assert_eq!((vetoes[6].look_back_months, vetoes[6].is_overridable), (Some(24), true));
    assert_eq!(vetoes[5].legal_basis.id, "plan_13");
}

#[test]
fn a_file_that_is_not_sound_toml_is_refused() {
    check(
        "conduct.toml",
        &[
            refusal("notice_days = 5", "notice_days 5", &[("notice_days 5", "the file is not TOML")]),
            refusal(
                "notice_days",
                "notice_dayz",
                &[
                    ("[[versions]]", "the key `notice_days` is missing"),
                    ("notice_dayz", "the key `notice_dayz` is unknown here"),
                ],
            ),
            refusal(
                "policy = \"conduct\"",
                "policy = \"run\"",
                &[("policy =", "the policy `run` does not bear the name of its file")],
            ),
            refusal("honoured_max = 10", "honoured_max = \"10\"", &[("honoured_max", "`honoured_max` is a text")]),
            refusal(
                "honoured_max = 10",
                "honoured_max = 0xA",
                &[("honoured_max", "`honoured_max` is a number in another notation than the decimal one")],
            ),
            refusal("honoured_max = 10", "honoured_max = 2.5", &[("honoured_max", "`honoured_max` is 2.5")]),
            refusal("honoured_max = 10", "honoured_max = -1", &[("honoured_max", "`honoured_max` is -1")]),
            refusal(
                "honoured_max = 10",
                "honoured_max = 1.0000000000000001",
                &[("honoured_max", "`honoured_max` is 1.0000000000000001, which cannot be kept exactly")],
            ),
            refusal(
                "honoured_max = 10",
                "honoured_max = 1e1",
                &[("honoured_max", "`honoured_max` is 1e1, which cannot be kept exactly")],
            ),
        ],
    );
}

#[test]
fn the_head_of_a_version_is_checked() {
    check(
        "disclosure.toml",
        &[
            refusal("last_checked = 2026-06-30\n", "", &[("[[versions]]", "the key `last_checked` is missing")]),
            refusal(
                "valid_from = 2020-01-01",
                "valid_from = \"2020-01-01\"",
                &[("valid_from", "`valid_from` is a text")],
            ),
            refusal(
                "valid_from = 2020-01-01",
                "valid_from = 2020-01-01T00:00:00",
                &[("valid_from", "`valid_from` is a moment")],
            ),
            refusal(
                "\"disclosure_practice\"",
                "\"a_good_friend\"",
                &[("source = ", "the source `a_good_friend` is not in sources.toml")],
            ),
            refusal("the usual minimum frequency", " ", &[("source = ", "`provision` is empty")]),
            refusal(
                "cell_min = 3",
                "cell_min = 3\nvalid_to = 2020-01-01",
                &[
                    // It is then also in force on no day.
                    ("[[versions]]", "no version is in force on 2026-06-30"),
                    ("valid_to", "`valid_to` 2020-01-01 is not after `valid_from` 2020-01-01"),
                ],
            ),
            refusal(
                "cell_min = 3",
                "cell_min = 3\nvalue_sources = { cell_max = { id = \"house\", provision = \"none\" } }",
                &[("value_sources", "`cell_max` is no value of this version, so it has no source")],
            ),
            refusal(
                "name = { en = \"Disclosure\", zh = \"对外披露\" }",
                "name = { en = \"Disclosure\" }",
                &[("name =", "the key `zh` is missing")],
            ),
        ],
    );
}

/// A second version of `disclosure` from a day, and whatever ends the first.
fn two_versions(first_ends: &str, second_begins: &str) -> RulebookTexts {
    let second = format!(
        "cell_min = 3\n{first_ends}\n[[versions]]\nvalid_from = {second_begins}\nlast_checked = 2026-06-30\n\
         source = {{ id = \"house\", provision = \"stricter\" }}\ncell_min = 10"
    );
    edited("disclosure.toml", "cell_min = 3", &second)
}

#[test]
fn the_version_of_the_day_is_in_force() {
    let texts = two_versions("valid_to = 2026-06-30", "2026-06-30");
    for (as_of, cell_min) in [("2020-01-01", 3), ("2026-06-29", 3), ("2026-06-30", 10), ("2030-01-01", 10)] {
        let rulebook = Rulebook::from_texts(&RulebookPlace::BuiltIn, &texts, day(as_of), FACTS).unwrap();
        assert_eq!(rulebook.disclosure.cell_min, cell_min, "{as_of}");
    }
}

#[test]
fn versions_that_overlap_or_are_out_of_order_are_refused() {
    let overlap = |line, begins| {
        format!(
            "`policies/disclosure.toml` line {line}: the version valid from {begins} overlaps the one on line 7, which still holds"
        )
    };
    assert_eq!(faults(&two_versions("", "2026-07-01")), [overlap(14, "2026-07-01")]);
    assert_eq!(faults(&two_versions("valid_to = 2026-07-02", "2026-07-01")), [overlap(14, "2026-07-01")]);
    let disorder = "`policies/disclosure.toml` line 14: the version valid from 2019-07-01 stands after the one valid from 2020-01-01";
    assert_eq!(faults(&two_versions("", "2019-07-01")), [disorder]);
    // A fault in a version that is not in force is a fault of the file.
    let mut texts = two_versions("valid_to = 2027-01-01", "2027-01-01");
    let text = texts.get_mut("disclosure.toml").unwrap();
    *text = text.replace("cell_min = 10", "cell_min = 0");
    assert_eq!(faults(&texts), ["`policies/disclosure.toml` line 17: `cell_min` is 0"]);
}

#[test]
fn a_day_without_a_version_is_refused_with_the_earliest() {
    let error = Rulebook::from_texts(&RulebookPlace::BuiltIn, &built_in(), day("2019-12-31"), FACTS).unwrap_err();
    assert_eq!(error.faults().len(), POLICIES.len() + 3);
    for fault in error.faults() {
        assert!(fault.message.ends_with("no version is in force on 2019-12-31"), "{}", fault.message);
        assert!(fault.hint.as_ref().unwrap().contains("valid from 2020-01-01"));
    }
    let gap = two_versions("valid_to = 2026-06-30", "2026-07-01");
    assert_eq!(faults(&gap), ["`policies/disclosure.toml` line 7: no version is in force on 2026-06-30"]);
}

#[test]
fn a_folder_must_be_complete_and_hold_nothing_else() {
    let mut texts = built_in();
    texts.remove("run.toml");
    texts.insert("runs.toml".to_owned(), "policy = \"runs\"".to_owned());
    texts.insert("old/limits.toml".to_owned(), String::new());
    let place = RulebookPlace::Folder("county/rulebook".into());
    let error = Rulebook::from_texts(&place, &texts, day("2026-06-30"), FACTS).unwrap_err();
    let messages: Vec<&str> = error.faults().iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`county/rulebook/old/limits.toml` is not a file of a rulebook",
            "`county/rulebook/run.toml` is missing",
            "`county/rulebook/runs.toml` is not a file of a rulebook"
        ]
    );
    assert!(error.faults()[0].hint.as_ref().unwrap().contains("grade_scale.toml"));
}

#[test]
fn without_scorecards_a_rulebook_is_refused() {
    let mut texts = built_in();
    texts.retain(|name, _| !name.starts_with("scorecards/"));
    assert_eq!(faults(&texts), ["`policies/scorecards/` holds no scorecard"]);
}

#[test]
fn faults_of_all_files_are_told_at_once() {
    let mut texts = edited("run.toml", "quarantine_share_max = 0.01", "quarantine_share_max = 1.01");
    let conduct = edited("conduct.toml", "notice_days = 5", "notice_days = -5\nhonored_max = 3");
    texts.insert("conduct.toml".to_owned(), conduct["conduct.toml"].clone());
    let messages = faults(&texts);
    let starts =
        ["`policies/conduct.toml` line 12:", "`policies/conduct.toml` line 13:", "`policies/run.toml` line 11:"];
    assert_eq!(messages.len(), starts.len(), "{messages:#?}");
    for (message, start) in messages.iter().zip(starts) {
        assert!(message.starts_with(start), "{message} does not start with {start}");
    }
}

#[test]
fn a_bank_adds_sources_but_changes_none() {
    let own = |id: &str| {
        let entry = "title = { en = \"Board\", zh = \"董事会决议\" }\nissuer = { en = \"The bank\", zh = \"本行\" }\ndate = 2026-01-05";
        let mut texts = edited("disclosure.toml", "\"disclosure_practice\"", "\"board\"");
        texts.insert("sources.toml".to_owned(), format!("[[sources]]\nid = \"{id}\"\n{entry}\n"));
        texts
    };
    let rulebook = load(&own("board")).unwrap();
    assert_eq!(rulebook.sources["board"].date, Some(day("2026-01-05")));
    assert_eq!(rulebook.sources["house"].date, None);
    assert_eq!(
        faults(&own("house")),
        [
            "`policies/disclosure.toml` line 10: the source `board` is not in sources.toml",
            "`policies/sources.toml` line 2: the source `house` is already listed with other words"
        ]
    );
}

#[test]
fn visit_checks_and_facts_are_checked() {
    check(
        "visit_checks.toml",
        &[
            refusal("minutes_min = 5", "minutes_min = -5", &[("minutes_min = -5", "`minutes_min` is -5")]),
            refusal(
                "day_ends = 21:00:00",
                "day_ends = 07:00:00",
                &[("day_starts = ", "the day does not start before it ends, so every visit is at odd hours")],
            ),
            refusal("day_ends = 21:00:00", "day_ends = 21:00:30", &[("day_ends = 21", "`day_ends` is a time of day")]),
            refusal("day_ends = 21:00:00", "day_ends = \"21:00\"", &[("day_ends = ", "`day_ends` is a text")]),
        ],
    );
    check(
        "fact_rules.toml",
        &[
            refusal(
                "completeness_min = 0.6",
                "completeness_min = 60",
                &[("completeness_min = ", "`completeness_min` is 60")],
            ),
            refusal(
                "peer_reviews_min = 3",
                "peer_reviews_min = 0",
                &[("peer_reviews_min = ", "`peer_reviews_min` is 0")],
            ),
        ],
    );
}

#[test]
fn a_scale_has_no_gap_no_overlap_and_no_double() {
    let (aa, c) = ("{ grade = \"AA\", at_least = 80, below = 90 }", "{ grade = \"C\", at_least = 0, below = 60 }");
    check(
        "grade_scale.toml",
        &[
            refusal(
                "below = 90",
                "below = 89.9",
                &[("\"AA\", a", "there is a gap between the band `AA` and the better band `AAA`")],
            ),
            refusal(
                "below = 90",
                "below = 90.1",
                &[("\"AA\", a", "there is an overlap between the band `AA` and the better band `AAA`")],
            ),
            refusal(
                "at_least = 90, at_most = 100",
                "at_least = 90, at_most = 99",
                &[("\"AAA\", a", "the best band does not reach 100, so some scores have no band")],
            ),
            refusal(
                "at_least = 90, at_most = 100",
                "at_least = 100.5, at_most = 100",
                &[
                    ("\"AAA\", a", "the band `AAA` is empty"),
                    ("\"AA\", a", "there is a gap between the band `AA` and the better band `AAA`"),
                ],
            ),
            refusal(
                "at_least = 90, at_most = 100",
                "at_least = 90, below = 100",
                &[
                    ("\"AAA\", a", "the key `at_most` is missing"),
                    ("\"AAA\", a", "the key `below` is unknown here"),
                    ("\"AA\", a", "the key `at_most` is missing"),
                    ("\"AA\", a", "the key `below` is unknown here"),
                    ("\"A\", a", "there is a gap"),
                ],
            ),
            refusal(
                "at_least = 0, below = 60",
                "at_least = 10, below = 60",
                &[("\"C\", a", "the lowest band does not begin at 0, so some scores have no band")],
            ),
            refusal(
                "at_least = 80",
                "at_least = 90",
                &[
                    ("\"AA\", a", "the band `AA` does not begin below the better band `AAA`"),
                    ("\"A\", a", "there is a gap between the band `A` and the better band `AA`"),
                ],
            ),
            refusal("at_least = 80", "at_least = 80.25", &[("\"AA\", a", "`at_least` is 80.25")]),
            refusal("upgrade_margin = 2", "upgrade_margin = -2", &[("upgrade_margin = ", "`upgrade_margin` is -2")]),
            refusal(
                "veto_grade = \"D\"",
                "veto_grade = \"C\"",
                &[("veto_grade", "the veto grade `C` is also a band, so a score could earn it")],
            ),
            refusal(
                "veto_grade = \"D\"",
                "veto_grade = \"NR\"",
                &[("bands = ", "a grade is called `NR`, the word for households that are not rateable")],
            ),
        ],
    );
    let _ = (aa, c);
}
