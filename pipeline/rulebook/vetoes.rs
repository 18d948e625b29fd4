//! The vetoes: what disqualifies a household whatever its score, on what legal basis, and whether a person may override it.
//! Leaves to the grade stage which households a veto strikes.

use super::facts::{FactCatalogue, find};
use super::sources::{SourceReference, Sources, Wording, wording};
use super::table::Table;
use super::words::WATCHLISTS;
use crate::decimal::Decimal;

/// No veto may hold a bad record against a household for longer: five years, the time after which a credit
/// record must be deleted (regulation on the credit reporting industry, art. 16).
const LOOK_BACK_MONTHS_MAX: u32 = 60;

/// One veto; vetoes stand in the order in which they are given as reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veto {
    pub code: String,
    pub name: Wording,
    pub condition: VetoCondition,
    /// Whether a named person may give a grade in spite of it.
    pub is_overridable: bool,
    /// Months that its fact reads; None where it tells a state, and for watchlists.
    pub look_back_months: Option<u32>,
    pub legal_basis: SourceReference,
}

/// When a veto strikes. A bound is in the fact's unit as people write it: currency units, not cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VetoCondition {
    /// On the watchlist of this name and not delisted.
    Watchlist { list_name: String },
    /// The fact is known and this or more.
    AtLeast { fact: String, bound: Decimal },
    /// The fact is known and more than this.
    MoreThan { fact: String, bound: Decimal },
}

pub(super) fn read(version: &Table<'_>, sources: &Sources, facts: FactCatalogue<'_>) -> Option<Vec<Veto>> {
    let tables = version.tables("vetoes")?;
    let mut vetoes: Vec<Veto> = Vec::new();
    let mut is_whole = true;
    for table in &tables {
        let Some(veto) = read_veto(table, sources, facts) else {
            is_whole = false;
            continue;
        };
        if vetoes.iter().any(|other| other.code == veto.code) {
            table.fault("code", &format!("the veto `{}` stands twice", veto.code), "give each veto a code of its own");
        }
        vetoes.push(veto);
    }
    is_whole.then_some(vetoes)
}

fn read_veto(table: &Table<'_>, sources: &Sources, facts: FactCatalogue<'_>) -> Option<Veto> {
    let code = table.label("code");
    let name = wording(table, "name");
    let condition = read_condition(table);
    let is_overridable = table.flag("is_overridable");
    let look_back_months =
        if table.has("look_back_months") { table.count("look_back_months").map(Some) } else { Some(None) };
    let legal_basis = sources.reference(table, "legal_basis");
    table.close();
    let (condition, look_back_months) = (condition?, look_back_months?);
    check_condition(table, &condition, look_back_months, facts);
    Some(Veto {
        code: code?,
        name: name?,
        condition,
        is_overridable: is_overridable?,
        look_back_months,
        legal_basis: legal_basis?,
    })
}

fn read_condition(table: &Table<'_>) -> Option<VetoCondition> {
    match (table.has("watchlist"), table.has("fact")) {
        (true, false) => Some(VetoCondition::Watchlist { list_name: table.word("watchlist", WATCHLISTS)? }),
        (false, true) => {
            let fact = table.label("fact");
            match (table.has("at_least"), table.has("more_than")) {
                (true, false) => Some(VetoCondition::AtLeast { bound: table.decimal("at_least")?, fact: fact? }),
                (false, true) => Some(VetoCondition::MoreThan { bound: table.decimal("more_than")?, fact: fact? }),
                _ => {
                    let hint = "write either `at_least` or `more_than` beside `fact`";
                    table.fault("fact", "the condition does not have exactly one bound", hint);
                    None
                }
            }
        }
        _ => {
            let hint = "write either `watchlist`, or `fact` with `at_least` or `more_than`";
            table.fault("code", "the veto does not have exactly one condition", hint);
            None
        }
    }
}

/// The fact exists, the bound is in its unit, and the look-back is the fact's own window.
fn check_condition(table: &Table<'_>, condition: &VetoCondition, look_back: Option<u32>, facts: FactCatalogue<'_>) {
    if look_back.is_some_and(|months| months > LOOK_BACK_MONTHS_MAX) {
        let sentence = format!("a veto may not look back for more than {LOOK_BACK_MONTHS_MAX} months");
        table.fault("look_back_months", &sentence, "name a fact with a shorter window");
        return;
    }
    let (name, bound, bound_key) = match condition {
        VetoCondition::Watchlist { .. } => {
            if look_back.is_some() {
                let hint = "leave look_back_months out: a watchlist holds until its row is delisted";
                table.fault("look_back_months", "a watchlist has no look-back", hint);
            }
            return;
        }
        VetoCondition::AtLeast { fact, bound } => (fact, bound, "at_least"),
        VetoCondition::MoreThan { fact, bound } => (fact, bound, "more_than"),
    };
    let Some(fact) = find(facts, name) else {
        let hint = "`wellfield rule` tells which facts there are; a veto can read no other";
        table.fault("fact", &format!("there is no fact `{name}`"), hint);
        return;
    };
    if let Err(wanted) = fact.kind.check(*bound) {
        table.fault(bound_key, &format!("`{bound_key}` is {bound}"), &format!("a bound of `{name}` must be {wanted}"));
    }
    if look_back != fact.window_months {
        let (sentence, hint) = match fact.window_months {
            Some(months) => (
                format!("the fact `{name}` looks back {months} months and the veto does not say so"),
                format!("write `look_back_months = {months}`"),
            ),
            None => (format!("the fact `{name}` does not look back"), "leave look_back_months out".to_owned()),
        };
        table.fault("look_back_months", &sentence, &hint);
    }
}
