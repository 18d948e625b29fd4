//! How the indicators went, with numerator and denominator beside each value: those of the bank, and of the branches.
//! Only what moved is listed.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Decimal128Array, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, Float64Type};
use serde::Serialize;

use crate::definitions::Texts;
use crate::fault::{Error, Result};
use crate::listing::indicators::Quantity;
use crate::rulebook::Indicator;

use super::origins::Step;

#[derive(Clone, Debug, Serialize)]
pub struct IndicatorMoves {
    /// By indicator and breakdown.
    pub bank: Vec<IndicatorMove>,
    /// All segments together; shares come first, those that moved most before others.
    pub branches: Vec<IndicatorMove>,
}

/// One indicator of the bank or a branch.
#[derive(Clone, Debug, Serialize)]
pub struct IndicatorMove {
    pub indicator_id: String,
    /// None: the catalogue does not know it any more.
    pub name: Option<Texts>,
    pub unit: Option<String>,
    /// Digits after the point that a person is shown.
    pub decimals: Option<u32>,
    pub ref_id: String,
    pub breakdown: String,
    #[serde(flatten)]
    pub step: Step<Option<Measured>>,
}

/// What one run says; null where it has no such row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    pub numerator: Option<Quantity>,
    pub denominator: Option<Quantity>,
    pub value: Option<f64>,
    pub status: String,
}

/// Indicator, branch or bank, breakdown.
type Key = (String, String, String);

pub fn moves(from: &RecordBatch, to: &RecordBatch, catalogue: &[Indicator]) -> Result<IndicatorMoves> {
    let bank = moved(&rows(from, "bank")?, &rows(to, "bank")?, catalogue);
    let mut branches = moved(&rows(from, "branch")?, &rows(to, "branch")?, catalogue);
    branches.retain(|branch| branch.breakdown == "all");
    branches.sort_by(|one, other| {
        let by_share = other.is_share().cmp(&one.is_share());
        by_share.then_with(|| other.change().total_cmp(&one.change()))
    });
    Ok(IndicatorMoves { bank, branches })
}

impl IndicatorMove {
    pub fn is_share(&self) -> bool {
        self.unit.as_deref() == Some("share")
    }

    /// How far the value went, in its own unit; 0 where one of the two runs has none.
    fn change(&self) -> f64 {
        let value = |measured: &Option<Measured>| measured.as_ref().and_then(|measured| measured.value);
        value(&self.step.from).zip(value(&self.step.to)).map_or(0.0, |(from, to)| (to - from).abs())
    }
}

fn moved(from: &BTreeMap<Key, Measured>, to: &BTreeMap<Key, Measured>, catalogue: &[Indicator]) -> Vec<IndicatorMove> {
    let keys: BTreeSet<&Key> = from.keys().chain(to.keys()).collect();
    let moved = keys.into_iter().filter(|key| from.get(*key) != to.get(*key));
    let line = |key: &Key| {
        let known = catalogue.iter().find(|indicator| indicator.id == key.0);
        IndicatorMove {
            indicator_id: key.0.clone(),
            name: known.map(|known| Texts::from(&known.name)),
            unit: known.map(|known| known.definition.unit.clone()),
            decimals: known.map(|known| known.definition.decimals),
            ref_id: key.1.clone(),
            breakdown: key.2.clone(),
            step: Step { from: from.get(key).cloned(), to: to.get(key).cloned() },
        }
    };
    moved.map(line).collect()
}

/// The rows of one level.
fn rows(table: &RecordBatch, wanted: &str) -> Result<BTreeMap<Key, Measured>> {
    let unreadable = || Error::internal("the table `indicators` has columns of another type");
    let column = |name: &str| table.column_by_name(name).ok_or_else(unreadable);
    let texts = |name: &str| -> Result<&StringArray> { column(name)?.as_string_opt::<i32>().ok_or_else(unreadable) };
    let quantities = |name: &str| -> Result<&Decimal128Array> {
        column(name)?.as_primitive_opt::<Decimal128Type>().ok_or_else(unreadable)
    };
    let (ids, levels, refs) = (texts("indicator_id")?, texts("level")?, texts("ref_id")?);
    let (breakdowns, statuses) = (texts("breakdown")?, texts("status")?);
    let (numerators, denominators) = (quantities("numerator")?, quantities("denominator")?);
    let values: &Float64Array = column("value")?.as_primitive_opt::<Float64Type>().ok_or_else(unreadable)?;
    let quantity = |column: &Decimal128Array, row: usize| column.is_valid(row).then(|| Quantity(column.value(row)));
    let wanted = (0..table.num_rows()).filter(|&row| levels.value(row) == wanted);
    let rows = wanted.map(|row| {
        let key = (ids.value(row).to_string(), refs.value(row).to_string(), breakdowns.value(row).to_string());
        let measured = Measured {
            numerator: quantity(numerators, row),
            denominator: quantity(denominators, row),
            value: values.is_valid(row).then(|| values.value(row)),
            status: statuses.value(row).to_string(),
        };
        (key, measured)
    });
    Ok(rows.collect())
}
