//! One of the two runs that are compared: the columns of its tables that a comparison reads, as published or as they
//! would be. Whether the rows come from files or from memory makes no difference behind this file.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Decimal128Type, Field, Schema};

use crate::contract::Contracts;
use crate::coverage::counts::Count;
use crate::facts::{FactValue, value_at};
use crate::fault::{Error, Fault, Result};
use crate::limit::{Amounts, Cap};
use crate::night::Night;
use crate::outputs::OutputTable;
use crate::read::published::{self, Description, MadeFrom, PublishedRun};
use crate::rulebook::{FACTS, Rulebook};

use super::between::version_head;

/// A run as a comparison sees it.
pub struct Side {
    /// None: the run is not published.
    pub run_id: Option<String>,
    pub description: Description,
    pub households: Households,
    pub points: PointsTable,
    pub coverage: CoverageTables,
    pub indicators: RecordBatch,
}

/// Grades, limits and facts; grain one household of the run, in the byte order of household_id.
pub struct Households {
    pub ids: StringArray,
    pub branches: StringArray,
    pub kinds: StringArray,
    pub members: Int64Array,
    pub cards: StringArray,
    /// Tenths of a point; null: not rateable.
    pub scores: Int64Array,
    pub model_grades: StringArray,
    pub vetoes: ListArray,
    pub previous_grades: StringArray,
    pub final_grades: StringArray,
    pub decision_ids: StringArray,
    pub decisions: StringArray,
    pub lists: StringArray,
    pub list_reasons: StringArray,
    /// In cents, in the order of `Cap::ALL`.
    pub caps: Vec<Int64Array>,
    pub gross: Int64Array,
    pub deductions: Int64Array,
    pub suggested: Int64Array,
    pub previous_limits: Int64Array,
    pub final_limits: Int64Array,
    /// In the order of `FACTS`, in the units of `FactValue`.
    pub facts: Vec<ArrayRef>,
}

/// The points of every household, packed: a bank has some twenty rows of them for each.
#[derive(Default)]
pub struct PointsTable {
    /// Every characteristic that is named.
    pub names: Vec<String>,
    /// Where the rows of household n begin; one more at the end.
    starts: Vec<usize>,
    rows: Vec<PointsRow>,
}

/// One characteristic of one household, in tenths of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointsRow {
    /// Position in `PointsTable::names`.
    pub name: u16,
    pub points: i16,
    pub max_points: i16,
}

/// Counts of the segment `all` by branch, and by area of every level.
pub struct CoverageTables {
    pub branches: RecordBatch,
    pub areas: RecordBatch,
}

const GRADES: [&str; 13] = [
    "household_id",
    "branch_id",
    "kind",
    "scorecard_id",
    "score",
    "model_grade",
    "vetoes",
    "previous_grade",
    "final_grade",
    "decision_id",
    "decision",
    "credit_list",
    "list_reason",
];
const LIMITS: [&str; 11] = [
    "household_id",
    "cap_grade",
    "cap_product",
    "cap_income",
    "cap_net_assets",
    "cap_service",
    "gross",
    "deductions",
    "suggested_limit",
    "previous_limit",
    "final_limit",
];
const POINTS: [&str; 4] = ["household_id", "characteristic", "points", "max_points"];
const INDICATORS: [&str; 8] =
    ["indicator_id", "level", "ref_id", "breakdown", "numerator", "denominator", "value", "status"];

/// The batches of a table, with the columns that are named.
type Read<'a> = dyn Fn(&str, &[&str]) -> Result<Vec<RecordBatch>> + 'a;

impl Side {
    /// A published run.
    pub fn published(run: &PublishedRun) -> Result<Side> {
        let description = published::describe(run)?;
        let shown = run.folder.display().to_string();
        Side::of(Some(run.run_id.clone()), description, &shown, &|table, columns| published::table(run, table, columns))
    }

    /// A night that was computed and is not published.
    pub fn computed(
        night: &Night,
        made_from: MadeFrom,
        bank: &str,
        rulebook: &Rulebook,
        tables: &[OutputTable],
    ) -> Result<Side> {
        let read = |name: &str, columns: &[&str]| {
            let table = tables.iter().find(|table| table.name == name);
            let positions: Option<Vec<usize>> = table
                .and_then(|table| columns.iter().map(|column| table.batch.schema().index_of(column).ok()).collect());
            let batch = table.zip(positions).and_then(|(table, positions)| table.batch.project(&positions).ok());
            batch.map(|batch| vec![batch]).ok_or_else(|| Error::internal(format!("no table `{name}` was computed")))
        };
        let versions = rulebook.in_force.iter().map(|version| (version.policy.clone(), version_head(version)));
        let counts = night.counts.iter();
        let description = Description {
            bank: bank.to_string(),
            as_of: rulebook.as_of,
            made_from,
            versions: versions.collect(),
            not_yet_known: counts.map(|(table, counts)| (table.clone(), counts.not_yet_known)).collect(),
        };
        Side::of(None, description, "in memory", &read)
    }

    fn of(run_id: Option<String>, description: Description, shown: &str, read: &Read) -> Result<Side> {
        let contracts = Contracts::built_in()?;
        let whole =
            |table: &str, columns: &[&str]| Loaded::of(shown, &contracts, table, &read(table, columns)?, columns);
        let households = Households::of(&whole)?;
        let points = PointsTable::of(&households.ids, &read("scorecard_points", &POINTS)?, shown)?;
        Ok(Side {
            run_id,
            description,
            households,
            points,
            coverage: CoverageTables {
                branches: whole("branch_coverage", &coverage_columns("branch_id"))?.batch,
                areas: whole("area_coverage", &coverage_columns("area_id"))?.batch,
            },
            indicators: whole("indicators", &INDICATORS)?.batch,
        })
    }
}

/// Columns of a coverage table: its key, and its counts.
fn coverage_columns(key: &'static str) -> Vec<&'static str> {
    [key, "segment"].into_iter().chain(Count::ALL.iter().map(|count| count.name())).chain(["profile_gap"]).collect()
}

/// One table, whole.
struct Loaded<'a> {
    shown: &'a str,
    table: String,
    batch: RecordBatch,
}

impl Loaded<'_> {
    fn of<'a>(
        shown: &'a str,
        contracts: &Contracts,
        table: &str,
        batches: &[RecordBatch],
        columns: &[&str],
    ) -> Result<Loaded<'a>> {
        let batch = match batches.first() {
            Some(first) => {
                concat_batches(&first.schema(), batches).map_err(|error| damaged(shown, table, &error.to_string()))?
            }
            // A file without rows has no batch.
            None => without_rows(contracts, table, columns)?,
        };
        Ok(Loaded { shown, table: table.to_string(), batch })
    }

    fn column(&self, column: &str) -> Result<&ArrayRef> {
        self.batch.column_by_name(column).ok_or_else(|| self.damaged(column))
    }

    fn texts(&self, column: &str) -> Result<StringArray> {
        let texts = cast(self.column(column)?, &DataType::Utf8).ok();
        texts.and_then(|texts| texts.as_string_opt::<i32>().cloned()).ok_or_else(|| self.damaged(column))
    }

    /// Whole units: counts, cents, tenths of a point.
    fn units(&self, column: &str) -> Result<Int64Array> {
        units(self.column(column)?).ok_or_else(|| self.damaged(column))
    }

    fn list(&self, column: &str) -> Result<ListArray> {
        self.column(column)?.as_list_opt::<i32>().cloned().ok_or_else(|| self.damaged(column))
    }

    fn damaged(&self, column: &str) -> Error {
        damaged(self.shown, &self.table, &format!("its column `{column}` is of another type"))
    }
}

fn without_rows(contracts: &Contracts, table: &str, columns: &[&str]) -> Result<RecordBatch> {
    let contract = contracts.output(table)?;
    let fields = columns.iter().map(|column| Ok(Field::new(*column, contract.column(column)?.kind.arrow(), true)));
    Ok(RecordBatch::new_empty(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?))))
}

fn damaged(shown: &str, table: &str, cause: &str) -> Error {
    let fault = Fault::new(format!("table `{table}` of the published run `{shown}` is damaged")).caused_by(cause);
    Error::could_not_run(fault.hint("restore the run from a backup, or move its folder away and publish it again"))
}

/// Decimals in their smallest unit, counts as they are.
pub fn units(column: &ArrayRef) -> Option<Int64Array> {
    match column.data_type() {
        DataType::Decimal128(_, _) => {
            let decimals = column.as_primitive_opt::<Decimal128Type>()?;
            decimals.iter().map(|value| value.map(i64::try_from).transpose().ok()).collect::<Option<Int64Array>>()
        }
        _ => column.as_any().downcast_ref::<Int64Array>().cloned(),
    }
}

impl Households {
    fn of<'a>(whole: &dyn Fn(&str, &[&str]) -> Result<Loaded<'a>>) -> Result<Households> {
        let grades = whole("household_grades", &GRADES)?;
        let limits = whole("grant_limits", &LIMITS)?;
        let names: Vec<&str> =
            ["household_id", "member_count"].into_iter().chain(FACTS.iter().map(|fact| fact.name)).collect();
        let facts = whole("household_facts", &names)?;
        let ids = grades.texts("household_id")?;
        for other in [&limits, &facts] {
            if other.texts("household_id")? != ids {
                return Err(damaged(other.shown, &other.table, "it holds other households than `household_grades`"));
            }
        }
        let caps = Cap::ALL.iter().map(|cap| limits.units(cap.name()));
        let measured = FACTS.iter().map(|fact| {
            let column = facts.column(fact.name)?;
            match column.as_any().downcast_ref::<Float64Array>() {
                Some(_) => Ok(ArrayRef::clone(column)),
                None => facts.units(fact.name).map(|units| Arc::new(units) as ArrayRef),
            }
        });
        Ok(Households {
            branches: grades.texts("branch_id")?,
            kinds: grades.texts("kind")?,
            members: facts.units("member_count")?,
            cards: grades.texts("scorecard_id")?,
            scores: grades.units("score")?,
            model_grades: grades.texts("model_grade")?,
            vetoes: grades.list("vetoes")?,
            previous_grades: grades.texts("previous_grade")?,
            final_grades: grades.texts("final_grade")?,
            decision_ids: grades.texts("decision_id")?,
            decisions: grades.texts("decision")?,
            lists: grades.texts("credit_list")?,
            list_reasons: grades.texts("list_reason")?,
            caps: caps.collect::<Result<_>>()?,
            gross: limits.units("gross")?,
            deductions: limits.units("deductions")?,
            suggested: limits.units("suggested_limit")?,
            previous_limits: limits.units("previous_limit")?,
            final_limits: limits.units("final_limit")?,
            facts: measured.collect::<Result<_>>()?,
            ids,
        })
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn vetoes(&self, row: usize) -> Vec<String> {
        let list = self.vetoes.value(row);
        list.as_string_opt::<i32>().map_or_else(Vec::new, |codes| codes.iter().flatten().map(String::from).collect())
    }

    /// The value of a fact by its place in `FACTS`.
    pub fn fact(&self, place: usize, row: usize) -> Option<FactValue> {
        value_at(self.facts.get(place)?, row)
    }

    /// The same by its name.
    pub fn fact_named(&self, name: &str, row: usize) -> Option<FactValue> {
        self.fact(FACTS.iter().position(|fact| fact.name == name)?, row)
    }

    /// The facts behind a limit.
    pub fn amounts(&self, row: usize) -> Amounts {
        let cents = |fact: &str| match self.fact_named(fact, row) {
            Some(FactValue::Whole(cents)) => Some(cents),
            _ => None,
        };
        Amounts {
            net_income: cents("net_income"),
            net_assets: cents("net_assets"),
            debt_service_12m: cents("debt_service_12m").unwrap_or(0),
            own_unsecured_outstanding: cents("own_unsecured_outstanding").unwrap_or(0),
            outside_outstanding: cents("outside_outstanding"),
            outside_guarantees: cents("outside_guarantees"),
        }
    }
}

/// The text of a cell; None where it is null.
pub fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The value of a cell; None where it is null.
pub fn whole(column: &Int64Array, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

impl PointsTable {
    fn of(ids: &StringArray, batches: &[RecordBatch], shown: &str) -> Result<PointsTable> {
        let mut table = PointsTable { starts: vec![0], ..PointsTable::default() };
        let mut places: BTreeMap<String, u16> = BTreeMap::new();
        let mut household = 0;
        for batch in batches {
            let loaded = Loaded { shown, table: "scorecard_points".into(), batch: batch.clone() };
            let (owners, names) = (loaded.texts("household_id")?, loaded.texts("characteristic")?);
            let (points, maxima) = (loaded.units("points")?, loaded.units("max_points")?);
            for row in 0..batch.num_rows() {
                while household < ids.len() && ids.value(household) < owners.value(row) {
                    table.starts.push(table.rows.len());
                    household += 1;
                }
                if household >= ids.len() || ids.value(household) != owners.value(row) {
                    let cause = "it holds other households than `household_grades`, or in another order";
                    return Err(damaged(shown, "scorecard_points", cause));
                }
                let name = table.place(&mut places, names.value(row));
                let tenths = |units: &Int64Array| i16::try_from(units.value(row)).unwrap_or(i16::MAX);
                table.rows.push(PointsRow { name, points: tenths(&points), max_points: tenths(&maxima) });
            }
        }
        table.starts.resize(ids.len() + 1, table.rows.len());
        Ok(table)
    }

    fn place(&mut self, places: &mut BTreeMap<String, u16>, name: &str) -> u16 {
        if let Some(&place) = places.get(name) {
            return place;
        }
        let place = self.names.len() as u16;
        places.insert(name.to_string(), place);
        self.names.push(name.to_string());
        place
    }

    /// The characteristics of one household, in the byte order of their names.
    pub fn of_household(&self, household: usize) -> impl Iterator<Item = (&str, PointsRow)> {
        let bounds = self.starts.get(household).zip(self.starts.get(household + 1));
        let rows = bounds.and_then(|(&start, &end)| self.rows.get(start..end)).unwrap_or_default();
        rows.iter().map(|row| (self.names.get(usize::from(row.name)).map_or("", String::as_str), *row))
    }
}
