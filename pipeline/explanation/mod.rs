//! One household of a night, explained to a credit officer: what holds, the facts with their source rows, the points,
//! the reasons, the grade, the limit step by step, the decisions, and what would raise the grade.
//! Every figure is the night's own; this module looks up, fills in and words. The form for machines is `Explanation`
//! itself, whose field names are the keys of its JSON; the form for people is made of it in `text`.

mod changes;
mod decision_lines;
mod evidence;
mod fact_lines;
mod figures;
mod grading;
mod identity;
mod limit_steps;
mod outcome;
mod points;
mod reasons;
mod text;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::calendar::Date;
use crate::clean::{Meaning, Tables};
use crate::contract::Contracts;
use crate::facts::FactValue;
use crate::fault::{Error, Result};
use crate::grade::{ModelGrade, Ranks};
use crate::limit::Limit;
use crate::limit::decisions::Final;
use crate::night::Night;
use crate::previous::{Previous, PreviousHousehold};
use crate::rulebook::{Rulebook, Scorecard, Veto};
use crate::score::HouseholdScore;

use self::changes::Changes;
use self::decision_lines::DecisionLine;
use self::fact_lines::FactLine;
use self::grading::Grading;
use self::identity::Identity;
use self::limit_steps::LimitSteps;
use self::outcome::Outcome;
use self::points::PointsSheet;
use self::reasons::Reason;

pub use self::figures::{Amount, Figure, Points, grouped};
pub use self::identity::locate;
pub use self::text::in_words;
pub use self::words::{Language, Word};

/// Everything there is to say about one household of a night; amounts and points are decimals as text, dates are
/// `YYYY-MM-DD`, texts are in the language that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub household: Identity,
    pub run: RunHead,
    pub outcome: Outcome,
    /// In the order of `household_facts`.
    pub facts: Vec<FactLine>,
    pub points: PointsSheet,
    /// At most four, in their order.
    pub reasons: Vec<Reason>,
    pub grade: Grading,
    pub limit: LimitSteps,
    /// Every known decision, latest first.
    pub decisions: Vec<DecisionLine>,
    pub changes: Changes,
}

/// The night that is explained, against the published run.
#[derive(Clone, Debug, Serialize)]
pub struct RunHead {
    pub as_of: String,
    /// Of today's inputs and rules.
    pub run_id: String,
    pub previous_run_id: Option<String>,
    /// None where the night was not published.
    pub published_run_id: Option<String>,
    /// The inputs or the rules have changed since the run was published.
    pub has_changed: bool,
    /// What the published run said of the household, where something has changed.
    pub published_model_grade: Option<String>,
    pub published_suggested_limit: Option<Amount>,
}

/// Where the night comes from: its own run id, and the published run that it is laid beside.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub run_id: String,
    pub published_run_id: Option<String>,
    /// What the published run said, where its id is not the night's.
    pub published: Option<PreviousHousehold>,
}

impl RunHead {
    fn of(subject: &Subject, origin: &Origin) -> RunHead {
        let published = origin.published.as_ref();
        RunHead {
            as_of: subject.as_of().to_string(),
            run_id: origin.run_id.clone(),
            previous_run_id: subject.previous.run_id.clone(),
            published_run_id: origin.published_run_id.clone(),
            has_changed: origin.published_run_id.as_ref().is_some_and(|published| *published != origin.run_id),
            published_model_grade: published.map(|household| household.model_grade.clone()),
            published_suggested_limit: published.map(|household| Amount(i128::from(household.suggested_limit))),
        }
    }
}

/// Explains one household of a night, by its number in the run.
pub fn explain(subject: &Subject, origin: &Origin) -> Result<Explanation> {
    let points = PointsSheet::of(subject)?;
    Ok(Explanation {
        household: Identity::of(subject)?,
        run: RunHead::of(subject, origin),
        outcome: Outcome::of(subject)?,
        facts: fact_lines::facts(subject)?,
        reasons: reasons::reasons(subject, &points)?,
        points,
        grade: Grading::of(subject)?,
        limit: LimitSteps::of(subject)?,
        decisions: decision_lines::decisions(subject)?,
        changes: Changes::of(subject)?,
    })
}

/// One household of a night, with everything that was looked at to rate it.
pub struct Subject<'a> {
    night: &'a Night,
    previous: &'a Previous,
    rulebook: &'a Rulebook,
    contracts: &'a Contracts,
    language: Language,
    /// Number in the run.
    number: usize,
    /// Position of its identifier, by which other tables refer to it.
    position: usize,
    ranks: Ranks,
}

impl<'a> Subject<'a> {
    pub fn of(
        night: &'a Night,
        previous: &'a Previous,
        rulebook: &'a Rulebook,
        contracts: &'a Contracts,
        number: usize,
        language: Language,
    ) -> Result<Subject<'a>> {
        let households = &night.cleaned.tables.households;
        let id = households.household_id.text(night.register.row(number));
        let Meaning::Accepted(position) = households.ids.find(id) else {
            return Err(Error::internal(format!("household {number} is not in the run")));
        };
        let ranks = Ranks::of(&rulebook.scale);
        Ok(Subject { night, previous, rulebook, contracts, language, number, position: position as usize, ranks })
    }

    fn tables(&self) -> &'a Tables {
        &self.night.cleaned.tables
    }

    fn as_of(&self) -> Date {
        self.night.register.as_of
    }

    /// The row of `households` that is valid on the as-of date.
    fn row(&self) -> usize {
        self.night.register.row(self.number)
    }

    fn id(&self) -> &'a str {
        self.tables().households.household_id.text(self.row())
    }

    fn value(&self, fact: &str) -> Option<FactValue> {
        self.night.facts.value(fact, self.number)
    }

    fn score(&self) -> Result<HouseholdScore<'a>> {
        self.night.scores.household(self.number)
    }

    fn card(&self) -> Result<&'a Scorecard> {
        let card = self.rulebook.scorecards.get(self.score()?.scorecard);
        card.ok_or_else(|| Error::internal("a scorecard is missing"))
    }

    fn grade(&self) -> Result<&'a ModelGrade> {
        self.night.grades.get(self.number).ok_or_else(|| Error::internal("a household has no grade"))
    }

    fn limit(&self) -> Result<&'a Limit> {
        self.night.limits.get(self.number).ok_or_else(|| Error::internal("a household has no limit"))
    }

    fn outcome(&self) -> Result<&'a Final> {
        self.night.decided.finals.get(self.number).ok_or_else(|| Error::internal("a household has no outcome"))
    }

    fn vetoes(&self) -> Result<impl Iterator<Item = &'a Veto>> {
        Ok(self.grade()?.vetoes_in(self.rulebook))
    }

    /// What the previous run said of the household.
    fn earlier(&self) -> Option<&'a PreviousHousehold> {
        let households = &self.previous.households;
        let place = households.binary_search_by(|household| household.household_id.as_str().cmp(self.id())).ok()?;
        households.get(place)
    }

    /// Whether the bank exports the table at all.
    fn has_table(&self, table: &str) -> bool {
        self.night.cleaned.counts.contains_key(table)
    }
}
