//! Accounts and their months: a balance that is pulled towards what the household keeps, fed by its income and drained
//! by its spending, so that every closing balance is the one before plus inflow less outflow.

use super::Setting;
use super::households::Household;
use super::random::{Random, Subject};
use super::tables::Tables;
use crate::calendar::{Date, Month};
use std::fmt::Write as _;

struct Account {
    product: &'static str,
    opened_on: Date,
    closed_on: Option<Date>,
    /// What the household tends to keep on it, in cents.
    usual_balance: i64,
    /// What comes in during a month with business, in cents.
    usual_inflow: i64,
    /// How many months in a thousand have any.
    activity: i64,
}

pub fn write(setting: &Setting, household: &Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::Accounts, household.number);
    let count = random.weighted(&[(30, 0), (180, 1), (470, 2), (260, 3), (60, 4)]);
    // How long the household has banked here: longer the better it is.
    let first_days = random.between(150, 1_300 + household.quality * 4);
    let kept_cents = household.net_income.max(8_000) * (3 + household.quality / 16) * random.between(50, 150) / 100;
    let has_mobile = random.chance(500 + household.quality / 2);
    let has_pos = random.chance(if household.kind.is_business() { 700 } else { 220 });
    let mut id = String::new();
    for number in 1..=count {
        id.clear();
        let _ = write!(id, "C{:0width$}-{number}", household.number, width = setting.widths.household);
        let mut account = Account::draw(setting, number, first_days, &mut random);
        account.usual_balance = kept_cents / (number + 1);
        account.usual_inflow = household.net_income.max(6_000) * 100 / 12 / (number + 1);
        account.activity = 430 + household.quality * 57 / 100;
        let rows = tables.accounts.text(id.as_str()).text(household.id.as_str()).text(account.product);
        rows.date(account.opened_on).date(account.closed_on);
        rows.bool(has_mobile && account.product != "term").bool(has_pos && number == 1);
        account.write_months(setting, &id, &mut random, tables);
    }
}

impl Account {
    fn draw(setting: &Setting, number: i64, first_days: i64, random: &mut Random) -> Self {
        let product = match number {
            1 => random.weighted(&[(850, "demand"), (150, "card")]),
            _ => random.weighted(&[(520, "card"), (330, "term"), (150, "wealth")]),
        };
        let opened_on = match random.below(1_000) {
            0..10 => setting.days_after(random.between(1, 60)),
            _ if number == 1 => setting.days_before(first_days),
            _ => setting.days_before(random.between(first_days / 2, first_days)),
        };
        let days_open = i64::from(setting.as_of.0 - opened_on.0);
        let closed_on = match random.below(1_000) {
            0..60 if days_open > 30 => Some(Date(opened_on.0 + random.between(20, days_open) as i32)),
            60..66 => Some(setting.days_after(random.between(60, 120))),
            _ => None,
        };
        Account { product, opened_on, closed_on, usual_balance: 0, usual_inflow: 0, activity: 0 }
    }

    /// The months of the history in which the account was open, sometimes one that is not over yet.
    fn write_months(&self, setting: &Setting, id: &str, random: &mut Random, tables: &mut Tables) {
        let opened_in = Month::of(self.opened_on);
        let first = Month(setting.last_month.0 + 1 - setting.history_months as i32).max(opened_in);
        let closed_in = self.closed_on.map(Month::of);
        let last = Month(setting.last_month.0 + i32::from(random.chance(250)));
        let last = closed_in.map_or(last, |closed_in| closed_in.min(last));
        let mut balance = if first == opened_in { 0 } else { self.usual_balance * random.between(50, 150) / 100 };
        for month in first.0..=last.0 {
            let is_first = Month(month) == opened_in;
            let (inflow, outflow) = match closed_in {
                // What is left is paid out; what is owed is paid in.
                Some(closed_in) if closed_in.0 == month => ((-balance).max(0), balance.max(0)),
                _ if is_first => (self.usual_balance, 0),
                _ => self.move_money(balance, month, random),
            };
            let closing = balance + inflow - outflow;
            let transactions = if inflow + outflow > 0 { random.between(1, 12) } else { 0 };
            let rows = tables.account_months.text(id).date(Month(month).first_day());
            rows.decimal((balance + closing).div_euclid(2)).decimal(closing).decimal(inflow).decimal(outflow);
            rows.count(transactions);
            balance = closing;
        }
    }

    /// Inflow and outflow of a month.
    fn move_money(&self, balance: i64, month: i32, random: &mut Random) -> (i64, i64) {
        if self.product == "term" || self.product == "wealth" {
            // Interest once a year.
            let is_paid = month.rem_euclid(12) == self.opened_on.0.rem_euclid(12);
            return (if is_paid { balance.max(0) / 50 } else { 0 }, 0);
        }
        let draw = random.below(1_000);
        let inflow = if draw < self.activity { self.usual_inflow * random.between(50, 150) / 100 } else { 0 };
        if self.product == "card" && random.chance(8) {
            // Spent more than there was: the account is overdrawn until money comes in.
            return (inflow, (balance + inflow).max(0) + random.between(100, 200_000));
        }
        let surplus = (balance - self.usual_balance) / 4;
        let wanted = if inflow > 0 { inflow + surplus } else { surplus / 2 };
        (inflow, wanted.clamp(0, (balance + inflow).max(0)))
    }
}
