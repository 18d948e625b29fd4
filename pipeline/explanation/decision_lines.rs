//! What persons decided about the household: the decision in force, those that it superseded or that expired, and
//! those that were set aside, with the rule that they broke. Which is which is the limit stage's finding.

use serde::Serialize;

use crate::calendar::format_time;
use crate::clean::typed::{Decisions, Rows as _};
use crate::fault::Result;
use crate::limit::decisions::Unsound;

use super::Subject;
use super::figures::Amount;
use super::words::{Language, UNSOUND};

/// One known decision, latest first.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionLine {
    pub decision_id: String,
    pub decided_at: String,
    pub action: String,
    pub grade: Option<String>,
    pub limit: Option<Amount>,
    pub overrides: Option<String>,
    pub reviewer_id: String,
    pub approver_id: Option<String>,
    pub reason: Option<String>,
    pub expires_on: Option<String>,
    /// `in_force`, `superseded`, `expired` or `set_aside`.
    pub state: &'static str,
    /// The rule that set it aside, and its meaning.
    pub rule: Option<&'static str>,
    pub rule_text: Option<String>,
}

pub fn decisions(subject: &Subject) -> Result<Vec<DecisionLine>> {
    let Some(decisions) = &subject.tables().decisions else { return Ok(Vec::new()) };
    let actions = &subject.contracts.input("decisions")?.column("action")?.words;
    let mut rows: Vec<usize> =
        (0..decisions.rows).filter(|&row| decisions.household_id.get(row) == Some(subject.position)).collect();
    rows.sort_by_key(|&row| (decisions.decided_at.get(row), decisions.decision_id.text(row)));
    rows.into_iter().rev().map(|row| line(subject, decisions, row, actions)).collect()
}

fn line(subject: &Subject, decisions: &Decisions, row: usize, actions: &[String]) -> Result<DecisionLine> {
    let unsound = subject.night.decided.unsound.iter().find(|unsound| unsound.0 == row).map(|unsound| unsound.1);
    let in_force = subject.outcome()?.decision.as_ref().is_some_and(|decision| decision.row == row);
    let is_expired = decisions.expires_on.get(row).is_some_and(|day| day <= subject.as_of());
    let state = match unsound {
        Some(_) => "set_aside",
        None if in_force => "in_force",
        None if is_expired => "expired",
        None => "superseded",
    };
    let rule = unsound.map(Unsound::name);
    let text = |column: Option<&str>| column.map(str::trim).filter(|text| !text.is_empty()).map(String::from);
    let action = decisions.action.get(row).map_or(usize::MAX, usize::from);
    Ok(DecisionLine {
        decision_id: decisions.decision_id.text(row).into(),
        decided_at: decisions.decided_at.get(row).map(format_time).unwrap_or_default(),
        action: actions.get(action).cloned().unwrap_or_default(),
        grade: text(decisions.grade.get(row)),
        limit: decisions.limit.get(row).map(|cents| Amount(i128::from(cents))),
        overrides: text(decisions.overrides.get(row)),
        reviewer_id: decisions.reviewer_id.text(row).into(),
        approver_id: text(decisions.approver_id.get(row)),
        reason: text(decisions.reason.get(row)),
        expires_on: decisions.expires_on.get(row).map(|day| day.to_string()),
        state,
        rule,
        rule_text: unsound
            .map(|rule| subject.language.pick(rule.message().into(), Language::Zh.word(UNSOUND, rule.name()))),
    })
}
