//! Text to values: dates, moments, amounts and truth as exports write them.
//! Each function answers None for text that is no such value; what that means for the row is the caller's matter.

use std::borrow::Cow;

use crate::calendar::Date;
use crate::decimal;
use crate::fault::{Error, Fault, Result};
use crate::read::bank::CsvFormat;

/// One piece of a strftime form.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Year,
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// A compiled strftime form.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(Vec<Piece>);

/// What a moment is made of while it is read.
#[derive(Default)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    microsecond: u32,
}

impl Parts {
    fn date(&self) -> Option<Date> {
        Date::from_ymd(i32::try_from(self.year).ok()?, self.month, self.day)
    }

    fn time(&self) -> Option<i64> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let seconds = i64::from(self.hour * 3600 + self.minute * 60 + self.second);
        Some(self.date()?.midnight() + seconds * 1_000_000 + i64::from(self.microsecond))
    }
}

impl Pattern {
    fn compile(form: &str) -> Option<Pattern> {
        let mut pieces = Vec::new();
        let mut characters = form.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                match pieces.last_mut() {
                    Some(Piece::Literal(text)) => text.push(character),
                    _ => pieces.push(Piece::Literal(character.to_string())),
                }
                continue;
            }
            match characters.next()? {
                'Y' => pieces.push(Piece::Year),
                'y' => pieces.push(Piece::ShortYear),
                'm' => pieces.push(Piece::Month),
                'd' => pieces.push(Piece::Day),
                'H' => pieces.push(Piece::Hour),
                'M' => pieces.push(Piece::Minute),
                'S' => pieces.push(Piece::Second),
                'f' => pieces.push(Piece::Fraction),
                'F' => pieces.extend(Pattern::compile("%Y-%m-%d")?.0),
                'T' => pieces.extend(Pattern::compile("%H:%M:%S")?.0),
                '%' => pieces.push(Piece::Literal("%".into())),
                _ => return None,
            }
        }
        Some(Pattern(pieces))
    }

    fn read(&self, text: &str) -> Option<Parts> {
        let mut rest = text.as_bytes();
        let mut parts = Parts::default();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(literal.as_bytes())?,
                Piece::Year => parts.year = digits(&mut rest, 4, 4)?,
                Piece::ShortYear => {
                    let year = digits(&mut rest, 2, 2)?;
                    parts.year = if year < 69 { 2000 + year } else { 1900 + year };
                }
                Piece::Month => parts.month = digits(&mut rest, 1, 2)?,
                Piece::Day => parts.day = digits(&mut rest, 1, 2)?,
                Piece::Hour => parts.hour = digits(&mut rest, 1, 2)?,
                Piece::Minute => parts.minute = digits(&mut rest, 1, 2)?,
                Piece::Second => parts.second = digits(&mut rest, 1, 2)?,
                Piece::Fraction => parts.microsecond = fraction(&mut rest)?,
            }
        }
        rest.is_empty().then_some(parts)
    }
}

fn digits(rest: &mut &[u8], least: usize, most: usize) -> Option<u32> {
    let count = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if count < least {
        return None;
    }
    let (number, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(number.iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
}

/// The digits after the point of a second, to the microsecond; finer ones are cut off.
fn fraction(rest: &mut &[u8]) -> Option<u32> {
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at_checked(count).filter(|_| (1..=9).contains(&count))?;
    *rest = after;
    let padded = number.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    Some(padded.fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
}

/// How the text of one input is understood.
#[derive(Clone, Debug)]
pub struct TextForms {
    dates: Vec<Pattern>,
    times: Vec<Pattern>,
    thousands: Option<char>,
    decimal: char,
}

impl TextForms {
    /// Refuses a form with a letter that the program does not know.
    pub fn of(table: &str, format: &CsvFormat) -> Result<TextForms> {
        let compile = |forms: &[String]| {
            forms
                .iter()
                .map(|form| {
                    Pattern::compile(form).ok_or_else(|| {
                        let fault = Fault::new(format!("input `{table}` has the date or time form `{form}`"));
                        Error::refused(fault.hint("forms are made of %Y %y %m %d %H %M %S %f %F %T and plain text"))
                    })
                })
                .collect::<Result<Vec<_>>>()
        };
        Ok(TextForms {
            dates: compile(&format.date_formats)?,
            times: compile(&format.time_formats)?,
            thousands: format.thousands,
            decimal: format.decimal,
        })
    }

    /// The declared forms in order, then `2026-06-30`, which no other form can mean differently.
    pub fn date(&self, text: &str) -> Option<Date> {
        let text = text.trim();
        let declared = self.dates.iter().find_map(|pattern| pattern.read(text)?.date());
        declared.or_else(|| Date::parse(text))
    }

    /// The declared forms in order, then ISO 8601 without zone.
    pub fn time(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        let declared = self.times.iter().find_map(|pattern| pattern.read(text)?.time());
        declared.or_else(|| iso_time(text))
    }

    /// The number in units of 10^−scale; None when it has more decimals than that.
    pub fn scaled(&self, text: &str, scale: u32) -> Option<i128> {
        let plain = self.plain_number(text)?;
        let (value, digits) = decimal::parse_exact(plain.as_bytes(), scale as usize)?;
        value.checked_mul(10_i128.pow(scale - digits))
    }

    pub fn real(&self, text: &str) -> Option<f64> {
        self.plain_number(text)?.parse().ok()
    }

    /// The number without thousands separators and with a point.
    fn plain_number<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let text = text.trim();
        if self.thousands.is_none() && self.decimal == '.' {
            return Some(Cow::Borrowed(text));
        }
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let whole = match self.thousands {
            Some(separator) => without_separators(whole, separator)?,
            None => whole.to_string(),
        };
        Some(Cow::Owned(fraction.map_or_else(|| whole.clone(), |fraction| format!("{whole}.{fraction}"))))
    }
}

/// Separators must stand before groups of three digits: `1,234,567`, not `12,34`.
fn without_separators(whole: &str, separator: char) -> Option<String> {
    let mut groups = whole.split(separator);
    let first = groups.next()?;
    let mut joined = first.to_string();
    for group in groups {
        if group.len() != 3 || first.trim_start_matches(['-', '+']).is_empty() {
            return None;
        }
        joined.push_str(group);
    }
    Some(joined)
}

/// `2026-06-30T08:15`, with a blank for the T, and optional seconds and fraction.
fn iso_time(text: &str) -> Option<i64> {
    let date = Date::parse(text.get(..10)?)?;
    let mut rest = text.as_bytes().get(10..)?;
    rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" "))?;
    let mut parts = Parts { hour: digits(&mut rest, 2, 2)?, ..Parts::default() };
    rest = rest.strip_prefix(b":")?;
    parts.minute = digits(&mut rest, 2, 2)?;
    if let Some(seconds) = rest.strip_prefix(b":") {
        rest = seconds;
        parts.second = digits(&mut rest, 2, 2)?;
        if let Some(after_point) = rest.strip_prefix(b".") {
            rest = after_point;
            parts.microsecond = fraction(&mut rest)?;
        }
    }
    if !rest.is_empty() || parts.hour > 23 || parts.minute > 59 || parts.second > 59 {
        return None;
    }
    let seconds = i64::from(parts.hour * 3600 + parts.minute * 60 + parts.second);
    Some(date.midnight() + seconds * 1_000_000 + i64::from(parts.microsecond))
}

pub fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "TRUE" | "True" | "1" => Some(true),
        "false" | "FALSE" | "False" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::format_time;

    fn forms(format: CsvFormat) -> TextForms {
        TextForms::of("visits", &format).unwrap()
    }

    #[test]
    fn dates_are_read_in_their_declared_forms() {
        let declared = ["%Y/%m/%d", "%Y年%m月%d日", "%y%m%d"].map(String::from).to_vec();
        let forms = forms(CsvFormat { date_formats: declared, ..CsvFormat::default() });
        for text in ["2026/6/3", "2026年06月3日", "260603", "2026-06-03", " 2026-06-03 "] {
            assert_eq!(forms.date(text).map(|date| date.to_string()).as_deref(), Some("2026-06-03"), "{text}");
        }
        for text in ["2026/13/1", "2026/2/30", "3/6/2026", "20260603", ""] {
            assert_eq!(forms.date(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_read_to_the_microsecond() {
        let declared = vec!["%Y/%m/%d %H:%M".to_string()];
        let forms = forms(CsvFormat { time_formats: declared, ..CsvFormat::default() });
        for (text, shown) in [
            ("2026-06-30T08:15", "2026-06-30T08:15:00"),
            ("2026-06-30 08:15:30.5", "2026-06-30T08:15:30.500000"),
            ("2026/6/30 8:15", "2026-06-30T08:15:00"),
        ] {
            assert_eq!(forms.time(text).map(format_time).as_deref(), Some(shown));
        }
        for text in ["2026-06-30", "2026-06-30T24:00", "2026-06-30T08:15Z", "2026-06-30T08:15:30."] {
            assert_eq!(forms.time(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_exact() {
        let plain = forms(CsvFormat::default());
        assert_eq!(plain.scaled("-1234.5", 2), Some(-123_450));
        assert_eq!(plain.scaled("12.340", 2), Some(1234));
        assert_eq!(plain.scaled("3.0", 0), Some(3));
        for text in ["12.345", "1,234", "1e3", "", "abc", "--1"] {
            assert_eq!(plain.scaled(text, 2), None, "{text}");
        }
        let german = forms(CsvFormat { thousands: Some('.'), decimal: ',', ..CsvFormat::default() });
        assert_eq!(german.scaled("1.234.567,89", 2), Some(123_456_789));
        assert_eq!(german.scaled("12.34,5", 2), None);
    }

    #[test]
    fn unknown_letters_are_refused() {
        let format = CsvFormat { date_formats: vec!["%B %d".into()], ..CsvFormat::default() };
        assert!(TextForms::of("visits", &format).unwrap_err().to_string().contains("%B %d"));
    }
}
