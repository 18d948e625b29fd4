//! Which further counts are withheld so that those withheld for their smallness cannot be found from the sums
//! (`indicators.md`, disclosure). Takes plain numbers and the sums between them; which numbers are too small, where
//! they stand and what that makes of a row is the business of its caller, and what can be found is that of `recover`.

use std::collections::{BTreeSet, VecDeque};

use super::recover::{Reader, at, positions};

/// Published whole numbers and the sums that tie them together.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// None is negative.
    pub values: Vec<i64>,
    /// What is not published is unknown to the reader, and needs no protection.
    pub is_published: Vec<bool>,
    /// Each holds in `values`.
    pub equations: Vec<Equation>,
}

/// The whole is the sum of its parts; all are positions in the ledger's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    pub whole: u32,
    pub parts: Vec<u32>,
}

impl Equation {
    pub(super) fn members(&self) -> impl Iterator<Item = u32> {
        self.parts.iter().copied().chain([self.whole])
    }
}

/// Adds positions to `suppressed` (on entry: the small ones) until nothing that is suppressed can be recovered. Takes
/// along the smallest numbers first. Zero is never suppressed, and a mark on it is removed.
pub fn suppress(ledger: &Ledger, suppressed: &mut Vec<bool>) {
    suppressed.resize(ledger.values.len(), false);
    let reader = Reader::of(&ledger.values, &ledger.equations);
    let mut cover = Cover { ledger, reader, suppressed };
    let mut hidden = cover.begin();
    while !hidden.is_empty() {
        cover.close(&mut hidden);
        let found = cover.find(&hidden);
        hidden = cover.cover(&found);
    }
}

/// A ledger, what is suppressed of it so far, and a reader from whom that is hidden.
struct Cover<'a> {
    ledger: &'a Ledger,
    reader: Reader<'a>,
    suppressed: &'a mut Vec<bool>,
}

impl Cover<'_> {
    /// Hides what is not published or suppressed on entry; the suppressed positions.
    fn begin(&mut self) -> Vec<u32> {
        let mut hidden = Vec::new();
        for position in positions(&self.ledger.values) {
            if at(self.suppressed, position) && at(&self.ledger.values, position) > 0 {
                self.reader.hide(position, true);
                hidden.push(position);
                continue;
            }
            if let Some(mark) = self.suppressed.get_mut(position as usize) {
                *mark = false;
            }
            if !at(&self.ledger.is_published, position) {
                self.reader.hide(position, false);
            }
        }
        hidden
    }

    fn suppress(&mut self, position: u32) {
        if let Some(mark) = self.suppressed.get_mut(position as usize) {
            *mark = true;
        }
        self.reader.hide(position, true);
    }

    /// Takes along what single equations give away, beginning with those of the positions that were hidden last; adds
    /// to these what it took along.
    fn close(&mut self, hidden: &mut Vec<u32>) {
        let mut work: VecDeque<u32> = VecDeque::new();
        for &position in hidden.iter() {
            work.extend(self.reader.containing(position));
        }
        while let Some(number) = work.pop_front() {
            let Some(least) = self.least_wanted(number) else { continue };
            if let Some((_, _, position)) = self.candidate(number, least, |_| true) {
                self.suppress(position);
                hidden.push(position);
                work.extend(self.reader.containing(position));
            }
        }
    }

    /// How large a further part must be to cover what an equation gives away; nothing when it gives nothing away.
    fn least_wanted(&self, number: u32) -> Option<i64> {
        let is_single = self.reader.unknown_count(number) == 1;
        if !is_single && !self.reader.is_pressed(number) {
            return None;
        }
        let equation = self.reader.equation(number)?;
        equation.members().any(|member| at(self.suppressed, member)).then_some(())?;
        // Where every hidden part is 1, a further 1 would be found with them.
        Some(if is_single { 1 } else { 2 })
    }

    /// The smallest known part of at least that size, else the whole: whether it is the whole, its value, its
    /// position.
    fn candidate(&self, number: u32, least: i64, is_wanted: impl Fn(u32) -> bool) -> Option<(bool, i64, u32)> {
        let equation = self.reader.equation(number)?;
        let known = |position: u32| {
            let value = at(&self.ledger.values, position);
            (value > 0 && !self.reader.is_unknown(position) && is_wanted(position)).then_some((value, position))
        };
        let part = equation.parts.iter().filter_map(|&part| known(part)).filter(|&(value, _)| value >= least).min();
        let part = part.map(|(value, position)| (false, value, position));
        part.or_else(|| known(equation.whole).map(|(value, position)| (true, value, position)))
    }

    /// The suppressed positions that the reader finds among those tied to the given ones (sorted).
    fn find(&mut self, hidden: &[u32]) -> Vec<u32> {
        let mut found = self.reader.find(hidden);
        for &position in &found {
            self.reader.hide(position, at(self.suppressed, position));
        }
        found.retain(|&position| at(self.suppressed, position));
        found.sort_unstable();
        found
    }

    /// Takes along one position for each cluster of found ones that stand in common equations, since one often covers
    /// all of them. Gives what it took along: nothing when there is nothing left to take.
    fn cover(&mut self, found: &[u32]) -> Vec<u32> {
        let mut is_served: BTreeSet<u32> = BTreeSet::new();
        let mut taken = Vec::new();
        let evidence = if found.is_empty() { Vec::new() } else { self.reader.evidence(found) };
        for &position in found {
            if is_served.insert(position) {
                self.serve_cluster(position, found, &mut is_served);
                taken.extend(self.take_along(position, &evidence));
            }
        }
        taken
    }

    fn serve_cluster(&self, position: u32, found: &[u32], is_served: &mut BTreeSet<u32>) {
        let mut numbers = BTreeSet::new();
        let mut cluster = vec![position];
        while let Some(position) = cluster.pop() {
            for &number in self.reader.containing(position) {
                let equation = self.reader.equation(number).filter(|_| numbers.insert(number));
                for member in equation.into_iter().flat_map(Equation::members) {
                    if found.binary_search(&member).is_ok() && is_served.insert(member) {
                        cluster.push(member);
                    }
                }
            }
        }
    }

    /// Takes along the nearest of what found positions were worked out from. What is found by bounds is not worked out
    /// from anything: for that, the nearest there is.
    fn take_along(&mut self, found: u32, evidence: &[u32]) -> Option<u32> {
        let is_evidence = |position: u32| evidence.binary_search(&position).is_ok();
        let nearest = self.nearest_candidate(found, 1, is_evidence);
        // Where bounds gave it away, a further 1 would be found with it.
        let nearest = nearest.or_else(|| self.nearest_candidate(found, 2, |_| true));
        self.suppress(nearest?);
        nearest
    }

    /// The smallest candidate of the equations that a position stands in; where they have none, of those of the
    /// unknown positions in them, and so on outward.
    fn nearest_candidate(&self, position: u32, least: i64, is_wanted: impl Fn(u32) -> bool) -> Option<u32> {
        let mut numbers = BTreeSet::new();
        let mut reached = BTreeSet::from([position]);
        let mut edge = vec![position];
        while !edge.is_empty() {
            let containing = edge.iter().flat_map(|&position| self.reader.containing(position));
            let outer: Vec<u32> = containing.copied().filter(|&number| numbers.insert(number)).collect();
            let candidates = outer.iter().filter_map(|&number| self.candidate(number, least, &is_wanted));
            if let Some((_, _, position)) = candidates.min() {
                return Some(position);
            }
            let members = outer.iter().filter_map(|&number| self.reader.equation(number)).flat_map(Equation::members);
            edge = members.filter(|&member| self.reader.is_unknown(member) && reached.insert(member)).collect();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::recover::recover;
    use super::super::recover::tests::{Chance, sum};
    use super::*;

    /// The marks after `suppress` on a ledger that is published throughout; the small ones are 1 to 9.
    fn suppressed(values: &[i64], equations: &[Equation]) -> Vec<bool> {
        let ledger =
            Ledger { values: values.to_vec(), is_published: vec![true; values.len()], equations: equations.to_vec() };
        let small: Vec<bool> = values.iter().map(|value| (1..10).contains(value)).collect();
        let mut marks = small.clone();
        suppress(&ledger, &mut marks);
        check_safe(&ledger, &small, &marks);
        marks
    }

    fn places(marks: &[bool]) -> Vec<usize> {
        (0..).zip(marks).filter(|&(_, &mark)| mark).map(|(place, _)| place).collect()
    }

    fn check_safe(ledger: &Ledger, small: &[bool], marks: &[bool]) {
        for equation in &ledger.equations {
            let parts: i64 = equation.parts.iter().map(|&part| ledger.values[part as usize]).sum();
            assert_eq!(ledger.values[equation.whole as usize], parts, "{equation:?} does not hold");
        }
        for (place, &mark) in marks.iter().enumerate() {
            assert!(mark || !small[place] || ledger.values[place] == 0, "{place} is small and shown");
            assert!(!mark || ledger.values[place] > 0, "{place} is zero and suppressed");
            assert!(!mark || small[place] || ledger.is_published[place], "{place} is taken along unpublished");
        }
        let is_known: Vec<bool> =
            marks.iter().zip(&ledger.is_published).map(|(&mark, &shown)| shown && !mark).collect();
        let found = recover(&ledger.values, &is_known, marks, &ledger.equations);
        let found: Vec<u32> = found.into_iter().filter(|&position| marks[position as usize]).collect();
        assert_eq!(found, [0_u32; 0], "found in {ledger:?} with {:?} suppressed", places(marks));
    }

    #[test]
    fn takes_the_next_smallest_sibling_along() {
        let marks = suppressed(&[80, 4, 30, 26, 20], &[sum(0, &[1, 2, 3, 4])]);
        assert_eq!(places(&marks), [1, 4]);
    }

    #[test]
    fn takes_the_first_of_equal_siblings_along() {
        let marks = suppressed(&[64, 20, 4, 20, 20], &[sum(0, &[1, 2, 3, 4])]);
        assert_eq!(places(&marks), [1, 2]);
    }

    #[test]
    fn passes_over_zero() {
        let marks = suppressed(&[34, 0, 4, 30, 0], &[sum(0, &[1, 2, 3, 4])]);
        assert_eq!(places(&marks), [2, 3]);
    }

    #[test]
    fn leaves_two_small_siblings_alone() {
        let marks = suppressed(&[37, 4, 3, 30], &[sum(0, &[1, 2, 3])]);
        assert_eq!(places(&marks), [1, 2]);
    }

    #[test]
    fn takes_the_parent_of_an_only_child_along_and_so_on_up_the_tree() {
        // 0 = 1 + 2; 1 = 3 + 4 (zero); 3 = 5. The small 5 takes 3, then 1, then the sibling 2.
        let values = [50, 8, 42, 8, 0, 8];
        let marks = suppressed(&values, &[sum(0, &[1, 2]), sum(1, &[3, 4]), sum(3, &[5])]);
        assert_eq!(places(&marks), [1, 2, 3, 5]);
    }

    #[test]
    fn takes_everything_up_to_the_root_where_there_are_no_siblings() {
        let marks = suppressed(&[8, 8, 8], &[sum(0, &[1]), sum(1, &[2])]);
        assert_eq!(places(&marks), [0, 1, 2]);
    }

    #[test]
    fn covers_a_whole_that_is_small_by_one_of_its_parts() {
        // 0 = 1 + 2 is small, and so are its parts; 3 = 0 + 4 gives it away until 4 goes along.
        let marks = suppressed(&[9, 5, 4, 49, 40], &[sum(0, &[1, 2]), sum(3, &[0, 4])]);
        assert_eq!(places(&marks), [0, 1, 2, 4]);
    }

    #[test]
    fn covers_a_small_complement_through_the_sum_of_counts() {
        // Households 0, granted 1, not granted 2, each with two children: 3 4, 5 6, 7 8.
        let values = [100, 80, 20, 40, 60, 35, 45, 5, 15];
        let equations =
            [sum(0, &[3, 4]), sum(1, &[5, 6]), sum(2, &[7, 8]), sum(0, &[1, 2]), sum(3, &[5, 7]), sum(4, &[6, 8])];
        let marks = suppressed(&values, &equations);
        assert_eq!(places(&marks), [5, 6, 7, 8]);
    }

    #[test]
    fn covers_two_that_must_each_be_one() {
        let marks = suppressed(&[72, 1, 1, 30, 40], &[sum(0, &[1, 2, 3, 4])]);
        assert_eq!(places(&marks), [1, 2, 3]);
        let marks = suppressed(&[20, 1, 1, 18, 0], &[sum(0, &[1, 2, 3, 4])]);
        assert_eq!(places(&marks), [1, 2, 3]);
    }

    #[test]
    fn takes_the_whole_where_all_parts_are_one() {
        let equations = [sum(0, &[1, 2, 3]), sum(4, &[0, 5])];
        let marks = suppressed(&[3, 1, 1, 1, 33, 30], &equations);
        assert_eq!(places(&marks), [0, 1, 2, 3, 5]);
    }

    #[test]
    fn covers_a_cell_that_only_a_combination_of_sums_gives_away() {
        // Rows of 5 with their sums in front. The small ones stand in every row and column twice or thrice, and yet
        // the two upper rows less the two left columns give the cell in the second row and third column.
        let small = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]];
        let mut values = vec![0; 25];
        let mut equations = vec![];
        for row in 1..5 {
            for column in 1..5 {
                let cell = if small[row - 1][column - 1] == 1 { 3 } else { 10 + row * column };
                values[5 * row + column] = cell as i64;
                values[5 * row] += cell as i64;
                values[column] += cell as i64;
                values[0] += cell as i64;
            }
        }
        equations.push(sum(0, &[1, 2, 3, 4]));
        equations.push(sum(0, &[5, 10, 15, 20]));
        for line in 1..5_u32 {
            equations.push(sum(5 * line, &[5 * line + 1, 5 * line + 2, 5 * line + 3, 5 * line + 4]));
            equations.push(sum(line, &[5 + line, 10 + line, 15 + line, 20 + line]));
        }
        let is_known: Vec<bool> = values.iter().map(|&value| value != 3).collect();
        let at_least_one: Vec<bool> = is_known.iter().map(|&known| !known).collect();
        assert_eq!(recover(&values, &is_known, &at_least_one, &equations), [13]);
        let marks = suppressed(&values, &equations);
        assert!(marks.iter().filter(|&&mark| mark).count() > 9);
    }

    #[test]
    fn goes_outward_where_the_equations_of_a_found_one_have_nothing_left() {
        // 4 = 0 + 3 less 5 = 2 + 3 gives 0 less 2, which is 1; but in 0 = 1 + 2 all are small.
        let marks = suppressed(&[9, 5, 4, 6, 15, 10], &[sum(0, &[1, 2]), sum(4, &[0, 3]), sum(5, &[2, 3])]);
        assert_eq!(places(&marks), [0, 1, 2, 3, 5]);
    }

    #[test]
    fn a_long_sum_is_not_taken_along_piece_by_piece() {
        // As above, and 1 stands besides in a sum of a hundred, which cannot cover it.
        let mut values = vec![9, 5, 4, 6, 15, 10, 2_005];
        values.resize(107, 20);
        let parts: Vec<u32> = [1].into_iter().chain(7..107).collect();
        let equations = [sum(0, &[1, 2]), sum(4, &[0, 3]), sum(5, &[2, 3]), sum(6, &parts)];
        let marks = suppressed(&values, &equations);
        assert_eq!(places(&marks), [0, 1, 2, 3, 5, 7, 8]);
    }

    #[test]
    fn what_is_not_published_covers_its_siblings() {
        let ledger = Ledger {
            values: vec![80, 4, 30, 46],
            is_published: vec![true, true, true, false],
            equations: vec![sum(0, &[1, 2, 3])],
        };
        let mut marks = vec![false, true, false, false];
        suppress(&ledger, &mut marks);
        assert_eq!(places(&marks), [1]);
    }

    #[test]
    fn what_is_not_published_and_known_all_the_same_covers_nothing() {
        // 3 is not published, but 4 = 3 + 5 gives it away.
        let ledger = Ledger {
            values: vec![80, 4, 30, 46, 66, 20],
            is_published: vec![true, true, true, false, true, true],
            equations: vec![sum(0, &[1, 2, 3]), sum(4, &[3, 5])],
        };
        let small = [false, true, false, false, false, false];
        let mut marks = small.to_vec();
        suppress(&ledger, &mut marks);
        check_safe(&ledger, &small, &marks);
        assert_eq!(places(&marks), [1, 2]);
    }

    #[test]
    fn a_mark_on_zero_is_removed() {
        let ledger = Ledger { values: vec![30, 0, 30], is_published: vec![true; 3], equations: vec![sum(0, &[1, 2])] };
        let mut marks = vec![false, true, false];
        suppress(&ledger, &mut marks);
        assert_eq!(places(&marks), [0_usize; 0]);
    }

    /// Areas in a random tree, each in four columns (all and three segments), with counts of which each third is the
    /// sum of the two before it.
    fn random_ledger(chance: &mut Chance) -> Ledger {
        let areas = 2 + chance.below(14) as usize;
        let counts = 1 + chance.below(4) as usize;
        let parents: Vec<usize> = (0..areas).map(|area| chance.below(area.max(1) as u64) as usize).collect();
        let place = |area: usize, segment: usize, count: usize| ((area * 4 + segment) * counts + count) as u32;
        let mut ledger =
            Ledger { values: vec![0; areas * 4 * counts], is_published: Vec::new(), equations: Vec::new() };
        let largest = [2, 6, 40][chance.below(3) as usize];
        for area in (0..areas).rev() {
            let children: Vec<usize> = (area + 1..areas).filter(|&child| parents[child] == area).collect();
            for count in 0..counts {
                for segment in 1..4 {
                    let parts: Vec<u32> = children.iter().map(|&child| place(child, segment, count)).collect();
                    let pair = [place(area, segment, count.max(2) - 2), place(area, segment, count.max(1) - 1)];
                    let value = if !parts.is_empty() {
                        parts.iter().map(|&part| ledger.values[part as usize]).sum()
                    } else if count == 2 {
                        pair.iter().map(|&part| ledger.values[part as usize]).sum()
                    } else {
                        chance.below(largest) as i64
                    };
                    ledger.values[place(area, segment, count) as usize] = value;
                }
                let segments: Vec<u32> = (1..4).map(|segment| place(area, segment, count)).collect();
                ledger.values[place(area, 0, count) as usize] =
                    segments.iter().map(|&part| ledger.values[part as usize]).sum();
                ledger.equations.push(sum(place(area, 0, count), &segments));
                for segment in 0..4 {
                    let parts: Vec<u32> = children.iter().map(|&child| place(child, segment, count)).collect();
                    if !parts.is_empty() {
                        ledger.equations.push(sum(place(area, segment, count), &parts));
                    }
                    if count == 2 {
                        let pair = [place(area, segment, 0), place(area, segment, 1)];
                        ledger.equations.push(sum(place(area, segment, 2), &pair));
                    }
                }
            }
        }
        ledger.is_published = ledger.values.iter().map(|_| chance.below(30) > 0).collect();
        ledger
    }

    #[test]
    fn nothing_is_found_in_random_trees() {
        let mut chance = Chance(0x2545_F491_4F6C_DD1D);
        for _ in 0..2_000 {
            let ledger = random_ledger(&mut chance);
            let small_below = 2 + chance.below(6) as i64;
            let small: Vec<bool> = (ledger.values.iter().zip(&ledger.is_published))
                .map(|(value, &is_published)| is_published && (1..small_below).contains(value))
                .collect();
            let mut marks = small.clone();
            suppress(&ledger, &mut marks);
            check_safe(&ledger, &small, &marks);

            let mut again = marks.clone();
            suppress(&ledger, &mut again);
            assert_eq!(again, marks, "a second time adds to {ledger:?}");
        }
    }

    #[test]
    fn nothing_is_suppressed_where_nothing_is_small() {
        let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
        for _ in 0..200 {
            let ledger = random_ledger(&mut chance);
            let mut marks = Vec::new();
            suppress(&ledger, &mut marks);
            assert_eq!(marks, vec![false; ledger.values.len()]);
        }
    }
}
