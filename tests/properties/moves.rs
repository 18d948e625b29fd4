//! Where a household stands decides where it counts, and nothing else: a grid that is split in two, and a household that
//! moves to another grid of its branch, leave the branch as it was. Only profiles required follow the size of a grid,
//! because they are rounded up for each grid and segment.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::book::{Book, is_present};
use super::draw::Draw;
use super::night::{self, Outputs, RULEBOOK, Table};
use super::{Met, TARGETS, hold, household_counts};

const SEGMENTS: [&str; 3] = ["rural", "resident", "business"];
/// What is done in a grid stays in it.
const VISITS: [&str; 10] = [
    "visits_12m",
    "valid_visits_12m",
    "valid_visits_1m",
    "patrol_met",
    "issues_raised_12m",
    "issues_resolved_in_grid",
    "issues_resolved_in_community",
    "issues_resolved_in_township",
    "issues_open",
    "urgent_open",
];

/// Whether a grid must have nobody on file, or everybody: then nothing is rounded.
fn is_target_whole(grids: &Table, grid: &str) -> bool {
    let last = RULEBOOK.coverage_targets.years.last().unwrap().programme_year;
    let year = grids.count(grid, "programme_year");
    year == 0 || year >= i64::from(last)
}

/// The area and everything above it.
fn areas_around<'a>(book: &'a Book, area: &str) -> Vec<&'a str> {
    let rows = book.rows("areas").iter();
    let areas: BTreeMap<&str, (&str, &str)> =
        rows.map(|row| (row["area_id"].as_str(), (row["area_id"].as_str(), row["parent_area_id"].as_str()))).collect();
    let mut around = Vec::new();
    let mut next = area;
    while let Some((own, parent)) = areas.get(next) {
        around.push(*own);
        next = parent;
    }
    around
}

#[test]
fn a_grid_split_in_two_leaves_its_branch_and_area_as_they_were() {
    hold(|plan, draw, met| {
        let book = plan.book();
        let before = night::rate(&book);
        let grids = before.table("grid_coverage");
        let valid: Vec<&str> = grids.keys().collect();
        let Some(grid) = draw.pick_any(&valid) else { return Ok(()) };
        let half = format!("{grid}-east");
        let after = night::rate(&split(&book, grid, &half, draw));
        let (branch, area) = (grids.cell(grid, "branch_id"), grids.cell(grid, "area_id"));
        let is_whole = is_target_whole(&grids, grid);
        met.note("a split grid of the first years", !is_whole);
        halves_are_the_grid(&grids, &after.table("grid_coverage"), grid, &half, met)?;
        let around = areas_around(&book, area);
        met.note("a split grid below several levels", around.len() > 1);
        let levels = [("branch_coverage", "branch_id", vec![branch]), ("area_coverage", "area_id", around)];
        for (table, id, holding) in levels {
            let (before, after) = (before.table(table), after.table(table));
            one_grid_more(&before, &after, is_whole, &|key| holding.contains(&before.cell(key, id)), met)?;
        }
        for table in ["scorecard_points", "grant_limits", "village_ratings", "conduct_ranking", "grid_funding"] {
            before.table(table).must_equal(&after.table(table), table)?;
        }
        Ok(())
    });
}

/// The bank with a second grid like the first, into which about half of the first one's households go.
fn split(book: &Book, grid: &str, half: &str, draw: &mut Draw) -> Book {
    let mut book = book.clone();
    let mut row = book.rows("grids").iter().find(|row| row["grid_id"] == grid).unwrap().clone();
    row.insert("grid_id".into(), half.into());
    book.add_row("grids", row);
    for household in book.rows_mut("households").iter_mut().filter(|row| is_present(row) && row["grid_id"] == grid) {
        if draw.has_chance(50) {
            household.insert("grid_id".into(), half.into());
        }
    }
    book
}

fn halves_are_the_grid(before: &Table, after: &Table, grid: &str, half: &str, met: &Met) -> TestCaseResult {
    for count in household_counts() {
        let (whole, halves) = (before.count(grid, count), after.sum([grid, half], count));
        prop_assert_eq!(whole, halves, "{} of {}", count, grid);
    }
    for column in VISITS {
        prop_assert_eq!(before.cell(grid, column), after.cell(grid, column), "{} of {}", column, grid);
    }
    met.note("two halves with households", [grid, half].iter().all(|half| after.count(half, "households") > 0));
    prop_assert_eq!(before.rows.len() + 1, after.rows.len());
    for other in before.keys().filter(|other| *other != grid) {
        prop_assert_eq!(&before.rows[other], &after.rows[other], "{}", other);
    }
    Ok(())
}

/// Rows that hold the split grid have a grid more and, at most, one more profile required in each segment.
fn one_grid_more(
    before: &Table,
    after: &Table,
    is_whole: bool,
    holds_grid: &dyn Fn(&str) -> bool,
    met: &Met,
) -> TestCaseResult {
    prop_assert!(before.keys().eq(after.keys()), "the rows");
    let changing = ["grids", TARGETS[0], TARGETS[1]];
    let (same_before, same_after) = (before.without(&changing), after.without(&changing));
    for key in before.keys() {
        prop_assert_eq!(&same_before.rows[key], &same_after.rows[key], "{}", key);
        let more = |column: &str| after.count(key, column) - before.count(key, column);
        prop_assert_eq!(more("grids"), i64::from(holds_grid(key)), "grids of {}", key);
        let segments = if before.cell(key, "segment") == "all" { SEGMENTS.len() as i64 } else { 1 };
        let most = if holds_grid(key) && !is_whole { segments } else { 0 };
        let required = more("profiles_required");
        prop_assert!((0..=most).contains(&required), "{} requires {} profiles more", key, required);
        prop_assert!((0..=required).contains(&more("profile_gap")), "the gap of {}", key);
        met.note("a profile more that is required", required > 0);
    }
    Ok(())
}

#[test]
fn a_household_that_moves_takes_its_own_marks_along_and_nothing_else() {
    hold(|plan, draw, met| {
        let mut book = plan.book();
        let before = night::rate(&book);
        let Some(moved) = Move::draw(&before, draw) else { return Ok(()) };
        book.move_household(&moved.household, &moved.to);
        let after = night::rate(&book);
        moved.takes_its_marks(&before, &after, met)?;
        moved.leaves_the_branch(&before, &after, met)?;
        moved.leaves_the_areas(&book, &before, &after, met)?;
        for (table, has_place) in [("household_facts", true), ("household_grades", true), ("scorecard_points", false)] {
            let place: &[&str] = if has_place { &["grid_id", "area_id"] } else { &[] };
            before.table(table).without(place).must_equal(&after.table(table).without(place), table)?;
        }
        Ok(())
    });
}

/// A household, its grid, and another grid of the same branch, both valid.
struct Move {
    household: String,
    from: String,
    to: String,
    grids: Table,
}

impl Move {
    fn draw(outputs: &Outputs, draw: &mut Draw) -> Option<Move> {
        let (grids, households) = (outputs.table("grid_coverage"), outputs.table("household_grades"));
        let others = |grid: &str| -> Vec<&str> {
            let branch = grids.rows.contains_key(grid).then(|| grids.cell(grid, "branch_id"));
            let siblings = branch.map(|branch| grids.keys_with("branch_id", branch)).unwrap_or_default();
            siblings.into_iter().filter(|other| *other != grid).collect()
        };
        let movable: Vec<&str> =
            households.keys().filter(|key| !others(households.cell(key, "grid_id")).is_empty()).collect();
        let served: Vec<&str> =
            movable.iter().copied().filter(|key| households.cell(key, "decision") == "accept").collect();
        let served = draw.pick_any(&served).filter(|_| draw.has_chance(50));
        let household = served.or_else(|| draw.pick_any(&movable))?.to_string();
        let from = households.cell(&household, "grid_id").to_string();
        let to = draw.pick(&others(&from)).to_string();
        Some(Move { household, from, to, grids })
    }

    fn takes_its_marks(&self, before: &Outputs, after: &Outputs, met: &Met) -> TestCaseResult {
        let (old, new) = (&self.grids, after.table("grid_coverage"));
        let marks = marks(before, &self.household);
        for count in household_counts() {
            let left = old.count(&self.from, count) - new.count(&self.from, count);
            let arrived = new.count(&self.to, count) - old.count(&self.to, count);
            prop_assert_eq!(left, arrived, "{}: what leaves arrives", count);
            prop_assert!((0..=1).contains(&left), "{}: one household is {}", count, left);
            if let Some(&is_marked) = marks.get(count) {
                prop_assert_eq!(left, i64::from(is_marked), "{}", count);
            }
            met.note(count, left == 1);
        }
        for grid in [&self.from, &self.to] {
            for column in VISITS {
                prop_assert_eq!(old.cell(grid, column), new.cell(grid, column), "{} of {}", column, grid);
            }
        }
        prop_assert!(old.keys().eq(new.keys()), "the grids");
        for grid in old.keys().filter(|grid| *grid != self.from && *grid != self.to) {
            prop_assert_eq!(&old.rows[grid], &new.rows[grid], "{}", grid);
        }
        Ok(())
    }

    fn leaves_the_branch(&self, before: &Outputs, after: &Outputs, met: &Met) -> TestCaseResult {
        let (old, new) = (before.table("branch_coverage"), after.table("branch_coverage"));
        let is_whole = self.is_nothing_rounded();
        met.note("a move between grids that need everybody on file", is_whole);
        let changing: &[&str] = if is_whole { &[] } else { &TARGETS };
        old.without(changing).must_equal(&new.without(changing), "branch_coverage")?;
        let required = |table: &Table| table.sum(table.keys_with("segment", "all"), "profiles_required");
        met.note("a move that changes what is required", required(&old) != required(&new));
        for key in old.keys() {
            let more = new.count(key, "profiles_required") - old.count(key, "profiles_required");
            prop_assert!((-1..=1).contains(&more), "{} requires {} profiles more", key, more);
        }
        Ok(())
    }

    /// Both grids must have everybody on file, or both nobody.
    fn is_nothing_rounded(&self) -> bool {
        let years = [&self.from, &self.to].map(|grid| self.grids.count(grid, "programme_year"));
        let is_whole = [&self.from, &self.to].map(|grid| is_target_whole(&self.grids, grid));
        is_whole == [true, true] && (years[0] == 0) == (years[1] == 0)
    }

    fn leaves_the_areas(&self, book: &Book, before: &Outputs, after: &Outputs, met: &Met) -> TestCaseResult {
        let areas = [&self.from, &self.to].map(|grid| self.grids.cell(grid, "area_id"));
        let around = areas.map(|area| areas_around(book, area));
        let (old, new) =
            (before.table("area_coverage").without(&TARGETS), after.table("area_coverage").without(&TARGETS));
        for key in old.keys() {
            let area = old.cell(key, "area_id");
            let [loses, gains] = [0, 1].map(|place| around[place].contains(&area));
            if loses == gains {
                prop_assert_eq!(&old.rows[key], &new.rows[key], "{}", key);
            } else if old.cell(key, "segment") == "all" {
                let more = new.count(key, "households") - old.count(key, "households");
                prop_assert_eq!(more, i64::from(gains) - i64::from(loses), "households of {}", key);
            }
        }
        met.note("a move from one area to another", areas[0] != areas[1]);
        if areas[0] == areas[1] {
            met.note("a move within an area", true);
            for table in ["village_ratings", "conduct_ranking"] {
                before.table(table).must_equal(&after.table(table), table)?;
            }
        }
        Ok(())
    }
}

/// Which counts a household stands in, as far as its own tables tell.
fn marks(outputs: &Outputs, household: &str) -> BTreeMap<&'static str, bool> {
    let facts = outputs.table("household_facts");
    let (grades, limits) = (outputs.table("household_grades"), outputs.table("grant_limits"));
    let is_above_0 = |amount: &str| amount.parse::<f64>().is_ok_and(|amount| amount > 0.0);
    let age = facts.cell(household, "profile_age_days").parse::<u32>().ok();
    let is_borrowing = is_above_0(facts.cell(household, "own_outstanding"));
    let is_granted = ["accept", "adjust"].contains(&grades.cell(household, "decision"))
        && is_above_0(limits.cell(household, "final_limit"));
    BTreeMap::from([
        ("households", true),
        ("care_households", facts.cell(household, "care_category") != "none"),
        ("profiled", age.is_some()),
        ("profiled_fresh", age.is_some_and(|age| i64::from(age) <= i64::from(RULEBOOK.fact_rules.fresh_days))),
        ("graded", age.is_some() && grades.cell(household, "model_grade") != "NR"),
        ("white", grades.cell(household, "credit_list") == "white"),
        ("suggested", is_above_0(limits.cell(household, "suggested_limit"))),
        ("granted", is_granted),
        ("drawn", is_granted && is_borrowing),
        ("borrowing", is_borrowing),
        ("visited_12m", is_above_0(facts.cell(household, "valid_visits_12m"))),
    ])
}
