//! When a village or community is a credit village, with how many stars, and when a township or county is a credit area.
//! Leaves to `agreement` that the grades of a credit household are grades of the scale.

use super::table::Table;
use crate::decimal::Decimal;

/// `rules.md` §9. Shares are 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditVillageRules {
    /// Grades that make a household a credit household.
    pub credit_grades: Vec<String>,
    /// Greatest delay, in days, of a prompt borrower.
    pub prompt_days: u32,
    /// Households below which a village has no stars.
    pub households_min: u32,
    /// The thresholds of one star, two stars and three stars, in this order.
    pub stars: Vec<StarThresholds>,
    /// Share of a township's villages and communities that must have a star.
    pub township_share: Decimal,
    /// Share of a county's townships that must be credit townships.
    pub county_share: Decimal,
}

/// What a number of stars asks for; all three must hold, and a null share holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarThresholds {
    pub credit_share_min: Decimal,
    pub prompt_share_min: Decimal,
    pub bad_share_max: Decimal,
}

pub(super) fn read(version: &Table<'_>) -> Option<CreditVillageRules> {
    let credit_grades = version.labels("credit_grades");
    let prompt_days = version.count("prompt_days");
    let households_min = version.count("households_min");
    let stars: Vec<_> = ["one_star", "two_stars", "three_stars"].map(|key| read_thresholds(version, key)).into();
    let township_share = version.share("township_share");
    let county_share = version.share("county_share");
    Some(CreditVillageRules {
        credit_grades: credit_grades?,
        prompt_days: prompt_days?,
        households_min: households_min?,
        stars: stars.into_iter().collect::<Option<_>>()?,
        township_share: township_share?,
        county_share: county_share?,
    })
}

fn read_thresholds(version: &Table<'_>, key: &str) -> Option<StarThresholds> {
    let row = version.table(key)?;
    let credit_share_min = row.share("credit_share_min");
    let prompt_share_min = row.share("prompt_share_min");
    let bad_share_max = row.share("bad_share_max");
    row.close();
    Some(StarThresholds {
        credit_share_min: credit_share_min?,
        prompt_share_min: prompt_share_min?,
        bad_share_max: bad_share_max?,
    })
}
