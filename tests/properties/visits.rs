//! A visit never does harm: one more, after all others and of whatever kind, takes no point from any household, because
//! a flag asks for another visit and nothing else.

use chrono::{NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use wellfield::visits::Flag;

use super::book::{Book, end_of_day, moment, written};
use super::draw::Draw;
use super::ledgers;
use super::night::{self, Outputs};
use super::{Met, hold};
use crate::support::bank::Row;

/// One after the other, each after all that were there: no other visit has a later identifier.
const VISITS: [&str; 2] = ["ZZ0", "ZZ1"];

#[test]
fn a_flagged_visit_never_lowers_a_households_points() {
    hold(|plan, draw, met| {
        let mut book = plan.book();
        let mut before = night::rate(&book);
        for id in VISITS {
            let Some(household) = any_household(&book, &before, draw) else { break };
            let visit = one_more(&book, id, &household, draw);
            book.add_row("visits", visit.clone());
            let after = night::rate(&book);
            note_flags(&after, id, met);
            no_points_are_lost(&before, &after, &household, met)?;
            no_visit_is_lost(&before, &after, &visit)?;
            before = after;
        }
        Ok(())
    });
}

/// A household of the run, mostly one that was visited before.
fn any_household(book: &Book, outputs: &Outputs, draw: &mut Draw) -> Option<String> {
    let households = outputs.table("household_grades");
    let ids: Vec<&str> = households.keys().collect();
    let visited: Vec<&str> = book.rows("visits").iter().map(|row| row["household_id"].as_str()).collect();
    let again = draw.pick_any(&visited).filter(|id| households.rows.contains_key(*id) && draw.has_chance(70));
    again.or_else(|| draw.pick_any(&ids)).map(String::from)
}

/// A visit that begins when no other known visit begins later; its photo and device are often those of an earlier one.
fn one_more(book: &Book, id: &str, household: &str, draw: &mut Draw) -> Row {
    let row = book.present(household);
    let home = row["longitude"].parse().ok().zip(row["latitude"].parse().ok());
    let latest = latest(book);
    let (mut officer, started) = match latest {
        Some((visit, started)) => {
            (visit["officer_id"].clone(), started + TimeDelta::minutes(draw.pick(&[0, 10, 50, 400, 5_000])))
        }
        None => ("O0".into(), moment(4, draw.between(0, 1439))),
    };
    if draw.has_chance(40) {
        officer = book.any("officers", draw)["officer_id"].clone();
    }
    let grid = if draw.has_chance(85) { &row["grid_id"] } else { &book.any("grids", draw)["grid_id"] };
    let visited = ledgers::Household { id: household, grid, home, is_served: false };
    let mut visit = ledgers::visit(draw, id, Some(&visited), grid, &officer, started);
    let earlier = book.rows("visits").iter().filter(|row| row["household_id"] == household);
    let photos: Vec<&str> = earlier.map(|row| row["photo_hash"].as_str()).filter(|photo| !photo.is_empty()).collect();
    if let Some(photo) = draw.pick_any(&photos).filter(|_| draw.has_chance(50)) {
        visit.insert("photo_hash".into(), photo.into());
    }
    if let Some((latest, _)) = latest.filter(|_| draw.has_chance(40)) {
        visit.insert("device_id".into(), latest["device_id"].clone());
    }
    visit
}

/// The visit that began last by the as-of date.
fn latest(book: &Book) -> Option<(&Row, NaiveDateTime)> {
    let end = written(end_of_day());
    let begun = book.rows("visits").iter().filter(|row| row["started_at"] < end);
    // Moments stand in the order of their text.
    let latest = begun.max_by_key(|row| (row["started_at"].clone(), row["visit_id"].clone()))?;
    let started = NaiveDateTime::parse_from_str(&latest["started_at"], "%Y-%m-%dT%H:%M:%S").unwrap();
    Some((latest, started))
}

fn note_flags(after: &Outputs, id: &str, met: &Met) {
    let checks = after.table("visit_checks");
    let is_known = checks.rows.contains_key(id);
    met.note("a visit that is not known yet", !is_known);
    met.note("a valid visit", is_known && checks.cell(id, "is_valid") == "true");
    let flags = if is_known { checks.cell(id, "flags") } else { "" };
    for flag in Flag::ALL {
        met.note(flag.name(), flags.contains(flag.name()));
    }
}

fn no_points_are_lost(before: &Outputs, after: &Outputs, household: &str, met: &Met) -> TestCaseResult {
    let (old, new) = (before.table("scorecard_points"), after.table("scorecard_points"));
    prop_assert!(old.keys().eq(new.keys()), "the rows of scorecard_points");
    for key in old.keys() {
        if old.cell(key, "household_id") == household {
            prop_assert!(old.tenths(key, "points") <= new.tenths(key, "points"), "points of {}", key);
            met.note("points gained", old.tenths(key, "points") < new.tenths(key, "points"));
        } else {
            prop_assert_eq!(&old.rows[key], &new.rows[key], "{} was not visited", key);
        }
    }
    let (old, new) = (before.table("household_grades"), after.table("household_grades"));
    let score = |table: &night::Table| table.tenths(household, "score");
    prop_assert_eq!(score(&old).is_some(), score(&new).is_some(), "a visit makes nobody rateable");
    prop_assert!(score(&old) <= score(&new), "the score of {}", household);
    met.note("a household with a score", score(&old).is_some());
    Ok(())
}

/// The visit's own grid has at most one more visit, and the household's at most one more visited household.
fn no_visit_is_lost(before: &Outputs, after: &Outputs, visit: &Row) -> TestCaseResult {
    let (old, new) = (before.table("grid_coverage"), after.table("grid_coverage"));
    let (checks, id) = (after.table("visit_checks"), visit["visit_id"].as_str());
    let is_known = checks.rows.contains_key(id);
    let is_valid = is_known && checks.cell(id, "is_valid") == "true";
    let grades = before.table("household_grades");
    for grid in old.keys() {
        let more = |column: &str| new.count(grid, column) - old.count(grid, column);
        let is_visited = grid == visit["grid_id"];
        prop_assert_eq!(more("visits_12m"), i64::from(is_visited && is_known), "visits in {}", grid);
        prop_assert_eq!(more("valid_visits_12m"), i64::from(is_visited && is_valid), "valid visits in {}", grid);
        let most = i64::from(grid == grades.cell(&visit["household_id"], "grid_id") && is_valid);
        for column in ["visited_12m", "care_visited_3m"] {
            prop_assert!((0..=most).contains(&more(column)), "{} of {}", column, grid);
        }
    }
    Ok(())
}
