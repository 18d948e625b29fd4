//! Figures as people read them and as JSON carries them: amounts and points are decimals written as text, so that no
//! reader turns them into binary fractions; counts and ratios are numbers. Knows nothing of languages.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::decimal::format_scaled;
use crate::facts::FactValue;
use crate::rulebook::{FactKind, kind_of};

/// Money in the smallest unit. Text: `54,000.00`; JSON: `"54000.00"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub i128);

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&grouped(&format_scaled(self.0, 2)))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_scaled(self.0, 2))
    }
}

/// Points in tenths. Text: `4` or `3.5`; JSON: `"4.0"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points(pub i64);

impl fmt::Display for Points {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_scaled(i128::from(self.0), 1);
        formatter.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_scaled(i128::from(self.0), 1))
    }
}

/// The value of a fact in the unit in which people write it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    Count(i64),
    Amount(Amount),
    Points(Points),
    Ratio(f64),
}

impl Figure {
    pub fn of(fact: &str, value: FactValue) -> Figure {
        match (kind_of(fact), value) {
            (_, FactValue::Ratio(ratio)) => Figure::Ratio(ratio),
            (FactKind::Money, FactValue::Whole(cents)) => Figure::Amount(Amount(i128::from(cents))),
            (FactKind::Points, FactValue::Whole(tenths)) => Figure::Points(Points(tenths)),
            (_, FactValue::Whole(count)) => Figure::Count(count),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Count(count) => formatter.write_str(&grouped(&count.to_string())),
            Figure::Amount(amount) => amount.fmt(formatter),
            Figure::Points(points) => points.fmt(formatter),
            Figure::Ratio(ratio) => formatter.write_str(&ratio_in_words(*ratio)),
        }
    }
}

/// Six digits after the point, without zeros at the end. A ratio that would look like a round one without being it is
/// given more of them: `0.2` must not stand beside "above 0.2".
fn ratio_in_words(ratio: f64) -> String {
    let written = |digits: usize| format!("{ratio:.digits$}");
    let is_told = |text: &String| !text.ends_with("00") || text.parse::<f64>().is_ok_and(|shown| shown == ratio);
    let text = [6, 8, 10, 12].into_iter().map(written).find(is_told).unwrap_or_else(|| written(6));
    grouped(text.trim_end_matches('0').trim_end_matches('.'))
}

/// A decimal number with a comma after every third digit before the point.
pub fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = sign.to_string();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_for_people_and_plain_for_machines() {
        for (cents, shown) in
            [(0, "0.00"), (99_950, "999.50"), (5_400_000, "54,000.00"), (-123_456_789, "-1,234,567.89")]
        {
            assert_eq!(Amount(cents).to_string(), shown);
        }
        assert_eq!(serde_json::to_string(&Amount(5_400_000)).unwrap(), "\"54000.00\"");
        assert_eq!((Points(40).to_string(), Points(35).to_string()), ("4".to_string(), "3.5".to_string()));
        assert_eq!(serde_json::to_string(&Points(40)).unwrap(), "\"4.0\"");
    }

    #[test]
    fn a_ratio_looks_round_only_where_it_is() {
        assert_eq!(ratio_in_words(17.0 / 18.0), "0.944444");
        assert_eq!(ratio_in_words(0.2), "0.2");
        assert_eq!(ratio_in_words(1.0), "1");
        assert_eq!(ratio_in_words(0.0), "0");
        assert_eq!(ratio_in_words(0.200_000_01), "0.20000001");
        assert_eq!(ratio_in_words(0.068_599_541_710_366_71), "0.06859954");
        assert_eq!(ratio_in_words(1234.5), "1,234.5");
    }
}
