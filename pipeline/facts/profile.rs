//! Facts from the household's file: income, members at work, assets, and how fresh and complete the file is.
//! "The profile" is the latest known one by (profiled_on, recorded_at, profile_id).

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array};

use crate::clean::typed::{Profiles, Rows as _};
use crate::fault::Result;

use super::{Columns, Evidence};

/// The fields that completeness counts.
const FIELDS: u32 = 9;

pub fn measure(evidence: &Evidence) -> Result<Columns> {
    let Some(profiles) = &evidence.tables.profiles else {
        let whole = ["net_income", "net_income_per_member", "net_assets", "profile_age_days"];
        let ratios = ["labour_share", "debt_to_assets", "profile_completeness"];
        let whole = whole.into_iter().map(|fact| (fact, evidence.absent_whole()));
        return Ok(whole.chain(ratios.into_iter().map(|fact| (fact, evidence.absent_ratio()))).collect());
    };
    let latest = latest(evidence, profiles);
    let difference = |one: Option<i64>, other: Option<i64>| Some(i128::from(one?) - i128::from(other?));
    let net_income = |row: usize| difference(profiles.annual_income.get(row), profiles.annual_operating_cost.get(row));
    let net_assets = |row: usize| difference(profiles.total_assets.get(row), profiles.total_liabilities.get(row));
    let of_profile = |fact: &dyn Fn(usize) -> Option<i128>| -> Vec<Option<i128>> {
        latest.iter().map(|profile| fact((*profile)?)).collect()
    };
    let per_member = latest.iter().enumerate().map(|(household, profile)| {
        let income = net_income((*profile)?)?;
        Some(income.div_euclid(i128::from(evidence.member_count(household))))
    });
    let labour: Float64Array = latest
        .iter()
        .enumerate()
        .map(|(household, profile)| labour_share(profiles, (*profile)?, evidence.member_count(household)))
        .collect();
    let debt: Float64Array = latest.iter().map(|profile| debt_to_assets(profiles, (*profile)?)).collect();
    let completeness: Float64Array = latest
        .iter()
        .map(|profile| Some(f64::from(filled_fields(profiles, (*profile)?)) / f64::from(FIELDS)))
        .collect();
    let as_of = evidence.register.as_of;
    let age: Int64Array =
        latest.iter().map(|profile| Some(i64::from(as_of.0 - profiles.profiled_on.get((*profile)?)?.0))).collect();
    Ok(vec![
        ("net_income", evidence.whole("net_income", of_profile(&net_income).into_iter())?),
        ("net_income_per_member", evidence.whole("net_income_per_member", per_member)?),
        ("net_assets", evidence.whole("net_assets", of_profile(&net_assets).into_iter())?),
        ("labour_share", Arc::new(labour)),
        ("debt_to_assets", Arc::new(debt)),
        ("profile_completeness", Arc::new(completeness)),
        ("profile_age_days", Arc::new(age)),
    ])
}

/// The row of the profile of each household.
pub fn latest(evidence: &Evidence, profiles: &Profiles) -> Vec<Option<usize>> {
    let mut latest: Vec<Option<usize>> = vec![None; evidence.register.len()];
    let rank =
        |row: usize| (profiles.profiled_on.get(row), profiles.recorded_at.get(row), profiles.profile_id.text(row));
    for row in 0..profiles.rows {
        let household = evidence.household(profiles.household_id.get(row));
        let Some(slot) = household.and_then(|household| latest.get_mut(household)) else { continue };
        if slot.is_none_or(|earlier| rank(earlier) < rank(row)) {
            *slot = Some(row);
        }
    }
    latest
}

fn labour_share(profiles: &Profiles, row: usize, member_count: i64) -> Option<f64> {
    let labour = profiles.labour_count.get(row)?;
    Some(labour.min(member_count) as f64 / member_count as f64)
}

fn debt_to_assets(profiles: &Profiles, row: usize) -> Option<f64> {
    let assets = profiles.total_assets.get(row).filter(|&assets| assets > 0)?;
    Some(profiles.total_liabilities.get(row)? as f64 / assets as f64)
}

fn filled_fields(profiles: &Profiles, row: usize) -> u32 {
    let filled = [
        profiles.labour_count.get(row).is_some(),
        profiles.annual_income.get(row).is_some(),
        profiles.annual_operating_cost.get(row).is_some(),
        profiles.total_assets.get(row).is_some(),
        profiles.total_liabilities.get(row).is_some(),
        profiles.land_mu.get(row).is_some(),
        profiles.dwelling.get(row).is_some(),
        profiles.main_activity.get(row).is_some(),
        profiles.has_insurance.get(row).is_some(),
    ];
    filled.into_iter().map(u32::from).sum()
}
