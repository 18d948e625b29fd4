//! Column contracts: the one source of truth for what a table holds. Reading, checking, writing and the
//! reference pages all go by the files under `schemas/tables/`, which are built into the program.
//! Leaves the checking of rows to `clean` and the writing of files to `publish`.

use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Deserializer};

use crate::decimal::Decimal;
use crate::fault::{Error, Fault, Result};

/// A text in the two languages of the product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    pub en: String,
    pub zh: String,
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Type {
    /// Text of 1 to 64 bytes without control characters.
    Id,
    Text,
    /// One word of the column's list.
    Word,
    Date,
    /// A wall-clock moment in microseconds, without zone.
    Time,
    Bool,
    /// A whole number, not negative.
    Count,
    /// A whole number, signed.
    Integer,
    /// decimal(18,2) in the bank's currency.
    Money,
    /// A 64-bit float in 0..1.
    Share,
    /// A finite 64-bit float.
    Real,
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// A list of texts.
    List,
}

impl TryFrom<String> for Type {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        Ok(match text.as_str() {
            "id" => Type::Id,
            "text" => Type::Text,
            "word" => Type::Word,
            "date" => Type::Date,
            "time" => Type::Time,
            "bool" => Type::Bool,
            "count" => Type::Count,
            "integer" => Type::Integer,
            "money" => Type::Money,
            "share" => Type::Share,
            "real" => Type::Real,
            "list" => Type::List,
            other => {
                let inner = other.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')'));
                let parts = inner.and_then(|inner| inner.split_once(','));
                match parts.map(|(precision, scale)| (precision.trim().parse(), scale.trim().parse())) {
                    Some((Ok(precision), Ok(scale))) if scale <= precision && precision <= 38 => {
                        Type::Decimal { precision, scale }
                    }
                    _ => return Err(format!("`{other}` is no type of a column")),
                }
            }
        })
    }
}

impl Type {
    /// Digits after the point of a type that is counted in whole units; None where it is not.
    pub fn scale(self) -> Option<u32> {
        match self {
            Type::Count | Type::Integer => Some(0),
            Type::Money => Some(2),
            Type::Decimal { scale, .. } => Some(u32::from(scale)),
            _ => None,
        }
    }

    /// Most digits of a decimal type, before and after the point together.
    pub fn precision(self) -> Option<u32> {
        match self {
            Type::Count | Type::Integer | Type::Money => Some(18),
            Type::Decimal { precision, .. } => Some(u32::from(precision)),
            _ => None,
        }
    }

    /// The type as a person reads it in a message: "a date", "an amount of money".
    pub fn describe(self) -> String {
        match self {
            Type::Id => "an identifier".into(),
            Type::Text => "a text".into(),
            Type::Word => "a word of the list".into(),
            Type::Date => "a date".into(),
            Type::Time => "a time".into(),
            Type::Bool => "true or false".into(),
            Type::Count => "a count".into(),
            Type::Integer => "a whole number".into(),
            Type::Money => "an amount with at most 2 decimals".into(),
            Type::Share => "a share".into(),
            Type::Real => "a number".into(),
            Type::Decimal { scale, .. } => format!("a number with at most {scale} decimals"),
            Type::List => "a list".into(),
        }
    }

    /// The Arrow type in which a column of an output table is written.
    pub fn arrow(self) -> DataType {
        match self {
            Type::Id | Type::Text | Type::Word => DataType::Utf8,
            Type::Date => DataType::Date32,
            Type::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
            Type::Bool => DataType::Boolean,
            Type::Count | Type::Integer => DataType::Int64,
            Type::Money => DataType::Decimal128(18, 2),
            Type::Share | Type::Real => DataType::Float64,
            Type::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
            Type::List => DataType::List(std::sync::Arc::new(Field::new("item", DataType::Utf8, false))),
        }
    }
}

/// On which day of its month a date must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayRule {
    FirstOfMonth,
    LastOfMonth,
}

/// Where a fact comes from: its window and the input tables that it reads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactOrigin {
    pub window_months: Option<u32>,
    pub tables: Vec<String>,
}

/// One column of a table: its name, type, bounds and meaning.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Type,
    #[serde(default)]
    pub nullable: bool,
    /// The table whose first key column holds the value.
    pub references: Option<String>,
    /// Levels of which a referenced area must be.
    #[serde(default)]
    pub area_levels: Vec<String>,
    /// The reference is to the row's parent in the same table.
    #[serde(default)]
    pub parent: bool,
    /// A parent's word in this column must stand before the row's own.
    pub higher_level: Option<String>,
    /// Words of `higher_level` that are of the same height.
    #[serde(default)]
    pub equal_levels: Vec<String>,
    #[serde(default)]
    pub words: Vec<String>,
    #[serde(default, deserialize_with = "bound")]
    pub minimum: Option<Decimal>,
    #[serde(default, deserialize_with = "bound")]
    pub maximum: Option<Decimal>,
    #[serde(default, deserialize_with = "bound")]
    pub more_than: Option<Decimal>,
    pub day: Option<DayRule>,
    /// The column without which this one is nothing: a longitude without its latitude.
    pub together: Option<String>,
    pub unit: Option<String>,
    /// Never shown in a message, a log or an output table.
    #[serde(default)]
    pub sensitive: bool,
    pub fact: Option<FactOrigin>,
    pub meaning: Bilingual,
}

impl Column {
    /// The place of a word in the column's list, which is also its code in memory.
    pub fn word_code(&self, word: &str) -> Option<u8> {
        self.words.iter().position(|own| own == word).and_then(|position| u8::try_from(position).ok())
    }
}

/// `column` may not lie before `not_before`, or must lie after `after`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateOrder {
    pub column: String,
    pub not_before: Option<String>,
    pub after: Option<String>,
}

/// One table: its grain, key and columns, and for an input also when a row of it is known.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    pub table: String,
    /// Place in the order in which input tables are checked; what a table refers to stands before it.
    #[serde(default)]
    pub order: u32,
    #[serde(default)]
    pub required: bool,
    pub grain: Bilingual,
    pub key: Vec<String>,
    /// The row's own date; a table without one is always known, or known with what it refers to.
    pub known_from: Option<String>,
    /// `month_end`: the own date is a month, which counts from its last day.
    pub known_at: Option<String>,
    pub recorded_at: Option<String>,
    #[serde(default)]
    pub date_order: Vec<DateOrder>,
    /// The subject of which at most one row may be valid on a day.
    pub validity_of: Option<String>,
    pub columns: Vec<Column>,
}

impl Contract {
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own.name == column)
    }

    /// The position of a column that the contract itself or a stage names.
    pub fn require(&self, column: &str) -> Result<usize> {
        self.position(column)
            .ok_or_else(|| Error::internal(format!("table `{}` has no column `{column}` in its contract", self.table)))
    }

    pub fn column(&self, column: &str) -> Result<&Column> {
        let position = self.require(column)?;
        self.columns.get(position).ok_or_else(|| Error::internal(format!("no column `{column}`")))
    }

    /// The code of a word in memory, for stages that look for one word.
    pub fn word_code(&self, column: &str, word: &str) -> Result<u8> {
        self.column(column)?.word_code(word).ok_or_else(|| {
            Error::internal(format!("column `{column}` of `{}` has no word `{word}` in its contract", self.table))
        })
    }
}

/// All tables of the product.
#[derive(Clone, Debug)]
pub struct Contracts {
    /// In the order in which they are read and checked.
    pub inputs: Vec<Contract>,
    /// In the order of the stages that make them.
    pub outputs: Vec<Contract>,
    /// What conditions and measures of indicators may name, by base table.
    pub bases: Vec<Contract>,
    /// What leaves the bank.
    pub regulator: Vec<Contract>,
}

impl Contracts {
    /// The contracts that are built into the program.
    pub fn built_in() -> Result<Contracts> {
        let mut inputs = INPUT_FILES.iter().map(parse).collect::<Result<Vec<_>>>()?;
        inputs.sort_by_key(|contract| contract.order);
        let outputs = OUTPUT_FILES.iter().map(parse).collect::<Result<Vec<_>>>()?;
        let mut bases = BASE_FILES.iter().map(parse).collect::<Result<Vec<_>>>()?;
        extend(&mut bases, "households", find(&outputs, "household_facts")?, |column| column.fact.is_some());
        extend(&mut bases, "grids", find(&outputs, "grid_coverage")?, |column| column.kind == Type::Count);
        let regulator = REGULATOR_FILES.iter().map(parse).collect::<Result<Vec<_>>>()?;
        Ok(Contracts { inputs, outputs, bases, regulator })
    }

    pub fn input(&self, table: &str) -> Result<&Contract> {
        find(&self.inputs, table)
    }

    pub fn output(&self, table: &str) -> Result<&Contract> {
        find(&self.outputs, table)
    }

    pub fn base(&self, table: &str) -> Result<&Contract> {
        find(&self.bases, table)
    }

    pub fn regulator(&self, table: &str) -> Result<&Contract> {
        find(&self.regulator, table)
    }
}

/// Gives a base table the columns of an output table that it does not name itself: said once, they mean the same.
fn extend(bases: &mut [Contract], table: &str, output: &Contract, is_wanted: fn(&Column) -> bool) {
    if let Some(base) = bases.iter_mut().find(|base| base.table == table) {
        let missing = output.columns.iter().filter(|column| is_wanted(column) && base.position(&column.name).is_none());
        let missing: Vec<Column> = missing.cloned().collect();
        base.columns.extend(missing);
    }
}

fn find<'a>(contracts: &'a [Contract], table: &str) -> Result<&'a Contract> {
    contracts
        .iter()
        .find(|contract| contract.table == table)
        .ok_or_else(|| Error::internal(format!("there is no contract for table `{table}`")))
}

fn parse((path, text): &(&str, &str)) -> Result<Contract> {
    toml::from_str(text)
        .map_err(|error| Error::refused(Fault::new(format!("`schemas/tables/{path}` is no contract")).caused_by(error)))
}

/// A bound is written as a whole number or a decimal, and taken exactly.
fn bound<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Decimal>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Integer(i64),
        Float(f64),
    }
    let text = match Number::deserialize(deserializer)? {
        Number::Integer(value) => value.to_string(),
        Number::Float(value) => value.to_string(),
    };
    Decimal::parse(&text).map(Some).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no exact decimal")))
}

macro_rules! table_files {
    ($($path:literal),+ $(,)?) => { &[$(($path, include_str!(concat!("../schemas/tables/", $path)))),+] };
}

const INPUT_FILES: &[(&str, &str)] = table_files![
    "input/areas.toml",
    "input/branches.toml",
    "input/grids.toml",
    "input/officers.toml",
    "input/assignments.toml",
    "input/households.toml",
    "input/profiles.toml",
    "input/visits.toml",
    "input/accounts.toml",
    "input/account_months.toml",
    "input/loans.toml",
    "input/loan_months.toml",
    "input/instalments.toml",
    "input/outside_debts.toml",
    "input/conduct_events.toml",
    "input/peer_reviews.toml",
    "input/watchlist.toml",
    "input/service_points.toml",
    "input/decisions.toml",
];

const OUTPUT_FILES: &[(&str, &str)] = table_files![
    "output/visit_checks.toml",
    "output/household_facts.toml",
    "output/scorecard_points.toml",
    "output/household_grades.toml",
    "output/grant_limits.toml",
    "output/grid_coverage.toml",
    "output/branch_coverage.toml",
    "output/area_coverage.toml",
    "output/officer_assessments.toml",
    "output/village_ratings.toml",
    "output/conduct_ranking.toml",
    "output/partition_faults.toml",
    "output/grid_funding.toml",
    "output/work_list.toml",
    "output/indicators.toml",
    "output/grade_monitor.toml",
    "output/grade_migration.toml",
    "output/public_notice.toml",
    "output/quarantine.toml",
];

/// In the order of `BaseTable`.
const BASE_FILES: &[(&str, &str)] = table_files![
    "base/households.toml",
    "base/loans.toml",
    "base/grids.toml",
    "base/areas.toml",
    "base/branches.toml",
    "base/service_points.toml",
    "base/visits.toml",
];

const REGULATOR_FILES: &[(&str, &str)] =
    table_files!["regulator/indicators.toml", "regulator/ref_areas.toml", "regulator/revisions.toml"];
