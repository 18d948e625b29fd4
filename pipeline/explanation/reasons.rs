//! The reasons of the grade in words: vetoes with their legal basis and whether a person may override them, why the
//! household cannot be rated, and the characteristics with the greatest shortfall.

use serde::Serialize;

use crate::fault::Result;
use crate::rulebook::{FactRules, Veto, VetoCondition};

use super::Subject;
use super::evidence::empty_fields;
use super::figures::{Figure, Points};
use super::points::PointsSheet;
use super::words::{FACT_NAMES, Language, NOT_RATEABLE};

/// One reason of the grade.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    pub code: String,
    /// `veto`, `not_rateable` or `shortfall`.
    pub kind: &'static str,
    pub text: String,
    /// For a veto: the document that it rests on, and whether a named person may override it.
    pub legal_basis: Option<String>,
    pub is_overridable: Option<bool>,
    /// For a shortfall.
    pub points: Option<Points>,
    pub max_points: Option<Points>,
}

/// The reasons that the night gives, in their order.
pub fn reasons(subject: &Subject, sheet: &PointsSheet) -> Result<Vec<Reason>> {
    let vetoes: Vec<&Veto> = subject.vetoes()?.collect();
    let grade = subject.grade()?;
    let reasons = grade.reasons.iter().map(|reason| {
        let code = reason.name(subject.rulebook);
        if let Some(veto) = vetoes.iter().find(|veto| veto.code == code) {
            return of_veto(subject, veto);
        }
        if grade.not_rateable.iter().any(|reason| reason.name() == code) {
            let text = not_rateable_in_words(subject, code);
            return Reason { kind: "not_rateable", ..plain(code, text) };
        }
        of_shortfall(subject.language, code, sheet)
    });
    Ok(reasons.collect())
}

fn plain(code: &str, text: String) -> Reason {
    Reason {
        code: code.into(),
        kind: "shortfall",
        text,
        legal_basis: None,
        is_overridable: None,
        points: None,
        max_points: None,
    }
}

fn of_veto(subject: &Subject, veto: &Veto) -> Reason {
    let language = subject.language;
    let name = language.pick(&veto.name.en, &veto.name.zh);
    let condition = condition_in_words(subject, &veto.condition);
    let source = subject.rulebook.sources.get(&veto.legal_basis.id);
    let title = source.map_or(&veto.legal_basis.id, |source| language.pick(&source.title.en, &source.title.zh));
    let basis = language
        .pick(format!("{title}; {}", veto.legal_basis.provision), format!("{title}；{}", veto.legal_basis.provision));
    let override_words = match veto.is_overridable {
        true => language.pick("a named person may override it", "可由指定人员解除"),
        false => language.pick("nobody may override it", "不可人工解除"),
    };
    let text = language.pick(
        format!("{name} ({condition}). Basis: {basis}. Override: {override_words}."),
        format!("{name}（{condition}）。依据：{basis}。解除：{override_words}。"),
    );
    Reason {
        kind: "veto",
        legal_basis: Some(basis),
        is_overridable: Some(veto.is_overridable),
        ..plain(&veto.code, text)
    }
}

/// What made the veto strike, with the household's own value.
pub fn condition_in_words(subject: &Subject, condition: &VetoCondition) -> String {
    let language = subject.language;
    let value = |fact: &str| subject.value(fact).map_or_else(String::new, |value| Figure::of(fact, value).to_string());
    match condition {
        VetoCondition::Watchlist { list_name } => {
            let days = watchlist_days(subject, list_name);
            language.pick(
                format!("on the watchlist `{list_name}` since {days}, not delisted"),
                format!("自{days}起列入 `{list_name}` 名单，未移出"),
            )
        }
        VetoCondition::AtLeast { fact, bound } => language.pick(
            format!("{fact} is {}, from {bound} it disqualifies", value(fact)),
            format!("{fact} 为{}，达到{bound}即否决", value(fact)),
        ),
        VetoCondition::MoreThan { fact, bound } => language.pick(
            format!("{fact} is {}, above {bound} it disqualifies", value(fact)),
            format!("{fact} 为{}，超过{bound}即否决", value(fact)),
        ),
    }
}

/// The days on which the household was put on the list and from which it was not taken off.
fn watchlist_days(subject: &Subject, list_name: &str) -> String {
    use crate::clean::typed::Rows as _;
    let Some(watchlist) = &subject.tables().watchlist else { return String::new() };
    let list =
        subject.contracts.input("watchlist").and_then(|contract| contract.word_code("list_name", list_name)).ok();
    let mut days: Vec<String> = (0..watchlist.rows)
        .filter(|&row| watchlist.household_id.get(row) == Some(subject.position))
        .filter(|&row| list.is_some() && watchlist.list_name.get(row) == list)
        .filter(|&row| watchlist.delisted_on.get(row).is_none_or(|day| day > subject.as_of()))
        .filter_map(|row| watchlist.listed_on.get(row).map(|day| day.to_string()))
        .collect();
    days.sort();
    subject.language.list(&days)
}

/// Why the household cannot be rated, with its own figures.
pub fn not_rateable_in_words(subject: &Subject, code: &str) -> String {
    let language = subject.language;
    let FactRules { profile_days_max, completeness_min, .. } = subject.rulebook.fact_rules;
    let words = language.word(NOT_RATEABLE, code);
    let value = |fact: &str| subject.value(fact).map_or_else(String::new, |value| Figure::of(fact, value).to_string());
    match code {
        "stale_profile" => {
            let age = value("profile_age_days");
            language.pick(
                format!("{words}: {age} days, at most {profile_days_max}"),
                format!("{words}：已{age}天，最多{profile_days_max}天"),
            )
        }
        "incomplete_profile" => {
            let completeness = value("profile_completeness");
            let empty = empty_fields(subject).join(language.pick(", ", "、"));
            language.pick(
                format!("{words}: a share of {completeness}, at least {completeness_min}; empty are {empty}"),
                format!("{words}：已填占比{completeness}，至少{completeness_min}；未填：{empty}"),
            )
        }
        _ => words,
    }
}

fn of_shortfall(language: Language, code: &str, sheet: &PointsSheet) -> Reason {
    let lines = sheet.blocks.iter().flat_map(|block| &block.characteristics);
    let Some(line) = lines.into_iter().find(|line| line.characteristic == *code) else {
        return plain(code, code.to_string());
    };
    let (points, max_points) = (line.points, line.max_points);
    let value = line.value.map(|value| value.to_string());
    let text = match (value, language) {
        (Some(value), Language::En) => {
            format!("{code}: {points} of {max_points} points; its value {value} is {}", line.bin)
        }
        (None, Language::En) => format!("{code}: {points} of {max_points} points; its value is not known"),
        (Some(value), Language::Zh) => {
            let name = language.word(FACT_NAMES, code);
            format!("{name} {code}：得{points}分，满分{max_points}分；其值{value}，{}", line.bin)
        }
        (None, Language::Zh) => {
            let name = language.word(FACT_NAMES, code);
            format!("{name} {code}：得{points}分，满分{max_points}分；其值未知")
        }
    };
    Reason { points: Some(points), max_points: Some(max_points), ..plain(code, text) }
}
