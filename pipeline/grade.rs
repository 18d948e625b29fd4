//! From scores to the model's grades (`rules.md` §5, Rateable, Vetoes, Grade, Reasons, Previous).
//! A grade here is the model's own; what a person decided is laid beside it later and never changes it.

use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::facts::{FactValue, FactValues, Facts};
use crate::fault::{Error, Result};
use crate::in_order;
use crate::previous::PreviousHousehold;
use crate::register::Register;
use crate::rulebook::{FACTS, GradeScale, Rulebook, Scorecard, Veto, VetoCondition};
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
    let strikes = rulebook.vetoes.iter().map(|veto| Strike::resolve(&veto.condition, facts, contracts));
    let grader = Grader {
        rulebook,
        ranks: Ranks::of(&rulebook.scale),
        profiles: Profiles {
            ages: facts.values("profile_age_days")?,
            completeness: facts.values("profile_completeness")?,
            days_max: i64::from(rulebook.fact_rules.profile_days_max),
            completeness_min: rulebook.fact_rules.completeness_min.to_f64(),
        },
        strikes: strikes.collect::<Result<_>>()?,
        watched: watched_lists(tables, register),
        cards: rulebook.scorecards.iter().map(earnable).collect(),
    };
    let earlier = |number: usize| previous.get(number).copied().flatten();
    let numbers = (0..register.len()).into_par_iter();
    in_order::all(numbers.map(|number| grader.grade(number, &scores.household(number)?, earlier(number))))
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

/// A veto's condition, with the values of its fact and their bound in the fact's unit.
enum Strike<'a> {
    Listed(u8),
    AtLeast(FactValues<'a>, i64, f64),
    MoreThan(FactValues<'a>, i64, f64),
}

impl<'a> Strike<'a> {
    fn resolve(condition: &VetoCondition, facts: &'a Facts, contracts: &Contracts) -> Result<Strike<'a>> {
        let units = |fact: &str, bound: crate::decimal::Decimal| bound_in_units(fact, bound).unwrap_or_default();
        Ok(match condition {
            VetoCondition::Watchlist { list_name } => {
                Strike::Listed(contracts.input("watchlist")?.word_code("list_name", list_name)?)
            }
            VetoCondition::AtLeast { fact, bound } => {
                Strike::AtLeast(facts.values(fact)?, units(fact, *bound), bound.to_f64())
            }
            VetoCondition::MoreThan { fact, bound } => {
                Strike::MoreThan(facts.values(fact)?, units(fact, *bound), bound.to_f64())
            }
        })
    }
}

struct Grader<'a> {
    rulebook: &'a Rulebook,
    ranks: Ranks,
    profiles: Profiles<'a>,
    strikes: Vec<Strike<'a>>,
    watched: Vec<u32>,
    /// By scorecard.
    cards: Vec<Vec<Earnable>>,
}

/// What a characteristic of a block that is on can earn.
struct Earnable {
    /// Its place on the card.
    at: usize,
    /// The position of its fact among the facts.
    fact: u16,
    max_points: i32,
}

fn earnable(card: &Scorecard) -> Vec<Earnable> {
    let on = card.characteristics.iter().enumerate().filter(|(_, characteristic)| is_on(card, characteristic));
    let earnable = on.map(|(at, characteristic)| {
        let fact = FACTS.iter().position(|known| known.name == characteristic.fact).unwrap_or(usize::MAX);
        Earnable { at, fact: fact as u16, max_points: characteristic.max_points() }
    });
    earnable.collect()
}

impl Grader<'_> {
    fn grade(&self, number: usize, score: &HouseholdScore, previous: Option<&PreviousHousehold>) -> Result<ModelGrade> {
        let vetoes = (0..).zip(&self.strikes).filter(|(_, strike)| self.strikes_at(strike, number));
        let vetoes: Box<[u16]> = vetoes.map(|(veto, _)| veto).collect();
        let not_rateable = self.profiles.not_rateable(number);
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
        let card = self.cards.get(score.scorecard);
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
            Strike::AtLeast(values, whole, ratio) => match values.get(number) {
                Some(FactValue::Whole(value)) => value >= *whole,
                Some(FactValue::Ratio(value)) => value >= *ratio,
                None => false,
            },
            Strike::MoreThan(values, whole, ratio) => match values.get(number) {
                Some(FactValue::Whole(value)) => value > *whole,
                Some(FactValue::Ratio(value)) => value > *ratio,
                None => false,
            },
        }
    }
}

/// At most four: vetoes, then why the household cannot be rated, then the greatest shortfalls of its score.
fn reasons(card: &[Earnable], points: &[i32], vetoes: &[u16], not_rateable: &[NotRateable]) -> Box<[Reason]> {
    let shortfalls = if not_rateable.is_empty() { greatest_shortfalls(card, points) } else { Default::default() };
    let shortfalls = shortfalls.into_iter().filter(|&(shortfall, _)| shortfall > 0);
    let shortfalls = shortfalls.map(|(_, fact)| Reason::Shortfall(fact));
    let unrated = not_rateable.iter().copied().map(Reason::NotRateable);
    vetoes.iter().copied().map(Reason::Veto).chain(unrated).chain(shortfalls).take(REASONS_MAX).collect()
}

/// The greatest shortfalls in tenths, each with the position of its fact, ties in the order of the card; where there are
/// fewer, nothing after them.
fn greatest_shortfalls(card: &[Earnable], points: &[i32]) -> [(i32, u16); REASONS_MAX] {
    let mut greatest = [(0, 0); REASONS_MAX];
    for Earnable { at, fact, max_points } in card {
        let shortfall = max_points - points.get(*at).unwrap_or(max_points);
        // One that came before stays before one that is as great.
        let place = greatest.iter().position(|&(kept, _)| shortfall > kept);
        if let Some(smaller) = place.and_then(|place| greatest.get_mut(place..)) {
            smaller.rotate_right(1);
            smaller.first_mut().into_iter().for_each(|slot| *slot = (shortfall, *fact));
        }
    }
    greatest
}

/// What of a household's profile decides whether it can be rated.
struct Profiles<'a> {
    ages: FactValues<'a>,
    completeness: FactValues<'a>,
    days_max: i64,
    completeness_min: f64,
}

impl Profiles<'_> {
    /// What keeps a household from being rated, as it applies.
    fn not_rateable(&self, number: usize) -> Vec<NotRateable> {
        let (Some(FactValue::Whole(age)), Some(FactValue::Ratio(completeness))) =
            (self.ages.get(number), self.completeness.get(number))
        else {
            return vec![NotRateable::NoProfile];
        };
        let mut reasons = Vec::new();
        if age > self.days_max {
            reasons.push(NotRateable::StaleProfile);
        }
        if completeness < self.completeness_min {
            reasons.push(NotRateable::IncompleteProfile);
        }
        reasons
    }
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
    fn the_greatest_shortfalls_come_first_and_equal_ones_as_on_the_card() {
        let card = |most: &[i32]| -> Vec<Earnable> {
            let lines = most.iter().enumerate();
            lines.map(|(at, &max_points)| Earnable { at, fact: at as u16, max_points }).collect()
        };
        let found = |most: &[i32], points: &[i32]| {
            let reasons = reasons(&card(most), points, &[], &[]).into_vec().into_iter();
            reasons.map(|reason| if let Reason::Shortfall(fact) = reason { fact } else { u16::MAX }).collect::<Vec<_>>()
        };
        assert_eq!(found(&[50, 50, 70, 50, 10, 90], &[0; 6]), [5, 2, 0, 1]);
        assert_eq!(found(&[50, 50, 70], &[50, 0, 70]), [1]);
        assert_eq!(found(&[50, 60, 70, 60], &[40, 30, 40, 20]), [3, 1, 2, 0]);
        assert_eq!(found(&[], &[]), [0_u16; 0]);
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
