//! The limits: what a household of each grade may get at most, what is deducted, how a suggestion is rounded and held,
//! and what a loan costs. The annuity factor of each grade is worked out here, once.
//! Leaves the caps of a household to the limit stage, and to `agreement` that the grades are those of the scale.

use super::table::Table;
use super::words::CAPS_OF_FACTS;
use crate::decimal::{Decimal, format_scaled};

/// Longest loan that makes sense; beyond it a term is a slip of the pen, and the factor would take long to work out.
const TERM_MONTHS_MAX: u32 = 600;

/// Digits after the point of an annual rate while it is added up; the most that a decimal keeps.
const RATE_SCALE: u32 = 9;

/// One in this scale is 1.0 while powers of the discount are taken: 24 digits, of which the result needs 6.
const ONE: i128 = 10_i128.pow(24);

/// `rules.md` §5, limit. Money is in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRules {
    /// Best first, the grades of the scale; the veto grade has none.
    pub grades: Vec<GradeLimits>,
    pub product_cap_cents: i64,
    /// Share of net income that debt service may take, 0 to 1.
    pub service_share: Decimal,
    /// Annual rate, 0 to 1, that every spread is added to.
    pub reference_rate: Decimal,
    pub term_months: u32,
    pub outside_weight: Decimal,
    pub guarantee_weight: Decimal,
    /// More than 0.
    pub step_cents: i64,
    pub minimum_cents: i64,
    pub hold_cents: i64,
    /// Caps that may be null without making the limit 0.
    pub optional_caps: Vec<String>,
    /// Basis points off the spread for each star of the household's area.
    pub star_discount_bp: i64,
}

/// What one grade may get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradeLimits {
    pub grade: String,
    pub cap_cents: i64,
    pub income_multiple: Decimal,
    pub net_asset_ratio: Decimal,
    /// Basis points over the reference rate.
    pub spread_bp: i64,
    /// Reference rate plus spread, 0 to 1.
    pub annual_rate: Decimal,
    /// `(1 − (1 + i)^−n) / i` for n = term_months and i = annual_rate / 12, in millionths, rounded half up.
    pub annuity_factor_millionths: i64,
}

pub(super) fn read(version: &Table<'_>) -> Option<LimitRules> {
    let reference_rate = version.share("reference_rate");
    let term_months = read_term(version);
    let grades = read_grades(version, reference_rate, term_months);
    let product_cap_cents = version.cents("product_cap");
    let service_share = version.share("service_share");
    let outside_weight = version.amount("outside_weight");
    let guarantee_weight = version.amount("guarantee_weight");
    let step_cents = version.cents("step");
    if step_cents == Some(0) {
        version.fault("step", "`step` is 0", "`step` must be more than 0: limits are rounded down to a multiple of it");
    }
    let minimum_cents = version.cents("minimum");
    let hold_cents = version.cents("hold");
    let optional_caps = version.words("optional_caps", CAPS_OF_FACTS);
    let star_discount_bp = version.count("star_discount_bp");
    Some(LimitRules {
        grades: grades?,
        product_cap_cents: product_cap_cents?,
        service_share: service_share?,
        reference_rate: reference_rate?,
        term_months: term_months?,
        outside_weight: outside_weight?,
        guarantee_weight: guarantee_weight?,
        step_cents: step_cents?,
        minimum_cents: minimum_cents?,
        hold_cents: hold_cents?,
        optional_caps: optional_caps?,
        star_discount_bp: star_discount_bp?.into(),
    })
}

fn read_term(version: &Table<'_>) -> Option<u32> {
    let term_months = version.positive_count("term_months")?;
    if term_months > TERM_MONTHS_MAX {
        let hint = format!("write the term in months, {TERM_MONTHS_MAX} at most");
        version.fault("term_months", &format!("`term_months` is {term_months}"), &hint);
        return None;
    }
    Some(term_months)
}

fn read_grades(
    version: &Table<'_>,
    reference_rate: Option<Decimal>,
    term_months: Option<u32>,
) -> Option<Vec<GradeLimits>> {
    let mut grades: Vec<GradeLimits> = Vec::new();
    let mut is_whole = true;
    for row in version.tables("grades")? {
        let Some(grade) = read_grade(&row, reference_rate, term_months) else {
            is_whole = false;
            continue;
        };
        if grades.iter().any(|other| other.grade == grade.grade) {
            row.fault("grade", &format!("the grade `{}` stands twice", grade.grade), "write one row per grade");
        }
        if let Some(better) = grades.last() {
            check_order(&row, better, &grade);
        }
        grades.push(grade);
    }
    is_whole.then_some(grades)
}

/// A grade, worked out as far as the reference rate and the term could be read.
fn read_grade(row: &Table<'_>, reference_rate: Option<Decimal>, term_months: Option<u32>) -> Option<GradeLimits> {
    let grade = row.label("grade");
    let cap_cents = row.cents("cap");
    let income_multiple = row.amount("income_multiple");
    let net_asset_ratio = row.amount("net_asset_ratio");
    let spread_bp = row.count("spread_bp").map(i64::from);
    row.close();
    let annual_rate = reference_rate.zip(spread_bp).and_then(|(reference, spread)| {
        let rate = annual_rate(reference, spread);
        if rate.is_none() {
            let hint = "the reference rate and the spread together must be a rate from 0 to 1 (0.05 for 5 %)";
            row.fault("spread_bp", &format!("a spread of {spread} basis points makes the rate more than 1"), hint);
        }
        rate
    });
    Some(GradeLimits {
        grade: grade?,
        cap_cents: cap_cents?,
        income_multiple: income_multiple?,
        net_asset_ratio: net_asset_ratio?,
        spread_bp: spread_bp?,
        annual_rate: annual_rate?,
        annuity_factor_millionths: annuity_factor_millionths(annual_rate?, term_months?),
    })
}

/// A worse grade never gets more.
fn check_order(row: &Table<'_>, better: &GradeLimits, grade: &GradeLimits) {
    for (key, is_more) in [
        ("cap", grade.cap_cents > better.cap_cents),
        ("income_multiple", grade.income_multiple > better.income_multiple),
        ("net_asset_ratio", grade.net_asset_ratio > better.net_asset_ratio),
    ] {
        if is_more {
            let sentence =
                format!("`{key}` of `{}` is more than that of the better grade `{}`", grade.grade, better.grade);
            row.fault(key, &sentence, "write the grades best first, and never more for a worse one");
        }
    }
}

/// The reference rate plus a spread in basis points; None above 1.
fn annual_rate(reference_rate: Decimal, spread_bp: i64) -> Option<Decimal> {
    let spread_units = spread_bp.checked_mul(10_i64.pow(RATE_SCALE - 4))?;
    let units = reference_rate.in_units(RATE_SCALE)?.checked_add(spread_units)?;
    let rate = Decimal::parse(&format_scaled(units.into(), RATE_SCALE))?;
    (rate <= Decimal::from_integer(1)).then_some(rate)
}

/// The present value, in millionths, of 1 a month for n months at a rate of 0 to 1 a year: the sum of v^k for
/// k = 1 … n with v = 1 / (1 + i), which is `(1 − (1 + i)^−n) / i`, and n where i is 0.
/// In integers, so that it is the same on every machine; each of at most 600 powers is short by less than 600 units
/// of the 24th digit, which the sixth does not see.
fn annuity_factor_millionths(annual_rate: Decimal, months: u32) -> i64 {
    let year = 12 * annual_rate.denominator();
    let mut power = ONE;
    let mut sum = 0_i128;
    for _ in 0..months {
        power = power * year / (year + annual_rate.mantissa());
        sum += power;
    }
    let millionth = ONE / 1_000_000;
    i64::try_from((sum + millionth / 2) / millionth).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annuity_factor_is_rounded_half_up_to_six_decimals() {
        for (rate, months, factor) in [
            // 1 / 1.01 = 0.990099009…, and 0.990099 + 0.980296 = 1.970395
            ("0.12", 1, 990_099),
            ("0.12", 2, 1_970_395),
            // (1 − (1 + 0.05 / 12)^−36) × 12 / 0.05 = 33.36570128…
            ("0.05", 36, 33_365_701),
            ("0.0525", 36, 33_241_067),
            ("0.06", 36, 32_871_016),
            ("0.05", 600, 220_197_012),
            ("1", 600, 12_000_000),
            ("0", 36, 36_000_000),
            ("0.000000001", 1, 1_000_000),
        ] {
            let rate = Decimal::parse(rate).unwrap();
            assert_eq!(annuity_factor_millionths(rate, months), factor, "{rate} over {months} months");
        }
    }

    #[test]
    fn a_rate_is_the_reference_plus_the_spread() {
        let rate =
            |reference, spread| annual_rate(Decimal::parse(reference).unwrap(), spread).map(|rate| rate.to_string());
        assert_eq!(rate("0.03", 225).as_deref(), Some("0.0525"));
        assert_eq!(rate("0", 0).as_deref(), Some("0"));
        assert_eq!(rate("0.97", 300).as_deref(), Some("1"));
        assert_eq!(rate("0.97", 301), None);
    }
}
