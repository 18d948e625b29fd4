//! Facts from loans, their month rows and their instalments: how the household repays, what it owes, how the debt stands.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};

use crate::calendar::{Date, Window};
use crate::clean::Tables;
use crate::clean::typed::{Instalments, Rows as _};
use crate::fault::Result;

use super::{Columns, Evidence};

/// Due amounts of the next twelve months; a part of `debt_service_12m`, no fact of its own.
pub const INSTALMENTS_AHEAD: &str = "instalments_ahead_12m";

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let mut columns = standing(evidence)?;
    columns.extend(match &evidence.tables.instalments {
        Some(instalments) => repayment(evidence, instalments)?,
        None => vec![
            ("instalments_due_24m", evidence.absent_whole()),
            ("on_time_share_24m", evidence.absent_ratio()),
            ("delay_days_max_24m", evidence.absent_whole()),
            (INSTALMENTS_AHEAD, evidence.absent_whole()),
        ],
    });
    Ok(columns)
}

/// For each loan the row of its latest month end by a day.
pub fn latest_months(tables: &Tables, by: Date) -> Vec<Option<u32>> {
    let months = &tables.loan_months;
    let mut latest: Vec<Option<(Date, u32)>> = vec![None; tables.loans.rows];
    for row in 0..months.rows {
        let Some(end) = months.month_end.get(row).filter(|&end| end <= by) else { continue };
        let Some(slot) = months.loan_id.get(row).and_then(|loan| latest.get_mut(loan)) else { continue };
        if slot.is_none_or(|(earlier, _)| earlier < end) {
            *slot = Some((end, row as u32));
        }
    }
    latest.into_iter().map(|latest| latest.map(|(_, row)| row)).collect()
}

/// Whether the loan is open on the as-of date; it is known, so it was disbursed.
fn is_open(evidence: &Evidence, loan: usize) -> bool {
    closed_by(evidence, loan).is_none()
}

/// The day on which the loan was closed, if that was by the as-of date.
fn closed_by(evidence: &Evidence, loan: usize) -> Option<Date> {
    evidence.tables.loans.closed_on.get(loan).filter(|&closed| closed <= evidence.register.as_of)
}

/// `own_outstanding` and its parts, `days_past_due_now`, `risk_class_worst_12m`.
fn standing(evidence: &Evidence) -> Result<Columns> {
    let (loans, months) = (&evidence.tables.loans, &evidence.tables.loan_months);
    let credit = evidence.contracts.input("loans")?.word_code("guarantee", "credit")?;
    let substandard = evidence.contracts.input("loan_months")?.word_code("risk_class", "substandard")?;
    let households = evidence.register.len();
    let mut outstanding = vec![0_i128; households];
    let mut unsecured = vec![0_i128; households];
    let mut bad = vec![0_i128; households];
    let mut past_due: Vec<Option<i64>> = vec![None; households];
    for (loan, latest) in latest_months(evidence.tables, evidence.register.as_of).into_iter().enumerate() {
        let latest = latest.map(|row| row as usize);
        let Some(household) = evidence.household(loans.household_id.get(loan)) else { continue };
        if !is_open(evidence, loan) {
            continue;
        }
        let owed = latest.map_or_else(|| loans.principal.get(loan), |row| months.outstanding.get(row));
        // An overpaid loan counts 0.
        let owed = i128::from(owed.unwrap_or(0).max(0));
        let is_bad = latest.and_then(|row| months.risk_class.get(row)).is_some_and(|class| class >= substandard);
        add(&mut outstanding, household, owed);
        add(&mut unsecured, household, if loans.guarantee.get(loan) == Some(credit) { owed } else { 0 });
        add(&mut bad, household, if is_bad { owed } else { 0 });
        let days = latest.and_then(|row| months.days_past_due.get(row)).unwrap_or(0);
        raise(&mut past_due, household, days);
    }
    Ok(vec![
        ("own_outstanding", evidence.whole("own_outstanding", outstanding.into_iter().map(Some))?),
        ("own_unsecured_outstanding", evidence.whole("own_unsecured_outstanding", unsecured.into_iter().map(Some))?),
        ("own_bad_outstanding", evidence.whole("own_bad_outstanding", bad.into_iter().map(Some))?),
        ("days_past_due_now", Arc::new(Int64Array::from(past_due))),
        ("risk_class_worst_12m", risk_class_worst_12m(evidence)),
    ])
}

/// The worst class of any of the household's loans at a month end in W(12): normal 0 to loss 4.
fn risk_class_worst_12m(evidence: &Evidence) -> ArrayRef {
    let (loans, months) = (&evidence.tables.loans, &evidence.tables.loan_months);
    let window = Window::months_to(evidence.register.as_of, 12);
    let mut worst: Vec<Option<i64>> = vec![None; evidence.register.len()];
    for row in 0..months.rows {
        if !months.month_end.get(row).is_some_and(|end| window.contains(end)) {
            continue;
        }
        let household = months.loan_id.get(row).and_then(|loan| evidence.household(loans.household_id.get(loan)));
        if let (Some(household), Some(class)) = (household, months.risk_class.get(row)) {
            raise(&mut worst, household, i64::from(class));
        }
    }
    Arc::new(Int64Array::from(worst))
}

/// `instalments_due_24m`, `on_time_share_24m`, `delay_days_max_24m` and the amounts that fall due ahead.
fn repayment(evidence: &Evidence, instalments: &Instalments) -> Result<Columns> {
    let as_of = evidence.register.as_of;
    let (past, ahead) = (Window::months_to(as_of, 24), Window::months_from(as_of, 12));
    let households = evidence.register.len();
    let (mut due, mut on_time) = (vec![0_u32; households], vec![0_u32; households]);
    let mut delay: Vec<Option<i64>> = vec![None; households];
    let mut due_ahead = vec![0_i128; households];
    for row in 0..instalments.rows {
        let Some((loan, due_on)) = instalments.loan_id.get(row).zip(instalments.due_on.get(row)) else { continue };
        let Some(household) = evidence.household(evidence.tables.loans.household_id.get(loan)) else { continue };
        let paid_on = instalments.paid_on.get(row).filter(|&paid| paid <= as_of);
        let closed_on = closed_by(evidence, loan);
        if past.contains(due_on) && closed_on.is_none_or(|closed| due_on <= closed) {
            count(&mut due, household, true);
            count(&mut on_time, household, paid_on.is_some_and(|paid| paid <= due_on));
            let until = paid_on.unwrap_or_else(|| closed_on.unwrap_or(as_of));
            raise(&mut delay, household, i64::from(until.0 - due_on.0).max(0));
        }
        if ahead.contains(due_on) && closed_on.is_none() && paid_on.is_none() {
            add(&mut due_ahead, household, i128::from(instalments.due_amount.get(row).unwrap_or(0)));
        }
    }
    let shares = due.iter().zip(&on_time);
    let shares: Float64Array =
        shares.map(|(&due, &on_time)| (due > 0).then(|| f64::from(on_time) / f64::from(due))).collect();
    Ok(vec![
        ("on_time_share_24m", Arc::new(shares)),
        ("instalments_due_24m", super::counts(due)),
        ("delay_days_max_24m", Arc::new(Int64Array::from(delay))),
        (INSTALMENTS_AHEAD, evidence.whole(INSTALMENTS_AHEAD, due_ahead.into_iter().map(Some))?),
    ])
}

fn add(sums: &mut [i128], household: usize, amount: i128) {
    if let Some(sum) = sums.get_mut(household) {
        *sum += amount;
    }
}

fn count(counts: &mut [u32], household: usize, applies: bool) {
    if let Some(count) = counts.get_mut(household) {
        *count += u32::from(applies);
    }
}

fn raise(greatest: &mut [Option<i64>], household: usize, value: i64) {
    if let Some(slot) = greatest.get_mut(household) {
        *slot = Some(slot.map_or(value, |earlier| earlier.max(value)));
    }
}
