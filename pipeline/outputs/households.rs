//! The tables of visits and households: checks and facts, points, grades and limits. They grow with the bank, and are
//! made of some rows at a time.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Date32Array, Float64Builder, Int64Array, StringArray,
    UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::Int64Type;

use crate::clean::IdIndex;
use crate::clean::typed::Rows as _;
use crate::facts::{FactValue, FactValues, whole_at};
use crate::fault::{Error, Result};
use crate::grade::Ranks;
use crate::limit::credit_list::profile_valid_until;
use crate::limit::{Cap, Limit};
use crate::previous::PreviousHousehold;
use crate::rulebook::{FactKind, kind_of};
use crate::score::{HouseholdScore, unit_scale};
use crate::visits::{CheckedVisits, Flag};

use super::{
    MONEY, Outputs, POINTS, Results, always, as_decimals, at_once, coded_by, decimals, list, text, truth, wholes,
};

/// What every piece of the large tables is made with, made once.
pub(super) struct Large<'a> {
    /// The identifiers that rows of visits are coded with.
    officers: ArrayRef,
    grids: ArrayRef,
    households: ArrayRef,
    branches: ArrayRef,
    /// Of each scorecard its characteristics in the byte order of their names, which is the key's.
    characteristics: Vec<Vec<Characteristic<'a>>>,
    cards: ArrayRef,
    /// Of the characteristics of all cards, by place.
    blocks: ArrayRef,
    names: ArrayRef,
    /// What the earlier run said of each household.
    earlier: Vec<Option<&'a PreviousHousehold>>,
}

/// A characteristic of a scorecard: its place on the card, its place among those of all cards, and the values of its fact,
/// as many of whose units make one that people write: money in currency units, points with their decimal.
struct Characteristic<'a> {
    at: usize,
    place: usize,
    values: FactValues<'a>,
    unit: f64,
    max_points: i32,
}

impl<'a> Large<'a> {
    pub(super) fn of(results: &Results<'a>) -> Result<Large<'a>> {
        let (tables, cards) = (results.tables, &results.rulebook.scorecards);
        let ids = |index: &IdIndex| text(index.ids().map(Some));
        let mut characteristics = Vec::new();
        let (mut blocks, mut names) = (Vec::new(), Vec::new());
        for card in cards {
            let mut of_card: Vec<_> = card.characteristics.iter().enumerate().collect();
            of_card.sort_by_key(|(_, characteristic)| characteristic.fact.as_str());
            let of_card = of_card.into_iter().map(|(at, characteristic)| {
                let values = results.facts.values(&characteristic.fact)?;
                blocks.push(card.blocks.get(characteristic.block).map_or("", |block| block.id.as_str()));
                names.push(characteristic.fact.as_str());
                let unit = 10_f64.powi(unit_scale(kind_of(&characteristic.fact)).cast_signed());
                let max_points = characteristic.max_points();
                Ok(Characteristic { at, place: names.len() - 1, values, unit, max_points })
            });
            characteristics.push(of_card.collect::<Result<Vec<_>>>()?);
        }
        Ok(Large {
            officers: ids(&tables.officers.ids),
            grids: ids(&tables.grids.ids),
            households: ids(&tables.households.ids),
            branches: ids(&tables.branches.ids),
            characteristics,
            cards: always(cards.iter().map(|card| card.id.as_str())),
            blocks: always(blocks.into_iter()),
            names: always(names.into_iter()),
            earlier: results.register.align(tables, results.previous),
        })
    }
}

/// The part of a column of all households that belongs to some of them.
fn part<'a, T>(of_all: &'a [T], numbers: &Range<usize>) -> &'a [T] {
    of_all.get(numbers.clone()).unwrap_or(&[])
}

/// Key visit_id. `checked` are some of the visits, in the order of the key.
pub(super) fn visit_checks(outputs: &Outputs, checked: &CheckedVisits) -> Result<Vec<ArrayRef>> {
    let Outputs { results, large } = outputs;
    let CheckedVisits { visits, flags, .. } = checked;
    let branch = |&grid: &u32| results.tables.grids.branch_id.get(grid as usize).map(|branch| branch as u32);
    at_once(vec![
        Box::new(|| Ok(Arc::new(visits.ids.clone()))),
        Box::new(|| coded_by(visits.officers.clone(), &large.officers)),
        Box::new(|| coded_by(visits.grids.clone(), &large.grids)),
        Box::new(|| coded_by(visits.households_or_null(), &large.households)),
        Box::new(|| coded_by(visits.grids.values().iter().map(branch).collect(), &large.branches)),
        Box::new(|| Ok(Arc::new(visits.started_at.clone()))),
        Box::new(|| Ok(truth(flags.iter().map(|flags| flags.is_valid())))),
        Box::new(|| Ok(list(flags.iter().map(|flags| flags.iter().map(Flag::name))))),
    ])
}

/// Key household_id.
pub(super) fn household_facts(outputs: &Outputs, numbers: Range<usize>) -> Result<Vec<ArrayRef>> {
    let results = &outputs.results;
    let households = &results.tables.households;
    let row = |number: usize| results.register.row(number);
    let cares = &results.contracts.input("households")?.column("care_category")?.words;
    let care = |number: usize| households.care_category.get(row(number)).map_or(usize::MAX, usize::from);
    let mut columns = results.identity(&numbers)?;
    columns
        .push(Arc::new(numbers.clone().map(|number| households.member_count.get(row(number))).collect::<Int64Array>()));
    columns.push(text(numbers.clone().map(|number| cares.get(care(number)).map(String::as_str))));
    let contract = results.contracts.output("household_facts")?;
    for (fact, column) in results.facts.columns() {
        let (kind, column) = (contract.column(fact.name)?.kind, column.slice(numbers.start, numbers.len()));
        columns.push(match fact.kind {
            FactKind::Money | FactKind::Points => {
                let whole = column.as_primitive_opt::<Int64Type>();
                let whole = whole.ok_or_else(|| Error::internal(format!("`{}` is not whole", fact.name)))?;
                as_decimals(kind, whole.unary(i128::from))?
            }
            _ => cast(&column, &kind.arrow()).map_err(|error| Error::internal(error.to_string()))?,
        });
    }
    Ok(columns)
}

/// Key (household_id, characteristic).
pub(super) fn scorecard_points(outputs: &Outputs, numbers: Range<usize>) -> Result<Vec<ArrayRef>> {
    let Outputs { results, large } = outputs;
    let scores: Vec<HouseholdScore> = results.scores.of(&numbers).collect();
    let (first, households) = (numbers.start, results.household_ids(numbers.clone()));
    let card = |score: &HouseholdScore| large.characteristics.get(score.scorecard).map_or(&[][..], Vec::as_slice);
    let rows = scores.iter().map(|score| card(score).len()).sum();
    // What is the same for every household of a card, and what each household has once.
    let of_cards = |of: &dyn Fn(&Characteristic) -> u32| -> Result<UInt32Array> {
        let cards: Vec<Vec<u32>> = large.characteristics.iter().map(|card| card.iter().map(of).collect()).collect();
        let mut column = Vec::with_capacity(rows);
        scores.iter().filter_map(|score| cards.get(score.scorecard)).for_each(|card| column.extend_from_slice(card));
        Ok(column.into())
    };
    let repeated = |of: &dyn Fn(usize, &HouseholdScore) -> usize| -> UInt32Array {
        let mut column = Vec::with_capacity(rows);
        for (place, score) in scores.iter().enumerate() {
            column.extend(std::iter::repeat_n(of(place, score) as u32, card(score).len()));
        }
        column.into()
    };
    let each = |take: &mut dyn FnMut(usize, &HouseholdScore, &[Characteristic])| {
        (first..).zip(&scores).for_each(|(household, score)| take(household, score, card(score)));
    };
    let tenths = |of: Vec<i32>| wholes(POINTS, of.into_iter().map(i128::from));
    at_once(vec![
        Box::new(|| coded_by(repeated(&|place, _| place), &households)),
        Box::new(|| coded_by(repeated(&|_, score| score.scorecard), &large.cards)),
        Box::new(|| coded_by(of_cards(&|characteristic| characteristic.place as u32)?, &large.blocks)),
        Box::new(|| coded_by(of_cards(&|characteristic| characteristic.place as u32)?, &large.names)),
        Box::new(|| {
            let mut column = Float64Builder::with_capacity(rows);
            each(&mut |household, _, card| card.iter().for_each(|of| column.append_option(of.value(household))));
            Ok(Arc::new(column.finish()))
        }),
        Box::new(|| {
            let mut column = Vec::with_capacity(rows);
            each(&mut |_, score, card| {
                column.extend(card.iter().map(|of| score.points.get(of.at).copied().unwrap_or(0)));
            });
            tenths(column)
        }),
        Box::new(|| {
            let most = of_cards(&|characteristic| characteristic.max_points.cast_unsigned())?;
            tenths(most.values().iter().map(|most| most.cast_signed()).collect())
        }),
        Box::new(|| {
            let mut column = BooleanBufferBuilder::new(rows);
            each(&mut |household, _, card| {
                card.iter().for_each(|of| column.append(of.values.get(household).is_none()))
            });
            Ok(Arc::new(BooleanArray::from(column.finish())))
        }),
    ])
}

impl Characteristic<'_> {
    fn value(&self, household: usize) -> Option<f64> {
        self.values.get(household).map(|value| match value {
            FactValue::Whole(whole) => whole as f64 / self.unit,
            FactValue::Ratio(ratio) => ratio,
        })
    }
}

/// Key household_id.
pub(super) fn household_grades(outputs: &Outputs, numbers: Range<usize>) -> Result<Vec<ArrayRef>> {
    let results = &outputs.results;
    let (grades, rulebook) = (part(results.grades, &numbers), results.rulebook);
    let (finals, lists) = (part(&results.decided.finals, &numbers), part(results.lists, &numbers));
    let ranks = Ranks::of(&rulebook.scale);
    let households = &results.tables.households;
    let decision_ids = finals.iter().map(|outcome| {
        let decisions = results.tables.decisions.as_ref()?;
        Some(decisions.decision_id.text(outcome.decision.as_ref()?.row))
    });
    let (as_of, ages) = (results.register.as_of, results.facts.whole("profile_age_days")?);
    let until = numbers.clone().map(|number| {
        let age = whole_at(ages, number).map(FactValue::Whole);
        profile_valid_until(as_of, age, rulebook).map(|day| day.0)
    });
    let scores = results.scores.of(&numbers);
    let cards = scores.map(|score| rulebook.scorecards.get(score.scorecard).map(|card| card.id.as_str()));
    let consents = numbers.clone().map(|number| households.notice_consent.get(results.register.row(number)));
    let mut columns = results.identity(&numbers)?;
    columns.extend([
        text(cards),
        decimals(POINTS, grades.iter().map(|grade| grade.score.map(i128::from)))?,
        always(grades.iter().map(|grade| ranks.name(grade.rank))),
        list(grades.iter().map(|grade| results.veto_codes(grade))),
        list(grades.iter().map(|grade| grade.reasons.iter().map(|reason| reason.name(rulebook)))),
        truth(grades.iter().map(|grade| grade.is_kept)),
        text(grades.iter().map(|grade| grade.previous_grade.as_deref())),
        always(grades.iter().map(|grade| grade.change.name())),
        always(finals.iter().map(|outcome| ranks.name(outcome.rank))),
        text(decision_ids),
        always(
            finals.iter().map(|outcome| outcome.decision.as_ref().map_or("none", |decision| decision.action.name())),
        ),
        always(lists.iter().map(|(list, _)| list.name())),
        Arc::new(consents.collect::<BooleanArray>()),
        always(lists.iter().map(|(_, reason)| reason.name())),
        Arc::new(until.collect::<Date32Array>()),
    ]);
    Ok(columns)
}

/// Key household_id.
pub(super) fn grant_limits(outputs: &Outputs, numbers: Range<usize>) -> Result<Vec<ArrayRef>> {
    let (results, previous) = (&outputs.results, part(&outputs.large.earlier, &numbers));
    let (limits, rulebook) = (part(results.limits, &numbers), results.rulebook);
    let (grades, finals) = (part(results.grades, &numbers), part(&results.decided.finals, &numbers));
    let ranks = Ranks::of(&rulebook.scale);
    let money =
        |of: &dyn Fn(&Limit) -> Option<i64>| decimals(MONEY, limits.iter().map(|limit| of(limit).map(i128::from)));
    let fact = |name: &str| -> Result<ArrayRef> {
        let column = results.facts.whole(name)?.slice(numbers.start, numbers.len());
        wholes(MONEY, column.iter().map(|value| value.map_or(0, i128::from)))
    };
    let spreads = numbers.clone().zip(finals).map(|(number, outcome)| {
        let of_grade = crate::limit::grade_limits(&rulebook.limits, &ranks, outcome.rank).ok().flatten()?;
        let area = results.tables.areas.area_id.text(results.register.area(number));
        let stars = results.previous.stars.get(area).copied().unwrap_or(0);
        Some(crate::limit::rate_spread_bp(of_grade, stars, &rulebook.limits))
    });
    let terms =
        finals.iter().map(|outcome| ranks.in_scale(outcome.rank).map(|_| i64::from(rulebook.limits.term_months)));
    let mut columns =
        vec![results.household_ids(numbers.clone()), always(grades.iter().map(|grade| ranks.name(grade.rank)))];
    for position in 0..Cap::ALL.len() {
        columns.push(money(&|limit| limit.caps.amounts().get(position).copied().flatten())?);
    }
    let bindings = StringArray::from_iter_values(limits.iter().map(|limit| limit.binding.name()));
    columns.extend([
        money(&|limit| Some(limit.gross))?,
        fact("own_unsecured_outstanding")?,
        fact("outside_outstanding")?,
        money(&|limit| Some(limit.guarantees_weighted))?,
        money(&|limit| Some(limit.deductions))?,
        money(&|limit| Some(limit.suggested))?,
        truth(limits.iter().map(|limit| limit.is_held)),
        Arc::new(bindings),
        decimals(MONEY, previous.iter().map(|earlier| earlier.map(|earlier| i128::from(earlier.suggested_limit))))?,
        always(finals.iter().map(|outcome| ranks.name(outcome.rank))),
        wholes(MONEY, finals.iter().map(|outcome| i128::from(outcome.limit)))?,
        Arc::new(spreads.collect::<Int64Array>()),
        Arc::new(terms.collect::<Int64Array>()),
    ]);
    Ok(columns)
}
