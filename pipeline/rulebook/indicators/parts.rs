//! A part of an indicator: one measure over one base table, with a condition on its documented columns. Reads it and
//! refuses what would not be a whole number that adds up: sums of ratios, unknown columns, conditions that are none.

use super::condition::{self, Condition};
use crate::contract::{Contract, Contracts, Type};
use crate::rulebook::table::Table;

/// What an indicator can be measured over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BaseTable {
    Households,
    Loans,
    Grids,
    Areas,
    Branches,
    ServicePoints,
    Visits,
}

impl BaseTable {
    pub const ALL: [BaseTable; 7] = [
        BaseTable::Households,
        BaseTable::Loans,
        BaseTable::Grids,
        BaseTable::Areas,
        BaseTable::Branches,
        BaseTable::ServicePoints,
        BaseTable::Visits,
    ];

    pub fn name(self) -> &'static str {
        match self {
            BaseTable::Households => "households",
            BaseTable::Loans => "loans",
            BaseTable::Grids => "grids",
            BaseTable::Areas => "areas",
            BaseTable::Branches => "branches",
            BaseTable::ServicePoints => "service_points",
            BaseTable::Visits => "visits",
        }
    }

    /// Whether a row belongs to a branch: areas and the branches themselves are counted by area only.
    pub fn has_branches(self) -> bool {
        !matches!(self, BaseTable::Areas | BaseTable::Branches)
    }
}

/// Columns are positions in the base table's contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Rows.
    Count,
    /// Whole units of the column's last digit.
    Sum {
        column: usize,
        scale: u32,
    },
    Union(Distinct),
}

/// What a union counts once, however many rows name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    Areas,
    /// The household or, outside the grids, the loan.
    Customers,
}

/// One numerator or denominator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How people call what is counted: `granted`, `households`.
    pub id: String,
    pub table: BaseTable,
    pub measure: Measure,
    /// None: every row.
    pub condition: Option<Condition>,
    /// Whether the number counts households, so that a small one may not leave the bank.
    pub counts_households: bool,
    /// Optional input tables without which there is no such number.
    pub sources: Vec<String>,
}

impl Part {
    /// The same rows measured in the same way, whatever they are called.
    pub fn is_same_measure(&self, other: &Part) -> bool {
        let expression = |part: &Part| part.condition.as_ref().map(|condition| condition.expression.clone());
        self.table == other.table && self.measure == other.measure && expression(self) == expression(other)
    }

    /// Notes every column that is read.
    pub fn columns(&self, found: &mut Vec<usize>) {
        if let Measure::Sum { column, .. } = self.measure {
            found.push(column);
        }
        self.condition.iter().for_each(|condition| condition.expression.columns(found));
    }

    /// Digits after the point of its unit.
    pub fn scale(&self) -> u32 {
        match self.measure {
            Measure::Sum { scale, .. } => scale,
            Measure::Count | Measure::Union(_) => 0,
        }
    }
}

/// Values of a column over the rows of a base table, of which an indicator takes a quantile or an inequality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observations {
    pub id: String,
    pub table: BaseTable,
    pub column: usize,
    /// Digits after the point of a column in whole units; None: a real.
    pub scale: Option<u32>,
    pub condition: Option<Condition>,
    pub sources: Vec<String>,
}

impl Observations {
    /// Notes every column that is read.
    pub fn columns(&self, found: &mut Vec<usize>) {
        found.push(self.column);
        self.condition.iter().for_each(|condition| condition.expression.columns(found));
    }
}

/// Reads a part, or notes why there is none.
pub(super) fn read_part(table: &Table<'_>, contracts: &Contracts) -> Option<Part> {
    let id = table.label("id");
    let head = read_head(table, contracts);
    let measure = table.word("measure", &["count", "sum", "union"]);
    // Asked for here too, so that a condition that is none is not followed by a complaint about what it does not touch.
    let _ = head.is_none() && table.has("of");
    let measure = measure.zip(head.as_ref()).and_then(|(measure, (_, contract, _))| match measure.as_str() {
        "count" => Some(Measure::Count),
        "sum" => read_sum(table, contract),
        _ => read_union(table, contract),
    });
    table.close();
    let (base, contract, condition) = head?;
    let measure = measure?;
    let summed = match measure {
        Measure::Sum { column, .. } => contract.columns.get(column),
        Measure::Count | Measure::Union(_) => None,
    };
    let counts_households = match measure {
        Measure::Count => base == BaseTable::Households,
        Measure::Sum { .. } => summed.is_some_and(|column| column.unit.as_deref() == Some("households")),
        Measure::Union(distinct) => distinct == Distinct::Customers,
    };
    let columns = match measure {
        Measure::Sum { column, .. } => vec![column],
        Measure::Count | Measure::Union(_) => Vec::new(),
    };
    let sources = sources(base, contract, columns, condition.as_ref());
    Some(Part { id: id?, table: base, measure, condition, counts_households, sources })
}

/// Reads observations: `of` is a column of whole units or of reals.
pub(super) fn read_observations(table: &Table<'_>, contracts: &Contracts) -> Option<Observations> {
    let id = table.label("id");
    let head = read_head(table, contracts);
    let column = head.as_ref().and_then(|(_, contract, _)| read_column(table, contract));
    let _ = head.is_none() && table.has("of");
    table.close();
    let (base, contract, condition) = head?;
    let column = column?;
    let kind = contract.columns.get(column)?.kind;
    if kind.scale().is_none() && !matches!(kind, Type::Share | Type::Real) {
        let sentence = format!("`{}` is {}, no number", contract.columns.get(column)?.name, kind.describe());
        table.fault("of", &sentence, "name a column of numbers");
        return None;
    }
    let sources = sources(base, contract, vec![column], condition.as_ref());
    Some(Observations { id: id?, table: base, column, scale: kind.scale(), condition, sources })
}

type Head<'c> = (BaseTable, &'c Contract, Option<Condition>);

fn read_head<'c>(table: &Table<'_>, contracts: &'c Contracts) -> Option<Head<'c>> {
    let name = table.word("table", &BaseTable::ALL.map(BaseTable::name));
    let text = if table.has("where") { Some(table.text("where")?) } else { None };
    let name = name?;
    let base = BaseTable::ALL.into_iter().find(|base| base.name() == name)?;
    let contract = contracts.base(&name).ok()?;
    let Some(text) = text else { return Some((base, contract, None)) };
    match condition::read(&text, contract) {
        Ok(condition) => Some((base, contract, Some(condition))),
        Err(refusal) => {
            table.fault("where", &refusal.sentence, &refusal.hint);
            None
        }
    }
}

fn read_column(table: &Table<'_>, contract: &Contract) -> Option<usize> {
    let name = table.label("of")?;
    let position = contract.position(&name);
    if position.is_none() {
        let known: Vec<&str> = contract.columns.iter().map(|column| column.name.as_str()).collect();
        let sentence = format!("`{}` has no column `{name}`", contract.table);
        table.fault("of", &sentence, &format!("its columns are {}", known.join(", ")));
    }
    position
}

fn read_sum(table: &Table<'_>, contract: &Contract) -> Option<Measure> {
    let column = read_column(table, contract)?;
    let summed = contract.columns.get(column)?;
    match summed.kind.scale() {
        Some(scale) => Some(Measure::Sum { column, scale }),
        None if matches!(summed.kind, Type::Share | Type::Real) => {
            let sentence = format!("`{}` is a ratio, and ratios are never summed", summed.name);
            let hint = "sum the two amounts that it is made of, as numerator and denominator; the share is taken last";
            table.fault("of", &sentence, hint);
            None
        }
        None => {
            let sentence = format!("`{}` is {} and cannot be summed", summed.name, summed.kind.describe());
            table.fault("of", &sentence, "sum a count or an amount, or count rows with `measure = \"count\"`");
            None
        }
    }
}

fn read_union(table: &Table<'_>, contract: &Contract) -> Option<Measure> {
    let distinct = match table.word("of", &["area_id", "customer"])?.as_str() {
        "area_id" => Distinct::Areas,
        _ => Distinct::Customers,
    };
    if distinct == Distinct::Customers && contract.table != BaseTable::Loans.name() {
        let sentence = format!("a row of `{}` has no customer", contract.table);
        table.fault("of", &sentence, "customers are those of `loans`; households are counted over `households`");
        return None;
    }
    Some(Measure::Union(distinct))
}

/// The optional input tables behind what is read.
fn sources(base: BaseTable, contract: &Contract, read: Vec<usize>, condition: Option<&Condition>) -> Vec<String> {
    let mut columns = read;
    if let Some(condition) = condition {
        condition.expression.columns(&mut columns);
    }
    let origins = columns.iter().filter_map(|&column| contract.columns.get(column)?.fact.as_ref());
    let mut sources: Vec<String> = origins.flat_map(|origin| origin.tables.iter().cloned()).collect();
    if base == BaseTable::ServicePoints {
        sources.push(base.name().to_owned());
    }
    sources.sort();
    sources.dedup();
    sources
}
