//! What a night must keep within to be published: rows set aside, rows against the run before, age of the newest rows.

use std::collections::BTreeMap;

use super::table::Table;
use crate::contract::Contracts;
use crate::decimal::Decimal;

/// `tables.md` and `runs.md`, audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRules {
    /// Share of the rows read, 0 to 1. The audit fails when this and `quarantine_rows_min` are exceeded in one table.
    pub quarantine_share_max: Decimal,
    pub quarantine_rows_min: u32,
    /// A change by no more rows than this is never too much.
    pub change_rows_min: u32,
    /// By input table.
    pub changes: BTreeMap<String, ChangeRules>,
    /// Tables with fewer rows than this have no age.
    pub age_rows_min: u32,
    /// Most days from the newest row to the as-of date, by input table.
    pub ages: BTreeMap<String, u32>,
}

/// How far the rows of a table may change against the run before, as shares of what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRules {
    /// 0 to 1.
    pub fall_max: Decimal,
    /// 0 or more.
    pub rise_max: Decimal,
}

pub(super) fn read(version: &Table<'_>, contracts: &Contracts) -> Option<RunRules> {
    let tables: Vec<&str> = contracts.inputs.iter().map(|contract| contract.table.as_str()).collect();
    let quarantine_share_max = version.share("quarantine_share_max");
    let quarantine_rows_min = version.count("quarantine_rows_min");
    let change_rows_min = version.count("change_rows_min");
    let changes = by_table(version, "changes", &tables, |row| {
        let (fall_max, rise_max) = (row.share("fall_max"), row.amount("rise_max"));
        Some(ChangeRules { fall_max: fall_max?, rise_max: rise_max? })
    });
    let age_rows_min = version.count("age_rows_min");
    let ages = by_table(version, "ages", &tables, |row| row.count("days_max"));
    Some(RunRules {
        quarantine_share_max: quarantine_share_max?,
        quarantine_rows_min: quarantine_rows_min?,
        change_rows_min: change_rows_min?,
        changes: changes?,
        age_rows_min: age_rows_min?,
        ages: ages?,
    })
}

/// A list of rules that each name their table, which may stand there once.
fn by_table<T>(
    version: &Table<'_>,
    key: &str,
    tables: &[&str],
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let rows = version.tables(key)?;
    let mut rules = BTreeMap::new();
    let mut is_whole = true;
    for row in &rows {
        let (table, rule) = (row.word("table", tables), read(row));
        row.close();
        let Some((table, rule)) = table.zip(rule) else {
            is_whole = false;
            continue;
        };
        if rules.contains_key(&table) {
            let sentence = format!("the table `{table}` stands twice under `{key}`");
            row.fault("table", &sentence, "give each table one rule");
            is_whole = false;
        }
        rules.insert(table, rule);
    }
    is_whole.then_some(rules)
}
