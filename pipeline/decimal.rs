//! Exact decimals of the rulebook: a whole number of units of a power of ten, never a binary fraction.
//! Products with money are taken in 128 bits and rounded once, by whoever asks.

use std::cmp::Ordering;
use std::fmt;

/// Most digits after the point that a rulebook may write; enough for a rate, and far from overflow.
const SCALE_MAX: u32 = 9;

/// `mantissa / 10^scale`, with no trailing zeros after the point.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    scale: u32,
}

impl Decimal {
    pub const ZERO: Decimal = Decimal { mantissa: 0, scale: 0 };

    /// Reads `-12.50`; nothing else (no exponent, no separators). None when it is not such a number or does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, scale) = parse_exact(text.as_bytes(), SCALE_MAX as usize)?;
        Some(Decimal { mantissa: i64::try_from(mantissa).ok()?, scale }.trimmed())
    }

    pub fn from_integer(value: i64) -> Self {
        Decimal { mantissa: value, scale: 0 }
    }

    fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    pub fn mantissa(self) -> i128 {
        i128::from(self.mantissa)
    }

    pub fn scale(self) -> u32 {
        self.scale
    }

    /// 10^scale: what `mantissa` is divided by.
    pub fn denominator(self) -> i128 {
        10_i128.pow(self.scale)
    }

    /// The value in units of 10^−scale (cents for 2, tenths for 1); None when it is not a whole number of them.
    pub fn in_units(self, scale: u32) -> Option<i64> {
        let factor = 10_i64.checked_pow(scale.checked_sub(self.scale)?)?;
        self.mantissa.checked_mul(factor)
    }

    /// A share in percent.
    #[must_use]
    pub fn times_hundred(self) -> Self {
        match self.scale {
            0 | 1 => Decimal { mantissa: self.mantissa.saturating_mul(10_i64.pow(2 - self.scale)), scale: 0 },
            scale => Decimal { mantissa: self.mantissa, scale: scale - 2 },
        }
    }

    /// The 64-bit float nearest to the decimal, as a reader of its text would get it.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// `self × amount` rounded down (towards −∞).
    pub fn times_down(self, amount: i128) -> i128 {
        (self.mantissa() * amount).div_euclid(self.denominator())
    }

    /// `self × amount` rounded up (towards +∞).
    pub fn times_up(self, amount: i128) -> i128 {
        -((-self.mantissa() * amount).div_euclid(self.denominator()))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.mantissa() * other.denominator()).cmp(&(other.mantissa() * self.denominator()))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(formatter, self.mantissa(), self.scale)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The greatest number that divides both; the other one where one is 0.
pub fn common_divisor(mut one: u128, mut other: u128) -> u128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Reads a signed decimal number: its digits as one whole number, and how many of them stand after the point.
/// Zeros at the end of the fraction are dropped, so `12.500` has one digit after the point. None when the text
/// is no such number, when more than `scale_max` digits remain after the point, or above 38 digits.
pub fn parse_exact(text: &[u8], scale_max: usize) -> Option<(i128, u32)> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
        Some(point) => digits.split_at_checked(point).map(|(whole, rest)| (whole, rest.get(1..).unwrap_or(&[])))?,
        None => (digits, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let zeros = fraction.iter().rev().take_while(|&&byte| byte == b'0').count();
    let fraction = fraction.get(..fraction.len() - zeros)?;
    if fraction.len() > scale_max {
        return None;
    }
    let mut value = 0_i128;
    for &byte in whole.iter().chain(fraction) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    Some((if negative { -value } else { value }, u32::try_from(fraction.len()).ok()?))
}

/// A whole number of units of 10^−scale as people write it: 1234 at scale 2 is `12.34`.
pub fn format_scaled(value: i128, scale: u32) -> String {
    struct Scaled(i128, u32);
    impl fmt::Display for Scaled {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_scaled(formatter, self.0, self.1)
        }
    }
    Scaled(value, scale).to_string()
}

fn write_scaled(formatter: &mut fmt::Formatter<'_>, value: i128, scale: u32) -> fmt::Result {
    let unit = 10_u128.pow(scale);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    if scale == 0 {
        write!(formatter, "{sign}{magnitude}")
    } else {
        write!(formatter, "{sign}{}.{:0width$}", magnitude / unit, magnitude % unit, width = scale as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_trimmed() {
        let parse = |text| Decimal::parse(text).map(|decimal| decimal.to_string());
        assert_eq!(parse("0.980").as_deref(), Some("0.98"));
        assert_eq!(parse("-12").as_deref(), Some("-12"));
        assert_eq!(parse(".5").as_deref(), Some("0.5"));
        for text in ["", "-", ".", "1e5", "1,000", " 1", "0.1234567891"] {
            assert_eq!(parse(text), None, "{text:?} is not a decimal");
        }
    }

    #[test]
    fn products_round_the_way_their_name_says() {
        let half = Decimal::parse("0.5").unwrap();
        assert_eq!((half.times_down(3), half.times_up(3)), (1, 2));
        assert_eq!((half.times_down(-3), half.times_up(-3)), (-2, -1));
        assert_eq!(Decimal::parse("0.25").unwrap().in_units(1), None);
        assert_eq!(Decimal::parse("2.5").unwrap().in_units(1), Some(25));
        let percent = |text| Decimal::parse(text).unwrap().times_hundred().to_string();
        assert_eq!([percent("0.01"), percent("0.5"), percent("1"), percent("0.125")], ["1", "50", "100", "12.5"]);
    }
}
