//! Two runs of a small bank between which one thing was changed, so that the cause of every move is known.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{causes, compared};
use crate::support::bank::BankBuilder;
use crate::support::program::published_night;
use crate::support::scratch::{Scratch, scratch};
use crate::support::{copy_folder, read, repository};

/// A bank of two households with profiles; the first was visited in spring.
fn bank(fill: &dyn Fn(&mut BankBuilder)) -> BankBuilder {
    let mut bank = BankBuilder::with_register();
    bank.add("households", &[("household_id", "H2")]);
    bank.add("profiles", &[]).add("profiles", &[("profile_id", "P2"), ("household_id", "H2")]);
    bank.add("visits", &visit("V1", "H", "2026-04-15"));
    fill(&mut bank);
    bank.leave_out_empty();
    bank
}

fn visit<'a>(visit_id: &'a str, household: &'a str, day: &'a str) -> [(&'a str, &'a str); 5] {
    let times = match day {
        "2026-04-15" => ["2026-04-15T09:00:00", "2026-04-15T09:30:00", "2026-04-15T18:00:00"],
        "2026-06-20" => ["2026-06-20T09:00:00", "2026-06-20T09:30:00", "2026-06-20T18:00:00"],
        "2026-07-15" => ["2026-07-15T09:00:00", "2026-07-15T09:30:00", "2026-07-15T18:00:00"],
        other => panic!("no visit on {other}"),
    };
    [
        ("visit_id", visit_id),
        ("household_id", household),
        ("started_at", times[0]),
        ("ended_at", times[1]),
        ("recorded_at", times[2]),
    ]
}

/// A bank whose files change between its nights.
struct Twins {
    folder: Scratch,
}

impl Twins {
    fn new() -> Twins {
        Twins { folder: scratch() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bank")
    }

    fn write(&self, fill: &dyn Fn(&mut BankBuilder)) {
        bank(fill).write(&self.path(), None);
    }

    fn night(&self, as_of: &str, arguments: &[&str]) -> PathBuf {
        const ALLOWED: [&str; 4] = ["--allow-change", "all", "--allow-stale", "all"];
        published_night(&self.path(), as_of, &[&ALLOWED, arguments].concat())
    }

    fn compared(&self, from: &Path, to: &Path) -> Value {
        compared(&self.path(), &[from.to_str().unwrap(), to.to_str().unwrap()])
    }
}

fn household<'a>(comparison: &'a Value, id: &str) -> &'a Value {
    let moved = comparison["moved"].as_array().unwrap();
    moved
        .iter()
        .find(|moved| moved["household_id"] == id)
        .unwrap_or_else(|| panic!("{id} did not move: {comparison:#}"))
}

fn ids(comparison: &Value) -> Vec<&str> {
    comparison["moved"].as_array().unwrap().iter().map(|moved| moved["household_id"].as_str().unwrap()).collect()
}

#[test]
fn another_visit_is_an_input() {
    let twins = Twins::new();
    twins.write(&|_| {});
    let from = twins.night("2026-06-30", &[]);
    twins.write(&|bank| {
        bank.add("visits", &visit("V2", "H2", "2026-06-20"));
    });
    let to = twins.night("2026-06-30", &[]);
    let comparison = twins.compared(&from, &to);
    assert_eq!(ids(&comparison), ["H2"]);
    let moved = household(&comparison, "H2");
    assert_eq!(causes(moved), ["input"]);
    assert_eq!(moved["credit_list"], json!({ "from": "grey", "to": "white" }));
    assert_eq!(comparison["households"]["input_tables"], json!([{ "name": "visits", "households": 1 }]));
    assert_eq!(comparison["differences"]["inputs"][0]["table"], "visits");
}

#[test]
fn another_cap_is_a_rule() {
    let twins = Twins::new();
    twins.write(&|_| {});
    let from = twins.night("2026-06-30", &[]);
    let rulebook = twins.folder.path().join("rulebook");
    copy_folder(&repository().join("schemas/policies"), &rulebook);
    let path = rulebook.join("limits.toml");
    let text = read(&path).replace("product_cap = 200_000", "product_cap = 12_000");
    std::fs::write(&path, text.replace("minimum = 5_000", "minimum = 4_000")).unwrap();
    let to = twins.night("2026-06-30", &["--rulebook", rulebook.to_str().unwrap()]);
    let comparison = twins.compared(&from, &to);
    assert_eq!(ids(&comparison), ["H", "H2"]);
    for id in ids(&comparison) {
        let moved = household(&comparison, id);
        assert_eq!(causes(moved), ["rule"]);
        assert_eq!(moved["suggested_limit"]["to"], "12000.00");
    }
    assert_eq!(comparison["households"]["policies"], json!([{ "name": "limits", "households": 2 }]));
}

/// The profiles of both households; the first is no longer fresh a month later.
fn ageing(bank: &mut BankBuilder, late_visit: bool) {
    bank.add("households", &[("household_id", "H3")]).add("visits", &visit("V3", "H3", "2026-06-20"));
    bank.add(
        "profiles",
        &[
            ("profile_id", "P3"),
            ("household_id", "H3"),
            ("profiled_on", "2025-07-10"),
            ("recorded_at", "2025-07-10T18:00:00"),
        ],
    );
    if late_visit {
        bank.add("visits", &visit("V2", "H2", "2026-07-15"));
    }
}

#[test]
fn days_that_go_by_are_told_from_a_visit_that_came() {
    let twins = Twins::new();
    twins.write(&|bank| ageing(bank, false));
    let from = twins.night("2026-06-30", &[]);
    twins.write(&|bank| ageing(bank, true));
    let to = twins.night("2026-07-31", &[]);
    let comparison = twins.compared(&from, &to);
    let (aged, visited) = (household(&comparison, "H3"), household(&comparison, "H2"));
    assert_eq!(aged["credit_list"], json!({ "from": "white", "to": "grey" }));
    assert_eq!(causes(aged), ["time"]);
    assert_eq!(visited["credit_list"], json!({ "from": "grey", "to": "white" }));
    assert_eq!(causes(visited), ["input"]);
    assert_eq!(comparison["remarks"], json!([]));
    // With other files in the bank's folder the two can be told apart only where no file differs.
    twins.write(&|bank| {
        ageing(bank, true);
        bank.add("visits", &visit("V4", "H", "2026-06-20"));
    });
    let comparison = twins.compared(&from, &to);
    assert_eq!(causes(household(&comparison, "H3")), ["time"]);
    assert_eq!(causes(household(&comparison, "H2")), ["input_or_time"]);
    let remark = comparison["remarks"][0]["en"].as_str().unwrap();
    assert!(remark.contains("`visits`") && remark.contains("cannot be told apart"), "{remark}");
}

#[test]
fn the_same_files_a_month_later_are_time_but_for_what_became_known() {
    let twins = Twins::new();
    twins.write(&|bank| ageing(bank, true));
    let from = twins.night("2026-06-30", &[]);
    let to = twins.night("2026-07-31", &[]);
    let comparison = twins.compared(&from, &to);
    assert_eq!(comparison["differences"]["inputs"], json!([]));
    assert_eq!(causes(household(&comparison, "H3")), ["time"]);
    assert_eq!(causes(household(&comparison, "H2")), ["input"]);
}

#[test]
fn a_decision_is_a_decision() {
    let twins = Twins::new();
    let decided = |bank: &mut BankBuilder, decision: bool| {
        bank.add("decisions", &[("decision_id", "D0"), ("household_id", "H2"), ("action", "suspend")]);
        if decision {
            bank.add("decisions", &[("action", "decline")]);
        }
    };
    twins.write(&|bank| decided(bank, false));
    let from = twins.night("2026-06-30", &[]);
    twins.write(&|bank| decided(bank, true));
    let to = twins.night("2026-06-30", &[]);
    let comparison = twins.compared(&from, &to);
    assert_eq!(ids(&comparison), ["H"]);
    let moved = household(&comparison, "H");
    assert_eq!(causes(moved), ["decision"]);
    assert_eq!(moved["final_limit"]["to"], "0.00");
    assert_eq!(moved["elements"][0]["what"], "decision");
    assert_eq!((&moved["elements"][0]["from"], &moved["elements"][0]["to"]), (&json!("none"), &json!("decline")));
}

#[test]
fn a_limit_that_is_held_comes_from_the_run_before() {
    let twins = Twins::new();
    let guaranteeing = |bank: &mut BankBuilder, guarantees: &str| {
        bank.add("outside_debts", &[("guarantee_outstanding", guarantees)]);
    };
    twins.write(&|bank| guaranteeing(bank, "3000"));
    let earlier = twins.night("2026-05-31", &[]);
    twins.write(&|bank| guaranteeing(bank, "0"));
    let from = twins.night("2026-06-30", &["--previous", "none"]);
    let to = twins.night("2026-06-30", &["--previous", earlier.to_str().unwrap()]);
    let comparison = twins.compared(&from, &to);
    assert_eq!(ids(&comparison), ["H"]);
    let moved = household(&comparison, "H");
    assert_eq!(causes(moved), ["earlier_run"]);
    assert_eq!(moved["elements"][0]["what"], "hold");
    assert_eq!(comparison["differences"]["inputs"], json!([]));
}

#[test]
fn a_household_that_comes_and_one_that_goes_are_counted_apart() {
    let twins = Twins::new();
    twins.write(&|_| {});
    let from = twins.night("2026-06-30", &[]);
    let mut other = BankBuilder::with_register();
    other
        .add("households", &[("household_id", "H9")])
        .add("profiles", &[])
        .add("visits", &visit("V1", "H", "2026-04-15"));
    other.leave_out_empty();
    other.write(&twins.path(), None);
    let to = twins.night("2026-06-30", &[]);
    let comparison = twins.compared(&from, &to);
    assert_eq!((&comparison["new_households"], &comparison["gone_households"]), (&json!(["H9"]), &json!(["H2"])));
    assert_eq!(ids(&comparison), Vec::<&str>::new());
    let limits = &comparison["households"]["final_limit"];
    let amount = |name: &str| limits[name].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    let total = |side: &str| limits["total"][side].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(total("to") - total("from"), amount("of_new") - amount("of_gone"));
}
