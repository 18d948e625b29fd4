//! Exact arithmetic: fractions of two integers, divisions with a named rounding, and the text
//! forms of money (hundredths) and tenths. Floating point appears in one place only, the last
//! division of a share.

use std::cmp::Ordering;

/// A fraction with a denominator above zero; not reduced.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    pub numerator: i128,
    pub denominator: i128,
}

impl Ratio {
    pub fn new(numerator: i128, denominator: i128) -> Ratio {
        assert!(denominator > 0, "a denominator must be above zero");
        Ratio { numerator, denominator }
    }

    /// `a / b`, or nothing unless b > 0.
    pub fn share(a: i128, b: i128) -> Option<Ratio> {
        (b > 0).then(|| Ratio::new(a, b))
    }

    /// Reads an exact decimal such as `0.98` or `-3`.
    pub fn decimal(text: &str) -> Ratio {
        let places = text.split_once('.').map_or(0, |(_, after)| after.len());
        Ratio::new(parse_scaled(text, places), ten_to(places))
    }

    /// The 64-bit float of the fraction.
    pub fn as_float(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    pub fn compare(self, other: Ratio) -> Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

pub fn ten_to(places: usize) -> i128 {
    (0..places).fold(1, |power, _| power * 10)
}

/// Division that rounds down, towards minus infinity.
pub fn divide_down(a: i128, b: i128) -> i128 {
    assert!(b > 0, "only divisors above zero occur");
    a.div_euclid(b)
}

/// Division that rounds up, towards plus infinity.
pub fn divide_up(a: i128, b: i128) -> i128 {
    -divide_down(-a, b)
}

/// Division that rounds to the nearest, halves up.
pub fn divide_half_up(a: i128, b: i128) -> i128 {
    divide_down(2 * a + b, 2 * b)
}

/// `weight × amount`, rounded down to the smallest unit.
pub fn times_down(weight: Ratio, amount: i128) -> i128 {
    divide_down(weight.numerator * amount, weight.denominator)
}

/// `weight × amount`, rounded up to the smallest unit.
pub fn times_up(weight: Ratio, amount: i128) -> i128 {
    divide_up(weight.numerator * amount, weight.denominator)
}

/// Reads a decimal as an integer count of its `places`-th decimal; further decimals must be 0.
pub fn parse_scaled(text: &str, places: usize) -> i128 {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, after) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = &after[..after.len().min(places)];
    let beyond = &after[kept.len()..];
    assert!(beyond.chars().all(|digit| digit == '0'), "`{text}` has more than {places} decimals");
    let padded = format!("{whole}{kept:0<places$}");
    let magnitude: i128 = padded.parse().unwrap_or_else(|_| panic!("`{text}` is not a decimal"));
    if is_negative { -magnitude } else { magnitude }
}

/// Writes an integer count of the `places`-th decimal with its full scale.
pub fn format_scaled(value: i128, places: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let unit = ten_to(places);
    let magnitude = value.abs();
    let whole = magnitude / unit;
    let after = magnitude % unit;
    format!("{sign}{whole}.{after:0places$}")
}

/// Money counted in hundredths, as text.
pub fn format_money(hundredths: i128) -> String {
    format_scaled(hundredths, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_round_as_named() {
        assert_eq!(divide_down(7, 2), 3);
        assert_eq!(divide_down(-7, 2), -4);
        assert_eq!(divide_down(-8, 2), -4);
        assert_eq!(divide_up(7, 2), 4);
        assert_eq!(divide_up(-7, 2), -3);
        assert_eq!(divide_up(8, 2), 4);
        assert_eq!(divide_half_up(5, 10), 1);
        assert_eq!(divide_half_up(4, 10), 0);
        assert_eq!(divide_half_up(-5, 10), 0);
        assert_eq!(divide_half_up(-6, 10), -1);
        assert_eq!(divide_half_up(8_545, 10), 855);
        assert_eq!(times_up(Ratio::decimal("0.5"), 1), 1);
        assert_eq!(times_down(Ratio::decimal("0.5"), 1), 0);
    }

    #[test]
    fn decimals_read_and_write_exactly() {
        assert_eq!(parse_scaled("1234.50", 2), 123_450);
        assert_eq!(parse_scaled("-0.05", 2), -5);
        assert_eq!(parse_scaled("7", 2), 700);
        assert_eq!(parse_scaled("12.50", 1), 125);
        assert_eq!(format_money(-5), "-0.05");
        assert_eq!(format_money(0), "0.00");
        assert_eq!(format_money(123_450), "1234.50");
        assert_eq!(format_scaled(205, 1), "20.5");
    }

    #[test]
    fn fractions_compare_without_floating_point() {
        let share = Ratio::new(49, 50);
        assert_eq!(share.compare(Ratio::decimal("0.98")), Ordering::Equal);
        assert_eq!(Ratio::new(6, 9).compare(Ratio::decimal("0.6")), Ordering::Greater);
        assert_eq!(Ratio::new(-1, 3).compare(Ratio::decimal("-0.3")), Ordering::Less);
        assert!(Ratio::share(0, 0).is_none());
    }
}
