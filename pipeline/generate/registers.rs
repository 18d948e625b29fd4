//! What others report of a household: debts with other lenders, and the lists on which it stands.

use super::Setting;
use super::households::Household;
use super::random::{Random, Subject};
use super::tables::Tables;
use crate::calendar::Date;

/// Three households in ten have a credit report, some of them an older or a later one too.
pub fn write_outside_debts(setting: &Setting, household: &mut Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::OutsideDebts, household.number);
    // A report is asked for when somebody borrows.
    if !random.chance(if household.has_loan { 740 } else { 40 + household.quality.pow(3) / 2_300_000 }) {
        return;
    }
    let latest_on = setting.days_before(random.weighted(&[(930, 0), (70, 370)]) + random.between(0, 350));
    let mut days = vec![latest_on];
    if random.chance(200) {
        days.insert(0, Date(latest_on.0 - random.between(100, 400) as i32));
    }
    if random.chance(15) {
        days.push(setting.days_after(random.between(1, 60)));
    }
    for day in days {
        let lenders = random.weighted(&[(450, 0), (350, 1), (150, 2), (50, 3)]);
        let hundreds = lenders * random.between(12, 45) * (household.assets.max(10_000) / 10_000);
        let outstanding = hundreds * 10_000 * (300 + household.carelessness()) / 1_000;
        let guarantees = if random.chance(120) { random.between(5, 120) * 100_000 } else { 0 };
        let overdue = match household.carelessness() {
            careless if random.chance(careless * 9 / 10) => random.weighted(&[(550, 1), (350, 3), (100, 6)]),
            _ => 0,
        };
        let rows = tables.outside_debts.text(household.id.as_str()).date(day).count(lenders);
        rows.decimal(outstanding).decimal(outstanding / 30).decimal(guarantees).count(overdue);
        if day <= setting.as_of {
            household.outside_outstanding = outstanding;
        }
    }
}

/// A few households stand on a list; some have been taken off again, some will be put on one.
pub fn write_watchlist(setting: &Setting, household: &mut Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::Watchlist, household.number);
    if !random.chance(8 + household.carelessness() / 25) {
        return;
    }
    let list = random.weighted(&[(450, "dishonest_judgment"), (100, "fraud"), (250, "deceased"), (200, "other")]);
    let listed_on = match random.chance(20) {
        true => setting.days_after(random.between(1, 60)),
        false => setting.days_before(random.between(5, 900)),
    };
    let may_leave = list != "deceased" && random.chance(350);
    let delisted_on = may_leave.then(|| Date(listed_on.0 + random.between(30, 700) as i32));
    tables.watchlist.text(household.id.as_str()).text(list).date(listed_on).date(delisted_on);
    let stands = listed_on <= setting.as_of && delisted_on.is_none_or(|day| day > setting.as_of);
    household.vetoes.on_watchlist |= stands && list != "other";
}
