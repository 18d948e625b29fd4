//! The attacker on made-up publications: what it must find, and what nobody can.

use super::{Means, attack};
use crate::regulator::publication::{Publication, RefArea, Row, UNITS};

const PERIOD: &str = "2026-06-30";

/// A bank of branches B1 to B3 and areas A1 to A3.
struct Made(Publication);

impl Made {
    fn new() -> Made {
        let mut areas = vec![area("bank", "bank", "")];
        areas.extend(["B1", "B2", "B3"].map(|code| area(code, "branch", "bank")));
        areas.extend(["A1", "A2", "A3"].map(|code| area(code, "county", "bank")));
        Made(Publication { rows: Vec::new(), areas })
    }

    /// A row of one indicator; the counts are those of the catalogue, none is blank.
    fn row(mut self, indicator: &str, ref_area: &str, breakdown: &str, counts: [Option<i128>; 2]) -> Made {
        let [numerator, denominator] = counts.map(|count| count.map(|count| count * UNITS));
        let is_shown = numerator.is_some() && denominator.is_some();
        self.0.rows.push(Row {
            ref_area: ref_area.to_string(),
            indicator: indicator.to_string(),
            breakdown: breakdown.to_string(),
            period: PERIOD.to_string(),
            value: None,
            numerator,
            denominator,
            unit: if indicator.contains("per_1000") { "per_1000_households" } else { "share" }.to_string(),
            status: if is_shown { "A" } else { "Q" }.to_string(),
            version: "1".to_string(),
            vintage: 1,
        });
        self
    }

    /// Households with an account, of the bank and of areas or branches.
    fn accounts(self, counts: &[(&str, Option<i128>)]) -> Made {
        counts.iter().fold(self, |made, (code, count)| made.row("account_share", code, "all", [*count, Some(500)]))
    }

    fn valued(mut self, value: f64) -> Made {
        self.0.rows.last_mut().unwrap().value = Some(value);
        self
    }
}

fn area(code: &str, level: &str, parent: &str) -> RefArea {
    let [code, level, parent, name] = [code, level, parent, code].map(String::from);
    RefArea { code, level, parent, name }
}

/// The found counts as text, in order.
fn found(publications: &[&Publication], means: Means) -> Vec<String> {
    let mut found: Vec<String> = attack(publications, means)
        .into_iter()
        .map(|found| format!("{} {} {} {}", found.cell.count, found.cell.ref_area, found.cell.breakdown, found.value))
        .collect();
    found.sort();
    found
}

fn by_sums(made: &Made) -> Vec<String> {
    found(&[&made.0], Means::Sums)
}

#[test]
fn one_of_a_sum_is_found_and_two_are_not() {
    let one = Made::new().accounts(&[("bank", Some(30)), ("B1", None), ("B2", Some(20)), ("B3", Some(8))]);
    assert_eq!(by_sums(&one), ["with_account B1 all 2"]);
    let two = Made::new().accounts(&[("bank", Some(30)), ("B1", None), ("B2", None), ("B3", Some(8))]);
    assert!(by_sums(&two).is_empty());
    let whole = Made::new().accounts(&[("bank", None), ("B1", Some(2)), ("B2", Some(20)), ("B3", Some(8))]);
    assert_eq!(by_sums(&whole), ["with_account bank all 30"]);
}

#[test]
fn hidden_ones_that_must_each_be_one_are_found() {
    let ones = Made::new().accounts(&[("bank", Some(30)), ("B1", None), ("B2", None), ("B3", Some(28))]);
    assert_eq!(by_sums(&ones), ["with_account B1 all 1", "with_account B2 all 1"]);
}

#[test]
fn a_bank_that_is_hidden_is_found_over_the_areas() {
    let areas = [("A1", Some(10)), ("A2", Some(12)), ("A3", Some(8))];
    let made =
        Made::new().accounts(&[("bank", None), ("B1", None), ("B2", Some(20)), ("B3", Some(8))]).accounts(&areas);
    assert_eq!(by_sums(&made), ["with_account B1 all 2", "with_account bank all 30"]);
}

#[test]
fn a_count_that_another_indicator_shows_is_found() {
    let made = Made::new().row("account_share", "B1", "all", [None, Some(9)]);
    let made = made.row("average_deposit", "B1", "all", [None, Some(2)]);
    assert_eq!(by_sums(&made), ["with_account B1 all 2"]);
}

#[test]
fn a_value_beside_one_part_gives_the_other() {
    let above = Made::new().row("account_share", "B1", "all", [None, Some(40)]).valued(0.05);
    assert_eq!(by_sums(&above), ["with_account B1 all 2"]);
    let below = Made::new().row("borrowers_per_1000_households", "B1", "all", [Some(6), None]).valued(150.0);
    assert_eq!(by_sums(&below), ["households B1 all 40"]);
    let alone = Made::new().row("inclusive_small_customers", "B1", "all", [None, None]).valued(2.0);
    assert_eq!(by_sums(&alone), ["customers B1 all 2"]);
}

#[test]
fn what_is_two_others_together_is_found() {
    let made = Made::new().row("fresh_share", "B1", "all", [Some(40), Some(60)]);
    let made = made.row("stale_profile_share", "B1", "all", [None, Some(42)]);
    assert_eq!(by_sums(&made), ["stale B1 all 2"]);
}

#[test]
fn segments_and_areas_are_taken_together() {
    let cells = [
        ("bank", [Some(100), Some(20), Some(50), Some(30)]),
        ("A1", [Some(30), None, None, Some(15)]),
        ("A2", [Some(36), None, None, Some(10)]),
        ("A3", [Some(34), Some(9), Some(20), Some(5)]),
    ];
    let mut made = Made::new();
    for (code, counts) in cells {
        for (breakdown, count) in ["all", "business", "resident", "rural"].into_iter().zip(counts) {
            made = made.row("visiting_share", code, breakdown, [count, Some(500)]);
        }
    }
    assert!(by_sums(&made).is_empty(), "two rows and two columns leave a way around");
    let row = made.0.rows.iter_mut().find(|row| row.ref_area == "A1" && row.breakdown == "rural").unwrap();
    row.numerator = None;
    assert_eq!(by_sums(&made), ["visited A1 rural 15"]);
}

#[test]
fn customers_outside_the_areas_are_nowhere() {
    let counts = [("bank", Some(30)), ("A1", None), ("A2", Some(20)), ("A3", Some(8))];
    let customers = |counts: &[(&str, Option<i128>)]| {
        counts
            .iter()
            .fold(Made::new(), |made, (code, count)| made.row("inclusive_small_customers", code, "all", [*count, None]))
    };
    assert!(by_sums(&customers(&counts)).is_empty());
    let full = [("bank", Some(29)), counts[1], counts[2], counts[3]];
    assert_eq!(by_sums(&customers(&full)), ["customers A1 all 1"], "at least 1, and no more is left");
}

#[test]
fn zero_stays_known() {
    let made = Made::new().accounts(&[("bank", Some(30)), ("B1", None), ("B2", None), ("B3", Some(0))]);
    assert!(by_sums(&made).is_empty());
}

#[test]
fn definitions_say_more_than_sums() {
    let squeezed = Made::new().row("grading_share", "B1", "all", [Some(40), None]);
    let squeezed = squeezed.row("profile_share", "B1", "all", [None, Some(40)]);
    assert!(by_sums(&squeezed).is_empty());
    assert_eq!(found(&[&squeezed.0], Means::Definitions), ["profiled B1 all 40"]);
    let gini = Made::new().row("credit_gini", "B1", "all", [None, Some(40)]).valued(1.0 - 1.0 / 40.0);
    let gini = gini.row("borrowers_per_1000_households", "B1", "all", [None, Some(40)]);
    assert_eq!(found(&[&gini.0], Means::Definitions), ["borrowing B1 all 1"]);
    let index = Made::new().row("inclusion_index", "A1", "all", [None, None]).valued(0.5);
    let index = index.row("account_share", "A1", "all", [Some(36), Some(60)]).valued(0.6);
    let index = index.row("village_service_share", "A1", "all", [Some(2), Some(5)]).valued(0.4);
    let index = index.row("granting_share", "A1", "all", [None, Some(60)]);
    assert_eq!(found(&[&index.0], Means::Definitions).len(), 1, "the published index gives the share that is not");
}

#[test]
fn vintages_of_one_day_are_taken_together() {
    let hidden = Made::new().accounts(&[("bank", Some(30)), ("B1", None), ("B2", None), ("B3", Some(8))]);
    let shown = Made::new().accounts(&[("bank", Some(30)), ("B1", Some(4)), ("B2", Some(18)), ("B3", Some(8))]);
    let both = found(&[&hidden.0, &shown.0], Means::Sums);
    assert_eq!(both, ["with_account B1 all 4", "with_account B2 all 18"]);
    let other = Made::new().accounts(&[("bank", Some(31)), ("B1", Some(5)), ("B2", Some(18)), ("B3", Some(8))]);
    assert!(found(&[&hidden.0, &other.0], Means::Sums).is_empty(), "another sum is another unknown");
    let mut month = shown.0.clone();
    month.rows.iter_mut().for_each(|row| row.period = "2026-05-31".to_string());
    assert!(found(&[&month, &hidden.0], Means::Sums).is_empty(), "another day is another unknown");
}
