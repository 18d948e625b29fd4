//! An officer's score lies between nothing and everything, is the sum of its parts, and a fresh profile never lowers it.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::ledgers;
use super::night::{self, Outputs, Table};
use super::{Met, hold};

const PARTS: [&str; 4] = ["visiting_points", "filing_points", "truthfulness_points", "issue_points"];
const FULL_SCORE_TENTHS: i64 = 1000;

#[test]
fn a_fresh_profile_never_lowers_an_officers_score() {
    hold(|plan, draw, met| {
        let mut book = plan.book();
        let before = night::rate(&book);
        let old = before.table("officer_assessments");
        scores_are_sums(&old, met)?;
        let grades = before.table("household_grades");
        let ids: Vec<&str> = grades.keys().collect();
        let Some(household) = draw.pick_any(&ids) else { return Ok(()) };
        book.add_row("profiles", ledgers::fresh_profile(household));
        let after = night::rate(&book);
        let new = after.table("officer_assessments");
        scores_are_sums(&new, met)?;
        let changing = ["filing_points", "score", "rating"];
        old.without(&changing).must_equal(&new.without(&changing), "officer_assessments")?;
        for officer in old.keys() {
            prop_assert!(old.tenths(officer, "score") <= new.tenths(officer, "score"), "the score of {}", officer);
        }
        filing_pays(&before, &after, household, met)
    });
}

fn scores_are_sums(officers: &Table, met: &Met) -> TestCaseResult {
    for officer in officers.keys() {
        let parts = PARTS.map(|part| officers.tenths(officer, part).unwrap());
        let score = officers.tenths(officer, "score").unwrap();
        prop_assert!(parts.iter().all(|part| *part >= 0), "{} has {:?}", officer, parts);
        prop_assert_eq!(score, parts.iter().sum::<i64>(), "the score of {}", officer);
        prop_assert!((0..=FULL_SCORE_TENTHS).contains(&score), "{} has {}", officer, score);
        for (name, points) in PARTS.into_iter().zip(parts) {
            met.note(name, points > 0);
        }
    }
    Ok(())
}

/// A household that had no fresh profile is one more in its grid, and the grid's primary officer has points for it:
/// with fewer than 300 households each is worth a tenth at least.
fn filing_pays(before: &Outputs, after: &Outputs, household: &str, met: &Met) -> TestCaseResult {
    let grades = before.table("household_grades");
    let (old, new) = (before.table("grid_coverage"), after.table("grid_coverage"));
    let grid = grades.cell(household, "grid_id");
    for other in old.keys() {
        let more = new.count(other, "profiled_fresh") - old.count(other, "profiled_fresh");
        prop_assert!((0..=i64::from(other == grid)).contains(&more), "profiled_fresh of {}", other);
        let assessments = [before, after].map(|outputs| outputs.table("officer_assessments"));
        let officer = old.cell(other, "primary_officer_id");
        let is_own = |table: &Table| {
            table.rows.contains_key(officer) && table.cell(officer, "branch_id") == old.cell(other, "branch_id")
        };
        if more == 1 && assessments.iter().all(is_own) {
            let [was, is] = assessments.map(|table| table.tenths(officer, "filing_points"));
            prop_assert!(was < is, "{} files for nothing", officer);
            met.note("points for a profile", true);
        }
    }
    Ok(())
}
