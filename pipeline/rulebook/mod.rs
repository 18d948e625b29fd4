//! The rulebook: the policies in force on the as-of date, read from files that a credit department signs.
//! The only stage that opens rule files. It refuses a rulebook as a whole, with every fault in it, before any input is
//! looked at, and it turns what is written into the exact units that the stages count in: cents, tenths, days.
//! Leaves what the values do to the stages; no value of a policy stands in the program.

mod agreement;
mod bands;
mod conduct;
mod coverage_targets;
mod credit_villages;
mod disclosure;
mod fact_rules;
mod facts;
mod files;
mod findings;
mod grade_scale;
mod grid_funding;
pub mod indicators;
mod limits;
mod officers;
mod partition;
mod run;
mod scorecards;
mod sources;
mod table;
mod versions;
mod vetoes;
mod visit_checks;
pub mod words;
mod work_list;

#[cfg(test)]
mod tests;

pub use bands::FULL_TENTHS;
pub use conduct::ConductRules;
pub use coverage_targets::{CoverageTargets, YearTargets};
pub use credit_villages::{CreditVillageRules, StarThresholds};
pub use disclosure::DisclosureRules;
pub use fact_rules::FactRules;
pub use facts::{FACTS, FactCatalogue, FactDefinition, FactKind, kind_of};
pub use files::{RulebookPlace, RulebookTexts};
pub use grade_scale::{Grade, GradeScale};
pub use grid_funding::{GridFunding, ServiceRate, WorkFundBand};
pub use indicators::Indicator;
pub use limits::{GradeLimits, LimitRules};
pub use officers::{DutyPoints, OfficerRules, Rating};
pub use partition::{GridSize, PartitionRules};
pub use run::{ChangeRules, RunRules};
pub use scorecards::{Bin, Block, Characteristic, Direction, Scorecard};
pub use sources::{Source, SourceReference, Wording};
pub use vetoes::{Veto, VetoCondition};
pub use visit_checks::VisitChecks;
pub use work_list::WorkListRules;

use crate::calendar::Date;
use crate::contract::Contracts;
use crate::fault::{Error, Fault, Result};
use agreement::Compared;
use files::{BUILT_IN_SOURCES, INDICATORS, POLICIES, SCORECARDS, SOURCES};
use findings::Findings;
use sources::Sources;
use std::collections::BTreeMap;
use table::{File, Table};
use versions::{Policy, read_policy};

/// Everything that is in force on one as-of date.
#[derive(Clone, Debug)]
pub struct Rulebook {
    /// blake3, in hexadecimal, of every file of the rulebook, in force or not, and of the list of sources.
    pub digest: String,
    pub as_of: Date,
    /// The version in force of every policy: first the policies, then the scorecards and the indicators by file name.
    pub in_force: Vec<VersionInForce>,
    /// Every listed source by id.
    pub sources: BTreeMap<String, Source>,
    pub visit_checks: VisitChecks,
    pub fact_rules: FactRules,
    /// By file name; every household kind is in exactly one.
    pub scorecards: Vec<Scorecard>,
    pub scale: GradeScale,
    /// In the order in which they are given as reasons.
    pub vetoes: Vec<Veto>,
    pub limits: LimitRules,
    pub partition: PartitionRules,
    pub coverage_targets: CoverageTargets,
    pub officers: OfficerRules,
    pub credit_villages: CreditVillageRules,
    pub conduct: ConductRules,
    pub grid_funding: GridFunding,
    pub work_list: WorkListRules,
    pub disclosure: DisclosureRules,
    pub run: RunRules,
    /// By id.
    pub indicators: Vec<Indicator>,
}

/// Which version of a policy file is in force, and where its values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionInForce {
    /// The file's name without `.toml`: `grade_scale`, `scorecards/resident`.
    pub policy: String,
    pub name: Wording,
    /// The file's path as people know it.
    pub file: String,
    pub valid_from: Date,
    /// The first day on which it no longer holds.
    pub valid_to: Option<Date>,
    /// The day on which somebody last compared it with its source.
    pub last_checked: Date,
    /// The source of every value that `value_sources` does not name.
    pub source: SourceReference,
    /// By the value's key in the file.
    pub value_sources: BTreeMap<String, SourceReference>,
}

impl Rulebook {
    /// Reads a rulebook, or refuses it with every fault that it has. `facts` are those that it may name.
    pub fn load(place: &RulebookPlace, as_of: Date, facts: FactCatalogue<'_>) -> Result<Self> {
        Self::from_texts(place, &place.texts()?, as_of, facts, &Contracts::built_in()?)
    }

    /// The same from texts in memory; `place` says how their files are called in messages, `contracts` what the tables
    /// hold that it speaks of.
    pub fn from_texts(
        place: &RulebookPlace,
        texts: &RulebookTexts,
        as_of: Date,
        facts: FactCatalogue<'_>,
        contracts: &Contracts,
    ) -> Result<Self> {
        let findings = Findings::default();
        let sources = read_sources(place, texts, &findings);
        let mut desk = Desk { place, texts, as_of, sources: &sources, findings: &findings, in_force: Vec::new() };
        desk.check_names();
        let scale = desk.read("grade_scale", grade_scale::read);
        let limits = desk.read("limits", limits::read);
        let villages = desk.read("credit_villages", credit_villages::read);
        let cards = desk.read_scorecards(facts);
        desk.compare(scale.as_ref(), limits.as_ref(), villages.as_ref(), &cards);
        let visit_checks = desk.take("visit_checks", visit_checks::read);
        let fact_rules = desk.take("fact_rules", fact_rules::read);
        let scale = desk.keep(scale);
        let vetoes = desk.take("vetoes", |version| vetoes::read(version, &sources, facts));
        let limits = desk.keep(limits);
        let partition = desk.take("partition", partition::read);
        let coverage_targets = desk.take("coverage_targets", coverage_targets::read);
        let officers = desk.take("officers", officers::read);
        let credit_villages = desk.keep(villages);
        let conduct = desk.take("conduct", conduct::read);
        let grid_funding = desk.take("grid_funding", grid_funding::read);
        let work_list = desk.take("work_list", work_list::read);
        let disclosure = desk.take("disclosure", disclosure::read);
        let run = desk.take("run", |version| run::read(version, contracts));
        let scorecards = desk.keep_scorecards(cards);
        let indicators = desk.read_indicators(contracts);
        let in_force = desk.in_force;
        findings.refuse()?;
        Ok(Rulebook {
            digest: digest(texts),
            as_of,
            in_force,
            sources: sources.by_id,
            visit_checks: kept(visit_checks)?,
            fact_rules: kept(fact_rules)?,
            scorecards,
            scale: kept(scale)?,
            vetoes: kept(vetoes)?,
            limits: kept(limits)?,
            partition: kept(partition)?,
            coverage_targets: kept(coverage_targets)?,
            officers: kept(officers)?,
            credit_villages: kept(credit_villages)?,
            conduct: kept(conduct)?,
            grid_funding: kept(grid_funding)?,
            work_list: kept(work_list)?,
            disclosure: kept(disclosure)?,
            run: kept(run)?,
            indicators,
        })
    }
}

/// A policy that nothing was found wrong in has a version in force.
fn kept<T>(policy: Option<T>) -> Result<T> {
    policy.ok_or_else(|| Error::internal("a policy of the rulebook was neither read nor refused"))
}

/// A file's own name, without the folder that it is in.
fn last_name(policy: &str) -> &str {
    policy.rsplit('/').next().unwrap_or(policy)
}

/// One number for the whole rulebook: the same for the same files, wherever they lie.
fn digest(texts: &RulebookTexts) -> String {
    let mut hasher = blake3::Hasher::new();
    let files = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    for (name, text) in files.chain([("built-in sources", BUILT_IN_SOURCES)]) {
        // With its length before it, no text can pass for the end of one file and the beginning of the next.
        for part in [name, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

fn read_sources(place: &RulebookPlace, texts: &RulebookTexts, findings: &Findings) -> Sources {
    let own = place.shown(SOURCES);
    let mut lists = vec![(SOURCES, BUILT_IN_SOURCES)];
    lists.extend(texts.get(SOURCES).map(|text| (own.as_str(), text.as_str())));
    Sources::read(&lists, findings)
}

/// The files of a rulebook on the desk, and what has been kept of them so far.
struct Desk<'a> {
    place: &'a RulebookPlace,
    texts: &'a RulebookTexts,
    as_of: Date,
    sources: &'a Sources,
    findings: &'a Findings,
    in_force: Vec<VersionInForce>,
}

impl Desk<'_> {
    /// Notes files that are no part of a rulebook: a misspelt name would leave a signed change without effect.
    fn check_names(&self) {
        for name in self.texts.keys() {
            let is_policy = name.strip_suffix(".toml").is_some_and(|id| POLICIES.contains(&id));
            let is_in_folder = name.starts_with(SCORECARDS) || name.starts_with(INDICATORS);
            if !is_policy && !is_in_folder && name != SOURCES {
                let shown = self.place.shown(name);
                let known = POLICIES.join(".toml, ");
                let fault = Fault::new(format!("`{shown}` is not a file of a rulebook"));
                let hint =
                    format!("the files are {known}.toml, {SOURCES} and any file in {SCORECARDS} or {INDICATORS}");
                self.findings.add(&shown, 0, fault.hint(hint));
            }
        }
    }

    fn read<T>(&self, id: &str, read: impl Fn(&Table<'_>) -> Option<T>) -> Option<Policy<T>> {
        let name = format!("{id}.toml");
        let shown = self.place.shown(&name);
        let Some(text) = self.texts.get(&name) else {
            let fault = Fault::new(format!("`{shown}` is missing"));
            let hint = "a rulebook holds every policy file; begin with a copy of the built-in one, `schemas/policies`";
            self.findings.add(&shown, 0, fault.hint(hint));
            return None;
        };
        read_policy(File { shown: &shown, text, findings: self.findings }, id, self.sources, read)
    }

    /// Every card under its file's name; None for one that could not be read.
    fn read_scorecards(&self, facts: FactCatalogue<'_>) -> Vec<Option<Policy<Scorecard>>> {
        let ids = self.texts.keys().filter(|name| name.starts_with(SCORECARDS));
        let cards: Vec<_> = ids
            .filter_map(|name| name.strip_suffix(".toml"))
            .map(|id| self.read(id, |version| scorecards::read(version, id, facts)))
            .collect();
        if cards.is_empty() {
            let shown = self.place.shown(SCORECARDS);
            let fault = Fault::new(format!("`{shown}` holds no scorecard"));
            self.findings.add(&shown, 0, fault.hint("every household kind needs a scorecard; one file holds one card"));
        }
        cards
    }

    /// The definitions in force; an indicator that has none on the day is not made.
    fn read_indicators(&mut self, contracts: &Contracts) -> Vec<Indicator> {
        let files = self.texts.iter().filter(|(name, _)| name.starts_with(INDICATORS));
        let policies: Vec<Option<Policy<indicators::Definition>>> = files
            .map(|(name, text)| {
                let shown = self.place.shown_indicator(name, text);
                let file = File { shown: &shown, text, findings: self.findings };
                let read = |version: &Table<'_>| indicators::read(version, self.sources, contracts);
                read_policy(file, name.strip_suffix(".toml")?, self.sources, read)
            })
            .collect();
        let whole = policies.iter().map(|policy| policy.as_ref().filter(|policy| policy.is_whole));
        // One that could not be read would look forgotten.
        if let Some(whole) = whole.collect::<Option<Vec<_>>>() {
            indicators::agreement::check(&whole, self.as_of, self.findings);
        }
        let in_force = policies.into_iter().flatten().filter_map(|policy| {
            let (id, name, file) = (last_name(&policy.id).to_owned(), policy.name.clone(), policy.shown.clone());
            let definition = self.enter(policy)?;
            let version = self.in_force.last()?;
            let (valid_from, last_checked, source) = (version.valid_from, version.last_checked, version.source.clone());
            Some(Indicator { id, name, file, valid_from, last_checked, source, definition })
        });
        in_force.collect()
    }

    fn compare(
        &self,
        scale: Option<&Policy<GradeScale>>,
        limits: Option<&Policy<LimitRules>>,
        villages: Option<&Policy<CreditVillageRules>>,
        cards: &[Option<Policy<Scorecard>>],
    ) {
        let cards: Option<Vec<_>> = cards.iter().map(|card| card.as_ref().filter(|card| card.is_whole)).collect();
        let cards_shown = self.place.shown(SCORECARDS);
        let compared =
            Compared { scale, limits, villages, cards: &cards.unwrap_or_default(), cards_shown: &cards_shown };
        compared.check(self.as_of, self.findings);
    }

    fn take<T>(&mut self, id: &str, read: impl Fn(&Table<'_>) -> Option<T>) -> Option<T> {
        let policy = self.read(id, read);
        self.keep(policy)
    }

    /// The values in force, or None with a fault where no version is.
    fn keep<T>(&mut self, policy: Option<Policy<T>>) -> Option<T> {
        let policy = policy?;
        if policy.is_whole && policy.in_force(self.as_of).is_none() {
            self.miss(&policy);
        }
        self.enter(policy)
    }

    /// A card may have ended when another took its kinds; only when no card at all is in force is each of them missed.
    fn keep_scorecards(&mut self, cards: Vec<Option<Policy<Scorecard>>>) -> Vec<Scorecard> {
        let cards: Vec<_> = cards.into_iter().flatten().collect();
        if cards.iter().all(|card| card.is_whole && card.in_force(self.as_of).is_none()) {
            cards.iter().for_each(|card| self.miss(card));
        }
        cards.into_iter().filter_map(|card| self.enter(card)).collect()
    }

    fn miss<T>(&self, policy: &Policy<T>) {
        let Some(first) = policy.versions.first() else { return };
        let (as_of, earliest) = (self.as_of, first.valid_from);
        let hint = format!("the earliest version is valid from {earliest}; sign one that holds on {as_of}");
        self.findings.at(&policy.shown, first.line, &format!("no version is in force on {as_of}"), &hint);
    }

    /// Enters the version in force in the list of those that a run reports.
    fn enter<T>(&mut self, policy: Policy<T>) -> Option<T> {
        let version = policy.versions.into_iter().find(|version| version.is_in_force(self.as_of))?;
        self.in_force.push(VersionInForce {
            policy: policy.id,
            name: policy.name,
            file: policy.shown,
            valid_from: version.valid_from,
            valid_to: version.valid_to,
            last_checked: version.last_checked,
            source: version.source,
            value_sources: version.value_sources,
        });
        Some(version.values)
    }
}
