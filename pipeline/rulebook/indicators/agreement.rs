//! What must hold between indicators on one day: an index is made of indicators that are there at all its levels, and
//! two indicators that share a numerator say in their ids which denominator each has. Leaves single files to the reader.

use super::{Definition, Kind, Level};
use crate::calendar::Date;
use crate::rulebook::findings::Findings;
use crate::rulebook::versions::{Policy, Version};
use std::collections::BTreeSet;

/// One indicator as its file has it on a day.
struct Entry<'p> {
    id: &'p str,
    shown: &'p str,
    version: &'p Version<Definition>,
}

/// Checks the as-of date and every later day on which a definition begins.
pub(in crate::rulebook) fn check(policies: &[&Policy<Definition>], as_of: Date, findings: &Findings) {
    let mut dates = BTreeSet::from([as_of]);
    dates.extend(policies.iter().flat_map(|policy| policy.begins_after(as_of)));
    for date in dates {
        let entries: Vec<Entry> = policies
            .iter()
            .filter_map(|policy| {
                let id = crate::rulebook::last_name(&policy.id);
                Some(Entry { id, shown: &policy.shown, version: policy.in_force(date)? })
            })
            .collect();
        for entry in &entries {
            check_components(entry, &entries, date, findings);
        }
        check_denominators(&entries, findings);
    }
}

fn check_components(entry: &Entry<'_>, entries: &[Entry<'_>], date: Date, findings: &Findings) {
    let Kind::Index(components) = &entry.version.values.kind else { return };
    for component in components {
        let fault = |sentence: String, hint: &str| findings.at(entry.shown, entry.version.line, &sentence, hint);
        let Some(found) = entries.iter().find(|other| other.id == component.indicator) else {
            let sentence = format!("there is no indicator `{}` in force on {date}", component.indicator);
            fault(sentence, "an index is made of ratios of the catalogue");
            continue;
        };
        if !matches!(found.version.values.kind, Kind::Ratio(_)) {
            let sentence = format!("`{}` is no ratio", component.indicator);
            fault(sentence, "an index is made of ratios of the catalogue");
        }
        let levels = &found.version.values.levels;
        if let Some(level) = entry.version.values.levels.iter().find(|level| !levels.contains(level)) {
            let known: Vec<&str> = levels.iter().copied().map(Level::name).collect();
            let sentence = format!("`{}` has no level `{}`", component.indicator, level.name());
            fault(sentence, &format!("its levels are {}", known.join(", ")));
        }
    }
}

fn check_denominators(entries: &[Entry<'_>], findings: &Findings) {
    let ratios = entries.iter().filter_map(|entry| match &entry.version.values.kind {
        Kind::Ratio(ratio) => Some((entry, ratio)),
        _ => None,
    });
    let ratios: Vec<_> = ratios.collect();
    for (entry, ratio) in &ratios {
        let is_other = |(_, other): &&(&Entry<'_>, &super::Ratio)| {
            other.numerator.is_same_measure(&ratio.numerator) && !other.denominator.is_same_measure(&ratio.denominator)
        };
        let denominator = &ratio.denominator.id;
        if let Some((other, _)) = ratios.iter().find(is_other)
            && !entry.id.contains(denominator.as_str())
        {
            let sentence = format!(
                "`{}` has the numerator of `{}` over another denominator, and its id does not say which",
                entry.id, other.id
            );
            let hint = format!("put the id of its denominator, `{denominator}`, into its own");
            findings.at(entry.shown, entry.version.line, &sentence, &hint);
        }
    }
}
