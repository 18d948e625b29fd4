//! The same numbers in every file of `regulator/`: the CSV cell by cell as Parquet and as workbook, and what the bank
//! itself keeps behind them. Shares are their numerators over their denominators; parts add up to the bank's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx, open_workbook};

use super::disclosure::{AS_OF, received, sample_night};
use super::publication::{Publication, Row, UNITS, records, units};
use crate::second_opinion::Table;
use crate::support::{files_below, published};

/// Sheets of the workbook begin with the dimension's word.
const DIMENSIONS: [&str; 5] = ["usage", "access", "quality", "equity", "timeliness"];
/// Rows of headings, English and Chinese.
const HEADINGS: usize = 2;

const FILES: [&str; 5] = ["indicators.csv", "indicators.parquet", "indicators.xlsx", "ref_areas.csv", "revisions.csv"];

#[test]
fn nothing_else_leaves_the_bank() {
    let (_runs, night) = sample_night(AS_OF);
    let folder = night.join("regulator");
    let files = files_below(&folder, &|_| true);
    assert_eq!(files, FILES.map(|name| folder.join(name)));
}

#[test]
fn the_parquet_file_holds_what_the_csv_holds() {
    let (_runs, night) = sample_night(AS_OF);
    let folder = night.join("regulator");
    let table = published::table(&folder, "indicators");
    let csv = records(&std::fs::read(folder.join("indicators.csv")).unwrap());
    assert_eq!(table.rows.len(), csv.len());
    for (row, record) in table.rows.iter().zip(&csv) {
        for (column, cell) in table.columns.iter().zip(row) {
            let text = record.cell(column);
            let is_equal = match column.as_str() {
                "OBS_VALUE" if cell.is_empty() => text == "NaN",
                "OBS_VALUE" => cell == "NaN" && text == "NaN" || cell.parse::<f64>() == text.parse::<f64>(),
                "NUMERATOR" | "DENOMINATOR" => units(cell) == units(text),
                _ => cell == text,
            };
            assert!(is_equal, "{column}: `{cell}` in Parquet, `{text}` in CSV: {row:?}");
        }
    }
    let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let header = std::fs::read_to_string(folder.join("indicators.csv")).unwrap();
    assert_eq!(header.lines().next().unwrap(), columns.join(","));
}

#[test]
fn the_workbook_holds_what_the_csv_holds() {
    let (_runs, night) = sample_night(AS_OF);
    let publication = received(&night);
    let mut rows = workbook_rows(&night.join("regulator/indicators.xlsx"));
    assert_eq!(rows.len(), publication.rows.len());
    for row in &publication.rows {
        let key = [row.indicator.clone(), row.ref_area.clone(), row.breakdown.clone()];
        let cells = rows.remove(&key).unwrap_or_else(|| panic!("{key:?} is not in the workbook"));
        compare(row, &cells, &publication);
    }
}

/// Rows of the sheets of dimensions, their cells by the English heading; key indicator, area or branch, breakdown.
fn workbook_rows(path: &Path) -> BTreeMap<[String; 3], BTreeMap<String, Data>> {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let mut rows = BTreeMap::new();
    for sheet in workbook.sheet_names() {
        if !DIMENSIONS.iter().any(|dimension| sheet.starts_with(&format!("{dimension} "))) {
            continue;
        }
        let range = workbook.worksheet_range(&sheet).unwrap();
        let headings: Vec<String> = range.rows().next().unwrap().iter().map(ToString::to_string).collect();
        for row in range.rows().skip(HEADINGS) {
            let cells: BTreeMap<String, Data> = headings.iter().cloned().zip(row.iter().cloned()).collect();
            let key = ["indicator", "ref area", "breakdown"].map(|heading| cells[heading].to_string());
            assert!(rows.insert(key.clone(), cells).is_none(), "{key:?} stands twice in the workbook");
        }
    }
    rows
}

fn compare(row: &Row, cells: &BTreeMap<String, Data>, publication: &Publication) {
    let text = |heading: &str| cells[heading].to_string();
    let number = |heading: &str| match &cells[heading] {
        Data::Empty => None,
        Data::String(text) if text.is_empty() => None,
        other => Some(other.to_string().parse::<f64>().unwrap_or_else(|_| panic!("{row:?}: {heading} is {other}"))),
    };
    match row.value {
        Some(value) => assert!(is_close(number("value").unwrap(), value, 1e-14), "{row:?}: {:?}", cells["value"]),
        // On which side of its target a value lies would say much about it.
        None => assert_eq!([text("value"), text("met")], [row.status.as_str(), ""], "{row:?}"),
    }
    for (heading, units) in [("numerator", row.numerator), ("denominator", row.denominator)] {
        let expected = units.map(|units| units as f64 / UNITS as f64);
        let is_equal = match (number(heading), expected) {
            (Some(one), Some(other)) => is_close(one, other, 1e-14),
            (one, other) => one.is_none() && other.is_none(),
        };
        assert!(is_equal, "{row:?}: {heading} is {:?}", cells[heading]);
    }
    assert_eq!(text("status"), row.status, "{row:?}");
    assert_eq!(text("unit"), row.unit, "{row:?}");
    assert_eq!(text("version"), row.version, "{row:?}");
    assert_eq!(text("level"), publication.level(&row.ref_area), "{row:?}");
}

fn is_close(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance * one.abs().max(other.abs())
}

#[test]
fn the_workbook_defines_every_indicator() {
    let (_runs, night) = sample_night(AS_OF);
    let used: BTreeSet<String> = received(&night).rows.into_iter().map(|row| row.indicator).collect();
    assert_eq!(defined(&night.join("regulator/indicators.xlsx")), used);
}

/// The indicators of the sheet of definitions.
pub fn defined(path: &Path) -> BTreeSet<String> {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let sheets = workbook.sheet_names();
    let sheet = sheets.iter().find(|sheet| sheet.starts_with("definitions")).expect("there is a sheet of definitions");
    let range = workbook.worksheet_range(sheet).unwrap();
    range.rows().skip(HEADINGS).map(|row| row[0].to_string()).collect()
}

/// The factor by which a value's unit is larger than its parts'.
fn factor(unit: &str) -> f64 {
    match unit {
        "share" | "currency" | "customers" => 1.0,
        "per_1000_households" | "per_1000_km2" => 1_000.0,
        "per_10000_adults" => 10_000.0,
        other => panic!("no value with two parts is in `{other}`"),
    }
}

#[test]
fn shares_of_the_bank_are_their_numerators_over_their_denominators() {
    let (_runs, night) = sample_night(AS_OF);
    let mut checked = BTreeSet::new();
    for row in received(&night).rows.iter().filter(|row| row.ref_area == "bank") {
        let (Some(value), Some(numerator), Some(denominator)) = (row.value, row.numerator, row.denominator) else {
            continue;
        };
        let expected = numerator as f64 / denominator as f64 * factor(&row.unit);
        // Interest has more digits than a published part; a value is taken before rounding.
        let tolerance = if row.indicator == "average_rate" { 1e-9 } else { 1e-14 };
        assert!(is_close(value, expected, tolerance), "{row:?} must be {expected}");
        checked.insert(row.indicator.clone());
    }
    assert!(checked.len() > 30, "too few indicators have two parts: {checked:?}");
}

/// Loans of nobody's grid stand in no area, so that areas together hold at most what the bank holds.
const OF_LOANS: [&str; 12] = [
    "agricultural_balance",
    "agricultural_growth",
    "agricultural_small_share",
    "all_balance",
    "all_growth",
    "average_rate",
    "bad_loan_share",
    "inclusive_bad_loan_share",
    "inclusive_small_balance",
    "inclusive_small_customers",
    "inclusive_small_growth",
    "growth_gap",
];
/// Numerators that may be below 0 (now − before): nothing is said of how their sum compares when rows are left out.
const CHANGES: [&str; 3] = ["agricultural_growth", "all_growth", "inclusive_small_growth"];

#[test]
fn parts_add_up_to_the_bank() {
    let (_runs, night) = sample_night(AS_OF);
    let publication = received(&night);
    let table = published::table(&night, "indicators");
    let tops: BTreeSet<&str> = publication
        .areas
        .iter()
        .filter(|area| {
            area.level != "branch" && publication.areas.iter().any(|top| top.level == "bank" && top.code == area.parent)
        })
        .map(|area| area.code.as_str())
        .collect();
    assert!(!tops.is_empty());
    let (mut over_branches, mut over_areas) = (BTreeSet::new(), BTreeSet::new());
    for row in table.rows.iter().filter(|row| cell(&table, row, "level") == "bank") {
        let indicator = cell(&table, row, "indicator_id");
        for column in ["numerator", "denominator"] {
            let Some(whole) = units(cell(&table, row, column)) else { continue };
            let part = |is_wanted: &dyn Fn(&str, &str) -> bool| sum_of(&table, row, column, is_wanted);
            if let Some((sum, slack)) = part(&|level, _| level == "branch") {
                assert!((sum - whole).abs() <= slack, "{indicator} {column}: {sum} over branches, {whole} in the bank");
                over_branches.insert(indicator);
            }
            let Some((sum, slack)) = part(&|level, id| level != "branch" && tops.contains(id)) else { continue };
            if !OF_LOANS.contains(&indicator) {
                assert!((sum - whole).abs() <= slack, "{indicator} {column}: {sum} over areas, {whole} in the bank");
                over_areas.insert(indicator);
            } else if column == "denominator" || !CHANGES.contains(&indicator) {
                assert!(sum <= whole + slack, "{indicator} {column}: {sum} over areas, {whole} in the bank");
            }
        }
    }
    assert!(over_branches.len() > 30, "too few indicators are by branch: {over_branches:?}");
    assert!(over_areas.len() > 25, "too few indicators are by area: {over_areas:?}");
}

fn cell<'a>(table: &'a Table, row: &'a [String], column: &str) -> &'a str {
    table.cell(row, column).unwrap()
}

/// The sum of a part over the rows of the same indicator and breakdown whose level and id are wanted, and how far it may
/// be off because every part is rounded; none where there are no such rows or one has no such part.
fn sum_of(
    table: &Table,
    bank: &[String],
    column: &str,
    is_wanted: &dyn Fn(&str, &str) -> bool,
) -> Option<(i128, i128)> {
    let is_alike = |row: &&Vec<String>| {
        ["indicator_id", "breakdown"].iter().all(|key| cell(table, row, key) == cell(table, bank, key))
            && is_wanted(cell(table, row, "level"), cell(table, row, "ref_id"))
    };
    let parts: Option<Vec<i128>> =
        table.rows.iter().filter(is_alike).map(|row| units(cell(table, row, column))).collect();
    let parts = parts.filter(|parts| !parts.is_empty())?;
    let is_rounded = cell(table, bank, "indicator_id") == "average_rate";
    Some((parts.iter().sum(), if is_rounded { i128::try_from(parts.len()).unwrap() } else { 0 }))
}
