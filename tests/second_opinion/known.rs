//! What the bank knew on the as-of date T: drops the rows that were not yet known, the rows that
//! hang on them, and every ending that lies after T. The register (areas to households) is always
//! known; its dates say what is open, valid or active.

use std::collections::BTreeSet;

use super::calendar::Date;
use super::reading::Bank;

pub fn known_on(as_of: Date, mut bank: Bank) -> Bank {
    drop_unknown_own_rows(as_of, &mut bank);
    drop_rows_of_unknown_parents(&mut bank);
    forget_later_endings(as_of, &mut bank);
    bank
}

/// "A row is known when its own date is ≤ T and, where it has `recorded_at`, the date of that is
/// ≤ T too."
fn drop_unknown_own_rows(as_of: Date, bank: &mut Bank) {
    if let Some(profiles) = &mut bank.profiles {
        profiles.retain(|row| row.profiled_on <= as_of && row.recorded_at.date <= as_of);
    }
    bank.visits.retain(|row| row.started_at.date <= as_of && row.recorded_at.date <= as_of);
    bank.accounts.retain(|row| row.opened_on <= as_of);
    bank.account_months.retain(|row| row.month.last_of_month() <= as_of);
    bank.loans.retain(|row| row.disbursed_on <= as_of);
    bank.loan_months.retain(|row| row.month_end <= as_of);
    if let Some(outside_debts) = &mut bank.outside_debts {
        outside_debts.retain(|row| row.reported_on <= as_of);
    }
    if let Some(conduct_events) = &mut bank.conduct_events {
        conduct_events.retain(|row| row.status_on <= as_of);
    }
    if let Some(peer_reviews) = &mut bank.peer_reviews {
        peer_reviews.retain(|row| row.reviewed_on <= as_of);
    }
    if let Some(watchlist) = &mut bank.watchlist {
        watchlist.retain(|row| row.listed_on <= as_of);
    }
    if let Some(service_points) = &mut bank.service_points {
        service_points.retain(|row| row.opened_on <= as_of);
    }
    if let Some(decisions) = &mut bank.decisions {
        decisions.retain(|row| row.decided_at.date <= as_of);
    }
}

/// "Instalments are known with their loan"; a row that refers to a row that is not known is not
/// known either.
fn drop_rows_of_unknown_parents(bank: &mut Bank) {
    let accounts: BTreeSet<&String> = bank.accounts.iter().map(|row| &row.account_id).collect();
    bank.account_months.retain(|row| accounts.contains(&row.account_id));
    let loans: BTreeSet<&String> = bank.loans.iter().map(|row| &row.loan_id).collect();
    bank.loan_months.retain(|row| loans.contains(&row.loan_id));
    if let Some(instalments) = &mut bank.instalments {
        instalments.retain(|row| loans.contains(&row.loan_id));
    }
}

/// "A date that ends something ends it on that very day; one after T counts as null." So does an
/// instalment's `paid_on` and an `issue_resolved_at` after T.
fn forget_later_endings(as_of: Date, bank: &mut Bank) {
    let forget = |ending: &mut Option<Date>| *ending = ending.filter(|day| *day <= as_of);
    for row in &mut bank.branches {
        forget(&mut row.closed_on);
    }
    for row in &mut bank.grids {
        forget(&mut row.valid_to);
    }
    for row in &mut bank.officers {
        forget(&mut row.active_to);
    }
    for row in &mut bank.assignments {
        forget(&mut row.valid_to);
    }
    for row in &mut bank.households {
        forget(&mut row.valid_to);
    }
    for row in &mut bank.visits {
        row.issue_resolved_at = row.issue_resolved_at.filter(|time| time.date <= as_of);
    }
    for row in &mut bank.accounts {
        forget(&mut row.closed_on);
    }
    for row in &mut bank.loans {
        forget(&mut row.closed_on);
    }
    for row in bank.instalments.iter_mut().flatten() {
        forget(&mut row.paid_on);
    }
    for row in bank.watchlist.iter_mut().flatten() {
        forget(&mut row.delisted_on);
    }
    for row in bank.service_points.iter_mut().flatten() {
        forget(&mut row.closed_on);
    }
    for row in bank.decisions.iter_mut().flatten() {
        forget(&mut row.expires_on);
    }
}
