//! `wellfield check`: contracts, adapters and rulebook of a bank. Refuses as a night would; otherwise prints what each
//! table holds and every row that would be set aside. Computes and writes nothing.

use std::collections::BTreeMap;

use serde_json::json;
use wellfield::audit;
use wellfield::calendar::Date;
use wellfield::clean::{CleanBank, SetAside};
use wellfield::fault::Result;
use wellfield::watch::Watch;

use crate::options::Check;
use crate::prepare::{self, Prepared};
use crate::terminal;

/// Rows of one table and rule that are told one by one; the rest are counted.
const ROWS_SHOWN: usize = 20;

pub fn run(options: &Check) -> Result<()> {
    let as_of = options.as_of.unwrap_or_else(last_day);
    let Prepared { contracts, rulebook, cleaned, .. } =
        prepare::prepare(&options.bank, as_of, options.rulebook.as_deref(), &mut Watch::new(&mut |_| ()))?;
    let checks = audit::audit_inputs(&cleaned.counts, &rulebook);
    if options.json {
        let rows: Vec<_> = cleaned.set_aside.iter().map(row_as_json).collect();
        let outcome =
            json!({ "tables": cleaned.counts, "set_aside": rows, "audit": checks, "remarks": cleaned.remarks });
        return terminal::tell_json(&outcome);
    }
    let mut lines = counts(&cleaned, contracts.inputs.iter().map(|contract| contract.table.as_str()));
    lines.extend(rows_set_aside(&cleaned.set_aside));
    lines.extend(cleaned.remarks.iter().map(|remark| format!("note: {remark}")));
    lines.extend(
        checks
            .iter()
            .filter(|check| !check.passed)
            .map(|check| format!("note: a night would publish nothing: table `{}`: {}", check.table, check.detail)),
    );
    terminal::tell(lines.join("\n"))
}

/// The day on which every row is known and the newest rules are in force.
fn last_day() -> Date {
    Date::from_ymd(9999, 12, 31).unwrap_or(Date(i32::MAX))
}

fn counts<'a>(cleaned: &CleanBank, tables: impl Iterator<Item = &'a str>) -> Vec<String> {
    let line = |table: &str, columns: [String; 4]| {
        let [read, accepted, set_aside, not_yet_known] = columns;
        format!("{table:<16} {read:>12} {accepted:>12} {set_aside:>12} {not_yet_known:>14}")
    };
    let mut lines = vec![line("table", ["read", "accepted", "set aside", "not yet known"].map(String::from))];
    lines.extend(tables.map(|table| match cleaned.counts.get(table) {
        Some(counts) => {
            let columns = [counts.read, counts.accepted, counts.set_aside, counts.not_yet_known];
            line(table, columns.map(|count| count.to_string()))
        }
        None => format!("{table:<16} {:>12}", "none"),
    }));
    lines
}

fn rows_set_aside(rows: &[SetAside]) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<&SetAside>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.table, &row.rule)).or_default().push(row);
    }
    let mut lines = Vec::new();
    for ((table, rule), rows) in groups {
        let noun = if rows.len() == 1 { "row" } else { "rows" };
        lines.push(format!("\n{} {noun} of `{table}` set aside by `{rule}`:", rows.len()));
        lines.extend(
            rows.iter()
                .take(ROWS_SHOWN)
                .map(|row| format!("  {} row {} key `{}`: {}", row.source, row.row_number, row.key, row.message)),
        );
        if rows.len() > ROWS_SHOWN {
            lines.push(format!(
                "  … and {} more; the `quarantine` table of a run lists them all",
                rows.len() - ROWS_SHOWN
            ));
        }
    }
    lines
}

fn row_as_json(row: &SetAside) -> serde_json::Value {
    json!({
        "table": row.table, "source": row.source, "row_number": row.row_number, "key": row.key,
        "rule": row.rule, "column": row.column, "message": row.message,
    })
}
