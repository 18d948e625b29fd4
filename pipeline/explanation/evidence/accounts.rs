//! Accounts and their monthly figures: what inflows, deposits, the length of the relationship and the channels were
//! measured from.

use crate::calendar::{CompleteMonths, Date, Month};
use crate::clean::typed::Rows as _;
use crate::explanation::Subject;
use crate::explanation::words::PRODUCTS;

use super::{Evidence, Source, absent, rows_of, window_months};

pub struct AccountRows<'a> {
    subject: &'a Subject<'a>,
    /// The household's known accounts.
    accounts: Vec<usize>,
}

impl<'a> AccountRows<'a> {
    pub fn of(subject: &'a Subject<'a>) -> AccountRows<'a> {
        let accounts = &subject.tables().accounts;
        AccountRows { subject, accounts: rows_of(&accounts.household_id, accounts.rows, subject.position) }
    }

    fn none(&self) -> Option<Evidence> {
        if !self.subject.has_table("accounts") {
            return Some(absent(self.subject, "accounts"));
        }
        let remark = self.subject.language.pick("no known account", "无已知账户");
        self.accounts.is_empty().then(|| Evidence::remark(remark))
    }

    fn id(&self, account: usize) -> &'a str {
        self.subject.tables().accounts.account_id.text(account)
    }

    fn ids(&self) -> String {
        let ids: Vec<&str> = self.accounts.iter().map(|&account| self.id(account)).collect();
        self.subject.language.list(&ids)
    }

    /// Rows of the complete months that a fact looks at, by month.
    fn months(&self, fact: &str) -> Vec<(Date, usize)> {
        let months = &self.subject.tables().account_months;
        let complete = CompleteMonths::until(self.subject.as_of(), window_months(fact));
        let mut rows: Vec<(Date, usize)> = (0..months.rows)
            .filter_map(|row| {
                let account = months.account_id.get(row)?;
                let month = months.month.get(row).filter(|&month| complete.position(month).is_some())?;
                self.accounts.contains(&account).then_some((month, row))
            })
            .collect();
        rows.sort_unstable();
        rows
    }

    fn source(&self, rows: &[(Date, usize)], text: String) -> Source {
        let months = &self.subject.tables().account_months;
        let key = |&(month, row): &(Date, usize)| {
            format!("{}|{month}", months.account_id.get(row).map_or("", |account| self.id(account)))
        };
        Source::of("account_months", rows.iter().map(key).collect(), rows.iter().map(|row| row.0).collect(), text)
    }

    pub fn inflows(&self, fact: &str) -> Evidence {
        if let Some(none) = self.none() {
            return none;
        }
        let (subject, language) = (self.subject, self.subject.language);
        let months = &subject.tables().account_months;
        let rows: Vec<(Date, usize)> =
            self.months(fact).into_iter().filter(|&(_, row)| months.inflow.get(row).unwrap_or(0) > 0).collect();
        let complete = CompleteMonths::until(subject.as_of(), window_months(fact));
        let latest = Month::of(subject.as_of()).0;
        let in_window = (latest - window_months(fact).cast_signed()..=latest).map(Month);
        let in_window: Vec<Date> =
            in_window.map(Month::first_day).filter(|&first| complete.position(first).is_some()).collect();
        let without: Vec<String> = in_window
            .iter()
            .filter(|first| rows.iter().all(|(month, _)| month != *first))
            .map(|first| month_in_words(*first))
            .collect();
        let first = in_window.first().copied().map_or_else(String::new, month_in_words);
        let last = in_window.last().copied().map_or_else(String::new, month_in_words);
        let (ids, listed) = (self.ids(), language.list(&without));
        let text = match without.is_empty() {
            true => language.pick(
                format!("accounts {ids}: an inflow in every month {first} to {last}"),
                format!("账户{ids}：{first}至{last}各月均有转入"),
            ),
            false => language.pick(
                format!("accounts {ids}: months {first} to {last}, without an inflow {listed}"),
                format!("账户{ids}：{first}至{last}，无转入的月份：{listed}"),
            ),
        };
        Evidence::of(self.source(&rows, text))
    }

    pub fn balances(&self, fact: &str) -> Evidence {
        if let Some(none) = self.none() {
            return none;
        }
        let rows = self.months(fact);
        let language = self.subject.language;
        let (ids, count) = (self.ids(), rows.len());
        let first = rows.first().map_or_else(String::new, |row| month_in_words(row.0));
        let last = rows.last().map_or_else(String::new, |row| month_in_words(row.0));
        let text = match count {
            0 => language.pick(
                format!("accounts {ids}: no month row, which counts as nothing saved"),
                format!("账户{ids}：无月度数据，按0计"),
            ),
            _ => language.pick(
                format!("accounts {ids}: {count} month rows {first} to {last}"),
                format!("账户{ids}：{first}至{last}共{count}行月度数据"),
            ),
        };
        Evidence::of(self.source(&rows, text))
    }

    pub fn earliest(&self) -> Evidence {
        if let Some(none) = self.none() {
            return none;
        }
        let accounts = &self.subject.tables().accounts;
        let opened = self.accounts.iter().filter_map(|&account| Some((accounts.opened_on.get(account)?, account)));
        let Some((day, account)) = opened.min() else { return Evidence::default() };
        let (id, count) = (self.id(account), self.accounts.len());
        let text = self.subject.language.pick(
            format!("account {id} opened {day}, the earliest of {count}"),
            format!("账户{id}于{day}开立，为{count}个账户中最早"),
        );
        Evidence::of(Source::of("accounts", vec![id.into()], vec![day], text))
    }

    pub fn channels(&self) -> Evidence {
        if let Some(none) = self.none() {
            return none;
        }
        let (subject, language) = (self.subject, self.subject.language);
        let accounts = &subject.tables().accounts;
        let shown: Vec<String> = self
            .accounts
            .iter()
            .map(|&account| {
                let id = self.id(account);
                match accounts.closed_on.get(account).filter(|&day| day <= subject.as_of()) {
                    Some(closed) => language.pick(format!("{id} closed {closed}"), format!("{id}已于{closed}销户")),
                    None => language.noted(id, self.channels_of(account)),
                }
            })
            .collect();
        let days = self.accounts.iter().filter_map(|&account| accounts.opened_on.get(account)).collect();
        let keys = self.accounts.iter().map(|&account| self.id(account).into()).collect();
        Evidence::of(Source::of("accounts", keys, days, language.list(&shown)))
    }

    fn channels_of(&self, account: usize) -> String {
        let (subject, language) = (self.subject, self.subject.language);
        let accounts = &subject.tables().accounts;
        let words = subject.contracts.input("accounts").and_then(|contract| contract.column("product"));
        let product = accounts.product.get(account).map_or(usize::MAX, usize::from);
        let product = words.ok().and_then(|column| column.words.get(product)).map_or("", String::as_str);
        let mut shown = vec![language.word(PRODUCTS, product)];
        if accounts.has_mobile.get(account) == Some(true) {
            shown.push(language.pick("mobile", "手机银行").into());
        }
        if accounts.has_pos.get(account) == Some(true) {
            shown.push("POS".into());
        }
        shown.join(" + ")
    }
}

/// A month as people write it: `2026-06`.
fn month_in_words(first: Date) -> String {
    first.to_string().chars().take("2026-06".len()).collect()
}
