//! The credit list of a household, white, grey or black, and the first reason that put it there.
//! The last thing that is decided about a household; nothing reads it.

use super::decisions::Final;
use super::facts::Facts;
use super::policy::{NOT_RATEABLE, Policy, Veto};
use super::reading::Decision;

/// `credit_list` and `list_reason`, the first that holds.
pub fn credit_list(
    policy: &Policy,
    facts: &Facts,
    vetoes: &[&Veto],
    in_force: Option<&Decision>,
    final_result: &Final,
) -> (&'static str, &'static str) {
    let action = in_force.map_or("none", |decision| decision.action.as_str());
    // "unless an adjust in force gives a grade other than the veto grade"
    let is_lifted = action == "adjust" && final_result.grade != policy.veto_grade;
    let age = facts.integer("profile_age_days");
    let is_stale = age.is_none_or(|age| age > i128::from(policy.fresh_days));
    if !vetoes.is_empty() && !is_lifted {
        ("black", "vetoed")
    } else if final_result.grade == NOT_RATEABLE {
        ("grey", "not_rateable")
    } else if action == "decline" {
        ("grey", "declined")
    } else if action == "suspend" {
        ("grey", "suspended")
    } else if final_result.limit == 0 {
        ("grey", "no_limit")
    } else if is_stale {
        ("grey", "stale_profile")
    } else if facts.integer("valid_visits_12m") == Some(0) {
        ("grey", "unvisited")
    } else {
        ("white", "ok")
    }
}
