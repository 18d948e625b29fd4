//! A table of a policy file under inspection: hands out its values one by one, as exact numbers with their units, and
//! notes what is missing, of the wrong type, out of range or unknown, with file and line, without stopping at the first.
//! Written by hand and not derived, because a derived reader stops at a file's first fault.
//! Leaves to each policy which keys there are and how its values must agree.

use super::findings::Findings;
use crate::calendar::Date;
use crate::decimal::Decimal;
use crate::fault::Fault;
use std::cell::RefCell;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most digits that every reader of TOML keeps of a number; more would be one number here and another elsewhere.
const DIGITS_MAX: usize = 15;

/// One file: its path as the bank wrote it, its text, and where its faults go.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) shown: &'a str,
    pub(super) text: &'a str,
    pub(super) findings: &'a Findings,
}

impl<'a> File<'a> {
    /// The file as TOML, or None with its faults noted.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let garbled = self.text.find(char::REPLACEMENT_CHARACTER);
        if let Some(offset) = garbled {
            let hint = "save the file as UTF-8, without a change of its words";
            self.findings.at(self.shown, self.line_of(offset), "the file is not UTF-8", hint);
        }
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = self.line_of(error.span().map_or(0, |span| span.start));
            let fault = Fault::new(format!("`{}` line {line}: the file is not TOML", self.shown));
            let hint = "compare the line with the same policy of the built-in rulebook";
            self.findings.add(self.shown, line, fault.caused_by(error.message()).hint(hint));
        }
        errors.is_empty().then_some(document)
    }

    fn line_of(&self, offset: usize) -> usize {
        1 + self.text.get(..offset).map_or(0, |before| before.matches('\n').count())
    }
}

pub(super) struct Table<'a> {
    file: File<'a>,
    line: usize,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<String>>,
}

impl<'a> Table<'a> {
    pub(super) fn whole(file: File<'a>, document: &'a Spanned<DeTable<'a>>) -> Self {
        Table::new(file, 1, document.get_ref())
    }

    fn new(file: File<'a>, line: usize, entries: &'a DeTable<'a>) -> Self {
        Table { file, line, entries, asked: RefCell::new(Vec::new()) }
    }

    /// The line on which the table begins.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Notes a fault on the line of a key, or of the table where it has no such key.
    pub(super) fn fault(&self, key: &str, sentence: &str, hint: &str) {
        let line = self.entries.get_key_value(key).map_or(self.line, |(key, _)| self.file.line_of(key.span().start));
        self.file.findings.at(self.file.shown, line, sentence, hint);
    }

    /// Everything that the table says, the same text for the same content whatever the order and layout of its keys.
    pub(super) fn canonical(&self) -> String {
        let mut text = String::new();
        write_table(&mut text, self.entries);
        text
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// Whether an optional key is there; asking makes it a known key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.asked.borrow_mut().push(key.to_owned());
        self.entries.contains_key(key)
    }

    /// Notes every key that nobody asked for. To be called when all keys have been asked for.
    pub(super) fn close(&self) {
        let asked = self.asked.borrow();
        let mut known: Vec<String> = Vec::new();
        for key in asked.iter() {
            let key = format!("`{key}`");
            if !known.contains(&key) {
                known.push(key);
            }
        }
        for key in self.keys() {
            if !asked.contains(&key) {
                let hint = format!("the keys known here are {}", known.join(", "));
                self.fault(&key, &format!("the key `{key}` is unknown here"), &hint);
            }
        }
    }

    fn value(&self, key: &str) -> Option<&'a DeValue<'a>> {
        if !self.has(key) {
            let hint = format!("add `{key} = ...`, as in the same policy of the built-in rulebook");
            self.fault(key, &format!("the key `{key}` is missing"), &hint);
            return None;
        }
        self.entries.get(key).map(Spanned::get_ref)
    }

    fn wrong_type<T>(&self, key: &str, value: &DeValue<'_>, wanted: &str) -> Option<T> {
        self.fault(key, &format!("`{key}` is {}", type_name(value)), &format!("`{key}` must be {wanted}"));
        None
    }

    /// A table inside this one.
    pub(super) fn table(&self, key: &str) -> Option<Table<'a>> {
        match self.value(key)? {
            DeValue::Table(entries) => {
                let (name, _) = self.entries.get_key_value(key)?;
                Some(Table::new(self.file, self.file.line_of(name.span().start), entries))
            }
            other => self.wrong_type(key, other, "a table such as { en = \"...\", zh = \"...\" }"),
        }
    }

    /// The tables of a list, which must not be empty.
    pub(super) fn tables(&self, key: &str) -> Option<Vec<Table<'a>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value else {
            return self.wrong_type(key, value, "a list of tables");
        };
        if items.is_empty() {
            self.fault(key, &format!("`{key}` is empty"), "write at least one");
            return None;
        }
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(entries) => {
                    tables.push(Table::new(self.file, self.file.line_of(item.span().start), entries));
                }
                other => return self.wrong_type(key, other, "a list of tables"),
            }
        }
        Some(tables)
    }

    /// A text that says something.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        let DeValue::String(text) = value else {
            return self.wrong_type(key, value, "a text in quotes");
        };
        if text.trim().is_empty() {
            self.fault(key, &format!("`{key}` is empty"), &format!("say in `{key}` what a reader must know"));
            return None;
        }
        Some(text.to_string())
    }

    /// A text that is used as a name in columns and lists: no blanks around it, no `|`, no control characters.
    pub(super) fn label(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        self.check_label(key, &text).then_some(text)
    }

    fn check_label(&self, key: &str, text: &str) -> bool {
        let sound = !text.is_empty() && text.trim() == text && !text.contains(|c: char| c == '|' || c.is_control());
        if !sound {
            let hint = "write a name without blanks around it, without `|` (it joins names) and on one line";
            self.fault(key, &format!("`{}` in `{key}` is no name", text.escape_debug()), hint);
        }
        sound
    }

    /// One word of a closed list.
    pub(super) fn word(&self, key: &str, known: &[&str]) -> Option<String> {
        let text = self.text(key)?;
        self.check_word(key, &text, known).then_some(text)
    }

    fn check_word(&self, key: &str, text: &str, known: &[&str]) -> bool {
        let is_known = known.contains(&text);
        if !is_known {
            let hint = format!("the words known here are {}", known.join(", "));
            self.fault(key, &format!("`{text}` in `{key}` is unknown"), &hint);
        }
        is_known
    }

    /// A list of names, each once; it may be empty.
    pub(super) fn labels(&self, key: &str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value else {
            return self.wrong_type(key, value, "a list of texts in quotes");
        };
        let mut labels: Vec<String> = Vec::new();
        for item in items.iter() {
            let DeValue::String(text) = item.get_ref() else {
                return self.wrong_type(key, item.get_ref(), "a list of texts in quotes");
            };
            if labels.iter().any(|label| label == text) {
                self.fault(key, &format!("`{text}` stands twice in `{key}`"), "write it once");
            } else if self.check_label(key, text) {
                labels.push(text.to_string());
            }
        }
        Some(labels)
    }

    /// A list of words of a closed list, each once; it may be empty.
    pub(super) fn words(&self, key: &str, known: &[&str]) -> Option<Vec<String>> {
        let mut words = self.labels(key)?;
        words.retain(|word| self.check_word(key, word, known));
        Some(words)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.wrong_type(key, other, "true or false, without quotes"),
        }
    }

    pub(super) fn date(&self, key: &str) -> Option<Date> {
        let value = self.value(key)?;
        let date = match value {
            DeValue::Datetime(moment) if moment.time.is_none() => moment.date,
            _ => None,
        };
        let date = date.and_then(|date| Date::from_ymd(i32::from(date.year), date.month.into(), date.day.into()));
        date.or_else(|| self.wrong_type(key, value, "a day such as 2026-01-01, without quotes"))
    }

    /// A time of day in minutes since midnight.
    pub(super) fn minute_of_day(&self, key: &str) -> Option<u32> {
        let value = self.value(key)?;
        let wanted = "a time of day in whole minutes such as 07:00:00, without quotes";
        let DeValue::Datetime(moment) = value else {
            return self.wrong_type(key, value, wanted);
        };
        match (moment.date, moment.time, moment.offset) {
            (None, Some(time), None) if time.second.unwrap_or(0) == 0 && time.nanosecond.unwrap_or(0) == 0 => {
                Some(u32::from(time.hour) * 60 + u32::from(time.minute))
            }
            _ => self.wrong_type(key, value, wanted),
        }
    }

    /// A number exactly as it is written.
    pub(super) fn decimal(&self, key: &str) -> Option<Decimal> {
        let value = self.value(key)?;
        let text = match value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            other => return self.wrong_type(key, other, "a number, without quotes"),
        };
        let digits = text.bytes().filter(u8::is_ascii_digit).skip_while(|&digit| digit == b'0').count();
        let decimal = Decimal::parse(text).filter(|_| digits <= DIGITS_MAX);
        if decimal.is_none() {
            let hint = "write fewer digits: at most 15, at most nine of them after the point, and no exponent";
            self.fault(key, &format!("`{key}` is {text}, which cannot be kept exactly"), hint);
        }
        decimal
    }

    /// A list of numbers exactly as they are written, at least one.
    pub(super) fn decimals(&self, key: &str) -> Option<Vec<Decimal>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value else {
            return self.wrong_type(key, value, "a list of numbers");
        };
        let decimals = items.iter().map(|item| match item.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => Decimal::parse(number.as_str()),
            DeValue::Float(number) => Decimal::parse(number.as_str()),
            _ => None,
        });
        let decimals: Option<Vec<Decimal>> = decimals.collect();
        let decimals = decimals.filter(|decimals| !decimals.is_empty());
        if decimals.is_none() {
            self.fault(key, &format!("`{key}` is no list of numbers"), "write numbers such as [0.30, 0.70, 1.00]");
        }
        decimals
    }

    /// A number of 0 or more.
    pub(super) fn amount(&self, key: &str) -> Option<Decimal> {
        let decimal = self.decimal(key)?;
        self.require(key, decimal, decimal >= Decimal::ZERO, "0 or more")
    }

    /// A number from 0 to 1.
    pub(super) fn share(&self, key: &str) -> Option<Decimal> {
        let decimal = self.decimal(key)?;
        let within = (Decimal::ZERO..=Decimal::from_integer(1)).contains(&decimal);
        self.require(key, decimal, within, "a share from 0 to 1 (0.05 for 5 %)")
    }

    fn require(&self, key: &str, decimal: Decimal, holds: bool, wanted: &str) -> Option<Decimal> {
        if !holds {
            self.fault(key, &format!("`{key}` is {decimal}"), &format!("`{key}` must be {wanted}"));
        }
        holds.then_some(decimal)
    }

    /// A whole number of 0 or more.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        let units = self.units(key, 0, "a whole number")?;
        let count = u32::try_from(units).ok();
        if count.is_none() {
            self.fault(key, &format!("`{key}` is {units}, which is too large"), "write a smaller number");
        }
        count
    }

    /// A whole number of 1 or more.
    pub(super) fn positive_count(&self, key: &str) -> Option<u32> {
        let count = self.count(key)?;
        if count == 0 {
            self.fault(key, &format!("`{key}` is 0"), &format!("`{key}` must be 1 or more"));
        }
        (count > 0).then_some(count)
    }

    /// Money of 0 or more, in cents.
    pub(super) fn cents(&self, key: &str) -> Option<i64> {
        self.units(key, 2, "an amount with at most two digits after the point")
    }

    /// Points of 0 or more, in tenths.
    pub(super) fn tenths(&self, key: &str) -> Option<i32> {
        let units = self.units(key, 1, "a number of points with at most one digit after the point")?;
        let tenths = i32::try_from(units).ok();
        if tenths.is_none() {
            self.fault(key, &format!("`{key}` is too large for points"), "write a smaller number");
        }
        tenths
    }

    /// A number of 0 or more as a whole number of units of 10^−scale.
    fn units(&self, key: &str, scale: u32, wanted: &str) -> Option<i64> {
        let decimal = self.amount(key)?;
        let units = decimal.in_units(scale);
        if units.is_none() {
            self.fault(key, &format!("`{key}` is {decimal}"), &format!("`{key}` must be {wanted}"));
        }
        units
    }
}

fn write_table(text: &mut String, entries: &DeTable<'_>) {
    let mut sorted: Vec<_> = entries.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())).collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    text.push('{');
    for (key, value) in sorted {
        text.push_str(&format!("{key:?}="));
        write_value(text, value);
        text.push(',');
    }
    text.push('}');
}

fn write_value(text: &mut String, value: &DeValue<'_>) {
    match value {
        DeValue::String(words) => text.push_str(&format!("{words:?}")),
        DeValue::Integer(number) => text.push_str(number.as_str()),
        DeValue::Float(number) => text.push_str(number.as_str()),
        DeValue::Boolean(truth) => text.push_str(&truth.to_string()),
        DeValue::Datetime(moment) => text.push_str(&moment.to_string()),
        DeValue::Array(items) => {
            text.push('[');
            for item in items.iter() {
                write_value(text, item.get_ref());
                text.push(',');
            }
            text.push(']');
        }
        DeValue::Table(entries) => write_table(text, entries),
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(number) if number.radix() != 10 => "a number in another notation than the decimal one",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(moment) => match (moment.date, moment.time) {
            (Some(_), None) => "a day",
            (None, _) => "a time of day",
            _ => "a moment",
        },
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
