//! Facts from visits that count, made in grids of the household's present branch.

use std::sync::Arc;

use arrow::array::Int64Array;

use crate::fault::Result;

use super::{Columns, Evidence, counts};

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let as_of = evidence.register.as_of;
    let households = || evidence.visits.households.iter();
    let days: Int64Array = households().map(|visits| Some(i64::from(as_of.0 - visits.latest_valid()?.0))).collect();
    let valid = households().map(|visits| visits.valid_12m);
    Ok(vec![("valid_visits_12m", counts(valid)), ("days_since_valid_visit", Arc::new(days))])
}
