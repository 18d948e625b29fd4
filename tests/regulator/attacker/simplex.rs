//! Linear programming, as small as it can be: which of some numbers ≥ 0 have one value only in all solutions of a few
//! hundred equations. Every corner that is passed shows numbers that have another value too, so few are asked singly.

/// Coefficients are whole and small, so rounding stays far below this.
const TOLERANCE: f64 = 1e-7;
/// So many steps without progress, and the first possible column is taken, which cannot go round in circles.
const STANDSTILL_MAX: usize = 20;

/// Each row holds the coefficients of an equation and last its total. The columns with one value only, with that value;
/// none where there is no solution.
pub fn fixed(rows: Vec<Vec<f64>>) -> Vec<(usize, f64)> {
    let Some(mut tableau) = Tableau::feasible(rows) else { return Vec::new() };
    let mut seen = Seen::of(&tableau);
    for column in 0..tableau.columns {
        for sign in [1.0, -1.0] {
            if !seen.is_free[column] {
                tableau.lead(column, sign, &mut seen);
            }
        }
    }
    (0..tableau.columns).filter(|&column| !seen.is_free[column]).map(|column| (column, seen.first[column])).collect()
}

struct Tableau {
    columns: usize,
    /// Coefficients, then the total; the column of `basis` is 1 in its row and 0 in all others.
    rows: Vec<Vec<f64>>,
    basis: Vec<usize>,
}

/// The first value of each column, and whether another was met.
struct Seen {
    first: Vec<f64>,
    is_free: Vec<bool>,
}

impl Seen {
    fn of(tableau: &Tableau) -> Seen {
        Seen { first: tableau.corner(), is_free: vec![false; tableau.columns] }
    }

    fn look(&mut self, tableau: &Tableau) {
        for (column, value) in tableau.corner().into_iter().enumerate() {
            self.is_free[column] |= (value - self.first[column]).abs() > 0.5e-3;
        }
    }
}

impl Tableau {
    /// A corner of the solutions: one helping column for each row is driven out.
    fn feasible(mut rows: Vec<Vec<f64>>) -> Option<Tableau> {
        let columns = rows.first()?.len() - 1;
        for row in rows.iter_mut().filter(|row| row[columns] < 0.0) {
            row.iter_mut().for_each(|cell| *cell = -*cell);
        }
        let mut costs = vec![0.0; columns + 1];
        for row in &rows {
            costs.iter_mut().zip(row).for_each(|(cost, cell)| *cost -= cell);
        }
        let basis = (columns..columns + rows.len()).collect();
        let mut tableau = Tableau { columns, rows, basis };
        tableau.improve(&mut costs, None);
        if -costs[columns] > TOLERANCE {
            return None;
        }
        for row in 0..tableau.rows.len() {
            if tableau.basis[row] >= columns
                && let Some(column) = (0..columns).find(|&column| tableau.rows[row][column].abs() > TOLERANCE)
            {
                tableau.pivot(row, column, &mut costs);
            }
        }
        // What is left of helping columns stands in rows that say nothing.
        let keep: Vec<bool> = tableau.basis.iter().map(|&column| column < columns).collect();
        let mut kept = keep.iter();
        tableau.rows.retain(|_| *kept.next().unwrap());
        tableau.basis.retain(|&column| column < columns);
        Some(tableau)
    }

    fn corner(&self) -> Vec<f64> {
        let mut values = vec![0.0; self.columns];
        for (row, &column) in self.rows.iter().zip(&self.basis) {
            if column < self.columns {
                values[column] = row[self.columns];
            }
        }
        values
    }

    /// Makes one column as large (sign 1) or as small (sign −1) as it can be.
    fn lead(&mut self, column: usize, sign: f64, seen: &mut Seen) {
        let mut costs = vec![0.0; self.columns + 1];
        costs[column] = -sign;
        if let Some(row) = self.basis.iter().position(|&other| other == column) {
            let factor = costs[column];
            let cells = self.rows[row].clone();
            costs.iter_mut().zip(&cells).for_each(|(cost, cell)| *cost -= factor * cell);
        }
        self.improve(&mut costs, Some((column, seen)));
    }

    /// Goes from corner to corner while that lowers the cost; stops early once the wanted column is known to be free.
    fn improve(&mut self, costs: &mut [f64], mut wanted: Option<(usize, &mut Seen)>) {
        let mut standstill = 0;
        loop {
            let below = (0..self.columns).filter(|&column| costs[column] < -TOLERANCE);
            let entering = if standstill > STANDSTILL_MAX {
                below.min()
            } else {
                below.min_by(|&one, &other| costs[one].total_cmp(&costs[other]))
            };
            let Some(entering) = entering else { return };
            let Some(row) = self.leaving(entering) else {
                if let Some((_, seen)) = &mut wanted {
                    self.unbounded(entering, seen);
                }
                return;
            };
            let is_still = self.rows[row][self.columns] < TOLERANCE;
            standstill = if is_still { standstill + 1 } else { 0 };
            self.pivot(row, entering, costs);
            if let Some((column, seen)) = &mut wanted {
                seen.look(self);
                if seen.is_free[*column] {
                    return;
                }
            }
        }
    }

    /// The row that gives way first; of equal ones that of the lowest column.
    fn leaving(&self, entering: usize) -> Option<usize> {
        let room = |row: usize| self.rows[row][self.columns] / self.rows[row][entering];
        let possible = (0..self.rows.len()).filter(|&row| self.rows[row][entering] > TOLERANCE);
        possible.min_by(|&one, &other| room(one).total_cmp(&room(other)).then(self.basis[one].cmp(&self.basis[other])))
    }

    /// A column without a bound takes with it all that it moves.
    fn unbounded(&self, entering: usize, seen: &mut Seen) {
        seen.is_free[entering] = true;
        for (row, &column) in self.rows.iter().zip(&self.basis) {
            seen.is_free[column] |= row[entering].abs() > TOLERANCE;
        }
    }

    fn pivot(&mut self, row: usize, column: usize, costs: &mut [f64]) {
        let factor = self.rows[row][column];
        self.rows[row].iter_mut().for_each(|cell| *cell /= factor);
        let leading = self.rows[row].clone();
        let others = self.rows.iter_mut().enumerate().filter(|(other, _)| *other != row);
        for cells in others.map(|(_, cells)| cells.as_mut_slice()).chain([costs]) {
            let factor = cells[column];
            if factor != 0.0 {
                cells.iter_mut().zip(&leading).for_each(|(cell, lead)| *cell -= factor * lead);
                cells[column] = 0.0;
            }
        }
        self.basis[row] = column;
    }
}
