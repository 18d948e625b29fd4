//! White, grey and black (`rules.md` §5, List): where a household stands for whoever serves it, and why.

use rayon::prelude::*;

use crate::calendar::Date;
use crate::facts::{FactValue, Facts, value_at};
use crate::grade::{ModelGrade, Ranks};
use crate::rulebook::Rulebook;

use super::decisions::{Action, Final};

/// A list and why a household is on it.
pub type Place = (CreditList, Why);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditList {
    White,
    Grey,
    Black,
}

impl CreditList {
    pub fn name(self) -> &'static str {
        match self {
            CreditList::White => "white",
            CreditList::Grey => "grey",
            CreditList::Black => "black",
        }
    }
}

/// Why a household is on its list, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Vetoed,
    NotRateable,
    Declined,
    Suspended,
    NoLimit,
    StaleProfile,
    Unvisited,
    Ok,
}

impl Why {
    pub fn name(self) -> &'static str {
        match self {
            Why::Vetoed => "vetoed",
            Why::NotRateable => "not_rateable",
            Why::Declined => "declined",
            Why::Suspended => "suspended",
            Why::NoLimit => "no_limit",
            Why::StaleProfile => "stale_profile",
            Why::Unvisited => "unvisited",
            Why::Ok => "ok",
        }
    }
}

/// The list of every household of the run, in the order of the register.
pub fn place_all(facts: &Facts, grades: &[ModelGrade], finals: &[Final], rulebook: &Rulebook) -> Vec<Place> {
    let ranks = Ranks::of(&rulebook.scale);
    let (ages, visits) = (facts.column("profile_age_days"), facts.column("valid_visits_12m"));
    let households = grades.par_iter().zip(finals).enumerate();
    let places = households.map(|(number, (grade, outcome))| {
        let [age, visits] = [ages, visits].map(|column| column.and_then(|column| value_at(column, number)));
        place((age, visits), grade, outcome, rulebook, &ranks)
    });
    places.collect()
}

/// The list of a household and the first reason that holds.
fn place(
    (age, visits): (Option<FactValue>, Option<FactValue>),
    grade: &ModelGrade,
    outcome: &Final,
    rulebook: &Rulebook,
    ranks: &Ranks,
) -> Place {
    let action = outcome.decision.as_ref().map(|decision| decision.action);
    let is_lifted = action == Some(Action::Adjust) && outcome.rank != ranks.veto();
    let is_fresh = matches!(age, Some(FactValue::Whole(age)) if age <= i64::from(rulebook.fact_rules.fresh_days));
    let is_visited = matches!(visits, Some(FactValue::Whole(count)) if count > 0);
    match () {
        () if !grade.vetoes.is_empty() && !is_lifted => (CreditList::Black, Why::Vetoed),
        () if outcome.rank == ranks.not_rateable() => (CreditList::Grey, Why::NotRateable),
        () if action == Some(Action::Decline) => (CreditList::Grey, Why::Declined),
        () if action == Some(Action::Suspend) => (CreditList::Grey, Why::Suspended),
        () if outcome.limit == 0 => (CreditList::Grey, Why::NoLimit),
        () if !is_fresh => (CreditList::Grey, Why::StaleProfile),
        () if !is_visited => (CreditList::Grey, Why::Unvisited),
        () => (CreditList::White, Why::Ok),
    }
}

/// The last day on which the household's profile rates, `profile_days_max` days after it was made.
pub fn profile_valid_until(as_of: Date, age_days: Option<FactValue>, rulebook: &Rulebook) -> Option<Date> {
    let Some(FactValue::Whole(age)) = age_days else { return None };
    Some(as_of.days_earlier(age)?.days_later(rulebook.fact_rules.profile_days_max))
}
