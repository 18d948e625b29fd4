//! What became of the household in one or two sentences: the grade that holds, the list and why, the limit, the
//! decision behind it, and what changed since the previous run.

use serde::Serialize;

use crate::fault::{Error, Result};
use crate::grade::Change;
use crate::limit::credit_list::profile_valid_until;

use super::Subject;
use super::figures::Amount;
use super::words::{ACTIONS, LIST_REASONS, LISTS};

/// What holds for the household.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub final_grade: String,
    pub final_limit: Amount,
    /// `white`, `grey` or `black`.
    pub credit_list: String,
    pub list_reason: String,
    /// `none`, `accept`, `adjust`, `decline` or `suspend`.
    pub decision: String,
    pub decision_id: Option<String>,
    pub model_grade: String,
    pub suggested_limit: Amount,
    /// Codes of every veto that applies.
    pub vetoes: Vec<String>,
    /// `new`, `up`, `down` or `same`, of the model grade against the previous run's.
    pub change: String,
    pub previous_grade: Option<String>,
    pub previous_limit: Option<Amount>,
    /// The last day on which the profile rates.
    pub profile_valid_until: Option<String>,
    /// The same in words.
    pub text: String,
}

impl Outcome {
    pub fn of(subject: &Subject) -> Result<Outcome> {
        let (grade, limit, outcome) = (subject.grade()?, subject.limit()?, subject.outcome()?);
        let place = subject.night.lists.get(subject.number).copied();
        let (list, reason) = place.ok_or_else(|| Error::internal("the household is on no credit list"))?;
        let until = profile_valid_until(subject.as_of(), subject.value("profile_age_days"), subject.rulebook);
        let decisions = subject.tables().decisions.as_ref();
        let decision_id =
            outcome.decision.as_ref().zip(decisions).map(|(decision, rows)| rows.decision_id.text(decision.row));
        let earlier = subject.earlier();
        let mut found = Outcome {
            final_grade: subject.ranks.name(outcome.rank).into(),
            final_limit: Amount(i128::from(outcome.limit)),
            credit_list: list.name().into(),
            list_reason: reason.name().into(),
            decision: outcome.decision.as_ref().map_or("none", |decision| decision.action.name()).into(),
            decision_id: decision_id.map(Into::into),
            model_grade: subject.ranks.name(grade.rank).into(),
            suggested_limit: Amount(i128::from(limit.suggested)),
            vetoes: subject.vetoes()?.map(|veto| veto.code.clone()).collect(),
            change: grade.change.name().into(),
            previous_grade: grade.previous_grade.as_deref().map(String::from),
            previous_limit: earlier.map(|earlier| Amount(i128::from(earlier.suggested_limit))),
            profile_valid_until: until.map(|day| day.to_string()),
            text: String::new(),
        };
        found.text = found.in_words(subject, grade.change);
        Ok(found)
    }

    fn in_words(&self, subject: &Subject, change: Change) -> String {
        let language = subject.language;
        let Outcome { final_grade, final_limit, model_grade, suggested_limit, .. } = self;
        let list = language.word(LISTS, &self.credit_list);
        let why = language.word(LIST_REASONS, &self.list_reason);
        let holds = language.pick(
            format!("Final grade {final_grade}, {list} ({why}), final limit {final_limit}."),
            format!("最终等级{final_grade}，{list}（{why}），最终额度{final_limit}。"),
        );
        let decision = match &self.decision_id {
            None => language.pick(
                "No decision is in force: the model's grade and limit hold.".into(),
                "无有效审批，以模型结果为准。".into(),
            ),
            Some(id) => {
                let action = language.word(ACTIONS, &self.decision);
                language.pick(
                    format!(
                        "Decision {id} ({action}) is in force; the model says {model_grade} and {suggested_limit}."
                    ),
                    format!("审批{id}（{action}）有效；模型结果为{model_grade}、{suggested_limit}。"),
                )
            }
        };
        format!(
            "{holds}{space}{decision}{space}{}",
            self.change_in_words(subject, change),
            space = language.pick(" ", "")
        )
    }

    fn change_in_words(&self, subject: &Subject, change: Change) -> String {
        let language = subject.language;
        let Some(earlier) = &self.previous_grade else {
            return match &subject.previous.run_id {
                None => language.pick("There is no previous run.".into(), "无上次运行。".into()),
                Some(_) => language.pick("The previous run had no such household.".into(), "上次运行无此户。".into()),
            };
        };
        let limit = self.previous_limit.map_or_else(String::new, |limit| limit.to_string());
        let model = &self.model_grade;
        match change {
            Change::Same => language.pick(
                format!("Model grade unchanged since the previous run ({earlier}, limit then {limit})."),
                format!("模型等级与上次相同（{earlier}，上次额度{limit}）。"),
            ),
            Change::Up => language.pick(
                format!("Model grade up from {earlier} to {model} (limit then {limit})."),
                format!("模型等级由{earlier}上调至{model}（上次额度{limit}）。"),
            ),
            Change::Down => language.pick(
                format!("Model grade down from {earlier} to {model} (limit then {limit})."),
                format!("模型等级由{earlier}下调至{model}（上次额度{limit}）。"),
            ),
            Change::New => language.pick(
                format!("The previous run's grade {earlier} is not of today's scale, so the grade counts as new."),
                format!("上次等级{earlier}不在现行等级表内，视为新评。"),
            ),
        }
    }
}
