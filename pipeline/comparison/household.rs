//! One household that moved: what of it moved, by which elements, and why. An element is the smallest thing that a
//! person can look up: a characteristic, a veto, a cap, a decision.

use serde::Serialize;

use crate::explanation::{Amount, Figure, Points};
use crate::fault::Result;
use crate::grade::{NOT_RATEABLE, Ranks};

use super::causes::{Cause, Causes};
use super::grading;
use super::limits;
use super::origins::{Step, step};
use super::paths::{Evidence, Pair};
use super::side::{text, whole};

/// How a household moved; it may have moved in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Up,
    Down,
    BecameRateable,
    NoLongerRateable,
    /// The model's grade moved and the final one did not.
    ModelGradeOnly,
    LimitRaised,
    LimitLowered,
    /// The suggested limit moved and the final one did not.
    SuggestedLimitOnly,
    List,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Up,
        Kind::Down,
        Kind::BecameRateable,
        Kind::NoLongerRateable,
        Kind::ModelGradeOnly,
        Kind::LimitRaised,
        Kind::LimitLowered,
        Kind::SuggestedLimitOnly,
        Kind::List,
    ];
}

/// A household of both runs that moved; null where nothing did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    pub household_id: String,
    pub branch_id: String,
    pub kinds: Vec<Kind>,
    pub model_grade: Option<Step<String>>,
    pub final_grade: Option<Step<String>>,
    pub suggested_limit: Option<Step<Amount>>,
    pub final_limit: Option<Step<Amount>>,
    pub credit_list: Option<Step<String>>,
    pub causes: Causes,
    pub elements: Vec<Element>,
}

/// What an element is; each is decided in one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Characteristic,
    Fact,
    Veto,
    Cap,
    Deductions,
    /// The previous limit was held, or is not any more.
    Hold,
    LimitRules,
    /// The previous grade stood in the way of a better one, or does not any more.
    UpgradeMargin,
    GradeScale,
    Scorecard,
    HouseholdKind,
    Decision,
}

impl What {
    pub const ALL: [What; 12] = [
        What::Characteristic,
        What::Fact,
        What::Veto,
        What::Cap,
        What::Deductions,
        What::Hold,
        What::LimitRules,
        What::UpgradeMargin,
        What::GradeScale,
        What::Scorecard,
        What::HouseholdKind,
        What::Decision,
    ];

    /// As the JSON form names it.
    pub fn name(self) -> &'static str {
        match self {
            What::Characteristic => "characteristic",
            What::Fact => "fact",
            What::Veto => "veto",
            What::Cap => "cap",
            What::Deductions => "deductions",
            What::Hold => "hold",
            What::LimitRules => "limit_rules",
            What::UpgradeMargin => "upgrade_margin",
            What::GradeScale => "grade_scale",
            What::Scorecard => "scorecard",
            What::HouseholdKind => "household_kind",
            What::Decision => "decision",
        }
    }
}

/// One thing by which a household moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Element {
    pub what: What,
    pub name: String,
    pub from: Option<Value>,
    pub to: Option<Value>,
    /// Only of a characteristic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<Step<Points>>,
    pub causes: Causes,
    /// Input tables that feed it and differ; empty where no input is a cause.
    pub tables: Vec<String>,
    /// The policy that it is decided in, where a rule is a cause.
    pub policy: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    Figure(Figure),
    Word(String),
}

impl Element {
    pub fn new(what: What, name: &str, policy: &str) -> Element {
        Element {
            what,
            name: name.to_string(),
            from: None,
            to: None,
            points: None,
            causes: Causes::default(),
            tables: Vec::new(),
            policy: Some(policy.to_string()),
        }
    }

    #[must_use]
    pub fn words(mut self, from: Option<&str>, to: Option<&str>) -> Element {
        self.from = from.map(|word| Value::Word(word.to_string()));
        self.to = to.map(|word| Value::Word(word.to_string()));
        self
    }

    #[must_use]
    pub fn amounts(mut self, from: Option<i64>, to: Option<i64>) -> Element {
        let amount = |cents: i64| Value::Figure(Figure::Amount(Amount(i128::from(cents))));
        (self.from, self.to) = (from.map(amount), to.map(amount));
        self
    }

    #[must_use]
    pub fn because(mut self, causes: impl Into<Causes>) -> Element {
        self.causes = causes.into();
        self
    }
}

/// Finds out how a household moved and why.
pub struct Judge<'a> {
    pub evidence: Evidence<'a>,
    pub ranks: Ranks,
}

impl Judge<'_> {
    /// None: nothing of the household moved.
    pub fn judge(&self, pair: Pair) -> Result<Option<Moved>> {
        let (old, new) = (&self.evidence.from.households, &self.evidence.to.households);
        let words = |from, to| step(text(from, pair.from), text(to, pair.to)).map(named);
        let amounts = |from, to| step(whole(from, pair.from), whole(to, pair.to)).map(amount);
        let mut moved = Moved {
            household_id: new.ids.value(pair.to).to_string(),
            branch_id: new.branches.value(pair.to).to_string(),
            kinds: Vec::new(),
            model_grade: words(&old.model_grades, &new.model_grades),
            final_grade: words(&old.final_grades, &new.final_grades),
            suggested_limit: amounts(&old.suggested, &new.suggested),
            final_limit: amounts(&old.final_limits, &new.final_limits),
            credit_list: words(&old.lists, &new.lists),
            causes: Causes::default(),
            elements: Vec::new(),
        };
        moved.kinds = self.kinds(&moved);
        if moved.kinds.is_empty() {
            return Ok(None);
        }
        moved.elements = self.elements(&moved, pair)?;
        let causes = moved.elements.iter().fold(Causes::default(), |causes, element| causes.and(element.causes));
        moved.causes = if causes.is_empty() { self.otherwise() } else { causes };
        Ok(Some(moved))
    }

    fn kinds(&self, moved: &Moved) -> Vec<Kind> {
        let mut kinds = Vec::new();
        kinds.extend(moved.final_grade.as_ref().map(|grade| self.direction(grade)));
        kinds.extend((moved.model_grade.is_some() && moved.final_grade.is_none()).then_some(Kind::ModelGradeOnly));
        kinds.extend(moved.final_limit.as_ref().map(|limit| match limit.to.0 > limit.from.0 {
            true => Kind::LimitRaised,
            false => Kind::LimitLowered,
        }));
        let is_suggested_only = moved.suggested_limit.is_some() && moved.final_limit.is_none();
        kinds.extend(is_suggested_only.then_some(Kind::SuggestedLimitOnly));
        kinds.extend(moved.credit_list.as_ref().map(|_| Kind::List));
        kinds
    }

    /// Up or down in the order of the later run's scale; a grade that it does not have stands below the others.
    pub fn direction(&self, grade: &Step<String>) -> Kind {
        let rank = |name: &str| self.ranks.find(name).unwrap_or(self.ranks.veto());
        match (grade.from.as_str(), grade.to.as_str()) {
            (NOT_RATEABLE, _) => Kind::BecameRateable,
            (_, NOT_RATEABLE) => Kind::NoLongerRateable,
            (from, to) if rank(to) < rank(from) => Kind::Up,
            _ => Kind::Down,
        }
    }

    fn elements(&self, moved: &Moved, pair: Pair) -> Result<Vec<Element>> {
        let mut elements = Vec::new();
        let grading = if moved.model_grade.is_some() {
            grading::elements(&self.evidence, &self.ranks, pair)?
        } else {
            Vec::new()
        };
        if moved.suggested_limit.is_some() {
            elements.extend(limits::suggested(&self.evidence, &self.ranks, pair, &grading)?);
        }
        let is_final_moved = moved.final_grade.is_some() || moved.final_limit.is_some();
        if is_final_moved || moved.credit_list.is_some() {
            elements.extend(limits::decision(&self.evidence, pair));
        }
        if moved.credit_list.is_some() {
            elements.extend(limits::list(&self.evidence, pair));
        }
        elements.splice(0..0, grading);
        if elements.is_empty() && is_final_moved {
            elements.extend(limits::under_decision(&self.evidence, pair));
        }
        if elements.is_empty() && moved.credit_list.is_some() {
            elements.push(limits::list_rule(&self.evidence, pair));
        }
        let mut seen: Vec<(What, String)> = Vec::new();
        elements.retain(|element| {
            let key = (element.what, element.name.clone());
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
        elements.iter_mut().for_each(|element| self.settle(element));
        Ok(elements)
    }

    /// Only what differs between the runs can be a cause.
    fn settle(&self, element: &mut Element) {
        let possible = self.evidence.possible.causes;
        element.causes = match element.causes.within(possible) {
            _ if possible.is_alone() => possible,
            causes if causes.is_empty() => self.otherwise(),
            causes => causes,
        };
        let is_fed = element.causes.has(Cause::Input) || element.causes.has(Cause::InputOrTime);
        if !is_fed {
            element.tables.clear();
        }
        if !element.causes.has(Cause::Rule) {
            element.policy = None;
        }
    }

    /// The cause of what no element explains.
    fn otherwise(&self) -> Causes {
        let possible = self.evidence.possible.causes;
        let first = [Cause::Rule, Cause::Input, Cause::EarlierRun, Cause::Decision, Cause::Time];
        let found = first.into_iter().find(|&cause| possible.has(cause));
        found.map_or(possible, Causes::from)
    }
}

fn named(step: Step<Option<&str>>) -> Step<String> {
    let name = |text: Option<&str>| text.unwrap_or("").to_string();
    Step { from: name(step.from), to: name(step.to) }
}

fn amount(step: Step<Option<i64>>) -> Step<Amount> {
    let amount = |cents: Option<i64>| Amount(i128::from(cents.unwrap_or(0)));
    Step { from: amount(step.from), to: amount(step.to) }
}
