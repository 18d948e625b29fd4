//! How a file of rule cases is written (`README.md` beside it says it for people): its structure, and rows that stand
//! for many. Runs nothing; unknown keys are refused, so that a misspelt one cannot leave a case without effect.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde::Deserialize;

use crate::support::bank::{Row, cells};
use crate::support::{read, repository};

/// Rows by table.
pub type Rows = BTreeMap<String, Vec<toml::Table>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The as-of date of every case that does not name its own.
    as_of: String,
    /// Rows of every case that does not name the table itself: a file of `tests/support`.
    base: Option<String>,
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// The rule that the case is about, in words.
    pub why: String,
    #[serde(default)]
    pub as_of: String,
    /// Identifiers stand in the bank as they are written here, with no other case beside them.
    #[serde(default)]
    pub own_bank: bool,
    /// Optional tables that the bank does not have.
    #[serde(default)]
    pub absent: Vec<String>,
    #[serde(default)]
    pub rulebook: Vec<RulebookEdit>,
    /// What an earlier run said of a household.
    #[serde(default)]
    pub previous: BTreeMap<String, EarlierHousehold>,
    /// Stars of an area in that run.
    #[serde(default)]
    pub previous_stars: BTreeMap<String, i64>,
    #[serde(default)]
    pub given: Rows,
    /// By output table and key, the cells that must stand there; `"absent"` for a row that must not.
    #[serde(default)]
    pub expected: BTreeMap<String, BTreeMap<String, toml::Value>>,
    /// By input table, what became of its rows; for cases with a bank of their own.
    #[serde(default)]
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulebookEdit {
    /// The file's name without `.toml`.
    pub policy: String,
    /// A new version from this day on; without it every version is changed.
    pub valid_from: Option<String>,
    /// Values by their place in a version: `hold`, `blocks.4.is_on`.
    pub set: toml::Table,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierHousehold {
    pub grade: String,
    /// In currency units.
    #[serde(default)]
    pub limit: i64,
}

impl CaseFile {
    /// The cases of `tests/cases/<name>.toml`, with the file's as-of date and base rows filled in.
    pub fn read(name: &str) -> Vec<Case> {
        let path = repository().join(format!("tests/cases/{name}.toml"));
        let file: CaseFile = toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let base: Rows = file.base.map_or_else(Rows::new, |base| {
            let path = repository().join(format!("tests/support/{base}.toml"));
            toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        });
        let filled = file.cases.into_iter().map(|mut case| {
            if case.as_of.is_empty() {
                case.as_of.clone_from(&file.as_of);
            }
            for (table, rows) in &base {
                case.given.entry(table.clone()).or_insert_with(|| rows.clone());
            }
            assert!(!case.expected.is_empty() || !case.counts.is_empty(), "`{}` expects nothing", case.name);
            case
        });
        filled.collect()
    }
}

/// The rows that a written row stands for: itself, or with `repeat` that many, each `step_days` or `step_months` after
/// the one before, and with its number at the end of the identifier in the column `numbered`, where that is given.
pub fn expand(written: &toml::Table, numbered: Option<&str>) -> Vec<Row> {
    let mut written = written.clone();
    let mut take = |key: &str| written.remove(key).map(|value| value.as_integer().expect("a whole number"));
    let (repeat, step_days, step_months) = (take("repeat"), take("step_days"), take("step_months"));
    let row = cells(&written);
    let Some(repeat) = repeat else { return vec![row] };
    let step = |number: i64| Step { days: number * step_days.unwrap_or(0), months: number * step_months.unwrap_or(0) };
    (0..repeat)
        .map(|number| {
            let moved = row.iter().map(|(column, cell)| match numbered {
                Some(own) if own == column => (column.clone(), format!("{cell}{}", number + 1)),
                _ => (column.clone(), step(number).apply(cell)),
            });
            moved.collect()
        })
        .collect()
}

struct Step {
    days: i64,
    months: i64,
}

impl Step {
    /// Moves a cell that begins with a date. The last day of a month stays a last day.
    fn apply(&self, cell: &str) -> String {
        let Some(date) = cell.get(..10).and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()) else {
            return cell.to_string();
        };
        let later = date + Days::new(self.days.unsigned_abs()) + Months::new(u32::try_from(self.months).unwrap());
        let is_month_end = (date + Days::new(1)).month() != date.month();
        let later = if is_month_end && self.months > 0 { last_of_month(later) } else { later };
        format!("{later}{}", &cell[10..])
    }
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap() + Months::new(1) - Days::new(1)
}
