//! Rule cases as data: each `cases/*.toml` holds made-up rows and the cells that the rules make of them, worked out from
//! the written rules and never copied from the program. One test per file; a case that fails is told with its rule.
//! How a file is written stands in `cases/README.md`.

mod banks;
mod format;

use std::collections::BTreeSet;

use wellfield::contract::{Column, Contract, Contracts, Type};
use wellfield::decimal::{format_scaled, parse_exact};

use self::banks::{MarkedCase, Night};
use self::format::CaseFile;
use crate::second_opinion::{Table, Tables};
use crate::support::{files_below, read, repository};

/// Every file of cases, each with the test of its name.
const FILES: [&str; 33] = [
    "calendar",
    "known",
    "quarantine",
    "register",
    "visit_flags",
    "loan_facts",
    "outside_facts",
    "profile_facts",
    "account_facts",
    "conduct_facts",
    "visit_facts",
    "points",
    "scores",
    "grades",
    "vetoes",
    "reasons",
    "limits",
    "decisions",
    "credit_list",
    "versions",
    "partition",
    "coverage",
    "officers",
    "villages",
    "conduct_ranking",
    "grid_funding",
    "public_notice",
    "work_list",
    "indicators",
    "indicators_status",
    "indicators_time",
    "indicators_disclosure",
    "indicators_rounding",
];

/// Of indicators.
const RELATIVE_TOLERANCE: f64 = 1e-9;

#[test]
fn every_file_of_cases_is_checked() {
    let files =
        files_below(&repository().join("tests/cases"), &|path| path.extension().is_some_and(|end| end == "toml"));
    let mut found: Vec<String> =
        files.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let mut known = FILES.map(String::from).to_vec();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn every_indicator_has_a_value_at_each_kind_of_place() {
    let mut covered = BTreeSet::new();
    for name in FILES.iter().filter(|name| name.starts_with("indicators")) {
        for case in CaseFile::read(name) {
            for (key, cells) in case.expected.get("indicators").into_iter().flatten() {
                let [indicator, level] = [0, 1].map(|part| key.split('|').nth(part).expect("a part of the key"));
                let place = if matches!(level, "bank" | "branch") { level } else { "area" };
                if cells.get("value").is_some_and(|value| value.as_str() != Some("")) {
                    covered.insert(format!("{indicator} {place}"));
                }
            }
        }
    }
    let catalogue = files_below(&repository().join("schemas/policies/indicators"), &|_| true);
    let mut missing = Vec::new();
    for path in catalogue {
        let record: toml::Table = toml::from_str(&read(&path)).unwrap();
        let indicator = path.file_stem().unwrap().to_string_lossy().into_owned();
        let levels = record["versions"][0]["levels"].as_array().unwrap();
        for (place, level) in [("bank", "bank"), ("branch", "branch"), ("area", "county")] {
            let has_level = levels.iter().any(|of| of.as_str() == Some(level));
            let wanted = format!("{indicator} {place}");
            if has_level && !covered.contains(&wanted) {
                missing.push(wanted);
            }
        }
    }
    assert!(missing.is_empty(), "no case expects a value of\n{}", missing.join("\n"));
}

#[test]
fn calendar() {
    check("calendar");
}

#[test]
fn known() {
    check("known");
}

#[test]
fn quarantine() {
    check("quarantine");
}

#[test]
fn register() {
    check("register");
}

#[test]
fn visit_flags() {
    check("visit_flags");
}

#[test]
fn loan_facts() {
    check("loan_facts");
}

#[test]
fn outside_facts() {
    check("outside_facts");
}

#[test]
fn profile_facts() {
    check("profile_facts");
}

#[test]
fn account_facts() {
    check("account_facts");
}

#[test]
fn conduct_facts() {
    check("conduct_facts");
}

#[test]
fn visit_facts() {
    check("visit_facts");
}

#[test]
fn points() {
    check("points");
}

#[test]
fn scores() {
    check("scores");
}

#[test]
fn grades() {
    check("grades");
}

#[test]
fn vetoes() {
    check("vetoes");
}

#[test]
fn reasons() {
    check("reasons");
}

#[test]
fn limits() {
    check("limits");
}

#[test]
fn decisions() {
    check("decisions");
}

#[test]
fn credit_list() {
    check("credit_list");
}

#[test]
fn versions() {
    check("versions");
}

#[test]
fn partition() {
    check("partition");
}

#[test]
fn coverage() {
    check("coverage");
}

#[test]
fn officers() {
    check("officers");
}

#[test]
fn villages() {
    check("villages");
}

#[test]
fn conduct_ranking() {
    check("conduct_ranking");
}

#[test]
fn grid_funding() {
    check("grid_funding");
}

#[test]
fn public_notice() {
    check("public_notice");
}

#[test]
fn work_list() {
    check("work_list");
}

#[test]
fn indicators() {
    check("indicators");
}

#[test]
fn indicators_status() {
    check("indicators_status");
}

#[test]
fn indicators_time() {
    check("indicators_time");
}

#[test]
fn indicators_disclosure() {
    check("indicators_disclosure");
}

#[test]
fn indicators_rounding() {
    check("indicators_rounding");
}

/// Runs the cases of a file and tells every cell that is not what it must be.
fn check(file: &str) {
    assert!(FILES.contains(&file), "`{file}` is not listed");
    let contracts = Contracts::built_in().unwrap();
    let mut failures = Vec::new();
    for night in banks::run(CaseFile::read(file)) {
        let tables = night.tables();
        for case in &night.cases {
            let mut wrong = wrong_cells(case, &tables, &contracts);
            wrong.extend(wrong_counts(case, &night));
            if !wrong.is_empty() {
                let case = &case.case;
                failures.push(format!("{}\n  rule: {}\n  {}", case.name, case.why, wrong.join("\n  ")));
            }
        }
    }
    assert!(failures.is_empty(), "{} cases of `{file}` fail:\n\n{}\n", failures.len(), failures.join("\n\n"));
}

fn wrong_cells(case: &MarkedCase, tables: &Tables, contracts: &Contracts) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, rows) in &case.case.expected {
        let table = tables.get(name.as_str()).unwrap_or_else(|| panic!("there is no output table `{name}`"));
        assert!(
            case.case.own_bank || !matches!(name.as_str(), "indicators" | "regulator"),
            "`{}` is about indicators, which add up the whole bank: it needs one of its own",
            case.case.name
        );
        let contract = contract_of(contracts, name);
        for (key, cells) in rows {
            let found = find(case, table, contracts, key);
            match (found, cells) {
                (None, toml::Value::String(word)) if word == "absent" => {}
                (Some(_), toml::Value::String(word)) if word == "absent" => {
                    wrong.push(format!("{name} {key}: the row must not be there"));
                }
                (Some(row), toml::Value::Table(cells)) => {
                    let wrong_here = cells.iter().filter_map(|(column, value)| {
                        let column = contract.column(column).unwrap();
                        let actual = table.cell(row, &column.name).expect("the table has the contract's columns");
                        let actual = unmarked(case, column, actual);
                        wrong_cell(name, column, value, &actual)
                            .map(|must| format!("{name} {key} {}: {must}", column.name))
                    });
                    wrong.extend(wrong_here);
                }
                (None, toml::Value::Table(_)) => wrong.push(format!("{name} {key}: the row is missing")),
                _ => panic!("{name} {key}: a row is a table of cells, or \"absent\""),
            }
        }
    }
    wrong
}

/// The contract of an output table, or of what leaves the bank.
fn contract_of<'a>(contracts: &'a Contracts, name: &str) -> &'a Contract {
    if name == "regulator" { contracts.regulator("indicators").unwrap() } else { contracts.output(name).unwrap() }
}

/// The row of a key as a case writes it: of `quarantine` the table and the key of the row that was set aside, of
/// indicators the key without the day, which is the as-of date.
fn find<'a>(case: &MarkedCase, table: &'a Table, contracts: &Contracts, key: &str) -> Option<&'a Vec<String>> {
    let (columns, key): (Vec<&str>, String) = match table.name {
        "quarantine" => {
            let (input, key) = key.split_once('|').expect("a key of `quarantine` is written table|key");
            (vec!["table_name", "key"], format!("{input}|{}", case.key(contracts.input(input).unwrap(), key)))
        }
        "indicators" => (vec!["indicator_id", "level", "ref_id", "breakdown"], key.to_string()),
        "regulator" => (vec!["INDICATOR", "REF_AREA", "BREAKDOWN"], key.to_string()),
        name => {
            let contract = contracts.output(name).unwrap();
            (contract.key.iter().map(String::as_str).collect(), case.key(contract, key))
        }
    };
    table.rows.iter().find(|row| {
        let cells: Vec<&str> = columns.iter().map(|column| table.cell(row, column).unwrap()).collect();
        cells.join("|") == key
    })
}

/// A cell without the mark of its case; a text for people may hold several identifiers.
fn unmarked(case: &MarkedCase, column: &Column, cell: &str) -> String {
    match column.kind {
        Type::Id => cell.strip_prefix(&case.mark).unwrap_or(cell).to_string(),
        Type::Text => cell.replace(&case.mark, ""),
        _ => cell.to_string(),
    }
}

/// What is wrong with a cell: it is another one, or lacks one of the words that it `holds`.
fn wrong_cell(table: &str, column: &Column, value: &toml::Value, actual: &str) -> Option<String> {
    if let toml::Value::Table(words) = value {
        let words = words.get("holds").and_then(toml::Value::as_array).expect("a cell, or the words that it `holds`");
        let holds = |word: &str| actual.split(|letter: char| " ,;:()".contains(letter)).any(|other| other == word);
        let missing: Vec<String> = words.iter().map(crate::support::bank::text).filter(|word| !holds(word)).collect();
        return (!missing.is_empty()).then(|| format!("must hold `{}`, is `{actual}`", missing.join("`, `")));
    }
    let expected = canonical(column, value);
    let is_same = match table {
        "indicators" | "regulator" if column.kind == Type::Real => is_close(&expected, actual),
        _ => expected == actual,
    };
    (!is_same).then(|| format!("must be `{expected}`, is `{actual}`"))
}

/// Logarithms, roots and distances of indicators are written with as many digits as they were worked out by hand.
fn is_close(expected: &str, actual: &str) -> bool {
    match (expected.parse::<f64>(), actual.parse::<f64>()) {
        (Ok(number), Ok(found)) if number.is_finite() => (number - found).abs() <= RELATIVE_TOLERANCE * number.abs(),
        _ => expected == actual,
    }
}

/// What a case writes, in the form in which published cells are read: `50_000` as `50000.00`, `"2/3"` as its float.
fn canonical(column: &Column, value: &toml::Value) -> String {
    if let toml::Value::Array(items) = value {
        return items.iter().map(crate::support::bank::text).collect::<Vec<_>>().join("|");
    }
    let text = crate::support::bank::text(value);
    match column.kind {
        _ if text.is_empty() => text,
        Type::Money | Type::Decimal { .. } => {
            let scale = column.kind.scale().unwrap();
            let (value, digits) = parse_exact(text.as_bytes(), scale as usize).expect("an exact decimal");
            format_scaled(value * 10_i128.pow(scale - digits), scale)
        }
        Type::Share | Type::Real => {
            let number = |text: &str| text.trim().parse::<f64>().expect("a number");
            let value = match text.split_once('/') {
                Some((above, below)) => number(above) / number(below),
                None => number(&text),
            };
            value.to_string()
        }
        _ => text,
    }
}

fn wrong_counts(case: &MarkedCase, night: &Night) -> Vec<String> {
    if case.case.counts.is_empty() {
        return Vec::new();
    }
    assert!(case.case.own_bank, "`{}` counts rows, so it needs a bank of its own", case.case.name);
    let manifest = night.manifest();
    let mut wrong = Vec::new();
    for (table, counts) in &case.case.counts {
        for (what, expected) in counts {
            let actual = manifest["tables"][table][what].as_u64();
            if actual != Some(*expected) {
                wrong.push(format!("manifest {table} {what}: must be {expected}, is {actual:?}"));
            }
        }
    }
    wrong
}
