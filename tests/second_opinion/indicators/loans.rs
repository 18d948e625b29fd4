//! Loans as indicators see them: on whose books and where each counts, and how it and its customer stood on the as-of
//! date and twelve months before. The household's own facts are left to `facts`.

use std::collections::BTreeMap;

use super::super::calendar::Date;
use super::super::reading::{Bank, Loan, LoanMonth};
use super::super::{Night, Outcome};

/// The customer's lines together, in hundredths: 10 million, inclusive.
const SMALL_LINE_MAX: i128 = 1_000_000_000;

/// One known loan.
pub struct Debt<'a> {
    pub loan: &'a Loan,
    /// The household, when it is in the run and its grid valid.
    pub household: Option<&'a Outcome<'a>>,
    pub today: Standing,
    pub year_ago: Standing,
    pub is_bad: bool,
}

/// How a loan stood on a day; money in hundredths.
#[derive(Clone, Copy)]
pub struct Standing {
    pub is_open: bool,
    /// 0 when it was not open.
    pub outstanding: i128,
    /// All lines of the customer's loans that were open.
    customer_line: i128,
}

/// Who owes: the household or, outside the grids, the loan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Customer<'a> {
    Household(&'a str),
    Loan(&'a str),
}

impl<'a> Debt<'a> {
    pub fn branch_id(&self) -> &'a str {
        self.household.map_or(&self.loan.branch_id, |household| &household.grid.branch_id)
    }

    /// "loans of nobody's grid count ... in the areas not at all"
    pub fn area_id(&self) -> Option<&'a str> {
        self.household.map(|household| household.grid.area_id.as_str())
    }

    pub fn customer(&self) -> Customer<'a> {
        customer_of(self.loan, self.household)
    }

    /// A merchant's or small enterprise's loan that was open, of a customer whose lines were not too large.
    pub fn is_inclusive_small(&self, standing: Standing) -> bool {
        let is_kind = ["merchant", "small_enterprise"].contains(&self.loan.borrower_kind.as_str());
        is_kind && standing.is_open && standing.customer_line <= SMALL_LINE_MAX
    }
}

fn customer_of<'a>(loan: &'a Loan, household: Option<&'a Outcome<'a>>) -> Customer<'a> {
    match household {
        Some(household) => Customer::Household(&household.evidence.household.household_id),
        None => Customer::Loan(&loan.loan_id),
    }
}

/// Every known loan.
pub fn debts<'a>(night: &Night<'a>, bank: &'a Bank) -> Vec<Debt<'a>> {
    let in_grids: BTreeMap<&str, &Outcome> = night
        .outcomes_in_valid_grids()
        .map(|outcome| (outcome.evidence.household.household_id.as_str(), outcome))
        .collect();
    let mut months: BTreeMap<&str, Vec<&LoanMonth>> = BTreeMap::new();
    for row in &bank.loan_months {
        months.entry(&row.loan_id).or_default().push(row);
    }
    let household_of = |loan: &Loan| in_grids.get(loan.household_id.as_deref()?).copied();
    let months_of = |loan: &Loan| months.get(loan.loan_id.as_str()).map_or(&[][..], Vec::as_slice);
    let on = |day: Date| {
        let mut lines: BTreeMap<Customer, i128> = BTreeMap::new();
        for loan in bank.loans.iter().filter(|loan| is_open(loan, day)) {
            *lines.entry(customer_of(loan, household_of(loan))).or_default() += loan.credit_line;
        }
        lines
    };
    let (today, year_ago) = (night.as_of, night.as_of.minus_months(12));
    let (lines_today, lines_year_ago) = (on(today), on(year_ago));
    let debts = bank.loans.iter().map(|loan| {
        let household = household_of(loan);
        let standing = |day, lines: &BTreeMap<Customer, i128>| Standing {
            is_open: is_open(loan, day),
            outstanding: if is_open(loan, day) { outstanding(loan, months_of(loan), day) } else { 0 },
            customer_line: lines.get(&customer_of(loan, household)).copied().unwrap_or(0),
        };
        Debt {
            loan,
            household,
            today: standing(today, &lines_today),
            year_ago: standing(year_ago, &lines_year_ago),
            // Substandard, doubtful or loss.
            is_bad: latest_month(months_of(loan), today).is_some_and(|row| row.risk_class >= 2),
        }
    });
    debts.collect()
}

/// Disbursed ≤ the day, and `closed_on` null or after it.
fn is_open(loan: &Loan, day: Date) -> bool {
    loan.disbursed_on <= day && loan.closed_on.is_none_or(|closed_on| day < closed_on)
}

fn latest_month<'a>(months: &[&'a LoanMonth], day: Date) -> Option<&'a LoanMonth> {
    months.iter().copied().filter(|row| row.month_end <= day).max_by_key(|row| row.month_end)
}

/// The latest row's, else `principal`; a negative one counts 0.
fn outstanding(loan: &Loan, months: &[&LoanMonth], day: Date) -> i128 {
    latest_month(months, day).map_or(loan.principal, |row| row.outstanding.max(0))
}
