//! Unknown numbers that sums and bounds together leave no room: a number at its least that no other solution lets grow.
//! Whether it can is a question of directions: from the true numbers one may move along every combination that keeps all
//! sums, as long as no number at its least shrinks. Numbers above their least can give way, so they are eliminated; what
//! is left are a few equations between numbers at their least, for which a small linear programme gives the answer.
//! Exact for parts of the ledger of usual size; very large ones are left to `recover`, which weighs sums one by one.

use crate::decimal::common_divisor;

/// Terms of an equation `Σ factor × column = 0`.
pub(super) type Row = Vec<(usize, i128)>;

/// Terms of equations that hang together, and columns at their least among them, above which the question is not asked: it
/// would take longer than the night.
const TERMS_MAX: usize = 8_000;
const AT_LEAST_MAX: usize = 400;
/// Rounding of the linear programme, whose numbers are small.
const TOLERANCE: f64 = 1e-9;

/// The columns at their least that are at their least in every solution. `is_at_least` says which are at their least in
/// the true one.
pub(super) fn pressed(rows: Vec<Row>, is_at_least: &[bool]) -> Vec<usize> {
    let mut found = Vec::new();
    for component in components(rows, is_at_least.len()) {
        let bound: usize = component.iter().flatten().filter(|(column, _)| is_at(is_at_least, *column)).count();
        let terms: usize = component.iter().map(Vec::len).sum();
        if bound > 0 && terms <= TERMS_MAX {
            found.extend(pressed_in(component, is_at_least));
        }
    }
    found.sort_unstable();
    found
}

fn is_at(marks: &[bool], column: usize) -> bool {
    marks.get(column) == Some(&true)
}

/// Rows that share columns, together.
fn components(rows: Vec<Row>, columns: usize) -> Vec<Vec<Row>> {
    let mut leader: Vec<usize> = (0..columns).collect();
    fn lead(leader: &mut [usize], mut column: usize) -> usize {
        while let Some(&above) = leader.get(column).filter(|above| **above != column) {
            let further = leader.get(above).copied().unwrap_or(above);
            if let Some(slot) = leader.get_mut(column) {
                *slot = further;
            }
            column = above;
        }
        column
    }
    for row in &rows {
        let mut members = row.iter().map(|(column, _)| *column);
        let Some(first) = members.next().map(|column| lead(&mut leader, column)) else { continue };
        for column in members {
            let other = lead(&mut leader, column);
            if let Some(slot) = leader.get_mut(other) {
                *slot = first;
            }
        }
    }
    let mut grouped: std::collections::BTreeMap<usize, Vec<Row>> = std::collections::BTreeMap::new();
    for row in rows {
        if let Some((column, _)) = row.first() {
            grouped.entry(lead(&mut leader, *column)).or_default().push(row);
        }
    }
    grouped.into_values().collect()
}

fn pressed_in(rows: Vec<Row>, is_at_least: &[bool]) -> Vec<usize> {
    let Some(rows) = without_free(rows, is_at_least) else { return Vec::new() };
    let mut columns: Vec<usize> = rows.iter().flatten().map(|(column, _)| *column).collect();
    columns.sort_unstable();
    columns.dedup();
    if columns.is_empty() || columns.len() > AT_LEAST_MAX {
        return Vec::new();
    }
    let place = |column: usize| columns.binary_search(&column).unwrap_or_default();
    let rows: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let mut dense = vec![0.0; columns.len()];
            for (column, factor) in row {
                if let Some(slot) = dense.get_mut(place(*column)) {
                    *slot = *factor as f64;
                }
            }
            dense
        })
        .collect();
    let can_grow = Tableau::of(rows, columns.len()).can_grow();
    columns.into_iter().zip(can_grow).filter(|(_, can_grow)| !can_grow).map(|(column, _)| column).collect()
}

/// Eliminates the columns that are above their least; None where numbers become too large to be exact.
fn without_free(mut rows: Vec<Row>, is_at_least: &[bool]) -> Option<Vec<Row>> {
    let mut bound = Vec::new();
    while let Some(pivot) = rows.pop() {
        // The shortest rows are best solved first, but any order gives the same answer.
        let Some(&(column, factor)) = pivot.iter().find(|(column, _)| !is_at(is_at_least, *column)) else {
            bound.push(pivot);
            continue;
        };
        for row in &mut rows {
            let Some(&(_, other)) = row.iter().find(|(own, _)| *own == column) else { continue };
            *row = combined(row, factor, &pivot, -other)?;
        }
    }
    bound.retain(|row| !row.is_empty());
    Some(bound)
}

/// `times × row + other_times × other`, in lowest terms.
fn combined(row: &Row, times: i128, other: &Row, other_times: i128) -> Option<Row> {
    let mut sum: std::collections::BTreeMap<usize, i128> = std::collections::BTreeMap::new();
    for (terms, times) in [(row, times), (other, other_times)] {
        for (column, factor) in terms {
            let entry = sum.entry(*column).or_default();
            *entry = entry.checked_add(factor.checked_mul(times)?)?;
        }
    }
    let row: Row = sum.into_iter().filter(|(_, factor)| *factor != 0).collect();
    let common = row.iter().fold(0_u128, |common, (_, factor)| common_divisor(common, factor.unsigned_abs()));
    let common = common.max(1).cast_signed();
    Some(row.into_iter().map(|(column, factor)| (column, factor / common)).collect())
}

/// Directions d ≥ 0 with `rows · d = 0` and Σ d ≤ 1, of which d = 0 is one, as a simplex tableau. The last row is the
/// bound of the sum, the last column but one its slack, the last column the right-hand side.
struct Tableau {
    columns: usize,
    rows: Vec<Vec<f64>>,
    basis: Vec<usize>,
}

impl Tableau {
    fn of(mut rows: Vec<Vec<f64>>, columns: usize) -> Tableau {
        for row in &mut rows {
            row.extend([0.0, 0.0]);
        }
        let mut tableau = Tableau { columns, rows: Vec::new(), basis: Vec::new() };
        for row in rows {
            tableau.add(row);
        }
        let mut bound = vec![1.0; columns + 2];
        for (place, &column) in tableau.basis.iter().enumerate() {
            let factor = at(&bound, column);
            subtract(&mut bound, tableau.rows.get(place), factor);
        }
        tableau.rows.push(bound);
        tableau.basis.push(columns);
        tableau
    }

    /// Adds an equation solved for one of its columns, unless the others say it already.
    fn add(&mut self, mut row: Vec<f64>) {
        for (place, &column) in self.basis.iter().enumerate() {
            let factor = at(&row, column);
            subtract(&mut row, self.rows.get(place), factor);
        }
        let Some(column) = (0..self.columns).find(|&column| at(&row, column).abs() > TOLERANCE) else { return };
        let factor = at(&row, column);
        row.iter_mut().for_each(|entry| *entry /= factor);
        for other in &mut self.rows {
            let factor = at(other, column);
            subtract(other, Some(&row), factor);
        }
        self.rows.push(row);
        self.basis.push(column);
    }

    /// For each column whether some direction lets it grow.
    fn can_grow(mut self) -> Vec<bool> {
        let mut can_grow = vec![false; self.columns];
        loop {
            // All that are not yet known to grow, together: the programme ends at 0 only when none of them can.
            let cost: Vec<f64> = can_grow.iter().map(|grows| if *grows { 0.0 } else { 1.0 }).collect();
            self.maximise(&cost);
            let mut is_new = false;
            for (row, &column) in self.rows.iter().zip(&self.basis) {
                if let Some(grows) = can_grow.get_mut(column).filter(|grows| !**grows)
                    && at(row, self.columns + 1) > TOLERANCE
                {
                    *grows = true;
                    is_new = true;
                }
            }
            if !is_new {
                return can_grow;
            }
        }
    }

    /// Moves to a corner with the largest sum of costs, by the rule of the first column (Bland), which never circles.
    fn maximise(&mut self, cost: &[f64]) {
        loop {
            let gain = |column: usize| {
                let through: f64 =
                    self.rows.iter().zip(&self.basis).map(|(row, &basic)| at(cost, basic) * at(row, column)).sum();
                at(cost, column) - through
            };
            let Some(column) = (0..=self.columns).find(|&column| gain(column) > TOLERANCE) else { return };
            let ratios = self.rows.iter().enumerate().filter(|(_, row)| at(row, column) > TOLERANCE);
            let ratios = ratios.map(|(place, row)| (at(row, self.columns + 1) / at(row, column), place));
            let leaving = ratios.min_by(|one, other| {
                let basic = |place: usize| self.basis.get(place).copied().unwrap_or(usize::MAX);
                one.0.total_cmp(&other.0).then_with(|| basic(one.1).cmp(&basic(other.1)))
            });
            let Some((_, place)) = leaving else { return };
            self.pivot(place, column);
        }
    }

    fn pivot(&mut self, place: usize, column: usize) {
        let Some(mut row) = self.rows.get(place).cloned() else { return };
        let factor = at(&row, column);
        row.iter_mut().for_each(|entry| *entry /= factor);
        for (other_place, other) in self.rows.iter_mut().enumerate() {
            if other_place == place {
                other.clone_from(&row);
            } else {
                let factor = at(other, column);
                subtract(other, Some(&row), factor);
            }
        }
        if let Some(basic) = self.basis.get_mut(place) {
            *basic = column;
        }
    }
}

fn at(row: &[f64], column: usize) -> f64 {
    row.get(column).copied().unwrap_or(0.0)
}

fn subtract(row: &mut [f64], other: Option<&Vec<f64>>, times: f64) {
    if times != 0.0 {
        row.iter_mut().zip(other.into_iter().flatten()).for_each(|(entry, other)| *entry -= times * other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(whole: usize, parts: &[usize]) -> Row {
        let mut row: Row = parts.iter().map(|&part| (part, 1)).chain([(whole, -1)]).collect();
        row.sort_unstable();
        row
    }

    /// Of a known whole: the directions of its parts make up nothing.
    fn nothing(parts: &[usize]) -> Row {
        parts.iter().map(|&part| (part, 1)).collect()
    }

    #[test]
    fn parts_at_their_least_that_make_up_a_known_whole_are_pressed() {
        assert_eq!(pressed(vec![nothing(&[0, 1])], &[true, true]), [0, 1]);
        assert_eq!(pressed(vec![nothing(&[0, 1])], &[true, false]), [0_usize; 0]);
    }

    #[test]
    fn bounds_of_several_sums_are_weighed_together() {
        // W = a + (known), W + V = (known), V and a at their least: a growing makes W grow and V shrink.
        assert_eq!(pressed(vec![sum(0, &[1]), nothing(&[0, 2])], &[false, true, true]), [1, 2]);
        // With V above its least there is room.
        assert_eq!(pressed(vec![sum(0, &[1]), nothing(&[0, 2])], &[false, true, false]), [0_usize; 0]);
    }

    #[test]
    fn what_can_change_places_is_not_pressed() {
        // Two pairs of which each makes up a known sum, crosswise: one grows where another shrinks, and none is above
        // its least; a fifth that is gives two of them room.
        let rows = vec![nothing(&[0, 1, 4]), nothing(&[2, 3])];
        assert_eq!(pressed(rows, &[true, true, true, true, false]), [2, 3]);
    }

    #[test]
    fn rows_that_say_the_same_are_no_contradiction() {
        let rows = vec![nothing(&[0, 1]), nothing(&[0, 1]), nothing(&[2, 3])];
        assert_eq!(pressed(rows, &[true, true, true, false]), [0, 1]);
    }
}
