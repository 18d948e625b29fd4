//! From scores to the model's grades (`rules.md` §5, Rateable, Vetoes, Grade, Reasons, Previous).
//! A grade here is the model's own; what a person decided is laid beside it later and never changes it.

use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::facts::{FactValue, Facts};
use crate::fault::{Error, Result};
use crate::previous::PreviousHousehold;
use crate::register::Register;
use crate::rulebook::{FACTS, FactRules, GradeScale, Rulebook, Scorecard, Veto, VetoCondition};
use crate::score::{HouseholdScore, Scores, bound_in_units, is_on};

/// The word for a household that cannot be rated; no grade of any scale.
pub const NOT_RATEABLE: &str = "NR";
/// Most reasons that a household is given.
const REASONS_MAX: usize = 4;

/// A place in the order of grades: the scale best first, then the veto grade, then not rateable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8);

/// The grades of a scale in their order.
#[derive(Clone, Debug)]
pub struct Ranks {
    names: Vec<String>,
}

impl Ranks {
    pub fn of(scale: &GradeScale) -> Ranks {
        let graded = scale.grades.iter().map(|grade| grade.grade.clone());
        Ranks { names: graded.chain([scale.veto_grade.clone(), NOT_RATEABLE.to_string()]).collect() }
    }

    /// Every grade in its order, the veto grade and not rateable last.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn find(&self, grade: &str) -> Option<Rank> {
        self.names.iter().position(|name| name == grade).and_then(|place| u8::try_from(place).ok()).map(Rank)
    }

    pub fn name(&self, rank: Rank) -> &str {
        self.names.get(usize::from(rank.0)).map_or(NOT_RATEABLE, String::as_str)
    }

    pub fn not_rateable(&self) -> Rank {
        Rank((self.names.len() - 1) as u8)
    }

    pub fn veto(&self) -> Rank {
        Rank((self.names.len() - 2) as u8)
    }

    /// The place in the scale; None for the veto grade and for not rateable.
    pub fn in_scale(&self, rank: Rank) -> Option<usize> {
        (rank < self.veto()).then_some(usize::from(rank.0))
    }

    fn at(&self, place: usize) -> Rank {
        Rank(place as u8)
    }
}

/// Why a household cannot be rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRateable {
    NoProfile,
    StaleProfile,
    IncompleteProfile,
}

impl NotRateable {
    pub const ALL: [NotRateable; 3] =
        [NotRateable::NoProfile, NotRateable::StaleProfile, NotRateable::IncompleteProfile];

    pub fn name(self) -> &'static str {
        match self {
            NotRateable::NoProfile => "no_profile",
            NotRateable::StaleProfile => "stale_profile",
            NotRateable::IncompleteProfile => "incomplete_profile",
        }
    }
}

/// How a household's grade stands against the previous run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    Up,
    Down,
    Same,
}

impl Change {
    pub fn name(self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Up => "up",
            Change::Down => "down",
            Change::Same => "same",
        }
    }
}

/// The model's grade of one household and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelGrade {
    pub rank: Rank,
    /// Tenths of a point; None when the household is not rateable.
    pub score: Option<i32>,
    /// Positions in the rulebook's list of vetoes.
    pub vetoes: Box<[u16]>,
    pub not_rateable: Box<[NotRateable]>,
    /// The upgrade margin held the grade back.
    pub is_kept: bool,
    pub previous_grade: Option<Box<str>>,
    pub change: Change,
    pub reasons: Box<[Reason]>,
}

impl ModelGrade {
    /// The vetoes of the household.
    pub fn vetoes_in<'r>(&self, rulebook: &'r Rulebook) -> impl Iterator<Item = &'r Veto> {
        self.vetoes.iter().filter_map(|&veto| rulebook.vetoes.get(usize::from(veto)))
    }
}

/// Why a grade is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its position in the rulebook's list of vetoes.
    Veto(u16),
    NotRateable(NotRateable),
    /// Points short of the most that a fact can earn; its position among the facts.
    Shortfall(u16),
}

impl Reason {
    /// The code of the veto, the name of what keeps a household from being rated, or the fact.
    pub fn name(self, rulebook: &Rulebook) -> &str {
        match self {
            Reason::Veto(veto) => rulebook.vetoes.get(usize::from(veto)).map_or("", |veto| veto.code.as_str()),
            Reason::NotRateable(reason) => reason.name(),
            Reason::Shortfall(fact) => FACTS.get(usize::from(fact)).map_or("", |fact| fact.name),
        }
    }
}

/// Grades every household of the run; in the order of the register.
pub fn grade(
    tables: &Tables,
    register: &Register,
    facts: &Facts,
    scores: &Scores,
    previous: &[Option<&PreviousHousehold>],
    rulebook: &Rulebook,
    contracts: &Contracts,
) -> Result<Vec<ModelGrade>> {
    let grader = Grader {
        facts,
        rulebook,
        ranks: Ranks::of(&rulebook.scale),
        strikes: rulebook
            .vetoes
            .iter()
            .map(|veto| Strike::resolve(&veto.condition, contracts))
            .collect::<Result<_>>()?,
        watched: watched_lists(tables, register),
    };
    (0..register.len())
        .into_par_iter()
        .map(|number| grader.grade(number, &scores.household(number)?, previous.get(number).copied().flatten()))
        .collect()
}

/// For each household the lists of the watchlist on which it stands, one bit each.
pub fn watched_lists(tables: &Tables, register: &Register) -> Vec<u32> {
    let mut watched = vec![0; register.len()];
    let Some(watchlist) = &tables.watchlist else { return watched };
    for row in 0..watchlist.rows {
        let is_delisted = watchlist.delisted_on.get(row).is_some_and(|day| day <= register.as_of);
        let household = watchlist.household_id.get(row).and_then(|position| register.number(position));
        let list = watchlist.list_name.get(row).filter(|_| !is_delisted);
        if let (Some(lists), Some(list)) = (household.and_then(|number| watched.get_mut(number)), list) {
            *lists |= 1 << list;
        }
    }
    watched
}

/// A veto's condition in the units of its fact.
enum Strike<'a> {
    Listed(u8),
    AtLeast(&'a str, i64, f64),
    MoreThan(&'a str, i64, f64),
}

impl<'a> Strike<'a> {
    fn resolve(condition: &'a VetoCondition, contracts: &Contracts) -> Result<Strike<'a>> {
        let units = |fact: &str, bound: crate::decimal::Decimal| bound_in_units(fact, bound).unwrap_or_default();
        Ok(match condition {
            VetoCondition::Watchlist { list_name } => {
                Strike::Listed(contracts.input("watchlist")?.word_code("list_name", list_name)?)
            }
            VetoCondition::AtLeast { fact, bound } => Strike::AtLeast(fact, units(fact, *bound), bound.to_f64()),
            VetoCondition::MoreThan { fact, bound } => Strike::MoreThan(fact, units(fact, *bound), bound.to_f64()),
        })
    }
}

struct Grader<'a> {
    facts: &'a Facts,
    rulebook: &'a Rulebook,
    ranks: Ranks,
    strikes: Vec<Strike<'a>>,
    watched: Vec<u32>,
}

impl Grader<'_> {
    fn grade(&self, number: usize, score: &HouseholdScore, previous: Option<&PreviousHousehold>) -> Result<ModelGrade> {
        let vetoes = (0..).zip(&self.strikes).filter(|(_, strike)| self.strikes_at(strike, number));
        let vetoes: Box<[u16]> = vetoes.map(|(veto, _)| veto).collect();
        let not_rateable = not_rateable(self.facts, number, &self.rulebook.fact_rules);
        let previous_rank = previous.and_then(|earlier| self.ranks.find(&earlier.model_grade));
        let (rank, is_kept) = if !vetoes.is_empty() {
            (self.ranks.veto(), false)
        } else if !not_rateable.is_empty() {
            (self.ranks.not_rateable(), false)
        } else {
            let earlier = previous_rank.and_then(|rank| self.ranks.in_scale(rank));
            let (place, is_kept) = with_margin(&self.rulebook.scale, score.score, earlier);
            (self.ranks.at(place), is_kept)
        };
        let change = match (previous, previous_rank) {
            // A grade that the scale no longer has cannot be compared: the household is graded anew.
            (None, _) | (_, None) => Change::New,
            (_, Some(earlier)) if earlier == rank => Change::Same,
            (_, Some(earlier)) if rank < earlier => Change::Up,
            _ => Change::Down,
        };
        let card = self.rulebook.scorecards.get(score.scorecard);
        let card = card.ok_or_else(|| Error::internal("a scorecard is missing"))?;
        let reasons = reasons(card, score.points, &vetoes, &not_rateable);
        Ok(ModelGrade {
            rank,
            score: not_rateable.is_empty().then_some(score.score),
            vetoes,
            not_rateable: not_rateable.into(),
            is_kept,
            previous_grade: previous.map(|earlier| earlier.model_grade.as_str().into()),
            change,
            reasons,
        })
    }

    fn strikes_at(&self, strike: &Strike, number: usize) -> bool {
        match strike {
            Strike::Listed(list) => self.watched.get(number).is_some_and(|lists| lists & (1 << list) != 0),
            Strike::AtLeast(fact, whole, ratio) => match self.facts.value(fact, number) {
                Some(FactValue::Whole(value)) => value >= *whole,
                Some(FactValue::Ratio(value)) => value >= *ratio,
                None => false,
            },
            Strike::MoreThan(fact, whole, ratio) => match self.facts.value(fact, number) {
                Some(FactValue::Whole(value)) => value > *whole,
                Some(FactValue::Ratio(value)) => value > *ratio,
                None => false,
            },
        }
    }
}

/// At most four: vetoes, then why the household cannot be rated, then the greatest shortfalls of its score.
fn reasons(card: &Scorecard, points: &[i32], vetoes: &[u16], not_rateable: &[NotRateable]) -> Box<[Reason]> {
    let shortfalls = if not_rateable.is_empty() { shortfalls(card, points) } else { Vec::new() };
    let place = |fact: &str| FACTS.iter().position(|known| known.name == fact).unwrap_or(usize::MAX);
    let shortfalls = shortfalls.into_iter().map(|(fact, _)| Reason::Shortfall(place(fact) as u16));
    let unrated = not_rateable.iter().copied().map(Reason::NotRateable);
    vetoes.iter().copied().map(Reason::Veto).chain(unrated).chain(shortfalls).take(REASONS_MAX).collect()
}

/// Characteristics of the blocks that are on by greatest shortfall in tenths, ties in the order of the card.
pub fn shortfalls<'a>(card: &'a Scorecard, points: &[i32]) -> Vec<(&'a str, i32)> {
    let on = card.characteristics.iter().zip(points).filter(|(characteristic, _)| is_on(card, characteristic));
    let mut shortfalls: Vec<(&str, i32)> = on
        .map(|(characteristic, &points)| (characteristic.fact.as_str(), characteristic.max_points() - points))
        .filter(|&(_, shortfall)| shortfall > 0)
        .collect();
    shortfalls.sort_by_key(|&(_, shortfall)| -shortfall);
    shortfalls
}

/// What keeps a household from being rated, as it applies.
fn not_rateable(facts: &Facts, number: usize, rules: &FactRules) -> Vec<NotRateable> {
    let (Some(FactValue::Whole(age)), Some(FactValue::Ratio(completeness))) =
        (facts.value("profile_age_days", number), facts.value("profile_completeness", number))
    else {
        return vec![NotRateable::NoProfile];
    };
    let mut reasons = Vec::new();
    if age > i64::from(rules.profile_days_max) {
        reasons.push(NotRateable::StaleProfile);
    }
    if completeness < rules.completeness_min.to_f64() {
        reasons.push(NotRateable::IncompleteProfile);
    }
    reasons
}

/// The place in the scale that a score earns, against the place of the previous run, and whether the upgrade margin
/// held it back.
pub fn with_margin(scale: &GradeScale, score: i32, previous: Option<usize>) -> (usize, bool) {
    let best = |needed: &dyn Fn(usize, i32) -> bool| {
        scale.grades.iter().enumerate().position(|(place, grade)| needed(place, grade.at_least))
    };
    let lowest = scale.grades.len().saturating_sub(1);
    let earned = best(&|_, at_least| at_least <= score).unwrap_or(lowest);
    let Some(previous) = previous else { return (earned, false) };
    if earned >= previous {
        return (earned, false);
    }
    // A better grade than last time must be passed by the margin.
    let passed = best(&|place, at_least| place < previous && at_least + scale.upgrade_margin <= score);
    let place = passed.unwrap_or(previous);
    (place, place != earned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Grade;

    fn scale() -> GradeScale {
        let grades = [("AAA", 900), ("AA", 800), ("A", 700), ("B", 600), ("C", 0)];
        GradeScale {
            grades: grades.map(|(grade, at_least)| Grade { grade: grade.into(), at_least }).to_vec(),
            veto_grade: "D".into(),
            upgrade_margin: 20,
        }
    }

    #[test]
    fn an_upgrade_needs_the_margin_and_a_downgrade_does_not() {
        let graded = |score, previous: &str| {
            let place = scale().grades.iter().position(|grade| grade.grade == previous);
            let (place, is_kept) = with_margin(&scale(), score, place);
            (scale().grades[place].grade.clone(), is_kept)
        };
        for (score, previous, grade, is_kept) in [
            (800, "none", "AA", false),
            (819, "A", "A", true),
            (820, "A", "AA", false),
            (919, "A", "AA", true),
            (920, "A", "AAA", false),
            (799, "AA", "A", false),
            (800, "AA", "AA", false),
            (599, "AAA", "C", false),
        ] {
            assert_eq!(graded(score, previous), (grade.to_string(), is_kept), "score {score} after {previous}");
        }
    }
}
