//! Counts add up: grids to branches, segments to all, sub-areas to areas, roots to the bank, and no household is lost on
//! the way. A share is taken of the sums at its own level, and a gap of its segment's sums.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use wellfield::coverage::counts::{Count, SHARES};

use super::book::Book;
use super::night::{self, Outputs, Table};
use super::{Met, hold};

const SEGMENTS: [&str; 3] = ["rural", "resident", "business"];

fn counts() -> impl Iterator<Item = &'static str> {
    Count::ALL.into_iter().map(Count::name)
}

#[test]
fn counts_add_up_at_every_level() {
    hold(|plan, _, met| {
        let book = plan.spoiled_book();
        let outputs = night::rate(&book);
        note_what_is_counted(&outputs, met);
        let (branches, areas) = (outputs.table("branch_coverage"), outputs.table("area_coverage"));
        branches_are_their_grids(&outputs, &branches)?;
        areas_are_what_lies_in_them(&book, &outputs, &areas, met)?;
        for table in [&branches, &areas] {
            segments_sum_to_all(table)?;
            shares_are_taken_last(table)?;
        }
        shares_are_taken_last(&outputs.table("grid_coverage"))?;
        no_household_is_lost(&outputs, met)
    });
}

fn note_what_is_counted(outputs: &Outputs, met: &Met) {
    let grids = outputs.table("grid_coverage");
    for count in counts() {
        met.note(count, grids.sum(grids.keys(), count) > 0);
    }
    met.note("a profile gap", grids.sum(grids.keys(), "profile_gap") > 0);
    met.note("a grid without households", !grids.keys_with("households", "0").is_empty());
    met.note("an invalid visit", !outputs.table("visit_checks").keys_with("is_valid", "false").is_empty());
    met.note("a row set aside", !outputs.table("quarantine").rows.is_empty());
    met.note("no grid at all", grids.rows.is_empty());
    met.note("several branches", outputs.table("branch_coverage").rows.len() > 4);
}

/// Also that a branch without a valid grid has no row.
fn branches_are_their_grids(outputs: &Outputs, branches: &Table) -> TestCaseResult {
    let grids = outputs.table("grid_coverage");
    for key in branches.keys() {
        let own = grids.keys_with("branch_id", branches.cell(key, "branch_id"));
        prop_assert!(!own.is_empty(), "{key} has no grid");
        prop_assert_eq!(branches.count(key, "grids"), own.len() as i64, "grids of {}", key);
        if branches.cell(key, "segment") == "all" {
            for count in counts() {
                prop_assert_eq!(branches.count(key, count), grids.sum(own.iter().copied(), count), "{} {}", key, count);
            }
        }
    }
    let all = branches.keys_with("segment", "all");
    prop_assert_eq!(branches.sum(all, "grids"), grids.rows.len() as i64, "every grid belongs to a branch with a row");
    Ok(())
}

fn areas_are_what_lies_in_them(book: &Book, outputs: &Outputs, areas: &Table, met: &Met) -> TestCaseResult {
    let (grids, branches) = (outputs.table("grid_coverage"), outputs.table("branch_coverage"));
    let rows = book.rows("areas").iter();
    let parents: BTreeMap<&str, &str> =
        rows.map(|row| (row["area_id"].as_str(), row["parent_area_id"].as_str())).collect();
    for key in areas.keys() {
        let (area, segment) = (areas.cell(key, "area_id"), areas.cell(key, "segment"));
        let below: Vec<&str> = areas.keys_with("segment", segment);
        let below: Vec<&str> =
            below.into_iter().filter(|other| parents[areas.cell(other, "area_id")] == area).collect();
        let own = grids.keys_with("area_id", area);
        met.note("an area below another", !below.is_empty());
        let in_grids = own.len() as i64 + areas.sum(below.iter().copied(), "grids");
        prop_assert_eq!(areas.count(key, "grids"), in_grids, "grids of {}", key);
        for count in counts() {
            // Grids show all segments together, so a segment is looked at where no grid lies.
            let own_count = match segment {
                "all" => grids.sum(own.iter().copied(), count),
                _ if own.is_empty() => 0,
                _ => continue,
            };
            let expected = own_count + areas.sum(below.iter().copied(), count);
            prop_assert_eq!(areas.count(key, count), expected, "{} {}", key, count);
        }
    }
    for segment in SEGMENTS.into_iter().chain(["all"]) {
        let roots = areas.keys_with("segment", segment).into_iter();
        let roots: Vec<&str> = roots.filter(|key| parents[areas.cell(key, "area_id")].is_empty()).collect();
        for count in counts().chain(["grids"]) {
            let in_branches = branches.sum(branches.keys_with("segment", segment), count);
            prop_assert_eq!(areas.sum(roots.iter().copied(), count), in_branches, "the bank's {} {}", segment, count);
        }
    }
    Ok(())
}

fn segments_sum_to_all(table: &Table) -> TestCaseResult {
    for key in table.keys_with("segment", "all") {
        let of = key.strip_suffix("all").unwrap();
        let segments = SEGMENTS.map(|segment| format!("{of}{segment}"));
        for count in counts().chain(["profile_gap"]) {
            let sum = table.sum(segments.iter().map(String::as_str), count);
            prop_assert_eq!(table.count(key, count), sum, "{} {}", key, count);
        }
        for segment in &segments {
            let missing = table.count(segment, "profiles_required") - table.count(segment, "profiled");
            prop_assert_eq!(table.count(segment, "profile_gap"), missing.max(0), "the gap of {}", segment);
            prop_assert_eq!(table.cell(segment, "grids"), table.cell(key, "grids"), "grids of {}", segment);
        }
    }
    Ok(())
}

fn shares_are_taken_last(table: &Table) -> TestCaseResult {
    for key in table.keys() {
        for share in SHARES {
            let (part, whole) = (table.count(key, share.part.name()), table.count(key, share.whole.name()));
            let expected = (whole != 0).then(|| part as f64 / whole as f64);
            prop_assert_eq!(table.cell(key, share.name).parse::<f64>().ok(), expected, "{} {}", key, share.name);
        }
    }
    Ok(())
}

fn no_household_is_lost(outputs: &Outputs, met: &Met) -> TestCaseResult {
    let (grids, faults) = (outputs.table("grid_coverage"), outputs.table("partition_faults"));
    let outside = faults.keys_with("fault", "grid_not_valid").len() as i64;
    met.note("a household in a grid that is not valid", outside > 0);
    let inside = grids.sum(grids.keys(), "households");
    prop_assert_eq!(inside + outside, outputs.table("household_grades").rows.len() as i64);
    Ok(())
}
