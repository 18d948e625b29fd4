//! Coverage: who is filed, graded, granted and visited. Counts are made for each (grid, segment)
//! and summed upward; gaps and shares are taken last, at the level shown. Only households in valid
//! grids count.

use std::collections::BTreeMap;

use super::calendar::Date;
use super::exact::{Ratio, times_up};
use super::policy::Policy;
use super::reading::Grid;
use super::tables::Table;
use super::visits::CheckedVisit;
use super::{Night, Outcome, issues};

/// Counts by their name.
pub type Counts = BTreeMap<&'static str, i128>;

/// In the order of `Covered::by_segment`.
const SEGMENTS: [&str; 3] = ["rural", "resident", "business"];

const GRID_COLUMNS: [&str; 6] = ["grid_id", "branch_id", "area_id", "kind", "primary_officer_id", "programme_year"];

type Holds = fn(&Outcome) -> bool;

/// What is counted among households, in the order of the columns.
const HOUSEHOLD_COUNTS: [(&str, Holds); 14] = [
    ("households", |_| true),
    ("care_households", is_care),
    ("profiled", is_profiled),
    ("profiled_fresh", is_profiled_fresh),
    ("graded", |outcome| is_profiled(outcome) && outcome.grading.model_grade != "NR"),
    ("white", |outcome| outcome.credit_list == "white"),
    ("suggested", |outcome| outcome.limit.suggested > 0),
    ("granted", is_granted),
    ("drawn", |outcome| is_granted(outcome) && is_borrowing(outcome)),
    ("borrowing", is_borrowing),
    ("with_account", is_with_account),
    ("active_account", |outcome| is_with_account(outcome) && has_transactions(outcome)),
    ("visited_12m", |outcome| is_visited_within(outcome, 12)),
    ("care_visited_3m", |outcome| is_care(outcome) && is_visited_within(outcome, 3)),
];

/// Name, numerator and denominator, in the order of the columns.
const SHARES: [(&str, &str, &str); 7] = [
    ("profile_share", "profiled", "households"),
    ("fresh_share", "profiled_fresh", "households"),
    ("grading_share", "graded", "profiled"),
    ("granting_share", "granted", "households"),
    ("drawing_share", "drawn", "granted"),
    ("visiting_share", "visited_12m", "households"),
    ("care_visiting_share", "care_visited_3m", "care_households"),
];

type Counted = fn(&CheckedVisit, Date) -> bool;

/// What is counted among the evaluated visits in a grid, in the order of the columns; `patrol_met`
/// stands between the third and the fourth.
const VISIT_COUNTS: [(&str, Counted); 9] = [
    ("visits_12m", |checked, as_of| is_within(checked, as_of, 12)),
    ("valid_visits_12m", |checked, as_of| checked.is_valid && is_within(checked, as_of, 12)),
    ("valid_visits_1m", |checked, as_of| checked.is_valid && is_within(checked, as_of, 1)),
    ("issues_raised_12m", |checked, as_of| issues::is_raised(checked.visit) && is_within(checked, as_of, 12)),
    ("issues_resolved_in_grid", |checked, as_of| is_resolved_in(checked, as_of, "grid")),
    ("issues_resolved_in_community", |checked, as_of| is_resolved_in(checked, as_of, "community")),
    ("issues_resolved_in_township", |checked, as_of| is_resolved_in(checked, as_of, "township")),
    ("issues_open", |checked, as_of| issues::is_open(checked.visit) && is_within(checked, as_of, 12)),
    ("urgent_open", |checked, as_of| issues::is_urgent_open(checked.visit) && is_within(checked, as_of, 12)),
];

/// What was counted in one valid grid.
pub struct Covered<'a> {
    pub grid: &'a Grid,
    programme_year: i64,
    by_segment: [Counts; 3],
    visits: Counts,
}

impl Covered<'_> {
    /// A count of households, of all segments together.
    pub fn households(&self, name: &str) -> i128 {
        self.by_segment.iter().map(|counts| counts[name]).sum()
    }

    pub fn visits(&self, name: &str) -> i128 {
        self.visits[name]
    }

    /// At least one valid visit in W(1), to a household or not.
    pub fn is_patrol_met(&self) -> bool {
        self.visits("valid_visits_1m") >= 1
    }
}

/// Every valid grid, counted, by grid_id.
pub fn cover<'a>(night: &Night<'a>) -> BTreeMap<&'a str, Covered<'a>> {
    let grids = night.register.grids.iter();
    grids.map(|(grid_id, grid)| (*grid_id, cover_grid(night, grid))).collect()
}

fn cover_grid<'a>(night: &Night<'a>, grid: &'a Grid) -> Covered<'a> {
    let programme_year = programme_year(grid.joined_on, night.as_of);
    let households = night.households_in(&grid.grid_id);
    let by_segment = SEGMENTS.map(|segment| {
        let members: Vec<&Outcome> = households
            .iter()
            .copied()
            .filter(|outcome| segment_of(&outcome.evidence.household.kind) == segment)
            .collect();
        let count = |holds: Holds| members.iter().filter(|outcome| holds(outcome)).count() as i128;
        let mut counts: Counts = HOUSEHOLD_COUNTS.iter().map(|(name, holds)| (*name, count(*holds))).collect();
        let required = times_up(target(night.policy, programme_year, segment), counts["households"]);
        counts.insert("profiles_required", required);
        counts
    });
    let visits = night.visits_in(&grid.grid_id);
    let count = |counted: Counted| visits.iter().filter(|checked| counted(checked, night.as_of)).count() as i128;
    let visits = VISIT_COUNTS.iter().map(|(name, counted)| (*name, count(*counted))).collect();
    Covered { grid, programme_year, by_segment, visits }
}

/// Whole months from `joined_on` to T, / 12, + 1; 0 before it joined.
pub fn programme_year(joined_on: Date, as_of: Date) -> i64 {
    if as_of < joined_on { 0 } else { as_of.whole_months_since(joined_on) / 12 + 1 }
}

/// *target[programme year][segment]*; the last year's goes on, and before the first it is 0.
fn target(policy: &Policy, programme_year: i64, segment: &str) -> Ratio {
    let years = &policy.coverage_targets;
    let Some(place) = usize::try_from(programme_year).ok().and_then(|year| year.checked_sub(1)) else {
        return Ratio::new(0, 1);
    };
    let targets = &years[place.min(years.len() - 1)];
    match segment {
        "rural" => targets.rural,
        "resident" => targets.resident,
        _ => targets.business,
    }
}

pub fn segment_of(kind: &str) -> &'static str {
    match kind {
        "farm_household" | "large_grower" | "family_farm" | "cooperative" | "leading_enterprise" => "rural",
        "resident" => "resident",
        "merchant" | "small_enterprise" => "business",
        _ => panic!("the kind `{kind}` is in no segment"),
    }
}

/// Whether a household stands in the count of that name.
pub fn is_counted(name: &str, outcome: &Outcome) -> bool {
    let found = HOUSEHOLD_COUNTS.iter().find(|(other, _)| *other == name);
    let (_, holds) = found.unwrap_or_else(|| panic!("there is no count `{name}`"));
    holds(outcome)
}

fn is_care(outcome: &Outcome) -> bool {
    outcome.evidence.household.care_category != "none"
}

fn is_profiled(outcome: &Outcome) -> bool {
    outcome.facts.integer("profile_age_days").is_some()
}

fn is_profiled_fresh(outcome: &Outcome) -> bool {
    let fresh_days = i128::from(outcome.evidence.policy.fresh_days);
    outcome.facts.integer("profile_age_days").is_some_and(|age| age <= fresh_days)
}

/// An accept or adjust in force, final_limit > 0.
fn is_granted(outcome: &Outcome) -> bool {
    ["accept", "adjust"].contains(&outcome.decision()) && outcome.final_result.limit > 0
}

fn is_borrowing(outcome: &Outcome) -> bool {
    outcome.facts.integer("own_outstanding").is_some_and(|outstanding| outstanding > 0)
}

/// An open account: a closing after T was forgotten.
fn is_with_account(outcome: &Outcome) -> bool {
    outcome.evidence.accounts.iter().any(|rows| rows.account.closed_on.is_none())
}

/// Transactions in M(12) on any known account, open or closed.
fn has_transactions(outcome: &Outcome) -> bool {
    let complete = outcome.evidence.as_of.complete_months();
    let months = outcome.evidence.accounts.iter().flat_map(|rows| &rows.months);
    months.into_iter().any(|row| complete.contains(&row.month) && row.transaction_count > 0)
}

/// A valid visit to the household, in a grid of its present branch, in W(months).
fn is_visited_within(outcome: &Outcome, months: i64) -> bool {
    let as_of = outcome.evidence.as_of;
    outcome.evidence.valid_visits.iter().any(|visit| as_of.window_contains(months, visit.started_at.date))
}

fn is_within(checked: &CheckedVisit, as_of: Date, months: i64) -> bool {
    as_of.window_contains(months, checked.visit.started_at.date)
}

fn is_resolved_in(checked: &CheckedVisit, as_of: Date, place: &str) -> bool {
    issues::is_resolved_in(checked.visit, place) && is_within(checked, as_of, 12)
}

pub fn grid_coverage(night: &Night, covered: &BTreeMap<&str, Covered>) -> Table {
    let mut columns = GRID_COLUMNS.to_vec();
    columns.extend(count_columns());
    for (place, (name, _)) in VISIT_COUNTS.iter().enumerate() {
        if place == 3 {
            columns.push("patrol_met");
        }
        columns.push(name);
    }
    let rows = covered.values().map(|covered| {
        let grid = covered.grid;
        let primaries = night.register.officers_of(&grid.grid_id, "primary");
        let only = if let [primary] = primaries[..] { primary } else { "" };
        let year = covered.programme_year.to_string();
        let mut row: Vec<String> =
            [&grid.grid_id, &grid.branch_id, &grid.area_id, &grid.kind, only, &year].map(str::to_string).to_vec();
        row.extend(count_cells(&covered.by_segment));
        for (place, (name, _)) in VISIT_COUNTS.iter().enumerate() {
            if place == 3 {
                row.push(covered.is_patrol_met().to_string());
            }
            row.push(covered.visits(name).to_string());
        }
        row
    });
    Table::new("grid_coverage", &columns, rows.collect())
}

/// Every branch with a valid grid of its own.
pub fn branch_coverage(covered: &BTreeMap<&str, Covered>) -> Table {
    let mut branches: BTreeMap<&str, Vec<&Covered>> = BTreeMap::new();
    for covered in covered.values() {
        branches.entry(&covered.grid.branch_id).or_default().push(covered);
    }
    segment_table("branch_coverage", "branch_id", &branches)
}

/// Every area of every level, with the grids of its sub-areas.
pub fn area_coverage(night: &Night, covered: &BTreeMap<&str, Covered>) -> Table {
    let mut areas: BTreeMap<&str, Vec<&Covered>> =
        night.register.areas.keys().map(|area_id| (*area_id, Vec::new())).collect();
    for covered in covered.values() {
        for area in night.register.with_areas_above(&covered.grid.area_id) {
            areas.entry(&area.area_id).or_default().push(covered);
        }
    }
    segment_table("area_coverage", "area_id", &areas)
}

/// Four rows for each group of grids.
fn segment_table(name: &'static str, key: &'static str, groups: &BTreeMap<&str, Vec<&Covered>>) -> Table {
    let mut columns = vec![key, "segment", "grids"];
    columns.extend(count_columns());
    let mut rows = Vec::new();
    for (key, grids) in groups {
        let by_segment = [0, 1, 2].map(|place| sum(grids.iter().map(|covered| &covered.by_segment[place])));
        let [rural, resident, business] = by_segment.each_ref().map(std::slice::from_ref);
        let segments = [("all", &by_segment[..]), ("business", business), ("resident", resident), ("rural", rural)];
        for (segment, counts) in segments {
            let mut row = vec![key.to_string(), segment.to_string(), grids.len().to_string()];
            row.extend(count_cells(counts));
            rows.push(row);
        }
    }
    Table::new(name, &columns, rows)
}

fn count_columns() -> Vec<&'static str> {
    let mut columns: Vec<&str> = HOUSEHOLD_COUNTS.iter().map(|(name, _)| *name).collect();
    columns.extend(["profiles_required", "profile_gap"]);
    columns.extend(SHARES.iter().map(|(name, _, _)| *name));
    columns
}

/// The counts of some segments together: counts, gap, shares.
fn count_cells(by_segment: &[Counts]) -> Vec<String> {
    let counts = sum(by_segment.iter());
    let mut cells: Vec<String> = HOUSEHOLD_COUNTS.iter().map(|(name, _)| counts[name].to_string()).collect();
    // "of `all` = the sum of the three"
    let gap: i128 = by_segment.iter().map(|counts| (counts["profiles_required"] - counts["profiled"]).max(0)).sum();
    cells.extend([counts["profiles_required"].to_string(), gap.to_string()]);
    cells.extend(SHARES.iter().map(|(_, numerator, denominator)| {
        let share = Ratio::share(counts[numerator], counts[denominator]);
        share.map_or(String::new(), |share| share.as_float().to_string())
    }));
    cells
}

/// The sum of counts, 0 over nothing.
fn sum<'c>(all: impl Iterator<Item = &'c Counts>) -> Counts {
    let mut total: Counts = HOUSEHOLD_COUNTS.iter().map(|(name, _)| (*name, 0)).collect();
    total.insert("profiles_required", 0);
    for counts in all {
        for (name, count) in counts {
            *total.entry(name).or_default() += count;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::examples::{
        account, account_month, area, bank, cell, date, grid, household, profile, run, visit,
    };
    use super::super::reading::{Bank, Visit};
    use super::super::tables::Tables;
    use super::*;

    fn of_grid<'a>(tables: &'a Tables, column: &str) -> &'a str {
        cell(&tables["grid_coverage"], "G1", column)
    }

    #[test]
    fn the_first_programme_year_has_twelve_whole_months() {
        let year = |joined_on| programme_year(date(joined_on), date("2026-06-30"));
        let days = ["2026-07-01", "2026-06-30", "2025-07-01", "2025-06-30", "2024-06-30"];
        assert_eq!(days.map(year), [0, 1, 1, 2, 3]);
        let rural = |year| target(&Policy::default(), year, "rural").as_float();
        assert_eq!([0, 1, 2, 3, 9].map(rural), [0.0, 0.7, 0.9, 1.0, 1.0]);
    }

    #[test]
    fn required_profiles_are_rounded_up_for_each_grid_and_segment() {
        let mut first_year = grid("G1");
        first_year.joined_on = date("2026-01-01");
        let mut resident = household("H2");
        resident.kind = "resident".to_string();
        let three = vec![household("H1"), resident, household("H3")];
        let tables = run(Bank { grids: vec![first_year], households: three, ..bank() });
        // 0.7 of 2 is 1.4, 0.4 of 1 is 0.4.
        assert_eq!(of_grid(&tables, "profiles_required"), "3");
        assert_eq!(of_grid(&tables, "profile_gap"), "3");
        let rows: Vec<[&str; 4]> = tables["branch_coverage"]
            .rows
            .iter()
            .map(|row| {
                let column = |name| tables["branch_coverage"].cell(row, name).unwrap();
                ["segment", "grids", "households", "profiles_required"].map(column)
            })
            .collect();
        let expected = [
            ["all", "1", "3", "3"],
            ["business", "1", "0", "0"],
            ["resident", "1", "1", "1"],
            ["rural", "1", "2", "2"],
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn one_grids_surplus_closes_the_gap_of_another_at_the_branch() {
        let mut not_joined = grid("G2");
        not_joined.joined_on = date("2026-07-01");
        let mut profiled = household("H2");
        profiled.grid_id = "G2".to_string();
        let mut file = profile("2026-01-01");
        file.household_id = "H2".to_string();
        let tables = run(Bank {
            grids: vec![grid("G1"), not_joined],
            households: vec![household("H1"), profiled],
            profiles: Some(vec![file]),
            ..bank()
        });
        assert_eq!(of_grid(&tables, "profile_gap"), "1");
        assert_eq!(cell(&tables["branch_coverage"], "B1", "profile_gap"), "0");
        assert_eq!(cell(&tables["grid_coverage"], "G2", "programme_year"), "0");
    }

    #[test]
    fn areas_sum_what_lies_below_whatever_levels_are_skipped() {
        let mut tables = run(Bank {
            areas: vec![
                area("A1", "village", Some("C1")),
                area("C1", "county", None),
                area("C2", "county", None),
                area("T1", "township", Some("C1")),
            ],
            ..bank()
        });
        let areas = tables.remove("area_coverage").unwrap();
        let counted = ["A1", "C1", "C2", "T1"].map(|area_id| cell(&areas, area_id, "households").to_string());
        assert_eq!(counted, ["1", "1", "0", "0"]);
        assert_eq!(cell(&areas, "C1", "profile_share"), "0");
        assert_eq!(cell(&areas, "C2", "profile_share"), "");
        assert_eq!(areas.rows.len(), 16);
    }

    #[test]
    fn transactions_on_a_closed_account_make_an_open_one_active() {
        let active = |closed_on: Option<&str>, month: &str| {
            let mut closed = account("2020-01-01", Some("2026-06-30"));
            closed.account_id = "C2".to_string();
            let mut row = account_month(month, 0, 0);
            row.account_id = "C2".to_string();
            row.transaction_count = 1;
            let accounts = vec![account("2020-01-01", closed_on), closed];
            let tables = run(Bank { accounts, account_months: vec![row], ..bank() });
            ["with_account", "active_account"].map(|column| of_grid(&tables, column).to_string())
        };
        assert_eq!(active(None, "2025-07-01"), ["1", "1"]);
        assert_eq!(active(Some("2026-07-01"), "2025-06-01"), ["1", "0"]);
        assert_eq!(active(Some("2026-06-30"), "2026-06-01"), ["0", "0"]);
    }

    #[test]
    fn a_household_of_a_grid_that_ended_counts_nowhere() {
        let mut ended = grid("G1");
        ended.valid_to = Some(date("2026-06-30"));
        let tables = run(Bank { grids: vec![ended.clone()], ..bank() });
        assert!(tables["grid_coverage"].rows.is_empty());
        assert!(tables["branch_coverage"].rows.is_empty());
        assert_eq!(cell(&tables["area_coverage"], "A1", "households"), "0");
        ended.valid_to = Some(date("2026-07-01"));
        let tables = run(Bank { grids: vec![ended], ..bank() });
        assert_eq!(of_grid(&tables, "households"), "1");
    }

    fn raised(level: &str, status: &str, resolved_at: Option<&str>) -> Visit {
        let mut visit = visit("V1", "2026-05-30T09:00:00", "2026-05-30T09:30:00");
        visit.issue_level = level.to_string();
        visit.issue_status = status.to_string();
        visit.issue_resolved_at = resolved_at.map(super::super::calendar::Time::parse);
        visit
    }

    #[test]
    fn an_issue_is_open_until_the_day_it_was_resolved() {
        let columns = ["issues_raised_12m", "issues_resolved_in_township", "issues_open", "urgent_open"];
        let counted = |visit: Visit| {
            let tables = run(Bank { visits: vec![visit], ..bank() });
            columns.map(|column| of_grid(&tables, column).to_string()).join(" ")
        };
        assert_eq!(counted(raised("urgent", "resolved_in_township", Some("2026-06-30T23:59:59"))), "1 1 0 0");
        assert_eq!(counted(raised("urgent", "resolved_in_township", Some("2026-07-01T00:00:00"))), "1 0 1 1");
        assert_eq!(counted(raised("routine", "resolved_in_township", None)), "1 0 1 0");
        assert_eq!(counted(raised("urgent", "open", Some("2026-06-30T23:59:59"))), "1 0 1 1");
        assert_eq!(counted(raised("none", "open", None)), "0 0 0 0");
    }

    #[test]
    fn a_patrol_meets_the_month_and_visits_no_household() {
        let patrol = |day: &str| {
            let mut patrol = visit("V1", &format!("{day}T09:00:00"), &format!("{day}T09:01:00"));
            patrol.household_id = None;
            let tables = run(Bank { visits: vec![patrol], ..bank() });
            ["valid_visits_1m", "patrol_met", "visited_12m"].map(|column| of_grid(&tables, column).to_string())
        };
        assert_eq!(patrol("2026-05-31"), ["1", "true", "0"]);
        assert_eq!(patrol("2026-05-30"), ["0", "false", "0"]);
    }
}
