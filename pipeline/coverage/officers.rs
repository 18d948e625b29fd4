//! The assessment of an officer by what was done in the grids that the officer is primary of (`rules.md` §8). What a
//! duty is worth stands in the rulebook; each term is rounded down to tenths by itself.

use crate::rulebook::OfficerRules;
use crate::visits::tallies::OfficerVisits;

use super::branch::GridCoverage;
use super::counts::Count;

/// The officer's visits cannot be trusted: too many of enough visits on site are invalid.
pub const VISITS_NOT_CREDIBLE: &str = "visits_not_credible";

/// Points are tenths; key officer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficerAssessment {
    /// Position in `officers`.
    pub officer: usize,
    pub grids: i64,
    pub households: i64,
    pub visiting: i64,
    pub filing: i64,
    pub truthfulness: i64,
    pub issues: i64,
    /// Position in the rulebook's ratings.
    pub rating: usize,
    pub is_vetoed: bool,
    pub visits: OfficerVisits,
}

impl OfficerAssessment {
    pub fn score(&self) -> i64 {
        self.visiting + self.filing + self.truthfulness + self.issues
    }
}

/// Assesses an officer over the grids served; None without one, for then there is nothing to assess.
pub fn assess(
    officer: usize,
    grids: &[&GridCoverage],
    visits: OfficerVisits,
    rules: &OfficerRules,
) -> Option<OfficerAssessment> {
    if grids.is_empty() {
        return None;
    }
    let count = |count: Count| grids.iter().map(|grid| grid.counts.all().get(count)).sum::<i64>();
    let households = count(Count::Households);
    let patrolled = grids.iter().filter(|grid| grid.visits.is_patrol_met()).count() as i64;
    let raised = grids.iter().map(|grid| grid.visits.issues_raised_12m).sum();
    let resolved = grids.iter().map(|grid| grid.visits.issues_resolved()).sum();
    let points = &rules.points;
    let visiting = met(points.households_visited, count(Count::Visited12m), households)
        + met(points.care_households_visited, count(Count::CareVisited3m), count(Count::CareHouseholds))
        + met(points.grids_patrolled, patrolled, grids.len() as i64);
    let truthfulness = match visits.onsite {
        // Nobody is trusted for having made no visit.
        0 => 0,
        onsite => met(points.visits_valid, onsite - visits.invalid, onsite),
    };
    let mut assessment = OfficerAssessment {
        officer,
        grids: grids.len() as i64,
        households,
        visiting,
        filing: met(points.profiles_fresh, count(Count::ProfiledFresh), households),
        truthfulness,
        issues: met(points.issues_resolved, resolved, raised),
        rating: 0,
        is_vetoed: is_vetoed(visits, rules),
        visits,
    };
    let lowest = rules.ratings.len().saturating_sub(1);
    let earned = rules.ratings.iter().position(|rating| i64::from(rating.at_least) <= assessment.score());
    assessment.rating = if assessment.is_vetoed { lowest } else { earned.unwrap_or(lowest) };
    Some(assessment)
}

/// Tenths of a point for a duty met in `part` of `whole`; where there was nothing to do, it is fully met.
fn met(tenths: i32, part: i64, whole: i64) -> i64 {
    if whole == 0 { i64::from(tenths) } else { i64::from(tenths) * part / whole }
}

fn is_vetoed(visits: OfficerVisits, rules: &OfficerRules) -> bool {
    let share_max = rules.invalid_share_max;
    let is_above =
        i128::from(visits.invalid) * share_max.denominator() > share_max.mantissa() * i128::from(visits.onsite);
    visits.onsite >= i64::from(rules.onsite_min) && is_above
}
