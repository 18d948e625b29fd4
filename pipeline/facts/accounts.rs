//! Facts from accounts and their monthly figures: income that flows, savings that stay, how long and through what
//! channels the household banks here. All are null for a household without a known account.

use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array};

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::fault::Result;

use super::ledgers::ACCOUNT_MONTHS;
use super::{Columns, Evidence};

/// Whether the household has an account open on the as-of date; no fact, but what coverage counts.
pub(super) const OPEN_ACCOUNT: &str = "an open account";
/// Whether there was a transaction on any account of the household in M(12); no fact either.
pub(super) const TRANSACTIONS: &str = "transactions in twelve months";

/// What the accounts of one household are.
#[derive(Clone, Copy, Default)]
struct Custom {
    opened_first: Option<Date>,
    is_open: bool,
    has_mobile: bool,
    has_pos: bool,
    has_card: bool,
}

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let mut customs = vec![Custom::default(); evidence.register.len()];
    take_accounts(evidence, &mut customs)?;
    let months = &evidence.ledgers.customs;
    let with_account = |of: fn(&Custom) -> i64| -> Int64Array {
        customs.iter().map(|custom| custom.opened_first.map(|_| of(custom))).collect()
    };
    let of_months = || customs.iter().zip(months).map(|(custom, months)| custom.opened_first.map(|_| months));
    let as_of = evidence.register.as_of;
    let relationship: Int64Array =
        customs.iter().map(|custom| custom.opened_first.map(|first| i64::from(first.whole_months_to(as_of)))).collect();
    let deposits = of_months().map(|months| Some(months?.balances.div_euclid(i128::from(ACCOUNT_MONTHS))));
    let inflow_months: Int64Array =
        of_months().map(|months| Some(i64::from(months?.inflow_months.count_ones()))).collect();
    let channels =
        |custom: &Custom| i64::from(custom.has_mobile) + i64::from(custom.has_pos) + i64::from(custom.has_card);
    let is_open: BooleanArray = customs.iter().map(|custom| Some(custom.is_open)).collect();
    let has_transactions: BooleanArray = months.iter().map(|months| Some(months.has_transactions)).collect();
    Ok(vec![
        (OPEN_ACCOUNT, Arc::new(is_open)),
        (TRANSACTIONS, Arc::new(has_transactions)),
        ("inflow_months_12m", Arc::new(inflow_months)),
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
