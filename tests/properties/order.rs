//! The order in which an export writes its rows means nothing.

use proptest::prelude::*;
use wellfield::coverage::partition::FaultKind;

use super::night::{self, Outputs};
use super::{Met, hold};

#[test]
fn the_order_of_rows_changes_no_table() {
    hold(|plan, draw, met| {
        let mut book = plan.spoiled_book();
        let before = night::rate(&book);
        book.shuffle(draw);
        let after = night::rate(&book);
        note_what_is_there(&before, met);
        for name in before.names().filter(|name| *name != "quarantine") {
            before.table(name).must_equal(&after.table(name), name)?;
        }
        prop_assert_eq!(set_aside(&before), set_aside(&after), "quarantine");
        Ok(())
    });
}

/// A table that is empty in every bank would prove nothing. No bank has households enough for a grid that is too large.
fn note_what_is_there(outputs: &Outputs, met: &Met) {
    const TABLES: [&str; 9] = [
        "visit_checks",
        "grid_coverage",
        "officer_assessments",
        "village_ratings",
        "conduct_ranking",
        "work_list",
        "public_notice",
        "grid_funding",
        "partition_faults",
    ];
    for name in TABLES {
        met.note(name, outputs.table(name).rows.len() > 1);
    }
    let faults = outputs.table("partition_faults");
    for kind in FaultKind::ALL.into_iter().filter(|kind| *kind != FaultKind::GridTooLarge) {
        met.note(kind.name(), !faults.keys_with("fault", kind.name()).is_empty());
    }
    let quarantine = outputs.table("quarantine");
    met.note("several rows set aside", quarantine.rows.len() > 1);
    met.note("an unsound decision", !quarantine.keys_with("rule", "same_person").is_empty());
}

/// Rows of `quarantine` without their numbers.
fn set_aside(outputs: &Outputs) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = outputs.table("quarantine").without(&["row_number"]).rows.into_values().collect();
    rows.sort();
    rows
}
