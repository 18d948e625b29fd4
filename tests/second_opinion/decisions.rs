//! Decisions of named persons: which are sound, which one is in force, and what it makes of the
//! model's grade and limit. A decision never touches the model's own results; which list the
//! household then stands on is left to `list`.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::grading::Grading;
use super::limits::{Limit, cap_of_grade, recompute};
use super::policy::{Policy, Veto};
use super::reading::Decision;

/// The final grade and limit of a household; the limit in hundredths.
#[derive(Debug, PartialEq)]
pub struct Final<'a> {
    pub grade: &'a str,
    pub limit: i128,
}

/// The decisions about one household, judged.
#[derive(Debug, Default)]
pub struct Judged<'a> {
    pub in_force: Option<&'a Decision>,
    pub unsound: Vec<(&'a Decision, &'static str)>,
}

/// The known decisions by household, in file order.
pub fn group_by_household(decisions: &[Decision]) -> BTreeMap<&str, Vec<&Decision>> {
    let mut groups: BTreeMap<&str, Vec<&Decision>> = BTreeMap::new();
    for decision in decisions {
        groups.entry(&decision.household_id).or_default().push(decision);
    }
    groups
}

/// Every known, unexpired decision is checked; in force is the latest sound one by (`decided_at`,
/// `decision_id`). An expiry after T was forgotten, so one that is left has passed.
pub fn judge<'a>(policy: &Policy, decisions: &[&'a Decision], vetoes: &[&Veto]) -> Judged<'a> {
    let mut judged = Judged::default();
    let unexpired = decisions.iter().filter(|row| row.expires_on.is_none());
    for decision in unexpired {
        if let Some(rule) = fault(policy, decision, vetoes) {
            judged.unsound.push((decision, rule));
            continue;
        }
        let order = |row: &'a Decision| (row.decided_at, row.decision_id.as_str());
        if judged.in_force.map(order) < Some(order(decision)) {
            judged.in_force = Some(decision);
        }
    }
    judged
}

/// The first rule that sets a decision aside.
fn fault(policy: &Policy, decision: &Decision, vetoes: &[&Veto]) -> Option<&'static str> {
    let action = decision.action.as_str();
    let is_accept = action == "accept";
    let is_adjust = action == "adjust";
    let is_refusal = action == "decline" || action == "suspend";
    let grade = decision.grade.as_deref();
    let is_in_scale = |grade: &str| policy.grade(grade).is_some() || grade == policy.veto_grade;
    let is_above_cap = |grade: &str, limit: i128| limit > cap_of_grade(policy, grade) || limit > policy.product_cap;
    let rules = [
        ("approver_missing", (is_adjust || is_refusal) && decision.approver_id.is_none()),
        ("same_person", decision.approver_id.as_ref() == Some(&decision.reviewer_id)),
        ("reason_missing", (is_adjust || is_refusal) && !has_reason(decision)),
        (
            "nothing_accepted",
            is_accept && (grade.is_none() || decision.limit.is_none() || grade == Some(policy.veto_grade)),
        ),
        ("nothing_adjusted", is_adjust && grade.is_none() && decision.limit.is_none()),
        ("grade_missing", is_adjust && grade.is_none() && decision.limit.is_some()),
        ("grade_unknown", grade.is_some_and(|grade| !is_in_scale(grade))),
        (
            "limit_above_cap",
            is_adjust && grade.zip(decision.limit).is_some_and(|(grade, limit)| is_above_cap(grade, limit)),
        ),
        ("veto_not_overridable", is_adjust && vetoes.iter().any(|veto| !veto.is_overridable)),
        ("veto_not_named", is_adjust && vetoes.iter().any(|veto| !is_named(veto, decision))),
    ];
    rules.iter().find(|(_, applies)| *applies).map(|(rule, _)| *rule)
}

/// "blank is none"
fn has_reason(decision: &Decision) -> bool {
    let reason = decision.reason.as_deref().unwrap_or_default();
    !reason.trim().is_empty()
}

fn is_named(veto: &Veto, decision: &Decision) -> bool {
    let overrides = decision.overrides.as_deref().unwrap_or_default();
    overrides.split('|').any(|code| code == veto.code)
}

/// What is final under the decision in force.
pub fn finalise<'a>(
    policy: &Policy,
    facts: &Facts,
    grading: &Grading,
    model_limit: &Limit,
    in_force: Option<&'a Decision>,
) -> Final<'a> {
    let model_grade = grading.model_grade;
    let Some(decision) = in_force else {
        return Final { grade: model_grade, limit: model_limit.suggested };
    };
    let given = decision.grade.as_deref().unwrap_or(model_grade);
    match decision.action.as_str() {
        // "what was accepted, never more"
        "accept" => {
            let grade = if policy.rank(given) > policy.rank(model_grade) { given } else { model_grade };
            let accepted = decision.limit.unwrap_or(0);
            let limit = accepted.min(model_limit.suggested);
            Final { grade, limit: limit.min(cap_of_grade(policy, grade)) }
        }
        "adjust" => Final { grade: given, limit: decision.limit.unwrap_or_else(|| recompute(policy, facts, given)) },
        _ => Final { grade: model_grade, limit: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Time;
    use super::super::examples::{bank, cell, date, decision, profile, run};
    use super::super::reading::{Bank, Listing};
    use super::super::tables::Tables;
    use super::*;

    fn rule_of(decision: &Decision, vetoes: &[&Veto]) -> Option<&'static str> {
        fault(&Policy::default(), decision, vetoes)
    }

    #[test]
    fn the_first_rule_that_applies_sets_aside() {
        let mut bare = decision("X1", "adjust");
        bare.approver_id = None;
        bare.reason = None;
        assert_eq!(rule_of(&bare, &[]), Some("approver_missing"));
        bare.approver_id = Some("R1".to_string());
        assert_eq!(rule_of(&bare, &[]), Some("same_person"));
        bare.approver_id = Some("R2".to_string());
        bare.reason = Some(" \t".to_string());
        assert_eq!(rule_of(&bare, &[]), Some("reason_missing"));
        bare.reason = Some("seen".to_string());
        assert_eq!(rule_of(&bare, &[]), Some("nothing_adjusted"));
        bare.limit = Some(1);
        assert_eq!(rule_of(&bare, &[]), Some("grade_missing"));
        bare.grade = Some("NR".to_string());
        assert_eq!(rule_of(&bare, &[]), Some("grade_unknown"));
        bare.grade = Some("B".to_string());
        bare.limit = Some(5_000_001);
        assert_eq!(rule_of(&bare, &[]), Some("limit_above_cap"));
        bare.limit = Some(5_000_000);
        assert_eq!(rule_of(&bare, &[]), None);
        bare.grade = Some("D".to_string());
        assert_eq!(rule_of(&bare, &[]), Some("limit_above_cap"));
        bare.limit = Some(0);
        assert_eq!(rule_of(&bare, &[]), None);
    }

    #[test]
    fn an_accept_names_its_grade_and_limit_and_needs_no_approver() {
        let mut accept = decision("X1", "accept");
        accept.approver_id = None;
        accept.reason = None;
        accept.grade = Some("A".to_string());
        assert_eq!(rule_of(&accept, &[]), Some("nothing_accepted"));
        accept.limit = Some(99_000_000);
        assert_eq!(rule_of(&accept, &[]), None);
        accept.grade = Some("D".to_string());
        assert_eq!(rule_of(&accept, &[]), Some("nothing_accepted"));
        accept.grade = Some("Z".to_string());
        assert_eq!(rule_of(&accept, &[]), Some("grade_unknown"));
    }

    #[test]
    fn an_adjust_must_name_every_veto_and_may_not_lift_some() {
        let policy = Policy::default();
        let fixed = &policy.vetoes[0];
        let (conduct, peers) = (&policy.vetoes[5], &policy.vetoes[6]);
        let mut adjust = decision("X1", "adjust");
        adjust.grade = Some("C".to_string());
        adjust.overrides = Some("V06_conduct".to_string());
        assert_eq!(rule_of(&adjust, &[conduct]), None);
        assert_eq!(rule_of(&adjust, &[conduct, peers]), Some("veto_not_named"));
        assert_eq!(rule_of(&adjust, &[fixed, peers]), Some("veto_not_overridable"));
        adjust.overrides = Some("V06_conduct|V07_peers".to_string());
        assert_eq!(rule_of(&adjust, &[conduct, peers]), None);
        let decline = decision("X2", "decline");
        assert_eq!(rule_of(&decline, &[fixed]), None);
    }

    #[test]
    fn in_force_is_the_latest_sound_unexpired_one() {
        let at = |decision_id: &str, action: &str, decided_at: &str| {
            let mut row = decision(decision_id, action);
            row.decided_at = Time::parse(decided_at);
            row
        };
        let sound = at("X2", "decline", "2026-05-01T09:00:00");
        let tied = at("X1", "suspend", "2026-05-01T09:00:00");
        let unsound = at("X3", "adjust", "2026-06-01T09:00:00");
        let mut expired = at("X4", "decline", "2026-06-02T09:00:00");
        expired.expires_on = Some(date("2026-06-30"));
        let rows = [&sound, &tied, &unsound, &expired];
        let judged = judge(&Policy::default(), &rows, &[]);
        assert_eq!(judged.in_force.map(|row| row.decision_id.as_str()), Some("X2"));
        let unsound: Vec<&str> = judged.unsound.iter().map(|(_, rule)| *rule).collect();
        assert_eq!(unsound, ["nothing_adjusted"]);
    }

    /// A rated household of grade C with a limit of 20,000: the grade's cap, and a tenth of its net
    /// assets.
    fn tables_with(decisions: Vec<Decision>) -> Tables {
        run(Bank { profiles: Some(vec![profile("2026-01-01")]), decisions: Some(decisions), ..bank() })
    }

    fn final_of(tables: &Tables) -> (&str, &str, &str) {
        let limits = &tables["grant_limits"];
        (
            cell(limits, "H1", "final_grade"),
            cell(limits, "H1", "final_limit"),
            cell(&tables["household_grades"], "H1", "list_reason"),
        )
    }

    #[test]
    fn what_was_accepted_never_more() {
        let plain = tables_with(Vec::new());
        assert_eq!(final_of(&plain), ("C", "20000.00", "unvisited"));
        let mut accept = decision("X1", "accept");
        accept.grade = Some("A".to_string());
        accept.limit = Some(800_000);
        let accepted = tables_with(vec![accept.clone()]);
        assert_eq!(final_of(&accepted), ("C", "8000.00", "unvisited"));
        accept.limit = Some(9_000_000);
        let accepted = tables_with(vec![accept.clone()]);
        assert_eq!(final_of(&accepted), ("C", "20000.00", "unvisited"));
    }

    #[test]
    fn an_adjusted_grade_recomputes_the_limit() {
        let mut adjust = decision("X1", "adjust");
        adjust.grade = Some("B".to_string());
        // 0.2 × 200,000 = 40,000 is the smallest cap of B.
        let adjusted = tables_with(vec![adjust.clone()]);
        assert_eq!(final_of(&adjusted), ("B", "40000.00", "unvisited"));
        adjust.limit = Some(4_500_000);
        let adjusted = tables_with(vec![adjust]);
        assert_eq!(final_of(&adjusted), ("B", "45000.00", "unvisited"));
        let declined = tables_with(vec![decision("X2", "decline")]);
        assert_eq!(final_of(&declined), ("C", "0.00", "declined"));
        let suspended = tables_with(vec![decision("X2", "suspend")]);
        assert_eq!(final_of(&suspended), ("C", "0.00", "suspended"));
    }

    #[test]
    fn decisions_after_the_as_of_date_and_later_expiries_do_not_matter() {
        let mut later = decision("X1", "decline");
        later.decided_at = Time::parse("2026-07-01T00:00:00");
        let mut lasting = decision("X2", "suspend");
        lasting.expires_on = Some(date("2026-07-01"));
        let tables = tables_with(vec![later, lasting]);
        assert_eq!(final_of(&tables), ("C", "0.00", "suspended"));
    }

    #[test]
    fn a_watchlist_veto_is_black_and_is_reported_when_overridden() {
        let mut adjust = decision("X1", "adjust");
        adjust.grade = Some("B".to_string());
        let tables = run(Bank {
            profiles: Some(vec![profile("2026-01-01")]),
            decisions: Some(vec![adjust]),
            watchlist: Some(vec![Listing {
                household_id: "H1".to_string(),
                list_name: "fraud".to_string(),
                listed_on: date("2010-01-01"),
                delisted_on: Some(date("2026-07-01")),
            }]),
            ..bank()
        });
        assert_eq!(final_of(&tables), ("D", "0.00", "vetoed"));
        assert_eq!(tables["quarantine"].rows, [["decisions", "X1", "veto_not_overridable"]]);
        assert_eq!(cell(&tables["grant_limits"], "H1", "binding"), "veto");
    }
}
