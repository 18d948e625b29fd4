//! Statistics over all values of a node: the values are laid so that every branch and every area with those below it is
//! one stretch, each stretch is sorted by itself, and a statistic is taken of it. Nothing depends on the order of rows.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use rayon::prelude::*;

use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::fault::{Error, Result};
use crate::rulebook::indicators::{Indicator, Kind, Observations};

use super::base::BaseRows;
use super::nodes::{Node, Nodes, Place};
use super::{condition, inequality, parts};

/// What was found of one node: over how many values, and the statistic where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistic {
    pub count: i64,
    pub value: Option<f64>,
}

/// By indicator with observations, by node.
#[derive(Debug)]
pub struct Observed(Vec<Option<Option<Vec<Statistic>>>>);

impl Observed {
    /// None: not collected.
    pub fn get(&self, indicator: usize, node: usize) -> Option<Statistic> {
        let of_indicator = self.0.get(indicator)?.as_ref()?;
        of_indicator.as_ref().and_then(|nodes| nodes.get(node)).copied()
    }
}

/// Takes the statistics of every indicator that has observations.
pub fn observe(indicators: &[Indicator], tables: &[BaseRows], nodes: &Nodes, bank: &Tables) -> Result<Observed> {
    let statistics = indicators.par_iter().map(|indicator| {
        let kind = &indicator.definition.kind;
        let Some(observations) = kind.observations() else { return Ok(None) };
        let base = parts::rows_of(tables, observations.table)?;
        if observations.sources.iter().any(|source| base.absent.contains(&source.as_str())) {
            return Ok(Some(None));
        }
        let levels = &indicator.definition.levels;
        let wanted = |node: &Node| levels.contains(&node.level);
        statistics(kind, observations, base, nodes, bank, &wanted).map(|found| Some(Some(found)))
    });
    Ok(Observed(statistics.collect::<Result<_>>()?))
}

fn statistics(
    kind: &Kind,
    observations: &Observations,
    base: &BaseRows,
    nodes: &Nodes,
    bank: &Tables,
    is_wanted: &(dyn Fn(&Node) -> bool + Sync),
) -> Result<Vec<Statistic>> {
    let values = base.columns.get(observations.column).and_then(Option::as_ref);
    let values = values.ok_or_else(|| Error::internal("an observed column was not made"))?;
    let answer = condition::answer(observations.condition.as_ref(), base)?;
    let fitting = condition::fitting(answer.as_ref(), base).filter(|(row, _)| values.is_valid(*row));
    let laid = Laid::of(&fitting.map(|(row, cell)| (row as u32, cell as u32)).collect::<Vec<_>>(), base, bank);
    let statistic = |node: &Node| {
        if !is_wanted(node) {
            return Statistic::default();
        }
        let rows = laid.rows(node.place);
        let value = match kind {
            Kind::Quantile { rank, .. } => quantile(values, rows, rank.mantissa(), rank.denominator()),
            Kind::Gini(_) => inequality::gini(&sorted(values, rows)),
            Kind::Theil(_) => inequality::theil(&sorted(values, rows)),
            Kind::TheilBetween(_) => inequality::theil_between(&laid.groups(values)),
            _ => None,
        };
        Statistic { count: rows.len() as i64, value }
    };
    Ok(nodes.nodes.par_iter().map(statistic).collect())
}

fn sorted(values: &ArrayRef, rows: &[u32]) -> Vec<i64> {
    let Some(whole) = values.as_primitive_opt::<Int64Type>() else { return Vec::new() };
    let mut values: Vec<i64> = rows.iter().map(|&row| whole.value(row as usize)).collect();
    values.sort_unstable();
    values
}

/// The value at the nearest rank, in the unit in which people write it.
fn quantile(values: &ArrayRef, rows: &[u32], part: i128, whole: i128) -> Option<f64> {
    let place = inequality::nearest_rank(rows.len(), part, whole)?;
    if let Some(reals) = values.as_primitive_opt::<Float64Type>() {
        let mut taken: Vec<f64> = rows.iter().map(|&row| reals.value(row as usize)).collect();
        let (_, found, _) = taken.select_nth_unstable_by(place, f64::total_cmp);
        return Some(*found);
    }
    let units = values.as_primitive_opt::<Int64Type>()?;
    let mut taken: Vec<i64> = rows.iter().map(|&row| units.value(row as usize)).collect();
    let (_, found, _) = taken.select_nth_unstable(place);
    Some(*found as f64)
}

/// Rows laid by branch and, a second time, by area in the order of a walk down the tree.
struct Laid {
    by_area: Stretches,
    by_branch: Stretches,
    everything: Vec<u32>,
    /// For each area the first and the last, not included, of the places of it and those below it.
    spans: Vec<(usize, usize)>,
}

/// Rows one group after the other.
struct Stretches {
    rows: Vec<u32>,
    starts: Vec<usize>,
}

impl Stretches {
    fn of(groups: usize, members: &[(u32, u32)]) -> Stretches {
        let mut starts = vec![0_usize; groups + 1];
        for (group, _) in members {
            if let Some(count) = starts.get_mut(*group as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut rows = vec![0_u32; members.len()];
        for (group, row) in members {
            if let Some(place) = next.get_mut(*group as usize) {
                if let Some(slot) = rows.get_mut(*place) {
                    *slot = *row;
                }
                *place += 1;
            }
        }
        Stretches { rows, starts }
    }

    fn rows(&self, first: usize, last: usize) -> &[u32] {
        let bound = |group: usize| self.starts.get(group).copied().unwrap_or(self.rows.len());
        self.rows.get(bound(first)..bound(last)).unwrap_or(&[])
    }
}

impl Laid {
    fn of(fitting: &[(u32, u32)], base: &BaseRows, bank: &Tables) -> Laid {
        let (order, spans) = walk(bank);
        let cell = |cell: u32| base.cells.get(cell as usize).copied().unwrap_or_default();
        let place = |area: usize| order.get(area).copied().unwrap_or(u32::MAX);
        let by_area: Vec<(u32, u32)> =
            fitting.iter().filter_map(|&(row, at)| Some((place(cell(at).area?), row))).collect();
        let by_branch: Vec<(u32, u32)> =
            fitting.iter().filter_map(|&(row, at)| Some((cell(at).branch? as u32, row))).collect();
        Laid {
            by_area: Stretches::of(bank.areas.rows, &by_area),
            by_branch: Stretches::of(bank.branches.rows, &by_branch),
            everything: fitting.iter().map(|(row, _)| *row).collect(),
            spans,
        }
    }

    fn rows(&self, place: Place) -> &[u32] {
        match place {
            Place::Bank => &self.everything,
            Place::Branch(branch) => self.by_branch.rows(branch, branch + 1),
            Place::Area(area) => {
                let (first, last) = self.spans.get(area).copied().unwrap_or_default();
                self.by_area.rows(first, last)
            }
        }
    }

    /// Of each branch with values their number and sum.
    fn groups(&self, values: &ArrayRef) -> Vec<(usize, i128)> {
        let branches = self.by_branch.starts.len() - 1;
        let groups = (0..branches).map(|branch| {
            let values = sorted(values, self.by_branch.rows(branch, branch + 1));
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
