//! What a vintage changes against the one before of the same as-of date: old figure, new figure, and what the two runs
//! were made from otherwise. Only figures that were or are published stand here.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array, RecordBatch};

use crate::contract::Contract;
use crate::fault::Result;
use crate::outputs::{batch, text};
use crate::read::published::{EarlierVintage, MadeFrom, Observation};

use super::Vintage;
use super::table::{parts, values};

/// One key whose figures differ; None on the side that has no such row.
struct Revision<'a> {
    old: Option<&'a Observation>,
    new: Option<&'a Observation>,
    cause: String,
}

/// Indicator, place, breakdown: the key of a row, and the order of revisions.
type Key<'a> = (&'a str, &'a str, &'a str);

/// `revisions.csv`; without an earlier vintage its headings only.
pub(super) fn revisions(
    observations: &[Observation],
    vintage: &Vintage,
    earlier: Option<&EarlierVintage>,
    contract: &Contract,
) -> Result<RecordBatch> {
    let found = earlier.map_or_else(Vec::new, |earlier| differences(earlier, observations, vintage.made_from));
    let rows = found.len();
    let (old_run, old_vintage) = earlier.map_or(("", 0), |earlier| (earlier.run_id.as_str(), earlier.sequence));
    let key = |of: fn(&Observation) -> &str| text(found.iter().map(|revision| revision.new.or(revision.old).map(of)));
    let old = |of: fn(&Observation) -> &str| text(found.iter().map(|revision| revision.old.map(of)));
    let new = |of: fn(&Observation) -> &str| text(found.iter().map(|revision| revision.new.map(of)));
    let old_part = |of: fn(&Observation) -> Option<i128>| parts(found.iter().map(|revision| revision.old.and_then(of)));
    let new_part = |of: fn(&Observation) -> Option<i128>| parts(found.iter().map(|revision| revision.new.and_then(of)));
    let number = |sequence: u64| Arc::new(Int64Array::from_value(sequence.cast_signed(), rows));
    let columns = vec![
        key(|row| &row.ref_area),
        key(|row| &row.indicator),
        key(|row| &row.breakdown),
        Arc::new(Date32Array::from_value(vintage.as_of.0, rows)),
        values(found.iter().map(|revision| revision.old.map(|row| row.value))),
        values(found.iter().map(|revision| revision.new.map(|row| row.value))),
        old_part(|row| row.numerator)?,
        new_part(|row| row.numerator)?,
        old_part(|row| row.denominator)?,
        new_part(|row| row.denominator)?,
        old(|row| &row.status),
        new(|row| &row.status),
        old(|row| &row.version),
        new(|row| &row.version),
        number(old_vintage),
        number(vintage.sequence),
        text(std::iter::repeat_n(Some(old_run), rows)),
        text(std::iter::repeat_n(Some(vintage.run_id), rows)),
        text(found.iter().map(|revision| Some(revision.cause.as_str()))),
    ];
    batch(contract, columns)
}

/// Every key that differs, in its order.
fn differences<'a>(earlier: &'a EarlierVintage, now: &'a [Observation], made_from: &MadeFrom) -> Vec<Revision<'a>> {
    let mut sides: BTreeMap<Key, (Option<&Observation>, Option<&Observation>)> = BTreeMap::new();
    earlier.observations.iter().for_each(|row| sides.entry(key(row)).or_default().0 = Some(row));
    now.iter().for_each(|row| sides.entry(key(row)).or_default().1 = Some(row));
    let mut causes = BTreeMap::new();
    let differing = sides.into_iter().filter(|(_, (old, new))| old != new);
    let revision = |((indicator, ..), (old, new)): (Key<'a>, _)| {
        let cause = causes.entry(indicator).or_insert_with(|| cause(&earlier.made_from, made_from, indicator));
        Revision { old, new, cause: cause.clone() }
    };
    differing.map(revision).collect()
}

fn key(row: &Observation) -> Key<'_> {
    (&row.indicator, &row.ref_area, &row.breakdown)
}

/// What differs between two runs, for one indicator. A rulebook whose digest differs because of this very definition is
/// no further cause.
fn cause(old: &MadeFrom, new: &MadeFrom, indicator: &str) -> String {
    let is_redefined = old.definitions.get(indicator) != new.definitions.get(indicator);
    let has_other_inputs = old.inputs != new.inputs || old.bank_digest != new.bank_digest;
    let causes = [
        ("definition", is_redefined),
        ("inputs", has_other_inputs),
        ("rulebook", old.rulebook_digest != new.rulebook_digest && !is_redefined),
        ("previous_run", old.previous_run != new.previous_run),
        ("program", old.program_version != new.program_version),
    ];
    let causes: Vec<&str> = causes.into_iter().filter(|(_, differs)| *differs).map(|(cause, _)| cause).collect();
    causes.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Date;
    use crate::contract::Contracts;
    use crate::read::ReadFile;
    use crate::regulator::csv;

    fn observation(indicator: &str, ref_area: &str, value: Option<f64>, numerator: i128) -> Observation {
        Observation {
            ref_area: ref_area.into(),
            indicator: indicator.into(),
            breakdown: "all".into(),
            status: if value.is_some() { "A" } else { "Q" }.into(),
            version: "1".into(),
            value,
            numerator: value.map(|_| numerator * 10_000),
            denominator: Some(80_000),
        }
    }

    fn made_from() -> MadeFrom {
        MadeFrom {
            program_version: "1".into(),
            rulebook_digest: "r".into(),
            definitions: [("granting_share".to_string(), "d".to_string())].into(),
            previous_run: None,
            bank_digest: "b".into(),
            inputs: vec![ReadFile {
                table: "loans".into(),
                path: "loans.csv".into(),
                bytes: 1,
                digest: "i".into(),
                written_ns: None,
                stayed: None,
            }],
        }
    }

    fn written(observations: &[Observation], now: &MadeFrom, earlier: Option<&EarlierVintage>) -> String {
        let as_of = Date::parse("2026-06-30").unwrap();
        let vintage = Vintage { bank: "B", as_of, run_id: "new", sequence: 3, made_from: now };
        let contracts = Contracts::built_in().unwrap();
        let batch = revisions(observations, &vintage, earlier, contracts.regulator("revisions").unwrap()).unwrap();
        String::from_utf8(csv::file("revisions.csv", &batch).unwrap().bytes).unwrap()
    }

    const HEADINGS: &str = "REF_AREA,INDICATOR,BREAKDOWN,TIME_PERIOD,OLD_VALUE,NEW_VALUE,OLD_NUMERATOR,NEW_NUMERATOR,\
                            OLD_DENOMINATOR,NEW_DENOMINATOR,OLD_STATUS,NEW_STATUS,OLD_VERSION,NEW_VERSION,OLD_VINTAGE,\
                            NEW_VINTAGE,OLD_RUN,NEW_RUN,CAUSE";

    #[test]
    fn a_first_vintage_revises_nothing() {
        let rows = [observation("granting_share", "bank", Some(0.5), 4)];
        assert_eq!(written(&rows, &made_from(), None), format!("{HEADINGS}\r\n"));
    }

    #[test]
    fn what_differs_is_new_or_gone_is_listed_in_the_order_of_the_key() {
        let observations = vec![
            observation("granting_share", "bank", Some(0.5), 4),
            observation("granting_share", "gone", None, 1),
            observation("granting_share", "same", None, 7),
        ];
        let earlier = EarlierVintage { run_id: "old".into(), sequence: 2, made_from: made_from(), observations };
        let now = MadeFrom { bank_digest: "c".into(), ..made_from() };
        let rows = [
            observation("granting_share", "new", Some(1.0), 8),
            observation("granting_share", "same", None, 7),
            observation("granting_share", "bank", None, 3),
        ];
        let expected = [
            HEADINGS,
            "bank,granting_share,all,2026-06-30,0.5,NaN,4,,8,8,A,Q,1,1,2,3,old,new,inputs",
            "gone,granting_share,all,2026-06-30,NaN,,,,8,,Q,,1,,2,3,old,new,inputs",
            "new,granting_share,all,2026-06-30,,1,,8,,8,,A,,1,2,3,old,new,inputs",
            "",
        ];
        assert_eq!(written(&rows, &now, Some(&earlier)), expected.join("\r\n"));
    }

    #[test]
    fn every_cause_is_told_in_its_order() {
        let old = made_from();
        let now = |change: fn(&mut MadeFrom)| {
            let mut now = made_from();
            change(&mut now);
            cause(&old, &now, "granting_share")
        };
        let redefine = |now: &mut MadeFrom| {
            now.rulebook_digest = "other".into();
            now.definitions.insert("granting_share".into(), "other".into());
        };
        assert_eq!(now(redefine), "definition", "the rulebook differs by the definition itself");
        assert_eq!(now(|now| now.inputs.clear()), "inputs");
        assert_eq!(now(|now| now.inputs[0].digest = "other".into()), "inputs");
        assert_eq!(now(|now| now.bank_digest = "other".into()), "inputs", "`bank.toml` says how inputs are read");
        assert_eq!(now(|now| now.rulebook_digest = "other".into()), "rulebook");
        assert_eq!(now(|now| now.previous_run = Some("run".into())), "previous_run");
        assert_eq!(now(|now| now.program_version = "2".into()), "program");
        let all = MadeFrom { program_version: "2".into(), previous_run: Some("run".into()), ..MadeFrom::default() };
        assert_eq!(cause(&old, &all, "granting_share"), "definition|inputs|previous_run|program");
        assert_eq!(cause(&old, &all, "account_share"), "inputs|rulebook|previous_run|program");
    }
}
