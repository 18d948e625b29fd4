//! What a rulebook says when it is sound, and what it is refused with when it is not. Every fault is made by one edit of
//! the built-in files in memory, and must be told alone, with its file, its line and a hint.
#![allow(clippy::disallowed_methods)]

use super::*;
use crate::calendar::Date;

pub(super) fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

pub(super) fn built_in() -> RulebookTexts {
    RulebookPlace::BuiltIn.texts().unwrap()
}

pub(super) fn load(texts: &RulebookTexts) -> Result<Rulebook> {
    load_on(&RulebookPlace::BuiltIn, texts, "2026-06-30")
}

pub(super) fn load_on(place: &RulebookPlace, texts: &RulebookTexts, as_of: &str) -> Result<Rulebook> {
    Rulebook::from_texts(place, texts, day(as_of), FACTS, &Contracts::built_in().unwrap())
}

pub(super) fn load_built_in() -> Rulebook {
    load(&built_in()).unwrap()
}

fn decimal(text: &str) -> crate::decimal::Decimal {
    crate::decimal::Decimal::parse(text).unwrap()
}

/// Every fault of a rulebook, which all must have a hint.
pub(super) fn faults(texts: &RulebookTexts) -> Vec<String> {
    let error = load(texts).expect_err("the rulebook should be refused");
    assert_eq!(error.exit_code(), 3);
    for fault in error.faults() {
        assert!(fault.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "no hint: {}", fault.message);
    }
    error.faults().iter().map(|fault| fault.message.clone()).collect()
}

/// The built-in files with the first `from` of one file written as `to`.
pub(super) fn edited(name: &str, from: &str, to: &str) -> RulebookTexts {
    let mut texts = built_in();
    let text = texts.get_mut(name).unwrap();
    assert!(text.contains(from), "`{name}` has no `{from}`");
    *text = text.replacen(from, to, 1);
    texts
}

/// The line on which `anchor` first stands.
pub(super) fn line_of(text: &str, anchor: &str) -> usize {
    let position = text.find(anchor).unwrap_or_else(|| panic!("no `{anchor}` in the edited file"));
    1 + text[..position].matches('\n').count()
}

/// One edit, and the sentences that it must be refused with: each is told on the line of its anchor.
pub(super) struct Refusal {
    from: &'static str,
    to: &'static str,
    sentences: &'static [(&'static str, &'static str)],
}

pub(super) const fn refusal(
    from: &'static str,
    to: &'static str,
    sentences: &'static [(&'static str, &'static str)],
) -> Refusal {
    Refusal { from, to, sentences }
}

pub(super) fn check(name: &str, refusals: &[Refusal]) {
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
    expected.extend(rulebook.indicators.iter().map(|indicator| format!("indicators/{}", indicator.id)));
    assert_eq!(rulebook.indicators.len(), 47);
    assert_eq!(files, expected);
    for version in &rulebook.in_force {
        assert_eq!((version.valid_from, version.last_checked), (day("1990-01-01"), day("2026-06-30")));
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
    let moved = load_on(&elsewhere, &built_in(), "2024-02-29").unwrap();
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
                "valid_from = 1990-01-01",
                "valid_from = \"1990-01-01\"",
                &[("valid_from", "`valid_from` is a text")],
            ),
            refusal(
                "valid_from = 1990-01-01",
                "valid_from = 1990-01-01T00:00:00",
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
                "cell_min = 3\nvalid_to = 1990-01-01",
                &[
                    // It is then also in force on no day.
                    ("[[versions]]", "no version is in force on 2026-06-30"),
                    ("valid_to", "`valid_to` 1990-01-01 is not after `valid_from` 1990-01-01"),
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
    for (as_of, cell_min) in [("1990-01-01", 3), ("2026-06-29", 3), ("2026-06-30", 10), ("2030-01-01", 10)] {
        let rulebook = load_on(&RulebookPlace::BuiltIn, &texts, as_of).unwrap();
        assert_eq!(rulebook.disclosure.cell_min, cell_min, "{as_of}");
    }
}

#[test]
fn versions_that_overlap_or_are_out_of_order_are_refused() {
    let overlap = |line, begins| {
        format!(
            "`policies/disclosure.toml` line {line}: the version valid from {begins} overlaps the one on line 8, which still holds"
        )
    };
    assert_eq!(faults(&two_versions("", "2026-07-01")), [overlap(15, "2026-07-01")]);
    assert_eq!(faults(&two_versions("valid_to = 2026-07-02", "2026-07-01")), [overlap(15, "2026-07-01")]);
    let disorder = "`policies/disclosure.toml` line 15: the version valid from 1989-07-01 stands after the one valid from 1990-01-01";
    assert_eq!(faults(&two_versions("", "1989-07-01")), [disorder]);
    // A fault in a version that is not in force is a fault of the file.
    let mut texts = two_versions("valid_to = 2027-01-01", "2027-01-01");
    let text = texts.get_mut("disclosure.toml").unwrap();
    *text = text.replace("cell_min = 10", "cell_min = 0");
    assert_eq!(faults(&texts), ["`policies/disclosure.toml` line 18: `cell_min` is 0"]);
}

#[test]
fn a_day_without_a_version_is_refused_with_the_earliest() {
    let error = load_on(&RulebookPlace::BuiltIn, &built_in(), "1989-12-31").unwrap_err();
    assert_eq!(error.faults().len(), POLICIES.len() + 3);
    for fault in error.faults() {
        assert!(fault.message.ends_with("no version is in force on 1989-12-31"), "{}", fault.message);
        assert!(fault.hint.as_ref().unwrap().contains("valid from 1990-01-01"));
    }
    let gap = two_versions("valid_to = 2026-06-30", "2026-07-01");
    assert_eq!(faults(&gap), ["`policies/disclosure.toml` line 8: no version is in force on 2026-06-30"]);
}

#[test]
fn a_folder_must_be_complete_and_hold_nothing_else() {
    let mut texts = built_in();
    texts.remove("run.toml");
    texts.insert("runs.toml".to_owned(), "policy = \"runs\"".to_owned());
    texts.insert("old/limits.toml".to_owned(), String::new());
    let place = RulebookPlace::Folder("county/rulebook".into());
    let error = load_on(&place, &texts, "2026-06-30").unwrap_err();
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
        ["`policies/conduct.toml` line 12:", "`policies/conduct.toml` line 13:", "`policies/run.toml` line 18:"];
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
            "`policies/disclosure.toml` line 11: the source `board` is not in sources.toml",
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
                &[("\"AAA\", a", "the best band does not end at 100, so some scores have no band")],
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
                &[("\"AAA\", a", "the key `at_most` is missing"), ("\"AAA\", a", "the key `below` is unknown here")],
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
}

#[test]
fn limits_follow_the_scale() {
    let row = "    { grade = \"B\", cap = 50_000, income_multiple = 0.8, net_asset_ratio = 0.20, spread_bp = 275 },\n";
    let other =
        "    { grade = \"E\", cap = 50_000, income_multiple = 0.8, net_asset_ratio = 0.20, spread_bp = 275 },\n";
    let message = |line: usize, sentence: &str| format!("`policies/limits.toml` line {line}: {sentence}");
    let version = line_of(&built_in()["limits.toml"], "[[versions]]");
    let missing = message(version, "the grade `B` of the grade scale has no limits");
    assert_eq!(faults(&edited("limits.toml", row, "")), std::slice::from_ref(&missing));
    let unknown = message(version, "there are limits for `E`, which the grade scale does not give");
    assert_eq!(faults(&edited("limits.toml", row, other)), [missing, unknown]);
    let same = "cap = 20_000, income_multiple = 0.5, net_asset_ratio = 0.10, spread_bp = 300";
    let mut swapped = edited("limits.toml", row, &format!("    {{ grade = \"C\", {same} }},\n"));
    let text = swapped.get_mut("limits.toml").unwrap();
    let last = text.rfind("{ grade = \"C\"").unwrap();
    text.replace_range(last..last + 13, "{ grade = \"B\"");
    assert_eq!(faults(&swapped), [message(version, "the grades do not stand in the order of the grade scale")]);
}

#[test]
fn a_scale_of_next_year_needs_its_limits_today() {
    let second = "upgrade_margin = 2\nvalid_to = 2027-01-01\n[[versions]]\nvalid_from = 2027-01-01\n\
                  last_checked = 2026-06-30\nsource = { id = \"house\", provision = \"fewer grades\" }\n\
                  bands = [{ grade = \"AAA\", at_least = 50, at_most = 100 }, { grade = \"A\", at_least = 0, below = 50 }]\n\
                  veto_grade = \"D\"\nupgrade_margin = 2";
    let texts = edited("grade_scale.toml", "upgrade_margin = 2", second);
    let messages = faults(&texts);
    assert_eq!(messages.len(), 4, "{messages:#?}");
    assert!(messages[0].ends_with("the credit grade `AA` is not in the grade scale"), "{messages:#?}");
    assert!(messages[1..].iter().all(|message| message.starts_with("`policies/limits.toml` line ")), "{messages:#?}");
}

#[test]
fn limits_are_checked() {
    check(
        "limits.toml",
        &[
            refusal(
                "cap = 150_000",
                "cap = 250_000",
                &[("\"AA\", cap", "`cap` of `AA` is more than that of the better grade `AAA`")],
            ),
            refusal(
                "income_multiple = 1.5",
                "income_multiple = 2.1",
                &[("\"AA\", cap", "`income_multiple` of `AA` is more than that of the better grade `AAA`")],
            ),
            refusal(
                "net_asset_ratio = 0.40",
                "net_asset_ratio = 0.51",
                &[("\"AA\", cap", "`net_asset_ratio` of `AA` is more than that of the better grade `AAA`")],
            ),
            refusal("cap = 20_000", "cap = -1", &[("\"C\", cap", "`cap` is -1")]),
            refusal("cap = 20_000", "cap = 0.001", &[("\"C\", cap", "`cap` is 0.001")]),
            refusal(
                "spread_bp = 300",
                "spread_bp = 9701",
                &[("\"C\", cap", "a spread of 9701 basis points makes the rate more than 1")],
            ),
            refusal("spread_bp = 300", "spread_bp = -5", &[("\"C\", cap", "`spread_bp` is -5")]),
            refusal("reference_rate = 0.03", "reference_rate = 3.00", &[("reference_rate =", "`reference_rate` is 3")]),
            refusal("service_share = 0.5", "service_share = 1.1", &[("service_share = 1.1", "`service_share` is 1.1")]),
            refusal("term_months = 36", "term_months = 0", &[("term_months", "`term_months` is 0")]),
            refusal("term_months = 36", "term_months = 601", &[("term_months", "`term_months` is 601")]),
            refusal("outside_weight = 1.0", "outside_weight = -1.0", &[("outside_weight", "`outside_weight` is -1")]),
            refusal(
                "guarantee_weight = 0.5",
                "guarantee_weight = -0.5",
                &[("guarantee_weight =", "`guarantee_weight` is -0.5")],
            ),
            refusal("step = 1_000", "step = 0", &[("step =", "`step` is 0")]),
            refusal("step = 1_000", "step = -1_000", &[("step =", "`step` is -1000")]),
            refusal("minimum = 5_000", "minimum = -1", &[("minimum =", "`minimum` is -1")]),
            refusal("hold = 3_000", "hold = -1", &[("hold =", "`hold` is -1")]),
            refusal(
                "optional_caps = []",
                "optional_caps = [\"cap_grade\"]",
                &[("optional_caps = ", "`cap_grade` in `optional_caps` is unknown")],
            ),
            refusal(
                "optional_caps = []",
                "optional_caps = [\"cap_service\", \"cap_service\"]",
                &[("optional_caps = ", "`cap_service` stands twice in `optional_caps`")],
            ),
            refusal(
                "grade = \"C\"",
                "grade = \"B\"",
                &[
                    ("[[versions]]", "the grade `C` of the grade scale has no limits"),
                    ("[[versions]]", "the grades do not stand in the order of the grade scale"),
                    ("\"B\", cap = 20", "the grade `B` stands twice"),
                ],
            ),
        ],
    );
}

#[test]
fn a_limit_without_interest_divides_the_debt() {
    let mut texts = edited("limits.toml", "reference_rate = 0.03", "reference_rate = 0");
    let text = texts.get_mut("limits.toml").unwrap();
    *text = text.replace("spread_bp = 200", "spread_bp = 0");
    assert_eq!(load(&texts).unwrap().limits.grades[0].annuity_factor_millionths, 36_000_000);
}

#[test]
fn vetoes_are_checked() {
    check(
        "vetoes.toml",
        &[
            refusal("fact = \"peer_vetoes\"", "fact = \"party\"", &[("fact = \"party\"", "there is no fact `party`")]),
            refusal(
                "look_back_months = 24",
                "look_back_months = 12",
                &[(
                    "look_back_months = 12\nis_overridable = true\nlegal_basis = { id = \"whole",
                    "the fact `peer_vetoes` looks back 24 months and the veto does not say so",
                )],
            ),
            refusal(
                "look_back_months = 24\n",
                "",
                &[(
                    "[[versions.vetoes]]\ncode = \"V07",
                    "the fact `peer_vetoes` looks back 24 months and the veto does not say so",
                )],
            ),
            refusal(
                "look_back_months = 24",
                "look_back_months = 61",
                &[("look_back_months = 61", "a veto may not look back for more than 60 months")],
            ),
            refusal(
                "more_than = 90",
                "more_than = 90\nlook_back_months = 12",
                &[("look_back_months = 12", "the fact `days_past_due_now` does not look back")],
            ),
            refusal(
                "watchlist = \"fraud\"",
                "watchlist = \"fraud\"\nlook_back_months = 12",
                &[("look_back_months = 12", "a watchlist has no look-back")],
            ),
            refusal(
                "watchlist = \"fraud\"",
                "watchlist = \"relatives\"",
                &[("watchlist = \"relatives\"", "`relatives` in `watchlist` is unknown")],
            ),
            refusal("watchlist = \"fraud\"\n", "", &[("code = \"V02", "the veto does not have exactly one condition")]),
            refusal(
                "more_than = 90",
                "more_than = 90\nat_least = 91",
                &[("fact = \"days_past", "the condition does not have exactly one bound")],
            ),
            refusal("more_than = 90", "more_than = 90.5", &[("more_than = 90.5", "`more_than` is 90.5")]),
            refusal(
                "\"V02_fraud\"",
                "\"V03_deceased\"",
                &[("code = \"V03_deceased\"\nname = { en = \"Head", "the veto `V03_deceased` stands twice")],
            ),
            refusal("bank rule: no credit after fraud", "", &[("provision = \"\"", "`provision` is empty")]),
        ],
    );
}

#[test]
fn characteristics_are_checked() {
    let first = "fact = \"on_time_share_24m\"";
    check(
        "scorecards/farm_household.toml",
        &[
            refusal(first, "fact = \"religion\"", &[("fact = \"religion\"", "there is no fact `religion`")]),
            refusal(
                first,
                "fact = \"net_assets\"",
                &[
                    // Its bounds are read as amounts, so only the second use is a fault.
                    ("fact = \"net_assets\"\nblock = \"capital\"", "the fact `net_assets` is used twice in the card"),
                ],
            ),
            refusal(
                "block = \"capital\"",
                "block = \"wealth\"",
                &[("block = \"wealth\"", "there is no block `wealth`")],
            ),
            refusal(
                "missing_points = 9",
                "missing_points = 15",
                &[("missing_points = 15", "a household without `on_time_share_24m` gets the points of the best bin")],
            ),
            refusal("missing_points = 9", "missing_points = -1", &[("missing_points = -1", "`missing_points` is -1")]),
            refusal(
                "missing_points = 9",
                "missing_points = 9.25",
                &[("missing_points = 9.25", "`missing_points` is 9.25")],
            ),
        ],
    );
}

#[test]
fn bins_are_checked() {
    check(
        "scorecards/farm_household.toml",
        &[
            refusal("at_most = 0.4, points = 3.5", "at_most = 0.4, points = 3.55", &[("3.55", "`points` is 3.55")]),
            refusal(
                "at_most = 0.4, points = 3.5",
                "at_most = 0.4, points = 1",
                &[(
                    "points = 1 }, { at_most = 0.6",
                    "a worse bin gives more points than the one above it (1.5 after 1.0)",
                )],
            ),
            refusal(
                "at_most = 0.4",
                "at_most = 0.2",
                &[("{ at_most = 0.2, points = 3.5 }", "the bound 0.2 after 0.2 is out of order")],
            ),
            refusal(
                "at_least = 0.90",
                "at_least = 0.99",
                &[("at_least = 0.99", "the bound 0.99 after 0.98 is out of order")],
            ),
            refusal(
                "at_least = 0.90",
                "at_most = 0.90",
                &[("at_most = 0.90", "`at_least` and `at_most` are mixed in one characteristic")],
            ),
            refusal(
                "at_least = 0.90, ",
                "",
                &[("{ points = 11 }", "a bin without a bound stands before the last, so no bin below it can fit")],
            ),
            refusal(
                "at_least = 0.90",
                "at_least = 0.90, at_most = 0.95",
                &[("at_most = 0.95", "a bin has two bounds")],
            ),
            refusal(
                "points = 6 }, { points = 0 }",
                "points = 6 }",
                &[("points = 6 }]", "the last bin has a bound, so some values fit no bin")],
            ),
            refusal("{ points = 0 }", "{ points = -1 }", &[("points = -1", "`points` is -1")]),
            refusal("at_least = 0.98", "at_least = 98", &[("at_least = 98", "`at_least` is 98")]),
            refusal("at_most = 30", "at_most = 30.5", &[("at_most = 30.5", "`at_most` is 30.5")]),
            refusal("at_least = 0.01", "at_least = 0.001", &[("at_least = 0.001", "`at_least` is 0.001")]),
        ],
    );
    let flat = "bins = [{ points = 4 }]";
    let bins = "bins = [{ at_least = 0.6, points = 4 }, { at_least = 0.4, points = 3 }, { at_least = 0.2, points = 1 }, { points = 0 }]";
    check(
        "scorecards/farm_household.toml",
        &[refusal(
            bins,
            flat,
            &[("bins = [{ points = 4 }]", "no bin has a bound, so every household gets the same points")],
        )],
    );
}

#[test]
fn blocks_and_maxima_are_checked() {
    check(
        "scorecards/resident.toml",
        &[
            refusal(
                "max_points = 40",
                "max_points = 41",
                &[("blocks = ", "the best bins of the block `character` sum to 40.0")],
            ),
            refusal(
                "at_least = 0.98, points = 15",
                "at_least = 0.98, points = 16",
                &[
                    ("blocks = ", "the best bins of the block `character` sum to 41.0"),
                    ("[[versions.characteristics]]", "the best bins of the card sum to 101.0 points"),
                ],
            ),
            refusal(
                "blocks = [",
                "blocks = [\n    { id = \"gifts\", max_points = 0, is_on = true, name = { en = \"Gifts\", zh = \"礼\" } },",
                &[("blocks = ", "the block `gifts` has no characteristic")],
            ),
            refusal(
                "id = \"file\"",
                "id = \"capital\"",
                &[
                    ("{ id = \"capital\", max_points = 7", "the block `capital` stands twice"),
                    ("block = \"file\"", "there is no block `file`"),
                    ("block = \"file\"\nbins = [{ at_least = 2", "there is no block `file`"),
                ],
            ),
        ],
    );
    let mut texts = built_in();
    let text = texts.get_mut("scorecards/resident.toml").unwrap();
    *text = text.replace("is_on = true", "is_on = false");
    let line = line_of(text, "blocks = ");
    let message =
        format!("`policies/scorecards/resident.toml` line {line}: every block is switched off, so there is no score");
    assert_eq!(faults(&texts), [message]);
}

#[test]
fn every_kind_has_one_scorecard() {
    assert_eq!(
        faults(&edited("scorecards/farm_household.toml", "\"cooperative\", ", "")),
        ["`policies/scorecards/`: the household kind `cooperative` is in no scorecard on 2026-06-30"]
    );
    check(
        "scorecards/resident.toml",
        &[
            refusal(
                "kinds = [\"resident\"]",
                "kinds = [\"resident\", \"merchant\"]",
                &[(
                    "[[versions]]",
                    "the household kind `merchant` is already in `policies/scorecards/business.toml` on 2026-06-30",
                )],
            ),
            refusal(
                "kinds = [\"resident\"]",
                "kinds = [\"resident\", \"monastery\"]",
                &[("kinds =", "`monastery` in `kinds` is unknown")],
            ),
        ],
    );
    let mut texts = built_in();
    let card = texts.remove("scorecards/resident.toml").unwrap();
    texts.insert("scorecards/city.toml".to_owned(), card.replace("scorecards/resident", "scorecards/city"));
    assert_eq!(load(&texts).unwrap().scorecards[1].id, "city");
}

#[test]
fn a_card_may_end_when_another_takes_its_kinds() {
    let mut texts = edited("scorecards/farm_household.toml", "last_checked", "valid_to = 2026-01-01\nlast_checked");
    let old = texts["scorecards/farm_household.toml"].clone();
    let new = old.replace("valid_from = 1990-01-01", "valid_from = 2026-01-01").replace("valid_to = 2026-01-01\n", "");
    texts.insert("scorecards/farm.toml".to_owned(), new.replace("scorecards/farm_household", "scorecards/farm"));
    let ids = |as_of| -> Vec<String> {
        let rulebook = load_on(&RulebookPlace::BuiltIn, &texts, as_of).unwrap();
        rulebook.scorecards.into_iter().map(|card| card.id).collect()
    };
    assert_eq!(ids("2025-12-31"), ["business", "farm_household", "resident"]);
    assert_eq!(ids("2026-01-01"), ["business", "farm", "resident"]);
}

#[test]
fn the_policies_of_grids_are_checked() {
    check(
        "partition.toml",
        &[
            refusal(
                "grid_kind = \"campus\"",
                "grid_kind = \"harbour\"",
                &[("\"harbour\"", "`harbour` in `grid_kind` is unknown")],
            ),
            refusal(
                "grid_kind = \"campus\"",
                "grid_kind = \"village\"",
                &[
                    ("sizes =", "the grid kind `campus` has no size"),
                    ("\"village\", at_least = 1,", "the grid kind `village` stands twice"),
                ],
            ),
            refusal(
                "at_least = 200",
                "at_least = 501",
                &[("501", "no grid of kind `community` can be of the right size")],
            ),
            refusal(
                "count_tolerance = 0.05",
                "count_tolerance = 5",
                &[("count_tolerance =", "`count_tolerance` is 5")],
            ),
        ],
    );
    check(
        "coverage_targets.toml",
        &[
            refusal(
                "programme_year = 2",
                "programme_year = 3",
                &[("programme_year = 3, resident = 0.70", "the programme years are not 1, 2, 3 and so on")],
            ),
            refusal("rural = 0.90", "rural = 90", &[("rural = 90", "`rural` is 90")]),
        ],
    );
}

#[test]
fn the_policies_of_officers_are_checked() {
    check(
        "officers.toml",
        &[
            refusal(
                "below = 80",
                "below = 75",
                &[("below = 75", "there is a gap between the band `qualified` and the better band `good`")],
            ),
            refusal(
                "invalid_share_max = 0.30",
                "invalid_share_max = 30",
                &[("invalid_share_max = 30", "`invalid_share_max` is 30")],
            ),
            refusal(
                "profiles_fresh = 30",
                "profiles_fresh = 30.5",
                &[("[versions.points]", "the points of the duties add up to 100.5")],
            ),
        ],
    );
    check(
        "work_list.toml",
        &[
            refusal(
                "care_visit_months = 3",
                "care_visit_months = 0",
                &[("care_visit_months = ", "`care_visit_months` is 0")],
            ),
            refusal(
                "\nvisit_months = 12",
                "\nvisit_months = 25",
                &[("visit_months = 25", "`visit_months` looks back for more than 24 months")],
            ),
        ],
    );
}

#[test]
fn the_policies_of_areas_and_runs_are_checked() {
    check(
        "credit_villages.toml",
        &[
            refusal(
                "[\"AAA\", \"AA\", \"A\"]",
                "[\"AAA\", \"D\"]",
                &[("[[versions]]", "the credit grade `D` is not in the grade scale")],
            ),
            refusal("bad_share_max = 0.01", "bad_share_max = 1.01", &[("1.01", "`bad_share_max` is 1.01")]),
            refusal("county_share = 0.60", "county_share = -0.60", &[("county_share = -", "`county_share` is -0.6")]),
        ],
    );
    check(
        "grid_funding.toml",
        &[
            refusal(
                "{ amount = 40_000 }",
                "{ households_below = 20_000, amount = 40_000 }",
                &[("20_000, amount = 40_000", "only the last band is without a bound, and it must be")],
            ),
            refusal(
                "households_below = 10_000",
                "households_below = 5_001",
                &[("5_001", "no area can come to this band")],
            ),
            refusal(
                "households_below = 10_000",
                "households_below = 10_000, households_at_most = 1",
                &[("10_000, h", "the band has two bounds")],
            ),
            refusal("unit = 50, ", "", &[("service_rates", "the key `unit` is missing")]),
        ],
    );
    check("disclosure.toml", &[refusal("cell_min = 3", "cell_min = 0", &[("cell_min = ", "`cell_min` is 0")])]);
    check(
        "run.toml",
        &[refusal(
            "quarantine_share_max = 0.01",
            "quarantine_share_max = -0.01",
            &[("quarantine_share_max = -", "`quarantine_share_max` is -0.01")],
        )],
    );
}

#[test]
fn the_catalogue_lists_each_fact_once() {
    let mut names: Vec<&str> = FACTS.iter().map(|fact| fact.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), FACTS.len()), (33, 33));
    // A window that the name states is the window that the fact has, or lies ahead.
    for fact in FACTS.iter().filter(|fact| fact.name != "debt_service_12m") {
        let stated = fact.name.rsplit_once('_').and_then(|(_, end)| end.strip_suffix('m')?.parse::<u32>().ok());
        assert!(stated.is_none() || stated == fact.window_months, "{}", fact.name);
    }
}

#[test]
fn a_folder_reads_like_the_built_in_rulebook() {
    let folder = tempfile::tempdir().unwrap();
    for below in ["scorecards", "indicators"] {
        std::fs::create_dir(folder.path().join(below)).unwrap();
    }
    for (name, text) in built_in() {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::write(folder.path().join("README.md"), "no policy").unwrap();
    std::fs::write(folder.path().join(".#run.toml"), "left by an editor").unwrap();
    let place = RulebookPlace::Folder(folder.path().to_owned());
    let rulebook = Rulebook::load(&place, day("2026-06-30"), FACTS).unwrap();
    assert_eq!(rulebook.digest, load_built_in().digest);
    // Saved by an editor that does not write UTF-8: the file is refused by the line of its first foreign character.
    let path = folder.path().join("conduct.toml");
    let mut bytes = std::fs::read(&path).unwrap();
    let position = bytes.iter().position(|&byte| byte >= 0x80).unwrap();
    bytes[position] = 0xC4;
    bytes[position + 1] = b' ';
    std::fs::write(&path, bytes).unwrap();
    let error = Rulebook::load(&place, day("2026-06-30"), FACTS).unwrap_err();
    assert_eq!(error.faults()[0].message, format!("`{}` line 5: the file is not UTF-8", path.display()));
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let place = RulebookPlace::Folder("no/such/rulebook".into());
    let error = Rulebook::load(&place, day("2026-06-30"), FACTS).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert_eq!(error.faults()[0].message, "could not read `no/such/rulebook` of the rulebook");
}

#[test]
fn line_ends_and_byte_order_marks_of_other_editors_do_no_harm() {
    let mut texts = built_in();
    for text in texts.values_mut() {
        *text = format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
    }
    assert_eq!(load(&texts).unwrap().limits, load_built_in().limits);
}
