//! What must hold of the indicators: every place has its rows, values are those of their parts, parts add up, and from
//! what is released to the regulator no count that is withheld can be found again.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Decimal128Array, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, Float64Type};

use crate::clean::typed::{Areas, Rows as _};
use crate::contract::Contracts;
use crate::decimal::Decimal;
use crate::fault::{Error, Result};
use crate::indicators::disclosure::{self, Shown};
use crate::indicators::{Amount, Breakdown, Nodes, Row, Status};
use crate::rulebook::Rulebook;
use crate::rulebook::indicators::{BaseTable, Indicator, Kind, Level, Part};

use super::{AuditRow, Outputs, column, decimals, strings, with_examples};

const TABLE: &str = "indicators";
/// Digits after the point of the parts.
const SCALE: u32 = 4;
/// A value is made by one division, the check by two.
const TOLERANCE: f64 = 1e-9;
/// How far a part may be from its rounded figure.
const ROUNDING: f64 = 0.000_05;

/// `released` is the table for the regulator, row by row the same as the table of indicators.
pub(super) fn audit(
    tables: &Outputs,
    released: &RecordBatch,
    areas: &Areas,
    rulebook: &Rulebook,
    contracts: &Contracts,
) -> Result<Vec<AuditRow>> {
    let page = Page::of(tables, rulebook, areas, contracts)?;
    Ok(vec![
        page.every_place_has_its_rows(),
        page.values_are_of_their_parts(),
        page.parts_add_up(),
        page.statuses_fit(),
        page.nothing_withheld_can_be_found(released, areas, i64::from(rulebook.disclosure.cell_min))?,
    ])
}

/// The published table, read back into rows.
struct Page<'a> {
    catalogue: &'a [Indicator],
    nodes: Nodes,
    rows: Vec<Row>,
    published: &'a Float64Array,
    /// How many areas there are of each level.
    areas: BTreeMap<Level, usize>,
}

impl<'a> Page<'a> {
    fn of(tables: &Outputs<'a>, rulebook: &'a Rulebook, areas: &Areas, contracts: &Contracts) -> Result<Page<'a>> {
        let words = &contracts.input("areas")?.column("level")?.words;
        let mut by_level: BTreeMap<Level, usize> = BTreeMap::new();
        for area in 0..areas.rows {
            let word = areas.level.get(area).and_then(|code| words.get(usize::from(code)));
            if let Some(level) = word.and_then(|word| Level::of(word)) {
                *by_level.entry(level).or_default() += 1;
            }
        }
        let text = |name: &str| strings(tables, TABLE, name);
        let (ids, levels, refs) = (text("indicator_id")?, text("level")?, text("ref_id")?);
        let (breakdowns, statuses) = (text("breakdown")?, text("status")?);
        let (numerators, denominators) =
            (decimals(tables, TABLE, "numerator")?, decimals(tables, TABLE, "denominator")?);
        let values = reals(tables, "value")?;
        let catalogue = rulebook.indicators.as_slice();
        let levels: Vec<Level> = levels
            .iter()
            .map(|level| level.and_then(Level::of).ok_or_else(|| Error::internal("a level that is none")))
            .collect::<Result<_>>()?;
        let nodes = Nodes::read(levels.iter().copied().zip(refs.iter().flatten()), areas);
        let places: BTreeMap<(Level, &str), usize> =
            nodes.nodes.iter().enumerate().map(|(place, node)| ((node.level, node.id.as_str()), place)).collect();
        let by_id: BTreeMap<&str, usize> =
            catalogue.iter().enumerate().map(|(place, indicator)| (indicator.id.as_str(), place)).collect();
        let part = |parts: &Decimal128Array, row: usize| {
            parts.is_valid(row).then(|| Amount { units: parts.value(row), scale: SCALE }.reduced())
        };
        let rows = (0..ids.len()).map(|row| {
            let known =
                by_id.get(ids.value(row)).zip(levels.get(row).and_then(|&level| places.get(&(level, refs.value(row)))));
            let breakdown = Breakdown::ALL.into_iter().find(|known| known.name() == breakdowns.value(row));
            let (Some((&indicator, &node)), Some(breakdown)) = (known, breakdown) else {
                return Err(Error::internal(format!("row {row} of `{TABLE}` is of no indicator or place")));
            };
            Ok(Row {
                indicator,
                node,
                breakdown,
                numerator: part(numerators, row),
                denominator: part(denominators, row),
                value: values.is_valid(row).then(|| values.value(row)),
                target: None,
                met: None,
                status: Status::of(statuses.value(row)).ok_or_else(|| Error::internal("a status that is none"))?,
                hides_numerator: false,
                hides_denominator: false,
            })
        });
        Ok(Page {
            rows: rows.collect::<Result<_>>()?,
            published: reals(tables, "published_value")?,
            areas: by_level,
            catalogue,
            nodes,
        })
    }

    fn kind(&self, row: &Row) -> Option<&Kind> {
        self.catalogue.get(row.indicator).map(|indicator| &indicator.definition.kind)
    }

    fn name(&self, row: &Row) -> String {
        let id = self.catalogue.get(row.indicator).map_or("", |indicator| indicator.id.as_str());
        let node = self.nodes.nodes.get(row.node);
        let (level, place) = node.map_or(("", ""), |node| (node.level.name(), node.id.as_str()));
        format!("{id} {level} {place} {}", row.breakdown.name())
    }

    fn outcome<'r>(&self, check: &str, wrong: impl Iterator<Item = &'r Row>) -> AuditRow {
        let names: Vec<String> = wrong.map(|row| self.name(row)).collect();
        with_examples(check, TABLE, names.iter().map(String::as_str), self.rows.len())
    }

    /// Each indicator has a row for the bank, for every branch that has rows, and for every area, at its levels, in
    /// each of its breakdowns.
    fn every_place_has_its_rows(&self) -> AuditRow {
        let branches = self.nodes.nodes.iter().filter(|node| node.level == Level::Branch).count();
        let places = |level: Level| match level {
            Level::Bank => 1,
            Level::Branch => branches,
            _ => self.areas.get(&level).copied().unwrap_or(0),
        };
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        self.rows.iter().for_each(|row| *found.entry(row.indicator).or_default() += 1);
        let wrong = self.catalogue.iter().enumerate().filter(|(position, indicator)| {
            let definition = &indicator.definition;
            let breakdowns = if definition.by_segment { Breakdown::ALL.len() } else { 1 };
            let expected: usize = definition.levels.iter().map(|&level| places(level) * breakdowns).sum();
            found.get(position).copied().unwrap_or(0) != expected
        });
        let wrong: Vec<&str> = wrong.map(|(_, indicator)| indicator.id.as_str()).collect();
        with_examples("every_place_has_its_rows", TABLE, wrong.into_iter(), self.rows.len())
    }

    /// Numerator over denominator times factor, at the level shown; a subset is not more than its whole.
    fn values_are_of_their_parts(&self) -> AuditRow {
        let is_wrong = |row: &&Row| {
            let Some(value) = row.value else { return false };
            let quotient = |factor: Decimal| {
                let (numerator, denominator) = row.numerator.zip(row.denominator)?;
                Some(numerator.to_f64() / denominator.to_f64() * factor.to_f64())
            };
            let expected = match self.kind(row) {
                Some(Kind::Ratio(ratio)) => quotient(ratio.factor),
                Some(Kind::Growth(_)) => quotient(Decimal::from_integer(1)),
                Some(Kind::Amount(_)) => row.numerator.map(Amount::to_f64),
                _ => return !value.is_finite(),
            };
            let is_subset = matches!(self.kind(row), Some(Kind::Ratio(ratio)) if ratio.is_subset);
            let slack = self.kind(row).map_or(0.0, |kind| rounding_slack(kind, row, value));
            let exceeds = is_subset
                && row
                    .numerator
                    .zip(row.denominator)
                    .is_none_or(|(part, whole)| part.units < 0 || exceeds(part, whole));
            exceeds || expected.is_none_or(|expected| !is_near(value, expected, slack))
        };
        self.outcome("value_of_its_parts", self.rows.iter().filter(is_wrong))
    }

    /// What is counted over households and grids is the same summed over branches, over areas and over segments.
    fn parts_add_up(&self) -> AuditRow {
        let mut sums: BTreeMap<(usize, usize, Breakdown), [i128; 2]> = BTreeMap::new();
        let mut shown: BTreeMap<(usize, usize, Breakdown), [i128; 2]> = BTreeMap::new();
        let units = |amount: Option<Amount>| amount.map_or(0, |amount| amount.rounded(SCALE));
        let mut add = |indicator: usize, whole: usize, breakdown: Breakdown, parts: [i128; 2]| {
            let sum = sums.entry((indicator, whole, breakdown)).or_default();
            sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        };
        let additive = self.rows.iter().filter(|row| self.is_additive(row));
        // Sums over branches, over areas and over segments are kept apart by where they end.
        let (by_branch, by_area, by_segment) = (0, self.catalogue.len(), 2 * self.catalogue.len());
        for row in additive.clone() {
            let parts = [units(row.numerator), units(row.denominator)];
            let Some(node) = self.nodes.nodes.get(row.node) else { continue };
            let slot = node.slot;
            for offset in [by_branch, by_area, by_segment] {
                shown.insert((row.indicator + offset, slot, row.breakdown), parts);
            }
            match node.level {
                Level::Bank => {}
                Level::Branch => add(row.indicator + by_branch, 0, row.breakdown, parts),
                _ => add(row.indicator + by_area, self.nodes.above(slot), row.breakdown, parts),
            }
            if row.breakdown != Breakdown::All {
                add(row.indicator + by_segment, slot, Breakdown::All, parts);
            }
        }
        let wrong: BTreeSet<(usize, usize)> = sums
            .iter()
            .filter(|(key, sum)| shown.get(*key) != Some(*sum))
            .map(|((indicator, slot, _), _)| (indicator % self.catalogue.len().max(1), *slot))
            .collect();
        let slot = |row: &Row| self.nodes.nodes.get(row.node).map_or(usize::MAX, |node| node.slot);
        let rows = self.rows.iter().filter(|row| row.breakdown == Breakdown::All);
        self.outcome("parts_add_up", rows.filter(|row| wrong.contains(&(row.indicator, slot(row)))))
    }

    /// Parts of which every row counts in one branch that has rows, and in one area.
    fn is_additive(&self, row: &Row) -> bool {
        let Some(indicator) = self.catalogue.get(row.indicator) else { return false };
        let has_all_levels = indicator.definition.levels.len() == Level::ALL.len();
        let Kind::Ratio(ratio) = &indicator.definition.kind else { return false };
        let is_counted_once = |table: BaseTable| matches!(table, BaseTable::Households | BaseTable::Grids);
        has_all_levels && is_counted_once(ratio.numerator.table) && is_counted_once(ratio.denominator.table)
    }

    /// A value that is published is the value; M and L have none: M for a denominator of zero, L for a missing part.
    fn statuses_fit(&self) -> AuditRow {
        let is_wrong = |(place, row): &(usize, &Row)| {
            let published = self.published.is_valid(*place).then(|| self.published.value(*place));
            match row.status {
                Status::Published => row.value.is_none() || published != row.value,
                Status::Suppressed => row.value.is_none() || published.is_some(),
                Status::NotCollected => row.value.is_some() || published.is_some() || self.is_whole(row),
                Status::CannotExist => row.value.is_some() || published.is_some() || self.has_denominator(row),
            }
        };
        let wrong = self.rows.iter().enumerate().filter(is_wrong);
        self.outcome("status_fits_value", wrong.map(|(_, row)| row))
    }

    /// Both parts of a quotient are collected.
    fn is_whole(&self, row: &Row) -> bool {
        let is_quotient = matches!(self.kind(row), Some(Kind::Ratio(_) | Kind::Growth(_)));
        is_quotient && row.numerator.is_some() && row.denominator.is_some()
    }

    fn has_denominator(&self, row: &Row) -> bool {
        let is_quotient = matches!(self.kind(row), Some(Kind::Ratio(_) | Kind::Growth(_)));
        is_quotient && row.denominator.is_none_or(|denominator| denominator.units != 0)
    }

    /// Nobody who adds and subtracts what is released finds a count that is withheld, or sees one that is too small.
    fn nothing_withheld_can_be_found(&self, released: &RecordBatch, areas: &Areas, cell_min: i64) -> Result<AuditRow> {
        let check = "nothing_withheld_can_be_found";
        let ids = released_text(released, "INDICATOR")?;
        let is_same = |(row, id): (&Row, Option<&str>)| {
            self.catalogue.get(row.indicator).map(|indicator| indicator.id.as_str()) == id
        };
        if ids.len() != self.rows.len() || !self.rows.iter().zip(ids.iter()).all(is_same) {
            return Ok(with_examples(check, TABLE, ["other rows than the table of indicators"].into_iter(), ids.len()));
        }
        let part = |name: &str| {
            let found = released.column_by_name(name).and_then(|column| column.as_primitive_opt::<Decimal128Type>());
            found.ok_or_else(|| Error::internal(format!("what is released has no column `{name}`")))
        };
        let (numerators, denominators) = (part("NUMERATOR")?, part("DENOMINATOR")?);
        let shown: Vec<Shown> = (0..self.rows.len())
            .map(|row| Shown { numerator: numerators.is_valid(row), denominator: denominators.is_valid(row) })
            .collect();
        let found = disclosure::found_again(&self.rows, &shown, &self.nodes, self.catalogue, areas, cell_min);
        Ok(self.outcome(check, found.into_iter().filter_map(|row| self.rows.get(row))))
    }
}

fn reals<'t>(tables: &Outputs<'t>, name: &str) -> Result<&'t Float64Array> {
    let found = column(tables, TABLE, name)?.as_primitive_opt::<Float64Type>();
    found.ok_or_else(|| Error::internal(format!("`{name}` of `{TABLE}` is no number")))
}

fn released_text<'r>(released: &'r RecordBatch, name: &str) -> Result<&'r StringArray> {
    let found = released.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    found.ok_or_else(|| Error::internal(format!("what is released has no column `{name}`")))
}

fn exceeds(part: Amount, whole: Amount) -> bool {
    part.rounded(SCALE) > whole.rounded(SCALE)
}

/// How far a value may be from that of its parts: a part of more than four digits after the point is rounded in the
/// table, and the value is not made of that.
fn rounding_slack(kind: &Kind, row: &Row, value: f64) -> f64 {
    let rounding = |part: &Part| if part.scale() > SCALE { ROUNDING } else { 0.0 };
    let (numerator, denominator, factor) = match kind {
        Kind::Ratio(ratio) => (rounding(&ratio.numerator), rounding(&ratio.denominator), ratio.factor.to_f64()),
        Kind::Growth(growth) => (rounding(&growth.now) + rounding(&growth.before), rounding(&growth.before), 1.0),
        Kind::Amount(part) => return rounding(part),
        _ => return 0.0,
    };
    let whole = row.denominator.map_or(1.0, |denominator| denominator.to_f64().abs());
    (numerator * factor + denominator * value.abs()) / whole
}

fn is_near(value: f64, expected: f64, slack: f64) -> bool {
    (value - expected).abs() <= slack + TOLERANCE * expected.abs().max(1.0)
}
