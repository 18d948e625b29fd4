//! Statistics that are no quotient of two sums: quantiles, Gini, Theil and the composite index. Each takes all values of
//! a node at once, sorted, so that the outcome is the same however the bank was cut for the computation.
//! Logarithms and roots come from a portable library, so that it is the same on every machine too.

/// Place, from 0, of the nearest-rank quantile among `count` sorted values: the ⌈rank × count⌉-th, rank as `part / whole`.
pub fn nearest_rank(count: usize, part: i128, whole: i128) -> Option<usize> {
    let rank = (part * count as i128 + whole - 1).div_euclid(whole);
    usize::try_from(rank.max(1) - 1).ok().filter(|&place| place < count)
}

/// Gini of values sorted from the smallest: Σ (2i − n − 1) x_i / (n Σ x). None where nothing is to be shared.
pub fn gini(sorted: &[i64]) -> Option<f64> {
    let count = sorted.len() as i128;
    let total: i128 = sorted.iter().map(|&value| i128::from(value)).sum();
    let weighted: i128 = (1..).zip(sorted).map(|(place, &value)| (2 * place - count - 1) * i128::from(value)).sum();
    (total > 0).then(|| weighted as f64 / (count * total) as f64)
}

/// Theil's T of values sorted from the smallest, with 0 · ln 0 = 0. None where nothing is to be shared.
pub fn theil(sorted: &[i64]) -> Option<f64> {
    let total: i128 = sorted.iter().map(|&value| i128::from(value)).sum();
    if total <= 0 {
        return None;
    }
    let (count, total) = (sorted.len() as f64, total as f64);
    let positive = sorted.iter().filter(|&&value| value > 0);
    let terms = positive.map(|&value| {
        let share = value as f64 / total;
        share * libm::log(share * count)
    });
    Some(sum(terms))
}

/// The part of Theil's T that lies between groups, of each group its number of values and their sum.
pub fn theil_between(groups: &[(usize, i128)]) -> Option<f64> {
    let count: usize = groups.iter().map(|(count, _)| count).sum();
    let total: i128 = groups.iter().map(|(_, sum)| sum).sum();
    if total <= 0 {
        return None;
    }
    let terms = groups.iter().filter(|(_, sum)| *sum > 0).map(|&(members, sum)| {
        let share = sum as f64 / total as f64;
        share * libm::log(share * count as f64 / members as f64)
    });
    Some(sum(terms))
}

/// A sum of floats in the order given, with the lost digits carried along (Neumaier).
fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    sum + lost
}

/// One dimension of an index: its value as a share of the way from the worst goalpost to the best, and its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attained {
    pub share: f64,
    pub weight: f64,
}

impl Attained {
    /// A value beyond a goalpost counts as the goalpost.
    pub fn of(value: f64, worst: f64, best: f64, weight: f64) -> Attained {
        Attained { share: ((value - worst) / (best - worst)).clamp(0.0, 1.0), weight }
    }
}

/// The index of Sarma (2012): the mean of how far the point is from the worst, and how near it is to the best.
pub fn inclusion_index(dimensions: &[Attained]) -> f64 {
    (from_worst(dimensions) + near_best(dimensions)) / 2.0
}

fn from_worst(dimensions: &[Attained]) -> f64 {
    libm::sqrt(sum(dimensions.iter().map(|at| at.weight * at.share * at.weight * at.share))) / longest(dimensions)
}

/// The form of 2010: one minus the distance from the best.
fn near_best(dimensions: &[Attained]) -> f64 {
    let missing = dimensions.iter().map(|at| at.weight * (1.0 - at.share));
    1.0 - libm::sqrt(sum(missing.map(|missing| missing * missing))) / longest(dimensions)
}

fn longest(dimensions: &[Attained]) -> f64 {
    libm::sqrt(sum(dimensions.iter().map(|at| at.weight * at.weight)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) {
        assert!(value.is_some_and(|value| (value - expected).abs() < 5e-13), "{value:?} and {expected}");
    }

    #[test]
    fn gini_and_theil_of_the_published_vectors() {
        let four = [10, 20, 30, 40];
        let ten = [0, 0, 0, 0, 0, 0, 10, 20, 30, 40];
        near(gini(&four), 0.25);
        near(gini(&ten), 0.70);
        near(theil(&four), 0.106_440_135_286);
        near(theil(&ten), 1.022_730_867_160);
    }

    #[test]
    fn theil_falls_apart_into_within_and_between() {
        let groups = [vec![0, 0, 10, 20], vec![0, 0, 0, 0, 30, 40]];
        let sums: Vec<(usize, i128)> =
            groups.iter().map(|group| (group.len(), group.iter().map(|&value| i128::from(value)).sum())).collect();
        near(theil_between(&sums), 0.021_600_854_144);
        let total: i128 = sums.iter().map(|(_, sum)| sum).sum();
        let within =
            groups.iter().zip(&sums).map(|(group, (_, sum))| *sum as f64 / total as f64 * theil(group).unwrap());
        near(Some(within.sum()), 1.001_130_013_017);
    }

    #[test]
    fn nothing_to_share_is_no_inequality() {
        assert_eq!((gini(&[]), gini(&[0, 0]), theil(&[0]), theil_between(&[(2, 0)])), (None, None, None, None));
        assert_eq!((gini(&[5]), theil(&[5])), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn sarma_of_the_published_vector() {
        let at = |share, weight| Attained { share, weight };
        let dimensions = [at(0.6, 1.0), at(0.4, 0.5), at(0.2, 0.5)];
        near(Some(inclusion_index(&dimensions)), 0.5);
        near(Some(near_best(&dimensions)), 0.477_187_095_288);
    }

    #[test]
    fn a_value_beyond_its_goalpost_counts_as_the_goalpost() {
        assert_eq!(Attained::of(0.9, 0.0, 0.6, 0.5).share, 1.0);
        assert_eq!(Attained::of(-0.1, 0.0, 1.0, 1.0).share, 0.0);
        let turned = Attained::of(25.0, 100.0, 0.0, 1.0);
        assert_eq!(turned.share, 0.75);
    }

    #[test]
    fn the_nearest_rank_is_a_value_that_occurs() {
        let place = |count, part, whole| nearest_rank(count, part, whole);
        assert_eq!((place(1, 1, 2), place(2, 1, 2), place(3, 1, 2)), (Some(0), Some(0), Some(1)));
        assert_eq!((place(10, 9, 10), place(11, 9, 10), place(0, 9, 10)), (Some(8), Some(9), None));
        assert_eq!(place(7, 1, 1), Some(6));
    }
}
