//! Days, months and moments as whole numbers, and the windows that every rule counts in (`rules.md` §1).
//! Knows nothing of a clock: every date is given, and "today" is the as-of date of the run.

use chrono::{Datelike, Days, Months, NaiveDate};
use std::fmt;

pub const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// A day, counted from 1970-01-01 as Parquet and Arrow count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

impl Date {
    /// 0001-01-01.
    pub const FIRST: Date = Date(-719_162);
    /// 9999-12-31.
    pub const LAST: Date = Date(2_932_896);

    /// The first moment of the day, in microseconds.
    pub fn midnight(self) -> i64 {
        i64::from(self.0) * MICROSECONDS_A_DAY
    }

    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from_chrono)
    }

    /// Reads `YYYY-MM-DD` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<u32> {
            bytes
                .get(from..to)?
                .iter()
                .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
        };
        Self::from_ymd(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)
    }

    fn from_chrono(date: NaiveDate) -> Self {
        Date(date.to_epoch_days())
    }

    pub fn to_chrono(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).unwrap_or_default()
    }

    /// The same day n months earlier, or the last day of that month where it has no such day.
    #[must_use]
    pub fn months_earlier(self, months: u32) -> Self {
        self.to_chrono().checked_sub_months(Months::new(months)).map_or(self, Self::from_chrono)
    }

    /// The same day n months later, or the last day of that month where it has no such day.
    #[must_use]
    pub fn months_later(self, months: u32) -> Self {
        self.to_chrono().checked_add_months(Months::new(months)).map_or(self, Self::from_chrono)
    }

    #[must_use]
    pub fn days_later(self, days: u32) -> Self {
        self.to_chrono().checked_add_days(Days::new(u64::from(days))).map_or(self, Self::from_chrono)
    }

    /// The day so many days ago; None where that cannot be a day.
    pub fn days_earlier(self, days: i64) -> Option<Self> {
        Some(Date(self.0.checked_sub(i32::try_from(days).ok()?)?))
    }

    /// "Valid on D": the first day belongs to a validity, the day on which it ends does not.
    pub fn is_within(self, from: Self, to: Option<Self>) -> bool {
        from <= self && to.is_none_or(|to| self < to)
    }

    #[must_use]
    pub fn last_of_month(self) -> Self {
        Date(Month::of(self).next().first_day().0 - 1)
    }

    /// Whether the day lies in the years 1 to 9999: others cannot be written, and come from a wrong unit in a file.
    pub fn is_of_four_digits(self) -> bool {
        (Date::FIRST.0..=Date::LAST.0).contains(&self.0)
    }

    pub fn is_first_of_month(self) -> bool {
        self.to_chrono().day() == 1
    }

    pub fn is_last_of_month(self) -> bool {
        self == self.last_of_month()
    }

    /// The greatest n with `self ≤ later − n months`; 0 when `self` is after `later`.
    pub fn whole_months_to(self, later: Date) -> u32 {
        let guess = Month::of(later).0 - Month::of(self).0;
        let mut months = u32::try_from(guess).unwrap_or(0);
        while months > 0 && self > later.months_earlier(months) {
            months -= 1;
        }
        months
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.to_chrono();
        write!(formatter, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

/// A calendar month, counted from 1970-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

impl Month {
    pub fn of(date: Date) -> Self {
        let date = date.to_chrono();
        Month((date.year() - 1970) * 12 + date.month0() as i32)
    }

    #[must_use]
    pub fn next(self) -> Self {
        Month(self.0 + 1)
    }

    pub fn first_day(self) -> Date {
        let (year, month) = (1970 + self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1);
        NaiveDate::from_ymd_opt(year, month, 1).map_or(Date(0), Date::from_chrono)
    }
}

/// The day of a wall-clock moment in microseconds since 1970-01-01 00:00.
pub fn day_of(microseconds: i64) -> Date {
    Date(i32::try_from(microseconds.div_euclid(MICROSECONDS_A_DAY)).unwrap_or(i32::MAX))
}

/// A wall-clock moment as ISO 8601, with microseconds only where there are some.
pub fn format_time(microseconds: i64) -> String {
    let within = microseconds.rem_euclid(MICROSECONDS_A_DAY);
    let (seconds, fraction) = (within / 1_000_000, within % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let whole = format!("{}T{hours:02}:{minutes:02}:{seconds:02}", day_of(microseconds));
    if fraction == 0 { whole } else { format!("{whole}.{fraction:06}") }
}

/// Days after `from`, up to and including `to`: `W(n)` of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    after: Date,
    to: Date,
}

impl Window {
    /// `W(n)`: after `as_of − n months`, up to and including `as_of`.
    pub fn months_to(as_of: Date, months: u32) -> Self {
        Window { after: as_of.months_earlier(months), to: as_of }
    }

    /// After the as-of date, up to and including `as_of + n months`.
    pub fn months_from(as_of: Date, months: u32) -> Self {
        Window { after: as_of, to: as_of.months_later(months) }
    }

    pub fn contains(self, date: Date) -> bool {
        self.after < date && date <= self.to
    }
}

/// `M(n)`: the n latest months whose last day is not after the as-of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompleteMonths {
    last: Month,
    count: u32,
}

impl CompleteMonths {
    pub fn until(as_of: Date, count: u32) -> Self {
        let month = Month::of(as_of);
        let last = if as_of.is_last_of_month() { month } else { Month(month.0 - 1) };
        CompleteMonths { last, count }
    }

    /// 0 for the latest complete month, 1 for the one before, …; None outside the window.
    pub fn position(self, date: Date) -> Option<u32> {
        u32::try_from(self.last.0 - Month::of(date).0).ok().filter(|&position| position < self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn months_earlier_clamp_to_the_last_day() {
        for (day, months, earlier) in [
            ("2026-03-31", 1, "2026-02-28"),
            ("2024-03-31", 1, "2024-02-29"),
            ("2024-02-29", 12, "2023-02-28"),
            ("2026-06-30", 24, "2024-06-30"),
        ] {
            assert_eq!(date(day).months_earlier(months).to_string(), earlier);
        }
        assert_eq!(date("2026-01-31").months_later(1).to_string(), "2026-02-28");
    }

    #[test]
    fn whole_months_are_the_greatest_that_fit() {
        for (from, to, months) in [
            ("2026-05-31", "2026-06-30", 0),
            ("2026-05-30", "2026-06-29", 0),
            ("2024-02-29", "2025-02-28", 11),
            ("2026-06-30", "2026-06-30", 0),
            ("2026-07-01", "2026-06-30", 0),
        ] {
            assert_eq!(date(from).whole_months_to(date(to)), months, "{from} to {to}");
        }
    }

    #[test]
    fn windows_leave_out_their_first_day() {
        let window = Window::months_to(date("2026-06-30"), 12);
        assert!(!window.contains(date("2025-06-30")) && window.contains(date("2025-07-01")));
        assert!(window.contains(date("2026-06-30")) && !window.contains(date("2026-07-01")));
    }

    #[test]
    fn a_month_is_complete_on_its_last_day() {
        let complete = |as_of: &str, day: &str| CompleteMonths::until(date(as_of), 12).position(date(day));
        assert_eq!(complete("2026-06-30", "2026-06-01"), Some(0));
        assert_eq!(complete("2026-06-29", "2026-06-01"), None);
        assert_eq!(complete("2026-06-29", "2025-06-01"), Some(11));
        assert_eq!(complete("2026-06-30", "2025-06-01"), None);
        assert_eq!(complete("2024-02-29", "2024-02-01"), Some(0));
    }

    #[test]
    fn days_lie_in_the_years_1_to_9999() {
        let (first, last) = (Date::from_ymd(1, 1, 1).unwrap(), Date::from_ymd(9999, 12, 31).unwrap());
        assert!(first.is_of_four_digits() && last.is_of_four_digits());
        assert!(!Date(first.0 - 1).is_of_four_digits() && !Date(last.0 + 1).is_of_four_digits());
    }

    #[test]
    fn only_plain_iso_dates_are_dates() {
        for text in ["2026-6-30", "2026-06-31", "20260630", "2026-06-30 ", "+026-06-30", "0000-01-01"] {
            assert_eq!(Date::parse(text), None, "{text:?}");
        }
    }
}
