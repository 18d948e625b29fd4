//! Facts from what the household owes elsewhere: the latest report of W(12).

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use crate::calendar::Window;
use crate::clean::typed::{Numbers, Rows as _};
use crate::fault::Result;

use super::{Columns, Evidence};

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let Some(debts) = &evidence.tables.outside_debts else {
        let facts =
            ["outside_outstanding", "outside_guarantees", "outside_overdue_count_24m", "outside_monthly_payment"];
        return Ok(facts.into_iter().map(|fact| (fact, evidence.absent_whole())).collect());
    };
    let window = Window::months_to(evidence.register.as_of, 12);
    let mut latest: Vec<Option<usize>> = vec![None; evidence.register.len()];
    for row in 0..debts.rows {
        let Some(reported_on) = debts.reported_on.get(row).filter(|&day| window.contains(day)) else { continue };
        let household = evidence.household(debts.household_id.get(row));
        let Some(slot) = household.and_then(|household| latest.get_mut(household)) else { continue };
        if slot.is_none_or(|earlier| debts.reported_on.get(earlier) < Some(reported_on)) {
            *slot = Some(row);
        }
    }
    let of_latest = |column: &Numbers| -> ArrayRef {
        Arc::new(latest.iter().map(|row| column.get((*row)?)).collect::<Int64Array>())
    };
    Ok(vec![
        ("outside_outstanding", of_latest(&debts.outstanding)),
        ("outside_guarantees", of_latest(&debts.guarantee_outstanding)),
        ("outside_overdue_count_24m", of_latest(&debts.overdue_count_24m)),
        ("outside_monthly_payment", of_latest(&debts.monthly_payment)),
    ])
}
