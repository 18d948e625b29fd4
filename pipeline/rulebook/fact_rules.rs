//! The figures behind the facts: when a profile rates a household, when it is fresh, and what makes a peer score.

use super::table::Table;
use crate::decimal::Decimal;

/// `rules.md` §4 and §5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactRules {
    /// Reviews with a score that a peer score needs.
    pub peer_reviews_min: u32,
    /// Days from the profile to the as-of date up to which it rates a household.
    pub profile_days_max: u32,
    /// Share of the profile's nine fields that must be filled in, 0 to 1.
    pub completeness_min: Decimal,
    /// Days from the profile to the as-of date up to which it is fresh.
    pub fresh_days: u32,
}

pub(super) fn read(version: &Table<'_>) -> Option<FactRules> {
    let peer_reviews_min = version.positive_count("peer_reviews_min");
    let profile_days_max = version.count("profile_days_max");
    let completeness_min = version.share("completeness_min");
    let fresh_days = version.count("fresh_days");
    Some(FactRules {
        peer_reviews_min: peer_reviews_min?,
        profile_days_max: profile_days_max?,
        completeness_min: completeness_min?,
        fresh_days: fresh_days?,
    })
}
