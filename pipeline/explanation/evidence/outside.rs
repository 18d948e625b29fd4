//! What the household owes elsewhere: the latest report within the window.
//! Every figure of it is shown at once, so that the four facts that it gives can be seen together.

use crate::calendar::Date;
use crate::clean::typed::{OutsideDebts, Rows as _};
use crate::explanation::Subject;
use crate::explanation::figures::Amount;

use super::{Evidence, Source, absent, rows_of, window, window_in_words};

/// The fact whose window says how old a report may be.
const REPORTED: &str = "outside_outstanding";

pub fn report(subject: &Subject) -> Evidence {
    with_text(subject, |subject, debts, row, day| {
        let money = |cents: Option<i64>| Amount(i128::from(cents.unwrap_or(0)));
        let (owed, guaranteed) = (money(debts.outstanding.get(row)), money(debts.guarantee_outstanding.get(row)));
        let (monthly, overdue) = (money(debts.monthly_payment.get(row)), debts.overdue_count_24m.get(row).unwrap_or(0));
        subject.language.pick(
            format!(
                "report of {day}: outstanding {owed}, guarantees {guaranteed}, monthly {monthly}, overdue {overdue}"
            ),
            format!("{day}报告：余额{owed}，对外担保{guaranteed}，月还款{monthly}，逾期{overdue}次"),
        )
    })
}

/// The part of the debt service that is paid elsewhere.
pub fn monthly_payment(subject: &Subject) -> Evidence {
    with_text(subject, |subject, debts, row, day| {
        let monthly = Amount(i128::from(debts.monthly_payment.get(row).unwrap_or(0)));
        subject
            .language
            .pick(format!("12 × {monthly} a month by the report of {day}"), format!("{day}报告：12 × 月还款{monthly}"))
    })
}

type InWords = fn(&Subject, &OutsideDebts, usize, Date) -> String;

fn with_text(subject: &Subject, text: InWords) -> Evidence {
    let Some(debts) = &subject.tables().outside_debts else { return absent(subject, "outside_debts") };
    let window = window(subject, REPORTED);
    let rows = rows_of(&debts.household_id, debts.rows, subject.position).into_iter();
    let dated = rows.filter_map(|row| Some((debts.reported_on.get(row).filter(|&day| window.contains(day))?, row)));
    let Some((day, row)) = dated.max_by_key(|dated| dated.0) else {
        let window = window_in_words(subject, REPORTED);
        return Evidence::remark(
            subject.language.pick(format!("no report of {window}"), format!("{window}期间无征信报告")),
        );
    };
    let keys = vec![format!("{}|{day}", subject.id())];
    Evidence::of(Source::of("outside_debts", keys, vec![day], text(subject, debts, row, day)))
}
