//! How a file of rule cases is written (`README.md` beside it says it for people): its structure, and rows that stand
//! for many. Runs nothing; unknown keys are refused, so that a misspelt one cannot leave a case without effect.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde::Deserialize;
use wellfield::contract::{Contract, Type};

use crate::support::bank::{Row, cells, text};
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
    /// Every case has a bank of its own.
    #[serde(default)]
    own_bank: bool,
    /// Of every case that has none of its own.
    #[serde(default)]
    rulebook: Vec<RulebookEdit>,
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
    /// Instead of the file's `base`; an empty text for none.
    base: Option<String>,
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
    /// Public notices of households in that run.
    #[serde(default)]
    pub previous_notice: BTreeMap<String, EarlierNotice>,
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
    /// The model's grade.
    pub grade: String,
    /// The suggested one, in currency units.
    #[serde(default)]
    pub limit: i64,
    /// Left out: the model's grade.
    pub final_grade: Option<String>,
    #[serde(default = "no_decision")]
    pub decision: String,
    #[serde(default = "grey")]
    pub credit_list: String,
    pub notice_consent: Option<bool>,
}

fn no_decision() -> String {
    "none".to_string()
}

fn grey() -> String {
    "grey".to_string()
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierNotice {
    pub notice_from: String,
    pub notice_until: String,
}

impl CaseFile {
    /// The cases of `tests/cases/<name>.toml`, with the file's as-of date and base rows filled in.
    pub fn read(name: &str) -> Vec<Case> {
        let path = repository().join(format!("tests/cases/{name}.toml"));
        let file: CaseFile = toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let filled = file.cases.into_iter().map(|mut case| {
            if case.as_of.is_empty() {
                case.as_of.clone_from(&file.as_of);
            }
            case.own_bank |= file.own_bank;
            if case.rulebook.is_empty() {
                case.rulebook.clone_from(&file.rulebook);
            }
            for (table, rows) in base_rows(case.base.as_deref().or(file.base.as_deref())) {
                case.given.entry(table).or_insert(rows);
            }
            assert!(!case.expected.is_empty() || !case.counts.is_empty(), "`{}` expects nothing", case.name);
            case
        });
        filled.collect()
    }
}

/// The rows of a file of `tests/support`, read by its name.
fn base_rows(base: Option<&str>) -> Rows {
    let Some(base) = base.filter(|base| !base.is_empty()) else { return Rows::new() };
    let path = repository().join(format!("tests/support/{base}.toml"));
    toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows that a written row of a table stands for: itself, or with `repeat` that many, each `step_days` or
/// `step_months` after the one before, and with its number at the end of the table's own identifier and of those in the
/// columns `numbered`. With `on`, every moment that is not written is on that day.
pub fn expand(written: &toml::Table, contract: &Contract, defaults: &Row) -> Vec<Row> {
    let mut written = written.clone();
    let mut take = |key: &str| written.remove(key);
    let whole = |value: toml::Value| value.as_integer().expect("a whole number");
    let (repeat, step_days, step_months) =
        (take("repeat").map(whole), take("step_days").map(whole), take("step_months").map(whole));
    let (numbered, on) = (take("numbered"), take("on"));
    let mut row = cells(&written);
    if let Some(day) = on {
        let moments = contract.columns.iter().filter(|column| column.kind == Type::Time);
        for (moment, usual) in moments.filter_map(|column| defaults.get_key_value(&column.name)) {
            row.entry(moment.clone()).or_insert_with(|| format!("{}{}", text(&day), &usual[10..]));
        }
    }
    let Some(repeat) = repeat else { return vec![row] };
    let mut numbers: Vec<String> = numbered.map_or_else(Vec::new, |columns| columns.try_into().expect("column names"));
    numbers.extend(own_identifier(contract));
    for column in &numbers {
        row.entry(column.clone()).or_insert_with(|| defaults[column].clone());
    }
    let step = |number: i64| Step { days: number * step_days.unwrap_or(0), months: number * step_months.unwrap_or(0) };
    (0..repeat)
        .map(|number| {
            let moved = row.iter().map(|(column, cell)| match numbers.contains(column) {
                true => (column.clone(), format!("{cell}{}", number + 1)),
                false => (column.clone(), step(number).apply(cell)),
            });
            moved.collect()
        })
        .collect()
}

/// The identifier that is a table's own: the first column of its key, unless it is another table's.
fn own_identifier(contract: &Contract) -> Option<String> {
    let own =
        contract.column(contract.key.first()?).ok().filter(|own| own.kind == Type::Id && own.references.is_none());
    own.map(|own| own.name.clone())
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
