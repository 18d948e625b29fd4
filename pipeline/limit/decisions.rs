//! What named persons decided (`rules.md` §5, Decisions): which decision is in force, which is unsound, and what
//! becomes of the grade and the limit. The model's own grade and suggestion stay as they are.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::calendar::day_of;
use crate::clean::typed::{Decisions, Rows as _};
use crate::clean::{SetAside, Tables};
use crate::contract::Contracts;
use crate::facts::Facts;
use crate::fault::Result;
use crate::grade::{ModelGrade, Rank, Ranks};
use crate::in_order;
use crate::register::Register;
use crate::rulebook::{LimitRules, Rulebook};

use super::{AmountFacts, Amounts, Limit, grade_limits, of_rated};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Accept,
    Adjust,
    Decline,
    Suspend,
}

impl Action {
    pub fn name(self) -> &'static str {
        match self {
            Action::Accept => "accept",
            Action::Adjust => "adjust",
            Action::Decline => "decline",
            Action::Suspend => "suspend",
        }
    }

    /// Whether the household is to be served: accepted as suggested, or adjusted.
    pub fn approves(self) -> bool {
        matches!(self, Action::Accept | Action::Adjust)
    }

    fn find(word: &str) -> Option<Action> {
        [Action::Accept, Action::Adjust, Action::Decline, Action::Suspend]
            .into_iter()
            .find(|action| action.name() == word)
    }
}

/// Why a decision is set aside, in the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    ApproverMissing,
    SamePerson,
    ReasonMissing,
    NothingAccepted,
    NothingAdjusted,
    GradeMissing,
    GradeUnknown,
    LimitAboveCap,
    VetoNotOverridable,
    VetoNotNamed,
}

impl Unsound {
    pub const ALL: [Unsound; 10] = [
        Unsound::ApproverMissing,
        Unsound::SamePerson,
        Unsound::ReasonMissing,
        Unsound::NothingAccepted,
        Unsound::NothingAdjusted,
        Unsound::GradeMissing,
        Unsound::GradeUnknown,
        Unsound::LimitAboveCap,
        Unsound::VetoNotOverridable,
        Unsound::VetoNotNamed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Unsound::ApproverMissing => "approver_missing",
            Unsound::SamePerson => "same_person",
            Unsound::ReasonMissing => "reason_missing",
            Unsound::NothingAccepted => "nothing_accepted",
            Unsound::NothingAdjusted => "nothing_adjusted",
            Unsound::GradeMissing => "grade_missing",
            Unsound::GradeUnknown => "grade_unknown",
            Unsound::LimitAboveCap => "limit_above_cap",
            Unsound::VetoNotOverridable => "veto_not_overridable",
            Unsound::VetoNotNamed => "veto_not_named",
        }
    }

    /// What was wrong, as the decider reads it.
    pub fn message(self) -> &'static str {
        match self {
            Unsound::ApproverMissing => "an adjust, decline or suspend needs an approver",
            Unsound::SamePerson => "the approver is the reviewer",
            Unsound::ReasonMissing => "an adjust, decline or suspend needs a reason",
            Unsound::NothingAccepted => {
                "an accept needs the grade and the limit that were accepted, and accepts no veto grade"
            }
            Unsound::NothingAdjusted => "an adjust needs a grade or a limit",
            Unsound::GradeMissing => "an adjusted limit needs the grade that it goes with",
            Unsound::GradeUnknown => "the given grade is not in the scale",
            Unsound::LimitAboveCap => "the given limit is above the cap of the given grade or of the product",
            Unsound::VetoNotOverridable => "the household has a veto that nobody may override",
            Unsound::VetoNotNamed => "`overrides` does not name every veto of the household",
        }
    }

    /// The column at which a reader looks first.
    pub fn column(self) -> &'static str {
        match self {
            Unsound::ApproverMissing | Unsound::SamePerson => "approver_id",
            Unsound::ReasonMissing => "reason",
            Unsound::NothingAccepted | Unsound::NothingAdjusted | Unsound::GradeMissing | Unsound::GradeUnknown => {
                "grade"
            }
            Unsound::LimitAboveCap => "limit",
            Unsound::VetoNotOverridable | Unsound::VetoNotNamed => "overrides",
        }
    }
}

/// A sound decision in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Row in `decisions`.
    pub row: usize,
    pub action: Action,
    pub grade: Option<Rank>,
    /// In cents.
    pub limit: Option<i64>,
}

/// What holds for one household after decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Final {
    pub rank: Rank,
    /// In cents.
    pub limit: i64,
    /// Few households have one.
    pub decision: Option<Box<InForce>>,
}

/// The outcome of all decisions.
#[derive(Debug)]
pub struct Decided {
    /// In the order of the register.
    pub finals: Vec<Final>,
    /// Unsound decisions: their row in `decisions`, and why.
    pub unsound: Vec<(usize, Unsound)>,
}

/// The decisions of a bank, sorted into those in force and those that are unsound.
pub struct Desk<'a> {
    ranks: Ranks,
    rulebook: &'a Rulebook,
    /// By household of the run, the latest sound decision so far.
    in_force: HashMap<usize, InForce>,
    unsound: Vec<(usize, Unsound)>,
}

impl<'a> Desk<'a> {
    /// Looks at every decision beside the model's grade.
    pub fn of(
        tables: &Tables,
        register: &Register,
        grades: &[ModelGrade],
        rulebook: &'a Rulebook,
        contracts: &Contracts,
    ) -> Result<Desk<'a>> {
        let ranks = Ranks::of(&rulebook.scale);
        let mut desk = Desk { ranks, rulebook, in_force: HashMap::new(), unsound: Vec::new() };
        if let Some(decisions) = &tables.decisions {
            let actions = &contracts.input("decisions")?.column("action")?.words;
            let actions: Vec<Option<Action>> = actions.iter().map(|word| Action::find(word)).collect();
            desk.sort(decisions, register, grades, &actions);
        }
        Ok(desk)
    }

    /// Applies the decisions in force to every household of the run.
    pub fn decide(self, facts: &Facts, grades: &[ModelGrade], limits: &[Limit]) -> Result<Decided> {
        let amounts = AmountFacts::of(facts)?;
        let finals = grades.par_iter().zip(limits).enumerate().map(|(household, (grade, limit))| {
            let decision = self.in_force.get(&household).copied();
            // Only a decision can ask for the limit anew.
            let amounts = decision.map(|_| amounts.at(household)).unwrap_or_default();
            apply(decision, grade.rank, limit.suggested, &amounts, &self.rulebook.limits, &self.ranks)
        });
        Ok(Decided { finals: in_order::all(finals)?, unsound: self.unsound })
    }

    fn sort(&mut self, decisions: &Decisions, register: &Register, grades: &[ModelGrade], actions: &[Option<Action>]) {
        let rank = |row: usize| (decisions.decided_at.get(row), decisions.decision_id.text(row));
        for row in 0..decisions.rows {
            let is_expired = decisions.expires_on.get(row).is_some_and(|day| day <= register.as_of);
            let household = decisions.household_id.get(row).and_then(|position| register.number(position));
            let Some((household, grade)) = household.and_then(|household| Some((household, grades.get(household)?)))
            else {
                continue;
            };
            let action = decisions.action.get(row).and_then(|code| actions.get(usize::from(code)).copied().flatten());
            let Some(action) = action.filter(|_| !is_expired) else { continue };
            match self.fault(decisions, row, action, grade) {
                Some(fault) => self.unsound.push((row, fault)),
                None => {
                    let given = decisions.grade.get(row).and_then(|grade| self.ranks.find(grade));
                    let next = InForce { row, action, grade: given, limit: decisions.limit.get(row) };
                    let slot = self.in_force.entry(household).or_insert(next);
                    if rank(slot.row) < rank(row) {
                        *slot = next;
                    }
                }
            }
        }
    }

    /// The first rule that the decision breaks.
    fn fault(&self, decisions: &Decisions, row: usize, action: Action, model: &ModelGrade) -> Option<Unsound> {
        let approver = decisions.approver_id.get(row).filter(|id| !id.trim().is_empty());
        let reason = decisions.reason.get(row).filter(|reason| !reason.trim().is_empty());
        let (grade, limit) = (decisions.grade.get(row), decisions.limit.get(row));
        let scale = &self.rulebook.scale;
        let is_known = |grade: &str| grade == scale.veto_grade || scale.grades.iter().any(|known| known.grade == grade);
        let (is_accept, is_adjust) = (action == Action::Accept, action == Action::Adjust);
        let nothing_accepted = grade.is_none() || limit.is_none() || grade == Some(scale.veto_grade.as_str());
        let faults = [
            (Unsound::ApproverMissing, !is_accept && approver.is_none()),
            (Unsound::SamePerson, approver.is_some() && approver == decisions.reviewer_id.get(row)),
            (Unsound::ReasonMissing, !is_accept && reason.is_none()),
            (Unsound::NothingAccepted, is_accept && nothing_accepted),
            (Unsound::NothingAdjusted, is_adjust && grade.is_none() && limit.is_none()),
            (Unsound::GradeMissing, is_adjust && grade.is_none() && limit.is_some()),
            (Unsound::GradeUnknown, grade.is_some_and(|grade| !is_known(grade))),
            (Unsound::LimitAboveCap, is_adjust && self.is_above_cap(grade, limit)),
            (Unsound::VetoNotOverridable, is_adjust && self.has_final_veto(model)),
            (Unsound::VetoNotNamed, is_adjust && !self.names_every_veto(decisions.overrides.get(row), model)),
        ];
        faults.into_iter().find(|&(_, applies)| applies).map(|(fault, _)| fault)
    }

    fn is_above_cap(&self, grade: Option<&str>, limit: Option<i64>) -> bool {
        let (Some(grade), Some(limit)) = (grade, limit) else { return false };
        let rules = &self.rulebook.limits;
        // The veto grade has no limits, and so cap 0.
        let cap = rules.grades.iter().find(|limits| limits.grade == grade).map_or(0, |limits| limits.cap_cents);
        limit > cap.min(rules.product_cap_cents)
    }

    fn has_final_veto(&self, model: &ModelGrade) -> bool {
        model.vetoes_in(self.rulebook).any(|veto| !veto.is_overridable)
    }

    fn names_every_veto(&self, overrides: Option<&str>, model: &ModelGrade) -> bool {
        let named: Vec<&str> = overrides.unwrap_or("").split('|').map(str::trim).collect();
        model.vetoes_in(self.rulebook).all(|veto| named.contains(&veto.code.as_str()))
    }
}

/// What a decision makes of the model's grade and suggestion.
pub fn apply(
    decision: Option<InForce>,
    model: Rank,
    suggested: i64,
    amounts: &Amounts,
    rules: &LimitRules,
    ranks: &Ranks,
) -> Result<Final> {
    let unchanged = Final { rank: model, limit: suggested, decision: decision.map(Box::new) };
    let Some(decision) = decision else { return Ok(unchanged) };
    Ok(match decision.action {
        Action::Decline | Action::Suspend => Final { limit: 0, ..unchanged },
        Action::Accept => {
            // Never more than was accepted: the worse of the two grades is the later in their order.
            let rank = decision.grade.unwrap_or(model).max(model);
            let cap = grade_limits(rules, ranks, rank)?.map_or(0, |limits| limits.cap_cents);
            let accepted = decision.limit.unwrap_or(0);
            Final { rank, limit: accepted.min(suggested).min(cap), ..unchanged }
        }
        Action::Adjust => {
            let rank = decision.grade.unwrap_or(model);
            let limit = match (grade_limits(rules, ranks, rank)?, decision.limit) {
                (None, _) => 0,
                (Some(_), Some(given)) => given,
                (Some(of_grade), None) => of_rated(amounts, of_grade, rules).suggested,
            };
            Final { rank, limit, ..unchanged }
        }
    })
}

/// The rows of `quarantine` for unsound decisions, by row.
pub fn set_aside(decided: &Decided, tables: &Tables, origins: &[(String, u64)]) -> Vec<SetAside> {
    let Some(decisions) = &tables.decisions else { return Vec::new() };
    let rows = decided.unsound.iter().map(|&(row, fault)| {
        let (source, row_number) = origins.get(row).cloned().unwrap_or_default();
        let decided_on = decisions.decided_at.get(row).map(day_of);
        let when = decided_on.map_or_else(String::new, |day| format!(" of {day}"));
        SetAside {
            table: "decisions".into(),
            source,
            row_number,
            key: decisions.decision_id.text(row).into(),
            rule: fault.name().into(),
            column: Some(fault.column().into()),
            message: format!("the decision{when} is unsound: {}", fault.message()),
        }
    });
    rows.collect()
}
