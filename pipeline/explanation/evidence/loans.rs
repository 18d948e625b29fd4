//! Loans, their month rows and their instalments: what repayment, standing and debt service were measured from.
//! A loan is told by its identifier, and every instalment by its due day.

use crate::calendar::{Date, Window};
use crate::clean::typed::Rows as _;
use crate::explanation::Subject;
use crate::explanation::figures::Amount;
use crate::explanation::words::RISK_CLASSES;
use crate::fault::Result;

use super::{Evidence, Source, absent, rows_of, span, window, window_in_words};

/// Months ahead in which instalments make up `debt_service_12m`.
const MONTHS_AHEAD: u32 = 12;

pub struct LoanRows<'a> {
    subject: &'a Subject<'a>,
    /// The household's known loans.
    loans: Vec<usize>,
    /// Month rows of these loans.
    months: Vec<usize>,
    credit: u8,
    substandard: u8,
    risk_classes: &'a [String],
}

/// One instalment that counts.
struct Counted {
    row: usize,
    loan: usize,
    due_on: Date,
    paid_on: Option<Date>,
    /// The day up to which it is late: of payment, or while unpaid the as-of date or the loan's end.
    until: Date,
}

impl<'a> LoanRows<'a> {
    pub fn of(subject: &'a Subject<'a>) -> Result<LoanRows<'a>> {
        let tables = subject.tables();
        let loans = rows_of(&tables.loans.household_id, tables.loans.rows, subject.position);
        let is_its = |row: &usize| tables.loan_months.loan_id.get(*row).is_some_and(|loan| loans.contains(&loan));
        let classes = subject.contracts.input("loan_months")?;
        Ok(LoanRows {
            subject,
            months: (0..tables.loan_months.rows).filter(is_its).collect(),
            loans,
            credit: subject.contracts.input("loans")?.word_code("guarantee", "credit")?,
            substandard: classes.word_code("risk_class", "substandard")?,
            risk_classes: &classes.column("risk_class")?.words,
        })
    }

    fn id(&self, loan: usize) -> &'a str {
        self.subject.tables().loans.loan_id.text(loan)
    }

    /// The loans of some rows, each once.
    fn in_words(&self, loans: impl Iterator<Item = usize>) -> String {
        let mut ids: Vec<&str> = loans.map(|loan| self.id(loan)).collect();
        ids.sort_unstable();
        ids.dedup();
        let listed = self.subject.language.list(&ids);
        let loans = if ids.len() == 1 { "loan" } else { "loans" };
        self.subject.language.pick(format!("{loans} {listed}"), format!("贷款{listed}"))
    }

    fn closed_by(&self, loan: usize) -> Option<Date> {
        self.subject.tables().loans.closed_on.get(loan).filter(|&day| day <= self.subject.as_of())
    }

    /// The instalments that count in a fact, by due day.
    fn counted(&self, fact: &str) -> Vec<Counted> {
        let Some(instalments) = &self.subject.tables().instalments else { return Vec::new() };
        let (window, as_of) = (window(self.subject, fact), self.subject.as_of());
        let mut counted: Vec<Counted> = (0..instalments.rows)
            .filter_map(|row| {
                let loan = instalments.loan_id.get(row).filter(|loan| self.loans.contains(loan))?;
                let due_on = instalments.due_on.get(row).filter(|&day| window.contains(day))?;
                let closed_on = self.closed_by(loan);
                let paid_on = instalments.paid_on.get(row).filter(|&day| day <= as_of);
                let until = paid_on.or(closed_on).unwrap_or(as_of);
                closed_on.is_none_or(|closed| due_on <= closed).then_some(Counted { row, loan, due_on, paid_on, until })
            })
            .collect();
        counted.sort_by_key(|counted| (counted.due_on, counted.row));
        counted
    }

    fn key(&self, counted: &Counted) -> String {
        format!("{}|{}", self.id(counted.loan), counted.due_on)
    }

    /// Why there is nothing to count, or the instalments that count.
    fn counted_or_why(&self, fact: &str) -> std::result::Result<Vec<Counted>, Evidence> {
        let subject = self.subject;
        if subject.tables().instalments.is_none() {
            return Err(absent(subject, "instalments"));
        }
        let counted = self.counted(fact);
        if counted.is_empty() {
            let window = window_in_words(subject, fact);
            return Err(Evidence::remark(subject.language.pick(
                format!("no instalment of its loans fell due {window}"),
                format!("{window}期间名下贷款无到期期数"),
            )));
        }
        Ok(counted)
    }

    pub fn repayment(&self, fact: &str) -> Evidence {
        let counted = match self.counted_or_why(fact) {
            Ok(counted) => counted,
            Err(why) => return why,
        };
        let language = self.subject.language;
        let late: Vec<String> = counted
            .iter()
            .filter(|counted| counted.paid_on.is_none_or(|paid| paid > counted.due_on))
            .map(|counted| self.late_in_words(counted))
            .collect();
        let due = span(self.subject, counted.first().map(|first| first.due_on), counted.last().map(|last| last.due_on));
        let loans = self.in_words(counted.iter().map(|counted| counted.loan));
        let (count, late_count, listed) = (counted.len(), late.len(), language.list(&late));
        let (colon, late_count) = if late.is_empty() { ("", 0) } else { (language.pick(": ", "："), late_count) };
        let text = language.pick(
            format!("{count} instalments due {due} of {loans}; {late_count} not paid on time{colon}{listed}"),
            format!("{loans}于{due}到期{count}期；未按时还清{late_count}期{colon}{listed}"),
        );
        let keys = counted.iter().map(|counted| self.key(counted)).collect();
        Evidence::of(Source::of("instalments", keys, counted.iter().map(|counted| counted.due_on).collect(), text))
    }

    fn late_in_words(&self, counted: &Counted) -> String {
        let (loan, due, days) = (self.id(counted.loan), counted.due_on, counted.until.0 - counted.due_on.0);
        let language = self.subject.language;
        match counted.paid_on {
            Some(paid) => language.pick(
                format!("{loan} due {due} paid {paid} ({days} days)"),
                format!("{loan}应还日{due}、还清日{paid}（{days}天）"),
            ),
            None => language.pick(
                format!("{loan} due {due} not paid by {} ({days} days)", counted.until),
                format!("{loan}应还日{due}、至{}未还清（{days}天）", counted.until),
            ),
        }
    }

    /// The instalment with the greatest delay.
    pub fn delay(&self, fact: &str) -> Evidence {
        let counted = match self.counted_or_why(fact) {
            Ok(counted) => counted,
            Err(why) => return why,
        };
        let language = self.subject.language;
        let worst = counted.iter().rev().max_by_key(|counted| counted.until.0 - counted.due_on.0);
        let (count, worst) = (counted.len(), worst.filter(|worst| worst.until > worst.due_on));
        let text = match worst {
            Some(worst) => {
                let words = self.late_in_words(worst);
                language.pick(format!("the worst of {count} instalments: {words}"), format!("{count}期中最长：{words}"))
            }
            None => language.pick(format!("none of {count} instalments was late"), format!("{count}期均未拖欠")),
        };
        let shown: Vec<&Counted> = worst.map_or_else(|| counted.iter().collect(), |worst| vec![worst]);
        let keys = shown.iter().map(|counted| self.key(counted)).collect();
        Evidence::of(Source::of("instalments", keys, shown.iter().map(|counted| counted.due_on).collect(), text))
    }

    /// The latest known month row of a loan.
    fn latest_month(&self, loan: usize) -> Option<usize> {
        let months = &self.subject.tables().loan_months;
        let own = self.months.iter().copied().filter(|&row| months.loan_id.get(row) == Some(loan));
        own.max_by_key(|&row| months.month_end.get(row))
    }

    /// Open loans, each by its latest month row or by its principal.
    pub fn standing(&self, fact: &str) -> Evidence {
        let (subject, language) = (self.subject, self.subject.language);
        let (loans, months) = (&subject.tables().loans, &subject.tables().loan_months);
        let is_bad = |row: usize| months.risk_class.get(row).is_some_and(|class| class >= self.substandard);
        let counts = |loan: usize, latest: Option<usize>| match fact {
            "own_unsecured_outstanding" => loans.guarantee.get(loan) == Some(self.credit),
            "own_bad_outstanding" => latest.is_some_and(is_bad),
            _ => true,
        };
        let open = self.loans.iter().filter(|&&loan| self.closed_by(loan).is_none());
        let open: Vec<_> =
            open.map(|&loan| (loan, self.latest_month(loan))).filter(|&(loan, row)| counts(loan, row)).collect();
        if open.is_empty() {
            let remark = match fact {
                "own_unsecured_outstanding" => language.pick("no open unsecured loan", "无存续信用贷款"),
                "own_bad_outstanding" => language.pick("no open loan of a bad class", "无不良分类的存续贷款"),
                _ => language.pick("no open loan", "无存续贷款"),
            };
            return Evidence::remark(remark);
        }
        let (by_month, by_principal): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, row)| row.is_some());
        let by_month = by_month.into_iter().filter_map(|(loan, row)| Some((loan, row?))).collect::<Vec<_>>();
        let mut found = Evidence::default();
        if !by_month.is_empty() {
            found.sources.push(self.month_source(fact, &by_month));
        }
        if !by_principal.is_empty() {
            let principals: Vec<usize> = by_principal.into_iter().map(|(loan, _)| loan).collect();
            found.sources.push(self.principal_source(&principals));
        }
        found
    }

    fn month_source(&self, fact: &str, rows: &[(usize, usize)]) -> Source {
        let (months, language) = (&self.subject.tables().loan_months, self.subject.language);
        let shown: Vec<String> = rows
            .iter()
            .map(|&(loan, row)| {
                let (id, end) = (self.id(loan), months.month_end.get(row).unwrap_or(Date(0)));
                let owed = Amount(i128::from(months.outstanding.get(row).unwrap_or(0)));
                let days = months.days_past_due.get(row).unwrap_or(0);
                match fact {
                    "days_past_due_now" => language
                        .pick(format!("loan {id} at {end}: {days} days"), format!("贷款{id}于{end}逾期{days}天")),
                    "own_bad_outstanding" => {
                        let class = self.class_in_words(row);
                        language.pick(
                            format!("loan {id} at {end}: {owed}, {class}"),
                            format!("贷款{id}于{end}余额{owed}、{class}"),
                        )
                    }
                    _ => language.pick(format!("loan {id} at {end}: {owed}"), format!("贷款{id}于{end}余额{owed}")),
                }
            })
            .collect();
        let keys = rows.iter().map(|&(_, row)| self.month_key(row)).collect();
        let days = rows.iter().filter_map(|&(_, row)| months.month_end.get(row)).collect();
        Source::of("loan_months", keys, days, language.list(&shown))
    }

    fn principal_source(&self, rows: &[usize]) -> Source {
        let (loans, language) = (&self.subject.tables().loans, self.subject.language);
        let shown: Vec<String> = rows
            .iter()
            .map(|&loan| {
                let principal = Amount(i128::from(loans.principal.get(loan).unwrap_or(0)));
                let (id, day) = (self.id(loan), loans.disbursed_on.get(loan).unwrap_or(Date(0)));
                language.pick(
                    format!("loan {id} of {day}: principal {principal}, no month end known yet"),
                    format!("{day}发放的贷款{id}：本金{principal}，尚无月末数据"),
                )
            })
            .collect();
        let days = rows.iter().filter_map(|&loan| loans.disbursed_on.get(loan)).collect();
        Source::of("loans", rows.iter().map(|&loan| self.id(loan).into()).collect(), days, language.list(&shown))
    }

    fn month_key(&self, row: usize) -> String {
        let months = &self.subject.tables().loan_months;
        let loan = months.loan_id.get(row).map_or("", |loan| self.id(loan));
        format!("{loan}|{}", months.month_end.get(row).map_or_else(String::new, |day| day.to_string()))
    }

    fn class_in_words(&self, row: usize) -> String {
        let class = self.subject.tables().loan_months.risk_class.get(row).map_or(usize::MAX, usize::from);
        let word = self.risk_classes.get(class).map_or("", String::as_str);
        self.subject.language.word(RISK_CLASSES, word)
    }

    /// Month rows of the window, and which of them is the worst.
    pub fn risk_class(&self, fact: &str) -> Evidence {
        let (subject, language) = (self.subject, self.subject.language);
        let (months, window) = (&subject.tables().loan_months, window(subject, fact));
        let in_window = |row: &usize| months.month_end.get(*row).is_some_and(|end| window.contains(end));
        let mut rows: Vec<usize> = self.months.iter().copied().filter(in_window).collect();
        rows.sort_by_key(|&row| months.month_end.get(row));
        let Some(worst) = rows.iter().copied().rev().max_by_key(|&row| months.risk_class.get(row)) else {
            let window = window_in_words(subject, fact);
            return Evidence::remark(language.pick(
                format!("no month end of its loans is known for {window}"),
                format!("{window}期间无贷款月末数据"),
            ));
        };
        let day = |row: usize| months.month_end.get(row);
        let (count, loans) = (rows.len(), self.in_words(rows.iter().filter_map(|&row| months.loan_id.get(row))));
        let ends = span(subject, rows.first().and_then(|&row| day(row)), rows.last().and_then(|&row| day(row)));
        let class = self.class_in_words(worst);
        let loan = months.loan_id.get(worst).map_or("", |loan| self.id(loan));
        let end = day(worst).map_or_else(String::new, |day| day.to_string());
        let text = language.pick(
            format!("{count} month ends {ends} of {loans}; the worst, {class}, loan {loan} at {end}"),
            format!("{loans}于{ends}共{count}个月末；最差为{class}：贷款{loan}，{end}"),
        );
        let keys = rows.iter().map(|&row| self.month_key(row)).collect();
        Evidence::of(Source::of("loan_months", keys, rows.iter().filter_map(|&row| day(row)).collect(), text))
    }

    /// Instalments of open loans that fall due ahead and are not paid.
    pub fn ahead(&self) -> Evidence {
        let (subject, language) = (self.subject, self.subject.language);
        let Some(instalments) = &subject.tables().instalments else { return absent(subject, "instalments") };
        let window = Window::months_from(subject.as_of(), MONTHS_AHEAD);
        let mut rows: Vec<(Date, usize, usize)> = (0..instalments.rows)
            .filter_map(|row| {
                let loan = instalments.loan_id.get(row).filter(|loan| self.loans.contains(loan))?;
                let due_on = instalments.due_on.get(row).filter(|&day| window.contains(day))?;
                let is_paid = instalments.paid_on.get(row).is_some_and(|day| day <= subject.as_of());
                (self.closed_by(loan).is_none() && !is_paid).then_some((due_on, loan, row))
            })
            .collect();
        rows.sort_unstable();
        let last = subject.as_of().months_later(MONTHS_AHEAD);
        if rows.is_empty() {
            return Evidence::remark(language.pick(
                format!("no instalment of an open loan is due by {last}"),
                format!("至{last}无存续贷款的待还期数"),
            ));
        }
        let due = span(subject, rows.first().map(|row| row.0), rows.last().map(|row| row.0));
        let (count, loans) = (rows.len(), self.in_words(rows.iter().map(|row| row.1)));
        let text = language.pick(
            format!("{count} instalments ahead, due {due}, of {loans}"),
            format!("存续{loans}于{due}待还{count}期"),
        );
        let keys = rows.iter().map(|&(due_on, loan, _)| format!("{}|{due_on}", self.id(loan))).collect();
        Evidence::of(Source::of("instalments", keys, rows.iter().map(|row| row.0).collect(), text))
    }
}
