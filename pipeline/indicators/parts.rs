//! Parts first: every numerator and denominator as a whole number at the finest key, each measure once however many
//! indicators use it, then summed to every level. Whole numbers add up to the same in any order and on any thread.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{Decimal128Type, Int64Type};
use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::coverage::counts::Segment;
use crate::fault::{Error, Result};
use crate::rulebook::indicators::{BaseTable, Distinct, Indicator, Kind, Measure, Part};

use super::base::BaseRows;
use super::condition;
use super::nodes::{Nodes, Place};
use super::values::Breakdown;

/// One number for each slot, and breakdown where rows have segments; None everywhere where a source is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub scale: u32,
    is_absent: bool,
    /// By breakdown, by slot; empty for breakdowns that the table's rows do not have.
    sums: [Vec<i128>; 4],
    /// Slots of areas (and of the bank) without a figure of their own.
    without_figure: Vec<bool>,
}

impl Total {
    /// None: not collected.
    pub fn get(&self, breakdown: Breakdown, slot: usize) -> Option<i128> {
        let is_unknown = self.is_absent || self.without_figure.get(slot) == Some(&true);
        let sums = self.sums.get(breakdown as usize).filter(|_| !is_unknown)?;
        sums.get(slot).copied()
    }
}

/// The numbers of every part of every indicator.
#[derive(Debug)]
pub struct Totals {
    /// Measures that differ, and their numbers.
    totals: Vec<Total>,
    /// By indicator, by part in the order of `Kind::parts`, the place of its total.
    places: Vec<Vec<usize>>,
}

impl Totals {
    /// The total of one of an indicator's parts.
    pub fn of(&self, indicator: usize, part: usize) -> Option<&Total> {
        let place = self.places.get(indicator).and_then(|parts| parts.get(part))?;
        self.totals.get(*place)
    }
}

/// A part as it is added up.
struct Wanted<'r> {
    part: &'r Part,
    is_own: bool,
}

/// The different parts of all indicators, which are computed once each, as the base tables come.
pub struct Parts<'r> {
    wanted: Vec<Wanted<'r>>,
    totals: Vec<Option<Total>>,
    places: Vec<Vec<usize>>,
}

impl<'r> Parts<'r> {
    pub fn of(indicators: &'r [Indicator]) -> Parts<'r> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut places = Vec::new();
        for indicator in indicators {
            let kind = &indicator.definition.kind;
            let own = |place: usize| matches!(kind, Kind::Ratio(ratio) if ratio.is_own && place == 1);
            let parts = kind.parts().into_iter().enumerate().map(|(place, part)| {
                let is_own = own(place);
                let known = wanted.iter().position(|known| known.is_own == is_own && known.part.is_same_measure(part));
                known.unwrap_or_else(|| {
                    wanted.push(Wanted { part, is_own });
                    wanted.len() - 1
                })
            });
            places.push(parts.collect());
        }
        Parts { totals: vec![None; wanted.len()], wanted, places }
    }

    /// Adds up the parts that are measured over a table, several at a time.
    pub fn add_up(&mut self, table: BaseTable, base: &BaseRows, nodes: &Nodes, bank: &Tables) -> Result<()> {
        let of_table = self.wanted.par_iter().zip(&mut self.totals).filter(|(wanted, _)| wanted.part.table == table);
        of_table.try_for_each(|(wanted, slot)| {
            *slot = Some(total(wanted, base, nodes, bank)?);
            Ok(())
        })
    }

    /// When every table has come.
    pub fn end(self) -> Result<Totals> {
        let totals = self.totals.into_iter().collect::<Option<Vec<_>>>();
        let totals = totals.ok_or_else(|| Error::internal("a base table was not made"))?;
        Ok(Totals { totals, places: self.places })
    }
}

fn total(wanted: &Wanted, base: &BaseRows, nodes: &Nodes, bank: &Tables) -> Result<Total> {
    let part = wanted.part;
    if part.sources.iter().any(|source| base.absent.contains(&source.as_str())) {
        return Ok(Total { scale: part.scale(), is_absent: true, ..Total::default() });
    }
    let answer = condition::answer(part.condition.as_ref(), base)?;
    if wanted.is_own {
        return own_figures(part, base, answer.as_ref(), nodes, bank);
    }
    let cells = by_cell(part, base, answer.as_ref())?;
    let sums = match part.measure {
        Measure::Union(Distinct::Areas) => distinct_areas(&cells, base, nodes),
        Measure::Count | Measure::Sum { .. } | Measure::Union(Distinct::Customers) => sum_cells(&cells, base, nodes),
    };
    Ok(Total { scale: part.scale(), is_absent: false, sums, without_figure: Vec::new() })
}

/// The part's number in each cell.
fn by_cell(part: &Part, base: &BaseRows, answer: Option<&BooleanArray>) -> Result<Vec<i128>> {
    let mut cells = vec![0_i128; base.cells.len()];
    let mut add = |cell: usize, more: i128| {
        if let Some(sum) = cells.get_mut(cell) {
            *sum += more;
        }
    };
    match part.measure {
        Measure::Count | Measure::Union(Distinct::Areas) => {
            condition::for_fitting(answer, base, |_, cell| add(cell, 1))
        }
        Measure::Union(Distinct::Customers) => {
            let mut seen = vec![false; base.customers.iter().max().map_or(0, |last| *last as usize + 1)];
            condition::for_fitting(answer, base, |row, cell| {
                let customer = base.customers.get(row).and_then(|&customer| seen.get_mut(customer as usize));
                if let Some(is_seen) = customer.filter(|is_seen| !**is_seen) {
                    *is_seen = true;
                    add(cell, 1);
                }
            });
        }
        Measure::Sum { column, .. } => {
            let array = base.columns.get(column).and_then(Option::as_ref);
            let array = array.ok_or_else(|| Error::internal("a sum reads a column that was not made"))?;
            let known = |row: usize| array.is_valid(row);
            if let Some(values) = array.as_primitive_opt::<Int64Type>() {
                let value = |row: usize| if known(row) { i128::from(values.value(row)) } else { 0 };
                condition::for_fitting(answer, base, |row, cell| add(cell, value(row)));
            } else if let Some(values) = array.as_primitive_opt::<Decimal128Type>() {
                let value = |row: usize| if known(row) { values.value(row) } else { 0 };
                condition::for_fitting(answer, base, |row, cell| add(cell, value(row)));
            } else {
                return Err(Error::internal("a sum reads a column that is not in whole units"));
            }
        }
    }
    Ok(cells)
}

/// The breakdowns in which a cell counts.
fn breakdowns(segment: Option<usize>) -> [Option<usize>; 2] {
    let of_segment = segment.and_then(|segment| Segment::ALL.get(segment)).map(|segment| match segment {
        Segment::Rural => Breakdown::Rural as usize,
        Segment::Resident => Breakdown::Resident as usize,
        Segment::Business => Breakdown::Business as usize,
    });
    [Some(Breakdown::All as usize), of_segment]
}

/// Empty lists for breakdowns that the rows do not have.
fn empty(base: &BaseRows, nodes: &Nodes) -> [Vec<i128>; 4] {
    let zeros = |breakdown: Breakdown| {
        let is_there = base.has_segments || breakdown == Breakdown::All;
        if is_there { vec![0; nodes.slots()] } else { Vec::new() }
    };
    Breakdown::ALL.map(zeros)
}

fn sum_cells(numbers: &[i128], base: &BaseRows, nodes: &Nodes) -> [Vec<i128>; 4] {
    let mut sums = empty(base, nodes);
    for (cell, &number) in base.cells.iter().zip(numbers).filter(|(_, number)| **number != 0) {
        let slots = [Some(Place::Bank), cell.branch.map(Place::Branch), cell.area.map(Place::Area)];
        for breakdown in breakdowns(cell.segment).into_iter().flatten() {
            for slot in slots.into_iter().flatten().map(|place| nodes.slot(place)) {
                if let Some(sum) = sums.get_mut(breakdown).and_then(|sums| sums.get_mut(slot)) {
                    *sum += number;
                }
            }
        }
    }
    sums.iter_mut().for_each(|slots| nodes.add_upwards(slots));
    sums
}

/// Areas that occur, each once: in the bank, in each branch, and in each area with those below it.
fn distinct_areas(numbers: &[i128], base: &BaseRows, nodes: &Nodes) -> [Vec<i128>; 4] {
    let occurring = base.cells.iter().zip(numbers).filter(|(_, number)| **number != 0);
    let mut pairs: Vec<(usize, Option<usize>)> =
        occurring.filter_map(|(cell, _)| Some((cell.area?, cell.branch))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut slots = vec![0_i128; nodes.slots()];
    let mut add = |place: Place| {
        if let Some(sum) = slots.get_mut(nodes.slot(place)) {
            *sum += 1;
        }
    };
    let mut last = None;
    for (area, branch) in pairs {
        branch.into_iter().for_each(|branch| add(Place::Branch(branch)));
        if last != Some(area) {
            add(Place::Bank);
            add(Place::Area(area));
            last = Some(area);
        }
    }
    nodes.add_upwards(&mut slots);
    [slots, Vec::new(), Vec::new(), Vec::new()]
}

/// Each area's own figure; of the bank the known figures of areas without a parent.
fn own_figures(
    part: &Part,
    base: &BaseRows,
    answer: Option<&BooleanArray>,
    nodes: &Nodes,
    bank: &Tables,
) -> Result<Total> {
    let Measure::Sum { column, scale } = part.measure else {
        return Err(Error::internal("an own figure is no column"));
    };
    let values = base.columns.get(column).and_then(Option::as_ref);
    let values = values.and_then(|values| values.as_primitive_opt::<Int64Type>());
    let values = values.ok_or_else(|| Error::internal("an own figure is not in whole units"))?;
    let mut sums = vec![0_i128; nodes.slots()];
    let mut without_figure = vec![false; nodes.slots()];
    let bank_slot = nodes.slot(Place::Bank);
    let (mut of_bank, mut is_known, mut has_top) = (0_i128, false, false);
    for area in 0..base.rows {
        let slot = nodes.slot(Place::Area(area));
        let is_fitting = answer.is_none_or(|answer| answer.is_valid(area) && answer.value(area));
        let is_null = is_fitting && values.is_null(area);
        let figure = if is_fitting && !is_null { i128::from(values.value(area)) } else { 0 };
        if let (Some(sum), Some(without)) = (sums.get_mut(slot), without_figure.get_mut(slot)) {
            *sum = figure;
            *without = is_null;
        }
        if bank.areas.parent_area_id.get(area).is_none() {
            of_bank += figure;
            is_known |= !is_null;
            has_top = true;
        }
    }
    if let (Some(sum), Some(without)) = (sums.get_mut(bank_slot), without_figure.get_mut(bank_slot)) {
        *sum = of_bank;
        *without = has_top && !is_known;
    }
    Ok(Total { scale, is_absent: false, sums: [sums, Vec::new(), Vec::new(), Vec::new()], without_figure })
}
