//! The rows behind each fact of one household, with their dates. One file per subject, as in the facts stage; the
//! windows are those of the catalogue of facts, and a test holds the rows against the measured values.
//! Measures nothing itself.

mod accounts;
mod loans;
mod neighbours;
mod outside;
mod profile;
mod visited;

use serde::Serialize;

use crate::calendar::{Date, Window};
use crate::clean::typed::{References, Rows as _};
use crate::fault::{Error, Result};
use crate::rulebook::FACTS;

use super::Subject;
use super::figures::Figure;

use accounts::AccountRows;
use loans::LoanRows;

pub use profile::empty_fields;

/// Rows of one input table that a fact was measured from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// An input table, or `household_facts` for a fact that is made of other facts.
    pub table: &'static str,
    pub rows: usize,
    /// Keys of the rows, values joined by `|`; empty for peer reviews, which are not to be traced to their reviewers.
    pub keys: Vec<String>,
    /// Dates of the earliest and the latest of the rows.
    pub first: Option<String>,
    pub last: Option<String>,
    pub text: String,
}

/// What stands behind one fact.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub sources: Vec<Source>,
    /// Why there is no value, or nothing behind it or behind a part of it.
    pub remarks: Vec<String>,
}

impl Evidence {
    fn of(source: Source) -> Evidence {
        Evidence { sources: vec![source], remarks: Vec::new() }
    }

    fn remark(text: impl Into<String>) -> Evidence {
        Evidence { sources: Vec::new(), remarks: vec![text.into()] }
    }

    /// The same with more rows behind it.
    fn and(mut self, other: Evidence) -> Evidence {
        self.sources.extend(other.sources);
        self.remarks.extend(other.remarks);
        self
    }
}

impl Source {
    fn of(table: &'static str, keys: Vec<String>, mut days: Vec<Date>, text: String) -> Source {
        days.sort_unstable();
        Source {
            table,
            rows: keys.len(),
            keys,
            first: days.first().map(ToString::to_string),
            last: days.last().map(ToString::to_string),
            text,
        }
    }
}

/// The household's rows in the tables that facts read.
pub struct Gathered<'a> {
    subject: &'a Subject<'a>,
    loans: LoanRows<'a>,
    accounts: AccountRows<'a>,
    /// The row of the profile.
    profile: Option<usize>,
}

impl<'a> Gathered<'a> {
    pub fn of(subject: &'a Subject<'a>) -> Result<Gathered<'a>> {
        Ok(Gathered {
            subject,
            loans: LoanRows::of(subject)?,
            accounts: AccountRows::of(subject),
            profile: profile::latest(subject),
        })
    }

    /// The rows behind one fact.
    pub fn behind(&self, fact: &str) -> Result<Evidence> {
        let subject = self.subject;
        Ok(match fact {
            "instalments_due_24m" | "on_time_share_24m" => self.loans.repayment(fact),
            "delay_days_max_24m" => self.loans.delay(fact),
            "own_outstanding" | "own_unsecured_outstanding" | "own_bad_outstanding" | "days_past_due_now" => {
                self.loans.standing(fact)
            }
            "risk_class_worst_12m" => self.loans.risk_class(fact),
            "outside_outstanding" | "outside_guarantees" | "outside_overdue_count_24m" | "outside_monthly_payment" => {
                outside::report(subject)
            }
            "net_income" => self.net_income(),
            "net_income_per_member" => self.net_income().and(self.member_count()),
            "debt_service_12m" => self.loans.ahead().and(outside::monthly_payment(subject)),
            "debt_service_share" => self.debt_service_share(),
            "labour_share" => profile::fields(subject, self.profile, &["labour_count"]).and(self.member_count()),
            "inflow_months_12m" => self.accounts.inflows(fact),
            "net_assets" | "debt_to_assets" => {
                profile::fields(subject, self.profile, &["total_assets", "total_liabilities"])
            }
            "deposit_average_12m" => self.accounts.balances(fact),
            "relationship_months" => self.accounts.earliest(),
            "channel_count" => self.accounts.channels(),
            "conduct_points_12m" | "conduct_vetoes_12m" => neighbours::conduct(subject, fact)?,
            "conduct_points_per_member_12m" => neighbours::conduct(subject, fact)?.and(self.member_count()),
            "peer_review_count" | "peer_score" | "peer_vetoes" => neighbours::peers(subject, fact),
            "profile_age_days" => profile::fields(subject, self.profile, &[]),
            "profile_completeness" => profile::completeness(subject, self.profile),
            "valid_visits_12m" => visited::counted(subject, fact)?,
            "days_since_valid_visit" => visited::latest(subject, fact)?,
            other => return Err(Error::internal(format!("nothing is said of where fact `{other}` comes from"))),
        })
    }

    fn net_income(&self) -> Evidence {
        profile::fields(self.subject, self.profile, &["annual_income", "annual_operating_cost"])
    }

    /// The household's own row, for figures per member.
    fn member_count(&self) -> Evidence {
        let subject = self.subject;
        let households = &subject.tables().households;
        let members = households.member_count.get(subject.row()).unwrap_or(1);
        let valid_from = households.valid_from.get(subject.row());
        let since = valid_from.map_or_else(String::new, |day| day.to_string());
        let text = subject.language.pick(
            format!("{members} members by the register of households, row valid from {since}"),
            format!("户登记人口{members}人，该行自{since}起有效"),
        );
        let keys = vec![format!("{}|{since}", subject.id())];
        Evidence::of(Source::of("households", keys, valid_from.into_iter().collect(), text))
    }

    fn debt_service_share(&self) -> Evidence {
        let subject = self.subject;
        let shown = |fact: &str| subject.value(fact).map(|value| Figure::of(fact, value).to_string());
        let unknown = subject.language.pick("not known", "未知");
        let (service, income) = (shown("debt_service_12m"), shown("net_income"));
        let (service, income) = (service.as_deref().unwrap_or(unknown), income.as_deref().unwrap_or(unknown));
        let text = subject.language.pick(
            format!("debt_service_12m {service} / net_income {income}"),
            format!("年偿债支出 {service} / 净收入 {income}"),
        );
        let mut found = Evidence::of(Source::of("household_facts", vec![subject.id().into()], Vec::new(), text));
        if subject.value("debt_service_share").is_none() {
            let remark = subject.language.pick("no net income above 0 is known", "无已知的正净收入");
            found.remarks.push(remark.into());
        }
        found
    }
}

/// The window that a fact looks back over.
fn window(subject: &Subject, fact: &str) -> Window {
    Window::months_to(subject.as_of(), window_months(fact))
}

fn window_months(fact: &str) -> u32 {
    FACTS.iter().find(|known| known.name == fact).and_then(|known| known.window_months).unwrap_or(0)
}

/// The same window in words: its first and last day.
fn window_in_words(subject: &Subject, fact: &str) -> String {
    let (first, last) = (Date(subject.as_of().months_earlier(window_months(fact)).0 + 1), subject.as_of());
    span(subject, Some(first), Some(last))
}

/// Two days as people read them.
fn span(subject: &Subject, first: Option<Date>, last: Option<Date>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => subject.language.pick(format!("{first} to {last}"), format!("{first}至{last}")),
        _ => String::new(),
    }
}

/// Rows of a table that refer to a position.
fn rows_of(references: &References, rows: usize, position: usize) -> Vec<usize> {
    (0..rows).filter(|&row| references.get(row) == Some(position)).collect()
}

/// The remark for a table that the bank does not export.
fn absent(subject: &Subject, table: &str) -> Evidence {
    Evidence::remark(subject.language.pick(format!("the bank has no table `{table}`"), format!("本行无表 `{table}`")))
}
