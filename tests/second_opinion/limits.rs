//! The grant limit of a household: the five caps, the deductions, rounding, hold and the
//! constraint that bound. Also the same limit for another grade, which a decision may ask for.
//! Leaves what a person decided to `decisions`.

use super::exact::{Ratio, divide_down, divide_half_up, ten_to, times_down, times_up};
use super::facts::Facts;
use super::grading::Grading;
use super::policy::{Grade, Policy};

const CAP_NAMES: [&str; 5] = ["cap_grade", "cap_product", "cap_income", "cap_net_assets", "cap_service"];

/// The model's limit of a household; money in hundredths.
#[derive(Debug)]
pub struct Limit {
    /// In the order of `CAP_NAMES`; all null for a vetoed or not rateable household.
    pub caps: [Option<i128>; 5],
    pub gross: i128,
    pub own_unsecured_outstanding: i128,
    pub outside_outstanding: i128,
    pub guarantees_weighted: i128,
    pub deductions: i128,
    pub suggested: i128,
    pub is_held: bool,
    pub binding: String,
}

/// The limit of one grade before hold.
struct LimitOfGrade {
    caps: [Option<i128>; 5],
    gross: i128,
    deductions: i128,
    limit: i128,
    binding: String,
}

/// The amounts behind the deductions; a null counts 0.
struct Deductions {
    own_unsecured_outstanding: i128,
    outside_outstanding: i128,
    outside_weighted: i128,
    guarantees_weighted: i128,
}

impl Deductions {
    /// "each weighted amount rounded **up** to the smallest unit"
    fn of(policy: &Policy, facts: &Facts) -> Deductions {
        let amount = |fact| facts.integer(fact).unwrap_or(0);
        let outside = amount("outside_outstanding");
        let guarantees = amount("outside_guarantees");
        Deductions {
            own_unsecured_outstanding: amount("own_unsecured_outstanding"),
            outside_outstanding: outside,
            outside_weighted: times_up(policy.outside_weight, outside),
            guarantees_weighted: times_up(policy.guarantee_weight, guarantees),
        }
    }

    fn total(&self) -> i128 {
        self.own_unsecured_outstanding + self.outside_weighted + self.guarantees_weighted
    }
}

/// The model's own limit. `previous` is the previous run's model grade and suggested limit.
pub fn suggest(policy: &Policy, facts: &Facts, grading: &Grading, previous: Option<(&str, i128)>) -> Limit {
    let amounts = Deductions::of(policy, facts);
    let shown = |binding: &str| Limit {
        caps: [None; 5],
        gross: 0,
        own_unsecured_outstanding: amounts.own_unsecured_outstanding,
        outside_outstanding: amounts.outside_outstanding,
        guarantees_weighted: amounts.guarantees_weighted,
        deductions: 0,
        suggested: 0,
        is_held: false,
        binding: binding.to_string(),
    };
    if !grading.vetoes.is_empty() {
        return shown("veto");
    }
    let Some(grade) = policy.grade(grading.model_grade) else {
        return shown("not_rateable");
    };
    let plain = limit_of_grade(policy, facts, grade);
    let available = plain.gross - plain.deductions;
    let suggested = match previous {
        Some((previous_grade, p)) if previous_grade == grade.name => hold(policy, plain.limit, p, available),
        _ => plain.limit,
    };
    Limit {
        caps: plain.caps,
        gross: plain.gross,
        deductions: plain.deductions,
        suggested,
        is_held: suggested != plain.limit,
        ..shown(&plain.binding)
    }
}

/// The limit recomputed for a final grade, without hold; 0 for the veto grade and NR.
pub fn recompute(policy: &Policy, facts: &Facts, final_grade: &str) -> i128 {
    policy.grade(final_grade).map_or(0, |grade| limit_of_grade(policy, facts, grade).limit)
}

/// Hold: when the previous run suggested p > 0 for the same model grade, |new − p| < *hold*, and
/// p ≤ gross − deductions, it stays p.
fn hold(policy: &Policy, new: i128, p: i128, available: i128) -> i128 {
    if p > 0 && (new - p).abs() < policy.hold && p <= available { p } else { new }
}

fn limit_of_grade(policy: &Policy, facts: &Facts, grade: &Grade) -> LimitOfGrade {
    let caps = caps(policy, facts, grade);
    let deductions = Deductions::of(policy, facts).total();
    let named = || CAP_NAMES.into_iter().zip(caps);
    let unknown = named().find(|(name, cap)| cap.is_none() && !policy.optional_caps.contains(name));
    if let Some((name, _)) = unknown {
        return LimitOfGrade { caps, gross: 0, deductions, limit: 0, binding: format!("{name}_unknown") };
    }
    let mut smallest = ("cap_grade", grade.cap);
    for (name, cap) in named() {
        if let Some(cap) = cap.filter(|cap| *cap < smallest.1) {
            smallest = (name, cap);
        }
    }
    let (name, gross) = smallest;
    let limit = round_to_step(policy, gross - deductions);
    // "`deductions` when gross rounded in the same way is larger than the new limit before hold"
    let binding = if round_to_step(policy, gross) > limit { "deductions" } else { name };
    LimitOfGrade { caps, gross, deductions, limit, binding: binding.to_string() }
}

/// Rounded down to *step*; below *minimum* it is 0.
fn round_to_step(policy: &Policy, amount: i128) -> i128 {
    let rounded = divide_down(amount, policy.step) * policy.step;
    if rounded < policy.minimum { 0 } else { rounded }
}

/// "Each cap is rounded down to the smallest unit once, at its end, products taken exactly." A
/// null fact makes the caps that need it null.
fn caps(policy: &Policy, facts: &Facts, grade: &Grade) -> [Option<i128>; 5] {
    let income = facts.integer("net_income").map(|income| income.max(0));
    let net_assets = facts.integer("net_assets").map(|assets| assets.max(0));
    let debt_service = facts.integer("debt_service_12m");
    [
        Some(grade.cap),
        Some(policy.product_cap),
        income.map(|income| times_down(grade.income_multiple, income)),
        net_assets.map(|assets| times_down(grade.net_asset_ratio, assets)),
        income.zip(debt_service).map(|(income, debt_service)| cap_service(policy, grade, income, debt_service)),
    ]
}

/// max(0, *service_share* × max(net_income, 0) − debt_service_12m) / 12 × *annuity factor of g*.
fn cap_service(policy: &Policy, grade: &Grade, income: i128, debt_service: i128) -> i128 {
    let share = policy.service_share;
    // A year's room, counted in hundredths / share.denominator.
    let room = (share.numerator * income - debt_service * share.denominator).max(0);
    let factor = annuity_factor_millionths(annual_rate(policy, grade), policy.term_months);
    divide_down(room * factor, 12 * share.denominator * ten_to(FACTOR_DECIMALS))
}

const FACTOR_DECIMALS: usize = 6;
/// Decimals of the fixed-point numbers behind the factor; 36 products lose the last two at most.
const WORKING_DECIMALS: usize = 28;

/// `annual_rate[g]` = *reference rate* + *spread[g]*.
fn annual_rate(policy: &Policy, grade: &Grade) -> Ratio {
    let reference = policy.reference_rate;
    Ratio::new(reference.numerator * 10_000 + grade.spread_bp * reference.denominator, reference.denominator * 10_000)
}

/// `(1 − (1 + i)^−n) / i` with `i = annual rate / 12`, rounded half up to six decimals, counted in
/// millionths. At a rate of 0 it is n, the factor's limit.
fn annuity_factor_millionths(annual_rate: Ratio, term_months: i128) -> i128 {
    // i = monthly.numerator / monthly.denominator
    let shared = greatest_common_divisor(annual_rate.numerator, 12 * annual_rate.denominator);
    let numerator = annual_rate.numerator / shared;
    let denominator = 12 * annual_rate.denominator / shared;
    if numerator == 0 {
        return term_months * ten_to(FACTOR_DECIMALS);
    }
    let one = ten_to(WORKING_DECIMALS);
    let mut discount = one;
    for _ in 0..term_months {
        discount = discount * denominator / (denominator + numerator);
    }
    let factor = (one - discount) * denominator / numerator;
    divide_half_up(factor, ten_to(WORKING_DECIMALS - FACTOR_DECIMALS))
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Spread of the final grade − *star_discount_bp* × the stars of the household's area in the
/// previous run; null for the veto grade and NR.
pub fn rate_spread_bp(policy: &Policy, final_grade: &str, stars: i128) -> Option<i128> {
    policy.grade(final_grade).map(|grade| grade.spread_bp - policy.star_discount_bp * stars)
}

/// *cap[g]*; 0 for the veto grade and NR.
pub fn cap_of_grade(policy: &Policy, grade: &str) -> i128 {
    policy.grade(grade).map_or(0, |grade| grade.cap)
}

#[cfg(test)]
mod tests {
    use super::super::facts::Value;
    use super::*;

    #[test]
    fn the_annuity_factor_is_rounded_half_up_to_six_decimals() {
        let factor = |rate| annuity_factor_millionths(Ratio::decimal(rate), 36);
        // (1 − (1 + 0.05 / 12)^−36) / (0.05 / 12) = 33.365701 2837…
        assert_eq!(factor("0.0500"), 33_365_701);
        assert_eq!(factor("0.0525"), 33_241_067);
        assert_eq!(factor("0.0550"), 33_117_077);
        assert_eq!(factor("0.0575"), 32_993_728);
        assert_eq!(factor("0.0600"), 32_871_016);
        assert_eq!(factor("0"), 36_000_000);
        // One month at 12 %: 1 / 1.01 = 0.990099 0099…
        assert_eq!(annuity_factor_millionths(Ratio::decimal("0.12"), 1), 990_099);
    }

    #[test]
    fn rates_are_the_reference_plus_the_spread() {
        let policy = Policy::default();
        let rates = ["AAA", "AA", "A", "B", "C"].map(|name| {
            let rate = annual_rate(&policy, policy.grade(name).expect("in the scale"));
            rate.as_float()
        });
        assert_eq!(rates, [0.05, 0.0525, 0.055, 0.0575, 0.06]);
    }

    /// Net income 60,000, net assets 200,000, debt service 12,000; all in hundredths.
    fn facts(changed: &[(&'static str, Option<i128>)]) -> Facts {
        let values = [
            ("net_income", Some(6_000_000)),
            ("net_assets", Some(20_000_000)),
            ("debt_service_12m", Some(1_200_000)),
            ("own_unsecured_outstanding", Some(0)),
            ("outside_outstanding", None),
            ("outside_guarantees", None),
        ];
        let rows = values.map(|(name, value)| {
            let other = changed.iter().find(|(fact, _)| *fact == name);
            (name, other.map_or(value, |other| other.1).map(Value::Money))
        });
        Facts(rows.to_vec())
    }

    fn grading<'p>(policy: &'p Policy, model_grade: &'static str) -> Grading<'p> {
        Grading {
            scorecard: policy.scorecard_of("farm_household"),
            lines: Vec::new(),
            score_tenths: None,
            vetoes: Vec::new(),
            model_grade,
            is_kept: false,
            reasons: Vec::new(),
        }
    }

    fn limit(grade: &'static str, changed: &[(&'static str, Option<i128>)], previous: Option<(&str, i128)>) -> Limit {
        let policy = Policy::default();
        suggest(&policy, &facts(changed), &grading(&policy, grade), previous)
    }

    #[test]
    fn a_household_by_hand() {
        let found = limit("AA", &[], None);
        // 1.5 × 60,000; 0.4 × 200,000; (0.5 × 60,000 − 12,000) / 12 × 33.241067 = 49,861.6005.
        let caps = [15_000_000, 20_000_000, 9_000_000, 8_000_000, 4_986_160];
        assert_eq!(found.caps, caps.map(Some));
        assert_eq!(found.gross, 4_986_160);
        assert_eq!(found.suggested, 4_900_000);
        assert_eq!(found.binding, "cap_service");
        assert_eq!(found.deductions, 0);
    }

    #[test]
    fn deductions_are_rounded_up_and_bind_when_they_cost_a_step() {
        let owed = [
            ("own_unsecured_outstanding", Some(100_000)),
            ("outside_outstanding", Some(50_001)),
            ("outside_guarantees", Some(10_001)),
        ];
        let found = limit("AA", &owed, None);
        assert_eq!(found.outside_outstanding, 50_001);
        assert_eq!(found.guarantees_weighted, 5_001);
        assert_eq!(found.deductions, 155_002);
        assert_eq!(found.suggested, 4_800_000);
        assert_eq!(found.binding, "deductions");
        // Up to 861.60, the rest above the step, the limit does not move and nothing is bound.
        let found = limit("AA", &[("own_unsecured_outstanding", Some(86_160))], None);
        assert_eq!(found.suggested, 4_900_000);
        assert_eq!(found.binding, "cap_service");
        let found = limit("AA", &[("own_unsecured_outstanding", Some(86_161))], None);
        assert_eq!(found.binding, "deductions");
    }

    #[test]
    fn below_the_minimum_the_limit_is_0() {
        // 0.1 × 50,000 = 5,000 and 0.1 × 49,999.99 = 4,999.99 (rounded down).
        let at = limit("C", &[("net_assets", Some(5_000_000))], None);
        assert_eq!((at.suggested, at.gross), (500_000, 500_000));
        let below = limit("C", &[("net_assets", Some(4_999_999))], None);
        assert_eq!((below.suggested, below.gross), (0, 499_999));
        assert_eq!(below.binding, "cap_net_assets");
        let overdrawn = limit("C", &[("own_unsecured_outstanding", Some(9_000_000))], None);
        assert_eq!(overdrawn.suggested, 0);
        assert_eq!(overdrawn.binding, "deductions");
    }

    #[test]
    fn an_unknown_cap_is_never_the_best_answer() {
        let found = limit("AA", &[("net_assets", None), ("net_income", None)], None);
        assert_eq!(found.binding, "cap_income_unknown");
        assert_eq!((found.gross, found.suggested), (0, 0));
        assert_eq!(found.caps, [Some(15_000_000), Some(20_000_000), None, None, None]);
        let policy = Policy { optional_caps: ["cap_net_assets"].into(), ..Policy::default() };
        let facts = facts(&[("net_assets", None)]);
        let found = suggest(&policy, &facts, &grading(&policy, "AA"), None);
        assert_eq!(found.suggested, 4_900_000);
    }

    #[test]
    fn a_loss_makes_the_income_caps_0() {
        let found = limit("AA", &[("net_income", Some(-1))], None);
        assert_eq!(found.caps[2], Some(0));
        assert_eq!(found.caps[4], Some(0));
        assert_eq!(found.binding, "cap_income");
    }

    #[test]
    fn a_small_rise_is_held_back_and_a_fall_is_not() {
        let after = |grade, p| limit("AA", &[], Some((grade, p)));
        // New 49,000: 3,000 more is not a small move.
        assert_eq!(after("AA", 4_600_000).suggested, 4_900_000);
        let held = after("AA", 4_700_000);
        assert_eq!((held.suggested, held.is_held), (4_700_000, true));
        assert_eq!(held.binding, "cap_service");
        assert!(!after("AA", 4_900_000).is_held);
        // 50,000 is more than the 49,861.60 that are there.
        assert_eq!(after("AA", 5_000_000).suggested, 4_900_000);
        // Off the step and within what is there.
        assert_eq!(after("AA", 4_950_000).suggested, 4_950_000);
        assert_eq!(after("A", 4_700_000).suggested, 4_900_000);
        assert_eq!(after("AA", 0).suggested, 4_900_000);
    }

    #[test]
    fn unrated_households_show_the_amounts_behind_the_deductions() {
        let owed = [("outside_guarantees", Some(10_001))];
        let found = limit("NR", &owed, Some(("NR", 500_000)));
        assert_eq!(found.caps, [None; 5]);
        assert_eq!((found.guarantees_weighted, found.deductions), (5_001, 0));
        assert_eq!(found.binding, "not_rateable");
        assert_eq!(found.suggested, 0);
    }

    #[test]
    fn stars_lower_the_spread() {
        let policy = Policy::default();
        assert_eq!(rate_spread_bp(&policy, "AAA", 3), Some(170));
        assert_eq!(rate_spread_bp(&policy, "C", 0), Some(300));
        assert_eq!(rate_spread_bp(&policy, "D", 3), None);
        assert_eq!(rate_spread_bp(&policy, "NR", 3), None);
    }
}
