//! What the catalogue of indicators is refused with: every fault is made by one edit of a built-in file and told with
//! its file, its line and a hint; a bank's own file is held to the same.

use super::*;
use crate::rulebook::RulebookPlace;
use crate::rulebook::tests::{check, edited, faults, load, load_built_in, load_on, refusal};

const GRANTING: &str = "indicators/granting_share.toml";

#[test]
fn the_catalogue_says_what_it_is_made_of() {
    let rulebook = load_built_in();
    let find = |id: &str| rulebook.indicators.iter().find(|indicator| indicator.id == id).unwrap();
    let granting = find("granting_share");
    let Kind::Ratio(ratio) = &granting.definition.kind else { panic!("no ratio") };
    assert!(ratio.is_subset && granting.definition.by_segment && ratio.numerator.counts_households);
    assert_eq!(ratio.numerator.sources, ["decisions"]);
    assert_eq!(granting.definition.levels.len(), 6);
    let Kind::Ratio(density) = &find("branches_per_1000_km2").definition.kind else { panic!("no ratio") };
    assert!(density.is_own && !density.is_subset && !density.numerator.counts_households);
    assert_eq!((density.denominator.scale(), density.factor.to_string()), (4, "1000".to_owned()));
    let Kind::Amount(customers) = &find("inclusive_small_customers").definition.kind else { panic!("no amount") };
    assert!(customers.counts_households && customers.measure == Measure::Union(Distinct::Customers));
}

#[test]
fn conditions_must_parse_and_be_true_or_false() {
    const NUMERATOR: &str = "where = \"granted\"";
    check(
        GRANTING,
        &[
            refusal(
                NUMERATOR,
                "where = \"granted AND\"",
                &[(
                    "numerator",
                    "the condition `granted AND` does not parse: sql parser error: Expected: an expression, found: EOF",
                )],
            ),
            refusal(NUMERATOR, "where = \"grated\"", &[("numerator", "`households` has no column `grated`")]),
            refusal(
                NUMERATOR,
                "where = \"member_count\"",
                &[("numerator", "`member_count` of `households` is a count, not true or false")],
            ),
            refusal(
                NUMERATOR,
                "where = \"member_count + 1\"",
                &[("numerator", "`member_count + 1` is not true or false for a row of `households`")],
            ),
            refusal(
                NUMERATOR,
                "where = \"member_count + 1 > 2\"",
                &[("numerator", "`member_count + 1` is neither a column nor a constant")],
            ),
            refusal(NUMERATOR, "where = \"kind = 'farmer'\"", &[("numerator", "`farmer` is no word of `kind`")]),
            refusal(NUMERATOR, "where = \"kind > 'resident'\"", &[("numerator", "the words of `kind` have no order")]),
            refusal(
                NUMERATOR,
                "where = \"suggested_limit >= 0.001\"",
                &[("numerator", "`suggested_limit` can never be 0.001")],
            ),
            refusal(
                NUMERATOR,
                "where = \"granted = 1\"",
                &[("numerator", "`granted` is compared with a constant of another type")],
            ),
            refusal(
                NUMERATOR,
                "where = \"suggested_limit > member_count\"",
                &[("numerator", "`suggested_limit` and `member_count` are not of the same type")],
            ),
            refusal(
                NUMERATOR,
                "where = \"final_grade IN (SELECT 1)\"",
                &[("numerator", "`final_grade IN (SELECT 1)` is not true or false for a row of `households`")],
            ),
        ],
    );
}

#[test]
fn a_condition_is_not_so_long_that_no_thread_has_room_for_it() {
    let with = |condition: &str| edited(GRANTING, "where = \"granted\"", &format!("where = \"{condition}\""));
    let list = vec!["1"; 4900].join(",");
    assert!(load(&with(&format!("member_count IN ({list})"))).is_ok());
    assert!(load(&with(&vec!["TRUE"; 1250].join(" OR "))).is_ok());
    let found = faults(&with(&vec!["granted"; 1000].join(" AND ")));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("the condition has 11995 bytes"), "{found:?}");
}

#[test]
fn parts_are_measured_in_whole_numbers_of_documented_columns() {
    const MEASURE: &str = "measure = \"count\", where = \"granted\"";
    check(
        GRANTING,
        &[
            refusal(
                MEASURE,
                "measure = \"sum\", of = \"labour_share\"",
                &[("numerator", "`labour_share` is a ratio, and ratios are never summed")],
            ),
            refusal(
                MEASURE,
                "measure = \"sum\", of = \"income\"",
                &[("numerator", "`households` has no column `income`")],
            ),
            refusal(
                MEASURE,
                "measure = \"sum\", of = \"granted\"",
                &[("numerator", "`granted` is true or false and cannot be summed")],
            ),
            refusal(
                MEASURE,
                "measure = \"union\", of = \"customer\"",
                &[("numerator", "a row of `households` has no customer")],
            ),
            refusal(MEASURE, "measure = \"mean\"", &[("numerator", "`mean` in `measure` is unknown")]),
            refusal(
                "table = \"households\", measure = \"count\", where = \"granted\"",
                "table = \"customers\", measure = \"count\"",
                &[("numerator", "`customers` in `table` is unknown")],
            ),
        ],
    );
}

#[test]
fn a_ratio_has_two_parts_over_one_table_where_it_is_a_subset() {
    const DENOMINATOR: &str = "denominator = { id = \"households\", table = \"households\", measure = \"count\" }\n";
    check(
        GRANTING,
        &[
            refusal(DENOMINATOR, "", &[("numerator", "the ratio has no denominator")]),
            refusal(
                DENOMINATOR,
                "denominator = { id = \"loans\", table = \"loans\", measure = \"count\" }\n",
                &[
                    ("breakdowns = ", "a part is not over households, so it has no segments"),
                    (
                        "subset",
                        "the numerator is over `households` and the denominator over `loans`, so it is no subset of it",
                    ),
                ],
            ),
            refusal("subset = true", "subset = true\nkind_of = 1", &[("kind_of", "the key `kind_of` is unknown here")]),
            refusal(
                "subset = true",
                "aggregation = \"own\"",
                &[("aggregation = ", "only a column of `areas` is an area's own figure")],
            ),
            refusal("subset = true", "factor = 0", &[("factor = ", "`factor` is 0, so every value is 0")]),
        ],
    );
}

#[test]
fn an_amount_has_no_denominator() {
    check(
        "indicators/all_balance.toml",
        &[refusal(
            "kind = \"amount\"",
            "kind = \"amount\"\ndenominator = { id = \"all\", table = \"loans\", measure = \"count\" }",
            &[("denominator", "an amount has no denominator")],
        )],
    );
}

#[test]
fn levels_are_those_of_both_sides() {
    check(
        "indicators/branches_per_1000_km2.toml",
        &[refusal(
            "[\"bank\", ",
            "[\"bank\", \"branch\", ",
            &[("levels = ", "`branches` cannot be counted by branch")],
        )],
    );
    check(
        "indicators/credit_theil_between.toml",
        &[refusal(
            "[\"bank\"]",
            "[\"bank\", \"county\"]",
            &[("levels = ", "what lies between branches is there for the bank only")],
        )],
    );
    check(
        "indicators/inclusion_index.toml",
        &[
            refusal(
                "\"township\"]",
                "\"branch\"]",
                &[("[[versions]]", "`village_service_share` has no level `branch`")],
            ),
            refusal(
                "indicator = \"account_share\"",
                "indicator = \"account_shares\"",
                &[("[[versions]]", "there is no indicator `account_shares` in force on 2026-06-30")],
            ),
            refusal(
                "indicator = \"account_share\"",
                "indicator = \"all_balance\"",
                &[("[[versions]]", "`all_balance` is no ratio")],
            ),
            refusal(
                "best = 0.6",
                "best = 0",
                &[("{ indicator = \"granting_share\"", "the goalposts `worst` and `best` are the same")],
            ),
        ],
    );
}

#[test]
fn statistics_are_taken_of_numbers() {
    check(
        "indicators/nearest_point_p90_m.toml",
        &[
            refusal(
                "of = \"nearest_point_m\"",
                "of = \"kind\"",
                &[("observations", "`kind` is a word of the list, no number")],
            ),
            refusal("rank = 0.9", "rank = 0", &[("rank = ", "`rank` is 0")]),
            refusal("rank = 0.9", "rank = 90", &[("rank = ", "`rank` is 90")]),
        ],
    );
    check(
        "indicators/credit_gini.toml",
        &[refusal(
            "of = \"own_outstanding\"",
            "of = \"labour_share\"",
            &[("observations", "an inequality is taken of ratios")],
        )],
    );
    let sum = "measure = \"sum\", of = \"outstanding\"";
    let text = edited("indicators/all_growth.toml", sum, "measure = \"union\", of = \"customer\"");
    assert_eq!(
        faults(&text),
        [
            "`policies/indicators/all_growth.toml` line 19: `now` and `before` are in different units",
            "`policies/indicators/all_growth.toml` line 18: the growth is one of households, not of an amount"
        ]
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
}

#[test]
fn targets_and_words_are_checked() {
    check(
        "indicators/gridded_area_share.toml",
        &[
            refusal(
                "by_programme_year = [0.30, 0.70, 1.00]",
                "by_programme_year = []",
                &[("target = ", "`by_programme_year` is no list of numbers")],
            ),
            refusal(
                "by_programme_year = ",
                "value = 1, by_programme_year = ",
                &[("target = ", "a target is one value, or one for each programme year")],
            ),
            refusal("unit = \"share\"", "unit = \"of all\"", &[("unit = ", "the unit `of all` holds blanks")]),
            refusal("decimals = 4", "decimals = 12", &[("decimals = ", "`decimals` is 12")]),
            refusal(
                "dimension = \"access\"",
                "dimension = \"reach\"",
                &[("dimension = ", "`reach` in `dimension` is unknown")],
            ),
            refusal(
                "levels = [\"bank\", \"county\", \"township\", \"village\", \"community\"]",
                "levels = []",
                &[("levels = ", "the indicator has no level")],
            ),
        ],
    );
}

#[test]
fn one_numerator_over_two_denominators_is_told_apart_by_id() {
    let mut texts = crate::rulebook::tests::built_in();
    let granting = texts.get(GRANTING).unwrap().replace("indicators/granting_share", "indicators/granting_rate");
    let granting = granting.replace(
        "{ id = \"households\", table = \"households\", measure = \"count\" }",
        "{ id = \"graded\", table = \"households\", measure = \"count\", where = \"graded\" }",
    );
    texts.insert("indicators/granting_rate.toml".to_owned(), granting);
    assert_eq!(
        faults(&texts),
        [
            "`policies/indicators/granting_rate.toml` line 7: `granting_rate` has the numerator of `granting_share` over \
             another denominator, and its id does not say which",
            "`policies/indicators/granting_share.toml` line 7: `granting_share` has the numerator of `granting_rate` over \
             another denominator, and its id does not say which",
        ]
    );
}

#[test]
fn faults_of_several_indicators_are_told_at_once() {
    let mut texts = edited(GRANTING, "where = \"granted\"", "where = \"grated\"");
    let other = texts.get_mut("indicators/all_balance.toml").unwrap();
    *other = other.replace("measure = \"sum\", of = \"outstanding\"", "measure = \"sum\", of = \"risk_class\"");
    let told = faults(&texts);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("all_balance.toml") && told[1].contains("granting_share.toml"));
}

#[test]
fn versions_of_an_indicator_do_not_overlap_and_may_end() {
    let mut texts = crate::rulebook::tests::built_in();
    let granting = texts.get_mut(GRANTING).unwrap();
    let (head, version) = granting.split_once("[[versions]]\nvalid_from = 1990-01-01\n").unwrap();
    let two = format!(
        "{head}[[versions]]\nvalid_from = 1990-01-01\n{version}[[versions]]\nvalid_from = 2026-01-01\n{}",
        version.replace("version = \"1\"", "version = \"2\"")
    );
    granting.clone_from(&two);
    assert!(faults(&texts)[0].contains("the version valid from 2026-01-01 overlaps the one on line"));
    let ended = two.replacen("valid_from = 1990-01-01", "valid_from = 1990-01-01\nvalid_to = 2026-01-01", 1);
    texts.insert(GRANTING.to_owned(), ended.clone());
    let version = |as_of: &str| {
        let rulebook = load_on(&RulebookPlace::BuiltIn, &texts, as_of).unwrap();
        let granting = rulebook.indicators.into_iter().find(|indicator| indicator.id == "granting_share").unwrap();
        granting.definition.version
    };
    assert_eq!((version("2025-12-31"), version("2026-01-01")), ("1".to_owned(), "2".to_owned()));
}

#[test]
fn an_indicator_that_has_ended_is_not_made() {
    let ended = edited(
        "indicators/all_balance.toml",
        "valid_from = 1990-01-01",
        "valid_from = 1990-01-01\nvalid_to = 2026-06-30",
    );
    let rulebook = load(&ended).unwrap();
    assert!(!rulebook.indicators.iter().any(|indicator| indicator.id == "all_balance"));
}

#[test]
fn the_digest_of_a_definition_is_of_what_it_says() {
    let digest = |texts| {
        let rulebook = load(&texts).unwrap();
        let granting = rulebook.indicators.into_iter().find(|indicator| indicator.id == "granting_share").unwrap();
        granting.definition.digest
    };
    let as_it_is = digest(crate::rulebook::tests::built_in());
    assert_eq!(digest(edited(GRANTING, "# How many", "# How very many")), as_it_is);
    assert_eq!(digest(edited(GRANTING, "unit = \"share\"\ndecimals = 4", "decimals = 4\nunit = \"share\"")), as_it_is);
    assert_ne!(digest(edited(GRANTING, "where = \"granted\"", "where = \"granted AND white\"")), as_it_is);
}

#[test]
fn conditions_are_read_as_sql_reads_them() {
    let contracts = Contracts::built_in().unwrap();
    let loans = contracts.base("loans").unwrap();
    let read = |text: &str| condition::read(text, loans).map(|condition| condition.expression).ok();
    assert_eq!(read("is_open = TRUE"), read("is_open"));
    assert_eq!(read("is_open <> TRUE"), read("NOT is_open"));
    assert_eq!(read("100 < principal"), read("principal > 100.00"));
    assert_eq!(read("principal BETWEEN 1 AND 2"), read("principal >= 1 AND principal <= 2"));
    assert_eq!(read("purpose IN ('farming', 'other')"), read("purpose = 'farming' OR purpose = 'other'"));
    assert_eq!(read("principal = -1"), read("principal = -1.00"));
    assert!(read("is_open OR NOT (risk_class IS NULL)").is_some() && read("customer_line > credit_line").is_some());
}
