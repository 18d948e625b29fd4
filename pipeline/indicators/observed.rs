//! Statistics over all values of a node: the values are laid so that every branch and every area with those below it is
//! one stretch, each stretch is sorted by itself, and a statistic is taken of it. Nothing depends on the order of rows.

use std::ops::Range;

use arrow::array::{Array, AsArray, BooleanArray, Float64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Float64Type, Int64Type, UInt32Type};
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

    /// Takes the statistics of every indicator that has observations in a table. Indicators of the same observations
    /// look at the same values, which are laid and sorted once.
    pub fn observe(
        &mut self,
        indicators: &[Indicator],
        table: BaseTable,
        base: &BaseRows,
        nodes: &Nodes,
        bank: &Tables,
    ) -> Result<()> {
        let mut alike: Vec<(&Observations, Vec<Asked>)> = Vec::new();
        for (indicator, slot) in indicators.iter().zip(&mut self.0) {
            let Some(observations) = indicator.definition.kind.observations().filter(|found| found.table == table)
            else {
                continue;
            };
            if observations.sources.iter().any(|source| base.absent.contains(&source.as_str())) {
                continue;
            }
            match alike.iter_mut().find(|(others, _)| *others == observations) {
                Some((_, group)) => group.push((indicator, slot)),
                None => alike.push((observations, vec![(indicator, slot)])),
            }
        }
        alike.into_par_iter().with_max_len(1).try_for_each(|(observations, group)| {
            let is_of = |indicator: &Indicator, node: &Node| indicator.definition.levels.contains(&node.level);
            let is_wanted = |node: &Node| group.iter().any(|(indicator, _)| is_of(indicator, node));
            let kinds: Vec<&Kind> = group.iter().map(|(indicator, _)| &indicator.definition.kind).collect();
            let found = statistics(&kinds, observations, base, nodes, bank, &is_wanted)?;
            for (place, (indicator, slot)) in group.into_iter().enumerate() {
                let of_node = |(node, found): (&Node, &Vec<Statistic>)| {
                    let statistic = found.get(place).filter(|_| is_of(indicator, node));
                    statistic.copied().unwrap_or_default()
                };
                *slot = Some(nodes.nodes.iter().zip(&found).map(of_node).collect());
            }
            Ok(())
        })
    }
}

/// An indicator, and where its statistics go.
type Asked<'a> = (&'a Indicator, &'a mut Option<Vec<Statistic>>);

/// By node, the statistic of each kind; none of a node that is not wanted.
fn statistics(
    kinds: &[&Kind],
    observations: &Observations,
    base: &BaseRows,
    nodes: &Nodes,
    bank: &Tables,
    is_wanted: &(dyn Fn(&Node) -> bool + Sync),
) -> Result<Vec<Vec<Statistic>>> {
    let column = base.columns.get(observations.column).and_then(Option::as_ref);
    let column = column.ok_or_else(|| Error::internal("an observed column was not made"))?;
    let answer = condition::answer(observations.condition.as_ref(), base)?;
    let nulls = column.nulls();
    let fitting = Fitting { answer: answer.as_ref(), base, nulls };
    if let Some(reals) = column.as_primitive_opt::<Float64Type>() {
        let laid = Laid::of(&fitting, bank, |row| reals.value(row));
        let statistic = |values: &mut [f64]| {
            each(kinds, values, |values, kind| match kind {
                Kind::Quantile { rank, .. } => quantile(values, *rank, f64::total_cmp),
                _ => None,
            })
        };
        return Ok(of_nodes(laid, nodes, is_wanted, &statistic));
    }
    let coded = column.as_dictionary_opt::<UInt32Type>();
    if let Some((codes, reals)) = coded.and_then(|coded| Some((coded.keys(), coded.values().as_primitive_opt()?))) {
        let reals: &Float64Array = reals;
        // The list rises, so that places in it stand in the order of the values.
        let laid = Laid::of(&fitting, bank, |row| codes.value(row));
        let statistic = |places: &mut [u32]| {
            each(kinds, places, |places, kind| match kind {
                Kind::Quantile { rank, .. } => {
                    let place = if places.len() / VALUES_A_PLACE > reals.len() {
                        counted_quantile(places, *rank, reals.len())
                    } else {
                        quantile(places, *rank, Ord::cmp)
                    };
                    place.map(|place| reals.value(place as usize))
                }
                _ => None,
            })
        };
        return Ok(of_nodes(laid, nodes, is_wanted, &statistic));
    }
    let whole = column.as_primitive_opt::<Int64Type>();
    let whole = whole.ok_or_else(|| Error::internal("an observed column is no column of numbers"))?;
    let laid = Laid::of(&fitting, bank, |row| whole.value(row));
    let is_between = kinds.iter().any(|kind| matches!(kind, Kind::TheilBetween(_)));
    let between = is_between.then(|| inequality::theil_between(&laid.branches())).flatten();
    let statistic = |values: &mut [i64]| {
        // The values of the areas below are sorted already: this way of sorting makes use of it.
        values.sort();
        each(kinds, values, |values, kind| match kind {
            Kind::Quantile { rank, .. } => quantile(values, *rank, Ord::cmp).map(|value| value as f64),
            Kind::Gini(_) => inequality::gini(values),
            Kind::Theil(_) => inequality::theil(values),
            Kind::TheilBetween(_) => between,
            _ => None,
        })
    };
    Ok(of_nodes(laid, nodes, is_wanted, &statistic))
}

/// The statistic of each kind over some values.
fn each<T>(kinds: &[&Kind], values: &mut [T], value: impl Fn(&mut [T], &Kind) -> Option<f64>) -> Vec<Statistic> {
    let count = values.len() as i64;
    kinds.iter().map(|kind| Statistic { count, value: value(values, kind) }).collect()
}

/// The statistics of every wanted node. A statistic may change the order of the values that it is taken of, which are not
/// copied where they are one stretch: those of branches come first, which take whole cells, then those of areas from the
/// lowest up, whose values are also those of the areas above, and the bank's last.
fn of_nodes<T: Copy + Default + Send + Sync>(
    mut laid: Laid<T>,
    nodes: &Nodes,
    is_wanted: &(dyn Fn(&Node) -> bool + Sync),
    statistics: &(dyn Fn(&mut [T]) -> Vec<Statistic> + Sync),
) -> Vec<Vec<Statistic>> {
    let of_branches = nodes.nodes.par_iter().map(|node| match node.place {
        Place::Branch(branch) if is_wanted(node) => statistics(&mut laid.of_branch(branch)),
        _ => Vec::new(),
    });
    let mut found: Vec<Vec<Statistic>> = of_branches.collect();
    let mut areas: Vec<(Range<usize>, &mut Vec<Statistic>)> = Vec::new();
    let mut banks: Vec<&mut Vec<Statistic>> = Vec::new();
    for (node, slot) in nodes.nodes.iter().zip(&mut found).filter(|(node, _)| is_wanted(node)) {
        match node.place {
            Place::Area(area) => areas.push((laid.of_area(area), slot)),
            Place::Bank => banks.push(slot),
            Place::Branch(_) => {}
        }
    }
    for layer in layers(areas) {
        let mut rest = laid.values.as_mut_slice();
        let mut passed = 0;
        let stretches = layer.into_iter().map(|(stretch, slot)| {
            let (_, after) = std::mem::take(&mut rest).split_at_mut(stretch.start - passed);
            let (values, after) = after.split_at_mut(stretch.len());
            (rest, passed) = (after, stretch.end);
            (values, slot)
        });
        let stretches: Vec<(&mut [T], &mut Vec<Statistic>)> = stretches.collect();
        stretches.into_par_iter().for_each(|(values, slot)| *slot = statistics(values));
    }
    if !banks.is_empty() {
        let of_bank = statistics(&mut laid.values);
        banks.into_iter().for_each(|slot| slot.clone_from(&of_bank));
    }
    found
}

/// Stretches that lie within each other or apart, in layers of stretches that lie apart, in order; none is in a layer
/// before one that lies within it.
fn layers<S>(mut stretches: Vec<(Range<usize>, S)>) -> Vec<Vec<(Range<usize>, S)>> {
    // Of stretches that begin together the longest is first: every stretch comes after those that it lies within.
    stretches.sort_by_key(|(stretch, _)| (stretch.start, std::cmp::Reverse(stretch.end)));
    let mut layers: Vec<Vec<(Range<usize>, S)>> = Vec::new();
    let mut around: Vec<usize> = Vec::new();
    for (stretch, slot) in stretches {
        while around.last().is_some_and(|&end| end <= stretch.start && !stretch.is_empty()) {
            around.pop();
        }
        if layers.len() == around.len() {
            layers.push(Vec::new());
        }
        let depth = around.len();
        if !stretch.is_empty() {
            around.push(stretch.end);
        }
        if let Some(layer) = layers.get_mut(depth) {
            layer.push((stretch, slot));
        }
    }
    layers.reverse();
    layers
}

/// The value at the nearest rank.
fn quantile<T: Copy>(values: &mut [T], rank: Decimal, order: fn(&T, &T) -> std::cmp::Ordering) -> Option<T> {
    let place = inequality::nearest_rank(values.len(), rank.mantissa(), rank.denominator())?;
    let (_, found, _) = values.select_nth_unstable_by(place, order);
    Some(*found)
}

/// From so many values for each place in a list on it pays to count them.
const VALUES_A_PLACE: usize = 4;

/// The value at the nearest rank of values that are all below `most`, by counting each of them.
fn counted_quantile(values: &[u32], rank: Decimal, most: usize) -> Option<u32> {
    let place = inequality::nearest_rank(values.len(), rank.mantissa(), rank.denominator())?;
    let mut counts = vec![0_usize; most];
    for &value in values {
        if let Some(count) = counts.get_mut(value as usize) {
            *count += 1;
        }
    }
    let mut passed = 0;
    let found = counts.into_iter().position(|count| {
        passed += count;
        passed > place
    });
    found.map(|value| value as u32)
}

/// The rows that are observed.
struct Fitting<'a> {
    answer: Option<&'a BooleanArray>,
    base: &'a BaseRows,
    nulls: Option<&'a NullBuffer>,
}

impl Fitting<'_> {
    /// Calls back for every row that is observed, with its cell.
    fn each(&self, mut take: impl FnMut(usize, usize)) {
        match self.nulls {
            None => condition::for_fitting(self.answer, self.base, take),
            Some(nulls) => condition::for_fitting(self.answer, self.base, |row, cell| {
                if nulls.is_valid(row) {
                    take(row, cell);
                }
            }),
        }
    }
}

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
    fn of(fitting: &Fitting, bank: &Tables, value: impl Fn(usize) -> T) -> Laid<T> {
        let (order, spans) = walk(bank);
        let walked = |area: Option<usize>| area.and_then(|area| order.get(area)).copied().unwrap_or(u32::MAX);
        let base = fitting.base;
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
        fitting.each(|_, cell| {
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
        fitting.each(|row, cell| {
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

    fn bound(&self, place: usize) -> usize {
        self.starts.get(place).copied().unwrap_or(self.values.len())
    }

    fn stretch(&self, first: usize, last: usize) -> &[T] {
        self.values.get(self.bound(first)..self.bound(last)).unwrap_or(&[])
    }

    /// The values of a branch, cell by cell.
    fn of_branch(&self, branch: usize) -> Vec<T> {
        let cells = self.branches.get(branch).into_iter().flatten();
        cells.flat_map(|&cell| self.stretch(cell, cell + 1)).copied().collect()
    }

    /// Where the values of an area and those below it are.
    fn of_area(&self, area: usize) -> Range<usize> {
        let (first, last) = self.areas.get(area).copied().unwrap_or_default();
        self.bound(first)..self.bound(last)
    }
}

impl Laid<i64> {
    /// Of each branch with values their number and sum.
    fn branches(&self) -> Vec<(usize, i128)> {
        let groups = (0..self.branches.len()).map(|branch| {
            let values = self.of_branch(branch);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_within_another_is_in_a_layer_before_it() {
        let stretches = [0..10, 0..4, 4..10, 0..2, 2..4, 5..5, 4..4, 12..15, 12..15, 10..10, 0..0];
        let layers = layers(stretches.into_iter().zip(0..).collect());
        let of_layers: Vec<Vec<Range<usize>>> =
            layers.into_iter().map(|layer| layer.into_iter().map(|(stretch, _)| stretch).collect()).collect();
        assert_eq!(of_layers.iter().map(Vec::len).sum::<usize>(), 11);
        for (place, layer) in of_layers.iter().enumerate() {
            assert!(layer.windows(2).all(|pair| pair[0].end <= pair[1].start), "{layer:?} lie apart and in order");
            let later = of_layers.iter().skip(place + 1).flatten();
            for above in later.filter(|above| !above.is_empty()) {
                let is_within = |of: &Range<usize>| of.start <= above.start && above.end <= of.end && of != above;
                assert!(
                    !layer.iter().any(|of| !of.is_empty() && is_within(of)),
                    "{above:?} lies within one of {layer:?}"
                );
            }
        }
    }
}
