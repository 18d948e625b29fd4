//! Days, wall-clock times and the windows of the rules: `T − n months`, `W(n)`, `M(12)`, whole
//! months. Dates are plain (year, month, day), so that every rule about month ends can be read
//! off the code.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: i64,
    pub month: i64,
    pub day: i64,
}

/// A local wall-clock time: its day and the microseconds since that day's midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    pub date: Date,
    pub microseconds: i64,
}

pub const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
pub const MICROSECONDS_PER_MINUTE: i64 = 60 * MICROSECONDS_PER_SECOND;
pub const MICROSECONDS_PER_HOUR: i64 = 60 * MICROSECONDS_PER_MINUTE;
const MICROSECONDS_PER_DAY: i64 = 24 * MICROSECONDS_PER_HOUR;

fn is_leap_year(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    pub fn parse(text: &str) -> Date {
        let parts: Vec<i64> =
            text.split('-').map(|part| part.parse().unwrap_or_else(|_| panic!("`{text}` is not a date"))).collect();
        let [year, month, day] = parts[..] else {
            panic!("`{text}` is not a date");
        };
        assert!(
            (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day),
            "`{text}` is no day of the calendar"
        );
        Date { year, month, day }
    }

    /// Days since the first of January of the year 0; only differences of it mean anything.
    fn day_number(self) -> i64 {
        let years_before = self.year - 1;
        let leap_days = years_before.div_euclid(4) - years_before.div_euclid(100) + years_before.div_euclid(400);
        let months: i64 = (1..self.month).map(|month| days_in_month(self.year, month)).sum();
        365 * self.year + leap_days + months + self.day
    }

    /// `self − earlier` in days.
    pub fn days_since(self, earlier: Date) -> i64 {
        self.day_number() - earlier.day_number()
    }

    pub fn plus_days(self, days: i64) -> Date {
        let mut date = self;
        date.day += days;
        while date.day > days_in_month(date.year, date.month) {
            date.day -= days_in_month(date.year, date.month);
            let first = Date { day: 1, ..date }.plus_months(1);
            date.year = first.year;
            date.month = first.month;
        }
        date
    }

    /// The same day n months later, or the last day of that month where it has no such day.
    pub fn plus_months(self, months: i64) -> Date {
        let count = self.year * 12 + (self.month - 1) + months;
        let year = count.div_euclid(12);
        let month = count.rem_euclid(12) + 1;
        let day = self.day.min(days_in_month(year, month));
        Date { year, month, day }
    }

    /// `T − n months`.
    pub fn minus_months(self, months: i64) -> Date {
        self.plus_months(-months)
    }

    pub fn last_of_month(self) -> Date {
        Date { day: days_in_month(self.year, self.month), ..self }
    }

    /// `W(n)` of the as-of date `self`: after `T − n months`, up to and including T.
    pub fn window_contains(self, months: i64, day: Date) -> bool {
        self.minus_months(months) < day && day <= self
    }

    /// Whole months from `start` to T: the greatest n with `start ≤ T − n months`.
    pub fn whole_months_since(self, start: Date) -> i64 {
        let mut months = 0;
        while start <= self.minus_months(months + 1) {
            months += 1;
        }
        months
    }

    /// `M(12)`: the firsts of the 12 latest months whose last day is ≤ T.
    pub fn complete_months(self) -> Vec<Date> {
        let first = Date { day: 1, ..self };
        let latest = if self.last_of_month() <= self { first } else { first.minus_months(1) };
        (0..12).map(|back| latest.minus_months(back)).collect()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Time {
    /// `YYYY-MM-DDTHH:MM:SS`, with a blank instead of the T and a fraction allowed.
    pub fn parse(text: &str) -> Time {
        let (day, clock) = text.split_once(['T', ' ']).unwrap_or_else(|| panic!("`{text}` is not a time"));
        let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let number = |part: &str| -> i64 { part.parse().unwrap_or_else(|_| panic!("`{text}` is not a time")) };
        let parts: Vec<i64> = whole.split(':').map(number).collect();
        let [hours, minutes, seconds] = parts[..] else {
            panic!("`{text}` is not a time");
        };
        let fraction = number(&format!("{fraction:0<6}")[..6]);
        Time {
            date: Date::parse(day),
            microseconds: hours * MICROSECONDS_PER_HOUR
                + minutes * MICROSECONDS_PER_MINUTE
                + seconds * MICROSECONDS_PER_SECOND
                + fraction,
        }
    }

    /// `self − earlier` in microseconds.
    pub fn microseconds_since(self, earlier: Time) -> i64 {
        self.date.days_since(earlier.date) * MICROSECONDS_PER_DAY + self.microseconds - earlier.microseconds
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.microseconds / MICROSECONDS_PER_HOUR;
        let minutes = self.microseconds % MICROSECONDS_PER_HOUR / MICROSECONDS_PER_MINUTE;
        let seconds = self.microseconds % MICROSECONDS_PER_MINUTE / MICROSECONDS_PER_SECOND;
        let fraction = self.microseconds % MICROSECONDS_PER_SECOND;
        write!(formatter, "{}T{hours:02}:{minutes:02}:{seconds:02}.{fraction:06}", self.date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text)
    }

    #[test]
    fn months_back_end_on_the_last_day_where_there_is_no_such_day() {
        assert_eq!(date("2026-03-31").minus_months(1), date("2026-02-28"));
        assert_eq!(date("2024-03-31").minus_months(1), date("2024-02-29"));
        assert_eq!(date("2024-02-29").minus_months(12), date("2023-02-28"));
        assert_eq!(date("2024-02-29").minus_months(48), date("2020-02-29"));
        assert_eq!(date("2026-02-28").minus_months(24), date("2024-02-28"));
        assert_eq!(date("2026-01-15").minus_months(1), date("2025-12-15"));
        assert_eq!(date("2026-08-31").plus_months(6), date("2027-02-28"));
        assert_eq!(date("2026-12-01").plus_months(12), date("2027-12-01"));
    }

    #[test]
    fn windows_are_open_at_the_start_and_closed_at_the_end() {
        let as_of = date("2026-02-28");
        assert!(!as_of.window_contains(24, date("2024-02-28")));
        assert!(as_of.window_contains(24, date("2024-02-29")));
        assert!(as_of.window_contains(24, as_of));
        assert!(!as_of.window_contains(24, date("2026-03-01")));
    }

    #[test]
    fn whole_months_follow_the_shortened_months() {
        let as_of = date("2026-02-28");
        assert_eq!(as_of.whole_months_since(date("2026-02-28")), 0);
        assert_eq!(as_of.whole_months_since(date("2026-01-28")), 1);
        assert_eq!(as_of.whole_months_since(date("2026-01-29")), 0);
        assert_eq!(
            date("2026-03-31").whole_months_since(date("2026-02-28")),
            1,
            "31 March less one month is 28 February"
        );
        assert_eq!(date("2026-03-30").whole_months_since(date("2025-03-31")), 11);
    }

    #[test]
    fn a_month_is_complete_on_its_last_day() {
        assert_eq!(date("2026-06-30").complete_months()[0], date("2026-06-01"));
        let months = date("2026-06-29").complete_months();
        assert_eq!(months[0], date("2026-05-01"));
        assert_eq!(months[11], date("2025-06-01"));
        assert_eq!(months.len(), 12);
        assert_eq!(date("2024-02-28").complete_months()[0], date("2024-01-01"));
    }

    #[test]
    fn days_are_counted_over_leap_years() {
        assert_eq!(date("2024-03-01").days_since(date("2024-02-28")), 2);
        assert_eq!(date("2026-03-01").days_since(date("2026-02-28")), 1);
        assert_eq!(date("2026-01-01").days_since(date("2025-01-01")), 365);
        assert_eq!(date("2025-01-01").days_since(date("2024-01-01")), 366);
        assert_eq!(date("2000-03-01").days_since(date("1970-01-01")), 11_017);
        assert_eq!(date("2023-06-30").plus_days(730), date("2025-06-29"));
        assert_eq!(date("2026-12-31").plus_days(1), date("2027-01-01"));
    }

    #[test]
    fn times_keep_their_fraction() {
        let time = Time::parse("2026-06-30 07:05:09.25");
        assert_eq!(time.to_string(), "2026-06-30T07:05:09.250000");
        let earlier = Time::parse("2026-06-29T23:59:59");
        assert_eq!(
            time.microseconds_since(earlier),
            7 * MICROSECONDS_PER_HOUR + 5 * MICROSECONDS_PER_MINUTE + 10 * MICROSECONDS_PER_SECOND + 250_000
        );
    }
}
