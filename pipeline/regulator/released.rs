//! The one door out of the bank: a row without what it hides. Everything behind it is made of these rows alone.

use rayon::prelude::*;

use crate::fault::{Error, Result};
use crate::indicators::{Amount, Breakdown, Row, Status};

/// Digits after the point of published numerators and denominators.
pub(super) const SCALE: u32 = 4;
/// One more than the most that decimal(24,4) holds.
const BOUND: i128 = 10_i128.pow(24);

/// A row as anybody outside the bank may see it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Released {
    /// Position in the rulebook's indicators.
    pub indicator: usize,
    /// Position in the nodes.
    pub node: usize,
    pub breakdown: Breakdown,
    pub status: Status,
    /// None unless the status is A.
    pub value: Option<f64>,
    pub numerator: Part,
    pub denominator: Part,
    pub target: Option<f64>,
    /// None too where the value is suppressed: on which side of a target it lies says much about it.
    pub met: Option<bool>,
}

/// A numerator or denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// In units of 10^−4.
    Shown(i128),
    /// There is none.
    None,
    /// There is one, and it may not leave the bank.
    Hidden,
}

impl Part {
    pub fn shown(self) -> Option<i128> {
        match self {
            Part::Shown(units) => Some(units),
            Part::None | Part::Hidden => None,
        }
    }

    fn of(amount: Option<Amount>, is_hidden: bool) -> Result<Part> {
        match (amount, is_hidden) {
            (None, _) => Ok(Part::None),
            (Some(_), true) => Ok(Part::Hidden),
            (Some(amount), false) => rounded(amount).map(Part::Shown).ok_or_else(too_large),
        }
    }
}

fn too_large() -> Error {
    Error::internal("a numerator or denominator is too large for decimal(24,4)")
}

/// In units of 10^−4; None when decimal(24,4) cannot hold it.
fn rounded(amount: Amount) -> Option<i128> {
    Some(amount.rounded(SCALE)).filter(|units| -BOUND < *units && *units < BOUND)
}

pub(super) fn released(rows: &[Row]) -> Result<Vec<Released>> {
    rows.par_iter().map(release).collect()
}

fn release(row: &Row) -> Result<Released> {
    let is_published = row.status == Status::Published;
    Ok(Released {
        indicator: row.indicator,
        node: row.node,
        breakdown: row.breakdown,
        status: row.status,
        // Adding 0 makes 0 of −0, which is the same number and another text.
        value: row.published_value().map(|value| value + 0.0),
        numerator: Part::of(row.numerator, row.hides_numerator)?,
        denominator: Part::of(row.denominator, row.hides_denominator)?,
        target: row.target,
        met: row.met.filter(|_| is_published),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            indicator: 0,
            node: 0,
            breakdown: Breakdown::All,
            numerator: Some(Amount { units: 3, scale: 0 }),
            denominator: Some(Amount { units: 4, scale: 0 }),
            value: Some(0.75),
            target: Some(0.5),
            met: Some(true),
            status: Status::Published,
            hides_numerator: false,
            hides_denominator: false,
        }
    }

    #[test]
    fn a_published_row_is_released_whole() {
        let released = release(&row()).unwrap();
        assert_eq!(released.value, Some(0.75));
        assert_eq!((released.numerator, released.denominator), (Part::Shown(30_000), Part::Shown(40_000)));
        assert_eq!((released.target, released.met), (Some(0.5), Some(true)));
    }

    #[test]
    fn a_suppressed_row_says_neither_its_value_nor_whether_it_meets_its_target() {
        let hidden = Row { status: Status::Suppressed, hides_numerator: true, ..row() };
        let released = release(&hidden).unwrap();
        assert_eq!((released.value, released.met), (None, None));
        assert_eq!((released.numerator, released.denominator), (Part::Hidden, Part::Shown(40_000)));
        assert_eq!(released.target, Some(0.5), "a target is no secret");
    }

    #[test]
    fn a_part_may_be_hidden_where_there_is_no_value() {
        let hidden =
            Row { numerator: None, value: None, status: Status::NotCollected, hides_denominator: true, ..row() };
        let released = release(&hidden).unwrap();
        assert_eq!((released.numerator, released.denominator), (Part::None, Part::Hidden));
    }

    #[test]
    fn parts_are_rounded_half_up_to_four_decimals() {
        let rounded = |units, scale| rounded(Amount { units, scale });
        assert_eq!(rounded(12, 0), Some(120_000));
        assert_eq!(rounded(1_234, 2), Some(123_400));
        assert_eq!(rounded(5, 4), Some(5));
        assert_eq!([rounded(144_999, 8), rounded(145_000, 8)], [Some(14), Some(15)]);
        assert_eq!([rounded(4_999, 8), rounded(5_000, 8)], [Some(0), Some(1)]);
        assert_eq!([rounded(-4_999, 8), rounded(-5_000, 8), rounded(-5_001, 8)], [Some(0), Some(0), Some(-1)]);
        assert_eq!(rounded(10_i128.pow(20), 0), None, "more than decimal(24,4) holds");
        assert_eq!(rounded(10_i128.pow(20) - 1, 0), Some(10_i128.pow(24) - 10_i128.pow(4)));
        assert_eq!(rounded(i128::MAX, 0), None);
    }
}
