//! The results of the stages as output tables: one function per table, columns and types by its contract, rows sorted
//! by its key. The tables that grow with the households are made piece by piece, so that nobody has to hold one as a
//! whole. Nothing is computed here that a stage has not computed; files are left to `publish`.

mod coverage;
mod households;
mod indicators;
mod order;
mod quarantine;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray,
    UInt32Array,
};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use rayon::prelude::*;

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
use crate::visits::{CheckedVisits, VisitChecks};

/// One output table and its rows.
#[derive(Clone, Debug)]
pub struct OutputTable {
    pub name: String,
    pub batch: RecordBatch,
}

/// What the stages found, from which the tables are made: all of them but that of indicators, which is made on its own.
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
    pub set_aside: &'a [SetAside],
    pub previous: &'a Previous,
    pub rulebook: &'a Rulebook,
    pub contracts: &'a Contracts,
}

/// Makes the columns of a table, of all its rows.
type MakeWhole = for<'a, 'b> fn(&'a Results<'b>) -> Result<Vec<ArrayRef>>;
/// Makes the columns of a table, of the rows of some households.
type MakePart = for<'a, 'b> fn(&'a Outputs<'b>, Range<usize>) -> Result<Vec<ArrayRef>>;

enum Make {
    /// One row for a visit, made batch by batch.
    OfVisits,
    /// Rows of each household, made by ranges of households.
    OfHouseholds(MakePart),
    Whole(MakeWhole),
    OfIndicators,
}

/// The output tables, by name.
const TABLES: [(&str, Make); 17] = [
    (VISIT_CHECKS, Make::OfVisits),
    ("household_facts", Make::OfHouseholds(households::household_facts)),
    ("scorecard_points", Make::OfHouseholds(households::scorecard_points)),
    ("household_grades", Make::OfHouseholds(households::household_grades)),
    ("grant_limits", Make::OfHouseholds(households::grant_limits)),
    ("grid_coverage", Make::Whole(coverage::grid_coverage)),
    ("branch_coverage", Make::Whole(coverage::branch_coverage)),
    ("area_coverage", Make::Whole(coverage::area_coverage)),
    ("officer_assessments", Make::Whole(coverage::officer_assessments)),
    ("village_ratings", Make::Whole(coverage::village_ratings)),
    ("conduct_ranking", Make::Whole(coverage::conduct_ranking)),
    ("partition_faults", Make::Whole(coverage::partition_faults)),
    ("grid_funding", Make::Whole(coverage::grid_funding)),
    ("work_list", Make::Whole(coverage::work_list)),
    (INDICATORS, Make::OfIndicators),
    ("public_notice", Make::Whole(coverage::public_notice)),
    ("quarantine", Make::Whole(quarantine::quarantine)),
];

/// The table of which every evaluated visit has a row.
pub const VISIT_CHECKS: &str = "visit_checks";

/// The table of what the bank counts of itself, at every place.
pub const INDICATORS: &str = "indicators";

/// The output tables in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(name, _)| *name)
}

/// The tables of which every household has rows: the rows of the same households are made together.
pub fn of_households() -> impl Iterator<Item = &'static str> {
    TABLES.iter().filter(|(_, make)| matches!(make, Make::OfHouseholds(_))).map(|(name, _)| *name)
}

/// The output tables of a night: the small ones as a whole, that of indicators once it is known what may leave the bank
/// of them, the large ones piece by piece.
pub struct Outputs<'a> {
    results: Results<'a>,
    large: households::Large<'a>,
}

impl<'a> Outputs<'a> {
    pub fn of(results: Results<'a>) -> Result<Outputs<'a>> {
        Ok(Outputs { large: households::Large::of(&results)?, results })
    }

    /// The tables that do not grow with households and visits, but that of indicators.
    pub fn small(&self) -> Result<Vec<OutputTable>> {
        let made = TABLES.par_iter().with_max_len(1).filter_map(|(name, make)| match make {
            Make::Whole(make) => Some(make(&self.results).and_then(|columns| self.table(name, columns))),
            _ => None,
        });
        made.collect()
    }

    /// The table of indicators.
    pub fn indicators(&self, indicators: &Indicators) -> Result<OutputTable> {
        self.table(INDICATORS, indicators::indicators(&self.results, indicators)?)
    }

    /// The households of the run, whose numbers begin at 0.
    pub fn households(&self) -> usize {
        self.results.register.len()
    }

    /// The rows of some households in each of their tables, in the order of their numbers, which is that of the keys.
    pub fn of_households(&self, numbers: &Range<usize>) -> Result<Vec<OutputTable>> {
        let made = TABLES.par_iter().with_max_len(1).filter_map(|(name, make)| match make {
            Make::OfHouseholds(make) => Some(make(self, numbers.clone()).and_then(|columns| self.table(name, columns))),
            _ => None,
        });
        made.collect()
    }

    /// In how many parts `visit_checks` is made, at least one.
    pub fn visit_parts(&self) -> usize {
        self.results.checks.parts().max(1)
    }

    /// The rows of one part of `visit_checks`, in the order of the key; no row where no visit was evaluated.
    pub fn visit_part(&self, part: usize) -> Result<OutputTable> {
        let checks = self.results.checks;
        let visits = if checks.parts() == 0 { CheckedVisits::default() } else { checks.part(part)? };
        self.table(VISIT_CHECKS, households::visit_checks(self, &visits)?)
    }

    /// The whole of `visit_checks`.
    fn all_visits(&self) -> Result<OutputTable> {
        let parts = (0..self.visit_parts()).into_par_iter().map(|part| self.visit_part(part));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let batches: Vec<&RecordBatch> = parts.iter().map(|part| &part.batch).collect();
        let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), |batch| batch.schema());
        let batch = concat_batches(&schema, batches).map_err(|error| Error::internal(error.to_string()))?;
        Ok(OutputTable { name: VISIT_CHECKS.to_string(), batch })
    }

    fn table(&self, name: &str, columns: Vec<ArrayRef>) -> Result<OutputTable> {
        Ok(OutputTable { name: name.to_string(), batch: batch(self.results.contracts.output(name)?, columns)? })
    }
}

/// Makes every output table of the run, whole, in their order.
pub fn tables(results: Results, indicators: &Indicators) -> Result<Vec<OutputTable>> {
    let outputs = Outputs::of(results)?;
    let (visits, others) = rayon::join(
        || outputs.all_visits(),
        || Ok([outputs.of_households(&(0..outputs.households()))?, outputs.small()?].concat()),
    );
    let mut tables = [others?, vec![visits?, outputs.indicators(indicators)?]].concat();
    tables.sort_by_key(|table| names().position(|name| name == table.name));
    Ok(tables)
}

/// The schema of an output table, its text not coded.
pub fn schema(contract: &Contract) -> Schema {
    let fields = contract.columns.iter().map(|column| Field::new(&column.name, column.kind.arrow(), column.nullable));
    Schema::new(fields.collect::<Vec<_>>())
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

/// Text that every row has, of rows whose number is known.
fn always<'a>(values: impl ExactSizeIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Text of which many rows hold the same: the place of each row's text among `texts`. The tables of visits and points
/// have many rows for a household, and hold its identifier once.
fn coded_by(codes: UInt32Array, texts: &ArrayRef) -> Result<ArrayRef> {
    let coded = DictionaryArray::try_new(codes, Arc::clone(texts));
    coded.map(|coded| Arc::new(coded) as ArrayRef).map_err(|error| Error::internal(error.to_string()))
}

fn coded_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))
}

/// The columns of one table, made at once.
pub fn at_once(columns: Vec<Box<dyn Fn() -> Result<ArrayRef> + Sync + Send + '_>>) -> Result<Vec<ArrayRef>> {
    columns.into_par_iter().with_max_len(1).map(|column| column()).collect()
}

/// Lists of texts, whose bytes are laid down one after the other: the table of visits has millions of them.
fn list<V: AsRef<str>>(rows: impl Iterator<Item = impl IntoIterator<Item = V>>) -> ArrayRef {
    let (mut counts, mut lengths, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let before = lengths.len();
        for text in row {
            bytes.extend_from_slice(text.as_ref().as_bytes());
            lengths.push(text.as_ref().len());
        }
        counts.push(lengths.len() - before);
    }
    let texts = StringArray::new(OffsetBuffer::from_lengths(lengths), bytes.into(), None);
    let field = Arc::new(Field::new("item", DataType::Utf8, false));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(counts), Arc::new(texts), None))
}

fn whole(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn truth(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values.collect::<BooleanBuffer>()))
}

/// Whole units that every row has as decimals of a scale; refuses what the precision cannot hold.
fn wholes(kind: Type, values: impl Iterator<Item = i128>) -> Result<ArrayRef> {
    as_decimals(kind, Decimal128Array::from_iter_values(values))
}

/// Whole units as decimals of a scale; refuses what the precision cannot hold.
fn decimals(kind: Type, values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
    as_decimals(kind, values.collect())
}

fn as_decimals(kind: Type, array: Decimal128Array) -> Result<ArrayRef> {
    let precision = kind.precision().unwrap_or(18) as u8;
    let scale = kind.scale().unwrap_or(0) as i8;
    // All at once; one by one only to name the one that is too large.
    let most = 10_u128.pow(u32::from(precision));
    let do_fit = array.values().iter().fold(true, |do_fit, units| do_fit & (units.unsigned_abs() < most));
    let array = array.with_precision_and_scale(precision, scale).and_then(|array| {
        if !do_fit {
            array.validate_decimal_precision(precision)?;
        }
        Ok(array)
    });
    array
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|error| Error::internal(format!("an amount is too large for decimal({precision},{scale}): {error}")))
}

const MONEY: Type = Type::Money;
const POINTS: Type = Type::Decimal { precision: 5, scale: 1 };

impl Results<'_> {
    fn household_id(&self, number: usize) -> &str {
        self.tables.households.household_id.text(self.register.row(number))
    }

    fn household_ids(&self, numbers: Range<usize>) -> ArrayRef {
        always(numbers.map(|number| self.household_id(number)))
    }

    /// `household_id, branch_id, grid_id, area_id, kind`.
    fn identity(&self, numbers: &Range<usize>) -> Result<Vec<ArrayRef>> {
        let (tables, register, numbers) = (self.tables, self.register, || numbers.clone());
        let kinds = &self.contracts.input("households")?.column("kind")?.words;
        let kind = |number: usize| tables.households.kind.get(register.row(number)).map_or(usize::MAX, usize::from);
        Ok(vec![
            self.household_ids(numbers()),
            always(numbers().map(|number| tables.branches.branch_id.text(register.branch(number)))),
            always(numbers().map(|number| tables.grids.grid_id.text(register.grid(number)))),
            always(numbers().map(|number| tables.areas.area_id.text(register.area(number)))),
            text(numbers().map(|number| kinds.get(kind(number)).map(String::as_str))),
        ])
    }

    fn veto_codes(&self, grade: &ModelGrade) -> Vec<String> {
        grade.vetoes_in(self.rulebook).map(|veto| veto.code.clone()).collect()
    }
}
