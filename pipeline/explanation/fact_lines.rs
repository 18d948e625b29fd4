//! Every fact with its value, its unit, its meaning by the contract, and the rows that it comes from.
//! The value is the night's, the meaning the contract's; only the rows are looked up, in `evidence`.

use serde::Serialize;

use crate::fault::Result;

use super::Subject;
use super::evidence::{self, Source};
use super::figures::Figure;

/// One fact of the household.
#[derive(Clone, Debug, Serialize)]
pub struct FactLine {
    pub fact: String,
    /// A number, or a decimal as text for money and points; None where the fact is null.
    pub value: Option<Figure>,
    pub unit: Option<String>,
    pub meaning: String,
    /// The rows behind the value, table by table.
    pub sources: Vec<Source>,
    /// Why there is no value, or nothing behind it.
    pub remark: Option<String>,
}

pub fn facts(subject: &Subject) -> Result<Vec<FactLine>> {
    let gathered = evidence::Gathered::of(subject)?;
    let contract = subject.contracts.output("household_facts")?;
    let lines = subject.night.facts.columns().map(|(definition, _)| {
        let column = contract.column(definition.name)?;
        let found = gathered.behind(definition.name)?;
        let remark = found.remarks.join(subject.language.pick("; ", "；"));
        Ok(FactLine {
            fact: definition.name.into(),
            value: subject.value(definition.name).map(|value| Figure::of(definition.name, value)),
            unit: column.unit.clone(),
            meaning: subject.language.pick(&column.meaning.en, &column.meaning.zh).clone(),
            sources: found.sources,
            remark: (!remark.is_empty()).then_some(remark),
        })
    });
    lines.collect()
}
