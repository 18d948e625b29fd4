//! Chance that is the same for ever: SplitMix64, written out here, because the generators of libraries may change
//! their sequence from one version to the next and the same seed must give the same bank on any machine.
//! Every subject of every household has a stream of its own, so that a new draw in one table moves no other table,
//! and a household is the same however the bank is cut into chunks.

/// What a stream is for. The numbers are part of the banks that were generated: add, never renumber.
#[derive(Clone, Copy)]
pub enum Subject {
    Layout = 1,
    Staff = 2,
    Points = 3,
    Household = 4,
    Profiles = 5,
    Visits = 6,
    Patrols = 7,
    Accounts = 8,
    Loans = 9,
    OutsideLoans = 10,
    OutsideDebts = 11,
    Conduct = 12,
    PeerReviews = 13,
    Watchlist = 14,
    Decisions = 15,
    Person = 16,
}

pub struct Random(u64);

impl Random {
    pub fn of(seed: u64, subject: Subject, number: i64) -> Self {
        Random(mix(mix(mix(seed) ^ subject as u64) ^ number as u64))
    }

    /// A number in 0..bound; 0 when the bound is not positive.
    pub fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        // The upper half of a 128-bit product is below the bound, without a division and nearly without bias.
        let bound = u64::try_from(bound).unwrap_or(0);
        ((u128::from(mix(self.0)) * u128::from(bound)) >> 64) as i64
    }

    /// A number in low..=high.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// A number in low..=high, more often near the middle.
    pub fn around(&mut self, low: i64, high: i64) -> i64 {
        (self.between(low, high) + self.between(low, high) + self.between(low, high)).div_euclid(3)
    }

    pub fn chance(&mut self, per_mille: i64) -> bool {
        self.below(1_000) < per_mille
    }

    pub fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let position = self.below(from.len() as i64) as usize;
        from.get(position).copied().unwrap_or_default()
    }

    /// One of the choices, each as often as its weight says.
    pub fn weighted<T: Copy + Default>(&mut self, choices: &[(i64, T)]) -> T {
        let mut rest = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for &(weight, choice) in choices {
            if rest < weight {
                return choice;
            }
            rest -= weight;
        }
        T::default()
    }
}

/// The output function of SplitMix64: one to one, so different numbers stay different.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_never_changes() {
        // The published first output of SplitMix64 from 0.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
        let mut random = Random::of(7, Subject::Visits, 1);
        let drawn: Vec<i64> = (0..5).map(|_| random.below(1_000)).collect();
        assert_eq!(drawn, [393, 506, 293, 795, 156]);
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut random = Random::of(1, Subject::Layout, 0);
        for _ in 0..10_000 {
            assert!((3..=5).contains(&random.between(3, 5)));
            assert!((-9..=9).contains(&random.around(-9, 9)));
            assert_eq!(random.weighted(&[(0, "never"), (1, "always")]), "always");
        }
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick::<&str>(&[]), "");
    }
}
