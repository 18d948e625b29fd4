//! Every household of a generated bank, explained: the rows that are named must be as many as the stages counted, and
//! no line may be too wide.

use std::path::Path;

use crate::calendar::Date;
use crate::clean;
use crate::contract::Contracts;
use crate::facts::FactValue;
use crate::generate::{self, Options};
use crate::layout::{LINE_WIDTH, width};
use crate::night::{self, Night};
use crate::previous::{Previous, PreviousHousehold};
use crate::publish::bank_files::{BankForm, BankWriter};
use crate::read::bank::Bank;
use crate::rulebook::{FACTS, Rulebook, RulebookPlace};
use crate::watch::Watch;

use super::{Explanation, Language, Origin, Subject, explain, in_words, locate};

struct Rated {
    night: Night,
    previous: Previous,
    rulebook: Rulebook,
    contracts: Contracts,
}

const AS_OF: &str = "2026-06-30";

/// A night after a night of the same bank, in which every household had a grade less.
fn rated(folder: &Path) -> Rated {
    let as_of = Date::parse(AS_OF).unwrap();
    let contracts = Contracts::built_in().unwrap();
    let mut writer = BankWriter::create(folder, BankForm::Parquet, "Test bank").unwrap();
    generate::generate(&Options::new(400, 11, as_of), &mut |rows| writer.write(rows)).unwrap();
    writer.finish().unwrap();
    let bank = Bank::open(folder, &contracts).unwrap();
    let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
    let rate = |previous: &Previous| {
        let cleaned = clean::clean(&bank, &contracts, as_of).unwrap();
        night::rate(cleaned, previous, &rulebook, &contracts, &mut Watch::new(&mut |_| ())).unwrap()
    };
    let first = rate(&Previous::default());
    let scale = &rulebook.scale;
    let households = (0..first.register.len()).map(|number| PreviousHousehold {
        household_id: first.cleaned.tables.households.household_id.text(first.register.row(number)).into(),
        model_grade: scale.grades[number % scale.grades.len()].grade.clone(),
        suggested_limit: 1_000_000,
        noticed_grade: None,
    });
    let previous = Previous { run_id: Some("earlier".into()), households: households.collect(), ..Previous::default() };
    let night = rate(&previous);
    Rated { night, previous, rulebook, contracts }
}

fn explained(rated: &Rated, number: usize, language: Language) -> Explanation {
    let Rated { night, previous, rulebook, contracts } = rated;
    let subject = Subject::of(night, previous, rulebook, contracts, number, language).unwrap();
    explain(&subject, &Origin { run_id: "run".into(), ..Origin::default() }).unwrap()
}

/// Rows of one table that are named behind a fact.
fn rows(explanation: &Explanation, fact: &str, table: &str) -> usize {
    let line = explanation.facts.iter().find(|line| line.fact == fact).unwrap();
    line.sources.iter().filter(|source| source.table == table).map(|source| source.rows).sum()
}

#[test]
fn the_rows_named_are_those_that_were_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rated = rated(&folder.path().join("bank"));
    let mut lists = std::collections::BTreeSet::new();
    for number in 0..rated.night.register.len() {
        let found = explained(&rated, number, Language::En);
        let id = &found.household.household_id;
        let value = |fact: &str| rated.night.facts.value(fact, number);
        let count = |fact: &str| match value(fact) {
            Some(FactValue::Whole(count)) => usize::try_from(count).unwrap(),
            _ => 0,
        };
        for (fact, table) in [("instalments_due_24m", "instalments"), ("peer_review_count", "peer_reviews")] {
            let at_least = rows(&found, fact, table);
            assert!(at_least >= count(fact), "{id}: {fact}");
            assert!(fact == "peer_review_count" || at_least == count(fact), "{id}: {fact}");
        }
        let visits = found.facts.iter().find(|line| line.fact == "valid_visits_12m").unwrap();
        let told = visits.sources.first().map_or("", |source| source.text.as_str());
        let valid = if told.ends_with("all count") {
            rows(&found, "valid_visits_12m", "visits")
        } else {
            let before = told.split(" count; not").next().unwrap_or("");
            before.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
        };
        assert_eq!(valid, count("valid_visits_12m"), "{id}: {told}");
        assert_eq!(rows(&found, "net_income", "profiles") == 1, value("profile_age_days").is_some(), "{id}");
        assert_eq!(
            rows(&found, "relationship_months", "accounts") == 1,
            value("relationship_months").is_some(),
            "{id}"
        );
        assert_eq!(rows(&found, "outside_outstanding", "outside_debts") == 1, value("outside_outstanding").is_some());
        for line in &found.facts {
            assert!(line.value.is_some() || line.remark.is_some(), "{id}: nothing says why {} is null", line.fact);
            assert!(!line.sources.is_empty() || line.remark.is_some(), "{id}: nothing stands behind {}", line.fact);
        }
        assert_eq!(Some(found.points.score), found.grade.score.or(Some(found.points.score)), "{id}");
        lists.insert(found.outcome.credit_list.clone());
    }
    assert_eq!(lists.into_iter().collect::<Vec<_>>(), ["black", "grey", "white"]);
}

#[test]
fn no_line_is_wider_than_a_terminal_and_no_name_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let rated = rated(&folder.path().join("bank"));
    for number in 0..rated.night.register.len() {
        for language in [Language::En, Language::Zh] {
            let found = explained(&rated, number, language);
            let text = in_words(&found, language);
            for line in text.lines() {
                assert!(width(line) <= LINE_WIDTH, "{}: {line:?}", found.household.household_id);
            }
            let json = serde_json::to_string(&found).unwrap();
            assert!(!json.contains("head_name") && !json.contains("id_number"));
        }
    }
}

#[test]
fn a_change_that_is_offered_lifts_the_grade() {
    let folder = tempfile::tempdir().unwrap();
    let rated = rated(&folder.path().join("bank"));
    let mut offered = 0;
    for number in 0..rated.night.register.len() {
        let found = explained(&rated, number, Language::En);
        let place = |name: &str| found.grade.scale.iter().position(|band| band.grade == name);
        for change in &found.changes.characteristics {
            assert!(place(&change.grade_then) < place(&found.grade.model_grade), "{}", found.household.household_id);
            assert!(change.points_then.0 > change.points.0);
            offered += 1;
        }
        let is_vetoed = !found.outcome.vetoes.is_empty();
        assert!(!is_vetoed || found.changes.characteristics.is_empty());
        assert!(!found.changes.text.is_empty());
    }
    assert!(offered > 0);
}

#[test]
fn a_household_that_is_not_in_the_run_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let rated = rated(&folder.path().join("bank"));
    let cleaned = &rated.night.cleaned;
    let households = &cleaned.tables.households;
    let known = households.household_id.text(rated.night.register.row(0)).to_string();
    let as_of = Date::parse(AS_OF).unwrap();
    assert_eq!(locate(cleaned, as_of, &known).ok(), Some(0));

    let error = locate(cleaned, as_of, &format!("{known}x")).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.faults()[0].hint.as_deref().unwrap().contains(&format!("`{known}`")));

    let error = locate(cleaned, Date::parse("1900-01-01").unwrap(), &known).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.faults()[0].message.contains("it is valid from "), "{}", error.faults()[0].message);
}
