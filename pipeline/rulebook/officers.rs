//! How the points of an officer's assessment become a rating, and when visits are no longer credible.

use super::bands;
use super::table::Table;
use crate::decimal::Decimal;

/// `rules.md` §8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficerRules {
    /// Best first; the last begins at 0 and is what the veto makes of an officer.
    pub ratings: Vec<Rating>,
    /// Visits on site in twelve months from which on the share of invalid ones counts.
    pub onsite_min: u32,
    /// Share of invalid visits, 0 to 1; more than it is the veto.
    pub invalid_share_max: Decimal,
}

/// One rating and the least points, in tenths, that earn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    pub rating: String,
    pub at_least: i32,
}

pub(super) fn read(version: &Table<'_>) -> Option<OfficerRules> {
    let bands = bands::read(version, "rating");
    let onsite_min = version.count("onsite_min");
    let invalid_share_max = version.share("invalid_share_max");
    let ratings = bands?.into_iter().map(|band| Rating { rating: band.name, at_least: band.at_least }).collect();
    Some(OfficerRules { ratings, onsite_min: onsite_min?, invalid_share_max: invalid_share_max? })
}
