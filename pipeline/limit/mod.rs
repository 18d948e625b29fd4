//! Grant limits (`rules.md` §5, Limit): the caps of a grade, what the household already owes, the smallest cap that
//! binds, and the hold against small moves. All amounts are whole cents, products are exact and rounded once.
//! What a person decided is applied in `decisions`, and the lists are drawn in `credit_list`.

pub mod credit_list;
pub mod decisions;

use arrow::array::Int64Array;
use rayon::prelude::*;

use crate::facts::{Facts, whole_at};
use crate::fault::{Error, Result};
use crate::grade::{ModelGrade, Rank, Ranks};
use crate::in_order;
use crate::previous::PreviousHousehold;
use crate::rulebook::{GradeLimits, LimitRules, Rulebook};

/// The caps of a limit, in the order in which ties are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    Grade,
    Product,
    Income,
    NetAssets,
    Service,
}

impl Cap {
    pub const ALL: [Cap; 5] = [Cap::Grade, Cap::Product, Cap::Income, Cap::NetAssets, Cap::Service];

    pub fn name(self) -> &'static str {
        match self {
            Cap::Grade => "cap_grade",
            Cap::Product => "cap_product",
            Cap::Income => "cap_income",
            Cap::NetAssets => "cap_net_assets",
            Cap::Service => "cap_service",
        }
    }
}

/// What bound a suggested limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    Veto,
    NotRateable,
    /// The cap cannot be computed, and the rulebook does not let it be left out.
    Unknown(Cap),
    Deductions,
    Cap(Cap),
}

impl Binding {
    pub fn name(self) -> String {
        match self {
            Binding::Veto => "veto".into(),
            Binding::NotRateable => "not_rateable".into(),
            Binding::Unknown(cap) => format!("{}_unknown", cap.name()),
            Binding::Deductions => "deductions".into(),
            Binding::Cap(cap) => cap.name().into(),
        }
    }
}

/// The facts behind a limit, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub net_income: Option<i64>,
    pub net_assets: Option<i64>,
    pub debt_service_12m: i64,
    pub own_unsecured_outstanding: i64,
    pub outside_outstanding: Option<i64>,
    pub outside_guarantees: Option<i64>,
}

impl Amounts {
    pub fn of(facts: &Facts, household: usize) -> Result<Amounts> {
        Ok(AmountFacts::of(facts)?.at(household))
    }
}

/// The columns of the facts behind limits.
struct AmountFacts<'a> {
    net_income: &'a Int64Array,
    net_assets: &'a Int64Array,
    debt_service_12m: &'a Int64Array,
    own_unsecured_outstanding: &'a Int64Array,
    outside_outstanding: &'a Int64Array,
    outside_guarantees: &'a Int64Array,
}

impl<'a> AmountFacts<'a> {
    fn of(facts: &'a Facts) -> Result<AmountFacts<'a>> {
        Ok(AmountFacts {
            net_income: facts.whole("net_income")?,
            net_assets: facts.whole("net_assets")?,
            debt_service_12m: facts.whole("debt_service_12m")?,
            own_unsecured_outstanding: facts.whole("own_unsecured_outstanding")?,
            outside_outstanding: facts.whole("outside_outstanding")?,
            outside_guarantees: facts.whole("outside_guarantees")?,
        })
    }

    fn at(&self, household: usize) -> Amounts {
        Amounts {
            net_income: whole_at(self.net_income, household),
            net_assets: whole_at(self.net_assets, household),
            debt_service_12m: whole_at(self.debt_service_12m, household).unwrap_or(0),
            own_unsecured_outstanding: whole_at(self.own_unsecured_outstanding, household).unwrap_or(0),
            outside_outstanding: whole_at(self.outside_outstanding, household),
            outside_guarantees: whole_at(self.outside_guarantees, household),
        }
    }
}

/// The caps of one limit, in the order of `Cap::ALL`, in cents; eight bytes each, for there are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps([i64; 5]);

/// What stands for a cap that is not known. A cap is never negative.
const UNKNOWN: i64 = i64::MIN;

impl Caps {
    fn of(amounts: [Option<i64>; 5]) -> Caps {
        Caps(amounts.map(|amount| amount.unwrap_or(UNKNOWN)))
    }

    /// None for a cap whose facts are null, and for all of a household that is not rated.
    pub fn amounts(self) -> [Option<i64>; 5] {
        self.0.map(|amount| Some(amount).filter(|&amount| amount != UNKNOWN))
    }
}

/// A suggested limit and every step to it, in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub caps: Caps,
    pub gross: i64,
    /// Weighted, rounded up.
    pub outside_weighted: i64,
    pub guarantees_weighted: i64,
    pub deductions: i64,
    /// Gross less deductions, rounded down to the step, 0 below the minimum.
    pub before_hold: i64,
    pub suggested: i64,
    pub is_held: bool,
    pub binding: Binding,
}

/// Suggests a limit for every household of the run; in the order of the register.
pub fn suggest_all(
    facts: &Facts,
    grades: &[ModelGrade],
    previous: &[Option<&PreviousHousehold>],
    rulebook: &Rulebook,
) -> Result<Vec<Limit>> {
    let (ranks, amounts) = (Ranks::of(&rulebook.scale), AmountFacts::of(facts)?);
    in_order::all(grades.par_iter().enumerate().map(|(household, grade)| {
        let amounts = amounts.at(household);
        let earlier = previous.get(household).copied().flatten();
        suggest(&amounts, grade, earlier, &rulebook.limits, &ranks)
    }))
}

/// The limit of one household with its model grade and what the previous run suggested.
pub fn suggest(
    amounts: &Amounts,
    grade: &ModelGrade,
    previous: Option<&PreviousHousehold>,
    rules: &LimitRules,
    ranks: &Ranks,
) -> Result<Limit> {
    let Some(of_grade) = grade_limits(rules, ranks, grade.rank)? else {
        let binding = if grade.rank == ranks.veto() { Binding::Veto } else { Binding::NotRateable };
        return Ok(without_grade(amounts, rules, binding));
    };
    let mut limit = of_rated(amounts, of_grade, rules);
    let is_same_grade = previous.is_some_and(|earlier| earlier.model_grade == ranks.name(grade.rank));
    if let Some(earlier) = previous.filter(|_| is_same_grade) {
        hold(&mut limit, earlier.suggested_limit, rules);
    }
    Ok(limit)
}

/// What the rulebook allows a grade; None for the veto grade and for not rateable.
pub fn grade_limits<'a>(rules: &'a LimitRules, ranks: &Ranks, rank: Rank) -> Result<Option<&'a GradeLimits>> {
    if ranks.in_scale(rank).is_none() {
        return Ok(None);
    }
    let name = ranks.name(rank);
    let found = rules.grades.iter().find(|limits| limits.grade == name);
    found.map(Some).ok_or_else(|| Error::internal(format!("grade `{name}` has no limits")))
}

/// Basis points over the reference rate: the grade's spread less the discount for the stars of the household's area.
pub fn rate_spread_bp(of_grade: &GradeLimits, stars: i64, rules: &LimitRules) -> i64 {
    of_grade.spread_bp - rules.star_discount_bp * stars
}

/// An amount in 64 bits. One that is wider is far above what a table can hold, as is the widest number itself.
fn in_cents(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

/// Households without a grade get nothing; the amounts behind the deductions are shown all the same.
fn without_grade(amounts: &Amounts, rules: &LimitRules, binding: Binding) -> Limit {
    let (outside_weighted, guarantees_weighted) = weighted(amounts, rules);
    Limit {
        caps: Caps::of([None; 5]),
        gross: 0,
        outside_weighted: in_cents(outside_weighted),
        guarantees_weighted: in_cents(guarantees_weighted),
        deductions: 0,
        before_hold: 0,
        suggested: 0,
        is_held: false,
        binding,
    }
}

/// The limit for a grade of the scale, before any hold.
pub fn of_rated(amounts: &Amounts, of_grade: &GradeLimits, rules: &LimitRules) -> Limit {
    let caps = Cap::ALL.map(|cap| cap_amount(cap, amounts, of_grade, rules));
    let is_optional = |cap: Cap| rules.optional_caps.iter().any(|name| name == cap.name());
    let unknown = Cap::ALL.into_iter().zip(caps).find(|&(cap, amount)| amount.is_none() && !is_optional(cap));
    let smallest = Cap::ALL
        .into_iter()
        .zip(caps)
        .filter_map(|(cap, amount)| Some((amount?, cap)))
        .reduce(|best, next| if next.0 < best.0 { next } else { best });
    let (gross, by_cap) = match (unknown, smallest) {
        (Some((cap, _)), _) => (0, Binding::Unknown(cap)),
        (None, Some((amount, cap))) => (amount, Binding::Cap(cap)),
        (None, None) => (0, Binding::Unknown(Cap::Grade)),
    };
    let (outside_weighted, guarantees_weighted) = weighted(amounts, rules);
    let deductions = i128::from(amounts.own_unsecured_outstanding) + outside_weighted + guarantees_weighted;
    let before_hold = to_step(gross - deductions, rules);
    let is_deducted = matches!(by_cap, Binding::Cap(_)) && to_step(gross, rules) > before_hold;
    Limit {
        caps: Caps::of(caps.map(|amount| amount.map(in_cents))),
        gross: in_cents(gross),
        outside_weighted: in_cents(outside_weighted),
        guarantees_weighted: in_cents(guarantees_weighted),
        deductions: in_cents(deductions),
        before_hold: in_cents(before_hold),
        suggested: in_cents(before_hold),
        is_held: false,
        binding: if is_deducted { Binding::Deductions } else { by_cap },
    }
}

/// One cap in cents, rounded down once at its end; None when a fact that it needs is null.
fn cap_amount(cap: Cap, amounts: &Amounts, of_grade: &GradeLimits, rules: &LimitRules) -> Option<i128> {
    let net_income = amounts.net_income.map(|income| i128::from(income.max(0)));
    match cap {
        Cap::Grade => Some(i128::from(of_grade.cap_cents)),
        Cap::Product => Some(i128::from(rules.product_cap_cents)),
        Cap::Income => Some(of_grade.income_multiple.times_down(net_income?)),
        Cap::NetAssets => Some(of_grade.net_asset_ratio.times_down(i128::from(amounts.net_assets?.max(0)))),
        Cap::Service => {
            let share = rules.service_share;
            let debt_service = i128::from(amounts.debt_service_12m) * share.denominator();
            // What is left of a year's income for instalments, in cents over the share's denominator.
            let left = (share.mantissa() * net_income? - debt_service).max(0);
            let factor = i128::from(of_grade.annuity_factor_millionths);
            Some((left * factor).div_euclid(12 * share.denominator() * 1_000_000))
        }
    }
}

fn weighted(amounts: &Amounts, rules: &LimitRules) -> (i128, i128) {
    let outside = i128::from(amounts.outside_outstanding.unwrap_or(0));
    let guarantees = i128::from(amounts.outside_guarantees.unwrap_or(0));
    (rules.outside_weight.times_up(outside), rules.guarantee_weight.times_up(guarantees))
}

/// Rounded down to the step; 0 below the minimum.
fn to_step(amount: i128, rules: &LimitRules) -> i128 {
    let step = i128::from(rules.step_cents.max(1));
    let stepped = amount.div_euclid(step) * step;
    if stepped < i128::from(rules.minimum_cents.max(0)) { 0 } else { stepped }
}

/// A move smaller than the hold leaves the limit where it was, as long as it is still covered.
fn hold(limit: &mut Limit, previous: i64, rules: &LimitRules) {
    let [before_hold, was, gross, deductions] =
        [limit.before_hold, previous, limit.gross, limit.deductions].map(i128::from);
    let is_small = (before_hold - was).abs() < i128::from(rules.hold_cents);
    if was > 0 && is_small && was <= gross - deductions {
        limit.is_held = previous != limit.before_hold;
        limit.suggested = previous;
    }
}
