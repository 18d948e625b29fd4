//! Gathers every known row about one household of the run, so that each fact is a short function
//! of them. Computes nothing.

use std::collections::BTreeMap;

use super::calendar::Date;
use super::policy::Policy;
use super::reading::{
    Account, AccountMonth, Bank, ConductEvent, Household, Instalment, Listing, Loan, LoanMonth, OutsideDebt,
    PeerReview, Profile, Visit,
};
use super::visits::CheckedVisit;

/// The rows about one household. `None` stands for an absent optional table; an empty list for a
/// table without a row of this household.
pub struct Evidence<'a> {
    pub policy: &'a Policy,
    pub as_of: Date,
    pub household: &'a Household,
    pub profiles: Option<Vec<&'a Profile>>,
    pub loans: Vec<LoanRows<'a>>,
    pub has_instalments: bool,
    pub accounts: Vec<AccountRows<'a>>,
    pub outside_debts: Option<Vec<&'a OutsideDebt>>,
    pub conduct_events: Option<Vec<&'a ConductEvent>>,
    pub peer_reviews: Option<Vec<&'a PeerReview>>,
    pub watchlist: Vec<&'a Listing>,
    /// Valid visits to the household, in grids of its present branch.
    pub valid_visits: Vec<&'a Visit>,
}

pub struct LoanRows<'a> {
    pub loan: &'a Loan,
    pub months: Vec<&'a LoanMonth>,
    pub instalments: Vec<&'a Instalment>,
}

pub struct AccountRows<'a> {
    pub account: &'a Account,
    pub months: Vec<&'a AccountMonth>,
}

type Grouped<'a, T> = BTreeMap<&'a str, Vec<&'a T>>;

/// Every table's rows by the household, loan or account that they belong to.
pub struct Ledgers<'a> {
    policy: &'a Policy,
    as_of: Date,
    profiles: Option<Grouped<'a, Profile>>,
    loans: Grouped<'a, Loan>,
    loan_months: Grouped<'a, LoanMonth>,
    instalments: Option<Grouped<'a, Instalment>>,
    accounts: Grouped<'a, Account>,
    account_months: Grouped<'a, AccountMonth>,
    outside_debts: Option<Grouped<'a, OutsideDebt>>,
    conduct_events: Option<Grouped<'a, ConductEvent>>,
    peer_reviews: Option<Grouped<'a, PeerReview>>,
    watchlist: Option<Grouped<'a, Listing>>,
    valid_visits: BTreeMap<&'a str, Vec<&'a CheckedVisit<'a>>>,
}

fn group<'a, T>(rows: &'a [T], key: impl Fn(&'a T) -> Option<&'a String>) -> Grouped<'a, T> {
    let mut groups: Grouped<T> = BTreeMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            groups.entry(key).or_default().push(row);
        }
    }
    groups
}

fn group_optional<'a, T>(rows: &'a Option<Vec<T>>, key: impl Fn(&'a T) -> &'a String) -> Option<Grouped<'a, T>> {
    rows.as_ref().map(|rows| group(rows, |row| Some(key(row))))
}

fn rows_of<'a, T>(groups: &Grouped<'a, T>, key: &str) -> Vec<&'a T> {
    groups.get(key).cloned().unwrap_or_default()
}

fn optional_rows_of<'a, T>(groups: &Option<Grouped<'a, T>>, key: &str) -> Option<Vec<&'a T>> {
    groups.as_ref().map(|groups| rows_of(groups, key))
}

impl<'a> Ledgers<'a> {
    pub fn gather(policy: &'a Policy, as_of: Date, bank: &'a Bank, visits: &'a [CheckedVisit<'a>]) -> Ledgers<'a> {
        let mut valid_visits: BTreeMap<&str, Vec<&CheckedVisit>> = BTreeMap::new();
        for checked in visits {
            if let (true, Some(household_id)) = (checked.is_valid, &checked.visit.household_id) {
                valid_visits.entry(household_id).or_default().push(checked);
            }
        }
        Ledgers {
            policy,
            as_of,
            profiles: group_optional(&bank.profiles, |row| &row.household_id),
            loans: group(&bank.loans, |row| row.household_id.as_ref()),
            loan_months: group(&bank.loan_months, |row| Some(&row.loan_id)),
            instalments: group_optional(&bank.instalments, |row| &row.loan_id),
            accounts: group(&bank.accounts, |row| Some(&row.household_id)),
            account_months: group(&bank.account_months, |row| Some(&row.account_id)),
            outside_debts: group_optional(&bank.outside_debts, |row| &row.household_id),
            conduct_events: group_optional(&bank.conduct_events, |row| &row.household_id),
            peer_reviews: group_optional(&bank.peer_reviews, |row| &row.household_id),
            watchlist: group_optional(&bank.watchlist, |row| &row.household_id),
            valid_visits,
        }
    }

    pub fn of_household(&self, household: &'a Household, branch_id: &str) -> Evidence<'a> {
        let household_id = household.household_id.as_str();
        let loans = rows_of(&self.loans, household_id).into_iter();
        let accounts = rows_of(&self.accounts, household_id).into_iter();
        let visits = self.valid_visits.get(household_id).into_iter().flatten();
        Evidence {
            policy: self.policy,
            as_of: self.as_of,
            household,
            profiles: optional_rows_of(&self.profiles, household_id),
            loans: loans
                .map(|loan| LoanRows {
                    loan,
                    months: rows_of(&self.loan_months, &loan.loan_id),
                    instalments: optional_rows_of(&self.instalments, &loan.loan_id).unwrap_or_default(),
                })
                .collect(),
            has_instalments: self.instalments.is_some(),
            accounts: accounts
                .map(|account| AccountRows { account, months: rows_of(&self.account_months, &account.account_id) })
                .collect(),
            outside_debts: optional_rows_of(&self.outside_debts, household_id),
            conduct_events: optional_rows_of(&self.conduct_events, household_id),
            peer_reviews: optional_rows_of(&self.peer_reviews, household_id),
            watchlist: optional_rows_of(&self.watchlist, household_id).unwrap_or_default(),
            valid_visits: visits
                .filter(|checked| checked.branch_id == branch_id)
                .map(|checked| checked.visit)
                .collect(),
        }
    }
}
