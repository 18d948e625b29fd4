//! Rows on their way into a batch: cells are pushed in the order of the table's columns, straight into arrow builders.
//! Knows the types of `tables.md` and nothing of what stands in the cells; `tables.rs` names the columns.

use super::{Position, TableRows};
use crate::calendar::Date;
use crate::fault::{Error, Result};
use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use std::sync::Arc;

/// The type of a column, in the words of `tables.md`; ids and words are text.
#[derive(Clone, Copy)]
pub enum Kind {
    Text,
    Date,
    Time,
    Count,
    Real,
    Bool,
    Decimal(u8, i8),
}

pub const MONEY: Kind = Kind::Decimal(18, 2);

enum Column {
    Text(StringBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Count(Int64Builder),
    Real(Float64Builder),
    Bool(BooleanBuilder),
    Decimal(Decimal128Builder),
}

/// The rows of one table in a block.
pub struct Rows {
    table: &'static str,
    schema: Arc<Schema>,
    columns: Vec<Column>,
    /// Where the next cell goes; 0 between two rows.
    next: usize,
    /// A cell was not of its column's type: told when the batch is made.
    is_broken: bool,
}

impl Rows {
    pub fn new(table: &'static str, columns: &[(&str, Kind)]) -> Self {
        let fields: Vec<Field> = columns.iter().map(|&(name, kind)| Field::new(name, kind.data_type(), true)).collect();
        Rows {
            table,
            schema: Arc::new(Schema::new(fields)),
            columns: columns.iter().map(|&(_, kind)| kind.column()).collect(),
            next: 0,
            is_broken: false,
        }
    }

    pub fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) -> &mut Self {
        match self.cell() {
            Some(Column::Text(cells)) => cells.append_option(value.into()),
            _ => self.is_broken = true,
        }
        self
    }

    pub fn date(&mut self, value: impl Into<Option<Date>>) -> &mut Self {
        match self.cell() {
            Some(Column::Date(cells)) => cells.append_option(value.into().map(|date| date.0)),
            _ => self.is_broken = true,
        }
        self
    }

    /// A wall-clock moment in microseconds since 1970-01-01 00:00.
    pub fn time(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        match self.cell() {
            Some(Column::Time(cells)) => cells.append_option(value.into()),
            _ => self.is_broken = true,
        }
        self
    }

    pub fn count(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        match self.cell() {
            Some(Column::Count(cells)) => cells.append_option(value.into()),
            _ => self.is_broken = true,
        }
        self
    }

    pub fn bool(&mut self, value: impl Into<Option<bool>>) -> &mut Self {
        match self.cell() {
            Some(Column::Bool(cells)) => cells.append_option(value.into()),
            _ => self.is_broken = true,
        }
        self
    }

    /// Units of the column's last decimal place: cents for money, tenths for points.
    pub fn decimal(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        match self.cell() {
            Some(Column::Decimal(cells)) => cells.append_option(value.into().map(i128::from)),
            _ => self.is_broken = true,
        }
        self
    }

    /// A whole number divided by a power of ten, so that it prints with few digits.
    pub fn real(&mut self, value: Option<i64>, divisor: i64) -> &mut Self {
        match self.cell() {
            Some(Column::Real(cells)) => cells.append_option(value.map(|value| value as f64 / divisor as f64)),
            _ => self.is_broken = true,
        }
        self
    }

    /// Longitude and latitude, both or neither.
    pub fn position(&mut self, value: Option<Position>) -> &mut Self {
        self.real(value.map(|position| position.longitude), Position::MILLIONTHS);
        self.real(value.map(|position| position.latitude), Position::MILLIONTHS)
    }

    fn cell(&mut self) -> Option<&mut Column> {
        let position = self.next;
        self.next += 1;
        if self.next == self.columns.len() {
            self.next = 0;
        }
        self.columns.get_mut(position)
    }

    /// The rows that have gathered.
    pub fn finish(&mut self) -> Result<TableRows> {
        if self.is_broken || self.next != 0 {
            return Err(Error::internal(format!("a generated row of `{}` does not fit its columns", self.table)));
        }
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|error| {
            Error::internal(format!("a generated batch of `{}` does not hold: {error}", self.table))
        })?;
        Ok((self.table, batch))
    }
}

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Date => DataType::Date32,
            Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::Count => DataType::Int64,
            Kind::Real => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
        }
    }

    fn column(self) -> Column {
        match self {
            Kind::Text => Column::Text(StringBuilder::new()),
            Kind::Date => Column::Date(Date32Builder::new()),
            Kind::Time => Column::Time(TimestampMicrosecondBuilder::new()),
            Kind::Count => Column::Count(Int64Builder::new()),
            Kind::Real => Column::Real(Float64Builder::new()),
            Kind::Bool => Column::Bool(BooleanBuilder::new()),
            Kind::Decimal(..) => Column::Decimal(Decimal128Builder::new().with_data_type(self.data_type())),
        }
    }
}

impl Column {
    fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Text(cells) => Arc::new(cells.finish()),
            Column::Date(cells) => Arc::new(cells.finish()),
            Column::Time(cells) => Arc::new(cells.finish()),
            Column::Count(cells) => Arc::new(cells.finish()),
            Column::Real(cells) => Arc::new(cells.finish()),
            Column::Bool(cells) => Arc::new(cells.finish()),
            Column::Decimal(cells) => Arc::new(cells.finish()),
        }
    }
}
