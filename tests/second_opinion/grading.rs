//! Points, score, vetoes, model grade, upgrade margin and reasons of a household. Looks at facts,
//! the watchlist and the previous model grade; leaves limits to `limits` and what a person
//! decided to `decisions`.

use std::cmp::Ordering;

use super::evidence::Evidence;
use super::exact::{Ratio, divide_half_up};
use super::facts::Facts;
use super::policy::{Characteristic, Condition, NOT_RATEABLE, Policy, Scorecard, Veto};

#[derive(Debug)]
pub struct Grading<'p> {
    pub scorecard: &'p Scorecard,
    pub lines: Vec<Line<'p>>,
    pub score_tenths: Option<i128>,
    /// In the order of the rulebook.
    pub vetoes: Vec<&'p Veto>,
    pub model_grade: &'static str,
    pub is_kept: bool,
    pub reasons: Vec<&'static str>,
}

/// One characteristic's points.
#[derive(Debug)]
pub struct Line<'p> {
    pub characteristic: &'p Characteristic,
    pub value: Option<Ratio>,
    pub points_tenths: i128,
}

impl Line<'_> {
    pub fn shortfall_tenths(&self) -> i128 {
        self.characteristic.maximum_tenths() - self.points_tenths
    }
}

pub fn grade_household<'p>(
    policy: &'p Policy,
    evidence: &Evidence,
    facts: &Facts,
    previous_grade: Option<&str>,
) -> Grading<'p> {
    let scorecard = policy.scorecard_of(&evidence.household.kind);
    let lines: Vec<Line> =
        scorecard.characteristics.iter().map(|characteristic| score_line(characteristic, facts)).collect();
    let lacks = not_rateable_reasons(policy, facts);
    let score_tenths = lacks.is_empty().then(|| score_tenths(policy, &lines));
    let vetoes = vetoes_of(policy, evidence, facts);
    let (model_grade, is_kept) = match score_tenths {
        _ if !vetoes.is_empty() => (policy.veto_grade, false),
        None => (NOT_RATEABLE, false),
        Some(score) => {
            let plain = grade_of_score(policy, score, 0);
            let kept = grade_with_margin(policy, score, previous_grade);
            (kept, policy.rank(kept) > policy.rank(plain))
        }
    };
    let reasons = reasons(policy, &vetoes, &lacks, score_tenths, &lines);
    Grading { scorecard, lines, score_tenths, vetoes, model_grade, is_kept, reasons }
}

/// Bins are read top to bottom; a null fact gets *missing_points*.
fn score_line<'p>(characteristic: &'p Characteristic, facts: &Facts) -> Line<'p> {
    let value = facts.value(characteristic.fact).map(|value| value.exact());
    let points_tenths = match value {
        None => characteristic.missing_tenths,
        Some(value) => {
            let mut bins = characteristic.bins.iter();
            let bin = bins.find(|bin| bin.bound.matches(value));
            bin.map_or(0, |bin| bin.points_tenths)
        }
    };
    Line { characteristic, value, points_tenths }
}

fn lines_switched_on<'a, 'p>(policy: &Policy, lines: &'a [Line<'p>]) -> Vec<&'a Line<'p>> {
    let mut on: Vec<&Line> = lines.iter().collect();
    on.retain(|line| !policy.blocks_off.contains(line.characteristic.block));
    on
}

/// `score` = 100 × points / maximum over the blocks that are on, rounded half up to tenths.
fn score_tenths(policy: &Policy, lines: &[Line]) -> i128 {
    let on = lines_switched_on(policy, lines);
    let points: i128 = on.iter().map(|line| line.points_tenths).sum();
    let maximum: i128 = on.iter().map(|line| line.characteristic.maximum_tenths()).sum();
    divide_half_up(100 * 10 * points, maximum)
}

/// Rateable when there is a profile, `profile_age_days` ≤ *profile_days_max* and
/// `profile_completeness` ≥ *completeness_min*. Otherwise the reasons, as they apply.
fn not_rateable_reasons(policy: &Policy, facts: &Facts) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    let (Some(age), Some(completeness)) = (facts.integer("profile_age_days"), facts.value("profile_completeness"))
    else {
        return vec!["no_profile"];
    };
    if age > i128::from(policy.profile_days_max) {
        reasons.push("stale_profile");
    }
    if completeness.exact().compare(policy.completeness_min) == Ordering::Less {
        reasons.push("incomplete_profile");
    }
    reasons
}

fn vetoes_of<'p>(policy: &'p Policy, evidence: &Evidence, facts: &Facts) -> Vec<&'p Veto> {
    let holds = |condition: Condition| match condition {
        // "It holds until its row is delisted"; a later delisting was forgotten.
        Condition::Watchlist(list_name) => {
            evidence.watchlist.iter().any(|row| row.list_name == list_name && row.delisted_on.is_none())
        }
        Condition::Above(fact, bound) => facts.integer(fact).is_some_and(|value| value > bound),
        Condition::AtLeast(fact, bound) => facts.integer(fact).is_some_and(|value| value >= bound),
    };
    let vetoes = policy.vetoes.iter();
    vetoes.filter(|veto| holds(veto.condition)).collect()
}

/// The best grade with *at_least* + `margin` ≤ score.
fn grade_of_score(policy: &Policy, score_tenths: i128, margin_tenths: i128) -> &'static str {
    let mut grades = policy.grades.iter();
    let best = grades.find(|grade| grade.at_least_tenths + margin_tenths <= score_tenths);
    best.map_or(NOT_RATEABLE, |grade| grade.name)
}

/// When the previous `model_grade` is a grade of the scale other than the veto grade, a better one
/// needs `at_least + margin ≤ score`; the result is the best grade that passes, or the previous
/// one if its own `at_least` ≤ score still holds, and otherwise the grade of the score.
fn grade_with_margin(policy: &Policy, score_tenths: i128, previous_grade: Option<&str>) -> &'static str {
    let plain = grade_of_score(policy, score_tenths, 0);
    let Some(previous) = previous_grade.and_then(|name| policy.grade(name)) else {
        return plain;
    };
    let passing = grade_of_score(policy, score_tenths, policy.upgrade_margin_tenths);
    if policy.rank(passing) < policy.rank(previous.name) {
        passing
    } else if previous.at_least_tenths <= score_tenths {
        previous.name
    } else {
        plain
    }
}

/// At most four: veto codes in the rulebook's order; then the not-rateable reasons; then, for
/// households with a score, the characteristics by greatest shortfall, ties in scorecard order.
fn reasons(
    policy: &Policy,
    vetoes: &[&Veto],
    lacks: &[&'static str],
    score_tenths: Option<i128>,
    lines: &[Line],
) -> Vec<&'static str> {
    let mut reasons: Vec<&'static str> = vetoes.iter().map(|veto| veto.code).collect();
    reasons.extend(lacks);
    if score_tenths.is_some() {
        let mut short = lines_switched_on(policy, lines);
        short.retain(|line| line.shortfall_tenths() > 0);
        // The sort is stable: ties stay in scorecard order.
        short.sort_by_key(|line| -line.shortfall_tenths());
        reasons.extend(short.iter().map(|line| line.characteristic.fact));
    }
    reasons.truncate(4);
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_margin(score: i128, previous: Option<&str>) -> &'static str {
        grade_with_margin(&Policy::default(), score, previous)
    }

    #[test]
    fn a_better_grade_needs_the_margin() {
        assert_eq!(with_margin(819, Some("A")), "A");
        assert_eq!(with_margin(820, Some("A")), "AA");
        assert_eq!(with_margin(819, Some("AA")), "AA");
    }

    #[test]
    fn a_leap_stops_at_the_best_grade_that_passes() {
        assert_eq!(with_margin(910, Some("B")), "AA");
        assert_eq!(with_margin(920, Some("B")), "AAA");
    }

    #[test]
    fn a_fall_is_not_held() {
        assert_eq!(with_margin(799, Some("AA")), "A");
        assert_eq!(with_margin(705, Some("AAA")), "A");
        assert_eq!(with_margin(615, Some("AA")), "B");
    }

    #[test]
    fn no_margin_without_a_previous_grade_of_the_scale() {
        for previous in [None, Some("D"), Some("NR"), Some("Z")] {
            assert_eq!(with_margin(800, previous), "AA", "{previous:?}");
        }
        assert_eq!(with_margin(0, None), "C");
        assert_eq!(with_margin(1000, None), "AAA");
    }

    fn lines(policy: &Policy, points: impl Fn(&Characteristic) -> i128) -> Vec<Line<'_>> {
        let card = policy.scorecard_of("farm_household");
        let rows = card.characteristics.iter();
        rows.map(|characteristic| Line { characteristic, value: None, points_tenths: points(characteristic) }).collect()
    }

    #[test]
    fn a_block_that_is_off_leaves_the_score_and_the_reasons() {
        let mut policy = Policy::default();
        policy.blocks_off.insert("relationship");
        let signed = Policy::default();
        let lines = lines(&signed, |row| match row.block {
            "relationship" => 0,
            "capacity" => 0,
            _ => row.maximum_tenths(),
        });
        // 62 of 92 points: 67.391… rounds to 67.4.
        assert_eq!(score_tenths(&policy, &lines), 674);
        assert_eq!(score_tenths(&signed, &lines), 620);
        let reasons = reasons(&policy, &[], &[], Some(674), &lines);
        assert_eq!(reasons, ["net_income_per_member", "debt_service_share", "labour_share", "inflow_months_12m"]);
    }

    #[test]
    fn half_a_tenth_rounds_up() {
        let policy = Policy { blocks_off: ["character", "capacity", "capital", "file"].into(), ..Policy::default() };
        // 3.5 of the 8 points of the relationship block: 43.75 rounds to 43.8.
        let lines = lines(&policy, |row| match row.fact {
            "deposit_average_12m" => 30,
            "channel_count" => 5,
            _ => 0,
        });
        assert_eq!(score_tenths(&policy, &lines), 438);
    }

    #[test]
    fn reasons_stop_at_four_and_put_vetoes_first() {
        let policy = Policy::default();
        let vetoes: Vec<&Veto> = policy.vetoes.iter().take(3).collect();
        let lines = lines(&policy, |_| 0);
        let found = reasons(&policy, &vetoes, &[], Some(0), &lines);
        assert_eq!(found, ["V01_dishonest_judgment", "V02_fraud", "V03_deceased", "on_time_share_24m"]);
        let found = reasons(&policy, &vetoes[..1], &["stale_profile"], None, &lines);
        assert_eq!(found, ["V01_dishonest_judgment", "stale_profile"]);
    }

    #[test]
    fn ties_stay_in_scorecard_order() {
        let policy = Policy::default();
        // 8 points short each: delay_days_max_24m and debt_service_share.
        let lines = lines(&policy, |row| match row.maximum_tenths() {
            80 => 0,
            maximum => maximum,
        });
        let found = reasons(&policy, &[], &[], Some(840), &lines);
        assert_eq!(found, ["delay_days_max_24m", "debt_service_share"]);
    }
}
