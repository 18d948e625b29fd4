//! Loans with their instalments and month ends: drawn terms, a schedule, a story of how it was paid, and what the books
//! say at each month's end because of it. Sets the vetoes that follow from being past due.
//! Borrowers outside the grids come last, under ids that sort after those of the households.

use super::households::{Household, Kind};
use super::layout::{Grid, Layout};
use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Setting, digits};
use crate::calendar::{Date, Month, Window};

/// Days past due of the risk classes: a row belongs to the last class that it reaches.
const CLASSES: [(i64, &str); 5] =
    [(0, "normal"), (11, "special_mention"), (91, "substandard"), (181, "doubtful"), (361, "loss")];

/// Of a hundred loans, so many are those of borrowers outside the grids.
const OUTSIDE_PERCENT: i64 = 10;
/// Loans of a hundred households, about.
const LOANS_PERCENT: i64 = 30;

struct Loan<'a> {
    id: &'a str,
    household_id: Option<&'a str>,
    branch_id: &'a str,
    borrower_kind: &'a str,
    purpose: &'static str,
    is_agricultural: bool,
    guarantee: &'static str,
    /// In cents, as all amounts here.
    credit_line: i64,
    principal: i64,
    /// In millionths.
    annual_rate: i64,
    disbursed_on: Date,
    months: i64,
    months_between: i64,
    closed_on: Option<Date>,
    instalments: Vec<Instalment>,
    /// The customer paid a little more than it owed, and the loan is still open.
    overpaid: i64,
}

struct Instalment {
    due_on: Date,
    amount: i64,
    /// The part of the amount that lowers the debt.
    principal: i64,
    paid_amount: i64,
    paid_on: Option<Date>,
}

/// How a loan is paid.
#[derive(Clone, Copy)]
enum Story {
    Steady,
    /// Nothing is paid from this instalment on.
    Stopped(usize),
    /// Nothing was paid from this instalment on, until all of it was paid on one day.
    Cured(usize, Date),
    RepaidEarly(Date),
    /// As `Stopped`, and the bank wrote the rest off.
    WrittenOff(usize, Date),
}

/// What the books said of a household's loans, for its vetoes.
#[derive(Default)]
struct Standing {
    outstanding: i64,
    days_past_due: i64,
    had_bad_class: bool,
}

/// Writes the loans of a household and notes in it what they mean for it.
pub fn write(setting: &Setting, grid: &Grid, household: &mut Household, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::Loans, household.number);
    let has_any = random.chance(40 + household.quality.pow(3) / 1_650_000);
    let count = if has_any { random.weighted(&[(800, 1), (160, 2), (40, 3)]) } else { 0 };
    for number in 1..=count {
        let id = format!("L{:0width$}-{number}", household.number, width = setting.widths.household);
        let mut loan = Loan::draw(setting, household.kind, household.assets, household.carelessness(), &mut random);
        loan.id = &id;
        loan.household_id = Some(&household.id);
        loan.branch_id = &grid.branch_id;
        loan.pay(setting, household.carelessness(), &mut random);
        loan.write(tables);
        let standing = loan.write_months(setting, &mut random, tables);
        household.has_loan = true;
        household.own_outstanding += standing.outstanding;
        household.vetoes.past_due |= standing.days_past_due > 90;
        household.vetoes.bad_class |= standing.had_bad_class;
    }
}

/// How many loans there are to borrowers outside the grids.
pub fn outside_count(setting: &Setting) -> i64 {
    (setting.households / 100).saturating_mul(LOANS_PERCENT * OUTSIDE_PERCENT / 100)
}

pub fn write_outside(setting: &Setting, layout: &Layout, number: i64, tables: &mut Tables) {
    let mut random = Random::of(setting.seed, Subject::OutsideLoans, number);
    let branch = layout.branches.get(random.below(layout.branches.len() as i64) as usize);
    let Some(branch) = branch.filter(|branch| branch.opened_on <= setting.as_of) else { return };
    let id = format!("LX{number:0width$}", width = digits(outside_count(setting)).max(6));
    let kind = random.weighted(&[
        (250, None),
        (250, Some(Kind::SmallEnterprise)),
        (250, Some(Kind::Merchant)),
        (150, Some(Kind::Resident)),
        (100, Some(Kind::FarmHousehold)),
    ]);
    let assets = random.between(200_000, if kind.is_none() { 30_000_000 } else { 3_000_000 });
    let mut loan = Loan::draw(setting, kind.unwrap_or(Kind::LeadingEnterprise), assets, 150, &mut random);
    loan.id = &id;
    loan.branch_id = &branch.id;
    loan.borrower_kind = kind.map_or("other_enterprise", Kind::word);
    loan.pay(setting, 150, &mut random);
    loan.write(tables);
    loan.write_months(setting, &mut random, tables);
}

impl<'a> Loan<'a> {
    /// A loan with its schedule, of which nothing is paid yet.
    fn draw(setting: &Setting, kind: Kind, assets: i64, carelessness: i64, random: &mut Random) -> Self {
        let is_rural = kind.is_rural();
        let purpose = match (is_rural, kind.is_business()) {
            (true, _) => random.weighted(&[(650, "farming"), (150, "operating"), (170, "consumption"), (30, "other")]),
            (_, true) => random.weighted(&[(880, "operating"), (80, "consumption"), (40, "other")]),
            _ => random.weighted(&[(700, "consumption"), (200, "housing"), (100, "operating")]),
        };
        let months = match purpose {
            "housing" => 120,
            _ => random.weighted(&[(350, 12), (300, 24), (350, 36)]),
        };
        let guarantee = match purpose {
            "housing" => "mortgaged",
            _ => random.weighted(&[
                (600, "credit"),
                (180, "guaranteed"),
                (130, "mortgaged"),
                (30, "pledged"),
                (60, "insured"),
            ]),
        };
        // Whole thousands of yuan, and not more than a part of what the borrower has.
        let thousands = (assets * random.between(3, 14) / 100_000).clamp(5, 20_000);
        let credit_line = (thousands + if random.chance(300) { thousands / 2 } else { 0 }) * 100_000;
        let is_to_come = random.chance(10);
        let disbursed_on = if is_to_come {
            setting.days_after(random.between(1, 60))
        } else {
            setting.days_before(random.between(3, if months > 36 { 1_800 } else { 1_000 }))
        };
        let mut loan = Loan {
            id: "",
            household_id: None,
            branch_id: "",
            borrower_kind: kind.word(),
            purpose,
            is_agricultural: purpose == "farming" || (is_rural && purpose == "operating"),
            guarantee,
            credit_line,
            principal: thousands * 100_000,
            annual_rate: 30_000 + carelessness * 20 + random.between(0, 50) * 500,
            disbursed_on,
            months,
            months_between: if months <= 36 && random.chance(350) { 3 } else { 1 },
            closed_on: None,
            instalments: Vec::new(),
            overpaid: 0,
        };
        loan.schedule();
        loan
    }

    /// Equal parts of the principal, each with the interest on what is still owed.
    fn schedule(&mut self) {
        let count = self.months / self.months_between;
        let part = self.principal / count;
        let mut owed = self.principal;
        for number in 1..=count {
            let principal = if number == count { owed } else { part };
            let interest = owed * self.annual_rate / 1_000_000 * self.months_between / 12;
            self.instalments.push(Instalment {
                due_on: self.disbursed_on.months_later((number * self.months_between) as u32),
                amount: principal + interest,
                principal,
                paid_amount: 0,
                paid_on: None,
            });
            owed -= principal;
        }
    }

    fn matures_on(&self) -> Date {
        self.disbursed_on.months_later(self.months as u32)
    }

    fn pay(&mut self, setting: &Setting, carelessness: i64, random: &mut Random) {
        let story = self.story(setting, carelessness, random);
        for (position, instalment) in self.instalments.iter_mut().enumerate() {
            let usual = Date(instalment.due_on.0 + delay(carelessness, random) as i32);
            let is_advance = instalment.due_on > setting.as_of && random.chance(15);
            let usual = if is_advance { setting.days_before(random.between(0, 6)) } else { usual };
            let paid_on = match story {
                Story::Stopped(from) | Story::WrittenOff(from, _) if position >= from => None,
                Story::Cured(from, day) if position >= from && usual < day => Some(day),
                Story::RepaidEarly(day) if instalment.due_on > day => None,
                Story::RepaidEarly(day) => Some(usual.min(day)),
                _ => Some(usual),
            };
            let is_known = |day: &Date| *day <= setting.exported_on() && *day >= self.disbursed_on;
            instalment.paid_on = paid_on.filter(is_known);
            instalment.paid_amount = match instalment.paid_on {
                Some(_) => instalment.amount,
                None if instalment.due_on <= setting.as_of && random.chance(250) => {
                    instalment.amount * random.between(5, 80) / 100
                }
                None => 0,
            };
        }
        self.close(setting, story, random);
    }

    fn story(&self, setting: &Setting, carelessness: i64, random: &mut Random) -> Story {
        let draw = random.below(1_000);
        let stops = 12 + carelessness / 3;
        if draw < stops {
            // Where it stopped: an instalment of the last 18 months.
            let fell_due = Window::months_to(setting.as_of, 18);
            let dues: Vec<usize> = (self.instalments.iter().enumerate())
                .filter(|(_, instalment)| fell_due.contains(instalment.due_on))
                .map(|(position, _)| position)
                .collect();
            let from = random.pick(&dues);
            let Some(due_on) = self.instalments.get(from).map(|instalment| instalment.due_on) else {
                return Story::Steady;
            };
            let after = Date(due_on.0 + random.between(100, 320) as i32);
            return match random.below(100) {
                0..40 if !dues.is_empty() && after < setting.as_of => Story::Cured(from, after),
                40..48 if !dues.is_empty() && after < setting.as_of => Story::WrittenOff(from, after),
                _ if !dues.is_empty() => Story::Stopped(from),
                _ => Story::Steady,
            };
        }
        let days_open = i64::from(setting.as_of.0 - self.disbursed_on.0);
        if draw >= 940 && days_open > 90 {
            let day = Date(self.disbursed_on.0 + random.between(60, days_open + 10) as i32);
            return if day < self.matures_on() { Story::RepaidEarly(day) } else { Story::Steady };
        }
        Story::Steady
    }

    fn close(&mut self, setting: &Setting, story: Story, random: &mut Random) {
        let last_paid_on = self.instalments.iter().map(|instalment| instalment.paid_on).max().flatten();
        let all_paid = self.instalments.iter().all(|instalment| instalment.paid_on.is_some());
        self.closed_on = match story {
            Story::RepaidEarly(day) | Story::WrittenOff(_, day) => Some(day),
            _ if all_paid => last_paid_on,
            _ => None,
        };
        if all_paid && last_paid_on < Some(setting.as_of) && random.chance(40) {
            self.closed_on = None;
            self.overpaid = random.between(1, 30_000);
        }
    }

    fn write(&self, tables: &mut Tables) {
        let rows = tables.loans.text(self.id).text(self.household_id).text(self.branch_id).text(self.borrower_kind);
        rows.text(self.purpose).bool(self.is_agricultural).text(self.guarantee);
        rows.decimal(self.credit_line).decimal(self.principal).decimal(self.annual_rate);
        rows.date(self.disbursed_on).date(self.matures_on()).date(self.closed_on);
        for instalment in &self.instalments {
            let rows = tables.instalments.text(self.id).date(instalment.due_on);
            rows.decimal(instalment.amount).decimal(instalment.paid_amount).date(instalment.paid_on);
        }
    }

    /// One row for each month end of the history on which the loan was open, now and then one that is still to come.
    fn write_months(&self, setting: &Setting, random: &mut Random, tables: &mut Tables) -> Standing {
        let mut standing = Standing::default();
        let is_open = self.disbursed_on <= setting.as_of && self.closed_on.is_none_or(|day| day > setting.as_of);
        if is_open {
            standing.outstanding = self.principal;
        }
        let first = Month(setting.last_month.0 + 1 - setting.history_months as i32).max(Month::of(self.disbursed_on));
        let last = Month(setting.last_month.0 + i32::from(random.chance(200)));
        let past_year = Window::months_to(setting.as_of, 12);
        for month in first.0..=last.0 {
            let month_end = Month(month).first_day().last_of_month();
            if self.closed_on.is_some_and(|closed_on| closed_on <= month_end) {
                break;
            }
            let (outstanding, days_past_due) = self.books(month_end);
            let class = CLASSES.iter().rev().find(|(from, _)| days_past_due >= *from).map_or("", |(_, class)| class);
            let rows = tables.loan_months.text(self.id).date(month_end);
            rows.decimal(outstanding).count(days_past_due).text(class);
            if month_end <= setting.as_of {
                standing.had_bad_class |= days_past_due > 90 && past_year.contains(month_end);
                if is_open {
                    standing.outstanding = outstanding.max(0);
                    standing.days_past_due = days_past_due;
                }
            }
        }
        standing
    }

    /// What is still owed on a day, and since how many days the oldest unpaid instalment has been due.
    fn books(&self, day: Date) -> (i64, i64) {
        let (mut owed, mut days_past_due) = (self.principal, 0);
        for instalment in &self.instalments {
            if instalment.paid_on.is_some_and(|paid_on| paid_on <= day) {
                owed -= instalment.principal;
            } else {
                days_past_due = days_past_due.max(i64::from(day.0 - instalment.due_on.0));
            }
        }
        (if owed == 0 { -self.overpaid } else { owed }, days_past_due)
    }
}

/// Days from the day that an instalment is due to the day that it is paid.
fn delay(carelessness: i64, random: &mut Random) -> i64 {
    if random.below(2_000) < carelessness {
        random.weighted(&[(780, 1), (190, 25), (30, 60)]) + random.between(0, 20)
    } else {
        -random.weighted(&[(700, 0), (300, 1)]) * random.between(0, 5)
    }
}
