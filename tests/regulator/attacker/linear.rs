//! Equations between unknown numbers: which unknowns have one value only. First by elimination, exactly (modulo two large
//! primes); then by linear programming over what the elimination leaves, because every unknown has a smallest value.
//! Knows nothing of indicators.

use std::collections::{BTreeMap, BTreeSet};

use super::simplex;

/// Unknowns are numbered from 0; an equation says Σ coefficient × unknown = total.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// The smallest value of every unknown.
    pub lowest: Vec<i128>,
    pub equations: Vec<Equation>,
}

#[derive(Clone, Debug)]
pub struct Equation {
    pub terms: BTreeMap<usize, i128>,
    pub total: i128,
}

/// Two Mersenne-sized primes: a number that is found modulo both is the number.
const PRIMES: [u64; 2] = [2_305_843_009_213_693_951, 2_305_843_009_213_693_921];

/// The unknowns that have one value only, with that value.
pub fn determined(system: &System) -> BTreeMap<usize, i128> {
    let mut found = BTreeMap::new();
    let mut left = system.clone();
    loop {
        let mut more = eliminated(&left);
        if more.is_empty() {
            more = bounded(&left);
        }
        if more.is_empty() {
            return found;
        }
        left.put_in(&more);
        found.extend(more);
    }
}

impl System {
    pub fn unknown(&mut self, lowest: i128) -> usize {
        self.lowest.push(lowest);
        self.lowest.len() - 1
    }

    fn put_in(&mut self, values: &BTreeMap<usize, i128>) {
        for equation in &mut self.equations {
            equation.total -= equation
                .terms
                .iter()
                .filter_map(|(unknown, coefficient)| Some(coefficient * values.get(unknown)?))
                .sum::<i128>();
            equation.terms.retain(|unknown, _| !values.contains_key(unknown));
        }
        self.equations.retain(|equation| !equation.terms.is_empty());
    }
}

/// What follows from the equations alone.
fn eliminated(system: &System) -> BTreeMap<usize, i128> {
    let [one, other] = PRIMES.map(|prime| Field(prime).eliminate(&system.equations));
    one.into_iter().filter(|(unknown, value)| other.get(unknown) == Some(value)).collect()
}

/// Whole numbers modulo a prime below 2^61.
#[derive(Clone, Copy)]
struct Field(u64);

type Reduced = (BTreeMap<usize, u64>, u64);

impl Field {
    fn of(self, number: i128) -> u64 {
        u64::try_from(number.rem_euclid(i128::from(self.0))).unwrap()
    }

    fn times(self, one: u64, other: u64) -> u64 {
        u64::try_from(u128::from(one) * u128::from(other) % u128::from(self.0)).unwrap()
    }

    fn minus(self, one: u64, other: u64) -> u64 {
        if one >= other { one - other } else { one + self.0 - other }
    }

    fn inverse(self, number: u64) -> u64 {
        let (mut base, mut exponent, mut power) = (number, self.0 - 2, 1);
        while exponent > 0 {
            if exponent % 2 == 1 {
                power = self.times(power, base);
            }
            base = self.times(base, base);
            exponent /= 2;
        }
        power
    }

    /// The small whole number that a residue stands for.
    fn number(self, residue: u64) -> i128 {
        let residue_or_below = i128::from(residue);
        if residue > self.0 / 2 { residue_or_below - i128::from(self.0) } else { residue_or_below }
    }

    fn subtract(self, from: &mut Reduced, factor: u64, row: &Reduced) {
        for (&unknown, &coefficient) in &row.0 {
            let entry = from.0.entry(unknown).or_default();
            *entry = self.minus(*entry, self.times(factor, coefficient));
            if *entry == 0 {
                from.0.remove(&unknown);
            }
        }
        from.1 = self.minus(from.1, self.times(factor, row.1));
    }

    /// Gauss and Jordan: every row ends with one unknown that stands in no other; a row that holds only that one gives
    /// its value. An equation that contradicts those before it (an assumption that was wrong) is passed over.
    fn eliminate(self, equations: &[Equation]) -> BTreeMap<usize, i128> {
        let mut rows: BTreeMap<usize, Reduced> = BTreeMap::new();
        let mut holders: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut order: Vec<&Equation> = equations.iter().collect();
        order.sort_by_key(|equation| equation.terms.len());
        for equation in order {
            let mut row: Reduced = (BTreeMap::new(), self.of(equation.total));
            row.0.extend(equation.terms.iter().map(|(&unknown, &coefficient)| (unknown, self.of(coefficient))));
            for unknown in equation.terms.keys() {
                if let (Some(known), Some(&factor)) = (rows.get(unknown), row.0.get(unknown)) {
                    self.subtract(&mut row, factor, known);
                }
            }
            let Some((&pivot, &coefficient)) = row.0.iter().next() else { continue };
            let inverse = self.inverse(coefficient);
            row.0.values_mut().for_each(|coefficient| *coefficient = self.times(*coefficient, inverse));
            row.1 = self.times(row.1, inverse);
            for holder in holders.remove(&pivot).unwrap_or_default() {
                let Some(held) = rows.get_mut(&holder) else { continue };
                let Some(&factor) = held.0.get(&pivot) else { continue };
                self.subtract(held, factor, &row);
                for unknown in row.0.keys() {
                    holders.entry(*unknown).or_default().insert(holder);
                }
            }
            for unknown in row.0.keys().filter(|unknown| **unknown != pivot) {
                holders.entry(*unknown).or_default().insert(pivot);
            }
            rows.insert(pivot, row);
        }
        let alone = rows.into_iter().filter(|(_, row)| row.0.len() == 1);
        alone.map(|(unknown, row)| (unknown, self.number(row.1))).collect()
    }
}

/// What follows when no unknown is below its smallest value, for unknowns that hang together at a time.
fn bounded(system: &System) -> BTreeMap<usize, i128> {
    let mut found = BTreeMap::new();
    for equations in together(&system.equations) {
        let unknowns: Vec<usize> = equations
            .iter()
            .flat_map(|equation| equation.terms.keys().copied())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let place = |unknown: &usize| unknowns.binary_search(unknown).unwrap();
        let rows = equations.iter().map(|equation| {
            let above = equation.terms.iter().map(|(unknown, coefficient)| coefficient * system.lowest[*unknown]);
            let total = equation.total - above.sum::<i128>();
            let mut row = vec![0.0; unknowns.len() + 1];
            for (unknown, coefficient) in &equation.terms {
                row[place(unknown)] = *coefficient as f64;
            }
            row[unknowns.len()] = total as f64;
            row
        });
        for (place, value) in simplex::fixed(rows.collect()) {
            let unknown = unknowns[place];
            found.insert(unknown, system.lowest[unknown] + value.round() as i128);
        }
    }
    found
}

/// Equations in groups that share no unknown.
fn together(equations: &[Equation]) -> Vec<Vec<&Equation>> {
    let mut groups: Vec<(BTreeSet<usize>, Vec<&Equation>)> = Vec::new();
    for equation in equations {
        let mut unknowns: BTreeSet<usize> = equation.terms.keys().copied().collect();
        let mut members = vec![equation];
        let (touched, apart): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(others, _)| !others.is_disjoint(&unknowns));
        for (others, their) in touched {
            unknowns.extend(others);
            members.extend(their);
        }
        groups = apart;
        groups.push((unknowns, members));
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(lowest: &[i128], equations: &[(&[(usize, i128)], i128)]) -> System {
        let equations =
            equations.iter().map(|(terms, total)| Equation { terms: terms.iter().copied().collect(), total: *total });
        System { lowest: lowest.to_vec(), equations: equations.collect() }
    }

    #[test]
    fn equations_alone() {
        let three = system(&[1; 3], &[(&[(0, 1), (1, 1)], 30), (&[(1, 1), (2, 1)], 50), (&[(0, 1), (2, 1)], 40)]);
        assert_eq!(determined(&three), BTreeMap::from([(0, 10), (1, 20), (2, 30)]));
        let square =
            [(&[(0, 1), (1, 1)][..], 30), (&[(2, 1), (3, 1)], 30), (&[(0, 1), (2, 1)], 30), (&[(1, 1), (3, 1)], 30)];
        assert!(determined(&system(&[1; 4], &square)).is_empty(), "a square leaves a way around");
        let crossed = [&square[..], &[(&[(0, 1), (3, 1)], 40)]].concat();
        assert_eq!(determined(&system(&[1; 4], &crossed)), BTreeMap::from([(0, 20), (1, 10), (2, 10), (3, 20)]));
    }

    #[test]
    fn smallest_values() {
        assert_eq!(determined(&system(&[1; 2], &[(&[(0, 1), (1, 1)], 2)])), BTreeMap::from([(0, 1), (1, 1)]));
        assert!(determined(&system(&[1; 2], &[(&[(0, 1), (1, 1)], 3)])).is_empty());
        assert!(determined(&system(&[1; 2], &[(&[(0, 1), (1, -1)], 3)])).is_empty(), "both may be larger");
        // The sum of the first two equations leaves no room above the smallest values, neither alone does.
        let two = [(&[(0, 1), (1, 1), (2, -1)][..], 2), (&[(2, 1), (3, 1)], 2)];
        assert_eq!(determined(&system(&[1; 4], &two)).len(), 2, "the second fixes its own two");
        let joint = [(&[(0, 1), (1, 1), (2, -1)][..], 1), (&[(1, -1), (3, 1), (2, 1)], 1), (&[(1, 1), (4, 1)], 7)];
        assert_eq!(determined(&system(&[1; 5], &joint)), BTreeMap::from([(0, 1), (3, 1)]));
    }

    #[test]
    fn contradictions_are_passed_over() {
        let wrong = [(&[(0, 1)][..], 5), (&[(0, 1)], 6), (&[(1, 1), (2, 1)], 0)];
        assert_eq!(determined(&system(&[1; 3], &wrong)), BTreeMap::from([(0, 5)]));
    }
}
