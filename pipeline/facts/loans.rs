//! Facts from loans, their month rows and their instalments: how the household repays, what it owes, how the debt stands.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::fault::Result;

use super::ledgers::{LoanDay, Repayment};
use super::{Columns, Evidence};

/// Due amounts of the next twelve months; a part of `debt_service_12m`, no fact of its own.
pub const INSTALMENTS_AHEAD: &str = "instalments_ahead_12m";

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let mut columns = standing(evidence)?;
    columns.extend(match &evidence.tables.instalments {
        Some(_) => repayment(evidence)?,
        None => vec![
            ("instalments_due_24m", evidence.absent_whole()),
            ("on_time_share_24m", evidence.absent_ratio()),
            ("delay_days_max_24m", evidence.absent_whole()),
            (INSTALMENTS_AHEAD, evidence.absent_whole()),
        ],
    });
    Ok(columns)
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
    let loans = &evidence.tables.loans;
    let credit = evidence.contracts.input("loans")?.word_code("guarantee", "credit")?;
    let substandard = evidence.contracts.input("loan_months")?.word_code("risk_class", "substandard")?;
    let households = evidence.register.len();
    let mut outstanding = vec![0_i128; households];
    let mut unsecured = vec![0_i128; households];
    let mut bad = vec![0_i128; households];
    let mut past_due: Vec<Option<i64>> = vec![None; households];
    for (loan, latest) in evidence.ledgers.standings.on(LoanDay::AsOf).iter().enumerate() {
        let Some(household) = evidence.household(loans.household_id.get(loan)) else { continue };
        if !is_open(evidence, loan) {
            continue;
        }
        let owed = latest.map_or_else(|| loans.principal.get(loan), |latest| latest.outstanding);
        // An overpaid loan counts 0.
        let owed = i128::from(owed.unwrap_or(0).max(0));
        let is_bad = latest.and_then(|latest| latest.risk_class).is_some_and(|class| class >= substandard);
        add(&mut outstanding, household, owed);
        add(&mut unsecured, household, if loans.guarantee.get(loan) == Some(credit) { owed } else { 0 });
        add(&mut bad, household, if is_bad { owed } else { 0 });
        let days = latest.and_then(|latest| latest.days_past_due).unwrap_or(0);
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
    Arc::new(evidence.ledgers.worst_classes.iter().map(|class| class.map(i64::from)).collect::<Int64Array>())
}

/// `instalments_due_24m`, `on_time_share_24m`, `delay_days_max_24m` and the amounts that fall due ahead.
fn repayment(evidence: &Evidence) -> Result<Columns> {
    let repayments = &evidence.ledgers.repayments;
    let share = |&Repayment { due, on_time, .. }: &Repayment| (due > 0).then(|| f64::from(on_time) / f64::from(due));
    let shares: Float64Array = repayments.iter().map(share).collect();
    let delays: Int64Array = repayments.iter().map(|repayment| repayment.delay_days_max).collect();
    let ahead = repayments.iter().map(|repayment| Some(repayment.due_ahead));
    Ok(vec![
        ("on_time_share_24m", Arc::new(shares)),
        ("instalments_due_24m", super::counts(repayments.iter().map(|repayment| repayment.due))),
        ("delay_days_max_24m", Arc::new(delays)),
        (INSTALMENTS_AHEAD, evidence.whole(INSTALMENTS_AHEAD, ahead)?),
    ])
}

fn add(sums: &mut [i128], household: usize, amount: i128) {
    if let Some(sum) = sums.get_mut(household) {
        *sum += amount;
    }
}

fn raise(greatest: &mut [Option<i64>], household: usize, value: i64) {
    if let Some(slot) = greatest.get_mut(household) {
        *slot = Some(slot.map_or(value, |earlier| earlier.max(value)));
    }
}
