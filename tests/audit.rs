//! The audit must be able to fail: for every check of an output table one cell of a sound night is changed, and just that
//! check has to notice. What a failed audit does to a run is looked at in `command_line` and `nights`.

mod pieces;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use wellfield::audit::{self, Allowance, Allowed, AuditRow, Audited};
use wellfield::calendar::Date;
use wellfield::clean;
use wellfield::contract::Contracts;
use wellfield::night::{self, Night};
use wellfield::outputs::OutputTable;
use wellfield::previous::{Previous, PreviousHousehold};
use wellfield::read::bank::Bank;
use wellfield::read::published::MadeFrom;
use wellfield::regulator::{self, Vintage};
use wellfield::rulebook::{FACTS, Rulebook, RulebookPlace};
use wellfield::watch::Watch;

use crate::support::repository;

/// A check, and the cell whose change it must notice. Of the rows the first is taken in which `only` says so.
struct Tampering {
    check: &'static str,
    table: &'static str,
    column: &'static str,
    only: Option<(&'static str, &'static str)>,
    change: Change,
}

#[derive(Clone, Copy)]
enum Change {
    OneMore,
    Huge,
    Share(f64),
    Text(&'static str),
    Lie,
    /// A number where there was none.
    Show,
}

const fn tampering(check: &'static str, table: &'static str, column: &'static str, change: Change) -> Tampering {
    Tampering { check, table, column, only: None, change }
}

/// The table of what leaves the bank, as tamperings name it.
const RELEASED: &str = "regulator/indicators";

const TAMPERINGS: [Tampering; 34] = [
    tampering("key_unique", "grid_coverage", "grid_id", Change::Text("ZZZ")),
    tampering("every_household_once", "household_grades", "household_id", Change::Text("A")),
    tampering("every_household_once", "grant_limits", "household_id", Change::Text("A")),
    Tampering {
        only: Some(("is_missing", "false")),
        ..tampering("points_sum_to_score", "scorecard_points", "points", Change::OneMore)
    },
    tampering("every_household_once", "scorecard_points", "household_id", Change::Text("A")),
    tampering("limit_within_caps", "grant_limits", "suggested_limit", Change::Huge),
    Tampering {
        only: Some(("limit_held", "false")),
        ..tampering("limit_in_steps", "grant_limits", "suggested_limit", Change::OneMore)
    },
    Tampering {
        only: Some(("model_grade", "D")),
        ..tampering("vetoed_without_limit", "grant_limits", "suggested_limit", Change::Huge)
    },
    tampering("final_limit_within_cap", "grant_limits", "final_limit", Change::Huge),
    tampering("share_in_bounds", "household_facts", "on_time_share_24m", Change::Share(1.01)),
    tampering("share_in_bounds", "branch_coverage", "profile_share", Change::Share(-0.01)),
    tampering("share_in_bounds", "village_ratings", "credit_share", Change::Share(f64::NAN)),
    tampering("every_household_counted", "grid_coverage", "households", Change::OneMore),
    tampering("coverage_adds_up", "branch_coverage", "white", Change::OneMore),
    tampering("coverage_adds_up", "branch_coverage", "grids", Change::OneMore),
    tampering("coverage_adds_up", "area_coverage", "granted", Change::OneMore),
    Tampering {
        only: Some(("segment", "rural")),
        ..tampering("segments_add_up", "branch_coverage", "drawn", Change::OneMore)
    },
    Tampering {
        only: Some(("segment", "resident")),
        ..tampering("segments_add_up", "area_coverage", "profile_gap", Change::OneMore)
    },
    tampering("points_sum_to_score", "officer_assessments", "filing_points", Change::OneMore),
    tampering("notice_is_allowed", "public_notice", "masked_name", Change::Text("李明＊")),
    tampering("notice_is_allowed", "public_notice", "final_grade", Change::Text("AAAA")),
    Tampering {
        only: Some(("household_id", "H-OVERRIDE")),
        ..tampering("notice_is_allowed", "household_grades", "notice_consent", Change::Lie)
    },
    Tampering {
        only: Some(("level", "branch")),
        ..tampering("every_place_has_its_rows", "indicators", "ref_id", Change::Text("B-OTHER"))
    },
    tampering("value_of_its_parts", "indicators", "value", Change::Share(0.123)),
    tampering("value_of_its_parts", "indicators", "numerator", Change::OneMore),
    tampering("value_of_its_parts", "indicators", "denominator", Change::Huge),
    Tampering {
        only: Some(("indicator_id", "unsecured_share")),
        ..tampering("parts_add_up", "indicators", "numerator", Change::OneMore)
    },
    Tampering {
        only: Some(("level", "township")),
        ..tampering("parts_add_up", "indicators", "denominator", Change::OneMore)
    },
    Tampering {
        only: Some(("breakdown", "rural")),
        ..tampering("parts_add_up", "indicators", "numerator", Change::OneMore)
    },
    tampering("status_fits_value", "indicators", "published_value", Change::Share(0.5)),
    Tampering {
        only: Some(("status", "A")),
        ..tampering("status_fits_value", "indicators", "status", Change::Text("M"))
    },
    Tampering {
        only: Some(("status", "Q")),
        ..tampering("status_fits_value", "indicators", "status", Change::Text("A"))
    },
    Tampering {
        only: Some(("OBS_STATUS", "Q")),
        ..tampering("nothing_withheld_can_be_found", RELEASED, "NUMERATOR", Change::Show)
    },
    tampering("nothing_withheld_can_be_found", RELEASED, "INDICATOR", Change::Text("other_share")),
];

#[test]
fn every_check_of_the_outputs_can_fail() {
    let contracts = Contracts::built_in().unwrap();
    let as_of = Date::parse("2026-06-30").unwrap();
    let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
    let bank = Bank::open(&repository().join("sample-data/bank"), &contracts).unwrap();
    let cleaned = clean::clean(&bank, &contracts, as_of).unwrap();
    let previous = Previous::default();
    let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut Watch::new(&mut |_| ())).unwrap();
    let mut outputs = night.outputs(&previous, &rulebook, &contracts).unwrap();
    let vintage =
        Vintage { bank: "sample", as_of, run_id: "0123456789abcdef0123", sequence: 1, made_from: &MadeFrom::default() };
    let tables = &night.cleaned.tables;
    let export =
        regulator::export(&night.indicators(&rulebook), tables, &rulebook, &contracts, &vintage, None).unwrap();
    outputs.push(OutputTable { name: RELEASED.into(), batch: export.table.batch });
    let failed = |outputs: &[OutputTable]| failed(&night, outputs, &rulebook, &contracts);
    assert_eq!(failed(&outputs), BTreeSet::new());
    let mut tried = BTreeSet::new();
    for tampering in &TAMPERINGS {
        let tampered: Vec<OutputTable> = outputs.iter().map(|output| tamper(output, tampering)).collect();
        let found = failed(&tampered);
        // Beside `every_household_counted` a grid with one more household breaks the sums above it.
        let wanted = found.iter().any(|(check, _)| check == tampering.check);
        assert!(wanted, "{} does not notice {}.{}: {found:?}", tampering.check, tampering.table, tampering.column);
        tried.insert(tampering.check.to_string());
    }
    let of_inputs = ["set_aside_share", "rows_add_up", "newest_row_age"].map(String::from);
    tried.extend(of_inputs);
    let all: BTreeSet<String> =
        audited(&night, &outputs, &rulebook, &contracts).into_iter().map(|row| row.check).collect();
    assert_eq!(all, tried, "a check that nobody has tried to break");
}

/// What the feed of a bank may be wrong in, and the option that lets it pass; each with the tables that it is about.
#[test]
fn every_check_of_the_feed_can_fail_and_be_allowed() {
    let contracts = Contracts::built_in().unwrap();
    let as_of = Date::parse("2026-12-31").unwrap();
    let rulebook = Rulebook::load(&RulebookPlace::BuiltIn, as_of, FACTS).unwrap();
    let bank = Bank::open(&repository().join("sample-data/bank"), &contracts).unwrap();
    let mut cleaned = clean::clean(&bank, &contracts, as_of).unwrap();
    let counts = cleaned.counts.get_mut("peer_reviews").unwrap();
    (counts.accepted, counts.set_aside) = (counts.accepted - 100, 100);
    let ten_times =
        |table: &str, accepted: u64| (table.to_string(), if table == "loans" { accepted / 10 } else { accepted });
    let accepted = cleaned.counts.iter().map(|(table, counts)| ten_times(table, counts.accepted)).collect();
    let one = PreviousHousehold {
        household_id: "H".into(),
        model_grade: "A".into(),
        suggested_limit: 0,
        noticed_grade: None,
    };
    let households = vec![one; 2000];
    let previous = Previous { run_id: Some("earlier".into()), accepted, households, ..Previous::default() };
    let night = night::rate(cleaned, &previous, &rulebook, &contracts, &mut Watch::new(&mut |_| ())).unwrap();
    let outputs = night.outputs(&previous, &rulebook, &contracts).unwrap();
    let vintage =
        Vintage { bank: "sample", as_of, run_id: "0123456789abcdef0123", sequence: 1, made_from: &MadeFrom::default() };
    let (indicators, tables) = (night.indicators(&rulebook), &night.cleaned.tables);
    let export = regulator::export(&indicators, tables, &rulebook, &contracts, &vintage, None).unwrap();
    let (cleaned, outputs, released) = (&night.cleaned, outputs.as_slice(), &export.table.batch);
    let audited = Audited { cleaned, outputs, previous: &previous, rulebook: &rulebook, contracts: &contracts };
    let failing = |allowed: &Allowed| {
        let rows = audit::audit(&audited, released, allowed).unwrap();
        let failed = rows.into_iter().filter(|row| !row.passed && !row.allowed);
        failed.map(|row| format!("{} {}", row.check, row.table)).collect::<Vec<_>>()
    };
    let wanted = [
        (Allowance::Quarantine, vec!["set_aside_share peer_reviews"]),
        (Allowance::Change, vec!["rows_against_previous households", "rows_against_previous loans"]),
        (
            Allowance::Stale,
            vec!["newest_row_age account_months", "newest_row_age loan_months", "newest_row_age visits"],
        ),
    ];
    let all: Vec<&str> = wanted.iter().flat_map(|(_, failures)| failures.clone()).collect();
    assert_eq!(failing(&Allowed::default()), all);
    for (allowance, failures) in &wanted {
        let mut allowed = Allowed::default();
        allowed.add(*allowance, &["all".to_string()]);
        let left: Vec<&str> = all.iter().filter(|failure| !failures.contains(failure)).copied().collect();
        assert_eq!(failing(&allowed), left, "{allowance:?}");
    }
    let mut allowed = Allowed::default();
    allowed.add(Allowance::Change, &["loans".to_string()]);
    assert_eq!(failing(&allowed).len(), all.len() - 1, "one table alone can be allowed");
}

/// The checks that fail, and their tables.
fn failed(
    night: &Night,
    outputs: &[OutputTable],
    rulebook: &Rulebook,
    contracts: &Contracts,
) -> BTreeSet<(String, String)> {
    let rows = audited(night, outputs, rulebook, contracts);
    rows.into_iter().filter(|row| !row.passed).map(|row| (row.check, row.table)).collect()
}

/// Every check of the output tables, the last of which is what leaves the bank.
fn audited(night: &Night, outputs: &[OutputTable], rulebook: &Rulebook, contracts: &Contracts) -> Vec<AuditRow> {
    let (released, outputs) = outputs.split_last().unwrap();
    let (cleaned, released, previous) = (&night.cleaned, &released.batch, &Previous::default());
    let audited = Audited { cleaned, outputs, previous, rulebook, contracts };
    audit::audit(&audited, released, &Allowed::default()).unwrap()
}

fn tamper(output: &OutputTable, tampering: &Tampering) -> OutputTable {
    if output.name != tampering.table {
        return output.clone();
    }
    let batch = &as_text(&output.batch);
    let position = batch.schema().index_of(tampering.column).unwrap();
    let row = (0..batch.num_rows()).find(|&row| is_meant(batch, row, tampering)).expect("such a row is there");
    let mut columns = batch.columns().to_vec();
    columns[position] = changed(&columns[position], row, tampering.change);
    let fields: Vec<_> =
        batch.schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let schema = arrow::datatypes::Schema::new(fields);
    OutputTable { name: output.name.clone(), batch: RecordBatch::try_new(Arc::new(schema), columns).unwrap() }
}

/// Text that is coded, so that one row of it can be changed.
fn as_text(batch: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match column.data_type() {
        DataType::Dictionary(_, texts) => (field.name().clone(), arrow::compute::cast(column, texts).unwrap(), true),
        _ => (field.name().clone(), Arc::clone(column), true),
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn is_meant(batch: &RecordBatch, row: usize, tampering: &Tampering) -> bool {
    let is_shown = matches!(tampering.change, Change::Show);
    let has_value = batch.column_by_name(tampering.column).unwrap().is_valid(row) != is_shown;
    let is_asked_for = tampering.only.is_none_or(|(column, value)| {
        let cell = arrow::util::display::array_value_to_string(batch.column_by_name(column).unwrap(), row);
        cell.unwrap() == value
    });
    has_value && is_asked_for
}

fn changed(column: &ArrayRef, at: usize, change: Change) -> ArrayRef {
    let more = match change {
        Change::Huge => 1_000_000_000_i64,
        _ => 1,
    };
    match column.data_type() {
        DataType::Int64 => {
            let values = column.as_primitive::<Int64Type>().iter().enumerate();
            Arc::new(
                values
                    .map(|(row, value)| if row == at { value.map(|value| value + more) } else { value })
                    .collect::<Int64Array>(),
            )
        }
        DataType::Decimal128(precision, scale) => {
            let values = column.as_primitive::<Decimal128Type>().iter().enumerate();
            let changed = |value: Option<i128>| match change {
                Change::Show => Some(i128::from(more)),
                _ => value.map(|value| value + i128::from(more)),
            };
            let values = values.map(|(row, value)| if row == at { changed(value) } else { value });
            Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::Float64 => {
            let Change::Share(share) = change else { panic!("a share is changed to a share") };
            let values = column.as_primitive::<Float64Type>().iter().enumerate();
            Arc::new(values.map(|(row, value)| if row == at { Some(share) } else { value }).collect::<Float64Array>())
        }
        DataType::Utf8 => {
            let Change::Text(text) = change else { panic!("a text is changed to a text") };
            let values = column.as_string::<i32>().iter().enumerate();
            Arc::new(values.map(|(row, value)| if row == at { Some(text) } else { value }).collect::<StringArray>())
        }
        DataType::Boolean => {
            let values = column.as_boolean().iter().enumerate();
            Arc::new(
                values
                    .map(|(row, value)| if row == at { value.map(|value| !value) } else { value })
                    .collect::<BooleanArray>(),
            )
        }
        other => panic!("no change of {other} is known"),
    }
}
