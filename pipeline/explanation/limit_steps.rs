//! The limit step by step: every cap with its formula and the household's numbers in it, the deductions, rounding,
//! hold, and what the decision in force makes of it. Amounts are those of the limit stage; a formula here only shows
//! where they come from.

use serde::Serialize;

use crate::decimal::{Decimal, format_scaled};
use crate::fault::Result;
use crate::limit::decisions::{Action, InForce};
use crate::limit::{self, Amounts, Binding, Cap, Limit, grade_limits, of_rated};
use crate::rulebook::{GradeLimits, LimitRules};

use super::Subject;
use super::figures::Amount;
use super::words::{CAPS, Language};

/// From the grade to the final limit.
#[derive(Clone, Debug, Serialize)]
pub struct LimitSteps {
    /// For the model grade, before any hold.
    pub model: Computed,
    pub previous_limit: Option<Amount>,
    /// A smaller move than this leaves the limit where it was.
    pub hold: Amount,
    pub limit_held: bool,
    pub hold_text: String,
    pub suggested_limit: Amount,
    /// The constraint that set the suggested limit: a code as in `grant_limits`, and in words.
    pub binding: String,
    pub binding_text: String,
    /// For the final grade, where an adjust gives a grade and no limit.
    pub recomputed: Option<Computed>,
    pub final_grade: String,
    pub final_limit: Amount,
    pub final_text: String,
    pub rate_spread_bp: Option<i64>,
    pub rate_text: String,
    pub term_months: Option<u32>,
}

/// The limit for one grade.
#[derive(Clone, Debug, Serialize)]
pub struct Computed {
    pub grade: String,
    /// All None for a household that is not rated.
    pub caps: Vec<CapLine>,
    pub gross: Amount,
    pub deduction_lines: Vec<DeductionLine>,
    pub deductions: Amount,
    /// gross − deductions.
    pub difference: Amount,
    pub step: Amount,
    pub minimum: Amount,
    /// The difference rounded down to the step, 0 below the minimum.
    pub rounded: Amount,
}

#[derive(Clone, Debug, Serialize)]
pub struct CapLine {
    pub cap: String,
    /// What it is, in words.
    pub meaning: String,
    /// With the household's numbers; None where there is no cap.
    pub formula: Option<String>,
    pub amount: Option<Amount>,
    /// Why there is no amount.
    pub unknown: Option<String>,
    pub is_smallest: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct DeductionLine {
    pub deduction: String,
    pub formula: String,
    pub amount: Amount,
}

impl LimitSteps {
    pub fn of(subject: &Subject) -> Result<LimitSteps> {
        let (grade, limit, outcome) = (subject.grade()?, subject.limit()?, subject.outcome()?);
        let rules = &subject.rulebook.limits;
        let amounts = Amounts::of(&subject.night.facts, subject.number)?;
        let of_model = grade_limits(rules, &subject.ranks, grade.rank)?;
        let of_final = grade_limits(rules, &subject.ranks, outcome.rank)?;
        let desk = Desk { language: subject.language, rules, amounts: &amounts };
        let recomputed = match (outcome.decision.as_deref().copied(), of_final) {
            (Some(InForce { action: Action::Adjust, limit: None, .. }), Some(of_final)) => {
                let limit = of_rated(&amounts, of_final, rules);
                Some(desk.computed(&of_final.grade, Some(of_final), &limit))
            }
            _ => None,
        };
        let final_grade = subject.ranks.name(outcome.rank);
        let (rate_spread_bp, rate_text) = rate(subject, of_final);
        Ok(LimitSteps {
            model: desk.computed(subject.ranks.name(grade.rank), of_model, limit),
            previous_limit: subject.earlier().map(|earlier| Amount(i128::from(earlier.suggested_limit))),
            hold: Amount(i128::from(rules.hold_cents)),
            limit_held: limit.is_held,
            hold_text: hold_in_words(subject, limit)?,
            suggested_limit: Amount(i128::from(limit.suggested)),
            binding: limit.binding.name(),
            binding_text: binding_in_words(limit.binding, subject.language),
            recomputed,
            final_grade: final_grade.into(),
            final_limit: Amount(i128::from(outcome.limit)),
            final_text: final_in_words(subject, outcome.decision.as_deref().copied(), of_final, final_grade)?,
            rate_spread_bp,
            rate_text,
            term_months: of_final.map(|_| rules.term_months),
        })
    }
}

/// What a formula is filled in with.
struct Desk<'a> {
    language: Language,
    rules: &'a LimitRules,
    amounts: &'a Amounts,
}

impl Desk<'_> {
    fn computed(&self, grade: &str, of_grade: Option<&GradeLimits>, limit: &Limit) -> Computed {
        let is_by_cap = !matches!(limit.binding, Binding::Unknown(_) | Binding::Veto | Binding::NotRateable);
        let smallest = limit.caps.amounts().iter().position(|amount| is_by_cap && *amount == Some(limit.gross));
        let caps = Cap::ALL.into_iter().zip(limit.caps.amounts()).enumerate().map(|(place, (cap, amount))| CapLine {
            cap: cap.name().into(),
            meaning: self.language.word(CAPS, cap.name()),
            formula: of_grade.and_then(|of_grade| self.formula(cap, of_grade)),
            amount: amount.map(|amount| Amount(i128::from(amount))),
            unknown: amount.is_none().then(|| self.unknown(cap, of_grade)),
            is_smallest: smallest == Some(place),
        });
        Computed {
            grade: grade.into(),
            caps: caps.collect(),
            gross: Amount(i128::from(limit.gross)),
            deduction_lines: self.deductions(limit),
            deductions: Amount(i128::from(limit.deductions)),
            difference: Amount(i128::from(limit.gross) - i128::from(limit.deductions)),
            step: Amount(i128::from(self.rules.step_cents)),
            minimum: Amount(i128::from(self.rules.minimum_cents)),
            rounded: Amount(i128::from(limit.before_hold)),
        }
    }

    /// A cap as a formula with the numbers filled in; None when a number is not known.
    fn formula(&self, cap: Cap, of_grade: &GradeLimits) -> Option<String> {
        let money = |cents: i64| Amount(i128::from(cents)).to_string();
        // A loss counts as no income, and more debts than assets as no assets.
        let not_negative = |cents: i64| {
            if cents < 0 { format!("max({}, 0)", money(cents)) } else { money(cents) }
        };
        Some(match cap {
            Cap::Grade => format!("cap[{}]", of_grade.grade),
            Cap::Product => "product_cap".into(),
            Cap::Income => format!("{} × {}", of_grade.income_multiple, not_negative(self.amounts.net_income?)),
            Cap::NetAssets => format!("{} × {}", of_grade.net_asset_ratio, not_negative(self.amounts.net_assets?)),
            Cap::Service => format!(
                "max(0, {} × {} − {}) / 12 × {}",
                self.rules.service_share,
                not_negative(self.amounts.net_income?),
                money(self.amounts.debt_service_12m),
                format_scaled(i128::from(of_grade.annuity_factor_millionths), 6)
            ),
        })
    }

    fn unknown(&self, cap: Cap, of_grade: Option<&GradeLimits>) -> String {
        if of_grade.is_none() {
            return self.language.pick("no limit for this grade".into(), "该等级无额度".into());
        }
        let fact = if cap == Cap::NetAssets { "net_assets" } else { "net_income" };
        let is_optional = self.rules.optional_caps.iter().any(|name| name == cap.name());
        match is_optional {
            true => self.language.pick(
                format!("{fact} is not known; the rulebook lets this cap be left out"),
                format!("{fact} 未知；规则允许缺失此上限"),
            ),
            false => self.language.pick(
                format!("{fact} is not known, and a cap that is not known allows nothing"),
                format!("{fact} 未知；上限未知则不予授信"),
            ),
        }
    }

    fn deductions(&self, limit: &Limit) -> Vec<DeductionLine> {
        let unknown = self.language.pick("not known, counts 0", "未知，按0计");
        let weighted = |weight: Decimal, cents: Option<i64>| match cents {
            Some(cents) => format!("{weight} × {}", Amount(i128::from(cents))),
            None => self.language.noted(format!("{weight} × {}", Amount(0)), unknown),
        };
        let own = Amount(i128::from(self.amounts.own_unsecured_outstanding));
        let line = |deduction: &str, formula: String, amount: Amount| DeductionLine {
            deduction: deduction.into(),
            formula,
            amount,
        };
        vec![
            line("own_unsecured_outstanding", own.to_string(), own),
            line(
                "outside_outstanding",
                weighted(self.rules.outside_weight, self.amounts.outside_outstanding),
                Amount(i128::from(limit.outside_weighted)),
            ),
            line(
                "outside_guarantees",
                weighted(self.rules.guarantee_weight, self.amounts.outside_guarantees),
                Amount(i128::from(limit.guarantees_weighted)),
            ),
        ]
    }
}

fn binding_in_words(binding: Binding, language: Language) -> String {
    match binding {
        Binding::Veto => language.pick("a veto: no limit".into(), "一票否决，无额度".into()),
        Binding::NotRateable => language.pick("not rateable: no limit".into(), "不可评级，无额度".into()),
        Binding::Unknown(cap) => {
            language.pick(format!("{} is not known: no limit", cap.name()), format!("{} 未知，无额度", cap.name()))
        }
        Binding::Deductions => language.pick("what is already owed".into(), "已有负债的扣减".into()),
        Binding::Cap(cap) => language.word(CAPS, cap.name()),
    }
}

/// Why the previous limit was held, or why it was not.
fn hold_in_words(subject: &Subject, limit: &Limit) -> Result<String> {
    let language = subject.language;
    let hold = Amount(i128::from(subject.rulebook.limits.hold_cents));
    let rank = subject.grade()?.rank;
    let Some(earlier) = subject.earlier() else {
        return Ok(language.pick("no previous limit to hold".into(), "无上次额度可保持".into()));
    };
    let previous = i128::from(earlier.suggested_limit);
    let shown = Amount(previous);
    Ok(if limit.is_held {
        language.pick(
            format!("held at the previous {shown}: the move is smaller than {hold} and still covered"),
            format!("保持上次额度{shown}：变动小于{hold}且仍在可授额度内"),
        )
    } else if subject.ranks.in_scale(rank).is_none() {
        language.pick("not rated: nothing is held".into(), "未评级，不作保持".into())
    } else if previous == 0 {
        language.pick("the previous run suggested no limit: nothing to hold".into(), "上次无建议额度，不作保持".into())
    } else if earlier.model_grade != subject.ranks.name(rank) {
        language.pick(
            format!("not held: the grade was {} then", earlier.model_grade),
            format!("不保持：上次等级为{}", earlier.model_grade),
        )
    } else if previous == i128::from(limit.before_hold) {
        language.pick(format!("the same as the previous {shown}"), format!("与上次额度{shown}相同"))
    } else if previous > i128::from(limit.gross) - i128::from(limit.deductions) {
        language.pick(
            format!("not held: the previous {shown} is no longer covered"),
            format!("不保持：上次额度{shown}已超出可授额度"),
        )
    } else {
        language.pick(
            format!("not held: the move from the previous {shown} is not smaller than {hold}"),
            format!("不保持：较上次额度{shown}的变动不小于{hold}"),
        )
    })
}

/// What the decision in force makes of the suggested limit.
fn final_in_words(
    subject: &Subject,
    decision: Option<InForce>,
    of_final: Option<&GradeLimits>,
    grade: &str,
) -> Result<String> {
    let language = subject.language;
    let Some(decision) = decision else {
        return Ok(language.pick("no decision in force: as suggested".into(), "无有效审批，按建议额度".into()));
    };
    let suggested = Amount(i128::from(subject.limit()?.suggested));
    let given = Amount(decision.limit.map_or(0, i128::from));
    Ok(match (decision.action, of_final) {
        (Action::Decline, _) => language.pick("declined: no limit".into(), "已拒绝，无额度".into()),
        (Action::Suspend, _) => language.pick("suspended: no limit".into(), "已暂停，无额度".into()),
        (_, None) => language.pick(format!("grade {grade} has no limit"), format!("等级{grade}无额度")),
        (Action::Accept, Some(of_final)) => {
            let cap = Amount(i128::from(of_final.cap_cents));
            language.pick(
                format!(
                    "accepted: the smallest of the accepted {given}, the suggested {suggested} and cap[{grade}] {cap}"
                ),
                format!("已接受：取所接受额度{given}、建议额度{suggested}与等级{grade}上限{cap}中最小者"),
            )
        }
        (Action::Adjust, Some(_)) if decision.limit.is_some() => language.pick(
            format!("adjusted: the limit given with grade {grade}"),
            format!("人工调整：按所给等级{grade}与额度"),
        ),
        (Action::Adjust, Some(_)) => language.pick(
            format!("adjusted to grade {grade} without a limit: computed anew for {grade}, without hold"),
            format!("人工调整为等级{grade}且未给额度：按{grade}重新计算，不作保持"),
        ),
    })
}

/// The spread of the final grade, and how it comes about.
fn rate(subject: &Subject, of_final: Option<&GradeLimits>) -> (Option<i64>, String) {
    let (language, rules) = (subject.language, &subject.rulebook.limits);
    let Some(of_final) = of_final else {
        return (None, language.pick("no grant, no rate".into(), "无授信，无利率".into()));
    };
    let area = subject.tables().areas.area_id.text(subject.night.register.area(subject.number));
    let stars = subject.previous.stars.get(area).copied().unwrap_or(0);
    let spread = limit::rate_spread_bp(of_final, stars, rules);
    let (en, zh) = match &subject.previous.run_id {
        Some(run) => (format!("in run {run}"), format!("运行{run}所评")),
        None => ("(no earlier run)".to_string(), "无上次运行".to_string()),
    };
    let word = if stars == 1 { "star" } else { "stars" };
    let grade = &of_final.grade;
    let (own, discount, reference) = (of_final.spread_bp, rules.star_discount_bp, percent(rules.reference_rate));
    let text = language.pick(
        format!(
            "{own} bp for grade {grade} − {discount} bp × {stars} {word} of area {area} {en} = {spread} bp over the \
             reference rate of {reference}"
        ),
        format!(
            "等级{grade}加点{own}bp − {discount}bp × 行政区{area}的{stars}星（{zh}）= 参考利率{reference}加{spread}bp"
        ),
    );
    (Some(spread), text)
}

/// A share as a percentage, exactly.
fn percent(share: Decimal) -> String {
    let hundredfold = format_scaled(share.mantissa() * 100, share.scale());
    let trimmed =
        if share.scale() > 0 { hundredfold.trim_end_matches('0').trim_end_matches('.') } else { &hundredfold };
    format!("{trimmed} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_percentages_exactly() {
        for (share, shown) in [("0.03", "3 %"), ("0.0345", "3.45 %"), ("0.1", "10 %"), ("1", "100 %"), ("0", "0 %")] {
            assert_eq!(percent(Decimal::parse(share).unwrap()), shown);
        }
    }
}
