//! The work list: what each officer has to do next, household by household, and by when. Reads what
//! is known about a household and its visits; grades and decisions have no part in it.

use super::calendar::Date;
use super::facts::latest_profile;
use super::tables::Table;
use super::visits::CheckedVisit;
use super::{Night, Outcome, issues};

/// A reason and the day it falls due.
type Due = (&'static str, Date);

/// Visits are looked at for 24 months.
const LOOK_BACK_MONTHS: i64 = 24;

pub fn work_list(night: &Night) -> Table {
    let columns = [
        "officer_id",
        "household_id",
        "branch_id",
        "grid_id",
        "area_id",
        "duty",
        "due_on",
        "reasons",
        "reason_due_on",
        "last_valid_visit_on",
        "profile_valid_until",
    ];
    let mut rows = Vec::new();
    for outcome in night.outcomes_in_valid_grids() {
        let reasons = reasons(night, outcome);
        let Some((_, due_on)) = reasons.first() else {
            continue;
        };
        let (duty, officers) = officers_in_charge(night, outcome);
        for officer_id in officers {
            rows.push(row(night, outcome, officer_id, duty, *due_on, &reasons));
        }
    }
    rows.sort();
    Table::new("work_list", &columns, rows)
}

fn row(night: &Night, outcome: &Outcome, officer_id: &str, duty: &str, due_on: Date, reasons: &[Due]) -> Vec<String> {
    let names: Vec<&str> = reasons.iter().map(|(reason, _)| *reason).collect();
    let days: Vec<String> = reasons.iter().map(|(_, day)| day.to_string()).collect();
    let optional = |day: Option<Date>| day.map_or(String::new(), |day| day.to_string());
    vec![
        officer_id.to_string(),
        outcome.evidence.household.household_id.clone(),
        outcome.grid.branch_id.clone(),
        outcome.grid.grid_id.clone(),
        outcome.grid.area_id.clone(),
        duty.to_string(),
        due_on.to_string(),
        names.join("|"),
        days.join("|"),
        optional(last_valid_visit_on(outcome)),
        optional(profile_valid_until(night, outcome)),
    ]
}

/// The primaries of the household's grid, or its backups where it has none.
fn officers_in_charge<'a>(night: &Night<'a>, outcome: &Outcome) -> (&'static str, Vec<&'a str>) {
    let officers = |duty| night.register.officers_of(&outcome.grid.grid_id, duty);
    let primaries = officers("primary");
    if primaries.is_empty() { ("backup", officers("backup")) } else { ("primary", primaries) }
}

/// By due day, ties in the order of the rules' table.
fn reasons(night: &Night, outcome: &Outcome) -> Vec<Due> {
    let policy = &night.policy.work_list;
    let is_care = outcome.evidence.household.care_category != "none";
    let all = [
        ("no_profile", no_profile(night, outcome)),
        ("stale_profile", stale_profile(night, outcome)),
        ("profile_expiring", profile_expiring(night, outcome)),
        ("not_visited", not_visited(night, outcome, policy.visit_months)),
        ("care_not_visited", not_visited(night, outcome, policy.care_visit_months).filter(|_| is_care)),
        ("urgent_issue", urgent_issue(night, outcome)),
        ("repeat_visit", repeat_visit(night, outcome)),
    ];
    let mut reasons: Vec<Due> = all.into_iter().filter_map(|(reason, due)| Some((reason, due?))).collect();
    // The sort is stable: ties stay in the order above.
    reasons.sort_by_key(|(_, day)| *day);
    reasons
}

/// When the household came into its grid: the later of its row's valid_from and the grid's joined_on.
fn came_on(outcome: &Outcome) -> Date {
    outcome.evidence.household.valid_from.max(outcome.grid.joined_on)
}

/// Not bounded by T − 24 months.
fn no_profile(night: &Night, outcome: &Outcome) -> Option<Date> {
    let is_without = latest_profile(&outcome.evidence).is_none();
    is_without.then(|| came_on(outcome).plus_days(night.policy.work_list.filing_days))
}

/// Due on the last day on which it was fresh.
fn stale_profile(night: &Night, outcome: &Outcome) -> Option<Date> {
    let last_day = latest_profile(&outcome.evidence)?.profiled_on.plus_days(night.policy.fresh_days);
    (last_day < night.as_of).then_some(last_day)
}

fn profile_valid_until(night: &Night, outcome: &Outcome) -> Option<Date> {
    let profile = latest_profile(&outcome.evidence)?;
    Some(profile.profiled_on.plus_days(night.policy.profile_days_max))
}

fn profile_expiring(night: &Night, outcome: &Outcome) -> Option<Date> {
    let last_day = night.as_of.plus_days(night.policy.work_list.expiry_notice_days);
    profile_valid_until(night, outcome).filter(|day| night.as_of <= *day && *day <= last_day)
}

/// The day of the latest valid visit to the household, in grids of its present branch, in W(24).
fn last_valid_visit_on(outcome: &Outcome) -> Option<Date> {
    outcome.evidence.valid_visits.iter().map(|visit| visit.started_at.date).max()
}

/// The last valid visit, or else the day on which the household came, but not before T − 24 months,
/// is at least `months` months ago; due so many months after that day.
fn not_visited(night: &Night, outcome: &Outcome, months: i64) -> Option<Date> {
    let began = came_on(outcome).max(night.as_of.minus_months(LOOK_BACK_MONTHS));
    let base = last_valid_visit_on(outcome).unwrap_or(began);
    (base <= night.as_of.minus_months(months)).then(|| base.plus_months(months))
}

/// The visits of W(12) to the household in grids of its present branch, valid or not, through any
/// channel.
fn visits_12m<'a>(night: &Night<'a>, outcome: &Outcome) -> Vec<&'a CheckedVisit<'a>> {
    let visits = night.visits_to(&outcome.evidence.household.household_id).iter().copied();
    let of_branch = visits.filter(|checked| checked.branch_id == outcome.grid.branch_id);
    of_branch.filter(|checked| night.as_of.window_contains(12, checked.visit.started_at.date)).collect()
}

fn urgent_issue(night: &Night, outcome: &Outcome) -> Option<Date> {
    let visits = visits_12m(night, outcome).into_iter();
    let open = visits.filter(|checked| issues::is_urgent_open(checked.visit));
    let earliest = open.map(|checked| checked.visit.started_at.date).min()?;
    Some(earliest.plus_days(night.policy.work_list.urgent_issue_days))
}

/// The latest onsite visit is invalid.
fn repeat_visit(night: &Night, outcome: &Outcome) -> Option<Date> {
    let visits = visits_12m(night, outcome).into_iter();
    let onsite = visits.filter(|checked| checked.visit.channel == "onsite");
    let latest = onsite.max_by_key(|checked| (checked.visit.started_at, checked.visit.visit_id.as_str()))?;
    let day = latest.visit.started_at.date.plus_days(night.policy.work_list.repeat_visit_days);
    (!latest.is_valid).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::super::examples::{assignment, bank, date, grid, officer, profile, run, visit};
    use super::super::reading::{Bank, Visit};

    fn staffed() -> Bank {
        Bank {
            officers: vec![officer("O1"), officer("O2"), officer("O3")],
            assignments: vec![assignment("G1", "O1", "primary"), assignment("G1", "O2", "backup")],
            ..bank()
        }
    }

    fn day(visit_id: &str, day: &str) -> Visit {
        visit(visit_id, &format!("{day}T09:00:00"), &format!("{day}T09:30:00"))
    }

    /// `officer duty reasons days` of each row.
    fn rows(bank: Bank) -> Vec<String> {
        let tables = run(bank);
        let table = &tables["work_list"];
        let shown = |row: &Vec<String>| {
            let columns = ["officer_id", "duty", "reasons", "reason_due_on"];
            columns.map(|column| table.cell(row, column).unwrap()).join(" ")
        };
        table.rows.iter().map(shown).collect()
    }

    /// Reasons and days of the household, profiled and visited on these days.
    fn reasons(profiled_on: &str, visits: Vec<Visit>) -> String {
        let rows = rows(Bank { profiles: Some(vec![profile(profiled_on)]), visits, ..staffed() });
        rows.first().map_or(String::new(), |row| row.replace("O1 primary ", ""))
    }

    #[test]
    fn the_primary_does_it_and_else_the_backup() {
        let due = "no_profile|not_visited 2024-03-31|2025-06-30";
        assert_eq!(rows(staffed()), [format!("O1 primary {due}")]);
        let mut left = staffed();
        left.officers[0].active_to = Some(date("2026-06-30"));
        left.assignments.push(assignment("G1", "O3", "backup"));
        assert_eq!(rows(left), [format!("O2 backup {due}"), format!("O3 backup {due}")]);
        let nobody = Bank { assignments: Vec::new(), ..staffed() };
        assert_eq!(rows(nobody), [""; 0]);
        let mut elsewhere = staffed();
        elsewhere.grids[0].valid_to = Some(date("2026-06-30"));
        assert_eq!(rows(elsewhere), [""; 0]);
    }

    #[test]
    fn a_household_that_came_lately_has_its_months() {
        let came = |valid_from: &str, joined_on: &str| {
            let mut bank = staffed();
            bank.households[0].valid_from = date(valid_from);
            bank.grids[0].joined_on = date(joined_on);
            rows(bank)[0].replace("O1 primary ", "")
        };
        assert_eq!(came("2025-07-01", "2024-01-01"), "no_profile 2025-09-29");
        assert_eq!(came("2025-06-30", "2024-01-01"), "no_profile|not_visited 2025-09-28|2026-06-30");
        assert_eq!(came("2020-01-01", "2025-07-01"), "no_profile 2025-09-29");
        assert_eq!(came("2020-01-01", "2026-06-01"), "no_profile 2026-08-30");
        assert_eq!(came("2020-01-01", "2020-01-01"), "no_profile|not_visited 2020-03-31|2025-06-30");
    }

    #[test]
    fn profiles_grow_stale_and_expire() {
        let profiled = |profiled_on| reasons(profiled_on, vec![day("V1", "2026-06-01")]);
        assert_eq!(profiled("2025-06-30"), "");
        assert_eq!(profiled("2025-06-29"), "stale_profile 2026-06-29");
        // 730 days after 2024-08-29 are 60 days after the as-of date.
        assert_eq!(profiled("2024-08-30"), "stale_profile 2025-08-30");
        assert_eq!(profiled("2024-08-29"), "stale_profile|profile_expiring 2025-08-29|2026-08-29");
        assert_eq!(profiled("2024-06-30"), "stale_profile|profile_expiring 2025-06-30|2026-06-30");
        assert_eq!(profiled("2024-06-29"), "stale_profile 2025-06-29");
    }

    #[test]
    fn a_visit_lasts_a_year_and_a_quarter_for_those_in_care() {
        let visited = |on: &str, care: &str| {
            let mut bank =
                Bank { profiles: Some(vec![profile("2026-06-01")]), visits: vec![day("V1", on)], ..staffed() };
            bank.households[0].care_category = care.to_string();
            rows(bank).first().map_or(String::new(), |row| row.replace("O1 primary ", ""))
        };
        assert_eq!(visited("2025-07-01", "none"), "");
        assert_eq!(visited("2025-06-30", "none"), "not_visited 2026-06-30");
        assert_eq!(visited("2026-03-31", "disabled"), "");
        assert_eq!(visited("2026-03-30", "disabled"), "care_not_visited 2026-06-30");
        assert_eq!(visited("2025-06-30", "disabled"), "care_not_visited|not_visited 2025-09-30|2026-06-30");
    }

    #[test]
    fn an_urgent_issue_is_due_the_day_after_its_earliest_visit() {
        let urgent = |visit_id: &str, on: &str| {
            let mut visit = day(visit_id, on);
            visit.channel = "phone".to_string();
            visit.issue_level = "urgent".to_string();
            visit.issue_status = "open".to_string();
            visit
        };
        let visits = |on| vec![day("V1", "2026-06-01"), urgent("V2", "2026-06-20"), urgent("V3", on)];
        assert_eq!(reasons("2026-06-01", visits("2026-06-02")), "urgent_issue 2026-06-03");
        assert_eq!(reasons("2026-06-01", visits("2025-06-30")), "urgent_issue 2026-06-21");
    }

    #[test]
    fn the_latest_onsite_visit_is_repeated_when_it_did_not_count() {
        let short = |visit_id: &str, on: &str| visit(visit_id, &format!("{on}T09:00:00"), &format!("{on}T09:01:00"));
        let before = |latest: Visit| vec![day("V1", "2026-06-01"), latest];
        assert_eq!(reasons("2026-06-01", before(short("V2", "2026-06-10"))), "repeat_visit 2026-06-24");
        assert_eq!(reasons("2026-06-01", before(short("V2", "2026-05-10"))), "");
        let mut by_phone = day("V2", "2026-06-10");
        by_phone.channel = "phone".to_string();
        assert_eq!(reasons("2026-06-01", before(by_phone)), "");
    }

    #[test]
    fn visits_in_grids_of_another_branch_are_not_seen() {
        let mut elsewhere = visit("V2", "2026-06-10T09:00:00", "2026-06-10T09:01:00");
        elsewhere.grid_id = "G2".to_string();
        elsewhere.issue_level = "urgent".to_string();
        let mut other = grid("G2");
        other.branch_id = "B2".to_string();
        let mut bank = Bank {
            profiles: Some(vec![profile("2026-06-01")]),
            visits: vec![day("V1", "2026-06-01"), elsewhere],
            ..staffed()
        };
        bank.grids.push(other);
        assert_eq!(rows(bank), [""; 0]);
    }
}
