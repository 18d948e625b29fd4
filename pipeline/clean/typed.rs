//! The cleaned input tables as Rust structs: one field per column of the contract, under its name.
//! Identifiers of the row itself are text, references are positions in the table that they name, words are codes in
//! the order of the contract, dates are days, times microseconds, money and decimals whole units of their last digit.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, LargeStringArray, StringArray,
    TimestampMicrosecondArray, UInt8Array, UInt32Array,
};
use arrow::datatypes::Int32Type;

use crate::calendar::Date;
use crate::contract::Contract;
use crate::fault::{Error, Result};

use super::index::IdIndex;
use super::table::Table;

/// One column, of which a row may be null.
pub trait Rows {
    type Value;
    fn get(&self, row: usize) -> Option<Self::Value>;
}

/// A kind of column and how it is taken out of a cleaned table.
trait Kind: Sized {
    fn take(column: &dyn Array) -> Option<Self>;
}

macro_rules! column_kinds {
    ($($(#[$doc:meta])* $name:ident($array:ty, $take:ident $(::<$parameter:ty>)?) -> $value:ty, $convert:expr;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name($array);

        impl Kind for $name {
            fn take(column: &dyn Array) -> Option<Self> {
                column.$take$(::<$parameter>)?().cloned().map($name)
            }
        }

        impl $name {
            /// The column as Arrow holds it.
            pub fn array(&self) -> &$array {
                &self.0
            }
        }

        impl Rows for $name {
            type Value = $value;
            #[inline]
            fn get(&self, row: usize) -> Option<$value> {
                let convert: fn(_) -> $value = $convert;
                self.0.is_valid(row).then(|| convert(self.0.value(row)))
            }
        }
    )+ };
}

column_kinds! {
    /// Days.
    Dates(Date32Array, as_primitive_opt::<arrow::datatypes::Date32Type>) -> Date, Date;
    /// Microseconds since 1970-01-01 00:00, wall clock.
    Times(TimestampMicrosecondArray, as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>) -> i64, |time| time;
    /// Counts, money in the smallest unit, decimals in units of their last digit.
    Numbers(Int64Array, as_primitive_opt::<arrow::datatypes::Int64Type>) -> i64, |number| number;
    Reals(Float64Array, as_primitive_opt::<arrow::datatypes::Float64Type>) -> f64, |real| real;
    Truths(BooleanArray, as_boolean_opt) -> bool, |truth| truth;
    /// Places in the contract's list of words.
    Words(UInt8Array, as_primitive_opt::<arrow::datatypes::UInt8Type>) -> u8, |code| code;
    /// Positions of identifiers in the table that the column refers to.
    References(UInt32Array, as_primitive_opt::<arrow::datatypes::UInt32Type>) -> usize, |position| position as usize;
}

impl Dates {
    /// The days up to one day; later ones are null, as they were on it.
    pub fn known_by(&self, day: Date) -> Dates {
        Dates(self.0.iter().map(|value| value.filter(|&value| value <= day.0)).collect())
    }
}

/// Texts and the row's own identifiers.
#[derive(Clone, Debug)]
pub enum Texts {
    Each(LargeStringArray),
    /// Text that many rows have is there once.
    Coded(Coded),
}

/// The place of each row's text in a list.
#[derive(Clone, Debug)]
pub struct Coded {
    places: Int32Array,
    texts: StringArray,
}

impl Kind for Texts {
    fn take(column: &dyn Array) -> Option<Self> {
        if let Some(texts) = column.as_string_opt::<i64>() {
            return Some(Texts::Each(texts.clone()));
        }
        let coded = column.as_dictionary_opt::<Int32Type>()?;
        let texts = coded.values().as_string_opt::<i32>()?.clone();
        Some(Texts::Coded(Coded { places: coded.keys().clone(), texts }))
    }
}

impl Coded {
    #[cfg(test)]
    pub fn of(places: Int32Array, texts: StringArray) -> Coded {
        Coded { places, texts }
    }

    /// How many texts are listed, each of them known to be there.
    pub fn listed(&self) -> usize {
        self.texts.len()
    }

    /// The place of a row's text.
    #[inline]
    pub fn place(&self, row: usize) -> Option<usize> {
        self.places.is_valid(row).then(|| self.places.value(row) as usize)
    }
}

impl Texts {
    #[inline]
    pub fn get(&self, row: usize) -> Option<&str> {
        match self {
            Texts::Each(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Texts::Coded(coded) => coded.place(row).map(|place| coded.texts.value(place)),
        }
    }

    /// The text, or nothing where there is none; for columns that are never null.
    #[inline]
    pub fn text(&self, row: usize) -> &str {
        self.get(row).unwrap_or("")
    }
}

macro_rules! typed_tables {
    ($($(#[$doc:meta])* $name:ident of $table:literal { $($column:ident: $kind:ident),+ $(,)? })+) => {
        /// Whether a stage reads a column; the others are checked and not kept.
        pub fn is_read(table: &str, column: &str) -> bool {
            match table {
                $($table => [$(stringify!($column)),+].contains(&column),)+
                _ => true,
            }
        }

        $(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            pub rows: usize,
            /// The table's identifiers, where other tables refer to it.
            pub ids: Arc<IdIndex>,
            $(pub $column: $kind),+
        }

        impl $name {
            pub fn take(contract: &Contract, table: &Table) -> Result<$name> {
                Ok($name {
                    rows: table.rows,
                    ids: table.index.clone().unwrap_or_default(),
                    $($column: take(contract, table, stringify!($column))?),+
                })
            }
        }
    )+ };
}

fn take<K: Kind>(contract: &Contract, table: &Table, column: &str) -> Result<K> {
    let position = contract.require(column)?;
    let taken = table.columns.get(position).and_then(|array| K::take(array.as_ref()));
    taken.ok_or_else(|| {
        Error::internal(format!("column `{column}` of `{}` is not of the type of its struct", contract.table))
    })
}

typed_tables! {
    /// Key area_id.
    Areas of "areas" {
        area_id: Texts, parent_area_id: References, level: Words, name: Texts, is_rural: Truths, population: Numbers,
        adult_population: Numbers, household_count: Numbers, land_km2: Numbers,
    }
    /// Key branch_id.
    Branches of "branches" {
        branch_id: Texts, parent_branch_id: References, level: Words, name: Texts, area_id: References, opened_on: Dates,
        closed_on: Dates,
    }
    /// Key grid_id.
    Grids of "grids" {
        grid_id: Texts, branch_id: References, area_id: References, kind: Words, settlement: Words, name: Texts,
        joined_on: Dates, valid_from: Dates, valid_to: Dates,
    }
    /// Key officer_id.
    Officers of "officers" { officer_id: Texts, branch_id: References, active_from: Dates, active_to: Dates }
    /// Key (grid_id, officer_id, duty, valid_from).
    Assignments of "assignments" { grid_id: References, officer_id: References, duty: Words, valid_from: Dates, valid_to: Dates }
    /// Key (household_id, valid_from); `ids` are the distinct households.
    Households of "households" {
        household_id: Texts, grid_id: References, kind: Words, head_name: Texts, notice_consent: Truths,
        member_count: Numbers, care_category: Words, longitude: Reals, latitude: Reals, valid_from: Dates, valid_to: Dates,
    }
    /// Key profile_id.
    Profiles of "profiles" {
        profile_id: Texts, household_id: References, officer_id: References, profiled_on: Dates, recorded_at: Times,
        labour_count: Numbers, annual_income: Numbers, annual_operating_cost: Numbers, total_assets: Numbers,
        total_liabilities: Numbers, land_mu: Reals, dwelling: Words, main_activity: Texts, has_insurance: Truths,
    }
    /// Key visit_id.
    Visits of "visits" {
        visit_id: Texts, officer_id: References, grid_id: References, household_id: References, started_at: Times,
        ended_at: Times, recorded_at: Times, channel: Words, purpose: Words, longitude: Reals, latitude: Reals, photo_hash: Texts,
        device_id: Texts, issue_level: Words, issue_status: Words, issue_resolved_at: Times,
    }
    /// Key account_id.
    Accounts of "accounts" {
        account_id: Texts, household_id: References, product: Words, opened_on: Dates, closed_on: Dates,
        has_mobile: Truths, has_pos: Truths,
    }
    /// Key (account_id, month).
    AccountMonths of "account_months" { account_id: References, month: Dates, average_balance: Numbers, inflow: Numbers, transaction_count: Numbers }
    /// Key loan_id.
    Loans of "loans" {
        loan_id: Texts, household_id: References, branch_id: References, borrower_kind: Words, purpose: Words,
        is_agricultural: Truths, guarantee: Words, credit_line: Numbers, principal: Numbers, annual_rate: Numbers,
        disbursed_on: Dates, closed_on: Dates,
    }
    /// Key (loan_id, month_end).
    LoanMonths of "loan_months" { loan_id: References, month_end: Dates, outstanding: Numbers, days_past_due: Numbers, risk_class: Words }
    /// Key (loan_id, due_on).
    Instalments of "instalments" { loan_id: References, due_on: Dates, due_amount: Numbers, paid_on: Dates }
    /// Key (household_id, reported_on).
    OutsideDebts of "outside_debts" {
        household_id: References, reported_on: Dates, outstanding: Numbers, monthly_payment: Numbers,
        guarantee_outstanding: Numbers, overdue_count_24m: Numbers,
    }
    /// Key event_id.
    ConductEvents of "conduct_events" { event_id: Texts, household_id: References, points: Numbers, status: Words, status_on: Dates, is_veto: Truths }
    /// Key (household_id, reviewer_id, reviewed_on).
    PeerReviews of "peer_reviews" {
        household_id: References, reviewer_id: Texts, reviewed_on: Dates, knows_household: Truths, score: Numbers,
        is_veto: Truths,
    }
    /// Key (household_id, list_name, listed_on).
    Watchlist of "watchlist" { household_id: References, list_name: Words, listed_on: Dates, delisted_on: Dates }
    /// Key point_id.
    ServicePoints of "service_points" {
        point_id: Texts, area_id: References, branch_id: References, kind: Words, closed_on: Dates, last_used_on: Dates,
        longitude: Reals, latitude: Reals, station_items: Numbers,
    }
    /// Key decision_id.
    Decisions of "decisions" {
        decision_id: Texts, household_id: References, decided_at: Times, reviewer_id: Texts, approver_id: Texts,
        action: Words, grade: Texts, limit: Numbers, overrides: Texts, reason: Texts, expires_on: Dates,
    }
}
