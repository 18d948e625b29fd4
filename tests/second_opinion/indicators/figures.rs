//! A figure: its two parts, and the value that is taken from them last. Knows which parts count households, because
//! those may be too few to be told; decides nothing about that.

use super::super::exact::Ratio;

/// A numerator or denominator.
#[derive(Clone, Copy)]
pub struct Part {
    /// Null when a table that it reads is absent, or where there is no such figure.
    pub amount: Option<Ratio>,
    /// Where the part counts households: under which name. Parts of the same name are the same count.
    pub count_of: Option<&'static str>,
}

#[derive(Clone, Copy)]
pub enum Value {
    Is(f64),
    /// Status L.
    NotCollected,
    /// Status M.
    Impossible,
}

#[derive(Clone, Copy)]
pub struct Figure {
    pub numerator: Option<Part>,
    pub denominator: Option<Part>,
    /// The numerator is part of the denominator.
    pub is_subset: bool,
    pub value: Value,
}

impl Value {
    pub fn number(self) -> Option<f64> {
        match self {
            Value::Is(number) => Some(number),
            Value::NotCollected | Value::Impossible => None,
        }
    }
}

impl Part {
    pub fn of(amount: Option<Ratio>) -> Part {
        Part { amount, count_of: None }
    }

    pub fn number(number: usize) -> Part {
        Part::of(Some(Ratio::new(number as i128, 1)))
    }

    pub fn number_where(is_collected: bool, number: usize) -> Part {
        if is_collected { Part::number(number) } else { Part::of(None) }
    }

    /// In hundredths.
    pub fn money(hundredths: i128) -> Part {
        Part::of(Some(Ratio::new(hundredths, 100)))
    }

    /// How many households the part counts.
    pub fn households(self) -> Option<i128> {
        self.count_of.and(self.amount).map(|amount| amount.numerator)
    }
}

impl Figure {
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        self.numerator.into_iter().chain(self.denominator)
    }

    pub fn amount(numerator: Part) -> Figure {
        let value = numerator.amount.map_or(Value::NotCollected, |amount| Value::Is(amount.as_float()));
        Figure { numerator: Some(numerator), denominator: None, is_subset: false, value }
    }

    pub fn ratio(numerator: Part, denominator: Part, factor: f64) -> Figure {
        let value = match (numerator.amount, denominator.amount) {
            (Some(numerator), Some(denominator)) => {
                let quotient = quotient(numerator, denominator);
                quotient.map_or(Value::Impossible, |quotient| Value::Is(quotient.as_float() * factor))
            }
            _ => Value::NotCollected,
        };
        Figure { numerator: Some(numerator), denominator: Some(denominator), is_subset: false, value }
    }

    pub fn share(numerator: Part, denominator: Part) -> Figure {
        Figure { is_subset: true, ..Figure::ratio(numerator, denominator, 1.0) }
    }

    /// What is taken from single observations: no numerator, and how many there were as denominator.
    pub fn spread(observations: Part, value: Option<f64>) -> Figure {
        let value = match (observations.amount, value) {
            (None, _) => Value::NotCollected,
            (_, None) => Value::Impossible,
            (_, Some(value)) => Value::Is(value),
        };
        Figure { numerator: None, denominator: Some(observations), is_subset: false, value }
    }

    /// Only a value.
    pub fn without_parts(value: Value) -> Figure {
        Figure { numerator: None, denominator: None, is_subset: false, value }
    }
}

/// Nothing when the denominator is 0.
fn quotient(numerator: Ratio, denominator: Ratio) -> Option<Ratio> {
    Ratio::share(numerator.numerator * denominator.denominator, numerator.denominator * denominator.numerator)
}
