//! By what a limit, a decision's outcome or a list moved. The limit is asked as the grade is: what would the later run's
//! rules have suggested for the earlier facts, or after the earlier limit?

use crate::facts::FactValue;
use crate::fault::Result;
use crate::grade::{Change, ModelGrade, Ranks};
use crate::limit::{Cap, Limit, grade_limits, of_rated, suggest};
use crate::previous::PreviousHousehold;

use super::causes::{Cause, Causes};
use super::grading::{changed_facts, fact_with_effect};
use super::household::{Element, What};
use super::paths::{Evidence, Pair};
use super::side::{Households, text, whole};

const POLICY: &str = "limits";
const DEDUCTED: [&str; 3] = ["own_unsecured_outstanding", "outside_outstanding", "outside_guarantees"];

/// Facts that a cap is computed from.
fn facts_of(cap: Cap) -> &'static [&'static str] {
    match cap {
        Cap::Grade | Cap::Product => &[],
        Cap::Income => &["net_income"],
        Cap::NetAssets => &["net_assets"],
        Cap::Service => &["net_income", "debt_service_12m"],
    }
}

/// By what the suggested limit moved; `grading` is by what the model grade did.
pub fn suggested(evidence: &Evidence, ranks: &Ranks, pair: Pair, grading: &[Element]) -> Result<Vec<Element>> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let is_rated =
        |households: &Households, row: usize| households.caps.first().is_some_and(|cap| whole(cap, row).is_some());
    if !grading.is_empty() && (!is_rated(old, pair.from) || !is_rated(new, pair.to)) {
        return Ok(Vec::new());
    }
    let weights = Weights::of(evidence, ranks, pair)?;
    let mut elements = Vec::new();
    if weights.amounts {
        elements.extend(caps(evidence, ranks, pair, grading)?);
        elements.extend(deductions(evidence, pair));
    }
    if weights.previous {
        let hold = Element::new(What::Hold, "hold", POLICY).because(Cause::EarlierRun);
        elements.push(hold.amounts(whole(&old.previous_limits, pair.from), whole(&new.previous_limits, pair.to)));
    }
    let is_told = elements.iter().any(|element| element.causes.has(Cause::Rule));
    if (weights.rules && !is_told) || (elements.is_empty() && grading.is_empty()) {
        elements.push(Element::new(What::LimitRules, POLICY, POLICY).because(Cause::Rule));
    }
    Ok(elements)
}

/// What the suggested limit moved by.
struct Weights {
    amounts: bool,
    previous: bool,
    rules: bool,
}

impl Weights {
    fn of(evidence: &Evidence, ranks: &Ranks, pair: Pair) -> Result<Weights> {
        let (old, new) = (&evidence.from.households, &evidence.to.households);
        let is_previous_other = whole(&old.previous_limits, pair.from) != whole(&new.previous_limits, pair.to)
            || text(&old.previous_grades, pair.from) != text(&new.previous_grades, pair.to);
        let is_amount_other = whole(&old.gross, pair.from) != whole(&new.gross, pair.to)
            || whole(&old.deductions, pair.from) != whole(&new.deductions, pair.to);
        let otherwise =
            Weights { amounts: is_amount_other, previous: is_previous_other && !is_amount_other, rules: false };
        if !evidence.is_rulebook_exact {
            return Ok(otherwise);
        }
        let (before, after) = (Asked::of(old, pair.from), Asked::of(new, pair.to));
        let ask = |household: &Asked, previous: &Asked| household.suggested(previous, evidence, ranks);
        let (was, is) = (whole(&old.suggested, pair.from), whole(&new.suggested, pair.to));
        let weights = Weights {
            amounts: ask(&before, &after)? != is,
            previous: is_previous_other && ask(&after, &before)? != is,
            rules: evidence.possible.causes.has(Cause::Rule) && ask(&before, &before)? != was,
        };
        Ok(if weights.amounts || weights.previous || weights.rules { weights } else { otherwise })
    }
}

/// One household as the rules of limits see it.
struct Asked<'a> {
    households: &'a Households,
    row: usize,
}

impl Asked<'_> {
    fn of(households: &Households, row: usize) -> Asked<'_> {
        Asked { households, row }
    }

    /// What would be suggested after what the run of `previous` looked back at; None where the scale lacks the grade.
    fn suggested(&self, previous: &Asked, evidence: &Evidence, ranks: &Ranks) -> Result<Option<i64>> {
        let Some(rank) = text(&self.households.model_grades, self.row).and_then(|grade| ranks.find(grade)) else {
            return Ok(None);
        };
        let grade = ModelGrade {
            rank,
            score: None,
            vetoes: Box::default(),
            not_rateable: Box::default(),
            is_kept: false,
            previous_grade: None,
            change: Change::Same,
            reasons: Box::default(),
        };
        let earlier = previous.looked_back_at();
        let amounts = self.households.amounts(self.row);
        let limit = suggest(&amounts, &grade, earlier.as_ref(), &evidence.rulebook.limits, ranks)?;
        Ok(Some(limit.suggested))
    }

    fn looked_back_at(&self) -> Option<PreviousHousehold> {
        let grade = text(&self.households.previous_grades, self.row)?;
        Some(PreviousHousehold {
            household_id: String::new(),
            model_grade: grade.to_string(),
            suggested_limit: whole(&self.households.previous_limits, self.row).unwrap_or(0),
            noticed_grade: None,
        })
    }

    /// The limit for the household's own grade and facts by the later run's rules, before any hold.
    fn by_rules(&self, evidence: &Evidence, ranks: &Ranks) -> Result<Option<Limit>> {
        let rules = &evidence.rulebook.limits;
        let rank = text(&self.households.model_grades, self.row).and_then(|grade| ranks.find(grade));
        let Some(rank) = rank.filter(|_| evidence.is_rulebook_exact) else { return Ok(None) };
        let of_grade = grade_limits(rules, ranks, rank)?;
        Ok(of_grade.map(|of_grade| of_rated(&self.households.amounts(self.row), of_grade, rules)))
    }
}

/// The caps that bind in one of the runs and differ.
fn caps(evidence: &Evidence, ranks: &Ranks, pair: Pair, grading: &[Element]) -> Result<Vec<Element>> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let gross = (whole(&old.gross, pair.from), whole(&new.gross, pair.to));
    if gross.0 == gross.1 {
        return Ok(Vec::new());
    }
    let by_rules = Asked::of(old, pair.from).by_rules(evidence, ranks)?;
    let by_grade = grading.iter().fold(Causes::default(), |causes, element| causes.and(element.causes));
    let mut elements = Vec::new();
    for (place, cap) in Cap::ALL.into_iter().enumerate() {
        let amount = |households: &Households, row: usize| households.caps.get(place).and_then(|cap| whole(cap, row));
        let (from, to) = (amount(old, pair.from), amount(new, pair.to));
        let binds = from == gross.0 || to == gross.1 || from.is_none() || to.is_none();
        if from == to || !binds {
            continue;
        }
        let facts = changed_facts(evidence, facts_of(cap), pair);
        let causes = facts.iter().fold(by_grade, |causes, fact| causes.and(fact.causes));
        let is_rule = by_rules.as_ref().is_some_and(|limit| limit.caps.amounts().get(place).copied().flatten() != from);
        let is_rule = is_rule || causes.is_empty();
        let causes = causes.with(Cause::Rule, is_rule);
        let mut element = Element::new(What::Cap, cap.name(), POLICY).amounts(from, to).because(causes);
        // A cap that fell with the grade is no work of the policy on limits.
        element.policy = element.policy.filter(|_| is_rule);
        element.tables = facts.into_iter().flat_map(|fact| fact.tables).collect();
        element.tables.sort();
        element.tables.dedup();
        elements.push(element);
    }
    Ok(elements)
}

fn deductions(evidence: &Evidence, pair: Pair) -> Option<Element> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let (from, to) = (whole(&old.deductions, pair.from), whole(&new.deductions, pair.to));
    if from == to {
        return None;
    }
    let facts = changed_facts(evidence, &DEDUCTED, pair);
    let causes = facts.iter().fold(Causes::default(), |causes, fact| causes.and(fact.causes));
    let causes = causes.with(Cause::Rule, causes.is_empty());
    let mut element = Element::new(What::Deductions, "deductions", POLICY).amounts(from, to).because(causes);
    element.tables = facts.into_iter().flat_map(|fact| fact.tables).collect();
    element.tables.sort();
    element.tables.dedup();
    Some(element)
}

/// The decision in force, where it is another.
pub fn decision(evidence: &Evidence, pair: Pair) -> Option<Element> {
    let (old, new) = (&evidence.from.households, &evidence.to.households);
    let before = (text(&old.decision_ids, pair.from), text(&old.decisions, pair.from));
    let after = (text(&new.decision_ids, pair.to), text(&new.decisions, pair.to));
    let element = Element::new(What::Decision, "decision", POLICY).words(before.1, after.1).because(Cause::Decision);
    (before != after).then_some(element)
}

/// The facts by which a household came to another list.
pub fn list(evidence: &Evidence, pair: Pair) -> Vec<Element> {
    let rules = &evidence.rulebook.fact_rules;
    let reasons =
        [text(&evidence.from.households.list_reasons, pair.from), text(&evidence.to.households.list_reasons, pair.to)];
    let is_fresh =
        |value: Option<FactValue>| matches!(value, Some(FactValue::Whole(age)) if age <= i64::from(rules.fresh_days));
    let is_visited = |value: Option<FactValue>| matches!(value, Some(FactValue::Whole(count)) if count > 0);
    let mut elements = Vec::new();
    if reasons.contains(&Some("stale_profile")) {
        elements.extend(fact_with_effect(evidence, "profile_age_days", "fact_rules", pair, &is_fresh));
    }
    if reasons.contains(&Some("unvisited")) {
        elements.extend(fact_with_effect(evidence, "valid_visits_12m", "visit_checks", pair, &is_visited));
    }
    elements
}

/// What moved a list where no fact and no decision did.
pub fn list_rule(evidence: &Evidence, pair: Pair) -> Element {
    let reason = text(&evidence.to.households.list_reasons, pair.to);
    let reason = reason.filter(|reason| *reason != "ok").or(text(&evidence.from.households.list_reasons, pair.from));
    match reason {
        Some("stale_profile") => Element::new(What::Fact, "profile_age_days", "fact_rules"),
        Some("unvisited") => Element::new(What::Fact, "valid_visits_12m", "visit_checks"),
        _ => Element::new(What::LimitRules, POLICY, POLICY),
    }
    .because(Cause::Rule)
}

/// A decision still holds and its outcome moved: it gives the limit of a grade anew, or the cap of the grade binds.
pub fn under_decision(evidence: &Evidence, pair: Pair) -> Vec<Element> {
    const FACTS: [&str; 6] = [
        "net_income",
        "net_assets",
        "debt_service_12m",
        "own_unsecured_outstanding",
        "outside_outstanding",
        "outside_guarantees",
    ];
    let mut elements = changed_facts(evidence, &FACTS, pair);
    if elements.is_empty() {
        elements.push(Element::new(What::LimitRules, POLICY, POLICY).because(Cause::Rule));
    }
    elements
}
