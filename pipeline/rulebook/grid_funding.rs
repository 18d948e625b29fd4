//! What an area gets for the work of its grids: a fund by its households, and a service rate per household.

use super::table::Table;
use super::words::SETTLEMENTS;

/// `rules.md` §11. Money is in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridFunding {
    /// Read top to bottom, the first that fits counts; only the last has no bound.
    pub work_fund: Vec<WorkFundBand>,
    /// One per settlement.
    pub service_rates: Vec<ServiceRate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFundBand {
    /// Most households of the area, included; None for the last band.
    pub households_max: Option<u32>,
    pub amount_cents: i64,
}

/// Cents per household of a grid of this settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRate {
    pub settlement: String,
    pub rate_cents: i64,
}

pub(super) fn read(version: &Table<'_>) -> Option<GridFunding> {
    let work_fund = read_work_fund(version);
    let service_rates = read_service_rates(version);
    Some(GridFunding { work_fund: work_fund?, service_rates: service_rates? })
}

fn read_work_fund(version: &Table<'_>) -> Option<Vec<WorkFundBand>> {
    let rows = version.tables("work_fund")?;
    let mut bands: Vec<WorkFundBand> = Vec::new();
    let mut is_whole = true;
    for (position, row) in rows.iter().enumerate() {
        let Some(band) = read_band(row) else {
            is_whole = false;
            continue;
        };
        if band.households_max.is_none() != (position + 1 == rows.len()) {
            row.fault("amount", "only the last band is without a bound, and it must be", "bound every other band");
        }
        if let (Some(above), Some(households_max)) =
            (bands.last().and_then(|band| band.households_max), band.households_max)
            && households_max <= above
        {
            row.fault("amount", "no area can come to this band", "write the bands by households, fewest first");
        }
        bands.push(band);
    }
    is_whole.then_some(bands)
}

fn read_band(row: &Table<'_>) -> Option<WorkFundBand> {
    let households_max = match (row.has("households_at_most"), row.has("households_below")) {
        (false, false) => Some(None),
        (true, false) => row.count("households_at_most").map(Some),
        (false, true) => row.positive_count("households_below").map(|below| Some(below - 1)),
        (true, true) => {
            row.fault("amount", "the band has two bounds", "write `households_at_most` or `households_below`");
            None
        }
    };
    let amount_cents = row.cents("amount");
    row.close();
    Some(WorkFundBand { households_max: households_max?, amount_cents: amount_cents? })
}

fn read_service_rates(version: &Table<'_>) -> Option<Vec<ServiceRate>> {
    let table = version.table("service_rates")?;
    let rates: Vec<_> = SETTLEMENTS
        .iter()
        .map(|settlement| {
            Some(ServiceRate { settlement: (*settlement).to_owned(), rate_cents: table.cents(settlement)? })
        })
        .collect();
    table.close();
    rates.into_iter().collect()
}
