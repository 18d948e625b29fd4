//! `wellfield check`: contracts, adapters and rulebook of a bank. Refuses as a night would; otherwise prints what each
//! table holds and every row that would be set aside. Computes and writes nothing.

use std::collections::BTreeMap;

use serde_json::json;
use wellfield::audit;
use wellfield::calendar::Date;
use wellfield::clean::{CleanBank, SetAside};
use wellfield::fault::{Error, Result};
use wellfield::watch::Watch;

use crate::options::Check;
use crate::prepare::{self, Prepared};

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
        println!("{}", serde_json::to_string_pretty(&outcome).map_err(|error| Error::internal(error.to_string()))?);
        return Ok(());
    }
    print_counts(&cleaned, contracts.inputs.iter().map(|contract| contract.table.as_str()));
    print_set_aside(&cleaned.set_aside);
    for remark in &cleaned.remarks {
        println!("note: {remark}");
    }
    for check in checks.iter().filter(|check| !check.passed) {
        println!("note: a night would publish nothing: table `{}`: {}", check.table, check.detail);
    }
    Ok(())
}

/// The day on which every row is known and the newest rules are in force.
fn last_day() -> Date {
    Date::from_ymd(9999, 12, 31).unwrap_or(Date(i32::MAX))
}

fn print_counts<'a>(cleaned: &CleanBank, tables: impl Iterator<Item = &'a str>) {
    println!("{:<16} {:>12} {:>12} {:>12} {:>14}", "table", "read", "accepted", "set aside", "not yet known");
    for table in tables {
        match cleaned.counts.get(table) {
            Some(counts) => println!(
                "{table:<16} {:>12} {:>12} {:>12} {:>14}",
                counts.read, counts.accepted, counts.set_aside, counts.not_yet_known
            ),
            None => println!("{table:<16} {:>12}", "none"),
        }
    }
}

fn print_set_aside(rows: &[SetAside]) {
    let mut groups: BTreeMap<(&str, &str), Vec<&SetAside>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.table, &row.rule)).or_default().push(row);
    }
    for ((table, rule), rows) in groups {
        println!("\n{} rows of `{table}` set aside by `{rule}`:", rows.len());
        for row in rows.iter().take(ROWS_SHOWN) {
            println!("  {} row {} key `{}`: {}", row.source, row.row_number, row.key, row.message);
        }
        if rows.len() > ROWS_SHOWN {
            println!("  … and {} more; the `quarantine` table of a run lists them all", rows.len() - ROWS_SHOWN);
        }
    }
}

fn row_as_json(row: &SetAside) -> serde_json::Value {
    json!({
        "table": row.table, "source": row.source, "row_number": row.row_number, "key": row.key,
        "rule": row.rule, "column": row.column, "message": row.message,
    })
}
