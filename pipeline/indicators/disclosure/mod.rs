//! What may leave the bank (`indicators.md`, disclosure): counts of households that are too small are suppressed, and
//! with them as many others as it takes that none is found again by adding and subtracting what is published: over
//! branches, areas, segments, and indicators that share a count or are made of each other's counts.
//! A count is suppressed wherever it stands or nowhere; zero never is. Leaves blanking to the writers of the export.

pub mod ledger;
mod pressed;
pub mod recover;

use std::collections::{HashMap, HashSet};

use crate::clean::typed::{Areas, Rows as _};
use crate::rulebook::indicators::{BaseTable, Indicator, Kind, Observations};

use super::nodes::{Nodes, Place};
use super::values::{Breakdown, Row, Status};
use super::{Amount, Indicators};

use ledger::{Equation, Ledger};

/// How far suppression goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Only the counts that are too small themselves: for tests, which show that this is not enough.
    PrimaryOnly,
    Complete,
}

/// Decides what is suppressed and marks it in the rows.
pub fn protect(
    indicators: &mut Indicators,
    catalogue: &[Indicator],
    areas: &Areas,
    cell_min: i64,
    protection: Protection,
) {
    let book = Book::of(&indicators.rows, &indicators.nodes, catalogue, areas);
    let mut suppressed = vec![false; book.ledger.values.len()];
    for (row, counts) in indicators.rows.iter().zip(&book.counts) {
        for position in book.too_small(row, *counts, catalogue, cell_min) {
            if let Some(slot) = suppressed.get_mut(position as usize) {
                *slot = true;
            }
        }
    }
    if protection == Protection::Complete {
        ledger::suppress(&book.ledger, &mut suppressed);
    }
    mark(&mut indicators.rows, &book, &suppressed, catalogue);
}

/// Which parts of a row a reader is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub numerator: bool,
    pub denominator: bool,
}

/// Rows of which a reader who is shown so much finds a count that is withheld from him, or is shown one that is too
/// small. `rows` hold the true numbers.
pub fn found_again(
    rows: &[Row],
    shown: &[Shown],
    nodes: &Nodes,
    catalogue: &[Indicator],
    areas: &Areas,
    cell_min: i64,
) -> Vec<usize> {
    let book = Book::of(rows, nodes, catalogue, areas);
    let values = &book.ledger.values;
    let mut is_known = vec![false; values.len()];
    let mut is_withheld = vec![false; values.len()];
    for (counts, shown) in book.counts.iter().zip(shown) {
        for (position, is_shown) in [(counts.numerator, shown.numerator), (counts.denominator, shown.denominator)] {
            let marks = if is_shown { &mut is_known } else { &mut is_withheld };
            if let Some(mark) = position.and_then(|position| marks.get_mut(position as usize)) {
                *mark = true;
            }
        }
    }
    let mut is_found: Vec<bool> = is_known.clone();
    for position in recover::recover(values, &is_known, &is_withheld, &book.ledger.equations) {
        if let Some(found) = is_found.get_mut(position as usize) {
            *found = true;
        }
    }
    let is_found = |position: u32| is_found.get(position as usize) == Some(&true);
    let is_betrayed = |(row, (counts, shown)): (&Row, (&Counts, &Shown))| {
        let withheld =
            [counts.numerator.filter(|_| !shown.numerator), counts.denominator.filter(|_| !shown.denominator)];
        let small = book.too_small(row, *counts, catalogue, cell_min);
        withheld.into_iter().flatten().chain(small).any(is_found)
    };
    let rows = rows.iter().zip(book.counts.iter().zip(shown)).enumerate();
    rows.filter(|(_, row)| is_betrayed(*row)).map(|(place, _)| place).collect()
}

/// The household counts that rows show, each once, and what ties them together.
#[derive(Debug)]
pub struct Book {
    pub ledger: Ledger,
    /// By row, the positions of its counts in the ledger.
    pub counts: Vec<Counts>,
}

/// The counts of one row; None where a part counts no households, or is not collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub numerator: Option<u32>,
    pub denominator: Option<u32>,
}

/// Whether an indicator's numerator and denominator count households.
fn counts_households(kind: &Kind) -> (bool, bool) {
    let over_households = |observations: &Observations| observations.table == BaseTable::Households;
    match kind {
        Kind::Ratio(ratio) => (ratio.numerator.counts_households, ratio.denominator.counts_households),
        Kind::Amount(part) => (part.counts_households, false),
        Kind::Quantile { observations, .. }
        | Kind::Gini(observations)
        | Kind::Theil(observations)
        | Kind::TheilBetween(observations) => (false, over_households(observations)),
        // A growth of counts of households is refused when the catalogue is loaded.
        Kind::Growth(_) | Kind::GrowthGap { .. } | Kind::Index(_) => (false, false),
    }
}

/// Numbers of one count in every row where it could stand.
type Column = Vec<Option<i64>>;

impl Book {
    pub fn of(rows: &[Row], nodes: &Nodes, catalogue: &[Indicator], areas: &Areas) -> Book {
        let mut shelf = Shelf { nodes: nodes.nodes.len(), columns: Vec::new() };
        let mut sides: HashMap<(usize, bool), usize> = HashMap::new();
        for (row_indicator, of_indicator) in by_indicator(rows) {
            let Some(indicator) = catalogue.get(row_indicator) else { continue };
            let (has_numerator, has_denominator) = counts_households(&indicator.definition.kind);
            for (is_numerator, is_count) in [(true, has_numerator), (false, has_denominator)] {
                if is_count {
                    let column = shelf.column(of_indicator, is_numerator);
                    sides.insert((row_indicator, is_numerator), shelf.place(column));
                }
            }
        }
        let position = |row: &Row, is_numerator: bool| {
            let column = sides.get(&(row.indicator, is_numerator))?;
            let number = if is_numerator { row.numerator } else { row.denominator };
            number.map(|_| shelf.position(*column, row.breakdown, row.node))
        };
        let counts =
            rows.iter().map(|row| Counts { numerator: position(row, true), denominator: position(row, false) });
        Book { counts: counts.collect(), ledger: shelf.ledger(nodes, areas) }
    }

    /// The counts of a row that are too small to be published.
    fn too_small(&self, row: &Row, counts: Counts, catalogue: &[Indicator], cell_min: i64) -> Vec<u32> {
        let is_small = |number: i64| (1..cell_min).contains(&number);
        let value = |position: u32| self.ledger.values.get(position as usize).copied().unwrap_or(0);
        let mut found = Vec::new();
        found.extend(counts.denominator.filter(|&position| is_small(value(position))));
        found.extend(counts.numerator.filter(|&position| is_small(value(position))));
        let kind = catalogue.get(row.indicator).map(|indicator| &indicator.definition.kind);
        let is_subset = matches!(kind, Some(Kind::Ratio(ratio)) if ratio.is_subset);
        // Where nobody is in the part, the rest is the whole, and zero stays zero.
        if let (true, Some(numerator), Some(denominator)) = (is_subset, counts.numerator, counts.denominator)
            && value(numerator) > 0
            && is_small(value(denominator) - value(numerator))
        {
            found.push(numerator);
        }
        found
    }
}

/// Rows of one indicator stand together.
fn by_indicator(rows: &[Row]) -> impl Iterator<Item = (usize, &[Row])> {
    let groups = rows.chunk_by(|one, other| one.indicator == other.indicator);
    groups.filter_map(|group| Some((group.first()?.indicator, group)))
}

fn whole(amount: Option<Amount>) -> Option<i64> {
    amount.filter(|amount| amount.scale == 0).and_then(|amount| i64::try_from(amount.units).ok())
}

/// The different counts, each with its numbers: two parts with the same number in every row are the same count.
struct Shelf {
    nodes: usize,
    /// By breakdown and node: the order of identifiers, so that ties do not turn on the order of input rows.
    columns: Vec<Column>,
}

impl Shelf {
    fn cell(&self, breakdown: Breakdown, node: usize) -> usize {
        breakdown as usize * self.nodes + node
    }

    fn cells(&self) -> usize {
        Breakdown::ALL.len() * self.nodes
    }

    fn position(&self, column: usize, breakdown: Breakdown, node: usize) -> u32 {
        (column * self.cells() + self.cell(breakdown, node)) as u32
    }

    fn column(&self, rows: &[Row], is_numerator: bool) -> Column {
        let mut column = vec![None; self.cells()];
        for row in rows {
            let number = whole(if is_numerator { row.numerator } else { row.denominator });
            if let Some(cell) = column.get_mut(self.cell(row.breakdown, row.node)) {
                *cell = number;
            }
        }
        column
    }

    /// The place of the count with these numbers; a count that is shown at more nodes than a known one completes it.
    fn place(&mut self, column: Column) -> usize {
        let agrees = |known: &Column| {
            let mut common = false;
            let same = known.iter().zip(&column).all(|(one, other)| match (one, other) {
                (Some(one), Some(other)) => {
                    common = true;
                    one == other
                }
                _ => true,
            });
            same && common
        };
        match self.columns.iter_mut().position(|known| agrees(known)) {
            Some(place) => {
                if let Some(known) = self.columns.get_mut(place) {
                    known.iter_mut().zip(column).for_each(|(known, more)| *known = known.or(more));
                }
                place
            }
            None => {
                self.columns.push(column);
                self.columns.len() - 1
            }
        }
    }

    fn ledger(&self, nodes: &Nodes, areas: &Areas) -> Ledger {
        let numbers = || self.columns.iter().flatten();
        let sums = sums_of(nodes, areas);
        let mut equations = Vec::new();
        for column in 0..self.columns.len() {
            for breakdown in Breakdown::ALL {
                let place = |node: usize| self.position(column, breakdown, node);
                for (whole, parts) in &sums {
                    self.add(&mut equations, place(*whole), parts.iter().map(|&node| place(node)).collect());
                }
            }
            for node in 0..self.nodes {
                let [all, segments @ ..] = Breakdown::ALL.map(|breakdown| self.position(column, breakdown, node));
                self.add(&mut equations, all, segments.to_vec());
            }
        }
        for (whole, one, other) in self.made_of_others() {
            for breakdown in Breakdown::ALL {
                for node in 0..self.nodes {
                    let place = |column: usize| self.position(column, breakdown, node);
                    self.add(&mut equations, place(whole), vec![place(one), place(other)]);
                }
            }
        }
        Ledger {
            values: numbers().map(|number| number.unwrap_or(0)).collect(),
            is_published: numbers().map(Option::is_some).collect(),
            equations,
        }
    }

    /// Adds an equation of which every number is shown and which holds.
    fn add(&self, equations: &mut Vec<Equation>, whole: u32, parts: Vec<u32>) {
        let value = |position: u32| {
            let position = position as usize;
            self.columns.get(position / self.cells()).and_then(|column| column.get(position % self.cells())).copied()
        };
        let Some(sum) = value(whole).flatten() else { return };
        let Some(shown) = parts.iter().map(|&part| value(part).flatten()).collect::<Option<Vec<i64>>>() else { return };
        if !parts.is_empty() && sum != 0 && shown.iter().sum::<i64>() == sum {
            equations.push(Equation { whole, parts });
        }
    }

    /// Counts that are the sum of two others wherever all three are shown: (whole, one part, other part).
    fn made_of_others(&self) -> Vec<(usize, usize, usize)> {
        let columns = || self.columns.iter().enumerate();
        let mut found = Vec::new();
        for (whole, sums) in columns() {
            for (one, left) in columns().filter(|(one, _)| *one != whole) {
                for (other, right) in columns().skip(one + 1).filter(|(other, _)| *other != whole) {
                    if is_sum(sums, left, right) {
                        found.push((whole, one, other));
                    }
                }
            }
        }
        found
    }
}

/// Whether one column is the sum of two others in every common cell, and both take part in some.
fn is_sum(sums: &Column, left: &Column, right: &Column) -> bool {
    let mut takes_part = [false; 2];
    let mut common =
        sums.iter().zip(left).zip(right).filter_map(|((sum, left), right)| Some((*sum, (*left)?, (*right)?)));
    let holds = common.all(|(sum, left, right)| {
        takes_part = [takes_part[0] || left > 0, takes_part[1] || right > 0];
        sum.is_none_or(|sum| sum == left + right)
    });
    holds && takes_part == [true, true]
}

/// What adds up to what, by nodes: the bank of its branches and of the areas at the top, an area of those below it.
fn sums_of(nodes: &Nodes, areas: &Areas) -> Vec<(usize, Vec<usize>)> {
    let numbered = || nodes.nodes.iter().enumerate();
    let mut by_area = vec![None; areas.rows];
    for (number, node) in numbered() {
        if let Place::Area(area) = node.place
            && let Some(slot) = by_area.get_mut(area)
        {
            *slot = Some(number);
        }
    }
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes.nodes.len()];
    let (mut branches, mut tops) = (Vec::new(), Vec::new());
    for (number, node) in numbered() {
        match node.place {
            Place::Bank => {}
            Place::Branch(_) => branches.push(number),
            Place::Area(area) => {
                let parent = areas.parent_area_id.get(area).and_then(|parent| by_area.get(parent).copied().flatten());
                match parent.and_then(|parent| below.get_mut(parent)) {
                    Some(children) => children.push(number),
                    None => tops.push(number),
                }
            }
        }
    }
    let bank = numbered().find(|(_, node)| node.place == Place::Bank).map(|(number, _)| number);
    let of_bank = bank.into_iter().flat_map(|bank| [(bank, branches.clone()), (bank, tops.clone())]);
    of_bank.chain(below.into_iter().enumerate().filter(|(_, children)| !children.is_empty())).collect()
}

/// Marks what is suppressed in the rows. An index goes with the rows that it is made of; in a suppressed row every part
/// that counts no households goes too, because it would tell the amount of a few.
fn mark(rows: &mut [Row], book: &Book, suppressed: &[bool], catalogue: &[Indicator]) {
    let is_suppressed =
        |position: Option<u32>| position.is_some_and(|position| suppressed.get(position as usize) == Some(&true));
    for (row, counts) in rows.iter_mut().zip(&book.counts) {
        row.hides_numerator = is_suppressed(counts.numerator);
        row.hides_denominator = is_suppressed(counts.denominator);
        if row.status == Status::Published && (row.hides_numerator || row.hides_denominator) {
            row.status = Status::Suppressed;
            row.hides_numerator |= counts.numerator.is_none();
            row.hides_denominator |= counts.denominator.is_none();
        }
    }
    let withheld: HashSet<(usize, usize)> = rows
        .iter()
        .filter(|row| row.status == Status::Suppressed && row.breakdown == Breakdown::All)
        .map(|row| (row.indicator, row.node))
        .collect();
    for row in rows.iter_mut().filter(|row| row.status == Status::Published) {
        let kind = catalogue.get(row.indicator).map(|indicator| &indicator.definition.kind);
        let Some(Kind::Index(components)) = kind else { continue };
        let position = |id: &str| catalogue.iter().position(|indicator| indicator.id == id);
        let mut components = components.iter().filter_map(|component| position(&component.indicator));
        if components.any(|component| withheld.contains(&(component, row.node))) {
            row.status = Status::Suppressed;
        }
    }
}
