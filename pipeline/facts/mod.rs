//! The measured columns of a household that scorecards, vetoes and limits read (`rules.md` §4).
//! One file per subject, one function per fact or per group of facts that share a pass over their table.
//! Leaves to the rulebook what a value is worth, and keeps null what no rule gives a value.

mod accounts;
mod conduct;
pub mod ledgers;
mod loans;
mod outside;
mod profile;
mod visited;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::{Float64Type, Int64Type};
use rayon::prelude::*;

use crate::clean::Tables;
use crate::contract::Contracts;
use crate::fault::{Error, Fault, Result};
use crate::register::Register;
use crate::rulebook::{FACTS, FactDefinition, FactRules};
use crate::visits::tallies::VisitTallies;

use ledgers::{Ledgers, Standings};

/// The measured value of one fact of one household.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FactValue {
    /// A count, money in the smallest unit, points in tenths.
    Whole(i64),
    /// A share or another ratio.
    Ratio(f64),
}

/// All facts; grain one household of the run, in the order of the register.
#[derive(Debug)]
pub struct Facts {
    /// In the order of the catalogue: whole numbers or ratios.
    columns: Vec<ArrayRef>,
    pub households: usize,
    /// Whether the household has an account open on the as-of date.
    pub has_open_account: BooleanArray,
    /// Whether there was a transaction on any account of the household in the 12 latest complete months.
    pub has_transactions: BooleanArray,
    /// How every loan of the bank stood, with a household of the run or not.
    pub standings: Standings,
}

impl Facts {
    /// A fact that is counted in whole units.
    pub fn whole(&self, fact: &str) -> Result<&Int64Array> {
        let column = self.column(fact).and_then(|column| column.as_primitive_opt::<Int64Type>());
        column.ok_or_else(|| Error::internal(format!("`{fact}` is no fact in whole units")))
    }

    /// The column of a fact, by its name.
    pub fn column(&self, fact: &str) -> Option<&ArrayRef> {
        FACTS.iter().position(|known| known.name == fact).and_then(|position| self.columns.get(position))
    }

    pub fn value(&self, fact: &str, household: usize) -> Option<FactValue> {
        value_at(self.column(fact)?, household)
    }

    pub fn columns(&self) -> impl Iterator<Item = (&'static FactDefinition, &ArrayRef)> {
        FACTS.iter().zip(&self.columns)
    }

    /// The values of a fact, for those who ask of many households.
    pub fn values(&self, fact: &str) -> Result<FactValues<'_>> {
        let values = self.column(fact).and_then(FactValues::of);
        values.ok_or_else(|| Error::internal(format!("no fact `{fact}`")))
    }
}

/// The values of one fact, of which it is known how they are kept.
#[derive(Clone, Copy, Debug)]
pub enum FactValues<'a> {
    Whole(&'a Int64Array),
    Ratio(&'a Float64Array),
}

impl<'a> FactValues<'a> {
    /// None of a column that is no fact's.
    pub fn of(column: &'a ArrayRef) -> Option<FactValues<'a>> {
        let ratios = || column.as_primitive_opt::<Float64Type>().map(FactValues::Ratio);
        column.as_primitive_opt::<Int64Type>().map(FactValues::Whole).or_else(ratios)
    }

    /// The value of a household, where there is one.
    pub fn get(self, household: usize) -> Option<FactValue> {
        match self {
            FactValues::Whole(wholes) => whole_at(wholes, household).map(FactValue::Whole),
            FactValues::Ratio(ratios) => ratios.is_valid(household).then(|| FactValue::Ratio(ratios.value(household))),
        }
    }
}

/// The value of a fact's column at a household.
pub fn value_at(column: &ArrayRef, household: usize) -> Option<FactValue> {
    FactValues::of(column)?.get(household)
}

/// The value of a column of whole units at a household.
pub fn whole_at(column: &Int64Array, household: usize) -> Option<i64> {
    column.is_valid(household).then(|| column.value(household))
}

/// What every group of facts is computed from.
struct Evidence<'a> {
    tables: &'a Tables,
    register: &'a Register,
    ledgers: &'a Ledgers,
    visits: &'a VisitTallies,
    rules: &'a FactRules,
    contracts: &'a Contracts,
}

type Columns = Vec<(&'static str, ArrayRef)>;
/// Facts of one subject, all from one pass over their tables.
type Group = fn(&Evidence) -> Result<Columns>;

/// Measures every fact of every household of the run, from the tables, the sums of the ledgers and what the checked
/// visits add up to.
pub fn measure(
    tables: &Tables,
    register: &Register,
    ledgers: Ledgers,
    visits: &VisitTallies,
    rules: &FactRules,
    contracts: &Contracts,
) -> Result<Facts> {
    const GROUPS: [Group; 7] = [
        accounts::measure,
        loans::measure,
        profile::measure,
        outside::measure,
        conduct::measure,
        conduct::measure_peers,
        visited::measure,
    ];
    let evidence = Evidence { tables, register, ledgers: &ledgers, visits, rules, contracts };
    let groups: Vec<Result<Columns>> = GROUPS.par_iter().with_max_len(1).map(|group| group(&evidence)).collect();
    // Of several faults the first in the order of groups is told, whichever thread was first.
    let groups = groups.into_iter().collect::<Result<Vec<_>>>()?;
    let mut by_name: BTreeMap<&str, ArrayRef> = groups.into_iter().flatten().collect();
    for (name, column) in combined(&by_name, &evidence)? {
        by_name.insert(name, column);
    }
    let mut mark = |name: &str| {
        let column = by_name.remove(name).and_then(|column| column.as_boolean_opt().cloned());
        column.ok_or_else(|| Error::internal(format!("{name}: not measured")))
    };
    let (has_open_account, has_transactions) = (mark(accounts::OPEN_ACCOUNT)?, mark(accounts::TRANSACTIONS)?);
    let columns = FACTS.iter().map(|fact| {
        by_name.remove(fact.name).ok_or_else(|| Error::internal(format!("fact `{}` is not measured", fact.name)))
    });
    let columns = columns.collect::<Result<_>>()?;
    let standings = ledgers.standings;
    Ok(Facts { columns, households: register.len(), has_open_account, has_transactions, standings })
}

/// Facts that are made of facts of several subjects.
fn combined(facts: &BTreeMap<&str, ArrayRef>, evidence: &Evidence) -> Result<Columns> {
    let whole = |fact: &str| {
        let column = facts.get(fact).and_then(|column| column.as_primitive_opt::<Int64Type>());
        column.ok_or_else(|| Error::internal(format!("fact `{fact}` is not measured yet")))
    };
    let (due, monthly) = (whole(loans::INSTALMENTS_AHEAD)?, whole("outside_monthly_payment")?);
    let net_income = whole("net_income")?;
    let households = 0..evidence.register.len();
    let debt_service = households.clone().map(|household| {
        let [own, outside] = [due, monthly].map(|column| i128::from(whole_at(column, household).unwrap_or(0)));
        own + 12 * outside
    });
    let debt_service = evidence.whole("debt_service_12m", debt_service.map(Some))?;
    let amounts = debt_service.as_primitive::<Int64Type>();
    let debt_service_share: Float64Array = households
        .map(|household| {
            let income = whole_at(net_income, household).filter(|&income| income > 0)?;
            Some(amounts.value(household) as f64 / income as f64)
        })
        .collect();
    Ok(vec![("debt_service_12m", Arc::clone(&debt_service)), ("debt_service_share", Arc::new(debt_service_share))])
}

/// Most units that decimal(18,2), and every other whole fact, can hold.
const WHOLE_MAX: i128 = 999_999_999_999_999_999;

impl Evidence<'_> {
    /// A column of whole units; refuses a sum that no column can hold, naming its household.
    fn whole(&self, fact: &str, values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
        let mut column = Int64Array::builder(self.register.len());
        for (household, value) in values.enumerate() {
            match value {
                None => column.append_null(),
                Some(value) if value.abs() <= WHOLE_MAX => column.append_value(value as i64),
                Some(_) => {
                    let id = self.tables.households.household_id.text(self.register.row(household));
                    let fault = Fault::new(format!("`{fact}` of household `{id}` is too large for decimal(18,2)"));
                    return Err(Error::refused(fault.hint("look for an amount in a wrong unit among its rows")));
                }
            }
        }
        Ok(Arc::new(column.finish()))
    }

    /// A column without a single value: the table behind it is absent.
    fn absent_whole(&self) -> ArrayRef {
        Arc::new(Int64Array::new_null(self.register.len()))
    }

    fn absent_ratio(&self) -> ArrayRef {
        Arc::new(Float64Array::new_null(self.register.len()))
    }

    /// The household of the run to which a row of another table belongs, by the position of its identifier.
    fn household(&self, position: Option<usize>) -> Option<usize> {
        self.register.number(position?)
    }

    fn member_count(&self, household: usize) -> i64 {
        use crate::clean::typed::Rows as _;
        self.tables.households.member_count.get(self.register.row(household)).unwrap_or(1)
    }
}

/// Counts as a column that is never null.
fn counts(values: impl IntoIterator<Item = u32>) -> ArrayRef {
    Arc::new(values.into_iter().map(i64::from).map(Some).collect::<Int64Array>())
}
