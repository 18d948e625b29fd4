//! The sheets that say what the others mean: which publication this is and what its marks say, how every indicator is
//! defined, and the documents that the definitions rest on.

use std::collections::BTreeMap;

use rust_xlsxwriter::Worksheet;

use crate::definitions::dimension_in_words;
use crate::indicators::Breakdown;
use crate::rulebook::indicators::Level;
use crate::rulebook::{Indicator, SourceReference};

use super::sheet::{Formats, HEADING_ROWS, Heading, heading, headings, note};
use super::{Content, Failure, wording};

/// The first sheet: which publication, and how to read it.
pub(super) fn readme(worksheet: &mut Worksheet, content: &Content, formats: &Formats) -> Result<(), Failure> {
    const COLUMNS: [Heading; 3] =
        [heading("what", "内容", 26.0), heading("English", "英文", 80.0), heading("Chinese", "中文", 60.0)];
    worksheet.set_name("readme 说明")?;
    let lines = identity(content).into_iter().chain(marks(content)).collect::<Vec<_>>();
    headings(worksheet, &COLUMNS, lines.len(), formats)?;
    for ([what, en, zh], row) in lines.iter().zip(HEADING_ROWS..) {
        for (text, column) in [what, en, zh].into_iter().zip(0..) {
            note(worksheet, row, column, text, formats)?;
        }
    }
    Ok(())
}

fn identity(content: &Content) -> Vec<[String; 3]> {
    let vintage = content.vintage;
    let same = |en: &str, zh: &str, value: String| [format!("{en} {zh}"), value.clone(), value];
    vec![
        same("bank", "银行", vintage.bank.into()),
        same("as-of date", "数据日期", vintage.as_of.to_string()),
        same("vintage", "版次", vintage.sequence.to_string()),
        same("run", "运行编号", vintage.run_id.into()),
        same("rulebook digest", "制度摘要值", content.rulebook.digest.clone()),
    ]
}

fn marks(content: &Content) -> Vec<[String; 3]> {
    let cell_min = content.rulebook.disclosure.cell_min;
    let line = |what: &str, en: &str, zh: &str| [what.to_string(), en.to_string(), zh.to_string()];
    vec![
        line("status A 状态A", "there is a value, and it is published", "正常：有值并予公布"),
        line("status L 状态L", "not collected: a source of the indicator is missing", "未采集：指标来源缺失"),
        line("status M 状态M", "cannot exist: nothing stands in the denominator", "无法计算：分母为零"),
        line(
            "status Q 状态Q",
            "suppressed: a small number of households could be seen from it; the cell is grey",
            "不予公布：可据以得知过少的户数；单元格为灰色",
        ),
        line("grey and blank 灰色空白", "a numerator or denominator that is suppressed", "不予公布的分子或分母"),
        line(
            "smallest cell 最小公布户数",
            &format!("a count of fewer than {cell_min} households, and what would betray it, is suppressed; 0 is not"),
            &format!("户数少于{cell_min}者及可据以推出者不予公布；0照常公布"),
        ),
        line(
            "vintage 版次",
            "a later vintage of the same as-of date replaces an earlier one; revisions.csv says what changed",
            "同一数据日期以后版次为准；变动见 revisions.csv",
        ),
        line(
            "ref area 地区编号",
            "the codes of ref_areas.csv: the bank, its branches, and the areas with the area that each is part of",
            "见 ref_areas.csv：全行、网点、行政区及其上级",
        ),
        line("level 层级", &listed(Level::ALL.iter().map(|level| level.name())), "全行、网点、县、乡镇、村、社区"),
        line(
            "breakdown 分组",
            &listed(Breakdown::ALL.into_iter().map(Breakdown::name)),
            "全部、商户及小微企业、居民、农户及农村经营主体",
        ),
        line("value 指标值", "in full; the digits shown follow the definition", "不取整；显示位数按指标定义"),
    ]
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// How every indicator in force is defined.
pub(super) fn definitions(worksheet: &mut Worksheet, content: &Content, formats: &Formats) -> Result<(), Failure> {
    worksheet.set_name("definitions 指标定义")?;
    let indicators = &content.rulebook.indicators;
    headings(worksheet, &DEFINITION_COLUMNS, indicators.len(), formats)?;
    for (indicator, row) in indicators.iter().zip(HEADING_ROWS..) {
        let cells = definition(indicator, content)?;
        for (text, column) in cells.iter().zip(0..) {
            note(worksheet, row, column, text, formats)?;
        }
    }
    Ok(())
}

const DEFINITION_COLUMNS: [Heading; 26] = [
    heading("indicator", "指标编号", 28.0),
    heading("name", "英文名称", 40.0),
    heading("name (Chinese)", "指标名称", 32.0),
    heading("dimension", "维度", 12.0),
    heading("kind", "算法类型", 14.0),
    heading("value", "算法", 34.0),
    heading("numerator", "分子", 50.0),
    heading("denominator", "分母", 50.0),
    heading("factor", "系数", 9.0),
    heading("unit", "单位", 22.0),
    heading("decimals shown", "显示小数位", 10.0),
    heading("direction", "方向", 10.0),
    heading("target", "目标值", 24.0),
    heading("source of the target", "目标依据", 40.0),
    heading("levels", "层级", 30.0),
    heading("breakdowns", "分组", 12.0),
    heading("version", "定义版本", 9.0),
    heading("valid from", "生效日期", 12.0),
    heading("last checked", "核对日期", 12.0),
    heading("source", "依据编号", 16.0),
    heading("title of the source", "依据英文名称", 44.0),
    heading("title of the source (Chinese)", "依据名称", 44.0),
    heading("issuer", "发布单位英文名称", 28.0),
    heading("issuer (Chinese)", "发布单位", 24.0),
    heading("provision", "条款", 50.0),
    heading("file", "制度文件", 34.0),
];

fn definition(indicator: &Indicator, content: &Content) -> Result<[String; 26], Failure> {
    let definition = &indicator.definition;
    let (numerator, denominator) = wording::parts(&definition.kind, content.contracts)?;
    let (target, of_target) = definition
        .target
        .as_ref()
        .map_or_else(Default::default, |target| (wording::target(target), cited(&target.source, content)));
    let source = content.rulebook.sources.get(&indicator.source.id);
    let (title, issuer) = source.map(|source| (source.title.clone(), source.issuer.clone())).unzip();
    let [title, title_zh] = title.map_or_else(Default::default, |title| [title.en, title.zh]);
    let [issuer, issuer_zh] = issuer.map_or_else(Default::default, |issuer| [issuer.en, issuer.zh]);
    Ok([
        indicator.id.clone(),
        indicator.name.en.clone(),
        indicator.name.zh.clone(),
        format!("{} {}", definition.dimension.name(), dimension_in_words(definition.dimension).zh),
        definition.kind.name().into(),
        wording::formula(&definition.kind),
        numerator,
        denominator,
        wording::factor(&definition.kind),
        definition.unit.clone(),
        definition.decimals.to_string(),
        definition.direction.name().into(),
        target,
        of_target,
        listed(definition.levels.iter().map(|level| level.name())),
        if definition.by_segment { "segment".into() } else { String::new() },
        definition.version.clone(),
        indicator.valid_from.to_string(),
        indicator.last_checked.to_string(),
        indicator.source.id.clone(),
        title,
        title_zh,
        issuer,
        issuer_zh,
        indicator.source.provision.clone(),
        indicator.file.clone(),
    ])
}

/// "Plan 4, profiles of all households [plan_04]".
fn cited(reference: &SourceReference, content: &Content) -> String {
    let title = content.rulebook.sources.get(&reference.id).map_or("", |source| &source.title.en);
    format!("{title}, {} [{}]", reference.provision, reference.id)
}

/// Every document that a definition in force, a target or a single value of it names.
pub(super) fn sources(worksheet: &mut Worksheet, content: &Content, formats: &Formats) -> Result<(), Failure> {
    const COLUMNS: [Heading; 7] = [
        heading("source", "依据编号", 16.0),
        heading("title", "英文名称", 60.0),
        heading("title (Chinese)", "名称", 60.0),
        heading("issuer", "发布单位英文名称", 36.0),
        heading("issuer (Chinese)", "发布单位", 30.0),
        heading("published on", "发布日期", 14.0),
        heading("indicators", "所涉指标", 60.0),
    ];
    worksheet.set_name("sources 依据")?;
    let named = named_sources(content);
    headings(worksheet, &COLUMNS, named.len(), formats)?;
    for ((id, indicators), row) in named.iter().zip(HEADING_ROWS..) {
        let source = content.rulebook.sources.get(*id);
        let texts = source.map_or_else(Default::default, |source| {
            let date = source.date.map_or_else(String::new, |date| date.to_string());
            [&source.title.en, &source.title.zh, &source.issuer.en, &source.issuer.zh, &date].map(Clone::clone)
        });
        note(worksheet, row, 0, id, formats)?;
        for (text, column) in texts.iter().zip(1..) {
            note(worksheet, row, column, text, formats)?;
        }
        note(worksheet, row, 6, &listed(indicators.iter().copied()), formats)?;
    }
    Ok(())
}

/// The indicators that name a source, by the source's id.
fn named_sources<'a>(content: &'a Content) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for indicator in &content.rulebook.indicators {
        let policy = format!("indicators/{}", indicator.id);
        let version = content.rulebook.in_force.iter().find(|version| version.policy == policy);
        let of_values = version.into_iter().flat_map(|version| version.value_sources.values());
        let of_target = indicator.definition.target.iter().map(|target| &target.source);
        let mut ids: Vec<&str> =
            of_values.chain(of_target).chain([&indicator.source]).map(|source| source.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().for_each(|id| named.entry(id).or_default().push(&indicator.id));
    }
    named
}
