//! What an officer's duties are worth in points, how points become a rating, and when visits are no longer credible.

use super::bands;
use super::table::Table;
use crate::decimal::{Decimal, format_scaled};

/// `rules.md` §8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficerRules {
    pub points: DutyPoints,
    /// Best first; the last begins at 0 and is what the veto makes of an officer.
    pub ratings: Vec<Rating>,
    /// Visits on site in twelve months from which on the share of invalid ones counts.
    pub onsite_min: u32,
    /// Share of invalid visits, 0 to 1; more than it is the veto.
    pub invalid_share_max: Decimal,
}

/// Tenths of a point for a duty that is fully met; together a full score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DutyPoints {
    pub households_visited: i32,
    pub care_households_visited: i32,
    pub grids_patrolled: i32,
    pub profiles_fresh: i32,
    pub visits_valid: i32,
    pub issues_resolved: i32,
}

/// One rating and the least points, in tenths, that earn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    pub rating: String,
    pub at_least: i32,
}

pub(super) fn read(version: &Table<'_>) -> Option<OfficerRules> {
    let points = read_points(version);
    let bands = bands::read(version, "rating");
    let onsite_min = version.count("onsite_min");
    let invalid_share_max = version.share("invalid_share_max");
    let ratings = bands?.into_iter().map(|band| Rating { rating: band.name, at_least: band.at_least }).collect();
    Some(OfficerRules { points: points?, ratings, onsite_min: onsite_min?, invalid_share_max: invalid_share_max? })
}

fn read_points(version: &Table<'_>) -> Option<DutyPoints> {
    let row = version.table("points")?;
    let [households_visited, care_households_visited, grids_patrolled, profiles_fresh, visits_valid, issues_resolved] =
        [
            "households_visited",
            "care_households_visited",
            "grids_patrolled",
            "profiles_fresh",
            "visits_valid",
            "issues_resolved",
        ]
        .map(|duty| row.tenths(duty));
    row.close();
    let points = DutyPoints {
        households_visited: households_visited?,
        care_households_visited: care_households_visited?,
        grids_patrolled: grids_patrolled?,
        profiles_fresh: profiles_fresh?,
        visits_valid: visits_valid?,
        issues_resolved: issues_resolved?,
    };
    let sum: i64 = points.all().into_iter().map(i64::from).sum();
    if sum != i64::from(bands::FULL_TENTHS) {
        let sentence = format!("the points of the duties add up to {}", format_scaled(i128::from(sum), 1));
        version.fault("points", &sentence, "they must add up to 100");
        return None;
    }
    Some(points)
}

impl DutyPoints {
    fn all(self) -> [i32; 6] {
        [
            self.households_visited,
            self.care_households_visited,
            self.grids_patrolled,
            self.profiles_fresh,
            self.visits_valid,
            self.issues_resolved,
        ]
    }
}
