//! Whether tonight's inputs look like the bank's: rows set aside, rows against the run before, and the age of the newest
//! rows. What is tolerated stands in the rulebook (`run.toml`), and a person may let a table pass for one night.

use std::collections::BTreeMap;

use crate::calendar::Date;
use crate::clean::{CleanBank, RowCounts};
use crate::decimal::{Decimal, format_scaled};
use crate::previous::Previous;
use crate::rulebook::{ChangeRules, Rulebook, RunRules};

use super::{Allowance, AuditRow, outcome};

/// The table whose rows are counted as the households of the run: one household has several rows over time.
const HOUSEHOLDS: &str = "households";

pub(super) const SET_ASIDE_SHARE: &str = "set_aside_share";
pub(super) const ROWS_AGAINST_PREVIOUS: &str = "rows_against_previous";
pub(super) const NEWEST_ROW_AGE: &str = "newest_row_age";

/// Which allowance lets a failed check pass.
pub(super) fn allowance(check: &str) -> Option<Allowance> {
    match check {
        SET_ASIDE_SHARE => Some(Allowance::Quarantine),
        ROWS_AGAINST_PREVIOUS => Some(Allowance::Change),
        NEWEST_ROW_AGE => Some(Allowance::Stale),
        _ => None,
    }
}

/// `households` are the households of tonight's run.
pub(super) fn audit(cleaned: &CleanBank, households: u64, previous: &Previous, rulebook: &Rulebook) -> Vec<AuditRow> {
    let mut rows = set_aside_shares(&cleaned.counts, rulebook);
    rows.extend(rows_against_previous(&cleaned.counts, households, previous, &rulebook.run));
    rows.extend(newest_row_ages(cleaned, rulebook));
    rows
}

/// Whether too many rows of a table were set aside, decided on the counts alone.
pub(super) fn set_aside_shares(counts: &BTreeMap<String, RowCounts>, rulebook: &Rulebook) -> Vec<AuditRow> {
    counts.iter().map(|(table, counts)| set_aside_share(table, counts, &rulebook.run)).collect()
}

fn set_aside_share(table: &str, counts: &RowCounts, rules: &RunRules) -> AuditRow {
    let share_max: Decimal = rules.quarantine_share_max;
    let is_too_many =
        is_above(counts.set_aside, share_max, counts.read) && counts.set_aside > u64::from(rules.quarantine_rows_min);
    let detail = format!(
        "{} of {} rows set aside; more than {} % of them and more than {} rows are too many",
        counts.set_aside,
        counts.read,
        share_max.times_hundred(),
        rules.quarantine_rows_min
    );
    outcome(SET_ASIDE_SHARE, table, if is_too_many { counts.set_aside } else { 0 }, detail)
}

/// Whether a part is more than a share of its whole, exactly.
fn is_above(part: u64, share: Decimal, whole: u64) -> bool {
    i128::from(part) * share.denominator() > share.mantissa() * i128::from(whole)
}

fn rows_against_previous(
    counts: &BTreeMap<String, RowCounts>,
    households: u64,
    previous: &Previous,
    rules: &RunRules,
) -> Vec<AuditRow> {
    let Some(run_id) = &previous.run_id else { return Vec::new() };
    let judged = rules.changes.iter().map(|(table, change)| {
        let (before, now) = match table.as_str() {
            HOUSEHOLDS => (previous.households.len() as u64, households),
            _ => {
                let now = counts.get(table).map_or(0, |counts| counts.accepted);
                (previous.accepted.get(table).copied().unwrap_or(0), now)
            }
        };
        row_against_previous(table, (before, now), run_id, change, rules.change_rows_min)
    });
    judged.collect()
}

/// A table that was empty before has nothing to be compared with.
fn row_against_previous(
    table: &str,
    (before, now): (u64, u64),
    run_id: &str,
    change: &ChangeRules,
    rows_min: u32,
) -> AuditRow {
    let by = now.abs_diff(before);
    let share_max = if now < before { change.fall_max } else { change.rise_max };
    let is_too_much = before > 0 && by > u64::from(rows_min) && is_above(by, share_max, before);
    let what = if table == HOUSEHOLDS { "households of the run" } else { "rows accepted" };
    let detail = format!(
        "{now} {what}, {before} in run `{run_id}`{}; from -{} % to +{} % are tolerated, and {rows_min} rows in any case",
        percent(before, now),
        change.fall_max.times_hundred(),
        change.rise_max.times_hundred(),
    );
    outcome(ROWS_AGAINST_PREVIOUS, table, if is_too_much { by } else { 0 }, detail)
}

/// The change in per cent with one digit, half away from zero; nothing where there was nothing before.
fn percent(before: u64, now: u64) -> String {
    if before == 0 {
        return String::new();
    }
    let (by, before_wide) = (i128::from(now.abs_diff(before)) * 2000, i128::from(before) * 2);
    let sign = if now < before { "-" } else { "+" };
    format!(" ({sign}{} %)", format_scaled((by + i128::from(before)) / before_wide, 1))
}

fn newest_row_ages(cleaned: &CleanBank, rulebook: &Rulebook) -> Vec<AuditRow> {
    let rules = &rulebook.run;
    let judged = rules.ages.iter().filter_map(|(table, &days_max)| {
        let accepted = cleaned.counts.get(table)?.accepted;
        let newest = cleaned.newest.iter().filter(|((of, _), _)| of == table).map(|(_, &day)| day).max()?;
        let is_historic = cleaned.historic.contains(table);
        let days = rulebook.as_of.0.abs_diff(newest.0);
        (accepted >= u64::from(rules.age_rows_min))
            .then(|| newest_row_age(table, (newest, rulebook.as_of), (days, days_max), is_historic))
    });
    judged.collect()
}

/// The newest row of a table and the as-of date, and the days between them beside the most that are tolerated. Of a table
/// whose bank says that nothing newer is to come the age is told and not judged.
fn newest_row_age(
    table: &str,
    (newest, as_of): (Date, Date),
    (days, days_max): (u32, u32),
    is_historic: bool,
) -> AuditRow {
    let tolerated = match is_historic {
        true => "`bank.toml` says that nothing newer is to come".to_string(),
        false => format!("{days_max} are tolerated"),
    };
    let detail = format!("the newest row is of {newest}, {days} days before {as_of}; {tolerated}");
    outcome(NEWEST_ROW_AGE, table, u64::from(days > days_max && !is_historic), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: u64, now: u64) -> AuditRow {
        let rules = ChangeRules {
            fall_max: Decimal::parse("0.10").unwrap_or(Decimal::ZERO),
            rise_max: Decimal::parse("0.50").unwrap_or(Decimal::ZERO),
        };
        row_against_previous("loans", (before, now), "earlier", &rules, 10)
    }

    #[test]
    fn a_change_is_too_much_beyond_both_bounds() {
        for (before, now) in [(1000, 900), (1000, 1500), (20, 10), (20, 30), (0, 5000), (7, 17)] {
            assert!(change(before, now).passed, "{before} to {now}");
        }
        for (before, now) in [(1000, 899), (1000, 1501), (100, 0), (20, 31), (20, 9), (7, 18)] {
            assert!(!change(before, now).passed, "{before} to {now}");
        }
    }

    #[test]
    fn the_figures_are_told() {
        let detail = "899 rows accepted, 1000 in run `earlier` (-10.1 %); from -10 % to +50 % are tolerated, \
                      and 10 rows in any case";
        assert_eq!(change(1000, 899).detail, detail);
        assert_eq!(percent(3, 4), " (+33.3 %)");
        assert_eq!(percent(8, 7), " (-12.5 %)");
        assert_eq!(percent(0, 7), "");
    }

    #[test]
    fn an_age_is_judged_unless_nothing_newer_is_to_come() {
        let age = |days: u32, is_historic: bool| {
            let newest = Date(1000);
            newest_row_age("visits", (newest, newest.days_later(days)), (days, 62), is_historic).passed
        };
        assert!(age(62, false) && !age(63, false));
        assert!(age(63, true));
    }
}
