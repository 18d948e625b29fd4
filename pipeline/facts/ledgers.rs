//! What the monthly ledgers and the instalments add up to, by household and by loan. A ledger comes piece by piece, in
//! the order of its files, and no piece is kept: so a ledger need never be in memory as a whole.
//! Leaves to `accounts` and `loans` which facts follow.

use crate::calendar::{CompleteMonths, Date, Month, Window};
use crate::clean::Tables;
use crate::clean::typed::{AccountMonths, Instalments, LoanMonths, Rows as _};
use crate::register::Register;

/// Months of account figures that count: M(12).
pub(super) const ACCOUNT_MONTHS: u32 = 12;
/// Months between the two balances of a growth.
const GROWTH_MONTHS: u32 = 12;

/// The monthly figures of one household's accounts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Custom {
    /// Sum of average balances over M(12), in the smallest unit.
    pub balances: i128,
    /// One bit for each month of M(12) with an inflow. Inflows are not negative, so one is enough.
    pub inflow_months: u16,
    pub has_transactions: bool,
}

/// The instalments of one household's loans.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repayment {
    pub due: u32,
    pub on_time: u32,
    pub delay_days_max: Option<i64>,
    /// Amounts that fall due in the next twelve months.
    pub due_ahead: i128,
}

/// A loan at its latest month end by some day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub month_end: Date,
    pub outstanding: Option<i64>,
    pub days_past_due: Option<i64>,
    pub risk_class: Option<u8>,
}

/// The days on which loans are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoanDay {
    AsOf,
    /// Twelve months before.
    YearBefore,
    /// The last day of the year before.
    YearStart,
}

impl LoanDay {
    const ALL: [LoanDay; 3] = [LoanDay::AsOf, LoanDay::YearBefore, LoanDay::YearStart];

    /// The day that it means on an as-of date.
    pub fn date(self, as_of: Date) -> Date {
        match self {
            LoanDay::AsOf => as_of,
            LoanDay::YearBefore => as_of.months_earlier(GROWTH_MONTHS),
            LoanDay::YearStart => Date(Month(Month::of(as_of).0.div_euclid(12) * 12).first_day().0 - 1),
        }
    }
}

/// How every loan stood; grain one loan, by its position in `loans`.
#[derive(Debug, Default)]
pub struct Standings([Vec<Option<Standing>>; 3]);

impl Standings {
    /// By loan; None where no month row was known by the day.
    pub fn on(&self, day: LoanDay) -> &[Option<Standing>] {
        self.0.get(day as usize).map_or(&[], Vec::as_slice)
    }
}

/// The sums of the ledgers so far.
#[derive(Debug)]
pub struct Ledgers {
    as_of: Date,
    /// By household of the run.
    pub(super) customs: Vec<Custom>,
    pub(super) repayments: Vec<Repayment>,
    /// The worst class of any loan of the household at a month end in W(12).
    pub(super) worst_classes: Vec<Option<u8>>,
    pub(super) standings: Standings,
}

impl Ledgers {
    /// Before any row. `tables` holds the accounts and loans to which the ledgers refer.
    pub fn begin(tables: &Tables, register: &Register) -> Ledgers {
        let households = register.len();
        Ledgers {
            as_of: register.as_of,
            customs: vec![Custom::default(); households],
            repayments: vec![Repayment::default(); households],
            worst_classes: vec![None; households],
            standings: Standings([(); 3].map(|()| vec![None; tables.loans.rows])),
        }
    }

    /// Of ledgers that are in memory as a whole.
    pub fn of(tables: &Tables, register: &Register) -> Ledgers {
        let mut ledgers = Ledgers::begin(tables, register);
        let (account_months, loan_months) = (&tables.account_months, &tables.loan_months);
        ledgers.take_account_months(tables, register, account_months, 0..account_months.rows);
        ledgers.take_loan_months(tables, register, loan_months, 0..loan_months.rows);
        if let Some(instalments) = &tables.instalments {
            ledgers.take_instalments(tables, register, instalments, 0..instalments.rows);
        }
        ledgers
    }

    /// Takes some rows of account months in.
    pub fn take_account_months(
        &mut self,
        tables: &Tables,
        register: &Register,
        months: &AccountMonths,
        rows: impl Iterator<Item = usize>,
    ) {
        // Months are few and rows are many: the place of each day among the months is found once.
        let complete = CompleteMonths::until(self.as_of, ACCOUNT_MONTHS);
        let first = self.as_of.months_earlier(ACCOUNT_MONTHS + 1);
        let places: Vec<Option<u32>> = (first.0..=self.as_of.0).map(|day| complete.position(Date(day))).collect();
        let place = |month: Date| *places.get(usize::try_from(month.0.checked_sub(first.0)?).ok()?)?;
        // Rows of one account follow each other in most exports: what does not change is not looked up again.
        let mut owner = Remembered::new(|account| register.number(tables.accounts.household_id.get(account)?));
        for row in rows {
            let Some(position) = months.month.get(row).and_then(place) else { continue };
            let household = months.account_id.get(row).and_then(|account| owner.of(account));
            let Some(custom) = household.and_then(|household| self.customs.get_mut(household)) else { continue };
            custom.balances += i128::from(months.average_balance.get(row).unwrap_or(0));
            custom.has_transactions |= months.transaction_count.get(row).unwrap_or(0) > 0;
            custom.inflow_months |= u16::from(months.inflow.get(row).unwrap_or(0) > 0) << position;
        }
    }

    /// Takes some rows of loan months in.
    pub fn take_loan_months(
        &mut self,
        tables: &Tables,
        register: &Register,
        months: &LoanMonths,
        rows: impl Iterator<Item = usize>,
    ) {
        let window = Window::months_to(self.as_of, 12);
        let mut owner = Remembered::new(|loan| register.number(tables.loans.household_id.get(loan)?));
        let days = LoanDay::ALL.map(|day| day.date(self.as_of));
        for row in rows {
            let Some((loan, month_end)) = months.loan_id.get(row).zip(months.month_end.get(row)) else { continue };
            let standing = Standing {
                month_end,
                outstanding: months.outstanding.get(row),
                days_past_due: months.days_past_due.get(row),
                risk_class: months.risk_class.get(row),
            };
            for (slots, day) in self.standings.0.iter_mut().zip(days) {
                let Some(slot) = slots.get_mut(loan).filter(|_| month_end <= day) else { continue };
                if slot.is_none_or(|earlier| earlier.month_end < month_end) {
                    *slot = Some(standing);
                }
            }
            if window.contains(month_end)
                && let Some(worst) = owner.of(loan).and_then(|household| self.worst_classes.get_mut(household))
            {
                *worst = (*worst).max(standing.risk_class);
            }
        }
    }

    /// Takes some rows of instalments in.
    pub fn take_instalments(
        &mut self,
        tables: &Tables,
        register: &Register,
        instalments: &Instalments,
        rows: impl Iterator<Item = usize>,
    ) {
        let as_of = self.as_of;
        let (past, ahead) = (Window::months_to(as_of, 24), Window::months_from(as_of, 12));
        let mut owner = Remembered::new(|loan| register.number(tables.loans.household_id.get(loan)?));
        for row in rows {
            let Some((loan, due_on)) = instalments.loan_id.get(row).zip(instalments.due_on.get(row)) else { continue };
            let household = owner.of(loan);
            let Some(repayment) = household.and_then(|household| self.repayments.get_mut(household)) else { continue };
            let paid_on = instalments.paid_on.get(row).filter(|&paid| paid <= as_of);
            let closed_on = tables.loans.closed_on.get(loan).filter(|&closed| closed <= as_of);
            if past.contains(due_on) && closed_on.is_none_or(|closed| due_on <= closed) {
                repayment.due += 1;
                repayment.on_time += u32::from(paid_on.is_some_and(|paid| paid <= due_on));
                let until = paid_on.unwrap_or_else(|| closed_on.unwrap_or(as_of));
                let delay = i64::from(until.0 - due_on.0).max(0);
                repayment.delay_days_max = repayment.delay_days_max.max(Some(delay));
            }
            if ahead.contains(due_on) && closed_on.is_none() && paid_on.is_none() {
                repayment.due_ahead += i128::from(instalments.due_amount.get(row).unwrap_or(0));
            }
        }
    }
}

/// The last answer of a look-up, which is mostly the next one too.
struct Remembered<K, V, F> {
    look_up: F,
    last: Option<(K, Option<V>)>,
}

impl<K: Copy + PartialEq, V: Copy, F: Fn(K) -> Option<V>> Remembered<K, V, F> {
    fn new(look_up: F) -> Self {
        Remembered { look_up, last: None }
    }

    fn of(&mut self, key: K) -> Option<V> {
        match self.last {
            Some((same, value)) if same == key => value,
            _ => {
                let value = (self.look_up)(key);
                self.last = Some((key, value));
                value
            }
        }
    }
}
