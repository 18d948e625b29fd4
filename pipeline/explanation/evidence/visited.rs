//! Visits to the household: which counted, and why the others did not.
//! Whether a visit is valid is the finding of the visits stage.

use crate::calendar::{Date, day_of};
use crate::clean::typed::Rows as _;
use crate::explanation::Subject;
use crate::fault::Result;
use crate::visits::{CheckedVisits, Flag, Flags};

use super::{Evidence, Source, absent, span, window, window_in_words};

/// One evaluated visit to the household.
#[derive(Clone)]
struct Visit {
    day: Date,
    id: String,
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
fn visits(subject: &Subject, fact: &str) -> Result<Vec<Visit>> {
    let (checks, grids) = (&subject.night.checks, &subject.tables().grids);
    let (window, branch) = (window(subject, fact), subject.night.register.branch(subject.number));
    let mut found: Vec<(Date, u32, Visit)> = Vec::new();
    for part in 0..checks.parts() {
        let CheckedVisits { visits, numbers, flags } = checks.part(part)?;
        for (row, (&number, &flags)) in numbers.iter().zip(&flags).enumerate() {
            let day = day_of(visits.started_at.value(row));
            if visits.household(row) == Some(subject.position) && window.contains(day) {
                let is_own_branch = grids.branch_id.get(visits.grids.value(row) as usize) == Some(branch);
                found.push((day, number, Visit { day, id: visits.ids.value(row).to_string(), flags, is_own_branch }));
            }
        }
    }
    found.sort_by_key(|(day, number, _)| (*day, *number));
    Ok(found.into_iter().map(|(_, _, visit)| visit).collect())
}

fn none(subject: &Subject, fact: &str) -> Evidence {
    if !subject.has_table("visits") {
        return absent(subject, "visits");
    }
    let window = window_in_words(subject, fact);
    Evidence::remark(subject.language.pick(format!("no visit {window}"), format!("{window}期间无走访")))
}

pub fn counted(subject: &Subject, fact: &str) -> Result<Evidence> {
    let visits = visits(subject, fact)?;
    if visits.is_empty() {
        return Ok(none(subject, fact));
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
    Ok(Evidence::of(source(&visits, text)))
}

/// The latest visit that counts.
pub fn latest(subject: &Subject, fact: &str) -> Result<Evidence> {
    let visits = visits(subject, fact)?;
    let language = subject.language;
    let Some(latest) = visits.iter().rev().find(|visit| visit.counts()) else {
        if visits.is_empty() {
            return Ok(none(subject, fact));
        }
        let (window, count) = (window_in_words(subject, fact), visits.len());
        let (en, zh) =
            (format!("none of the {count} visits {window} counts"), format!("{window}期间{count}次走访均无效"));
        return Ok(Evidence::remark(language.pick(en, zh)));
    };
    let (id, day) = (&latest.id, latest.day);
    let text = language.pick(format!("visit {id} on {day}"), format!("{day}走访{id}"));
    Ok(Evidence::of(source(std::slice::from_ref(latest), text)))
}

fn source(visits: &[Visit], text: String) -> Source {
    let keys = visits.iter().map(|visit| visit.id.clone()).collect();
    Source::of("visits", keys, visits.iter().map(|visit| visit.day).collect(), text)
}

/// A visit that does not count, with the flags that make it invalid.
fn why_not(subject: &Subject, visit: &Visit) -> String {
    let flags = visit.flags.iter().filter(|flag| flag.invalidates()).map(Flag::name);
    let mut why: Vec<&str> = flags.collect();
    if !visit.is_own_branch {
        why.push(subject.language.pick("in a grid of another branch", "非现属网点的网格"));
    }
    subject.language.noted(format!("{} {}", visit.id, visit.day), why.join(", "))
}
