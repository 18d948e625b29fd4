//! Tables of text cells in their canonical form, the comparison of two of them cell by cell, and
//! what a run needs to know of an earlier one. Knows no rule, only keys and which columns hold
//! floating-point numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::Date;
use super::exact::parse_scaled;

/// Text cells: null is the empty text, money and decimals have their full scale, lists are joined
/// by `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

pub type Tables = BTreeMap<&'static str, Table>;

/// Shares and reals, equal within `RELATIVE_TOLERANCE`; every other cell is compared as text.
const FLOAT_COLUMNS: [&str; 21] = [
    "on_time_share_24m",
    "debt_service_share",
    "labour_share",
    "debt_to_assets",
    "conduct_points_per_member_12m",
    "peer_score",
    "profile_completeness",
    "value",
    "target",
    "published_value",
    "profile_share",
    "fresh_share",
    "grading_share",
    "granting_share",
    "drawing_share",
    "visiting_share",
    "care_visiting_share",
    "credit_share",
    "prompt_share",
    "bad_share",
    "points_per_member",
];
const RELATIVE_TOLERANCE: f64 = 1e-12;

impl Table {
    pub fn new(name: &'static str, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
        let columns = columns.iter().map(|column| column.to_string()).collect();
        Table { name, columns, rows }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|other| other == column)
    }

    /// The cell of a row; nothing where the table lacks the column.
    pub fn cell<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        Some(row.get(self.place(column)?)?.as_str())
    }

    fn key_columns(&self) -> &'static [&'static str] {
        match self.name {
            "visit_checks" => &["visit_id"],
            "scorecard_points" => &["household_id", "characteristic"],
            "quarantine" => &["table_name", "key"],
            "partition_faults" => &["fault", "subject_id"],
            "grid_coverage" => &["grid_id"],
            "branch_coverage" => &["branch_id", "segment"],
            "area_coverage" => &["area_id", "segment"],
            "officer_assessments" => &["officer_id"],
            "village_ratings" | "grid_funding" => &["area_id"],
            "work_list" => &["officer_id", "household_id"],
            "indicators" => &["indicator_id", "level", "ref_id", "breakdown", "period"],
            "public_notice" => &["area_id", "household_id"],
            _ => &["household_id"],
        }
    }

    fn key_of(&self, row: &[String]) -> String {
        let cells = self.key_columns().iter();
        let cells: Vec<&str> = cells.map(|column| self.cell(row, column).unwrap_or("?")).collect();
        cells.join("|")
    }

    fn keys(&self) -> Vec<String> {
        self.rows.iter().map(|row| self.key_of(row)).collect()
    }
}

/// Every difference between what was expected and what is there: columns, rows, order, cells.
#[allow(dead_code)] // For the tests outside.
pub fn compare(expected: &Table, actual: &Table) -> Vec<String> {
    let name = expected.name;
    let mut differences = compare_columns(expected, actual);
    differences.extend(repeated_keys("expected", expected));
    differences.extend(repeated_keys("actual", actual));
    let expected_keys = expected.keys();
    let actual_keys = actual.keys();
    let actual_rows: BTreeMap<&String, &Vec<String>> = actual_keys.iter().zip(&actual.rows).collect();
    let wanted: BTreeSet<&String> = expected_keys.iter().collect();
    for (key, row) in expected_keys.iter().zip(&expected.rows) {
        match actual_rows.get(key) {
            None => differences.push(format!("{name} {key}: the row is missing")),
            Some(actual_row) => {
                differences.extend(compare_rows(expected, row, actual, actual_row, key));
            }
        }
    }
    for key in &actual_keys {
        if !wanted.contains(key) {
            differences.push(format!("{name} {key}: the row is not expected"));
        }
    }
    differences.extend(compare_order(name, &expected_keys, &actual_keys));
    differences
}

fn compare_columns(expected: &Table, actual: &Table) -> Vec<String> {
    let name = expected.name;
    let mut differences = Vec::new();
    for column in &expected.columns {
        if actual.place(column).is_none() {
            differences.push(format!("{name}: the column {column} is missing"));
        }
    }
    for column in &actual.columns {
        if expected.place(column).is_none() {
            differences.push(format!("{name}: the column {column} is not expected"));
        }
    }
    if differences.is_empty() && expected.columns != actual.columns {
        differences.push(format!(
            "{name}: the columns stand in another order: expected {}, actual {}",
            expected.columns.join(", "),
            actual.columns.join(", ")
        ));
    }
    differences
}

fn repeated_keys(side: &str, table: &Table) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let keys = table.keys().into_iter();
    keys.filter(|key| !seen.insert(key.clone()))
        .map(|key| format!("{} {key}: the key is there twice in {side}", table.name))
        .collect()
}

fn compare_rows(
    expected: &Table,
    expected_row: &[String],
    actual: &Table,
    actual_row: &[String],
    key: &str,
) -> Vec<String> {
    let mut differences = Vec::new();
    for (column, expected_cell) in expected.columns.iter().zip(expected_row) {
        let Some(actual_cell) = actual.cell(actual_row, column) else {
            continue;
        };
        if !is_same_cell(column, expected_cell, actual_cell) {
            differences
                .push(format!("{} {key} {column}: expected `{expected_cell}`, actual `{actual_cell}`", expected.name));
        }
    }
    differences
}

fn is_same_cell(column: &str, expected: &str, actual: &str) -> bool {
    if expected == actual {
        return true;
    }
    let (true, Ok(expected), Ok(actual)) =
        (FLOAT_COLUMNS.contains(&column), expected.parse::<f64>(), actual.parse::<f64>())
    else {
        return false;
    };
    (expected - actual).abs() <= RELATIVE_TOLERANCE * expected.abs().max(actual.abs())
}

/// Rows that are in both must stand in the same order.
fn compare_order(name: &str, expected_keys: &[String], actual_keys: &[String]) -> Option<String> {
    let expected_set: BTreeSet<&String> = expected_keys.iter().collect();
    let actual_set: BTreeSet<&String> = actual_keys.iter().collect();
    let expected_both = expected_keys.iter().filter(|key| actual_set.contains(key));
    let actual_both = actual_keys.iter().filter(|key| expected_set.contains(key));
    let (expected_key, actual_key) = expected_both.zip(actual_both).find(|(expected, actual)| expected != actual)?;
    Some(format!("{name}: the rows stand in another order: expected `{expected_key}` where `{actual_key}` is"))
}

/// What an earlier run published that matters to the next.
#[derive(Clone, Debug, Default)]
pub struct Previous {
    pub model_grades: BTreeMap<String, String>,
    /// In hundredths.
    pub suggested_limits: BTreeMap<String, i128>,
    /// Stars by area; an area that is not here has none.
    pub stars: BTreeMap<String, i128>,
    /// Final grades of the households that were white and consenting, with an accept or adjust in
    /// force.
    pub noticeable_grades: BTreeMap<String, String>,
    /// The notices that stood, by household.
    pub notices: BTreeMap<String, Notice>,
}

/// The days of a public notice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Notice {
    pub notice_from: Date,
    pub notice_until: Date,
}

impl Previous {
    /// From the tables of an earlier run: household_grades, grant_limits and, where they are there,
    /// village_ratings and public_notice.
    #[allow(dead_code)] // For the tests that calculate two nights in a row.
    pub fn from_tables(tables: &Tables) -> Previous {
        let pairs = |table: &str, key: &str, column: &str| -> Vec<(String, String)> {
            let Some(table) = tables.get(table) else {
                return Vec::new();
            };
            let rows = table.rows.iter();
            rows.filter_map(|row| {
                let value = table.cell(row, column).filter(|value| !value.is_empty())?;
                Some((table.cell(row, key)?.to_string(), value.to_string()))
            })
            .collect()
        };
        let scaled = |pairs: Vec<(String, String)>, places: usize| {
            let pairs = pairs.into_iter();
            pairs.map(|(key, value)| (key, parse_scaled(&value, places))).collect()
        };
        Previous {
            model_grades: pairs("household_grades", "household_id", "model_grade").into_iter().collect(),
            suggested_limits: scaled(pairs("grant_limits", "household_id", "suggested_limit"), 2),
            stars: scaled(pairs("village_ratings", "area_id", "stars"), 0),
            noticeable_grades: tables.get("household_grades").map(noticeable_grades).unwrap_or_default(),
            notices: tables.get("public_notice").map(notices).unwrap_or_default(),
        }
    }
}

fn noticeable_grades(household_grades: &Table) -> BTreeMap<String, String> {
    let rows = household_grades.rows.iter().filter(|row| {
        let is =
            |column, values: &[&str]| household_grades.cell(row, column).is_some_and(|cell| values.contains(&cell));
        is("credit_list", &["white"]) && is("notice_consent", &["true"]) && is("decision", &["accept", "adjust"])
    });
    rows.filter_map(|row| {
        let cell = |column| household_grades.cell(row, column).map(str::to_string);
        Some((cell("household_id")?, cell("final_grade")?))
    })
    .collect()
}

fn notices(public_notice: &Table) -> BTreeMap<String, Notice> {
    let rows = public_notice.rows.iter();
    rows.filter_map(|row| {
        let day = |column| public_notice.cell(row, column).map(Date::parse);
        let notice = Notice { notice_from: day("notice_from")?, notice_until: day("notice_until")? };
        Some((public_notice.cell(row, "household_id")?.to_string(), notice))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 3]]) -> Table {
        let rows = rows.iter().map(|row| row.map(str::to_string).to_vec()).collect();
        Table::new("household_facts", &["household_id", "net_income", "peer_score"], rows)
    }

    #[test]
    fn equal_tables_have_no_differences() {
        let both = table(&[["H1", "1.00", "0.1"], ["H2", "", ""]]);
        assert!(compare(&both, &both).is_empty());
    }

    #[test]
    fn floats_may_differ_by_a_hair_and_money_may_not() {
        let expected = table(&[["H1", "1.00", "0.3"]]);
        let near = table(&[["H1", "1.00", "0.30000000000000004"]]);
        assert!(compare(&expected, &near).is_empty());
        let far = table(&[["H1", "1.0", "0.3000001"]]);
        assert_eq!(
            compare(&expected, &far),
            [
                "household_facts H1 net_income: expected `1.00`, actual `1.0`",
                "household_facts H1 peer_score: expected `0.3`, actual `0.3000001`",
            ]
        );
        let null = table(&[["H1", "1.00", ""]]);
        assert_eq!(compare(&expected, &null).len(), 1);
    }

    #[test]
    fn missing_and_extra_rows_and_columns_are_noticed() {
        let expected = table(&[["H1", "1.00", ""], ["H2", "2.00", ""]]);
        let mut actual = table(&[["H2", "2.00", ""], ["H3", "3.00", ""]]);
        actual.columns[1] = "income".to_string();
        assert_eq!(
            compare(&expected, &actual),
            [
                "household_facts: the column net_income is missing",
                "household_facts: the column income is not expected",
                "household_facts H1: the row is missing",
                "household_facts H3: the row is not expected",
            ]
        );
    }

    #[test]
    fn order_and_repeated_keys_are_noticed() {
        let expected = table(&[["H1", "", ""], ["H2", "", ""]]);
        let turned = table(&[["H2", "", ""], ["H1", "", ""]]);
        assert_eq!(
            compare(&expected, &turned),
            ["household_facts: the rows stand in another order: expected `H1` where `H2` is"]
        );
        let twice = table(&[["H1", "", ""], ["H1", "", ""], ["H2", "", ""]]);
        assert!(
            compare(&expected, &twice).contains(&"household_facts H1: the key is there twice in actual".to_string())
        );
    }

    #[test]
    fn the_previous_run_is_read_from_its_tables() {
        let mut tables = Tables::new();
        let rows = |cells: &[&str]| vec![cells.iter().map(|cell| cell.to_string()).collect()];
        let columns = ["household_id", "model_grade", "final_grade", "credit_list", "notice_consent", "decision"];
        let mut grades = Table::new("household_grades", &columns, rows(&["H1", "NR", "A", "white", "true", "accept"]));
        for row in [
            ["H2", "A", "A", "grey", "true", "accept"],
            ["H3", "A", "A", "white", "false", "accept"],
            ["H4", "A", "A", "white", "", "adjust"],
            ["H5", "A", "A", "white", "true", "none"],
        ] {
            grades.rows.push(row.map(str::to_string).to_vec());
        }
        tables.insert("household_grades", grades);
        let columns = ["area_id", "household_id", "notice_from", "notice_until"];
        let notice = rows(&["A1", "H1", "2026-06-29", "2026-07-04"]);
        tables.insert("public_notice", Table::new("public_notice", &columns, notice));
        tables.insert(
            "grant_limits",
            Table::new("grant_limits", &["household_id", "suggested_limit"], rows(&["H1", "5000.00"])),
        );
        tables.insert("village_ratings", Table::new("village_ratings", &["area_id", "stars"], rows(&["A1", "2"])));
        let previous = Previous::from_tables(&tables);
        assert_eq!(previous.model_grades["H1"], "NR");
        assert_eq!(previous.suggested_limits["H1"], 500_000);
        assert_eq!(previous.stars["A1"], 2);
        assert_eq!(previous.noticeable_grades, BTreeMap::from([("H1".to_string(), "A".to_string())]));
        let notice = Notice { notice_from: Date::parse("2026-06-29"), notice_until: Date::parse("2026-07-04") };
        assert_eq!(previous.notices, BTreeMap::from([("H1".to_string(), notice)]));
    }
}
