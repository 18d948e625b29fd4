//! Adapters: one SQL query over a bank's own files that yields a contract's table, run by Polars.
//! Where the query keeps rows one to one, each row remembers the row that it came from, so that a message can name it.
//! Leaves the check of what comes out to `clean`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use polars::lazy::frame::IntoLazy;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};
use polars::sql::SQLContext;
use sqlparser::ast::{Expr, GroupByExpr, Ident, ObjectNamePart, Query, Select, SelectItem, SetExpr, Statement};
use sqlparser::ast::{TableFactor, visit_expressions};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::fault::{Error, Fault, Result};

use super::adapted::{Adapted, Lineage};
use super::polars_bridge;

/// The column that carries the number of a source row through a query; no bank names a column so.
const LINEAGE: &str = "wellfield_source_row";

/// Runs the query of `adapter` over named inputs, each given as its batches.
pub fn run(adapter: &str, query: &str, inputs: &BTreeMap<String, Vec<RecordBatch>>) -> Result<Adapted> {
    let mut frames = BTreeMap::new();
    for (name, batches) in inputs {
        frames.insert(name.clone(), polars_bridge::to_polars(batches)?);
    }
    if let Some((name, traced)) = traced_query(query).filter(|(name, _)| frames.contains_key(name))
        && let Some(adapted) = run_traced(&name, &traced, &frames)?
    {
        return Ok(adapted);
    }
    let frame = execute(query, &frames).map_err(|error| {
        let hint = "an adapter is one SELECT over the names under `files`, in the SQL of Polars";
        let cause = without_cells(&error.to_string(), query);
        Error::refused(Fault::new(format!("adapter `{adapter}` does not run")).caused_by(cause).hint(hint))
    })?;
    // Grouped rows come in any order; a fixed one makes the run repeatable.
    let names: Vec<_> = frame.get_column_names_owned();
    let sorted = frame.sort(names, Default::default()).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Adapted { batch: polars_bridge::to_arrow(sorted)?, lineage: None })
}

/// The words of Polars without cells of the bank's files, which can be names of people: what it lists after its
/// sentence is left out, and of what stands in quotes only the query's own words and the names of types stay.
fn without_cells(said: &str, query: &str) -> String {
    let ends = [" values: [", "; valid columns:", "\n"].into_iter().filter_map(|list| said.find(list));
    let sentence = said.get(..ends.min().unwrap_or(said.len())).unwrap_or(said);
    let mut told = String::new();
    let mut rest = sentence;
    while let Some((before, quote, after)) = first_quote(rest) {
        let (quoted, after) = after.split_once(quote).unwrap_or((after, ""));
        let is_told = query.contains(quoted) || TYPES.contains(&quoted);
        told.push_str(&format!("{before}{quote}{}{quote}", if is_told { quoted } else { "…" }));
        rest = after;
    }
    told + rest
}

/// How Polars names the types that a file can have.
const TYPES: [&str; 10] = ["bool", "str", "i64", "i32", "u32", "u64", "f64", "date", "datetime[μs]", "decimal"];

/// The text before the first mark of quotation, the mark, and what follows it.
fn first_quote(text: &str) -> Option<(&str, char, &str)> {
    let at = text.find(['"', '\'', '`'])?;
    let (before, quoted) = text.split_at_checked(at)?;
    let mut characters = quoted.chars();
    Some((before, characters.next()?, characters.as_str()))
}

/// Runs the query with the source row carried along; None when Polars does not take it so.
fn run_traced(name: &str, query: &str, frames: &BTreeMap<String, DataFrame>) -> Result<Option<Adapted>> {
    let mut traced = frames.clone();
    let Some(frame) = traced.get_mut(name) else { return Ok(None) };
    let rows: Vec<u64> = (0..frame.height() as u64).collect();
    if frame.with_column(Series::new(LINEAGE.into(), rows).into_column()).is_err() {
        return Ok(None);
    }
    let Ok(result) = execute(query, &traced) else { return Ok(None) };
    let Ok(sorted) = result.sort([LINEAGE], polars::prelude::SortMultipleOptions::new().with_maintain_order(true))
    else {
        return Ok(None);
    };
    let mut batch = polars_bridge::to_arrow(sorted)?;
    let Ok(position) = batch.schema().index_of(LINEAGE) else { return Ok(None) };
    let column = batch.remove_column(position);
    let Some(column) = column.as_primitive_opt::<UInt64Type>() else { return Ok(None) };
    // A join may have made several rows of one: then no row is told apart by where it came from.
    if !column.values().windows(2).all(|pair| matches!(pair, [one, next] if one < next)) {
        return Ok(None);
    }
    let lineage = Lineage { name: name.to_string(), rows: column.values().to_vec() };
    Ok(Some(Adapted { batch, lineage: Some(lineage) }))
}

fn execute(query: &str, frames: &BTreeMap<String, DataFrame>) -> polars::prelude::PolarsResult<DataFrame> {
    let mut context = SQLContext::new();
    for (name, frame) in frames {
        context.register(name, frame.clone().lazy());
    }
    context.execute(query)?.collect()
}

/// The query with the source row of its first table among its columns, and that table's name;
/// None where a row of the result is not one row of that table.
fn traced_query(query: &str) -> Option<(String, String)> {
    let mut statements = Parser::parse_sql(&GenericDialect, query.trim().trim_end_matches(';')).ok()?;
    let statement = statements.pop().filter(|_| statements.is_empty())?;
    let Statement::Query(mut query) = statement else { return None };
    if query.with.is_some() || aggregates(&query) {
        return None;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let name = trace(select)?;
    Some((name, query.to_string()))
}

fn trace(select: &mut Select) -> Option<String> {
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    if select.distinct.is_some() || is_grouped || select.having.is_some() {
        return None;
    }
    let [from] = select.from.as_slice() else { return None };
    let TableFactor::Table { name, alias, .. } = &from.relation else { return None };
    let [ObjectNamePart::Identifier(table)] = name.0.as_slice() else { return None };
    let shown = alias.as_ref().map_or_else(|| table.clone(), |alias| alias.name.clone());
    let table = table.value.clone();
    let has_wildcard = select
        .projection
        .iter()
        .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    if !has_wildcard {
        let column = Expr::CompoundIdentifier(vec![shown, Ident::new(LINEAGE)]);
        select.projection.push(SelectItem::UnnamedExpr(column));
    }
    Some(table)
}

/// Whether the query folds rows together without saying GROUP BY.
fn aggregates(query: &Query) -> bool {
    const FOLDING: &[&str] = &[
        "avg",
        "count",
        "first",
        "last",
        "max",
        "median",
        "min",
        "quantile_cont",
        "quantile_disc",
        "stddev",
        "sum",
        "variance",
        "array_agg",
        "string_agg",
        "unnest",
        "explode",
    ];
    visit_expressions(query, |expression| match expression {
        Expr::Function(function) if function.over.is_none() => {
            let name = function.name.to_string().to_lowercase();
            if FOLDING.contains(&name.as_str()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, LargeStringArray};
    use std::sync::Arc;

    fn inputs() -> BTreeMap<String, Vec<RecordBatch>> {
        let column = |values: Vec<&str>| Arc::new(LargeStringArray::from(values)) as ArrayRef;
        let loan =
            RecordBatch::try_from_iter([("id", column(vec!["1", "2", "3"])), ("k", column(vec!["b", "a", "a"]))]);
        BTreeMap::from([("loan".to_string(), vec![loan.unwrap()])])
    }

    fn rows(query: &str) -> Option<Vec<u64>> {
        run("a.sql", query, &inputs()).unwrap().lineage.map(|lineage| lineage.rows)
    }

    #[test]
    fn rows_kept_one_to_one_remember_where_they_came_from() {
        assert_eq!(rows("SELECT id AS loan_id FROM loan WHERE k = 'a'"), Some(vec![1, 2]));
        assert_eq!(rows("SELECT * FROM loan AS l ORDER BY id DESC;"), Some(vec![0, 1, 2]));
        assert_eq!(rows("SELECT l.id FROM loan l LEFT JOIN loan r ON l.id = r.id"), Some(vec![0, 1, 2]));
    }

    #[test]
    fn folded_rows_have_no_single_origin_and_a_fixed_order() {
        assert_eq!(rows("SELECT k, COUNT(*) AS n FROM loan GROUP BY k"), None);
        assert_eq!(rows("SELECT DISTINCT k FROM loan"), None);
        assert_eq!(rows("SELECT MAX(id) AS id FROM loan"), None);
        let batch = run("a.sql", "SELECT k FROM loan GROUP BY k", &inputs()).unwrap().batch;
        let column = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::LargeUtf8).unwrap();
        assert_eq!(column.as_string::<i64>().iter().flatten().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_polars_says_is_told_without_cells() {
        let query = "SELECT CAST(head_name AS BIGINT) AS n FROM export";
        let told = [
            (
                r#"conversion from `str` to `i64` failed in column 'head_name' for 2 out of 2 values: ["A", "B"]"#,
                "conversion from `str` to `i64` failed in column 'head_name' for 2 out of 2",
            ),
            (r#"unable to find column "n"; valid columns: ["A"]"#, r#"unable to find column "n""#),
            ("could not read 'A name' as a number", "could not read '…' as a number"),
            ("no quotes\nA name", "no quotes"),
        ];
        for (said, expected) in told {
            assert_eq!(without_cells(said, query), expected);
        }
    }

    #[test]
    fn a_query_that_does_not_parse_names_its_file() {
        let message = run("a.sql", "SELEC id FROM loan", &inputs()).err().unwrap().to_string();
        assert!(message.contains("adapter `a.sql` does not run"), "{message}");
    }
}
