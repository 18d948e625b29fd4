//! The files of households: most have one and it is complete and fresh; some have none, an old one, one with gaps,
//! two, or a newer one that was recorded only after the as-of date.

use super::households::{Household, Kind};
use super::layout::Grid;
use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Setting, moment};
use crate::calendar::Date;

const CROPS: [&str; 8] =
    ["水稻种植", "小麦种植", "玉米种植", "油菜种植", "蔬菜种植", "茶叶种植", "生猪养殖", "外出务工"];
const TRADES: [&str; 8] = ["日用百货", "餐饮", "五金建材", "服装", "农资销售", "运输", "农产品加工", "家电维修"];
const JOBS: [&str; 6] = ["企业职工", "事业单位", "个体帮工", "退休", "自由职业", "物业服务"];

/// How many of the fields that completeness counts were left empty.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Gaps {
    #[default]
    None,
    One,
    Many,
}

pub fn write(setting: &Setting, grid: &Grid, household: &Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::Profiles, household.number);
    let mut number = 0;
    let mut file = |profiled_on: Date, recorded_on: Date, gaps: Gaps, random: &mut Random| {
        number += 1;
        let id = format!("P{:0width$}-{number}", household.number, width = setting.widths.household);
        let recorded_at = moment(recorded_on, 9 * 3_600 + random.between(0, 9 * 3_600));
        let rows = tables.profiles.text(id.as_str()).text(household.id.as_str());
        rows.text(grid.crew.primary_id.as_deref()).date(profiled_on).time(recorded_at);
        write_fields(household, gaps, random, tables);
    };
    // Good households are better known.
    let is_known = random.below(1_000) >= 30 + household.carelessness() / 20;
    let age_days = match random.below(1_000) {
        0..420 => random.between(0, 180),
        420..800 => random.between(181, 365),
        800..950 => random.between(366, 730),
        _ => random.between(731, 1_400),
    };
    let profiled_on = setting.days_before(age_days);
    if is_known {
        if random.chance(180) {
            let older = Date(profiled_on.0 - random.between(200, 600) as i32);
            file(older, older, Gaps::One, &mut random);
        }
        let gaps = random.weighted(&[(890, Gaps::None), (75, Gaps::One), (35, Gaps::Many)]);
        let recorded_on = Date(profiled_on.0 + random.between(0, 5) as i32);
        file(profiled_on, recorded_on, gaps, &mut random);
    }
    match random.below(1_000) {
        // Profiled in time, recorded too late to be known.
        0..6 => {
            let seen_on = setting.days_before(random.between(0, 10));
            file(seen_on, setting.days_after(random.between(1, 15)), Gaps::None, &mut random);
        }
        6..13 => {
            let to_come = setting.days_after(random.between(1, 60));
            file(to_come, to_come, Gaps::None, &mut random);
        }
        _ => {}
    }
}

/// The nine fields; the officer hears the income and assets of the household within a tenth of the truth.
fn write_fields(household: &Household, gaps: Gaps, random: &mut Random, tables: &mut Tables) {
    let mut is_kept = [true; 9];
    match gaps {
        Gaps::None => {}
        Gaps::One => {
            if let Some(kept) = is_kept.get_mut(random.below(9) as usize) {
                *kept = false;
            }
        }
        // Four to nine of the nine fields, chosen by starting anywhere and going round.
        Gaps::Many => {
            let (start, count) = (random.between(0, 8), random.between(4, 8));
            for step in 0..count {
                if let Some(kept) = is_kept.get_mut(((start + step) % 9) as usize) {
                    *kept = false;
                }
            }
        }
    }
    let [labour, income, cost, assets, liabilities, land, dwelling, activity, insurance] = is_kept;
    let heard = random.between(90, 110);
    let cost_percent = if household.kind.is_business() { random.between(80, 200) } else { random.between(15, 60) };
    let operating_cost = household.net_income.abs() * cost_percent / 100;
    let annual_income = (household.net_income * heard / 100 + operating_cost).max(0);
    let debts = (household.own_outstanding + household.outside_outstanding) / 100;
    let other_debts = household.assets * household.carelessness() / 1_000 * random.between(10, 110) / 100;
    let labour_count = household.members * random.around(25, 135) / 100;
    let rows = tables.profiles.count(labour.then_some(labour_count.max(0)));
    rows.decimal(income.then_some(annual_income * 100)).decimal(cost.then_some(operating_cost * 100));
    rows.decimal(assets.then_some(household.assets * heard))
        .decimal(liabilities.then_some((debts + other_debts) * 100));
    let tenths_of_mu = match household.kind {
        kind if !kind.is_rural() => 0,
        Kind::FarmHousehold => random.between(5, 150),
        _ => random.between(200, 4_000),
    };
    rows.real(land.then_some(tenths_of_mu), 10);
    rows.text(dwelling.then(|| random.weighted(&[(860, "owned"), (110, "rented"), (30, "none")])));
    let activities: &[&str] = match household.kind {
        Kind::Resident => &JOBS,
        kind if kind.is_business() => &TRADES,
        _ => &CROPS,
    };
    rows.text(activity.then(|| random.pick(activities))).bool(insurance.then(|| random.chance(700)));
}
