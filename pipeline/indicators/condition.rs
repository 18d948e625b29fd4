//! Answers a condition for every row of a base table: true, false or unknown, by the three-valued logic of SQL.
//! What a condition may say was settled when the rulebook was loaded.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, Float64Array, Int64Array, Scalar, StringArray, UInt8Array,
};
use arrow::compute::kernels::{boolean, cmp};
use arrow::error::ArrowError;

use crate::fault::{Error, Result};
use crate::rulebook::indicators::condition::{Comparison, Condition, Expression, Literal};

use super::base::{BaseRows, NOWHERE};

/// For each row whether a condition holds; None where there is none, so that every row fits.
pub fn answer(condition: Option<&Condition>, base: &BaseRows) -> Result<Option<BooleanArray>> {
    condition.map(|condition| truth(&condition.expression, base)).transpose()
}

fn truth(expression: &Expression, base: &BaseRows) -> Result<BooleanArray> {
    let answer = match expression {
        Expression::Always(truth) => Ok(BooleanArray::from(vec![*truth; base.rows])),
        Expression::Holds(position) => {
            let holds = column(base, *position)?.as_boolean_opt().cloned();
            return holds.ok_or_else(|| Error::internal("a condition takes a column for a truth that is none"));
        }
        Expression::IsNull(position) => boolean::is_null(column(base, *position)?.as_ref()),
        Expression::IsTrue(inner) => {
            let inner = truth(inner, base)?;
            Ok(inner.iter().map(|truth| Some(truth == Some(true))).collect())
        }
        Expression::Not(inner) => boolean::not(&truth(inner, base)?),
        Expression::And(one, other) => boolean::and_kleene(&truth(one, base)?, &truth(other, base)?),
        Expression::Or(one, other) => boolean::or_kleene(&truth(one, base)?, &truth(other, base)?),
        Expression::Compare(position, comparison, literal) => {
            let constant = constant(literal);
            compare(column(base, *position)?, *comparison, &Scalar::new(constant))
        }
        Expression::CompareColumns(one, comparison, other) => {
            compare(column(base, *one)?, *comparison, column(base, *other)?)
        }
    };
    answer.map_err(|error| Error::internal(format!("a condition of an indicator cannot be answered: {error}")))
}

fn column(base: &BaseRows, position: usize) -> Result<&ArrayRef> {
    let found = base.columns.get(position).and_then(Option::as_ref);
    found.ok_or_else(|| Error::internal("a condition reads a column that was not made"))
}

fn constant(literal: &Literal) -> ArrayRef {
    match literal {
        Literal::Whole(units) => std::sync::Arc::new(Int64Array::from(vec![*units])),
        Literal::Real(decimal) => std::sync::Arc::new(Float64Array::from(vec![decimal.to_f64()])),
        Literal::Word(code) => std::sync::Arc::new(UInt8Array::from(vec![*code])),
        Literal::Text(text) => std::sync::Arc::new(StringArray::from(vec![text.as_str()])),
        Literal::Day(day) => std::sync::Arc::new(arrow::array::Date32Array::from(vec![*day])),
    }
}

fn compare(one: &ArrayRef, comparison: Comparison, other: &dyn Datum) -> std::result::Result<BooleanArray, ArrowError> {
    match comparison {
        Comparison::Equal => cmp::eq(one, other),
        Comparison::NotEqual => cmp::neq(one, other),
        Comparison::Less => cmp::lt(one, other),
        Comparison::AtMost => cmp::lt_eq(one, other),
        Comparison::More => cmp::gt(one, other),
        Comparison::AtLeast => cmp::gt_eq(one, other),
    }
}

/// Calls back for every row that fits and counts somewhere, with its cell.
pub fn for_fitting(answer: Option<&BooleanArray>, base: &BaseRows, mut take: impl FnMut(usize, usize)) {
    let mut row_of = |row: usize| match base.cell_of_row.get(row) {
        Some(&cell) if cell != NOWHERE => take(row, cell as usize),
        _ => {}
    };
    match answer {
        None => (0..base.rows).for_each(row_of),
        Some(answer) => {
            let known = answer.nulls().map_or_else(|| answer.values().clone(), |nulls| answer.values() & nulls.inner());
            known.set_indices().for_each(&mut row_of);
        }
    }
}
