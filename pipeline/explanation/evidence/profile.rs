//! The household's file: which profile is the latest known one, and what stands in its fields.
//! What the fields are worth is left to the facts stage.

use crate::calendar::Date;
use crate::clean::typed::{Profiles, Rows as _};
use crate::explanation::Subject;
use crate::explanation::figures::Amount;

use super::{Evidence, Source, absent, rows_of};

/// The row of the latest known profile by (profiled_on, recorded_at, profile_id).
pub fn latest(subject: &Subject) -> Option<usize> {
    let profiles = subject.tables().profiles.as_ref()?;
    let rows = rows_of(&profiles.household_id, profiles.rows, subject.position);
    let rank =
        |row: usize| (profiles.profiled_on.get(row), profiles.recorded_at.get(row), profiles.profile_id.text(row));
    rows.into_iter().max_by(|&one, &other| rank(one).cmp(&rank(other)))
}

/// The profile with some of its fields, or why there is none.
pub fn fields(subject: &Subject, profile: Option<usize>, fields: &[&str]) -> Evidence {
    let (profiles, row) = match known(subject, profile) {
        Ok(known) => known,
        Err(why) => return why,
    };
    let language = subject.language;
    let empty: Vec<&str> = fields.iter().copied().filter(|field| in_words(profiles, row, field).is_none()).collect();
    let shown: Vec<String> = fields
        .iter()
        .map(|field| {
            let value = in_words(profiles, row, field);
            format!("{field} {}", value.as_deref().unwrap_or(language.pick("empty", "未填")))
        })
        .collect();
    let mut found = Evidence::of(source(subject, profiles, row, &shown));
    if !empty.is_empty() {
        let listed = language.list(&empty);
        found.remarks.push(language.pick(format!("the profile leaves {listed} empty"), format!("建档未填{listed}")));
    }
    if fields.contains(&"total_liabilities") && profiles.total_assets.get(row) == Some(0) {
        let remark = language.pick("no ratio to assets of 0", "总资产为零，无比率");
        found.remarks.push(remark.into());
    }
    found
}

/// The profile with the fields that it leaves empty.
pub fn completeness(subject: &Subject, profile: Option<usize>) -> Evidence {
    let (profiles, row) = match known(subject, profile) {
        Ok(known) => known,
        Err(why) => return why,
    };
    let language = subject.language;
    let empty = empty_fields(subject);
    let shown = match empty.is_empty() {
        true => language.pick("all nine fields filled in".into(), "九项均已填写".into()),
        false => {
            let listed = empty.join(language.pick(", ", "、"));
            language.pick(format!("empty: {listed}"), format!("未填：{listed}"))
        }
    };
    Evidence::of(source(subject, profiles, row, &[shown]))
}

/// The fields that the profile leaves empty.
pub fn empty_fields(subject: &Subject) -> Vec<&'static str> {
    let Ok((profiles, row)) = known(subject, latest(subject)) else { return Vec::new() };
    FIELDS.into_iter().filter(|field| in_words(profiles, row, field).is_none()).collect()
}

fn known<'a>(subject: &'a Subject, profile: Option<usize>) -> Result<(&'a Profiles, usize), Evidence> {
    let Some(profiles) = &subject.tables().profiles else { return Err(absent(subject, "profiles")) };
    let no_profile = || Evidence::remark(subject.language.pick("no known profile", "无已知建档"));
    Ok((profiles, profile.ok_or_else(no_profile)?))
}

fn source(subject: &Subject, profiles: &Profiles, row: usize, shown: &[String]) -> Source {
    let (id, day) = (profiles.profile_id.text(row), profiles.profiled_on.get(row).unwrap_or(Date(0)));
    let words = subject.language.pick(format!("profile {id} of {day}"), format!("{day}建档{id}"));
    let fields = shown.join(subject.language.pick(", ", "，"));
    let colon = if shown.is_empty() { "" } else { subject.language.pick(": ", "：") };
    Source::of("profiles", vec![id.into()], vec![day], format!("{words}{colon}{fields}"))
}

/// The fields that completeness counts.
const FIELDS: [&str; 9] = [
    "labour_count",
    "annual_income",
    "annual_operating_cost",
    "total_assets",
    "total_liabilities",
    "land_mu",
    "dwelling",
    "main_activity",
    "has_insurance",
];

/// What stands in a field; None where it is empty.
fn in_words(profiles: &Profiles, row: usize, field: &str) -> Option<String> {
    let money = |cents: Option<i64>| cents.map(|cents| Amount(i128::from(cents)).to_string());
    match field {
        "labour_count" => profiles.labour_count.get(row).map(|count| count.to_string()),
        "annual_income" => money(profiles.annual_income.get(row)),
        "annual_operating_cost" => money(profiles.annual_operating_cost.get(row)),
        "total_assets" => money(profiles.total_assets.get(row)),
        "total_liabilities" => money(profiles.total_liabilities.get(row)),
        "land_mu" => profiles.land_mu.get(row).map(|land| land.to_string()),
        "dwelling" => profiles.dwelling.get(row).map(|_| field.to_string()),
        "main_activity" => profiles.main_activity.get(row).map(String::from),
        "has_insurance" => profiles.has_insurance.get(row).map(|truth| truth.to_string()),
        _ => None,
    }
}
