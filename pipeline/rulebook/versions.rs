//! A policy file: its name and its dated versions, each with the day it begins, the day somebody last checked it,
//! and the source of its values. One version at most is in force on a day.
//! Leaves the values of a version to the policy's own reader.

use super::sources::{SourceReference, Sources, Wording, wording};
use super::table::{File, Table};
use crate::calendar::Date;
use std::collections::BTreeMap;

/// Every version of one policy.
pub(super) struct Policy<T> {
    /// The file's name without `.toml`.
    pub(super) id: String,
    /// The file's path as the bank wrote it.
    pub(super) shown: String,
    pub(super) name: Wording,
    pub(super) versions: Vec<Version<T>>,
    /// False when a version could not be read; it then stands in no comparison with other policies.
    pub(super) is_whole: bool,
}

/// One version: from `valid_from` until the day before `valid_to`.
pub(super) struct Version<T> {
    pub(super) line: usize,
    pub(super) valid_from: Date,
    pub(super) valid_to: Option<Date>,
    pub(super) last_checked: Date,
    pub(super) source: SourceReference,
    pub(super) value_sources: BTreeMap<String, SourceReference>,
    pub(super) values: T,
}

impl<T> Policy<T> {
    pub(super) fn in_force(&self, date: Date) -> Option<&Version<T>> {
        self.versions.iter().find(|version| version.is_in_force(date))
    }

    /// The days after `date` on which a version begins.
    pub(super) fn begins_after(&self, date: Date) -> impl Iterator<Item = Date> {
        self.versions.iter().map(|version| version.valid_from).filter(move |begins| *begins > date)
    }
}

impl<T> Version<T> {
    pub(super) fn is_in_force(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|valid_to| date < valid_to)
    }
}

/// Reads a policy file, or notes why it cannot be read; `id` is what its `policy` key must say.
pub(super) fn read_policy<T>(
    file: File<'_>,
    id: &str,
    sources: &Sources,
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> Option<Policy<T>> {
    let document = file.parse()?;
    let top = Table::whole(file, &document);
    if let Some(declared) = top.text("policy")
        && declared != id
    {
        let hint = format!("write `policy = \"{id}\"`, or rename the file");
        top.fault("policy", &format!("the policy `{declared}` does not bear the name of its file"), &hint);
    }
    let name = wording(&top, "name");
    let tables = top.tables("versions");
    top.close();
    let tables = tables?;
    let dates: Vec<Option<Dates>> = tables.iter().map(read_dates).collect();
    check_order(&tables, &dates);
    let mut versions = Vec::new();
    for (table, dates) in tables.iter().zip(dates) {
        versions.extend(read_version(table, dates, sources, &read));
    }
    let is_whole = versions.len() == tables.len();
    Some(Policy { id: id.to_owned(), shown: file.shown.to_owned(), name: name?, versions, is_whole })
}

/// From when a version holds, and from when it no longer does.
#[derive(Clone, Copy)]
struct Dates {
    valid_from: Date,
    valid_to: Option<Date>,
}

fn read_dates(version: &Table<'_>) -> Option<Dates> {
    let valid_from = version.date("valid_from");
    let valid_to = if version.has("valid_to") { Some(version.date("valid_to")?) } else { None };
    let dates = Dates { valid_from: valid_from?, valid_to };
    if let Some(valid_to) = dates.valid_to.filter(|valid_to| *valid_to <= dates.valid_from) {
        let sentence = format!("`valid_to` {valid_to} is not after `valid_from` {}", dates.valid_from);
        version.fault("valid_to", &sentence, "valid_to is the first day on which the version no longer holds");
    }
    Some(dates)
}

/// Versions stand in date order, and each has ended when the next begins.
fn check_order(tables: &[Table<'_>], dates: &[Option<Dates>]) {
    let known: Vec<_> = tables.iter().zip(dates).filter_map(|(table, dates)| Some((table, (*dates)?))).collect();
    for (earlier, later) in known.iter().zip(known.iter().skip(1)) {
        let ((earlier_table, earlier), (later_table, later)) = (earlier, later);
        let (begins, begun) = (later.valid_from, earlier.valid_from);
        if begins <= begun {
            let sentence = format!("the version valid from {begins} stands after the one valid from {begun}");
            later_table.fault("valid_from", &sentence, "write versions in date order, oldest first, one for each day");
        } else if earlier.valid_to.is_none_or(|ends| begins < ends) {
            let line = earlier_table.line();
            let sentence =
                format!("the version valid from {begins} overlaps the one on line {line}, which still holds");
            let hint = format!("end the version on line {line} with `valid_to = {begins}`");
            later_table.fault("valid_from", &sentence, &hint);
        }
    }
}

fn read_version<T>(
    version: &Table<'_>,
    dates: Option<Dates>,
    sources: &Sources,
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> Option<Version<T>> {
    let last_checked = version.date("last_checked");
    let source = sources.reference(version, "source");
    let values = read(version);
    let value_sources = read_value_sources(version, sources);
    version.close();
    let dates = dates?;
    Some(Version {
        line: version.line(),
        valid_from: dates.valid_from,
        valid_to: dates.valid_to,
        last_checked: last_checked?,
        source: source?,
        value_sources: value_sources?,
        values: values?,
    })
}

/// The sources of single values, by the key of the value.
fn read_value_sources(version: &Table<'_>, sources: &Sources) -> Option<BTreeMap<String, SourceReference>> {
    let mut references = BTreeMap::new();
    if !version.has("value_sources") {
        return Some(references);
    }
    let entries = version.table("value_sources")?;
    let values: Vec<String> = version.keys().into_iter().filter(|key| !HEADER.contains(&key.as_str())).collect();
    let mut is_whole = true;
    for key in entries.keys() {
        if !values.contains(&key) {
            let hint = format!("the values of this version are {}", values.join(", "));
            entries.fault(&key, &format!("`{key}` is no value of this version, so it has no source"), &hint);
        }
        match sources.reference(&entries, &key) {
            Some(reference) => drop(references.insert(key, reference)),
            None => is_whole = false,
        }
    }
    is_whole.then_some(references)
}

/// The keys of a version that are not values of its policy.
const HEADER: &[&str] = &["valid_from", "valid_to", "last_checked", "source", "value_sources"];
