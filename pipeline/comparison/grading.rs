//! By what a model grade moved: vetoes, whether the household can be rated, points, the run before, or the scale.
//! Where the rules of the later run are at hand they are asked: what would the grade be with the earlier score, or after
//! the earlier previous grade? What changes nothing is no cause.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::explanation::{Figure, Points};
use crate::facts::FactValue;
use crate::fault::Result;
use crate::grade::{Ranks, with_margin};
use crate::rulebook::words::WATCHLISTS;
use crate::rulebook::{Characteristic, FACTS, Scorecard, VetoCondition};
use crate::score::{bin_of, bound_in_units, is_on};

use super::causes::{Cause, Causes};
use super::household::{Element, Value, What};
use super::origins::{Step, policy_of};
use super::paths::{Evidence, Pair, by_value, place_of};
use super::side::{PointsRow, text, whole};

pub fn elements(evidence: &Evidence, ranks: &Ranks, pair: Pair) -> Result<Vec<Element>> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let (vetoed, vetoes) = (old.vetoes(pair.from), new.vetoes(pair.to));
    if !vetoed.is_empty() || !vetoes.is_empty() {
        let lifted = vetoed.iter().filter(|code| !vetoes.contains(code)).map(|code| (code, false));
        let struck = vetoes.iter().filter(|code| !vetoed.contains(code)).map(|code| (code, true));
        return Ok(lifted.chain(struck).map(|(code, strikes)| veto(evidence, code, strikes, pair)).collect());
    }
    let (score_before, score) = (whole(&old.scores, pair.from), whole(&new.scores, pair.to));
    let (Some(score_before), Some(score)) = (score_before, score) else {
        return Ok(rateability(evidence, pair));
    };
    let weights = Weights::of(evidence, ranks, pair, (score_before, score));
    let mut elements = Vec::new();
    if weights.points {
        elements.extend(points(evidence, pair)?);
    }
    if weights.previous {
        let grades = (text(&old.previous_grades, pair.from), text(&new.previous_grades, pair.to));
        let margin = Element::new(What::UpgradeMargin, "upgrade_margin", "grade_scale");
        elements.push(margin.words(grades.0, grades.1).because(Cause::EarlierRun));
    }
    if weights.scale {
        elements.push(Element::new(What::GradeScale, "grade_scale", "grade_scale").because(Cause::Rule));
    }
    Ok(elements)
}

/// What the grade moved by.
struct Weights {
    points: bool,
    previous: bool,
    scale: bool,
}

impl Weights {
    fn of(evidence: &Evidence, ranks: &Ranks, pair: Pair, scores: (i64, i64)) -> Weights {
        let (old, new) = (&evidence.from.households, &evidence.to.households);
        let previous_before = text(&old.previous_grades, pair.from);
        let previous = text(&new.previous_grades, pair.to);
        let is_score_other = scores.0 != scores.1;
        let is_previous_other = previous_before != previous;
        let mut weights = Weights { points: is_score_other, previous: is_previous_other, scale: false };
        if evidence.is_rulebook_exact {
            let graded = |score: i64, previous: Option<&str>| {
                let earlier = previous.and_then(|grade| ranks.find(grade)).and_then(|rank| ranks.in_scale(rank));
                let score = i32::try_from(score).unwrap_or(i32::MAX);
                let place = with_margin(&evidence.rulebook.scale, score, earlier).0;
                evidence.rulebook.scale.grades.get(place).map(|grade| grade.grade.as_str())
            };
            let grade = text(&new.model_grades, pair.to);
            weights = Weights {
                points: is_score_other && graded(scores.0, previous) != grade,
                previous: is_previous_other && graded(scores.1, previous_before) != grade,
                scale: evidence.possible.causes.has(Cause::Rule)
                    && graded(scores.0, previous_before) != text(&old.model_grades, pair.from),
            };
            if !weights.points && !weights.previous && !weights.scale {
                weights = Weights { points: is_score_other, previous: is_previous_other, scale: false };
            }
        }
        if !weights.points && !weights.previous {
            weights.scale = true;
        }
        weights
    }
}

fn veto(evidence: &Evidence, code: &str, strikes: bool, pair: Pair) -> Element {
    let element = Element::new(What::Veto, code, "vetoes");
    let Some(veto) = evidence.rulebook.vetoes.iter().find(|veto| veto.code == code) else {
        return element.because(Cause::Rule);
    };
    let (fact, bound, is_inclusive) = match &veto.condition {
        VetoCondition::Watchlist { list_name } => {
            let list = WATCHLISTS.iter().position(|name| name == list_name).unwrap_or_default() as u8;
            let mut element = element.because(evidence.watchlist(list, !strikes, strikes, pair));
            element.tables = vec!["watchlist".to_string()];
            return element;
        }
        VetoCondition::AtLeast { fact, bound } => (fact, *bound, true),
        VetoCondition::MoreThan { fact, bound } => (fact, *bound, false),
    };
    let Some(place) = place_of(fact) else { return element.because(Cause::Rule) };
    let units = bound_in_units(fact, bound).unwrap_or_default();
    let holds = |value: Option<FactValue>| match value {
        Some(FactValue::Whole(value)) => {
            if is_inclusive {
                value >= units
            } else {
                value > units
            }
        }
        Some(FactValue::Ratio(value)) => {
            if is_inclusive {
                value >= bound.to_f64()
            } else {
                value > bound.to_f64()
            }
        }
        None => false,
    };
    let (first, _) = evidence.values(place, pair);
    let causes = match evidence.is_rulebook_exact {
        true => evidence
            .path(place, pair, &|one, other| holds(one) == holds(other))
            .with(Cause::Rule, holds(first) == strikes),
        false => evidence.path(place, pair, &by_value),
    };
    let causes = if causes.is_empty() { Cause::Rule.into() } else { causes };
    of_fact(element, evidence, place, pair).because(causes)
}

/// The element with the values of a fact.
fn of_fact(mut element: Element, evidence: &Evidence, place: usize, pair: Pair) -> Element {
    let name = FACTS.get(place).map_or("", |fact| fact.name);
    let figure = |value: FactValue| Value::Figure(Figure::of(name, value));
    let (first, last) = evidence.values(place, pair);
    (element.from, element.to) = (first.map(figure), last.map(figure));
    element.tables = evidence.tables(place, pair);
    element
}

/// Facts that changed, each an element of its own.
pub fn changed_facts(evidence: &Evidence, facts: &[&str], pair: Pair) -> Vec<Element> {
    let found = facts.iter().filter_map(|fact| {
        let place = place_of(fact)?;
        let causes = evidence.path(place, pair, &by_value);
        let mut element = Element::new(What::Fact, fact, "").because(causes);
        element.policy = policy_of(fact).map(String::from);
        (!causes.is_empty()).then(|| of_fact(element, evidence, place, pair))
    });
    found.collect()
}

/// The fact, where what it does changed; `does` says what that is by the later run's rules.
pub fn fact_with_effect(
    evidence: &Evidence,
    fact: &str,
    policy: &str,
    pair: Pair,
    does: &dyn Fn(Option<FactValue>) -> bool,
) -> Option<Element> {
    let place = place_of(fact)?;
    let causes = match evidence.is_rulebook_exact {
        true => evidence.path(place, pair, &|one, other| does(one) == does(other)),
        false => evidence.path(place, pair, &by_value),
    };
    let element = Element::new(What::Fact, fact, policy).because(causes);
    (!causes.is_empty()).then(|| of_fact(element, evidence, place, pair))
}

/// What made the household rateable, or no longer: its profile, or the rule on profiles.
fn rateability(evidence: &Evidence, pair: Pair) -> Vec<Element> {
    const POLICY: &str = "fact_rules";
    let rules = &evidence.rulebook.fact_rules;
    let is_young = |value: Option<FactValue>| matches!(value, Some(FactValue::Whole(age)) if age <= i64::from(rules.profile_days_max));
    let is_whole = |value: Option<FactValue>| matches!(value, Some(FactValue::Ratio(share)) if share >= rules.completeness_min.to_f64());
    let mut elements: Vec<Element> = [
        fact_with_effect(evidence, "profile_age_days", POLICY, pair, &is_young),
        fact_with_effect(evidence, "profile_completeness", POLICY, pair, &is_whole),
    ]
    .into_iter()
    .flatten()
    .collect();
    if elements.is_empty() {
        let place = place_of("profile_age_days").unwrap_or_default();
        let element = Element::new(What::Fact, "profile_age_days", POLICY);
        elements.push(of_fact(element, evidence, place, pair).because(Cause::Rule));
    }
    elements
}

/// The characteristics whose points or maximum differ, by how much the points do.
fn points(evidence: &Evidence, pair: Pair) -> Result<Vec<Element>> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let (card_before, card) = (text(&old.cards, pair.from), text(&new.cards, pair.to));
    if card_before != card {
        let (kind_before, kind) = (text(&old.kinds, pair.from), text(&new.kinds, pair.to));
        let element = match kind_before == kind {
            true => {
                Element::new(What::Scorecard, "scorecard", "scorecards").words(card_before, card).because(Cause::Rule)
            }
            false => {
                let element = Element::new(What::HouseholdKind, "kind", "scorecards").words(kind_before, kind);
                let mut element = element.because(evidence.kind());
                element.tables = vec!["households".to_string()];
                element
            }
        };
        return Ok(vec![element]);
    }
    let card = evidence.rulebook.scorecards.iter().find(|known| Some(known.id.as_str()) == card);
    let rows_before: BTreeMap<&str, PointsRow> = evidence.from.points.of_household(pair.from).collect();
    let rows: BTreeMap<&str, PointsRow> = evidence.to.points.of_household(pair.to).collect();
    let policy = text(&new.cards, pair.to).map_or(String::new(), |card| format!("scorecards/{card}"));
    let mut elements = Vec::new();
    let names: BTreeSet<&str> = rows_before.keys().chain(rows.keys()).copied().collect();
    for name in names {
        let (before, after) = (rows_before.get(name).copied(), rows.get(name).copied());
        let figures = |row: Option<PointsRow>| row.map_or((0, 0), |row| (row.points, row.max_points));
        let (from, to) = (figures(before), figures(after));
        if from == to || (evidence.is_rulebook_exact && !counts(card, name)) {
            continue;
        }
        let place = place_of(name).unwrap_or_default();
        let (causes, is_of_card) = characteristic(evidence, card, name, (from, to), place, pair)?;
        let element = Element::new(What::Characteristic, name, &policy).because(causes);
        let mut element = of_fact(element, evidence, place, pair);
        if !is_of_card {
            element.policy = policy_of(name).map(String::from);
        }
        element.points = Some(Step { from: Points(i64::from(from.0)), to: Points(i64::from(to.0)) });
        elements.push(element);
    }
    elements.sort_by_key(|element| Reverse(element.points.as_ref().map(|points| (points.to.0 - points.from.0).abs())));
    if elements.is_empty() {
        elements.push(Element::new(What::Scorecard, "scorecard", &policy).because(Cause::Rule));
    }
    Ok(elements)
}

/// Whether a characteristic's block is on; one that the card does not have any more may have been.
fn counts(card: Option<&Scorecard>, name: &str) -> bool {
    let Some(card) = card else { return true };
    card.characteristics.iter().find(|known| known.fact == name).is_none_or(|known| is_on(card, known))
}

/// Points and maximum in tenths, before and after.
type PointsMove = ((i16, i16), (i16, i16));

/// Why a characteristic's points moved, and whether the scorecard gives other points for one value.
fn characteristic(
    evidence: &Evidence,
    card: Option<&Scorecard>,
    name: &str,
    (from, to): PointsMove,
    place: usize,
    pair: Pair,
) -> Result<(Causes, bool)> {
    let (first, last) = evidence.values(place, pair);
    let known = card.and_then(|card| card.characteristics.iter().find(|known| known.fact == name));
    let (Some(known), true) = (known, evidence.is_rulebook_exact) else {
        let is_of_card = first == last || from.1 != to.1;
        return Ok((evidence.path(place, pair, &by_value).with(Cause::Rule, is_of_card), is_of_card));
    };
    let is_of_card = points_of(known, first)? != i32::from(from.0) || from.1 != to.1;
    let causes = evidence.path(place, pair, &|one, other| match (points_of(known, one), points_of(known, other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    });
    Ok((causes.with(Cause::Rule, is_of_card), is_of_card))
}

/// Tenths of a point that the value earns.
fn points_of(characteristic: &Characteristic, value: Option<FactValue>) -> Result<i32> {
    let bin = bin_of(characteristic, value)?;
    let of_bin = bin.and_then(|bin| characteristic.bins.get(bin)).map(|bin| bin.points);
    Ok(of_bin.unwrap_or(characteristic.missing_points))
}
