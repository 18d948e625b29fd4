//! One name for one thing: tables, facts, words, flags, rules and sources are called the same in contracts, rulebook,
//! code and cases, and the rulebook's versions and sources hang together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wellfield::clean::Rule;
use wellfield::contract::Contracts;
use wellfield::coverage::partition::FaultKind;
use wellfield::coverage::work_list::Reason;
use wellfield::limit::decisions::Unsound;
use wellfield::rulebook::{FACTS, words};
use wellfield::visits::Flag;

use super::{is_none, rust_files, shown, without_tests};
use crate::support::{files_below, read, repository};

fn toml_files(folder: &str) -> Vec<PathBuf> {
    files_below(&repository().join(folder), &|path| path.extension().is_some_and(|end| end == "toml"))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_contract_file_is_built_in() {
    let contracts = Contracts::built_in().unwrap();
    let folders = [
        ("input", &contracts.inputs),
        ("output", &contracts.outputs),
        ("base", &contracts.bases),
        ("regulator", &contracts.regulator),
    ];
    for (folder, tables) in folders {
        let files: BTreeSet<String> =
            toml_files(&format!("schemas/tables/{folder}")).iter().map(|path| stem(path)).collect();
        let known: BTreeSet<String> = tables.iter().map(|contract| contract.table.clone()).collect();
        assert_eq!(files, known, "files of `schemas/tables/{folder}` and tables of the program");
    }
}

#[test]
fn a_fact_has_one_name_in_four_places() {
    let contracts = Contracts::built_in().unwrap();
    let columns = &contracts.output("household_facts").unwrap().columns;
    let columns: Vec<&str> =
        columns.iter().filter(|column| column.fact.is_some()).map(|column| column.name.as_str()).collect();
    let known: Vec<&str> = FACTS.iter().map(|fact| fact.name).collect();
    assert_eq!(columns, known, "columns of the contract and entries of the catalogue, in one order");
    let measured: String = rust_files(&["pipeline/facts"]).iter().map(|path| without_tests(path)).collect();
    let cases = cases();
    let missing = known.iter().flat_map(|fact| {
        let not_measured = (!measured.contains(&format!("\"{fact}\""))).then(|| format!("`{fact}` is not measured"));
        let not_tested = (!cases.contains(&format!("{fact} = "))).then(|| format!("`{fact}` is in no case"));
        not_measured.into_iter().chain(not_tested)
    });
    is_none(&missing.collect::<Vec<_>>(), "facts");
}

/// Facts whose window means two things: the catalogue counts the two years that a report itself looks back and leaves out
/// what lies ahead, the contract gives the window of the reports.
const WINDOW_OF_A_PART: [&str; 3] = ["outside_overdue_count_24m", "debt_service_12m", "debt_service_share"];

#[test]
fn a_fact_looks_back_as_far_as_its_contract_says() {
    let contracts = Contracts::built_in().unwrap();
    let facts = contracts.output("household_facts").unwrap();
    for fact in FACTS {
        let origin = facts.column(fact.name).unwrap().fact.clone().unwrap();
        if !WINDOW_OF_A_PART.contains(&fact.name) {
            assert_eq!(origin.window_months, fact.window_months, "{}", fact.name);
        }
        for table in &origin.tables {
            assert!(contracts.input(table).is_ok(), "{} reads `{table}`", fact.name);
        }
    }
}

/// The text of every rule case.
fn cases() -> String {
    toml_files("tests/cases").iter().map(|path| read(path)).collect()
}

#[test]
fn every_flag_rule_and_veto_has_a_case() {
    let cases = cases();
    let flags = Flag::ALL.map(Flag::name).into_iter();
    let rules = Rule::ALL.map(Rule::name).into_iter().chain(Unsound::ALL.map(Unsound::name));
    let vetoes = read(&repository().join("schemas/policies/vetoes.toml"));
    let vetoes = vetoes.lines().filter_map(|line| line.strip_prefix("code = ")).map(|code| code.trim_matches('"'));
    let missing = flags.chain(rules).chain(vetoes).filter(|name| !cases.contains(&format!("\"{name}\"")));
    is_none(&missing.map(String::from).collect::<Vec<_>>(), "nothing in `tests/cases` expects");
}

#[test]
fn every_partition_fault_and_reason_of_a_work_list_has_a_case() {
    let cases = cases();
    // A fault is the first part of a key, a reason a word of a list.
    let faults = FaultKind::ALL.map(|kind| format!("\"{}|", kind.name()));
    let reasons = Reason::ALL.map(|reason| format!("\"{}\"", reason.name()));
    let missing = faults.into_iter().chain(reasons).filter(|name| !cases.contains(name));
    is_none(&missing.collect::<Vec<_>>(), "nothing in `tests/cases` expects");
    let contracts = Contracts::built_in().unwrap();
    let words = &contracts.output("partition_faults").unwrap().column("fault").unwrap().words;
    assert_eq!(FaultKind::ALL.map(FaultKind::name).to_vec(), *words);
}

#[test]
fn every_characteristic_has_a_case_for_its_points() {
    let points = read(&repository().join("tests/cases/points.toml"));
    let mut missing = Vec::new();
    for path in toml_files("schemas/policies/scorecards") {
        let text = read(&path);
        let facts = text.lines().filter_map(|line| line.strip_prefix("fact = ")).map(|fact| fact.trim_matches('"'));
        missing.extend(facts.filter(|fact| !points.contains(&format!("|{fact}\""))).map(String::from));
    }
    is_none(&missing, "characteristics without a case");
}

#[test]
fn the_rulebook_uses_the_words_of_the_contracts() {
    let contracts = Contracts::built_in().unwrap();
    let of_contract = |table: &str, column: &str| contracts.input(table).unwrap().column(column).unwrap().words.clone();
    for (table, column, known) in [
        ("households", "kind", words::HOUSEHOLD_KINDS),
        ("watchlist", "list_name", words::WATCHLISTS),
        ("grids", "kind", words::GRID_KINDS),
        ("grids", "settlement", words::SETTLEMENTS),
    ] {
        assert_eq!(of_contract(table, column), known, "`{table}.{column}`");
    }
    let borrowers = of_contract("loans", "borrower_kind");
    let (other, kinds) = borrowers.split_last().unwrap();
    assert_eq!((kinds, other.as_str()), (&of_contract("households", "kind")[..], "other_enterprise"));
    let limits = contracts.output("grant_limits").unwrap();
    for cap in words::CAPS_OF_FACTS {
        assert!(limits.position(cap).is_some(), "grant_limits has no column `{cap}`");
    }
}

fn policies() -> Vec<(PathBuf, toml::Table)> {
    let files = toml_files("schemas/policies").into_iter();
    files.map(|path| (path.clone(), toml::from_str(&read(&path)).unwrap())).collect()
}

#[test]
fn every_source_exists_and_is_used() {
    let sources: toml::Table = toml::from_str(&read(&repository().join("schemas/sources.toml"))).unwrap();
    let listed: Vec<&str> =
        sources["sources"].as_array().unwrap().iter().map(|source| source["id"].as_str().unwrap()).collect();
    let listed_once: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), listed_once.len(), "a source is listed once");
    let policies = policies();
    let mut used = BTreeSet::new();
    for (_, policy) in &policies {
        policy.values().for_each(|value| collect_sources(value, &mut used));
    }
    // The fifteen plans are one series, which is listed whole.
    let named = |id: &str| used.contains(id) || id.starts_with("plan_");
    let unknown: Vec<&str> = used.difference(&listed_once).copied().collect();
    let unused: Vec<&str> = listed_once.into_iter().filter(|id| !named(id)).collect();
    assert!(unknown.is_empty(), "policies name sources that nobody listed: {unknown:?}");
    assert!(unused.is_empty(), "sources that no policy names: {unused:?}");
}

/// A source is named by its id and the provision that is meant.
fn collect_sources<'a>(value: &'a toml::Value, used: &mut BTreeSet<&'a str>) {
    match value {
        toml::Value::Table(table) => {
            if let (Some(id), true) = (table.get("id"), table.contains_key("provision")) {
                used.insert(id.as_str().unwrap());
            }
            table.values().for_each(|value| collect_sources(value, used));
        }
        toml::Value::Array(values) => values.iter().for_each(|value| collect_sources(value, used)),
        _ => {}
    }
}

#[test]
fn versions_of_a_policy_do_not_overlap() {
    let mut found = Vec::new();
    for (path, policy) in policies() {
        let versions = policy["versions"].as_array().unwrap();
        let date = |version: &toml::Value, key: &str| version.get(key).map(toml::Value::to_string);
        for version in versions {
            for key in ["valid_from", "last_checked", "source"] {
                found
                    .extend(version.get(key).is_none().then(|| format!("{}: a version without `{key}`", shown(&path))));
            }
        }
        for pair in versions.windows(2) {
            let (ends, begins) = (date(&pair[0], "valid_to"), date(&pair[1], "valid_from"));
            // ISO dates stand in the order of their text.
            if ends.is_none() || ends > begins {
                found.push(format!("{}: the version before {begins:?} ends {ends:?}", shown(&path)));
            }
        }
    }
    is_none(&found, "versions");
}

#[test]
fn the_default_rulebook_is_the_one_that_is_built_in() {
    let built_in = wellfield::rulebook::RulebookPlace::BuiltIn.texts().unwrap();
    let folder = wellfield::rulebook::RulebookPlace::Folder(repository().join("schemas/policies")).texts().unwrap();
    assert!(built_in == folder, "a policy file is not built in, or not there: {:?}", folder.keys());
}
