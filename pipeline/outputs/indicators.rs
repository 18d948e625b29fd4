//! The table of indicators: every value as the bank itself may see it, and beside it what may leave the bank.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array};

use crate::contract::Type;
use crate::fault::Result;
use crate::indicators::{Amount, Indicators, Node, Row};
use crate::rulebook::Indicator;

use super::{Results, decimals, text};

/// Of numerators and denominators.
const PARTS: Type = Type::Decimal { precision: 24, scale: 4 };

/// Key (indicator_id, level, ref_id, breakdown, period).
pub(super) fn indicators(results: &Results, indicators: &Indicators) -> Result<Vec<ArrayRef>> {
    let (rows, nodes) = (&indicators.rows, &indicators.nodes.nodes);
    let catalogue = &results.rulebook.indicators;
    let indicator = |row: &Row| catalogue.get(row.indicator);
    let of_indicator = |of: fn(&Indicator) -> &str| text(rows.iter().map(|row| indicator(row).map(of)));
    let of_node = |of: fn(&Node) -> &str| text(rows.iter().map(|row| nodes.get(row.node).map(of)));
    let part = |of: fn(&Row) -> Option<Amount>| {
        let scale = PARTS.scale().unwrap_or(0);
        decimals(PARTS, rows.iter().map(|row| of(row).map(|amount| amount.rounded(scale))))
    };
    let real = |of: fn(&Row) -> Option<f64>| Arc::new(rows.iter().map(of).collect::<Float64Array>()) as ArrayRef;
    Ok(vec![
        of_indicator(|indicator| indicator.id.as_str()),
        of_indicator(|indicator| indicator.definition.version.as_str()),
        of_node(|node| node.level.name()),
        of_node(|node| node.id.as_str()),
        text(rows.iter().map(|row| Some(row.breakdown.name()))),
        Arc::new(rows.iter().map(|_| Some(results.register.as_of.0)).collect::<Date32Array>()),
        part(|row| row.numerator)?,
        part(|row| row.denominator)?,
        real(|row| row.value),
        of_indicator(|indicator| indicator.definition.unit.as_str()),
        real(|row| row.target),
        Arc::new(rows.iter().map(|row| row.met).collect::<BooleanArray>()),
        text(rows.iter().map(|row| Some(row.status.code()))),
        real(Row::published_value),
    ])
}
