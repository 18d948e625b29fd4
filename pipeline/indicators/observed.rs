//! Statistics over all values of a node: the values are laid so that every branch and every area with those below it is
//! one stretch, each stretch is sorted by itself, and a statistic is taken of it. Nothing depends on the order of rows.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::decimal::Decimal;
use crate::fault::{Error, Result};
use crate::rulebook::indicators::{BaseTable, Indicator, Kind, Observations};

use super::base::BaseRows;
use super::nodes::{Node, Nodes, Place};
use super::{condition, inequality};

/// What was found of one node: over how many values, and the statistic where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistic {
    pub count: i64,
    pub value: Option<f64>,
}

/// By indicator, by node; None where it has no observations, or they are not collected.
#[derive(Debug)]
pub struct Observed(Vec<Option<Vec<Statistic>>>);

impl Observed {
    /// None: not collected.
    pub fn get(&self, indicator: usize, node: usize) -> Option<Statistic> {
        self.0.get(indicator)?.as_ref()?.get(node).copied()
    }
}

impl Observed {
    /// Before any base table.
    pub fn none(indicators: &[Indicator]) -> Observed {
        Observed(vec![None; indicators.len()])
    }

    /// Takes the statistics of every indicator that has observations in a table.
    pub fn observe(
        &mut self,
        indicators: &[Indicator],
        table: BaseTable,
        base: &BaseRows,
        nodes: &Nodes,
        bank: &Tables,
    ) -> Result<()> {
        indicators.par_iter().zip(&mut self.0).try_for_each(|(indicator, slot)| {
            let kind = &indicator.definition.kind;
            let observations = kind.observations().filter(|observations| observations.table == table);
            let is_there = |source: &String| !base.absent.contains(&source.as_str());
            let Some(observations) = observations.filter(|found| found.sources.iter().all(is_there)) else {
                return Ok(());
            };
            let levels = &indicator.definition.levels;
            let wanted = |node: &Node| levels.contains(&node.level);
            *slot = Some(statistics(kind, observations, base, nodes, bank, &wanted)?);
            Ok(())
        })
    }
}

fn statistics(
    kind: &Kind,
    observations: &Observations,
    base: &BaseRows,
    nodes: &Nodes,
    bank: &Tables,
    is_wanted: &(dyn Fn(&Node) -> bool + Sync),
) -> Result<Vec<Statistic>> {
    let column = base.columns.get(observations.column).and_then(Option::as_ref);
    let column = column.ok_or_else(|| Error::internal("an observed column was not made"))?;
    let answer = condition::answer(observations.condition.as_ref(), base)?;
    let fitting = |take: &mut dyn FnMut(usize, usize)| {
        condition::for_fitting(answer.as_ref(), base, |row, cell| {
            if column.is_valid(row) {
                take(row, cell);
            }
        });
    };
    if let Some(reals) = column.as_primitive_opt::<Float64Type>() {
        let laid = Laid::of(&fitting, base, bank, |row| reals.value(row));
        let statistic = |mut values: Vec<f64>| {
            let value = match kind {
                Kind::Quantile { rank, .. } => quantile(&mut values, *rank, f64::total_cmp),
                _ => None,
            };
            Statistic { count: values.len() as i64, value }
        };
        return Ok(of_nodes(laid, nodes, is_wanted, &statistic));
    }
    let whole = column.as_primitive_opt::<Int64Type>();
    let whole = whole.ok_or_else(|| Error::internal("an observed column is no column of numbers"))?;
    let laid = Laid::of(&fitting, base, bank, |row| whole.value(row));
    let between = matches!(kind, Kind::TheilBetween(_)).then(|| inequality::theil_between(&laid.branches())).flatten();
    let statistic = |mut values: Vec<i64>| {
        values.sort_unstable();
        let value = match kind {
            Kind::Quantile { rank, .. } => quantile(&mut values, *rank, Ord::cmp).map(|value| value as f64),
            Kind::Gini(_) => inequality::gini(&values),
            Kind::Theil(_) => inequality::theil(&values),
            Kind::TheilBetween(_) => between,
            _ => None,
        };
        Statistic { count: values.len() as i64, value }
    };
    Ok(of_nodes(laid, nodes, is_wanted, &statistic))
}

/// The statistic of every wanted node. That of the bank is taken last, of the values themselves and of no copy.
fn of_nodes<T: Copy + Default + Send + Sync>(
    laid: Laid<T>,
    nodes: &Nodes,
    is_wanted: &(dyn Fn(&Node) -> bool + Sync),
    statistic: &(dyn Fn(Vec<T>) -> Statistic + Sync),
) -> Vec<Statistic> {
    let is_bank = |node: &Node| node.place == Place::Bank;
    let others = nodes.nodes.par_iter().map(|node| match is_wanted(node) && !is_bank(node) {
        true => statistic(laid.values(node.place)),
        false => Statistic::default(),
    });
    let mut statistics: Vec<Statistic> = others.collect();
    let banks = nodes.nodes.iter().zip(&mut statistics).filter(|(node, _)| is_wanted(node) && is_bank(node));
    let banks: Vec<&mut Statistic> = banks.map(|(_, slot)| slot).collect();
    if !banks.is_empty() {
        let of_bank = statistic(laid.values);
        banks.into_iter().for_each(|slot| *slot = of_bank);
    }
    statistics
}

/// The value at the nearest rank.
fn quantile<T: Copy>(values: &mut [T], rank: Decimal, order: fn(&T, &T) -> std::cmp::Ordering) -> Option<T> {
    let place = inequality::nearest_rank(values.len(), rank.mantissa(), rank.denominator())?;
    let (_, found, _) = values.select_nth_unstable_by(place, order);
    Some(*found)
}

/// Calls back for every row that is observed, with its cell; as often as it is asked to.
type Fitting<'f> = dyn Fn(&mut dyn FnMut(usize, usize)) + 'f;

/// Values cell by cell, the cells in the order of a walk down the tree of areas, so that an area with those below it is
/// one stretch.
struct Laid<T> {
    values: Vec<T>,
    /// Where each cell's values begin, by its place in the walk, and where the last one's end.
    starts: Vec<usize>,
    /// By area, the places in the walk of the first cell of it and those below it, and of the first cell after them.
    areas: Vec<(usize, usize)>,
    /// By branch, the places of its cells.
    branches: Vec<Vec<usize>>,
}

impl<T: Copy + Default> Laid<T> {
    fn of(fitting: &Fitting, base: &BaseRows, bank: &Tables, value: impl Fn(usize) -> T) -> Laid<T> {
        let (order, spans) = walk(bank);
        let walked = |area: Option<usize>| area.and_then(|area| order.get(area)).copied().unwrap_or(u32::MAX);
        let mut cells: Vec<(u32, usize)> =
            base.cells.iter().enumerate().map(|(cell, at)| (walked(at.area), cell)).collect();
        cells.sort_unstable();
        let mut places = vec![0_usize; cells.len()];
        let mut branches = vec![Vec::new(); bank.branches.rows];
        for (place, (_, cell)) in cells.iter().enumerate() {
            if let Some(slot) = places.get_mut(*cell) {
                *slot = place;
            }
            let branch = base.cells.get(*cell).and_then(|at| at.branch);
            if let Some(of_branch) = branch.and_then(|branch| branches.get_mut(branch)) {
                of_branch.push(place);
            }
        }
        let place = |cell: usize| places.get(cell).copied().unwrap_or_default();
        let mut starts = vec![0_usize; cells.len() + 1];
        fitting(&mut |_, cell| {
            if let Some(count) = starts.get_mut(place(cell) + 1) {
                *count += 1;
            }
        });
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut values = vec![T::default(); sum];
        fitting(&mut |row, cell| {
            if let Some(free) = next.get_mut(place(cell)) {
                if let Some(slot) = values.get_mut(*free) {
                    *slot = value(row);
                }
                *free += 1;
            }
        });
        let first_of = |walk_place: usize| cells.partition_point(|(walked, _)| (*walked as usize) < walk_place);
        let areas = spans.iter().map(|&(first, last)| (first_of(first), first_of(last))).collect();
        Laid { values, starts, areas, branches }
    }

    fn stretch(&self, first: usize, last: usize) -> &[T] {
        let bound = |place: usize| self.starts.get(place).copied().unwrap_or(self.values.len());
        self.values.get(bound(first)..bound(last)).unwrap_or(&[])
    }

    fn values(&self, place: Place) -> Vec<T> {
        match place {
            Place::Bank => self.values.clone(),
            Place::Branch(branch) => {
                let cells = self.branches.get(branch).into_iter().flatten();
                cells.flat_map(|&cell| self.stretch(cell, cell + 1)).copied().collect()
            }
            Place::Area(area) => {
                let (first, last) = self.areas.get(area).copied().unwrap_or_default();
                self.stretch(first, last).to_vec()
            }
        }
    }
}

impl Laid<i64> {
    /// Of each branch with values their number and sum.
    fn branches(&self) -> Vec<(usize, i128)> {
        let groups = (0..self.branches.len()).map(|branch| {
            let values = self.values(Place::Branch(branch));
            (values.len(), values.iter().map(|&value| i128::from(value)).sum())
        });
        groups.filter(|(count, _)| *count > 0).collect()
    }
}

/// A walk down the tree of areas: for each area its place, and the stretch of places of it and those below it.
fn walk(bank: &Tables) -> (Vec<u32>, Vec<(usize, usize)>) {
    let areas = &bank.areas;
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); areas.rows];
    let mut open: Vec<(usize, bool)> = Vec::new();
    for area in (0..areas.rows).rev() {
        match areas.parent_area_id.get(area).and_then(|parent| below.get_mut(parent)) {
            Some(children) => children.push(area),
            None => open.push((area, false)),
        }
    }
    let (mut order, mut spans) = (vec![0_u32; areas.rows], vec![(0, 0); areas.rows]);
    let mut next = 0_usize;
    while let Some((area, is_done)) = open.pop() {
        let Some(span) = spans.get_mut(area) else { continue };
        if is_done {
            span.1 = next;
            continue;
        }
        span.0 = next;
        if let Some(place) = order.get_mut(area) {
            *place = next as u32;
        }
        next += 1;
        open.push((area, true));
        open.extend(below.get(area).into_iter().flatten().map(|&child| (child, false)));
    }
    (order, spans)
}
