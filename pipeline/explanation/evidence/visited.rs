//! Visits to the household: which counted, and why the others did not.
//! Whether a visit is valid is the finding of the visits stage.

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::explanation::Subject;
use crate::visits::{Flag, Flags};

use super::{Evidence, Source, absent, span, window, window_in_words};

/// One evaluated visit to the household.
#[derive(Clone, Copy)]
struct Visit {
    day: Date,
    row: usize,
    flags: Flags,
    /// Made in a grid of the household's present branch.
    is_own_branch: bool,
}

impl Visit {
    fn counts(&self) -> bool {
        self.flags.is_valid() && self.is_own_branch
    }
}

/// The evaluated visits of a fact's window, by day.
fn visits(subject: &Subject, fact: &str) -> Vec<Visit> {
    let (visits, checks) = (&subject.tables().visits, &subject.night.checks);
    let (window, branch) = (window(subject, fact), subject.night.register.branch(subject.number));
    let evaluated = checks.rows.iter().zip(&checks.flags).zip(checks.branches.iter().zip(&checks.days));
    let mut found: Vec<Visit> = evaluated
        .map(|((&row, &flags), (&made_in, &day))| Visit {
            day,
            row: row as usize,
            flags,
            is_own_branch: made_in as usize == branch,
        })
        .filter(|visit| window.contains(visit.day))
        .filter(|visit| visits.household_id.get(visit.row) == Some(subject.position))
        .collect();
    found.sort_by_key(|visit| (visit.day, visit.row));
    found
}

fn none(subject: &Subject, fact: &str) -> Evidence {
    if !subject.has_table("visits") {
        return absent(subject, "visits");
    }
    let window = window_in_words(subject, fact);
    Evidence::remark(subject.language.pick(format!("no visit {window}"), format!("{window}期间无走访")))
}

pub fn counted(subject: &Subject, fact: &str) -> Evidence {
    let visits = visits(subject, fact);
    if visits.is_empty() {
        return none(subject, fact);
    }
    let language = subject.language;
    let not: Vec<String> = visits.iter().filter(|visit| !visit.counts()).map(|visit| why_not(subject, visit)).collect();
    let made = span(subject, visits.first().map(|visit| visit.day), visits.last().map(|visit| visit.day));
    let (count, valid) = (visits.len(), visits.len() - not.len());
    let listed = language.list(&not);
    let text = match not.is_empty() {
        true => language.pick(format!("{count} visits {made}, all count"), format!("{made}走访{count}次，均有效")),
        false => language.pick(
            format!("{count} visits {made}, {valid} count; not: {listed}"),
            format!("{made}走访{count}次，有效{valid}次；无效：{listed}"),
        ),
    };
    Evidence::of(source(subject, &visits, text))
}

/// The latest visit that counts.
pub fn latest(subject: &Subject, fact: &str) -> Evidence {
    let visits = visits(subject, fact);
    let language = subject.language;
    let Some(latest) = visits.iter().rev().find(|visit| visit.counts()) else {
        if visits.is_empty() {
            return none(subject, fact);
        }
        let (window, count) = (window_in_words(subject, fact), visits.len());
        return Evidence::remark(
            language.pick(
                format!("none of the {count} visits {window} counts"),
                format!("{window}期间{count}次走访均无效"),
            ),
        );
    };
    let (id, day) = (subject.tables().visits.visit_id.text(latest.row), latest.day);
    let text = language.pick(format!("visit {id} on {day}"), format!("{day}走访{id}"));
    Evidence::of(source(subject, &[*latest], text))
}

fn source(subject: &Subject, visits: &[Visit], text: String) -> Source {
    let keys = visits.iter().map(|visit| subject.tables().visits.visit_id.text(visit.row).into()).collect();
    Source::of("visits", keys, visits.iter().map(|visit| visit.day).collect(), text)
}

/// A visit that does not count, with the flags that make it invalid.
fn why_not(subject: &Subject, visit: &Visit) -> String {
    let id = subject.tables().visits.visit_id.text(visit.row);
    let flags = visit.flags.iter().filter(|flag| flag.invalidates()).map(Flag::name);
    let mut why: Vec<&str> = flags.collect();
    if !visit.is_own_branch {
        why.push(subject.language.pick("in a grid of another branch", "非现属网点的网格"));
    }
    subject.language.noted(format!("{id} {}", visit.day), why.join(", "))
}
