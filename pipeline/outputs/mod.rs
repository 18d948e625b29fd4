//! The results of the stages as output tables: one function per table, columns and types by its contract, rows sorted
//! by its key. Nothing is computed here that a stage has not computed; files are left to `publish`.

mod coverage;
mod households;
mod indicators;
mod order;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, UInt32Array,
};
use arrow::datatypes::{DataType, Field, Schema};

use crate::clean::typed::Rows as _;
use crate::clean::{SetAside, Tables};
use crate::contract::{Contract, Contracts, Type};
use crate::coverage::Coverage;
use crate::facts::Facts;
use crate::fault::{Error, Result};
use crate::grade::ModelGrade;
use crate::indicators::Indicators;
use crate::limit::Limit;
use crate::limit::credit_list::Place;
use crate::limit::decisions::Decided;
use crate::previous::Previous;
use crate::register::Register;
use crate::rulebook::Rulebook;
use crate::score::Scores;
use crate::visits::VisitChecks;

/// One output table and its rows.
#[derive(Clone, Debug)]
pub struct OutputTable {
    pub name: String,
    pub batch: RecordBatch,
}

/// Everything that the stages found, from which the tables are made.
pub struct Results<'a> {
    pub tables: &'a Tables,
    pub register: &'a Register,
    pub checks: &'a VisitChecks,
    pub facts: &'a Facts,
    pub scores: &'a Scores,
    pub grades: &'a [ModelGrade],
    pub limits: &'a [Limit],
    pub decided: &'a Decided,
    pub lists: &'a [Place],
    pub coverage: &'a Coverage,
    pub indicators: &'a Indicators,
    pub set_aside: &'a [SetAside],
    pub previous: &'a Previous,
    pub rulebook: &'a Rulebook,
    pub contracts: &'a Contracts,
}

type Make = for<'a, 'b> fn(&'a Results<'b>) -> Result<Vec<ArrayRef>>;

/// The output tables, by name.
const TABLES: [(&str, Make); 17] = [
    ("visit_checks", households::visit_checks),
    ("household_facts", households::household_facts),
    ("scorecard_points", households::scorecard_points),
    ("household_grades", households::household_grades),
    ("grant_limits", households::grant_limits),
    ("grid_coverage", coverage::grid_coverage),
    ("branch_coverage", coverage::branch_coverage),
    ("area_coverage", coverage::area_coverage),
    ("officer_assessments", coverage::officer_assessments),
    ("village_ratings", coverage::village_ratings),
    ("conduct_ranking", coverage::conduct_ranking),
    ("partition_faults", coverage::partition_faults),
    ("grid_funding", coverage::grid_funding),
    ("work_list", coverage::work_list),
    ("indicators", indicators::indicators),
    ("public_notice", coverage::public_notice),
    ("quarantine", households::quarantine),
];

/// Makes every output table of the run.
pub fn tables(results: &Results) -> Result<Vec<OutputTable>> {
    use rayon::prelude::*;
    TABLES
        .par_iter()
        .map(|&(name, make)| {
            let contract = results.contracts.output(name)?;
            Ok(OutputTable { name: name.to_string(), batch: batch(contract, make(results)?)? })
        })
        .collect()
}

/// Puts columns under the names and types of a contract; a column of another type is a fault of the program. Text may
/// be coded, and is written as text.
pub fn batch(contract: &Contract, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let fields: Vec<Field> = contract
        .columns
        .iter()
        .zip(&columns)
        .map(|(column, array)| {
            let is_coded = column.kind.arrow() == DataType::Utf8 && *array.data_type() == coded_type();
            let kind = if is_coded { coded_type() } else { column.kind.arrow() };
            Field::new(&column.name, kind, column.nullable)
        })
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| Error::internal(format!("table `{}` breaks its contract: {error}", contract.table)))
}

pub fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// Text of which many rows hold the same: the place of each row's text among `texts`. The tables of visits and points
/// have many rows for a household, and hold its identifier once.
fn coded<'a>(codes: impl Iterator<Item = Option<usize>>, texts: impl Iterator<Item = &'a str>) -> Result<ArrayRef> {
    let codes: UInt32Array = codes.map(|code| code.map(|code| code as u32)).collect();
    let texts = Arc::new(texts.map(Some).collect::<StringArray>());
    let coded = DictionaryArray::try_new(codes, texts);
    coded.map(|coded| Arc::new(coded) as ArrayRef).map_err(|error| Error::internal(error.to_string()))
}

fn coded_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))
}

/// The columns of one table, made at once.
fn at_once(columns: Vec<Box<dyn Fn() -> Result<ArrayRef> + Sync + Send + '_>>) -> Result<Vec<ArrayRef>> {
    use rayon::prelude::*;
    columns.into_par_iter().map(|column| column()).collect()
}

fn list<V: AsRef<str>>(rows: impl Iterator<Item = impl IntoIterator<Item = V>>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, false));
    for row in rows {
        for value in row {
            builder.values().append_value(value);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn whole(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn truth(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<BooleanArray>())
}

/// Whole units as decimals of a scale; refuses what the precision cannot hold.
fn decimals(kind: Type, values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
    let precision = kind.precision().unwrap_or(18) as u8;
    let scale = kind.scale().unwrap_or(0) as i8;
    let array: Decimal128Array = values.collect();
    let array = array.with_precision_and_scale(precision, scale).and_then(|array| {
        array.validate_decimal_precision(precision)?;
        Ok(array)
    });
    array
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|error| Error::internal(format!("an amount is too large for decimal({precision},{scale}): {error}")))
}

const MONEY: Type = Type::Money;
const POINTS: Type = Type::Decimal { precision: 5, scale: 1 };

impl Results<'_> {
    fn numbers(&self) -> std::ops::Range<usize> {
        0..self.register.len()
    }

    fn household_id(&self, number: usize) -> &str {
        self.tables.households.household_id.text(self.register.row(number))
    }

    /// `household_id, branch_id, grid_id, area_id, kind`.
    fn identity(&self) -> Result<Vec<ArrayRef>> {
        let (tables, register) = (self.tables, self.register);
        let kinds = &self.contracts.input("households")?.column("kind")?.words;
        let kind = |number: usize| tables.households.kind.get(register.row(number)).map_or(usize::MAX, usize::from);
        Ok(vec![
            text(self.numbers().map(|number| Some(self.household_id(number)))),
            text(self.numbers().map(|number| Some(tables.branches.branch_id.text(register.branch(number))))),
            text(self.numbers().map(|number| Some(tables.grids.grid_id.text(register.grid(number))))),
            text(self.numbers().map(|number| Some(tables.areas.area_id.text(register.area(number))))),
            text(self.numbers().map(|number| kinds.get(kind(number)).map(String::as_str))),
        ])
    }

    fn veto_codes(&self, grade: &ModelGrade) -> Vec<String> {
        grade.vetoes.iter().filter_map(|&veto| self.rulebook.vetoes.get(veto)).map(|veto| veto.code.clone()).collect()
    }
}
