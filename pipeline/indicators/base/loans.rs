//! Base table `loans`: every known loan of the bank, as it stood on the as-of date, twelve months before and at the end
//! of the year before. A loan of a household in the grids counts where the household does, any other where it is booked.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray};

use crate::calendar::{Date, Month, Window};
use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contract;
use crate::facts::ledgers::{LoanDay, Standing};
use crate::fault::{Error, Result};
use crate::indicators::Covered;

use super::{BaseRows, Cell, Source, columns, no_column, truths, wholes, words};

/// Of a loan: its household's grid when that counts, and the branch where the loan counts.
pub fn home(covered: &Covered, loan: usize) -> (Option<usize>, Option<usize>) {
    let tables = covered.rated.tables;
    let number = tables.loans.household_id.get(loan).and_then(|position| covered.rated.register.number(position));
    let grid = number.map(|number| covered.rated.register.grid(number));
    match grid.filter(|&grid| covered.coverage.is_valid_grid.get(grid) == Some(&true)) {
        Some(grid) => (Some(grid), tables.grids.branch_id.get(grid)),
        None => (None, tables.loans.branch_id.get(loan)),
    }
}

pub(super) struct Loans<'a> {
    covered: &'a Covered<'a>,
    /// By loan, the grid in which it counts.
    grids: Vec<Option<usize>>,
    /// The household or, outside the grids, the loan.
    customers: Vec<u32>,
    customer_count: usize,
}

/// The loans on one day.
struct Day<'a> {
    is_open: Vec<bool>,
    /// At the latest known month end by the day.
    latest: &'a [Option<Standing>],
}

impl<'a> Loans<'a> {
    pub(super) fn of(covered: &'a Covered<'a>) -> Loans<'a> {
        let (tables, register) = (covered.rated.tables, covered.rated.register);
        let grids: Vec<Option<usize>> = (0..tables.loans.rows).map(|loan| home(covered, loan).0).collect();
        let household =
            |loan: usize| tables.loans.household_id.get(loan).and_then(|position| register.number(position));
        let customers = grids.iter().enumerate().map(|(loan, grid)| {
            let of_household = grid.and_then(|_| household(loan));
            of_household.unwrap_or(register.len() + loan) as u32
        });
        Loans { customers: customers.collect(), customer_count: register.len() + tables.loans.rows, covered, grids }
    }

    pub(super) fn rows(self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let tables = self.tables();
        let (grids, branches) = (tables.grids.rows, tables.branches.rows);
        let in_grids = (0..grids).map(|grid| (tables.grids.branch_id.get(grid), tables.grids.area_id.get(grid)));
        let booked = (0..branches).map(|branch| (Some(branch), None));
        let cells = in_grids.chain(booked).map(|(branch, area)| Cell { branch, area, segment: None });
        let cell_of_row = self.grids.iter().enumerate().map(|(loan, grid)| match grid {
            Some(grid) => *grid as u32,
            None => (grids + tables.loans.branch_id.get(loan).unwrap_or_default()) as u32,
        });
        Ok(BaseRows {
            rows: tables.loans.rows,
            cells: cells.collect(),
            cell_of_row: cell_of_row.collect(),
            columns: columns(&self, contract, wanted)?,
            customers: self.customers,
            ..BaseRows::default()
        })
    }

    fn tables(&self) -> &Tables {
        self.covered.rated.tables
    }

    fn as_of(&self) -> Date {
        self.covered.rated.register.as_of
    }

    /// The day that the end of a column's name means.
    fn day_of(name: &str) -> LoanDay {
        if name.ends_with("_12m_ago") {
            LoanDay::YearBefore
        } else if name.ends_with("_at_year_start") {
            LoanDay::YearStart
        } else {
            LoanDay::AsOf
        }
    }

    /// 1 January of the as-of date's year.
    fn year_start(&self) -> Date {
        let month = Month::of(self.as_of());
        Month(month.0.div_euclid(12) * 12).first_day()
    }

    fn on(&self, day: LoanDay) -> Day<'_> {
        let (loans, latest) = (&self.tables().loans, self.covered.rated.facts.standings.on(day));
        let day = day.date(self.as_of());
        let is_open = (0..loans.rows).map(|loan| {
            loans.disbursed_on.get(loan).is_some_and(|disbursed| day.is_within(disbursed, loans.closed_on.get(loan)))
        });
        Day { is_open: is_open.collect(), latest }
    }

    /// What is owed on a day; 0 where the loan is not open, and where it is overpaid.
    fn outstanding(&self, day: &Day) -> ArrayRef {
        let loans = &self.tables().loans;
        wholes(day.is_open.iter().zip(day.latest).enumerate().map(|(loan, (is_open, latest))| {
            let owed = match latest {
                _ if !is_open => 0,
                Some(latest) => latest.outstanding.unwrap_or(0),
                None => loans.principal.get(loan).unwrap_or(0),
            };
            Some(owed.max(0))
        }))
    }

    /// The lines of all loans of the loan's customer that are open on a day, together.
    fn customer_line(&self, day: &Day) -> Result<ArrayRef> {
        let loans = &self.tables().loans;
        let mut lines = vec![0_i64; self.customer_count];
        for (loan, &customer) in self.customers.iter().enumerate() {
            let line = loans.credit_line.get(loan).filter(|_| day.is_open.get(loan) == Some(&true)).unwrap_or(0);
            if let Some(sum) = lines.get_mut(customer as usize) {
                *sum = sum.checked_add(line).ok_or_else(|| Error::internal("credit lines of a customer overflow"))?;
            }
        }
        Ok(wholes(self.customers.iter().map(|&customer| lines.get(customer as usize).copied())))
    }

    /// principal × annual_rate, exactly: cents times millionths.
    fn annual_interest(&self) -> Result<ArrayRef> {
        let loans = &self.tables().loans;
        let interest: Decimal128Array = (0..loans.rows)
            .map(|loan| Some(i128::from(loans.principal.get(loan)?) * i128::from(loans.annual_rate.get(loan)?)))
            .collect();
        let interest = interest.with_precision_and_scale(30, 8).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Arc::new(interest))
    }
}

impl Source for Loans<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let loans = &self.tables().loans;
        let rows = || 0..loans.rows;
        let day = || self.on(Loans::day_of(name));
        // Of the latest month row of loans that are open on the as-of date.
        let latest = || {
            let day = self.on(LoanDay::AsOf);
            let rows = day.is_open.into_iter().zip(day.latest);
            rows.map(|(is_open, latest)| latest.filter(|_| is_open))
        };
        Ok(match name {
            "loan_id" => Arc::new(rows().map(|loan| loans.loan_id.get(loan)).collect::<StringArray>()),
            "borrower_kind" => words(rows().map(|loan| loans.borrower_kind.get(loan))),
            "purpose" => words(rows().map(|loan| loans.purpose.get(loan))),
            "guarantee" => words(rows().map(|loan| loans.guarantee.get(loan))),
            "is_agricultural" => truths(loans.rows, |loan| loans.is_agricultural.get(loan) == Some(true)),
            "in_grid" => truths(loans.rows, |loan| self.grids.get(loan).is_some_and(Option::is_some)),
            "principal" => wholes(rows().map(|loan| loans.principal.get(loan))),
            "credit_line" => wholes(rows().map(|loan| loans.credit_line.get(loan))),
            "annual_rate" => wholes(rows().map(|loan| loans.annual_rate.get(loan))),
            "annual_interest" => self.annual_interest()?,
            "is_open" | "was_open_12m_ago" | "was_open_at_year_start" => {
                let day = day();
                truths(loans.rows, |loan| day.is_open.get(loan) == Some(&true))
            }
            "outstanding" | "outstanding_12m_ago" | "outstanding_at_year_start" => self.outstanding(&day()),
            "customer_line" | "customer_line_12m_ago" | "customer_line_at_year_start" => self.customer_line(&day())?,
            "risk_class" => words(latest().map(|latest| latest?.risk_class)),
            "days_past_due" => wholes(latest().map(|latest| latest?.days_past_due)),
            "disbursed_this_year" => {
                let begins = self.year_start();
                truths(loans.rows, |loan| loans.disbursed_on.get(loan).is_some_and(|day| day >= begins))
            }
            "disbursed_in_12m" => {
                let recent = Window::months_to(self.as_of(), 12);
                truths(loans.rows, |loan| loans.disbursed_on.get(loan).is_some_and(|day| recent.contains(day)))
            }
            other => return no_column("loans", other),
        })
    }
}
