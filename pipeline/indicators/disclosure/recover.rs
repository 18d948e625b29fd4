//! What a reader of the export finds out about the numbers that it does not show: every one that the sums tie down,
//! by any combination of sums and not by single subtractions alone, and every one that a sum presses to its least.
//! Knows numbers and sums only; what they count, and which of them are withheld, is told by the caller.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::ledger::Equation;
use super::pressed;

/// The positions of all unknown values that the equations determine (sorted), for a reader who knows every value with
/// `is_known`, all equations, that no value is negative, and that an unknown value is `at_least_one` where that is set.
/// Exact for combinations of equations; bounds are weighed from equation to equation, and in combinations as far as
/// `pressed` goes.
pub fn recover(values: &[i64], is_known: &[bool], at_least_one: &[bool], equations: &[Equation]) -> Vec<u32> {
    let mut reader = Reader::of(values, equations);
    let mut unknown = Vec::new();
    for position in positions(values) {
        if !at(is_known, position) {
            reader.hide(position, at(at_least_one, position));
            unknown.push(position);
        }
    }
    let mut found = reader.find(&unknown);
    found.sort_unstable();
    found
}

pub(super) fn positions<T>(slice: &[T]) -> std::ops::Range<u32> {
    0..u32::try_from(slice.len()).unwrap_or(u32::MAX)
}

/// The item at a position; the type's default where there is none.
pub(super) fn at<T: Copy + Default>(slice: &[T], position: u32) -> T {
    slice.get(position as usize).copied().unwrap_or_default()
}

fn set<T>(slice: &mut [T], position: u32, item: T) {
    if let Some(slot) = slice.get_mut(position as usize) {
        *slot = item;
    }
}

/// What is unknown in one equation.
#[derive(Clone, Copy, Default)]
struct Tally {
    unknown: u32,
    is_whole_unknown: bool,
    /// By how much the unknown parts together exceed the least that each may be.
    slack: i64,
}

/// The equations that each position stands in.
struct Ties {
    /// Where a position's own begin in `numbers`; one more at the end.
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Ties {
    fn of(positions: usize, equations: &[Equation]) -> Ties {
        let mut starts = vec![0_u32; positions + 1];
        for member in equations.iter().flat_map(Equation::members) {
            if let Some(size) = starts.get_mut(member as usize + 1) {
                *size += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut numbers = vec![0; sum as usize];
        let mut next = starts.clone();
        next.pop();
        for (number, equation) in (0..).zip(equations) {
            for member in equation.members() {
                if let Some(place) = next.get_mut(member as usize) {
                    set(&mut numbers, *place, number);
                    *place += 1;
                }
            }
        }
        Ties { starts, numbers }
    }

    fn containing(&self, position: u32) -> &[u32] {
        let start = at(&self.starts, position) as usize;
        let end = at(&self.starts, position.saturating_add(1)) as usize;
        self.numbers.get(start..end).unwrap_or(&[])
    }
}

/// Somebody who knows the equations and those values that are not hidden.
pub(super) struct Reader<'a> {
    values: &'a [i64],
    equations: &'a [Equation],
    ties: Ties,
    is_unknown: Vec<bool>,
    at_least_one: Vec<bool>,
    tallies: Vec<Tally>,
    /// For the search alone, so that a small part of a large ledger costs little: clean between searches.
    is_reached: Vec<bool>,
    columns: Vec<u32>,
}

impl<'a> Reader<'a> {
    /// A reader from whom nothing is hidden as yet.
    pub(super) fn of(values: &'a [i64], equations: &'a [Equation]) -> Reader<'a> {
        Reader {
            values,
            equations,
            ties: Ties::of(values.len(), equations),
            is_unknown: vec![false; values.len()],
            at_least_one: vec![false; values.len()],
            tallies: vec![Tally::default(); equations.len()],
            is_reached: vec![false; equations.len()],
            columns: vec![NO_COLUMN; values.len()],
        }
    }

    pub(super) fn is_unknown(&self, position: u32) -> bool {
        at(&self.is_unknown, position)
    }

    pub(super) fn equation(&self, number: u32) -> Option<&'a Equation> {
        self.equations.get(number as usize)
    }

    /// The equations that a position stands in.
    pub(super) fn containing(&self, position: u32) -> &[u32] {
        self.ties.containing(position)
    }

    /// Hides a value, of which the reader may know that it is not zero.
    pub(super) fn hide(&mut self, position: u32, at_least_one: bool) {
        if !self.is_unknown(position) {
            set(&mut self.is_unknown, position, true);
            set(&mut self.at_least_one, position, at_least_one);
            self.tally(position, true);
        }
    }

    fn learn(&mut self, position: u32) {
        if self.is_unknown(position) {
            set(&mut self.is_unknown, position, false);
            self.tally(position, false);
        }
    }

    fn tally(&mut self, position: u32, is_unknown: bool) {
        let excess = at(self.values, position) - i64::from(at(&self.at_least_one, position));
        for &number in self.ties.containing(position) {
            if let Some(tally) = self.tallies.get_mut(number as usize) {
                tally.unknown = if is_unknown { tally.unknown + 1 } else { tally.unknown.saturating_sub(1) };
                if self.equations.get(number as usize).is_some_and(|equation| equation.whole == position) {
                    tally.is_whole_unknown = is_unknown;
                } else {
                    tally.slack += if is_unknown { excess } else { -excess };
                }
            }
        }
    }

    pub(super) fn unknown_count(&self, number: u32) -> u32 {
        at(&self.tallies, number).unknown
    }

    /// Whether the whole is known and leaves to each unknown part no more than its least.
    pub(super) fn is_pressed(&self, number: u32) -> bool {
        let tally = at(&self.tallies, number);
        tally.unknown > 0 && !tally.is_whole_unknown && tally.slack == 0
    }

    /// Everything that the reader finds out about unknown positions that are tied to those given, by whatever number
    /// of equations, in the order in which it is found. What is found is learned; hide it again to go back.
    pub(super) fn find(&mut self, seeds: &[u32]) -> Vec<u32> {
        let mut found = Vec::new();
        let mut reached = self.reach(seeds);
        loop {
            self.peel(reached.clone(), &mut found);
            let determined = self.eliminate(&reached);
            determined.iter().for_each(|&position| self.learn(position));
            found.extend(determined);
            let mut by_bounds = self.squeeze(&reached);
            if by_bounds.is_empty() {
                by_bounds = self.press(&reached);
            }
            // Sums give no more than that; only where bounds gave something is there something to begin again with.
            if by_bounds.is_empty() {
                return found;
            }
            by_bounds.iter().for_each(|&position| self.learn(position));
            found.extend(by_bounds);
            reached.retain(|&number| self.unknown_count(number) > 0);
        }
    }

    /// The unknown positions at their least that sums and bounds together do not let grow.
    fn press(&mut self, numbers: &[u32]) -> Vec<u32> {
        let (rows, unknown) = self.rows(numbers);
        let least = |position: u32| i64::from(at(&self.at_least_one, position));
        let is_at_least: Vec<bool> =
            unknown.iter().map(|&position| at(self.values, position) == least(position)).collect();
        let signed = |entry: &Entry| (entry.column as usize, if entry.factor == 1 { 1 } else { -1 });
        let rows = rows.iter().map(|row| row.iter().map(signed).collect()).collect();
        let pressed = pressed::pressed(rows, &is_at_least);
        let mut found: Vec<u32> = pressed.iter().filter_map(|&column| unknown.get(column).copied()).collect();
        found.sort_unstable();
        found
    }

    /// The unknown positions that bounds leave one value only, weighed from equation to equation: no part is less than
    /// its least, or more than its whole leaves to it.
    fn squeeze(&mut self, numbers: &[u32]) -> Vec<u32> {
        let (_, unknown) = self.rows(numbers);
        let mut bounds: Vec<Bounds> = unknown
            .iter()
            .map(|&position| Bounds {
                least: i64::from(at(&self.at_least_one, position)),
                most: UNBOUNDED,
                narrowed: 0,
            })
            .collect();
        for (&position, column) in unknown.iter().zip(0..) {
            set(&mut self.columns, position, column);
        }
        let mut queue: VecDeque<u32> = numbers.iter().copied().collect();
        for &number in numbers {
            set(&mut self.is_reached, number, true);
        }
        while let Some(number) = queue.pop_front() {
            set(&mut self.is_reached, number, false);
            for position in self.narrow(number, &mut bounds) {
                for &other in self.ties.containing(position) {
                    if other != number && !at(&self.is_reached, other) {
                        set(&mut self.is_reached, other, true);
                        queue.push_back(other);
                    }
                }
            }
        }
        for &position in &unknown {
            set(&mut self.columns, position, NO_COLUMN);
        }
        let narrow = unknown.iter().zip(&bounds).filter(|(_, bounds)| bounds.least == bounds.most);
        let mut narrow: Vec<u32> = narrow.map(|(&position, _)| position).collect();
        narrow.sort_unstable();
        narrow
    }

    /// Narrows the bounds of one equation's unknowns; those that changed.
    fn narrow(&self, number: u32, bounds: &mut [Bounds]) -> Vec<u32> {
        let Some(equation) = self.equation(number) else { return Vec::new() };
        let of = |position: u32, bounds: &[Bounds]| match bounds.get(at(&self.columns, position) as usize) {
            Some(bounds) if self.is_unknown(position) => *bounds,
            _ => Bounds::known(at(self.values, position)),
        };
        let parts: Vec<Bounds> = equation.parts.iter().map(|&part| of(part, bounds)).collect();
        let least: i64 = parts.iter().map(|part| part.least).sum();
        let most = parts.iter().fold(0_i64, |sum, part| (sum + part.most).min(UNBOUNDED));
        let whole = of(equation.whole, bounds);
        let (whole_least, whole_most) = (whole.least.max(least), whole.most.min(most));
        let mut changed = Vec::new();
        let mut note = |position: u32, least: i64, most: i64| {
            let column = at(&self.columns, position) as usize;
            if let Some(bounds) = bounds.get_mut(column).filter(|_| self.is_unknown(position))
                && bounds.take(least, most)
            {
                changed.push(position);
            }
        };
        note(equation.whole, whole_least, whole_most);
        for (&position, part) in equation.parts.iter().zip(&parts) {
            let others_most = if most >= UNBOUNDED { UNBOUNDED } else { most - part.most };
            note(position, whole_least - others_most, (whole_most - (least - part.least)).min(UNBOUNDED));
        }
        changed
    }

    fn unknown_members(&self, number: u32) -> impl Iterator<Item = u32> {
        self.equation(number).into_iter().flat_map(Equation::members).filter(|&member| self.is_unknown(member))
    }

    /// The equations that tie the given positions to other unknown ones, those to others, and so on.
    fn reach(&mut self, seeds: &[u32]) -> Vec<u32> {
        let mut reached = Vec::new();
        for &seed in seeds {
            self.reach_from(seed, &mut reached);
        }
        let mut next = 0;
        while let Some(&number) = reached.get(next) {
            next += 1;
            let Some(equation) = self.equation(number) else { continue };
            for member in equation.members() {
                self.reach_from(member, &mut reached);
            }
        }
        for &number in &reached {
            set(&mut self.is_reached, number, false);
        }
        reached
    }

    fn reach_from(&mut self, position: u32, reached: &mut Vec<u32>) {
        if !self.is_unknown(position) {
            return;
        }
        for &number in self.ties.containing(position) {
            if !at(&self.is_reached, number) {
                set(&mut self.is_reached, number, true);
                reached.push(number);
            }
        }
    }

    /// Learns what single equations give away, and what they give away once that is known.
    fn peel(&mut self, mut numbers: Vec<u32>, found: &mut Vec<u32>) {
        while let Some(number) = numbers.pop() {
            if self.unknown_count(number) != 1 && !self.is_pressed(number) {
                continue;
            }
            let learned: Vec<u32> = self.unknown_members(number).collect();
            for position in learned {
                self.learn(position);
                found.push(position);
                numbers.extend_from_slice(self.containing(position));
            }
        }
    }

    /// The unknown positions that combinations of the given equations determine.
    fn eliminate(&mut self, numbers: &[u32]) -> Vec<u32> {
        let (rows, unknown) = self.rows(numbers);
        let mut system = System::of(rows, &unknown);
        system.solve();
        let mut determined = system.determined();
        determined.sort_unstable();
        determined
    }

    /// The known positions that found ones (sorted) are worked out from by combinations of equations (sorted). To hide
    /// any of them spoils a combination.
    pub(super) fn evidence(&mut self, found: &[u32]) -> Vec<u32> {
        let numbers = self.reach(found);
        let (rows, unknown) = self.rows(&numbers);
        let mut system = System::of(rows, &unknown);
        system.solve();
        let mut terms: Vec<Entry> = Vec::new();
        for (&number, weight) in numbers.iter().zip(system.weights(found)) {
            let Some(equation) = self.equation(number).filter(|_| weight != 0) else { continue };
            for member in equation.members().filter(|&member| !self.is_unknown(member)) {
                let factor = if member == equation.whole { modular::negative(weight) } else { weight };
                terms.push(Entry { column: member, factor });
            }
        }
        added_up(terms).into_iter().map(|term| term.column).collect()
    }

    /// What is unknown in the given equations: a row for each, and what the columns stand for.
    fn rows(&mut self, numbers: &[u32]) -> (Vec<Vec<Entry>>, Vec<u32>) {
        let mut unknown = Vec::new();
        let mut rows = Vec::with_capacity(numbers.len());
        for &number in numbers {
            let mut row = Vec::with_capacity(self.unknown_count(number) as usize);
            let members = self.equation(number).into_iter().flat_map(Equation::members);
            let whole = self.equation(number).map(|equation| equation.whole);
            for member in members.filter(|&member| at(&self.is_unknown, member)) {
                if at(&self.columns, member) == NO_COLUMN {
                    set(&mut self.columns, member, u32::try_from(unknown.len()).unwrap_or(NO_COLUMN));
                    unknown.push(member);
                }
                let factor = if Some(member) == whole { modular::MINUS_ONE } else { 1 };
                row.push(Entry { column: at(&self.columns, member), factor });
            }
            rows.push(added_up(row));
        }
        for &position in &unknown {
            set(&mut self.columns, position, NO_COLUMN);
        }
        (rows, unknown)
    }
}

const NO_COLUMN: u32 = u32::MAX;

/// More than any count; small enough that some of them still add up.
const UNBOUNDED: i64 = i64::MAX / 1024;
/// Bounds that creep up on each other by one at a time are given up after so many steps.
const NARROWED_MAX: u32 = 64;

/// Between what and what an unknown value lies.
#[derive(Clone, Copy)]
struct Bounds {
    least: i64,
    most: i64,
    narrowed: u32,
}

impl Bounds {
    fn known(value: i64) -> Bounds {
        Bounds { least: value, most: value, narrowed: 0 }
    }

    /// Whether the bounds became narrower.
    fn take(&mut self, least: i64, most: i64) -> bool {
        let is_narrower = self.narrowed < NARROWED_MAX && (least > self.least || most < self.most);
        if is_narrower {
            *self = Bounds { least: self.least.max(least), most: self.most.min(most), narrowed: self.narrowed + 1 };
        }
        is_narrower
    }
}

#[derive(Clone, Copy)]
struct Entry {
    column: u32,
    factor: u64,
}

/// The entries by column, one for each.
fn added_up(mut row: Vec<Entry>) -> Vec<Entry> {
    row.sort_unstable_by_key(|entry| entry.column);
    row.dedup_by(|later, earlier| {
        let is_same = later.column == earlier.column;
        if is_same {
            earlier.factor = modular::sum(earlier.factor, later.factor);
        }
        is_same
    });
    row.retain(|entry| entry.factor != 0);
    row
}

struct Addition {
    to: u32,
    pivot: u32,
    times: u64,
}

/// Homogeneous linear equations over whole numbers modulo a prime: one row an equation, one column an unknown.
/// A column is determined exactly when it is zero in every solution, and then only is it zero in one that is drawn by
/// lot (or once in 10^18 draws: then a number is taken for determined that is not). So the rows need be eliminated
/// forward only, which leaves them sparse, where a full reduction would fill them.
struct System<'a> {
    /// What each column stands for.
    positions: &'a [u32],
    rows: Vec<Vec<Entry>>,
    /// Rows held back until all others are solved: each of their many columns would have them written anew.
    long: Vec<u32>,
    /// Which row was added to which, how many times, in order.
    additions: Vec<Addition>,
    is_done: Vec<bool>,
    /// Rows that hold a column, together with some that no longer do.
    holders: Vec<Vec<u32>>,
    /// How many rows that are not done hold a column.
    counts: Vec<u32>,
    /// Columns by count; what is out of date in it is passed over.
    queue: BinaryHeap<Reverse<(u32, u32)>>,
    /// Rows that came down to one column.
    singles: Vec<u32>,
    /// Which row was solved for which column, in order.
    pivots: Vec<(u32, u32)>,
}

impl<'a> System<'a> {
    fn of(rows: Vec<Vec<Entry>>, positions: &'a [u32]) -> System<'a> {
        // With this bound neither the short rows nor the long ones cost more than a root's times the whole.
        let length_max = positions.len().isqrt();
        let long = (0..).zip(&rows).filter(|(_, row)| row.len() > length_max).map(|(number, _)| number).collect();
        System {
            positions,
            is_done: vec![false; rows.len()],
            rows,
            long,
            additions: Vec::new(),
            holders: vec![Vec::new(); positions.len()],
            counts: vec![0; positions.len()],
            queue: BinaryHeap::new(),
            singles: Vec::new(),
            pivots: Vec::new(),
        }
    }

    fn solve(&mut self) {
        let long = std::mem::take(&mut self.long);
        let short = positions(&self.rows).filter(|number| long.binary_search(number).is_err()).collect();
        self.solve_rows(short);
        for &number in &long {
            self.take_out_pivots(number);
        }
        self.solve_rows(long);
    }

    fn solve_rows(&mut self, numbers: Vec<u32>) {
        for number in numbers {
            let row = self.rows.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
            row.iter().for_each(|entry| self.count_up(entry.column, number));
            if row.len() == 1 {
                self.singles.push(number);
            }
            set(&mut self.rows, number, row);
        }
        self.queue = self.counts.iter().zip(0..).map(|(&count, column)| Reverse((count, column))).collect();
        while let Some((row, column)) = self.next_pivot() {
            self.solve_row(row, column);
        }
    }

    fn determined(&self) -> Vec<u32> {
        self.positions
            .iter()
            .zip(self.solution())
            .filter(|&(_, value)| value == 0)
            .map(|(&position, _)| position)
            .collect()
    }

    /// How many times each of the rows, as they were given, goes into a sum of which nothing is left but the given
    /// positions (sorted), as far as they are determined, each by lot.
    fn weights(&self, found: &[u32]) -> Vec<u64> {
        let lot = |(&position, value): (&u32, u64)| {
            let is_wanted = value == 0 && found.binary_search(&position).is_ok();
            if is_wanted { modular::lot(position) } else { 0 }
        };
        let mut left: Vec<u64> = self.positions.iter().zip(self.solution()).map(lot).collect();
        let mut weights = vec![0; self.rows.len()];
        for &(number, column) in &self.pivots {
            let factor = at(&left, column);
            if factor != 0 {
                let weight = modular::product(factor, modular::inverse(self.factor(number, column)));
                set(&mut weights, number, weight);
                self.add_to(&mut left, number, modular::negative(weight));
            }
        }
        for addition in self.additions.iter().rev() {
            let added = modular::product(addition.times, at(&weights, addition.to));
            let weight = modular::sum(at(&weights, addition.pivot), added);
            set(&mut weights, addition.pivot, weight);
        }
        weights
    }

    /// Adds a multiple of a row to factors that stand column by column.
    fn add_to(&self, factors: &mut [u64], number: u32, times: u64) {
        for entry in self.row(number) {
            let added = modular::product(times, entry.factor);
            let factor = modular::sum(at(factors, entry.column), added);
            set(factors, entry.column, factor);
        }
    }

    /// Takes every column out of a row that another row was solved for.
    fn take_out_pivots(&mut self, number: u32) {
        let mut factors = vec![0; self.positions.len()];
        self.add_to(&mut factors, number, 1);
        for &(pivot, column) in &self.pivots {
            let factor = at(&factors, column);
            if factor != 0 {
                let inverse = modular::inverse(self.factor(pivot, column));
                let times = modular::product(modular::negative(factor), inverse);
                self.add_to(&mut factors, pivot, times);
                self.additions.push(Addition { to: number, pivot, times });
            }
        }
        let entries = (0..).zip(factors).map(|(column, factor)| Entry { column, factor });
        set(&mut self.rows, number, entries.filter(|entry| entry.factor != 0).collect());
    }

    fn row(&self, number: u32) -> &[Entry] {
        self.rows.get(number as usize).map_or(&[], Vec::as_slice)
    }

    fn factor(&self, number: u32, column: u32) -> u64 {
        let row = self.row(number);
        let place = row.binary_search_by_key(&column, |entry| entry.column);
        place.ok().and_then(|place| row.get(place)).map_or(0, |entry| entry.factor)
    }

    /// A row of one column if there is one, since it fills nothing; else the column in the fewest rows, and of these
    /// the shortest.
    fn next_pivot(&mut self) -> Option<(u32, u32)> {
        while let Some(number) = self.singles.pop() {
            if let ([entry], false) = (self.row(number), at(&self.is_done, number)) {
                return Some((number, entry.column));
            }
        }
        while let Some(Reverse((count, column))) = self.queue.pop() {
            let count_now = at(&self.counts, column);
            if count_now > count {
                self.queue.push(Reverse((count_now, column)));
            } else if count_now == count && count > 0 {
                let number = self.held(column).into_iter().min_by_key(|&number| (self.row(number).len(), number))?;
                return Some((number, column));
            }
        }
        None
    }

    /// The rows not done that hold a column.
    fn held(&mut self, column: u32) -> Vec<u32> {
        let mut holders = self.holders.get_mut(column as usize).map(std::mem::take).unwrap_or_default();
        holders.sort_unstable();
        holders.dedup();
        holders.retain(|&number| !at(&self.is_done, number) && self.factor(number, column) != 0);
        set(&mut self.holders, column, holders.clone());
        holders
    }

    /// Sets a row aside to be solved for a column, and takes that column out of all other rows.
    fn solve_row(&mut self, number: u32, column: u32) {
        let pivot = self.rows.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
        set(&mut self.is_done, number, true);
        self.pivots.push((number, column));
        for entry in &pivot {
            self.count_down(entry.column);
        }
        let place = pivot.binary_search_by_key(&column, |entry| entry.column);
        let factor = place.ok().and_then(|place| pivot.get(place)).map_or(0, |entry| entry.factor);
        let inverse = modular::inverse(factor);
        if at(&self.counts, column) > 0 {
            for other in self.held(column) {
                let times = modular::product(modular::negative(self.factor(other, column)), inverse);
                self.add(other, &pivot, times);
                self.additions.push(Addition { to: other, pivot: number, times });
            }
        }
        set(&mut self.rows, number, pivot);
    }

    fn count_up(&mut self, column: u32, holder: u32) {
        if let Some(count) = self.counts.get_mut(column as usize) {
            *count += 1;
        }
        if let Some(holders) = self.holders.get_mut(column as usize) {
            holders.push(holder);
        }
    }

    fn count_down(&mut self, column: u32) {
        if let Some(count) = self.counts.get_mut(column as usize) {
            *count = count.saturating_sub(1);
            self.queue.push(Reverse((*count, column)));
        }
    }

    /// Adds a multiple of the pivot row to another row.
    fn add(&mut self, number: u32, pivot: &[Entry], times: u64) {
        let row = self.rows.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
        let mut sum = Vec::with_capacity(row.len() + pivot.len());
        let mut own = row.into_iter().peekable();
        for entry in pivot {
            while let Some(earlier) = own.next_if(|own| own.column < entry.column) {
                sum.push(earlier);
            }
            let added = modular::product(times, entry.factor);
            match own.next_if(|own| own.column == entry.column) {
                Some(same) => {
                    let factor = modular::sum(same.factor, added);
                    if factor == 0 {
                        self.count_down(entry.column);
                    } else {
                        sum.push(Entry { column: entry.column, factor });
                    }
                }
                None => {
                    sum.push(Entry { column: entry.column, factor: added });
                    self.count_up(entry.column, number);
                }
            }
        }
        sum.extend(own);
        if sum.len() == 1 {
            self.singles.push(number);
        }
        set(&mut self.rows, number, sum);
    }

    /// One solution: every column without a row of its own by lot, the others from these.
    fn solution(&self) -> Vec<u64> {
        let mut drawn: Vec<u64> = self.positions.iter().map(|&position| modular::lot(position)).collect();
        for &(number, column) in self.pivots.iter().rev() {
            let (mut rest, mut factor) = (0, 0);
            for entry in self.row(number) {
                if entry.column == column {
                    factor = entry.factor;
                } else {
                    rest = modular::sum(rest, modular::product(entry.factor, at(&drawn, entry.column)));
                }
            }
            set(&mut drawn, column, modular::product(modular::negative(rest), modular::inverse(factor)));
        }
        drawn
    }
}

/// Whole numbers modulo the prime 2^61 − 1, each below it.
mod modular {
    const PRIME: u64 = (1 << 61) - 1;
    pub const MINUS_ONE: u64 = PRIME - 1;

    pub fn sum(left: u64, right: u64) -> u64 {
        let sum = left + right;
        if sum >= PRIME { sum - PRIME } else { sum }
    }

    pub fn negative(number: u64) -> u64 {
        if number == 0 { 0 } else { PRIME - number }
    }

    pub fn product(left: u64, right: u64) -> u64 {
        let product = u128::from(left) * u128::from(right);
        // 2^61 is 1: the upper bits weigh as much as the lower ones.
        sum((product as u64) & PRIME, (product >> 61) as u64)
    }

    /// 0 has none and gives 0.
    pub fn inverse(number: u64) -> u64 {
        if number == 1 || number == MINUS_ONE {
            return number;
        }
        let (mut power, mut square, mut exponent) = (1, number, PRIME - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = product(power, square);
            }
            square = product(square, square);
            exponent >>= 1;
        }
        power
    }

    /// A number other than 0 that is the same for ever for a position, and as good as independent of any other's
    /// (the mixing step of SplitMix64).
    pub fn lot(position: u32) -> u64 {
        let mut bits = (u64::from(position) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % MINUS_ONE + 1
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Xorshift: the same cases every time.
    pub struct Chance(pub u64);

    impl Chance {
        pub fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    pub fn sum(whole: u32, parts: &[u32]) -> Equation {
        Equation { whole, parts: parts.to_vec() }
    }

    /// What is found when the given positions are unknown and at least one.
    fn found(values: &[i64], unknown: &[usize], equations: &[Equation]) -> Vec<u32> {
        let at_least_one: Vec<bool> = (0..values.len()).map(|place| unknown.contains(&place)).collect();
        let is_known: Vec<bool> = at_least_one.iter().map(|&unknown| !unknown).collect();
        recover(values, &is_known, &at_least_one, equations)
    }

    #[test]
    fn one_unknown_of_a_sum_is_found() {
        assert_eq!(found(&[50, 20, 30], &[1], &[sum(0, &[1, 2])]), [1]);
        assert_eq!(found(&[50, 20, 30], &[0], &[sum(0, &[1, 2])]), [0]);
        assert_eq!(found(&[50, 20, 30], &[1, 2], &[sum(0, &[1, 2])]), [0_u32; 0]);
        assert_eq!(found(&[50, 20, 30, 7], &[3], &[sum(0, &[1, 2])]), [0_u32; 0]);
    }

    #[test]
    fn what_is_found_leads_on() {
        let equations = [sum(0, &[1, 2]), sum(1, &[3, 4]), sum(3, &[5, 6])];
        assert_eq!(found(&[90, 60, 30, 40, 20, 15, 25], &[1, 3, 5], &equations), [1, 3, 5]);
        assert_eq!(found(&[90, 60, 30, 40, 20, 15, 25], &[1, 3, 5, 6], &equations), [1, 3]);
    }

    #[test]
    fn a_sum_within_a_sum_is_subtracted() {
        // 0 = 1 + 2 + 3 and 4 = 2 + 3 with both unknown: nothing single, and yet 1 is their difference.
        assert_eq!(found(&[60, 10, 20, 30, 50], &[1, 2, 3], &[sum(0, &[1, 2, 3]), sum(4, &[2, 3])]), [1]);
    }

    #[test]
    fn a_factor_of_two_is_divided_by() {
        // 3 = 0 + 1, 4 = 1 + 2, 5 = 0 + 2: a ring of three has one solution, a ring of four has many.
        let ring = [sum(3, &[0, 1]), sum(4, &[1, 2]), sum(5, &[0, 2])];
        assert_eq!(found(&[10, 20, 30, 30, 50, 40], &[0, 1, 2], &ring), [0, 1, 2]);
        let ring = [sum(4, &[0, 1]), sum(5, &[1, 2]), sum(6, &[2, 3]), sum(7, &[0, 3])];
        assert_eq!(found(&[10, 20, 30, 40, 30, 50, 70, 50], &[0, 1, 2, 3], &ring), [0_u32; 0]);
    }

    #[test]
    fn a_sum_that_leaves_one_for_each_gives_all() {
        assert_eq!(found(&[32, 1, 1, 30], &[1, 2], &[sum(0, &[1, 2, 3])]), [1, 2]);
        assert_eq!(found(&[33, 1, 2, 30], &[1, 2], &[sum(0, &[1, 2, 3])]), [0_u32; 0]);
        assert_eq!(found(&[32, 1, 1, 30], &[0, 1, 2], &[sum(0, &[1, 2, 3])]), [0_u32; 0]);
        let known = [true, false, false, true];
        assert_eq!(recover(&[32, 1, 1, 30], &known, &[false; 4], &[sum(0, &[1, 2, 3])]), [0_u32; 0]);
    }

    #[test]
    fn a_sum_that_leaves_nothing_gives_zeros() {
        let equations = [sum(0, &[1, 2]), sum(3, &[1, 4, 5])];
        let known = [true, false, false, true, false, true];
        assert_eq!(recover(&[0, 0, 0, 9, 4, 5], &known, &[false; 6], &equations), [1, 2, 4]);
        // The ones take all that is left, so that the unpublished 4 must be zero.
        let known = [true, false, false, true, false];
        let at_least_one = [false, true, true, false, false];
        assert_eq!(recover(&[32, 1, 1, 30, 0], &known, &at_least_one, &[sum(0, &[1, 2, 3, 4])]), [1, 2, 4]);
    }

    #[test]
    fn a_bound_that_presses_only_after_a_combination_is_found() {
        // The combination gives 1, then 5 = 1 + 6 + 7 leaves one for each of 6 and 7.
        let equations = [sum(0, &[1, 2, 3]), sum(4, &[2, 3]), sum(5, &[1, 6, 7]), sum(8, &[6, 9, 10])];
        let values = [60, 10, 20, 30, 50, 12, 1, 1, 21, 12, 8];
        assert_eq!(found(&values, &[1, 2, 3, 6, 7, 9], &equations), [1, 6, 7, 9]);
    }

    /// A fraction, and what a full reduction over fractions finds.
    type Fraction = (i128, i128);

    fn reduced((above, below): Fraction) -> Fraction {
        let (mut divisor, mut rest) = (above.abs(), below.abs());
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let divisor = if below < 0 { -divisor } else { divisor };
        (above / divisor, below / divisor)
    }

    fn found_by_fractions(unknown: &[u32], equations: &[Equation]) -> Vec<u32> {
        let mut rows: Vec<Vec<Fraction>> = Vec::new();
        for equation in equations {
            let times = |position: u32| {
                let parts = equation.parts.iter().filter(|&&part| part == position).count() as i128;
                (parts - i128::from(equation.whole == position), 1)
            };
            rows.push(unknown.iter().map(|&position| times(position)).collect());
        }
        let mut done = 0;
        for column in 0..unknown.len() {
            let Some(pivot) = (done..rows.len()).find(|&row| rows[row][column].0 != 0) else { continue };
            rows.swap(done, pivot);
            let (above, below) = rows[done][column];
            let pivot: Vec<Fraction> =
                rows[done].iter().map(|item| reduced((item.0 * below, item.1 * above))).collect();
            for (number, row) in rows.iter_mut().enumerate() {
                let times = row[column];
                for (item, by) in row.iter_mut().zip(&pivot) {
                    if number == done {
                        *item = *by;
                    } else {
                        let (above, below) = (times.0 * by.0, times.1 * by.1);
                        *item = reduced((item.0 * below - above * item.1, item.1 * below));
                    }
                }
            }
            done += 1;
        }
        let singles = rows.iter().filter(|row| row.iter().filter(|item| item.0 != 0).count() == 1);
        let mut found: Vec<u32> =
            singles.filter_map(|row| row.iter().position(|item| item.0 != 0)).map(|column| unknown[column]).collect();
        found.sort_unstable();
        found
    }

    struct Case {
        values: Vec<i64>,
        is_known: Vec<bool>,
        at_least_one: Vec<bool>,
        equations: Vec<Equation>,
    }

    impl Case {
        /// A few free numbers, and sums of some of those before them.
        fn random(chance: &mut Chance, size: u64, unknown_max: usize) -> Case {
            let free = 2 + chance.below(size);
            let mut values: Vec<i64> = (0..free).map(|_| chance.below(4) as i64).collect();
            let mut equations = Vec::new();
            for whole in free..free + 1 + chance.below(size) {
                let parts: Vec<u32> = (0..whole as u32).filter(|_| chance.below(5) < 2).collect();
                values.push(parts.iter().map(|&part| values[part as usize]).sum());
                equations.push(sum(whole as u32, &parts));
            }
            let mut is_known: Vec<bool> = values.iter().map(|_| chance.below(2) == 0).collect();
            while is_known.iter().filter(|&&known| !known).count() > unknown_max {
                let place = chance.below(values.len() as u64) as usize;
                is_known[place] = true;
            }
            let at_least_one = (is_known.iter().zip(&values))
                .map(|(&known, &value)| !known && value > 0 && chance.below(3) > 0)
                .collect();
            Case { values, is_known, at_least_one, equations }
        }

        fn unknown(&self) -> Vec<u32> {
            positions(&self.values).filter(|&position| !self.is_known[position as usize]).collect()
        }

        /// Fractions and bounds in turn, each on all that is still unknown.
        fn found_plainly(&self) -> Vec<u32> {
            let mut unknown = self.unknown();
            loop {
                let mut found = found_by_fractions(&unknown, &self.equations);
                for equation in &self.equations {
                    let parts: Vec<u32> =
                        equation.parts.iter().copied().filter(|part| unknown.contains(part)).collect();
                    let left: i64 = parts.iter().map(|&part| self.values[part as usize]).sum();
                    let least = parts.iter().filter(|&&part| self.at_least_one[part as usize]).count() as i64;
                    if !unknown.contains(&equation.whole) && left == least {
                        found.extend(parts);
                    }
                }
                if found.is_empty() {
                    let still = |position: &u32| unknown.contains(position);
                    return self.unknown().into_iter().filter(|position| !still(position)).collect();
                }
                unknown.retain(|position| !found.contains(position));
            }
        }

        /// The unknown positions with the same value in every solution up to a little more than the total.
        fn found_by_trial(&self) -> Vec<u32> {
            let unknown = self.unknown();
            let most = self.values.iter().take(self.values.len() - self.equations.len()).sum::<i64>() + 2;
            let mut is_same = vec![true; unknown.len()];
            let least = |position: u32| i64::from(self.at_least_one[position as usize]);
            let mut trial = self.values.clone();
            unknown.iter().for_each(|&position| trial[position as usize] = least(position));
            loop {
                let holds = |equation: &Equation| {
                    let parts: i64 = equation.parts.iter().map(|&part| trial[part as usize]).sum();
                    parts == trial[equation.whole as usize]
                };
                if self.equations.iter().all(holds) {
                    for (is_same, &position) in is_same.iter_mut().zip(&unknown) {
                        *is_same &= trial[position as usize] == self.values[position as usize];
                    }
                }
                let Some(&next) = unknown.iter().find(|&&position| trial[position as usize] < most) else { break };
                unknown.iter().take_while(|&&position| position != next).for_each(|&position| {
                    trial[position as usize] = least(position);
                });
                trial[next as usize] += 1;
            }
            unknown.into_iter().zip(is_same).filter(|&(_, is_same)| is_same).map(|(position, _)| position).collect()
        }
    }

    #[test]
    fn finds_at_least_what_fractions_and_single_bounds_find() {
        let mut chance = Chance(0xD1B5_4A32_D192_ED03);
        for _ in 0..5_000 {
            let case = Case::random(&mut chance, 8, 16);
            let found = recover(&case.values, &case.is_known, &case.at_least_one, &case.equations);
            let is_found = |position: &u32| found.binary_search(position).is_ok();
            assert!(case.found_plainly().iter().all(is_found), "{:?} {:?}", case.values, case.equations);
        }
    }

    #[test]
    fn finds_nothing_that_could_be_otherwise() {
        let mut chance = Chance(0xA076_1D64_78BD_642F);
        for _ in 0..400 {
            let case = Case::random(&mut chance, 5, 4);
            let found = recover(&case.values, &case.is_known, &case.at_least_one, &case.equations);
            let by_trial = case.found_by_trial();
            assert!(found.iter().all(|position| by_trial.contains(position)), "{:?} {:?}", case.values, case.equations);
        }
    }
}
