//! One column of one batch: from what the file holds to what the contract says, with a mark on every row whose value
//! is missing, unreadable, no word of the list, out of bounds, or refers to nothing sound.
//! Leaves what concerns several columns or rows to `rows`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Float64Array,
    LargeStringArray, NullBufferBuilder, PrimitiveArray, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal64Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt32Type,
};

use crate::calendar::{Date, MICROSECONDS_A_DAY};
use crate::contract::{Column, DayRule, Type};
use crate::decimal::Decimal;
use crate::fault::{Error, Fault, Result};
use crate::read::is_textual;

use super::index::{IdIndex, Meaning};
use super::parse::{self, TextForms};
use super::rules::Rule;

/// A column in memory, and the rows that do not pass.
pub struct Checked {
    pub array: ArrayRef,
    /// (row, rule), at most one of each row.
    pub marks: Vec<(u32, Rule)>,
    /// Rows that refer to a row that is not yet known.
    pub refers_to_unknown: Vec<u32>,
}

/// One value of a file.
enum Cell<T> {
    Null,
    Value(T),
    Unreadable,
}

/// Reads one column. `is_text`: the file writes every type as text. `index`: the identifiers to which it refers.
pub fn check(
    column: &Column,
    raw: Option<&ArrayRef>,
    rows: usize,
    is_text: bool,
    forms: &TextForms,
    index: Option<&IdIndex>,
) -> std::result::Result<Checked, WrongType> {
    let nothing: ArrayRef = Arc::new(arrow::array::NullArray::new(rows));
    let raw = raw.unwrap_or(&nothing);
    let input = Input { column, raw, is_text, forms };
    match column.kind {
        Type::Id if index.is_some() => index.map_or_else(|| Err(WrongType), |index| input.references(index)),
        Type::Id | Type::Text => input.texts(),
        Type::Word => input.words(),
        Type::Date => input.dates(),
        Type::Time => input.times(),
        Type::Bool => input.truths(),
        Type::Count | Type::Integer | Type::Money | Type::Decimal { .. } => input.numbers(),
        Type::Share | Type::Real => input.reals(),
        Type::List => Err(WrongType),
    }
}

/// The file's type cannot be read as the contract's, whatever the values are.
#[derive(Debug)]
pub struct WrongType;

/// What a file's column holds, in the words of its reader.
fn in_words(kind: &DataType) -> String {
    match kind {
        kind if is_textual(kind) => "text".into(),
        kind if kind.is_integer() => "whole numbers".into(),
        kind if kind.is_floating() => "floating-point numbers".into(),
        DataType::Boolean => "true or false".into(),
        DataType::Date32 | DataType::Date64 => "dates".into(),
        DataType::Timestamp(_, None) => "moments".into(),
        DataType::Timestamp(_, Some(zone)) => format!("moments in zone {zone}"),
        DataType::Decimal128(..) | DataType::Decimal256(..) => "decimals".into(),
        other => format!("values of type {other}"),
    }
}

impl WrongType {
    pub fn refuse(self, shown: &str, column: &Column, found: &DataType) -> Error {
        let (name, wanted) = (&column.name, column.kind.describe());
        let message = format!("`{shown}` column `{name}` holds {}, which cannot be read as {wanted}", in_words(found));
        let hint = if matches!(found, DataType::Timestamp(_, Some(_))) {
            "moments are wall-clock without zone; turn them to the bank's zone in an adapter"
        } else {
            "export it as its own type, or bring it there with an adapter (CAST)"
        };
        Error::refused(Fault::new(message).hint(hint))
    }
}

struct Input<'a> {
    column: &'a Column,
    raw: &'a ArrayRef,
    is_text: bool,
    forms: &'a TextForms,
}

type Outcome = std::result::Result<Checked, WrongType>;

impl Input<'_> {
    fn is_empty_column(&self) -> bool {
        matches!(self.raw.data_type(), DataType::Null)
    }

    fn as_text(&self) -> std::result::Result<LargeStringArray, WrongType> {
        cast_to(self.raw, &DataType::LargeUtf8).map(|array| array.as_string::<i64>().clone())
    }

    /// Text, where text may stand for a value of this column's type. There nothing is as good as null, also when it
    /// is what an adapter made.
    fn parsed_text(&self) -> Option<LargeStringArray> {
        let text = if self.is_text && is_textual(self.raw.data_type()) { self.as_text().ok()? } else { return None };
        let has_empty = text.iter().any(|value| value == Some(""));
        Some(if has_empty { text.iter().map(|value| value.filter(|text| !text.is_empty())).collect() } else { text })
    }

    fn texts(&self) -> Outcome {
        let is_id = self.column.kind == Type::Id;
        if let Some(sound) = self.coded_texts() {
            return Ok(sound);
        }
        let array = self.text_like()?;
        if (self.column.nullable || array.null_count() == 0) && is_plain(&array, is_id) {
            return Ok(Checked { array: Arc::new(array), marks: Vec::new(), refers_to_unknown: Vec::new() });
        }
        let mut marks = Vec::new();
        let mut needs_nulls = false;
        for (row, value) in (0..).zip(array.iter()) {
            match value {
                None if !self.column.nullable => marks.push((row, Rule::Null)),
                Some("") if self.column.nullable => needs_nulls = true,
                Some(id) if is_id && !is_sound_id(id) => marks.push((row, Rule::Range)),
                _ => {}
            }
        }
        let array =
            if needs_nulls { array.iter().map(|value| value.filter(|text| !text.is_empty())).collect() } else { array };
        Ok(Checked { array: Arc::new(array), marks, refers_to_unknown: Vec::new() })
    }

    /// Text that is coded, as it stands, where no text is empty and none is missing that must be there. None of others.
    fn coded_texts(&self) -> Option<Checked> {
        let coded = self.raw.as_dictionary_opt::<Int32Type>().filter(|_| self.column.kind == Type::Text)?;
        let texts = coded.values().as_string_opt::<i32>()?;
        let is_there = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        let is_sound = (self.column.nullable || coded.null_count() == 0) && texts.iter().all(is_there);
        is_sound.then(|| Checked { array: Arc::clone(self.raw), marks: Vec::new(), refers_to_unknown: Vec::new() })
    }

    /// Identifiers may be numbers in a typed file; every other text must be text.
    fn text_like(&self) -> std::result::Result<LargeStringArray, WrongType> {
        let is_id = self.column.kind == Type::Id;
        let kind = self.raw.data_type();
        if is_textual(kind) || self.is_empty_column() || (is_id && kind.is_integer()) {
            self.as_text()
        } else {
            Err(WrongType)
        }
    }

    fn references(&self, index: &IdIndex) -> Outcome {
        // Exports stand in the order of what they refer to: the next identifier is looked for after the last one.
        let mut last = None;
        let mut find = |id: &str| {
            if id.is_empty() && self.column.nullable {
                return Answer::Missing;
            }
            let near = last.and_then(|last| index.near(last, id));
            let meaning = match near {
                Some(position) => Meaning::Accepted(position),
                None if is_sound_id(id) => index.find(id),
                None => return Answer::Broken(Rule::Range),
            };
            match meaning {
                Meaning::Accepted(position) => {
                    last = Some(position);
                    Answer::Is(position)
                }
                Meaning::NotKnown => Answer::NotKnown,
                Meaning::SetAside | Meaning::Nothing => Answer::Broken(Rule::Reference),
            }
        };
        self.answers::<UInt32Type>(&mut find)
    }

    fn words(&self) -> Outcome {
        let mut find = |word: &str| {
            if word.is_empty() && self.column.nullable {
                return Answer::Missing;
            }
            let word = if self.is_text { word.trim() } else { word };
            self.column.word_code(word).map_or(Answer::Broken(Rule::Word), Answer::Is)
        };
        self.answers::<UInt8Type>(&mut find)
    }

    /// By row, what its text is found to be. Text that is coded, and text that is that of the row before, is looked at
    /// once.
    fn answers<T: ArrowPrimitiveType>(&self, find: &mut dyn FnMut(&str) -> Answer<T::Native>) -> Outcome {
        let mut answers = Answers::<T>::of(self.column, self.raw.len());
        if let Some(coded) = self.raw.as_dictionary_opt::<Int32Type>()
            && let Some(texts) = coded.values().as_string_opt::<i32>()
        {
            let mut found = vec![None; texts.len()];
            if let Some(sound) = self.all_found::<T>(coded.keys(), texts, &mut found, find) {
                return Ok(sound);
            }
            for key in coded.keys() {
                let slot = key.and_then(|key| Some((key, found.get_mut(usize::try_from(key).ok()?)?)));
                answers.push(match slot {
                    Some((_, Some(answer))) => *answer,
                    Some((key, slot)) if texts.is_valid(key as usize) => *slot.insert(find(texts.value(key as usize))),
                    _ => Answer::Missing,
                });
            }
            return Ok(answers.end());
        }
        // The commonest layout is looked up in place; every other is brought to text first.
        match self.raw.as_string_opt::<i32>() {
            Some(text) => answers.take_in_turn(text.iter(), find),
            None => answers.take_in_turn(self.text_like()?.iter(), find),
        }
        Ok(answers.end())
    }

    /// The column where every text that is coded is one that is looked for, and nothing is missing that must be there, as
    /// it mostly is. None where some row may be faulty; the key of a null is anything. What is found is noted by the text's
    /// place.
    fn all_found<T: ArrowPrimitiveType>(
        &self,
        keys: &PrimitiveArray<Int32Type>,
        texts: &StringArray,
        found: &mut [Option<Answer<T::Native>>],
        find: &mut dyn FnMut(&str) -> Answer<T::Native>,
    ) -> Option<Checked> {
        if keys.null_count() > 0 && !self.column.nullable {
            return None;
        }
        let mut answer_of =
            |place: usize| if texts.is_valid(place) { find(texts.value(place)) } else { Answer::Missing };
        if texts.len() < keys.len() / ROWS_A_TEXT {
            // Of few texts all are looked for, so that no row need ask whether its own was.
            found.iter_mut().enumerate().for_each(|(place, slot)| *slot = Some(answer_of(place)));
            if keys.values().iter().any(|&key| key as usize >= found.len()) {
                return None;
            }
        } else {
            for &key in keys.values() {
                let slot = found.get_mut(key as usize)?;
                if slot.is_none() {
                    let answer = answer_of(key as usize);
                    *slot = Some(answer);
                    if !matches!(answer, Answer::Is(_)) {
                        return None;
                    }
                }
            }
        }
        if !found.iter().flatten().all(|answer| matches!(answer, Answer::Is(_))) {
            return None;
        }
        let value = |answer: &Option<Answer<T::Native>>| match answer {
            Some(Answer::Is(value)) => *value,
            _ => T::Native::default(),
        };
        let values: Vec<T::Native> = found.iter().map(value).collect();
        let values = keys.values().iter().map(|&key| values.get(key as usize).copied().unwrap_or_default());
        let array = PrimitiveArray::<T>::new(values.collect(), keys.nulls().cloned());
        Some(Checked { array: Arc::new(array), marks: Vec::new(), refers_to_unknown: Vec::new() })
    }

    fn dates(&self) -> Outcome {
        let is_sound = |&days: &i32| match self.column.day {
            _ if !Date(days).is_of_four_digits() => false,
            Some(DayRule::FirstOfMonth) => Date(days).is_first_of_month(),
            Some(DayRule::LastOfMonth) => Date(days).is_last_of_month(),
            None => true,
        };
        let midnight = |moment: i64| {
            let is_midnight = moment.rem_euclid(MICROSECONDS_A_DAY) == 0;
            i32::try_from(moment.div_euclid(MICROSECONDS_A_DAY)).ok().filter(|_| is_midnight)
        };
        if let Some(text) = self.parsed_text() {
            let read = |row| cell(&text, row, |text| self.forms.date(text).map(|date| date.0));
            return Ok(self.build::<Date32Type>(read, is_sound));
        }
        match self.raw.data_type() {
            DataType::Timestamp(_, None) => {
                let moments = microseconds(self.raw)?;
                Ok(self.build::<Date32Type>(|row| self.cast_cell(&moments, row, midnight), is_sound))
            }
            DataType::Null | DataType::Date32 | DataType::Date64 => {
                let days = cast_to(self.raw, &DataType::Date32)?;
                let days = days.as_primitive::<Date32Type>();
                let sound = match self.column.day {
                    Some(_) => {
                        let known = DaysKnown::of(days.values(), is_sound);
                        self.as_it_is::<Date32Type, Date32Type>(days, |day| known.is_sound(day))
                    }
                    None => self.as_it_is::<Date32Type, Date32Type>(days, is_sound),
                };
                if let Some(sound) = sound {
                    return Ok(sound);
                }
                Ok(self.build::<Date32Type>(|row| self.cast_cell(days, row, Some), is_sound))
            }
            _ => Err(WrongType),
        }
    }

    fn times(&self) -> Outcome {
        let (first, last) = (Date::FIRST.midnight(), Date::LAST.midnight() + MICROSECONDS_A_DAY);
        let is_sound = |&moment: &i64| first <= moment && moment < last;
        if let Some(text) = self.parsed_text() {
            let read = |row| cell(&text, row, |text| self.forms.time(text));
            return Ok(self.build::<TimestampMicrosecondType>(read, is_sound));
        }
        match self.raw.data_type() {
            DataType::Timestamp(_, None) | DataType::Null => {
                let moments = microseconds(self.raw)?;
                let sound = self.as_it_is::<TimestampMicrosecondType, TimestampMicrosecondType>(&moments, is_sound);
                if let Some(sound) = sound {
                    return Ok(sound);
                }
                Ok(self.build::<TimestampMicrosecondType>(|row| self.cast_cell(&moments, row, Some), is_sound))
            }
            _ => Err(WrongType),
        }
    }

    fn truths(&self) -> Outcome {
        let mut marks = Vec::new();
        let mut keep = |row: usize, value: Cell<bool>| match value {
            Cell::Value(value) => Some(value),
            Cell::Null => {
                if !self.column.nullable {
                    marks.push((row as u32, Rule::Null));
                }
                None
            }
            Cell::Unreadable => {
                marks.push((row as u32, Rule::Type));
                None
            }
        };
        let rows = 0..self.raw.len();
        let array: BooleanArray = if let Some(text) = self.parsed_text() {
            rows.map(|row| keep(row, cell(&text, row, parse::truth))).collect()
        } else {
            match self.raw.data_type() {
                DataType::Boolean | DataType::Null => {
                    let array = cast_to(self.raw, &DataType::Boolean)?;
                    if self.column.nullable || array.null_count() == 0 {
                        return Ok(Checked { array, marks, refers_to_unknown: Vec::new() });
                    }
                    let values = array.as_boolean();
                    rows.map(|row| keep(row, cell(values, row, Some))).collect()
                }
                kind if kind.is_integer() => {
                    let values = cast_to(self.raw, &DataType::Int64)?;
                    let values = values.as_primitive::<Int64Type>();
                    let read = |value| match value {
                        0 => Some(false),
                        1 => Some(true),
                        _ => None,
                    };
                    rows.map(|row| keep(row, self.cast_cell(values, row, read))).collect()
                }
                _ => return Err(WrongType),
            }
        };
        Ok(Checked { array: Arc::new(array), marks, refers_to_unknown: Vec::new() })
    }

    /// Counts, money and other decimals, in whole units of their last digit.
    fn numbers(&self) -> Outcome {
        let scale = self.column.kind.scale().unwrap_or(0);
        let bounds = Bounds::of(self.column, scale);
        let in_units = |value: i128, digits: u32| rescale(value, digits, scale);
        // What does not fit 64 bits is far outside every bound; it is kept as the widest number and marked so.
        let narrow = |value: i128| i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        let within = bounds.narrow();
        let is_sound = |&value: &i64| within.contains(&value);
        if let Some(text) = self.parsed_text() {
            let read = |row| cell(&text, row, |text| self.forms.scaled(text, scale).map(narrow));
            return Ok(self.build::<Int64Type>(read, is_sound));
        }
        match self.raw.data_type() {
            DataType::Decimal128(_, digits) if *digits >= 0 => {
                let digits = u32::from(digits.unsigned_abs());
                let values: &Decimal128Array = self.raw.as_primitive();
                let convert = |value| in_units(value, digits).map(narrow);
                if let Some(sound) = self.all_sound::<Decimal128Type, Int64Type>(values, convert, is_sound) {
                    return Ok(sound);
                }
                let read = |row| cell(values, row, convert);
                Ok(self.build::<Int64Type>(read, is_sound))
            }
            kind if kind.is_floating() => {
                let values: Float64Array = cast_to(self.raw, &DataType::Float64)?.as_primitive::<Float64Type>().clone();
                let exact = |value: f64| {
                    let (value, digits) = crate::decimal::parse_exact(value.to_string().as_bytes(), 18)?;
                    in_units(value, digits).map(narrow)
                };
                Ok(self.build::<Int64Type>(|row| cell(&values, row, exact), is_sound))
            }
            DataType::Decimal64(_, digits) if i64::from(*digits) == i64::from(scale) => {
                let values = self.raw.as_primitive::<Decimal64Type>();
                if let Some(sound) = self.as_it_is::<Decimal64Type, Int64Type>(values, is_sound) {
                    return Ok(sound);
                }
                Ok(self.build::<Int64Type>(|row| cell(values, row, Some), is_sound))
            }
            // Brought to their own number of digits first: to the contract's they would be rounded.
            DataType::Decimal32(_, digits) | DataType::Decimal64(_, digits) | DataType::Decimal256(_, digits)
                if (0..=38).contains(digits) =>
            {
                let wide = cast_to(self.raw, &DataType::Decimal128(38, *digits))?;
                let (values, digits): (&Decimal128Array, _) = (wide.as_primitive(), u32::from(digits.unsigned_abs()));
                let read = |row| self.cast_cell(values, row, |value| in_units(value, digits).map(narrow));
                Ok(self.build::<Int64Type>(read, is_sound))
            }
            DataType::Int64 => {
                let values = self.raw.as_primitive::<Int64Type>();
                if scale == 0
                    && let Some(sound) = self.as_it_is::<Int64Type, Int64Type>(values, is_sound)
                {
                    return Ok(sound);
                }
                let convert = |value: i64| in_units(i128::from(value), 0).map(narrow);
                if let Some(sound) = self.all_sound::<Int64Type, Int64Type>(values, convert, is_sound) {
                    return Ok(sound);
                }
                Ok(self.build::<Int64Type>(|row| cell(values, row, convert), is_sound))
            }
            kind if kind.is_integer() || self.is_empty_column() => {
                let wide = cast_to(self.raw, &DataType::Decimal128(38, scale.cast_signed() as i8))?;
                let values: &Decimal128Array = wide.as_primitive();
                Ok(self.build::<Int64Type>(|row| self.cast_cell(values, row, |value| Some(narrow(value))), is_sound))
            }
            _ => Err(WrongType),
        }
    }

    fn reals(&self) -> Outcome {
        // What is no number and what is infinite lies outside every bound.
        let least = self.column.minimum.map_or(f64::MIN, Decimal::to_f64);
        let most = self.column.maximum.map_or(f64::MAX, Decimal::to_f64);
        let more_than = self.column.more_than.map_or(f64::NEG_INFINITY, Decimal::to_f64);
        let is_sound = |&value: &f64| (value >= least) & (value <= most) & (value > more_than);
        if let Some(text) = self.parsed_text() {
            let read = |row| cell(&text, row, |text| self.forms.real(text));
            return Ok(self.build::<Float64Type>(read, is_sound));
        }
        let kind = self.raw.data_type();
        if !(kind.is_numeric() || self.is_empty_column()) {
            return Err(WrongType);
        }
        let values = cast_to(self.raw, &DataType::Float64)?;
        let values: &Float64Array = values.as_primitive();
        if let Some(sound) = self.as_it_is::<Float64Type, Float64Type>(values, is_sound) {
            return Ok(sound);
        }
        Ok(self.build::<Float64Type>(|row| cell(values, row, Some), is_sound))
    }

    /// A value of the column after a cast, which leaves null where a value does not fit: that is not a null of the file.
    fn cast_cell<A: ArrayAccessor, T>(&self, cast: A, row: usize, read: impl Fn(A::Item) -> Option<T>) -> Cell<T> {
        match cell(cast, row, read) {
            Cell::Null if !self.is_empty_column() && self.raw.is_valid(row) => Cell::Unreadable,
            cell => cell,
        }
    }

    /// The column as it stands, where every value is sound and nothing is missing that must be there, as it mostly is.
    /// None where some row may be faulty.
    fn as_it_is<S: ArrowPrimitiveType, T: ArrowPrimitiveType<Native = S::Native>>(
        &self,
        values: &PrimitiveArray<S>,
        is_sound: impl Fn(&S::Native) -> bool,
    ) -> Option<Checked> {
        let nulls = values.null_count();
        // After a cast a null may stand for a value that did not fit.
        if nulls > 0 && (!self.column.nullable || nulls != self.raw.null_count()) {
            return None;
        }
        // A null's own value is anything: only where some value is not sound the rows are looked at one by one.
        let is_all_sound = values.values().iter().fold(true, |is_all, value| is_all & is_sound(value))
            || (nulls > 0 && values.iter().flatten().all(|value| is_sound(&value)));
        is_all_sound.then(|| {
            let array = Arc::new(values.reinterpret_cast::<T>());
            Checked { array, marks: Vec::new(), refers_to_unknown: Vec::new() }
        })
    }

    /// The column where every value is sound and nothing is missing that must be there, as it mostly is: no row is
    /// looked at by itself. None where some row may be faulty.
    fn all_sound<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        values: &PrimitiveArray<S>,
        convert: impl Fn(S::Native) -> Option<T::Native>,
        is_sound: impl Fn(&T::Native) -> bool,
    ) -> Option<Checked> {
        let nulls = values.null_count();
        // After a cast a null may stand for a value that did not fit.
        if nulls > 0 && (!self.column.nullable || nulls != self.raw.null_count()) {
            return None;
        }
        let mut is_all_sound = true;
        let nothing = T::Native::default();
        let converted: Vec<T::Native> = values
            .values()
            .iter()
            .map(|&value| match convert(value) {
                Some(value) if is_sound(&value) => value,
                _ => {
                    is_all_sound = false;
                    nothing
                }
            })
            .collect();
        // A null's own value is anything, so that a column with nulls may come out as not sound here.
        is_all_sound.then(|| {
            let array = PrimitiveArray::<T>::new(converted.into(), values.nulls().cloned());
            Checked { array: Arc::new(array), marks: Vec::new(), refers_to_unknown: Vec::new() }
        })
    }

    fn build<T: ArrowPrimitiveType>(
        &self,
        read: impl Fn(usize) -> Cell<T::Native>,
        is_sound: impl Fn(&T::Native) -> bool,
    ) -> Checked {
        let mut marks = Vec::new();
        let array: PrimitiveArray<T> = (0..self.raw.len())
            .map(|row| {
                let rule = match read(row) {
                    Cell::Value(value) if is_sound(&value) => return Some(value),
                    Cell::Value(value) => {
                        marks.push((row as u32, Rule::Range));
                        return Some(value);
                    }
                    Cell::Null if self.column.nullable => return None,
                    Cell::Null => Rule::Null,
                    Cell::Unreadable => Rule::Type,
                };
                marks.push((row as u32, rule));
                None
            })
            .collect();
        Checked { array: Arc::new(array), marks, refers_to_unknown: Vec::new() }
    }
}

/// From so many rows for each text on it pays to look for all texts first.
const ROWS_A_TEXT: usize = 8;

/// What a text is found to be.
#[derive(Clone, Copy)]
enum Answer<T> {
    Missing,
    Is(T),
    /// It refers to a row that is not yet known.
    NotKnown,
    Broken(Rule),
}

/// The answers of a column so far.
struct Answers<'a, T: ArrowPrimitiveType> {
    column: &'a Column,
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
    marks: Vec<(u32, Rule)>,
    refers_to_unknown: Vec<u32>,
}

impl<'a, T: ArrowPrimitiveType> Answers<'a, T> {
    fn of(column: &'a Column, rows: usize) -> Self {
        let (values, nulls) = (Vec::with_capacity(rows), NullBufferBuilder::new(rows));
        Answers { column, values, nulls, marks: Vec::new(), refers_to_unknown: Vec::new() }
    }

    #[inline]
    fn push(&mut self, answer: Answer<T::Native>) {
        match answer {
            Answer::Is(value) => {
                self.values.push(value);
                self.nulls.append_non_null();
            }
            _ => self.push_nothing(answer),
        }
    }

    fn push_nothing(&mut self, answer: Answer<T::Native>) {
        let row = self.values.len() as u32;
        match answer {
            Answer::Broken(rule) => self.marks.push((row, rule)),
            Answer::Missing if !self.column.nullable => self.marks.push((row, Rule::Null)),
            Answer::NotKnown => self.refers_to_unknown.push(row),
            Answer::Missing | Answer::Is(_) => {}
        }
        self.values.push(T::Native::default());
        self.nulls.append_null();
    }

    fn take_in_turn<'t>(
        &mut self,
        texts: impl Iterator<Item = Option<&'t str>>,
        find: &mut dyn FnMut(&str) -> Answer<T::Native>,
    ) {
        let mut last: Option<(&str, Answer<T::Native>)> = None;
        for text in texts {
            self.push(match (text, last) {
                (None, _) => Answer::Missing,
                (Some(text), Some((same, answer))) if same == text => answer,
                (Some(text), _) => {
                    let answer = find(text);
                    last = Some((text, answer));
                    answer
                }
            });
        }
    }

    fn end(mut self) -> Checked {
        let array = PrimitiveArray::<T>::new(self.values.into(), self.nulls.finish());
        Checked { array: Arc::new(array), marks: self.marks, refers_to_unknown: self.refers_to_unknown }
    }
}

/// Of each day of a column whether it is sound, found once for all rows that have it.
struct DaysKnown<F> {
    is_sound: F,
    first: i32,
    of_days: Vec<bool>,
}

impl<F: Fn(&i32) -> bool> DaysKnown<F> {
    /// Days that lie farther apart are not listed, but looked at in each row.
    const LISTED_MAX: i64 = 1 << 15;

    fn of(days: &[i32], is_sound: F) -> Self {
        let first = days.iter().copied().fold(i32::MAX, i32::min);
        let last = days.iter().copied().fold(i32::MIN, i32::max);
        let is_short = i64::from(last) - i64::from(first) < Self::LISTED_MAX;
        let of_days = if is_short { (first..=last).map(|day| is_sound(&day)).collect() } else { Vec::new() };
        DaysKnown { is_sound, first, of_days }
    }

    #[inline]
    fn is_sound(&self, day: &i32) -> bool {
        let known = self.of_days.get(day.wrapping_sub(self.first).cast_unsigned() as usize).copied();
        known.unwrap_or_else(|| (self.is_sound)(day))
    }
}

fn cast_to(array: &ArrayRef, kind: &DataType) -> std::result::Result<ArrayRef, WrongType> {
    if array.data_type() == kind { Ok(Arc::clone(array)) } else { cast(array, kind).map_err(|_| WrongType) }
}

fn microseconds(array: &ArrayRef) -> std::result::Result<PrimitiveArray<TimestampMicrosecondType>, WrongType> {
    let moments = cast_to(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(moments.as_primitive::<TimestampMicrosecondType>().clone())
}

#[inline]
fn cell<A: ArrayAccessor, T>(array: A, row: usize, read: impl Fn(A::Item) -> Option<T>) -> Cell<T> {
    if array.is_null(row) {
        return Cell::Null;
    }
    read(array.value(row)).map_or(Cell::Unreadable, Cell::Value)
}

/// From units of 10^−digits to units of 10^−scale; None when the value has more digits than that.
fn rescale(value: i128, digits: u32, scale: u32) -> Option<i128> {
    if digits <= scale {
        return Some(value.saturating_mul(10_i128.pow(scale - digits)));
    }
    let unit = 10_i128.pow(digits - scale);
    (value % unit == 0).then(|| value / unit)
}

/// Bytes of an identifier.
const ID_BYTES_MAX: usize = 64;

/// 1 to 64 bytes, no control characters.
fn is_sound_id(id: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&id.len()) && !id.chars().any(char::is_control)
}

/// Whether no text is empty and, of identifiers, every one is sound, seen at the bytes of all of them at once. False
/// where one may not be.
fn is_plain(texts: &LargeStringArray, is_id: bool) -> bool {
    let lengths = || texts.offsets().lengths();
    let empty = lengths().filter(|&length| length == 0).count();
    // A null has no bytes.
    if empty != texts.null_count() {
        return false;
    }
    let ends = texts.offsets().first().zip(texts.offsets().last());
    let bytes = ends.and_then(|(from, to)| texts.value_data().get(*from as usize..*to as usize)).unwrap_or(&[]);
    let is_printable = |bytes: &[u8]| bytes.iter().fold(true, |is_all, byte| is_all & (b' '..0x7f).contains(byte));
    !is_id || (lengths().all(|length| length <= ID_BYTES_MAX) && is_printable(bytes))
}

/// The bounds of a column in units of its last digit, both included.
struct Bounds {
    least: i128,
    most: i128,
}

impl Bounds {
    fn of(column: &Column, scale: u32) -> Bounds {
        let widest = 10_i128.pow(column.kind.precision().unwrap_or(18)) - 1;
        let unit = 10_i128.pow(scale);
        let mut least = if column.kind == Type::Count { 0 } else { -widest };
        let mut most = widest;
        if let Some(minimum) = column.minimum {
            least = least.max(minimum.times_up(unit));
        }
        if let Some(more_than) = column.more_than {
            least = least.max(more_than.times_down(unit) + 1);
        }
        if let Some(maximum) = column.maximum {
            most = most.min(maximum.times_down(unit));
        }
        Bounds { least, most }
    }

    /// The bounds of what fits 64 bits.
    fn narrow(&self) -> RangeInclusive<i64> {
        let narrow = |bound: i128| i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX });
        narrow(self.least)..=narrow(self.most)
    }
}

/// What a row's value looks like in a message; never for a sensitive column.
pub fn shown(column: &Column, raw: Option<&ArrayRef>, row: usize) -> String {
    if column.sensitive {
        return "(not shown)".into();
    }
    raw.map_or_else(String::new, |raw| arrow::util::display::array_value_to_string(raw, row).unwrap_or_default())
}

/// The array of a table without rows.
pub fn empty(column: &Column, is_reference: bool) -> Result<ArrayRef> {
    let forms = TextForms::of("", &Default::default())?;
    let index = is_reference.then(IdIndex::default);
    check(column, None, 0, true, &forms, index.as_ref())
        .map(|checked| checked.array)
        .map_err(|WrongType| Error::internal(format!("column `{}` has no form in memory", column.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contracts;
    use arrow::array::{Date64Array, Decimal256Array, DictionaryArray, TimestampSecondArray, UInt64Array};
    use arrow::datatypes::i256;

    /// The rows of a typed column that do not pass, with their rules.
    fn marks(table: &str, column: &str, raw: ArrayRef) -> Vec<(u32, Rule)> {
        let contracts = Contracts::built_in().unwrap();
        let column = contracts.input(table).unwrap().column(column).unwrap();
        let forms = TextForms::of(table, &Default::default()).unwrap();
        check(column, Some(&raw), raw.len(), false, &forms, None).unwrap().marks
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_taken_for_null() {
        let moments = TimestampSecondArray::from(vec![None, Some(1_780_000_000), Some(i64::MAX)]);
        assert_eq!(marks("visits", "issue_resolved_at", Arc::new(moments)), [(2, Rule::Type)]);
        let days = Date64Array::from(vec![None, Some(86_400_000), Some(i64::MAX)]);
        assert_eq!(marks("loans", "closed_on", Arc::new(days)), [(2, Rule::Type)]);
        let truths = UInt64Array::from(vec![Some(1), Some(0), Some(u64::MAX)]);
        assert_eq!(marks("accounts", "has_pos", Arc::new(truths)), [(2, Rule::Type)]);
    }

    #[test]
    fn coded_text_stays_so_and_nothing_is_null_in_it() {
        let contracts = Contracts::built_in().unwrap();
        let column = contracts.input("visits").unwrap().column("device_id").unwrap();
        let forms = TextForms::of("visits", &Default::default()).unwrap();
        let checked = |texts: [Option<&str>; 4]| {
            let raw: ArrayRef = Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>());
            let checked = check(column, Some(&raw), 4, false, &forms, None).unwrap();
            assert_eq!(checked.marks, []);
            checked.array
        };
        let kept = checked([Some("D1"), Some("D2"), None, Some("D1")]);
        assert_eq!((kept.as_dictionary::<Int32Type>().values().len(), kept.null_count()), (2, 1));
        let turned = checked([Some("D1"), Some(""), None, Some("D1")]);
        assert_eq!(turned.as_string::<i64>(), &LargeStringArray::from(vec![Some("D1"), None, None, Some("D1")]));
    }

    #[test]
    fn digits_of_wide_decimals_are_not_rounded_away() {
        let amounts = [12_340, 12_345].map(|units| Some(i256::from_i128(units))).to_vec();
        let amounts = Decimal256Array::from(amounts).with_precision_and_scale(50, 3).unwrap();
        assert_eq!(marks("profiles", "annual_income", Arc::new(amounts)), [(1, Rule::Type)]);
    }
}
