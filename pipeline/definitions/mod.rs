//! What a name means: facts, characteristics, vetoes, visit flags, partition faults, reasons of work lists, quarantine
//! rules, indicators, policies, tables and their columns, each with its definition, the version in force and its
//! source. Reads contracts and rulebook; holds no value of its own.

mod coverage;
mod indicators;

pub use indicators::{dimension_in_words, level_in_words};

use serde::Serialize;

use crate::clean::Rule;
use crate::contract::{Bilingual, Column, Contract, Contracts};
use crate::fault::{Error, Fault, Result};
use crate::limit::decisions::Unsound;
use crate::rulebook::{Bin, Direction, FACTS, Rulebook, SourceReference, VersionInForce, Veto, VetoCondition, Wording};
use crate::score::is_on;
use crate::visits::Flag;

/// One meaning of a name; a fact is often a characteristic of several scorecards too.
#[derive(Clone, Debug, Serialize)]
pub struct Definition {
    pub id: String,
    /// `fact`, `characteristic`, `veto`, `visit_flag`, `partition_fault`, `work_reason`, `quarantine_rule`, `indicator`,
    /// `policy`, `table`, `base_table`, `column` or `base_column`.
    pub kind: &'static str,
    pub meaning: Texts,
    /// What else there is to know, line by line: unit, window, bins, who may override.
    pub details: Vec<Detail>,
    pub version: Option<Version>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Texts {
    pub en: String,
    pub zh: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    pub label: Texts,
    pub value: Texts,
}

/// The version in force, and the document that it comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    pub file: String,
    pub valid_from: String,
    pub last_checked: String,
    pub source: String,
    pub provision: String,
    pub source_title: Texts,
    pub source_issuer: Texts,
    /// None where the document bears no date.
    pub source_date: Option<String>,
}

impl Version {
    fn of(version: &VersionInForce, source: &SourceReference, rulebook: &Rulebook) -> Version {
        let document = rulebook.sources.get(&source.id);
        Version {
            file: version.file.clone(),
            valid_from: version.valid_from.to_string(),
            last_checked: version.last_checked.to_string(),
            source: source.id.clone(),
            provision: source.provision.clone(),
            source_title: title(source, rulebook),
            source_issuer: document.map_or_else(|| texts("", ""), |document| Texts::from(&document.issuer)),
            source_date: document.and_then(|document| document.date).map(|date| date.to_string()),
        }
    }
}

impl From<&Bilingual> for Texts {
    fn from(text: &Bilingual) -> Texts {
        Texts { en: text.en.clone(), zh: text.zh.clone() }
    }
}

impl From<&Wording> for Texts {
    fn from(text: &Wording) -> Texts {
        Texts { en: text.en.clone(), zh: text.zh.clone() }
    }
}

fn texts(en: impl Into<String>, zh: impl Into<String>) -> Texts {
    Texts { en: en.into(), zh: zh.into() }
}

/// A detail whose value is a name or a number, the same in both languages.
fn detail(en: &str, zh: &str, value: impl ToString) -> Detail {
    let value = value.to_string();
    Detail { label: texts(en, zh), value: texts(value.clone(), value) }
}

/// Every meaning of a name. A name that means nothing is wrong usage, told with the nearest that does.
pub fn find(id: &str, rulebook: &Rulebook, contracts: &Contracts) -> Result<Vec<Definition>> {
    let mut found = Vec::new();
    found.extend(fact(id, contracts)?);
    found.extend(characteristics(id, rulebook, contracts)?);
    found.extend(rulebook.vetoes.iter().filter(|veto| veto.code == id).map(|veto| veto_definition(veto, rulebook)));
    found.extend(Flag::ALL.into_iter().filter(|flag| flag.name() == id).map(|flag| flag_definition(flag, rulebook)));
    found.extend(coverage::partition_fault(id, rulebook));
    found.extend(coverage::work_reason(id, rulebook));
    found.extend(quarantine_rule(id));
    found.extend(indicators::indicator(id, rulebook, contracts)?);
    found.extend(policy(id, rulebook));
    let tables = contracts.inputs.iter().chain(&contracts.outputs).map(|contract| ("table", contract));
    let tables = tables.chain(contracts.bases.iter().map(|contract| ("base_table", contract)));
    found.extend(tables.filter(|(_, contract)| contract.table == id).map(|(kind, contract)| table(kind, contract)));
    if found.iter().all(|definition| definition.kind == "indicator") {
        // Not where the name has its meaning already: a fact stands in its table under the same name.
        found.extend(columns(id, contracts));
    }
    if found.is_empty() {
        let known = names(rulebook, contracts);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let fault = Fault::new(format!("no rule is called `{id}`"));
        return Err(Error::wrong_usage(fault.hint(crate::read::suggestion(id, &known))));
    }
    Ok(found)
}

/// Every name that has a meaning.
fn names(rulebook: &Rulebook, contracts: &Contracts) -> Vec<String> {
    let facts = FACTS.iter().map(|fact| fact.name.to_string());
    let vetoes = rulebook.vetoes.iter().map(|veto| veto.code.clone());
    let flags = Flag::ALL.into_iter().map(|flag| flag.name().to_string());
    let of_coverage = coverage::names();
    let rules = Rule::ALL.into_iter().map(|rule| rule.name().to_string());
    let unsound = Unsound::ALL.into_iter().map(|rule| rule.name().to_string());
    let policies = rulebook.in_force.iter().map(|version| version.policy.clone());
    let tables = contracts.inputs.iter().chain(&contracts.outputs).map(|contract| contract.table.clone());
    let published = contracts.outputs.iter().flat_map(|contract| &contract.columns);
    let columns = published.chain(contracts.bases.iter().flat_map(|contract| &contract.columns));
    let columns = columns.map(|column| column.name.clone());
    let indicators = rulebook.indicators.iter().map(|indicator| indicator.id.clone());
    let rules = flags.chain(of_coverage).chain(rules).chain(unsound);
    facts.chain(vetoes).chain(rules).chain(indicators).chain(policies).chain(tables).chain(columns).collect()
}

fn version(policy: &str, value: Option<&str>, rulebook: &Rulebook) -> Option<Version> {
    let found = rulebook.in_force.iter().find(|version| version.policy == policy)?;
    let source = value.and_then(|value| found.value_sources.get(value)).unwrap_or(&found.source);
    Some(Version::of(found, source, rulebook))
}

fn title(source: &SourceReference, rulebook: &Rulebook) -> Texts {
    rulebook.sources.get(&source.id).map_or_else(|| texts("", ""), |source| Texts::from(&source.title))
}

fn fact(id: &str, contracts: &Contracts) -> Result<Option<Definition>> {
    let Some(known) = FACTS.iter().find(|fact| fact.name == id) else { return Ok(None) };
    let column = contracts.output("household_facts")?.column(id)?;
    let mut details = vec![detail("type", "类型", column.kind.describe())];
    details.extend(column.unit.as_ref().map(|unit| detail("unit", "单位", unit)));
    details.extend(known.window_months.map(|months| detail("months looked back", "回溯月数", months)));
    details.extend(column.fact.as_ref().map(|origin| detail("read from", "来源表", origin.tables.join(", "))));
    Ok(Some(Definition { id: id.into(), kind: "fact", meaning: Texts::from(&column.meaning), details, version: None }))
}

fn characteristics(id: &str, rulebook: &Rulebook, contracts: &Contracts) -> Result<Vec<Definition>> {
    let mut found = Vec::new();
    for card in &rulebook.scorecards {
        for characteristic in card.characteristics.iter().filter(|characteristic| characteristic.fact == id) {
            let meaning = Texts::from(&contracts.output("household_facts")?.column(id)?.meaning);
            let block = card.blocks.get(characteristic.block);
            let mut details = vec![detail("scorecard", "评分表", &card.id)];
            details.extend(block.map(|block| detail("block", "板块", &block.id)));
            details.push(detail("counts", "计分", is_on(card, characteristic)));
            details.extend(characteristic.bins.iter().map(|bin| {
                detail(
                    "points",
                    "得分",
                    format!("{} {}", tenths(bin.points), bin_in_words(characteristic.direction, bin)),
                )
            }));
            details.push(detail("points", "得分", format!("{} missing", tenths(characteristic.missing_points))));
            let version = version(&format!("scorecards/{}", card.id), Some(id), rulebook);
            found.push(Definition { id: id.into(), kind: "characteristic", meaning, details, version });
        }
    }
    Ok(found)
}

/// Tenths of a point as people write them.
pub fn tenths(points: i32) -> String {
    crate::decimal::format_scaled(i128::from(points), 1)
}

/// A bin as people read it: "at least 0.9", "otherwise".
pub fn bin_in_words(direction: Direction, bin: &Bin) -> String {
    match (direction, bin.bound) {
        (Direction::AtLeast, Some(bound)) => format!("at least {bound}"),
        (Direction::AtMost, Some(bound)) => format!("at most {bound}"),
        (_, None) => "otherwise".into(),
    }
}

fn veto_definition(veto: &Veto, rulebook: &Rulebook) -> Definition {
    let condition = match &veto.condition {
        VetoCondition::Watchlist { list_name } => format!("on the watchlist `{list_name}` and not delisted"),
        VetoCondition::AtLeast { fact, bound } => format!("{fact} is {bound} or more"),
        VetoCondition::MoreThan { fact, bound } => format!("{fact} is more than {bound}"),
    };
    let mut details = vec![
        detail("condition", "条件", condition),
        detail("a person may override it", "可人工解除", veto.is_overridable),
    ];
    details.extend(veto.look_back_months.map(|months| detail("months looked back", "回溯月数", months)));
    let vetoes = rulebook.in_force.iter().find(|version| version.policy == "vetoes");
    let version = vetoes.map(|version| Version::of(version, &veto.legal_basis, rulebook));
    Definition { id: veto.code.clone(), kind: "veto", meaning: Texts::from(&veto.name), details, version }
}

fn flag_definition(flag: Flag, rulebook: &Rulebook) -> Definition {
    let rules = &rulebook.visit_checks;
    let (en, zh) = match flag {
        Flag::Remote => ("made by phone or online", "电话或线上走访"),
        Flag::TooShort => ("onsite with a household, and shorter than the least duration", "上门走访时长不足"),
        Flag::TooFar => ("onsite, farther from the household's position than allowed", "上门走访位置离户过远"),
        Flag::Overlapping => {
            ("onsite, begun before an earlier onsite visit of the officer had ended", "与本人此前上门走访时间重叠")
        }
        Flag::ImpossibleSpeed => (
            "onsite, too far from the officer's last onsite position for the time between",
            "与上次位置之间移动速度不可能",
        ),
        Flag::DuplicatePhoto => ("an earlier visit of the branch has the same photo", "照片与此前走访重复"),
        Flag::NoPosition => ("onsite without a position", "上门走访无定位"),
        Flag::LateRecord => ("recorded too long after it ended", "补录过晚"),
        Flag::OddHours => ("begun outside the hours of the day", "非正常时段走访"),
        Flag::NotAssigned => ("the officer was not assigned to the grid on that day", "当日未分配该网格"),
        Flag::SharedDevice => ("the device was used by more than one officer on that day", "同日多人共用设备"),
    };
    let minutes = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let bounds: Vec<(&str, String)> = match flag {
        Flag::TooShort => vec![("minutes_min", rules.minutes_min.to_string())],
        Flag::TooFar => vec![("distance_max_m", rules.distance_max_m.to_string())],
        Flag::ImpossibleSpeed => vec![
            ("speed_distance_min_m", rules.speed_distance_min_m.to_string()),
            ("speed_max_kmh", rules.speed_max_kmh.to_string()),
        ],
        Flag::LateRecord => vec![("record_hours_max", rules.record_hours_max.to_string())],
        Flag::OddHours => {
            vec![("day_starts", minutes(rules.day_starts_minute)), ("day_ends", minutes(rules.day_ends_minute))]
        }
        _ => Vec::new(),
    };
    let mut details = vec![detail("the visit does not count", "走访不计入", flag.invalidates())];
    details.extend(bounds.iter().map(|(value, bound)| detail(value, value, bound)));
    let version = version("visit_checks", bounds.first().map(|(value, _)| *value), rulebook);
    Definition { id: flag.name().into(), kind: "visit_flag", meaning: texts(en, zh), details, version }
}

fn quarantine_rule(id: &str) -> Option<Definition> {
    let of_row = Rule::ALL.into_iter().find(|rule| rule.name() == id).map(|rule| rule.meaning());
    let of_decision = Unsound::ALL.into_iter().find(|rule| rule.name() == id).map(Unsound::message);
    let meaning = of_row.or(of_decision)?;
    let counts = detail("counts towards the audit", "计入审计", of_decision.is_none());
    Some(Definition {
        id: id.into(),
        kind: "quarantine_rule",
        meaning: texts(meaning, meaning),
        details: vec![counts],
        version: None,
    })
}

fn policy(id: &str, rulebook: &Rulebook) -> Option<Definition> {
    let found = rulebook.in_force.iter().find(|version| version.policy == id)?;
    Some(Definition {
        id: id.into(),
        kind: "policy",
        meaning: Texts::from(&found.name),
        details: found.value_sources.iter().map(|(value, source)| detail(value, value, &source.id)).collect(),
        version: version(id, None, rulebook),
    })
}

/// The reference page of a table: its grain, its key, and every column.
fn table(kind: &'static str, contract: &Contract) -> Definition {
    let mut details = vec![detail("key", "主键", contract.key.join(", "))];
    details.extend(
        contract
            .columns
            .iter()
            .map(|column| Detail { label: texts(&column.name, &column.name), value: column_in_words(column) }),
    );
    Definition { id: contract.table.clone(), kind, meaning: Texts::from(&contract.grain), details, version: None }
}

/// A column of the output tables that bear it, and of the base tables in which indicators may name it; one definition
/// for each meaning that it has in them.
fn columns(id: &str, contracts: &Contracts) -> Vec<Definition> {
    let mut found: Vec<ColumnMeaning> = Vec::new();
    let published = contracts.outputs.iter().map(|contract| (contract, false));
    for (contract, is_base) in published.chain(contracts.bases.iter().map(|contract| (contract, true))) {
        for column in contract.columns.iter().filter(|column| column.name == id) {
            let known = found.iter().position(|known| known.column.meaning == column.meaning);
            let place = known.unwrap_or(found.len());
            if known.is_none() {
                found.push(ColumnMeaning { column, tables: Vec::new(), base_tables: Vec::new() });
            }
            if let Some(meaning) = found.get_mut(place) {
                let tables = if is_base { &mut meaning.base_tables } else { &mut meaning.tables };
                tables.push(&contract.table);
            }
        }
    }
    found.iter().map(|meaning| meaning.definition(id)).collect()
}

/// The tables in which a column means one thing.
struct ColumnMeaning<'a> {
    column: &'a Column,
    tables: Vec<&'a str>,
    base_tables: Vec<&'a str>,
}

impl ColumnMeaning<'_> {
    fn definition(&self, id: &str) -> Definition {
        let column = self.column;
        let tables = [("of table", "所在表", &self.tables), ("of base table", "所在基础表", &self.base_tables)];
        let tables = tables.into_iter().filter(|(_, _, tables)| !tables.is_empty());
        let mut details: Vec<Detail> = tables.map(|(en, zh, tables)| detail(en, zh, tables.join(", "))).collect();
        details.push(detail("type", "类型", column.kind.describe()));
        if !column.words.is_empty() && self.tables.is_empty() {
            details.push(detail("words", "取值", column.words.join(", ")));
        }
        details.extend(column.unit.as_ref().map(|unit| detail("unit", "单位", unit)));
        details.push(detail("may be null", "可空", column.nullable));
        let kind = if self.tables.is_empty() { "base_column" } else { "column" };
        Definition { id: id.into(), kind, meaning: Texts::from(&column.meaning), details, version: None }
    }
}

/// "a date, may be null: the day on which …"
fn column_in_words(column: &Column) -> Texts {
    let described = column.kind.describe();
    let (mut en, mut zh) = (vec![described.clone()], vec![described]);
    if !column.words.is_empty() {
        en.push(format!("one of {}", column.words.join(", ")));
        zh.push(format!("取值 {}", column.words.join(", ")));
    }
    if let Some(table) = &column.references {
        en.push(format!("of `{table}`"));
        zh.push(format!("引用 `{table}`"));
    }
    if let Some(unit) = &column.unit {
        en.push(format!("in {unit}"));
        zh.push(format!("单位 {unit}"));
    }
    if column.nullable {
        en.push("may be null".into());
        zh.push("可空".into());
    }
    texts(format!("{}: {}", en.join(", "), column.meaning.en), format!("{}：{}", zh.join("，"), column.meaning.zh))
}
