//! Definitions of indicators in a few words, for a cell each. The long form, in both languages, is in `definitions`.

use crate::contract::Contracts;
use crate::fault::Result;
use crate::rulebook::indicators::condition::Condition;
use crate::rulebook::indicators::{
    BaseTable, Distinct, Growth, Kind, Measure, Observations, Part, Target, TargetValue,
};

/// How a kind makes the value.
pub(super) fn formula(kind: &Kind) -> String {
    match kind {
        Kind::Ratio(ratio) => match ratio.factor.to_string().as_str() {
            "1" => "numerator / denominator".into(),
            factor => format!("numerator / denominator × {factor}"),
        },
        Kind::Amount(_) => "numerator".into(),
        Kind::Growth(_) => "(now − before) / before".into(),
        Kind::GrowthGap { factor, .. } => format!("(growth of the part − growth of the whole) × {factor}"),
        Kind::Quantile { rank, .. } => format!("nearest-rank quantile at {rank}"),
        Kind::Gini(_) => "Gini coefficient".into(),
        Kind::Theil(_) => "Theil's T".into(),
        Kind::TheilBetween(_) => "Theil's T between branches".into(),
        Kind::Index(components) => {
            let component = components.iter().map(|component| {
                let (id, weight) = (&component.indicator, component.weight);
                format!("{id} (weight {weight}, worst {}, best {})", component.worst, component.best)
            });
            format!("mean of two distances (Sarma 2012) of {}", component.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What the quotient is multiplied by.
pub(super) fn factor(kind: &Kind) -> String {
    match kind {
        Kind::Ratio(ratio) => ratio.factor.to_string(),
        Kind::GrowthGap { factor, .. } => factor.to_string(),
        _ => String::new(),
    }
}

/// What the columns numerator and denominator hold.
pub(super) fn parts(kind: &Kind, contracts: &Contracts) -> Result<(String, String)> {
    let part = |part: &Part| part_in_words(part, contracts);
    Ok(match kind {
        Kind::Ratio(ratio) => (part(&ratio.numerator)?, part(&ratio.denominator)?),
        Kind::Amount(numerator) => (part(numerator)?, String::new()),
        Kind::Growth(growth) => (growth_in_words(growth, contracts)?, part(&growth.before)?),
        Kind::GrowthGap { part, whole, .. } => {
            let [part, whole] = [growth_in_words(part, contracts)?, growth_in_words(whole, contracts)?];
            (format!("not shown; part: {part}; whole: {whole}"), String::new())
        }
        Kind::Quantile { observations, .. }
        | Kind::Gini(observations)
        | Kind::Theil(observations)
        | Kind::TheilBetween(observations) => (String::new(), observations_in_words(observations, contracts)?),
        Kind::Index(_) => (String::new(), String::new()),
    })
}

fn growth_in_words(growth: &Growth, contracts: &Contracts) -> Result<String> {
    let [now, before] = [part_in_words(&growth.now, contracts)?, part_in_words(&growth.before, contracts)?];
    Ok(format!("now − before; now: {now}; before: {before}"))
}

/// "count of households where granted".
fn part_in_words(part: &Part, contracts: &Contracts) -> Result<String> {
    let table = part.table.name();
    let what = match part.measure {
        Measure::Count => format!("count of {table}"),
        Measure::Sum { column, .. } => format!("sum of {} over {table}", column_name(part.table, column, contracts)?),
        Measure::Union(Distinct::Areas) => format!("different areas of {table}"),
        Measure::Union(Distinct::Customers) => format!("different customers of {table}"),
    };
    Ok(with_condition(what, part.condition.as_ref()))
}

fn observations_in_words(observations: &Observations, contracts: &Contracts) -> Result<String> {
    let column = column_name(observations.table, observations.column, contracts)?;
    let what = format!("count of {} with {column}", observations.table.name());
    Ok(with_condition(what, observations.condition.as_ref()))
}

fn column_name(table: BaseTable, column: usize, contracts: &Contracts) -> Result<&str> {
    let contract = contracts.base(table.name())?;
    Ok(contract.columns.get(column).map_or("", |column| &column.name))
}

fn with_condition(what: String, condition: Option<&Condition>) -> String {
    match condition {
        Some(condition) => format!("{what} where {}", condition.text),
        None => what,
    }
}

/// "0.75", or "0.3 in year 1, 0.7 in year 2, 1 from year 3 on".
pub(super) fn target(target: &Target) -> String {
    match &target.at {
        TargetValue::Always(value) => value.to_string(),
        TargetValue::ByProgrammeYear(values) => {
            let year = |(before, value): (usize, _)| match before + 1 {
                last if last == values.len() => format!("{value} from year {last} on"),
                year => format!("{value} in year {year}"),
            };
            values.iter().enumerate().map(year).collect::<Vec<_>>().join(", ")
        }
    }
}
