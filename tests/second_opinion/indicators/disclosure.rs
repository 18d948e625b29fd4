//! What must be suppressed on sight: counts of households that are too few, wherever they stand. A row that may also be
//! suppressed so that nothing is found by subtraction is `A or Q`; `settle` takes the published table's word for those,
//! and counts them, so that a test can say when too much is hidden.

use std::collections::{BTreeMap, BTreeSet};

use super::super::tables::Table;
use super::Row;
use super::figures::Value;

const EITHER: &str = "A or Q";

/// The rows of which the index is made.
const COMPONENTS: [&str; 3] = ["account_share", "granting_share", "village_service_share"];

/// Indicators whose values pass through roots, logarithms, angles or a difference of shares.
const INEXACT: [&str; 6] = [
    "credit_theil",
    "credit_theil_between",
    "growth_gap",
    "inclusion_index",
    "nearest_point_median_m",
    "nearest_point_p90_m",
];
const TOLERANCE: f64 = 1e-9;

/// Level, place, breakdown and name of a count.
type Count<'a> = (&'a str, &'a str, &'a str, &'static str);

/// The counts that stand in some row with too few, as themselves or as what is left of a denominator.
pub(super) fn primary<'a>(rows: &[Row<'a>], cell_min: i128) -> BTreeSet<Count<'a>> {
    let is_small = |count: i128| 0 < count && count < cell_min;
    let mut suppressed = BTreeSet::new();
    for row in rows {
        let figure = &row.figure;
        let small = figure.parts().filter(|part| part.households().is_some_and(is_small));
        let numerator = figure.numerator.filter(|_| figure.is_subset);
        let left_over = numerator.and_then(|numerator| {
            let left = figure.denominator?.households()? - numerator.households()?;
            is_small(left).then_some(numerator)
        });
        let names = small.chain(left_over).filter_map(|part| part.count_of);
        suppressed.extend(names.map(|name| (row.level, row.ref_id, row.breakdown, name)));
    }
    suppressed
}

pub(super) fn status(row: &Row, suppressed: &BTreeSet<Count>) -> &'static str {
    match row.figure.value {
        Value::NotCollected => return "L",
        Value::Impossible => return "M",
        Value::Is(_) => {}
    }
    let mut names = row.figure.parts().filter_map(|part| part.count_of);
    if names.any(|name| suppressed.contains(&(row.level, row.ref_id, row.breakdown, name))) {
        return "Q";
    }
    let is_counted = row.figure.parts().any(|part| part.households().is_some_and(|count| count >= 1));
    if is_counted || row.indicator.id == "inclusion_index" { EITHER } else { "A" }
}

/// An expected table after the published one was asked about what may be either.
#[allow(dead_code)] // For the tests outside.
pub struct Settled {
    pub expected: Table,
    /// Rows that count households and need not be suppressed for themselves.
    pub open: usize,
    /// Those of them that are suppressed all the same.
    pub hidden: usize,
}

#[allow(dead_code)] // For the tests outside.
pub fn settle(expected: &Table, actual: &Table) -> Settled {
    let key = |table: &Table, row: &[String], id: Option<&str>| -> Vec<String> {
        let cell = |column| table.cell(row, column).unwrap_or_default().to_string();
        let id = id.map_or_else(|| cell("indicator_id"), str::to_string);
        vec![id, cell("level"), cell("ref_id"), cell("breakdown")]
    };
    let published: BTreeMap<Vec<String>, &Vec<String>> =
        actual.rows.iter().map(|row| (key(actual, row, None), row)).collect();
    let is_hidden = |key: &Vec<String>| {
        let row = published.get(key);
        row.is_some_and(|row| actual.cell(row, "status") == Some("Q"))
    };
    let mut settled = Settled { expected: expected.clone(), open: 0, hidden: 0 };
    for row in &mut settled.expected.rows {
        let own_key = key(expected, row, None);
        let is_index = own_key[0] == "inclusion_index";
        if let Some(row_there) = published.get(&own_key).filter(|_| INEXACT.contains(&own_key[0].as_str())) {
            for column in ["value", "published_value"] {
                take_if_near(expected, row, column, actual.cell(row_there, column).unwrap_or_default());
            }
        }
        if expected.cell(row, "status") != Some(EITHER) {
            continue;
        }
        let is_suppressed = if is_index {
            COMPONENTS.iter().any(|component| is_hidden(&key(expected, row, Some(component))))
        } else {
            is_hidden(&own_key)
        };
        set(expected, row, "status", if is_suppressed { "Q" } else { "A" });
        if is_suppressed {
            set(expected, row, "published_value", "");
        }
        settled.open += usize::from(!is_index);
        settled.hidden += usize::from(!is_index && is_suppressed);
    }
    settled
}

fn set(table: &Table, row: &mut [String], column: &str, text: &str) {
    let place = table.columns.iter().position(|other| other == column);
    if let Some(cell) = place.and_then(|place| row.get_mut(place)) {
        *cell = text.to_string();
    }
}

/// Takes a published number that is as good as the expected one.
fn take_if_near(table: &Table, row: &mut [String], column: &str, there: &str) {
    let expected = table.cell(row, column).and_then(|cell| cell.parse::<f64>().ok());
    let is_near =
        |actual: f64| expected.is_some_and(|expected| (expected - actual).abs() <= TOLERANCE * expected.abs().max(1.0));
    if there.parse().is_ok_and(is_near) {
        set(table, row, column, there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 6]]) -> Table {
        let columns = ["indicator_id", "level", "ref_id", "breakdown", "status", "published_value"];
        let rows = rows.iter().map(|row| row.map(str::to_string).to_vec());
        Table::new("indicators", &columns, rows.collect())
    }

    #[test]
    fn what_may_be_either_is_as_it_was_published() {
        let expected = table(&[
            ["account_share", "bank", "bank", "all", "A or Q", "0.5"],
            ["credit_gini", "bank", "bank", "all", "A or Q", "0.25"],
            ["inclusion_index", "bank", "bank", "all", "A or Q", "0.5"],
            ["visiting_share", "bank", "bank", "all", "Q", ""],
        ]);
        let actual = table(&[
            ["account_share", "bank", "bank", "all", "Q", ""],
            ["credit_gini", "bank", "bank", "all", "A", "0.25"],
            ["inclusion_index", "bank", "bank", "all", "A", "0.5"],
            ["visiting_share", "bank", "bank", "all", "A", "0.5"],
        ]);
        let settled = settle(&expected, &actual);
        let statuses: Vec<&str> = settled.expected.rows.iter().map(|row| row[4].as_str()).collect();
        // The index hangs on a suppressed row, so it must be suppressed, whatever is published.
        assert_eq!(statuses, ["Q", "A", "Q", "Q"]);
        assert_eq!([settled.open, settled.hidden], [2, 1]);
        let values: Vec<&str> = settled.expected.rows.iter().map(|row| row[5].as_str()).collect();
        assert_eq!(values, ["", "0.25", "", ""]);
    }

    #[test]
    fn logarithms_may_differ_by_more_than_a_hair() {
        let row = |id, value| table(&[[id, "bank", "bank", "all", "A", value]]);
        let settled = |id| settle(&row(id, "0.5"), &row(id, "0.5000000001")).expected.rows[0][5].clone();
        assert_eq!([settled("credit_theil"), settled("profile_share")], ["0.5000000001", "0.5"]);
    }
}
