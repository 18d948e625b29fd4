//! Facts from accounts and their monthly figures: income that flows, savings that stay, how long and through what
//! channels the household banks here. All are null for a household without a known account.

use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array};

use crate::calendar::{CompleteMonths, Date};
use crate::clean::typed::Rows as _;
use crate::fault::Result;

use super::{Columns, Evidence};

const MONTHS: u32 = 12;
/// Whether the household has an account open on the as-of date; no fact, but what coverage counts.
pub(super) const OPEN_ACCOUNT: &str = "an open account";
/// Whether there was a transaction on any account of the household in M(12); no fact either.
pub(super) const TRANSACTIONS: &str = "transactions in twelve months";

/// What the accounts of one household add up to.
#[derive(Clone, Copy, Default)]
struct Custom {
    opened_first: Option<Date>,
    is_open: bool,
    has_transactions: bool,
    has_mobile: bool,
    has_pos: bool,
    has_card: bool,
    /// Sum of average balances over M(12), in the smallest unit.
    balances: i128,
    /// One bit for each month of M(12) with an inflow. Inflows are not negative, so one is enough.
    inflow_months: u16,
}

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let mut customs = vec![Custom::default(); evidence.register.len()];
    take_accounts(evidence, &mut customs)?;
    take_months(evidence, &mut customs);
    let with_account = |of: fn(&Custom) -> i64| -> Int64Array {
        customs.iter().map(|custom| custom.opened_first.map(|_| of(custom))).collect()
    };
    let as_of = evidence.register.as_of;
    let relationship: Int64Array =
        customs.iter().map(|custom| custom.opened_first.map(|first| i64::from(first.whole_months_to(as_of)))).collect();
    let deposits =
        customs.iter().map(|custom| custom.opened_first.map(|_| custom.balances.div_euclid(i128::from(MONTHS))));
    let channels =
        |custom: &Custom| i64::from(custom.has_mobile) + i64::from(custom.has_pos) + i64::from(custom.has_card);
    let is_open: BooleanArray = customs.iter().map(|custom| Some(custom.is_open)).collect();
    let has_transactions: BooleanArray = customs.iter().map(|custom| Some(custom.has_transactions)).collect();
    Ok(vec![
        (OPEN_ACCOUNT, Arc::new(is_open)),
        (TRANSACTIONS, Arc::new(has_transactions)),
        ("inflow_months_12m", Arc::new(with_account(|custom| i64::from(custom.inflow_months.count_ones())))),
        ("deposit_average_12m", evidence.whole("deposit_average_12m", deposits)?),
        ("relationship_months", Arc::new(relationship)),
        ("channel_count", Arc::new(with_account(channels))),
    ])
}

fn take_accounts(evidence: &Evidence, customs: &mut [Custom]) -> Result<()> {
    let accounts = &evidence.tables.accounts;
    let card = evidence.contracts.input("accounts")?.word_code("product", "card")?;
    for account in 0..accounts.rows {
        let household = evidence.household(accounts.household_id.get(account));
        let Some(custom) = household.and_then(|household| customs.get_mut(household)) else { continue };
        let opened_on = accounts.opened_on.get(account);
        custom.opened_first = match custom.opened_first {
            None => opened_on,
            Some(first) => Some(opened_on.map_or(first, |opened| first.min(opened))),
        };
        if accounts.closed_on.get(account).is_none_or(|closed| closed > evidence.register.as_of) {
            custom.is_open = true;
            custom.has_mobile |= accounts.has_mobile.get(account) == Some(true);
            custom.has_pos |= accounts.has_pos.get(account) == Some(true);
            custom.has_card |= accounts.product.get(account) == Some(card);
        }
    }
    Ok(())
}

fn take_months(evidence: &Evidence, customs: &mut [Custom]) {
    let (accounts, months) = (&evidence.tables.accounts, &evidence.tables.account_months);
    let complete = CompleteMonths::until(evidence.register.as_of, MONTHS);
    // Rows of one account follow each other in most exports: the household is looked up when the account changes.
    let mut last: Option<(usize, Option<usize>)> = None;
    for row in 0..months.rows {
        let Some(position) = months.month.get(row).and_then(|month| complete.position(month)) else { continue };
        let Some(account) = months.account_id.get(row) else { continue };
        let household = match last {
            Some((same, household)) if same == account => household,
            _ => evidence.household(accounts.household_id.get(account)),
        };
        last = Some((account, household));
        let Some(custom) = household.and_then(|household| customs.get_mut(household)) else { continue };
        custom.balances += i128::from(months.average_balance.get(row).unwrap_or(0));
        custom.has_transactions |= months.transaction_count.get(row).unwrap_or(0) > 0;
        custom.inflow_months |= u16::from(months.inflow.get(row).unwrap_or(0) > 0) << position;
    }
}
