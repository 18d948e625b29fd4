//! The share of its households that a grid should have on file, by year of the programme and by segment.

use super::table::Table;
use crate::decimal::Decimal;

/// `rules.md` §7. Year 1 first; the last row holds for all later years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageTargets {
    pub years: Vec<YearTargets>,
}

/// Shares of households, 0 to 1, by segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearTargets {
    pub programme_year: u32,
    pub rural: Decimal,
    pub resident: Decimal,
    pub business: Decimal,
}

pub(super) fn read(version: &Table<'_>) -> Option<CoverageTargets> {
    let rows = version.tables("years")?;
    let years: Vec<_> = rows.iter().zip(1..).map(|(row, expected)| read_year(row, expected)).collect();
    Some(CoverageTargets { years: years.into_iter().collect::<Option<_>>()? })
}

fn read_year(row: &Table<'_>, expected: u32) -> Option<YearTargets> {
    let programme_year = row.count("programme_year");
    let (rural, resident, business) = (row.share("rural"), row.share("resident"), row.share("business"));
    row.close();
    if programme_year.is_some_and(|year| year != expected) {
        let hint = format!("write the years in order from 1, so {expected} here; the last holds for all later years");
        row.fault("programme_year", "the programme years are not 1, 2, 3 and so on", &hint);
    }
    Some(YearTargets { programme_year: programme_year?, rural: rural?, resident: resident?, business: business? })
}
