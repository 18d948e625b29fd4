//! Two runs beside each other: what `compare` says of the sample bank against the published tables themselves, twins with
//! one change each against the cause that is known, and another rulebook against the night that it would have given.

mod command_line;
mod twins;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::program::{self, published_night, wellfield};
use crate::support::published;
use crate::support::scratch::{Scratch, scratch};
use crate::support::{copy_folder, read, repository};

const GRADES: [&str; 7] = ["AAA", "AA", "A", "B", "C", "D", "NR"];

fn sample_bank() -> PathBuf {
    repository().join("sample-data/bank")
}

/// What `compare` says, as JSON.
fn compared(bank: &Path, arguments: &[&str]) -> Value {
    let outcome = program::run(wellfield().arg("compare").arg(bank).args(arguments).arg("--json"));
    assert_eq!(outcome.exit, 0, "{}", outcome.shown(&[]));
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn out(runs: &Scratch) -> &str {
    runs.path().to_str().unwrap()
}

/// Cells of a household table by household, in the order of the columns asked for.
fn cells(run: &Path, name: &'static str, columns: &[&str]) -> BTreeMap<String, Vec<String>> {
    let table = published::table(run, name);
    let cell = |row: &[String], column: &str| table.cell(row, column).unwrap().to_string();
    let cells = |row: &[String]| columns.iter().map(|column| cell(row, column)).collect();
    table.rows.iter().map(|row| (cell(row, "household_id"), cells(row))).collect()
}

/// Model grade, final grade, list, suggested and final limit of every household.
fn standings(run: &Path) -> BTreeMap<String, Vec<String>> {
    let mut standings = cells(run, "household_grades", &["model_grade", "final_grade", "credit_list"]);
    for (household, limits) in cells(run, "grant_limits", &["suggested_limit", "final_limit"]) {
        standings.get_mut(&household).unwrap().extend(limits);
    }
    standings
}

/// What must be counted, worked out from the published tables alone.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    new: BTreeSet<String>,
    gone: BTreeSet<String>,
    moved: BTreeSet<String>,
    /// Up, down, became rateable, no longer rateable.
    final_grade: [u64; 4],
    model_grade: [u64; 4],
    lists: BTreeMap<(String, String), u64>,
    /// Final limits in cents: all before, all after, raised by, lowered by; households raised and lowered.
    limits: [i64; 6],
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

fn counted(from: &Path, to: &Path) -> Counted {
    let (old, new) = (standings(from), standings(to));
    let mut counted = Counted {
        new: new.keys().filter(|id| !old.contains_key(*id)).cloned().collect(),
        gone: old.keys().filter(|id| !new.contains_key(*id)).cloned().collect(),
        ..Counted::default()
    };
    counted.limits[0] = old.values().map(|cells| cents(&cells[4])).sum();
    counted.limits[1] = new.values().map(|cells| cents(&cells[4])).sum();
    for (household, after) in &new {
        let Some(before) = old.get(household) else { continue };
        if before != after {
            counted.moved.insert(household.clone());
        }
        for (column, grades) in [(0, &mut counted.model_grade), (1, &mut counted.final_grade)] {
            if let Some(direction) = direction(&before[column], &after[column]) {
                grades[direction] += 1;
            }
        }
        if before[2] != after[2] {
            *counted.lists.entry((before[2].clone(), after[2].clone())).or_default() += 1;
        }
        let step = cents(&after[4]) - cents(&before[4]);
        if step > 0 {
            counted.limits[2] += step;
            counted.limits[4] += 1;
        } else if step < 0 {
            counted.limits[3] -= step;
            counted.limits[5] += 1;
        }
    }
    counted
}

fn direction(from: &str, to: &str) -> Option<usize> {
    let rank = |grade: &str| GRADES.iter().position(|known| *known == grade).unwrap();
    match (from, to) {
        (from, to) if from == to => None,
        ("NR", _) => Some(2),
        (_, "NR") => Some(3),
        (from, to) => Some(usize::from(rank(to) > rank(from))),
    }
}

/// The same as a comparison says it.
fn told(comparison: &Value) -> Counted {
    let ids = |name: &str| comparison[name].as_array().unwrap().iter().map(|id| id.as_str().unwrap().into()).collect();
    let households = &comparison["households"];
    let grades = |name: &str| {
        ["up", "down", "became_rateable", "no_longer_rateable"].map(|way| households[name][way].as_u64().unwrap())
    };
    let amount = |value: &Value| cents(value.as_str().unwrap());
    let limits = &households["final_limit"];
    let flows = households["credit_list"].as_array().unwrap().iter();
    let word = |value: &Value| value.as_str().unwrap().to_string();
    let moved = comparison["moved"].as_array().unwrap().iter();
    Counted {
        new: ids("new_households"),
        gone: ids("gone_households"),
        moved: moved.map(|moved| word(&moved["household_id"])).collect(),
        final_grade: grades("final_grade"),
        model_grade: grades("model_grade"),
        lists: flows
            .map(|flow| ((word(&flow["from"]), word(&flow["to"])), flow["households"].as_u64().unwrap()))
            .collect(),
        limits: [
            amount(&limits["total"]["from"]),
            amount(&limits["total"]["to"]),
            amount(&limits["raised_by"]),
            amount(&limits["lowered_by"]),
            limits["raised"].as_i64().unwrap(),
            limits["lowered"].as_i64().unwrap(),
        ],
    }
}

fn causes(moved: &Value) -> Vec<&str> {
    moved["causes"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap()).collect()
}

/// Every household that moved has a cause and an element, and the counts of causes are those of the households.
fn check_causes(comparison: &Value) {
    let mut by_cause: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for moved in comparison["moved"].as_array().unwrap() {
        let causes = causes(moved);
        assert!(!causes.is_empty() && !moved["elements"].as_array().unwrap().is_empty(), "{moved}");
        for cause in &causes {
            let (households, alone) = by_cause.entry(cause).or_default();
            *households += 1;
            *alone += u64::from(causes.len() == 1);
        }
    }
    let told: BTreeMap<&str, (u64, u64)> = comparison["households"]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| {
            let counts = (count["households"].as_u64().unwrap(), count["alone"].as_u64().unwrap());
            (count["cause"].as_str().unwrap(), counts)
        })
        .collect();
    assert_eq!(told, by_cause);
}

#[test]
fn a_month_of_the_sample_bank_adds_up() {
    let runs = scratch();
    let bank = sample_bank();
    let from = published_night(&bank, "2026-05-31", &["--out", out(&runs)]);
    let to = published_night(&bank, "2026-06-30", &["--out", out(&runs)]);
    let comparison = compared(&bank, &["2026-05-31", "2026-06-30", "--out", out(&runs)]);
    let counted = counted(&from, &to);
    assert_eq!(told(&comparison), counted);
    assert!(counted.moved.len() > 100 && !counted.gone.is_empty(), "{} moved", counted.moved.len());
    check_causes(&comparison);
    assert_eq!(comparison["remarks"], Value::Array(Vec::new()));
    assert_eq!(comparison["differences"]["inputs"], Value::Array(Vec::new()));
    let told: BTreeSet<&str> = comparison["moved"].as_array().unwrap().iter().flat_map(causes).collect();
    assert_eq!(told, BTreeSet::from(["input", "time", "decision", "earlier_run"]), "nothing but these differs");
    check_coverage(&comparison, &from, &to);
    check_known_households(&comparison);
}

/// Counts of the bank are the sums of its branches.
fn check_coverage(comparison: &Value, from: &Path, to: &Path) {
    let sum = |run: &Path, count: &str| -> i64 {
        let table = published::table(run, "branch_coverage");
        let rows = table.rows.iter().filter(|row| table.cell(row, "segment").unwrap() == "all");
        rows.map(|row| table.cell(row, count).unwrap().parse::<i64>().unwrap()).sum()
    };
    let moves = comparison["coverage"]["bank"].as_array().unwrap();
    let told: BTreeMap<&str, (i64, i64)> = moves
        .iter()
        .map(|moved| {
            (moved["count"].as_str().unwrap(), (moved["from"].as_i64().unwrap(), moved["to"].as_i64().unwrap()))
        })
        .collect();
    for count in ["households", "profiled", "graded", "white", "granted", "drawn", "visited_12m"] {
        let (before, after) = (sum(from, count), sum(to, count));
        let expected = (before != after).then_some((before, after));
        assert_eq!(told.get(count).copied(), expected, "{count}");
    }
}

/// Households of the sample bank whose story is written in its README.
fn check_known_households(comparison: &Value) {
    let by_id: BTreeMap<&str, &Value> = comparison["moved"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moved| (moved["household_id"].as_str().unwrap(), moved))
        .collect();
    for (household, cause) in
        [("H-NR-OLD-PROFILE", "time"), ("H-BLACK-PAST-DUE", "input"), ("H-DELISTED", "input"), ("H0000178", "time")]
    {
        assert_eq!(causes(by_id[household]), [cause], "{household}");
    }
}

/// A copy of the built-in rulebook in which grade A begins at 72 instead of 70 points.
fn stricter_rulebook(folder: &Path) -> PathBuf {
    let rulebook = folder.join("rulebook");
    copy_folder(&repository().join("schemas/policies"), &rulebook);
    let path = rulebook.join("grade_scale.toml");
    let text = read(&path)
        .replace("{ grade = \"A\", at_least = 70, below = 80 }", "{ grade = \"A\", at_least = 72, below = 80 }")
        .replace("{ grade = \"B\", at_least = 60, below = 70 }", "{ grade = \"B\", at_least = 60, below = 72 }");
    std::fs::write(&path, text).unwrap();
    rulebook
}

#[test]
fn another_rulebook_gives_what_the_night_under_it_publishes() {
    let runs = scratch();
    let bank = sample_bank();
    let rulebook = stricter_rulebook(runs.path());
    let rulebook = rulebook.to_str().unwrap();
    let nights = runs.path().join("nights");
    let nights = nights.to_str().unwrap();
    let from = published_night(&bank, "2026-06-30", &["--out", nights]);
    let tried = compared(&bank, &["latest", "--rulebook", rulebook, "--out", nights]);
    assert_eq!(std::fs::read_dir(Path::new(nights).join("2026-06-30")).unwrap().count(), 1, "nothing is published");
    let to = published_night(&bank, "2026-06-30", &["--out", nights, "--rulebook", rulebook]);
    let counted = counted(&from, &to);
    assert_eq!(told(&tried), counted);
    assert!(!counted.moved.is_empty());
    assert!(tried["moved"].as_array().unwrap().iter().all(|moved| causes(moved) == ["rule"]));
    assert_eq!(tried["differences"]["policy_files"], serde_json::json!(["grade_scale.toml"]));
    assert_eq!(tried["to"]["run_id"], Value::Null);
    check_causes(&tried);
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    let published = compared(&bank, &[from, to, "--out", nights]);
    assert_eq!(told(&published), counted);
    assert_eq!(published["households"]["causes"], tried["households"]["causes"]);
    assert_eq!(published["coverage"], tried["coverage"]);
    assert_eq!(published["indicators"], tried["indicators"]);
    // Those that moved in grade stood from 70 to below 72, and fell to B.
    let scores = cells(Path::new(from), "household_grades", &["score", "model_grade"]);
    for moved in tried["moved"].as_array().unwrap().iter().filter(|moved| !moved["model_grade"].is_null()) {
        let score: f64 = scores[moved["household_id"].as_str().unwrap()][0].parse().unwrap();
        assert!((70.0..72.0).contains(&score), "{score}: {moved}");
        assert_eq!(moved["model_grade"], serde_json::json!({ "from": "A", "to": "B" }));
    }
}
