//! Released rows as tables by their contracts: the columns of SDMX-CSV 2.1 under their names, typed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch};
use rayon::prelude::*;

use crate::contract::Contract;
use crate::fault::{Error, Result};
use crate::outputs::{at_once, batch, text};
use crate::read::published::Observation;
use crate::rulebook::Indicator;

use super::Vintage;
use super::places::RefArea;
use super::released::{Released, SCALE};

const STRUCTURE: &str = "dataflow";
const STRUCTURE_ID: &str = "WELLFIELD:INDICATORS(1.0.0)";
/// A vintage replaces the one before.
const ACTION: &str = "R";
/// The period is a day.
const FREQUENCY: &str = "D";
const PRECISION: u8 = 24;

/// The released rows under the names that outsiders know.
pub(super) fn observations(
    rows: &[Released],
    indicators: &[Indicator],
    places: &[RefArea],
) -> Result<Vec<Observation>> {
    let observation = |row: &Released| {
        let indicator = indicators.get(row.indicator).ok_or_else(unknown)?;
        let place = places.get(row.node).ok_or_else(unknown)?;
        Ok(Observation {
            ref_area: place.code.clone(),
            indicator: indicator.id.clone(),
            breakdown: row.breakdown.name().into(),
            status: row.status.code().into(),
            version: indicator.definition.version.clone(),
            value: row.value,
            numerator: row.numerator.shown(),
            denominator: row.denominator.shown(),
        })
    };
    rows.par_iter().map(observation).collect()
}

fn unknown() -> Error {
    Error::internal("a row of an indicator points at nothing")
}

pub(super) fn unit<'a>(row: &Released, indicators: &'a [Indicator]) -> &'a str {
    indicators.get(row.indicator).map_or("", |indicator| &indicator.definition.unit)
}

/// `indicators.csv`, and the same as Parquet; `units` are those of the observations.
pub(super) fn indicators(
    observations: &[Observation],
    units: &[&str],
    vintage: &Vintage,
    contract: &Contract,
) -> Result<RecordBatch> {
    let rows = observations.len();
    let always = |word: &str| Ok(text(std::iter::repeat_n(Some(word), rows)));
    let of = |column: fn(&Observation) -> &str| Ok(text(observations.iter().map(|row| Some(column(row)))));
    let columns = at_once(vec![
        Box::new(|| always(STRUCTURE)),
        Box::new(|| always(STRUCTURE_ID)),
        Box::new(|| always(ACTION)),
        Box::new(|| always(FREQUENCY)),
        Box::new(|| of(|row| &row.ref_area)),
        Box::new(|| of(|row| &row.indicator)),
        Box::new(|| of(|row| &row.breakdown)),
        Box::new(|| Ok(Arc::new(Date32Array::from_value(vintage.as_of.0, rows)))),
        Box::new(|| Ok(values(observations.iter().map(|row| Some(row.value))))),
        Box::new(|| parts(observations.iter().map(|row| row.numerator))),
        Box::new(|| parts(observations.iter().map(|row| row.denominator))),
        Box::new(|| Ok(text(units.iter().map(|unit| Some(*unit))))),
        Box::new(|| of(|row| &row.status)),
        Box::new(|| of(|row| &row.version)),
        Box::new(|| Ok(Arc::new(Int64Array::from_value(vintage.sequence.cast_signed(), rows)))),
    ]);
    batch(contract, columns?)
}

/// Values as SDMX writes them: NaN where a row has none, null where there is no row.
pub(super) fn values(values: impl Iterator<Item = Option<Option<f64>>>) -> ArrayRef {
    Arc::new(values.map(|row| row.map(|value| value.unwrap_or(f64::NAN))).collect::<Float64Array>())
}

pub(super) fn parts(parts: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
    let array: Decimal128Array = parts.collect();
    let array = array.with_precision_and_scale(PRECISION, SCALE as i8);
    array.map(|array| Arc::new(array) as ArrayRef).map_err(|error| Error::internal(error.to_string()))
}
