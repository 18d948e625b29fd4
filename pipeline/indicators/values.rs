//! Values last: numerator over denominator at the level shown, with the status that says why there may be none.

use rayon::prelude::*;

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::coverage::branch::programme_year;
use crate::decimal::{Decimal, common_divisor};
use crate::rulebook::indicators::{Component, Direction, Indicator, Kind, TargetValue};

use super::Covered;
use super::inequality;
use super::nodes::{Node, Nodes};
use super::observed::Observed;
use super::parts::Totals;

/// Which households of a node a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breakdown {
    All,
    Business,
    Resident,
    Rural,
}

impl Breakdown {
    /// In the order of their words, as the table's key wants it.
    pub const ALL: [Breakdown; 4] = [Breakdown::All, Breakdown::Business, Breakdown::Resident, Breakdown::Rural];

    pub fn name(self) -> &'static str {
        match self {
            Breakdown::All => "all",
            Breakdown::Business => "business",
            Breakdown::Resident => "resident",
            Breakdown::Rural => "rural",
        }
    }
}

/// Why a row has a value, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Published,
    /// A source is not collected.
    NotCollected,
    /// It cannot exist: nothing stands in the denominator.
    CannotExist,
    /// There is a value, and it may not leave the bank.
    Suppressed,
}

impl Status {
    pub fn code(self) -> &'static str {
        match self {
            Status::Published => "A",
            Status::NotCollected => "L",
            Status::CannotExist => "M",
            Status::Suppressed => "Q",
        }
    }

    pub fn of(code: &str) -> Option<Status> {
        let all = [Status::Published, Status::NotCollected, Status::CannotExist, Status::Suppressed];
        all.into_iter().find(|status| status.code() == code)
    }
}

/// An exact number: whole units of 10^−scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pub units: i128,
    pub scale: u32,
}

/// One indicator of one node and breakdown.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Position in the rulebook's indicators.
    pub indicator: usize,
    /// Position in the nodes.
    pub node: usize,
    pub breakdown: Breakdown,
    pub numerator: Option<Amount>,
    pub denominator: Option<Amount>,
    /// None: status M or L.
    pub value: Option<f64>,
    pub target: Option<f64>,
    /// None: no target or no value.
    pub met: Option<bool>,
    pub status: Status,
    /// What may not leave the bank, whatever the status.
    pub hides_numerator: bool,
    pub hides_denominator: bool,
}

impl Row {
    /// The value as it may leave the bank.
    pub fn published_value(&self) -> Option<f64> {
        self.value.filter(|_| self.status == Status::Published)
    }
}

/// The rows of every indicator: its levels, nodes and breakdowns, in the order of the table's key.
pub fn rows(covered: &Covered, nodes: &Nodes, totals: &Totals, observed: &Observed) -> Vec<Row> {
    let indicators = &covered.rated.rulebook.indicators;
    let year = first_programme_year(covered);
    let maker = Maker { indicators, nodes, totals, observed };
    let by_indicator: Vec<Vec<Row>> =
        (0..indicators.len()).into_par_iter().map(|indicator| maker.rows(indicator, year)).collect();
    by_indicator.into_iter().flatten().collect()
}

/// The programme year of the bank's first grid; 0 before it joined, and without grids.
fn first_programme_year(covered: &Covered) -> u32 {
    let grids = &covered.rated.tables.grids;
    let first: Option<Date> = (0..grids.rows).filter_map(|grid| grids.joined_on.get(grid)).min();
    programme_year(first, covered.rated.register.as_of)
}

/// Numbers of one row before its status is settled.
#[derive(Clone, Copy, Default)]
struct Found {
    numerator: Option<Amount>,
    denominator: Option<Amount>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Default)]
enum Outcome {
    Value(f64),
    CannotExist,
    #[default]
    NotCollected,
}

impl Outcome {
    fn of(value: Option<f64>) -> Outcome {
        value.map_or(Outcome::CannotExist, Outcome::Value)
    }
}

struct Maker<'a> {
    indicators: &'a [Indicator],
    nodes: &'a Nodes,
    totals: &'a Totals,
    observed: &'a Observed,
}

impl Maker<'_> {
    fn rows(&self, position: usize, year: u32) -> Vec<Row> {
        let Some(indicator) = self.indicators.get(position) else { return Vec::new() };
        let definition = &indicator.definition;
        let target = target(indicator, year);
        let breakdowns = if definition.by_segment { &Breakdown::ALL[..] } else { &[Breakdown::All] };
        let nodes = self.nodes.nodes.iter().enumerate();
        let wanted = nodes.filter(|(_, node)| definition.levels.contains(&node.level));
        let row = |(place, node): (usize, &Node), breakdown: Breakdown| {
            let found = self.find(position, place, node, breakdown);
            let value = match found.outcome {
                Outcome::Value(value) => Some(value),
                Outcome::CannotExist | Outcome::NotCollected => None,
            };
            Row {
                indicator: position,
                node: place,
                breakdown,
                numerator: found.numerator,
                denominator: found.denominator,
                value,
                target: target.map(Decimal::to_f64),
                met: value.zip(target).and_then(|(value, target)| is_met(value, target, definition.direction)),
                status: match found.outcome {
                    Outcome::Value(_) => Status::Published,
                    Outcome::CannotExist => Status::CannotExist,
                    Outcome::NotCollected => Status::NotCollected,
                },
                hides_numerator: false,
                hides_denominator: false,
            }
        };
        wanted.flat_map(|node| breakdowns.iter().map(move |&breakdown| row(node, breakdown))).collect()
    }

    fn find(&self, position: usize, place: usize, node: &Node, breakdown: Breakdown) -> Found {
        let part = |part: usize| self.amount(position, part, node.slot, breakdown);
        let Some(indicator) = self.indicators.get(position) else { return Found::default() };
        match &indicator.definition.kind {
            Kind::Ratio(ratio) => quotient(part(0), part(1), ratio.factor),
            Kind::Amount(_) => {
                let numerator = part(0);
                let outcome = numerator.map_or(Outcome::NotCollected, |amount| Outcome::Value(amount.to_f64()));
                Found { numerator, denominator: None, outcome }
            }
            Kind::Growth(_) => growth(part(0), part(1)),
            Kind::GrowthGap { factor, .. } => gap(growth(part(0), part(1)), growth(part(2), part(3)), *factor),
            Kind::Quantile { observations, .. } => self.statistic(position, place, observations.scale),
            Kind::Gini(_) | Kind::Theil(_) | Kind::TheilBetween(_) => self.statistic(position, place, None),
            Kind::Index(components) => self.index(components, place, node),
        }
    }

    fn amount(&self, position: usize, part: usize, slot: usize, breakdown: Breakdown) -> Option<Amount> {
        let total = self.totals.of(position, part)?;
        Some(Amount { units: total.get(breakdown, slot)?, scale: total.scale })
    }

    /// A statistic over the values of a node; of whole units with digits after the point it is in their units.
    fn statistic(&self, position: usize, place: usize, scale: Option<u32>) -> Found {
        let Some(statistic) = self.observed.get(position, place) else { return Found::default() };
        let unit = 10_f64.powi(scale.unwrap_or(0).cast_signed());
        Found {
            numerator: None,
            denominator: Some(Amount { units: i128::from(statistic.count), scale: 0 }),
            outcome: Outcome::of(statistic.value.map(|value| value / unit)),
        }
    }

    fn index(&self, components: &[Component], place: usize, node: &Node) -> Found {
        let mut attained = Vec::new();
        let (mut is_missing, mut is_impossible) = (false, false);
        for component in components {
            let position = self.indicators.iter().position(|indicator| indicator.id == component.indicator);
            let found = position.map(|position| self.find(position, place, node, Breakdown::All)).unwrap_or_default();
            match found.outcome {
                Outcome::Value(value) => {
                    let [worst, best, weight] =
                        [component.worst, component.best, component.weight].map(Decimal::to_f64);
                    attained.push(inequality::Attained::of(value, worst, best, weight));
                }
                Outcome::CannotExist => is_impossible = true,
                Outcome::NotCollected => is_missing = true,
            }
        }
        let outcome = match (is_missing, is_impossible) {
            (true, _) => Outcome::NotCollected,
            (false, true) => Outcome::CannotExist,
            (false, false) => Outcome::Value(inequality::inclusion_index(&attained)),
        };
        Found { outcome, ..Found::default() }
    }
}

impl Amount {
    /// In the unit in which people write it.
    pub fn to_f64(self) -> f64 {
        self.units as f64 / 10_f64.powi(self.scale.cast_signed())
    }

    /// The same number with as few digits after the point as it needs.
    #[must_use]
    pub fn reduced(mut self) -> Amount {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Whole units of 10^−scale, rounded half up; what is too large for any column is the largest number there is.
    pub fn rounded(self, scale: u32) -> i128 {
        match self.scale.checked_sub(scale) {
            None | Some(0) => self.units.saturating_mul(10_i128.pow(scale - self.scale)),
            Some(surplus) => {
                let unit = 10_i128.pow(surplus);
                self.units.saturating_add(unit / 2).div_euclid(unit)
            }
        }
    }
}

/// `numerator / denominator × factor`, taken exactly up to one last division.
fn quotient(numerator: Option<Amount>, denominator: Option<Amount>, factor: Decimal) -> Found {
    let outcome = match numerator.zip(denominator) {
        None => Outcome::NotCollected,
        Some((_, denominator)) if denominator.units == 0 => Outcome::CannotExist,
        Some((numerator, denominator)) => Outcome::Value(divide(numerator, denominator, factor)),
    };
    Found { numerator, denominator, outcome }
}

fn divide(numerator: Amount, denominator: Amount, factor: Decimal) -> f64 {
    let above = 10_i128.pow(denominator.scale).checked_mul(factor.mantissa());
    let above = above.and_then(|unit| numerator.units.checked_mul(unit));
    let below = 10_i128.pow(numerator.scale).checked_mul(factor.denominator());
    let below = below.and_then(|unit| denominator.units.checked_mul(unit));
    match above.zip(below) {
        Some((above, below)) => {
            // In lowest terms counts and amounts of any bank fit a 64-bit float exactly: the quotient is rounded once.
            let common = common_divisor(above.unsigned_abs(), below.unsigned_abs()).cast_signed().max(1);
            (above / common) as f64 / (below / common) as f64
        }
        // Beyond 38 digits: no bank has such amounts.
        None => numerator.to_f64() / denominator.to_f64() * factor.to_f64(),
    }
}

fn growth(now: Option<Amount>, before: Option<Amount>) -> Found {
    let change = now.zip(before).map(|(now, before)| Amount { units: now.units - before.units, scale: now.scale });
    quotient(change, before, Decimal::from_integer(1))
}

fn gap(part: Found, whole: Found, factor: Decimal) -> Found {
    let outcome = match (part.outcome, whole.outcome) {
        (Outcome::NotCollected, _) | (_, Outcome::NotCollected) => Outcome::NotCollected,
        (Outcome::Value(part), Outcome::Value(whole)) => Outcome::Value((part - whole) * factor.to_f64()),
        _ => Outcome::CannotExist,
    };
    Found { outcome, ..Found::default() }
}

/// The target in force; none before the bank's first grid joined where it goes by programme year.
fn target(indicator: &Indicator, year: u32) -> Option<Decimal> {
    match &indicator.definition.target.as_ref()?.at {
        TargetValue::Always(value) => Some(*value),
        TargetValue::ByProgrammeYear(values) => {
            let place = usize::try_from(year.checked_sub(1)?).ok()?;
            values.get(place).or(values.last()).copied()
        }
    }
}

fn is_met(value: f64, target: Decimal, direction: Direction) -> Option<bool> {
    match direction {
        Direction::Up => Some(value >= target.to_f64()),
        Direction::Down => Some(value <= target.to_f64()),
        Direction::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(units: i128) -> Option<Amount> {
        Some(Amount { units, scale: 0 })
    }

    fn value(found: Found) -> Option<f64> {
        match found.outcome {
            Outcome::Value(value) => Some(value),
            Outcome::CannotExist | Outcome::NotCollected => None,
        }
    }

    #[test]
    fn shares_are_taken_of_sums() {
        let one = Decimal::from_integer(1);
        let together = value(quotient(whole(5 + 90), whole(10 + 1000), one)).unwrap();
        assert!((together - 0.094_059).abs() < 5e-7, "{together}");
        assert_eq!(value(quotient(whole(3), whole(4), Decimal::from_integer(1000))), Some(750.0));
    }

    #[test]
    fn money_over_counts_is_in_currency_units() {
        let numerator = Some(Amount { units: 1_001, scale: 2 });
        assert_eq!(value(quotient(numerator, whole(2), Decimal::from_integer(1))), Some(5.005));
    }

    #[test]
    fn a_zero_denominator_and_a_missing_part_are_two_things() {
        let one = Decimal::from_integer(1);
        assert!(matches!(quotient(whole(3), whole(0), one).outcome, Outcome::CannotExist));
        assert!(matches!(quotient(None, whole(0), one).outcome, Outcome::NotCollected));
        assert!(matches!(growth(whole(3), whole(0)).outcome, Outcome::CannotExist));
    }

    #[test]
    fn parts_are_rounded_half_up_to_four_digits() {
        let rounded = |units, scale| Amount { units, scale }.rounded(4);
        assert_eq!((rounded(7, 0), rounded(1_234, 2), rounded(15_000, 8), rounded(14_999, 8)), (70_000, 123_400, 2, 1));
        assert_eq!((rounded(-15_000, 8), rounded(-15_001, 8)), (-1, -2));
    }

    #[test]
    fn a_gap_is_in_percentage_points() {
        let gap = gap(growth(whole(12), whole(10)), growth(whole(11), whole(10)), Decimal::from_integer(100));
        assert!((value(gap).unwrap() - 10.0).abs() < 1e-9);
    }
}
