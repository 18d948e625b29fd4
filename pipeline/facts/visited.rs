//! Facts from visits that count, made in grids of the household's present branch.

use std::sync::Arc;

use arrow::array::Int64Array;

use crate::calendar::{Date, Window};
use crate::clean::typed::Rows as _;
use crate::fault::Result;

use super::{Columns, Evidence, counts};

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let (visits, checks) = (&evidence.tables.visits, evidence.checks);
    let as_of = evidence.register.as_of;
    let window = Window::months_to(as_of, 12);
    let mut valid = vec![0_u32; evidence.register.len()];
    let mut latest: Vec<Option<Date>> = vec![None; evidence.register.len()];
    let evaluated = checks.rows.iter().zip(&checks.flags).zip(checks.branches.iter().zip(&checks.days));
    for ((&row, _), (&branch, &day)) in evaluated.filter(|((_, flags), _)| flags.is_valid()) {
        let Some(household) = evidence.household(visits.household_id.get(row as usize)) else { continue };
        if evidence.register.branch(household) != branch as usize {
            continue;
        }
        if let (Some(count), Some(last)) = (valid.get_mut(household), latest.get_mut(household)) {
            *count += u32::from(window.contains(day));
            *last = (*last).max(Some(day));
        }
    }
    let days: Int64Array = latest.iter().map(|day| Some(i64::from(as_of.0 - (*day)?.0))).collect();
    Ok(vec![("valid_visits_12m", counts(valid)), ("days_since_valid_visit", Arc::new(days))])
}
