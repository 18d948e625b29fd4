//! What the two runs were made from, where it differs, and which causes of a move follow from that. A household's own
//! causes are worked out in `household`; none can be a cause here that does not differ here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::contract::Contracts;
use crate::fault::Result;
use crate::read::ReadFile;
use crate::read::published::{Description, VersionHead};
use crate::rulebook::FACTS;

use super::causes::{Cause, Causes};
use super::meanwhile::WITH_EVENTS;

/// From one value to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step<T> {
    pub from: T,
    pub to: T,
}

/// The step between two values, where they differ.
pub fn step<T: PartialEq>(from: T, to: T) -> Option<Step<T>> {
    (from != to).then_some(Step { from, to })
}

/// What differs in what the runs were made from; null and empty where nothing does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Differences {
    pub as_of: Option<Step<String>>,
    pub program_version: Option<Step<String>>,
    /// Whether `bank.toml` says how files are read otherwise.
    pub bank_settings: bool,
    /// By table.
    pub inputs: Vec<InputDifference>,
    pub rulebook: Option<Step<String>>,
    /// Policies of which another version is in force, by name.
    pub versions: Vec<VersionDifference>,
    /// Policy files whose text differs, where both rulebooks are at hand.
    pub policy_files: Option<Vec<String>>,
    pub previous_run: Option<Step<Option<String>>>,
}

/// The files of one input table that differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputDifference {
    pub table: String,
    /// Files that both runs read, with another content.
    pub changed: Vec<String>,
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionDifference {
    pub policy: String,
    /// None: no version was in force.
    pub from: Option<VersionHead>,
    pub to: Option<VersionHead>,
}

impl Differences {
    pub fn of(from: &Description, to: &Description) -> Differences {
        let (old, new) = (&from.made_from, &to.made_from);
        Differences {
            as_of: step(from.as_of.to_string(), to.as_of.to_string()),
            program_version: step(old.program_version.clone(), new.program_version.clone()),
            bank_settings: old.bank_digest != new.bank_digest,
            inputs: inputs(&old.inputs, &new.inputs),
            rulebook: step(old.rulebook_digest.clone(), new.rulebook_digest.clone()),
            versions: versions(&from.versions, &to.versions),
            policy_files: None,
            previous_run: step(old.previous_run.clone(), new.previous_run.clone()),
        }
    }

    fn policy_differs(&self, policy: &str) -> bool {
        self.versions.iter().any(|version| version.policy == policy)
            || self.policy_files.iter().flatten().any(|file| file.strip_suffix(".toml") == Some(policy))
    }
}

/// The input tables whose files differ.
pub fn inputs(from: &[ReadFile], to: &[ReadFile]) -> Vec<InputDifference> {
    let by_path = |files: &[ReadFile]| -> BTreeMap<(String, String), String> {
        files.iter().map(|file| ((file.table.clone(), file.path.clone()), file.digest.clone())).collect()
    };
    let (old, new) = (by_path(from), by_path(to));
    let mut differences: BTreeMap<&str, InputDifference> = BTreeMap::new();
    let keys: BTreeSet<&(String, String)> = old.keys().chain(new.keys()).collect();
    for key @ (table, path) in keys {
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        let difference = differences.entry(table).or_insert_with(|| InputDifference {
            table: table.clone(),
            changed: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
        });
        let list = match (before, after) {
            (Some(_), Some(_)) => &mut difference.changed,
            (None, _) => &mut difference.added,
            (_, None) => &mut difference.removed,
        };
        list.push(path.clone());
    }
    differences.into_values().collect()
}

fn versions(from: &BTreeMap<String, VersionHead>, to: &BTreeMap<String, VersionHead>) -> Vec<VersionDifference> {
    let policies: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let differing = policies.into_iter().filter(|policy| from.get(*policy) != to.get(*policy));
    let difference = |policy: &String| VersionDifference {
        policy: policy.clone(),
        from: from.get(policy).cloned(),
        to: to.get(policy).cloned(),
    };
    differing.map(difference).collect()
}

/// What can be a cause of a move between the two runs, and of a changed fact.
pub struct Possible {
    pub causes: Causes,
    pub is_as_of_equal: bool,
    /// In the order of `FACTS`.
    pub facts: Vec<FactOrigin>,
    pub watchlist: FactOrigin,
    pub households: FactOrigin,
}

/// What differs in what one fact is measured from.
#[derive(Clone, Debug, Default)]
pub struct FactOrigin {
    /// Input tables that feed the fact, and whose files differ or of which more became known.
    pub changed_tables: Vec<String>,
    /// A file differs of a table that feeds it, or of one that those refer to.
    pub files_differ: bool,
    /// The same files, and yet more of their rows may be known, or of what happened to them.
    pub something_became_known: bool,
    /// A policy that the fact is measured by differs.
    pub rule_differs: bool,
}

impl Possible {
    pub fn of(
        from: &Description,
        to: &Description,
        differences: &Differences,
        contracts: &Contracts,
    ) -> Result<Possible> {
        let is_as_of_equal = differences.as_of.is_none();
        let files_differ = differences.bank_settings || !differences.inputs.is_empty();
        let decisions = differences.inputs.iter().any(|input| input.table == "decisions");
        let rule =
            differences.rulebook.is_some() || !differences.versions.is_empty() || differences.program_version.is_some();
        let causes = Causes::default()
            .with(Cause::Input, files_differ || !is_as_of_equal)
            .with(Cause::Rule, rule)
            .with(Cause::Time, !is_as_of_equal)
            .with(Cause::Decision, decisions || differences.bank_settings || !is_as_of_equal)
            .with(Cause::EarlierRun, differences.previous_run.is_some())
            .with(Cause::InputOrTime, !is_as_of_equal);
        let contract = contracts.output("household_facts")?;
        let origin = |tables: &[String], policy: Option<&str>| {
            let changed = |table: &str| {
                differences.inputs.iter().any(|input| input.table == table)
                    || from.not_yet_known.get(table) != to.not_yet_known.get(table)
                    || (!is_as_of_equal && WITH_EVENTS.contains(&table))
            };
            let feeding = with_references(tables, contracts);
            FactOrigin {
                changed_tables: tables.iter().filter(|table| changed(table)).cloned().collect(),
                files_differ: differences.bank_settings
                    || differences.inputs.iter().any(|input| feeding.contains(&input.table)),
                something_became_known: !is_as_of_equal
                    && (feeding.iter().any(|table| from.not_yet_known.get(table) != to.not_yet_known.get(table))
                        || tables.iter().any(|table| WITH_EVENTS.contains(&table.as_str()))),
                rule_differs: policy.is_some_and(|policy| differences.policy_differs(policy)),
            }
        };
        let facts = FACTS.iter().map(|fact| {
            let tables = contract.column(fact.name)?.fact.as_ref().map_or(&[][..], |fact| &fact.tables);
            Ok(origin(tables, policy_of(fact.name)))
        });
        Ok(Possible {
            causes,
            is_as_of_equal,
            facts: facts.collect::<Result<_>>()?,
            watchlist: origin(&["watchlist".to_string()], None),
            households: origin(&["households".to_string()], None),
        })
    }
}

/// The policy that a fact is measured by; most are measured by none.
pub fn policy_of(fact: &str) -> Option<&'static str> {
    match fact {
        "valid_visits_12m" | "days_since_valid_visit" => Some("visit_checks"),
        "peer_score" => Some("fact_rules"),
        _ => None,
    }
}

/// The tables, and every table that their rows refer to: a row is set aside when what it refers to is not there.
fn with_references(tables: &[String], contracts: &Contracts) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = tables.iter().cloned().collect();
    let mut open: Vec<String> = tables.to_vec();
    while let Some(table) = open.pop() {
        let Ok(contract) = contracts.input(&table) else { continue };
        for referred in contract.columns.iter().filter_map(|column| column.references.as_ref()) {
            if found.insert(referred.clone()) {
                open.push(referred.clone());
            }
        }
    }
    found
}
