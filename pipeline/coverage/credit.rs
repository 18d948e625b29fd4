//! Credit villages and communities by stars, and the townships and counties above them (`rules.md` §9). Parts are
//! added up from grids; thresholds are compared exactly, before any share becomes a float.

use std::ops::AddAssign;

use crate::decimal::Decimal;
use crate::rulebook::CreditVillageRules;

/// What a rating is made of; additive. Money is in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditParts {
    pub households: i64,
    pub credit_households: i64,
    pub borrowers: i64,
    pub prompt_borrowers: i64,
    pub outstanding: i128,
    pub bad_outstanding: i128,
}

impl AddAssign for CreditParts {
    fn add_assign(&mut self, other: CreditParts) {
        self.households += other.households;
        self.credit_households += other.credit_households;
        self.borrowers += other.borrowers;
        self.prompt_borrowers += other.prompt_borrowers;
        self.outstanding += other.outstanding;
        self.bad_outstanding += other.bad_outstanding;
    }
}

impl CreditParts {
    /// The most stars whose three thresholds all hold; 0 with too few households to tell.
    pub fn stars(&self, rules: &CreditVillageRules) -> i64 {
        if self.households < i64::from(rules.households_min) {
            return 0;
        }
        let (credit, households) = (i128::from(self.credit_households), i128::from(self.households));
        let (prompt, borrowers) = (i128::from(self.prompt_borrowers), i128::from(self.borrowers));
        let earned = (1..).zip(&rules.stars).filter(|(_, threshold)| {
            is_at_least(credit, households, threshold.credit_share_min)
                && is_at_least(prompt, borrowers, threshold.prompt_share_min)
                && is_at_most(self.bad_outstanding, self.outstanding, threshold.bad_share_max)
        });
        earned.map(|(stars, _)| stars).max().unwrap_or(0)
    }
}

/// Whether enough of the areas below are credit areas. Where there is none below, nothing has been shown.
pub fn is_credit_area_above(starred: i64, below: i64, share_min: Decimal) -> bool {
    below > 0 && is_at_least(i128::from(starred), i128::from(below), share_min)
}

/// `part / whole ≥ share`; a share of nothing holds.
fn is_at_least(part: i128, whole: i128, share: Decimal) -> bool {
    part * share.denominator() >= share.mantissa() * whole
}

/// `part / whole ≤ share`; a share of nothing holds.
fn is_at_most(part: i128, whole: i128, share: Decimal) -> bool {
    part * share.denominator() <= share.mantissa() * whole
}
