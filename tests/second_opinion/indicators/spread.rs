//! Measures of single observations: nearest-rank quantiles, Gini, Theil and its part between groups, and the two
//! distances of Sarma (2012). Each is written as its definition reads; which observations is left to `catalogue`.

use super::super::exact::Ratio;

/// The `ceil(rank × n)`-th smallest; nothing of nothing.
pub fn nearest_rank(observations: &[f64], rank: Ratio) -> Option<f64> {
    let mut sorted = observations.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as i128;
    let place = (rank.numerator * count + rank.denominator - 1) / rank.denominator;
    sorted.get(usize::try_from(place - 1).ok()?).copied()
}

/// Σ (2i − n − 1) x_i / (n Σ x) over the sorted observations; nothing when the sum is 0.
pub fn gini(observations: &[i128]) -> Option<f64> {
    let mut sorted = observations.to_vec();
    sorted.sort();
    let count = sorted.len() as i128;
    let weighted: i128 = (1..).zip(&sorted).map(|(place, amount)| (2 * place - count - 1) * amount).sum();
    Ratio::share(weighted, count * sorted.iter().sum::<i128>()).map(Ratio::as_float)
}

/// The mean of `x/μ · ln(x/μ)` with 0·ln 0 = 0; nothing when the sum is 0.
pub fn theil(observations: &[i128]) -> Option<f64> {
    let single = observations.iter().map(|amount| vec![*amount]);
    theil_between(&single.collect::<Vec<_>>())
}

/// The sum over groups of `s · ln(s / p)`, s the group's share of the amounts and p its share of the observations, with
/// 0·ln 0 = 0; nothing when the sum is 0.
pub fn theil_between(groups: &[Vec<i128>]) -> Option<f64> {
    let total: i128 = groups.iter().flatten().sum();
    let count: usize = groups.iter().map(Vec::len).sum();
    let terms = groups.iter().map(|group| {
        let amount: i128 = group.iter().sum();
        let share = amount as f64 / total as f64;
        if amount == 0 { 0.0 } else { share * (share * count as f64 / group.len() as f64).ln() }
    });
    (total > 0).then(|| terms.sum())
}

/// One dimension of the index: its value between its goalposts, and its weight.
pub struct Dimension {
    pub value: f64,
    pub worst: f64,
    pub best: f64,
    pub weight: f64,
}

impl Dimension {
    /// "a value beyond its goalpost counts as the goalpost", times the weight
    fn reached(&self) -> f64 {
        (self.value.clamp(self.worst, self.best) - self.worst) / (self.best - self.worst) * self.weight
    }
}

/// The distance from the worst point and the inverse distance from the best one, both over the distance between them.
pub fn sarma_distances(dimensions: &[Dimension]) -> (f64, f64) {
    let length = |of: &dyn Fn(&Dimension) -> f64| dimensions.iter().map(|one| of(one).powi(2)).sum::<f64>().sqrt();
    let whole = length(&|one| one.weight);
    let from_worst = length(&|one| one.reached()) / whole;
    let from_best = length(&|one| one.weight - one.reached()) / whole;
    (from_worst, 1.0 - from_best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(value: Option<f64>, expected: f64) {
        assert!(value.is_some_and(|value| (value - expected).abs() < 1e-12), "{value:?} is not {expected}");
    }

    #[test]
    fn published_vectors() {
        let four = [40, 10, 30, 20];
        let ten = [&four[..], &[0; 6]].concat();
        is_near(gini(&four), 0.25);
        is_near(gini(&ten), 0.70);
        is_near(theil(&four), 0.106440135286);
        is_near(theil(&ten), 1.022730867160);
        is_near(theil_between(&[vec![0, 0, 10, 20], vec![0, 0, 0, 0, 30, 40]]), 0.021600854144);
        is_near(theil_between(&[vec![0, 0], vec![30, 70]]), 2_f64.ln());
        for measure in [gini, theil] {
            assert_eq!([measure(&[]), measure(&[0, 0])], [None, None]);
        }
        let dimension = |value, weight| Dimension { value, worst: 0.0, best: 1.0, weight };
        let (from_worst, from_best) = sarma_distances(&[dimension(0.6, 1.0), dimension(0.4, 0.5), dimension(0.2, 0.5)]);
        is_near(Some((from_worst + from_best) / 2.0), 0.5);
        is_near(Some(from_best), 0.477187095288);
    }

    #[test]
    fn the_nearest_rank_is_an_observation() {
        let rank = |observations: &[f64], text| nearest_rank(observations, Ratio::decimal(text));
        assert_eq!(rank(&[], "0.5"), None);
        assert_eq!(rank(&[7.0], "0.9"), Some(7.0));
        assert_eq!(rank(&[2.0, 1.0], "0.5"), Some(1.0));
        assert_eq!(rank(&[3.0, 1.0, 2.0], "0.5"), Some(2.0));
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(rank(&ten, "0.9"), Some(9.0));
        assert_eq!(rank(&[&ten[..], &[11.0]].concat(), "0.9"), Some(10.0));
    }
}
