//! Points by characteristic and the score of each household (`rules.md` §5, Scorecard).
//! Every household is scored, also one that will not be rated: the reader sees what is there.
//! Leaves to `grade` what a score is worth.

use std::ops::Range;

use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::decimal::Decimal;
use crate::facts::{FactValue, FactValues, Facts};
use crate::fault::{Error, Result};
use crate::register::Register;
use crate::rulebook::{Characteristic, Direction, FactKind, Rulebook, Scorecard, kind_of};

/// Points and scores; grain one household of the run, in the order of the register.
#[derive(Debug)]
pub struct Scores {
    households: Vec<Scored>,
    /// The points of all households one after the other, each in as many places as the longest card has.
    points: Vec<i32>,
    width: usize,
    /// By scorecard, its characteristics.
    lines: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Scored {
    scorecard: u32,
    score: i32,
}

/// The points of one household on its scorecard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HouseholdScore<'a> {
    /// Position of the scorecard in the rulebook.
    pub scorecard: usize,
    /// Tenths of a point by characteristic, in the order of the card.
    pub points: &'a [i32],
    /// 100 × points / maximum over the blocks that are on, in tenths, rounded half up.
    pub score: i32,
}

impl Scores {
    pub fn household(&self, number: usize) -> Result<HouseholdScore<'_>> {
        self.get(number).ok_or_else(|| Error::internal(format!("household {number} has no score")))
    }

    fn get(&self, number: usize) -> Option<HouseholdScore<'_>> {
        let Scored { scorecard, score } = *self.households.get(number)?;
        let (scorecard, first) = (scorecard as usize, number * self.width);
        let points = self.points.get(first..first + self.lines.get(scorecard)?)?;
        Some(HouseholdScore { scorecard, points, score })
    }

    /// The scores of households by their numbers.
    pub fn of(&self, numbers: &Range<usize>) -> impl Iterator<Item = HouseholdScore<'_>> + Clone {
        numbers.clone().filter_map(|number| self.get(number))
    }
}

/// Scores every household of the run on the one scorecard of its kind.
pub fn score(
    tables: &Tables,
    register: &Register,
    facts: &Facts,
    rulebook: &Rulebook,
    contracts: &Contracts,
) -> Result<Scores> {
    let kinds = &contracts.input("households")?.column("kind")?.words;
    let cards = rulebook.scorecards.iter().map(|card| Card::resolve(card, facts)).collect::<Result<Vec<_>>>()?;
    let card_of_kind: Vec<Option<usize>> =
        kinds.iter().map(|kind| rulebook.scorecards.iter().position(|card| card.kinds.contains(kind))).collect();
    let lines: Vec<usize> = cards.iter().map(|card| card.lines.len()).collect();
    let width = lines.iter().copied().max().unwrap_or(0).max(1);
    let mut households = vec![Scored::default(); register.len()];
    let mut points = vec![0; register.len() * width];
    let some = households.par_chunks_mut(AT_ONCE).zip(points.par_chunks_mut(AT_ONCE * width)).enumerate();
    some.try_for_each(|(chunk, (households, points))| {
        let first = chunk * AT_ONCE;
        for (number, household) in (first..).zip(households.iter_mut()) {
            let kind = tables.households.kind.get(register.row(number)).map_or(usize::MAX, usize::from);
            let scorecard = card_of_kind.get(kind).copied().flatten();
            let scorecard = scorecard.ok_or_else(|| Error::internal("a household's kind stands in no scorecard"))?;
            household.scorecard = scorecard as u32;
        }
        for (scorecard, card) in (0..).zip(&cards) {
            card.score(scorecard, first, households, points, width);
        }
        Ok(())
    })?;
    Ok(Scores { households, points, width, lines })
}

/// Households whose points are found one characteristic after the other.
const AT_ONCE: usize = 1 << 10;

/// A scorecard with the columns that its characteristics read.
struct Card<'a> {
    lines: Vec<Line<'a>>,
    /// What can be earned on the blocks that are on, in tenths.
    maximum: i64,
}

struct Line<'a> {
    values: FactValues<'a>,
    measure: Measure<'a>,
    is_on: bool,
}

/// How one characteristic turns a value into points.
struct Measure<'a> {
    characteristic: &'a Characteristic,
    bounds: Vec<Option<Bound>>,
}

/// A bound of a bin in the unit in which its fact is counted.
#[derive(Clone, Copy)]
struct Bound {
    whole: i64,
    ratio: f64,
}

/// Digits after the point of a fact that is counted in whole units.
pub fn unit_scale(kind: FactKind) -> u32 {
    match kind {
        FactKind::Money => 2,
        FactKind::Points => 1,
        FactKind::Count | FactKind::Share | FactKind::Real => 0,
    }
}

/// A rulebook's bound in the unit of its fact: cents, tenths of a point, or one.
pub fn bound_in_units(fact: &str, bound: Decimal) -> Result<i64> {
    bound
        .in_units(unit_scale(kind_of(fact)))
        .ok_or_else(|| Error::internal(format!("bound {bound} of `{fact}` is no whole number of its unit")))
}

impl<'a> Measure<'a> {
    fn of(characteristic: &'a Characteristic) -> Result<Measure<'a>> {
        let fact = characteristic.fact.as_str();
        let is_ratio = matches!(kind_of(fact), FactKind::Share | FactKind::Real);
        let bounds = characteristic.bins.iter().map(|bin| {
            let Some(bound) = bin.bound else { return Ok(None) };
            let whole = if is_ratio { 0 } else { bound_in_units(fact, bound)? };
            Ok(Some(Bound { whole, ratio: bound.to_f64() }))
        });
        Ok(Measure { characteristic, bounds: bounds.collect::<Result<_>>()? })
    }

    /// The position of the first bin that the value fits.
    fn bin(&self, value: FactValue) -> usize {
        let fits = |bound: &Option<Bound>| {
            let Some(bound) = bound else { return true };
            match (self.characteristic.direction, value) {
                (Direction::AtLeast, FactValue::Whole(value)) => value >= bound.whole,
                (Direction::AtMost, FactValue::Whole(value)) => value <= bound.whole,
                (Direction::AtLeast, FactValue::Ratio(value)) => value >= bound.ratio,
                (Direction::AtMost, FactValue::Ratio(value)) => value <= bound.ratio,
            }
        };
        self.bounds.iter().position(fits).unwrap_or_default()
    }

    fn points(&self, value: Option<FactValue>) -> i32 {
        match value {
            Some(value) => self.characteristic.bins.get(self.bin(value)).map_or(0, |bin| bin.points),
            None => self.characteristic.missing_points,
        }
    }
}

/// The bin that a value hits, from 0; None for a null value.
pub fn bin_of(characteristic: &Characteristic, value: Option<FactValue>) -> Result<Option<usize>> {
    let measure = Measure::of(characteristic)?;
    Ok(value.map(|value| measure.bin(value)))
}

impl<'a> Card<'a> {
    fn resolve(scorecard: &'a Scorecard, facts: &'a Facts) -> Result<Card<'a>> {
        let lines = scorecard.characteristics.iter().map(|characteristic| {
            let (values, is_on) = (facts.values(&characteristic.fact)?, is_on(scorecard, characteristic));
            Ok(Line { values, measure: Measure::of(characteristic)?, is_on })
        });
        Ok(Card { lines: lines.collect::<Result<_>>()?, maximum: maximum(scorecard) })
    }

    /// Finds the points of those among some households that are of this card, each of which has `width` places for them,
    /// and their scores.
    fn score(&self, number: u32, first: usize, households: &mut [Scored], points: &mut [i32], width: usize) {
        let own = || households.iter().enumerate().filter(|(_, household)| household.scorecard == number);
        let own: Vec<usize> = own().map(|(place, _)| place).collect();
        for (at, line) in self.lines.iter().enumerate() {
            for &place in &own {
                if let Some(points) = points.get_mut(place * width + at) {
                    *points = line.measure.points(line.values.get(first + place));
                }
            }
        }
        for place in own {
            let points = points.get(place * width..).unwrap_or_default();
            let earned = self.lines.iter().zip(points).filter(|(line, _)| line.is_on);
            let earned = earned.map(|(_, &points)| i64::from(points)).sum();
            if let Some(household) = households.get_mut(place) {
                household.score = share_of_100(earned, self.maximum);
            }
        }
    }
}

/// Whether the characteristic's block counts.
pub fn is_on(scorecard: &Scorecard, characteristic: &Characteristic) -> bool {
    scorecard.blocks.get(characteristic.block).is_some_and(|block| block.is_on)
}

/// Points earned and points to be had in the blocks that are on, in tenths.
pub fn sums(scorecard: &Scorecard, points: &[i32]) -> (i64, i64) {
    let on =
        scorecard.characteristics.iter().zip(points).filter(|(characteristic, _)| is_on(scorecard, characteristic));
    (on.map(|(_, &points)| i64::from(points)).sum(), maximum(scorecard))
}

/// Points to be had in the blocks that are on, in tenths.
fn maximum(scorecard: &Scorecard) -> i64 {
    let on = scorecard.characteristics.iter().filter(|characteristic| is_on(scorecard, characteristic));
    on.map(|characteristic| i64::from(characteristic.max_points())).sum()
}

/// 100 × earned / maximum in tenths, rounded half up.
pub fn share_of_100(earned: i64, maximum: i64) -> i32 {
    if maximum <= 0 {
        return 0;
    }
    i32::try_from((2000 * earned + maximum).div_euclid(2 * maximum)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_round_half_up_to_tenths() {
        assert_eq!(share_of_100(895, 1000), 895);
        // 613.5 of 920 is 66.684…; 61 of 80 is 76.25, which rounds up.
        assert_eq!(share_of_100(6135, 9200), 667);
        assert_eq!(share_of_100(610, 800), 763);
        assert_eq!(share_of_100(0, 1000), 0);
    }
}
